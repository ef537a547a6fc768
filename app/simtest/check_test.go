package simtest

import (
	"github.com/paydesk/paydesk/core"
)

// watchProvider holds a provider to what must be true of it at any moment.
func (w *world) watchProvider(account core.AccountName) {
	fake := w.fake(account)
	for _, key := range fake.Doubled() {
		w.wrong("%s had its effect at %s more than once", key, account)
	}
	for _, p := range fake.Everything().Payments {
		if p.Refunded.Minor() > p.Captured.Minor() || p.Captured.Minor() > p.Authorized.Minor() || p.Authorized.Minor() > p.Amount.Minor() {
			w.wrong("%s of %s: asked %s, authorized %s, captured %s, refunded %s", p.Ref.ID, p.Payment, p.Amount, p.Authorized, p.Captured, p.Refunded)
		}
	}
}

// committed holds what is stored to what must be true at any moment, now and then.
func (w *world) committed() {
	w.commits++
	if w.commits%checkEvery == 0 {
		w.watchStore()
	}
}

// checkEvery is after how many transactions all rows are looked at.
const checkEvery = 20

// watchStore holds what is stored to what must be true at any moment.
func (w *world) watchStore() {
	unflagged := map[core.CheckoutID]int{}
	open := map[core.CheckoutID]int{}
	for _, p := range w.payments() {
		if err := p.Check(); err != nil {
			w.wrong("%s: %v", p.ID, err)
		}
		if p.Checkout == "" {
			continue
		}
		if p.Status.HoldsMoney() && p.Anomaly != core.ReasonOverpaid {
			unflagged[p.Checkout]++
		}
		if p.Status == core.PaymentProcessing || p.Status == core.PaymentRequiresAction {
			open[p.Checkout]++
		}
	}
	for _, id := range w.shop.checkouts {
		if unflagged[id] > 1 || open[id] > 1 {
			w.wrong("%s: %d payments hold money, %d are open", id, unflagged[id], open[id])
		}
		checkout, err := w.base.Checkout(w.t.Context(), id)
		if err != nil {
			w.wrong("read %s: %v", id, err)
		}
		if unflagged[id] == 1 && checkout.Status != core.CheckoutComplete {
			w.wrong("%s is paid and %s", id, checkout.Status)
		}
	}
}
