package portstest

import (
	"context"
	"crypto/sha256"
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
	return refunder.RefundPayment(d.impatient(t), key, ports.RefundPayment{
		Refund: refundOf(key), Payment: taken.Payment, Ref: taken.Ref, Amount: minor(t, amount, taken.Amount.Currency()), Reason: core.RefundRequested,
	})
}

// refundOf is the refund that is asked for under a key: the same operation always asks for the
// same.
func refundOf(key core.OperationKey) core.RefundID {
	sum := sha256.Sum256([]byte(key))
	return core.NewID[core.RefundID]([16]byte(sum[:16]))
}

// seenRefund is a refund as it stands.
func (d *providerDesk) seenRefund(t *testing.T, ref core.ProviderRef) core.RefundSnapshot {
	t.Helper()
	refunder, ok := d.provider.(ports.Refunder)
	require.True(t, ok)
	seen, err := refunder.GetRefund(providerContext(t), ref)
	require.NoError(t, err)
	require.Equal(t, ref, seen.Ref)
	require.Equal(t, core.EnvTest, seen.Environment)
	require.True(t, seen.Status.Known(), seen.Status)
	require.NotEmpty(t, seen.ForeignStatus)
	require.True(t, seen.Amount.IsPositive())
	require.Equal(t, seen.Status == core.RefundFailed, seen.Failure != nil, "a failure tells why, and nothing else does")
	return seen
}

// refundsOf are all refunds of a payment.
func (d *providerDesk) refundsOf(t *testing.T, payment core.ProviderRef) []core.RefundSnapshot {
	t.Helper()
	refunder, ok := d.provider.(ports.Refunder)
	require.True(t, ok)
	list, err := refunder.PaymentRefunds(providerContext(t), payment)
	require.NoError(t, err)
	for n, seen := range list {
		require.Equal(t, d.seenRefund(t, seen.Ref), seen)
		require.False(t, n > 0 && seen.CreatedAt.After(list[n-1].CreatedAt), "newest first")
	}
	return list
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
		looked := d.seenRefund(t, refund.Ref)
		require.NotEqual(t, core.Impossible, refund.Status.Judge(looked.Status))
		require.Equal(t, refund.Refund, looked.Refund, "our id is kept, or not, in either")
		require.Equal(t, refund.Amount, looked.Amount)
		require.Equal(t, taken.Ref, looked.Payment)
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
	list := d.refundsOf(t, taken.Ref)
	require.Len(t, list, 2)
	for _, seen := range list {
		require.True(t, ids[seen.Ref.ID])
	}
	require.Empty(t, d.refundsOf(t, d.paid(t, core.CaptureAutomatic, CardSucceeds).Ref))
}

// providerRefundsElsewhere is the shop's staff in the provider's own dashboard, and banks that take
// their time.
func providerRefundsElsewhere(t *testing.T, d *providerDesk) {
	d.requireRefunds(t)
	far, ok := d.far.(Refundable)
	if !ok {
		t.Skip("not there: a far end that refunds by itself")
	}
	for _, outcome := range []string{RefundSucceeds, RefundFails} {
		taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
		id := far.RefundElsewhere(t, taken.Payment, 1_00)
		list := d.refundsOf(t, taken.Ref)
		require.Len(t, list, 1)
		require.Equal(t, core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectRefund, ID: id}, list[0].Ref)
		require.Equal(t, taken.Ref, list[0].Payment)
		require.Equal(t, minor(t, 1_00, "EUR"), list[0].Amount)
		require.Empty(t, list[0].Refund, "it is none that we asked for")
		if list[0].Status != core.RefundPending {
			require.Equal(t, core.RefundSucceeded, list[0].Status)
			require.Equal(t, list[0].Amount, d.seen(t, taken.Ref).Refunded)
			continue
		}
		far.EndRefund(t, id, outcome)
		seen := d.seenRefund(t, list[0].Ref)
		require.Equal(t, core.RefundStatus(outcome), seen.Status)
		if outcome == RefundFails {
			require.Equal(t, core.FailureRefundFailed, seen.Failure.Code)
		}
	}
}

// providerRefundLooks holds looks at refunds to what all looks promise.
func providerRefundLooks(t *testing.T, d *providerDesk) {
	d.requireRefunds(t)
	taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	made, err := d.giveBack(t, newKey(), taken, 1_00)
	require.NoError(t, err)
	refunder, _ := d.provider.(ports.Refunder)
	d.holdLooks(t, map[string]lookAt{
		"get": {made.Ref, func(ctx context.Context, ref core.ProviderRef) error {
			_, err := refunder.GetRefund(ctx, ref)
			return err
		}},
		"list": {taken.Ref, func(ctx context.Context, ref core.ProviderRef) error {
			_, err := refunder.PaymentRefunds(ctx, ref)
			return err
		}},
	})
}

// lookAt is a call that changes nothing, and what it can be made about.
type lookAt struct {
	ref  core.ProviderRef
	look func(ctx context.Context, ref core.ProviderRef) error
}

// holdLooks has looks go wrong in every way, and be made at what is not there and what is not this
// account's.
func (d *providerDesk) holdLooks(t *testing.T, looks map[string]lookAt) {
	t.Helper()
	before := d.far.Effects(t)
	for name, at := range looks {
		for _, fault := range []Fault{FaultTimeoutBefore, FaultError500, FaultBadGateway, FaultReset, FaultHTML, FaultTruncated} {
			d.far.Fault(t, fault)
			if err := at.look(d.impatient(t), at.ref); err != nil || fault != FaultReset {
				requireRefused(t, err, core.ClassUnknown)
			}
			require.NoError(t, at.look(providerContext(t), at.ref), "%s after %s", name, fault)
		}
		d.far.Fault(t, FaultError429)
		require.Positive(t, requireRefused(t, at.look(d.impatient(t), at.ref), core.ClassRetryable).RetryAfter)
		gone := at.ref
		gone.ID += "0gone"
		if err := at.look(providerContext(t), gone); err != nil || name != "list" { // some list nothing of what is not there
			require.Equal(t, ports.ForeignMissing, requireRefused(t, err, core.ClassInvalid).Foreign, name)
		}
		for _, change := range []func(*core.ProviderRef){
			func(ref *core.ProviderRef) { ref.Account = "another" },
			func(ref *core.ProviderRef) { ref.Kind = "other" },
			func(ref *core.ProviderRef) { ref.ID = "" },
		} {
			foreign := at.ref
			change(&foreign)
			requireRefused(t, at.look(providerContext(t), foreign), core.ClassInvalid)
		}
	}
	require.Equal(t, before, d.far.Effects(t), "looking changes nothing")
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
