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

type subscriptionRow struct {
	bun.BaseModel `bun:"table:subscriptions"`

	ID                     core.SubscriptionID     `bun:"id,pk"`
	Version                int64                   `bun:"version"`
	Checkout               core.CheckoutID         `bun:"checkout,nullzero"`
	Reference              string                  `bun:"reference"`
	Customer               core.CustomerID         `bun:"customer"`
	Account                core.AccountName        `bun:"account"`
	Provider               core.ProviderName       `bun:"provider"`
	ProviderSubscriptionID string                  `bun:"provider_subscription_id,nullzero"`
	Status                 core.SubscriptionStatus `bun:"status"`
	ForeignStatus          string                  `bun:"foreign_status,nullzero"`
	Price                  core.PriceID            `bun:"price,nullzero"`
	Quantity               int64                   `bun:"quantity"`
	Amount                 int64                   `bun:"amount"`
	Currency               core.Currency           `bun:"currency"`
	CurrentPeriodStart     instant                 `bun:"current_period_start"`
	CurrentPeriodEnd       instant                 `bun:"current_period_end"`
	TrialEnd               instant                 `bun:"trial_end"`
	CancelAtPeriodEnd      bool                    `bun:"cancel_at_period_end"`
	CancelHere             bool                    `bun:"cancel_here"`
	Pending                document                `bun:"pending,nullzero"`
	Method                 document                `bun:"method,nullzero"`
	FailedAttempts         int                     `bun:"failed_attempts"`
	NextAttempt            instant                 `bun:"next_attempt"`
	Failure                document                `bun:"failure,nullzero"`
	Anomaly                core.Reason             `bun:"anomaly,nullzero"`
	Environment            core.Environment        `bun:"environment"`
	Metadata               document                `bun:"metadata"`
	CanceledAt             instant                 `bun:"canceled_at"`
	EndedAt                instant                 `bun:"ended_at"`
	CreatedAt              instant                 `bun:"created_at"`
	UpdatedAt              instant                 `bun:"updated_at"`
	SyncedAt               instant                 `bun:"synced_at"`
	LookAt                 instant                 `bun:"look_at"`
}

// changeDocument is a change to come in its JSON column.
type changeDocument struct {
	Price    core.PriceID `json:"price,omitempty"`
	Quantity int64        `json:"quantity"`
	At       time.Time    `json:"at"`
}

// checkSubscription holds a subscription to what no row may break, on write and on read.
func checkSubscription(s core.Subscription) error {
	failed := []error{checkKnown("status", s.Status), checkLeast("amount", s.Amount, 0)}
	if s.Quantity < 1 {
		failed = append(failed, fmt.Errorf("quantity %d is less than 1", s.Quantity))
	}
	return errors.Join(failed...)
}

// subscriptionRow is how a subscription is stored.
func (s *Store) subscriptionRow(u core.Subscription) (row subscriptionRow, err error) {
	if err := errors.Join(checkTexts(u), checkSubscription(u)); err != nil {
		return row, err
	}
	if u.Environment != s.environment {
		return row, s.wrongEnvironment(string(u.ID), u.Environment)
	}
	row = subscriptionRow{
		ID: u.ID, Version: u.Version, Checkout: u.Checkout, Reference: u.Reference, Customer: u.Customer, Account: u.Account,
		Provider: u.Provider, ProviderSubscriptionID: u.ProviderSubscriptionID, Status: u.Status, ForeignStatus: u.ForeignStatus,
		Price: u.Price, Quantity: u.Quantity, Amount: u.Amount.Minor(), Currency: u.Amount.Currency(),
		CurrentPeriodStart: at(u.CurrentPeriodStart), CurrentPeriodEnd: at(u.CurrentPeriodEnd), TrialEnd: at(u.TrialEnd),
		CancelAtPeriodEnd: u.CancelAtPeriodEnd, CancelHere: u.CancelHere, FailedAttempts: u.FailedAttempts,
		NextAttempt: at(u.NextAttempt), Anomaly: u.Anomaly, Environment: u.Environment, CanceledAt: at(u.CanceledAt),
		EndedAt: at(u.EndedAt), CreatedAt: at(u.CreatedAt), UpdatedAt: at(u.UpdatedAt), SyncedAt: at(u.SyncedAt), LookAt: at(u.LookAt()),
	}
	var failed [4]error
	if u.Pending != nil {
		pending := changeDocument(*u.Pending)
		pending.At = at(pending.At).Time
		row.Pending, failed[0] = encode(pending, "")
	}
	if u.Method != nil {
		row.Method, failed[1] = encode((*methodDocument)(u.Method), "")
	}
	row.Failure, failed[2] = encodeFailure(u.Failure)
	row.Metadata, failed[3] = encode(u.Metadata, "{}")
	return row, errors.Join(failed[:]...)
}

