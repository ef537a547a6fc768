package portstest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// FakeCall is one call that a [FakeProvider] got.
type FakeCall struct {
	Method  string            // "CreatePayment", "GetPayment", …
	Key     core.OperationKey // empty for calls that change nothing
	Ref     core.ProviderRef  // zero for CreatePayment and ListPayments
	Payment core.PaymentID    // ours; empty where the object is not known
	Amount  core.Money        // asked for; the zero Money where the method has none
}

// FakeProvider is a provider in memory whose every answer a test can write. Left alone
// it behaves like a well-behaved provider, and it passes [RunProvider]: it is its own
// [FarEnd]. It is safe for concurrent use.
type FakeProvider struct {
	account core.AccountName
	name    core.ProviderName
	env     core.Environment

	mu       sync.Mutex
	can      ports.Capabilities
	now      func() time.Time
	objects  []*fakeObject // oldest first
	refunds  []*core.RefundSnapshot
	disputes []*fakeDispute
	methods  []*fakeMethod
	// subscriptions are billed by the clock whenever somebody looks.
	subscriptions []*fakeSubscription
	events        []ports.ListedEvent       // oldest first
	webhooks      []ports.RegisteredWebhook // that somebody registered
	slow          bool                      // refunds are pending first
	nameless      bool                      // refunds keep no id of ours
	keeps         bool                      // what buyers agreed to cannot be canceled
	created       int
	answers       map[core.OperationKey]fakeAnswer
	effects       map[core.OperationKey]int
	calls         []FakeCall
	failures      []fakeFailure // of the next calls, in order
	onCall        func(context.Context, FakeCall)
	script        Script // nil for none
}

type fakeObject struct {
	seen    core.PaymentSnapshot
	secret  string
	capture core.CaptureMode
	action  bool // the bank's question is open
	// approves says that the buyer only agrees, and our server asks for the money.
	approves bool
	card     Card // what the buyer agreed to pay with, for our server to ask for
}

type fakeAnswer struct {
	request string
	at      time.Time
	result  any
	decline *core.ProviderError // nil unless that was the answer
}

type fakeFailure struct {
	err         *core.ProviderError
	afterCommit bool
}

var (
	_ ports.BrowserProvider = (*FakeProvider)(nil)
	_ ports.Refunder        = (*FakeProvider)(nil)
	_ ports.Disputer        = (*FakeProvider)(nil)
	_ ports.Hoster          = (*FakeProvider)(nil)
	_ FarEnd                = (*FakeProvider)(nil)
)

// NewFakeProvider makes a fake of Stripe's manners for an account. Objects are dated by
// the wall clock until [FakeProvider.UseClock] is called.
func NewFakeProvider(account core.AccountName, env core.Environment) *FakeProvider {
	currencies := map[core.Currency]bool{}
	for _, currency := range core.Currencies() {
		currencies[currency] = true
	}
	return &FakeProvider{
		account: account, name: core.ProviderStripe, env: env,
		can: ports.Capabilities{
			ManualCapture: true, PartialCapture: true, Refund: true, Hosted: true, HostedManualCapture: true, ListPayments: true,
			KeyKept: 24 * time.Hour, Currencies: currencies, Disputes: fakeDisputeAbilities(),
			Vault: true, Subscriptions: fakeBilling(ports.ConfirmInBrowser),
			EventsKept: FakeEventsKept, Lists: fakeLists(), Webhooks: true,
		},
		now:     func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
		answers: map[core.OperationKey]fakeAnswer{},
		effects: map[core.OperationKey]int{},
	}
}

// Named gives the fake, called by the name of another provider.
func (f *FakeProvider) Named(name core.ProviderName) *FakeProvider {
	f.name = name
	return f
}

// UseClock dates objects made from now on by the clock.
func (f *FakeProvider) UseClock(clock ports.Clock) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = clock.Now
}

// SetCapabilities changes what the fake says it can do.
func (f *FakeProvider) SetCapabilities(change func(*ports.Capabilities)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.can.Currencies = maps.Clone(f.can.Currencies)
	change(&f.can)
}

// OnCall has the function called at the start of every call, before any effect and
// without a lock held: it may wait, and it may use the fake. nil turns it off.
func (f *FakeProvider) OnCall(fn func(context.Context, FakeCall)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onCall = fn
}

// FailNext makes the next call that is not yet to fail end with err, without effect.
// Called twice it fails the next two.
func (f *FakeProvider) FailNext(err *core.ProviderError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fakeFailure{err: err})
}

// ClearFaults takes back what was to go wrong and has not yet.
func (f *FakeProvider) ClearFaults() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = nil
}

// FailNextAfterCommit is [FakeProvider.FailNext] for a call that takes its effect all
// the same.
func (f *FakeProvider) FailNextAfterCommit(err *core.ProviderError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fakeFailure{err: err, afterCommit: true})
}

