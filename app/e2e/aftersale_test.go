package e2e_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// TestAfterTheSale goes through what happens to money after the first yes, at each provider over
// each database. The clock of a house is one, so each account has a house of its own.
func TestAfterTheSale(t *testing.T) {
	t.Parallel()
	for name, env := range databases() {
		for account := range accounts {
			t.Run(name+"/"+account, func(t *testing.T) {
				t.Parallel()
				h := seller{client: newClient(apptest.Start(t, env(t)...)), account: account}
				h.capturesPart(t)
				h.refunds(t)
				h.refundsLate(t)
				h.refundsElsewhere(t)
				h.disputeWon(t)
				h.disputeLost(t)
				h.inquiry(t)
				h.authorizationRunsOut(t)
			})
		}
	}
}

// databases are what every story is told over.
func databases() map[string]func(*testing.T) []string {
	return map[string]func(*testing.T) []string{
		"sqlite":   func(*testing.T) []string { return nil },
		"postgres": func(t *testing.T) []string { t.Helper(); return []string{"PAYDESK_DATABASE_URL=" + needPostgres(t)} },
	}
}

// seller is a storefront that sells at one account.
type seller struct {
	*client

	account string
}

// ok makes a call of the API that must work.
func (h seller) ok(t testing.TB, method, path string, body any) answer {
	t.Helper()
	key := ""
	if method == http.MethodPost {
		key = newKey()
	}
	a := h.api(t, method, path, body, key)
	require.NoError(t, a.Err)
	require.Less(t, a.Status, 300, a.Raw)
	return a
}

// refused makes one that must be refused with a code.
func (h seller) refused(t testing.TB, method, path string, body any, code string) answer {
	t.Helper()
	key := ""
	if method == http.MethodPost {
		key = newKey()
	}
	a := h.api(t, method, path, body, key)
	require.NoError(t, a.Err)
	require.Equal(t, code, a.text("code"), a.Raw)
	return a
}

// becomes waits until an object has a status.
func (h seller) becomes(t testing.TB, path, status string) answer {
	t.Helper()
	return h.comes(t, path, func(a answer) bool { return a.text("status") == status })
}

// comes waits until an object is as wanted.
func (h seller) comes(t testing.TB, path string, wanted func(answer) bool) answer {
	t.Helper()
	var a answer
	ok := waitFor(func() bool {
		a = h.api(t, http.MethodGet, path, nil, "")
		return wanted(a)
	})
	require.True(t, ok, "%s never became as wanted: %s", path, a.Raw)
	return a
}

// sold gives a payment that took 2500 by a card.
func (h seller) sold(t testing.TB, card string) string {
	t.Helper()
	paid := h.payAt(t, h.checkout(t, newKey(), "automatic"), h.account, card).text("payment")
	h.payment(t, paid, "succeeded")
	return paid
}

func (h seller) refund(t testing.TB, payment string, body map[string]any) answer {
	t.Helper()
	return h.ok(t, http.MethodPost, "/v1/payments/"+payment+"/refunds", body)
}

func (h seller) capturesPart(t *testing.T) {
	t.Helper()
	held := h.payAt(t, h.checkout(t, newKey(), "manual"), h.account, "success").text("payment")
	seen := h.payment(t, held, "authorized")
	require.NotEmpty(t, seen.text("capture_before"), "when the authorization runs out: %s", seen.Raw)
	h.refused(t, http.MethodPost, "/v1/payments/"+held+"/refunds", map[string]any{"reason": "duplicate"}, "invalid_payment_state")
	h.refused(t, http.MethodPost, "/v1/payments/"+held+"/capture", map[string]any{"amount": 2501}, "amount_not_available")
	h.ok(t, http.MethodPost, "/v1/payments/"+held+"/capture", map[string]any{"amount": 2000})
	require.EqualValues(t, 2000, h.payment(t, held, "succeeded").Body["amount_captured"])
	h.refused(t, http.MethodPost, "/v1/payments/"+held+"/refunds", map[string]any{"amount": 2001, "reason": "duplicate"}, "amount_not_available")
}

func (h seller) refunds(t *testing.T) {
	t.Helper()
	sold := h.sold(t, "success")
	body := map[string]any{"amount": 1000, "reason": "requested_by_customer", "metadata": map[string]string{"rma": "7"}}
	key := newKey()
	first := h.api(t, http.MethodPost, "/v1/payments/"+sold+"/refunds", body, key)
	require.Equal(t, http.StatusCreated, first.Status, first.Raw)
	again := h.api(t, http.MethodPost, "/v1/payments/"+sold+"/refunds", body, key)
	require.Equal(t, first.text("id"), again.text("id"), "twice under one key is once")
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	h.refused(t, http.MethodPost, "/v1/payments/"+sold+"/refunds", map[string]any{"amount": 1501, "reason": "other"}, "amount_not_available")
	second := h.refund(t, sold, map[string]any{"reason": "other"})
	require.EqualValues(t, 1500, second.Body["amount"], "what is left")
	for _, one := range []answer{first, second} {
		h.becomes(t, "/v1/refunds/"+one.text("id"), "succeeded")
		require.Contains(t, h.client.events(t, one.text("id")), "refund.succeeded")
	}
	h.comes(t, "/v1/payments/"+sold, func(a answer) bool { return a.Body["amount_refunded"] == 2500.0 })
	h.refused(t, http.MethodPost, "/v1/payments/"+sold+"/refunds", map[string]any{"reason": "other"}, "amount_not_available")
}

