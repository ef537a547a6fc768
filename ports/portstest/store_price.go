package portstest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullPrice has every field, distinct from every other.
func fullPrice(t testing.TB) core.Price {
	id := storeID[core.PriceID]()
	return core.Price{
		ID: id, Name: "plan " + string(id), Amount: eur(t, 990), Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 3, TrialDays: 14},
		RequestKey: core.NewRequestKey("key_p", string(id)), Environment: core.EnvTest, CreatedAt: minutes(1),
	}
}

func prices(t *testing.T, store ports.Store) {
	ctx := t.Context()
	full := fullPrice(t)
	requireFull(t, full)
	once := core.Price{ID: storeID[core.PriceID](), Name: "a shirt", Amount: usd(t, core.MinorMax), Environment: core.EnvTest, CreatedAt: minutes(1)}
	longest := fullPrice(t)
	longest.Recurring = &core.Recurring{Interval: core.IntervalDay, Count: core.IntervalCountMax, TrialDays: core.TrialDaysMax}
	untried := fullPrice(t)
	untried.Recurring = &core.Recurring{Interval: core.IntervalYear, Count: 1}
	all := []core.Price{full, once, longest, untried}
	for _, want := range all {
		given := want
		given.CreatedAt = rough(want.CreatedAt)
		require.Equal(t, want, write(t, store, ports.Tx.InsertPrice, given), "what Insert gives")
		read, err := store.Price(ctx, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, read)
	}
	_, err := store.Price(ctx, storeID[core.PriceID]())
	require.ErrorIs(t, err, ports.ErrNotFound)
	read, err := store.PriceByRequestKey(ctx, full.RequestKey)
	require.NoError(t, err)
	require.Equal(t, full, read)
	for _, key := range []core.RequestKey{"", "key never used"} {
		_, err = store.PriceByRequestKey(ctx, key)
		require.ErrorIs(t, err, ports.ErrNotFound, "key %q", key)
	}
	again := fullPrice(t)
	again.RequestKey = full.RequestKey
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertPrice, again), ports.ErrDuplicate)
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertPrice, full), ports.ErrDuplicate)

	holdInvariants(t, store, ports.Tx.InsertPrice, nil, full, func() core.Price { return fullPrice(t) }, map[string]func(*core.Price){
		"no name":             func(p *core.Price) { p.Name = "" },
		"nothing to pay":      func(p *core.Price) { p.Amount = eur(t, 0) },
		"no currency":         func(p *core.Price) { p.Amount = core.Money{} },
		"another interval":    func(p *core.Price) { p.Recurring = &core.Recurring{Interval: "hour", Count: 1} },
		"no interval":         func(p *core.Price) { p.Recurring = &core.Recurring{Count: 1} },
		"no count":            func(p *core.Price) { p.Recurring = &core.Recurring{Interval: core.IntervalDay} },
		"too many intervals":  func(p *core.Price) { p.Recurring.Count = core.IntervalCountMax + 1 },
		"a trial before none": func(p *core.Price) { p.Recurring.TrialDays = -1 },
		"too long a trial":    func(p *core.Price) { p.Recurring.TrialDays = core.TrialDaysMax + 1 },
	})

	for i := range 8 {
		p := fullPrice(t)
		p.CreatedAt = minutes(i * 5 % 4)
		all = append(all, write(t, store, ports.Tx.InsertPrice, p))
	}
	holdList(t, all, func(p core.Price) core.Cursor { return core.Cursor{At: p.CreatedAt, ID: string(p.ID)} },
		func(core.Price) bool { return true },
		func(request core.PageRequest) (core.Page[core.Price], error) { return store.Prices(ctx, request) })
}

func priceAccounts(t *testing.T, store ports.Store) {
	ctx := t.Context()
	price := write(t, store, ports.Tx.InsertPrice, fullPrice(t)).ID
	other := write(t, store, ports.Tx.InsertPrice, fullPrice(t)).ID
	insert := func(a core.PriceAccount) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.InsertPriceAccount(ctx, a) })
	}
	first := core.PriceAccount{Price: price, Account: "stripe_eu", ProviderPriceID: "price_1", CreatedAt: minutes(1)}
	requireFull(t, first)
	given := first
	given.CreatedAt = rough(first.CreatedAt)
	require.NoError(t, insert(given))
	elsewhere := core.PriceAccount{Price: other, Account: "square", ProviderPriceID: "price_1", CreatedAt: minutes(2)}
	require.NoError(t, insert(elsewhere), "accounts do not share ids")
	for _, want := range []core.PriceAccount{first, elsewhere} {
		read, err := store.PriceAccount(ctx, want.Price, want.Account)
		require.NoError(t, err)
		require.Equal(t, want, read)
		read, err = store.PriceAccountByRef(ctx, want.Account, "price_1")
		require.NoError(t, err)
		require.Equal(t, want, read)
	}
	_, err := store.PriceAccount(ctx, price, "square")
	require.ErrorIs(t, err, ports.ErrNotFound)
	for _, id := range []string{"", "price_2"} {
		_, err = store.PriceAccountByRef(ctx, "stripe_eu", id)
		require.ErrorIs(t, err, ports.ErrNotFound, "price %q", id)
	}

	second, taken := first, first
	second.ProviderPriceID, taken.Price = "price_2", other
	require.ErrorIs(t, insert(second), ports.ErrDuplicate, "there is one already")
	require.ErrorIs(t, insert(taken), ports.ErrDuplicate, "it is another's")
	require.Error(t, insert(core.PriceAccount{Price: other, Account: "paypal", CreatedAt: minutes(1)}), "no id is no counterpart")
}
