package load

import (
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
	"math/big"
	"time"
)

const (
	paypalKeyBits = 2048
	// paypalLife is for how long, before and after the time that it is made, its certificate is good.
	paypalLife = 24 * time.Hour
	// paypalName is whom PayPal's certificates of its sandbox are for.
	paypalName = "messageverificationcerts.sandbox.paypal.com"
)

// PayPal signs by a throw-away certificate. Make one by [NewPayPal].
type PayPal struct {
	// Certificate is the PEM text that is to be found at Found, and to be trusted as a root by
	// who verifies.
	Certificate []byte
	// Found is the address of the certificate, below the one of PayPal's API.
	Found string

	webhookID string
	key       *rsa.PrivateKey
}

// PayPalCertificatePath is where the certificate is to be served, below the address of the API.
const PayPalCertificatePath = "/v1/notifications/certs/CERT-load"

// NewPayPal makes the provider for a webhook's id and the address of an API that serves the certificate.
func NewPayPal(webhookID, apiBase string, wall time.Time) (*PayPal, error) {
	key, err := rsa.GenerateKey(rand.Reader, paypalKeyBits)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	// A root that is its own leaf: there is nobody else to vouch for it.
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: paypalName, Organization: []string{"PayPal, Inc."}}, DNSNames: []string{paypalName},
		NotBefore: wall.Add(-paypalLife), NotAfter: wall.Add(paypalLife), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return &PayPal{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), Found: apiBase + PayPalCertificatePath,
		webhookID: webhookID, key: key,
	}, nil
}

// Name implements [Provider].
func (*PayPal) Name() string { return "paypal" }

// Event implements [Provider].
func (*PayPal) Event(id, filler string, wall time.Time) string {
	return fmt.Sprintf(`{"id":%q,"event_version":"1.0","create_time":%q,"resource_type":"capture","resource_version":"2.0","event_type":"PAYMENT.CAPTURE.COMPLETED",`+
		`"resource":{"id":"CAP%s","status":"COMPLETED","amount":{"currency_code":"EUR","value":"10.00"},"supplementary_data":{"related_ids":{"order_id":"ORD%s"}},`+
		`"note_to_payer":%q},"links":[]}`,
		id, wall.UTC().Format(time.RFC3339), id[len("evt_"):], id[len("evt_"):], filler)
}

// Sign implements [Provider].
//
// Source: developer.paypal.com/api/rest/webhooks/rest, message verification.
func (p *PayPal) Sign(body string, wall time.Time) (string, error) {
	at, checksum := wall.UTC().Format(time.RFC3339), crc32.ChecksumIEEE([]byte(body))
	id := fmt.Sprintf("load-%08x", checksum)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", id, at, p.webhookID, checksum))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Paypal-Transmission-Id: %s\r\nPaypal-Transmission-Time: %s\r\nPaypal-Transmission-Sig: %s\r\nPaypal-Cert-Url: %s\r\nPaypal-Auth-Algo: SHA256withRSA\r\n",
		id, at, base64.StdEncoding.EncodeToString(signature), p.Found), nil
}
