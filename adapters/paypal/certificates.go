package paypal

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/paydesk/paydesk/adapters/outbound"
)

// Limits of what webhooks' certificates may cost.
const (
	certificateURLCharsMax  = 512
	certificateBytesMax     = 64 << 10 // of one with all that lead to a trusted one
	certificatesInFileMax   = 10
	certificateTimeMax      = 5 * time.Second
	certificateFetchesMax   = 4 // at once, whichever they are
	certificatesKeptMax     = 16
	certificateKept         = 24 * time.Hour
	certificateRefusalsMax  = 256
	certificateRefusalsKept = 10 * time.Second
)

// certificatePath is where PayPal publishes certificates.
const certificatePath = "/v1/notifications/certs/"

// The subject of a certificate of PayPal's for webhooks: messageverificationcerts.paypal.com,
// and of the sandbox messageverificationcerts.sandbox.paypal.com.
const (
	subjectBegin = "messageverificationcerts"
	subjectEnd   = ".paypal.com"
)

// Why a certificate is not used.
var (
	errCertificateURL     = errors.New("certificate's address is none of PayPal's")
	errCertificateMissing = errors.New("PayPal has no such certificate")
	errCertificateFetch   = errors.New("certificate cannot be had")
	errCertificateForm    = errors.New("what came is no certificate")
	errCertificateTrust   = errors.New("certificate leads to none that is trusted, or not at this time")
	errCertificateSubject = errors.New("certificate is not for PayPal's webhooks")
)

// certificateHosts are where certificates may come from.
type certificateHosts struct {
	hosts []string // of PayPal, over TLS
	base  string   // of an API elsewhere, in place of those; empty for PayPal itself
}

func newCertificateHosts(base string, elsewhere, live bool) certificateHosts {
	switch {
	case elsewhere:
		return certificateHosts{base: base}
	case live:
		return certificateHosts{hosts: []string{"api.paypal.com", "api-m.paypal.com"}}
	}
	return certificateHosts{hosts: []string{"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"}}
}

// check refuses an address that is not one of PayPal's certificates, before anybody goes
// there: whoever writes the post writes the address, too.
func (h certificateHosts) check(address string) error {
	if len(address) > certificateURLCharsMax {
		return errCertificateURL
	}
	if h.base != "" {
		name, ok := strings.CutPrefix(address, h.base+certificatePath)
		if !ok || name == "" || outbound.SafeID(name) == "" {
			return errCertificateURL
		}
		return nil
	}
	at, err := url.Parse(address)
	if err != nil || !slices.Contains(h.hosts, strings.TrimSuffix(at.Host, ":443")) {
		return errCertificateURL
	}
	name, ok := strings.CutPrefix(at.Path, certificatePath)
	if !ok || name == "" || outbound.SafeID(name) == "" {
		return errCertificateURL
	}
	// Nothing but these parts: no other scheme, no user, no query, no fragment, nothing encoded.
	if address != "https://"+at.Host+certificatePath+name {
		return errCertificateURL
	}
	return nil
}

// certificates fetches, checks and keeps what webhooks are signed with. It is safe for
// concurrent use.
type certificates struct {
	http          *http.Client
	roots         *x509.CertPool // nil for those that this machine trusts
	intermediates *x509.CertPool
	live          bool
	fetching      singleflight.Group
	slots         chan struct{} // one for each fetch at once

	mu      sync.Mutex
	kept    map[string]*certificate
	refused map[string]refusal
}

// certificate is one that was found good, for as long as all that vouch for it are valid.
type certificate struct {
	leaf        *x509.Certificate
	from, until time.Time
	fetched     time.Time
}

// refusal is what came of a fetch in vain, for a moment.
type refusal struct {
	err error
	at  time.Time
}

func newCertificates(client *http.Client, roots, intermediates *x509.CertPool, live bool) *certificates {
	return &certificates{
		http: client, roots: roots, intermediates: intermediates, live: live, slots: make(chan struct{}, certificateFetchesMax),
		kept: map[string]*certificate{}, refused: map[string]refusal{},
	}
}

