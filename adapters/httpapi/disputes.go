package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// DisputePath names a dispute.
type DisputePath struct {
	ID string `path:"id" example:"dsp_01jd0000000000000000000000"`
}

type disputeQuery struct {
	PageQuery

	Payment string   `query:"payment"`
	Status  []string `query:"status" doc:"Any of these, with commas between them"`
}

type disputeCall struct {
	DisputePath
	Keyed
	NoFields
}

type evidenceTexts struct {
	DisputePath
	Body struct {
		Texts map[string]string `json:"texts" doc:"By field; an empty one removes the field's, and fields that are not named stay as they are"`
	}
}

type evidenceUpload struct {
	DisputePath
	MayBeKeyed

	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"multipart/form-data"`
}

type evidenceFilePath struct {
	DisputePath

	File string `path:"file" example:"fil_01jd0000000000000000000000"`
}

func (s *server) disputeCalls(api huma.API) {
	const one = "/v1/disputes/{id}"
	huma.Register(api, operation("getDispute", http.MethodGet, one, http.StatusOK, "Read a dispute"), s.getDispute)
	huma.Register(api, operation("listDisputes", http.MethodGet, "/v1/disputes", http.StatusOK, "List disputes, newest first", http.StatusNotFound), s.listDisputes)
	huma.Register(api, operation("getEvidence", http.MethodGet, one+"/evidence", http.StatusOK, "Read the draft of an answer"), s.getEvidence)
	save := operation("saveEvidence", http.MethodPut, one+"/evidence", http.StatusOK, "Save texts of an answer")
	save.Description = "The draft is kept here alone until it is submitted. How long a text may be depends on the provider."
	save.MaxBodyBytes = evidenceBytesMax
	huma.Register(api, save, s.saveEvidence)
	upload := operation("addEvidenceFile", http.MethodPost, one+"/evidence/files", http.StatusCreated, "Add a file to an answer")
	upload.Description = "A JPEG, PNG or PDF of at most 5 MiB, in place of the one of the same field. The type that it is declared as must be what it is."
	upload.MaxBodyBytes = uploadBytesMax
	huma.Register(api, upload, s.addEvidenceFile)
	describeUpload(api.OpenAPI().Paths[one+"/evidence/files"].Post)
	remove := operation("removeEvidenceFile", http.MethodDelete, one+"/evidence/files/{file}", http.StatusNoContent, "Take a file out of an answer", http.StatusConflict)
	huma.Register(api, remove, s.removeEvidenceFile)
	submit := operation("submitEvidence", http.MethodPost, one+"/submit", http.StatusOK, "Submit the answer, for good", providerErrors...)
	submit.Description = "All that was saved goes to whoever decides, once. What is only suggested does not. " +
		"202 with the dispute as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, submit, s.submitEvidence)
	accept := operation("acceptDispute", http.MethodPost, one+"/accept", http.StatusOK, "Give in", providerErrors...)
	accept.Description = "The buyer gets the money. 202 with the dispute as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, accept, s.acceptDispute)
}

func (s *server) getDispute(ctx context.Context, in *DisputePath) (*answer[view.Dispute], error) {
	id, err := parseID[core.DisputeID](in.ID)
	if err != nil {
		return nil, err
	}
	dispute, err := s.disputes.Get(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfDispute(dispute)), nil
}

func (s *server) listDisputes(ctx context.Context, in *disputeQuery) (*answer[list[view.Dispute]], error) {
	page, refused := pageOf[core.DisputeID](in.PageQuery)
	if refused != nil {
		return nil, refused
	}
	var filter ports.DisputeFilter
	if in.Payment != "" {
		id, err := core.ParseID[core.PaymentID](in.Payment)
		if err != nil {
			return nil, invalidFields(FieldError{Location: "query.payment", Message: err.Error()})
		}
		filter.Payment = id
	}
	for _, text := range in.Status {
		status := core.DisputeStatus(text)
		if !status.Known() {
			return nil, invalidFields(FieldError{Location: "query.status", Message: "must be a dispute's status, or several with commas between them"})
		}
		filter.Statuses = append(filter.Statuses, status)
	}
	found, err := s.disputes.List(ctx, filter, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	place := func(d core.Dispute) core.Cursor { return core.Cursor{At: d.CreatedAt, ID: string(d.ID)} }
	return answered(http.StatusOK, partOf(found, view.OfDispute, place)), nil
}

func (s *server) getEvidence(ctx context.Context, in *DisputePath) (*answer[view.Evidence], error) {
	id, err := parseID[core.DisputeID](in.ID)
	if err != nil {
		return nil, err
	}
	draft, err := s.disputes.Draft(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfEvidence(id, draft.Saved, draft.Suggested)), nil
}

func (s *server) saveEvidence(ctx context.Context, in *evidenceTexts) (*answer[view.Evidence], error) {
	id, err := parseID[core.DisputeID](in.ID)
	if err != nil {
		return nil, err
	}
	texts := make(map[core.EvidenceField]string, len(in.Body.Texts))
	for field, text := range in.Body.Texts {
		texts[core.EvidenceField(field)] = text
	}
	if _, err := s.disputes.SaveEvidence(ctx, id, texts); err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return s.getEvidence(ctx, &in.DisputePath)
}

func (s *server) addEvidenceFile(ctx context.Context, in *evidenceUpload) (*answer[view.EvidenceFile], error) {
	id, err := parseID[core.DisputeID](in.ID)
	if err != nil {
		return nil, err
	}
	upload, refused := readUpload(in.ContentType, in.RawBody)
	if refused != nil {
		return nil, refused
	}
	file, err := s.disputes.AddFile(ctx, id, upload)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusCreated, view.OfEvidenceFile(file)), nil
}

func (s *server) removeEvidenceFile(ctx context.Context, in *evidenceFilePath) (*struct{}, error) {
	id, err := parseID[core.DisputeID](in.ID)
	if err != nil {
		return nil, err
	}
	file, err := parseIDAt[core.FileID]("path.file", in.File)
	if err != nil {
		return nil, err
	}
	if err := s.disputes.RemoveFile(ctx, id, file); err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return nil, nil //nolint:nilnil // an answer without a body
}

func (s *server) submitEvidence(ctx context.Context, in *disputeCall) (*answer[view.Dispute], error) {
	return s.disputeVerb(ctx, in.ID, s.disputes.Submit, func(d core.Dispute) bool { return !d.SubmittedAt.IsZero() })
}

func (s *server) acceptDispute(ctx context.Context, in *disputeCall) (*answer[view.Dispute], error) {
	return s.disputeVerb(ctx, in.ID, s.disputes.Accept, func(d core.Dispute) bool { return !d.AcceptedAt.IsZero() })
}

// disputeVerb answers 200 where the call did what was asked, and 202 where its provider gave no
// answer yet.
func (s *server) disputeVerb(ctx context.Context, text string, verb func(context.Context, core.DisputeID, core.RequestKey, core.Cause) (core.Dispute, error), done func(core.Dispute) bool) (*answer[view.Dispute], error) {
	id, err := parseID[core.DisputeID](text)
	if err != nil {
		return nil, err
	}
	dispute, err := verb(ctx, id, callerOf(ctx).request, callerOf(ctx).cause())
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	status := http.StatusAccepted
	if done(dispute) {
		status = http.StatusOK
	}
	return answered(status, view.OfDispute(dispute)), nil
}
