package engine

import (
	"errors"
	"net/http"
)

// Dialect is one account at a simulated provider: an API in the provider's own words, the
// stand-in for its browser script and its own pages, all in the account's folder, "/" and its
// name. It is safe for concurrent use.
type Dialect interface {
	// Handler serves everything in the account's folder.
	Handler() http.Handler
	// Objects gives what is held of a type, oldest first, as the provider would write it; of
	// all types but events for an empty one. False for a type that there is not.
	Objects(kind string) ([]any, bool)
	// Kinds are the types of objects, events the last.
	Kinds() []string
	// OpenDispute has the buyer's bank dispute a payment, known by the id that the program
	// under test gave it. An amount of 0 is all that was taken, in minor units of ISO 4217.
	// The id is the provider's. Errors are those of this file.
	OpenDispute(payment, reason string, amount int64) (id string, err error)
	// CloseDispute ends a dispute, "won" or "lost" for the shop.
	CloseDispute(id, outcome string) error
	// Elapse does what the clock's being moved brings.
	Elapse()
	// Reset forgets all objects and keys.
	Reset()
}

// Why a buyer's bank cannot do what it is asked to.
var (
	ErrNoPayment       = errors.New("names no payment that took money")
	ErrDisputed        = errors.New("names a payment that is disputed already")
	ErrDisputeAmount   = errors.New("is more than the payment took")
	ErrNoDispute       = errors.New("names no dispute")
	ErrDisputeFinished = errors.New("names a dispute that has ended")
)
