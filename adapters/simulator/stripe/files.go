package stripe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// purposeEvidence is the one purpose that files can have here.
const purposeEvidence = "dispute_evidence"

// Limits of files.
//
// Source: docs.stripe.com/file-upload.
const (
	fileBytesMax     = 5 << 20
	uploadBytesMax   = fileBytesMax + 64<<10 // a file with what goes around it
	uploadPartsMax   = 20
	fieldBytesMax    = 4 << 10 // of what is not the file
	fileNameCharsMax = 255
	fileLife         = 224 * 24 * time.Hour
)

// fileParams hold the file as a hash of its bytes.
var fileParams = []string{"purpose", "file", "expand[*]"}

// file is a File. Its bytes are looked at and not kept.
//
// Source: docs.stripe.com/api/files/object.
type file struct {
	ID        string  `json:"id"`
	Object    string  `json:"object"`
	Created   int64   `json:"created"`
	ExpiresAt *int64  `json:"expires_at"`
	Filename  string  `json:"filename"`
	Links     listOf  `json:"links"`
	Purpose   string  `json:"purpose"`
	Size      int64   `json:"size"`
	Title     *string `json:"title"`
	Type      string  `json:"type"`
	URL       string  `json:"url"`
}

// upload is a file as it arrived.
type upload struct {
	name  string
	bytes []byte
}

// takeParts takes a multipart body in.
func (in *request) takeParts(body []byte, boundary string) *result {
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for range uploadPartsMax {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // the reader gives io.EOF itself
			return nil
		}
		if err != nil {
			break
		}
		most := int64(fieldBytesMax)
		if part.FormName() == "file" {
			most = uploadBytesMax
		}
		text, err := io.ReadAll(io.LimitReader(part, most))
		if err != nil {
			break
		}
		if in.params[part.FormName()] = string(text); part.FormName() == "file" {
			sum := sha256.Sum256(text)
			in.params["file"] = hex.EncodeToString(sum[:])
			in.file = &upload{name: part.FileName(), bytes: text}
		}
	}
	return new(invalid("", "", "Invalid request: the parts of the body cannot be read."))
}

// createFile takes a file.
//
// Source: docs.stripe.com/api/files/create.
func (s *Server) createFile(in *request) result {
	switch {
	case in.params["purpose"] == "":
		return missingParam("purpose")
	case in.params["purpose"] != purposeEvidence:
		return invalid("", "purpose", "Invalid purpose: must be "+purposeEvidence+".")
	case in.file == nil || in.file.name == "":
		return missingParam("file")
	case len(in.file.bytes) > fileBytesMax:
		return invalid("", "file", "Invalid file: it is larger than 5 MB.")
	case utf8.RuneCountInString(in.file.name) > fileNameCharsMax:
		return invalid("", "file", "Invalid file: its name is too long.")
	}
	kind, ok := strings.CutPrefix(http.DetectContentType(in.file.bytes), "image/")
	if !ok && bytes.HasPrefix(in.file.bytes, []byte("%PDF-")) {
		kind = "pdf"
	}
	if kind = map[string]string{"jpeg": "jpg", "png": "png", "pdf": "pdf"}[kind]; kind == "" {
		return invalid("", "file", "Invalid file: files of purpose "+purposeEvidence+" must be of type jpeg, png or pdf.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made := &file{
		ID: s.newID("file"), Object: "file", Created: s.now().Unix(), ExpiresAt: new(s.now().Add(fileLife).Unix()), Filename: in.file.name,
		Purpose: purposeEvidence, Size: int64(len(in.file.bytes)), Type: kind,
	}
	made.Links = listOf{Object: "list", Data: []any{}, URL: "/v1/file_links?file=" + made.ID}
	made.URL = in.base + s.prefix + "/v1/files/" + made.ID + "/contents"
	s.files.Put(made.ID, made)
	return done(*made)
}

func (s *Server) getFile(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.files.Get(in.id); ok {
		return done(*held)
	}
	return notFound("file upload", "file", in.id)
}
