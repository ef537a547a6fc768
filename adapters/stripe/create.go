package stripe

import (
	"context"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// What is kept with Stripe's objects, to find them again by.
const (
	metadataPayment   = "paydesk_payment"
	metadataCheckout  = "paydesk_checkout"
	metadataReference = "reference"

	metadataRefund       = "paydesk_refund"
	metadataCustomer     = "paydesk_customer"
	metadataMethod       = "paydesk_method"
	metadataPrice        = "paydesk_price"
	metadataSubscription = "paydesk_subscription"
)

// actionConfirm has the page's script confirm the payment with its client secret.
const actionConfirm = "stripe_confirm"

// expandCharge asks for the latest charge, which tells of method, refunds and disputes,
// to be put into the answer.
const expandCharge = "latest_charge"

// expandPayment asks for what a payment is told by beside itself to be put into the answer:
// its charge, and the invoice that it pays, which tells of the subscription. at is where the
// payment stands in the answer, with a point at its end; empty for the answer itself.
func expandPayment(params interface{ AddExpand(field string) }, at string) {
	params.AddExpand(at + expandCharge)
	params.AddExpand(at + "invoice")
}

// CreatePayment implements [ports.Provider]. Where the buyer comes back to is said by
// the page at confirmation; Stripe refuses it before.
//
// Source: POST /v1/payment_intents.
func (a *Adapter) CreatePayment(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	op := a.op("create for", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return ports.PaymentSession{}, err
	}
	c := begin(ctx, op)
	params, err := c.intent(key, in)
	if err != nil {
		return ports.PaymentSession{}, err
	}
	params.AutomaticPaymentMethods = &stripesdk.PaymentIntentAutomaticPaymentMethodsParams{Enabled: new(true)}
	intent, err := a.api.PaymentIntents.New(params)
	return a.session(c, "", intent, err)
}

// intent is what every payment is asked for with.
func (c *call) intent(key core.OperationKey, in ports.CreatePayment) (*stripesdk.PaymentIntentParams, error) {
	amount, currency, err := toForeign(in.Amount)
	if err != nil {
		return nil, outbound.Invalid(c.Op, err)
	}
	if amount <= 0 {
		return nil, outbound.Invalid(c.Op, core.ErrAmountRange)
	}
	params := &stripesdk.PaymentIntentParams{
		Params: c.params(key), Amount: new(amount), Currency: new(string(currency)),
		CaptureMethod: stripesdk.String(string(stripesdk.PaymentIntentCaptureMethodAutomatic)),
	}
	if in.Capture == core.CaptureManual {
		params.CaptureMethod = stripesdk.String(string(stripesdk.PaymentIntentCaptureMethodManual))
	}
	if in.Description != "" {
		params.Description = new(in.Description)
	}
	params.AddMetadata(metadataPayment, string(in.Payment))
	params.AddMetadata(metadataCheckout, string(in.Checkout))
	params.AddMetadata(metadataReference, in.Reference)
	expandPayment(params, "")
	return params, nil
}
