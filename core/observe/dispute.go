package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// syncDispute looks at a dispute once. One that is not known here belongs to the payment that it
// is about.
func (s *Service) syncDispute(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	disputer := s.disputer(ref.Account)
	if disputer == nil {
		return s.notOurs(ctx, cause)
	}
	held, err := s.store.DisputeByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	seen, err := disputer.GetDispute(ctx, ref)
	if err != nil {
		return s.missing(ctx, ports.Observation{Dispute: held}, err, cause)
	}
	payment := held.Payment
	if held.ID == "" {
		owner, err := s.store.PaymentByRef(ctx, seen.Payment)
		if errors.Is(err, ports.ErrNotFound) {
			return s.notOurs(ctx, cause)
		}
		if err != nil {
			return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
		}
		payment = owner.ID
	}
	var observation ports.Observation
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		locked, err := tx.LockPayment(ctx, payment)
		if err != nil {
			return err
		}
		observation.Dispute, observation.Reason, err = s.applyDispute(ctx, tx, locked, disputeSight{before: held, seen: seen}, cause)
		if err != nil {
			return err
		}
		if observation.Payment, err = s.redispute(ctx, tx, locked); err != nil {
			return err
		}
		return s.processed(ctx, tx, cause, observation.Reason)
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("apply what was seen of %s: %w", ref, err)
	}
	return observation, nil
}

// applyDispute judges a sight of one of a payment's disputes and stores what follows. The payment
// is locked; whether it is disputed is told anew afterwards.
func (s *Service) applyDispute(ctx context.Context, tx *work, payment core.Payment, sight disputeSight, cause core.Cause) (core.Dispute, core.Reason, error) {
	if sight.before.ID == "" {
		return s.openDispute(ctx, tx, payment, sight.seen, cause)
	}
	held, err := tx.LockDispute(ctx, sight.before.ID)
	if err != nil {
		return held, "", err
	}
	if held.Version != sight.before.Version {
		return held, "", ports.ErrConflict
	}
	return s.applyKnownDispute(ctx, tx, held, held, sight.seen, cause)
}

// applyKnownDispute does it for a dispute that is kept here, and locked. stored is the row;
// held is it with what an operation that was just settled did to it.
func (s *Service) applyKnownDispute(ctx context.Context, tx *work, stored, held core.Dispute, seen core.DisputeSnapshot, cause core.Cause) (core.Dispute, core.Reason, error) {
	held, err := s.settleDisputeShown(ctx, tx, held, seen)
	if err != nil {
		return held, "", err
	}
	application := core.ApplyDisputeSnapshot(held, seen)
	if application.Anomaly && application.Changed {
		tx.odds(core.ObjectDispute)
	}
	if application.Changed || cause.Kind == core.CauseWebhook || cause.Kind == core.CauseStaff {
		entry := s.disputeEntry(ctx, application.Dispute, cause)
		entry.From, entry.Verdict = string(held.Status), application.Verdict.String()
		entry.Reason, entry.Status = application.Reason, seen.ForeignStatus
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return held, "", err
		}
	}
	noted := !held.SubmittedAt.Equal(stored.SubmittedAt) || !held.AcceptedAt.Equal(stored.AcceptedAt)
	if !application.Changed && !noted {
		return stored, application.Reason, nil
	}
	dispute, err := s.storeDispute(ctx, tx, application.Dispute)
	if err != nil || !application.Moved && application.Reason != core.ReasonDetails && !noted {
		return dispute, application.Reason, err
	}
	kind := core.EventDisputeUpdated
	if dispute.Status.Closed() && stored.ClosedAt.IsZero() {
		kind = core.EventDisputeClosed
	}
	return dispute, application.Reason, s.record.Dispute(ctx, tx, kind, dispute)
}

func (s *Service) disputeEntry(ctx context.Context, d core.Dispute, cause core.Cause) core.TimelineEntry {
	return s.record.SubjectEntry(ctx, string(d.ID), d.Payment, string(d.Status), core.TimelineObservation, cause)
}

// storeDispute stores a dispute that changed, with when it ended.
func (s *Service) storeDispute(ctx context.Context, tx ports.Tx, dispute core.Dispute) (core.Dispute, error) {
	dispute.UpdatedAt, dispute.SyncedAt = s.clock.Now(), s.clock.Now()
	if dispute.Status.Closed() && dispute.ClosedAt.IsZero() {
		dispute.ClosedAt = s.clock.Now()
	}
	return tx.UpdateDispute(ctx, dispute)
}

