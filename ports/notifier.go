package ports

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ErrPrivateAddress means that an endpoint's address is one where only this machine's neighbors are.
var ErrPrivateAddress = errors.New("endpoint resolves to a private address")

// Notification is one message to a storefront's endpoint, in the form of the Standard
// Webhooks specification.
type Notification struct {
	ID      string // webhook-id; the same at every try
	URL     string
	Secrets []string // "whsec_…" in the specification's form; each signs
	Body    []byte   // JSON
	Trace   string   // W3C traceparent of what caused it; empty for none
}

// NotificationOutcome is how an endpoint answered.
type NotificationOutcome struct {
	Status int    // HTTP status; 0 where no answer came
	Body   []byte // the beginning of the answer, at most core.NotificationAnswerBytesMax; may hold anything
	// RetryAfter is for how long the endpoint asks to be left alone, of which core.NotificationWaitMax
	// is heeded; 0 where it does not.
	RetryAfter time.Duration
}

// Gone reports whether the endpoint asked never to be notified again.
func (o NotificationOutcome) Gone() bool { return o.Status == http.StatusGone }

// Notifier sends notifications to storefronts.
//
// One call is one try: no retries inside. It is signed with the wall clock's time, which
// the receiver checks. A nil error means that the endpoint answered
// with a 2xx status. Redirects are not followed.
type Notifier interface {
	// Check reports [ErrPrivateAddress] where the address is, or now resolves to, one that may not
	// be notified. A name that does not resolve is no error. Notify checks again at every try.
	Check(ctx context.Context, url string) error
	Notify(ctx context.Context, n Notification) (NotificationOutcome, error)
}
