package cli

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/core"
)

type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Check the audit log's chain of hashes."`
}

type auditVerify struct{}

// Run reads the whole log and fails at the first line that was changed, removed or
// moved.
func (c *auditVerify) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	var sequence int64
	hash := ""
	for {
		entries, err := tools.Store.AuditLog(ctx, sequence, core.PageItemsMax)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		for _, entry := range entries {
			if err := entry.Follows(sequence, hash); err != nil {
				return fmt.Errorf("audit log: %w", err)
			}
			sequence, hash = entry.Sequence, entry.Hash
		}
	}
	r.printf("%d entries, unbroken\n", sequence)
	return nil
}
