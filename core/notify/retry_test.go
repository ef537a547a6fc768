package notify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

var errDown = errors.New("endpoint answered 503")

func down(ports.Notification) (ports.NotificationOutcome, error) {
	return ports.NotificationOutcome{Status: 503, Body: []byte("closed for lunch")}, errDown
}

func endpointOf(t *testing.T, h *coretest.House, id core.EndpointID) core.Endpoint {
	t.Helper()
	endpoint, err := h.Store.Endpoint(t.Context(), id)
	require.NoError(t, err)
	return endpoint
}

func TestAnEndpointThatTakesNothingForThreeDaysIsDisabledAndLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Notifier.Answer(down)
	begun := h.Clock.Now()
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.RunAll()
	given := endpointOf(t, h, endpoint.ID)
	require.Equal(t, core.DisabledFailing, given.DisabledReason)
	took := given.DisabledAt.Sub(begun)
	require.GreaterOrEqual(t, took, core.NotificationAgeMax)
	require.Less(t, took, core.NotificationAgeMax+2*time.Hour)
	tries := len(h.Notifier.Sent())
	require.Greater(t, tries, 60)
	require.Less(t, tries, 120)
	require.Equal(t, []string{"endpoint.disable"}, actions(t, h))
	n := told(t, h)[0]
	require.Equal(t, core.NotificationHeld, n.Status)
	require.Equal(t, 503, n.AnswerStatus)
	require.Equal(t, "closed for lunch", string(n.Answer), "for staff to read")
	require.Equal(t, errDown.Error(), n.Error)

	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.RunAll()
	require.Len(t, h.Notifier.Sent(), tries)
	_, err := h.Notify.Enable(t.Context(), endpoint.ID, "key_1")
	require.NoError(t, err)
	h.RunDue()
	require.Len(t, h.Notifier.Sent(), tries+2, "both are tried again")
	given = endpointOf(t, h, endpoint.ID)
	require.True(t, given.Told(), "it has three more days")
	h.Notifier.Answer(nil)
	h.RunAll()
	require.Equal(t, []core.NotificationStatus{core.NotificationDelivered, core.NotificationDelivered}, statuses(t, h))
	require.Zero(t, endpointOf(t, h, endpoint.ID).Failures)
}

// What was told meanwhile and never tried has its turn first, and must not put the end off.
func TestAnEndpointThatMuchWaitsForIsDisabledAfterThreeDaysAsWell(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Notifier.Answer(down)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	for range 5 {
		h.RunDue()
		h.Clock.Advance(2 * time.Minute)
	}
	h.Clock.Advance(core.NotificationAgeMax - 11*time.Minute)
	for range 9 {
		h.Start(h.Open(core.CaptureAutomatic).ID)
	}
	h.RunDue()
	require.True(t, endpointOf(t, h, endpoint.ID).Told(), "not before")
	h.Clock.Advance(2 * time.Minute)
	h.RunDue()
	require.Equal(t, core.DisabledFailing, endpointOf(t, h, endpoint.ID).DisabledReason)
	require.Len(t, h.Notifier.Sent(), 7, "by what was told last")
	for _, status := range statuses(t, h) {
		require.Equal(t, core.NotificationHeld, status)
	}
}

func TestPausesGrowAndVaryAndReplay(t *testing.T) {
	t.Parallel()
	pauses := func() (all []time.Duration) {
		h := newHouse(t)
		add(t, h)
		var last time.Time
		h.Notifier.Answer(func(n ports.Notification) (ports.NotificationOutcome, error) {
			if !last.IsZero() {
				all = append(all, h.Clock.Now().Sub(last))
			}
			last = h.Clock.Now()
			return down(n)
		})
		h.Start(h.Open(core.CaptureAutomatic).ID)
		h.RunAll()
		return all
	}
	first := pauses()
	for i, want := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second} {
		require.InDelta(t, want.Seconds(), first[i].Seconds(), want.Seconds()/5, i)
		require.NotEqual(t, want, first[i], "chance has a part in it")
	}
	for _, pause := range first[12:] {
		require.InDelta(t, time.Hour.Seconds(), pause.Seconds(), time.Hour.Seconds()/5)
	}
	require.Equal(t, first, pauses(), "what happens again pauses again")
}

func TestABusyEndpointIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		3 * time.Minute: 3 * time.Minute, 40 * time.Hour: core.NotificationWaitMax, 0: 6 * time.Second, time.Millisecond: 6 * time.Second,
	} {
		h := newHouse(t)
		endpoint := add(t, h)
		h.Notifier.Answer(func(ports.Notification) (ports.NotificationOutcome, error) {
			return ports.NotificationOutcome{Status: 429, RetryAfter: asked}, errDown
		})
		h.Start(h.Open(core.CaptureAutomatic).ID)
		h.RunDue()
		require.Len(t, h.Notifier.Sent(), 1)
		h.Notifier.Answer(nil)
		if asked >= time.Second {
			h.Start(h.Open(core.CaptureAutomatic).ID)
			h.Clock.Advance(want - time.Second)
			h.RunDue()
			require.Len(t, h.Notifier.Sent(), 1, "other objects wait as well")
		}
		h.Clock.Advance(want)
		h.RunDue()
		require.Greater(t, len(h.Notifier.Sent()), 1, asked)
		require.Zero(t, endpointOf(t, h, endpoint.ID).PausedUntil)
	}
}

func TestOneThatIsNeverTakenIsGivenUpAloneWhereOthersAre(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	poison := h.Start(h.Open(core.CaptureManual).ID)
	event := h.Events(string(poison.ID))[0]
	refuse := func(n ports.Notification) (ports.NotificationOutcome, error) {
		if n.ID == string(event.ID) {
			return ports.NotificationOutcome{Status: 500}, errors.New("endpoint answered 500")
		}
		return ports.NotificationOutcome{Status: 204}, nil
	}
	h.Notifier.Answer(refuse)
	h.RunDue()
	h.Pay(poison.ID, portstest.CardSucceeds)
	h.Look(poison) // tells of the same payment again
	for range 100 {
		h.Start(h.Open(core.CaptureAutomatic).ID)
		h.RunDue()
		h.Clock.Advance(time.Hour)
	}
	h.RunAll()
	require.True(t, endpointOf(t, h, endpoint.ID).Told())
	all := told(t, h)
	require.Equal(t, core.NotificationFailed, all[0].Status)
	for _, n := range all[1:] {
		require.Equal(t, core.NotificationDelivered, n.Status, "also what was told of the same payment later")
	}
	sent := h.Notifier.Sent()
	require.NotEqual(t, string(event.ID), sent[len(sent)-1].ID)

	h.Notifier.Answer(nil)
	n, err := h.Notify.Redeliver(t.Context(), all[0].ID, "usr_1")
	require.NoError(t, err)
	require.Equal(t, core.NotificationPending, n.Status)
	h.RunDue()
	require.Equal(t, core.NotificationDelivered, told(t, h)[0].Status)
	require.Equal(t, []string{"notification.redeliver"}, actions(t, h))
}

func TestRedeliver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.RunAll()
	first := told(t, h)[0]
	require.Equal(t, core.NotificationDelivered, first.Status)
	_, err := h.Notify.Redeliver(t.Context(), first.ID, "usr_1")
	require.NoError(t, err)
	h.RunDue()
	sent := h.Notifier.Sent()
	require.Len(t, sent, 2, "a delivered one is sent once more")
	require.Equal(t, sent[0], sent[1], "under the same id")

	_, err = h.Notify.Redeliver(t.Context(), "ntf_missing", "usr_1")
	require.ErrorIs(t, err, ports.ErrNotFound)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	require.NoError(t, h.Notify.Remove(t.Context(), endpoint.ID))
	_, err = h.Notify.Redeliver(t.Context(), told(t, h)[1].ID, "usr_1")
	require.ErrorIs(t, err, notify.ErrEndpointRemoved)
}

