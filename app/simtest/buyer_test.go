package simtest

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// cards are what buyers have.
var cards = []portstest.Card{
	portstest.CardSucceeds, portstest.CardSucceeds, portstest.CardSucceeds, portstest.CardSucceeds, portstest.CardDeclined,
	portstest.CardStolen, portstest.Card3DS, portstest.CardDisputed,
}

// card draws one. Banks ask where the buyer's browser confirms; elsewhere they have asked by then.
func (w *world) card(account core.AccountName) portstest.Card {
	card := cards[w.rng.IntN(len(cards))]
	if card == portstest.Card3DS && w.manner(account) != ports.ConfirmInBrowser {
		card = portstest.CardSucceeds
	}
	return card
}

// manner is how payments come about at an account.
func (w *world) manner(account core.AccountName) ports.ConfirmMode {
	return w.house.Accounts[account].Capabilities().Confirm
}

// acts are all that can happen.
func (w *world) acts() []possible {
	all := []possible{
		{10, func() { w.deliver() }},
		{10, func() { w.work() }},
		{6, func() { w.tell() }},
		{6, w.askAgain},
		{3, func() { w.sweep(sweeps[w.rng.IntN(len(sweeps))]) }},
		{4, w.pass},
		{4, w.openCheckout},
		{10, w.onCheckout(w.begin)},
		{14, w.pay},
		{4, w.onPayment(w.confirm, core.PaymentRequiresAction, core.PaymentProcessing)},
		{4, w.onPayment(w.look, core.PaymentRequiresAction, core.PaymentProcessing, core.PaymentAuthorized)},
		{4, w.onPayment(w.capture, core.PaymentAuthorized)},
		{1, w.onPayment(w.cancel, core.PaymentAuthorized, core.PaymentRequiresAction, core.PaymentProcessing)},
		{4, w.onPayment(w.refund, core.PaymentSucceeded)},
		{1, w.onCheckout(w.expire)},
		{2, w.refundElsewhere},
		{2, w.endRefund},
		{1, w.openDispute},
		{2, w.closeDispute},
		{1, w.storm},
		{1, w.outage},
		{1, w.tellAgain},
	}
	return append(all, w.later()...)
}

// storm has a provider refuse what comes next.
func (w *world) storm() {
	if w.mood.calls > 0 {
		account := accounts[w.rng.IntN(len(accounts))]
		w.storms[account] = 1 + w.rng.IntN(15)
		w.trace.add("storm at %s: %d", account, w.storms[account])
	}
}

// pass lets time go by: mostly little, at times more than any provider keeps a key.
func (w *world) pass() {
	by := w.delay()
	if w.chance(60) {
		by = time.Duration(20+w.rng.IntN(200)) * time.Hour
	}
	w.house.Clock.Advance(by)
	w.trace.add("time goes by: %s", by)
	for _, account := range accounts {
		w.fake(account).Lapse()
		w.listen(account)
	}
}

// begin is the buyer, who chooses how to pay.
func (w *world) begin(checkout core.CheckoutID) {
	account := accounts[w.rng.IntN(len(accounts))]
	service := w.house.Payments
	w.run(fmt.Sprintf("buyer begins to pay %s at %s", checkout, account), func(ctx context.Context) string {
		attempt, err := service.Start(ctx, checkout, account)
		return fmt.Sprintf("%s %s %v", attempt.Payment.ID, attempt.Action.Type, err)
	}, nil)
}

// pay is a buyer at the provider, who pays what can be paid there, or agrees to.
func (w *world) pay() {
	account := accounts[w.rng.IntN(len(accounts))]
	fake := w.fake(account)
	var payable []core.PaymentID
	for _, p := range fake.Everything().Payments {
		if p.Payable && p.Payment != "" {
			payable = append(payable, p.Payment)
		}
	}
	if len(payable) == 0 {
		return
	}
	id, card := payable[len(payable)-1-w.rng.IntN(min(len(payable), 3))], w.card(account)
	w.trace.add("buyer pays %s at %s: %s %t", id, account, card, fake.Pay(id, card))
	w.listen(account)
}

