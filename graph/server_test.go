package graph_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph"
)

func TestNewHandlerNeedsItsParts(t *testing.T) {
	t.Parallel()
	_, err := graph.NewHandler(graph.Options{})
	require.Error(t, err)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	get := func(path string) answer {
		return h.do(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	}
	require.Equal(t, http.StatusNotFound, get("/elsewhere").Status)
	for _, path := range []string{"/", "/elsewhere", "/graphql"} {
		header := get(path).Header
		require.Equal(t, "no-store", header.Get("Cache-Control"), path)
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), path)
		require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'", path)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	send := func(method, query string) answer {
		r := httptest.NewRequestWithContext(t.Context(), method, "/graphql?"+query, http.NoBody)
		r.Header.Set("Authorization", "bearer "+tokenOf(core.RoleViewer))
		return h.do(t, r)
	}
	got := send(http.MethodGet, url.Values{
		"query":         {"query A { viewer { id } } query B($n: Int) { payments(first: $n) { totalCount } }"},
		"operationName": {"B"}, "variables": {`{"n":3}`},
	}.Encode())
	require.JSONEq(t, `{"data":{"payments":{"totalCount":0}}}`, got.Body)
	for _, query := range []string{"mutation { a }", "mutation { a { b } }", "subscription { a }", "query Q { viewer { id } } mutation M { a }&operationName=M"} {
		got := send(http.MethodGet, "query="+strings.ReplaceAll(query, " ", "+"))
		require.Equal(t, http.StatusMethodNotAllowed, got.Status, query)
		require.Equal(t, "POST", got.Header.Get("Allow"))
		require.Equal(t, "METHOD_NOT_ALLOWED", got.code(t))
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		got := send(method, "query={viewer{id}}")
		require.Equal(t, http.StatusMethodNotAllowed, got.Status)
		require.Equal(t, "GET, POST", got.Header.Get("Allow"))
	}
	require.Equal(t, http.StatusBadRequest, send(http.MethodGet, "query={viewer{id}}&variables=[]").Status)
	require.Equal(t, http.StatusBadRequest, send(http.MethodGet, "query={viewer{id}}&extensions={}{}").Status)
	require.Equal(t, http.StatusRequestEntityTooLarge, send(http.MethodGet, "query="+strings.Repeat("a", 300<<10)).Status)
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", send(http.MethodGet, "").code(t))
}

