package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type paymentRow struct {
	bun.BaseModel `bun:"table:payments"`

	ID                core.PaymentID      `bun:"id,pk"`
	Version           int64               `bun:"version"`
	Checkout          core.CheckoutID     `bun:"checkout,nullzero"`
	Subscription      core.SubscriptionID `bun:"subscription,nullzero"`
	Invoice           core.InvoiceID      `bun:"invoice,nullzero"`
	Reference         string              `bun:"reference"`
	Customer          core.CustomerID     `bun:"customer,nullzero"`
	Account           core.AccountName    `bun:"account"`
	Provider          core.ProviderName   `bun:"provider"`
	ProviderPaymentID string              `bun:"provider_payment_id,nullzero"`
	ProviderSessionID string              `bun:"provider_session_id,nullzero"`
	Hosted            bool                `bun:"hosted"`
	OffSession        bool                `bun:"off_session"`
	Status            core.PaymentStatus  `bun:"status"`
	ForeignStatus     string              `bun:"foreign_status,nullzero"`
	Amount            int64               `bun:"amount"`
	AmountAuthorized  int64               `bun:"amount_authorized"`
	AmountCaptured    int64               `bun:"amount_captured"`
	AmountRefunded    int64               `bun:"amount_refunded"`
	Currency          core.Currency       `bun:"currency"`
	Capture           core.CaptureMode    `bun:"capture"`
	CaptureBefore     instant             `bun:"capture_before"`
	ExpiryToldAt      instant             `bun:"expiry_told_at"`
	Method            document            `bun:"method,nullzero"`
	Failure           document            `bun:"failure,nullzero"`
	Disputed          bool                `bun:"disputed"`
	Review            core.ReviewReason   `bun:"review,nullzero"`
	Anomaly           core.Reason         `bun:"anomaly,nullzero"`
	Environment       core.Environment    `bun:"environment"`
	Metadata          document            `bun:"metadata"`
	CreatedAt         instant             `bun:"created_at"`
	UpdatedAt         instant             `bun:"updated_at"`
	SyncedAt          instant             `bun:"synced_at"`
	LookAt            instant             `bun:"look_at"`
	Last4             string              `bun:"last4,nullzero"`
}

// methodDocument is a payment method in its JSON column.
type methodDocument struct {
	ID       core.MethodID `json:"id,omitempty"`
	Type     string        `json:"type,omitempty"`
	Brand    string        `json:"brand,omitempty"`
	Last4    string        `json:"last4,omitempty"`
	ExpMonth int           `json:"exp_month,omitempty"`
	ExpYear  int           `json:"exp_year,omitempty"`
}

// failureDocument is a failure in its JSON column.
type failureDocument struct {
	Code         core.FailureCode `json:"code"`
	ProviderCode string           `json:"provider_code,omitempty"`
	Message      string           `json:"message,omitempty"`
	Retryable    bool             `json:"retryable,omitempty"`
}

func encodeFailure(failure *core.Failure) (document, error) {
	if failure == nil {
		return "", nil
	}
	return encode((*failureDocument)(failure), "")
}

func decodeFailure(text document) (*core.Failure, error) {
	if text == "" {
		return nil, nil
	}
	failure, err := decode[failureDocument](text)
	return (*core.Failure)(&failure), err
}

// paymentRow is how a payment is stored. One that breaks its invariants is not.
func (s *Store) paymentRow(p core.Payment) (row paymentRow, err error) {
	if err := errors.Join(checkTexts(p), p.Check()); err != nil {
		return row, err
	}
	if p.Environment != s.environment {
		return row, s.wrongEnvironment(string(p.ID), p.Environment)
	}
	row = paymentRow{
		ID: p.ID, Version: p.Version, Checkout: p.Checkout, Subscription: p.Subscription, Invoice: p.Invoice,
		Reference: p.Reference, Customer: p.Customer, Account: p.Account, Provider: p.Provider,
		ProviderPaymentID: p.ProviderPaymentID, ProviderSessionID: p.ProviderSessionID, Hosted: p.Hosted, OffSession: p.OffSession, Status: p.Status,
		ForeignStatus: p.ForeignStatus, Amount: p.Amount.Minor(), AmountAuthorized: p.AmountAuthorized.Minor(),
		AmountCaptured: p.AmountCaptured.Minor(), AmountRefunded: p.AmountRefunded.Minor(), Currency: p.Amount.Currency(),
		Capture: p.Capture, CaptureBefore: at(p.CaptureBefore), ExpiryToldAt: at(p.ExpiryToldAt), Disputed: p.Disputed, Review: p.Review, Anomaly: p.Anomaly, Environment: p.Environment,
		CreatedAt: at(p.CreatedAt), UpdatedAt: at(p.UpdatedAt), SyncedAt: at(p.SyncedAt), LookAt: at(p.LookAt()),
	}
	var failed [3]error
	if p.Method != nil {
		row.Method, failed[0] = encode((*methodDocument)(p.Method), "")
		row.Last4 = p.Method.Last4
	}
	row.Failure, failed[1] = encodeFailure(p.Failure)
	row.Metadata, failed[2] = encode(p.Metadata, "{}")
	return row, errors.Join(failed[:]...)
}

