package simtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
)

// askTriesMax is how often a storefront makes the same call before it gives up.
const askTriesMax = 6

// caller is the storefront's API key.
const caller core.APIKeyID = "key_00000007000200000000000000"

// shop is the storefront: it knows what it was told, and no more.
type shop struct {
	asks      []*ask
	checkouts []core.CheckoutID
	captured  map[core.PaymentID]bool // asked for
	canceled  map[core.PaymentID]bool
	customer  core.CustomerID
	setups    map[core.CheckoutID]bool
	lastSetup core.CheckoutID
}

// ask is a call under an Idempotency-Key, which is made again until there is an answer.
type ask struct {
	number int
	name   string
	do     func(ctx context.Context, key core.RequestKey) (string, error)
	tries  int
	busy   bool
	answer string // the first that settled it; empty before
	at     time.Time
}

// remembered reports whether the API remembers an answer that comes of err, as adapters/httpapi does.
func remembered(err error) bool {
	if err == nil {
		return true
	}
	if _, refused := errors.AsType[*core.RefusedError](err); refused {
		return true
	}
	for _, final := range []error{
		core.ErrCheckoutComplete, core.ErrCheckoutExpired, core.ErrPaymentNotOpen, core.ErrAmountNotAvailable, core.ErrAuthorizationExpired,
		core.ErrPaymentDisputed, core.ErrDisputeClosed, core.ErrEvidenceSubmitted, core.ErrEvidenceLate, core.ErrEvidenceEmpty, core.ErrNotSupported,
		core.ErrMethodNotUsable, core.ErrSubscriptionEnded, core.ErrSubscriptionState, core.ErrNothingToChange, core.ErrTooManyAttempts, core.ErrAccountNotOffered,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// ask makes a new call.
func (w *world) ask(name string, do func(ctx context.Context, key core.RequestKey) (string, error)) {
	a := &ask{number: len(w.shop.asks) + 1, name: name, do: do}
	w.shop.asks = append(w.shop.asks, a)
	w.call(a)
}

// call makes a call, or makes it once more.
func (w *world) call(a *ask) {
	a.busy = true
	a.tries++
	service := w.idem
	w.run(fmt.Sprintf("shop asks %d: %s", a.number, a.name), func(ctx context.Context) string {
		call := idempotency.Call{Caller: caller, Key: fmt.Sprint("ask-", a.number), RequestHash: a.name}
		answer, replayed, err := service.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
			text, err := a.do(ctx, call.RequestKey())
			status := 200
			if err != nil {
				text, status = err.Error(), 409
			}
			return idempotency.Answer{Status: status, Body: []byte(text), Forget: !remembered(err)}
		})
		a.busy = false
		if err != nil {
			return "not told: " + err.Error()
		}
		w.answered(a, answer)
		return fmt.Sprintf("%d %s (replayed: %t, for good: %t)", answer.Status, answer.Body, replayed, !answer.Forget)
	}, func() { a.busy = false })
}

// answered notes an answer, which must be the same each time for as long as answers are remembered.
func (w *world) answered(a *ask, answer idempotency.Answer) {
	if answer.Forget {
		return
	}
	if text := fmt.Sprint(answer.Status, " ", string(answer.Body)); a.answer == "" {
		a.answer, a.at = text, w.house.Clock.Now()
	} else if a.answer != text && w.house.Clock.Now().Sub(a.at) < core.IdempotencyKeep {
		w.wrong("call %d was answered with %q, and now with %q", a.number, a.answer, text)
	}
}

// askAgain repeats a call: one that has no answer, or at times one that has.
func (w *world) askAgain() {
	answered := w.chance(3)
	var open []*ask
	for _, a := range w.shop.asks {
		if !a.busy && a.tries < askTriesMax && (a.answer == "" || answered) {
			open = append(open, a)
		}
	}
	if len(open) > 0 {
		w.call(open[w.rng.IntN(len(open))])
	}
}

// askTheRest repeats each call that has no answer once more.
func (w *world) askTheRest() {
	for _, a := range w.shop.asks {
		if a.answer == "" && !a.busy {
			w.tally["calls asked at last"]++
			w.call(a)
			w.finish()
		}
	}
}

// chance is true once in n times.
func (w *world) chance(n int) bool { return w.rng.IntN(n) == 0 }

