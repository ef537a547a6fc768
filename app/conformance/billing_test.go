package conformance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// saver is a buyer who leaves a method to be charged later, and agrees to be billed.
type saver interface {
	agreeSetup(testing.TB, ports.SetupSession, portstest.Card)
	setupSource(testing.TB, portstest.Card) string
	agreeSubscription(testing.TB, ports.SubscriptionSession, portstest.Card)
}

var _ portstest.Billed = simulatedEnd{}

func (s simulatedEnd) saver(t testing.TB) saver {
	t.Helper()
	saves, ok := s.buyer.(saver)
	require.True(t, ok, "nobody leaves a method at %s", s.account)
	return saves
}

// AgreeSetup implements [portstest.Vaulted].
func (s simulatedEnd) AgreeSetup(t testing.TB, session ports.SetupSession, card portstest.Card) {
	t.Helper()
	s.saver(t).agreeSetup(t, session, card)
}

// SetupSource implements [portstest.Vaulted].
func (s simulatedEnd) SetupSource(t testing.TB, card portstest.Card) string {
	t.Helper()
	return s.saver(t).setupSource(t, card)
}

// AgreeSubscription implements [portstest.Billed].
func (s simulatedEnd) AgreeSubscription(t testing.TB, session ports.SubscriptionSession, card portstest.Card) {
	t.Helper()
	s.saver(t).agreeSubscription(t, session, card)
}

// Advance implements [portstest.Billed].
func (s simulatedEnd) Advance(t testing.TB, by time.Duration) {
	t.Helper()
	s.Elapse(t, by)
}

// Steer implements [portstest.Billed].
func (s simulatedEnd) Steer(t testing.TB, id string, change portstest.Steering) {
	t.Helper()
	if elsewhere, ok := s.buyer.(interface{ steering(do string) string }); ok {
		change.Do = elsewhere.steering(change.Do)
	}
	s.steer(t, "/subscriptions/"+id, map[string]any{"card": change.Card, "do": change.Do, "quantity": change.Quantity})
}
