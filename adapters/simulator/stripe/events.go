package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

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
	if s.WebhookURL == "" || len(s.WebhookSecrets) == 0 {
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
	if e, ok := s.events.Get(in.id); ok {
		return done(e)
	}
	return notFound("event", "id", in.id)
}

func (s *Server) listEvents(in *request) result {
	var kinds []string
	for name, value := range in.params {
		if name == "type" || fits("types[*]", name) {
			kinds = append(kinds, value)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.events.NewestFirst()
	if len(kinds) > 0 {
		all = slices.DeleteFunc(all, func(e *event) bool { return !slices.Contains(kinds, e.Type) })
	}
	list, kept, out := page(in, "/v1/events", all, func(e *event) string { return e.ID }, func(e *event) int64 { return e.Created })
	if out != nil {
		return *out
	}
	list.Data = kept
	return done(list)
}
