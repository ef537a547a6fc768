package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func onDay(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

func TestSummaryBuckets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from, to string
		interval core.SummaryInterval
		edges    []string
	}{
		"hours":             {"2026-03-01T10:30:00Z", "2026-03-01T12:00:00Z", core.SummaryHour, []string{"2026-03-01T10:30:00Z", "2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z"}},
		"days":              {"2026-02-28T23:00:00Z", "2026-03-01T00:00:01Z", core.SummaryDay, []string{"2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z"}},
		"days of UTC":       {"2026-03-01T01:00:00+02:00", "2026-03-01T03:00:00+02:00", core.SummaryDay, []string{"2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"}},
		"weeks from Monday": {"2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z", core.SummaryWeek, []string{"2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"}},
		"months":            {"2026-01-31T00:00:00Z", "2026-03-02T00:00:00Z", core.SummaryMonth, []string{"2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"}},
		"one moment":        {"2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000001Z", core.SummaryMonth, []string{"2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000001Z"}},
	} {
		period, ok := core.NewSummaryPeriod(onDay(t, test.from), onDay(t, test.to), test.interval)
		require.True(t, ok, name)
		// What a database counted at the beginning of the first day belongs to the first bucket.
		summary, err := period.Summarize([]core.Tally{
			{Kind: core.TallyPayments, Currency: "USD", At: test.interval.Start(onDay(t, test.from)), Count: 1},
			{Kind: core.TallyPayments, Currency: "USD", At: onDay(t, test.to).Add(-time.Microsecond), Count: 2},
		})
		require.NoError(t, err, name)
		buckets := summary.Currencies[0].Buckets
		require.Len(t, buckets, len(test.edges)-1, name)
		total := int64(0)
		for i, bucket := range buckets {
			require.True(t, bucket.From.Equal(onDay(t, test.edges[i])), "%s: %s", name, bucket.From)
			require.True(t, bucket.To.Equal(onDay(t, test.edges[i+1])), "%s: %s", name, bucket.To)
			total += bucket.Figures.Payments
		}
		require.EqualValues(t, 3, total, name)
		require.Positive(t, buckets[0].Figures.Payments, name)
		require.GreaterOrEqual(t, buckets[len(buckets)-1].Figures.Payments, int64(2), name)
	}
}

func TestSummaryPeriodsThatAreRefused(t *testing.T) {
	t.Parallel()
	from := onDay(t, "2026-03-01T00:00:00Z")
	_, ok := core.NewSummaryPeriod(from, from, core.SummaryDay)
	require.False(t, ok, "an empty one")
	_, ok = core.NewSummaryPeriod(from, from.Add(-time.Hour), core.SummaryDay)
	require.False(t, ok, "one that goes back")
	_, ok = core.NewSummaryPeriod(from, from.AddDate(0, 0, core.SummaryBucketsMax), core.SummaryDay)
	require.True(t, ok, "the longest")
	_, ok = core.NewSummaryPeriod(from, from.AddDate(0, 0, core.SummaryBucketsMax).Add(1), core.SummaryDay)
	require.False(t, ok, "one that is too long")
}

