package seal

import (
	"fmt"

	"github.com/paydesk/paydesk/ports"
)

// PlainSealer does NOT encrypt. It marks its output as plain, so that a ring that
// accepts plain values can read it later and any other refuses it.
type PlainSealer struct{}

var _ ports.Sealer = PlainSealer{}

// Plain gives the sealer for a test environment without keys. It encrypts nothing and
// binds nothing to its place; a live environment must never use it.
func Plain() PlainSealer { return PlainSealer{} }

// Seal gives the text behind a mark that says it is plain. Empty stays empty.
func (PlainSealer) Seal(_ string, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, nil
	}
	marked := make([]byte, 1, 1+len(plain))
	marked[0] = versionPlain
	return append(marked, plain...), nil
}

// Open gives the text without its mark. What a ring sealed is [ports.ErrUnsealable].
func (PlainSealer) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if sealed[0] != versionPlain {
		return nil, fmt.Errorf("open %s: sealed under a key, but none is configured: %w", placeKind(place), ports.ErrUnsealable)
	}
	return openPlain(sealed)
}

// Marks hide nothing from those who guess the text, like all that is stored beside them.
func (PlainSealer) Marks(kind string, plain []byte) [][]byte {
	if len(plain) == 0 {
		return nil
	}
	return [][]byte{mark(nil, kind, plain)}
}

// openPlain copies, so that the caller may keep what it gets whatever becomes of sealed.
func openPlain(sealed []byte) ([]byte, error) {
	return append([]byte(nil), sealed[1:]...), nil
}
