package portstest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func otherEnvironment(t *testing.T, store ports.Store) {
	for _, env := range []core.Environment{core.EnvLive, "", "other"} {
		c := fullCheckout(t)
		c.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertCheckout, c), "checkout of %q", env)
		_, err := store.Checkout(t.Context(), c.ID)
		require.ErrorIs(t, err, ports.ErrNotFound)

		of := storedSale(t, store)
		p := fullPayment(t, of)
		p.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertPayment, p), "payment of %q", env)
		_, err = store.Payment(t.Context(), p.ID)
		require.ErrorIs(t, err, ports.ErrNotFound)

		r := fullRefund(t, storedPayment(t, store))
		r.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertRefund, r), "refund of %q", env)
		d := fullDispute(t, r.Payment)
		d.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertDispute, d), "dispute of %q", env)
		u := fullCustomer()
		u.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertCustomer, u), "customer of %q", env)
		m := fullMethod(of)
		m.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertMethod, m), "saved method of %q", env)
		price := fullPrice(t)
		price.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertPrice, price), "price of %q", env)
		s := fullSubscription(t, of)
		s.Environment = env
		require.Error(t, tryWrite(t, store, ports.Tx.InsertSubscription, s), "subscription of %q", env)

		k := fullAPIKey()
		k.Environment = env
		err = store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.InsertAPIKey(ctx, k) })
		require.Error(t, err, "API key of %q", env)
		_, err = store.APIKeyByHash(t.Context(), k.Hash)
		require.ErrorIs(t, err, ports.ErrNotFound)
	}
}

// written is one of everything that a transaction can write.
type written struct {
	checkout  core.Checkout
	payment   core.Payment
	operation core.Operation
	refund    core.Refund
	dispute   core.Dispute
	file      core.EvidenceFile
	sale      sale
	method    core.SavedMethod
	event     core.Event
	inbound   core.InboundEvent
	record    core.IdempotencyRecord
	key       core.APIKey
	staff     core.Staff
	endpoint  core.Endpoint
}

// writeAll writes one of everything.
func writeAll(ctx context.Context, t *testing.T, tx ports.Tx) written {
	var w written
	var err error
	w.checkout, err = tx.InsertCheckout(ctx, openCheckout(t))
	require.NoError(t, err)
	w.sale = insertSale(ctx, t, tx)
	w.payment, err = tx.InsertPayment(ctx, fullPayment(t, w.sale))
	require.NoError(t, err)
	w.refund, err = tx.InsertRefund(ctx, fullRefund(t, w.payment.ID))
	require.NoError(t, err)
	w.dispute, err = tx.InsertDispute(ctx, fullDispute(t, w.payment.ID))
	require.NoError(t, err)
	_, err = tx.SaveEvidence(ctx, core.Evidence{Dispute: w.dispute.ID, UpdatedAt: minutes(1)})
	require.NoError(t, err)
	w.file = fullFile(w.dispute.ID, core.EvidenceReceipt, []byte("receipt"))
	require.NoError(t, tx.PutEvidenceFile(ctx, w.file, []byte("receipt")))
	w.method, err = tx.InsertMethod(ctx, fullMethod(w.sale))
	require.NoError(t, err)
	require.NoError(t, tx.InsertCustomerAccount(ctx, core.CustomerAccount{Customer: w.sale.customer, Account: "a", ProviderCustomerID: "c", CreatedAt: minutes(1)}))
	require.NoError(t, tx.InsertPriceAccount(ctx, core.PriceAccount{Price: w.sale.price, Account: "a", ProviderPriceID: "p", CreatedAt: minutes(1)}))
	w.operation, err = tx.InsertOperation(ctx, fullOperation(t, w.payment.ID))
	require.NoError(t, err)
	require.NoError(t, tx.AppendTimeline(ctx, fullEntry(w.payment.ID, minutes(1))))
	w.event, err = tx.AppendEvent(ctx, fullEvent(core.EventCheckoutCompleted))
	require.NoError(t, err)
	require.NoError(t, tx.AppendAudit(ctx, fullAudit()))
	w.inbound = fullInbound()
	_, err = tx.AcceptInbound(ctx, []core.InboundEvent{w.inbound})
	require.NoError(t, err)
	w.record = runningRecord(storeID[core.APIKeyID](), "key")
	_, _, err = tx.BeginIdempotent(ctx, w.record)
	require.NoError(t, err)
	w.key, w.staff, w.endpoint = fullAPIKey(), fullStaff(), fullEndpoint()
	w.endpoint.DeletedAt = time.Time{}
	require.NoError(t, tx.InsertAPIKey(ctx, w.key))
	require.NoError(t, tx.InsertStaff(ctx, w.staff))
	require.NoError(t, tx.InsertEndpoint(ctx, w.endpoint))
	require.NoError(t, tx.Enqueue(ctx, ports.Job{Kind: ports.JobRepairOperation, Operation: w.operation.ID}))
	return w
}

