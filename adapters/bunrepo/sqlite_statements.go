package bunrepo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	sqlite "modernc.org/sqlite"
)

// preparedMax is how many statements one connection to SQLite keeps prepared.
const preparedMax = 64

// preparing opens connections that keep statements with parameters prepared. The queue
// asks the same few of them for each job, and parsing them took longer than running them,
// while the one writer was held. Statements without parameters have their values written
// into them and are hardly ever asked twice.
type preparing struct {
	driver  *sqlite.Driver
	address string
}

// Connect implements [driver.Connector].
func (p preparing) Connect(context.Context) (driver.Conn, error) {
	conn, err := p.driver.Open(p.address)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("open SQLite database: %T lacks a method", conn), conn.Close())
	}
	return &preparedConn{sqliteConn: full}, nil
}

// Driver implements [driver.Connector].
func (p preparing) Driver() driver.Driver { return p.driver }

// openSQLite opens a pool of such connections.
func openSQLite(address string) *sql.DB {
	return sql.OpenDB(preparing{driver: &sqlite.Driver{}, address: address})
}

// sqliteConn is all that database/sql may ask of a connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStatement is what a connection prepares.
type sqliteStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn is a connection with the statements that it keeps, the one used last at
// the end. One goroutine at a time uses it, as database/sql promises.
type preparedConn struct {
	sqliteConn
	kept []*preparedStatement
}

type preparedStatement struct {
	sqliteStatement
	query string
	inUse bool // its rows are being read
}

// ExecContext implements [driver.ExecerContext].
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	statement, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return statement.ExecContext(ctx, args)
}

// QueryContext implements [driver.QueryerContext].
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	statement, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := statement.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	statement.inUse = true
	return preparedRows{rows, statement}, nil
}

// prepared gives a statement that is free; nil for one that is not worth keeping or whose
// rows are still being read.
func (c *preparedConn) prepared(ctx context.Context, query string, args []driver.NamedValue) (*preparedStatement, error) {
	if len(args) == 0 {
		return nil, nil //nolint:nilnil // said above
	}
	if at := slices.IndexFunc(c.kept, func(s *preparedStatement) bool { return s.query == query }); at >= 0 {
		statement := c.kept[at]
		if statement.inUse {
			return nil, nil //nolint:nilnil // said above
		}
		c.kept = append(slices.Delete(c.kept, at, at+1), statement)
		return statement, nil
	}
	if len(c.kept) >= preparedMax && !c.dropOldest() {
		return nil, nil //nolint:nilnil // said above
	}
	made, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := made.(sqliteStatement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("prepare for SQLite: %T lacks a method", made), made.Close())
	}
	statement := &preparedStatement{sqliteStatement: full, query: query}
	c.kept = append(c.kept, statement)
	return statement, nil
}

// dropOldest closes the statement that was not used for longest; false where each is in
// use.
func (c *preparedConn) dropOldest() bool {
	at := slices.IndexFunc(c.kept, func(s *preparedStatement) bool { return !s.inUse })
	if at < 0 {
		return false
	}
	_ = c.kept[at].Close() // what it says was said to its last caller already
	c.kept = slices.Delete(c.kept, at, at+1)
	return true
}

// Close closes the statements, too.
func (c *preparedConn) Close() error {
	var err error
	for _, statement := range c.kept {
		err = errors.Join(err, statement.Close())
	}
	c.kept = nil
	return errors.Join(err, c.sqliteConn.Close())
}

// preparedRows frees its statement when it was read.
type preparedRows struct {
	driver.Rows
	statement *preparedStatement
}

// Close implements [driver.Rows].
func (r preparedRows) Close() error {
	err := r.Rows.Close()
	r.statement.inUse = false
	return err
}
