package system

import (
	"context"
	"sync"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// pacerBurst is how much an account may be asked at once after a rest, as a part of a second's calls.
const pacerBurst = 1.0

// Pacer lets each account be asked so many times a second. It goes by the machine's clock. It is
// safe for concurrent use.
type Pacer struct {
	rates map[core.AccountName]float64 // calls a second; accounts that are missing have no limit

	mu   sync.Mutex
	free map[core.AccountName]time.Time // when an account is free to be asked again
}

var _ ports.Pacer = (*Pacer)(nil)

// NewPacer makes a pacer; a rate of 0 is no limit.
func NewPacer(rates map[core.AccountName]float64) *Pacer {
	return &Pacer{rates: rates, free: make(map[core.AccountName]time.Time)}
}

// Wait implements [ports.Pacer].
func (p *Pacer) Wait(ctx context.Context, account core.AccountName, calls int) error {
	pause := p.reserve(account, calls)
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve takes the calls and tells how long they have to wait.
func (p *Pacer) reserve(account core.AccountName, calls int) time.Duration {
	rate := p.rates[account]
	if rate <= 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	free := p.free[account]
	if rested := now.Add(-time.Duration(pacerBurst * float64(time.Second))); free.Before(rested) {
		free = rested
	}
	free = free.Add(time.Duration(float64(calls) / rate * float64(time.Second)))
	p.free[account] = free
	return free.Sub(now)
}
