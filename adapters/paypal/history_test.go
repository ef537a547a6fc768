package paypal_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// half is half an hour of the day of the tests, whose clock shows 4 o'clock.
var half = ports.ListEvents{From: time.Date(2026, 1, 2, 3, 0, 0, 1, time.UTC), Until: time.Date(2026, 1, 2, 3, 30, 0, 1, time.UTC), Limit: 50}

const (
	eventsAsked = "GET /v1/notifications/webhooks-events?end_time=2026-01-02T03%3A30%3A01Z"
	eventsRest  = "&page_size=50&start_time=2026-01-02T03%3A00%3A00Z"
)

// listedEvent is an event as a list shows it.
func listedEvent(id, at, kind, resource string) string {
	return `{"id":"` + id + `","create_time":"` + at + `","event_type":"` + kind + `","resource_version":"2.0","resource":` + resource + `}`
}

func eventList(links string, events ...string) string {
	return `200 {"events":[` + strings.Join(events, ",") + `],"count":2,"links":[` + links + `]}`
}

// nextLink is a link to the next page, at an address that nobody goes to.
func nextLink(query string) string {
	return `{"href":"https://evil.example/v1/notifications/webhooks-events/?` + query + `","rel":"next"},{"href":"https://api.sandbox.paypal.com/x?page=1","rel":"self"}`
}

func TestEventsAreListedAsTheyWouldArrive(t *testing.T) {
	t.Parallel()
	adapter, script := open(t,
		eventList(nextLink("start_time=x&end_time=y&page_size=50&move_to=next&index_time=2026-01-02T03%3A10%3A00Z&index_id=3"),
			listedEvent("WH-1", "2026-01-02T03:30:00.000Z", "CHECKOUT.ORDER.APPROVED", `{"id":"O1"}`),
			listedEvent("WH-2", "2026-01-02T04:20:00.5+01:00", "CUSTOMER.DISPUTE.CREATED", `{"dispute_id":"PP-D-1"}`),
			listedEvent("WH-3", "2026-01-02T03:30:01Z", "CHECKOUT.ORDER.APPROVED", `{"id":"O3"}`), // after the window
			listedEvent("WH-4", "2026-01-02T03:00:00Z", "CHECKOUT.ORDER.APPROVED", `{"id":"O4"}`), // before it
			listedEvent("", "2026-01-02T03:20:00Z", "CHECKOUT.ORDER.APPROVED", `{"id":"O5"}`), listedEvent("WH-6", "yesterday", "X", `{}`), `7`,
			`{"id":"WH-7","create_time":"2026-01-02T03:20:00Z","links":[{"href":"https://api.paypal.com/x"}]}`, // of real money
		),
		eventList(nextLink("move_to=next"), listedEvent("WH-9", "2026-01-02T03:05:00Z", "PAYMENT.CAPTURE.NOT-INVENTED", `{"id":"C9"}`)),
		eventList(nextLink("move_to=next")),
	)
	in := half
	first, err := adapter.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 4, first.Unreadable)
	require.Len(t, first.Events, 2)
	require.Equal(t, ports.ListedEvent{MadeAt: time.Date(2026, 1, 2, 3, 30, 0, 0, time.UTC), Delivery: core.Delivery{
		Account: "paypal", ProviderEventID: "WH-1", Type: "CHECKOUT.ORDER.APPROVED", APIVersion: "2.0", Ref: ref,
		Body: []byte(listedEvent("WH-1", "2026-01-02T03:30:00.000Z", "CHECKOUT.ORDER.APPROVED", `{"id":"O1"}`)),
	}}, first.Events[0])
	require.Equal(t, core.ProviderRef{Account: "paypal", Kind: core.ObjectDispute, ID: "PP-D-1"}, first.Events[1].Ref)
	require.Equal(t, time.Date(2026, 1, 2, 3, 20, 0, 5e8, time.UTC), first.Events[1].MadeAt)
	require.NotEmpty(t, first.NextCursor)
	in.Cursor = first.NextCursor
	second, err := adapter.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.True(t, second.Events[0].Ref.IsZero(), "an event that concerns nothing here is an event all the same")
	in.Cursor = second.NextCursor
	last, err := adapter.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, ports.EventList{}, last, "a page of nothing is the last, whatever it links to")
	require.Equal(t, []string{
		eventsAsked + eventsRest, eventsAsked + "&index_id=3&index_time=2026-01-02T03%3A10%3A00Z&move_to=next" + eventsRest, eventsAsked + "&move_to=next" + eventsRest,
	}, script.lines())
}

