package ports

import (
	"context"
	"time"

	"github.com/paydesk/paydesk/core"
)

// EventLister is a [Provider] that can be asked for the events that it posted, or tried to, so
// that what never arrived is found. [Capabilities.EventsKept] says for how long.
type EventLister interface {
	Provider

	// ListEvents gives one page of the events made in a window, in no order that could be
	// relied on. Some providers list an event only some time after it was made, so windows
	// have to overlap. An event that cannot be read is left out and counted, so that it does not
	// hide the rest. A window that begins before what is kept is cut. A cursor that this list never
	// gave, or whose event is not kept any more, is [core.ClassInvalid].
	//
	// Source: Stripe GET /v1/events; PayPal GET /v1/notifications/webhooks-events; Square POST
	// /v2/events.
	ListEvents(ctx context.Context, in ListEvents) (EventList, error)
}

// ListEvents asks for one page of a window of time.
type ListEvents struct {
	From, Until time.Time // made in [From, Until), by the provider's clock
	Cursor      string    // from the page before; empty for the first
	Limit       int       // 1 to core.PageItemsMax; a page may be shorter before the last
}

// EventList is one page.
type EventList struct {
	Events     []ListedEvent
	Unreadable int    // how many of the page's events were left out
	NextCursor string // empty on the last page
}

// ListedEvent is an event as the account's webhook would have brought it: its delivery names the
// same event id, type and object, with the event's JSON as the provider lists it for a body. The
// time of receipt and the trace are left for the caller.
type ListedEvent struct {
	core.Delivery

	MadeAt time.Time // by the provider's clock
}

// ObjectLister is a [Provider] that can be asked for its objects by time. What it can list, and by
// which time, is said in [Capabilities.Lists]; nothing else is asked of it. Payments by the time of
// their creation are listed by [Provider.ListPayments].
type ObjectLister interface {
	Provider

	// ListObjects gives one page of the objects of a kind that were created, or last changed, in a
	// window, in no order that could be relied on. A window that lies further back than the
	// provider lists is cut. An object that cannot be read in our words is left out and counted.
	//
	// Source: Stripe GET /v1/refunds, /v1/disputes and /v1/subscriptions; PayPal GET
	// /v1/customer/disputes; Square GET /v2/payments and /v2/refunds, POST
	// /v2/subscriptions/search.
	ListObjects(ctx context.Context, in ListObjects) (ObjectList, error)
}

// ListObjects asks for one page of a window of time.
type ListObjects struct {
	Kind core.ObjectKind
	// Changed asks for what was last changed in the window; otherwise for what was created in it.
	Changed     bool
	From, Until time.Time // [From, Until), by the provider's clock
	Cursor      string    // from the page before, of the same window; empty for the first
	// Limit is 1 to core.PageItemsMax. A page may be shorter, and even empty, before the last: not
	// every provider can be asked for a window, and then what lies outside of it is left out here.
	// Where a provider has pages of its own size, it may be longer, up to core.PageItemsMax.
	Limit int
}

// ObjectList is one page; the list of the asked kind is the one that is filled.
type ObjectList struct {
	Payments []core.PaymentSnapshot
	Refunds  []core.RefundSnapshot
	Disputes []core.DisputeSnapshot
	// Subscriptions come without their invoices, and as the list alone shows them: what a provider
	// keeps elsewhere, which at Square is our id, the amount, the method and whether something is
	// owed, only a look at one shows. A payment may lack our ids for the same reason.
	Subscriptions []core.SubscriptionSnapshot
	Unreadable    int    // how many of the page's objects were left out
	NextCursor    string // empty on the last page
}

// ListAbilities says by which time objects of a kind can be listed.
type ListAbilities struct {
	Created bool
	Changed bool
}

// WebhookRegistrar is a [Provider] that tells which webhooks are registered with it, so that
// somebody can be told of what does not come.
type WebhookRegistrar interface {
	Provider

	// Webhooks gives the account's registered webhooks, those of other programs, too, at most
	// [RegisteredWebhooksMax].
	//
	// Source: Stripe GET /v1/webhook_endpoints; PayPal GET /v1/notifications/webhooks; Square GET
	// /v2/webhooks/subscriptions.
	Webhooks(ctx context.Context) ([]RegisteredWebhook, error)
	// NeededEvents are the provider's types of events that move something here, sorted.
	NeededEvents() []string
}

// RegisteredWebhooksMax is how many registered webhooks of an account are looked at.
const RegisteredWebhooksMax = 100

// RegisteredWebhook is one registration at a provider.
type RegisteredWebhook struct {
	ID         string
	URL        string
	Enabled    bool
	All        bool     // all types of events come
	Types      []string // that come, where not all do
	APIVersion string   // that events are written in; empty where the provider names none
}
