package simtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	// stepsLeast and stepsMost bound how many moves a run has before it comes to rest.
	stepsLeast, stepsMost = 200, 600
	// batchMax is how many letters the process takes at once.
	batchMax = 4
	// tasksMax is how many things the process does at the same time.
	tasksMax = 5
	// stream is the second half of every seed, so that seeds are small numbers.
	stream = 0x9a7de5c
)

// mood is what kind of world a seed makes, as probabilities of each chance for it.
type mood struct {
	faulty  bool    // whether anything goes wrong at all; off once things come to rest
	calls   float64 // of a provider's call to go wrong
	stores  float64 // of a transaction to go wrong
	deaths  float64 // of the process to die at a move
	drops   float64 // of a letter to be lost
	doubles float64 // of a letter, or a job, to come again
	delays  float64 // of a letter to be late
	tells   float64 // of a storefront's endpoint not to take something
	tasks   int     // at the same time
	steps   int
}

// world is one run.
type world struct {
	*scheduler
	t        *testing.T
	seed     uint64
	rng      *rand.Rand
	trace    *trace
	house    *coretest.House
	base     ports.Store // what is stored, past all effects
	store    *store
	idem     *idempotency.Service
	notify   *notify.Service
	handlers map[ports.JobKind]ports.JobHandler
	mood     mood
	storms   map[core.AccountName]int // calls that still go wrong in a row

	jobs       []*waiting // oldest first
	jobNumbers int
	givenUp    []givenUp

	faces map[core.ProviderRef]face
	wire  []*letter
	heard map[string]bool // by letter

	hooks     []*endpoint
	endpoints map[string]*endpoint // the same, by address

	commits int
	tally   tally
	shop    shop
	wrongs  []string // what must never be, and was
}

// newWorld makes the world of a seed over an empty store.
func newWorld(t *testing.T, seed uint64, base ports.Store) *world {
	t.Helper()
	w := &world{
		scheduler: newScheduler(), t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, stream)), base: base,
		shop:   shop{captured: map[core.PaymentID]bool{}, canceled: map[core.PaymentID]bool{}, setups: map[core.CheckoutID]bool{}},
		storms: map[core.AccountName]int{}, faces: map[core.ProviderRef]face{}, heard: map[string]bool{},
		endpoints: map[string]*endpoint{}, tally: tally{},
	}
	w.house = coretest.New(t, base)
	w.trace = &trace{start: w.house.Clock.Now(), clock: w.house.Clock}
	w.mood = w.drawMood()
	w.drawManners()
	w.store = &store{Store: base, w: w}
	w.restart()
	w.drawEndpoints()
	w.beginBackfill()
	w.drawCustomer()
	return w
}

// drawMood draws how much goes wrong. Some worlds are calm, so that they get far.
func (w *world) drawMood() mood {
	m := mood{faulty: true, tasks: 1 + w.rng.IntN(tasksMax), steps: stepsLeast + w.rng.IntN(stepsMost-stepsLeast)}
	levels := func(most float64) float64 {
		switch w.rng.IntN(4) {
		case 0:
			return 0
		case 1:
			return most
		}
		return most * w.rng.Float64() / 2
	}
	m.calls, m.stores, m.deaths = levels(0.4), levels(0.05), levels(0.03)
	m.drops, m.doubles, m.delays = levels(0.3), levels(0.4), levels(0.6)
	m.tells = levels(0.5)
	if w.chance(10) {
		m.drops = 1
	}
	return m
}

// drawManners draws how buyers pay at each provider, and how its refunds go.
func (w *world) drawManners() {
	for _, account := range accounts {
		fake := w.fake(account)
		mode := []ports.ConfirmMode{ports.ConfirmInBrowser, ports.ConfirmAfterApproval, ports.ConfirmWithSource}[w.rng.IntN(3)]
		if mode != ports.ConfirmInBrowser {
			w.house.Accounts[account] = fake.Confirming(mode)
		}
		slow, nameless, keeps, mute := w.chance(3), w.chance(4), w.chance(2), w.chance(4)
		if slow {
			fake.SlowRefunds()
		}
		if nameless {
			fake.NamelessRefunds()
		}
		if keeps {
			fake.KeepAgreements()
		}
		if mute {
			fake.SetCapabilities(func(can *ports.Capabilities) { can.EventsKept = 0 })
		}
		fake.Follow(&line{w: w, account: account})
		w.trace.add("world: %s mode=%d slow=%t nameless=%t keeps=%t mute=%t", account, mode, slow, nameless, keeps, mute)
	}
	w.trace.add("world: %+v", w.mood)
}

