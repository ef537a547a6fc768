package paypal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

var signedHeaders = []string{
	"PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME", "PAYPAL-TRANSMISSION-SIG", "PAYPAL-CERT-URL", "PAYPAL-AUTH-ALGO",
}

// signers are the ones of a rotation, and a stranger.
func signers() map[portstest.WebhookSecret]*signer {
	return map[portstest.WebhookSecret]*signer{
		portstest.SecretCurrent: &authority().leaf, portstest.SecretRotated: &authority().rotated, portstest.SecretForeign: &authority().foreign,
	}
}

// double is a PayPal that publishes certificates by the names of the secrets and, in its own
// way, checks webhooks.
func double(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for secret, by := range signers() {
		mux.HandleFunc("GET /v1/notifications/certs/CERT-"+string(secret), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(by.pem) })
	}
	mux.HandleFunc("POST /v1/oauth2/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"token1","expires_in":32400}`)
	})
	mux.HandleFunc("POST /v1/notifications/verify-webhook-signature", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			AuthAlgo  string `json:"auth_algo"`
			CertURL   string `json:"cert_url"`
			ID        string `json:"transmission_id"`
			Signature string `json:"transmission_sig"`
			Time      string `json:"transmission_time"`
			WebhookID string `json:"webhook_id"`
		}
		text, err := io.ReadAll(r.Body)
		_, event, _ := bytes.Cut(text, []byte(`,"webhook_event":`)) // with the space around it, which a decoder drops
		if err != nil || json.Unmarshal(text, &in) != nil || r.Header.Get("Authorization") != "Bearer token1" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("asked by %s", text)
		}
		status := "FAILURE"
		for _, secret := range []portstest.WebhookSecret{portstest.SecretCurrent, portstest.SecretRotated} {
			// RSA signatures of this kind are the same each time.
			same := in.Signature == signers()[secret].signature(t, signedText(in.ID, in.Time, in.WebhookID, bytes.TrimSuffix(event, []byte{'}'})))
			if same && strings.HasSuffix(in.CertURL, "/CERT-"+string(secret)) && in.AuthAlgo == "SHA256withRSA" {
				status = "SUCCESS"
			}
		}
		_, _ = fmt.Fprintf(w, `{"verification_status":%q}`, status)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	capture := `{"id":"C1","status":"COMPLETED","supplementary_data":{"related_ids":{"order_id":"O1"}},"links":[{"href":"https://api.sandbox.paypal.com/v2/payments/captures/C1","rel":"self"}]}`
	for _, way := range []string{paypal.VerifyByCertificate, paypal.VerifyByAPI} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			portstest.RunWebhook(t, func(t *testing.T) portstest.WebhookSide {
				at := double(t).URL
				with := options()
				with.APIBase, with.WebhookRoots, with.WebhookVerification = at, authority().rootPEM, way
				side := portstest.WebhookSide{
					Verifier: newAdapter(t, with), Headers: signedHeaders, Tolerance: 4 * 24 * time.Hour,
					Sign: func(body []byte, when time.Time, secret portstest.WebhookSecret) http.Header {
						return headers(t, signers()[secret], body, when, at+"/v1/notifications/certs/CERT-"+string(secret))
					},
					Payment:    eventBody("WH-1-1", "PAYMENT.CAPTURE.COMPLETED", capture),
					PaymentRef: ref,
					Unknown:    eventBody("WH-2-2", "INVOICING.INVOICE.PAID", `{"id":"INV2","links":[]}`),
					Live:       eventBody("WH-3-3", "PAYMENT.CAPTURE.COMPLETED", strings.Replace(capture, "api.sandbox.", "api.", 1)),
					NoID:       bytes.Replace(eventBody("WH-4-4", "PAYMENT.CAPTURE.COMPLETED", capture), []byte(`"id":"WH-4-4",`), nil, 1),
				}
				if way == paypal.VerifyByAPI {
					side.NotJSON = ports.ErrSignature
				}
				return side
			})
		})
	}
}

// vector is a body whose checksum was taken elsewhere.
const vector = `{"id":"WH-TEST-0001","event_version":"1.0","create_time":"2025-01-01T00:00:00.000Z","resource_type":"capture","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"CAP0001","status":"COMPLETED","amount":{"currency_code":"USD","value":"10.00"}}}`

