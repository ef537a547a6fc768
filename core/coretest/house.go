// Package coretest puts the services together for their tests: over a real store, with
// providers in memory, and with a clock, jobs and an outside world that the test moves by
// hand, so that nothing happens unless it says so. Only tests import it.
package coretest

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/observe"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/reconcile"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// The accounts of every house, each at a provider of its own.
const (
	Account      core.AccountName = "stripe"
	OtherAccount core.AccountName = "square"
)

// URL is where buyers reach a house.
const URL core.PublicURL = "https://pay.example.test"

// House is all services over one store.
type House struct {
	Store    *Store
	Clock    *Clock
	IDs      *IDs
	Provider *portstest.FakeProvider // of Account
	Other    *portstest.FakeProvider // of OtherAccount
	Accounts ports.Providers         // both, as the services see them
	Notifier *Notifier
	Odd      *Anomalies

	Record        *record.Recorder
	Observe       *observe.Service
	Inbox         *observe.Inbox
	Calls         *calls.Desk
	Payments      *payments.Service
	Refunds       *refunds.Service
	Disputes      *disputes.Service
	Customers     *customers.Service
	Subscriptions *subscriptions.Service
	Notify        *notify.Service
	Reconcile     *reconcile.Service
	Pacer         *Pacer
	Repair        *repair.Service

	t TB
}

