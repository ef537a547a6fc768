package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/httpapi"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/ports"
)

// secret is the key that calls are made with.
const secret = "pd_test_a-good-key"

// house is the API over real services and a real store.
type house struct {
	*coretest.House
	api  http.Handler
	keys *access.Service
	log  *logBuffer
}

func newHouse(t *testing.T) *house { return houseOver(t, repotest.SQLite(t)) }

func houseOver(t testing.TB, store ports.Store) *house {
	t.Helper()
	inner := coretest.New(t, store)
	h := &house{House: inner, log: &logBuffer{}}
	h.keys = access.New(inner.Store, inner.Clock, inner.IDs, noPasswords{}, nil, coretest.NoTraces{}, core.EnvTest)
	require.NoError(t, h.keys.EnsureAPIKey(t.Context(), secret, "test"))
	h.api = h.over(t, "https://pay.example.test")
	return h
}

func (h *house) over(t testing.TB, url core.PublicURL) http.Handler {
	t.Helper()
	api, err := httpapi.NewHandler(httpapi.Options{
		Payments: h.Payments, Refunds: h.Refunds, Disputes: h.Disputes, Customers: h.Customers, Subscriptions: h.Subscriptions, Idempotency: idempotency.New(h.Store, h.Clock), Keys: h.keys, Endpoints: h.Notify,
		PublicURL: url, Version: "1.2.3", Clock: h.Clock,
		Logger: slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: timeless})),
	})
	require.NoError(t, err)
	return api
}

// logBuffer is a log that several may write.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are those that hold the text, which should be none where it is a secret.
func (l *logBuffer) lines(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// timeless drops what is different each time.
func timeless(_ []string, attribute slog.Attr) slog.Attr {
	if attribute.Key == slog.TimeKey || attribute.Key == "took" {
		return slog.Attr{}
	}
	return attribute
}

type noPasswords struct{}

// Hash implements ports.Passwords.
func (noPasswords) Hash(string) (string, error) { return "", errors.New("no passwords here") }

// Matches implements ports.Passwords.
func (noPasswords) Matches(string, string) (bool, error) {
	return false, errors.New("no passwords here")
}

// request is a call; its zero value but for method and path is a well-behaved one.
type request struct {
	method, path string
	body         string // JSON; empty for none
	key          string // Idempotency-Key; empty for none
	header       http.Header
}

func (h *house) do(ctx context.Context, r request) *httptest.ResponseRecorder {
	return h.ask(ctx, r, func(*http.Request) {})
}

// ask makes a call with a last change to it.
func (h *house) ask(ctx context.Context, r request, change func(*http.Request)) *httptest.ResponseRecorder {
	sent := httptest.NewRequestWithContext(ctx, r.method, "http://pay.example.test"+r.path, strings.NewReader(r.body))
	sent.Header.Set("Authorization", "Bearer "+secret)
	if r.body != "" {
		sent.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		sent.Header.Set("Idempotency-Key", r.key)
	}
	for name, values := range r.header {
		sent.Header.Del(name)
		for _, value := range values {
			sent.Header.Add(name, value)
		}
	}
	change(sent)
	answer := httptest.NewRecorder()
	h.api.ServeHTTP(answer, sent)
	return answer
}

func (h *house) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	return h.do(t.Context(), request{method: http.MethodGet, path: path})
}

func (h *house) post(t *testing.T, path, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	return h.do(t.Context(), request{method: http.MethodPost, path: path, key: key, body: body})
}

// problem is an error answer as programs read it.
type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	TraceID                   string `json:"trace_id"`
	Errors                    []struct{ Location, Message string }
	Failure                   *struct {
		Code         string
		ProviderCode *string `json:"provider_code"`
		Message      string
		Retryable    bool
	}
	Payment, Checkout string
	CheckoutURL       string `json:"checkout_url"`
}

// refused reads a problem and checks what all of them share.
func refused(t *testing.T, answer *httptest.ResponseRecorder, status int, code string) problem {
	t.Helper()
	require.Equal(t, status, answer.Code, answer.Body)
	require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
	var p problem
	decoder := json.NewDecoder(answer.Body)
	require.NoError(t, decoder.Decode(&p))
	require.Equal(t, code, p.Code, "%+v", p)
	require.Equal(t, status, p.Status)
	require.Equal(t, http.StatusText(status), p.Title)
	require.Equal(t, "about:blank", p.Type)
	require.NotEmpty(t, p.Detail)
	return p
}

// read reads a good answer.
func read[T any](t *testing.T, answer *httptest.ResponseRecorder, status int) (object T) {
	t.Helper()
	require.Equal(t, status, answer.Code, answer.Body)
	require.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &object))
	return object
}

// again makes a call a second time, under the same key, which must give the first answer again.
func (h *house) again(t *testing.T, path, key, body string, first *httptest.ResponseRecorder) {
	t.Helper()
	answer := h.post(t, path, key, body)
	require.Equal(t, "true", answer.Header().Get("Idempotent-Replayed"), path)
	require.Equal(t, first.Code, answer.Code, path)
	require.Equal(t, first.Body.String(), answer.Body.String(), path)
}

// made makes a call that creates something, twice, and gives its id.
func (h *house) made(t *testing.T, path, key, body string) string {
	t.Helper()
	first := h.post(t, path, key, body)
	h.again(t, path, key, body, first)
	return read[idOnly](t, first, http.StatusCreated).ID
}

// listed reads a list to its end, some items at a time, and gives the ids.
func (h *house) listed(t *testing.T, path string, limit int) (ids []string) {
	t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	cursor := ""
	for range listPagesMax {
		page := read[listOnly](t, h.get(t, fmt.Sprintf("%s%slimit=%d%s", path, join, limit, cursor)), http.StatusOK)
		require.LessOrEqual(t, len(page.Data), limit)
		for _, item := range page.Data {
			ids = append(ids, item.ID)
		}
		if page.Next == "" {
			return ids
		}
		require.Len(t, page.Data, limit)
		cursor = "&cursor=" + page.Next
	}
	t.Fatal("the list has no end")
	return nil
}

// listPagesMax is more pages than any test's list has.
const listPagesMax = 20

// badCall is a call that is refused.
type badCall struct {
	method, path, body string
	status             int
	code, at           string // at is where the first wrong field is; empty for none
}

// refuseAll makes calls that are all refused, each under a key of its own.
func (h *house) refuseAll(t *testing.T, calls []badCall) {
	t.Helper()
	for n, bad := range calls {
		answer := h.do(t.Context(), request{method: bad.method, path: bad.path, body: bad.body, key: fmt.Sprint("bad-", n)})
		require.Equal(t, bad.status, answer.Code, "%s %s %s: %s", bad.method, bad.path, bad.body, answer.Body)
		require.NotContains(t, answer.Body.String(), secretText, bad.path)
		p := refused(t, answer, bad.status, bad.code)
		require.Equal(t, bad.at == "", len(p.Errors) == 0, "%s %s: %+v", bad.path, bad.body, p)
		if bad.at != "" {
			require.Equal(t, bad.at, p.Errors[0].Location, "%s %s", bad.path, bad.body)
			require.NotEmpty(t, p.Errors[0].Message)
		}
	}
	require.Empty(t, h.log.lines(secretText))
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
}

// someID is a good id without its kind, of nothing.
const someID = "01h455vb4pex5vsknk084sn02q"

// order is a checkout of one row.
const order = `{"reference":"order-1","currency":"EUR","line_items":[{"name":"Tea","amount":1250,"quantity":2}],"success_url":"https://shop.example/thanks"}`
