package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// slowJournal keeps a delivery waiting until the test lets it go, and hands one batch over.
type slowJournal struct {
	ports.Journal
	durable chan struct{}
}

func (j slowJournal) Append(context.Context, core.Delivery) error {
	<-j.durable
	return nil
}

func (j slowJournal) Drain(ctx context.Context, accept ports.AcceptDeliveries) error {
	return accept(ctx, nil)
}

// Background work is what may give way: a job, and the journal's handing over.
func backgroundWork(rush *Rush, journal ports.Journal) map[string]func(context.Context) {
	handlers := rush.handlers(map[ports.JobKind]ports.JobHandler{
		ports.JobConfirmPayment: func(context.Context, ports.Job) error { return nil },
	})
	return map[string]func(context.Context){
		"job": func(ctx context.Context) { _ = handlers[ports.JobConfirmPayment](ctx, ports.Job{}) },
		"handing over": func(ctx context.Context) {
			_ = journal.Drain(ctx, func(context.Context, []core.Delivery) error { return nil })
		},
	}
}

func TestBackgroundWorkGivesWayToDeliveries(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"job", "handing over"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rush, slow := NewRush(), slowJournal{durable: make(chan struct{})}
				journal := rush.journal(slow)
				work := backgroundWork(rush, journal)[name]
				took := func(ctx context.Context) time.Duration {
					begun := time.Now()
					work(ctx)
					return time.Since(begun)
				}
				require.Zero(t, took(t.Context()), "nobody waits")

				for range 2 {
					go func() { _ = journal.Append(t.Context(), core.Delivery{}) }()
				}
				synctest.Wait()
				require.Equal(t, giveWayMax, took(t.Context()), "a rush without end slows it and does not stop it")
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				require.Zero(t, took(ended), "who is asked to stop does not wait")

				go func() {
					time.Sleep(giveWayMax / 5)
					slow.durable <- struct{}{}
					time.Sleep(giveWayMax / 5)
					slow.durable <- struct{}{}
				}()
				require.Equal(t, 2*giveWayMax/5, took(t.Context()), "it goes on as soon as the last one is durable")
				require.Zero(t, took(t.Context()))
			})
		})
	}
}
