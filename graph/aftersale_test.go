package graph_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// TestWhatFollowsASaleIsListed shows refunds, disputes and subscriptions to staff, with what the
// rules forbid and a provider reported all the same.
func TestWhatFollowsASaleIsListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	payment := h.newPayment(t, h.newCheckout(t), epoch)
	customer := core.Customer{ID: newID[core.CustomerID](), Email: "ada@shop.example", Environment: core.EnvTest, CreatedAt: epoch, UpdatedAt: epoch}
	var refunds [3]core.Refund
	for i := range refunds {
		refunds[i] = core.Refund{
			ID: newID[core.RefundID](), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider, ProviderRefundID: string(newID[core.EventID]()),
			Status: core.RefundSucceeded, Amount: usd(t, 100), Reason: core.RefundRequested, Origin: core.OriginHere, Environment: core.EnvTest,
			CreatedAt: epoch.Add(time.Duration(i) * time.Minute), UpdatedAt: epoch,
		}
	}
	refunds[1].Status, refunds[1].Anomaly = core.RefundFailed, core.Reason(core.ReviewTransition)
	refunds[1].Failure = core.NewFailure(core.FailureRefundFailed, "lost_or_stolen_card")
	dispute := core.Dispute{
		ID: newID[core.DisputeID](), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider, ProviderDisputeID: "dp_1",
		Status: core.DisputeNeedsResponse, ForeignStatus: "needs_response", Reason: core.DisputeFraudulent, Amount: usd(t, 100), DueAt: epoch.Add(time.Hour), CanSubmit: true,
		Withdrawn: usd(t, 100), Reinstated: usd(t, 0), Environment: core.EnvTest, OpenedAt: epoch, CreatedAt: epoch, UpdatedAt: epoch,
	}
	subscription := core.Subscription{
		ID: newID[core.SubscriptionID](), Reference: "tea club", Customer: customer.ID, Account: payment.Account, Provider: payment.Provider,
		Status: core.SubscriptionPastDue, Quantity: 2, Amount: usd(t, 1800), NextAttempt: epoch.Add(72 * time.Hour), Environment: core.EnvTest,
		CreatedAt: epoch, UpdatedAt: epoch,
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
		for _, one := range refunds {
			if _, err := tx.InsertRefund(ctx, one); err != nil {
				return err
			}
		}
		if _, err := tx.InsertDispute(ctx, dispute); err != nil {
			return err
		}
		if _, err := tx.InsertCustomer(ctx, customer); err != nil {
			return err
		}
		_, err := tx.InsertSubscription(ctx, subscription)
		return err
	})

	const list = `query($filter: RefundFilter, $after: Cursor) { refunds(first: 2, after: $after, filter: $filter) {
		nodes { id paymentId status amount { minor } reason origin failure { code providerCode } anomaly } pageInfo { hasNextPage endCursor } } }`
	page := h.get(t, core.RoleViewer, list, nil)
	require.Equal(t, string(refunds[2].ID), page.at(t, "refunds.nodes.0.id"), "newest first")
	require.Equal(t, true, page.at(t, "refunds.pageInfo.hasNextPage"))
	require.Equal(t, "impossible_transition", page.at(t, "refunds.nodes.1.anomaly"))
	require.Equal(t, "lost_or_stolen_card", page.at(t, "refunds.nodes.1.failure.providerCode"))
	rest := h.get(t, core.RoleViewer, list, map[string]any{"after": page.at(t, "refunds.pageInfo.endCursor")})
	require.Len(t, rest.at(t, "refunds.nodes"), 1)
	failed := h.get(t, core.RoleViewer, list, map[string]any{"filter": map[string]any{"payment": payment.ID, "status": []string{"FAILED"}}})
	require.Len(t, failed.at(t, "refunds.nodes"), 1)
	require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleViewer, list, map[string]any{"filter": map[string]any{"status": []string{}}}).code(t))
	require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleViewer, list, map[string]any{"filter": map[string]any{"payment": "pay_1"}}).code(t))

	disputes := h.get(t, core.RoleViewer, `{ disputes(filter: {status: [NEEDS_RESPONSE]}) { nodes { id paymentId reason amount { minor } fee { minor } dueAt canSubmit canAccept closedAt } } }`, nil)
	require.Equal(t, map[string]any{
		"id": string(dispute.ID), "paymentId": string(payment.ID), "reason": "FRAUDULENT", "amount": map[string]any{"minor": 100.0}, "fee": nil,
		"dueAt": "2026-03-01T13:00:00.000000Z", "canSubmit": true, "canAccept": false, "closedAt": nil,
	}, disputes.at(t, "disputes.nodes.0"))

	running := h.get(t, core.RoleViewer, `query($customer: ID!) { subscriptions(filter: {customer: $customer, status: [PAST_DUE]}) { nodes { id reference quantity amount { formatted } nextAttempt priceId } } }`,
		map[string]any{"customer": customer.ID})
	require.Equal(t, string(subscription.ID), running.at(t, "subscriptions.nodes.0.id"))
	require.Nil(t, running.at(t, "subscriptions.nodes.0.priceId"))
	require.Equal(t, "2026-03-04T12:00:00.000000Z", running.at(t, "subscriptions.nodes.0.nextAttempt"))
	none := h.get(t, core.RoleViewer, `{ subscriptions(filter: {account: "elsewhere"}) { nodes { id } } }`, nil)
	require.Empty(t, none.at(t, "subscriptions.nodes"))
}
