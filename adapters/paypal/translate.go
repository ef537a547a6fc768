package paypal

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// The statuses of an order, an authorization, a capture and a refund.
//
// Source: developer.paypal.com/docs/api/orders/v2/ and /docs/api/payments/v2/.
const (
	orderCreated     = "CREATED"
	orderSaved       = "SAVED"
	orderPayerAction = "PAYER_ACTION_REQUIRED"
	orderApproved    = "APPROVED"
	orderVoided      = "VOIDED"
	orderCompleted   = "COMPLETED"

	authCreated  = "CREATED"
	authPending  = "PENDING"
	authPartly   = "PARTIALLY_CAPTURED"
	authCaptured = "CAPTURED"
	authDenied   = "DENIED"
	authVoided   = "VOIDED"
	authExpired  = "EXPIRED"

	captureCompleted = "COMPLETED"
	capturePartly    = "PARTIALLY_REFUNDED"
	captureRefunded  = "REFUNDED"
	capturePending   = "PENDING"
	captureDeclined  = "DECLINED"
	captureFailed    = "FAILED"

	refundCompleted = "COMPLETED"
	refundPending   = "PENDING"
	refundFailed    = "FAILED"
	refundCancelled = "CANCELLED"
)

// What PayPal's word begins with where not the order's own decides, as in its events' types.
const (
	wordAuthorization = "AUTHORIZATION."
	wordCapture       = "CAPTURE."
)

// payments are what was done with the order's money.
func (o *Order) payments() Payments {
	if len(o.PurchaseUnits) == 0 || o.PurchaseUnits[0].Payments == nil {
		return Payments{}
	}
	return *o.PurchaseUnits[0].Payments
}

// isShort reports whether an answer does not show all that is used, as PayPal's short ones and
// some longer ones. One that should, and does not, is none of these.
func (o *Order) isShort() bool {
	if len(o.PurchaseUnits) == 0 || o.CreateTime == "" || len(o.Links) == 0 {
		return true
	}
	done := o.payments()
	lacks := func(id, status string, amount *Amount) bool {
		return id == "" || status == "" || amount == nil || o.PurchaseUnits[0].Amount == nil
	}
	return o.Status == orderCompleted && len(done.Authorizations)+len(done.Captures) == 0 ||
		slices.ContainsFunc(done.Authorizations, func(one Authorization) bool { return lacks(one.ID, one.Status, one.Amount) }) ||
		slices.ContainsFunc(done.Captures, func(one Capture) bool { return lacks(one.ID, one.Status, one.Amount) })
}

// authorization is the one that money is taken of, the same before and after: the one that
// holds or held it, before what was let go, and that before what was refused; of several, the
// one that was made last, as a renewed one was. Nil where there is none.
func (o *Order) authorization() *Authorization {
	var found *Authorization
	all := o.payments().Authorizations
	for n := range all {
		if one := &all[n]; found == nil || one.rank() > found.rank() || one.rank() == found.rank() && parseTime(one.CreateTime).After(parseTime(found.CreateTime)) {
			found = one
		}
	}
	return found
}

func (a *Authorization) rank() int {
	switch a.Status {
	case authDenied:
		return 0
	case authVoided, authExpired:
		return 1
	}
	return 2
}

// isTaken reports whether a capture took money.
func (c *Capture) isTaken() bool {
	return c.Status == captureCompleted || c.Status == capturePartly || c.Status == captureRefunded
}

// isRefused reports whether it will take none.
func (c *Capture) isRefused() bool { return c.Status == captureDeclined || c.Status == captureFailed }

// seen is what an answer shows of a payment.
func (a *Adapter) seen(op string, o *Order) (core.PaymentSnapshot, error) {
	seen, err := a.translate(o)
	if err != nil {
		return core.PaymentSnapshot{}, o.unusable(op, err)
	}
	return seen, nil
}