// payment is what a row says. A row that breaks the invariants is an error.
func (s *Store) payment(row paymentRow) (core.Payment, error) {
	p := core.Payment{
		ID: row.ID, Version: row.Version, Checkout: row.Checkout, Subscription: row.Subscription, Invoice: row.Invoice,
		Reference: row.Reference, Customer: row.Customer, Account: row.Account, Provider: row.Provider,
		ProviderPaymentID: row.ProviderPaymentID, ProviderSessionID: row.ProviderSessionID, Hosted: row.Hosted, OffSession: row.OffSession, Status: row.Status,
		ForeignStatus: row.ForeignStatus, Capture: row.Capture, CaptureBefore: row.CaptureBefore.Time, ExpiryToldAt: row.ExpiryToldAt.Time, Disputed: row.Disputed, Review: row.Review,
		Anomaly: row.Anomaly, Environment: row.Environment, CreatedAt: row.CreatedAt.Time,
		UpdatedAt: row.UpdatedAt.Time, SyncedAt: row.SyncedAt.Time,
	}
	var failed [8]error
	p.Amount, failed[0] = core.NewMoney(row.Amount, row.Currency)
	p.AmountAuthorized, failed[1] = core.NewMoney(row.AmountAuthorized, row.Currency)
	p.AmountCaptured, failed[2] = core.NewMoney(row.AmountCaptured, row.Currency)
	p.AmountRefunded, failed[3] = core.NewMoney(row.AmountRefunded, row.Currency)
	p.Failure, failed[4] = decodeFailure(row.Failure)
	p.Metadata, failed[5] = decode[map[string]string](row.Metadata)
	if row.Method != "" {
		var method methodDocument
		method, failed[6] = decode[methodDocument](row.Method)
		p.Method = (*core.PaymentMethod)(&method)
	}
	failed[7] = checkKnown("status", p.Status)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Payment{}, fmt.Errorf("payment %s: %w", row.ID, err)
	}
	if err := p.Check(); err != nil {
		return core.Payment{}, err
	}
	return p, nil
}

// Payment gives one payment.
func (s *Store) Payment(ctx context.Context, id core.PaymentID) (core.Payment, error) {
	var row paymentRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Payment{}, s.failed(ctx, err, "read payment %s", id)
	}
	return s.payment(row)
}

// PaymentByRef gives the payment that a provider's object belongs to.
func (s *Store) PaymentByRef(ctx context.Context, ref core.ProviderRef) (core.Payment, error) {
	var row paymentRow
	if err := paymentRefs.find(s.read.NewSelect().Model(&row), ref).Scan(ctx); err != nil {
		return core.Payment{}, s.failed(ctx, err, "read payment by provider reference")
	}
	return s.payment(row)
}

// paymentRefs is where payments hold their providers' ids.
var paymentRefs = refColumns{core.ObjectPayment: "provider_payment_id", core.ObjectSession: "provider_session_id"}

