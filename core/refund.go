package core

// RefundStatus is where a refund stands (contract 4.1).
type RefundStatus string

// The statuses of a refund.
const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
	RefundCanceled  RefundStatus = "canceled"
)

// RefundSnapshot is the present state of a provider's refund, in our words.
type RefundSnapshot struct {
	Ref           ProviderRef // its kind is [ObjectRefund]
	Payment       ProviderRef // what it gives back of
	Status        RefundStatus
	ForeignStatus string // the provider's own word
	Amount        Money
}
