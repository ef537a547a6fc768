package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// loaderWait is how long a loader waits for more ids before it asks the store.
	loaderWait = time.Millisecond
	// ofEachMax is how many things of one owner a field without pages gives, the newest.
	ofEachMax = 20
)

// reading gives the values of several keys; none for those that do not exist.
type reading[K comparable, V any] = func(ctx context.Context, keys []K) (map[K]V, error)

// source gives values by key, and remembers what it read.
type source[K ~string, V any] struct {
	read   reading[K, V]
	loader *dataloadgen.Loader[K, V] // for what nobody read ahead

	mu    sync.Mutex
	known map[K]*V // nil for what is not there
}

func newSource[K ~string, V any](read reading[K, V]) *source[K, V] {
	s := &source[K, V]{read: read, known: make(map[K]*V)}
	s.loader = dataloadgen.NewMappedLoader(read, dataloadgen.WithWait(loaderWait), dataloadgen.WithBatchCapacity(core.PageItemsMax))
	return s
}

// one reads objects by their ids.
func one[K ~string, V any](read func(context.Context, []K) ([]V, error), key func(V) K) *source[K, V] {
	return newSource(func(ctx context.Context, keys []K) (map[K]V, error) {
		values, err := read(ctx, keys)
		found := make(map[K]V, len(values))
		for _, value := range values {
			found[key(value)] = value
		}
		return found, err
	})
}

// each reads what belongs to owners, in the order in which it comes; an empty list for owners of none.
func each[K ~string, V any](read func(context.Context, []K) ([]V, error), owner func(V) K) *source[K, []V] {
	return newSource(func(ctx context.Context, keys []K) (map[K][]V, error) {
		values, err := read(ctx, keys)
		grouped := make(map[K][]V, len(keys))
		for _, key := range keys {
			grouped[key] = nil
		}
		for _, value := range values {
			grouped[owner(value)] = append(grouped[owner(value)], value)
		}
		return grouped, err
	})
}

// newest is each of a read that takes a limit.
func newest[K ~string, V any](read func(context.Context, []K, int) ([]V, error), owner func(V) K) *source[K, []V] {
	return each(func(ctx context.Context, keys []K) ([]V, error) { return read(ctx, keys, ofEachMax) }, owner)
}

// get gives the value of a key; nil for the empty key and for one that is not there.
func (s *source[K, V]) get(ctx context.Context, key K) (*V, error) {
	if key == "" {
		return nil, nil
	}
	s.mu.Lock()
	value, ok := s.known[key]
	s.mu.Unlock()
	if ok {
		return value, nil
	}
	loaded, err := s.loader.Load(ctx, key)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &loaded, nil
}

// begin starts the read of a key. Whoever asks for it, or for others, at once afterwards waits for the
// same read.
func (s *source[K, V]) begin(ctx context.Context, key K) { s.loader.LoadThunk(ctx, key) }

// know remembers a value that was read elsewhere.
func (s *source[K, V]) know(key K, value V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[key] = &value
}

