package graph_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const liveTimeMax = 30 * time.Second

// live serves the house over a real connection.
func live(t *testing.T, h *house) string {
	t.Helper()
	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	return server.URL + "/graphql"
}

// listen subscribes by a stream of events and gives what reads the next line of data; "complete" at the end.
func listen(t *testing.T, url string, role core.Role, body string) (status int, next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), liveTimeMax)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+tokenOf(role))
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	return answer.StatusCode, func() string {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "event: complete") {
				return "complete"
			}
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return text
			}
		}
		return "cut off"
	}
}

func (h *house) note(t *testing.T, payment core.PaymentID, status core.PaymentStatus) {
	t.Helper()
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockPayment(ctx, payment)
		if err != nil {
			return err
		}
		held.Status = status
		_, err = tx.UpdatePayment(ctx, held)
		return err
	})
}

const onePayment = `{"query":"subscription($id: ID){ paymentChanged(id: $id){ id status checkout { buyer { email } } } }","variables":{"id":"%"}}`

func TestStreamSendsAPaymentAsItChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	url := live(t, h)
	payment := h.newPayment(t, h.newCheckout(t), epoch).ID
	status, next := listen(t, url, core.RoleViewer, strings.Replace(onePayment, "%", string(payment), 1))
	require.Equal(t, http.StatusOK, status)
	first := next()
	require.Contains(t, first, string(payment))
	require.NotContains(t, first, "@", "personal data is masked as in queries")
	h.note(t, payment, core.PaymentFailed)
	require.Contains(t, next(), `"status":"FAILED"`)

	require.NoError(t, accessOf(h).DisableStaff(t.Context(), h.staff[core.RoleViewer].ID, "test"))
	h.note(t, payment, core.PaymentFailed)
	require.Equal(t, "complete", next(), "who is disabled hears no more")
}

func TestStreamsEndWithTheService(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	status, next := listen(t, live(t, h), core.RoleViewer, `{"query":"subscription { summaryChanged(from: \"2026-03-01T00:00:00Z\", to: \"2026-03-02T00:00:00Z\") { interval } }"}`)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, next(), "DAY")
	h.handler.(interface{ EndStreams() }).EndStreams()
	require.Equal(t, "complete", next())
}

func TestWhatIsNoSubscriptionIsNotStreamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	url := live(t, h)
	for _, body := range []string{
		`{"query":"{ viewer { staff { id } } }"}`, `{"query":"subscription { nothing }"}`,
		`{"query":"mutation { paymentSync(input: {paymentId: \"x\"}) { payment { id } } }"}`,
		`{"query":"subscription($id: ID) { paymentChanged(id: $id) { id } }","variables":{"id":"4242424242424242"}}`,
	} {
		status, _ := listen(t, url, core.RoleAdmin, body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
	got := h.ask(t, core.RoleAdmin, `subscription { paymentChanged { id } }`, nil)
	require.Equal(t, http.StatusBadRequest, got.Status)
	require.Equal(t, "BAD_REQUEST", got.code(t))
}

func TestSubscriptionsOfOneAreLimited(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	url := live(t, h)
	const most = 20
	body := `{"query":"subscription { summaryChanged(from: \"2026-03-01T00:00:00Z\", to: \"2026-03-02T00:00:00Z\") { interval } }"}`
	for range most {
		_, next := listen(t, url, core.RoleViewer, body)
		require.Contains(t, next(), "DAY")
	}
	_, next := listen(t, url, core.RoleViewer, body)
	require.Contains(t, next(), "SUBSCRIPTION_LIMIT_EXCEEDED")
	_, next = listen(t, url, core.RoleSupport, body)
	require.Contains(t, next(), "DAY", "others have their own")
}

func TestSocketSendsNewPayments(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	url := live(t, h)
	ctx, cancel := context.WithTimeout(t.Context(), liveTimeMax)
	defer cancel()
	header := http.Header{"Authorization": {"Bearer " + tokenOf(core.RoleSupport)}}
	foreign := header.Clone()
	foreign.Set("Origin", "https://elsewhere.example")
	_, refused, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: foreign, Subprotocols: []string{"graphql-transport-ws"}})
	require.Error(t, err, "a page of another site")
	require.Equal(t, http.StatusForbidden, refused.StatusCode)

	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{"graphql-transport-ws"}})
	require.NoError(t, err)
	defer func() { _ = socket.CloseNow() }()
	say := func(message map[string]any) { require.NoError(t, wsjson.Write(ctx, socket, message)) }
	hear := func() (message struct {
		ID, Type string
		Payload  any
	},
	) {
		for {
			require.NoError(t, wsjson.Read(ctx, socket, &message))
			if message.Type != "ping" && message.Type != "pong" {
				return message
			}
		}
	}
	say(map[string]any{"type": "connection_init"})
	require.Equal(t, "connection_ack", hear().Type)
	say(map[string]any{"type": "subscribe", "id": "q", "payload": map[string]any{"query": "{ viewer { staff { id } } }"}})
	require.Contains(t, []string{"error", "next"}, hear().Type)
	require.Equal(t, "complete", hear().Type)

	payment := h.newPayment(t, h.newCheckout(t), epoch).ID
	say(map[string]any{"type": "subscribe", "id": "s", "payload": map[string]any{"query": `subscription { paymentChanged(id: "` + string(payment) + `") { id status } }`}})
	first := hear()
	require.Equal(t, "next", first.Type, first)
	h.note(t, payment, core.PaymentFailed)
	require.Contains(t, mapText(t, hear().Payload), "FAILED")
}

func mapText(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
