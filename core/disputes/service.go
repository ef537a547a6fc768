// Package disputes holds the use cases of disputes: drafting and submitting evidence, giving in,
// and telling of deadlines.
//
// A draft is kept here alone until it is submitted as a whole, for good. While it is being
// submitted it cannot be changed, so that a repeated call sends the same. No status is set here;
// that is the observer's.
package disputes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

const (
	// saveTriesMax bounds how often a change of a draft starts over because somebody else changed
	// it.
	saveTriesMax = 5
	// remindBatchMax is how many disputes of each number of days one run of the reminder goes through.
	remindBatchMax = 200
)

// Service holds the use cases. It is safe for concurrent use and keeps no state.
type Service struct {
	store     ports.Store
	providers ports.Providers
	observer  ports.Observer
	clock     ports.Clock
	ids       ports.IDs
	record    *record.Recorder
	calls     *calls.Desk
}

var _ calls.Sender = (*Service)(nil)

// New makes the service.
func New(store ports.Store, providers ports.Providers, observer ports.Observer, clock ports.Clock, ids ports.IDs, recorder *record.Recorder, desk *calls.Desk) *Service {
	return &Service{store: store, providers: providers, observer: observer, clock: clock, ids: ids, record: recorder, calls: desk}
}

// Get gives a dispute; [ports.ErrNotFound] where there is none.
func (s *Service) Get(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
	return s.store.Dispute(ctx, id)
}

// List lists disputes, newest first. The payment that it may be about must exist, otherwise
// [ports.ErrNotFound].
func (s *Service) List(ctx context.Context, filter ports.DisputeFilter, page core.PageRequest) (core.Page[core.Dispute], error) {
	if filter.Payment != "" {
		if _, err := s.store.Payment(ctx, filter.Payment); err != nil {
			return core.Page[core.Dispute]{}, err
		}
	}
	return s.store.Disputes(ctx, filter, page)
}

// disputer gives what can be asked of an account's disputes, and what it takes;
// [core.ErrNotSupported] where that is nothing.
func (s *Service) disputer(account core.AccountName) (ports.Disputer, ports.DisputeAbilities, error) {
	provider, ok := s.providers[account]
	if !ok {
		return nil, ports.DisputeAbilities{}, fmt.Errorf("account %q: %w", account, core.ErrAccountNotOffered)
	}
	disputer, ok := provider.(ports.Disputer)
	can := provider.Capabilities().Disputes
	if !ok || can == nil {
		return nil, ports.DisputeAbilities{}, core.ErrNotSupported
	}
	return disputer, *can, nil
}

// Remind tells of disputes that wait for evidence and whose deadline is near, once for each of
// [core.DisputeReminderDays]. It is the handler of [ports.JobWatchDisputes].
func (s *Service) Remind(ctx context.Context, _ ports.Job) error {
	var failed error
	now := s.clock.Now()
	for _, days := range slices.Backward(core.DisputeReminderDays) {
		due, err := s.store.DisputesDue(ctx, now, now.AddDate(0, 0, days), days, remindBatchMax)
		if err != nil {
			return errors.Join(failed, fmt.Errorf("find disputes that are due: %w", err))
		}
		for _, id := range due {
			if err := s.remind(ctx, id); err != nil {
				failed = errors.Join(failed, fmt.Errorf("remind of %s: %w", id, err))
			}
		}
	}
	return failed
}

func (s *Service) remind(ctx context.Context, id core.DisputeID) error {
	dispute, err := s.store.Dispute(ctx, id)
	if err != nil || dispute.ReminderDue(s.clock.Now()) == 0 {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		dispute, err := tx.LockDispute(ctx, id)
		if err != nil {
			return err
		}
		days := dispute.ReminderDue(s.clock.Now())
		if days == 0 {
			return nil
		}
		dispute.RemindedDays, dispute.UpdatedAt = days, s.clock.Now()
		if dispute, err = tx.UpdateDispute(ctx, dispute); err != nil {
			return err
		}
		return s.record.Dispute(ctx, tx, core.EventDisputeReminder, dispute)
	})
}
