package portstest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The outcomes of refunds, for [Refundable].
const (
	RefundSucceeds = "succeeded"
	RefundFails    = "failed"
)

var _ Refundable = (*FakeProvider)(nil)

// SlowRefunds makes refunds pending until [FakeProvider.EndRefund] ends them.
func (f *FakeProvider) SlowRefunds() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slow = true
}

// NamelessRefunds makes the fake one that keeps no id of ours with a refund.
func (f *FakeProvider) NamelessRefunds() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nameless = true
}

// RefundPayment implements [ports.Refunder].
func (f *FakeProvider) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	call := FakeCall{Method: "RefundPayment", Key: key, Ref: in.Ref, Amount: in.Amount}
	return fakeMutate(ctx, f, call, fmt.Sprintf("refund %+v", in), func() (core.RefundSnapshot, bool, error) {
		object := f.find(in.Ref.ID)
		if object == nil {
			return core.RefundSnapshot{}, false, f.missing(in.Ref)
		}
		if f.holdsBack(object) {
			return core.RefundSnapshot{}, false, unexpectedState("fake refund", in.Ref.ID)
		}
		made, err := f.giveBack(object, in.Amount)
		if err != nil {
			return core.RefundSnapshot{}, false, err
		}
		if !f.nameless {
			made.Refund = in.Refund
		}
		return copiedRefund(made), true, nil
	})
}

// giveBack makes a refund. The lock is held.
func (f *FakeProvider) giveBack(object *fakeObject, amount core.Money) (*core.RefundSnapshot, error) {
	sum, sumErr := object.seen.Refunded.Add(amount)
	order, err := sum.Compare(object.seen.Captured)
	if sumErr != nil || err != nil || order > 0 || !amount.IsPositive() {
		return nil, unexpectedState("fake refund", object.seen.Ref.ID)
	}
	object.seen.Refunded = sum
	f.created++
	made := &core.RefundSnapshot{
		Ref:     core.ProviderRef{Account: f.account, Kind: core.ObjectRefund, ID: "re_fake" + strconv.Itoa(f.created)},
		Payment: object.seen.Ref, Status: core.RefundSucceeded, ForeignStatus: "succeeded", Amount: amount,
		Environment: f.env, CreatedAt: f.now(),
	}
	if f.slow {
		made.Status, made.ForeignStatus = core.RefundPending, "pending"
	}
	f.refunds = append(f.refunds, made)
	return made, nil
}

// GetRefund implements [ports.Refunder].
func (f *FakeProvider) GetRefund(ctx context.Context, ref core.ProviderRef) (core.RefundSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "GetRefund", Ref: ref}, func() (core.RefundSnapshot, error) {
		if refund := f.refund(ref.ID); refund != nil {
			return copiedRefund(refund), nil
		}
		return core.RefundSnapshot{}, f.missing(ref)
	})
}

// PaymentRefunds implements [ports.Refunder].
func (f *FakeProvider) PaymentRefunds(ctx context.Context, payment core.ProviderRef) ([]core.RefundSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "PaymentRefunds", Ref: payment}, func() ([]core.RefundSnapshot, error) {
		if f.find(payment.ID) == nil {
			return nil, f.missing(payment)
		}
		var of []core.RefundSnapshot
		for _, refund := range slices.Backward(f.refunds) {
			if refund.Payment.ID == payment.ID && len(of) < ports.RefundsMax {
				of = append(of, copiedRefund(refund))
			}
		}
		return of, nil
	})
}

// refund finds a refund by the provider's id. The lock is held.
func (f *FakeProvider) refund(id string) *core.RefundSnapshot {
	for _, refund := range f.refunds {
		if refund.Ref.ID == id {
			return refund
		}
	}
	return nil
}

// copiedRefund shares no memory with the refund.
func copiedRefund(refund *core.RefundSnapshot) core.RefundSnapshot {
	seen := *refund
	if seen.Failure != nil {
		failure := *seen.Failure
		seen.Failure = &failure
	}
	return seen
}

// SetRefund rewrites what the provider shows of a refund from now on. It reports whether there is
// one.
func (f *FakeProvider) SetRefund(id string, change func(*core.RefundSnapshot)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	refund := f.refund(id)
	if refund != nil {
		change(refund)
	}
	return refund != nil
}

// RefundElsewhere implements [Refundable].
func (f *FakeProvider) RefundElsewhere(t testing.TB, payment core.PaymentID, amount int64) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.of(payment)
	if object == nil {
		t.Fatalf("there is no object of %s", payment)
		return ""
	}
	made, err := f.giveBack(object, minor(t, amount, object.seen.Amount.Currency()))
	if err != nil {
		t.Fatalf("refund %s: %v", payment, err)
		return ""
	}
	return made.Ref.ID
}

// EndRefund implements [Refundable]. A refund that fails gives its amount back to what is left.
func (f *FakeProvider) EndRefund(t testing.TB, id, outcome string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	refund := f.refund(id)
	if refund == nil || refund.Status != core.RefundPending && outcome != RefundFails || refund.Status == core.RefundFailed {
		t.Fatalf("refund %q cannot end as %q", id, outcome)
		return
	}
	refund.Status, refund.ForeignStatus = core.RefundStatus(outcome), outcome
	if refund.Status != core.RefundFailed {
		return
	}
	refund.Failure = core.NewFailure(core.FailureRefundFailed, "expired_or_canceled_card")
	object := f.find(refund.Payment.ID)
	left, err := object.seen.Refunded.Sub(refund.Amount)
	if err != nil {
		t.Fatalf("refund %q: %v", id, err)
	}
	object.seen.Refunded = left
}
