package core

import "time"

// CauseKind says who or what asked to look at an object, or to act on it.
type CauseKind string

// The kinds of causes.
const (
	CauseWebhook   CauseKind = "webhook"
	CauseBuyer     CauseKind = "buyer"
	CauseAPI       CauseKind = "api"
	CauseStaff     CauseKind = "staff"
	CauseRepair    CauseKind = "repair"
	CauseOperation CauseKind = "operation"
	CauseTimer     CauseKind = "timer"
	// CauseBackfill is a provider's list that shows what no webhook told of, and CauseReconcile a
	// comparison of everything.
	CauseBackfill  CauseKind = "backfill"
	CauseReconcile CauseKind = "reconcile"
)

// Cause is the input behind something that happened.
type Cause struct {
	Kind    CauseKind
	Inbound InboundID // for CauseWebhook
	Actor   string    // API key or staff id; empty for none
}

// TimelineKind says what sort of entry this is.
type TimelineKind string

// The kinds of timeline entries.
const (
	TimelineCreated     TimelineKind = "created"     // the payment came to be
	TimelineOperation   TimelineKind = "operation"   // a call to the provider was written down, sent or settled
	TimelineObservation TimelineKind = "observation" // the provider's object was looked at
	TimelineNote        TimelineKind = "note"        // a member of staff wrote something
)

// TimelineEntry is one line of a history. It explains: which input caused what, and why an input
// changed nothing.
type TimelineEntry struct {
	ID      TimelineID
	Payment PaymentID // whose history it belongs to; empty for none
	// Subject is the object that it tells of, by its id: the payment itself, one of its refunds or
	// disputes, a subscription or a saved method.
	Subject   string
	Kind      TimelineKind
	Cause     Cause
	Operation OperationID // for TimelineOperation
	Status    string      // operation's or payment's after the fact
	From      string      // the subject's status
	To        string      // equal to From where nothing moved
	Verdict   string      // of an observation; empty otherwise
	Reason    Reason
	Note      string // free of secrets and personal data; may be empty
	Text      string // what a member of staff wrote, for TimelineNote; personal data, sealed at rest
	TraceID   string
	At        time.Time
}
