package stripe_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// listWindow does not begin or end with a second.
var listWindow = ports.ListEvents{From: time.Unix(1700000000, 1), Until: time.Unix(1700000060, 1), Limit: 3}

// moreOf is a page that others follow.
func moreOf(objects ...string) string {
	return strings.Replace(listOf(objects...), `"has_more":false`, `"has_more":true`, 1)
}

func TestEventsAreListedAsTheyWouldArrive(t *testing.T) {
	t.Parallel()
	first := string(eventBody("evt_1", "payment_intent.succeeded", false, `{"id":"pi_1","object":"payment_intent"}`))
	adapter, heard := playing(t, script{"GET /v1/events": moreOf(first,
		string(eventBody("evt_2", "customer.created", false, `{"id":"cus_1","object":"customer"}`)),
		string(eventBody("evt_3", "payment_intent.succeeded", true, `{"id":"pi_3","object":"payment_intent"}`)), // of real money
		string(eventBody("", "payment_intent.succeeded", false, `{}`)),
		strings.Replace(first, `"created":1772366400`, `"created":0`, 1), strings.Replace(first, `"created":1772366400`, `"created":"now"`, 1),
		`{"id":"evt_7"}`, `7`,
	)})
	in := listWindow
	in.Cursor = "evt_0"
	list, err := adapter.ListEvents(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, 6, list.Unreadable)
	require.Len(t, list.Events, 2)
	require.Equal(t, ports.ListedEvent{MadeAt: time.Unix(1772366400, 0).UTC(), Delivery: core.Delivery{
		Account: "stripe", ProviderEventID: "evt_1", Type: "payment_intent.succeeded", APIVersion: "2023-10-16", Ref: pi1, Body: []byte(first),
	}}, list.Events[0])
	require.True(t, list.Events[1].Ref.IsZero(), "an event that concerns nothing here is an event all the same")
	require.Equal(t, "evt_7", list.NextCursor, "what cannot be read is gone past")
	require.Equal(t, map[string]string{
		"created[gte]": "1700000000", "created[lt]": "1700000061", "limit": "3", "starting_after": "evt_0",
	}, heard.last())
}

// TestPagesThatLeadNowhere: a list that goes on must say from where, and one of nothing must be
// a list.
func TestPagesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		moreOf(), moreOf(`7`, `{"id":"a b"}`, `{"id":""}`), `{}`, `null`, `[]`, `nothing`, `{"object":"list","url":"/v1/things","data":{}}`, `{"data":[]}`,
	} {
		adapter := answering(t, http.StatusOK, answer)
		_, err := adapter.ListEvents(t.Context(), listWindow)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, answer)
		for _, kind := range []core.ObjectKind{core.ObjectRefund, core.ObjectDispute, core.ObjectSubscription} {
			_, err = adapter.ListObjects(t.Context(), ports.ListObjects{Kind: kind, From: listWindow.From, Until: listWindow.Until, Limit: 3})
			require.Equal(t, core.ClassUnknown, providerError(t, err).Class, answer)
		}
	}
	for _, answer := range []string{`{}`, `null`, `[]`, listOf(`7`), listOf(`{"id":"a b"}`)} {
		_, err := answering(t, http.StatusOK, answer).Webhooks(t.Context())
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, answer)
	}
	_, err := answering(t, http.StatusBadRequest, strings.TrimPrefix(refusal, "400 ")).ListEvents(t.Context(), listWindow)
	require.Equal(t, core.ClassInvalid, providerError(t, err).Class)
}

