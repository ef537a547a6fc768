package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Checkouts is what services need to know of checkouts whose attempts they make.
type Checkouts interface {
	// Offered gives the account's provider where it can serve the checkout, and
	// [core.ErrAccountNotOffered] otherwise.
	Offered(ctx context.Context, account core.AccountName, c core.Checkout) (Provider, error)
	// CloseWith says who gives up the attempts of a mode. It is for the wiring, before the first call.
	CloseWith(mode core.CheckoutMode, closer Closer)
}

// Closer gives up the attempt that holds a checkout's lease, by its id, if it only waits for its
// buyer; [core.ErrPaymentInProgress] where it may still come to something.
type Closer func(ctx context.Context, lease string, cause core.Cause) error

// Redirected is the buyer's next step as the flow wants it: where buyers agree on the provider's own
// page, they are sent there.
func (a BuyerAction) Redirected(flow core.Flow) BuyerAction {
	if flow == core.FlowRedirect && a.URL != "" {
		a.Type = ActionRedirect
	}
	return a
}
