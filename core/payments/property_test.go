package payments_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// life is one checkout that anything may happen to.
type life struct {
	t        *testing.T
	h        *coretest.House
	checkout core.Checkout
	webhooks int
	canceled map[core.PaymentID]bool // by the storefront
}

// payments gives the attempts so far, oldest first.
func (l *life) payments(rt *rapid.T) []core.Payment {
	page, err := l.h.Payments.Payments(l.t.Context(), ports.PaymentFilter{Checkout: l.checkout.ID}, core.PageRequest{Limit: core.PageItemsMax, Last: true})
	require.NoError(rt, err)
	return page.Items
}

// some draws an attempt; false where there is none yet.
func (l *life) some(rt *rapid.T) (core.Payment, bool) {
	all := l.payments(rt)
	if len(all) == 0 {
		return core.Payment{}, false
	}
	return rapid.SampledFrom(all).Draw(rt, "payment"), true
}

var cards = []portstest.Card{portstest.CardSucceeds, portstest.CardSucceeds, portstest.CardDeclined, portstest.CardStolen, portstest.Card3DS}

// actions are what buyers, storefronts, providers, time and bad luck can do. The errors
// that callers get are their business; what is stored is ours.
func (l *life) actions() map[string]func(rt *rapid.T) {
	h := l.h
	return map[string]func(rt *rapid.T){
		"start": func(rt *rapid.T) {
			account := rapid.SampledFrom([]core.AccountName{coretest.Account, coretest.Account, coretest.OtherAccount}).Draw(rt, "account")
			_, _ = h.Payments.Start(rt.Context(), l.checkout.ID, account)
		},
		"pay": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				l.provider(p).Pay(p.ID, rapid.SampledFrom(cards).Draw(rt, "card"))
			}
		},
		"confirm": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				source := ""
				if h.Accounts[p.Account].Capabilities().Confirm == ports.ConfirmWithSource {
					source = portstest.FakeSource(rapid.SampledFrom(cards[:4]).Draw(rt, "card"))
				}
				_, _, _ = h.Payments.Confirm(rt.Context(), l.checkout.ID, p.ID, source)
			}
		},
		"look": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				_, _, _ = h.Payments.Look(rt.Context(), l.checkout.ID, p.ID)
			}
		},
		"webhook": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				l.tell(p)
			}
		},
		"capture": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				amount := rapid.Int64Range(0, coretest.Price+1).Draw(rt, "amount")
				key := core.RequestKey(rapid.SampledFrom([]string{"", "capture " + string(p.ID)}).Draw(rt, "key"))
				_, _ = h.Payments.Capture(rt.Context(), payments.Capture{Payment: p.ID, Amount: &amount, RequestKey: key, Cause: byAPI})
			}
		},
		"refund": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				amount := rapid.Int64Range(1, coretest.Price).Draw(rt, "amount")
				key := core.RequestKey(rapid.SampledFrom([]string{"", "refund " + string(p.ID)}).Draw(rt, "key"))
				_, _ = h.Refunds.Create(rt.Context(), refunds.Create{Payment: p.ID, Amount: &amount, RequestKey: key, Cause: byAPI})
			}
		},
		"cancel": func(rt *rapid.T) {
			if p, ok := l.some(rt); ok {
				l.canceled[p.ID] = true
				_, _ = h.Payments.Cancel(rt.Context(), p.ID, "", byAPI)
			}
		},
		"expire": func(rt *rapid.T) { _, _ = h.Payments.ExpireCheckout(rt.Context(), l.checkout.ID, byAPI) },
		"sweep":  func(rt *rapid.T) { _ = h.Payments.ExpireDue(rt.Context(), ports.Job{Kind: ports.JobExpireCheckouts}) },
		"jobs":   func(*rapid.T) { h.RunDue() },
		"time": func(rt *rapid.T) {
			h.Clock.Advance(time.Duration(rapid.IntRange(1, 40).Draw(rt, "minutes")) * time.Minute)
		},
		"fault": func(rt *rapid.T) {
			fault := rapid.SampledFrom([]portstest.Fault{
				portstest.FaultTimeoutBefore, portstest.FaultTimeoutAfterCommit, portstest.FaultError429, portstest.FaultError500, portstest.FaultTruncated,
			}).Draw(rt, "fault")
			rapid.SampledFrom([]*portstest.FakeProvider{h.Provider, h.Provider, h.Other}).Draw(rt, "at").Fault(l.t, fault)
		},
		"death": func(rt *rapid.T) {
			h.Store.CrashNext(rapid.IntRange(0, 2).Draw(rt, "skip"), rapid.Bool().Draw(rt, "after commit"))
		},
		"": l.check,
	}
}

