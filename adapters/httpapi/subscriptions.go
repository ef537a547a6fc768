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
	Customer string   `query:"customer"`
	Status   []string `query:"status" doc:"Any of these, with commas between them"`
	PageQuery
}

// ChangedSubscription is a subscription after a change was asked for.
type ChangedSubscription struct {
	view.Subscription
	ActionURL *string `json:"action_url" doc:"Send the buyer here, who has to agree first; null where they have not. Until then nothing changes."`
}

// ChangePreview is what a change would come to.
type ChangePreview struct {
	DueNow      int64         `json:"due_now" doc:"Asked for at once, in minor units; negative where something is credited"`
	NextAmount  int64         `json:"next_amount" doc:"Asked for at next_at"`
	Currency    core.Currency `json:"currency"`
	NextAt      *view.Time    `json:"next_at"`
	EffectiveAt *view.Time    `json:"effective_at"`
	BuyerAgrees bool          `json:"buyer_agrees" doc:"Whether the buyer has to agree at the provider first"`
}

// MethodLink is where a buyer can change what a subscription is paid with.
type MethodLink struct {
	URL      string           `json:"url" doc:"Send the buyer here"`
	Checkout *core.CheckoutID `json:"checkout" doc:"Null where it is the provider's own page"`
}

type subscriptionVerb struct {
	SubscriptionPath
	MayBeKeyed
	NoFields
}

type subscriptionChange struct {
	Price     string `json:"price,omitempty" doc:"The one that it has where absent"`
	Quantity  int64  `json:"quantity,omitempty" minimum:"1" maximum:"10000" doc:"The one that it has where absent"`
	Proration string `json:"proration,omitempty" enum:"none,create" default:"none" doc:"create bills the rest of the period"`
}

type changeCall struct {
	SubscriptionPath
	Keyed
	Body subscriptionChange
}

type previewCall struct {
	SubscriptionPath
	MayBeKeyed
	Body subscriptionChange
}

type endCall struct {
	SubscriptionPath
	MayBeKeyed
	Body *struct {
		AtPeriodEnd bool `json:"at_period_end,omitempty" doc:"When the paid period ends, instead of now"`
	} `required:"false"`
}

type linkCall struct {
	SubscriptionPath
	Keyed
	NoFields
}

const openAnswer = "202 with the subscription as it was means that the provider gave no answer; it is settled by itself."

