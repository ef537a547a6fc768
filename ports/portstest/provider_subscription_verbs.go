package portstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func providerPauses(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	if !b.can.Pause {
		t.Skip("not claimed: pausing")
	}
	first := b.subscribed(t, 0)
	paused, err := b.billing.PauseSubscription(providerContext(t), newKey(), first.Ref)
	require.NoError(t, err)
	require.Equal(t, b.can.PauseNow, paused.Status == core.SubscriptionPaused)
	b.far.Advance(t, providerMonth)
	seen := b.look(t, first.Ref)
	require.Equal(t, core.SubscriptionPaused, seen.Status)
	require.Len(t, paidInvoices(seen), 1, "nothing is asked for")
	_, err = b.billing.ResumeSubscription(providerContext(t), newKey(), first.Ref)
	require.NoError(t, err)
	b.far.Advance(t, providerMonth)
	seen = b.look(t, first.Ref)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Greater(t, len(paidInvoices(seen)), 1)
}

func providerEnds(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	if b.can.CancelNow {
		first := b.subscribed(t, 0)
		for range 2 { // ending what has ended is no error
			ended, err := b.billing.CancelSubscription(providerContext(t), newKey(), ports.CancelSubscription{Ref: first.Ref})
			require.NoError(t, err)
			require.Equal(t, core.SubscriptionCanceled, ended.Status)
		}
		b.far.Advance(t, providerMonth)
		require.Len(t, paidInvoices(b.look(t, first.Ref)), 1)
	}
	if !b.can.CancelLater {
		return
	}
	first := b.subscribed(t, 0)
	later, err := b.billing.CancelSubscription(providerContext(t), newKey(), ports.CancelSubscription{Ref: first.Ref, AtPeriodEnd: true})
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionActive, later.Status)
	require.True(t, later.CancelAtPeriodEnd)
	if b.can.KeepCanceled {
		kept, err := b.billing.KeepSubscription(providerContext(t), newKey(), first.Ref)
		require.NoError(t, err)
		require.False(t, kept.CancelAtPeriodEnd)
		_, err = b.billing.CancelSubscription(providerContext(t), newKey(), ports.CancelSubscription{Ref: first.Ref, AtPeriodEnd: true})
		require.NoError(t, err)
	}
	b.far.Advance(t, providerMonth)
	seen := b.look(t, first.Ref)
	require.Equal(t, core.SubscriptionCanceled, seen.Status)
	require.Len(t, paidInvoices(seen), 1)
	ended, err := b.billing.CancelSubscription(providerContext(t), newKey(), ports.CancelSubscription{Ref: first.Ref, AtPeriodEnd: true})
	require.NoError(t, err, "ending what has ended is no error")
	require.Equal(t, core.SubscriptionCanceled, ended.Status)
}

func providerChanges(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	first := b.subscribed(t, 0)
	price, foreign := b.plan(t, 25_00, 0)
	in := ports.ChangeSubscription{
		Ref: first.Ref, Price: price, ProviderPrice: foreign, Quantity: 1, Prorate: b.can.Prorate, At: first.CurrentPeriodStart.Add(24 * time.Hour),
		ReturnURL: providerReturnURL, CancelURL: providerReturnURL,
	}
	preview, err := b.billing.PreviewChange(providerContext(t), in)
	require.NoError(t, err)
	require.Equal(t, price.Amount, preview.NextAmount)
	require.Equal(t, b.can.BuyerAgrees, preview.BuyerAgrees)
	require.Equal(t, in.Prorate, preview.DueNow.IsPositive())
	require.Equal(t, first.Price, b.look(t, first.Ref).Price, "a preview changes nothing")
	session, err := b.billing.ChangeSubscription(providerContext(t), newKey(), in)
	require.NoError(t, err)
	if b.can.BuyerAgrees {
		require.NotEmpty(t, session.Action.URL)
		require.Equal(t, first.Price, b.look(t, first.Ref).Price, "nothing has changed yet")
		b.far.AgreeSubscription(t, session, CardSucceeds)
	}
	if b.can.ChangeNow {
		seen := b.look(t, first.Ref)
		require.Equal(t, foreign, seen.Price)
		require.Equal(t, price.Amount, seen.Amount)
	}
	b.far.Advance(t, providerMonth)
	seen := b.look(t, first.Ref)
	require.Equal(t, foreign, seen.Price)
	require.Equal(t, price.Amount, seen.Amount)
	require.Empty(t, seen.PendingPrice)
}

