// Package engine is what all simulated providers have in common: a clock that can be
// moved, memory for idempotency keys, faults, a log of requests, and webhooks. It knows
// no provider.
package engine

import (
	"sync"
	"time"
)

// Clock tells the simulator's time: the real one, moved ahead.
type Clock struct {
	wall func() time.Time

	mu    sync.Mutex
	ahead time.Duration
}

// NewClock starts a clock at the real time.
func NewClock(wall func() time.Time) *Clock { return &Clock{wall: wall} }

// Now is the simulated time in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall().Add(c.ahead).UTC()
}

// Wall is the real time, which signatures are made in.
func (c *Clock) Wall() time.Time { return c.wall().UTC() }

// Advance moves the clock ahead.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
}
