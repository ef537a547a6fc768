package paypal_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

func TestARepeatShowsTheLatestState(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	create := func(body string) reply {
		return s.post(t, "/v2/checkout/orders", body, "PayPal-Request-Id", "create-1")
	}
	first := create(ordered("CAPTURE", ""))
	require.Equal(t, http.StatusCreated, first.Status)
	order := first.text("id")
	again := create(`{"purchase_units":[{"amount":{"value":"25.00","currency_code":"EUR"},"description":"Two & a half <shirts>", "custom_id":"pay_1"}],"intent":"CAPTURE"}`)
	require.Equal(t, http.StatusOK, again.Status, "the order of the fields does not matter: %s", again.Text)
	require.Equal(t, order, again.text("id"))
	unprocessable(t, create(ordered("AUTHORIZE", "")), "DUPLICATE_REQUEST_ID")

	s.agree(t, order, success, "paypal")
	require.Equal(t, "APPROVED", create(ordered("CAPTURE", "")).text("status"), "as it stands now")
	capture := func() reply {
		return s.post(t, "/v2/checkout/orders/"+order+"/capture", "", "PayPal-Request-Id", "capture-1")
	}
	require.Equal(t, http.StatusCreated, capture().Status)
	paid := capture()
	require.Equal(t, http.StatusOK, paid.Status)
	require.Equal(t, "COMPLETED", paid.text(captures+".status"))
	refund := func() reply {
		return s.post(t, "/v2/payments/captures/"+paid.text(captures+".id")+"/refund", "", "PayPal-Request-Id", "refund-1")
	}
	made := refund()
	require.Equal(t, http.StatusCreated, made.Status, made.Text)
	require.Equal(t, "REFUNDED", capture().text(captures+".status"))

	s.clock.Advance(6*time.Hour + time.Second)
	unprocessable(t, capture(), "ORDER_ALREADY_CAPTURED")
	require.Equal(t, http.StatusCreated, create(ordered("CAPTURE", "")).Status, "its time is over")
	require.Equal(t, http.StatusOK, refund().Status)
	s.clock.Advance(44 * 24 * time.Hour)
	s.token = s.newToken(t)
	again = refund()
	require.Equal(t, http.StatusOK, again.Status)
	require.Equal(t, made.text("id"), again.text("id"))
	s.clock.Advance(24 * time.Hour)
	s.token = s.newToken(t)
	unprocessable(t, refund(), "CAPTURE_FULLY_REFUNDED")
	require.Len(t, s.told(t, "PAYMENT.CAPTURE.REFUNDED"), 1)
}

func TestARefusalLeavesItsKeyFree(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", "")
	capture := func() reply {
		return s.post(t, "/v2/checkout/orders/"+order+"/capture", "", "PayPal-Request-Id", "k")
	}
	unprocessable(t, capture(), "ORDER_NOT_APPROVED")
	s.agree(t, order, success, "paypal")
	require.Equal(t, http.StatusCreated, capture().Status)
	unprocessable(t, s.post(t, "/v2/checkout/orders", ordered("CAPTURE", ""), "PayPal-Request-Id", "k"), "DUPLICATE_REQUEST_ID")
}

func TestVoidingHasNoBody(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	id := s.held(t)
	void := func(more ...string) reply {
		return s.do(t, http.MethodPost, "/v2/payments/authorizations/"+id+"/void", "", s.api(append(more, "PayPal-Request-Id", "void")...)...)
	}
	for range 2 {
		a := void()
		require.Equal(t, http.StatusNoContent, a.Status)
		require.Empty(t, a.Text)
		require.NotEmpty(t, a.Header.Get("Paypal-Debug-Id"))
	}
	shown := void("Prefer", whole)
	require.Equal(t, http.StatusOK, shown.Status)
	require.Equal(t, "VOIDED", shown.text("status"))
	unprocessable(t, s.post(t, "/v2/payments/authorizations/"+id+"/void", ""), "PREVIOUSLY_VOIDED")
	require.Len(t, s.told(t, "PAYMENT.AUTHORIZATION.VOIDED"), 1)
}

