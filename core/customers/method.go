package customers

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// ConfirmSetup has a method saved that the buyer agreed to, at a provider that leaves it to our
// server, and gives the method and its checkout as they then stand. source is the one-time token of
// the buyer's card where the provider makes one, else empty.
//
// Errors are those of payments.Service.Confirm.
func (s *Service) ConfirmSetup(ctx context.Context, checkout core.CheckoutID, id core.MethodID, source string) (core.SavedMethod, core.Checkout, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	method, err := s.ofCheckout(ctx, checkout, id)
	if err != nil {
		return core.SavedMethod{}, core.Checkout{}, err
	}
	method, err = s.confirm(ctx, method, source)
	if err != nil {
		return method, core.Checkout{}, err
	}
	c, err := s.store.Checkout(ctx, checkout)
	return method, c, err
}

// ofCheckout is a method that is an attempt of the checkout; [ports.ErrNotFound] otherwise.
func (s *Service) ofCheckout(ctx context.Context, checkout core.CheckoutID, id core.MethodID) (core.SavedMethod, error) {
	method, err := s.store.Method(ctx, id)
	if err == nil && method.Checkout != checkout {
		return core.SavedMethod{}, ports.ErrNotFound
	}
	return method, err
}

func (s *Service) confirm(ctx context.Context, method core.SavedMethod, source string) (core.SavedMethod, error) {
	vault, err := s.vault(method.Account)
	if err != nil {
		return method, err
	}
	mode := vault.Capabilities().Confirm
	if mode == ports.ConfirmInBrowser || (mode == ports.ConfirmWithSource) != (source != "") {
		return method, core.ErrPaymentNotOpen
	}
	operations, err := s.store.SubjectOperations(ctx, string(method.ID))
	if err != nil {
		return method, err
	}
	for _, op := range operations {
		if op.Kind == core.OpConfirmSetup && op.Status != core.OperationFailed {
			return s.confirmAgain(ctx, method.ID)
		}
	}
	if err := s.settleOpen(ctx, method.ID); err != nil {
		return method, err
	}
	asked, err := s.askedOf(ctx, method, mode)
	if err != nil {
		return method, err
	}
	op, err := s.prepareConfirm(ctx, method, asked, source)
	if err != nil {
		return method, err
	}
	err = s.Send(ctx, op, core.Cause{Kind: core.CauseBuyer})
	return s.confirmed(ctx, op.ID, method.ID, err)
}

// askedOf is what a method's confirmation asks beside it. Where the buyer's card comes first, the
// customer's counterpart is made for it.
func (s *Service) askedOf(ctx context.Context, method core.SavedMethod, mode ports.ConfirmMode) (askedSetup, error) {
	if mode == ports.ConfirmWithSource {
		customer, err := s.Account(ctx, method.Customer, method.Account)
		return askedSetup{Customer: customer}, err
	}
	counterpart, err := s.store.CustomerAccount(ctx, method.Customer, method.Account)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return askedSetup{}, err
	}
	kind, err := s.askedType(ctx, method.ID)
	return askedSetup{Customer: counterpart.ProviderCustomerID, Type: kind}, err
}

// confirmAgain gives a repeated confirmation what its first led to, or sends that again.
func (s *Service) confirmAgain(ctx context.Context, id core.MethodID) (core.SavedMethod, error) {
	err := s.settleOpen(ctx, id)
	method, readErr := s.store.Method(ctx, id)
	return method, errors.Join(err, readErr)
}

// confirmed adds to a confirmation's end whether it is one.
func (s *Service) confirmed(ctx context.Context, op core.OperationID, id core.MethodID, err error) (core.SavedMethod, error) {
	method, readErr := s.store.Method(ctx, id)
	if err != nil || readErr != nil {
		return method, errors.Join(err, readErr)
	}
	settled, err := s.store.Operation(ctx, op)
	if err == nil && !settled.Status.Settled() {
		err = core.ErrPaymentInProgress
	}
	return method, err
}

