package paypal

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The headers that a webhook is signed by.
const (
	headerID        = "Paypal-Transmission-Id"
	headerTime      = "Paypal-Transmission-Time"
	headerSignature = "Paypal-Transmission-Sig"
	headerCertURL   = "Paypal-Cert-Url"
	headerAlgorithm = "Paypal-Auth-Algo"
)

const (
	// webhookTolerance is how far the time of sending may lie from now, both ways. PayPal
	// sends again for three days, and nobody says whether with a new time.
	webhookTolerance = 4 * 24 * time.Hour
	// webhookHeaderCharsMax is far above the longest header, a signature of an RSA key of
	// 8192 bits.
	webhookHeaderCharsMax = 2 << 10
	// signatureAlgorithm is the only one that counts.
	signatureAlgorithm = "SHA256withRSA"
	eventTypeCharsMax  = 128
	// eventTypeOdd stands for a type that has not the shape of one.
	eventTypeOdd = "unnamed"
)

// transmission is what the headers say of a post.
type transmission struct {
	id, time, signature, certURL string
}

// VerifyWebhook implements [ports.WebhookVerifier]. PayPal signs a checksum of the body that
// is none of cryptography, so that nothing in it is believed but where to look.
//
// With [VerifyByCertificate], a certificate that PayPal knows nothing of makes the signature
// wrong; one that cannot be had, or comes as something else, makes the post not verifiable at
// the moment. With [VerifyByAPI], a body that is not JSON cannot be asked about, and counts as
// not signed.
//
// PayPal signs no environment: the webhook's id is of one, and addresses within the event that
// lead to the other are refused.
//
// Source: developer.paypal.com/api/rest/webhooks/rest.
func (a *Adapter) VerifyWebhook(ctx context.Context, header http.Header, body []byte, now time.Time) (core.Delivery, error) {
	sent, err := readTransmission(header, now)
	if err != nil {
		return core.Delivery{}, err
	}
	if a.webhookID == "" {
		return core.Delivery{}, fmt.Errorf("no webhook id is configured: %w", ports.ErrSignature)
	}
	if err := a.certHosts.check(sent.certURL); err != nil {
		return core.Delivery{}, fmt.Errorf("%w: %w", err, ports.ErrSignature)
	}
	if a.certificates == nil {
		err = a.verifyByAPI(ctx, sent, body)
	} else {
		err = a.verifyByCertificate(ctx, sent, body, now)
	}
	if err != nil {
		return core.Delivery{}, err
	}
	return a.delivery(body)
}

func readTransmission(header http.Header, now time.Time) (transmission, error) {
	for _, name := range []string{headerID, headerTime, headerSignature, headerCertURL, headerAlgorithm} {
		if value := header.Get(name); value == "" || len(value) > webhookHeaderCharsMax {
			return transmission{}, fmt.Errorf("no usable %s header: %w", name, ports.ErrSignature)
		}
	}
	if header.Get(headerAlgorithm) != signatureAlgorithm {
		return transmission{}, fmt.Errorf("signed in another way: %w", ports.ErrSignature)
	}
	sent := transmission{
		id: header.Get(headerID), time: header.Get(headerTime), signature: header.Get(headerSignature), certURL: header.Get(headerCertURL),
	}
	at, err := time.Parse(time.RFC3339, sent.time)
	if err != nil {
		return transmission{}, fmt.Errorf("time of sending: %w", ports.ErrSignature)
	}
	if apart(now, at) > webhookTolerance {
		return transmission{}, fmt.Errorf("sent at another time: %w", ports.ErrSignature)
	}
	return sent, nil
}

// verifyByCertificate checks the signature with PayPal's certificate.
func (a *Adapter) verifyByCertificate(ctx context.Context, sent transmission, body []byte, now time.Time) error {
	signature, err := base64.StdEncoding.DecodeString(sent.signature)
	if err != nil {
		return fmt.Errorf("signature is not readable: %w", ports.ErrSignature)
	}
	signer, err := a.certificates.get(ctx, sent.certURL, now)
	switch {
	case errors.Is(err, errCertificateFetch), errors.Is(err, errCertificateForm):
		return fmt.Errorf("%w: %w", err, ports.ErrNotVerifiable)
	case err != nil:
		return fmt.Errorf("%w: %w", err, ports.ErrSignature)
	}
	if signer.CheckSignature(x509.SHA256WithRSA, a.signedText(sent, body), signature) != nil {
		return ports.ErrSignature
	}
	return nil
}

// signedText is what PayPal signs.
func (a *Adapter) signedText(sent transmission, body []byte) []byte {
	text := make([]byte, 0, len(sent.id)+len(sent.time)+len(a.webhookID)+16)
	text = append(append(text, sent.id...), '|')
	text = append(append(text, sent.time...), '|')
	text = append(append(text, a.webhookID...), '|')
	return strconv.AppendUint(text, uint64(crc32.ChecksumIEEE(body)), 10)
}

