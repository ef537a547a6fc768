package graph_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const summaryQuery = `query($from: DateTime!, $to: DateTime!, $currency: String, $interval: SummaryInterval! = DAY) {
	summary(from: $from, to: $to, currency: $currency, interval: $interval) { from to interval currencies { currency
		totals { payments succeeded authorized failed canceled expired inProgress inReview volume { minor currency formatted } successRate
			refunds refundsPending refundsFailed refunded { minor } refundPending { minor }
			disputes disputesOpen disputesWon disputesLost disputed { minor } disputeLost { minor } disputeRate }
		buckets { from to figures { payments volume { formatted } successRate } }
		accounts { account provider totals { payments volume { minor } } buckets { figures { payments } } } } } }`

// captures makes a payment one that captured all of an amount.
func captures(amount core.Money) func(*core.Payment) {
	return func(p *core.Payment) {
		p.Status = core.PaymentSucceeded
		p.Amount, p.AmountAuthorized, p.AmountCaptured, p.AmountRefunded = amount, amount, amount, core.Zero(amount.Currency())
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	checkout := h.newCheckout(t)
	paid := h.newPayment(t, checkout, epoch, captures(usd(t, 2500)))
	h.newPayment(t, checkout, epoch.Add(time.Hour), func(p *core.Payment) { p.Status = core.PaymentFailed })
	yen, err := core.NewMoney(500, "JPY")
	require.NoError(t, err)
	h.newPayment(t, checkout, epoch.Add(24*time.Hour), captures(yen))
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.InsertRefund(ctx, core.Refund{
			ID: newID[core.RefundID](), Payment: paid.ID, Account: "stripe", Provider: core.ProviderStripe, Status: core.RefundSucceeded, Amount: usd(t, 100),
			Origin: core.OriginHere, Environment: core.EnvTest, CreatedAt: epoch, UpdatedAt: epoch,
		})
		require.NoError(t, err)
		_, err = tx.InsertDispute(ctx, core.Dispute{
			ID: newID[core.DisputeID](), Payment: paid.ID, Account: "stripe", Provider: core.ProviderStripe, ProviderDisputeID: "du_1", Status: core.DisputeLost,
			Reason: core.DisputeGeneral, Amount: usd(t, 2400), Environment: core.EnvTest, CreatedAt: epoch, UpdatedAt: epoch,
		})
		return err
	})
	variables := map[string]any{"from": "2026-03-01T00:00:00Z", "to": "2026-03-03T00:00:00Z", "currency": "USD"}
	got := h.get(t, core.RoleViewer, summaryQuery, variables)
	require.JSONEq(t, `{"data":{"summary":{"from":"2026-03-01T00:00:00.000000Z","to":"2026-03-03T00:00:00.000000Z","interval":"DAY","currencies":[{"currency":"USD",
		"totals":{"payments":2,"succeeded":1,"authorized":0,"failed":1,"canceled":0,"expired":0,"inProgress":0,"inReview":0,
			"volume":{"minor":2500,"currency":"USD","formatted":"USD 25.00"},"successRate":0.5,"refunds":1,"refundsPending":0,"refundsFailed":0,
			"refunded":{"minor":100},"refundPending":{"minor":0},"disputes":1,"disputesOpen":0,"disputesWon":0,"disputesLost":1,
			"disputed":{"minor":2400},"disputeLost":{"minor":2400},"disputeRate":1},
		"buckets":[
			{"from":"2026-03-01T00:00:00.000000Z","to":"2026-03-02T00:00:00.000000Z","figures":{"payments":2,"volume":{"formatted":"USD 25.00"},"successRate":0.5}},
			{"from":"2026-03-02T00:00:00.000000Z","to":"2026-03-03T00:00:00.000000Z","figures":{"payments":0,"volume":{"formatted":"USD 0.00"},"successRate":null}}],
		"accounts":[{"account":"stripe","provider":"stripe","totals":{"payments":2,"volume":{"minor":2500}},"buckets":[{"figures":{"payments":2}},{"figures":{"payments":0}}]}]
	}]}}}`, got.Body)

	delete(variables, "currency")
	variables["interval"] = "HOUR"
	both := h.get(t, core.RoleViewer, summaryQuery, variables)
	require.Equal(t, "JPY", both.at(t, "summary.currencies.0.currency"), "each currency for itself")
	require.Len(t, both.at(t, "summary.currencies.1.buckets"), 48)
	require.InDelta(t, 1, both.at(t, "summary.currencies.1.buckets.13.figures.payments"), 0)
	nothing := h.get(t, core.RoleViewer, summaryQuery, map[string]any{"from": "2020-03-01T00:00:00Z", "to": "2020-03-03T00:00:00Z"})
	require.Empty(t, nothing.at(t, "summary.currencies"))
}

func TestSummariesThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	for name, variables := range map[string]map[string]any{
		"no time":              {"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
		"backwards":            {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
		"two years of days":    {"from": "2024-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
		"centuries":            {"from": "0001-01-01T00:00:00Z", "to": "9999-01-01T00:00:00Z", "interval": "MONTH"},
		"a month of hours":     {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "interval": "HOUR"},
		"not a currency":       {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "currency": "dollars"},
		"an empty currency":    {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "currency": ""},
		"a currency and a NUL": {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "currency": "US\x00"},
	} {
		got := h.ask(t, core.RoleViewer, summaryQuery, variables)
		require.Equal(t, "BAD_USER_INPUT", got.code(t), "%s: %s", name, got.Body)
	}
	four := `a: summary(from: $from, to: $to) { to } b: summary(from: $from, to: $to) { to } c: summary(from: $from, to: $to) { to }
		d: summary(from: $from, to: $to) { to } `
	period := map[string]any{"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
	h.get(t, core.RoleViewer, `query($from: DateTime!, $to: DateTime!) { `+four+` }`, period)
	got := h.ask(t, core.RoleViewer, `query($from: DateTime!, $to: DateTime!) { `+four+` e: summary(from: $from, to: $to) { to } }`, period)
	require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", got.code(t), "a summary reads much")
}
