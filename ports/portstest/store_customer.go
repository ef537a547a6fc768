package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullCustomer has every field, distinct from every other.
func fullCustomer() core.Customer {
	id := storeID[core.CustomerID]()
	return core.Customer{
		ID: id, Version: 1, Email: "ada@example.test", Name: "Ada Lovelace", RequestKey: core.NewRequestKey("key_c", string(id)),
		Environment: core.EnvTest, Metadata: map[string]string{"tier": "gold"}, CreatedAt: minutes(1), UpdatedAt: minutes(2),
	}
}

func customers(t *testing.T, store ports.Store) {
	ctx := t.Context()
	full := fullCustomer()
	requireFull(t, full)
	require.Equal(t, full, write(t, store, ports.Tx.InsertCustomer, full), "what Insert gives")
	bare := core.Customer{ID: storeID[core.CustomerID](), Version: 1, Environment: core.EnvTest, CreatedAt: minutes(1), UpdatedAt: minutes(1)}
	given := bare
	given.Version, given.Metadata, given.CreatedAt, given.UpdatedAt = 77, map[string]string{}, rough(bare.CreatedAt), rough(bare.UpdatedAt)
	require.Equal(t, bare, write(t, store, ports.Tx.InsertCustomer, given), "times cut and in UTC, empty as nil")
	for _, want := range []core.Customer{full, bare} {
		read, err := store.Customer(ctx, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, read)
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			locked, err := tx.LockCustomer(ctx, want.ID)
			require.NoError(t, err)
			require.Equal(t, want, locked)
			_, err = tx.LockCustomer(ctx, storeID[core.CustomerID]())
			require.ErrorIs(t, err, ports.ErrNotFound)
			return nil
		})
	}
	_, err := store.Customer(ctx, storeID[core.CustomerID]())
	require.ErrorIs(t, err, ports.ErrNotFound)

	read, err := store.CustomerByRequestKey(ctx, full.RequestKey)
	require.NoError(t, err)
	require.Equal(t, full, read)
	for _, key := range []core.RequestKey{"", "key never used"} {
		_, err = store.CustomerByRequestKey(ctx, key)
		require.ErrorIs(t, err, ports.ErrNotFound, "key %q", key)
	}
	again := fullCustomer()
	again.RequestKey = full.RequestKey
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertCustomer, again), ports.ErrDuplicate)
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertCustomer, full), ports.ErrDuplicate)

	all := []core.Customer{full, bare}
	for i := range 8 {
		c := fullCustomer()
		c.CreatedAt = minutes(i * 5 % 4)
		all = append(all, write(t, store, ports.Tx.InsertCustomer, c))
	}
	holdList(t, all, func(c core.Customer) core.Cursor { return core.Cursor{At: c.CreatedAt, ID: string(c.ID)} },
		func(core.Customer) bool { return true },
		func(request core.PageRequest) (core.Page[core.Customer], error) {
			return store.Customers(ctx, ports.CustomerFilter{}, request)
		})
}

func customerAccounts(t *testing.T, store ports.Store) {
	ctx := t.Context()
	customer := write(t, store, ports.Tx.InsertCustomer, fullCustomer()).ID
	other := write(t, store, ports.Tx.InsertCustomer, fullCustomer()).ID
	insert := func(a core.CustomerAccount) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.InsertCustomerAccount(ctx, a) })
	}
	first := core.CustomerAccount{Customer: customer, Account: "stripe_eu", ProviderCustomerID: "cus_1", CreatedAt: minutes(1)}
	requireFull(t, first)
	given := first
	given.CreatedAt = rough(first.CreatedAt)
	require.NoError(t, insert(given))
	elsewhere := core.CustomerAccount{Customer: customer, Account: "square", ProviderCustomerID: "cus_1", CreatedAt: minutes(2)}
	require.NoError(t, insert(elsewhere), "accounts do not share ids")
	for _, want := range []core.CustomerAccount{first, elsewhere} {
		read, err := store.CustomerAccount(ctx, customer, want.Account)
		require.NoError(t, err)
		require.Equal(t, want, read)
	}
	_, err := store.CustomerAccount(ctx, customer, "paypal")
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.CustomerAccount(ctx, other, "stripe_eu")
	require.ErrorIs(t, err, ports.ErrNotFound)

	second, taken := first, first
	second.ProviderCustomerID, taken.Customer = "cus_2", other
	require.ErrorIs(t, insert(second), ports.ErrDuplicate, "there is one already")
	require.ErrorIs(t, insert(taken), ports.ErrDuplicate, "it is another's")
	require.Error(t, insert(core.CustomerAccount{Customer: other, Account: "paypal", CreatedAt: minutes(1)}), "no id is no counterpart")
	require.Error(t, insert(core.CustomerAccount{Customer: storeID[core.CustomerID](), Account: "paypal", ProviderCustomerID: "c", CreatedAt: minutes(1)}))
}

