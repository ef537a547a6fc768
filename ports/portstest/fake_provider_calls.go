package portstest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Account implements [ports.Provider].
func (f *FakeProvider) Account() core.AccountName { return f.account }

// Name implements [ports.Provider].
func (f *FakeProvider) Name() core.ProviderName { return f.name }

// Capabilities implements [ports.Provider].
func (f *FakeProvider) Capabilities() ports.Capabilities {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.can
}

// Browser implements [ports.BrowserProvider].
func (f *FakeProvider) Browser() ports.BrowserConfig {
	return ports.BrowserConfig{
		Provider: f.Name(), PublishableKey: "pk_" + string(f.env) + "_fake", ScriptURL: "https://script.provider.example/v3/",
		ScriptSources:  []string{"https://script.provider.example"},
		FrameSources:   []string{"https://frame.provider.example"},
		ConnectSources: []string{"https://api.provider.example"},
	}
}

// CreatePayment implements [ports.Provider].
func (f *FakeProvider) CreatePayment(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	call := FakeCall{Method: "CreatePayment", Key: key, Payment: in.Payment, Amount: in.Amount}
	return f.mutate(ctx, call, fmt.Sprintf("create %+v", in), func() (ports.PaymentSession, bool, error) {
		if !in.Amount.IsPositive() || !f.can.Currencies[in.Amount.Currency()] {
			return ports.PaymentSession{}, false, &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "amount", Op: "fake create"}
		}
		object := f.make(in)
		return object.session(), true, nil
	})
}

// make puts a new object there. The lock is held.
func (f *FakeProvider) make(in ports.CreatePayment) *fakeObject {
	none := core.Zero(in.Amount.Currency())
	f.created++
	id := "pi_fake" + strconv.Itoa(f.created)
	object := &fakeObject{secret: id + "_secret", capture: in.Capture, approves: f.can.Confirm == ports.ConfirmAfterApproval, seen: core.PaymentSnapshot{
		Ref:     core.ProviderRef{Account: f.account, Kind: core.ObjectPayment, ID: id},
		Payment: in.Payment, Status: core.PaymentRequiresAction, ForeignStatus: "requires_payment_method",
		Amount: in.Amount, Authorized: none, Captured: none, Refunded: none,
		Environment: f.env, Payable: true, CreatedAt: f.now(),
	}}
	f.objects = append(f.objects, object)
	return object
}

// CreateHosted implements [ports.Hoster]: in the manner of Stripe, whose page makes the
// payment once the buyer tries to pay.
func (f *FakeProvider) CreateHosted(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	call := FakeCall{Method: "CreateHosted", Key: key, Payment: in.Payment, Amount: in.Amount}
	return f.mutate(ctx, call, fmt.Sprintf("host %+v", in), func() (ports.PaymentSession, bool, error) {
		if !in.Amount.IsPositive() || !f.can.Currencies[in.Amount.Currency()] {
			return ports.PaymentSession{}, false, &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "amount", Op: "fake host"}
		}
		if in.Capture == core.CaptureManual && !f.can.HostedManualCapture {
			return ports.PaymentSession{}, false, &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "capture", Op: "fake host"}
		}
		object := f.make(in)
		object.approves = false
		object.seen.Session, object.seen.Ref.ID = "cs_fake"+strconv.Itoa(f.created), ""
		return object.session(), true, nil
	})
}

// OpenPayment implements [ports.Provider].
func (f *FakeProvider) OpenPayment(ctx context.Context, ref core.ProviderRef) (ports.PaymentSession, error) {
	return f.read(ctx, FakeCall{Method: "OpenPayment", Ref: ref})
}

// GetPayment implements [ports.Provider].
func (f *FakeProvider) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	session, err := f.read(ctx, FakeCall{Method: "GetPayment", Ref: ref})
	return session.Snapshot, err
}

// CapturePayment implements [ports.Provider].
func (f *FakeProvider) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	call := FakeCall{Method: "CapturePayment", Key: key, Ref: ref, Amount: amount}
	session, err := f.mutate(ctx, call, "capture "+ref.ID+" "+amount.String(), func() (ports.PaymentSession, bool, error) {
		object := f.find(ref.ID)
		if object == nil {
			return ports.PaymentSession{}, false, f.missing(ref)
		}
		order, err := amount.Compare(object.seen.Authorized)
		if object.seen.Status != core.PaymentAuthorized || err != nil || order > 0 || !amount.IsPositive() {
			return ports.PaymentSession{}, false, unexpectedState("fake capture", ref.ID)
		}
		object.seen.Status, object.seen.ForeignStatus = core.PaymentSucceeded, "succeeded"
		object.seen.Captured, object.seen.CaptureBefore = amount, time.Time{}
		return object.session(), true, nil
	})
	return session.Snapshot, err
}

