package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// NothingDone writes down an action of staff that is under way and had nothing left to do, so that
// every one of them is in the audit log.
func (s *Service) NothingDone(ctx context.Context, act *record.Act, subject string) error {
	ctx = record.WithAct(ctx, act)
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return s.audit(ctx, tx, act.Actor, act.Action, subject, "there was nothing left to do")
	})
}

// Exported writes down that a member of staff asked for all of something.
func (s *Service) Exported(ctx context.Context, subject string, what core.AuditState) error {
	after, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("show an export: %w", err)
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		act := record.ActOf(ctx)
		if act == nil {
			return errors.New("an export is an action of staff")
		}
		entry := s.entry(ctx, act.Actor, act.Action, subject, "")
		entry.After = string(after)
		return tx.AppendAudit(ctx, entry)
	})
}

// Downloaded writes down that a member of staff fetched it.
func (s *Service) Downloaded(ctx context.Context, staff core.StaffID, subject, from string) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return s.auditFrom(ctx, tx, string(staff), "export.download", subject, "", from)
	})
}