// fullMethod has every field, distinct from every other. The sale's customer and checkout must be
// stored.
func fullMethod(of sale) core.SavedMethod {
	id := storeID[core.MethodID]()
	return core.SavedMethod{
		ID: id, Version: 1, Customer: of.customer, Checkout: of.checkout, Account: "stripe_eu", Provider: core.ProviderStripe,
		ProviderMethodID: "pm_of_" + string(id), ProviderSetupID: "seti_of_" + string(id), Status: core.MethodRemoved, ForeignStatus: "gone",
		Details:     core.PaymentMethod{ID: id, Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 11, ExpYear: 2031},
		Consent:     &core.Consent{At: minutes(1), Text: "I agree to be charged later.", Checkout: storeID[core.CheckoutID]()},
		Failure:     &core.Failure{Code: core.FailureExpiredCard, ProviderCode: "expired", Message: "Try another card.", Retryable: true},
		Environment: core.EnvTest, CreatedAt: minutes(1), UpdatedAt: minutes(2), RemovedAt: minutes(3), SyncedAt: minutes(4),
	}
}

// newMethod is one before anyone was asked.
func newMethod(customer core.CustomerID) core.SavedMethod {
	return core.SavedMethod{
		ID: storeID[core.MethodID](), Customer: customer, Account: "stripe_eu", Provider: core.ProviderStripe, Status: core.MethodPending,
		Environment: core.EnvTest, CreatedAt: minutes(1), UpdatedAt: minutes(1),
	}
}

func methodRoundTrip(t *testing.T, store ports.Store) {
	full := fullMethod(storedSale(t, store))
	next := fullMethod(storedSale(t, store))
	next.Account, next.Provider, next.Status, next.ForeignStatus = "square", core.ProviderSquare, core.MethodActive, "on file"
	next.Details = core.PaymentMethod{ID: full.ID, Type: "paypal"}
	next.Consent, next.Failure = &core.Consent{At: minutes(9), Text: "Yes."}, nil
	next.UpdatedAt, next.RemovedAt, next.SyncedAt = minutes(8), minutes(9), minutes(10)
	bare := newMethod(full.Customer)
	bare.Consent = &core.Consent{At: minutes(1), Text: "Yes."}
	roughly := bare
	roughly.Consent = &core.Consent{At: rough(minutes(1)), Text: "Yes."}
	roughly.CreatedAt, roughly.UpdatedAt = rough(bare.CreatedAt), rough(bare.UpdatedAt)
	roundTrip[core.SavedMethod]{
		insert: ports.Tx.InsertMethod, update: ports.Tx.UpdateMethod,
		read: func(ctx context.Context, like core.SavedMethod) (core.SavedMethod, error) {
			return store.Method(ctx, like.ID)
		},
		version: func(m *core.SavedMethod) *int64 { return &m.Version },
		keep:    func(m, of core.SavedMethod) core.SavedMethod { m.ID, m.CreatedAt = of.ID, of.CreatedAt; return m },
	}.hold(t, store, full, next, bare, roughly)
}

