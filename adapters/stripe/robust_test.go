package stripe_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// TestAnswersThatCannotBeUsed is the table of what a broken far end may answer. Nobody can
// say then what happened, and the error tells which account's call it was, and Stripe's id
// of it where one came.
func TestAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"HTML":                         `<html>sk_test_topsecret</html>`,
		"nothing":                      ``,
		"truncated":                    intent(`,"status":"succeeded"`)[:60],
		"no amount":                    `{"id":"pi_1","object":"payment_intent","currency":"usd","status":"succeeded"}`,
		"an amount of null":            `{"id":"pi_1","object":"payment_intent","amount":null,"currency":"usd","status":"succeeded"}`,
		"no currency":                  `{"id":"pi_1","object":"payment_intent","amount":2000,"status":"succeeded"}`,
		"another payment":              `{"id":"pi_2","object":"payment_intent","amount":2000,"currency":"usd","status":"succeeded"}`,
		"a payment without an id":      `{"object":"payment_intent","amount":2000,"currency":"usd","status":"succeeded"}`,
		"a session without its amount": `{"id":"pi_1","object":"checkout.session","currency":"usd","status":"open"}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Request-Id", "req_1")
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		adapter, err := stripe.New(stripe.Options{Account: "stripe_eu", Environment: core.EnvTest, SecretKey: "sk_test_topsecret", APIBase: server.URL})
		require.NoError(t, err)
		payment := core.ProviderRef{Account: "stripe_eu", Kind: core.ObjectPayment, ID: "pi_1"}
		page := core.ProviderRef{Account: "stripe_eu", Kind: core.ObjectSession, ID: "pi_1"}
		for op, do := range map[string]func() error{
			"stripe_eu get pi_1":    func() error { _, err := adapter.GetPayment(t.Context(), payment); return err },
			"stripe_eu open pi_1":   func() error { _, err := adapter.OpenPayment(t.Context(), page); return err },
			"stripe_eu cancel pi_1": func() error { _, err := adapter.CancelPayment(t.Context(), "op_1", payment); return err },
			"stripe_eu capture pi_1": func() error {
				_, err := adapter.CapturePayment(t.Context(), "op_1", payment, money(t, 1, "USD"))
				return err
			},
			"stripe_eu create page for pay1": func() error { _, err := adapter.CreateHosted(t.Context(), "op_1", anOrder(t)); return err },
			"stripe_eu list payments":        func() error { _, err := adapter.ListPayments(t.Context(), ports.ListPayments{Limit: 1}); return err },
			"stripe_eu refund pi_1": func() error {
				_, err := adapter.RefundPayment(t.Context(), "op_1", ports.RefundPayment{Ref: payment, Amount: money(t, 1, "USD")})
				return err
			},
		} {
			refused := providerError(t, do())
			require.Equal(t, core.ClassUnknown, refused.Class, "%s: %s", op, name)
			require.Equal(t, op, refused.Op, name)
			require.Equal(t, "req_1", refused.RequestID, "%s: %s", op, name)
			require.NotContains(t, refused.Error(), "topsecret")
		}
	}
	_, err := answering(t, http.StatusOK, intent(`,"status":"not_invented_yet"`)).CancelPayment(t.Context(), "op_1", pi1)
	require.NoError(t, err)
	seen, err := answering(t, http.StatusOK, intent(`,"status":"not_invented_yet"`)).GetPayment(t.Context(), pi1)
	require.NoError(t, err)
	require.Empty(t, seen.Status, "no rule lets a payment move there")
	require.False(t, seen.Payable)
}

func anOrder(t *testing.T) ports.CreatePayment {
	t.Helper()
	return ports.CreatePayment{Payment: "pay1", Amount: money(t, 1, "USD"), ReturnURL: "https://shop.example/"}
}

// TestFarEndsThatAreNotThere: nothing was sent, so that it may be sent again.
func TestFarEndsThatAreNotThere(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	strict := httptest.NewUnstartedServer(http.NotFoundHandler())
	strict.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	strict.StartTLS()
	t.Cleanup(strict.Close)
	nameless := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no resolver here: sk_test_topsecret")
	}}}
	for name, c := range map[string]struct {
		base      string
		transport *http.Transport
	}{
		"a name that nobody knows":      {"https://stripe.invalid", &http.Transport{DialContext: nameless.DialContext}},
		"a certificate of no authority": {untrusted.URL, &http.Transport{}},
		"no TLS at all":                 {"https://" + plain.Listener.Addr().String(), &http.Transport{}},
		"another TLS":                   {strict.URL, &http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12}}},
	} {
		adapter, err := stripe.New(stripe.Options{
			Account: "stripe_eu", Environment: core.EnvTest, SecretKey: "sk_test_topsecret", APIBase: c.base, HTTPClient: &http.Client{Transport: c.transport, Timeout: time.Minute},
		})
		require.NoError(t, err)
		_, err = adapter.CancelPayment(t.Context(), "op_1", core.ProviderRef{Account: "stripe_eu", Kind: core.ObjectPayment, ID: "pi_1"})
		refused := providerError(t, err)
		require.Equal(t, core.ClassRetryable, refused.Class, name)
		require.Equal(t, "stripe_eu cancel pi_1: retryable: no connection could be made", err.Error(), name)
		require.Empty(t, refused.RequestID)
	}
}
