package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const longAfter = core.CheckoutLifeDefault + time.Hour

func sweep(t *testing.T, h *coretest.House) {
	t.Helper()
	require.NoError(t, h.Payments.ExpireDue(t.Context(), ports.Job{Kind: ports.JobExpireCheckouts}))
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	idle, waiting, held, paid := h.Open(core.CaptureAutomatic), h.Start(h.Open(core.CaptureAutomatic).ID), h.Authorized(), h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(paid.ID, portstest.CardSucceeds)

	h.Clock.Advance(core.CheckoutLifeDefault)
	sweep(t, h)
	require.Equal(t, core.CheckoutExpired, h.Checkout(idle.ID).Status)
	require.Equal(t, []core.EventType{core.EventCheckoutExpired}, h.Types(string(idle.ID)))
	require.Equal(t, core.CheckoutOpen, h.Checkout(waiting.Checkout).Status, "its buyer gets some grace")

	h.Clock.Advance(time.Hour)
	sweep(t, h)
	sweep(t, h)
	require.Equal(t, core.CheckoutExpired, h.Checkout(waiting.Checkout).Status)
	require.Equal(t, core.PaymentCanceled, h.Payment(waiting.ID).Status)
	seen, _ := h.Provider.Object(waiting.ID)
	require.Equal(t, core.PaymentCanceled, seen.Status, "closed at the provider before")
	require.Equal(t, core.CheckoutComplete, h.Checkout(held.Checkout).Status)
	require.Equal(t, core.PaymentAuthorized, h.Payment(held.ID).Status)
	require.Equal(t, core.CheckoutComplete, h.Checkout(paid.Checkout).Status, "asking to close it showed the money")
	require.Equal(t, []core.EventType{core.EventCheckoutExpired}, h.Types(string(idle.ID)), "told once")

	for _, id := range []core.CheckoutID{idle.ID, waiting.Checkout} {
		_, err := h.Payments.Start(t.Context(), id, coretest.Account)
		require.ErrorIs(t, err, core.ErrCheckoutExpired)
		again, err := h.Payments.ExpireCheckout(t.Context(), id, byAPI)
		require.NoError(t, err)
		require.Equal(t, core.CheckoutExpired, again.Status)
	}
	_, err := h.Payments.ExpireCheckout(t.Context(), paid.Checkout, byAPI)
	require.ErrorIs(t, err, core.ErrCheckoutComplete)
	_, err = h.Payments.ExpireCheckout(t.Context(), "chk_missing", byAPI)
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func TestExpiredBeforeTheSweepCannotBePaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	h.Clock.Advance(core.CheckoutLifeDefault)
	_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrCheckoutExpired)
}

func TestMoneySeenAfterExpiryCompletes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardDeclined)
	p = h.Look(p)
	h.Clock.Advance(longAfter)
	sweep(t, h)
	require.Equal(t, core.CheckoutExpired, h.Checkout(p.Checkout).Status)
	h.Pay(p.ID, portstest.CardSucceeds)
	h.Webhook("evt_1", p.ProviderPaymentID)
	h.RunAll()
	checkout := h.Checkout(p.Checkout)
	require.Equal(t, core.CheckoutComplete, checkout.Status)
	require.Equal(t, p.ID, checkout.Payment)
	require.Equal(t, []core.EventType{core.EventCheckoutExpired, core.EventCheckoutCompleted}, h.Types(string(checkout.ID)))
}

// A payment that the provider works on cannot be closed: it is left alone, and asked
// about once a sweep at most.
func TestExpiryLeavesMoneyOnItsWayAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Set(p.ID, func(seen *core.PaymentSnapshot) {
		seen.Status, seen.ForeignStatus, seen.Payable = core.PaymentProcessing, "processing", false
	})
	h.Clock.Advance(longAfter)
	sweep(t, h) // learns of it
	require.Equal(t, core.PaymentProcessing, h.Payment(p.ID).Status)
	operations := len(h.Operations(p.ID))
	for range 3 {
		sweep(t, h)
	}
	require.Len(t, h.Operations(p.ID), operations, "it is not asked to cancel again and again")
	require.Equal(t, core.CheckoutOpen, h.Checkout(p.Checkout).Status)
	_, err := h.Payments.ExpireCheckout(t.Context(), p.Checkout, byAPI)
	require.ErrorIs(t, err, core.ErrPaymentInProgress)

	h.Provider.Set(p.ID, func(seen *core.PaymentSnapshot) {
		seen.Status, seen.ForeignStatus, seen.Payable = core.PaymentRequiresAction, "requires_payment_method", true
	})
	h.Clock.Advance(time.Hour)
	sweep(t, h)
	require.Equal(t, core.CheckoutExpired, h.Checkout(p.Checkout).Status, "once it waits for its buyer again")
}

