package paypal

import (
	"container/heap"
	"time"
)

// elapseStepsMax bounds what one move of the clock does; the rest is done by the next one.
const elapseStepsMax = 5_000_000

// appointment is something that is due at a point in time. It looks for itself whether it is
// still wanted then.
type appointment struct {
	at    time.Time
	order int64 // of being made, among those that are due at the same time
	do    func()
}

// agenda holds what is due, the earliest first. It is a heap.
type agenda []appointment

func (a *agenda) Len() int { return len(*a) }

func (a *agenda) Less(i, j int) bool {
	one, other := (*a)[i], (*a)[j]
	if !one.at.Equal(other.at) {
		return one.at.Before(other.at)
	}
	return one.order < other.order
}

func (a *agenda) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }

// Push implements [heap.Interface].
func (a *agenda) Push(one any) {
	if made, ok := one.(appointment); ok {
		*a = append(*a, made)
	}
}

// Pop implements [heap.Interface].
func (a *agenda) Pop() any {
	last := len(*a) - 1
	one := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return one
}

// schedule has something done once the clock is there. The caller holds mu.
func (s *Server) schedule(at time.Time, do func()) {
	s.appointments++
	heap.Push(&s.agenda, appointment{at: at, order: s.appointments, do: do})
}

// now is the simulated time; while the clock's move is caught up with, that at which what is
// being done fell due. The caller holds mu.
func (s *Server) now() time.Time {
	if !s.due.IsZero() {
		return s.due
	}
	return s.Clock.Now()
}

// Elapse implements [engine.Dialect]: all that fell due is done, in the order of its time.
func (s *Server) Elapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.Clock.Now()
	defer func() { s.due = time.Time{} }()
	for range elapseStepsMax {
		if len(s.agenda) == 0 || s.agenda[0].at.After(until) {
			return
		}
		if one, ok := heap.Pop(&s.agenda).(appointment); ok {
			s.due = one.at
			one.do()
		}
	}
	s.Logger.Warn("the clock was moved too far for one step")
}
