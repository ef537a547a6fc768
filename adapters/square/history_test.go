package square_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// listFrom is a moment between two milliseconds, which is all that Square dates to.
var listFrom = time.Date(2026, 1, 2, 3, 0, 0, 1, time.UTC)

// bare is what an answer shows, without its status and the name it has there.
func bare(answer, name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(answer, `200 {"`+name+`":`), "}")
}

// listEvent is an event as the search shows it.
func listEvent(id, kind, at, object string) string {
	return `{"merchant_id":"M1","event_id":"` + id + `","type":"` + kind + `","created_at":"` + at + `","data":{"type":"x","id":"` + object + `"}}`
}

func TestEventsAreListedAsTheyWouldArrive(t *testing.T) {
	t.Parallel()
	first := listEvent("e1", "payment.updated", "2026-01-02T03:04:05.678Z", "P1")
	adapter, script := open(t, `200 {"events":[`+strings.Join([]string{
		first, listEvent("e2", "customer.created", "2026-01-02T03:04:05Z", "CUS1"), listEvent("", "payment.updated", "2026-01-02T03:04:05Z", "P1"),
		listEvent("e4", "payment.updated", "yesterday", "P1"), `{"event_id":"e5","type":"payment.updated","created_at":7}`, `7`,
	}, ",")+`],"cursor":"next"}`, `200 {}`)
	in := ports.ListEvents{From: listFrom, Until: listFrom.Add(time.Hour), Limit: 500}
	list, err := adapter.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 4, list.Unreadable)
	require.Len(t, list.Events, 2)
	require.Equal(t, ports.ListedEvent{MadeAt: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC), Delivery: core.Delivery{
		Account: "square", ProviderEventID: "e1", Type: "payment.updated", Ref: ref, Body: []byte(first),
	}}, list.Events[0])
	require.True(t, list.Events[1].Ref.IsZero(), "an event that concerns nothing here is an event all the same")
	require.Equal(t, "next", list.NextCursor)
	in.Cursor, in.Limit = list.NextCursor, 5
	list, err = adapter.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.Zero(t, list)
	require.Equal(t, []string{"POST /v2/events", "POST /v2/events"}, lines(script))
	created := map[string]any{"filter": map[string]any{"created_at": map[string]any{"start_at": "2026-01-02T03:00:00Z", "end_at": "2026-01-02T04:00:00.000000001Z"}}}
	require.Equal(t, map[string]any{"limit": 100.0, "query": created}, script.calls[0].body)
	require.Equal(t, map[string]any{"limit": 5.0, "cursor": "next", "query": created}, script.calls[1].body)
}

func TestListsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	asks := func(answer string) map[string]error {
		all := map[string]error{}
		adapter, _ := open(t, answer, answer, answer, answer, answer, answer)
		_, all["events"] = adapter.ListEvents(t.Context(), ports.ListEvents{From: listFrom, Until: listFrom.Add(time.Hour), Limit: 1})
		_, all["webhooks"] = adapter.Webhooks(t.Context())
		for _, kind := range []core.ObjectKind{core.ObjectRefund, core.ObjectDispute, core.ObjectSubscription} {
			_, all[string(kind)] = adapter.ListObjects(t.Context(), ports.ListObjects{Kind: kind, From: listFrom, Until: listFrom.Add(time.Hour), Limit: 1})
		}
		_, all["payment"] = adapter.ListObjects(t.Context(), ports.ListObjects{Kind: core.ObjectPayment, Changed: true, From: listFrom, Until: listFrom.Add(time.Hour), Limit: 1})
		return all
	}
	for _, answer := range []string{
		`200 `, `200 null`, `200 []`, `200 <html>`, `200 {"events":{},"payments":{},"refunds":{},"disputes":{},"subscriptions":{}}`, `500 <html>`, `503 `,
	} {
		for name, err := range asks(answer) {
			require.Equal(t, core.ClassUnknown, class(t, err), "%s: %s", name, answer)
		}
	}
	for name, err := range asks(`429 slow down`) {
		require.Equal(t, core.ClassRetryable, class(t, err), name)
		require.Equal(t, 2*time.Second, providerError(t, err).RetryAfter, name)
	}
	for name, err := range asks(`401 {"errors":[{"category":"AUTHENTICATION_ERROR","code":"UNAUTHORIZED","detail":"secret text"}]}`) {
		require.Equal(t, "UNAUTHORIZED", foreign(t, err), name)
		told := strings.Contains(err.Error(), "personal access token")
		require.Equal(t, name == "events" || name == "webhooks", told, "%s: %v", name, err)
	}
	adapter, _ := open(t, `200 {"subscriptions":[{"id":"a b"}]}`, `200 {"subscriptions":[7]}`)
	for range 2 {
		_, err := adapter.Webhooks(t.Context())
		require.Equal(t, core.ClassUnknown, class(t, err))
	}
}

