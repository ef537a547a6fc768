package paypal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of evidence. That of all files of a call is 50 MB, more than there can be.
//
// Source: PayPal's API description of disputes v1, evidence; developer.paypal.com/docs/
// disputes/integration-guide, documents.
const (
	noteCharsMax = 2000
	// fieldCharsMax is of a field's name with what stands between it and its text.
	fieldCharsMax     = 40
	trackingCharsMax  = 255
	sellersEvidence   = "SUBMITTED_BY_SELLER"
	carrierOther      = "OTHER"
	evidenceOther     = "OTHER"
	evidenceFulfilled = "PROOF_OF_FULFILLMENT"
	acceptNote        = "The shop accepts the claim."
	acceptRefund      = "REFUND"
)

// evidenceTypes are PayPal's places for fields that it has one for. All others go to the
// general one, texts with their field's name before them.
//
// Source: PayPal's API description of disputes v1, evidence_type.
var evidenceTypes = map[core.EvidenceField]string{
	core.EvidenceShippingCarrier: evidenceFulfilled, core.EvidenceTrackingNumber: evidenceFulfilled, core.EvidenceShippingFile: evidenceFulfilled,
	core.EvidenceSignature: "PROOF_OF_DELIVERY_SIGNATURE", core.EvidenceReceipt: "PROOF_OF_RECEIPT_COPY",
	core.EvidenceProductDescription: "ITEM_DESCRIPTION",
	core.EvidenceRefundPolicyText:   "RETURN_POLICY", core.EvidenceRefundPolicyFile: "RETURN_POLICY",
	core.EvidenceOtherText: evidenceOther, core.EvidenceOtherFile: evidenceOther,
}

// fileEndings are by the types of files that are taken.
var fileEndings = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}

// disputeAbilities says what of disputes can be done at PayPal.
func disputeAbilities() *ports.DisputeAbilities {
	can := &ports.DisputeAbilities{Evidence: true, Accept: true, TextCharsMax: noteCharsMax - fieldCharsMax}
	for _, field := range slices.Concat(core.EvidenceTexts(), core.EvidenceFiles()) {
		if _, placed := evidenceTypes[field]; placed {
			can.Fields = append(can.Fields, field)
		}
	}
	return can
}

