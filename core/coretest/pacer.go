package coretest

import (
	"context"
	"sync"

	"github.com/paydesk/paydesk/core"
)

// Pacer holds nobody back and counts who asked.
type Pacer struct {
	mu     sync.Mutex
	calls  map[core.AccountName]int
	before func(ctx context.Context, account core.AccountName)
}

// Wait implements ports.Pacer.
func (p *Pacer) Wait(ctx context.Context, account core.AccountName, calls int) error {
	p.mu.Lock()
	if p.calls == nil {
		p.calls = make(map[core.AccountName]int)
	}
	p.calls[account] += calls
	before := p.before
	p.mu.Unlock()
	if before != nil {
		before(ctx, account)
	}
	return ctx.Err()
}

// Calls is how many calls at an account were waited for.
func (p *Pacer) Calls(account core.AccountName) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[account]
}

// Before has fn called each time before somebody goes on; nil for nothing.
func (p *Pacer) Before(fn func(ctx context.Context, account core.AccountName)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = fn
}
