package portstest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fakeMethod is a saved method, or what the buyer agrees to so that there is one.
type fakeMethod struct {
	seen   core.MethodSnapshot
	secret string
	card   Card // that is charged
}

var _ Vaulted = (*FakeProvider)(nil)

// fakeLater are the cards that can be saved, and whose charges without the buyer do not work.
var fakeLater = map[Card]core.FailureCode{
	CardDeclinedLater: core.FailureCardDeclined, Card3DSOffSession: core.FailureAuthenticationRequired,
}

// fakeCharge is why a charge of a saved card without the buyer does not work; empty where it does.
func fakeCharge(card Card) core.FailureCode {
	if code, declined := fakeDeclines[card]; declined {
		return code
	}
	return fakeLater[card]
}

func fakeDetails() core.PaymentMethod {
	return core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2035}
}

func fakeDecline(op string, code core.FailureCode, object string) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassDeclined, Code: code, Foreign: string(code), Op: op, RequestID: "req_fake", ObjectID: object}
}

func (f *FakeProvider) nextID(prefix string) string {
	f.created++
	return prefix + "_fake" + strconv.Itoa(f.created)
}

// CreateCustomer implements [ports.Vault]: in the manner of PayPal there are none.
func (f *FakeProvider) CreateCustomer(ctx context.Context, key core.OperationKey, in ports.CreateCustomer) (string, error) {
	return fakeMutate(ctx, f, FakeCall{Method: "CreateCustomer", Key: key}, fmt.Sprintf("customer %+v", in), func() (string, bool, error) {
		if f.can.Confirm == ports.ConfirmAfterApproval {
			return "", false, nil
		}
		return f.nextID("cus"), true, nil
	})
}

// CreateSetup implements [ports.Vault].
func (f *FakeProvider) CreateSetup(ctx context.Context, key core.OperationKey, in ports.CreateSetup) (ports.SetupSession, error) {
	return fakeMutate(ctx, f, FakeCall{Method: "CreateSetup", Key: key}, fmt.Sprintf("setup %+v", in), func() (ports.SetupSession, bool, error) {
		method := f.newMethod(in)
		method.seen.Setup = f.nextID("seti")
		method.secret = method.seen.Setup + "_secret"
		return f.setupSession(method), true, nil
	})
}

// newMethod puts one there that the buyer has not agreed to. The lock is held.
func (f *FakeProvider) newMethod(in ports.CreateSetup) *fakeMethod {
	method := &fakeMethod{seen: core.MethodSnapshot{
		Ref: core.ProviderRef{Account: f.account, Kind: core.ObjectMethod}, Method: in.Method, Customer: in.ProviderCustomer,
		Status: core.MethodPending, ForeignStatus: "requires_payment_method", Environment: f.env,
	}}
	f.methods = append(f.methods, method)
	return method
}

func (f *FakeProvider) setupSession(method *fakeMethod) ports.SetupSession {
	session := ports.SetupSession{Snapshot: method.shown()}
	if s := method.seen.Status; s != core.MethodPending && s != core.MethodFailed || method.seen.Confirmable {
		return session
	}
	session.Action = ports.BuyerAction{Type: ports.ActionStripeSetup, ClientSecret: method.secret}
	if f.can.Confirm == ports.ConfirmAfterApproval {
		session.Action = ports.BuyerAction{Type: ports.ActionPayPalSave, URL: "https://provider.example/save/" + method.seen.Setup}
	}
	return session
}

// shown shares no memory with the method.
func (m *fakeMethod) shown() core.MethodSnapshot {
	seen := m.seen
	if seen.Failure != nil {
		failure := *seen.Failure
		seen.Failure = &failure
	}
	return seen
}

// method finds one by the provider's id of it, or of what the buyer agrees to. The lock is held.
func (f *FakeProvider) method(id string) *fakeMethod {
	for _, method := range f.methods {
		if id != "" && (method.seen.Ref.ID == id || method.seen.Setup == id) {
			return method
		}
	}
	return nil
}

// OpenSetup implements [ports.Vault].
func (f *FakeProvider) OpenSetup(ctx context.Context, ref core.ProviderRef) (ports.SetupSession, error) {
	return fakeRead(ctx, f, FakeCall{Method: "OpenSetup", Ref: ref}, func() (ports.SetupSession, error) {
		if method := f.method(ref.ID); method != nil {
			return f.setupSession(method), nil
		}
		return ports.SetupSession{}, f.missing(ref)
	})
}

