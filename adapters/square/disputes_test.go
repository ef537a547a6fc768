package square_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// disputed is a dispute as Square writes it.
func disputed(state string, changes ...string) string {
	text := `200 {"dispute":{"id":"D1","state":"` + state + `","reason":"NOT_RECEIVED","amount_money":{"amount":1000,"currency":"EUR"},
		"due_at":"2026-01-16T00:00:00.000Z","disputed_payment":{"payment_id":"P1"},"created_at":"2026-01-02T03:04:05.000Z"}}`
	return strings.NewReplacer(changes...).Replace(text)
}

var disputeRef = of(core.ObjectDispute, "D1")

func TestDisputeStates(t *testing.T) {
	t.Parallel()
	for state, c := range map[string]struct {
		status         core.DisputeStatus
		submit, accept bool
	}{
		"INQUIRY_EVIDENCE_REQUIRED": {core.DisputeInquiry, true, false}, "INQUIRY_PROCESSING": {core.DisputeInquiry, false, false},
		"INQUIRY_CLOSED": {core.DisputeWon, false, false}, "EVIDENCE_REQUIRED": {core.DisputeNeedsResponse, true, true},
		"PROCESSING": {core.DisputeUnderReview, false, false}, "WON": {core.DisputeWon, false, false}, "LOST": {core.DisputeLost, false, false},
		"ACCEPTED": {core.DisputeAccepted, false, false}, "SOMETHING_NEW": {"", false, false},
	} {
		adapter, script := open(t, disputed(state))
		seen, err := adapter.GetDispute(t.Context(), disputeRef)
		require.NoError(t, err, state)
		want := core.DisputeSnapshot{
			Ref: disputeRef, Payment: ref, Status: c.status, ForeignStatus: state, Reason: core.DisputeNotReceived, ForeignReason: "NOT_RECEIVED",
			Amount: money(t, 1000, "EUR"), CanSubmit: c.submit, CanAccept: c.accept, Environment: core.EnvTest,
			OpenedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		}
		if c.submit {
			want.DueAt = time.Date(2026, 1, 16, 0, 0, 0, 0, time.UTC)
		}
		require.Equal(t, want, seen, state)
		require.Equal(t, []string{"GET /v2/disputes/D1"}, lines(script))
	}
}

func TestDisputeReasons(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]core.DisputeReason{
		"AMOUNT_DIFFERS": core.DisputeWrongAmount, "CANCELLED": core.DisputeCanceledReason, "DUPLICATE": core.DisputeDuplicate,
		"NO_KNOWLEDGE": core.DisputeUnrecognized, "NOT_AS_DESCRIBED": core.DisputeUnacceptable, "NOT_RECEIVED": core.DisputeNotReceived,
		"PAID_BY_OTHER_MEANS": core.DisputeDuplicate, "CUSTOMER_REQUESTS_CREDIT": core.DisputeNotRefunded,
		"EMV_LIABILITY_SHIFT": core.DisputeFraudulent, "SOMETHING_NEW": core.DisputeGeneral, "": core.DisputeGeneral,
	} {
		adapter, _ := open(t, disputed("WON", "NOT_RECEIVED", reason))
		seen, err := adapter.GetDispute(t.Context(), disputeRef)
		require.NoError(t, err)
		require.Equal(t, want, seen.Reason, reason)
		require.Equal(t, reason, seen.ForeignReason)
	}
}

func TestDisputesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no dispute": `200 {}`, "another": disputed("WON", `"D1"`, `"D2"`), "no payment": disputed("WON", `"payment_id"`, `"x"`),
		"no amount": disputed("WON", `"amount_money"`, `"x"`), "nothing": disputed("WON", `"amount":1000`, `"amount":0`),
		"no time": disputed("WON", `"created_at"`, `"x"`), "no deadline": disputed("EVIDENCE_REQUIRED", `"due_at"`, `"x"`), "no state": disputed(""),
	} {
		adapter, _ := open(t, answer, answer)
		_, err := adapter.GetDispute(t.Context(), disputeRef)
		require.Equal(t, core.ClassUnknown, class(t, err), name)
		_, err = adapter.AcceptDispute(t.Context(), "op_1", ports.AcceptDispute{Ref: disputeRef})
		require.Equal(t, core.ClassUnknown, class(t, err), name)
	}
}

