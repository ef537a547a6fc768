package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// txTriesMax bounds how often a transaction runs where the database asks for it again.
	txTriesMax = 8
	// txPauseLeast is the shortest pause before another try; each next may be twice as long.
	txPauseLeast = 2 * time.Millisecond
	// txLongestMax ends a transaction that hangs, whatever its caller allows: on SQLite
	// everybody else waits for it.
	txLongestMax = 30 * time.Second
)

// errNested means that a transaction was begun inside another one's function. On SQLite
// it would wait for itself.
var errNested = errors.New("transaction inside a transaction")

// tx implements [ports.Tx].
type tx struct {
	tx    bun.Tx
	store *Store
	// doomed is the first error after which the transaction must not be committed.
	doomed error
	// events, with the notifications that tell of them, and audits wait for the commit, see flush.
	events        []core.Event
	notifications []core.Notification
	audits        []core.AuditEntry
	// changedPayments are told of once the transaction is committed, each once.
	changedPayments []core.PaymentID
}

var _ ports.Tx = (*tx)(nil)

type insideTx struct{}

// InTx runs fn in one transaction, see [ports.Store].
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context, tx ports.Tx) error) error {
	if ctx.Value(insideTx{}) != nil {
		return errNested
	}
	for try := 1; ; try++ {
		err := s.tryTx(ctx, fn)
		if err == nil || try == txTriesMax || !transient(err) {
			return err
		}
		// Half of the pause is chance, so that those who collided do not meet again.
		pause := txPauseLeast << try
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// tryTx runs fn once.
func (s *Store) tryTx(ctx context.Context, fn func(ctx context.Context, tx ports.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, insideTx{}, true), txLongestMax)
	defer cancel()
	begun, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return s.failed(ctx, err, "begin transaction")
	}
	t := &tx{tx: begun, store: s}
	committed := false
	defer func() {
		if !committed { // also where fn panicked
			_ = begun.Rollback()
		}
	}()
	if err := fn(ctx, t); err != nil {
		return err
	}
	if t.doomed != nil {
		return fmt.Errorf("commit after an error: %w", t.doomed)
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return s.failed(ctx, err, "commit transaction")
	}
	committed = true
	if len(t.notifications) > 0 {
		s.notified.signal()
	}
	if s.pool == nil && len(t.changedPayments) > 0 {
		s.changes.publish(t.changedPayments, false)
	}
	return nil
}

// flush writes what has a place in a sequence that all transactions share: lines of the
// audit log's chain and numbered events. Whoever takes the next place keeps the others
// waiting until the commit, so this comes last; and always in the same order, so that
// no two wait for each other.
func (t *tx) flush(ctx context.Context) error {
	if err := t.flushChanges(ctx); err != nil {
		return err
	}
	if err := t.flushAudits(ctx); err != nil {
		return err
	}
	return t.flushEvents(ctx)
}

// failed gives an error its words and its class. A done context shows in it.
func (s *Store) failed(ctx context.Context, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	classified := s.dialect.classify(err)
	if cause := ctx.Err(); cause != nil && !errors.Is(classified, cause) {
		classified = fmt.Errorf("%w: %w", cause, classified)
	}
	return fmt.Errorf(format+": %w", append(args, classified)...)
}

// failed is the store's, and dooms the transaction where the database refused a
// statement.
func (t *tx) failed(ctx context.Context, err error, format string, args ...any) error {
	err = t.store.failed(ctx, err, format, args...)
	if err != nil && t.doomed == nil && !errors.Is(err, ports.ErrNotFound) && !errors.Is(err, ports.ErrConflict) && !errors.Is(err, ports.ErrText) {
		t.doomed = err
	}
	return err
}

// insert stores one row.
func (t *tx) insert(ctx context.Context, row any) error {
	// bun asks for every NULL back unless it is told not to.
	_, err := t.tx.NewInsert().Model(row).Returning("NULL").Exec(ctx)
	return err
}

// update stores a row by its primary key and gives [ports.ErrConflict] where its version
// is not the one before the row's any more.
func (t *tx) update(ctx context.Context, row any, versionBefore int64) error {
	result, err := t.tx.NewUpdate().Model(row).ExcludeColumn("id", "created_at").WherePK().
		Where("version = ?", versionBefore).Exec(ctx)
	return affected(result, err, ports.ErrConflict)
}

// affected gives none where a statement changed no row.
func affected(result sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	count, err := result.RowsAffected()
	if err == nil && count == 0 {
		return none
	}
	return err
}
