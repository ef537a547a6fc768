package square_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const pngStart = "\x89PNG\r\n\x1a\n"

// part is one of a body with a file.
type part struct{ name, filename, kind, content string }

// upload sends a file for a dispute, in parts.
func (h *house) upload(t *testing.T, dispute string, parts ...part) answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, one := range parts {
		disposition := fmt.Sprintf(`form-data; name="%s"`, one.name)
		if one.filename != "" {
			disposition += fmt.Sprintf(`; filename="%s"`, one.filename)
		}
		into, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {one.kind}})
		require.NoError(t, err)
		_, err = into.Write([]byte(one.content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	header := ours()
	header["Content-Type"] = w.FormDataContentType()
	a, err := h.try(t.Context(), http.MethodPost, "/square/v2/disputes/"+dispute+"/evidence-files", body.String(), header)
	require.NoError(t, err)
	return a
}

func (h *house) dispute(t *testing.T, key string, inquiry bool) string {
	t.Helper()
	h.pay(t, key, nil)
	id, err := h.sim.OpenDispute("pay_"+key, "fraudulent", 0, inquiry)
	require.NoError(t, err)
	return id
}

func (h *house) disputeState(t *testing.T, id string) string {
	t.Helper()
	return h.call(t, http.MethodGet, "/v2/disputes/"+id, nil).text("dispute.state")
}

// say adds words to a dispute's evidence.
func (h *house) say(t *testing.T, dispute, key string, changes object) answer {
	t.Helper()
	body := object{"idempotency_key": key, "evidence_text": "It was delivered.", "evidence_type": "REBUTTAL_EXPLANATION"}
	for name, value := range changes {
		body[name] = value
		if value == nil {
			delete(body, name)
		}
	}
	return h.call(t, http.MethodPost, "/v2/disputes/"+dispute+"/evidence-text", body)
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.dispute(t, "1", false)
	at := "/v2/disputes/" + id
	require.Equal(t, "BAD_REQUEST", h.call(t, http.MethodPost, at+"/submit-evidence", nil).code(), "there is nothing to submit")
	words := h.say(t, id, "e1", nil)
	require.Equal(t, http.StatusOK, words.Status, words.Text)
	require.Equal(t, "It was delivered.", words.text("evidence.evidence_text"))
	require.Equal(t, id, words.text("evidence.dispute_id"))
	require.Equal(t, words.Text, h.say(t, id, "e1", nil).Text)
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", h.say(t, id, "e1", object{"evidence_text": "Other"}).code())
	request := part{name: "request", kind: "application/json", content: `{"idempotency_key":"e2","evidence_type":"RECEIPT","content_type":"image/png"}`}
	file := h.upload(t, id, request, part{"image_file", "../receipt.png", "image/png", pngStart + strings.Repeat("x", 3<<20)})
	require.Equal(t, http.StatusOK, file.Status, file.Text)
	require.Equal(t, "receipt.png", file.text("evidence.evidence_file.filename"))
	require.Equal(t, "image/png", file.text("evidence.evidence_file.filetype"))
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", h.upload(t, id, request, part{"image_file", "../receipt.png", "image/png", pngStart}).code(), "another file")
	other := h.say(t, id, "e3", object{"evidence_type": nil})
	require.Equal(t, "GENERIC_EVIDENCE", other.text("evidence.evidence_type"))

	require.Len(t, h.call(t, http.MethodGet, at+"/evidence", nil).at("evidence"), 3)
	require.Equal(t, "RECEIPT", h.call(t, http.MethodGet, at+"/evidence/"+file.text("evidence.id"), nil).text("evidence.evidence_type"))
	require.Equal(t, http.StatusOK, h.call(t, http.MethodDelete, at+"/evidence/"+other.text("evidence.id"), nil).Status)
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodGet, at+"/evidence/"+other.text("evidence.id"), nil).code())
	require.Len(t, h.call(t, http.MethodGet, at, nil).at("dispute.evidence_ids"), 2)
	require.Len(t, h.objects(t, "evidence"), 2)
	require.Len(t, h.deliveries(t, "dispute.evidence.created"), 3)
	require.Equal(t, id, h.deliveries(t, "dispute.evidence.deleted")[0].text("data.id"))

	require.Equal(t, "PROCESSING", h.call(t, http.MethodPost, at+"/submit-evidence", nil).text("dispute.state"))
	for name, a := range map[string]answer{
		"more": h.say(t, id, "e4", nil), "again": h.call(t, http.MethodPost, at+"/submit-evidence", nil), "accept": h.call(t, http.MethodPost, at+"/accept", nil),
		"delete": h.call(t, http.MethodDelete, at+"/evidence/"+words.text("evidence.id"), nil),
	} {
		require.Equal(t, http.StatusBadRequest, a.Status, name)
		require.Equal(t, "BAD_REQUEST", a.code(), name)
	}
	h.advance(20 * day)
	require.Equal(t, "PROCESSING", h.disputeState(t, id), "it was answered in time")
	require.NoError(t, h.sim.CloseDispute(id, "lost"))
	require.Equal(t, "LOST", h.disputeState(t, id))
}

func TestEvidenceIsChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.dispute(t, "1", false)
	for name, test := range map[string]struct {
		changes object
		code    string
	}{
		"no key": {object{"idempotency_key": nil}, "MISSING_REQUIRED_PARAMETER"}, "no words": {object{"evidence_text": ""}, "VALUE_EMPTY"},
		"many words": {object{"evidence_text": strings.Repeat("x", 501)}, "VALUE_TOO_LONG"}, "type": {object{"evidence_type": "LETTER"}, "INVALID_ENUM_VALUE"},
		"unknown": {object{"text": "x"}, "UNKNOWN_BODY_PARAMETER"},
	} {
		require.Equal(t, test.code, h.say(t, id, name, test.changes).code(), name)
	}
	require.Equal(t, "NOT_FOUND", h.say(t, "DIS0", "k", nil).code())

	request := func(text string) part { return part{name: "request", kind: "application/json", content: text} }
	good, png := request(`{"idempotency_key":"f"}`), part{"image_file", "a.png", "image/png", pngStart}
	for name, test := range map[string]struct {
		parts []part
		code  string
	}{
		"no file":       {[]part{good}, "MISSING_REQUIRED_PARAMETER"},
		"no request":    {[]part{png}, "EXPECTED_JSON_BODY"},
		"no key":        {[]part{request(`{}`), png}, "MISSING_REQUIRED_PARAMETER"},
		"unknown":       {[]part{request(`{"idempotency_key":"f","x":1}`), png}, "UNKNOWN_BODY_PARAMETER"},
		"other part":    {[]part{good, {"file", "a.png", "image/png", pngStart}}, "UNKNOWN_BODY_PARAMETER"},
		"three parts":   {[]part{good, png, png}, "BAD_REQUEST"},
		"text":          {[]part{good, {"image_file", "a.txt", "text/plain", "words"}}, "UNSUPPORTED_MEDIA_TYPE"},
		"not a PNG":     {[]part{good, {"image_file", "a.png", "image/png", "%PDF-1.7"}}, "INVALID_CONTENT_TYPE"},
		"not as told":   {[]part{request(`{"idempotency_key":"f","content_type":"image/jpeg"}`), png}, "INVALID_CONTENT_TYPE"},
		"empty":         {[]part{good, {"image_file", "a.png", "image/png", ""}}, "VALUE_EMPTY"},
		"too large":     {[]part{good, {"image_file", "a.png", "image/png", pngStart + strings.Repeat("x", 5<<20)}}, "REQUEST_ENTITY_TOO_LARGE"},
		"far too large": {[]part{good, {"image_file", "a.png", "image/png", pngStart + strings.Repeat("x", 6<<20)}}, "REQUEST_ENTITY_TOO_LARGE"},
		"plain request": {[]part{{name: "request", kind: "text/plain", content: `{"idempotency_key":"f"}`}, png}, "INVALID_CONTENT_TYPE"},
	} {
		require.Equal(t, test.code, h.upload(t, id, test.parts...).code(), name)
	}
	require.Equal(t, "INVALID_CONTENT_TYPE", h.call(t, http.MethodPost, "/v2/disputes/"+id+"/evidence-files", object{"idempotency_key": "f"}).code())
	for kind, start := range map[string]string{
		"image/jpeg": "\xff\xd8\xff\xe0", "application/pdf": "%PDF-1.7", "image/tiff": "II*\x00", "image/heic": "\x00\x00\x00\x18ftypheic", "image/heif": "\x00\x00\x00\x18ftypmif1",
	} {
		a := h.upload(t, id, request(`{"idempotency_key":"`+kind+`"}`), part{"image_file", "a", kind, start})
		require.Equal(t, kind, a.text("evidence.evidence_file.filetype"), a.Text)
	}
}

func TestDisputesRunOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	start := h.clock.Now()
	silent, inquiry := h.dispute(t, "1", false), h.dispute(t, "2", true)
	due := start.Add(14 * day).Format("2006-01-02T15:04:05.000Z")
	require.Equal(t, due, h.call(t, http.MethodGet, "/v2/disputes/"+silent, nil).text("dispute.due_at"))
	h.advance(14*day - time.Second)
	require.Equal(t, "EVIDENCE_REQUIRED", h.disputeState(t, silent))
	h.advance(time.Hour)
	require.Equal(t, "LOST", h.disputeState(t, silent))
	require.Equal(t, due, h.call(t, http.MethodGet, "/v2/disputes/"+silent, nil).text("dispute.updated_at"))
	require.Equal(t, "INQUIRY_CLOSED", h.disputeState(t, inquiry), "nothing was taken")

	accepted := h.dispute(t, "3", false)
	require.Equal(t, "ACCEPTED", h.call(t, http.MethodPost, "/v2/disputes/"+accepted+"/accept", nil).text("dispute.state"))
	require.ErrorIs(t, h.sim.CloseDispute(accepted, "won"), engine.ErrDisputeFinished)
	require.Equal(t, "BAD_REQUEST", h.call(t, http.MethodPost, "/v2/disputes/"+accepted+"/accept", nil).code())
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodPost, "/v2/disputes/DIS0/accept", nil).code())
	h.advance(20 * day)
	require.Equal(t, "ACCEPTED", h.disputeState(t, accepted))
}

func TestInquiries(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	byCard := h.payWith(t, "card", "inquiry")
	require.Equal(t, byCard, h.call(t, http.MethodGet, "/v2/disputes?states=INQUIRY_EVIDENCE_REQUIRED", nil).text("disputes.0.disputed_payment.payment_id"))
	require.Equal(t, "PENDING", h.refund(t, "r", byCard, 1).text("refund.status"), "an inquiry keeps nobody from giving back")

	id := h.dispute(t, "1", true)
	require.Equal(t, "BAD_REQUEST", h.call(t, http.MethodPost, "/v2/disputes/"+id+"/accept", nil).code())
	h.say(t, id, "e", nil)
	require.Equal(t, "INQUIRY_PROCESSING", h.call(t, http.MethodPost, "/v2/disputes/"+id+"/submit-evidence", nil).text("dispute.state"))
	h.advance(10 * day)
	require.NoError(t, h.sim.CloseDispute(id, "escalated"))
	require.Equal(t, "EVIDENCE_REQUIRED", h.disputeState(t, id))
	require.ErrorIs(t, h.sim.CloseDispute(id, "escalated"), engine.ErrNotInquiry)
	h.advance(13 * day)
	require.Equal(t, "EVIDENCE_REQUIRED", h.disputeState(t, id), "there is a new deadline")
	h.advance(day)
	require.Equal(t, "LOST", h.disputeState(t, id))

	closed := h.dispute(t, "2", true)
	require.NoError(t, h.sim.CloseDispute(closed, "won"))
	require.Equal(t, "INQUIRY_CLOSED", h.disputeState(t, closed))
	require.ErrorIs(t, h.sim.CloseDispute(closed, "escalated"), engine.ErrDisputeFinished)
}
