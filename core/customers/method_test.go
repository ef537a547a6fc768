package customers_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestAMethodIsRemoved(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		customer := h.Customer()
		method := h.Saved(customer.ID, portstest.CardSucceeds)
		cause := core.Cause{Kind: core.CauseAPI, Actor: "key_1"}
		_, err := h.Customers.Remove(t.Context(), h.Customer().ID, method.ID, cause)
		require.ErrorIs(t, err, ports.ErrNotFound, "another's")
		h.Provider.FailNextAfterCommit(portstest.NoAnswer())
		open, err := h.Customers.Remove(t.Context(), customer.ID, method.ID, cause)
		require.NoError(t, err)
		require.Equal(t, core.MethodActive, open.Status)
		gone, err := h.Customers.Remove(t.Context(), customer.ID, method.ID, cause)
		require.NoError(t, err)
		require.Equal(t, core.MethodRemoved, gone.Status)
		require.False(t, gone.RemovedAt.IsZero())
		again, err := h.Customers.Remove(t.Context(), customer.ID, method.ID, cause)
		require.NoError(t, err)
		require.Equal(t, gone, again)
		saved, err := h.Customers.Methods(t.Context(), customer.ID)
		require.NoError(t, err)
		require.Empty(t, saved)
		_, err = h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.ErrorIs(t, err, core.ErrMethodNotUsable)
		h.RunAll()
	})
}

func TestARemovalThatALookRefutesIsMadeAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardSucceeds)
	h.Provider.FailNext(portstest.NoAnswer())
	method, err := h.Customers.Remove(t.Context(), customer.ID, method.ID, core.Cause{Kind: core.CauseAPI})
	require.NoError(t, err)
	require.Equal(t, core.MethodActive, method.Status)
	h.Clock.Advance(25 * time.Hour)
	method, err = h.Customers.Remove(t.Context(), customer.ID, method.ID, core.Cause{Kind: core.CauseAPI})
	require.NoError(t, err)
	require.Equal(t, core.MethodRemoved, method.Status)
}

// A confirmation whose outcome nobody can learn any more frees its checkout: a method that was saved
// and is not known can be charged by nobody.
func TestASaveThatNobodyKnowsOfFreesItsCheckout(t *testing.T) {
	t.Parallel()
	for _, mode := range []ports.ConfirmMode{ports.ConfirmAfterApproval, ports.ConfirmWithSource} {
		h := newHouse(t)
		h.Confirming(mode)
		checkout := h.OpenSetup(h.Customer().ID)
		attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		source := ""
		if mode == ports.ConfirmWithSource {
			source = portstest.FakeSource(portstest.CardSucceeds)
			_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
			require.NoError(t, err)
		} else {
			require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
		}
		h.Provider.FailNextAfterCommit(portstest.NoAnswer())
		_, _, err = h.Customers.ConfirmSetup(t.Context(), checkout.ID, attempt.Method.ID, source)
		require.ErrorIs(t, err, core.ErrPaymentInProgress)
		h.Clock.Advance(25 * time.Hour)
		h.RunDue()
		require.NoError(t, h.Payments.ExpireDue(t.Context(), ports.Job{}))
		require.Equal(t, core.CheckoutExpired, h.Checkout(checkout.ID).Status)
		method, err := h.Store.Method(t.Context(), attempt.Method.ID)
		require.NoError(t, err)
		require.Equal(t, core.MethodFailed, method.Status)
		require.Equal(t, 1, h.Provider.CallsOf("ConfirmSetup"))
		for _, op := range operations(t, h, string(method.ID)) {
			require.True(t, op.Status.Settled())
			require.Empty(t, op.Source)
		}
	}
}

// Whoever asked for a method to be removed must not see it charged while the answer is on its way.
func TestAMethodThatIsBeingRemovedIsNotCharged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardSucceeds)
	h.Provider.FailNext(portstest.NoAnswer())
	_, err := h.Customers.Remove(t.Context(), customer.ID, method.ID, core.Cause{Kind: core.CauseAPI})
	require.NoError(t, err)
	_, err = h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	require.ErrorIs(t, err, core.ErrMethodNotUsable)
	require.Zero(t, h.Provider.CallsOf("ChargeMethod"))
}

