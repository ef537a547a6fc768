package chaos_test

import (
	"context"
	"database/sql"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver, to lock the file from outside

	"github.com/paydesk/paydesk/app/apptest"
)

// database is one that can be taken away for a while.
type database interface {
	url() string
	// away takes the database away until back is called.
	away() (back func(), err error)
}

// sqliteFile is locked by another process, this one.
type sqliteFile struct{ path string }

func (d sqliteFile) url() string { return "sqlite:" + d.path }

func (d sqliteFile) away() (func(), error) {
	ctx := context.Background() // what was locked is let go, whoever gives up
	db, err := sql.Open("sqlite", "file:"+d.path+"?_pragma=busy_timeout(60000)")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return func() {
		_, _ = conn.ExecContext(ctx, "ROLLBACK")
		_ = conn.Close()
		_ = db.Close()
	}, nil
}

// postgresBehind is a PostgreSQL server that is reached through here, so that it can be cut off in the
// middle of anything: its connections break, also between a commit and its answer, and new ones
// are refused.
type postgresBehind struct {
	address string // of the database, through here
	target  string
	down    bool
	mu      sync.Mutex
	open    map[net.Conn]bool
}

// newPostgres makes a fresh database on the test server, or skips.
func newPostgres(t *testing.T) *postgresBehind {
	t.Helper()
	server := os.Getenv("PAYDESK_TEST_POSTGRES_URL")
	if server == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PAYDESK_TEST_POSTGRES_URL is not set")
		}
		t.Skip("PAYDESK_TEST_POSTGRES_URL is not set")
	}
	at, err := url.Parse(apptest.FreshDatabase(t, server))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &postgresBehind{target: at.Host, open: make(map[net.Conn]bool)}
	t.Cleanup(func() {
		_ = listener.Close()
		d.cut(true)
	})
	at.Host = listener.Addr().String()
	d.address = at.String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go d.carry(conn)
		}
	}()
	return d
}

func (d *postgresBehind) url() string { return d.address }

func (d *postgresBehind) away() (func(), error) {
	d.cut(true)
	return func() { d.cut(false) }, nil
}

// cut breaks all connections and says whether new ones are refused.
func (d *postgresBehind) cut(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
	if !down {
		return
	}
	for conn := range d.open {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, as of a process that is gone
		}
		_ = conn.Close()
	}
	clear(d.open)
}

// admit counts a connection in unless the server is away.
func (d *postgresBehind) admit(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return false
	}
	d.open[conn] = true
	return true
}

func (d *postgresBehind) leave(conns ...net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range conns {
		delete(d.open, conn)
		_ = conn.Close()
	}
}

func (d *postgresBehind) carry(from net.Conn) {
	if !d.admit(from) {
		_ = from.Close()
		return
	}
	to, err := net.Dial("tcp", d.target)
	if err != nil {
		d.leave(from)
		return
	}
	if !d.admit(to) {
		d.leave(from, to)
		return
	}
	defer d.leave(from, to)
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // it ends however it ends
			ended <- struct{}{}
		}()
	}
	<-ended
}
