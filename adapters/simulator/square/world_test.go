package square_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/square"
)

func sum(key, address, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(address + body))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	// The scheme as it was seen in the world; what is checked with it below is checked right.
	const vector = `{"merchant_id":"MLEXAMPLE","type":"payment.updated","event_id":"6a8f5f28-54a1-4eb0-a98a-3111513fd4fc","created_at":"2025-01-01T00:00:00Z","data":{"type":"payment","id":"PAY_EXAMPLE_1"}}`
	require.Equal(t, "WAnjsTUWDfKKcKl4D1lOdyHsotEvfkmz2aqZ+xPqONg=", sum("sq_test_signature_key_01", "https://pay.example.test/webhooks/square", vector))

	h := newHouse(t)
	h.clock.Advance(time.Hour)
	made := h.pay(t, "1", nil)
	got := h.deliveries(t, "")
	require.Len(t, got, 4)
	seen := map[string]bool{}
	for _, one := range got {
		require.Equal(t, sum(webhookKey, signedURL, one.body), one.header.Get("X-Square-Hmacsha256-Signature"))
		require.Equal(t, "Sandbox", one.header.Get("Square-Environment"))
		require.Equal(t, time.Unix(h.now.Load(), 0).UTC().Format("2006-01-02T15:04:05.000Z"), one.header.Get("Square-Initial-Delivery-Timestamp"))
		require.Contains(t, one.header.Get("Content-Type"), "application/json")
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, one.text("event_id"))
		require.Equal(t, h.clock.Now().Format("2006-01-02T15:04:05.000Z"), one.text("created_at"))
		require.Equal(t, locationID, one.text("location_id"))
		require.NotEqual(t, "<nil>", one.text("merchant_id"))
		seen[one.text("event_id")] = true
	}
	require.Len(t, seen, 4)
	created := h.deliveries(t, "payment.created")[0]
	require.Equal(t, "payment", created.text("data.type"))
	require.Equal(t, made.text("payment.id"), created.text("data.id"))
	require.Equal(t, "APPROVED", created.text("data.object.payment.status"), "it shows what was, not what is")
	updated := h.deliveries(t, "payment.updated")[0]
	require.Equal(t, made.at("payment"), updated.at("data.object.payment"))
}

func TestDisputes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.pay(t, "1", nil).text("payment.id")
	held := h.pay(t, "2", object{"autocomplete": false})
	for reference, want := range map[string]error{"": engine.ErrNoPayment, "pay_0": engine.ErrNoPayment, held.text("payment.reference_id"): engine.ErrNoPayment} {
		_, err := h.sim.OpenDispute(reference, "fraudulent", 0, false)
		require.ErrorIs(t, err, want)
	}
	_, err := h.sim.OpenDispute("pay_1", "fraudulent", 2501, false)
	require.ErrorIs(t, err, engine.ErrDisputeAmount)
	id, err := h.sim.OpenDispute("pay_1", "product_not_received", 1000, false)
	require.NoError(t, err)
	_, err = h.sim.OpenDispute("pay_1", "fraudulent", 0, false)
	require.ErrorIs(t, err, engine.ErrDisputed)
	d := h.call(t, http.MethodGet, "/v2/disputes/"+id, nil)
	require.Equal(t, "EVIDENCE_REQUIRED", d.text("dispute.state"), d.Text)
	require.Equal(t, "NOT_RECEIVED", d.text("dispute.reason"))
	require.Equal(t, "1000", d.text("dispute.amount_money.amount"))
	require.Equal(t, paid, d.text("dispute.disputed_payment.payment_id"))
	refused := h.call(t, http.MethodPost, "/v2/refunds", object{"idempotency_key": "r", "payment_id": paid, "amount_money": euros(1)})
	require.Equal(t, "PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE", refused.code())
	require.Equal(t, id, h.deliveries(t, "dispute.created")[0].text("data.id"))

	require.NoError(t, h.sim.CloseDispute(id, "won"))
	require.ErrorIs(t, h.sim.CloseDispute(id, "lost"), engine.ErrDisputeFinished)
	require.ErrorIs(t, h.sim.CloseDispute("DIS0", "lost"), engine.ErrNoDispute)
	require.Equal(t, "WON", h.deliveries(t, "dispute.state.updated")[0].text("data.object.dispute.state"))
	again := h.call(t, http.MethodPost, "/v2/refunds", object{"idempotency_key": "r2", "payment_id": paid, "amount_money": euros(1)})
	require.Equal(t, http.StatusOK, again.Status, again.Text)

	link := h.link(t, object{"idempotency_key": "l3", "order": object{
		"location_id": locationID, "reference_id": "pay_3", "line_items": []any{object{"name": "Tea", "quantity": "1", "base_price_money": euros(700)}},
	}})
	h.post(t, link, typedCard("4242424242424242"))
	byOrder, err := h.sim.OpenDispute("pay_3", "fraudulent", 0, false)
	require.NoError(t, err, "known by its order")
	require.Equal(t, "700", h.call(t, http.MethodGet, "/v2/disputes/"+byOrder, nil).text("dispute.amount_money.amount"))

	for states, want := range map[string]string{"WON": id, "EVIDENCE_REQUIRED": byOrder, "EVIDENCE_REQUIRED,WON": byOrder, "": byOrder, "LOST": "<nil>"} {
		a := h.call(t, http.MethodGet, "/v2/disputes?states="+states, nil)
		require.Equal(t, want, a.text("disputes.0.id"), states)
	}
	require.Equal(t, "INVALID_ENUM_VALUE", h.call(t, http.MethodGet, "/v2/disputes?states=OPEN", nil).code())
}

