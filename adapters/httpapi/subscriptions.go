package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// SubscriptionPath names a subscription.
type SubscriptionPath struct {
	ID string `path:"id" example:"sub_01jd0000000000000000000000"`
}

type subscriptionQuery struct {
	PageQuery
	Customer string   `query:"customer"`
	Status   []string `query:"status" doc:"Any of these, with commas between them"`
}

type plainVerb struct {
	SubscriptionPath
	MayBeKeyed
	NoFields
}

type linkForMethod struct {
	SubscriptionPath
	Keyed
	NoFields
}

type cancelSubscription struct {
	SubscriptionPath
	MayBeKeyed
	Body *struct {
		AtPeriodEnd bool `json:"at_period_end,omitempty" doc:"When the paid period ends, and not at once"`
	} `required:"false"`
}

// SubscriptionChange is another price or quantity.
type SubscriptionChange struct {
	Price     string `json:"price,omitempty" doc:"The one that it has where absent"`
	Quantity  int64  `json:"quantity,omitempty" minimum:"1" maximum:"10000" doc:"The one that it has where absent"`
	Proration string `json:"proration,omitempty" enum:"none,create" default:"none" doc:"Whether what is left of the period is billed"`
}

type changeSubscription struct {
	SubscriptionPath
	Keyed
	Body SubscriptionChange
}

type previewChange struct {
	SubscriptionPath
	MayBeKeyed
	Body SubscriptionChange
}

type invoicesOf struct {
	SubscriptionPath
	PageQuery
}

// changedSubscription is a subscription with what its buyer has to do yet.
type changedSubscription struct {
	view.Subscription
	ActionURL *string `json:"action_url" doc:"Where the buyer agrees to the change at the provider; null where they need not. Until they have, nothing is changed."`
}

// changePreview is what a change would come to.
type changePreview struct {
	DueNow      int64         `json:"due_now" doc:"Asked for at once, in minor units; below zero where something is credited"`
	NextAmount  int64         `json:"next_amount" doc:"Asked for at next_at"`
	Currency    core.Currency `json:"currency"`
	NextAt      *view.Time    `json:"next_at"`
	EffectiveAt *view.Time    `json:"effective_at"`
	BuyerAgrees bool          `json:"buyer_agrees" doc:"Whether the buyer has to agree at the provider"`
}

// methodLink is where the buyer changes what a subscription is paid with.
type methodLink struct {
	URL      string           `json:"url"`
	Checkout *core.CheckoutID `json:"checkout" doc:"Null where it is the provider's own page"`
}

func (s *server) subscriptionCalls(api huma.API) {
	const path = "/v1/subscriptions/{id}"
	const open = " 202 with the subscription as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, operation("getSubscription", http.MethodGet, path, http.StatusOK, "Read a subscription"), s.getSubscription)
	huma.Register(api, operation("listSubscriptions", http.MethodGet, "/v1/subscriptions", http.StatusOK, "List subscriptions, newest first"), s.listSubscriptions)
	huma.Register(api, operation("listInvoices", http.MethodGet, path+"/invoices", http.StatusOK, "List a subscription's invoices, newest first"), s.listInvoices)
	verb := func(id, name, summary, description string) huma.Operation {
		o := operation(id, http.MethodPost, path+name, http.StatusOK, summary, providerErrors...)
		o.Description = description + " `unsupported` where the provider's billing cannot do it." + open
		return o
	}
	huma.Register(api, verb("pauseSubscription", "/pause", "Pause a subscription", "Nothing is asked for until it is resumed; at some providers from the next period on."), s.pauseSubscription)
	huma.Register(api, verb("resumeSubscription", "/resume", "Resume a subscription", "Goes on with one that is paused, or undoes an end that is to come."), s.resumeSubscription)
	huma.Register(api, verb("cancelSubscription", "/cancel", "Cancel a subscription", "At once, or when the paid period ends."), s.cancelSubscription)
	huma.Register(api, verb("changeSubscription", "/change", "Change price or quantity", "202 with an `action_url` means that the buyer has to agree there first."), s.changeSubscription)
	preview := operation("previewChange", http.MethodPost, path+"/change/preview", http.StatusOK, "Tell what a change would come to", providerErrors...)
	preview.Description = "Changes nothing."
	huma.Register(api, preview, s.previewChange)
	link := operation("linkForMethod", http.MethodPost, path+"/method_link", http.StatusOK, "Give the buyer a link to change the method", providerErrors...)
	link.Description = "For one whose payment failed, or at any other time."
	huma.Register(api, link, s.linkForMethod)
}

func (s *server) getSubscription(ctx context.Context, in *SubscriptionPath) (*answer[view.Subscription], error) {
	id, err := parseID[core.SubscriptionID](in.ID)
	if err != nil {
		return nil, err
	}
	subscription, err := s.subscriptions.Get(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfSubscription(subscription)), nil
}

