package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// BackfillEvery is how often each account is walked through.
	BackfillEvery = 2 * time.Minute
	// lateShare is the part of a list's lateness that is waited for between two walks: a list that is
	// hours late need not be read every few minutes.
	lateShare = 12
	// pagesMax bounds the pages of one window; a list that goes on has no end.
	pagesMax = 20_000
	// windowsMax bounds the windows of one run.
	windowsMax = 1_000
)

// Begin is the handler of [ports.JobBackfill]: each account is walked through by a job of its own,
// so that none waits for another.
func (s *Service) Begin(ctx context.Context, _ ports.Job) error {
	jobs := make([]ports.Job, 0, len(s.providers))
	for _, account := range s.Accounts() {
		jobs = append(jobs, ports.Job{Kind: ports.JobBackfillAccount, Subject: string(account)})
	}
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.Enqueue(ctx, jobs...) })
	if err != nil {
		return fmt.Errorf("begin the backfill: %w", err)
	}
	return nil
}

// Continue is the handler of [ports.JobBackfillAccount]. Where its time is over before it is
// through, another job goes on.
func (s *Service) Continue(ctx context.Context, job ports.Job) error {
	account := core.AccountName(job.Subject)
	if err := s.configured(account); err != nil {
		return fmt.Errorf("backfill %s: %w: %w", account, err, ports.ErrJobGivenUp)
	}
	runs, err := s.backfill(ctx, account, time.Time{}, false)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeMax)
		defer cancel()
		return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			return tx.Enqueue(ctx, ports.Job{Kind: ports.JobBackfillAccount, Subject: job.Subject})
		})
	}
	for _, run := range runs {
		if run.Status == core.BackfillFailed {
			err = errors.Join(err, fmt.Errorf("%s: %w", run.Stream, run.Err))
		}
	}
	if err != nil {
		return fmt.Errorf("backfill %s: %w", account, err)
	}
	return nil
}

// Backfill walks through all streams of an account now, also where another run is at it, and gives
// what it found of each. With since it begins at that time where that is earlier than what was
// taken; zero for no more than what is new. A stream that failed is no error: its status says so.
func (s *Service) Backfill(ctx context.Context, account core.AccountName, since time.Time) ([]core.BackfillRun, error) {
	if err := s.configured(account); err != nil {
		return nil, err
	}
	runs, err := s.backfill(ctx, account, since, true)
	if err != nil {
		return runs, fmt.Errorf("backfill %s: %w", account, err)
	}
	return runs, nil
}

// objectStreams are the lists of objects.
var objectStreams = []struct { //nolint:gochecknoglobals // a constant list
	name core.BackfillStream
	kind core.ObjectKind
}{
	{core.BackfillPayments, core.ObjectPayment},
	{core.BackfillRefunds, core.ObjectRefund},
	{core.BackfillDisputes, core.ObjectDispute},
	{core.BackfillSubscriptions, core.ObjectSubscription},
}

// kept reports whether objects of a kind are kept here for an account.
func kept(can ports.Capabilities, kind core.ObjectKind) bool {
	switch kind {
	case core.ObjectRefund:
		return can.Refund
	case core.ObjectDispute:
		return can.Disputes != nil
	case core.ObjectSubscription:
		return can.Subscriptions != nil
	default:
		return kind == core.ObjectPayment
	}
}

// streams are what an account's provider can list.
func streams(provider ports.Provider) []core.BackfillStream {
	can := provider.Capabilities()
	var all []core.BackfillStream
	if can.EventsKept > 0 {
		all = append(all, core.BackfillEvents)
	}
	for _, stream := range objectStreams {
		if able, _ := listed(can, stream.kind); able && kept(can, stream.kind) {
			all = append(all, stream.name)
		}
	}
	return append(all, core.BackfillOpen) // last: an earlier one may ask for it
}

// lateness is how late a stream's list shows what happened.
func lateness(can ports.Capabilities, stream core.BackfillStream) time.Duration {
	if _, changed := listed(can, core.ObjectPayment); stream != core.BackfillPayments || changed {
		return 0
	}
	return can.PaymentsLag
}

// backfill walks through all streams of an account, one after the other. now says that each is
// wanted at once, whoever else is at it.
func (s *Service) backfill(ctx context.Context, account core.AccountName, since time.Time, now bool) (runs []core.BackfillRun, err error) {
	provider := s.providers[account]
	l, ok, err := s.take(ctx, "backfill:"+string(account), now)
	if err != nil || !ok {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.release(ctx)) }()
	for _, stream := range streams(provider) {
		walk := &walk{Service: s, lease: l, provider: provider, now: s.clock.Now(), late: lateness(provider.Capabilities(), stream)}
		due, err := walk.begin(ctx, account, stream, since, now)
		if err != nil {
			return runs, err
		}
		if !due {
			continue
		}
		err = walk.through(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, errTaken) {
			walk.fail(err)
			err = walk.save(ctx)
		}
		runs = append(runs, walk.run)
		if err != nil {
			return runs, err
		}
	}
	return runs, nil
}

// walk is one run through a stream.
type walk struct {
	*Service
	lease    lease
	provider ports.Provider
	late     time.Duration
	run      core.BackfillRun
	now      time.Time // when it began; what is newer is the next run's
	owed     int       // calls that the last page has made others do
	refused  error     // why objects could not be taken, though their provider answers; nil for none
}

