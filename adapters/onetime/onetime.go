// Package onetime makes and reads the codes of authenticator apps.
package onetime

import (
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const (
	issuer = "Paydesk"
	// stepSeconds is how long a code is shown, in seconds.
	stepSeconds = 30
	// stepsAside is how many steps the clock of an app may be off, either way.
	stepsAside = 1
	// secretBytes is how long secrets are: as long as the output of the hash.
	secretBytes = 20
)

// Codes are six digits by SHA-1, which is what all apps know. It implements ports.OneTimeCodes.
type Codes struct{}

// New draws a secret.
func (Codes) New(label string) (secret, address string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: label, Period: stepSeconds, SecretSize: secretBytes})
	if err != nil {
		return "", "", fmt.Errorf("make secret for codes: %w", err)
	}
	return key.Secret(), key.URL(), nil
}

// Step finds the step of a code.
func (Codes) Step(secret, code string, at time.Time) (int64, bool) {
	now := at.Unix() / stepSeconds
	for step := now - stepsAside; step <= now+stepsAside; step++ {
		expected, err := totp.GenerateCodeCustom(secret, time.Unix(step*stepSeconds, 0), totp.ValidateOpts{Period: stepSeconds, Digits: otp.DigitsSix})
		if err == nil && subtle.ConstantTimeCompare([]byte(expected), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}
