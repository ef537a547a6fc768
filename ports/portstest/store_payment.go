package portstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullPayment has every field, distinct from every other. What it is of must be stored.
func fullPayment(t testing.TB, of sale) core.Payment {
	id := storeID[core.PaymentID]()
	return core.Payment{
		ID: id, Version: 1, Checkout: of.checkout, Subscription: of.subscription, Invoice: of.invoice,
		Reference: "order of " + string(id), Customer: storeID[core.CustomerID](),
		Account: "stripe_eu", Provider: core.ProviderStripe, ProviderPaymentID: "pi_" + string(id),
		ProviderSessionID: "cs_" + string(id), Hosted: true, OffSession: true,
		Status: core.PaymentFailed, ForeignStatus: "requires_payment_method",
		Amount: eur(t, 1000), AmountAuthorized: eur(t, 900), AmountCaptured: eur(t, 800), AmountRefunded: eur(t, 700),
		Capture: core.CaptureManual, CaptureBefore: minutes(70), ExpiryToldAt: minutes(60),
		Method:   &core.PaymentMethod{ID: storeID[core.MethodID](), Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 11, ExpYear: 2031},
		Failure:  &core.Failure{Code: core.FailureExpiredCard, ProviderCode: "expired", Message: "Try another card.", Retryable: true},
		Disputed: true, Review: core.ReviewAmount, Anomaly: core.ReasonOverpaid, Environment: core.EnvTest,
		Metadata:  map[string]string{"cart": "c-18"},
		CreatedAt: minutes(1), UpdatedAt: minutes(2), SyncedAt: minutes(3),
	}
}

// newPayment is a payment before anyone was asked.
func newPayment(t testing.TB, checkout core.CheckoutID) core.Payment {
	c := openCheckout(t)
	c.ID = checkout
	return core.NewPayment(storeID[core.PaymentID](), c, "stripe_eu", core.ProviderStripe, minutes(1))
}

// storedCheckout stores a checkout for others to refer to.
func storedCheckout(t testing.TB, store ports.Store) core.CheckoutID {
	t.Helper()
	return write(t, store, ports.Tx.InsertCheckout, openCheckout(t)).ID
}

func paymentRoundTrip(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	full := fullPayment(t, of)
	requireFull(t, full)
	require.Equal(t, full, write(t, store, ports.Tx.InsertPayment, full), "what Insert gives")
	read, err := store.Payment(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, full, read)

	next := fullPayment(t, storedSale(t, store))
	next.ID, next.CreatedAt = full.ID, full.CreatedAt
	next.Account, next.Provider, next.Status, next.ForeignStatus = "square", core.ProviderSquare, core.PaymentNeedsReview, "other"
	next.Amount, next.AmountAuthorized, next.AmountCaptured, next.AmountRefunded = eur(t, 9), eur(t, 8), eur(t, 7), eur(t, 6)
	next.OffSession, next.CaptureBefore, next.ExpiryToldAt = false, minutes(75), minutes(65)
	next.Capture, next.Method.Last4, next.Method.Brand = core.CaptureAutomatic, "1881", "amex"
	next.Failure = core.NewFailure(core.FailureSuspectedFraud, "stolen_card")
	next.Disputed, next.Review, next.Anomaly = false, core.ReviewCurrency, core.Reason(core.ReviewTransition)
	next.Metadata, next.UpdatedAt, next.SyncedAt = map[string]string{"k": "v", "l": "w"}, minutes(8), minutes(9)
	updated := write(t, store, ports.Tx.UpdatePayment, next)
	next.Version = 2
	require.Equal(t, next, updated, "what Update gives")
	read, err = store.Payment(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, next, read)

	bare := newPayment(t, of.checkout)
	want := bare
	want.Version = 1
	bare.Metadata = map[string]string{}
	bare.CreatedAt, bare.UpdatedAt = rough(bare.CreatedAt), rough(bare.UpdatedAt)
	require.Equal(t, want, write(t, store, ports.Tx.InsertPayment, bare), "times cut and in UTC, empty as nil")
	read, err = store.Payment(t.Context(), bare.ID)
	require.NoError(t, err)
	require.Equal(t, want, read)

	for _, currency := range core.Currencies() {
		p := newPayment(t, of.checkout)
		p.Amount, err = core.NewMoney(core.MinorMax, currency)
		require.NoError(t, err)
		none := core.Zero(currency)
		p.AmountAuthorized, p.AmountCaptured, p.AmountRefunded = p.Amount, p.Amount, none
		require.Equal(t, p.Amount, write(t, store, ports.Tx.InsertPayment, p).AmountCaptured, currency)
	}
}

