package stripe

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of evidence.
//
// Source: docs.stripe.com/api/disputes/update.
const (
	evidenceTextCharsMax  = 20_000
	evidenceTotalCharsMax = 150_000
)

// Evidence of these texts decides at once in test mode.
//
// Source: docs.stripe.com/testing, disputes.
const (
	evidenceWins      = "winning_evidence"
	evidenceLoses     = "losing_evidence"
	evidenceEscalates = "escalate_inquiry_evidence"
)

// evidenceTexts and evidenceFiles are the fields of evidence.
//
// Source: docs.stripe.com/api/disputes/evidence_object.
var (
	evidenceTexts = strings.Fields(`
		access_activity_log billing_address cancellation_policy_disclosure cancellation_rebuttal customer_email_address customer_name
		customer_purchase_ip duplicate_charge_explanation duplicate_charge_id product_description refund_policy_disclosure
		refund_refusal_explanation service_date shipping_address shipping_carrier shipping_date shipping_tracking_number uncategorized_text`)
	evidenceFiles = strings.Fields(`
		cancellation_policy customer_communication customer_signature duplicate_charge_documentation receipt refund_policy
		service_documentation shipping_documentation uncategorized_file`)
	disputeParams = disputeParamsOf(evidenceTexts, evidenceFiles)
)

func disputeParamsOf(fields ...[]string) []string {
	params := []string{"metadata[*]", "submit", "expand[*]"}
	for _, field := range slices.Concat(fields...) {
		params = append(params, "evidence["+field+"]")
	}
	return params
}

// noEvidence is a dispute's evidence before any is given.
func noEvidence() map[string]*string {
	evidence := make(map[string]*string)
	for _, field := range slices.Concat(evidenceTexts, evidenceFiles) {
		evidence[field] = nil
	}
	return evidence
}

// updateDispute stages evidence, and sends it to the bank unless submit is false.
//
// Source: docs.stripe.com/api/disputes/update.
func (s *Server) updateDispute(in *request) result {
	submit, out := in.boolean("submit", true)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(in.id)
	if !ok {
		return notFound("dispute", "dispute", in.id)
	}
	metadata, out := in.metadata(d.Metadata)
	if out != nil {
		return *out
	}
	evidence, given, out := s.readEvidence(in, d)
	if out != nil {
		return *out
	}
	_, said := in.params["submit"]
	sends := submit && (given || said)
	if (given || sends) && !d.answerable() {
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Message: "Evidence cannot be given for this dispute because it has a status of " + d.Status + ".",
		})
	}
	d.Metadata, d.Evidence = metadata, evidence
	d.EvidenceDetails.HasEvidence = slices.ContainsFunc(slices.Collect(maps.Values(evidence)), func(value *string) bool { return value != nil })
	if sends {
		d.EvidenceDetails.SubmissionCount++
		d.Status = map[string]string{disputeNeedsResponse: disputeUnderReview, disputeWarning: disputeWarningReview}[d.Status]
	}
	s.tell("charge.dispute.updated", d.copied())
	if sends {
		s.decideByEvidence(d)
	}
	return done(s.shownDispute(d, in))
}

// readEvidence reads evidence over what is staged already; an empty value takes a field
// away. The caller holds mu.
func (s *Server) readEvidence(in *request, d *dispute) (evidence map[string]*string, given bool, out *result) {
	evidence = maps.Clone(d.Evidence)
	total := 0
	for _, field := range evidenceTexts {
		name := "evidence[" + field + "]"
		if value, ok := in.params[name]; ok {
			given, evidence[field] = true, orNil(value)
		}
		if evidence[field] == nil {
			continue
		}
		chars := utf8.RuneCountInString(*evidence[field])
		if total += chars; chars > evidenceTextCharsMax {
			return nil, false, new(invalid("", name, fmt.Sprintf("Invalid string: %s must be at most %d characters.", name, evidenceTextCharsMax)))
		}
	}
	if total > evidenceTotalCharsMax {
		return nil, false, new(invalid("", "evidence", fmt.Sprintf("Invalid evidence: all its texts together must be at most %d characters.", evidenceTotalCharsMax)))
	}
	for _, field := range evidenceFiles {
		name := "evidence[" + field + "]"
		value, ok := in.params[name]
		if !ok {
			continue
		}
		if held, known := s.files.Get(value); value != "" && (!known || held.Purpose != purposeEvidence) {
			return nil, false, new(failed(http.StatusBadRequest, apiError{
				Type: typeInvalidRequest, Code: "resource_missing", Param: name, Message: "No such file upload: '" + value[:min(len(value), parameterNameCharsMost)] + "'",
			}))
		}
		given, evidence[field] = true, orNil(value)
	}
	return evidence, given, nil
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// decideByEvidence has the bank decide at once where the evidence says how. The caller holds
// mu.
func (s *Server) decideByEvidence(d *dispute) {
	text := d.Evidence["uncategorized_text"]
	if text == nil {
		return
	}
	inquiry := d.inquiry()
	switch {
	case *text == evidenceEscalates && inquiry:
		s.expectEvidence(d)
		s.withdraw(d)
	case *text == evidenceWins && inquiry, *text == evidenceLoses && inquiry:
		s.endDispute(d, disputeWarningClosed)
	case *text == evidenceWins:
		s.endDispute(d, disputeWon)
	case *text == evidenceLoses:
		s.endDispute(d, disputeLost)
	}
}