func TestSomePaymentsAreDisputedByThemselves(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for amount, reason := range map[int]string{
		8801: "AMOUNT_DIFFERS", 8802: "CANCELLED", 8803: "DUPLICATE", 8804: "NO_KNOWLEDGE", 8805: "NOT_AS_DESCRIBED",
		8806: "NOT_RECEIVED", 8807: "PAID_BY_OTHER_MEANS", 8808: "CUSTOMER_REQUESTS_CREDIT", 8809: "EMV_LIABILITY_SHIFT",
	} {
		h.pay(t, reason, object{"amount_money": euros(amount), "reference_id": nil})
		require.Equal(t, reason, h.call(t, http.MethodGet, "/v2/disputes", nil).text("disputes.0.reason"))
	}
	held := h.pay(t, "card", object{"source_id": h.token(t, square.NamedCards["disputed"], nil), "autocomplete": false}).text("payment.id")
	count := func() int {
		disputes, ok := h.sim.Objects("dispute")
		require.True(t, ok)
		return len(disputes)
	}
	require.Equal(t, 9, count(), "nothing was taken yet")
	h.call(t, http.MethodPost, "/v2/payments/"+held+"/complete", object{})
	require.Equal(t, 10, count())
	h.pay(t, "inquiry", object{"source_id": h.token(t, "4000000000001976", nil)})
	inquiry := h.call(t, http.MethodGet, "/v2/disputes?states=INQUIRY_EVIDENCE_REQUIRED", nil).text("disputes.0.id")
	require.NoError(t, h.sim.CloseDispute(inquiry, "lost"))
	require.Equal(t, "INQUIRY_CLOSED", h.call(t, http.MethodGet, "/v2/disputes/"+inquiry, nil).text("dispute.state"))
}

func TestEventsAreSearched(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	search := func(body object) answer {
		a := h.call(t, http.MethodPost, "/v2/events", body)
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		return a
	}
	h.pay(t, "early", nil)
	require.JSONEq(t, `{}`, search(object{}).Text, "nobody has asked for them to be kept")
	h.now.Add(1)
	require.Equal(t, http.StatusOK, h.call(t, http.MethodPut, "/v2/events/enable", nil).Status)
	require.JSONEq(t, `{}`, search(object{}).Text, "what was before is not there")
	start := h.clock.Now()
	var ids []string // newest first
	for n := range 3 {
		h.now.Add(10)
		ids = append([]string{h.pay(t, fmt.Sprint(n), nil).text("payment.id")}, ids...)
	}
	at := func(seconds int) string { return start.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339) }
	created := object{"event_types": []any{"payment.created"}}
	whole := search(object{"query": object{"filter": created}})
	require.Len(t, whole.at("events"), 3)
	require.Equal(t, ids[0], whole.text("events.0.data.id"))
	require.Equal(t, "payment.created", whole.text("events.0.type"))
	oldest := search(object{"query": object{"filter": created, "sort": object{"field": "DEFAULT", "order": "ASC"}}, "limit": 2})
	require.Equal(t, ids[2], oldest.text("events.0.data.id"))
	rest := search(object{"query": object{"filter": created, "sort": object{"field": "DEFAULT", "order": "ASC"}}, "limit": 2, "cursor": oldest.text("cursor")})
	require.Len(t, rest.at("events"), 1)
	require.Equal(t, ids[0], rest.text("events.0.data.id"))
	within := search(object{"query": object{"filter": object{"event_types": []any{"payment.created"}, "created_at": object{"start_at": at(20), "end_at": at(30)}}}})
	require.Len(t, within.at("events"), 1)
	require.Equal(t, ids[1], within.text("events.0.data.id"))
	for code, body := range map[string]object{
		"INVALID_CURSOR": {"cursor": oldest.text("cursor")}, "INVALID_VALUE": {"limit": 101}, "INVALID_TIME": {"query": object{"filter": object{"created_at": object{"start_at": "now"}}}},
		"UNKNOWN_BODY_PARAMETER": {"types": []any{}}, "EXPECTED_ARRAY": {"query": object{"filter": object{"event_types": "payment.created"}}},
		"INVALID_ENUM_VALUE": {"query": object{"sort": object{"order": "UP"}}},
	} {
		require.Equal(t, code, h.call(t, http.MethodPost, "/v2/events", body).code())
	}
	h.advance(28*24*time.Hour - 5*time.Second)
	require.Len(t, search(object{"query": object{"filter": created}}).at("events"), 1, "28 days are kept")
}

