package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"

	"github.com/paydesk/paydesk/adapters/telemetry"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	_ ports.TraceIDs  = (*telemetry.Telemetry)(nil)
	_ ports.Anomalies = (*telemetry.Anomalies)(nil)
)

// The one test of this package sets globals, so it runs alone.
//
//nolint:paralleltest // it sets OpenTelemetry's globals
func TestTracesHaveIDsAndMetricsCanBeFetched(t *testing.T) {
	set, stop, err := telemetry.Setup(t.Context(), telemetry.Options{Version: "test"})
	require.NoError(t, err)
	defer stop()

	require.Empty(t, set.TraceID(t.Context()))
	ctx, span := otel.Tracer("test").Start(t.Context(), "work")
	defer span.End()
	require.Len(t, set.TraceID(ctx), 32)
	inner, child := otel.Tracer("test").Start(ctx, "part")
	defer child.End()
	require.Equal(t, set.TraceID(ctx), set.TraceID(inner))

	counter, err := otel.Meter("test").Int64Counter("paydesk_test_total")
	require.NoError(t, err)
	counter.Add(ctx, 3)
	anomalies, err := telemetry.NewAnomalies(set)
	require.NoError(t, err)
	anomalies.Count(ctx, core.ObjectRefund)
	anomalies.Count(ctx, core.ObjectRefund)
	store := &cursorStore{}
	_, err = telemetry.NewBackfill(set, store, stoppedClock(noon))
	require.NoError(t, err)
	open := &unsettledStore{}
	_, err = telemetry.NewUnsettled(set, open, stoppedClock(noon))
	require.NoError(t, err)
	unwatch, err := telemetry.WatchNotifications(set, store, stoppedClock(noon))
	require.NoError(t, err)
	defer unwatch()
	answer := httptest.NewRecorder()
	set.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, answer.Body.String(), "paydesk_test_total 3")
	require.Contains(t, answer.Body.String(), `paydesk_anomalies_total{paydesk_object="refund"} 2`)
	require.Contains(t, answer.Body.String(), "go_goroutines")
	for _, line := range []string{
		`paydesk_backfill_behind_seconds{account="stripe",stream="events"} 300`,
		`paydesk_backfill_failed{account="stripe",stream="events"} 0`,
		`paydesk_backfill_found_total{account="stripe",stream="events"} 7`,
		`paydesk_backfill_failed{account="square",stream="refunds"} 1`,
		`paydesk_backfill_failed{account="square",stream="open"} 1`,
		`paydesk_unsettled_age_seconds{account="stripe",kind="refund_payment",status="unknown"} 3600`,
		`paydesk_unsettled_count{account="stripe",kind="refund_payment",status="unknown"} 5`,
		`paydesk_unsettled_for_staff{account="stripe",kind="refund_payment"} 2`,
		`paydesk_unsettled_age_seconds{account="square",kind="event",status="received"} 60`,
		`paydesk_unsettled_count{account="square",kind="event",status="received"} 1`,
		`paydesk_notifications_waiting{disabled="false",endpoint="whk_1"} 3`,
		`paydesk_notifications_age_seconds{disabled="false",endpoint="whk_1"} 60`,
		`paydesk_notifications_age_seconds{disabled="true",endpoint="whk_2"} 0`,
	} {
		require.Contains(t, answer.Body.String(), line+"\n")
	}
	require.NotContains(t, answer.Body.String(), `paydesk_backfill_behind_seconds{account="square",stream="open"}`)
	require.NotContains(t, answer.Body.String(), `paydesk_unsettled_for_staff{account="square"`)

	open.err = errors.New("the database is away")
	store.err = errors.New("the database is away")
	answer = httptest.NewRecorder()
	set.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, answer.Body.String(), "paydesk_test_total 3", "all else is told")
	require.NotContains(t, answer.Body.String(), "paydesk_backfill_behind")
	require.NotContains(t, answer.Body.String(), "paydesk_unsettled_age")
}

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

type stoppedClock time.Time

func (c stoppedClock) Now() time.Time { return time.Time(c) }

// cursorStore is a store that knows the backfill's cursors and what waits for endpoints alone.
type cursorStore struct {
	ports.Reader

	err error
}

func (s *cursorStore) BackfillCursors(context.Context) ([]core.BackfillCursor, error) {
	return []core.BackfillCursor{
		{Account: "stripe", Stream: core.BackfillEvents, Status: core.BackfillDone, TakenUntil: noon.Add(-5 * time.Minute), Found: 7},
		{Account: "square", Stream: core.BackfillRefunds, Status: core.BackfillFailed, TakenUntil: noon.Add(-time.Hour)},
		{Account: "square", Stream: core.BackfillOpen, Status: core.BackfillIncomplete, TakenUntil: noon.Add(-time.Hour)},
	}, s.err
}

func (s *cursorStore) NotificationsWaiting(context.Context) ([]ports.EndpointWaiting, error) {
	return []ports.EndpointWaiting{
		{Endpoint: "whk_1", Count: 3, Oldest: noon.Add(-time.Minute)}, {Endpoint: "whk_2", Disabled: true},
	}, s.err
}

// unsettledStore is a store that knows what is unsettled alone.
type unsettledStore struct {
	ports.Reader

	err error
}

func (s *unsettledStore) Unsettled(context.Context) ([]ports.Unsettled, error) {
	return []ports.Unsettled{
		{Kind: ports.LookOperation, Account: "stripe", What: "refund_payment", Status: "unknown", Count: 3, Oldest: noon.Add(-time.Minute)},
		{Kind: ports.LookOperation, Account: "stripe", What: "refund_payment", Status: "unknown", ForStaff: true, Count: 2, Oldest: noon.Add(-time.Hour)},
		{Kind: ports.LookEvent, Account: "square", What: "event", Status: "received", Count: 1, Oldest: noon.Add(-time.Minute)},
	}, s.err
}
