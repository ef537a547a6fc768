package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Observation is what a look at a provider's object came to.
type Observation struct {
	Payment core.Payment // as it stands now; zero where the object is not one of ours
	Reason  core.Reason
}

// Observer moves state, and nothing else does: it looks at a provider's object, judges
// what it saw and stores what follows in one transaction.
type Observer interface {
	// Sync fetches the object and applies what it saw. An object of nobody's is no error:
	// the observation says so. Provider errors come back as *[core.ProviderError].
	Sync(ctx context.Context, ref core.ProviderRef, cause core.Cause) (Observation, error)
	// Settle records how an operation's call ended, together with what its answer showed,
	// in one transaction. snapshot is nil where the answer showed nothing.
	Settle(ctx context.Context, op core.Operation, snapshot *core.PaymentSnapshot, callErr *core.ProviderError, cause core.Cause) (Observation, error)
}
