package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// shop is a storefront's receiver. It takes what is signed by one of its secrets.
type shop struct {
	*httptest.Server
	mu      sync.Mutex
	secrets []string
	closed  bool     // answers 503
	taken   []string // "type object", as taken
	ids     []string // their webhook-ids
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(s.take(body, r.Header))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) take(body []byte, header http.Header) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	verified := slices.ContainsFunc(s.secrets, func(secret string) bool {
		verifier, err := standardwebhooks.NewWebhook(secret)
		return err == nil && verifier.Verify(body, header) == nil
	})
	var event struct {
		Type string
		Data struct{ ID string }
	}
	switch {
	case !verified, json.Unmarshal(body, &event) != nil:
		return http.StatusUnauthorized
	case s.closed:
		return http.StatusServiceUnavailable
	}
	s.taken, s.ids = append(s.taken, event.Type+" "+event.Data.ID), append(s.ids, header.Get("webhook-id"))
	return http.StatusNoContent
}

// knows has the shop take what is signed by these secrets alone.
func (s *shop) knows(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = secrets
}

func (s *shop) close(closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = closed
}

// of gives what the shop was told of an object, in order.
func (s *shop) of(object string) (types, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, one := range s.taken {
		if kind, ok := strings.CutSuffix(one, " "+object); ok {
			types, ids = append(types, kind), append(ids, s.ids[i])
		}
	}
	return types, ids
}

// A storefront is told of a payment by the running program, in order and signed: while its secret is
// replaced, once it is back, and once more when staff ask for it.
func TestAStorefrontIsNotified(t *testing.T) {
	t.Parallel()
	house := apptest.Start(t)
	c, s := newClient(house), openShop(t)
	endpoint := c.api(t, http.MethodPost, "/v1/webhook_endpoints", map[string]any{"url": s.URL}, "hooks")
	require.Equal(t, http.StatusCreated, endpoint.Status, endpoint.Raw)
	old := endpoint.text("secret")
	s.knows(old)
	pay := func(reference string) (payment string) {
		paid := c.pay(t, c.checkout(t, reference, "automatic"), "success")
		require.Equal(t, http.StatusOK, paid.Status, paid.Raw)
		return paid.text("payment")
	}
	told := func(payment string) (ids []string) {
		c.payment(t, payment, "succeeded")
		want := c.events(t, payment)
		require.Contains(t, want, "payment.succeeded")
		require.Eventually(t, func() bool {
			var types []string
			types, ids = s.of(payment)
			return slices.Equal(types, want)
		}, waitMax, 20*time.Millisecond, "not told of %s", payment)
		return ids
	}
	first := told(pay("first"))

	rotated := c.api(t, http.MethodPost, "/v1/webhook_endpoints/"+endpoint.text("id")+"/rotate_secret", nil, "rotate")
	require.Equal(t, http.StatusOK, rotated.Status, rotated.Raw)
	require.NotEqual(t, old, rotated.text("secret"))
	told(pay("known-by-the-old-secret"))
	s.knows(rotated.text("secret"))
	told(pay("known-by-the-new-secret"))

	s.close(true)
	missed := pay("while-closed")
	c.payment(t, missed, "succeeded")
	s.close(false)
	told(missed)

	found := c.graphql(t, `query($event: ID!) { notifications(filter: {event: $event}) { nodes { id status answerStatus } } }`, map[string]any{"event": first[0]})
	node := found.Body["data"].(map[string]any)["notifications"].(map[string]any)["nodes"].([]any)[0].(map[string]any)
	require.Equal(t, "DELIVERED", node["status"])
	again := c.graphql(t, `mutation($id: ID!) { notificationRedeliver(input: {notificationId: $id}) { userErrors { message } } }`, map[string]any{"id": node["id"]})
	require.NotContains(t, again.Raw, "message")
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.ids[len(s.ids)-1] == first[0]
	}, waitMax, 20*time.Millisecond, "not sent again")
}
