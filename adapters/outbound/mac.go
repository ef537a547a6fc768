package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// MACKey signs by HMAC-SHA256 with one key, as providers sign what they post. It is safe
// for concurrent use. The key's own blocks are hashed once, not with every message.
type MACKey struct{ states sync.Pool }

// macState is a hash that begins with the key, with room of its own: what is handed to a
// hash through its interface would be taken from the heap each time.
type macState struct {
	hash   hash.Hash
	prefix []byte
	sum    []byte
}

// NewMACKey makes it of the key's text as it stands.
func NewMACKey(key string) *MACKey {
	k := &MACKey{}
	k.states.New = func() any { return &macState{hash: hmac.New(sha256.New, []byte(key))} }
	return k
}

// MACKeys makes one of each text.
func MACKeys(texts []string) []*MACKey {
	keys := make([]*MACKey, len(texts))
	for n, text := range texts {
		keys[n] = NewMACKey(text)
	}
	return keys
}

// Sum is the signature of the message that is prefix and text in a row.
func (k *MACKey) Sum(prefix, text []byte) (sum [sha256.Size]byte) {
	state := k.states.Get().(*macState) //nolint:forcetypeassert // the pool holds no other
	state.hash.Reset()
	state.prefix = append(state.prefix[:0], prefix...)
	_, _ = state.hash.Write(state.prefix) // a hash takes all
	_, _ = state.hash.Write(text)
	state.sum = state.hash.Sum(state.sum[:0])
	copy(sum[:], state.sum)
	k.states.Put(state)
	return sum
}
