package httpapi_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

// The example of docs/notifications.md for those who ask gets all events, over several pages, in order.
func TestThePollerOfTheDocumentation(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		require.NotEqual(t, "true", os.Getenv("CI"), "no python3 on the path")
		t.Skip("no python3 on the path")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "notifications.md"))
	require.NoError(t, err)
	_, chapter, ok := strings.Cut(string(text), "\n## Asking instead\n")
	require.True(t, ok)
	_, block, ok := strings.Cut(chapter, "\n```python\n")
	require.True(t, ok)
	block, _, ok = strings.Cut(block, "\n```\n")
	require.True(t, ok)
	file := filepath.Join(t.TempDir(), "poller.py")
	require.NoError(t, os.WriteFile(file, []byte(block), 0o600))

	h := newHouse(t)
	server := httptest.NewServer(h.api)
	t.Cleanup(server.Close)
	const count, after = 203, 2
	var want strings.Builder
	for n := range count {
		payment := h.Start(h.Open(core.CaptureAutomatic).ID)
		if n >= after {
			fmt.Fprintf(&want, "%d payment.requires_action %s\n", n+1, payment.ID)
		}
	}
	command := exec.CommandContext(t.Context(), python, file)
	command.Env = append(os.Environ(), "PAYDESK_URL="+server.URL, "PAYDESK_KEY="+secret, fmt.Sprint("AFTER=", after))
	printed, err := command.CombinedOutput()
	require.NoError(t, err, "%s", printed)
	require.Equal(t, want.String(), string(printed))
}
