package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Anomalies counts what providers show and the rules forbid, so that somebody is told.
type Anomalies interface {
	// Count adds one about an object of that kind.
	Count(ctx context.Context, kind core.ObjectKind)
}
