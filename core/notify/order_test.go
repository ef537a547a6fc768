package notify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
)

// receiver is a storefront's endpoint as the order of its notifications matters to it.
type receiver struct {
	taken map[string][]string // ids by subject, as taken
	sight []string            // all tries
}

// storefront is one life of a house whose endpoints fail at random.
type storefront struct {
	h         *coretest.House
	receivers map[string]*receiver
}

func (s *storefront) event(rt *rapid.T, id string) core.Event {
	event, err := s.h.Store.Event(rt.Context(), core.EventID(id))
	require.NoError(rt, err)
	return event
}

// tell commits a few events about a few payments.
func (s *storefront) tell(rt *rapid.T) {
	subjects := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(rt, "subjects")
	err := s.h.Store.InTx(rt.Context(), func(ctx context.Context, tx ports.Tx) error {
		for _, subject := range subjects {
			p := core.Payment{ID: core.PaymentID(fmt.Sprint("pay_", subject)), Status: core.PaymentProcessing, Amount: core.Zero("EUR")}
			if err := s.h.Record.Payment(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, coretest.ErrCrashed) {
		require.NoError(rt, err)
	}
}

// Whatever fails and dies: no endpoint is ever tried with what was told of an object later
// before it took what was told earlier, and in the end each took everything.
func TestOrderPerObjectUnderAnyFailure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) { lives(t, rt) })
}

func lives(t *testing.T, rt *rapid.T) {
	store, closeStore, err := bunrepo.Open(t.Context(), repotest.Options(repotest.SQLiteURL(t)))
	require.NoError(rt, err)
	defer closeStore()
	s := &storefront{h: coretest.New(rt, store), receivers: map[string]*receiver{}}
	for i := range 2 {
		address := fmt.Sprint("https://shop.example/", i)
		_, err := s.h.Notify.Add(t.Context(), address, nil)
		require.NoError(rt, err)
		s.receivers[address] = &receiver{taken: map[string][]string{}}
	}
	s.h.Notifier.Answer(func(n ports.Notification) (ports.NotificationOutcome, error) {
		to := s.receivers[n.URL]
		to.sight = append(to.sight, n.ID)
		switch rapid.IntRange(0, 3).Draw(rt, "answer") {
		case 0:
			return down(n)
		case 1:
			// It took it, and nobody heard.
			event := s.event(rt, n.ID)
			to.taken[event.Subject] = append(to.taken[event.Subject], n.ID)
			return ports.NotificationOutcome{}, errors.New("endpoint did not answer in time")
		}
		event := s.event(rt, n.ID)
		to.taken[event.Subject] = append(to.taken[event.Subject], n.ID)
		return ports.NotificationOutcome{Status: 204}, nil
	})
	actions := map[string]func(rt *rapid.T){
		"tell":    s.tell,
		"deliver": func(rt *rapid.T) { _ = s.h.Notify.DeliverDue(rt.Context()) }, // may crash
		"wait": func(rt *rapid.T) {
			s.h.Clock.Advance(time.Duration(rapid.IntRange(1, 7200).Draw(rt, "seconds")) * time.Second)
		},
		"crash": func(rt *rapid.T) {
			s.h.Store.CrashNext(rapid.IntRange(0, 4).Draw(rt, "skip"), rapid.Bool().Draw(rt, "after"))
		},
		"": func(rt *rapid.T) { s.inOrder(rt) },
	}
	rt.Repeat(actions)
	s.h.Store.CrashNever()
	s.h.Notifier.Answer(func(n ports.Notification) (ports.NotificationOutcome, error) {
		event := s.event(rt, n.ID)
		s.receivers[n.URL].taken[event.Subject] = append(s.receivers[n.URL].taken[event.Subject], n.ID)
		return ports.NotificationOutcome{Status: 204}, nil
	})
	s.h.RunAll()
	s.inOrder(rt)
	for _, to := range s.receivers {
		distinct := map[string]bool{}
		for _, ids := range to.taken {
			for _, id := range ids {
				distinct[id] = true
			}
		}
		all, err := store.Events(t.Context(), 0, nil, 1000)
		require.NoError(rt, err)
		require.Len(rt, distinct, len(all), "each endpoint took everything")
	}
}

// inOrder fails where an endpoint took something after what was told of the same object later.
func (s *storefront) inOrder(rt *rapid.T) {
	for address, to := range s.receivers {
		for subject, ids := range to.taken {
			last := int64(0)
			for _, id := range ids {
				sequence := s.event(rt, id).Sequence
				require.GreaterOrEqual(rt, sequence, last, "%s of %s", subject, address)
				last = sequence
			}
		}
	}
}
