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

// driftEach is told of each object that differed, once it was tried to repair it.
type driftEach func(core.Drift) error

// Reconcile compares everything of an account that was made or changed since a time (zero for
// [core.DriftPeriod]) with its provider's records. What is missing or differs is looked at, which
// repairs it where that is safe; each is told to each, repaired or not. dryRun repairs and stores
// nothing. A run that failed is no error: its status says so, and err why.
func (s *Service) Reconcile(ctx context.Context, account core.AccountName, since time.Time, dryRun bool, each driftEach) (run core.DriftRun, failed, err error) {
	if err := s.configured(account); err != nil {
		return run, nil, err
	}
	l, ok, err := s.take(ctx, driftLease(account), true)
	if err != nil || !ok {
		return run, nil, fmt.Errorf("reconcile %s: %w", account, err)
	}
	defer func() { err = errors.Join(err, l.release(ctx)) }()
	c := &comparison{Service: s, lease: l, provider: s.providers[account], dryRun: dryRun, each: each, run: s.newRun(account, since)}
	if err := c.start(ctx); err != nil {
		return c.run, nil, fmt.Errorf("reconcile %s: %w", account, err)
	}
	failed, err = c.through(ctx)
	if err != nil {
		return c.run, nil, fmt.Errorf("reconcile %s: %w", account, err)
	}
	return c.run, failed, nil
}

func driftLease(account core.AccountName) string { return "reconcile:" + string(account) }

func (s *Service) newRun(account core.AccountName, since time.Time) core.DriftRun {
	now := s.clock.Now()
	if since.IsZero() {
		since = now.Add(-core.DriftPeriod)
	}
	return core.DriftRun{
		Account: account, Status: core.DriftRunning, From: since, Until: now.Add(-core.BackfillSettle), StartedAt: now, RanAt: now,
	}
}

// comparison is one run through all that is compared of an account.
type comparison struct {
	*Service
	lease    lease
	provider ports.Provider
	run      core.DriftRun
	dryRun   bool
	each     driftEach
	remains  []core.Drift // found since the last save
	told     map[core.ProviderRef]bool
}

// start forgets what the run before left.
func (c *comparison) start(ctx context.Context) error {
	if c.dryRun {
		return nil
	}
	return c.lease.while(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.ClearDrifts(ctx, c.run.Account); err != nil {
			return err
		}
		return tx.SaveDriftRun(ctx, c.run)
	})
}

// through goes through all steps that are left. What a provider refuses, as a list that the account
// has no permission for, does not keep the rest from being compared. failed is why the run did not get through, where the
// provider or the data are to blame; err, where it cannot be told.
func (c *comparison) through(ctx context.Context) (failed, err error) {
	steps := driftSteps(c.provider.Capabilities(), c.run.From, c.run.Until)
	for c.run.Step < len(steps) {
		err := c.step(ctx, steps[c.run.Step])
		if ctx.Err() != nil || errors.Is(err, errTaken) {
			return nil, errors.Join(err, ctx.Err())
		}
		if err != nil {
			c.run.Status, c.run.Note, c.run.RanAt = core.DriftFailed, string(steps[c.run.Step].kind)+": "+plain(err), c.clock.Now()
			failed = errors.Join(failed, err)
		}
		if err != nil && noAnswer(err) {
			return failed, c.save(ctx) // the next goes on here
		}
		c.run.Step++
		c.run.Page = ""
		if err := c.save(ctx); err != nil {
			return nil, err
		}
	}
	if c.run.RanAt = c.clock.Now(); c.run.Status == core.DriftRunning {
		c.run.Status, c.run.Note = core.DriftDone, ""
	}
	c.run.EndedAt = c.run.RanAt
	return failed, c.save(ctx)
}

// save stores how far the run came, with what it found.
func (c *comparison) save(ctx context.Context) error {
	if c.dryRun {
		return ctx.Err()
	}
	err := c.lease.while(ctx, func(ctx context.Context, tx ports.Tx) error {
		for _, drift := range c.remains {
			if err := tx.SaveDrift(ctx, drift); err != nil {
				return err
			}
		}
		return tx.SaveDriftRun(ctx, c.run)
	})
	if err == nil {
		c.remains = nil
	}
	return err
}

// check compares an object that a list showed. A list may show less than a look does, so that what
// differs is fetched before anything is said of it.
func (c *comparison) check(ctx context.Context, at sighting) error {
	switch {
	case !at.ours:
		c.run.Others++
		return nil
	case at.id != "" && len(at.differ) == 0:
		c.run.Compared++
		return nil
	}
	return c.checkOne(ctx, at.ref, at.id)
}

