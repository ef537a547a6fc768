package graph

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// Limits of subscriptions.
const (
	// streamsMax is how many subscriptions there may be on this node, and streamsOfOneMax how many of
	// one member of staff. As many WebSockets may be open.
	streamsMax      = 500
	streamsOfOneMax = 20
	// stillEvery is how often is asked whether the reader may still read, besides before each answer.
	stillEvery = 10 * time.Second
	// heartbeatEvery is how often a stream that has nothing to say shows that it lives.
	heartbeatEvery = 15 * time.Second
	// watchTimeMax is how long a subscription may take to begin, or one answer to be read.
	watchTimeMax = 5 * time.Second
	// summaryPause is the least time between two summaries.
	summaryPause = 2 * time.Second
	// paymentsReadMax is how many changed payments are read at once.
	paymentsReadMax = 50
)

var errGap = errors.New("changes may have been missed")

// slots count what is open, of each member of staff and of all. The zero value is ready for use.
type slots struct {
	mu      sync.Mutex
	total   int
	ofStaff map[core.StaffID]int
}

// take takes a place and gives what gives it back, to be called once; an error where all are taken.
func (s *slots) take(staff core.StaffID) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= streamsMax || s.ofStaff[staff] >= streamsOfOneMax {
		return nil, refuse(codeStreams, "too many subscriptions; end one, at most %d are open at a time", streamsOfOneMax)
	}
	if s.ofStaff == nil {
		s.ofStaff = make(map[core.StaffID]int)
	}
	s.total++
	s.ofStaff[staff]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		if s.ofStaff[staff]--; s.ofStaff[staff] == 0 {
			delete(s.ofStaff, staff)
		}
	}, nil
}

// stream watches payments and sends what look gives, until the reader has gone or may not read any more.
// Where first is set, the state of the beginning is sent too.
func stream[T any](ctx context.Context, r *Resolver, only core.PaymentID, first bool, pause time.Duration, look func(context.Context, ports.Changed) ([]T, error)) (<-chan T, error) {
	release, err := r.streams.take(requestOf(ctx).staff.ID)
	if err != nil {
		return nil, err
	}
	beginning, cancel := context.WithTimeout(ctx, watchTimeMax)
	defer cancel()
	watch, err := r.changes.WatchPayments(beginning, only)
	if err != nil {
		release()
		return nil, err
	}
	var begin []T
	if first {
		if begin, err = look(beginning, ports.Changed{Gap: true}); err != nil {
			watch.Close()
			release()
			return nil, err
		}
	}
	out := make(chan T)
	go func() {
		defer close(out)
		defer release()
		defer watch.Close()
		for items, err := begin, error(nil); err == nil; items, err = nextOf(ctx, watch, pause, look) {
			for _, item := range items {
				select {
				case out <- item:
				case <-ctx.Done():
					return
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			r.logger.LogAttrs(ctx, slog.LevelInfo, "subscription ended", slog.String("cause", err.Error()), slog.String("trace_id", traceID(ctx)))
		}
	}()
	return out, nil
}

// nextOf waits for the next change and reads what it made.
func nextOf[T any](ctx context.Context, watch ports.PaymentWatch, pause time.Duration, look func(context.Context, ports.Changed) ([]T, error)) ([]T, error) {
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	waiting, cancel := context.WithTimeout(ctx, stillEvery)
	changed, err := watch.Next(waiting)
	cancel()
	quiet := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if err != nil && !quiet {
		return nil, err
	}
	reading, cancel := context.WithTimeout(ctx, watchTimeMax)
	defer cancel()
	if err := requestOf(ctx).still(reading); err != nil || quiet {
		return nil, err
	}
	return look(reading, changed)
}

// paymentChanged sends one payment, or all that change.
func (r *Resolver) paymentChanged(ctx context.Context, id *string) (<-chan *model.Payment, error) {
	var only core.PaymentID
	if id != nil {
		parsed, err := parseID[core.PaymentID]("id", *id)
		if err != nil {
			return nil, err
		}
		only = parsed
	}
	return stream(ctx, r, only, only != "", 0, func(ctx context.Context, changed ports.Changed) ([]*model.Payment, error) {
		ids := changed.Payments
		switch {
		case only != "":
			ids = []core.PaymentID{only}
		case changed.Gap:
			return nil, errGap // the reader has a list to read again
		}
		return r.paymentsInOrder(ctx, ids)
	})
}

// paymentsInOrder reads payments; those that do not exist are left out, but one alone is an error.
func (r *Resolver) paymentsInOrder(ctx context.Context, ids []core.PaymentID) ([]*model.Payment, error) {
	var all []*model.Payment
	for part := range slices.Chunk(ids, paymentsReadMax) {
		found, err := r.store.PaymentsByID(ctx, part)
		if err != nil {
			return nil, err
		}
		byID := make(map[core.PaymentID]*core.Payment, len(found))
		for i := range found {
			byID[found[i].ID] = &found[i]
		}
		for _, id := range part {
			if payment := byID[id]; payment != nil {
				all = append(all, paymentOf(payment))
			}
		}
	}
	if len(all) == 0 && len(ids) == 1 {
		return nil, refuse(codeInput, "there is no payment with this id")
	}
	return all, nil
}

// summaryChanged sends a summary now and after changes.
func (r *Resolver) summaryChanged(ctx context.Context, from, to time.Time, currency *string, interval core.SummaryInterval) (<-chan *core.Summary, error) {
	return stream(ctx, r, "", true, summaryPause, func(ctx context.Context, _ ports.Changed) ([]*core.Summary, error) {
		summary, err := r.summary(ctx, from, to, currency, interval)
		return []*core.Summary{summary}, err
	})
}

// freshly gives each answer of a subscription loaders of its own, which remember nothing of the one before.
func (s *server) freshly(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if operation := graphql.GetOperationContext(ctx).Operation; operation != nil && operation.Operation == ast.Subscription {
		ctx = withRequest(ctx, requestOf(ctx).again(newLoaders(s.store)))
	}
	return next(ctx)
}
