package core

import "time"

// IdempotencyRecord remembers a storefront's call by its Idempotency-Key, so that the
// same call gets the first answer again.
type IdempotencyRecord struct {
	Caller      APIKeyID
	Key         string
	RequestHash string
	LockedAt    time.Time // when the call that is running began; zero once it is done
	Status      int       // HTTP status of the answer; 0 while running
	Body        []byte    // the answer; sealed at rest
	CreatedAt   time.Time
}

// IdempotencyKeep is how long an answer is remembered, and IdempotencyLockMax how long a
// call may run before another may take it over; the objects it made are found again by
// their [RequestKey].
const (
	IdempotencyKeep    = 72 * time.Hour
	IdempotencyLockMax = 30 * time.Second
)

// IdempotencyVerdict is what a call should do about its key.
type IdempotencyVerdict uint8

// The verdicts.
const (
	IdempotencyRun      IdempotencyVerdict = iota // do the work
	IdempotencyReplay                             // give the first answer again
	IdempotencyBusy                               // the first call is still running
	IdempotencyMismatch                           // the key was used with another request
)

// Judge tells what a call with this hash should do, given the record that stands. lock is
// how long a call may run before another takes it over, usually [IdempotencyLockMax].
func (r IdempotencyRecord) Judge(requestHash string, now time.Time, lock time.Duration) IdempotencyVerdict {
	switch {
	case r.RequestHash != requestHash:
		return IdempotencyMismatch
	case r.Status != 0:
		return IdempotencyReplay
	case now.Sub(r.LockedAt) < lock:
		return IdempotencyBusy
	}
	return IdempotencyRun
}
