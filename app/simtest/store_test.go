package simtest

import (
	"context"
	"errors"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// errStore is a database that lost its connection.
var errStore = errors.New("connection to the database was lost")

// store is the database as the process sees it: each transaction, and each look that something may
// hang on, is an effect. Its jobs are kept by the world.
type store struct {
	ports.Store
	w      *world
	inside bool // a transaction is open: its task keeps the turn
}

// storeFault is how a transaction goes wrong.
type storeFault int

const (
	storeGood       storeFault = iota
	storeLostBefore            // nothing is stored
	storeLostAfter             // all is, and nobody hears of it
	storeAgain                 // the database has the transaction run a second time
)

// InTx implements [ports.Store].
func (s *store) InTx(ctx context.Context, fn func(ctx context.Context, tx ports.Tx) error) error {
	if s.w.dead() {
		return errDead
	}
	s.w.pause("transaction")
	fault := s.w.storeFault()
	var jobs []ports.Job
	errAgain := errors.New("again")
	run := func(lost bool) error {
		s.inside = true
		defer func() { s.inside = false }()
		return s.Store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			jobs = nil
			if err := fn(ctx, capturing{Tx: tx, jobs: &jobs, w: s.w}); err != nil {
				return err
			}
			if lost {
				return errAgain
			}
			return nil
		})
	}
	if fault == storeLostBefore || fault == storeAgain {
		err := run(true)
		if fault == storeLostBefore || !errors.Is(err, errAgain) {
			s.w.trace.add("      rolled back: %v", err)
			return s.lost(err, errAgain)
		}
	}
	if err := run(false); err != nil {
		s.w.trace.add("      rolled back: %v", err)
		return err
	}
	s.w.enqueue(jobs)
	s.w.committed() //nolint:contextcheck // the world's own look, whatever becomes of the caller
	s.w.pause("committed")
	if fault == storeLostAfter {
		s.w.trace.add("      committed, and not heard of")
		return errStore
	}
	return nil
}

func (s *store) lost(err, again error) error {
	if errors.Is(err, again) {
		return errStore
	}
	return err
}

// capturing keeps the jobs of a transaction.
type capturing struct {
	ports.Tx
	jobs *[]ports.Job
	w    *world
}

// Enqueue implements [ports.Tx].
func (c capturing) Enqueue(_ context.Context, jobs ...ports.Job) error {
	*c.jobs = append(*c.jobs, jobs...)
	return nil
}

// ClaimNotifications implements [ports.Tx]: the process gives up what it sends when the lease is over.
func (c capturing) ClaimNotifications(ctx context.Context, endpoint core.EndpointID, now, until time.Time, limit int) ([]core.Notification, error) {
	c.w.current.lease = until
	return c.Tx.ClaimNotifications(ctx, endpoint, now, until, limit)
}

// SettleNotification implements [ports.Tx]. What is given up is left to staff, who have it sent again.
func (c capturing) SettleNotification(ctx context.Context, n core.Notification) error {
	if n.Status == core.NotificationFailed {
		for _, e := range c.w.hooks {
			e.asked[n.Event] = e.asked[n.Event] || e.id == n.Endpoint
		}
	}
	return c.Tx.SettleNotification(ctx, n)
}

// look is an effect that changes nothing.
func look[T any](s *store, what string, read func() (T, error)) (T, error) {
	if !s.inside {
		if s.w.dead() {
			var none T
			return none, errDead
		}
		s.w.pause(what)
	}
	return read()
}

func (s *store) Checkout(ctx context.Context, id core.CheckoutID) (core.Checkout, error) {
	return look(s, "read checkout", func() (core.Checkout, error) { return s.Store.Checkout(ctx, id) })
}

func (s *store) Payment(ctx context.Context, id core.PaymentID) (core.Payment, error) {
	return look(s, "read payment", func() (core.Payment, error) { return s.Store.Payment(ctx, id) })
}

func (s *store) PaymentByRef(ctx context.Context, ref core.ProviderRef) (core.Payment, error) {
	return look(s, "read payment by ref", func() (core.Payment, error) { return s.Store.PaymentByRef(ctx, ref) })
}

