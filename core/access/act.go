package access

import (
	"context"

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