// The first of two requests under one id runs; the other one is told to wait.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	require.NoError(t, s.faults.Add(engine.Fault{Match: "POST /v2/checkout/orders", Fault: engine.FaultLatency, LatencyMS: 3000}))
	answers := make([]reply, 2)
	errs := make([]error, 2)
	var both sync.WaitGroup
	for n := range answers {
		both.Go(func() {
			answers[n], errs[n] = s.try(t.Context(), http.MethodPost, "/v2/checkout/orders", ordered("CAPTURE", ""), s.api("PayPal-Request-Id", "k")...)
		})
	}
	both.Wait()
	require.NoError(t, errs[0])
	require.NoError(t, errs[1])
	if answers[0].Status == http.StatusConflict {
		answers[0], answers[1] = answers[1], answers[0]
	}
	require.Equal(t, http.StatusCreated, answers[0].Status, answers[0].Text)
	refused(t, answers[1], 409, "RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	fault := func(kind string) {
		require.NoError(t, s.faults.Add(engine.Fault{Account: "paypal", Match: "POST /v2/checkout/orders", Fault: kind}))
	}
	fault(engine.FaultError500)
	a := s.post(t, "/v2/checkout/orders", ordered("CAPTURE", ""))
	require.Equal(t, http.StatusInternalServerError, a.Status)
	require.Equal(t, "INTERNAL_SERVER_ERROR", a.text("name"))
	require.Equal(t, a.Header.Get("Paypal-Debug-Id"), a.text("debug_id"))
	fault(engine.FaultError429)
	a = s.post(t, "/v2/checkout/orders", ordered("CAPTURE", ""))
	require.Equal(t, http.StatusTooManyRequests, a.Status)
	require.Equal(t, "RATE_LIMIT_REACHED", a.text("name"))
	require.Equal(t, "1", a.Header.Get("Retry-After"))
	fault(engine.FaultGarbage)
	require.Equal(t, http.StatusBadGateway, s.post(t, "/v2/checkout/orders", ordered("CAPTURE", "")).Status)
	fault(engine.FaultReset)
	_, err := s.try(t.Context(), http.MethodPost, "/v2/checkout/orders", ordered("CAPTURE", ""), s.api()...)
	require.Error(t, err)
	objects, _ := s.paypal.Objects("order")
	require.Empty(t, objects)
	require.NoError(t, s.faults.Add(engine.Fault{Match: "oauth2/token", Fault: engine.FaultError500}))
	require.Equal(t, http.StatusInternalServerError, s.do(t, http.MethodPost, "/v1/oauth2/token", "").Status)
}

// unanswered makes a call that gets no answer because of a fault, and leaves once that
// is at work.
func (s *store) unanswered(t *testing.T, fault, path string, header ...string) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ended := make(chan error, 1)
	go func() {
		_, err := s.try(ctx, http.MethodPost, path, "", s.api(header...)...)
		ended <- err
	}()
	require.Eventually(t, func() bool {
		calls := s.requests.List()
		return calls[len(calls)-1].Fault == fault
	}, waitMax, time.Millisecond)
	leave()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// What was to be done by a call that never arrived is not done.
func TestTheCallIsLost(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", "")
	s.agree(t, order, success, "paypal")
	at := "/v2/checkout/orders/" + order
	require.NoError(t, s.faults.Add(engine.Fault{Match: "/capture", Fault: engine.FaultTimeoutBefore}))
	s.unanswered(t, engine.FaultTimeoutBefore, at+"/capture", "PayPal-Request-Id", "capture")
	require.Equal(t, "APPROVED", s.get(t, at).text("status"))
	require.Equal(t, http.StatusCreated, s.do(t, http.MethodPost, at+"/capture", "", s.api("PayPal-Request-Id", "capture")...).Status)
}

// What was done before its answer was lost is there, and the same request id finds it.
func TestTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", "")
	s.agree(t, order, success, "paypal")
	require.NoError(t, s.faults.Add(engine.Fault{Match: "/capture", Fault: engine.FaultTimeoutAfterCommit}))
	at, key := "/v2/checkout/orders/"+order+"/capture", []string{"PayPal-Request-Id", "capture", "Prefer", whole}
	s.unanswered(t, engine.FaultTimeoutAfterCommit, at, key...)
	require.Equal(t, "COMPLETED", s.get(t, "/v2/checkout/orders/"+order).text(captures+".status"))
	again := s.do(t, http.MethodPost, at, "", s.api(key...)...)
	require.Equal(t, http.StatusOK, again.Status)
	require.Len(t, s.told(t, "PAYMENT.CAPTURE.COMPLETED"), 1)
	replayed := s.requests.List()
	require.True(t, replayed[len(replayed)-1].Replayed)
	require.Equal(t, "capture", replayed[len(replayed)-1].IdempotencyKey)
}
