package core

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
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
	TraceID  string
	At       time.Time
	Previous string // hash of the entry before; empty for the first
	Hash     string
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

func (e AuditEntry) hash() string {
	sum := sha256.New()
	for _, part := range []string{
		e.Previous, strconv.FormatInt(e.Sequence, 10), string(e.ID), e.Actor, e.Action, e.Subject, e.Detail,
		e.TraceID, e.At.UTC().Format(time.RFC3339Nano),
	} {
		fmt.Fprintf(sum, "%d:%s;", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
