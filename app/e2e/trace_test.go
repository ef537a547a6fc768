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
	mu      sync.Mutex
	byTrace map[string][]span
	text    strings.Builder // everything as it came, to search for what must not be in it
}

type span struct {
	name string
	took time.Duration
}

// exportTo starts the gathering; the program takes the variables to export to it.
func exportTo(tb testing.TB) (gathered *spans, env []string) {
	tb.Helper()
	gathered = &spans{byTrace: make(map[string][]span)}
	server := httptest.NewServer(gathered)
	tb.Cleanup(server.Close)
	return gathered, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + server.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_BSP_SCHEDULE_DELAY=200"}
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
			for _, one := range scope.GetSpans() {
				id := hex.EncodeToString(one.GetTraceId())
				took := time.Duration(one.GetEndTimeUnixNano() - one.GetStartTimeUnixNano())
				s.byTrace[id] = append(s.byTrace[id], span{one.GetName(), took})
			}
		}
	}
}

// has reports whether a trace has spans with all of these in their names.
func (s *spans) has(parts ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, trace := range s.byTrace {
		all := true
		for _, part := range parts {
			all = all && slices.ContainsFunc(trace, func(one span) bool { return strings.Contains(strings.ToLower(one.name), part) })
		}
		if all {
			return true
		}
	}
	return false
}

// own gives, for each trace, how long one span took less another in it.
func (s *spans) own(name, without string) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []time.Duration
	for _, trace := range s.byTrace {
		whole := slices.IndexFunc(trace, func(one span) bool { return one.name == name })
		part := slices.IndexFunc(trace, func(one span) bool { return one.name == without })
		if whole >= 0 && part >= 0 {
			list = append(list, trace[whole].took-trace[part].took)
		}
	}
	return list
}

// One trace runs from the delivery through the job to the provider call and the SQL, and
// holds nothing that it must not.
func TestOneTraceFromDeliveryToDatabase(t *testing.T) {
	t.Parallel()
	exported, env := exportTo(t)
	house := apptest.Start(t, env...)
	c := newClient(house)
	paid := c.pay(t, c.checkout(t, "traced", "automatic"), "4242 4242 4242 4242")
	require.Equal(t, http.StatusOK, paid.Status, paid.Raw)
	c.payment(t, paid.text("payment"), "succeeded")
	require.Eventually(t, func() bool {
		return exported.has("webhook", "sync_inbound", "get", "inbound_events", "update inbound_events")
	}, waitMax, 50*time.Millisecond, "no trace runs through: %v", exported.byTrace)
	exported.mu.Lock()
	defer exported.mu.Unlock()
	for _, secret := range []string{"4242424242424242", "4242 4242", "buyer@shop.example", "Ada Buyer", house.APIKey, house.StaffToken, "sk_test_", "whsec_"} {
		require.NotContains(t, exported.text.String(), secret)
	}
}
