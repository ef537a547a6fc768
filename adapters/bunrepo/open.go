package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/migrations"
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
	// notified tells this process of new notifications.
	notified notified
	// changes tells this process of changed payments.
	changes changes
	tracer  trace.Tracer
	meter   metric.Meter
	// inboundMode is how pgx sends the one statement that goes without bun; nil for the
	// way that the URL asks for.
	inboundMode *pgx.QueryExecMode

	environment core.Environment
	sealer      ports.Sealer
	ids         ports.IDs
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
	s, err := open(ctx, ways, options)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open store: %w", err), ways.close())
	}
	return s, func() { _ = ways.close() }, nil
}

// open makes a store of a database that answers, once its schema and its environment are
// the right ones.
func open(ctx context.Context, ways *connections, options Options) (*Store, error) {
	if options.Migrate {
		if err := migrateUp(ctx, ways); err != nil {
			return nil, err
		}
	}
	if err := migrations.Check(ctx, ways.writer, ways.dialect.folder()); err != nil {
		return nil, err
	}
	if err := stamp(ctx, ways, options.Environment); err != nil {
		return nil, err
	}
	tracers, meters := options.Tracer, options.Meter
	if tracers == nil {
		tracers = otel.GetTracerProvider()
	}
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	s := &Store{
		db: ways.bun(ways.writer), sqlDB: ways.writer, pool: ways.pool, dialect: ways.dialect,
		tracer: tracers.Tracer(scope), meter: meters.Meter(scope),
		environment: options.Environment, sealer: options.Sealer, ids: options.IDs,
	}
	if ways.pool != nil && ways.pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeExec {
		mode := pgx.QueryExecModeCacheStatement
		s.inboundMode = &mode
	}
	spans := statementSpans{tracer: s.tracer, dialect: ways.dialect}
	s.db = s.db.WithQueryHook(spans)
	s.read = s.db
	if ways.reader != ways.writer {
		s.read = ways.bun(ways.reader).WithQueryHook(spans)
		if err := watchPool(s.meter, "reader", ways.reader); err != nil {
			return nil, fmt.Errorf("watch connections: %w", err)
		}
	}
	if err := watchPool(s.meter, "writer", ways.writer); err != nil {
		return nil, fmt.Errorf("watch connections: %w", err)
	}
	return s, nil
}

// readyMax is how long a look at the database may take.
const readyMax = 2 * time.Second

// Ready reports why the store cannot be used, or nil.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	if err := migrations.Check(ctx, s.read.DB, s.dialect.folder()); err != nil {
		return s.failed(ctx, err, "look at the database")
	}
	return nil
}
