package portstest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Wire is a network between an adapter and its provider that can be made to fail, whichever
// provider is at its other end: a simulator, or a sandbox that knows nothing of it. It tells
// what went over it. Safe for concurrent use.
type Wire struct {
	// Base carries the requests.
	Base http.RoundTripper
	// Key gives the idempotency key of a request; empty where it has none.
	Key func(request *http.Request, body []byte) string
	// Outage is what the provider answers when it is down, 500, or was asked too much, 429.
	Outage func(status int) string
	// Mutates reports whether a request is meant to have an effect.
	Mutates func(*http.Request) bool

	mu       sync.Mutex
	next     Fault // of the next request; empty for none
	nextEdit Fault // of the next request that is meant to have an effect
	keys     []string
	effects  map[string]bool
}

// Fault makes the next request go wrong.
func (w *Wire) Fault(_ testing.TB, fault Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = fault
}

// FaultMutation implements [MutationFaulter].
func (w *Wire) FaultMutation(_ testing.TB, fault Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nextEdit = fault
}

// TalksNonsense implements [Nonsense].
func (w *Wire) TalksNonsense() {}

// Keys gives the idempotency keys that went over the wire, in order.
func (w *Wire) Keys(testing.TB) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.keys...)
}

// Effects counts the requests that were answered as done. Those of one address and key are
// one.
func (w *Wire) Effects(testing.TB) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.effects)
}

// RoundTrip implements [http.RoundTripper].
func (w *Wire) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		_ = request.Body.Close()
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	fault, mutates := w.begin(request, body)
	switch fault {
	case FaultTimeoutBefore:
		return nil, hang(request)
	case FaultReset:
		return nil, errors.New("wire: connection reset")
	case FaultError500:
		return answered(request, http.StatusInternalServerError, "application/json", w.Outage(http.StatusInternalServerError)), nil
	case FaultBadGateway:
		return answered(request, http.StatusBadGateway, "text/html", "<html>Bad gateway</html>"), nil
	case FaultError429:
		limited := answered(request, http.StatusTooManyRequests, "application/json", w.Outage(http.StatusTooManyRequests))
		limited.Header.Set("Retry-After", "1")
		return limited, nil
	default:
	}
	response, err := w.Base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if mutates && response.StatusCode < http.StatusMultipleChoices {
		w.took(request, body)
	}
	if fault == "" {
		return response, nil
	}
	return wreck(fault, request, response)
}

// begin notes a request and takes the fault that it has.
func (w *Wire) begin(request *http.Request, body []byte) (fault Fault, mutates bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mutates = w.Mutates(request)
	if key := w.Key(request, body); key != "" {
		w.keys = append(w.keys, key)
	}
	fault, w.next = w.next, ""
	if fault == "" && mutates {
		fault, w.nextEdit = w.nextEdit, ""
	}
	return fault, mutates
}

func (w *Wire) took(request *http.Request, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.effects == nil {
		w.effects = make(map[string]bool)
	}
	w.effects[request.Method+" "+request.URL.Path+" "+w.Key(request, body)] = true
}

func answered(request *http.Request, status int, kind, text string) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: request,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}

// What nonsense changes in an answer.
var (
	anyStatus = regexp.MustCompile(`"status"\s*:\s*"[^"]*"`)
	anyAmount = regexp.MustCompile(`"(amount|amount_received|amount_money|value)"\s*:`)
	anyID     = regexp.MustCompile(`"id"\s*:\s*"([^"]*)"`)
)

// wreck breaks an answer that came.
func wreck(fault Fault, request *http.Request, response *http.Response) (*http.Response, error) {
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	half := bytes.NewReader(text[:len(text)/2])
	switch fault {
	case FaultTimeoutAfterCommit:
		return nil, hang(request)
	case FaultHTML:
		return answered(request, http.StatusOK, "text/html", "<!doctype html><title>Please sign in</title>"), nil
	case FaultTruncated:
		response.Body = io.NopCloser(io.MultiReader(half, failingReader{io.ErrUnexpectedEOF}))
	case FaultSlowBody:
		response.Body = io.NopCloser(io.MultiReader(half, endlessReader{request}))
	case FaultOddStatus:
		text = anyStatus.ReplaceAll(text, []byte(`"status":"brand_new"`))
		response.Body = io.NopCloser(bytes.NewReader(text))
	case FaultNoAmount:
		text = anyAmount.ReplaceAll(text, []byte(`"gone_$1":`))
		response.Body = io.NopCloser(bytes.NewReader(text))
	case FaultOtherObject:
		text = anyID.ReplaceAll(text, []byte(`"id":"${1}other"`))
		response.Body = io.NopCloser(bytes.NewReader(text))
	default:
		return nil, errors.New("wire: there is no fault " + string(fault))
	}
	response.ContentLength = -1
	response.Header.Del("Content-Length")
	return response, nil
}

type failingReader struct{ err error }

// Read fails.
func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// endlessReader gives nothing for as long as anybody waits.
type endlessReader struct{ request *http.Request }

// Read waits.
func (r endlessReader) Read([]byte) (int, error) { return 0, hang(r.request) }
