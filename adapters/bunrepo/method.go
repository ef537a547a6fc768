package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type methodRow struct {
	bun.BaseModel `bun:"table:payment_methods"`

	ID               core.MethodID     `bun:"id,pk"`
	Version          int64             `bun:"version"`
	Customer         core.CustomerID   `bun:"customer"`
	Checkout         core.CheckoutID   `bun:"checkout,nullzero"`
	Account          core.AccountName  `bun:"account"`
	Provider         core.ProviderName `bun:"provider"`
	ProviderMethodID string            `bun:"provider_method_id,nullzero"`
	ProviderSetupID  string            `bun:"provider_setup_id,nullzero"`
	Status           core.MethodStatus `bun:"status"`
	ForeignStatus    string            `bun:"foreign_status,nullzero"`
	Details          document          `bun:"details"`
	Consent          document          `bun:"consent,nullzero"`
	Failure          document          `bun:"failure,nullzero"`
	Environment      core.Environment  `bun:"environment"`
	CreatedAt        instant           `bun:"created_at"`
	UpdatedAt        instant           `bun:"updated_at"`
	RemovedAt        instant           `bun:"removed_at"`
	SyncedAt         instant           `bun:"synced_at"`
	LookAt           instant           `bun:"look_at"`
}

// consentDocument is a consent in its JSON column.
type consentDocument struct {
	At       time.Time       `json:"at"`
	Text     string          `json:"text"`
	Checkout core.CheckoutID `json:"checkout,omitempty"`
}

// methodRow is how a saved method is stored.
func (s *Store) methodRow(m core.SavedMethod) (row methodRow, err error) {
	if err := errors.Join(checkTexts(m), checkKnown("status", m.Status)); err != nil {
		return row, err
	}
	if m.Environment != s.environment {
		return row, s.wrongEnvironment(string(m.ID), m.Environment)
	}
	row = methodRow{
		ID: m.ID, Version: m.Version, Customer: m.Customer, Checkout: m.Checkout, Account: m.Account, Provider: m.Provider,
		ProviderMethodID: m.ProviderMethodID, ProviderSetupID: m.ProviderSetupID, Status: m.Status, ForeignStatus: m.ForeignStatus,
		Environment: m.Environment, CreatedAt: at(m.CreatedAt), UpdatedAt: at(m.UpdatedAt), RemovedAt: at(m.RemovedAt),
		SyncedAt: at(m.SyncedAt), LookAt: at(m.LookAt()),
	}
	var failed [3]error
	row.Details, failed[0] = encode(methodDocument(m.Details), "{}")
	row.Failure, failed[1] = encodeFailure(m.Failure)
	if m.Consent != nil {
		consent := consentDocument(*m.Consent)
		consent.At = at(consent.At).Time
		row.Consent, failed[2] = encode(consent, "")
	}
	return row, errors.Join(failed[:]...)
}

// method is what a row says. A row that breaks the invariants is an error.
func (s *Store) method(row methodRow) (core.SavedMethod, error) {
	m := core.SavedMethod{
		ID: row.ID, Version: row.Version, Customer: row.Customer, Checkout: row.Checkout, Account: row.Account, Provider: row.Provider,
		ProviderMethodID: row.ProviderMethodID, ProviderSetupID: row.ProviderSetupID, Status: row.Status, ForeignStatus: row.ForeignStatus,
		Environment: row.Environment, CreatedAt: row.CreatedAt.Time, UpdatedAt: row.UpdatedAt.Time, RemovedAt: row.RemovedAt.Time,
		SyncedAt: row.SyncedAt.Time,
	}
	var failed [4]error
	var details methodDocument
	details, failed[0] = decode[methodDocument](row.Details)
	m.Details = core.PaymentMethod(details)
	m.Failure, failed[1] = decodeFailure(row.Failure)
	if row.Consent != "" {
		var consent consentDocument
		consent, failed[2] = decode[consentDocument](row.Consent)
		m.Consent = (*core.Consent)(&consent)
	}
	failed[3] = checkKnown("status", m.Status)
	if err := errors.Join(failed[:]...); err != nil {
		return core.SavedMethod{}, fmt.Errorf("saved method %s: %w", row.ID, err)
	}
	return m, nil
}

// Method gives one saved method.
func (s *Store) Method(ctx context.Context, id core.MethodID) (core.SavedMethod, error) {
	var row methodRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.SavedMethod{}, s.failed(ctx, err, "read saved method %s", id)
	}
	return s.method(row)
}

// methodRefs is where saved methods hold their providers' ids.
var methodRefs = refColumns{core.ObjectMethod: "provider_method_id", core.ObjectSetup: "provider_setup_id"}

// MethodByRef gives the saved method that a provider's object is, or leads to.
func (s *Store) MethodByRef(ctx context.Context, ref core.ProviderRef) (core.SavedMethod, error) {
	var row methodRow
	if err := methodRefs.find(s.read.NewSelect().Model(&row), ref).Scan(ctx); err != nil {
		return core.SavedMethod{}, s.failed(ctx, err, "read saved method by provider reference")
	}
	return s.method(row)
}

// CustomerMethods gives a customer's newest methods, newest first.
func (s *Store) CustomerMethods(ctx context.Context, customer core.CustomerID) ([]core.SavedMethod, error) {
	var rows []methodRow
	query := s.read.NewSelect().Model(&rows).Where("customer = ?", customer)
	if err := query.OrderExpr("created_at DESC, id DESC").Limit(core.PageItemsMax).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list saved methods of %s", customer)
	}
	return mapped(rows, s.method)
}

// LockMethod reads a saved method and keeps it from others.
func (t *tx) LockMethod(ctx context.Context, id core.MethodID) (core.SavedMethod, error) {
	var row methodRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.SavedMethod{}, t.failed(ctx, err, "lock saved method %s", id)
	}
	return t.store.method(row)
}

// InsertMethod stores a new saved method under version 1.
func (t *tx) InsertMethod(ctx context.Context, m core.SavedMethod) (core.SavedMethod, error) {
	m.Version = 1
	row, err := t.store.methodRow(m)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.SavedMethod{}, t.failed(ctx, err, "insert saved method %s", m.ID)
	}
	return t.store.method(row)
}

// UpdateMethod stores a changed saved method under the next version.
func (t *tx) UpdateMethod(ctx context.Context, m core.SavedMethod) (core.SavedMethod, error) {
	m.Version++
	row, err := t.store.methodRow(m)
	if err == nil {
		err = t.update(ctx, &row, m.Version-1)
	}
	if err != nil {
		return core.SavedMethod{}, t.failed(ctx, err, "update saved method %s", m.ID)
	}
	return t.store.method(row)
}
