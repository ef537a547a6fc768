package core

import (
	"bytes"
	"slices"
	"time"
)

// EvidenceField names one thing that can be said, or shown by a file, in answer to a dispute.
type EvidenceField string

// The fields that hold text.
const (
	EvidenceProductDescription   EvidenceField = "product_description"
	EvidenceCustomerName         EvidenceField = "customer_name"
	EvidenceCustomerEmail        EvidenceField = "customer_email"
	EvidenceCustomerIP           EvidenceField = "customer_purchase_ip"
	EvidenceBillingAddress       EvidenceField = "billing_address"
	EvidenceServiceDate          EvidenceField = "service_date"
	EvidenceShippingAddress      EvidenceField = "shipping_address"
	EvidenceShippingCarrier      EvidenceField = "shipping_carrier"
	EvidenceShippingDate         EvidenceField = "shipping_date"
	EvidenceTrackingNumber       EvidenceField = "shipping_tracking_number"
	EvidenceAccessLog            EvidenceField = "access_activity_log"
	EvidenceRefundPolicyText     EvidenceField = "refund_policy_disclosure"
	EvidenceRefundRefusal        EvidenceField = "refund_refusal_explanation"
	EvidenceCancellationText     EvidenceField = "cancellation_policy_disclosure"
	EvidenceCancellationRebuttal EvidenceField = "cancellation_rebuttal"
	EvidenceDuplicateText        EvidenceField = "duplicate_charge_explanation"
	EvidenceOtherText            EvidenceField = "uncategorized_text"
)

// The fields that hold a file.
const (
	EvidenceReceipt            EvidenceField = "receipt"
	EvidenceCommunication      EvidenceField = "customer_communication"
	EvidenceSignature          EvidenceField = "customer_signature"
	EvidenceShippingFile       EvidenceField = "shipping_documentation"
	EvidenceServiceFile        EvidenceField = "service_documentation"
	EvidenceRefundPolicyFile   EvidenceField = "refund_policy"
	EvidenceCancellationPolicy EvidenceField = "cancellation_policy"
	EvidenceDuplicateFile      EvidenceField = "duplicate_charge_documentation"
	EvidenceOtherFile          EvidenceField = "uncategorized_file"
)

// Limits of evidence: the least that any provider takes, so that a draft that is accepted here
// can be sent.
const (
	EvidenceTextCharsMax  = 20_000
	EvidenceTextsCharsMax = 150_000 // of all fields together
	EvidenceFileBytesMax  = 5 << 20
	EvidenceFilesMax      = 9 // one for each field of files
)

// EvidenceTexts and EvidenceFiles list the fields in the order in which they are shown.
func EvidenceTexts() []EvidenceField {
	return []EvidenceField{
		EvidenceProductDescription, EvidenceCustomerName, EvidenceCustomerEmail, EvidenceCustomerIP, EvidenceBillingAddress,
		EvidenceServiceDate, EvidenceShippingAddress, EvidenceShippingCarrier, EvidenceShippingDate, EvidenceTrackingNumber,
		EvidenceAccessLog, EvidenceRefundPolicyText, EvidenceRefundRefusal, EvidenceCancellationText, EvidenceCancellationRebuttal,
		EvidenceDuplicateText, EvidenceOtherText,
	}
}

// EvidenceFiles lists the fields that hold a file.
func EvidenceFiles() []EvidenceField {
	return []EvidenceField{
		EvidenceReceipt, EvidenceCommunication, EvidenceSignature, EvidenceShippingFile, EvidenceServiceFile,
		EvidenceRefundPolicyFile, EvidenceCancellationPolicy, EvidenceDuplicateFile, EvidenceOtherFile,
	}
}

// Evidence is the draft of an answer to a dispute, kept here alone until it is submitted. Its
// texts are personal data: sealed at rest, never logged.
type Evidence struct {
	Dispute   DisputeID
	Version   int64                    // 0 before it is first stored
	Texts     map[EvidenceField]string // never empty strings
	Files     []EvidenceFile           // at most one for each field, without their content
	UpdatedAt time.Time
}

// EvidenceFile is one file of an answer. What is in it is stored apart, sealed.
type EvidenceFile struct {
	ID          FileID
	Dispute     DisputeID
	Field       EvidenceField
	Name        string // as it was uploaded, without folders
	ContentType string // image/jpeg, image/png or application/pdf, as its first bytes prove
	Size        int64  // bytes
	SHA256      string // in hex
	CreatedAt   time.Time
}

// evidenceMagic is how files of the types that evidence may have begin.
var evidenceMagic = []struct {
	contentType string
	begins      []byte
}{
	{"image/jpeg", []byte{0xff, 0xd8, 0xff}},
	{"image/png", []byte("\x89PNG\r\n\x1a\n")},
	{"application/pdf", []byte("%PDF-")},
}

// EvidenceContentType is what a file's first bytes prove it to be: image/jpeg, image/png or
// application/pdf; empty where it is none of these.
func EvidenceContentType(content []byte) string {
	for _, known := range evidenceMagic {
		if bytes.HasPrefix(content, known.begins) {
			return known.contentType
		}
	}
	return ""
}

// IsText reports whether the field holds text.
func (f EvidenceField) IsText() bool { return slices.Contains(EvidenceTexts(), f) }

// IsFile reports whether the field holds a file.
func (f EvidenceField) IsFile() bool { return slices.Contains(EvidenceFiles(), f) }

// Empty reports whether there is nothing to submit.
func (e Evidence) Empty() bool { return len(e.Texts) == 0 && len(e.Files) == 0 }
