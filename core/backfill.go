package core

import "time"

// BackfillStream is one list of a provider that is walked through for what no webhook brought.
type BackfillStream string

// The streams. An account has those that its provider can list.
const (
	BackfillEvents        BackfillStream = "events"
	BackfillPayments      BackfillStream = "payments"
	BackfillRefunds       BackfillStream = "refunds"
	BackfillDisputes      BackfillStream = "disputes"
	BackfillSubscriptions BackfillStream = "subscriptions"
	// BackfillOpen is no list: each of our own objects that is not final is looked at by its id. It
	// makes up for events that the provider does not list any more.
	BackfillOpen BackfillStream = "open"
)

// BackfillStatus is where the walk through a stream stands.
type BackfillStatus string

// The statuses of a walk.
const (
	BackfillBehind     BackfillStatus = "behind"     // not through yet; goes on by itself
	BackfillDone       BackfillStatus = "done"       // everything up to TakenUntil was taken
	BackfillFailed     BackfillStatus = "failed"     // the last run failed; the next goes on where it stopped
	BackfillIncomplete BackfillStatus = "incomplete" // the provider does not list a part of the time any more
)

const (
	// BackfillWindowMax is how much time is asked for at once: after a long outage the gap is walked
	// in pieces, each of which is kept.
	BackfillWindowMax = 6 * time.Hour
	// BackfillSettle is how old things are before they are looked for: younger ones are on their way.
	BackfillSettle = 10 * time.Second
	// BackfillOverlap is how far a walk goes back over what was taken already, beside what the
	// provider's lists are late by.
	BackfillOverlap = 10 * time.Minute
	// BackfillFirstLeast is how far back the first walk begins at least; further, where the oldest of
	// our own objects is older: what happened to it before the first walk was never asked for.
	BackfillFirstLeast = 24 * time.Hour
	// BackfillFirstMost is how far back it begins at most.
	BackfillFirstMost = 7 * 24 * time.Hour
)

// BackfillCursor is how far the walk through one stream of an account came.
type BackfillCursor struct {
	Account AccountName
	Stream  BackfillStream
	Status  BackfillStatus
	// TakenUntil is the provider's time up to which everything was taken.
	TakenUntil time.Time
	// WindowFrom and WindowUntil are the window under way; zero where none is. Page is where it
	// goes on: the provider's own cursor, empty at its beginning.
	WindowFrom  time.Time
	WindowUntil time.Time
	Page        string
	// Found counts what no webhook had brought: events, or objects that differed.
	Found       int64
	Note        string    // why it failed or is incomplete, for staff; may be empty
	CreatedAt   time.Time // of the first run
	RanAt       time.Time // of the last run
	SucceededAt time.Time // of the last run that got through; zero before the first
}

// NewBackfillCursor begins a walk. oldest is when the oldest of the account's objects was made;
// zero for none.
func NewBackfillCursor(account AccountName, stream BackfillStream, oldest, now time.Time) BackfillCursor {
	from := now.Add(-BackfillFirstLeast)
	if !oldest.IsZero() && oldest.Before(from) {
		from = oldest
	}
	if least := now.Add(-BackfillFirstMost); from.Before(least) {
		from = least
	}
	return BackfillCursor{Account: account, Stream: stream, Status: BackfillBehind, TakenUntil: from, CreatedAt: now, RanAt: now}
}

// UnderWay reports whether a window was begun and not finished.
func (c BackfillCursor) UnderWay() bool { return !c.WindowUntil.IsZero() }

// Since has the walk begin again at an earlier time; a later one changes nothing.
func (c BackfillCursor) Since(from time.Time) BackfillCursor {
	if from.Before(c.TakenUntil) {
		c.TakenUntil = from
	}
	c.WindowFrom, c.WindowUntil, c.Page = time.Time{}, time.Time{}, ""
	return c
}

// Next begins the next window: from what was taken to now at most. It goes back a bit over what was
// taken, which the lists may not have shown whole yet; late is by how much they are late. listedFrom is
// the oldest time that the provider lists, zero for no limit; where the walk needs what lies before,
// lost is from when on. through means that nothing is left to be asked for.
func (c BackfillCursor) Next(now, listedFrom time.Time, late time.Duration) (next BackfillCursor, lost time.Time, through bool) {
	taken := c.TakenUntil
	if taken.After(now) {
		taken = now // the clock was set back
	}
	if taken.Before(listedFrom) {
		lost, taken = taken, listedFrom
	}
	until := now.Add(-BackfillSettle)
	if most := taken.Add(BackfillWindowMax); until.After(most) {
		until = most
	}
	if !until.After(taken) {
		return c, lost, true
	}
	from := taken.Add(-BackfillOverlap - late)
	if from.Before(listedFrom) {
		from = listedFrom
	}
	c.WindowFrom, c.WindowUntil, c.Page = from, until, ""
	return c, lost, false
}

// Finish ends the window under way: it was taken whole.
func (c BackfillCursor) Finish() BackfillCursor {
	c.TakenUntil = c.WindowUntil
	c.WindowFrom, c.WindowUntil, c.Page = time.Time{}, time.Time{}, ""
	return c
}

// BackfillRun is what one run through a stream came to.
type BackfillRun struct {
	BackfillCursor

	From, Until time.Time // what was walked through; zero where nothing was
	Listed      int       // events or objects that the provider listed
	New         int       // of them, those that were not known here, or differed
	Others      int       // of them, those that concern nothing kept here
	Unreadable  int       // that could not be read
	Err         error     // why it failed, with all that is known of it; nil where it did not
}
