package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullCheckout has every field, distinct from every other.
func fullCheckout(t testing.TB) core.Checkout {
	id := storeID[core.CheckoutID]()
	return core.Checkout{
		ID: id, Version: 1, Environment: core.EnvTest, Reference: "order of " + string(id),
		Mode: core.ModeSubscription, Capture: core.CaptureManual, Flow: core.FlowRedirect, Status: core.CheckoutComplete,
		Amount: eur(t, 4200),
		LineItems: []core.LineItem{
			{Price: storeID[core.PriceID](), Name: "a shirt", Amount: eur(t, 1000), Quantity: 4},
			{Name: "a pin", Amount: eur(t, 200), Quantity: 1},
		},
		Providers:  []core.ProviderName{core.ProviderSquare, core.ProviderStripe},
		Buyer:      core.Buyer{Customer: storeID[core.CustomerID](), Email: "ada@example.test", Name: "Ada Lovelace", Country: "GB"},
		SuccessURL: "https://shop.example/done", CancelURL: "https://shop.example/back",
		Metadata:   map[string]string{"cart": "c-17", "empty": ""},
		RequestKey: core.NewRequestKey("key_a", string(id)),
		Lease:      string(storeID[core.PaymentID]()), Payment: storeID[core.PaymentID](),
		Subscription: storeID[core.SubscriptionID](), Method: storeID[core.MethodID](), Attempts: 3,
		ExpiresAt: minutes(60), LookAt: minutes(70), CreatedAt: minutes(1), UpdatedAt: minutes(2),
	}
}

// openCheckout is as few fields as a checkout can have.
func openCheckout(t testing.TB) core.Checkout {
	id := storeID[core.CheckoutID]()
	return core.Checkout{
		ID: id, Environment: core.EnvTest, Reference: "order", Mode: core.ModePayment, Capture: core.CaptureAutomatic,
		Flow: core.FlowPage, Status: core.CheckoutOpen, Amount: eur(t, 1000),
		LineItems:  []core.LineItem{{Name: "a shirt", Amount: eur(t, 1000), Quantity: 1}},
		SuccessURL: "https://shop.example/done", ExpiresAt: minutes(60), CreatedAt: minutes(1), UpdatedAt: minutes(1),
	}
}

func checkoutRoundTrip(t *testing.T, store ports.Store) {
	full := fullCheckout(t)
	requireFull(t, full)
	require.Equal(t, full, write(t, store, ports.Tx.InsertCheckout, full), "what Insert gives")
	read, err := store.Checkout(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, full, read)

	// Every field but id and time of creation can change.
	next := fullCheckout(t)
	next.ID, next.CreatedAt = full.ID, full.CreatedAt
	next.Mode, next.Capture, next.Flow, next.Status = core.ModePayment, core.CaptureAutomatic, core.FlowPage, core.CheckoutExpired
	next.Amount, next.LineItems, next.Providers = eur(t, 0), next.LineItems[1:], next.Providers[:1]
	next.Buyer.Email, next.Buyer.Name = "grace@example.test", "Grace"
	next.SuccessURL, next.CancelURL, next.Metadata = "https://b.example/1", "https://b.example/2", map[string]string{"x": "y"}
	next.Attempts, next.ExpiresAt, next.LookAt, next.UpdatedAt = 4, minutes(90), minutes(95), minutes(3)
	updated := write(t, store, ports.Tx.UpdateCheckout, next)
	next.Version = 2
	require.Equal(t, next, updated, "what Update gives")
	read, err = store.Checkout(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, next, read)

	bare := openCheckout(t)
	want := bare
	want.Version = 1
	bare.Providers, bare.Metadata = []core.ProviderName{}, map[string]string{}
	bare.ExpiresAt, bare.CreatedAt, bare.UpdatedAt = rough(bare.ExpiresAt), rough(bare.CreatedAt), rough(bare.UpdatedAt)
	require.Equal(t, want, write(t, store, ports.Tx.InsertCheckout, bare), "times cut and in UTC, empty as nil")
	read, err = store.Checkout(t.Context(), bare.ID)
	require.NoError(t, err)
	require.Equal(t, want, read)
	require.Equal(t, time.UTC, read.CreatedAt.Location())
}

