package bunrepo_test

import (
	"testing"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestSQLiteKeepsTheStoresPromises(t *testing.T) {
	t.Parallel()
	portstest.RunStore(t, func(t *testing.T) ports.Store { return repotest.SQLite(t) })
}

func TestPostgresKeepsTheStoresPromises(t *testing.T) {
	t.Parallel()
	repotest.NeedPostgres(t)
	portstest.RunStore(t, func(t *testing.T) ports.Store { return repotest.Postgres(t) })
}

// Poolers that hand out another connection with each transaction ask for this mode.
func TestPostgresKeepsTheStoresPromisesWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	repotest.NeedPostgres(t)
	portstest.RunStore(t, func(t *testing.T) ports.Store {
		return repotest.Open(t, repotest.PostgresURL(t, "default_query_exec_mode=simple_protocol"))
	})
}
