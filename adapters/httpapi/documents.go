package httpapi

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

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

// documentedCall is a call as the page shows it.
type documentedCall struct {
	Method, Path, ID, Summary, Description string
	Parameters                             []documentedField
	Body                                   []documentedField
	Answers                                []documentedAnswer
}

type documentedField struct {
	Name, Type, Note string
	Required         bool
}

type documentedAnswer struct {
	Status, Note string
	Fields       []documentedField
}

func documentPage(api *huma.OpenAPI) ([]byte, error) {
	var calls []documentedCall
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		item := api.Paths[path]
		for _, call := range []*huma.Operation{item.Post, item.Get, item.Delete} {
			if call != nil {
				calls = append(calls, documented(api, path, call))
			}
		}
	}
	var codes []Problem
	seen := make(map[string]bool)
	for _, p := range append(allProblems(), internalError) {
		if !seen[p.Code] {
			seen[p.Code] = true
			codes = append(codes, *p)
		}
	}
	parsed, err := template.ParseFS(documentFiles, "documents.html")
	if err != nil {
		return nil, fmt.Errorf("read page of documents: %w", err)
	}
	var page bytes.Buffer
	err = parsed.Execute(&page, map[string]any{"Info": api.Info, "Calls": calls, "Codes": codes})
	if err != nil {
		return nil, fmt.Errorf("write page of documents: %w", err)
	}
	return page.Bytes(), nil
}

// allProblems are the answers that the page lists.
func allProblems() []*Problem {
	all := []*Problem{
		unauthorized, invalidJSON, unsupported, tooLarge, keyRequired, keyReused, keyInProgress, cardNumber, notFound, notOffered,
		problem(http.StatusBadRequest, "invalid_id", "The id in the path is not of the right kind."),
		problem(http.StatusUnprocessableEntity, "invalid_request", "Fields are wrong; `errors` names each and says how to mend it."),
		problem(http.StatusPaymentRequired, "payment_refused", "The provider said no; `failure` says why."),
		providerUnavailable(),
	}
	for _, k := range known {
		all = append(all, k.answer)
	}
	return all
}

func documented(api *huma.OpenAPI, path string, call *huma.Operation) documentedCall {
	shown := documentedCall{Method: call.Method, Path: path, ID: call.OperationID, Summary: call.Summary, Description: call.Description}
	for _, parameter := range call.Parameters {
		shown.Parameters = append(shown.Parameters, documentedField{
			Name: parameter.Name + " (" + parameter.In + ")", Type: typeOf(parameter.Schema), Note: parameter.Description, Required: parameter.Required,
		})
	}
	if call.RequestBody != nil {
		shown.Body = fieldsOf(api, call.RequestBody.Content["application/json"].Schema, "")
	}
	for _, status := range slices.Sorted(maps.Keys(call.Responses)) {
		response := call.Responses[status]
		answer := documentedAnswer{Status: status, Note: response.Description}
		if content := response.Content["application/json"]; content != nil && status < "400" {
			answer.Fields = fieldsOf(api, content.Schema, "")
		}
		shown.Answers = append(shown.Answers, answer)
	}
	return shown
}

// documentDepthMax bounds how deep fields of fields are shown.
const documentDepthMax = 4

func fieldsOf(api *huma.OpenAPI, schema *huma.Schema, prefix string) []documentedField {
	schema = resolved(api, schema)
	if schema == nil || strings.Count(prefix, ".") >= documentDepthMax {
		return nil
	}
	if schema.Type == "array" {
		return fieldsOf(api, schema.Items, prefix)
	}
	var fields []documentedField
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		of := resolved(api, property)
		fields = append(fields, documentedField{
			Name: prefix + name, Type: typeOf(of), Note: noteOf(property, of), Required: slices.Contains(schema.Required, name),
		})
		switch {
		case of != nil && of.Type == "array":
			fields = append(fields, fieldsOf(api, of.Items, prefix+name+"[].")...)
		case of != nil:
			fields = append(fields, fieldsOf(api, of, prefix+name+".")...)
		}
	}
	return fields
}

func resolved(api *huma.OpenAPI, schema *huma.Schema) *huma.Schema {
	if schema != nil && schema.Ref != "" {
		return api.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

func typeOf(schema *huma.Schema) string {
	if schema == nil {
		return ""
	}
	name := schema.Type
	if schema.Format != "" {
		name += " (" + schema.Format + ")"
	}
	if schema.Nullable {
		name += " or null"
	}
	return name
}

func noteOf(property, of *huma.Schema) string {
	note := property.Description
	if of != nil && len(of.Enum) > 0 {
		var values []string
		for _, value := range of.Enum {
			values = append(values, fmt.Sprint(value))
		}
		note = strings.TrimPrefix(note+". One of "+strings.Join(values, ", "), ". ")
	}
	return note
}
