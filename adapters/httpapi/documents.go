package httpapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed documents.html documents.css
var documentFiles embed.FS

// documentPolicy lets the page have its one style sheet and nothing else.
const documentPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveDocuments serves the API's description for programs and for people. Both are
// written once, since they never change while the program runs.
func serveDocuments(mux *http.ServeMux, api *huma.OpenAPI) error {
	description, err := json.Marshal(api)
	if err != nil {
		return fmt.Errorf("write OpenAPI document: %w", err)
	}
	page, err := documentPage(api)
	if err != nil {
		return err
	}
	style, err := documentFiles.ReadFile("documents.css")
	if err != nil {
		return fmt.Errorf("read style sheet: %w", err)
	}
	for path, file := range map[string]struct {
		kind string
		data []byte
	}{
		"GET /openapi.json":   {"application/vnd.oai.openapi+json", description},
		"GET /docs":           {"text/html; charset=utf-8", page},
		"GET /docs/style.css": {"text/css; charset=utf-8", style},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", file.kind)
			w.Header().Set("Content-Security-Policy", documentPolicy)
			w.Header().Set("Cache-Control", "public, max-age=300")
			_, _ = w.Write(file.data)
		})
	}
	return nil
}