// verifyByAPI asks PayPal. The event goes there byte by byte as it came: written anew it would
// be another.
//
// Source: POST /v1/notifications/verify-webhook-signature.
func (a *Adapter) verifyByAPI(ctx context.Context, sent transmission, body []byte) error {
	if !gjson.ValidBytes(body) {
		return fmt.Errorf("not JSON: %w", ports.ErrSignature)
	}
	parts, err := json.Marshal(map[string]string{
		"auth_algo": signatureAlgorithm, "cert_url": sent.certURL, "transmission_id": sent.id,
		"transmission_sig": sent.signature, "transmission_time": sent.time, "webhook_id": a.webhookID,
	})
	if err != nil {
		return ports.ErrSignature
	}
	var question bytes.Buffer
	question.Grow(len(parts) + len(body) + len(`,"webhook_event":`))
	question.Write(parts[:len(parts)-1])
	question.WriteString(`,"webhook_event":`)
	question.Write(body)
	question.WriteByte('}')
	op := "paypal verify webhook"
	got, err := a.api.do(ctx, request{op: op, method: http.MethodPost, path: "/v1/notifications/verify-webhook-signature", raw: question.Bytes()})
	if refused, ok := errors.AsType[*core.ProviderError](err); ok && refused.Class == core.ClassInvalid {
		return fmt.Errorf("PayPal cannot make sense of it: %w", ports.ErrSignature)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", err, ports.ErrNotVerifiable)
	}
	switch gjson.GetBytes(got.body, "verification_status").Str {
	case "SUCCESS":
		return nil
	case "FAILURE":
		return ports.ErrSignature
	}
	return fmt.Errorf("PayPal does not say: %w", ports.ErrNotVerifiable)
}

// event is what is read of one.
type event struct {
	id, kind, version string
	resource          gjson.Result
	links             []string // addresses
}

// readEvent takes the few parts of an event that are used, in one pass.
//
// Source: developer.paypal.com/docs/api/webhooks/v1/, event.
func readEvent(body []byte) event {
	var e event
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "id":
			e.id = text(value)
		case "event_type":
			e.kind = text(value)
		case "resource_version":
			e.version = text(value)
		case "resource":
			e.resource = value
		case "links":
			e.links = hrefs(value, "")
		}
		return true
	})
	return e
}

func text(value gjson.Result) string {
	if value.Type != gjson.String {
		return ""
	}
	return value.Str
}

// hrefs are the addresses of links, of those of one kind where that is named.
func hrefs(links gjson.Result, rel string) []string {
	var all []string
	links.ForEach(func(_, link gjson.Result) bool {
		if rel == "" || text(link.Get("rel")) == rel {
			all = append(all, text(link.Get("href")))
		}
		return true
	})
	return all
}

// delivery tells which event it is and which payment to look at. Nothing else of the payload
// is taken.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	if !gjson.ValidBytes(body) {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	e := readEvent(body)
	if e.id == "" || outbound.SafeID(e.id) == "" {
		return core.Delivery{}, fmt.Errorf("no usable id: %w", ports.ErrPayload)
	}
	for _, address := range append(e.links, hrefs(e.resource.Get("links"), "")...) {
		if told := a.environmentOf(address); told != "" && told != a.env {
			return core.Delivery{}, ports.ErrWrongEnvironment
		}
	}
	delivery := core.Delivery{
		Account: a.account, ProviderEventID: e.id, Type: outbound.Shaped(e.kind, eventTypeCharsMax, "_.-"),
		APIVersion: outbound.Shaped(e.version, outbound.CodeLengthMax, ".-_"), Body: body,
	}
	if delivery.Type == "" {
		delivery.Type = eventTypeOdd
	}
	if kind, id := concerns(delivery.Type, e.resource); id != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: kind, ID: id}
	}
	return delivery, nil
}

// concerns is the object that an event is about: mostly an order; the refund, where the event
// is about one that does not name its order. The id is empty for what concerns nothing kept
// here.
//
// Source: developer.paypal.com/api/rest/webhooks/event-names.
func concerns(kind string, resource gjson.Result) (core.ObjectKind, string) {
	id := outbound.SafeID(text(resource.Get("id")))
	order := outbound.SafeID(text(resource.Get("supplementary_data.related_ids.order_id")))
	up := hrefs(resource.Get("links"), "up")
	for _, address := range up {
		if order == "" {
			order = objectAfter(address, pathOrders)
		}
	}
	switch {
	case kind == "CHECKOUT.PAYMENT-APPROVAL.REVERSED":
		return core.ObjectPayment, outbound.SafeID(text(resource.Get("order_id")))
	case strings.HasPrefix(kind, "CHECKOUT.ORDER."):
		return core.ObjectPayment, id
	case !strings.HasPrefix(kind, "PAYMENT.AUTHORIZATION.") && !strings.HasPrefix(kind, "PAYMENT.CAPTURE.") && !strings.HasPrefix(kind, "PAYMENT.REFUND."):
		return "", ""
	case order != "":
		return core.ObjectPayment, order
	case kind == "PAYMENT.CAPTURE.REFUNDED" || strings.HasPrefix(kind, "PAYMENT.REFUND."):
		return core.ObjectRefund, id
	case kind == "PAYMENT.CAPTURE.REVERSED":
		for _, address := range up {
			if objectAfter(address, pathCaptures) != "" {
				return core.ObjectRefund, id
			}
		}
	}
	return "", ""
}