// fill reads what is not known yet of the keys, and gives the values of all that are there, once each. A
// loader alone gathers keys only as long as it waits.
func (s *source[K, V]) fill(ctx context.Context, keys []K) ([]V, error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for missing := range slices.Chunk(s.unknown(keys), core.PageItemsMax) {
		found, err := s.read(ctx, missing)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		for _, key := range missing {
			if value, ok := found[key]; ok {
				s.known[key] = &value
			} else {
				s.known[key] = nil
			}
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []V
	for _, key := range keys {
		if value := s.known[key]; value != nil {
			values = append(values, *value)
		}
	}
	return values, nil
}

func (s *source[K, V]) unknown(keys []K) []K {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(keys), func(key K) bool {
		_, ok := s.known[key]
		return ok || key == ""
	})
}

// isAbsent reports whether an object is not there, which is an answer and no failure.
func isAbsent(err error) bool {
	return errors.Is(err, dataloadgen.ErrNotFound) || errors.Is(err, ports.ErrNotFound)
}

// loaders gather the single reads of one request into few, and remember what they read, so that one
// answer shows one state of an object.
type loaders struct {
	payments      *source[core.PaymentID, core.Payment]
	checkouts     *source[core.CheckoutID, core.Checkout]
	operations    *source[core.OperationID, core.Operation]
	refunds       *source[core.RefundID, core.Refund]
	disputes      *source[core.DisputeID, core.Dispute]
	customers     *source[core.CustomerID, core.Customer]
	subscriptions *source[core.SubscriptionID, core.Subscription]
	prices        *source[core.PriceID, core.Price]
	inbound       *source[core.InboundID, core.InboundEvent] // with their bodies
	evidence      *source[core.DisputeID, core.Evidence]

	operationsOf           *source[core.PaymentID, []core.Operation] // oldest first
	refundsOf              *source[core.PaymentID, []core.Refund]
	owners                 *source[core.StaffID, core.Staff]
	disputesOf             *source[core.PaymentID, []core.Dispute]
	paymentsOfCustomer     *source[core.CustomerID, []core.Payment]
	subscriptionsOf        *source[core.CustomerID, []core.Subscription]
	paymentsOfSubscription *source[core.SubscriptionID, []core.Payment]
	invoicesOf             *source[core.SubscriptionID, []core.Invoice]
	outcomesOf             *source[core.InboundID, []core.TimelineEntry]
}

func newLoaders(store ports.Reader) *loaders {
	return &loaders{
		payments:      one(store.PaymentsByID, func(p core.Payment) core.PaymentID { return p.ID }),
		checkouts:     one(store.Checkouts, func(c core.Checkout) core.CheckoutID { return c.ID }),
		operations:    one(store.OperationsByID, func(o core.Operation) core.OperationID { return o.ID }),
		refunds:       one(store.RefundsByID, func(r core.Refund) core.RefundID { return r.ID }),
		disputes:      one(store.DisputesByID, func(d core.Dispute) core.DisputeID { return d.ID }),
		customers:     one(store.CustomersByID, func(c core.Customer) core.CustomerID { return c.ID }),
		subscriptions: one(store.SubscriptionsByID, func(s core.Subscription) core.SubscriptionID { return s.ID }),
		prices:        one(store.PricesByID, func(p core.Price) core.PriceID { return p.ID }),
		inbound:       one(store.InboundByID, func(e core.InboundEvent) core.InboundID { return e.ID }),
		evidence:      one(store.EvidenceOfDisputes, func(e core.Evidence) core.DisputeID { return e.Dispute }),

		operationsOf:           each(store.OperationsOfPayments, func(o core.Operation) core.PaymentID { return o.Payment }),
		refundsOf:              newest(store.RefundsOfPayments, func(r core.Refund) core.PaymentID { return r.Payment }),
		owners:                 one(func(ctx context.Context, _ []core.StaffID) ([]core.Staff, error) { return store.Staff(ctx) }, func(s core.Staff) core.StaffID { return s.ID }),
		disputesOf:             newest(store.DisputesOfPayments, func(d core.Dispute) core.PaymentID { return d.Payment }),
		paymentsOfCustomer:     newest(store.PaymentsOfCustomers, func(p core.Payment) core.CustomerID { return p.Customer }),
		subscriptionsOf:        newest(store.SubscriptionsOfCustomers, func(s core.Subscription) core.CustomerID { return s.Customer }),
		paymentsOfSubscription: newest(store.PaymentsOfSubscriptions, func(p core.Payment) core.SubscriptionID { return p.Subscription }),
		invoicesOf:             newest(store.InvoicesOfSubscriptions, func(i core.Invoice) core.SubscriptionID { return i.Subscription }),
		outcomesOf:             newest(store.TimelineOfInbound, func(e core.TimelineEntry) core.InboundID { return e.Cause.Inbound }),
	}
}

// begin starts the reads of objects whose ids are well formed.
func (l *loaders) begin(ctx context.Context, ids []string) {
	for _, text := range ids {
		_ = beginOf(ctx, l.payments, text) || beginOf(ctx, l.checkouts, text) || beginOf(ctx, l.operations, text) ||
			beginOf(ctx, l.refunds, text) || beginOf(ctx, l.disputes, text) || beginOf(ctx, l.customers, text) ||
			beginOf(ctx, l.subscriptions, text) || beginOf(ctx, l.inbound, text)
	}
}

// beginOf starts a read where the text is an id of the source's kind, and tells whether it is.
func beginOf[K core.ID, V any](ctx context.Context, from *source[K, V], text string) bool {
	id, err := core.ParseID[K](text)
	if err == nil {
		from.begin(ctx, id)
	}
	return err == nil
}
