package simtest

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
)

// face is what of an object a provider tells about when it changes.
type face struct {
	status, foreign string
	sums            [3]int64
	flags           [4]bool
	more            string
	due             time.Time
}

// letter is a webhook on its way.
type letter struct {
	delivery core.Delivery
	due      time.Time
	copies   int  // how often it still arrives
	lost     bool // for good; its provider may list it
	at       bool // the process is taking it
}

// name is the letter's own among those of all accounts.
func (l *letter) name() string { return string(l.delivery.Account) + " " + l.delivery.ProviderEventID }

// listen has a provider tell of all that changed there since it was last asked.
func (w *world) listen(account core.AccountName) {
	all := w.fake(account).Everything()
	for _, p := range all.Payments {
		kind, id := core.ObjectPayment, p.Ref.ID
		if id == "" {
			kind, id = core.ObjectSession, p.Session
		}
		w.saw(account, kind, id, face{
			status: string(p.Status), foreign: p.ForeignStatus, sums: [3]int64{p.Authorized.Minor(), p.Captured.Minor(), p.Refunded.Minor()},
			flags: [4]bool{p.Payable, p.Confirmable, p.Disputed},
		})
	}
	for _, r := range all.Refunds {
		w.saw(account, core.ObjectRefund, r.Ref.ID, face{status: string(r.Status), foreign: r.ForeignStatus})
	}
	for _, d := range all.Disputes {
		w.saw(account, core.ObjectDispute, d.Ref.ID, face{
			status: string(d.Status), foreign: d.ForeignStatus, sums: [3]int64{d.Withdrawn.Minor(), d.Reinstated.Minor()}, due: d.DueAt,
		})
	}
	for _, m := range all.Methods {
		kind, id := core.ObjectMethod, m.Ref.ID
		if id == "" {
			kind, id = core.ObjectSetup, m.Setup
		}
		w.saw(account, kind, id, face{status: string(m.Status), foreign: m.ForeignStatus, flags: [4]bool{m.Confirmable}})
	}
	for _, s := range all.Subscriptions {
		w.saw(account, core.ObjectSubscription, s.Ref.ID, face{
			status: string(s.Status), foreign: s.ForeignStatus, sums: [3]int64{s.Quantity, int64(s.FailedAttempts), s.Amount.Minor()},
			flags: [4]bool{s.CancelAtPeriodEnd}, more: s.Price + " " + s.PendingPrice, due: s.CurrentPeriodEnd,
		})
	}
	for _, i := range all.Invoices {
		w.saw(account, core.ObjectInvoice, i.Ref.ID, face{status: string(i.Status), foreign: i.ForeignStatus, sums: [3]int64{i.AmountPaid.Minor(), int64(i.Attempts)}})
	}
}

// saw sends a letter about an object that is not as it was.
func (w *world) saw(account core.AccountName, kind core.ObjectKind, id string, now face) {
	ref := core.ProviderRef{Account: account, Kind: kind, ID: id}
	if before, known := w.faces[ref]; known && before == now || id == "" {
		return
	}
	w.faces[ref] = now
	l := &letter{copies: 1, due: w.house.Clock.Now(), delivery: w.fake(account).Happen(string(kind)+".updated", ref)}
	l.delivery.ReceivedAt = w.house.Clock.Now()
	if w.mood.faulty {
		switch chance := w.rng.Float64(); {
		case chance < w.mood.drops:
			l.lost = true
		case chance < w.mood.drops+w.mood.doubles:
			l.copies = 2 + w.rng.IntN(2)
		}
		if w.rng.Float64() < w.mood.delays {
			l.due = l.due.Add(w.delay())
		}
	}
	w.trace.add("letter %s: %s %s %s lost=%t copies=%d", l.name(), kind, id, now.status, l.lost, l.copies)
	w.wire = append(w.wire, l)
}

// deliver has the process take some letters that are due, which arrive in any order.
func (w *world) deliver() bool {
	var due []*letter
	for _, l := range w.wire {
		if !l.lost && !l.at && l.copies > 0 && !l.due.After(w.house.Clock.Now()) {
			due = append(due, l)
		}
	}
	if len(due) == 0 {
		return false
	}
	w.rng.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	batch := due[:1+w.rng.IntN(min(len(due), batchMax))]
	deliveries := make([]core.Delivery, len(batch))
	names := make([]string, len(batch))
	for n, l := range batch {
		l.at, deliveries[n], names[n] = true, l.delivery, l.name()
	}
	free := func() {
		for _, l := range batch {
			l.at = false
		}
	}
	inbox := w.house.Inbox
	w.run(fmt.Sprintf("letters %v", names), func(ctx context.Context) string {
		err := inbox.Accept(ctx, deliveries)
		free()
		if err != nil {
			return err.Error() // a provider tells until it is heard
		}
		for _, l := range batch {
			l.copies--
			w.heard[l.name()] = true
		}
		return "taken"
	}, free)
	return true
}

// onTheWay counts the letters that still have to arrive.
func (w *world) onTheWay() int {
	count := 0
	for _, l := range w.wire {
		if !l.lost && l.copies > 0 {
			count++
		}
	}
	return count
}
