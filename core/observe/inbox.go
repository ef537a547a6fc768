package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Inbox stores what providers told us and has each message's object looked at.
type Inbox struct {
	store    ports.Store
	observer ports.Observer
	clock    ports.Clock
	ids      ports.IDs
	record   *record.Recorder
}

// NewInbox makes an inbox.
func NewInbox(store ports.Store, observer ports.Observer, clock ports.Clock, ids ports.IDs, recorder *record.Recorder) *Inbox {
	return &Inbox{store: store, observer: observer, clock: clock, ids: ids, record: recorder}
}

// Accept stores a batch of deliveries, each event once, with a job for each new one that
// concerns something we keep, in one transaction. It is a [ports.AcceptDeliveries].
func (i *Inbox) Accept(ctx context.Context, batch []core.Delivery) error {
	_, err := i.AcceptNew(ctx, batch)
	return err
}

// AcceptNew is Accept, and tells how many of the batch were not known.
func (i *Inbox) AcceptNew(ctx context.Context, batch []core.Delivery) (count int, err error) {
	events := make([]core.InboundEvent, len(batch))
	jobs := make(map[core.InboundID]ports.Job, len(batch))
	for n, delivery := range batch {
		events[n] = core.NewInboundEvent(core.NewID[core.InboundID](i.ids.UUID()), delivery)
		if events[n].Status == core.InboundReceived {
			jobs[events[n].ID] = ports.Job{Kind: ports.JobSyncInbound, Inbound: events[n].ID, Trace: delivery.Trace}
		}
	}
	err = i.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		stored, err := tx.AcceptInbound(ctx, events)
		if err != nil {
			return err
		}
		count = len(stored)
		fresh := make([]ports.Job, 0, len(stored))
		for _, id := range stored {
			if job, ok := jobs[id]; ok {
				fresh = append(fresh, job)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		return tx.Enqueue(ctx, fresh...)
	})
	if err != nil {
		return 0, fmt.Errorf("accept %d deliveries: %w", len(batch), err)
	}
	return count, nil
}

// Process looks at the object that a stored event names. It is the handler of
// [ports.JobSyncInbound]. One whose provider gives no answer is never given up: it waits, however
// long that takes, since what it tells of may be known from nowhere else.
func (i *Inbox) Process(ctx context.Context, job ports.Job) error {
	event, err := i.store.Inbound(ctx, job.Inbound)
	if err != nil {
		return fmt.Errorf("process %s: %w", job.Inbound, err)
	}
	if event.Status != core.InboundReceived {
		return nil
	}
	cause := core.Cause{Kind: core.CauseWebhook, Inbound: event.ID}
	_, err = i.observer.Sync(ctx, event.Ref, cause)
	if err == nil || !job.LastTry || unanswered(err) {
		return err
	}
	note := "given up: " + plainReason(err)
	failed := i.store.InTx(context.WithoutCancel(ctx), func(ctx context.Context, tx ports.Tx) error {
		return tx.SetInboundStatus(ctx, event.ID, core.InboundFailed, note, i.clock.Now())
	})
	return errors.Join(err, failed)
}

// Replay has a stored event's object looked at again, whatever became of it before. An
// event of a type that concerns nothing we keep cannot be replayed.
func (i *Inbox) Replay(ctx context.Context, id core.InboundID) (core.InboundEvent, error) {
	event, err := i.PreviewReplay(ctx, id)
	if err != nil {
		return event, fmt.Errorf("replay %s: %w", id, err)
	}
	before := event.Status
	event.Status, event.Note, event.ProcessedAt = core.InboundReceived, "", time.Time{}
	err = i.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.SetInboundStatus(ctx, id, event.Status, "", i.clock.Now()); err != nil {
			return err
		}
		if err := i.record.Acted(ctx, tx, record.Change{
			Subject: string(id), Before: core.AuditState{"status": before}, After: core.AuditState{"status": event.Status},
		}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncInbound, Inbound: id})
	})
	return event, err
}

// PreviewReplay gives the event that [Inbox.Replay] would take up. Errors are those of its checks.
func (i *Inbox) PreviewReplay(ctx context.Context, id core.InboundID) (core.InboundEvent, error) {
	event, err := i.store.Inbound(ctx, id)
	if err == nil && event.Ref.IsZero() {
		err = &core.InvalidError{Fields: []core.FieldError{{Field: "eventId", Message: "names an event of a type that concerns nothing kept here"}}}
	}
	return event, err
}

// unanswered reports whether a look came to nothing for want of an answer, rather than by one.
func unanswered(err error) bool {
	lost, ok := errors.AsType[*core.ProviderError](err)
	return ok && (lost.Class == core.ClassRetryable || lost.Class == core.ClassUnknown)
}

// plainReason is an error in words for staff: the provider's class and code, or that
// something inside went wrong.
func plainReason(err error) string {
	if refused, ok := errors.AsType[*core.ProviderError](err); ok {
		return "provider: " + refused.Class.String() + " " + refused.Foreign
	}
	return "internal error"
}
