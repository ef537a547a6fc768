package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var order = url.Values{"amount": {"2500"}, "currency": {"eur"}}

// attempt creates a payment under a key (empty for none), within a time if there is one.
func (h *house) attempt(t *testing.T, key string, within time.Duration) (answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	header := map[string]string{"Authorization": "Bearer " + secretKey, "Content-Type": "application/x-www-form-urlencoded"}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	return h.try(ctx, http.MethodPost, "/stripe/v1/payment_intents", order.Encode(), header)
}

func (h *house) held(t *testing.T) int {
	t.Helper()
	return len(h.control(t, http.MethodGet, "objects?account=stripe&type=payment_intent", "").list(t))
}

func TestFaultsThatAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		kind   string
	}{
		"error_500": {http.StatusInternalServerError, "api_error"},
		"error_429": {http.StatusTooManyRequests, "invalid_request_error"},
		"garbage":   {http.StatusBadGateway, "<nil>"},
	}
	for fault, test := range tests {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.fault(t, `{"account":"stripe","match":"post /v1/Payment_Intents","fault":"`+fault+`","count":2}`)
			require.Equal(t, http.StatusOK, h.get(t, "/payment_intents", nil).Status, "another method")
			for range 2 {
				a, err := h.attempt(t, "k", waitMax)
				require.NoError(t, err)
				require.Equal(t, test.status, a.Status)
				require.Equal(t, test.kind, a.text("error.type"))
				require.Equal(t, fault == "error_429", a.Header.Get("Retry-After") == "1")
			}
			a, err := h.attempt(t, "k", waitMax)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, a.Status, "the count is used up, and the key is free")
			require.Equal(t, 1, h.held(t))
			requests := h.sim.Requests()
			require.Equal(t, fault, requests[1].Fault)
			require.Empty(t, requests[3].Fault)
		})
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	for fault, held := range map[string]int{"timeout_before": 0, "timeout_after_commit": 1} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.fault(t, `{"match":"payment_intents","fault":"`+fault+`","count":1}`)
			_, err := h.attempt(t, "k", 100*time.Millisecond)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, held, h.held(t))
			a, err := h.attempt(t, "k", waitMax)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, a.Status)
			require.Equal(t, held == 1, a.Header.Get("Idempotent-Replayed") == "true")
			require.Equal(t, 1, h.held(t), "the same key acts once")
		})
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.fault(t, `{"match":"/stripe/v1/payment_intents","fault":"reset"}`)
	// Without a key: under one, net/http itself sends the request again.
	_, err := h.attempt(t, "", waitMax)
	require.Error(t, err)
	require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), err)
	require.Zero(t, h.held(t))
	a, err := h.attempt(t, "", waitMax)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status)
}

// A second request under a key meets the first one, which latency keeps running.
func TestLatencyAndAKeyInUse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.fault(t, `{"match":"payment_intents","fault":"latency","count":2,"latency_ms":60000}`)
	ctx, leave := context.WithCancel(t.Context())
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			a, _ := h.try(ctx, http.MethodPost, "/stripe/v1/payment_intents", order.Encode(), map[string]string{
				"Authorization": "Bearer " + secretKey, "Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": "k",
			})
			answers <- a
		}()
	}
	busy := <-answers
	require.Equal(t, http.StatusConflict, busy.Status, busy.Text)
	require.Equal(t, "idempotency_key_in_use", busy.text("error.code"))
	leave()
	require.Zero(t, (<-answers).Status, "the other one was not waited for")
	require.Eventually(t, func() bool {
		a, err := h.attempt(t, "k", waitMax)
		return err == nil && a.Status == http.StatusOK && a.Header.Get("Idempotent-Replayed") == "true"
	}, waitMax, time.Millisecond)
	require.Equal(t, 1, h.held(t))
}

func TestFaultsAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for field, body := range map[string]string{
		"fault":      `{"match":"x","fault":"flood"}`,
		"count":      `{"match":"x","fault":"reset","count":-1}`,
		"latency_ms": `{"match":"x","fault":"latency","latency_ms":600000}`,
		"account":    `{"account":"paypal","match":"x","fault":"reset"}`,
		"colour":     `{"colour":"red"}`,
	} {
		a := h.control(t, http.MethodPost, "faults", body)
		require.Equal(t, http.StatusBadRequest, a.Status)
		require.Contains(t, a.text("error"), field)
	}
	a := h.control(t, http.MethodPost, "faults", `{"match":"webhook","fault":"error_500"}`)
	require.Equal(t, http.StatusBadRequest, a.Status, "a delivery cannot answer")
	require.Equal(t, http.StatusOK, h.get(t, "/payment_intents", nil).Status, "nothing goes wrong")
}

func TestWebhooksAreSignedByTheWallClock(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.sim.Advance(48 * time.Hour)
	made := h.create(t)
	h.settle(t)
	all := h.paydesk.webhooks("")
	require.Len(t, all, 1)
	got := all[0]
	require.True(t, got.genuine(webhookSecret))
	require.False(t, got.genuine("whsec_older"), "the first secret signs")
	require.True(t, strings.HasPrefix(got.Header.Get("Stripe-Signature"), "t=1790000000,"), "now, though the clock was moved")
	require.InDelta(t, 1_790_000_000+48*3600, got.Object["created"], 0, "objects live by the clock that was moved")
	require.Equal(t, made.text("id"), got.Object["id"])
	require.Regexp(t, `^application/json`, got.Header.Get("Content-Type"))
}

func TestWebhooksComeAgainUntilTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.paydesk.refuse = func(n int, _ string) int {
		return []int{http.StatusServiceUnavailable, http.StatusFound, http.StatusBadRequest, http.StatusOK}[min(n, 3)]
	}
	h.create(t)
	h.settle(t)
	all := h.paydesk.webhooks("")
	require.Len(t, all, 4)
	for _, got := range all {
		require.Equal(t, all[0].ID, got.ID)
		require.True(t, got.genuine(webhookSecret))
	}
}

func TestFaultsOfWebhooks(t *testing.T) {
	t.Parallel()
	fault := func(t *testing.T, name, more string) *house {
		t.Helper()
		h := newHouse(t)
		h.fault(t, `{"account":"stripe","match":"webhook","fault":"`+name+`"`+more+`}`)
		return h
	}
	t.Run("drop", func(t *testing.T) {
		t.Parallel()
		h := fault(t, "webhook_drop", "")
		h.create(t)
		h.settle(t)
		require.Empty(t, h.paydesk.types())
		require.Len(t, h.get(t, "/events", nil).list(t), 1, "it can be fetched all the same")
	})
	t.Run("duplicate", func(t *testing.T) {
		t.Parallel()
		h := fault(t, "webhook_duplicate", "")
		h.create(t)
		h.settle(t)
		all := h.paydesk.webhooks("")
		require.Len(t, all, 2)
		require.Equal(t, all[0].Body, all[1].Body)
	})
	t.Run("reorder", func(t *testing.T) {
		t.Parallel()
		h := fault(t, "webhook_reorder", `,"latency_ms":60000`)
		first := h.create(t)
		second := h.create(t)
		h.settle(t)
		all := h.paydesk.webhooks("")
		require.Len(t, all, 2)
		require.Equal(t, second.text("id"), all[0].Object["id"])
		require.Equal(t, first.text("id"), all[1].Object["id"])
	})
	t.Run("reorder without another", func(t *testing.T) {
		t.Parallel()
		h := fault(t, "webhook_reorder", `,"latency_ms":1`)
		h.create(t)
		h.settle(t)
		require.Len(t, h.paydesk.types(), 1)
	})
	t.Run("delay", func(t *testing.T) {
		t.Parallel()
		h := fault(t, "webhook_delay", `,"latency_ms":50`)
		start := time.Now()
		h.create(t)
		h.settle(t)
		require.Len(t, h.paydesk.types(), 1)
		require.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
	})
	t.Run("corrupt", func(t *testing.T) {
		t.Parallel()
		h := fault(t, "webhook_corrupt", "")
		h.paydesk.refuse = func(n int, _ string) int { return []int{http.StatusBadRequest, http.StatusOK}[min(n, 1)] }
		h.create(t)
		h.settle(t)
		all := h.paydesk.webhooks("")
		require.Len(t, all, 2)
		require.False(t, all[0].genuine(webhookSecret))
		require.NotEmpty(t, all[0].ID, "the signature alone tells")
		require.True(t, all[1].genuine(webhookSecret), "the next try is whole")
	})
}

func TestFaultsOfWebhooksOfOneType(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.fault(t, `{"match":"payment_intent.succeeded","fault":"webhook_drop"}`)
	h.confirm(t, h.create(t), "4242424242424242")
	h.settle(t)
	require.ElementsMatch(t, []string{"payment_intent.created", "charge.succeeded"}, h.paydesk.types())
}

func TestFaultsAreLifted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	lift := func(query string) {
		require.Equal(t, http.StatusOK, h.control(t, http.MethodDelete, "faults"+query, "").Status)
	}
	down := func() {
		h.fault(t, `{"account":"stripe","fault":"error_500","count":1000000}`)
		a, err := h.attempt(t, "", waitMax)
		require.NoError(t, err)
		require.Equal(t, http.StatusInternalServerError, a.Status)
	}
	for _, query := range []string{"", "?account=stripe"} {
		down()
		lift(query)
		a, err := h.attempt(t, "", waitMax)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.Status, "it is up again")
	}
	require.Equal(t, http.StatusBadRequest, h.control(t, http.MethodDelete, "faults?account=nobody", "").Status)
}

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 3 {
		_, err := h.attempt(t, "", waitMax)
		require.NoError(t, err)
	}
	all := h.control(t, http.MethodGet, "requests", "").list(t)
	require.Len(t, all, 3)
	later := h.control(t, http.MethodGet, "requests?after=2", "").list(t)
	require.Equal(t, all[2:], later)
	require.Empty(t, h.control(t, http.MethodGet, "requests?after=3", "").list(t))
	require.Equal(t, http.StatusBadRequest, h.control(t, http.MethodGet, "requests?after=x", "").Status)
}
