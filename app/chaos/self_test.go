package chaos_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// TestASeedPlansTheSame plans twice by one seed, and by another one.
func TestASeedPlansTheSame(t *testing.T) {
	t.Parallel()
	const many = 500
	type plan struct {
		trades    []trade
		incidents []incident
		crashes   []string
	}
	by := func(seed uint64) (p plan) {
		next, crash := planIncidents(seed, short), planCrashes(seed, crashPoints, func(string) bool { return false })
		for n := range many {
			p.trades = append(p.trades, planTrade(seed, n))
			p.incidents = append(p.incidents, next())
			p.crashes = append(p.crashes, crash())
		}
		return p
	}
	again := by(1)
	require.Equal(t, again, by(1))
	require.NotEqual(t, by(1), by(2))
	points := make(map[string]bool)
	for _, crash := range by(1).crashes {
		points[pointName(crash)] = true
	}
	for _, point := range crashPoints {
		require.True(t, points[point], "%s has its turn", point)
	}
}

// TestDifferencesAreSeen shows the checks of a run what they have to find.
func TestDifferencesAreSeen(t *testing.T) {
	t.Parallel()
	paid := apptest.Entry{Ours: "pay_1", Statuses: []string{"succeeded"}, Amount: 100}
	side := func(id string, change func(*apptest.Entry)) apptest.Books {
		entry := paid
		if change != nil {
			change(&entry)
		}
		return apptest.Books{apptest.Payments: {id: entry}}
	}
	same := side("pi_1", nil)
	require.Empty(t, apptest.Differences(same, same))
	for name, here := range map[string]apptest.Books{
		"nothing here":   {},
		"another object": side("pi_2", nil),
		"another status": side("pi_1", func(e *apptest.Entry) { e.Statuses = []string{"authorized"} }),
		"another amount": side("pi_1", func(e *apptest.Entry) { e.Amount++ }),
		"more back":      side("pi_1", func(e *apptest.Entry) { e.Back = 1 }),
		"of another one": side("pi_1", func(e *apptest.Entry) { e.Of = "sub_1" }),
	} {
		require.NotEmpty(t, apptest.Differences(same, here), name)
	}
	require.NotEmpty(t, apptest.Differences(apptest.Books{}, same), "nothing there")

	twice := side("pi_1", nil)
	twice[apptest.Payments]["pi_2"] = paid
	require.NotEmpty(t, books{there: map[string]apptest.Books{"stripe": twice}}.doubled())
	require.Empty(t, books{there: map[string]apptest.Books{"stripe": same}}.doubled())
	require.NotEmpty(t, (&effects{byKey: map[string]int{"stripe POST /v1/refunds key": 2}}).twice())
}

// TestDisorderIsSeen shows an endpoint that was told in the wrong order.
func TestDisorderIsSeen(t *testing.T) {
	t.Parallel()
	events := []apptest.Object{{"id": "evt_1"}, {"id": "evt_2"}, {"id": "evt_3"}}
	told := func(ids ...string) *endpoint {
		e := &endpoint{}
		for _, id := range ids {
			e.taken = append(e.taken, notified{id: id, kind: "payment.succeeded", object: "pay_1"})
		}
		return e
	}
	require.Empty(t, told("evt_1", "evt_1", "evt_2", "evt_3").disordered(0, events), "repeats are none")
	require.Len(t, told("evt_1", "evt_3", "evt_2").disordered(0, events), 1)
	require.Len(t, told("evt_2", "evt_1", "evt_2").disordered(0, events), 1)
	others := told("evt_2", "evt_1")
	others.taken[0].object = "pay_2"
	require.Empty(t, others.disordered(0, events), "order is per object")
}
