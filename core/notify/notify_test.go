package notify_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
)

const shop = "https://shop.example/hooks"

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func add(t *testing.T, h *coretest.House, types ...core.EventType) core.Endpoint {
	t.Helper()
	endpoint, err := h.Notify.Add(t.Context(), shop, types)
	require.NoError(t, err)
	return endpoint
}

func TestEndpointsGetWhatTheyWant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	all, some := add(t, h), add(t, h, core.EventPaymentSucceeded)
	removed := add(t, h)
	require.NoError(t, h.Notify.Remove(t.Context(), removed.ID))
	secret, ok := strings.CutPrefix(all.Secret, "whsec_")
	require.True(t, ok)
	raw, err := base64.StdEncoding.DecodeString(secret)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(raw), 24, "as the specification asks")

	p := h.Start(h.Open(core.CaptureAutomatic).ID) // tells of requires_action
	h.RunDue()
	sent := h.Notifier.Sent()
	require.Len(t, sent, 1)
	event := h.Events(string(p.ID))[0]
	require.Equal(t, string(event.ID), sent[0].ID)
	require.Equal(t, shop, sent[0].URL)
	require.Equal(t, all.Secret, sent[0].Secret)
	require.NotEqual(t, some.Secret, sent[0].Secret)
	var body struct {
		Type, Timestamp string
		Data            json.RawMessage
	}
	require.NoError(t, json.Unmarshal(sent[0].Body, &body))
	require.Equal(t, string(core.EventPaymentRequiresAction), body.Type)
	require.Equal(t, "2026-03-04T05:06:07.123456Z", body.Timestamp)
	require.JSONEq(t, string(event.Data), string(body.Data))
}

func TestTroubleMeansAnotherTryUnderTheSameID(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Notifier.AnswerNext(500, errors.New("500"))
	h.Notifier.AnswerNext(0, errors.New("no answer"))
	h.RunAll()
	sent := h.Notifier.Sent()
	require.Len(t, sent, 3)
	require.Equal(t, sent[0], sent[1])
	require.Equal(t, sent[0], sent[2])
	require.Empty(t, h.Store.GivenUp())
}

func TestAnEndpointThatIsGoneIsDisabled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Notifier.AnswerNext(410, errors.New("410"))
	h.RunAll()
	require.Len(t, h.Notifier.Sent(), 1, "and what was on its way is dropped")
	stored, err := h.Store.Endpoint(t.Context(), endpoint.ID)
	require.NoError(t, err)
	require.False(t, stored.DisabledAt.IsZero())
	h.Start(h.Open(core.CaptureAutomatic).ID)
	require.Empty(t, h.Store.Jobs(ports.JobNotify))
	standing, err := h.Notify.Endpoints(t.Context())
	require.NoError(t, err)
	require.Len(t, standing, 1, "it is still shown")
}

func TestRemove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	require.NoError(t, h.Notify.Remove(t.Context(), endpoint.ID))
	h.RunAll()
	require.Empty(t, h.Notifier.Sent(), "what was on its way is dropped")
	require.ErrorIs(t, h.Notify.Remove(t.Context(), endpoint.ID), ports.ErrNotFound)
	require.ErrorIs(t, h.Notify.Remove(t.Context(), "whk_missing"), ports.ErrNotFound)
	standing, err := h.Notify.Endpoints(t.Context())
	require.NoError(t, err)
	require.Empty(t, standing)
}

func TestEndpointsThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	live := notify.New(h.Store, h.Notifier, h.Clock, h.IDs, core.EnvLive)
	_, err := live.Add(t.Context(), "http://shop.example", nil)
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid, "money needs https")
	for _, address := range []string{"", "shop.example", "ftp://shop.example", "https://", "https://user@shop.example", "https://x/" + strings.Repeat("y", 2100)} {
		_, err := h.Notify.Add(t.Context(), address, nil)
		require.ErrorAs(t, err, &invalid, "%q", address)
		require.Equal(t, "url", invalid.Fields[0].Field)
	}
	_, err = h.Notify.Add(t.Context(), shop, []core.EventType{core.EventPaymentFailed, "payment.exploded"})
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "types[1]", invalid.Fields[0].Field)
	for n := range 32 {
		_, err := h.Notify.Add(t.Context(), fmt.Sprint("http://shop.example/", n), nil)
		require.NoError(t, err)
	}
	_, err = h.Notify.Add(t.Context(), shop, nil)
	require.ErrorAs(t, err, &invalid, "there is a limit")
}

func TestDeliverWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	require.ErrorIs(t, h.Notify.Deliver(t.Context(), ports.Job{Endpoint: "whk_missing"}), ports.ErrNotFound)
	require.ErrorIs(t, h.Notify.Deliver(t.Context(), ports.Job{Endpoint: endpoint.ID, Event: "msg_missing"}), ports.ErrNotFound)
}
