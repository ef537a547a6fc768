package stripe_test

import (
	"bytes"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var dp1 = refOf(core.ObjectDispute, "dp_1")

// dispute is a dispute of 20 dollars as Stripe shows it, with more of its fields.
func dispute(more string) string {
	return `{"id":"dp_1","object":"dispute","amount":2000,"currency":"usd","created":1700000000,"livemode":false,"charge":"ch_1","payment_intent":"pi_1"` + more + `}`
}

func TestDisputeStatuses(t *testing.T) {
	t.Parallel()
	const due = `,"evidence_details":{"due_by":1700777777,"has_evidence":false,"past_due":false,"submission_count":0}`
	for _, c := range []struct {
		more           string
		status         core.DisputeStatus
		submit, accept bool
	}{
		{`,"status":"warning_needs_response"` + due, core.DisputeInquiry, true, false},
		{`,"status":"warning_under_review"` + due, core.DisputeInquiry, false, false},
		{`,"status":"warning_closed"` + due, core.DisputeWon, false, false},
		{`,"status":"needs_response"` + due, core.DisputeNeedsResponse, true, true},
		{`,"status":"needs_response","evidence_details":{"due_by":null}`, core.DisputeNeedsResponse, false, true}, // the bank hears nobody
		{`,"status":"needs_response"`, core.DisputeNeedsResponse, false, true},
		{`,"status":"under_review"` + due, core.DisputeUnderReview, false, false},
		{`,"status":"won"` + due, core.DisputeWon, false, false},
		{`,"status":"lost"` + due, core.DisputeLost, false, false},
		{`,"status":"not_invented_yet"` + due, "", false, false},
	} {
		seen, err := answering(t, http.StatusOK, dispute(c.more)).GetDispute(t.Context(), dp1)
		require.NoError(t, err, c.more)
		require.Equal(t, c.status, seen.Status, c.more)
		require.Equal(t, c.submit, seen.CanSubmit, c.more)
		require.Equal(t, c.accept, seen.CanAccept, c.more)
		require.Equal(t, c.submit, !seen.DueAt.IsZero(), c.more)
	}
}

func TestDisputeReasons(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]core.DisputeReason{
		"fraudulent": core.DisputeFraudulent, "debit_not_authorized": core.DisputeFraudulent, "product_not_received": core.DisputeNotReceived,
		"product_unacceptable": core.DisputeUnacceptable, "duplicate": core.DisputeDuplicate, "subscription_canceled": core.DisputeCanceledReason,
		"credit_not_processed": core.DisputeNotRefunded, "unrecognized": core.DisputeUnrecognized, "general": core.DisputeGeneral,
		"check_returned": core.DisputeGeneral, "not_invented_yet": core.DisputeGeneral,
	} {
		seen, err := answering(t, http.StatusOK, dispute(`,"status":"lost","reason":"`+reason+`"`)).GetDispute(t.Context(), dp1)
		require.NoError(t, err)
		require.Equal(t, want, seen.Reason, reason)
		require.Equal(t, reason, seen.ForeignReason)
	}
}

// TestDisputeFunds: what moved is told in the balance's currency, and nothing before.
func TestDisputeFunds(t *testing.T) {
	t.Parallel()
	const withdrawn = `{"amount":-1800,"currency":"eur","fee":1500,"net":-3300}`
	for _, c := range []struct {
		moves                      string
		fee, withdrawn, reinstated int64 // -1 for nothing told
	}{
		{``, -1, -1, -1},
		{`,"balance_transactions":[]`, -1, -1, -1},
		{`,"balance_transactions":[` + withdrawn + `]`, 1500, 1800, 0},
		{`,"balance_transactions":[` + withdrawn + `,{"amount":1800,"currency":"eur","fee":0,"net":1800}]`, 1500, 1800, 1800},
		{`,"balance_transactions":[` + withdrawn + `,{"amount":1800,"currency":"eur","fee":-1500,"net":3300}]`, 0, 1800, 1800}, // the fee came back, too
	} {
		seen, err := answering(t, http.StatusOK, dispute(`,"status":"needs_response","reason":"fraudulent"`+c.moves)).GetDispute(t.Context(), dp1)
		require.NoError(t, err)
		want := core.DisputeSnapshot{
			Ref: dp1, Payment: pi1, Status: core.DisputeNeedsResponse, ForeignStatus: "needs_response", Reason: core.DisputeFraudulent,
			ForeignReason: "fraudulent", Amount: money(t, 2000, "USD"), CanAccept: true, Environment: core.EnvTest, OpenedAt: time.Unix(1700000000, 0).UTC(),
		}
		if c.fee >= 0 {
			want.Fee, want.Withdrawn, want.Reinstated = money(t, c.fee, "EUR"), money(t, c.withdrawn, "EUR"), money(t, c.reinstated, "EUR")
		}
		require.Equal(t, want, seen, c.moves)
	}
	for _, odd := range []string{`[null]`, `[` + withdrawn + `,{"amount":1,"currency":"usd"}]`, `[{"amount":1,"currency":"ugx"}]`} {
		_, err := answering(t, http.StatusOK, dispute(`,"status":"won","balance_transactions":`+odd)).GetDispute(t.Context(), dp1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
	}
}

func TestPaymentDisputes(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{"GET /v1/disputes": listOf(dispute(`,"status":"lost"`))})
	all, err := adapter.PaymentDisputes(t.Context(), pi1)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, map[string]string{"payment_intent": "pi_1", "limit": "20"}, heard.last())
	for _, odd := range []string{`null`, `{"id":"dp_1","object":"charge"}`, dispute(`,"payment_intent":"pi_2"`), dispute(`,"payment_intent":null`)} {
		_, err := answering(t, http.StatusOK, listOf(odd)).PaymentDisputes(t.Context(), pi1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
	}
}

