package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// together makes a call many times at once and gives the answers.
func together(t *testing.T, h *house, times int, call func(n int) request) []*httptest.ResponseRecorder {
	t.Helper()
	answers := new([64]*httptest.ResponseRecorder)[:times]
	var all sync.WaitGroup
	for n := range times {
		all.Go(func() { answers[n] = h.do(t.Context(), call(n)) })
	}
	all.Wait()
	return answers
}

func TestAReplayIsTheFirstAnswerToTheByte(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.Authorized()
	customer := h.Customer().ID
	capture := "/v1/payments/" + string(held.ID) + "/capture"
	for _, call := range []struct {
		path, body string
		status     int
	}{
		{"/v1/checkouts", order, http.StatusCreated},
		{"/v1/webhook_endpoints", `{"url":"https://shop.example/hooks"}`, http.StatusCreated},
		{"/v1/payments", charge(customer, h.Saved(customer, portstest.CardSucceeds).ID), http.StatusCreated},
		{"/v1/payments", charge(customer, h.Saved(customer, portstest.CardDeclinedLater).ID), http.StatusPaymentRequired},
		{"/v1/customers", `{"name":"Ada"}`, http.StatusCreated},
		{"/v1/prices", `{"name":"Mug","amount":1,"currency":"EUR"}`, http.StatusCreated},
		{capture, `{"amount":2000}`, http.StatusUnprocessableEntity},
		{capture, `{"amount":300}`, http.StatusOK},
		{capture, `{"amount":301}`, http.StatusConflict},
		{"/v1/payments/" + string(h.Authorized().ID) + "/cancel", "", http.StatusOK},
		{"/v1/checkouts/" + string(h.Open(core.CaptureAutomatic).ID) + "/expire", "", http.StatusOK},
	} {
		key := "key of " + call.path + call.body
		key = strings.NewReplacer(" ", "_", "\n", "").Replace(key)
		first := h.post(t, call.path, key, call.body)
		require.Equal(t, call.status, first.Code, first.Body)
		require.Empty(t, first.Header().Get("Idempotent-Replayed"))
		h.Clock.Advance(time.Hour)
		again := h.post(t, call.path, key, call.body)
		require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"), call.path)
		again.Header().Del("Idempotent-Replayed")
		require.Equal(t, first.Code, again.Code)
		require.Equal(t, first.Body.String(), again.Body.String())
		require.Equal(t, first.Header(), again.Header())

		for _, other := range []request{
			{path: call.path, body: strings.Replace(order, "order-1", "order-3", 1)},
			{path: "/v1/checkouts", body: strings.Replace(order, "order-1", "order-2", 1)},
		} {
			answer := h.post(t, other.path, key, other.body)
			refused(t, answer, http.StatusUnprocessableEntity, "idempotency_key_reused")
		}
	}
	require.Len(t, h.Operations(held.ID), 2, "created and captured once")
}

func TestTheSameKeyAtOnceMakesOneThing(t *testing.T) {
	t.Parallel()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		h := houseOver(t, open(t))
		const times = 16
		ids := map[string]int{}
		for _, answer := range together(t, h, times, func(int) request {
			return request{method: "POST", path: "/v1/checkouts", key: "same", body: order}
		}) {
			if answer.Code != http.StatusCreated {
				require.NotEmpty(t, answer.Header().Get("Retry-After"))
				refused(t, answer, http.StatusConflict, "idempotency_in_progress")
				continue
			}
			ids[read[idOnly](t, answer, http.StatusCreated).ID]++
		}
		require.Len(t, ids, 1)

		held := h.Authorized()
		for _, answer := range together(t, h, times, func(n int) request {
			return request{method: "POST", path: "/v1/payments/" + string(held.ID) + "/capture", key: fmt.Sprint("key-", n%2), body: `{"amount":300}`}
		}) {
			require.Contains(t, []int{http.StatusOK, http.StatusConflict}, answer.Code, answer.Body)
		}
		require.EqualValues(t, 300, h.Payment(held.ID).AmountCaptured.Minor())
		require.Equal(t, 2, h.Provider.Effects(t), "created and captured once")
		require.Empty(t, h.log.lines(`"level":"ERROR"`))
	})
}

