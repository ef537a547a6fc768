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

func watchAuthorizations(t *testing.T, h *coretest.House) {
	t.Helper()
	require.NoError(t, h.Payments.WatchAuthorizations(t.Context(), ports.Job{Kind: ports.JobWatchAuthorizations}))
}

func expiryTold(h *coretest.House, id core.PaymentID) int {
	told := 0
	for _, kind := range h.Types(string(id)) {
		if kind == core.EventPaymentExpiring {
			told++
		}
	}
	return told
}

func TestAuthorizationsRunOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	kept, captured, lapsed := h.Authorized(), h.Authorized(), h.Authorized()
	require.Equal(t, h.Clock.Now().Add(portstest.FakeHoldTime), kept.CaptureBefore)
	taken, err := h.Payments.Capture(t.Context(), payments.Capture{Payment: captured.ID, Cause: byAPI})
	require.NoError(t, err)
	require.True(t, taken.CaptureBefore.IsZero(), "nothing runs out any more")

	h.Clock.Advance(portstest.FakeHoldTime - 25*time.Hour)
	watchAuthorizations(t, h)
	require.Zero(t, expiryTold(h, kept.ID), "not yet")
	h.Clock.Advance(2 * time.Hour)
	for range 3 {
		watchAuthorizations(t, h)
		h.Clock.Advance(time.Hour)
	}
	require.Equal(t, 1, expiryTold(h, kept.ID))
	require.Equal(t, 1, expiryTold(h, lapsed.ID))
	require.Zero(t, expiryTold(h, captured.ID))
	looks := h.Provider.CallsOf("GetPayment")

	kept, err = h.Payments.Capture(t.Context(), payments.Capture{Payment: kept.ID, Cause: byAPI})
	require.NoError(t, err, "in time")
	require.Equal(t, core.PaymentSucceeded, kept.Status)

	h.Clock.Advance(25 * time.Hour)
	before := h.Provider.CallsOf("CapturePayment")
	_, err = h.Payments.Capture(t.Context(), payments.Capture{Payment: lapsed.ID, Cause: byAPI})
	require.ErrorIs(t, err, core.ErrAuthorizationExpired, "also while nobody has looked")
	h.Provider.Set(lapsed.ID, func(seen *core.PaymentSnapshot) { seen.Status = core.PaymentExpired })
	h.Sweep()
	require.Equal(t, core.PaymentExpired, h.Payment(lapsed.ID).Status)
	require.Equal(t, looks+1, h.Provider.CallsOf("GetPayment"), "what took its money is looked at no more")
	_, err = h.Payments.Capture(t.Context(), payments.Capture{Payment: lapsed.ID, Cause: byAPI})
	require.ErrorIs(t, err, core.ErrAuthorizationExpired)
	require.Equal(t, before, h.Provider.CallsOf("CapturePayment"), "no provider was asked")
	require.Equal(t, 1, expiryTold(h, lapsed.ID))
}
