package paypal

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// pathSales is where PayPal's older API has what subscriptions took.
const pathSales = "/v1/payments/sale/"

// saleStates are the older API's words in those of the newer one.
//
// Source: GET /v1/payments/sale/{id}, state.
var saleStates = map[string]string{
	"completed": captureCompleted, "partially_refunded": capturePartly, "refunded": captureRefunded, "pending": capturePending, "denied": captureDeclined,
}

// Sale is money that was taken, or was to be, without an order: what a subscription's billing
// asked for. Its own id is what the payment is known by.
type Sale struct {
	Capture

	// Subscription is the one whose billing asked for it; empty where PayPal does not say.
	Subscription string
	requestID    string // of the call that showed it
}

// paid is what a payment is known by: an order, or the sale that belongs to none; the other of
// the two is nil. An id may as well be that of an order's capture. The ids of all of them look
// alike, so that PayPal has to be asked about each in turn.
func (a *Adapter) paid(ctx context.Context, op, id string) (*Order, *Sale, error) {
	order, err := a.look(ctx, op, id)
	if !isMissing(err) {
		return order, nil, err
	}
	sale, err := a.sale(ctx, op, id)
	if err == nil && sale.Subscription != "" {
		return nil, sale, nil
	}
	if err != nil && !isMissing(err) {
		return nil, nil, err
	}
	capture, got, err := a.part(ctx, op, pathCaptures, id)
	if err != nil {
		return nil, nil, err
	}
	if of := orderOf(capture.SupplementaryData, capture.Links); of != "" {
		order, err = a.look(ctx, op, of)
		return order, nil, err
	}
	return nil, &Sale{Capture: *capture, requestID: got.requestID}, nil
}

// sale looks at one by PayPal's older API, which alone tells of whose billing it is.
//
// Source: GET /v1/payments/sale/{id}.
func (a *Adapter) sale(ctx context.Context, op, id string) (*Sale, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathSales + id})
	if err != nil {
		return nil, err
	}
	var shown SaleObject
	if err := decode(op, got, &shown); err != nil {
		return nil, err
	}
	if shown.ID != id {
		return nil, unusable(op, got, errNoObject)
	}
	status, known := saleStates[shown.State]
	if !known {
		status = strings.ToUpper(shown.State)
	}
	made := &Sale{Subscription: outbound.SafeID(shown.BillingAgreementID), requestID: got.requestID}
	made.Capture = Capture{
		ID: shown.ID, Status: status, Amount: shown.Amount.newer(), CreateTime: shown.CreateTime, Links: shown.Links,
		StatusDetails: StatusDetails{Reason: shown.ReasonCode},
	}
	return made, nil
}

// part looks at a capture or an authorization: the one is read as the other.
func (a *Adapter) part(ctx context.Context, op, path, id string) (*Capture, answer, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: path + id})
	if err != nil {
		return nil, got, err
	}
	shown := &Capture{}
	if err := decode(op, got, shown); err != nil {
		return nil, got, err
	}
	if shown.ID != id {
		return nil, got, unusable(op, got, errNoObject)
	}
	return shown, got, nil
}

// owner is the id by which the payment is known that a capture is of: its order's, or its own
// where there is none.
func (a *Adapter) owner(ctx context.Context, op, capture string) (string, error) {
	shown, _, err := a.part(ctx, op, pathCaptures, capture)
	if isMissing(err) {
		return capture, nil
	}
	if err != nil {
		return "", err
	}
	return orElse(orderOf(shown.SupplementaryData, shown.Links), capture), nil
}

// orderOfPart is the order that a capture or an authorization belongs to.
func (a *Adapter) orderOfPart(ctx context.Context, op, path, id string) (string, error) {
	shown, got, err := a.part(ctx, op, path, id)
	if err != nil {
		return "", err
	}
	order := orderOf(shown.SupplementaryData, shown.Links)
	if order == "" {
		return "", unusable(op, got, errNoObject)
	}
	return order, nil
}

// saleSeen is what a sale shows of a payment. Of one that was given back in part PayPal does
// not tell how much.
func (a *Adapter) saleSeen(op string, s *Sale) (core.PaymentSnapshot, error) {
	amount, err := fromForeign(s.Amount)
	if err != nil {
		return core.PaymentSnapshot{}, unusable(op, answer{requestID: s.requestID}, err)
	}
	created := parseTime(s.CreateTime)
	if created.IsZero() {
		return core.PaymentSnapshot{}, unusable(op, answer{requestID: s.requestID}, errNotReadable)
	}
	none := core.Zero(amount.Currency())
	seen := core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: s.ID}, Subscription: s.Subscription, CreatedAt: created,
		ForeignStatus: outbound.SafeCode(wordCapture + s.Status), Amount: amount, Authorized: none, Captured: none, Refunded: none,
		Environment: a.environment(s.Links),
	}
	switch {
	case s.isTaken():
		seen.Status, seen.Authorized, seen.Captured = core.PaymentSucceeded, amount, amount
		if s.Status == captureRefunded {
			seen.Refunded = amount
		}
	case s.Status == capturePending:
		seen.Status = core.PaymentProcessing
	case s.isRefused():
		seen.Status, seen.Failure = core.PaymentFailed, captureFailure(&s.Capture)
	}
	return seen, nil
}

// parseTime reads a time of PayPal's; zero for none that can be read.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
