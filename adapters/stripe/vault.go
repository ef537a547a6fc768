package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	objectCustomer = "customer"
	objectSetup    = "setup_intent"
	objectMethod   = "payment_method"
	expandMethod   = "payment_method"
)

var (
	errNotTheCustomer = errors.New("answer is not the customer that was asked for")
	errNotTheSetup    = errors.New("answer is not the setup that was asked about")
	errNotTheMethod   = errors.New("answer is not the method that was asked about")
	errInBrowser      = errors.New("account saves methods in the buyer's browser")
)

// CreateCustomer implements [ports.Vault].
//
// Source: POST /v1/customers.
func (a *Adapter) CreateCustomer(ctx context.Context, key core.OperationKey, in ports.CreateCustomer) (string, error) {
	op := a.op("create customer for", string(in.Customer))
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	c := begin(ctx, op)
	params := &stripesdk.CustomerParams{Params: c.params(key)}
	if in.Email != "" {
		params.Email = new(in.Email)
	}
	if in.Name != "" {
		params.Name = new(in.Name)
	}
	params.AddMetadata(metadataCustomer, string(in.Customer))
	customer, err := a.api.Customers.New(params)
	if err != nil {
		return "", c.failed(err)
	}
	c.answered(customer.LastResponse)
	if customer.Object != objectCustomer || outbound.SafeID(customer.ID) == "" {
		return "", c.Unusable(errNotTheCustomer)
	}
	return customer.ID, nil
}

