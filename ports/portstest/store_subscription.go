package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullSubscription has every field, distinct from every other. The sale's checkout, customer and
// price must be stored.
func fullSubscription(t testing.TB, of sale) core.Subscription {
	id := storeID[core.SubscriptionID]()
	return core.Subscription{
		ID: id, Version: 1, Checkout: of.checkout, Reference: "order of " + string(id), Customer: of.customer, Account: "stripe_eu",
		Provider: core.ProviderStripe, ProviderSubscriptionID: "sub_of_" + string(id), Status: core.SubscriptionPastDue, ForeignStatus: "late",
		Price: of.price, Quantity: 3, Amount: eur(t, 2970), CurrentPeriodStart: minutes(10), CurrentPeriodEnd: minutes(20), TrialEnd: minutes(15),
		CancelAtPeriodEnd: true, CancelHere: true, Pending: &core.SubscriptionChange{Price: storeID[core.PriceID](), Quantity: 4, At: minutes(20)},
		Method:         &core.PaymentMethod{ID: storeID[core.MethodID](), Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 11, ExpYear: 2031},
		FailedAttempts: 2, NextAttempt: minutes(21),
		Failure: &core.Failure{Code: core.FailureInsufficientFunds, ProviderCode: "no_funds", Message: "Try another card.", Retryable: true},
		Anomaly: core.ReasonOverpaid, Environment: core.EnvTest, Metadata: map[string]string{"seat": "12"},
		CanceledAt: minutes(11), EndedAt: minutes(12), CreatedAt: minutes(1), UpdatedAt: minutes(2), SyncedAt: minutes(3),
	}
}

// newSubscription is one before anyone was asked.
func newSubscription(t testing.TB, of sale) core.Subscription {
	return core.Subscription{
		ID: storeID[core.SubscriptionID](), Checkout: of.checkout, Reference: "order", Customer: of.customer, Account: "stripe_eu",
		Provider: core.ProviderStripe, Status: core.SubscriptionIncomplete, Price: of.price, Quantity: 1, Amount: eur(t, 990),
		Environment: core.EnvTest, CreatedAt: minutes(1), UpdatedAt: minutes(1),
	}
}

func subscriptionRoundTrip(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	full := fullSubscription(t, of)
	next := fullSubscription(t, storedSale(t, store))
	next.Account, next.Provider, next.Status, next.ForeignStatus = "square", core.ProviderSquare, core.SubscriptionTrialing, "TRIAL"
	next.Price, next.Quantity, next.Amount = "", 1, usd(t, 0)
	next.CurrentPeriodStart, next.CurrentPeriodEnd, next.TrialEnd = minutes(30), minutes(40), minutes(35)
	next.CancelAtPeriodEnd, next.CancelHere = false, false
	next.Pending = &core.SubscriptionChange{Quantity: 9, At: minutes(40)}
	next.Method = &core.PaymentMethod{Type: "paypal"}
	next.FailedAttempts, next.NextAttempt, next.Failure = 0, minutes(41), core.NewFailure(core.FailureExpiredCard, "expired")
	next.Anomaly, next.Metadata = core.Reason(core.ReviewTransition), map[string]string{"k": "v"}
	next.CanceledAt, next.EndedAt, next.UpdatedAt, next.SyncedAt = minutes(31), minutes(32), minutes(33), minutes(34)
	bare := newSubscription(t, of)
	bare.Checkout, bare.Price, bare.Pending = "", "", &core.SubscriptionChange{Quantity: 1, At: minutes(3)}
	roughly := bare
	roughly.Metadata, roughly.Pending = map[string]string{}, &core.SubscriptionChange{Quantity: 1, At: rough(minutes(3))}
	roughly.CreatedAt, roughly.UpdatedAt = rough(bare.CreatedAt), rough(bare.UpdatedAt)
	roundTrip[core.Subscription]{
		insert: ports.Tx.InsertSubscription, update: ports.Tx.UpdateSubscription,
		read: func(ctx context.Context, like core.Subscription) (core.Subscription, error) {
			return store.Subscription(ctx, like.ID)
		},
		version: func(s *core.Subscription) *int64 { return &s.Version },
		keep:    func(s, of core.Subscription) core.Subscription { s.ID, s.CreatedAt = of.ID, of.CreatedAt; return s },
	}.hold(t, store, full, next, bare, roughly)
}

func subscriptionVersions(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	versioned[core.Subscription]{
		insert: ports.Tx.InsertSubscription, update: ports.Tx.UpdateSubscription,
		lock: func(ctx context.Context, tx ports.Tx, like core.Subscription) (core.Subscription, error) {
			return tx.LockSubscription(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.Subscription) (core.Subscription, error) {
			return store.Subscription(ctx, like.ID)
		},
		version: func(s *core.Subscription) *int64 { return &s.Version },
		change:  func(s core.Subscription) core.Subscription { s.Quantity++; return s },
		other:   fullSubscription(t, of),
	}.hold(t, store, fullSubscription(t, of))
}

func subscriptionLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	of := storedSale(t, store)
	known := write(t, store, ports.Tx.InsertSubscription, fullSubscription(t, of))
	unknown := write(t, store, ports.Tx.InsertSubscription, newSubscription(t, of))
	write(t, store, ports.Tx.InsertSubscription, newSubscription(t, of)) // no id twice is no duplicate
	holdRefs(t, known, known.Ref(), unknown.Ref(),
		func(ref core.ProviderRef) (core.Subscription, error) { return store.SubscriptionByRef(ctx, ref) })
	again := fullSubscription(t, of)
	again.ProviderSubscriptionID = known.ProviderSubscriptionID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertSubscription, again), ports.ErrDuplicate)
	unknown.ProviderSubscriptionID = known.ProviderSubscriptionID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.UpdateSubscription, unknown), ports.ErrDuplicate)
	again.Account = "stripe_us"
	require.NoError(t, tryWrite(t, store, ports.Tx.InsertSubscription, again), "accounts do not share ids")

	holdInvariants(t, store, ports.Tx.InsertSubscription, ports.Tx.UpdateSubscription, known,
		func() core.Subscription { return fullSubscription(t, of) }, map[string]func(*core.Subscription){
			"no status":            func(s *core.Subscription) { s.Status = "" },
			"another status":       func(s *core.Subscription) { s.Status = "asleep" },
			"no quantity":          func(s *core.Subscription) { s.Quantity = 0 },
			"an amount below zero": func(s *core.Subscription) { s.Amount = eur(t, -1) },
			"no currency":          func(s *core.Subscription) { s.Amount = core.Money{} },
			"another's customer":   func(s *core.Subscription) { s.Customer = storeID[core.CustomerID]() },
			"a price of nobody":    func(s *core.Subscription) { s.Price = storeID[core.PriceID]() },
			"a checkout of nobody": func(s *core.Subscription) { s.Checkout = storeID[core.CheckoutID]() },
			"fewer than no tries":  func(s *core.Subscription) { s.FailedAttempts = -1 },
		})
}