// TestWebhookVector holds what is signed to a text that was made elsewhere.
func TestWebhookVector(t *testing.T) {
	t.Parallel()
	const text = transmission + "|2025-01-01T00:00:01Z|" + webhookID + "|3220930266"
	sum := sha256.Sum256([]byte(text))
	require.Equal(t, "d84f2493d318bd250167fec13b6d506b945402b0eece4eafda818499b1c1508f", hex.EncodeToString(sum[:]))
	require.Equal(t, uint32(3421780262), crc32.ChecksumIEEE([]byte("123456789")))

	at := time.Date(2025, 1, 1, 0, 0, 1, 0, time.UTC)
	template := leafTemplate(leafName)
	template.NotBefore = at.Add(-time.Hour)
	roots := caTemplate("Root of then")
	roots.NotBefore = template.NotBefore
	root := issue(roots, authority().root.key, nil)
	by := issue(template, authority().leaf.key, &root)
	header := headers(t, &by, nil, at, certURL)
	header.Set("PAYPAL-TRANSMISSION-SIG", by.signature(t, text))
	adapter := verifier(t, publishing(200, by.pem), func(o *paypal.Options) { o.WebhookRoots = root.pem })
	delivery, err := adapter.VerifyWebhook(t.Context(), header, []byte(vector), at)
	require.NoError(t, err)
	require.Equal(t, core.Delivery{Account: "paypal", ProviderEventID: "WH-TEST-0001", Type: "PAYMENT.CAPTURE.COMPLETED", Body: []byte(vector)}, delivery, "it names no order")

	header.Set("PAYPAL-TRANSMISSION-SIG", by.signature(t, strings.Replace(text, "3220930266", "bffb7eda", 1)))
	_, err = adapter.VerifyWebhook(t.Context(), header, []byte(vector), at)
	require.ErrorIs(t, err, ports.ErrSignature, "the checksum is decimal")
}

func TestWebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	body := eventBody("WH-1-1", "CHECKOUT.ORDER.APPROVED", `{"id":"O1"}`)
	good := func() http.Header { return headers(t, &authority().leaf, body, clock, certURL) }
	with := func(name, value string) http.Header {
		header := good()
		header.Set(name, value)
		return header
	}
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
	}{
		"another algorithm":       {with("PAYPAL-AUTH-ALGO", "SHA1withRSA"), body},
		"the same in other words": {with("PAYPAL-AUTH-ALGO", "sha256withrsa"), body},
		"another id":              {with("PAYPAL-TRANSMISSION-ID", "other"), body},
		"another time":            {with("PAYPAL-TRANSMISSION-TIME", clock.Add(time.Second).Format(time.RFC3339)), body},
		"the same time elsewhere": {with("PAYPAL-TRANSMISSION-TIME", clock.In(time.FixedZone("", 3600)).Format(time.RFC3339)), body},
		"no time":                 {with("PAYPAL-TRANSMISSION-TIME", "1767326400"), body},
		"no base64":               {with("PAYPAL-TRANSMISSION-SIG", "***"), body},
		"a short signature":       {with("PAYPAL-TRANSMISSION-SIG", "AAAA"), body},
		"another key's":           {with("PAYPAL-TRANSMISSION-SIG", authority().rotated.signature(t, signedText(transmission, clock.Format(time.RFC3339), webhookID, body))), body},
		"of another webhook":      {with("PAYPAL-TRANSMISSION-SIG", authority().leaf.signature(t, signedText(transmission, clock.Format(time.RFC3339), "WEBHOOK_ID", body))), body},
		"another body":            {good(), bytes.Replace(body, []byte("O1"), []byte("O2"), 1)},
		"a long header":           {with("PAYPAL-TRANSMISSION-ID", strings.Repeat("x", 3000)), body},
	} {
		require.ErrorIs(t, verify(t.Context(), verifier(t, publishing(200, authority().leaf.pem), nil), c.header, c.body), ports.ErrSignature, name)
	}
	require.NoError(t, verify(t.Context(), verifier(t, publishing(200, authority().leaf.pem), nil), good(), body))
	fraction := clock.Format("2006-01-02T15:04:05.000Z07:00")
	header := with("PAYPAL-TRANSMISSION-TIME", fraction)
	header.Set("PAYPAL-TRANSMISSION-SIG", authority().leaf.signature(t, signedText(transmission, fraction, webhookID, body)))
	require.NoError(t, verify(t.Context(), verifier(t, publishing(200, authority().leaf.pem), nil), header, body))

	nobody := publishing(200, authority().leaf.pem)
	adapter := verifier(t, nobody, func(o *paypal.Options) { o.WebhookID = "" })
	header = good()
	header.Set("PAYPAL-TRANSMISSION-SIG", authority().leaf.signature(t, signedText(transmission, clock.Format(time.RFC3339), "", body)))
	require.ErrorIs(t, verify(t.Context(), adapter, header, body), ports.ErrSignature, "no webhook id is no door")
	require.Empty(t, nobody.visits())
}

