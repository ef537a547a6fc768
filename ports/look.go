package ports

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// LookKind is a kind of row that is looked at again, by its state and age alone, until it has come to
// its end.
type LookKind string

// The kinds.
const (
	LookOperation    LookKind = "operation"
	LookPayment      LookKind = "payment"
	LookRefund       LookKind = "refund"
	LookDispute      LookKind = "dispute"
	LookMethod       LookKind = "method"
	LookSubscription LookKind = "subscription"
	LookEvent        LookKind = "event" // inbound; counted, and found by [Reader.InboundWaiting]
)

// Unsettled is how much of a kind has not come to its end, of one account and status.
type Unsettled struct {
	Kind     LookKind
	Account  core.AccountName
	What     string // an operation's kind; else the kind of object
	Status   string
	ForStaff bool // whether these wait for staff
	Count    int64
	Oldest   time.Time // when the oldest of them came to be
}
