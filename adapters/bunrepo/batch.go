package bunrepo

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

// byAge is the order of most lists.
var byAge = listing{column: "created_at"}

// PaymentsByID gives those of the ids that exist, in no order.
func (s *Store) PaymentsByID(ctx context.Context, ids []core.PaymentID) ([]core.Payment, error) {
	found, err := byIDs(ctx, s.read, ids, s.payment)
	return found, s.failed(ctx, err, "read payments by id")
}

// PaymentsOfCustomers gives the newest payments of several customers, newest first.
func (s *Store) PaymentsOfCustomers(ctx context.Context, customers []core.CustomerID, limit int) ([]core.Payment, error) {
	found, err := ofEach(ctx, s.read, byAge, "customer", customers, limit, s.payment)
	return found, s.failed(ctx, err, "list payments of customers")
}

// PaymentsOfSubscriptions gives the newest payments of several subscriptions, newest first.
func (s *Store) PaymentsOfSubscriptions(ctx context.Context, subscriptions []core.SubscriptionID, limit int) ([]core.Payment, error) {
	found, err := ofEach(ctx, s.read, byAge, "subscription", subscriptions, limit, s.payment)
	return found, s.failed(ctx, err, "list payments of subscriptions")
}

// RefundsByID gives those of the ids that exist, in no order.
func (s *Store) RefundsByID(ctx context.Context, ids []core.RefundID) ([]core.Refund, error) {
	found, err := byIDs(ctx, s.read, ids, s.refund)
	return found, s.failed(ctx, err, "read refunds by id")
}

// RefundsOfPayments gives the newest refunds of several payments, newest first.
func (s *Store) RefundsOfPayments(ctx context.Context, payments []core.PaymentID, limit int) ([]core.Refund, error) {
	found, err := ofEach(ctx, s.read, byAge, "payment", payments, limit, s.refund)
	return found, s.failed(ctx, err, "list refunds of payments")
}

// DisputesByID gives those of the ids that exist, in no order.
func (s *Store) DisputesByID(ctx context.Context, ids []core.DisputeID) ([]core.Dispute, error) {
	found, err := byIDs(ctx, s.read, ids, s.dispute)
	return found, s.failed(ctx, err, "read disputes by id")
}

// DisputesOfPayments gives the newest disputes of several payments, newest first.
func (s *Store) DisputesOfPayments(ctx context.Context, payments []core.PaymentID, limit int) ([]core.Dispute, error) {
	found, err := ofEach(ctx, s.read, byAge, "payment", payments, limit, s.dispute)
	return found, s.failed(ctx, err, "list disputes of payments")
}

// CustomersByID gives those of the ids that exist, in no order.
func (s *Store) CustomersByID(ctx context.Context, ids []core.CustomerID) ([]core.Customer, error) {
	found, err := byIDs(ctx, s.read, ids, s.customer)
	return found, s.failed(ctx, err, "read customers by id")
}

// PricesByID gives those of the ids that exist, in no order.
func (s *Store) PricesByID(ctx context.Context, ids []core.PriceID) ([]core.Price, error) {
	found, err := byIDs(ctx, s.read, ids, s.price)
	return found, s.failed(ctx, err, "read prices by id")
}

// SubscriptionsByID gives those of the ids that exist, in no order.
func (s *Store) SubscriptionsByID(ctx context.Context, ids []core.SubscriptionID) ([]core.Subscription, error) {
	found, err := byIDs(ctx, s.read, ids, s.subscription)
	return found, s.failed(ctx, err, "read subscriptions by id")
}

// SubscriptionsOfCustomers gives the newest subscriptions of several customers, newest first.
func (s *Store) SubscriptionsOfCustomers(ctx context.Context, customers []core.CustomerID, limit int) ([]core.Subscription, error) {
	found, err := ofEach(ctx, s.read, byAge, "customer", customers, limit, s.subscription)
	return found, s.failed(ctx, err, "list subscriptions of customers")
}

// InvoicesOfSubscriptions gives the newest invoices of several subscriptions, newest first.
func (s *Store) InvoicesOfSubscriptions(ctx context.Context, subscriptions []core.SubscriptionID, limit int) ([]core.Invoice, error) {
	found, err := ofEach(ctx, s.read, listing{column: "issued_at"}, "subscription", subscriptions, limit, s.invoice)
	return found, s.failed(ctx, err, "list invoices of subscriptions")
}

// InboundByID gives those of the ids that exist, in no order.
func (s *Store) InboundByID(ctx context.Context, ids []core.InboundID) ([]core.InboundEvent, error) {
	found, err := byIDs(ctx, s.read, ids, s.inbound)
	return found, s.failed(ctx, err, "read inbound events by id")
}

// OperationsByID gives those of the ids that exist, in no order.
func (s *Store) OperationsByID(ctx context.Context, ids []core.OperationID) ([]core.Operation, error) {
	found, err := byIDs(ctx, s.read, ids, s.operation)
	return found, s.failed(ctx, err, "read operations by id")
}

// OperationsOfPayments gives the operations of several payments, oldest first.
func (s *Store) OperationsOfPayments(ctx context.Context, payments []core.PaymentID) ([]core.Operation, error) {
	if len(payments) == 0 {
		return nil, nil
	}
	if err := checkLimit(len(payments)); err != nil {
		return nil, fmt.Errorf("list operations of payments: %w", err)
	}
	var rows []operationRow
	query := s.read.NewSelect().Model(&rows).Where("payment IN ?", bun.Tuple(payments))
	if err := query.Order("created_at", "id").Limit(int64(rowsMax * len(payments))).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list operations of payments")
	}
	return mapped(rows, s.operation)
}

// TimelineOfInbound gives what events caused, oldest first.
func (s *Store) TimelineOfInbound(ctx context.Context, events []core.InboundID, limit int) ([]core.TimelineEntry, error) {
	found, err := ofEach(ctx, s.read, listing{column: "at", oldest: true}, "cause_inbound", events, limit, s.timelineEntry)
	return found, s.failed(ctx, err, "list what events caused")
}