func paymentVersions(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	versioned[core.Payment]{
		insert: ports.Tx.InsertPayment, update: ports.Tx.UpdatePayment,
		lock: func(ctx context.Context, tx ports.Tx, like core.Payment) (core.Payment, error) {
			byRef, err := tx.LockPaymentByRef(ctx, like.Ref())
			byID, errID := tx.LockPayment(ctx, like.ID)
			require.Equal(t, byID, byRef)
			require.Equal(t, err == nil, errID == nil)
			return byID, errID
		},
		read: func(ctx context.Context, store ports.Store, like core.Payment) (core.Payment, error) {
			return store.Payment(ctx, like.ID)
		},
		version: func(p *core.Payment) *int64 { return &p.Version },
		change:  func(p core.Payment) core.Payment { p.UpdatedAt = p.UpdatedAt.Add(time.Second); return p },
		other:   fullPayment(t, of),
	}.hold(t, store, fullPayment(t, of))
}

func paymentLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	of := storedSale(t, store)
	known := write(t, store, ports.Tx.InsertPayment, fullPayment(t, of))
	unknown := write(t, store, ports.Tx.InsertPayment, newPayment(t, of.checkout))
	write(t, store, ports.Tx.InsertPayment, newPayment(t, of.checkout)) // no provider id twice is no duplicate

	found, err := store.PaymentByRef(ctx, known.Ref())
	require.NoError(t, err)
	require.Equal(t, known, found)
	other := known.Ref()
	other.Account = "stripe_us"
	for _, ref := range []core.ProviderRef{unknown.Ref(), other, {}, {Account: "stripe_eu", Kind: core.ObjectPayment, ID: "pi_never"}} {
		_, err = store.PaymentByRef(ctx, ref)
		require.ErrorIs(t, err, ports.ErrNotFound, "%s", ref)
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			_, err := tx.LockPaymentByRef(ctx, ref)
			require.ErrorIs(t, err, ports.ErrNotFound, "%s", ref)
			return nil
		})
	}

	some, err := store.PaymentsByID(ctx, []core.PaymentID{unknown.ID, storeID[core.PaymentID](), known.ID})
	require.NoError(t, err)
	require.ElementsMatch(t, []core.Payment{known, unknown}, some)
	for _, ids := range [][]core.PaymentID{nil, {storeID[core.PaymentID]()}} {
		some, err = store.PaymentsByID(ctx, ids)
		require.NoError(t, err)
		require.Empty(t, some)
	}

	same := fullPayment(t, of)
	same.ProviderPaymentID = known.ProviderPaymentID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertPayment, same), ports.ErrDuplicate)
	unknown.ProviderPaymentID = known.ProviderPaymentID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.UpdatePayment, unknown), ports.ErrDuplicate)
	same.Account = "stripe_us"
	require.NoError(t, tryWrite(t, store, ports.Tx.InsertPayment, same), "accounts do not share ids")
}