// TestAcceptDispute: Stripe calls it lost, and refuses to close what is closed.
func TestAcceptDispute(t *testing.T) {
	t.Parallel()
	const closing, look = "POST /v1/disputes/dp_1/close", "GET /v1/disputes/dp_1"
	lost := func(submissions string) string {
		return dispute(`,"status":"lost","evidence_details":{"submission_count":` + submissions + `}`)
	}
	for name, c := range map[string]struct {
		answers script
		status  core.DisputeStatus
		class   core.Class
		looks   bool
	}{
		"closed":                        {script{closing: lost("0")}, core.DisputeAccepted, 0, false},
		"closed after evidence":         {script{closing: lost("1")}, core.DisputeAccepted, 0, false},
		"closed before":                 {script{closing: refusal, look: lost("0")}, core.DisputeAccepted, 0, true},
		"lost in spite of evidence":     {script{closing: refusal, look: lost("1")}, "", core.ClassInvalid, true},
		"won":                           {script{closing: refusal, look: dispute(`,"status":"won","evidence_details":{"submission_count":0}`)}, "", core.ClassInvalid, true},
		"lost, and who knows how":       {script{closing: refusal, look: dispute(`,"status":"lost"`)}, "", core.ClassInvalid, true},
		"refused, and no second look":   {script{closing: refusal, look: `500 {"error":{"type":"api_error"}}`}, "", core.ClassUnknown, true},
		"not there":                     {script{}, "", core.ClassInvalid, false},
		"no answer":                     {script{closing: `500 {"error":{"type":"api_error"}}`}, "", core.ClassUnknown, false},
		"not yet to be told of a close": {script{closing: dispute(`,"status":"under_review"`)}, core.DisputeUnderReview, 0, false},
	} {
		adapter, heard := playing(t, c.answers)
		seen, err := adapter.AcceptDispute(t.Context(), "op_1", ports.AcceptDispute{Ref: dp1, Amount: money(t, 2000, "USD")})
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, c.status == "", err != nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, c.class, providerError(t, err).Class, name)
		}
		want := []string{closing + " op_1"}
		if c.looks {
			want = append(want, look)
		}
		require.Equal(t, want, heard.list(), name)
	}
}

// TestSubmitEvidence: each file goes by itself, and one call then names them all and sends
// everything. Sent again it is the same to the byte.
func TestSubmitEvidence(t *testing.T) {
	t.Parallel()
	var bodies [2][]string
	for try := range bodies {
		adapter, heard := playing(t, script{
			"POST /v1/files":         `{"id":"file_1","object":"file"}`,
			"POST /v1/disputes/dp_1": dispute(`,"status":"under_review"`),
		})
		in := allEvidence(dp1, core.EvidenceFiles()...)
		if try > 0 {
			slices.Reverse(in.Files) // the order says nothing
		}
		seen, err := adapter.SubmitEvidence(t.Context(), "op_1", in)
		require.NoError(t, err)
		require.Equal(t, core.DisputeUnderReview, seen.Status)
		form := heard.last()
		require.Equal(t, "true", form["submit"])
		require.Len(t, form, 1+len(core.EvidenceTexts())+len(core.EvidenceFiles()), "every field has a place of its own")
		require.Equal(t, "about customer_email", form["evidence[customer_email_address]"])
		for _, field := range core.EvidenceTexts() {
			if field != core.EvidenceCustomerEmail {
				require.Equal(t, "about "+string(field), form["evidence["+string(field)+"]"])
			}
		}
		for _, field := range core.EvidenceFiles() {
			require.Equal(t, "file_1", form["evidence["+string(field)+"]"])
		}
		for _, each := range heard.calls {
			bodies[try] = append(bodies[try], each.key+" "+each.body)
		}
		slices.Sort(bodies[try])
	}
	require.Equal(t, bodies[0], bodies[1])
}

