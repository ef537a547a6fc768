package square

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	evidenceTextMax  = 500     // characters
	evidenceBytesMax = 5 << 20 // of a file
	// evidenceMost is this simulator's own bound of one dispute's pieces.
	evidenceMost = 100
)

// evidenceTypes are what a piece of evidence can be.
//
// Source: developer.squareup.com/reference/square/enums/DisputeEvidenceType.
var evidenceTypes = []string{
	"GENERIC_EVIDENCE", "ONLINE_OR_APP_ACCESS_LOG", "AUTHORIZATION_DOCUMENTATION", "CANCELLATION_OR_REFUND_DOCUMENTATION", "CARDHOLDER_COMMUNICATION",
	"CARDHOLDER_INFORMATION", "PURCHASE_ACKNOWLEDGEMENT", "DUPLICATE_CHARGE_DOCUMENTATION", "PRODUCT_OR_SERVICE_DESCRIPTION", "RECEIPT",
	"SERVICE_RECEIVED_DOCUMENTATION", "PROOF_OF_DELIVERY_DOCUMENTATION", "RELATED_TRANSACTION_DOCUMENTATION", "REBUTTAL_EXPLANATION", "TRACKING_NUMBER",
}

// evidenceFiles are the kinds of files that a bank reads.
var evidenceFiles = []string{"image/heic", "image/heif", "image/jpeg", "application/pdf", "image/png", "image/tiff"}

var evidenceTextBody = fields{
	"idempotency_key": needed(upTo(keyCharsMax)), "evidence_text": needed(upTo(evidenceTextMax)), "evidence_type": {kind: text, words: evidenceTypes},
}

var evidenceFileBody = fields{
	"idempotency_key": needed(upTo(keyCharsMax)), "evidence_type": {kind: text, words: evidenceTypes}, "content_type": {kind: text, words: evidenceFiles},
}

// evidence is a DisputeEvidence. A file's content is looked at and not kept.
//
// Source: developer.squareup.com/reference/square/objects/DisputeEvidence.
type evidence struct {
	ID           string        `json:"id"`
	EvidenceID   string        `json:"evidence_id"` // the older name of the same
	DisputeID    string        `json:"dispute_id"`
	EvidenceFile *evidenceFile `json:"evidence_file,omitempty"`
	EvidenceText string        `json:"evidence_text,omitempty"`
	EvidenceType string        `json:"evidence_type"`
	UploadedAt   string        `json:"uploaded_at"`

	uploaded time.Time
}

type evidenceFile struct {
	Filename string `json:"filename"`
	Filetype string `json:"filetype"`
}

// addEvidence keeps a piece. The caller holds mu.
func (s *Server) addEvidence(d *dispute, made evidence) result {
	if len(d.EvidenceIDs) >= evidenceMost {
		return notAllowed(invalidRequest, "BAD_REQUEST", "The dispute has too many pieces of evidence already.")
	}
	if made.EvidenceType == "" {
		made.EvidenceType = "GENERIC_EVIDENCE"
	}
	made.ID, made.DisputeID, made.uploaded = s.newID("EVI"), d.ID, s.now()
	made.EvidenceID, made.UploadedAt = made.ID, stamp(made.uploaded)
	s.evidence.Put(made.ID, &made)
	d.EvidenceIDs = append(d.EvidenceIDs, made.ID)
	s.touchDispute(d, "dispute.evidence.created")
	return done("evidence", shown(made))
}

// createEvidenceText adds words to what the bank will be sent.
//
// Source: POST /v2/disputes/{id}/evidence-text.
func (s *Server) createEvidenceText(in *request) result {
	var given evidence
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	d, bad := s.answerable(in)
	if bad != nil {
		return *bad
	}
	return s.addEvidence(d, evidence{EvidenceText: given.EvidenceText, EvidenceType: given.EvidenceType})
}

