package stripe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"
	"github.com/tidwall/gjson"

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
)

// VerifyWebhook implements [ports.WebhookVerifier].
//
// The SDK checks the signature over the raw bytes. The time is checked here, because the
// SDK knows one direction and its own clock alone.
//
// Source: docs.stripe.com/webhooks/signature.
func (a *Adapter) VerifyWebhook(_ context.Context, header http.Header, body []byte, now time.Time) (core.Delivery, error) {
	signature := header.Get(signatureHeader)
	if signature == "" || len(signature) > signatureHeaderBytesMax {
		return core.Delivery{}, fmt.Errorf("no usable %s header: %w", signatureHeader, ports.ErrSignature)
	}
	good := slices.ContainsFunc(a.secrets, func(secret string) bool {
		return webhook.ValidatePayloadIgnoringTolerance(body, signature, secret) == nil
	})
	if !good {
		return core.Delivery{}, ports.ErrSignature
	}
	signed, err := signedAt(signature)
	if err != nil {
		return core.Delivery{}, fmt.Errorf("time of signing: %w", ports.ErrSignature)
	}
	if apart := now.Sub(signed); apart > webhookTolerance || apart < -webhookTolerance {
		return core.Delivery{}, fmt.Errorf("signed at another time: %w", ports.ErrSignature)
	}
	return a.delivery(body)
}

// signedAt is the time that the signature covers. Where a header names several, the SDK
// goes by the last, and so do we.
func signedAt(header string) (time.Time, error) {
	seconds := int64(-1)
	for pair := range strings.SplitSeq(header, ",") {
		if text, ok := strings.CutPrefix(pair, "t="); ok {
			var err error
			if seconds, err = strconv.ParseInt(text, 10, 64); err != nil {
				return time.Time{}, err
			}
		}
	}
	return time.Unix(seconds, 0), nil
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
	payment           string // the payment that the object names; empty where it names none
}

// readEvent takes the few parts of an event that are used, in one pass.
//
// Source: docs.stripe.com/api/events/object.
func readEvent(body []byte) event {
	var e event
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "id":
			e.id = text(value)
		case "type":
			e.kind = text(value)
		case "api_version":
			e.version = text(value)
		case "livemode":
			e.live = value.Type == gjson.True
		case "data":
			e.readObject(value.Get("object"))
		}
		return true
	})
	return e
}

func (e *event) readObject(object gjson.Result) {
	object.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "id":
			e.objectID = text(value)
		case "object":
			e.object = text(value)
		case "payment_intent":
			e.payment = text(value)
		}
		return true
	})
}

// delivery tells which event it is and which payment to look at. Nothing else of the
// payload is taken.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	if !gjson.ValidBytes(body) {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	e := readEvent(body)
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
	if e.object == objectPaymentIntent {
		e.payment = e.objectID
	}
	if concernsPayment(delivery.Type) && outbound.SafeID(e.payment) != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: e.payment}
	}
	if strings.HasPrefix(delivery.Type, "checkout.session.") && e.object == objectSession && outbound.SafeID(e.objectID) != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: core.ObjectSession, ID: e.objectID}
	}
	return delivery, nil
}

func text(value gjson.Result) string {
	if value.Type != gjson.String {
		return ""
	}
	return value.Str
}

// concernsPayment reports whether events of a type are told of something that a payment
// shows: the intent itself, its charge, and what is done to that.
//
// Source: docs.stripe.com/api/events/types.
func concernsPayment(kind string) bool {
	return strings.HasPrefix(kind, "payment_intent.") || strings.HasPrefix(kind, "charge.") || strings.HasPrefix(kind, "refund.")
}
