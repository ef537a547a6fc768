package paypal

import (
	"context"
	"net/url"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The links that lead buyers to PayPal's page: with a way of paying that the order names, and
// without.
const (
	relPayerAction = "payer-action"
	relApprove     = "approve"
)

// CreateHosted implements [ports.Hoster]. The page is no object of its own: the order is the
// same as on our page, and the buyer agrees to it at PayPal's. What comes back with the buyer
// is not read.
//
// Source: POST /v2/checkout/orders with payment_source.
func (a *Adapter) CreateHosted(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	op := a.op("create page for", string(in.Payment))
	source := &PaymentSourceRequest{PayPal: &PayPalSourceRequest{ExperienceContext: &ExperienceContext{
		ReturnURL: in.ReturnURL, CancelURL: in.ReturnURL, UserAction: "PAY_NOW",
		ShippingPreference: noShipping, PaymentMethodPreference: "IMMEDIATE_PAYMENT_REQUIRED",
	}}}
	made, session, err := a.create(ctx, op, key, in, source)
	if err != nil || session.Action.Type != actionApprove {
		return session, err
	}
	page := a.page(made.Links, relApprove)
	if page == "" {
		return ports.PaymentSession{}, made.unusable(op, errNoPage)
	}
	session.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: page}
	return session, nil
}

// page is where an object's link leads buyers; empty where it names no page that a browser can
// be sent to.
func (a *Adapter) page(links []Link, rel string) string {
	for _, link := range links {
		at, err := url.Parse(link.Href)
		if link.Rel != rel || err != nil || at.Host == "" || at.User != nil {
			continue
		}
		if at.Scheme == "https" || a.elsewhere && at.Scheme == "http" {
			return link.Href
		}
	}
	return ""
}
