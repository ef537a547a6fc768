package paypal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	pathEvents   = "/v1/notifications/webhooks-events"
	pathWebhooks = "/v1/notifications/webhooks"
	// eventsKept is how long events can be listed. PayPal does not publish it; this is what its
	// dashboard shows.
	eventsKept = 30 * 24 * time.Hour
	// webhookTypesMax is far above how many types of events there are.
	webhookTypesMax = 500
	// typeDisabled is the status of a type of events that does not come.
	typeDisabled = "DISABLED"
	allTypes     = "*"
)

// Limits of what a cursor says, in parameters and in characters of each.
const (
	cursorPartsMax     = 4
	cursorPartCharsMax = 255
)

var (
	_ ports.EventLister      = (*Adapter)(nil)
	_ ports.ObjectLister     = (*Adapter)(nil)
	_ ports.WebhookRegistrar = (*Adapter)(nil)
)

// EventList is a page of events, each as its webhook would bring it.
//
// Source: developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_list.
type EventList struct {
	Events []json.RawMessage `json:"events"`
	Links  []Link            `json:"links"`
}

// WebhookList is the webhooks of an app.
//
// Source: developer.paypal.com/docs/api/webhooks/v1/#webhooks_list.
type WebhookList struct {
	Webhooks []struct {
		ID         string `json:"id"`
		URL        string `json:"url"`
		EventTypes []struct {
			Name   string `json:"name"`
			Status string `json:"status"`
		} `json:"event_types"`
	} `json:"webhooks"`
}

// ListEvents implements [ports.EventLister]. PayPal is asked for whole seconds, and the rest is
// left out here. Of the page after this one it tells an address, of which the parameters are
// kept that were not asked for: nobody goes to the address itself.
//
// Source: GET /v1/notifications/webhooks-events.
func (a *Adapter) ListEvents(ctx context.Context, in ports.ListEvents) (ports.EventList, error) {
	op := a.op("list", "events")
	if oldest := a.now().Add(-eventsKept); in.From.Before(oldest) {
		in.From = oldest
	}
	if !in.From.Before(in.Until) {
		return ports.EventList{}, nil
	}
	query := url.Values{
		"start_time": {in.From.UTC().Truncate(time.Second).Format(reportTime)}, "end_time": {in.Until.UTC().Add(time.Second - 1).Truncate(time.Second).Format(reportTime)},
		"page_size": {strconv.Itoa(min(max(in.Limit, 1), core.PageItemsMax))},
	}
	var shown EventList
	got, next, err := a.listPage(ctx, op, pathEvents, query, in.Cursor, &shown)
	if err != nil {
		return ports.EventList{}, err
	}
	if shown.Events == nil {
		return ports.EventList{}, unusable(op, got, errNoObject)
	}
	list := ports.EventList{}
	for _, body := range shown.Events {
		event, ok := a.listed(body)
		switch {
		case !ok:
			list.Unreadable++
		case !event.MadeAt.Before(in.From) && event.MadeAt.Before(in.Until):
			list.Events = append(list.Events, event)
		}
	}
	if len(shown.Events) > 0 { // a page of nothing is the last, whatever it links to
		list.NextCursor, err = next(shown.Links)
	}
	return list, err
}

// listed reads an event of a list.
func (a *Adapter) listed(body []byte) (ports.ListedEvent, bool) {
	var made struct {
		At string `json:"create_time"`
	}
	delivery, err := a.delivery(body)
	if err != nil || json.Unmarshal(body, &made) != nil {
		return ports.ListedEvent{}, false
	}
	at := parseTime(made.At)
	return ports.ListedEvent{Delivery: delivery, MadeAt: at}, !at.IsZero()
}

// Webhooks implements [ports.WebhookRegistrar]. PayPal has no webhook that is turned off, and
// writes each object in the version that it is of.
//
// Source: GET /v1/notifications/webhooks.
func (a *Adapter) Webhooks(ctx context.Context) ([]ports.RegisteredWebhook, error) {
	op := a.op("list", "webhooks")
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathWebhooks})
	if err != nil {
		return nil, err
	}
	var shown WebhookList
	if err := decode(op, got, &shown); err != nil {
		return nil, err
	}
	if shown.Webhooks == nil {
		return nil, unusable(op, got, errNoObject)
	}
	var all []ports.RegisteredWebhook
	for _, one := range shown.Webhooks[:min(len(shown.Webhooks), ports.RegisteredWebhooksMax)] {
		webhook := ports.RegisteredWebhook{ID: outbound.SafeID(one.ID), URL: one.URL, Enabled: true}
		for _, kind := range one.EventTypes[:min(len(one.EventTypes), webhookTypesMax)] {
			name := outbound.Shaped(kind.Name, eventTypeCharsMax, "_.-")
			switch {
			case kind.Status == typeDisabled:
			case kind.Name == allTypes:
				webhook.All = true
			case name != "":
				webhook.Types = append(webhook.Types, name)
			}
		}
		all = append(all, webhook)
	}
	return all, nil
}

// listPage asks for one page of a list. next gives, of the page's links, the cursor of the page after
// it: those parameters that PayPal adds to the ones that were asked for, whatever their names.
func (a *Adapter) listPage(ctx context.Context, op, path string, query url.Values, cursor string, into any) (got answer, next func([]Link) (string, error), err error) {
	asked := url.Values{}
	for name := range query {
		asked[name] = query[name]
	}
	if cursor != "" {
		more, err := parseParts(cursor, query)
		if err != nil {
			return got, nil, outbound.Invalid(op, err)
		}
		for name := range more {
			asked[name] = more[name]
		}
	}
	if got, err = a.api.do(ctx, request{op: op, method: http.MethodGet, path: path, query: asked}); err != nil {
		return got, nil, err
	}
	return got, func(links []Link) (string, error) {
		told, err := nextPage(links, query)
		if err != nil || told != "" && told == cursor { // it would never end
			return "", unusable(op, got, errNextPage)
		}
		return told, nil
	}, decode(op, got, into)
}

// parseParts reads a cursor: parameters beside those of the query.
func parseParts(cursor string, query url.Values) (url.Values, error) {
	parts, err := url.ParseQuery(cursor)
	if err != nil || len(parts) == 0 || len(parts) > cursorPartsMax {
		return nil, errCursor
	}
	for name, values := range parts {
		if query.Has(name) || outbound.Shaped(name, cursorPartCharsMax, "_-") == "" || len(values) != 1 || values[0] == "" || len(values[0]) > cursorPartCharsMax {
			return nil, errCursor
		}
	}
	return parts, nil
}

// nextPage is the cursor of the page after one; empty where there is none.
func nextPage(links []Link, query url.Values) (string, error) {
	for _, link := range links {
		if link.Rel != "next" {
			continue
		}
		at, err := url.Parse(link.Href)
		if err != nil {
			return "", errNextPage
		}
		parts := at.Query()
		for name := range query {
			parts.Del(name)
		}
		cursor := parts.Encode()
		_, err = parseParts(cursor, query)
		return cursor, err
	}
	return "", nil
}
