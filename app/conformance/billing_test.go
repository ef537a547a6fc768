package conformance_test

import (
	"testing"
	"time"

	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// saver is a buyer who leaves a method to be charged later, and agrees to be billed.
type saver interface {
	agreeSetup(testing.TB, ports.SetupSession, portstest.Card)
	setupSource(testing.TB, portstest.Card) string
	agreeSubscription(testing.TB, ports.SubscriptionSession, portstest.Card)
}

var (
	_ portstest.Billed   = sandboxEnd{}
	_ portstest.Renewing = simulatedEnd{}
)

// AgreeSetup implements [portstest.Vaulted].
func (f farEnd) AgreeSetup(t testing.TB, session ports.SetupSession, card portstest.Card) {
	t.Helper()
	f.agreeSetup(t, session, card)
}

// SetupSource implements [portstest.Vaulted].
func (f farEnd) SetupSource(t testing.TB, card portstest.Card) string {
	t.Helper()
	return f.setupSource(t, card)
}

// AgreeSubscription implements [portstest.Billed].
func (f farEnd) AgreeSubscription(t testing.TB, session ports.SubscriptionSession, card portstest.Card) {
	t.Helper()
	f.agreeSubscription(t, session, card)
}

// Advance implements [portstest.Renewing].
func (s simulatedEnd) Advance(t testing.TB, by time.Duration) {
	t.Helper()
	s.Elapse(t, by)
}

// Steer implements [portstest.Renewing].
func (s simulatedEnd) Steer(t testing.TB, id string, change portstest.Steering) {
	t.Helper()
	s.steer(t, "/subscriptions/"+id, map[string]any{"card": change.Card, "do": change.Do, "quantity": change.Quantity})
}
