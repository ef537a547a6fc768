// Package observe moves state: it looks at a provider's object, judges what it saw
// against what is held, and stores what follows in one transaction. Nothing else moves
// a payment, or what follows a payment. What a webhook, a browser, staff or a timer say is only ever a reason to
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
	anomalies ports.Anomalies
}

// New makes the service.
func New(store ports.Store, providers ports.Providers, clock ports.Clock, ids ports.IDs, recorder *record.Recorder, anomalies ports.Anomalies) *Service {
	return &Service{store: store, providers: providers, clock: clock, ids: ids, record: recorder, anomalies: anomalies}
}

// Sync fetches the object and applies what it saw.
//
// The row's version is read before the fetch and checked under the row's lock after
// it. Where it has changed, what was fetched may be older than what is held, so the look
// starts over; two concurrent looks cannot overwrite newer with older.
func (s *Service) Sync(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	if _, ok := s.providers[ref.Account]; !ok {
		return ports.Observation{}, fmt.Errorf("sync %s: account is not configured: %w", ref, ports.ErrNotFound)
	}
	look := s.syncPayment
	switch ref.Kind {
	case core.ObjectPayment, core.ObjectSession:
	case core.ObjectRefund:
		look = s.syncRefund
	case core.ObjectDispute:
		look = s.syncDispute
	case core.ObjectMethod, core.ObjectSetup:
		look = s.syncMethod
	case core.ObjectSubscription:
		look = s.syncSubscription
	case core.ObjectInvoice:
		look = s.syncInvoice
	}
	for range syncTriesMax {
		observation, err := look(ctx, ref, cause)
		if !errors.Is(err, ports.ErrConflict) {
			return observation, err
		}
	}
	return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, ports.ErrConflict)
}

// syncPayment looks at a payment once, or at the page that it is paid at. As with all its
// siblings, [ports.ErrConflict] means that somebody else moved the row meanwhile.
func (s *Service) syncPayment(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	held, err := s.store.PaymentByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	if held.Exists() {
		ref = held.Ref() // what is paid at a page is looked at by it
	}
	snapshot, err := s.providers[ref.Account].GetPayment(ctx, ref)
	if err != nil {
		return s.missing(ctx, ports.Observation{Payment: held}, err, cause)
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
		return s.notOurs(ctx, cause)
	}
	if held.ProviderSessionID != "" && ref.Kind != core.ObjectSession {
		return s.syncPayment(ctx, held.Ref(), cause) // once more, by its page
	}
	around, err := s.lookAround(ctx, held, snapshot)
	if err != nil {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	return s.apply(ctx, held, snapshot, around, cause)
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
// What is held of it stays as it is.
func (s *Service) missing(ctx context.Context, held ports.Observation, err error, cause core.Cause) (ports.Observation, error) {
	var refused *core.ProviderError
	if !errors.As(err, &refused) || refused.Foreign != ports.ForeignMissing {
		return ports.Observation{}, err
	}
	held.Reason = core.ReasonMissing
	return held, s.noteInbound(ctx, cause, "the provider has no such object")
}

// notOurs is a look at an object that concerns nothing kept here.
func (s *Service) notOurs(ctx context.Context, cause core.Cause) (ports.Observation, error) {
	return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the object belongs to no payment here")
}

// work is one transaction, and what it found that the rules forbid.
type work struct {
	ports.Tx
	odd []core.ObjectKind
}

// odds notes that an object of that kind is an anomaly.
func (w *work) odds(kind core.ObjectKind) { w.odd = append(w.odd, kind) }

// inTx runs a transaction and counts the anomalies that it found, once they are committed.
func (s *Service) inTx(ctx context.Context, do func(ctx context.Context, w *work) error) error {
	var w *work
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		w = &work{Tx: tx} // the transaction may run again
		return do(ctx, w)
	})
	if err != nil {
		return err
	}
	for _, kind := range w.odd {
		s.anomalies.Count(ctx, kind)
	}
	return nil
}

// processed records that the event behind a look was taken up; nothing where none was.
func (s *Service) processed(ctx context.Context, tx ports.Tx, cause core.Cause, reason core.Reason) error {
	if cause.Inbound == "" {
		return nil
	}
	return tx.SetInboundStatus(ctx, cause.Inbound, core.InboundProcessed, string(reason), s.clock.Now())
}

// noteInbound records why the event behind a look moved nothing; nothing where there was none.
func (s *Service) noteInbound(ctx context.Context, cause core.Cause, note string) error {
	if cause.Inbound == "" {
		return nil
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return tx.SetInboundStatus(ctx, cause.Inbound, core.InboundIgnored, note, s.clock.Now())
	})
}