func TestPaymentDisputes(t *testing.T) {
	t.Parallel()
	one := func(id, payment, at string) string {
		text := disputed("WON", `"D1"`, `"`+id+`"`, `"P1"`, `"`+payment+`"`, "2026-01-02", at)
		return strings.TrimSuffix(strings.TrimPrefix(text, `200 {"dispute":`), "}")
	}
	adapter, script := open(t,
		`200 {"disputes":[`+one("D1", "P1", "2026-01-02")+`,`+one("D2", "P2", "2026-01-03")+`],"cursor":"next"}`,
		`200 {"disputes":[`+one("D3", "P1", "2026-01-04")+`]}`, `200 {}`, `200 {"disputes":[`+one("D1", "P1", "yesterday")+`]}`, down)
	seen, err := adapter.PaymentDisputes(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, []string{"GET /v2/disputes?location_id=L1", "GET /v2/disputes?cursor=next&location_id=L1"}, lines(script))
	require.Equal(t, []string{"D3", "D1"}, []string{seen[0].Ref.ID, seen[1].Ref.ID}, "newest first, and none of another payment")
	seen, err = adapter.PaymentDisputes(t.Context(), ref)
	require.NoError(t, err)
	require.Empty(t, seen)
	for range 2 {
		_, err = adapter.PaymentDisputes(t.Context(), ref)
		require.Equal(t, core.ClassUnknown, class(t, err))
	}
	adapter, script = open(t, slices.Repeat([]string{`200 {"cursor":"next"}`}, 60)...)
	_, err = adapter.PaymentDisputes(t.Context(), ref)
	require.Equal(t, core.ClassUnknown, class(t, err), "nobody can say whether there is one")
	require.Len(t, script.calls, 50)
}

func TestAccept(t *testing.T) {
	t.Parallel()
	post, get := "POST /v2/disputes/D1/accept", "GET /v2/disputes/D1"
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		status  core.DisputeStatus // empty for an error
		class   core.Class
	}{
		"at first":                        {[]string{disputed("ACCEPTED")}, []string{post}, core.DisputeAccepted, 0},
		"again":                           {[]string{badRequest, disputed("ACCEPTED")}, []string{post, get}, core.DisputeAccepted, 0},
		"too late":                        {[]string{badRequest, disputed("LOST")}, []string{post, get}, "", core.ClassInvalid},
		"none":                            {[]string{missing}, []string{post}, "", core.ClassInvalid},
		"no answer":                       {[]string{down}, []string{post}, "", core.ClassUnknown},
		"too soon":                        {[]string{limited}, []string{post}, "", core.ClassRetryable},
		"refused, and no answer to why":   {[]string{badRequest, down}, []string{post, get}, "", core.ClassUnknown},
		"refused, and refused to be seen": {[]string{badRequest, badRequest}, []string{post, get}, "", core.ClassInvalid},
	} {
		adapter, script := open(t, c.answers...)
		seen, err := adapter.AcceptDispute(t.Context(), "op_1", ports.AcceptDispute{Ref: disputeRef, Amount: money(t, 1000, "EUR")})
		require.Equal(t, c.calls, lines(script), name)
		require.Nil(t, script.calls[0].body)
		if c.status == "" {
			require.Equal(t, c.class.String(), class(t, err).String(), name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.status, seen.Status, name)
	}
}

const pieceKept = `200 {"evidence":{"id":"E1","dispute_id":"D1"}}`

