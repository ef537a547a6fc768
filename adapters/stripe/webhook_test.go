package stripe_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const signatureHeader = "Stripe-Signature"

// secrets of a rotation, and one of somebody else.
var secrets = map[portstest.WebhookSecret]string{
	portstest.SecretCurrent: "whsec_current",
	portstest.SecretRotated: "whsec_rotated",
	portstest.SecretForeign: "whsec_foreign",
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	portstest.RunWebhook(t, func(t *testing.T) portstest.WebhookSide {
		return portstest.WebhookSide{
			Verifier: newVerifier(t, core.EnvTest), Sign: sign, Headers: []string{signatureHeader}, Tolerance: 5 * time.Minute,
			Payment:    eventBody("evt_1", "payment_intent.succeeded", false, `{"id":"pi_1","object":"payment_intent"}`),
			PaymentRef: core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: "pi_1"},
			Unknown:    eventBody("evt_2", "product.created", false, `{"id":"prod_1","object":"product"}`),
			Live:       eventBody("evt_3", "payment_intent.succeeded", true, `{"id":"pi_1","object":"payment_intent"}`),
			NoID:       []byte(`{"object":"event","type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_1","object":"payment_intent"}}}`),
		}
	})
}

func newVerifier(t testing.TB, env core.Environment) *stripe.Adapter {
	t.Helper()
	adapter, err := stripe.New(stripe.Options{
		Account: "stripe", Environment: env, SecretKey: "sk_" + string(env) + "_1",
		WebhookSecrets: []string{secrets[portstest.SecretCurrent], secrets[portstest.SecretRotated]},
	})
	require.NoError(t, err)
	return adapter
}

// sign makes the header by the SDK's own means.
func sign(body []byte, at time.Time, secret portstest.WebhookSecret) http.Header {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secrets[secret], Timestamp: at})
	return http.Header{signatureHeader: {signed.Header}}
}

func eventBody(id, kind string, live bool, object string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2023-10-16","created":1772366400,"livemode":%t,"type":%q,"data":{"object":%s}}`, id, live, kind, object)
}

// TestWebhookVector holds the scheme to bytes that were signed elsewhere.
func TestWebhookVector(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":"evt_test_0001","object":"event","api_version":"2023-10-16","type":"payment_intent.succeeded","livemode":false}`)
	header := http.Header{signatureHeader: {"t=1700000000,v1=888cded5a2e6a919a715b19411a4e21bba609db3c8dfc42ec186dfff00bd98b9"}}
	adapter, err := stripe.New(stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_1", WebhookSecrets: []string{"whsec_test_0123456789abcdef"},
	})
	require.NoError(t, err)
	delivery, err := adapter.VerifyWebhook(t.Context(), header, body, time.Unix(1700000000, 0))
	require.NoError(t, err)
	require.Equal(t, core.Delivery{
		Account: "stripe", ProviderEventID: "evt_test_0001", Type: "payment_intent.succeeded", APIVersion: "2023-10-16", Body: body,
	}, delivery, "an event without an object concerns nothing")
}

func TestWebhookSignatures(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	body := eventBody("evt_1", "payment_intent.succeeded", false, `{"id":"pi_1","object":"payment_intent"}`)
	good := strings.TrimPrefix(sign(body, now, portstest.SecretCurrent).Get(signatureHeader), "t=1700000000,")
	bad := "v1=" + strings.Repeat("0", 64)
	for header, ok := range map[string]bool{
		"t=1700000000," + good:                                true,
		"t=1700000000," + bad + "," + good:                    true, // both secrets sign during a rotation
		"t=1700000000," + good + ",v0=" + bad[3:]:             true,
		"t=1700000000,v0=" + good[3:]:                         false, // another scheme
		"t=1700000000," + bad:                                 false,
		good:                                                  false, // no time
		"t=," + good:                                          false,
		"t=1700000000" + good:                                 false,
		"t=1700000001," + good:                                false, // not the time that was signed
		"t=-1700000000," + good:                               false,
		"t=99999999999999999999," + good:                      false,
		"t=1699999999,t=1700000000," + good:                   true, // the signed one is the one that counts
		"t=1700000000,t=1699999999," + good:                   false,
		"t=1700000000," + strings.ToUpper(good):               false,
		"t=1700000000," + good + strings.Repeat(",a=b", 2000): false, // longer than any
	} {
		_, err := newVerifier(t, core.EnvTest).VerifyWebhook(t.Context(), http.Header{signatureHeader: {header}}, body, now)
		require.Equal(t, ok, err == nil, "%.80s: %v", header, err)
		if !ok {
			require.ErrorIs(t, err, ports.ErrSignature)
		}
	}
}

