package graph

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// subscriptionMutation is a mutation on a subscription: what it would ask, and how it is done.
type subscriptionMutation struct {
	mutation

	id    string
	check func(ctx context.Context, id core.SubscriptionID) (core.OperationKind, error)
	do    func(ctx context.Context, verb subscriptions.Verb) (subscriptions.Outcome, error)
}

// onSubscription makes a mutation, or shows what it would do.
func (r *Resolver) onSubscription(ctx context.Context, m subscriptionMutation) (subscription *model.Subscription, preview *model.Preview, refused []*model.UserError, err error) {
	id, err := parseID[core.SubscriptionID]("input.subscriptionId", m.id)
	if err != nil {
		return nil, nil, nil, err
	}
	m.subject = "subscriptionId"
	show := func(ctx context.Context) error {
		call, err := m.check(ctx, id)
		if err == nil {
			preview = &model.Preview{ProviderCall: &call, Warnings: []string{}}
		}
		return err
	}
	done, refused, err := r.mutate(ctx, m.mutation, show, func(ctx context.Context, key core.RequestKey) (string, error) {
		_, err := m.do(ctx, subscriptions.Verb{Subscription: id, RequestKey: key, Cause: byStaff(ctx)})
		return string(id), err
	})
	if err != nil || done == "" {
		return nil, preview, refused, err
	}
	held, err := r.store.Subscription(ctx, id)
	return &model.Subscription{Subscription: held}, nil, refused, err
}

func (r *Resolver) pauseSubscription(ctx context.Context, in model.SubscriptionPauseInput) (*model.SubscriptionPausePayload, error) {
	subscription, preview, refused, err := r.onSubscription(ctx, subscriptionMutation{
		mutation: mutation{action: "subscription.pause", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.SubscriptionID,
		check: r.subscriptions.PreviewPause,
		do:    r.subscriptions.Pause,
	})
	if err != nil {
		return nil, err
	}
	return &model.SubscriptionPausePayload{Subscription: subscription, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) resumeSubscription(ctx context.Context, in model.SubscriptionResumeInput) (*model.SubscriptionResumePayload, error) {
	subscription, preview, refused, err := r.onSubscription(ctx, subscriptionMutation{
		mutation: mutation{action: "subscription.resume", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.SubscriptionID,
		check: r.subscriptions.PreviewResume,
		do:    r.subscriptions.Resume,
	})
	if err != nil {
		return nil, err
	}
	return &model.SubscriptionResumePayload{Subscription: subscription, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) cancelSubscription(ctx context.Context, in model.SubscriptionCancelInput) (*model.SubscriptionCancelPayload, error) {
	later := in.AtPeriodEnd != nil && *in.AtPeriodEnd
	subscription, preview, refused, err := r.onSubscription(ctx, subscriptionMutation{
		mutation: mutation{action: "subscription.cancel", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.SubscriptionID,
		check: func(ctx context.Context, id core.SubscriptionID) (core.OperationKind, error) {
			return r.subscriptions.PreviewCancel(ctx, id, later)
		},
		do: func(ctx context.Context, verb subscriptions.Verb) (subscriptions.Outcome, error) {
			return r.subscriptions.Cancel(ctx, verb, later)
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.SubscriptionCancelPayload{Subscription: subscription, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) changeSubscription(ctx context.Context, in model.SubscriptionChangeInput) (*model.SubscriptionChangePayload, error) {
	change := subscriptions.Change{Prorate: in.Prorate != nil && *in.Prorate}
	if in.PriceID != nil {
		price, err := parseID[core.PriceID]("input.priceId", *in.PriceID)
		if err != nil {
			return nil, err
		}
		change.Price = string(price)
	}
	if in.Quantity != nil {
		if change.Quantity = *in.Quantity; change.Quantity < 1 {
			return nil, refuse(codeInput, "input.quantity must be 1 or more")
		}
	}
	payload := &model.SubscriptionChangePayload{}
	subscription, preview, refused, err := r.onSubscription(ctx, subscriptionMutation{
		mutation: mutation{action: "subscription.change", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.SubscriptionID,
		check: func(ctx context.Context, id core.SubscriptionID) (core.OperationKind, error) {
			asked := change
			asked.Verb = subscriptions.Verb{Subscription: id, Cause: byStaff(ctx)}
			would, err := r.subscriptions.PreviewChange(ctx, asked)
			if err == nil {
				payload.Change = changeOf(would)
			}
			return core.OpChangeSubscription, err
		},
		do: func(ctx context.Context, verb subscriptions.Verb) (subscriptions.Outcome, error) {
			asked := change
			asked.Verb = verb
			outcome, err := r.subscriptions.Change(ctx, asked)
			payload.BuyerURL = optional(outcome.ActionURL)
			return outcome, err
		},
	})
	if err != nil {
		return nil, err
	}
	payload.Subscription, payload.Preview, payload.UserErrors = subscription, preview, refused
	return payload, nil
}

func changeOf(would ports.ChangePreview) *model.SubscriptionChangePreview {
	change := &model.SubscriptionChangePreview{DueNow: &would.DueNow, NextAmount: &would.NextAmount, BuyerAgrees: would.BuyerAgrees}
	if !would.NextAt.IsZero() {
		change.NextAt = &would.NextAt
	}
	if !would.EffectiveAt.IsZero() {
		change.EffectiveAt = &would.EffectiveAt
	}
	return change
}
