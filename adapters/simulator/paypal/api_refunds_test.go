package paypal_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

const day = 24 * time.Hour

// refunding pays with a named card and gives all of it back; the order's and the refund's
// paths.
func (s *store) refunding(t *testing.T, name string) (order, refund string) {
	t.Helper()
	paid := s.captured(t, paypal.NamedCards[name], "card")
	a := s.post(t, "/v2/payments/captures/"+paid.text(captures+".id")+"/refund", `{"custom_id":"re_1"}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	require.Equal(t, "PENDING", a.text("status"))
	require.Equal(t, "ECHECK", a.text("status_details.reason"))
	return "/v2/checkout/orders/" + paid.text("id"), "/v2/payments/refunds/" + a.text("id")
}

func TestRefundsThatTakeTheirTime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		card, status, capture, event string
		life                         time.Duration
	}{
		{"refund_pending", "COMPLETED", "REFUNDED", "PAYMENT.CAPTURE.REFUNDED", 5 * day},
		{"refund_fails", "FAILED", "COMPLETED", "PAYMENT.REFUND.FAILED", 2 * day},
	}
	for _, test := range tests {
		t.Run(test.card, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			order, refund := s.refunding(t, test.card)
			require.Equal(t, "REFUNDED", s.get(t, order).text(captures+".status"), "it counts while it is on its way")
			s.pass(t, test.life-time.Second)
			require.Equal(t, "PENDING", s.get(t, refund).text("status"))
			s.pass(t, 300*day)
			shown := s.get(t, refund)
			require.Equal(t, test.status, shown.text("status"))
			require.Equal(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(test.life).Format(time.RFC3339), shown.text("update_time"))
			require.Equal(t, test.capture, s.get(t, order).text(captures+".status"))
			require.Equal(t, test.status, s.get(t, order).text(refunds+".status"))
			require.Len(t, s.told(t, "PAYMENT.REFUND.PENDING"), 1)
			require.Len(t, s.told(t, test.event), 1)
		})
	}
}

func TestRefundsEndWhenToldTo(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order, refund := s.refunding(t, "refund_pending")
	id := s.get(t, refund).text("id")
	require.ErrorIs(t, s.paypal.EndRefund("none", "failed"), engine.ErrNoRefund)
	require.NoError(t, s.paypal.EndRefund(id, "failed"))
	require.ErrorIs(t, s.paypal.EndRefund(id, "succeeded"), engine.ErrRefundFinished)
	require.Equal(t, "COMPLETED", s.get(t, order).text(captures+".status"))
	s.pass(t, 10*day)
	require.Equal(t, "FAILED", s.get(t, refund).text("status"))

	_, refund = s.refunding(t, "refund_fails")
	require.NoError(t, s.paypal.EndRefund(s.get(t, refund).text("id"), "succeeded"))
	s.pass(t, 10*day)
	require.Equal(t, "COMPLETED", s.get(t, refund).text("status"))
}

func TestRefundsElsewhere(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	_, err := s.paypal.RefundElsewhere("pay_1", 0)
	require.ErrorIs(t, err, engine.ErrNoPayment)
	held := "/v2/payments/authorizations/" + s.held(t) + "/capture"
	for _, value := range []string{"10.00", "15.00"} {
		s.post(t, held, `{"amount":{"currency_code":"EUR","value":"`+value+`"}}`)
	}
	_, err = s.paypal.RefundElsewhere("pay_1", 25_01)
	require.ErrorIs(t, err, engine.ErrRefundAmount)
	id, err := s.paypal.RefundElsewhere("pay_1", 12_00)
	require.NoError(t, err)
	require.Equal(t, "10.00", s.get(t, "/v2/payments/refunds/"+id).text("amount.value"))
	id, err = s.paypal.RefundElsewhere("pay_1", 0)
	require.NoError(t, err)
	shown := s.get(t, "/v2/payments/refunds/"+id)
	require.Equal(t, "13.00", shown.text("amount.value"))
	require.Nil(t, shown.at("custom_id"), "staff give none")
	_, err = s.paypal.RefundElsewhere("pay_1", 0)
	require.ErrorIs(t, err, engine.ErrRefundAmount)
	require.Len(t, s.told(t, "PAYMENT.CAPTURE.REFUNDED"), 3)
}

func TestReauthorize(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	first := s.held(t)
	at := "/v2/payments/authorizations/" + first
	again := func(path, body string) reply { return s.post(t, path+"/reauthorize", body) }
	unprocessable(t, again(at, ""), "REAUTHORIZATION_TOO_SOON")
	s.pass(t, 3*day-time.Second)
	unprocessable(t, again(at, ""), "REAUTHORIZATION_TOO_SOON")
	s.pass(t, time.Second)
	unprocessable(t, again(at, `{"amount":{"currency_code":"EUR","value":"28.76"}}`), "AUTHORIZATION_AMOUNT_LIMIT_EXCEEDED")
	unprocessable(t, again(at, `{"amount":{"currency_code":"USD","value":"25.00"}}`), "AUTH_CURRENCY_MISMATCH")
	a := again(at, `{"amount":{"currency_code":"EUR","value":"28.75"}}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	require.Equal(t, "CREATED", a.text("status"))
	require.NotEqual(t, first, a.text("id"))
	require.Equal(t, "2026-03-30T12:00:00Z", a.text("expiration_time"), "no longer than the first")
	unprocessable(t, s.post(t, at+"/capture", ""), "AUTHORIZATION_VOIDED")
	at = "/v2/payments/authorizations/" + a.text("id")
	s.pass(t, 4*day)
	unprocessable(t, again(at, ""), "REAUTHORIZATION_NOT_ALLOWED")
	order := s.get(t, "/v2/checkout/orders/"+a.text("supplementary_data.related_ids.order_id"))
	require.Equal(t, "VOIDED", order.text(authorizations+".status"))
	require.Equal(t, a.text("id"), order.text("purchase_units.0.payments.authorizations.1.id"))
	s.pass(t, 22*day)
	require.Equal(t, "VOIDED", s.get(t, at).text("status"))
	unprocessable(t, s.post(t, at+"/capture", ""), "AUTHORIZATION_EXPIRED")
	require.Len(t, s.told(t, "PAYMENT.AUTHORIZATION.VOIDED"), 1)
}
