// Package system gives the real clock and real randomness behind ports.Clock and
// ports.IDs. It knows nothing of payments.
package system

import (
	"sync/atomic"
	"time"

	"github.com/paydesk/paydesk/ports"
)

// Clock tells the machine's time in UTC, cut to microseconds as both databases keep it.
// The zero value is ready for use.
type Clock struct{}

var _ ports.Clock = Clock{}

// NewClock gives the machine's clock.
func NewClock() Clock { return Clock{} }

// Now is the present time in UTC without anything below a microsecond, and without the
// monotonic reading, so that two of them compare as they will once stored.
func (Clock) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// ShiftMax is how far a [ShiftableClock] can be ahead of the machine's clock.
const ShiftMax = 50 * 365 * 24 * time.Hour

// ShiftableClock is the machine's clock with a lead that can grow. It lets a development
// server live through months of subscriptions in a minute; nothing in production uses it.
// It is safe for concurrent use.
type ShiftableClock struct {
	lead atomic.Int64 // nanoseconds ahead of the machine's clock
}

var _ ports.Clock = (*ShiftableClock)(nil)

// NewShiftable gives a clock that agrees with the machine's until it is advanced.
func NewShiftable() *ShiftableClock { return &ShiftableClock{} }

// Now is the machine's time plus the lead, in UTC and cut to microseconds.
func (c *ShiftableClock) Now() time.Time {
	return time.Now().Add(time.Duration(c.lead.Load())).UTC().Truncate(time.Microsecond)
}

// Advance moves the clock ahead by d and gives the lead it now has. Business time never
// runs backwards, so a d below zero changes nothing; the lead stops growing at [ShiftMax].
func (c *ShiftableClock) Advance(d time.Duration) time.Duration {
	for {
		lead := c.lead.Load()
		grown := lead + int64(min(max(d, 0), ShiftMax-time.Duration(lead)))
		if c.lead.CompareAndSwap(lead, grown) {
			return time.Duration(grown)
		}
	}
}
