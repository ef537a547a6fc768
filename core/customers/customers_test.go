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
