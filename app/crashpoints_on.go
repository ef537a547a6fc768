//go:build crashpoints

package app

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// In builds with the tag `crashpoints`, which only tests make, the program ends itself
// by SIGKILL at the boundary named by PAYDESK_TEST_CRASH_AT ("NAME" or "NAME:N" for the
// Nth time). Every step of the program's work ends at one of these boundaries, so killing
// at each of them is killing between any two steps.
//
// Names: journal.append.before, journal.append.after, drain.before, drain.after,
// tx.begin, tx.commit (all is written and nothing committed), tx.done,
// provider.create.before, provider.create.after, provider.get.before, provider.get.after,
// and likewise confirm, host, capture, cancel, refund, evidence, accept, customer, setup,
// store (a method from a token), detach, charge, price, subscribe, change, pause, resume, end
// (a subscription), keep, events (the provider's list of them) and list (of objects).
var crash = readCrashPoint()

type crashPoint struct {
	name string
	left atomic.Int64
}

func readCrashPoint() *crashPoint {
	name, count, _ := strings.Cut(os.Getenv("PAYDESK_TEST_CRASH_AT"), ":")
	point := &crashPoint{name: name}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	point.left.Store(n)
	return point
}

// idempotencyLock is short, so that tests need not wait for the calls that died.
const idempotencyLock = 500 * time.Millisecond

// ServeClock is the clock of `paydesk serve`: the machine's, with the lead that the file named by
// PAYDESK_TEST_CLOCK_LEAD holds (a duration such as 720h; none while there is no file), so that a
// server beside a simulator can live through months with it.
func ServeClock() ports.Clock {
	file := os.Getenv("PAYDESK_TEST_CLOCK_LEAD")
	if file == "" {
		return system.NewClock()
	}
	return leadingClock{file: file}
}

type leadingClock struct{ file string }

// Now implements [ports.Clock]. It reads the file each time: a clock that were behind the
// simulator's for a moment would have keys sent again that are forgotten there.
func (c leadingClock) Now() time.Time {
	text, _ := os.ReadFile(c.file) // there is none before the first lead
	lead, _ := time.ParseDuration(strings.TrimSpace(string(text)))
	return system.NewClock().Now().Add(lead)
}

// at ends the process where it is the chosen boundary's turn.
func (c *crashPoint) at(name string) {
	if c.name == name && c.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal ends every thread
	}
}

type storeThatCrashes struct{ ports.Store }

func crashingStore(store ports.Store) ports.Store { return storeThatCrashes{store} }

// InTx implements [ports.Store].
func (s storeThatCrashes) InTx(ctx context.Context, fn func(context.Context, ports.Tx) error) error {
	crash.at("tx.begin")
	err := s.Store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		crash.at("tx.commit")
		return nil
	})
	crash.at("tx.done")
	return err
}

type journalThatCrashes struct{ ports.Journal }

func crashingJournal(journal ports.Journal) ports.Journal { return journalThatCrashes{journal} }

// Append implements [ports.Journal].
func (j journalThatCrashes) Append(ctx context.Context, delivery core.Delivery) error {
	crash.at("journal.append.before")
	err := j.Journal.Append(ctx, delivery)
	crash.at("journal.append.after")
	return err
}

// Drain implements [ports.Journal].
func (j journalThatCrashes) Drain(ctx context.Context, accept ports.AcceptDeliveries) error {
	return j.Journal.Drain(ctx, func(ctx context.Context, batch []core.Delivery) error {
		crash.at("drain.before")
		err := accept(ctx, batch)
		crash.at("drain.after")
		return err
	})
}

// wholeProvider is all that a guarded account can do.
type wholeProvider interface {
	ports.Confirmer
	ports.Hoster
	ports.Refunder
	ports.Disputer
	ports.Subscriber
	ports.EventLister
	ports.ObjectLister
	ports.WebhookRegistrar
	ports.Healthy
}

type providerThatCrashes struct{ wholeProvider }

func crashingProvider(provider ports.Provider) ports.Provider {
	return providerThatCrashes{provider.(wholeProvider)}
}

// around makes a call between the two boundaries of its name.
func around[T any](name string, call func() (T, error)) (T, error) {
	crash.at("provider." + name + ".before")
	answer, err := call()
	crash.at("provider." + name + ".after")
	return answer, err
}

// ConfirmPayment implements [ports.Confirmer].
func (p providerThatCrashes) ConfirmPayment(ctx context.Context, key core.OperationKey, in ports.ConfirmPayment) (core.PaymentSnapshot, error) {
	return around("confirm", func() (core.PaymentSnapshot, error) { return p.wholeProvider.ConfirmPayment(ctx, key, in) })
}

// CreateHosted implements [ports.Hoster].
func (p providerThatCrashes) CreateHosted(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	return around("host", func() (ports.PaymentSession, error) { return p.wholeProvider.CreateHosted(ctx, key, in) })
}

// RefundPayment implements [ports.Refunder].
func (p providerThatCrashes) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	return around("refund", func() (core.RefundSnapshot, error) { return p.wholeProvider.RefundPayment(ctx, key, in) })
}

// SubmitEvidence implements [ports.Disputer].
func (p providerThatCrashes) SubmitEvidence(ctx context.Context, key core.OperationKey, in ports.SubmitEvidence) (core.DisputeSnapshot, error) {
	return around("evidence", func() (core.DisputeSnapshot, error) { return p.wholeProvider.SubmitEvidence(ctx, key, in) })
}

