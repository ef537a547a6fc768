package bunrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type customerRow struct {
	bun.BaseModel `bun:"table:customers"`

	ID          core.CustomerID  `bun:"id,pk"`
	Version     int64            `bun:"version"`
	Email       []byte           `bun:"email,nullzero"`
	Name        []byte           `bun:"name,nullzero"`
	RequestKey  core.RequestKey  `bun:"request_key,nullzero"`
	Environment core.Environment `bun:"environment"`
	Metadata    document         `bun:"metadata"`
	CreatedAt   instant          `bun:"created_at"`
	UpdatedAt   instant          `bun:"updated_at"`
	EmailMark   string           `bun:"email_mark,nullzero"`
}

type customerAccountRow struct {
	bun.BaseModel `bun:"table:customer_accounts"`

	Customer           core.CustomerID  `bun:"customer,pk"`
	Account            core.AccountName `bun:"account,pk"`
	ProviderCustomerID string           `bun:"provider_customer_id"`
	CreatedAt          instant          `bun:"created_at"`
}

const (
	placeCustomerEmail = "customers.email"
	placeCustomerName  = "customers.name"
)

// customerRow is how a customer is stored.
func (s *Store) customerRow(c core.Customer) (row customerRow, err error) {
	if err := checkTexts(c); err != nil {
		return row, err
	}
	if c.Environment != s.environment {
		return row, s.wrongEnvironment(string(c.ID), c.Environment)
	}
	row = customerRow{
		ID: c.ID, Version: c.Version, RequestKey: c.RequestKey, Environment: c.Environment,
		CreatedAt: at(c.CreatedAt), UpdatedAt: at(c.UpdatedAt), EmailMark: s.emailMark(c.Email),
	}
	var failed [3]error
	row.Email, failed[0] = s.seal(placeCustomerEmail, string(c.ID), []byte(c.Email))
	row.Name, failed[1] = s.seal(placeCustomerName, string(c.ID), []byte(c.Name))
	row.Metadata, failed[2] = encode(c.Metadata, "{}")
	return row, errors.Join(failed[:]...)
}

// customer is what a row says.
func (s *Store) customer(row customerRow) (core.Customer, error) {
	c := core.Customer{
		ID: row.ID, Version: row.Version, RequestKey: row.RequestKey, Environment: row.Environment,
		CreatedAt: row.CreatedAt.Time, UpdatedAt: row.UpdatedAt.Time,
	}
	var failed [3]error
	var email, name []byte
	email, failed[0] = s.unseal(placeCustomerEmail, string(row.ID), row.Email)
	name, failed[1] = s.unseal(placeCustomerName, string(row.ID), row.Name)
	c.Metadata, failed[2] = decode[map[string]string](row.Metadata)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Customer{}, fmt.Errorf("customer %s: %w", row.ID, err)
	}
	c.Email, c.Name = string(email), string(name)
	return c, nil
}

// Customer gives one customer.
func (s *Store) Customer(ctx context.Context, id core.CustomerID) (core.Customer, error) {
	var row customerRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Customer{}, s.failed(ctx, err, "read customer %s", id)
	}
	return s.customer(row)
}

// CustomerByRequestKey gives the customer that a storefront's call made.
func (s *Store) CustomerByRequestKey(ctx context.Context, key core.RequestKey) (core.Customer, error) {
	var row customerRow
	if err := s.read.NewSelect().Model(&row).Where("request_key = ?", key).Scan(ctx); err != nil {
		return core.Customer{}, s.failed(ctx, err, "read customer by request key")
	}
	return s.customer(row)
}

// Customers gives one page of customers.
func (s *Store) Customers(ctx context.Context, filter ports.CustomerFilter, request core.PageRequest) (core.Page[core.Customer], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Customer]{}, fmt.Errorf("list customers: %w", err)
	}
	narrow := everything
	if filter.Email != "" {
		narrow = func(query *bun.SelectQuery) *bun.SelectQuery {
			return whereIn(query, "email_mark", s.emailMarks(filter.Email))
		}
	}
	page, err := readPage[customerRow](ctx, s.read, listing{column: "created_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Customer]{}, s.failed(ctx, err, "list customers")
	}
	return pageOf(page, s.customer)
}

// CustomerAccount gives a customer's counterpart at an account.
func (s *Store) CustomerAccount(ctx context.Context, customer core.CustomerID, account core.AccountName) (core.CustomerAccount, error) {
	var row customerAccountRow
	err := s.read.NewSelect().Model(&row).Where("customer = ?", customer).Where("account = ?", account).Scan(ctx)
	if err != nil {
		return core.CustomerAccount{}, s.failed(ctx, err, "read counterpart of %s", customer)
	}
	return core.CustomerAccount{
		Customer: row.Customer, Account: row.Account, ProviderCustomerID: row.ProviderCustomerID, CreatedAt: row.CreatedAt.Time,
	}, nil
}

// LockCustomer reads a customer and keeps it from others.
func (t *tx) LockCustomer(ctx context.Context, id core.CustomerID) (core.Customer, error) {
	var row customerRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Customer{}, t.failed(ctx, err, "lock customer %s", id)
	}
	return t.store.customer(row)
}

// InsertCustomer stores a new customer under version 1.
func (t *tx) InsertCustomer(ctx context.Context, c core.Customer) (core.Customer, error) {
	c.Version = 1
	row, err := t.store.customerRow(c)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Customer{}, t.failed(ctx, err, "insert customer %s", c.ID)
	}
	return t.store.customer(row)
}

// InsertCustomerAccount stores a customer's counterpart at an account.
func (t *tx) InsertCustomerAccount(ctx context.Context, a core.CustomerAccount) error {
	err := checkTexts(a)
	if err == nil {
		err = t.insert(ctx, &customerAccountRow{
			Customer: a.Customer, Account: a.Account, ProviderCustomerID: a.ProviderCustomerID, CreatedAt: at(a.CreatedAt),
		})
	}
	return t.failed(ctx, err, "insert counterpart of %s", a.Customer)
}
