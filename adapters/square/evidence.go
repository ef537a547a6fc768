package square

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of evidence. Square takes 500 characters in one piece and says nothing of how many
// pieces: each is a call, of which there should not be more than a submission has time for.
//
// Source: POST /v2/disputes/{id}/evidence-text.
const (
	pieceCharsMax         = 500
	evidenceTextCharsMax  = 10 * pieceCharsMax
	evidenceTextsCharsMax = 20 * pieceCharsMax
)

// evidenceTypes are Square's places for our fields. Of those that share one, each text begins
// with its field's name.
//
// Source: developer.squareup.com/reference/square/enums/DisputeEvidenceType.
var evidenceTypes = map[core.EvidenceField]string{
	core.EvidenceProductDescription: "PRODUCT_OR_SERVICE_DESCRIPTION",
	core.EvidenceCustomerName:       "CARDHOLDER_INFORMATION", core.EvidenceCustomerEmail: "CARDHOLDER_INFORMATION",
	core.EvidenceCustomerIP: "CARDHOLDER_INFORMATION", core.EvidenceBillingAddress: "CARDHOLDER_INFORMATION",
	core.EvidenceServiceDate:     "SERVICE_RECEIVED_DOCUMENTATION",
	core.EvidenceShippingAddress: "PROOF_OF_DELIVERY_DOCUMENTATION", core.EvidenceShippingCarrier: "PROOF_OF_DELIVERY_DOCUMENTATION",
	core.EvidenceShippingDate: "PROOF_OF_DELIVERY_DOCUMENTATION", core.EvidenceTrackingNumber: "TRACKING_NUMBER",
	core.EvidenceAccessLog:        "ONLINE_OR_APP_ACCESS_LOG",
	core.EvidenceRefundPolicyText: "CANCELLATION_OR_REFUND_DOCUMENTATION", core.EvidenceCancellationText: "CANCELLATION_OR_REFUND_DOCUMENTATION",
	core.EvidenceRefundRefusal: "REBUTTAL_EXPLANATION", core.EvidenceCancellationRebuttal: "REBUTTAL_EXPLANATION",
	core.EvidenceDuplicateText: "DUPLICATE_CHARGE_DOCUMENTATION", core.EvidenceOtherText: "GENERIC_EVIDENCE",

	core.EvidenceReceipt: "RECEIPT", core.EvidenceCommunication: "CARDHOLDER_COMMUNICATION", core.EvidenceSignature: "AUTHORIZATION_DOCUMENTATION",
	core.EvidenceShippingFile: "PROOF_OF_DELIVERY_DOCUMENTATION", core.EvidenceServiceFile: "SERVICE_RECEIVED_DOCUMENTATION",
	core.EvidenceRefundPolicyFile: "CANCELLATION_OR_REFUND_DOCUMENTATION", core.EvidenceCancellationPolicy: "CANCELLATION_OR_REFUND_DOCUMENTATION",
	core.EvidenceDuplicateFile: "DUPLICATE_CHARGE_DOCUMENTATION", core.EvidenceOtherFile: "GENERIC_EVIDENCE",
}

// fileEndings are by the types of files that are taken.
var fileEndings = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}

// DisputeEvidence is a piece of evidence as Square shows it, as far as it is used.
type DisputeEvidence struct {
	ID        string `json:"id"`
	DisputeID string `json:"dispute_id"`
}

// CreateDisputeEvidenceTextRequest is the body of POST /v2/disputes/{id}/evidence-text.
type CreateDisputeEvidenceTextRequest struct {
	IdempotencyKey string `json:"idempotency_key"`
	EvidenceType   string `json:"evidence_type"`
	EvidenceText   string `json:"evidence_text"`
}

// CreateDisputeEvidenceFileRequest is the JSON part of POST /v2/disputes/{id}/evidence-files.
type CreateDisputeEvidenceFileRequest struct {
	IdempotencyKey string `json:"idempotency_key"`
	EvidenceType   string `json:"evidence_type"`
	ContentType    string `json:"content_type"`
}

// disputeAbilities says what of disputes can be done at Square.
func disputeAbilities() *ports.DisputeAbilities {
	return &ports.DisputeAbilities{
		Evidence: true, Accept: true, TextCharsMax: evidenceTextCharsMax, TextsCharsMax: evidenceTextsCharsMax,
		Fields: slices.Concat(core.EvidenceTexts(), core.EvidenceFiles()),
	}
}

