package portstest

import (
	"context"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// RunStore holds a store to the promises of [ports.Store]. open gives an empty store of
// the environment [core.EnvTest] and closes it when t ends; it is called once a chapter.
func RunStore(t *testing.T, open func(t *testing.T) ports.Store) {
	t.Helper()
	for _, chapter := range slices.Concat(storeChapters(), afterSaleChapters(), storeHistoryChapters(), healthChapters()) {
		t.Run(chapter.name, func(t *testing.T) {
			t.Parallel()
			chapter.run(t, open(t))
		})
	}
}

// storeChapter is one promise of a store.
type storeChapter struct {
	name string
	run  func(*testing.T, ports.Store)
}

func storeChapters() []storeChapter {
	return []storeChapter{
		{"a ready store says so", storeReady},
		{"checkouts keep every field", checkoutRoundTrip},
		{"checkouts are versioned", checkoutVersions},
		{"checkouts are found", checkoutLookups},
		{"checkouts to expire come longest overdue first", checkoutsToExpire},
		{"checkouts keep odd texts", checkoutTexts},
		{"changes of payments are told of", changesTold},
		{"a slow reader of changes keeps nobody waiting", changesOfTheSlow},
		{"payments keep every field", paymentRoundTrip},
		{"payments are versioned", paymentVersions},
		{"payments are found", paymentLookups},
		{"payments keep their invariants", paymentInvariants},
		{"payments are filtered and counted", paymentFilters},
		{"payments are paged", paymentPages},
		{"payments are found by what staff know", paymentsStaffKnow},
		{"payments are ordered by time or amount", paymentOrders},
		{"a search finds what carries a text", searches},
		{"what happened within a period is counted", tallies},
		{"what belongs to many is read at once", ofEach},
		{"inbound events are filtered", inboundFilters},
		{"the audit log is filtered", auditFilters},
		{"operations keep every field", operationRoundTrip},
		{"operations are versioned", operationVersions},
		{"operations are found", operationLookups},
		{"operations are found by what they work on", operationSubjects},
		{"operations keep their invariants", operationsRefused},
		{"operations of unknown outcome are listed first", operationLists},
		{"what is not settled is counted", unsettled},
		{"inbound events that wait come longest waiting first", inboundWaiting},
		{"several objects are read at once", batchReads},
		{"timelines are read in order", timelineOrder},
		{"timelines tell of any object", timelineSubjects},
		{"events are numbered at commit", eventNumbers},
		{"events become visible in order", eventOrder},
		{"inbound events keep every field", inboundRoundTrip},
		{"inbound events are stored once", inboundOnce},
		{"inbound events are stored once under a race", inboundRace},
		{"inbound events change their status", inboundStatus},
		{"inbound events are paged", inboundPages},
		{"idempotency records live and end", idempotencyLife},
		{"idempotency records begin once under a race", idempotencyRace},
		{"idempotency records are pruned", idempotencyPrune},
		{"API keys", apiKeys},
		{"staff", staff},
		{"sessions", sessions},
		{"tries to sign in", signInTries},
		{"endpoints", endpoints},
		{"notifications keep every field", notificationRoundTrip},
		{"notifications of one object are sent one after the other", notificationOrder},
		{"notifications are claimed by one at a time", notificationRace},
		{"notifications that failed put off those behind them", notificationsPutOff},
		{"notifications stand as their endpoints do", notificationStandings},
		{"notifications are signaled", notificationSignal},
		{"the audit log is one chain", auditChain},
		{"the audit log is one chain under a race", auditRace},
		{"texts that cannot be kept are refused", textsRefused},
		{"another environment is refused", otherEnvironment},
		{"a transaction is all or nothing", txRollback},
		{"errors end a transaction but for three", txPoison},
		{"locks put changes in a row", txLocks},
		{"one of two racing changes conflicts", txConflict},
		{"jobs of every kind are taken", txJobs},
	}
}

// afterSaleChapters are of what happens after a sale.
func afterSaleChapters() []storeChapter {
	return []storeChapter{
		{"payments that run out come soonest first", paymentsExpiring},
		{"what is due to be looked at comes longest due first", looksDue},
		{"approvals keep every field", approvalRoundTrip},
		{"approvals are versioned", approvalVersions},
		{"approvals are listed", approvalLists},
		{"refunds keep every field", refundRoundTrip},
		{"refunds are versioned", refundVersions},
		{"refunds are found", refundLookups},
		{"refunds keep their invariants", refundInvariants},
		{"refunds are listed", refundLists},
		{"too many refunds are an error", refundsTooMany},
		{"refunds never take more than the lock lets them", refundsReserve},
		{"disputes keep every field", disputeRoundTrip},
		{"disputes are versioned", disputeVersions},
		{"disputes are found", disputeLookups},
		{"disputes keep their invariants", disputeInvariants},
		{"disputes are listed", disputeLists},
		{"disputes that are due come soonest first", disputesDue},
		{"drafts of evidence are versioned", evidenceDraft},
		{"files of evidence", evidenceFiles},
		{"customers", customers},
		{"customers' counterparts", customerAccounts},
		{"saved methods keep every field", methodRoundTrip},
		{"saved methods are versioned", methodVersions},
		{"saved methods are found", methodLookups},
		{"saved methods are listed", methodList},
		{"prices", prices},
		{"prices' counterparts", priceAccounts},
		{"subscriptions keep every field", subscriptionRoundTrip},
		{"subscriptions are versioned", subscriptionVersions},
		{"subscriptions are found", subscriptionLookups},
		{"subscriptions are listed", subscriptionLists},
		{"subscriptions to cancel come soonest first", subscriptionsToCancel},
		{"invoices keep every field", invoiceRoundTrip},
		{"invoices are versioned", invoiceVersions},
		{"invoices are found", invoiceLookups},
		{"invoices are listed", invoiceList},
	}
}

func storeReady(t *testing.T, store ports.Store) {
	require.NoError(t, store.Ready(t.Context()))
}

// storeEpoch is when the suite's things happen: UTC, to the microsecond.
var storeEpoch = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

// storeSerial numbers what the suite makes, so that nothing is like anything else.
var storeSerial atomic.Uint64

func storeID[T core.ID]() T {
	var uuid [16]byte
	binary.BigEndian.PutUint64(uuid[8:], storeSerial.Add(1))
	uuid[6] = 0x70 // version 7
	return core.NewID[T](uuid)
}

func eur(t testing.TB, minor int64) core.Money {
	money, err := core.NewMoney(minor, "EUR")
	require.NoError(t, err)
	return money
}

// minutes is a point in time that many minutes after the epoch.
func minutes(n int) time.Time { return storeEpoch.Add(time.Duration(n) * time.Minute) }

// rough is the same moment in another zone and with nanoseconds that no store keeps.
func rough(t time.Time) time.Time {
	return t.Add(789 * time.Nanosecond).In(time.FixedZone("somewhere", 2*60*60))
}

// inTx runs fn in a transaction that must commit.
func inTx(t testing.TB, store ports.Store, fn func(ctx context.Context, tx ports.Tx) error) {
	t.Helper()
	require.NoError(t, store.InTx(t.Context(), fn))
}

// write makes one write in a transaction of its own that must commit.
func write[T any](t testing.TB, store ports.Store, method func(ports.Tx, context.Context, T) (T, error), given T) T {
	t.Helper()
	var stored T
	inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
		stored, err = method(tx, ctx, given)
		return err
	})
	return stored
}

