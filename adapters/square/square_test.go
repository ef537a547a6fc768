package square_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// ours is a payment's id, as Square keeps it.
const ours = "pay_01jd0000000000000000000000"

// asked is a call that a scripted Square got.
type asked struct {
	line string // method and address
	body map[string]any
	file string // name and type of one that came with it; empty for none
	raw  string // the body as it came, of one with a file
}

// takeParts takes a body in parts apart and gives that of JSON.
func (a *asked) takeParts(t *testing.T, text []byte, boundary string) []byte {
	t.Helper()
	a.raw = string(text)
	form, err := multipart.NewReader(bytes.NewReader(text), boundary).ReadForm(1 << 20)
	if err != nil || len(form.File["image_file"]) != 1 || len(form.Value["request"]) != 1 {
		t.Errorf("%s: parts %s", a.line, text)
		return nil
	}
	file := form.File["image_file"][0]
	a.file = file.Filename + " " + file.Header.Get("Content-Type")
	return []byte(form.Value["request"][0])
}

// scripted is a Square that answers as written, in order, and then nothing more.
type scripted struct {
	t       *testing.T
	answers []string // "200 {…}"
	calls   []asked
}

// ServeHTTP implements [http.Handler].
func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := asked{line: r.Method + " " + r.URL.RequestURI()}
	text, err := io.ReadAll(r.Body)
	if _, details, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); details["boundary"] != "" {
		text = call.takeParts(s.t, text, details["boundary"])
	}
	if err != nil || len(text) > 0 && json.Unmarshal(text, &call.body) != nil {
		s.t.Errorf("%s: body %s", call.line, text)
	}
	if r.Header.Get("Authorization") != "Bearer token" || r.Header.Get("Square-Version") != "2025-08-20" {
		s.t.Errorf("%s: headers %v", call.line, r.Header)
	}
	s.calls = append(s.calls, call)
	if len(s.answers) == 0 {
		s.t.Errorf("%s: not written", call.line)
		return
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	w.Header().Set("Content-Type", "application/json")
	status := map[string]int{"200": 200, "400": 400, "402": 402, "404": 404, "401": 401, "408": 408, "409": 409, "413": 413, "429": 429, "500": 500, "503": 503}[answer[:3]]
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "2")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer[4:])
}

func options() square.Options {
	return square.Options{
		Account: "square", Environment: core.EnvTest, AccessToken: "token", ApplicationID: "sandbox-sq0idb-x", LocationID: "L1",
		WebhookKeys: []string{"new", "sq_test_signature_key_01"}, WebhookURL: "https://pay.example.test/webhooks/square",
	}
}

func open(t *testing.T, answers ...string) (*square.Adapter, *scripted) {
	t.Helper()
	script := &scripted{t: t, answers: answers}
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	with := options()
	with.APIBase = server.URL
	adapter, err := square.New(with)
	require.NoError(t, err)
	return adapter, script
}

// shown is a payment as Square writes it.
func shown(status string, changes ...string) string {
	text := `200 {"payment":{"id":"P1","created_at":"2026-01-02T03:04:05.678Z","updated_at":"2026-01-02T04:00:00Z","status":"` + status + `",
		"amount_money":{"amount":1000,"currency":"EUR"},"approved_money":{"amount":1000,"currency":"EUR"},"source_type":"CARD","delayed_until":"2026-01-09T03:04:05Z",
		"card_details":{"status":"AUTHORIZED","card":{"card_brand":"AMERICAN_EXPRESS","last_4":"0009","exp_month":11,"exp_year":2030}},
		"reference_id":"` + ours + `","version_token":"v1"}}`
	return strings.NewReplacer(changes...).Replace(text)
}

// ourRefund is a refund's id.
const ourRefund = "ref_01jd0000000000000000000000"

// refunded is a refund as Square writes it.
func refunded(status string, changes ...string) string {
	text := `200 {"refund":{"id":"R1","status":"` + status + `","payment_id":"P1","amount_money":{"amount":400,"currency":"EUR"},
		"reason":"duplicate ` + ourRefund + `","created_at":"2026-01-02T03:04:05.000Z"}}`
	return strings.NewReplacer(changes...).Replace(text)
}

func money(t *testing.T, minor int64, currency core.Currency) core.Money {
	t.Helper()
	m, err := core.NewMoney(minor, currency)
	require.NoError(t, err)
	return m
}

var ref = core.ProviderRef{Account: "square", Kind: core.ObjectPayment, ID: "P1"}

func class(t *testing.T, err error) core.Class {
	t.Helper()
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	require.NotContains(t, refused.Error(), "secret text")
	return refused.Class
}

