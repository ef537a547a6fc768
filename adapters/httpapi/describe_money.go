package httpapi

import (
	"maps"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

// moneyNotes say what fields of refunds, disputes and their evidence mean that do not say it by
// their names.
var moneyNotes = map[place]string{
	{"Payment", "capture_before"}:      "Capture before then; null where nothing is held, or the provider does not say",
	{"Payment", "off_session"}:         "Whether a saved method was charged without the buyer",
	{"Refund", "provider_refund_id"}:   "The provider's own id; null until it made its object",
	{"Refund", "amount"}:               "In minor units",
	{"Refund", "origin"}:               "`here`, or `provider` where it was made in the provider's own dashboard",
	{"Refund", "status"}:               "A `succeeded` one can still fail at some banks; its amount is then free again",
	{"Dispute", "provider_reason"}:     "The provider's own word",
	{"Dispute", "amount"}:              "Disputed, in minor units",
	{"Dispute", "fee"}:                 "Of the provider, in `fee_currency`",
	{"Dispute", "withdrawn"}:           "Taken from the shop so far, without the fee",
	{"Dispute", "reinstated"}:          "Given back to the shop",
	{"Dispute", "due_at"}:              "Evidence must be submitted before; null where none is awaited",
	{"Dispute", "can_submit"}:          "Whether the provider takes evidence now",
	{"Dispute", "can_accept"}:          "Whether it can be accepted now",
	{"Dispute", "submitted_at"}:        "When our evidence went to the provider",
	{"Evidence", "texts"}:              "As saved, by field",
	{"Evidence", "suggested"}:          "Made of what is known here, for fields that nobody has filled; sent only once they are saved",
	{"EvidenceFile", "content_type"}:   "As its first bytes prove",
	{"EvidenceFile", "sha256"}:         "In hexadecimal digits",
	{"EvidenceFile", "size"}:           "Bytes",
	{"EvidenceTextsBody", "texts"}:     "By field; an empty one removes the field's, and fields that are not named stay as they are",
	{"Dispute", "status"}:              "Answer `needs_response` before `due_at`",
	{"Dispute", "provider_dispute_id"}: "The provider's own id",
}

// moneyNullable are the fields of them that the library takes for always there.
var moneyNullable = []place{
	{"Payment", "capture_before"}, {"Refund", "failure"}, {"Dispute", "due_at"}, {"Dispute", "submitted_at"}, {"Dispute", "closed_at"}, {"Evidence", "updated_at"},
}

// moneyEnums are the values that fields of them can have. New ones may come.
func moneyEnums() map[place][]any {
	environments := texts(core.EnvTest, core.EnvLive)
	return map[place][]any{
		{"Refund", "status"}:       texts(core.RefundStatuses()...),
		{"Refund", "reason"}:       texts(core.RefundRequested, core.RefundDuplicate, core.RefundFraudulent, core.RefundOther),
		{"Refund", "origin"}:       texts(core.OriginHere, core.OriginProvider),
		{"Refund", "environment"}:  environments,
		{"Dispute", "status"}:      texts(core.DisputeStatuses()...),
		{"Dispute", "environment"}: environments,
		{"Dispute", "reason"}: texts(
			core.DisputeFraudulent, core.DisputeNotReceived, core.DisputeUnacceptable, core.DisputeDuplicate, core.DisputeCanceledReason,
			core.DisputeNotRefunded, core.DisputeUnrecognized, core.DisputeWrongAmount, core.DisputeGeneral,
		),
		{"EvidenceFile", "field"}: texts(core.EvidenceFiles()...),
	}
}

// What the examples are about.
const (
	exampleRefund  core.RefundID  = "ref_01kaqv2q1re5tsm1vyj9c0a7xm"
	exampleDispute core.DisputeID = "dsp_01kaqv2q1re5tsm1vyj9c0a7xn"
	exampleFile    core.FileID    = "fil_01kaqv2q1re5tsm1vyj9c0a7xp"
)

// moneyExamples are such objects as the API shows them, by the names of their schemas.
func moneyExamples() map[string]any {
	made := view.Time{Time: time.Date(2026, time.November, 24, 9, 0, 0, 0, time.UTC)}
	due := view.Time{Time: made.AddDate(0, 0, 10)}
	refund, fraud, euro := "re_3PExample", "fraudulent", core.Currency("EUR")
	file := view.EvidenceFile{
		ID: exampleFile, Field: core.EvidenceReceipt, Name: "receipt.pdf", ContentType: "application/pdf", Size: 18_231,
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", CreatedAt: made,
	}
	return map[string]any{
		"Refund": view.Refund{
			ID: exampleRefund, Payment: examplePayment, ProviderRefundID: &refund, Account: "stripe", Provider: core.ProviderStripe,
			Status: core.RefundSucceeded, Amount: exampleAmount / 2, Currency: euro, Reason: core.RefundRequested, Origin: core.OriginHere,
			Environment: core.EnvTest, Metadata: map[string]string{"rma": "r-1"}, CreatedAt: made, UpdatedAt: made,
		},
		"Dispute": view.Dispute{
			ID: exampleDispute, Payment: examplePayment, Account: "stripe", Provider: core.ProviderStripe, ProviderDisputeID: "dp_3PExample",
			Status: core.DisputeNeedsResponse, Reason: core.DisputeFraudulent, ProviderReason: &fraud, Amount: exampleAmount, Fee: 1500,
			FeeCurrency: &euro, Withdrawn: exampleAmount, Currency: euro, DueAt: &due, CanSubmit: true, CanAccept: true,
			Environment: core.EnvTest, CreatedAt: made, UpdatedAt: made,
		},
		"Evidence": view.Evidence{
			Dispute: exampleDispute, Texts: map[core.EvidenceField]string{core.EvidenceProductDescription: "Two packs of tea."},
			Suggested: map[core.EvidenceField]string{core.EvidenceTrackingNumber: "JJD000390007"}, Files: []view.EvidenceFile{file}, UpdatedAt: &made,
		},
		"EvidenceFile":      file,
		"NewRefundBody":     map[string]any{"amount": exampleAmount / 2, "reason": core.RefundRequested, "metadata": map[string]any{"rma": "r-1"}},
		"EvidenceTextsBody": map[string]any{"texts": map[string]any{"product_description": "Two packs of tea."}},
	}
}

// merged is all maps in one.
func merged[K comparable, V any](all ...map[K]V) map[K]V {
	sum := map[K]V{}
	for _, one := range all {
		maps.Copy(sum, one)
	}
	return sum
}