// CancelPayment implements [ports.Provider].
func (f *FakeProvider) CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	call := FakeCall{Method: "CancelPayment", Key: key, Ref: ref}
	session, err := f.mutate(ctx, call, "cancel "+ref.ID, func() (ports.PaymentSession, bool, error) {
		object := f.find(ref.ID)
		if object == nil {
			return ports.PaymentSession{}, false, f.missing(ref)
		}
		switch object.seen.Status {
		case core.PaymentSucceeded, core.PaymentProcessing, core.PaymentExpired, core.PaymentNeedsReview:
			return ports.PaymentSession{}, false, unexpectedState("fake cancel", ref.ID)
		case core.PaymentRequiresAction, core.PaymentAuthorized, core.PaymentFailed, core.PaymentCanceled:
		}
		if f.keeps && object.approves && !object.seen.Status.HoldsMoney() && object.seen.Status != core.PaymentCanceled {
			session := object.session()
			session.Snapshot.Status, session.Snapshot.Failure, session.Snapshot.Confirmable = core.PaymentCanceled, nil, false
			return session, false, nil
		}
		again := object.seen.Status == core.PaymentCanceled
		object.seen.Status, object.seen.ForeignStatus = core.PaymentCanceled, "canceled"
		object.seen.Payable, object.seen.Failure, object.seen.CaptureBefore = false, nil, time.Time{}
		return object.session(), !again, nil
	})
	return session.Snapshot, err
}

// ListPayments implements [ports.Provider].
func (f *FakeProvider) ListPayments(ctx context.Context, in ports.ListPayments) (ports.PaymentList, error) {
	return fakeList(ctx, f, FakeCall{Method: "ListPayments"}, func() (ports.PaymentList, error) {
		var list ports.PaymentList
		skipping := in.Cursor != ""
		for _, object := range slices.Backward(f.objects) {
			created := object.seen.CreatedAt
			switch {
			case skipping:
				skipping = object.seen.Ref.ID != in.Cursor
			case created.Before(in.From) || !created.Before(in.Until):
			case len(list.Payments) == in.Limit:
				list.NextCursor = list.Payments[len(list.Payments)-1].Ref.ID
				return list, nil
			default:
				list.Payments = append(list.Payments, copied(object.seen))
			}
		}
		return list, nil
	})
}

// fakeKeyMax is the most characters a key has ([core.OperationKey]).
const fakeKeyMax = 45

// fakeKinds are what the calls are about that are about no payment.
var fakeKinds = map[string]core.ObjectKind{
	"OpenSetup": core.ObjectSetup, "ConfirmSetup": core.ObjectSetup, "GetMethod": core.ObjectMethod, "DetachMethod": core.ObjectMethod,
	"OpenSubscription": core.ObjectSubscription, "GetSubscription": core.ObjectSubscription, "PreviewChange": core.ObjectSubscription,
	"ChangeSubscription": core.ObjectSubscription, "PauseSubscription": core.ObjectSubscription, "ResumeSubscription": core.ObjectSubscription,
	"CancelSubscription": core.ObjectSubscription, "KeepSubscription": core.ObjectSubscription, "UpdateSubscriptionMethod": core.ObjectSubscription,
	"GetInvoice": core.ObjectInvoice,
	"GetRefund":  core.ObjectRefund, "GetDispute": core.ObjectDispute, "SubmitEvidence": core.ObjectDispute, "AcceptDispute": core.ObjectDispute,
}

// fakeMakers are the calls that are about nothing which is there already.
var fakeMakers = []string{"CreatePayment", "CreateHosted", "CreateCustomer", "CreateSetup", "CreatePrice", "CreateSubscription", "ChargeMethod"}

// check refuses, before it is sent, a call about an object that cannot be this account's.
func (f *FakeProvider) check(call FakeCall) error {
	ref := call.Ref
	made := slices.Contains(fakeMakers, call.Method) || (call.Method == "ConfirmPayment" || call.Method == "ConfirmSetup") && ref.ID == ""
	kind, about := fakeKinds[call.Method]
	if call.Method == "GetMethod" && ref.Kind == core.ObjectSetup {
		kind = core.ObjectSetup
	}
	if about && ref.Account == f.account && ref.Kind == kind && ref.ID != "" {
		return nil
	}
	looks := call.Method == "GetPayment" || call.Method == "OpenPayment" || call.Method == "CancelPayment"
	ours := !about && ref.Kind == core.ObjectPayment || ref.Kind == core.ObjectSession && looks
	if made || ref.Account == f.account && ours && ref.ID != "" {
		return nil
	}
	return &core.ProviderError{Class: core.ClassInvalid, Foreign: "ref", Op: "fake " + call.Method}
}

