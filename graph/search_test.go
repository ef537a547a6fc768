package graph_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// newCustomer stores a customer.
func (h *house) newCustomer(t *testing.T, email string) core.Customer {
	t.Helper()
	customer := core.Customer{
		ID: newID[core.CustomerID](), Email: email, Name: "Ada Buyer", Environment: core.EnvTest, Metadata: map[string]string{"tier": "gold"},
		CreatedAt: epoch, UpdatedAt: epoch,
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) (err error) {
		customer, err = tx.InsertCustomer(ctx, customer)
		return err
	})
	return customer
}

func TestSearchFindsAPaymentByWhatStaffHave(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	customer := h.newCustomer(t, "Ada@Shop.example")
	checkout := h.newCheckout(t, func(c *core.Checkout) { c.Buyer.Customer, c.Reference = customer.ID, "order 17" })
	payment := h.newPayment(t, checkout, epoch, func(p *core.Payment) {
		p.ProviderPaymentID, p.ProviderSessionID = "pi_17", "cs_17"
		p.Method = &core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 1, ExpYear: 2031}
	})
	h.newPayment(t, h.newCheckout(t, func(c *core.Checkout) { c.Buyer, c.Reference = core.Buyer{}, "order 18" }), epoch)
	const query = `query($text: String!) { search(text: $text) { __typename ... on Payment { id } ... on Checkout { id } ... on Customer { id email } } }`
	hits := func(text string) (payments []string) {
		for _, hit := range h.get(t, core.RoleSupport, query, map[string]any{"text": text}).at(t, "search").([]any) {
			if one := hit.(map[string]any); one["__typename"] == "Payment" {
				payments = append(payments, one["id"].(string))
			}
		}
		return payments
	}
	for _, text := range []string{string(payment.ID), " order 17 ", "pi_17", "cs_17", "4242", "jo@buyer.example", "ADA@shop.example"} {
		require.Equal(t, []string{string(payment.ID)}, hits(text), text)
	}
	for _, text := range []string{"order", "pi_1", "%", "4243", string(newID[core.PaymentID]()), "nobody@buyer.example"} {
		require.Empty(t, hits(text), text)
	}
	for _, text := range []string{"", "  ", strings.Repeat("a", 256), "a\x00b", "4242 4242 4242 4242"} {
		got := h.ask(t, core.RoleSupport, query, map[string]any{"text": text})
		require.Equal(t, "BAD_USER_INPUT", got.code(t), text)
		require.NotContains(t, got.Body, "4242 4242", "what may be a card number is not told again")
	}
	masked := h.get(t, core.RoleViewer, query, map[string]any{"text": "ada@shop.example"})
	require.NotContains(t, masked.Body, "Ada@", "a viewer sees no email")
}

func TestCustomersCheckoutsAndMessagesAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	customer := h.newCustomer(t, "ada@shop.example")
	h.newCustomer(t, "bob@shop.example")
	checkout := h.newCheckout(t, func(c *core.Checkout) { c.Buyer.Customer, c.Reference = customer.ID, "order 17" })
	h.newCheckout(t)
	payment := h.newPayment(t, checkout, epoch)
	inbound := core.InboundEvent{
		ID: newID[core.InboundID](), Account: "stripe", ProviderEventID: "evt_17", Type: "payment_intent.succeeded", Source: core.InboundWebhook, Status: core.InboundFailed,
		Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: "pi_17"}, Body: []byte(`{"id":"evt_17","data":{"receipt_email":"ada@shop.example"}}`),
		Note: "given up: api_error", ReceivedAt: epoch,
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.AcceptInbound(ctx, []core.InboundEvent{inbound})
		return err
	})

	found := h.get(t, core.RoleSupport, `{ customers(filter: {email: "ADA@shop.example"}) { nodes { id name payments { id } subscriptions { id } } pageInfo { hasNextPage } } }`, nil)
	require.Equal(t, []any{map[string]any{"id": string(customer.ID), "name": "Ada Buyer", "payments": []any{map[string]any{"id": string(payment.ID)}}, "subscriptions": []any{}}},
		found.at(t, "customers.nodes"))
	require.Len(t, h.get(t, core.RoleViewer, `{ customers { nodes { id } } }`, nil).at(t, "customers.nodes"), 2)
	one := h.get(t, core.RoleSupport, `query($id: ID!) { customer(id: $id) { email } }`, map[string]any{"id": customer.ID})
	require.Equal(t, "ada@shop.example", one.at(t, "customer.email"))

	for _, filter := range []string{`reference: "order 17"`, fmt.Sprintf(`customer: %q`, customer.ID), `reference: "order 17", email: "JO@buyer.example", status: [OPEN, EXPIRED]`} {
		list := h.get(t, core.RoleSupport, `{ checkouts(filter: {`+filter+`}) { nodes { id } } }`, nil)
		require.Equal(t, []any{map[string]any{"id": string(checkout.ID)}}, list.at(t, "checkouts.nodes"), filter)
	}

	events := h.get(t, core.RoleSupport, `{ inboundEvents(filter: {status: [FAILED], account: "stripe"}) { nodes { id note payload outcomes { id } } } }`, nil)
	require.Equal(t, string(inbound.ID), events.at(t, "inboundEvents.nodes.0.id"))
	require.Contains(t, events.at(t, "inboundEvents.nodes.0.payload"), "evt_17")
	require.NotContains(t, events.Body, "ada@shop.example", "nobody sees what a message says of people")

	require.Equal(t, "FORBIDDEN", h.ask(t, core.RoleSupport, `{ auditLog { nodes { id } } }`, nil).code(t))
	log := h.get(t, core.RoleFinance, `{ auditLog(first: 1) { nodes { action actor } pageInfo { hasNextPage } } }`, nil)
	require.Equal(t, string(h.staff[core.RoleSupport].ID), log.at(t, "auditLog.nodes.0.actor"), "the refusal is a line of it")
	require.Equal(t, true, log.at(t, "auditLog.pageInfo.hasNextPage"))
}