// restart makes the process anew.
func (w *world) restart() {
	w.house.Restart(w.store)
	w.idem = idempotency.New(w.store, w.house.Clock)
	w.restartNotify()
	w.handlers = w.house.Handlers()
}

// crash ends the process in the middle of whatever it does, and starts it again.
func (w *world) crash() {
	w.trace.add("the process dies with %d tasks", len(w.tasks))
	w.tally["deaths"]++
	if len(w.tasks) > 0 {
		w.tally["deaths within tasks"]++
	}
	w.kill()
	w.restart()
}

// run has the process do something. lost is called should it die meanwhile; nil for nothing.
func (w *world) run(name string, do func(ctx context.Context) string, lost func()) {
	number := w.started + 1
	w.trace.add("#%d %s", number, name)
	w.start(w.t.Context(), name, func(ctx context.Context) {
		outcome := do(ctx)
		w.trace.add("#%d %s: %s", number, name, outcome)
	}, lost)
}

// storeFault draws how a transaction goes.
func (w *world) storeFault() storeFault {
	if !w.mood.faulty || w.current == nil || w.rng.Float64() >= w.mood.stores {
		return storeGood
	}
	w.tally["transactions gone wrong"]++
	return []storeFault{storeLostBefore, storeLostAfter, storeAgain}[w.rng.IntN(3)]
}

// providerFault draws how a call goes; empty for well. Some come in storms.
func (w *world) providerFault(account core.AccountName) portstest.Fault {
	if !w.mood.faulty || w.current == nil {
		return ""
	}
	if w.storms[account] > 0 {
		w.storms[account]--
		w.tally["calls gone wrong"]++
		return portstest.FaultError429
	}
	if w.rng.Float64() >= w.mood.calls {
		return ""
	}
	w.tally["calls gone wrong"]++
	return faults[w.rng.IntN(len(faults))]
}

// delay draws how long something takes that is late: seconds, hours or days.
func (w *world) delay() time.Duration {
	scales := []time.Duration{time.Second, time.Second, time.Second, time.Minute, time.Minute, 10 * time.Minute, time.Hour, 12 * time.Hour}
	scale := scales[w.rng.IntN(len(scales))]
	return time.Duration(1+w.rng.IntN(5)) * scale
}

// wrong notes something that must never be.
func (w *world) wrong(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.trace.add("WRONG: %s", text)
	w.wrongs = append(w.wrongs, text)
}

// live plays the run to its end and checks what became of it. What breaks is wrong, too.
func (w *world) live() {
	defer func() {
		if reason := recover(); reason != nil {
			w.wrong("%v", reason)
		}
		w.kill()
	}()
	w.play()
	w.settle()
	if len(w.wrongs) == 0 {
		w.agree()
	}
}

// play makes all moves of the run, until something is wrong.
func (w *world) play() {
	for step := 0; step < w.mood.steps && len(w.wrongs) == 0; step++ {
		if w.rng.Float64() < w.mood.deaths {
			w.crash()
		}
		if len(w.tasks) > 0 && (len(w.tasks) >= w.mood.tasks || w.rng.IntN(4) > 0) {
			w.next()
		} else {
			w.act()
		}
	}
}

// next lets one of the tasks go on, mostly for a while.
func (w *world) next() {
	t := w.tasks[w.rng.IntN(len(w.tasks))]
	for {
		w.trace.add("  #%d %s", t.number, t.at)
		w.step(t)
		if t.done || w.rng.IntN(3) == 0 {
			return
		}
	}
}

// act is a move of the world's: something begins, or happens elsewhere.
func (w *world) act() {
	all := w.acts()
	sum := 0
	for _, one := range all {
		sum += one.weight
	}
	at := w.rng.IntN(sum)
	for _, one := range all {
		if at -= one.weight; at < 0 {
			one.do()
			return
		}
	}
}

// possible is something that can happen, and how often it does beside the others.
type possible struct {
	weight int
	do     func()
}
