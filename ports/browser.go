package ports

import "github.com/paydesk/paydesk/core"

// BrowserConfig is what the hosted page needs to let a buyer pay at one account. Nothing
// in it is secret, and it never changes while the program runs.
type BrowserConfig struct {
	Provider core.ProviderName
	// PublishableKey names the account towards the provider's script; made to be seen.
	PublishableKey string
	// LocationID names the shop within the account, where the provider wants that; empty
	// elsewhere.
	LocationID string
	// ScriptURL is where the provider's script comes from, never a copy of ours. It may
	// hold {currency}, for the checkout's ISO 4217 code; {intent}, for "capture", "authorize" or
	// "subscription"; and {vault}, for "true" where it is for a subscription, else "false".
	ScriptURL string
	// The sources go into the page's Content-Security-Policy as they stand: origins, with
	// or without a wildcard.
	ScriptSources  []string
	FrameSources   []string
	ConnectSources []string
	StyleSources   []string
	ImageSources   []string
	FontSources    []string
	// NeedsNonce says that the provider's script puts further scripts and styles into the
	// page, which its policy lets pass by a nonce that is new with every answer.
	NeedsNonce bool
	// NeedsInlineStyles says that the provider's script only works on a page whose policy
	// allows inline styles.
	NeedsInlineStyles bool
	// Decimals is in how many decimals the provider's script counts a currency, for those
	// in which it does not count as ISO 4217 does; nil where there are none.
	Decimals map[core.Currency]int
}

// BrowserProvider is a [Provider] whose payments are confirmed by the buyer's browser on
// our page.
type BrowserProvider interface {
	Provider
	// Browser gives a copy that the caller may change.
	Browser() BrowserConfig
}