func TestWebhookByAPI(t *testing.T) {
	t.Parallel()
	// As PayPal writes it, with all that JSON writers like to write another way.
	body := []byte("{ \"id\":\"WH-1-1\",\n\t\"event_type\":\"PAYMENT.CAPTURE.COMPLETED\", \"resource\":{\"amount\":1.0,\"note\":\"a & b <c> \\u00fc\\/\"} }")
	header := headers(t, &authority().leaf, body, clock, "http://double/v1/notifications/certs/CERT-1")
	var sent []byte
	answer := func(status int, text string) *publisher {
		return &publisher{answer: func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				return response(r, 200, []byte(`{"access_token":"token1","expires_in":32400}`)), nil
			}
			var err error
			sent, err = io.ReadAll(r.Body)
			return response(r, status, []byte(text)), err
		}}
	}
	byAPI := func(o *paypal.Options) {
		o.WebhookVerification, o.APIBase = paypal.VerifyByAPI, "http://double"
	}
	require.NoError(t, verify(t.Context(), verifier(t, answer(200, `{"verification_status":"SUCCESS"}`), byAPI), header, body))
	require.True(t, bytes.HasSuffix(sent, append(append([]byte(`,"webhook_event":`), body...), '}')), "byte by byte as it came: %s", sent)
	var asked map[string]any
	require.NoError(t, json.Unmarshal(sent, &asked))
	delete(asked, "webhook_event")
	require.Equal(t, map[string]any{
		"auth_algo": "SHA256withRSA", "cert_url": "http://double/v1/notifications/certs/CERT-1", "transmission_id": transmission,
		"transmission_sig": header.Get("PAYPAL-TRANSMISSION-SIG"), "transmission_time": "2026-01-02T04:00:00Z", "webhook_id": webhookID,
	}, asked)
	for text, want := range map[string]error{
		`200 {"verification_status":"FAILURE"}`: ports.ErrSignature, problem("400", "VALIDATION_ERROR"): ports.ErrSignature,
		`200 {"verification_status":"success"}`: ports.ErrNotVerifiable, "200 {}": ports.ErrNotVerifiable, "200 <html>": ports.ErrNotVerifiable,
		`200 {"verification_status":7}`: ports.ErrNotVerifiable, "500 x": ports.ErrNotVerifiable, "429 x": ports.ErrNotVerifiable,
		problem("401", "AUTHENTICATION_FAILURE"): ports.ErrNotVerifiable, "302 ": ports.ErrNotVerifiable,
	} {
		status := map[string]int{"200": 200, "400": 400, "401": 401, "429": 429, "500": 500, "302": 302}[text[:3]]
		err := verify(t.Context(), verifier(t, answer(status, text[4:]), byAPI), header, body)
		require.ErrorIs(t, err, want, text)
		require.NotContains(t, err.Error(), "secret")
	}
	down := &publisher{answer: func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }}
	require.ErrorIs(t, verify(t.Context(), verifier(t, down, byAPI), header, body), ports.ErrNotVerifiable)

	nobody := answer(200, `{"verification_status":"SUCCESS"}`)
	adapter := verifier(t, nobody, byAPI)
	require.ErrorIs(t, verify(t.Context(), adapter, header, []byte("{},")), ports.ErrSignature, "nothing slips out of its place")
	require.ErrorIs(t, verify(t.Context(), adapter, header, []byte(`{},"webhook_id":"x"`)), ports.ErrSignature)
	header.Set("PAYPAL-CERT-URL", certURL)
	require.ErrorIs(t, verify(t.Context(), adapter, header, body), ports.ErrSignature)
	require.Empty(t, nobody.visits(), "nobody is asked about what cannot be PayPal's")
}