func paymentInvariants(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	breaks := map[string]func(*core.Payment){
		"authorized more than asked":    func(p *core.Payment) { p.AmountAuthorized = eur(t, 1001) },
		"captured more than authorized": func(p *core.Payment) { p.AmountCaptured = eur(t, 901) },
		"refunded more than captured":   func(p *core.Payment) { p.AmountRefunded = eur(t, 801) },
		"refunded less than nothing":    func(p *core.Payment) { p.AmountRefunded = eur(t, -1) },
		"a subscription of nobody":      func(p *core.Payment) { p.Subscription = storeID[core.SubscriptionID]() },
		"an invoice of nobody":          func(p *core.Payment) { p.Invoice = storeID[core.InvoiceID]() },
		"another currency":              func(p *core.Payment) { p.AmountRefunded = usd(t, 1) },
	}
	stored := write(t, store, ports.Tx.InsertPayment, fullPayment(t, of))
	for name, breakIt := range breaks {
		p := fullPayment(t, of)
		breakIt(&p)
		require.Error(t, tryWrite(t, store, ports.Tx.InsertPayment, p), name)
		_, err := store.Payment(t.Context(), p.ID)
		require.ErrorIs(t, err, ports.ErrNotFound, name)

		p = stored
		breakIt(&p)
		require.Error(t, tryWrite(t, store, ports.Tx.UpdatePayment, p), name)
	}
	read, err := store.Payment(t.Context(), stored.ID)
	require.NoError(t, err)
	require.Equal(t, stored, read)
}

// manyPayments stores payments that share times, statuses and all else that filters
// look at, and gives them in the order of lists.
func manyPayments(t *testing.T, store ports.Store, count int) []core.Payment {
	first, second := storedSale(t, store), storedSale(t, store)
	checkouts := []core.CheckoutID{first.checkout, second.checkout}
	subscriptions := []core.SubscriptionID{"", first.subscription, second.subscription, ""}
	customers := []core.CustomerID{"", storeID[core.CustomerID](), storeID[core.CustomerID]()}
	accounts := []core.AccountName{"stripe_eu", "square"}
	statuses := core.PaymentStatuses()
	all := make([]core.Payment, 0, count)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		all = all[:0]
		for i := range count {
			p := newPayment(t, checkouts[i%2])
			p.CreatedAt = storeEpoch.Add(time.Duration(i*7%5) * time.Microsecond)
			p.Reference, p.Customer = fmt.Sprintf("order %d", i%3), customers[i*5%3]
			p.Account, p.Status = accounts[i/3%2], statuses[i*3%len(statuses)]
			p.Subscription = subscriptions[i*3%4]
			p, err := tx.InsertPayment(ctx, p)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b core.Payment) int {
		return -cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	return all
}

// selects is what a filter means.
func selects(f ports.PaymentFilter, p core.Payment) bool {
	return (f.Reference == "" || f.Reference == p.Reference) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, p.Status)) &&
		(f.Customer == "" || f.Customer == p.Customer) &&
		(f.Account == "" || f.Account == p.Account) &&
		(f.Checkout == "" || f.Checkout == p.Checkout) &&
		(f.Subscription == "" || f.Subscription == p.Subscription) &&
		(f.CreatedAfter.IsZero() || p.CreatedAt.After(f.CreatedAfter)) &&
		(f.CreatedBefore.IsZero() || p.CreatedAt.Before(f.CreatedBefore))
}

func selected(all []core.Payment, f ports.PaymentFilter) []core.Payment {
	return slices.DeleteFunc(slices.Clone(all), func(p core.Payment) bool { return !selects(f, p) })
}

func paymentIDs(payments []core.Payment) []core.PaymentID {
	ids := make([]core.PaymentID, len(payments))
	for i, p := range payments {
		ids[i] = p.ID
	}
	return ids
}