func TestLocations(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.Equal(t, locationID, h.call(t, http.MethodGet, "/v2/locations", nil).text("locations.0.id"))
	for _, id := range []string{locationID, "main"} {
		a := h.call(t, http.MethodGet, "/v2/locations/"+id, nil)
		require.Equal(t, "ACTIVE", a.text("location.status"), a.Text)
	}
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodGet, "/v2/locations/L2", nil).code())
}

func TestFaults(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	fault := func(f engine.Fault) { require.NoError(t, h.faults.Add(f)) }
	fault(engine.Fault{Account: "square", Match: "POST /v2/payments", Fault: engine.FaultError500})
	a := h.call(t, http.MethodPost, "/v2/payments", newPayment("1", nil))
	require.Equal(t, http.StatusInternalServerError, a.Status)
	require.Equal(t, "INTERNAL_SERVER_ERROR", a.code())
	require.Equal(t, "API_ERROR", a.text("errors.0.category"))
	fault(engine.Fault{Match: "/v2/payments", Fault: engine.FaultError429})
	a = h.call(t, http.MethodPost, "/v2/payments", newPayment("1", nil))
	require.Equal(t, http.StatusTooManyRequests, a.Status)
	require.Equal(t, "RATE_LIMITED", a.code())
	require.Equal(t, "RATE_LIMIT_ERROR", a.text("errors.0.category"))
	require.Equal(t, "1", a.Header.Get("Retry-After"))
	fault(engine.Fault{Match: "/v1/tokens", Fault: engine.FaultError500})
	require.Equal(t, http.StatusInternalServerError, h.tokenize(t, "4111111111111111", nil).Status)
	fault(engine.Fault{Match: "/v2/payments", Fault: engine.FaultGarbage})
	require.Nil(t, h.call(t, http.MethodPost, "/v2/payments", newPayment("1", nil)).Body)
	objects, _ := h.sim.Objects("")
	require.Empty(t, objects, "nothing came of all that")

	// What was done before its answer was lost is done once.
	fault(engine.Fault{Match: "POST /v2/payments", Fault: engine.FaultTimeoutAfterCommit})
	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	body, err := json.Marshal(newPayment("1", nil))
	require.NoError(t, err)
	_, err = h.try(soon, http.MethodPost, "/square/v2/payments", string(body), ours())
	require.Error(t, err)
	done := h.pay(t, "1", nil)
	payments, _ := h.sim.Objects("payment")
	require.Len(t, payments, 1)
	last := h.requests.List()[len(h.requests.List())-1]
	require.Equal(t, engine.Request{Number: last.Number, Account: "square", Method: "POST", Path: "/square/v2/payments", Status: 200, IdempotencyKey: "1", Replayed: true, At: last.At}, last)
	require.Equal(t, "COMPLETED", done.text("payment.status"))

	require.NoError(t, h.faults.Add(engine.Fault{Match: "payment.created", Fault: engine.FaultWebhookDrop}))
	h.deliveries(t, "")
	h.pay(t, "2", nil)
	require.Len(t, h.deliveries(t, "payment.created"), 1)
	require.Len(t, h.deliveries(t, "payment.updated"), 2)
}

