package portstest

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	_ ports.Subscriber = (*FakeProvider)(nil)
	_ Renewing         = (*FakeProvider)(nil)
)

// CreatePrice implements [ports.Subscriber].
func (f *FakeProvider) CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error) {
	request := fmt.Sprintf("price %s %s %+v", price.ID, price.Amount, price.Recurring != nil)
	return fakeMutate(ctx, f, FakeCall{Method: "CreatePrice", Key: key}, request, func() (string, bool, error) {
		if price.Recurring == nil || !f.can.Subscriptions.Bills(price.Recurring, 1) {
			return "", false, &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "recurring", Op: "fake price"}
		}
		return f.nextID("price"), true, nil
	})
}

// CreateSubscription implements [ports.Subscriber].
func (f *FakeProvider) CreateSubscription(ctx context.Context, key core.OperationKey, in ports.CreateSubscription) (ports.SubscriptionSession, error) {
	request := fmt.Sprintf("subscribe %s %s %s %s %d %s %s", in.Subscription, in.ProviderCustomer, in.Price.ID, in.ProviderPrice, in.Quantity, in.Source, in.StartAt)
	call := FakeCall{Method: "CreateSubscription", Key: key}
	return fakeMutate(ctx, f, call, request, func() (ports.SubscriptionSession, bool, error) {
		if in.ProviderPrice == "" || in.Quantity < 1 || !f.can.Subscriptions.Bills(in.Price.Recurring, in.Quantity) {
			return ports.SubscriptionSession{}, false, &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "items", Op: "fake subscribe"}
		}
		card := Card("")
		if in.Source != "" {
			card = Card(in.Source[len(FakeSource("")):])
			if code, declined := fakeDeclines[card]; declined {
				return ports.SubscriptionSession{}, false, fakeDecline("fake subscribe", code, "")
			}
		}
		s := &fakeSubscription{price: in.Price, customer: in.ProviderCustomer, card: card, seen: core.SubscriptionSnapshot{
			Ref:          core.ProviderRef{Account: f.account, Kind: core.ObjectSubscription, ID: f.nextID("sub")},
			Subscription: in.Subscription, Status: core.SubscriptionIncomplete, ForeignStatus: "incomplete",
			Price: in.ProviderPrice, Quantity: in.Quantity, Amount: fakeSum(in.Price, in.Quantity), Environment: f.env, CreatedAt: f.now(),
		}}
		s.secret = s.seen.Ref.ID + "_secret"
		f.subscriptions = append(f.subscriptions, s)
		switch {
		case card != "":
			f.beginSubscription(s, f.now())
		case f.can.Confirm == ports.ConfirmInBrowser && in.Price.Recurring.TrialDays == 0:
			f.invoice(s, s.seen.Amount, f.now())
		case f.can.Confirm == ports.ConfirmAfterApproval:
			s.seen.MethodURL = "https://provider.example/autopay/" + s.seen.Ref.ID
		}
		return f.subscriptionSession(s), true, nil
	})
}

func (f *FakeProvider) subscriptionSession(s *fakeSubscription) ports.SubscriptionSession {
	session := ports.SubscriptionSession{Snapshot: s.shown()}
	switch {
	case s.asked != nil:
		session.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: "https://provider.example/revise/" + s.seen.Ref.ID}
	case s.seen.Status != core.SubscriptionIncomplete:
	case f.can.Confirm == ports.ConfirmAfterApproval:
		session.Action = ports.BuyerAction{Type: ports.ActionPayPalSubscribe, URL: "https://provider.example/subscribe/" + s.seen.Ref.ID}
	case len(s.invoices) > 0:
		session.Action = ports.BuyerAction{Type: "stripe_confirm", ClientSecret: s.invoices[0].object.secret}
		session.Object = s.invoices[0].object.seen.Ref.ID
	default:
		session.Action, session.Object = ports.BuyerAction{Type: ports.ActionStripeSetup, ClientSecret: s.secret}, "seti_"+s.seen.Ref.ID
	}
	return session
}

// OpenSubscription implements [ports.Subscriber].
func (f *FakeProvider) OpenSubscription(ctx context.Context, ref core.ProviderRef) (ports.SubscriptionSession, error) {
	return fakeRead(ctx, f, FakeCall{Method: "OpenSubscription", Ref: ref}, func() (ports.SubscriptionSession, error) {
		if s := f.subscription(ref.ID); s != nil {
			return f.subscriptionSession(s), nil
		}
		return ports.SubscriptionSession{}, f.missing(ref)
	})
}

