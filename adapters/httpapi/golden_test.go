package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with the file of that name in testdata.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, text, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), string(text))
}

// transcript writes down calls and their answers.
type transcript struct {
	t    *testing.T
	h    *house
	text bytes.Buffer
}

func (w *transcript) chapter(title string) { fmt.Fprintf(&w.text, "## %s\n\n", title) }

func (w *transcript) call(r request) *httptest.ResponseRecorder {
	w.t.Helper()
	answer := w.h.do(w.t.Context(), r)
	fmt.Fprintf(&w.text, "%s %s\n", r.method, r.path)
	if r.key != "" {
		fmt.Fprintf(&w.text, "Idempotency-Key: %s\n", r.key)
	}
	if r.body != "" {
		fmt.Fprintf(&w.text, "\n%s\n", r.body)
	}
	fmt.Fprintf(&w.text, "\n%d\n", answer.Code)
	for _, name := range []string{"Content-Type", "Idempotent-Replayed", "Retry-After", "Allow"} {
		if value := answer.Header().Get(name); value != "" {
			fmt.Fprintf(&w.text, "%s: %s\n", name, value)
		}
	}
	if body := strings.TrimSpace(answer.Body.String()); body != "" {
		var pretty bytes.Buffer
		require.NoError(w.t, json.Indent(&pretty, []byte(body), "", "  "))
		fmt.Fprintf(&w.text, "\n%s\n", &pretty)
	}
	w.text.WriteString("\n\n")
	return answer
}

func (w *transcript) get(path string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.call(request{method: http.MethodGet, path: path})
}

func (w *transcript) post(path, key, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.call(request{method: http.MethodPost, path: path, key: key, body: body})
}

const fullOrder = `{"reference":"order-7","currency":"JPY","line_items":[{"name":"Tea","amount":500,"quantity":2},{"name":"Post","amount":90,"quantity":1}],
"mode":"payment","capture":"manual","flow":"page","providers":["stripe"],"customer":{"email":"ada@example.test","name":"Ada"},
"success_url":"https://shop.example/thanks?o=7","cancel_url":"https://shop.example/cart","metadata":{"cart":"c-7"},"expires_in":3600}`

// TestCalls walks through every call. The transcript is what storefronts see: a change in
// it is a change of the published API.
func TestCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := &transcript{t: t, h: h}

	w.chapter("Checkouts")
	w.post("/v1/checkouts", "k-1", order)
	w.post("/v1/checkouts", "k-1", order)
	w.post("/v1/checkouts", "k-1", strings.Replace(order, "1250", "1251", 1))
	checkout := read[idOnly](t, w.post("/v1/checkouts", "k-2", fullOrder), http.StatusCreated).ID
	w.get("/v1/checkouts/" + checkout)
	payment := h.Start(core.CheckoutID(checkout))
	w.get("/v1/checkouts/" + checkout)

	w.chapter("A payment and its capture")
	path := "/v1/payments/" + string(payment.ID)
	w.get(path)
	w.post(path+"/capture", "k-3", "")
	h.Pay(payment.ID, portstest.CardSucceeds)
	h.Look(payment)
	w.get(path)
	w.post(path+"/capture", "k-4", `{"amount":1091}`)
	w.post(path+"/capture", "k-5", `{"amount":1000}`)
	w.post(path+"/capture", "k-5", `{"amount":1000}`)
	w.post(path+"/capture", "k-6", `{"amount":90}`)
	w.post(path+"/cancel", "", "")
	w.get("/v1/checkouts/" + checkout)
	w.post("/v1/checkouts/"+checkout+"/expire", "", "")

	w.chapter("A decline, a cancellation and an expiry")
	declined := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(declined.ID, portstest.CardDeclined)
	h.Look(declined)
	w.get("/v1/payments/" + string(declined.ID))
	held := h.Authorized()
	w.post("/v1/payments/"+string(held.ID)+"/cancel", "k-7", "{}")
	open := h.Start(h.Open(core.CaptureAutomatic).ID)
	w.post("/v1/checkouts/"+string(open.Checkout)+"/expire", "k-8", "")
	w.get("/v1/payments/" + string(open.ID))

	w.chapter("Lists")
	next := read[listOnly](t, w.get("/v1/payments?limit=2"), http.StatusOK).Next
	w.get("/v1/payments?limit=2&cursor=" + next)
	w.get("/v1/payments?reference=order-7&status=succeeded,failed&created_after=2026-03-04T05:06:07Z")
	w.get("/v1/payments?status=needs_review")
	next = read[listOnly](t, w.get("/v1/events?limit=3"), http.StatusOK).Next
	w.get("/v1/events?limit=2&cursor=" + next)
	w.get("/v1/events?types=checkout.expired,payment.failed&after=3")

	endpointChapter(h, w)

	golden(t, "calls.golden", w.text.Bytes())
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
	for _, private := range []string{"ada@example.test", "order-7", "whsec_", "c-7", string(payment.ID)} {
		require.Empty(t, h.log.lines(private))
	}
}

// endpointChapter has an endpoint made, given another secret, disabled, enabled and removed.
func endpointChapter(h *house, w *transcript) {
	w.chapter("Webhook endpoints")
	endpoint := read[idOnly](w.t, w.post("/v1/webhook_endpoints", "k-10", `{"url":"https://shop.example/hooks","types":["payment.succeeded"]}`), http.StatusCreated).ID
	w.post("/v1/webhook_endpoints", "k-11", `{"url":"ftp://shop.example","types":["payment.lost"]}`)
	h.Notifier.Refuse("https://inside.example/hooks")
	w.post("/v1/webhook_endpoints", "k-12", `{"url":"https://inside.example/hooks"}`)
	w.get("/v1/webhook_endpoints")
	rotate := "/v1/webhook_endpoints/" + endpoint + "/rotate_secret"
	w.post(rotate, "k-13", "")
	w.post(rotate, "k-13", "")
	for n := range core.OldSecretsMax {
		w.post(rotate, fmt.Sprint("k-14-", n), "")
	}
	paid := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(paid.ID, portstest.CardSucceeds)
	h.Look(paid)
	h.Notifier.AnswerNext(http.StatusGone, errors.New("endpoint answered 410"))
	h.RunDue()
	w.get("/v1/webhook_endpoints")
	w.post("/v1/webhook_endpoints/"+endpoint+"/enable", "", "")
	w.post("/v1/webhook_endpoints/"+endpoint+"/enable", "", "")
	w.call(request{method: http.MethodDelete, path: "/v1/webhook_endpoints/" + endpoint})
	w.call(request{method: http.MethodDelete, path: "/v1/webhook_endpoints/" + endpoint})
	w.get("/v1/webhook_endpoints")
	w.post(rotate, "k-15", "")
	w.post("/v1/webhook_endpoints/"+string(paid.ID)+"/rotate_secret", "k-16", "")
	w.post("/v1/webhook_endpoints/"+endpoint+"/enable", "", "")
}

type idOnly struct{ ID string }

type listOnly struct {
	Next string `json:"next_cursor"`
	Data []struct{ ID, Status string }
}