// TestWebhookWithoutSecrets: a signature made with the empty secret must not open a door.
func TestWebhookWithoutSecrets(t *testing.T) {
	t.Parallel()
	adapter, err := stripe.New(stripe.Options{Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_1"})
	require.NoError(t, err)
	body, now := eventBody("evt_1", "ping", false, `{}`), time.Unix(1700000000, 0)
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: "", Timestamp: now})
	_, err = adapter.VerifyWebhook(t.Context(), http.Header{signatureHeader: {signed.Header}}, body, now)
	require.ErrorIs(t, err, ports.ErrSignature)
}

func TestWebhookObjects(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	for _, c := range []struct {
		kind, object string
		ref          core.ProviderRef
	}{
		{"payment_intent.created", `{"id":"pi_1","object":"payment_intent"}`, pi1},
		{"payment_intent.payment_failed", `{"id":"pi_1","object":"payment_intent","last_payment_error":{"payment_intent":{"id":"pi_2"}}}`, pi1},
		{"payment_intent.not_invented_yet", `{"id":"pi_1","object":"payment_intent"}`, pi1},
		{"charge.captured", `{"id":"ch_1","object":"charge","payment_intent":"pi_1"}`, pi1},
		{"charge.refunded", `{"id":"ch_1","object":"charge","payment_intent":"pi_1"}`, pi1},
		{"charge.refunded", `{"id":"ch_1","object":"charge","payment_intent":null}`, core.ProviderRef{}},
		{"charge.dispute.created", `{"id":"dp_1","object":"dispute","charge":"ch_1","payment_intent":"pi_1"}`, refOf(core.ObjectDispute, "dp_1")},
		{"charge.dispute.funds_reinstated", `{"id":"dp_1","object":"dispute","payment_intent":"pi_1"}`, refOf(core.ObjectDispute, "dp_1")},
		{"charge.refund.updated", `{"id":"re_1","object":"refund","payment_intent":"pi_1"}`, refOf(core.ObjectRefund, "re_1")},
		{"refund.created", `{"id":"re_1","object":"refund","payment_intent":"pi_1"}`, refOf(core.ObjectRefund, "re_1")},
		{"refund.failed", `{"id":"pyr_1","object":"refund"}`, refOf(core.ObjectRefund, "pyr_1")},
		{"checkout.session.completed", `{"id":"cs_1","object":"checkout.session","payment_intent":"pi_1"}`, refOf(core.ObjectSession, "cs_1")},
		{"setup_intent.succeeded", `{"id":"seti_1","object":"setup_intent","payment_method":"pm_1"}`, refOf(core.ObjectSetup, "seti_1")},
		{"setup_intent.setup_failed", `{"id":"seti_1","object":"setup_intent"}`, refOf(core.ObjectSetup, "seti_1")},
		{"payment_method.detached", `{"id":"pm_1","object":"payment_method","customer":null}`, refOf(core.ObjectMethod, "pm_1")},
		{"payment_method.automatically_updated", `{"id":"pm_1","object":"payment_method"}`, refOf(core.ObjectMethod, "pm_1")},
		{"customer.subscription.deleted", `{"id":"sub_1","object":"subscription","latest_invoice":"in_1"}`, refOf(core.ObjectSubscription, "sub_1")},
		{"invoice.paid", `{"id":"in_1","object":"invoice","payment_intent":"pi_1","subscription":"sub_1"}`, refOf(core.ObjectInvoice, "in_1")},
		{"invoice.upcoming", `{"object":"invoice","subscription":"sub_1"}`, core.ProviderRef{}}, // there is none yet
		{"invoiceitem.created", `{"id":"ii_1","object":"invoiceitem","invoice":"in_1"}`, core.ProviderRef{}},
		{"payment_intent.succeeded", `{"id":7,"object":"payment_intent"}`, core.ProviderRef{}},
		{"payment_intent.succeeded", `{"id":"../charges","object":"payment_intent"}`, core.ProviderRef{}},
		{"payment_intent.succeeded", `{"id":"ch_1","object":"charge","payment_intent":"pi_1"}`, core.ProviderRef{}},
		{"charge.dispute.created", `{"id":"dp_1","object":"dispute_v2","payment_intent":"pi_1"}`, core.ProviderRef{}},
		{"customer.subscription.updated", `{"id":"cus_1","object":"customer"}`, core.ProviderRef{}},
		{"payment_intent.succeeded", `[]`, core.ProviderRef{}},
		{"customer.created", `{"id":"cus_1","object":"customer"}`, core.ProviderRef{}},
	} {
		body := eventBody("evt_1", c.kind, false, c.object)
		delivery, err := newVerifier(t, core.EnvTest).VerifyWebhook(t.Context(), sign(body, now, portstest.SecretCurrent), body, now)
		require.NoError(t, err, c.kind)
		require.Equal(t, c.kind, delivery.Type)
		require.Equal(t, c.ref, delivery.Ref, "%s %s", c.kind, c.object)
	}
}