// TestOneKeySentManyTimes sends one request under one key at the same time: one payment is
// made, and nobody hears of another.
func TestOneKeySentManyTimes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body, err := json.Marshal(newPayment("k", nil))
	require.NoError(t, err)
	const racersMax = 24
	answers := make([]answer, racersMax)
	errs := make([]error, racersMax)
	var racers sync.WaitGroup
	for n := range racersMax {
		racers.Go(func() {
			answers[n], errs[n] = h.try(t.Context(), http.MethodPost, "/square/v2/payments", string(body), ours())
		})
	}
	racers.Wait()
	first := h.pay(t, "k", nil)
	for n, a := range answers {
		require.NoError(t, errs[n])
		if a.Status == http.StatusConflict {
			require.Equal(t, "CONFLICT", a.code())
			continue
		}
		require.Equal(t, first.Text, a.Text)
	}
	payments, _ := h.sim.Objects("payment")
	require.Len(t, payments, 1)
}

// A second request under a key meets the first one, which latency keeps running.
func TestAKeyInUse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.NoError(t, h.faults.Add(engine.Fault{Match: "payments", Fault: engine.FaultLatency, Count: 2, LatencyMS: 60_000}))
	ctx, leave := context.WithCancel(t.Context())
	body := written(t, newPayment("k", nil))
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			a, _ := h.try(ctx, http.MethodPost, "/square/v2/payments", body, ours())
			answers <- a
		}()
	}
	busy := <-answers
	require.Equal(t, http.StatusConflict, busy.Status, busy.Text)
	require.Equal(t, "CONFLICT", busy.code())
	leave()
	require.Zero(t, (<-answers).Status, "the other one was not waited for")
	require.Eventually(t, func() bool {
		a, err := h.try(t.Context(), http.MethodPost, "/square/v2/payments", body, ours())
		return err == nil && a.Status == http.StatusOK
	}, waitMax, time.Millisecond)
	require.Len(t, h.objects(t, "payment"), 1)
}

// TestManyAtOnce has captures, cancellations, refunds and the clock meet on one payment.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.pay(t, "1", object{"autocomplete": false}).text("payment.id")
	var racers sync.WaitGroup
	for n := range 24 {
		racers.Go(func() {
			switch n % 4 {
			case 0:
				_, _ = h.try(t.Context(), http.MethodPost, "/square/v2/payments/"+id+"/complete", "{}", ours())
			case 1:
				_, _ = h.try(t.Context(), http.MethodGet, "/square/v2/payments/"+id, "", ours())
			case 2:
				body := fmt.Sprintf(`{"idempotency_key":"r%d","payment_id":"%s","amount_money":{"amount":1000,"currency":"EUR"}}`, n, id)
				_, _ = h.try(t.Context(), http.MethodPost, "/square/v2/refunds", body, ours())
			default:
				h.advance(time.Minute)
			}
		})
	}
	racers.Wait()
	h.advance(time.Minute)
	p := h.show(t, id)
	require.Equal(t, "COMPLETED", p.text("payment.status"))
	refunds, _ := h.sim.Objects("refund")
	require.LessOrEqual(t, len(refunds), 2, "no more goes back than was taken")
	completions := 0
	for _, one := range h.deliveries(t, "order.updated") {
		if one.text("data.object.order_updated.state") == "COMPLETED" {
			completions++
		}
	}
	require.Equal(t, 1, completions)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.Equal(t, []string{"payment", "refund", "order", "payment_link", "dispute", "evidence", "customer", "card", "plan", "plan_variation", "subscription", "invoice", "event"}, h.sim.Kinds())
	h.pay(t, "1", object{"amount_money": euros(8803)})
	h.link(t, nil)
	for kind, want := range map[string]int{"payment": 1, "refund": 0, "order": 2, "payment_link": 1, "dispute": 1, "event": 6, "": 5} {
		objects, ok := h.sim.Objects(kind)
		require.True(t, ok, kind)
		require.Len(t, objects, want, kind)
	}
	_, ok := h.sim.Objects("wallet")
	require.False(t, ok)
	h.sim.Reset()
	for _, kind := range h.sim.Kinds() {
		objects, _ := h.sim.Objects(kind)
		require.Empty(t, objects, kind)
	}
	h.pay(t, "1", object{"amount_money": euros(1)})
}
