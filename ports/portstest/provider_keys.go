package portstest

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// verb is one of the mutating calls, ready to be made again and again.
type verb struct {
	name string
	call func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error)
}

// verbs prepares one of each mutating call. What they are about is made without a fault.
func (d *providerDesk) verbs(t *testing.T) []verb {
	t.Helper()
	all := []verb{d.first(t), d.cancel(t)}
	if d.mode() == ports.ConfirmAfterApproval {
		all = append(all, d.confirm(t))
	}
	if d.provider.Capabilities().ManualCapture {
		all = append(all, d.capture(t))
	}
	return all
}

func (d *providerDesk) create(t *testing.T) verb {
	t.Helper()
	in := d.request(t, core.CaptureAutomatic)
	return verb{"create", func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error) {
		t.Helper()
		session, err := d.provider.CreatePayment(d.impatient(t), key, in)
		return session.Snapshot, err
	}}
}

// first is the call that makes a payment.
func (d *providerDesk) first(t *testing.T) verb {
	t.Helper()
	if d.mode() == ports.ConfirmWithSource {
		return d.confirm(t)
	}
	return d.create(t)
}

func (d *providerDesk) confirm(t *testing.T) verb {
	t.Helper()
	in := d.agreed(t, d.request(t, core.CaptureAutomatic), CardSucceeds)
	return verb{"confirm", func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error) {
		t.Helper()
		return d.ask(t, key, in)
	}}
}

func (d *providerDesk) capture(t *testing.T) verb {
	t.Helper()
	held := d.paid(t, core.CaptureManual, CardSucceeds)
	return verb{"capture", func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error) {
		t.Helper()
		return d.provider.CapturePayment(d.impatient(t), key, held.Ref, held.Amount)
	}}
}

func (d *providerDesk) cancel(t *testing.T) verb {
	t.Helper()
	var open core.PaymentSnapshot
	if d.mode() == ports.ConfirmInBrowser {
		open = d.created(t, core.CaptureAutomatic).Snapshot
	} else {
		open = d.paid(t, core.CaptureManual, CardSucceeds)
	}
	return verb{"cancel", func(t *testing.T, key core.OperationKey) (core.PaymentSnapshot, error) {
		t.Helper()
		return d.provider.CancelPayment(d.impatient(t), key, open.Ref)
	}}
}

func providerReplays(t *testing.T, d *providerDesk) {
	for _, verb := range d.verbs(t) {
		key, before, sent := newKey(), d.far.Effects(t), len(d.far.Keys(t))
		first, err := verb.call(t, key)
		require.NoError(t, err, verb.name)
		for range 2 {
			again, err := verb.call(t, key)
			require.NoError(t, err, verb.name)
			require.Equal(t, first, again, verb.name)
		}
		require.Equal(t, before+1, d.far.Effects(t), verb.name)
		keys := d.far.Keys(t)[sent:]
		require.True(t, len(keys) > 0 || verb.name == "capture" || verb.name == "cancel", "%s: some providers take no key for what has one effect by its nature", verb.name)
		for _, arrived := range keys {
			require.Equal(t, string(key), arrived, verb.name)
		}
	}
}

func providerReusesKey(t *testing.T, d *providerDesk) {
	d.requireObjects(t)
	in := d.request(t, core.CaptureAutomatic)
	key := newKey()
	_, err := d.provider.CreatePayment(providerContext(t), key, in)
	require.NoError(t, err)
	other := in
	other.Amount = minor(t, in.Amount.Minor()+1, in.Amount.Currency())
	_, err = d.provider.CreatePayment(providerContext(t), key, other)
	// Something happened under the key once. Whether the adapter says that this request is
	// wrong, or that nobody knows what that was: neither is a decline, nor to be sent again.
	if !isClass(err, core.ClassInvalid) {
		requireRefused(t, err, core.ClassUnknown)
	}
	require.Equal(t, 1, d.far.Effects(t))
	_, err = d.provider.CreatePayment(providerContext(t), newKey(), other)
	require.NoError(t, err)
	require.Equal(t, 2, d.far.Effects(t))
}

// providerRacersCount callers send the same at the same time.
const providerRacersCount = 8

func providerRaces(t *testing.T, d *providerDesk) {
	payment, key := d.first(t), newKey()
	before := d.far.Effects(t)
	seen := make([]core.PaymentSnapshot, providerRacersCount)
	errs := make([]error, providerRacersCount)
	var racers sync.WaitGroup
	for n := range providerRacersCount {
		racers.Go(func() { seen[n], errs[n] = payment.call(t, key) })
	}
	racers.Wait()
	last, err := payment.call(t, key)
	require.NoError(t, err)
	for n := range providerRacersCount {
		if isClass(errs[n], core.ClassRetryable) || isClass(errs[n], core.ClassUnknown) { // another one was still running
			continue
		}
		require.NoError(t, errs[n])
		require.Equal(t, last, seen[n])
	}
	require.Equal(t, before+1, d.far.Effects(t))
}

func providerNeedsKey(t *testing.T, d *providerDesk) {
	verbs := d.verbs(t)
	sent := len(d.far.Keys(t))
	for _, verb := range verbs {
		for _, key := range []core.OperationKey{"", core.OperationKey(strings.Repeat("k", 46))} {
			_, err := verb.call(t, key)
			requireRefused(t, err, core.ClassInvalid)
		}
	}
	require.Len(t, d.far.Keys(t), sent, "none of them was sent")
}