func (s *store) Refund(ctx context.Context, id core.RefundID) (core.Refund, error) {
	return look(s, "read refund", func() (core.Refund, error) { return s.Store.Refund(ctx, id) })
}

func (s *store) RefundByRef(ctx context.Context, ref core.ProviderRef) (core.Refund, error) {
	return look(s, "read refund by ref", func() (core.Refund, error) { return s.Store.RefundByRef(ctx, ref) })
}

func (s *store) RefundByRequestKey(ctx context.Context, key core.RequestKey) (core.Refund, error) {
	return look(s, "read refund by key", func() (core.Refund, error) { return s.Store.RefundByRequestKey(ctx, key) })
}

func (s *store) PaymentRefunds(ctx context.Context, payment core.PaymentID) ([]core.Refund, error) {
	return look(s, "read refunds", func() ([]core.Refund, error) { return s.Store.PaymentRefunds(ctx, payment) })
}

func (s *store) Dispute(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
	return look(s, "read dispute", func() (core.Dispute, error) { return s.Store.Dispute(ctx, id) })
}

func (s *store) DisputeByRef(ctx context.Context, ref core.ProviderRef) (core.Dispute, error) {
	return look(s, "read dispute by ref", func() (core.Dispute, error) { return s.Store.DisputeByRef(ctx, ref) })
}

func (s *store) PaymentDisputes(ctx context.Context, payment core.PaymentID) ([]core.Dispute, error) {
	return look(s, "read disputes", func() ([]core.Dispute, error) { return s.Store.PaymentDisputes(ctx, payment) })
}

func (s *store) Method(ctx context.Context, id core.MethodID) (core.SavedMethod, error) {
	return look(s, "read method", func() (core.SavedMethod, error) { return s.Store.Method(ctx, id) })
}

func (s *store) MethodByRef(ctx context.Context, ref core.ProviderRef) (core.SavedMethod, error) {
	return look(s, "read method by ref", func() (core.SavedMethod, error) { return s.Store.MethodByRef(ctx, ref) })
}

func (s *store) CustomerAccount(ctx context.Context, customer core.CustomerID, account core.AccountName) (core.CustomerAccount, error) {
	return look(s, "read counterpart", func() (core.CustomerAccount, error) { return s.Store.CustomerAccount(ctx, customer, account) })
}

func (s *store) PriceAccount(ctx context.Context, price core.PriceID, account core.AccountName) (core.PriceAccount, error) {
	return look(s, "read price's counterpart", func() (core.PriceAccount, error) { return s.Store.PriceAccount(ctx, price, account) })
}

func (s *store) Subscription(ctx context.Context, id core.SubscriptionID) (core.Subscription, error) {
	return look(s, "read subscription", func() (core.Subscription, error) { return s.Store.Subscription(ctx, id) })
}

func (s *store) SubscriptionByRef(ctx context.Context, ref core.ProviderRef) (core.Subscription, error) {
	return look(s, "read subscription by ref", func() (core.Subscription, error) { return s.Store.SubscriptionByRef(ctx, ref) })
}

func (s *store) Operation(ctx context.Context, id core.OperationID) (core.Operation, error) {
	return look(s, "read operation", func() (core.Operation, error) { return s.Store.Operation(ctx, id) })
}

func (s *store) OperationByRequestKey(ctx context.Context, key core.RequestKey) (core.Operation, error) {
	return look(s, "read operation by key", func() (core.Operation, error) { return s.Store.OperationByRequestKey(ctx, key) })
}

func (s *store) PaymentOperations(ctx context.Context, payment core.PaymentID) ([]core.Operation, error) {
	return look(s, "read operations", func() ([]core.Operation, error) { return s.Store.PaymentOperations(ctx, payment) })
}

func (s *store) SubjectOperations(ctx context.Context, subject string) ([]core.Operation, error) {
	return look(s, "read operations of subject", func() ([]core.Operation, error) { return s.Store.SubjectOperations(ctx, subject) })
}

func (s *store) Inbound(ctx context.Context, id core.InboundID) (core.InboundEvent, error) {
	return look(s, "read inbound event", func() (core.InboundEvent, error) { return s.Store.Inbound(ctx, id) })
}
