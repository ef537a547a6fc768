package square

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

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
// no time, so nothing is too old; what comes again is known by its id.
//
// Source: developer.squareup.com/docs/webhooks/step3validate.
func (a *Adapter) VerifyWebhook(_ context.Context, header http.Header, body []byte, _ time.Time) (core.Delivery, error) {
	given, err := base64.StdEncoding.DecodeString(header.Get(signatureHeader))
	if err != nil || len(given) != sha256.Size || len(body) == 0 {
		return core.Delivery{}, fmt.Errorf("no usable %s header, or no body: %w", signatureHeader, ports.ErrSignature)
	}
	good := slices.ContainsFunc(a.keys, func(key string) bool {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write([]byte(a.signed)) // a hash takes all
		_, _ = mac.Write(body)
		return hmac.Equal(mac.Sum(nil), given)
	})
	if !good {
		return core.Delivery{}, ports.ErrSignature
	}
	if env := header.Get(environmentHeader); env != "" && !strings.EqualFold(env, environments[a.env]) {
		return core.Delivery{}, ports.ErrWrongEnvironment
	}
	return a.delivery(body)
}

// delivery tells which event it is and which payment to look at. Nothing else of the payload
// is taken.
//
// Source: developer.squareup.com/docs/webhooks/overview.
func (a *Adapter) delivery(body []byte) (core.Delivery, error) {
	if !gjson.ValidBytes(body) {
		return core.Delivery{}, fmt.Errorf("not JSON: %w", ports.ErrPayload)
	}
	delivery := core.Delivery{Account: a.account, Body: body}
	object := ""
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "event_id":
			delivery.ProviderEventID = outbound.SafeID(value.Str)
		case "type":
			delivery.Type = outbound.SafeCode(value.Str)
		case "data":
			object = outbound.SafeID(value.Get("id").Str)
		}
		return true
	})
	if delivery.ProviderEventID == "" {
		return core.Delivery{}, fmt.Errorf("no usable id: %w", ports.ErrPayload)
	}
	if delivery.Type == "" {
		delivery.Type = eventTypeOdd
	}
	if strings.HasPrefix(delivery.Type, "payment.") && object != "" {
		delivery.Ref = core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: object}
	}
	return delivery, nil
}
