package coretest

import (
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// Confirming makes the first account one at which payments come about in that mode.
func (h *House) Confirming(mode ports.ConfirmMode) {
	h.Accounts[Account] = h.Provider
	if mode == ports.ConfirmInBrowser {
		return
	}
	h.Accounts[Account] = h.Provider.Confirming(mode)
}

// Customer is a new customer.
func (h *House) Customer() core.Customer {
	h.t.Helper()
	customer, err := h.Customers.Create(h.t.Context(), customers.NewCustomer{Email: "ada@example.test", Name: "Ada"})
	require.NoError(h.t, err)
	return customer
}

// OpenSetup opens a checkout at which a customer leaves a method.
func (h *House) OpenSetup(customer core.CustomerID) core.Checkout {
	h.t.Helper()
	checkout, err := h.Payments.OpenCheckout(h.t.Context(), payments.OpenCheckout{
		Reference: "wallet", Currency: "EUR", Mode: core.ModeSetup, SuccessURL: "https://shop.example/saved", CustomerID: string(customer),
	})
	require.NoError(h.t, err)
	return checkout
}

// Saved is a method that a customer left with a card at the first account.
func (h *House) Saved(customer core.CustomerID, card portstest.Card) core.SavedMethod {
	h.t.Helper()
	checkout := h.OpenSetup(customer)
	attempt, err := h.Customers.StartSetup(h.t.Context(), checkout.ID, Account)
	require.NoError(h.t, err)
	if attempt.Action.Type == ports.ActionTokenize {
		method, _, err := h.Customers.ConfirmSetup(h.t.Context(), checkout.ID, attempt.Method.ID, portstest.FakeSource(card))
		require.NoError(h.t, err)
		return method
	}
	require.True(h.t, h.Provider.Save(attempt.Object, card), "nothing to agree to")
	method, _, err := h.Customers.LookSetup(h.t.Context(), checkout.ID, attempt.Method.ID)
	require.NoError(h.t, err)
	require.Equal(h.t, core.MethodActive, method.Status)
	return method
}

// Plan is a price of ten euros a month with a number of days on trial.
func (h *House) Plan(minor int64, trialDays int) core.Price {
	h.t.Helper()
	price, err := h.Subscriptions.CreatePrice(h.t.Context(), subscriptions.NewPrice{
		Name: "Tea club", Amount: minor, Currency: "EUR", Recurring: &core.Recurring{Interval: core.IntervalMonth, TrialDays: trialDays},
	})
	require.NoError(h.t, err)
	return price
}

// OpenPlan opens a checkout at which a new customer subscribes to a price.
func (h *House) OpenPlan(price core.PriceID, quantity int64) core.Checkout {
	h.t.Helper()
	checkout, err := h.Payments.OpenCheckout(h.t.Context(), payments.OpenCheckout{
		Reference: "tea", Currency: "EUR", Mode: core.ModeSubscription, SuccessURL: "https://shop.example/done", Email: "ada@example.test", Name: "Ada",
		Items: []payments.OpenItem{{Price: string(price), Quantity: quantity}}, Metadata: map[string]string{"plan": "tea"},
	})
	require.NoError(h.t, err)
	return checkout
}

// Subscribed is a subscription at the first account whose buyer gave that card.
func (h *House) Subscribed(price core.PriceID, quantity int64, card portstest.Card) core.Subscription {
	h.t.Helper()
	checkout := h.OpenPlan(price, quantity)
	attempt, err := h.Subscriptions.Start(h.t.Context(), checkout.ID, Account)
	require.NoError(h.t, err)
	if attempt.Action.Type == ports.ActionTokenize {
		subscription, _, err := h.Subscriptions.Confirm(h.t.Context(), checkout.ID, attempt.Subscription.ID, portstest.FakeSource(card))
		require.NoError(h.t, err)
		return subscription
	}
	require.True(h.t, h.Provider.Subscribe(attempt.Subscription.ProviderSubscriptionID, card), "nothing to agree to")
	subscription, _, err := h.Subscriptions.Look(h.t.Context(), checkout.ID, attempt.Subscription.ID)
	require.NoError(h.t, err)
	return subscription
}

// Subscription reads a subscription.
func (h *House) Subscription(id core.SubscriptionID) core.Subscription {
	h.t.Helper()
	s, err := h.Store.Subscription(h.t.Context(), id)
	require.NoError(h.t, err)
	return s
}

// Told is a webhook about any object at the first account, and all the jobs that are due.
func (h *House) Told(event string, kind core.ObjectKind, id string) {
	h.t.Helper()
	delivery := h.Delivery(event, id)
	delivery.Ref.Kind = kind
	require.NoError(h.t, h.Inbox.Accept(h.t.Context(), []core.Delivery{delivery}))
	h.RunDue()
}