func TestEventWindowsAreCut(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, eventList(""))
	for _, nothing := range []ports.ListEvents{
		{From: half.Until, Until: half.From, Limit: 1}, {From: clock.AddDate(-1, 0, 0), Until: clock.AddDate(0, -6, 0), Limit: 1},
	} {
		list, err := adapter.ListEvents(t.Context(), nothing)
		require.NoError(t, err)
		require.Zero(t, list)
	}
	require.Empty(t, script.lines())
	_, err := adapter.ListEvents(t.Context(), ports.ListEvents{From: clock.AddDate(-1, 0, 0), Until: clock, Limit: 100_000})
	require.NoError(t, err)
	require.Equal(t, []string{
		"GET /v1/notifications/webhooks-events?end_time=2026-01-02T04%3A00%3A00Z&page_size=100&start_time=2025-12-03T04%3A00%3A00Z",
	}, script.lines())
}

// Cursors are parameters that were not asked for, and nothing else.
func TestOddListCursors(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	for _, odd := range []string{
		"nobody-gave-this", "=", "&", "%zz", "a=", "a=1&a=2", "page_size=7", "start_time=2020-01-01T00:00:00Z", "a=1&b=2&c=3&d=4&e=5", "a b=1",
		"a=" + strings.Repeat("x", 256), strings.Repeat("a", 256) + "=1",
	} {
		in := half
		in.Cursor = odd
		_, err := adapter.ListEvents(t.Context(), in)
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, odd)
		_, err = adapter.ListObjects(t.Context(), ports.ListObjects{Kind: core.ObjectDispute, From: half.From, Until: half.Until, Cursor: odd, Limit: 5})
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, odd)
	}
	require.Empty(t, script.lines())
}

func TestPagesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	one := listedEvent("WH-1", "2026-01-02T03:20:00Z", "X", `{}`)
	for _, odd := range []string{"", "start_time=x", "token=a", "a=1&b=2&c=3&d=4&e=5", "a=" + strings.Repeat("x", 256)} {
		adapter, _ := open(t, eventList(nextLink(odd), one))
		in := half
		in.Cursor = "token=a" // which must not lead to itself
		_, err := adapter.ListEvents(t.Context(), in)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, odd)
	}
	for _, answer := range []string{`200 {}`, `200 {"events":null}`, `200 []`, `200 nothing`, `200 {"events":{}}`} {
		adapter, _ := open(t, answer)
		_, err := adapter.ListEvents(t.Context(), half)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, answer)
	}
}

func TestNeededEventsAreRead(t *testing.T) {
	t.Parallel()
	adapter, _ := open(t)
	needed := adapter.NeededEvents()
	require.Subset(t, needed, []string{"CUSTOMER.DISPUTE.CREATED", "PAYMENT.CAPTURE.REFUNDED", "BILLING.SUBSCRIPTION.PAYMENT.FAILED"})
	resource := `{"id":"X1","order_id":"X1","dispute_id":"X1","billing_agreement_id":"X1","supplementary_data":{"related_ids":{"order_id":"X1"}}}`
	for _, kind := range needed {
		adapter, _ := open(t, eventList("", listedEvent("WH-1", "2026-01-02T03:20:00Z", kind, resource)))
		list, err := adapter.ListEvents(t.Context(), half)
		require.NoError(t, err)
		require.Equal(t, "X1", list.Events[0].Ref.ID, kind)
	}
}

