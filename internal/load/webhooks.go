package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Webhooks makes signed webhook posts of Stripe's form.
type Webhooks struct {
	Address   string // "http://HOST:PORT/webhooks/stripe"
	Secret    string // "whsec_…"
	BodyBytes int    // about how long a body is
	// Repeats of a hundred posts carry an event that was posted before.
	Repeats int
	Prefix  string // of the event ids, so that runs do not meet
	Wall    time.Time
}

// Post is one finished HTTP request, ready for the wire.
type Post struct {
	Wire  []byte
	Event string // its id
}

// Make makes posts with distinct events but for the share of repeats, and gives how
// many events are distinct.
func (w Webhooks) Make(count int) (posts []Post, distinct int, err error) {
	target, err := url.Parse(w.Address)
	if err != nil {
		return nil, 0, fmt.Errorf("webhook address: %w", err)
	}
	posts = make([]Post, 0, count)
	for i := range count {
		if i > 0 && i*w.Repeats/100 > (i-1)*w.Repeats/100 {
			posts = append(posts, posts[i/2])
			continue
		}
		posts = append(posts, w.post(target, fmt.Sprintf("evt_%s%09d", w.Prefix, i)))
		distinct++
	}
	return posts, distinct, nil
}

func (w Webhooks) post(target *url.URL, event string) Post {
	body := fmt.Sprintf(`{"id":%q,"object":"event","api_version":"2023-10-16","created":%d,"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded",`+
		`"data":{"object":{"id":"pi_%s","object":"payment_intent","amount":1000,"currency":"eur","status":"succeeded","description":%q}}}`,
		event, w.Wall.Unix(), event[len("evt_"):], strings.Repeat("load ", max(w.BodyBytes-330, 0)/5))
	mac := hmac.New(sha256.New, []byte(w.Secret))
	fmt.Fprintf(mac, "%d.%s", w.Wall.Unix(), body)
	return Post{Event: event, Wire: fmt.Appendf(nil,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nStripe-Signature: t=%d,v1=%s\r\nContent-Length: %d\r\n\r\n%s",
		target.Path, target.Host, w.Wall.Unix(), hex.EncodeToString(mac.Sum(nil)), len(body), body)}
}
