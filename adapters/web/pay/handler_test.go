package pay_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/web/pay"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// house is a house with its checkout page.
type house struct {
	*coretest.House
	pages http.Handler
	log   *coretest.Buffer
}

func newHouse(t *testing.T, change ...func(*pay.Options)) house {
	t.Helper()
	h := house{House: coretest.New(t, repotest.SQLite(t)), log: &coretest.Buffer{}}
	options := pay.Options{
		Payments: h.Payments, Customers: h.Customers, Subscriptions: h.Subscriptions, Environment: core.EnvTest, Logger: slog.New(slog.NewJSONHandler(h.log, nil)),
		Browsers: map[core.AccountName]ports.BrowserConfig{coretest.Account: h.Provider.Browser()},
		IDs:      h.IDs,
	}
	for _, c := range change {
		c(&options)
	}
	pages, err := pay.NewHandler(options)
	require.NoError(t, err)
	h.pages = pages
	return h
}

// request asks the pages; headers come in pairs and win over the usual ones.
func (h house) request(t *testing.T, method, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, body)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.pages.ServeHTTP(w, r)
	require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.Contains(t, w.Header().Get("Permissions-Policy"), "payment=(")
	return w
}

func (h house) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	return h.request(t, http.MethodGet, path, nil)
}

func (h house) post(t *testing.T, path, body string) (status int, answer map[string]any) {
	t.Helper()
	w := h.request(t, http.MethodPost, path, strings.NewReader(body))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body.String())
	if w.Code >= http.StatusBadRequest {
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.EqualValues(t, w.Code, answer["status"])
		require.NotEmpty(t, answer["detail"])
	}
	return w.Code, answer
}

func page(c core.Checkout) string { return "/pay/" + string(c.ID) }

func attempts(id core.CheckoutID) string { return "/pay/" + string(id) + "/attempts" }

const atStripe = `{"account":"stripe"}`

func TestAnOpenCheckoutIsShown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "A-17 <b>", Currency: "EUR", SuccessURL: "https://shop.example/thanks?a=1&b=2", CancelURL: "https://shop.example/cart",
		Items: []payments.OpenItem{{Name: `Tea <script>alert(1)</script>`, Amount: 125_000, Quantity: 2}, {Name: "Cup", Amount: 5, Quantity: 1}},
	})
	require.NoError(t, err)
	w := h.get(t, page(checkout))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	body := w.Body.String()
	for _, text := range []string{
		"A-17 &lt;b&gt;", "€2,500.05", "€2,500.00", "2 × €1,250.00", "€0.05", "Test mode", "Tea &lt;script&gt;",
		`href="https://shop.example/cart"`, `role="alert"`, "<noscript>", `src="https://script.provider.example/v3/"`, "pk_test_fake",
	} {
		require.Contains(t, body, text)
	}
	require.NotContains(t, body, "<script>alert")
	require.NotContains(t, body, "style=")
	require.NotContains(t, body, `type="radio"`, "there is but one way to pay")

	policy := w.Header().Get("Content-Security-Policy")
	require.Equal(t, "default-src 'none'; script-src 'self' https://script.provider.example; style-src 'self'; "+
		"frame-src https://frame.provider.example; connect-src 'self' https://api.provider.example; img-src 'self' data:; font-src 'none'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'", policy)
	require.Equal(t, `payment=("https://frame.provider.example" self), accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), usb=()`,
		w.Header().Get("Permissions-Policy"))
	require.Zero(t, h.Provider.CallsOf("CreatePayment"), "showing the page asks nobody for anything")
}

func TestTheBuyerChoosesAmongSeveralAccounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *pay.Options) {
		other := o.Browsers[coretest.Account]
		other.Provider, other.NeedsInlineStyles = core.ProviderSquare, true
		other.FrameSources = []string{"https://*.frame.example"}
		o.Browsers[coretest.OtherAccount] = other
		o.Environment = core.EnvLive
	})
	w := h.get(t, page(h.Open(core.CaptureAutomatic)))
	body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	require.Equal(t, 2, strings.Count(body, `type="radio"`))
	require.Contains(t, body, "Card, through Square")
	require.Equal(t, 1, strings.Count(body, `src="https://script.provider.example/v3/"`), "one script serves both")
	require.NotContains(t, body, "Test mode")
	require.Contains(t, policy, "style-src 'self' 'unsafe-inline'")
	require.Contains(t, policy, "script-src 'self' https://script.provider.example;")
	require.Contains(t, policy, "frame-src https://*.frame.example https://frame.provider.example")
	require.NotContains(t, w.Header().Get("Permissions-Policy"), "*")
}

