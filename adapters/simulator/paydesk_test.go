package simulator_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// paydesk stands where Paydesk's public listener is: it takes webhooks, and answers the
// page's calls by calling the simulated provider.
type paydesk struct {
	url      string
	provider atomic.Pointer[string]

	mu       sync.Mutex
	received []webhook
	refuse   func(n int, body string) int // the status for the n-th delivery from 0; nil for 200
	calls    []string                     // of the page
	pending  int                          // attempts that are answered without an action yet
	broken   string                       // the call that answers a problem
}

// webhook is a delivery as it came in.
type webhook struct {
	Header http.Header
	Body   string
	Type   string
	ID     string
	Object map[string]any
	status int
}

func newPaydesk(t *testing.T) *paydesk {
	t.Helper()
	p := &paydesk{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/stripe", p.webhook)
	mux.HandleFunc("GET /pay/{checkout}", p.page)
	mux.HandleFunc("POST /pay/{checkout}/attempts", p.attempt)
	mux.HandleFunc("POST /pay/{checkout}/attempts/{payment}/sync", p.sync)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *paydesk) webhook(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := webhook{Header: r.Header, Body: string(body), status: http.StatusOK}
	var event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Object map[string]any `json:"object"`
		} `json:"data"`
	}
	_ = json.Unmarshal(body, &event)
	got.ID, got.Type, got.Object = event.ID, event.Type, event.Data.Object
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		got.status = p.refuse(len(p.received), got.Body)
	}
	p.received = append(p.received, got)
	w.WriteHeader(got.status)
}

// webhooks gives the deliveries of a type, or all for an empty one.
func (p *paydesk) webhooks(kind string) []webhook {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []webhook
	for _, got := range p.received {
		if kind == "" || got.Type == kind {
			found = append(found, got)
		}
	}
	return found
}

func (p *paydesk) types() []string {
	var types []string
	for _, got := range p.webhooks("") {
		types = append(types, got.Type)
	}
	return types
}

// genuine checks a signature independently of whoever made it.
func (w webhook) genuine(secret string) bool {
	at, signature, ok := strings.Cut(strings.TrimPrefix(w.Header.Get("Stripe-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "." + w.Body))
	return ok && signature == hex.EncodeToString(mac.Sum(nil))
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "detail": detail, "status": status})
}

// called notes a call of the page, and answers a problem where the call is broken.
func (p *paydesk) called(w http.ResponseWriter, r *http.Request, name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, name)
	cookie, err := r.Cookie("visit")
	sameOrigin := r.Header.Get("Content-Type") == "application/json" && r.Header.Get("Origin") == p.url && r.Header.Get("Sec-Fetch-Site") == "same-origin"
	switch {
	case name != "page" && (err != nil || cookie.Value != "1" || !sameOrigin):
		problem(w, http.StatusForbidden, "cross_origin", "This call is not the page's.")
	case p.broken == name:
		problem(w, http.StatusConflict, "checkout_complete", "The checkout is complete.")
	default:
		return true
	}
	return false
}

func (p *paydesk) page(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "visit", Value: "1", Path: "/"})
	if p.called(w, r, "page") {
		_, _ = io.WriteString(w, "<!doctype html>")
	}
}

func (p *paydesk) attempt(w http.ResponseWriter, r *http.Request) {
	if !p.called(w, r, "attempt") {
		return
	}
	p.mu.Lock()
	p.pending--
	waits := p.pending >= 0
	p.mu.Unlock()
	if waits {
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"attempt":"pay_1","action":null}`)
		return
	}
	form := url.Values{"amount": {"2500"}, "currency": {"eur"}, "metadata[paydesk_payment]": {"pay_1"}}
	request, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, *p.provider.Load()+"/stripe/v1/payment_intents", strings.NewReader(form.Encode()))
	request.Header.Set("Authorization", "Bearer "+secretKey)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		problem(w, http.StatusBadGateway, "provider_unavailable", err.Error())
		return
	}
	defer func() { _ = response.Body.Close() }()
	var intent struct {
		ID           string `json:"id"`
		ClientSecret string `json:"client_secret"`
	}
	_ = json.NewDecoder(response.Body).Decode(&intent)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"attempt": "pay_1", "account": "stripe", "provider": "stripe", "status": "requires_action",
		"action": map[string]string{"type": "stripe_confirm", "client_secret": intent.ClientSecret, "object": intent.ID},
	})
}

func (p *paydesk) sync(w http.ResponseWriter, r *http.Request) {
	if p.called(w, r, "sync") {
		_, _ = io.WriteString(w, `{"attempt":"pay_1","status":"requires_action"}`)
	}
}

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	w := webhook{
		Header: http.Header{"Stripe-Signature": {"t=1700000000,v1=888cded5a2e6a919a715b19411a4e21bba609db3c8dfc42ec186dfff00bd98b9"}},
		Body:   `{"id":"evt_test_0001","object":"event","api_version":"2023-10-16","type":"payment_intent.succeeded","livemode":false}`,
	}
	require.True(t, w.genuine("whsec_test_0123456789abcdef"))
	require.False(t, w.genuine("whsec_other"))
}
