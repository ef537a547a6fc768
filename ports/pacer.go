package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Pacer holds back calls that nobody waits for, so that an account's rate is left to those that
// somebody does.
type Pacer interface {
	// Wait returns once the account may be asked that many times more, or with ctx's error.
	Wait(ctx context.Context, account core.AccountName, calls int) error
}