// KeepAgreements makes the fake one at which a payment that buyers only agree to cannot be canceled,
// in the manner of PayPal: canceling it says that it is, and leaves it as it was.
func (f *FakeProvider) KeepAgreements() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keeps = true
}

// NoAnswer is the error of a call that was sent and never answered.
func NoAnswer() *core.ProviderError {
	return &core.ProviderError{Class: core.ClassUnknown, Op: "fake call", Err: errors.New("no answer in time")}
}

// Fault implements [FarEnd].
func (f *FakeProvider) Fault(_ testing.TB, fault Fault) {
	failure := fakeFailureOf(fault)
	if failure.err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, failure)
}

// fakeFailureOf is how a call goes wrong by a fault.
func fakeFailureOf(fault Fault) fakeFailure {
	switch fault {
	case FaultTimeoutBefore, FaultReset:
		return fakeFailure{err: NoAnswer()}
	case FaultTimeoutAfterCommit, FaultSlowBody:
		return fakeFailure{err: NoAnswer(), afterCommit: true}
	case FaultHTML, FaultTruncated:
		return fakeFailure{err: &core.ProviderError{Class: core.ClassUnknown, Op: "fake call", Err: errors.New("unreadable answer")}, afterCommit: true}
	case FaultError500, FaultBadGateway:
		return fakeFailure{err: &core.ProviderError{Class: core.ClassUnknown, Foreign: "api_error", Op: "fake call", RequestID: "req_fake"}}
	case FaultError429:
		return fakeFailure{err: &core.ProviderError{Class: core.ClassRetryable, Foreign: "rate_limit", Op: "fake call", RequestID: "req_fake", RetryAfter: time.Second}}
	case FaultOddStatus, FaultNoAmount, FaultOtherObject: // its answers are no text that could be changed
	}
	return fakeFailure{}
}

// Effects implements [FarEnd].
func (f *FakeProvider) Effects(testing.TB) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := 0
	for _, n := range f.effects {
		sum += n
	}
	return sum
}

// EffectsOf is how often calls under the key had an effect: 0 or 1.
func (f *FakeProvider) EffectsOf(key core.OperationKey) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.effects[key]
}

// Keys implements [FarEnd].
func (f *FakeProvider) Keys(testing.TB) []string {
	var keys []string
	for _, call := range f.Calls() {
		if call.Key != "" {
			keys = append(keys, string(call.Key))
		}
	}
	return keys
}

// Calls gives all calls so far, oldest first, those that failed too.
func (f *FakeProvider) Calls() []FakeCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// CallsOf counts the calls of one method.
func (f *FakeProvider) CallsOf(method string) int {
	n := 0
	for _, call := range f.Calls() {
		if call.Method == method {
			n++
		}
	}
	return n
}

// Object gives the newest object made for a payment of ours as it stands, and whether
// there is one.
func (f *FakeProvider) Object(payment core.PaymentID) (core.PaymentSnapshot, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if object := f.of(payment); object != nil {
		return copied(object.seen), true
	}
	return core.PaymentSnapshot{}, false
}

// Set rewrites what the provider shows of a payment of ours from now on. It reports
// whether there is an object of it.
func (f *FakeProvider) Set(payment core.PaymentID, change func(*core.PaymentSnapshot)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.of(payment)
	if object == nil {
		return false
	}
	change(&object.seen)
	return true
}

// Forget removes a payment's objects, as if the provider had never made them.
func (f *FakeProvider) Forget(payment core.PaymentID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects = slices.DeleteFunc(f.objects, func(o *fakeObject) bool { return o.seen.Payment == payment })
}

// Add puts an object there that nobody asked us for.
func (f *FakeProvider) Add(seen core.PaymentSnapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects = append(f.objects, &fakeObject{seen: seen, secret: seen.Ref.ID + "_secret"})
}

// of finds the newest object of a payment. The lock is held.
func (f *FakeProvider) of(payment core.PaymentID) *fakeObject {
	for _, object := range slices.Backward(f.objects) {
		if object.seen.Payment == payment {
			return object
		}
	}
	return nil
}

// find finds an object by the provider's id. The lock is held.
func (f *FakeProvider) find(id string) *fakeObject {
	for _, object := range f.objects {
		if id != "" && (object.seen.Ref.ID == id || object.seen.Session == id) {
			return object
		}
	}
	return nil
}

// copied shares no memory with the object.
func copied(seen core.PaymentSnapshot) core.PaymentSnapshot {
	if seen.Method != nil {
		method := *seen.Method
		seen.Method = &method
	}
	if seen.Failure != nil {
		failure := *seen.Failure
		seen.Failure = &failure
	}
	return seen
}

func (f *FakeProvider) missing(ref core.ProviderRef) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassInvalid, Foreign: ports.ForeignMissing, Op: fmt.Sprintf("fake look at %s", ref.ID), RequestID: "req_fake"}
}

func unexpectedState(op, id string) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassInvalid, Foreign: "unexpected_state", Op: op + " " + id, RequestID: "req_fake", ObjectID: id}
}
