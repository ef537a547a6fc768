package portstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// vaultDesk is a provider that saves methods, with its far end.
type vaultDesk struct {
	*providerDesk

	vault ports.Vault
	far   Vaulted
}

// vaulted skips a chapter about saved methods, and holds a provider to what it claims.
func (d *providerDesk) vaulted(t *testing.T) vaultDesk {
	t.Helper()
	if !d.provider.Capabilities().Vault {
		t.Skip("not claimed: saved methods")
	}
	vault, ok := d.provider.(ports.Vault)
	require.True(t, ok, "what is claimed is there")
	far, ok := d.far.(Vaulted)
	require.True(t, ok, "the far end of such a provider has buyers who save methods")
	return vaultDesk{d, vault, far}
}

// requireWindow skips the rest of a chapter where the buyer would have to agree in a window of the
// provider's, and nobody does.
func (d *providerDesk) requireWindow(t *testing.T) {
	t.Helper()
	if _, shy := d.far.(PageShy); shy && d.mode() == ports.ConfirmAfterApproval {
		t.Skip("not there: a buyer who agrees in the provider's window")
	}
}

// customer is a new one's counterpart.
func (d vaultDesk) customer(t *testing.T) (core.CustomerID, string) {
	t.Helper()
	id := storeID[core.CustomerID]()
	made, err := d.vault.CreateCustomer(providerContext(t), newKey(), ports.CreateCustomer{Customer: id, Email: "ada@example.test", Name: "Ada Lovelace"})
	require.NoError(t, err)
	return id, made
}

func (d vaultDesk) setup(t *testing.T) ports.CreateSetup {
	t.Helper()
	customer, counterpart := d.customer(t)
	return ports.CreateSetup{Method: storeID[core.MethodID](), Customer: customer, ProviderCustomer: counterpart, ReturnURL: providerReturnURL}
}

// agreedSetup is a method that the buyer agreed to have saved. With [ports.ConfirmInBrowser] it is
// saved by that.
func (d vaultDesk) agreedSetup(t *testing.T, card Card) ports.ConfirmSetup {
	t.Helper()
	in := ports.ConfirmSetup{CreateSetup: d.setup(t), Ref: core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectSetup}}
	if d.mode() == ports.ConfirmWithSource {
		in.Source = d.far.SetupSource(t, card)
		return in
	}
	session, err := d.vault.CreateSetup(providerContext(t), newKey(), in.CreateSetup)
	require.NoError(t, err)
	d.requireWindow(t)
	d.far.AgreeSetup(t, session, card)
	in.Ref.ID = session.Snapshot.Setup
	return in
}

// saved is a method that can be charged, with the request that saved it.
func (d vaultDesk) saved(t *testing.T, card Card) (core.MethodSnapshot, ports.ConfirmSetup) {
	t.Helper()
	in := d.agreedSetup(t, card)
	var seen core.MethodSnapshot
	var err error
	if d.mode() == ports.ConfirmInBrowser {
		seen, err = d.vault.GetMethod(providerContext(t), in.Ref)
	} else {
		seen, err = d.vault.ConfirmSetup(providerContext(t), newKey(), in)
	}
	require.NoError(t, err)
	d.requireSoundMethod(t, seen)
	require.Equal(t, core.MethodActive, seen.Status)
	return seen, in
}

// requireSoundMethod holds what is true of every sight of a method.
func (d vaultDesk) requireSoundMethod(t *testing.T, seen core.MethodSnapshot) {
	t.Helper()
	require.Equal(t, d.provider.Account(), seen.Ref.Account)
	require.Equal(t, core.ObjectMethod, seen.Ref.Kind)
	require.False(t, seen.Ref.ID == "" && seen.Setup == "")
	require.Equal(t, core.EnvTest, seen.Environment)
	require.True(t, seen.Status.Known(), seen.Status)
	require.NotEmpty(t, seen.ForeignStatus)
	if seen.Status == core.MethodActive {
		require.NotEmpty(t, seen.Ref.ID)
		require.NotEmpty(t, seen.Details.Type)
		require.False(t, seen.Confirmable)
	}
	if seen.Details.Last4 != "" {
		require.Regexp(t, `^\d{4}$`, seen.Details.Last4)
	}
}

