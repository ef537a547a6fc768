package stripe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	stripesdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

// usualEvent is of a usual size, 3 KiB, and laid out in lines, as Stripe posts it.
func usualEvent() []byte {
	charge := "{\n      \"id\": \"ch_1\",\n      \"object\": \"charge\",\n      \"amount\": 4990,\n      \"billing_details\": {\n        \"email\": null,\n        \"name\": \"Jenny Rosen\"\n      },\n      \"captured\": true,\n      \"currency\": \"eur\"\n    }"
	return eventBody("evt_1", "payment_intent.succeeded", false,
		"{\n    \"id\": \"pi_1\",\n    \"object\": \"payment_intent\",\n    \"charges\": [\n    "+strings.Repeat(charge+",\n    ", 13)+charge+"\n    ]\n  }")
}

// BenchmarkVerifyWebhook shows what the check of a post takes, beside the bare hash and what
// the SDK takes for it: of its signature alone, and together with the reading of the event.
func BenchmarkVerifyWebhook(b *testing.B) {
	now := time.Unix(1700000000, 0)
	body, secret := usualEvent(), secrets[portstest.SecretCurrent]
	adapter := newVerifier(b, core.EnvTest)
	header := sign(body, now, portstest.SecretCurrent)
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"bare hash", func() error {
			mac := hmac.New(sha256.New, []byte(secret))
			_, _ = mac.Write([]byte("1700000000."))
			_, _ = mac.Write(body)
			mac.Sum(nil)
			return nil
		}},
		{"SDK", func() error {
			return webhook.ValidatePayloadIgnoringTolerance(body, header.Get(signatureHeader), secret)
		}},
		{"signature", func() error { _, err := adapter.CheckSignature(header.Get(signatureHeader), body); return err }},
		{"whole", func() error { _, err := adapter.VerifyWebhook(b.Context(), header, body, now); return err }},
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
		Header: http.Header{"Content-Type": {"application/json"}, "Request-Id": {"req_1"}}, Body: io.NopCloser(strings.NewReader(string(c))),
	}, nil
}

// BenchmarkCall shows what the adapter adds to a call of the bare SDK, without the network.
func BenchmarkCall(b *testing.B) {
	answer := &http.Client{Transport: canned(intent(`,"status":"succeeded","amount_received":2000,"metadata":{"paydesk_payment":"pay_01jd0000000000000000000000"}` +
		charge(`,"status":"succeeded","amount_captured":2000,"payment_method_details":{"type":"card","card":{"brand":"visa","last4":"4242","exp_month":12,"exp_year":2030}}`)))}
	backend := stripesdk.GetBackendWithConfig(stripesdk.APIBackend, &stripesdk.BackendConfig{
		HTTPClient: answer, EnableTelemetry: new(false), MaxNetworkRetries: stripesdk.Int64(0), LeveledLogger: &stripesdk.LeveledLogger{Level: stripesdk.LevelNull},
	})
	sdk := client.New("sk_test_topsecret", &stripesdk.Backends{API: backend, Connect: backend, Uploads: backend})
	adapter, err := stripe.New(stripe.Options{Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_topsecret", HTTPClient: answer})
	require.NoError(b, err)
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			params := &stripesdk.PaymentIntentParams{}
			params.Context = b.Context()
			params.AddExpand("latest_charge")
			if _, err := sdk.PaymentIntents.Get("pi_1", params); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("adapter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := adapter.GetPayment(b.Context(), pi1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
