package core_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

// What was written before lines told of states and addresses stays valid.
func TestOldLinesOfTheAuditLogKeepTheirHash(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	old := core.AuditEntry{ID: "aud_1", Actor: "cli", Action: "api_key.create", Subject: "key_1", Detail: "shop", TraceID: "t", At: at}.Seal(6, "before")
	var text strings.Builder
	for _, part := range []string{"before", strconv.Itoa(7), "aud_1", "cli", "api_key.create", "key_1", "shop", "t", at.Format(time.RFC3339Nano)} {
		fmt.Fprintf(&text, "%d:%s;", len(part), part)
	}
	sum := sha256.Sum256([]byte(text.String()))
	require.Equal(t, hex.EncodeToString(sum[:]), old.Hash)
	require.NoError(t, old.Follows(6, "before"))
}

func TestEveryFieldOfALineIsHashed(t *testing.T) {
	t.Parallel()
	whole := core.AuditEntry{
		ID: "aud_1", Actor: "usr_1", Action: "payment.capture", Subject: "pay_1", Detail: "d", Before: `{"a":1}`, After: `{"a":2}`, From: "192.0.2.7", TraceID: "t", At: time.Unix(1, 0),
	}.Seal(0, "")
	require.NoError(t, whole.Follows(0, ""))
	for name, change := range map[string]func(*core.AuditEntry){
		"id": func(e *core.AuditEntry) { e.ID = "aud_2" }, "actor": func(e *core.AuditEntry) { e.Actor = "usr_2" },
		"action": func(e *core.AuditEntry) { e.Action = "x" }, "subject": func(e *core.AuditEntry) { e.Subject = "" },
		"detail": func(e *core.AuditEntry) { e.Detail = "" }, "before": func(e *core.AuditEntry) { e.Before = "" },
		"after": func(e *core.AuditEntry) { e.After = "" }, "from": func(e *core.AuditEntry) { e.From = "192.0.2.8" },
		"all three": func(e *core.AuditEntry) { e.Before, e.After, e.From = "", "", "" },
		"swapped":   func(e *core.AuditEntry) { e.Before, e.After = e.After, e.Before },
		"trace":     func(e *core.AuditEntry) { e.TraceID = "" }, "time": func(e *core.AuditEntry) { e.At = e.At.Add(1) },
	} {
		changed := whole
		change(&changed)
		require.Error(t, changed.Follows(0, ""), name)
	}
}

func TestAuditMarks(t *testing.T) {
	t.Parallel()
	mark := core.AuditMark{Sequence: 41, Hash: strings.Repeat("ab", sha256.Size)}
	read, err := core.ParseAuditMark(mark.String())
	require.NoError(t, err)
	require.Equal(t, mark, read)
	for _, bad := range []string{"", "41", "41:", "0:" + mark.Hash, "-1:" + mark.Hash, "x:" + mark.Hash, "41:abc", "41:" + mark.Hash + "00"} {
		_, err := core.ParseAuditMark(bad)
		require.Error(t, err, bad)
	}
}
