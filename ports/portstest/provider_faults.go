package portstest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// silences are the faults after which nobody can say what happened.
var silences = []Fault{
	FaultTimeoutBefore, FaultTimeoutAfterCommit, FaultSlowBody, FaultError500, FaultBadGateway, FaultReset, FaultHTML, FaultTruncated,
}

func providerCreateFaults(t *testing.T, d *providerDesk) {
	d.requireObjects(t)
	providerVerbFaults(t, d, d.create)
}

func providerConfirmFaults(t *testing.T, d *providerDesk) {
	if d.mode() == ports.ConfirmInBrowser {
		t.Skip("not claimed: asking for the money")
	}
	providerVerbFaults(t, d, d.confirm)
}

func providerCaptureFaults(t *testing.T, d *providerDesk) {
	d.requireManual(t)
	providerVerbFaults(t, d, d.capture)
}

func providerCancelFaults(t *testing.T, d *providerDesk) {
	providerVerbFaults(t, d, d.cancel)
}

// providerVerbFaults has a mutating call go wrong in every way: the outcome is unknown
// unless the provider said that it did nothing, and the same key leads to one effect.
func providerVerbFaults(t *testing.T, d *providerDesk, prepare func(*testing.T) verb) {
	ways := []func(testing.TB, Fault){d.far.Fault}
	if far, ok := d.far.(MutationFaulter); ok {
		ways = append(ways, far.FaultMutation)
	}
	for n, cause := range ways {
		// Only where a call makes others before it can what failed be one of those.
		asked := n == 0 && len(ways) > 1
		for _, fault := range silences {
			call, key := prepare(t).call, newKey()
			before := d.far.Effects(t)
			cause(t, fault)
			first, err := call(t, key)
			switch {
			case err == nil: // it went out again by itself, or a look after it showed what it did
				require.Contains(t, []Fault{FaultReset, FaultHTML}, fault)
				d.requireSound(t, first)
				require.Equal(t, before+1, d.far.Effects(t), fault)
			case asked && isClass(err, core.ClassRetryable): // what failed was asked before anything was to happen
				require.Equal(t, before, d.far.Effects(t), fault)
			default:
				requireRefused(t, err, core.ClassUnknown)
				// By the clock of a busy machine it may take effect only now.
				require.LessOrEqual(t, d.far.Effects(t), before+1, fault)
			}
			seen, err := call(t, key)
			require.NoError(t, err, fault)
			d.requireSound(t, seen)
			require.Equal(t, before+1, d.far.Effects(t), fault)
		}

		call, key := prepare(t).call, newKey()
		before := d.far.Effects(t)
		cause(t, FaultError429)
		_, err := call(t, key)
		refused := requireRefused(t, err, core.ClassRetryable)
		require.Positive(t, refused.RetryAfter)
		require.Equal(t, before, d.far.Effects(t))
		_, err = call(t, key)
		require.NoError(t, err)
		require.Equal(t, before+1, d.far.Effects(t))
	}
}

// providerNonsense holds that nothing is guessed: an answer that cannot be used says nothing
// of what happened, and one that has a status of its own kind shows none of ours.
func providerNonsense(t *testing.T, d *providerDesk) {
	if _, ok := d.far.(Nonsense); !ok {
		t.Skip("not there: a far end that talks nonsense")
	}
	held := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	useless := func(fault Fault, seen core.PaymentSnapshot, err error) {
		t.Helper()
		if err == nil && fault == FaultOddStatus && seen.Status == "" {
			return // no status of ours is made up
		}
		if err == nil && seen.Ref.ID != "" && seen.Ref != held.Ref {
			require.Equal(t, d.seen(t, seen.Ref), seen, "a look after it showed what it did")
			return
		}
		requireRefused(t, err, core.ClassUnknown)
	}
	for _, fault := range []Fault{FaultOddStatus, FaultNoAmount, FaultOtherObject} {
		d.far.Fault(t, fault)
		seen, err := d.provider.GetPayment(d.impatient(t), held.Ref)
		useless(fault, seen, err)
		require.Equal(t, held, d.seen(t, held.Ref))
		if fault == FaultOtherObject {
			continue // what a new object is called is known from its answer alone
		}
		payment, key, before := d.first(t), newKey(), d.far.Effects(t)
		d.far.Fault(t, fault)
		seen, err = payment.call(t, key)
		useless(fault, seen, err)
		_, err = payment.call(t, key)
		require.NoError(t, err)
		require.Equal(t, before+1, d.far.Effects(t), fault)
	}
}

