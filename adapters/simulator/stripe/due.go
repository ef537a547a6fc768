package stripe

import (
	"container/heap"
	"time"
)

// dueStepsMax bounds what one move of the clock brings; what is left comes with the next one.
// Ten thousand subscriptions that renew each month take a quarter of a million in a year.
const dueStepsMax = 20_000_000

// due is something that time brings. Whether it still applies is for do to see: nothing is
// ever taken back.
type due struct {
	at    int64 // unix seconds
	order int64 // of planning, for what falls due at the same time
	do    func()
}

// agenda is what time brings, the soonest first.
type agenda []due

func (a *agenda) Len() int { return len(*a) }

func (a *agenda) Less(i, j int) bool {
	one, other := (*a)[i], (*a)[j]
	return one.at < other.at || one.at == other.at && one.order < other.order
}

func (a *agenda) Swap(i, j int) { (*a)[i], (*a)[j] = (*a)[j], (*a)[i] }

// Push implements [heap.Interface].
func (a *agenda) Push(x any) {
	if one, ok := x.(due); ok {
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

// now is the time that objects are stamped with: while time is caught up with, that at which
// a thing fell due. The caller holds mu.
func (s *Server) now() time.Time {
	if !s.at.IsZero() {
		return s.at
	}
	return s.Clock.Now()
}

// later has something done at a time, unix seconds. The caller holds mu, as do will.
func (s *Server) later(at int64, do func()) {
	s.planned++
	heap.Push(&s.agenda, due{at: at, order: s.planned, do: do})
}

// after has something done after a while. The caller holds mu, as do will.
func (s *Server) after(while time.Duration, do func()) { s.later(s.now().Add(while).Unix(), do) }

// Elapse implements [engine.Dialect]: it does what fell due, in the order in which it did.
func (s *Server) Elapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.at = time.Time{} }()
	until := s.Clock.Now().Unix()
	for range dueStepsMax {
		if len(s.agenda) == 0 || s.agenda[0].at > until {
			return
		}
		if one, ok := heap.Pop(&s.agenda).(due); ok {
			s.at = time.Unix(one.at, 0).UTC()
			one.do()
		}
	}
	s.Logger.Warn("more fell due than is done at once")
}
