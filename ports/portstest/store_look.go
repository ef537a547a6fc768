package portstest

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// lookable is a row with the moment at which it is to be looked at.
type lookable struct {
	kind    ports.LookKind
	account core.AccountName
	id      string
	at      time.Time
}

// looksDue: what is due follows from the rows' own state, and each account has its own.
func looksDue(t *testing.T, store ports.Store) {
	rows := lookables(t, store)
	ctx := t.Context()
	for _, kind := range []ports.LookKind{
		ports.LookOperation, ports.LookPayment, ports.LookRefund, ports.LookDispute, ports.LookMethod, ports.LookSubscription,
	} {
		for _, when := range []time.Time{minutes(0), minutes(5), minutes(30), minutes(30 * 60), minutes(60 * 24 * 90)} {
			due := map[core.AccountName][]lookable{}
			for _, row := range rows {
				if row.kind == kind && !row.at.IsZero() && !row.at.After(when) {
					due[row.account] = append(due[row.account], row)
				}
			}
			accounts, err := store.AccountsDue(ctx, kind, when)
			require.NoError(t, err)
			var want []core.AccountName
			for account := range due {
				want = append(want, account)
			}
			require.ElementsMatch(t, want, accounts, "%s at %s", kind, when)
			for account, list := range due {
				slices.SortFunc(list, func(a, b lookable) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
				holdLooks(t, store, kind, account, when, list)
			}
		}
		_, err := store.LooksDue(ctx, kind, "stripe_eu", minutes(5), 0)
		require.Error(t, err)
	}
	_, err := store.AccountsDue(ctx, ports.LookEvent, minutes(5))
	require.Error(t, err)
}

func holdLooks(t *testing.T, store ports.Store, kind ports.LookKind, account core.AccountName, when time.Time, list []lookable) {
	t.Helper()
	ids := make([]string, len(list))
	for i, row := range list {
		ids[i] = row.id
	}
	got, err := store.LooksDue(t.Context(), kind, account, when, 100)
	require.NoError(t, err)
	require.Equal(t, ids, got, "%s of %s at %s", kind, account, when)
	got, err = store.LooksDue(t.Context(), kind, account, when, 1)
	require.NoError(t, err)
	require.Equal(t, ids[:1], got, "the limit leaves the least due")
}

// lookables stores rows of every kind and status, at two accounts, seen at several times.
func lookables(t *testing.T, store ports.Store) (rows []lookable) {
	t.Helper()
	of := storedSale(t, store)
	payment := storedPayment(t, store)
	add := func(kind ports.LookKind, account core.AccountName, id string, at time.Time) {
		rows = append(rows, lookable{kind: kind, account: account, id: id, at: at})
	}
	for i, account := range []core.AccountName{"square", "stripe_eu", "square", "stripe_eu", "stripe_eu"} {
		seen := minutes(3 * i)
		for _, status := range core.PaymentStatuses() {
			p := newPayment(t, of.checkout)
			p.Account, p.ProviderPaymentID, p.Status, p.SyncedAt = account, "pi_"+string(p.ID), status, seen
			p = write(t, store, ports.Tx.InsertPayment, p)
			add(ports.LookPayment, account, string(p.ID), p.LookAt())
		}
		for _, status := range core.RefundStatuses() {
			r := newRefund(t, payment, 1)
			r.Account, r.ProviderRefundID, r.Status, r.SyncedAt = account, "re_"+string(r.ID), status, seen
			r = write(t, store, ports.Tx.InsertRefund, r)
			add(ports.LookRefund, account, string(r.ID), r.LookAt())
		}
		for _, status := range core.DisputeStatuses() {
			d := newDispute(t, payment)
			d.Account, d.Status, d.SyncedAt = account, status, seen
			d = write(t, store, ports.Tx.InsertDispute, d)
			add(ports.LookDispute, account, string(d.ID), d.LookAt())
		}
		for _, status := range core.MethodStatuses() {
			m := newMethod(of.customer)
			m.Account, m.ProviderSetupID, m.Status, m.SyncedAt = account, "seti_"+string(m.ID), status, seen
			m = write(t, store, ports.Tx.InsertMethod, m)
			add(ports.LookMethod, account, string(m.ID), m.LookAt())
		}
		for _, status := range core.SubscriptionStatuses() {
			s := newSubscription(t, of)
			s.Account, s.ProviderSubscriptionID, s.Status, s.SyncedAt, s.CurrentPeriodEnd = account, "sub_"+string(s.ID), status, seen, minutes(20)
			s = write(t, store, ports.Tx.InsertSubscription, s)
			add(ports.LookSubscription, account, string(s.ID), s.LookAt())
		}
		for _, status := range []core.OperationStatus{core.OperationPending, core.OperationUnknown, core.OperationFailed, core.OperationSucceeded} {
			o := fullOperation(t, payment)
			o.Account, o.Status, o.SentAt, o.LookedAt, o.GivenUpAt = account, status, seen, time.Time{}, time.Time{}
			o = write(t, store, ports.Tx.InsertOperation, o)
			add(ports.LookOperation, account, string(o.ID), o.LookAt())
		}
	}
	// An update moves the moment.
	o, err := store.Operation(t.Context(), core.OperationID(rows[len(rows)-4].id))
	require.NoError(t, err)
	o = write(t, store, ports.Tx.UpdateOperation, o.Looked(minutes(60*24)))
	rows[len(rows)-4].at = o.LookAt()
	return append(rows, salesOwn(t, store, of)...)
}

// salesOwn are the rows that came with a sale.
func salesOwn(t *testing.T, store ports.Store, of sale) []lookable {
	t.Helper()
	s, err := store.Subscription(t.Context(), of.subscription)
	require.NoError(t, err)
	return []lookable{{kind: ports.LookSubscription, account: s.Account, id: string(s.ID), at: s.LookAt()}}
}

func operationLists(t *testing.T, store ports.Store) {
	payment, other := storedPayment(t, store), storedPayment(t, store)
	var all []core.Operation
	for i, status := range []core.OperationStatus{
		core.OperationSucceeded, core.OperationUnknown, core.OperationPending, core.OperationFailed, core.OperationUnknown, core.OperationPending,
		core.OperationSucceeded, core.OperationUnknown,
	} {
		o := fullOperation(t, payment)
		o.Status, o.CreatedAt = status, minutes(i/2) // some at the same moment
		o.GivenUpAt, o.GivenUp = time.Time{}, ""
		if i%3 == 1 {
			o.GivenUpAt, o.GivenUp, o.Kind = minutes(9), core.GivenUpNotFound, core.OpCancelPayment
		}
		if i%4 == 0 {
			o.Account, o.Payment, o.Subject = "square", other, string(other)
		}
		all = append(all, write(t, store, ports.Tx.InsertOperation, o))
	}
	ctx := t.Context()
	for _, filter := range []ports.OperationFilter{
		{},
		{ForStaff: true},
		{Account: "square"},
		{Payment: payment},
		{Subject: string(other), Account: "square"},
		{Statuses: []core.OperationStatus{core.OperationUnknown}},
		{Statuses: []core.OperationStatus{core.OperationPending, core.OperationFailed}, Kinds: []core.OperationKind{core.OpCancelPayment, core.OpCapturePayment}},
		{Kinds: []core.OperationKind{core.OpRefundPayment}},
	} {
		has := func(o core.Operation) bool {
			return (!filter.ForStaff || o.ForStaff()) && (filter.Account == "" || filter.Account == o.Account) &&
				(filter.Payment == "" || filter.Payment == o.Payment) && (filter.Subject == "" || filter.Subject == o.Subject) &&
				anyOf(filter.Statuses, o.Status) && anyOf(filter.Kinds, o.Kind)
		}
		holdList(t, all, func(o core.Operation) core.Cursor {
			return core.Cursor{Lead: o.Place(), At: o.CreatedAt, ID: string(o.ID)}
		}, has,
			func(request core.PageRequest) (core.Page[core.Operation], error) {
				return store.Operations(ctx, filter, request)
			})
		count, err := store.CountOperations(ctx, filter)
		require.NoError(t, err)
		want := 0
		for _, o := range all {
			if has(o) {
				want++
			}
		}
		require.EqualValues(t, want, count)
	}
}

func unsettled(t *testing.T, store ports.Store) {
	ctx := t.Context()
	none, err := store.Unsettled(ctx)
	require.NoError(t, err)
	require.Empty(t, none)
	payment := storedPayment(t, store) // processing, and not known at its provider: its operation counts
	for i, status := range []core.OperationStatus{core.OperationUnknown, core.OperationUnknown, core.OperationUnknown, core.OperationSucceeded} {
		o := fullOperation(t, payment)
		o.Status, o.CreatedAt, o.GivenUpAt = status, minutes(10-i), time.Time{}
		if i == 2 {
			o.GivenUpAt = minutes(20)
		}
		write(t, store, ports.Tx.InsertOperation, o)
	}
	p := newPayment(t, storedCheckout(t, store))
	p.ProviderPaymentID, p.Anomaly = "pi_1", core.ReasonStuck
	write(t, store, ports.Tx.InsertPayment, p)
	r := newRefund(t, payment, 1)
	r.CreatedAt = minutes(7)
	write(t, store, ports.Tx.InsertRefund, r)
	p = newPayment(t, storedCheckout(t, store))
	p.ProviderPaymentID, p.Status, p.Anomaly, p.CreatedAt = "pi_2", core.PaymentSucceeded, core.ReasonOverpaid, minutes(3)
	p.AmountAuthorized, p.AmountCaptured = p.Amount, p.Amount
	write(t, store, ports.Tx.InsertPayment, p)
	for i, anomaly := range []core.Reason{"", core.ReasonMissing, core.ReasonOtherObject} {
		d := newDispute(t, payment)
		d.Anomaly, d.CreatedAt = anomaly, minutes(4+i)
		write(t, store, ports.Tx.InsertDispute, d)
	}
	for i, anomaly := range []core.Reason{"", core.ReasonOtherObject, core.ReasonStuck} {
		s := newSubscription(t, storedSale(t, store))
		s.Anomaly, s.CreatedAt, s.Status = anomaly, minutes(4+i), core.SubscriptionPastDue
		write(t, store, ports.Tx.InsertSubscription, s)
	}
	waits := fullInbound()
	waits.Status, waits.ProcessedAt = core.InboundReceived, time.Time{}
	accept(t, store, waits, fullInbound())
	got, err := store.Unsettled(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []ports.Unsettled{
		{Kind: ports.LookOperation, Account: "stripe_eu", What: "capture_payment", Status: "unknown", Count: 2, Oldest: minutes(9)},
		{Kind: ports.LookOperation, Account: "stripe_eu", What: "capture_payment", Status: "unknown", ForStaff: true, Count: 1, Oldest: minutes(8)},
		{Kind: ports.LookPayment, Account: "stripe_eu", What: "payment", Status: "processing", ForStaff: true, Count: 1, Oldest: minutes(1)},
		{Kind: ports.LookPayment, Account: "stripe_eu", What: "payment", Status: "succeeded", ForStaff: true, Count: 1, Oldest: minutes(3)},
		{Kind: ports.LookDispute, Account: "stripe_eu", What: "dispute", Status: "needs_response", ForStaff: true, Count: 1, Oldest: minutes(5)},
		{Kind: ports.LookSubscription, Account: "stripe_eu", What: "subscription", Status: "past_due", ForStaff: true, Count: 1, Oldest: minutes(6)},
		{Kind: ports.LookRefund, Account: "stripe_eu", What: "refund", Status: "pending", Count: 1, Oldest: minutes(7)},
		{Kind: ports.LookEvent, Account: "stripe_eu", What: "event", Status: "received", Count: 1, Oldest: waits.ReceivedAt},
	}, got)
}

func inboundWaiting(t *testing.T, store ports.Store) {
	insert := func(received time.Time, status core.InboundStatus) core.InboundID {
		e := fullInbound()
		e.ReceivedAt, e.Status = received, status
		accept(t, store, e)
		return e.ID
	}
	note := func(id core.InboundID, at time.Time) {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.NoteInboundLook(ctx, id, at) })
	}
	second := insert(minutes(20), core.InboundReceived)
	longest := insert(minutes(10), core.InboundReceived)
	taken := insert(minutes(1), core.InboundReceived)
	note(taken, minutes(30))
	insert(minutes(50), core.InboundReceived) // at that very moment
	rests := insert(minutes(1), core.InboundReceived)
	note(rests, minutes(60))
	done := insert(minutes(1), core.InboundProcessed)
	note(done, minutes(2))
	insert(minutes(1), core.InboundFailed)
	insert(minutes(1), core.InboundIgnored)
	holdSweep(t, []core.InboundID{longest, second, taken}, minutes(50), minutes(10), store.InboundWaiting)
}
