package pay

import (
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var files embed.FS

// contentTypes are the kinds of files that the page is made of.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset is one file of ours.
type asset struct {
	content   []byte
	kind      string
	version   string // names the content in addresses
	integrity string // for browsers to hold the content to
}

// assetView is how a page refers to an asset.
type assetView struct{ URL, Integrity string }

type assetSet map[string]asset

func loadAssets() (assetSet, error) {
	set := make(assetSet)
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("list the checkout page's files: %w", err)
	}
	for _, entry := range entries {
		kind, served := contentTypes[path.Ext(entry.Name())]
		if !served {
			continue // the template
		}
		content, err := files.ReadFile("assets/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", entry.Name(), err)
		}
		sum := sha512.Sum384(content)
		set[entry.Name()] = asset{
			content: content, kind: kind, version: hex.EncodeToString(sum[:8]),
			integrity: "sha384-" + base64.StdEncoding.EncodeToString(sum[:]),
		}
	}
	return set, nil
}

// url is the address of an asset's present content.
func (s assetSet) url(name string) string { return "/pay/assets/" + name + "?v=" + s[name].version }

func (s assetSet) views() map[string]assetView {
	views := make(map[string]assetView, len(s))
	for name, a := range s {
		views[strings.ReplaceAll(name, ".", "_")] = assetView{URL: s.url(name), Integrity: a.integrity}
	}
	return views
}

// serveAsset answers GET /pay/assets/{file}. An address with the right version never
// changes; any other is checked anew each time.
func (h *handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, found := h.assets[r.PathValue("file")]
	if !found {
		h.refusePage(w, http.StatusNotFound)
		return
	}
	header := w.Header()
	tag := `"` + a.version + `"`
	header.Set("ETag", tag)
	header.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", a.kind)
	_, _ = w.Write(a.content) // a buyer who is gone needs no answer
}

// script is one entry of the inventory of scripts that PCI DSS 6.4.3 asks for.
type script struct {
	URL       string  `json:"url"`
	Origin    string  `json:"origin"` // "self", or the provider's
	Purpose   string  `json:"purpose"`
	Integrity *string `json:"integrity"` // null for a provider's, which changes at its will
}

const ownPurpose = "The page's own script: shows the provider's fields, starts payment attempts and tells the buyer what became of them."

// inventory lists every script that the page may run.
func (h *handler) inventory() []byte {
	integrity := h.assets["pay.js"].integrity
	scripts := []script{{URL: h.assets.url("pay.js"), Origin: "self", Purpose: ownPurpose, Integrity: &integrity}}
	seen := map[string]bool{}
	for _, account := range h.accounts() {
		config := h.browsers[account]
		if seen[config.ScriptURL] {
			continue
		}
		seen[config.ScriptURL] = true
		scripts = append(scripts, script{URL: config.ScriptURL, Origin: originOf(config.ScriptURL), Purpose: methods[config.Provider].purpose})
	}
	text, err := json.Marshal(struct {
		Scripts []script `json:"scripts"`
	}{scripts})
	if err != nil {
		panic("checkout page: " + err.Error()) // plain texts can always be written
	}
	return text
}

func originOf(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// serveScripts answers GET /pay/scripts.json.
func (h *handler) serveScripts(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(h.scripts)
}
