package square

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	eventsPath   = "/v2/events"
	webhooksPath = "/v2/webhooks/subscriptions"
	// eventsKept is a day less than Square lists events for, so that none is missed at the edge.
	//
	// Source: developer.squareup.com/docs/events-api/overview.
	eventsKept = 27 * 24 * time.Hour
)

// listAbilities says what is listed beside payments by their creation. Neither disputes nor
// subscriptions can be asked for by time: their lists are gone through, and what is outside of a
// window is left out. Subscriptions do not tell when they changed.
func listAbilities() map[core.ObjectKind]ports.ListAbilities {
	return map[core.ObjectKind]ports.ListAbilities{
		core.ObjectPayment: {Changed: true}, core.ObjectRefund: {Created: true, Changed: true},
		core.ObjectDispute: {Created: true, Changed: true}, core.ObjectSubscription: {Created: true},
	}
}

// SearchEventsRequest is the body of POST /v2/events.
type SearchEventsRequest struct {
	Cursor string            `json:"cursor,omitempty"`
	Limit  int               `json:"limit"`
	Query  SearchEventsQuery `json:"query"`
}

// SearchEventsQuery is which events are wanted.
type SearchEventsQuery struct {
	Filter SearchEventsFilter `json:"filter"`
}

// SearchEventsFilter is what they have to be like.
type SearchEventsFilter struct {
	CreatedAt TimeRange `json:"created_at"`
}

// TimeRange is a window of time.
type TimeRange struct {
	StartAt string `json:"start_at"`
	EndAt   string `json:"end_at"`
}

// SearchSubscriptionsRequest is the body of POST /v2/subscriptions/search.
type SearchSubscriptionsRequest struct {
	Cursor  string                   `json:"cursor,omitempty"`
	Limit   int                      `json:"limit"`
	Query   SearchSubscriptionsQuery `json:"query"`
	Include []string                 `json:"include"`
}

// SearchSubscriptionsQuery is which subscriptions are wanted.
type SearchSubscriptionsQuery struct {
	Filter SearchSubscriptionsFilter `json:"filter"`
}

// SearchSubscriptionsFilter is what they have to be like. There is none by time.
type SearchSubscriptionsFilter struct {
	LocationIDs []string `json:"location_ids"`
}

// WebhookSubscription is where webhooks go, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/WebhookSubscription.
type WebhookSubscription struct {
	ID              string   `json:"id"`
	Enabled         bool     `json:"enabled"`
	EventTypes      []string `json:"event_types"`
	NotificationURL string   `json:"notification_url"`
	APIVersion      string   `json:"api_version"`
}

// listPage is one page of a list, its objects as they stand: one that cannot be read does not keep
// the others from being read. A list of nothing has no field.
type listPage struct {
	Payments      []json.RawMessage `json:"payments"`
	Refunds       []json.RawMessage `json:"refunds"`
	Disputes      []json.RawMessage `json:"disputes"`
	Subscriptions []json.RawMessage `json:"subscriptions"` // to plans, or to webhooks
	Events        []json.RawMessage `json:"events"`
	Cursor        string            `json:"cursor"`
	Errors        []Error           `json:"errors"`

	call *outbound.Call
}

// list fetches one page of a list.
func (c *client) list(ctx context.Context, op, method, path string, query url.Values, body any) (listPage, error) {
	told, text, err := c.send(ctx, op, method, path, query, body)
	if err != nil {
		return listPage{}, err
	}
	out := listPage{call: told.call}
	err = json.Unmarshal(text, &out)
	if whole := err == nil && bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")); !whole && !told.down() {
		return listPage{}, told.call.Unusable(errNotReadable)
	}
	if told.status == http.StatusOK && len(out.Errors) == 0 {
		return out, nil
	}
	return listPage{}, refused(told, answer{Errors: out.Errors})
}

