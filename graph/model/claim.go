package model

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// OperationClaim is what staff say of an operation.
type OperationClaim struct{ core.Claim }

// Claim is nil where nobody said anything.
func (o Operation) Claim() *OperationClaim {
	if o.Operation.Claim.Outcome == "" {
		return nil
	}
	return &OperationClaim{o.Operation.Claim}
}

// ProviderObjectID is nil where it acted on something that is known.
func (c OperationClaim) ProviderObjectID() *string { return optional(c.Object) }

// ClaimedBy is who says so.
func (c OperationClaim) ClaimedBy() core.StaffID { return c.By }

// ClaimedAt is when they said so.
func (c OperationClaim) ClaimedAt() time.Time { return c.At }
