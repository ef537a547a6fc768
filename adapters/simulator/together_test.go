package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// racersMax is how many callers act on one payment at the same time.
const racersMax = 24

// TestManyAtOnce has captures, cancellations, looks and the clock meet on one payment:
// exactly one of them ends it, and every event tells of a state that adds up.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.authorized(t)
	id := held.text("id")
	answers := make([]answer, racersMax)
	errs := make([]error, racersMax)
	var racers sync.WaitGroup
	for n := range racersMax {
		racers.Go(func() {
			path, form := "/capture", url.Values{"amount_to_capture": {fmt.Sprint(1000 + n)}}
			switch n % 4 {
			case 1:
				path, form = "/cancel", url.Values{}
			case 2:
				h.sim.Advance(time.Hour)
			}
			answers[n], errs[n] = h.try(t.Context(), http.MethodPost, "/stripe/v1/payment_intents/"+id+path, form.Encode(), map[string]string{
				"Authorization": "Bearer " + secretKey, "Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": fmt.Sprint(n),
			})
		})
	}
	racers.Wait()
	ended := 0
	for n, a := range answers {
		require.NoError(t, errs[n])
		if a.Status == http.StatusOK {
			ended++
			continue
		}
		require.Equal(t, "payment_intent_unexpected_state", a.text("error.code"), a.Text)
	}
	require.Equal(t, 1, ended)
	h.settle(t)
	ends := 0
	for _, got := range h.paydesk.webhooks("") {
		if !strings.HasPrefix(got.Type, "payment_intent.") {
			continue
		}
		amount, received, capturable := got.Object["amount"].(float64), got.Object["amount_received"].(float64), got.Object["amount_capturable"].(float64)
		require.LessOrEqual(t, received+capturable, amount)
		require.Equal(t, got.Object["status"] == "requires_capture", capturable > 0)
		require.Equal(t, got.Object["status"] == "succeeded", received > 0)
		if got.Type == "payment_intent.succeeded" || got.Type == "payment_intent.canceled" {
			ends++
		}
	}
	require.Equal(t, 1, ends)
}

// TestOneKeySentManyTimes sends one request under one key at the same time: one payment
// is made, and nobody hears of another.
func TestOneKeySentManyTimes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := make([]string, racersMax)
	var racers sync.WaitGroup
	for n := range racersMax {
		racers.Go(func() {
			for range 1000 { // a key in use is free in the end
				a, err := h.attempt(t, "k", waitMax)
				if err == nil && a.Status == http.StatusOK {
					ids[n] = a.text("id")
					return
				}
			}
		})
	}
	racers.Wait()
	require.Equal(t, 1, h.held(t))
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.NotEmpty(t, ids[0])
}
