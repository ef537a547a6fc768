package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type evidenceRow struct {
	bun.BaseModel `bun:"table:evidence"`

	Dispute   core.DisputeID `bun:"dispute,pk"`
	Version   int64          `bun:"version"`
	Texts     []byte         `bun:"texts,nullzero"`
	UpdatedAt instant        `bun:"updated_at"`
}

// evidenceFileRow is a file without what is in it, so that no list ever loads that.
type evidenceFileRow struct {
	bun.BaseModel `bun:"table:evidence_files"`

	ID          core.FileID        `bun:"id,pk"`
	Dispute     core.DisputeID     `bun:"dispute"`
	Field       core.EvidenceField `bun:"field"`
	Name        []byte             `bun:"name,nullzero"`
	ContentType string             `bun:"content_type"`
	Size        int64              `bun:"size"`
	SHA256      string             `bun:"sha256"`
	CreatedAt   instant            `bun:"created_at"`
}

// evidenceContentRow is a whole file.
type evidenceContentRow struct {
	evidenceFileRow `bun:",extend"`

	Content []byte `bun:"content"`
}

const (
	placeEvidenceTexts   = "evidence.texts"
	placeEvidenceName    = "evidence_files.name"
	placeEvidenceContent = "evidence_files.content"
)

// checkEvidence holds a draft's texts to what no row may break, on write and on read. The error
// names fields and never their texts.
func checkEvidence(texts map[core.EvidenceField]string) error {
	sum := 0
	for field, text := range texts {
		if !slices.Contains(core.EvidenceTexts(), field) {
			return fmt.Errorf("evidence %q is no text", field)
		}
		chars := utf8.RuneCountInString(text)
		if chars == 0 || chars > core.EvidenceTextCharsMax {
			return fmt.Errorf("evidence %s has %d characters, allowed are 1 to %d", field, chars, core.EvidenceTextCharsMax)
		}
		sum += chars
	}
	if sum > core.EvidenceTextsCharsMax {
		return fmt.Errorf("evidence has %d characters, allowed are %d", sum, core.EvidenceTextsCharsMax)
	}
	return nil
}

func (s *Store) evidenceRow(e core.Evidence) (row evidenceRow, err error) {
	if err := checkTexts(e); err != nil { // first, since what follows tells of fields
		return row, err
	}
	if err := checkEvidence(e.Texts); err != nil {
		return row, err
	}
	row = evidenceRow{Dispute: e.Dispute, Version: e.Version, UpdatedAt: at(e.UpdatedAt)}
	texts, err := encode(e.Texts, "")
	if err != nil {
		return row, err
	}
	row.Texts, err = s.seal(placeEvidenceTexts, string(e.Dispute), []byte(texts))
	return row, err
}

func (s *Store) evidence(row evidenceRow) (core.Evidence, error) {
	e := core.Evidence{Dispute: row.Dispute, Version: row.Version, UpdatedAt: row.UpdatedAt.Time}
	texts, err := s.unseal(placeEvidenceTexts, string(row.Dispute), row.Texts)
	if err == nil {
		e.Texts, err = decode[map[core.EvidenceField]string](document(texts))
	}
	if err == nil {
		err = checkEvidence(e.Texts)
	}
	if err != nil {
		return core.Evidence{}, fmt.Errorf("evidence of %s: %w", row.Dispute, err)
	}
	return e, nil
}

// checkEvidenceFile holds a file to what no row may break, on write and on read.
func checkEvidenceFile(f core.EvidenceFile) error {
	switch {
	case !slices.Contains(core.EvidenceFiles(), f.Field):
		return fmt.Errorf("evidence %q is no file", f.Field)
	case f.Size < 1 || f.Size > core.EvidenceFileBytesMax:
		return fmt.Errorf("evidence file %s has %d bytes, allowed are 1 to %d", f.ID, f.Size, core.EvidenceFileBytesMax)
	}
	return nil
}

func (s *Store) evidenceFile(row evidenceFileRow) (core.EvidenceFile, error) {
	f := core.EvidenceFile{
		ID: row.ID, Dispute: row.Dispute, Field: row.Field, ContentType: row.ContentType, Size: row.Size,
		SHA256: row.SHA256, CreatedAt: row.CreatedAt.Time,
	}
	name, err := s.unseal(placeEvidenceName, string(row.ID), row.Name)
	f.Name = string(name)
	if err := errors.Join(err, checkEvidenceFile(f)); err != nil {
		return core.EvidenceFile{}, err
	}
	return f, nil
}

// Evidence gives a dispute's draft with its files, without what is in them.
func (s *Store) Evidence(ctx context.Context, dispute core.DisputeID) (core.Evidence, error) {
	e, err := s.evidenceOf(ctx, s.read, dispute)
	return e, s.failed(ctx, err, "read evidence of %s", dispute)
}

// evidenceOf is one dispute's draft; zero where nothing was saved.
func (s *Store) evidenceOf(ctx context.Context, db bun.IDB, dispute core.DisputeID) (core.Evidence, error) {
	drafts, err := s.drafts(ctx, db, []core.DisputeID{dispute})
	return drafts[dispute], err
}

