package paypal_test

import (
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var disputeRef = core.ProviderRef{Account: "paypal", Kind: core.ObjectDispute, ID: "D1"}

// dispute is one as PayPal writes it, with the actions that it allows.
func dispute(stage, status, more string, actions ...string) string {
	links := []string{`{"rel":"self","href":"https://api.sandbox.paypal.com/v1/customer/disputes/D1"}`}
	for _, action := range actions {
		links = append(links, `{"rel":"`+strings.ReplaceAll(action, "-", "_")+`","href":"https://api.sandbox.paypal.com/v1/customer/disputes/D1/`+action+`"}`)
	}
	return `200 {"dispute_id":"D1","create_time":"2026-01-01T00:00:00.000Z","reason":"UNAUTHORISED","status":"` + status + `","dispute_life_cycle_stage":"` + stage + `",
		"dispute_amount":` + eur("10.00") + `,"seller_response_due_date":"2026-01-11T00:00:00.000Z","disputed_transactions":[{"seller_transaction_id":"C1"}],` + more +
		`"links":[` + strings.Join(links, ",") + `]}`
}

func outcome(code string) string { return `"dispute_outcome":{"outcome_code":"` + code + `"},` }

// movement is money that a dispute moved.
func movement(party, kind, reason, value string) string {
	return `{"affected_party":"` + party + `","type":"` + kind + `","reason":"` + reason + `","amount":` + eur(value) + `}`
}

func movements(all ...string) string { return `"money_movements":[` + strings.Join(all, ",") + `],` }

func TestDisputeStatuses(t *testing.T) {
	t.Parallel()
	const waits, reviewed = "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW"
	lost := movements(movement("SELLER", "DEBIT", "DISPUTE_SETTLEMENT", "10.00"))
	for name, c := range map[string]struct {
		answer      string
		status      core.DisputeStatus
		foreign     string
		submit, yes bool
		due         bool
	}{
		"an inquiry":            {dispute("INQUIRY", waits, "", "provide-evidence", "accept-claim"), core.DisputeInquiry, "INQUIRY." + waits, true, true, true},
		"an open inquiry":       {dispute("INQUIRY", "OPEN", ""), core.DisputeInquiry, "INQUIRY.OPEN", false, false, false},
		"an inquiry for them":   {dispute("INQUIRY", "WAITING_FOR_BUYER_RESPONSE", ""), core.DisputeInquiry, "INQUIRY.WAITING_FOR_BUYER_RESPONSE", false, false, false},
		"an inquiry reviewed":   {dispute("INQUIRY", reviewed, "", "accept-claim"), core.DisputeUnderReview, "INQUIRY." + reviewed, false, true, false},
		"ours to answer":        {dispute("CHARGEBACK", waits, "", "provide-evidence", "accept-claim"), core.DisputeNeedsResponse, "CHARGEBACK." + waits, true, true, true},
		"before arbitration":    {dispute("PRE_ARBITRATION", waits, ""), core.DisputeNeedsResponse, "PRE_ARBITRATION." + waits, false, false, true},
		"theirs to answer":      {dispute("CHARGEBACK", "WAITING_FOR_BUYER_RESPONSE", ""), core.DisputeUnderReview, "CHARGEBACK.WAITING_FOR_BUYER_RESPONSE", false, false, false},
		"open":                  {dispute("ARBITRATION", "OPEN", "", "provide-evidence"), core.DisputeUnderReview, "ARBITRATION.OPEN", false, false, false},
		"reviewed":              {dispute("CHARGEBACK", reviewed, ""), core.DisputeUnderReview, "CHARGEBACK." + reviewed, false, false, false},
		"won":                   {dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_SELLER_FAVOUR")), core.DisputeWon, "RESOLVED_SELLER_FAVOUR", false, false, false},
		"taken back":            {dispute("INQUIRY", "RESOLVED", outcome("CANCELED_BY_BUYER")), core.DisputeWon, "CANCELED_BY_BUYER", false, false, false},
		"denied":                {dispute("CHARGEBACK", "RESOLVED", outcome("DENIED")), core.DisputeWon, "DENIED", false, false, false},
		"paid by PayPal":        {dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_WITH_PAYOUT")), core.DisputeWon, "RESOLVED_WITH_PAYOUT", false, false, false},
		"lost":                  {dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_BUYER_FAVOUR")), core.DisputeLost, "RESOLVED_BUYER_FAVOUR", false, false, false},
		"given in":              {dispute("CHARGEBACK", "RESOLVED", outcome("ACCEPTED")), core.DisputeAccepted, "ACCEPTED", false, false, false},
		"ended without a word":  {dispute("INQUIRY", "RESOLVED", outcome("NONE")), core.DisputeWon, "NONE", false, false, false},
		"ended, and money gone": {dispute("CHARGEBACK", "RESOLVED", outcome("NONE")+lost), core.DisputeLost, "NONE", false, false, false},
		"ended in another way":  {dispute("CHARGEBACK", "OTHER", ""), core.DisputeWon, "OTHER", false, false, false},
		"unheard":               {dispute("CHARGEBACK", "NEW", ""), "", "NEW", false, false, false},
	} {
		adapter, script := open(t, c.answer, captureOf("C1", "O1"))
		seen, err := adapter.GetDispute(t.Context(), disputeRef)
		require.NoError(t, err, name)
		require.Equal(t, []any{c.status, c.foreign, c.submit, c.yes, c.due}, []any{seen.Status, seen.ForeignStatus, seen.CanSubmit, seen.CanAccept, !seen.DueAt.IsZero()}, name)
		require.Equal(t, []string{"GET /v1/customer/disputes/D1", "GET /v2/payments/captures/C1"}, script.lines())
	}
}

func TestDispute(t *testing.T) {
	t.Parallel()
	moved := movements(
		movement("SELLER", "DEBIT", "DISPUTE_SETTLEMENT", "8.00"), movement("SELLER", "DEBIT", "DISPUTE_SETTLEMENT", "2.00"), movement("BUYER", "CREDIT", "DISPUTE_SETTLEMENT", "10.00"),
		movement("SELLER", "DEBIT", "DISPUTE_FEE", "15.00"), movement("SELLER", "CREDIT", "DISPUTE_SETTLEMENT", "3.00"), movement("SELLER", "CREDIT", "DISPUTE_FEE", "1.00"),
	)
	adapter, _ := open(t, dispute("CHARGEBACK", "UNDER_REVIEW", moved), missing)
	seen, err := adapter.GetDispute(t.Context(), disputeRef)
	require.NoError(t, err)
	require.Equal(t, core.DisputeSnapshot{
		Ref: disputeRef, Payment: core.ProviderRef{Account: "paypal", Kind: core.ObjectPayment, ID: "C1"}, Status: core.DisputeUnderReview,
		ForeignStatus: "CHARGEBACK.UNDER_REVIEW", Reason: core.DisputeFraudulent, ForeignReason: "UNAUTHORISED", Amount: money(t, 10_00, "EUR"),
		Fee: money(t, 15_00, "EUR"), Withdrawn: money(t, 10_00, "EUR"), Reinstated: money(t, 3_00, "EUR"), Environment: core.EnvTest,
		OpenedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}, seen, "of what has no order the payment is the transaction")
	for foreign, want := range map[string]core.DisputeReason{
		"MERCHANDISE_OR_SERVICE_NOT_RECEIVED": core.DisputeNotReceived, "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED": core.DisputeUnacceptable,
		"CREDIT_NOT_PROCESSED": core.DisputeNotRefunded, "DUPLICATE_TRANSACTION": core.DisputeDuplicate, "PAYMENT_BY_OTHER_MEANS": core.DisputeDuplicate,
		"INCORRECT_AMOUNT": core.DisputeWrongAmount, "CANCELED_RECURRING_BILLING": core.DisputeCanceledReason, "PROBLEM_WITH_REMITTANCE": core.DisputeGeneral,
		"OTHER": core.DisputeGeneral, "NEW": core.DisputeGeneral,
	} {
		adapter, _ := open(t, strings.Replace(dispute("CHARGEBACK", "OPEN", ""), "UNAUTHORISED", foreign, 1), captureOf("C1", "O1"))
		seen, err := adapter.GetDispute(t.Context(), disputeRef)
		require.NoError(t, err)
		require.Equal(t, want, seen.Reason, foreign)
		require.Equal(t, foreign, seen.ForeignReason)
		require.Equal(t, ref, seen.Payment)
	}
	two := strings.Replace(movements(movement("SELLER", "DEBIT", "DISPUTE_FEE", "1.00"), movement("SELLER", "DEBIT", "CHARGEBACK_FEE", "2.00")), "EUR", "USD", 1)
	adapter, _ = open(t, dispute("CHARGEBACK", "OPEN", two), captureOf("C1", "O1"))
	seen, err = adapter.GetDispute(t.Context(), disputeRef)
	require.NoError(t, err)
	require.Zero(t, seen.Fee, "in two currencies it is none")
	whole := dispute("CHARGEBACK", "OPEN", moved)
	for name, answers := range map[string][]string{
		"another dispute":    {strings.Replace(whole, `"D1"`, `"D2"`, 1)},
		"no transaction":     {strings.Replace(whole, `"disputed_transactions"`, `"x"`, 1)},
		"a transaction's id": {strings.Replace(whole, `"C1"`, `"../x"`, 1)},
		"no amount":          {strings.Replace(whole, `"dispute_amount"`, `"x"`, 1), captureOf("C1", "O1")},
		"a movement of none": {strings.Replace(whole, `"8.00"`, `"8e0"`, 1), captureOf("C1", "O1")},
		"half of it":         {whole[:200]},
		"no capture to see":  {whole, "500 x"},
	} {
		adapter, _ := open(t, answers...)
		_, err := adapter.GetDispute(t.Context(), disputeRef)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, name)
	}
	adapter, _ = open(t, missing)
	_, err = adapter.GetDispute(t.Context(), disputeRef)
	require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
}

func TestPaymentDisputes(t *testing.T) {
	t.Parallel()
	list := func(ids ...string) string { return `200 {"items":[` + strings.Join(ids, ",") + `],"links":[]}` }
	item := func(id string) string { return `{"dispute_id":"` + id + `","status":"RESOLVED"}` }
	named := func(id, created string) string {
		return strings.NewReplacer(`"D1"`, `"`+id+`"`, "2026-01-01T", created+"T").Replace(dispute("CHARGEBACK", "OPEN", ""))
	}
	paid := order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "6.00"), capture("C2", "COMPLETED", "4.00")))
	adapter, script := open(t, paid, list(item("D1"), item("D2")), named("D1", "2026-01-01"), named("D2", "2026-01-02"), list())
	all, err := adapter.PaymentDisputes(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, []string{"D2", "D1"}, []string{all[0].Ref.ID, all[1].Ref.ID}, "newest first")
	require.Equal(t, ref, all[0].Payment)
	const lists = "GET /v1/customer/disputes?disputed_transaction_id="
	require.Equal(t, []string{
		"GET /v2/checkout/orders/O1", lists + "C1&page_size=20", "GET /v1/customer/disputes/D1", "GET /v1/customer/disputes/D2", lists + "C2&page_size=20",
	}, script.lines())

	adapter, script = open(t, missing, sale("completed", "10.00", "I-1"), list())
	all, err = adapter.PaymentDisputes(t.Context(), saleRef)
	require.NoError(t, err)
	require.Empty(t, all)
	require.Equal(t, lists+"T1&page_size=20", script.lines()[2])

	many := make([]string, ports.DisputesMax+5)
	answers := []string{missing, sale("completed", "10.00", "I-1"), ""}
	for n := range many {
		many[n] = item("D" + strconv.Itoa(n))
		answers = append(answers, named("D"+strconv.Itoa(n), "2026-01-01"))
	}
	answers[2] = list(many...)
	adapter, _ = open(t, answers...)
	all, err = adapter.PaymentDisputes(t.Context(), saleRef)
	require.NoError(t, err)
	require.Len(t, all, ports.DisputesMax)

	for name, answers := range map[string][]string{
		"no list":             {paid, "200 {}"},
		"a list that breaks":  {paid, `200 {"items":[`},
		"an item without id":  {paid, list(item(""))},
		"an item with a path": {paid, list(item("../x"))},
		"no answer":           {paid, "500 x"},
		"another dispute":     {paid, list(item("D9")), named("D1", "2026-01-01")},
		"no amount":           {paid, list(item("D1")), strings.Replace(named("D1", "2026-01-01"), `"dispute_amount"`, `"x"`, 1)},
	} {
		adapter, _ := open(t, answers...)
		_, err := adapter.PaymentDisputes(t.Context(), ref)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, name)
	}
}

