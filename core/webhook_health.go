package core

import "time"

// DeliveryResult is what became of a post to an account's webhook address.
type DeliveryResult string

// The results that are counted. Posts that did not come whole, and those that could not be taken at
// the moment, come again.
const (
	DeliveryReceived         DeliveryResult = "received"          // verified, whether or not it was seen before
	DeliveryInvalidSignature DeliveryResult = "invalid_signature" // by whomever
	DeliveryWrongEnvironment DeliveryResult = "wrong_environment"
	DeliveryInvalidPayload   DeliveryResult = "invalid_payload"
)

// DeliveryResults gives all of them, those that are refusals last.
func DeliveryResults() []DeliveryResult {
	return []DeliveryResult{DeliveryReceived, DeliveryInvalidSignature, DeliveryWrongEnvironment, DeliveryInvalidPayload}
}

// Known reports whether r is one of the results.
func (r DeliveryResult) Known() bool {
	switch r {
	case DeliveryReceived, DeliveryInvalidSignature, DeliveryWrongEnvironment, DeliveryInvalidPayload:
		return true
	default:
		return false
	}
}

// DeliveryCount is how many posts to an account's webhook address came to a result.
type DeliveryCount struct {
	Account AccountName
	Result  DeliveryResult
	Hour    time.Time // its beginning, by the wall clock, in which it was written down; zero in a sum over several
	Count   int64
}

// LastEvent is the newest event of a type that an account's webhook brought.
type LastEvent struct {
	Type       string
	APIVersion string    // that it was written in; empty where the provider names none
	ReceivedAt time.Time // by the wall clock
}

// WebhookState says whether an account's webhook is registered with its provider for our address.
type WebhookState string

// The states of a registration.
const (
	WebhookUnknown    WebhookState = "unknown"    // not read yet, or cannot be read
	WebhookRegistered WebhookState = "registered" // and enabled
	WebhookDisabled   WebhookState = "disabled"   // events are made and not posted
	WebhookAbsent     WebhookState = "absent"     // nothing is registered for our address
)

// Known reports whether s is one of the states.
func (s WebhookState) Known() bool {
	switch s {
	case WebhookUnknown, WebhookRegistered, WebhookDisabled, WebhookAbsent:
		return true
	default:
		return false
	}
}

// WebhookCheck is what was last seen of an account's registered webhook.
type WebhookCheck struct {
	Account     AccountName
	State       WebhookState
	Missing     []string  // types of events that we need and it does not get, sorted
	APIVersions []string  // that its events are written in, sorted; mostly one, none where the provider names none
	Note        string    // why the last look failed, fit for staff; empty where it did not
	FirstAt     time.Time // of the first look
	TriedAt     time.Time // of the last look
	CheckedAt   time.Time // of the last look that did not fail, which State and the lists are of; zero before the first
}
