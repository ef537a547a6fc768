package portstest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// historyLooks are the lists that a provider claims, each at a cursor.
func (d *providerDesk) historyLooks() map[string]func(ctx context.Context, cursor string) error {
	looks := map[string]func(context.Context, string) error{}
	from, until := time.Now().Add(-providerWindow), time.Now().Add(providerWindow)
	if lister, ok := d.provider.(ports.EventLister); ok && d.provider.Capabilities().EventsKept > 0 {
		looks["events"] = func(ctx context.Context, cursor string) error {
			_, err := lister.ListEvents(ctx, ports.ListEvents{From: from, Until: until, Cursor: cursor, Limit: 1})
			return err
		}
	}
	lister, _ := d.provider.(ports.ObjectLister)
	for _, can := range d.listAbilities() {
		name := string(can.kind) + " by creation"
		if can.changed {
			name = string(can.kind) + " by change"
		}
		looks[name] = func(ctx context.Context, cursor string) error {
			_, err := lister.ListObjects(ctx, ports.ListObjects{Kind: can.kind, Changed: can.changed, From: from, Until: until, Cursor: cursor, Limit: 1})
			return err
		}
	}
	return looks
}

func providerOddCursors(t *testing.T, d *providerDesk) {
	for name, look := range d.historyLooks() {
		require.NoError(t, look(providerContext(t), ""), name)
		requireRefused(t, look(providerContext(t), historyOddCursor), core.ClassInvalid)
	}
}

func providerHistoryFaults(t *testing.T, d *providerDesk) {
	looks := d.historyLooks()
	if registrar, ok := d.provider.(ports.WebhookRegistrar); ok && d.provider.Capabilities().Webhooks {
		looks["webhooks"] = func(ctx context.Context, _ string) error {
			_, err := registrar.Webhooks(ctx)
			return err
		}
	}
	for name, look := range looks {
		require.NoError(t, look(providerContext(t), ""), name) // with whatever has to be had before the first call
		for _, fault := range []Fault{FaultTimeoutBefore, FaultError500, FaultBadGateway, FaultReset, FaultHTML, FaultTruncated} {
			d.far.Fault(t, fault)
			if err := look(d.impatient(t), ""); err != nil || fault != FaultReset {
				requireRefused(t, err, core.ClassUnknown)
			}
			require.NoError(t, look(providerContext(t), ""), "%s after %s", name, fault)
		}
		d.far.Fault(t, FaultError429)
		require.Positive(t, requireRefused(t, look(d.impatient(t), ""), core.ClassRetryable).RetryAfter, name)
	}
	require.Zero(t, d.far.Effects(t), "looking changes nothing")
}

func providerWebhooks(t *testing.T, d *providerDesk) {
	registrar, ok := d.provider.(ports.WebhookRegistrar)
	if !d.provider.Capabilities().Webhooks {
		if ok {
			_, err := registrar.Webhooks(providerContext(t))
			requireRefused(t, err, core.ClassInvalid)
		}
		t.Skip("not claimed: webhooks")
	}
	require.True(t, ok, "what is claimed is there")
	needed := registrar.NeededEvents()
	require.NotEmpty(t, needed)
	require.True(t, slices.IsSorted(needed))
	require.Len(t, slices.Compact(slices.Clone(needed)), len(needed), "each once")
	require.NotContains(t, needed, "")
	needed[0] = "changed"
	require.NotEqual(t, needed, registrar.NeededEvents(), "the caller has a copy")
	registered, err := registrar.Webhooks(providerContext(t))
	require.NoError(t, err)
	require.LessOrEqual(t, len(registered), ports.RegisteredWebhooksMax)
	for _, one := range registered {
		require.NotEmpty(t, one.ID)
		require.NotEmpty(t, one.URL)
		require.False(t, one.All && len(one.Types) > 0, "all, or some")
	}
}