func TestASilentEndpointIsLeftAloneAndTriedByOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Notifier.Answer(down)
	for range 20 {
		h.Start(h.Open(core.CaptureAutomatic).ID)
	}
	h.RunDue()
	tries := len(h.Notifier.Sent())
	require.Less(t, tries, 20, "not all of them find out for themselves")
	given := endpointOf(t, h, endpoint.ID)
	require.True(t, given.PausedUntil.After(h.Clock.Now()))
	for range 5 {
		h.Clock.Advance(2 * time.Minute) // beyond the longest pause
		h.RunDue()
		require.Len(t, h.Notifier.Sent(), tries+1, "one looks whether it is back")
		tries++
	}
	h.Notifier.Answer(nil)
	h.Clock.Advance(2 * time.Minute)
	h.RunDue()
	require.Len(t, h.Notifier.Sent(), tries+20, "once it is, nothing waits out its pause")
	for _, status := range statuses(t, h) {
		require.Equal(t, core.NotificationDelivered, status)
	}
}

func TestTheBusinessClockEndsNoPauseAndDisablesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	wall := coretest.NewClock()
	service := notify.New(h.Store, h.Notifier, h.Clock, wall, h.IDs, coretest.NoTraces{}, core.EnvTest)
	endpoint := add(t, h)
	h.Notifier.Answer(down)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	require.NoError(t, service.DeliverDue(t.Context()))
	require.Len(t, h.Notifier.Sent(), 1)
	h.Clock.Advance(30 * 24 * time.Hour)
	require.NoError(t, service.DeliverDue(t.Context()))
	require.Len(t, h.Notifier.Sent(), 1, "not due yet")
	wall.Advance(time.Minute)
	require.NoError(t, service.DeliverDue(t.Context()))
	require.Len(t, h.Notifier.Sent(), 2)
	require.True(t, endpointOf(t, h, endpoint.ID).Told())
	h.Start(h.Open(core.CaptureAutomatic).ID) // a month ahead of the wall
	require.NoError(t, service.DeliverDue(t.Context()))
	require.Len(t, h.Notifier.Sent(), 3, "what happens in the future is told at once")
}

func TestSecretsOverlapWhenOneIsReplaced(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	rotate := func() string {
		rotated, err := h.Notify.RotateSecret(t.Context(), endpoint.ID, "key_1")
		require.NoError(t, err)
		return rotated.Secret
	}
	secrets := func() []string {
		h.Start(h.Open(core.CaptureAutomatic).ID)
		h.RunDue()
		sent := h.Notifier.Sent()
		return sent[len(sent)-1].Secrets
	}
	second := rotate()
	require.True(t, strings.HasPrefix(second, "whsec_"))
	require.Equal(t, []string{second, endpoint.Secret}, secrets())
	h.Clock.Advance(core.SecretOverlap / 2)
	third := rotate()
	require.Equal(t, []string{third, second, endpoint.Secret}, secrets(), "a call that is made twice takes away nothing")
	h.Clock.Advance(core.SecretOverlap / 2)
	require.Equal(t, []string{third, second}, secrets())
	h.Clock.Advance(core.SecretOverlap)
	require.Equal(t, []string{third}, secrets())
	for range core.OldSecretsMax {
		rotate()
	}
	_, err := h.Notify.RotateSecret(t.Context(), endpoint.ID, "key_1")
	require.ErrorIs(t, err, notify.ErrTooManySecrets)
	require.Len(t, actions(t, h), 2+core.OldSecretsMax)
	_, err = h.Notify.RotateSecret(t.Context(), "whk_missing", "key_1")
	require.ErrorIs(t, err, ports.ErrNotFound)
}