func TestPagesOfEndedCheckouts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(paid.ID, portstest.CardSucceeds)
	h.Look(paid)
	w := h.get(t, "/pay/"+string(paid.Checkout))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "Payment complete")
	require.Contains(t, w.Body.String(), `href="https://shop.example/done"`)
	require.NotContains(t, w.Body.String(), "pay-form")
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), "provider.example")

	held := h.Authorized()
	require.Contains(t, h.get(t, "/pay/"+string(held.Checkout)).Body.String(), "will be charged by the shop")

	working := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Set(working.ID, func(seen *core.PaymentSnapshot) {
		seen.Status, seen.ForeignStatus, seen.Payable = core.PaymentProcessing, "processing", false
	})
	h.Look(working)
	w = h.get(t, "/pay/"+string(working.Checkout))
	require.Contains(t, w.Body.String(), "being processed")
	require.Contains(t, w.Body.String(), string(working.ID))
	require.NotContains(t, w.Body.String(), "pay-form")

	declined := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(declined.ID, portstest.CardDeclined)
	h.Look(declined)
	w = h.get(t, "/pay/"+string(declined.Checkout))
	require.Contains(t, w.Body.String(), "Your card was declined.")
	require.Contains(t, w.Body.String(), "pay-form")

	expired := h.Open(core.CaptureAutomatic)
	h.Clock.Advance(core.CheckoutLifeDefault + time.Hour)
	w = h.get(t, page(expired))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "This checkout has expired")
	require.NotContains(t, w.Body.String(), "pay-form")
}

func TestACheckoutNobodyCanServe(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *pay.Options) { o.Browsers = nil })
	checkout := h.Open(core.CaptureAutomatic)
	require.Contains(t, h.get(t, page(checkout)).Body.String(), "cannot be paid here now")
	status, answer := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "account_not_offered", answer["code"])
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	for _, path := range []string{
		"/pay/", "/pay/chk_none", "/pay/chk_00000000000000000000000000", "/pay/chk_00000000000000000000000000/return",
		page(checkout) + "/elsewhere", page(checkout) + "/attempts/a/b/c", "/pay/assets/none.js", "/pay/4242424242424242",
	} {
		w := h.get(t, path)
		require.Equal(t, http.StatusNotFound, w.Code, path)
		require.Contains(t, w.Body.String(), "We cannot find this page", path)
	}
	for _, path := range []string{
		"/pay/chk_none/attempts", "/pay/chk_00000000000000000000000000/attempts",
		"/pay/chk_00000000000000000000000000/attempts/pay_00000000000000000000000000/sync", page(checkout) + "/attempts/pay_none/sync",
	} {
		body := atStripe
		if strings.HasSuffix(path, "/sync") {
			body = "{}"
		}
		status, answer := h.post(t, path, body)
		require.Equal(t, http.StatusNotFound, status, path)
		require.Equal(t, "not_found", answer["code"])
	}
	w := h.get(t, attempts(checkout.ID))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, http.MethodPost, w.Header().Get("Allow"))
	require.NotContains(t, timeless(h.log.String()), "4242")
}

func TestAnAttemptFromStartToEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	pays := func(card portstest.Card) (core.PaymentID, map[string]any) {
		status, started := h.post(t, attempts(checkout.ID), atStripe)
		require.Equal(t, http.StatusCreated, status)
		require.Equal(t, "stripe", started["account"])
		require.Equal(t, "stripe", started["provider"])
		action, ok := started["action"].(map[string]any)
		require.True(t, ok)
		require.Equal(t, "stripe_confirm", action["type"])
		require.NotEmpty(t, action["client_secret"])
		require.NotEmpty(t, action["object"])
		require.Equal(t, started["payment"], started["attempt"])
		id := core.PaymentID(started["payment"].(string))
		h.Pay(id, card)
		status, outcome := h.post(t, attempts(checkout.ID)+"/"+string(id)+"/sync", "{}")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, string(id), outcome["attempt"])
		require.Equal(t, string(id), outcome["payment"])
		return id, outcome
	}
	first, outcome := pays(portstest.CardInsufficientFunds)
	require.Equal(t, "failed", outcome["status"])
	require.Contains(t, outcome["message"], "enough funds")
	require.Equal(t, "open", outcome["checkout"])
	require.Nil(t, outcome["continue_url"])

	second, outcome := pays(portstest.CardSucceeds)
	require.NotEqual(t, first, second, "a new attempt is a new payment")
	require.Equal(t, "succeeded", outcome["status"])
	require.Nil(t, outcome["message"])
	require.Equal(t, "complete", outcome["checkout"])
	require.Equal(t, "https://shop.example/done", outcome["continue_url"])

	status, answer := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "checkout_complete", answer["code"])
	require.NotContains(t, h.log.String(), "_secret")
}

