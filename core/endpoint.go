package core

import (
	"slices"
	"time"
)

// DisabledReason says why an endpoint is told nothing any more.
type DisabledReason string

// The reasons.
const (
	// DisabledGone is an endpoint that answered 410 Gone.
	DisabledGone DisabledReason = "gone"
	// DisabledFailing is one that took nothing for [NotificationAgeMax].
	DisabledFailing DisabledReason = "failing"
)

// Limits of endpoints.
const (
	// SecretOverlap is how long an old secret signs beside the new one.
	SecretOverlap = 24 * time.Hour
	// OldSecretsMax is how many old secrets sign at the same time.
	OldSecretsMax = 4

	// endpointFailuresMax is how many tries in a row may fail before the endpoint is left alone
	// for a while; fewer say more about the notification than about the endpoint.
	endpointFailuresMax = 5
	// The first of these pauses, which doubles with each failure up to the longest.
	endpointPauseFirst, endpointPauseLongest = time.Second, time.Minute
)

// OldSecret is a secret that was replaced and still signs.
type OldSecret struct {
	Secret string
	Until  time.Time // by the wall clock
}

// Endpoint is where a storefront wants to be notified.
type Endpoint struct {
	ID         EndpointID
	URL        string
	Types      []EventType // empty means all
	Secret     string      // "whsec_…"; sealed at rest, shown once
	OldSecrets []OldSecret // the oldest first; sealed at rest
	CreatedAt  time.Time
	// DisabledAt is when it was given up, and DeletedAt when the storefront removed it;
	// zero while neither.
	DisabledAt     time.Time
	DisabledReason DisabledReason // empty while it is not disabled
	DeletedAt      time.Time

	// Failures is how many tries failed since the last one that did not, and FailingSince when
	// the first of them did; it is left alone until PausedUntil. Both by the wall clock, zero
	// for none.
	Failures     int
	FailingSince time.Time
	PausedUntil  time.Time
}

// Wants reports whether events of the type are for the endpoint. One that is disabled wants
// them as well: they are kept for it.
func (e Endpoint) Wants(t EventType) bool {
	if !e.DeletedAt.IsZero() {
		return false
	}
	return len(e.Types) == 0 || slices.Contains(e.Types, t)
}

// Told reports whether notifications are sent to it.
func (e Endpoint) Told() bool { return e.DisabledAt.IsZero() && e.DeletedAt.IsZero() }

// Room is how many notifications may be on their way to it at a time, up to most: none during
// a pause, and one to see whether it is back while it does not answer.
func (e Endpoint) Room(now time.Time, most int) int {
	switch {
	case !e.Told() || now.Before(e.PausedUntil):
		return 0
	case e.Failures >= endpointFailuresMax:
		return 1
	}
	return most
}

// Answered is the endpoint after a try that it took. back says that it had been left alone.
func (e Endpoint) Answered() (after Endpoint, back bool) {
	back = !e.PausedUntil.IsZero()
	e.Failures, e.FailingSince, e.PausedUntil = 0, time.Time{}, time.Time{}
	return e, back
}

// Failed is the endpoint after a try that it did not take. What it asks for about the next one holds
// for all.
func (e Endpoint) Failed(try NotificationTry) Endpoint {
	now := try.At
	e.Failures++
	if e.FailingSince.IsZero() {
		e.FailingSince = now
	}
	if asked := now.Add(try.wait()); try.RetryAfter > 0 && asked.After(e.PausedUntil) {
		e.PausedUntil = asked
	}
	if e.Failures >= endpointFailuresMax {
		pause := growing(endpointPauseFirst, endpointPauseLongest, e.Failures-endpointFailuresMax)
		if own := now.Add(spread(pause, string(e.ID), e.Failures)); own.After(e.PausedUntil) {
			e.PausedUntil = own
		}
	}
	return e
}

// Disabled is the endpoint once it is given up.
func (e Endpoint) Disabled(reason DisabledReason, at time.Time) Endpoint {
	e.DisabledAt, e.DisabledReason = at, reason
	return e
}

// Enabled is the endpoint with a new beginning.
func (e Endpoint) Enabled() Endpoint {
	e, _ = e.Answered()
	e.DisabledAt, e.DisabledReason = time.Time{}, ""
	return e
}

// Rotated is the endpoint with a new secret, beside which those that it had go on signing for
// [SecretOverlap]. It is false where too many do already.
func (e Endpoint) Rotated(secret string, now time.Time) (Endpoint, bool) {
	kept := slices.DeleteFunc(slices.Clone(e.OldSecrets), func(old OldSecret) bool { return !now.Before(old.Until) })
	if len(kept) >= OldSecretsMax {
		return e, false
	}
	kept = append(kept, OldSecret{Secret: e.Secret, Until: now.Add(SecretOverlap)})
	e.OldSecrets, e.Secret = kept, secret
	return e, true
}

// OldSecretsUntil is when the last of its old secrets stops signing; zero where none signs now.
func (e Endpoint) OldSecretsUntil(now time.Time) (until time.Time) {
	for _, old := range e.OldSecrets {
		if now.Before(old.Until) && old.Until.After(until) {
			until = old.Until
		}
	}
	return until
}

// Secrets gives those that sign now, the current one first.
func (e Endpoint) Secrets(now time.Time) []string {
	secrets := []string{e.Secret}
	for _, old := range slices.Backward(e.OldSecrets) {
		if now.Before(old.Until) {
			secrets = append(secrets, old.Secret)
		}
	}
	return secrets
}