// What was asked for once is asked for again to the letter, whatever became known of the customer since.
func TestASetupIsRepeatedToTheLetter(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	customer := h.Customer()
	checkout := h.OpenSetup(customer.ID)
	_, err := h.Customers.Account(t.Context(), customer.ID, coretest.Account)
	require.NoError(t, err)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.Error(t, err)
	h.Saved(customer.ID, portstest.CardSucceeds) // brings the provider's id of the customer
	again, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	require.Equal(t, attempt.Method.ID, again.Method.ID)
}

func TestAMethodRemovedAtTheProviderIsFollowed(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		method := h.Saved(h.Customer().ID, portstest.CardSucceeds)
		h.Provider.SetMethod(method.ID, func(s *core.MethodSnapshot) { s.Status, s.ForeignStatus = core.MethodRemoved, "detached" })
		h.Told("evt_1", core.ObjectMethod, method.ProviderMethodID)
		h.Told("evt_2", core.ObjectMethod, method.ProviderMethodID)
		gone, err := h.Store.Method(t.Context(), method.ID)
		require.NoError(t, err)
		require.Equal(t, core.MethodRemoved, gone.Status)
		h.Told("evt_3", core.ObjectMethod, "pm_nobodys")
		h.Told("evt_4", core.ObjectSetup, method.ProviderSetupID)
	})
}

// Some providers give a method that was saved before again.
func TestAMethodThatIsSavedTwiceIsTheNewest(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		customer := h.Customer()
		first := h.Saved(customer.ID, portstest.CardSucceeds)
		checkout := h.OpenSetup(customer.ID)
		attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
		h.Provider.SetMethod(attempt.Method.ID, func(s *core.MethodSnapshot) { s.Ref.ID = first.ProviderMethodID })
		second, _, err := h.Customers.LookSetup(t.Context(), checkout.ID, attempt.Method.ID)
		require.NoError(t, err)
		require.Equal(t, core.MethodActive, second.Status)
		require.Equal(t, first.ProviderMethodID, second.ProviderMethodID)
		saved, err := h.Customers.Methods(t.Context(), customer.ID)
		require.NoError(t, err)
		require.Equal(t, []core.SavedMethod{second}, saved)
	})
}

// A buyer who goes on with an attempt that was given up, beside another that was saved, left one method
// and not two.
func TestASecondMethodOfACheckoutIsTakenAway(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{"the one given up is late": {1, 0}, "the one given up is first": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			customer := h.Customer()
			checkout := h.OpenSetup(customer.ID)
			first, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
			require.NoError(t, err)
			other, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.OtherAccount)
			require.NoError(t, err)
			for _, n := range order {
				attempt := []customers.Attempt{first, other}[n]
				at := []*portstest.FakeProvider{h.Provider, h.Other}[n]
				require.True(t, at.Save(attempt.Object, portstest.CardSucceeds))
				_, err := h.Observe.Sync(t.Context(), attempt.Method.Ref(), core.Cause{Kind: core.CauseTimer})
				require.NoError(t, err)
			}
			h.RunAll()
			kept := []customers.Attempt{first, other}[order[0]].Method.ID
			saved, err := h.Customers.Methods(t.Context(), customer.ID)
			require.NoError(t, err)
			require.Len(t, saved, 1)
			require.Equal(t, kept, saved[0].ID)
			require.Equal(t, kept, h.Checkout(checkout.ID).Method)
			require.Equal(t, 1, h.Provider.CallsOf("DetachMethod")+h.Other.CallsOf("DetachMethod"))
			require.Equal(t, 1, h.Odd.Of(core.ObjectMethod))
			require.Empty(t, h.Store.GivenUp())
		})
	}
}

// The attempt that is open beside one that was saved is given up.
func TestCompletionGivesUpTheSetupThatIsStillOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenSetup(h.Customer().ID)
	first, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	other, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.OtherAccount)
	require.NoError(t, err)
	require.True(t, h.Provider.Save(first.Object, portstest.CardSucceeds))
	_, err = h.Observe.Sync(t.Context(), first.Method.Ref(), core.Cause{Kind: core.CauseTimer})
	require.NoError(t, err)
	h.RunAll()
	method, err := h.Store.Method(t.Context(), other.Method.ID)
	require.NoError(t, err)
	require.Equal(t, core.MethodFailed, method.Status)
	require.Equal(t, first.Method.ID, h.Checkout(checkout.ID).Method)
}
