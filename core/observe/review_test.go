package observe_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

var byStaff = core.Cause{Kind: core.CauseStaff, Actor: "usr_1"}

// parked is a payment that needs review, since its provider shows what was changed so.
func parked(t *testing.T, h *coretest.House, card portstest.Card, change func(*core.PaymentSnapshot)) core.Payment {
	t.Helper()
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	if card != "" {
		h.Pay(p.ID, card)
	}
	h.Provider.Set(p.ID, change)
	h.Webhook("evt_1", p.ProviderPaymentID)
	h.RunDue()
	p = h.Payment(p.ID)
	require.Equal(t, core.PaymentNeedsReview, p.Status)
	return p
}

func lessThanAsked(t *testing.T) func(*core.PaymentSnapshot) {
	t.Helper()
	less := money(t, 999, "EUR")
	return func(seen *core.PaymentSnapshot) {
		seen.Amount = less
		if seen.Captured.IsPositive() {
			seen.Authorized, seen.Captured = less, less
		}
	}
}

func TestStaffAcceptWhatTheProviderShows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := parked(t, h, portstest.CardSucceeds, lessThanAsked(t))
	require.True(t, p.AmountCaptured.IsZero(), "nothing is believed before")
	_, err := h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewDecline, byStaff)
	require.ErrorIs(t, err, core.ErrPaymentNotOpen, "the provider has the buyer's money")

	got, err := h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewAccept, byStaff)
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, got.Status)
	require.Equal(t, int64(999), got.AmountCaptured.Minor())
	require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
	types := h.Types(string(p.ID))
	require.Equal(t, core.EventPaymentSucceeded, types[len(types)-1])
	last := h.Timeline(p.ID)[len(h.Timeline(p.ID))-1]
	require.Equal(t, core.ReasonByStaff, last.Reason)
	require.Equal(t, byStaff, last.Cause)

	_, err = h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewAccept, byStaff)
	require.ErrorIs(t, err, core.ErrPaymentNotOpen, "it is decided")
	h.Webhook("evt_2", p.ProviderPaymentID)
	h.RunAll()
	after := h.Payment(p.ID)
	require.Equal(t, core.PaymentSucceeded, after.Status)
	require.Empty(t, after.Anomaly, "the same sight is no news")
}

func TestStaffDeclineWhatNobodyPaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := parked(t, h, "", lessThanAsked(t))
	got, err := h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewDecline, byStaff)
	require.NoError(t, err)
	require.Equal(t, core.PaymentFailed, got.Status)
	require.Empty(t, h.Checkout(p.Checkout).Lease, "the buyer may try again")
	h.RunAll()
	require.Equal(t, core.PaymentFailed, h.Payment(p.ID).Status, "what the closing shows does not hand it to staff again")
	object, _ := h.Provider.Object(p.ID)
	require.Equal(t, core.PaymentCanceled, object.Status, "closed at its provider")
}

func TestWhatStaffCannotAccept(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*core.PaymentSnapshot){
		"another currency":       func(seen *core.PaymentSnapshot) { seen.Amount = money(t, coretest.Price, "USD") },
		"another environment":    func(seen *core.PaymentSnapshot) { seen.Environment = core.EnvLive },
		"more than was asked":    func(seen *core.PaymentSnapshot) { seen.Captured = money(t, 5000, "EUR") },
		"a status of no meaning": func(seen *core.PaymentSnapshot) { seen.Status = core.PaymentNeedsReview },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := parked(t, h, portstest.CardSucceeds, change)
			_, err := h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewAccept, byStaff)
			require.ErrorIs(t, err, core.ErrPaymentNotOpen)
			require.Equal(t, p, h.Payment(p.ID))
		})
	}
	h := newHouse(t)
	p := parked(t, h, portstest.CardSucceeds, lessThanAsked(t))
	h.Provider.FailNext(portstest.NoAnswer())
	_, err := h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewAccept, byStaff)
	require.Error(t, err)
	require.Equal(t, p, h.Payment(p.ID), "nobody decides on what cannot be seen")
	_, err = h.Payments.ResolveReview(t.Context(), "pay_none", core.ReviewAccept, byStaff)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = h.Payments.ResolveReview(t.Context(), h.Paid().ID, core.ReviewAccept, byStaff)
	require.ErrorIs(t, err, core.ErrPaymentNotOpen)
}

// A payment that moves between the look and the decision is looked at once more.
func TestADecisionIsOnWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := parked(t, h, "", lessThanAsked(t))
	raced := false
	h.Provider.OnCall(func(ctx context.Context, call portstest.FakeCall) {
		if call.Method != "GetPayment" || raced {
			return
		}
		raced = true
		h.Clock.Advance(time.Second)
		require.NoError(t, h.Store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			held, err := tx.LockPayment(ctx, p.ID)
			if err != nil {
				return err
			}
			_, err = tx.UpdatePayment(ctx, held)
			return err
		}))
	})
	calls := h.Provider.CallsOf("GetPayment")
	_, err := h.Payments.ResolveReview(t.Context(), p.ID, core.ReviewDecline, byStaff)
	require.NoError(t, err)
	require.True(t, raced)
	require.Equal(t, calls+2, h.Provider.CallsOf("GetPayment"))
}
