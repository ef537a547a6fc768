package square_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const vector = `{"merchant_id":"MLEXAMPLE","type":"payment.updated","event_id":"6a8f5f28-54a1-4eb0-a98a-3111513fd4fc","created_at":"2025-01-01T00:00:00Z","data":{"type":"payment","id":"PAY_EXAMPLE_1"}}`

func signed(key, address, body string) http.Header {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(address + body))
	return http.Header{"X-Square-Hmacsha256-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
}

func newAdapter(t testing.TB, change func(*square.Options)) *square.Adapter {
	t.Helper()
	with := options()
	if change != nil {
		change(&with)
	}
	adapter, err := square.New(with)
	require.NoError(t, err)
	return adapter
}

func TestWebhookVector(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Square-Hmacsha256-Signature": {"WAnjsTUWDfKKcKl4D1lOdyHsotEvfkmz2aqZ+xPqONg="}}
	delivery, err := newAdapter(t, nil).VerifyWebhook(t.Context(), header, []byte(vector), time.Time{})
	require.NoError(t, err)
	require.Equal(t, core.Delivery{
		Account: "square", ProviderEventID: "6a8f5f28-54a1-4eb0-a98a-3111513fd4fc", Type: "payment.updated", Body: []byte(vector),
		Ref: core.ProviderRef{Account: "square", Kind: core.ObjectPayment, ID: "PAY_EXAMPLE_1"},
	}, delivery)
	slash := http.Header{"X-Square-Hmacsha256-Signature": {"n3daVqiCaBOdFt+63HADVwzfgyOyxFf5xyKjCtFczOs="}}
	_, err = newAdapter(t, nil).VerifyWebhook(t.Context(), slash, []byte(vector), time.Time{})
	require.ErrorIs(t, err, ports.ErrSignature, "signed for the address with a slash at its end")
}

func TestWebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	const at = "https://pay.example.test/webhooks/square"
	with := func(header http.Header, name, value string) http.Header {
		header.Set(name, value)
		return header
	}
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   error
	}{
		"the older key":         {signed("sq_test_signature_key_01", at, vector), vector, nil},
		"the newer key":         {signed("new", at, vector), vector, nil},
		"of the sandbox":        {with(signed("new", at, vector), "Square-Environment", "Sandbox"), vector, nil},
		"another key":           {signed("other", at, vector), vector, ports.ErrSignature},
		"another address":       {signed("new", "https://evil.example/webhooks/square", vector), vector, ports.ErrSignature},
		"another body":          {signed("new", at, vector), strings.Replace(vector, "EXAMPLE_1", "EXAMPLE_2", 1), ports.ErrSignature},
		"written anew":          {signed("new", at, vector), strings.Replace(vector, ":", ": ", 1), ports.ErrSignature},
		"no signature":          {http.Header{}, vector, ports.ErrSignature},
		"the old signature":     {http.Header{"X-Square-Signature": signed("new", at, vector)["X-Square-Hmacsha256-Signature"]}, vector, ports.ErrSignature},
		"no base64":             {http.Header{"X-Square-Hmacsha256-Signature": {"***"}}, vector, ports.ErrSignature},
		"no body":               {signed("new", at, ""), "", ports.ErrPayload},
		"a longer signature":    {with(http.Header{}, "X-Square-Hmacsha256-Signature", signed("new", at, vector).Get("X-Square-Hmacsha256-Signature")+"\n"), vector, ports.ErrSignature},
		"of real money":         {with(signed("new", at, vector), "Square-Environment", "Production"), vector, ports.ErrWrongEnvironment},
		"not JSON":              {signed("new", at, "x"), "x", ports.ErrPayload},
		"without an id":         {signed("new", at, `{"type":"payment.updated"}`), `{"type":"payment.updated"}`, ports.ErrPayload},
		"with an id of no kind": {signed("new", at, `{"event_id":"a b"}`), `{"event_id":"a b"}`, ports.ErrPayload},
	} {
		_, err := newAdapter(t, nil).VerifyWebhook(t.Context(), c.header, []byte(c.body), time.Time{})
		if c.want == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.want, name)
	}
	keyless := newAdapter(t, func(o *square.Options) { o.WebhookKeys = nil })
	_, err := keyless.VerifyWebhook(t.Context(), signed("", at, vector), []byte(vector), time.Time{})
	require.ErrorIs(t, err, ports.ErrSignature)
}