// begin notes the call, lets the test look on, and gives what is to go wrong.
func (f *FakeProvider) begin(ctx context.Context, call FakeCall) (fakeFailure, error) {
	f.mu.Lock()
	if object := f.find(call.Ref.ID); object != nil && call.Payment == "" {
		call.Payment = object.seen.Payment
	}
	f.calls = append(f.calls, call)
	onCall, script := f.onCall, f.script
	var failure fakeFailure
	if len(f.failures) > 0 {
		failure, f.failures = f.failures[0], f.failures[1:]
	}
	f.mu.Unlock()
	if onCall != nil {
		onCall(ctx, call)
	}
	if script != nil {
		if wrong := fakeFailureOf(script.Before(ctx, call)); wrong.err != nil {
			failure = wrong
		}
	}
	if ctx.Err() != nil {
		return failure, &core.ProviderError{Class: core.ClassUnknown, Op: "fake " + call.Method, Err: ctx.Err()}
	}
	return failure, nil
}

// read answers a call about a payment that changes nothing.
func (f *FakeProvider) read(ctx context.Context, call FakeCall) (ports.PaymentSession, error) {
	return fakeRead(ctx, f, call, func() (ports.PaymentSession, error) {
		object := f.find(call.Ref.ID)
		if object == nil {
			return ports.PaymentSession{}, f.missing(call.Ref)
		}
		return object.session(), nil
	})
}

// fakeRead answers a call about an object that changes nothing. look is called with the lock held.
func fakeRead[T any](ctx context.Context, f *FakeProvider, call FakeCall, look func() (T, error)) (T, error) {
	if err := f.check(call); err != nil {
		var none T
		return none, err
	}
	return fakeList(ctx, f, call, look)
}

// fakeList is fakeRead for what is about no one object.
func fakeList[T any](ctx context.Context, f *FakeProvider, call FakeCall, look func() (T, error)) (T, error) {
	failure, err := f.begin(ctx, call)
	if err == nil && failure.err != nil {
		err = failure.err
	}
	var seen T
	if err == nil {
		f.mu.Lock()
		seen, err = look()
		f.mu.Unlock()
	}
	f.end(ctx, call)
	return seen, err
}

// mutate answers a call about a payment that changes something.
func (f *FakeProvider) mutate(ctx context.Context, call FakeCall, request string, effect func() (session ports.PaymentSession, effective bool, err error)) (ports.PaymentSession, error) {
	session, err := fakeMutate(ctx, f, call, request, effect)
	session.Snapshot = copied(session.Snapshot)
	return session, err
}

// fakeMutate answers a call that changes something: once a key, and the stored answer to
// every repetition.
func fakeMutate[T any](ctx context.Context, f *FakeProvider, call FakeCall, request string, effect func() (result T, effective bool, err error)) (T, error) {
	var none T
	if call.Key == "" || len(call.Key) > fakeKeyMax {
		return none, &core.ProviderError{Class: core.ClassInvalid, Foreign: "key", Op: "fake " + call.Method}
	}
	if err := f.check(call); err != nil {
		return none, err
	}
	failure, err := f.begin(ctx, call)
	if err == nil && failure.err != nil && !failure.afterCommit {
		err = failure.err
	}
	result := none
	if err == nil {
		if result, err = fakeEffect(f, call, request, effect); failure.err != nil {
			result, err = none, failure.err // whatever the answer was, it is lost
		}
	}
	f.end(ctx, call)
	return result, err
}

