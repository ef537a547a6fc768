// Package audit reads the audit log as a whole: whether it is still what was written.
package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// ErrBroken means that the log is not what was written: a line was changed, removed, moved or put in,
// or its end is missing.
var ErrBroken = errors.New("audit log is broken")

// Verify reads the whole log and gives its last line's mark. Anything that is not as it was written is
// [ErrBroken]. Lines missing at the end show by the head, which is kept beside the log; where somebody
// changed both, by kept, a mark that an earlier run gave and that was kept elsewhere. The zero mark
// asks for nothing.
func Verify(ctx context.Context, store ports.Reader, kept core.AuditMark) (core.AuditMark, error) {
	// The head first: lines that are added meanwhile only make the log longer.
	head, err := store.AuditHead(ctx)
	if err != nil {
		return core.AuditMark{}, fmt.Errorf("verify audit log: %w", err)
	}
	var last core.AuditMark
	headSeen, keptSeen := head.Sequence == 0, kept.Sequence == 0
	for {
		entries, err := store.AuditLog(ctx, last.Sequence, core.PageItemsMax)
		if err != nil {
			return last, fmt.Errorf("verify audit log: %w", err)
		}
		if len(entries) == 0 {
			break
		}
		for _, entry := range entries {
			if err := entry.Follows(last.Sequence, last.Hash); err != nil {
				return last, fmt.Errorf("%w: %w", ErrBroken, err)
			}
			last = core.AuditMark{Sequence: entry.Sequence, Hash: entry.Hash}
			headSeen, keptSeen = headSeen || last == head, keptSeen || last == kept
		}
	}
	switch {
	case !headSeen:
		return last, fmt.Errorf("%w: it ends at %d, and its last entry was %d", ErrBroken, last.Sequence, head.Sequence)
	case !keptSeen:
		return last, fmt.Errorf("%w: the entry that was kept as %s is not in it", ErrBroken, kept)
	}
	return last, nil
}
