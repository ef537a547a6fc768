package subscriptions

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Confirm starts a subscription with the one-time token of the buyer's card, at a provider that takes
// one, and gives it and its checkout as they then stand. Asking again while the outcome of an earlier
// call is open sends that call again.
//
// Errors are those of payments.Service.Confirm.
func (s *Service) Confirm(ctx context.Context, checkout core.CheckoutID, id core.SubscriptionID, source string) (core.Subscription, core.Checkout, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	subscription, err := s.ofCheckout(ctx, checkout, id)
	if err != nil {
		return core.Subscription{}, core.Checkout{}, err
	}
	if subscription, err = s.confirm(ctx, subscription, source); err != nil {
		return subscription, core.Checkout{}, err
	}
	c, err := s.store.Checkout(ctx, checkout)
	return subscription, c, err
}

// ofCheckout is a subscription that is an attempt of the checkout; [ports.ErrNotFound] otherwise.
func (s *Service) ofCheckout(ctx context.Context, checkout core.CheckoutID, id core.SubscriptionID) (core.Subscription, error) {
	subscription, err := s.store.Subscription(ctx, id)
	if err == nil && subscription.Checkout != checkout {
		return core.Subscription{}, ports.ErrNotFound
	}
	return subscription, err
}

func (s *Service) confirm(ctx context.Context, subscription core.Subscription, source string) (core.Subscription, error) {
	provider, err := s.subscriber(subscription.Account)
	if err != nil {
		return subscription, err
	}
	if provider.Capabilities().Confirm != ports.ConfirmWithSource || source == "" {
		return subscription, core.ErrPaymentNotOpen
	}
	operations, err := s.store.SubjectOperations(ctx, string(subscription.ID))
	if err != nil {
		return subscription, err
	}
	for _, op := range operations {
		if op.Kind == core.OpCreateSubscription {
			err := s.settleOpen(ctx, subscription.ID)
			known, readErr := s.store.Subscription(ctx, subscription.ID)
			return known, errors.Join(err, readErr)
		}
	}
	asked, err := s.chain(ctx, subscription.Customer, subscription.Price, subscription.Account)
	if err != nil {
		return subscription, err
	}
	op, err := s.prepareConfirm(ctx, subscription, asked, source)
	if err != nil {
		return subscription, err
	}
	attempt, err := s.create(ctx, provider, subscription, op, core.Cause{Kind: core.CauseBuyer})
	if lost, ok := errors.AsType[*core.ProviderError](err); ok && lost.Class == core.ClassUnknown {
		err = core.ErrPaymentInProgress
	}
	return attempt.Subscription, err
}

// prepareConfirm checks a confirmation under the locks of checkout and subscription, just before
// money moves, and writes it down.
func (s *Service) prepareConfirm(ctx context.Context, before core.Subscription, asked askedSubscription, source string) (op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		checkout, err := tx.LockCheckout(ctx, before.Checkout)
		if err != nil {
			return err
		}
		subscription, err := tx.LockSubscription(ctx, before.ID)
		if err != nil {
			return err
		}
		if subscription.Status != core.SubscriptionIncomplete || subscription.Exists() {
			return core.ErrPaymentNotOpen
		}
		if checkout.Status != core.CheckoutOpen || checkout.Lease != string(subscription.ID) {
			return core.ErrPaymentInProgress // another attempt has the right to be paid
		}
		operations, err := tx.SubjectOperations(ctx, string(subscription.ID))
		if err != nil {
			return err
		}
		if len(operations) > 0 {
			return core.ErrPaymentInProgress // somebody was faster
		}
		op, err = s.writeCreation(ctx, tx, subscription, asked, source)
		return err
	})
	return op, err
}

// Look has an attempt's object looked at, because the buyer's browser said that something happened
// there. The subscription must be of the checkout; otherwise [ports.ErrNotFound].
func (s *Service) Look(ctx context.Context, checkout core.CheckoutID, id core.SubscriptionID) (core.Subscription, core.Checkout, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	subscription, err := s.ofCheckout(ctx, checkout, id)
	if err != nil {
		return core.Subscription{}, core.Checkout{}, err
	}
	if !subscription.Exists() {
		if err := s.settleOpen(ctx, id); err != nil {
			return core.Subscription{}, core.Checkout{}, err
		}
		if subscription, err = s.store.Subscription(ctx, id); err != nil {
			return core.Subscription{}, core.Checkout{}, err
		}
	}
	if subscription.Exists() && subscription.Status == core.SubscriptionIncomplete {
		observation, err := s.observer.Sync(ctx, subscription.Ref(), core.Cause{Kind: core.CauseBuyer})
		if err != nil {
			return core.Subscription{}, core.Checkout{}, err
		}
		if observation.Subscription.ID != "" {
			subscription = observation.Subscription
		}
	}
	c, err := s.store.Checkout(ctx, checkout)
	return subscription, c, err
}
