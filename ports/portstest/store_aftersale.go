package portstest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// sale is what a payment can be of. All of it is stored.
type sale struct {
	checkout     core.CheckoutID
	customer     core.CustomerID
	price        core.PriceID
	subscription core.SubscriptionID
	invoice      core.InvoiceID
}

// insertSale stores one.
func insertSale(ctx context.Context, t testing.TB, tx ports.Tx) (s sale) {
	t.Helper()
	checkout, err := tx.InsertCheckout(ctx, openCheckout(t))
	require.NoError(t, err)
	s.checkout = checkout.ID
	customer, err := tx.InsertCustomer(ctx, fullCustomer())
	require.NoError(t, err)
	s.customer = customer.ID
	price, err := tx.InsertPrice(ctx, fullPrice(t))
	require.NoError(t, err)
	s.price = price.ID
	subscription, err := tx.InsertSubscription(ctx, fullSubscription(t, s))
	require.NoError(t, err)
	s.subscription = subscription.ID
	invoice, err := tx.InsertInvoice(ctx, fullInvoice(t, s.subscription))
	require.NoError(t, err)
	s.invoice = invoice.ID
	return s
}

// storedSale is insertSale in a transaction of its own.
func storedSale(t testing.TB, store ports.Store) (s sale) {
	t.Helper()
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		s = insertSale(ctx, t, tx)
		return nil
	})
	return s
}

// usd is an amount in another currency than the suite's.
func usd(t testing.TB, minor int64) core.Money {
	money, err := core.NewMoney(minor, "USD")
	require.NoError(t, err)
	return money
}

// roundTrip is how the suite gets at one kind of row to see that it keeps every field.
type roundTrip[T any] struct {
	insert, update func(ports.Tx, context.Context, T) (T, error)
	read           func(ctx context.Context, like T) (T, error)
	version        func(*T) *int64
	keep           func(value, of T) T // with what never changes of the other
}

// hold makes sure that what is stored comes back: full, which has every field; next, which
// differs from it in every one; and bare, which has as few as can be, given as roughly.
func (r roundTrip[T]) hold(t *testing.T, store ports.Store, full, next, bare, roughly T) {
	t.Helper()
	read := func(want T) {
		got, err := r.read(t.Context(), want)
		require.NoError(t, err)
		require.Equal(t, want, got, "what is read")
	}
	requireFull(t, full)
	require.Equal(t, full, write(t, store, r.insert, full), "what Insert gives")
	read(full)
	next = r.keep(next, full)
	*r.version(&next) = 1
	updated := write(t, store, r.update, next)
	*r.version(&next) = 2
	require.Equal(t, next, updated, "what Update gives")
	read(next)
	*r.version(&bare) = 1
	require.Equal(t, bare, write(t, store, r.insert, roughly), "times cut and in UTC, empty as nil")
	read(bare)
}

// holdRefs makes sure that an object is found by its provider's id and by nothing else. unknown
// is the reference of one of which nothing is known.
func holdRefs[T any](t *testing.T, known T, ref, unknown core.ProviderRef, read func(core.ProviderRef) (T, error)) {
	t.Helper()
	found, err := read(ref)
	require.NoError(t, err)
	require.Equal(t, known, found)
	account, kind, id := ref, ref, ref
	account.Account, kind.Kind, id.ID = "stripe_us", core.ObjectKind("other"), "never"
	for _, other := range []core.ProviderRef{unknown, account, kind, id, {}} {
		_, err := read(other)
		require.ErrorIs(t, err, ports.ErrNotFound, "%s", other)
	}
}

// holdInvariants makes sure that no row is written that breaks one. update is nil where rows never
// change.
func holdInvariants[T any](
	t *testing.T, store ports.Store, insert, update func(ports.Tx, context.Context, T) (T, error), stored T, full func() T, breaks map[string]func(*T),
) {
	t.Helper()
	for name, breakIt := range breaks {
		fresh := full()
		breakIt(&fresh)
		require.Error(t, tryWrite(t, store, insert, fresh), "insert with %s", name)
		if update == nil {
			continue
		}
		changed := stored
		breakIt(&changed)
		require.Error(t, tryWrite(t, store, update, changed), "update with %s", name)
	}
}

func anyOf[T comparable](these []T, value T) bool {
	return len(these) == 0 || slices.Contains(these, value)
}

// oldestFirst are those of all that a list has, in its order.
func oldestFirst[T any](all []T, place func(T) core.Cursor, has func(T) bool) []T {
	list := slices.DeleteFunc(slices.Clone(all), func(item T) bool { return !has(item) })
	slices.SortFunc(list, func(a, b T) int {
		return cmp.Or(cmp.Compare(place(a).Lead, place(b).Lead), place(a).At.Compare(place(b).At), strings.Compare(place(a).ID, place(b).ID))
	})
	return list
}

// holdList makes sure that a list has those of all that it should, newest first, at once and in
// pages from either end.
func holdList[T any](t *testing.T, all []T, place func(T) core.Cursor, has func(T) bool, list func(core.PageRequest) (core.Page[T], error)) {
	t.Helper()
	want := oldestFirst(all, place, has)
	slices.Reverse(want)
	page, err := list(core.PageRequest{Limit: core.PageItemsMax})
	require.NoError(t, err)
	require.Equal(t, append([]T{}, want...), append([]T{}, page.Items...))
	require.False(t, page.HasNext || page.HasPrevious)

	const pageItems = 3
	var forwards, backwards []T
	next, last := core.PageRequest{Limit: pageItems}, core.PageRequest{Limit: pageItems, Last: true}
	for len(forwards) < len(want) {
		page, err := list(next)
		require.NoError(t, err)
		require.NotEmpty(t, page.Items)
		require.Equal(t, len(forwards) > 0, page.HasPrevious)
		forwards = append(forwards, page.Items...)
		require.Equal(t, len(forwards) < len(want), page.HasNext)
		cursor := place(page.Items[len(page.Items)-1])
		next.After = &cursor
	}
	for len(backwards) < len(want) {
		page, err := list(last)
		require.NoError(t, err)
		require.NotEmpty(t, page.Items)
		require.Equal(t, len(backwards) > 0, page.HasNext)
		backwards = append(slices.Clone(page.Items), backwards...)
		require.Equal(t, len(backwards) < len(want), page.HasPrevious)
		cursor := place(page.Items[0])
		last.Before = &cursor
	}
	if len(want) > 0 {
		require.Equal(t, want, forwards)
		require.Equal(t, want, backwards)
	}
	for _, limit := range []int{-1, 0, core.PageItemsMax + 1} {
		_, err := list(core.PageRequest{Limit: limit})
		require.Error(t, err, "a page of %d", limit)
	}
}

// holdSweep makes sure that a sweep gives those that it should at a time, in order and within its
// limit, and none at a time before all of theirs.
func holdSweep[T core.ID](t *testing.T, want []T, when, before time.Time, sweep func(context.Context, time.Time, int) ([]T, error)) {
	t.Helper()
	ctx := t.Context()
	got, err := sweep(ctx, rough(when), 100)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = sweep(ctx, when, len(want)-1)
	require.NoError(t, err)
	require.Equal(t, want[:len(want)-1], got, "the limit leaves the last")
	got, err = sweep(ctx, before, 100)
	require.NoError(t, err)
	require.Empty(t, got)
	for _, limit := range []int{-1, 0} {
		_, err = sweep(ctx, when, limit)
		require.Error(t, err, "a limit of %d", limit)
	}
}
