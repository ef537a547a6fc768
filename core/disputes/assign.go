package disputes

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// Assign makes a dispute a member of staff's task, or nobody's where owner is empty. Whoever had it has
// it no more.
//
// Errors: [ports.ErrNotFound]; a *[core.InvalidError] where the owner is not known, is disabled, or may
// not answer disputes.
func (s *Service) Assign(ctx context.Context, id core.DisputeID, owner core.StaffID) (dispute core.Dispute, err error) {
	if err := s.mayOwn(ctx, owner); err != nil {
		return dispute, err
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if dispute, err = tx.LockDispute(ctx, id); err != nil || dispute.Owner == owner {
			return err
		}
		before := dispute.Owner
		dispute.Owner, dispute.UpdatedAt = owner, s.clock.Now()
		if dispute, err = tx.UpdateDispute(ctx, dispute); err != nil {
			return err
		}
		return s.record.Acted(ctx, tx, record.Change{
			Subject: string(id), Before: core.AuditState{"owner": before}, After: core.AuditState{"owner": owner},
		})
	})
	if err != nil {
		return dispute, fmt.Errorf("assign %s: %w", id, err)
	}
	return dispute, nil
}

// PreviewAssign gives the dispute that [Service.Assign] would change. Errors are those of its checks.
func (s *Service) PreviewAssign(ctx context.Context, id core.DisputeID, owner core.StaffID) (core.Dispute, error) {
	if err := s.mayOwn(ctx, owner); err != nil {
		return core.Dispute{}, err
	}
	return s.store.Dispute(ctx, id)
}

func (s *Service) mayOwn(ctx context.Context, owner core.StaffID) error {
	if owner == "" {
		return nil
	}
	staff, err := s.store.StaffByID(ctx, owner)
	switch {
	case errors.Is(err, ports.ErrNotFound), err == nil && !staff.DisabledAt.IsZero():
		return invalid("ownerId", "must be that of a member of staff who may sign in")
	case err == nil && !staff.Role.Includes(core.RoleFinance):
		return invalid("ownerId", "must be that of somebody who may answer disputes: FINANCE or ADMIN")
	}
	return err
}