// confirm is the buyer's browser, which says that they agreed.
func (w *world) confirm(p core.Payment) {
	source := ""
	if w.manner(p.Account) == ports.ConfirmWithSource {
		source = portstest.FakeSource(w.card(p.Account))
	}
	service := w.house.Payments
	w.run(fmt.Sprintf("buyer confirms %s %s", p.ID, source), func(ctx context.Context) string {
		payment, _, err := service.Confirm(ctx, p.Checkout, p.ID, source)
		return fmt.Sprintf("%s %v", payment.Status, err)
	}, nil)
}

// look is the buyer's browser, which comes back.
func (w *world) look(p core.Payment) {
	service := w.house.Payments
	w.run(fmt.Sprintf("buyer comes back from %s", p.ID), func(ctx context.Context) string {
		payment, checkout, err := service.Look(ctx, p.Checkout, p.ID)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s, checkout %s", payment.Status, checkout.Status)
	}, nil)
}

// someTaken draws a payment's object that took money, and of which something is left.
func (w *world) someTaken(account core.AccountName) (core.PaymentSnapshot, bool) {
	var taken []core.PaymentSnapshot
	for _, p := range w.fake(account).Everything().Payments {
		if p.Payment != "" && p.Captured.Minor() > p.Refunded.Minor() {
			taken = append(taken, p)
		}
	}
	if len(taken) == 0 {
		return core.PaymentSnapshot{}, false
	}
	return taken[w.rng.IntN(len(taken))], true
}

// refundElsewhere is staff in the provider's dashboard.
func (w *world) refundElsewhere() {
	account := accounts[w.rng.IntN(len(accounts))]
	p, there := w.someTaken(account)
	if !there {
		return
	}
	amount := 1 + w.rng.Int64N(p.Captured.Minor()-p.Refunded.Minor())
	id := w.fake(account).RefundElsewhere(w.t, p.Payment, amount)
	w.trace.add("dashboard of %s: %d of %s goes back as %s", account, amount, p.Payment, id)
	w.listen(account)
}

// endRefund is the bank, through which a refund comes, or does not.
func (w *world) endRefund() {
	account := accounts[w.rng.IntN(len(accounts))]
	var pending []core.RefundSnapshot
	for _, r := range w.fake(account).Everything().Refunds {
		if r.Status == core.RefundPending {
			pending = append(pending, r)
		}
	}
	if len(pending) > 0 {
		w.end(account, pending[w.rng.IntN(len(pending))])
	}
}

func (w *world) end(account core.AccountName, r core.RefundSnapshot) {
	outcome := portstest.RefundSucceeds
	if w.chance(4) {
		outcome = portstest.RefundFails
	}
	w.fake(account).EndRefund(w.t, r.Ref.ID, outcome)
	w.trace.add("refund %s at %s: %s", r.Ref.ID, account, outcome)
	w.listen(account)
}

// openDispute is a buyer's bank.
func (w *world) openDispute() {
	account := accounts[w.rng.IntN(len(accounts))]
	p, there := w.someTaken(account)
	if !there || p.Disputed {
		return
	}
	id := w.fake(account).OpenDispute(w.t, p.Payment, w.chance(3))
	w.trace.add("bank disputes %s at %s: %s", p.Payment, account, id)
	w.listen(account)
}

// closeDispute is the bank's decision.
func (w *world) closeDispute() {
	account := accounts[w.rng.IntN(len(accounts))]
	var open []core.DisputeSnapshot
	for _, d := range w.fake(account).Everything().Disputes {
		if !d.Status.Closed() {
			open = append(open, d)
		}
	}
	if len(open) == 0 {
		return
	}
	d := open[w.rng.IntN(len(open))]
	outcome := []string{portstest.DisputeIsWon, portstest.DisputeIsLost}[w.rng.IntN(2)]
	if d.Status == core.DisputeInquiry && w.chance(2) {
		outcome = portstest.DisputeEscalates
	}
	w.fake(account).CloseDispute(w.t, d.Ref.ID, outcome)
	w.trace.add("bank decides on %s at %s: %s", d.Ref.ID, account, outcome)
	w.listen(account)
}
