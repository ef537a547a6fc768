package square

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	signatureHeader   = "X-Square-Hmacsha256-Signature"
	environmentHeader = "Square-Environment"
	// eventTypeOdd stands for a type that has not the shape of one.
	eventTypeOdd = "unnamed"
)

// environments are what the header calls them.
var environments = map[core.Environment]string{core.EnvLive: "Production", core.EnvTest: "Sandbox"}

// VerifyWebhook implements [ports.WebhookVerifier]. Square signs the address and the body, and
// no time, so nothing is too old; what comes again is known by its id. A post that does not
// say of which environment it is passes: the key is of one.
//
// Source: developer.squareup.com/docs/webhooks/step3validate.
func (a *Adapter) VerifyWebhook(_ context.Context, header http.Header, body []byte, _ time.Time) (core.Delivery, error) {
	if err := a.checkSignature(header.Get(signatureHeader), body); err != nil {
		return core.Delivery{}, err
	}
	if env := header.Get(environmentHeader); env != "" && !strings.EqualFold(env, environments[a.env]) {
		return core.Delivery{}, ports.ErrWrongEnvironment
	}
	return a.delivery(body)
}

// signatureChars is how long a signature is as text.
const signatureChars = (sha256.Size + 2) / 3 * 4

// checkSignature compares bytes, not text: which bits of a last character stand for nothing
// is not Square's to say.
func (a *Adapter) checkSignature(header string, body []byte) error {
	var text [signatureChars]byte
	var given [sha256.Size + 1]byte // the decoder wants room for the padding
	size := 0
	if len(header) == signatureChars {
		copy(text[:], header)
		size, _ = base64.StdEncoding.Decode(given[:], text[:]) // what is no base64 has not the size
	}
	if size != sha256.Size {
		return fmt.Errorf("no usable %s header: %w", signatureHeader, ports.ErrSignature)
	}
	for _, key := range a.keys {
		if sum := key.Sum(a.signed, body); hmac.Equal(sum[:], given[:sha256.Size]) {
			return nil
		}
	}
	return ports.ErrSignature
}

// eventParts are what is read of an event, in the order of its reading.
//
// Source: developer.squareup.com/docs/webhooks/overview.
var eventParts = outbound.NewParts("event_id", "type", "data.id")

// eventObjects says what the events of a type are about, by the begin of the type. needed are the
// ends of the types that move something here: others of that begin are followed as well, should
// they come.
//
// Source: developer.squareup.com/docs/webhooks/v2-events-tech-ref.
var eventObjects = []struct {
	prefix string
	kind   core.ObjectKind
	needed []string
}{
	{"payment.", core.ObjectPayment, []string{"created", "updated"}},
	{"refund.", core.ObjectRefund, []string{"created", "updated"}},
	{"dispute.", core.ObjectDispute, []string{"created", "state.updated"}},
	{"card.", core.ObjectMethod, []string{"automatically_updated", "disabled", "forgotten", "updated"}},
	{"subscription.", core.ObjectSubscription, []string{"created", "updated"}},
	{"invoice.", core.ObjectInvoice, []string{
		"canceled", "created", "payment_made", "published", "refunded", "scheduled_charge_failed", "updated",
	}},
}

// delivery tells which event it is and which object to look at. Nothing else of the payload is
// taken. Events of an order lead nowhere: those of its payment come as well. Those of customers
// and plans concern nothing that is kept of them here.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	var parts [3][]byte
	if !eventParts.Read(body, parts[:]) {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	delivery := core.Delivery{
		Account: a.account, ProviderEventID: outbound.SafeID(outbound.JSONString(parts[0])),
		Type: outbound.SafeCode(outbound.JSONString(parts[1])), Body: body,
	}
	if delivery.ProviderEventID == "" {
		return core.Delivery{}, fmt.Errorf("no usable id: %w", ports.ErrPayload)
	}
	if delivery.Type == "" {
		delivery.Type = eventTypeOdd
	}
	for _, about := range eventObjects {
		if id := safeID(outbound.JSONString(parts[2])); id != "" && strings.HasPrefix(delivery.Type, about.prefix) {
			delivery.Ref = a.ref(about.kind, id)
		}
	}
	return delivery, nil
}
