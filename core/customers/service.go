// Package customers holds the use cases of buyers whom storefronts know by an id of ours: making
// them, their counterparts at the accounts, and the methods that they leave to be charged later.
//
// Every mutating provider call goes the way of package calls; no status is set here, that is the
// observer's.
package customers

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// startTriesMax bounds how often starting an attempt begins anew because an earlier one came to its
// end meanwhile.
const startTriesMax = 3

// Checkouts is what is needed of the service of checkouts.
type Checkouts interface {
	// Offered gives an account's provider where it can serve a checkout, and
	// [core.ErrAccountNotOffered] otherwise.
	Offered(ctx context.Context, account core.AccountName, c core.Checkout) (ports.Provider, error)
	// CloseWith says who gives up the attempts of a mode.
	CloseWith(mode core.CheckoutMode, closer func(ctx context.Context, lease string, cause core.Cause) error)
}

// Service holds the use cases. It is safe for concurrent use and keeps no state.
type Service struct {
	store       ports.Store
	providers   ports.Providers
	observer    ports.Observer
	checkouts   Checkouts
	clock       ports.Clock
	ids         ports.IDs
	record      *record.Recorder
	calls       *calls.Desk
	environment core.Environment
	url         core.PublicURL
}

// New makes the service, which gives up the attempts of checkouts of the mode setup from then on.
func New(store ports.Store, providers ports.Providers, observer ports.Observer, checkouts Checkouts, clock ports.Clock, ids ports.IDs,
	recorder *record.Recorder, environment core.Environment, url core.PublicURL,
) *Service {
	s := &Service{
		store: store, providers: providers, observer: observer, checkouts: checkouts, clock: clock, ids: ids,
		record: recorder, calls: calls.New(store, providers, clock, ids, recorder), environment: environment, url: url,
	}
	checkouts.CloseWith(core.ModeSetup, s.closeLease)
	return s
}

// NewCustomer is a buyer to be known by an id.
type NewCustomer struct {
	RequestKey core.RequestKey // empty where the caller gave none
	Email      string          // one of it and Name is needed
	Name       string
	Metadata   map[string]string
}

// Create makes a customer, or gives the one that the same RequestKey made before. What is wrong with
// the request is a *[core.InvalidError].
func (s *Service) Create(ctx context.Context, in NewCustomer) (core.Customer, error) {
	fields := &check.Fields{}
	fields.Email("email", in.Email)
	fields.Text("name", in.Name, 0, check.NameMax)
	if in.Email == "" && in.Name == "" {
		fields.Refuse("email", "is needed, or a name")
	}
	fields.Metadata("metadata", in.Metadata)
	if err := fields.Err(); err != nil {
		return core.Customer{}, err
	}
	now := s.clock.Now()
	customer := core.Customer{
		ID: core.NewID[core.CustomerID](s.ids.UUID()), Email: in.Email, Name: in.Name, RequestKey: in.RequestKey,
		Environment: s.environment, Metadata: in.Metadata, CreatedAt: now, UpdatedAt: now,
	}
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		stored, err := tx.InsertCustomer(ctx, customer)
		if err == nil {
			customer = stored
		}
		return err
	})
	if errors.Is(err, ports.ErrDuplicate) && in.RequestKey != "" {
		return s.store.CustomerByRequestKey(ctx, in.RequestKey)
	}
	if err != nil {
		return core.Customer{}, fmt.Errorf("create customer: %w", err)
	}
	return customer, nil
}

// Get gives a customer; [ports.ErrNotFound] where there is none.
func (s *Service) Get(ctx context.Context, id core.CustomerID) (core.Customer, error) {
	return s.store.Customer(ctx, id)
}

// List lists customers, newest first.
func (s *Service) List(ctx context.Context, page core.PageRequest) (core.Page[core.Customer], error) {
	return s.store.Customers(ctx, ports.CustomerFilter{}, page)
}

// Methods gives the methods of a customer that can be charged, newest first; [ports.ErrNotFound]
// where there is no such customer.
func (s *Service) Methods(ctx context.Context, id core.CustomerID) ([]core.SavedMethod, error) {
	if _, err := s.store.Customer(ctx, id); err != nil {
		return nil, err
	}
	all, err := s.store.CustomerMethods(ctx, id)
	if err != nil {
		return nil, err
	}
	usable := make([]core.SavedMethod, 0, len(all))
	for _, method := range all {
		if method.Status == core.MethodActive {
			usable = append(usable, method)
		}
	}
	return usable, nil
}

// Method gives a saved method of a customer; [ports.ErrNotFound] where the customer has no such.
func (s *Service) Method(ctx context.Context, customer core.CustomerID, id core.MethodID) (core.SavedMethod, error) {
	method, err := s.store.Method(ctx, id)
	if err == nil && method.Customer != customer {
		return core.SavedMethod{}, ports.ErrNotFound
	}
	return method, err
}

func (s *Service) vault(account core.AccountName) (ports.Vault, error) {
	vault, ok := s.providers[account].(ports.Vault)
	if !ok {
		return nil, fmt.Errorf("account %q: %w", account, core.ErrAccountNotOffered)
	}
	return vault, nil
}
