package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	stripesdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	eventsPath        = "/v1/events"
	refundsPath       = "/v1/refunds"
	disputesPath      = "/v1/disputes"
	subscriptionsPath = "/v1/subscriptions"
	endpointsPath     = "/v1/webhook_endpoints"
)

// everySubscription has those listed as well that have ended.
const everySubscription = "all"

var errNotListed = errors.New("objects of this kind are not listed by this time")

// rawPage is one page of a list, its objects as they stand: one that cannot be read does not
// keep the others from being read, as it would in the SDK's own lists.
type rawPage struct {
	stripesdk.APIResource
	stripesdk.ListMeta

	Data []json.RawMessage `json:"data"`
}

// page fetches one page of a list, and what to ask for the next with; empty on the last.
func (a *Adapter) page(c *call, path string, params stripesdk.ListParamsContainer) (*rawPage, string, error) {
	asked, list := &form.Values{}, &rawPage{}
	form.AppendTo(asked, params)
	api := a.api.Events // all clients of the API are alike
	if err := api.B.CallRaw(http.MethodGet, path, api.Key, asked, params.GetListParams().GetParams(), list); err != nil {
		return nil, "", c.failed(err)
	}
	c.answered(list.LastResponse)
	if list.URL == "" { // any JSON would pass for an empty page otherwise
		return nil, "", c.Unusable(errNotAList)
	}
	if !list.HasMore {
		return list, "", nil
	}
	for _, text := range slices.Backward(list.Data) {
		var last struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(text, &last); err == nil && outbound.SafeID(last.ID) != "" {
			return list, last.ID, nil
		}
	}
	return nil, "", c.Unusable(errNotAList)
}

// ListEvents implements [ports.EventLister].
//
// Source: GET /v1/events.
func (a *Adapter) ListEvents(ctx context.Context, in ports.ListEvents) (ports.EventList, error) {
	c := begin(ctx, a.op("list", "events"))
	page, next, err := a.page(c, eventsPath, &stripesdk.EventListParams{ListParams: c.after(in.Cursor, in.Limit), CreatedRange: within(in.From, in.Until)})
	if err != nil {
		return ports.EventList{}, err
	}
	list := ports.EventList{NextCursor: next}
	for _, text := range page.Data {
		var made struct {
			Created int64 `json:"created"`
		}
		delivery, err := a.delivery(text)
		if err != nil || json.Unmarshal(text, &made) != nil || made.Created <= 0 {
			list.Unreadable++
			continue
		}
		list.Events = append(list.Events, ports.ListedEvent{Delivery: delivery, MadeAt: fromUnix(made.Created)})
	}
	return list, nil
}

// ListObjects implements [ports.ObjectLister].
//
// Source: GET /v1/refunds, /v1/disputes and /v1/subscriptions.
func (a *Adapter) ListObjects(ctx context.Context, in ports.ListObjects) (ports.ObjectList, error) {
	op := a.op("list", string(in.Kind)+"s")
	if in.Changed || !listAbilities()[in.Kind].Created {
		return ports.ObjectList{}, outbound.Invalid(op, errNotListed)
	}
	c := begin(ctx, op)
	page, next, err := a.objectsPage(c, in)
	if err != nil {
		return ports.ObjectList{}, err
	}
	list := ports.ObjectList{NextCursor: next}
	for _, text := range page.Data {
		if err := a.readObject(c, in.Kind, text, &list); err != nil {
			list.Unreadable++
		}
	}
	return list, nil
}

// objectsPage asks for what a look at one would ask for, too.
func (a *Adapter) objectsPage(c *call, in ports.ListObjects) (*rawPage, string, error) {
	one, window := c.after(in.Cursor, in.Limit), within(in.From, in.Until)
	switch in.Kind {
	case core.ObjectRefund:
		params := &stripesdk.RefundListParams{ListParams: one, CreatedRange: window}
		params.AddExpand("data." + expandRefunded)
		return a.page(c, refundsPath, params)
	case core.ObjectDispute:
		return a.page(c, disputesPath, &stripesdk.DisputeListParams{ListParams: one, CreatedRange: window})
	default:
		params := &stripesdk.SubscriptionListParams{ListParams: one, CreatedRange: window, Status: new(everySubscription)}
		expandSubscription(inList{params})
		return a.page(c, subscriptionsPath, params)
	}
}

// inList expands the fields of a list's objects.
type inList struct {
	params interface{ AddExpand(field string) }
}

// AddExpand asks for a field of each.
func (l inList) AddExpand(field string) { l.params.AddExpand("data." + field) }

// readObject adds one object of a page to what is told of it.
func (a *Adapter) readObject(c *call, kind core.ObjectKind, text []byte, into *ports.ObjectList) error {
	switch kind {
	case core.ObjectRefund:
		refund := &stripesdk.Refund{}
		if err := json.Unmarshal(text, refund); err != nil {
			return err
		}
		if isRelease(refund) {
			return nil
		}
		seen, err := a.refundSeen(c, "", "", refund)
		if err == nil {
			into.Refunds = append(into.Refunds, seen)
		}
		return err
	case core.ObjectDispute:
		dispute := &stripesdk.Dispute{}
		if err := json.Unmarshal(text, dispute); err != nil {
			return err
		}
		seen, err := a.disputeSeen(c, "", dispute)
		if err == nil {
			into.Disputes = append(into.Disputes, seen)
		}
		return err
	default:
		subscription := &stripesdk.Subscription{}
		if err := json.Unmarshal(text, subscription); err != nil {
			return err
		}
		session, err := a.subscription(c, "", subscription, nil)
		if err == nil {
			seen := session.Snapshot
			seen.Invoices = nil // only the newest is here
			into.Subscriptions = append(into.Subscriptions, seen)
		}
		return err
	}
}

// Webhooks implements [ports.WebhookRegistrar]. An endpoint without a version has the account's.
//
// Source: GET /v1/webhook_endpoints.
func (a *Adapter) Webhooks(ctx context.Context) ([]ports.RegisteredWebhook, error) {
	c := begin(ctx, a.op("list", "webhooks"))
	page, _, err := a.page(c, endpointsPath, &stripesdk.WebhookEndpointListParams{ListParams: c.one(ports.RegisteredWebhooksMax)})
	if err != nil {
		return nil, err
	}
	var all []ports.RegisteredWebhook
	for _, text := range page.Data {
		endpoint := &stripesdk.WebhookEndpoint{}
		if err := json.Unmarshal(text, endpoint); err != nil || outbound.SafeID(endpoint.ID) == "" {
			return nil, c.Unusable(errNotAList)
		}
		one := ports.RegisteredWebhook{
			ID: endpoint.ID, URL: outbound.SafeURL(endpoint.URL), Enabled: endpoint.Status == endpointEnabled,
			APIVersion: outbound.Shaped(endpoint.APIVersion, outbound.CodeLengthMax, ".-_"),
		}
		if one.All = slices.Contains(endpoint.EnabledEvents, endpointAllEvents); !one.All {
			one.Types = outbound.SafeCodes(endpoint.EnabledEvents)
		}
		all = append(all, one)
	}
	return all, nil
}

// What an endpoint says of itself.
//
// Source: docs.stripe.com/api/webhook_endpoints/object.
const (
	endpointEnabled   = "enabled"
	endpointAllEvents = "*"
)

// NeededEvents implements [ports.WebhookRegistrar].
func (a *Adapter) NeededEvents() []string {
	var types []string
	for _, about := range eventObjects {
		for _, end := range about.needed {
			types = append(types, about.prefix+end)
		}
	}
	slices.Sort(types)
	return types
}