// SubmitEvidence implements [ports.Disputer]. It is one call, which PayPal knows by no key: of
// one whose answer was lost, the dispute itself tells whether the evidence is there.
//
// Source: POST /v1/customer/disputes/{id}/provide-evidence.
func (a *Adapter) SubmitEvidence(ctx context.Context, key core.OperationKey, in ports.SubmitEvidence) (core.DisputeSnapshot, error) {
	op := a.op("submit evidence for", in.Ref.ID)
	if err := a.check(op, key, in.Ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	evidences, err := evidenceOf(in)
	if err != nil {
		return core.DisputeSnapshot{}, outbound.Invalid(op, err)
	}
	shown, err := a.lookAtDispute(ctx, op, in.Ref.ID)
	if err != nil {
		return core.DisputeSnapshot{}, err
	}
	switch {
	case shown.holds(evidences):
		return a.disputeSeen(ctx, op, shown)
	case shown.Status != disputeWaitingForSeller || !shown.allows(actionEvidence):
		return core.DisputeSnapshot{}, outbound.Invalid(op, errNotAwaited)
	}
	body, kind, err := evidenceBody(key, evidences, in.Files)
	if err != nil {
		return core.DisputeSnapshot{}, outbound.Invalid(op, errRequest)
	}
	return a.answerDispute(ctx, request{
		op: op, method: http.MethodPost, path: pathDisputes + in.Ref.ID + "/" + actionEvidence, key: key, raw: body, contentType: kind,
	}, in.Ref.ID)
}

// AcceptDispute implements [ports.Disputer]. PayPal gives the buyer the disputed amount by
// itself. It may then call the dispute one in the buyer's favor: that nobody contested it is
// known here.
//
// Source: POST /v1/customer/disputes/{id}/accept-claim; that it takes JSON is not verified.
func (a *Adapter) AcceptDispute(ctx context.Context, key core.OperationKey, in ports.AcceptDispute) (core.DisputeSnapshot, error) {
	op := a.op("accept", in.Ref.ID)
	if err := a.check(op, key, in.Ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	amount, err := toForeign(in.Amount)
	if err != nil {
		return core.DisputeSnapshot{}, outbound.Invalid(op, err)
	}
	shown, err := a.lookAtDispute(ctx, op, in.Ref.ID)
	if err != nil {
		return core.DisputeSnapshot{}, err
	}
	var seen core.DisputeSnapshot
	switch {
	case shown.givenIn():
		seen, err = a.disputeSeen(ctx, op, shown) // by an earlier call
	case shown.allows(actionAccept):
		seen, err = a.answerDispute(ctx, request{
			op: op, method: http.MethodPost, path: pathDisputes + in.Ref.ID + "/" + actionAccept, key: key,
			body: AcceptClaimRequest{Note: acceptNote, Type: acceptRefund, RefundAmount: amount},
		}, in.Ref.ID)
	default:
		err = outbound.Invalid(op, errNotAwaited)
	}
	if err == nil && seen.Status == core.DisputeLost {
		seen.Status = core.DisputeAccepted
	}
	return seen, err
}

// givenIn reports whether the buyer has the money, and the shop said nothing against it.
func (d *DisputeObject) givenIn() bool {
	if d.Status != disputeResolved {
		return false
	}
	contested := slices.ContainsFunc(d.Evidences, func(one Evidence) bool { return one.Source == sellersEvidence })
	return d.Outcome.Code == outcomeAccepted || d.Outcome.Code == outcomeBuyer && !contested
}

// answerDispute makes a call that moves a dispute on, and shows it as it stands then: the
// answer itself has nothing but links.
func (a *Adapter) answerDispute(ctx context.Context, r request, id string) (core.DisputeSnapshot, error) {
	if _, err := a.api.do(ctx, r); err != nil {
		return core.DisputeSnapshot{}, err
	}
	shown, err := a.lookAtDispute(ctx, r.op, id)
	if err != nil {
		return core.DisputeSnapshot{}, afterwards(err, id)
	}
	seen, err := a.disputeSeen(ctx, r.op, shown)
	return seen, afterwards(err, id)
}

// evidenceOf writes evidence as PayPal takes it, in the order of the fields, so that the same
// evidence is the same request.
func evidenceOf(in ports.SubmitEvidence) ([]Evidence, error) {
	var all []Evidence
	at := func(kind string) *Evidence {
		n := slices.IndexFunc(all, func(one Evidence) bool { return one.Type == kind && kind != evidenceOther })
		if n < 0 {
			all = append(all, Evidence{Type: kind})
			n = len(all) - 1
		}
		return &all[n]
	}
	carrier, number := in.Texts[core.EvidenceShippingCarrier], in.Texts[core.EvidenceTrackingNumber]
	tracked := carrier != "" && number != ""
	if tracked {
		if len([]rune(number)) > trackingCharsMax {
			return nil, fmt.Errorf("evidence %s: %w", core.EvidenceTrackingNumber, errTooLong)
		}
		at(evidenceFulfilled).Info = &EvidenceInfo{TrackingInfo: []TrackingInfo{{CarrierName: carrierOther, CarrierNameOther: carrier, TrackingNumber: number}}}
	}
	for _, field := range core.EvidenceTexts() {
		text := in.Texts[field]
		parcel := field == core.EvidenceShippingCarrier || field == core.EvidenceTrackingNumber
		if text == "" || parcel && tracked {
			continue
		}
		kind, placed := evidenceTypes[field]
		if !placed || parcel {
			kind, text = evidenceOther, string(field)+": "+text
		}
		if len([]rune(text)) > noteCharsMax {
			return nil, fmt.Errorf("evidence %s: %w", field, errTooLong)
		}
		at(kind).Notes = text
	}
	for _, file := range in.Files {
		kind := orElse(evidenceTypes[file.Field], evidenceOther)
		one := at(kind)
		one.Documents = append(one.Documents, Document{Name: documentName(file.EvidenceFile)})
	}
	if len(all) == 0 {
		return nil, errNoEvidence
	}
	return all, nil
}

// documentName is a file's name at PayPal: its field's, so that nothing of the uploaded name
// goes along, which PayPal may not take.
func documentName(file core.EvidenceFile) string {
	return string(file.Field) + fileEndings[file.ContentType]
}

// holds reports whether all of it is there already, as evidence of the shop's. PayPal may show
// more with a piece than was sent with it.
func (d *DisputeObject) holds(evidences []Evidence) bool {
	return !slices.ContainsFunc(evidences, func(ours Evidence) bool {
		return !slices.ContainsFunc(d.Evidences, ours.isIn)
	})
}

func (e Evidence) isIn(shown Evidence) bool {
	missing := slices.ContainsFunc(e.Documents, func(one Document) bool { return !slices.Contains(shown.Documents, one) })
	return shown.Source == sellersEvidence && shown.Type == e.Type && shown.Notes == e.Notes && !missing
}

// evidenceBody is the request in parts: the evidence as JSON, then the files. What parts them
// follows from the key, so that the same operation always sends the same bytes.
func evidenceBody(key core.OperationKey, evidences []Evidence, files []ports.EvidenceContent) (body []byte, contentType string, err error) {
	var text bytes.Buffer
	writer := multipart.NewWriter(&text)
	sum := sha256.Sum256([]byte(key))
	if err := writer.SetBoundary(hex.EncodeToString(sum[:])); err != nil {
		return nil, "", err
	}
	input, err := json.Marshal(ProvideEvidenceRequest{Evidences: evidences})
	if err != nil {
		return nil, "", err
	}
	add := func(name, fileName, kind string, content []byte) {
		about := textproto.MIMEHeader{"Content-Type": {kind}, "Content-Disposition": {`form-data; name="` + name + `"`}}
		if fileName != "" {
			about.Set("Content-Disposition", `form-data; name="`+name+`"; filename="`+fileName+`"`)
		}
		part, _ := writer.CreatePart(about) // a buffer takes everything
		_, _ = part.Write(content)
	}
	add("input", "", "application/json", input)
	for n, file := range files {
		add("file"+strconv.Itoa(n+1), documentName(file.EvidenceFile), file.ContentType, file.Content)
	}
	if err := writer.Close(); err != nil {
		return nil, "", err
	}
	return text.Bytes(), writer.FormDataContentType(), nil
}
