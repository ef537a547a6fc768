package graph

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/graph/model"
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
