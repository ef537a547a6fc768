package portstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// requireRefunds skips a chapter about refunds, and holds a provider to what it claims.
func (d *providerDesk) requireRefunds(t *testing.T) {
	t.Helper()
	if !d.provider.Capabilities().Refund {
		t.Skip("not claimed: refunds")
	}
}

// giveBack asks for a refund.
func (d *providerDesk) giveBack(t *testing.T, key core.OperationKey, taken core.PaymentSnapshot, amount int64) (core.RefundSnapshot, error) {
	t.Helper()
	refunder, ok := d.provider.(ports.Refunder)
	require.True(t, ok)
	return refunder.RefundPayment(d.impatient(t), key, ports.RefundPayment{Payment: taken.Payment, Ref: taken.Ref, Amount: minor(t, amount, taken.Amount.Currency())})
}

func providerRefunds(t *testing.T, d *providerDesk) {
	d.requireRefunds(t)
	taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	before := d.far.Effects(t)
	ids := map[string]bool{}
	sum := int64(0)
	for _, amount := range []int64{1_00, taken.Captured.Minor() - 1_00} {
		refund, err := d.giveBack(t, newKey(), taken, amount)
		require.NoError(t, err)
		require.Equal(t, d.provider.Account(), refund.Ref.Account)
		require.Equal(t, core.ObjectRefund, refund.Ref.Kind)
		require.False(t, refund.Ref.ID == "" || ids[refund.Ref.ID], "each has an id of its own")
		ids[refund.Ref.ID] = true
		require.Equal(t, taken.Ref, refund.Payment)
		require.Equal(t, minor(t, amount, "EUR"), refund.Amount)
		require.Contains(t, []core.RefundStatus{core.RefundPending, core.RefundSucceeded}, refund.Status)
		require.NotEmpty(t, refund.ForeignStatus)
		sum += amount
		seen := d.seen(t, taken.Ref)
		require.Equal(t, core.PaymentSucceeded, seen.Status, "what was taken stays taken")
		require.Equal(t, taken.Captured, seen.Captured)
		if refund.Status == core.RefundSucceeded {
			require.Equal(t, minor(t, sum, "EUR"), seen.Refunded)
		}
	}
	require.Equal(t, before+2, d.far.Effects(t))
}

func providerRefundsTooMuch(t *testing.T, d *providerDesk) {
	d.requireRefunds(t)
	taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	before := d.far.Effects(t)
	for _, amount := range []int64{taken.Captured.Minor() + 1, 0, -1} {
		_, err := d.giveBack(t, newKey(), taken, amount)
		requireRefused(t, err, core.ClassInvalid)
	}
	require.Equal(t, before, d.far.Effects(t))
	require.Equal(t, taken, d.seen(t, taken.Ref))
	_, err := d.giveBack(t, newKey(), taken, taken.Captured.Minor())
	require.NoError(t, err)
	_, err = d.giveBack(t, newKey(), taken, 1)
	requireRefused(t, err, core.ClassInvalid)
	require.Equal(t, before+1, d.far.Effects(t))
	if d.provider.Capabilities().ManualCapture {
		held := d.paid(t, core.CaptureManual, CardSucceeds)
		_, err := d.giveBack(t, newKey(), held, 1)
		requireRefused(t, err, core.ClassInvalid)
	}
}

func providerRefundFaults(t *testing.T, d *providerDesk) {
	d.requireRefunds(t)
	providerVerbFaults(t, d, func(t *testing.T) verb {
		t.Helper()
		taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
		return verb{"refund", func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error) {
			t.Helper()
			refund, err := d.giveBack(t, key, taken, taken.Captured.Minor())
			if err != nil {
				return core.PaymentSnapshot{}, err
			}
			require.Equal(t, taken.Captured, refund.Amount)
			return d.seen(t, taken.Ref), nil
		}}
	})
}
