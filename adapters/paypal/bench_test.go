package paypal_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	paypalsdk "github.com/plutov/paypal/v4"
)

// BenchmarkVerifyWebhook is a post of a usual size, 3 KiB, with a certificate that is known,
// beside the signature's check alone.
func BenchmarkVerifyWebhook(b *testing.B) {
	body := eventBody("WH-1-1", "PAYMENT.CAPTURE.COMPLETED", `{"note":"`+strings.Repeat("x", 2500)+`","supplementary_data":{"related_ids":{"order_id":"O1"}},"links":[{"href":"https://api.sandbox.paypal.com/v2/payments/captures/C1","rel":"self"}]}`)
	adapter := verifier(b, publishing(200, authority().leaf.pem), nil)
	header := headers(b, &authority().leaf, body, clock, certURL)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := verify(b.Context(), adapter, header, body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall is a look at a payment, without a network, beside what the SDK itself takes to
// fetch and read the same.
func BenchmarkCall(b *testing.B) {
	text := []byte(order("COMPLETED", wallet, captures(capture("C1", "PARTIALLY_REFUNDED", "10.00", said("0000")))+refunds("COMPLETED", "4.00"))[4:])
	far := &publisher{answer: func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			return response(r, 200, []byte(`{"access_token":"token1","expires_in":32400}`)), nil
		}
		return response(r, 200, text), nil
	}}
	quiet := roundTrip(func(r *http.Request) (*http.Response, error) { return far.answer(r) })
	b.Run("bare SDK", func(b *testing.B) {
		sdk, err := paypalsdk.NewClient("client", "topsecret", "https://api-m.sandbox.paypal.com")
		if err != nil {
			b.Fatal(err)
		}
		sdk.SetHTTPClient(&http.Client{Transport: quiet})
		sdk.SetAccessToken("token1")
		b.ReportAllocs()
		for b.Loop() {
			request, err := sdk.NewRequest(b.Context(), http.MethodGet, sdk.APIBase+"/v2/checkout/orders/O1", nil)
			if err != nil {
				b.Fatal(err)
			}
			var body bytes.Buffer
			var shown map[string]json.RawMessage
			if err := sdk.SendWithAuth(request, &body); err != nil || json.Unmarshal(body.Bytes(), &shown) != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("SDK's own order", func(b *testing.B) {
		sdk, err := paypalsdk.NewClient("client", "topsecret", "https://api-m.sandbox.paypal.com")
		if err != nil {
			b.Fatal(err)
		}
		sdk.SetHTTPClient(&http.Client{Transport: quiet})
		sdk.SetAccessToken("token1")
		b.ReportAllocs()
		for b.Loop() {
			if shown, err := sdk.GetOrder(b.Context(), "O1"); err != nil || shown.ID != "O1" {
				b.Fatal(err)
			}
		}
	})
	b.Run("adapter", func(b *testing.B) {
		with := options()
		with.HTTPClient = &http.Client{Transport: quiet}
		adapter := newAdapter(b, with)
		b.ReportAllocs()
		for b.Loop() {
			if seen, err := adapter.GetPayment(b.Context(), ref); err != nil || seen.Refunded.Minor() != 4_00 {
				b.Fatal(err)
			}
		}
	})
}
