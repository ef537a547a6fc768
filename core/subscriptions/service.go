// Package subscriptions holds the use cases of prices and of what is paid again and again: starting
// a subscription, changing, pausing, resuming and ending it. The billing is the provider's own.
//
// Every mutating provider call goes the way of package calls; no status is set here, that is the
// observer's.
package subscriptions

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
	// startTriesMax bounds how often starting an attempt begins anew because an earlier one came to
	// its end meanwhile.
	startTriesMax = 3
	// watchBatchMax is how many subscriptions one run of the sweep takes.
	watchBatchMax = 100
	// cancelEvery is how long one rests that could not be ended, or was looked at just now.
	cancelEvery = 5 * time.Minute
	// cancelAhead is how long before the paid period's end a subscription is ended that its provider
	// cannot end by itself: soon enough that nothing is asked for once more.
	cancelAhead = time.Hour
)

// Checkouts is what is needed of the service of checkouts.
type Checkouts interface {
	// Offered gives an account's provider where it can serve a checkout, and
	// [core.ErrAccountNotOffered] otherwise.
	Offered(ctx context.Context, account core.AccountName, c core.Checkout) (ports.Provider, error)
	// CloseWith says who gives up the attempts of a mode.
	CloseWith(mode core.CheckoutMode, closer func(ctx context.Context, lease string, cause core.Cause) error)
}

// Customers is what is needed of the service of customers.
type Customers interface {
	// Account gives the provider's id of a customer at an account, and has the counterpart made where
	// there is none yet; empty where the provider knows no customers. An outcome that is not known yet
	// is [core.ErrPaymentInProgress].
	Account(ctx context.Context, id core.CustomerID, account core.AccountName) (string, error)
}

// Refunds is what is needed of the service of refunds.
type Refunds interface {
	// GiveBack gives back all that is left of a payment that nobody needs; nil where nothing is left,
	// [ports.ErrJobGivenUp] where it cannot be.
	GiveBack(ctx context.Context, payment core.PaymentID, cause core.Cause) error
}

// Service holds the use cases. It is safe for concurrent use and keeps no state.
type Service struct {
	store       ports.Store
	providers   ports.Providers
	observer    ports.Observer
	checkouts   Checkouts
	customers   Customers
	refunds     Refunds
	clock       ports.Clock
	ids         ports.IDs
	record      *record.Recorder
	calls       *calls.Desk
	environment core.Environment
	url         core.PublicURL
}

// New makes the service, which gives up the attempts of checkouts of the mode subscription from then
// on.
func New(store ports.Store, providers ports.Providers, observer ports.Observer, checkouts Checkouts, buyers Customers, refunds Refunds,
	clock ports.Clock, ids ports.IDs, recorder *record.Recorder, environment core.Environment, url core.PublicURL,
) *Service {
	s := &Service{
		store: store, providers: providers, observer: observer, checkouts: checkouts, customers: buyers, refunds: refunds, clock: clock, ids: ids,
		record: recorder, calls: calls.New(store, providers, clock, ids, recorder), environment: environment, url: url,
	}
	checkouts.CloseWith(core.ModeSubscription, s.closeLease)
	return s
}

// Get gives a subscription; [ports.ErrNotFound] where there is none.
func (s *Service) Get(ctx context.Context, id core.SubscriptionID) (core.Subscription, error) {
	return s.store.Subscription(ctx, id)
}

// List lists subscriptions, newest first.
func (s *Service) List(ctx context.Context, filter ports.SubscriptionFilter, page core.PageRequest) (core.Page[core.Subscription], error) {
	return s.store.Subscriptions(ctx, filter, page)
}

// Invoices lists a subscription's invoices, newest first; [ports.ErrNotFound] where there is no such
// subscription.
func (s *Service) Invoices(ctx context.Context, id core.SubscriptionID, page core.PageRequest) (core.Page[core.Invoice], error) {
	if _, err := s.store.Subscription(ctx, id); err != nil {
		return core.Page[core.Invoice]{}, err
	}
	return s.store.Invoices(ctx, id, page)
}

func (s *Service) subscriber(account core.AccountName) (ports.Subscriber, error) {
	provider, ok := s.providers[account].(ports.Subscriber)
	if !ok || provider.Capabilities().Subscriptions == nil {
		return nil, fmt.Errorf("account %q: %w", account, core.ErrAccountNotOffered)
	}
	return provider, nil
}