// AcceptDispute implements [ports.Disputer].
func (p providerThatCrashes) AcceptDispute(ctx context.Context, key core.OperationKey, in ports.AcceptDispute) (core.DisputeSnapshot, error) {
	return around("accept", func() (core.DisputeSnapshot, error) { return p.wholeProvider.AcceptDispute(ctx, key, in) })
}

// CreateCustomer implements [ports.Vault].
func (p providerThatCrashes) CreateCustomer(ctx context.Context, key core.OperationKey, in ports.CreateCustomer) (string, error) {
	return around("customer", func() (string, error) { return p.wholeProvider.CreateCustomer(ctx, key, in) })
}

// CreateSetup implements [ports.Vault].
func (p providerThatCrashes) CreateSetup(ctx context.Context, key core.OperationKey, in ports.CreateSetup) (ports.SetupSession, error) {
	return around("setup", func() (ports.SetupSession, error) { return p.wholeProvider.CreateSetup(ctx, key, in) })
}

// ConfirmSetup implements [ports.Vault].
func (p providerThatCrashes) ConfirmSetup(ctx context.Context, key core.OperationKey, in ports.ConfirmSetup) (core.MethodSnapshot, error) {
	return around("store", func() (core.MethodSnapshot, error) { return p.wholeProvider.ConfirmSetup(ctx, key, in) })
}

// DetachMethod implements [ports.Vault].
func (p providerThatCrashes) DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error {
	_, err := around("detach", func() (struct{}, error) { return struct{}{}, p.wholeProvider.DetachMethod(ctx, key, ref) })
	return err
}

// ChargeMethod implements [ports.Vault].
func (p providerThatCrashes) ChargeMethod(ctx context.Context, key core.OperationKey, in ports.ChargeMethod) (core.PaymentSnapshot, error) {
	return around("charge", func() (core.PaymentSnapshot, error) { return p.wholeProvider.ChargeMethod(ctx, key, in) })
}

// CreateSubscription implements [ports.Subscriber].
func (p providerThatCrashes) CreateSubscription(ctx context.Context, key core.OperationKey, in ports.CreateSubscription) (ports.SubscriptionSession, error) {
	return around("subscribe", func() (ports.SubscriptionSession, error) { return p.wholeProvider.CreateSubscription(ctx, key, in) })
}

// CreatePrice implements [ports.Subscriber].
func (p providerThatCrashes) CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error) {
	return around("price", func() (string, error) { return p.wholeProvider.CreatePrice(ctx, key, price) })
}

// ChangeSubscription implements [ports.Subscriber].
func (p providerThatCrashes) ChangeSubscription(ctx context.Context, key core.OperationKey, in ports.ChangeSubscription) (ports.SubscriptionSession, error) {
	return around("change", func() (ports.SubscriptionSession, error) { return p.wholeProvider.ChangeSubscription(ctx, key, in) })
}

// PauseSubscription implements [ports.Subscriber].
func (p providerThatCrashes) PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return around("pause", func() (core.SubscriptionSnapshot, error) { return p.wholeProvider.PauseSubscription(ctx, key, ref) })
}

// ResumeSubscription implements [ports.Subscriber].
func (p providerThatCrashes) ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return around("resume", func() (core.SubscriptionSnapshot, error) { return p.wholeProvider.ResumeSubscription(ctx, key, ref) })
}

// CancelSubscription implements [ports.Subscriber].
func (p providerThatCrashes) CancelSubscription(ctx context.Context, key core.OperationKey, in ports.CancelSubscription) (core.SubscriptionSnapshot, error) {
	return around("end", func() (core.SubscriptionSnapshot, error) { return p.wholeProvider.CancelSubscription(ctx, key, in) })
}

// KeepSubscription implements [ports.Subscriber].
func (p providerThatCrashes) KeepSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return around("keep", func() (core.SubscriptionSnapshot, error) { return p.wholeProvider.KeepSubscription(ctx, key, ref) })
}

// CreatePayment implements [ports.Provider].
func (p providerThatCrashes) CreatePayment(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	return around("create", func() (ports.PaymentSession, error) { return p.wholeProvider.CreatePayment(ctx, key, in) })
}

// GetPayment implements [ports.Provider].
func (p providerThatCrashes) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	return around("get", func() (core.PaymentSnapshot, error) { return p.wholeProvider.GetPayment(ctx, ref) })
}

// ListEvents implements [ports.EventLister].
func (p providerThatCrashes) ListEvents(ctx context.Context, in ports.ListEvents) (ports.EventList, error) {
	return around("events", func() (ports.EventList, error) { return p.wholeProvider.ListEvents(ctx, in) })
}

// ListObjects implements [ports.ObjectLister].
func (p providerThatCrashes) ListObjects(ctx context.Context, in ports.ListObjects) (ports.ObjectList, error) {
	return around("list", func() (ports.ObjectList, error) { return p.wholeProvider.ListObjects(ctx, in) })
}

// CapturePayment implements [ports.Provider].
func (p providerThatCrashes) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	return around("capture", func() (core.PaymentSnapshot, error) { return p.wholeProvider.CapturePayment(ctx, key, ref, amount) })
}

// CancelPayment implements [ports.Provider].
func (p providerThatCrashes) CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	return around("cancel", func() (core.PaymentSnapshot, error) { return p.wholeProvider.CancelPayment(ctx, key, ref) })
}