// requireNothing makes sure that none of it can be read.
func requireNothing(t *testing.T, store ports.Store, w written) {
	t.Helper()
	ctx := t.Context()
	_, err := store.Checkout(ctx, w.checkout.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Payment(ctx, w.payment.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Operation(ctx, w.operation.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Refund(ctx, w.refund.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Dispute(ctx, w.dispute.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	evidence, err := store.Evidence(ctx, w.dispute.ID)
	require.NoError(t, err)
	require.Zero(t, evidence)
	_, err = store.EvidenceContent(ctx, w.file.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Customer(ctx, w.sale.customer)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.CustomerAccount(ctx, w.sale.customer, "a")
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Method(ctx, w.method.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Price(ctx, w.sale.price)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.PriceAccount(ctx, w.sale.price, "a")
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Subscription(ctx, w.sale.subscription)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Event(ctx, w.event.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Inbound(ctx, w.inbound.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.APIKeyByHash(ctx, w.key.Hash)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.StaffByEmail(ctx, w.staff.Email)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.Endpoint(ctx, w.endpoint.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	timeline, err := store.Timeline(ctx, w.payment.ID, nil, 10)
	require.NoError(t, err)
	require.Empty(t, timeline)
	require.Empty(t, wholeLog(t, store))
	_, fresh := begin(t, store, w.record)
	require.True(t, fresh)
}

func txRollback(t *testing.T, store ports.Store) {
	var w written
	err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		w = writeAll(ctx, t, tx)
		// Nobody sees it before the commit.
		_, err := store.Checkout(t.Context(), w.checkout.ID) //nolint:contextcheck // a reader outside of the transaction
		require.ErrorIs(t, err, ports.ErrNotFound)
		return errOnPurpose
	})
	require.ErrorIs(t, err, errOnPurpose)
	requireNothing(t, store, w)

	require.PanicsWithValue(t, "on purpose", func() {
		_ = store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
			w = writeAll(ctx, t, tx)
			panic("on purpose")
		})
	})
	requireNothing(t, store, w)

	gone, cancel := context.WithCancel(t.Context())
	err = store.InTx(gone, func(ctx context.Context, tx ports.Tx) error {
		w = writeAll(ctx, t, tx)
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled, "whoever has gone gets nothing stored")
	requireNothing(t, store, w)

	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		w = writeAll(ctx, t, tx)
		return nil
	})
	read, err := store.Payment(t.Context(), w.payment.ID)
	require.NoError(t, err)
	require.Equal(t, w.payment, read, "and what commits is there")
	require.Len(t, wholeLog(t, store), 1)
}

func txPoison(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	stored := write(t, store, ports.Tx.InsertCheckout, fullCheckout(t))
	err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.LockPayment(ctx, storeID[core.PaymentID]())
		require.ErrorIs(t, err, ports.ErrNotFound)
		stale := stored
		stale.Version = 9
		_, err = tx.UpdateCheckout(ctx, stale)
		require.ErrorIs(t, err, ports.ErrConflict)
		bad := openCheckout(t)
		bad.Reference = "\x00"
		_, err = tx.InsertCheckout(ctx, bad)
		require.ErrorIs(t, err, ports.ErrText)
		stored.Reference = "changed all the same"
		_, err = tx.UpdateCheckout(ctx, stored)
		return err
	})
	require.NoError(t, err, "these three leave the transaction good")
	read, err := store.Checkout(t.Context(), stored.ID)
	require.NoError(t, err)
	require.Equal(t, "changed all the same", read.Reference)

	// What the database itself refuses, and would refuse whenever it is asked.
	refused := map[string]bool{"a payment of no checkout": true, "a refund of no payment": true, "an event of another account's object": true}
	for name, poison := range poisons(t, of, stored) {
		before, after := openCheckout(t), openCheckout(t)
		err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
			_, err := tx.InsertCheckout(ctx, before)
			require.NoError(t, err)
			err = poison(ctx, tx)
			require.Error(t, err, name)
			require.Equal(t, refused[name], errors.Is(err, ports.ErrRefused), "%s: %v", name, err)
			_, _ = tx.InsertCheckout(ctx, after)
			return nil
		})
		require.Error(t, err, "%s ends the transaction though fn makes nothing of it", name)
		for _, c := range []core.Checkout{before, after} {
			_, err = store.Checkout(t.Context(), c.ID)
			require.ErrorIs(t, err, ports.ErrNotFound, name)
		}
	}
}

// poisons are writes that no transaction survives.
func poisons(t *testing.T, of sale, stored core.Checkout) map[string]func(context.Context, ports.Tx) error {
	t.Helper()
	return map[string]func(context.Context, ports.Tx) error{
		"a duplicate": func(ctx context.Context, tx ports.Tx) error {
			_, err := tx.InsertCheckout(ctx, stored)
			return err
		},
		"a broken invariant": func(ctx context.Context, tx ports.Tx) error {
			p := fullPayment(t, of)
			p.AmountRefunded = p.Amount
			_, err := tx.InsertPayment(ctx, p)
			return err
		},
		"another environment": func(ctx context.Context, tx ports.Tx) error {
			c := openCheckout(t)
			c.Environment = core.EnvLive
			_, err := tx.InsertCheckout(ctx, c)
			return err
		},
		"a payment of no checkout": func(ctx context.Context, tx ports.Tx) error {
			p := fullPayment(t, of)
			p.Checkout = storeID[core.CheckoutID]()
			_, err := tx.InsertPayment(ctx, p)
			return err
		},
		"a refund of no payment": func(ctx context.Context, tx ports.Tx) error {
			_, err := tx.InsertRefund(ctx, fullRefund(t, storeID[core.PaymentID]()))
			return err
		},
		"an event of another account's object": func(ctx context.Context, tx ports.Tx) error {
			e := fullInbound()
			e.Ref.Account = "stripe_us"
			_, err := tx.AcceptInbound(ctx, []core.InboundEvent{e})
			return err
		},
	}
}

const lockers = 20

func txLocks(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := write(t, store, ports.Tx.InsertPayment, fullPayment(t, storedSale(t, store)))
	payment.ForeignStatus = "0"
	payment = write(t, store, ports.Tx.UpdatePayment, payment)
	var changes sync.WaitGroup
	failed := make([]error, lockers)
	for n := range lockers {
		changes.Go(func() {
			failed[n] = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
				lock := func() (core.Payment, error) { return tx.LockPayment(ctx, payment.ID) }
				if n%2 == 1 {
					lock = func() (core.Payment, error) { return tx.LockPaymentByRef(ctx, payment.Ref()) }
				}
				held, err := lock()
				if err != nil {
					return err
				}
				count, err := strconv.Atoi(held.ForeignStatus)
				if err != nil {
					return err
				}
				held.ForeignStatus = strconv.Itoa(count + 1)
				_, err = tx.UpdatePayment(ctx, held)
				return err
			})
		})
	}
	changes.Wait()
	for _, err := range failed {
		require.NoError(t, err)
	}
	read, err := store.Payment(ctx, payment.ID)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(lockers), read.ForeignStatus, "no change was lost")
	require.EqualValues(t, 2+lockers, read.Version)
}