// begin reads how far earlier runs came; false where it is too soon for another.
func (w *walk) begin(ctx context.Context, account core.AccountName, stream core.BackfillStream, since time.Time, wanted bool) (bool, error) {
	cursors, err := w.store.BackfillCursors(ctx)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(cursors, func(c core.BackfillCursor) bool { return c.Account == account && c.Stream == stream })
	switch {
	case at >= 0:
		w.run.BackfillCursor = cursors[at]
	case stream == core.BackfillOpen:
		return false, nil // nobody asked for it
	default:
		oldest, err := w.store.OldestHeld(ctx, account)
		if err != nil {
			return false, err
		}
		w.run.BackfillCursor = core.NewBackfillCursor(account, stream, oldest, w.now)
	}
	if stream == core.BackfillOpen {
		return w.run.UnderWay(), nil
	}
	if !since.IsZero() {
		w.run.BackfillCursor = w.run.Since(since)
	}
	soon := w.run.Status == core.BackfillDone && w.now.Sub(w.run.RanAt) < w.late/lateShare
	return wanted || !soon, nil
}

// through walks through all that is left of the stream. What was taken is kept whatever happens.
func (w *walk) through(ctx context.Context) error {
	if w.run.Stream == core.BackfillOpen {
		return w.throughOpen(ctx)
	}
	for range windowsMax {
		if !w.run.UnderWay() {
			more, err := w.window(ctx)
			if err != nil {
				return err
			}
			if !more {
				return w.end(ctx)
			}
		}
		if w.run.From.IsZero() {
			w.run.From = w.run.WindowFrom
		}
		w.run.Until = w.run.WindowUntil
		if err := w.pages(ctx); err != nil {
			return err
		}
	}
	return nil // the next run goes on
}

// window begins the next one; false where none is left.
func (w *walk) window(ctx context.Context) (bool, error) {
	now := w.now
	var listed time.Time // what is older is listed no more
	if w.run.Stream == core.BackfillEvents {
		listed = now.Add(-w.provider.Capabilities().EventsKept + core.BackfillSettle)
	}
	next, lost, through := w.run.Next(now, listed, w.late)
	w.run.BackfillCursor = next
	w.run.RanAt = now
	if !lost.IsZero() {
		w.run.Status = core.BackfillIncomplete
		w.run.Note = fmt.Sprintf("the provider lists no events from %s to %s any more; every open object is looked at instead",
			lost.UTC().Format(time.RFC3339), listed.UTC().Format(time.RFC3339))
		if err := w.lookAtOpen(ctx); err != nil {
			return false, err
		}
	}
	return !through, nil
}

// pages takes the pages of the window under way.
func (w *walk) pages(ctx context.Context) error {
	resumed := w.run.Page != ""
	for range pagesMax {
		if err := w.pacer.Wait(ctx, w.run.Account, 1+w.owed); err != nil {
			return err
		}
		w.owed = 0
		next, err := w.page(ctx)
		if refused, ok := errors.AsType[*core.ProviderError](err); ok && refused.Class == core.ClassInvalid && resumed {
			w.run.Page, resumed = "", false // providers' cursors do not live long: the window begins again
			continue
		}
		if err != nil {
			return err
		}
		if next != "" && next == w.run.Page {
			return fmt.Errorf("list %s: the provider's cursor stands still", w.run.Stream)
		}
		w.run.Page, resumed = next, false
		if next == "" {
			w.run.BackfillCursor = w.run.Finish()
		}
		if err := w.save(ctx); err != nil || next == "" {
			return err
		}
	}
	return fmt.Errorf("list %s: more than %d pages", w.run.Stream, pagesMax)
}

// page takes one page and gives the cursor of the next.
func (w *walk) page(ctx context.Context) (string, error) {
	if w.run.Stream == core.BackfillEvents {
		return w.events(ctx)
	}
	for _, stream := range objectStreams {
		if stream.name == w.run.Stream {
			return w.objects(ctx, stream.kind)
		}
	}
	return "", errNotListed
}

// end notes that the run got through.
func (w *walk) end(ctx context.Context) error {
	w.run.RanAt = w.clock.Now()
	if w.refused != nil {
		w.fail(w.refused)
		return w.save(ctx)
	}
	looking := false
	if w.run.Stream == core.BackfillEvents {
		var err error
		if looking, err = w.looksAtOpen(ctx); err != nil {
			return err
		}
	}
	if w.run.Status != core.BackfillIncomplete {
		w.run.Note = ""
	}
	w.run.Status = core.BackfillDone
	if looking {
		w.run.Status = core.BackfillIncomplete
	}
	w.run.SucceededAt = w.run.RanAt
	return w.save(ctx)
}

// fail notes why the run did not get through.
func (w *walk) fail(err error) {
	w.run.Status, w.run.Note, w.run.RanAt, w.run.Err = core.BackfillFailed, plain(err), w.clock.Now(), err
}

// save stores how far the run came.
func (w *walk) save(ctx context.Context) error {
	return w.lease.while(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.SaveBackfillCursor(ctx, w.run.BackfillCursor) })
}
