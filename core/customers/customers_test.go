package customers_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func eachHouse(t *testing.T, test func(t *testing.T, h *coretest.House)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) { test(t, coretest.New(t, open(t))) })
}

var modes = map[string]ports.ConfirmMode{
	"in the browser": ports.ConfirmInBrowser, "after approval": ports.ConfirmAfterApproval, "with a source": ports.ConfirmWithSource,
}

// eachMode runs a test at an account of each manner.
func eachMode(t *testing.T, test func(t *testing.T, h *coretest.House, mode ports.ConfirmMode)) {
	t.Helper()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.Confirming(mode)
			test(t, h, mode)
		})
	}
}

func operations(t *testing.T, h *coretest.House, subject string) []core.Operation {
	t.Helper()
	list, err := h.Store.SubjectOperations(t.Context(), subject)
	require.NoError(t, err)
	return list
}

func TestACustomer(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		in := customers.NewCustomer{RequestKey: "k1", Email: "ada@example.test", Name: "Ada", Metadata: map[string]string{"a": "b"}}
		first, err := h.Customers.Create(t.Context(), in)
		require.NoError(t, err)
		again, err := h.Customers.Create(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, first, again)
		read, err := h.Customers.Get(t.Context(), first.ID)
		require.NoError(t, err)
		require.Equal(t, first, read)
		page, err := h.Customers.List(t.Context(), core.PageRequest{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []core.Customer{first}, page.Items)
		_, err = h.Customers.Methods(t.Context(), "cus_01h455vb4pex5vsknk084sn02q")
		require.ErrorIs(t, err, ports.ErrNotFound)
	})
}

func TestBadCustomersAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for field, in := range map[string]customers.NewCustomer{
		"email": {}, "name": {Email: "a@b.example", Name: "\x00"}, "metadata": {Name: "Ada", Metadata: map[string]string{"": "x"}},
	} {
		_, err := h.Customers.Create(t.Context(), in)
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
}

func TestAMethodIsSaved(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		customer := h.Customer()
		method := h.Saved(customer.ID, portstest.CardSucceeds)
		require.Equal(t, core.MethodActive, method.Status)
		require.Equal(t, core.PaymentMethod{ID: method.ID, Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2035}, method.Details)
		checkout := h.Checkout(method.Checkout)
		require.Equal(t, core.CheckoutComplete, checkout.Status)
		require.Equal(t, method.ID, checkout.Method)
		require.Equal(t, []core.EventType{core.EventCheckoutCompleted}, h.Types(string(checkout.ID)))
		require.Equal(t, &core.Consent{At: h.Clock.Now(), Text: customers.ConsentText(checkout), Checkout: checkout.ID}, method.Consent)
		require.Contains(t, method.Consent.Text, "wallet")
		counterpart, err := h.Store.CustomerAccount(t.Context(), customer.ID, coretest.Account)
		require.NoError(t, err)
		require.NotEmpty(t, counterpart.ProviderCustomerID, "the provider's, or the one that came with the method")
		saved, err := h.Customers.Methods(t.Context(), customer.ID)
		require.NoError(t, err)
		require.Equal(t, []core.SavedMethod{method}, saved)
		h.RunAll()
		require.Empty(t, h.Store.GivenUp())

		h.Saved(customer.ID, portstest.CardSucceeds)
		made := 0
		for _, op := range operations(t, h, string(customer.ID)) {
			require.Equal(t, core.OpCreateCustomer, op.Kind)
			made++
		}
		require.Equal(t, 1, made, "one counterpart is enough")
		_, err = h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.ErrorIs(t, err, core.ErrCheckoutComplete)
		require.Equal(t, mode == ports.ConfirmInBrowser, h.Provider.CallsOf("ConfirmSetup") == 0)
	})
}