func (l *life) provider(p core.Payment) *portstest.FakeProvider {
	if p.Account == coretest.OtherAccount {
		return l.h.Other
	}
	return l.h.Provider
}

// tell is a provider that tells of a payment's object, where there is one.
func (l *life) tell(p core.Payment) {
	seen, ok := l.provider(p).Object(p.ID)
	if !ok {
		return
	}
	l.webhooks++
	delivery := l.h.Delivery(fmt.Sprint("evt_", l.webhooks), seen.Ref.ID)
	if seen.Ref.ID == "" {
		delivery.Ref = core.ProviderRef{Kind: core.ObjectSession, ID: seen.Session}
	}
	delivery.Account, delivery.Ref.Account = p.Account, p.Account
	for { // a provider tells until it is heard
		if err := l.h.Inbox.Accept(l.t.Context(), []core.Delivery{delivery}); !errors.Is(err, coretest.ErrCrashed) {
			require.NoError(l.t, err)
			return
		}
	}
}

// check holds what must be true at any moment.
func (l *life) check(rt *rapid.T) {
	all := l.payments(rt)
	unflagged, open := 0, 0
	for _, p := range all {
		require.NoError(rt, p.Check())
		if p.Status.HoldsMoney() && p.Anomaly != core.ReasonOverpaid {
			unflagged++
		}
		if p.Status == core.PaymentProcessing || p.Status == core.PaymentRequiresAction {
			open++
		}
		for _, op := range l.h.Operations(p.ID) {
			require.LessOrEqual(rt, l.provider(p).EffectsOf(op.Key()), 1)
		}
	}
	require.LessOrEqual(rt, unflagged, 1, "payments that hold money and are not flagged")
	require.LessOrEqual(rt, open, 1, "attempts at once")
	checkout := l.h.Checkout(l.checkout.ID)
	if unflagged == 1 {
		require.Equal(rt, core.CheckoutComplete, checkout.Status)
		require.True(rt, l.h.Payment(checkout.Payment).Status.HoldsMoney() || l.h.Payment(checkout.Payment).Status == core.PaymentCanceled)
	}
}

// settle lets everything come to rest, with providers and processes that work again.
func (l *life) settle(rt *rapid.T) {
	l.h.Store.CrashNever()
	for _, provider := range []*portstest.FakeProvider{l.h.Provider, l.h.Other} {
		for range 200 { // use up what was to go wrong
			if _, err := provider.ListPayments(context.Background(), ports.ListPayments{Limit: 1}); err == nil {
				break
			}
		}
	}
	l.h.Store.RetryGivenUp()
	l.h.RunAll()
	for _, p := range l.payments(rt) {
		l.tell(p)
	}
	l.h.RunAll()
	require.Empty(rt, l.h.Store.GivenUp())
}

