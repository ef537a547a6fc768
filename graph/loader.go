package graph

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// loaderWait is how long a loader waits for more ids before it asks the store.
const loaderWait = time.Millisecond

// reading gives the values of several keys; none for those that do not exist.
type reading[K comparable, V any] = func(ctx context.Context, keys []K) (map[K]V, error)

// loaders gather the single reads of one request into few. They also remember what they
// read, so that one answer shows one state of an object.
type loaders struct {
	checkouts  *dataloadgen.Loader[core.CheckoutID, core.Checkout]
	payments   *dataloadgen.Loader[core.PaymentID, core.Payment]
	operations *dataloadgen.Loader[core.OperationID, core.Operation]
	// operationsOf gives a payment's operations, oldest first; an empty list for none.
	operationsOf *dataloadgen.Loader[core.PaymentID, []core.Operation]

	readCheckouts    reading[core.CheckoutID, core.Checkout]
	readOperationsOf reading[core.PaymentID, []core.Operation]
}

func newLoaders(store ports.Reader) *loaders {
	options := []dataloadgen.Option{dataloadgen.WithWait(loaderWait), dataloadgen.WithBatchCapacity(core.PageItemsMax)}
	payments := byKey(store.PaymentsByID, func(p core.Payment) core.PaymentID { return p.ID })
	operations := byKey(store.OperationsByID, func(o core.Operation) core.OperationID { return o.ID })
	l := &loaders{
		readCheckouts:    byKey(store.Checkouts, func(c core.Checkout) core.CheckoutID { return c.ID }),
		readOperationsOf: operationsByPayment(store),
		payments:         dataloadgen.NewMappedLoader(payments, options...),
		operations:       dataloadgen.NewMappedLoader(operations, options...),
	}
	l.checkouts = dataloadgen.NewMappedLoader(l.readCheckouts, options...)
	l.operationsOf = dataloadgen.NewMappedLoader(l.readOperationsOf, options...)
	return l
}

func operationsByPayment(store ports.Reader) reading[core.PaymentID, []core.Operation] {
	return func(ctx context.Context, payments []core.PaymentID) (map[core.PaymentID][]core.Operation, error) {
		operations, err := store.OperationsOfPayments(ctx, payments)
		if err != nil {
			return nil, err
		}
		grouped := make(map[core.PaymentID][]core.Operation, len(payments))
		for _, id := range payments {
			grouped[id] = nil
		}
		for _, operation := range operations {
			grouped[operation.Payment] = append(grouped[operation.Payment], operation)
		}
		return grouped, nil
	}
}

func byKey[K comparable, V any](read func(context.Context, []K) ([]V, error), key func(V) K) reading[K, V] {
	return func(ctx context.Context, keys []K) (map[K]V, error) {
		values, err := read(ctx, keys)
		if err != nil {
			return nil, err
		}
		found := make(map[K]V, len(values))
		for _, value := range values {
			found[key(value)] = value
		}
		return found, nil
	}
}

// load gives the object with an id; nil for the empty id and for one that is not there.
func load[K ~string, V any](ctx context.Context, loader *dataloadgen.Loader[K, V], id K) (*V, error) {
	if id == "" {
		return nil, nil
	}
	value, err := loader.Load(ctx, id)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &value, nil
}

// isAbsent reports whether an object is not there, which is an answer and no failure.
func isAbsent(err error) bool {
	return errors.Is(err, dataloadgen.ErrNotFound) || errors.Is(err, ports.ErrNotFound)
}

// prefetch reads what a page of payments leads to, as far as the query asks for it, each
// kind in one read whatever the size of the page.
func (l *loaders) prefetch(ctx context.Context, page []core.Payment) error {
	var checkouts []core.CheckoutID
	payments := make([]core.PaymentID, len(page))
	for i, payment := range page {
		l.payments.Prime(payment.ID, payment)
		payments[i] = payment.ID
		if payment.Checkout != "" && !slices.Contains(checkouts, payment.Checkout) {
			checkouts = append(checkouts, payment.Checkout)
		}
	}
	if len(checkouts) > 0 && graphql.AnyFieldRequested(ctx, "edges.node.checkout", "nodes.checkout") {
		if err := fill(ctx, l.checkouts, l.readCheckouts, checkouts); err != nil {
			return err
		}
	}
	if len(payments) > 0 && graphql.AnyFieldRequested(ctx, "edges.node.operations", "nodes.operations") {
		return fill(ctx, l.operationsOf, l.readOperationsOf, payments)
	}
	return nil
}

// fill reads the keys at once into the loader. A loader alone gathers them only as long
// as it waits.
func fill[K comparable, V any](ctx context.Context, loader *dataloadgen.Loader[K, V], read reading[K, V], keys []K) error {
	found, err := read(ctx, keys)
	for key, value := range found {
		loader.Prime(key, value)
	}
	return err
}

// begin starts the reads of objects whose ids are well formed. Whoever asks for them
// afterwards waits for one read of each kind.
func (l *loaders) begin(ctx context.Context, ids []string) {
	for _, text := range ids {
		if id, err := core.ParseID[core.PaymentID](text); err == nil {
			l.payments.LoadThunk(ctx, id)
		} else if id, err := core.ParseID[core.CheckoutID](text); err == nil {
			l.checkouts.LoadThunk(ctx, id)
		} else if id, err := core.ParseID[core.OperationID](text); err == nil {
			l.operations.LoadThunk(ctx, id)
		}
	}
}