func TestWebhooksAreTold(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, `200 {"webhooks":[
		{"id":"WHID1","url":"https://pay.example/webhooks/paypal","event_types":[{"name":"*","description":"ALL"}]},
		{"id":"WHID2","url":"https://other.example/","event_types":[{"name":"CUSTOMER.DISPUTE.CREATED","status":"ENABLED"},{"name":"a b"},{"name":"X.Y","status":"DISABLED"}]},
		{"id":"WHID3","url":""}]}`, `200 {"webhooks":[]}`, `200 {}`, problem("403", "NOT_AUTHORIZED", "PERMISSION_DENIED"))
	all, err := adapter.Webhooks(t.Context())
	require.NoError(t, err)
	require.Equal(t, []ports.RegisteredWebhook{
		{ID: "WHID1", URL: "https://pay.example/webhooks/paypal", Enabled: true, All: true},
		{ID: "WHID2", URL: "https://other.example/", Enabled: true, Types: []string{"CUSTOMER.DISPUTE.CREATED"}},
		{ID: "WHID3", Enabled: true},
	}, all)
	all, err = adapter.Webhooks(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = adapter.Webhooks(t.Context())
	require.Equal(t, core.ClassUnknown, failure(t, err).Class)
	_, err = adapter.Webhooks(t.Context())
	require.Equal(t, core.ClassRetryable, failure(t, err).Class)
	require.Equal(t, "GET /v1/notifications/webhooks", script.lines()[0])
}

// disputeRow is a dispute as a list shows it.
func disputeRow(id, created, updated string) string {
	return `{"dispute_id":"` + id + `","create_time":"` + created + `","update_time":"` + updated + `"}`
}

func disputeList(links string, rows ...string) string {
	return `200 {"items":[` + strings.Join(rows, ",") + `],"links":[` + links + `]}`
}

// shownDispute is one as a look shows it, about a capture.
func shownDispute(id, capture string) string {
	return `200 {"dispute_id":"` + id + `","create_time":"2026-01-02T03:10:00Z","disputed_transactions":[{"seller_transaction_id":"` + capture + `"}],
		"reason":"UNAUTHORISED","status":"UNDER_REVIEW","dispute_life_cycle_stage":"CHARGEBACK","dispute_amount":` + eur("10.00") + `}`
}

func TestDisputesAreListed(t *testing.T) {
	t.Parallel()
	const within, later = "2026-01-02T03:10:00.000Z", "2026-01-02T03:30:00.001Z"
	adapter, script := open(t,
		disputeList(`{"href":"https://api.sandbox.paypal.com/v1/customer/disputes?next_page_token=t%2F1","rel":"next"}`,
			disputeRow("PP-D-1", within, later), disputeRow("PP-D-2", later, later), disputeRow("PP-D-3", "2026-01-02T02:59:59Z", within), disputeRow("../x", within, within),
			disputeRow("PP-D-4", within, within), disputeRow("PP-D-5", within, within), disputeRow("PP-D-6", within, within)),
		shownDispute("PP-D-1", "C1"), captureOf("C1", "O1"), missing, // PP-D-4 is gone
		`200 {"dispute_id":"PP-D-5"}`, // is about nothing
		shownDispute("PP-D-6", "C6"), missing,
		disputeList("", disputeRow("PP-D-7", within, within)), shownDispute("PP-D-7", "C7"), captureOf("C7", "O7"),
	)
	in := ports.ListObjects{Kind: core.ObjectDispute, From: half.From, Until: half.Until, Limit: 50}
	list, err := adapter.ListObjects(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, list.Disputes, 2)
	require.Equal(t, 3, list.Unreadable)
	require.Equal(t, core.ProviderRef{Account: "paypal", Kind: core.ObjectDispute, ID: "PP-D-1"}, list.Disputes[0].Ref)
	require.Equal(t, ref, list.Disputes[0].Payment)
	require.Equal(t, "C6", list.Disputes[1].Payment.ID, "a sale has no order")
	in.Cursor = list.NextCursor
	list, err = adapter.ListObjects(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, list.Disputes, 1)
	require.Empty(t, list.NextCursor)
	const asked = "GET /v1/customer/disputes?"
	lines := script.lines()
	require.Equal(t, asked+"page_size=8&start_time=2026-01-02T03%3A00%3A00.000Z", lines[0])
	require.Equal(t, asked+"next_page_token=t%2F1&page_size=8&start_time=2026-01-02T03%3A00%3A00.000Z", lines[7])
}

