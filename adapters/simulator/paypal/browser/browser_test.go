package browser_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/paypal/browser"
)

const client = "AeA1witness"

func handler() http.Handler { return browser.Handler("/paypal", client, []string{"EUR", "JPY"}) }

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	return w
}

func TestScript(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"client-id=" + client, "client-id=" + client + "&currency=JPY&intent=authorize&components=buttons,card-fields&commit=true",
	} {
		w := get(t, "/paypal/sdk/js?"+query)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
		require.Equal(t, "cross-origin", w.Header().Get("Cross-Origin-Resource-Policy"))
		require.Contains(t, w.Body.String(), "made.Buttons")
		again := get(t, "/paypal/sdk/js?"+query, "If-None-Match", w.Header().Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.Code)
	}
}

func TestScriptIsAskedForRightly(t *testing.T) {
	t.Parallel()
	for query, problem := range map[string]string{
		"": "client-id", "client-id=": "client-id", "client-id=other": "client-id", "client-id=" + client + "&currency=KWD": "currency", "client-id=" + client + "&currency=eur": "currency",
		"client-id=" + client + "&intent=sale": "intent", "client-id=" + client + "&components=wallet": "components", "client-id=" + client + "&components=": "components",
		"client-id=" + client + "&amount=1":                                             "disallowed query param: amount",
		"client-id=" + client + "&" + url.QueryEscape(`x');alert(1)//</script>`) + "=1": "disallowed",
	} {
		w := get(t, "/paypal/sdk/js?"+query)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		body := w.Body.String()
		require.Contains(t, body, problem)
		require.Regexp(t, `^throw new Error\("[^"<>\n]*"\);\n$`, body, "all that was asked stays inside of the text")
		require.NotContains(t, body, "made.Buttons")
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for page, id := range map[string]string{
		"button": "paypal-button", "approve": "card-number", "challenge": "complete-authentication", "card-name": "field.js", "card-number": "field.js",
		"card-expiry": "field.js", "card-cvc": "field.js",
	} {
		w := get(t, "/paypal/sdk/"+page+"?key="+client)
		require.Equal(t, http.StatusOK, w.Code, page)
		require.Contains(t, w.Body.String(), id)
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")
		refused := get(t, "/paypal/sdk/"+page+"?key=other")
		require.Equal(t, http.StatusUnauthorized, refused.Code, page)
		require.NotContains(t, refused.Body.String(), id)
	}
	for _, path := range []string{"elsewhere", "assets/", "assets/none.js", "assets/..%2fbrowser.go", ""} {
		require.Equal(t, http.StatusNotFound, get(t, "/paypal/sdk/"+path).Code, path)
	}
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
			w := get(t, "/paypal/sdk/"+reference[1])
			require.Equal(t, http.StatusOK, w.Code, reference[1])
			for _, imported := range regexp.MustCompile(`from '\./([^']+)'`).FindAllStringSubmatch(w.Body.String(), -1) {
				require.Equal(t, http.StatusOK, get(t, "/paypal/sdk/assets/"+imported[1]).Code, imported[1])
			}
		}
	}
}

// The script works on pages that forbid inline styles and scripts made of text.
func TestScriptKeepsToPagesPolicies(t *testing.T) {
	t.Parallel()
	text := get(t, "/paypal/sdk/js?client-id="+client).Body.String()
	require.NotRegexp(t, `innerHTML|insertAdjacentHTML|setAttribute\('style'|cssText|\beval\(|new Function|document\.write`, text)
}

// A simulator that has no client id of its own asks nobody for one in particular.
func TestAnyClientIDWithoutOne(t *testing.T) {
	t.Parallel()
	open := browser.Handler("/paypal", "", []string{"EUR"})
	for _, path := range []string{"js?client-id=any", "button?key=any"} {
		w := httptest.NewRecorder()
		open.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/paypal/sdk/"+path, nil))
		require.Equal(t, http.StatusOK, w.Code, path)
	}
}
