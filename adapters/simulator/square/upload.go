package square

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// uploadBytesMax bounds a body with a file: the largest file, and what stands around it.
const uploadBytesMax = evidenceBytesMax + 64<<10

// partsMax bounds the parts of a body with a file.
const partsMax = 2

// file is one that came with a call.
type file struct {
	name    string
	kind    string // the content type that its part says
	content []byte
}

// split takes a body with a file apart: the JSON of the part "request", and the file of the
// part "image_file". Either can be missing.
//
// Source: POST /v2/disputes/{id}/evidence-files.
func split(r *http.Request, body []byte) (request []byte, of *file, bad *result) {
	kind, details, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || details["boundary"] == "" {
		return nil, nil, new(invalid("INVALID_CONTENT_TYPE", "", "The content type must be multipart/form-data."))
	}
	reader := multipart.NewReader(bytes.NewReader(body), details["boundary"])
	for n := 0; ; n++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return request, of, nil
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part) // no more than the body, which is bounded
		}
		if err != nil {
			return nil, nil, new(invalid("BAD_REQUEST", "", "The body's parts cannot be read."))
		}
		said, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		switch name := part.FormName(); {
		case n >= partsMax:
			return nil, nil, new(invalid("BAD_REQUEST", "", "The body has too many parts."))
		case name == "request" && request == nil && said == "application/json":
			request = content
		case name == "request" && request == nil:
			return nil, nil, new(invalid("INVALID_CONTENT_TYPE", "request", "The part's content type must be application/json."))
		case name == "image_file" && of == nil:
			of = &file{name: cleanName(part.FileName()), kind: said, content: content}
		default:
			return nil, nil, new(invalid("UNKNOWN_BODY_PARAMETER", clip(name), "The body parameter is not recognized."))
		}
	}
}