// TestEvidence: all of it has its place, what is too long goes in pieces, and the same evidence is
// the same requests, to the byte.
func TestEvidence(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 500) + "the end"
	in := ports.SubmitEvidence{
		Ref: disputeRef, Texts: map[core.EvidenceField]string{
			core.EvidenceProductDescription: "Tea", core.EvidenceCustomerName: "Ada", core.EvidenceCustomerEmail: "ada@shop.example",
			core.EvidenceTrackingNumber: "JJD0", core.EvidenceRefundRefusal: "Too late", core.EvidenceCancellationRebuttal: "Never asked", core.EvidenceOtherText: long,
		},
		Files: []ports.EvidenceContent{
			{EvidenceFile: core.EvidenceFile{Field: core.EvidenceReceipt, Name: "ada lovelace.pdf", ContentType: "application/pdf"}, Content: []byte("%PDF-1.7\n")},
			{EvidenceFile: core.EvidenceFile{Field: core.EvidenceSignature, Name: "x", ContentType: "image/png"}, Content: []byte("\x89PNG\r\n\x1a\n")},
		},
	}
	text := func(key, kind, text string) asked {
		return asked{line: "POST /v2/disputes/D1/evidence-text", body: map[string]any{"idempotency_key": key, "evidence_type": kind, "evidence_text": text}}
	}
	file := func(key, kind, of, name string) asked {
		return asked{
			line: "POST /v2/disputes/D1/evidence-files", body: map[string]any{"idempotency_key": key, "evidence_type": kind, "content_type": of}, file: name + " " + of,
		}
	}
	want := []asked{
		text("op_1-t0", "PRODUCT_OR_SERVICE_DESCRIPTION", "Tea"),
		text("op_1-t1", "CARDHOLDER_INFORMATION", "customer_name: Ada\ncustomer_email: ada@shop.example"),
		text("op_1-t2", "TRACKING_NUMBER", "JJD0"),
		text("op_1-t3", "REBUTTAL_EXPLANATION", "refund_refusal_explanation: Too late\ncancellation_rebuttal: Never asked"),
		text("op_1-t4", "GENERIC_EVIDENCE", strings.Repeat("é", 500)), text("op_1-t5", "GENERIC_EVIDENCE", "the end"),
		file("op_1-f0", "RECEIPT", "application/pdf", "receipt.pdf"), file("op_1-f2", "AUTHORIZATION_DOCUMENTATION", "image/png", "customer_signature.png"),
		{line: "POST /v2/disputes/D1/submit-evidence"},
	}
	answers := append(slices.Repeat([]string{pieceKept}, 8), disputed("PROCESSING"))
	adapter, script := open(t, append(answers, append(slices.Repeat([]string{pieceKept}, 8), badRequest, disputed("PROCESSING"))...)...)
	for range 2 {
		seen, err := adapter.SubmitEvidence(t.Context(), "op_1", in)
		require.NoError(t, err, "sent again, it is the same")
		require.Equal(t, core.DisputeUnderReview, seen.Status)
	}
	require.Equal(t, script.calls[6].raw, script.calls[15].raw)
	require.NotContains(t, script.calls[6].raw, "lovelace")
	require.Equal(t, "GET /v2/disputes/D1", script.calls[18].line)
	for n := range script.calls {
		script.calls[n].raw = ""
	}
	require.Equal(t, want, script.calls[:9])
	require.Equal(t, want, script.calls[9:18])
}

