package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// shownPage is what the page for people shows, all of it taken from the description for
// programs.
type shownPage struct {
	Title, Version, Description string
	Calls                       []shownCall
	Objects                     []shownObject
	Problems                    []Problem
}

// shownCall is a call as the page shows it.
type shownCall struct {
	ID, Method, Path, Summary, Description string
	Parameters, Body                       []shownField
	Example                                string // of the body; empty where it has none
	Answers                                []shownAnswer
}

// shownField is a field or a parameter.
type shownField struct {
	Name, Type, Note string
	Required         bool
}

// shownAnswer is an answer. Object is the name of what it holds; empty for nothing.
type shownAnswer struct {
	Status, Note, Object string
	List                 bool
}

// shownObject is an object that answers hold.
type shownObject struct {
	Name    string
	Fields  []shownField
	Example string
}

// documentPage writes the page for people.
func documentPage(api *huma.OpenAPI) ([]byte, error) {
	shown := shownPage{Title: api.Info.Title, Version: api.Info.Version, Description: api.Info.Description, Problems: allProblems()}
	objects := make(map[string]bool)
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		item := api.Paths[path]
		for _, call := range []*huma.Operation{item.Post, item.Get, item.Put, item.Delete} {
			if call == nil {
				continue
			}
			shown.Calls = append(shown.Calls, showCall(api, path, call))
			for _, answer := range shown.Calls[len(shown.Calls)-1].Answers {
				objects[answer.Object] = true
			}
		}
	}
	delete(objects, "")
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		schema := api.Components.Schemas.Map()[name]
		shown.Objects = append(shown.Objects, shownObject{Name: name, Fields: fieldsOf(api, schema, ""), Example: exampleOf(schema)})
	}
	parsed, err := template.New("documents.html").Funcs(template.FuncMap{"prose": prose}).ParseFS(documentFiles, "documents.html")
	if err != nil {
		return nil, fmt.Errorf("read page of documents: %w", err)
	}
	var page bytes.Buffer
	if err := parsed.Execute(&page, shown); err != nil {
		return nil, fmt.Errorf("write page of documents: %w", err)
	}
	return page.Bytes(), nil
}

// prosePart is a piece of a text, set as code or not.
type prosePart struct {
	Text string
	Code bool
}

// prose splits a text at its backticks, which stand around code.
func prose(text string) []prosePart {
	var parts []prosePart
	for i, piece := range strings.Split(text, "`") {
		if piece != "" {
			parts = append(parts, prosePart{Text: piece, Code: i%2 == 1})
		}
	}
	return parts
}

// allProblems are the problems that the page lists, each code once.
func allProblems() []Problem {
	all := []*Problem{
		unauthorized, invalidJSON, badUpload, unsupported, tooLarge(bodyBytesMax), keyRequired, keyReused, keyInProgress, cardNumber, notFound,
		problem(http.StatusBadRequest, "invalid_id", "The id in the path is not of the right kind."),
		problem(http.StatusUnprocessableEntity, codeInvalid, "Fields are wrong; `errors` names each and says how to mend it."),
		problem(http.StatusPaymentRequired, "payment_refused", "The provider said no; `failure` says why."),
		problem(http.StatusMethodNotAllowed, "method_not_allowed", "The address takes other methods; `Allow` names them."),
		providerUnavailable(),
	}
	for _, k := range known {
		all = append(all, k.answer)
	}
	var problems []Problem
	seen := make(map[string]bool)
	for _, p := range append(all, internalError) {
		if !seen[p.Code] {
			seen[p.Code] = true
			problems = append(problems, *p)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Status - b.Status })
	return problems
}