// agree makes sure that what is stored is what the providers hold.
func (l *life) agree(rt *rapid.T) {
	payable := 0
	for _, p := range l.payments(rt) {
		for _, op := range l.h.Operations(p.ID) {
			require.True(rt, op.Status.Settled(), "%s of %s is %s", op.Kind, p.ID, op.Status)
		}
		seen, there := l.provider(p).Object(p.ID)
		if !there {
			if p.Status != core.PaymentFailed { // what was refused has no object
				require.Empty(rt, l.h.Operations(p.ID), "nor has what was never asked for")
				require.Contains(rt, []core.PaymentStatus{core.PaymentRequiresAction, core.PaymentCanceled}, p.Status)
			}
			continue
		}
		if seen.Payable {
			payable++
		}
		require.Equal(rt, seen.Ref.ID, p.ProviderPaymentID)
		require.Equal(rt, seen.Session, p.ProviderSessionID)
		require.Equal(rt, seen.Captured, p.AmountCaptured)
		require.Equal(rt, seen.Refunded, p.AmountRefunded)
		if p.Anomaly == core.ReasonOverpaid {
			require.True(rt, p.Refundable().IsZero(), "what was taken a second time went back")
		}
		if p.Status == core.PaymentFailed {
			require.False(rt, seen.Payable, "what was given up is closed")
			require.Contains(rt, []core.PaymentStatus{core.PaymentCanceled, core.PaymentFailed}, seen.Status)
		} else {
			require.Equal(rt, seen.Status, p.Status)
		}
		for _, entry := range l.h.Timeline(p.ID) {
			if entry.From == string(core.PaymentAuthorized) && entry.To == string(core.PaymentCanceled) {
				require.True(rt, l.canceled[p.ID] || p.Anomaly == core.ReasonOverpaid, "money was released that nobody asked to be")
			}
		}
		types := l.h.Types(string(p.ID))
		require.Equal(rt, p.Status.Event(), types[len(types)-1], "storefronts know it")
	}
	checkout := l.h.Checkout(l.checkout.ID)
	completed := 0
	for _, kind := range l.h.Types(string(checkout.ID)) {
		if kind == core.EventCheckoutCompleted {
			completed++
		}
	}
	require.LessOrEqual(rt, payable, 1)
	if checkout.Status != core.CheckoutOpen {
		require.Zero(rt, payable, "what is over cannot be paid")
	}
	if checkout.Status == core.CheckoutComplete {
		require.Equal(rt, 1, completed)
	} else {
		require.Zero(rt, completed)
	}
}

// modes are the manners of a provider.
var modes = []ports.ConfirmMode{ports.ConfirmInBrowser, ports.ConfirmAfterApproval, ports.ConfirmWithSource}

// open opens the checkout, to be paid on our page or on a provider's.
func (l *life) open(rt *rapid.T, capture core.CaptureMode) core.Checkout {
	checkout, err := l.h.Payments.OpenCheckout(l.t.Context(), payments.OpenCheckout{
		Reference: "order", Currency: "EUR", Capture: capture, SuccessURL: "https://shop.example/done",
		Flow:  rapid.SampledFrom([]core.Flow{core.FlowPage, core.FlowPage, core.FlowRedirect}).Draw(rt, "flow"),
		Items: []payments.OpenItem{{Name: "a shirt", Amount: coretest.Price, Quantity: 1}},
	})
	require.NoError(rt, err)
	return checkout
}

func TestWhateverHappensTheBooksAreRight(t *testing.T) {
	t.Parallel()
	for _, capture := range []core.CaptureMode{core.CaptureAutomatic, core.CaptureManual} {
		t.Run(string(capture), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				store, closeStore, err := bunrepo.Open(t.Context(), repotest.Options(repotest.SQLiteURL(t)))
				require.NoError(rt, err)
				defer closeStore()
				l := &life{t: t, h: coretest.New(rt, store), canceled: map[core.PaymentID]bool{}}
				for _, fake := range []*portstest.FakeProvider{l.h.Provider, l.h.Other} {
					account := fake.Account()
					if mode := rapid.SampledFrom(modes).Draw(rt, string(account)); mode != ports.ConfirmInBrowser {
						l.h.Accounts[account] = fake.Confirming(mode)
					}
				}
				l.checkout = l.open(rt, capture)
				rt.Repeat(l.actions())
				l.settle(rt)
				l.check(rt)
				l.agree(rt)
			})
		})
	}
}
