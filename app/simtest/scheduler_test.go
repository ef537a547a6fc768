package simtest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// errDead is what a task gets that goes on after its process died.
var errDead = errors.New("the process is dead")

// death unwinds a task whose process died.
type death struct{}

// task is something that the process does: a call of the storefront's, a delivery, a job. It is a
// goroutine that runs only while it has the turn, and gives it back before each of its effects, so that
// the order of all effects is the scheduler's choice.
type task struct {
	number int
	name   string
	at     string    // the effect that it waits to have
	turn   chan bool // gives the turn; true means that its process died
	dead   bool
	done   bool
	broken any // what it panicked with, beside its death
	stack  string
	lost   func()    // called where it died
	lease  time.Time // until when it may tell endpoints what it claimed
}

// scheduler gives the turn to one task at a time.
type scheduler struct {
	tasks   []*task // under way, oldest first
	current *task   // that has the turn; nil while the world itself moves
	back    chan struct{}
	started int
}

func newScheduler() *scheduler { return &scheduler{back: make(chan struct{})} }

// start makes a task that waits for its first turn. lost is called should it die, nil for nothing.
func (s *scheduler) start(ctx context.Context, name string, run func(ctx context.Context), lost func()) *task {
	s.started++
	t := &task{number: s.started, name: name, at: "begin", turn: make(chan bool), lost: lost}
	s.tasks = append(s.tasks, t)
	go func() {
		if t.dead = <-t.turn; !t.dead {
			t.work(ctx, run)
		}
		t.done = true
		s.back <- struct{}{}
	}()
	return t
}

func (t *task) work(ctx context.Context, run func(ctx context.Context)) {
	defer func() {
		if reason := recover(); reason != nil {
			if _, died := reason.(death); !died {
				t.broken, t.stack = reason, string(debug.Stack())
			}
		}
	}()
	run(ctx)
}

// step lets a task go on to its next effect, or to its end.
func (s *scheduler) step(t *task) { s.give(t, false) }

func (s *scheduler) give(t *task, die bool) {
	s.current = t
	t.turn <- die
	<-s.back
	s.current = nil
	if !t.done {
		return
	}
	for i, other := range s.tasks {
		if other == t {
			s.tasks = append(s.tasks[:i:i], s.tasks[i+1:]...)
			break
		}
	}
	if t.dead && t.lost != nil {
		t.lost()
	}
	if t.broken != nil {
		panic(fmt.Sprintf("%s panicked: %v\n%s", t.name, t.broken, t.stack))
	}
}

// pause is called by the task that has the turn, before an effect: it waits for its next turn. Where
// its process died meanwhile it never comes back. The world's own acts do not wait.
func (s *scheduler) pause(at string) {
	t := s.current
	if t == nil {
		return
	}
	if t.dead {
		panic(death{})
	}
	t.at = at
	s.back <- struct{}{}
	if t.dead = <-t.turn; t.dead {
		panic(death{})
	}
}

// dead reports that whoever asks has died, and only unwinds.
func (s *scheduler) dead() bool { return s.current != nil && s.current.dead }

// kill ends all tasks where they are.
func (s *scheduler) kill() {
	for len(s.tasks) > 0 {
		s.give(s.tasks[0], true)
	}
}
