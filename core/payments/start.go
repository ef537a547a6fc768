package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Attempt is an attempt to pay a checkout, with what the buyer's browser needs to go on.
type Attempt struct {
	Payment core.Payment
	Action  ports.BuyerAction // the zero action where the buyer has nothing to do
}

// errTryAgain says that what stood in the way has come to its end meanwhile.
var errTryAgain = errors.New("start anew")

// Start begins an attempt to pay a checkout at an account, or goes on with the one that
// holds the checkout's lease at the same account.
//
// Errors: [core.ErrCheckoutComplete], [core.ErrCheckoutExpired],
// [core.ErrPaymentInProgress] (also while the outcome of another attempt is not known),
// [core.ErrTooManyAttempts], [core.ErrAccountNotOffered], *[core.RefusedError] where the provider said no, and a
// *[core.ProviderError] where it could not be reached or gave no answer; then the same
// call can be made again.
func (s *Service) Start(ctx context.Context, id core.CheckoutID, account core.AccountName) (Attempt, error) {
	provider, err := s.account(account)
	if err != nil {
		return Attempt{}, err
	}
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	for range startTriesMax {
		checkout, err := s.store.Checkout(ctx, id)
		if err != nil {
			return Attempt{}, fmt.Errorf("start payment of %s: %w", id, err)
		}
		if checkout.Mode != core.ModePayment {
			return Attempt{}, fmt.Errorf("start payment of %s: %w", id, core.ErrAccountNotOffered)
		}
		if _, err := s.Offered(ctx, account, checkout); err != nil {
			return Attempt{}, err
		}
		var attempt Attempt
		if checkout.Lease == "" {
			attempt, err = s.begin(ctx, checkout.ID, provider)
		} else {
			attempt, err = s.goOn(ctx, checkout, provider)
		}
		if !errors.Is(err, errTryAgain) {
			return attempt, err
		}
	}
	return Attempt{}, core.ErrPaymentInProgress
}

// begin writes down lease, payment and operation in one transaction, then asks the
// provider.
func (s *Service) begin(ctx context.Context, id core.CheckoutID, provider ports.Provider) (Attempt, error) {
	var payment core.Payment
	var op core.Operation
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		now := s.clock.Now()
		checkout, err := tx.LockCheckout(ctx, id)
		if err != nil {
			return err
		}
		if checkout.Lease != "" && checkout.Status == core.CheckoutOpen {
			return errTryAgain // somebody was faster; see what became of it
		}
		if err := checkout.MayTakeLease(now); err != nil {
			return err
		}
		payment = core.NewPayment(core.NewID[core.PaymentID](s.ids.UUID()), checkout, provider.Account(), provider.Name(), now)
		waits := provider.Capabilities().Confirm == ports.ConfirmWithSource && !payment.Hosted
		if waits {
			payment.Status = core.PaymentRequiresAction // there is nothing to ask for yet
		}
		if payment, err = tx.InsertPayment(ctx, payment); err != nil {
			return err
		}
		created := s.record.Entry(ctx, payment, core.TimelineCreated, core.Cause{Kind: core.CauseBuyer})
		if err := tx.AppendTimeline(ctx, created); err != nil {
			return err
		}
		checkout = checkout.TakeLease(payment.ID)
		checkout.UpdatedAt = now
		if _, err = tx.UpdateCheckout(ctx, checkout); err != nil {
			return err
		}
		if waits {
			return s.record.Payment(ctx, tx, payment)
		}
		op, err = s.writeDown(ctx, tx, payment, request{kind: core.OpCreatePayment, amount: core.Zero(payment.Amount.Currency())})
		return err
	})
	if err != nil {
		return Attempt{}, err
	}
	if op.ID == "" {
		return Attempt{Payment: payment, Action: ports.BuyerAction{Type: ports.ActionTokenize}}, nil
	}
	return s.create(ctx, provider, payment, op)
}

// create sends a creating operation that is written down and settles it.
func (s *Service) create(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation) (Attempt, error) {
	session, err := s.ask(ctx, provider, payment, op)
	result := ports.CallResult{Payment: payment, Err: calls.ProviderError(err)}
	if result.Err == nil {
		result.Snapshot = &session.Snapshot
	}
	observation, err := s.observer.Settle(ctx, op, result, core.Cause{Kind: core.CauseBuyer})
	if err != nil {
		return Attempt{}, err
	}
	return Attempt{Payment: observation.Payment, Action: session.Action}, refusal(result.Err)
}

// ask has the provider make the payment, or the page to pay it at.
func (s *Service) ask(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation) (ports.PaymentSession, error) {
	key, err := s.calls.Key(op, provider)
	if err != nil {
		return ports.PaymentSession{}, err
	}
	if !payment.Hosted {
		return provider.CreatePayment(ctx, key, s.creation(payment))
	}
	hoster, ok := provider.(ports.Hoster)
	if !ok {
		return ports.PaymentSession{}, &core.ProviderError{Class: core.ClassInvalid, Op: "create " + string(payment.ID), Err: errors.New("account has no page of its own")}
	}
	return hoster.CreateHosted(ctx, key, s.creation(payment))
}

