package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// ChangesPendingMax is how many payments a watch remembers for a reader that is slow. Where more
// change, it forgets which, and says so.
const ChangesPendingMax = 1_000

// Changes tells which payments changed, whichever process of the service changed them.
type Changes interface {
	// WatchPayments begins to watch: every transaction that commits after it returned, and that wrote
	// a payment or a line of its history, is told of. Of one payment only, or of all for the zero id. The context is
	// for the beginning alone.
	WatchPayments(ctx context.Context, only core.PaymentID) (PaymentWatch, error)
}

// PaymentWatch is one reader's view of what changes. Only one goroutine may call Next at a time.
type PaymentWatch interface {
	// Next waits for changes and gives them. A payment that changed several times since the last call
	// comes once: what counts is the state that it has now. Nobody who changes payments ever waits for
	// a reader.
	Next(ctx context.Context) (Changed, error)
	// Close ends the watch. It may be called at any time and more than once.
	Close()
}

// Changed is what changed since the last look.
type Changed struct {
	// Payments are in the order in which they changed first; at most [ChangesPendingMax].
	Payments []core.PaymentID
	// Gap says that others may have changed too: the connection to the database was lost for a while,
	// or the reader was too slow. Whoever shows something reads it again.
	Gap bool
}