func checkoutVersions(t *testing.T, store ports.Store) {
	versioned[core.Checkout]{
		insert: ports.Tx.InsertCheckout, update: ports.Tx.UpdateCheckout,
		lock: func(ctx context.Context, tx ports.Tx, like core.Checkout) (core.Checkout, error) {
			return tx.LockCheckout(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.Checkout) (core.Checkout, error) {
			return store.Checkout(ctx, like.ID)
		},
		version: func(c *core.Checkout) *int64 { return &c.Version },
		change:  func(c core.Checkout) core.Checkout { c.UpdatedAt = c.UpdatedAt.Add(time.Second); return c },
		other:   fullCheckout(t),
	}.hold(t, store, fullCheckout(t))
}

func checkoutLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	first := write(t, store, ports.Tx.InsertCheckout, fullCheckout(t))
	second := write(t, store, ports.Tx.InsertCheckout, fullCheckout(t))
	write(t, store, ports.Tx.InsertCheckout, openCheckout(t))
	write(t, store, ports.Tx.InsertCheckout, openCheckout(t)) // no request key twice is no duplicate

	found, err := store.CheckoutByRequestKey(ctx, second.RequestKey)
	require.NoError(t, err)
	require.Equal(t, second, found)
	for _, key := range []core.RequestKey{"", core.NewRequestKey("key_a", "never used")} {
		_, err = store.CheckoutByRequestKey(ctx, key)
		require.ErrorIs(t, err, ports.ErrNotFound, "key %q", key)
	}
	again := fullCheckout(t)
	again.RequestKey = first.RequestKey
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertCheckout, again), ports.ErrDuplicate)

	some, err := store.Checkouts(ctx, []core.CheckoutID{second.ID, storeID[core.CheckoutID](), first.ID})
	require.NoError(t, err)
	require.ElementsMatch(t, []core.Checkout{first, second}, some)
	none, err := store.Checkouts(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, none)
	none, err = store.Checkouts(ctx, []core.CheckoutID{storeID[core.CheckoutID]()})
	require.NoError(t, err)
	require.Empty(t, none)
}

func checkoutsToExpire(t *testing.T, store ports.Store) {
	ctx := t.Context()
	now := minutes(100)
	insert := func(expires time.Time, change func(*core.Checkout)) core.CheckoutID {
		c := openCheckout(t)
		c.ExpiresAt = expires
		if change != nil {
			change(&c)
		}
		return write(t, store, ports.Tx.InsertCheckout, c).ID
	}
	justNow := insert(now, nil)
	insert(now.Add(time.Microsecond), nil) // not over yet
	longest := insert(minutes(10), nil)
	leased := insert(minutes(50), func(c *core.Checkout) { c.Lease = string(storeID[core.PaymentID]()) })
	insert(minutes(5), func(c *core.Checkout) { c.LookAt = now.Add(time.Microsecond) }) // rests
	rested := insert(minutes(5), func(c *core.Checkout) { c.LookAt = minutes(60) })
	insert(minutes(5), func(c *core.Checkout) { c.Status = core.CheckoutComplete })
	insert(minutes(5), func(c *core.Checkout) { c.Status = core.CheckoutExpired })

	due, err := store.CheckoutsToExpire(ctx, now, 10)
	require.NoError(t, err)
	require.Equal(t, []core.CheckoutID{longest, leased, rested, justNow}, due)
	due, err = store.CheckoutsToExpire(ctx, rough(now), 2)
	require.NoError(t, err)
	require.Equal(t, []core.CheckoutID{longest, leased}, due, "the limit leaves the least overdue")
	due, err = store.CheckoutsToExpire(ctx, minutes(9), 10)
	require.NoError(t, err)
	require.Empty(t, due)
}

// oddTexts are legal, and have broken databases before.
var oddTexts = []string{
	`it's "quoted" and ; -- commented`, `back\slash \' \u0041 \\`, "50% off_ %s %d", "what? ?1 $1 :name @name ?? ?0",
	"שלום عالم", "naïve 漢字 👩‍👩‍👧‍👦 🇺🇳", "tab\tline\nreturn\r", "\u202ereversed\u200b", `{"a":[1,{}]}`, "null", "NULL", " ", "\U0010FFFF\uFFFD",
}

func checkoutTexts(t *testing.T, store ports.Store) {
	for _, text := range oddTexts {
		c := fullCheckout(t)
		c.Reference, c.LineItems[0].Name, c.Buyer.Name, c.Buyer.Email = text, text, text, text
		c.SuccessURL, c.CancelURL, c.Metadata = text, text, map[string]string{text: text}
		c.Providers, c.RequestKey = []core.ProviderName{core.ProviderName(text)}, core.RequestKey(text)
		require.Equal(t, c, write(t, store, ports.Tx.InsertCheckout, c), "%q", text)
		read, err := store.CheckoutByRequestKey(t.Context(), core.RequestKey(text))
		require.NoError(t, err, "%q", text)
		require.Equal(t, c, read, "%q", text)
		locked := c
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			locked, err = tx.LockCheckout(ctx, c.ID)
			return err
		})
		require.Equal(t, c, locked, "%q", text)
	}
}
