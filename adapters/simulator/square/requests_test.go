package square_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// racersMax is how many callers act at the same time.
const racersMax = 24

func written(t *testing.T, body object) string {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return string(text)
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for path, detail := range map[string]string{
		"/payments/none": "payment", "/refunds/none": "refund", "/orders/none": "order", "/disputes/none": "dispute",
		"/online-checkout/payment-links/none": "payment link", "/locations/none": "location", "/customers": "", "/": "",
	} {
		a := h.call(t, http.MethodGet, "/v2"+path, nil)
		require.Equal(t, http.StatusNotFound, a.Status, path)
		require.Equal(t, "NOT_FOUND", a.code(), path)
		require.Equal(t, "INVALID_REQUEST_ERROR", a.text("errors.0.category"), path)
		require.Contains(t, a.text("errors.0.detail"), detail, path)
	}
	require.Equal(t, http.StatusNotFound, h.call(t, http.MethodDelete, "/v2/payments/none", nil).Status, "no such method")
	nobody, err := h.try(t.Context(), http.MethodGet, "/square/v2/customers", "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, nobody.Status, "who may not call hears nothing of what there is")
	for _, name := range []string{"main", locationID} {
		require.Equal(t, locationID, h.call(t, http.MethodGet, "/v2/locations/"+name, nil).text("location.id"))
	}
	require.Equal(t, locationID, h.call(t, http.MethodGet, "/v2/locations", nil).text("locations.0.id"))
}

// A fault is the world's, whatever is called.
func TestFaultsOfCallsThatThereAreNot(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.NoError(t, h.faults.Add(engine.Fault{Fault: engine.FaultError500}))
	require.Equal(t, http.StatusInternalServerError, h.call(t, http.MethodGet, "/v2/customers", nil).Status)
	require.Equal(t, http.StatusNotFound, h.call(t, http.MethodGet, "/v2/customers", nil).Status)
}

func TestWholeNumbersAreWrittenSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, amount := range []string{"2500.0", "25e2", "9223372036854775808", `"2500"`, "true"} {
		a := h.call(t, http.MethodPost, "/v2/payments", newPayment("k", object{"amount_money": euros(json.RawMessage(amount))}))
		require.Equal(t, "EXPECTED_INTEGER", a.code(), amount)
		require.Equal(t, "amount_money.amount", a.text("errors.0.field"), amount)
	}
	require.Equal(t, "UNKNOWN_BODY_PARAMETER", h.call(t, http.MethodPost, "/v2/payments", newPayment("k", object{"Note": "x"})).code(), "names have their case")
	many := object{}
	for _, letter := range "abcdefghijklmnopqrstuvwxyz" {
		many[string(letter)] = 1
	}
	errors, _ := h.call(t, http.MethodPost, "/v2/payments", many).at("errors").([]any)
	require.Len(t, errors, 20)
}

func TestLimitsAreWithin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pay(t, strings.Repeat("k", 45), object{
		"reference_id": strings.Repeat("r", 40), "note": strings.Repeat("ü", 500), "statement_description_identifier": strings.Repeat("s", 20),
		"amount_money": euros(9_999_999_999), "delay_duration": "P7D",
	})
	h.pay(t, "k", object{"amount_money": euros(1), "delay_duration": "PT1M", "note": json.RawMessage("null")})
}

// An answer that is given again shows what was, not what is.
func TestAReplayIsNotRewritten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.pay(t, "k", object{"autocomplete": false})
	id := first.text("payment.id")
	require.Equal(t, http.StatusOK, h.call(t, http.MethodPost, "/v2/payments/"+id+"/complete", nil).Status)
	require.Equal(t, first.Text, h.pay(t, "k", object{"autocomplete": false}).Text)
	require.Equal(t, "COMPLETED", h.show(t, id).text("payment.status"))
}

// TestOneEndOfMany has completions, cancellations and the clock meet on one payment: exactly
// one of them ends it.
func TestOneEndOfMany(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.pay(t, "k", object{"autocomplete": false}).text("payment.id")
	statuses := make([]int, racersMax)
	var racers sync.WaitGroup
	for n := range racersMax {
		racers.Go(func() {
			if n%3 == 2 {
				h.advance(time.Hour)
				return
			}
			a, err := h.try(t.Context(), http.MethodPost, "/square/v2/payments/"+id+"/"+[]string{"complete", "cancel"}[n%3], "", ours())
			if err == nil {
				statuses[n] = a.Status
			}
		})
	}
	racers.Wait()
	ended := 0
	for n, status := range statuses {
		if n%3 == 2 {
			continue
		}
		if status == http.StatusOK {
			ended++
		} else {
			require.Equal(t, http.StatusBadRequest, status)
		}
	}
	require.Equal(t, 1, ended)
	require.Len(t, h.deliveries(t, "payment.updated"), 1)
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	for fault, held := range map[string]int{engine.FaultTimeoutBefore: 0, engine.FaultTimeoutAfterCommit: 1} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			require.NoError(t, h.faults.Add(engine.Fault{Match: "payments", Fault: fault}))
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := h.try(ctx, http.MethodPost, "/square/v2/payments", written(t, newPayment("k", nil)), ours())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Len(t, h.objects(t, "payment"), held)
			h.pay(t, "k", nil)
			require.Len(t, h.objects(t, "payment"), 1, "the same key acts once")
		})
	}
	t.Run("reset", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		require.NoError(t, h.faults.Add(engine.Fault{Match: "payments", Fault: engine.FaultReset}))
		_, err := h.try(t.Context(), http.MethodPost, "/square/v2/payments", written(t, newPayment("k", nil)), ours())
		require.Error(t, err)
		require.Empty(t, h.objects(t, "payment"))
	})
}

