package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// refundLookDelay is when a pending refund is looked at for the first time: some come to their
// end within seconds, and no event tells of it.
const refundLookDelay = 2 * time.Minute

// syncRefund looks at a refund once. One that is not known here is found by our id in it, or
// belongs to the payment that it gives back of.
func (s *Service) syncRefund(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	refunder := s.refunder(ref.Account)
	if refunder == nil {
		return s.notOurs(ctx, cause)
	}
	held, err := s.store.RefundByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	seen, err := refunder.GetRefund(ctx, ref)
	if err != nil {
		return s.missing(ctx, ports.Observation{Refund: held}, err, cause)
	}
	sight := refundSight{before: held, seen: seen}
	payment, err := s.refundOwner(ctx, &sight)
	if errors.Is(err, ports.ErrNotFound) {
		return s.notOurs(ctx, cause)
	}
	if err != nil {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	if err := s.beforeRefund(ctx, payment, cause); err != nil {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	var observation ports.Observation
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		locked, err := tx.LockPayment(ctx, payment)
		if err != nil {
			return err
		}
		observation.Refund, observation.Reason, err = s.applyRefund(ctx, tx, locked, sight, cause)
		if err != nil {
			return err
		}
		if observation.Payment, err = s.recount(ctx, tx, locked); err != nil {
			return err
		}
		return s.processed(ctx, tx, cause, observation.Reason)
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("apply what was seen of %s: %w", ref, err)
	}
	return observation, nil
}

// beforeRefund has a payment looked at that is not known to have taken money, though one of its refunds
// was told of: more would be given back than it took.
func (s *Service) beforeRefund(ctx context.Context, id core.PaymentID, cause core.Cause) error {
	payment, err := s.store.Payment(ctx, id)
	if err != nil || payment.Status == core.PaymentSucceeded || !payment.Exists() {
		return err
	}
	cause.Inbound = "" // it tells of the refund
	_, err = s.syncPayment(ctx, payment.Ref(), cause)
	return err
}

// refundOwner gives the payment that a refund is of, and adds to the sight what is held of it
// where the provider keeps our id.
func (s *Service) refundOwner(ctx context.Context, sight *refundSight) (core.PaymentID, error) {
	if sight.before.ID != "" {
		return sight.before.Payment, nil
	}
	if sight.seen.Refund != "" {
		held, err := s.store.Refund(ctx, sight.seen.Refund)
		if err == nil && held.ProviderRefundID == sight.seen.Ref.ID {
			return "", ports.ErrConflict // named since it was read
		}
		if err == nil && held.Account == sight.seen.Ref.Account && held.ProviderRefundID == "" {
			sight.before = held
			return held.Payment, nil
		}
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return "", err
		}
	}
	payment, err := s.store.PaymentByRef(ctx, sight.seen.Payment)
	return payment.ID, err
}

// applyRefund judges a sight of one of a payment's refunds and stores what follows. The payment
// is locked; its sums are counted anew afterwards.
func (s *Service) applyRefund(ctx context.Context, tx *work, payment core.Payment, sight refundSight, cause core.Cause) (core.Refund, core.Reason, error) {
	if sight.before.ID == "" {
		return s.applyStrangeRefund(ctx, tx, payment, sight.seen, cause)
	}
	held, err := tx.LockRefund(ctx, sight.before.ID)
	if err != nil {
		return held, "", err
	}
	if held.Version != sight.before.Version {
		return held, "", ports.ErrConflict
	}
	return s.applyKnownRefund(ctx, tx, held, sight.seen, cause)
}

