package stripe_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/paydesk/paydesk/adapters/stripe"
)

// script answers calls by what they are: "POST /v1/refunds" with "400 {…}", a body alone with
// 200. A call that it does not name is not found.
type script map[string]string

// sent is one call as it arrived.
type sent struct {
	call, key string
	form      url.Values // of the query or the body
	body      string
}

// said are the calls that arrived.
type said struct {
	mu    sync.Mutex
	calls []sent
}

// list gives each call with its key.
func (s *said) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]string, len(s.calls))
	for n, each := range s.calls {
		all[n] = strings.TrimSpace(each.call + " " + each.key)
	}
	return all
}

// last is the form of the last call, one value a name.
func (s *said) last() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	form := make(map[string]string)
	for name, values := range s.calls[len(s.calls)-1].form {
		if !strings.HasPrefix(name, "expand[") {
			form[name] = strings.Join(values, ",")
		}
	}
	return form
}

// playing is an adapter whose Stripe follows a script.
func playing(t testing.TB, answers script) (*stripe.Adapter, *said) {
	t.Helper()
	heard := &said{}
	return serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if r.Method == http.MethodGet || len(body) == 0 {
			form = r.URL.Query()
		}
		call := r.Method + " " + r.URL.Path
		heard.mu.Lock()
		heard.calls = append(heard.calls, sent{call: call, key: r.Header.Get("Idempotency-Key"), form: form, body: string(body)})
		heard.mu.Unlock()
		w.Header().Set("Request-Id", "req_1")
		answer, ok := answers[call]
		if !ok {
			answer = `404 {"error":{"type":"invalid_request_error","code":"resource_missing"}}`
		}
		for prefix, status := range map[string]int{"400 ": 400, "402 ": 402, "404 ": 404, "429 ": 429, "500 ": 500} {
			if rest, is := strings.CutPrefix(answer, prefix); is {
				w.WriteHeader(status)
				answer = rest
			}
		}
		_, _ = io.WriteString(w, answer)
	}), heard
}

// refusal is a plain no of Stripe's.
const refusal = `400 {"error":{"type":"invalid_request_error","message":"No."}}`

// listOf is a page of objects.
func listOf(objects ...string) string {
	return `{"object":"list","url":"/v1/things","has_more":false,"data":[` + strings.Join(objects, ",") + `]}`
}