// Lists show what time brought, without anybody moving the clock.
func TestListsAreOfNow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pay(t, "1", object{"autocomplete": false, "delay_duration": "PT1M"})
	h.pay(t, "2", object{"autocomplete": false, "delay_duration": "PT1M", "delay_action": "COMPLETE"})
	h.now.Add(60)
	a := h.call(t, http.MethodGet, "/v2/payments?sort_order=ASC", nil)
	require.Equal(t, "CANCELED", a.text("payments.0.status"))
	require.Equal(t, "COMPLETED", a.text("payments.1.status"))

	h.pay(t, "3", object{"autocomplete": false, "delay_duration": "PT1M", "delay_action": "COMPLETE"})
	h.now.Add(60)
	_, err := h.sim.OpenDispute("pay_3", "fraudulent", 0, false)
	require.NoError(t, err, "it took its money by then")
}

// What is wrong with a request is told in one order.
func TestTheFirstErrorIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.Equal(t, "INVALID_TIME", h.call(t, http.MethodGet, "/v2/payments?begin_time=", nil).code(), "nothing is no time")
	for range 20 {
		times := h.call(t, http.MethodGet, "/v2/payments?begin_time=x&end_time=x&updated_at_begin_time=x&updated_at_end_time=x", nil)
		require.Equal(t, "begin_time", times.text("errors.0.field"))
		sort := h.call(t, http.MethodGet, "/v2/payments?sort_field=x&sort_order=x", nil)
		require.Equal(t, "sort_field", sort.text("errors.0.field"))
		events := h.call(t, http.MethodPost, "/v2/events", object{"query": object{"filter": object{"created_at": object{"start_at": "x", "end_at": "x"}}}})
		require.Equal(t, "query.filter.created_at.start_at", events.text("errors.0.field"))
	}
}

// A card's number is in no answer, object, event or list of requests.
func TestCardNumbersAreNowhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	numbers := []string{"4111111111111111", "4000000000000002", "4310000000201019", "4811110000000008", "4111111111111112", "4929000000006"}
	var seen strings.Builder
	link := h.link(t, nil)
	for _, number := range numbers {
		made := h.tokenize(t, number, nil)
		seen.WriteString(made.Text)
		seen.WriteString(h.call(t, http.MethodPost, "/v2/payments", newPayment(number, object{"source_id": made.text("token"), "reference_id": nil})).Text)
		seen.WriteString(h.post(t, link, typedCard(number)).Text)
	}
	seen.WriteString(h.call(t, http.MethodPost, "/v2/payments", object{"source_id": numbers[0], "idempotency_key": "k", "amount_money": euros(1)}).Text)
	for _, kind := range h.sim.Kinds() {
		for _, one := range h.objects(t, kind) {
			seen.WriteString(one.Text)
		}
	}
	for _, one := range h.deliveries(t, "") {
		seen.WriteString(one.body)
	}
	for _, request := range h.requests.List() {
		request.IdempotencyKey = "" // the test's own
		seen.WriteString(written(t, object{"request": request}))
	}
	require.Contains(t, seen.String(), "COMPLETED")
	for _, number := range numbers {
		require.NotContains(t, seen.String(), number)
	}
}

func TestResetForgets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	token, link := h.token(t, "4111111111111111", nil), h.link(t, nil)
	asked := h.tokenize(t, "4310000000201019", nil).text("verification")
	require.Equal(t, http.StatusOK, h.call(t, http.MethodPut, "/v2/events/enable", nil).Status)
	id := h.pay(t, "k", nil).text("payment.id")
	h.sim.Reset()
	require.Equal(t, http.StatusNotFound, h.call(t, http.MethodGet, "/v2/payments/"+id, nil).Status)
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodPost, "/v2/payments", newPayment("t", object{"source_id": token})).code())
	require.Equal(t, http.StatusNotFound, h.call(t, http.MethodPost, "/v1/tokens/"+asked, object{"outcome": "complete"}).Status)
	require.Equal(t, http.StatusNotFound, h.visit(t, link, nil).Status)
	require.NotEqual(t, id, h.pay(t, "k", nil).text("payment.id"), "keys are free, and ids are new")
	require.JSONEq(t, `{}`, h.call(t, http.MethodPost, "/v2/events", object{}).Text, "events are kept no more")
}

func TestCancelByKeyIsOfOnePayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := h.pay(t, "1", object{"autocomplete": false}).text("payment.id"), h.pay(t, "2", object{"autocomplete": false}).text("payment.id")
	for _, key := range []string{"3", "1"} {
		require.Equal(t, http.StatusOK, h.call(t, http.MethodPost, "/v2/payments/cancel", object{"idempotency_key": key}).Status)
	}
	require.Equal(t, "CANCELED", h.show(t, first).text("payment.status"))
	require.Equal(t, "APPROVED", h.show(t, second).text("payment.status"))
}
