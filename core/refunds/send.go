package refunds

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Send implements [calls.Sender].
func (s *Service) Send(ctx context.Context, op core.Operation, cause core.Cause) error {
	_, err := s.send(ctx, op, cause)
	return err
}

// send makes the call of a refund that is written down and settles it.
func (s *Service) send(ctx context.Context, op core.Operation, cause core.Cause) (core.Refund, error) {
	refund, err := s.store.Refund(ctx, core.RefundID(op.Subject))
	if err != nil {
		return refund, err
	}
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return refund, err
	}
	refunder, err := s.refunder(op.Account)
	if err != nil {
		return refund, err
	}
	var seen core.RefundSnapshot
	key, err := s.calls.Key(op, refunder)
	if err == nil {
		seen, err = refunder.RefundPayment(ctx, key, ports.RefundPayment{
			Refund: refund.ID, Payment: payment.ID, Ref: payment.MoneyRef(), Amount: op.Amount, Reason: refund.Reason,
		})
	}
	refused := calls.ProviderError(err)
	snapshot := &seen
	if refused != nil {
		snapshot = nil
	}
	if refund, err = s.observer.SettleRefund(ctx, op, snapshot, refused, cause); err != nil {
		return refund, err
	}
	if refused != nil && refused.Class == core.ClassInvalid {
		// The provider says that the payment is not in the state that we thought: look. That the look
		// fails changes nothing of the refusal.
		_, _ = s.observer.Sync(ctx, payment.Ref(), cause)
	}
	return refund, calls.Refusal(refused)
}

// resume gives a repeated call what its first led to.
func (s *Service) resume(ctx context.Context, refund core.Refund, cause core.Cause) (core.Refund, error) {
	operations, err := s.store.SubjectOperations(ctx, string(refund.ID))
	if err != nil {
		return refund, err
	}
	for _, op := range operations {
		if op, err = s.calls.Resume(ctx, op, s, cause); err != nil {
			return refund, err
		}
		if refund, err = s.store.Refund(ctx, refund.ID); err != nil {
			return refund, err
		}
		if err := calls.Replayed(op); err != nil && !errors.Is(err, core.ErrOperationOpen) {
			return refund, err
		}
	}
	return refund, nil
}

// LookUp implements [calls.Sender]: the refund is found in the provider's list by our id, or, where
// the provider keeps none, as one of the amount that nobody else here asked for. One that no call is
// known to have made, and that is not in the whole list, was never made. One of unknown outcome keeps
// its amount, for staff.
func (s *Service) LookUp(ctx context.Context, op core.Operation) error {
	refunder, err := s.refunder(op.Account)
	if err != nil {
		return err
	}
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return err
	}
	list, err := refunder.PaymentRefunds(ctx, payment.MoneyRef())
	if err != nil {
		return err
	}
	var found *core.RefundSnapshot
	for _, seen := range list {
		if string(seen.Refund) == op.Subject {
			found = &seen
			break
		}
		fits := seen.Refund == "" && seen.Amount == op.Amount && !seen.CreatedAt.Before(op.CreatedAt.Add(-lookupMargin))
		if !fits {
			continue
		}
		_, err := s.store.RefundByRef(ctx, seen.Ref)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return fmt.Errorf("look up %s: %w", op.ID, err)
		}
		if err != nil {
			found = &seen // the list is newest first: the oldest one stays
		}
	}
	if found == nil && (op.Status != core.OperationPending || len(list) >= ports.RefundsMax) {
		return nil
	}
	if found == nil {
		refuted, err := s.calls.Refuted(ctx, op.ID)
		if err != nil || refuted == nil {
			return err
		}
		_, err = s.observer.SettleRefund(ctx, op, nil, refuted, core.Cause{Kind: core.CauseRepair})
		return err
	}
	_, err = s.observer.SettleRefund(ctx, op, found, nil, core.Cause{Kind: core.CauseRepair})
	return err
}
