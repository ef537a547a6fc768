package pay

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
)

// attempt is an attempt of any mode, as the page needs it: to pay, to subscribe, or to save a method.
type attempt struct {
	id         string
	account    core.AccountName
	provider   core.ProviderName
	status     string
	processing bool // whether the provider works on it
	review     bool // whether staff look at it
	object     string
	action     ports.BuyerAction
	failure    *core.Failure
}

// mode is what the use cases of one mode of checkouts do for the page.
type mode struct {
	start   func(ctx context.Context, checkout core.CheckoutID, account core.AccountName) (attempt, error)
	look    func(ctx context.Context, checkout core.CheckoutID, id string) (attempt, core.Checkout, error)
	confirm func(ctx context.Context, checkout core.CheckoutID, id, source string) (attempt, core.Checkout, error)
	// stored reads the newest attempt of a checkout, or the one that completed it; the zero one where
	// there is none.
	stored func(ctx context.Context, c core.Checkout) (attempt, error)
}

// prefixes are how the ids of attempts begin, by mode.
var prefixes = map[string]core.CheckoutMode{"pay_": core.ModePayment, "sub_": core.ModeSubscription, "pm_": core.ModeSetup}

// modeOfID tells an attempt's mode by its id, where that is well-formed.
func modeOfID(id string) (core.CheckoutMode, bool) {
	var err error
	for prefix, mode := range prefixes {
		if !strings.HasPrefix(id, prefix) {
			continue
		}
		switch mode {
		case core.ModePayment:
			_, err = core.ParseID[core.PaymentID](id)
		case core.ModeSubscription:
			_, err = core.ParseID[core.SubscriptionID](id)
		case core.ModeSetup:
			_, err = core.ParseID[core.MethodID](id)
		}
		return mode, err == nil
	}
	return "", false
}

func modesOf(options Options) map[core.CheckoutMode]mode {
	return map[core.CheckoutMode]mode{
		core.ModePayment: paymentMode(options.Payments), core.ModeSubscription: subscriptionMode(options.Subscriptions),
		core.ModeSetup: setupMode(options.Customers),
	}
}

func ofPayment(p core.Payment) attempt {
	return attempt{
		id: string(p.ID), account: p.Account, provider: p.Provider, status: string(p.Status), object: p.ProviderPaymentID,
		processing: p.Status == core.PaymentProcessing && p.Exists(), review: p.Status == core.PaymentNeedsReview, failure: p.Failure,
	}
}

func paymentMode(s *payments.Service) mode {
	return mode{
		start: func(ctx context.Context, checkout core.CheckoutID, account core.AccountName) (attempt, error) {
			started, err := s.Start(ctx, checkout, account)
			a := ofPayment(started.Payment)
			a.action = started.Action
			return a, err
		},
		look: func(ctx context.Context, checkout core.CheckoutID, id string) (attempt, core.Checkout, error) {
			p, c, err := s.Look(ctx, checkout, core.PaymentID(id))
			return ofPayment(p), c, err
		},
		confirm: func(ctx context.Context, checkout core.CheckoutID, id, source string) (attempt, core.Checkout, error) {
			p, c, err := s.Confirm(ctx, checkout, core.PaymentID(id), source)
			return ofPayment(p), c, err
		},
		stored: func(ctx context.Context, c core.Checkout) (attempt, error) {
			if c.Payment == "" {
				return attempt{}, nil
			}
			p, err := s.Payment(ctx, c.Payment)
			return ofPayment(p), err
		},
	}
}

func ofMethod(m core.SavedMethod) attempt {
	return attempt{
		id: string(m.ID), account: m.Account, provider: m.Provider, status: string(m.Status), object: m.Ref().ID, failure: shownFailure(m.Failure),
	}
}

// shownFailure leaves out what the buyer did on purpose.
func shownFailure(f *core.Failure) *core.Failure {
	if f != nil && f.Code == core.FailureCanceledByBuyer {
		return nil
	}
	return f
}

