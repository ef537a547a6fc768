package e2e_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/paydesk/paydesk/app/apptest"
)

// spans gathers what the program exports, by trace.
type spans struct {
	mu    sync.Mutex
	names map[string][]string
	text  strings.Builder // everything as it came, to search for what must not be in it
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var batch collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &batch) != nil {
		w.WriteHeader(http.StatusOK) // metrics come to the same address
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(body)
	for _, resource := range batch.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				id := hex.EncodeToString(span.GetTraceId())
				s.names[id] = append(s.names[id], span.GetName())
			}
		}
	}
}

// find gives a trace that has spans with all of these in their names.
func (s *spans) find(parts ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, names := range s.names {
		all := true
		for _, part := range parts {
			all = all && slices.ContainsFunc(names, func(name string) bool { return strings.Contains(strings.ToLower(name), part) })
		}
		if all {
			return names
		}
	}
	return nil
}

// One trace runs from the delivery through the job to the provider call and the SQL, and
// holds nothing that it must not.
func TestOneTraceFromDeliveryToDatabase(t *testing.T) {
	t.Parallel()
	exported := &spans{names: make(map[string][]string)}
	server := httptest.NewServer(exported)
	t.Cleanup(server.Close)
	house := apptest.Start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_BSP_SCHEDULE_DELAY=200")
	c := newClient(house)
	paid := c.pay(t, c.checkout(t, "traced", "automatic"), "4242 4242 4242 4242")
	require.Equal(t, http.StatusOK, paid.Status, paid.Raw)
	c.payment(t, paid.text("payment"), "succeeded")
	require.Eventually(t, func() bool {
		return exported.find("webhook", "sync_inbound", "get", "inbound_events", "update inbound_events") != nil
	}, waitMax, 50*time.Millisecond, "no trace runs through: %v", exported.names)
	exported.mu.Lock()
	defer exported.mu.Unlock()
	for _, secret := range []string{"4242424242424242", "4242 4242", "buyer@shop.example", "Ada Buyer", house.APIKey, house.StaffToken, "sk_test_", "whsec_"} {
		require.NotContains(t, exported.text.String(), secret)
	}
}
