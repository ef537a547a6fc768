package graph

import (
	"context"
	"fmt"
	"io"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/graph/model"
)

// savedEvidence is a [model.DisputeEvidenceSaveInput] as it is remembered: of each file its hash.
type savedEvidence struct {
	model.DisputeEvidenceSaveInput

	Files []savedFile `json:"files"`
}

type savedFile struct {
	Field     core.EvidenceField `json:"field"`
	Name, Sum string
}

func (r *Resolver) saveEvidence(ctx context.Context, in model.DisputeEvidenceSaveInput) (*model.DisputeEvidenceSavePayload, error) {
	save, err := readSave(in)
	if err != nil {
		return nil, err
	}
	remembered := savedEvidence{DisputeEvidenceSaveInput: in, Files: make([]savedFile, len(save.Files))}
	for i, file := range save.Files {
		remembered.Files[i] = savedFile{Field: file.Field, Name: file.Name, Sum: file.Sum()}
	}
	dispute, preview, refused, err := r.onDispute(ctx, disputeMutation{
		mutation: mutation{action: "dispute.evidence_save", input: remembered, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.DisputeID,
		check: func(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
			return r.disputes.PreviewSave(ctx, id, save)
		},
		do: func(ctx context.Context, id core.DisputeID, _ core.RequestKey, _ core.Cause) (core.Dispute, error) {
			_, err := r.disputes.Save(ctx, id, save)
			return core.Dispute{ID: id}, err
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.DisputeEvidenceSavePayload{Dispute: dispute, Preview: preview, UserErrors: refused}, nil
}

// readSave reads what is to be saved, with the content of its files.
func readSave(in model.DisputeEvidenceSaveInput) (save disputes.Save, err error) {
	if len(in.Texts) > len(core.EvidenceTexts()) || len(in.Files) > core.EvidenceFilesMax || len(in.RemoveFiles) > core.EvidenceFilesMax {
		return save, refuse(codeInput, "input has more texts or files than there are fields")
	}
	save.Texts = make(map[core.EvidenceField]string, len(in.Texts))
	for _, text := range in.Texts {
		if _, twice := save.Texts[text.Field]; twice {
			return save, refuse(codeInput, "input.texts must have each field once")
		}
		save.Texts[text.Field] = text.Text
	}
	for _, id := range in.RemoveFiles {
		file, err := parseID[core.FileID]("input.removeFiles", id)
		if err != nil {
			return save, err
		}
		save.Remove = append(save.Remove, file)
	}
	for _, file := range in.Files {
		if file.File.File == nil {
			return save, refuse(codeInput, "input.files must be sent as files of a multipart request")
		}
		content, err := io.ReadAll(io.LimitReader(file.File.File, core.EvidenceFileBytesMax+1))
		if err != nil {
			return save, fmt.Errorf("read an uploaded file: %w", err)
		}
		save.Files = append(save.Files, disputes.AddFile{Field: file.Field, Name: file.File.Filename, ContentType: file.File.ContentType, Content: content})
	}
	return save, nil
}

// checklist says of what answers a complaint best whether the draft has it.
func checklist(reason core.DisputeReason, draft *core.Evidence) []*model.EvidenceWanted {
	wanted := core.EvidenceWanted(reason)
	list := make([]*model.EvidenceWanted, len(wanted))
	for i, field := range wanted {
		list[i] = &model.EvidenceWanted{Field: field, IsFile: field.IsFile(), Saved: draft != nil && draft.Has(field)}
	}
	return list
}
