package pay_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestAssets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := h.get(t, page(h.Open(core.CaptureAutomatic))).Body.String()
	own := regexp.MustCompile(`(?:src|href)="(/pay/assets/[^"]+)"[^>]*?(?:integrity="([^"]+)")?>`).FindAllStringSubmatch(body, -1)
	require.Len(t, own, 3, "icon, style and script")
	for _, reference := range own {
		w := h.get(t, reference[1])
		require.Equal(t, http.StatusOK, w.Code, reference[1])
		require.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
		require.NotEmpty(t, w.Header().Get("ETag"))
		if reference[2] != "" {
			require.Equal(t, integrityOf(w.Body.Bytes()), html.UnescapeString(reference[2]))
		}
		again := h.request(t, http.MethodGet, reference[1], nil, "If-None-Match", w.Header().Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.Code)
	}
	w := h.get(t, "/pay/assets/pay.js")
	require.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
	require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
	for _, path := range []string{"/pay/assets/page.html", "/pay/assets/..%2fhandler.go"} {
		require.Equal(t, http.StatusNotFound, h.get(t, path).Code, path)
	}
}

// PCI DSS 6.4.3 asks for an inventory of the page's scripts, each with its reason.
func TestScriptInventory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.get(t, "/pay/scripts.json")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var inventory struct {
		Scripts []struct{ URL, Origin, Purpose, Integrity string }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &inventory))
	listed := map[string]bool{}
	for _, script := range inventory.Scripts {
		listed[script.URL] = true
		require.NotEmpty(t, script.Purpose)
		if script.Origin == "self" {
			require.Equal(t, integrityOf(h.get(t, script.URL).Body.Bytes()), script.Integrity)
		} else {
			require.Equal(t, "https://script.provider.example", script.Origin)
			require.Empty(t, script.Integrity)
		}
	}
	body := h.get(t, page(h.Open(core.CaptureAutomatic))).Body.String()
	scripts := regexp.MustCompile(`<script[^>]* src="([^"]+)"`).FindAllStringSubmatch(body, -1)
	require.Len(t, scripts, len(listed))
	for _, script := range scripts {
		require.True(t, listed[script[1]], script[1])
	}
}

// The policy forbids code in the page itself, and building code from text.
func TestNoInlineCode(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("assets/page.html")
	require.NoError(t, err)
	require.NotRegexp(t, `(?i)<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=`, string(text))
	script, err := os.ReadFile("assets/pay.js")
	require.NoError(t, err)
	require.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`, string(script))
}

func integrityOf(content []byte) string {
	sum := sha512.Sum384(content)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
