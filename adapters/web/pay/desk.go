package pay

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
)

// attempt is an attempt of a checkout as the page tells of it: a payment, a subscription or a
// saved method, as the checkout's mode says. The zero attempt is none.
type attempt struct {
	id       string
	mode     core.CheckoutMode
	account  core.AccountName
	provider core.ProviderName
	status   string
	object   string        // the provider's; empty while it knows of none
	failure  *core.Failure // nil unless it failed
}

// isOpen reports whether a subscription or a method may still come to something.
func (a attempt) isOpen() bool {
	return a.status == string(core.SubscriptionIncomplete) || a.status == string(core.MethodPending)
}

// payment is the attempt's id where it is a payment; nil elsewhere.
func (a attempt) payment() *string {
	if a.mode != core.ModePayment {
		return nil
	}
	return &a.id
}

// started is an attempt with what the buyer's browser does next.
type started struct {
	attempt

	action ports.BuyerAction // the zero action where the buyer has nothing to do
	about  string            // the provider's object that the action is about; may be empty
}

// desk makes the attempts of one mode. Its errors are those of the use cases; a text that is
// no attempt's id is [ports.ErrNotFound].
type desk interface {
	// newest gives a checkout's newest attempt, the zero one where there is none.
	newest(ctx context.Context, c core.Checkout) (attempt, error)
	// start also gives the attempt where its provider's answer never came. methodType is what is
	// to be saved, where only that is done and the provider has to know it; empty elsewhere.
	start(ctx context.Context, id core.CheckoutID, account core.AccountName, methodType string) (started, error)
	look(ctx context.Context, checkout core.CheckoutID, id string) (attempt, core.Checkout, error)
	confirm(ctx context.Context, checkout core.CheckoutID, id, source string) (attempt, core.Checkout, error)
}

// counter is a desk over the use cases of one kind of attempt.
type counter[ID core.ID, T any] struct {
	last  func(core.Checkout) ID
	get   func(context.Context, core.Checkout) (T, error)
	begin func(context.Context, core.CheckoutID, core.AccountName, string) (started, error)
	see   func(context.Context, core.CheckoutID, ID) (T, core.Checkout, error)
	ask   func(context.Context, core.CheckoutID, ID, string) (T, core.Checkout, error)
	show  func(T) attempt
}

func (d counter[ID, T]) newest(ctx context.Context, c core.Checkout) (attempt, error) {
	if d.last(c) == "" {
		return attempt{}, nil
	}
	made, err := d.get(ctx, c)
	if err != nil {
		return attempt{}, err
	}
	return d.show(made), nil
}

func (d counter[ID, T]) start(ctx context.Context, id core.CheckoutID, account core.AccountName, methodType string) (started, error) {
	return d.begin(ctx, id, account, methodType)
}

func (d counter[ID, T]) look(ctx context.Context, checkout core.CheckoutID, text string) (attempt, core.Checkout, error) {
	id, err := core.ParseID[ID](text)
	if err != nil {
		return attempt{}, core.Checkout{}, ports.ErrNotFound
	}
	seen, c, err := d.see(ctx, checkout, id)
	return d.show(seen), c, err
}

func (d counter[ID, T]) confirm(ctx context.Context, checkout core.CheckoutID, text, source string) (attempt, core.Checkout, error) {
	id, err := core.ParseID[ID](text)
	if err != nil {
		return attempt{}, core.Checkout{}, ports.ErrNotFound
	}
	seen, c, err := d.ask(ctx, checkout, id, source)
	return d.show(seen), c, err
}

// desks are all there are.
func desks(paid *payments.Service, saved *customers.Service, subscribed *subscriptions.Service) map[core.CheckoutMode]desk {
	return map[core.CheckoutMode]desk{
		core.ModePayment: counter[core.PaymentID, core.Payment]{
			last: func(c core.Checkout) core.PaymentID { return c.Payment },
			get:  func(ctx context.Context, c core.Checkout) (core.Payment, error) { return paid.Payment(ctx, c.Payment) },
			begin: func(ctx context.Context, id core.CheckoutID, account core.AccountName, _ string) (started, error) {
				made, err := paid.Start(ctx, id, account)
				return started{attempt: ofPayment(made.Payment), action: made.Action, about: made.Payment.ProviderPaymentID}, err
			},
			see: paid.Look, ask: paid.Confirm, show: ofPayment,
		},
		core.ModeSubscription: counter[core.SubscriptionID, core.Subscription]{
			last: func(c core.Checkout) core.SubscriptionID { return c.Subscription },
			get: func(ctx context.Context, c core.Checkout) (core.Subscription, error) {
				return subscribed.Get(ctx, c.Subscription)
			},
			begin: func(ctx context.Context, id core.CheckoutID, account core.AccountName, _ string) (started, error) {
				made, err := subscribed.Start(ctx, id, account)
				return started{attempt: ofSubscription(made.Subscription), action: made.Action, about: made.Object}, err
			},
			see: subscribed.Look, ask: subscribed.Confirm, show: ofSubscription,
		},
		core.ModeSetup: counter[core.MethodID, core.SavedMethod]{
			last: func(c core.Checkout) core.MethodID { return c.Method },
			get: func(ctx context.Context, c core.Checkout) (core.SavedMethod, error) {
				return saved.Method(ctx, c.Buyer.Customer, c.Method)
			},
			begin: func(ctx context.Context, id core.CheckoutID, account core.AccountName, methodType string) (started, error) {
				made, err := saved.StartSetupOf(ctx, id, account, methodType)
				return started{attempt: ofMethod(made.Method), action: made.Action, about: made.Object}, err
			},
			see: saved.LookSetup, ask: saved.ConfirmSetup, show: ofMethod,
		},
	}
}

func ofPayment(p core.Payment) attempt {
	return attempt{
		id: string(p.ID), mode: core.ModePayment, account: p.Account, provider: p.Provider, status: string(p.Status),
		object: p.ProviderPaymentID, failure: p.Failure,
	}
}

func ofSubscription(s core.Subscription) attempt {
	return attempt{
		id: string(s.ID), mode: core.ModeSubscription, account: s.Account, provider: s.Provider, status: string(s.Status),
		object: s.ProviderSubscriptionID, failure: s.Failure,
	}
}

func ofMethod(m core.SavedMethod) attempt {
	return attempt{
		id: string(m.ID), mode: core.ModeSetup, account: m.Account, provider: m.Provider, status: string(m.Status),
		object: m.Ref().ID, failure: m.Failure,
	}
}
