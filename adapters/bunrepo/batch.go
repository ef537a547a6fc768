package bunrepo

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

// PaymentsByID gives those of the ids that exist, in no order.
func (s *Store) PaymentsByID(ctx context.Context, ids []core.PaymentID) ([]core.Payment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := checkLimit(len(ids)); err != nil {
		return nil, fmt.Errorf("read payments by id: %w", err)
	}
	var rows []paymentRow
	if err := s.read.NewSelect().Model(&rows).Where("id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "read payments by id")
	}
	return mapped(rows, s.payment)
}

// OperationsByID gives those of the ids that exist, in no order.
func (s *Store) OperationsByID(ctx context.Context, ids []core.OperationID) ([]core.Operation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := checkLimit(len(ids)); err != nil {
		return nil, fmt.Errorf("read operations by id: %w", err)
	}
	var rows []operationRow
	if err := s.read.NewSelect().Model(&rows).Where("id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "read operations by id")
	}
	return mapped(rows, s.operation)
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
