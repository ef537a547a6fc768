// Package passwords hashes staff passwords with argon2id.
package passwords

import (
	"fmt"

	"github.com/alexedwards/argon2id"
)

// Argon2id implements ports.Passwords.
type Argon2id struct {
	params *argon2id.Params
}

// New uses the parameters that RFC 9106 recommends for machines with little memory:
// 64 MiB and three passes, over one lane. One hash takes about a tenth of a second.
func New() *Argon2id {
	return &Argon2id{params: &argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 1, SaltLength: 16, KeyLength: 32}}
}

// Hash gives the password's hash with its salt and parameters in the usual encoding.
func (a *Argon2id) Hash(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, a.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Matches compares in constant time.
func (a *Argon2id) Matches(password, hash string) (bool, error) {
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return same, nil
}
