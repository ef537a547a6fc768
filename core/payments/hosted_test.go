package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// openHosted opens a checkout that is paid on the provider's own page.
func openHosted(t *testing.T, h *coretest.House, capture core.CaptureMode) core.Checkout {
	t.Helper()
	checkout, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "order", Currency: "EUR", Capture: capture, Flow: core.FlowRedirect, SuccessURL: "https://shop.example/done",
		Items: []payments.OpenItem{{Name: "a shirt", Amount: coretest.Price, Quantity: 1}},
	})
	require.NoError(t, err)
	return checkout
}

// sent is an attempt whose buyer is sent to the provider's page.
func sent(t *testing.T, h *coretest.House, checkout core.CheckoutID) core.Payment {
	t.Helper()
	started, err := h.Payments.Start(t.Context(), checkout, coretest.Account)
	require.NoError(t, err)
	require.Equal(t, ports.ActionRedirect, started.Action.Type)
	require.NotEmpty(t, started.Action.URL)
	require.NotEmpty(t, started.Payment.ProviderSessionID)
	require.Empty(t, started.Payment.ProviderPaymentID)
	return started.Payment
}

func TestAPaymentOnTheProvidersOwnPage(t *testing.T) {
	t.Parallel()
	for name, arrive := range map[string]func(*testing.T, *coretest.House, core.Payment){
		"the buyer comes back": func(_ *testing.T, h *coretest.House, p core.Payment) { h.Look(p) },
		"a webhook about the payment": func(t *testing.T, h *coretest.House, p core.Payment) {
			t.Helper()
			seen, ok := h.Provider.Object(p.ID)
			require.True(t, ok)
			h.Webhook("evt_1", seen.Ref.ID)
			h.RunDue()
		},
		"a webhook about the page": func(t *testing.T, h *coretest.House, p core.Payment) {
			t.Helper()
			delivery := h.Delivery("evt_1", "")
			delivery.Ref = p.Ref()
			require.NoError(t, h.Inbox.Accept(t.Context(), []core.Delivery{delivery}))
			h.RunDue()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := sent(t, h, openHosted(t, h, core.CaptureManual).ID)
			require.Equal(t, p.ID, sent(t, h, p.Checkout).ID, "the open page goes on")
			h.Pay(p.ID, portstest.CardDeclined)
			require.Equal(t, core.PaymentRequiresAction, h.Look(p).Status, "a decline is the page's own matter: the buyer tries again there")
			h.Pay(p.ID, portstest.CardSucceeds)
			arrive(t, h, p)
			held := h.Payment(p.ID)
			require.Equal(t, core.PaymentAuthorized, held.Status)
			require.NotEmpty(t, held.ProviderPaymentID)
			require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
			taken, err := h.Payments.Capture(t.Context(), payments.Capture{Payment: p.ID, Cause: core.Cause{Kind: core.CauseAPI}})
			require.NoError(t, err)
			require.Equal(t, core.PaymentSucceeded, taken.Status)
			require.Equal(t, 1, h.Provider.CallsOf("CreateHosted"))
			require.Zero(t, h.Provider.CallsOf("CreatePayment"))
		})
	}
}

func TestAPageThatIsGivenUpIsClosed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := sent(t, h, openHosted(t, h, core.CaptureAutomatic).ID)
	_, err := h.Payments.Start(t.Context(), p.Checkout, coretest.OtherAccount)
	require.NoError(t, err)
	require.Equal(t, core.PaymentCanceled, h.Payment(p.ID).Status)
	require.False(t, h.Provider.Pay(p.ID, portstest.CardSucceeds), "nothing to be paid any more")

	expired := openHosted(t, h, core.CaptureAutomatic)
	p = sent(t, h, expired.ID)
	h.Clock.Advance(core.CheckoutLifeDefault + time.Hour)
	require.NoError(t, h.Payments.ExpireDue(t.Context(), ports.Job{}))
	require.Equal(t, core.CheckoutExpired, h.Checkout(expired.ID).Status)
	require.False(t, h.Provider.Pay(p.ID, portstest.CardSucceeds))
}

func TestALostAnswerOfAPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := openHosted(t, h, core.CaptureAutomatic)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	var unknown *core.ProviderError
	require.ErrorAs(t, err, &unknown)
	p := sent(t, h, checkout.ID)
	require.Equal(t, 1, h.Provider.Effects(t))
	h.Pay(p.ID, portstest.CardSucceeds)
	require.Equal(t, core.PaymentSucceeded, h.Look(p).Status)
}

func TestOnlyPagesThatHoldMoneyServeManualCapture(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.HostedManualCapture = false })
	checkout := openHosted(t, h, core.CaptureManual)
	_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrAccountNotOffered)
	_, err = h.Payments.Start(t.Context(), checkout.ID, coretest.OtherAccount)
	require.NoError(t, err)
	_, err = h.Payments.Start(t.Context(), openHosted(t, h, core.CaptureAutomatic).ID, coretest.Account)
	require.NoError(t, err, "what is taken at once is no matter")
}

func TestOnlyAccountsWithAPageServeRedirects(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, one := range []*portstest.FakeProvider{h.Provider, h.Other} {
		one.SetCapabilities(func(can *ports.Capabilities) { can.Hosted = false })
	}
	_, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "order", Currency: "EUR", Flow: core.FlowRedirect, SuccessURL: "https://shop.example/done",
		Items: []payments.OpenItem{{Name: "a shirt", Amount: 1, Quantity: 1}},
	})
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid)
}