// CreateSetup implements [ports.Vault]. Where the buyer comes back to is said by the page at
// confirmation, as with payments.
//
// Source: POST /v1/setup_intents.
func (a *Adapter) CreateSetup(ctx context.Context, key core.OperationKey, in ports.CreateSetup) (ports.SetupSession, error) {
	op := a.op("create setup for", string(in.Method))
	if err := checkKey(op, key); err != nil {
		return ports.SetupSession{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.SetupIntentParams{
		Params: c.params(key), Customer: new(in.ProviderCustomer), Usage: stripesdk.String(string(stripesdk.SetupIntentUsageOffSession)),
		AutomaticPaymentMethods: &stripesdk.SetupIntentAutomaticPaymentMethodsParams{Enabled: new(true)},
	}
	params.AddMetadata(metadataMethod, string(in.Method))
	params.AddMetadata(metadataCustomer, string(in.Customer))
	params.AddExpand(expandMethod)
	intent, err := a.api.SetupIntents.New(params)
	return a.setup(c, "", intent, err)
}

// OpenSetup implements [ports.Vault].
//
// Source: GET /v1/setup_intents/{id}.
func (a *Adapter) OpenSetup(ctx context.Context, ref core.ProviderRef) (ports.SetupSession, error) {
	op := a.op("open setup", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSetup); err != nil {
		return ports.SetupSession{}, err
	}
	return a.lookAtSetup(ctx, op, ref.ID)
}

func (a *Adapter) lookAtSetup(ctx context.Context, op, id string) (ports.SetupSession, error) {
	c := begin(ctx, op)
	params := &stripesdk.SetupIntentParams{Params: c.params("")}
	params.AddExpand(expandMethod)
	intent, err := a.api.SetupIntents.Get(id, params)
	return a.setup(c, id, intent, err)
}

// ConfirmSetup implements [ports.Vault]. It is never called: the buyer's browser confirms.
func (a *Adapter) ConfirmSetup(_ context.Context, _ core.OperationKey, in ports.ConfirmSetup) (core.MethodSnapshot, error) {
	return core.MethodSnapshot{}, outbound.Invalid(a.op("confirm setup", in.Ref.ID), errInBrowser)
}

// GetMethod implements [ports.Vault].
//
// Source: GET /v1/setup_intents/{id} and /v1/payment_methods/{id}.
func (a *Adapter) GetMethod(ctx context.Context, ref core.ProviderRef) (core.MethodSnapshot, error) {
	op := a.op("get "+string(ref.Kind), ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSetup, core.ObjectMethod); err != nil {
		return core.MethodSnapshot{}, err
	}
	if ref.Kind == core.ObjectSetup {
		session, err := a.lookAtSetup(ctx, op, ref.ID)
		return session.Snapshot, err
	}
	c := begin(ctx, op)
	method, err := a.api.PaymentMethods.Get(ref.ID, &stripesdk.PaymentMethodParams{Params: c.params("")})
	if err != nil {
		if refused := c.failed(err); !isMissing(refused) {
			return core.MethodSnapshot{}, refused
		}
		return core.MethodSnapshot{Ref: ref, Status: core.MethodRemoved, Environment: a.env}, nil
	}
	c.answered(method.LastResponse)
	if method.Object != objectMethod || method.ID != ref.ID {
		return core.MethodSnapshot{}, c.Unusable(errNotTheMethod)
	}
	seen := core.MethodSnapshot{Environment: environment(method.Livemode)}
	a.tellMethod(&seen, method)
	return seen, nil
}

// DetachMethod implements [ports.Vault]. Stripe refuses to detach what is detached.
//
// Source: POST /v1/payment_methods/{id}/detach.
func (a *Adapter) DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error {
	op := a.op("detach", ref.ID)
	if err := a.checkOrder(op, key, ref, core.ObjectMethod); err != nil {
		return err
	}
	c := begin(ctx, op)
	method, err := a.api.PaymentMethods.Detach(ref.ID, &stripesdk.PaymentMethodDetachParams{Params: c.params(key)})
	if err == nil {
		c.answered(method.LastResponse)
		if method.Object != objectMethod || method.ID != ref.ID {
			return c.Unusable(errNotTheMethod)
		}
		return nil
	}
	refused := c.failed(err)
	if !isRefusal(refused) {
		return refused
	}
	present, err := a.GetMethod(ctx, ref)
	switch {
	case err == nil && present.Status == core.MethodRemoved:
		return nil
	case err == nil || isRefusal(err):
		return refused
	}
	return err
}

// setup gives what an answer shows of the setup that it was asked about, together with the
// buyer's next step.
func (a *Adapter) setup(c *call, wanted string, intent *stripesdk.SetupIntent, err error) (ports.SetupSession, error) {
	if err != nil {
		return ports.SetupSession{}, c.failed(err)
	}
	c.answered(intent.LastResponse)
	if intent.Object != objectSetup || intent.ID == "" || wanted != "" && intent.ID != wanted {
		return ports.SetupSession{}, c.Unusable(errNotTheSetup)
	}
	seen := core.MethodSnapshot{
		Ref: a.ref(core.ObjectMethod, ""), Setup: intent.ID, Method: own[core.MethodID](intent.Metadata, metadataMethod),
		Status: setupStatus(intent), Environment: environment(intent.Livemode),
	}
	if intent.Customer != nil {
		seen.Customer = outbound.SafeID(intent.Customer.ID)
	}
	if seen.Status == core.MethodFailed {
		seen.Failure = failure(intent.LastSetupError)
		if failed := intent.LastSetupError; failed != nil && failed.PaymentMethod != nil {
			seen.Details = methodDetails(failed.PaymentMethod)
		}
	}
	if seen.Status == core.MethodActive {
		if intent.PaymentMethod == nil || intent.PaymentMethod.Object != objectMethod || outbound.SafeID(intent.PaymentMethod.ID) == "" {
			return ports.SetupSession{}, c.Unusable(errNotTheMethod)
		}
		a.tellMethod(&seen, intent.PaymentMethod)
	}
	seen.ForeignStatus = outbound.SafeCode(string(intent.Status))
	session := ports.SetupSession{Snapshot: seen}
	if confirmable(intent.Status) {
		session.Action = ports.BuyerAction{Type: ports.ActionStripeSetup, ClientSecret: intent.ClientSecret}
	}
	return session, nil
}

// tellMethod tells of a saved method. It can be charged as long as it is a customer's.
func (a *Adapter) tellMethod(into *core.MethodSnapshot, method *stripesdk.PaymentMethod) {
	into.Ref, into.Details, into.Customer = a.ref(core.ObjectMethod, method.ID), methodDetails(method), ""
	into.Status, into.ForeignStatus = core.MethodRemoved, "detached"
	if method.Customer != nil && method.Customer.ID != "" {
		into.Customer = outbound.SafeID(method.Customer.ID)
		into.Status, into.ForeignStatus = core.MethodActive, "attached"
	}
}

// setupStatus is ours for Stripe's. One that is not known here is none at all.
//
// Source: docs.stripe.com/payments/intents, the lifecycle of a SetupIntent.
func setupStatus(intent *stripesdk.SetupIntent) core.MethodStatus {
	switch intent.Status {
	case stripesdk.SetupIntentStatusRequiresPaymentMethod:
		if intent.LastSetupError != nil {
			return core.MethodFailed // this attempt did; the intent can still be confirmed
		}
		return core.MethodPending
	case stripesdk.SetupIntentStatusRequiresConfirmation, stripesdk.SetupIntentStatusRequiresAction, stripesdk.SetupIntentStatusProcessing:
		return core.MethodPending
	case stripesdk.SetupIntentStatusSucceeded:
		return core.MethodActive
	case stripesdk.SetupIntentStatusCanceled:
		return core.MethodFailed
	}
	return ""
}

// confirmable tells whether a buyer could still confirm the setup.
func confirmable(status stripesdk.SetupIntentStatus) bool {
	return status == stripesdk.SetupIntentStatusRequiresPaymentMethod || status == stripesdk.SetupIntentStatusRequiresConfirmation ||
		status == stripesdk.SetupIntentStatusRequiresAction
}
