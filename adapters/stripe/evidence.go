package stripe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const objectFile = "file"

var (
	errNotTheFile   = errors.New("answer is not the file that was sent")
	errEvidenceNone = errors.New("there is no evidence to send")
	errEvidence     = errors.New("evidence has a field that is not known")
)

// evidencePlaces is where Stripe keeps each field: it has a place for all of them.
//
// Source: docs.stripe.com/api/disputes/evidence_object.
var evidencePlaces = map[core.EvidenceField]func(*stripesdk.DisputeEvidenceParams) **string{
	core.EvidenceProductDescription:   func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ProductDescription },
	core.EvidenceCustomerName:         func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CustomerName },
	core.EvidenceCustomerEmail:        func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CustomerEmailAddress },
	core.EvidenceCustomerIP:           func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CustomerPurchaseIP },
	core.EvidenceBillingAddress:       func(e *stripesdk.DisputeEvidenceParams) **string { return &e.BillingAddress },
	core.EvidenceServiceDate:          func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ServiceDate },
	core.EvidenceShippingAddress:      func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ShippingAddress },
	core.EvidenceShippingCarrier:      func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ShippingCarrier },
	core.EvidenceShippingDate:         func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ShippingDate },
	core.EvidenceTrackingNumber:       func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ShippingTrackingNumber },
	core.EvidenceAccessLog:            func(e *stripesdk.DisputeEvidenceParams) **string { return &e.AccessActivityLog },
	core.EvidenceRefundPolicyText:     func(e *stripesdk.DisputeEvidenceParams) **string { return &e.RefundPolicyDisclosure },
	core.EvidenceRefundRefusal:        func(e *stripesdk.DisputeEvidenceParams) **string { return &e.RefundRefusalExplanation },
	core.EvidenceCancellationText:     func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CancellationPolicyDisclosure },
	core.EvidenceCancellationRebuttal: func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CancellationRebuttal },
	core.EvidenceDuplicateText:        func(e *stripesdk.DisputeEvidenceParams) **string { return &e.DuplicateChargeExplanation },
	core.EvidenceOtherText:            func(e *stripesdk.DisputeEvidenceParams) **string { return &e.UncategorizedText },

	core.EvidenceReceipt:            func(e *stripesdk.DisputeEvidenceParams) **string { return &e.Receipt },
	core.EvidenceCommunication:      func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CustomerCommunication },
	core.EvidenceSignature:          func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CustomerSignature },
	core.EvidenceShippingFile:       func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ShippingDocumentation },
	core.EvidenceServiceFile:        func(e *stripesdk.DisputeEvidenceParams) **string { return &e.ServiceDocumentation },
	core.EvidenceRefundPolicyFile:   func(e *stripesdk.DisputeEvidenceParams) **string { return &e.RefundPolicy },
	core.EvidenceCancellationPolicy: func(e *stripesdk.DisputeEvidenceParams) **string { return &e.CancellationPolicy },
	core.EvidenceDuplicateFile:      func(e *stripesdk.DisputeEvidenceParams) **string { return &e.DuplicateChargeDocumentation },
	core.EvidenceOtherFile:          func(e *stripesdk.DisputeEvidenceParams) **string { return &e.UncategorizedFile },
}

// SubmitEvidence implements [ports.Disputer]. The files go first, each under a key of its own;
// the call that names them sends everything to the bank, once and for good.
//
// Source: POST /v1/files and POST /v1/disputes/{id}.
func (a *Adapter) SubmitEvidence(ctx context.Context, key core.OperationKey, in ports.SubmitEvidence) (core.DisputeSnapshot, error) {
	op := a.op("submit evidence for", in.Ref.ID)
	if err := a.checkOrder(op, key, in.Ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	if err := checkEvidence(in); err != nil {
		return core.DisputeSnapshot{}, outbound.Invalid(op, err)
	}
	evidence := &stripesdk.DisputeEvidenceParams{}
	for field, text := range in.Texts {
		*evidencePlaces[field](evidence) = &text
	}
	for _, file := range in.Files {
		place := strconv.Itoa(slices.Index(core.EvidenceFiles(), file.Field))
		id, err := a.upload(begin(ctx, op), key+core.OperationKey("-f"+place), file)
		if err != nil {
			return core.DisputeSnapshot{}, err
		}
		*evidencePlaces[file.Field](evidence) = &id
	}
	c := begin(ctx, op)
	dispute, err := a.api.Disputes.Update(in.Ref.ID, &stripesdk.DisputeParams{Params: c.params(key), Evidence: evidence, Submit: new(true)})
	return a.dispute(c, in.Ref.ID, dispute, err)
}

func checkEvidence(in ports.SubmitEvidence) error {
	if len(in.Texts) == 0 && len(in.Files) == 0 {
		return errEvidenceNone
	}
	for field := range in.Texts {
		if evidencePlaces[field] == nil {
			return errEvidence
		}
	}
	for _, file := range in.Files {
		if evidencePlaces[file.Field] == nil {
			return errEvidence
		}
	}
	return nil
}

// upload sends one file and gives Stripe's id of it. The SDK's own call would send other bytes
// each time.
//
// Source: docs.stripe.com/file-upload.
func (a *Adapter) upload(c *call, key core.OperationKey, file ports.EvidenceContent) (string, error) {
	body, boundary, err := uploadBody(file)
	if err != nil {
		return "", outbound.Invalid(c.Op, err)
	}
	params := c.params(key)
	uploaded := &stripesdk.File{}
	files := a.api.Files
	if err := files.BUploads.CallMultipart(http.MethodPost, "/v1/files", files.Key, boundary, body, &params, uploaded); err != nil {
		return "", c.failed(err)
	}
	c.answered(uploaded.LastResponse)
	if uploaded.Object != objectFile || outbound.SafeID(uploaded.ID) == "" {
		return "", c.Unusable(errNotTheFile)
	}
	return uploaded.ID, nil
}

// uploadBody is the body of an upload and what parts it: a boundary that follows from the
// file, and so can hardly be in it.
func uploadBody(file ports.EvidenceContent) (body *bytes.Buffer, boundary string, err error) {
	sum := sha256.Sum256(file.Content)
	boundary = "paydesk" + hex.EncodeToString(sum[:])[:40]
	body = &bytes.Buffer{}
	writer := multipart.NewWriter(body)
	if err := writer.SetBoundary(boundary); err != nil {
		return nil, "", err
	}
	if err := writer.WriteField("purpose", string(stripesdk.FilePurposeDisputeEvidence)); err != nil {
		return nil, "", err
	}
	part, err := writer.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", file.Name)}, "Content-Type": {file.ContentType},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(file.Content); err != nil {
		return nil, "", err
	}
	return body, boundary, writer.Close()
}
