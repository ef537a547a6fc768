package observe

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Settle records how an operation's call ended, and what its answer showed, in one
// transaction. An answer that shows an older state than the one held (the payment moved
// since, or the provider repeated a stored answer) is not applied; a fresh look follows.
func (s *Service) Settle(ctx context.Context, op core.Operation, result ports.CallResult, cause core.Cause) (ports.Observation, error) {
	var observation ports.Observation
	var lookAgain bool
	err := s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockBoth(ctx, tx, result.Payment)
		if err != nil {
			return err
		}
		objectID := ""
		if result.Snapshot != nil {
			objectID = result.Snapshot.Ref.ID
		}
		settled, err := s.settleOn(ctx, tx, op.ID, result.Err, objectID, string(held.Status))
		if err != nil {
			return err
		}
		observation = ports.Observation{Payment: held, Reason: settleReason(settled)}
		if settled.Status == core.OperationFailed {
			observation, err = s.rejected(ctx, tx, checkout, held, settled, result.Err, cause)
			return err
		}
		if result.Snapshot == nil {
			return nil
		}
		lookAgain = held.Version != result.Payment.Version || settled.Attempts > 1
		if lookAgain && held.Exists() {
			observation, err = s.canceledAgreement(ctx, tx, checkout, observation, settled, cause)
			return err
		}
		observation, err = s.applyLocked(ctx, tx, checkout, held, *result.Snapshot, cause)
		return err
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	if lookAgain {
		return s.Sync(ctx, observation.Payment.Ref(), cause)
	}
	return observation, nil
}

// canceledAgreement gives up a payment that its buyer only agreed to and whose cancellation succeeded.
// Some providers cannot cancel such a one, so that no look ever shows it: nothing but our own record
// keeps its money from being asked for.
func (s *Service) canceledAgreement(ctx context.Context, tx ports.Tx, checkout core.Checkout, observation ports.Observation, op core.Operation, cause core.Cause) (ports.Observation, error) {
	held := observation.Payment
	if op.Kind != core.OpCancelPayment || op.Status != core.OperationSucceeded || !s.asksForMoney(held.Account) {
		return observation, nil
	}
	operations, err := tx.PaymentOperations(ctx, held.ID)
	if err != nil {
		return observation, err
	}
	payment := held.Abandoned(operations)
	if payment.Status == held.Status {
		return observation, nil
	}
	observation.Payment, err = s.move(ctx, tx, checkout, held, payment, "", cause)
	return observation, err
}

// settleOn writes down how a call of an operation ended, whose subject has a status. One that stands
// stays as it is.
func (s *Service) settleOn(ctx context.Context, tx ports.Tx, id core.OperationID, refused *core.ProviderError, objectID, status string) (core.Operation, error) {
	op, err := tx.LockOperation(ctx, id)
	if err != nil || op.Stands(refused) {
		return op, err
	}
	if op, err = tx.UpdateOperation(ctx, op.Outcome(refused, objectID, s.clock.Now())); err != nil {
		return op, err
	}
	entry := s.record.Operation(ctx, op, status, core.Cause{Kind: core.CauseOperation})
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

// rejected records that the provider refused what a payment cannot do without.
func (s *Service) rejected(ctx context.Context, tx ports.Tx, checkout core.Checkout, held core.Payment, op core.Operation, refused *core.ProviderError, cause core.Cause) (ports.Observation, error) {
	observation := ports.Observation{Payment: held, Reason: settleReason(op)}
	if op.Kind != core.OpCreatePayment && op.Kind != core.OpConfirmPayment && op.Kind != core.OpChargeMethod {
		return observation, nil
	}
	payment := held.Rejected(op, refused)
	if payment.Status == held.Status {
		return observation, nil
	}
	payment, err := s.move(ctx, tx, checkout, held, payment, op.ID, cause)
	if err != nil {
		return observation, err
	}
	observation.Payment = payment
	if held.Exists() {
		// The buyer could still agree to the object that was declined.
		err = tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: payment.ID})
	}
	return observation, err
}

// Abandon implements [ports.Observer].
func (s *Service) Abandon(ctx context.Context, id core.PaymentID, cause core.Cause) (ports.Observation, error) {
	var observation ports.Observation
	before, err := s.store.Payment(ctx, id)
	if err != nil {
		return observation, fmt.Errorf("abandon %s: %w", id, err)
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		checkout, held, err := lockBoth(ctx, tx, before)
		if err != nil {
			return err
		}
		observation.Payment = held
		operations, err := tx.PaymentOperations(ctx, id)
		if err != nil || held.Status == core.PaymentCanceled {
			return err
		}
		if held.Exists() && !s.asksForMoney(held.Account) {
			return core.ErrPaymentInProgress // the buyer could pay it without us
		}
		payment := held.Abandoned(operations)
		if payment.Status == held.Status {
			return core.ErrPaymentInProgress
		}
		if observation.Payment, err = s.move(ctx, tx, checkout, held, payment, "", cause); err != nil {
			return err
		}
		return s.record.Acted(ctx, tx, record.Change{
			Subject: string(id), Before: core.AuditState{"status": held.Status}, After: core.AuditState{"status": payment.Status},
		})
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("abandon %s: %w", id, err)
	}
	return observation, nil
}

// asksForMoney reports whether buyers only agree at an account's provider, so that no money
// moves before our server asks for it.
func (s *Service) asksForMoney(account core.AccountName) bool {
	provider, ok := s.providers[account]
	return ok && provider.Capabilities().Confirm == ports.ConfirmAfterApproval
}

// move stores a payment whose status follows from our own record and no sight: op was
// refused, or nothing was ever asked.
func (s *Service) move(ctx context.Context, tx ports.Tx, checkout core.Checkout, held, payment core.Payment, op core.OperationID, cause core.Cause) (core.Payment, error) {
	payment.UpdatedAt = s.clock.Now()
	payment, err := tx.UpdatePayment(ctx, payment)
	if err != nil {
		return payment, err
	}
	entry := s.record.Entry(ctx, payment, core.TimelineObservation, cause)
	entry.From, entry.Operation, entry.Verdict = string(held.Status), op, core.Advance.String()
	if op != "" {
		entry.Reason = core.ReasonProviderError
	}
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return payment, err
	}
	return s.moved(ctx, tx, checkout, payment, cause)
}
