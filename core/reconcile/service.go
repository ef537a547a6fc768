// Package reconcile compares what is kept here with what the providers list, and has whatever
// differs looked at. The backfill does so every few minutes with what happened since it last did;
// it finds what no webhook brought. Like everybody else it moves nothing itself: it hands events
// to the inbox and objects to the observer.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// leaseTime is how long a run is believed to be alive after its last page.
	leaseTime = 2 * time.Minute
	// endTimeMax bounds what is still written down once a run's own time is over.
	endTimeMax = 5 * time.Second
)

// errTaken means that another run took the lease over.
var errTaken = errors.New("another run took over")

// Inbox stores deliveries, each event once, and tells how many were new.
type Inbox interface {
	AcceptNew(ctx context.Context, batch []core.Delivery) (int, error)
}

// Service is the backfill.
type Service struct {
	store     ports.Store
	providers ports.Providers
	observer  ports.Observer
	inbox     Inbox
	clock     ports.Clock
	wall      ports.Clock
	ids       ports.IDs
	pacer     ports.Pacer
}

// New makes the service. wall is the time that leases go by: a business clock that jumps must not
// end them.
func New(store ports.Store, providers ports.Providers, observer ports.Observer, inbox Inbox, clock, wall ports.Clock, ids ports.IDs, pacer ports.Pacer) *Service {
	return &Service{store: store, providers: providers, observer: observer, inbox: inbox, clock: clock, wall: wall, ids: ids, pacer: pacer}
}

// Accounts are the configured ones, sorted.
func (s *Service) Accounts() []core.AccountName { return slices.Sorted(maps.Keys(s.providers)) }

// configured is nil for a configured account, otherwise an error that names the field.
func (s *Service) configured(account core.AccountName) error {
	if _, ok := s.providers[account]; !ok {
		return &core.InvalidError{Fields: []core.FieldError{{Field: "account", Message: "is not configured"}}}
	}
	return nil
}

// lease is the right to work on something alone.
type lease struct {
	store        ports.Store
	wall         ports.Clock
	name, holder string
}

// take takes a lease; false where somebody else holds it. force takes it from them.
func (s *Service) take(ctx context.Context, name string, force bool) (l lease, ok bool, err error) {
	l = lease{store: s.store, wall: s.wall, name: name, holder: s.ids.Secret()}
	now := s.wall.Now()
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) (err error) {
		if ok = true; force {
			return tx.GrabLease(ctx, l.name, l.holder, now.Add(leaseTime))
		}
		ok, err = tx.TakeLease(ctx, l.name, l.holder, now, now.Add(leaseTime))
		return err
	})
	return l, ok, err
}

// while writes in a transaction and keeps the lease in it; it is errTaken where that is lost.
func (l lease) while(ctx context.Context, write func(ctx context.Context, tx ports.Tx) error) error {
	now := l.wall.Now()
	return l.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		ok, err := tx.KeepLease(ctx, l.name, l.holder, now.Add(leaseTime))
		if err != nil {
			return err
		}
		if !ok {
			return errTaken
		}
		return write(ctx, tx)
	})
}

// release gives it back, also where ctx is done.
func (l lease) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeMax)
	defer cancel()
	return l.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.ReleaseLease(ctx, l.name, l.holder) })
}

// plain is an error in words for staff: what the provider said, or that something inside went wrong.
func plain(err error) string {
	if refused, ok := errors.AsType[*core.ProviderError](err); ok {
		if refused.Foreign == "" {
			return fmt.Sprintf("the provider's answer: %s", refused.Class)
		}
		return fmt.Sprintf("the provider's answer: %s (%s)", refused.Class, refused.Foreign)
	}
	return "something inside went wrong; the log says what"
}
