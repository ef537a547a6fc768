package engine

import (
	"sync"
	"time"
)

// requestsMax is how many requests are remembered.
const requestsMax = 2000

// Request is a call that the simulator was asked. It holds no parameters, which may be
// card data.
type Request struct {
	Account        string    `json:"account"`
	Method         string    `json:"method"`
	Path           string    `json:"path"`
	Status         int       `json:"status"` // 0 where no answer was given
	IdempotencyKey string    `json:"idempotency_key,omitempty"`
	Replayed       bool      `json:"replayed"`
	Fault          string    `json:"fault,omitempty"`
	At             time.Time `json:"at"`
}

// Requests remembers the last calls.
type Requests struct {
	mu   sync.Mutex
	list []Request
}

// Add remembers a call.
func (r *Requests) Add(request Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, request)
	if over := len(r.list) - requestsMax; over > 0 {
		r.list = r.list[over:]
	}
}

// List gives what is remembered, oldest first.
func (r *Requests) List() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request{}, r.list...)
}

// Reset forgets everything.
func (r *Requests) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
}