func providerLookFaults(t *testing.T, d *providerDesk) {
	held := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	for name, look := range map[string]func() error{
		"get":  func() error { _, err := d.provider.GetPayment(d.impatient(t), held.Ref); return err },
		"open": func() error { _, err := d.provider.OpenPayment(d.impatient(t), held.Ref); return err },
		"list": func() error {
			_, err := d.provider.ListPayments(d.impatient(t), ports.ListPayments{From: held.CreatedAt, Until: held.CreatedAt.Add(providerWindow), Limit: 1})
			return err
		},
	} {
		if name == "list" && !d.provider.Capabilities().ListPayments || name == "open" && d.mode() == ports.ConfirmWithSource {
			continue
		}
		for _, fault := range []Fault{FaultTimeoutBefore, FaultError500, FaultBadGateway, FaultReset, FaultHTML, FaultTruncated} {
			d.far.Fault(t, fault)
			if err := look(); err != nil || fault != FaultReset {
				requireRefused(t, err, core.ClassUnknown)
			}
			require.NoError(t, look(), "%s after %s", name, fault)
		}
		d.far.Fault(t, FaultError429)
		refused := requireRefused(t, look(), core.ClassRetryable)
		require.Positive(t, refused.RetryAfter)
	}
	require.Equal(t, held, d.seen(t, held.Ref))
}

func providerMissing(t *testing.T, d *providerDesk) {
	unknown := d.ref(t)
	before := d.far.Effects(t)
	unknown.ID += "0gone"
	for name, err := range d.askAbout(t, unknown) {
		refused := requireRefused(t, err, core.ClassInvalid)
		require.Equal(t, ports.ForeignMissing, refused.Foreign, name)
	}
	require.Equal(t, before, d.far.Effects(t))
}

func providerForeignRefs(t *testing.T, d *providerDesk) {
	known := d.ref(t)
	before := d.far.Effects(t)
	sent := len(d.far.Keys(t))
	for _, change := range []func(*core.ProviderRef){
		func(ref *core.ProviderRef) { ref.Account = "another" },
		func(ref *core.ProviderRef) { ref.Kind = "other" },
		func(ref *core.ProviderRef) { ref.ID = "" },
	} {
		ref := known
		change(&ref)
		for _, err := range d.askAbout(t, ref) {
			requireRefused(t, err, core.ClassInvalid)
		}
	}
	require.Len(t, d.far.Keys(t), sent, "none of them was sent")
	require.Equal(t, before, d.far.Effects(t))
}

// askAbout makes every call that is about one object, and gives the errors by the call.
func (d *providerDesk) askAbout(t *testing.T, ref core.ProviderRef) map[string]error {
	t.Helper()
	errs := map[string]error{}
	_, errs["get"] = d.provider.GetPayment(providerContext(t), ref)
	if d.mode() != ports.ConfirmWithSource {
		_, errs["open"] = d.provider.OpenPayment(providerContext(t), ref)
	}
	_, errs["capture"] = d.provider.CapturePayment(providerContext(t), newKey(), ref, minor(t, 1_00, "EUR"))
	_, errs["cancel"] = d.provider.CancelPayment(providerContext(t), newKey(), ref)
	return errs
}

func providerGivenUp(t *testing.T, d *providerDesk) {
	ref := d.ref(t)
	before := d.far.Effects(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.provider.GetPayment(ctx, ref)
	requireRefused(t, err, core.ClassUnknown)
	require.ErrorIs(t, err, context.Canceled)
	_, err = d.provider.CancelPayment(ctx, newKey(), ref)
	requireRefused(t, err, core.ClassUnknown)
	require.Equal(t, before, d.far.Effects(t))
}
