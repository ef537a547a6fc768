package core

import (
	"strings"
	"time"
)

// Customer is a buyer whom a storefront knows by an id of ours. Email and name are personal
// data: sealed at rest, never logged.
type Customer struct {
	ID          CustomerID
	Version     int64 // grows by one with every stored change; 0 before the first
	Email       string
	Name        string
	RequestKey  RequestKey
	Environment Environment
	Metadata    map[string]string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// CustomerAccount is a customer's counterpart at one account, made when it is first needed.
type CustomerAccount struct {
	Customer           CustomerID
	Account            AccountName
	ProviderCustomerID string
	CreatedAt          time.Time
}

// MethodStatus is where a saved payment method stands.
type MethodStatus string

// The statuses of a saved method.
const (
	// MethodPending waits for the buyer to agree at the provider.
	MethodPending MethodStatus = "pending"
	// MethodActive can be charged.
	MethodActive MethodStatus = "active"
	// MethodFailed was not saved. Final but for one case: a provider that shows it after all.
	MethodFailed MethodStatus = "failed"
	// MethodRemoved was taken away, here or at the provider. Final.
	MethodRemoved MethodStatus = "removed"
)

// methodMoves is the saved method's state machine. Pairs that are not named are [Impossible].
var methodMoves = map[MethodStatus]map[MethodStatus]Verdict{
	MethodPending: {MethodActive: Advance, MethodFailed: Advance, MethodRemoved: Advance},
	MethodActive:  {MethodPending: Stale, MethodFailed: Stale, MethodRemoved: Advance},
	MethodFailed:  {MethodPending: Stale, MethodActive: Advance, MethodRemoved: Advance},
	MethodRemoved: {MethodPending: Stale, MethodFailed: Stale, MethodActive: Stale},
}

// MethodStatuses lists all statuses in the order of the table of moves.
func MethodStatuses() []MethodStatus {
	return []MethodStatus{MethodPending, MethodActive, MethodFailed, MethodRemoved}
}

// Known reports whether s is one of the statuses.
func (s MethodStatus) Known() bool {
	_, ok := methodMoves[s]
	return ok
}

// Judge tells what the seen status means for the held one.
func (s MethodStatus) Judge(seen MethodStatus) Verdict {
	if seen == s {
		return Stale
	}
	return methodMoves[s][seen]
}

// Consent is a buyer's agreement to be charged later without being there.
type Consent struct {
	At       time.Time
	Text     string     // the sentence that the buyer saw
	Checkout CheckoutID // where they saw it
}

// SavedMethod is a way to pay that a customer left with one account, to be charged later; or an
// attempt to leave one.
type SavedMethod struct {
	ID       MethodID
	Version  int64 // grows by one with every stored change; 0 before the first
	Customer CustomerID
	Checkout CheckoutID // at which it was saved; empty where it came with something else
	Account  AccountName
	Provider ProviderName
	// ProviderMethodID is what is charged; empty until it is active.
	ProviderMethodID string
	// ProviderSetupID is what the buyer agrees to at the provider; empty where that is no object
	// of its own, and until the provider's answer named one.
	ProviderSetupID string
	Status          MethodStatus
	ForeignStatus   string
	Details         PaymentMethod // its ID is the saved method's own
	Consent         *Consent      // nil where nobody asked the buyer: then it cannot be charged off-session
	Failure         *Failure      // nil unless it failed
	Environment     Environment
	CreatedAt       time.Time
	UpdatedAt       time.Time
	RemovedAt       time.Time // zero until removed
	SyncedAt        time.Time
}

// Ref is how the method is looked at: by itself once it is active, else by what the buyer agrees
// to. Its ID is empty while nothing is known at the provider.
func (m SavedMethod) Ref() ProviderRef {
	if m.ProviderMethodID != "" {
		return ProviderRef{Account: m.Account, Kind: ObjectMethod, ID: m.ProviderMethodID}
	}
	return ProviderRef{Account: m.Account, Kind: ObjectSetup, ID: m.ProviderSetupID}
}

// MethodSnapshot is the present state of a provider's saved method, or of what the buyer agrees
// to so that there is one, in our words.
type MethodSnapshot struct {
	Ref           ProviderRef // of the method, kind [ObjectMethod]; its ID is empty while there is none
	Setup         string      // what the buyer agrees to; empty where that is no object of its own, or is not told
	Method        MethodID    // our id as the provider keeps it; empty where it keeps none
	Customer      string      // the provider's id of the customer; empty where it has none
	Status        MethodStatus
	ForeignStatus string
	Details       PaymentMethod
	Failure       *Failure
	Environment   Environment
	// Confirmable says that the buyer has agreed and it is for our server to have it saved.
	Confirmable bool
}

// FoldEmail is an email as it is compared: without spaces around it, and in lower case. Strictly a mailbox
// could tell cases apart; none in use does, and people do not.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
