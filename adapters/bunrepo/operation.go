package bunrepo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type operationRow struct {
	bun.BaseModel `bun:"table:operations"`

	ID          core.OperationID     `bun:"id,pk"`
	Version     int64                `bun:"version"`
	Kind        core.OperationKind   `bun:"kind"`
	Account     core.AccountName     `bun:"account"`
	Payment     core.PaymentID       `bun:"payment,nullzero"`
	Subject     string               `bun:"subject"`
	Amount      int64                `bun:"amount"`
	Currency    core.Currency        `bun:"currency,nullzero"`
	Asked       document             `bun:"asked,nullzero"`
	RequestHash string               `bun:"request_hash"`
	RequestKey  core.RequestKey      `bun:"request_key,nullzero"`
	Source      []byte               `bun:"source,nullzero"`
	Status      core.OperationStatus `bun:"status"`
	Attempts    int                  `bun:"attempts"`
	ObjectID    string               `bun:"object_id,nullzero"`
	RequestID   string               `bun:"request_id,nullzero"`
	Failure     document             `bun:"failure,nullzero"`
	CreatedAt   instant              `bun:"created_at"`
	SentAt      instant              `bun:"sent_at"`
	SettledAt   instant              `bun:"settled_at"`
	LookedAt    instant              `bun:"looked_at"`
	LookAt      instant              `bun:"look_at"`
	GivenUpAt   instant              `bun:"given_up_at"`
	GivenUp     core.GivenUp         `bun:"given_up,nullzero"`
	Place       int64                `bun:"place"`

	Claimed       core.ClaimedOutcome `bun:"claimed,nullzero"`
	ClaimedObject string              `bun:"claimed_object,nullzero"`
	ClaimedBy     core.StaffID        `bun:"claimed_by,nullzero"`
	ClaimedAt     instant             `bun:"claimed_at"`
	ConfirmedBy   core.StaffID        `bun:"confirmed_by,nullzero"`
}

// placeOperationSource is where one-time tokens are sealed.
const placeOperationSource = "operations.source"

// operationRow is how an operation is stored.
func (s *Store) operationRow(o core.Operation) (row operationRow, err error) {
	if err := errors.Join(checkTexts(o), checkTexts(o.Claim), checkAsked(o.Asked)); err != nil {
		return row, err
	}
	row = operationRow{
		ID: o.ID, Version: o.Version, Kind: o.Kind, Account: o.Account, Payment: o.Payment, Subject: o.Subject,
		Amount: o.Amount.Minor(), Currency: o.Amount.Currency(), Asked: document(o.Asked), RequestHash: o.RequestHash, RequestKey: o.RequestKey, Status: o.Status,
		Attempts: o.Attempts, ObjectID: o.ObjectID, RequestID: o.RequestID, CreatedAt: at(o.CreatedAt),
		SentAt: at(o.SentAt), SettledAt: at(o.SettledAt),
		LookedAt: at(o.LookedAt), LookAt: at(o.LookAt()), GivenUpAt: at(o.GivenUpAt), GivenUp: o.GivenUp, Place: o.Place(),
		Claimed: o.Claim.Outcome, ClaimedObject: o.Claim.Object, ClaimedBy: o.Claim.By, ClaimedAt: at(o.Claim.At), ConfirmedBy: o.Claim.ConfirmedBy,
	}
	var failed [2]error
	row.Failure, failed[0] = encodeFailure(o.Failure)
	if o.Source != "" {
		row.Source, failed[1] = s.seal(placeOperationSource, string(o.ID), []byte(o.Source))
	}
	return row, errors.Join(failed[:]...)
}

// checkAsked makes sure that what was asked, if anything, is JSON that both databases can keep.
func checkAsked(asked []byte) error {
	if len(asked) == 0 {
		return nil
	}
	if !json.Valid(asked) {
		return fmt.Errorf("asked: %w", errNotJSON)
	}
	return checkTexts(struct{ Asked string }{string(asked)})
}

// operation is what a row says.
func (s *Store) operation(row operationRow) (core.Operation, error) {
	o := core.Operation{
		ID: row.ID, Version: row.Version, Kind: row.Kind, Account: row.Account, Payment: row.Payment, Subject: row.Subject,
		RequestHash: row.RequestHash, RequestKey: row.RequestKey, Status: row.Status, Attempts: row.Attempts,
		ObjectID: row.ObjectID, RequestID: row.RequestID, CreatedAt: row.CreatedAt.Time, SentAt: row.SentAt.Time,
		SettledAt: row.SettledAt.Time, LookedAt: row.LookedAt.Time, GivenUpAt: row.GivenUpAt.Time, GivenUp: row.GivenUp,
		Claim: core.Claim{Outcome: row.Claimed, Object: row.ClaimedObject, By: row.ClaimedBy, At: row.ClaimedAt.Time, ConfirmedBy: row.ConfirmedBy},
	}
	var failed [3]error
	o.Amount, failed[0] = moneyOf(row.Amount, row.Currency)
	o.Failure, failed[1] = decodeFailure(row.Failure)
	if row.Asked != "" {
		o.Asked = []byte(row.Asked)
	}
	if len(row.Source) > 0 {
		var source []byte
		source, failed[2] = s.unseal(placeOperationSource, string(row.ID), row.Source)
		o.Source = string(source)
	}
	if err := errors.Join(failed[:]...); err != nil {
		return core.Operation{}, fmt.Errorf("operation %s: %w", row.ID, err)
	}
	return o, nil
}