// TestWebhook has the suite judge it. Square says of which environment a post is beside the
// body.
func TestWebhook(t *testing.T) {
	t.Parallel()
	const at = "https://pay.example.test/webhooks/square"
	keys := map[portstest.WebhookSecret]string{
		portstest.SecretCurrent: "new", portstest.SecretRotated: "sq_test_signature_key_01", portstest.SecretForeign: "foreign",
	}
	live := strings.Replace(vector, "MLEXAMPLE", "LIVE", 1)
	portstest.RunWebhook(t, func(t *testing.T) portstest.WebhookSide {
		return portstest.WebhookSide{
			Verifier: newAdapter(t, nil), Headers: []string{"X-Square-Hmacsha256-Signature"},
			Sign: func(body []byte, _ time.Time, secret portstest.WebhookSecret) http.Header {
				header := signed(keys[secret], at, string(body))
				header.Set("Square-Environment", "Sandbox")
				if string(body) == live {
					header.Set("Square-Environment", "Production")
				}
				return header
			},
			Payment: []byte(vector), PaymentRef: core.ProviderRef{Account: "square", Kind: core.ObjectPayment, ID: "PAY_EXAMPLE_1"},
			Unknown: []byte(`{"event_id":"e1","type":"labor.shift.created","data":{"id":"S1"}}`), Live: []byte(live),
			NoID: []byte(`{"type":"payment.updated","data":{"id":"PAY_EXAMPLE_1"}}`),
		}
	})
}

func TestWebhookObjects(t *testing.T) {
	t.Parallel()
	const at = "https://pay.example.test/webhooks/square"
	const none = core.ObjectKind("")
	for _, c := range []struct {
		kind, data string
		object     core.ObjectKind
		id         string
	}{
		{"payment.created", `{"id":"P1","object":{"payment":{"id":"P2"}}}`, core.ObjectPayment, "P1"},
		{"payment.not_invented_yet", `{"id":"P1"}`, core.ObjectPayment, "P1"},
		{"payment.updated", `{"id":7}`, none, ""},
		{"payment.updated", `{"id":"../x"}`, none, ""},
		{"payment.updated", `[]`, none, ""},
		{"refund.created", `{"id":"P1_R1","object":{"refund":{"id":"P1_R1","payment_id":"P1"}}}`, core.ObjectRefund, "P1_R1"},
		{"refund.updated", `{"object":{"refund":{"payment_id":"P1"}}}`, none, ""},
		{"order.updated", `{"id":"O1","object":{"order_updated":{"order_id":"O1","state":"OPEN"}}}`, none, ""},
		{"dispute.created", `{"id":"D1","object":{"dispute":{"disputed_payment":{"payment_id":"P1"}}}}`, core.ObjectDispute, "D1"},
		{"dispute.state.updated", `{"id":"D1"}`, core.ObjectDispute, "D1"},
		{"dispute.evidence.created", `{"id":"D1"}`, core.ObjectDispute, "D1"},
		{"card.automatically_updated", `{"id":"ccof:C1"}`, core.ObjectMethod, "ccof:C1"},
		{"customer.updated", `{"id":"CUS1"}`, none, ""},
		{"catalog.version.updated", `{"id":"CAT1"}`, none, ""},
		{"subscription.updated", `{"id":"S1"}`, core.ObjectSubscription, "S1"},
		{"invoice.scheduled_charge_failed", `{"id":"inv:0-I1","object":{"invoice":{"subscription_id":"S1"}}}`, core.ObjectInvoice, "inv:0-I1"},
		{"payments", `{"id":"P1"}`, none, ""},
	} {
		body := `{"event_id":"e1","type":"` + c.kind + `","data":` + c.data + `}`
		delivery, err := newAdapter(t, nil).VerifyWebhook(t.Context(), signed("new", at, body), []byte(body), time.Time{})
		require.NoError(t, err, body)
		require.Equal(t, c.kind, delivery.Type)
		require.Equal(t, c.id, delivery.Ref.ID, body)
		require.Equal(t, c.object, delivery.Ref.Kind, body)
		require.Equal(t, c.id == "", delivery.Ref.IsZero(), "kept, and concerns nothing here")
	}
	odd := `{"event_id":"e1","type":"<b>","data":{"id":"P1"}}`
	delivery, err := newAdapter(t, nil).VerifyWebhook(t.Context(), signed("new", at, odd), []byte(odd), time.Time{})
	require.NoError(t, err, "a genuine event is taken, whatever its type")
	require.Equal(t, "unnamed", delivery.Type)
}

