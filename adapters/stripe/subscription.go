package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const objectSubscription = "subscription"

var (
	errNotTheSubscription = errors.New("answer is not the subscription that was asked about")
	errNotOneItem         = errors.New("subscription does not have exactly one item")
)

// expandSubscription asks for what a subscription is told by beside itself.
func expandSubscription(params interface{ AddExpand(field string) }) {
	params.AddExpand("latest_invoice.payment_intent")
	params.AddExpand("pending_setup_intent")
	params.AddExpand("default_payment_method")
}

// CreateSubscription implements [ports.Subscriber]. The method that its first payment, or its
// trial, is confirmed with is kept for those to come; a trial that nobody left a method for ends
// the subscription.
//
// Source: POST /v1/subscriptions, with payment_behavior default_incomplete.
func (a *Adapter) CreateSubscription(ctx context.Context, key core.OperationKey, in ports.CreateSubscription) (ports.SubscriptionSession, error) {
	op := a.op("create subscription for", string(in.Subscription))
	if err := checkKey(op, key); err != nil {
		return ports.SubscriptionSession{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.SubscriptionParams{
		Params: c.params(key), Customer: new(in.ProviderCustomer),
		Items:           []*stripesdk.SubscriptionItemsParams{{Price: new(in.ProviderPrice), Quantity: new(in.Quantity)}},
		PaymentBehavior: new("default_incomplete"),
		PaymentSettings: &stripesdk.SubscriptionPaymentSettingsParams{
			SaveDefaultPaymentMethod: stripesdk.String(string(stripesdk.SubscriptionPaymentSettingsSaveDefaultPaymentMethodOnSubscription)),
		},
	}
	if in.Price.Recurring != nil && in.Price.Recurring.TrialDays > 0 {
		params.TrialPeriodDays = new(int64(in.Price.Recurring.TrialDays))
		params.TrialSettings = &stripesdk.SubscriptionTrialSettingsParams{EndBehavior: &stripesdk.SubscriptionTrialSettingsEndBehaviorParams{
			MissingPaymentMethod: stripesdk.String(string(stripesdk.SubscriptionTrialSettingsEndBehaviorMissingPaymentMethodCancel)),
		}}
	}
	params.AddMetadata(metadataSubscription, string(in.Subscription))
	params.AddMetadata(metadataCustomer, string(in.Customer))
	params.AddMetadata(metadataPrice, string(in.Price.ID))
	expandSubscription(params)
	made, err := a.api.Subscriptions.New(params)
	return a.subscription(c, "", made, err)
}

// OpenSubscription implements [ports.Subscriber].
//
// Source: GET /v1/subscriptions/{id}.
func (a *Adapter) OpenSubscription(ctx context.Context, ref core.ProviderRef) (ports.SubscriptionSession, error) {
	op := a.op("open subscription", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSubscription); err != nil {
		return ports.SubscriptionSession{}, err
	}
	return a.lookAtSubscription(ctx, op, ref.ID)
}

// GetSubscription implements [ports.Subscriber].
//
// Source: GET /v1/subscriptions/{id} and GET /v1/invoices.
func (a *Adapter) GetSubscription(ctx context.Context, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	op := a.op("get subscription", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	session, err := a.lookAtSubscription(ctx, op, ref.ID)
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	seen := session.Snapshot
	if seen.Invoices, err = a.invoicesOf(ctx, op, ref.ID); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	return seen, nil
}

func (a *Adapter) lookAtSubscription(ctx context.Context, op, id string) (ports.SubscriptionSession, error) {
	c := begin(ctx, op)
	params := &stripesdk.SubscriptionParams{Params: c.params("")}
	expandSubscription(params)
	found, err := a.api.Subscriptions.Get(id, params)
	return a.subscription(c, id, found, err)
}
