package repair

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Operation settles an operation whose outcome is not known: by the same key while the provider keeps
// it, by a look after that. What cannot be settled stays unknown, for staff; trying in vain never
// makes it failed. An operation that is still open is an error, so that the job runs again; one that
// waits for staff is [ports.ErrJobGivenUp], since the sweep goes on with it. It is the handler of
// [ports.JobRepairOperation].
func (s *Service) Operation(ctx context.Context, job ports.Job) error {
	op, err := s.store.Operation(ctx, job.Operation)
	if err != nil {
		return fmt.Errorf("repair %s: %w", job.Operation, err)
	}
	by, err := s.sender(op)
	if err != nil {
		return fmt.Errorf("repair %s: %w", op.ID, err)
	}
	if op.Status.Settled() {
		if late, ok := by.(calls.CatcherUp); ok {
			if err := late.CatchUp(ctx, op); err != nil {
				return fmt.Errorf("repair %s: look at what it did: %w", op.ID, err)
			}
		}
		return nil
	}
	if op.Confirmed() {
		if err := s.conclude(ctx, op); err != nil {
			return fmt.Errorf("record what was confirmed of %s: %w", op.ID, err)
		}
		return nil
	}
	op, err = s.calls.Resume(ctx, op, by, core.Cause{Kind: core.CauseRepair})
	switch {
	case op.ForStaff():
		return fmt.Errorf("repair %s: waits for staff: %s: %w", op.ID, op.GivenUp, errors.Join(err, ports.ErrJobGivenUp))
	case err != nil:
		return fmt.Errorf("repair %s: %w", op.ID, err)
	case !op.Status.Settled():
		return fmt.Errorf("repair %s: outcome is not known yet", op.ID)
	}
	return nil
}

func (s *Service) sender(op core.Operation) (calls.Sender, error) {
	by, ok := s.senders[op.Kind]
	if !ok {
		return nil, fmt.Errorf("kind %q is sent by nobody: %w", op.Kind, ports.ErrJobGivenUp)
	}
	return by, nil
}

func (s *Service) lookOperation(ctx context.Context, id string) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	op, err := s.store.Operation(ctx, core.OperationID(id))
	if err != nil {
		return err
	}
	if op.Confirmed() {
		if err = s.conclude(ctx, op); err == nil {
			return nil
		}
	} else if by, senderErr := s.sender(op); senderErr != nil {
		err = senderErr
	} else {
		op, err = s.calls.Resume(ctx, op, by, core.Cause{Kind: core.CauseRepair})
	}
	if !op.Status.Settled() && !op.LookAt().After(s.clock.Now()) {
		// Not even asking came about: the next look is later all the same.
		_, noteErr := s.calls.Looked(ctx, op.ID)
		err = errors.Join(err, noteErr)
	}
	return away(err)
}
