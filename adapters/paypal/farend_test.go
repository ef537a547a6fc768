package paypal_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// ours is a payment's id, as PayPal keeps it.
const ours = "pay_01jd0000000000000000000000"

// clock is the wall clock of these tests.
var clock = time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)

// asked is a call that a scripted PayPal got.
type asked struct {
	line string // method and address
	key  string
	body map[string]any
}

// scripted is a PayPal that answers as written, in order, and then nothing more. It grants any
// number of tokens, each to be used until the next.
type scripted struct {
	t testing.TB

	mu      sync.Mutex
	answers []string // "200 {…}"
	calls   []asked
	tokens  int
	tokenIs string // the answer of the token's address; empty for a token
}

// ServeHTTP implements [http.Handler].
func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("%s: %v", r.URL, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Paypal-Debug-Id", "f00d")
	if r.URL.Path == "/v1/oauth2/token" {
		id, secret, _ := r.BasicAuth()
		if id != "client" || secret != "topsecret" || string(text) != "grant_type=client_credentials" {
			s.t.Errorf("token asked for by %s with %s", id, text)
		}
		s.tokens++
		if s.tokenIs != "" {
			s.write(w, s.tokenIs)
			return
		}
		s.write(w, `200 {"access_token":"token`+strconv.Itoa(s.tokens)+`","token_type":"Bearer","expires_in":32400}`)
		return
	}
	call := asked{line: r.Method + " " + r.URL.RequestURI(), key: r.Header.Get("PayPal-Request-Id")}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind == "multipart/form-data" {
		call.body = map[string]any{"": string(text)}
	} else if len(text) > 0 && json.Unmarshal(text, &call.body) != nil {
		s.t.Errorf("%s: body %s", call.line, text)
	}
	if r.Header.Get("Authorization") != "Bearer token"+strconv.Itoa(s.tokens) || (r.Header.Get("Prefer") == "return=representation") != (call.key != "") {
		s.t.Errorf("%s: headers %v", call.line, r.Header)
	}
	s.calls = append(s.calls, call)
	if len(s.answers) == 0 {
		s.t.Errorf("%s: not written", call.line)
		return
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	s.write(w, answer)
}

// write answers as written: "reset" breaks the connection.
func (s *scripted) write(w http.ResponseWriter, answer string) {
	if answer == "reset" {
		panic(http.ErrAbortHandler)
	}
	status, err := strconv.Atoi(answer[:3])
	if err != nil {
		s.t.Errorf("no status: %s", answer)
		return
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "2")
	}
	w.WriteHeader(status)
	if len(answer) > 4 {
		_, _ = io.WriteString(w, answer[4:])
	}
}

// sent are the calls so far, those for tokens left out.
func (s *scripted) sent() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// granted is how often a token was asked for.
func (s *scripted) granted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

// lines are the calls so far, tokens left out.
func (s *scripted) lines() []string {
	var all []string
	for _, call := range s.sent() {
		all = append(all, call.line)
	}
	return all
}

func options() paypal.Options {
	return paypal.Options{
		Account: "paypal", Environment: core.EnvTest, ClientID: "client", ClientSecret: "topsecret", WebhookID: "WHID0000000000001",
		Now: func() time.Time { return clock },
	}
}

func open(t testing.TB, answers ...string) (*paypal.Adapter, *scripted) {
	t.Helper()
	script := &scripted{t: t, answers: answers}
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	with := options()
	with.APIBase = server.URL
	return newAdapter(t, with), script
}

func newAdapter(t testing.TB, with paypal.Options) *paypal.Adapter {
	t.Helper()
	adapter, err := paypal.New(with)
	require.NoError(t, err)
	return adapter
}

// Parts of an order, as PayPal writes it.
const (
	approve     = `{"href":"https://www.sandbox.paypal.com/checkoutnow?token=O1","rel":"approve","method":"GET"}`
	payerAction = `{"href":"https://www.sandbox.paypal.com/checkoutnow?token=O1","rel":"payer-action","method":"GET"}`
	self        = `{"href":"https://api.sandbox.paypal.com/v2/checkout/orders/O1","rel":"self","method":"GET"}`
	wallet      = `{"paypal":{"email_address":"buyer@example.com","account_id":"X"}}`
	visa        = `{"card":{"brand":"VISA","last_digits":"1881","expiry":"2030-11","name":"buyer"}}`
)

// order is one as PayPal writes it. payments is what was done with its money, links besides
// its own.
func order(status, source, payments string, links ...string) string {
	text := `200 {"id":"O1","status":"` + status + `","intent":"CAPTURE","create_time":"2026-01-02T03:04:05Z","purchase_units":[{"reference_id":"default",
		"custom_id":"` + ours + `","amount":{"currency_code":"EUR","value":"10.00","breakdown":{}}`
	if payments != "" {
		text += `,"payments":{` + payments + `}`
	}
	text += `}]`
	if source != "" {
		text += `,"payment_source":` + source
	}
	return text + `,"links":[` + strings.Join(append([]string{self}, links...), ",") + `]}`
}

// money is an amount's JSON.
func eur(value string) string { return `{"currency_code":"EUR","value":"` + value + `"}` }