func (a *Adapter) translate(o *Order) (core.PaymentSnapshot, error) {
	if len(o.PurchaseUnits) == 0 {
		return core.PaymentSnapshot{}, errNoObject
	}
	unit := o.PurchaseUnits[0]
	amount, err := fromForeign(unit.Amount)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	created := parseTime(o.CreateTime)
	if created.IsZero() {
		return core.PaymentSnapshot{}, errNotReadable
	}
	seen := core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: o.ID}, CreatedAt: created,
		Amount: amount, Environment: a.environment(o.Links), Method: method(o),
	}
	if seen.Authorized, seen.Captured, seen.Refunded, err = amounts(o, amount.Currency()); err != nil {
		return core.PaymentSnapshot{}, err
	}
	status, word, failure := a.status(o)
	seen.ForeignStatus = outbound.SafeCode(word)
	if len(o.PurchaseUnits) > 1 {
		return seen, nil // another program's: it is nobody's payment, and of no status of ours
	}
	if id, err := core.ParseID[core.PaymentID](unit.CustomID); err == nil {
		seen.Payment = id
	}
	seen.Status, seen.Failure = status, failure
	if status == core.PaymentAuthorized {
		seen.CaptureBefore = parseTime(o.authorization().ExpirationTime)
	}
	seen.Confirmable = o.Status == orderApproved && seen.Status == core.PaymentRequiresAction
	return seen, nil
}

// amounts are what was held at its highest, what was taken and what was given back.
func amounts(o *Order, currency core.Currency) (authorized, captured, refunded core.Money, err error) {
	authorized, captured, refunded = core.Zero(currency), core.Zero(currency), core.Zero(currency)
	done := o.payments()
	add := func(sum *core.Money, amount *Amount) {
		if err != nil {
			return
		}
		var one core.Money
		if one, err = fromForeign(amount); err == nil {
			*sum, err = sum.Add(one)
		}
	}
	for _, one := range done.Authorizations {
		held := core.Zero(currency)
		if one.Status != authDenied && one.Status != authPending {
			add(&held, one.Amount)
		}
		authorized = higher(authorized, held)
	}
	for _, one := range done.Captures {
		if one.isTaken() {
			add(&captured, one.Amount)
		}
	}
	for _, one := range done.Refunds {
		if one.Status == refundCompleted {
			add(&refunded, one.Amount)
		}
	}
	return higher(authorized, captured), captured, refunded, err
}

func higher(one, other core.Money) core.Money {
	if order, err := one.Compare(other); err == nil && order < 0 {
		return other
	}
	return one
}

// status is ours for an order's, with PayPal's own word for what decides and the reason where
// it failed. An order's own COMPLETED says nothing of its money, so that what is inside decides.
// A status that is not known here is none at all, which no rule lets a payment move to.
func (a *Adapter) status(o *Order) (status core.PaymentStatus, word string, failure *core.Failure) {
	var pending, refused *Capture
	done := o.payments()
	for n := range done.Captures {
		switch one := &done.Captures[n]; one.Status {
		case captureCompleted, capturePartly, captureRefunded:
			return core.PaymentSucceeded, wordCapture + one.Status, nil
		case capturePending:
			pending = one
		case captureDeclined, captureFailed:
			refused = one
		default:
			return "", wordCapture + one.Status, nil
		}
	}
	if pending != nil {
		return core.PaymentProcessing, wordCapture + pending.Status, nil
	}
	if held := o.authorization(); held != nil {
		status, failure = a.authorizationStatus(held)
		taken := held.Status == authPartly || held.Status == authCaptured
		if !taken || refused == nil {
			return status, wordAuthorization + held.Status, failure
		}
	}
	if refused != nil {
		return core.PaymentFailed, wordCapture + refused.Status, captureFailure(refused)
	}
	switch o.Status {
	case orderCreated, orderSaved, orderPayerAction:
		status = core.PaymentRequiresAction
	case orderApproved:
		if code := authenticationFailed(o); code != "" {
			return core.PaymentFailed, o.Status, core.NewFailure(core.FailureAuthenticationRequired, code)
		}
		status = core.PaymentRequiresAction
	case orderVoided:
		status = core.PaymentCanceled
	}
	return status, o.Status, nil
}

// authorizationStatus is where money stands that no capture took.
func (a *Adapter) authorizationStatus(held *Authorization) (core.PaymentStatus, *core.Failure) {
	switch held.Status {
	case authCreated:
		if until := parseTime(held.ExpirationTime); !until.IsZero() && !a.now().Before(until) {
			return core.PaymentExpired, nil
		}
		return core.PaymentAuthorized, nil
	case authPending:
		return core.PaymentProcessing, nil
	case authVoided:
		// PayPal calls one so, too, that ran out.
		if until, at := parseTime(held.ExpirationTime), parseTime(held.UpdateTime); !until.IsZero() && !at.Before(until) {
			return core.PaymentExpired, nil
		}
		return core.PaymentCanceled, nil
	case authExpired:
		return core.PaymentExpired, nil
	case authDenied:
		code := processorCode(held.ProcessorResponse)
		return core.PaymentFailed, core.NewFailure(declineCode(code, core.FailureCardDeclined), orElse(code, authDenied))
	}
	return "", nil // also one that was captured, where no capture is shown
}

