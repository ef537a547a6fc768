package core

import (
	"errors"
	"fmt"
	"time"
)

// Limits of a session.
const (
	// SessionIdleMax is how long a session lasts without a request.
	SessionIdleMax = time.Hour
	// SessionAgeMax is how long it lasts at most.
	SessionAgeMax = 12 * time.Hour
)

// Session is a member of staff at a browser. Its token is shown once, as a cookie, and never stored.
type Session struct {
	ID        SessionID
	Staff     StaffID
	TokenHash string // see HashSecret
	From      string // network address of the sign-in
	Agent     string // what the browser called itself; may be empty
	CreatedAt time.Time
	SeenAt    time.Time // of the last request, to the minute
	ExpiresAt time.Time // from when on it is good no more, whatever is done in it
}

// Ended reports whether the session is good no more at the time.
func (s Session) Ended(now time.Time) bool {
	return !now.Before(s.ExpiresAt) || now.Sub(s.SeenAt) >= SessionIdleMax
}

// Limits of guessing.
const (
	// signInTriesFree is how many tries may fail before there is a pause.
	signInTriesFree = 5
	// signInPauseFirst is the first pause; each further failure doubles it, up to signInPauseMax.
	signInPauseFirst = 30 * time.Second
	signInPauseMax   = 15 * time.Minute
	// SignInMemory is how long failed tries are remembered after the last one.
	SignInMemory = 24 * time.Hour
)

// SignInTries are the tries to sign in that failed in a row: at one email, whether or not somebody has
// it, or from one network address.
type SignInTries struct {
	Subject string // hash of what they are counted for
	Count   int
	LastAt  time.Time
}

// LockedUntil is from when on a further try is looked at; zero for at once. free is how many may fail
// before there is a pause; 0 means the number for an email.
func (t SignInTries) LockedUntil(free int) time.Time {
	if free == 0 {
		free = signInTriesFree
	}
	over := t.Count - free
	if over < 0 {
		return time.Time{}
	}
	pause := signInPauseMax
	if doublings := 5; over < doublings { // 30 s · 2⁵ is above the most
		pause = signInPauseFirst << over
	}
	return t.LastAt.Add(pause)
}

// ErrCodeNeeded means that the password was right, and a code of the authenticator app is needed, too.
var ErrCodeNeeded = errors.New("a code of the authenticator app is needed")

// LockedError means that too many tries to sign in failed. It says nothing of whether the password of
// this one was right.
type LockedError struct {
	Until time.Time // when a further try is looked at
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("too many tries to sign in failed; the next one is looked at from %s on", e.Until.UTC().Format(time.RFC3339))
}
