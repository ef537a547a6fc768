package paypal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const pathSubscriptions = "/v1/billing/subscriptions"

// subscriberNameCharsMax is of each part of a name.
const subscriberNameCharsMax = 140

// Why the shop did something, as PayPal wants to be told; the buyer may be shown it.
const (
	reasonPause  = "The shop paused the subscription."
	reasonResume = "The shop resumed the subscription."
	reasonCancel = "The shop canceled the subscription."
)

// CreateSubscription implements [ports.Subscriber]. The buyer agrees to it at PayPal, and it
// begins by that: our server asks for nothing more.
//
// Source: POST /v1/billing/subscriptions.
func (a *Adapter) CreateSubscription(ctx context.Context, key core.OperationKey, in ports.CreateSubscription) (ports.SubscriptionSession, error) {
	op := a.op("create for", string(in.Subscription))
	if err := checkKey(op, key); err != nil {
		return ports.SubscriptionSession{}, err
	}
	if err := checkPlan(op, in.ProviderPrice, in.Quantity); err != nil {
		return ports.SubscriptionSession{}, err
	}
	made, err := a.subscription(ctx, request{op: op, method: http.MethodPost, path: pathSubscriptions, key: key, body: CreateSubscriptionRequest{
		PlanID: in.ProviderPrice, Quantity: strconv.FormatInt(in.Quantity, 10), CustomID: string(in.Subscription), Subscriber: subscriberOf(in.Email, in.Name),
		ApplicationContext: SubscriptionContext{ReturnURL: in.ReturnURL, CancelURL: in.CancelURL, UserAction: "SUBSCRIBE_NOW", ShippingPreference: noShipping},
	}}, "")
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	session, err := a.subscriptionSession(ctx, op, made)
	if err == nil && (session.Snapshot.Subscription != in.Subscription || session.Snapshot.Price != in.ProviderPrice) {
		// What was asked for under the key before was something else.
		err = made.unusable(op, errOther)
	}
	if err != nil {
		return ports.SubscriptionSession{}, afterwards(err, made.ID)
	}
	return session, nil
}

// checkPlan refuses what PayPal cannot bill.
func checkPlan(op, plan string, quantity int64) error {
	if plan == "" || outbound.SafeID(plan) == "" {
		return outbound.Invalid(op, errNotOurRef)
	}
	if quantity < 1 || quantity > quantityMax {
		return outbound.Invalid(op, errQuantity)
	}
	return nil
}

// subscriberOf is the buyer for PayPal's page to be filled in; nil for one who is not known.
func subscriberOf(email, name string) *SubscriberRequest {
	if email == "" && name == "" {
		return nil
	}
	made := &SubscriberRequest{EmailAddress: email}
	if name != "" {
		given, surname := name, ""
		if n := strings.LastIndexByte(name, ' '); n > 0 {
			given, surname = name[:n], name[n+1:]
		}
		cut := func(text string) string {
			runes := []rune(text)
			return string(runes[:min(len(runes), subscriberNameCharsMax)])
		}
		made.Name = &SubscriberName{GivenName: cut(given), Surname: cut(surname)}
	}
	return made
}

// subscription makes a call whose answer is a subscription; id is empty where the answer makes
// it known. An answer that does not show the whole is followed by a look.
func (a *Adapter) subscription(ctx context.Context, r request, id string) (*SubscriptionObject, error) {
	got, err := a.api.do(ctx, r)
	if err != nil {
		return nil, err
	}
	shown := &SubscriptionObject{}
	if err := decode(r.op, got, shown); err != nil {
		return nil, err
	}
	shown.requestID = got.requestID
	if shown.ID == "" || outbound.SafeID(shown.ID) == "" || id != "" && shown.ID != id {
		return nil, unusable(r.op, got, errNoObject)
	}
	if r.method == http.MethodGet || shown.PlanID != "" && shown.CustomID != "" && shown.CreateTime != "" {
		return shown, nil
	}
	whole, err := a.lookAtSubscription(ctx, r.op, shown.ID)
	return whole, afterwards(err, shown.ID)
}

