package paypal

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	// certificates is the folder of the certificate that webhooks are signed with.
	certificates     = "/v1/notifications/certs/"
	authAlgo         = "SHA256withRSA"
	eventPageMost    = 500
	eventPageDefault = 10
)

// summaryEnd has every event hold a character that JSON writers like to write another way: a
// receiver that checks anything but the bytes it got is found out.
const summaryEnd = " & told of."

// eventTypes are those that a webhook can be registered for, as far as they are about what there
// is here.
//
// Source: developer.paypal.com/api/rest/webhooks/event-names.
var eventTypes = []string{
	"BILLING.PLAN.ACTIVATED", "BILLING.PLAN.CREATED", "BILLING.PLAN.DEACTIVATED", "BILLING.PLAN.UPDATED", "BILLING.SUBSCRIPTION.ACTIVATED",
	"BILLING.SUBSCRIPTION.CANCELLED", "BILLING.SUBSCRIPTION.CREATED", "BILLING.SUBSCRIPTION.EXPIRED", "BILLING.SUBSCRIPTION.PAYMENT.FAILED",
	"BILLING.SUBSCRIPTION.RE-ACTIVATED", "BILLING.SUBSCRIPTION.SUSPENDED", "BILLING.SUBSCRIPTION.UPDATED", "CATALOG.PRODUCT.CREATED",
	"CATALOG.PRODUCT.UPDATED", "CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED", "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
	"CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED", "CUSTOMER.DISPUTE.UPDATED", "PAYMENT.AUTHORIZATION.CREATED",
	"PAYMENT.AUTHORIZATION.VOIDED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.DECLINED", "PAYMENT.CAPTURE.DENIED",
	"PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED", "PAYMENT.REFUND.COMPLETED", "PAYMENT.REFUND.FAILED",
	"PAYMENT.REFUND.PENDING", "PAYMENT.SALE.COMPLETED", "PAYMENT.SALE.REFUNDED", "PAYMENT.SALE.REVERSED", "VAULT.PAYMENT-TOKEN.CREATED",
	"VAULT.PAYMENT-TOKEN.DELETED",
}

var eventQuery = []string{"page_size", "start_time", "end_time", "transaction_id", "event_type", "next_page_token"}

var verifyShape = object(map[string]shape{
	"auth_algo": text(1, 100), "cert_url": text(1, 500), "transmission_id": text(1, 50), "transmission_sig": text(1, 500),
	"transmission_time": text(1, 100), "webhook_id": text(1, 50), "webhook_event": {kind: "any"},
}, "auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id", "webhook_event")

// resourceTypes are what events are about, by the beginnings of their types, and in which
// version.
var resourceTypes = []struct{ prefix, kind, version, summary string }{
	{"CHECKOUT.ORDER.", "checkout-order", "2.0", "An order"},
	{"PAYMENT.AUTHORIZATION.", "authorization", "2.0", "A payment authorization"},
	{"PAYMENT.CAPTURE.REFUNDED", "refund", "2.0", "A payment refund"},
	{"PAYMENT.REFUND.", "refund", "2.0", "A payment refund"},
	{"PAYMENT.SALE.REFUNDED", "refund", "1.0", "A sale"},
	{"PAYMENT.SALE.", "sale", "1.0", "A sale"},
	{"VAULT.PAYMENT-TOKEN.", "payment_token", "3.0", "A payment token"},
	{"BILLING.SUBSCRIPTION.", "subscription", "2.0", "A subscription"},
	{"BILLING.PLAN.", "plan", "2.0", "A billing plan"},
	{"CATALOG.PRODUCT.", "product", "1.0", "A product"},
	{"PAYMENT.CAPTURE.", "capture", "2.0", "A payment capture"},
	{"CUSTOMER.DISPUTE.", "dispute", "1.0", "A dispute"},
}

// tell makes an event of an object as it stands, and posts it. The caller holds mu.
func (s *Server) tell(kind, id string, object any) {
	e := &event{id: "WH-" + s.newID() + "-" + s.newID(), kind: kind, resource: id, at: s.now()}
	wire := eventWire{
		ID: e.id, EventVersion: "1.0", CreateTime: e.at.Format(eventTimeFormat), EventType: kind, Resource: object, Links: []link{
			s.get("self", "/v1/notifications/webhooks-events/"+e.id), s.post("resend", "/v1/notifications/webhooks-events/"+e.id+"/resend"),
		},
	}
	for _, one := range resourceTypes {
		if strings.HasPrefix(kind, one.prefix) {
			wire.ResourceType, wire.ResourceVersion = one.kind, one.version
			wire.Summary = one.summary + " was " + strings.ToLower(kind[strings.LastIndex(kind, ".")+1:]) + summaryEnd
			break
		}
	}
	e.text = encode(wire)
	s.events.Put(e.id, e)
	if s.WebhookURL == "" || s.WebhookID == "" || !s.hook.Gets(kind) {
		return
	}
	s.Webhooks.Post(engine.Delivery{Account: s.Account, Kind: kind, URL: s.WebhookURL, Body: e.text, Sign: s.sign})
}

