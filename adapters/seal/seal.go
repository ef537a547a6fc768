// Package seal encrypts payloads and personal data before they are stored, with
// AES-256-GCM and a ring of keys. It promises what ports.Sealer says, and that no key
// ever reaches a log or an error; it knows nothing of what it seals.
//
// What is sealed reads: version octet, length of the key's id, the id, a random nonce of
// 12 octets, ciphertext, tag of 16 octets. Everything before the nonce and the place are
// authenticated with the text.
package seal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/paydesk/paydesk/ports"
)

const (
	versionPlain  = 0
	versionSealed = 1
)

// SealsPerKeyMax is how much may be sealed under one key before it must be rotated, so
// that random nonces do not meet: a new first key a year serves 136 a second.
//
// Source: NIST SP 800-38D, section 8.3.
const SealsPerKeyMax = 1 << 32

// ErrNoKeys means that a ring was asked for without any key.
var ErrNoKeys = errors.New("no encryption key given")

// Ring seals under its first key and opens under all of them. It is safe for concurrent
// use.
type Ring struct {
	keys        []key // never empty
	acceptPlain bool
}

var _ ports.Sealer = (*Ring)(nil)

// New makes a ring from keys in the form "ID:BASE64", where BASE64 holds 32 bytes. The
// first seals; the others still open what was sealed under them. An error names the
// key's position and never its text. Without any key it is [ErrNoKeys]: whether plain
// storage will do is the caller's decision, see [Plain].
func New(keys []string) (*Ring, error) {
	if len(keys) == 0 {
		return nil, ErrNoKeys
	}
	if len(keys) > KeysMax {
		return nil, fmt.Errorf("%d encryption keys are more than %d", len(keys), KeysMax)
	}
	ring := &Ring{keys: make([]key, 0, len(keys))}
	for i, text := range keys {
		k, err := parseKey(text)
		if err != nil {
			return nil, fmt.Errorf("encryption key %d: %w", i+1, err)
		}
		if _, ok := ring.find(k.id); ok {
			return nil, fmt.Errorf("encryption key %d: has the same id as one before", i+1)
		}
		ring.keys = append(ring.keys, k)
	}
	return ring, nil
}

// AcceptPlain gives the same ring, which also opens what [Plain] stored: for a database
// of the test environment that got its first key later. Never use it in live: a plain
// value can be forged by whoever can write to the disk.
func (r *Ring) AcceptPlain() *Ring { return &Ring{keys: r.keys, acceptPlain: true} }

// Seal encrypts plain for its place under the ring's first key. Empty seals to empty.
func (r *Ring) Seal(place string, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, nil
	}
	k := r.keys[0]
	sealed := make([]byte, len(k.header), len(k.header)+k.aead.Overhead()+len(plain))
	copy(sealed, k.header)
	return k.aead.Seal(sealed, nil, plain, associated(k.header, place)), nil
}

// Open gives back what Seal was given under the same place, or [ports.ErrUnsealable].
func (r *Ring) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	switch sealed[0] {
	case versionSealed:
		return r.open(place, sealed)
	case versionPlain:
		if r.acceptPlain {
			return openPlain(sealed)
		}
		return nil, fmt.Errorf("open %s: stored without encryption: %w", placeKind(place), ports.ErrUnsealable)
	default:
		return nil, fmt.Errorf("open %s: unknown version: %w", placeKind(place), ports.ErrUnsealable)
	}
}

// Marks gives one mark by each key, and one as [Plain] makes it where the ring opens what that stored.
func (r *Ring) Marks(kind string, plain []byte) [][]byte {
	if len(plain) == 0 {
		return nil
	}
	all := make([][]byte, 0, len(r.keys)+1)
	for _, k := range r.keys {
		all = append(all, mark(k.marks, kind, plain))
	}
	if r.acceptPlain {
		all = append(all, PlainSealer{}.Marks(kind, plain)...)
	}
	return all
}

func (r *Ring) open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || len(sealed) < 2+int(sealed[1]) {
		return nil, fmt.Errorf("open %s: cut short: %w", placeKind(place), ports.ErrUnsealable)
	}
	header, rest := sealed[:2+int(sealed[1])], sealed[2+int(sealed[1]):]
	k, ok := r.find(string(header[2:]))
	if !ok {
		return nil, fmt.Errorf("open %s: its key is not in the ring: %w", placeKind(place), ports.ErrUnsealable)
	}
	plain, err := k.aead.Open(nil, nil, rest, associated(header, place))
	if err != nil {
		return nil, fmt.Errorf("open %s: changed, or of another place: %w", placeKind(place), ports.ErrUnsealable)
	}
	return plain, nil
}

func (r *Ring) find(id string) (key, bool) {
	for _, k := range r.keys {
		if k.id == id {
			return k, true
		}
	}
	return key{}, false
}

// CurrentKeyID names the key that seals. Ids are no secrets.
func (r *Ring) CurrentKeyID() string { return r.keys[0].id }

// String counts the keys and names the current one; it keeps their material out of
// whatever prints the ring.
func (r *Ring) String() string {
	return fmt.Sprintf("ring of %d keys, current %s", len(r.keys), r.keys[0].id)
}

// GoString is String, for the verb that prints Go syntax.
func (r *Ring) GoString() string { return r.String() }

// associated is what is authenticated with the text. The header's length is part of it,
// so no place can pass for a piece of the header.
func associated(header []byte, place string) []byte {
	data := make([]byte, 0, len(header)+len(place))
	return append(append(data, header...), place...)
}

// placeKind is the part of a place that is the same for all rows, fit for an error.
func placeKind(place string) string {
	kind, _, _ := strings.Cut(place, ":")
	return kind
}
