package paypal_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

// genuine checks a webhook as a receiver does: the certificate's chain, then the signature.
func (s *store) genuine(t *testing.T, root []byte, got hook) error {
	t.Helper()
	at := got.header.Get("Paypal-Cert-Url")
	require.True(t, strings.HasPrefix(at, s.url+"/paypal/v1/notifications/certs/CERT-"), at)
	fetched := s.do(t, http.MethodGet, at, "")
	require.Equal(t, http.StatusOK, fetched.Status)
	block, rest := pem.Decode([]byte(fetched.Text))
	require.NotNil(t, block)
	require.Empty(t, rest, "the leaf alone is served")
	leaf, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.Equal(t, "messageverificationcerts.sandbox.paypal.com", leaf.Subject.CommonName)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(root))
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: s.clock.Wall(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	require.NoError(t, err)
	require.Equal(t, "SHA256withRSA", got.header.Get("Paypal-Auth-Algo"))
	require.NotEmpty(t, got.header.Get("Paypal-Auth-Version"))
	signature, err := base64.StdEncoding.DecodeString(got.header.Get("Paypal-Transmission-Sig"))
	require.NoError(t, err)
	message := fmt.Sprintf("%s|%s|%s|%d", got.header.Get("Paypal-Transmission-Id"), got.header.Get("Paypal-Transmission-Time"), webhookID, crc32.ChecksumIEEE(got.body))
	return leaf.CheckSignature(x509.SHA256WithRSA, []byte(message), signature)
}

func TestWebhooksAreSigned(t *testing.T) {
	t.Parallel()
	authority := paypal.NewAuthority(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
	s := newStore(t, func(o *paypal.Options) { o.Authority = authority })
	s.clock.Advance(time.Hour) // which is no concern of signatures
	require.NoError(t, s.faults.Add(engine.Fault{Match: "APPROVED", Fault: engine.FaultWebhookDuplicate}))
	require.NoError(t, s.faults.Add(engine.Fault{Match: "CAPTURE.COMPLETED", Fault: engine.FaultWebhookCorrupt}))
	s.captured(t, success, "paypal")
	told := s.told(t, "")
	require.Len(t, told, 4)
	ids := map[string]bool{}
	for _, got := range told {
		require.Equal(t, "2026-03-01T12:00:00Z", got.header.Get("Paypal-Transmission-Time"))
		ids[got.header.Get("Paypal-Transmission-Id")] = true
		err := s.genuine(t, authority.RootPEM(), got)
		if got.Type == "PAYMENT.CAPTURE.COMPLETED" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err, got.Type)
	}
	require.Len(t, ids, 4, "each try has an id of its own")
	require.Equal(t, http.StatusNotFound, s.do(t, http.MethodGet, "/v1/notifications/certs/CERT-other", "").Status)
	require.NoError(t, s.faults.Add(engine.Fault{Match: "/v1/notifications/certs", Fault: engine.FaultError500}))
	require.Equal(t, http.StatusInternalServerError, s.do(t, http.MethodGet, told[0].header.Get("Paypal-Cert-Url"), "").Status)
}

func TestEventsSayWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	paid := s.captured(t, success, "paypal")
	capture := paid.text(captures + ".id")
	refund := s.post(t, "/v2/payments/captures/"+capture+"/refund", "").text("id")
	held := s.held(t)
	for kind, want := range map[string]struct{ resource, version, id string }{
		"CHECKOUT.ORDER.COMPLETED":      {"checkout-order", "2.0", paid.text("id")},
		"PAYMENT.CAPTURE.COMPLETED":     {"capture", "2.0", capture},
		"PAYMENT.CAPTURE.REFUNDED":      {"refund", "2.0", refund},
		"PAYMENT.AUTHORIZATION.CREATED": {"authorization", "2.0", held},
	} {
		told := s.told(t, kind) // in no order
		n := slices.IndexFunc(told, func(one hook) bool { return one.What["id"] == want.id })
		require.GreaterOrEqual(t, n, 0, kind)
		got := told[n]
		require.True(t, strings.HasPrefix(got.ID, "WH-"))
		var wire map[string]any
		require.NoError(t, json.Unmarshal(got.body, &wire))
		require.Equal(t, want.resource, wire["resource_type"])
		require.Equal(t, want.version, wire["resource_version"])
		require.Equal(t, "2026-03-01T12:00:00.000Z", wire["create_time"])
	}
	about := reply{Body: s.told(t, "PAYMENT.CAPTURE.COMPLETED")[0].What}
	require.Equal(t, paid.text("id"), about.text("supplementary_data.related_ids.order_id"))
	require.Equal(t, "COMPLETED", about.text("status"), "as it stood then")
	of := reply{Body: s.told(t, "PAYMENT.CAPTURE.REFUNDED")[0].What}
	require.Equal(t, s.url+"/paypal/v2/payments/captures/"+capture, of.link("up"))
}

