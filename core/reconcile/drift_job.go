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

// DriftLookEvery is how often it is looked which accounts are to be compared.
const DriftLookEvery = time.Hour

// BeginDrift is the handler of [ports.JobReconcile]: each account that was not compared for a day, or
// whose comparison stopped in the middle, gets a job of its own. The first comes a day after the
// account's first backfill.
func (s *Service) BeginDrift(ctx context.Context, _ ports.Job) error {
	runs, err := s.store.DriftRuns(ctx)
	if err != nil {
		return fmt.Errorf("begin to reconcile: %w", err)
	}
	cursors, err := s.store.BackfillCursors(ctx)
	if err != nil {
		return fmt.Errorf("begin to reconcile: %w", err)
	}
	now := s.clock.Now()
	var jobs []ports.Job
	for _, account := range s.Accounts() {
		run := slices.IndexFunc(runs, func(r core.DriftRun) bool { return r.Account == account })
		walked := slices.IndexFunc(cursors, func(c core.BackfillCursor) bool { return c.Account == account })
		due := walked >= 0 && now.Sub(cursors[walked].CreatedAt) >= core.DriftEvery
		if run >= 0 {
			due = runs[run].EndedAt.IsZero() || now.Sub(runs[run].StartedAt) >= core.DriftEvery
		}
		if due {
			jobs = append(jobs, ports.Job{Kind: ports.JobReconcileAccount, Subject: string(account)})
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	if err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.Enqueue(ctx, jobs...) }); err != nil {
		return fmt.Errorf("begin to reconcile: %w", err)
	}
	return nil
}

// ContinueDrift is the handler of [ports.JobReconcileAccount]: it begins a comparison, or goes on with
// the one that is not through. Where its time is over before that, another job goes on.
func (s *Service) ContinueDrift(ctx context.Context, job ports.Job) error {
	account := core.AccountName(job.Subject)
	if err := s.configured(account); err != nil {
		return fmt.Errorf("reconcile %s: %w: %w", account, err, ports.ErrJobGivenUp)
	}
	err := s.continueDrift(ctx, account)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeMax)
		defer cancel()
		return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			return tx.Enqueue(ctx, ports.Job{Kind: ports.JobReconcileAccount, Subject: job.Subject})
		})
	}
	if err != nil {
		return fmt.Errorf("reconcile %s: %w", account, err)
	}
	return nil
}

func (s *Service) continueDrift(ctx context.Context, account core.AccountName) (err error) {
	l, ok, err := s.take(ctx, driftLease(account), false)
	if err != nil || !ok {
		return err
	}
	defer func() { err = errors.Join(err, l.release(ctx)) }()
	runs, err := s.store.DriftRuns(ctx)
	if err != nil {
		return err
	}
	c := &comparison{Service: s, lease: l, provider: s.providers[account], run: s.newRun(account, s.clock.Now().Add(-core.DriftPeriod))}
	at := slices.IndexFunc(runs, func(r core.DriftRun) bool { return r.Account == account && r.EndedAt.IsZero() })
	// What stopped days ago is begun anew: its period is long over.
	if at >= 0 && c.run.StartedAt.Sub(runs[at].StartedAt) < core.DriftEvery {
		c.run = runs[at]
		c.run.Status = core.DriftRunning
		err = c.recall(ctx)
	} else {
		err = c.start(ctx)
	}
	if err != nil {
		return err
	}
	failed, err := c.through(ctx)
	return errors.Join(failed, err)
}
