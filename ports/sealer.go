package ports

import "errors"

// ErrUnsealable means that sealed bytes were changed, belong elsewhere or need a key
// that is not in the ring.
var ErrUnsealable = errors.New("sealed data cannot be opened")

// Sealer encrypts personal data and payloads before they are stored.
//
// What Seal gave, Open gives back under the same place; under another place, or
// changed by one bit, it is [ErrUnsealable]. place names where the data lives ("table.
// column:id"), so that sealed values cannot be swapped between rows. A key ring's first
// key seals, all of them open. Empty plain text seals to empty.
type Sealer interface {
	Seal(place string, plain []byte) ([]byte, error)
	Open(place string, sealed []byte) ([]byte, error)
	// Marks are what equal texts of one kind have in common, so that what was sealed can be found by
	// its text: one for each key of the ring, the first key's first. They give nothing else away to
	// those who have no key. An empty text has none.
	Marks(kind string, plain []byte) [][]byte
}