// narrowPayments puts a filter on a query.
func (s *Store) narrowPayments(filter ports.PaymentFilter) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"reference", filter.Reference}, equal{"customer", string(filter.Customer)},
			equal{"account", string(filter.Account)}, equal{"checkout", string(filter.Checkout)},
			equal{"subscription", string(filter.Subscription)}, equal{"provider", string(filter.Provider)}, equal{"last4", filter.Last4})
		query = whereStatus(query, filter.Statuses)
		query = whereAmounts(query, filter.Amounts)
		query = whereTimes(query, "created_at", filter.CreatedAfter, filter.CreatedBefore)
		if filter.Email != "" {
			query = paymentsOfEmail(query, s.emailMarks(filter.Email))
		}
		if filter.ProviderID != "" {
			query = paymentsOfProvider(query, filter.ProviderID)
		}
		query = whereEither(query, filter.Disputed, "disputed", "NOT disputed")
		return whereEither(query, filter.NeedsReview, "status = 'needs_review'", "status <> 'needs_review'")
	}
}

// whereEither puts one condition on a query or the other; none where it is nil.
func whereEither(query *bun.SelectQuery, which *bool, yes, no string) *bun.SelectQuery {
	switch {
	case which == nil:
		return query
	case *which:
		return query.Where(yes)
	default:
		return query.Where(no)
	}
}

// checkFilter refuses texts that no row can hold, before the database does in words that
// help nobody.
func checkFilter(filter ports.PaymentFilter) error { return checkTexts(filter) }

// Payments gives one page of payments.
func (s *Store) Payments(ctx context.Context, filter ports.PaymentFilter, request core.PageRequest) (core.Page[core.Payment], error) {
	if err := checkFilter(filter); err != nil {
		return core.Page[core.Payment]{}, fmt.Errorf("list payments: %w", err)
	}
	list := listing{column: "created_at", amount: "amount", narrow: s.narrowPayments(filter)}
	page, err := readPage[paymentRow](ctx, s.read, list, request)
	if err != nil {
		return core.Page[core.Payment]{}, s.failed(ctx, err, "list payments")
	}
	return pageOf(page, s.payment)
}

// CountPayments counts what the filter selects.
func (s *Store) CountPayments(ctx context.Context, filter ports.PaymentFilter) (int64, error) {
	if err := checkFilter(filter); err != nil {
		return 0, fmt.Errorf("count payments: %w", err)
	}
	count, err := s.narrowPayments(filter)(s.read.NewSelect().Model((*paymentRow)(nil))).Count(ctx)
	return count, s.failed(ctx, err, "count payments")
}

// PaymentsExpiring gives authorized payments that run out soon and that nobody was told of, the
// soonest first.
func (s *Store) PaymentsExpiring(ctx context.Context, before time.Time, limit int) ([]core.PaymentID, error) {
	query := s.read.NewSelect().Model((*paymentRow)(nil)).Where("status = 'authorized'").Where("expiry_told_at IS NULL").
		Where("capture_before < ?", at(before)).Order("capture_before", "id")
	ids, err := sweep[core.PaymentID](ctx, query, limit)
	return ids, s.failed(ctx, err, "list expiring payments")
}

// LockPayment reads a payment and keeps it from others.
func (t *tx) LockPayment(ctx context.Context, id core.PaymentID) (core.Payment, error) {
	var row paymentRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Payment{}, t.failed(ctx, err, "lock payment %s", id)
	}
	return t.store.payment(row)
}

// LockPaymentByRef is LockPayment for a provider's object.
func (t *tx) LockPaymentByRef(ctx context.Context, ref core.ProviderRef) (core.Payment, error) {
	var row paymentRow
	query := paymentRefs.find(t.tx.NewSelect().Model(&row), ref)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Payment{}, t.failed(ctx, err, "lock payment by provider reference")
	}
	return t.store.payment(row)
}

// InsertPayment stores a new payment under version 1.
func (t *tx) InsertPayment(ctx context.Context, p core.Payment) (core.Payment, error) {
	p.Version = 1
	row, err := t.store.paymentRow(p)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Payment{}, t.failed(ctx, err, "insert payment %s", p.ID)
	}
	t.changed(p.ID)
	return t.store.payment(row)
}

// UpdatePayment stores a changed payment under the next version.
func (t *tx) UpdatePayment(ctx context.Context, p core.Payment) (core.Payment, error) {
	p.Version++
	row, err := t.store.paymentRow(p)
	if err == nil {
		err = t.update(ctx, &row, p.Version-1)
	}
	if err != nil {
		return core.Payment{}, t.failed(ctx, err, "update payment %s", p.ID)
	}
	t.changed(p.ID)
	return t.store.payment(row)
}
