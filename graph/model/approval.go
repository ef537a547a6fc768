package model

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// Approval is a refund that a second person must agree to.
type Approval struct{ core.Approval }

// PaymentID is of which it would give back.
func (a Approval) PaymentID() core.PaymentID { return a.Payment }

// Note is nil for none.
func (a Approval) Note() *string { return optional(a.Approval.Note) }

// DecidedBy is nil while nobody did.
func (a Approval) DecidedBy() *core.StaffID { return optional(a.Approval.DecidedBy) }

// RefundID is nil unless it was approved.
func (a Approval) RefundID() *core.RefundID { return optional(a.Refund) }

// DecidedAt is nil while nobody did.
func (a Approval) DecidedAt() *time.Time { return optional(a.Approval.DecidedAt) }

// ApprovalConnection is a page of approvals.
type ApprovalConnection struct {
	Edges    []ApprovalEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c ApprovalConnection) Nodes() []Approval {
	nodes := make([]Approval, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// ApprovalEdge is one of them and its place in the list.
type ApprovalEdge struct {
	Cursor string
	Node   Approval
}
