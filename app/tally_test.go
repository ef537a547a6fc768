package app

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/health"
)

func TestTheLastCountsAreStoredAtTheEnd(t *testing.T) {
	t.Parallel()
	store := repotest.SQLite(t)
	tally := health.NewTally(store, system.NewClock(), []core.AccountName{"stripe"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- flushEvery(ctx, tally) }()
	tally.Count("stripe", core.DeliveryReceived)
	cancel()
	require.NoError(t, <-done)
	counts, err := store.DeliveryCounts(t.Context(), system.NewClock().Now().Add(-2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, []core.DeliveryCount{{Account: "stripe", Result: core.DeliveryReceived, Count: 1}}, counts)
}
