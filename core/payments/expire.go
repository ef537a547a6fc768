package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// ExpireCheckout ends an open checkout. An attempt that waits for its buyer is closed
// at its provider first. An expired checkout stays as it is.
//
// Errors: [core.ErrCheckoutComplete]; [core.ErrPaymentInProgress] while an attempt may
// still take money.
func (s *Service) ExpireCheckout(ctx context.Context, id core.CheckoutID, cause core.Cause) (core.Checkout, error) {
	for range startTriesMax {
		checkout, err := s.store.Checkout(ctx, id)
		if err != nil {
			return core.Checkout{}, err
		}
		switch {
		case checkout.Status == core.CheckoutExpired:
			return checkout, nil
		case checkout.Status == core.CheckoutComplete:
			return checkout, core.ErrCheckoutComplete
		case checkout.Lease != "":
			closer, known := s.closers[checkout.Mode]
			if !known {
				return checkout, core.ErrPaymentInProgress
			}
			if err := closer(ctx, checkout.Lease, cause); err != nil {
				return checkout, err
			}
		}
		if checkout, err = s.expire(ctx, id); !errors.Is(err, errTryAgain) {
			return checkout, err
		}
	}
	return core.Checkout{}, core.ErrPaymentInProgress
}

// closeLease closes the attempt that holds a lease, if it only waits for its buyer.
func (s *Service) closeLease(ctx context.Context, id core.PaymentID, cause core.Cause) error {
	payment, err := s.store.Payment(ctx, id)
	if err != nil {
		return err
	}
	if underWay(payment) {
		// The provider works on it and would refuse to cancel: look how far it is.
		observation, err := s.observer.Sync(ctx, payment.Ref(), cause)
		if err != nil {
			return err
		}
		payment = observation.Payment
	}
	if payment.Status.HoldsMoney() || payment.Status == core.PaymentNeedsReview || underWay(payment) {
		return core.ErrPaymentInProgress
	}
	payment, err = s.giveUp(ctx, id, cause)
	if errors.Is(err, core.ErrPaymentNotOpen) || payment.Status.HoldsMoney() || underWay(payment) {
		return core.ErrPaymentInProgress
	}
	return err
}

// underWay reports whether the provider works on a payment, so that nobody can say yet
// whether it takes money.
func underWay(p core.Payment) bool {
	return p.Status == core.PaymentProcessing && p.Exists()
}

// expire ends a checkout that nobody is paying and tells of it.
func (s *Service) expire(ctx context.Context, id core.CheckoutID) (checkout core.Checkout, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if checkout, err = tx.LockCheckout(ctx, id); err != nil {
			return err
		}
		next, changed := checkout.Expire()
		if !changed {
			return errTryAgain
		}
		next.UpdatedAt = s.clock.Now()
		if checkout, err = tx.UpdateCheckout(ctx, next); err != nil {
			return err
		}
		return s.record.Checkout(ctx, tx, core.EventCheckoutExpired, checkout)
	})
	return checkout, err
}

// ExpireDue ends the checkouts whose time is over. Those whose buyer is in the middle of
// paying get some grace; those with money on its way stay open until it has arrived or
// not, and rest between two tries so that they keep no others from their turn. It is the handler of
// [ports.JobExpireCheckouts].
func (s *Service) ExpireDue(ctx context.Context, _ ports.Job) error {
	now := s.clock.Now()
	due, err := s.store.CheckoutsToExpire(ctx, now, expireBatchMax)
	if err != nil {
		return fmt.Errorf("find checkouts to expire: %w", err)
	}
	checkouts, err := s.store.Checkouts(ctx, due)
	if err != nil {
		return fmt.Errorf("read checkouts to expire: %w", err)
	}
	var failed error
	for _, checkout := range checkouts {
		if err := s.expireOne(ctx, checkout, now); err != nil {
			failed = errors.Join(failed, fmt.Errorf("expire %s: %w", checkout.ID, err))
		}
	}
	return failed
}

func (s *Service) expireOne(ctx context.Context, checkout core.Checkout, now time.Time) error {
	if grace := checkout.ExpiresAt.Add(expiryGrace); checkout.Lease != "" && now.Before(grace) {
		return s.rest(ctx, checkout.ID, grace)
	}
	_, err := s.ExpireCheckout(ctx, checkout.ID, core.Cause{Kind: core.CauseTimer})
	if err == nil || errors.Is(err, core.ErrCheckoutComplete) {
		return nil
	}
	pause := min(max(now.Sub(checkout.ExpiresAt)/2, expireAgainLeast), expireAgainLongest)
	rest := s.rest(ctx, checkout.ID, now.Add(pause))
	if errors.Is(err, core.ErrPaymentInProgress) {
		return rest
	}
	return errors.Join(err, rest)
}

// rest has an open checkout left alone by the sweep until a given time.
func (s *Service) rest(ctx context.Context, id core.CheckoutID, until time.Time) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		checkout, err := tx.LockCheckout(ctx, id)
		if err != nil || checkout.Status != core.CheckoutOpen {
			return err
		}
		checkout.LookAt = until
		_, err = tx.UpdateCheckout(ctx, checkout)
		return err
	})
}
