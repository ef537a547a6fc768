package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Capture is a request to take authorized money.
type Capture struct {
	Payment    core.PaymentID
	Amount     *int64 // minor units of the payment's currency; nil means all that is left
	RequestKey core.RequestKey
	Cause      core.Cause
}

// Capture takes authorized money, once per RequestKey. The payment comes back as it
// stands; one whose capture got no answer is unchanged, and is settled later.
//
// Errors: [core.ErrPaymentNotOpen], [core.ErrAmountNotAvailable],
// [core.ErrPaymentInProgress] while another operation on the payment is not settled,
// *[core.RefusedError] where the provider said no, and a retryable *[core.ProviderError]
// where it was not reached.
func (s *Service) Capture(ctx context.Context, in Capture) (core.Payment, error) {
	ask := func(p core.Payment) (core.Money, error) {
		return s.captureAmount(p, in.Amount)
	}
	return s.operate(ctx, core.OpCapturePayment, in.Payment, in.RequestKey, in.Cause, ask)
}

// Cancel gives up a payment that took no money, once per RequestKey. Errors are those
// of [Service.Capture].
func (s *Service) Cancel(ctx context.Context, id core.PaymentID, key core.RequestKey, cause core.Cause) (core.Payment, error) {
	return s.cancel(ctx, id, key, cause)
}

func (s *Service) cancel(ctx context.Context, id core.PaymentID, key core.RequestKey, cause core.Cause) (core.Payment, error) {
	ask := func(p core.Payment) (core.Money, error) {
		return core.Zero(p.Amount.Currency()), p.CheckCancel()
	}
	return s.operate(ctx, core.OpCancelPayment, id, key, cause, ask)
}

// giveUp closes an attempt that nobody goes on with. One that turns out to hold the buyer's
// money is left alone: then it was paid after all.
func (s *Service) giveUp(ctx context.Context, id core.PaymentID, cause core.Cause) (core.Payment, error) {
	ask := func(p core.Payment) (core.Money, error) {
		none := core.Zero(p.Amount.Currency())
		if p.Status.HoldsMoney() {
			return none, core.ErrPaymentInProgress
		}
		return none, p.CheckCancel()
	}
	return s.operate(ctx, core.OpCancelPayment, id, "", cause, ask)
}

// operate is the one way of every verb that changes an existing payment: find what the
// same call led to before, settle what is open, write the operation down under the
// payment's lock, send it, settle it.
func (s *Service) operate(ctx context.Context, kind core.OperationKind, id core.PaymentID, key core.RequestKey, cause core.Cause,
	ask func(core.Payment) (core.Money, error),
) (core.Payment, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if key != "" {
		op, err := s.store.OperationByRequestKey(ctx, key)
		if err == nil {
			return s.resume(ctx, op, cause)
		}
		if !errors.Is(err, ports.ErrNotFound) {
			return core.Payment{}, err
		}
	}
	if err := s.settleOpen(ctx, id); err != nil {
		return core.Payment{}, err
	}
	if kind == core.OpCancelPayment {
		if payment, err := s.abandon(ctx, id, cause); !errors.Is(err, errAsked) {
			return payment, err
		}
	}
	payment, op, err := s.prepare(ctx, kind, id, key, ask)
	if errors.Is(err, core.ErrPaymentNotOpen) && s.lookFirst(ctx, payment) {
		payment, op, err = s.prepare(ctx, kind, id, key, ask)
	}
	if err != nil || op.ID == "" {
		return payment, err
	}
	payment, err = s.send(ctx, payment, op, cause)
	if kind == core.OpCancelPayment && s.forgotten(payment, err) {
		observation, err := s.observer.Abandon(ctx, id, cause)
		return observation.Payment, err
	}
	return payment, err
}

// lookFirst looks at a payment that seems not to allow what is asked of it, and reports whether it was
// behind: nobody may have told us that it moved.
func (s *Service) lookFirst(ctx context.Context, payment core.Payment) bool {
	waits := payment.Status == core.PaymentRequiresAction || payment.Status == core.PaymentProcessing
	if !waits || !payment.Exists() {
		return false
	}
	observation, err := s.observer.Sync(ctx, payment.Ref(), core.Cause{Kind: core.CauseRepair})
	return err == nil && observation.Payment.Status != payment.Status
}

// forgotten reports whether a provider does not know a payment any more that nobody could
// take money of without our server: it keeps such ones for some hours alone. Elsewhere an
// object that is gone may be one at an account that is configured no more.
func (s *Service) forgotten(p core.Payment, err error) bool {
	provider, ok := s.providers[p.Account]
	if !ok || provider.Capabilities().Confirm != ports.ConfirmAfterApproval || p.Status != core.PaymentRequiresAction {
		return false
	}
	if refused, is := errors.AsType[*core.RefusedError](err); is {
		return refused.Failure.ProviderCode == ports.ForeignMissing
	}
	missing, is := errors.AsType[*core.ProviderError](err)
	return is && missing.Foreign == ports.ForeignMissing
}

