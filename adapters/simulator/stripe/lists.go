package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// page cuts a page out of objects that are given newest first.
func page[T any](in *request, path string, objects []T, id func(T) string, created func(T) int64) (listOf, []T, *result) {
	limit := 10
	if text := in.params["limit"]; text != "" {
		asked, err := strconv.Atoi(text)
		if err != nil || asked < 1 || asked > 100 {
			return listOf{}, nil, refuse(apiError{Type: invalidRequest, Code: "parameter_invalid_integer", Param: "limit", Message: "limit must be from 1 to 100."})
		}
		limit = asked
	}
	var bounds [4]*int64
	for n, name := range []string{"created[gte]", "created[gt]", "created[lte]", "created[lt]"} {
		if text := in.params[name]; text != "" {
			at, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return listOf{}, nil, refuse(apiError{Type: invalidRequest, Code: "parameter_invalid_integer", Param: name, Message: "Invalid integer: " + name})
			}
			bounds[n] = &at
		}
	}
	kept := objects[:0:0]
	for _, object := range objects {
		at := created(object)
		if bounds[0] != nil && at < *bounds[0] || bounds[1] != nil && at <= *bounds[1] || bounds[2] != nil && at > *bounds[2] || bounds[3] != nil && at >= *bounds[3] {
			continue
		}
		kept = append(kept, object)
	}
	if after := in.params["starting_after"]; after != "" {
		at := slices.IndexFunc(kept, func(object T) bool { return id(object) == after })
		if at < 0 {
			return listOf{}, nil, refuse(apiError{Type: invalidRequest, Code: "resource_missing", Param: "starting_after", Message: "No such object: '" + after + "'"})
		}
		kept = kept[at+1:]
	}
	more := len(kept) > limit
	if more {
		kept = kept[:limit]
	}
	return listOf{Object: "list", HasMore: more, URL: path}, kept, nil
}

func newestFirst[T any](objects []T) []T {
	slices.Reverse(objects)
	return objects
}

func (s *Server) list(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, kept, refused := page(in, "/v1/payment_intents", newestFirst(s.intents.all()),
		func(i *intent) string { return i.ID }, func(i *intent) int64 { return i.Created })
	if refused != nil {
		return *refused
	}
	shown := make([]*intent, len(kept))
	for n, i := range kept {
		shown[n] = s.shown(i, in)
	}
	list.Data = shown
	return done(list)
}

func (s *Server) listEvents(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.events.all()
	if kind := in.params["type"]; kind != "" {
		all = slices.DeleteFunc(all, func(e *event) bool { return e.Type != kind })
	}
	list, kept, refused := page(in, "/v1/events", newestFirst(all), func(e *event) string { return e.ID }, func(e *event) int64 { return e.Created })
	if refused != nil {
		return *refused
	}
	list.Data = kept
	return done(list)
}

func (s *Server) listDisputes(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, kept, refused := page(in, "/v1/disputes", newestFirst(s.dispute.all()), func(d *dispute) string { return d.ID }, func(d *dispute) int64 { return d.Created })
	if refused != nil {
		return *refused
	}
	list.Data = kept
	return done(list)
}

func (s *Server) listEndpoints(*request) result {
	return done(listOf{Object: "list", URL: "/v1/webhook_endpoints", Data: []map[string]any{{
		"id": "we_simulated", "object": "webhook_endpoint", "url": s.WebhookURL, "enabled_events": []string{"*"}, "status": "enabled", "livemode": false, "api_version": apiVersion,
	}}})
}

func (s *Server) getEvent(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.events.byID[in.id]; ok {
		return done(e)
	}
	return missing("event", in.id)
}

func (s *Server) getCharge(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.charges.byID[in.id]; ok {
		shown := *c
		return done(shown)
	}
	return missing("charge", in.id)
}

func (s *Server) balance(*request) result {
	return done(map[string]any{"object": "balance", "livemode": false, "available": []any{}, "pending": []any{}})
}

func (s *Server) account(*request) result {
	return done(map[string]any{"id": "acct_simulated", "object": "account", "charges_enabled": true, "country": "DE", "default_currency": "eur"})
}

// tell makes an event of an object as it stands, and posts it. The caller holds mu.
func (s *Server) tell(kind string, object any) {
	text, err := json.Marshal(object)
	if err != nil {
		s.Logger.Error("event is not writable", "type", kind)
		return
	}
	e := &event{
		ID: s.newID("evt"), Object: "event", APIVersion: apiVersion, Created: s.Clock.Now().Unix(), Data: eventData{text},
		PendingWebhooks: 1, Request: map[string]any{"id": nil, "idempotency_key": nil}, Type: kind,
	}
	s.events.put(e.ID, e)
	if s.WebhookURL == "" || len(s.WebhookSecrets) == 0 {
		return
	}
	s.Webhooks.Post(engine.Delivery{Account: account, Kind: kind, URL: s.WebhookURL, Body: encode(e), Sign: s.sign})
}

// sign makes the signature header with the world's time.
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

// openDispute has the buyer's bank take the money back. The caller holds mu.
func (s *Server) openDispute(c *charge, reason string, amount int64) *dispute {
	c.Disputed = true
	d := &dispute{
		ID: s.newID("dp"), Object: "dispute", Amount: amount, Charge: c.ID, Created: s.Clock.Now().Unix(), Currency: c.Currency,
		Metadata: map[string]string{}, PaymentIntent: c.PaymentIntent, Reason: reason, Status: "needs_response",
	}
	s.dispute.put(d.ID, d)
	shown := *d
	s.tell("charge.dispute.created", shown)
	return d
}

// OpenDispute opens a dispute on the payment that carries a reference of the caller's. It
// is false where there is none that took money.
func (s *Server) OpenDispute(metadataKey, value, reason string, amount int64) (id string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.intents.all() {
		c, charged := s.charges.byID[i.charge]
		if i.Metadata[metadataKey] != value || !charged || !c.Captured {
			continue
		}
		if amount == 0 {
			amount = c.AmountCaptured
		}
		return s.openDispute(c, reason, amount).ID, true
	}
	return "", false
}

// CloseDispute ends a dispute, "won" or "lost".
func (s *Server) CloseDispute(id, outcome string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.dispute.byID[id]
	if !ok || d.Status == "won" || d.Status == "lost" {
		return false
	}
	d.Status = outcome
	shown := *d
	s.tell("charge.dispute.closed", shown)
	return true
}

// Objects gives what is held of a type ("payment_intent", "charge", "event", "dispute"),
// oldest first; false for a type that is none.
func (s *Server) Objects(kind string) (any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case "payment_intent":
		all := s.intents.all()
		shown := make([]*intent, len(all))
		for n, i := range all {
			shown[n] = s.shown(i, &request{params: map[string]string{"expand[0]": "latest_charge"}})
			shown[n].ClientSecret = ""
		}
		return shown, true
	case "charge":
		shown := make([]charge, 0, len(s.charges.order))
		for _, c := range s.charges.all() {
			shown = append(shown, *c)
		}
		return shown, true
	case "event":
		return s.events.all(), true
	case "dispute":
		shown := make([]dispute, 0, len(s.dispute.order))
		for _, d := range s.dispute.all() {
			shown = append(shown, *d)
		}
		return shown, true
	}
	return nil, false
}