func confirm(t *testing.T, amount core.Money, capture core.CaptureMode) ports.ConfirmPayment {
	t.Helper()
	return ports.ConfirmPayment{CreatePayment: ports.CreatePayment{Payment: ours, Amount: amount, Capture: capture, Description: "order 1"}, Source: "cnon:x"}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for capture, status := range map[core.CaptureMode]string{core.CaptureAutomatic: "COMPLETED", core.CaptureManual: "APPROVED"} {
		adapter, script := open(t, shown(status))
		seen, err := adapter.ConfirmPayment(t.Context(), "op_1", confirm(t, money(t, 1000, "EUR"), capture))
		require.NoError(t, err)
		require.Equal(t, ref, seen.Ref)
		require.Equal(t, core.PaymentID(ours), seen.Payment)
		require.Equal(t, core.EnvTest, seen.Environment)
		require.Equal(t, &core.PaymentMethod{Type: "card", Brand: "amex", Last4: "0009", ExpMonth: 11, ExpYear: 2030}, seen.Method)
		require.Equal(t, []asked{{line: "POST /v2/payments", body: map[string]any{
			"source_id": "cnon:x", "idempotency_key": "op_1", "amount_money": map[string]any{"amount": 1000.0, "currency": "EUR"},
			"autocomplete": capture == core.CaptureAutomatic, "location_id": "L1", "reference_id": ours, "note": "order 1",
		}}}, script.calls)
	}
}

func TestWhatIsNotSent(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	good := money(t, 1000, "EUR")
	for name, do := range map[string]func() error{
		"create": func() error {
			_, err := adapter.CreatePayment(t.Context(), "op_1", ports.CreatePayment{Amount: good})
			return err
		},
		"open": func() error { _, err := adapter.OpenPayment(t.Context(), ref); return err },
		"no source": func() error {
			in := confirm(t, good, core.CaptureAutomatic)
			in.Source = ""
			_, err := adapter.ConfirmPayment(t.Context(), "op_1", in)
			return err
		},
		"no key": func() error {
			_, err := adapter.ConfirmPayment(t.Context(), "", confirm(t, good, core.CaptureAutomatic))
			return err
		},
		"a long key": func() error {
			_, err := adapter.ConfirmPayment(t.Context(), core.OperationKey(strings.Repeat("k", 46)), confirm(t, good, core.CaptureAutomatic))
			return err
		},
		"a currency": func() error {
			_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirm(t, money(t, 1000, "CHF"), core.CaptureAutomatic))
			return err
		},
		"nothing": func() error {
			_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirm(t, core.Zero("EUR"), core.CaptureAutomatic))
			return err
		},
		"another account": func() error {
			_, err := adapter.GetPayment(t.Context(), core.ProviderRef{Account: "x", Kind: core.ObjectPayment, ID: "P1"})
			return err
		},
		"another kind": func() error {
			_, err := adapter.GetPayment(t.Context(), core.ProviderRef{Account: "square", Kind: "x", ID: "P1"})
			return err
		},
		"a path": func() error {
			_, err := adapter.GetPayment(t.Context(), core.ProviderRef{Account: "square", Kind: core.ObjectPayment, ID: "../x"})
			return err
		},
		"capture zero":   func() error { _, err := adapter.CapturePayment(t.Context(), "op_1", ref, core.Zero("EUR")); return err },
		"cancel, no key": func() error { _, err := adapter.CancelPayment(t.Context(), "", ref); return err },
		"refund zero": func() error {
			_, err := adapter.RefundPayment(t.Context(), "op_1", ports.RefundPayment{Ref: ref, Amount: core.Zero("EUR")})
			return err
		},
	} {
		require.Equal(t, core.ClassInvalid, class(t, do()), name)
	}
	require.Empty(t, script.calls)
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer               string
		status               core.PaymentStatus
		authorized, captured int64
	}{
		"approved":  {shown("APPROVED"), core.PaymentAuthorized, 1000, 0},
		"pending":   {shown("PENDING"), core.PaymentProcessing, 0, 0},
		"completed": {shown("COMPLETED"), core.PaymentSucceeded, 1000, 1000},
		"in part":   {shown("COMPLETED", `"amount_money":{"amount":1000`, `"amount_money":{"amount":400`), core.PaymentSucceeded, 1000, 400},
		"canceled":  {shown("CANCELED"), core.PaymentCanceled, 1000, 0},
		"ran out":   {shown("CANCELED", "2026-01-02T04:00:00Z", "2026-01-09T03:04:05Z"), core.PaymentExpired, 1000, 0},
		"failed":    {shown("FAILED", `"status":"AUTHORIZED"`, `"status":"FAILED","errors":[{"code":"INSUFFICIENT_FUNDS"}]`), core.PaymentFailed, 0, 0},
		"unheard":   {shown("SOMETHING_NEW"), "", 0, 0},
	} {
		adapter, _ := open(t, c.answer)
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err, name)
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, int64(1000), seen.Amount.Minor(), name)
		require.Equal(t, c.authorized, seen.Authorized.Minor(), name)
		require.Equal(t, c.captured, seen.Captured.Minor(), name)
		require.Equal(t, c.status == core.PaymentFailed, seen.Failure != nil, name)
		if seen.Failure != nil {
			require.Equal(t, core.FailureInsufficientFunds, seen.Failure.Code)
		}
	}
}

