package portstest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// tallyDay is a day of the suite; summaries do not depend on the zone of those who ask.
var tallyDay = time.Date(2026, time.February, 28, 0, 0, 0, 0, time.UTC)

// captured stores a payment of some time that captured an amount; zero for one that failed.
func captured(t *testing.T, store ports.Store, checkout core.CheckoutID, account core.AccountName, created time.Time, amount core.Money) core.Payment {
	t.Helper()
	p := newPayment(t, checkout)
	zero := core.Zero(amount.Currency())
	p.Account, p.CreatedAt, p.UpdatedAt = account, created, created
	p.Amount, p.AmountAuthorized, p.AmountCaptured, p.AmountRefunded = amount, amount, amount, zero
	p.Status = core.PaymentSucceeded
	if amount.IsZero() {
		p.Status = core.PaymentFailed
	}
	return write(t, store, ports.Tx.InsertPayment, p)
}

func tallies(t *testing.T, store ports.Store) {
	checkout := storedCheckout(t, store)
	last := tallyDay.Add(24*time.Hour - time.Microsecond)
	captured(t, store, checkout, "stripe_eu", tallyDay.Add(-time.Microsecond), eur(t, 1))
	payment := captured(t, store, checkout, "stripe_eu", tallyDay, eur(t, 1_000))
	captured(t, store, checkout, "stripe_eu", last, eur(t, 234))
	captured(t, store, checkout, "stripe_eu", last, eur(t, 0))
	captured(t, store, checkout, "stripe_us", last, eur(t, 5))
	captured(t, store, checkout, "stripe_eu", last, usd(t, 7))
	captured(t, store, checkout, "stripe_eu", tallyDay.Add(24*time.Hour), eur(t, core.MinorMax))
	captured(t, store, checkout, "stripe_eu", tallyDay.Add(25*time.Hour), eur(t, core.MinorMax))
	captured(t, store, checkout, "stripe_eu", tallyDay.Add(48*time.Hour), eur(t, 3))
	refund, dispute := newRefund(t, payment.ID, 40), newDispute(t, payment.ID)
	refund.CreatedAt, dispute.CreatedAt = tallyDay.Add(time.Hour), tallyDay.Add(2*time.Hour)
	refund = write(t, store, ports.Tx.InsertRefund, refund)
	write(t, store, ports.Tx.InsertDispute, dispute)

	tally := func(kind core.TallyKind, at time.Time, account core.AccountName, status string, count int64, amount core.Money) core.Tally {
		return core.Tally{Kind: kind, At: at, Account: account, Provider: core.ProviderStripe, Currency: amount.Currency(), Status: status, Count: count, Minor: amount.Minor()}
	}
	get := func(filter ports.TallyFilter) []core.Tally {
		got, err := store.Tallies(t.Context(), filter)
		require.NoError(t, err)
		slices.SortFunc(got, func(a, b core.Tally) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Status, b.Status))
		})
		return got
	}
	next, late, end := tallyDay.Add(24*time.Hour), tallyDay.Add(23*time.Hour), tallyDay.Add(48*time.Hour)
	euros := []core.Tally{
		tally(core.TallyDisputes, tallyDay, "stripe_eu", "needs_response", 1, eur(t, 1)),
		tally(core.TallyPayments, tallyDay, "stripe_eu", "failed", 1, eur(t, 0)),
		tally(core.TallyPayments, tallyDay, "stripe_eu", "succeeded", 2, eur(t, 1_234)),
		tally(core.TallyPayments, tallyDay, "stripe_us", "succeeded", 1, eur(t, 5)),
	}
	dollars := tally(core.TallyPayments, tallyDay, "stripe_eu", "succeeded", 1, usd(t, 7))
	pending := tally(core.TallyRefunds, tallyDay, "stripe_eu", "pending", 1, eur(t, 40))
	after := tallyDay.Add(time.Microsecond)
	large := tally(core.TallyPayments, next, "stripe_eu", "succeeded", 2, eur(t, 0))
	large.Minor = 2 * core.MinorMax // more than one amount can be
	require.Equal(t, slices.Concat(euros, []core.Tally{dollars, pending, large}), get(ports.TallyFilter{Edges: []time.Time{rough(tallyDay), next, end}}), "an edge belongs to the bucket that it begins")
	require.Equal(t, slices.Concat(euros, []core.Tally{pending}), get(ports.TallyFilter{Edges: []time.Time{tallyDay, next}, Currency: "EUR"}))
	require.Equal(t, []core.Tally{
		tally(core.TallyDisputes, after, "stripe_eu", "needs_response", 1, eur(t, 1)),
		tally(core.TallyRefunds, after, "stripe_eu", "pending", 1, eur(t, 40)),
		tally(core.TallyPayments, late, "stripe_eu", "failed", 1, eur(t, 0)),
		tally(core.TallyPayments, late, "stripe_eu", "succeeded", 1, eur(t, 234)),
		tally(core.TallyPayments, late, "stripe_us", "succeeded", 1, eur(t, 5)),
	}, get(ports.TallyFilter{Edges: []time.Time{after, late, next}, Currency: "EUR"}), "buckets of any length")

	refund.Status = core.RefundSucceeded
	write(t, store, ports.Tx.UpdateRefund, refund)
	pending.Status = "succeeded"
	require.Contains(t, get(ports.TallyFilter{Edges: []time.Time{tallyDay, next}}), pending, "what changed counts as it is now")
	require.Empty(t, get(ports.TallyFilter{Edges: []time.Time{tallyDay.AddDate(1, 0, 0), next.AddDate(1, 0, 0)}}))
	_, err := store.Tallies(t.Context(), ports.TallyFilter{Edges: []time.Time{tallyDay, next}, Currency: "E\x00R"})
	require.ErrorIs(t, err, ports.ErrText)
	for _, edges := range [][]time.Time{nil, {tallyDay}, make([]time.Time, core.SummaryBucketsMax+2)} {
		_, err := store.Tallies(t.Context(), ports.TallyFilter{Edges: edges})
		require.Error(t, err, "%d edges", len(edges))
	}
}
