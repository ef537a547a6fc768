package square

import (
	"net/http"
	"strconv"
	"time"
)

// webhookID is of the one subscription to webhooks.
const webhookID = "wbhk_simulated"

// eventTypes are those that a webhook can be registered for, as far as they are about what there
// is here. There is no word for all of them.
//
// Source: developer.squareup.com/docs/webhooks/v2-events-tech-ref.
var eventTypes = []string{
	"card.automatically_updated", "card.created", "card.disabled", "card.forgotten", "card.updated", "catalog.version.updated",
	"customer.created", "customer.deleted", "customer.updated", "dispute.created", "dispute.evidence.created", "dispute.evidence.deleted",
	"dispute.state.updated", "invoice.canceled", "invoice.created", "invoice.deleted", "invoice.payment_made", "invoice.published",
	"invoice.refunded", "invoice.scheduled_charge_failed", "invoice.updated", "oauth.authorization.revoked", "order.created", "order.updated",
	"payment.created", "payment.updated", "refund.created", "refund.updated", "subscription.created", "subscription.updated",
}

// webhook is a Webhook Subscription. Its key is told when it is made, and when it is looked at alone.
//
// Source: developer.squareup.com/reference/square/objects/WebhookSubscription.
type webhook struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	Enabled         bool     `json:"enabled"`
	EventTypes      []string `json:"event_types"`
	NotificationURL string   `json:"notification_url"`
	APIVersion      string   `json:"api_version"`
	CreatedAt       string   `json:"created_at"`
	UpdatedAt       string   `json:"updated_at"`
}

var webhooksQuery = []string{"cursor", "include_disabled", "sort_order", "limit"}

// listWebhooks lists where webhooks go; those that are disabled only where they are asked for.
//
// Source: GET /v2/webhooks/subscriptions.
func (s *Server) listWebhooks(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	disabledToo := false
	if said, ok := in.query["include_disabled"]; ok {
		wanted, err := strconv.ParseBool(said)
		if err != nil {
			return invalid("EXPECTED_BOOLEAN", "include_disabled", "Expected a boolean value.")
		}
		disabledToo = wanted
	}
	var all []*webhook
	if enabled := s.hook.Enabled(); s.WebhookURL != "" && (enabled || disabledToo) {
		types, _ := s.hook.Types()
		made := stamp(s.opened)
		all = append(all, &webhook{
			ID: webhookID, Name: "Paydesk", Enabled: enabled, EventTypes: types, NotificationURL: s.SignedURL, APIVersion: apiVersion,
			CreatedAt: made, UpdatedAt: made,
		})
	}
	if len(all) == 0 {
		return result{status: http.StatusOK, object: struct{}{}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return cut(s, w, "subscriptions", all, func(one *webhook) place { return place{s.opened, time.Time{}, one.ID} })
}
