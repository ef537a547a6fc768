package direct_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/direct"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func open(t *testing.T, accept ports.AcceptDeliveries) ports.Journal {
	t.Helper()
	journal := direct.New(direct.Options{Accept: accept})
	t.Cleanup(journal.Close)
	return journal
}

func TestJournal(t *testing.T) {
	t.Parallel()
	portstest.RunJournal(t, open)
}

func TestTroubleOfTheStoreIsNoDurablePlace(t *testing.T) {
	t.Parallel()
	broken := errors.New("database is away")
	journal := open(t, func(context.Context, []core.Delivery) error { return broken })
	err := journal.Append(t.Context(), portstest.Delivery(1))
	require.ErrorIs(t, err, ports.ErrJournalUnavailable)
	require.ErrorIs(t, err, broken)
}

func TestAfterCloseNothingIsTaken(t *testing.T) {
	t.Parallel()
	journal := direct.New(direct.Options{Accept: func(context.Context, []core.Delivery) error { return nil }})
	journal.Close()
	require.ErrorIs(t, journal.Append(t.Context(), portstest.Delivery(1)), ports.ErrJournalUnavailable)
}

// What can never be stored is refused alone, however many share its transaction.
func TestWhatCanNeverBeStoredIsRefusedAlone(t *testing.T) {
	t.Parallel()
	const callers, refused, panicking = 100, 17, 60
	first, running := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var stored sync.Map
	journal := open(t, func(_ context.Context, batch []core.Delivery) error {
		once.Do(func() {
			close(running)
			<-first // so that the others gather
		})
		for _, d := range batch {
			switch d.ProviderEventID {
			case portstest.Delivery(refused).ProviderEventID:
				return ports.ErrRefused
			case portstest.Delivery(panicking).ProviderEventID:
				panic("a fault of ours")
			}
		}
		for _, d := range batch {
			stored.Store(d.ProviderEventID, true)
		}
		return nil
	})
	var answers [callers]error
	var group sync.WaitGroup
	group.Go(func() { _ = journal.Append(t.Context(), portstest.Delivery(callers)) })
	<-running
	for n := range callers {
		group.Go(func() { answers[n] = journal.Append(t.Context(), portstest.Delivery(n)) })
	}
	close(first)
	group.Wait()
	for n, err := range answers {
		_, there := stored.Load(portstest.Delivery(n).ProviderEventID)
		if n == refused || n == panicking {
			require.ErrorIs(t, err, ports.ErrJournalUnavailable)
			require.False(t, there)
			continue
		}
		require.NoError(t, err)
		require.True(t, there)
	}
}

// While one transaction runs, the others gather and share the next.
func TestThoseWhoWaitShareATransaction(t *testing.T) {
	t.Parallel()
	const callers = 50
	var transactions atomic.Int64
	first, running := make(chan struct{}), make(chan struct{})
	var once sync.Once
	journal := open(t, func(context.Context, []core.Delivery) error {
		transactions.Add(1)
		once.Do(func() {
			close(running)
			<-first
		})
		return nil
	})
	var group sync.WaitGroup
	group.Go(func() { _ = journal.Append(t.Context(), portstest.Delivery(0)) })
	<-running
	begun := make(chan struct{}, callers)
	for n := range callers {
		group.Go(func() {
			begun <- struct{}{}
			_ = journal.Append(t.Context(), portstest.Delivery(n+1))
		})
	}
	for range callers {
		<-begun
	}
	close(first)
	group.Wait()
	require.Less(t, transactions.Load(), int64(callers))
}
