package ports

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// Capabilities says as data what a provider can do, so that callers ask it instead of
// trying. The conformance suite holds an adapter to what it declares here: claiming an
// ability without passing its chapter fails, and so does the reverse.
type Capabilities struct {
	ManualCapture  bool // authorize now, capture later
	PartialCapture bool // capture less than was authorized; the rest is released
	ListPayments   bool // list payments by time of creation
	// KeyKept is how long the provider remembers an idempotency key at least. After that
	// an operation of unknown outcome is looked up and never sent again.
	KeyKept time.Duration
	// Currencies that payments can be made in.
	Currencies map[core.Currency]bool
}
