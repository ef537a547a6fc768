package portstest

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// FakeEventsKept is how long the fake lists events.
const FakeEventsKept = 30 * 24 * time.Hour

var (
	_ ports.EventLister      = (*FakeProvider)(nil)
	_ ports.ObjectLister     = (*FakeProvider)(nil)
	_ ports.WebhookRegistrar = (*FakeProvider)(nil)
)

// fakeLists is what the fake lists beside payments: everything, by its creation.
func fakeLists() map[core.ObjectKind]ports.ListAbilities {
	created := ports.ListAbilities{Created: true}
	return map[core.ObjectKind]ports.ListAbilities{
		core.ObjectRefund: created, core.ObjectDispute: created, core.ObjectSubscription: created,
	}
}

// Happen has the provider make an event about an object, which it then lists. Nobody is told: that
// is what the caller does with the delivery, or does not.
func (f *FakeProvider) Happen(kind string, about core.ProviderRef) core.Delivery {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := "evt_fake" + strconv.Itoa(len(f.events)+1)
	body, err := json.Marshal(map[string]string{"id": id, "type": kind, "object": about.ID})
	if err != nil {
		panic(err) // of strings alone
	}
	made := ports.ListedEvent{
		Delivery: core.Delivery{Account: f.account, ProviderEventID: id, Type: kind, Ref: about, Body: body}, MadeAt: f.now(),
	}
	f.events = append(f.events, made)
	return made.Delivery
}

// ListEvents implements [ports.EventLister].
func (f *FakeProvider) ListEvents(ctx context.Context, in ports.ListEvents) (ports.EventList, error) {
	return fakeList(ctx, f, FakeCall{Method: "ListEvents"}, func() (ports.EventList, error) {
		if f.can.EventsKept == 0 {
			return ports.EventList{}, fakeUnclaimed("list of events")
		}
		oldest := f.now().Add(-FakeEventsKept)
		kept := fakeWindow(f.events, in.From, in.Until, func(e ports.ListedEvent) time.Time { return e.MadeAt })
		for len(kept) > 0 && kept[0].MadeAt.Before(oldest) {
			kept = kept[1:]
		}
		page, next, err := fakePage(kept, in.Cursor, in.Limit)
		return ports.EventList{Events: page, NextCursor: next}, err
	})
}

// ListObjects implements [ports.ObjectLister].
func (f *FakeProvider) ListObjects(ctx context.Context, in ports.ListObjects) (ports.ObjectList, error) {
	return fakeList(ctx, f, FakeCall{Method: "ListObjects"}, func() (list ports.ObjectList, err error) {
		if can := f.can.Lists[in.Kind]; in.Changed || !can.Created {
			return list, fakeUnclaimed("kind")
		}
		switch in.Kind {
		case core.ObjectRefund:
			var all []core.RefundSnapshot
			for _, refund := range f.refunds {
				all = append(all, copiedRefund(refund))
			}
			all = fakeWindow(all, in.From, in.Until, func(r core.RefundSnapshot) time.Time { return r.CreatedAt })
			list.Refunds, list.NextCursor, err = fakePage(all, in.Cursor, in.Limit)
		case core.ObjectDispute:
			var all []core.DisputeSnapshot
			for _, dispute := range f.disputes {
				all = append(all, dispute.seen)
			}
			all = fakeWindow(all, in.From, in.Until, func(d core.DisputeSnapshot) time.Time { return d.OpenedAt })
			list.Disputes, list.NextCursor, err = fakePage(all, in.Cursor, in.Limit)
		case core.ObjectSubscription:
			f.catchUp()
			var all []core.SubscriptionSnapshot
			for _, s := range f.subscriptions {
				seen := s.shown()
				seen.Invoices = nil
				all = append(all, seen)
			}
			all = fakeWindow(all, in.From, in.Until, func(s core.SubscriptionSnapshot) time.Time { return s.CreatedAt })
			list.Subscriptions, list.NextCursor, err = fakePage(all, in.Cursor, in.Limit)
		case core.ObjectPayment, core.ObjectSession, core.ObjectMethod, core.ObjectSetup, core.ObjectInvoice:
		}
		return list, err
	})
}

// fakeUnclaimed refuses what cannot be listed.
func fakeUnclaimed(what string) error {
	return &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: what, Op: "fake list"}
}

// fakeWindow is what was made in [from, until).
func fakeWindow[T any](all []T, from, until time.Time, made func(T) time.Time) (within []T) {
	for _, one := range all {
		if at := made(one); !at.Before(from) && at.Before(until) {
			within = append(within, one)
		}
	}
	return within
}

// fakePage is the page that begins at the cursor, which counts what came before it.
func fakePage[T any](all []T, cursor string, limit int) (page []T, next string, err error) {
	begin := 0
	if cursor != "" {
		if begin, err = strconv.Atoi(cursor); err != nil || begin < 0 || begin > len(all) {
			return nil, "", fakeUnclaimed("cursor")
		}
	}
	end := min(begin+max(limit, 1), len(all))
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[begin:end], next, nil
}

// Webhooks implements [ports.WebhookRegistrar].
func (f *FakeProvider) Webhooks(ctx context.Context) ([]ports.RegisteredWebhook, error) {
	return fakeList(ctx, f, FakeCall{Method: "Webhooks"}, func() ([]ports.RegisteredWebhook, error) {
		if !f.can.Webhooks {
			return nil, fakeUnclaimed("list of webhooks")
		}
		return append([]ports.RegisteredWebhook(nil), f.webhooks...), nil
	})
}

// RegisterWebhooks says which webhooks are registered from now on.
func (f *FakeProvider) RegisterWebhooks(webhooks ...ports.RegisteredWebhook) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.webhooks = webhooks
}

// NeededEvents implements [ports.WebhookRegistrar].
func (f *FakeProvider) NeededEvents() []string {
	return []string{"dispute.changed", "payment.changed", "refund.changed", "subscription.changed"}
}
