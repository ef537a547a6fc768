package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullOperation has every field, distinct from every other. payment must be stored.
func fullOperation(t testing.TB, payment core.PaymentID) core.Operation {
	id := storeID[core.OperationID]()
	return core.Operation{
		ID: id, Version: 1, Kind: core.OpCapturePayment, Account: "stripe_eu", Payment: payment, Subject: string(payment), Amount: eur(t, 321),
		Asked: []byte(`{"final": true, "amount":321}`), RequestHash: core.HashRequest(string(id)), RequestKey: core.NewRequestKey("key_o", string(id)),
		Source: "token:secret", Status: core.OperationFailed, Attempts: 3, ObjectID: "pi_7", RequestID: "req_7",
		Failure:   &core.Failure{Code: core.FailureIncorrectCVC, ProviderCode: "cvc", Message: "Check it.", Retryable: true},
		CreatedAt: minutes(4), SentAt: minutes(5), SettledAt: minutes(6),
		LookedAt: minutes(7), GivenUpAt: minutes(8), GivenUp: core.GivenUpNotFound,
		Claim: core.Claim{Outcome: core.ClaimedDone, Object: "pi_9", By: storeID[core.StaffID](), At: minutes(9), ConfirmedBy: storeID[core.StaffID]()},
	}
}

// storedPayment stores a payment for others to refer to.
func storedPayment(t testing.TB, store ports.Store) core.PaymentID {
	t.Helper()
	return write(t, store, ports.Tx.InsertPayment, newPayment(t, storedCheckout(t, store))).ID
}

func operationRoundTrip(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	full := fullOperation(t, payment)
	requireFull(t, full)
	require.Equal(t, full, write(t, store, ports.Tx.InsertOperation, full), "what Insert gives")
	read, err := store.Operation(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, full, read)

	next := fullOperation(t, storedPayment(t, store))
	next.ID, next.CreatedAt = full.ID, full.CreatedAt
	next.Kind, next.Account, next.Amount, next.Status = core.OpCancelPayment, "square", eur(t, 9), core.OperationUnknown
	next.Attempts, next.ObjectID, next.RequestID, next.Asked = 4, "pi_8", "req_8", []byte(`[ 1 ]`)
	next.Failure = core.NewFailure(core.FailureInvalidRequest, "other")
	next.SentAt, next.SettledAt = minutes(15), minutes(16)
	next.LookedAt, next.GivenUpAt, next.GivenUp = minutes(17), minutes(18), core.GivenUpUnanswered
	next.Claim = core.Claim{Outcome: core.ClaimedNotDone, By: storeID[core.StaffID](), At: minutes(19)}
	updated := write(t, store, ports.Tx.UpdateOperation, next)
	next.Version = 2
	require.Equal(t, next, updated, "what Update gives")
	read, err = store.Operation(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, next, read)

	bare := core.Operation{
		ID: storeID[core.OperationID](), Version: 1, Kind: core.OpCreatePayment, Account: "stripe_eu",
		Subject: "cus_1", RequestHash: "h", Status: core.OperationPending, CreatedAt: minutes(4),
	}
	given := bare
	given.CreatedAt, given.Asked = rough(given.CreatedAt), []byte{}
	require.Equal(t, bare, write(t, store, ports.Tx.InsertOperation, given), "times cut and in UTC, absent as absent")
	read, err = store.Operation(t.Context(), bare.ID)
	require.NoError(t, err)
	require.Equal(t, bare, read)
}