func TestExpiryWithAnUnansweredCreation(t *testing.T) {
	t.Parallel()
	for name, fail := range unanswered {
		h := newHouse(t)
		checkout := h.Open(core.CaptureAutomatic)
		fail(h.Provider)
		_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
		require.Error(t, err)
		h.Clock.Advance(20 * time.Hour) // the key is still good
		expired, err := h.Payments.ExpireCheckout(t.Context(), checkout.ID, byAPI)
		require.NoError(t, err, name)
		require.Equal(t, core.CheckoutExpired, expired.Status, name)
		h.RunAll()
		require.Equal(t, core.PaymentCanceled, h.Payment(expired.Payment).Status, name)
		require.Equal(t, 2, h.Provider.Effects(t), "created once, canceled once: %s", name)
	}
}

// An attempt whose creation went unanswered, and that was paid meanwhile, is no abandoned one.
func TestWhatWasPaidUnseenIsNotGivenUp(t *testing.T) {
	t.Parallel()
	for name, giveUp := range map[string]func(*testing.T, *coretest.House, core.Payment) error{
		"expired": func(t *testing.T, h *coretest.House, p core.Payment) error {
			t.Helper()
			_, err := h.Payments.ExpireCheckout(t.Context(), p.Checkout, core.Cause{Kind: core.CauseAPI})
			return err
		},
		"another account": func(t *testing.T, h *coretest.House, p core.Payment) error {
			t.Helper()
			_, err := h.Payments.Start(t.Context(), p.Checkout, coretest.OtherAccount)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			checkout := h.Open(core.CaptureManual)
			h.Provider.FailNextAfterCommit(portstest.NoAnswer())
			_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
			require.Error(t, err)
			p := h.Payment(h.Checkout(checkout.ID).LeasedPayment())
			h.Pay(p.ID, portstest.CardSucceeds)
			require.Error(t, giveUp(t, h, p))
			h.RunAll()
			require.Equal(t, core.PaymentAuthorized, h.Payment(p.ID).Status, "nobody asked for the money to be let go")
			require.Equal(t, core.CheckoutComplete, h.Checkout(checkout.ID).Status)
		})
	}
}

// More checkouts than one sweep takes, whose money is on its way or whose provider does not answer,
// keep no other one open.
func TestManyThatCannotExpireKeepNoOtherOneOpen(t *testing.T) {
	t.Parallel()
	const stuck = 510 // more than one run takes
	h := newHouse(t)
	for range stuck {
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Provider.Set(p.ID, func(seen *core.PaymentSnapshot) { seen.Status, seen.Payable = core.PaymentProcessing, false })
	}
	h.Clock.Advance(time.Minute)
	later := h.Open(core.CaptureAutomatic)
	h.Clock.Advance(core.CheckoutLifeDefault)
	sweep(t, h)
	sweep(t, h)
	require.Equal(t, core.CheckoutExpired, h.Checkout(later.ID).Status)
	require.Zero(t, h.Provider.CallsOf("GetPayment"), "buyers in the middle of paying get some grace")

	h.Clock.Advance(time.Hour)
	sweep(t, h)
	sweep(t, h)
	looks := h.Provider.CallsOf("GetPayment")
	require.GreaterOrEqual(t, looks, stuck, "then all have their turn")
	sweep(t, h)
	require.Equal(t, looks, h.Provider.CallsOf("GetPayment"), "and rest")
	due, err := h.Store.CheckoutsToExpire(t.Context(), h.Clock.Now(), 10)
	require.NoError(t, err)
	require.Empty(t, due)
}