func TestChangedDisputesAreListed(t *testing.T) {
	t.Parallel()
	const old = "2025-12-02T03:10:00.000Z"
	adapter, script := open(t,
		disputeList("", disputeRow("PP-D-1", old, "2026-01-02T03:30:00.000Z"), disputeRow("PP-D-2", old, "2026-01-02T03:30:00.001Z")),
		shownDispute("PP-D-1", "C1"), captureOf("C1", "O1"), disputeList(""), `500 {"name":"INTERNAL_SERVER_ERROR"}`,
	)
	in := ports.ListObjects{Kind: core.ObjectDispute, Changed: true, From: half.From, Until: half.Until, Limit: 3}
	list, err := adapter.ListObjects(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, list.Disputes, 1)
	in.From, in.Until = time.Time{}, in.Until.Add(-time.Hour)
	_, err = adapter.ListObjects(t.Context(), in)
	require.NoError(t, err)
	_, err = adapter.ListObjects(t.Context(), in)
	require.Equal(t, core.ClassUnknown, failure(t, err).Class)
	const asked = "GET /v1/customer/disputes?page_size=3&"
	lines := script.lines()
	require.Equal(t, asked+"update_time_after=2026-01-02T03%3A00%3A00.000Z", lines[0], "what is to come to PayPal's clock it is not asked about")
	require.Equal(t, asked+"update_time_after=2025-07-06T05%3A00%3A00.000Z&update_time_before=2026-01-02T02%3A30%3A00.001Z", lines[3])
	for _, other := range []core.ObjectKind{core.ObjectPayment, core.ObjectRefund, core.ObjectSubscription, "other"} {
		in.Kind = other
		_, err := adapter.ListObjects(t.Context(), in)
		require.Equal(t, core.ClassInvalid, failure(t, err).Class)
	}
}

// TestListsOfASimulatedAccount: what was never delivered is listed all the same, page by page.
func TestListsOfASimulatedAccount(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	var disputes []string
	for n := range paypal.ListDisputesMax + 1 {
		h.paidAs(t, core.PaymentID(payment(n)), core.CaptureAutomatic, cardGood)
		disputes = append(disputes, h.control(t, "disputes", map[string]any{"account": "paypal", "payment": payment(n)}))
	}
	in := ports.ListEvents{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Limit: 5}
	told, pages := map[string]int{}, 1
	for ; ; pages++ {
		list, err := h.ListEvents(t.Context(), in)
		require.NoError(t, err)
		require.Zero(t, list.Unreadable)
		for _, event := range list.Events {
			told[event.Type+" "+event.Ref.ID]++
		}
		if in.Cursor = list.NextCursor; in.Cursor == "" {
			break
		}
	}
	require.Greater(t, pages, len(disputes)*3/5)
	objects := ports.ListObjects{Kind: core.ObjectDispute, From: in.From, Until: in.Until, Limit: core.PageItemsMax}
	var listed []string
	for {
		list, err := h.ListObjects(t.Context(), objects)
		require.NoError(t, err)
		for _, seen := range list.Disputes {
			listed = append(listed, seen.Ref.ID)
			require.Equal(t, 1, told["CUSTOMER.DISPUTE.CREATED "+seen.Ref.ID])
			require.Equal(t, 1, told["CHECKOUT.ORDER.COMPLETED "+seen.Payment.ID], "its payment is the order")
		}
		if objects.Cursor = list.NextCursor; objects.Cursor == "" {
			break
		}
	}
	require.ElementsMatch(t, disputes, listed)
	none, err := h.Webhooks(t.Context())
	require.NoError(t, err)
	require.Empty(t, none, "nothing is registered where nobody is told")
	h.elapse(t, 29*24*time.Hour)
	list, err := h.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.NotEmpty(t, list.Events)
	h.elapse(t, 2*24*time.Hour)
	in.Until = in.Until.AddDate(0, 0, 5)
	list, err = h.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, list.Events, "they are kept for a month")
	_, err = h.ListEvents(t.Context(), ports.ListEvents{From: in.From.AddDate(0, 0, 3), Until: in.Until, Cursor: "next_page_token=" + url.QueryEscape(fmt.Sprint(pages)), Limit: 5})
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
}