// lookAtSubscription fetches one.
//
// Source: GET /v1/billing/subscriptions/{id}.
func (a *Adapter) lookAtSubscription(ctx context.Context, op, id string) (*SubscriptionObject, error) {
	return a.subscription(ctx, request{op: op, method: http.MethodGet, path: pathSubscriptions + "/" + id}, id)
}

// subscriptionSession is a subscription with the buyer's next step, which PayPal's script takes
// on our page, or the buyer on PayPal's.
func (a *Adapter) subscriptionSession(ctx context.Context, op string, s *SubscriptionObject) (ports.SubscriptionSession, error) {
	seen, err := a.subscriptionSeen(ctx, op, s)
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	session := ports.SubscriptionSession{Snapshot: seen}
	if s.Status == subscriptionPending {
		session.Action = ports.BuyerAction{Type: ports.ActionPayPalSubscribe, URL: a.page(s.Links, relApprove)}
	}
	return session, nil
}

// OpenSubscription implements [ports.Subscriber].
func (a *Adapter) OpenSubscription(ctx context.Context, ref core.ProviderRef) (ports.SubscriptionSession, error) {
	op := a.op("open subscription", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSubscription); err != nil {
		return ports.SubscriptionSession{}, err
	}
	shown, err := a.lookAtSubscription(ctx, op, ref.ID)
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	return a.subscriptionSession(ctx, op, shown)
}

// GetSubscription implements [ports.Subscriber].
func (a *Adapter) GetSubscription(ctx context.Context, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	op := a.op("get subscription", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	shown, err := a.lookAtSubscription(ctx, op, ref.ID)
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	return a.subscriptionSeen(ctx, op, shown)
}

// PreviewChange implements [ports.Subscriber]. PayPal bills nothing within a period, so that it
// follows from the subscription. That a change counts from the next period on is not verified.
func (a *Adapter) PreviewChange(ctx context.Context, in ports.ChangeSubscription) (ports.ChangePreview, error) {
	op := a.op("preview change of", in.Ref.ID)
	if err := a.checkRef(op, in.Ref, core.ObjectSubscription); err != nil {
		return ports.ChangePreview{}, err
	}
	amount, err := in.Price.Amount.Mul(in.Quantity)
	if err != nil {
		return ports.ChangePreview{}, outbound.Invalid(op, err)
	}
	shown, err := a.lookAtSubscription(ctx, op, in.Ref.ID)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	if shown.Status == "" {
		return ports.ChangePreview{}, shown.unusable(op, errNoObject)
	}
	next := parseTime(shown.BillingInfo.NextBillingTime)
	return ports.ChangePreview{DueNow: core.Zero(amount.Currency()), NextAmount: amount, NextAt: next, EffectiveAt: next, BuyerAgrees: true}, nil
}

// ChangeSubscription implements [ports.Subscriber]. The buyer agrees to it on PayPal's page,
// where that is wanted; until then nothing has changed.
//
// Source: POST /v1/billing/subscriptions/{id}/revise.
func (a *Adapter) ChangeSubscription(ctx context.Context, key core.OperationKey, in ports.ChangeSubscription) (ports.SubscriptionSession, error) {
	op := a.op("change", in.Ref.ID)
	if err := a.check(op, key, in.Ref, core.ObjectSubscription); err != nil {
		return ports.SubscriptionSession{}, err
	}
	if err := checkPlan(op, in.ProviderPrice, in.Quantity); err != nil {
		return ports.SubscriptionSession{}, err
	}
	got, err := a.api.do(ctx, request{op: op, method: http.MethodPost, path: pathSubscriptions + "/" + in.Ref.ID + "/revise", key: key, body: ReviseRequest{
		PlanID: in.ProviderPrice, Quantity: strconv.FormatInt(in.Quantity, 10),
		ApplicationContext: SubscriptionContext{ReturnURL: in.ReturnURL, CancelURL: in.CancelURL, ShippingPreference: noShipping},
	}})
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	var revised struct {
		PlanID string `json:"plan_id"`
		Links  []Link `json:"links"`
	}
	if err := decode(op, got, &revised); err != nil {
		return ports.SubscriptionSession{}, err
	}
	if revised.PlanID != in.ProviderPrice {
		return ports.SubscriptionSession{}, unusable(op, got, errOther)
	}
	shown, err := a.lookAtSubscription(ctx, op, in.Ref.ID)
	if err != nil {
		return ports.SubscriptionSession{}, afterwards(err, in.Ref.ID)
	}
	seen, err := a.subscriptionSeen(ctx, op, shown)
	if err != nil {
		return ports.SubscriptionSession{}, afterwards(err, in.Ref.ID)
	}
	session := ports.SubscriptionSession{Snapshot: seen}
	if page := a.page(revised.Links, relApprove); page != "" {
		session.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: page}
	}
	return session, nil
}

