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

type endpointRow struct {
	bun.BaseModel `bun:"table:endpoints"`

	ID             core.EndpointID     `bun:"id,pk"`
	URL            string              `bun:"url"`
	Types          document            `bun:"types"`
	Secret         []byte              `bun:"secret,nullzero"`
	OldSecrets     []byte              `bun:"old_secrets,nullzero"`
	CreatedAt      instant             `bun:"created_at"`
	DisabledAt     instant             `bun:"disabled_at"`
	DisabledReason core.DisabledReason `bun:"disabled_reason,nullzero"`
	DeletedAt      instant             `bun:"deleted_at"`
	Failures       int                 `bun:"failures"`
	FailingSince   instant             `bun:"failing_since"`
	PausedUntil    instant             `bun:"paused_until"`
}

// oldSecret is how one that was replaced is written.
type oldSecret struct {
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

const (
	placeEndpointSecret     = "endpoints.secret"
	placeEndpointOldSecrets = "endpoints.old_secrets" //nolint:gosec // where they stand, not what they are
)

func (s *Store) endpointRow(e core.Endpoint) (row endpointRow, err error) {
	if err := checkTexts(e); err != nil {
		return row, err
	}
	row = endpointRow{
		ID: e.ID, URL: e.URL, CreatedAt: at(e.CreatedAt), DisabledAt: at(e.DisabledAt), DisabledReason: e.DisabledReason,
		DeletedAt: at(e.DeletedAt), Failures: e.Failures, FailingSince: at(e.FailingSince), PausedUntil: at(e.PausedUntil),
	}
	var failed [3]error
	row.Types, failed[0] = encode(e.Types, "[]")
	row.Secret, failed[1] = s.seal(placeEndpointSecret, string(e.ID), []byte(e.Secret))
	row.OldSecrets, failed[2] = s.sealOldSecrets(e)
	return row, errors.Join(failed[:]...)
}

// sealOldSecrets writes those that were replaced; nil where there are none.
func (s *Store) sealOldSecrets(e core.Endpoint) ([]byte, error) {
	if len(e.OldSecrets) == 0 {
		return nil, nil
	}
	old := make([]oldSecret, len(e.OldSecrets))
	for i, one := range e.OldSecrets {
		old[i] = oldSecret{one.Secret, at(one.Until).Time}
	}
	text, err := encode(old, "")
	if err != nil {
		return nil, err
	}
	return s.seal(placeEndpointOldSecrets, string(e.ID), []byte(text))
}

// oldSecrets reads what sealOldSecrets wrote.
func (s *Store) oldSecrets(row endpointRow) ([]core.OldSecret, error) {
	if len(row.OldSecrets) == 0 {
		return nil, nil
	}
	text, err := s.unseal(placeEndpointOldSecrets, string(row.ID), row.OldSecrets)
	if err != nil {
		return nil, err
	}
	old, err := decode[[]oldSecret](document(text))
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", row.ID, err)
	}
	all := make([]core.OldSecret, len(old))
	for i, one := range old {
		all[i] = core.OldSecret{Secret: one.Secret, Until: one.Until}
	}
	return all, nil
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
	old, err := s.oldSecrets(row)
	if err != nil {
		return core.Endpoint{}, err
	}
	return core.Endpoint{
		ID: row.ID, URL: row.URL, Types: types, Secret: string(secret), OldSecrets: old, CreatedAt: row.CreatedAt.Time,
		DisabledAt: row.DisabledAt.Time, DisabledReason: row.DisabledReason, DeletedAt: row.DeletedAt.Time,
		Failures: row.Failures, FailingSince: row.FailingSince.Time, PausedUntil: row.PausedUntil.Time,
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

// LockEndpoint reads an endpoint, also a deleted one, and keeps it from others.
func (t *tx) LockEndpoint(ctx context.Context, id core.EndpointID) (core.Endpoint, error) {
	var row endpointRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Endpoint{}, t.failed(ctx, err, "lock endpoint %s", id)
	}
	return t.store.endpoint(row)
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
