// Package browser serves a stand-in for Stripe.js: the same calls with the same answers,
// as far as a page with a Payment Element needs them. The card fields live in a frame of
// the simulator's own origin, which alone talks to the simulator's API; the page that
// embeds it never sees a card number.
//
// Source: docs.stripe.com/js.
package browser

import (
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

// Prefix is the folder of all that [Handler] serves.
const Prefix = "/stripe/v3/"

//go:embed assets
var assets embed.FS

// pages are the frames' documents by the last part of their addresses.
var pages = map[string]string{
	"card-frame": "card-frame.html",
	"challenge":  "challenge.html",
	"controller": "controller.html",
}

// framePolicy keeps the frames to their own origin. Any page may embed them, as any shop's
// page embeds the real ones.
const framePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
}

// Handler serves everything under [Prefix]. Frames that are opened with another
// publishable key than the given one answer 401, and the element that they belong to
// reports a load error; an empty key lets any in.
func Handler(publishableKey string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix+"{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		serve(w, r, "stripe.js", http.StatusOK)
	})
	mux.HandleFunc("GET "+Prefix+"assets/{file}", func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, r.PathValue("file"), http.StatusOK)
	})
	mux.HandleFunc("GET "+Prefix+"{page}", func(w http.ResponseWriter, r *http.Request) {
		file, known := pages[r.PathValue("page")]
		if !known {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", framePolicy)
		if !sameKey(publishableKey, r.URL.Query().Get("key")) {
			serve(w, r, "refused.html", http.StatusUnauthorized)
			return
		}
		serve(w, r, file, http.StatusOK)
	})
	return mux
}

func sameKey(want, got string) bool {
	return want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}

// contents are the embedded files by name.
var contents = func() map[string][]byte {
	all := make(map[string][]byte)
	entries, err := assets.ReadDir("assets")
	if err != nil {
		panic(err) // it is part of the program
	}
	for _, entry := range entries {
		content, err := assets.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		all[entry.Name()] = content
	}
	return all
}()

// serve answers with an embedded file, or 304 where the browser has it already.
func serve(w http.ResponseWriter, r *http.Request, file string, status int) {
	content, found := contents[file]
	if !found {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	header := w.Header()
	header.Set("Content-Type", contentTypes[path.Ext(file)])
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", tag)
	if status == http.StatusOK && strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(content) // a reader that is gone needs no answer
}
