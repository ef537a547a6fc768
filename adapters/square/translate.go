package square

import (
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// The statuses of a payment.
//
// Source: developer.squareup.com/docs/payments-api/take-payments.
const (
	statusApproved  = "APPROVED"
	statusPending   = "PENDING"
	statusCompleted = "COMPLETED"
	statusCanceled  = "CANCELED"
	statusFailed    = "FAILED"
)

// seen is what an answer shows of its payment.
func (a *Adapter) seen(out answer, err error) (core.PaymentSnapshot, error) {
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	seen, err := a.translate(*out.Payment)
	if err != nil {
		return core.PaymentSnapshot{}, out.call.Unusable(err)
	}
	return seen, nil
}

// translate puts a payment into our words. It fails where one of its parts cannot be told;
// nothing is guessed.
func (a *Adapter) translate(p Payment) (core.PaymentSnapshot, error) {
	if outbound.SafeID(p.ID) == "" {
		return core.PaymentSnapshot{}, errNoObject
	}
	amount, err := fromForeign(p.AmountMoney)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	none := core.Zero(amount.Currency())
	seen := core.PaymentSnapshot{
		Ref:    core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: p.ID},
		Status: status(p), ForeignStatus: outbound.SafeCode(p.Status), Environment: a.env, Method: method(p),
		Amount: amount, Authorized: none, Captured: none, Refunded: none,
	}
	seen.Payment = ownPayment(p.ReferenceID)
	if seen.CreatedAt, err = fromTime(p.CreatedAt); err != nil {
		return core.PaymentSnapshot{}, err
	}
	if p.ApprovedMoney != nil {
		// What the buyer agreed to. It stays where the amount was lowered to take a part.
		approved, err := fromForeign(p.ApprovedMoney)
		if err != nil {
			return core.PaymentSnapshot{}, err
		}
		if order, err := approved.Compare(amount); err == nil && order > 0 {
			seen.Amount = approved
		}
	}
	switch p.Status {
	case statusCompleted:
		seen.Authorized, seen.Captured = seen.Amount, amount
	case statusApproved:
		seen.Authorized = seen.Amount
		if until, err := fromTime(p.DelayedUntil); err == nil {
			seen.CaptureBefore = until
		}
	case statusCanceled:
		seen.Authorized = seen.Amount
	case statusFailed:
		seen.Failure = failure(p)
	}
	if p.RefundedMoney != nil {
		if seen.Refunded, err = fromForeign(p.RefundedMoney); err != nil {
			return core.PaymentSnapshot{}, err
		}
	}
	return seen, nil
}

// ownPayment is the payment of ours that a reference names; empty where other hands wrote it.
func ownPayment(reference string) core.PaymentID {
	id, err := core.ParseID[core.PaymentID](reference)
	if err != nil {
		return ""
	}
	return id
}

func fromTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, errNotReadable
	}
	return at.UTC(), nil
}

// fromForeign is an amount in our words. Nothing is guessed: one that is not whole is an error.
func fromForeign(m *Money) (core.Money, error) {
	if m == nil || m.Amount == nil || !core.Currency(m.Currency).Known() {
		return core.Money{}, errNotReadable
	}
	return core.NewMoney(*m.Amount, core.Currency(m.Currency))
}

// status is ours for Square's. One that is not known here is none at all, which no rule lets a
// payment move to. Square cancels by itself what nobody captured in time.
func status(p Payment) core.PaymentStatus {
	switch p.Status {
	case statusApproved:
		return core.PaymentAuthorized
	case statusPending:
		return core.PaymentProcessing
	case statusCompleted:
		return core.PaymentSucceeded
	case statusFailed:
		return core.PaymentFailed
	case statusCanceled:
		if ranOut(p) {
			return core.PaymentExpired
		}
		return core.PaymentCanceled
	}
	return ""
}

// ranOut reports whether a payment ended when its time was over.
func ranOut(p Payment) bool {
	until, untilErr := time.Parse(time.RFC3339Nano, p.DelayedUntil)
	ended, endedErr := time.Parse(time.RFC3339Nano, p.UpdatedAt)
	return untilErr == nil && endedErr == nil && !ended.Before(until)
}

// failure is why a payment failed.
func failure(p Payment) *core.Failure {
	if p.CardDetails != nil {
		for _, one := range p.CardDetails.Errors {
			if code, known := declines[one.Code]; known {
				return core.NewFailure(code, outbound.SafeCode(one.Code))
			}
		}
	}
	return core.NewFailure(core.FailureProcessingError, "")
}

// brands are Square's names of cards' brands, as ours are written.
var brands = map[string]string{
	"VISA": "visa", "MASTERCARD": "mastercard", "AMERICAN_EXPRESS": "amex", "DISCOVER": "discover", "DISCOVER_DINERS": "diners",
	"JCB": "jcb", "CHINA_UNIONPAY": "unionpay", "INTERAC": "interac",
}

// method is what the buyer paid with; nil where Square does not say.
func method(p Payment) *core.PaymentMethod {
	if p.SourceType == "" {
		return nil
	}
	made := &core.PaymentMethod{Type: strings.ToLower(outbound.SafeCode(p.SourceType))}
	if p.CardDetails != nil && p.CardDetails.Card != nil {
		p.CardDetails.Card.tell(made)
	}
	return made
}

// tell tells of a card what can be told.
func (c *Card) tell(into *core.PaymentMethod) {
	into.Brand = brands[c.CardBrand]
	if len(c.Last4) == 4 && strings.Trim(c.Last4, "0123456789") == "" {
		into.Last4 = c.Last4
	}
	if c.ExpMonth >= 1 && c.ExpMonth <= 12 && c.ExpYear >= 2000 && c.ExpYear <= 9999 {
		into.ExpMonth, into.ExpYear = int(c.ExpMonth), int(c.ExpYear)
	}
}