func (s *server) listSubscriptions(ctx context.Context, in *subscriptionQuery) (*answer[list[view.Subscription]], error) {
	page, refused := pageOf[core.SubscriptionID](in.PageQuery)
	if refused != nil {
		return nil, refused
	}
	var fields []FieldError
	filter := ports.SubscriptionFilter{}
	if in.Customer != "" {
		id, err := core.ParseID[core.CustomerID](in.Customer)
		if err != nil {
			fields = append(fields, FieldError{Location: "query.customer", Message: err.Error()})
		}
		filter.Customer = id
	}
	for _, text := range in.Status {
		status := core.SubscriptionStatus(text)
		if !status.Known() {
			fields = append(fields, FieldError{Location: "query.status", Message: "must be a subscription's status, or several with commas between them"})
		}
		filter.Statuses = append(filter.Statuses, status)
	}
	if refused := invalidFields(fields...); refused != nil {
		return nil, refused
	}
	found, err := s.subscriptions.List(ctx, filter, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, partOf(found, view.OfSubscription, func(one core.Subscription) core.Cursor {
		return core.Cursor{At: one.CreatedAt, ID: string(one.ID)}
	})), nil
}

func (s *server) listInvoices(ctx context.Context, in *invoicesOf) (*answer[list[view.Invoice]], error) {
	id, err := parseID[core.SubscriptionID](in.ID)
	if err != nil {
		return nil, err
	}
	page, refused := pageOf[core.InvoiceID](in.PageQuery)
	if refused != nil {
		return nil, refused
	}
	found, err := s.subscriptions.Invoices(ctx, id, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, partOf(found, view.OfInvoice, func(one core.Invoice) core.Cursor {
		return core.Cursor{At: one.IssuedAt, ID: string(one.ID)}
	})), nil
}

// verbOf names the subscription that a call acts on.
func verbOf(ctx context.Context, text string) (subscriptions.Verb, error) {
	id, err := parseID[core.SubscriptionID](text)
	return subscriptions.Verb{Subscription: id, RequestKey: callerOf(ctx).request, Cause: callerOf(ctx).cause()}, err
}

// became answers 200 with what a verb made of a subscription, and 202 where that is open.
func (s *server) became(ctx context.Context, outcome subscriptions.Outcome, err error) (*answer[changedSubscription], error) {
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	shown := changedSubscription{Subscription: view.OfSubscription(outcome.Subscription)}
	status := http.StatusOK
	if outcome.ActionURL != "" {
		shown.ActionURL, status = &outcome.ActionURL, http.StatusAccepted
	}
	if outcome.Open {
		status = http.StatusAccepted
	}
	return answered(status, shown), nil
}

func (s *server) pauseSubscription(ctx context.Context, in *plainVerb) (*answer[changedSubscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Pause(ctx, verb)
	return s.became(ctx, outcome, err)
}

func (s *server) resumeSubscription(ctx context.Context, in *plainVerb) (*answer[changedSubscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Resume(ctx, verb)
	return s.became(ctx, outcome, err)
}

func (s *server) cancelSubscription(ctx context.Context, in *cancelSubscription) (*answer[changedSubscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Cancel(ctx, verb, in.Body != nil && in.Body.AtPeriodEnd)
	return s.became(ctx, outcome, err)
}

func (c SubscriptionChange) of(verb subscriptions.Verb) subscriptions.Change {
	return subscriptions.Change{Verb: verb, Price: c.Price, Quantity: c.Quantity, Prorate: c.Proration == "create"}
}

func (s *server) changeSubscription(ctx context.Context, in *changeSubscription) (*answer[changedSubscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Change(ctx, in.Body.of(verb))
	return s.became(ctx, outcome, err)
}

func (s *server) previewChange(ctx context.Context, in *previewChange) (*answer[changePreview], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	preview, err := s.subscriptions.PreviewChange(ctx, in.Body.of(verb))
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, changePreview{
		DueNow: preview.DueNow.Minor(), NextAmount: preview.NextAmount.Minor(), Currency: preview.NextAmount.Currency(),
		NextAt: view.OptionalTime(preview.NextAt), EffectiveAt: view.OptionalTime(preview.EffectiveAt), BuyerAgrees: preview.BuyerAgrees,
	}), nil
}

func (s *server) linkForMethod(ctx context.Context, in *linkForMethod) (*answer[methodLink], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	link, err := s.subscriptions.MethodLink(ctx, verb)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	shown := methodLink{URL: link.URL}
	if link.Checkout.ID != "" {
		shown.Checkout = &link.Checkout.ID
	}
	return answered(http.StatusOK, shown), nil
}