func operationVersions(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	versioned[core.Operation]{
		insert: ports.Tx.InsertOperation, update: ports.Tx.UpdateOperation,
		lock: func(ctx context.Context, tx ports.Tx, like core.Operation) (core.Operation, error) {
			return tx.LockOperation(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.Operation) (core.Operation, error) {
			return store.Operation(ctx, like.ID)
		},
		version: func(o *core.Operation) *int64 { return &o.Version },
		change:  func(o core.Operation) core.Operation { o.Attempts++; return o },
		other:   fullOperation(t, payment),
	}.hold(t, store, fullOperation(t, payment))
}

func operationLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment, other := storedPayment(t, store), storedPayment(t, store)
	make3 := func(at int, key core.RequestKey) core.Operation {
		o := fullOperation(t, payment)
		o.CreatedAt, o.RequestKey = minutes(at), key
		return write(t, store, ports.Tx.InsertOperation, o)
	}
	late := make3(9, "key late")
	early := make3(1, "")
	middle := make3(5, "")
	same := make3(5, "key same") // at the same moment: by id
	write(t, store, ports.Tx.InsertOperation, fullOperation(t, other))

	found, err := store.OperationByRequestKey(ctx, late.RequestKey)
	require.NoError(t, err)
	require.Equal(t, late, found)
	for _, key := range []core.RequestKey{"", "key never used"} {
		_, err = store.OperationByRequestKey(ctx, key)
		require.ErrorIs(t, err, ports.ErrNotFound, "key %q", key)
	}
	again := fullOperation(t, payment)
	again.RequestKey = late.RequestKey
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertOperation, again), ports.ErrDuplicate)

	want := []core.Operation{early, middle, same, late}
	list, err := store.PaymentOperations(ctx, payment)
	require.NoError(t, err)
	require.Equal(t, want, list, "oldest first")
	none, err := store.PaymentOperations(ctx, storeID[core.PaymentID]())
	require.NoError(t, err)
	require.Empty(t, none)
	theirs, err := store.PaymentOperations(ctx, other)
	require.NoError(t, err)
	several, err := store.OperationsByID(ctx, []core.OperationID{same.ID, storeID[core.OperationID](), theirs[0].ID})
	require.NoError(t, err)
	require.ElementsMatch(t, []core.Operation{same, theirs[0]}, several)
	several, err = store.OperationsOfPayments(ctx, []core.PaymentID{other, payment, storeID[core.PaymentID]()})
	require.NoError(t, err)
	require.Equal(t, []core.Operation{early, theirs[0], middle, same, late}, several, "oldest first, whosever they are")
	for _, ids := range [][]core.PaymentID{nil, {storeID[core.PaymentID]()}} {
		several, err = store.OperationsOfPayments(ctx, ids)
		require.NoError(t, err)
		require.Empty(t, several)
	}
	several, err = store.OperationsByID(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, several)
	list, err = store.SubjectOperations(ctx, string(payment))
	require.NoError(t, err)
	require.Equal(t, want, list, "oldest first")
	for _, subject := range []string{"", "ref_none"} {
		list, err = store.SubjectOperations(ctx, subject)
		require.NoError(t, err)
		require.Empty(t, list)
	}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		fresh := fullOperation(t, payment)
		fresh.CreatedAt = minutes(20)
		fresh, err := tx.InsertOperation(ctx, fresh)
		require.NoError(t, err)
		list, err := tx.PaymentOperations(ctx, payment)
		require.NoError(t, err)
		require.Equal(t, append(want, fresh), list, "a transaction sees what it wrote")
		return nil
	})
}

// operationSubjects: what works on another object is found by that, and by the payment where it
// is about its money.
func operationSubjects(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := storedPayment(t, store)
	capture := write(t, store, ports.Tx.InsertOperation, fullOperation(t, payment))
	refund, price := fullOperation(t, payment), fullOperation(t, "")
	refund.Kind, refund.Subject, refund.CreatedAt = core.OpRefundPayment, string(storeID[core.RefundID]()), minutes(12)
	price.Kind, price.Subject, price.Amount = core.OpCreatePrice, string(storeID[core.PriceID]()), core.Money{}
	for _, of := range []core.Operation{refund, price} {
		write(t, store, ports.Tx.InsertOperation, of)
		list, err := store.SubjectOperations(ctx, of.Subject)
		require.NoError(t, err)
		require.Equal(t, []core.Operation{of}, list)
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			second := of
			second.ID, second.RequestKey, second.CreatedAt = storeID[core.OperationID](), "", minutes(13)
			second, err := tx.InsertOperation(ctx, second)
			require.NoError(t, err)
			list, err := tx.SubjectOperations(ctx, of.Subject)
			require.NoError(t, err)
			require.Equal(t, []core.Operation{of, second}, list, "a transaction sees what it wrote")
			return nil
		})
	}
	list, err := store.SubjectOperations(ctx, string(payment))
	require.NoError(t, err)
	require.Equal(t, []core.Operation{capture}, list)
	list, err = store.PaymentOperations(ctx, payment)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, []core.Operation{capture, refund}, list[:2])
}

func operationsRefused(t *testing.T, store ports.Store) {
	stored := write(t, store, ports.Tx.InsertOperation, fullOperation(t, storedPayment(t, store)))
	holdInvariants(t, store, ports.Tx.InsertOperation, ports.Tx.UpdateOperation, stored,
		func() core.Operation { return fullOperation(t, stored.Payment) }, map[string]func(*core.Operation){
			"no subject":           func(o *core.Operation) { o.Subject = "" },
			"an amount below zero": func(o *core.Operation) { o.Amount = eur(t, -1) },
			"no JSON":              func(o *core.Operation) { o.Asked = []byte("{") },
			"JSON that is no text": func(o *core.Operation) { o.Asked = []byte("\"\xff\"") },
			"a payment of nobody":  func(o *core.Operation) { o.Payment = storeID[core.PaymentID]() },
			"another status":       func(o *core.Operation) { o.Status = "lost" },
		})
	read, err := store.Operation(t.Context(), stored.ID)
	require.NoError(t, err)
	require.Equal(t, stored, read)
}