// prepareConfirm checks a confirmation under the locks of checkout and method and writes it down.
func (s *Service) prepareConfirm(ctx context.Context, before core.SavedMethod, asked askedSetup, source string) (op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		checkout, err := tx.LockCheckout(ctx, before.Checkout)
		if err != nil {
			return err
		}
		method, err := tx.LockMethod(ctx, before.ID)
		if err != nil {
			return err
		}
		if method.Status != core.MethodPending || method.Ref().ID == "" && source == "" {
			return core.ErrPaymentNotOpen
		}
		if checkout.Status != core.CheckoutOpen || checkout.Lease != string(method.ID) {
			return core.ErrPaymentInProgress
		}
		operations, err := tx.SubjectOperations(ctx, string(method.ID))
		if err != nil {
			return err
		}
		for _, other := range operations {
			if !other.Status.Settled() || other.Kind == core.OpConfirmSetup && other.Status == core.OperationSucceeded {
				return core.ErrPaymentInProgress
			}
		}
		op, err = s.writeDown(ctx, tx, method, core.OpConfirmSetup, asked, source)
		return err
	})
	return op, err
}

// LookSetup has an attempt's object looked at, because the buyer's browser said that something
// happened there. The method must be of the checkout; otherwise [ports.ErrNotFound].
func (s *Service) LookSetup(ctx context.Context, checkout core.CheckoutID, id core.MethodID) (core.SavedMethod, core.Checkout, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if _, err := s.ofCheckout(ctx, checkout, id); err != nil {
		return core.SavedMethod{}, core.Checkout{}, err
	}
	if err := s.settleOpen(ctx, id); err != nil {
		return core.SavedMethod{}, core.Checkout{}, err
	}
	method, err := s.store.Method(ctx, id)
	if err != nil {
		return core.SavedMethod{}, core.Checkout{}, err
	}
	if method.Status == core.MethodPending && method.Ref().ID != "" {
		observation, err := s.observer.Sync(ctx, method.Ref(), core.Cause{Kind: core.CauseBuyer})
		if err != nil {
			return core.SavedMethod{}, core.Checkout{}, err
		}
		if observation.Method.ID != "" {
			method = observation.Method
		}
		if observation.Confirmable {
			if method, err = s.confirm(ctx, method, ""); lost(err) {
				return core.SavedMethod{}, core.Checkout{}, err
			}
		}
	}
	c, err := s.store.Checkout(ctx, checkout)
	return method, c, err
}

// lost reports an error that leaves open what became of a confirmation. A decline shows in the
// method, and so does what moved it on meanwhile.
func lost(err error) bool {
	_, refused := errors.AsType[*core.RefusedError](err)
	return err != nil && !refused && !errors.Is(err, core.ErrPaymentNotOpen)
}

// Remove takes a saved method away, so that it can never be charged again, and gives it as it then
// stands: one whose removal got no answer is still active, and is settled later. One that is gone
// stays so.
//
// Errors: [ports.ErrNotFound] where the customer has no such method; [core.ErrMethodNotUsable] for
// one that was never saved; *[core.RefusedError]; a retryable *[core.ProviderError].
func (s *Service) Remove(ctx context.Context, customer core.CustomerID, id core.MethodID, cause core.Cause) (core.SavedMethod, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	method, err := s.Method(ctx, customer, id)
	if err != nil || method.Status == core.MethodRemoved {
		return method, err
	}
	if method.Status != core.MethodActive {
		return method, core.ErrMethodNotUsable
	}
	if err := s.calls.SettleOpen(ctx, string(id), s); err != nil && !errors.Is(err, core.ErrOperationOpen) {
		return method, err
	} else if err != nil {
		return method, nil // an earlier call of the same, settled later
	}
	op, err := s.prepareRemoval(ctx, id)
	if err == nil && op.ID != "" {
		err = s.Send(ctx, op, cause)
	}
	method, readErr := s.store.Method(ctx, id)
	return method, errors.Join(err, readErr)
}

// Drop takes away what a buyer saved, or began to, beside the method that completed the same checkout:
// they left one, and cannot know of another. It is the handler of [ports.JobDropMethod].
func (s *Service) Drop(ctx context.Context, job ports.Job) error {
	cause := core.Cause{Kind: core.CauseTimer}
	method, err := s.store.Method(ctx, core.MethodID(job.Subject))
	if err != nil || method.Checkout == "" {
		return err
	}
	checkout, err := s.store.Checkout(ctx, method.Checkout)
	if err != nil || !checkout.SupersededMethod(method) {
		return err
	}
	switch method.Status {
	case core.MethodPending:
		_, err = s.observer.AbandonMethod(ctx, method.ID, cause)
	case core.MethodActive:
		method, err = s.Remove(ctx, method.Customer, method.ID, cause)
		if err == nil && method.Status == core.MethodActive {
			err = core.ErrOperationOpen
		}
	case core.MethodFailed, core.MethodRemoved:
		return nil
	}
	if _, refused := errors.AsType[*core.RefusedError](err); refused {
		return fmt.Errorf("drop %s: %w: %w", method.ID, err, ports.ErrJobGivenUp)
	}
	if err != nil {
		return fmt.Errorf("drop %s: %w", method.ID, err)
	}
	return nil
}

