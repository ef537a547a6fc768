package ports

import "github.com/paydesk/paydesk/core"

// Capabilities says as data what a provider can do, so that callers ask it instead of
// trying. The conformance suite holds an adapter to what it declares here: claiming an
// ability without passing its chapter fails, and so does the reverse.
type Capabilities struct {
	ManualCapture  bool // authorize now, capture later
	PartialCapture bool // capture less than was authorized; the rest is released
	ListPayments   bool // list payments by time of creation
	// Currencies that payments can be made in.
	Currencies map[core.Currency]bool
}
