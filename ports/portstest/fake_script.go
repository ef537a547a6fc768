package portstest

import (
	"context"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
)

// Script decides how each call that a [FakeProvider] gets goes, and hears of its end. It is called
// without a lock held: it may wait, and it may use the fake.
type Script interface {
	// Before is called before a call has any effect, and says how the call goes wrong; empty for not
	// at all.
	Before(ctx context.Context, call FakeCall) Fault
	// After is called once the provider has done what it does, and before anybody has its answer.
	After(ctx context.Context, call FakeCall)
}

// Follow has a script asked about every call from now on.
func (f *FakeProvider) Follow(script Script) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = script
}

// end tells the script that a call's effect is over.
func (f *FakeProvider) end(ctx context.Context, call FakeCall) {
	f.mu.Lock()
	script := f.script
	f.mu.Unlock()
	if script != nil {
		script.After(ctx, call)
	}
}

// Everything is all that a provider holds, as it stands, oldest first.
type Everything struct {
	Payments      []core.PaymentSnapshot
	Refunds       []core.RefundSnapshot
	Disputes      []core.DisputeSnapshot
	Methods       []core.MethodSnapshot
	Subscriptions []core.SubscriptionSnapshot // each with its newest invoices
	Invoices      []core.InvoiceSnapshot
}

// Everything gives all that the fake holds.
func (f *FakeProvider) Everything() Everything {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp()
	var all Everything
	for _, object := range f.objects {
		all.Payments = append(all.Payments, copied(object.seen))
	}
	for _, refund := range f.refunds {
		all.Refunds = append(all.Refunds, copiedRefund(refund))
	}
	for _, dispute := range f.disputes {
		all.Disputes = append(all.Disputes, dispute.seen)
	}
	for _, method := range f.methods {
		all.Methods = append(all.Methods, method.shown())
	}
	for _, subscription := range f.subscriptions {
		all.Subscriptions = append(all.Subscriptions, subscription.shown())
		for _, invoice := range subscription.invoices {
			all.Invoices = append(all.Invoices, invoice.seen)
		}
	}
	return all
}

// Doubled gives the keys whose calls had an effect more than once, in order.
func (f *FakeProvider) Doubled() []core.OperationKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []core.OperationKey
	for key, count := range f.effects {
		if count > 1 {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Lapse lets go of what was authorized and not taken in time, and reports whether it was something.
func (f *FakeProvider) Lapse() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	lapsed := false
	for _, object := range f.objects {
		until := object.seen.CaptureBefore
		if object.seen.Status != core.PaymentAuthorized || until.IsZero() || f.now().Before(until) {
			continue
		}
		object.seen.Status, object.seen.ForeignStatus = core.PaymentExpired, "expired"
		object.seen.CaptureBefore, lapsed = time.Time{}, true
	}
	return lapsed
}
