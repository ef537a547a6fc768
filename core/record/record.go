// Package record writes down what must be committed together with a change: the event
// that tells of it, the notifications of storefronts that want it, and the line in the
// payment's history. Services share it so that each of these has one form.
package record

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// Recorder writes into the transactions of services.
type Recorder struct {
	clock  ports.Clock
	ids    ports.IDs
	url    core.PublicURL
	traces ports.TraceIDs
}

// New makes a recorder. url is for the addresses in published objects.
func New(clock ports.Clock, ids ports.IDs, url core.PublicURL, traces ports.TraceIDs) *Recorder {
	return &Recorder{clock: clock, ids: ids, url: url, traces: traces}
}

// Payment tells storefronts of a payment's status.
func (r *Recorder) Payment(ctx context.Context, tx ports.Tx, p core.Payment) error {
	return r.tell(ctx, tx, p.Status.Event(), string(p.ID), view.OfPayment(p))
}

// Expiring tells storefronts that what a payment holds runs out soon.
func (r *Recorder) Expiring(ctx context.Context, tx ports.Tx, p core.Payment) error {
	return r.tell(ctx, tx, core.EventPaymentExpiring, string(p.ID), view.OfPayment(p))
}

// Refund tells storefronts of a refund's status.
func (r *Recorder) Refund(ctx context.Context, tx ports.Tx, refund core.Refund) error {
	return r.tell(ctx, tx, refund.Status.Event(), string(refund.ID), view.OfRefund(refund))
}

// Dispute tells storefronts of what happened to a dispute.
func (r *Recorder) Dispute(ctx context.Context, tx ports.Tx, kind core.EventType, d core.Dispute) error {
	return r.tell(ctx, tx, kind, string(d.ID), view.OfDispute(d))
}

// Subscription tells storefronts of what happened to a subscription.
func (r *Recorder) Subscription(ctx context.Context, tx ports.Tx, kind core.EventType, s core.Subscription) error {
	return r.tell(ctx, tx, kind, string(s.ID), view.OfSubscription(s))
}

// Invoice tells storefronts of what happened to an invoice.
func (r *Recorder) Invoice(ctx context.Context, tx ports.Tx, kind core.EventType, i core.Invoice) error {
	return r.tell(ctx, tx, kind, string(i.ID), view.OfInvoice(i))
}

// Checkout tells storefronts of what happened to a checkout.
func (r *Recorder) Checkout(ctx context.Context, tx ports.Tx, kind core.EventType, c core.Checkout) error {
	return r.tell(ctx, tx, kind, string(c.ID), view.OfCheckout(c, r.url.CheckoutPage(c.ID), r.clock.Now()))
}

func (r *Recorder) tell(ctx context.Context, tx ports.Tx, kind core.EventType, subject string, shape any) error {
	event, err := tx.AppendEvent(ctx, core.Event{
		ID: core.NewID[core.EventID](r.ids.UUID()), Type: kind, Subject: subject,
		Data: view.JSON(shape), OccurredAt: r.clock.Now(),
	})
	if err != nil {
		return err
	}
	endpoints, err := tx.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, endpoint := range endpoints {
		if !endpoint.Wants(kind) {
			continue
		}
		err := tx.AppendNotification(ctx, core.Notification{
			ID: core.NewID[core.NotificationID](r.ids.UUID()), Endpoint: endpoint.ID, Event: event.ID, Type: kind, Subject: subject,
			Status: core.NotificationPending, CreatedAt: event.OccurredAt,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Entry is a new line of a payment's history, with nothing moved yet.
func (r *Recorder) Entry(ctx context.Context, p core.Payment, kind core.TimelineKind, cause core.Cause) core.TimelineEntry {
	return r.SubjectEntry(ctx, string(p.ID), p.ID, string(p.Status), kind, cause)
}

// SubjectEntry is a new line that tells of an object which is no payment, with nothing moved yet.
// payment is the one whose history it belongs to, too; empty for none.
func (r *Recorder) SubjectEntry(ctx context.Context, subject string, payment core.PaymentID, status string, kind core.TimelineKind, cause core.Cause) core.TimelineEntry {
	return core.TimelineEntry{
		ID: core.NewID[core.TimelineID](r.ids.UUID()), Payment: payment, Subject: subject, Kind: kind, Cause: cause,
		From: status, To: status, TraceID: r.traces.TraceID(ctx), At: r.clock.Now(),
	}
}

// Operation is a line that tells where an operation stands. status is its subject's.
func (r *Recorder) Operation(ctx context.Context, op core.Operation, status string, cause core.Cause) core.TimelineEntry {
	entry := r.SubjectEntry(ctx, op.Subject, op.Payment, status, core.TimelineOperation, cause)
	entry.Operation, entry.Status, entry.Note = op.ID, string(op.Status), string(op.Kind)
	return entry
}

// Change is what an action did to a subject, for the audit log.
type Change struct {
	Subject       string
	Before, After core.AuditState // nil where there is nothing to show
}

// Acted adds a line to the audit log for the action of staff that is under way, and nothing where
// none is: what happens by itself, or is asked for by a storefront, stands in the history alone.
func (r *Recorder) Acted(ctx context.Context, tx ports.Tx, change Change) error {
	act := ActOf(ctx)
	if act == nil {
		return nil
	}
	before, err := shown(change.Before)
	if err != nil {
		return err
	}
	after, err := shown(change.After)
	if err != nil {
		return err
	}
	act.Note()
	return tx.AppendAudit(ctx, core.AuditEntry{
		ID: core.NewID[core.AuditID](r.ids.UUID()), Actor: act.Actor, Action: act.Action, Subject: change.Subject,
		Before: before, After: after, From: act.From, TraceID: r.traces.TraceID(ctx), At: r.clock.Now(),
	})
}

func shown(state core.AuditState) (string, error) {
	if state == nil {
		return "", nil
	}
	text, err := json.Marshal(state)
	if err != nil {
		return "", fmt.Errorf("show a state: %w", err)
	}
	return string(text), nil
}
