package paypal

// DisputeObject is a case of a buyer's, as far as it is used.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1/#disputes_get.
type DisputeObject struct {
	DisputeID            string                `json:"dispute_id"`
	CreateTime           string                `json:"create_time"`
	DisputedTransactions []DisputedTransaction `json:"disputed_transactions"`
	Reason               string                `json:"reason"`
	Status               string                `json:"status"`
	Stage                string                `json:"dispute_life_cycle_stage"`
	Amount               *Amount               `json:"dispute_amount"`
	Outcome              struct {
		Code string `json:"outcome_code"`
	} `json:"dispute_outcome"`
	MoneyMovements        []MoneyMovement `json:"money_movements"`
	Evidences             []Evidence      `json:"evidences"`
	SellerResponseDueDate string          `json:"seller_response_due_date"`
	Links                 []Link          `json:"links"`

	requestID string // of the call that showed it
}

// DisputedTransaction is what a dispute is about.
type DisputedTransaction struct {
	SellerTransactionID string `json:"seller_transaction_id"` // a capture's
}

// MoneyMovement is money that a dispute took from somebody, or gave to somebody.
type MoneyMovement struct {
	AffectedParty string  `json:"affected_party"` // "SELLER", "BUYER", …
	Amount        *Amount `json:"amount"`
	Type          string  `json:"type"` // "DEBIT" or "CREDIT"
	Reason        string  `json:"reason"`
}

// DisputeList is a page of disputes, of which it shows little.
type DisputeList struct {
	Items []struct {
		DisputeID  string `json:"dispute_id"`
		CreateTime string `json:"create_time"`
		UpdateTime string `json:"update_time"`
	} `json:"items"`
	Links []Link `json:"links"`
}

// ProvideEvidenceRequest is the part named input of the body of POST
// /v1/customer/disputes/{id}/provide-evidence.
type ProvideEvidenceRequest struct {
	Evidences []Evidence `json:"evidences"`
}

// Evidence is one piece of it.
type Evidence struct {
	Type      string        `json:"evidence_type"`
	Info      *EvidenceInfo `json:"evidence_info,omitempty"`
	Documents []Document    `json:"documents,omitempty"` // by the names of the files that come with it
	Notes     string        `json:"notes,omitempty"`
	Source    string        `json:"source,omitempty"` // told by PayPal: "SUBMITTED_BY_SELLER" for ours
}

// EvidenceInfo says where a parcel is.
type EvidenceInfo struct {
	TrackingInfo []TrackingInfo `json:"tracking_info,omitempty"`
}

// TrackingInfo is of one parcel.
type TrackingInfo struct {
	CarrierName      string `json:"carrier_name"`
	CarrierNameOther string `json:"carrier_name_other,omitempty"`
	TrackingNumber   string `json:"tracking_number"`
}

// Document is a file.
type Document struct {
	Name string `json:"name"`
}

// AcceptClaimRequest is the body of POST /v1/customer/disputes/{id}/accept-claim.
type AcceptClaimRequest struct {
	Note         string `json:"note"`
	Type         string `json:"accept_claim_type"`
	RefundAmount Amount `json:"refund_amount"`
}
