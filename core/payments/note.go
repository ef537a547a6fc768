package payments

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// noteMax is the longest note of staff, in characters.
const noteMax = 4000

// AddNote is what a member of staff writes into a payment's history.
type AddNote struct {
	Payment    core.PaymentID
	Text       string
	RequestKey core.RequestKey // empty for none
	Cause      core.Cause
}

// AddNote adds a note to a payment's history, once per RequestKey. Errors: a *[core.InvalidError];
// [ports.ErrNotFound].
func (s *Service) AddNote(ctx context.Context, in AddNote) (core.TimelineEntry, error) {
	var entry core.TimelineEntry
	text, err := checkNote(in.Text)
	if err != nil {
		return entry, err
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		payment, err := tx.LockPayment(ctx, in.Payment)
		if err != nil {
			return err
		}
		entry = s.record.Entry(ctx, payment, core.TimelineNote, in.Cause)
		entry.Text = text
		if in.RequestKey != "" {
			entry.ID = noteID(in.RequestKey)
		}
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return err
		}
		return s.record.Acted(ctx, tx, record.Change{Subject: string(in.Payment), After: core.AuditState{"note": entry.ID}})
	})
	if errors.Is(err, ports.ErrDuplicate) && in.RequestKey != "" {
		return entry, nil // the same call added it before
	}
	if err != nil {
		return entry, fmt.Errorf("add a note to %s: %w", in.Payment, err)
	}
	return entry, nil
}

// PreviewNote reports why a note cannot be added, or nil. Errors are those of [Service.AddNote].
func (s *Service) PreviewNote(ctx context.Context, id core.PaymentID, text string) error {
	if _, err := checkNote(text); err != nil {
		return err
	}
	_, err := s.store.Payment(ctx, id)
	return err
}

// noteID is the same for the same call, so that its repetition is found.
func noteID(key core.RequestKey) core.TimelineID {
	var id [16]byte
	sum := sha256.Sum256([]byte("note\x00" + string(key)))
	copy(id[:], sum[:])
	return core.NewID[core.TimelineID](id)
}

func checkNote(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	wrong := &check.Fields{}
	switch length := utf8.RuneCountInString(text); {
	case length < 1 || length > noteMax:
		wrong.Refuse("text", "must have 1 to %d characters", noteMax)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
		wrong.Refuse("text", "must be text without control characters but for line breaks and tabs")
	case core.HasCardNumber(text):
		wrong.Refuse("text", "holds what looks like a card number, which must not be kept")
	}
	return text, wrong.Err()
}

func isControl(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }
