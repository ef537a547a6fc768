package frames_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The frames' own policy forbids scripts and styles inside the documents that all stand-ins
// share, too.
func TestSharedDocumentsHoldNoInlineCode(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("assets/challenge.html")
	require.NoError(t, err)
	require.NotRegexp(t, `(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=`, string(text))
	require.Regexp(t, `id="complete-authentication"[^>]* disabled`, string(text), "no click before it can be answered")
}