// prepareRemoval writes a removal down; the zero operation where there is nothing to do.
func (s *Service) prepareRemoval(ctx context.Context, id core.MethodID) (op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		op = core.Operation{}
		method, err := tx.LockMethod(ctx, id)
		if err != nil || method.Status != core.MethodActive {
			return err
		}
		operations, err := tx.SubjectOperations(ctx, string(id))
		if err != nil {
			return err
		}
		for _, other := range operations {
			if !other.Status.Settled() {
				return nil // somebody was faster
			}
		}
		op, err = s.writeDown(ctx, tx, method, core.OpDetachMethod, nil, "")
		return err
	})
	return op, err
}

// Operations are the kinds of operations that the service sends.
func Operations() []core.OperationKind {
	return []core.OperationKind{core.OpCreateCustomer, core.OpCreateSetup, core.OpConfirmSetup, core.OpDetachMethod}
}

// Send implements [calls.Sender] for the operations on customers and their methods.
func (s *Service) Send(ctx context.Context, op core.Operation, cause core.Cause) error {
	if op.Kind == core.OpCreateCustomer {
		return s.sendCustomer(ctx, op)
	}
	vault, err := s.vault(op.Account)
	if err != nil {
		return err
	}
	method, err := s.store.Method(ctx, core.MethodID(op.Subject))
	if err != nil {
		return fmt.Errorf("send %s: %w", op.ID, err)
	}
	if op.Kind == core.OpCreateSetup {
		_, err := s.create(ctx, vault, method, op, cause)
		if lost, ok := errors.AsType[*core.ProviderError](err); ok && lost.Class == core.ClassUnknown {
			return nil
		}
		return err
	}
	var in ports.CreateSetup
	if op.Kind == core.OpConfirmSetup {
		if in, err = s.creation(method, op); err != nil {
			return err
		}
	}
	var seen core.MethodSnapshot
	shown := &seen
	key, err := s.calls.Key(op, vault)
	switch {
	case err != nil:
	case op.Kind == core.OpConfirmSetup:
		ref := core.ProviderRef{Account: method.Account, Kind: core.ObjectSetup, ID: method.ProviderSetupID}
		seen, err = vault.ConfirmSetup(ctx, key, ports.ConfirmSetup{CreateSetup: in, Ref: ref, Source: op.Source})
	case op.Kind == core.OpDetachMethod:
		shown = nil
		err = vault.DetachMethod(ctx, key, method.Ref())
	default:
		return fmt.Errorf("operation %s: kind %q is not known", op.ID, op.Kind)
	}
	refused := calls.ProviderError(err)
	if refused != nil {
		shown = nil
	}
	if method, err = s.observer.SettleMethod(ctx, op, shown, refused, cause); err != nil {
		return err
	}
	if refused != nil && refused.Class == core.ClassInvalid && method.Ref().ID != "" {
		// The provider says that the object is not in the state we thought: look.
		if _, err := s.observer.Sync(ctx, method.Ref(), cause); err != nil {
			return err
		}
	}
	return calls.Refusal(refused)
}

// LookUp implements [calls.Sender]. A counterpart, what a buyer never saw, and a method of which nobody
// knows do no harm where they were made after all: those are given up, and made anew when they are
// needed. So is a removal that a look does not show.
func (s *Service) LookUp(ctx context.Context, op core.Operation) error {
	cause := core.Cause{Kind: core.CauseRepair}
	if op.Kind == core.OpCreateCustomer {
		return s.settleCustomer(ctx, op, calls.KeyForgotten(op), "")
	}
	if op.Kind == core.OpCreateSetup {
		_, err := s.observer.SettleMethod(ctx, op, nil, calls.KeyForgotten(op), cause)
		return err
	}
	method, err := s.store.Method(ctx, core.MethodID(op.Subject))
	if err != nil {
		return err
	}
	if method.Ref().ID != "" {
		if _, err := s.observer.Sync(ctx, method.Ref(), cause); err != nil {
			return err
		}
	}
	refuted, err := s.calls.Refuted(ctx, op.ID)
	if err != nil || refuted == nil {
		return err
	}
	_, err = s.observer.SettleMethod(ctx, op, nil, refuted, cause)
	return err
}