// GetSubscription implements [ports.Subscriber].
func (f *FakeProvider) GetSubscription(ctx context.Context, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "GetSubscription", Ref: ref}, func() (core.SubscriptionSnapshot, error) {
		if s := f.subscription(ref.ID); s != nil {
			return s.shown(), nil
		}
		return core.SubscriptionSnapshot{}, f.missing(ref)
	})
}

// GetInvoice implements [ports.Subscriber].
func (f *FakeProvider) GetInvoice(ctx context.Context, ref core.ProviderRef) (core.InvoiceSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "GetInvoice", Ref: ref}, func() (core.InvoiceSnapshot, error) {
		f.catchUp()
		for _, s := range f.subscriptions {
			for _, invoice := range s.invoices {
				if invoice.seen.Ref.ID == ref.ID {
					return invoice.seen, nil
				}
			}
		}
		return core.InvoiceSnapshot{}, f.missing(ref)
	})
}

// PreviewChange implements [ports.Subscriber].
func (f *FakeProvider) PreviewChange(ctx context.Context, in ports.ChangeSubscription) (ports.ChangePreview, error) {
	return fakeRead(ctx, f, FakeCall{Method: "PreviewChange", Ref: in.Ref}, func() (ports.ChangePreview, error) {
		s := f.subscription(in.Ref.ID)
		if s == nil {
			return ports.ChangePreview{}, f.missing(in.Ref)
		}
		preview := ports.ChangePreview{
			DueNow: s.proration(in), NextAmount: fakeSum(in.Price, in.Quantity), NextAt: s.seen.CurrentPeriodEnd,
			EffectiveAt: in.At, BuyerAgrees: f.can.Subscriptions.BuyerAgrees,
		}
		if !f.can.Subscriptions.ChangeNow {
			preview.EffectiveAt = s.seen.CurrentPeriodEnd
		}
		return preview, nil
	})
}

// proration is the difference for the rest of the period, to the second.
func (s *fakeSubscription) proration(in ports.ChangeSubscription) core.Money {
	none := core.Zero(s.seen.Amount.Currency())
	difference, err := fakeSum(in.Price, in.Quantity).Sub(s.seen.Amount)
	whole := int64(s.seen.CurrentPeriodEnd.Sub(s.seen.CurrentPeriodStart) / time.Second)
	if err != nil || !in.Prorate || whole <= 0 {
		return none
	}
	left := min(max(int64(s.seen.CurrentPeriodEnd.Sub(in.At)/time.Second), 0), whole)
	due, err := core.NewMoney(difference.Minor()*left/whole, none.Currency())
	if err != nil {
		return none
	}
	return due
}

// ChangeSubscription implements [ports.Subscriber].
func (f *FakeProvider) ChangeSubscription(ctx context.Context, key core.OperationKey, in ports.ChangeSubscription) (ports.SubscriptionSession, error) {
	request := fmt.Sprintf("change %s %s %d %t %s", in.Ref.ID, in.ProviderPrice, in.Quantity, in.Prorate, in.At)
	call := FakeCall{Method: "ChangeSubscription", Key: key, Ref: in.Ref}
	return fakeMutate(ctx, f, call, request, func() (ports.SubscriptionSession, bool, error) {
		s, err := f.running(in.Ref)
		if err != nil {
			return ports.SubscriptionSession{}, false, err
		}
		due := s.proration(in)
		switch can := f.can.Subscriptions; {
		case can.BuyerAgrees:
			s.asked = &in
		case !can.ChangeNow:
			s.next = &in
			s.seen.PendingPrice, s.seen.PendingQuantity, s.seen.PendingAt = in.ProviderPrice, in.Quantity, s.seen.CurrentPeriodEnd
		default:
			s.take(in)
			if due.IsPositive() {
				f.attempt(s, f.invoice(s, due, f.now()), f.now())
			}
		}
		return f.subscriptionSession(s), true, nil
	})
}

// running finds a subscription that something can be done to. The lock is held.
func (f *FakeProvider) running(ref core.ProviderRef) (*fakeSubscription, error) {
	s := f.subscription(ref.ID)
	if s == nil {
		return nil, f.missing(ref)
	}
	if !s.seen.Status.Runs() {
		return nil, unexpectedState("fake subscription", ref.ID)
	}
	return s, nil
}

