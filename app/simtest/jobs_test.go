package simtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/ports"
)

const (
	// jobPauseFirst is the pause after a job's first failure; each next is twice as long, up to
	// jobPauseLongest, as in the program.
	jobPauseFirst   = time.Second
	jobPauseLongest = 30 * time.Minute
	// jobTriesMax is how often a job runs, including the first, before it is given up.
	jobTriesMax = 50
	// repairTriesMax is the same for [ports.JobRepairOperation].
	repairTriesMax = 14
)

// waiting is a job that is committed and not done.
type waiting struct {
	number int
	job    ports.Job
	due    time.Time
	tries  int
	runs   bool
}

// enqueue keeps the jobs of a transaction that was committed.
func (w *world) enqueue(jobs []ports.Job) {
	for _, job := range jobs {
		w.jobNumbers++
		w.jobs = append(w.jobs, &waiting{number: w.jobNumbers, job: job, due: w.house.Clock.Now().Add(job.Delay)})
	}
}

// name says what a job is about.
func (j *waiting) name() string {
	return fmt.Sprintf("job %d %s %s%s%s%s", j.number, j.job.Kind, j.job.Inbound, j.job.Operation, j.job.Payment, j.job.Subject)
}

func (j *waiting) triesMax() int {
	if j.job.Kind == ports.JobRepairOperation {
		return repairTriesMax
	}
	if j.job.Kind == ports.JobBackfillAccount {
		return 1 // the next walk goes on where it stopped
	}
	return jobTriesMax
}

// work has one of the jobs done that are due; false where none is.
func (w *world) work() bool {
	var due []*waiting
	for _, j := range w.jobs {
		if !j.runs && !j.due.After(w.house.Clock.Now()) {
			due = append(due, j)
		}
	}
	if len(due) == 0 {
		return false
	}
	w.do(due[w.rng.IntN(len(due))])
	return true
}

// do has a job done. A job whose process dies is done again, as if nobody had begun.
func (w *world) do(j *waiting) {
	j.runs = true
	j.tries++
	job := j.job
	job.Delay, job.LastTry = 0, j.tries >= j.triesMax()
	handler := w.handlers[job.Kind]
	w.run(j.name(), func(ctx context.Context) string {
		err := handler(ctx, job)
		j.runs = false
		switch {
		case err == nil:
			again := w.mood.faulty && w.rng.Float64() < w.mood.doubles
			if !again { // else that it is done was not written down
				w.drop(j)
			}
			return "done"
		case errors.Is(err, ports.ErrJobGivenUp) || job.LastTry:
			w.drop(j)
			w.givenUp = append(w.givenUp, givenUp{job: job, err: err})
			return "given up: " + err.Error()
		}
		j.due = w.house.Clock.Now().Add(min(jobPauseFirst<<min(j.tries-1, 30), jobPauseLongest))
		return err.Error()
	}, func() { j.runs = false; j.tries-- })
}

// givenUp is a job that nobody does any more.
type givenUp struct {
	job ports.Job
	err error
}

func (w *world) drop(j *waiting) {
	for i, other := range w.jobs {
		if other == j {
			w.jobs = append(w.jobs[:i:i], w.jobs[i+1:]...)
			return
		}
	}
}

// sweeps are the jobs that run every so often.
var sweeps = []ports.JobKind{
	ports.JobExpireCheckouts, ports.JobWatchAuthorizations, ports.JobWatchDisputes, ports.JobWatchSubscriptions,
	ports.JobSweepOperations, ports.JobSweepObjects, ports.JobSweepEvents, ports.JobBackfill,
}

// beginBackfill has the lists of providers walked through from now on.
func (w *world) beginBackfill() {
	for _, account := range accounts {
		_, err := w.house.Reconcile.Backfill(w.t.Context(), account, time.Time{})
		w.must(err)
	}
}

// sweep runs one of them.
func (w *world) sweep(kind ports.JobKind) {
	handler := w.handlers[kind]
	w.run("sweep "+string(kind), func(ctx context.Context) string {
		if err := handler(ctx, ports.Job{Kind: kind, LastTry: true}); err != nil {
			return err.Error()
		}
		return "done"
	}, nil)
}