func TestAnswersThatAreNoSuccess(t *testing.T) {
	t.Parallel()
	failing := func(status, code string) string {
		return status + ` {"errors":[{"category":"X","code":"` + code + `","detail":"secret text","field":"amount_money"}]}`
	}
	for answer, want := range map[string]core.Class{
		failing("400", "GENERIC_DECLINE"): core.ClassDeclined, failing("402", "CVV_FAILURE"): core.ClassDeclined,
		failing("400", "BAD_REQUEST"): core.ClassInvalid, failing("404", "NOT_FOUND"): core.ClassInvalid,
		failing("429", "RATE_LIMITED"): core.ClassRetryable, failing("401", "UNAUTHORIZED"): core.ClassRetryable,
		failing("400", "IDEMPOTENCY_KEY_REUSED"): core.ClassUnknown, failing("400", "TEMPORARY_ERROR"): core.ClassUnknown,
		failing("408", "REQUEST_TIMEOUT"): core.ClassUnknown, failing("409", "CONFLICT"): core.ClassUnknown,
		failing("500", "INTERNAL_SERVER_ERROR"): core.ClassUnknown, "503 <html>secret text</html>": core.ClassUnknown,
		"200 <html>secret text</html>": core.ClassUnknown, `200 {"payment":{"id":"P1"`: core.ClassUnknown, "200 {}": core.ClassUnknown,
		shown("COMPLETED", `"id":"P1"`, `"id":"OTHER"`):                                     core.ClassUnknown,
		shown("COMPLETED", `"amount_money":{"amount":1000`, `"amount_money":{"amount":1.5`): core.ClassUnknown,
		shown("COMPLETED", `"amount_money":{"amount":1000,"currency":"EUR"}`, `"x":1`):      core.ClassUnknown,
		shown("COMPLETED", `2026-01-02T03:04:05.678Z`, `yesterday`):                         core.ClassUnknown,
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.GetPayment(t.Context(), ref)
		require.Equal(t, want.String(), class(t, err).String(), answer)
	}
	adapter, _ := open(t, failing("429", "RATE_LIMITED"), failing("404", "NOT_FOUND"), `400 {"payment":{"id":"P9"},"errors":[{"code":"X"},{"code":"CARD_EXPIRED"}]}`)
	var refused *core.ProviderError
	_, err := adapter.GetPayment(t.Context(), ref)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 2*time.Second, refused.RetryAfter)
	_, err = adapter.GetPayment(t.Context(), ref)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, ports.ForeignMissing, refused.Foreign)
	_, err = adapter.ConfirmPayment(t.Context(), "op_1", confirm(t, money(t, 1000, "EUR"), core.CaptureAutomatic))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, core.FailureExpiredCard, refused.Failure().Code)
	require.Equal(t, "P9", refused.ObjectID, "what it kept of the declined payment")
}

func lines(s *scripted) []string {
	var all []string
	for _, call := range s.calls {
		all = append(all, call.line)
	}
	return all
}

