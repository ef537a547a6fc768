// Package frames serves what stand-ins for providers' browser scripts are made of: the
// script that a page loads, and the frames of the simulator's own origin that card fields and
// a bank's questions live in. The page that embeds them never sees a card number. What all
// stand-ins have in common is here; each provider adds its own files.
package frames

import (
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var shared embed.FS

// sharedScript is the page's side of the frames. It goes in front of every provider's script.
const sharedScript = "host.js"

// policy keeps the frames to their own origin. Any page may embed them, as any shop's page
// embeds the real ones.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
}

// Options are what one account's stand-in serves.
type Options struct {
	Prefix string // the folder of everything, with a slash at both ends: "/stripe/v3/"
	// Script is where the page's script is, below the prefix; empty for the prefix itself.
	Script string
	// ScriptFile is the provider's own part of that script, a file of Assets.
	ScriptFile string
	// Assets holds the provider's own files in one folder.
	Assets fs.FS
	// Pages are the frames' documents by the last part of their addresses.
	Pages map[string]string
	// Refused is the document of every frame that is opened with another key than Key.
	Refused string
	// Key names the account towards the script; an empty one lets any in.
	Key string
}

// Handler serves everything under the prefix. Frames that are opened with another key than
// the account's answer 401, and the element that they belong to reports a load error.
func Handler(options Options) http.Handler {
	contents := files(shared, "assets")
	maps.Copy(contents, files(options.Assets, "."))
	script := "(() => {\n'use strict';\n\n" + string(contents[sharedScript]) + "\n" + string(contents[options.ScriptFile]) + "})();\n"
	mux := http.NewServeMux()
	at := options.Prefix + options.Script
	if options.Script == "" {
		at += "{$}"
	}
	mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		serve(w, r, options.ScriptFile, []byte(script), http.StatusOK)
	})
	mux.HandleFunc("GET "+options.Prefix+"assets/{file}", func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, r.PathValue("file"), contents[r.PathValue("file")], http.StatusOK)
	})
	mux.HandleFunc("GET "+options.Prefix+"{page}", func(w http.ResponseWriter, r *http.Request) {
		file, status := options.Pages[r.PathValue("page")], http.StatusOK
		if file != "" && !sameKey(options.Key, r.URL.Query().Get("key")) {
			file, status = options.Refused, http.StatusUnauthorized
		}
		w.Header().Set("Content-Security-Policy", policy)
		serve(w, r, file, contents[file], status)
	})
	return mux
}

func sameKey(want, got string) bool {
	return want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}

// files are the files of an embedded folder by name.
func files(from fs.FS, folder string) map[string][]byte {
	all := make(map[string][]byte)
	entries, err := fs.ReadDir(from, folder)
	if err != nil {
		panic(err) // it is part of the program
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(from, path.Join(folder, entry.Name()))
		if err != nil {
			panic(err)
		}
		all[entry.Name()] = content
	}
	return all
}

// serve answers with a file, or 304 where the browser has it already; no content is no file.
func serve(w http.ResponseWriter, r *http.Request, name string, content []byte, status int) {
	if content == nil {
		w.Header().Del("Content-Security-Policy")
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	header := w.Header()
	header.Set("Content-Type", contentTypes[path.Ext(name)])
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
