package reconcile

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// listed reports whether an account's objects of a kind can be listed, and whether by their last
// change.
func listed(can ports.Capabilities, kind core.ObjectKind) (able, changed bool) {
	lists := can.Lists[kind]
	return lists.Created || lists.Changed || kind == core.ObjectPayment && can.ListPayments, lists.Changed
}

// sightings are a page of a list.
type sightings struct {
	all        []sighting
	unreadable int
	next       string // the cursor of the next page
}

// list gives one page of a kind's objects, each beside what is held of it. The window, the cursor and
// the limit are those of in; by the last change, where the account can list by it and changed asks
// for it.
func (s *Service) list(ctx context.Context, provider ports.Provider, in ports.ListObjects) (out sightings, err error) {
	if in.Kind == core.ObjectPayment && !in.Changed && provider.Capabilities().ListPayments {
		page, err := provider.ListPayments(ctx, ports.ListPayments{From: in.From, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit})
		if err != nil {
			return out, err
		}
		out.next = page.NextCursor
		out.all, err = sightAll(ctx, page.Payments, s.sightPayment)
		return out, err
	}
	lister, ok := provider.(ports.ObjectLister)
	if !ok {
		return out, errNotListed
	}
	page, err := lister.ListObjects(ctx, in)
	if err != nil {
		return out, err
	}
	out.unreadable, out.next = page.Unreadable, page.NextCursor
	switch in.Kind {
	case core.ObjectPayment:
		out.all, err = sightAll(ctx, page.Payments, s.sightPayment)
	case core.ObjectRefund:
		out.all, err = sightAll(ctx, page.Refunds, s.sightRefund)
	case core.ObjectDispute:
		out.all, err = sightAll(ctx, page.Disputes, s.sightDispute)
	case core.ObjectSubscription:
		out.all, err = sightAll(ctx, page.Subscriptions, s.sightSubscription)
	case core.ObjectSession, core.ObjectSetup, core.ObjectMethod, core.ObjectInvoice:
	}
	return out, err
}

// sightAll sights each of a page.
func sightAll[T any](ctx context.Context, page []T, sight func(context.Context, T) (sighting, error)) ([]sighting, error) {
	all := make([]sighting, 0, len(page))
	for _, seen := range page {
		at, err := sight(ctx, seen)
		if err != nil {
			return nil, err
		}
		all = append(all, at)
	}
	return all, nil
}