// refOf names an object of the tests' account.
func refOf(kind core.ObjectKind, id string) core.ProviderRef {
	return core.ProviderRef{Account: "stripe", Kind: kind, ID: id}
}

func TestWebhookOddEvents(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	verify := func(env core.Environment, text string) (core.Delivery, error) {
		body := []byte(text)
		return newVerifier(t, env).VerifyWebhook(t.Context(), sign(body, now, portstest.SecretCurrent), body, now)
	}
	for _, kind := range []string{`null`, `7`, `""`, `"a b"`, `"` + strings.Repeat("x", 1000) + `"`, `"<script>"`} {
		delivery, err := verify(core.EnvTest, `{"id":"evt_1","type":`+kind+`,"api_version":"`+strings.Repeat("9", 1000)+`"}`)
		require.NoError(t, err, "a genuine event is taken, whatever its type: %.40s", kind)
		require.Equal(t, "unreadable", delivery.Type)
		require.Empty(t, delivery.APIVersion)
		require.True(t, delivery.Ref.IsZero())
	}
	for _, id := range []string{`null`, `7`, `""`, `"a b"`, `"` + strings.Repeat("x", 1000) + `"`, `{"id":"evt_1"}`} {
		_, err := verify(core.EnvTest, `{"id":`+id+`,"type":"ping"}`)
		require.ErrorIs(t, err, ports.ErrPayload, "%.40s", id)
	}
	for _, live := range []string{`,"livemode":false`, ``, `,"livemode":"true"`, `,"livemode":null`} {
		_, err := verify(core.EnvLive, `{"id":"evt_1","type":"ping"`+live+`}`)
		require.ErrorIs(t, err, ports.ErrWrongEnvironment, live)
	}
	_, err := verify(core.EnvLive, `{"id":"evt_1","type":"ping","livemode":true}`)
	require.NoError(t, err)
}

// FuzzSignatureHeader holds the check of signatures to the SDK's own: it refuses what the SDK
// refuses, and beyond that only a header that names no time.
func FuzzSignatureHeader(f *testing.F) {
	now := time.Unix(1700000000, 0)
	body := eventBody("evt_1", "ping", false, `{}`)
	good := sign(body, now, portstest.SecretCurrent).Get(signatureHeader)
	second := sign(body, now, portstest.SecretRotated).Get(signatureHeader)
	undated := webhook.ComputeSignature(time.Time{}, body, secrets[portstest.SecretCurrent])
	for _, header := range []string{
		good, second, good + "," + second, strings.ToUpper(good[13:]), good[:13] + strings.ToUpper(good[13:]), good[:16] + strings.ToUpper(good[16:]),
		"t=+1700000000" + good[12:], "t=01700000000" + good[12:], "t=1700000000 " + good[12:], "t=1_700_000_000" + good[12:], "t=0x6553f100" + good[12:],
		good + ",", "," + good, good + ",v1", good + ",v1=", good + ",v1=zz", good + ",a=b=c", good + ",=", "t=1,t=1700000000" + good[12:], good + ",t=1",
		good[12:] + ",t=1700000000", good[:len(good)-1], good + "0", "v1=" + hex.EncodeToString(undated), "", ",", "t=1700000000", "t=-9223372036854775808,v1=00",
	} {
		f.Add(header)
	}
	adapter := newVerifier(f, core.EnvTest)
	f.Fuzz(func(t *testing.T, header string) {
		if len(header) > 4<<10 {
			return // longer than any
		}
		sdk := false
		for _, secret := range []portstest.WebhookSecret{portstest.SecretCurrent, portstest.SecretRotated} {
			sdk = sdk || webhook.ValidatePayloadIgnoringTolerance(body, header, secrets[secret]) == nil
		}
		signed, err := adapter.CheckSignature(header, body)
		if !strings.HasPrefix(header, "t=") && !strings.Contains(header, ",t=") {
			require.ErrorIs(t, err, ports.ErrSignature)
			return
		}
		require.Equal(t, sdk, err == nil, "%v", err)
		if err == nil {
			require.True(t, now.Equal(signed), "no other time was signed")
		}
	})
}

