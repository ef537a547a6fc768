package paypal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
)

// Limits of evidence.
//
// Source: developer.paypal.com/docs/disputes/integration-guide, documents; PayPal's API
// description of disputes v1.
const (
	evidenceBytesMax     = 50 << 20 // of a call
	evidenceFileBytesMax = 10 << 20
	evidenceFilesMax     = 50
	evidencesMax         = 100
	noteCharsMax         = 2000
)

// documentTypes are what documents can be.
var documentTypes = []string{"image/jpeg", "image/png", "image/gif", "application/pdf"}

// evidenceTypes are what evidence can be of.
//
// Source: PayPal's API description of disputes v1, schema evidence_type.
var evidenceTypes = []string{
	"PROOF_OF_FULFILLMENT", "PROOF_OF_REFUND", "PROOF_OF_DELIVERY_SIGNATURE", "PROOF_OF_RECEIPT_COPY", "RETURN_POLICY", "BILLING_AGREEMENT",
	"PROOF_OF_RESHIPMENT", "ITEM_DESCRIPTION", "POLICE_REPORT", "AFFIDAVIT", "PAID_WITH_OTHER_METHOD", "COPY_OF_CONTRACT", "TERMINAL_ATM_RECEIPT",
	"PRICE_DIFFERENCE_REASON", "SOURCE_CONVERSION_RATE", "BANK_STATEMENT", "CREDIT_DUE_REASON", "REQUEST_CREDIT_RECEIPT", "PROOF_OF_RETURN", "CREATE",
	"CHANGE_REASON", "PROOF_OF_REFUND_OUTSIDE_PAYPAL", "RECEIPT_OF_MERCHANDISE", "CUSTOMS_DOCUMENT", "CUSTOMS_FEE_RECEIPT", "INFORMATION_ON_RESOLUTION",
	"ADDITIONAL_INFORMATION_ON_ITEM", "DETAILS_OF_PURCHASE", "PROOF_OF_SIGNIFICANT_DIFFERENCE", "PROOF_OF_SOFTWARE_OR_SERVICE_NOT_AS_DESCRIBED",
	"PROOF_OF_CONFISCATION", "PROOF_OF_DAMAGE", "COPY_OF_LAW_ENFORCEMENT_AGENCY_REPORT", "ADDITIONAL_PROOF_OF_SHIPMENT", "PROOF_OF_DENIAL_BY_CARRIER",
	"THIRDPARTY_PROOF_FOR_DAMAGE_OR_SIGNIFICANT_DIFFERENCE", "VALID_SUPPORTING_DOCUMENT", "OTHER",
}

var evidenceShape = object(map[string]shape{
	"evidences": list(object(map[string]shape{
		"evidence_type": word(evidenceTypes...), "notes": text(0, noteCharsMax), "item_id": text(1, 255),
		"documents": list(object(map[string]shape{"name": text(1, noteCharsMax)}, "name"), evidenceFilesMax),
		"evidence_info": object(map[string]shape{
			"tracking_info": list(object(map[string]shape{
				"carrier_name": text(1, 50), "carrier_name_other": text(1, noteCharsMax), "tracking_number": text(1, 255), "tracking_url": text(1, urlCharsMax),
			}, "carrier_name", "tracking_number"), 10),
			"refund_ids": list(object(map[string]shape{"refund_id": text(1, 255)}, "refund_id"), 100),
		}),
	}, "evidence_type"), evidencesMax),
	"return_address": anything,
}, "evidences")

var infoShape = object(map[string]shape{"notes": text(1, noteCharsMax), "provider_id": text(1, 255)})

var acceptShape = object(map[string]shape{
	"note": text(1, noteCharsMax), "accept_claim_reason": word(
		"DID_NOT_SHIP_ITEM", "TOO_TIME_CONSUMING", "LOST_IN_MAIL", "NOT_ABLE_TO_WIN", "COMPANY_POLICY", "REASON_NOT_SET"),
	"accept_claim_type": word("REFUND", "REFUND_WITH_RETURN", "PARTIAL_REFUND", "REFUND_WITH_RETURN_SHIPMENT_LABEL"),
	"invoice_id":        text(1, customCharsMax), "refund_amount": amount, "return_shipping_address": anything,
})

