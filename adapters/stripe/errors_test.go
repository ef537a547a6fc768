package stripe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var pi1 = core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: "pi_1"}

// adapterAt is an adapter whose Stripe is somewhere else.
func adapterAt(t testing.TB, base string) *stripe.Adapter {
	t.Helper()
	adapter, err := stripe.New(stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_topsecret", PublishableKey: "pk_test_1", APIBase: base,
	})
	require.NoError(t, err)
	return adapter
}

// serving is an adapter whose Stripe is the handler.
func serving(t testing.TB, handler http.HandlerFunc) *stripe.Adapter {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return adapterAt(t, server.URL)
}

// answering is an adapter that gets one answer to everything.
func answering(t testing.TB, status int, body string) *stripe.Adapter {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func providerError(t testing.TB, err error) *core.ProviderError {
	t.Helper()
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	return refused
}

func TestErrorsFromStripe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		body    string
		class   core.Class
		code    core.FailureCode
		foreign string
	}{
		{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}`, core.ClassDeclined, core.FailureInsufficientFunds, "insufficient_funds"},
		{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"generic_decline"}}`, core.ClassDeclined, core.FailureCardDeclined, "generic_decline"},
		{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"stolen_card"}}`, core.ClassDeclined, core.FailureSuspectedFraud, "stolen_card"},
		{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"issuer_not_available"}}`, core.ClassDeclined, core.FailureProcessingError, "issuer_not_available"},
		{402, `{"error":{"type":"card_error","code":"expired_card"}}`, core.ClassDeclined, core.FailureExpiredCard, "expired_card"},
		{402, `{"error":{"type":"card_error","code":"incorrect_cvc"}}`, core.ClassDeclined, core.FailureIncorrectCVC, "incorrect_cvc"},
		{402, `{"error":{"type":"card_error","code":"authentication_required","decline_code":"authentication_required"}}`, core.ClassDeclined, core.FailureAuthenticationRequired, "authentication_required"},
		{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"not_invented_yet"}}`, core.ClassDeclined, core.FailureCardDeclined, "not_invented_yet"},
		{400, `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"metadata[x]"}}`, core.ClassInvalid, core.FailureInvalidRequest, "parameter_unknown"},
		{404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`, core.ClassInvalid, core.FailureInvalidRequest, ports.ForeignMissing},
		{400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`, core.ClassInvalid, core.FailureInvalidRequest, "payment_intent_unexpected_state"},
		{400, `{"error":{"type":"idempotency_error"}}`, core.ClassUnknown, "", "idempotency_error"},
		{409, `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`, core.ClassRetryable, core.FailureProviderUnavailable, "idempotency_key_in_use"},
		{409, `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`, core.ClassRetryable, core.FailureProviderUnavailable, "lock_timeout"},
		{409, `{"error":{"type":"invalid_request_error"}}`, core.ClassUnknown, "", "invalid_request_error"},
		{429, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`, core.ClassRetryable, core.FailureProviderUnavailable, "rate_limit"},
		{401, `{"error":{"type":"invalid_request_error","code":"api_key_expired"}}`, core.ClassRetryable, core.FailureProviderUnavailable, "api_key_expired"},
		{403, `{"error":{"type":"invalid_request_error"}}`, core.ClassRetryable, core.FailureProviderUnavailable, "invalid_request_error"},
		{418, `{"error":{"type":"invalid_request_error"}}`, core.ClassUnknown, "", "invalid_request_error"},
		{500, `{"error":{"type":"api_error"}}`, core.ClassUnknown, "", "api_error"},
		{503, `{"error":{"type":"api_error","code":"lock_timeout"}}`, core.ClassUnknown, "", "lock_timeout"},
		{400, `{"error":{"type":"invalid_request_error","code":"sk_live_x and <b>more</b>"}}`, core.ClassInvalid, core.FailureInvalidRequest, "invalid_request_error"},
	} {
		_, err := answering(t, c.status, c.body).CapturePayment(t.Context(), "op_1", pi1, money(t, 100, "USD"))
		refused := providerError(t, err)
		require.Equal(t, c.class.String(), refused.Class.String(), c.body)
		require.Equal(t, c.code, refused.Code, c.body)
		require.Equal(t, c.foreign, refused.Foreign, c.body)
		require.Equal(t, "req_1", refused.RequestID)
		require.Equal(t, "stripe capture pi_1", refused.Op)
	}
}

func money(t testing.TB, minor int64, currency core.Currency) core.Money {
	t.Helper()
	amount, err := core.NewMoney(minor, currency)
	require.NoError(t, err)
	return amount
}

