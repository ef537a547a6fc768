package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	h.keys = access.New(inner.Store, inner.Clock, inner.IDs, noPasswords{}, coretest.NoTraces{}, core.EnvTest)
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

// order is a checkout of one row.
const order = `{"reference":"order-1","currency":"EUR","line_items":[{"name":"Tea","amount":1250,"quantity":2}],"success_url":"https://shop.example/thanks"}`