func (s *server) subscriptionCalls(api huma.API) {
	verb := func(id, path, summary, note string) huma.Operation {
		call := operation(id, http.MethodPost, "/v1/subscriptions/{id}"+path, http.StatusOK, summary, providerErrors...)
		call.Description = note
		return call
	}
	huma.Register(api, operation("getSubscription", http.MethodGet, "/v1/subscriptions/{id}", http.StatusOK, "Read a subscription"), s.getSubscription)
	huma.Register(api, operation("listSubscriptions", http.MethodGet, "/v1/subscriptions", http.StatusOK, "List subscriptions, newest first"), s.listSubscriptions)
	huma.Register(api, operation("listInvoices", http.MethodGet, "/v1/subscriptions/{id}/invoices", http.StatusOK, "List a subscription's invoices, newest first"), s.listInvoices)
	huma.Register(api, verb("pauseSubscription", "/pause", "Pause a subscription", "Nothing is asked for until it is resumed; at some providers from the next period on. "+openAnswer), s.pauseSubscription)
	huma.Register(api, verb("resumeSubscription", "/resume", "Resume a subscription", "A paused one goes on; an end that is to come is called off. "+openAnswer), s.resumeSubscription)
	huma.Register(api, verb("cancelSubscription", "/cancel", "End a subscription", "Now, or when the paid period ends. "+openAnswer), s.cancelSubscription)
	huma.Register(api, verb("changeSubscription", "/change", "Change price or quantity", openAnswer), s.changeSubscription)
	huma.Register(api, verb("previewSubscriptionChange", "/change/preview", "Preview a change", "Nothing changes by it."), s.previewChange)
	huma.Register(api, verb("linkSubscriptionMethod", "/method_link", "Let the buyer change the payment method",
		"Where its provider takes one, a checkout that saves a method for it; the provider's own page otherwise."), s.linkMethod)
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
	var filter ports.SubscriptionFilter
	for _, text := range in.Status {
		status := core.SubscriptionStatus(text)
		if !status.Known() {
			return nil, invalidFields(FieldError{Location: "query.status", Message: "must be a subscription's status, or several with commas between them"})
		}
		filter.Statuses = append(filter.Statuses, status)
	}
	if in.Customer != "" {
		id, err := core.ParseID[core.CustomerID](in.Customer)
		if err != nil {
			return nil, invalidFields(FieldError{Location: "query.customer", Message: err.Error()})
		}
		filter.Customer = id
	}
	found, err := s.subscriptions.List(ctx, filter, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	place := func(s core.Subscription) core.Cursor { return core.Cursor{At: s.CreatedAt, ID: string(s.ID)} }
	return answered(http.StatusOK, partOf(found, view.OfSubscription, place)), nil
}

func (s *server) listInvoices(ctx context.Context, in *struct {
	SubscriptionPath
	PageQuery
},
) (*answer[list[view.Invoice]], error) {
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
	place := func(i core.Invoice) core.Cursor { return core.Cursor{At: i.IssuedAt, ID: string(i.ID)} }
	return answered(http.StatusOK, partOf(found, view.OfInvoice, place)), nil
}

// verbOf reads what a call is about.
func verbOf(ctx context.Context, text string) (subscriptions.Verb, error) {
	id, err := parseID[core.SubscriptionID](text)
	return subscriptions.Verb{Subscription: id, RequestKey: callerOf(ctx).request, Cause: callerOf(ctx).cause()}, err
}

// outcome answers 200 where the call did what was asked, and 202 where its provider gave no answer
// yet.
func (s *server) outcome(ctx context.Context, outcome subscriptions.Outcome, err error) (*answer[view.Subscription], error) {
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(statusOf(outcome), view.OfSubscription(outcome.Subscription)), nil
}

func statusOf(outcome subscriptions.Outcome) int {
	if outcome.Open {
		return http.StatusAccepted
	}
	return http.StatusOK
}

func (s *server) pauseSubscription(ctx context.Context, in *subscriptionVerb) (*answer[view.Subscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Pause(ctx, verb)
	return s.outcome(ctx, outcome, err)
}

func (s *server) resumeSubscription(ctx context.Context, in *subscriptionVerb) (*answer[view.Subscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Resume(ctx, verb)
	return s.outcome(ctx, outcome, err)
}

func (s *server) cancelSubscription(ctx context.Context, in *endCall) (*answer[view.Subscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Cancel(ctx, verb, in.Body != nil && in.Body.AtPeriodEnd)
	return s.outcome(ctx, outcome, err)
}

func (c subscriptionChange) of(verb subscriptions.Verb) subscriptions.Change {
	return subscriptions.Change{Verb: verb, Price: c.Price, Quantity: c.Quantity, Prorate: c.Proration == "create"}
}

func (s *server) changeSubscription(ctx context.Context, in *changeCall) (*answer[ChangedSubscription], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := s.subscriptions.Change(ctx, in.Body.of(verb))
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	changed := ChangedSubscription{Subscription: view.OfSubscription(outcome.Subscription)}
	if outcome.ActionURL != "" {
		changed.ActionURL = &outcome.ActionURL
	}
	return answered(statusOf(outcome), changed), nil
}

func (s *server) previewChange(ctx context.Context, in *previewCall) (*answer[ChangePreview], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	preview, err := s.subscriptions.PreviewChange(ctx, in.Body.of(verb))
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	shown := ChangePreview{
		DueNow: preview.DueNow.Minor(), NextAmount: preview.NextAmount.Minor(), Currency: preview.NextAmount.Currency(), BuyerAgrees: preview.BuyerAgrees,
	}
	if !preview.NextAt.IsZero() {
		shown.NextAt = &view.Time{Time: preview.NextAt}
	}
	if !preview.EffectiveAt.IsZero() {
		shown.EffectiveAt = &view.Time{Time: preview.EffectiveAt}
	}
	return answered(http.StatusOK, shown), nil
}

func (s *server) linkMethod(ctx context.Context, in *linkCall) (*answer[MethodLink], error) {
	verb, err := verbOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	link, err := s.subscriptions.MethodLink(ctx, verb)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	shown := MethodLink{URL: link.URL}
	if link.Checkout.ID != "" {
		shown.Checkout = &link.Checkout.ID
	}
	return answered(http.StatusOK, shown), nil
}
