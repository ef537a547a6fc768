package square_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
)

// BenchmarkVerifyWebhook shows what the check of a post of a usual size, 3 KiB, takes beside
// the bare hash: of its signature alone, and together with the reading of the event.
func BenchmarkVerifyWebhook(b *testing.B) {
	const at, key = "https://pay.example.test/webhooks/square", "new"
	const fee = `{"amount_money":{"amount":1000,"currency":"EUR"},"card":{"card_brand":"MASTERCARD","exp_month":11,"exp_year":2030,"last_4":"1029"},"created_at":"2026-01-02T03:04:05.678Z"},`
	body := []byte(strings.Replace(vector, `"data":{`, `"data":{"object":{"payment":[`+strings.Repeat(fee, 16)+`0]},`, 1))
	adapter := newAdapter(b, nil)
	header := signed(key, at, string(body))
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"bare hash", func() error {
			mac := hmac.New(sha256.New, []byte(key))
			_, _ = mac.Write([]byte(at))
			_, _ = mac.Write(body)
			mac.Sum(nil)
			return nil
		}},
		{"signature", func() error { return adapter.CheckSignature(header.Get("X-Square-Hmacsha256-Signature"), body) }},
		{"whole", func() error { _, err := adapter.VerifyWebhook(b.Context(), header, body, time.Time{}); return err }},
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

// canned answers every request at once, in this process.
type canned string

// RoundTrip implements [http.RoundTripper].
func (c canned) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: request, ContentLength: int64(len(c)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(c))),
	}, nil
}

// BenchmarkCall shows what the adapter adds to a bare call and the reading of its answer,
// without the network.
func BenchmarkCall(b *testing.B) {
	answer := &http.Client{Transport: canned(strings.TrimPrefix(shown("COMPLETED"), "200 "))}
	with := options()
	with.HTTPClient = answer
	adapter, err := square.New(with)
	require.NoError(b, err)
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://connect.squareupsandbox.com/v2/payments/P1", nil)
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer token")
			request.Header.Set("Square-Version", "2025-08-20")
			request.Header.Set("Accept", "application/json")
			response, err := answer.Do(request)
			if err != nil {
				b.Fatal(err)
			}
			var out struct {
				Payment *square.Payment `json:"payment"`
			}
			text, err := io.ReadAll(response.Body)
			if err != nil || response.Body.Close() != nil || json.Unmarshal(text, &out) != nil || out.Payment.ID != "P1" {
				b.Fatal(err)
			}
		}
	})
	b.Run("adapter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := adapter.GetPayment(b.Context(), ref); err != nil {
				b.Fatal(err)
			}
		}
	})
}