// subscription is what a row says. A row that breaks the invariants is an error.
func (s *Store) subscription(row subscriptionRow) (core.Subscription, error) {
	u := core.Subscription{
		ID: row.ID, Version: row.Version, Checkout: row.Checkout, Reference: row.Reference, Customer: row.Customer, Account: row.Account,
		Provider: row.Provider, ProviderSubscriptionID: row.ProviderSubscriptionID, Status: row.Status, ForeignStatus: row.ForeignStatus,
		Price: row.Price, Quantity: row.Quantity, CurrentPeriodStart: row.CurrentPeriodStart.Time,
		CurrentPeriodEnd: row.CurrentPeriodEnd.Time, TrialEnd: row.TrialEnd.Time, CancelAtPeriodEnd: row.CancelAtPeriodEnd,
		CancelHere: row.CancelHere, FailedAttempts: row.FailedAttempts, NextAttempt: row.NextAttempt.Time, Anomaly: row.Anomaly,
		Environment: row.Environment, CanceledAt: row.CanceledAt.Time, EndedAt: row.EndedAt.Time, CreatedAt: row.CreatedAt.Time,
		UpdatedAt: row.UpdatedAt.Time, SyncedAt: row.SyncedAt.Time,
	}
	var failed [6]error
	u.Amount, failed[0] = core.NewMoney(row.Amount, row.Currency)
	if row.Pending != "" {
		var pending changeDocument
		pending, failed[1] = decode[changeDocument](row.Pending)
		u.Pending = (*core.SubscriptionChange)(&pending)
	}
	if row.Method != "" {
		var method methodDocument
		method, failed[2] = decode[methodDocument](row.Method)
		u.Method = (*core.PaymentMethod)(&method)
	}
	u.Failure, failed[3] = decodeFailure(row.Failure)
	u.Metadata, failed[4] = decode[map[string]string](row.Metadata)
	failed[5] = checkSubscription(u)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Subscription{}, fmt.Errorf("subscription %s: %w", row.ID, err)
	}
	return u, nil
}

// Subscription gives one subscription.
func (s *Store) Subscription(ctx context.Context, id core.SubscriptionID) (core.Subscription, error) {
	var row subscriptionRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Subscription{}, s.failed(ctx, err, "read subscription %s", id)
	}
	return s.subscription(row)
}

// subscriptionRefs is where subscriptions hold their providers' ids.
var subscriptionRefs = refColumns{core.ObjectSubscription: "provider_subscription_id"}

// SubscriptionByRef gives the subscription that a provider's object is.
func (s *Store) SubscriptionByRef(ctx context.Context, ref core.ProviderRef) (core.Subscription, error) {
	var row subscriptionRow
	if err := subscriptionRefs.find(s.read.NewSelect().Model(&row), ref).Scan(ctx); err != nil {
		return core.Subscription{}, s.failed(ctx, err, "read subscription by provider reference")
	}
	return s.subscription(row)
}

// Subscriptions gives one page of subscriptions.
func (s *Store) Subscriptions(ctx context.Context, filter ports.SubscriptionFilter, request core.PageRequest) (core.Page[core.Subscription], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Subscription]{}, fmt.Errorf("list subscriptions: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"customer", string(filter.Customer)}, equal{"account", string(filter.Account)},
			equal{"price", string(filter.Price)}, equal{"reference", filter.Reference})
		return whereTimes(whereStatus(query, filter.Statuses), "created_at", filter.CreatedAfter, filter.CreatedBefore)
	}
	page, err := readPage[subscriptionRow](ctx, s.read, listing{column: "created_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Subscription]{}, s.failed(ctx, err, "list subscriptions")
	}
	return pageOf(page, s.subscription)
}

// endDue is when the end that we have to bring is due: with the period, and at once where another has
// begun since it was asked for. The index is of the same words.
const endDue = "(CASE WHEN current_period_start > canceled_at THEN canceled_at ELSE current_period_end END)"

// SubscriptionsToCancel gives those that we have to end, the soonest end of a period first, without
// those that were looked at lately.
func (s *Store) SubscriptionsToCancel(ctx context.Context, before, unseenSince time.Time, limit int) ([]core.SubscriptionID, error) {
	query := s.read.NewSelect().Model((*subscriptionRow)(nil)).Where("cancel_here").Where("status <> 'canceled'").
		Where(endDue+" < ?", at(before)).Where("(synced_at IS NULL OR synced_at < ?)", at(unseenSince)).OrderExpr(endDue + ", id")
	ids, err := sweep[core.SubscriptionID](ctx, query, limit)
	return ids, s.failed(ctx, err, "list subscriptions to cancel")
}

// LockSubscription reads a subscription and keeps it from others.
func (t *tx) LockSubscription(ctx context.Context, id core.SubscriptionID) (core.Subscription, error) {
	var row subscriptionRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Subscription{}, t.failed(ctx, err, "lock subscription %s", id)
	}
	return t.store.subscription(row)
}

// InsertSubscription stores a new subscription under version 1.
func (t *tx) InsertSubscription(ctx context.Context, u core.Subscription) (core.Subscription, error) {
	u.Version = 1
	row, err := t.store.subscriptionRow(u)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Subscription{}, t.failed(ctx, err, "insert subscription %s", u.ID)
	}
	return t.store.subscription(row)
}

// UpdateSubscription stores a changed subscription under the next version.
func (t *tx) UpdateSubscription(ctx context.Context, u core.Subscription) (core.Subscription, error) {
	u.Version++
	row, err := t.store.subscriptionRow(u)
	if err == nil {
		err = t.update(ctx, &row, u.Version-1)
	}
	if err != nil {
		return core.Subscription{}, t.failed(ctx, err, "update subscription %s", u.ID)
	}
	return t.store.subscription(row)
}