// EvidenceOfDisputes gives the drafts of several disputes, by two statements however many they are.
func (s *Store) EvidenceOfDisputes(ctx context.Context, disputes []core.DisputeID) ([]core.Evidence, error) {
	if len(disputes) == 0 {
		return nil, nil
	}
	if err := checkLimit(len(disputes)); err != nil {
		return nil, fmt.Errorf("read evidence of disputes: %w", err)
	}
	drafts, err := s.drafts(ctx, s.read, disputes)
	if err != nil {
		return nil, s.failed(ctx, err, "read evidence of disputes")
	}
	return slices.Collect(maps.Values(drafts)), nil
}

// drafts puts drafts together. Files can be there before the draft was first saved.
func (s *Store) drafts(ctx context.Context, db bun.IDB, disputes []core.DisputeID) (map[core.DisputeID]core.Evidence, error) {
	var rows []evidenceRow
	if err := db.NewSelect().Model(&rows).Where("dispute IN ?", bun.Tuple(disputes)).Scan(ctx); err != nil {
		return nil, err
	}
	var files []evidenceFileRow
	err := db.NewSelect().Model(&files).Where("dispute IN ?", bun.Tuple(disputes)).Order("created_at", "id").
		Limit(int64(core.EvidenceFilesMax * len(disputes))).Scan(ctx)
	if err != nil {
		return nil, err
	}
	drafts := make(map[core.DisputeID]core.Evidence, len(rows))
	for _, row := range rows {
		if drafts[row.Dispute], err = s.evidence(row); err != nil {
			return nil, err
		}
	}
	for _, row := range files {
		file, err := s.evidenceFile(row)
		if err != nil {
			return nil, err
		}
		draft := drafts[row.Dispute]
		draft.Dispute, draft.Files = row.Dispute, append(draft.Files, file)
		drafts[row.Dispute] = draft
	}
	return drafts, nil
}

// EvidenceContent gives what is in a file.
func (s *Store) EvidenceContent(ctx context.Context, id core.FileID) ([]byte, error) {
	var row evidenceContentRow
	err := s.read.NewSelect().Model(&row).Column("content").Where("id = ?", id).Scan(ctx)
	if err == nil {
		row.Content, err = s.unseal(placeEvidenceContent, string(id), row.Content)
	}
	if err != nil {
		return nil, s.failed(ctx, err, "read evidence file %s", id)
	}
	return row.Content, nil
}

// SaveEvidence stores a draft's texts under the next version.
func (t *tx) SaveEvidence(ctx context.Context, e core.Evidence) (core.Evidence, error) {
	before := e.Version
	e.Version++
	row, err := t.store.evidenceRow(e)
	if err == nil {
		var result sql.Result
		if before == 0 {
			result, err = t.tx.NewInsert().Model(&row).On("CONFLICT (dispute) DO NOTHING").Returning("NULL").Exec(ctx)
		} else {
			result, err = t.tx.NewUpdate().Model(&row).WherePK().Where("version = ?", before).Exec(ctx)
		}
		err = affected(result, err, ports.ErrConflict)
	}
	var stored core.Evidence
	if err == nil {
		stored, err = t.store.evidenceOf(ctx, t.tx, e.Dispute)
	}
	return stored, t.failed(ctx, err, "save evidence of %s", e.Dispute)
}

// errSize means that a file is not as long as it says.
var errSize = errors.New("size is not the content's")

// PutEvidenceFile stores a file in place of the one of the same field, if any.
func (t *tx) PutEvidenceFile(ctx context.Context, f core.EvidenceFile, content []byte) error {
	row, err := t.store.evidenceContentRow(f, content)
	if err == nil {
		_, err = t.tx.NewDelete().Model((*evidenceFileRow)(nil)).Where("dispute = ?", f.Dispute).Where("field = ?", f.Field).Exec(ctx)
	}
	if err == nil {
		err = t.insert(ctx, &row)
	}
	return t.failed(ctx, err, "put evidence file %s", f.ID)
}

func (s *Store) evidenceContentRow(f core.EvidenceFile, content []byte) (row evidenceContentRow, err error) {
	if err := errors.Join(checkTexts(f), checkEvidenceFile(f)); err != nil {
		return row, err
	}
	if f.Size != int64(len(content)) {
		return row, errSize
	}
	row.evidenceFileRow = evidenceFileRow{
		ID: f.ID, Dispute: f.Dispute, Field: f.Field, ContentType: f.ContentType, Size: f.Size, SHA256: f.SHA256,
		CreatedAt: at(f.CreatedAt),
	}
	var failed [2]error
	row.Name, failed[0] = s.seal(placeEvidenceName, string(f.ID), []byte(f.Name))
	row.Content, failed[1] = s.seal(placeEvidenceContent, string(f.ID), content)
	return row, errors.Join(failed[:]...)
}

// DeleteEvidenceFile removes a file.
func (t *tx) DeleteEvidenceFile(ctx context.Context, dispute core.DisputeID, id core.FileID) error {
	result, err := t.tx.NewDelete().Model((*evidenceFileRow)(nil)).Where("id = ?", id).Where("dispute = ?", dispute).Exec(ctx)
	return t.failed(ctx, affected(result, err, ports.ErrNotFound), "delete evidence file %s", id)
}
