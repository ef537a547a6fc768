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

type checkoutRow struct {
	bun.BaseModel `bun:"table:checkouts"`

	ID           core.CheckoutID     `bun:"id,pk"`
	Version      int64               `bun:"version"`
	Environment  core.Environment    `bun:"environment"`
	Reference    string              `bun:"reference"`
	Mode         core.CheckoutMode   `bun:"mode"`
	Capture      core.CaptureMode    `bun:"capture"`
	Flow         core.Flow           `bun:"flow"`
	Status       core.CheckoutStatus `bun:"status"`
	Amount       int64               `bun:"amount"`
	Currency     core.Currency       `bun:"currency"`
	LineItems    document            `bun:"line_items"`
	Providers    document            `bun:"providers"`
	Customer     core.CustomerID     `bun:"customer,nullzero"`
	BuyerCountry string              `bun:"buyer_country,nullzero"`
	BuyerEmail   []byte              `bun:"buyer_email,nullzero"`
	BuyerName    []byte              `bun:"buyer_name,nullzero"`
	SuccessURL   string              `bun:"success_url"`
	CancelURL    string              `bun:"cancel_url,nullzero"`
	Metadata     document            `bun:"metadata"`
	RequestKey   core.RequestKey     `bun:"request_key,nullzero"`
	Lease        string              `bun:"lease,nullzero"`
	Payment      core.PaymentID      `bun:"payment,nullzero"`
	Subscription core.SubscriptionID `bun:"subscription,nullzero"`
	Method       core.MethodID       `bun:"method,nullzero"`
	Attempts     int                 `bun:"attempts"`
	ExpiresAt    instant             `bun:"expires_at"`
	LookAt       instant             `bun:"look_at"`
	CreatedAt    instant             `bun:"created_at"`
	UpdatedAt    instant             `bun:"updated_at"`
	BuyerMark    string              `bun:"buyer_mark,nullzero"`
}

// lineItem is a row of a checkout in its JSON column. The currency is the checkout's.
type lineItem struct {
	Price    core.PriceID `json:"price,omitempty"`
	Name     string       `json:"name"`
	Amount   int64        `json:"amount"`
	Quantity int64        `json:"quantity"`
}

const (
	placeBuyerEmail = "checkouts.buyer_email"
	placeBuyerName  = "checkouts.buyer_name"
)

// checkoutRow is how a checkout is stored.
func (s *Store) checkoutRow(c core.Checkout) (row checkoutRow, err error) {
	if err := checkTexts(c); err != nil {
		return row, err
	}
	if c.Environment != s.environment {
		return row, s.wrongEnvironment(string(c.ID), c.Environment)
	}
	row = checkoutRow{
		ID: c.ID, Version: c.Version, Environment: c.Environment, Reference: c.Reference, Mode: c.Mode,
		Capture: c.Capture, Flow: c.Flow, Status: c.Status, Amount: c.Amount.Minor(), Currency: c.Amount.Currency(),
		Customer: c.Buyer.Customer, BuyerCountry: c.Buyer.Country, SuccessURL: c.SuccessURL, CancelURL: c.CancelURL, RequestKey: c.RequestKey,
		Lease: c.Lease, Payment: c.Payment, Subscription: c.Subscription, Method: c.Method, Attempts: c.Attempts, ExpiresAt: at(c.ExpiresAt), LookAt: at(c.LookAt), CreatedAt: at(c.CreatedAt), UpdatedAt: at(c.UpdatedAt),
		BuyerMark: s.emailMark(c.Buyer.Email),
	}
	items := make([]lineItem, len(c.LineItems))
	for i, item := range c.LineItems {
		if item.Amount.Currency() != row.Currency {
			return row, fmt.Errorf("line item %d: %w", i, core.ErrCurrencyMismatch)
		}
		items[i] = lineItem{Price: item.Price, Name: item.Name, Amount: item.Amount.Minor(), Quantity: item.Quantity}
	}
	var failed [5]error
	row.LineItems, failed[0] = encode(items, "[]")
	row.Providers, failed[1] = encode(c.Providers, "[]")
	row.Metadata, failed[2] = encode(c.Metadata, "{}")
	row.BuyerEmail, failed[3] = s.seal(placeBuyerEmail, string(c.ID), []byte(c.Buyer.Email))
	row.BuyerName, failed[4] = s.seal(placeBuyerName, string(c.ID), []byte(c.Buyer.Name))
	return row, errors.Join(failed[:]...)
}

// checkout is what a row says.
func (s *Store) checkout(row checkoutRow) (c core.Checkout, err error) {
	c = core.Checkout{
		ID: row.ID, Version: row.Version, Environment: row.Environment, Reference: row.Reference, Mode: row.Mode,
		Capture: row.Capture, Flow: row.Flow, Status: row.Status, Buyer: core.Buyer{Customer: row.Customer, Country: row.BuyerCountry},
		SuccessURL: row.SuccessURL, CancelURL: row.CancelURL, RequestKey: row.RequestKey, Lease: row.Lease,
		Payment: row.Payment, Subscription: row.Subscription, Method: row.Method, Attempts: row.Attempts, ExpiresAt: row.ExpiresAt.Time, LookAt: row.LookAt.Time, CreatedAt: row.CreatedAt.Time, UpdatedAt: row.UpdatedAt.Time,
	}
	var failed [6]error
	var email, name []byte
	var items []lineItem
	c.Amount, failed[0] = core.NewMoney(row.Amount, row.Currency)
	items, failed[1] = decode[[]lineItem](row.LineItems)
	c.Providers, failed[2] = decode[[]core.ProviderName](row.Providers)
	c.Metadata, failed[3] = decode[map[string]string](row.Metadata)
	email, failed[4] = s.unseal(placeBuyerEmail, string(row.ID), row.BuyerEmail)
	name, failed[5] = s.unseal(placeBuyerName, string(row.ID), row.BuyerName)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Checkout{}, fmt.Errorf("checkout %s: %w", row.ID, err)
	}
	c.Buyer.Email, c.Buyer.Name = string(email), string(name)
	for _, item := range items {
		amount, err := core.NewMoney(item.Amount, row.Currency)
		if err != nil {
			return core.Checkout{}, fmt.Errorf("checkout %s: %w", row.ID, err)
		}
		c.LineItems = append(c.LineItems, core.LineItem{Price: item.Price, Name: item.Name, Amount: amount, Quantity: item.Quantity})
	}
	return c, nil
}

