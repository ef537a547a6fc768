package bunrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type invoiceRow struct {
	bun.BaseModel `bun:"table:invoices"`

	ID                core.InvoiceID      `bun:"id,pk"`
	Version           int64               `bun:"version"`
	Subscription      core.SubscriptionID `bun:"subscription"`
	Account           core.AccountName    `bun:"account"`
	ProviderInvoiceID string              `bun:"provider_invoice_id"`
	Payment           core.PaymentID      `bun:"payment,nullzero"`
	Status            core.InvoiceStatus  `bun:"status"`
	ForeignStatus     string              `bun:"foreign_status,nullzero"`
	AmountDue         int64               `bun:"amount_due"`
	AmountPaid        int64               `bun:"amount_paid"`
	Currency          core.Currency       `bun:"currency"`
	PeriodStart       instant             `bun:"period_start"`
	PeriodEnd         instant             `bun:"period_end"`
	Attempts          int                 `bun:"attempts"`
	NextAttempt       instant             `bun:"next_attempt"`
	Anomaly           core.Reason         `bun:"anomaly,nullzero"`
	IssuedAt          instant             `bun:"issued_at"`
	CreatedAt         instant             `bun:"created_at"`
	UpdatedAt         instant             `bun:"updated_at"`
}

// checkInvoice holds an invoice to what no row may break, on write and on read.
func checkInvoice(i core.Invoice) error {
	failed := []error{
		checkKnown("status", i.Status), checkLeast("amount due", i.AmountDue, 0), checkLeast("amount paid", i.AmountPaid, 0),
	}
	if i.AmountDue.Currency() != i.AmountPaid.Currency() {
		failed = append(failed, core.ErrCurrencyMismatch)
	}
	return errors.Join(failed...)
}

// invoiceRow is how an invoice is stored.
func (s *Store) invoiceRow(i core.Invoice) (row invoiceRow, err error) {
	if err := errors.Join(checkTexts(i), checkInvoice(i)); err != nil {
		return row, err
	}
	return invoiceRow{
		ID: i.ID, Version: i.Version, Subscription: i.Subscription, Account: i.Account, ProviderInvoiceID: i.ProviderInvoiceID,
		Payment: i.Payment, Status: i.Status, ForeignStatus: i.ForeignStatus, AmountDue: i.AmountDue.Minor(),
		AmountPaid: i.AmountPaid.Minor(), Currency: i.AmountDue.Currency(), PeriodStart: at(i.PeriodStart),
		PeriodEnd: at(i.PeriodEnd), Attempts: i.Attempts, NextAttempt: at(i.NextAttempt), Anomaly: i.Anomaly,
		IssuedAt: at(i.IssuedAt), CreatedAt: at(i.CreatedAt), UpdatedAt: at(i.UpdatedAt),
	}, nil
}

// invoice is what a row says. A row that breaks the invariants is an error.
func (s *Store) invoice(row invoiceRow) (core.Invoice, error) {
	i := core.Invoice{
		ID: row.ID, Version: row.Version, Subscription: row.Subscription, Account: row.Account, ProviderInvoiceID: row.ProviderInvoiceID,
		Payment: row.Payment, Status: row.Status, ForeignStatus: row.ForeignStatus, PeriodStart: row.PeriodStart.Time,
		PeriodEnd: row.PeriodEnd.Time, Attempts: row.Attempts, NextAttempt: row.NextAttempt.Time, Anomaly: row.Anomaly,
		IssuedAt: row.IssuedAt.Time, CreatedAt: row.CreatedAt.Time, UpdatedAt: row.UpdatedAt.Time,
	}
	var failed [3]error
	i.AmountDue, failed[0] = core.NewMoney(row.AmountDue, row.Currency)
	i.AmountPaid, failed[1] = core.NewMoney(row.AmountPaid, row.Currency)
	failed[2] = checkInvoice(i)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Invoice{}, fmt.Errorf("invoice %s: %w", row.ID, err)
	}
	return i, nil
}

// invoiceRefs is where invoices hold their providers' ids.
var invoiceRefs = refColumns{core.ObjectInvoice: "provider_invoice_id"}

// InvoiceByRef gives the invoice that a provider's object is.
func (s *Store) InvoiceByRef(ctx context.Context, ref core.ProviderRef) (core.Invoice, error) {
	var row invoiceRow
	if err := invoiceRefs.find(s.read.NewSelect().Model(&row), ref).Scan(ctx); err != nil {
		return core.Invoice{}, s.failed(ctx, err, "read invoice by provider reference")
	}
	return s.invoice(row)
}

// Invoices gives one page of a subscription's invoices, the last issued first.
func (s *Store) Invoices(ctx context.Context, subscription core.SubscriptionID, request core.PageRequest) (core.Page[core.Invoice], error) {
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery { return query.Where("subscription = ?", subscription) }
	page, err := readPage[invoiceRow](ctx, s.read, listing{column: "issued_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Invoice]{}, s.failed(ctx, err, "list invoices of %s", subscription)
	}
	return pageOf(page, s.invoice)
}

// LockInvoiceByRef reads the invoice that a provider's object is, and keeps it from others.
func (t *tx) LockInvoiceByRef(ctx context.Context, ref core.ProviderRef) (core.Invoice, error) {
	var row invoiceRow
	query := invoiceRefs.find(t.tx.NewSelect().Model(&row), ref)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Invoice{}, t.failed(ctx, err, "lock invoice by provider reference")
	}
	return t.store.invoice(row)
}

// InsertInvoice stores a new invoice under version 1.
func (t *tx) InsertInvoice(ctx context.Context, i core.Invoice) (core.Invoice, error) {
	i.Version = 1
	row, err := t.store.invoiceRow(i)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Invoice{}, t.failed(ctx, err, "insert invoice %s", i.ID)
	}
	return t.store.invoice(row)
}

// UpdateInvoice stores a changed invoice under the next version.
func (t *tx) UpdateInvoice(ctx context.Context, i core.Invoice) (core.Invoice, error) {
	i.Version++
	row, err := t.store.invoiceRow(i)
	if err == nil {
		err = t.update(ctx, &row, i.Version-1)
	}
	if err != nil {
		return core.Invoice{}, t.failed(ctx, err, "update invoice %s", i.ID)
	}
	return t.store.invoice(row)
}