// applyKnownRefund does it for a refund that is kept here, and locked.
func (s *Service) applyKnownRefund(ctx context.Context, tx *work, held core.Refund, seen core.RefundSnapshot, cause core.Cause) (core.Refund, core.Reason, error) {
	application := core.ApplyRefundSnapshot(held, seen)
	refund := application.Refund
	if application.Changed {
		if application.Anomaly {
			tx.odds(core.ObjectRefund)
		}
		refund.SyncedAt, refund.UpdatedAt = s.clock.Now(), s.clock.Now()
	} else if refund.Status == core.RefundPending {
		refund.SyncedAt = s.clock.Now() // so that it is not looked at again too soon
	}
	if !refund.SyncedAt.Equal(held.SyncedAt) || application.Changed {
		var err error
		if refund, err = tx.UpdateRefund(ctx, refund); err != nil {
			return refund, "", err
		}
	}
	if err := s.settleRefundShown(ctx, tx, refund); err != nil {
		return refund, "", err
	}
	if application.Changed || cause.Kind == core.CauseWebhook || cause.Kind == core.CauseStaff {
		entry := s.record.SubjectEntry(ctx, string(refund.ID), refund.Payment, string(refund.Status), core.TimelineObservation, cause)
		entry.From, entry.Verdict = string(held.Status), application.Verdict.String()
		entry.Reason, entry.Status = application.Reason, seen.ForeignStatus
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return refund, "", err
		}
	}
	first := held.ProviderRefundID == "" && refund.ProviderRefundID != ""
	if !application.Moved && !first {
		return refund, application.Reason, nil
	}
	return refund, application.Reason, s.refundMoved(ctx, tx, refund)
}

// applyStrangeRefund does it for a refund of the provider's own dashboard that is seen for the
// first time.
func (s *Service) applyStrangeRefund(ctx context.Context, tx *work, payment core.Payment, seen core.RefundSnapshot, cause core.Cause) (core.Refund, core.Reason, error) {
	known, err := tx.PaymentRefunds(ctx, payment.ID)
	if err != nil {
		return core.Refund{}, "", err
	}
	for _, other := range known {
		if other.ProviderRefundID == seen.Ref.ID {
			return other, "", ports.ErrConflict // somebody else saw it at the same time
		}
		if other.ProviderRefundID == "" && other.Status == core.RefundPending && other.Amount == seen.Amount && seen.Refund == "" {
			// It may be the one that is just being asked for: its own answer tells.
			return other, "", core.ErrOperationOpen
		}
	}
	entry := s.record.SubjectEntry(ctx, string(payment.ID), payment.ID, string(payment.Status), core.TimelineObservation, cause)
	entry.Status, entry.Verdict = seen.ForeignStatus, core.Advance.String()
	if reason := strangeReason(payment, seen.Environment, seen.Amount); reason != "" || !seen.Status.Known() {
		if reason == "" {
			reason = core.Reason(core.ReviewTransition)
		}
		tx.odds(core.ObjectRefund)
		entry.Verdict, entry.Reason = core.Impossible.String(), reason
		return core.Refund{}, reason, tx.AppendTimeline(ctx, entry)
	}
	refund := core.NewRefundFromSnapshot(payment, seen)
	now := s.clock.Now()
	refund.ID = core.NewID[core.RefundID](s.ids.UUID())
	refund.CreatedAt, refund.UpdatedAt, refund.SyncedAt = now, now, now
	if refund, err = tx.InsertRefund(ctx, refund); err != nil {
		return refund, "", err
	}
	entry.Subject, entry.From, entry.To = string(refund.ID), string(refund.Status), string(refund.Status)
	entry.Kind, entry.Reason = core.TimelineCreated, core.ReasonMoved
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return refund, "", err
	}
	return refund, core.ReasonMoved, s.refundMoved(ctx, tx, refund)
}

// strangeReason tells why an object that is seen for the first time can be no part of a payment's
// story; empty where it can.
func strangeReason(payment core.Payment, environment core.Environment, amount core.Money) core.Reason {
	switch {
	case environment != payment.Environment:
		return core.Reason(core.ReviewEnvironment)
	case amount.Currency() != payment.Amount.Currency():
		return core.Reason(core.ReviewCurrency)
	case !amount.IsPositive():
		return core.Reason(core.ReviewAmount)
	}
	return ""
}

