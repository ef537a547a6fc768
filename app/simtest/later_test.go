package simtest

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// later are the acts around what a customer leaves for later, and around disputes.
func (w *world) later() []possible {
	return []possible{
		{2, w.openSetup},
		{4, w.beginSetup},
		{6, w.save},
		{5, w.onMethod(w.confirmSetup, core.MethodPending)},
		{1, w.onMethod(w.lookSetup, core.MethodPending)},
		{8, w.onMethod(w.charge, core.MethodActive)},
		{1, w.onMethod(w.remove, core.MethodActive)},
		{3, w.answer},
	}
}

// laterCards are what customers leave.
var laterCards = []portstest.Card{portstest.CardSucceeds, portstest.CardSucceeds, portstest.CardDeclined, portstest.CardDeclinedLater}

// drawCustomer adds the world's customer.
func (w *world) drawCustomer() {
	customer, err := w.house.Customers.Create(w.t.Context(), customers.NewCustomer{Email: "ada@example.test", Name: "Ada"})
	w.must(err)
	w.shop.customer = customer.ID
}

// openSetup is the storefront, which wants to charge the customer later.
func (w *world) openSetup() {
	in := payments.OpenCheckout{
		Reference: fmt.Sprint("wallet-", len(w.shop.asks)), Currency: "EUR", Mode: core.ModeSetup, SuccessURL: "https://shop.example/saved", CustomerID: string(w.shop.customer),
	}
	w.ask("open a setup", func(ctx context.Context, key core.RequestKey) (string, error) {
		in.RequestKey = key
		checkout, err := w.house.Payments.OpenCheckout(ctx, in)
		if err == nil {
			w.shop.setups[checkout.ID] = true
			w.shop.lastSetup = checkout.ID
		}
		return string(checkout.ID), err
	})
}

// beginSetup is the customer, who chooses where to leave a method.
func (w *world) beginSetup() {
	if w.shop.lastSetup == "" {
		return
	}
	checkout, account := w.shop.lastSetup, accounts[w.rng.IntN(len(accounts))]
	service := w.house.Customers
	w.run(fmt.Sprintf("customer begins %s at %s", checkout, account), func(ctx context.Context) string {
		attempt, err := service.StartSetup(ctx, checkout, account)
		return fmt.Sprintf("%s %s %v", attempt.Method.ID, attempt.Action.Type, err)
	}, nil)
}

// save is the customer at the provider, who agrees.
func (w *world) save() {
	account := accounts[w.rng.IntN(len(accounts))]
	for _, m := range w.fake(account).Everything().Methods {
		if card := laterCards[w.rng.IntN(len(laterCards))]; m.Status == core.MethodPending && m.Setup != "" {
			w.trace.add("customer saves %s at %s: %s %t", m.Setup, account, card, w.fake(account).Save(m.Setup, card))
			w.listen(account)
			return
		}
	}
}

// methods gives all that are stored, newest first.
func (w *world) methods() []core.SavedMethod {
	all, err := w.base.CustomerMethods(w.t.Context(), w.shop.customer)
	w.must(err)
	return all
}

// onMethod does something to a method of a status, where there is one.
func (w *world) onMethod(do func(core.SavedMethod), status core.MethodStatus) func() {
	return func() {
		var fit []core.SavedMethod
		for _, m := range w.methods() {
			if m.Status == status {
				fit = append(fit, m)
			}
		}
		if len(fit) > 0 {
			do(fit[w.rng.IntN(len(fit))])
		}
	}
}

// confirmSetup and lookSetup are the customer's browser.
func (w *world) confirmSetup(m core.SavedMethod) {
	source := ""
	if w.manner(m.Account) == ports.ConfirmWithSource {
		source = portstest.FakeSource(laterCards[w.rng.IntN(len(laterCards))])
	}
	service := w.house.Customers
	w.run(fmt.Sprintf("customer confirms %s %s", m.ID, source), func(ctx context.Context) string {
		method, _, err := service.ConfirmSetup(ctx, m.Checkout, m.ID, source)
		return fmt.Sprintf("%s %v", method.Status, err)
	}, nil)
}

