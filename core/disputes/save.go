package disputes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/ports"
)

// Save is what changes in a draft at once.
type Save struct {
	Texts  map[core.EvidenceField]string // an empty text removes the field's
	Files  []AddFile                     // each in place of the one of the same field
	Remove []core.FileID
}

// Save changes a dispute's draft, all of it or nothing. Errors are those of [Service.SaveEvidence] and
// [Service.AddFile].
func (s *Service) Save(ctx context.Context, id core.DisputeID, in Save) (core.Evidence, error) {
	if err := checkSave(in); err != nil {
		return core.Evidence{}, err
	}
	files := make([]core.EvidenceFile, len(in.Files))
	for i, file := range in.Files {
		var err error
		if files[i], err = s.file(id, file); err != nil {
			return core.Evidence{}, err
		}
	}
	return s.edit(ctx, id, func(can ports.DisputeAbilities, draft *core.Evidence) (change, error) {
		if err := merge(draft, in.Texts, can); err != nil {
			return nil, err
		}
		return func(ctx context.Context, tx ports.Tx) error {
			for _, file := range in.Remove {
				if err := tx.DeleteEvidenceFile(ctx, id, file); err != nil {
					return err
				}
			}
			for i, file := range files {
				if err := tx.PutEvidenceFile(ctx, file, in.Files[i].Content); err != nil {
					return err
				}
			}
			return nil
		}, nil
	})
}

// PreviewSave gives the dispute whose draft [Service.Save] would change. Errors are those of its checks.
func (s *Service) PreviewSave(ctx context.Context, id core.DisputeID, in Save) (core.Dispute, error) {
	dispute, err := s.store.Dispute(ctx, id)
	if err == nil {
		err = checkSave(in)
	}
	if err != nil {
		return dispute, err
	}
	for _, file := range in.Files {
		if _, err := checkFile(file); err != nil {
			return dispute, err
		}
	}
	_, can, err := s.disputer(dispute.Account)
	switch {
	case err != nil:
		return dispute, err
	case !can.Evidence:
		return dispute, core.ErrNotSupported
	}
	draft, err := s.store.Evidence(ctx, id)
	if err == nil {
		err = merge(&draft, in.Texts, can)
	}
	if err == nil {
		err = dispute.CheckEdit(s.clock.Now())
	}
	if err != nil {
		return dispute, err
	}
	return dispute, s.free(ctx, id)
}

// checkSave says whether something is named twice, or there is nothing at all.
func checkSave(in Save) error {
	wrong := &check.Fields{}
	if len(in.Texts)+len(in.Files)+len(in.Remove) == 0 {
		wrong.Refuse("texts", "must change something, unless files or removeFiles do")
	}
	fields := make(map[core.EvidenceField]bool, len(in.Files))
	for _, file := range in.Files {
		if fields[file.Field] {
			wrong.Refuse("files", "must have one file for each field at most: %s has more", file.Field)
		}
		fields[file.Field] = true
	}
	return wrong.Err()
}

// merge puts texts into a draft, beside those that it has.
func merge(draft *core.Evidence, texts map[core.EvidenceField]string, can ports.DisputeAbilities) error {
	if err := checkTexts(texts, can); err != nil {
		return err
	}
	merged := maps.Clone(draft.Texts)
	if merged == nil {
		merged = map[core.EvidenceField]string{}
	}
	for field, text := range texts {
		if strings.TrimSpace(text) == "" {
			delete(merged, field)
		} else {
			merged[field] = text
		}
	}
	draft.Texts = merged
	return checkSum(merged, can)
}

// file is a checked file as it is stored.
func (s *Service) file(id core.DisputeID, in AddFile) (core.EvidenceFile, error) {
	contentType, err := checkFile(in)
	if err != nil {
		return core.EvidenceFile{}, err
	}
	return core.EvidenceFile{
		ID: core.NewID[core.FileID](s.ids.UUID()), Dispute: id, Field: in.Field, Name: plainName(in.Name), ContentType: contentType,
		Size: int64(len(in.Content)), SHA256: in.Sum(), CreatedAt: s.clock.Now(),
	}, nil
}

// Sum is the SHA-256 of the content, in hex.
func (f AddFile) Sum() string {
	sum := sha256.Sum256(f.Content)
	return hex.EncodeToString(sum[:])
}

// draftState is what the audit log shows of a draft: which fields it has, and nothing of what is in them.
func draftState(e core.Evidence) core.AuditState {
	var fields []core.EvidenceField
	for _, field := range append(core.EvidenceTexts(), core.EvidenceFiles()...) {
		if e.Has(field) {
			fields = append(fields, field)
		}
	}
	return core.AuditState{"version": e.Version, "fields": fields}
}