// TestErrorsHoldNothingForeign: what came over the network stays out of errors, besides
// Stripe's own codes and ids.
func TestErrorsHoldNothingForeign(t *testing.T) {
	t.Parallel()
	const leak = "4242424242424242 sk_test_topsecret jenny@example.com pi_1_secret_x"
	for status, body := range map[int]string{
		400: `{"error":{"type":"invalid_request_error","message":"` + leak + `","param":"` + leak + `","code":"` + leak + `"}}`,
		402: `{"error":{"type":"card_error","message":"` + leak + `","decline_code":"` + leak + `","payment_intent":{"id":"` + leak + `","client_secret":"` + leak + `"}}}`,
		500: leak,
		502: `{"message":"` + leak + `"}`,
		200: leak,
	} {
		_, err := answering(t, status, body).GetPayment(t.Context(), pi1)
		for part := range strings.FieldsSeq(leak) {
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				require.NotContains(t, cause.Error(), part, status)
			}
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `"pi_1"`, `<html>`, `{"id":"pi_1"`,
		`{"id":"pi_1","object":"charge"}`,
		`{"id":"pi_2","object":"payment_intent","amount":100,"currency":"usd","status":"succeeded"}`,
		`{"id":"pi_1","object":"payment_intent","amount":100,"currency":"xyz","status":"succeeded"}`,
		`{"id":"pi_1","object":"payment_intent","amount":150,"currency":"isk","status":"succeeded"}`,
		`{"id":"pi_1","object":"payment_intent","amount":1.5,"currency":"usd","status":"succeeded"}`,
		`{"object":"list","data":[],"has_more":false,"url":"/v1/payment_intents"}`,
	} {
		adapter := answering(t, http.StatusOK, body)
		_, err := adapter.GetPayment(t.Context(), pi1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, body)
		_, err = adapter.CancelPayment(t.Context(), "op_1", pi1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, body)
	}
	for _, body := range []string{``, `null`, `{}`, `[]`, `{"object":"payment_intent","id":"pi_1"}`, `{"object":"list","url":"/v1","data":[null]}`, `{"object":"list","url":"/v1","data":[{"object":"charge","id":"ch_1"}]}`} {
		_, err := answering(t, http.StatusOK, body).ListPayments(t.Context(), ports.ListPayments{Limit: 1})
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, body)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"": 0, "2": 2 * time.Second, "0": 0, "-1": 0, "soon": 0, "Tue, 24 Nov 2026 03:00:00 GMT": 0, "99999999": time.Hour, "99999999999999999999": 0,
	} {
		adapter := serving(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`)
		})
		_, err := adapter.GetPayment(t.Context(), pi1)
		require.Equal(t, want, providerError(t, err).RetryAfter, header)
	}
}

// TestNothingWasSent: only a request that never had a connection is known to have had no
// effect.
func TestNothingWasSent(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = adapterAt(t, closed).CancelPayment(t.Context(), "op_1", pi1)
	refused := providerError(t, err)
	require.Equal(t, core.ClassRetryable, refused.Class)
	require.Equal(t, core.FailureProviderUnavailable, refused.Code)

	unknown := httptest.NewTLSServer(http.NotFoundHandler()) // of an authority that nobody trusts
	t.Cleanup(unknown.Close)
	_, err = adapterAt(t, unknown.URL).CancelPayment(t.Context(), "op_1", pi1)
	require.Equal(t, core.ClassRetryable, providerError(t, err).Class)
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	adapter := serving(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := adapter.CancelPayment(ctx, "op_1", pi1)
	require.Equal(t, core.ClassUnknown, providerError(t, err).Class)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestNoRedirect: the secret key would go along.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	visited := make(chan struct{}, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited <- struct{}{} }))
	t.Cleanup(elsewhere.Close)
	adapter := serving(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	_, err := adapter.CancelPayment(t.Context(), "op_1", pi1)
	require.Equal(t, core.ClassUnknown, providerError(t, err).Class)
	require.Empty(t, visited)
}

func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	adapter := serving(t, func(w http.ResponseWriter, r *http.Request) {
		part := []byte(strings.Repeat(" ", 1<<20))
		for r.Context().Err() == nil {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	_, err := adapter.GetPayment(t.Context(), pi1)
	require.Equal(t, core.ClassUnknown, providerError(t, err).Class)
	require.ErrorContains(t, err, "longer")
}

// TestOneTryPerCall: whether to send again is decided where the operation is known.
func TestOneTryPerCall(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 429, 500, 503} {
		tries := make(chan http.Header, 10)
		adapter := serving(t, func(w http.ResponseWriter, r *http.Request) {
			tries <- r.Header.Clone()
			w.Header().Set("Stripe-Should-Retry", "true")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":{"type":"api_error","code":"lock_timeout"}}`)
		})
		_, err := adapter.CancelPayment(t.Context(), "op_1", pi1)
		require.Error(t, err)
		require.Len(t, tries, 1, strconv.Itoa(status))
		header := <-tries
		require.Equal(t, "op_1", header.Get("Idempotency-Key"))
		require.Equal(t, "2023-10-16", header.Get("Stripe-Version"))
		require.Equal(t, "Bearer sk_test_topsecret", header.Get("Authorization"))
		require.Empty(t, header.Get("X-Stripe-Client-Telemetry"))
	}
}
