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
	"time"

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
	if !json.Valid(body) {
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
	op := a.op("verify", "webhook")
	got, err := a.api.do(ctx, request{op: op, method: http.MethodPost, path: "/v1/notifications/verify-webhook-signature", raw: question.Bytes()})
	if refused, ok := errors.AsType[*core.ProviderError](err); ok && refused.Class == core.ClassInvalid {
		return fmt.Errorf("PayPal cannot make sense of it: %w", ports.ErrSignature)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", err, ports.ErrNotVerifiable)
	}
	var said struct {
		Status string `json:"verification_status"`
	}
	if json.Unmarshal(got.body, &said) != nil {
		said.Status = ""
	}
	switch said.Status {
	case "SUCCESS":
		return nil
	case "FAILURE":
		return ports.ErrSignature
	}
	return fmt.Errorf("PayPal does not say: %w", ports.ErrNotVerifiable)
}

// eventParts are what is read of an event, in the order of its reading.
//
// Source: developer.paypal.com/docs/api/webhooks/v1/, event.
var eventParts = outbound.NewParts(
	"id", "event_type", "resource_version", "links",
	"resource.id", "resource.order_id", "resource.supplementary_data.related_ids.order_id", "resource.links",
	"resource.dispute_id", "resource.billing_agreement_id",
)

// eventPartsRead is how many those are.
const eventPartsRead = 10

// resource is what is read of the object that an event is about.
type resource struct {
	id, order, relatedOrder string
	dispute, agreement      string // the agreement is a subscription
	links                   []Link
}

// delivery tells which event it is and which object to look at. Nothing else of the payload
// is taken.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	var parts [eventPartsRead][]byte
	if !eventParts.Read(body, parts[:]) {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	delivery := core.Delivery{
		Account: a.account, ProviderEventID: outbound.SafeID(outbound.JSONString(parts[0])),
		Type:       outbound.Shaped(outbound.JSONString(parts[1]), eventTypeCharsMax, "_.-"),
		APIVersion: outbound.Shaped(outbound.JSONString(parts[2]), outbound.CodeLengthMax, ".-_"), Body: body,
	}
	if delivery.ProviderEventID == "" {
		return core.Delivery{}, fmt.Errorf("no usable id: %w", ports.ErrPayload)
	}
	about := resource{
		id: outbound.SafeID(outbound.JSONString(parts[4])), order: outbound.SafeID(outbound.JSONString(parts[5])),
		relatedOrder: outbound.SafeID(outbound.JSONString(parts[6])), links: readLinks(parts[7]),
		dispute: outbound.SafeID(outbound.JSONString(parts[8])), agreement: outbound.SafeID(outbound.JSONString(parts[9])),
	}
	if a.environment(readLinks(parts[3])) != a.env || a.environment(about.links) != a.env {
		return core.Delivery{}, ports.ErrWrongEnvironment
	}
	if delivery.Type == "" {
		delivery.Type = eventTypeOdd
	}
	if kind, id := concerns(delivery.Type, about); id != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: kind, ID: id}
	}
	return delivery, nil
}

// readLinks are the links of an object. What is odd about one takes nothing from the others.
func readLinks(part []byte) []Link {
	var links []Link
	if len(part) > 0 {
		_ = json.Unmarshal(part, &links) // it reads on after what is of another type
	}
	return links
}
