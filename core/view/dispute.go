package view

import "github.com/paydesk/paydesk/core"

// Dispute is a dispute as storefronts see it. What was said in answer to it is not part of it.
type Dispute struct {
	ID                core.DisputeID     `json:"id"`
	Payment           core.PaymentID     `json:"payment"`
	Account           core.AccountName   `json:"account"`
	Provider          core.ProviderName  `json:"provider"`
	ProviderDisputeID string             `json:"provider_dispute_id"`
	Status            core.DisputeStatus `json:"status"`
	Reason            core.DisputeReason `json:"reason"`
	ProviderReason    *string            `json:"provider_reason"`
	Amount            int64              `json:"amount"`
	Fee               int64              `json:"fee"`
	FeeCurrency       *core.Currency     `json:"fee_currency"`
	Withdrawn         int64              `json:"withdrawn"`
	Reinstated        int64              `json:"reinstated"`
	Currency          core.Currency      `json:"currency"`
	DueAt             *Time              `json:"due_at"`
	CanSubmit         bool               `json:"can_submit"`
	CanAccept         bool               `json:"can_accept"`
	SubmittedAt       *Time              `json:"submitted_at"`
	ClosedAt          *Time              `json:"closed_at"`
	Environment       core.Environment   `json:"environment"`
	CreatedAt         Time               `json:"created_at"`
	UpdatedAt         Time               `json:"updated_at"`
}

// OfDispute gives a dispute's published shape.
func OfDispute(d core.Dispute) Dispute {
	return Dispute{
		ID: d.ID, Payment: d.Payment, Account: d.Account, Provider: d.Provider, ProviderDisputeID: d.ProviderDisputeID,
		Status: d.Status, Reason: d.Reason, ProviderReason: optional(d.ForeignReason), Amount: d.Amount.Minor(),
		Fee: d.Fee.Minor(), FeeCurrency: optional(d.Fee.Currency()), Withdrawn: d.Withdrawn.Minor(), Reinstated: d.Reinstated.Minor(),
		Currency: d.Amount.Currency(), DueAt: OptionalTime(d.DueAt), CanSubmit: d.CanSubmit, CanAccept: d.CanAccept,
		SubmittedAt: OptionalTime(d.SubmittedAt), ClosedAt: OptionalTime(d.ClosedAt), Environment: d.Environment,
		CreatedAt: Time{d.CreatedAt}, UpdatedAt: Time{d.UpdatedAt},
	}
}

// Evidence is the draft of an answer to a dispute.
type Evidence struct {
	Dispute core.DisputeID                `json:"dispute"`
	Texts   map[core.EvidenceField]string `json:"texts"`
	// Suggested are texts made of what is known here, for fields that nobody has filled. They are
	// sent only once somebody has saved them.
	Suggested map[core.EvidenceField]string `json:"suggested"`
	Files     []EvidenceFile                `json:"files" nullable:"false"`
	UpdatedAt *Time                         `json:"updated_at"`
}

// EvidenceFile is a file of the draft.
type EvidenceFile struct {
	ID          core.FileID        `json:"id"`
	Field       core.EvidenceField `json:"field"`
	Name        string             `json:"name"`
	ContentType string             `json:"content_type"`
	Size        int64              `json:"size"`
	SHA256      string             `json:"sha256"`
	CreatedAt   Time               `json:"created_at"`
}

// OfEvidence gives a draft's published shape.
func OfEvidence(dispute core.DisputeID, e core.Evidence, suggested map[core.EvidenceField]string) Evidence {
	v := Evidence{Dispute: dispute, Texts: e.Texts, Suggested: suggested, Files: make([]EvidenceFile, 0, len(e.Files)), UpdatedAt: OptionalTime(e.UpdatedAt)}
	if v.Texts == nil {
		v.Texts = map[core.EvidenceField]string{}
	}
	if v.Suggested == nil {
		v.Suggested = map[core.EvidenceField]string{}
	}
	for _, file := range e.Files {
		v.Files = append(v.Files, OfEvidenceFile(file))
	}
	return v
}

// OfEvidenceFile gives a file's published shape.
func OfEvidenceFile(f core.EvidenceFile) EvidenceFile {
	return EvidenceFile{
		ID: f.ID, Field: f.Field, Name: f.Name, ContentType: f.ContentType, Size: f.Size, SHA256: f.SHA256, CreatedAt: Time{f.CreatedAt},
	}
}
