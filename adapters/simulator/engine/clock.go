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
	real func() time.Time

	mu    sync.Mutex
	ahead time.Duration
}

// NewClock starts a clock at the real time.
func NewClock(real func() time.Time) *Clock { return &Clock{real: real} }

// Now is the simulated time in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.ahead).UTC()
}

// Wall is the real time, which signatures are made in.
func (c *Clock) Wall() time.Time { return c.real().UTC() }

// Advance moves the clock ahead.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
}