func showCall(api *huma.OpenAPI, path string, call *huma.Operation) shownCall {
	shown := shownCall{ID: call.OperationID, Method: call.Method, Path: path, Summary: call.Summary, Description: call.Description}
	for _, parameter := range call.Parameters {
		shown.Parameters = append(shown.Parameters, shownField{
			Name: parameter.Name, Type: parameter.In + ", " + typeOf(api, parameter.Schema),
			Note: noteOf(api, parameter.Schema), Required: parameter.Required,
		})
	}
	if call.RequestBody != nil {
		var schema *huma.Schema
		for _, content := range call.RequestBody.Content { // of one type
			schema = content.Schema
		}
		shown.Body, shown.Example = fieldsOf(api, schema, ""), exampleOf(resolved(api, schema))
	}
	for _, status := range slices.Sorted(maps.Keys(call.Responses)) {
		response := call.Responses[status]
		answer := shownAnswer{Status: status, Note: response.Description}
		for _, content := range response.Content {
			answer.Object, answer.List = objectOf(api, content.Schema)
		}
		shown.Answers = append(shown.Answers, answer)
	}
	return shown
}

// objectOf is the name of the object that an answer holds, perhaps in a list.
func objectOf(api *huma.OpenAPI, schema *huma.Schema) (name string, isList bool) {
	if of := resolved(api, schema); of.Properties["next_cursor"] != nil {
		return nameOf(of.Properties["data"].Items), true
	}
	return nameOf(schema), false
}

func nameOf(schema *huma.Schema) string { return schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:] }

func exampleOf(schema *huma.Schema) string {
	if len(schema.Examples) == 0 {
		return ""
	}
	text, err := json.MarshalIndent(schema.Examples[0], "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

// documentDepthMax bounds how deep fields of fields are shown.
const documentDepthMax = 4

func fieldsOf(api *huma.OpenAPI, schema *huma.Schema, prefix string) []shownField {
	schema = resolved(api, schema)
	if schema == nil || strings.Count(prefix, ".") >= documentDepthMax {
		return nil
	}
	var fields []shownField
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		fields = append(fields, shownField{
			Name: prefix + name, Type: typeOf(api, property), Note: noteOf(api, property), Required: slices.Contains(schema.Required, name),
		})
		if of := resolved(api, property); of.Type == "array" {
			fields = append(fields, fieldsOf(api, of.Items, prefix+name+"[].")...)
		} else {
			fields = append(fields, fieldsOf(api, of, prefix+name+".")...)
		}
	}
	return fields
}

// resolved follows a reference, also one to something that can be null.
func resolved(api *huma.OpenAPI, schema *huma.Schema) *huma.Schema {
	if schema != nil && len(schema.AnyOf) > 0 {
		schema = schema.AnyOf[0]
	}
	if schema != nil && schema.Ref != "" {
		return api.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

func typeOf(api *huma.OpenAPI, schema *huma.Schema) string {
	of := resolved(api, schema)
	name := map[string]string{"array": "list", "string": "text", "": "any"}[of.Type]
	switch {
	case of.Format == "date-time":
		name = "time"
	case of.Type == "array":
		name = "list of " + typeOf(api, of.Items)
	case name == "":
		name = of.Type
	}
	if of.Nullable || len(schema.AnyOf) > 0 {
		name += " or null"
	}
	return name
}

// noteOf says what a field is for, and which values it takes.
func noteOf(api *huma.OpenAPI, schema *huma.Schema) string {
	of := resolved(api, schema)
	var notes []string
	if text := schema.Description; text != "" {
		notes = append(notes, text+".")
	}
	if len(of.Enum) > 0 {
		values := make([]string, len(of.Enum))
		for i, value := range of.Enum {
			values[i] = fmt.Sprintf("`%v`", value)
		}
		notes = append(notes, "One of "+strings.Join(values, ", ")+".")
	}
	if of.Minimum != nil && of.Maximum != nil {
		notes = append(notes, fmt.Sprintf("From %.0f to %.0f.", *of.Minimum, *of.Maximum))
	}
	if of.Default != nil {
		notes = append(notes, fmt.Sprintf("`%v` where absent.", of.Default))
	}
	return strings.Join(notes, " ")
}