func txConflict(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := write(t, store, ports.Tx.InsertPayment, fullPayment(t, storedSale(t, store)))
	for round := range 5 {
		held, err := store.Payment(ctx, payment.ID)
		require.NoError(t, err)
		failed := make([]error, 2)
		var changes sync.WaitGroup
		for n := range failed {
			changes.Go(func() {
				mine := held
				mine.ForeignStatus = fmt.Sprint("by ", n, " in ", round)
				failed[n] = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
					_, err := tx.UpdatePayment(ctx, mine)
					return err
				})
			})
		}
		changes.Wait()
		winner := 0
		if failed[0] != nil {
			winner = 1
		}
		require.NoError(t, failed[winner])
		require.ErrorIs(t, failed[1-winner], ports.ErrConflict)
		read, err := store.Payment(ctx, payment.ID)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("by ", winner, " in ", round), read.ForeignStatus)
		require.Equal(t, held.Version+1, read.Version)
	}
}

func txJobs(t *testing.T, store ports.Store) {
	kinds := []ports.JobKind{
		ports.JobSyncInbound, ports.JobRepairOperation, ports.JobClosePayment, ports.JobConfirmPayment, ports.JobExpireCheckouts, ports.JobSyncRefund,
		ports.JobSyncSubscription, ports.JobWatchAuthorizations, ports.JobWatchDisputes, ports.JobWatchSubscriptions,
		ports.JobSweepOperations, ports.JobSweepObjects, ports.JobSweepEvents, ports.JobBackfill, ports.JobBackfillAccount,
		ports.JobCheckWebhooks, ports.JobCheckWebhook, ports.JobReconcile, ports.JobReconcileAccount, ports.JobPruneIdempotency,
	}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		require.NoError(t, tx.Enqueue(ctx), "no jobs are no trouble")
		jobs := make([]ports.Job, 0, len(kinds))
		for i, kind := range kinds {
			jobs = append(jobs, ports.Job{
				Kind: kind, Inbound: storeID[core.InboundID](), Operation: storeID[core.OperationID](), Payment: storeID[core.PaymentID](),
				Subject: string(storeID[core.RefundID]()), Delay: time.Duration(i) * time.Minute,
			})
		}
		return tx.Enqueue(ctx, jobs...)
	})
}
