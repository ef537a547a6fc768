package simtest

import (
	"encoding/json"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// agree makes sure, once everything rests, that what is stored is what the providers hold.
func (w *world) agree() {
	w.watchStore()
	rows := w.read()
	w.tallyUp(rows)
	for _, account := range accounts {
		w.agreeOnAccount(account, rows)
		w.agreeOnMethods(account, rows)
	}
	w.agreeOnCharges(rows)
	w.agreeOnOperations(rows)
	w.agreeOnCheckouts(rows)
	w.agreeOnEvents(rows)
	w.agreeOnLetters()
	w.agreeOnNotifications(rows)
}

// rows is all that is stored.
type rows struct {
	payments   []core.Payment
	refunds    map[core.ProviderRef]core.Refund
	disputes   map[core.ProviderRef]core.Dispute
	all        []core.Refund
	operations []core.Operation
	open       map[string]bool // objects with an operation of unknown outcome
	lost       map[string]bool // objects with one that was given up when its key was forgotten
	methods    []core.SavedMethod
	events     map[string][]core.Event
	told       []core.Event // all of them
}

func (w *world) read() rows {
	r := rows{
		payments: w.payments(), refunds: map[core.ProviderRef]core.Refund{}, disputes: map[core.ProviderRef]core.Dispute{},
		open: map[string]bool{}, lost: map[string]bool{}, methods: w.methods(), events: map[string][]core.Event{},
	}
	for _, p := range r.payments {
		refunds, err := w.base.PaymentRefunds(w.t.Context(), p.ID)
		w.must(err)
		r.all = append(r.all, refunds...)
		for _, refund := range refunds {
			r.refunds[refund.Ref()] = refund
		}
		disputes, err := w.base.PaymentDisputes(w.t.Context(), p.ID)
		w.must(err)
		for _, dispute := range disputes {
			r.disputes[dispute.Ref()] = dispute
		}
		operations, err := w.base.PaymentOperations(w.t.Context(), p.ID)
		w.must(err)
		r.operations = append(r.operations, operations...)
	}
	subjects := []string{string(w.shop.customer)}
	for _, m := range r.methods {
		subjects = append(subjects, string(m.ID))
	}
	for _, subject := range subjects {
		operations, err := w.base.SubjectOperations(w.t.Context(), subject)
		w.must(err)
		r.operations = append(r.operations, operations...)
	}
	for _, op := range r.operations {
		if !op.Status.Settled() {
			r.open[op.Subject] = true
		}
		if op.Failure != nil && op.Failure.ProviderCode == "key_forgotten" {
			r.lost[op.Subject] = true
		}
	}
	events, err := w.base.Events(w.t.Context(), 0, nil, eventsMax)
	w.must(err)
	r.told = events
	for _, event := range events {
		r.events[event.Subject] = append(r.events[event.Subject], event)
	}
	return r
}

// eventsMax is more events than a run makes.
const eventsMax = 1000

func (w *world) must(err error) {
	if err != nil {
		w.wrong("read what is stored: %v", err)
	}
}

// agreeOnAccount compares what is stored with what one provider holds.
func (w *world) agreeOnAccount(account core.AccountName, r rows) {
	all := w.fake(account).Everything()
	objects := map[core.PaymentID][]core.PaymentSnapshot{}
	for _, p := range all.Payments {
		objects[p.Payment] = append(objects[p.Payment], p)
	}
	for _, p := range r.payments {
		if p.Account == account {
			w.agreeOnPayment(p, objects[p.ID], r)
		}
	}
	for _, seen := range all.Refunds {
		held, known := r.refunds[seen.Ref]
		if !known {
			w.wrong("%s at %s (%s of %s) is not known here", seen.Ref.ID, account, seen.Amount, seen.Payment.ID)
		} else if held.Status != seen.Status || held.Amount != seen.Amount {
			w.wrong("%s is %s of %s, and %s is %s of %s", held.ID, held.Status, held.Amount, seen.Ref.ID, seen.Status, seen.Amount)
		}
	}
	for _, seen := range all.Disputes {
		held, known := r.disputes[seen.Ref]
		if seen.Status == core.DisputeLost && held.Status == core.DisputeAccepted {
			seen.Status = core.DisputeAccepted // we gave in as the bank decided: some providers have one word for both
		}
		if !known {
			w.wrong("%s at %s is not known here", seen.Ref.ID, account)
		} else if held.Status != seen.Status || held.Withdrawn != seen.Withdrawn || held.Reinstated != seen.Reinstated {
			w.wrong("%s is %s, and %s is %s", held.ID, held.Status, seen.Ref.ID, seen.Status)
		}
	}
}

// agreeOnPayment compares a payment with its objects at the provider.
func (w *world) agreeOnPayment(p core.Payment, objects []core.PaymentSnapshot, r rows) {
	if len(objects) > 1 {
		w.wrong("%s has %d objects at %s", p.ID, len(objects), p.Account)
	}
	if len(objects) == 0 {
		none := p.Status == core.PaymentFailed || p.Status == core.PaymentCanceled || r.open[string(p.ID)]
		if !none || p.Exists() {
			w.wrong("%s is %s, and %s has no object of it", p.ID, p.Status, p.Account)
		}
		return
	}
	seen := objects[0]
	if p.ProviderPaymentID != seen.Ref.ID || p.ProviderSessionID != seen.Session {
		w.wrong("%s is %s/%s, and the provider's is %s/%s", p.ID, p.ProviderPaymentID, p.ProviderSessionID, seen.Ref.ID, seen.Session)
	}
	// What a buyer paid of a failed attempt while it was being closed is let go unseen.
	if p.AmountAuthorized != seen.Authorized && p.Status != core.PaymentFailed || p.AmountCaptured != seen.Captured {
		w.wrong("%s holds %s and took %s, and the provider's %s and %s", p.ID, p.AmountAuthorized, p.AmountCaptured, seen.Authorized, seen.Captured)
	}
	if p.AmountRefunded != seen.Refunded {
		w.wrong("%s gave %s back, and the provider's %s", p.ID, p.AmountRefunded, seen.Refunded)
	}
	if p.Disputed && !seen.Disputed {
		w.wrong("%s is disputed, and the provider's is not", p.ID)
	}
	if agreement := w.manner(p.Account) == ports.ConfirmAfterApproval && !seen.Status.HoldsMoney(); agreement && seen.Status != core.PaymentCanceled {
		seen.Payable = false // nobody asks for it, and some providers cannot cancel it
		if p.Status == core.PaymentCanceled || p.Status == core.PaymentFailed {
			seen.Status = p.Status
		}
	}
	closed := seen.Status == core.PaymentCanceled || seen.Status == core.PaymentFailed || seen.Status == core.PaymentExpired
	switch {
	case p.Status == core.PaymentFailed && (seen.Payable || !closed):
		w.wrong("%s failed, and the provider's is %s, payable %t", p.ID, seen.Status, seen.Payable)
	case p.Status != core.PaymentFailed && p.Status != seen.Status:
		w.wrong("%s is %s, and the provider's is %s", p.ID, p.Status, seen.Status)
	}
	unclear := false // a refund of it may have been made, or not
	for _, refund := range r.all {
		unclear = unclear || refund.Payment == p.ID && r.open[string(refund.ID)]
	}
	if p.Anomaly == core.ReasonOverpaid && p.Refundable().IsPositive() && !p.Disputed && !unclear && !w.wasGivenUp(p.ID) {
		w.wrong("%s was taken a second time, and %s of it is still here", p.ID, p.Refundable())
	}
}

// wasGivenUp reports whether closing a payment was left to staff.
func (w *world) wasGivenUp(id core.PaymentID) bool {
	for _, one := range w.givenUp {
		if one.job.Kind == ports.JobClosePayment && one.job.Payment == id {
			return true
		}
	}
	return false
}

// agreeOnOperations makes sure that every operation is settled as it went, and none left alone.
func (w *world) agreeOnOperations(r rows) {
	for _, op := range r.operations {
		effects := w.fake(op.Account).EffectsOf(op.Key())
		switch op.Status {
		case core.OperationFailed:
			forgotten := op.Failure != nil && op.Failure.ProviderCode == "key_forgotten"
			if effects > 0 && !(forgotten && harmless[op.Kind]) {
				w.wrong("%s of %s failed, and had its effect", op.Kind, op.Subject)
			}
		case core.OperationSucceeded:
		case core.OperationPending, core.OperationUnknown:
			if w.house.Clock.Now().Sub(op.CreatedAt) < w.house.Accounts[op.Account].Capabilities().KeyKept {
				w.wrong("%s %s of %s is %s though its key is kept", op.ID, op.Kind, op.Subject, op.Status)
			} else if effects > 0 {
				w.wrong("%s of %s is %s, and had its effect", op.Kind, op.Subject, op.Status)
			}
			if !op.ForStaff() {
				w.wrong("%s %s of %s is %s, and nobody looks after it", op.ID, op.Kind, op.Subject, op.Status)
			}
		}
	}
}

// harmless are the operations that are given up once their key is forgotten, whatever became of them.
var harmless = map[core.OperationKind]bool{core.OpCreateCustomer: true, core.OpCreateSetup: true, core.OpConfirmSetup: true, core.OpCreatePrice: true, core.OpCreateSubscription: true}

// agreeOnCheckouts makes sure that a checkout is complete where it was paid, and once.
func (w *world) agreeOnCheckouts(r rows) {
	held := map[core.CheckoutID]int{}
	for _, p := range r.payments {
		if p.Checkout != "" && p.Status.HoldsMoney() && p.Anomaly != core.ReasonOverpaid {
			held[p.Checkout]++
		}
	}
	for _, id := range w.shop.checkouts {
		checkout, err := w.base.Checkout(w.t.Context(), id)
		w.must(err)
		completed := 0
		for _, event := range r.events[string(id)] {
			if event.Type == core.EventCheckoutCompleted {
				completed++
			}
		}
		if complete := checkout.Status == core.CheckoutComplete; complete != (completed == 1) || completed > 1 {
			w.wrong("%s is %s, and told %d times that it is complete", id, checkout.Status, completed)
		}
		if held[id] > 0 && checkout.Status != core.CheckoutComplete || held[id] > 1 {
			w.wrong("%s is %s, and %d payments hold money", id, checkout.Status, held[id])
		}
		if checkout.Status == core.CheckoutOpen && checkout.Lease == "" && !w.house.Clock.Now().Before(checkout.ExpiresAt) {
			w.wrong("%s is open after its time", id)
		}
		if checkout.Status != core.CheckoutComplete && checkout.Lease != "" && !r.open[checkout.Lease] {
			w.wrong("%s is leased to %s, which is not open", id, checkout.Lease)
		}
	}
}

// agreeOnEvents makes sure that storefronts were told of everything, once and in order.
func (w *world) agreeOnEvents(r rows) {
	for subject, events := range r.events {
		for n, event := range events {
			if n > 0 && event.Type == events[n-1].Type && string(event.Data) == string(events[n-1].Data) {
				w.wrong("%s was told twice of %s", subject, event.Type)
			}
			if n > 0 && event.Sequence <= events[n-1].Sequence {
				w.wrong("%s: event %d comes after %d", subject, event.Sequence, events[n-1].Sequence)
			}
		}
	}
	for _, p := range r.payments {
		w.lastTold(r, string(p.ID), string(p.Status))
	}
	for _, refund := range r.all {
		w.lastTold(r, string(refund.ID), string(refund.Status))
	}
	for _, dispute := range r.disputes {
		w.lastTold(r, string(dispute.ID), string(dispute.Status))
	}
}

// lastTold makes sure that the last event of an object tells of its status. One that is in its first
// status need not be told of.
func (w *world) lastTold(r rows, subject, status string) {
	events := r.events[subject]
	if len(events) == 0 {
		if status != string(core.PaymentProcessing) && status != string(core.RefundPending) {
			w.wrong("%s is %s, and nobody was told", subject, status)
		}
		return
	}
	var told struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(events[len(events)-1].Data, &told); err != nil || told.Status != status {
		w.wrong("%s is %s, and told as %s (%v)", subject, status, told.Status, err)
	}
}

// agreeOnLetters makes sure that none that was taken is lost.
func (w *world) agreeOnLetters() {
	var page core.PageRequest
	page.Limit = core.PageItemsMax
	stored := map[string]core.InboundStatus{}
	for range pagesMax {
		got, err := w.base.InboundEvents(w.t.Context(), ports.InboundFilter{}, page)
		w.must(err)
		for _, event := range got.Items {
			stored[string(event.Account)+" "+event.ProviderEventID] = event.Status
		}
		if !got.HasNext {
			break
		}
		last := got.Items[len(got.Items)-1]
		page.After = &core.Cursor{At: last.ReceivedAt, ID: string(last.ID)}
	}
	for _, l := range w.wire {
		event := l.name()
		status, known := stored[event]
		if w.heard[event] && !known {
			w.wrong("letter %s was taken, and is lost", event)
		} else if status == core.InboundReceived {
			w.wrong("letter %s was taken, and nobody looked", event)
		}
	}
}

// pagesMax is more pages of letters than a run sends.
const pagesMax = 20
