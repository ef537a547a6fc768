package subscriptions

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/ports"
)

// Change is another price or quantity for a subscription.
type Change struct {
	Verb
	Price    string // empty for the one that it has
	Quantity int64  // 0 for the one that it has
	Prorate  bool   // bill the rest of the period
}

// planned is a change that was checked.
type planned struct {
	price    core.Price
	quantity int64
}

// Change has a subscription take another price or quantity. Where the buyer has to agree, the outcome
// says where, and nothing has changed yet.
//
// Errors are those of the verbs; *[core.InvalidError]; [core.ErrCurrencyOther];
// [core.ErrNothingToChange].
func (s *Service) Change(ctx context.Context, in Change) (Outcome, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if in.RequestKey != "" {
		op, err := s.store.OperationByRequestKey(ctx, in.RequestKey)
		if err == nil {
			return s.replay(ctx, op)
		}
		if !errors.Is(err, ports.ErrNotFound) {
			return Outcome{}, err
		}
	}
	before, err := s.store.Subscription(ctx, in.Subscription)
	if err != nil {
		return Outcome{}, err
	}
	plan, err := s.plan(ctx, before, in)
	if err != nil {
		return Outcome{}, err
	}
	if _, err := s.priceAt(ctx, plan.price.ID, before.Account); err != nil {
		return Outcome{}, err
	}
	return s.operate(ctx, in.Verb, func(subscription core.Subscription) (asking, error) {
		if err := s.checkPlan(subscription, plan, in); err != nil {
			return asking{}, err
		}
		return asking{kind: core.OpChangeSubscription, more: core.AskedChange{
			Price: plan.price.ID, Quantity: plan.quantity, Prorate: in.Prorate, At: s.clock.Now(),
		}}, nil
	})
}

// PreviewChange tells what a change would come to and changes nothing. Errors are those of
// [Service.Change].
func (s *Service) PreviewChange(ctx context.Context, in Change) (ports.ChangePreview, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	subscription, err := s.store.Subscription(ctx, in.Subscription)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	plan, err := s.plan(ctx, subscription, in)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	foreign, err := s.priceAt(ctx, plan.price.ID, subscription.Account)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	provider, err := s.subscriber(subscription.Account)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	preview, err := provider.PreviewChange(ctx, ports.ChangeSubscription{
		Ref: subscription.Ref(), Price: plan.price, ProviderPrice: foreign, Quantity: plan.quantity, Prorate: in.Prorate, At: s.clock.Now(),
	})
	if err == nil {
		return preview, nil
	}
	if refused := calls.Refusal(calls.ProviderError(err)); refused != nil {
		return preview, refused
	}
	return preview, err // nothing was asked for: the same can be asked again
}

// plan reads what a change is to and checks it.
func (s *Service) plan(ctx context.Context, subscription core.Subscription, in Change) (planned, error) {
	fields := &check.Fields{}
	plan := planned{quantity: subscription.Quantity}
	if in.Quantity != 0 {
		fields.Quantity("quantity", in.Quantity)
		plan.quantity = in.Quantity
	}
	id := subscription.Price
	if in.Price != "" {
		id = check.ID[core.PriceID](fields, "price", in.Price)
	} else if id == "" {
		fields.Refuse("price", "is needed: the subscription has one of the provider's dashboard")
	}
	if !fields.Good() {
		return plan, fields.Err()
	}
	var err error
	if plan.price, err = s.store.Price(ctx, id); errors.Is(err, ports.ErrNotFound) {
		fields.Refuse("price", "names no price")
		return plan, fields.Err()
	} else if err != nil {
		return plan, err
	}
	if plan.price.Recurring == nil {
		fields.Refuse("price", "is paid once; give a recurring price")
		return plan, fields.Err()
	}
	return plan, s.checkPlan(subscription, plan, in)
}

// checkPlan reports why a change cannot be made, or nil.
func (s *Service) checkPlan(subscription core.Subscription, plan planned, in Change) error {
	can, err := s.abilities(subscription)
	other := plan.quantity != subscription.Quantity
	switch {
	case err != nil:
		return err
	case plan.price.Amount.Currency() != subscription.Amount.Currency():
		return core.ErrCurrencyOther
	case plan.price.ID == subscription.Price && !other:
		return core.ErrNothingToChange
	case subscription.Status == core.SubscriptionUnpaid:
		return core.ErrSubscriptionState
	case other && !can.Quantity || in.Prorate && !can.Prorate || !can.Bills(withoutTrial(plan.price), plan.quantity):
		return core.ErrNotSupported
	}
	return nil
}

// withoutTrial is how often a price is asked for of somebody who has it already.
func withoutTrial(price core.Price) *core.Recurring {
	recurring := *price.Recurring
	recurring.TrialDays = 0
	return &recurring
}

// changeOf is the request that belongs to a change that is written down, the same every time.
func (s *Service) changeOf(ctx context.Context, subscription core.Subscription, op core.Operation) (ports.ChangeSubscription, error) {
	asked, err := core.ReadAskedChange(op)
	if err != nil {
		return ports.ChangeSubscription{}, err
	}
	price, err := s.store.Price(ctx, asked.Price)
	if err != nil {
		return ports.ChangeSubscription{}, err
	}
	counterpart, err := s.store.PriceAccount(ctx, asked.Price, op.Account)
	return ports.ChangeSubscription{
		Ref: subscription.Ref(), Price: price, ProviderPrice: counterpart.ProviderPriceID, Quantity: asked.Quantity, Prorate: asked.Prorate, At: asked.At,
		ReturnURL: s.url.CheckoutReturn(subscription.Checkout), CancelURL: s.url.CheckoutPage(subscription.Checkout),
	}, err
}
