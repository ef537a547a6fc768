package bunrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type priceRow struct {
	bun.BaseModel `bun:"table:prices"`

	ID                core.PriceID     `bun:"id,pk"`
	Name              string           `bun:"name"`
	Amount            int64            `bun:"amount"`
	Currency          core.Currency    `bun:"currency"`
	RecurringInterval core.Interval    `bun:"recurring_interval,nullzero"`
	RecurringCount    int              `bun:"recurring_count,nullzero"`
	TrialDays         int              `bun:"trial_days"`
	RequestKey        core.RequestKey  `bun:"request_key,nullzero"`
	Environment       core.Environment `bun:"environment"`
	CreatedAt         instant          `bun:"created_at"`
}

type priceAccountRow struct {
	bun.BaseModel `bun:"table:price_accounts"`

	Price           core.PriceID     `bun:"price,pk"`
	Account         core.AccountName `bun:"account,pk"`
	ProviderPriceID string           `bun:"provider_price_id"`
	CreatedAt       instant          `bun:"created_at"`
}

// checkPrice holds a price to what no row may break, on write and on read.
func checkPrice(p core.Price) error {
	failed := []error{checkLeast("amount", p.Amount, 1)}
	if r := p.Recurring; r != nil {
		failed = append(failed, checkKnown("interval", r.Interval))
		if r.Count < 1 || r.Count > core.IntervalCountMax {
			failed = append(failed, fmt.Errorf("count %d is not within 1 and %d", r.Count, core.IntervalCountMax))
		}
		if r.TrialDays < 0 || r.TrialDays > core.TrialDaysMax {
			failed = append(failed, fmt.Errorf("trial of %d days is not within 0 and %d", r.TrialDays, core.TrialDaysMax))
		}
	}
	return errors.Join(failed...)
}

// priceRow is how a price is stored.
func (s *Store) priceRow(p core.Price) (row priceRow, err error) {
	if err := errors.Join(checkTexts(p), checkPrice(p)); err != nil {
		return row, err
	}
	if p.Environment != s.environment {
		return row, s.wrongEnvironment(string(p.ID), p.Environment)
	}
	row = priceRow{
		ID: p.ID, Name: p.Name, Amount: p.Amount.Minor(), Currency: p.Amount.Currency(), RequestKey: p.RequestKey,
		Environment: p.Environment, CreatedAt: at(p.CreatedAt),
	}
	if r := p.Recurring; r != nil {
		row.RecurringInterval, row.RecurringCount, row.TrialDays = r.Interval, r.Count, r.TrialDays
	}
	return row, nil
}

// price is what a row says. A row that breaks the invariants is an error.
func (s *Store) price(row priceRow) (core.Price, error) {
	p := core.Price{ID: row.ID, Name: row.Name, RequestKey: row.RequestKey, Environment: row.Environment, CreatedAt: row.CreatedAt.Time}
	if row.RecurringInterval != "" {
		p.Recurring = &core.Recurring{Interval: row.RecurringInterval, Count: row.RecurringCount, TrialDays: row.TrialDays}
	}
	var err error
	p.Amount, err = core.NewMoney(row.Amount, row.Currency)
	if err := errors.Join(err, checkPrice(p)); err != nil {
		return core.Price{}, fmt.Errorf("price %s: %w", row.ID, err)
	}
	return p, nil
}

// Price gives one price.
func (s *Store) Price(ctx context.Context, id core.PriceID) (core.Price, error) {
	var row priceRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Price{}, s.failed(ctx, err, "read price %s", id)
	}
	return s.price(row)
}

// PriceByRequestKey gives the price that a storefront's call made.
func (s *Store) PriceByRequestKey(ctx context.Context, key core.RequestKey) (core.Price, error) {
	var row priceRow
	if err := s.read.NewSelect().Model(&row).Where("request_key = ?", key).Scan(ctx); err != nil {
		return core.Price{}, s.failed(ctx, err, "read price by request key")
	}
	return s.price(row)
}

// Prices gives one page of prices.
func (s *Store) Prices(ctx context.Context, request core.PageRequest) (core.Page[core.Price], error) {
	page, err := readPage[priceRow](ctx, s.read, listing{column: "created_at", narrow: everything}, request)
	if err != nil {
		return core.Page[core.Price]{}, s.failed(ctx, err, "list prices")
	}
	return pageOf(page, s.price)
}

func priceAccount(row priceAccountRow) core.PriceAccount {
	return core.PriceAccount{Price: row.Price, Account: row.Account, ProviderPriceID: row.ProviderPriceID, CreatedAt: row.CreatedAt.Time}
}

// PriceAccount gives a price's counterpart at an account.
func (s *Store) PriceAccount(ctx context.Context, price core.PriceID, account core.AccountName) (core.PriceAccount, error) {
	var row priceAccountRow
	err := s.read.NewSelect().Model(&row).Where("price = ?", price).Where("account = ?", account).Scan(ctx)
	if err != nil {
		return core.PriceAccount{}, s.failed(ctx, err, "read counterpart of %s", price)
	}
	return priceAccount(row), nil
}

// PriceAccountByRef gives a price's counterpart by the provider's id of it.
func (s *Store) PriceAccountByRef(ctx context.Context, account core.AccountName, providerPrice string) (core.PriceAccount, error) {
	var row priceAccountRow
	err := s.read.NewSelect().Model(&row).Where("account = ?", account).Where("provider_price_id = ?", providerPrice).Scan(ctx)
	if err != nil {
		return core.PriceAccount{}, s.failed(ctx, err, "read price by provider reference")
	}
	return priceAccount(row), nil
}

// InsertPrice stores a new price.
func (t *tx) InsertPrice(ctx context.Context, p core.Price) (core.Price, error) {
	row, err := t.store.priceRow(p)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Price{}, t.failed(ctx, err, "insert price %s", p.ID)
	}
	return t.store.price(row)
}

// InsertPriceAccount stores a price's counterpart at an account.
func (t *tx) InsertPriceAccount(ctx context.Context, a core.PriceAccount) error {
	err := checkTexts(a)
	if err == nil {
		err = t.insert(ctx, &priceAccountRow{
			Price: a.Price, Account: a.Account, ProviderPriceID: a.ProviderPriceID, CreatedAt: at(a.CreatedAt),
		})
	}
	return t.failed(ctx, err, "insert counterpart of %s", a.Price)
}