// TestObjectsAreListed: one that cannot be read hides no other, and where Square knows no time to
// ask for, what is outside of the window is left out.
func TestObjectsAreListed(t *testing.T) {
	t.Parallel()
	page := func(name string, objects ...string) string {
		return `200 {"` + name + `":[` + strings.Join(objects, ",") + `],"cursor":"next"}`
	}
	dispute := bare(disputed("WON", `"created_at"`, `"updated_at":"2026-01-02T05:00:00Z","created_at"`), "dispute")
	early := strings.ReplaceAll(strings.ReplaceAll(dispute, "D1", "D0"), "2026-01-02T03:04:05.000Z", "2026-01-02T02:59:59.999Z")
	late := strings.ReplaceAll(strings.ReplaceAll(dispute, "D1", "D2"), "2026-01-02T03:04:05.000Z", "2026-01-02T04:00:00.001Z")
	plan := bare(subscription("ACTIVE", ""), "subscription")
	in := ports.ListObjects{From: listFrom, Until: listFrom.Add(time.Hour), Limit: 500}
	ask := func(kind core.ObjectKind, changed bool, answer string) (ports.ObjectList, asked) {
		adapter, script := open(t, answer)
		in := in
		in.Kind, in.Changed, in.Cursor = kind, changed, "c 1"
		list, err := adapter.ListObjects(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, "next", list.NextCursor)
		return list, script.calls[0]
	}

	payments, call := ask(core.ObjectPayment, true, page("payments", bare(shown("COMPLETED"), "payment"), `7`, bare(shown("COMPLETED", `"EUR"`, `"XXQ"`), "payment")))
	require.Len(t, payments.Payments, 1)
	require.Equal(t, 2, payments.Unreadable)
	require.Equal(t, "GET /v2/payments?cursor=c+1&limit=100&location_id=L1&sort_field=UPDATED_AT&sort_order=ASC&"+
		"updated_at_begin_time=2026-01-02T03%3A00%3A00Z&updated_at_end_time=2026-01-02T04%3A00%3A00.000000001Z", call.line)

	refunds, call := ask(core.ObjectRefund, false, page("refunds", bare(refunded("PENDING"), "refund"), `7`, bare(refunded("PENDING", `"R1"`, `""`), "refund"),
		bare(refunded("PENDING", `"P1"`, `"../x"`), "refund")))
	require.Len(t, refunds.Refunds, 1)
	require.Equal(t, core.RefundID(ourRefund), refunds.Refunds[0].Refund)
	require.Equal(t, 3, refunds.Unreadable)
	require.Equal(t, "GET /v2/refunds?begin_time=2026-01-02T03%3A00%3A00Z&cursor=c+1&end_time=2026-01-02T04%3A00%3A00.000000001Z&limit=100&location_id=L1&sort_order=ASC", call.line)
	_, call = ask(core.ObjectRefund, true, page("refunds"))
	require.Contains(t, call.line, "sort_field=UPDATED_AT")

	disputes, call := ask(core.ObjectDispute, false, page("disputes", early, dispute, late, `7`))
	require.Len(t, disputes.Disputes, 1)
	require.Equal(t, disputeRef, disputes.Disputes[0].Ref)
	require.Equal(t, 1, disputes.Unreadable)
	require.Equal(t, "GET /v2/disputes?cursor=c+1&location_id=L1", call.line)
	disputes, _ = ask(core.ObjectDispute, true, page("disputes", dispute, strings.Replace(dispute, "T05:00:00Z", "T03:30:00Z", 1), strings.Replace(dispute, "updated_at", "x", 1)))
	require.Len(t, disputes.Disputes, 1, "it goes by the time of change")
	require.Equal(t, 1, disputes.Unreadable, "one that does not tell when it changed may be of the window")

	subscriptions, call := ask(core.ObjectSubscription, false, page("subscriptions", plan, strings.Replace(plan, "2026-01-02T03:04", "2026-01-02T04:04", 1),
		strings.Replace(plan, `"VAR1"`, `""`, 1), `7`))
	require.Len(t, subscriptions.Subscriptions, 1)
	require.Equal(t, subscriptionRef, subscriptions.Subscriptions[0].Ref)
	require.Equal(t, 2, subscriptions.Unreadable)
	require.Equal(t, "POST /v2/subscriptions/search", call.line)
	require.Equal(t, map[string]any{
		"cursor": "c 1", "limit": 100.0, "include": []any{"actions"}, "query": map[string]any{"filter": map[string]any{"location_ids": []any{"L1"}}},
	}, call.body)
}

