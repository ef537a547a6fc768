package paypal_test

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
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

const pngStart = "\x89PNG\x0D\x0A\x1A\x0A"

// disputed pays, has it disputed, and gives the dispute's path.
func (s *store) disputed(t *testing.T, inquiry bool) string {
	t.Helper()
	paid := s.captured(t, success, "paypal")
	id, err := s.paypal.OpenDispute(paid.text(captures+".id"), "product_not_received", 0, inquiry)
	require.NoError(t, err)
	return "/v1/customer/disputes/" + id
}

// sendParts posts a body of several parts: JSON as input unless it is empty, and files by
// their names.
func (s *store) sendParts(t *testing.T, path, input string, files map[string]string) reply {
	t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	if input != "" {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="input"`}, "Content-Type": {"application/json"}}
		part, err := writer.CreatePart(header)
		require.NoError(t, err)
		_, err = part.Write([]byte(input))
		require.NoError(t, err)
	}
	for name, content := range files {
		part, err := writer.CreateFormFile("file1", name)
		require.NoError(t, err)
		_, err = part.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return s.do(t, http.MethodPost, path, body.String(), "Authorization", "Bearer "+s.token, "Content-Type", writer.FormDataContentType())
}

const note = `{"evidences":[{"evidence_type":"OTHER","notes":"It was delivered."}]}`

func TestEvidence(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := s.disputed(t, false)
	shown := s.get(t, at)
	require.Equal(t, "2026-03-11T12:00:00.000Z", shown.text("seller_response_due_date"))
	require.ElementsMatch(t, []string{"self", "provide_evidence", "accept_claim"}, shown.rels())
	evidence := s.sendParts(t, at+"/provide-evidence",
		`{"evidences":[{"evidence_type":"PROOF_OF_FULFILLMENT","notes":"Sent & signed.","evidence_info":{"tracking_info":[{"carrier_name":"UPS","tracking_number":"1Z"}]}}]}`,
		map[string]string{"slip.png": pngStart})
	require.Equal(t, http.StatusOK, evidence.Status, evidence.Text)
	require.Equal(t, s.url+"/paypal"+at, evidence.link("self"))
	shown = s.get(t, at)
	require.Equal(t, "UNDER_REVIEW", shown.text("status"))
	require.Equal(t, "UNDER_PAYPAL_REVIEW", shown.text("dispute_state"))
	require.Equal(t, "slip.png", shown.text("evidences.0.documents.0.name"))
	require.Equal(t, "SUBMITTED_BY_SELLER", shown.text("evidences.0.source"))
	require.Equal(t, "1Z", shown.text("evidences.0.evidence_info.tracking_info.0.tracking_number"))
	require.Nil(t, shown.at("seller_response_due_date"))
	unprocessable(t, s.sendParts(t, at+"/provide-evidence", note, nil), "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
	require.Equal(t, http.StatusOK, s.sendParts(t, at+"/provide-supporting-info", `{"notes":"More."}`, nil).Status)
	require.Equal(t, http.StatusOK, s.post(t, at+"/provide-supporting-info", `{"notes":"And more."}`).Status)
	s.pass(t, 100*day)
	require.Equal(t, "UNDER_REVIEW", s.get(t, at).text("status"), "it was answered in time")

	require.Equal(t, http.StatusOK, s.post(t, at+"/require-evidence", `{"action":"SELLER_EVIDENCE"}`).Status)
	require.Equal(t, "WAITING_FOR_SELLER_RESPONSE", s.get(t, at).text("status"))
	unprocessable(t, s.post(t, at+"/adjudicate", `{"adjudication_outcome":"SELLER_FAVOR"}`), "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
	s.sendParts(t, at+"/provide-evidence", note, nil)
	require.Equal(t, http.StatusOK, s.post(t, at+"/adjudicate", `{"adjudication_outcome":"SELLER_FAVOR"}`).Status)
	shown = s.get(t, at)
	require.Equal(t, "RESOLVED_SELLER_FAVOUR", shown.text("dispute_outcome.outcome_code"))
	require.Equal(t, []string{"self"}, shown.rels())
	require.Len(t, s.told(t, "CUSTOMER.DISPUTE.UPDATED"), 5)
	require.Len(t, s.told(t, "CUSTOMER.DISPUTE.RESOLVED"), 1)
}

func TestEvidenceThatIsNone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := s.disputed(t, false)
	tests := []struct {
		name, input, issue string
		files              map[string]string
	}{
		{"nothing", "", "MISSING_REQUIRED_PARAMETER", nil},
		{"a type of its own", `{"evidences":[{"evidence_type":"TEARS","notes":"x"}]}`, "INVALID_PARAMETER_VALUE", nil},
		{"nothing in it", `{"evidences":[{"evidence_type":"OTHER"}]}`, "MISSING_REQUIRED_PARAMETER", nil},
		{"a long story", `{"evidences":[{"evidence_type":"OTHER","notes":"` + strings.Repeat("x", 2001) + `"}]}`, "INVALID_STRING_LENGTH", nil},
		{"an unknown field", `{"evidences":[{"evidence_type":"OTHER","note":"x"}]}`, "INVALID_PARAMETER", nil},
		{"a program", note, "UNSUPPORTED_FILE_TYPE", map[string]string{"a.png": "MZ program"}},
		{"an empty file", note, "EMPTY_FILE", map[string]string{"a.png": ""}},
		{"a large file", note, "FILE_SIZE_LIMIT_EXCEEDED", map[string]string{"a.png": pngStart + strings.Repeat("x", 10<<20)}},
		{"a file that is not there", `{"evidences":[{"evidence_type":"OTHER","documents":[{"name":"b.png"}]}]}`, "INVALID_PARAMETER_VALUE", map[string]string{"a.png": pngStart}},
	}
	for _, test := range tests {
		a := s.sendParts(t, at+"/provide-evidence", test.input, test.files)
		require.Equal(t, http.StatusBadRequest, a.Status, test.name+a.Text)
		require.Equal(t, test.issue, a.text("details.0.issue"), test.name)
	}
	require.Equal(t, http.StatusUnsupportedMediaType, s.post(t, at+"/provide-evidence", note).Status)
	many := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		many[name] = pngStart + strings.Repeat("x", 9<<20)
	}
	require.Equal(t, http.StatusBadRequest, s.sendParts(t, at+"/provide-evidence", note, many).Status, "together they are too large")
	refused(t, s.sendParts(t, "/v1/customer/disputes/PP-D-0/provide-evidence", note, nil), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
	require.Equal(t, "WAITING_FOR_SELLER_RESPONSE", s.get(t, at).text("status"))
}

func TestDisputesThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := s.disputed(t, false)
	s.pass(t, 10*day-time.Second)
	require.Equal(t, "WAITING_FOR_SELLER_RESPONSE", s.get(t, at).text("status"))
	s.pass(t, 30*day)
	shown := s.get(t, at)
	require.Equal(t, "RESOLVED_BUYER_FAVOUR", shown.text("dispute_outcome.outcome_code"))
	require.Equal(t, "25.00", shown.text("dispute_outcome.amount_refunded.value"))
	require.Equal(t, "2026-03-11T12:00:00.000Z", shown.text("update_time"))
}

func TestAcceptedDisputes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := s.disputed(t, false) + "/accept-claim"
	unprocessable(t, s.post(t, at, `{"note":"Sorry.","accept_claim_type":"PARTIAL_REFUND"}`), "ACCEPT_CLAIM_TYPE_NOT_ALLOWED")
	unprocessable(t, s.post(t, at, `{"refund_amount":{"currency_code":"EUR","value":"1.00"}}`), "REFUND_AMOUNT_NOT_ALLOWED")
	require.Equal(t, http.StatusOK, s.post(t, at, `{"note":"Sorry.","accept_claim_reason":"LOST_IN_MAIL","accept_claim_type":"REFUND"}`).Status)
	unprocessable(t, s.post(t, at, `{}`), "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
	other := s.disputed(t, true)
	require.Equal(t, http.StatusOK, s.sendParts(t, other+"/accept-claim", `{"note":"Sorry."}`, nil).Status)
	require.Equal(t, "RESOLVED_BUYER_FAVOUR", s.get(t, other).text("dispute_outcome.outcome_code"))
}

func TestInquiries(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := s.disputed(t, true)
	shown := s.get(t, at)
	require.Equal(t, "INQUIRY", shown.text("dispute_life_cycle_stage"))
	require.Equal(t, "OPEN_INQUIRIES", shown.text("dispute_state"))
	require.Contains(t, shown.rels(), "escalate")
	s.pass(t, 5*day)
	require.NoError(t, s.paypal.CloseDispute(shown.text("dispute_id"), "escalated"))
	require.ErrorIs(t, s.paypal.CloseDispute(shown.text("dispute_id"), "escalated"), engine.ErrNotInquiry)
	shown = s.get(t, at)
	require.Equal(t, "CHARGEBACK", shown.text("dispute_life_cycle_stage"))
	require.Equal(t, "WAITING_FOR_SELLER_RESPONSE", shown.text("status"))
	require.Equal(t, "2026-03-16T12:00:00.000Z", shown.text("seller_response_due_date"))
	s.pass(t, 6*day)
	require.Equal(t, "WAITING_FOR_SELLER_RESPONSE", s.get(t, at).text("status"), "the first date counts no more")
	s.pass(t, 4*day)
	require.Equal(t, "RESOLVED", s.get(t, at).text("status"))

	s.captured(t, paypal.NamedCards["inquiry"], "card")
	asked := s.told(t, "CUSTOMER.DISPUTE.CREATED")
	require.Len(t, asked, 2)
	list := s.get(t, "/v1/customer/disputes?dispute_state=OPEN_INQUIRIES")
	require.Equal(t, "INQUIRY", list.text("items.0.dispute_life_cycle_stage"))
	escalated := "/v1/customer/disputes/" + list.text("items.0.dispute_id")
	require.Equal(t, http.StatusOK, s.post(t, escalated+"/escalate", `{"note":"Decide."}`).Status)
	require.Equal(t, "REQUIRED_ACTION", s.get(t, escalated).text("dispute_state"))
}

func TestDisputesAreListedByTime(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	first := s.get(t, s.disputed(t, false)).text("dispute_id")
	s.pass(t, day)
	second := s.get(t, s.disputed(t, false)).text("dispute_id")
	s.pass(t, day)
	require.NoError(t, s.paypal.CloseDispute(first, "won"))
	for query, want := range map[string][]string{
		"start_time=2026-03-01T12:00:00.000Z":                                                    {second, first},
		"start_time=2026-03-01T12:00:00.001Z":                                                    {second},
		"update_time_after=2026-03-02T12:00:00.000Z&update_time_before=2026-03-03T11:59:59.999Z": {second},
		"update_time_after=2026-03-02T12:00:00.001Z":                                             {first},
		"update_time_before=2026-03-02T11:59:59.999Z":                                            nil,
	} {
		list := s.get(t, "/v1/customer/disputes?"+query)
		items, ok := list.at("items").([]any)
		require.True(t, ok, list.Text)
		require.Len(t, items, len(want), query)
		for n, id := range want {
			require.Equal(t, id, list.text(fmt.Sprintf("items.%d.dispute_id", n)), query)
		}
	}
	next := s.get(t, "/v1/customer/disputes?page_size=1&start_time=2026-03-01T12:00:00.000Z").link("next")
	rest := s.get(t, next)
	require.Equal(t, first, rest.text("items.0.dispute_id"))
	require.Empty(t, rest.link("next"))
}

// TestDisputesAreListedForHalfAYear: a question about more, or about what is to come, is refused.
func TestDisputesAreListedForHalfAYear(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.disputed(t, false)
	s.pass(t, 180*day)
	count := func(query string) int {
		list := s.get(t, "/v1/customer/disputes"+query)
		items, ok := list.at("items").([]any)
		require.True(t, ok, list.Text)
		return len(items)
	}
	for _, query := range []string{
		"", "?start_time=2026-03-01T12:00:00.000Z", "?update_time_after=2026-03-01T12:00:00.000Z", "?update_time_before=2026-08-28T12:00:00.000Z",
	} {
		require.Equal(t, 1, count(query), query)
	}
	for _, query := range []string{
		"start_time=2026-03-01T11:59:59.999Z", "update_time_after=2026-03-01T11:59:59.999Z", "update_time_before=2026-03-01T11:59:59.999Z",
		"update_time_before=2026-08-28T12:00:00.001Z",
	} {
		a := s.get(t, "/v1/customer/disputes?"+query)
		refused(t, a, 400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE")
		require.Equal(t, strings.Split(query, "=")[0], a.text("details.0.field"))
	}
	s.pass(t, time.Second)
	require.Zero(t, count(""), "it is older than half a year")
}
