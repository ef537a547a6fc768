package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// webhookBytesMax is more than any webhook has.
const webhookBytesMax = 2 << 20

// ingress stands before the public listener, as a load balancer does, and remembers which webhooks
// were answered, and how. It outlives the server.
type ingress struct {
	url string

	mu       sync.Mutex
	accepted map[string]int // by account and provider's event id: how often it was answered 200
	answers  map[int]int    // webhooks by their answer's status; 0 for none
}

type deliveryKey struct{}

// newIngress listens, and passes everything on to an address.
func newIngress(t *testing.T, to string) *ingress {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	in := &ingress{accepted: make(map[string]int), answers: make(map[int]int)}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(response *http.Response) error {
			in.note(response.Request.Context(), response.StatusCode)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			in.note(r.Context(), 0)
			w.WriteHeader(http.StatusBadGateway)
		},
		// Connections to a server that was killed are of no use.
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Second},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if what := recover(); what != nil && what != http.ErrAbortHandler { //nolint:errorlint,err113 // it is compared, as net/http does
				panic(what)
			}
		}()
		if account, ok := strings.CutPrefix(r.URL.Path, "/webhooks/"); ok {
			r = named(r, account)
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
	in.url = "http://" + listener.Addr().String()
	return in
}

// named keeps in a webhook's context which event it brings.
func named(r *http.Request, account string) *http.Request {
	body, _ := io.ReadAll(io.LimitReader(r.Body, webhookBytesMax)) // what ended early is passed on as it is
	r.Body = io.NopCloser(bytes.NewReader(body))
	var event struct {
		ID      string `json:"id"`
		EventID string `json:"event_id"`
	}
	_ = json.Unmarshal(body, &event) // what cannot be read is refused there
	if event.EventID != "" {
		event.ID = event.EventID
	}
	return r.WithContext(context.WithValue(r.Context(), deliveryKey{}, account+" "+event.ID))
}

func (in *ingress) note(ctx context.Context, status int) {
	delivery, ok := ctx.Value(deliveryKey{}).(string)
	if !ok {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.answers[status]++
	if status == http.StatusOK {
		in.accepted[delivery]++
	}
}

// taken gives the events that were answered 200 so far.
func (in *ingress) taken() (deliveries []string, answers map[int]int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for delivery := range in.accepted {
		deliveries = append(deliveries, delivery)
	}
	return deliveries, maps.Clone(in.answers)
}
