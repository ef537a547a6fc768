package simtest

import (
	"context"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports/portstest"
)

// line is the way to one provider: each call is two effects, what the provider does and its answer's
// arrival. It implements [portstest.Script].
type line struct {
	w       *world
	account core.AccountName
}

// faults are how calls go wrong.
var faults = []portstest.Fault{
	portstest.FaultTimeoutBefore, portstest.FaultTimeoutAfterCommit, portstest.FaultTimeoutAfterCommit, portstest.FaultError500,
	portstest.FaultError429, portstest.FaultError429, portstest.FaultTruncated,
}

// Before implements [portstest.Script].
func (l *line) Before(_ context.Context, call portstest.FakeCall) portstest.Fault {
	sent := l.w.house.Clock.Now()
	l.w.pause("call " + call.Method)
	fault := l.w.providerFault(l.account)
	if l.w.house.Clock.Now().Sub(sent) > calls.TimeMax {
		// The process was suspended with the request under way: its connection was long given up.
		fault = portstest.FaultTimeoutBefore
		l.w.tally["calls given up"]++
	}
	l.w.trace.add("      %s %s %s %s%s %s", l.account, call.Method, call.Key, call.Ref.ID, call.Payment, fault)
	return fault
}

// After implements [portstest.Script].
func (l *line) After(_ context.Context, call portstest.FakeCall) {
	if changes := !strings.HasPrefix(call.Method, "Get") && !strings.HasPrefix(call.Method, "List"); changes {
		l.w.listen(l.account)
		l.w.watchProvider(l.account)
	}
	l.w.pause("answer to " + call.Method)
}

// fake gives the provider of an account.
func (w *world) fake(account core.AccountName) *portstest.FakeProvider {
	if account == coretest.OtherAccount {
		return w.house.Other
	}
	return w.house.Provider
}

// accounts are those of every house, in order.
var accounts = []core.AccountName{coretest.Account, coretest.OtherAccount}
