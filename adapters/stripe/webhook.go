package stripe

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"
	"github.com/tidwall/gjson"

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
func (a *Adapter) VerifyWebhook(header http.Header, body []byte, now time.Time) (core.Delivery, error) {
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

// Where the parts of an event stand that are read.
var eventPaths = []string{"id", "type", "livemode", "api_version", "data.object.object", "data.object.id", "data.object.payment_intent"}

// delivery reads which event it is and which payment to look at. Nothing else of the
// payload is taken.
//
// Source: docs.stripe.com/api/events/object.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	if !gjson.ValidBytes(body) {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	parts := gjson.GetManyBytes(body, eventPaths...)
	id, kind := text(parts[0]), text(parts[1])
	if safeID(id) == "" {
		return core.Delivery{}, fmt.Errorf("no usable id: %w", ports.ErrPayload)
	}
	if kind = shaped(kind, eventTypeLengthMax, "_.-[]"); kind == "" {
		kind = eventTypeOdd
	}
	if live := parts[2].Type == gjson.True; live != (a.env == core.EnvLive) {
		return core.Delivery{}, ports.ErrWrongEnvironment
	}
	delivery := core.Delivery{
		Account: a.account, ProviderEventID: id, Type: kind, APIVersion: shaped(text(parts[3]), codeLengthMax, ".-_"), Body: body,
	}
	payment := text(parts[6])
	if text(parts[4]) == objectPaymentIntent {
		payment = text(parts[5])
	}
	if concernsPayment(kind) && safeID(payment) != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: payment}
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
