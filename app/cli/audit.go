package cli

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/audit"
)

type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Check the audit log's chain of hashes."`
}

type auditVerify struct {
	Kept string `placeholder:"SEQUENCE:HASH" help:"What an earlier run printed as the end, kept elsewhere: must still be in the log."`
}

// Run reads the whole log and fails at the first line that was changed, removed or moved, and where
// lines are missing at the end.
func (c *auditVerify) Run(ctx context.Context, r *run) error {
	var kept core.AuditMark
	if c.Kept != "" {
		var err error
		if kept, err = core.ParseAuditMark(c.Kept); err != nil {
			return fmt.Errorf("%w: --kept %w", errUsage, err)
		}
	}
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	last, err := audit.Verify(ctx, tools.Store, kept)
	if err != nil {
		return err
	}
	r.printf("%d entries, unbroken\n", last.Sequence)
	if last.Sequence > 0 {
		r.printf("end %s\n", last)
	}
	return nil
}