func TestObjectsAreListed(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{
		"GET /v1/refunds": moreOf(refund(`,"status":"succeeded"`),
			refund(`,"status":"succeeded","charge":{"id":"ch_1","object":"charge","amount":2000,"amount_captured":1500}`), // releases a hold
			strings.Replace(refund(`,"status":"succeeded"`), `"usd"`, `"xxq"`, 1), `7`),
		"GET /v1/disputes": listOf(dispute(`,"status":"won"`), strings.Replace(dispute(`,"status":"won"`), `"usd"`, `"xxq"`, 1), `7`),
		"GET /v1/subscriptions": listOf(billed(`,"status":"canceled","latest_invoice":`+invoice(`,"status":"paid"`+paying("succeeded", ""))),
			strings.Replace(billed(`,"status":"active"`), `"usd"`, `"xxq"`, 1), `7`),
	})
	list := func(kind core.ObjectKind) (ports.ObjectList, map[string]string) {
		out, err := adapter.ListObjects(t.Context(), ports.ListObjects{Kind: kind, From: listWindow.From, Until: listWindow.Until, Cursor: "x_1", Limit: 100})
		require.NoError(t, err)
		require.Equal(t, "x_1", heard.last()["starting_after"])
		require.Equal(t, "1700000061", heard.last()["created[lt]"])
		return out, heard.last()
	}
	refunds, _ := list(core.ObjectRefund)
	require.Len(t, refunds.Refunds, 1)
	require.Equal(t, re1, refunds.Refunds[0].Ref)
	require.Equal(t, pi1, refunds.Refunds[0].Payment)
	require.Equal(t, 2, refunds.Unreadable, "the release of a hold is none")
	require.Equal(t, "re_1", refunds.NextCursor)
	disputes, _ := list(core.ObjectDispute)
	require.Len(t, disputes.Disputes, 1)
	require.Equal(t, core.DisputeWon, disputes.Disputes[0].Status)
	require.Equal(t, 2, disputes.Unreadable)
	subscriptions, form := list(core.ObjectSubscription)
	require.Len(t, subscriptions.Subscriptions, 1)
	require.Equal(t, core.SubscriptionCanceled, subscriptions.Subscriptions[0].Status)
	require.Nil(t, subscriptions.Subscriptions[0].Invoices, "one of them alone would not be all")
	require.Equal(t, "all", form["status"])
	require.Equal(t, 2, subscriptions.Unreadable)
	require.Empty(t, subscriptions.NextCursor)
}

func TestWebhooksAreTold(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{"GET /v1/webhook_endpoints": listOf(
		`{"id":"we_1","url":"https://pay.example/webhooks/stripe?a=b","status":"enabled","enabled_events":["*"],"api_version":null}`,
		`{"id":"we_2","url":"https://other.example/<b>","status":"disabled","enabled_events":["charge.refunded","a b"],"api_version":"2023-10-16"}`,
	)})
	all, err := adapter.Webhooks(t.Context())
	require.NoError(t, err)
	require.Equal(t, []ports.RegisteredWebhook{
		{ID: "we_1", URL: "https://pay.example/webhooks/stripe?a=b", Enabled: true, All: true},
		{ID: "we_2", Types: []string{"charge.refunded"}, APIVersion: "2023-10-16"},
	}, all)
	require.Equal(t, map[string]string{"limit": "100"}, heard.last())
}

// TestNeededEventsAreRead: each leads to the object that it is about.
func TestNeededEventsAreRead(t *testing.T) {
	t.Parallel()
	needed := newVerifier(t, core.EnvTest).NeededEvents()
	require.Subset(t, needed, []string{"charge.dispute.created", "charge.refunded", "charge.refund.updated", "payment_intent.succeeded", "invoice.paid"})
	require.IsIncreasing(t, needed)
	for _, kind := range needed {
		led := 0
		for _, object := range []string{
			"payment_intent", "charge", "dispute", "refund", "checkout.session", "setup_intent", "payment_method", "subscription", "invoice",
		} {
			body := eventBody("evt_1", kind, false, `{"id":"x_1","object":"`+object+`","payment_intent":"pi_1"}`)
			list, err := answering(t, http.StatusOK, listOf(string(body))).ListEvents(t.Context(), listWindow)
			require.NoError(t, err)
			if !list.Events[0].Ref.IsZero() {
				led++
			}
		}
		require.Positive(t, led, kind)
	}
}

// TestListsThatStripeDoesNotHave are not asked for.
func TestListsThatStripeDoesNotHave(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{})
	for _, in := range []ports.ListObjects{
		{Kind: core.ObjectRefund, Changed: true}, {Kind: core.ObjectSubscription, Changed: true}, {Kind: core.ObjectPayment}, {Kind: core.ObjectInvoice}, {Kind: "x"},
	} {
		in.From, in.Until, in.Limit = listWindow.From, listWindow.Until, 1
		_, err := adapter.ListObjects(t.Context(), in)
		require.Equal(t, core.ClassInvalid, providerError(t, err).Class)
	}
	require.Empty(t, heard.list())
}
