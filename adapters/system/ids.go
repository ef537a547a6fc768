package system

import (
	"crypto/rand"

	"github.com/google/uuid"

	"github.com/paydesk/paydesk/ports"
)

const (
	// secretCharacters of the 62 letters and digits hold 190 random bits.
	secretCharacters = 32
	secretAlphabet   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// secretOctetLimit is the largest multiple of the alphabet's size an octet can hold.
	// Octets from there on are thrown away, so that each character is equally likely.
	secretOctetLimit = 256 / len(secretAlphabet) * len(secretAlphabet)
)

// IDs draws ids and secrets from the operating system's random source. The zero value is
// ready for use, and safe for concurrent use.
type IDs struct{}

var _ ports.IDs = IDs{}

// NewIDs gives the source of ids and secrets.
func NewIDs() IDs { return IDs{} }

// UUID gives a version 7 UUID that sorts after all those this process drew before, also
// within one millisecond.
func (IDs) UUID() [16]byte {
	// The only error is that of crypto/rand, which ends the program itself when the
	// operating system has no randomness to give.
	return uuid.Must(uuid.NewV7())
}

// Secret gives 32 letters and digits that hold 190 random bits.
func (IDs) Secret() string {
	var secret [secretCharacters]byte
	var octets [secretCharacters * 2]byte
	for filled := 0; filled < len(secret); {
		_, _ = rand.Read(octets[:]) // never fails: it ends the program instead
		for _, octet := range octets {
			if int(octet) < secretOctetLimit && filled < len(secret) {
				secret[filled] = secretAlphabet[int(octet)%len(secretAlphabet)]
				filled++
			}
		}
	}
	return string(secret[:])
}
