//go:build !crashpoints

package app

import (
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The program has no crash points; see crashpoints_on.go.

// ServeClock is the clock of `paydesk serve`.
func ServeClock() ports.Clock { return system.NewClock() }

func crashingStore(store ports.Store) ports.Store { return store }

func crashingJournal(journal ports.Journal) ports.Journal { return journal }

func crashingProvider(provider ports.Provider) ports.Provider { return provider }

// idempotencyLock is how long a call may run before it counts as dead.
const idempotencyLock = core.IdempotencyLockMax
