package subscriptions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Watch ends the subscriptions that we have to end, just before their paid period does. One that cannot
// be ended rests a while, so that it does not keep others from their turn. It is the handler of
// [ports.JobWatchSubscriptions].
func (s *Service) Watch(ctx context.Context, _ ports.Job) error {
	now := s.clock.Now()
	cause := core.Cause{Kind: core.CauseTimer}
	ending, err := s.store.SubscriptionsToCancel(ctx, now.Add(cancelAhead), now.Add(-cancelEvery), watchBatchMax)
	if err != nil {
		return fmt.Errorf("find subscriptions to end: %w", err)
	}
	var failed error
	for _, id := range ending {
		if err := errors.Join(s.bringEnd(ctx, id, cause), s.looked(ctx, id, now)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("end %s: %w", id, err))
		}
	}
	return failed
}

// looked notes that a subscription had its turn, also where that came to nothing.
func (s *Service) looked(ctx context.Context, id core.SubscriptionID, now time.Time) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		subscription, err := tx.LockSubscription(ctx, id)
		if err != nil || !subscription.SyncedAt.Before(now) {
			return err
		}
		subscription.SyncedAt = now
		_, err = tx.UpdateSubscription(ctx, subscription)
		return err
	})
}

// bringEnd ends a subscription that is to end, unless that was called off meanwhile.
func (s *Service) bringEnd(ctx context.Context, id core.SubscriptionID, cause core.Cause) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	_, err := s.operate(ctx, Verb{Subscription: id, Cause: cause}, func(subscription core.Subscription) (asking, error) {
		if subscription.Status == core.SubscriptionCanceled || !subscription.CancelHere {
			return asking{}, nil
		}
		return asking{kind: core.OpCancelSubscription, more: askedCancel{}}, nil
	})
	return err
}

func (s *Service) refresh(ctx context.Context, id core.SubscriptionID, cause core.Cause) error {
	subscription, err := s.store.Subscription(ctx, id)
	if err != nil || !subscription.Exists() {
		return err
	}
	_, err = s.observer.Sync(ctx, subscription.Ref(), cause)
	return err
}

// Refresh looks at a subscription of which no event may come, and ends one that must not be: one that
// runs beside another of the same checkout, or that waits for its buyer though another came to
// something. What such a one took goes back. It is the handler of [ports.JobSyncSubscription].
func (s *Service) Refresh(ctx context.Context, job ports.Job) error {
	id := core.SubscriptionID(job.Subject)
	cause := core.Cause{Kind: core.CauseTimer}
	if err := s.refresh(ctx, id, cause); err != nil {
		return fmt.Errorf("look at %s: %w", id, err)
	}
	subscription, err := s.store.Subscription(ctx, id)
	if err != nil || subscription.Checkout == "" {
		return err
	}
	checkout, err := s.store.Checkout(ctx, subscription.Checkout)
	if err != nil {
		return err
	}
	if !checkout.Superseded(subscription) {
		return nil
	}
	if err := errors.Join(s.endSuperseded(ctx, subscription, cause), s.giveBack(ctx, id, cause)); err != nil {
		return fmt.Errorf("end %s: %w", id, err)
	}
	return nil
}

// endSuperseded ends a subscription that nobody needs.
func (s *Service) endSuperseded(ctx context.Context, subscription core.Subscription, cause core.Cause) (err error) {
	switch subscription.Status {
	case core.SubscriptionCanceled:
		return nil
	case core.SubscriptionIncomplete:
		err = s.closeLease(ctx, string(subscription.ID), cause)
	default:
		ctx, cancel := calls.Detached(ctx)
		defer cancel()
		_, err = s.cancelNow(ctx, Verb{Subscription: subscription.ID, Cause: cause}, nil)
	}
	if _, refused := errors.AsType[*core.RefusedError](err); !refused {
		return err
	}
	if subscription, readErr := s.store.Subscription(ctx, subscription.ID); readErr != nil || subscription.Status == core.SubscriptionCanceled {
		return readErr // it had ended already
	}
	return errors.Join(err, ports.ErrJobGivenUp)
}

// giveBack gives back what a subscription took that nobody needs: what is not here yet goes back once
// it is.
func (s *Service) giveBack(ctx context.Context, id core.SubscriptionID, cause core.Cause) error {
	filter := ports.PaymentFilter{Subscription: id, Statuses: []core.PaymentStatus{core.PaymentSucceeded}}
	page, err := s.store.Payments(ctx, filter, core.PageRequest{Limit: core.PageItemsMax})
	if err != nil {
		return err
	}
	var failed error
	for _, payment := range page.Items {
		if payment.Refundable().IsPositive() {
			failed = errors.Join(failed, s.refunds.GiveBack(ctx, payment.ID, cause))
		}
	}
	return failed
}