func drawFilter(rt *rapid.T, all []core.Payment) ports.PaymentFilter {
	var f ports.PaymentFilter
	like := rapid.SampledFrom(all).Draw(rt, "like")
	maybe := func(name string) bool { return rapid.IntRange(0, 3).Draw(rt, name) == 0 }
	if maybe("reference") {
		f.Reference = like.Reference
	}
	if maybe("statuses") {
		f.Statuses = rapid.SliceOfN(rapid.SampledFrom(core.PaymentStatuses()), 1, 4).Draw(rt, "which")
	}
	if maybe("customer") {
		f.Customer = like.Customer
	}
	if maybe("account") {
		f.Account = like.Account
	}
	if maybe("checkout") {
		f.Checkout = like.Checkout
	}
	if maybe("subscription") {
		f.Subscription = like.Subscription
	}
	if maybe("after") {
		f.CreatedAfter = storeEpoch.Add(time.Duration(rapid.IntRange(-1, 4).Draw(rt, "µs after")) * time.Microsecond)
	}
	if maybe("before") {
		f.CreatedBefore = storeEpoch.Add(time.Duration(rapid.IntRange(0, 6).Draw(rt, "µs before")) * time.Microsecond)
	}
	return f
}

func paymentFilters(t *testing.T, store ports.Store) {
	ctx := t.Context()
	all := manyPayments(t, store, 48)
	first := all[0]
	subscribed := all[slices.IndexFunc(all, func(p core.Payment) bool { return p.Subscription != "" })]
	filters := []ports.PaymentFilter{
		{},
		{Reference: "order 1"},
		{Reference: "order 9"},
		{Statuses: []core.PaymentStatus{core.PaymentSucceeded}},
		{Statuses: []core.PaymentStatus{core.PaymentSucceeded, core.PaymentFailed}},
		{Customer: all[1].Customer},
		{Account: "square"},
		{Checkout: first.Checkout},
		{Subscription: subscribed.Subscription},
		{Subscription: storeID[core.SubscriptionID]()},
		{CreatedAfter: first.CreatedAt},
		{CreatedAfter: storeEpoch.Add(time.Microsecond)},
		{CreatedBefore: storeEpoch.Add(2 * time.Microsecond)},
		{CreatedAfter: storeEpoch, CreatedBefore: storeEpoch.Add(3 * time.Microsecond), Account: "square"},
		{Reference: "order 2", Checkout: first.Checkout, Account: "stripe_eu", Statuses: core.PaymentStatuses()},
	}
	for _, filter := range filters {
		want := selected(all, filter)
		page, err := store.Payments(ctx, filter, core.PageRequest{Limit: core.PageItemsMax})
		require.NoError(t, err, "%+v", filter)
		require.Equal(t, paymentIDs(want), paymentIDs(page.Items), "%+v", filter)
		require.False(t, page.HasNext)
		require.False(t, page.HasPrevious)
		count, err := store.CountPayments(ctx, filter)
		require.NoError(t, err)
		require.EqualValues(t, len(want), count, "%+v", filter)
	}
}

// paymentsExpiring: those of whom storefronts were told are not among them.
func paymentsExpiring(t *testing.T, store ports.Store) {
	checkout := storedCheckout(t, store)
	insert := func(before, told time.Time, status core.PaymentStatus) core.PaymentID {
		p := newPayment(t, checkout)
		p.SyncedAt = minutes(2)
		p.CaptureBefore, p.ExpiryToldAt, p.Status = before, told, status
		return write(t, store, ports.Tx.InsertPayment, p).ID
	}
	var none time.Time
	second := insert(minutes(20), none, core.PaymentAuthorized)
	insert(minutes(15), minutes(5), core.PaymentAuthorized)
	soonest := insert(minutes(10), none, core.PaymentAuthorized)
	insert(minutes(50), none, core.PaymentAuthorized) // at that very moment
	insert(none, none, core.PaymentAuthorized)
	for _, status := range core.PaymentStatuses() {
		if status != core.PaymentAuthorized {
			insert(minutes(10), none, status)
		}
	}
	holdSweep(t, []core.PaymentID{soonest, second}, minutes(50), minutes(10), store.PaymentsExpiring)
}

// drawCursor is a place in the list: an item, or one between items, or none.
func drawCursor(rt *rapid.T, all []core.Payment, name string) *core.Cursor {
	like := rapid.SampledFrom(all).Draw(rt, name)
	switch rapid.IntRange(0, 3).Draw(rt, name+" kind") {
	case 0:
		return nil
	case 1:
		return &core.Cursor{At: like.CreatedAt, ID: string(like.ID) + "0"}
	}
	return &core.Cursor{At: like.CreatedAt, ID: string(like.ID)}
}

