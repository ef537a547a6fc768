package outbound_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// call makes one and gives what became of it.
func call(t *testing.T, ctx context.Context, client *http.Client, address string) *core.ProviderError { //nolint:revive // the test comes first
	t.Helper()
	c := outbound.Begin(ctx, "fake get")
	request, err := http.NewRequestWithContext(c.Context, http.MethodGet, address, nil) //nolint:contextcheck // it is made of ctx
	require.NoError(t, err)
	response, err := client.Do(request)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err == nil {
		return nil
	}
	return c.Unanswered(err)
}

func TestWhatACallThatCameToNothingMeans(t *testing.T) {
	t.Parallel()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		part := []byte(strings.Repeat("x", 1<<16))
		for {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	torn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	}))
	t.Cleanup(torn.Close)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client := outbound.Client(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}})

	refused := call(t, t.Context(), client, gone.URL)
	require.Equal(t, core.ClassRetryable, refused.Class, "nothing went out")
	for _, address := range []string{endless.URL, torn.URL} {
		lost := call(t, t.Context(), client, address)
		require.Equal(t, core.ClassUnknown, lost.Class, address)
		require.NotContains(t, lost.Error(), "127.0.0.1", "no text of the network's")
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	late := call(t, short, client, silent.URL)
	require.Equal(t, core.ClassUnknown, late.Class)
	require.ErrorIs(t, late, context.DeadlineExceeded)
}

// TestTheProvidersIDOfACall is known also of an answer that cannot be used.
func TestTheProvidersIDOfACall(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Their-Id", r.URL.Query().Get("id"))
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	}))
	t.Cleanup(server.Close)
	for id, want := range map[string]string{"req_1": "req_1", "": "", "a b <c>": ""} {
		for _, header := range []string{"X-Their-Id", ""} {
			c := outbound.Begin(t.Context(), "fake_eu get")
			c.RequestIDHeader = header
			require.Empty(t, c.RequestID())
			request, err := http.NewRequestWithContext(c.Context, http.MethodGet, server.URL+"?id="+url.QueryEscape(id), nil)
			require.NoError(t, err)
			response, err := outbound.Client(nil).Do(request)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, response.Body.Close())
			if header == "" {
				want = ""
			}
			require.Equal(t, want, c.RequestID())
			require.Equal(t, want, c.Unanswered(err).RequestID)
			require.Equal(t, want, c.Unusable(nil).RequestID)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	require.Nil(t, call(t, t.Context(), outbound.Client(nil), server.URL))
	require.Empty(t, asked, "credentials would have gone along")
}

func TestWhatIsTakenOver(t *testing.T) {
	t.Parallel()
	require.Equal(t, "card_declined", outbound.SafeCode("card_declined"))
	require.Empty(t, outbound.SafeCode("card declined: 4242"))
	require.Empty(t, outbound.SafeCode(strings.Repeat("x", outbound.CodeLengthMax+1)))
	require.Equal(t, "pi_1-A", outbound.SafeID("pi_1-A"))
	require.Empty(t, outbound.SafeID("pi_1\n"))
	require.Equal(t, 2*time.Second, outbound.RetryAfter("2"))
	require.Equal(t, time.Hour, outbound.RetryAfter("86400"))
	require.Zero(t, outbound.RetryAfter("Wed, 21 Oct 2026 07:28:00 GMT"))
	require.Zero(t, outbound.RetryAfter("-1"))
}
