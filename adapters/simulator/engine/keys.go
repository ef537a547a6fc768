package engine

import (
	"sync"
	"time"
)

const (
	// keysMax bounds the memory for idempotency keys; the oldest are forgotten first.
	keysMax = 100_000
)

// KeyVerdict says what to do with a request under an idempotency key.
type KeyVerdict uint8

// The verdicts.
const (
	KeyRun      KeyVerdict = iota // do the work, then call Finish or Release
	KeyReplay                     // give the stored answer
	KeyMismatch                   // the key was used with other parameters
	KeyBusy                       // the first request is still running
)

// Stored is an answer that is kept for a key.
type Stored struct {
	Status int
	Body   []byte
}

type keyEntry struct {
	fingerprint string
	answer      *Stored // nil while running
	at          time.Time
}

// Keys remembers idempotency keys for a while.
type Keys struct {
	clock *Clock
	keep  time.Duration

	mu      sync.Mutex
	entries map[string]*keyEntry
	order   []string
}

// NewKeys remembers keys for as long as keep says.
func NewKeys(clock *Clock, keep time.Duration) *Keys {
	return &Keys{clock: clock, keep: keep, entries: make(map[string]*keyEntry)}
}

// Begin takes a key for a request with a fingerprint.
func (k *Keys) Begin(key, fingerprint string) (KeyVerdict, Stored) {
	k.mu.Lock()
	defer k.mu.Unlock()
	entry, ok := k.entries[key]
	switch {
	case ok && k.clock.Now().Sub(entry.at) > k.keep:
	case ok && entry.fingerprint != fingerprint:
		return KeyMismatch, Stored{}
	case ok && entry.answer == nil:
		return KeyBusy, Stored{}
	case ok:
		return KeyReplay, *entry.answer
	}
	if !ok {
		k.order = append(k.order, key)
	}
	k.entries[key] = &keyEntry{fingerprint: fingerprint, at: k.clock.Now()}
	for len(k.order) > keysMax {
		delete(k.entries, k.order[0])
		k.order = k.order[1:]
	}
	return KeyRun, Stored{}
}

// Finish keeps the answer of a key.
func (k *Keys) Finish(key string, answer Stored) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if entry, ok := k.entries[key]; ok {
		entry.answer = &answer
	}
}

// Release frees a key whose request was refused before it had any effect.
func (k *Keys) Release(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.entries, key)
}

// Reset forgets everything.
func (k *Keys) Reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries, k.order = make(map[string]*keyEntry), nil
}
