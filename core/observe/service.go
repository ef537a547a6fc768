// Package observe moves state: it looks at a provider's object, judges what it saw
// against what is held, and stores what follows in one transaction. Nothing else moves
// a payment. What a webhook, a browser, staff or a timer say is only ever a reason to
// look.
package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// syncTriesMax bounds how often one look starts over because somebody else moved the
// row between the look and the write.
const syncTriesMax = 5

// confirmDelay is how long the buyer's browser has to ask for the money that the buyer
// agreed to before it is done without.
const confirmDelay = 5 * time.Second

// Service implements [ports.Observer].
type Service struct {
	store     ports.Store
	providers ports.Providers
	clock     ports.Clock
	ids       ports.IDs
	record    *record.Recorder
}

// New makes the service.
func New(store ports.Store, providers ports.Providers, clock ports.Clock, ids ports.IDs, recorder *record.Recorder) *Service {
	return &Service{store: store, providers: providers, clock: clock, ids: ids, record: recorder}
}

// Sync fetches the object and applies what it saw.
//
// The payment's version is read before the fetch and checked under the row's lock after
// it. Where it has changed, what was fetched may be older than what is held, so the look
// starts over; two concurrent looks cannot overwrite newer with older.
func (s *Service) Sync(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	provider, ok := s.providers[ref.Account]
	if !ok {
		return ports.Observation{}, fmt.Errorf("sync %s: account is not configured: %w", ref, ports.ErrNotFound)
	}
	switch ref.Kind {
	case core.ObjectSetup, core.ObjectMethod:
		return s.syncMethod(ctx, ref, cause)
	case core.ObjectSubscription:
		return s.syncSubscription(ctx, ref, cause)
	case core.ObjectInvoice:
		return s.syncInvoice(ctx, ref, cause)
	case core.ObjectPayment, core.ObjectSession, core.ObjectRefund, core.ObjectDispute:
	}
	for range syncTriesMax {
		held, err := s.store.PaymentByRef(ctx, ref)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
		}
		if held.Exists() {
			ref = held.Ref() // what is paid at a page is looked at by it
		}
		snapshot, err := provider.GetPayment(ctx, ref)
		if err != nil {
			return s.missing(ctx, held, err, cause)
		}
		if held.ID == "" {
			if held, err = s.owner(ctx, snapshot); err != nil {
				return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
			}
		}
		if held.ID == "" && snapshot.Subscription != "" {
			return s.syncBilled(ctx, snapshot, cause)
		}
		if held.ID == "" {
			return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, core.InboundIgnored, "the object belongs to no payment here")
		}
		if held.ProviderSessionID != "" && ref.Kind != core.ObjectSession {
			ref = held.Ref()
			continue
		}
		observation, err := s.apply(ctx, held, snapshot, cause)
		if !errors.Is(err, ports.ErrConflict) {
			return observation, err
		}
	}
	return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, ports.ErrConflict)
}

// owner finds the payment that the provider's object names as its own, for one whose
// creating answer never reached us. The zero payment means nobody's.
func (s *Service) owner(ctx context.Context, seen core.PaymentSnapshot) (core.Payment, error) {
	if seen.Payment == "" {
		return core.Payment{}, nil
	}
	payment, err := s.store.Payment(ctx, seen.Payment)
	if errors.Is(err, ports.ErrNotFound) {
		return core.Payment{}, nil
	}
	if err != nil {
		return core.Payment{}, err
	}
	if payment.Account != seen.Ref.Account || payment.ProviderPaymentID != "" && payment.ProviderPaymentID != seen.Ref.ID {
		return core.Payment{}, nil
	}
	return payment, nil
}

// missing turns a failed look into an observation where the provider says that there
// is no such object, and into its error otherwise.
func (s *Service) missing(ctx context.Context, held core.Payment, err error, cause core.Cause) (ports.Observation, error) {
	var refused *core.ProviderError
	if !errors.As(err, &refused) || refused.Foreign != ports.ForeignMissing {
		return ports.Observation{}, err
	}
	observation := ports.Observation{Payment: held, Reason: core.ReasonMissing}
	return observation, s.noteInbound(ctx, cause, core.InboundIgnored, "the provider has no such object")
}

// noteInbound records what became of the event behind a look; nothing where none was.
func (s *Service) noteInbound(ctx context.Context, cause core.Cause, status core.InboundStatus, note string) error {
	if cause.Inbound == "" {
		return nil
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return tx.SetInboundStatus(ctx, cause.Inbound, status, note, s.clock.Now())
	})
}