func TestBodies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	const fine = `{"query":"{ viewer { role } }"}`
	for name, c := range map[string]struct {
		media, body string
		status      int
		code        string
	}{
		"fine":                   {"application/json", fine, 200, ""},
		"fine in UTF-8":          {"application/json; charset=UTF-8", fine, 200, ""},
		"other charset":          {"application/json; charset=latin1", fine, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"form":                   {"application/x-www-form-urlencoded", "query={viewer{id}}", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"text":                   {"text/plain", fine, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"multipart":              {"multipart/form-data; boundary=x", fine, 400, "BAD_REQUEST"},
		"none":                   {"", fine, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"batch":                  {"application/json", " [" + fine + "," + fine + "]", 400, "BATCH_REFUSED"},
		"empty":                  {"application/json", "", 400, "BAD_REQUEST"},
		"null":                   {"application/json", "null", 400, "BAD_REQUEST"},
		"broken":                 {"application/json", `{"query":`, 400, "BAD_REQUEST"},
		"something after":        {"application/json", fine + "x", 400, "BAD_REQUEST"},
		"variables of text":      {"application/json", `{"query":"{ viewer { id } }","variables":"a"}`, 400, "BAD_REQUEST"},
		"too large":              {"application/json", `{"query":"{ viewer { id } }` + strings.Repeat(" ", 256<<10) + `"}`, 413, "REQUEST_TOO_LARGE"},
		"no query":               {"application/json", `{}`, 200, "GRAPHQL_VALIDATION_FAILED"},
		"no GraphQL":             {"application/json", `{"query":"{"}`, 200, "GRAPHQL_PARSE_FAILED"},
		"unknown field":          {"application/json", `{"query":"{ nothing }"}`, 200, "GRAPHQL_VALIDATION_FAILED"},
		"unknown operation":      {"application/json", `{"query":"{ viewer { id } }","operationName":"Q"}`, 200, "GRAPHQL_VALIDATION_FAILED"},
		"mutation":               {"application/json", `{"query":"mutation { a }"}`, 200, "GRAPHQL_VALIDATION_FAILED"},
		"card number":            {"application/json", `{"query":"query($r: String) { payments(filter: {reference: $r}) { totalCount } }","variables":{"r":"4242 4242 4242 4242"}}`, 400, "BAD_USER_INPUT"},
		"card number in a query": {"application/json", `{"query":"{ payments(filter: {reference: \"4242424242424242\"}) { totalCount } }"}`, 400, "BAD_USER_INPUT"},
		"card number in a list":  {"application/json", `{"query":"{ viewer { id } }","variables":{"r":[{"a":4242424242424242}]}}`, 400, "BAD_USER_INPUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, core.RoleViewer, c.body)
			r.Header.Set("Content-Type", c.media)
			got := h.do(t, r)
			require.Equal(t, c.status, got.Status, got.Body)
			require.Equal(t, c.code, got.code(t), got.Body)
			require.Equal(t, "application/json; charset=utf-8", got.Header.Get("Content-Type"))
			require.NotContains(t, regexp.MustCompile(`"traceId":"[^"]*"`).ReplaceAllString(got.Body, ""), "4242") // the id is drawn
		})
	}
	logged := regexp.MustCompile(`"(time|took|trace_id)":("[^"]*"|\d+)|(time|took|trace_id)=\S+`).ReplaceAllString(h.logs.String(), "")
	require.NotContains(t, logged, "4242")
}

func TestMediaTypeOfAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	for query, status := range map[string]int{"{ viewer { id } }": 200, "{ nothing }": 400, "{": 400} {
		body, err := json.Marshal(map[string]string{"query": query})
		require.NoError(t, err)
		r := request(t, core.RoleViewer, string(body))
		r.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
		got := h.do(t, r)
		require.Equal(t, status, got.Status, query)
		require.Equal(t, "application/graphql-response+json; charset=utf-8", got.Header.Get("Content-Type"))
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	deep := "{ payments { edges { node { " + strings.Repeat("checkout { payment { ", 5) + "id" + strings.Repeat(" } }", 5) + " } } } }"
	var aliases, tokens, fields, bomb, bombTail strings.Builder
	for i := range 31 {
		fmt.Fprintf(&aliases, "a%d: viewer { id } ", i)
	}
	for range 2000 {
		tokens.WriteString("id ")
	}
	for range 60 {
		fields.WriteString("...F ")
	}
	for i := range 100 {
		fmt.Fprintf(&bomb, "fragment F%d on Query { ...F%d ...F%d } ", i, i+1, i+1)
	}
	bombTail.WriteString("fragment F100 on Query { viewer { id } }")
	wide := "id email role createdAt disabledAt id email role createdAt disabledAt id email role createdAt disabledAt id email role"
	money := "{ minor currency formatted }"
	for name, c := range map[string]struct{ query, code string }{
		"depth":         {deep, "DEPTH_LIMIT_EXCEEDED"},
		"aliases":       {"{ " + aliases.String() + "}", "ALIAS_LIMIT_EXCEEDED"},
		"tokens":        {"{ viewer { " + tokens.String() + "} }", "GRAPHQL_PARSE_FAILED"},
		"fields":        {"{ " + fields.String() + "} fragment F on Query { viewer { " + wide + " } }", "FIELD_LIMIT_EXCEEDED"},
		"fragment bomb": {"{ ...F0 } " + bomb.String() + bombTail.String(), "FIELD_LIMIT_EXCEEDED"},
		"complexity of timelines": {
			"{ payments(first: 100) { edges { node { timeline(first: 1) { edges { node { id } } } } } } }", "COMPLEXITY_LIMIT_EXCEEDED",
		},
		"complexity of operations": {
			"{ payments(last: 100) { edges { node { operations { id amount " + money + " failure { code message retryable providerCode } attempts kind } } } } }", "COMPLEXITY_LIMIT_EXCEEDED",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := h.ask(t, core.RoleAdmin, c.query, nil)
			require.Equal(t, c.code, got.code(t), got.Body)
		})
	}
	// What a console asks for stays possible.
	for _, query := range []string{
		"{ payments(first: 100) { totalCount edges { cursor node { id reference status account provider providerPaymentId amount " + money + " amountCaptured " + money +
			" amountRefunded " + money + " disputed createdAt updatedAt paymentMethod { brand last4 } failure { code message } checkout { buyer { email name } } } } } }",
		"{ payments { edges { node { id timeline { edges { node { id kind at } } } } } } }",
	} {
		require.Empty(t, h.ask(t, core.RoleAdmin, query, nil).Errors)
	}
}

func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	send := func(query, hash string) answer {
		body, err := json.Marshal(map[string]any{"query": query, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}})
		require.NoError(t, err)
		return h.do(t, request(t, core.RoleViewer, string(body)))
	}
	hashOf := func(query string) string {
		sum := sha256.Sum256([]byte(query))
		return hex.EncodeToString(sum[:])
	}
	const query = "{ viewer { role } }"
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", send("", hashOf(query)).code(t))
	require.Equal(t, "BAD_REQUEST", send(query, hashOf("another")).code(t))
	require.Empty(t, send(query, hashOf(query)).Errors)
	require.JSONEq(t, `{"data":{"viewer":{"role":"VIEWER"}}}`, send("", hashOf(query)).Body)
	long := query + strings.Repeat(" ", 17<<10)
	require.Empty(t, send(long, hashOf(long)).Errors)
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", send("", hashOf(long)).code(t), "too long to remember")
	for i := range 100 {
		other := fmt.Sprintf("%s #%d", query, i)
		require.Empty(t, send(other, hashOf(other)).Errors)
	}
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", send("", hashOf(query)).code(t), "pushed out by others")
}

func TestInternalErrorsSayNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	h.store.fail = errors.New("password of the database is hunter2")
	r := request(t, core.RoleViewer, `{"query":"{ payments { totalCount } }"}`)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	got := h.do(t, r.WithContext(trace.ContextWithSpanContext(r.Context(), span)))
	require.Equal(t, http.StatusOK, got.Status)
	require.Equal(t, "INTERNAL", got.code(t))
	require.Equal(t, span.TraceID().String(), got.Errors[0].Extensions["traceId"])
	require.Equal(t, []any{"payments"}, got.Errors[0].Path)
	require.NotContains(t, got.Body, "hunter2")
	require.Contains(t, h.logs.String(), "hunter2", "the cause is in the log")
	require.Contains(t, h.logs.String(), span.TraceID().String())

	h.store.fail = nil
	h.store.panics = true
	got = h.ask(t, core.RoleViewer, `{ payments { totalCount } }`, nil)
	require.Equal(t, "INTERNAL", got.code(t))
	require.NotContains(t, got.Body, "out of order")
}

func TestEndOfTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	h.store.stuck = true
	// The store's first reads are done once Payments is counted, so the caller's own end
	// of time comes in the middle of the query.
	ctx, cancel := context.WithCancelCause(t.Context())
	h.store.reached = func() { cancel(context.DeadlineExceeded) }
	got := h.do(t, request(t, core.RoleViewer, `{"query":"{ payments { totalCount } }"}`).WithContext(ctx))
	require.Equal(t, "TIMEOUT", got.code(t))
	require.NotContains(t, h.logs.String(), "admin query failed", "an end of time is no fault")
}
