package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// RefundPath names a refund.
type RefundPath struct {
	ID string `path:"id" example:"ref_01jd0000000000000000000000"`
}

// PageQuery asks for a part of a list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before"`
}

type newRefund struct {
	PaymentPath
	Keyed
	Body *struct {
		Amount   *int64            `json:"amount,omitempty" doc:"Minor units; all that is left where absent"`
		Currency string            `json:"currency,omitempty" doc:"The payment's, for a check; it is taken where absent"`
		Reason   string            `json:"reason,omitempty" enum:"requested_by_customer,duplicate,fraudulent,other" default:"other"`
		Metadata map[string]string `json:"metadata,omitempty" doc:"Yours: up to 50 keys of 40 characters with values of 500"`
	} `required:"false"`
}

func (s *server) refundCalls(api huma.API) {
	create := operation("createRefund", http.MethodPost, "/v1/payments/{id}/refunds", http.StatusCreated, "Give money back", providerErrors...)
	create.Description = "The refunds of a payment never come to more than was captured, however many are asked for at once. " +
		"A `pending` one is on its way, or its provider gave no answer yet; it is settled by itself."
	huma.Register(api, create, s.createRefund)
	huma.Register(api, operation("getRefund", http.MethodGet, "/v1/refunds/{id}", http.StatusOK, "Read a refund"), s.getRefund)
	huma.Register(api, operation("listRefunds", http.MethodGet, "/v1/payments/{id}/refunds", http.StatusOK, "List a payment's refunds, newest first"), s.listRefunds)
}

func (s *server) createRefund(ctx context.Context, in *newRefund) (*answer[view.Refund], error) {
	id, err := parseID[core.PaymentID](in.ID)
	if err != nil {
		return nil, err
	}
	call := refunds.Create{Payment: id, RequestKey: callerOf(ctx).request, Cause: callerOf(ctx).cause()}
	if body := in.Body; body != nil {
		call.Amount, call.Currency, call.Reason, call.Metadata = body.Amount, body.Currency, core.RefundReason(body.Reason), body.Metadata
	}
	refund, err := s.refunds.Create(ctx, call)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusCreated, view.OfRefund(refund)), nil
}

func (s *server) getRefund(ctx context.Context, in *RefundPath) (*answer[view.Refund], error) {
	id, err := parseID[core.RefundID](in.ID)
	if err != nil {
		return nil, err
	}
	refund, err := s.refunds.Get(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfRefund(refund)), nil
}

func (s *server) listRefunds(ctx context.Context, in *struct {
	PaymentPath
	PageQuery
},
) (*answer[list[view.Refund]], error) {
	id, err := parseID[core.PaymentID](in.ID)
	if err != nil {
		return nil, err
	}
	page, refused := pageOf[core.RefundID](in.PageQuery)
	if refused != nil {
		return nil, refused
	}
	found, err := s.refunds.List(ctx, ports.RefundFilter{Payment: id}, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	place := func(r core.Refund) core.Cursor { return core.Cursor{At: r.CreatedAt, ID: string(r.ID)} }
	return answered(http.StatusOK, partOf(found, view.OfRefund, place)), nil
}

// pageOf is the part of a list of things of that kind that a query asks for.
func pageOf[T core.ID](in PageQuery) (core.PageRequest, *Problem) {
	page := core.PageRequest{Limit: in.Limit}
	if in.Cursor == "" {
		return page, nil
	}
	cursor, ok := readCursor[T](in.Cursor)
	if !ok {
		return page, invalidFields(FieldError{Location: "query.cursor", Message: "must be the next_cursor of an earlier answer"})
	}
	page.After = &cursor
	return page, nil
}

// partOf is a page as it is published.
func partOf[T, V any](page core.Page[T], show func(T) V, place func(T) core.Cursor) list[V] {
	part := list[V]{Data: make([]V, 0, len(page.Items))}
	for _, item := range page.Items {
		part.Data = append(part.Data, show(item))
	}
	if page.HasNext {
		next := writeCursor(place(page.Items[len(page.Items)-1]))
		part.NextCursor = &next
	}
	return part
}