// TB is what a house needs of a test; property tests have it, too.
type TB interface {
	require.TestingT
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

// New puts the services together over an empty store of the environment test.
func New(t TB, store ports.Store) *House {
	t.Helper()
	h := &House{
		t: t, Clock: NewClock(), IDs: &IDs{}, Notifier: &Notifier{}, Odd: &Anomalies{}, Pacer: &Pacer{},
		Provider: portstest.NewFakeProvider(Account, core.EnvTest),
		Other:    portstest.NewFakeProvider(OtherAccount, core.EnvTest).Named(core.ProviderSquare),
	}
	h.Store = NewStore(store, h.Clock)
	h.Provider.UseClock(h.Clock)
	h.Other.UseClock(h.Clock)
	h.Accounts = ports.Providers{Account: h.Provider, OtherAccount: h.Other}
	h.Restart(h.Store)
	return h
}

// Restart makes all services anew, as a process does that died, over a view of the store that may be
// another than [House.Store]. Nothing but what is stored goes on.
func (h *House) Restart(store ports.Store) {
	providers := h.Accounts
	h.Record = record.New(h.Clock, h.IDs, URL, NoTraces{})
	h.Observe = observe.New(store, providers, h.Clock, h.IDs, h.Record, h.Odd)
	h.Inbox = observe.NewInbox(store, h.Observe, h.Clock, h.IDs, h.Record)
	h.Reconcile = reconcile.New(store, providers, h.Observe, h.Inbox, h.Clock, h.Clock, h.IDs, h.Pacer)
	h.Calls = calls.New(store, providers, h.Clock, h.IDs, h.Record)
	h.Refunds = refunds.New(store, providers, h.Observe, h.Clock, h.IDs, h.Record, h.Calls)
	h.Disputes = disputes.New(store, providers, h.Observe, h.Clock, h.IDs, h.Record, h.Calls)
	settings := payments.Settings{Environment: core.EnvTest, URL: URL, GiveBack: h.Refunds.GiveBack}
	h.Payments = payments.New(store, providers, h.Observe, h.Clock, h.IDs, h.Record, settings)
	h.Customers = customers.New(store, providers, h.Observe, h.Payments, h.Clock, h.IDs, h.Record, core.EnvTest, URL)
	h.Subscriptions = subscriptions.New(store, providers, h.Observe, h.Payments, h.Customers, h.Refunds, h.Clock, h.IDs, h.Record, core.EnvTest, URL)
	h.Notify = notify.New(store, h.Notifier, h.Clock, h.Clock, h.IDs, NoTraces{}, core.EnvTest)
	h.Repair = repair.New(repair.Options{
		Store: store, Providers: providers, Observer: h.Observe, Clock: h.Clock, Record: h.Record, Calls: h.Calls,
		Senders: h.senders(), Process: h.Inbox.Process,
	})
}

// Handlers are what does the jobs.
func (h *House) Handlers() map[ports.JobKind]ports.JobHandler {
	return map[ports.JobKind]ports.JobHandler{
		ports.JobSyncInbound:         h.Inbox.Process,
		ports.JobRepairOperation:     h.Repair.Operation,
		ports.JobClosePayment:        h.Payments.ClosePayment,
		ports.JobConfirmPayment:      h.Payments.ConfirmApproved,
		ports.JobExpireCheckouts:     h.Payments.ExpireDue,
		ports.JobWatchAuthorizations: h.Payments.WatchAuthorizations,
		ports.JobSyncRefund:          h.Refunds.Look,
		ports.JobWatchDisputes:       h.Disputes.Remind,
		ports.JobSweepOperations:     h.Repair.Operations,
		ports.JobSweepObjects:        h.Repair.Objects,
		ports.JobSweepEvents:         h.Repair.Events,
		ports.JobSyncSubscription:    h.Subscriptions.Refresh,
		ports.JobWatchSubscriptions:  h.Subscriptions.Watch,
		ports.JobSwapMethod:          h.Subscriptions.SwapMethod,
		ports.JobDropMethod:          h.Customers.Drop,
		ports.JobBackfill:            h.Reconcile.Begin,
		ports.JobBackfillAccount:     h.Reconcile.Continue,
		ports.JobReconcile:           h.Reconcile.BeginDrift,
		ports.JobReconcileAccount:    h.Reconcile.ContinueDrift,
	}
}

// senders are who sends the operations of each kind.
func (h *House) senders() calls.Senders {
	senders := calls.Senders{core.OpRefundPayment: h.Refunds, core.OpSubmitEvidence: h.Disputes, core.OpAcceptDispute: h.Disputes}
	senders.Add(h.Payments, payments.Operations()...)
	senders.Add(h.Customers, customers.Operations()...)
	senders.Add(h.Subscriptions, subscriptions.Operations()...)
	return senders
}

// Price is what every checkout here costs, in cents.
const Price int64 = 1000

// Open opens a checkout of one shirt in EUR.
func (h *House) Open(capture core.CaptureMode) core.Checkout {
	h.t.Helper()
	checkout, err := h.Payments.OpenCheckout(h.t.Context(), payments.OpenCheckout{
		Reference: "order", Currency: "EUR", Capture: capture, SuccessURL: "https://shop.example/done",
		Items: []payments.OpenItem{{Name: "a shirt", Amount: Price, Quantity: 1}},
		Email: "ada@example.test", Name: "Ada", Metadata: map[string]string{"cart": "c-1"},
	})
	require.NoError(h.t, err)
	return checkout
}

// Start begins an attempt at the first account, which must work.
func (h *House) Start(checkout core.CheckoutID) core.Payment {
	h.t.Helper()
	attempt, err := h.Payments.Start(h.t.Context(), checkout, Account)
	require.NoError(h.t, err)
	require.NotEmpty(h.t, attempt.Action.Type)
	return attempt.Payment
}

// Pay is the buyer, with a provider that tells nobody.
func (h *House) Pay(payment core.PaymentID, card portstest.Card) {
	h.t.Helper()
	require.True(h.t, h.Provider.Pay(payment, card), "nothing to be paid")
}

// Look is the buyer's browser that comes back to our page.
func (h *House) Look(p core.Payment) core.Payment {
	h.t.Helper()
	payment, _, err := h.Payments.Look(h.t.Context(), p.Checkout, p.ID)
	require.NoError(h.t, err)
	return payment
}

// Authorized is a payment whose money is held, and nothing else to do.
func (h *House) Authorized() core.Payment {
	h.t.Helper()
	p := h.Start(h.Open(core.CaptureManual).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	p = h.Look(p)
	require.Equal(h.t, core.PaymentAuthorized, p.Status)
	return p
}

// Paid is a payment that took its money, and nothing else to do.
func (h *House) Paid() core.Payment {
	h.t.Helper()
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	p = h.Look(p)
	require.Equal(h.t, core.PaymentSucceeded, p.Status)
	h.RunAll()
	return p
}

// WebhookOf is the provider telling of an object of some kind.
func (h *House) WebhookOf(event string, kind core.ObjectKind, object string) {
	h.t.Helper()
	delivery := h.Delivery(event, object)
	delivery.Ref.Kind = kind
	require.NoError(h.t, h.Inbox.Accept(h.t.Context(), []core.Delivery{delivery}))
}

// Delivery is a webhook about an object at the first account.
func (h *House) Delivery(event, object string) core.Delivery {
	return core.Delivery{
		Account: Account, ProviderEventID: event, Type: "payment_intent.updated", ReceivedAt: h.Clock.Now(),
		Ref:  core.ProviderRef{Account: Account, Kind: core.ObjectPayment, ID: object},
		Body: fmt.Appendf(nil, `{"id":%q}`, event),
	}
}

// Webhook is the provider telling of an object; the jobs that follow are left waiting.
func (h *House) Webhook(event, object string) {
	h.t.Helper()
	require.NoError(h.t, h.Inbox.Accept(h.t.Context(), []core.Delivery{h.Delivery(event, object)}))
}

// Payment reads a payment.
func (h *House) Payment(id core.PaymentID) core.Payment {
	h.t.Helper()
	p, err := h.Store.Payment(h.t.Context(), id)
	require.NoError(h.t, err)
	return p
}

// Checkout reads a checkout.
func (h *House) Checkout(id core.CheckoutID) core.Checkout {
	h.t.Helper()
	c, err := h.Store.Checkout(h.t.Context(), id)
	require.NoError(h.t, err)
	return c
}

// Operations reads a payment's operations.
func (h *House) Operations(id core.PaymentID) []core.Operation {
	h.t.Helper()
	list, err := h.Store.PaymentOperations(h.t.Context(), id)
	require.NoError(h.t, err)
	return list
}

// Operation reads the payment's newest operation of a kind, which must be there.
func (h *House) Operation(id core.PaymentID, kind core.OperationKind) core.Operation {
	h.t.Helper()
	var found core.Operation
	for _, op := range h.Operations(id) {
		if op.Kind == kind {
			found = op
		}
	}
	require.NotEmpty(h.t, found.ID, "no %s of %s", kind, id)
	return found
}

// eventsMax is more events than any test makes.
const eventsMax = 1000

// Events reads the events about an object.
func (h *House) Events(subject string) []core.Event {
	h.t.Helper()
	all, err := h.Store.Events(h.t.Context(), 0, nil, eventsMax)
	require.NoError(h.t, err)
	var of []core.Event
	for _, event := range all {
		if event.Subject == subject {
			of = append(of, event)
		}
	}
	return of
}

// Types reads the types of the events about an object.
func (h *House) Types(subject string) []core.EventType {
	h.t.Helper()
	var types []core.EventType
	for _, event := range h.Events(subject) {
		types = append(types, event.Type)
	}
	return types
}

// Timeline reads a payment's history.
func (h *House) Timeline(id core.PaymentID) []core.TimelineEntry {
	h.t.Helper()
	entries, err := h.Store.Timeline(h.t.Context(), id, nil, eventsMax)
	require.NoError(h.t, err)
	return entries
}

// Clock is a clock that moves by hand alone.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock gives a clock at some time.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)}
}

// Now implements [ports.Clock].
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock ahead.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// IDs counts.
type IDs struct{ last atomic.Uint64 }

// UUID implements [ports.IDs].
func (i *IDs) UUID() (uuid [16]byte) {
	uuid[6] = 0x70 // version 7
	binary.BigEndian.PutUint64(uuid[8:], i.last.Add(1))
	return uuid
}

// Secret implements [ports.IDs].
func (i *IDs) Secret() string { return fmt.Sprintf("secret-%025d", i.last.Add(1)) }

// Anomalies counts what was seen that the rules forbid.
type Anomalies struct {
	mu    sync.Mutex
	count map[core.ObjectKind]int
}

// Count implements [ports.Anomalies].
func (a *Anomalies) Count(_ context.Context, kind core.ObjectKind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count == nil {
		a.count = map[core.ObjectKind]int{}
	}
	a.count[kind]++
}

// Of is how many were counted about objects of a kind.
func (a *Anomalies) Of(kind core.ObjectKind) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count[kind]
}