// refundsLate has a refund pend for days, and another fail after that.
func (h seller) refundsLate(t *testing.T) {
	t.Helper()
	slow, bad := h.sold(t, "refund_pending"), h.sold(t, "refund_fails")
	pending := h.refund(t, slow, map[string]any{"amount": 2000, "reason": "duplicate"})
	require.Equal(t, "pending", pending.text("status"), pending.Raw)
	h.refused(t, http.MethodPost, "/v1/payments/"+slow+"/refunds", map[string]any{"amount": 501, "reason": "other"}, "amount_not_available")
	failing := h.refund(t, bad, map[string]any{"reason": "duplicate"})
	h.advance(t, 6*24*time.Hour)
	h.becomes(t, "/v1/refunds/"+pending.text("id"), "succeeded")
	failed := h.becomes(t, "/v1/refunds/"+failing.text("id"), "failed")
	require.NotEmpty(t, failed.text("failure", "code"), failed.Raw)
	require.Contains(t, h.client.events(t, failing.text("id")), "refund.failed")
	h.comes(t, "/v1/payments/"+bad, func(a answer) bool { return a.Body["amount_refunded"] == 0.0 })
	h.comes(t, "/v1/payments/"+slow, func(a answer) bool { return a.Body["amount_refunded"] == 2000.0 })
}

// refundsElsewhere has the shop's staff refund in the provider's own dashboard.
func (h seller) refundsElsewhere(t *testing.T) {
	t.Helper()
	sold := h.sold(t, "success")
	made := h.control(t, http.MethodPost, "refunds", map[string]any{"account": h.account, "payment": sold, "amount": 700})
	require.Equal(t, http.StatusOK, made.Status, made.Raw)
	h.comes(t, "/v1/payments/"+sold, func(a answer) bool { return a.Body["amount_refunded"] == 700.0 })
	h.refused(t, http.MethodPost, "/v1/payments/"+sold+"/refunds", map[string]any{"amount": 1801, "reason": "other"}, "amount_not_available")
	list := h.ok(t, http.MethodGet, "/v1/payments/"+sold+"/refunds", nil)
	data, _ := list.Body["data"].([]any)
	require.Len(t, data, 1, list.Raw)
	one, _ := data[0].(map[string]any)
	require.Equal(t, "provider", one["origin"], "%v", one)
	require.Equal(t, made.text("id"), one["provider_refund_id"])
}

// disputed has a payment disputed and gives the dispute once it is known.
func (h seller) disputed(t testing.TB, payment string, inquiry bool) answer {
	t.Helper()
	made := h.control(t, http.MethodPost, "disputes", map[string]any{"account": h.account, "payment": payment, "reason": "fraudulent", "inquiry": inquiry})
	require.Equal(t, http.StatusOK, made.Status, made.Raw)
	var id string
	ok := waitFor(func() bool {
		list := h.api(t, http.MethodGet, "/v1/disputes?payment="+payment, nil, "")
		data, _ := list.Body["data"].([]any)
		if len(data) == 0 {
			return false
		}
		one, _ := data[0].(map[string]any)
		id, _ = one["id"].(string)
		return one["provider_dispute_id"] == made.text("id")
	})
	require.True(t, ok, "the dispute is not known here")
	return h.ok(t, http.MethodGet, "/v1/disputes/"+id, nil)
}

func (h seller) decided(t testing.TB, dispute answer, outcome string) {
	t.Helper()
	a := h.control(t, http.MethodPost, "disputes/"+dispute.text("provider_dispute_id"), map[string]any{"outcome": outcome})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
}

