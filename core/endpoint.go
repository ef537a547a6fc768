package core

import (
	"slices"
	"time"
)

// Endpoint is where a storefront wants to be notified.
type Endpoint struct {
	ID        EndpointID
	URL       string
	Types     []EventType // empty means all
	Secret    string      // "whsec_…"; sealed at rest, shown once
	CreatedAt time.Time
	// DisabledAt is when it was given up, and DeletedAt when the storefront removed it;
	// zero while neither.
	DisabledAt time.Time
	DeletedAt  time.Time
}

// Wants reports whether the endpoint is to be told of events of the type.
func (e Endpoint) Wants(t EventType) bool {
	if !e.DisabledAt.IsZero() || !e.DeletedAt.IsZero() {
		return false
	}
	if len(e.Types) == 0 {
		return true
	}
	return slices.Contains(e.Types, t)
}