var escalateShape = object(map[string]shape{"note": text(1, noteCharsMax), "buyer_escalation_reason": text(1, 255), "buyer_requested_amount": amount}, "note")

var adjudicateShape = object(map[string]shape{"adjudication_outcome": word("BUYER_FAVOR", "SELLER_FAVOR")}, "adjudication_outcome")

var requireShape = object(map[string]shape{"action": word("BUYER_EVIDENCE", "SELLER_EVIDENCE")}, "action")

// evidenceWire is one piece of evidence, as it came and as it is shown.
type evidenceWire struct {
	Type      string          `json:"evidence_type"`
	Info      json.RawMessage `json:"evidence_info,omitempty"`
	Documents []document      `json:"documents,omitempty"`
	Notes     string          `json:"notes,omitempty"`
	Source    string          `json:"source,omitempty"`
	Date      string          `json:"date,omitempty"`
	ItemID    string          `json:"item_id,omitempty"`
}

type document struct {
	Name string `json:"name"`
}

// readParts takes a body of several parts apart: the JSON of the one that is named input, and
// the names of the files. The files themselves are looked at, and not kept.
func readParts(contentType string, body []byte) ([]byte, []string, *result) {
	broken := func(issue, field string) *result {
		return new(invalid(detail{Issue: issue, Field: field, Location: "body"}))
	}
	kind, about, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || about["boundary"] == "" {
		return nil, nil, new(refused(http.StatusUnsupportedMediaType, nameMediaType))
	}
	var input []byte
	var files []string
	reader := multipart.NewReader(bytes.NewReader(body), about["boundary"])
	for len(files) <= evidenceFilesMax {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return input, files, nil
		}
		if err != nil {
			return nil, nil, broken("MALFORMED_REQUEST_JSON", "/")
		}
		content, err := io.ReadAll(part)
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		name := part.FormName()[:min(len(part.FormName()), nameCharsMost)]
		switch {
		case err != nil:
			return nil, nil, broken("MALFORMED_REQUEST_JSON", "/"+name)
		case part.FileName() != "":
			if issue := documentIssue(content); issue != "" {
				return nil, nil, broken(issue, "/"+name)
			}
			files = append(files, part.FileName())
		case name == "input" && input == nil && kind == "application/json":
			input = content
		default:
			return nil, nil, broken("INVALID_PARAMETER", "/"+name)
		}
	}
	return nil, nil, broken("INVALID_ARRAY_MAX_ITEMS", "/")
}

// documentIssue is what is wrong with a document; empty for nothing. What it is shows in what
// is in it, whatever it is called.
func documentIssue(content []byte) string {
	switch {
	case len(content) == 0:
		return "EMPTY_FILE"
	case len(content) >= evidenceFileBytesMax:
		return "FILE_SIZE_LIMIT_EXCEEDED"
	case !slices.Contains(documentTypes, http.DetectContentType(content)):
		return "UNSUPPORTED_FILE_TYPE"
	}
	return ""
}

// allowed are the calls that a dispute can be moved on by.
func (d *dispute) allowed() []string {
	var actions []string
	switch d.status {
	case waitingForSeller:
		actions = []string{"provide-evidence", "accept-claim"}
	case underReview:
		actions = []string{"accept-claim", "adjudicate", "require-evidence"}
		if d.stage != stageInquiry {
			actions = append(actions, "provide-supporting-info")
		}
	}
	if d.stage == stageInquiry && d.outcome == "" {
		actions = append(actions, "escalate")
	}
	return actions
}

// disputeFor gives the dispute that a call is about where it allows that call. The caller
// holds mu. By which issue PayPal refuses is not certain.
func (s *Server) disputeFor(id, action string) (*dispute, *result) {
	d, ok := s.disputes.Get(id)
	switch {
	case !ok:
		return nil, new(notFound())
	case !slices.Contains(d.allowed(), action):
		return nil, new(unprocessable("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", ""))
	}
	return d, nil
}

// onward is the answer to everything that moves a dispute.
func (s *Server) onward(d *dispute) result {
	return done(map[string]any{"links": []link{s.get("self", "/v1/customer/disputes/"+d.id)}})
}

