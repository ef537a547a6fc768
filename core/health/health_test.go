package health_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/ports"
)

const (
	address      = "https://pay.example/webhooks/stripe"
	otherAddress = "https://pay.example/webhooks/square"
)

type house struct {
	*coretest.House

	health *health.Service
	tally  *health.Tally
}

func each(t *testing.T, test func(t *testing.T, h house)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		h := coretest.New(t, open(t))
		addresses := map[core.AccountName]string{coretest.Account: address, coretest.OtherAccount: otherAddress}
		test(t, house{
			House: h, health: health.New(h.Store, h.Accounts, addresses, h.Clock, h.Clock),
			tally: health.NewTally(h.Store, h.Clock, []core.AccountName{coretest.Account, coretest.OtherAccount}),
		})
	})
}

// check does what the schedule begins.
func (h house) check(t *testing.T) {
	t.Helper()
	require.NoError(t, h.health.Begin(t.Context(), ports.Job{}))
	jobs := h.Store.Jobs(ports.JobCheckWebhook)
	require.GreaterOrEqual(t, len(jobs), 2)
	for _, job := range jobs[len(jobs)-2:] {
		require.NoError(t, h.health.Check(t.Context(), job))
	}
}

// of tells of an account.
func (h house) of(t *testing.T, name core.AccountName) ports.AccountHealth {
	t.Helper()
	all, err := h.health.Accounts(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, one := range all {
		if one.Account == name {
			return one
		}
	}
	return ports.AccountHealth{}
}

func (h house) stored(t *testing.T, name core.AccountName) map[core.DeliveryResult]int64 {
	t.Helper()
	require.NoError(t, h.tally.Flush(t.Context()))
	return h.of(t, name).Counts
}

func TestAMissingTypeIsSeen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		require.Equal(t, core.WebhookUnknown, h.of(t, coretest.Account).Webhook.State, "nobody looked yet")
		h.Provider.RegisterWebhooks(
			ports.RegisteredWebhook{URL: "https://elsewhere.example/webhooks/stripe", Enabled: true, All: true, APIVersion: "2019-01-01"},
			ports.RegisteredWebhook{URL: address, Types: []string{"subscription.changed"}, APIVersion: "2018-01-01"},
			ports.RegisteredWebhook{URL: address, Enabled: true, Types: []string{"payment.changed"}, APIVersion: "2023-10-16"},
			ports.RegisteredWebhook{URL: address, Enabled: true, Types: []string{"dispute.changed", "other"}, APIVersion: "2022-11-15"},
		)
		h.Other.RegisterWebhooks(ports.RegisteredWebhook{URL: otherAddress, Enabled: true, All: true})
		h.check(t)
		now := h.Clock.Now()
		require.Equal(t, core.WebhookCheck{
			Account: coretest.Account, State: core.WebhookRegistered, Missing: []string{"refund.changed", "subscription.changed"},
			APIVersions: []string{"2022-11-15", "2023-10-16"}, FirstAt: now, TriedAt: now, CheckedAt: now,
		}, h.of(t, coretest.Account).Webhook)
		other := h.of(t, coretest.OtherAccount)
		require.Equal(t, core.WebhookRegistered, other.Webhook.State)
		require.Empty(t, other.Webhook.Missing)
		require.Equal(t, otherAddress, other.Address)

		h.Provider.RegisterWebhooks(ports.RegisteredWebhook{URL: address, All: true})
		h.check(t)
		require.Equal(t, core.WebhookDisabled, h.of(t, coretest.Account).Webhook.State)
		h.Provider.RegisterWebhooks()
		h.check(t)
		require.Equal(t, core.WebhookAbsent, h.of(t, coretest.Account).Webhook.State)
		require.Len(t, h.of(t, coretest.Account).Webhook.Missing, len(h.Provider.NeededEvents()))
	})
}

