package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// syncInvoice looks at an invoice, and with it at the subscription that asks for it.
func (s *Service) syncInvoice(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	provider := s.subscriber(ref.Account)
	if provider == nil {
		return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the account bills no subscriptions")
	}
	seen, err := provider.GetInvoice(ctx, ref)
	if err != nil {
		return s.missing(ctx, ports.Observation{}, err, cause)
	}
	if seen.Subscription.ID == "" {
		return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the invoice belongs to no subscription")
	}
	observation, err := s.syncBilling(ctx, seen.Subscription, ref, nil, cause)
	if err != nil || observation.Subscription.ID == "" {
		return observation, err
	}
	observation.Invoice, err = s.store.InvoiceByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return observation, fmt.Errorf("sync %s: %w", ref, err)
	}
	return observation, nil
}

// syncBilled looks at the subscription that a payment which is not known here was asked for by, so
// that the payment becomes known with it.
func (s *Service) syncBilled(ctx context.Context, seen core.PaymentSnapshot, cause core.Cause) (ports.Observation, error) {
	ref := core.ProviderRef{Account: seen.Ref.Account, Kind: core.ObjectSubscription, ID: seen.Subscription}
	observation, err := s.syncBilling(ctx, ref, core.ProviderRef{}, &seen, cause)
	if err != nil || observation.Subscription.ID == "" {
		return observation, err
	}
	observation.Payment, err = s.store.PaymentByRef(ctx, seen.Ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return observation, fmt.Errorf("sync %s: %w", seen.Ref, err)
	}
	return observation, nil
}

// applyInvoices mirrors the invoices of a subscription and the payments of those, the oldest first,
// so that storefronts hear of them in order. The subscription is locked.
func (s *Service) applyInvoices(ctx context.Context, tx *work, subscription core.Subscription, seen sight, cause core.Cause) error {
	taken := map[string]bool{}
	for _, invoice := range slices.Backward(seen.Invoices) {
		if invoice.Environment != subscription.Environment || invoice.Ref.Account != subscription.Account {
			continue
		}
		taken[invoice.Payment.ID] = true
		if err := s.applyInvoice(ctx, tx, subscription, invoice, seen.payments[invoice.Payment.ID], cause); err != nil {
			return err
		}
	}
	for id, payment := range seen.payments {
		if taken[id] {
			continue
		}
		if _, err := s.applyBilled(ctx, tx, subscription, "", payment, cause); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) applyInvoice(ctx context.Context, tx *work, subscription core.Subscription, seen core.InvoiceSnapshot, payment paymentSight, cause core.Cause) error {
	now := s.clock.Now()
	held, err := tx.LockInvoiceByRef(ctx, seen.Ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return err
	}
	if held.ID == "" {
		held = core.NewInvoice(core.NewID[core.InvoiceID](s.ids.UUID()), subscription, seen)
		if held.IssuedAt.IsZero() {
			held.IssuedAt = now
		}
		held.CreatedAt, held.UpdatedAt = now, now
		if held, err = tx.InsertInvoice(ctx, held); err != nil {
			return err
		}
	}
	paidBy, err := s.applyBilled(ctx, tx, subscription, held.ID, payment, cause)
	if err != nil {
		return err
	}
	application := core.ApplyInvoiceSnapshot(held, seen, paidBy)
	if !application.Changed {
		return nil
	}
	next := application.Invoice
	next.UpdatedAt = now
	if next, err = tx.UpdateInvoice(ctx, next); err != nil {
		return err
	}
	if application.Anomaly {
		tx.odds(core.ObjectInvoice)
	}
	if application.Moved || application.Anomaly {
		entry := s.record.SubjectEntry(ctx, string(next.ID), next.Payment, string(next.Status), core.TimelineObservation, cause)
		entry.From, entry.Verdict, entry.Reason, entry.Status = string(held.Status), application.Verdict.String(), application.Reason, seen.ForeignStatus
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return err
		}
	}
	if application.Event == "" {
		return nil
	}
	return s.record.Invoice(ctx, tx, application.Event, next)
}

// applyBilled makes a payment that a subscription's billing asked for known, or moves the one that
// is, and gives its id; empty where there is none. It is [ports.ErrConflict] where the payment has
// changed since it was read.
func (s *Service) applyBilled(ctx context.Context, tx *work, subscription core.Subscription, invoice core.InvoiceID, payment paymentSight, cause core.Cause) (core.PaymentID, error) {
	if payment.seen == nil {
		return payment.held.ID, nil
	}
	held, err := tx.LockPaymentByRef(ctx, payment.seen.Ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return "", err
	}
	if held.Version != payment.held.Version {
		return "", ports.ErrConflict
	}
	if held.ID != "" && held.Subscription != subscription.ID {
		tx.odds(core.ObjectInvoice) // it is moved by its own checkout, or by another's billing
		return "", nil
	}
	if held.ID == "" {
		held = core.NewSubscriptionPayment(core.NewID[core.PaymentID](s.ids.UUID()), subscription, invoice, *payment.seen, s.clock.Now())
		if held, err = tx.InsertPayment(ctx, held); err != nil {
			return "", err
		}
		if err := tx.AppendTimeline(ctx, s.record.Entry(ctx, held, core.TimelineCreated, cause)); err != nil {
			return "", err
		}
	} else if held.Invoice == "" && invoice != "" {
		held.Invoice = invoice
		if held, err = tx.UpdatePayment(ctx, held); err != nil {
			return "", err
		}
	}

	_, err = s.applyLocked(ctx, tx, core.Checkout{}, held, *payment.seen, cause)
	return held.ID, err
}
