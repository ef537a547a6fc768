package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/idempotency"
)

const (
	// idempotencyKeyMax is the longest Idempotency-Key, in characters.
	idempotencyKeyMax = 255

	headerKey      = "Idempotency-Key"
	headerReplayed = "Idempotent-Replayed"
)

// unkeyed are the POSTs that may come without an Idempotency-Key: they take no money by
// themselves, and have the same effect twice as once.
var unkeyed = []string{"/expire", "/cancel", "/pause", "/resume", "/enable", "/change/preview", "/evidence/files"}

// once makes a POST once for its caller and Idempotency-Key.
func (s *server) once(w http.ResponseWriter, r *http.Request, calls http.Handler, key core.APIKeyID, body []byte) {
	headers := r.Header.Values(headerKey)
	if len(headers) == 0 && mayComeWithoutKey(r.URL.Path) {
		calls.ServeHTTP(w, r)
		return
	}
	if len(headers) != 1 || !goodKey(headers[0]) {
		keyRequired.write(w)
		return
	}
	call := idempotency.Call{Caller: key, Key: headers[0], RequestHash: hashRequest(r, body)}
	ctx := context.WithValue(r.Context(), callerKey{}, caller{key: key, request: call.RequestKey()})
	var first *recorded
	given, replayed, err := s.replays.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
		first = &recorded{header: make(http.Header), status: http.StatusOK}
		calls.ServeHTTP(first, r.WithContext(ctx))
		return idempotency.Answer{Status: first.status, Body: first.body.Bytes(), Forget: settlesNothing(first.status, first.body.Bytes())}
	})
	if err != nil && first == nil {
		s.problemOf(ctx, err).write(w)
		return
	}
	if err != nil { // the work is done, and its objects are found again by their own keys
		s.logger.ErrorContext(ctx, "answer is not remembered", slog.String("error", err.Error()))
	}
	w.Header().Set("Content-Type", contentType(given.Status))
	if replayed {
		w.Header().Set(headerReplayed, "true")
	} else if after := first.header.Get("Retry-After"); after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(given.Status)
	_, _ = w.Write(given.Body)
}

func mayComeWithoutKey(path string) bool {
	for _, suffix := range unkeyed {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}

// goodKey reports whether a key has 1 to 255 visible characters.
func goodKey(key string) bool {
	invisible := func(c rune) bool { return c <= ' ' || c > '~' }
	return key != "" && len(key) <= idempotencyKeyMax && !strings.ContainsFunc(key, invisible)
}

func contentType(status int) string {
	if status >= http.StatusBadRequest {
		return problemType
	}
	return "application/json"
}

// settlesNothing reports whether an answer leaves the key free: the request was never
// taken up, or it can come out otherwise next time.
func settlesNothing(status int, body []byte) bool {
	var p struct {
		Code string `json:"code"`
	}
	switch {
	case status < http.StatusBadRequest:
		return false
	case status >= http.StatusInternalServerError, status == http.StatusBadRequest, status == http.StatusNotFound:
		return true
	}
	if json.Unmarshal(body, &p) != nil {
		return true
	}
	return p.Code == codeInvalid || p.Code == codeInProgress || p.Code == codeOpen
}

// hashRequest is the fingerprint of all that makes a request what it is.
func hashRequest(r *http.Request, body []byte) string {
	sum := sha256.New()
	_, _ = io.WriteString(sum, r.Method+" "+r.URL.RequestURI()+"\n")
	_, _ = sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}

// recorded keeps an answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter].
func (r *recorded) WriteHeader(status int) { r.status = status }

// Write implements [http.ResponseWriter].
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }
