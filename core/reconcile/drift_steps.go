package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// driftPass is one manner of comparing.
type driftPass uint8

const (
	// passMade goes through what the provider lists as made in a window, and then through what was
	// made here in it and did not stand in the list.
	passMade driftPass = iota
	// passHeld looks at what was made here in a window, one by one: the provider has no list.
	passHeld
	// passMoved looks at what is older and changed here in the period.
	passMoved
	// passChanged goes through what the provider lists as changed in a window.
	passChanged
)

// driftStep is a part of a comparison.
type driftStep struct {
	kind        core.ObjectKind
	pass        driftPass
	from, until time.Time
}

// ownPage begins the page of a step that is through with the provider's list: our last id follows.
const ownPage = "own "

// driftSteps are all that there is to compare, always the same for the same period.
func driftSteps(can ports.Capabilities, from, until time.Time) (steps []driftStep) {
	for _, stream := range objectStreams {
		if !kept(can, stream.kind) {
			continue
		}
		lists := can.Lists[stream.kind]
		made := passHeld
		if lists.Created || stream.kind == core.ObjectPayment && can.ListPayments {
			made = passMade
		}
		passes := []driftPass{made}
		if lists.Changed {
			passes = append(passes, passChanged)
		}
		for _, pass := range passes {
			for at := from; at.Before(until); at = at.Add(core.BackfillWindowMax) {
				end := at.Add(core.BackfillWindowMax)
				if end.After(until) {
					end = until
				}
				steps = append(steps, driftStep{kind: stream.kind, pass: pass, from: at, until: end})
			}
		}
		steps = append(steps, driftStep{kind: stream.kind, pass: passMoved, from: from, until: until})
	}
	return steps
}

// step goes through one part, from the page on that was saved.
func (c *comparison) step(ctx context.Context, at driftStep) error {
	seen := make(map[string]bool) // our ids of what stood in the list
	if !strings.HasPrefix(c.run.Page, ownPage) {
		if at.pass == passMade || at.pass == passChanged {
			if err := c.theirs(ctx, at, seen); err != nil {
				return err
			}
		}
		c.run.Page = ownPage
	}
	if at.pass == passChanged {
		return nil
	}
	return c.ours(ctx, at, seen)
}

// theirs goes through the provider's list.
func (c *comparison) theirs(ctx context.Context, at driftStep, seen map[string]bool) error {
	resumed := c.run.Page != ""
	for range pagesMax {
		if err := c.pacer.Wait(ctx, c.run.Account, 1); err != nil {
			return err
		}
		page, err := c.list(ctx, c.provider, ports.ListObjects{
			Kind: at.kind, Changed: at.pass == passChanged, From: at.from, Until: at.until, Cursor: c.run.Page, Limit: core.PageItemsMax,
		})
		if refused, ok := errors.AsType[*core.ProviderError](err); ok && refused.Class == core.ClassInvalid && resumed {
			c.run.Page, resumed = "", false // as with the backfill, the window begins again
			continue
		}
		if err != nil {
			return err
		}
		c.run.Unreadable += int64(page.unreadable)
		for _, one := range page.all {
			seen[one.id] = true
			if err := c.check(ctx, one); err != nil {
				return err
			}
		}
		if page.next == "" {
			return nil
		}
		if page.next == c.run.Page {
			return fmt.Errorf("list %s: the provider's cursor stands still", at.kind)
		}
		c.run.Page, resumed = page.next, false
		if err := c.save(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("list %s: more than %d pages", at.kind, pagesMax)
}

// ours goes through what is held here and did not stand in the list.
func (c *comparison) ours(ctx context.Context, at driftStep, seen map[string]bool) error {
	in := ports.HeldObjects{Account: c.run.Account, Kind: at.kind, MadeFrom: at.from, MadeUntil: at.until}
	if at.pass == passMoved {
		in = ports.HeldObjects{Account: c.run.Account, Kind: at.kind, MadeUntil: at.from, ChangedFrom: at.from}
	}
	for range pagesMax {
		objects, err := c.store.HeldObjects(ctx, in, strings.TrimPrefix(c.run.Page, ownPage), core.PageItemsMax)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if seen[object.ID] {
				continue
			}
			if err := c.checkOne(ctx, object.Ref, object.ID); err != nil {
				return err
			}
		}
		if len(objects) < core.PageItemsMax {
			return nil
		}
		c.run.Page = ownPage + objects[len(objects)-1].ID
		if err := c.save(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("compare %s: more than %d pages", at.kind, pagesMax)
}

// fetch looks at the provider's object without applying anything, and finds what is held of it. known
// is false where the provider does not know it.
func (c *comparison) fetch(ctx context.Context, ref core.ProviderRef) (at sighting, known bool, err error) {
	if err := c.pacer.Wait(ctx, ref.Account, 1); err != nil {
		return at, false, err
	}
	switch kindOf(ref.Kind) {
	case core.ObjectRefund:
		if refunder, ok := c.provider.(ports.Refunder); ok {
			return fetched(ctx, ref, refunder.GetRefund, c.sightRefund)
		}
	case core.ObjectDispute:
		if disputer, ok := c.provider.(ports.Disputer); ok {
			return fetched(ctx, ref, disputer.GetDispute, c.sightDispute)
		}
	case core.ObjectSubscription:
		if subscriber, ok := c.provider.(ports.Subscriber); ok {
			return fetched(ctx, ref, subscriber.GetSubscription, c.sightSubscription)
		}
	case core.ObjectPayment:
		return fetched(ctx, ref, c.provider.GetPayment, c.sightPayment)
	default:
	}
	return at, false, errNotListed
}

func fetched[T any](
	ctx context.Context, ref core.ProviderRef, get func(context.Context, core.ProviderRef) (T, error), sight func(context.Context, T) (sighting, error),
) (at sighting, known bool, err error) {
	seen, err := get(ctx, ref)
	if refused, ok := errors.AsType[*core.ProviderError](err); ok && refused.Foreign == ports.ForeignMissing {
		return at, false, nil
	}
	if err != nil {
		return at, false, err
	}
	at, err = sight(ctx, seen)
	return at, err == nil, err
}

// kindOf is what an object counts as: a page to pay at is a payment.
func kindOf(kind core.ObjectKind) core.ObjectKind {
	if kind == core.ObjectSession {
		return core.ObjectPayment
	}
	return kind
}