// createEvidenceFile adds a file to what the bank will be sent.
//
// Source: POST /v2/disputes/{id}/evidence-files.
func (s *Server) createEvidenceFile(in *request) result {
	var given struct {
		EvidenceType string `json:"evidence_type"`
		ContentType  string `json:"content_type"`
	}
	in.into(&given)
	kind := fileKind(in.file.content)
	switch {
	case len(in.file.content) == 0:
		return invalid("VALUE_EMPTY", "image_file", "The file must not be empty.")
	case len(in.file.content) > evidenceBytesMax:
		return refused(http.StatusRequestEntityTooLarge, invalidField("REQUEST_ENTITY_TOO_LARGE", "image_file", "The file must not be larger than 5 MB."))
	case kind == "":
		return refused(http.StatusUnsupportedMediaType, invalidField("UNSUPPORTED_MEDIA_TYPE", "image_file", "The file must be HEIC, HEIF, JPEG, PDF, PNG or TIFF."))
	case kind != in.file.kind:
		return invalid("INVALID_CONTENT_TYPE", "image_file", "The file is not of the content type that its part says.")
	case given.ContentType != "" && given.ContentType != kind:
		return invalid("INVALID_CONTENT_TYPE", "content_type", "The file is not of this content type.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, bad := s.answerable(in)
	if bad != nil {
		return *bad
	}
	return s.addEvidence(d, evidence{EvidenceFile: &evidenceFile{Filename: in.file.name, Filetype: kind}, EvidenceType: given.EvidenceType})
}

// fileKind is the content type that a file's first bytes tell; empty for none that is taken.
func fileKind(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("II*\x00")), bytes.HasPrefix(content, []byte("MM\x00*")):
		return "image/tiff"
	case len(content) >= 12 && string(content[4:8]) == "ftyp":
		switch string(content[8:12]) {
		case "heic", "heix", "hevc", "hevx":
			return "image/heic"
		case "mif1", "msf1":
			return "image/heif"
		}
	}
	if kind := http.DetectContentType(content); slices.Contains(evidenceFiles, kind) {
		return kind
	}
	return ""
}

// pieces are a dispute's evidence, oldest first. The caller holds mu.
func (s *Server) pieces(d *dispute) []*evidence {
	var all []*evidence
	for _, id := range d.EvidenceIDs {
		if one, ok := s.evidence.Get(id); ok {
			all = append(all, one)
		}
	}
	return all
}

// listEvidence lists what was gathered for a dispute, newest first.
//
// Source: GET /v2/disputes/{id}/evidence.
func (s *Server) listEvidence(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	w.filters += in.id
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(in.id)
	if !ok {
		return notFound("dispute", in.id, "")
	}
	return cut(s, w, "evidence", s.pieces(d), func(e *evidence) place { return place{e.uploaded, e.uploaded, e.ID} })
}

// piece is one of a dispute's pieces of evidence. The caller holds mu.
func (s *Server) piece(d *dispute, id string) (*evidence, *result) {
	if one, ok := s.evidence.Get(id); ok && slices.Contains(d.EvidenceIDs, id) {
		return one, nil
	}
	return nil, new(notFound("evidence", id, ""))
}

func (s *Server) getEvidence(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(in.id)
	if !ok {
		return notFound("dispute", in.id, "")
	}
	one, bad := s.piece(d, in.part)
	if bad != nil {
		return *bad
	}
	return done("evidence", shown(one))
}

// deleteEvidence takes a piece away before anything was submitted.
//
// Source: DELETE /v2/disputes/{id}/evidence/{evidence_id}.
func (s *Server) deleteEvidence(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, bad := s.answerable(in)
	if bad != nil {
		return *bad
	}
	one, bad := s.piece(d, in.part)
	if bad != nil {
		return *bad
	}
	d.EvidenceIDs = slices.DeleteFunc(d.EvidenceIDs, func(id string) bool { return id == one.ID })
	s.touchDispute(d, "dispute.evidence.deleted")
	return result{status: http.StatusOK, object: struct{}{}}
}

// heldEvidence is all that was not taken away. The caller holds mu.
func (s *Server) heldEvidence() []*evidence {
	return slices.DeleteFunc(s.evidence.All(), func(one *evidence) bool {
		d, ok := s.disputes.Get(one.DisputeID)
		return !ok || !slices.Contains(d.EvidenceIDs, one.ID)
	})
}

// cleanName is a file's name without its folders.
func cleanName(said string) string {
	return clip(said[strings.LastIndexAny(said, `/\`)+1:])
}
