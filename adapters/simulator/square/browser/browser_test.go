package browser_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/square/browser"
)

const (
	applicationID = "sandbox-sq0idb-1"
	locationID    = "L1"
)

func get(t *testing.T, handler http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestScript(t *testing.T) {
	t.Parallel()
	handler := browser.Handler("/square", applicationID, locationID)
	w := get(t, handler, "/square/v1/square.js")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "cross-origin", w.Header().Get("Cross-Origin-Resource-Policy"))
	require.Contains(t, w.Body.String(), "window.Square = ")
	again := get(t, handler, "/square/v1/square.js", "If-None-Match", w.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.Code)
	require.Empty(t, again.Body.String())
}

func TestFrames(t *testing.T) {
	t.Parallel()
	handler := browser.Handler("/square", applicationID, locationID)
	for page, id := range map[string]string{"card-frame": "card-number", "challenge": "complete-authentication"} {
		w := get(t, handler, "/square/v1/"+page+"?key="+applicationID+"/"+locationID)
		require.Equal(t, http.StatusOK, w.Code, page)
		require.Contains(t, w.Body.String(), id)
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")

		for _, key := range []string{applicationID, locationID, applicationID + "/L2", "sandbox-sq0idb-2/" + locationID, ""} {
			refused := get(t, handler, "/square/v1/"+page+"?key="+key)
			require.Equal(t, http.StatusUnauthorized, refused.Code, page, key)
			require.NotContains(t, refused.Body.String(), id)
			require.Contains(t, refused.Body.String(), "refused.js")
		}
	}
}

func TestNothingElseIsThere(t *testing.T) {
	t.Parallel()
	handler := browser.Handler("/square", applicationID, locationID)
	for _, path := range []string{
		"/square/v1/", "/square/v1/elsewhere", "/square/v1/assets/", "/square/v1/assets/none.js", "/square/v1/assets/..%2fbrowser.go",
	} {
		require.Equal(t, http.StatusNotFound, get(t, handler, path).Code, path)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/square/v1/square.js", nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// The frames' own policy forbids scripts and styles inside the documents.
func TestDocumentsHoldNoInlineCode(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=`)
	files, err := fs.Glob(os.DirFS("assets"), "*.html")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile("assets/" + file)
		require.NoError(t, err)
		require.False(t, inline.Match(text), file)
		for _, reference := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			require.True(t, strings.HasPrefix(reference[1], "assets/"), reference[1])
			w := get(t, browser.Handler("/square", applicationID, locationID), "/square/v1/"+reference[1])
			require.Equal(t, http.StatusOK, w.Code, reference[1])
		}
	}
}