// The check by PayPal is of the very bytes that were sent.
func TestSignaturesCanBeChecked(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.captured(t, success, "paypal")
	got := s.told(t, "CHECKOUT.ORDER.APPROVED")[0]
	require.Contains(t, string(got.body), "Two & a half <shirts>")
	ask := func(event string, change map[string]string) reply {
		fields := map[string]string{
			"auth_algo": got.header.Get("Paypal-Auth-Algo"), "cert_url": got.header.Get("Paypal-Cert-Url"), "transmission_id": got.header.Get("Paypal-Transmission-Id"),
			"transmission_sig": got.header.Get("Paypal-Transmission-Sig"), "transmission_time": got.header.Get("Paypal-Transmission-Time"), "webhook_id": webhookID,
		}
		maps.Copy(fields, change)
		var body strings.Builder
		for name, value := range fields {
			if value != "" {
				_, _ = fmt.Fprintf(&body, "%q:%q,", name, value)
			}
		}
		return s.do(t, http.MethodPost, "/v1/notifications/verify-webhook-signature", "{"+body.String()+`"webhook_event": `+event+" }", s.api()...)
	}
	require.Equal(t, "SUCCESS", ask(string(got.body), nil).text("verification_status"))
	var again any
	require.NoError(t, json.Unmarshal(got.body, &again))
	written, err := json.Marshal(again)
	require.NoError(t, err)
	failures := []reply{
		ask(string(written), nil), ask(strings.Replace(string(got.body), `":"`, `": "`, 1), nil), ask(string(got.body), map[string]string{"webhook_id": "WHID2"}),
		ask(string(got.body), map[string]string{"transmission_time": "2026-03-01T12:00:01Z"}), ask(string(got.body), map[string]string{"auth_algo": "SHA1withRSA"}),
		ask(string(got.body), map[string]string{"cert_url": "https://evil.example/v1/notifications/certs/CERT-1"}),
		ask(string(got.body), map[string]string{"transmission_sig": "AAAA"}),
	}
	for n, a := range failures {
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		require.Equal(t, "FAILURE", a.text("verification_status"), n)
	}
	refused(t, ask(string(got.body), map[string]string{"webhook_id": ""}), 400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
	list := s.get(t, "/v1/notifications/webhooks")
	require.Equal(t, webhookID, list.text("webhooks.0.id"))
	require.True(t, strings.HasSuffix(list.text("webhooks.0.url"), "/webhooks/paypal"))
}

func TestEventsAreListed(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for range 4 {
		s.captured(t, success, "paypal")
		s.advance(time.Minute)
	}
	told := s.told(t, "")
	require.Len(t, told, 12)
	page := s.get(t, "/v1/notifications/webhooks-events?page_size=5")
	seen, pages := map[string]bool{}, 0
	for {
		pages++
		events, ok := page.at("events").([]any)
		require.True(t, ok, page.Text)
		for n := range events {
			seen[page.text(fmt.Sprintf("events.%d.id", n))] = true
		}
		next := page.link("next")
		if next == "" {
			break
		}
		require.Len(t, events, 5)
		page = s.get(t, next)
	}
	require.Equal(t, 3, pages)
	require.Len(t, seen, 12)
	for _, one := range told {
		require.True(t, seen[one.ID])
	}
	some := s.get(t, "/v1/notifications/webhooks-events?event_type=PAYMENT.CAPTURE.COMPLETED&page_size=500&start_time=2026-03-01T12:01:00Z&end_time=2026-03-01T12:02:30Z")
	require.Equal(t, "2", some.text("count"), some.Text)
	of := s.get(t, "/v1/notifications/webhooks-events?transaction_id="+some.text("events.0.resource.id"))
	require.Equal(t, "1", of.text("count"))
	require.Equal(t, some.text("events.0.id"), s.get(t, "/v1/notifications/webhooks-events/"+some.text("events.0.id")).text("id"))
	require.Equal(t, "10", s.get(t, "/v1/notifications/webhooks-events").text("count"))
	refused(t, s.get(t, "/v1/notifications/webhooks-events?page_size=0"), 400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE")
	refused(t, s.get(t, "/v1/notifications/webhooks-events?next_page_token=x"), 400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE")
	require.NoError(t, s.faults.Add(engine.Fault{Match: "webhook", Fault: engine.FaultWebhookDrop, Count: 3}))
	lost := s.captured(t, success, "paypal").text("id")
	require.Len(t, s.told(t, ""), 12, "nobody is told")
	require.Equal(t, "2", s.get(t, "/v1/notifications/webhooks-events?transaction_id="+lost).text("count"), "what was never delivered is listed all the same")
	s.advance(31 * 24 * time.Hour)
	s.token = s.newToken(t)
	require.Equal(t, "0", s.get(t, "/v1/notifications/webhooks-events").text("count"), "they are kept for a month")
}

func TestTransactionsAreReported(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(o *paypal.Options) { o.ReportingLag = 2 * time.Hour })
	capture := s.captured(t, success, "paypal").text(captures + ".id")
	refund := s.post(t, "/v2/payments/captures/"+capture+"/refund", `{"amount":{"currency_code":"EUR","value":"5.00"}}`).text("id")
	declined := s.captured(t, "4000000000009995", "card").text(captures + ".id")
	ask := func(more ...string) reply {
		query := url.Values{"start_date": {"2026-03-01T00:00:00Z"}, "end_date": {"2026-03-20T00:00:00-0700"}}
		for i := 0; i+1 < len(more); i += 2 {
			query.Set(more[i], more[i+1])
			if more[i+1] == "" {
				query.Del(more[i])
			}
		}
		return s.get(t, "/v1/reporting/transactions?"+query.Encode())
	}
	require.Equal(t, "0", ask().text("total_items"), "the report is behind")
	s.clock.Advance(2 * time.Hour)
	all := ask("fields", "all")
	require.Equal(t, "3", all.text("total_items"), all.Text)
	lines := map[string]reply{}
	for n := range 3 {
		line := reply{Body: all.at(fmt.Sprintf("transaction_details.%d.transaction_info", n))}
		lines[line.text("transaction_id")] = line
	}
	require.Equal(t, "25.00", lines[capture].text("transaction_amount.value"))
	require.Equal(t, "S", lines[capture].text("transaction_status"))
	require.Equal(t, "pay_1", lines[capture].text("custom_field"))
	require.Equal(t, "2026-03-01T12:00:00+0000", lines[capture].text("transaction_initiation_date"))
	require.Equal(t, "-5.00", lines[refund].text("transaction_amount.value"))
	require.Equal(t, capture, lines[refund].text("paypal_reference_id"))
	require.Equal(t, "D", lines[declined].text("transaction_status"))

	require.Equal(t, "1", ask("transaction_status", "D").text("total_items"))
	second := ask("page_size", "2", "page", "2")
	require.Equal(t, "2", second.text("total_pages"))
	require.NotNil(t, second.at("transaction_details.0"))
	require.Nil(t, second.at("transaction_details.1"))
	require.Empty(t, second.link("next"))
	require.NotEmpty(t, ask("page_size", "2").link("next"))
	for _, wrong := range []struct{ name, value, issue string }{
		{"start_date", "", "MISSING_REQUIRED_PARAMETER"},
		{"end_date", "", "MISSING_REQUIRED_PARAMETER"},
		{"start_date", "2026-03-01T00:00Z", "INVALID_PARAMETER_SYNTAX"},
		{"end_date", "2026-04-02T00:00:00Z", "INVALID_PARAMETER_VALUE"},
		{"end_date", "2026-02-02T00:00:00Z", "INVALID_PARAMETER_VALUE"},
		{"page_size", "501", "INVALID_PARAMETER_VALUE"},
		{"page", "0", "INVALID_PARAMETER_VALUE"},
		{"fields", "everything", "INVALID_PARAMETER_VALUE"},
		{"transaction_status", "X", "INVALID_PARAMETER_VALUE"},
		{"sort", "up", "INVALID_PARAMETER"},
	} {
		refused(t, ask(wrong.name, wrong.value), 400, "INVALID_REQUEST", wrong.issue)
	}
}

func TestWebhooksAreListed(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	const path = "/v1/notifications/webhooks"
	require.Equal(t, "*", s.get(t, path).text("webhooks.0.event_types.0.name"))
	require.ErrorIs(t, s.paypal.SetWebhook(engine.WebhookSettings{Without: []string{"*"}}), engine.ErrNoEventType)
	require.NoError(t, s.paypal.SetWebhook(engine.WebhookSettings{Without: []string{"PAYMENT.CAPTURE.COMPLETED"}}))
	list := s.get(t, path)
	require.Equal(t, webhookID, list.text("webhooks.0.id"))
	require.Contains(t, list.Text, `"PAYMENT.CAPTURE.DENIED"`)
	require.NotContains(t, list.Text, `"PAYMENT.CAPTURE.COMPLETED"`)
	require.NotContains(t, list.Text, `"*"`)
	s.captured(t, success, "paypal")
	require.Empty(t, s.told(t, "PAYMENT.CAPTURE.COMPLETED"))
	before := len(s.told(t, ""))
	require.NotZero(t, before)
	require.NoError(t, s.paypal.SetWebhook(engine.WebhookSettings{Disabled: true}))
	require.JSONEq(t, `[]`, encoded(t, s.get(t, path).at("webhooks")), "one that is there is enabled")
	s.captured(t, success, "paypal")
	require.Len(t, s.told(t, ""), before)
	require.Equal(t, "2", s.get(t, path+"-events?event_type=PAYMENT.CAPTURE.COMPLETED").text("count"), "what is not posted is listed all the same")
	s.paypal.Reset()
	s.token = s.newToken(t)
	require.Equal(t, "*", s.get(t, path).text("webhooks.0.event_types.0.name"))
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