// NoTraces traces nothing.
type NoTraces struct{}

// TraceID implements [ports.TraceIDs].
func (NoTraces) TraceID(context.Context) string { return "" }

// Notifier keeps what it was asked to send and answers as told.
type Notifier struct {
	mu      sync.Mutex
	sent    []ports.Notification
	answers []answer
	always  func(ports.Notification) (ports.NotificationOutcome, error)
	refused string
}

type answer struct {
	status int
	err    error
}

// AnswerNext says how the next notification that is not answered yet goes; all others
// are answered with 204.
func (n *Notifier) AnswerNext(status int, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = append(n.answers, answer{status: status, err: err})
}

// Answer says how notifications go that [Notifier.AnswerNext] says nothing of; nil for 204. It is
// called for one at a time.
func (n *Notifier) Answer(always func(ports.Notification) (ports.NotificationOutcome, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.always = always
}

// Refuse has an address be a private one.
func (n *Notifier) Refuse(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refused = address
}

// Check implements ports.Notifier.
func (n *Notifier) Check(_ context.Context, address string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if address == n.refused {
		return ports.ErrPrivateAddress
	}
	return nil
}

// Sent gives all tries so far.
func (n *Notifier) Sent() []ports.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]ports.Notification(nil), n.sent...)
}

// Notify implements [ports.Notifier].
func (n *Notifier) Notify(_ context.Context, notification ports.Notification) (ports.NotificationOutcome, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, notification)
	if len(n.answers) == 0 && n.always != nil {
		return n.always(notification)
	}
	if len(n.answers) == 0 {
		return ports.NotificationOutcome{Status: 204}, nil
	}
	next := n.answers[0]
	n.answers = n.answers[1:]
	return ports.NotificationOutcome{Status: next.status}, next.err
}