// ConfirmSetup implements [ports.Vault].
func (f *FakeProvider) ConfirmSetup(ctx context.Context, key core.OperationKey, in ports.ConfirmSetup) (core.MethodSnapshot, error) {
	return fakeMutate(ctx, f, FakeCall{Method: "ConfirmSetup", Key: key, Ref: in.Ref}, fmt.Sprintf("save %+v", in), func() (core.MethodSnapshot, bool, error) {
		method := f.method(in.Ref.ID)
		switch {
		case in.Source != "":
			card := Card(strings.TrimPrefix(in.Source, FakeSource("")))
			if code, declined := fakeDeclines[card]; declined {
				return core.MethodSnapshot{}, false, fakeDecline("fake save", code, "")
			}
			method = f.newMethod(in.CreateSetup)
			method.card = card
		case method == nil:
			return core.MethodSnapshot{}, false, f.missing(in.Ref)
		case method.seen.Status == core.MethodActive:
			return method.shown(), false, nil
		case !method.seen.Confirmable:
			return core.MethodSnapshot{}, false, unexpectedState("fake save", in.Ref.ID)
		}
		if code, declined := fakeDeclines[method.card]; declined {
			method.seen.Confirmable = false
			return core.MethodSnapshot{}, false, fakeDecline("fake save", code, in.Ref.ID)
		}
		f.save(method)
		return method.shown(), true, nil
	})
}

// save makes a method one that can be charged. The lock is held.
func (f *FakeProvider) save(method *fakeMethod) {
	method.seen.Ref.ID, method.seen.Details = f.nextID("pm"), fakeDetails()
	method.seen.Status, method.seen.ForeignStatus, method.seen.Confirmable, method.seen.Failure = core.MethodActive, "succeeded", false, nil
	if method.seen.Customer == "" {
		method.seen.Customer = f.nextID("payer") // it comes with the first method
	}
}

// GetMethod implements [ports.Vault]. In the manner of PayPal, what a buyer agreed to does not tell of
// the method that was made of it.
func (f *FakeProvider) GetMethod(ctx context.Context, ref core.ProviderRef) (core.MethodSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "GetMethod", Ref: ref}, func() (core.MethodSnapshot, error) {
		method := f.method(ref.ID)
		if method == nil {
			return core.MethodSnapshot{}, f.missing(ref)
		}
		seen := method.shown()
		if f.can.Confirm == ports.ConfirmAfterApproval && ref.Kind == core.ObjectSetup && seen.Ref.ID != "" {
			seen.Ref.ID, seen.Status, seen.ForeignStatus = "", core.MethodPending, "vaulted"
		}
		return seen, nil
	})
}

// DetachMethod implements [ports.Vault].
func (f *FakeProvider) DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error {
	_, err := fakeMutate(ctx, f, FakeCall{Method: "DetachMethod", Key: key, Ref: ref}, fmt.Sprintf("detach %+v", ref), func() (struct{}, bool, error) {
		method := f.method(ref.ID)
		if method == nil || method.seen.Status == core.MethodRemoved {
			return struct{}{}, false, nil
		}
		method.seen.Status, method.seen.ForeignStatus = core.MethodRemoved, "detached"
		return struct{}{}, true, nil
	})
	return err
}

// ChargeMethod implements [ports.Vault].
func (f *FakeProvider) ChargeMethod(ctx context.Context, key core.OperationKey, in ports.ChargeMethod) (core.PaymentSnapshot, error) {
	call := FakeCall{Method: "ChargeMethod", Key: key, Payment: in.Payment, Amount: in.Amount}
	session, err := f.mutate(ctx, call, fmt.Sprintf("charge %+v", in), func() (ports.PaymentSession, bool, error) {
		method := f.method(in.ProviderMethod)
		if method == nil || method.seen.Status != core.MethodActive || !in.Amount.IsPositive() {
			return ports.PaymentSession{}, false, unexpectedState("fake charge", in.ProviderMethod)
		}
		object := f.make(in.CreatePayment)
		object.approves = false
		if code := fakeCharge(method.card); code != "" {
			object.fail(code)
			object.seen.Payable = false
			return ports.PaymentSession{}, false, fakeDecline("fake charge", code, object.seen.Ref.ID)
		}
		object.confirm(CardSucceeds, f.now())
		return object.session(), true, nil
	})
	return session.Snapshot, err
}

// AgreeSetup implements [Vaulted].
func (f *FakeProvider) AgreeSetup(t testing.TB, session ports.SetupSession, card Card) {
	t.Helper()
	if !f.Save(session.Snapshot.Setup, card) {
		t.Fatalf("the buyer cannot agree to %s", session.Snapshot.Setup)
	}
}

// Save is the buyer of what the provider calls by that id. It reports whether there was something to
// agree to.
func (f *FakeProvider) Save(setup string, card Card) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	method := f.method(setup)
	if method == nil || method.seen.Status == core.MethodActive || method.seen.Status == core.MethodRemoved {
		return false
	}
	method.card = card
	if f.can.Confirm == ports.ConfirmAfterApproval {
		method.seen.Confirmable, method.seen.ForeignStatus = true, "approved"
		return true
	}
	if code, declined := fakeDeclines[card]; declined {
		method.seen.Status, method.seen.Failure = core.MethodFailed, core.NewFailure(code, string(code))
		return true
	}
	f.save(method)
	return true
}

// SetupSource implements [Vaulted].
func (f *FakeProvider) SetupSource(_ testing.TB, card Card) string { return FakeSource(card) }

// SetMethod rewrites what the provider shows of a method of ours from now on. It reports whether
// there is one.
func (f *FakeProvider) SetMethod(id core.MethodID, change func(*core.MethodSnapshot)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, method := range f.methods {
		if method.seen.Method == id {
			change(&method.seen)
			return true
		}
	}
	return false
}