// PauseSubscription implements [ports.Subscriber].
//
// Source: POST /v1/billing/subscriptions/{id}/suspend.
func (a *Adapter) PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, a.op("pause", ref.ID), key, ref, "/suspend", reasonPause, subscriptionSuspended)
}

// ResumeSubscription implements [ports.Subscriber].
//
// Source: POST /v1/billing/subscriptions/{id}/activate.
func (a *Adapter) ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.move(ctx, a.op("resume", ref.ID), key, ref, "/activate", reasonResume, subscriptionActive)
}

// CancelSubscription implements [ports.Subscriber]. PayPal ends it at once. One that the buyer
// has not agreed to yet cannot be ended: PayPal refuses that.
//
// Source: POST /v1/billing/subscriptions/{id}/cancel.
func (a *Adapter) CancelSubscription(ctx context.Context, key core.OperationKey, in ports.CancelSubscription) (core.SubscriptionSnapshot, error) {
	op := a.op("cancel subscription", in.Ref.ID)
	if in.AtPeriodEnd {
		return core.SubscriptionSnapshot{}, outbound.Invalid(op, errPeriodEnd)
	}
	return a.move(ctx, op, key, in.Ref, "/cancel", reasonCancel, subscriptionCancelled, subscriptionExpired)
}

// KeepSubscription implements [ports.Subscriber]. PayPal has no end that is to come.
func (a *Adapter) KeepSubscription(_ context.Context, _ core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return core.SubscriptionSnapshot{}, outbound.Invalid(a.op("keep", ref.ID), errKeep)
}

// UpdateSubscriptionMethod implements [ports.Subscriber]. At PayPal the buyer alone chooses it,
// on PayPal's page.
func (a *Adapter) UpdateSubscriptionMethod(_ context.Context, _ core.OperationKey, ref core.ProviderRef, _ string) (core.SubscriptionSnapshot, error) {
	return core.SubscriptionSnapshot{}, outbound.Invalid(a.op("update method of", ref.ID), errSwap)
}

// move changes a subscription's status, for a reason. PayPal knows these calls by no key: of
// one that it refuses, and of one that it answers with nothing, the subscription itself tells
// whether it is done.
func (a *Adapter) move(
	ctx context.Context, op string, key core.OperationKey, ref core.ProviderRef, verb, reason string, done ...string,
) (core.SubscriptionSnapshot, error) {
	if err := a.check(op, key, ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	_, refused := a.api.do(ctx, request{
		op: op, method: http.MethodPost, path: pathSubscriptions + "/" + ref.ID + verb, key: key, body: ReasonRequest{Reason: reason},
	})
	if refused != nil && !isInvalid(refused) || isMissing(refused) {
		return core.SubscriptionSnapshot{}, refused
	}
	shown, err := a.lookAtSubscription(ctx, op, ref.ID)
	if refused != nil && isInvalid(err) {
		return core.SubscriptionSnapshot{}, refused
	}
	if err != nil {
		return core.SubscriptionSnapshot{}, afterwards(err, ref.ID)
	}
	if !slices.Contains(done, shown.Status) {
		if refused != nil {
			return core.SubscriptionSnapshot{}, refused
		}
		return core.SubscriptionSnapshot{}, shown.unusable(op, errNotWhole)
	}
	seen, err := a.subscriptionSeen(ctx, op, shown)
	return seen, afterwards(err, ref.ID)
}
