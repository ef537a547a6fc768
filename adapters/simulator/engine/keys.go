package engine

import (
	"container/list"
	"sync"
	"time"
)

// keysMax bounds the memory for idempotency keys; the oldest are forgotten first.
const keysMax = 100_000

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
	key         string
	fingerprint string
	answer      *Stored // nil while running
	at          time.Time
}

// Keys remembers idempotency keys for a while.
type Keys struct {
	clock *Clock
	keep  time.Duration

	mu      sync.Mutex
	entries map[string]*list.Element // of *keyEntry
	order   *list.List               // oldest first
}

// NewKeys remembers keys for as long as keep says, in simulated time.
func NewKeys(clock *Clock, keep time.Duration) *Keys {
	return &Keys{clock: clock, keep: keep, entries: make(map[string]*list.Element), order: list.New()}
}

// Begin takes a key for a request with a fingerprint. The fingerprint must not let
// anybody guess the request's secrets.
func (k *Keys) Begin(key, fingerprint string) (KeyVerdict, Stored) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	if entry := k.find(key); entry != nil {
		switch {
		case entry.answer == nil && entry.fingerprint == fingerprint:
			return KeyBusy, Stored{}
		case now.Sub(entry.at) > k.keep && entry.answer != nil:
			k.forget(key)
		case entry.fingerprint != fingerprint:
			return KeyMismatch, Stored{}
		default:
			return KeyReplay, *entry.answer
		}
	}
	k.entries[key] = k.order.PushBack(&keyEntry{key: key, fingerprint: fingerprint, at: now})
	for k.order.Len() > keysMax {
		if oldest, ok := k.order.Front().Value.(*keyEntry); ok {
			k.forget(oldest.key)
		}
	}
	return KeyRun, Stored{}
}

// Finish keeps the answer of a key.
func (k *Keys) Finish(key string, answer Stored) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if entry := k.find(key); entry != nil {
		entry.answer = &answer
	}
}

// Release frees a key whose request was refused before it had any effect. A key that has
// its answer is left alone.
func (k *Keys) Release(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if entry := k.find(key); entry != nil && entry.answer == nil {
		k.forget(key)
	}
}

// Reset forgets everything.
func (k *Keys) Reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.entries)
	k.order.Init()
}

// find gives what is known of a key, or nil. The caller holds mu.
func (k *Keys) find(key string) *keyEntry {
	if element, ok := k.entries[key]; ok {
		entry, _ := element.Value.(*keyEntry)
		return entry
	}
	return nil
}

// forget drops a key. The caller holds mu.
func (k *Keys) forget(key string) {
	if element, ok := k.entries[key]; ok {
		k.order.Remove(element)
		delete(k.entries, key)
	}
}