func TestALookThatFailsKeepsWhatWasSeen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		refusal := &core.ProviderError{Class: core.ClassInvalid, Op: "stripe list webhooks", Foreign: "not_allowed"}
		job := ports.Job{Subject: string(coretest.Account)}
		h.Provider.FailNext(refusal)
		require.NoError(t, h.health.Check(t.Context(), job))
		seen := h.of(t, coretest.Account).Webhook
		require.Equal(t, core.WebhookUnknown, seen.State)
		require.Contains(t, seen.Note, "not_allowed")
		require.True(t, seen.CheckedAt.IsZero())

		h.Provider.RegisterWebhooks(ports.RegisteredWebhook{URL: address, Enabled: true, All: true})
		require.NoError(t, h.health.Check(t.Context(), job))
		seen = h.of(t, coretest.Account).Webhook
		require.Equal(t, core.WebhookRegistered, seen.State)
		require.Empty(t, seen.Note)

		h.Clock.Advance(time.Hour)
		h.Provider.FailNext(refusal)
		require.NoError(t, h.health.Check(t.Context(), job))
		failed := h.of(t, coretest.Account).Webhook
		require.Contains(t, failed.Note, "not_allowed")
		require.Equal(t, seen.CheckedAt, failed.CheckedAt)
		require.Equal(t, h.Clock.Now(), failed.TriedAt)
		require.Equal(t, core.WebhookRegistered, failed.State)
		require.ErrorIs(t, h.health.Check(t.Context(), ports.Job{Subject: "gone"}), ports.ErrJobGivenUp)
	})
}

func TestWhatCannotBeAskedIsNotLookedAt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Webhooks = false })
		require.NoError(t, h.health.Begin(t.Context(), ports.Job{}))
		require.Equal(t, []ports.Job{{Kind: ports.JobCheckWebhook, Subject: string(coretest.OtherAccount)}}, h.Store.Jobs(ports.JobCheckWebhook))
	})
}

func TestRefusedSignaturesAreCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for range 3 {
			h.tally.Count(coretest.Account, core.DeliveryReceived)
		}
		h.tally.Count(coretest.Account, core.DeliveryInvalidSignature)
		h.tally.Count(coretest.OtherAccount, core.DeliveryWrongEnvironment)
		h.tally.Count("stranger", core.DeliveryReceived)
		h.tally.Count("", core.DeliveryResult("not_found"))
		require.Empty(t, h.of(t, coretest.Account).Counts, "a post waits for no database")
		want := map[core.DeliveryResult]int64{core.DeliveryReceived: 3, core.DeliveryInvalidSignature: 1}
		require.Equal(t, want, h.stored(t, coretest.Account))
		require.Equal(t, want, h.stored(t, coretest.Account), "each is counted once")
		require.EqualValues(t, 4, h.of(t, coretest.Account).Posts())
		require.Equal(t, map[core.DeliveryResult]int64{core.DeliveryWrongEnvironment: 1}, h.stored(t, coretest.OtherAccount))

		h.tally.Count(coretest.Account, core.DeliveryReceived)
		h.Store.CrashNext(0, false)
		require.Error(t, h.tally.Flush(t.Context()), "the database is away")
		require.Equal(t, want, h.of(t, coretest.Account).Counts)
		want[core.DeliveryReceived]++
		require.Equal(t, want, h.stored(t, coretest.Account), "nothing is lost")

		h.Clock.Advance(25 * time.Hour)
		require.Empty(t, h.of(t, coretest.Account).Counts, "of a day")
		long := h.Clock.Now().Add(-48 * time.Hour)
		for _, want := range []int{3, 0} {
			kept, err := h.Store.DeliveryCounts(t.Context(), long)
			require.NoError(t, err)
			require.Len(t, kept, want)
			h.Clock.Advance(30 * 24 * time.Hour)
			require.NoError(t, h.health.Begin(t.Context(), ports.Job{}))
		}
	})
}

// What webhooks brought, and what only the backfill did, are told apart.
func TestWhatNoWebhookBroughtIsAGap(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		told := h.Provider.Happen("payment.changed", p.Ref())
		told.ReceivedAt, told.APIVersion = h.Clock.Now(), "2023-10-16"
		at := told.ReceivedAt
		require.NoError(t, h.Inbox.Accept(t.Context(), []core.Delivery{told}))
		h.Provider.Happen("payment.changed", p.Ref())
		h.Clock.Advance(time.Minute)
		_, err := h.Reconcile.Backfill(t.Context(), coretest.Account, time.Time{})
		require.NoError(t, err)
		seen := h.of(t, coretest.Account)
		require.Equal(t, []core.LastEvent{{Type: "payment.changed", APIVersion: "2023-10-16", ReceivedAt: at}}, seen.Last)
		require.EqualValues(t, 1, seen.Missed)
		require.Equal(t, h.Clock.Now(), seen.LastMissed)
		require.Zero(t, h.of(t, coretest.OtherAccount).Missed)
		h.Clock.Advance(25 * time.Hour)
		seen = h.of(t, coretest.Account)
		require.Zero(t, seen.Missed)
		require.Len(t, seen.Last, 1, "the last is told of however old it is")
	})
}