func TestCapture(t *testing.T) {
	t.Parallel()
	lowered := func(status string) string {
		return shown(status, `"amount_money":{"amount":1000`, `"amount_money":{"amount":400`)
	}
	get, put, complete := "GET /v2/payments/P1", "PUT /v2/payments/P1", "POST /v2/payments/P1/complete"
	for name, c := range map[string]struct {
		amount  int64
		answers []string
		calls   []string
		class   core.Class // of the error, where there is one
		fails   bool
	}{
		"the whole":                   {1000, []string{shown("APPROVED"), shown("COMPLETED")}, []string{get, complete}, 0, false},
		"again after a lost answer":   {1000, []string{shown("COMPLETED")}, []string{get}, 0, false},
		"a part":                      {400, []string{shown("APPROVED"), lowered("APPROVED"), lowered("COMPLETED")}, []string{get, put, complete}, 0, false},
		"a part, lowered before":      {400, []string{lowered("APPROVED"), lowered("COMPLETED")}, []string{get, complete}, 0, false},
		"a part, taken before":        {400, []string{lowered("COMPLETED")}, []string{get}, 0, false},
		"more than there is":          {1001, []string{shown("APPROVED")}, []string{get}, core.ClassInvalid, true},
		"another amount was taken":    {400, []string{shown("COMPLETED")}, []string{get}, core.ClassInvalid, true},
		"canceled":                    {1000, []string{shown("CANCELED")}, []string{get}, core.ClassInvalid, true},
		"no answer to the completion": {1000, []string{shown("APPROVED"), "500 x"}, []string{get, complete}, core.ClassUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			seen, err := adapter.CapturePayment(t.Context(), "op_1", ref, money(t, c.amount, "EUR"))
			require.Equal(t, c.calls, lines(script))
			if c.fails {
				require.Equal(t, c.class, class(t, err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.amount, seen.Captured.Minor())
			require.Equal(t, int64(1000), seen.Amount.Minor(), "what was asked of the buyer")
			for _, call := range script.calls {
				if call.line == put {
					require.Equal(t, "op_1_lower", call.body["idempotency_key"])
				}
			}
		})
	}
}

func TestCancelAndRefund(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, shown("CANCELED"), `400 {"errors":[{"code":"BAD_REQUEST"}]}`, shown("CANCELED"), `400 {"errors":[{"code":"BAD_REQUEST"}]}`, shown("COMPLETED"))
	for range 2 {
		seen, err := adapter.CancelPayment(t.Context(), "op_1", ref)
		require.NoError(t, err)
		require.Equal(t, core.PaymentCanceled, seen.Status)
	}
	_, err := adapter.CancelPayment(t.Context(), "op_1", ref)
	require.Equal(t, core.ClassInvalid, class(t, err), "it took money")
	require.Len(t, script.calls, 5)

	adapter, script = open(t, refunded("PENDING"), refunded("PENDING", `"payment_id":"P1"`, `"payment_id":"P2"`))
	in := ports.RefundPayment{Refund: ourRefund, Payment: ours, Ref: ref, Amount: money(t, 400, "EUR"), Reason: core.RefundDuplicate}
	refund, err := adapter.RefundPayment(t.Context(), "op_2", in)
	require.NoError(t, err)
	require.Equal(t, core.RefundSnapshot{
		Ref: core.ProviderRef{Account: "square", Kind: core.ObjectRefund, ID: "R1"}, Refund: ourRefund, Payment: ref,
		Status: core.RefundPending, ForeignStatus: "PENDING", Amount: money(t, 400, "EUR"), Environment: core.EnvTest,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}, refund)
	require.Equal(t, map[string]any{
		"idempotency_key": "op_2", "payment_id": "P1", "amount_money": map[string]any{"amount": 400.0, "currency": "EUR"}, "reason": "duplicate " + ourRefund,
	}, script.calls[0].body, "Square keeps no other reference with a refund")
	_, err = adapter.RefundPayment(t.Context(), "op_2", in)
	require.Equal(t, core.ClassUnknown, class(t, err), "an answer about another payment")
}

func TestList(t *testing.T) {
	t.Parallel()
	one := strings.TrimSuffix(strings.TrimPrefix(shown("COMPLETED"), `200 {"payment":`), "}")
	foreign := strings.NewReplacer(`"EUR"`, `"XXQ"`, ours, "").Replace(one)
	adapter, script := open(t, `200 {"payments":[`+one+`,`+foreign+`],"cursor":"next"}`, "200 {}")
	from := time.Date(2026, 1, 2, 3, 0, 0, 1, time.UTC)
	list, err := adapter.ListPayments(t.Context(), ports.ListPayments{From: from, Until: from.Add(time.Hour), Limit: 500})
	require.NoError(t, err)
	require.Len(t, list.Payments, 1)
	require.Equal(t, "next", list.NextCursor)
	list, err = adapter.ListPayments(t.Context(), ports.ListPayments{From: from, Until: from.Add(time.Hour), Limit: 10, Cursor: list.NextCursor})
	require.NoError(t, err)
	require.Empty(t, list.NextCursor)
	require.Equal(t, []string{
		"GET /v2/payments?begin_time=2026-01-02T03%3A00%3A00Z&end_time=2026-01-02T04%3A00%3A00.000000001Z&limit=100&location_id=L1&sort_order=DESC",
		"GET /v2/payments?begin_time=2026-01-02T03%3A00%3A00Z&cursor=next&end_time=2026-01-02T04%3A00%3A00.000000001Z&limit=10&location_id=L1&sort_order=DESC",
	}, lines(script))
}
