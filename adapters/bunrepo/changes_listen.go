package bunrepo

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paydesk/paydesk/core"
)

const (
	// changesChannel is where PostgreSQL carries the ids of changed payments between processes.
	changesChannel = "paydesk_changes"
	// changesPerMessage is how many ids one message names, far below the 8,000 bytes that one may hold.
	changesPerMessage = 100
	// listenQuietMax is how long nothing may be heard until the connection is tried, and
	// listenAnswerMax how long it may take to answer, or to be made.
	listenQuietMax  = 30 * time.Second
	listenAnswerMax = 5 * time.Second
	// listenPauseLeast and listenPauseMax are the pauses before the connection is made again.
	listenPauseLeast = 100 * time.Millisecond
	listenPauseMax   = 5 * time.Second
)

// listener is the connection that hears what other processes changed.
type listener struct {
	ready chan struct{} // closed once it listens
	stop  context.CancelFunc
}

// listen begins to listen, on a connection of its own: one of the pool would be missing there.
func (s *Store) listen() *listener {
	ctx, stop := context.WithCancel(context.Background())
	l := &listener{ready: make(chan struct{}), stop: stop}
	go s.keepListening(ctx, l)
	return l
}

// keepListening makes the connection again whenever it is lost. What changed in between was told to
// nobody, so that every watch then learns of a gap.
func (s *Store) keepListening(ctx context.Context, l *listener) {
	pause := listenPauseLeast
	for first := true; ctx.Err() == nil; {
		listening, _ := s.listenOnce(ctx, func() {
			if first {
				close(l.ready)
				first = false
				return
			}
			s.changes.publish(nil, true)
		})
		if listening {
			pause = listenPauseLeast
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, listenPauseMax)
	}
}

// listenOnce listens until the connection is lost, and reports whether it ever did.
func (s *Store) listenOnce(ctx context.Context, began func()) (listening bool, err error) {
	conn, err := s.listenConn(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenAnswerMax)
		defer cancel()
		_ = conn.Close(closing)
	}()
	began()
	for {
		waiting, cancel := context.WithTimeout(ctx, listenQuietMax)
		heard, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil
		cancel()
		switch {
		case err == nil:
			var ids []core.PaymentID
			for text := range strings.FieldsSeq(heard.Payload) {
				ids = append(ids, core.PaymentID(text))
			}
			s.changes.publish(ids, false)
		case ctx.Err() != nil:
			return true, ctx.Err()
		case !quiet || conn.IsClosed():
			return true, err
		default:
			if err := s.alive(ctx, conn); err != nil {
				return true, err
			}
		}
	}
}

// alive tries a connection on which nothing was heard for long: it may be dead without a word.
func (s *Store) alive(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, listenAnswerMax)
	defer cancel()
	return conn.Ping(ctx)
}

func (s *Store) listenConn(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, listenAnswerMax)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+changesChannel); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// flushChanges has PostgreSQL tell of the changed payments if the transaction commits.
func (t *tx) flushChanges(ctx context.Context) error {
	if t.store.pool == nil {
		return nil
	}
	for rest := t.changedPayments; len(rest) > 0; {
		count := min(len(rest), changesPerMessage)
		words := make([]string, count)
		for i, id := range rest[:count] {
			words[i] = string(id)
		}
		rest = rest[count:]
		if _, err := t.tx.ExecContext(ctx, "SELECT pg_notify(?, ?)", changesChannel, strings.Join(words, " ")); err != nil {
			return t.failed(ctx, err, "tell of changes")
		}
	}
	return nil
}
