package core

import "time"

// Difference is one field of an object that is not here as it is at its provider.
type Difference struct {
	Field  string `json:"field"` // in the API's words
	Ours   string `json:"ours"`  // empty for none
	Theirs string `json:"theirs"`
}

// DriftClass says how our records and a provider's are not alike.
type DriftClass string

// The classes of drift.
const (
	DriftMissingHere  DriftClass = "missing_here"  // the provider's object is ours, and nothing is held of it
	DriftMissingThere DriftClass = "missing_there" // the provider does not know what is held here
	DriftDiffers      DriftClass = "differs"
)

// Known reports whether c is one of the classes.
func (c DriftClass) Known() bool {
	return c == DriftMissingHere || c == DriftMissingThere || c == DriftDiffers
}

// Drift is an object that is not here as it is at its provider.
type Drift struct {
	Account   AccountName
	Kind      ObjectKind
	Class     DriftClass
	ID        string       // ours; empty where nothing is held
	ForeignID string       // the provider's
	Fields    []Difference // what differed when it was found; none for what is missing
	// Repaired says that a look at it made it equal. What remains is for staff.
	Repaired bool
	Note     string // why it could not be repaired; empty where it was
	FoundAt  time.Time
}

// DriftStatus is where a comparison stands.
type DriftStatus string

// The statuses of a comparison.
const (
	DriftRunning DriftStatus = "running"
	DriftDone    DriftStatus = "done"
	DriftFailed  DriftStatus = "failed" // a part, or all after a part; the note says why
)

// Known reports whether s is one of the statuses.
func (s DriftStatus) Known() bool { return s == DriftRunning || s == DriftDone || s == DriftFailed }

const (
	// DriftPeriod is how far back a comparison goes that is told no time: two days, so that each
	// nightly one covers the one before.
	DriftPeriod = 48 * time.Hour
	// DriftEvery is how often each account is compared.
	DriftEvery = 24 * time.Hour
	// DriftKeptMax is how much of what remains is kept of one comparison.
	DriftKeptMax = 10_000
)

// DriftRun is the last comparison of an account with its provider.
type DriftRun struct {
	Account AccountName
	Status  DriftStatus
	From    time.Time // of what was made or changed in [From, Until)
	Until   time.Time
	Step    int    // that it goes on with
	Page    string // of that step; empty at its beginning
	// Compared counts objects that were held to the provider's, Others those of other programs, and
	// Unreadable those that the provider shows in no words of ours.
	Compared   int64
	Others     int64
	Unreadable int64
	Repaired   int64
	Remaining  int64
	Note       string    // why it failed, for staff; empty where it did not
	StartedAt  time.Time // of its first part
	RanAt      time.Time // of its last part
	EndedAt    time.Time // zero until it came to its end, also where a part of it failed
}
