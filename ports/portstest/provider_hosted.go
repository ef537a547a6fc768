package portstest

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// requireHosts skips a chapter about the provider's own page, and holds a provider to what
// it claims.
func (d *providerDesk) requireHosts(t *testing.T) {
	t.Helper()
	if !d.provider.Capabilities().Hosted {
		t.Skip("not claimed: a page of its own")
	}
}

func (d *providerDesk) host(t *testing.T, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	t.Helper()
	hoster, ok := d.provider.(ports.Hoster)
	require.True(t, ok)
	return hoster.CreateHosted(d.impatient(t), key, in)
}

// pageRef is how a payment on the provider's own page is looked at.
func pageRef(seen core.PaymentSnapshot) core.ProviderRef {
	if seen.Session != "" {
		return core.ProviderRef{Account: seen.Ref.Account, Kind: core.ObjectSession, ID: seen.Session}
	}
	return seen.Ref
}

// page is a new page, and how its payment is looked at.
func (d *providerDesk) page(t *testing.T, capture core.CaptureMode) (ports.PaymentSession, core.ProviderRef) {
	t.Helper()
	in := d.request(t, capture)
	session, err := d.host(t, newKey(), in)
	require.NoError(t, err)
	seen := session.Snapshot
	require.Equal(t, in.Payment, seen.Payment)
	require.Equal(t, core.PaymentRequiresAction, seen.Status)
	require.Equal(t, in.Amount, seen.Amount)
	require.True(t, seen.Captured.IsZero())
	d.requirePayable(t, seen)
	require.Equal(t, ports.ActionRedirect, session.Action.Type)
	at, err := url.Parse(session.Action.URL)
	require.NoError(t, err)
	require.NotEmpty(t, at.Host)
	return session, pageRef(seen)
}

func providerHosts(t *testing.T, d *providerDesk) {
	d.requireHosts(t)
	for _, capture := range []core.CaptureMode{core.CaptureAutomatic, core.CaptureManual} {
		if capture == core.CaptureManual && !d.provider.Capabilities().HostedManualCapture {
			before := d.far.Effects(t)
			_, err := d.host(t, newKey(), d.request(t, capture))
			requireRefused(t, err, core.ClassInvalid)
			require.Equal(t, before, d.far.Effects(t), "not claimed: holding money at its page")
			continue
		}
		session, ref := d.page(t, capture)
		opened, err := d.provider.OpenPayment(providerContext(t), ref)
		require.NoError(t, err)
		require.Equal(t, session, opened)
		if _, shy := d.far.(PageShy); shy {
			continue
		}
		if d.far.Has(CardDeclined) && d.mode() != ports.ConfirmAfterApproval {
			d.far.Confirm(t, session, CardDeclined)
			seen, err := d.provider.GetPayment(providerContext(t), ref)
			require.NoError(t, err)
			require.Equal(t, core.PaymentRequiresAction, seen.Status, "the page tells the buyer, who may try again there")
			require.True(t, seen.Payable)
		}
		d.far.Confirm(t, session, CardSucceeds)
		seen, err := d.provider.GetPayment(providerContext(t), ref)
		require.NoError(t, err)
		if seen.Confirmable {
			_, err = d.ask(t, newKey(), ports.ConfirmPayment{CreatePayment: d.request(t, capture), Ref: seen.Ref})
			require.NoError(t, err)
			seen, err = d.provider.GetPayment(providerContext(t), ref)
			require.NoError(t, err)
		}
		d.requireSound(t, seen)
		require.Equal(t, session.Snapshot.Session, seen.Session)
		require.Equal(t, session.Snapshot.Payment, seen.Payment)
		require.False(t, seen.Payable)
		if capture == core.CaptureAutomatic {
			require.Equal(t, core.PaymentSucceeded, seen.Status)
			continue
		}
		require.Equal(t, core.PaymentAuthorized, seen.Status)
		taken, err := d.provider.CapturePayment(providerContext(t), newKey(), seen.Ref, seen.Amount)
		require.NoError(t, err)
		require.Equal(t, core.PaymentSucceeded, taken.Status)
	}
}

func providerClosesPage(t *testing.T, d *providerDesk) {
	d.requireHosts(t)
	session, ref := d.page(t, core.CaptureAutomatic)
	for range 2 {
		seen, err := d.provider.CancelPayment(providerContext(t), newKey(), ref)
		require.NoError(t, err)
		require.Equal(t, core.PaymentCanceled, seen.Status)
		require.Equal(t, session.Snapshot.Session, seen.Session)
		require.False(t, seen.Payable)
	}
	if _, shy := d.far.(PageShy); shy || d.mode() == ports.ConfirmAfterApproval || !d.provider.Capabilities().HostedManualCapture {
		return // nothing is held before our server asks, or at all
	}
	session, ref = d.page(t, core.CaptureManual)
	d.far.Confirm(t, session, CardSucceeds)
	seen, err := d.provider.CancelPayment(providerContext(t), newKey(), ref)
	require.NoError(t, err, "what is held at a page is let go")
	require.Equal(t, core.PaymentCanceled, seen.Status)
}

func providerHostFaults(t *testing.T, d *providerDesk) {
	d.requireHosts(t)
	providerVerbFaults(t, d, func(t *testing.T) verb {
		t.Helper()
		in := d.request(t, core.CaptureAutomatic)
		return verb{"host", func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error) {
			t.Helper()
			session, err := d.host(t, key, in)
			return session.Snapshot, err
		}}
	})
}
