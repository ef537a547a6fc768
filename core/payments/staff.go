package payments

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Preview is what a use case would do to a payment as it stands.
type Preview struct {
	StatusAfter core.PaymentStatus // right after it; empty where that is the provider's to say
	Call        core.OperationKind // what the provider would be asked; empty for nothing
	Amount      core.Money         // the zero Money where it is about none
	Left        core.Money         // that could still be captured after it
}

// PreviewCapture is what [Service.Capture] would do. Errors are those of its checks.
func (s *Service) PreviewCapture(ctx context.Context, id core.PaymentID, minor *int64) (Preview, error) {
	p, err := s.store.Payment(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	amount, err := s.captureAmount(p, minor)
	if err != nil {
		return Preview{}, err
	}
	if err := s.free(ctx, id); err != nil {
		return Preview{}, err
	}
	left, err := p.Capturable().Sub(amount)
	if err != nil {
		return Preview{}, err
	}
	return Preview{StatusAfter: core.PaymentSucceeded, Call: core.OpCapturePayment, Amount: amount, Left: left}, nil
}

// captureAmount is what is to be captured of a payment; all that is left for nil.
func (s *Service) captureAmount(p core.Payment, minor *int64) (core.Money, error) {
	amount := p.Capturable()
	if minor != nil {
		var err error
		if amount, err = core.NewMoney(*minor, p.Amount.Currency()); err != nil {
			return core.Money{}, core.ErrAmountNotAvailable
		}
	}
	return amount, p.CheckCapture(amount, s.clock.Now())
}

// PreviewCancel is what [Service.Cancel] would do. Errors are those of its checks.
func (s *Service) PreviewCancel(ctx context.Context, id core.PaymentID) (Preview, error) {
	p, err := s.store.Payment(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	if err := p.CheckCancel(); err != nil {
		return Preview{}, err
	}
	if err := s.free(ctx, id); err != nil {
		return Preview{}, err
	}
	would := Preview{StatusAfter: core.PaymentCanceled}
	if p.Status != core.PaymentCanceled && p.Exists() {
		would.Call = core.OpCancelPayment
	}
	return would, nil
}

// free reports that another operation on a payment is not settled, or nil.
func (s *Service) free(ctx context.Context, id core.PaymentID) error {
	operations, err := s.store.SubjectOperations(ctx, string(id))
	if err != nil {
		return err
	}
	for _, op := range operations {
		if !op.Status.Settled() {
			return core.ErrPaymentInProgress
		}
	}
	return nil
}

// Sync has a payment looked at now, and gives it as it then stands. That somebody asked is written down
// before: what moves the payment is what the provider shows, with its own line in the history. One
// that never came to be at its provider is [core.ErrPaymentNotOpen].
func (s *Service) Sync(ctx context.Context, id core.PaymentID, cause core.Cause) (core.Payment, error) {
	var payment core.Payment
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) (err error) {
		if payment, err = tx.LockPayment(ctx, id); err != nil {
			return err
		}
		if !payment.Exists() {
			return core.ErrPaymentNotOpen
		}
		return s.record.Acted(ctx, tx, record.Change{Subject: string(id), Before: core.AuditState{"status": payment.Status}})
	})
	if err != nil {
		return payment, fmt.Errorf("sync %s: %w", id, err)
	}
	observation, err := s.observer.Sync(ctx, payment.Ref(), cause)
	if err != nil {
		return payment, fmt.Errorf("sync %s: %w", id, err)
	}
	return observation.Payment, nil
}

// ResolveReview has staff decide on a payment that needs review: it is looked at, and then either taken as
// the provider shows it, or given up.
//
// Errors: [core.ErrPaymentNotOpen] where it needs no review or cannot be decided so, as
// [core.Payment.Resolved] says; [core.ErrPaymentInProgress] while an operation on it is not settled, or
// money may still come of it; [core.ErrAccountNotOffered]; a *[core.ProviderError] where the provider
// cannot be asked.
func (s *Service) ResolveReview(ctx context.Context, id core.PaymentID, how core.ReviewResolution, cause core.Cause) (core.Payment, error) {
	if err := s.settleOpen(ctx, id); err != nil {
		return core.Payment{}, err
	}
	return s.observer.Resolve(ctx, id, how, cause)
}

// PreviewResolve is what [Service.ResolveReview] would do. What accepting comes to is the provider's to say.
func (s *Service) PreviewResolve(ctx context.Context, id core.PaymentID, how core.ReviewResolution) (Preview, error) {
	p, err := s.store.Payment(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	if p.Status != core.PaymentNeedsReview {
		return Preview{}, core.ErrPaymentNotOpen
	}
	if err := s.free(ctx, id); err != nil || how == core.ReviewAccept {
		return Preview{}, err
	}
	declined, err := p.Resolved(how, nil)
	return Preview{StatusAfter: declined.Status}, err
}
