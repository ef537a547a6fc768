package graph

import (
	"context"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

func (r *Resolver) customerPage(ctx context.Context, args pageArgs, in *model.CustomerFilter) (*model.CustomerConnection, error) {
	filter, err := customerFilter(in)
	if err != nil {
		return nil, err
	}
	connection := &model.CustomerConnection{}
	connection.Edges, connection.PageInfo, err = list[core.CustomerID, core.Customer, model.CustomerEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Customer], error) {
			return r.store.Customers(ctx, filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfCustomers,
		place: byTime(func(c core.Customer) (time.Time, core.CustomerID) { return c.CreatedAt, c.ID }),
		edge: func(cursor string, c core.Customer) model.CustomerEdge {
			return model.CustomerEdge{Cursor: cursor, Node: model.Customer{Customer: c}}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) checkoutPage(ctx context.Context, args pageArgs, in *model.CheckoutFilter) (*model.CheckoutConnection, error) {
	filter, err := checkoutFilter(in)
	if err != nil {
		return nil, err
	}
	filter.Now = r.payments.Now()
	connection := &model.CheckoutConnection{}
	connection.Edges, connection.PageInfo, err = list[core.CheckoutID, core.Checkout, model.CheckoutEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Checkout], error) {
			return r.store.CheckoutList(ctx, filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfCheckouts,
		place: byTime(func(c core.Checkout) (time.Time, core.CheckoutID) { return c.CreatedAt, c.ID }),
		edge: func(cursor string, c core.Checkout) model.CheckoutEdge {
			return model.CheckoutEdge{Cursor: cursor, Node: *r.checkout(&c)}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) inboundPage(ctx context.Context, args pageArgs, in *model.InboundEventFilter) (*model.InboundEventConnection, error) {
	filter, err := inboundFilter(in)
	if err != nil {
		return nil, err
	}
	connection := &model.InboundEventConnection{}
	connection.Edges, connection.PageInfo, err = list[core.InboundID, core.InboundEvent, model.InboundEventEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.InboundEvent], error) {
			return r.store.InboundEvents(ctx, filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfInbound,
		place: byTime(func(e core.InboundEvent) (time.Time, core.InboundID) { return e.ReceivedAt, e.ID }),
		edge: func(cursor string, e core.InboundEvent) model.InboundEventEdge {
			return model.InboundEventEdge{Cursor: cursor, Node: model.InboundEvent{InboundEvent: e}}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) auditPage(ctx context.Context, args pageArgs, in *model.AuditFilter) (*model.AuditConnection, error) {
	filter, err := auditFilter(in)
	if err != nil {
		return nil, err
	}
	connection := &model.AuditConnection{}
	connection.Edges, connection.PageInfo, err = list[core.AuditID, core.AuditEntry, model.AuditEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.AuditEntry], error) {
			return r.store.AuditEntries(ctx, filter, request)
		},
		place: func(e core.AuditEntry, _ core.Order) core.Cursor {
			return core.Cursor{Lead: e.Sequence, At: e.At, ID: string(e.ID)}
		},
		edge: func(cursor string, e core.AuditEntry) model.AuditEdge {
			return model.AuditEdge{Cursor: cursor, Node: model.AuditEntry{AuditEntry: e}}
		},
	}.page(ctx, args)
	return connection, err
}

// payload is what the provider sent, as staff may see it; nil for what is no JSON.
func (r *Resolver) payload(ctx context.Context, id core.InboundID) (*string, error) {
	event, err := requestOf(ctx).loaders.inbound.get(ctx, id)
	if err != nil || event == nil {
		return nil, err
	}
	shown, ok := core.Redact(event.Body)
	if !ok {
		return nil, nil
	}
	return &shown, nil
}

// paymentBehind is the payment that something is about. It is always there: the store holds to that.
func paymentBehind(ctx context.Context, id core.PaymentID) (*model.Payment, error) {
	payment, err := requestOf(ctx).loaders.payments.get(ctx, id)
	return paymentOf(payment), err
}

// shown gives what belongs to an owner as the schema shows it; an empty list for none.
func shown[K ~string, V, M any](ctx context.Context, from *source[K, []V], owner K, of func(V) *M) ([]*M, error) {
	held, err := from.get(ctx, owner)
	if err != nil || held == nil {
		return []*M{}, err
	}
	all := make([]*M, len(*held))
	for i, value := range *held {
		all[i] = of(value)
	}
	return all, nil
}