const providing = "POST /v1/customer/disputes/D1/provide-evidence"

// parts are those of a request, by their names.
func parts(t *testing.T, body map[string]any) map[string]string {
	t.Helper()
	text, ok := body[""].(string)
	require.True(t, ok)
	boundary, _, _ := strings.Cut(strings.TrimPrefix(text, "--"), "\r\n")
	reader := multipart.NewReader(strings.NewReader(text), boundary)
	found := map[string]string{}
	for {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // as the reader gives it
			return found
		}
		require.NoError(t, err)
		content, err := io.ReadAll(part)
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		found[part.FormName()] = strings.Join([]string{part.FileName(), kind, string(content)}, "|")
	}
}

func TestSubmitEvidence(t *testing.T) {
	t.Parallel()
	const waits = "WAITING_FOR_SELLER_RESPONSE"
	before := dispute("CHARGEBACK", waits, "", "provide-evidence", "accept-claim")
	after := dispute("CHARGEBACK", "UNDER_REVIEW", "")
	bodies := map[string]bool{}
	for range 3 { // the order of a map is another each time
		adapter, script := open(t, before, `200 {"links":[]}`, after, captureOf("C1", "O1"))
		seen, err := adapter.SubmitEvidence(t.Context(), "op_1", evidence(disputeRef))
		require.NoError(t, err)
		require.Equal(t, core.DisputeUnderReview, seen.Status)
		require.Equal(t, ref, seen.Payment)
		call := script.sent()[1]
		require.Equal(t, providing, call.line)
		require.Equal(t, "op_1", call.key)
		text, _ := call.body[""].(string)
		bodies[text] = true
		sent := parts(t, call.body)
		require.JSONEq(t, `{"evidences":[
			{"evidence_type":"PROOF_OF_FULFILLMENT","evidence_info":{"tracking_info":[{"carrier_name":"OTHER","carrier_name_other":"Pigeon Post","tracking_number":"PP-1"}]}},
			{"evidence_type":"ITEM_DESCRIPTION","notes":"Two books & a pen."},
			{"evidence_type":"OTHER","notes":"customer_name: Ada Buyer"},
			{"evidence_type":"RETURN_POLICY","notes":"Within 30 days.","documents":[{"name":"refund_policy.png"}]},
			{"evidence_type":"OTHER","notes":"It was delivered."},
			{"evidence_type":"PROOF_OF_RECEIPT_COPY","documents":[{"name":"receipt.pdf"}]},
			{"evidence_type":"OTHER","documents":[{"name":"customer_communication.jpg"}]}]}`, strings.TrimPrefix(sent["input"], "|application/json|"))
		delete(sent, "input")
		require.Equal(t, map[string]string{
			"file1": "receipt.pdf|application/pdf|%PDF-1.7 receipt", "file2": "refund_policy.png|image/png|\x89PNG\r\n\x1a\nsome",
			"file3": "customer_communication.jpg|image/jpeg|\xff\xd8\xffsome",
		}, sent)
	}
	require.Len(t, bodies, 1, "the same operation always sends the same")

	// What has no pair goes as text.
	adapter, script := open(t, before, `200 {"links":[]}`, after, captureOf("C1", "O1"))
	_, err := adapter.SubmitEvidence(t.Context(), "op_1", ports.SubmitEvidence{Ref: disputeRef, Texts: map[core.EvidenceField]string{core.EvidenceTrackingNumber: "PP-1"}})
	require.NoError(t, err)
	require.Contains(t, parts(t, script.sent()[1].body)["input"], `{"evidence_type":"OTHER","notes":"shipping_tracking_number: PP-1"}`)
}

