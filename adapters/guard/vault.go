package guard

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Vault = (*guarded)(nil)

// CreateCustomer implements [ports.Vault].
func (g *guarded) CreateCustomer(ctx context.Context, key core.OperationKey, in ports.CreateCustomer) (string, error) {
	return callAs(ctx, g, "create_customer", string(in.Customer), func(ctx context.Context, inner ports.Vault) (string, error) {
		return inner.CreateCustomer(ctx, key, in)
	})
}

// CreateSetup implements [ports.Vault].
func (g *guarded) CreateSetup(ctx context.Context, key core.OperationKey, in ports.CreateSetup) (ports.SetupSession, error) {
	return callAs(ctx, g, "create_setup", string(in.Method), func(ctx context.Context, inner ports.Vault) (ports.SetupSession, error) {
		return inner.CreateSetup(ctx, key, in)
	})
}

// OpenSetup implements [ports.Vault].
func (g *guarded) OpenSetup(ctx context.Context, ref core.ProviderRef) (ports.SetupSession, error) {
	return callAs(ctx, g, "open_setup", ref.ID, func(ctx context.Context, inner ports.Vault) (ports.SetupSession, error) {
		return inner.OpenSetup(ctx, ref)
	})
}

// ConfirmSetup implements [ports.Vault].
func (g *guarded) ConfirmSetup(ctx context.Context, key core.OperationKey, in ports.ConfirmSetup) (core.MethodSnapshot, error) {
	return callAs(ctx, g, "confirm_setup", string(in.Method), func(ctx context.Context, inner ports.Vault) (core.MethodSnapshot, error) {
		return inner.ConfirmSetup(ctx, key, in)
	})
}

// GetMethod implements [ports.Vault].
func (g *guarded) GetMethod(ctx context.Context, ref core.ProviderRef) (core.MethodSnapshot, error) {
	return callAs(ctx, g, "get_method", ref.ID, func(ctx context.Context, inner ports.Vault) (core.MethodSnapshot, error) {
		return inner.GetMethod(ctx, ref)
	})
}

// DetachMethod implements [ports.Vault].
func (g *guarded) DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error {
	_, err := callAs(ctx, g, "detach_method", ref.ID, func(ctx context.Context, inner ports.Vault) (struct{}, error) {
		return struct{}{}, inner.DetachMethod(ctx, key, ref)
	})
	return err
}

// ChargeMethod implements [ports.Vault].
func (g *guarded) ChargeMethod(ctx context.Context, key core.OperationKey, in ports.ChargeMethod) (core.PaymentSnapshot, error) {
	return callAs(ctx, g, "charge_method", string(in.Payment), func(ctx context.Context, inner ports.Vault) (core.PaymentSnapshot, error) {
		return inner.ChargeMethod(ctx, key, in)
	})
}
