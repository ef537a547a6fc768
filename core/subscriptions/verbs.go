package subscriptions

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// The verbs' errors: [ports.ErrNotFound]; [core.ErrSubscriptionEnded]; [core.ErrSubscriptionState];
// [core.ErrNotSupported] where the provider's billing cannot do it; [core.ErrOperationOpen] while an
// earlier call is not settled; *[core.RefusedError] where the provider said no, and a retryable
// *[core.ProviderError] where it was not reached.

// Pause has nothing asked for until the subscription is resumed. One that is paused stays so.
func (s *Service) Pause(ctx context.Context, verb Verb) (Outcome, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	return s.operate(ctx, verb, s.askPause)
}

func (s *Service) askPause(subscription core.Subscription) (asking, error) {
	can, err := s.abilities(subscription)
	switch {
	case err != nil:
		return asking{}, err
	case subscription.Status == core.SubscriptionPaused:
		return asking{}, nil
	case !can.Pause:
		return asking{}, core.ErrNotSupported
	case subscription.Status == core.SubscriptionUnpaid:
		return asking{}, core.ErrSubscriptionState
	}
	return asking{kind: core.OpPauseSubscription}, nil
}

// Resume goes on with a paused subscription, or undoes an end that is to come.
func (s *Service) Resume(ctx context.Context, verb Verb) (Outcome, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	keeps := false
	outcome, err := s.operate(ctx, verb, func(subscription core.Subscription) (asking, error) {
		asked, err := s.askResume(subscription)
		keeps = asked.here
		return asked, err
	})
	if err != nil || !keeps {
		return outcome, err
	}
	return s.endHere(ctx, verb, false)
}

func (s *Service) askResume(subscription core.Subscription) (asking, error) {
	can, err := s.abilities(subscription)
	switch {
	case err != nil:
		return asking{}, err
	case subscription.Status == core.SubscriptionPaused:
		if !can.Pause {
			return asking{}, core.ErrNotSupported
		}
		return asking{kind: core.OpResumeSubscription, more: askedResume{}}, nil
	case subscription.CancelHere:
		return asking{here: true}, nil
	case !subscription.CancelAtPeriodEnd:
		return asking{}, core.ErrSubscriptionState
	case !can.KeepCanceled:
		return asking{}, core.ErrNotSupported
	}
	return asking{kind: core.OpResumeSubscription, more: askedResume{Keep: true}}, nil
}

// Cancel ends a subscription, now or when the paid period ends. One that has ended is
// [core.ErrSubscriptionEnded]; one that ends with its period may be ended so again, without effect.
// Where the provider only ends at once, the end that is to come is kept here and brought in time.
func (s *Service) Cancel(ctx context.Context, verb Verb, atPeriodEnd bool) (Outcome, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if !atPeriodEnd {
		return s.cancelNow(ctx, verb, core.ErrSubscriptionEnded)
	}
	here := false
	outcome, err := s.operate(ctx, verb, func(subscription core.Subscription) (asking, error) {
		asked, err := s.askCancelLater(subscription)
		here = asked.here
		return asked, err
	})
	if err != nil || !here {
		return outcome, err
	}
	return s.endHere(ctx, verb, true)
}

func (s *Service) askCancelLater(subscription core.Subscription) (asking, error) {
	if subscription.Status == core.SubscriptionCanceled {
		return asking{}, core.ErrSubscriptionEnded
	}
	if subscription.CancelAtPeriodEnd {
		return asking{}, nil
	}
	can, err := s.abilities(subscription)
	switch {
	case err != nil:
		return asking{}, err
	case can.CancelLater:
		return asking{kind: core.OpCancelSubscription, more: askedCancel{AtPeriodEnd: true}}, nil
	case !can.CancelNow:
		return asking{}, core.ErrNotSupported
	}
	return asking{here: true}, nil
}

// cancelNow ends a subscription at once, also one that never ran. ended is for one that has ended;
// nil where that is as good.
func (s *Service) cancelNow(ctx context.Context, verb Verb, ended error) (Outcome, error) {
	return s.operate(ctx, verb, func(subscription core.Subscription) (asking, error) {
		return s.askCancelNow(subscription, ended)
	})
}

func (s *Service) askCancelNow(subscription core.Subscription, ended error) (asking, error) {
	if subscription.Status == core.SubscriptionCanceled {
		return asking{}, ended
	}
	provider, err := s.subscriber(subscription.Account)
	switch {
	case err != nil:
		return asking{}, err
	case !subscription.Exists():
		return asking{}, core.ErrSubscriptionState
	case !provider.Capabilities().Subscriptions.CancelNow:
		return asking{}, core.ErrNotSupported
	}
	return asking{kind: core.OpCancelSubscription, more: askedCancel{}}, nil
}

// endHere notes whether we have to end a subscription when its paid period ends. It is our own plan
// and no state of the provider's.
func (s *Service) endHere(ctx context.Context, verb Verb, end bool) (outcome Outcome, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockSubscription(ctx, verb.Subscription)
		if outcome.Subscription = held; err != nil || held.CancelHere == end {
			return err
		}
		operations, err := tx.SubjectOperations(ctx, string(held.ID))
		if err != nil {
			return err
		}
		for _, op := range operations {
			if !op.Status.Settled() {
				return core.ErrOperationOpen // it may be the end itself, which cannot be called off any more
			}
		}
		if !held.Status.Runs() {
			return core.ErrSubscriptionEnded
		}
		next := held
		next.CancelHere, next.CancelAtPeriodEnd, next.UpdatedAt = end, end, s.clock.Now()
		next.CanceledAt = next.UpdatedAt
		if !end {
			next.CanceledAt = held.EndedAt // zero: it runs
		}
		if outcome.Subscription, err = tx.UpdateSubscription(ctx, next); err != nil {
			return err
		}
		entry := s.record.SubjectEntry(ctx, string(next.ID), "", string(next.Status), core.TimelineOperation, verb.Cause)
		if entry.Note = "end at period's end planned here"; !end {
			entry.Note = "planned end called off"
		}
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return err
		}
		if err := s.record.Acted(ctx, tx, record.Change{
			Subject: string(next.ID), Before: core.AuditState{"status": held.Status, "cancel_at_period_end": held.CancelAtPeriodEnd},
			After: core.AuditState{"status": next.Status, "cancel_at_period_end": next.CancelAtPeriodEnd},
		}); err != nil {
			return err
		}
		return s.record.Subscription(ctx, tx, core.EventSubscriptionUpdated, outcome.Subscription)
	})
	return outcome, err
}

// abilities is what the subscription's billing can do, for one that runs.
func (s *Service) abilities(subscription core.Subscription) (ports.SubscriptionAbilities, error) {
	switch {
	case subscription.Status == core.SubscriptionCanceled:
		return ports.SubscriptionAbilities{}, core.ErrSubscriptionEnded
	case !subscription.Status.Runs() || !subscription.Exists():
		return ports.SubscriptionAbilities{}, core.ErrSubscriptionState
	}
	provider, err := s.subscriber(subscription.Account)
	if err != nil {
		return ports.SubscriptionAbilities{}, err
	}
	return *provider.Capabilities().Subscriptions, nil
}
