package bunrepo_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)

func newID[T core.ID]() T { return core.NewID[T](system.NewIDs().UUID()) }

// secret is in everything that may be stored sealed only.
const secret = "ada.lovelace@example.test"

// row holds the ids of one of everything that fill stored.
type row struct {
	checkout  core.Checkout
	payment   core.Payment
	operation core.Operation
	inbound   core.InboundEvent
	event     core.Event
	endpoint  core.Endpoint
	record    core.IdempotencyRecord
	key       core.APIKey
	staff     core.Staff
	after     *afterSale
}

// fill stores one of everything in one transaction.
func fill(t *testing.T, store *bunrepo.Store) (r row) {
	t.Helper()
	amount, err := core.NewMoney(1000, "EUR")
	require.NoError(t, err)
	r.checkout = core.Checkout{
		ID: newID[core.CheckoutID](), Environment: core.EnvTest, Reference: "order", Mode: core.ModePayment, Capture: core.CaptureManual,
		Flow: core.FlowPage, Status: core.CheckoutOpen, Amount: amount, LineItems: []core.LineItem{{Name: "a shirt", Amount: amount, Quantity: 1}},
		Buyer: core.Buyer{Email: secret, Name: secret}, SuccessURL: "https://shop.example", RequestKey: core.RequestKey(newID[core.EventID]()),
		ExpiresAt: moment, CreatedAt: moment, UpdatedAt: moment,
	}
	r.payment = core.NewPayment(newID[core.PaymentID](), r.checkout, "stripe", core.ProviderStripe, moment)
	r.payment.ProviderPaymentID, r.payment.Customer = "pi_"+string(r.payment.ID), newID[core.CustomerID]()
	r.operation = core.Operation{
		ID: newID[core.OperationID](), Kind: core.OpCreatePayment, Account: "stripe", Payment: r.payment.ID, Subject: string(r.payment.ID), Amount: core.Zero("EUR"),
		RequestHash: "h", RequestKey: core.RequestKey(newID[core.EventID]()), Source: secret, Status: core.OperationPending, CreatedAt: moment,
	}
	r.inbound = core.NewInboundEvent(newID[core.InboundID](), core.Delivery{
		Account: "stripe", ProviderEventID: string(newID[core.EventID]()), Type: "t", Ref: r.payment.Ref(), ReceivedAt: moment, Body: []byte(secret),
	})
	r.event = core.Event{ID: newID[core.EventID](), Type: core.EventPaymentFailed, Subject: string(r.payment.ID), Data: []byte("{}"), OccurredAt: moment}
	r.endpoint = core.Endpoint{ID: newID[core.EndpointID](), URL: "https://shop.example", Secret: "whsec_" + secret, CreatedAt: moment}
	r.record = core.IdempotencyRecord{Caller: newID[core.APIKeyID](), Key: "k", RequestHash: "h", LockedAt: moment, CreatedAt: moment}
	r.key = core.APIKey{ID: newID[core.APIKeyID](), Name: "n", Environment: core.EnvTest, Hash: string(newID[core.EventID]()), Hint: "abcd", CreatedAt: moment}
	r.staff = core.Staff{ID: newID[core.StaffID](), Email: string(newID[core.EventID]()) + "@x", Role: core.RoleAdmin, TokenHash: string(newID[core.EventID]()), CreatedAt: moment}
	after := newAfterSale(r.payment)
	r.after = &after
	require.NoError(t, store.InTx(t.Context(), r.insert))
	r.checkout.Version, r.payment.Version, r.operation.Version = 1, 1, 1
	r.after.stored()
	return r
}

func (r row) insert(ctx context.Context, tx ports.Tx) error {
	_, err1 := tx.InsertCheckout(ctx, r.checkout)
	_, err2 := tx.InsertPayment(ctx, r.payment)
	_, err3 := tx.InsertOperation(ctx, r.operation)
	_, err4 := tx.AppendEvent(ctx, r.event)
	_, err5 := tx.AcceptInbound(ctx, []core.InboundEvent{r.inbound})
	_, _, err6 := tx.BeginIdempotent(ctx, r.record)
	done := r.record
	done.Status, done.Body = 200, []byte(secret)
	return errors.Join(err1, err2, r.after.insert(ctx, tx), err3, err4, err5, err6, tx.FinishIdempotent(ctx, done),
		tx.InsertEndpoint(ctx, r.endpoint), tx.InsertAPIKey(ctx, r.key), tx.InsertStaff(ctx, r.staff),
		tx.AppendAudit(ctx, core.AuditEntry{ID: newID[core.AuditID](), Actor: "cli", Action: "a", At: moment}),
		tx.AppendTimeline(ctx, core.TimelineEntry{ID: newID[core.TimelineID](), Payment: r.payment.ID, Subject: string(r.payment.ID), Kind: core.TimelineCreated, Cause: core.Cause{Kind: core.CauseBuyer}, At: moment}),
		tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: r.payment.ID}))
}

