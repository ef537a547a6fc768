package view

import "github.com/paydesk/paydesk/core"

// Refund is a refund as storefronts see it.
type Refund struct {
	ID               core.RefundID     `json:"id"`
	Payment          core.PaymentID    `json:"payment"`
	ProviderRefundID *string           `json:"provider_refund_id"`
	Account          core.AccountName  `json:"account"`
	Provider         core.ProviderName `json:"provider"`
	Status           core.RefundStatus `json:"status"`
	Amount           int64             `json:"amount"`
	Currency         core.Currency     `json:"currency"`
	Reason           core.RefundReason `json:"reason"`
	Origin           core.Origin       `json:"origin"`
	Failure          *Failure          `json:"failure"`
	Environment      core.Environment  `json:"environment"`
	Metadata         map[string]string `json:"metadata"`
	CreatedAt        Time              `json:"created_at"`
	UpdatedAt        Time              `json:"updated_at"`
}

// OfRefund gives a refund's published shape.
func OfRefund(r core.Refund) Refund {
	return Refund{
		ID: r.ID, Payment: r.Payment, ProviderRefundID: optional(r.ProviderRefundID), Account: r.Account, Provider: r.Provider,
		Status: r.Status, Amount: r.Amount.Minor(), Currency: r.Amount.Currency(), Reason: r.Reason, Origin: r.Origin,
		Failure: ofFailure(r.Failure), Environment: r.Environment, Metadata: metadata(r.Metadata),
		CreatedAt: Time{r.CreatedAt}, UpdatedAt: Time{r.UpdatedAt},
	}
}