func (d vaultDesk) charge(t *testing.T, method core.MethodSnapshot, in ports.ConfirmSetup, capture core.CaptureMode) ports.ChargeMethod {
	t.Helper()
	charge := ports.ChargeMethod{
		CreatePayment: d.request(t, capture), Customer: in.Customer, ProviderCustomer: in.ProviderCustomer,
		ProviderMethod: method.Ref.ID, MethodType: method.Details.Type,
	}
	if charge.ProviderCustomer == "" {
		charge.ProviderCustomer = method.Customer
	}
	charge.Checkout, charge.ReturnURL = "", ""
	return charge
}

func providerCustomers(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	key, in := newKey(), ports.CreateCustomer{Customer: storeID[core.CustomerID](), Email: "ada@example.test", Name: "Ada Lovelace"}
	before := d.far.Effects(t)
	first, err := v.vault.CreateCustomer(providerContext(t), key, in)
	require.NoError(t, err)
	again, err := v.vault.CreateCustomer(providerContext(t), key, in)
	require.NoError(t, err)
	require.Equal(t, first, again)
	if first == "" {
		require.Equal(t, before, d.far.Effects(t), "there is no such object")
		return
	}
	require.Equal(t, before+1, d.far.Effects(t))
	_, other := v.customer(t)
	require.NotEqual(t, first, other)
}

func providerSaves(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	if d.mode() != ports.ConfirmWithSource {
		in := v.setup(t)
		session, err := v.vault.CreateSetup(providerContext(t), newKey(), in)
		require.NoError(t, err)
		v.requireSoundMethod(t, session.Snapshot)
		require.Equal(t, core.MethodPending, session.Snapshot.Status)
		require.NotEmpty(t, session.Snapshot.Setup)
		require.NotEmpty(t, session.Action.Type)
		ref := core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectSetup, ID: session.Snapshot.Setup}
		open, err := v.vault.OpenSetup(providerContext(t), ref)
		require.NoError(t, err)
		require.Equal(t, session.Action, open.Action)
		d.requireWindow(t)
		v.far.AgreeSetup(t, open, CardSucceeds)
		seen, err := v.vault.GetMethod(providerContext(t), ref)
		require.NoError(t, err)
		require.Equal(t, d.mode() == ports.ConfirmAfterApproval, seen.Confirmable)
	}
	method, in := v.saved(t, CardSucceeds)
	if method.Method != "" {
		require.Equal(t, in.Method, method.Method, "our own id finds it again")
	}
	seen, err := v.vault.GetMethod(providerContext(t), method.Ref)
	require.NoError(t, err)
	v.requireSoundMethod(t, seen)
	require.Equal(t, method.Ref, seen.Ref)
	require.Equal(t, core.MethodActive, seen.Status)
	require.Equal(t, method.Details, seen.Details)

	for range 2 { // what is gone is gone
		require.NoError(t, v.vault.DetachMethod(providerContext(t), newKey(), method.Ref))
		seen, err = v.vault.GetMethod(providerContext(t), method.Ref)
		require.NoError(t, err)
		require.Equal(t, core.MethodRemoved, seen.Status)
	}
	before := d.far.Effects(t)
	_, err = v.vault.ChargeMethod(providerContext(t), newKey(), v.charge(t, method, in, core.CaptureAutomatic))
	require.Error(t, err)
	require.False(t, isClass(err, core.ClassUnknown), "%v", err)
	require.Equal(t, before, d.far.Effects(t))
}

