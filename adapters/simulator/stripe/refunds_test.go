package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

func TestRefundsThatTakeTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first, last string
		after       time.Duration
		refunded    string
	}{
		"success":        {"succeeded", "succeeded", 30 * day, "1000"},
		"refund_pending": {"pending", "succeeded", 5 * day, "1000"},
		"refund_fails":   {"succeeded", "failed", 2 * day, "0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			payment := h.paid(t, stripe.NamedCards[name]).text("id")
			made := h.do(t, "/refunds", "payment_intent", payment, "amount", "1000", "metadata[paydesk_refund]", "ref_1")
			require.Equal(t, test.first, made.text("status"))
			require.Equal(t, "1000", h.charge(t, payment).text("amount_refunded"), "a refund that pends counts")
			h.advance(test.after - time.Second)
			require.Equal(t, test.first, h.get(t, "/refunds/"+made.text("id")).text("status"))
			h.advance(time.Second)
			shown := h.get(t, "/refunds/"+made.text("id"))
			require.Equal(t, test.last, shown.text("status"))
			require.Equal(t, test.last == "failed", shown.text("failure_reason") != "<nil>")
			charge := h.charge(t, payment)
			require.Equal(t, test.refunded, charge.text("amount_refunded"))
			require.Equal(t, made.text("id"), charge.text("refunds.data.0.id"))
			require.Equal(t, "ref_1", charge.text("refunds.data.0.metadata.paydesk_refund"))
			changes := 0
			if test.first != test.last {
				changes = 1
			}
			require.Len(t, h.told(t, "charge.refund.updated"), changes)
			require.Len(t, h.told(t, "refund.updated"), changes)
			require.Len(t, h.told(t, "charge.refunded"), 1)
		})
	}
}

func TestRefundsAreListedByPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	one, other := h.paid(t, "4242424242424242").text("id"), h.paid(t, "4242424242424242").text("id")
	first := h.do(t, "/refunds", "payment_intent", one, "amount", "100").text("id")
	second := h.do(t, "/refunds", "payment_intent", one, "amount", "200").text("id")
	h.do(t, "/refunds", "payment_intent", other)
	require.Equal(t, []string{second, first}, h.get(t, "/refunds", "payment_intent", one).texts(t, "id"))
	require.Equal(t, "300", h.get(t, "/refunds", "payment_intent", one, "expand[]", "data.charge").text("data.0.charge.amount_refunded"))
	require.Equal(t, "<nil>", h.get(t, "/payment_intents/"+one, "expand[]", "latest_charge").text("latest_charge.refunds"), "only where it is asked for")
	h.do(t, "/refunds/"+first, "metadata[a]", "b")
	require.Equal(t, "b", h.get(t, "/refunds/"+first).text("metadata.a"))
	h.post(t, "/refunds/"+first, "amount", "5").refuses(t, http.StatusBadRequest, "parameter_unknown", "amount")
	h.post(t, "/refunds", "payment_intent", one, "amount", "2201").refuses(t, http.StatusBadRequest, "<nil>", "amount")
	h.post(t, "/refunds", "payment_intent", other).refuses(t, http.StatusBadRequest, "charge_already_refunded", "<nil>")
}

func TestRefundsInTheDashboard(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.sim.RefundElsewhere("pay_1", 0)
	require.ErrorIs(t, err, engine.ErrNoPayment)
	payment := h.paid(t, stripe.NamedCards["refund_pending"]).text("id")
	_, err = h.sim.RefundElsewhere("pay_1", 2501)
	require.ErrorIs(t, err, engine.ErrRefundAmount)
	part, err := h.sim.RefundElsewhere("pay_1", 1000)
	require.NoError(t, err)
	rest, err := h.sim.RefundElsewhere("pay_1", 0)
	require.NoError(t, err)
	require.Equal(t, "1500", h.get(t, "/refunds/"+rest).text("amount"))
	require.Equal(t, "true", h.charge(t, payment).text("refunded"))
	_, err = h.sim.RefundElsewhere("pay_1", 0)
	require.ErrorIs(t, err, engine.ErrRefundAmount, "nothing is left")

	require.ErrorIs(t, h.sim.EndRefund("re_nothing", "failed"), engine.ErrNoRefund)
	require.NoError(t, h.sim.EndRefund(part, "succeeded"))
	require.ErrorIs(t, h.sim.EndRefund(part, "succeeded"), engine.ErrRefundFinished)
	require.NoError(t, h.sim.EndRefund(part, "failed"), "money can come back")
	require.ErrorIs(t, h.sim.EndRefund(part, "failed"), engine.ErrRefundFinished)
	require.NoError(t, h.sim.EndRefund(rest, "failed"))
	require.Equal(t, "0", h.charge(t, payment).text("amount_refunded"))
	require.Equal(t, "false", h.charge(t, payment).text("refunded"))
	h.advance(30 * day)
	require.Equal(t, "failed", h.get(t, "/refunds/"+rest).text("status"), "what has ended stays so")
	h.do(t, "/refunds", "payment_intent", payment)
}
