package paypal_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
)

// The times of the tests' certificates: long around the webhooks' own.
var (
	certifiedFrom  = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	certifiedUntil = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
)

// signer is a certificate with its key. Keys are made once for all tests: it takes a while.
type signer struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
	pem         []byte
}

// authorities are a root with what it vouches for, and a stranger's root.
type authorities struct {
	rootPEM                 []byte
	root, between, stranger signer
	leaf, rotated, foreign  signer
	selfSigned, otherName   signer
	expired, future         signer
	live, alsoNamed         signer
	underBetween            signer
}

const leafName = "messageverificationcerts.sandbox.paypal.com"

var authority = sync.OnceValue(func() *authorities {
	leafKey, rotatedKey := newKey(), newKey()
	a := &authorities{}
	a.root = issue(caTemplate("Test root"), newKey(), nil)
	a.between = issue(caTemplate("Test intermediate"), newKey(), &a.root)
	a.stranger = issue(caTemplate("Another root"), newKey(), nil)
	a.leaf = issue(leafTemplate(leafName), leafKey, &a.root)
	a.rotated = issue(leafTemplate(leafName), rotatedKey, &a.root)
	a.foreign = issue(leafTemplate(leafName), leafKey, &a.stranger)
	a.selfSigned = issue(leafTemplate(leafName), leafKey, nil)
	a.otherName = issue(leafTemplate("www.paypal.com"), leafKey, &a.root)
	a.live = issue(leafTemplate("messageverificationcerts.paypal.com"), leafKey, &a.root)
	a.underBetween = issue(leafTemplate(leafName), leafKey, &a.between)
	also := leafTemplate("PayPal")
	also.DNSNames = []string{"x.example", leafName}
	a.alsoNamed = issue(also, leafKey, &a.root)
	old, young := leafTemplate(leafName), leafTemplate(leafName)
	old.NotAfter, young.NotBefore = clock.Add(-time.Second), clock.Add(time.Second)
	a.expired, a.future = issue(old, leafKey, &a.root), issue(young, leafKey, &a.root)
	a.rootPEM = a.root.pem
	return a
})

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func leafTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: certifiedFrom, NotAfter: certifiedUntil,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func caTemplate(name string) *x509.Certificate {
	template := leafTemplate(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage, template.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	return template
}

// issue makes a certificate; parent is nil for one that vouches for itself.
func issue(template *x509.Certificate, key *rsa.PrivateKey, parent *signer) signer {
	by, with := template, key
	if parent != nil {
		by, with = parent.certificate, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), with)
	if err != nil {
		panic(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return signer{key: key, certificate: made, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

const (
	webhookID    = "WHID0000000000001"
	transmission = "b2f6a1c0-0000-11ef-8000-000000000001"
	// certURL is where PayPal publishes the sandbox's.
	certURL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
)

// signedText is what PayPal signs, written down here once more.
func signedText(id, at, webhook string, body []byte) string {
	return fmt.Sprintf("%s|%s|%s|%d", id, at, webhook, crc32.ChecksumIEEE(body))
}

// signature is a signer's of a text.
func (s *signer) signature(t testing.TB, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	made, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(made)
}

// headers are those of a post.
func headers(t testing.TB, by *signer, body []byte, at time.Time, address string) http.Header {
	t.Helper()
	header, when := http.Header{}, at.UTC().Format(time.RFC3339)
	header.Set("PAYPAL-TRANSMISSION-ID", transmission)
	header.Set("PAYPAL-TRANSMISSION-TIME", when)
	header.Set("PAYPAL-TRANSMISSION-SIG", by.signature(t, signedText(transmission, when, webhookID, body)))
	header.Set("PAYPAL-CERT-URL", address)
	header.Set("PAYPAL-AUTH-ALGO", "SHA256withRSA")
	header.Set("PAYPAL-AUTH-VERSION", "v2")
	return header
}

// publisher stands for the hosts that publish certificates, whichever they are, and writes
// down where anybody went.
type publisher struct {
	mu     sync.Mutex
	asked  []string
	answer func(*http.Request) (*http.Response, error)
}

// RoundTrip implements [http.RoundTripper].
func (p *publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.asked = append(p.asked, r.URL.String())
	p.mu.Unlock()
	return p.answer(r)
}

func (p *publisher) visits() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

func response(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r, ContentLength: int64(len(body)),
	}
}

// publishing answers every address with the same.
func publishing(status int, body []byte) *publisher {
	return &publisher{answer: func(r *http.Request) (*http.Response, error) { return response(r, status, body), nil }}
}

// verifier trusts the tests' root, and goes to the publisher alone.
func verifier(t testing.TB, p *publisher, change func(*paypal.Options)) *paypal.Adapter {
	t.Helper()
	with := options()
	with.WebhookRoots, with.HTTPClient = authority().rootPEM, &http.Client{Transport: p}
	if change != nil {
		change(&with)
	}
	return newAdapter(t, with)
}

// verify posts a body.
func verify(ctx context.Context, a *paypal.Adapter, header http.Header, body []byte) error {
	_, err := a.VerifyWebhook(ctx, header, body, clock)
	return err
}

// eventBody is an event, as PayPal writes it.
func eventBody(id, kind, resource string) []byte {
	return []byte(strings.NewReplacer("$id", id, "$kind", kind, "$resource", resource).Replace(
		`{"id":"$id","event_version":"1.0","create_time":"2026-03-01T12:00:00.000Z","resource_type":"x","resource_version":"2.0","event_type":"$kind","summary":"1 & 1 < 3","resource":$resource,` +
			`"links":[{"href":"https://api.sandbox.paypal.com/v1/notifications/webhooks-events/$id","rel":"self","method":"GET"}]}`))
}
