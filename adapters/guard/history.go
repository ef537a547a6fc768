package guard

import (
	"context"

	"github.com/paydesk/paydesk/ports"
)

var (
	_ ports.EventLister      = (*guarded)(nil)
	_ ports.ObjectLister     = (*guarded)(nil)
	_ ports.WebhookRegistrar = (*guarded)(nil)
)

// ListEvents implements [ports.EventLister]. An account that claims no list of events gets none.
func (g *guarded) ListEvents(ctx context.Context, in ports.ListEvents) (ports.EventList, error) {
	return callAs(ctx, g, "list_events", "", func(ctx context.Context, inner ports.EventLister) (ports.EventList, error) {
		return inner.ListEvents(ctx, in)
	})
}

// ListObjects implements [ports.ObjectLister].
func (g *guarded) ListObjects(ctx context.Context, in ports.ListObjects) (ports.ObjectList, error) {
	return callAs(ctx, g, "list_objects", string(in.Kind), func(ctx context.Context, inner ports.ObjectLister) (ports.ObjectList, error) {
		return inner.ListObjects(ctx, in)
	})
}

// Webhooks implements [ports.WebhookRegistrar].
func (g *guarded) Webhooks(ctx context.Context) ([]ports.RegisteredWebhook, error) {
	return callAs(ctx, g, "list_webhooks", "", func(ctx context.Context, inner ports.WebhookRegistrar) ([]ports.RegisteredWebhook, error) {
		return inner.Webhooks(ctx)
	})
}

// NeededEvents implements [ports.WebhookRegistrar]; none where the account claims no list of
// webhooks.
func (g *guarded) NeededEvents() []string {
	if inner, ok := g.inner.(ports.WebhookRegistrar); ok {
		return inner.NeededEvents()
	}
	return nil
}