// Checkout gives one checkout.
func (s *Store) Checkout(ctx context.Context, id core.CheckoutID) (core.Checkout, error) {
	var row checkoutRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Checkout{}, s.failed(ctx, err, "read checkout %s", id)
	}
	return s.checkout(row)
}

// Checkouts gives those of the ids that exist, in no order.
func (s *Store) Checkouts(ctx context.Context, ids []core.CheckoutID) ([]core.Checkout, error) {
	found, err := byIDs(ctx, s.read, ids, s.checkout)
	return found, s.failed(ctx, err, "read checkouts")
}

// CheckoutList gives one page of checkouts.
func (s *Store) CheckoutList(ctx context.Context, filter ports.CheckoutFilter, request core.PageRequest) (core.Page[core.Checkout], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Checkout]{}, fmt.Errorf("list checkouts: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"reference", filter.Reference}, equal{"customer", string(filter.Customer)})
		query = whereTimes(query, "created_at", filter.CreatedAfter, filter.CreatedBefore)
		if filter.Email != "" {
			query = whereIn(query, "buyer_mark", s.emailMarks(filter.Email))
		}
		return whereCheckoutStatus(query, filter.Statuses, filter.Now)
	}
	page, err := readPage[checkoutRow](ctx, s.read, listing{column: "created_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Checkout]{}, s.failed(ctx, err, "list checkouts")
	}
	return pageOf(page, s.checkout)
}

// whereCheckoutStatus selects checkouts by their status as it is at a time: one whose time is over is
// expired, whether or not that was written down yet.
func whereCheckoutStatus(query *bun.SelectQuery, statuses []core.CheckoutStatus, now time.Time) *bun.SelectQuery {
	if len(statuses) == 0 {
		return query
	}
	return query.WhereGroup(" AND ", func(query *bun.SelectQuery) *bun.SelectQuery {
		for _, status := range statuses {
			switch status {
			case core.CheckoutOpen:
				query = query.WhereOr("(status = 'open' AND (expires_at > ? OR lease IS NOT NULL))", at(now))
			case core.CheckoutExpired:
				query = query.WhereOr("(status = 'expired' OR status = 'open' AND expires_at <= ? AND lease IS NULL)", at(now))
			case core.CheckoutComplete:
				query = query.WhereOr("status = 'complete'")
			}
		}
		return query
	})
}

// CheckoutByRequestKey gives the checkout that a storefront's call made.
func (s *Store) CheckoutByRequestKey(ctx context.Context, key core.RequestKey) (core.Checkout, error) {
	var row checkoutRow
	if err := s.read.NewSelect().Model(&row).Where("request_key = ?", key).Scan(ctx); err != nil {
		return core.Checkout{}, s.failed(ctx, err, "read checkout by request key")
	}
	return s.checkout(row)
}

// CheckoutsToExpire gives open checkouts whose time was over, the longest overdue first.
func (s *Store) CheckoutsToExpire(ctx context.Context, now time.Time, limit int) ([]core.CheckoutID, error) {
	query := s.read.NewSelect().Model((*checkoutRow)(nil)).Where("status = 'open'").
		Where("coalesce(look_at, expires_at) <= ?", at(now)).OrderExpr("coalesce(look_at, expires_at), id")
	ids, err := sweep[core.CheckoutID](ctx, query, limit)
	return ids, s.failed(ctx, err, "list checkouts to expire")
}

// LockCheckout reads a checkout and keeps it from others.
func (t *tx) LockCheckout(ctx context.Context, id core.CheckoutID) (core.Checkout, error) {
	var row checkoutRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Checkout{}, t.failed(ctx, err, "lock checkout %s", id)
	}
	return t.store.checkout(row)
}

// InsertCheckout stores a new checkout under version 1.
func (t *tx) InsertCheckout(ctx context.Context, c core.Checkout) (core.Checkout, error) {
	c.Version = 1
	row, err := t.store.checkoutRow(c)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Checkout{}, t.failed(ctx, err, "insert checkout %s", c.ID)
	}
	return t.store.checkout(row)
}

// UpdateCheckout stores a changed checkout under the next version.
func (t *tx) UpdateCheckout(ctx context.Context, c core.Checkout) (core.Checkout, error) {
	c.Version++
	row, err := t.store.checkoutRow(c)
	if err == nil {
		err = t.update(ctx, &row, c.Version-1)
	}
	if err != nil {
		return core.Checkout{}, t.failed(ctx, err, "update checkout %s", c.ID)
	}
	return t.store.checkout(row)
}

// wrongEnvironment refuses what belongs to another environment than the database.
func (s *Store) wrongEnvironment(id string, env core.Environment) error {
	return fmt.Errorf("%s is of environment %q, the database of %q: %w", id, env, s.environment, ErrEnvironment)
}

var _ ports.Store = (*Store)(nil)
