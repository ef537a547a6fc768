package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// confirmsMax is how often the money of one payment is asked for: a buyer's mistakes, and
// no more.
const confirmsMax = 10

// SourceBytesMax is how long the one-time token of a provider's script may be.
const SourceBytesMax = 500

// Confirm asks for the money of a payment that the buyer has agreed to, at a provider that
// leaves it to our server, and gives the payment and its checkout as they then stand. source
// is the one-time token of the buyer's card where the provider makes one, else empty.
// Asking again while the outcome of an earlier call is open sends that call again; asking
// for what was already taken gives it as it is.
//
// Errors: [ports.ErrNotFound]; [core.ErrPaymentNotOpen] where the payment waits for no
// confirmation; [core.ErrPaymentInProgress], also where the outcome is not known yet;
// [core.ErrTooManyAttempts]; a *[core.RefusedError] for a decline; a *[core.ProviderError]
// of the class retryable.
func (s *Service) Confirm(ctx context.Context, checkout core.CheckoutID, id core.PaymentID, source string) (core.Payment, core.Checkout, error) {
	payment, err := s.store.Payment(ctx, id)
	if err != nil {
		return core.Payment{}, core.Checkout{}, err
	}
	if payment.Checkout != checkout {
		return core.Payment{}, core.Checkout{}, ports.ErrNotFound
	}
	payment, err = s.confirm(ctx, payment, source, core.Cause{Kind: core.CauseBuyer})
	if err != nil {
		return payment, core.Checkout{}, err
	}
	c, err := s.store.Checkout(ctx, checkout)
	return payment, c, err
}

// ConfirmApproved asks for the money of a payment that the buyer agreed to and whose
// browser then never came back. It is the handler of [ports.JobConfirmPayment].
func (s *Service) ConfirmApproved(ctx context.Context, job ports.Job) error {
	payment, err := s.store.Payment(ctx, job.Payment)
	if err != nil {
		return fmt.Errorf("confirm %s: %w", job.Payment, err)
	}
	operations, err := s.store.PaymentOperations(ctx, payment.ID)
	if err != nil {
		return fmt.Errorf("confirm %s: %w", job.Payment, err)
	}
	for _, op := range operations {
		if op.Kind == core.OpConfirmPayment {
			return nil // the browser did; what came of it is the operation's own matter
		}
	}
	_, err = s.confirm(ctx, payment, "", core.Cause{Kind: core.CauseTimer})
	var refused *core.RefusedError
	if errors.As(err, &refused) || errors.Is(err, core.ErrPaymentNotOpen) || errors.Is(err, core.ErrTooManyAttempts) {
		return nil
	}
	return err
}

func (s *Service) confirm(ctx context.Context, payment core.Payment, source string, cause core.Cause) (core.Payment, error) {
	provider, err := s.account(payment.Account)
	if err != nil {
		return payment, err
	}
	mode := provider.Capabilities().Confirm
	if mode == ports.ConfirmInBrowser || (mode == ports.ConfirmWithSource) != (source != "") {
		return payment, core.ErrPaymentNotOpen
	}
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	operations, err := s.store.PaymentOperations(ctx, payment.ID)
	if err != nil {
		return payment, err
	}
	confirms := 0
	for _, op := range operations {
		if op.Kind != core.OpConfirmPayment {
			continue
		}
		if confirms++; op.Status != core.OperationFailed {
			payment, err = s.resume(ctx, op, cause)
			return s.confirmed(ctx, payment, op.ID, err)
		}
	}
	if confirms >= confirmsMax {
		return payment, core.ErrTooManyAttempts
	}
	if err := s.settleOpen(ctx, payment.ID); err != nil {
		return payment, err
	}
	payment, op, err := s.prepareConfirm(ctx, payment, source)
	if err != nil {
		return payment, err
	}
	payment, err = s.send(ctx, payment, op, cause)
	return s.confirmed(ctx, payment, op.ID, err)
}

