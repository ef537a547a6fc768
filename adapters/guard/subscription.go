package guard

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Subscriber = (*guarded)(nil)

// CreatePrice implements [ports.Subscriber].
func (g *guarded) CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error) {
	return callAs(ctx, g, "create_price", string(price.ID), func(ctx context.Context, inner ports.Subscriber) (string, error) {
		return inner.CreatePrice(ctx, key, price)
	})
}

// CreateSubscription implements [ports.Subscriber].
func (g *guarded) CreateSubscription(ctx context.Context, key core.OperationKey, in ports.CreateSubscription) (ports.SubscriptionSession, error) {
	return callAs(ctx, g, "create_subscription", string(in.Subscription), func(ctx context.Context, inner ports.Subscriber) (ports.SubscriptionSession, error) {
		return inner.CreateSubscription(ctx, key, in)
	})
}

// OpenSubscription implements [ports.Subscriber].
func (g *guarded) OpenSubscription(ctx context.Context, ref core.ProviderRef) (ports.SubscriptionSession, error) {
	return callAs(ctx, g, "open_subscription", ref.ID, func(ctx context.Context, inner ports.Subscriber) (ports.SubscriptionSession, error) {
		return inner.OpenSubscription(ctx, ref)
	})
}

// GetSubscription implements [ports.Subscriber].
func (g *guarded) GetSubscription(ctx context.Context, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return callAs(ctx, g, "get_subscription", ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.SubscriptionSnapshot, error) {
		return inner.GetSubscription(ctx, ref)
	})
}

// GetInvoice implements [ports.Subscriber].
func (g *guarded) GetInvoice(ctx context.Context, ref core.ProviderRef) (core.InvoiceSnapshot, error) {
	return callAs(ctx, g, "get_invoice", ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.InvoiceSnapshot, error) {
		return inner.GetInvoice(ctx, ref)
	})
}

// PreviewChange implements [ports.Subscriber].
func (g *guarded) PreviewChange(ctx context.Context, in ports.ChangeSubscription) (ports.ChangePreview, error) {
	return callAs(ctx, g, "preview_change", in.Ref.ID, func(ctx context.Context, inner ports.Subscriber) (ports.ChangePreview, error) {
		return inner.PreviewChange(ctx, in)
	})
}

// ChangeSubscription implements [ports.Subscriber].
func (g *guarded) ChangeSubscription(ctx context.Context, key core.OperationKey, in ports.ChangeSubscription) (ports.SubscriptionSession, error) {
	return callAs(ctx, g, "change_subscription", in.Ref.ID, func(ctx context.Context, inner ports.Subscriber) (ports.SubscriptionSession, error) {
		return inner.ChangeSubscription(ctx, key, in)
	})
}

// PauseSubscription implements [ports.Subscriber].
func (g *guarded) PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return callAs(ctx, g, "pause_subscription", ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.SubscriptionSnapshot, error) {
		return inner.PauseSubscription(ctx, key, ref)
	})
}

// ResumeSubscription implements [ports.Subscriber].
func (g *guarded) ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return callAs(ctx, g, "resume_subscription", ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.SubscriptionSnapshot, error) {
		return inner.ResumeSubscription(ctx, key, ref)
	})
}

// CancelSubscription implements [ports.Subscriber].
func (g *guarded) CancelSubscription(ctx context.Context, key core.OperationKey, in ports.CancelSubscription) (core.SubscriptionSnapshot, error) {
	return callAs(ctx, g, "cancel_subscription", in.Ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.SubscriptionSnapshot, error) {
		return inner.CancelSubscription(ctx, key, in)
	})
}

// KeepSubscription implements [ports.Subscriber].
func (g *guarded) KeepSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return callAs(ctx, g, "keep_subscription", ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.SubscriptionSnapshot, error) {
		return inner.KeepSubscription(ctx, key, ref)
	})
}

// UpdateSubscriptionMethod implements [ports.Subscriber].
func (g *guarded) UpdateSubscriptionMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef, providerMethod string) (core.SubscriptionSnapshot, error) {
	return callAs(ctx, g, "swap_method", ref.ID, func(ctx context.Context, inner ports.Subscriber) (core.SubscriptionSnapshot, error) {
		return inner.UpdateSubscriptionMethod(ctx, key, ref, providerMethod)
	})
}
