package ports

import "context"

// TraceIDs tells the id of the trace that a piece of work belongs to, so that stored
// history can be found in the traces.
type TraceIDs interface {
	// TraceID is 32 hexadecimal digits, or empty where nothing is traced.
	TraceID(ctx context.Context) string
}
