package httpapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// PaymentPath names a payment.
type PaymentPath struct {
	ID string `path:"id" example:"pay_01jd0000000000000000000000"`
}

type paymentQuery struct {
	Reference    string    `query:"reference" maxLength:"200" doc:"Your own name for the order"`
	Status       []string  `query:"status" doc:"Any of these, with commas between them"`
	Customer     string    `query:"customer"`
	CreatedAfter time.Time `query:"created_after" doc:"Exclusive"`
	Limit        int       `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor       string    `query:"cursor" doc:"The next_cursor of the page before"`
}

type newPayment struct {
	Keyed
	Body struct {
		Customer      string            `json:"customer" example:"cus_01jd0000000000000000000000"`
		PaymentMethod string            `json:"payment_method" example:"pm_01jd0000000000000000000000" doc:"One that the customer saved"`
		Amount        int64             `json:"amount" example:"1250" doc:"In minor units"`
		Currency      string            `json:"currency" example:"EUR" doc:"ISO 4217, upper case"`
		Reference     string            `json:"reference" minLength:"1" maxLength:"200" example:"order-2" doc:"Your own name for the order"`
		Capture       string            `json:"capture,omitempty" enum:"automatic,manual" default:"automatic" doc:"Take authorized money at once, or by a later call"`
		Metadata      map[string]string `json:"metadata,omitempty" doc:"Yours: up to 50 keys of 40 characters with values of 500"`
	}
}

type captureCall struct {
	PaymentPath
	Keyed
	Body *struct {
		Amount *int64 `json:"amount,omitempty" doc:"Minor units; all that is left where absent"`
	} `required:"false"`
}

type cancelCall struct {
	PaymentPath
	MayBeKeyed
	NoFields
}

// providerErrors are the statuses of a provider's refusal and of its absence.
var providerErrors = []int{http.StatusPaymentRequired, http.StatusServiceUnavailable}

func (s *server) paymentCalls(api huma.API) {
	create := operation("createPayment", http.MethodPost, "/v1/payments", http.StatusCreated, "Take an off-session payment", providerErrors...)
	create.Description = "Takes or holds money by a saved method, without the buyer. A refusal is 402 with the payment that failed; where the bank wants the buyer to be there, " +
		"it has a checkout, too, at which they can pay the same. 202 means that the provider gave no answer; it is settled by itself."
	huma.Register(api, create, s.createPayment)
	huma.Register(api, operation("getPayment", http.MethodGet, "/v1/payments/{id}", http.StatusOK, "Read a payment"), s.getPayment)
	huma.Register(api, operation("listPayments", http.MethodGet, "/v1/payments", http.StatusOK, "List payments, newest first"), s.listPayments)
	capture := operation("capturePayment", http.MethodPost, "/v1/payments/{id}/capture", http.StatusOK, "Capture an authorized payment", providerErrors...)
	capture.Description = "What is left over is released. 202 with the payment as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, capture, s.capturePayment)
	cancel := operation("cancelPayment", http.MethodPost, "/v1/payments/{id}/cancel", http.StatusOK, "Cancel a payment that took no money", providerErrors...)
	cancel.Description = "202 with the payment as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, cancel, s.cancelPayment)
}

func (s *server) createPayment(ctx context.Context, in *newPayment) (*answer[view.Payment], error) {
	charged, err := s.payments.Charge(ctx, payments.Charge{
		RequestKey: callerOf(ctx).request, Customer: in.Body.Customer, Method: in.Body.PaymentMethod, Amount: in.Body.Amount, Currency: in.Body.Currency,
		Reference: in.Body.Reference, Capture: core.CaptureMode(in.Body.Capture), Metadata: in.Body.Metadata, Cause: callerOf(ctx).cause(),
	})
	if err != nil {
		p := *s.problemOf(ctx, err)
		if charged.Payment.ID != "" {
			p.Payment = &charged.Payment.ID
		}
		if charged.Checkout.ID != "" {
			page := s.payments.CheckoutURL(charged.Checkout.ID)
			p.Checkout, p.CheckoutURL = &charged.Checkout.ID, &page
		}
		return nil, &p
	}
	if !charged.Payment.Exists() {
		return answered(http.StatusAccepted, view.OfPayment(charged.Payment)), nil
	}
	return answered(http.StatusCreated, view.OfPayment(charged.Payment)), nil
}

func (s *server) getPayment(ctx context.Context, in *PaymentPath) (*answer[view.Payment], error) {
	id, err := parseID[core.PaymentID](in.ID)
	if err != nil {
		return nil, err
	}
	payment, err := s.payments.Payment(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfPayment(payment)), nil
}

func (s *server) listPayments(ctx context.Context, in *paymentQuery) (*answer[list[view.Payment]], error) {
	filter, page, refused := in.read()
	if refused != nil {
		return nil, refused
	}
	found, err := s.payments.Payments(ctx, filter, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	part := list[view.Payment]{Data: make([]view.Payment, 0, len(found.Items))}
	for _, payment := range found.Items {
		part.Data = append(part.Data, view.OfPayment(payment))
	}
	if found.HasNext {
		last := found.Items[len(found.Items)-1]
		next := writeCursor(core.Cursor{At: last.CreatedAt, ID: string(last.ID)})
		part.NextCursor = &next
	}
	return answered(http.StatusOK, part), nil
}

// read checks a query and gives the filter and the page that it asks for.
func (q *paymentQuery) read() (ports.PaymentFilter, core.PageRequest, *Problem) {
	var refused []FieldError
	refuse := func(name, message string) {
		refused = append(refused, FieldError{Location: "query." + name, Message: message})
	}
	filter := ports.PaymentFilter{Reference: q.Reference, CreatedAfter: q.CreatedAfter}
	for _, text := range q.Status {
		status := core.PaymentStatus(text)
		if !status.Known() {
			refuse("status", "must be a payment's status, or several with commas between them")
		}
		filter.Statuses = append(filter.Statuses, status)
	}
	if q.Customer != "" {
		id, err := core.ParseID[core.CustomerID](q.Customer)
		if err != nil {
			refuse("customer", err.Error())
		}
		filter.Customer = id
	}
	page := core.PageRequest{Limit: q.Limit}
	if q.Cursor != "" {
		cursor, ok := readCursor[core.PaymentID](q.Cursor)
		if !ok {
			refuse("cursor", "must be the next_cursor of an earlier answer")
		}
		page.After = &cursor
	}
	return filter, page, invalidFields(refused...)
}

// writeCursor hides a place in a list from those who would build their own.
func writeCursor(c core.Cursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.At.UnixMicro(), 10) + "|" + c.ID))
}

// readCursor reads a place in a list of things with ids of type T.
func readCursor[T core.ID](text string) (core.Cursor, bool) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return core.Cursor{}, false
	}
	micros, id, ok := strings.Cut(string(plain), "|")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !ok {
		return core.Cursor{}, false
	}
	if _, err := core.ParseID[T](id); err != nil {
		return core.Cursor{}, false
	}
	return core.Cursor{At: time.UnixMicro(at).UTC(), ID: id}, true
}

func (s *server) capturePayment(ctx context.Context, in *captureCall) (*answer[view.Payment], error) {
	id, err := parseID[core.PaymentID](in.ID)
	if err != nil {
		return nil, err
	}
	call := payments.Capture{Payment: id, RequestKey: callerOf(ctx).request, Cause: callerOf(ctx).cause()}
	if in.Body != nil {
		call.Amount = in.Body.Amount
	}
	payment, err := s.payments.Capture(ctx, call)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return settled(payment, payment.Status != core.PaymentAuthorized), nil
}

func (s *server) cancelPayment(ctx context.Context, in *cancelCall) (*answer[view.Payment], error) {
	id, err := parseID[core.PaymentID](in.ID)
	if err != nil {
		return nil, err
	}
	payment, err := s.payments.Cancel(ctx, id, callerOf(ctx).request, callerOf(ctx).cause())
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	open := payment.Status == core.PaymentAuthorized || payment.Status == core.PaymentRequiresAction || payment.Status == core.PaymentProcessing
	return settled(payment, !open), nil
}

// settled answers 200 where the call did what was asked, and 202 where its provider gave
// no answer yet.
func settled(payment core.Payment, done bool) *answer[view.Payment] {
	if done {
		return answered(http.StatusOK, view.OfPayment(payment))
	}
	return answered(http.StatusAccepted, view.OfPayment(payment))
}
