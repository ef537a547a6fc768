package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// statementsMax is how many statements one request may lead to, that which finds the member of staff included.
const statementsMax = 5

// statements keeps the names of the statements that a store sends: it has a span made of each.
type statements struct {
	noop.TracerProvider

	mu    sync.Mutex
	names []string
}

// Tracer gives one that adds to the names.
func (s *statements) Tracer(string, ...trace.TracerOption) trace.Tracer { return naming{sent: s} }

type naming struct {
	noop.Tracer

	sent *statements
}

// Start is called by the store's query hook, once before each statement.
func (n naming) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	n.sent.mu.Lock()
	n.sent.names = append(n.sent.names, name)
	n.sent.mu.Unlock()
	return n.Tracer.Start(ctx, name, options...)
}

// reset gives the names and begins anew.
func (s *statements) reset() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := s.names
	s.names = nil
	return names
}

// ofEachDatabase runs a test over a house whose statements are kept.
func ofEachDatabase(t *testing.T, test func(t *testing.T, h *house, sent *statements)) {
	t.Helper()
	over := func(t *testing.T, url string) {
		t.Helper()
		sent := &statements{}
		options := repotest.Options(url)
		options.Tracer = sent
		store, closeStore, err := bunrepo.Open(t.Context(), options)
		require.NoError(t, err)
		t.Cleanup(closeStore)
		test(t, newHouseOver(t, core.EnvTest, store), sent)
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		over(t, repotest.SQLiteURL(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		repotest.NeedPostgres(t)
		over(t, repotest.PostgresURL(t))
	})
}

// fillFor stores that many of everything that hangs on a payment, each with others above and below it.
func fillFor(t *testing.T, h *house, count int) {
	t.Helper()
	for i := range count {
		when := epoch.Add(time.Duration(i) * time.Second)
		customer := h.newCustomer(t, fmt.Sprintf("buyer%d@shop.example", i))
		checkout := h.newCheckout(t, func(c *core.Checkout) { c.Buyer.Customer = customer.ID })
		payment := h.newPayment(t, checkout, when, captures(usd(t, 2500)), func(p *core.Payment) {
			p.Method = &core.PaymentMethod{Type: "card", Last4: "4242"}
		})
		h.newOperation(t, payment, when)
		h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
			_, err := tx.InsertRefund(ctx, core.Refund{
				ID: newID[core.RefundID](), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider, Status: core.RefundPending, Amount: usd(t, 100),
				Origin: core.OriginHere, Environment: core.EnvTest, CreatedAt: when, UpdatedAt: when,
			})
			require.NoError(t, err)
			_, err = tx.InsertDispute(ctx, core.Dispute{
				ID: newID[core.DisputeID](), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider, ProviderDisputeID: fmt.Sprintf("du_%d", i),
				Status: core.DisputeNeedsResponse, Reason: core.DisputeGeneral, Amount: usd(t, 2400), Environment: core.EnvTest, CreatedAt: when, UpdatedAt: when, DueAt: when,
			})
			require.NoError(t, err)
			_, err = tx.AcceptInbound(ctx, []core.InboundEvent{{
				ID: newID[core.InboundID](), Account: "stripe", Type: "payment.changed", Status: core.InboundReceived, Source: core.InboundWebhook,
				ProviderEventID: fmt.Sprintf("evt_%d", i), Body: []byte("{}"), ReceivedAt: when,
			}})
			return err
		})
	}
}

// listQueries are what staff's lists ask for, by the field whose nodes grow with the page.
func listQueries() map[string]string {
	return map[string]string{
		"payments newest":                         `payments(first: $first) { nodes { id status amount { formatted } reference createdAt } pageInfo { hasNextPage endCursor } }`,
		"payments by status with what follows":    `payments(first: $first, filter: {status: [SUCCEEDED]}) { nodes { id refunds { id amount { minor } status } customer { id name } } }`,
		"payments with all that fits":             `payments(first: $first) { edges { node { id refunds { id payment { id } } customer { id } disputes { id } } } }`,
		"payments counted":                        `payments(first: $first) { totalCount nodes { id checkout { id } operations { id payment { id } } } }`,
		"payments of a card":                      `payments(first: $first, filter: {last4: "4242"}) { nodes { id customer { email } } }`,
		"refunds":                                 `refunds(first: $first) { nodes { id payment { id customer { name } } } }`,
		"disputes by deadline":                    `disputes(first: $first, sort: DUE) { nodes { id payment { id customer { name } } } }`,
		"customers with their payments":           `customers(first: $first) { nodes { id payments { id refunds { id } } subscriptions { id } } }`,
		"checkouts":                               `checkouts(first: $first) { nodes { id payment { id } } }`,
		"operations":                              `operations(first: $first) { nodes { id payment { id customer { name } } } }`,
		"inbound events with what came of them":   `inboundEvents(first: $first) { nodes { id outcomes { id } } }`,
		"all payments of a search by four digits": `search(text: "4242") { ... on Payment { id refunds { id } customer { id } } }`,
		"a search for a reference":                `search(text: "order-1") { ... on Payment { id } ... on Checkout { id } }`,
		"a search for an email":                   `search(text: "buyer1@shop.example") { ... on Payment { id } ... on Customer { id } }`,
		"a summary":                               `summary(from: "2026-01-01T00:00:00Z", to: "2026-04-01T00:00:00Z") { currencies { totals { payments } buckets { figures { payments } } } }`,
	}
}

// A page of fifty leads to as many statements as a page of two, and to no more than a handful.
func TestStatementsDoNotGrowWithThePage(t *testing.T) {
	t.Parallel()
	const few, many = 2, 50
	ofEachDatabase(t, func(t *testing.T, h *house, sent *statements) {
		fillFor(t, h, many)
		for name, fields := range listQueries() {
			counts := make(map[int][]string)
			for _, size := range []int{few, many} {
				sent.reset()
				page := h.get(t, core.RoleSupport, "{ "+strings.ReplaceAll(fields, "$first", strconv.Itoa(size))+" }", nil)
				counts[size] = sent.reset()
				for list, value := range page.Data {
					if connection, ok := value.(map[string]any); ok && connection["nodes"] != nil {
						require.Len(t, connection["nodes"], size, "%s: %s", name, list)
					}
				}
			}
			slices.Sort(counts[few])
			slices.Sort(counts[many])
			require.Equal(t, counts[few], counts[many], name)
			require.GreaterOrEqual(t, len(counts[many]), 2, "%s: the member of staff and the list", name)
			require.LessOrEqual(t, len(counts[many]), statementsMax, "%s: %v", name, counts[many])
		}
	})
}
