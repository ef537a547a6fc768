package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func TestALeaseKeepsOthersFromPaying(t *testing.T) {
	t.Parallel()
	c := newCheckout(t, 1000)
	require.NoError(t, c.MayTakeLease(start))
	c = c.TakeLease(paymentID)
	require.ErrorIs(t, c.MayTakeLease(start), core.ErrPaymentInProgress)

	p := newPayment(t, 1000)
	for _, status := range []core.PaymentStatus{core.PaymentProcessing, core.PaymentRequiresAction, core.PaymentNeedsReview} {
		p.Status = status
		next, event := c.AfterPayment(p)
		require.Equal(t, c, next)
		require.Empty(t, event)
	}
	for _, status := range []core.PaymentStatus{core.PaymentFailed, core.PaymentCanceled, core.PaymentExpired} {
		p.Status = status
		next, event := c.AfterPayment(p)
		require.Empty(t, next.Lease)
		require.Empty(t, event)
		require.NoError(t, next.MayTakeLease(start))
	}
	p.Status = core.PaymentSucceeded
	next, event := c.AfterPayment(p)
	require.Equal(t, core.CheckoutComplete, next.Status)
	require.Equal(t, core.EventCheckoutCompleted, event)
	require.ErrorIs(t, next.MayTakeLease(start), core.ErrCheckoutComplete)
	_, event = next.AfterPayment(p)
	require.Empty(t, event, "told once")
}

// Who tries card after card on one checkout tests stolen ones.
func TestACheckoutHasSoManyAttempts(t *testing.T) {
	t.Parallel()
	c, p := newCheckout(t, 1000), newPayment(t, 1000)
	p.Status = core.PaymentFailed
	for range core.CheckoutAttemptsMax {
		require.NoError(t, c.MayTakeLease(start))
		c, _ = c.TakeLease(p.ID).AfterPayment(p)
	}
	require.ErrorIs(t, c.MayTakeLease(start), core.ErrTooManyAttempts)
	p.Status = core.PaymentSucceeded
	c, _ = c.AfterPayment(p)
	require.Equal(t, core.CheckoutComplete, c.Status, "money facts win over limits")
}

func TestACheckoutExpiresUnlessSomebodyIsPaying(t *testing.T) {
	t.Parallel()
	c := newCheckout(t, 1000)
	late := c.ExpiresAt
	require.Equal(t, core.CheckoutOpen, c.StatusAt(late.Add(-time.Microsecond)))
	require.Equal(t, core.CheckoutExpired, c.StatusAt(late))
	require.ErrorIs(t, c.MayTakeLease(late), core.ErrCheckoutExpired)

	leased := c.TakeLease(paymentID)
	require.Equal(t, core.CheckoutOpen, leased.StatusAt(late))
	_, changed := leased.Expire()
	require.False(t, changed)

	expired, changed := c.Expire()
	require.True(t, changed)
	require.Equal(t, core.CheckoutExpired, expired.Status)
	p := newPayment(t, 1000)
	p.Status = core.PaymentSucceeded
	paid, event := expired.AfterPayment(p)
	require.Equal(t, core.CheckoutComplete, paid.Status, "money facts win over time")
	require.Equal(t, core.EventCheckoutCompleted, event)
}

func TestASecondPaymentOfACheckoutIsAnOverpayment(t *testing.T) {
	t.Parallel()
	first := newPayment(t, 1000)
	first.Status = core.PaymentSucceeded
	c, _ := newCheckout(t, 1000).TakeLease(first.ID).AfterPayment(first)
	second := first
	second.ID = "pay_01h455vb4pex5vsknk084sn02r"
	require.False(t, c.Overpaid(first))
	require.True(t, c.Overpaid(second))
	second.Status = core.PaymentFailed
	require.False(t, c.Overpaid(second))
}

// However attempts end, at most one holds the lease, and a complete checkout never opens.
func TestAttemptsNeverOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCheckout(t, 1000)
		var open core.PaymentID
		for i := range rapid.IntRange(1, 15).Draw(t, "steps") {
			if c.MayTakeLease(start) == nil {
				require.Empty(t, open)
				open = core.NewID[core.PaymentID]([16]byte{byte(i)})
				c = c.TakeLease(open)
			}
			p := newPayment(t, 1000)
			p.ID = open
			p.Status = rapid.SampledFrom(core.PaymentStatuses()).Draw(t, "status")
			wasComplete := c.Status == core.CheckoutComplete
			c, _ = c.AfterPayment(p)
			if wasComplete {
				require.Equal(t, core.CheckoutComplete, c.Status)
			}
			if c.Lease == "" {
				open = ""
			}
		}
	})
}