// Operation gives one operation.
func (s *Store) Operation(ctx context.Context, id core.OperationID) (core.Operation, error) {
	var row operationRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Operation{}, s.failed(ctx, err, "read operation %s", id)
	}
	return s.operation(row)
}

// OperationByRequestKey gives the operation that a storefront's call led to.
func (s *Store) OperationByRequestKey(ctx context.Context, key core.RequestKey) (core.Operation, error) {
	var row operationRow
	if err := s.read.NewSelect().Model(&row).Where("request_key = ?", key).Scan(ctx); err != nil {
		return core.Operation{}, s.failed(ctx, err, "read operation by request key")
	}
	return s.operation(row)
}

// PaymentOperations gives a payment's operations, oldest first.
func (s *Store) PaymentOperations(ctx context.Context, payment core.PaymentID) ([]core.Operation, error) {
	operations, err := s.operationsOf(ctx, s.read, payment)
	return operations, s.failed(ctx, err, "list operations of %s", payment)
}

func (s *Store) operationsOf(ctx context.Context, db bun.IDB, payment core.PaymentID) ([]core.Operation, error) {
	var rows []operationRow
	err := db.NewSelect().Model(&rows).Where("payment = ?", payment).Order("created_at", "id").Limit(rowsMax).Scan(ctx)
	if err != nil {
		return nil, err
	}
	return mapped(rows, s.operation)
}

// SubjectOperations gives the operations on one object, oldest first.
func (s *Store) SubjectOperations(ctx context.Context, subject string) ([]core.Operation, error) {
	operations, err := s.operationsOn(ctx, s.read, subject)
	return operations, s.failed(ctx, err, "list operations on %s", subject)
}

func (s *Store) operationsOn(ctx context.Context, db bun.IDB, subject string) ([]core.Operation, error) {
	var rows []operationRow
	return whole(ctx, db.NewSelect().Where("subject = ?", subject), &rows, s.operation)
}

// operationList is how operations are listed: what is most unclear first.
var operationList = listing{column: "created_at", lead: "place"}

func narrowOperations(filter ports.OperationFilter) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"account", string(filter.Account)}, equal{"payment", string(filter.Payment)}, equal{"subject", filter.Subject})
		query = whereStatus(query, filter.Statuses)
		if len(filter.Kinds) > 0 {
			query = query.Where("kind IN ?", bun.Tuple(filter.Kinds))
		}
		if filter.ForStaff {
			query = query.Where("place > 0").Where("given_up_at IS NOT NULL")
		}
		return query
	}
}

// Operations gives one page of operations.
func (s *Store) Operations(ctx context.Context, filter ports.OperationFilter, request core.PageRequest) (core.Page[core.Operation], error) {
	list := operationList
	list.narrow = narrowOperations(filter)
	page, err := readPage[operationRow](ctx, s.read, list, request)
	if err != nil {
		return core.Page[core.Operation]{}, s.failed(ctx, err, "list operations")
	}
	return pageOf(page, s.operation)
}

// CountOperations counts what a filter selects.
func (s *Store) CountOperations(ctx context.Context, filter ports.OperationFilter) (int64, error) {
	count, err := narrowOperations(filter)(s.read.NewSelect().Model((*operationRow)(nil))).Count(ctx)
	return count, s.failed(ctx, err, "count operations")
}

// LockOperation reads an operation and keeps it from others.
func (t *tx) LockOperation(ctx context.Context, id core.OperationID) (core.Operation, error) {
	var row operationRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Operation{}, t.failed(ctx, err, "lock operation %s", id)
	}
	return t.store.operation(row)
}

// PaymentOperations is the store's, as the transaction sees them.
func (t *tx) PaymentOperations(ctx context.Context, payment core.PaymentID) ([]core.Operation, error) {
	operations, err := t.store.operationsOf(ctx, t.tx, payment)
	return operations, t.failed(ctx, err, "list operations of %s", payment)
}

// SubjectOperations is the store's, as the transaction sees them.
func (t *tx) SubjectOperations(ctx context.Context, subject string) ([]core.Operation, error) {
	operations, err := t.store.operationsOn(ctx, t.tx, subject)
	return operations, t.failed(ctx, err, "list operations on %s", subject)
}

// InsertOperation stores a new operation under version 1.
func (t *tx) InsertOperation(ctx context.Context, o core.Operation) (core.Operation, error) {
	o.Version = 1
	row, err := t.store.operationRow(o)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Operation{}, t.failed(ctx, err, "insert operation %s", o.ID)
	}
	return t.store.operation(row)
}

// UpdateOperation stores a changed operation under the next version.
func (t *tx) UpdateOperation(ctx context.Context, o core.Operation) (core.Operation, error) {
	o.Version++
	row, err := t.store.operationRow(o)
	if err == nil {
		err = t.update(ctx, &row, o.Version-1)
	}
	if err != nil {
		return core.Operation{}, t.failed(ctx, err, "update operation %s", o.ID)
	}
	return t.store.operation(row)
}