func TestPaymentsAreSortedAndFilteredByAmount(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	for i, minor := range []int64{300, 100, 200} {
		h.newPayment(t, h.newCheckout(t, func(c *core.Checkout) { c.Amount = usd(t, minor) }), epoch.Add(time.Duration(i)*time.Second))
	}
	const query = `query($sort: PaymentSort, $after: Cursor, $filter: PaymentFilter) { payments(first: 2, after: $after, sort: $sort, filter: $filter) {
		nodes { amount { minor } } pageInfo { endCursor } } }`
	dollars := map[string]any{"currency": "USD"}
	amounts := func(least, most int) map[string]any {
		return map[string]any{"amount": map[string]any{"currency": "USD", "minMinor": least, "maxMinor": most}}
	}
	for sort, want := range map[string][]float64{"LARGEST": {300, 200, 100}, "SMALLEST": {100, 200, 300}, "OLDEST": {300, 100, 200}, "NEWEST": {200, 100, 300}} {
		var met []float64
		var after any
		for range 2 {
			page := h.get(t, core.RoleViewer, query, map[string]any{"sort": sort, "after": after, "filter": dollars})
			for i := range page.at(t, "payments.nodes").([]any) {
				met = append(met, page.at(t, fmt.Sprintf("payments.nodes.%d.amount.minor", i)).(float64))
			}
			after = page.at(t, "payments.pageInfo.endCursor")
		}
		require.Equal(t, want, met, sort)
	}
	within := amounts(150, 250)
	require.Len(t, h.get(t, core.RoleViewer, query, map[string]any{"filter": within}).at(t, "payments.nodes"), 1)

	cursor := h.get(t, core.RoleViewer, query, map[string]any{"sort": "LARGEST", "filter": dollars}).at(t, "payments.pageInfo.endCursor")
	for name, variables := range map[string]map[string]any{
		"amounts of no currency":      {"filter": map[string]any{"amount": map[string]any{"currency": "", "minMinor": 1}}},
		"an order of no currency":     {"sort": "LARGEST"},
		"a cursor of another order":   {"sort": "NEWEST", "after": cursor, "filter": dollars},
		"an unknown provider":         {"filter": map[string]any{"provider": "adyen"}},
		"an unknown currency":         {"filter": map[string]any{"currency": "dollars"}},
		"a range that is turned over": {"filter": amounts(2, 1)},
		"five digits":                 {"filter": map[string]any{"last4": "42424"}},
	} {
		require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleViewer, query, variables).code(t), name)
	}
}

// What a payment leads to costs one read each, however many payments there are.
func TestReadsOfWhatFollowsDoNotGrow(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	for i := range 20 {
		customer := h.newCustomer(t, fmt.Sprintf("buyer%d@shop.example", i))
		payment := h.newPayment(t, h.newCheckout(t, func(c *core.Checkout) { c.Buyer.Customer = customer.ID }), epoch.Add(time.Duration(i)*time.Second))
		h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
			_, err := tx.InsertRefund(ctx, core.Refund{
				ID: newID[core.RefundID](), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider, Status: core.RefundPending, Amount: usd(t, 100),
				Reason: core.RefundRequested, Origin: core.OriginHere, Environment: core.EnvTest, CreatedAt: epoch, UpdatedAt: epoch,
			})
			return err
		})
	}
	const query = `query($first: Int) { payments(first: $first) { nodes { id customer { id name payments { id } } refunds { id amount { minor } payment { id } } disputes { id } } } }`
	want := map[string]int{"Payments": 1, "CustomersByID": 1, "RefundsOfPayments": 1, "DisputesOfPayments": 1, "PaymentsOfCustomers": 1}
	for _, size := range []int{1, 7, 20} {
		h.store.reset()
		page := h.get(t, core.RoleSupport, query, map[string]any{"first": size})
		require.Equal(t, want, h.store.reset(), "a page of %d", size)
		require.Len(t, page.at(t, fmt.Sprintf("payments.nodes.%d.refunds", size-1)), 1)
		require.NotNil(t, page.at(t, fmt.Sprintf("payments.nodes.%d.customer.payments.0.id", size-1)))
	}
}
