package graph_test

import (
	"context"
	"maps"
	"sync"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// countingStore counts the reads that queries lead to, by name.
type countingStore struct {
	ports.Store

	mu     sync.Mutex
	counts map[string]int
	role   core.Role // of everybody; empty for their own
	// What reads of lists of payments do, for failures.
	fail   error // give this
	panics bool
	stuck  bool // wait for the end of the query's time
	// reached is called before waiting.
	reached func()
}

func (s *countingStore) count(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make(map[string]int)
	}
	s.counts[name]++
}

// reset gives the counts and begins anew.
func (s *countingStore) reset() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := maps.Clone(s.counts)
	s.counts = nil
	return counts
}

func (s *countingStore) Checkout(ctx context.Context, id core.CheckoutID) (core.Checkout, error) {
	s.count("Checkout")
	return s.Store.Checkout(ctx, id)
}

func (s *countingStore) Checkouts(ctx context.Context, ids []core.CheckoutID) ([]core.Checkout, error) {
	s.count("Checkouts")
	return s.Store.Checkouts(ctx, ids)
}

func (s *countingStore) Payment(ctx context.Context, id core.PaymentID) (core.Payment, error) {
	s.count("Payment")
	return s.Store.Payment(ctx, id)
}

func (s *countingStore) PaymentsByID(ctx context.Context, ids []core.PaymentID) ([]core.Payment, error) {
	s.count("PaymentsByID")
	return s.Store.PaymentsByID(ctx, ids)
}

func (s *countingStore) Payments(ctx context.Context, filter ports.PaymentFilter, page core.PageRequest) (core.Page[core.Payment], error) {
	s.count("Payments")
	switch {
	case s.panics:
		panic("the store is out of order")
	case s.stuck:
		s.reached()
		<-ctx.Done()
		return core.Page[core.Payment]{}, ctx.Err()
	case s.fail != nil:
		return core.Page[core.Payment]{}, s.fail
	}
	return s.Store.Payments(ctx, filter, page)
}

func (s *countingStore) CountPayments(ctx context.Context, filter ports.PaymentFilter) (int64, error) {
	s.count("CountPayments")
	return s.Store.CountPayments(ctx, filter)
}

func (s *countingStore) Operation(ctx context.Context, id core.OperationID) (core.Operation, error) {
	s.count("Operation")
	return s.Store.Operation(ctx, id)
}

func (s *countingStore) OperationsByID(ctx context.Context, ids []core.OperationID) ([]core.Operation, error) {
	s.count("OperationsByID")
	return s.Store.OperationsByID(ctx, ids)
}

func (s *countingStore) PaymentOperations(ctx context.Context, payment core.PaymentID) ([]core.Operation, error) {
	s.count("PaymentOperations")
	return s.Store.PaymentOperations(ctx, payment)
}

func (s *countingStore) OperationsOfPayments(ctx context.Context, payments []core.PaymentID) ([]core.Operation, error) {
	s.count("OperationsOfPayments")
	return s.Store.OperationsOfPayments(ctx, payments)
}

func (s *countingStore) Timeline(ctx context.Context, payment core.PaymentID, after *core.Cursor, limit int) ([]core.TimelineEntry, error) {
	s.count("Timeline")
	return s.Store.Timeline(ctx, payment, after, limit)
}

func (s *countingStore) StaffByTokenHash(ctx context.Context, hash string) (core.Staff, error) {
	staff, err := s.Store.StaffByTokenHash(ctx, hash)
	if s.role != "" {
		staff.Role = s.role
	}
	return staff, err
}

func (s *countingStore) RefundsOfPayments(ctx context.Context, payments []core.PaymentID, limit int) ([]core.Refund, error) {
	s.count("RefundsOfPayments")
	return s.Store.RefundsOfPayments(ctx, payments, limit)
}

func (s *countingStore) DisputesOfPayments(ctx context.Context, payments []core.PaymentID, limit int) ([]core.Dispute, error) {
	s.count("DisputesOfPayments")
	return s.Store.DisputesOfPayments(ctx, payments, limit)
}

func (s *countingStore) CustomersByID(ctx context.Context, ids []core.CustomerID) ([]core.Customer, error) {
	s.count("CustomersByID")
	return s.Store.CustomersByID(ctx, ids)
}

func (s *countingStore) PaymentsOfCustomers(ctx context.Context, customers []core.CustomerID, limit int) ([]core.Payment, error) {
	s.count("PaymentsOfCustomers")
	return s.Store.PaymentsOfCustomers(ctx, customers, limit)
}

func (s *countingStore) Search(ctx context.Context, find ports.Find) ([]ports.Found, error) {
	s.count("Search")
	return s.Store.Search(ctx, find)
}