// fullEntry has every field of a timeline entry. payment must be stored.
func fullEntry(payment core.PaymentID, at time.Time) core.TimelineEntry {
	id := storeID[core.TimelineID]()
	return core.TimelineEntry{
		ID: id, Payment: payment, Subject: string(payment), Kind: core.TimelineObservation,
		Cause:     core.Cause{Kind: core.CauseWebhook, Inbound: storeID[core.InboundID](), Actor: "key_x"},
		Operation: storeID[core.OperationID](), Status: "requires_capture", From: string(core.PaymentProcessing), To: string(core.PaymentAuthorized),
		Verdict: core.Advance.String(), Reason: core.ReasonMoved, Note: "note of " + string(id), Text: "text of " + string(id), TraceID: "0af7651916cd43dd8448eb211c80319c", At: at,
	}
}

func timelineOrder(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment, other := storedPayment(t, store), storedPayment(t, store)
	first, second, twin, last := fullEntry(payment, minutes(1)), fullEntry(payment, minutes(2)), fullEntry(payment, minutes(2)), fullEntry(payment, minutes(3))
	requireFull(t, first)
	bare := core.TimelineEntry{ID: storeID[core.TimelineID](), Payment: payment, Subject: "ref_1", Kind: core.TimelineCreated, Cause: core.Cause{Kind: core.CauseBuyer}, At: minutes(4)}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		roughly := first
		roughly.At = rough(first.At)
		if err := tx.AppendTimeline(ctx); err != nil { // nothing is no trouble
			return err
		}
		if err := tx.AppendTimeline(ctx, last, bare, twin, fullEntry(other, minutes(2)), second); err != nil {
			return err
		}
		return tx.AppendTimeline(ctx, roughly)
	})
	want := []core.TimelineEntry{first, second, twin, last, bare}
	read, err := store.Timeline(ctx, payment, nil, 100)
	require.NoError(t, err)
	require.Equal(t, want, read, "oldest first, by id where times are equal")
	for _, entry := range want {
		one, err := store.TimelineEntry(ctx, entry.ID)
		require.NoError(t, err)
		require.Equal(t, entry, one)
	}
	_, err = store.TimelineEntry(ctx, storeID[core.TimelineID]())
	require.ErrorIs(t, err, ports.ErrNotFound)

	for i, entry := range want {
		read, err = store.Timeline(ctx, payment, &core.Cursor{At: entry.At, ID: string(entry.ID)}, 2)
		require.NoError(t, err)
		require.Equal(t, append([]core.TimelineEntry{}, want[i+1:min(i+3, len(want))]...), append([]core.TimelineEntry{}, read...), "after entry %d", i)
	}
	none, err := store.Timeline(ctx, storeID[core.PaymentID](), nil, 100)
	require.NoError(t, err)
	require.Empty(t, none)
	err = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.AppendTimeline(ctx, first) })
	require.ErrorIs(t, err, ports.ErrDuplicate)
}

// timelineSubjects: what an object is told of that is no payment is found by it, and by the
// payment that it belongs to, if any.
func timelineSubjects(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := storedPayment(t, store)
	of, alone := fullEntry(payment, minutes(2)), fullEntry("", minutes(3))
	of.Subject, alone.Subject = string(storeID[core.RefundID]()), string(storeID[core.SubscriptionID]())
	twin, next := alone, alone
	twin.ID, next.ID, next.At = storeID[core.TimelineID](), storeID[core.TimelineID](), minutes(4)
	paid := fullEntry(payment, minutes(1))
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		return tx.AppendTimeline(ctx, next, of, twin, alone, paid)
	})
	for subject, want := range map[string][]core.TimelineEntry{
		of.Subject: {of}, alone.Subject: {alone, twin, next}, string(payment): {paid}, "ref_none": {}, "": {},
	} {
		read, err := store.SubjectTimeline(ctx, subject, nil, 100)
		require.NoError(t, err)
		require.Equal(t, want, append([]core.TimelineEntry{}, read...), subject)
	}
	read, err := store.SubjectTimeline(ctx, alone.Subject, &core.Cursor{At: alone.At, ID: string(alone.ID)}, 1)
	require.NoError(t, err)
	require.Equal(t, []core.TimelineEntry{twin}, read)
	read, err = store.Timeline(ctx, payment, nil, 100)
	require.NoError(t, err)
	require.Equal(t, []core.TimelineEntry{paid, of}, read)
	_, err = store.SubjectTimeline(ctx, alone.Subject, nil, 0)
	require.Error(t, err)
	nameless := fullEntry(payment, minutes(5))
	nameless.Subject = ""
	require.Error(t, store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.AppendTimeline(ctx, nameless) }))
}
