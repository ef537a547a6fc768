package notifier_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/notifier"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Notifier = (*notifier.Notifier)(nil)

const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

func open(allowPrivate bool) *notifier.Notifier {
	return notifier.New(notifier.Options{AllowPrivate: allowPrivate, Wall: system.NewClock()})
}

func TestNotificationsAreSignedAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	verified := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verified <- verifier.Verify(body, r.Header)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	outcome, err := open(true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL, Secrets: []string{secret}, Body: []byte(`{"type":"x"}`)})
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, outcome.Status)
	require.NoError(t, <-verified)
}

func TestOnlyA2xxIsSuccess(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	for _, status := range []int{301, 302, 307, 400, 410, 500, 503} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		calls.Store(0)
		outcome, err := open(true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL + "/?token=hush", Secrets: []string{secret}})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hush")
		require.Equal(t, status, outcome.Status)
		require.Equal(t, int32(1), calls.Load(), "redirects are not followed")
	}
}

func TestPrivateAddressesAreRefusedWhenConnecting(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	t.Cleanup(server.Close)
	for _, address := range []string{server.URL, "http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/", "http://100.64.0.1/", "http://0.0.0.0:1/"} {
		_, err := open(false).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: address, Secrets: []string{secret}})
		require.ErrorContains(t, err, "private address", address)
	}
}