func TestPersonalDataPayloadsAndSecretsAreStoredSealed(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		fill(t, store)
		db := database(t, url)
		tables := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
		if strings.HasPrefix(url, "sqlite:") {
			tables = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
		}
		names := lines(t, db, tables)
		require.Greater(t, len(names), 25)
		seen := 0
		for _, name := range names {
			for _, line := range lines(t, db, "SELECT * FROM "+name) {
				seen++
				for _, part := range []string{secret, "lovelace", "616461"} { // the last is how bytea shows "ada"
					require.NotContains(t, line, part, "table %s", name)
				}
			}
		}
		require.Greater(t, seen, 25)
	})
}

func TestJobsOfUndoneTransactionsAreNotThere(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		db := database(t, url)
		undone := errors.New("undone")
		err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
			return errors.Join(tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"}), undone)
		})
		require.ErrorIs(t, err, undone)
		require.Equal(t, []string{"0"}, lines(t, db, "SELECT count(*) FROM river_job"))
		err = store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
			return tx.Enqueue(ctx, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"}, ports.Job{Kind: ports.JobConfirmPayment, Payment: "pay_1"})
		})
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, lines(t, db, "SELECT count(*) FROM river_job"))
	})
}

// TestBrokenRowsAreErrors changes rows behind the store's back.
func TestBrokenRowsAreErrors(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		first, second := fill(t, store), fill(t, store)
		db := database(t, url)
		ctx := t.Context()
		exec := func(statement string) {
			_, err := db.ExecContext(ctx, statement)
			require.NoError(t, err, statement)
		}
		exec("UPDATE payments SET currency = 'XXX' WHERE id = '" + string(first.payment.ID) + "'")
		_, err := store.Payment(ctx, first.payment.ID)
		require.Error(t, err)
		require.NotErrorIs(t, err, ports.ErrNotFound)
		_, err = store.Payments(ctx, ports.PaymentFilter{}, core.PageRequest{Limit: 10})
		require.Error(t, err, "a list does not leave it out")

		// Sealed values do not open in another's place.
		exec("UPDATE checkouts SET buyer_email = (SELECT buyer_email FROM checkouts WHERE id = '" + string(second.checkout.ID) + "')")
		_, err = store.Checkout(ctx, first.checkout.ID)
		require.ErrorIs(t, err, ports.ErrUnsealable)
		_, err = store.Checkout(ctx, second.checkout.ID)
		require.NoError(t, err)
	})
}

// statements gathers what a store asks of its database.
type statements struct {
	mu  sync.Mutex
	all map[string]bool
}

func (*statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[event.Query] = true
}

// readEverything asks every question that a store answers.
func readEverything(t *testing.T, store *bunrepo.Store, r row) {
	t.Helper()
	ctx := t.Context()
	page := core.PageRequest{Limit: 5}
	cursor := &core.Cursor{At: moment, ID: "x"}
	var failed []error
	note := func(_ any, err error) { failed = append(failed, err) }
	note(store.Checkout(ctx, r.checkout.ID))
	note(store.Checkouts(ctx, []core.CheckoutID{r.checkout.ID}))
	note(store.CheckoutByRequestKey(ctx, r.checkout.RequestKey))
	note(store.CheckoutsToExpire(ctx, moment, 10))
	note(store.InboundWaiting(ctx, moment, 10))
	note(store.Unsettled(ctx))
	note(store.Operations(ctx, ports.OperationFilter{ForStaff: true, Account: "stripe", Kinds: []core.OperationKind{core.OpCreatePayment}}, page))
	note(store.CountOperations(ctx, ports.OperationFilter{}))
	note(store.Payment(ctx, r.payment.ID))
	note(store.PaymentsByID(ctx, []core.PaymentID{r.payment.ID}))
	note(store.PaymentByRef(ctx, r.payment.Ref()))
	filters := []ports.PaymentFilter{
		{},
		{Reference: "order"},
		{Statuses: []core.PaymentStatus{core.PaymentFailed}},
		{Statuses: core.PaymentStatuses()[:3]},
		{Customer: r.payment.Customer},
		{Account: "stripe"},
		{Checkout: r.checkout.ID},
		{CreatedAfter: moment},
		{CreatedBefore: moment},
	}
	for _, filter := range filters {
		for _, request := range []core.PageRequest{page, {Limit: 5, Last: true}, {Limit: 5, After: cursor}, {Limit: 5, Before: cursor, Last: true}} {
			note(store.Payments(ctx, filter, request))
		}
		note(store.CountPayments(ctx, filter))
	}
	note(store.Operation(ctx, r.operation.ID))
	note(store.OperationsByID(ctx, []core.OperationID{r.operation.ID}))
	note(store.OperationByRequestKey(ctx, r.operation.RequestKey))
	note(store.PaymentOperations(ctx, r.payment.ID))
	note(store.OperationsOfPayments(ctx, []core.PaymentID{r.payment.ID}))
	note(store.Timeline(ctx, r.payment.ID, nil, 5))
	note(store.Timeline(ctx, r.payment.ID, cursor, 5))
	note(store.Events(ctx, 0, nil, 5))
	note(store.Events(ctx, 0, []core.EventType{core.EventPaymentFailed}, 5))
	note(store.Event(ctx, r.event.ID))
	note(store.Inbound(ctx, r.inbound.ID))
	note(store.InboundEvents(ctx, ports.InboundFilter{}, page))
	note(store.InboundEvents(ctx, ports.InboundFilter{}, core.PageRequest{Limit: 5, After: cursor}))
	note(store.APIKeyByHash(ctx, r.key.Hash))
	note(store.StaffByTokenHash(ctx, r.staff.TokenHash))
	note(store.StaffByEmail(ctx, r.staff.Email))
	note(store.AuditLog(ctx, 0, 5))
	note(store.Endpoint(ctx, r.endpoint.ID))
	note(nil, r.after.read(ctx, store))
	require.NoError(t, errors.Join(failed...))
}