// ListEvents implements [ports.EventLister]. Square keeps events from when somebody called PUT
// /v2/events/enable, and shows none before; those of all the seller's locations are shown, as
// webhooks bring them.
//
// Source: POST /v2/events.
func (a *Adapter) ListEvents(ctx context.Context, in ports.ListEvents) (ports.EventList, error) {
	begin, end := window(in.From, in.Until)
	out, err := a.api.list(ctx, a.op("list", "events"), http.MethodPost, eventsPath, nil, SearchEventsRequest{
		Cursor: in.Cursor, Limit: min(in.Limit, pageMost), Query: SearchEventsQuery{SearchEventsFilter{TimeRange{begin, end}}},
	})
	if err != nil {
		return ports.EventList{}, personal(err)
	}
	list := ports.EventList{NextCursor: out.Cursor}
	for _, text := range out.Events {
		var made struct {
			CreatedAt string `json:"created_at"`
		}
		delivery, err := a.delivery(text)
		if err != nil || json.Unmarshal(text, &made) != nil {
			list.Unreadable++
			continue
		}
		at, err := fromTime(made.CreatedAt)
		if err != nil {
			list.Unreadable++
			continue
		}
		list.Events = append(list.Events, ports.ListedEvent{Delivery: delivery, MadeAt: at})
	}
	return list, nil
}

// window is a window of time as Square takes it. It dates to the millisecond.
func window(from, until time.Time) (begin, end string) {
	return from.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano), until.UTC().Format(time.RFC3339Nano)
}

// personal says of a refusal why it may have come.
func personal(err error) error {
	refused, is := errors.AsType[*core.ProviderError](err)
	if is && slices.Contains([]string{"UNAUTHORIZED", "FORBIDDEN", "INSUFFICIENT_SCOPES"}, refused.Foreign) {
		refused.Err = fmt.Errorf("%w: %w", refused.Err, errPersonal)
	}
	return err
}

// ListObjects implements [ports.ObjectLister]. Each page is one of Square's.
//
// Source: GET /v2/payments, /v2/refunds and /v2/disputes; POST /v2/subscriptions/search.
func (a *Adapter) ListObjects(ctx context.Context, in ports.ListObjects) (ports.ObjectList, error) {
	op := a.op("list", string(in.Kind)+"s")
	if can := listAbilities()[in.Kind]; in.Changed && !can.Changed || !in.Changed && !can.Created {
		return ports.ObjectList{}, outbound.Invalid(op, errNotListed)
	}
	switch in.Kind {
	case core.ObjectPayment:
		out, err := a.api.list(ctx, op, http.MethodGet, paymentsPath, a.windowQuery(in), nil)
		return collect(in, out, err, out.Payments, a.readPayment)
	case core.ObjectRefund:
		out, err := a.api.list(ctx, op, http.MethodGet, refundsPath, a.windowQuery(in), nil)
		return collect(in, out, err, out.Refunds, a.readRefund)
	case core.ObjectDispute:
		query := url.Values{"location_id": {a.location}}
		if in.Cursor != "" {
			query.Set("cursor", in.Cursor)
		}
		out, err := a.api.list(ctx, op, http.MethodGet, disputesPath, query, nil)
		return collect(in, out, err, out.Disputes, a.readDispute)
	default:
		out, err := a.api.list(ctx, op, http.MethodPost, subscriptionsPath+"/search", nil, SearchSubscriptionsRequest{
			Cursor: in.Cursor, Limit: min(in.Limit, pageMost), Query: SearchSubscriptionsQuery{SearchSubscriptionsFilter{[]string{a.location}}},
			Include: []string{"actions"},
		})
		return collect(in, out, err, out.Subscriptions, a.readSubscription)
	}
}

