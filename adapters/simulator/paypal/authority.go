package paypal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

const (
	// leafName is whom PayPal's own certificates are made out to.
	leafName = "messageverificationcerts.sandbox.paypal.com"
	leafBits = 2048
	// certificateLife is longer than any test moves its clock.
	certificateLife = 20 * 365 * 24 * time.Hour
)

// Authority signs webhooks the way PayPal does, under a throw-away root that lives no longer
// than the program. It is safe for concurrent use. Make one by [NewAuthority].
type Authority struct {
	now  func() time.Time
	make sync.Once

	root, leaf []byte // PEM
	key        *rsa.PrivateKey
	name       string // of the leaf's file
}

// NewAuthority makes an authority. Its keys are made when they are needed first, which takes
// a part of a second. now is the time that certificates begin at; nil for the real one.
func NewAuthority(now func() time.Time) *Authority {
	if now == nil {
		now = time.Now
	}
	return &Authority{now: now}
}

// RootPEM is the root certificate, which receivers have to trust.
func (a *Authority) RootPEM() []byte {
	a.make.Do(a.issue)
	return bytes.Clone(a.root)
}

// LeafPEM is the certificate that signatures are made with, without the root.
func (a *Authority) LeafPEM() []byte {
	a.make.Do(a.issue)
	return bytes.Clone(a.leaf)
}

// file is the name that the leaf is fetched by.
func (a *Authority) file() string {
	a.make.Do(a.issue)
	return a.name
}

// sign makes the signature of a message.
func (a *Authority) sign(message string) ([]byte, error) {
	a.make.Do(a.issue)
	sum := sha256.Sum256([]byte(message))
	return rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
}

// signed reports whether a signature is this authority's.
func (a *Authority) signed(message string, signature []byte) bool {
	a.make.Do(a.issue)
	sum := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) == nil
}

// issue makes keys and certificates. A machine that cannot do that can do nothing here.
func (a *Authority) issue() {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Errorf("make the root's key: %w", err))
	}
	if a.key, err = rsa.GenerateKey(rand.Reader, leafBits); err != nil {
		panic(fmt.Errorf("make the leaf's key: %w", err))
	}
	begin := a.now().UTC().Add(-time.Hour) // for receivers whose clocks are behind
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Simulated PayPal Root", Organization: []string{"Paydesk simulator"}},
		NotBefore: begin, NotAfter: begin.Add(certificateLife), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: leafName, Organization: []string{"PayPal, Inc."}},
		DNSNames: []string{leafName}, NotBefore: begin, NotAfter: begin.Add(certificateLife), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		panic(fmt.Errorf("make the root: %w", err))
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, a.key.Public(), rootKey)
	if err != nil {
		panic(fmt.Errorf("make the leaf: %w", err))
	}
	a.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})
	a.leaf = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER})
	sum := sha256.Sum256(leafDER)
	text := hex.EncodeToString(sum[:12])
	a.name = "CERT-" + text[:8] + "-" + text[8:16] + "-" + text[16:]
}