// creation is the request that belongs to a payment. It depends on what is stored and
// never changes, so that a repeated operation repeats its request to the letter.
func (s *Service) creation(p core.Payment) ports.CreatePayment {
	return ports.CreatePayment{
		Payment: p.ID, Checkout: p.Checkout, Reference: p.Reference, Amount: p.Amount, Capture: p.Capture,
		Description: p.Reference, ReturnURL: s.settings.URL.CheckoutReturn(p.Checkout),
	}
}

// goOn deals with the attempt that holds the lease.
func (s *Service) goOn(ctx context.Context, checkout core.Checkout, provider ports.Provider) (Attempt, error) {
	if checkout.Status == core.CheckoutComplete {
		return Attempt{}, core.ErrCheckoutComplete
	}
	payment, err := s.store.Payment(ctx, checkout.LeasedPayment())
	if err != nil {
		return Attempt{}, err
	}
	switch {
	case payment.Exists():
	case payment.Status == core.PaymentRequiresAction:
		return s.goOnWithoutObject(ctx, payment, provider)
	default:
		return s.createAgain(ctx, payment, provider)
	}
	observation, err := s.observer.Sync(ctx, payment.Ref(), core.Cause{Kind: core.CauseBuyer})
	if err != nil {
		return Attempt{}, err
	}
	payment = observation.Payment
	switch payment.Status {
	case core.PaymentRequiresAction:
	case core.PaymentAuthorized, core.PaymentSucceeded:
		return Attempt{}, core.ErrCheckoutComplete
	case core.PaymentFailed, core.PaymentCanceled, core.PaymentExpired:
		return Attempt{}, errTryAgain
	case core.PaymentProcessing, core.PaymentNeedsReview:
		return Attempt{}, core.ErrPaymentInProgress
	}
	if payment.Account != provider.Account() {
		// The buyer chose another way to pay: the open one is closed first.
		if _, err := s.giveUp(ctx, payment.ID, core.Cause{Kind: core.CauseBuyer}); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	}
	if provider.Capabilities().Confirm == ports.ConfirmWithSource && !payment.Hosted {
		return Attempt{}, core.ErrPaymentInProgress // its money is asked for already
	}
	session, err := provider.OpenPayment(ctx, payment.Ref())
	if s.forgotten(payment, err) {
		if _, err := s.giveUp(ctx, payment.ID, core.Cause{Kind: core.CauseBuyer}); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	}
	if err != nil {
		return Attempt{}, err
	}
	return Attempt{Payment: payment, Action: session.Action}, nil
}

// createAgain goes on with an attempt whose creation was never answered: the same
// operation, the same key.
func (s *Service) createAgain(ctx context.Context, payment core.Payment, provider ports.Provider) (Attempt, error) {
	if payment.Account != provider.Account() {
		return Attempt{}, core.ErrPaymentInProgress
	}
	operations, err := s.store.PaymentOperations(ctx, payment.ID)
	if err != nil {
		return Attempt{}, err
	}
	for _, op := range operations {
		if op.Kind != core.OpCreatePayment || op.Status.Settled() {
			continue
		}
		if s.calls.Forgotten(op, provider) {
			return Attempt{}, core.ErrPaymentInProgress
		}
		if op, err = s.calls.Again(ctx, op.ID); err != nil {
			return Attempt{}, err
		}
		if op.Status.Settled() {
			break // by somebody else, perhaps as refused: then it must not be sent again
		}
		return s.create(ctx, provider, payment, op)
	}
	return Attempt{}, errTryAgain // settled since the payment was read
}

// Look has an attempt's object looked at, because the buyer's browser said that
// something happened there. The payment must be of the checkout; otherwise
// [ports.ErrNotFound].
func (s *Service) Look(ctx context.Context, checkout core.CheckoutID, id core.PaymentID) (core.Payment, core.Checkout, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	payment, err := s.store.Payment(ctx, id)
	if err != nil {
		return core.Payment{}, core.Checkout{}, err
	}
	if payment.Checkout != checkout {
		return core.Payment{}, core.Checkout{}, ports.ErrNotFound
	}
	if !payment.Exists() && payment.Status == core.PaymentRequiresAction {
		if err := s.settleOpen(ctx, id); err != nil {
			return core.Payment{}, core.Checkout{}, err
		}
		if payment, err = s.store.Payment(ctx, id); err != nil {
			return core.Payment{}, core.Checkout{}, err
		}
	}
	if payment.Exists() && !payment.Status.Terminal() {
		observation, err := s.observer.Sync(ctx, payment.Ref(), core.Cause{Kind: core.CauseBuyer})
		if err != nil {
			return core.Payment{}, core.Checkout{}, err
		}
		payment = observation.Payment
		if observation.Confirmable {
			if payment, err = s.confirm(ctx, payment, "", core.Cause{Kind: core.CauseBuyer}); lost(err) {
				return core.Payment{}, core.Checkout{}, err
			}
		}
	}
	c, err := s.store.Checkout(ctx, checkout)
	return payment, c, err
}

// lost reports an error that leaves open what became of a confirmation. A decline shows in
// the payment, and so does what moved it on meanwhile.
func lost(err error) bool {
	var refused *core.RefusedError
	return err != nil && !errors.As(err, &refused) && !errors.Is(err, core.ErrPaymentNotOpen)
}
