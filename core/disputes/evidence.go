package disputes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// fileNameMax is how long the name of a file may be, in characters; the end of a longer one is cut.
const fileNameMax = 200

// Evidence gives a dispute's draft as it was saved.
func (s *Service) Evidence(ctx context.Context, id core.DisputeID) (core.Evidence, error) {
	if _, err := s.store.Dispute(ctx, id); err != nil {
		return core.Evidence{}, err
	}
	return s.store.Evidence(ctx, id)
}

// SaveEvidence puts texts into a dispute's draft, beside those that it has. An empty text removes
// the field's.
//
// Errors: a *[core.InvalidError] that names every field; [ports.ErrNotFound];
// [core.ErrDisputeClosed]; [core.ErrEvidenceSubmitted]; [core.ErrEvidenceLate];
// [core.ErrNotSupported]; [core.ErrOperationOpen] while the draft is being submitted.
func (s *Service) SaveEvidence(ctx context.Context, id core.DisputeID, texts map[core.EvidenceField]string) (core.Evidence, error) {
	return s.edit(ctx, id, func(can ports.DisputeAbilities, draft *core.Evidence) (change, error) {
		return nil, merge(draft, texts, can)
	})
}

// checkTexts says what is wrong with each of the texts.
func checkTexts(texts map[core.EvidenceField]string, can ports.DisputeAbilities) error {
	most := least(core.EvidenceTextCharsMax, can.TextCharsMax)
	wrong := &check.Fields{}
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		name, text := "texts."+string(field), texts[field]
		switch {
		case !field.IsText():
			wrong.Refuse(name, "is no text of a dispute's evidence")
		case utf8.RuneCountInString(text) > most:
			wrong.Refuse(name, "must have at most %d characters at this provider", most)
		case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
			wrong.Refuse(name, "must be text without control characters but for line breaks and tabs")
		}
	}
	return wrong.Err()
}

// checkSum says whether all texts of a draft together are too long.
func checkSum(texts map[core.EvidenceField]string, can ports.DisputeAbilities) error {
	sum, most := 0, least(core.EvidenceTextsCharsMax, can.TextsCharsMax)
	for _, text := range texts {
		sum += utf8.RuneCountInString(text)
	}
	if sum > most {
		return invalid("texts", fmt.Sprintf("must have at most %d characters together at this provider", most))
	}
	return nil
}

// least is the smaller of our limit and a provider's, of which 0 is none.
func least(ours, theirs int) int {
	if theirs > 0 {
		return min(ours, theirs)
	}
	return ours
}

func isControl(r rune) bool {
	return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f
}

func invalid(field, message string) error {
	return &core.InvalidError{Fields: []core.FieldError{{Field: field, Message: message}}}
}

// AddFile is a file for a dispute's draft.
type AddFile struct {
	Field       core.EvidenceField
	Name        string // as it was uploaded
	ContentType string // as it was declared; may have parameters
	Content     []byte
}

// AddFile puts a file into a dispute's draft, in place of the one of the same field. The declared
// type must be what the first bytes prove. Errors are those of [Service.SaveEvidence].
func (s *Service) AddFile(ctx context.Context, id core.DisputeID, in AddFile) (core.EvidenceFile, error) {
	file, err := s.file(id, in)
	if err != nil {
		return file, err
	}
	_, err = s.edit(ctx, id, func(ports.DisputeAbilities, *core.Evidence) (change, error) {
		return func(ctx context.Context, tx ports.Tx) error { return tx.PutEvidenceFile(ctx, file, in.Content) }, nil
	})
	return file, err
}

// checkFile gives the type of a file that may be evidence, or says what is wrong with it.
func checkFile(in AddFile) (string, error) {
	proven := core.EvidenceContentType(in.Content)
	declared, _, err := mime.ParseMediaType(in.ContentType)
	switch {
	case !in.Field.IsFile():
		return "", invalid("field", "is no file of a dispute's evidence")
	case core.HasCardNumber(in.Name):
		return "", invalid("file", "has a name that holds what looks like a card number")
	case len(in.Content) == 0:
		return "", invalid("file", "is empty")
	case len(in.Content) > core.EvidenceFileBytesMax:
		return "", invalid("file", fmt.Sprintf("must not be larger than %d bytes", core.EvidenceFileBytesMax))
	case err != nil || !slices.Contains([]string{"image/jpeg", "image/png", "application/pdf"}, declared):
		return "", invalid("file", "must be declared as image/jpeg, image/png or application/pdf")
	case proven != declared:
		return "", invalid("file", "is not of the type that it is declared as")
	}
	return proven, nil
}

// plainName is a file's name without folders and control characters.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	runes := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, name))
	if len(runes) == 0 {
		return "file"
	}
	return string(runes[:min(len(runes), fileNameMax)])
}

// RemoveFile takes a file out of a dispute's draft. Errors are those of [Service.SaveEvidence].
func (s *Service) RemoveFile(ctx context.Context, id core.DisputeID, file core.FileID) error {
	_, err := s.edit(ctx, id, func(ports.DisputeAbilities, *core.Evidence) (change, error) {
		return func(ctx context.Context, tx ports.Tx) error { return tx.DeleteEvidenceFile(ctx, id, file) }, nil
	})
	return err
}

// change is what a change of a draft does beside its texts; nil for nothing.
type change func(ctx context.Context, tx ports.Tx) error

// edit changes a draft that may be changed. Every change of it, of its files too, gives it another
// version, so that of two at the same time one starts over.
func (s *Service) edit(ctx context.Context, id core.DisputeID, do func(can ports.DisputeAbilities, draft *core.Evidence) (change, error)) (core.Evidence, error) {
	dispute, err := s.store.Dispute(ctx, id)
	if err != nil {
		return core.Evidence{}, err
	}
	_, can, err := s.disputer(dispute.Account)
	if err == nil && !can.Evidence {
		err = core.ErrNotSupported
	}
	if err != nil {
		return core.Evidence{}, err
	}
	for range saveTriesMax {
		draft, err := s.store.Evidence(ctx, id)
		if err != nil {
			return draft, err
		}
		before := draftState(draft)
		draft.Dispute, draft.UpdatedAt = id, s.clock.Now()
		more, err := do(can, &draft)
		if err != nil {
			return draft, err
		}
		err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			if err := s.mayEdit(ctx, tx, id); err != nil {
				return err
			}
			if _, err := tx.SaveEvidence(ctx, draft); err != nil {
				return err
			}
			if more != nil {
				if err := more(ctx, tx); err != nil {
					return err
				}
			}
			return s.record.Acted(ctx, tx, record.Change{Subject: string(id), Before: before, After: core.AuditState{"version": draft.Version + 1}})
		})
		if err == nil {
			return s.store.Evidence(ctx, id)
		}
		if !errors.Is(err, ports.ErrConflict) {
			return draft, fmt.Errorf("change evidence of %s: %w", id, err)
		}
	}
	return core.Evidence{}, fmt.Errorf("change evidence of %s: %w", id, ports.ErrConflict)
}

// mayEdit reports why the draft of a dispute, which it locks, cannot be changed now, or nil.
func (s *Service) mayEdit(ctx context.Context, tx ports.Tx, id core.DisputeID) error {
	dispute, err := tx.LockDispute(ctx, id)
	if err != nil {
		return err
	}
	if err := dispute.CheckEdit(s.clock.Now()); err != nil {
		return err
	}
	operations, err := tx.SubjectOperations(ctx, string(id))
	if err != nil {
		return err
	}
	for _, op := range operations {
		if !op.Status.Settled() {
			return core.ErrOperationOpen
		}
	}
	return nil
}