func TestDifferentKeysMakeDifferentThings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := map[string]bool{}
	for _, answer := range together(t, h, 16, func(n int) request {
		return request{method: "POST", path: "/v1/checkouts", key: fmt.Sprint("key-", n), body: order}
	}) {
		ids[read[idOnly](t, answer, http.StatusCreated).ID] = true
	}
	require.Len(t, ids, 16)
}

func TestACallThatRunsIsNotRunAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.Authorized()
	call := request{method: "POST", path: "/v1/payments/" + string(held.ID) + "/capture", key: "k"}
	calling, goOn := make(chan struct{}), make(chan struct{})
	h.Provider.OnCall(func(context.Context, portstest.FakeCall) {
		close(calling)
		<-goOn
	})
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- h.do(t.Context(), call) }()
	<-calling
	h.Provider.OnCall(nil)
	answer := h.do(t.Context(), call)
	require.Equal(t, "1", answer.Header().Get("Retry-After"))
	refused(t, answer, http.StatusConflict, "idempotency_in_progress")
	close(goOn)
	require.Equal(t, http.StatusOK, (<-first).Code)
	again := h.do(t.Context(), call)
	require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
}

// A key that is free again must not lead to what another request made under it.
func TestAnOldKeyWithAnotherRequestMakesAnotherThing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := read[idOnly](t, h.post(t, "/v1/checkouts", "k", order), http.StatusCreated).ID
	h.Clock.Advance(core.IdempotencyKeep + time.Second)
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.PruneIdempotent(ctx, h.Clock.Now().Add(-core.IdempotencyKeep), 10)
		return err
	}))
	same := read[idOnly](t, h.post(t, "/v1/checkouts", "k", order), http.StatusCreated).ID
	require.Equal(t, first, same, "the same request finds its object, however late")
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.PruneIdempotent(ctx, h.Clock.Now().Add(time.Second), 10)
		return err
	}))
	dearer := h.post(t, "/v1/checkouts", "k", strings.Replace(order, "1250", "9999", 1))
	require.Contains(t, dearer.Body.String(), `"amount":19998`)
	require.NotEqual(t, first, read[idOnly](t, dearer, http.StatusCreated).ID)
}

func TestACrashedCallIsGoneOnWith(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for skip := range 3 { // the key, the checkout, the answer
		for _, afterCommit := range []bool{false, true} {
			key := fmt.Sprintf("k-%d-%t", skip, afterCommit)
			h.Store.CrashNext(skip, afterCommit)
			_ = h.post(t, "/v1/checkouts", key, order)
			h.Store.CrashNever()
			h.Clock.Advance(core.IdempotencyLockMax)
			id := read[idOnly](t, h.post(t, "/v1/checkouts", key, order), http.StatusCreated).ID
			again := h.post(t, "/v1/checkouts", key, order)
			require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
			require.Equal(t, id, read[idOnly](t, again, http.StatusCreated).ID)
		}
	}
}

func TestWhatTheProviderSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	capture := func(p core.Payment, key string) *httptest.ResponseRecorder {
		return h.post(t, "/v1/payments/"+string(p.ID)+"/capture", key, "")
	}
	// No answer: the payment is as it was, and settles by itself.
	lost := h.Authorized()
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	require.Contains(t, read[map[string]any](t, capture(lost, "lost"), http.StatusAccepted)["status"], "authorized")
	require.Equal(t, "true", capture(lost, "lost").Header().Get("Idempotent-Replayed"))
	h.RunAll()
	require.Equal(t, core.PaymentSucceeded, h.Payment(lost.ID).Status)

	// Not reached: nothing happened, and the same key goes again.
	away := h.Authorized()
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Op: "capture", RetryAfter: 1500 * time.Millisecond})
	answer := capture(away, "away")
	require.Equal(t, "2", answer.Header().Get("Retry-After"))
	refused(t, answer, http.StatusServiceUnavailable, "provider_unavailable")
	answer = capture(away, "away")
	require.Empty(t, answer.Header().Get("Idempotent-Replayed"))
	require.Equal(t, http.StatusOK, answer.Code)

	// A no, with its reason, for good.
	declined := h.Authorized()
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassDeclined, Code: core.FailureSuspectedFraud, Foreign: "fraudulent", Op: "capture"})
	p := refused(t, capture(declined, "no"), http.StatusPaymentRequired, "payment_refused")
	require.Equal(t, "suspected_fraud", p.Failure.Code)
	require.Equal(t, "fraudulent", *p.Failure.ProviderCode)
	require.False(t, p.Failure.Retryable)
	require.Equal(t, "true", capture(declined, "no").Header().Get("Idempotent-Replayed"))

	// While an outcome is not known, nothing else is begun.
	held := h.Authorized()
	h.Provider.FailNext(portstest.NoAnswer())
	require.Equal(t, http.StatusAccepted, h.post(t, "/v1/payments/"+string(held.ID)+"/cancel", "", "").Code)
	h.Provider.FailNext(portstest.NoAnswer())
	answer = h.post(t, "/v1/payments/"+string(held.ID)+"/capture", "x", "")
	require.Equal(t, "1", answer.Header().Get("Retry-After"))
	refused(t, answer, http.StatusConflict, "payment_in_progress")
	refused(t, h.post(t, "/v1/payments/"+string(held.ID)+"/capture", "x", ""), http.StatusConflict, "invalid_payment_state")
	require.Equal(t, core.PaymentCanceled, h.Payment(held.ID).Status)
}

func TestTroubleInsideIsToldWithoutItsCause(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Store.CrashNext(1, false)
	answer := h.post(t, "/v1/checkouts", "k", order)
	require.NotContains(t, answer.Body.String(), coretest.ErrCrashed.Error())
	refused(t, answer, http.StatusInternalServerError, "internal_error")
	require.Len(t, h.log.lines(coretest.ErrCrashed.Error()), 1)
	answer = h.post(t, "/v1/checkouts", "k", order)
	require.Equal(t, http.StatusCreated, answer.Code, "the key is free")
	require.Empty(t, answer.Header().Get("Idempotent-Replayed"))

	// The work is done and its answer is known, though it could not be kept.
	h.Store.CrashNext(2, false)
	require.Equal(t, http.StatusCreated, h.post(t, "/v1/checkouts", "k-2", order).Code)
	require.Len(t, h.log.lines("answer is not remembered"), 1)
}

func TestAPanicIsAnAnswerToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.Authorized()
	for _, cause := range []any{errors.New(secretText), secretText} {
		h.Provider.OnCall(func(context.Context, portstest.FakeCall) { panic(cause) })
		answer := h.post(t, "/v1/payments/"+string(held.ID)+"/capture", "k", "")
		refused(t, answer, http.StatusInternalServerError, "internal_error")
	}
	require.Empty(t, h.log.lines(secretText))
	require.Len(t, h.log.lines("call panicked"), 2)
	h.Provider.OnCall(nil)
	require.Equal(t, http.StatusOK, h.post(t, "/v1/payments/"+string(held.ID)+"/capture", "k", "").Code, "the key is free, and the capture is gone on with")
	require.Equal(t, coretest.Price, h.Payment(held.ID).AmountCaptured.Minor())
}

// BenchmarkCreateCheckout is our own time of a call that writes: three commits.
func BenchmarkCreateCheckout(b *testing.B) {
	h := houseOver(b, repotest.SQLite(b))
	n := 0
	for b.Loop() {
		n++
		answer := h.do(b.Context(), request{method: "POST", path: "/v1/checkouts", key: fmt.Sprint("key-", n), body: order})
		require.Equal(b, http.StatusCreated, answer.Code)
	}
}

// BenchmarkReplay is our own time of a call that was made before.
func BenchmarkReplay(b *testing.B) {
	h := houseOver(b, repotest.SQLite(b))
	for b.Loop() {
		answer := h.do(b.Context(), request{method: "POST", path: "/v1/checkouts", key: "k", body: order})
		require.Equal(b, http.StatusCreated, answer.Code)
	}
}
