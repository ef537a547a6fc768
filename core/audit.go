package core

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AuditEntry is one line of the audit log: who did, or was refused, what. Each line
// carries the hash of the one before, so that a changed, removed or reordered line shows.
type AuditEntry struct {
	ID       AuditID
	Sequence int64  // 1 for the first; given by the store
	Actor    string // staff id, API key id, or "cli"
	Action   string // "key.create", "query.forbidden", …
	Subject  string // id of what was acted on; may be empty
	Detail   string // free of secrets and personal data
	// Before and After are what the action changed, each as JSON; empty where it changed nothing, and
	// Before where nothing was there. No secrets and no personal data.
	Before, After string
	From          string // network address that it came from; empty for the command line
	TraceID       string
	At            time.Time
	Previous      string // hash of the entry before; empty for the first
	Hash          string
}

// Seal gives the entry its place in the chain after the one with the given sequence
// and hash (0 and empty for the start of the log).
func (e AuditEntry) Seal(previousSequence int64, previousHash string) AuditEntry {
	e.Sequence, e.Previous = previousSequence+1, previousHash
	e.Hash = e.hash()
	return e
}

// Follows reports what breaks the chain between an entry and the one before it, or nil.
func (e AuditEntry) Follows(previousSequence int64, previousHash string) error {
	switch {
	case e.Sequence != previousSequence+1:
		return fmt.Errorf("audit entry %d follows %d", e.Sequence, previousSequence)
	case e.Previous != previousHash:
		return fmt.Errorf("audit entry %d does not carry the hash of the one before", e.Sequence)
	case e.Hash != e.hash():
		return fmt.Errorf("audit entry %d was changed", e.Sequence)
	}
	return nil
}

// hash covers the whole line. Lines from before there were Before, After and From are hashed without
// them, as are those that have none of the three: every part carries its length, so that no line of
// one form has the hash of another.
func (e AuditEntry) hash() string {
	parts := []string{
		e.Previous, strconv.FormatInt(e.Sequence, 10), string(e.ID), e.Actor, e.Action, e.Subject, e.Detail,
		e.TraceID, e.At.UTC().Format(time.RFC3339Nano),
	}
	if e.Before != "" || e.After != "" || e.From != "" {
		parts = append(parts, e.Before, e.After, e.From)
	}
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s;", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// AuditMark names a line of the audit log. Kept outside of the database, it shows whether all up to it
// is still there.
type AuditMark struct {
	Sequence int64 // 0 for the start of the log
	Hash     string
}

// String is the form in which marks are kept: sequence, colon, hash.
func (m AuditMark) String() string { return strconv.FormatInt(m.Sequence, 10) + ":" + m.Hash }

// ParseAuditMark reads what [AuditMark.String] wrote.
func ParseAuditMark(text string) (AuditMark, error) {
	number, hash, _ := strings.Cut(text, ":")
	sequence, err := strconv.ParseInt(number, 10, 64)
	if raw, bad := hex.DecodeString(hash); err != nil || sequence < 1 || bad != nil || len(raw) != sha256.Size {
		return AuditMark{}, fmt.Errorf("must be SEQUENCE:HASH as audit verify printed it")
	}
	return AuditMark{Sequence: sequence, Hash: hash}, nil
}

// AuditState is what a line of the audit log shows of a subject before or after: names as the API
// uses them, and no personal data.
type AuditState map[string]any
