package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"

	"github.com/Khan/genqlient/graphql"
)

// client asks the admin API in this process, as whoever is signed in at the browser.
type client struct {
	handler http.Handler
	browser *http.Request // whose cookie and address count
}

// answerBytesMax bounds one answer of the admin API, which bounds its own pages.
const answerBytesMax = 16 << 20

// MakeRequest implements graphql.Client.
func (c client) MakeRequest(ctx context.Context, in *graphql.Request, out *graphql.Response) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("ask the admin API: %w", err)
	}
	return c.send(ctx, "application/json", body, out)
}

// upload asks with a file, which takes the place of a variable that is null.
//
// Source: graphql-multipart-request-spec, version 2.
func (c client) upload(ctx context.Context, in *graphql.Request, variable string, file *multipart.FileHeader, out *graphql.Response) error {
	operations, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("ask the admin API: %w", err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	failed := errors.Join(form.WriteField("operations", string(operations)), form.WriteField("map", `{"0":["`+variable+`"]}`))
	content, err := file.Open()
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	defer func() { _ = content.Close() }()
	header := make(textproto.MIMEHeader)
	header.Set("Content-Disposition", mime.FormatMediaType("form-data", map[string]string{"name": "0", "filename": file.Filename}))
	header.Set("Content-Type", file.Header.Get("Content-Type"))
	part, err := form.CreatePart(header)
	if err == nil {
		_, err = io.Copy(part, content)
	}
	if err := errors.Join(failed, err, form.Close()); err != nil {
		return fmt.Errorf("ask the admin API: %w", err)
	}
	return c.send(ctx, form.FormDataContentType(), body.Bytes(), out)
}

// send asks the admin API as the browser's owner.
func (c client) send(ctx context.Context, media string, body []byte, out *graphql.Response) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask the admin API: %w", err)
	}
	r.Header.Set("Content-Type", media)
	for _, cookie := range c.browser.Cookies() {
		r.AddCookie(cookie)
	}
	r.RemoteAddr, r.Host = c.browser.RemoteAddr, c.browser.Host
	answer := &answer{header: make(http.Header), status: http.StatusOK}
	c.handler.ServeHTTP(answer, r)
	if answer.tooLong {
		return errors.New("the admin API's answer is too long")
	}
	if answer.status == http.StatusUnauthorized {
		return errSignedOut
	}
	if err := json.Unmarshal(answer.body.Bytes(), out); err != nil {
		return fmt.Errorf("read the admin API's answer (%d): %w", answer.status, err)
	}
	if len(out.Errors) > 0 {
		return out.Errors
	}
	return nil
}

// errSignedOut means that the session has ended.
var errSignedOut = errors.New("nobody is signed in")

// answer keeps what a handler writes.
type answer struct {
	header  http.Header
	body    bytes.Buffer
	status  int
	tooLong bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.body.Len()+len(p) > answerBytesMax {
		a.tooLong = true
		return len(p), nil
	}
	return a.body.Write(p)
}
