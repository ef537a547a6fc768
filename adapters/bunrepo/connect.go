package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

const (
	// postgresConnectionsMax is how many connections one process holds, unless the URL
	// says pool_max_conns.
	postgresConnectionsMax = 20
	// sqliteReadersMax is how many connections read at the same time beside the writer.
	sqliteReadersMax = 8
	// sqliteBusyMillisecondsMax is how long a statement waits for another process.
	sqliteBusyMillisecondsMax = 5000
	// connectMax is how long the first connection may take.
	connectMax = 10 * time.Second

	sqliteFileMode   = 0o600
	sqliteFolderMode = 0o700
)

// ErrURL means that a database URL is of no form that is known here.
var ErrURL = errors.New("database URL must be sqlite:PATH or postgres://…")

// connections are the ways into one database.
type connections struct {
	dialect dialect
	writer  *sql.DB
	reader  *sql.DB       // the writer itself on PostgreSQL
	pool    *pgxpool.Pool // nil on SQLite
}

// connect opens the database that a URL names and makes sure that it answers. Errors
// never repeat the URL, which may hold a password.
func connect(ctx context.Context, address string) (*connections, error) {
	ctx, cancel := context.WithTimeout(ctx, connectMax)
	defer cancel()
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok && path != "" {
		return connectSQLite(ctx, path)
	}
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return connectPostgres(ctx, address)
	}
	return nil, ErrURL
}

// connectSQLite opens one connection that writes and several that only read: with more
// than one writer SQLite's own waiting would decide who is next, and starve some.
func connectSQLite(ctx context.Context, path string) (*connections, error) {
	if err := makeSQLiteFile(path); err != nil {
		return nil, err
	}
	writer := openSQLite(sqliteAddress(path, "_txlock=immediate"))
	writer.SetMaxOpenConns(1)
	writer.SetMaxIdleConns(1)
	if err := writer.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite database: %w", err), writer.Close())
	}
	reader := openSQLite(sqliteAddress(path, "_pragma=query_only(1)"))
	reader.SetMaxOpenConns(sqliteReadersMax)
	reader.SetMaxIdleConns(sqliteReadersMax)
	return &connections{dialect: dialectSQLite, writer: writer, reader: reader}, nil
}

// makeSQLiteFile makes the file and its folder for this user alone: the driver would
// let others read it.
func makeSQLiteFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), sqliteFolderMode); err != nil {
		return fmt.Errorf("make folder of SQLite database: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, sqliteFileMode)
	if err != nil {
		return fmt.Errorf("make SQLite database: %w", err)
	}
	return file.Close()
}

// sqliteAddress gives the driver's name for a file. FULL makes each commit durable
// against a loss of power, also under the write-ahead log.
func sqliteAddress(path, option string) string {
	options := []string{
		fmt.Sprintf("_pragma=busy_timeout(%d)", sqliteBusyMillisecondsMax),
		"_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)", option,
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(options, "&")
}

// connectPostgres opens one pool that database/sql, bun and the jobs share.
func connectPostgres(ctx context.Context, address string) (*connections, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("PostgreSQL URL cannot be read") // pgx's words may repeat parts of it
	}
	if !strings.Contains(address, "pool_max_conns=") {
		config.MaxConns = postgresConnectionsMax
	}
	if !strings.Contains(address, "default_query_exec_mode=") {
		// bun writes values into its statements, so that each is a new one: preparing them
		// would fill the server's memory with plans that nobody asks for again.
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "paydesk"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach PostgreSQL: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	return &connections{dialect: dialectPostgres, writer: db, reader: db, pool: pool}, nil
}

// close gives all connections back.
func (c *connections) close() error {
	var failed error
	if c.reader != c.writer {
		failed = c.reader.Close()
	}
	failed = errors.Join(failed, c.writer.Close())
	if c.pool != nil {
		c.pool.Close()
	}
	return failed
}

// bun wraps one of the connections.
func (c *connections) bun(db *sql.DB) *bun.DB {
	if c.dialect == dialectPostgres {
		return bun.NewDB(db, pgdialect.New())
	}
	return bun.NewDB(db, sqlitedialect.New())
}
