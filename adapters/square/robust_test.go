package square_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// euAdapter is an account that is not called by its provider's name.
func euAdapter(t *testing.T, base string, transport http.RoundTripper) *square.Adapter {
	t.Helper()
	with := options()
	with.Account, with.AccessToken, with.APIBase = "square_eu", "topsecret", base
	with.HTTPClient = &http.Client{Transport: transport, Timeout: time.Minute}
	adapter, err := square.New(with)
	require.NoError(t, err)
	return adapter
}

func providerError(t *testing.T, err error) *core.ProviderError {
	t.Helper()
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	return refused
}

// TestAnswersThatCannotBeUsed is the table of what a broken far end may answer. Nobody can
// say then what happened, and the error tells which account's call it was, and an id of it
// where one came.
func TestAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	whole := strings.TrimPrefix(shown("COMPLETED"), "200 ")
	for name, body := range map[string]string{
		"HTML":                    `<html>topsecret</html>`,
		"nothing":                 ``,
		"null":                    `null`,
		"a list":                  `[]`,
		"truncated":               whole[:100],
		"no object":               `{}`,
		"no amount":               strings.Replace(whole, `"amount_money":{"amount":1000,"currency":"EUR"}`, `"x":1`, 1),
		"an amount of null":       strings.Replace(whole, `"amount_money":{"amount":1000,"currency":"EUR"}`, `"amount_money":null`, 1),
		"an amount of no number":  strings.Replace(whole, `"amount_money":{"amount":1000,"currency":"EUR"}`, `"amount_money":{"currency":"EUR"}`, 1),
		"an amount of a currency": strings.Replace(whole, `"amount_money":{"amount":1000,"currency":"EUR"}`, `"amount_money":{"amount":1000}`, 1),
		"another payment":         strings.Replace(whole, `"id":"P1"`, `"id":"P2"`, 1),
		"a payment without an id": strings.Replace(whole, `"id":"P1"`, `"x":"P1"`, 1),
		"a payment of no time":    strings.Replace(whole, `"created_at"`, `"x"`, 1),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "req_1")
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		adapter := euAdapter(t, server.URL, nil)
		payment := core.ProviderRef{Account: "square_eu", Kind: core.ObjectPayment, ID: "P1"}
		page := core.ProviderRef{Account: "square_eu", Kind: core.ObjectSession, ID: "L1.O1"}
		for op, do := range map[string]func() error{
			"square_eu get P1":                  func() error { _, err := adapter.GetPayment(t.Context(), payment); return err },
			"square_eu get L1.O1":               func() error { _, err := adapter.GetPayment(t.Context(), page); return err },
			"square_eu open L1.O1":              func() error { _, err := adapter.OpenPayment(t.Context(), page); return err },
			"square_eu cancel P1":               func() error { _, err := adapter.CancelPayment(t.Context(), "op_1", payment); return err },
			"square_eu cancel L1.O1":            func() error { _, err := adapter.CancelPayment(t.Context(), "op_1", page); return err },
			"square_eu create page for " + ours: func() error { _, err := adapter.CreateHosted(t.Context(), "op_1", hostedOrder(t)); return err },
			"square_eu refund P1": func() error {
				_, err := adapter.RefundPayment(t.Context(), "op_1", ports.RefundPayment{Ref: payment, Amount: money(t, 1, "EUR")})
				return err
			},
		} {
			refused := providerError(t, do())
			require.Equal(t, core.ClassUnknown, refused.Class, "%s: %s", op, name)
			require.Equal(t, op, refused.Op, name)
			require.Equal(t, "req_1", refused.RequestID, "%s: %s", op, name)
			require.NotContains(t, refused.Error(), "topsecret")
		}
		if strings.HasSuffix(name, " payment") {
			continue // which one it is, such an answer makes known
		}
		_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirm(t, money(t, 1000, "EUR"), core.CaptureAutomatic))
		refused := providerError(t, err)
		require.Equal(t, core.ClassUnknown, refused.Class, name)
		require.Equal(t, "square_eu pay "+ours, refused.Op)
		require.Equal(t, "req_1", refused.RequestID)
	}
}

// TestErrorsNameTheAccount: of those that Square sends as well.
func TestErrorsNameTheAccount(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "req_1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"BAD_REQUEST","detail":"topsecret","field":"topsecret <b>"}]}`))
	}))
	t.Cleanup(server.Close)
	_, err := euAdapter(t, server.URL, nil).ListPayments(t.Context(), ports.ListPayments{Limit: 1})
	require.EqualError(t, err, "square_eu list payments: invalid (BAD_REQUEST) [req_1]: HTTP 400")
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
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	nameless := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no resolver here: topsecret")
	}}}
	for name, c := range map[string]struct {
		base      string
		transport *http.Transport
	}{
		"a name that nobody knows":      {"https://square.invalid", &http.Transport{DialContext: nameless.DialContext}},
		"a port that nobody listens at": {gone.URL, &http.Transport{}},
		"a certificate of no authority": {untrusted.URL, &http.Transport{}},
		"no TLS at all":                 {"https://" + plain.Listener.Addr().String(), &http.Transport{}},
		"another TLS":                   {strict.URL, &http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12}}},
	} {
		_, err := euAdapter(t, c.base, c.transport).CancelPayment(t.Context(), "op_1", core.ProviderRef{Account: "square_eu", Kind: core.ObjectPayment, ID: "P1"})
		require.Equal(t, core.ClassRetryable, providerError(t, err).Class, name)
		require.EqualError(t, err, "square_eu cancel P1: retryable: no connection could be made", name)
	}
}
