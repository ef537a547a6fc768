package calls

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// unansweredAfter is the age at which an operation waits for staff whose provider gives no usable
	// answer, also while its key is kept. It is asked for all the same.
	unansweredAfter = 24 * time.Hour
	// shownAfter is how long after a call a look at its object surely shows what it did.
	shownAfter = 5 * time.Minute
)

// why is the reason for which an operation waits for staff that is open after it was asked for; empty
// while it need not. err is what asking came to.
func (d *Desk) why(op core.Operation, err error) core.GivenUp {
	old := d.clock.Now().Sub(op.CreatedAt) >= unansweredAfter
	provider, configured := d.providers[op.Account]
	_, answered := errors.AsType[*core.ProviderError](err)
	switch {
	case !configured && old:
		return core.GivenUpNoAccount
	case !configured:
		return ""
	case err == nil && d.Forgotten(op, provider) && d.shown(op):
		return core.GivenUpNotFound
	case old && (err == nil || answered):
		return core.GivenUpUnanswered
	case old:
		return core.GivenUpInternal
	}
	return ""
}

// giveUp hands an open operation to staff, with a line that tells what was tried. It stays open, and
// is settled by whatever shows it later.
func (d *Desk) giveUp(ctx context.Context, before core.Operation, why core.GivenUp) (op core.Operation, err error) {
	err = d.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if before.Payment != "" { // whose line it is; locked first, as everywhere
			if _, err := tx.LockPayment(ctx, before.Payment); err != nil {
				return err
			}
		}
		if op, err = tx.LockOperation(ctx, before.ID); err != nil {
			return err
		}
		next := op.GiveUp(why, d.clock.Now())
		if next.GivenUp == op.GivenUp {
			return nil
		}
		if op, err = tx.UpdateOperation(ctx, next); err != nil {
			return err
		}
		entry := d.record.Operation(ctx, op, "", core.Cause{Kind: core.CauseRepair})
		entry.Reason = core.ReasonForStaff
		entry.Note = fmt.Sprintf("%s: %s; sent %d times under the same key, last at %s", op.Kind, why, op.Attempts, op.SentAt.Format(time.RFC3339))
		return tx.AppendTimeline(ctx, entry)
	})
	if err != nil {
		return op, fmt.Errorf("give %s up: %w", before.ID, err)
	}
	return op, nil
}

// shown reports whether an operation was last sent so long ago that a look surely shows what it did.
func (d *Desk) shown(op core.Operation) bool { return d.clock.Now().Sub(op.SentAt) >= shownAfter }
