package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
)

//go:embed assets/*.css assets/*.js assets/*.svg
var files embed.FS

// contentTypes are the kinds of files that pages are made of.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

type asset struct {
	content []byte
	kind    string
	version string // names the content in addresses
}

type assetSet map[string]asset

func loadAssets() (assetSet, error) {
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("list the console's files: %w", err)
	}
	set := make(assetSet, len(entries))
	for _, entry := range entries {
		content, err := files.ReadFile("assets/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", entry.Name(), err)
		}
		sum := sha256.Sum256(content)
		set[entry.Name()] = asset{content: content, kind: contentTypes[path.Ext(entry.Name())], version: hex.EncodeToString(sum[:8])}
	}
	return set, nil
}

// url is the address of an asset's present content.
func (s assetSet) url(name string) string { return "/assets/" + name + "?v=" + s[name].version }

// serve answers GET /assets/{file}. An address with the right version never changes.
func (s assetSet) serve(w http.ResponseWriter, r *http.Request) {
	a, found := s[r.PathValue("file")]
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(a.content) // who is gone needs no answer
}
