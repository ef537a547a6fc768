package bunrepo

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type endpointRow struct {
	bun.BaseModel `bun:"table:endpoints"`

	ID         core.EndpointID `bun:"id,pk"`
	URL        string          `bun:"url"`
	Types      document        `bun:"types"`
	Secret     []byte          `bun:"secret,nullzero"`
	CreatedAt  instant         `bun:"created_at"`
	DisabledAt instant         `bun:"disabled_at"`
	DeletedAt  instant         `bun:"deleted_at"`
}

const placeEndpointSecret = "endpoints.secret"

func (s *Store) endpointRow(e core.Endpoint) (row endpointRow, err error) {
	if err := checkTexts(e); err != nil {
		return row, err
	}
	row = endpointRow{ID: e.ID, URL: e.URL, CreatedAt: at(e.CreatedAt), DisabledAt: at(e.DisabledAt), DeletedAt: at(e.DeletedAt)}
	if row.Types, err = encode(e.Types, "[]"); err != nil {
		return row, err
	}
	row.Secret, err = s.seal(placeEndpointSecret, string(e.ID), []byte(e.Secret))
	return row, err
}

func (s *Store) endpoint(row endpointRow) (core.Endpoint, error) {
	types, err := decode[[]core.EventType](row.Types)
	if err != nil {
		return core.Endpoint{}, fmt.Errorf("endpoint %s: %w", row.ID, err)
	}
	secret, err := s.unseal(placeEndpointSecret, string(row.ID), row.Secret)
	if err != nil {
		return core.Endpoint{}, err
	}
	return core.Endpoint{
		ID: row.ID, URL: row.URL, Types: types, Secret: string(secret), CreatedAt: row.CreatedAt.Time,
		DisabledAt: row.DisabledAt.Time, DeletedAt: row.DeletedAt.Time,
	}, nil
}

// Endpoints gives the endpoints that are not deleted, newest first.
func (s *Store) Endpoints(ctx context.Context) ([]core.Endpoint, error) {
	endpoints, err := s.endpointsOf(ctx, s.read)
	return endpoints, s.failed(ctx, err, "list endpoints")
}

func (s *Store) endpointsOf(ctx context.Context, db bun.IDB) ([]core.Endpoint, error) {
	var rows []endpointRow
	err := db.NewSelect().Model(&rows).Where("deleted_at IS NULL").OrderExpr("created_at DESC, id DESC").Limit(rowsMax).Scan(ctx)
	if err != nil {
		return nil, err
	}
	return mapped(rows, s.endpoint)
}

// Endpoint gives one endpoint, also a deleted one.
func (s *Store) Endpoint(ctx context.Context, id core.EndpointID) (core.Endpoint, error) {
	var row endpointRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Endpoint{}, s.failed(ctx, err, "read endpoint %s", id)
	}
	return s.endpoint(row)
}

// Endpoints is the store's, as the transaction sees them.
func (t *tx) Endpoints(ctx context.Context) ([]core.Endpoint, error) {
	endpoints, err := t.store.endpointsOf(ctx, t.tx)
	return endpoints, t.failed(ctx, err, "list endpoints")
}

// InsertEndpoint stores a new endpoint.
func (t *tx) InsertEndpoint(ctx context.Context, e core.Endpoint) error {
	row, err := t.store.endpointRow(e)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	return t.failed(ctx, err, "insert endpoint %s", e.ID)
}

// UpdateEndpoint stores a changed endpoint.
func (t *tx) UpdateEndpoint(ctx context.Context, e core.Endpoint) error {
	row, err := t.store.endpointRow(e)
	if err == nil {
		result, failed := t.tx.NewUpdate().Model(&row).ExcludeColumn("id", "created_at").WherePK().Exec(ctx)
		err = affected(result, failed, ports.ErrNotFound)
	}
	return t.failed(ctx, err, "update endpoint %s", e.ID)
}