// TestEveryFieldHasItsPlace at Square.
func TestEveryFieldHasItsPlace(t *testing.T) {
	t.Parallel()
	fields := slices.Concat(core.EvidenceTexts(), core.EvidenceFiles())
	require.ElementsMatch(t, fields, newAdapter(t, nil).Capabilities().Disputes.Fields)
	for _, field := range core.EvidenceTexts() {
		adapter, script := open(t, pieceKept, disputed("INQUIRY_PROCESSING"))
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", ports.SubmitEvidence{Ref: disputeRef, Texts: map[core.EvidenceField]string{field: "x"}})
		require.NoError(t, err, field)
		require.Regexp(t, "^[A-Z_]+$", script.calls[0].body["evidence_type"], field)
	}
	for _, field := range core.EvidenceFiles() {
		adapter, script := open(t, pieceKept, disputed("PROCESSING"))
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", ports.SubmitEvidence{Ref: disputeRef, Files: []ports.EvidenceContent{{
			EvidenceFile: core.EvidenceFile{Field: field, ContentType: "image/jpeg"}, Content: []byte("\xff\xd8\xff"),
		}}})
		require.NoError(t, err, field)
		require.Regexp(t, "^[A-Z_]+$", script.calls[0].body["evidence_type"], field)
		require.Equal(t, string(field)+".jpg image/jpeg", script.calls[0].file)
	}
}

func TestEvidenceThatIsNotSent(t *testing.T) {
	t.Parallel()
	texts := func(all ...map[core.EvidenceField]string) ports.SubmitEvidence {
		in := ports.SubmitEvidence{Ref: disputeRef, Texts: map[core.EvidenceField]string{}}
		for _, some := range all {
			maps.Copy(in.Texts, some)
		}
		return in
	}
	much := map[core.EvidenceField]string{}
	for _, field := range core.EvidenceTexts()[:5] {
		much[field] = strings.Repeat("x", 2001)
	}
	adapter, script := open(t)
	for name, in := range map[string]ports.SubmitEvidence{
		"nothing":        texts(),
		"another field":  texts(map[core.EvidenceField]string{"shoe_size": "43"}),
		"a file's field": texts(map[core.EvidenceField]string{core.EvidenceReceipt: "x"}),
		"an empty text":  texts(map[core.EvidenceField]string{core.EvidenceOtherText: ""}),
		"a long text":    texts(map[core.EvidenceField]string{core.EvidenceOtherText: strings.Repeat("x", 5001)}),
		"long texts":     texts(much),
		"a file's type":  {Ref: disputeRef, Files: []ports.EvidenceContent{{EvidenceFile: core.EvidenceFile{Field: core.EvidenceReceipt, ContentType: "text/html"}}}},
		"a text's file":  {Ref: disputeRef, Files: []ports.EvidenceContent{{EvidenceFile: core.EvidenceFile{Field: core.EvidenceOtherText, ContentType: "image/png"}}}},
	} {
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", in)
		require.Equal(t, core.ClassInvalid, class(t, err), name)
	}
	require.Empty(t, script.calls)
}

// TestEvidenceThatGoesWrong on its way, of which nothing was submitted.
func TestEvidenceThatGoesWrong(t *testing.T) {
	t.Parallel()
	in := ports.SubmitEvidence{
		Ref: disputeRef, Texts: map[core.EvidenceField]string{core.EvidenceOtherText: "x"},
		Files: []ports.EvidenceContent{{EvidenceFile: core.EvidenceFile{Field: core.EvidenceReceipt, ContentType: "image/png"}, Content: []byte("\x89PNG")}},
	}
	tooLarge := `413 {"errors":[{"category":"INVALID_REQUEST_ERROR","code":"REQUEST_ENTITY_TOO_LARGE"}]}`
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"it takes none":         {[]string{badRequest}, core.ClassInvalid},
		"a text without answer": {[]string{down}, core.ClassUnknown},
		"of another dispute":    {[]string{`200 {"evidence":{"id":"E1","dispute_id":"D2"}}`}, core.ClassUnknown},
		"of no id":              {[]string{`200 {"evidence":{"dispute_id":"D1"}}`}, core.ClassUnknown},
		"a file that is large":  {[]string{pieceKept, tooLarge}, core.ClassInvalid},
		"a file too soon":       {[]string{pieceKept, limited}, core.ClassRetryable},
		"not submitted":         {[]string{pieceKept, pieceKept, badRequest, disputed("LOST")}, core.ClassInvalid},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", in)
		require.Equal(t, c.class.String(), class(t, err).String(), name)
		require.Empty(t, script.answers, name)
	}
}
