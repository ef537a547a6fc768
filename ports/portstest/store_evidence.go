package portstest

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullFile has every field of a file, whose content is as long as it says.
func fullFile(dispute core.DisputeID, field core.EvidenceField, content []byte) core.EvidenceFile {
	id := storeID[core.FileID]()
	return core.EvidenceFile{
		ID: id, Dispute: dispute, Field: field, Name: "receipt of " + string(id) + ".pdf", ContentType: "application/pdf",
		Size: int64(len(content)), SHA256: strings.Repeat("0f", 32), CreatedAt: minutes(1),
	}
}

func putFile(t testing.TB, store ports.Store, f core.EvidenceFile, content []byte) error {
	t.Helper()
	return store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.PutEvidenceFile(ctx, f, content) })
}

// storedDispute stores a dispute for others to refer to.
func storedDispute(t testing.TB, store ports.Store) core.DisputeID {
	t.Helper()
	return write(t, store, ports.Tx.InsertDispute, newDispute(t, storedPayment(t, store))).ID
}

func evidenceDraft(t *testing.T, store ports.Store) {
	ctx := t.Context()
	dispute := storedDispute(t, store)
	none, err := store.Evidence(ctx, dispute)
	require.NoError(t, err)
	require.Zero(t, none)

	texts := make(map[core.EvidenceField]string)
	for i, field := range core.EvidenceTexts() {
		texts[field] = oddTexts[i%len(oddTexts)]
	}
	draft := core.Evidence{Dispute: dispute, Texts: texts, UpdatedAt: rough(minutes(3))}
	stored := write(t, store, ports.Tx.SaveEvidence, draft)
	want := core.Evidence{Dispute: dispute, Version: 1, Texts: texts, UpdatedAt: minutes(3)}
	require.Equal(t, want, stored)
	read, err := store.Evidence(ctx, dispute)
	require.NoError(t, err)
	require.Equal(t, want, read)

	require.ErrorIs(t, tryWrite(t, store, ports.Tx.SaveEvidence, draft), ports.ErrConflict, "somebody saved one first")
	stored.Texts, stored.UpdatedAt = map[core.EvidenceField]string{core.EvidenceServiceDate: "2026-01-02"}, minutes(4)
	next := write(t, store, ports.Tx.SaveEvidence, stored)
	want.Version, want.Texts, want.UpdatedAt = 2, stored.Texts, minutes(4)
	require.Equal(t, want, next, "all of the texts are what was given last")
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.SaveEvidence, stored), ports.ErrConflict, "the version before")
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.SaveEvidence(ctx, stored)
		require.ErrorIs(t, err, ports.ErrConflict)
		_, err = tx.SaveEvidence(ctx, draft)
		require.ErrorIs(t, err, ports.ErrConflict)
		next.Texts = map[core.EvidenceField]string{}
		next, err = tx.SaveEvidence(ctx, next)
		return err // a conflict does not end the transaction
	})
	read, err = store.Evidence(ctx, dispute)
	require.NoError(t, err)
	require.Equal(t, core.Evidence{Dispute: dispute, Version: 3, UpdatedAt: minutes(4)}, read)

	for name, texts := range map[string]map[core.EvidenceField]string{
		"a field that is none":    {"other": "x"},
		"a field of files":        {core.EvidenceReceipt: "x"},
		"an empty text":           {core.EvidenceServiceDate: ""},
		"a text that is too long": {core.EvidenceOtherText: strings.Repeat("é", core.EvidenceTextCharsMax+1)},
	} {
		bad := read
		bad.Texts = texts
		require.Error(t, tryWrite(t, store, ports.Tx.SaveEvidence, bad), name)
	}
	longest := read
	longest.Texts = map[core.EvidenceField]string{core.EvidenceOtherText: strings.Repeat("é", core.EvidenceTextCharsMax)}
	require.Equal(t, longest.Texts, write(t, store, ports.Tx.SaveEvidence, longest).Texts)
	ours := core.Evidence{Dispute: storeID[core.DisputeID](), Texts: texts, UpdatedAt: minutes(3)}
	require.Error(t, tryWrite(t, store, ports.Tx.SaveEvidence, ours), "of a dispute that is not there")
}

func evidenceFiles(t *testing.T, store ports.Store) {
	ctx := t.Context()
	dispute, other := storedDispute(t, store), storedDispute(t, store)
	largest := bytes.Repeat([]byte("%PDF\x00\xff"), core.EvidenceFileBytesMax/6)
	receipt := fullFile(dispute, core.EvidenceReceipt, largest)
	requireFull(t, receipt)
	signature := fullFile(dispute, core.EvidenceSignature, []byte("x"))
	signature.CreatedAt = minutes(0)
	theirs := fullFile(other, core.EvidenceReceipt, []byte("theirs"))
	roughly := receipt
	roughly.CreatedAt = rough(receipt.CreatedAt)
	require.NoError(t, putFile(t, store, roughly, largest))
	require.NoError(t, putFile(t, store, signature, []byte("x")))
	require.NoError(t, putFile(t, store, theirs, []byte("theirs")))
	requireFiles := func(want ...core.EvidenceFile) {
		t.Helper()
		read, err := store.Evidence(ctx, dispute)
		require.NoError(t, err)
		require.Equal(t, core.Evidence{Dispute: dispute, Files: want}, read, "also before anything was saved")
	}
	requireFiles(signature, receipt)
	requireContent := func(id core.FileID, want []byte) {
		t.Helper()
		content, err := store.EvidenceContent(ctx, id)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, content))
	}
	requireContent(receipt.ID, largest)
	requireContent(theirs.ID, []byte("theirs"))

	next := fullFile(dispute, core.EvidenceReceipt, []byte("another"))
	require.NoError(t, putFile(t, store, next, []byte("another")), "in place of the one before")
	requireFiles(signature, next)
	requireContent(next.ID, []byte("another"))
	for _, id := range []core.FileID{receipt.ID, "", storeID[core.FileID]()} {
		_, err := store.EvidenceContent(ctx, id)
		require.ErrorIs(t, err, ports.ErrNotFound, "file %q", id)
	}

	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		require.ErrorIs(t, tx.DeleteEvidenceFile(ctx, other, next.ID), ports.ErrNotFound, "another dispute's")
		require.ErrorIs(t, tx.DeleteEvidenceFile(ctx, dispute, receipt.ID), ports.ErrNotFound)
		return tx.DeleteEvidenceFile(ctx, dispute, signature.ID)
	})
	requireFiles(next)
	saved := write(t, store, ports.Tx.SaveEvidence, core.Evidence{Dispute: dispute, UpdatedAt: minutes(3)})
	require.Equal(t, []core.EvidenceFile{next}, saved.Files, "files are there beside the texts")
	evidenceFilesRefused(t, store, dispute)
	read, err := store.Evidence(ctx, dispute)
	require.NoError(t, err)
	require.Equal(t, saved, read)
}

func evidenceFilesRefused(t *testing.T, store ports.Store, dispute core.DisputeID) {
	t.Helper()
	content := []byte("content")
	for name, breakIt := range map[string]func(*core.EvidenceFile){
		"a field of texts":         func(f *core.EvidenceFile) { f.Field = core.EvidenceServiceDate },
		"a field that is none":     func(f *core.EvidenceFile) { f.Field = "" },
		"another size":             func(f *core.EvidenceFile) { f.Size++ },
		"another sort":             func(f *core.EvidenceFile) { f.ContentType = "text/html" },
		"no checksum":              func(f *core.EvidenceFile) { f.SHA256 = "" },
		"of no dispute":            func(f *core.EvidenceFile) { f.Dispute = storeID[core.DisputeID]() },
		"the id of another's file": func(f *core.EvidenceFile) { f.ID = writtenFile(t, store) },
	} {
		f := fullFile(dispute, core.EvidenceReceipt, content)
		breakIt(&f)
		require.Error(t, putFile(t, store, f, content), name)
	}
	for _, size := range []int{0, core.EvidenceFileBytesMax + 1} {
		content := make([]byte, size)
		require.Error(t, putFile(t, store, fullFile(dispute, core.EvidenceReceipt, content), content), "of %d bytes", size)
	}
}

// writtenFile stores a file of another dispute.
func writtenFile(t testing.TB, store ports.Store) core.FileID {
	t.Helper()
	f := fullFile(storedDispute(t, store), core.EvidenceReceipt, []byte("x"))
	require.NoError(t, putFile(t, store, f, []byte("x")))
	return f.ID
}