func TestWebhookObjects(t *testing.T) {
	t.Parallel()
	adapter := verifier(t, publishing(200, authority().leaf.pem), nil)
	const related = `"supplementary_data":{"related_ids":{"order_id":"O1"}}`
	up := func(path string) string {
		return `"links":[{"rel":"self","href":"https://api.sandbox.paypal.com/v2/payments/captures/C9"},{"rel":"up","href":"https://api.sandbox.paypal.com` + path + `"}]`
	}
	order, refund := ref, core.ProviderRef{Account: "paypal", Kind: core.ObjectRefund, ID: "R1"}
	subscription := core.ProviderRef{Account: "paypal", Kind: core.ObjectSubscription, ID: "I-1"}
	none := core.ProviderRef{}
	for _, c := range []struct {
		kind, resource string
		want           core.ProviderRef
	}{
		{"CHECKOUT.ORDER.APPROVED", `{"id":"O1"}`, order},
		{"CHECKOUT.ORDER.COMPLETED", `{"id":"O1"}`, order},
		{"CHECKOUT.ORDER.NOT_INVENTED_YET", `{"id":"O1"}`, order},
		{"CHECKOUT.ORDER.APPROVED", `{"id":"../x"}`, none},
		{"CHECKOUT.ORDER.APPROVED", `{"id":7}`, none},
		{"CHECKOUT.ORDER.APPROVED", `[]`, none},
		{"CHECKOUT.PAYMENT-APPROVAL.REVERSED", `{"order_id":"O1"}`, order},
		{"CHECKOUT.PAYMENT-APPROVAL.REVERSED", `{"id":"X1"}`, none},
		{"PAYMENT.AUTHORIZATION.CREATED", `{"id":"A1",` + related + `}`, order},
		{"PAYMENT.AUTHORIZATION.VOIDED", `{"id":"A1",` + up("/v2/checkout/orders/O1") + `}`, order},
		{"PAYMENT.AUTHORIZATION.VOIDED", `{"id":"A1"}`, none},
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":"C1",` + related + `}`, order},
		{"PAYMENT.CAPTURE.PENDING", `{"id":"C1",` + related + `}`, order},
		{"PAYMENT.CAPTURE.DENIED", `{"id":"C1",` + related + `}`, order},
		{"PAYMENT.CAPTURE.DECLINED", `{"id":"C1",` + up("/v2/checkout/orders/O1") + `}`, order},
		{"PAYMENT.CAPTURE.COMPLETED", `{"id":"C1",` + up("/v2/payments/authorizations/A1") + `}`, none},
		{"PAYMENT.CAPTURE.REFUNDED", `{"id":"R1",` + up("/v2/payments/captures/C1") + `}`, refund},
		{"PAYMENT.CAPTURE.REFUNDED", `{"id":"R1",` + related + `}`, refund},
		{"PAYMENT.CAPTURE.REVERSED", `{"id":"R1",` + up("/v2/payments/captures/C1") + `}`, refund},
		{"PAYMENT.CAPTURE.REVERSED", `{"id":"C1",` + related + `}`, order},
		{"PAYMENT.CAPTURE.REVERSED", `{"id":"C1"}`, none},
		{"PAYMENT.REFUND.COMPLETED", `{"id":"R1"}`, refund},
		{"PAYMENT.REFUND.FAILED", `{"id":"a b"}`, none},
		{"PAYMENT.SALE.COMPLETED", `{"id":"S1","billing_agreement_id":"I-1"}`, subscription},
		{"PAYMENT.SALE.PENDING", `{"id":"S1","billing_agreement_id":"I-1"}`, subscription},
		{"PAYMENT.SALE.COMPLETED", `{"id":"S1",` + related + `}`, none},
		{"PAYMENT.SALE.REFUNDED", `{"id":"R1","sale_id":"S1","billing_agreement_id":"I-1"}`, refund},
		{"PAYMENT.SALE.REVERSED", `{"id":"S1","billing_agreement_id":"I-1"}`, subscription},
		{"PAYMENT.SALE.REVERSED", `{"id":"O1"}`, order},
		{"CUSTOMER.DISPUTE.CREATED", `{"dispute_id":"PP-D-1"}`, core.ProviderRef{Account: "paypal", Kind: core.ObjectDispute, ID: "PP-D-1"}},
		{"CUSTOMER.DISPUTE.RESOLVED", `{"dispute_id":"../x"}`, none},
		{"BILLING.SUBSCRIPTION.ACTIVATED", `{"id":"I-1"}`, subscription},
		{"BILLING.SUBSCRIPTION.PAYMENT.FAILED", `{"id":"I-1"}`, subscription},
		{"BILLING.PLAN.CREATED", `{"id":"P-1"}`, none},
		{"VAULT.PAYMENT-TOKEN.DELETED", `{"id":"8kk8451t"}`, core.ProviderRef{Account: "paypal", Kind: core.ObjectMethod, ID: "8kk8451t"}},
		{"CATALOG.PRODUCT.CREATED", `{"id":"PROD-1"}`, none},
	} {
		body := eventBody("WH-1-1", c.kind, c.resource)
		delivery, err := adapter.VerifyWebhook(t.Context(), headers(t, &authority().leaf, body, clock, certURL), body, clock)
		require.NoError(t, err, c.kind)
		require.Equal(t, c.want, delivery.Ref, "%s %s", c.kind, c.resource)
		require.Equal(t, c.kind, delivery.Type)
		require.Equal(t, "2.0", delivery.APIVersion)
	}
}

