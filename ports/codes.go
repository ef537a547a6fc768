package ports

import "time"

// OneTimeCodes are the codes that authenticator apps show, new ones every 30 s (TOTP).
//
// Source: RFC 6238.
type OneTimeCodes interface {
	// New draws a secret, in base32, and gives it with the address (otpauth://…) that apps read. label
	// tells it apart in the app from the owner's others.
	New(label string) (secret, address string, err error)
	// Step gives the time step, in steps of 30 s since 1970, whose code this is, where it is one of about
	// the given time. It compares in constant time.
	Step(secret, code string, at time.Time) (step int64, ok bool)
}
