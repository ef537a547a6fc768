package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

const (
	mediaMultipart = "multipart/form-data"
	// multipartBytesMax bounds a request with files, and uploadsMax how many it may have.
	multipartBytesMax = 12 << 20
	uploadsMax        = core.EvidenceFilesMax
)

var (
	tooLongFiles = problem{http.StatusRequestEntityTooLarge, codeTooLarge, "The request is larger than 12 MiB."}
	badMultipart = problem{http.StatusBadRequest, codeRequest, "A request with files has the parts operations, map and then the files, in the form of graphql-multipart-request-spec."}
)

// readMultipart reads a query with files.
//
// Source: graphql-multipart-request-spec, version 2. Lists of queries are not taken, as without files.
func readMultipart(r *http.Request, boundary string, params *graphql.RawParams) *problem {
	reader := multipart.NewReader(r.Body, boundary)
	operations, wrong := readPart(reader, "operations")
	if wrong != nil {
		return wrong
	}
	if wrong := readQuery(operations, params); wrong != nil {
		return wrong
	}
	text, wrong := readPart(reader, "map")
	if wrong != nil {
		return wrong
	}
	var places map[string][]string
	if json.Unmarshal(text, &places) != nil || len(places) > uploadsMax {
		return &badMultipart
	}
	for range len(places) {
		part, err := reader.NextPart()
		if err != nil {
			return unreadable(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return unreadable(err)
		}
		paths := places[part.FormName()]
		delete(places, part.FormName())
		if len(paths) != 1 || part.FileName() == "" {
			return &badMultipart
		}
		upload := graphql.Upload{File: bytes.NewReader(content), Filename: part.FileName(), Size: int64(len(content)), ContentType: part.Header.Get("Content-Type")}
		if !place(params.Variables, paths[0], upload) {
			return &badMultipart
		}
	}
	if _, err := reader.NextPart(); !errors.Is(err, io.EOF) {
		return unreadable(err)
	}
	return nil
}

// readPart reads the next part, which must be the named one and no longer than a query without files.
func readPart(reader *multipart.Reader, name string) ([]byte, *problem) {
	part, err := reader.NextPart()
	if err != nil {
		return nil, unreadable(err)
	}
	text, err := io.ReadAll(io.LimitReader(part, bodyBytesMax+1))
	switch {
	case err != nil:
		return nil, unreadable(err)
	case len(text) > bodyBytesMax:
		return nil, &tooLong
	case part.FormName() != name:
		return nil, &badMultipart
	}
	return text, nil
}

func unreadable(err error) *problem {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &tooLongFiles
	}
	return &badMultipart
}

// place puts a file where a path such as variables.input.files.0.file says, if there is a null.
func place(variables map[string]any, path string, upload graphql.Upload) bool {
	rest, ok := strings.CutPrefix(path, "variables.")
	if !ok {
		return false
	}
	steps := strings.Split(rest, ".")
	var at any = variables
	for i, step := range steps {
		last := i == len(steps)-1
		switch inner := at.(type) {
		case map[string]any:
			value, there := inner[step]
			if !there || last != (value == nil) {
				return false
			}
			if at = value; last {
				inner[step] = upload
			}
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(inner) || last != (inner[index] == nil) {
				return false
			}
			if at = inner[index]; last {
				inner[index] = upload
			}
		default:
			return false
		}
	}
	return true
}