// cutPage is what a page request means.
func cutPage(list []core.Payment, request core.PageRequest) (items []core.Payment, hasNext, hasPrevious bool) {
	place := func(c core.Cursor, p core.Payment) int { // negative where p comes before the cursor
		return -cmp.Or(p.CreatedAt.Compare(c.At), strings.Compare(string(p.ID), c.ID))
	}
	from, until := 0, len(list)
	for i, p := range list {
		if request.After != nil && place(*request.After, p) <= 0 {
			from = i + 1
		}
		if request.Before != nil && place(*request.Before, p) >= 0 {
			until = min(until, i)
		}
	}
	if from >= until {
		return nil, false, false
	}
	if request.Last {
		from = max(from, until-request.Limit)
	} else {
		until = min(until, from+request.Limit)
	}
	return list[from:until], until < len(list), from > 0
}

func paymentPages(t *testing.T, store ports.Store) {
	all := manyPayments(t, store, 37)
	rapid.Check(t, func(rt *rapid.T) {
		filter := drawFilter(rt, all)
		request := core.PageRequest{
			Limit: rapid.IntRange(1, 12).Draw(rt, "limit"), Last: rapid.Bool().Draw(rt, "last"),
			After: drawCursor(rt, all, "after cursor"), Before: drawCursor(rt, all, "before cursor"),
		}
		want, hasNext, hasPrevious := cutPage(selected(all, filter), request)
		page, err := store.Payments(t.Context(), filter, request)
		require.NoError(rt, err)
		require.Equal(rt, paymentIDs(want), paymentIDs(page.Items))
		if len(want) > 0 { // where nothing is shown, nothing is said of what lies around it
			require.Equal(rt, hasNext, page.HasNext, "HasNext")
			require.Equal(rt, hasPrevious, page.HasPrevious, "HasPrevious")
		}
	})

	// Walking from end to end, either way, meets everything once.
	var forwards, backwards []core.PaymentID
	request := core.PageRequest{Limit: 5}
	for range all {
		page, err := store.Payments(t.Context(), ports.PaymentFilter{}, request)
		require.NoError(t, err)
		forwards = append(forwards, paymentIDs(page.Items)...)
		last := page.Items[len(page.Items)-1]
		request.After = &core.Cursor{At: last.CreatedAt, ID: string(last.ID)}
		if !page.HasNext {
			break
		}
	}
	require.Equal(t, paymentIDs(all), forwards)
	request = core.PageRequest{Limit: 5, Last: true}
	for range all {
		page, err := store.Payments(t.Context(), ports.PaymentFilter{}, request)
		require.NoError(t, err)
		backwards = append(paymentIDs(page.Items), backwards...)
		request.Before = &core.Cursor{At: page.Items[0].CreatedAt, ID: string(page.Items[0].ID)}
		if !page.HasPrevious {
			break
		}
	}
	require.Equal(t, paymentIDs(all), backwards)

	// At the ends it is the cursor's own item that is left on the other side.
	first, last := all[0], all[len(all)-1]
	page, err := store.Payments(t.Context(), ports.PaymentFilter{}, core.PageRequest{Limit: 2, After: &core.Cursor{At: first.CreatedAt, ID: string(first.ID)}})
	require.NoError(t, err)
	require.True(t, page.HasPrevious)
	page, err = store.Payments(t.Context(), ports.PaymentFilter{}, core.PageRequest{Limit: 2, Last: true, Before: &core.Cursor{At: last.CreatedAt, ID: string(last.ID)}})
	require.NoError(t, err)
	require.True(t, page.HasNext)

	for _, limit := range []int{-1, 0, core.PageItemsMax + 1} {
		_, err := store.Payments(t.Context(), ports.PaymentFilter{}, core.PageRequest{Limit: limit})
		require.Error(t, err, "a page of %d", limit)
	}
}
