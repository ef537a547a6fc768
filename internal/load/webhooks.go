package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Provider makes the events of one provider, and signs them as it does.
type Provider interface {
	// Name is the provider's, as in "webhook stripe".
	Name() string
	// Event is an event's body. filler makes it as long as is wanted.
	Event(id, filler string, wall time.Time) string
	// Sign gives the lines of the header that vouch for a body, each with its end.
	Sign(body string, wall time.Time) (string, error)
}

// Webhooks makes signed webhook posts of one provider.
type Webhooks struct {
	Provider  Provider
	Address   string // "http://HOST:PORT/webhooks/ACCOUNT"
	BodyBytes int    // about how long a body is
	// Repeats of a hundred posts carry an event that was posted before.
	Repeats int
	Prefix  string // of the event ids, so that runs do not meet
	Wall    time.Time
}

// Post is one finished HTTP request, ready for the wire.
type Post struct {
	Kind  string // what it is, for the report
	Wire  []byte
	Event string // its id; empty for what is no webhook
}

// Make makes posts with distinct events but for the share of repeats, and gives how
// many events are distinct.
func (w Webhooks) Make(count int) (posts []Post, distinct int, err error) {
	target, err := url.Parse(w.Address)
	if err != nil {
		return nil, 0, fmt.Errorf("webhook address: %w", err)
	}
	filler := strings.Repeat("load ", max(w.BodyBytes-len(w.Provider.Event("evt_"+w.Prefix+"000000000", "", w.Wall)), 0)/5)
	posts = make([]Post, 0, count)
	for i := range count {
		if i > 0 && i*w.Repeats/100 > (i-1)*w.Repeats/100 {
			posts = append(posts, posts[i/2])
			continue
		}
		made, err := w.post(target, fmt.Sprintf("evt_%s%09d", w.Prefix, i), filler)
		if err != nil {
			return nil, 0, err
		}
		posts = append(posts, made)
		distinct++
	}
	return posts, distinct, nil
}

func (w Webhooks) post(target *url.URL, event, filler string) (Post, error) {
	body := w.Provider.Event(event, filler, w.Wall)
	signed, err := w.Provider.Sign(body, w.Wall)
	if err != nil {
		return Post{}, fmt.Errorf("sign webhook: %w", err)
	}
	return Post{Kind: "webhook " + w.Provider.Name(), Event: event, Wire: wire("POST", target, signed, body)}, nil
}

// wire is a request as it goes over a connection that stays open. header is lines with their ends.
func wire(method string, target *url.URL, header, body string) []byte {
	if body != "" {
		header += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s", method, target.RequestURI(), target.Host, header, body)
}

// Stripe signs with one of an endpoint's secrets ("whsec_…").
type Stripe struct{ Secret string }

// Name implements [Provider].
func (Stripe) Name() string { return "stripe" }

// Event implements [Provider].
func (Stripe) Event(id, filler string, wall time.Time) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","api_version":"2023-10-16","created":%d,"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded",`+
		`"data":{"object":{"id":"pi_%s","object":"payment_intent","amount":1000,"currency":"eur","status":"succeeded","description":%q}}}`,
		id, wall.Unix(), id[len("evt_"):], filler)
}

// Sign implements [Provider].
//
// Source: docs.stripe.com/webhooks#verify-manually.
func (s Stripe) Sign(body string, wall time.Time) (string, error) {
	mac := hmac.New(sha256.New, []byte(s.Secret))
	_, _ = fmt.Fprintf(mac, "%d.%s", wall.Unix(), body)
	return fmt.Sprintf("Stripe-Signature: t=%d,v1=%s\r\n", wall.Unix(), hex.EncodeToString(mac.Sum(nil))), nil
}

// Square signs with a subscription's key, and the address that is registered there.
type Square struct{ Key, Registered string }

// Name implements [Provider].
func (Square) Name() string { return "square" }

// Event implements [Provider].
func (Square) Event(id, filler string, wall time.Time) string {
	return fmt.Sprintf(`{"merchant_id":"M1","type":"payment.updated","event_id":%q,"created_at":%q,"data":{"type":"payment","id":"sq%s",`+
		`"object":{"payment":{"id":"sq%s","status":"COMPLETED","amount_money":{"amount":1000,"currency":"EUR"},"note":%q}}}}`,
		id, wall.UTC().Format(time.RFC3339), id[len("evt_"):], id[len("evt_"):], filler)
}

// Sign implements [Provider].
//
// Source: developer.squareup.com/docs/webhooks/step3validate.
func (s Square) Sign(body string, _ time.Time) (string, error) {
	mac := hmac.New(sha256.New, []byte(s.Key))
	_, _ = fmt.Fprintf(mac, "%s%s", s.Registered, body)
	return fmt.Sprintf("X-Square-Hmacsha256-Signature: %s\r\nSquare-Environment: Sandbox\r\n", base64.StdEncoding.EncodeToString(mac.Sum(nil))), nil
}