func TestWebhookOddEvents(t *testing.T) {
	t.Parallel()
	adapter := verifier(t, publishing(200, authority().leaf.pem), nil)
	post := func(text string) (core.Delivery, error) {
		return adapter.VerifyWebhook(t.Context(), headers(t, &authority().leaf, []byte(text), clock, certURL), []byte(text), clock)
	}
	for _, kind := range []string{`null`, `7`, `""`, `"a b"`, `"` + strings.Repeat("x", 200) + `"`, `"<script>"`} {
		delivery, err := post(`{"id":"WH-1","event_type":` + kind + `,"resource_version":"` + strings.Repeat("9", 1000) + `"}`)
		require.NoError(t, err, "a genuine event is taken, whatever its type: %.40s", kind)
		require.Equal(t, "unnamed", delivery.Type)
		require.Empty(t, delivery.APIVersion)
		require.True(t, delivery.Ref.IsZero())
	}
	for _, id := range []string{`null`, `7`, `""`, `"a b"`, `"` + strings.Repeat("x", 1000) + `"`, `{"id":"WH-1"}`} {
		_, err := post(`{"id":` + id + `,"event_type":"X"}`)
		require.ErrorIs(t, err, ports.ErrPayload, "%.40s", id)
	}
	for links, want := range map[string]error{
		`[{"href":"https://api.sandbox.paypal.com/x"}]`: nil, `[{"href":"https://shop.example/x"}]`: nil, `[{"href":7}]`: nil, `7`: nil, `[]`: nil, `[{}]`: nil,
		`[{"href":"https://api.paypal.com/x"}]`:                                             ports.ErrWrongEnvironment,
		`[{"href":"https://api.sandbox.paypal.com/x"},{"href":"https://api.paypal.com/x"}]`: ports.ErrWrongEnvironment,
	} {
		for _, text := range []string{`{"id":"WH-1","event_type":"X","links":` + links + `}`, `{"id":"WH-1","event_type":"X","resource":{"links":` + links + `}}`} {
			_, err := post(text)
			require.ErrorIs(t, err, want, text)
		}
	}
}

// FuzzWebhook: whatever is signed is read or refused with a reason, and what is read has the
// shape of an id.
func FuzzWebhook(f *testing.F) {
	f.Add(eventBody("WH-1-1", "PAYMENT.CAPTURE.COMPLETED", `{"supplementary_data":{"related_ids":{"order_id":"O1"}}}`))
	f.Add(eventBody("WH-1-1", "PAYMENT.CAPTURE.REFUNDED", `{"id":"R1","links":[{"rel":"up","href":"https://api.sandbox.paypal.com/v2/payments/captures/C1"}]}`))
	f.Add(eventBody("WH-1-1", "CHECKOUT.ORDER.APPROVED", `{"id":"O1","links":[{"href":"::"}]}`))
	f.Add(eventBody("WH-1-1", "CUSTOMER.DISPUTE.CREATED", `{"dispute_id":"PP-D-1"}`))
	f.Add(eventBody("WH-1-1", "PAYMENT.SALE.COMPLETED", `{"id":"S1","billing_agreement_id":"I-1"}`))
	f.Add([]byte(`{"id":"WH-1","id":"WH-2","event_type":"\u0000","resource":[]}`))
	f.Add([]byte(`{"id":"WH-1`))
	adapter := verifier(f, publishing(200, authority().leaf.pem), nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		delivery, err := adapter.VerifyWebhook(t.Context(), headers(t, &authority().leaf, body, clock, certURL), body, clock)
		if err != nil {
			require.NotErrorIs(t, err, ports.ErrSignature)
			require.NotErrorIs(t, err, ports.ErrNotVerifiable)
			require.Zero(t, delivery)
			return
		}
		require.Regexp(t, `^[A-Za-z0-9_-]{1,255}$`, delivery.ProviderEventID)
		require.Regexp(t, `^[A-Za-z0-9_.-]{1,128}$`, delivery.Type)
		if !delivery.Ref.IsZero() {
			require.Equal(t, core.AccountName("paypal"), delivery.Ref.Account)
			require.Contains(t, []core.ObjectKind{core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectMethod, core.ObjectSubscription}, delivery.Ref.Kind)
			require.Regexp(t, `^[A-Za-z0-9_-]{1,255}$`, delivery.Ref.ID)
		}
	})
}
