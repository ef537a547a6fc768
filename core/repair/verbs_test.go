package repair_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func newHouse(t *testing.T) *coretest.House {
	t.Helper()
	return coretest.New(t, repotest.SQLite(t))
}

var byAPI = core.Cause{Kind: core.CauseAPI, Actor: "key_1"}

func read(t *testing.T, h *coretest.House, id core.OperationID) core.Operation {
	t.Helper()
	op, err := h.Store.Operation(t.Context(), id)
	require.NoError(t, err)
	return op
}

// newest is the newest operation of a kind.
func newest(t *testing.T, h *coretest.House, kind core.OperationKind) (found core.Operation) {
	t.Helper()
	page, err := h.Store.Operations(t.Context(), ports.OperationFilter{Kinds: []core.OperationKind{kind}}, core.PageRequest{Limit: 100})
	require.NoError(t, err)
	for _, op := range page.Items {
		if op.CreatedAt.After(found.CreatedAt) || op.CreatedAt.Equal(found.CreatedAt) && op.ID > found.ID {
			found = op
		}
	}
	require.NotEmpty(t, found.ID, "no %s", kind)
	return found
}

// The calls of each kind. What comes back is of no matter to repair.

func createPayment(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	checkout := h.Open(core.CaptureAutomatic)
	return func(string) { _, _ = h.Payments.Start(t.Context(), checkout.ID, coretest.Account) }
}

func confirmPayment(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	h.Confirming(ports.ConfirmAfterApproval)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	return func(string) { _, _, _ = h.Payments.Confirm(t.Context(), p.Checkout, p.ID, "") }
}

func capturePayment(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	p := h.Authorized()
	return func(request string) {
		_, _ = h.Payments.Capture(t.Context(), payments.Capture{Payment: p.ID, RequestKey: core.RequestKey(request), Cause: byAPI})
	}
}

func cancelPayment(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	p := h.Authorized()
	return func(request string) { _, _ = h.Payments.Cancel(t.Context(), p.ID, core.RequestKey(request), byAPI) }
}

func refundPayment(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	p := h.Paid()
	amount := int64(400)
	return func(request string) {
		_, _ = h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, Amount: &amount, RequestKey: core.RequestKey(request), Cause: byAPI})
	}
}

func chargeMethod(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	method := h.Saved(h.Customer().ID, portstest.CardSucceeds)
	return func(request string) {
		_, _ = h.Payments.Charge(t.Context(), payments.Charge{
			Customer: string(method.Customer), Method: string(method.ID), Amount: 700, Currency: "EUR", Reference: "order",
			RequestKey: core.RequestKey(request), Cause: byAPI,
		})
	}
}

// disputed is a dispute that can be answered.
func disputed(t *testing.T, h *coretest.House) core.Dispute {
	t.Helper()
	p := h.Paid()
	object := h.Provider.OpenDispute(t, p.ID, false)
	h.Told("evt_of_"+object, core.ObjectDispute, object)
	all, err := h.Store.PaymentDisputes(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, all, 1)
	_, err = h.Disputes.SaveEvidence(t.Context(), all[0].ID, map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada"})
	require.NoError(t, err)
	return all[0]
}

func submitEvidence(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	d := disputed(t, h)
	return func(request string) { _, _ = h.Disputes.Submit(t.Context(), d.ID, core.RequestKey(request), byAPI) }
}

func acceptDispute(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	d := disputed(t, h)
	return func(request string) { _, _ = h.Disputes.Accept(t.Context(), d.ID, core.RequestKey(request), byAPI) }
}

func createCustomer(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	customer := h.Customer()
	return func(string) { _, _ = h.Customers.Account(t.Context(), customer.ID, coretest.Account) }
}

func createSetup(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	checkout := h.OpenSetup(h.Customer().ID)
	_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
	require.NoError(t, err)
	return func(string) { _, _ = h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account) }
}

func confirmSetup(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	h.Confirming(ports.ConfirmAfterApproval)
	checkout := h.OpenSetup(h.Customer().ID)
	attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
	return func(string) { _, _, _ = h.Customers.ConfirmSetup(t.Context(), checkout.ID, attempt.Method.ID, "") }
}

func detachMethod(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	method := h.Saved(h.Customer().ID, portstest.CardSucceeds)
	return func(string) { _, _ = h.Customers.Remove(t.Context(), method.Customer, method.ID, byAPI) }
}

func createPrice(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	checkout := h.OpenPlan(h.Plan(1000, 0).ID, 1)
	_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
	require.NoError(t, err)
	return func(string) { _, _ = h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account) }
}

func createSubscription(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	plan := h.Plan(1000, 0)
	h.Subscribed(plan.ID, 1, portstest.CardSucceeds) // so that the price is known there
	checkout := h.OpenPlan(plan.ID, 1)
	_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
	require.NoError(t, err)
	return func(string) { _, _ = h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account) }
}

// onSubscription is a call on a subscription that runs.
func onSubscription(t *testing.T, h *coretest.House, call func(verb subscriptions.Verb)) func(string) {
	t.Helper()
	s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	return func(request string) {
		call(subscriptions.Verb{Subscription: s.ID, RequestKey: core.RequestKey(request), Cause: byAPI})
	}
}

func changeSubscription(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	return onSubscription(t, h, func(verb subscriptions.Verb) {
		_, _ = h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb, Quantity: 2})
	})
}

func pauseSubscription(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	return onSubscription(t, h, func(verb subscriptions.Verb) { _, _ = h.Subscriptions.Pause(t.Context(), verb) })
}

func resumeSubscription(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	_, err := h.Subscriptions.Pause(t.Context(), subscriptions.Verb{Subscription: s.ID, Cause: byAPI})
	require.NoError(t, err)
	return func(request string) {
		_, _ = h.Subscriptions.Resume(t.Context(), subscriptions.Verb{Subscription: s.ID, RequestKey: core.RequestKey(request), Cause: byAPI})
	}
}

func cancelSubscription(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	return onSubscription(t, h, func(verb subscriptions.Verb) { _, _ = h.Subscriptions.Cancel(t.Context(), verb, false) })
}

func swapMethod(t *testing.T, h *coretest.House) func(string) {
	t.Helper()
	s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	link, err := h.Subscriptions.MethodLink(t.Context(), subscriptions.Verb{Subscription: s.ID, RequestKey: "link", Cause: byAPI})
	require.NoError(t, err)
	attempt, err := h.Customers.StartSetup(t.Context(), link.Checkout.ID, coretest.Account)
	require.NoError(t, err)
	require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
	_, _, err = h.Customers.LookSetup(t.Context(), link.Checkout.ID, attempt.Method.ID)
	require.NoError(t, err)
	h.LoseJobs() // the one that would swap
	return func(string) {
		_ = h.Subscriptions.SwapMethod(t.Context(), ports.Job{Subject: string(attempt.Method.ID)})
	}
}