func methodVersions(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	versioned[core.SavedMethod]{
		insert: ports.Tx.InsertMethod, update: ports.Tx.UpdateMethod,
		lock: func(ctx context.Context, tx ports.Tx, like core.SavedMethod) (core.SavedMethod, error) {
			return tx.LockMethod(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.SavedMethod) (core.SavedMethod, error) {
			return store.Method(ctx, like.ID)
		},
		version: func(m *core.SavedMethod) *int64 { return &m.Version },
		change:  func(m core.SavedMethod) core.SavedMethod { m.UpdatedAt = m.UpdatedAt.Add(time.Second); return m },
		other:   fullMethod(of),
	}.hold(t, store, fullMethod(of))
}

func methodLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	of := storedSale(t, store)
	known := write(t, store, ports.Tx.InsertMethod, fullMethod(of))
	unknown := write(t, store, ports.Tx.InsertMethod, newMethod(of.customer))
	write(t, store, ports.Tx.InsertMethod, newMethod(of.customer)) // no ids twice are no duplicate
	byRef := func(ref core.ProviderRef) (core.SavedMethod, error) { return store.MethodByRef(ctx, ref) }
	holdRefs(t, known, known.Ref(), unknown.Ref(), byRef)
	setup := core.ProviderRef{Account: known.Account, Kind: core.ObjectSetup, ID: known.ProviderSetupID}
	holdRefs(t, known, setup, core.ProviderRef{Account: known.Account, Kind: core.ObjectSetup, ID: known.ProviderMethodID}, byRef)

	for name, same := range map[string]func(*core.SavedMethod){
		"method": func(m *core.SavedMethod) { m.ProviderMethodID = known.ProviderMethodID },
		"setup":  func(m *core.SavedMethod) { m.ProviderSetupID = known.ProviderSetupID },
	} {
		again := fullMethod(of)
		same(&again)
		require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertMethod, again), ports.ErrDuplicate, name)
		changed := unknown
		same(&changed)
		require.ErrorIs(t, tryWrite(t, store, ports.Tx.UpdateMethod, changed), ports.ErrDuplicate, name)
		again.Account = "stripe_us"
		require.NoError(t, tryWrite(t, store, ports.Tx.InsertMethod, again), "accounts do not share ids")
	}
	holdInvariants(t, store, ports.Tx.InsertMethod, ports.Tx.UpdateMethod, known,
		func() core.SavedMethod { return fullMethod(of) }, map[string]func(*core.SavedMethod){
			"no status":          func(m *core.SavedMethod) { m.Status = "" },
			"another status":     func(m *core.SavedMethod) { m.Status = "lost" },
			"another's customer": func(m *core.SavedMethod) { m.Customer = storeID[core.CustomerID]() },
			"no account":         func(m *core.SavedMethod) { m.Account = "" },
		})
}

func methodList(t *testing.T, store ports.Store) {
	ctx := t.Context()
	customer := write(t, store, ports.Tx.InsertCustomer, fullCustomer()).ID
	other := write(t, store, ports.Tx.InsertCustomer, fullCustomer()).ID
	write(t, store, ports.Tx.InsertMethod, newMethod(other))
	var all []core.SavedMethod
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		all = nil
		for i := range core.PageItemsMax + 5 {
			m := newMethod(customer)
			m.CreatedAt, m.Status = minutes(i*5%7), core.MethodStatuses()[i%4]
			m, err := tx.InsertMethod(ctx, m)
			if err != nil {
				return err
			}
			all = append(all, m)
		}
		return nil
	})
	place := func(m core.SavedMethod) core.Cursor { return core.Cursor{At: m.CreatedAt, ID: string(m.ID)} }
	want := oldestFirst(all, place, func(core.SavedMethod) bool { return true })[5:]
	got, err := store.CustomerMethods(ctx, customer)
	require.NoError(t, err)
	require.Len(t, got, core.PageItemsMax)
	require.Equal(t, want, oldestFirst(got, place, func(core.SavedMethod) bool { return true }), "the newest")
	require.Equal(t, want[len(want)-1], got[0], "newest first")
	require.Equal(t, want[0], got[len(got)-1])
	none, err := store.CustomerMethods(ctx, storeID[core.CustomerID]())
	require.NoError(t, err)
	require.Empty(t, none)
}
