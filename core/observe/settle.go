package observe

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Settle records how an operation's call ended, and what its answer showed, in one
// transaction. An answer that shows an older state than the one held (the payment moved
// since, or the provider repeated a stored answer) is not applied; a fresh look follows.
func (s *Service) Settle(ctx context.Context, op core.Operation, result ports.CallResult, cause core.Cause) (ports.Observation, error) {
	var observation ports.Observation
	var lookAgain bool
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		checkout, held, err := lockBoth(ctx, tx, result.Payment)
		if err != nil {
			return err
		}
		settled, err := s.settleLocked(ctx, tx, held, op.ID, result)
		if err != nil {
			return err
		}
		observation = ports.Observation{Payment: held, Reason: settleReason(settled)}
		if settled.Status == core.OperationFailed && settled.Kind == core.OpCreatePayment {
			return s.rejected(ctx, tx, checkout, held, settled, cause, &observation)
		}
		if result.Snapshot == nil {
			return nil
		}
		lookAgain = held.Version != result.Payment.Version || settled.Attempts > 1
		if lookAgain && held.ProviderPaymentID != "" {
			return nil
		}
		observation, err = s.applyLocked(ctx, tx, checkout, held, *result.Snapshot, cause)
		return err
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	if lookAgain {
		return s.Sync(ctx, result.Snapshot.Ref, cause)
	}
	return observation, nil
}

// settleLocked writes the outcome down.
func (s *Service) settleLocked(ctx context.Context, tx ports.Tx, held core.Payment, id core.OperationID, result ports.CallResult) (core.Operation, error) {
	op, err := tx.LockOperation(ctx, id)
	if err != nil || op.Status.Settled() {
		return op, err
	}
	objectID := ""
	if result.Snapshot != nil {
		objectID = result.Snapshot.Ref.ID
	}
	if op, err = tx.UpdateOperation(ctx, op.Outcome(result.Err, objectID, s.clock.Now())); err != nil {
		return op, err
	}
	entry := s.record.Operation(ctx, held, op, core.Cause{Kind: core.CauseOperation})
	entry.Reason = settleReason(op)
	return op, tx.AppendTimeline(ctx, entry)
}

func settleReason(op core.Operation) core.Reason {
	switch op.Status {
	case core.OperationFailed:
		return core.ReasonProviderError
	case core.OperationUnknown, core.OperationPending:
		return core.ReasonSettlesLater
	case core.OperationSucceeded:
	}
	return ""
}

// rejected ends a payment that the provider refused to create.
func (s *Service) rejected(ctx context.Context, tx ports.Tx, checkout core.Checkout, held core.Payment, op core.Operation, cause core.Cause, observation *ports.Observation) error {
	payment := held.Rejected(op.Failure)
	if payment.Status == held.Status {
		return nil
	}
	payment.UpdatedAt = s.clock.Now()
	payment, err := tx.UpdatePayment(ctx, payment)
	if err != nil {
		return err
	}
	entry := s.record.Entry(ctx, payment, core.TimelineObservation, cause)
	entry.From, entry.Operation, entry.Reason = held.Status, op.ID, core.ReasonProviderError
	entry.Verdict = core.Advance.String()
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return err
	}
	observation.Payment = payment
	return s.moved(ctx, tx, checkout, payment, cause)
}
