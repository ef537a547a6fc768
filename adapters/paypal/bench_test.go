package paypal_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	paypalsdk "github.com/plutov/paypal/v4"
	"github.com/stretchr/testify/require"
)

// BenchmarkVerifyWebhook is a post of a usual size, 3 KiB, with a certificate that is known,
// beside the bare check of the signature's digest.
func BenchmarkVerifyWebhook(b *testing.B) {
	body := eventBody("WH-1-1", "PAYMENT.CAPTURE.COMPLETED", `{"note":"`+strings.Repeat("x", 2500)+`","supplementary_data":{"related_ids":{"order_id":"O1"}},"links":[{"href":"https://api.sandbox.paypal.com/v2/payments/captures/C1","rel":"self"}]}`)
	adapter := verifier(b, publishing(200, authority().leaf.pem), nil)
	header := headers(b, &authority().leaf, body, clock, certURL)
	signature, err := base64.StdEncoding.DecodeString(header.Get("PAYPAL-TRANSMISSION-SIG"))
	require.NoError(b, err)
	sum := sha256.Sum256([]byte(signedText(transmission, header.Get("PAYPAL-TRANSMISSION-TIME"), webhookID, body)))
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"bare RSA", func() error {
			return rsa.VerifyPKCS1v15(&authority().leaf.key.PublicKey, crypto.SHA256, sum[:], signature)
		}},
		{"whole", func() error { return verify(b.Context(), adapter, header, body) }},
	} {
		b.Run(part.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := part.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
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
	b.Run("bare", func(b *testing.B) {
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
