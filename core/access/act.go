package access

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// NothingDone writes down an action of staff that is under way and had nothing left to do, so that
// every one of them is in the audit log.
func (s *Service) NothingDone(ctx context.Context, act *record.Act, subject string) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return tx.AppendAudit(ctx, core.AuditEntry{
			ID: core.NewID[core.AuditID](s.ids.UUID()), Actor: act.Actor, Action: act.Action, Subject: subject,
			Detail: "there was nothing left to do", From: act.From, TraceID: s.traces.TraceID(ctx), At: s.clock.Now(),
		})
	})
}