// provideEvidence takes the shop's answer to a dispute; PayPal reviews it then. A document that
// evidence names must come with it.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_provide-evidence.
func (s *Server) provideEvidence(in *request) result {
	var wire struct {
		Evidences []evidenceWire `json:"evidences"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	d, bad := s.disputeFor(in.id, "provide-evidence")
	if bad != nil {
		return *bad
	}
	for i := range wire.Evidences {
		one := &wire.Evidences[i]
		for _, named := range one.Documents {
			if !slices.Contains(in.files, named.Name) {
				return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "/evidences/documents/name", Location: "body"})
			}
		}
		if one.Documents == nil && i == 0 {
			for _, name := range in.files {
				one.Documents = append(one.Documents, document{name})
			}
		}
		if one.Documents == nil && one.Notes == "" && one.Info == nil {
			return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: "/evidences/notes", Location: "body"})
		}
		one.Source, one.Date = "SUBMITTED_BY_SELLER", s.now().Format(eventTimeFormat)
	}
	d.evidence = append(d.evidence, wire.Evidences...)
	s.move(d, underReview)
	return s.onward(d)
}

// provideInfo adds to what PayPal reviews.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_provide-supporting-info.
func (s *Server) provideInfo(in *request) result {
	var wire struct {
		Notes string `json:"notes"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	d, bad := s.disputeFor(in.id, "provide-supporting-info")
	if bad != nil {
		return *bad
	}
	if wire.Notes == "" && len(in.files) == 0 {
		return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: "/notes", Location: "body"})
	}
	one := evidenceWire{Type: "OTHER", Notes: wire.Notes, Source: "SUBMITTED_BY_SELLER", Date: s.now().Format(eventTimeFormat)}
	for _, name := range in.files {
		one.Documents = append(one.Documents, document{name})
	}
	d.evidence = append(d.evidence, one)
	s.move(d, underReview)
	return s.onward(d)
}

// acceptClaim has the shop give in: the dispute ends in the buyer's favor, and PayPal gives the
// money back by itself. Whether that shows at the capture as well is not certain; it does not
// here. Only a full refund is known.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_accept-claim.
func (s *Server) acceptClaim(in *request) result {
	var wire struct {
		Type   string `json:"accept_claim_type"`
		Refund *money `json:"refund_amount"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	d, bad := s.disputeFor(in.id, "accept-claim")
	if bad != nil {
		return *bad
	}
	if wire.Type != "" && wire.Type != "REFUND" {
		return unprocessable("ACCEPT_CLAIM_TYPE_NOT_ALLOWED", "/accept_claim_type")
	}
	if wire.Refund != nil {
		units, bad := wire.Refund.units("/refund_amount", false)
		switch {
		case bad != nil:
			return *bad
		case units != d.amount || wire.Refund.Currency != d.currency:
			return unprocessable("REFUND_AMOUNT_NOT_ALLOWED", "/refund_amount")
		}
	}
	s.resolve(d, outcomeLost)
	return s.onward(d)
}

// escalate has PayPal decide what buyer and shop could not.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_escalate.
func (s *Server) escalate(in *request) result {
	d, bad := s.disputeFor(in.id, "escalate")
	if bad != nil {
		return *bad
	}
	s.claim(d)
	return s.onward(d)
}

// adjudicate decides a dispute.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_adjudicate.
func (s *Server) adjudicate(in *request) result {
	var wire struct {
		Outcome string `json:"adjudication_outcome"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	d, bad := s.disputeFor(in.id, "adjudicate")
	if bad != nil {
		return *bad
	}
	outcome := outcomeWon
	if wire.Outcome == "BUYER_FAVOR" {
		outcome = outcomeLost
	}
	s.resolve(d, outcome)
	return s.onward(d)
}

// requireEvidence has a dispute wait for one of the two once more.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_require-evidence.
func (s *Server) requireEvidence(in *request) result {
	var wire struct {
		Action string `json:"action"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	d, bad := s.disputeFor(in.id, "require-evidence")
	if bad != nil {
		return *bad
	}
	if wire.Action == "BUYER_EVIDENCE" {
		s.move(d, waitingForBuyer)
		return s.onward(d)
	}
	s.askSeller(d)
	s.move(d, waitingForSeller)
	return s.onward(d)
}
