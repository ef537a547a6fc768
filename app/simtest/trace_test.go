package simtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// trace is what happened, line by line.
type trace struct {
	lines []string
	start time.Time
	clock interface{ Now() time.Time }
}

func (t *trace) add(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	t.lines = append(t.lines, fmt.Sprintf("%4d %-10s %s", len(t.lines), t.clock.Now().Sub(t.start).Truncate(time.Millisecond), short(line)))
}

// hash is the same for the same lines alone.
func (t *trace) hash() string {
	sum := sha256.New()
	for _, line := range t.lines {
		sum.Write([]byte(line + "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (t *trace) String() string { return strings.Join(t.lines, "\n") }

// short leaves out of ids, which are drawn by counting, what all of them have in common.
func short(text string) string {
	if !strings.Contains(text, "_0000") {
		return text
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "_0000")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteByte('_')
		text = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(after, "0"), "e"), "0")
	}
}
