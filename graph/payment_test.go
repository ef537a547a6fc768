package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const pageQuery = `query($first: Int, $after: Cursor, $last: Int, $before: Cursor, $filter: PaymentFilter) {
	payments(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
		edges { cursor node { id } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
	}
}`

// twentyFive payments, five of each time, newest first as a list gives them.
func twentyFive(t *testing.T, h *house) []string {
	t.Helper()
	checkout := h.newCheckout(t)
	stored := make([]core.Payment, 25)
	for i := range stored {
		stored[i] = h.newPayment(t, checkout, epoch.Add(time.Duration(i/5)*time.Second))
	}
	slices.SortFunc(stored, func(a, b core.Payment) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(string(b.ID), string(a.ID))
	})
	ids := make([]string, len(stored))
	for i, p := range stored {
		ids[i] = string(p.ID)
	}
	return ids
}

func pageIDs(t *testing.T, a answer) []string {
	t.Helper()
	edges, _ := a.at(t, "payments.edges").([]any)
	ids := make([]string, len(edges))
	for i := range edges {
		ids[i], _ = a.at(t, fmt.Sprintf("payments.edges.%d.node.id", i)).(string)
	}
	return ids
}

func TestPaymentsForwardsAndBackwards(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	want := twentyFive(t, h)
	for _, size := range []int{1, 4, 5, 7, 25, 100} {
		var forwards []string
		variables := map[string]any{"first": size}
		for {
			got := h.get(t, core.RoleViewer, pageQuery, variables)
			require.Equal(t, len(forwards) > 0, got.at(t, "payments.pageInfo.hasPreviousPage"))
			forwards = append(forwards, pageIDs(t, got)...)
			require.LessOrEqual(t, len(forwards), len(want))
			if got.at(t, "payments.pageInfo.hasNextPage") == false {
				break
			}
			variables["after"] = got.at(t, "payments.pageInfo.endCursor")
		}
		require.Equal(t, want, forwards, "pages of %d", size)

		var backwards []string
		variables = map[string]any{"last": size}
		for {
			got := h.get(t, core.RoleViewer, pageQuery, variables)
			require.Equal(t, len(backwards) > 0, got.at(t, "payments.pageInfo.hasNextPage"))
			backwards = append(pageIDs(t, got), backwards...)
			require.LessOrEqual(t, len(backwards), len(want))
			if got.at(t, "payments.pageInfo.hasPreviousPage") == false {
				break
			}
			variables["before"] = got.at(t, "payments.pageInfo.startCursor")
		}
		require.Equal(t, want, backwards, "pages of %d", size)
	}
	require.Len(t, pageIDs(t, h.get(t, core.RoleViewer, pageQuery, nil)), 20, "a page unless told otherwise")
}

func TestPaymentsEmptyPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	got := h.get(t, core.RoleViewer, pageQuery, nil)
	require.JSONEq(t, `{"data":{"payments":{"edges":[],"pageInfo":{"hasNextPage":false,"hasPreviousPage":false,"startCursor":null,"endCursor":null}}}}`, got.Body)
}