// TestWebhookOfAWrongClock: Square signs no time, so that no clock matters.
func TestWebhookOfAWrongClock(t *testing.T) {
	t.Parallel()
	header := signed("new", "https://pay.example.test/webhooks/square", vector)
	for _, apart := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		_, err := newAdapter(t, nil).VerifyWebhook(t.Context(), header, []byte(vector), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(apart))
		require.NoError(t, err)
	}
}

// FuzzWebhook: whatever is signed is read or refused with a reason, and what is read has
// the shape of an id.
func FuzzWebhook(f *testing.F) {
	for _, body := range []string{vector, `{"event_id":"e1","type":"refund.created","data":{"id":"R1"}}`, `{"event_id":"e1","type":"card.created","data":{"id":"ccof:C1"}}`, `{"event_id":"\u0065"}`, `[[`, ``} {
		f.Add(body)
	}
	adapter := newAdapter(f, nil)
	f.Fuzz(func(t *testing.T, body string) {
		delivery, err := adapter.VerifyWebhook(t.Context(), signed("new", "https://pay.example.test/webhooks/square", body), []byte(body), time.Time{})
		if err != nil {
			require.ErrorIs(t, err, ports.ErrPayload)
			require.Zero(t, delivery)
			return
		}
		require.Regexp(t, `^[A-Za-z0-9_-]{1,255}$`, delivery.ProviderEventID)
		require.Regexp(t, `^[A-Za-z0-9_.\[\]]{1,64}$`, delivery.Type)
		require.Regexp(t, `^[A-Za-z0-9_:-]{0,255}$`, delivery.Ref.ID)
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*square.Options){
		"no account":             func(o *square.Options) { o.Account = "" },
		"no environment":         func(o *square.Options) { o.Environment = "x" },
		"no token":               func(o *square.Options) { o.AccessToken = "" },
		"a token with a space":   func(o *square.Options) { o.AccessToken = "secret text" },
		"no location":            func(o *square.Options) { o.LocationID = "" },
		"an application of live": func(o *square.Options) { o.ApplicationID = "sq0idp-x" },
		"a sandbox's in live":    func(o *square.Options) { o.Environment = core.EnvLive },
		"no webhook URL":         func(o *square.Options) { o.WebhookURL = "" },
		"an empty key":           func(o *square.Options) { o.WebhookKeys = []string{"a", ""} },
		"real money's host":      func(o *square.Options) { o.APIBase = "https://connect.squareup.com/" },
		"another host in live": func(o *square.Options) {
			o.Environment, o.ApplicationID, o.APIBase = core.EnvLive, "sq0idp-x", "https://x.example"
		},
		"an address of no kind":   func(o *square.Options) { o.APIBase = "ftp://x" },
		"an address with a query": func(o *square.Options) { o.APIBase = "https://x.example?a=b" },
	} {
		with := options()
		change(&with)
		_, err := square.New(with)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "secret text", name)
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	sandbox := newAdapter(t, nil).Browser()
	require.Equal(t, "https://sandbox.web.squarecdn.com/v1/square.js", sandbox.ScriptURL)
	require.Equal(t, "sandbox-sq0idb-x", sandbox.PublishableKey)
	require.Equal(t, "L1", sandbox.LocationID)
	live := newAdapter(t, func(o *square.Options) { o.Environment, o.ApplicationID = core.EnvLive, "sq0idp-x" }).Browser()
	require.Equal(t, "https://web.squarecdn.com/v1/square.js", live.ScriptURL)
	require.NotContains(t, strings.Join(append(live.ScriptSources, live.ConnectSources...), " "), "sandbox")
	double := newAdapter(t, func(o *square.Options) { o.APIBase = "http://127.0.0.1:8090/square" }).Browser()
	require.Equal(t, "http://127.0.0.1:8090/square/v1/square.js", double.ScriptURL)
	require.Equal(t, []string{"http://127.0.0.1:8090"}, double.ScriptSources)
	require.False(t, double.NeedsInlineStyles)
}