// fakeEffect does what a call asks for, or gives the answer that its key got before.
func fakeEffect[T any](f *FakeProvider, call FakeCall, request string, effect func() (result T, effective bool, err error)) (T, error) {
	var none T
	f.mu.Lock()
	defer f.mu.Unlock()
	answer, repeated := f.answers[call.Key]
	if repeated && f.now().Sub(answer.at) >= f.can.KeyKept {
		repeated = false // the key is forgotten, and does it again
	}
	if repeated && answer.request != request {
		return none, &core.ProviderError{Class: core.ClassInvalid, Foreign: "idempotency_error", Op: "fake " + call.Method}
	}
	if !repeated {
		result, effective, err := effect()
		answer = fakeAnswer{request: request, at: f.now(), result: result}
		if declined, ok := errors.AsType[*core.ProviderError](err); ok && declined.Class == core.ClassDeclined {
			answer.decline = declined
		} else if err != nil {
			return none, err
		}
		f.answers[call.Key] = answer
		if effective {
			f.effects[call.Key]++
		}
	}
	if answer.decline != nil {
		return none, answer.decline
	}
	result, ok := answer.result.(T)
	if !ok {
		return none, &core.ProviderError{Class: core.ClassInvalid, Foreign: "idempotency_error", Op: "fake " + call.Method}
	}
	return result, nil
}

func (o *fakeObject) session() ports.PaymentSession {
	session := ports.PaymentSession{Snapshot: copied(o.seen)}
	if o.seen.Payable && o.seen.Session != "" {
		session.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: "https://provider.example/" + o.seen.Session}
	} else if o.seen.Payable && o.approves {
		session.Action = ports.BuyerAction{Type: "fake_approve"}
	} else if o.seen.Payable {
		session.Action = ports.BuyerAction{Type: "stripe_confirm", ClientSecret: o.secret}
	}
	return session
}

// Has implements [FarEnd].
func (f *FakeProvider) Has(Card) bool { return true }

// Confirm implements [FarEnd].
func (f *FakeProvider) Confirm(t testing.TB, session ports.PaymentSession, card Card) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.find(cmp.Or(session.Snapshot.Ref.ID, session.Snapshot.Session))
	if object == nil || !object.seen.Payable {
		t.Fatalf("the buyer cannot pay %s", session.Snapshot.Ref)
	}
	f.agree(object, card)
}

// Pay is the buyer of the newest object of a payment of ours. It reports whether there
// was one to be paid.
func (f *FakeProvider) Pay(payment core.PaymentID, card Card) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.of(payment)
	if object == nil || !object.seen.Payable {
		return false
	}
	f.agree(object, card)
	return true
}

// Authenticate implements [FarEnd].
func (f *FakeProvider) Authenticate(t testing.TB, session ports.PaymentSession, passes bool) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.find(session.Snapshot.Ref.ID)
	if object == nil || !object.action {
		t.Fatalf("the bank asks nothing about %s", session.Snapshot.Ref)
	}
	object.action = false
	if passes {
		object.confirm(CardSucceeds, f.now())
		return
	}
	object.fail(core.FailureAuthenticationRequired)
}

// fakeDeclines are the cards that do not work.
var fakeDeclines = map[Card]core.FailureCode{
	CardDeclined: core.FailureCardDeclined, CardInsufficientFunds: core.FailureInsufficientFunds,
	CardExpired: core.FailureExpiredCard, CardIncorrectCVC: core.FailureIncorrectCVC,
	CardProcessingError: core.FailureProcessingError, CardStolen: core.FailureSuspectedFraud,
}

func (o *fakeObject) confirm(card Card, now time.Time) {
	if number, hosted := strings.CutPrefix(o.seen.Session, "cs_fake"); hosted && o.seen.Ref.ID == "" {
		o.seen.Ref.ID = "pi_fake" + number
	}
	if _, declined := fakeDeclines[card]; declined && o.seen.Session != "" {
		return // the provider's page tells the buyer, who tries again there
	}
	if code, declined := fakeDeclines[card]; declined {
		o.fail(code)
		return
	}
	if card == Card3DS {
		o.action = true
		o.seen.Status, o.seen.ForeignStatus, o.seen.Failure = core.PaymentRequiresAction, "requires_action", nil
		return
	}
	o.seen.Status, o.seen.ForeignStatus, o.seen.Captured = core.PaymentSucceeded, "succeeded", o.seen.Amount
	if o.capture == core.CaptureManual {
		o.seen.Status, o.seen.ForeignStatus = core.PaymentAuthorized, "requires_capture"
		o.seen.Captured = core.Zero(o.seen.Amount.Currency())
		o.seen.CaptureBefore = now.Add(FakeHoldTime)
	}
	o.seen.Authorized, o.seen.Payable, o.seen.Failure = o.seen.Amount, false, nil
	o.seen.Method = &core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: now.Year() + 1}
}

func (o *fakeObject) fail(code core.FailureCode) {
	o.seen.Status, o.seen.ForeignStatus = core.PaymentFailed, "requires_payment_method"
	o.seen.Failure = core.NewFailure(code, string(code))
}
