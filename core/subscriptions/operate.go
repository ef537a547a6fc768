package subscriptions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Verb is a request to do something to a running subscription, once per RequestKey.
type Verb struct {
	Subscription core.SubscriptionID
	RequestKey   core.RequestKey // empty where the caller gave none
	Cause        core.Cause
}

// Outcome is a subscription after something was asked of it.
type Outcome struct {
	Subscription core.Subscription
	// Open says that the provider gave no answer: the subscription is as it was, and it is settled
	// later.
	Open bool
	// ActionURL is where the buyer has to agree first; empty where they have not.
	ActionURL string
}

// asking is what is to be asked of a provider about a subscription.
type asking struct {
	kind core.OperationKind // empty where there is nothing to ask
	more any
	here bool // the end that is to come is planned, or called off, here
}

// askedCancel, askedResume and askedSwap are what operations of these kinds ask for.
type (
	askedCancel struct {
		AtPeriodEnd bool `json:"at_period_end"`
	}
	askedResume struct {
		Keep bool `json:"keep"` // undo an end that is to come, instead of going on with a paused one
	}
	askedSwap struct {
		Method   core.MethodID `json:"method"`
		Provider string        `json:"provider_method"`
	}
)

// operate is the one way of every verb: find what the same call led to before, settle what is open,
// write the operation down under the subscription's lock, send it, settle it.
func (s *Service) operate(ctx context.Context, verb Verb, ask func(core.Subscription) (asking, error)) (Outcome, error) {
	if verb.RequestKey != "" {
		op, err := s.store.OperationByRequestKey(ctx, verb.RequestKey)
		if err == nil {
			return s.replay(ctx, op)
		}
		if !errors.Is(err, ports.ErrNotFound) {
			return Outcome{}, err
		}
	}
	if err := s.calls.SettleOpen(ctx, string(verb.Subscription), s); err != nil {
		return Outcome{}, err
	}
	subscription, op, err := s.prepare(ctx, verb, ask)
	if err != nil || op.ID == "" {
		return Outcome{Subscription: subscription}, err
	}
	return s.send(ctx, subscription, op, verb.Cause)
}

// replay gives a repeated call what its first led to.
func (s *Service) replay(ctx context.Context, op core.Operation) (Outcome, error) {
	if !op.Status.Settled() {
		if err := s.calls.SettleOpen(ctx, op.Subject, s); err != nil && !errors.Is(err, core.ErrOperationOpen) {
			return Outcome{}, err
		}
		var err error
		if op, err = s.store.Operation(ctx, op.ID); err != nil {
			return Outcome{}, err
		}
	}
	subscription, err := s.store.Subscription(ctx, core.SubscriptionID(op.Subject))
	if err != nil {
		return Outcome{}, err
	}
	err = calls.Replayed(op)
	if errors.Is(err, core.ErrOperationOpen) {
		return Outcome{Subscription: subscription, Open: true}, nil
	}
	return Outcome{Subscription: subscription}, err
}

// prepare checks the request against the locked subscription and writes the operation down. The zero
// operation means that there is nothing to do.
func (s *Service) prepare(ctx context.Context, verb Verb, ask func(core.Subscription) (asking, error)) (subscription core.Subscription, op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		op = core.Operation{}
		if subscription, err = tx.LockSubscription(ctx, verb.Subscription); err != nil {
			return err
		}
		asked, err := ask(subscription)
		if err != nil || asked.kind == "" {
			return err
		}
		operations, err := tx.SubjectOperations(ctx, string(subscription.ID))
		if err != nil {
			return err
		}
		for _, other := range operations {
			if !other.Status.Settled() {
				return core.ErrOperationOpen
			}
		}
		op, err = s.calls.WriteDown(ctx, tx, calls.Asked{
			Kind: asked.kind, Account: subscription.Account, Subject: string(subscription.ID), Status: string(subscription.Status),
			Amount: core.Zero(subscription.Amount.Currency()), Key: verb.RequestKey, More: asked.more, Parts: []string{subscription.ProviderSubscriptionID},
		})
		return err
	})
	return subscription, op, err
}

// send makes the call of an operation on a subscription that exists, and settles it.
func (s *Service) send(ctx context.Context, subscription core.Subscription, op core.Operation, cause core.Cause) (Outcome, error) {
	provider, err := s.subscriber(op.Account)
	if err != nil {
		return Outcome{}, err
	}
	seen, url, err := s.ask(ctx, provider, subscription, op)
	refused := calls.ProviderError(err)
	shown := &seen
	if refused != nil || url != "" {
		shown = nil // where the buyer has to agree, nothing has changed yet
	}
	if subscription, err = s.observer.SettleSubscription(ctx, op, shown, refused, cause); err != nil {
		return Outcome{}, err
	}
	if refused != nil && refused.Class == core.ClassInvalid && subscription.Exists() {
		// The provider says that the object is not in the state we thought: look.
		if observation, err := s.observer.Sync(ctx, subscription.Ref(), cause); err == nil && observation.Subscription.ID != "" {
			subscription = observation.Subscription
		}
	}
	outcome := Outcome{Subscription: subscription, ActionURL: url, Open: refused != nil && refused.Class == core.ClassUnknown}
	return outcome, calls.Refusal(refused)
}

