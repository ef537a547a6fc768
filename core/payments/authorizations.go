package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// expiryNotice is how long before an authorization runs out storefronts are told.
	expiryNotice = 24 * time.Hour
	// authorizationsBatchMax is how many payments one run of the watch tells of.
	authorizationsBatchMax = 200
)

// WatchAuthorizations tells storefronts of money that is held and runs out soon, once each. It is the
// handler of [ports.JobWatchAuthorizations].
func (s *Service) WatchAuthorizations(ctx context.Context, _ ports.Job) error {
	now := s.clock.Now()
	soon, err := s.store.PaymentsExpiring(ctx, now.Add(expiryNotice), authorizationsBatchMax)
	if err != nil {
		return fmt.Errorf("find authorizations that run out: %w", err)
	}
	var failed error
	for _, id := range soon {
		if err := s.tellExpiry(ctx, id, now); err != nil {
			failed = errors.Join(failed, fmt.Errorf("tell that %s runs out: %w", id, err))
		}
	}
	return failed
}

// tellExpiry tells storefronts that a payment's authorization runs out, unless it does no more, did
// already, or was told of.
func (s *Service) tellExpiry(ctx context.Context, id core.PaymentID, now time.Time) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		payment, err := tx.LockPayment(ctx, id)
		if err != nil {
			return err
		}
		until := payment.CaptureBefore
		if payment.Status != core.PaymentAuthorized || !payment.ExpiryToldAt.IsZero() || !until.After(now) || until.After(now.Add(expiryNotice)) {
			return nil
		}
		payment.ExpiryToldAt, payment.UpdatedAt = now, now
		if payment, err = tx.UpdatePayment(ctx, payment); err != nil {
			return err
		}
		return s.record.Expiring(ctx, tx, payment)
	})
}
