package square_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/square"
)

const day = 24 * time.Hour

// payWith makes a payment with a card by its name.
func (h *house) payWith(t *testing.T, key, card string) string {
	t.Helper()
	return h.pay(t, key, object{"source_id": h.token(t, square.NamedCards[card], nil)}).text("payment.id")
}

// refund asks for money back.
func (h *house) refund(t *testing.T, key, payment string, minor int) answer {
	t.Helper()
	return h.call(t, http.MethodPost, "/v2/refunds", object{"idempotency_key": key, "payment_id": payment, "amount_money": euros(minor)})
}

func (h *house) refundStatus(t *testing.T, id string) string {
	t.Helper()
	a := h.call(t, http.MethodGet, "/v2/refunds/"+id, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a.text("refund.status")
}

func TestRefundsThatTakeDays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.payWith(t, "1", "refund_pending")
	start := h.clock.Now()
	made := h.refund(t, "r1", paid, 1000).text("refund.id")
	h.advance(5*day - time.Second)
	require.Equal(t, "PENDING", h.refundStatus(t, made), "a look does not end it")
	require.Equal(t, "<nil>", h.show(t, paid).text("payment.refunded_money"))
	h.advance(300 * day)
	done := h.call(t, http.MethodGet, "/v2/refunds/"+made, nil)
	require.Equal(t, "COMPLETED", done.text("refund.status"))
	require.Equal(t, start.Add(5*day).Format("2006-01-02T15:04:05.000Z"), done.text("refund.updated_at"), "it arrived when it was due")
	require.Equal(t, "1000", h.show(t, paid).text("payment.refunded_money.amount"))
	require.Len(t, h.deliveries(t, "refund.updated"), 1)
}

func TestRefundsThatFail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.payWith(t, "1", "refund_fails")
	made := h.refund(t, "r1", paid, 2500).text("refund.id")
	require.Equal(t, "PENDING", h.refundStatus(t, made))
	require.Equal(t, "REFUND_AMOUNT_INVALID", h.refund(t, "r2", paid, 1).code())
	h.advance(2 * day)
	require.Equal(t, "FAILED", h.refundStatus(t, made))
	told := h.deliveries(t, "refund.updated")
	require.Len(t, told, 1)
	require.Equal(t, "FAILED", told[0].text("data.object.refund.status"))
	p := h.show(t, paid)
	require.Equal(t, "<nil>", p.text("payment.refunded_money"))
	require.Equal(t, made, p.text("payment.refund_ids.0"))
	require.Equal(t, "PENDING", h.refund(t, "r3", paid, 2500).text("refund.status"), "it can be asked for anew")
}

func TestRefundsAreEndedFromOutside(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.payWith(t, "1", "refund_pending")
	for outcome, want := range map[string]string{"succeeded": "COMPLETED", "failed": "FAILED"} {
		id := h.refund(t, outcome, paid, 1000).text("refund.id")
		require.NoError(t, h.sim.EndRefund(id, outcome))
		require.Equal(t, want, h.refundStatus(t, id))
		require.ErrorIs(t, h.sim.EndRefund(id, "failed"), engine.ErrRefundFinished)
	}
	require.ErrorIs(t, h.sim.EndRefund("R0", "failed"), engine.ErrNoRefund)
	h.advance(10 * day)
	require.Equal(t, "1000", h.show(t, paid).text("payment.refunded_money.amount"))
}

func TestRefundsInTheDashboard(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.pay(t, "1", nil).text("payment.id")
	h.pay(t, "2", object{"autocomplete": false})
	for _, reference := range []string{"", "pay_0", "pay_2"} {
		_, err := h.sim.RefundElsewhere(reference, 0)
		require.ErrorIs(t, err, engine.ErrNoPayment, reference)
	}
	_, err := h.sim.RefundElsewhere("pay_1", 2501)
	require.ErrorIs(t, err, engine.ErrRefundAmount)
	part, err := h.sim.RefundElsewhere("pay_1", 700)
	require.NoError(t, err)
	require.Equal(t, part, h.deliveries(t, "refund.created")[0].text("data.id"))
	rest, err := h.sim.RefundElsewhere("pay_1", 0)
	require.NoError(t, err)
	require.Equal(t, "1800", h.call(t, http.MethodGet, "/v2/refunds/"+rest, nil).text("refund.amount_money.amount"))
	require.Equal(t, "2500", h.show(t, paid).text("payment.refunded_money.amount"))
	_, err = h.sim.RefundElsewhere("pay_1", 0)
	require.ErrorIs(t, err, engine.ErrRefundAmount, "nothing is left")

	other := h.pay(t, "3", nil).text("payment.id")
	_, err = h.sim.OpenDispute(other, "fraudulent", 0, false)
	require.NoError(t, err, "Square's own id does as well")
	_, err = h.sim.RefundElsewhere("pay_3", 0)
	require.ErrorIs(t, err, engine.ErrDisputed)
	h.pay(t, "4", nil)
	h.advance(366 * day)
	_, err = h.sim.RefundElsewhere("pay_4", 0)
	require.ErrorIs(t, err, engine.ErrUnsupported)
}

func TestRefundsAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.payWith(t, "1", "refund_pending")
	start := h.clock.Now()
	first := h.refund(t, "r1", paid, 1).text("refund.id")
	h.now.Add(10)
	second := h.refund(t, "r2", paid, 2).text("refund.id")
	at := func(seconds int) string { return start.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339) }
	for query, want := range map[string][]any{
		"location_id=" + locationID:                         {second, first},
		"begin_time=" + at(5) + "&end_time=" + at(15):       {second},
		"sort_order=ASC&status=PENDING":                     {first, second},
		"status=COMPLETED&source_type=CARD":                 nil,
		"updated_at_begin_time=" + at(0) + "&limit=2":       {second, first},
		"end_time=" + at(10) + "&location_id=" + locationID: {first},
	} {
		var ids []any
		listed, _ := h.call(t, http.MethodGet, "/v2/refunds?"+query, nil).at("refunds").([]any)
		for _, one := range listed {
			ids = append(ids, one.(object)["id"])
		}
		require.Equal(t, want, ids, query)
	}
	require.Equal(t, "INVALID_LOCATION", h.call(t, http.MethodGet, "/v2/refunds?location_id=L2", nil).code())
}