// windowQuery asks for what was made, or changed, in a window, oldest first.
func (a *Adapter) windowQuery(in ports.ListObjects) url.Values {
	begin, end := window(in.From, in.Until)
	query := url.Values{"location_id": {a.location}, "sort_order": {"ASC"}, "limit": {strconv.Itoa(min(in.Limit, pageMost))}}
	if in.Changed {
		query.Set("updated_at_begin_time", begin)
		query.Set("updated_at_end_time", end)
		query.Set("sort_field", "UPDATED_AT")
	} else {
		query.Set("begin_time", begin)
		query.Set("end_time", end)
	}
	if in.Cursor != "" {
		query.Set("cursor", in.Cursor)
	}
	return query
}

// collect reads a page's objects one by one. read tells whether one is of the window.
func collect(in ports.ListObjects, out listPage, err error, objects []json.RawMessage, read func(listPage, ports.ListObjects, []byte, *ports.ObjectList) error) (ports.ObjectList, error) {
	if err != nil {
		return ports.ObjectList{}, err
	}
	list := ports.ObjectList{NextCursor: out.Cursor}
	for _, text := range objects {
		if err := read(out, in, text, &list); err != nil {
			list.Unreadable++
		}
	}
	return list, nil
}

func (a *Adapter) readPayment(_ listPage, _ ports.ListObjects, text []byte, into *ports.ObjectList) error {
	var shown Payment
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	seen, err := a.translate(shown)
	if err == nil {
		into.Payments = append(into.Payments, seen)
	}
	return err
}

func (a *Adapter) readRefund(out listPage, _ ports.ListObjects, text []byte, into *ports.ObjectList) error {
	var shown Refund
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	if safeID(shown.ID) == "" {
		return errNoObject
	}
	seen, err := a.refundSeen(answer{Refund: &shown, call: out.call}, nil, "")
	if err == nil {
		into.Refunds = append(into.Refunds, seen)
	}
	return err
}

func (a *Adapter) readDispute(_ listPage, in ports.ListObjects, text []byte, into *ports.ObjectList) error {
	var shown Dispute
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	seen, err := a.translateDispute(shown)
	if err != nil {
		return err
	}
	at := seen.OpenedAt
	if in.Changed {
		if at, err = fromTime(shown.UpdatedAt); err != nil {
			return err
		}
	}
	if !at.Before(in.From) && at.Before(in.Until) {
		into.Disputes = append(into.Disputes, seen)
	}
	return nil
}

func (a *Adapter) readSubscription(_ listPage, in ports.ListObjects, text []byte, into *ports.ObjectList) error {
	var shown Subscription
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	if safeID(shown.ID) == "" || safeID(shown.PlanVariationID) == "" {
		return errNoObject
	}
	seen, err := a.translateSubscription(shown, core.Money{}, nil, nil)
	if err == nil && !seen.CreatedAt.Before(in.From) && seen.CreatedAt.Before(in.Until) {
		into.Subscriptions = append(into.Subscriptions, seen)
	}
	return err
}

// Webhooks implements [ports.WebhookRegistrar].
//
// Source: GET /v2/webhooks/subscriptions.
func (a *Adapter) Webhooks(ctx context.Context) ([]ports.RegisteredWebhook, error) {
	query := url.Values{"include_disabled": {"true"}, "limit": {strconv.Itoa(ports.RegisteredWebhooksMax)}}
	out, err := a.api.list(ctx, a.op("list", "webhooks"), http.MethodGet, webhooksPath, query, nil)
	if err != nil {
		return nil, personal(err)
	}
	var all []ports.RegisteredWebhook
	for _, text := range out.Subscriptions {
		var shown WebhookSubscription
		if err := json.Unmarshal(text, &shown); err != nil || safeID(shown.ID) == "" {
			return nil, out.call.Unusable(errNotReadable)
		}
		all = append(all, ports.RegisteredWebhook{
			ID: shown.ID, URL: outbound.SafeURL(shown.NotificationURL), Enabled: shown.Enabled, Types: outbound.SafeCodes(shown.EventTypes),
			APIVersion: outbound.Shaped(shown.APIVersion, outbound.CodeLengthMax, ".-_"),
		})
	}
	return all, nil
}

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