// prepare checks the request against the locked payment and writes the operation down.
// The zero operation means that there is nothing to do.
func (s *Service) prepare(ctx context.Context, kind core.OperationKind, id core.PaymentID, key core.RequestKey,
	ask func(core.Payment) (core.Money, error),
) (payment core.Payment, op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		op = core.Operation{}
		if payment, err = tx.LockPayment(ctx, id); err != nil {
			return err
		}
		if kind == core.OpCancelPayment && payment.Status == core.PaymentCanceled {
			return nil
		}
		amount, err := ask(payment)
		if err != nil {
			return err
		}
		if !payment.Exists() {
			if payment.Status == core.PaymentFailed {
				return nil // never came to be at the provider: nothing to cancel
			}
			return core.ErrPaymentInProgress
		}
		others, err := tx.PaymentOperations(ctx, id)
		if err != nil {
			return err
		}
		for _, other := range others {
			if !other.Status.Settled() && other.Subject == string(id) {
				return core.ErrPaymentInProgress
			}
		}
		op, err = s.writeDown(ctx, tx, payment, request{kind: kind, amount: amount, key: key})
		return err
	})
	return payment, op, err
}

// request is what an operation asks of a provider, beside what its payment says.
type request struct {
	kind   core.OperationKind
	amount core.Money // the zero amount where the kind has none
	key    core.RequestKey
	source string // of a confirmation; a secret
}

// writeDown has an operation on a payment written down.
func (s *Service) writeDown(ctx context.Context, tx ports.Tx, payment core.Payment, asked request) (core.Operation, error) {
	return s.calls.WriteDown(ctx, tx, calls.Asked{
		Kind: asked.kind, Account: payment.Account, Payment: payment.ID, Subject: string(payment.ID), Status: string(payment.Status),
		Amount: asked.amount, Key: asked.key, Source: asked.source,
		Parts: []string{payment.ProviderPaymentID, payment.ProviderSessionID, payment.Amount.String(), string(payment.Capture)},
	})
}

// send makes the call of an operation that is written down and settles it.
func (s *Service) send(ctx context.Context, payment core.Payment, op core.Operation, cause core.Cause) (core.Payment, error) {
	provider, err := s.account(op.Account)
	if err != nil {
		return payment, err
	}
	var snapshot core.PaymentSnapshot
	switch op.Kind {
	case core.OpCreatePayment:
		attempt, err := s.create(ctx, provider, payment, op)
		return attempt.Payment, err
	case core.OpConfirmPayment:
		snapshot, err = s.confirmation(ctx, provider, payment, op)
	case core.OpChargeMethod:
		snapshot, err = s.charge(ctx, provider, payment, op)
	case core.OpCapturePayment:
		snapshot, err = s.capture(ctx, provider, payment, op)
	case core.OpCancelPayment:
		snapshot, err = s.cancellation(ctx, provider, payment, op)
	default:
		return payment, fmt.Errorf("operation %s: kind %q is not known", op.ID, op.Kind)
	}
	result := ports.CallResult{Payment: payment, Err: calls.ProviderError(err)}
	if result.Err == nil {
		result.Snapshot = &snapshot
	}
	observation, err := s.observer.Settle(ctx, op, result, cause)
	if err != nil {
		return payment, err
	}
	payment = observation.Payment
	if result.Err != nil && settledBySight(result.Err) && payment.Exists() {
		// The provider says that the object is not in the state we thought: look.
		if observation, err = s.observer.Sync(ctx, payment.Ref(), cause); err == nil {
			payment = observation.Payment
		}
	}
	if result.Err != nil && result.Err.Class == core.ClassUnknown {
		return payment, nil // settled later; the payment is as it was
	}
	return payment, refusal(result.Err)
}

// capture makes the provider's call.
func (s *Service) capture(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation) (core.PaymentSnapshot, error) {
	key, err := s.calls.Key(op, provider)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	return provider.CapturePayment(ctx, key, payment.MoneyRef(), op.Amount)
}

// cancellation makes the provider's call.
func (s *Service) cancellation(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation) (core.PaymentSnapshot, error) {
	key, err := s.calls.Key(op, provider)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	return provider.CancelPayment(ctx, key, payment.Ref())
}

// settledBySight reports whether an error hints at a state that we have not seen.
func settledBySight(err *core.ProviderError) bool { return err.Class == core.ClassInvalid }

// resume gives a repeated call what its first led to.
func (s *Service) resume(ctx context.Context, op core.Operation, cause core.Cause) (core.Payment, error) {
	op, err := s.calls.Resume(ctx, op, s, cause)
	payment, readErr := s.store.Payment(ctx, op.Payment)
	if err = errors.Join(err, readErr); err != nil {
		return payment, err
	}
	if err := calls.Replayed(op); !errors.Is(err, core.ErrOperationOpen) {
		return payment, err
	}
	return payment, nil // settled later
}
