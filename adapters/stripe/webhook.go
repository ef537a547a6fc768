package stripe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// webhookTolerance is how far the time of signing may lie from now, both ways: an old
	// post may be a replay, one from the future a replay in preparation.
	webhookTolerance = 5 * time.Minute
	// signatureHeaderBytesMax is far above a header with many signatures.
	signatureHeaderBytesMax = 4 << 10
	signatureHeader         = "Stripe-Signature"
	// signatureScheme begins what counts of the header. Stripe's other schemes do not.
	signatureScheme = "v1="
)

// VerifyWebhook implements [ports.WebhookVerifier].
//
// The signature is checked here as the SDK does it, in two thirds of its time; the tests hold
// the one to the other. The SDK knows one direction of time and its own clock alone.
//
// Source: docs.stripe.com/webhooks/signature.
func (a *Adapter) VerifyWebhook(_ context.Context, header http.Header, body []byte, now time.Time) (core.Delivery, error) {
	signed, err := a.checkSignature(header.Get(signatureHeader), body)
	if err != nil {
		return core.Delivery{}, err
	}
	if apart := now.Sub(signed); apart > webhookTolerance || apart < -webhookTolerance {
		return core.Delivery{}, fmt.Errorf("signed at another time: %w", ports.ErrSignature)
	}
	return a.delivery(body)
}

// checkSignature gives the time that a good signature covers.
func (a *Adapter) checkSignature(header string, body []byte) (time.Time, error) {
	seconds, usable := signedAt(header)
	if !usable {
		return time.Time{}, fmt.Errorf("no usable %s header: %w", signatureHeader, ports.ErrSignature)
	}
	var room [24]byte // a number of 64 bits has up to 20 characters
	prefix := append(strconv.AppendInt(room[:0], seconds, 10), '.')
	for _, secret := range a.secrets {
		sum := secret.Sum(prefix, body)
		if holds(header, &sum) {
			return time.Unix(seconds, 0), nil
		}
	}
	return time.Time{}, ports.ErrSignature
}

// signedAt is the time that a header names, in seconds. It is false where a part of the
// header is not of its shape, or no time is named; of several the last counts.
func signedAt(header string) (seconds int64, usable bool) {
	if len(header) > signatureHeaderBytesMax {
		return 0, false
	}
	for rest, more := header, true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, ",")
		name, value, whole := strings.Cut(pair, "=")
		if !whole || strings.IndexByte(value, '=') >= 0 {
			return 0, false
		}
		if name == "t" {
			at, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return 0, false
			}
			seconds, usable = at, true
		}
	}
	return seconds, usable
}

// holds reports whether a header of good shape holds a signature.
func holds(header string, sum *[sha256.Size]byte) bool {
	for rest, more := header, true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, ",")
		text, is := strings.CutPrefix(pair, signatureScheme)
		if !is || len(text) != hex.EncodedLen(sha256.Size) {
			continue
		}
		var digits [2 * sha256.Size]byte
		var given [sha256.Size]byte
		copy(digits[:], text)
		if _, err := hex.Decode(given[:], digits[:]); err == nil && hmac.Equal(given[:], sum[:]) {
			return true
		}
	}
	return false
}

const (
	// eventTypeLengthMax is above Stripe's longest type.
	eventTypeLengthMax = 128
	// eventTypeOdd stands for a type that is missing or has no type's shape. Such an event
	// is genuine all the same, and refusing it would have it sent for days.
	eventTypeOdd = "unreadable"
)

// event is what is read of an event.
type event struct {
	id, kind, version string
	live              bool
	object, objectID  string // what data.object is, and its id
	payment           string // the payment that a charge names; empty where it names none
}

// eventParts are what is read of an event, in the order of its reading.
//
// Source: docs.stripe.com/api/events/object.
var eventParts = outbound.NewParts("id", "type", "api_version", "livemode", "data.object.object", "data.object.id", "data.object.payment_intent")

// readEvent takes the few parts of an event that are used; false where it is not JSON.
func readEvent(body []byte) (event, bool) {
	var parts [7][]byte
	if !eventParts.Read(body, parts[:]) {
		return event{}, false
	}
	return event{
		id: outbound.JSONString(parts[0]), kind: outbound.JSONString(parts[1]), version: outbound.JSONString(parts[2]),
		live: string(parts[3]) == "true", object: outbound.JSONString(parts[4]), objectID: outbound.JSONString(parts[5]),
		payment: outbound.JSONString(parts[6]),
	}, true
}

// delivery tells which event it is and which object to look at. Nothing else of the
// payload is taken.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	e, readable := readEvent(body)
	if !readable {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	if outbound.SafeID(e.id) == "" {
		return core.Delivery{}, fmt.Errorf("no usable id: %w", ports.ErrPayload)
	}
	if e.live != (a.env == core.EnvLive) {
		return core.Delivery{}, ports.ErrWrongEnvironment
	}
	delivery := core.Delivery{
		Account: a.account, ProviderEventID: e.id, Type: outbound.Shaped(e.kind, eventTypeLengthMax, "_.-[]"),
		APIVersion: outbound.Shaped(e.version, outbound.CodeLengthMax, ".-_"), Body: body,
	}
	if delivery.Type == "" {
		delivery.Type = eventTypeOdd
	}
	if kind, id := concerns(delivery.Type, e); outbound.SafeID(id) != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: kind, ID: id}
	}
	return delivery, nil
}

// eventObjects says what the events of a type are about, by the begin of the type, which parts
// most from least special: what Stripe's object has to be, and what it is here. What is told of a
// charge its payment shows. needed are the ends of the types that move something here: others of
// that begin are followed as well, should they come.
//
// Source: docs.stripe.com/api/events/types.
var eventObjects = []struct {
	prefix, object string
	kind           core.ObjectKind
	needed         []string
}{
	{"payment_intent.", objectPaymentIntent, core.ObjectPayment, []string{
		"amount_capturable_updated", "canceled", "payment_failed", "processing", "requires_action", "succeeded",
	}},
	{"charge.dispute.", objectDispute, core.ObjectDispute, []string{"closed", "created", "funds_reinstated", "funds_withdrawn", "updated"}},
	{"charge.refund.", objectRefund, core.ObjectRefund, []string{"updated"}},
	{"charge.", objectCharge, core.ObjectPayment, []string{"captured", "expired", "refunded"}},
	{"refund.", objectRefund, core.ObjectRefund, []string{"created", "updated"}},
	{"checkout.session.", objectSession, core.ObjectSession, []string{"async_payment_failed", "async_payment_succeeded", "completed", "expired"}},
	{"setup_intent.", objectSetup, core.ObjectSetup, []string{"canceled", "requires_action", "setup_failed", "succeeded"}},
	{"payment_method.", objectMethod, core.ObjectMethod, []string{"attached", "automatically_updated", "detached", "updated"}},
	{"customer.subscription.", objectSubscription, core.ObjectSubscription, []string{
		"created", "deleted", "paused", "pending_update_applied", "pending_update_expired", "resumed", "updated",
	}},
	{"invoice.", objectInvoice, core.ObjectInvoice, []string{
		"created", "finalization_failed", "finalized", "marked_uncollectible", "paid", "payment_action_required", "payment_failed", "updated", "voided",
	}},
}

// concerns tells what to look at after an event; an empty id for nothing.
func concerns(kind string, e event) (core.ObjectKind, string) {
	for _, about := range eventObjects {
		switch {
		case !strings.HasPrefix(kind, about.prefix) || e.object != about.object:
		case about.object == objectCharge:
			return about.kind, e.payment
		default:
			return about.kind, e.objectID
		}
	}
	return "", ""
}