// writeEverything makes every change that a transaction can make.
func writeEverything(ctx context.Context, tx ports.Tx, r row) error {
	var failed []error
	note := func(_ any, err error) { failed = append(failed, err) }
	note(tx.LockCheckout(ctx, r.checkout.ID))
	note(tx.UpdateCheckout(ctx, r.checkout))
	note(tx.LockPayment(ctx, r.payment.ID))
	note(tx.LockPaymentByRef(ctx, r.payment.Ref()))
	note(tx.UpdatePayment(ctx, r.payment))
	note(tx.LockOperation(ctx, r.operation.ID))
	note(tx.PaymentOperations(ctx, r.payment.ID))
	note(tx.UpdateOperation(ctx, r.operation))
	note(nil, tx.SetInboundStatus(ctx, r.inbound.ID, core.InboundProcessed, "", moment))
	running := r.record
	running.Key = "another"
	_, _, err := tx.BeginIdempotent(ctx, running)
	note(nil, err)
	_, _, err = tx.BeginIdempotent(ctx, running)
	note(nil, err)
	note(nil, tx.RelockIdempotent(ctx, running, running.LockedAt))
	note(nil, tx.FinishIdempotent(ctx, running))
	note(nil, tx.ForgetIdempotent(ctx, r.record.Caller, "k"))
	note(tx.PruneIdempotent(ctx, moment, 5))
	note(nil, tx.RevokeAPIKey(ctx, r.key.ID, moment))
	note(nil, tx.UpdateStaff(ctx, r.staff))
	note(nil, tx.UpdateEndpoint(ctx, r.endpoint))
	note(nil, r.after.write(ctx, tx))
	return errors.Join(failed...)
}

func TestEveryStatementUsesAnIndex(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		r := fill(t, store)
		hook := &statements{all: map[string]bool{}}
		store.Watch(hook)
		readEverything(t, store, r)
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return writeEverything(ctx, tx, r) }))
		lite := strings.HasPrefix(url, "sqlite:")
		conn, err := database(t, url).Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		if !lite { // so that only the lack of an index, and no small table, makes it read everything
			_, err := conn.ExecContext(t.Context(), "SET enable_seqscan = off")
			require.NoError(t, err)
		}
		explained := 0
		for statement := range hook.all {
			verb, _, _ := strings.Cut(statement, " ")
			if verb == "INSERT" || verb == "BEGIN" || verb == "COMMIT" || verb == "ROLLBACK" {
				continue
			}
			explained++
			if lite {
				for _, step := range lines(t, conn, "EXPLAIN QUERY PLAN "+statement) {
					require.False(t, strings.Contains(step, "SCAN ") && !strings.Contains(step, "INDEX"), "%s\n%s", statement, step)
				}
				continue
			}
			plan := strings.Join(lines(t, conn, "EXPLAIN "+statement), "\n")
			require.NotContains(t, plan, "Seq Scan", statement)
		}
		require.Greater(t, explained, 150)
	})
}
