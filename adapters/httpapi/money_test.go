package httpapi_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

const pngText = "\x89PNG\r\n\x1a\n 4242424242424242 is no number in a picture"

// part is a part of a form.
type part struct{ name, file, contentType, content string }

// form writes parts as a client does, with a boundary that is the same each time.
func form(t *testing.T, parts ...part) (contentType, body string) {
	t.Helper()
	var text bytes.Buffer
	writer := multipart.NewWriter(&text)
	require.NoError(t, writer.SetBoundary("between"))
	for _, p := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", p.name)}}
		if p.file != "" {
			header.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q; filename=%q", p.name, p.file))
			header.Set("Content-Type", p.contentType)
		}
		into, err := writer.CreatePart(header)
		require.NoError(t, err)
		_, err = into.Write([]byte(p.content))
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return writer.FormDataContentType(), text.String()
}

func (h *house) upload(t *testing.T, path string, parts ...part) *httptest.ResponseRecorder {
	t.Helper()
	contentType, body := form(t, parts...)
	return h.do(t.Context(), request{method: http.MethodPost, path: path, body: body, header: http.Header{"Content-Type": {contentType}}})
}

// disputed is a payment that took its money, and the path of its dispute.
func (h *house) disputed(t *testing.T) (core.Payment, core.DisputeID, string) {
	t.Helper()
	p := h.Paid()
	h.WebhookOf("evt_"+string(p.ID), core.ObjectDispute, h.Provider.OpenDispute(t, p.ID, false))
	h.RunDue()
	list, err := h.Store.PaymentDisputes(t.Context(), p.ID)
	require.NoError(t, err)
	return p, list[0].ID, "/v1/disputes/" + string(list[0].ID)
}

// TestMoneyCalls walks through the calls of refunds and disputes, as TestCalls does.
func TestMoneyCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := &transcript{t: t, h: h}

	w.chapter("Refunds")
	p := h.Paid()
	path := "/v1/payments/" + string(p.ID)
	refund := read[idOnly](t, w.post(path+"/refunds", "k-1", `{"amount":400,"reason":"requested_by_customer","metadata":{"rma":"r-1"}}`), http.StatusCreated).ID
	w.post(path+"/refunds", "k-1", `{"amount":400,"reason":"requested_by_customer","metadata":{"rma":"r-1"}}`)
	w.get("/v1/refunds/" + refund)
	w.post(path+"/refunds", "k-2", `{"amount":601}`)
	w.post(path+"/refunds", "k-3", `{"amount":1,"currency":"USD"}`)
	h.Provider.SlowRefunds()
	w.post(path+"/refunds", "k-4", "")
	w.post(path+"/refunds", "k-5", "")
	next := read[listOnly](t, w.get(path+"/refunds?limit=1"), http.StatusOK).Next
	w.get(path + "/refunds?limit=1&cursor=" + next)
	old := h.Paid()
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "charge_too_old", Op: "fake refund"})
	w.post("/v1/payments/"+string(old.ID)+"/refunds", "k-6", "{}")
	w.post("/v1/payments/"+string(h.Authorized().ID)+"/refunds", "k-7", "")

	w.chapter("A dispute")
	p, _, path = h.disputed(t)
	w.get("/v1/disputes?payment=" + string(p.ID) + "&status=needs_response,inquiry")
	w.get(path)
	w.post("/v1/payments/"+string(p.ID)+"/refunds", "k-8", "")
	w.get(path + "/evidence")
	w.post(path+"/submit", "k-9", "")
	w.call(request{method: http.MethodPut, path: path + "/evidence", body: `{"texts":{"product_description":"A shirt.","customer_name":""}}`})
	contentType, body := form(t, part{name: "field", content: "receipt"}, part{"file", "receipt.png", "image/png", pngText})
	answer := h.do(t.Context(), request{method: http.MethodPost, path: path + "/evidence/files", body: body, header: http.Header{"Content-Type": {contentType}}})
	file := read[idOnly](t, answer, http.StatusCreated).ID
	w.get(path + "/evidence")
	w.call(request{method: http.MethodDelete, path: path + "/evidence/files/" + file})
	w.call(request{method: http.MethodDelete, path: path + "/evidence/files/" + file})
	w.post(path+"/submit", "k-10", "")
	w.post(path+"/submit", "k-10", "")
	w.post(path+"/submit", "k-11", "")
	w.call(request{method: http.MethodPut, path: path + "/evidence", body: `{"texts":{}}`})

	w.chapter("Giving in, and what comes too late")
	_, _, path = h.disputed(t)
	h.Provider.FailNext(portstest.NoAnswer())
	w.post(path+"/accept", "k-12", "")
	h.RunAll()
	w.get(path)
	w.post(path+"/accept", "k-13", "")
	_, _, path = h.disputed(t)
	h.Clock.Advance(portstest.FakeEvidenceTime)
	w.post(path+"/submit", "k-14", "")

	golden(t, "money.golden", w.text.Bytes())
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
	for _, private := range []string{"ada@example.test", "A shirt.", "receipt.png", "r-1"} {
		require.Empty(t, h.log.lines(private))
	}
}

func TestBadRefundsAndEvidenceAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, dispute, path := h.disputed(t)
	effects := h.Provider.Effects(t)
	for _, bad := range []struct {
		method, path, body string
		status             int
		code, location     string
	}{
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"amount":0}`, 422, "invalid_request", "body.amount"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"amount":-1}`, 422, "invalid_request", "body.amount"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"amount":1.5}`, 422, "invalid_request", "body.amount"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"amount":1000000000000}`, 422, "invalid_request", "body.amount"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"reason":"mood"}`, 422, "invalid_request", "body.reason"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"currency":"XXQ"}`, 422, "invalid_request", "body.currency"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"metadata":{"":"x"}}`, 422, "invalid_request", "body.metadata"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"note":"x"}`, 422, "invalid_request", "body.note"},
		{"POST", "/v1/payments/" + string(p.ID) + "/refunds", `{"note":"4242424242424242"}`, 422, "card_number_refused", ""},
		{"POST", "/v1/payments/" + string(dispute) + "/refunds", ``, 400, "invalid_id", "path.id"},
		{"GET", "/v1/refunds/" + string(p.ID), ``, 400, "invalid_id", "path.id"},
		{"GET", "/v1/payments/" + string(p.ID) + "/refunds?cursor=here", ``, 422, "invalid_request", "query.cursor"},
		{"GET", "/v1/payments/pay_01h455vb4pex5vsknk084sn02q/refunds", ``, 404, "not_found", ""},
		{"GET", "/v1/disputes?payment=" + string(dispute), ``, 422, "invalid_request", "query.payment"},
		{"GET", "/v1/disputes?payment=pay_01h455vb4pex5vsknk084sn02q", ``, 404, "not_found", ""},
		{"GET", "/v1/disputes?status=open", ``, 422, "invalid_request", "query.status"},
		{"GET", "/v1/disputes/" + string(p.ID), ``, 400, "invalid_id", "path.id"},
		{"GET", "/v1/disputes/dsp_01h455vb4pex5vsknk084sn02q", ``, 404, "not_found", ""},
		{"GET", "/v1/disputes/dsp_01h455vb4pex5vsknk084sn02q/evidence", ``, 404, "not_found", ""},
		{"PUT", path + "/evidence", `{"texts":{"mood":"good"}}`, 422, "invalid_request", "body.texts.mood"},
		{"PUT", path + "/evidence", `{"texts":{"receipt":"text"}}`, 422, "invalid_request", "body.texts.receipt"},
		{"PUT", path + "/evidence", `{"texts":{"uncategorized_text":"a\u0000"}}`, 422, "invalid_request", "body.texts.uncategorized_text"},
		{"PUT", path + "/evidence", `{"texts":{"uncategorized_text":"` + strings.Repeat("a", core.EvidenceTextCharsMax+1) + `"}}`, 422, "invalid_request", "body.texts.uncategorized_text"},
		{"PUT", path + "/evidence", `{"texts":{"uncategorized_text":"4242 4242 4242 4242"}}`, 422, "card_number_refused", ""},
		{"PUT", path + "/evidence", `{"texts":{"a":"b","a":"c"}}`, 400, "invalid_json", ""},
		{"PUT", path + "/evidence", `{`, 400, "invalid_json", ""},
		{"PUT", path + "/evidence", `{}`, 422, "invalid_request", "body.texts"},
		{"PUT", path + "/evidence", ``, 400, "invalid_request", "body"},
		{"PUT", path + "/evidence", `{"texts":{"uncategorized_text":"` + strings.Repeat("a", 1<<20) + `"}}`, 413, "body_too_large", ""},
		{"DELETE", path + "/evidence/files/" + string(dispute), ``, 400, "invalid_id", "path.file"},
		{"DELETE", path + "/evidence/files/fil_01h455vb4pex5vsknk084sn02q", ``, 404, "not_found", ""},
		{"POST", path + "/evidence/files", `{}`, 415, "unsupported_media_type", ""},
		{"POST", path + "/submit", `{"texts":{}}`, 422, "invalid_request", "body.texts"},
		{"PUT", path, `{}`, 405, "method_not_allowed", ""},
		{"POST", path + "/evidence", `{}`, 405, "method_not_allowed", ""},
	} {
		answer := h.do(t.Context(), request{method: bad.method, path: bad.path, body: bad.body, key: "k"})
		p := refused(t, answer, bad.status, bad.code)
		if bad.location != "" {
			require.Equal(t, bad.location, p.Errors[0].Location, bad.path+bad.body)
		}
	}
	for _, path := range []string{"/v1/payments/" + string(p.ID) + "/refunds", path + "/submit", path + "/accept"} {
		refused(t, h.post(t, path, "", ""), http.StatusBadRequest, "idempotency_key_required")
	}
	require.Equal(t, effects, h.Provider.Effects(t))
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
}

func TestBadUploadsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, dispute, path := h.disputed(t)
	path += "/evidence/files"
	field, file := part{name: "field", content: "receipt"}, part{"file", "a.png", "image/png", pngText}
	changed := func(change func(*part)) part {
		other := file
		change(&other)
		return other
	}
	for name, bad := range map[string]struct {
		parts    []part
		status   int
		code, at string
	}{
		"no field":       {[]part{file}, 422, "invalid_request", "body.field"},
		"no file":        {[]part{field}, 422, "invalid_request", "body.file"},
		"nothing":        {nil, 422, "invalid_request", "body.field"},
		"field twice":    {[]part{field, field, file}, 422, "invalid_request", "body.field"},
		"file twice":     {[]part{field, file, file}, 422, "invalid_request", "body.file"},
		"another part":   {[]part{field, file, {name: "note"}}, 422, "invalid_request", "body"},
		"unknown field":  {[]part{{name: "field", content: "mood"}, file}, 422, "invalid_request", "body.field"},
		"a text's field": {[]part{{name: "field", content: "customer_name"}, file}, 422, "invalid_request", "body.field"},
		"empty":          {[]part{field, changed(func(p *part) { p.content = "" })}, 422, "invalid_request", "body.file"},
		"wrong type":     {[]part{field, changed(func(p *part) { p.contentType, p.content = "text/html", "<html>" })}, 422, "invalid_request", "body.file"},
		"lying type":     {[]part{field, changed(func(p *part) { p.contentType = "application/pdf" })}, 422, "invalid_request", "body.file"},
		"card as name":   {[]part{field, changed(func(p *part) { p.file = "4242424242424242.png" })}, 422, "invalid_request", "body.file"},
		"a little large": {[]part{field, changed(func(p *part) { p.content += strings.Repeat("x", core.EvidenceFileBytesMax) })}, 422, "invalid_request", "body.file"},
		"too large":      {[]part{field, changed(func(p *part) { p.content += strings.Repeat("x", core.EvidenceFileBytesMax+128<<10) })}, 413, "body_too_large", ""},
	} {
		p := refused(t, h.upload(t, path, bad.parts...), bad.status, bad.code)
		if bad.at != "" {
			require.Equal(t, bad.at, p.Errors[0].Location, name)
		}
	}
	contentType, body := form(t, field, file)
	for name, r := range map[string]request{
		"cut off":     {body: body[:len(body)-20], header: http.Header{"Content-Type": {contentType}}},
		"no boundary": {body: body, header: http.Header{"Content-Type": {"multipart/form-data"}}},
		"other":       {body: body, header: http.Header{"Content-Type": {"application/json"}}},
	} {
		r.method, r.path = http.MethodPost, path
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnsupportedMediaType}, h.do(t.Context(), r).Code, name)
	}
	// Whoever says beforehand that it is too long is refused without a byte being read.
	unread := &countingReader{}
	answer := h.ask(t.Context(), request{method: http.MethodPost, path: path, header: http.Header{"Content-Type": {contentType}}}, func(r *http.Request) {
		r.Body, r.ContentLength = unread, 1<<30
	})
	refused(t, answer, http.StatusRequestEntityTooLarge, "body_too_large")
	require.Zero(t, unread.reads)

	draft, err := h.Disputes.Evidence(t.Context(), dispute)
	require.NoError(t, err)
	require.True(t, draft.Empty())
	require.Equal(t, http.StatusCreated, h.upload(t, path, field, file).Code)
	require.Equal(t, http.StatusCreated, h.upload(t, path, field, file).Code, "in place of the first")
	draft, err = h.Disputes.Evidence(t.Context(), dispute)
	require.NoError(t, err)
	require.Len(t, draft.Files, 1)
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
	require.Empty(t, h.log.lines("4242"))
}

// countingReader counts how often it is read.
type countingReader struct{ reads int }

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	c.reads++
	return len(p), nil
}

// Close implements io.Closer.
func (c *countingReader) Close() error { return nil }