func (w *world) lookSetup(m core.SavedMethod) {
	service := w.house.Customers
	w.run("customer comes back from "+string(m.ID), func(ctx context.Context) string {
		method, _, err := service.LookSetup(ctx, m.Checkout, m.ID)
		return fmt.Sprintf("%s %v", method.Status, err)
	}, nil)
}

// charge and remove are the storefront's.
func (w *world) charge(m core.SavedMethod) {
	in := payments.Charge{
		Customer: string(m.Customer), Method: string(m.ID), Amount: 1 + w.rng.Int64N(coretest.Price), Currency: "EUR",
		Reference: fmt.Sprint("charge-", len(w.shop.asks)), Cause: byShop,
	}
	w.ask(fmt.Sprintf("charge %s %d", m.ID, in.Amount), func(ctx context.Context, key core.RequestKey) (string, error) {
		in.RequestKey = key
		charged, err := w.house.Payments.Charge(ctx, in)
		return fmt.Sprintf("%s %s", charged.Payment.ID, charged.Payment.Status), err
	})
}

func (w *world) remove(m core.SavedMethod) {
	if !w.chance(6) {
		return
	}
	service := w.house.Customers
	w.run("shop removes "+string(m.ID), func(ctx context.Context) string {
		method, err := service.Remove(ctx, m.Customer, m.ID, byShop)
		return fmt.Sprintf("%s %v", method.Status, err)
	}, nil)
}

// answer is the storefront, which answers a dispute or gives in.
func (w *world) answer() {
	page, err := w.base.Disputes(w.t.Context(), ports.DisputeFilter{}, core.PageRequest{Limit: core.PageItemsMax})
	w.must(err)
	var open []core.Dispute
	for _, d := range page.Items {
		if !d.Status.Closed() {
			open = append(open, d)
		}
	}
	if len(open) == 0 {
		return
	}
	d := open[w.rng.IntN(len(open))]
	if w.chance(3) {
		w.ask("accept "+string(d.ID), func(ctx context.Context, key core.RequestKey) (string, error) {
			d, err := w.house.Disputes.Accept(ctx, d.ID, key, byShop)
			return string(d.Status), err
		})
		return
	}
	w.ask("answer "+string(d.ID), func(ctx context.Context, key core.RequestKey) (string, error) {
		texts := map[core.EvidenceField]string{core.EvidenceProductDescription: "a shirt"}
		if _, err := w.house.Disputes.SaveEvidence(ctx, d.ID, texts); err != nil {
			return "", err
		}
		d, err := w.house.Disputes.Submit(ctx, d.ID, key, byShop)
		return string(d.Status), err
	})
}

// agreeOnMethods compares the methods of one account with what is stored. What came of a call whose
// answer was lost until its key was forgotten can be charged by nobody, since nothing else names it.
func (w *world) agreeOnMethods(account core.AccountName, r rows) {
	stored := map[core.MethodID]core.SavedMethod{}
	for _, m := range r.methods {
		stored[m.ID] = m
	}
	active := map[core.MethodID]int{}
	for _, seen := range w.fake(account).Everything().Methods {
		held, known := stored[seen.Method]
		if !known {
			w.wrong("method %s at %s is not known here", seen.Method, account)
		}
		if seen.Status != core.MethodActive {
			continue
		}
		active[seen.Method]++
		if held.Status != core.MethodActive && !r.lost[string(held.ID)] && !r.open[string(held.ID)] {
			w.wrong("%s is %s, and can be charged at %s", held.ID, held.Status, account)
		}
	}
	for id, held := range stored {
		if held.Account == account && held.Status == core.MethodActive && active[id] == 0 && !r.open[string(id)] {
			w.wrong("%s is active, and nothing can be charged at %s", id, account)
		}
		if active[id] > 1 && !r.lost[string(id)] {
			w.wrong("%s is saved %d times at %s", id, active[id], account)
		}
	}
}

// agreeOnCharges makes sure that each call of the storefront's charged once at most.
func (w *world) agreeOnCharges(r rows) {
	charged := map[string]core.PaymentID{}
	for _, p := range r.payments {
		if p.Checkout != "" {
			continue
		}
		if other, twice := charged[p.Reference]; twice {
			w.wrong("%s was charged twice: %s and %s", p.Reference, other, p.ID)
		}
		charged[p.Reference] = p.ID
	}
}