// openCheckout is the storefront, which wants money.
func (w *world) openCheckout() {
	in := payments.OpenCheckout{
		Reference: fmt.Sprint("order-", len(w.shop.asks)), Currency: "EUR", SuccessURL: "https://shop.example/done",
		Items: []payments.OpenItem{{Name: "a shirt", Amount: coretest.Price, Quantity: 1}}, Capture: core.CaptureAutomatic,
	}
	if w.chance(2) {
		in.Capture = core.CaptureManual
	}
	if w.chance(4) {
		in.Flow = core.FlowRedirect
	}
	if w.chance(4) {
		in.ExpiresIn = core.CheckoutLifeShortest
	}
	w.ask("open a checkout", func(ctx context.Context, key core.RequestKey) (string, error) {
		in.RequestKey = key
		checkout, err := w.house.Payments.OpenCheckout(ctx, in)
		if err == nil {
			w.know(checkout.ID)
		}
		return string(checkout.ID), err
	})
}

func (w *world) know(id core.CheckoutID) {
	if !slices.Contains(w.shop.checkouts, id) {
		w.shop.checkouts = append(w.shop.checkouts, id)
	}
}

// amount draws a part of a sum, and at times a bit more than there is; nil for all of it.
func (w *world) amount() *int64 {
	if w.chance(3) {
		return nil
	}
	part := 1 + w.rng.Int64N(coretest.Price)
	if w.chance(20) {
		part = coretest.Price + 1
	}
	return &part
}

func text(amount *int64) string {
	if amount == nil {
		return "all"
	}
	return fmt.Sprint(*amount)
}

var byShop = core.Cause{Kind: core.CauseAPI}

// capture, cancel and refund are the storefront after the sale.
func (w *world) capture(p core.Payment) {
	amount := w.amount()
	w.shop.captured[p.ID] = true
	w.ask(fmt.Sprintf("capture %s %s", p.ID, text(amount)), func(ctx context.Context, key core.RequestKey) (string, error) {
		p, err := w.house.Payments.Capture(ctx, payments.Capture{Payment: p.ID, Amount: amount, RequestKey: key, Cause: byShop})
		return string(p.Status), err
	})
}

func (w *world) cancel(p core.Payment) {
	w.shop.canceled[p.ID] = true
	w.ask(fmt.Sprintf("cancel %s", p.ID), func(ctx context.Context, key core.RequestKey) (string, error) {
		p, err := w.house.Payments.Cancel(ctx, p.ID, key, byShop)
		return string(p.Status), err
	})
}

func (w *world) refund(p core.Payment) {
	amount := w.amount()
	w.ask(fmt.Sprintf("refund %s %s", p.ID, text(amount)), func(ctx context.Context, key core.RequestKey) (string, error) {
		r, err := w.house.Refunds.Create(ctx, refunds.Create{Payment: p.ID, Amount: amount, RequestKey: key, Cause: byShop})
		return fmt.Sprintf("%s %s", r.ID, r.Status), err
	})
}

// expire ends a checkout, without a key.
func (w *world) expire(id core.CheckoutID) {
	service := w.house.Payments
	w.run("shop expires "+string(id), func(ctx context.Context) string {
		checkout, err := service.ExpireCheckout(ctx, id, byShop)
		if err != nil {
			return err.Error()
		}
		return string(checkout.Status)
	}, nil)
}

// rowsMax is more than a run makes of anything.
const rowsMax = core.PageItemsMax

// payments gives all that are stored, newest first.
func (w *world) payments() []core.Payment {
	page, err := w.base.Payments(w.t.Context(), ports.PaymentFilter{}, core.PageRequest{Limit: rowsMax})
	if err != nil {
		w.wrong("read payments: %v", err)
	}
	return page.Items
}

// onPayment does something to a payment that is of a status, where there is one.
func (w *world) onPayment(do func(core.Payment), statuses ...core.PaymentStatus) func() {
	return func() {
		var fit []core.Payment
		for _, p := range w.payments() {
			for _, status := range statuses {
				if p.Status == status {
					fit = append(fit, p)
				}
			}
		}
		if len(fit) > 0 {
			do(fit[w.rng.IntN(len(fit))])
		}
	}
}

// onCheckout does something to a checkout, mostly one of the last.
func (w *world) onCheckout(do func(core.CheckoutID)) func() {
	return func() {
		if n := len(w.shop.checkouts); n > 0 {
			do(w.shop.checkouts[n-1-w.rng.IntN(min(n, 1+w.rng.IntN(n)))])
		}
	}
}
