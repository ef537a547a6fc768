package model

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

// Price is what something costs.
type Price struct{ core.Price }

// Recurring is nil for a price that is paid once.
func (p Price) Recurring() *Recurring {
	if p.Price.Recurring == nil {
		return nil
	}
	return &Recurring{*p.Price.Recurring}
}

// Recurring says how often a price is asked for.
type Recurring struct{ core.Recurring }

// Invoice is what a subscription asks for one period.
type Invoice struct{ core.Invoice }

// ForeignStatus is the provider's own word.
func (i Invoice) ForeignStatus() *string { return optional(i.Invoice.ForeignStatus) }

// PaymentID is nil before the first that pays it.
func (i Invoice) PaymentID() *core.PaymentID { return optional(i.Payment) }

// DisputeEvidence is a draft of an answer to a dispute.
type DisputeEvidence struct{ core.Evidence }

// UpdatedAt is nil before the first text was saved.
func (e DisputeEvidence) UpdatedAt() *time.Time { return optional(e.Evidence.UpdatedAt) }

// Texts are in the order of the fields.
func (e DisputeEvidence) Texts() []EvidenceText {
	texts := make([]EvidenceText, 0, len(e.Evidence.Texts))
	for _, field := range core.EvidenceTexts() {
		if text := e.Evidence.Texts[field]; text != "" {
			texts = append(texts, EvidenceText{field, text})
		}
	}
	return texts
}

// Files are without their content.
func (e DisputeEvidence) Files() []EvidenceFile {
	files := make([]EvidenceFile, len(e.Evidence.Files))
	for i, file := range e.Evidence.Files {
		files[i] = EvidenceFile{file}
	}
	return files
}

// EvidenceText is one text of a draft.
type EvidenceText struct {
	Field core.EvidenceField
	Text  string
}

// EvidenceFile is one file of a draft.
type EvidenceFile struct{ core.EvidenceFile }

// MarshalEvidenceField writes a field.
func MarshalEvidenceField(word core.EvidenceField) graphql.Marshaler { return enum(word) }

// UnmarshalEvidenceField reads a field.
func UnmarshalEvidenceField(value any) (core.EvidenceField, error) {
	return readEnum[core.EvidenceField](value)
}

// MarshalRecurringInterval writes an interval.
func MarshalRecurringInterval(word core.Interval) graphql.Marshaler { return enum(word) }

// UnmarshalRecurringInterval reads an interval.
func UnmarshalRecurringInterval(value any) (core.Interval, error) {
	return readEnum[core.Interval](value)
}

// MarshalInvoiceStatus writes a status.
func MarshalInvoiceStatus(word core.InvoiceStatus) graphql.Marshaler { return enum(word) }

// UnmarshalInvoiceStatus reads a status.
func UnmarshalInvoiceStatus(value any) (core.InvoiceStatus, error) {
	return readEnum[core.InvoiceStatus](value)
}
