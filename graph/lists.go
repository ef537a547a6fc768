package graph

import (
	"context"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

// nodesMax is the most objects that one field gives by their ids.
const nodesMax = core.PageItemsMax

// list is how a page of things with ids of type K becomes a connection's edges of type E.
type list[K core.ID, T, E any] struct {
	read  func(context.Context, core.PageRequest) (core.Page[T], error)
	ahead func(context.Context, asked, []T) error // nil where nothing is read for the items
	place func(item T, order core.Order) core.Cursor
	edge  func(cursor string, item T) E
}

// page reads one page, and what the query selects of its items, each kind at once.
func (l list[K, T, E]) page(ctx context.Context, args pageArgs) ([]E, model.PageInfo, error) {
	request, err := pageRequest[K](args)
	if err != nil {
		return nil, model.PageInfo{}, err
	}
	page, err := l.read(ctx, request)
	if err == nil && l.ahead != nil && len(page.Items) > 0 {
		err = l.ahead(ctx, askedOf(ctx), page.Items)
	}
	if err != nil {
		return nil, model.PageInfo{}, err
	}
	edges := make([]E, len(page.Items))
	cursors := make([]string, len(page.Items))
	for i, item := range page.Items {
		cursors[i] = encodeCursor(l.place(item, request.Order), request.Order)
		edges[i] = l.edge(cursors[i], item)
	}
	return edges, pageInfo(page.HasNext, page.HasPrevious, cursors), nil
}

// byTime is the place of something in a list by time alone.
func byTime[T any, K core.ID](of func(T) (time.Time, K)) func(T, core.Order) core.Cursor {
	return func(item T, _ core.Order) core.Cursor {
		at, id := of(item)
		return core.Cursor{At: at, ID: string(id)}
	}
}

// byTimeOrAmount is the place of something in a list by time, or by amount.
func byTimeOrAmount[T any, K core.ID](of func(T) (time.Time, K, core.Money)) func(T, core.Order) core.Cursor {
	return func(item T, order core.Order) core.Cursor {
		at, id, amount := of(item)
		place := core.Cursor{At: at, ID: string(id)}
		if order == core.OrderLargest || order == core.OrderSmallest {
			place.Lead = amount.Minor()
		}
		return place
	}
}

func (r *Resolver) paymentPage(ctx context.Context, args pageArgs, in *model.PaymentFilter) (connection *model.PaymentConnection, err error) {
	connection = &model.PaymentConnection{}
	if connection.Filter, err = paymentFilter(in); err != nil {
		return nil, err
	}
	if err := checkSort(args.order, connection.Filter.Amounts.Currency); err != nil {
		return nil, err
	}
	connection.Edges, connection.PageInfo, err = list[core.PaymentID, core.Payment, model.PaymentEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Payment], error) {
			return r.payments.Payments(ctx, connection.Filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfPayments,
		place: byTimeOrAmount(func(p core.Payment) (time.Time, core.PaymentID, core.Money) { return p.CreatedAt, p.ID, p.Amount }),
		edge: func(cursor string, p core.Payment) model.PaymentEdge {
			return model.PaymentEdge{Cursor: cursor, Node: model.Payment{Payment: p}}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) refundPage(ctx context.Context, args pageArgs, in *model.RefundFilter) (*model.RefundConnection, error) {
	filter, err := refundFilter(in)
	if err == nil {
		err = checkSort(args.order, filter.Amounts.Currency)
	}
	if err != nil {
		return nil, err
	}
	connection := &model.RefundConnection{}
	connection.Edges, connection.PageInfo, err = list[core.RefundID, core.Refund, model.RefundEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Refund], error) {
			return r.store.Refunds(ctx, filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfRefunds,
		place: byTimeOrAmount(func(f core.Refund) (time.Time, core.RefundID, core.Money) { return f.CreatedAt, f.ID, f.Amount }),
		edge: func(cursor string, f core.Refund) model.RefundEdge {
			return model.RefundEdge{Cursor: cursor, Node: model.Refund{Refund: f}}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) disputePage(ctx context.Context, args pageArgs, in *model.DisputeFilter) (*model.DisputeConnection, error) {
	filter, err := disputeFilter(in)
	if err != nil {
		return nil, err
	}
	connection := &model.DisputeConnection{}
	connection.Edges, connection.PageInfo, err = list[core.DisputeID, core.Dispute, model.DisputeEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Dispute], error) {
			return r.store.Disputes(ctx, filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfDisputes,
		place: func(d core.Dispute, order core.Order) core.Cursor {
			if order == core.OrderDue {
				return core.Cursor{At: d.DueAt, ID: string(d.ID)}
			}
			return core.Cursor{At: d.CreatedAt, ID: string(d.ID)}
		},
		edge: func(cursor string, d core.Dispute) model.DisputeEdge {
			return model.DisputeEdge{Cursor: cursor, Node: model.Dispute{Dispute: d}}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) subscriptionPage(ctx context.Context, args pageArgs, in *model.BillingSubscriptionFilter) (*model.SubscriptionConnection, error) {
	filter, err := subscriptionFilter(in)
	if err != nil {
		return nil, err
	}
	connection := &model.SubscriptionConnection{}
	connection.Edges, connection.PageInfo, err = list[core.SubscriptionID, core.Subscription, model.SubscriptionEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Subscription], error) {
			return r.store.Subscriptions(ctx, filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfSubscriptions,
		place: byTime(func(s core.Subscription) (time.Time, core.SubscriptionID) { return s.CreatedAt, s.ID }),
		edge: func(cursor string, s core.Subscription) model.SubscriptionEdge {
			return model.SubscriptionEdge{Cursor: cursor, Node: model.Subscription{Subscription: s}}
		},
	}.page(ctx, args)
	return connection, err
}

func (r *Resolver) operationPage(ctx context.Context, args pageArgs, in *model.OperationFilter) (connection *model.OperationConnection, err error) {
	connection = &model.OperationConnection{}
	if connection.Filter, err = operationFilter(in); err != nil {
		return nil, err
	}
	connection.Edges, connection.PageInfo, err = list[core.OperationID, core.Operation, model.OperationEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Operation], error) {
			return r.store.Operations(ctx, connection.Filter, request)
		},
		ahead: requestOf(ctx).loaders.aheadOfOperations,
		place: func(o core.Operation, _ core.Order) core.Cursor {
			return core.Cursor{Lead: o.Place(), At: o.CreatedAt, ID: string(o.ID)}
		},
		edge: func(cursor string, o core.Operation) model.OperationEdge {
			return model.OperationEdge{Cursor: cursor, Node: model.Operation{Operation: o}}
		},
	}.page(ctx, args)
	return connection, err
}

// timeline gives a part of a payment's history.
func (r *Resolver) timeline(ctx context.Context, payment core.PaymentID, first *int, after *string) (*model.TimelineConnection, error) {
	request, err := pageRequest[core.TimelineID](pageArgs{first: first, after: after})
	if err != nil {
		return nil, err
	}
	entries, err := r.store.Timeline(ctx, payment, request.After, request.Limit+1)
	if err != nil {
		return nil, err
	}
	hasNext := len(entries) > request.Limit
	if hasNext {
		entries = entries[:request.Limit]
	}
	if err := requestOf(ctx).loaders.aheadOfTimeline(ctx, askedOf(ctx), entries); err != nil {
		return nil, err
	}
	return timelineConnection(entries, hasNext, request.After != nil), nil
}

// nodesOf gives objects in the order of their ids. The loaders gather the reads, so all
// are begun before any is waited for.
func (r *Resolver) nodesOf(ctx context.Context, ids []string) ([]model.Node, error) {
	if len(ids) > nodesMax {
		return nil, refuse(codeInput, "ids must be at most %d", nodesMax)
	}
	requestOf(ctx).loaders.begin(ctx, ids)
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		var err error
		if nodes[i], err = r.nodeOf(ctx, id); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}