func captures(all ...string) string { return `"captures":[` + strings.Join(all, ",") + `]` }

func capture(id, status, value string, more ...string) string {
	return `{"id":"` + id + `","status":"` + status + `","amount":` + eur(value) + strings.Join(append([]string{""}, more...), ",") + `}`
}

func authorizations(all ...string) string {
	return `"authorizations":[` + strings.Join(all, ",") + `]`
}

// authorization is one that is good for four weeks.
func authorization(status string, more ...string) string {
	return `{"id":"A1","status":"` + status + `","amount":` + eur("10.00") + `,"expiration_time":"2026-01-31T03:04:05Z"` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func refunds(status, value string) string {
	return `,"refunds":[{"id":"R1","status":"` + status + `","amount":` + eur(value) + `}]`
}

func said(code string) string { return `"processor_response":{"response_code":"` + code + `"}` }

// problem is an error as PayPal writes it.
func problem(status, name string, issues ...string) string {
	details := make([]string, len(issues))
	for n, issue := range issues {
		details[n] = `{"field":"/purchase_units","issue":"` + issue + `","description":"secret text"}`
	}
	return status + ` {"name":"` + name + `","message":"secret text","debug_id":"b0d7","details":[` + strings.Join(details, ",") + `]}`
}

// missing is PayPal's answer about what it does not know.
var missing = problem("404", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")

func money(t testing.TB, minor int64, currency core.Currency) core.Money {
	t.Helper()
	m, err := core.NewMoney(minor, currency)
	require.NoError(t, err)
	return m
}

var ref = core.ProviderRef{Account: "paypal", Kind: core.ObjectPayment, ID: "O1"}

// failure is the provider's error, held to what all promise.
func failure(t testing.TB, err error) *core.ProviderError {
	t.Helper()
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	require.Same(t, refused, err)
	for _, secret := range []string{"secret", "token1", "127.0.0.1"} {
		require.NotContains(t, strings.ReplaceAll(refused.Error(), "client secret", ""), secret)
	}
	return refused
}

func creation(t testing.TB, amount core.Money, capture core.CaptureMode) ports.CreatePayment {
	t.Helper()
	return ports.CreatePayment{
		Payment: ours, Amount: amount, Capture: capture, Description: strings.Repeat("ö", 130), ReturnURL: "https://shop.example/return",
	}
}

func confirmation(t testing.TB, capture core.CaptureMode) ports.ConfirmPayment {
	t.Helper()
	return ports.ConfirmPayment{CreatePayment: creation(t, money(t, 10_00, "EUR"), capture), Ref: ref}
}

// Ids of ours, as PayPal keeps them where it does.
const (
	ourRefund       = "ref_01jd0000000000000000000000"
	ourMethod       = "pm_01jd0000000000000000000000"
	ourCustomer     = "cus_01jd0000000000000000000000"
	ourSubscription = "sub_01jd0000000000000000000000"
)

// key is one that nobody used before.
func key() core.OperationKey { return core.OperationKey("op_" + rand.Text()) }

// evidence is an answer to a dispute that has some of everything.
func evidence(ref core.ProviderRef) ports.SubmitEvidence {
	return ports.SubmitEvidence{
		Ref: ref,
		Texts: map[core.EvidenceField]string{
			core.EvidenceProductDescription: "Two books & a pen.", core.EvidenceShippingCarrier: "Pigeon Post", core.EvidenceTrackingNumber: "PP-1",
			core.EvidenceRefundPolicyText: "Within 30 days.", core.EvidenceCustomerName: "Ada Buyer", core.EvidenceOtherText: "It was delivered.",
		},
		Files: []ports.EvidenceContent{
			file(core.EvidenceReceipt, "application/pdf", "%PDF-1.7 receipt"), file(core.EvidenceRefundPolicyFile, "image/png", "\x89PNG\r\n\x1a\nsome"),
			file(core.EvidenceCommunication, "image/jpeg", "\xff\xd8\xffsome"),
		},
	}
}

func file(field core.EvidenceField, kind, content string) ports.EvidenceContent {
	return ports.EvidenceContent{
		EvidenceFile: core.EvidenceFile{Field: field, Name: "what the shop called it.bin", ContentType: kind, Size: int64(len(content))}, Content: []byte(content),
	}
}

func charge(t testing.TB, method, kind string) ports.ChargeMethod {
	t.Helper()
	return ports.ChargeMethod{
		CreatePayment: creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic), Customer: ourCustomer, ProviderMethod: method, MethodType: kind,
	}
}

// price is one that is asked for every month.
func price(t testing.TB, minor int64, trialDays int) core.Price {
	t.Helper()
	return core.Price{
		ID: "prc_01jd0000000000000000000000", Name: "Book of the month", Amount: money(t, minor, "EUR"),
		Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1, TrialDays: trialDays},
	}
}

// subscribing is a buyer who wants two.
func subscribing(plan string) ports.CreateSubscription {
	return ports.CreateSubscription{
		Subscription: ourSubscription, Customer: ourCustomer, Email: "ada@example.com", Name: "Ada van Buyer", ProviderPrice: plan, Quantity: 2,
		ReturnURL: "https://shop.example/return", CancelURL: "https://shop.example/back",
	}
}
