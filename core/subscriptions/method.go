package subscriptions

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// MethodLink is where a buyer can change what a subscription is paid with.
type MethodLink struct {
	URL string
	// Checkout is where they do so on our page; the zero Checkout where it is the provider's.
	Checkout core.Checkout
}

// MethodLink gives the buyer's way to change what a subscription is paid with: a checkout that saves
// a method for it where its provider takes one, the provider's own page otherwise. It is the same
// for the same RequestKey.
//
// Errors are those of the verbs; [core.ErrNotSupported] where there is no such way.
func (s *Service) MethodLink(ctx context.Context, verb Verb) (MethodLink, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	subscription, err := s.store.Subscription(ctx, verb.Subscription)
	if err != nil {
		return MethodLink{}, err
	}
	can, err := s.abilities(subscription)
	if err != nil {
		return MethodLink{}, err
	}
	if can.SwapMethod {
		checkout, err := s.openMethodCheckout(ctx, subscription, verb.RequestKey)
		return MethodLink{URL: s.url.CheckoutPage(checkout.ID), Checkout: checkout}, err
	}
	provider, err := s.subscriber(subscription.Account)
	if err != nil {
		return MethodLink{}, err
	}
	seen, err := provider.GetSubscription(ctx, subscription.Ref())
	if err != nil {
		return MethodLink{}, err
	}
	if seen.MethodURL == "" {
		return MethodLink{}, core.ErrNotSupported
	}
	return MethodLink{URL: seen.MethodURL}, nil
}

// openMethodCheckout opens a checkout that saves a method for a subscription. The buyer comes back to
// where they came back to when they subscribed.
func (s *Service) openMethodCheckout(ctx context.Context, subscription core.Subscription, key core.RequestKey) (core.Checkout, error) {
	if key != "" {
		known, err := s.store.CheckoutByRequestKey(ctx, key)
		if err == nil || !errors.Is(err, ports.ErrNotFound) {
			return known, err
		}
	}
	first, err := s.store.Checkout(ctx, subscription.Checkout)
	if err != nil {
		return core.Checkout{}, err
	}
	now := s.clock.Now()
	checkout := core.Checkout{
		ID: core.NewID[core.CheckoutID](s.ids.UUID()), Environment: subscription.Environment, Reference: subscription.Reference,
		Mode: core.ModeSetup, Capture: core.CaptureAutomatic, Flow: core.FlowPage, Status: core.CheckoutOpen,
		Amount: core.Zero(subscription.Amount.Currency()), Providers: []core.ProviderName{subscription.Provider}, Buyer: first.Buyer,
		SuccessURL: first.SuccessURL, CancelURL: first.CancelURL, Metadata: subscription.Metadata, RequestKey: key, Subscription: subscription.ID,
		ExpiresAt: now.Add(core.CheckoutLifeDefault), CreatedAt: now, UpdatedAt: now,
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		stored, err := tx.InsertCheckout(ctx, checkout)
		if err == nil {
			checkout = stored
		}
		return err
	})
	if errors.Is(err, ports.ErrDuplicate) && key != "" {
		return s.store.CheckoutByRequestKey(ctx, key)
	}
	return checkout, err
}

// SwapMethod has a subscription paid with the method that was saved for it. It is the handler of
// [ports.JobSwapMethod].
func (s *Service) SwapMethod(ctx context.Context, job ports.Job) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	method, err := s.store.Method(ctx, core.MethodID(job.Subject))
	if err != nil {
		return fmt.Errorf("swap to %s: %w", job.Subject, err)
	}
	checkout, err := s.store.Checkout(ctx, method.Checkout)
	if err != nil {
		return fmt.Errorf("swap to %s: %w", job.Subject, err)
	}
	verb := Verb{
		Subscription: checkout.Subscription, Cause: core.Cause{Kind: core.CauseBuyer},
		RequestKey: core.NewRequestKey("", "swap to "+string(method.ID)), // once, however often the job runs
	}
	outcome, err := s.operate(ctx, verb, func(subscription core.Subscription) (asking, error) {
		can, err := s.abilities(subscription)
		if err != nil {
			return asking{}, err
		}
		if !can.SwapMethod || method.Status != core.MethodActive || method.Account != subscription.Account {
			return asking{}, core.ErrNotSupported
		}
		return asking{kind: core.OpSwapMethod, more: askedSwap{Method: method.ID, Provider: method.ProviderMethodID}}, nil
	})
	_, refused := errors.AsType[*core.RefusedError](err)
	switch {
	case refused || errors.Is(err, core.ErrSubscriptionEnded) || errors.Is(err, core.ErrNotSupported) || errors.Is(err, core.ErrSubscriptionState):
		return fmt.Errorf("swap to %s: %w: %w", job.Subject, err, ports.ErrJobGivenUp)
	case err != nil:
		return fmt.Errorf("swap to %s: %w", job.Subject, err)
	case outcome.Open:
		return fmt.Errorf("swap to %s: %w", job.Subject, core.ErrOperationOpen)
	}
	return nil
}
