package chaos_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

// notified is one notification that an endpoint took.
type notified struct {
	id, kind, object string
}

// endpoint is where a storefront is told. A moody one often fails, and sometimes hangs.
type endpoint struct {
	url   string
	types []string // that it wants; all for none

	mu      sync.Mutex
	verify  *webhooks.Webhook
	moods   *rand.Rand // nil for one that always works
	taken   []notified // in the order in which they were taken, repeats too
	refused int
	forged  int // whose signature was none
}

// newEndpoint listens.
func newEndpoint(t *testing.T, moods *rand.Rand, types ...string) *endpoint {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := &endpoint{url: "http://" + listener.Addr().String() + "/told", types: types, moods: moods}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: e}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
	return e
}

// wants reports whether the endpoint asked for a type of event.
func (e *endpoint) wants(kind string) bool {
	return len(e.types) == 0 || slices.Contains(e.types, kind)
}

// know takes the secret that signs.
func (e *endpoint) know(secret string) error {
	verify, err := webhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.verify = verify
	return nil
}

// calm has it always work from now on.
func (e *endpoint) calm() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.moods = nil
}

// mood is how it takes the next one.
func (e *endpoint) mood() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.moods == nil {
		return 99
	}
	return e.moods.IntN(100)
}

// ServeHTTP implements [http.Handler].
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, webhookBytesMax))
	if err != nil {
		return
	}
	switch mood := e.mood(); {
	case mood < 1:
		<-r.Context().Done()
		return
	case mood < 8:
		e.mu.Lock()
		e.refused++
		e.mu.Unlock()
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.verify == nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if e.verify.Verify(body, r.Header) != nil {
		e.forged++
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var message struct {
		Type string `json:"type"`
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &message) != nil {
		e.forged++
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.taken = append(e.taken, notified{id: r.Header.Get("webhook-id"), kind: message.Type, object: message.Data.ID})
	w.WriteHeader(http.StatusNoContent)
}

// told gives all that was taken so far, each once, in the order of the first time.
func (e *endpoint) told() (all []notified, repeats int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen := make(map[string]bool)
	for _, one := range e.taken {
		if seen[one.id] {
			repeats++
			continue
		}
		seen[one.id] = true
		all = append(all, one)
	}
	return all, repeats
}