// TestListsThatSquareDoesNotHave are not asked for.
func TestListsThatSquareDoesNotHave(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	for _, in := range []ports.ListObjects{
		{Kind: core.ObjectPayment}, {Kind: core.ObjectSubscription, Changed: true}, {Kind: core.ObjectInvoice}, {Kind: core.ObjectMethod, Changed: true}, {Kind: "x"},
	} {
		in.From, in.Until, in.Limit = listFrom, listFrom.Add(time.Hour), 1
		_, err := adapter.ListObjects(t.Context(), in)
		require.Equal(t, core.ClassInvalid, class(t, err))
	}
	require.Empty(t, lines(script))
}

func TestWebhooksAreTold(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, `200 {"subscriptions":[
		{"id":"wbhk_1","enabled":true,"event_types":["payment.created","a b"],"notification_url":"https://pay.example/webhooks/square","api_version":"2025-08-20"},
		{"id":"wbhk_2","enabled":false,"event_types":[],"notification_url":"https://other.example/<b>"}]}`, `200 {}`)
	all, err := adapter.Webhooks(t.Context())
	require.NoError(t, err)
	require.Equal(t, []ports.RegisteredWebhook{
		{ID: "wbhk_1", URL: "https://pay.example/webhooks/square", Enabled: true, Types: []string{"payment.created"}, APIVersion: "2025-08-20"}, {ID: "wbhk_2"},
	}, all)
	all, err = adapter.Webhooks(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	require.Equal(t, "GET /v2/webhooks/subscriptions?include_disabled=true&limit=100", lines(script)[0])
}

// TestNeededEventsAreRead: each leads to something.
func TestNeededEventsAreRead(t *testing.T) {
	t.Parallel()
	needed := newAdapter(t, nil).NeededEvents()
	require.Subset(t, needed, []string{"dispute.created", "dispute.state.updated", "invoice.payment_made", "payment.updated", "refund.updated"})
	require.IsIncreasing(t, needed)
	for _, kind := range needed {
		adapter, _ := open(t, `200 {"events":[`+listEvent("e1", kind, "2026-01-02T03:04:05Z", "X1")+`]}`)
		list, err := adapter.ListEvents(t.Context(), ports.ListEvents{From: listFrom, Until: listFrom.Add(time.Hour), Limit: 1})
		require.NoError(t, err)
		require.Equal(t, "X1", list.Events[0].Ref.ID, kind)
	}
}