// get gives the certificate at an address that was checked. However many ask for it, it is
// fetched once. errCertificateFetch means that nothing is known of it.
func (c *certificates) get(ctx context.Context, address string, now time.Time) (*x509.Certificate, error) {
	if known, err := c.known(address, now); known != nil || err != nil {
		return known, err
	}
	fetched := c.fetching.DoChan(address, func() (any, error) {
		if known, err := c.known(address, now); known != nil || err != nil {
			return known, err
		}
		// Who waits for it may give up; others go on waiting.
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), certificateTimeMax)
		defer cancel()
		return c.learn(detached, address, now)
	})
	select {
	case result := <-fetched:
		leaf, ok := result.Val.(*x509.Certificate)
		if result.Err == nil && !ok {
			return nil, errCertificateFetch
		}
		return leaf, result.Err
	case <-ctx.Done():
		return nil, errCertificateFetch
	}
}

// known is what is kept about an address: its certificate, or why there is none; neither where
// it has to be fetched.
func (c *certificates) known(address string, now time.Time) (*x509.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if had, ok := c.refused[address]; ok && apart(now, had.at) < certificateRefusalsKept {
		return nil, had.err
	}
	held, ok := c.kept[address]
	if !ok || apart(now, held.fetched) > certificateKept || now.Before(held.from) || now.After(held.until) {
		return nil, nil //nolint:nilnil // it is not known; one that ran out may have been renewed
	}
	return held.leaf, nil
}

func apart(one, other time.Time) time.Duration { return one.Sub(other).Abs() }

// learn fetches a certificate, checks it, and keeps what came of it.
func (c *certificates) learn(ctx context.Context, address string, now time.Time) (*x509.Certificate, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		return nil, errCertificateFetch // others are being fetched; this one comes again
	}
	made, err := c.fetch(ctx, address)
	var found *certificate
	if err == nil {
		found, err = c.trust(made, now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if len(c.refused) >= certificateRefusalsMax {
			clear(c.refused)
		}
		c.refused[address] = refusal{err: err, at: now}
		return nil, err
	}
	if len(c.kept) >= certificatesKeptMax {
		clear(c.kept)
	}
	delete(c.refused, address)
	found.fetched = now
	c.kept[address] = found
	return found.leaf, nil
}

// fetch gets the certificates at an address: the one that signs, and those that vouch for it.
func (c *certificates) fetch(ctx context.Context, address string) ([]*x509.Certificate, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errCertificateURL
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, errCertificateFetch
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, errCertificateMissing
	default:
		return nil, errCertificateFetch
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, certificateBytesMax+1))
	if err != nil || len(text) > certificateBytesMax {
		return nil, errCertificateFetch
	}
	return parseCertificates(text)
}

func parseCertificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for range certificatesInFileMax {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil, errCertificateForm
		}
		all, text = append(all, one), rest
	}
	if len(all) == 0 {
		return nil, errCertificateForm
	}
	return all, nil
}

// trust finds the way from a certificate to one that is trusted.
func (c *certificates) trust(all []*x509.Certificate, now time.Time) (*certificate, error) {
	leaf, between := all[0], c.intermediates.Clone()
	for _, one := range all[1:] {
		between.AddCert(one)
	}
	if !slices.ContainsFunc(append(slices.Clone(leaf.DNSNames), leaf.Subject.CommonName), c.isSubject) {
		return nil, errCertificateSubject
	}
	ways, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil || len(ways) == 0 {
		return nil, errCertificateTrust
	}
	found := &certificate{leaf: leaf, from: leaf.NotBefore, until: leaf.NotAfter}
	for _, one := range ways[0] {
		if one.NotBefore.After(found.from) {
			found.from = one.NotBefore
		}
		if one.NotAfter.Before(found.until) {
			found.until = one.NotAfter
		}
	}
	return found, nil
}

// isSubject reports whether a name is one of those that PayPal's certificates for webhooks
// have. The sandbox's is good for play money alone.
func (c *certificates) isSubject(name string) bool {
	name = strings.ToLower(name)
	if c.live && strings.Contains(name, sandboxElement) {
		return false
	}
	return strings.HasPrefix(name, subjectBegin) && strings.HasSuffix(name, subjectEnd) && outbound.Shaped(name, certificateURLCharsMax, ".-") != ""
}
