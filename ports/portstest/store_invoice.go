package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullInvoice has every field, distinct from every other. subscription must be stored.
func fullInvoice(t testing.TB, subscription core.SubscriptionID) core.Invoice {
	id := storeID[core.InvoiceID]()
	return core.Invoice{
		ID: id, Version: 1, Subscription: subscription, Account: "stripe_eu", ProviderInvoiceID: "in_" + string(id), Payment: storeID[core.PaymentID](),
		Status: core.InvoiceOpen, ForeignStatus: "open", AmountDue: eur(t, 2970), AmountPaid: eur(t, 70), PeriodStart: minutes(10),
		PeriodEnd: minutes(20), Attempts: 2, NextAttempt: minutes(21), Anomaly: core.ReasonOverpaid, IssuedAt: minutes(9),
		CreatedAt: minutes(1), UpdatedAt: minutes(2),
	}
}

// invoiceRef is how an invoice is looked at.
func invoiceRef(i core.Invoice) core.ProviderRef {
	return core.ProviderRef{Account: i.Account, Kind: core.ObjectInvoice, ID: i.ProviderInvoiceID}
}

func invoiceRoundTrip(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	full := fullInvoice(t, of.subscription)
	next := fullInvoice(t, storedSale(t, store).subscription)
	next.Account, next.Status, next.ForeignStatus = "square", core.InvoicePaid, "PAID"
	next.AmountDue, next.AmountPaid, next.PeriodStart, next.PeriodEnd = usd(t, 5), usd(t, 0), minutes(30), minutes(40)
	next.Attempts, next.NextAttempt, next.Anomaly = 0, minutes(41), core.Reason(core.ReviewTransition)
	next.IssuedAt, next.UpdatedAt = minutes(29), minutes(31)
	bare := core.Invoice{
		ID: storeID[core.InvoiceID](), Subscription: of.subscription, Account: "stripe_eu", ProviderInvoiceID: "in_bare", Status: core.InvoiceDraft,
		AmountDue: eur(t, 0), AmountPaid: eur(t, 0), IssuedAt: minutes(1), CreatedAt: minutes(1), UpdatedAt: minutes(1),
	}
	roughly := bare
	roughly.IssuedAt, roughly.CreatedAt, roughly.UpdatedAt = rough(bare.IssuedAt), rough(bare.CreatedAt), rough(bare.UpdatedAt)
	roundTrip[core.Invoice]{
		insert: ports.Tx.InsertInvoice, update: ports.Tx.UpdateInvoice,
		read: func(ctx context.Context, like core.Invoice) (core.Invoice, error) {
			return store.InvoiceByRef(ctx, invoiceRef(like))
		},
		version: func(i *core.Invoice) *int64 { return &i.Version },
		keep:    func(i, of core.Invoice) core.Invoice { i.ID, i.CreatedAt = of.ID, of.CreatedAt; return i },
	}.hold(t, store, full, next, bare, roughly)
}

func invoiceVersions(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	versioned[core.Invoice]{
		insert: ports.Tx.InsertInvoice, update: ports.Tx.UpdateInvoice,
		lock: func(ctx context.Context, tx ports.Tx, like core.Invoice) (core.Invoice, error) {
			return tx.LockInvoiceByRef(ctx, invoiceRef(like))
		},
		read: func(ctx context.Context, store ports.Store, like core.Invoice) (core.Invoice, error) {
			return store.InvoiceByRef(ctx, invoiceRef(like))
		},
		version: func(i *core.Invoice) *int64 { return &i.Version },
		change:  func(i core.Invoice) core.Invoice { i.UpdatedAt = i.UpdatedAt.Add(time.Second); return i },
		other:   fullInvoice(t, of.subscription),
	}.hold(t, store, fullInvoice(t, of.subscription))
}

func invoiceLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	of := storedSale(t, store)
	known := write(t, store, ports.Tx.InsertInvoice, fullInvoice(t, of.subscription))
	other := write(t, store, ports.Tx.InsertInvoice, fullInvoice(t, of.subscription))
	nothing := core.ProviderRef{Account: known.Account, Kind: core.ObjectInvoice}
	holdRefs(t, known, invoiceRef(known), nothing, func(ref core.ProviderRef) (core.Invoice, error) { return store.InvoiceByRef(ctx, ref) })
	holdRefs(t, known, invoiceRef(known), nothing, func(ref core.ProviderRef) (locked core.Invoice, err error) {
		failed := store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			locked, err = tx.LockInvoiceByRef(ctx, ref)
			return nil
		})
		require.NoError(t, failed)
		return locked, err
	})
	again := fullInvoice(t, of.subscription)
	again.ProviderInvoiceID = known.ProviderInvoiceID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertInvoice, again), ports.ErrDuplicate)
	other.ProviderInvoiceID = known.ProviderInvoiceID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.UpdateInvoice, other), ports.ErrDuplicate)
	again.Account = "stripe_us"
	require.NoError(t, tryWrite(t, store, ports.Tx.InsertInvoice, again), "accounts do not share ids")

	holdInvariants(t, store, ports.Tx.InsertInvoice, ports.Tx.UpdateInvoice, known,
		func() core.Invoice { return fullInvoice(t, of.subscription) }, map[string]func(*core.Invoice){
			"no status":              func(i *core.Invoice) { i.Status = "" },
			"another status":         func(i *core.Invoice) { i.Status = "torn" },
			"less due than nothing":  func(i *core.Invoice) { i.AmountDue = eur(t, -1) },
			"less paid than nothing": func(i *core.Invoice) { i.AmountPaid = eur(t, -1) },
			"two currencies":         func(i *core.Invoice) { i.AmountPaid = usd(t, 1) },
			"no currency":            func(i *core.Invoice) { i.AmountDue, i.AmountPaid = core.Money{}, core.Money{} },
			"no provider id":         func(i *core.Invoice) { i.ProviderInvoiceID = "" },
			"no time of issue":       func(i *core.Invoice) { i.IssuedAt = time.Time{} },
			"another's subscription": func(i *core.Invoice) { i.Subscription = storeID[core.SubscriptionID]() },
		})
}

func invoiceList(t *testing.T, store ports.Store) {
	ctx := t.Context()
	subscriptions := []core.SubscriptionID{storedSale(t, store).subscription, storedSale(t, store).subscription}
	var all []core.Invoice
	for i, subscription := range subscriptions { // the sales' own
		page, err := store.Invoices(ctx, subscription, core.PageRequest{Limit: 2})
		require.NoError(t, err)
		require.Len(t, page.Items, 1, "of subscription %d", i)
		all = append(all, page.Items...)
	}
	for i := range 12 {
		invoice := fullInvoice(t, subscriptions[i%2])
		invoice.IssuedAt, invoice.CreatedAt = minutes(i*5%4), minutes(20-i)
		all = append(all, write(t, store, ports.Tx.InsertInvoice, invoice))
	}
	for _, subscription := range append(subscriptions, storeID[core.SubscriptionID]()) {
		holdList(t, all, func(i core.Invoice) core.Cursor { return core.Cursor{At: i.IssuedAt, ID: string(i.ID)} },
			func(i core.Invoice) bool { return i.Subscription == subscription },
			func(request core.PageRequest) (core.Page[core.Invoice], error) {
				return store.Invoices(ctx, subscription, request)
			})
	}
}
