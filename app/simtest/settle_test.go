package simtest

import (
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// restTime is how long the world rests, longer than checkouts live and keys are kept, and
	// restStep how far the clock moves at once meanwhile.
	restTime = 60 * time.Hour
	restStep = 6 * time.Hour
	// backfillStep is how often the lists of providers are walked through meanwhile: it is half of the
	// work of a run otherwise.
	backfillStep = 4 * restStep
	// movesMax is more moves than coming to rest takes.
	movesMax = 20_000
)

// settle lets everything come to rest: nothing goes wrong any more, what was sent arrives, what is due
// is done, and time goes by.
func (w *world) settle() {
	w.mood.faulty = false
	w.trace.add("nothing goes wrong any more")
	w.finish()
	if w.rng.IntN(2) == 0 {
		w.loseJobs()
	}
	for _, l := range w.wire {
		l.lost = l.lost && w.house.Accounts[l.delivery.Account].Capabilities().EventsKept > 0
	}
	w.askTheRest()
	w.mendEndpoints()
	for passed := time.Duration(0); passed < restTime; passed += restStep {
		w.rest(passed%backfillStep == 0)
		w.house.Clock.Advance(restStep)
		for _, account := range accounts {
			w.fake(account).Lapse()
			w.listen(account)
		}
	}
	w.rest(true)
	for moves := 0; len(w.jobs) > 0 && moves < movesMax && len(w.wrongs) == 0; moves++ {
		next := w.jobs[0].due
		for _, j := range w.jobs {
			if j.due.Before(next) {
				next = j.due
			}
		}
		w.house.Clock.Advance(max(next.Sub(w.house.Clock.Now()), 0))
		w.drain()
		w.endRefunds()
	}
	w.mendEndpoints()
	w.drain()
	if len(w.jobs) > 0 || w.onTheWay() > 0 {
		w.wrong("no rest: %d jobs, %d letters", len(w.jobs), w.onTheWay())
	}
}

// loseJobs loses the jobs that sweeps make up for, as if nothing had ever remembered them.
func (w *world) loseJobs() {
	w.trace.add("jobs are lost")
	var kept []*waiting
	for _, j := range w.jobs {
		switch j.job.Kind {
		case ports.JobRepairOperation, ports.JobSyncInbound, ports.JobSyncRefund, ports.JobSyncSubscription, ports.JobConfirmPayment:
		default:
			kept = append(kept, j)
		}
	}
	w.jobs = kept
}

// endRefunds has what banks still work on come to its end.
func (w *world) endRefunds() {
	for _, account := range accounts {
		for _, r := range w.fake(account).Everything().Refunds {
			if r.Status == core.RefundPending {
				w.end(account, r)
			}
		}
	}
}

// rest does all that is due now, and runs every sweep, the backfill only where it is asked for.
func (w *world) rest(backfill bool) {
	w.drain()
	w.endRefunds()
	for _, kind := range sweeps {
		if kind != ports.JobBackfill || backfill {
			w.sweep(kind)
			w.finish()
		}
	}
	w.drain()
}

// drain does all that is due now. Letters that are late arrive.
func (w *world) drain() {
	now := w.house.Clock.Now()
	for _, l := range w.wire {
		if l.due.After(now) {
			l.due = now
		}
	}
	for range movesMax {
		if len(w.wrongs) > 0 || !w.deliver() && !w.work() && !w.tell() {
			return
		}
		w.finish()
	}
}

// finish lets all tasks come to their end.
func (w *world) finish() {
	for len(w.tasks) > 0 {
		w.next()
	}
}