func providerSavesNoDeclined(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	if !d.far.Has(CardDeclined) {
		t.Skip("not there: a card that is declined")
	}
	in := v.agreedSetup(t, CardDeclined)
	class := core.ClassDeclined
	if d.mode() != ports.ConfirmWithSource {
		seen, err := v.vault.GetMethod(providerContext(t), in.Ref)
		require.NoError(t, err)
		v.requireSoundMethod(t, seen)
		require.Contains(t, []core.MethodStatus{core.MethodFailed, core.MethodPending}, seen.Status)
		require.Empty(t, seen.Ref.ID)
		if !seen.Confirmable {
			class = core.ClassInvalid // the provider's window did not take the card: nobody has agreed yet
		}
	}
	if d.mode() == ports.ConfirmInBrowser {
		return
	}
	before := d.far.Effects(t)
	_, err := v.vault.ConfirmSetup(providerContext(t), newKey(), in)
	requireRefused(t, err, class)
	require.Equal(t, before, d.far.Effects(t))
}

func providerCharges(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	method, setup := v.saved(t, CardSucceeds)
	in, key, before := v.charge(t, method, setup, core.CaptureAutomatic), newKey(), d.far.Effects(t)
	for range 2 {
		taken, err := v.vault.ChargeMethod(providerContext(t), key, in)
		require.NoError(t, err)
		d.requireSound(t, taken)
		require.Equal(t, core.PaymentSucceeded, taken.Status)
		require.Equal(t, in.Amount, taken.Captured)
		seen := d.seen(t, taken.Ref)
		require.Equal(t, core.PaymentSucceeded, seen.Status)
		require.Equal(t, in.Payment, seen.Payment, "our own id finds it again")
	}
	require.Equal(t, before+1, d.far.Effects(t))
	if d.provider.Capabilities().ManualCapture {
		held, err := v.vault.ChargeMethod(providerContext(t), newKey(), v.charge(t, method, setup, core.CaptureManual))
		require.NoError(t, err)
		require.Equal(t, core.PaymentAuthorized, held.Status)
	}
}

func providerChargesInVain(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	for card, code := range map[Card]core.FailureCode{CardDeclinedLater: core.FailureCardDeclined, Card3DSOffSession: core.FailureAuthenticationRequired} {
		if !d.far.Has(card) {
			continue
		}
		method, setup := v.saved(t, card)
		in, key := v.charge(t, method, setup, core.CaptureAutomatic), newKey()
		for range 2 {
			_, err := v.vault.ChargeMethod(providerContext(t), key, in)
			refused := requireRefused(t, err, core.ClassDeclined)
			require.Equal(t, code, refused.Failure().Code)
			if refused.ObjectID == "" {
				continue
			}
			left := d.seen(t, core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectPayment, ID: refused.ObjectID})
			require.False(t, left.Payable, "nobody can pay it later")
			require.False(t, left.Status.HoldsMoney())
		}
	}
}

// saleVerb is a mutating call of what happens after the sale, ready to be made again and again. It
// gives what is the same each time.
type saleVerb struct {
	name string
	call func(t *testing.T, key core.OperationKey) (any, error)
}