func (h seller) disputeWon(t *testing.T) {
	t.Helper()
	sold := h.sold(t, "success")
	dispute := h.disputed(t, sold, false)
	require.Equal(t, "needs_response", dispute.text("status"), dispute.Raw)
	require.NotEmpty(t, dispute.text("due_at"))
	require.EqualValues(t, 2500, dispute.Body["amount"])
	require.Equal(t, []string{"dispute.opened"}, h.client.events(t, dispute.text("id")))
	require.Equal(t, true, h.ok(t, http.MethodGet, "/v1/payments/"+sold, nil).Body["disputed"])
	h.refused(t, http.MethodPost, "/v1/payments/"+sold+"/refunds", map[string]any{"reason": "other"}, "payment_disputed")

	path := "/v1/disputes/" + dispute.text("id")
	draft := h.ok(t, http.MethodGet, path+"/evidence", nil)
	require.Equal(t, "Ada Buyer", draft.text("suggested", "customer_name"), "filled from what is known: %s", draft.Raw)
	h.ok(t, http.MethodPut, path+"/evidence", map[string]any{"texts": map[string]string{"product_description": "Green tea, two packs", "shipping_tracking_number": "TRACK1"}})
	require.Equal(t, http.StatusCreated, h.upload(t, path, "receipt", "receipt.png", "image/png", pixel(t)).Status)
	lie := h.upload(t, path, "customer_signature", "letter.pdf", "application/pdf", pixel(t))
	require.Equal(t, http.StatusUnprocessableEntity, lie.Status, lie.Raw)
	h.ok(t, http.MethodPost, path+"/submit", nil)
	reviewed := h.becomes(t, path, "under_review")
	require.NotEmpty(t, reviewed.text("submitted_at"), reviewed.Raw)
	h.refused(t, http.MethodPost, path+"/submit", nil, "evidence_submitted")
	h.decided(t, dispute, "won")
	h.becomes(t, path, "won")
	require.Contains(t, h.client.events(t, dispute.text("id")), "dispute.closed")
	h.comes(t, "/v1/payments/"+sold, func(a answer) bool { return a.Body["disputed"] == false })
	if h.account != "stripe" { // where a charge that was disputed once stays so
		h.refund(t, sold, map[string]any{"amount": 100, "reason": "other"})
	}
}

func (h seller) disputeLost(t *testing.T) {
	t.Helper()
	lost, accepted := h.disputed(t, h.sold(t, "success"), false), h.disputed(t, h.sold(t, "success"), false)
	path := "/v1/disputes/" + lost.text("id")
	// Nobody answers in time.
	h.advance(t, 8*24*time.Hour)
	h.ok(t, http.MethodPost, "/v1/disputes/"+accepted.text("id")+"/accept", nil)
	h.becomes(t, "/v1/disputes/"+accepted.text("id"), "accepted")
	require.True(t, waitFor(func() bool {
		return slices.Contains(h.client.events(t, lost.text("id")), "dispute.reminder")
	}), "nobody was reminded of the deadline")
	h.advance(t, 8*24*time.Hour)
	h.becomes(t, path, "lost")
	h.refused(t, http.MethodPost, path+"/submit", nil, "dispute_closed")
}

func (h seller) inquiry(t *testing.T) {
	t.Helper()
	sold := h.sold(t, "success")
	asked := h.disputed(t, sold, true)
	require.Equal(t, "inquiry", asked.text("status"), asked.Raw)
	h.decided(t, asked, "escalated")
	h.becomes(t, "/v1/disputes/"+asked.text("id"), "needs_response")
}

func (h seller) authorizationRunsOut(t *testing.T) {
	t.Helper()
	held := h.payAt(t, h.checkout(t, newKey(), "manual"), h.account, "success").text("payment")
	before, err := time.Parse(time.RFC3339Nano, h.payment(t, held, "authorized").text("capture_before"))
	require.NoError(t, err)
	now, err := time.Parse(time.RFC3339Nano, h.advance(t, time.Second).text("now"))
	require.NoError(t, err)
	h.advance(t, before.Add(-12*time.Hour).Sub(now))
	require.True(t, waitFor(func() bool { return slices.Contains(h.client.events(t, held), "payment.expiring") }), "nobody was told that the authorization runs out")
	h.advance(t, 24*time.Hour)
	h.refused(t, http.MethodPost, "/v1/payments/"+held+"/capture", nil, "authorization_expired")
	h.comes(t, "/v1/payments/"+held, func(a answer) bool { return a.text("status") == "expired" || a.text("status") == "canceled" })
}

// advance moves the clock.
func (c *client) advance(t testing.TB, by time.Duration) answer {
	t.Helper()
	a := c.control(t, http.MethodPost, "clock/advance", map[string]any{"by": by.String()})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	return a
}

// upload sends a file of evidence.
func (h seller) upload(t testing.TB, dispute, field, name, contentType string, content []byte) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(t, form.WriteField("field", field))
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}, "Content-Type": {contentType},
	})
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, form.Close())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.house.PublicURL+dispute+"/evidence/files", &body)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+h.house.APIKey)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Idempotency-Key", newKey())
	response, err := h.http.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{apptest.Answer{Status: response.StatusCode, Header: response.Header, Raw: string(text)}}
}

// pixel is the smallest picture there is.
func pixel(t testing.TB) []byte {
	t.Helper()
	picture, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	require.NoError(t, err)
	return picture
}
