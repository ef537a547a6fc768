package observe

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// apply judges a snapshot, and what else was seen of the payment, against what was held before
// the fetch, and commits what follows. It is [ports.ErrConflict] where that has changed since.
func (s *Service) apply(ctx context.Context, before core.Payment, seen core.PaymentSnapshot, around surroundings, cause core.Cause) (ports.Observation, error) {
	var observation ports.Observation
	err := s.inTx(ctx, func(ctx context.Context, w *work) error {
		checkout, held, err := lockBoth(ctx, w, before)
		if err != nil {
			return err
		}
		if held.Version != before.Version {
			return ports.ErrConflict
		}
		if observation, err = s.applyLocked(ctx, w, checkout, held, seen, cause); err != nil {
			return err
		}
		if observation.Payment, err = s.applyAround(ctx, w, observation.Payment, around, cause); err != nil {
			return err
		}
		return s.processed(ctx, w, cause, observation.Reason)
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("apply what was seen of %s: %w", seen.Ref, err)
	}
	return observation, nil
}

// lockBoth locks a payment's checkout and then the payment. Every transaction takes the
// two in this order, so that none waits for another in a circle.
func lockBoth(ctx context.Context, tx ports.Tx, payment core.Payment) (core.Checkout, core.Payment, error) {
	var checkout core.Checkout
	var err error
	if payment.Checkout != "" {
		if checkout, err = tx.LockCheckout(ctx, payment.Checkout); err != nil {
			return checkout, payment, err
		}
	}
	payment, err = tx.LockPayment(ctx, payment.ID)
	return checkout, payment, err
}

// applyLocked does the work of apply on rows that are locked.
func (s *Service) applyLocked(ctx context.Context, tx *work, checkout core.Checkout, held core.Payment, seen core.PaymentSnapshot, cause core.Cause) (ports.Observation, error) {
	application := core.ApplyPaymentSnapshot(held, s.withoutHints(held, seen))
	payment := application.Payment
	if application.Changed {
		payment.SyncedAt, payment.UpdatedAt = s.clock.Now(), s.clock.Now()
		var err error
		if payment, err = tx.UpdatePayment(ctx, payment); err != nil {
			return ports.Observation{}, err
		}
		if application.Anomaly {
			tx.odds(core.ObjectPayment)
		}
	}
	if application.Changed || cause.Kind == core.CauseRepair && application.Reason != core.ReasonOtherObject {
		// A repair looks for the sake of an operation, also where the payment stays as it is.
		if err := s.settleShown(ctx, tx, payment, seen); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Changed || cause.Kind == core.CauseWebhook || cause.Kind == core.CauseStaff {
		entry := s.record.Entry(ctx, payment, core.TimelineObservation, cause)
		entry.From, entry.To = string(held.Status), string(payment.Status)
		entry.Verdict, entry.Reason, entry.Status = application.Verdict.String(), application.Reason, seen.ForeignStatus
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Moved {
		var err error
		if payment, err = s.moved(ctx, tx, checkout, payment, cause); err != nil {
			return ports.Observation{}, err
		}
	}
	billed := payment.Subscription != "" // what becomes of it is its provider's to decide
	if billed && application.Moved && payment.Status == core.PaymentSucceeded {
		// Its subscription may be one that nobody needs.
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: payment.ID}); err != nil {
			return ports.Observation{}, err
		}
	}
	givenUp := payment.Status == core.PaymentFailed && seen.Payable && !billed
	if application.Moved && givenUp {
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: payment.ID}); err != nil {
			return ports.Observation{}, err
		}
	}
	confirmable := seen.Confirmable && payment.Status == core.PaymentRequiresAction && !billed
	if confirmable && application.Changed {
		// The buyer's browser has the money asked for, unless it is gone.
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobConfirmPayment, Payment: payment.ID, Delay: confirmDelay}); err != nil {
			return ports.Observation{}, err
		}
	}
	return ports.Observation{Payment: payment, Reason: application.Reason, Confirmable: confirmable}, nil
}

// moved tells of a payment's new status and lets its checkout follow. It gives the payment as it is
// stored then.
func (s *Service) moved(ctx context.Context, tx ports.Tx, checkout core.Checkout, payment core.Payment, cause core.Cause) (core.Payment, error) {
	if err := s.record.Payment(ctx, tx, payment); err != nil {
		return payment, err
	}
	if checkout.ID == "" {
		return payment, nil
	}
	if checkout.Overpaid(payment) {
		return s.overpaid(ctx, tx, payment, cause)
	}
	next, event := checkout.AfterPayment(payment)
	if next.Status == checkout.Status && next.Lease == checkout.Lease && next.Payment == checkout.Payment {
		return payment, nil
	}
	next.UpdatedAt = s.clock.Now()
	next, err := tx.UpdateCheckout(ctx, next)
	if err != nil || event == "" {
		return payment, err
	}
	if next.Lease != string(payment.ID) {
		// Another attempt is open beside the one that was paid: nobody may pay it, too.
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: next.LeasedPayment()}); err != nil {
			return payment, err
		}
	}
	return payment, s.record.Checkout(ctx, tx, event, next)
}

// overpaid notes that a second payment took money for the same checkout, and has one
// that is only authorized voided.
func (s *Service) overpaid(ctx context.Context, tx ports.Tx, payment core.Payment, cause core.Cause) (core.Payment, error) {
	entry := s.record.Entry(ctx, payment, core.TimelineObservation, cause)
	entry.From, entry.To, entry.Reason = string(payment.Status), string(payment.Status), core.ReasonOverpaid
	entry.Verdict = core.Impossible.String()
	payment.Anomaly = core.ReasonOverpaid
	payment, err := tx.UpdatePayment(ctx, payment)
	if err != nil {
		return payment, err
	}
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return payment, err
	}
	return payment, tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: payment.ID})
}

// settleShown settles the operations that were open and that the snapshot proves done.
func (s *Service) settleShown(ctx context.Context, tx ports.Tx, payment core.Payment, seen core.PaymentSnapshot) error {
	operations, err := tx.PaymentOperations(ctx, payment.ID)
	if err != nil {
		return err
	}
	for _, op := range operations {
		if op.Status.Settled() || !op.ShownBy(seen) {
			continue
		}
		settled, err := tx.UpdateOperation(ctx, op.Outcome(nil, seen.Ref.ID, s.clock.Now()))
		if err != nil {
			return err
		}
		entry := s.record.Operation(ctx, settled, string(payment.Status), core.Cause{Kind: core.CauseOperation})
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}