func TestAnAttemptIsGoneOnWith(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenSetup(h.Customer().ID)
		first, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		again, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.Equal(t, first.Method.ID, again.Method.ID)
		require.Equal(t, first.Action, again.Action)

		other, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.OtherAccount)
		require.NoError(t, err)
		require.NotEqual(t, first.Method.ID, other.Method.ID)
		given, err := h.Store.Method(t.Context(), first.Method.ID)
		require.NoError(t, err)
		require.Equal(t, core.MethodFailed, given.Status)
		require.Equal(t, core.FailureCanceledByBuyer, given.Failure.Code)
		require.Equal(t, string(other.Method.ID), h.Checkout(checkout.ID).Lease)

		expired, err := h.Payments.ExpireCheckout(t.Context(), checkout.ID, core.Cause{Kind: core.CauseAPI})
		require.NoError(t, err)
		require.Equal(t, core.CheckoutExpired, expired.Status)
	})
}

// Some providers have to know beforehand what is to be saved. The same is asked each time.
func TestASetupOfOneType(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenSetup(h.Customer().ID)
		start := func(methodType string) customers.Attempt {
			attempt, err := h.Customers.StartSetupOf(t.Context(), checkout.ID, coretest.Account, methodType)
			require.NoError(t, err)
			return attempt
		}
		first := start("")
		card := start(customers.MethodTypeCard)
		require.Equal(t, mode == ports.ConfirmWithSource, first.Method.ID == card.Method.ID, "a token is a card's anyway")
		require.Equal(t, card.Method.ID, start(customers.MethodTypeCard).Method.ID)
		if mode == ports.ConfirmWithSource {
			return
		}
		require.NotEqual(t, card.Method.ID, start("").Method.ID)
		_, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.OtherAccount)
		require.NoError(t, err)
		_, err = h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
		require.NoError(t, err)
		h.Provider.FailNextAfterCommit(portstest.NoAnswer())
		lost, err := h.Customers.StartSetupOf(t.Context(), checkout.ID, coretest.Account, customers.MethodTypeCard)
		require.Error(t, err)
		require.Equal(t, lost.Method.ID, start(customers.MethodTypeCard).Method.ID)
	})
}

func TestADeclinedCardIsNotSaved(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenSetup(h.Customer().ID)
		attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		if mode == ports.ConfirmWithSource {
			_, _, err = h.Customers.ConfirmSetup(t.Context(), checkout.ID, attempt.Method.ID, portstest.FakeSource(portstest.CardDeclined))
			var refused *core.RefusedError
			require.ErrorAs(t, err, &refused)
		} else {
			require.True(t, h.Provider.Save(attempt.Object, portstest.CardDeclined))
		}
		method, after, err := h.Customers.LookSetup(t.Context(), checkout.ID, attempt.Method.ID)
		require.NoError(t, err)
		require.Equal(t, core.MethodFailed, method.Status)
		require.Equal(t, core.FailureCardDeclined, method.Failure.Code)
		require.Empty(t, after.Lease)
		next, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.NotEqual(t, method.ID, next.Method.ID)
	})
}

func TestAnswersOfSetupsThatNeverCame(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
				t.Helper()
				checkout := h.OpenSetup(h.Customer().ID)
				if mode != ports.ConfirmWithSource {
					fail(h.Provider) // the customer's counterpart
					_, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
					require.ErrorIs(t, err, core.ErrPaymentInProgress)
					_, err = h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
					require.NoError(t, err)
					fail(h.Provider) // the setup
				}
				attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
				if mode != ports.ConfirmWithSource {
					var lost *core.ProviderError
					require.ErrorAs(t, err, &lost)
					require.NotEmpty(t, attempt.Method.ID)
					attempt, err = h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
				}
				require.NoError(t, err)
				id, source := attempt.Method.ID, ""
				if mode == ports.ConfirmWithSource {
					source = portstest.FakeSource(portstest.CardSucceeds)
					_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
					require.NoError(t, err)
				} else {
					require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
				}
				if mode != ports.ConfirmInBrowser {
					fail(h.Provider) // the confirmation
					_, _, err = h.Customers.ConfirmSetup(t.Context(), checkout.ID, id, source)
					require.ErrorIs(t, err, core.ErrPaymentInProgress)
				}
				h.RunAll()
				method, after, err := h.Customers.LookSetup(t.Context(), checkout.ID, id)
				require.NoError(t, err)
				require.Equal(t, core.MethodActive, method.Status)
				require.Equal(t, core.CheckoutComplete, after.Status)
				for _, op := range append(operations(t, h, string(id)), operations(t, h, string(checkout.Buyer.Customer))...) {
					require.Equal(t, core.OperationSucceeded, op.Status)
					require.Empty(t, op.Source)
					require.LessOrEqual(t, h.Provider.EffectsOf(op.Key()), 1)
				}
				require.Empty(t, h.Store.GivenUp())
			})
		})
	}
}

func TestASetupIsLookedUpOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenSetup(h.Customer().ID)
	_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
	require.NoError(t, err)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.Error(t, err)
	h.Clock.Advance(23*time.Hour + 59*time.Minute + 50*time.Second)
	h.RunDue()
	method, err := h.Store.Method(t.Context(), attempt.Method.ID)
	require.NoError(t, err)
	require.Equal(t, core.MethodFailed, method.Status, "the buyer never saw it")
	require.Empty(t, h.Checkout(checkout.ID).Lease)
	require.Equal(t, 1, h.Provider.CallsOf("CreateSetup"), "it is never sent again")
}

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

func charge(customer core.CustomerID, method core.MethodID) payments.Charge {
	return payments.Charge{
		RequestKey: "charge-1", Customer: string(customer), Method: string(method), Amount: 1500, Currency: "EUR", Reference: "renewal",
		Metadata: map[string]string{"order": "7"}, Cause: core.Cause{Kind: core.CauseAPI, Actor: "key_1"},
	}
}

func TestASavedMethodIsCharged(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		customer := h.Customer()
		method := h.Saved(customer.ID, portstest.CardSucceeds)
		charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.NoError(t, err)
		p := charged.Payment
		require.Equal(t, core.PaymentSucceeded, p.Status)
		require.True(t, p.OffSession)
		require.Equal(t, customer.ID, p.Customer)
		require.Equal(t, method.ID, p.Method.ID)
		require.Equal(t, "renewal", p.Reference)
		require.Empty(t, charged.Checkout.ID)
		require.Equal(t, []core.EventType{core.EventPaymentSucceeded}, h.Types(string(p.ID)))
		again, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.NoError(t, err)
		require.Equal(t, p, again.Payment)
		require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))

		held := charge(customer.ID, method.ID)
		held.RequestKey, held.Capture = "charge-2", core.CaptureManual
		charged, err = h.Payments.Charge(t.Context(), held)
		require.NoError(t, err)
		require.Equal(t, core.PaymentAuthorized, charged.Payment.Status)
		h.RunAll()
		require.Empty(t, h.Store.GivenUp())
	})
}

func TestADeclinedCharge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardDeclinedLater)
	charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	var refused *core.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, core.FailureCardDeclined, refused.Failure.Code)
	require.Equal(t, core.PaymentFailed, charged.Payment.Status)
	require.NotEmpty(t, charged.Payment.ProviderPaymentID, "the provider keeps what it declined")
	require.Empty(t, charged.Checkout.ID)
	require.Equal(t, []core.EventType{core.EventPaymentFailed}, h.Types(string(charged.Payment.ID)))
	again, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, charged.Payment, again.Payment)
	require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
}

func TestABankThatWantsTheBuyerThere(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		customer := h.Customer()
		method := h.Saved(customer.ID, portstest.Card3DSOffSession)
		charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		var refused *core.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, core.FailureAuthenticationRequired, charged.Payment.Failure.Code)
		checkout := charged.Checkout
		require.Equal(t, core.CheckoutOpen, checkout.Status)
		require.Equal(t, charged.Payment.Amount, checkout.Amount)
		require.Equal(t, "renewal", checkout.Reference)
		require.Equal(t, customer.ID, checkout.Buyer.Customer)
		require.Equal(t, "https://shop.example/saved", checkout.SuccessURL)
		again, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.ErrorAs(t, err, &refused)
		require.Equal(t, checkout, again.Checkout, "one is enough")
		paid := h.Start(checkout.ID)
		h.Pay(paid.ID, portstest.CardSucceeds)
		require.Equal(t, core.PaymentSucceeded, h.Look(paid).Status)
	})
}