func TestSummaryFigures(t *testing.T) {
	t.Parallel()
	from := onDay(t, "2026-03-01T00:00:00Z")
	period, ok := core.NewSummaryPeriod(from, from.AddDate(0, 0, 2), core.SummaryDay)
	require.True(t, ok)
	var given []core.Tally
	add := func(kind core.TallyKind, account core.AccountName, currency core.Currency, day int, status string, count, minor int64) {
		given = append(given, core.Tally{Kind: kind, At: from.AddDate(0, 0, day), Account: account, Provider: "p", Currency: currency, Status: status, Count: count, Minor: minor})
	}
	add(core.TallyPayments, "b", "USD", 1, "succeeded", 3, 300)
	add(core.TallyPayments, "a", "USD", 0, "succeeded", 4, 4_000)
	add(core.TallyPayments, "a", "USD", 0, "authorized", 1, 0)
	add(core.TallyPayments, "a", "USD", 0, "failed", 2, 0)
	add(core.TallyPayments, "a", "USD", 0, "canceled", 5, 0)
	add(core.TallyPayments, "a", "USD", 0, "expired", 6, 0)
	add(core.TallyPayments, "a", "USD", 0, "processing", 7, 0)
	add(core.TallyPayments, "a", "USD", 0, "requires_action", 8, 0)
	add(core.TallyPayments, "a", "USD", 0, "needs_review", 9, 0)
	add(core.TallyRefunds, "a", "USD", 1, "succeeded", 2, 20)
	add(core.TallyRefunds, "a", "USD", 1, "pending", 1, 7)
	add(core.TallyRefunds, "a", "USD", 1, "failed", 1, 900)
	add(core.TallyRefunds, "a", "USD", 1, "canceled", 1, 900)
	for i, status := range []string{"inquiry", "needs_response", "under_review", "won", "lost", "accepted"} {
		add(core.TallyDisputes, "b", "USD", 0, status, 1, int64(1)<<i)
	}
	add(core.TallyPayments, "a", "JPY", 0, "succeeded", 1, 500)
	summary, err := period.Summarize(given)
	require.NoError(t, err)
	require.Len(t, summary.Currencies, 2)
	yen, dollars := summary.Currencies[0], summary.Currencies[1]
	require.Equal(t, "JPY 500", yen.Totals.Volume().String())
	require.Zero(t, yen.Buckets[1].Figures.SuccessRate(), "nothing happened")
	require.Equal(t, "JPY 0", yen.Buckets[1].Figures.Volume().String(), "no money, but of its currency")

	totals := dollars.Totals
	require.Equal(t, []int64{45, 7, 1, 2, 5, 6, 15, 9}, []int64{totals.Payments, totals.Succeeded, totals.Authorized, totals.Failed, totals.Canceled, totals.Expired, totals.InProgress, totals.InReview})
	require.Equal(t, []int64{2, 1, 2, 6, 3, 1, 2}, []int64{totals.Refunds, totals.RefundsPending, totals.RefundsFailed, totals.Disputes, totals.DisputesOpen, totals.DisputesWon, totals.DisputesLost})
	require.Equal(t, []int64{4_300, 20, 7, 63, 48}, []int64{totals.Volume().Minor(), totals.Refunded().Minor(), totals.RefundPending().Minor(), totals.Disputed().Minor(), totals.DisputeLost().Minor()})
	require.Equal(t, core.Rate{Part: 8, Whole: 10}, totals.SuccessRate())
	require.Equal(t, core.Rate{Part: 6, Whole: 7}, totals.DisputeRate())

	require.Len(t, dollars.Accounts, 2, "however the tallies lie")
	a, b := dollars.Accounts[0], dollars.Accounts[1]
	require.EqualValues(t, "a", a.Account)
	require.EqualValues(t, 4_000, a.Totals.Volume().Minor())
	require.EqualValues(t, 300, b.Buckets[1].Figures.Volume().Minor())
	require.EqualValues(t, 300, dollars.Buckets[1].Figures.Volume().Minor())
	require.EqualValues(t, 2, dollars.Buckets[1].Figures.Refunds)
}

func TestSummaryOfTooMuchMoney(t *testing.T) {
	t.Parallel()
	from := onDay(t, "2026-03-01T00:00:00Z")
	period, ok := core.NewSummaryPeriod(from, from.AddDate(0, 0, 1), core.SummaryDay)
	require.True(t, ok)
	most := core.Tally{Kind: core.TallyPayments, At: from, Currency: "USD", Status: "succeeded", Count: 1, Minor: core.SummaryMinorMax}
	summary, err := period.Summarize([]core.Tally{most})
	require.NoError(t, err)
	require.Equal(t, core.SummaryMinorMax, summary.Currencies[0].Totals.Volume().Minor())
	one := most
	one.Minor = 1
	_, err = period.Summarize([]core.Tally{most, one})
	require.ErrorIs(t, err, core.ErrAmountRange)
}