// refundMoved tells of a refund's status, and has one that takes its time looked at again.
func (s *Service) refundMoved(ctx context.Context, tx ports.Tx, refund core.Refund) error {
	if err := s.record.Refund(ctx, tx, refund); err != nil || refund.Status != core.RefundPending {
		return err
	}
	return tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncRefund, Subject: string(refund.ID), Delay: refundLookDelay})
}

// settleRefundShown settles the open operation that made a refund which was seen.
func (s *Service) settleRefundShown(ctx context.Context, tx ports.Tx, refund core.Refund) error {
	if refund.Origin != core.OriginHere || refund.ProviderRefundID == "" {
		return nil
	}
	made := func(op core.Operation) bool { return op.Kind == core.OpRefundPayment }
	return s.settleSubject(ctx, tx, string(refund.ID), string(refund.Status), refund.ProviderRefundID, made)
}

// recount brings what a locked payment gave back up to date with its refunds.
func (s *Service) recount(ctx context.Context, tx *work, payment core.Payment) (core.Payment, error) {
	refunds, err := tx.PaymentRefunds(ctx, payment.ID)
	if err != nil {
		return payment, err
	}
	next, news := payment.WithRefunds(refunds)
	if news {
		tx.odds(core.ObjectPayment)
	}
	if next.AmountRefunded == payment.AmountRefunded && next.Anomaly == payment.Anomaly {
		return payment, nil
	}
	next.UpdatedAt = s.clock.Now()
	return tx.UpdatePayment(ctx, next)
}

// SettleRefund implements [ports.Observer]. An answer to a call that was sent before, or about a
// refund that was seen meanwhile, may be an old one: a fresh look follows.
func (s *Service) SettleRefund(ctx context.Context, op core.Operation, snapshot *core.RefundSnapshot, refused *core.ProviderError, cause core.Cause) (core.Refund, error) {
	var refund core.Refund
	var lookAgain bool
	err := s.inTx(ctx, func(ctx context.Context, tx *work) error {
		payment, err := tx.LockPayment(ctx, op.Payment)
		if err != nil {
			return err
		}
		if refund, err = tx.LockRefund(ctx, core.RefundID(op.Subject)); err != nil {
			return err
		}
		objectID := ""
		if snapshot != nil {
			objectID = snapshot.Ref.ID
		}
		settled, err := s.settleOn(ctx, tx, op.ID, refused, objectID, string(refund.Status))
		if err != nil {
			return err
		}
		switch {
		case settled.Status == core.OperationFailed:
			refund, err = s.refundRejected(ctx, tx, refund, settled, cause)
		case snapshot != nil:
			lookAgain = refund.ProviderRefundID != "" || settled.Attempts > 1
			if refund.ProviderRefundID == "" {
				refund, _, err = s.applyKnownRefund(ctx, tx, refund, *snapshot, cause)
			}
		}
		if err != nil {
			return err
		}
		_, err = s.recount(ctx, tx, payment)
		return err
	})
	if err != nil {
		return core.Refund{}, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	if lookAgain {
		observation, err := s.Sync(ctx, refund.Ref(), cause)
		return observation.Refund, err
	}
	return refund, nil
}

// refundRejected records that the provider refused to make a refund.
func (s *Service) refundRejected(ctx context.Context, tx ports.Tx, held core.Refund, op core.Operation, cause core.Cause) (core.Refund, error) {
	refund := held.Rejected(op)
	if refund.Status == held.Status {
		return held, nil
	}
	refund.UpdatedAt = s.clock.Now()
	refund, err := tx.UpdateRefund(ctx, refund)
	if err != nil {
		return refund, err
	}
	entry := s.record.SubjectEntry(ctx, string(refund.ID), refund.Payment, string(refund.Status), core.TimelineObservation, cause)
	entry.From, entry.Operation, entry.Verdict, entry.Reason = string(held.Status), op.ID, core.Advance.String(), core.ReasonProviderError
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return refund, err
	}
	return refund, s.record.Refund(ctx, tx, refund)
}