// providerSaleFaults has a call go wrong in every way: the outcome is unknown unless the provider
// said that it did nothing, and the same key leads to the effects of one.
func providerSaleFaults(t *testing.T, d *providerDesk, prepare func(*testing.T) saleVerb) {
	t.Helper()
	before := d.far.Effects(t)
	clean := prepare(t)
	made := d.far.Effects(t)
	_, err := clean.call(t, newKey())
	require.NoError(t, err, clean.name)
	effects := d.far.Effects(t) - made
	require.Positive(t, effects, clean.name)
	require.Less(t, before, d.far.Effects(t))

	ways := []func(testing.TB, Fault){d.far.Fault}
	if far, ok := d.far.(MutationFaulter); ok {
		ways = append(ways, far.FaultMutation)
	}
	for _, cause := range ways {
		for _, fault := range append([]Fault{FaultError429}, silences...) {
			verb, key := prepare(t), newKey()
			before := d.far.Effects(t)
			cause(t, fault)
			first, err := verb.call(t, key)
			if err != nil && !isClass(err, core.ClassRetryable) {
				require.NotEqual(t, FaultError429, fault, verb.name)
				requireRefused(t, err, core.ClassUnknown)
			}
			again, repeatErr := verb.call(t, key)
			require.NoError(t, repeatErr, "%s after %s", verb.name, fault)
			if err == nil {
				require.Equal(t, first, again, verb.name)
			}
			require.Equal(t, before+effects, d.far.Effects(t), "%s after %s", verb.name, fault)
		}
	}
	verb := prepare(t)
	sent := len(d.far.Keys(t))
	_, err = verb.call(t, "")
	requireRefused(t, err, core.ClassInvalid)
	require.Len(t, d.far.Keys(t), sent, "without a key nothing is sent")
}

func providerSaveFaults(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	if d.mode() != ports.ConfirmWithSource {
		providerSaleFaults(t, d, func(t *testing.T) saleVerb {
			t.Helper()
			in := v.setup(t)
			return saleVerb{"create setup", func(t *testing.T, key core.OperationKey) (any, error) {
				t.Helper()
				session, err := v.vault.CreateSetup(d.impatient(t), key, in)
				return session.Snapshot.Setup, err
			}}
		})
	}
	if d.mode() != ports.ConfirmInBrowser {
		providerSaleFaults(t, d, func(t *testing.T) saleVerb {
			t.Helper()
			in := v.agreedSetup(t, CardSucceeds)
			return saleVerb{"confirm setup", func(t *testing.T, key core.OperationKey) (any, error) {
				t.Helper()
				seen, err := v.vault.ConfirmSetup(d.impatient(t), key, in)
				return seen.Ref, err
			}}
		})
	}
	providerSaleFaults(t, d, func(t *testing.T) saleVerb {
		t.Helper()
		method, _ := v.saved(t, CardSucceeds)
		return saleVerb{"detach", func(t *testing.T, key core.OperationKey) (any, error) {
			t.Helper()
			return nil, v.vault.DetachMethod(d.impatient(t), key, method.Ref)
		}}
	})
}

func providerChargeFaults(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	method, setup := v.saved(t, CardSucceeds)
	providerSaleFaults(t, d, func(t *testing.T) saleVerb {
		t.Helper()
		in := v.charge(t, method, setup, core.CaptureAutomatic)
		return saleVerb{"charge", func(t *testing.T, key core.OperationKey) (any, error) {
			t.Helper()
			seen, err := v.vault.ChargeMethod(d.impatient(t), key, in)
			return seen.Ref, err
		}}
	})
}

func providerMethodLooks(t *testing.T, d *providerDesk) {
	v := d.vaulted(t)
	method, _ := v.saved(t, CardSucceeds)
	sent := len(d.far.Keys(t))
	for _, change := range []func(*core.ProviderRef){
		func(ref *core.ProviderRef) { ref.Account = "another" },
		func(ref *core.ProviderRef) { ref.Kind = core.ObjectPayment },
		func(ref *core.ProviderRef) { ref.ID = "" },
	} {
		ref := method.Ref
		change(&ref)
		_, err := v.vault.GetMethod(providerContext(t), ref)
		requireRefused(t, err, core.ClassInvalid)
		requireRefused(t, v.vault.DetachMethod(providerContext(t), newKey(), ref), core.ClassInvalid)
	}
	require.Len(t, d.far.Keys(t), sent, "none of them was sent")
	for _, fault := range []Fault{FaultError500, FaultHTML, FaultTruncated} {
		d.far.Fault(t, fault)
		_, err := v.vault.GetMethod(d.impatient(t), method.Ref)
		requireRefused(t, err, core.ClassUnknown)
	}
}
