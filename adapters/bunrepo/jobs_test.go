package bunrepo_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// jobOptions are those of tests: stopping is not patient.
func jobOptions(t *testing.T) bunrepo.JobsOptions {
	return bunrepo.JobsOptions{
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Drain: time.Second,
	}
}

func TestSQLiteWorksOnJobs(t *testing.T) {
	t.Parallel()
	portstest.RunJobs(t, func(t *testing.T) (ports.Store, ports.Jobs) {
		store := repotest.SQLite(t)
		return store, bunrepo.NewJobs(store, jobOptions(t))
	})
}

func TestPostgresWorksOnJobs(t *testing.T) {
	t.Parallel()
	repotest.NeedPostgres(t)
	portstest.RunJobs(t, func(t *testing.T) (ports.Store, ports.Jobs) {
		store := repotest.Postgres(t)
		return store, bunrepo.NewJobs(store, jobOptions(t))
	})
}

func TestPostgresSharesJobs(t *testing.T) {
	t.Parallel()
	repotest.NeedPostgres(t)
	portstest.RunJobsShared(t, func(t *testing.T) (ports.Store, ports.Jobs) {
		store := repotest.Postgres(t)
		return store, bunrepo.NewJobs(store, jobOptions(t))
	})
}

// Poolers that hand out another connection with each transaction ask for this mode.
func TestPostgresSharesJobsWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	repotest.NeedPostgres(t)
	portstest.RunJobsShared(t, func(t *testing.T) (ports.Store, ports.Jobs) {
		store := repotest.Open(t, repotest.PostgresURL(t, "default_query_exec_mode=simple_protocol"))
		return store, bunrepo.NewJobs(store, jobOptions(t))
	})
}