// checkOne fetches an object and compares it. id is ours, where it is known.
func (c *comparison) checkOne(ctx context.Context, ref core.ProviderRef, id string) error {
	seen, known, err := c.fetch(ctx, ref)
	if err != nil {
		return err
	}
	if known && !seen.ours {
		c.run.Others++
		return nil
	}
	c.run.Compared++
	drift := core.Drift{Account: ref.Account, Kind: kindOf(ref.Kind), ID: id, ForeignID: ref.ID, FoundAt: c.clock.Now()}
	switch {
	case !known:
		nothing, err := c.cameToNothing(ctx, drift)
		if err != nil || nothing {
			return err
		}
		drift.Class, drift.Note = core.DriftMissingThere, "the provider has no such object"
		return c.tell(drift)
	case seen.id == "":
		drift.Class = core.DriftMissingHere
	case len(seen.differ) > 0:
		drift.Class, drift.ID, drift.Fields = core.DriftDiffers, seen.id, seen.differ
	default:
		return nil
	}
	return c.repair(ctx, ref, drift)
}

// repair has the object looked at, and tells whether that made it equal.
func (c *comparison) repair(ctx context.Context, ref core.ProviderRef, drift core.Drift) error {
	if c.dryRun {
		drift.Note = "not tried"
		return c.tell(drift)
	}
	if err := c.pacer.Wait(ctx, ref.Account, 1); err != nil {
		return err
	}
	_, err := c.observer.Sync(ctx, ref, core.Cause{Kind: core.CauseReconcile})
	switch {
	case err != nil && (ctx.Err() != nil || noAnswer(err)):
		return err
	case err != nil:
		drift.Note = plain(err)
		return c.tell(drift)
	}
	seen, known, err := c.fetch(ctx, ref)
	if err != nil {
		return err
	}
	switch {
	case known && seen.id != "" && len(seen.differ) == 0:
		drift.Repaired = true
		drift.ID = seen.id
	case known && seen.id != "":
		drift.ID, drift.Fields, drift.Note = seen.id, seen.differ, "a look at it did not change that; staff decide"
	default:
		drift.Note = "a look at it did not find what it belongs to; staff decide"
	}
	return c.tell(drift)
}

// recall reads what the run has told already.
func (c *comparison) recall(ctx context.Context) error {
	drifts, err := c.store.Drifts(ctx)
	c.told = make(map[core.ProviderRef]bool)
	for _, drift := range drifts {
		if drift.Account == c.run.Account {
			c.told[core.ProviderRef{Account: drift.Account, Kind: drift.Kind, ID: drift.ForeignID}] = true
		}
	}
	return err
}

// tell counts a drift and passes it on, each object once.
func (c *comparison) tell(drift core.Drift) error {
	ref := core.ProviderRef{Account: drift.Account, Kind: drift.Kind, ID: drift.ForeignID}
	if c.told[ref] {
		return nil
	}
	if c.told == nil {
		c.told = make(map[core.ProviderRef]bool)
	}
	if len(c.told) < core.DriftKeptMax {
		c.told[ref] = true
	}
	if drift.Repaired {
		c.run.Repaired++
	} else {
		if c.run.Remaining++; c.run.Remaining <= core.DriftKeptMax {
			c.remains = append(c.remains, drift)
		}
	}
	if c.each == nil {
		return nil
	}
	return c.each(drift)
}

// cameToNothing reports whether what the provider does not know never was anything: an attempt to pay
// without money in it. Providers forget these.
func (c *comparison) cameToNothing(ctx context.Context, drift core.Drift) (bool, error) {
	if drift.Kind != core.ObjectPayment || drift.ID == "" {
		return false, nil
	}
	held, err := c.store.Payment(ctx, core.PaymentID(drift.ID))
	return slices.Contains([]core.PaymentStatus{core.PaymentFailed, core.PaymentCanceled, core.PaymentExpired}, held.Status) &&
		!held.AmountCaptured.IsPositive(), err
}

// noAnswer reports whether an error says that the provider does not answer at the moment.
func noAnswer(err error) bool {
	refused, ok := errors.AsType[*core.ProviderError](err)
	return ok && (refused.Class == core.ClassUnknown || refused.Class == core.ClassRetryable)
}
