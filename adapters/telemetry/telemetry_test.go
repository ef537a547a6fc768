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
	hooks := &webhookHealth{}
	_, err = telemetry.NewWebhooks(set, hooks.accounts, stoppedClock(noon))
	require.NoError(t, err)
	answer := httptest.NewRecorder()
	set.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, answer.Body.String(), "paydesk_test_total 3")
	require.Contains(t, answer.Body.String(), `paydesk_anomalies_total{paydesk_object="refund"} 2`)
	require.Contains(t, answer.Body.String(), "go_goroutines")
	for _, line := range valuesOfStores() {
		require.Contains(t, answer.Body.String(), line+"\n")
	}
	require.NotContains(t, answer.Body.String(), `paydesk_backfill_behind_seconds{account="square",stream="open"}`)
	require.NotContains(t, answer.Body.String(), `paydesk_unsettled_for_staff{account="square"`)
	require.NotContains(t, answer.Body.String(), `paydesk_webhook_registered{account="paypal"}`, "nobody knows")
	require.NotContains(t, answer.Body.String(), `version=""`)

	hooks.err = errors.New("the database is away")
	open.err = errors.New("the database is away")
	store.err = errors.New("the database is away")
	answer = httptest.NewRecorder()
	set.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, answer.Body.String(), "paydesk_test_total 3", "all else is told")
	require.NotContains(t, answer.Body.String(), "paydesk_backfill_behind")
	require.NotContains(t, answer.Body.String(), "paydesk_unsettled_age")
	require.NotContains(t, answer.Body.String(), "paydesk_webhook_missed")
}

// webhookHealth tells of three accounts.
type webhookHealth struct{ err error }

func (h *webhookHealth) accounts(context.Context) ([]ports.AccountHealth, error) {
	return []ports.AccountHealth{
		{
			Account: "stripe", Missed: 2, Counts: map[core.DeliveryResult]int64{core.DeliveryReceived: 3, core.DeliveryInvalidSignature: 1},
			Last: []core.LastEvent{{Type: "charge.refunded", APIVersion: "2022-11-15", ReceivedAt: noon.Add(-90 * time.Second)}},
			Webhook: core.WebhookCheck{
				State: core.WebhookRegistered, Missing: []string{"refund.failed"}, APIVersions: []string{"2023-10-16"}, CheckedAt: noon.Add(-10 * time.Minute),
			},
		},
		{
			Account: "paypal", Last: []core.LastEvent{{Type: "PAYMENT.CAPTURE.COMPLETED", ReceivedAt: noon}},
			Webhook: core.WebhookCheck{State: core.WebhookUnknown},
		},
		{Account: "square", Webhook: core.WebhookCheck{State: core.WebhookDisabled, CheckedAt: noon}},
	}, h.err
}

// valuesOfStores are the lines of what is told of by the stores below.
func valuesOfStores() []string {
	return []string{
		`paydesk_backfill_behind_seconds{account="stripe",stream="events"} 300`,
		`paydesk_backfill_failed{account="stripe",stream="events"} 0`,
		`paydesk_backfill_found_total{account="stripe",stream="events"} 7`,
		`paydesk_backfill_failed{account="square",stream="refunds"} 1`,
		`paydesk_backfill_failed{account="square",stream="open"} 1`,
		`paydesk_reconcile_remaining{account="square"} 3`,
		`paydesk_reconcile_failed{account="square"} 1`,
		`paydesk_unsettled_age_seconds{account="stripe",kind="refund_payment",status="unknown"} 3600`,
		`paydesk_unsettled_count{account="stripe",kind="refund_payment",status="unknown"} 5`,
		`paydesk_unsettled_for_staff{account="stripe",kind="refund_payment"} 2`,
		`paydesk_unsettled_age_seconds{account="square",kind="event",status="received"} 60`,
		`paydesk_unsettled_count{account="square",kind="event",status="received"} 1`,
		`paydesk_notifications_waiting{disabled="false",endpoint="whk_1"} 3`,
		`paydesk_notifications_age_seconds{disabled="false",endpoint="whk_1"} 60`,
		`paydesk_notifications_age_seconds{disabled="true",endpoint="whk_2"} 0`,
		`paydesk_webhook_last_event_age_seconds{account="stripe",type="charge.refunded"} 90`,
		`paydesk_webhook_missed{account="stripe"} 2`,
		`paydesk_webhook_posts{account="stripe",result="received"} 3`,
		`paydesk_webhook_posts{account="stripe",result="invalid_signature"} 1`,
		`paydesk_webhook_posts{account="stripe",result="invalid_payload"} 0`,
		`paydesk_webhook_rejected_share_ratio{account="stripe"} 0.25`,
		`paydesk_webhook_registered{account="stripe"} 1`,
		`paydesk_webhook_types_missing{account="stripe"} 1`,
		`paydesk_webhook_checked_age_seconds{account="stripe"} 600`,
		`paydesk_webhook_api_version{account="stripe",seen="event",version="2022-11-15"} 1`,
		`paydesk_webhook_api_version{account="stripe",seen="registration",version="2023-10-16"} 1`,
		`paydesk_webhook_rejected_share_ratio{account="paypal"} 0`,
		`paydesk_webhook_registered{account="square"} 0`,
	}
}

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

type stoppedClock time.Time

func (c stoppedClock) Now() time.Time { return time.Time(c) }

// cursorStore is a store that knows the backfill's cursors and what waits for endpoints alone.
type cursorStore struct {
	ports.Reader

	err error
}

func (s *cursorStore) DriftRuns(context.Context) ([]core.DriftRun, error) {
	return []core.DriftRun{{Account: "square", Status: core.DriftFailed, Remaining: 3}}, s.err
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