// verb makes a call that has an effect on a running subscription.
func (f *FakeProvider) verb(ctx context.Context, method string, key core.OperationKey, ref core.ProviderRef, more string, do func(*fakeSubscription) (bool, error)) (core.SubscriptionSnapshot, error) {
	call := FakeCall{Method: method, Key: key, Ref: ref}
	return fakeMutate(ctx, f, call, method+" "+ref.ID+" "+more, func() (core.SubscriptionSnapshot, bool, error) {
		s := f.subscription(ref.ID)
		if s == nil {
			return core.SubscriptionSnapshot{}, false, f.missing(ref)
		}
		effective, err := do(s)
		return s.shown(), effective, err
	})
}

// PauseSubscription implements [ports.Subscriber].
func (f *FakeProvider) PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return f.verb(ctx, "PauseSubscription", key, ref, "", func(s *fakeSubscription) (bool, error) {
		switch {
		case s.seen.Status == core.SubscriptionPaused || s.pauses:
			return false, nil
		case !s.seen.Status.Runs():
			return false, unexpectedState("fake pause", ref.ID)
		case !f.can.Subscriptions.PauseNow:
			s.pauses = true
		default:
			s.seen.Status, s.seen.ForeignStatus = core.SubscriptionPaused, "paused"
		}
		return true, nil
	})
}

// ResumeSubscription implements [ports.Subscriber].
func (f *FakeProvider) ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return f.verb(ctx, "ResumeSubscription", key, ref, "", func(s *fakeSubscription) (bool, error) {
		if s.seen.Status != core.SubscriptionPaused && !s.pauses {
			return false, unexpectedState("fake resume", ref.ID)
		}
		if s.pauses {
			s.pauses = false
			return true, nil
		}
		f.resume(s, f.now())
		return true, nil
	})
}

// CancelSubscription implements [ports.Subscriber]. In the manner of PayPal, one that nobody agreed
// to cannot be ended.
func (f *FakeProvider) CancelSubscription(ctx context.Context, key core.OperationKey, in ports.CancelSubscription) (core.SubscriptionSnapshot, error) {
	return f.verb(ctx, "CancelSubscription", key, in.Ref, fmt.Sprint(in.AtPeriodEnd), func(s *fakeSubscription) (bool, error) {
		can := f.can.Subscriptions
		switch {
		case s.seen.Status == core.SubscriptionCanceled || in.AtPeriodEnd && s.seen.CancelAtPeriodEnd:
			return false, nil
		case s.seen.Status == core.SubscriptionIncomplete && f.can.Confirm == ports.ConfirmAfterApproval,
			in.AtPeriodEnd && !can.CancelLater, !in.AtPeriodEnd && !can.CancelNow:
			return false, unexpectedState("fake cancel", in.Ref.ID)
		case in.AtPeriodEnd:
			s.seen.CancelAtPeriodEnd, s.seen.CanceledAt = true, f.now()
		default:
			for _, invoice := range s.invoices {
				if invoice.seen.Status == core.InvoiceOpen {
					invoice.seen.Status, invoice.seen.ForeignStatus = core.InvoiceVoid, "void"
					invoice.object.seen.Status, invoice.object.seen.ForeignStatus = core.PaymentCanceled, "canceled"
					invoice.object.seen.Payable, invoice.object.seen.Failure = false, nil
				}
			}
			s.end(f.now())
		}
		return true, nil
	})
}

// KeepSubscription implements [ports.Subscriber].
func (f *FakeProvider) KeepSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return f.verb(ctx, "KeepSubscription", key, ref, "", func(s *fakeSubscription) (bool, error) {
		if !s.seen.Status.Runs() || !f.can.Subscriptions.KeepCanceled {
			return false, unexpectedState("fake keep", ref.ID)
		}
		changed := s.seen.CancelAtPeriodEnd
		s.seen.CancelAtPeriodEnd, s.seen.CanceledAt = false, time.Time{}
		return changed, nil
	})
}

// UpdateSubscriptionMethod implements [ports.Subscriber].
func (f *FakeProvider) UpdateSubscriptionMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef, providerMethod string) (core.SubscriptionSnapshot, error) {
	return f.verb(ctx, "UpdateSubscriptionMethod", key, ref, providerMethod, func(s *fakeSubscription) (bool, error) {
		method := f.method(providerMethod)
		if !f.can.Subscriptions.SwapMethod || !s.seen.Status.Runs() || method == nil || method.seen.Status != core.MethodActive {
			return false, unexpectedState("fake swap", ref.ID)
		}
		s.card = method.card
		details := method.seen.Details
		s.seen.Method = &details
		if s.seen.Status == core.SubscriptionPastDue {
			f.attempt(s, s.invoices[len(s.invoices)-1], f.now())
		}
		return true, nil
	})
}
