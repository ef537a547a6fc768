package bunrepo

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// aliveLock is the first key of the advisory locks that working processes hold; the
	// second is made of the process's id.
	aliveLock = 0x7061796a
	// aliveEvery is how often a process looks after its own lock and for dead ones.
	aliveEvery = 5 * time.Second
	// aliveStepMax is how long one look may take.
	aliveStepMax = 5 * time.Second
)

// life is a process that works on PostgreSQL's jobs. It holds a lock on a connection of
// its own, which the server lets go of as soon as the process is dead, so that others
// take back its jobs within seconds. Where the server does not notice (a machine that
// lost its power), they are taken back once they ran for too long, see [JobsOptions].
//
// A connection that breaks under a living process makes its running jobs run twice,
// which [ports.JobHandler] allows.
type life struct {
	jobs *Jobs
	id   string
	conn *pgx.Conn
}

// beginLife shows that a process is alive and takes back what dead ones worked on. end
// gives the lock back.
func (j *Jobs) beginLife(ctx context.Context, id string) (end func(), err error) {
	l := &life{jobs: j, id: id}
	if err := l.lock(ctx); err != nil {
		return nil, fmt.Errorf("show to be alive: %w", err)
	}
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	end = func() {
		cancel()
		<-ended
		l.unlock(ctx)
	}
	if err := l.reclaim(ctx); err != nil {
		close(ended)
		end()
		return nil, err
	}
	go func() {
		defer close(ended)
		l.watch(watching)
	}()
	return end, nil
}

// watch looks after the lock, and for dead processes, until ctx is done.
func (l *life) watch(ctx context.Context) {
	ticker := time.NewTicker(aliveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			l.jobs.logger.WarnContext(ctx, "cannot look for jobs of dead processes", slog.String("error", err.Error()))
		}
	}
}

func (l *life) look(ctx context.Context) error {
	step, cancel := context.WithTimeout(ctx, aliveStepMax)
	defer cancel()
	if l.conn == nil || l.conn.Ping(step) != nil {
		l.unlock(ctx)
		if err := l.lock(step); err != nil {
			return err
		}
	}
	return l.reclaim(step)
}

// lock connects and takes the lock. It is shared, so that two ids of the same hash do
// not wait for each other.
func (l *life) lock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, aliveStepMax)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.jobs.store.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	l.conn = conn
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock_shared($1, hashtext($2))`, int32(aliveLock), l.id); err != nil {
		l.unlock(ctx)
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// unlock closes the connection, and with it gives the lock back.
func (l *life) unlock(ctx context.Context) {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aliveStepMax)
	defer cancel()
	_ = l.conn.Close(ctx) // it is closed on our side in any case
	l.conn = nil
}

// reclaim makes available what runs in processes that hold no lock.
func (l *life) reclaim(ctx context.Context) error {
	const statement = `UPDATE river_job SET state = 'available'
WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] IS NOT NULL AND NOT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = $1::bigint::oid AND objsubid = 2 AND granted
        AND objid = hashtext(attempted_by[array_upper(attempted_by, 1)])::oid
)`
	tag, err := l.conn.Exec(ctx, statement, int64(aliveLock))
	if err != nil {
		return fmt.Errorf("take back jobs of dead processes: %w", err)
	}
	if count := tag.RowsAffected(); count > 0 {
		l.jobs.logger.WarnContext(ctx, "took back jobs that a dead process left", slog.Int64("jobs", count))
	}
	return nil
}
