package paypal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// subscribed is a subscription that a buyer agreed to.
func (h house) subscribed(t *testing.T, plan string) core.ProviderRef {
	t.Helper()
	in := subscribing(plan)
	session, err := h.CreateSubscription(t.Context(), key(), in)
	require.NoError(t, err)
	require.Equal(t, ports.ActionPayPalSubscribe, session.Action.Type)
	require.Equal(t, core.SubscriptionIncomplete, session.Snapshot.Status)
	require.Equal(t, core.SubscriptionID(ourSubscription), session.Snapshot.Subscription)
	require.Equal(t, money(t, 20_00, "EUR"), session.Snapshot.Amount)
	ref := session.Snapshot.Ref
	_, err = h.CancelSubscription(t.Context(), key(), ports.CancelSubscription{Ref: ref})
	require.Equal(t, core.ClassInvalid, failure(t, err).Class, "PayPal ends none that nobody agreed to")
	opened, err := h.OpenSubscription(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, session, opened)
	h.agree(t, "/paypal/webapps/billing/subscriptions?ba_token="+ref.ID, cardGood, "")
	return ref
}

func TestSimulatedSubscription(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	plan, err := h.CreatePrice(t.Context(), "op_p", price(t, 10_00, 0))
	require.NoError(t, err)
	again, err := h.CreatePrice(t.Context(), "op_p", price(t, 10_00, 0))
	require.NoError(t, err)
	require.Equal(t, plan, again)
	ref := h.subscribed(t, plan)
	h.elapse(t, 32*24*time.Hour)
	seen, err := h.GetSubscription(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Len(t, seen.Invoices, 2)
	newest := seen.Invoices[0]
	require.True(t, newest.IssuedAt.After(seen.Invoices[1].IssuedAt), "newest first")
	require.Equal(t, core.InvoicePaid, newest.Status)
	require.Equal(t, money(t, 20_00, "EUR"), newest.AmountPaid)
	require.Equal(t, ref, newest.Subscription)
	require.True(t, seen.CurrentPeriodEnd.After(seen.CurrentPeriodStart))
	invoice, err := h.GetInvoice(t.Context(), newest.Ref)
	require.NoError(t, err)
	require.Equal(t, newest, invoice)

	payment, err := h.GetPayment(t.Context(), newest.Payment)
	require.NoError(t, err)
	require.Equal(t, newest.Payment, payment.Ref)
	require.Equal(t, ref.ID, payment.Subscription)
	require.Equal(t, core.PaymentSucceeded, payment.Status)
	require.Equal(t, money(t, 20_00, "EUR"), payment.Captured)
	refund, err := h.RefundPayment(t.Context(), key(), ports.RefundPayment{Refund: ourRefund, Ref: payment.Ref, Amount: payment.Captured})
	require.NoError(t, err)
	require.Equal(t, payment.Ref, refund.Payment)
	refund, err = h.GetRefund(t.Context(), refund.Ref)
	require.NoError(t, err)
	require.Equal(t, payment.Ref, refund.Payment)
	payment, err = h.GetPayment(t.Context(), refund.Ref)
	require.NoError(t, err)
	require.Equal(t, payment.Captured, payment.Refunded)
	older := seen.Invoices[1].Payment
	h.control(t, "disputes", map[string]any{"account": "paypal", "payment": older.ID})
	disputes, err := h.PaymentDisputes(t.Context(), older)
	require.NoError(t, err)
	require.Len(t, disputes, 1)
	dispute, err := h.GetDispute(t.Context(), disputes[0].Ref)
	require.NoError(t, err)
	require.Equal(t, older, dispute.Payment)
}

func TestSimulatedChangeOfASubscription(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	plan, err := h.CreatePrice(t.Context(), key(), price(t, 10_00, 0))
	require.NoError(t, err)
	dearer, err := h.CreatePrice(t.Context(), key(), price(t, 15_00, 0))
	require.NoError(t, err)
	ref := h.subscribed(t, plan)
	in := ports.ChangeSubscription{
		Ref: ref, Price: price(t, 15_00, 0), ProviderPrice: dearer, Quantity: 3, ReturnURL: "https://shop.example/return", CancelURL: "https://shop.example/back",
	}
	preview, err := h.PreviewChange(t.Context(), in)
	require.NoError(t, err)
	require.True(t, preview.BuyerAgrees && preview.DueNow.IsZero() && preview.EffectiveAt.After(time.Now()))
	require.Equal(t, money(t, 45_00, "EUR"), preview.NextAmount)
	session, err := h.ChangeSubscription(t.Context(), key(), in)
	require.NoError(t, err)
	require.Equal(t, ports.ActionRedirect, session.Action.Type)
	require.Equal(t, plan, session.Snapshot.Price, "nothing has changed yet")
	h.agree(t, strings.TrimPrefix(session.Action.URL, h.base), cardGood, "")
	seen, err := h.GetSubscription(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, dearer, seen.Price)
	require.Equal(t, int64(3), seen.Quantity)
	require.Equal(t, preview.NextAmount, seen.Amount)

	for range 2 {
		paused, err := h.PauseSubscription(t.Context(), "op_s", ref)
		require.NoError(t, err, "what is done is done")
		require.Equal(t, core.SubscriptionPaused, paused.Status)
	}
	for range 2 {
		resumed, err := h.ResumeSubscription(t.Context(), "op_t", ref)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, resumed.Status)
	}
	for range 2 {
		ended, err := h.CancelSubscription(t.Context(), "op_u", ports.CancelSubscription{Ref: ref})
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionCanceled, ended.Status)
		require.False(t, ended.EndedAt.IsZero())
		require.Len(t, ended.Invoices, 1)
	}
	_, err = h.ResumeSubscription(t.Context(), "op_v", ref)
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
}

func TestSimulatedTrialAndFailures(t *testing.T) {
	t.Parallel()
	h := simulate(t)
	plan, err := h.CreatePrice(t.Context(), key(), price(t, 10_00, 14))
	require.NoError(t, err)
	ref := h.subscribed(t, plan)
	look := func(status core.SubscriptionStatus) core.SubscriptionSnapshot {
		t.Helper()
		seen, err := h.GetSubscription(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, status, seen.Status)
		return seen
	}
	trial := look(core.SubscriptionTrialing)
	require.Empty(t, trial.Invoices)
	require.WithinDuration(t, time.Now().Add(14*24*time.Hour), trial.TrialEnd, time.Minute)
	h.control(t, "subscriptions/"+ref.ID, map[string]any{"card": "declined"})
	h.elapse(t, 15*24*time.Hour)
	late := look(core.SubscriptionPastDue)
	require.Equal(t, 1, late.FailedAttempts)
	require.NotNil(t, late.Failure)
	require.Zero(t, late.TrialEnd)
	require.True(t, late.NextAttempt.After(trial.TrialEnd))
	h.elapse(t, 15*24*time.Hour)
	unpaid := look(core.SubscriptionUnpaid)
	require.Equal(t, 3, unpaid.FailedAttempts)
	require.Zero(t, unpaid.NextAttempt)
}