// processorCodes are what banks say of a card, in our words.
//
// Source: developer.paypal.com/docs/api/orders/v2/, processor_response; the meanings of some
// are known from other programs alone.
var processorCodes = map[string]core.FailureCode{
	"5120": core.FailureInsufficientFunds, "5400": core.FailureExpiredCard, "00N7": core.FailureIncorrectCVC,
	"9500": core.FailureSuspectedFraud, "9520": core.FailureSuspectedFraud,
	"0500": core.FailureCardDeclined, "5100": core.FailureCardDeclined, "5180": core.FailureCardDeclined,
	"1330": core.FailureCardDeclined, "10BR": core.FailureCardDeclined, "0580": core.FailureCardDeclined,
}

func processorCode(said *ProcessorResponse) string {
	if said == nil {
		return ""
	}
	return outbound.SafeCode(said.ResponseCode)
}

// declineCode is ours for a bank's; fallback for one that is not known.
func declineCode(code string, fallback core.FailureCode) core.FailureCode {
	if known, ok := processorCodes[code]; ok {
		return known
	}
	return fallback
}

// captureFailure is why no money was taken.
func captureFailure(c *Capture) *core.Failure {
	code, fallback := processorCode(c.ProcessorResponse), core.FailureCardDeclined
	if c.Status == captureFailed {
		fallback = core.FailureProcessingError
	}
	return core.NewFailure(declineCode(code, fallback), orElse(code, orElse(outbound.SafeCode(c.StatusDetails.Reason), c.Status)))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// authenticationFailed is the bank's answer to the question whether the buyer is the card's
// owner, where that was a no; empty where it was not asked, or said nothing against it. Only
// the plain cases count: who is liable in the others is a matter of the merchant's contract,
// and PayPal itself may still refuse the money.
//
// Source: developer.paypal.com/docs/checkout/advanced/customize/3d-secure/response-parameters.
func authenticationFailed(o *Order) string {
	card := card(o.PaymentSource)
	if card == nil || card.AuthenticationResult == nil || card.AuthenticationResult.LiabilityShift != "NO" {
		return ""
	}
	switch status := card.AuthenticationResult.ThreeDSecure.AuthenticationStatus; status {
	case "N", "R", "U":
		return "3ds_" + status
	}
	return ""
}

func card(source map[string]json.RawMessage) *Card {
	text, ok := source[methodCard]
	var shown *Card
	if !ok || json.Unmarshal(text, &shown) != nil {
		return nil
	}
	return shown
}

// brands are PayPal's names of cards' brands that are not ours in lower case.
var brands = map[string]string{"CHINA_UNION_PAY": "unionpay", "UNION_PAY": "unionpay", "AMERICAN_EXPRESS": "amex"}

// method is what the buyer agreed to pay with; nil as long as nobody has agreed.
func method(o *Order) *core.PaymentMethod {
	agreed := o.Status == orderApproved || o.Status == orderCompleted || o.Status == orderVoided
	if !agreed {
		return nil
	}
	return sourceMethod(o.PaymentSource)
}

// sourceMethod is a way to pay by its kind; nil for none.
func sourceMethod(source map[string]json.RawMessage) *core.PaymentMethod {
	if shown := card(source); shown != nil {
		return cardMethod(shown)
	}
	kind := ""
	for word := range source {
		kind = max(kind, strings.ToLower(outbound.SafeCode(word)))
	}
	if kind == "" {
		return nil
	}
	return &core.PaymentMethod{Type: kind}
}

func cardMethod(shown *Card) *core.PaymentMethod {
	made := &core.PaymentMethod{Type: methodCard, Brand: brands[shown.Brand]}
	if made.Brand == "" {
		made.Brand = strings.ToLower(outbound.SafeCode(shown.Brand))
	}
	if len(shown.LastDigits) == 4 && isDigits(shown.LastDigits) {
		made.Last4 = shown.LastDigits
	}
	year, month, _ := strings.Cut(shown.Expiry, "-")
	y, yearErr := strconv.Atoi(year)
	m, monthErr := strconv.Atoi(month)
	if yearErr == nil && monthErr == nil && y >= 2000 && y <= 9999 && m >= 1 && m <= 12 {
		made.ExpYear, made.ExpMonth = y, m
	}
	return made
}
