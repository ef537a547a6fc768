package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// errNotListed means that an account lists less than it says.
var errNotListed = errors.New("the account does not list what it says it does")

// events takes one page of events. Those that no webhook brought go the way of all deliveries.
func (w *walk) events(ctx context.Context) (string, error) {
	lister, ok := w.provider.(ports.EventLister)
	if !ok {
		return "", errNotListed
	}
	list, err := lister.ListEvents(ctx, ports.ListEvents{
		From: w.run.WindowFrom, Until: w.run.WindowUntil, Cursor: w.run.Page, Limit: core.PageItemsMax,
	})
	if err != nil {
		return "", err
	}
	batch := make([]core.Delivery, 0, len(list.Events))
	for _, event := range list.Events {
		if event.Ref.IsZero() {
			w.run.Others++ // a webhook need not have been asked for these
			continue
		}
		delivery := event.Delivery
		delivery.Account, delivery.Source, delivery.ReceivedAt = w.run.Account, core.InboundBackfill, w.clock.Now()
		batch = append(batch, delivery)
	}
	fresh, err := w.inbox.AcceptNew(ctx, batch)
	if err != nil {
		return "", err
	}
	w.run.Listed += len(list.Events) + list.Unreadable
	w.run.Unreadable += list.Unreadable
	w.found(fresh)
	w.owed = fresh // each has its object looked at by a job
	return list.NextCursor, nil
}

// objects takes one page of objects. Those that are not here as they are there are looked at.
func (w *walk) objects(ctx context.Context, kind core.ObjectKind) (string, error) {
	_, changed := listed(w.provider.Capabilities(), kind)
	page, err := w.list(ctx, w.provider, ports.ListObjects{
		Kind: kind, Changed: changed, From: w.run.WindowFrom, Until: w.run.WindowUntil, Cursor: w.run.Page, Limit: core.PageItemsMax,
	})
	if err != nil {
		return "", err
	}
	w.run.Listed += len(page.all) + page.unreadable
	w.run.Unreadable += page.unreadable
	for _, at := range page.all {
		switch {
		case !at.ours:
			w.run.Others++
		case at.id == "" || len(at.differ) > 0:
			if err := w.look(ctx, at.ref); err != nil {
				return "", err
			}
		}
	}
	return page.next, nil
}

// openKinds are the kinds of objects that are looked at one by one, in this order.
func openKinds() []core.ObjectKind {
	return []core.ObjectKind{core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectSubscription}
}

// lookAtOpen asks for all open objects to be looked at.
func (w *walk) lookAtOpen(ctx context.Context) error {
	now := w.clock.Now()
	c := core.NewBackfillCursor(w.run.Account, core.BackfillOpen, time.Time{}, now)
	c.WindowFrom, c.WindowUntil = now, now
	return w.lease.while(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.SaveBackfillCursor(ctx, c); err != nil {
			return err
		}
		return tx.SaveBackfillCursor(ctx, w.run.BackfillCursor)
	})
}

// looksAtOpen reports whether open objects are still to be looked at.
func (w *walk) looksAtOpen(ctx context.Context) (bool, error) {
	cursors, err := w.store.BackfillCursors(ctx)
	for _, c := range cursors {
		if c.Account == w.run.Account && c.Stream == core.BackfillOpen {
			return c.UnderWay(), err
		}
	}
	return false, err
}

// throughOpen looks at each object that is not final. The cursor's page is the kind and the last id.
func (w *walk) throughOpen(ctx context.Context) error {
	w.run.From, w.run.Until = w.run.WindowFrom, w.run.WindowUntil
	for range pagesMax {
		kind, after, _ := strings.Cut(w.run.Page, " ")
		at := max(slices.Index(openKinds(), core.ObjectKind(kind)), 0)
		objects, err := w.store.OpenObjects(ctx, w.run.Account, openKinds()[at], after, core.PageItemsMax)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if err := w.look(ctx, object.Ref); err != nil {
				return err
			}
			w.run.Listed++
		}
		switch {
		case len(objects) == core.PageItemsMax:
			w.run.Page = string(openKinds()[at]) + " " + objects[len(objects)-1].ID
		case at+1 < len(openKinds()):
			w.run.Page = string(openKinds()[at+1]) + " "
		default:
			w.run.BackfillCursor = w.run.Finish()
			return w.end(ctx)
		}
		if err := w.save(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("look at open objects: more than %d pages", pagesMax)
}

func (w *walk) found(count int) {
	w.run.New += count
	w.run.Found += int64(count)
}

// look has an object looked at that is not as it is here. An object alone that cannot be taken does
// not hold up the rest; a provider that does not answer does.
func (w *walk) look(ctx context.Context, ref core.ProviderRef) error {
	if err := w.pacer.Wait(ctx, w.run.Account, 1); err != nil {
		return err
	}
	start := w.clock.Now()
	seen, err := w.observer.Sync(ctx, ref, core.Cause{Kind: core.CauseBackfill})
	if err == nil {
		if changed := changedAt(seen); !changed.IsZero() && !changed.Before(start) {
			w.found(1)
		}
		return nil
	}
	if refused, ok := errors.AsType[*core.ProviderError](err); ctx.Err() != nil || ok && (refused.Class == core.ClassUnknown || refused.Class == core.ClassRetryable) {
		return err
	}
	w.refused = errors.Join(w.refused, err)
	return nil
}

// changedAt is when what was looked at changed last; zero where it is nobody's.
func changedAt(seen ports.Observation) time.Time {
	switch {
	case seen.Refund.ID != "":
		return seen.Refund.UpdatedAt
	case seen.Dispute.ID != "":
		return seen.Dispute.UpdatedAt
	case seen.Subscription.ID != "":
		return seen.Subscription.UpdatedAt
	}
	return seen.Payment.UpdatedAt
}