func TestAChargeWhoseAnswerNeverCame(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			customer := h.Customer()
			method := h.Saved(customer.ID, portstest.CardSucceeds)
			fail(h.Provider)
			charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
			require.NoError(t, err)
			require.Equal(t, core.PaymentProcessing, charged.Payment.Status)
			h.RunAll()
			p := h.Payment(charged.Payment.ID)
			require.Equal(t, core.PaymentSucceeded, p.Status)
			op := h.Operation(p.ID, core.OpChargeMethod)
			require.Equal(t, core.OperationSucceeded, op.Status)
			require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
		})
	}
}

func TestAChargeIsFoundOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardSucceeds)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	require.NoError(t, err)
	h.Clock.Advance(25 * time.Hour)
	h.RunDue()
	require.Equal(t, core.PaymentSucceeded, h.Payment(charged.Payment.ID).Status)
	require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
}

// A storefront that comes back late with the same call must not have the buyer charged twice.
func TestARepeatedChargeIsNotSentOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			customer := h.Customer()
			method := h.Saved(customer.ID, portstest.CardSucceeds)
			fail(h.Provider)
			in := charge(customer.ID, method.ID)
			first, err := h.Payments.Charge(t.Context(), in)
			require.NoError(t, err)
			h.Clock.Advance(25 * time.Hour)
			again, err := h.Payments.Charge(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, first.Payment.ID, again.Payment.ID)
			require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
			want := core.PaymentProcessing
			if name == "and it did its work" {
				want = core.PaymentSucceeded
			}
			require.Equal(t, want, again.Payment.Status)
		})
	}
}

func TestBadChargesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardSucceeds)
	for field, change := range map[string]func(*payments.Charge){
		"customer":       func(c *payments.Charge) { c.Customer = "someone" },
		"payment_method": func(c *payments.Charge) { c.Customer = string(h.Customer().ID) },
		"amount":         func(c *payments.Charge) { c.Amount = 0 },
		"currency":       func(c *payments.Charge) { c.Currency = "eur" },
		"reference":      func(c *payments.Charge) { c.Reference = "" },
		"capture":        func(c *payments.Charge) { c.Capture = "later" },
		"metadata":       func(c *payments.Charge) { c.Metadata = map[string]string{"": ""} },
	} {
		in := charge(customer.ID, method.ID)
		change(&in)
		_, err := h.Payments.Charge(t.Context(), in)
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.ManualCapture = false })
	in := charge(customer.ID, method.ID)
	in.Capture = core.CaptureManual
	_, err := h.Payments.Charge(t.Context(), in)
	require.ErrorIs(t, err, core.ErrNotSupported)
	require.Zero(t, h.Provider.CallsOf("ChargeMethod"))
}

func TestOffersFollowTheMode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenSetup(h.Customer().ID)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Vault = false })
	_, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrAccountNotOffered)
	_, err = h.Payments.Start(t.Context(), checkout.ID, coretest.OtherAccount)
	require.ErrorIs(t, err, core.ErrAccountNotOffered, "there is nothing to pay")
	in := payments.OpenCheckout{
		Reference: "wallet", Currency: "EUR", Mode: core.ModeSetup, Flow: core.FlowRedirect, SuccessURL: "https://shop.example/saved", Email: "ada@example.test",
	}
	_, err = h.Payments.OpenCheckout(t.Context(), in)
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid, "nobody agrees on a page of the provider's own here")
	require.Equal(t, "mode", invalid.Fields[0].Field)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Vault = true })
	h.Confirming(ports.ConfirmAfterApproval)
	redirect, err := h.Payments.OpenCheckout(t.Context(), in)
	require.NoError(t, err)
	attempt, err := h.Customers.StartSetup(t.Context(), redirect.ID, coretest.Account)
	require.NoError(t, err)
	require.Equal(t, ports.ActionRedirect, attempt.Action.Type)
	require.NotEmpty(t, attempt.Action.URL)
	for field, change := range map[string]func(*payments.OpenCheckout){
		"customer":   func(o *payments.OpenCheckout) { o.Email = "" },
		"line_items": func(o *payments.OpenCheckout) { o.Items = []payments.OpenItem{{Name: "a", Amount: 1, Quantity: 1}} },
		"capture":    func(o *payments.OpenCheckout) { o.Capture = core.CaptureManual },
	} {
		bad := in
		change(&bad)
		_, err = h.Payments.OpenCheckout(t.Context(), bad)
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
}
