package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Options say which database to open, and with what.
type Options struct {
	// URL is sqlite:PATH or postgres://…, the latter with the parameters of pgxpool.
	URL string
	// Environment must be the one the database was stamped with when it was first opened.
	Environment core.Environment
	// Sealer encrypts personal data, payloads and secrets before they are stored.
	Sealer ports.Sealer
	// IDs names this process among those that work on jobs.
	IDs ports.IDs
	// Tracer and Meter watch statements; nil for the global ones.
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider
	// Migrate brings the schema up first. Without it, a schema of another version is an
	// error.
	Migrate bool
}

// Store implements [ports.Store]. It is safe for concurrent use.
type Store struct {
	db      *bun.DB       // writes
	read    *bun.DB       // reads; the same as db on PostgreSQL
	sqlDB   *sql.DB       // below db
	pool    *pgxpool.Pool // below sqlDB; nil on SQLite
	dialect dialect
	jobs    jobClient

	environment core.Environment
	sealer      ports.Sealer
	ids         ports.IDs
}

// tx implements [ports.Tx].
type tx struct {
	tx    bun.Tx
	store *Store
}

// Open opens a store. The second result closes it; call it once, after the last use.
func Open(ctx context.Context, options Options) (*Store, func(), error) {
	if options.Sealer == nil || options.IDs == nil {
		return nil, nil, errors.New("open store: a sealer and a source of ids are needed")
	}
	if _, err := core.ParseEnvironment(string(options.Environment)); err != nil {
		return nil, nil, fmt.Errorf("open store: environment %w", err)
	}
	ways, err := connect(ctx, options.URL)
	if err != nil {
		return nil, nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{
		db: ways.bun(ways.writer), sqlDB: ways.writer, pool: ways.pool, dialect: ways.dialect,
		environment: options.Environment, sealer: options.Sealer, ids: options.IDs,
	}
	s.read = s.db
	if ways.reader != ways.writer {
		s.read = ways.bun(ways.reader)
	}
	return s, func() { _ = ways.close() }, nil
}