// openDispute stores a dispute that is seen for the first time.
func (s *Service) openDispute(ctx context.Context, tx *work, payment core.Payment, seen core.DisputeSnapshot, cause core.Cause) (core.Dispute, core.Reason, error) {
	known, err := tx.PaymentDisputes(ctx, payment.ID)
	if err != nil {
		return core.Dispute{}, "", err
	}
	for _, other := range known {
		if other.ProviderDisputeID == seen.Ref.ID {
			return other, "", ports.ErrConflict // somebody else saw it at the same time
		}
	}
	entry := s.record.SubjectEntry(ctx, string(payment.ID), payment.ID, string(payment.Status), core.TimelineObservation, cause)
	entry.Status = seen.ForeignStatus
	if seen.Environment != payment.Environment || !seen.Status.Known() {
		tx.odds(core.ObjectDispute)
		entry.Verdict, entry.Reason = core.Impossible.String(), core.Reason(core.ReviewTransition)
		if seen.Environment != payment.Environment {
			entry.Reason = core.Reason(core.ReviewEnvironment)
		}
		return core.Dispute{}, entry.Reason, tx.AppendTimeline(ctx, entry)
	}
	dispute, now := core.NewDisputeFromSnapshot(payment, seen), s.clock.Now()
	dispute.ID = core.NewID[core.DisputeID](s.ids.UUID())
	dispute.CreatedAt, dispute.UpdatedAt, dispute.SyncedAt = now, now, now
	if dispute.Status.Closed() {
		dispute.ClosedAt = now
	}
	if dispute, err = tx.InsertDispute(ctx, dispute); err != nil {
		return dispute, "", err
	}
	entry.Subject, entry.From, entry.To = string(dispute.ID), string(dispute.Status), string(dispute.Status)
	entry.Kind, entry.Verdict, entry.Reason = core.TimelineCreated, core.Advance.String(), core.ReasonMoved
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return dispute, "", err
	}
	if err := s.record.Dispute(ctx, tx, core.EventDisputeOpened, dispute); err != nil || !dispute.Status.Closed() {
		return dispute, core.ReasonMoved, err
	}
	return dispute, core.ReasonMoved, s.record.Dispute(ctx, tx, core.EventDisputeClosed, dispute)
}

// redispute brings up to date whether a locked payment is disputed.
func (s *Service) redispute(ctx context.Context, tx ports.Tx, payment core.Payment) (core.Payment, error) {
	disputes, err := tx.PaymentDisputes(ctx, payment.ID)
	if err != nil {
		return payment, err
	}
	next := payment.WithDisputes(disputes)
	if next.Disputed == payment.Disputed {
		return payment, nil
	}
	next.UpdatedAt = s.clock.Now()
	return tx.UpdatePayment(ctx, next)
}

// settleDisputeShown settles the open operations that a sight of their dispute proves done, and
// notes in the dispute what they did.
func (s *Service) settleDisputeShown(ctx context.Context, tx ports.Tx, held core.Dispute, seen core.DisputeSnapshot) (core.Dispute, error) {
	operations, err := tx.SubjectOperations(ctx, string(held.ID))
	if err != nil {
		return held, err
	}
	for _, op := range operations {
		if op.Status.Settled() || !op.ShownByDispute(seen) {
			continue
		}
		op, err := s.settleOn(ctx, tx, op.ID, nil, seen.Ref.ID, string(held.Status))
		if err != nil {
			return held, err
		}
		held = held.Settles(op, s.clock.Now())
	}
	return held, nil
}

// SettleDispute implements [ports.Observer]. An answer to a call that was sent before may be an old
// one: a fresh look follows.
func (s *Service) SettleDispute(ctx context.Context, op core.Operation, snapshot *core.DisputeSnapshot, refused *core.ProviderError, cause core.Cause) (core.Dispute, error) {
	var dispute core.Dispute
	var lookAgain bool
	err := s.inTx(ctx, func(ctx context.Context, tx *work) error {
		payment, err := tx.LockPayment(ctx, op.Payment)
		if err != nil {
			return err
		}
		if dispute, err = tx.LockDispute(ctx, core.DisputeID(op.Subject)); err != nil {
			return err
		}
		settled, err := s.settleOn(ctx, tx, op.ID, refused, dispute.ProviderDisputeID, string(dispute.Status))
		if err != nil || settled.Status != core.OperationSucceeded {
			return err
		}
		after := dispute.Settles(settled, s.clock.Now())
		if snapshot == nil || settled.Attempts > 1 {
			lookAgain = true
			if after.SubmittedAt.Equal(dispute.SubmittedAt) && after.AcceptedAt.Equal(dispute.AcceptedAt) {
				return nil
			}
			dispute, err = s.storeDispute(ctx, tx, after)
			return err
		}
		if dispute, _, err = s.applyKnownDispute(ctx, tx, dispute, after, *snapshot, cause); err != nil {
			return err
		}
		_, err = s.redispute(ctx, tx, payment)
		return err
	})
	if err != nil {
		return core.Dispute{}, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	if lookAgain {
		observation, err := s.Sync(ctx, dispute.Ref(), cause)
		return observation.Dispute, err
	}
	return dispute, nil
}
