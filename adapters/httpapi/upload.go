package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/disputes"
)

const (
	// evidenceBytesMax is the longest body with texts of evidence: all its characters at four
	// bytes, and what JSON puts around them.
	evidenceBytesMax = 1 << 20
	// uploadBytesMax is the longest body with a file: the file, and what stands around it.
	uploadBytesMax = core.EvidenceFileBytesMax + 64<<10
	// uploadFieldBytesMax is the longest name of a field of evidence.
	uploadFieldBytesMax = 100

	uploadType = "multipart/form-data"
)

// bodyLimits are the longest bodies, in bytes, of the calls that take longer ones than usual.
var bodyLimits = map[string]int64{
	"PUT /v1/disputes/{id}/evidence":        evidenceBytesMax,
	"POST /v1/disputes/{id}/evidence/files": uploadBytesMax,
}

// bodyLimit is the longest body of a call.
func bodyLimit(route string) int64 {
	if limit, ok := bodyLimits[route]; ok {
		return limit
	}
	return bodyBytesMax
}

// takesUpload reports whether a call's body is a file and not JSON.
func takesUpload(route string) bool { return strings.HasSuffix(route, "/evidence/files") }

// checkUpload refuses a body that is no form of parts.
func checkUpload(r *http.Request) *Problem {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != uploadType || parameters["boundary"] == "" {
		return problem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the file as multipart/form-data with the parts `field` and `file`.")
	}
	return nil
}

// readUpload reads the parts of a form: field and file, each once.
func readUpload(contentType string, body []byte) (disputes.AddFile, *Problem) {
	var in disputes.AddFile
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return in, badUpload
	}
	reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	seen := map[string]bool{}
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return in, badUpload
		}
		name := part.FormName()
		if seen[name] {
			return in, invalidFields(FieldError{Location: "body." + name, Message: "must be given once"})
		}
		switch name {
		case "field":
			text, err := io.ReadAll(io.LimitReader(part, uploadFieldBytesMax))
			if err != nil {
				return in, badUpload
			}
			in.Field = core.EvidenceField(text)
		case "file":
			if in.Content, err = io.ReadAll(io.LimitReader(part, core.EvidenceFileBytesMax+1)); err != nil {
				return in, badUpload
			}
			in.Name, in.ContentType = part.FileName(), part.Header.Get("Content-Type")
		default:
			return in, invalidFields(FieldError{Location: "body", Message: "has a part beside field and file; leave it out"})
		}
		seen[name] = true
	}
	var missing []FieldError
	for _, name := range []string{"field", "file"} {
		if !seen[name] {
			missing = append(missing, FieldError{Location: "body." + name, Message: "is required"})
		}
	}
	return in, invalidFields(missing...)
}

// describeUpload says what the parts of an upload are.
func describeUpload(call *huma.Operation) {
	call.RequestBody.Required = true
	call.RequestBody.Content = map[string]*huma.MediaType{uploadType: {
		Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"field", "file"}, AdditionalProperties: false,
			Properties: map[string]*huma.Schema{
				"field": {Type: huma.TypeString, Enum: texts(core.EvidenceFiles()...), Description: "What the file shows"},
				"file":  {Type: huma.TypeString, Format: "binary"},
			},
		},
		Encoding: map[string]*huma.Encoding{"file": {ContentType: "image/jpeg, image/png, application/pdf"}},
	}}
}
