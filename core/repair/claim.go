package repair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

const (
	// claimDelay is how long after a confirmation was committed its outcome is recorded by a job, should who
	// confirmed it not come to it.
	claimDelay = 12 * time.Second
	// foreignNotDone is the code of the failure of an operation of which staff found nothing.
	foreignNotDone = "confirmed_not_done"
)

// Confirm is what a member of staff says of an operation that waits for them.
type Confirm struct {
	Operation core.OperationID
	Outcome   core.ClaimedOutcome
	Object    string // the provider's id of what it made; empty for what acts on an object that is known
	By        core.StaffID
}

// Confirm has staff say how an operation ended. The first who does is written down; a second person who
// says the same confirms it, and then it is recorded the way that an answer would be: what was done is
// looked at, and what was not done is refused.
//
// Errors: those of [core.Operation.Confirm]; [ports.ErrNotFound]; a *[core.InvalidError] where the object is
// missing, or another's; [core.ErrNotSupported] for kinds whose outcome nobody can say;
// [core.ErrAccountNotOffered]; a *[core.ProviderError] where the object cannot be looked at.
func (s *Service) Confirm(ctx context.Context, in Confirm) (op core.Operation, err error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	before, err := s.store.Operation(ctx, in.Operation)
	if err == nil {
		err = s.confirmable(ctx, before, in)
	}
	if err != nil {
		return before, fmt.Errorf("confirm %s: %w", in.Operation, err)
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if before.Payment != "" { // locked first, as everywhere
			if _, err := tx.LockPayment(ctx, before.Payment); err != nil {
				return err
			}
		}
		held, err := tx.LockOperation(ctx, in.Operation)
		if err != nil {
			return err
		}
		next, err := held.Confirm(in.Outcome, in.Object, in.By, s.clock.Now())
		if err != nil {
			return err
		}
		if op, err = tx.UpdateOperation(ctx, next); err != nil {
			return err
		}
		entry := s.record.Operation(ctx, op, "", core.Cause{Kind: core.CauseStaff, Actor: string(in.By)})
		entry.Reason, entry.Note = core.ReasonByStaff, "said to be "+string(in.Outcome)
		if op.Confirmed() {
			entry.Note = "confirmed to be " + string(in.Outcome)
		}
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return err
		}
		if err := s.record.Acted(ctx, tx, record.Change{Subject: string(op.ID), Before: claimState(held), After: claimState(op)}); err != nil {
			return err
		}
		if !op.Confirmed() {
			return nil
		}
		return tx.Enqueue(ctx, ports.Job{Kind: ports.JobRepairOperation, Operation: op.ID, Delay: claimDelay})
	})
	if err == nil && op.Confirmed() {
		// It is written down: where recording it fails, the job does it.
		_ = s.conclude(ctx, op)
		op, err = s.store.Operation(ctx, op.ID)
	}
	if err != nil {
		return op, fmt.Errorf("confirm %s: %w", in.Operation, err)
	}
	return op, nil
}

// PreviewConfirm gives the operation as [Service.Confirm] would leave it, before its outcome is recorded.
// Errors are those of its checks; no provider is asked.
func (s *Service) PreviewConfirm(ctx context.Context, in Confirm) (core.Operation, error) {
	op, err := s.store.Operation(ctx, in.Operation)
	if err == nil {
		err = s.sayable(op, in)
	}
	if err != nil {
		return op, err
	}
	return op.Confirm(in.Outcome, in.Object, in.By, s.clock.Now())
}

func claimState(op core.Operation) core.AuditState {
	return core.AuditState{"status": op.Status, "claimed": op.Claim.Outcome, "object": op.Claim.Object, "by": op.Claim.By, "confirmed_by": op.Claim.ConfirmedBy}
}

// makes reports whether an operation makes an object that has to be named to be found.
func makes(kind core.OperationKind) bool {
	return kind == core.OpCreatePayment || kind == core.OpChargeMethod || kind == core.OpRefundPayment
}

// sayable reports why nobody can say how an operation ended, or nil.
func (s *Service) sayable(op core.Operation, in Confirm) error {
	done := in.Outcome == core.ClaimedDone
	switch op.Kind {
	case core.OpCreateCustomer, core.OpCreatePrice:
		return core.ErrNotSupported // without harm, and settled by itself
	case core.OpCreateSetup, core.OpConfirmSetup, core.OpCreateSubscription:
		if done {
			return core.ErrNotSupported // it must be seen
		}
	default:
	}
	switch {
	case done && makes(op.Kind) && in.Object == "":
		return wrongObject("is needed: the provider's id of what was made")
	case in.Object != "" && !(done && makes(op.Kind)):
		return wrongObject("is for what makes a payment or a refund alone")
	}
	if _, ok := s.providers[op.Account]; done && !ok {
		return core.ErrAccountNotOffered
	}
	return nil
}

func wrongObject(message string) error {
	return &core.InvalidError{Fields: []core.FieldError{{Field: "providerObjectId", Message: message}}}
}

// confirmable is sayable, and looks at the object that is named.
func (s *Service) confirmable(ctx context.Context, op core.Operation, in Confirm) error {
	if !op.ForStaff() {
		return core.ErrNotForStaff
	}
	if err := s.sayable(op, in); err != nil || in.Object == "" {
		return err
	}
	if op.Kind == core.OpRefundPayment {
		_, err := s.refundNamed(ctx, op, in.Object)
		return err
	}
	_, err := s.paymentNamed(ctx, op, in.Object)
	return err
}

