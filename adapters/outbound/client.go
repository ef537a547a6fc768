// Package outbound is what calls to providers have in common, whichever provider they go to:
// a client that follows nobody and reads no endless answer, the proof of whether a request
// went out, and what may be taken over from an answer into errors and rows. What they send by
// themselves is read here, too: signatures by a key, and a few parts of a document. It knows
// no provider and sends nothing again.
package outbound

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Limits of a call. Callers set shorter deadlines by their contexts; these end what has
// none.
const (
	callTimeMax    = 30 * time.Second
	connectTimeMax = 5 * time.Second
	idleTimeMax    = 90 * time.Second
	// answerBytesMax is far above the largest answer asked for, a page of a hundred
	// payments with their charges.
	answerBytesMax  = 8 << 20
	idleConnections = 32 // kept open to the host, so that bursts do not shake hands anew
)

// errAnswerTooLong ends the reading of an answer.
var errAnswerTooLong = errors.New("answer is longer than any that is waited for")

// Client is the given client, or one of our own, that follows no redirect (credentials
// would go along) and reads no endless answer. Where a kept connection turns
// out to be broken, net/http itself sends the request again over another: reads, and what
// carries an idempotency key, so that it has one effect all the same.
func Client(given *http.Client) *http.Client {
	made := http.Client{Timeout: callTimeMax}
	if given != nil {
		made = *given
	}
	if made.Transport == nil {
		made.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: connectTimeMax}).DialContext,
			TLSHandshakeTimeout:   connectTimeMax,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          idleConnections,
			MaxIdleConnsPerHost:   idleConnections,
			IdleConnTimeout:       idleTimeMax,
			ResponseHeaderTimeout: callTimeMax,
		}
	}
	made.Transport = limitedTransport{made.Transport}
	made.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &made
}

// limitedTransport cuts answers off at answerBytesMax, and tells their calls of them.
type limitedTransport struct{ base http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t limitedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	noteAnswer(request, response)
	response.Body = &limitedBody{body: response.Body, left: answerBytesMax}
	return response, nil
}

type limitedBody struct {
	body io.ReadCloser
	left int64
}

// Read fails once more than the limit came, where a plain limit would make a cut answer
// look like a whole one.
func (b *limitedBody) Read(into []byte) (int, error) {
	n, err := b.body.Read(into)
	b.left -= int64(n)
	if b.left < 0 {
		return n, errAnswerTooLong
	}
	return n, err
}

// Close implements [io.Closer].
func (b *limitedBody) Close() error { return b.body.Close() }
