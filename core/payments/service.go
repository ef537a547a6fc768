// Package payments holds the use cases of checkouts and payments: opening a checkout,
// starting an attempt to pay it, capturing, canceling, expiring, and settling what a
// provider left unanswered.
//
// Every mutating provider call goes one way: it is written down as an operation and
// committed, then sent, then its outcome is committed together with what the answer
// showed. No provider is called inside a transaction, and no status is set here; that
// is the observer's.
package payments

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Limits of the use cases.
const (
	// startTriesMax bounds how often starting an attempt begins anew because an earlier
	// attempt came to its end meanwhile.
	startTriesMax = 3
	// expireBatchMax is how many checkouts one run of the sweep ends.
	expireBatchMax = 500
	// expiryGrace is how long after its end a checkout whose buyer is in the middle of
	// paying is left alone.
	expiryGrace = 15 * time.Minute
	// expireAgainLeast and expireAgainLongest bound how long a checkout rests that could not be ended,
	// which grows with how long its time is over.
	expireAgainLeast   = time.Minute
	expireAgainLongest = time.Hour
	// lookupPagesMax and lookupMargin bound the search for a lost answer's object in the
	// provider's list.
	lookupPagesMax = 20
	lookupMargin   = 10 * time.Minute
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
	settings  Settings
	closers   map[core.CheckoutMode]closer
}

// closer gives up the attempt that holds a checkout's lease, by its id, if it only waits for its
// buyer; [core.ErrPaymentInProgress] where it may still come to something.
type closer = func(ctx context.Context, lease string, cause core.Cause) error

// CloseWith says who gives up the attempts of a mode: closer is for one that only waits for its
// buyer, and is [core.ErrPaymentInProgress] where it may still come to something. It is for the
// wiring, before the first call.
func (s *Service) CloseWith(mode core.CheckoutMode, closer func(ctx context.Context, lease string, cause core.Cause) error) {
	s.closers[mode] = closer
}

// Settings is what the use cases need to know of the configuration.
type Settings struct {
	Environment core.Environment
	URL         core.PublicURL
	// ReturnOrigins are the origins ("https://shop.example") that success and cancel
	// URLs may have; empty allows any https origin, and any origin at all in test.
	ReturnOrigins []string
	// Rules say when each account is offered; one without rules, whenever it can serve.
	Rules map[core.AccountName]core.AccountRules
	// Down reports that an account does not answer at the moment, so that nobody should be
	// sent there; nil where nobody can tell.
	Down func(core.AccountName) bool
	// GiveBack gives back all that is left of a payment that took money a second time for the same
	// checkout; [ports.ErrJobGivenUp] where it cannot be.
	GiveBack func(ctx context.Context, payment core.PaymentID, cause core.Cause) error
}

// New makes the service.
func New(store ports.Store, providers ports.Providers, observer ports.Observer, clock ports.Clock, ids ports.IDs, recorder *record.Recorder, settings Settings) *Service {
	s := &Service{
		store: store, providers: providers, observer: observer, clock: clock, ids: ids,
		record: recorder, calls: calls.New(store, providers, clock, ids, recorder), settings: settings,
	}
	s.closers = map[core.CheckoutMode]closer{core.ModePayment: func(ctx context.Context, lease string, cause core.Cause) error {
		return s.closeLease(ctx, core.PaymentID(lease), cause)
	}}
	return s
}

// Checkout gives a checkout; [ports.ErrNotFound] where there is none.
func (s *Service) Checkout(ctx context.Context, id core.CheckoutID) (core.Checkout, error) {
	return s.store.Checkout(ctx, id)
}

// Payment gives a payment; [ports.ErrNotFound] where there is none.
func (s *Service) Payment(ctx context.Context, id core.PaymentID) (core.Payment, error) {
	return s.store.Payment(ctx, id)
}

// Payments lists payments, newest first.
func (s *Service) Payments(ctx context.Context, filter ports.PaymentFilter, page core.PageRequest) (core.Page[core.Payment], error) {
	return s.store.Payments(ctx, filter, page)
}

// CheckoutURL is the address of a checkout's hosted page.
func (s *Service) CheckoutURL(id core.CheckoutID) string { return s.settings.URL.CheckoutPage(id) }

// Now is the business clock's time, for shapes that depend on it.
func (s *Service) Now() time.Time { return s.clock.Now() }

func (s *Service) account(name core.AccountName) (ports.Provider, error) {
	provider, ok := s.providers[name]
	if !ok {
		return nil, fmt.Errorf("account %q: %w", name, core.ErrAccountNotOffered)
	}
	return provider, nil
}
