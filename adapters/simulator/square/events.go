package square

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// eventsKept is how long events can be searched for.
//
// Source: developer.squareup.com/docs/events-api/overview.
const eventsKept = 28 * 24 * time.Hour

// tellPayment gives a payment its next version and tells of it. The caller holds mu.
func (s *Server) tellPayment(p *payment, kind string) {
	s.touch(p)
	s.tell(kind, "payment", p.ID, "payment", p)
}

// tell makes an event of an object as it stands, and posts it. The caller holds mu.
func (s *Server) tell(kind, what, id, name string, object any) {
	now := s.now()
	e := &event{
		MerchantID: merchant, LocationID: s.LocationID, Type: kind, EventID: newUUID(), CreatedAt: stamp(now), created: now,
		Data: eventData{Type: what, ID: id, Object: map[string]json.RawMessage{name: shown(object)}},
	}
	s.events.Put(e.EventID, e)
	if s.WebhookURL == "" || len(s.WebhookKeys) == 0 || !s.hook.Gets(kind) {
		return
	}
	first := stamp(s.Clock.Wall()) // the world's time, whatever the simulator's clock says
	s.Webhooks.Post(engine.Delivery{Account: s.Account, Kind: kind, URL: s.WebhookURL, Body: encode(e), Sign: func(body []byte) http.Header {
		return http.Header{
			"X-Square-Hmacsha256-Signature":     {signature(s.WebhookKeys[0], s.SignedURL, body)},
			"Square-Environment":                {"Sandbox"},
			"Square-Initial-Delivery-Timestamp": {first},
			"User-Agent":                        {"Square Connect v2"},
		}
	}})
}

// signature signs an address and a body, and no time.
//
// Source: developer.squareup.com/docs/webhooks/step3validate.
func signature(key, address string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, address) // a hash takes all
	_, _ = mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// newUUID makes a random UUID of version 4.
//
// Source: RFC 9562, section 5.4.
func newUUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// enableEvents has events kept for the search from now on.
//
// Source: PUT /v2/events/enable.
func (s *Server) enableEvents(*request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listening.IsZero() {
		s.listening = s.now()
	}
	return result{status: http.StatusOK, object: struct{}{}}
}

// disableEvents has events kept no more. What happens meanwhile cannot be searched for later
// either; nor, here, can what was before.
//
// Source: PUT /v2/events/disable.
func (s *Server) disableEvents(*request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listening = time.Time{}
	return result{status: http.StatusOK, object: struct{}{}}
}

var searchEventsBody = fields{
	"cursor": upTo(256), "limit": {kind: whole},
	"query": {kind: object, of: fields{
		"filter": {kind: object, of: fields{
			"event_types":  {kind: list, most: 100, each: &shape{kind: text, least: 1}},
			"merchant_ids": {kind: list, most: 10, each: &shape{kind: text, least: 1}},
			"location_ids": {kind: list, most: 10, each: &shape{kind: text, least: 1}},
			"created_at":   {kind: object, of: fields{"start_at": {kind: text}, "end_at": {kind: text}}},
		}},
		"sort": {kind: object, of: fields{"field": {kind: text, words: []string{"DEFAULT"}}, "order": {kind: text, words: []string{"ASC", "DESC"}}}},
	}},
}

// searchEvents gives the events since they are kept, none that is older than 28 days.
//
// Source: POST /v2/events.
func (s *Server) searchEvents(in *request) result {
	var given struct {
		Cursor string `json:"cursor"`
		Limit  *int   `json:"limit"`
		Query  struct {
			Filter struct {
				EventTypes  []string `json:"event_types"`
				MerchantIDs []string `json:"merchant_ids"`
				LocationIDs []string `json:"location_ids"`
				CreatedAt   struct {
					StartAt string `json:"start_at"`
					EndAt   string `json:"end_at"`
				} `json:"created_at"`
			} `json:"filter"`
			Sort struct {
				Order string `json:"order"`
			} `json:"sort"`
		} `json:"query"`
	}
	in.into(&given)
	w := window{ascending: given.Query.Sort.Order == "ASC", limit: pageMost, cursor: given.Cursor, filters: string(encode(given.Query))}
	if given.Limit != nil {
		if w.limit = *given.Limit; w.limit < 1 || w.limit > pageMost {
			return invalid("INVALID_VALUE", "limit", fmt.Sprintf("The limit must be from 1 to %d.", pageMost))
		}
	}
	filter := given.Query.Filter
	created := []bound{{"start_at", filter.CreatedAt.StartAt, &w.begin}, {"end_at", filter.CreatedAt.EndAt, &w.end}}
	created = slices.DeleteFunc(created, func(one bound) bool { return one.said == "" })
	if bad := readTimes("query.filter.created_at.", created); bad != nil {
		return *bad
	}
	among := func(wanted []string, one string) bool { return len(wanted) == 0 || slices.Contains(wanted, one) }
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := s.now().Add(-eventsKept)
	all := slices.DeleteFunc(s.events.All(), func(e *event) bool {
		return s.listening.IsZero() || e.created.Before(s.listening) || e.created.Before(oldest) ||
			!among(filter.EventTypes, e.Type) || !among(filter.MerchantIDs, e.MerchantID) || !among(filter.LocationIDs, e.LocationID)
	})
	return cut(s, w, "events", all, func(e *event) place { return place{e.created, e.created, e.EventID} })
}