func TestSubmitEvidenceOutOfPlace(t *testing.T) {
	t.Parallel()
	in := ports.SubmitEvidence{Ref: disputeRef, Texts: map[core.EvidenceField]string{core.EvidenceOtherText: "It was delivered."}}
	shown := func(source, notes string) string {
		return `"evidences":[{"evidence_type":"OTHER","notes":"` + notes + `","source":"` + source + `"}],`
	}
	before := dispute("CHARGEBACK", "WAITING_FOR_SELLER_RESPONSE", "", "provide-evidence")
	for name, c := range map[string]struct {
		answers []string
		calls   int
		class   string // empty for a success
	}{
		"there already":        {[]string{dispute("CHARGEBACK", "UNDER_REVIEW", shown("SUBMITTED_BY_SELLER", "It was delivered.")), captureOf("C1", "O1")}, 2, ""},
		"another's":            {[]string{dispute("CHARGEBACK", "UNDER_REVIEW", shown("SUBMITTED_BY_BUYER", "It was delivered."))}, 1, "invalid"},
		"something else":       {[]string{dispute("CHARGEBACK", "UNDER_REVIEW", shown("SUBMITTED_BY_SELLER", "It was not."))}, 1, "invalid"},
		"not awaited":          {[]string{dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_BUYER_FAVOUR"))}, 1, "invalid"},
		"not offered":          {[]string{dispute("CHARGEBACK", "WAITING_FOR_SELLER_RESPONSE", "")}, 1, "invalid"},
		"missing":              {[]string{missing}, 1, "invalid"},
		"refused":              {[]string{before, problem("422", "UNPROCESSABLE_ENTITY", "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")}, 2, "invalid"},
		"no answer":            {[]string{before, "reset"}, 2, "unknown"},
		"and then no look":     {[]string{before, `200 {}`, "429 "}, 3, "unknown"},
		"and then no payment":  {[]string{before, `200 {}`, before, "429 "}, 4, "unknown"},
		"refused for a while":  {[]string{before, "429 "}, 2, "retryable"},
		"no first look at all": {[]string{"500 x"}, 1, "unknown"},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", in)
		require.Len(t, script.sent(), c.calls, name)
		if c.class == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, c.class, failure(t, err).Class.String(), name)
	}
	adapter, script := open(t)
	for name, texts := range map[string]map[core.EvidenceField]string{
		"nothing": nil, "evidence uncategorized_text: is longer": {core.EvidenceOtherText: strings.Repeat("ö", 2001)},
		"evidence customer_name: is longer":            {core.EvidenceCustomerName: strings.Repeat("x", 1990)},
		"evidence shipping_tracking_number: is longer": {core.EvidenceShippingCarrier: "x", core.EvidenceTrackingNumber: strings.Repeat("x", 256)},
	} {
		_, err := adapter.SubmitEvidence(t.Context(), "op_1", ports.SubmitEvidence{Ref: disputeRef, Texts: texts})
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, name)
		if texts != nil {
			require.ErrorContains(t, err, name)
		}
	}
	require.Empty(t, script.sent())
}