func TestPaymentsRefusesArguments(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	entry := h.get(t, core.RoleViewer, pageQuery, nil)
	require.Empty(t, pageIDs(t, entry))
	for name, variables := range map[string]map[string]any{
		"first and last":          {"first": 1, "last": 1},
		"none":                    {"first": 0},
		"negative":                {"last": -1},
		"too many":                {"first": 101},
		"beyond 32 bits":          {"first": 1 << 40},
		"a cursor of nothing":     {"after": "nonsense"},
		"an empty cursor":         {"before": ""},
		"a cursor of another":     {"after": "MXwxfHRtbF8wMWg0NTV2YjRwZXg1dnNrbmswODRzbjAycQ"},
		"a long cursor":           {"after": strings.Repeat("A", 1000)},
		"an empty reference":      {"filter": map[string]any{"reference": ""}},
		"an unstorable reference": {"filter": map[string]any{"reference": "a\x00b"}},
		"no status":               {"filter": map[string]any{"status": []any{}}},
		"an id of another kind":   {"filter": map[string]any{"checkout": "pay_01h455vb4pex5vsknk084sn02q"}},
		"an id of none":           {"filter": map[string]any{"customer": "17"}},
		"no time":                 {"filter": map[string]any{"createdAfter": "yesterday"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := h.ask(t, core.RoleViewer, pageQuery, variables)
			require.Contains(t, []string{"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}, got.code(t), got.Body)
		})
	}
}

func TestPaymentsFilters(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	one, other := h.newCheckout(t), h.newCheckout(t)
	first := h.newPayment(t, one, epoch, func(p *core.Payment) { p.Reference = "order-17" })
	second := h.newPayment(t, one, epoch.Add(time.Second), func(p *core.Payment) {
		p.Status, p.Failure = core.PaymentFailed, core.NewFailure(core.FailureCardDeclined, "")
	})
	third := h.newPayment(t, other, epoch.Add(2*time.Second), func(p *core.Payment) {
		p.Status, p.Account = core.PaymentRequiresAction, "stripe_eu"
	})
	for name, c := range map[string]struct {
		filter map[string]any
		want   []core.PaymentID
	}{
		"none":       {nil, []core.PaymentID{third.ID, second.ID, first.ID}},
		"reference":  {map[string]any{"reference": "order-17"}, []core.PaymentID{first.ID}},
		"statuses":   {map[string]any{"status": []string{"FAILED", "REQUIRES_ACTION", "FAILED"}}, []core.PaymentID{third.ID, second.ID}},
		"account":    {map[string]any{"account": "stripe_eu"}, []core.PaymentID{third.ID}},
		"customer":   {map[string]any{"customer": other.Buyer.Customer}, []core.PaymentID{third.ID}},
		"checkout":   {map[string]any{"checkout": one.ID}, []core.PaymentID{second.ID, first.ID}},
		"after":      {map[string]any{"createdAfter": "2026-03-01T12:00:00Z"}, []core.PaymentID{third.ID, second.ID}},
		"before":     {map[string]any{"createdBefore": "2026-03-01T13:00:02+01:00"}, []core.PaymentID{second.ID, first.ID}},
		"everything": {map[string]any{"checkout": one.ID, "status": []string{"FAILED"}, "reference": nil, "createdAfter": nil}, []core.PaymentID{second.ID}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := h.get(t, core.RoleViewer, `query($filter: PaymentFilter) { payments(filter: $filter) { totalCount edges { node { id } } } }`,
				map[string]any{"filter": c.filter})
			ids := pageIDs(t, got)
			require.Len(t, ids, len(c.want))
			for i, id := range c.want {
				require.Equal(t, string(id), ids[i])
			}
			require.InDelta(t, len(c.want), got.at(t, "payments.totalCount"), 0)
		})
	}
}

func TestTotalCountOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	twentyFive(t, h)
	h.store.reset()
	h.get(t, core.RoleViewer, `{ payments(first: 2) { edges { node { id } } } }`, nil)
	require.Equal(t, map[string]int{"Payments": 1}, h.store.reset())
	got := h.get(t, core.RoleViewer, `{ payments(first: 2) { totalCount } }`, nil)
	require.InDelta(t, 25, got.at(t, "payments.totalCount"), 0)
	require.Equal(t, map[string]int{"Payments": 1, "CountPayments": 1}, h.store.reset())
	h.get(t, core.RoleViewer, `query($no: Boolean!) { payments(first: 2) { edges { node { id } } totalCount @include(if: $no) } }`, map[string]any{"no": false})
	require.Equal(t, map[string]int{"Payments": 1}, h.store.reset())
}

func TestReadsDoNotGrowWithThePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	for i := range 40 {
		payment := h.newPayment(t, h.newCheckout(t), epoch.Add(time.Duration(i)*time.Second))
		h.newOperation(t, payment, epoch)
	}
	const query = `query($first: Int) { payments(first: $first) { edges { node {
		id checkout { id buyer { email } } operations { id payment { id status } } ... on Payment { again: checkout { reference } }
	} } } }`
	const bare = `query($first: Int) { payments(first: $first) { ...P } } fragment P on PaymentConnection { nodes { operations { id } ...C } } fragment C on Payment { checkout { id } }`
	want := map[string]int{"Payments": 1, "Checkouts": 1, "OperationsOfPayments": 1}
	for _, size := range []int{1, 7, 40} {
		h.store.reset()
		require.Len(t, h.get(t, core.RoleViewer, bare, map[string]any{"first": size}).at(t, "payments.nodes"), size)
		require.Equal(t, want, h.store.reset(), "a page of %d by its nodes", size)
		h.store.reset()
		got := h.get(t, core.RoleViewer, query, map[string]any{"first": size})
		require.Len(t, pageIDs(t, got), size)
		require.Equal(t, want, h.store.reset(), "a page of %d", size)
		require.NotNil(t, got.at(t, fmt.Sprintf("payments.edges.%d.node.checkout.id", size-1)))
		require.NotNil(t, got.at(t, fmt.Sprintf("payments.edges.%d.node.operations.0.payment.id", size-1)))
	}
}

func TestPaymentShowsAllFields(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	checkout := h.newCheckout(t)
	full := h.newPayment(t, checkout, epoch, func(p *core.Payment) {
		p.ProviderPaymentID, p.Status, p.ForeignStatus = "pi_1", core.PaymentFailed, "requires_payment_method"
		p.AmountAuthorized, p.AmountCaptured, p.AmountRefunded = usd(t, 2000), usd(t, 1500), usd(t, 5)
		p.Method = &core.PaymentMethod{ID: newID[core.MethodID](), Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 4, ExpYear: 2031}
		p.Failure = core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds")
		p.Disputed, p.Review, p.Anomaly, p.SyncedAt = true, core.ReviewAmount, core.ReasonOverpaid, epoch.Add(time.Minute)
	})
	operation := h.newOperation(t, full, epoch)
	got := h.get(t, core.RoleSupport, `query($id: ID!) { payment(id: $id) {
		id reference status foreignStatus account provider providerPaymentId customerId
		amount { minor currency formatted } amountAuthorized { minor } amountCaptured { minor } amountRefunded { formatted } amountCapturable { minor }
		capture paymentMethod { id type brand last4 expMonth expYear } failure { code providerCode message retryable }
		disputed review anomaly environment metadata createdAt updatedAt syncedAt
		checkout { id reference mode capture status amount { minor } lineItems { name amount { minor } quantity } buyer { customerId email name }
			url environment metadata payment { id } expiresAt createdAt updatedAt }
		operations { id kind status account payment { id } amount { minor } attempts providerObjectId providerRequestId failure { code } createdAt sentAt settledAt }
	} }`, map[string]any{"id": full.ID})
	want := fmt.Sprintf(`{"data":{"payment":{"id":%q,"reference":"order-1","status":"FAILED","foreignStatus":"requires_payment_method",
		"account":"stripe","provider":"stripe","providerPaymentId":"pi_1","customerId":%q,
		"amount":{"minor":2500,"currency":"USD","formatted":"USD 25.00"},"amountAuthorized":{"minor":2000},"amountCaptured":{"minor":1500},
		"amountRefunded":{"formatted":"USD 0.05"},"amountCapturable":{"minor":0},"capture":"AUTOMATIC",
		"paymentMethod":{"id":%q,"type":"card","brand":"visa","last4":"4242","expMonth":4,"expYear":2031},
		"failure":{"code":"INSUFFICIENT_FUNDS","providerCode":"insufficient_funds","message":"Your card does not have enough funds. Try another card.","retryable":true},
		"disputed":true,"review":"AMOUNT_MISMATCH","anomaly":"overpaid","environment":"TEST","metadata":{"phone":"555-0100"},
		"createdAt":"2026-03-01T12:00:00.000000Z","updatedAt":"2026-03-01T12:00:00.000000Z","syncedAt":"2026-03-01T12:01:00.000000Z",
		"checkout":{"id":%q,"reference":"order-1","mode":"PAYMENT","capture":"AUTOMATIC","status":"EXPIRED","amount":{"minor":2500},
			"lineItems":[{"name":"Tea","amount":{"minor":1250},"quantity":2}],
			"buyer":{"customerId":%q,"email":"jo@buyer.example","name":"Jo Buyer"},"url":"https://pay.example/pay/%s","environment":"TEST",
			"metadata":{"phone":"555-0100"},"payment":null,"expiresAt":"2026-03-02T12:00:00.000000Z","createdAt":"2026-03-01T12:00:00.000000Z","updatedAt":"2026-03-01T12:00:00.000000Z"},
		"operations":[{"id":%q,"kind":"CREATE_PAYMENT","status":"FAILED","account":"stripe","payment":{"id":%q},"amount":{"minor":2500},"attempts":1,
			"providerObjectId":"pi_1","providerRequestId":"req_1","failure":{"code":"EXPIRED_CARD"},
			"createdAt":"2026-03-01T12:00:00.000000Z","sentAt":"2026-03-01T12:00:00.000000Z","settledAt":"2026-03-01T12:00:00.000000Z"}]}}}`,
		full.ID, checkout.Buyer.Customer, full.Method.ID, checkout.ID, checkout.Buyer.Customer, checkout.ID, operation.ID, full.ID)
	require.JSONEq(t, want, got.Body)

	bare := h.newPayment(t, checkout, epoch, func(p *core.Payment) { p.Customer, p.Metadata = "", nil })
	got = h.get(t, core.RoleSupport, `query($id: ID!) { payment(id: $id) { foreignStatus providerPaymentId customerId paymentMethod { id }
		failure { code } review anomaly metadata syncedAt operations { id } } }`, map[string]any{"id": bare.ID})
	require.JSONEq(t, `{"data":{"payment":{"foreignStatus":null,"providerPaymentId":null,"customerId":null,"paymentMethod":null,
		"failure":null,"review":null,"anomaly":null,"metadata":{},"syncedAt":null,"operations":[]}}}`, got.Body)
}

func TestPaymentThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	got := h.get(t, core.RoleViewer, `query($id: ID!) { payment(id: $id) { id } }`, map[string]any{"id": newID[core.PaymentID]()})
	require.JSONEq(t, `{"data":{"payment":null}}`, got.Body)
	got = h.ask(t, core.RoleViewer, `query($id: ID!) { payment(id: $id) { id } }`, map[string]any{"id": newID[core.CheckoutID]()})
	require.Equal(t, "BAD_USER_INPUT", got.code(t))
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	payment := h.newPayment(t, h.newCheckout(t), epoch)
	operation := h.newOperation(t, payment, epoch)
	inbound := newID[core.InboundID]()
	entries := []core.TimelineEntry{
		{Kind: core.TimelineCreated, Cause: core.Cause{Kind: core.CauseAPI, Actor: "key_1"}, From: string(core.PaymentProcessing), To: string(core.PaymentProcessing), At: epoch},
		{
			Kind: core.TimelineOperation, Cause: core.Cause{Kind: core.CauseBuyer}, Operation: operation.ID, Status: "failed", Note: "create_payment",
			From: string(core.PaymentProcessing), To: string(core.PaymentProcessing), At: epoch,
		},
		{
			Kind: core.TimelineObservation, Cause: core.Cause{Kind: core.CauseWebhook, Inbound: inbound}, Status: "failed", Verdict: "advance",
			Reason: core.ReasonMoved, TraceID: "0af7651916cd43dd8448eb211c80319c", From: string(core.PaymentProcessing), To: string(core.PaymentFailed), At: epoch.Add(time.Second),
		},
	}
	for i := range entries {
		entries[i].ID, entries[i].Payment, entries[i].Subject = newID[core.TimelineID](), payment.ID, string(payment.ID)
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error { return tx.AppendTimeline(ctx, entries...) })

	const query = `query($id: ID!, $first: Int, $after: Cursor) { payment(id: $id) { timeline(first: $first, after: $after) {
		edges { cursor node { id kind at cause { kind inboundEventId actor } operation { id status } status from to verdict reason note traceId } }
		nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`
	variables := map[string]any{"id": payment.ID, "first": 2}
	first := h.get(t, core.RoleViewer, query, variables)
	require.Equal(t, true, first.at(t, "payment.timeline.pageInfo.hasNextPage"))
	require.Equal(t, false, first.at(t, "payment.timeline.pageInfo.hasPreviousPage"))
	require.Equal(t, map[string]any{
		"id": string(entries[1].ID), "kind": "OPERATION", "at": "2026-03-01T12:00:00.000000Z",
		"cause":     map[string]any{"kind": "BUYER", "inboundEventId": nil, "actor": nil},
		"operation": map[string]any{"id": string(operation.ID), "status": "FAILED"},
		"status":    "failed", "from": "processing", "to": "processing", "verdict": nil, "reason": nil, "note": "create_payment", "traceId": nil,
	}, first.at(t, "payment.timeline.edges.1.node"))
	require.Equal(t, []any{map[string]any{"id": string(entries[0].ID)}, map[string]any{"id": string(entries[1].ID)}}, first.at(t, "payment.timeline.nodes"))
	variables["after"] = first.at(t, "payment.timeline.pageInfo.endCursor")
	rest := h.get(t, core.RoleViewer, query, variables)
	require.Len(t, rest.at(t, "payment.timeline.edges"), 1)
	require.Equal(t, false, rest.at(t, "payment.timeline.pageInfo.hasNextPage"))
	require.Equal(t, map[string]any{
		"id": string(entries[2].ID), "kind": "OBSERVATION", "at": "2026-03-01T12:00:01.000000Z",
		"cause":     map[string]any{"kind": "WEBHOOK", "inboundEventId": string(inbound), "actor": nil},
		"operation": nil, "status": "failed", "from": "processing", "to": "failed", "verdict": "ADVANCE", "reason": "moved", "note": nil,
		"traceId": "0af7651916cd43dd8448eb211c80319c",
	}, rest.at(t, "payment.timeline.edges.0.node"))
}

func TestNodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	checkout := h.newCheckout(t)
	payment := h.newPayment(t, checkout, epoch)
	operation := h.newOperation(t, payment, epoch)
	self := h.staff[core.RoleViewer]
	ids := []string{
		string(operation.ID), string(payment.ID), string(newID[core.PaymentID]()), string(checkout.ID), string(self.ID),
		string(newID[core.CheckoutID]()), string(payment.ID),
	}
	h.store.reset()
	got := h.get(t, core.RoleViewer, `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Payment { reference } ... on Staff { email } } }`, map[string]any{"ids": ids})
	require.Equal(t, map[string]int{"PaymentsByID": 1, "Checkouts": 1, "OperationsByID": 1}, h.store.reset())
	require.Equal(t, []any{
		map[string]any{"__typename": "Operation", "id": ids[0]},
		map[string]any{"__typename": "Payment", "id": ids[1], "reference": "order-1"},
		nil,
		map[string]any{"__typename": "Checkout", "id": ids[3]},
		map[string]any{"__typename": "Staff", "id": ids[4], "email": "viewer@shop.example"},
		nil,
		map[string]any{"__typename": "Payment", "id": ids[6], "reference": "order-1"},
	}, got.at(t, "nodes"))

	got = h.get(t, core.RoleViewer, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": checkout.ID})
	require.Equal(t, string(checkout.ID), got.at(t, "node.id"))
	for _, id := range []string{"", "17", "pay_", "pay_01h455vb4pex5vsknk084sn02", string(newID[core.EndpointID]())} {
		require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleViewer, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).code(t), id)
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = string(payment.ID)
	}
	got = h.ask(t, core.RoleViewer, `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": many})
	require.Equal(t, "BAD_USER_INPUT", got.code(t))
}
