package repair

import (
	"context"
	"errors"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// observe looks at an object through the observer. gone reports that the provider has no such object,
// or that its account is configured no more.
func (s *Service) observe(ctx context.Context, ref core.ProviderRef) (observation ports.Observation, gone bool, err error) {
	if _, configured := s.providers[ref.Account]; !configured {
		return observation, true, nil
	}
	observation, err = s.observer.Sync(ctx, ref, core.Cause{Kind: core.CauseRepair})
	return observation, err == nil && observation.Reason == core.ReasonMissing, err
}

// anomaly is what an object that has not moved is marked with for staff; empty for nothing, and where
// it has another mark already.
func (s *Service) anomaly(held core.Reason, gone, stuck bool, created time.Time) core.Reason {
	switch {
	case held != "":
		return ""
	case gone && s.clock.Now().Sub(created) >= missingAfter:
		return core.ReasonMissing
	case stuck:
		return core.ReasonStuck
	}
	return ""
}

// forStaff is the line that tells why an object waits for staff.
func (s *Service) forStaff(ctx context.Context, subject string, payment core.PaymentID, status string, why core.Reason) core.TimelineEntry {
	entry := s.record.SubjectEntry(ctx, subject, payment, status, core.TimelineObservation, core.Cause{Kind: core.CauseRepair})
	entry.Reason, entry.Note = why, "waits for staff"
	return entry
}

// The looks at objects are alike: look, then note that they had their turn, also where the look came
// to nothing, so that they do not keep others from theirs. What has not moved for too long is marked
// for staff; its status stays what it is.

func (s *Service) lookPayment(ctx context.Context, id string) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	payment, err := s.store.Payment(ctx, core.PaymentID(id))
	if err != nil {
		return err
	}
	observation, gone, lookErr := s.observe(ctx, payment.Ref())
	jobs, err := s.lostJobs(ctx, payment.ID, observation)
	if err != nil {
		return errors.Join(lookErr, err)
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockPayment(ctx, payment.ID)
		if err != nil {
			return err
		}
		if len(jobs) > 0 {
			if err := tx.Enqueue(ctx, jobs...); err != nil {
				return err
			}
		}
		now := s.clock.Now()
		next := held.LookAt()
		if next.IsZero() || next.After(now) {
			return nil
		}
		held.SyncedAt = now
		if why := s.anomaly(held.Anomaly, gone, held.Stuck(now), held.CreatedAt); why != "" {
			held.Anomaly, held.UpdatedAt = why, now
			if err := tx.AppendTimeline(ctx, s.forStaff(ctx, id, held.ID, string(held.Status), why)); err != nil {
				return err
			}
		}
		_, err = tx.UpdatePayment(ctx, held)
		return err
	})
	return errors.Join(away(lookErr), err)
}

// lostJobs are the jobs that must follow from how a payment stands, and that nobody has done: its
// money waits to be asked for, or was taken a second time and is still here.
func (s *Service) lostJobs(ctx context.Context, id core.PaymentID, observation ports.Observation) ([]ports.Job, error) {
	if observation.Confirmable {
		return []ports.Job{{Kind: ports.JobConfirmPayment, Payment: id}}, nil
	}
	payment, err := s.store.Payment(ctx, id)
	if err != nil || payment.Checkout == "" {
		return nil, err
	}
	checkout, err := s.store.Checkout(ctx, payment.Checkout)
	if err != nil || !checkout.Overpaid(payment) {
		return nil, err
	}
	return []ports.Job{{Kind: ports.JobClosePayment, Payment: id}}, nil
}

func (s *Service) lookRefund(ctx context.Context, id string) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	refund, err := s.store.Refund(ctx, core.RefundID(id))
	if err != nil {
		return err
	}
	_, gone, lookErr := s.observe(ctx, refund.Ref())
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockPayment(ctx, refund.Payment); err != nil {
			return err
		}
		held, err := tx.LockRefund(ctx, refund.ID)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		why := s.anomaly(held.Anomaly, gone, held.Stuck(now), held.CreatedAt)
		next := held.LookAt()
		if next.IsZero() || next.After(now) && why == "" {
			return nil // the look itself was noted
		}
		held.SyncedAt = now
		if why != "" {
			held.Anomaly, held.UpdatedAt = why, now
			if err := tx.AppendTimeline(ctx, s.forStaff(ctx, id, held.Payment, string(held.Status), why)); err != nil {
				return err
			}
		}
		_, err = tx.UpdateRefund(ctx, held)
		return err
	})
	return errors.Join(away(lookErr), err)
}

func (s *Service) lookDispute(ctx context.Context, id string) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	dispute, err := s.store.Dispute(ctx, core.DisputeID(id))
	if err != nil {
		return err
	}
	_, gone, lookErr := s.observe(ctx, dispute.Ref())
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockPayment(ctx, dispute.Payment); err != nil {
			return err
		}
		held, err := tx.LockDispute(ctx, dispute.ID)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		next := held.LookAt()
		if next.IsZero() || next.After(now) {
			return nil
		}
		held.SyncedAt = now
		if why := s.anomaly(held.Anomaly, gone, false, held.CreatedAt); why != "" {
			held.Anomaly, held.UpdatedAt = why, now
			if err := tx.AppendTimeline(ctx, s.forStaff(ctx, id, held.Payment, string(held.Status), why)); err != nil {
				return err
			}
		}
		_, err = tx.UpdateDispute(ctx, held)
		return err
	})
	return errors.Join(away(lookErr), err)
}

func (s *Service) lookMethod(ctx context.Context, id string) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	method, err := s.store.Method(ctx, core.MethodID(id))
	if err != nil {
		return err
	}
	_, _, lookErr := s.observe(ctx, method.Ref())
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockMethod(ctx, method.ID)
		next := held.LookAt()
		if err != nil || next.IsZero() || next.After(s.clock.Now()) {
			return err
		}
		held.SyncedAt = s.clock.Now()
		_, err = tx.UpdateMethod(ctx, held)
		return err
	})
	return errors.Join(away(lookErr), err)
}

func (s *Service) lookSubscription(ctx context.Context, id string) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	subscription, err := s.store.Subscription(ctx, core.SubscriptionID(id))
	if err != nil {
		return err
	}
	_, gone, lookErr := s.observe(ctx, subscription.Ref())
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockSubscription(ctx, subscription.ID)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		why := s.anomaly(held.Anomaly, gone, held.Stuck(now), held.CreatedAt)
		next := held.LookAt()
		if next.IsZero() || next.After(now) && why == "" {
			return nil // the look itself was noted
		}
		held.SyncedAt = now
		if why != "" {
			held.Anomaly, held.UpdatedAt = why, now
			if err := tx.AppendTimeline(ctx, s.forStaff(ctx, id, "", string(held.Status), why)); err != nil {
				return err
			}
		}
		_, err = tx.UpdateSubscription(ctx, held)
		return err
	})
	return errors.Join(away(lookErr), err)
}
