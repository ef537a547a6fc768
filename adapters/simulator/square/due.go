package square

import (
	"container/heap"
	"time"
)

const (
	// stepsMax bounds what one move of the clock does; the rest is done with the next call.
	stepsMax = 10_000_000
	// soonMax bounds what waits for the clock's being moved; the oldest is done then.
	soonMax = 100_000
)

// due is something that happens by itself at a time. It finds out whether it still is to
// happen: nothing takes it off the agenda.
type due struct {
	at    time.Time
	order int64 // of its being put on the agenda, among those of one time
	do    func()
}

// agenda is a heap of what is to happen, the next one first.
type agenda []due

// Len implements [heap.Interface].
func (a *agenda) Len() int { return len(*a) }

// Less implements [heap.Interface].
func (a *agenda) Less(i, j int) bool {
	one, other := (*a)[i], (*a)[j]
	if by := one.at.Compare(other.at); by != 0 {
		return by < 0
	}
	return one.order < other.order
}

// Swap implements [heap.Interface].
func (a *agenda) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }

// Push implements [heap.Interface].
func (a *agenda) Push(one any) {
	if one, ok := one.(due); ok {
		*a = append(*a, one)
	}
}

// Pop implements [heap.Interface].
func (a *agenda) Pop() any {
	last := len(*a) - 1
	one := (*a)[last]
	(*a)[last] = due{}
	*a = (*a)[:last]
	return one
}

// later has something happen at a time, or as soon as possible where that is over. The caller
// holds mu.
func (s *Server) later(at time.Time, do func()) {
	if now := s.now(); at.Before(now) {
		at = now
	}
	s.planned++
	heap.Push(&s.agenda, due{at: at, order: s.planned, do: do})
}

// soon has something happen once the clock is moved, however far. The caller holds mu.
func (s *Server) soon(do func()) {
	s.waiting = append(s.waiting, due{at: s.now(), do: do})
	if len(s.waiting) > soonMax {
		oldest := s.waiting[0]
		s.waiting = s.waiting[1:]
		oldest.do()
	}
}

// catchUp does what fell due by now.
func (s *Server) catchUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
}

// runDue does what fell due by now, in the order of the times, each at its own time. The
// caller holds mu.
func (s *Server) runDue() {
	now := s.now()
	defer func() { s.at = time.Time{} }()
	for steps := 0; len(s.agenda) > 0 && !s.agenda[0].at.After(now); steps++ {
		if steps == stepsMax {
			s.Logger.Warn("the clock was moved too far: what is due yet happens with the next call", "account", s.Account)
			return
		}
		if next, ok := heap.Pop(&s.agenda).(due); ok {
			s.at = next.at
			next.do()
		}
	}
}

// Elapse implements [engine.Dialect]: authorizations and deadlines run out, banks answer, refunds
// arrive, and subscriptions go on.
func (s *Server) Elapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.waiting
	s.waiting = nil
	for _, one := range waiting {
		s.at = one.at
		one.do()
	}
	s.at = time.Time{}
	s.runDue()
}