func TestAcceptDispute(t *testing.T) {
	t.Parallel()
	const accepting = "POST /v1/customer/disputes/D1/accept-claim"
	in := ports.AcceptDispute{Ref: disputeRef, Amount: money(t, 10_00, "EUR")}
	before := dispute("CHARGEBACK", "WAITING_FOR_SELLER_RESPONSE", "", "provide-evidence", "accept-claim")
	after := dispute("CHARGEBACK", "RESOLVED", outcome("ACCEPTED"))
	adapter, script := open(t, before, `200 {"links":[]}`, after, captureOf("C1", "O1"))
	seen, err := adapter.AcceptDispute(t.Context(), "op_1", in)
	require.NoError(t, err)
	require.Equal(t, core.DisputeAccepted, seen.Status)
	require.Equal(t, asked{accepting, "op_1", map[string]any{
		"note": "The shop accepts the claim.", "accept_claim_type": "REFUND", "refund_amount": map[string]any{"currency_code": "EUR", "value": "10.00"},
	}}, script.sent()[1])
	lost := dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_BUYER_FAVOUR"))
	for name, answers := range map[string][]string{"accepted": {after}, "not contested": {lost}, "lost by it": {before, "200 {}", lost}} {
		adapter, script := open(t, append(answers, captureOf("C1", "O1"))...)
		seen, err := adapter.AcceptDispute(t.Context(), "op_1", in)
		require.NoError(t, err, name)
		require.Equal(t, core.DisputeAccepted, seen.Status, name)
		require.Len(t, script.sent(), len(answers)+1, name)
	}
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"won":       {[]string{dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_SELLER_FAVOUR"))}, core.ClassInvalid},
		"contested": {[]string{dispute("CHARGEBACK", "RESOLVED", outcome("RESOLVED_BUYER_FAVOUR")+`"evidences":[{"source":"SUBMITTED_BY_SELLER"}],`)}, core.ClassInvalid},
		"no answer": {[]string{before, "502 <html>"}, core.ClassUnknown},
		"no look":   {[]string{"500 x"}, core.ClassUnknown},
	} {
		adapter, _ := open(t, c.answers...)
		_, err := adapter.AcceptDispute(t.Context(), "op_1", in)
		require.Equal(t, c.class.String(), failure(t, err).Class.String(), name)
	}
}