// paymentNamed looks at the provider's payment that staff named.
func (s *Service) paymentNamed(ctx context.Context, op core.Operation, id string) (core.PaymentSnapshot, error) {
	ref := core.ProviderRef{Account: op.Account, Kind: core.ObjectPayment, ID: id}
	seen, err := s.providers[op.Account].GetPayment(ctx, ref)
	if err != nil {
		return seen, missing(err)
	}
	owner, err := s.store.PaymentByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return seen, err
	}
	if err == nil && owner.ID != op.Payment || seen.Payment != "" && seen.Payment != op.Payment {
		return seen, wrongObject("is another payment's")
	}
	if seen.Amount != op.Amount && !op.Amount.IsZero() {
		return seen, wrongObject("is of another amount")
	}
	return seen, nil
}

// refundNamed looks at the provider's refund that staff named.
func (s *Service) refundNamed(ctx context.Context, op core.Operation, id string) (core.RefundSnapshot, error) {
	refunder, ok := s.providers[op.Account].(ports.Refunder)
	if !ok {
		return core.RefundSnapshot{}, core.ErrNotSupported
	}
	ref := core.ProviderRef{Account: op.Account, Kind: core.ObjectRefund, ID: id}
	seen, err := refunder.GetRefund(ctx, ref)
	if err != nil {
		return seen, missing(err)
	}
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return seen, err
	}
	owner, err := s.store.RefundByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return seen, err
	}
	if err == nil && string(owner.ID) != op.Subject || seen.Refund != "" && string(seen.Refund) != op.Subject || seen.Payment.ID != "" && seen.Payment != payment.MoneyRef() {
		return seen, wrongObject("is another refund's")
	}
	if seen.Amount != op.Amount {
		return seen, wrongObject("is of another amount")
	}
	return seen, nil
}

func missing(err error) error {
	if refused, ok := errors.AsType[*core.ProviderError](err); ok && refused.Foreign == ports.ForeignMissing {
		return wrongObject("names nothing at the provider")
	}
	return err
}

// conclude records the outcome of an operation that two people confirmed. Doing it again changes nothing.
func (s *Service) conclude(ctx context.Context, op core.Operation) error {
	cause := core.Cause{Kind: core.CauseStaff, Actor: string(op.Claim.ConfirmedBy)}
	var refused *core.ProviderError
	if op.Claim.Outcome == core.ClaimedNotDone {
		refused = &core.ProviderError{Class: core.ClassInvalid, Foreign: foreignNotDone, Op: string(op.Account) + " " + string(op.Kind)}
	}
	switch op.Kind {
	case core.OpRefundPayment:
		return s.concludeRefund(ctx, op, refused, cause)
	case core.OpSubmitEvidence, core.OpAcceptDispute:
		dispute, err := s.observer.SettleDispute(ctx, op, nil, refused, cause)
		return s.lookAfter(ctx, dispute.Ref(), cause, err)
	case core.OpCreateSetup, core.OpConfirmSetup, core.OpDetachMethod:
		method, err := s.observer.SettleMethod(ctx, op, nil, refused, cause)
		return s.lookAfter(ctx, method.Ref(), cause, err)
	case core.OpCreateSubscription, core.OpChangeSubscription, core.OpPauseSubscription, core.OpResumeSubscription, core.OpCancelSubscription, core.OpSwapMethod:
		subscription, err := s.observer.SettleSubscription(ctx, op, nil, refused, cause)
		return s.lookAfter(ctx, subscription.Ref(), cause, err)
	case core.OpCreatePayment, core.OpConfirmPayment, core.OpCapturePayment, core.OpCancelPayment, core.OpChargeMethod:
		return s.concludePayment(ctx, op, refused, cause)
	case core.OpCreateCustomer, core.OpCreatePrice:
	}
	return fmt.Errorf("conclude %s: %w", op.ID, core.ErrNotSupported)
}

func (s *Service) concludeRefund(ctx context.Context, op core.Operation, refused *core.ProviderError, cause core.Cause) error {
	if refused != nil {
		_, err := s.observer.SettleRefund(ctx, op, nil, refused, cause)
		return err
	}
	seen, err := s.refundNamed(ctx, op, op.Claim.Object)
	if err != nil {
		return err
	}
	_, err = s.observer.SettleRefund(ctx, op, &seen, nil, cause)
	return err
}

func (s *Service) concludePayment(ctx context.Context, op core.Operation, refused *core.ProviderError, cause core.Cause) error {
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return err
	}
	result := ports.CallResult{Payment: payment, Err: refused}
	if op.Claim.Object != "" {
		seen, err := s.paymentNamed(ctx, op, op.Claim.Object)
		if err != nil {
			return err
		}
		result.Snapshot = &seen
	}
	observation, err := s.observer.Settle(ctx, op, result, cause)
	return s.lookAfter(ctx, observation.Payment.Ref(), cause, err)
}

// lookAfter looks at the object of an operation whose outcome was recorded without a sight.
func (s *Service) lookAfter(ctx context.Context, ref core.ProviderRef, cause core.Cause, err error) error {
	if err != nil || ref.ID == "" {
		return err
	}
	if _, ok := s.providers[ref.Account]; !ok {
		return nil
	}
	_, err = s.observer.Sync(ctx, ref, cause)
	return err
}
