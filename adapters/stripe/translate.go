package stripe

import (
	"fmt"
	"slices"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

const objectPaymentIntent = "payment_intent"

// translate puts a payment intent into our words. It fails where an amount cannot be
// told; nothing is ever rounded or guessed.
func (a *Adapter) translate(intent *stripesdk.PaymentIntent) (core.PaymentSnapshot, error) {
	seen := core.PaymentSnapshot{
		Ref:           core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: intent.ID},
		Payment:       ownPayment(intent),
		Status:        status(intent),
		ForeignStatus: outbound.SafeCode(string(intent.Status)),
		Environment:   core.EnvTest,
		Method:        method(intent),
		Disputed:      intent.LatestCharge != nil && intent.LatestCharge.Disputed,
		Payable:       payable(intent.Status),
		CreatedAt:     fromUnix(intent.Created),
	}
	if intent.Livemode {
		seen.Environment = core.EnvLive
	}
	if intent.Amount <= 0 {
		return core.PaymentSnapshot{}, errNoAmount
	}
	if seen.Status == core.PaymentFailed {
		seen.Failure = failure(intent.LastPaymentError)
	}
	for _, amount := range []struct {
		name  string
		into  *core.Money
		value int64
	}{
		{"amount", &seen.Amount, intent.Amount},
		{"amount authorized", &seen.Authorized, authorized(intent)},
		{"amount received", &seen.Captured, intent.AmountReceived},
		{"amount refunded", &seen.Refunded, refunded(intent)},
	} {
		money, err := fromForeign(amount.value, intent.Currency)
		if err != nil {
			return core.PaymentSnapshot{}, fmt.Errorf("%s: %w", amount.name, err)
		}
		*amount.into = money
	}
	return seen, nil
}

// ownPayment is the payment of ours that the intent was made for; empty where other
// hands wrote there.
func ownPayment(intent *stripesdk.PaymentIntent) core.PaymentID {
	id, err := core.ParseID[core.PaymentID](intent.Metadata[metadataPayment])
	if err != nil {
		return ""
	}
	return id
}

// status is ours for Stripe's. One that is not known here is none at all, which no rule
// lets a payment move to.
//
// Source: docs.stripe.com/payments/paymentintents/lifecycle.
func status(intent *stripesdk.PaymentIntent) core.PaymentStatus {
	switch intent.Status {
	case stripesdk.PaymentIntentStatusRequiresPaymentMethod:
		if intent.LastPaymentError != nil {
			return core.PaymentFailed // this attempt did; the intent can still be paid
		}
		return core.PaymentRequiresAction
	case stripesdk.PaymentIntentStatusRequiresConfirmation, stripesdk.PaymentIntentStatusRequiresAction:
		return core.PaymentRequiresAction
	case stripesdk.PaymentIntentStatusProcessing:
		return core.PaymentProcessing
	case stripesdk.PaymentIntentStatusRequiresCapture:
		return core.PaymentAuthorized
	case stripesdk.PaymentIntentStatusSucceeded:
		return core.PaymentSucceeded
	case stripesdk.PaymentIntentStatusCanceled:
		if intent.CancellationReason == stripesdk.PaymentIntentCancellationReasonAutomatic && authorized(intent) > 0 {
			return core.PaymentExpired
		}
		return core.PaymentCanceled
	}
	return ""
}

// payable tells whether a buyer could still pay the intent.
func payable(status stripesdk.PaymentIntentStatus) bool {
	return slices.Contains([]stripesdk.PaymentIntentStatus{
		stripesdk.PaymentIntentStatusRequiresPaymentMethod,
		stripesdk.PaymentIntentStatusRequiresConfirmation,
		stripesdk.PaymentIntentStatusRequiresAction,
	}, status)
}

// authorized is what was held or taken at its highest. The charge remembers what was
// held after a part was captured or all of it let go.
func authorized(intent *stripesdk.PaymentIntent) int64 {
	most := max(intent.AmountReceived, intent.AmountCapturable)
	if charge := intent.LatestCharge; charge != nil && charge.Status == stripesdk.ChargeStatusSucceeded {
		most = max(most, charge.Amount)
	}
	return most
}

// refunded is what went back of the money that was taken. Stripe books the release of
// what was not captured as a refund as well; that part was never the shop's and does
// not count.
func refunded(intent *stripesdk.PaymentIntent) int64 {
	charge := intent.LatestCharge
	if charge == nil {
		return 0
	}
	released := max(charge.Amount-charge.AmountCaptured, 0)
	return max(charge.AmountRefunded-released, 0)
}

// method is what the buyer paid with, or tried to last; nil where Stripe does not say.
func method(intent *stripesdk.PaymentIntent) *core.PaymentMethod {
	if charge := intent.LatestCharge; charge != nil && charge.PaymentMethodDetails != nil {
		details := charge.PaymentMethodDetails
		made := &core.PaymentMethod{Type: outbound.SafeCode(string(details.Type))}
		if card := details.Card; card != nil {
			fillCard(made, string(card.Brand), card.Last4, card.ExpMonth, card.ExpYear)
		}
		return made
	}
	if failed := intent.LastPaymentError; failed != nil && failed.PaymentMethod != nil {
		made := &core.PaymentMethod{Type: outbound.SafeCode(string(failed.PaymentMethod.Type))}
		if card := failed.PaymentMethod.Card; card != nil {
			fillCard(made, string(card.Brand), card.Last4, card.ExpMonth, card.ExpYear)
		}
		return made
	}
	return nil
}

// fillCard takes what may be known of a card and nothing that is not of its shape.
func fillCard(into *core.PaymentMethod, brand, last4 string, month, year int64) {
	into.Brand = outbound.SafeCode(brand)
	if len(last4) == 4 && allDigits(last4) {
		into.Last4 = last4
	}
	if month >= 1 && month <= 12 && year >= 2000 && year <= 9999 {
		into.ExpMonth, into.ExpYear = int(month), int(year)
	}
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}