// tryWrite is write for one that may fail.
func tryWrite[T any](t testing.TB, store ports.Store, method func(ports.Tx, context.Context, T) (T, error), given T) error {
	t.Helper()
	return store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := method(tx, ctx, given)
		return err
	})
}

// requireFull makes sure that a value to be stored has no field left out, so that a
// store that forgets one shows. Skipped are the named fields, which the store gives.
func requireFull(t testing.TB, value any, skipped ...string) {
	t.Helper()
	requireFullValue(t, reflect.ValueOf(value), reflect.TypeOf(value).Name(), skipped)
}

func requireFullValue(t testing.TB, v reflect.Value, path string, skipped []string) {
	t.Helper()
	require.False(t, v.IsZero(), "%s must have a value of its own in the suite", path)
	switch v.Interface().(type) {
	case time.Time, core.Money:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		requireFullValue(t, v.Elem(), path, skipped)
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; !slices.Contains(skipped, name) {
				requireFullValue(t, v.Field(i), path+"."+name, skipped)
			}
		}
	case reflect.Slice, reflect.Map:
		require.Positive(t, v.Len(), path)
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
			requireFullValue(t, v.Index(0), path+"[0]", skipped)
		}
	default:
	}
}

// errOnPurpose ends transactions that the suite wants undone.
var errOnPurpose = errors.New("on purpose")

// versioned is how the suite gets at one kind of versioned row.
type versioned[T any] struct {
	insert, update func(ports.Tx, context.Context, T) (T, error)
	lock           func(ctx context.Context, tx ports.Tx, like T) (T, error)
	read           func(ctx context.Context, store ports.Store, like T) (T, error)
	version        func(*T) *int64
	change         func(T) T // to something that differs
	other          T         // a row that nobody stored
}

// hold makes sure that the rows are versioned as [ports.Tx] says. first is not stored yet.
func (v versioned[T]) hold(t *testing.T, store ports.Store, first T) {
	*v.version(&first) = 77 // what is given does not matter
	stored := write(t, store, v.insert, first)
	require.EqualValues(t, 1, *v.version(&stored), "a new row's version")

	require.ErrorIs(t, tryWrite(t, store, v.insert, first), ports.ErrDuplicate)

	changed := write(t, store, v.update, v.change(stored))
	require.EqualValues(t, 2, *v.version(&changed))
	read, err := v.read(t.Context(), store, first)
	require.NoError(t, err)
	require.Equal(t, changed, read, "what Update gave is what is stored")

	require.ErrorIs(t, tryWrite(t, store, v.update, stored), ports.ErrConflict, "the version before")
	ahead := changed
	*v.version(&ahead)++
	require.ErrorIs(t, tryWrite(t, store, v.update, ahead), ports.ErrConflict, "a version to come")
	require.ErrorIs(t, tryWrite(t, store, v.update, v.other), ports.ErrConflict, "a row that was never stored")
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		locked, err := v.lock(ctx, tx, first)
		require.NoError(t, err)
		require.Equal(t, changed, locked)
		again, err := v.update(tx, ctx, v.change(locked))
		require.NoError(t, err)
		require.EqualValues(t, 3, *v.version(&again))
		locked, err = v.lock(ctx, tx, first)
		require.NoError(t, err)
		require.Equal(t, again, locked, "a transaction sees what it wrote")
		return nil
	})

	_, err = v.read(t.Context(), store, v.other)
	require.ErrorIs(t, err, ports.ErrNotFound)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		_, err := v.lock(ctx, tx, v.other)
		require.ErrorIs(t, err, ports.ErrNotFound)
		return nil
	})
}
