package coretest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/ports"
)

// ErrCrashed is what a process that died gives its callers, if it could.
var ErrCrashed = errors.New("the process died")

// Store keeps jobs to itself, for the test to have them done, and dies on command.
type Store struct {
	ports.Store
	clock *Clock

	mu      sync.Mutex
	jobs    []waiting
	failed  []ports.Job // given up
	crashes []crash
	before  func(ctx context.Context)
}

type waiting struct {
	job   ports.Job
	due   time.Time
	tries int
}

type crash uint8

const (
	noCrash crash = iota
	crashBefore
	crashAfter
)

// NewStore wraps a store.
func NewStore(store ports.Store, clock *Clock) *Store { return &Store{Store: store, clock: clock} }

// CrashNext makes the transaction after skip others fail with [ErrCrashed]: before
// anything is stored, or once all is.
func (s *Store) CrashNext(skip int, afterCommit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashes = make([]crash, skip, skip+1)
	kind := crashBefore
	if afterCommit {
		kind = crashAfter
	}
	s.crashes = append(s.crashes, kind)
}

// CrashNever takes back what [Store.CrashNext] said.
func (s *Store) CrashNever() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashes = nil
}

// BeforeNextTx has fn called once, before the next transaction begins.
func (s *Store) BeforeNextTx(fn func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = fn
}

func (s *Store) begin() (crash, func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.before
	s.before = nil
	next := noCrash
	if len(s.crashes) > 0 {
		next, s.crashes = s.crashes[0], s.crashes[1:]
	}
	return next, before
}

// InTx implements [ports.Store].
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context, tx ports.Tx) error) error {
	crash, before := s.begin()
	if before != nil {
		before(ctx)
	}
	var jobs []ports.Job
	err := s.Store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		jobs = nil // the transaction may run again
		if err := fn(ctx, capturing{Tx: tx, jobs: &jobs}); err != nil {
			return err
		}
		if crash == crashBefore {
			return ErrCrashed
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	now := s.clock.Now()
	for _, job := range jobs {
		s.jobs = append(s.jobs, waiting{job: job, due: now.Add(job.Delay)})
	}
	s.mu.Unlock()
	if crash == crashAfter {
		return ErrCrashed
	}
	return nil
}

type capturing struct {
	ports.Tx
	jobs *[]ports.Job
}

// Enqueue implements [ports.Tx].
func (c capturing) Enqueue(_ context.Context, jobs ...ports.Job) error {
	*c.jobs = append(*c.jobs, jobs...)
	return nil
}

// Jobs gives the jobs of a kind that wait, due or not.
func (s *Store) Jobs(kind ports.JobKind) []ports.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []ports.Job
	for _, waiting := range s.jobs {
		if waiting.job.Kind == kind {
			of = append(of, waiting.job)
		}
	}
	return of
}

// GivenUp gives the jobs whose last try failed.
func (s *Store) GivenUp() []ports.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]ports.Job(nil), s.failed...)
}

// RetryGivenUp puts the jobs back whose last try failed, as an operator does.
func (s *Store) RetryGivenUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, job := range s.failed {
		s.jobs = append(s.jobs, waiting{job: job, due: s.clock.Now()})
	}
	s.failed = nil
}

// take removes the oldest job that is due.
func (s *Store) take() (waiting, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for i, w := range s.jobs {
		if !w.due.After(now) {
			s.jobs = append(s.jobs[:i:i], s.jobs[i+1:]...)
			return w, true
		}
	}
	return waiting{}, false
}

// next is when the next job is due.
func (s *Store) next() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var soonest time.Time
	for _, w := range s.jobs {
		if soonest.IsZero() || w.due.Before(soonest) {
			soonest = w.due
		}
	}
	return soonest, len(s.jobs) > 0
}

const (
	// triesMax is how often a job runs before it is given up.
	triesMax = 6
	// pauseLeast is the pause after a job's first failure; each next is twice as long.
	pauseLeast = 10 * time.Second
	// jobRunsMax is more than any test needs: jobs that make each other forever end here.
	jobRunsMax = 2000
)

// RunDue does the jobs that are due, one after another, until none is, and then delivers the
// notifications that are due. Those that fail wait for their next try.
func (h *House) RunDue() {
	h.t.Helper()
	h.runJobs()
	require.NoError(h.t, h.Notify.DeliverDue(h.t.Context()))
}

func (h *House) runJobs() {
	h.t.Helper()
	handlers := h.Handlers()
	for range jobRunsMax {
		w, ok := h.Store.take()
		if !ok {
			return
		}
		w.tries++
		job := w.job
		job.Delay, job.LastTry = 0, w.tries == triesMax
		err := handlers[job.Kind](h.t.Context(), job)
		if err == nil {
			continue
		}
		h.Store.mu.Lock()
		if job.LastTry || errors.Is(err, ports.ErrJobGivenUp) {
			h.Store.failed = append(h.Store.failed, job)
		} else {
			w.due = h.Clock.Now().Add(pauseLeast << w.tries)
			h.Store.jobs = append(h.Store.jobs, w)
		}
		h.Store.mu.Unlock()
	}
	h.t.Fatal("jobs come to no end")
}

// Sweep goes once over all that is not settled, as it is done every so often.
func (h *House) Sweep() {
	h.t.Helper()
	for _, kind := range []ports.JobKind{ports.JobSweepOperations, ports.JobSweepObjects, ports.JobSweepEvents} {
		require.NoError(h.t, h.Handlers()[kind](h.t.Context(), ports.Job{Kind: kind, LastTry: true}), kind)
	}
}

// LoseJobs loses all jobs, as if nothing had ever remembered them.
func (h *House) LoseJobs() {
	h.Store.mu.Lock()
	defer h.Store.mu.Unlock()
	h.Store.jobs, h.Store.failed = nil, nil
}

// RunAll does all jobs and delivers all notifications, moving the clock ahead to when each is
// due.
func (h *House) RunAll() {
	h.t.Helper()
	for range jobRunsMax {
		h.RunDue()
		due, ok := h.Store.next()
		told, waits, err := h.Notify.NextDue(h.t.Context())
		require.NoError(h.t, err)
		if waits && (!ok || told.Before(due)) {
			due, ok = told, true
		}
		if !ok {
			return
		}
		h.Clock.Advance(max(due.Sub(h.Clock.Now()), 0))
	}
	h.t.Fatal("jobs come to no end")
}