func TestWhatStartingSaysOfTrouble(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	expired := h.Open(core.CaptureAutomatic)
	h.Clock.Advance(core.CheckoutLifeDefault)
	status, answer := h.post(t, attempts(expired.ID), atStripe)
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "checkout_expired", answer["code"])

	busy := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Set(busy.ID, func(seen *core.PaymentSnapshot) {
		seen.Status, seen.ForeignStatus, seen.Payable = core.PaymentProcessing, "processing", false
	})
	status, answer = h.post(t, attempts(busy.Checkout), atStripe)
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "payment_in_progress", answer["code"])
	status, answer = h.post(t, attempts(busy.Checkout)+"/"+string(busy.ID)+"/sync", "{}")
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "processing", answer["status"])

	checkout := h.Open(core.CaptureAutomatic)
	status, answer = h.post(t, attempts(checkout.ID), `{"account":"nobody"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "account_not_offered", answer["code"])

	h.Provider.Fault(t, portstest.FaultError429)
	status, answer = h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "provider_unavailable", answer["code"])

	refused := h.Open(core.CaptureAutomatic)
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "amount_too_small", Op: "fake create"})
	status, answer = h.post(t, attempts(refused.ID), atStripe)
	require.Equal(t, http.StatusPaymentRequired, status)
	require.Equal(t, "payment_refused", answer["code"])
	require.NotContains(t, answer["detail"], "amount_too_small", "the provider's words are not the buyer's")
}

// An answer that never came is no failure: the same call goes on with the same payment.
func TestAnAnswerThatNeverCame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	h.Provider.Fault(t, portstest.FaultTimeoutAfterCommit)
	status, first := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "processing", first["status"])
	require.Nil(t, first["action"])
	require.Equal(t, http.StatusOK, h.get(t, page(checkout)).Code)

	status, again := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, first["payment"], again["payment"])
	require.NotNil(t, again["action"])
	require.Equal(t, 1, h.Provider.Effects(t))

	id := core.PaymentID(again["payment"].(string))
	h.Pay(id, portstest.CardSucceeds)
	h.Provider.Fault(t, portstest.FaultReset)
	status, outcome := h.post(t, attempts(checkout.ID)+"/"+string(id)+"/sync", "{}")
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "processing", outcome["status"])
	status, outcome = h.post(t, attempts(checkout.ID)+"/"+string(id)+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "complete", outcome["checkout"])
}

func TestABuyerWhoComesBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	w := h.get(t, "/pay/"+string(p.Checkout)+"/return?payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2&redirect_status=succeeded")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "/pay/"+string(p.Checkout), w.Header().Get("Location"), "without the secrets")
	require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
	require.NotContains(t, h.log.String(), "pi_1_secret_2")

	idle := h.Open(core.CaptureAutomatic)
	require.Equal(t, http.StatusSeeOther, h.get(t, page(idle)+"/return").Code)

	q := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Fault(t, portstest.FaultReset)
	require.Equal(t, http.StatusSeeOther, h.get(t, "/pay/"+string(q.Checkout)+"/return").Code, "the page shows what is known")
}

func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
	} {
		w := h.request(t, http.MethodPost, attempts(checkout.ID), strings.NewReader(atStripe), header...)
		require.Equal(t, http.StatusForbidden, w.Code, header)
		require.Contains(t, w.Body.String(), "cross_origin")
	}
	require.Zero(t, h.Provider.CallsOf("CreatePayment"))
	w := h.request(t, http.MethodPost, attempts(checkout.ID), strings.NewReader(atStripe), "Sec-Fetch-Site", "")
	require.Equal(t, http.StatusCreated, w.Code, "what is no browser brings no cookies to steal")
}

func TestNewHandlerRefusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	_, err := pay.NewHandler(pay.Options{})
	require.Error(t, err)
	h := newHouse(t)
	_, err = pay.NewHandler(pay.Options{
		Payments: h.Payments, Customers: h.Customers, Subscriptions: h.Subscriptions, IDs: h.IDs, Browsers: map[core.AccountName]ports.BrowserConfig{"odd": {Provider: "odd", PublishableKey: "pk"}},
	})
	require.ErrorContains(t, err, "odd")
}

// confirming is a house whose account leaves it to our server to ask for the money.
func confirming(t *testing.T, mode ports.ConfirmMode) house {
	t.Helper()
	h := newHouse(t)
	h.Accounts[coretest.Account] = h.Provider.Confirming(mode)
	return h
}

func TestAnAttemptPaidWithAToken(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmWithSource)
	checkout := h.Open(core.CaptureAutomatic)
	start := func() string {
		status, started := h.post(t, attempts(checkout.ID), atStripe)
		require.Equal(t, http.StatusCreated, status)
		action, ok := started["action"].(map[string]any)
		require.True(t, ok)
		require.Equal(t, "tokenize", action["type"])
		return attempts(checkout.ID) + "/" + started["payment"].(string)
	}
	confirm := func(at string, card portstest.Card) (int, map[string]any) {
		return h.post(t, at+"/confirm", `{"source":"`+portstest.FakeSource(card)+`"}`)
	}
	first := start()
	require.Equal(t, first, start(), "nothing was asked for, so the attempt goes on")
	status, outcome := confirm(first, portstest.CardDeclined)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "failed", outcome["status"])
	require.Contains(t, outcome["message"], "declined")
	require.NotEmpty(t, outcome["object"])

	second := start()
	require.NotEqual(t, first, second)
	h.Provider.Fault(t, portstest.FaultTimeoutAfterCommit)
	status, outcome = confirm(second, portstest.CardSucceeds)
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "processing", outcome["status"])
	require.Nil(t, outcome["object"])
	status, outcome = h.post(t, second+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "succeeded", outcome["status"])
	require.Equal(t, "complete", outcome["checkout"])

	status, answer := confirm(first, portstest.CardSucceeds)
	require.Equal(t, http.StatusConflict, status, "a late token of an attempt that is over")
	require.Equal(t, "payment_not_open", answer["code"])
	require.Equal(t, 1, h.Provider.Effects(t))
	require.NotContains(t, h.log.String(), "token:")
}

func TestAnAttemptThatTheBuyerAgreesTo(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmAfterApproval)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	at := attempts(p.Checkout) + "/" + string(p.ID)
	status, outcome := h.post(t, at+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "requires_action", outcome["status"])
	status, answer := h.post(t, at+"/confirm", `{"source":"token:success"}`)
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "payment_not_open", answer["code"])
	h.Pay(p.ID, portstest.CardSucceeds)
	w := h.get(t, "/pay/"+string(p.Checkout)+"/return")
	require.Equal(t, http.StatusSeeOther, w.Code, "the buyer comes back from the provider's own page")
	status, outcome = h.post(t, at+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "complete", outcome["checkout"])
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmWithSource)
	status, started := h.post(t, attempts(h.Open(core.CaptureAutomatic).ID), atStripe)
	require.Equal(t, http.StatusCreated, status)
	at := attempts(h.Payment(core.PaymentID(started["payment"].(string))).Checkout) + "/" + started["payment"].(string) + "/confirm"
	for body, code := range map[string]string{
		`{}`:            "invalid_request",
		`{"source":""}`: "invalid_request",
		`{"source":"` + strings.Repeat("x", 501) + `"}`: "invalid_request",
		`{"source":"4242 4242 4242 4242"}`:              "card_number_refused",
		`{"source":"a","amount":1}`:                     "invalid_json",
		`{"source":{"card":"x"}}`:                       "invalid_json",
	} {
		status, answer := h.post(t, at, body)
		require.GreaterOrEqual(t, status, http.StatusBadRequest, body)
		require.Equal(t, code, answer["code"], body)
	}
	require.Empty(t, h.Provider.Calls())
}

// What a provider's script needs is let through, and a nonce is never the same twice.
func TestThePolicyOfSeveralProviders(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *pay.Options) {
		first := o.Browsers[coretest.Account]
		first.NeedsNonce, first.ScriptURL = true, "https://script.provider.example/sdk?currency={currency}&intent={intent}&vault={vault}"
		first.StyleSources, first.FontSources, first.ImageSources = []string{"https://style.example"}, []string{"https://font.example"}, []string{"https://image.example"}
		o.Browsers[coretest.Account] = first
	})
	checkout := h.Open(core.CaptureManual)
	w := h.get(t, page(checkout))
	require.Contains(t, w.Body.String(), "https://script.provider.example/sdk?currency=EUR&amp;intent=authorize&amp;vault=false")
	policy := w.Header().Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`script-src 'nonce-([^']+)' 'self'`).FindStringSubmatch(policy)
	require.Len(t, nonce, 2, policy)
	require.Contains(t, w.Body.String(), `data-csp-nonce="`+nonce[1]+`"`)
	require.Contains(t, policy, "style-src 'nonce-"+nonce[1]+"' 'self' https://style.example;")
	require.Contains(t, policy, "font-src https://font.example;")
	require.Contains(t, policy, "img-src 'self' data: https://image.example;")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, h.get(t, page(checkout)).Header().Get("Content-Security-Policy"), nonce[1])
}
