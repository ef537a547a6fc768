package graph

import (
	"context"
	"slices"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// edges gives each item of a page with its place in the list.
func edges[T, E any](page core.Page[T], place func(T) core.Cursor, edge func(cursor string, item T) E) ([]E, model.PageInfo) {
	made := make([]E, len(page.Items))
	cursors := make([]string, len(page.Items))
	for i, item := range page.Items {
		cursors[i] = encodeCursor(place(item))
		made[i] = edge(cursors[i], item)
	}
	return made, pageInfo(page.HasNext, page.HasPrevious, cursors)
}

// filterStatuses reads which statuses a list is narrowed to; a list that is there must name one.
func filterStatuses[T ~string](statuses []T) ([]T, error) {
	if statuses != nil && len(statuses) == 0 {
		return nil, refuse(codeInput, "filter.status must name a status")
	}
	return slices.Compact(slices.Sorted(slices.Values(statuses))), nil
}

func (r *Resolver) operationPage(ctx context.Context, args pageArgs, in *model.OperationFilter) (*model.OperationConnection, error) {
	request, err := pageRequest[core.OperationID](args)
	if err != nil {
		return nil, err
	}
	connection := &model.OperationConnection{}
	if in != nil {
		if connection.Filter, err = operationFilter(*in); err != nil {
			return nil, err
		}
	}
	page, err := r.store.Operations(ctx, connection.Filter, request)
	if err != nil {
		return nil, err
	}
	connection.Edges, connection.PageInfo = edges(page,
		func(one core.Operation) core.Cursor {
			return core.Cursor{Lead: one.Place(), At: one.CreatedAt, ID: string(one.ID)}
		},
		func(cursor string, one core.Operation) model.OperationEdge {
			return model.OperationEdge{Cursor: cursor, Node: model.Operation{Operation: one}}
		})
	return connection, nil
}

func operationFilter(in model.OperationFilter) (filter ports.OperationFilter, err error) {
	if filter.Statuses, err = filterStatuses(in.Status); err != nil {
		return filter, err
	}
	if in.Kind != nil && len(in.Kind) == 0 {
		return filter, refuse(codeInput, "filter.kind must name a kind")
	}
	filter.Kinds = slices.Compact(slices.Sorted(slices.Values(in.Kind)))
	account, err := filterText("account", in.Account)
	if err != nil {
		return filter, err
	}
	filter.Account = core.AccountName(account)
	if filter.Payment, err = filterID[core.PaymentID]("payment", in.Payment); err != nil {
		return filter, err
	}
	if filter.Subject, err = filterText("subject", in.Subject); err != nil {
		return filter, err
	}
	filter.ForStaff = in.ForStaff != nil && *in.ForStaff
	return filter, nil
}

func (r *Resolver) refundPage(ctx context.Context, args pageArgs, in *model.RefundFilter) (*model.RefundConnection, error) {
	var filter ports.RefundFilter
	request, err := pageRequest[core.RefundID](args)
	if err != nil {
		return nil, err
	}
	if in != nil {
		if filter.Payment, err = filterID[core.PaymentID]("payment", in.Payment); err != nil {
			return nil, err
		}
		if filter.Statuses, err = filterStatuses(in.Status); err != nil {
			return nil, err
		}
	}
	page, err := r.store.Refunds(ctx, filter, request)
	if err != nil {
		return nil, err
	}
	connection := &model.RefundConnection{}
	connection.Edges, connection.PageInfo = edges(page,
		func(one core.Refund) core.Cursor { return core.Cursor{At: one.CreatedAt, ID: string(one.ID)} },
		func(cursor string, one core.Refund) model.RefundEdge {
			return model.RefundEdge{Cursor: cursor, Node: model.Refund{Refund: one}}
		})
	return connection, nil
}

func (r *Resolver) disputePage(ctx context.Context, args pageArgs, in *model.DisputeFilter) (*model.DisputeConnection, error) {
	var filter ports.DisputeFilter
	request, err := pageRequest[core.DisputeID](args)
	if err != nil {
		return nil, err
	}
	if in != nil {
		if filter.Payment, err = filterID[core.PaymentID]("payment", in.Payment); err != nil {
			return nil, err
		}
		if filter.Statuses, err = filterStatuses(in.Status); err != nil {
			return nil, err
		}
	}
	page, err := r.store.Disputes(ctx, filter, request)
	if err != nil {
		return nil, err
	}
	connection := &model.DisputeConnection{}
	connection.Edges, connection.PageInfo = edges(page,
		func(one core.Dispute) core.Cursor { return core.Cursor{At: one.CreatedAt, ID: string(one.ID)} },
		func(cursor string, one core.Dispute) model.DisputeEdge {
			return model.DisputeEdge{Cursor: cursor, Node: model.Dispute{Dispute: one}}
		})
	return connection, nil
}

func (r *Resolver) subscriptionPage(ctx context.Context, args pageArgs, in *model.BillingSubscriptionFilter) (*model.SubscriptionConnection, error) {
	var filter ports.SubscriptionFilter
	request, err := pageRequest[core.SubscriptionID](args)
	if err != nil {
		return nil, err
	}
	if in != nil {
		account, err := filterText("account", in.Account)
		if err != nil {
			return nil, err
		}
		filter.Account = core.AccountName(account)
		if filter.Customer, err = filterID[core.CustomerID]("customer", in.Customer); err != nil {
			return nil, err
		}
		if filter.Statuses, err = filterStatuses(in.Status); err != nil {
			return nil, err
		}
	}
	page, err := r.store.Subscriptions(ctx, filter, request)
	if err != nil {
		return nil, err
	}
	connection := &model.SubscriptionConnection{}
	connection.Edges, connection.PageInfo = edges(page,
		func(one core.Subscription) core.Cursor { return core.Cursor{At: one.CreatedAt, ID: string(one.ID)} },
		func(cursor string, one core.Subscription) model.SubscriptionEdge {
			return model.SubscriptionEdge{Cursor: cursor, Node: model.Subscription{Subscription: one}}
		})
	return connection, nil
}