// sign makes the headers of one try with the world's time, whatever the simulator's clock
// says: receivers compare it with theirs.
//
// Source: developer.paypal.com/api/rest/webhooks/rest, message verification.
func (s *Server) sign(body []byte) http.Header {
	id, at := transmissionID(), timeText(s.Clock.Wall())
	signature, err := s.Authority.sign(signedText(id, at, s.WebhookID, body))
	if err != nil {
		s.Logger.Error("webhook cannot be signed")
	}
	header := http.Header{"User-Agent": {"PayPal/AUHD-1.0-1"}}
	header.Set("Paypal-Transmission-Id", id)
	header.Set("Paypal-Transmission-Time", at)
	header.Set("Paypal-Transmission-Sig", base64.StdEncoding.EncodeToString(signature))
	header.Set("Paypal-Cert-Url", s.certificateURL())
	header.Set("Paypal-Auth-Algo", authAlgo)
	header.Set("Paypal-Auth-Version", "v2")
	return header
}

// signedText is what a signature is of.
func signedText(id, at, webhook string, body []byte) string {
	return fmt.Sprintf("%s|%s|%s|%d", id, at, webhook, crc32.ChecksumIEEE(body))
}

func (s *Server) certificateURL() string { return s.api(certificates + s.Authority.file()) }

// transmissionID makes a random UUID.
func transmissionID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// verifySignature says whether a webhook is genuine. The event must be there as it came, to
// the byte.
//
// Source: developer.paypal.com/docs/api/webhooks/v1, verify-webhook-signature_post.
func (s *Server) verifySignature(in *request) result {
	var wire struct {
		AuthAlgo  string          `json:"auth_algo"`
		CertURL   string          `json:"cert_url"`
		ID        string          `json:"transmission_id"`
		Signature string          `json:"transmission_sig"`
		Time      string          `json:"transmission_time"`
		WebhookID string          `json:"webhook_id"`
		Event     json.RawMessage `json:"webhook_event"`
	}
	if err := json.Unmarshal(in.raw, &wire); err != nil {
		return invalid(detail{Issue: "MALFORMED_REQUEST_JSON", Field: "/", Location: "body"})
	}
	signature, err := base64.StdEncoding.DecodeString(wire.Signature)
	verified := err == nil && wire.AuthAlgo == authAlgo && wire.WebhookID == s.WebhookID && strings.HasSuffix(wire.CertURL, s.prefix+certificates+s.Authority.file()) &&
		s.Authority.signed(signedText(wire.ID, wire.Time, wire.WebhookID, bytes.TrimSpace(wire.Event)), signature)
	status := "FAILURE"
	if verified {
		status = "SUCCESS"
	}
	return done(map[string]string{"verification_status": status})
}

func (s *Server) getEvent(in *request) result {
	if e, ok := s.events.Get(in.id); ok {
		return done(rawText(e.text))
	}
	return notFound()
}

// listEvents lists events, newest first, for as long as they are kept.
//
// Source: developer.paypal.com/docs/api/webhooks/v1, webhooks-events_list.
func (s *Server) listEvents(in *request) result {
	from, bad := in.time("start_time")
	if bad != nil {
		return *bad
	}
	until, bad := in.time("end_time")
	if bad != nil {
		return *bad
	}
	size, bad := in.number("page_size", eventPageMost, eventPageDefault)
	if bad != nil {
		return *bad
	}
	kind, resource := in.query.Get("event_type"), in.query.Get("transaction_id")
	kept := slices.DeleteFunc(s.events.NewestFirst(), func(e *event) bool {
		return kind != "" && e.kind != kind || resource != "" && e.resource != resource || e.at.Before(from) ||
			!until.IsZero() && e.at.After(until) || s.now().Sub(e.at) > eventLife
	})
	kept, links, bad := page(s, in, "/v1/notifications/webhooks-events", kept, size, func(e *event) string { return e.id })
	if bad != nil {
		return *bad
	}
	events := []rawText{}
	for _, e := range kept {
		events = append(events, rawText(e.text))
	}
	return done(map[string]any{"events": events, "count": len(events), "links": links})
}

// listWebhooks lists where webhooks go.
//
// Source: developer.paypal.com/docs/api/webhooks/v1, webhooks_list.
func (s *Server) listWebhooks(*request) result {
	webhooks := []map[string]any{}
	if s.WebhookURL != "" && s.hook.Enabled() { // one is there, or it is not
		kinds := []map[string]string{{"name": "*", "description": "ALL"}}
		if types, all := s.hook.Types(); !all {
			kinds = nil
			for _, kind := range types {
				kinds = append(kinds, map[string]string{"name": kind, "status": "ENABLED"})
			}
		}
		webhooks = append(webhooks, map[string]any{
			"id": s.WebhookID, "url": s.WebhookURL, "event_types": kinds,
			"links": []link{s.get("self", "/v1/notifications/webhooks/"+s.WebhookID)},
		})
	}
	return done(map[string]any{"webhooks": webhooks})
}
