package stripe

import (
	"fmt"
	"slices"
	"time"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

const (
	objectPaymentIntent = "payment_intent"
	objectCharge        = "charge"
)

// translate puts a payment intent into our words. It fails where an amount cannot be
// told; nothing is ever rounded or guessed.
func (a *Adapter) translate(intent *stripesdk.PaymentIntent) (core.PaymentSnapshot, error) {
	seen := core.PaymentSnapshot{
		Ref:           core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: intent.ID},
		Payment:       own[core.PaymentID](intent.Metadata, metadataPayment),
		Status:        status(intent),
		ForeignStatus: outbound.SafeCode(string(intent.Status)),
		Environment:   environment(intent.Livemode),
		Method:        method(intent),
		Disputed:      intent.LatestCharge != nil && intent.LatestCharge.Disputed,
		Payable:       payable(intent.Status),
		CaptureBefore: captureBefore(intent),
		Subscription:  billing(intent),
		CreatedAt:     fromUnix(intent.Created),
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

// own is the object of ours that Stripe's was made for, as it is kept there; empty where
// other hands wrote there.
func own[T core.ID](metadata map[string]string, name string) T {
	id, err := core.ParseID[T](metadata[name])
	if err != nil {
		return ""
	}
	return id
}

func environment(live bool) core.Environment {
	if live {
		return core.EnvLive
	}
	return core.EnvTest
}

// captureBefore is when an authorization runs out; zero where nothing is authorized, or where
// Stripe does not say, which it does of cards alone.
func captureBefore(intent *stripesdk.PaymentIntent) time.Time {
	charge := intent.LatestCharge
	if intent.Status != stripesdk.PaymentIntentStatusRequiresCapture || charge == nil || charge.PaymentMethodDetails == nil || charge.PaymentMethodDetails.Card == nil {
		return time.Time{}
	}
	return fromUnix(charge.PaymentMethodDetails.Card.CaptureBefore)
}

// billing is Stripe's id of the subscription whose invoice the intent pays; empty for none.
func billing(intent *stripesdk.PaymentIntent) string {
	if intent.Invoice == nil || intent.Invoice.Subscription == nil {
		return ""
	}
	return outbound.SafeID(intent.Invoice.Subscription.ID)
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
		return new(methodDetails(failed.PaymentMethod))
	}
	return nil
}

// methodDetails is what may be known of a payment method.
func methodDetails(method *stripesdk.PaymentMethod) core.PaymentMethod {
	made := core.PaymentMethod{Type: outbound.SafeCode(string(method.Type))}
	if card := method.Card; card != nil {
		fillCard(&made, string(card.Brand), card.Last4, card.ExpMonth, card.ExpYear)
	}
	return made
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
