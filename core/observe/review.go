package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Resolve implements [ports.Observer].
func (s *Service) Resolve(ctx context.Context, id core.PaymentID, how core.ReviewResolution, cause core.Cause) (core.Payment, error) {
	for range syncTriesMax {
		payment, err := s.resolve(ctx, id, how, cause)
		if err == nil {
			return payment, nil
		}
		if !errors.Is(err, ports.ErrConflict) {
			return payment, fmt.Errorf("resolve the review of %s: %w", id, err)
		}
	}
	return core.Payment{}, fmt.Errorf("resolve the review of %s: %w", id, ports.ErrConflict)
}

// resolve decides on what the provider shows now. It is [ports.ErrConflict] where the payment has changed
// since the look.
func (s *Service) resolve(ctx context.Context, id core.PaymentID, how core.ReviewResolution, cause core.Cause) (payment core.Payment, err error) {
	before, err := s.store.Payment(ctx, id)
	if err != nil {
		return before, err
	}
	if before.Status != core.PaymentNeedsReview {
		return before, core.ErrPaymentNotOpen
	}
	seen, err := s.shown(ctx, before)
	if err != nil {
		return before, err
	}
	err = s.inTx(ctx, func(ctx context.Context, w *work) error {
		checkout, held, err := lockBoth(ctx, w, before)
		if err != nil {
			return err
		}
		if held.Version != before.Version {
			return ports.ErrConflict
		}
		if payment, err = held.Resolved(how, seen); err != nil {
			return err
		}
		payment.UpdatedAt = s.clock.Now()
		if payment, err = w.UpdatePayment(ctx, payment); err != nil {
			return err
		}
		entry := s.record.Entry(ctx, payment, core.TimelineObservation, cause)
		entry.From, entry.Verdict, entry.Reason, entry.Note = string(held.Status), core.Advance.String(), core.ReasonByStaff, string(how)
		if err := w.AppendTimeline(ctx, entry); err != nil {
			return err
		}
		if payment, err = s.moved(ctx, w, checkout, payment, cause); err != nil {
			return err
		}
		if payment.Status == core.PaymentFailed && payment.Exists() {
			// The buyer could still pay it.
			if err := w.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: id}); err != nil {
				return err
			}
		}
		return s.record.Acted(ctx, w, record.Change{
			Subject: string(id), Before: core.AuditState{"status": held.Status, "review": held.Review},
			After: core.AuditState{"status": payment.Status, "resolution": how},
		})
	})
	return payment, err
}

// shown looks at a payment; nil where its provider has no such object.
func (s *Service) shown(ctx context.Context, held core.Payment) (*core.PaymentSnapshot, error) {
	if !held.Exists() {
		return nil, nil
	}
	provider, ok := s.providers[held.Account]
	if !ok {
		return nil, core.ErrAccountNotOffered
	}
	seen, err := provider.GetPayment(ctx, held.Ref())
	if refused, is := errors.AsType[*core.ProviderError](err); is && refused.Foreign == ports.ForeignMissing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	seen = s.withoutHints(held, seen)
	return &seen, nil
}
