package square

import (
	"context"
	"net/http"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// step is one call that changes a subscription.
type step struct {
	method string
	path   string // after the subscription's own
	body   any    // nil for none
}

// SwapPlanRequest is the body of POST /v2/subscriptions/{id}/swap-plan.
type SwapPlanRequest struct {
	NewPlanVariationID string `json:"new_plan_variation_id"`
}

// UpdateSubscriptionRequest is the body of PUT /v2/subscriptions/{id}. What is not named stays.
type UpdateSubscriptionRequest struct {
	Subscription map[string]any `json:"subscription"`
}

// move changes a subscription. These calls take no key, so that the subscription is looked at
// first: steps gives what is missing, which is nothing where an earlier call did it all.
func (a *Adapter) move(
	ctx context.Context, verb string, key core.OperationKey, ref core.ProviderRef, steps func(Subscription) ([]step, error),
) (core.SubscriptionSnapshot, error) {
	op := a.op(verb, safeID(ref.ID))
	if err := a.checkOrder(op, key, ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	shown, err := a.api.subscription(ctx, op, ref.ID)
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	missing, err := steps(*shown.Subscription)
	if err != nil {
		return core.SubscriptionSnapshot{}, outbound.Invalid(op, err)
	}
	for _, one := range missing {
		if _, err := a.api.object(ctx, op, one.method, subscriptionsPath+"/"+ref.ID+one.path, one.body, ref.ID, subscriptionID); err != nil {
			return core.SubscriptionSnapshot{}, err
		}
	}
	if len(missing) == 0 {
		return a.subscriptionSeen(ctx, op, shown)
	}
	seen, err := a.lookAtSubscription(ctx, op, ref)
	return seen, afterwards(err)
}

// dropped takes back what is to happen to a subscription, of a type.
func (s *Subscription) dropped(kind string) []step {
	var steps []step
	for _, one := range s.Actions {
		if one.Type == kind && safeID(one.ID) != "" {
			steps = append(steps, step{method: http.MethodDelete, path: "/actions/" + one.ID})
		}
	}
	return steps
}

// PreviewChange implements [ports.Subscriber]. Nothing is billed within a period, so that it
// follows from the subscription.
func (a *Adapter) PreviewChange(ctx context.Context, in ports.ChangeSubscription) (ports.ChangePreview, error) {
	op := a.op("preview change of", safeID(in.Ref.ID))
	if err := a.checkRef(op, in.Ref, core.ObjectSubscription); err != nil {
		return ports.ChangePreview{}, err
	}
	if err := checkChange(op, in); err != nil {
		return ports.ChangePreview{}, err
	}
	shown, err := a.api.subscription(ctx, op, in.Ref.ID)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	next := shown.Subscription.chargedUntil()
	if next.IsZero() {
		next = shown.Subscription.day(shown.Subscription.StartDate, 0)
	}
	return ports.ChangePreview{DueNow: core.Zero(in.Price.Amount.Currency()), NextAmount: in.Price.Amount, NextAt: next, EffectiveAt: next}, nil
}

func checkChange(op string, in ports.ChangeSubscription) error {
	if in.Prorate {
		return outbound.Invalid(op, errProrate)
	}
	return checkPlan(op, in.ProviderPrice, in.Quantity)
}

// ChangeSubscription implements [ports.Subscriber]. It takes the place of another change that is
// to come; one to what the subscription has takes that back.
//
// Source: POST /v2/subscriptions/{id}/swap-plan.
func (a *Adapter) ChangeSubscription(ctx context.Context, key core.OperationKey, in ports.ChangeSubscription) (ports.SubscriptionSession, error) {
	if err := checkChange(a.op("change subscription", safeID(in.Ref.ID)), in); err != nil {
		return ports.SubscriptionSession{}, err
	}
	seen, err := a.move(ctx, "change subscription", key, in.Ref, func(s Subscription) ([]step, error) {
		n := s.planned(actionSwap)
		if n >= 0 && s.Actions[n].NewPlanVariationID == in.ProviderPrice {
			return nil, nil
		}
		steps := s.dropped(actionSwap)
		if s.PlanVariationID == in.ProviderPrice {
			return steps, nil
		}
		return append(steps, step{http.MethodPost, "/swap-plan", SwapPlanRequest{NewPlanVariationID: in.ProviderPrice}}), nil
	})
	return ports.SubscriptionSession{Snapshot: seen}, err
}

// PauseSubscription implements [ports.Subscriber]. It begins with the next period.
//
// Source: POST /v2/subscriptions/{id}/pause.
func (a *Adapter) PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, "pause", key, ref, func(s Subscription) ([]step, error) {
		if s.Status == subscriptionPaused || s.planned(actionPause) >= 0 {
			return nil, nil
		}
		return []step{{http.MethodPost, "/pause", struct{}{}}}, nil
	})
}

// ResumeSubscription implements [ports.Subscriber]. A pause that has not begun is taken back; one
// that was to end later ends now.
//
// Source: POST /v2/subscriptions/{id}/resume, DELETE /v2/subscriptions/{id}/actions/{id}.
func (a *Adapter) ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, "resume", key, ref, func(s Subscription) ([]step, error) {
		if s.Status == subscriptionActive || s.Status == subscriptionPending {
			return s.dropped(actionPause), nil
		}
		return append(s.dropped(actionResume), step{http.MethodPost, "/resume", struct{}{}}), nil
	})
}

// CancelSubscription implements [ports.Subscriber]. Square ends nothing at once.
//
// Source: POST /v2/subscriptions/{id}/cancel.
func (a *Adapter) CancelSubscription(ctx context.Context, key core.OperationKey, in ports.CancelSubscription) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, "cancel subscription", key, in.Ref, func(s Subscription) ([]step, error) {
		switch {
		case s.ended(), in.AtPeriodEnd && s.CanceledDate != "":
			return nil, nil
		case !in.AtPeriodEnd:
			return nil, errCancelNow
		}
		return []step{{http.MethodPost, "/cancel", nil}}, nil
	})
}

// KeepSubscription implements [ports.Subscriber].
//
// Source: DELETE /v2/subscriptions/{id}/actions/{id}; PUT /v2/subscriptions/{id} for an end that
// no action stands for.
func (a *Adapter) KeepSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, "keep subscription", key, ref, func(s Subscription) ([]step, error) {
		steps := s.dropped(actionCancel)
		switch {
		case s.ended():
			return nil, errEnded
		case s.CanceledDate == "" || len(steps) > 0:
			return steps, nil
		}
		return []step{{http.MethodPut, "", UpdateSubscriptionRequest{map[string]any{"canceled_date": nil}}}}, nil
	})
}

// UpdateSubscriptionMethod implements [ports.Subscriber]. What is open of it is charged to the
// new card when Square tries again by itself: it cannot be asked to do so at once.
//
// Source: PUT /v2/subscriptions/{id}.
func (a *Adapter) UpdateSubscriptionMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef, providerMethod string) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, "change method of", key, ref, func(s Subscription) ([]step, error) {
		switch {
		case safeID(providerMethod) == "":
			return nil, errNotOurRef
		case s.CardID == providerMethod:
			return nil, nil
		}
		return []step{{http.MethodPut, "", UpdateSubscriptionRequest{map[string]any{"card_id": providerMethod}}}}, nil
	})
}
