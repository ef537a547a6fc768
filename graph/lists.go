package graph

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

// nodesMax is the most objects that one field gives by their ids.
const nodesMax = core.PageItemsMax

// paymentPage gives one page of payments.
func (r *Resolver) paymentPage(ctx context.Context, args pageArgs, in *model.PaymentFilter) (*model.PaymentConnection, error) {
	filter, err := paymentFilter(in)
	if err != nil {
		return nil, err
	}
	request, err := pageRequest[core.PaymentID](args)
	if err != nil {
		return nil, err
	}
	page, err := r.payments.Payments(ctx, filter, request)
	if err != nil {
		return nil, err
	}
	if err := requestOf(ctx).loaders.prefetch(ctx, page.Items); err != nil {
		return nil, err
	}
	connection := paymentConnection(page)
	connection.Filter = filter
	return connection, nil
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
