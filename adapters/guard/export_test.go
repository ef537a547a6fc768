package guard

import "github.com/paydesk/paydesk/ports"

// Once has each call sent once, whatever came of those before: what the tests of all else
// around a call are about.
func Once(guardedProvider ports.Provider) ports.Provider {
	switch g := guardedProvider.(type) {
	case *guarded:
		g.resilience = nil
	case guardedBrowser:
		g.guarded.resilience = nil
	}
	return guardedProvider
}
