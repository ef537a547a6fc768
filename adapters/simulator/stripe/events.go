package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// eventsKept is how long events can be listed.
//
// Source: docs.stripe.com/api/events.
const eventsKept = 30 * 24 * time.Hour

// eventTypes are those that a webhook can be registered for, as far as they are about what there
// is here.
//
// Source: docs.stripe.com/api/events/types.
var eventTypes = []string{
	"charge.captured", "charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated", "charge.dispute.funds_withdrawn",
	"charge.dispute.updated", "charge.expired", "charge.failed", "charge.pending", "charge.refund.updated", "charge.refunded", "charge.succeeded",
	"charge.updated", "checkout.session.async_payment_failed", "checkout.session.async_payment_succeeded", "checkout.session.completed",
	"checkout.session.expired", "customer.created", "customer.deleted", "customer.subscription.created", "customer.subscription.deleted",
	"customer.subscription.paused", "customer.subscription.pending_update_applied", "customer.subscription.pending_update_expired",
	"customer.subscription.resumed", "customer.subscription.trial_will_end", "customer.subscription.updated", "customer.updated", "invoice.created",
	"invoice.deleted", "invoice.finalization_failed", "invoice.finalized", "invoice.marked_uncollectible", "invoice.paid",
	"invoice.payment_action_required", "invoice.payment_failed", "invoice.payment_succeeded", "invoice.sent", "invoice.upcoming", "invoice.updated",
	"invoice.voided", "payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.created",
	"payment_intent.partially_funded", "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.requires_action",
	"payment_intent.succeeded", "payment_method.attached", "payment_method.automatically_updated", "payment_method.detached",
	"payment_method.updated", "price.created", "price.deleted", "price.updated", "product.created", "product.deleted", "product.updated",
	"refund.created", "refund.updated", "setup_intent.canceled", "setup_intent.created", "setup_intent.requires_action",
	"setup_intent.setup_failed", "setup_intent.succeeded",
}

// tell makes an event of an object as it stands, and posts it. The caller holds mu.
func (s *Server) tell(kind string, object any) {
	text, err := json.Marshal(object)
	if err != nil {
		s.Logger.Error("event cannot be written", "type", kind)
		return
	}
	e := &event{
		ID: s.newID("evt"), Object: "event", APIVersion: apiVersion, Created: s.now().Unix(), Data: eventData{text},
		PendingWebhooks: 1, Request: map[string]any{"id": nil, "idempotency_key": nil}, Type: kind,
	}
	s.events.Put(e.ID, e)
	if s.WebhookURL == "" || len(s.WebhookSecrets) == 0 || !s.hook.Gets(kind) {
		return
	}
	body, err := json.Marshal(e)
	if err != nil {
		s.Logger.Error("event cannot be written", "type", kind)
		return
	}
	s.Webhooks.Post(engine.Delivery{Account: s.Account, Kind: kind, URL: s.WebhookURL, Body: body, Sign: s.sign})
}

// sign makes the signature header with the world's time, whatever the simulator's clock
// says: receivers compare it with theirs.
//
// Source: docs.stripe.com/webhooks/signature.
func (s *Server) sign(body []byte) http.Header {
	at := s.Clock.Wall().Unix()
	mac := hmac.New(sha256.New, []byte(s.WebhookSecrets[0]))
	_, _ = fmt.Fprintf(mac, "%d.%s", at, body)
	return http.Header{
		"Stripe-Signature": {fmt.Sprintf("t=%d,v1=%s", at, hex.EncodeToString(mac.Sum(nil)))},
		"User-Agent":       {"Stripe/1.0 (+https://stripe.com/docs/webhooks)"},
	}
}

func (s *Server) getEvent(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.events.Get(in.id); ok && s.kept(e) {
		return done(e)
	}
	return notFound("event", "id", in.id)
}

// kept reports whether an event can still be asked for. The caller holds mu.
func (s *Server) kept(e *event) bool { return s.now().Sub(time.Unix(e.Created, 0)) <= eventsKept }

// listEvents lists events, newest first, none that is older than 30 days.
//
// Source: docs.stripe.com/api/events/list.
func (s *Server) listEvents(in *request) result {
	var kinds []string
	for name, value := range in.params {
		if name == "type" || fits("types[*]", name) {
			kinds = append(kinds, value)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.events.NewestFirst(), func(e *event) bool {
		return !s.kept(e) || len(kinds) > 0 && !slices.Contains(kinds, e.Type)
	})
	list, kept, out := page(in, "/v1/events", all, func(e *event) string { return e.ID }, func(e *event) int64 { return e.Created })
	if out != nil {
		return *out
	}
	list.Data = kept
	return done(list)
}
