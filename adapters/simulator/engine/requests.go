package engine

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// requestsMax is how many requests are remembered.
const requestsMax = 20_000

// Request is a call that the simulator was asked. It holds no parameters, which may be
// card data.
type Request struct {
	Number         int64     `json:"number"` // counts all calls from 1, also those that are forgotten
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
	mu    sync.Mutex
	list  []Request
	count int64
}

// Add remembers a call.
func (r *Requests) Add(request Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	request.Number = r.count
	r.list = append(r.list, request)
	if over := len(r.list) - requestsMax; over > 0 {
		r.list = r.list[over:]
	}
}

// List gives what is remembered, oldest first.
func (r *Requests) List() []Request { return r.After(0) }

// After gives what is remembered of the calls after a number, oldest first.
func (r *Requests) After(number int64) []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, _ := slices.BinarySearchFunc(r.list, number+1, func(request Request, number int64) int { return cmp.Compare(request.Number, number) })
	return append([]Request{}, r.list[from:]...)
}

// Reset forgets everything.
func (r *Requests) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
}