// SubmitEvidence implements [ports.Disputer]. The pieces go first, each under a key of its own;
// the last call sends all of them to the bank, for good. That one takes no key: of one that
// Square refuses, since no evidence is awaited any more, the dispute tells whether it is done.
//
// Source: POST /v2/disputes/{id}/evidence-text, /evidence-files and /submit-evidence.
func (a *Adapter) SubmitEvidence(ctx context.Context, key core.OperationKey, in ports.SubmitEvidence) (core.DisputeSnapshot, error) {
	op := a.op("submit evidence for", safeID(in.Ref.ID))
	if err := a.checkOrder(op, key, in.Ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	if err := checkEvidence(in); err != nil {
		return core.DisputeSnapshot{}, outbound.Invalid(op, err)
	}
	path := disputesPath + "/" + in.Ref.ID
	for n, one := range pieces(in.Texts) {
		one.IdempotencyKey = derived(key, "-t"+strconv.Itoa(n))
		if err := a.addEvidence(ctx, op, path+"/evidence-text", in.Ref.ID, one); err != nil {
			return core.DisputeSnapshot{}, err
		}
	}
	for _, file := range in.Files {
		place := strconv.Itoa(slices.Index(core.EvidenceFiles(), file.Field))
		body, err := fileBody(derived(key, "-f"+place), file)
		if err != nil {
			return core.DisputeSnapshot{}, outbound.Invalid(op, errEvidence)
		}
		if err := a.addEvidence(ctx, op, path+"/evidence-files", in.Ref.ID, body); err != nil {
			return core.DisputeSnapshot{}, err
		}
	}
	return a.moveDispute(ctx, op, in.Ref.ID, "submit-evidence", core.DisputeUnderReview)
}

// addEvidence adds one piece. The key under which it goes has it added once.
func (a *Adapter) addEvidence(ctx context.Context, op, path, dispute string, body any) error {
	_, err := a.api.object(ctx, op, http.MethodPost, path, body, "", func(out answer) string {
		if out.Evidence == nil || out.Evidence.DisputeID != dispute {
			return ""
		}
		return out.Evidence.ID
	})
	return err
}

func checkEvidence(in ports.SubmitEvidence) error {
	if len(in.Texts) == 0 && len(in.Files) == 0 {
		return errNoEvidence
	}
	chars := 0
	for field, text := range in.Texts {
		if !slices.Contains(core.EvidenceTexts(), field) || text == "" {
			return errEvidence
		}
		length := len([]rune(text))
		if chars += length; length > evidenceTextCharsMax || chars > evidenceTextsCharsMax {
			return errTooLong
		}
	}
	for _, file := range in.Files {
		if !slices.Contains(core.EvidenceFiles(), file.Field) || fileEndings[file.ContentType] == "" {
			return errEvidence
		}
	}
	return nil
}

// pieces are texts as Square takes them: those of one place together, in the order of the
// fields, and cut into as many as they are too long for one. The same texts are the same pieces.
func pieces(texts map[core.EvidenceField]string) []CreateDisputeEvidenceTextRequest {
	var places []string
	whole := map[string]string{}
	for _, field := range core.EvidenceTexts() {
		text, place := texts[field], evidenceTypes[field]
		if text == "" {
			continue
		}
		if shared(place) {
			text = string(field) + ": " + text
		}
		if whole[place] == "" {
			places = append(places, place)
			whole[place] = text
			continue
		}
		whole[place] += "\n" + text
	}
	var all []CreateDisputeEvidenceTextRequest
	for _, place := range places {
		for part := range slices.Chunk([]rune(whole[place]), pieceCharsMax) {
			all = append(all, CreateDisputeEvidenceTextRequest{EvidenceType: place, EvidenceText: string(part)})
		}
	}
	return all
}

// shared reports whether a place is that of several texts.
func shared(place string) bool {
	fields := 0
	for _, field := range core.EvidenceTexts() {
		if evidenceTypes[field] == place {
			fields++
		}
	}
	return fields > 1
}

// fileBody is a file's upload in parts. What parts them follows from the key, so that the same
// operation always sends the same bytes, and the file goes by its field's name: nothing of the
// name by which it was uploaded goes along.
func fileBody(key string, file ports.EvidenceContent) (upload, error) {
	sum := sha256.Sum256([]byte(key))
	var text bytes.Buffer
	writer := multipart.NewWriter(&text)
	if err := writer.SetBoundary(hex.EncodeToString(sum[:])); err != nil {
		return upload{}, err
	}
	request, err := json.Marshal(CreateDisputeEvidenceFileRequest{
		IdempotencyKey: key, EvidenceType: evidenceTypes[file.Field], ContentType: file.ContentType,
	})
	if err != nil {
		return upload{}, err
	}
	add := func(disposition, kind string, content []byte) {
		part, _ := writer.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {kind}}) // a buffer takes everything
		_, _ = part.Write(content)
	}
	add(`form-data; name="request"`, "application/json", request)
	name := string(file.Field) + fileEndings[file.ContentType]
	add(`form-data; name="image_file"; filename="`+name+`"`, file.ContentType, file.Content)
	if err := writer.Close(); err != nil {
		return upload{}, err
	}
	return upload{kind: writer.FormDataContentType(), text: text.Bytes()}, nil
}
