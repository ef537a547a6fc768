package core

// evidenceWanted says what answers each complaint best, the most convincing first.
//
// Source: the card networks' rules for compelling evidence, as the providers' guides for merchants sum
// them up.
var evidenceWanted = map[DisputeReason][]EvidenceField{
	DisputeFraudulent: {
		EvidenceCustomerName, EvidenceCustomerEmail, EvidenceCustomerIP, EvidenceBillingAddress, EvidenceReceipt, EvidenceCommunication,
		EvidenceAccessLog, EvidenceShippingFile, EvidenceSignature,
	},
	DisputeNotReceived: {
		EvidenceShippingFile, EvidenceTrackingNumber, EvidenceShippingCarrier, EvidenceShippingDate, EvidenceShippingAddress, EvidenceServiceDate,
		EvidenceServiceFile, EvidenceAccessLog, EvidenceCommunication,
	},
	DisputeUnacceptable: {
		EvidenceProductDescription, EvidenceCommunication, EvidenceRefundPolicyFile, EvidenceRefundPolicyText, EvidenceRefundRefusal, EvidenceServiceFile,
	},
	DisputeDuplicate: {EvidenceDuplicateText, EvidenceDuplicateFile, EvidenceReceipt, EvidenceProductDescription, EvidenceCommunication},
	DisputeCanceledReason: {
		EvidenceCancellationPolicy, EvidenceCancellationText, EvidenceCancellationRebuttal, EvidenceAccessLog, EvidenceCommunication,
	},
	DisputeNotRefunded: {EvidenceRefundPolicyFile, EvidenceRefundPolicyText, EvidenceRefundRefusal, EvidenceCommunication},
	DisputeUnrecognized: {
		EvidenceProductDescription, EvidenceCustomerName, EvidenceCustomerEmail, EvidenceReceipt, EvidenceBillingAddress, EvidenceCommunication,
	},
	DisputeWrongAmount: {EvidenceReceipt, EvidenceProductDescription, EvidenceOtherText, EvidenceCommunication},
	DisputeGeneral:     {EvidenceProductDescription, EvidenceReceipt, EvidenceCommunication, EvidenceOtherText},
}

// EvidenceWanted lists what answers a complaint best, the most convincing first. Nothing of it is a
// condition for submitting.
func EvidenceWanted(reason DisputeReason) []EvidenceField {
	if wanted, ok := evidenceWanted[reason]; ok {
		return wanted
	}
	return evidenceWanted[DisputeGeneral]
}

// Has reports whether the draft says, or shows, something of a field.
func (e Evidence) Has(field EvidenceField) bool {
	if e.Texts[field] != "" {
		return true
	}
	for _, file := range e.Files {
		if file.Field == field {
			return true
		}
	}
	return false
}