func subscriptionLists(t *testing.T, store ports.Store) {
	ctx := t.Context()
	sales := []sale{storedSale(t, store), storedSale(t, store)}
	accounts := []core.AccountName{"stripe_eu", "square"}
	var all []core.Subscription
	for _, of := range sales {
		first, err := store.Subscription(ctx, of.subscription)
		require.NoError(t, err)
		all = append(all, first)
	}
	for i := range 14 {
		s := newSubscription(t, sales[i%2])
		s.CreatedAt, s.Account, s.Status = minutes(i*5%4), accounts[i/3%2], core.SubscriptionStatuses()[i*3%7]
		all = append(all, write(t, store, ports.Tx.InsertSubscription, s))
	}
	for _, filter := range []ports.SubscriptionFilter{
		{},
		{Customer: sales[0].customer},
		{Account: "square"},
		{Statuses: []core.SubscriptionStatus{core.SubscriptionActive}},
		{Statuses: []core.SubscriptionStatus{core.SubscriptionPaused, core.SubscriptionPastDue}},
		{Customer: sales[1].customer, Account: "stripe_eu", Statuses: core.SubscriptionStatuses()[:4]},
		{Customer: storeID[core.CustomerID]()},
	} {
		holdList(t, all, func(s core.Subscription) core.Cursor { return core.Cursor{At: s.CreatedAt, ID: string(s.ID)} },
			func(s core.Subscription) bool {
				return (filter.Customer == "" || filter.Customer == s.Customer) && (filter.Account == "" || filter.Account == s.Account) &&
					anyOf(filter.Statuses, s.Status)
			},
			func(request core.PageRequest) (core.Page[core.Subscription], error) {
				return store.Subscriptions(ctx, filter, request)
			})
	}
}

func subscriptionsToCancel(t *testing.T, store ports.Store) {
	of := quietSale(t, store)
	insert := func(end time.Time, here bool, status core.SubscriptionStatus) core.SubscriptionID {
		s := newSubscription(t, of)
		s.CurrentPeriodEnd, s.CancelAtPeriodEnd, s.CancelHere, s.Status = end, true, here, status
		return write(t, store, ports.Tx.InsertSubscription, s).ID
	}
	second := insert(minutes(20), true, core.SubscriptionPastDue)
	soonest := insert(minutes(10), true, core.SubscriptionActive)
	last := insert(minutes(30), true, core.SubscriptionTrialing)
	insert(minutes(50), true, core.SubscriptionActive) // at that very moment
	insert(time.Time{}, true, core.SubscriptionActive)
	// One whose next period has begun since its end was asked for.
	late := newSubscription(t, of)
	late.CurrentPeriodStart, late.CurrentPeriodEnd, late.CanceledAt = minutes(41), minutes(99), minutes(40)
	late.CancelHere, late.Status = true, core.SubscriptionActive
	missed := write(t, store, ports.Tx.InsertSubscription, late).ID
	insert(minutes(10), false, core.SubscriptionActive)
	insert(minutes(10), true, core.SubscriptionCanceled)
	sweep := func(unseenSince time.Time) func(context.Context, time.Time, int) ([]core.SubscriptionID, error) {
		return func(ctx context.Context, before time.Time, limit int) ([]core.SubscriptionID, error) {
			return store.SubscriptionsToCancel(ctx, before, unseenSince, limit)
		}
	}
	holdSweep(t, []core.SubscriptionID{soonest, second, last, missed}, minutes(50), minutes(10), sweep(minutes(50)))

	// One that had its turn rests for a while.
	looked, err := store.Subscription(t.Context(), soonest)
	require.NoError(t, err)
	looked.SyncedAt = minutes(40)
	write(t, store, ports.Tx.UpdateSubscription, looked)
	holdSweep(t, []core.SubscriptionID{second, last, missed}, minutes(50), minutes(10), sweep(minutes(40)))
	holdSweep(t, []core.SubscriptionID{soonest, second, last, missed}, minutes(50), minutes(10), sweep(minutes(41)))
}

// quietSale is a sale whose own subscription no sweep gives.
func quietSale(t testing.TB, store ports.Store) sale {
	t.Helper()
	of := storedSale(t, store)
	own, err := store.Subscription(t.Context(), of.subscription)
	require.NoError(t, err)
	own.Status = core.SubscriptionCanceled
	write(t, store, ports.Tx.UpdateSubscription, own)
	return of
}
