package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

var (
	_ calls.Sender    = (*Service)(nil)
	_ calls.CatcherUp = (*Service)(nil)
)

// Operations are the kinds of operations that the service sends.
func Operations() []core.OperationKind {
	return []core.OperationKind{core.OpCreatePayment, core.OpConfirmPayment, core.OpCapturePayment, core.OpCancelPayment, core.OpChargeMethod}
}

// Send implements [calls.Sender].
func (s *Service) Send(ctx context.Context, op core.Operation, cause core.Cause) error {
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return err
	}
	_, err = s.send(ctx, payment, op, cause)
	if lost, ok := errors.AsType[*core.ProviderError](err); ok && lost.Class == core.ClassUnknown && op.Kind == core.OpCreatePayment {
		return nil // its caller alone is told
	}
	return err
}

// CatchUp implements [calls.CatcherUp].
func (s *Service) CatchUp(ctx context.Context, op core.Operation) error {
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return err
	}
	behind := payment.Status == core.PaymentAuthorized || payment.Status == core.PaymentRequiresAction || payment.Status == core.PaymentProcessing
	if op.Status != core.OperationSucceeded || op.Kind == core.OpCreatePayment || !behind {
		return nil
	}
	_, err = s.observer.Sync(ctx, payment.Ref(), core.Cause{Kind: core.CauseRepair})
	return err
}

// settleOpen settles what is open on a payment just before its next operation, or is
// [core.ErrPaymentInProgress].
func (s *Service) settleOpen(ctx context.Context, id core.PaymentID) error {
	operations, err := s.store.PaymentOperations(ctx, id)
	if err != nil {
		return err
	}
	for _, op := range operations {
		if op.Status.Settled() || op.Subject != string(id) {
			continue // what is open on a refund or a dispute is no matter of the payment's
		}
		op, err = s.calls.Resume(ctx, op, s, core.Cause{Kind: core.CauseRepair})
		if err != nil {
			return err
		}
		if !op.Status.Settled() {
			return core.ErrPaymentInProgress
		}
	}
	return nil
}

// LookUp implements [calls.Sender]: the operation's object is found by our own reference and looked
// at; a sight that proves the operation settles it. One that would have moved money which still
// stands as it did is given up, so that it can be asked for again.
func (s *Service) LookUp(ctx context.Context, op core.Operation) error {
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return err
	}
	provider, err := s.account(op.Account)
	if err != nil {
		return err
	}
	cause := core.Cause{Kind: core.CauseRepair}
	if payment.Exists() {
		observation, err := s.observer.Sync(ctx, payment.Ref(), cause)
		if err != nil || observation.Reason == core.ReasonMissing {
			return err
		}
		return s.refute(ctx, op, observation.Payment)
	}
	in := ports.ListPayments{
		From: op.CreatedAt.Add(-lookupMargin), Until: op.SentAt.Add(lookupMargin), Limit: core.PageItemsMax,
	}
	for range lookupPagesMax {
		list, err := provider.ListPayments(ctx, in)
		if err != nil {
			return err
		}
		for _, seen := range list.Payments {
			if seen.Payment == op.Payment {
				_, err := s.observer.Sync(ctx, seen.Ref, cause)
				return err
			}
		}
		if list.NextCursor == "" {
			return nil
		}
		in.Cursor = list.NextCursor
	}
	return nil
}

// refute settles a capture or a cancellation as not done where a look shows the payment as it was
// before it: an authorization that is still there was neither taken nor let go, and an attempt that
// failed can still be paid.
func (s *Service) refute(ctx context.Context, op core.Operation, seen core.Payment) error {
	undone := seen.Status == core.PaymentAuthorized && (op.Kind == core.OpCapturePayment || op.Kind == core.OpCancelPayment) ||
		(seen.Status == core.PaymentRequiresAction || seen.Status == core.PaymentFailed) && op.Kind == core.OpCancelPayment
	if !undone {
		return nil
	}
	refuted, err := s.calls.Refuted(ctx, op.ID)
	if err != nil || refuted == nil {
		return err
	}
	if op.Kind == core.OpCancelPayment && (seen.Status == core.PaymentFailed || seen.Anomaly == core.ReasonOverpaid) {
		// Nobody asked for it who would ask again. Before the outcome, so that a death in between loses nothing.
		err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			return tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: seen.ID})
		})
		if err != nil {
			return err
		}
	}
	_, err = s.observer.Settle(ctx, op, ports.CallResult{Payment: seen, Err: refuted}, core.Cause{Kind: core.CauseRepair})
	return err
}

// ClosePayment closes, at the provider, a payment that was given up or that took money
// a second time for the same checkout, itself or for a subscription that nobody needs; what was taken
// goes back. It is the handler of [ports.JobClosePayment].
func (s *Service) ClosePayment(ctx context.Context, job ports.Job) error {
	payment, err := s.store.Payment(ctx, job.Payment)
	if err != nil {
		return fmt.Errorf("close %s: %w", job.Payment, err)
	}
	if payment.Subscription != "" {
		return s.closeBilled(ctx, payment)
	}
	var checkout core.Checkout
	if payment.Checkout != "" {
		if checkout, err = s.store.Checkout(ctx, payment.Checkout); err != nil {
			return fmt.Errorf("close %s: %w", job.Payment, err)
		}
	}
	if payment.Status == core.PaymentSucceeded {
		if !checkout.Overpaid(payment) || !payment.Refundable().IsPositive() {
			return nil // it was given back already, or the checkout needs it
		}
		return s.settings.GiveBack(ctx, payment.ID, core.Cause{Kind: core.CauseTimer})
	}
	ask := func(p core.Payment) (core.Money, error) {
		none := core.Zero(p.Amount.Currency())
		if p.Status != core.PaymentAuthorized || checkout.Overpaid(p) {
			return none, p.CheckCancel()
		}
		// It was paid after all since it was given up, and may be what the checkout needs.
		if checkout.Status == core.CheckoutComplete {
			return none, core.ErrPaymentNotOpen
		}
		return none, core.ErrPaymentInProgress // the checkout was read before: read it again
	}
	_, err = s.operate(ctx, core.OpCancelPayment, payment.ID, "", core.Cause{Kind: core.CauseTimer}, ask)
	var refused *core.RefusedError
	if errors.As(err, &refused) || errors.Is(err, core.ErrPaymentNotOpen) {
		return nil // it moved on; the look that followed has recorded how
	}
	return err
}

// closeBilled gives back what a subscription was paid whose checkout another one completed. All else
// that billing asked for is its provider's to decide.
func (s *Service) closeBilled(ctx context.Context, payment core.Payment) error {
	if payment.Status != core.PaymentSucceeded || !payment.Refundable().IsPositive() {
		return nil
	}
	subscription, err := s.store.Subscription(ctx, payment.Subscription)
	if err != nil {
		return fmt.Errorf("close %s: %w", payment.ID, err)
	}
	if subscription.Checkout == "" {
		return nil
	}
	checkout, err := s.store.Checkout(ctx, subscription.Checkout)
	if err != nil {
		return fmt.Errorf("close %s: %w", payment.ID, err)
	}
	if !checkout.Superseded(subscription) {
		return nil
	}
	return s.settings.GiveBack(ctx, payment.ID, core.Cause{Kind: core.CauseTimer})
}

// refusal turns a call's error into what the caller is told.
func refusal(err *core.ProviderError) error {
	switch {
	case err == nil:
		return nil
	case err.Class == core.ClassDeclined || err.Class == core.ClassInvalid:
		return &core.RefusedError{Failure: *err.Failure()}
	}
	return err
}
