// Package refunds holds the use cases of refunds: giving money back, looking at what takes its
// time, and settling what a provider left unanswered.
//
// A refund is stored, and takes from what is left of its payment, before its provider is asked.
// No status is set here; that is the observer's.
package refunds

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// lookupMargin is how far the provider's clock may be behind ours.
const lookupMargin = 10 * time.Minute

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

// Get gives a refund; [ports.ErrNotFound] where there is none.
func (s *Service) Get(ctx context.Context, id core.RefundID) (core.Refund, error) {
	return s.store.Refund(ctx, id)
}

// List lists refunds, newest first. The payment that it may be about must exist, otherwise
// [ports.ErrNotFound].
func (s *Service) List(ctx context.Context, filter ports.RefundFilter, page core.PageRequest) (core.Page[core.Refund], error) {
	if filter.Payment != "" {
		if _, err := s.store.Payment(ctx, filter.Payment); err != nil {
			return core.Page[core.Refund]{}, err
		}
	}
	return s.store.Refunds(ctx, filter, page)
}

// refunder gives what can be asked of an account's refunds; [core.ErrNotSupported] where it gives
// none.
func (s *Service) refunder(account core.AccountName) (ports.Refunder, error) {
	provider, ok := s.providers[account]
	if !ok {
		return nil, fmt.Errorf("account %q: %w", account, core.ErrAccountNotOffered)
	}
	refunder, ok := provider.(ports.Refunder)
	if !ok || !provider.Capabilities().Refund {
		return nil, core.ErrNotSupported
	}
	return refunder, nil
}

// Look has a refund looked at that is still pending. It is the handler of [ports.JobSyncRefund].
func (s *Service) Look(ctx context.Context, job ports.Job) error {
	id := core.RefundID(job.Subject)
	refund, err := s.store.Refund(ctx, id)
	if err != nil {
		return fmt.Errorf("look at %s: %w", id, err)
	}
	if refund.Status != core.RefundPending {
		return nil
	}
	if refund.ProviderRefundID == "" {
		return s.settle(ctx, id)
	}
	if _, err := s.observer.Sync(ctx, refund.Ref(), core.Cause{Kind: core.CauseTimer}); err != nil {
		return fmt.Errorf("look at %s: %w", id, err)
	}
	return nil
}

// settle settles the operation that is to make a refund. One whose outcome stays open is no error: it
// is tried again.
func (s *Service) settle(ctx context.Context, id core.RefundID) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	err := s.calls.SettleOpen(ctx, string(id), s)
	if err != nil && !errors.Is(err, core.ErrOperationOpen) {
		return fmt.Errorf("settle %s: %w", id, err)
	}
	return nil
}
