package ports

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/paydesk/paydesk/core"
)

// Why a webhook is refused. The text names what was wrong and holds nothing of the
// message.
var (
	// ErrSignature covers a signature that is missing, malformed, wrong or made outside
	// the tolerance of time.
	ErrSignature = errors.New("webhook signature is missing, wrong or too old")
	// ErrWrongEnvironment is a verified message of the other environment.
	ErrWrongEnvironment = errors.New("webhook is of the other environment")
	// ErrPayload is a verified message that is not JSON or has no id.
	ErrPayload = errors.New("webhook payload is not usable")
	// ErrNotVerifiable is a message that cannot be checked at the moment, because what it
	// is checked with cannot be had: nothing is known of it, and it should come again.
	ErrNotVerifiable = errors.New("webhook cannot be verified at the moment")
)

// WebhookVerifier checks that a webhook comes from the account's provider, by the
// provider's own scheme, and reads what little we take from it: which event it is, and
// which object to look at. What the payload says of that object is never believed.
type WebhookVerifier interface {
	// Account is whose webhooks these are.
	Account() core.AccountName
	// VerifyWebhook checks the raw body as it was received. now is the wall clock. The
	// delivery's body is the given slice, uncopied; its time and trace are left for the
	// caller. ctx bounds what has to be fetched for it. Errors are [ErrSignature],
	// [ErrWrongEnvironment], [ErrPayload] and [ErrNotVerifiable], perhaps wrapped.
	VerifyWebhook(ctx context.Context, header http.Header, body []byte, now time.Time) (core.Delivery, error)
}

// WebhookVerifiers holds the accounts that receive webhooks.
type WebhookVerifiers map[core.AccountName]WebhookVerifier
