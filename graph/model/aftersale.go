package model

import "github.com/paydesk/paydesk/core"

// Refund is money that goes back to a buyer.
type Refund struct{ core.Refund }

// IsNode marks a type of the schema's interface Node.
func (Refund) IsNode() {}

// PaymentID is of which it gives back.
func (r Refund) PaymentID() core.PaymentID { return r.Payment }

// ForeignStatus is nil before the provider's object was first seen.
func (r Refund) ForeignStatus() *string { return optional(r.Refund.ForeignStatus) }

// ProviderRefundID is nil until the provider named its object.
func (r Refund) ProviderRefundID() *string { return optional(r.Refund.ProviderRefundID) }

// Failure is nil unless it failed.
func (r Refund) Failure() *Failure { return failure(r.Refund.Failure) }

// Dispute is a buyer's complaint.
type Dispute struct{ core.Dispute }

// IsNode marks a type of the schema's interface Node.
func (Dispute) IsNode() {}

// PaymentID is of what is disputed.
func (d Dispute) PaymentID() core.PaymentID { return d.Payment }

// ForeignStatus is the provider's own word.
func (d Dispute) ForeignStatus() *string { return optional(d.Dispute.ForeignStatus) }

// ForeignReason is the provider's own word.
func (d Dispute) ForeignReason() *string { return optional(d.Dispute.ForeignReason) }

// OwnerID is empty for nobody's.
func (d Dispute) OwnerID() core.StaffID { return d.Owner }

// Fee is nil where the provider tells none.
func (d Dispute) Fee() *core.Money { return optional(d.Dispute.Fee) }

// Subscription is a price that a customer pays again and again.
type Subscription struct{ core.Subscription }

// IsNode marks a type of the schema's interface Node.
func (Subscription) IsNode() {}

// CustomerID is empty for none.
func (s Subscription) CustomerID() core.CustomerID { return s.Customer }

// PriceID is empty where the price is none of ours.
func (s Subscription) PriceID() core.PriceID { return s.Price }

// ForeignStatus is nil before the provider's object was first seen.
func (s Subscription) ForeignStatus() *string { return optional(s.Subscription.ForeignStatus) }

// ProviderSubscriptionID is nil until the provider named its object.
func (s Subscription) ProviderSubscriptionID() *string {
	return optional(s.Subscription.ProviderSubscriptionID)
}

// Failure is nil where the last try did not fail.
func (s Subscription) Failure() *Failure { return failure(s.Subscription.Failure) }
