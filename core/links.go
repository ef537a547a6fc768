package core

import "strings"

// PublicURL is the address under which buyers and providers reach us, without a slash
// at the end: "https://pay.example.com".
type PublicURL string

// Secure reports whether they come by https.
func (u PublicURL) Secure() bool { return strings.HasPrefix(string(u), "https:") }

// CheckoutPage is the address of a checkout's hosted page.
func (u PublicURL) CheckoutPage(id CheckoutID) string { return string(u) + "/pay/" + string(id) }

// CheckoutReturn is where a provider sends the buyer's browser back to after a step on
// its own pages.
func (u PublicURL) CheckoutReturn(id CheckoutID) string { return u.CheckoutPage(id) + "/return" }

// Webhook is the address that an account's provider posts webhooks to.
func (u PublicURL) Webhook(account AccountName) string {
	return string(u) + "/webhooks/" + string(account)
}