// ask makes the provider's call. The address is where the buyer has to agree; empty where they have
// not.
func (s *Service) ask(ctx context.Context, provider ports.Subscriber, subscription core.Subscription, op core.Operation) (seen core.SubscriptionSnapshot, url string, err error) {
	key := op.Key()
	if op.Kind != core.OpSwapMethod { // twice is as good as once
		if key, err = s.calls.Key(op, provider); err != nil {
			return seen, "", err
		}
	}
	ref := subscription.Ref()
	switch op.Kind {
	case core.OpPauseSubscription:
		seen, err = provider.PauseSubscription(ctx, key, ref)
	case core.OpResumeSubscription:
		var asked askedResume
		if err := readAsked(op, &asked); err != nil {
			return seen, "", err
		}
		if asked.Keep {
			seen, err = provider.KeepSubscription(ctx, key, ref)
		} else {
			seen, err = provider.ResumeSubscription(ctx, key, ref)
		}
	case core.OpCancelSubscription:
		var asked askedCancel
		if err := readAsked(op, &asked); err != nil {
			return seen, "", err
		}
		seen, err = provider.CancelSubscription(ctx, key, ports.CancelSubscription{Ref: ref, AtPeriodEnd: asked.AtPeriodEnd})
	case core.OpSwapMethod:
		var asked askedSwap
		if err := readAsked(op, &asked); err != nil {
			return seen, "", err
		}
		seen, err = provider.UpdateSubscriptionMethod(ctx, key, ref, asked.Provider)
	case core.OpChangeSubscription:
		var in ports.ChangeSubscription
		if in, err = s.changeOf(ctx, subscription, op); err != nil {
			return seen, "", err
		}
		var session ports.SubscriptionSession
		session, err = provider.ChangeSubscription(ctx, key, in)
		seen, url = session.Snapshot, session.Action.URL
	default:
		err = fmt.Errorf("operation %s: kind %q is not known", op.ID, op.Kind)
	}
	return seen, url, err
}

func readAsked(op core.Operation, into any) error {
	if err := json.Unmarshal(op.Asked, into); err != nil {
		return fmt.Errorf("read what %s asks: %w", op.ID, err)
	}
	return nil
}

// Operations are the kinds of operations that the service sends.
func Operations() []core.OperationKind {
	return []core.OperationKind{
		core.OpCreatePrice, core.OpCreateSubscription, core.OpChangeSubscription, core.OpPauseSubscription, core.OpResumeSubscription,
		core.OpCancelSubscription, core.OpSwapMethod,
	}
}

// Send implements [calls.Sender] for the operations on prices and subscriptions.
func (s *Service) Send(ctx context.Context, op core.Operation, cause core.Cause) error {
	if op.Kind == core.OpCreatePrice {
		return s.sendPrice(ctx, op)
	}
	subscription, err := s.store.Subscription(ctx, core.SubscriptionID(op.Subject))
	if err != nil {
		return fmt.Errorf("send %s: %w", op.ID, err)
	}
	if op.Kind != core.OpCreateSubscription {
		_, err = s.send(ctx, subscription, op, cause)
		return err
	}
	provider, err := s.subscriber(op.Account)
	if err != nil {
		return err
	}
	_, err = s.create(ctx, provider, subscription, op, cause)
	if lost, ok := errors.AsType[*core.ProviderError](err); ok && lost.Class == core.ClassUnknown {
		return nil
	}
	return err
}

// LookUp implements [calls.Sender]. A price's counterpart does no harm where it was made after all,
// nor does a subscription that the buyer has to agree to and never saw: those are given up. So is what
// a look at the subscription does not show: it would stand in the way of every other call, of its end,
// too.
func (s *Service) LookUp(ctx context.Context, op core.Operation) error {
	forgotten := calls.KeyForgotten(op)
	cause := core.Cause{Kind: core.CauseRepair}
	if op.Kind == core.OpCreatePrice {
		return s.settlePrice(ctx, op, forgotten, "")
	}
	subscription, err := s.store.Subscription(ctx, core.SubscriptionID(op.Subject))
	if err != nil {
		return err
	}
	if subscription.Exists() {
		return s.lookUpVerb(ctx, subscription, op, cause)
	}
	provider, err := s.subscriber(op.Account)
	if err != nil {
		return err
	}
	if op.Kind != core.OpCreateSubscription || provider.Capabilities().Confirm == ports.ConfirmWithSource {
		return nil // money may have moved: it stays open, for staff, until an event shows it
	}
	_, err = s.observer.SettleSubscription(ctx, op, nil, forgotten, cause)
	return err
}

// lookUpVerb does it for an operation on a subscription that exists.
func (s *Service) lookUpVerb(ctx context.Context, subscription core.Subscription, op core.Operation, cause core.Cause) error {
	if op.Kind == core.OpSwapMethod {
		_, err := s.send(ctx, subscription, op, cause) // no look shows it
		return err
	}
	if _, err := s.observer.Sync(ctx, subscription.Ref(), cause); err != nil {
		return err
	}
	refuted, err := s.calls.Refuted(ctx, op.ID)
	if err != nil || refuted == nil {
		return err
	}
	_, err = s.observer.SettleSubscription(ctx, op, nil, refuted, cause)
	return err
}