// TestUpload: the file goes to where files go, under its name, and says of what kind it is.
func TestUpload(t *testing.T) {
	t.Parallel()
	type arrived struct {
		purpose, name, kind, key string
		content                  []byte
	}
	uploads := make(chan arrived, 1)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, more, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err == nil && r.URL.Path == "/up/v1/files" {
			form, _ := multipart.NewReader(r.Body, more["boundary"]).ReadForm(1 << 20)
			opened, _ := form.File["file"][0].Open()
			content := &bytes.Buffer{}
			_, _ = content.ReadFrom(opened)
			uploads <- arrived{form.Value["purpose"][0], form.File["file"][0].Filename, form.File["file"][0].Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), content.Bytes()}
		}
		_, _ = w.Write([]byte(`{"id":"file_1","object":"file"}`))
	}))
	t.Cleanup(files.Close)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(dispute(`,"status":"under_review"`)))
	}))
	t.Cleanup(api.Close)
	adapter, err := stripe.New(stripe.Options{Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_1", APIBase: api.URL, FilesBase: files.URL + "/up/v1"})
	require.NoError(t, err)
	_, err = adapter.SubmitEvidence(t.Context(), "op_1", allEvidence(dp1, core.EvidenceOtherFile))
	require.NoError(t, err)
	require.Equal(t, arrived{"dispute_evidence", `a "quoted" name.png`, "image/png", "op_1-f8", []byte("\x89PNG\r\n\x1a\nuncategorized_file")}, <-uploads)
}

// hostsAsked notes which hosts are asked, and answers as an empty object.
type hostsAsked struct{ hosts []string }

// RoundTrip implements [http.RoundTripper].
func (h *hostsAsked) RoundTrip(request *http.Request) (*http.Response, error) {
	h.hosts = append(h.hosts, request.URL.Host)
	return canned(`{"id":"file_1","object":"file"}`).RoundTrip(request)
}

// TestWhereFilesGo: never to the API of the real Stripe, and along with an API elsewhere.
func TestWhereFilesGo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ api, files, apiHost, filesHost string }{
		{"", "", "api.stripe.com", "files.stripe.com"},
		{"https://api.stripe.com/v1", "", "api.stripe.com", "files.stripe.com"},
		{"", "https://files.stripe.com/", "api.stripe.com", "files.stripe.com"},
		{"", "https://proxy.example", "api.stripe.com", "proxy.example"},
		{"https://proxy.example", "", "proxy.example", "proxy.example"},
		{"https://proxy.example", "https://files.example/x", "proxy.example", "files.example"},
	} {
		asked := &hostsAsked{}
		adapter, err := stripe.New(stripe.Options{
			Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_1", APIBase: c.api, FilesBase: c.files, HTTPClient: &http.Client{Transport: asked},
		})
		require.NoError(t, err)
		_, err = adapter.SubmitEvidence(t.Context(), "op_1", allEvidence(dp1, core.EvidenceReceipt))
		require.Error(t, err, "the answer is no dispute")
		require.Equal(t, []string{c.filesHost, c.apiHost}, asked.hosts)
	}
	_, err := stripe.New(stripe.Options{Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_1", FilesBase: "files.stripe.com"})
	require.ErrorContains(t, err, "PAYDESK_STRIPE_FILES_BASE")
}

func TestEvidenceThatIsNotSent(t *testing.T) {
	t.Parallel()
	file := []ports.EvidenceContent{{EvidenceFile: core.EvidenceFile{Field: core.EvidenceReceipt}}}
	for name, in := range map[string]ports.SubmitEvidence{
		"none":            {Ref: dp1},
		"an unknown text": {Ref: dp1, Texts: map[core.EvidenceField]string{"horoscope": "x"}},
		"an unknown file": {Ref: dp1, Files: []ports.EvidenceContent{{EvidenceFile: core.EvidenceFile{Field: "horoscope"}}}},
		"another account": {Ref: core.ProviderRef{Account: "stripe_eu", Kind: core.ObjectDispute, ID: "dp_1"}, Files: file},
	} {
		adapter, heard := playing(t, script{})
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", in)
		require.Equal(t, core.ClassInvalid, providerError(t, err).Class, name)
		require.Empty(t, heard.list(), name)
	}
	for answer, class := range map[string]core.Class{
		refusal: core.ClassInvalid, `500 {"error":{"type":"api_error"}}`: core.ClassUnknown, `429 {"error":{"type":"invalid_request_error"}}`: core.ClassRetryable,
		`<html>`: core.ClassUnknown, `{}`: core.ClassUnknown, `{"object":"file"}`: core.ClassUnknown, `{"object":"file","id":"../x"}`: core.ClassUnknown,
	} {
		adapter, heard := playing(t, script{"POST /v1/files": answer})
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", ports.SubmitEvidence{Ref: dp1, Files: file})
		require.Equal(t, class, providerError(t, err).Class, answer)
		require.Equal(t, []string{"POST /v1/files op_1-f0"}, heard.list(), "nothing was submitted")
	}
	require.True(t, strings.HasPrefix(refusal, "400 "))
}