// confirmed adds to a confirmation's end whether it is one.
func (s *Service) confirmed(ctx context.Context, payment core.Payment, id core.OperationID, err error) (core.Payment, error) {
	if err != nil {
		return payment, err
	}
	op, err := s.store.Operation(ctx, id)
	if err == nil && !op.Status.Settled() {
		err = core.ErrPaymentInProgress
	}
	return payment, err
}

// prepareConfirm checks a confirmation under the locks of checkout and payment, just
// before money moves, and writes it down.
func (s *Service) prepareConfirm(ctx context.Context, before core.Payment, source string) (payment core.Payment, op core.Operation, err error) {
	payment = before
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		checkout, err := tx.LockCheckout(ctx, before.Checkout)
		if err != nil {
			return err
		}
		if payment, err = tx.LockPayment(ctx, before.ID); err != nil {
			return err
		}
		if payment.Status != core.PaymentRequiresAction || !payment.Exists() && source == "" {
			return core.ErrPaymentNotOpen
		}
		if checkout.Status != core.CheckoutOpen || checkout.Lease != string(payment.ID) {
			return core.ErrPaymentInProgress // another attempt has the right to be paid
		}
		operations, err := tx.PaymentOperations(ctx, payment.ID)
		if err != nil {
			return err
		}
		for _, other := range operations {
			// One that succeeded may be ahead of the look that shows what it did.
			if !other.Status.Settled() || other.Kind == core.OpConfirmPayment && other.Status == core.OperationSucceeded {
				return core.ErrPaymentInProgress
			}
		}
		op, err = s.writeDown(ctx, tx, payment, request{kind: core.OpConfirmPayment, amount: payment.Amount, source: source})
		return err
	})
	return payment, op, err
}

// confirmation makes the provider's call.
func (s *Service) confirmation(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation) (core.PaymentSnapshot, error) {
	confirmer, ok := provider.(ports.Confirmer)
	if !ok {
		return core.PaymentSnapshot{}, &core.ProviderError{Class: core.ClassInvalid, Op: "confirm " + string(payment.ID), Err: errors.New("account confirms in the browser")}
	}
	key, err := s.calls.Key(op, provider)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	return confirmer.ConfirmPayment(ctx, key, ports.ConfirmPayment{CreatePayment: s.creation(payment), Ref: payment.Ref(), Source: op.Source})
}

// goOnWithoutObject goes on with an attempt whose provider knows nothing of it yet.
func (s *Service) goOnWithoutObject(ctx context.Context, payment core.Payment, provider ports.Provider) (Attempt, error) {
	if err := s.settleOpen(ctx, payment.ID); err != nil {
		return Attempt{}, err
	}
	operations, err := s.store.PaymentOperations(ctx, payment.ID)
	if err != nil {
		return Attempt{}, err
	}
	if len(operations) > 0 {
		return Attempt{}, errTryAgain // settled since the payment was read
	}
	if payment.Account == provider.Account() {
		return Attempt{Payment: payment, Action: ports.BuyerAction{Type: ports.ActionTokenize}}, nil
	}
	if _, err := s.giveUp(ctx, payment.ID, core.Cause{Kind: core.CauseBuyer}); err != nil {
		return Attempt{}, err
	}
	return Attempt{}, errTryAgain
}

// errAsked means that a provider was asked for the payment already.
var errAsked = errors.New("a provider was asked")

// abandon gives up a payment that no provider was ever asked for; errAsked for any other.
func (s *Service) abandon(ctx context.Context, id core.PaymentID, cause core.Cause) (core.Payment, error) {
	payment, err := s.store.Payment(ctx, id)
	if err != nil {
		return payment, err
	}
	operations, err := s.store.PaymentOperations(ctx, id)
	if err != nil {
		return payment, err
	}
	if payment.Exists() || len(operations) > 0 || payment.Status != core.PaymentRequiresAction {
		return payment, errAsked
	}
	observation, err := s.observer.Abandon(ctx, id, cause)
	return observation.Payment, err
}