// TestSignaturesAsTheSDKMakesThem: of bodies of every length around the blocks of a hash, at
// any time.
func TestSignaturesAsTheSDKMakesThem(t *testing.T) {
	t.Parallel()
	adapter := newVerifier(t, core.EnvTest)
	for size := range 300 {
		at, body := time.Unix(int64(size)*int64(size)*100_000, 0), bytes.Repeat([]byte("x"), size)
		for _, secret := range []portstest.WebhookSecret{portstest.SecretCurrent, portstest.SecretRotated} {
			signed, err := adapter.CheckSignature(sign(body, at, secret).Get(signatureHeader), body)
			require.NoError(t, err)
			require.True(t, at.Equal(signed))
		}
		_, err := adapter.CheckSignature(sign(body, at, portstest.SecretForeign).Get(signatureHeader), body)
		require.ErrorIs(t, err, ports.ErrSignature)
	}
}

// TestWebhookOfAWrongClock: ten minutes are too much, whoever's clock is wrong.
func TestWebhookOfAWrongClock(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	body := eventBody("evt_1", "ping", false, `{}`)
	header := sign(body, now, portstest.SecretCurrent)
	for apart, good := range map[time.Duration]bool{-10 * time.Minute: false, 10 * time.Minute: false, -4 * time.Minute: true, 4 * time.Minute: true} {
		_, err := newVerifier(t, core.EnvTest).VerifyWebhook(t.Context(), header, body, now.Add(apart))
		require.Equal(t, good, err == nil, apart)
		if !good {
			require.ErrorIs(t, err, ports.ErrSignature)
			require.ErrorContains(t, err, "another time", "so that staff look at the clock, and not at the secret")
		}
	}
}

// FuzzWebhook: whatever is signed is read or refused with a reason, and what is read has
// the shape of an id.
func FuzzWebhook(f *testing.F) {
	now := time.Unix(1700000000, 0)
	f.Add(eventBody("evt_1", "payment_intent.succeeded", false, `{"id":"pi_1","object":"payment_intent"}`))
	f.Add(eventBody("evt_1", "charge.refunded", false, `{"id":"ch_1","object":"charge","payment_intent":"pi_1"}`))
	f.Add(eventBody("evt_1", "customer.subscription.updated", false, `{"id":"sub_1","object":"subscription"}`))
	f.Add(eventBody("evt_1", "payment_intent.succeeded", true, `{}`))
	f.Add([]byte(`{"id":"evt_1","id":"evt_2","type":"\u0000","data":[]}`))
	f.Add([]byte(`{"id":"evt_1`))
	f.Add([]byte(`[[[[`))
	adapter := newVerifier(f, core.EnvTest)
	f.Fuzz(func(t *testing.T, body []byte) {
		delivery, err := adapter.VerifyWebhook(t.Context(), sign(body, now, portstest.SecretRotated), body, now)
		if err != nil {
			require.NotErrorIs(t, err, ports.ErrSignature)
			require.Zero(t, delivery)
			return
		}
		require.Regexp(t, `^[A-Za-z0-9_-]{1,255}$`, delivery.ProviderEventID)
		require.Regexp(t, `^[A-Za-z0-9_.\[\]-]{1,128}$`, delivery.Type)
		if !delivery.Ref.IsZero() {
			require.Equal(t, core.AccountName("stripe"), delivery.Ref.Account)
			require.NotEmpty(t, delivery.Ref.Kind)
			require.Regexp(t, `^[A-Za-z0-9_-]{1,255}$`, delivery.Ref.ID)
		}
	})
}