func providerChangesQuantity(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	if !b.can.Quantity {
		t.Skip("not claimed: another quantity")
	}
	in := b.subscription(t, 0, CardSucceeds)
	session, err := b.billing.CreateSubscription(providerContext(t), newKey(), in)
	require.NoError(t, err)
	if d.mode() != ports.ConfirmWithSource {
		b.far.AgreeSubscription(t, session, CardSucceeds)
	}
	first := b.look(t, session.Snapshot.Ref)
	changed, err := b.billing.ChangeSubscription(providerContext(t), newKey(), ports.ChangeSubscription{
		Ref: first.Ref, Price: in.Price, ProviderPrice: in.ProviderPrice, Quantity: 3, At: first.CurrentPeriodStart,
		ReturnURL: providerReturnURL, CancelURL: providerReturnURL,
	})
	require.NoError(t, err)
	if b.can.BuyerAgrees {
		b.far.AgreeSubscription(t, changed, CardSucceeds)
	}
	b.far.Advance(t, providerMonth)
	seen := b.look(t, first.Ref)
	require.EqualValues(t, 3, seen.Quantity)
	require.Equal(t, int64(30_00), seen.Amount.Minor(), "for the whole quantity")
}

func providerSwapsMethod(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	if !b.can.SwapMethod {
		t.Skip("not claimed: paying with another method")
	}
	in := b.subscription(t, 0, CardSucceeds)
	session, err := b.billing.CreateSubscription(providerContext(t), newKey(), in)
	require.NoError(t, err)
	if d.mode() != ports.ConfirmWithSource {
		b.far.AgreeSubscription(t, session, CardSucceeds)
	}
	method := b.another(t, in)
	swapped, err := b.billing.UpdateSubscriptionMethod(providerContext(t), newKey(), session.Snapshot.Ref, method.Ref.ID)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionActive, swapped.Status)
	b.far.Advance(t, providerMonth)
	require.Len(t, paidInvoices(b.look(t, session.Snapshot.Ref)), 2)
}

// another is a second method of a subscription's customer.
func (d billingDesk) another(t *testing.T, of ports.CreateSubscription) core.MethodSnapshot {
	t.Helper()
	in := ports.ConfirmSetup{
		CreateSetup: ports.CreateSetup{Method: storeID[core.MethodID](), Customer: of.Customer, ProviderCustomer: of.ProviderCustomer, ReturnURL: providerReturnURL},
		Ref:         core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectSetup},
	}
	if d.mode() == ports.ConfirmWithSource {
		in.Source = d.far.SetupSource(t, CardSucceeds)
		method, err := d.billing.ConfirmSetup(providerContext(t), newKey(), in)
		require.NoError(t, err)
		return method
	}
	setup, err := d.billing.CreateSetup(providerContext(t), newKey(), in.CreateSetup)
	require.NoError(t, err)
	d.far.AgreeSetup(t, setup, CardSucceeds)
	in.Ref.ID = setup.Snapshot.Setup
	method, err := d.billing.GetMethod(providerContext(t), in.Ref)
	require.NoError(t, err)
	return method
}

func providerSteered(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	first := b.subscribed(t, 0)
	if b.can.Pause {
		b.far.Steer(t, first.Ref.ID, Steering{Do: SteerPause})
		b.far.Advance(t, providerMonth)
		require.Equal(t, core.SubscriptionPaused, b.look(t, first.Ref).Status)
		b.far.Steer(t, first.Ref.ID, Steering{Do: SteerResume})
		require.Equal(t, core.SubscriptionActive, b.look(t, first.Ref).Status)
	}
	if b.can.CancelNow {
		b.far.Steer(t, first.Ref.ID, Steering{Do: SteerCancel})
		require.Equal(t, core.SubscriptionCanceled, b.look(t, first.Ref).Status)
	} else {
		b.far.Steer(t, first.Ref.ID, Steering{Do: SteerCancelLater})
		require.True(t, b.look(t, first.Ref).CancelAtPeriodEnd)
	}
	b.far.Advance(t, providerMonth)
	require.Equal(t, core.SubscriptionCanceled, b.look(t, first.Ref).Status)
}

func providerSubscriptionVerbFaults(t *testing.T, d *providerDesk) {
	b := d.billed(t)
	verb := func(name string, call func(*testing.T, core.OperationKey, core.ProviderRef) (core.SubscriptionSnapshot, error)) {
		providerSaleFaults(t, d, func(t *testing.T) saleVerb {
			t.Helper()
			first := b.subscribed(t, 0)
			return saleVerb{name, func(t *testing.T, key core.OperationKey) (any, error) {
				t.Helper()
				seen, err := call(t, key, first.Ref)
				return seen.Ref, err
			}}
		})
	}
	if b.can.Pause {
		verb("pause", func(t *testing.T, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
			t.Helper()
			return b.billing.PauseSubscription(d.impatient(t), key, ref)
		})
	}
	verb("cancel", func(t *testing.T, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
		t.Helper()
		return b.billing.CancelSubscription(d.impatient(t), key, ports.CancelSubscription{Ref: ref, AtPeriodEnd: !b.can.CancelNow})
	})
}
