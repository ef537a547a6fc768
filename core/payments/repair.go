package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Repair settles an operation whose outcome is not known: by the same key while the
// provider keeps it, by looking for its object after that. What cannot be settled stays
// unknown, for staff; trying in vain never makes it failed. It is the handler of
// [ports.JobRepairOperation].
func (s *Service) Repair(ctx context.Context, job ports.Job) error {
	op, err := s.store.Operation(ctx, job.Operation)
	if err != nil {
		return fmt.Errorf("repair %s: %w", job.Operation, err)
	}
	if op.Status.Settled() {
		return s.catchUp(ctx, op)
	}
	settled, err := s.settleOne(ctx, op)
	if err != nil {
		return fmt.Errorf("repair %s: %w", op.ID, err)
	}
	if !settled {
		return fmt.Errorf("repair %s: outcome is not known yet", op.ID)
	}
	return nil
}

// catchUp has a payment looked at that does not show yet what an operation did: the
// outcome was committed, and the look that had to follow it failed.
func (s *Service) catchUp(ctx context.Context, op core.Operation) error {
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return fmt.Errorf("repair %s: %w", op.ID, err)
	}
	behind := payment.Status == core.PaymentAuthorized || payment.Status == core.PaymentRequiresAction || payment.Status == core.PaymentProcessing
	if op.Status != core.OperationSucceeded || op.Kind == core.OpCreatePayment || !behind {
		return nil
	}
	if _, err := s.observer.Sync(ctx, payment.Ref(), core.Cause{Kind: core.CauseRepair}); err != nil {
		return fmt.Errorf("repair %s: look at what it did: %w", op.ID, err)
	}
	return nil
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
		settled, err := s.settleOne(ctx, op)
		if err != nil {
			return err
		}
		if !settled {
			return core.ErrPaymentInProgress
		}
	}
	return nil
}

// settleOne tries to learn the outcome of one operation and reports whether it is
// settled now.
func (s *Service) settleOne(ctx context.Context, op core.Operation) (bool, error) {
	_, err := s.resume(ctx, op, core.Cause{Kind: core.CauseRepair})
	if _, refused := errors.AsType[*core.RefusedError](err); err != nil && !refused {
		return false, err
	}
	if op, err = s.store.Operation(ctx, op.ID); err != nil {
		return false, err
	}
	return op.Status.Settled(), nil
}

// lookUp finds an operation's object by our own reference and has it looked at; a sight
// that proves the operation settles it.
func (s *Service) lookUp(ctx context.Context, op core.Operation, provider ports.Provider) error {
	payment, err := s.store.Payment(ctx, op.Payment)
	if err != nil {
		return err
	}
	cause := core.Cause{Kind: core.CauseRepair}
	if payment.Exists() {
		_, err = s.observer.Sync(ctx, payment.Ref(), cause)
		return err
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