func setupMode(s *customers.Service) mode {
	return mode{
		start: func(ctx context.Context, checkout core.CheckoutID, account core.AccountName) (attempt, error) {
			started, err := s.StartSetup(ctx, checkout, account)
			a := ofMethod(started.Method)
			a.action, a.object = started.Action, started.Object
			return a, err
		},
		look: func(ctx context.Context, checkout core.CheckoutID, id string) (attempt, core.Checkout, error) {
			m, c, err := s.LookSetup(ctx, checkout, core.MethodID(id))
			return ofMethod(m), c, err
		},
		confirm: func(ctx context.Context, checkout core.CheckoutID, id, source string) (attempt, core.Checkout, error) {
			m, c, err := s.ConfirmSetup(ctx, checkout, core.MethodID(id), source)
			return ofMethod(m), c, err
		},
		stored: func(ctx context.Context, c core.Checkout) (attempt, error) {
			if c.Method == "" {
				return attempt{}, nil
			}
			m, err := s.Method(ctx, c.Buyer.Customer, c.Method)
			return ofMethod(m), err
		},
	}
}

func ofSubscription(s core.Subscription) attempt {
	return attempt{
		id: string(s.ID), account: s.Account, provider: s.Provider, status: string(s.Status), object: s.ProviderSubscriptionID, failure: shownFailure(s.Failure),
	}
}

func subscriptionMode(s *subscriptions.Service) mode {
	return mode{
		start: func(ctx context.Context, checkout core.CheckoutID, account core.AccountName) (attempt, error) {
			started, err := s.Start(ctx, checkout, account)
			a := ofSubscription(started.Subscription)
			a.action, a.object = started.Action, started.Object
			return a, err
		},
		look: func(ctx context.Context, checkout core.CheckoutID, id string) (attempt, core.Checkout, error) {
			sub, c, err := s.Look(ctx, checkout, core.SubscriptionID(id))
			return ofSubscription(sub), c, err
		},
		confirm: func(ctx context.Context, checkout core.CheckoutID, id, source string) (attempt, core.Checkout, error) {
			sub, c, err := s.Confirm(ctx, checkout, core.SubscriptionID(id), source)
			return ofSubscription(sub), c, err
		},
		stored: func(ctx context.Context, c core.Checkout) (attempt, error) {
			if c.Subscription == "" {
				return attempt{}, nil
			}
			sub, err := s.Get(ctx, c.Subscription)
			return ofSubscription(sub), err
		},
	}
}

// terms is what a subscriber agrees to.
type terms struct {
	Price string // "€10.00 every month"
	Trial string // "14 days for free"; empty without a trial
}

// termsOf reads the terms of a checkout; the zero ones in other modes.
func (h *handler) termsOf(ctx context.Context, c core.Checkout) (terms, error) {
	if c.Mode != core.ModeSubscription || len(c.LineItems) == 0 {
		return terms{}, nil
	}
	price, err := h.subscriptions.Price(ctx, c.LineItems[0].Price)
	if err != nil {
		return terms{}, err
	}
	if price.Recurring == nil {
		return terms{}, errors.New("checkout subscribes to a price that is paid once")
	}
	t := terms{Price: formatMoney(c.Amount) + " " + every(*price.Recurring)}
	if days := price.Recurring.TrialDays; days > 0 {
		t.Trial = counted(days, "day") + " for free"
	}
	return t, nil
}

// every writes how often something is paid: "every month", "every 3 months".
func every(r core.Recurring) string {
	if r.Count == 1 {
		return "every " + string(r.Interval)
	}
	return "every " + counted(r.Count, string(r.Interval))
}

func counted(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// agreement is the sentence that a buyer agrees to by pressing the button; empty where that is the
// payment alone.
func agreement(c core.Checkout, t terms) string {
	switch c.Mode {
	case core.ModeSetup:
		return customers.ConsentText(c)
	case core.ModeSubscription:
		if t.Trial != "" {
			return "You pay nothing for " + strings.TrimSuffix(t.Trial, " for free") + " and then " + t.Price + " until you cancel. I allow the shop to charge it to my payment method."
		}
		return "You pay " + t.Price + ", beginning today, until you cancel. I allow the shop to charge it to my payment method."
	case core.ModePayment:
	}
	return ""
}
