package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// accounts are the simulated ones.
var accounts = []string{"stripe", "paypal", "square"}

// crashPoints are all named boundaries that the program can be killed at (app/crashpoints_on.go).
var crashPoints = func() (points []string) {
	points = []string{"tx.begin", "tx.commit", "tx.done", "journal.append.before", "journal.append.after", "drain.before", "drain.after"}
	for _, call := range []string{
		"create", "get", "confirm", "host", "capture", "cancel", "refund", "evidence", "accept", "customer", "setup", "store", "detach",
		"charge", "price", "subscribe", "change", "pause", "resume", "end", "keep", "events", "list",
	} {
		points = append(points, "provider."+call+".before", "provider."+call+".after")
	}
	return points
}()

// trade is all that one buyer, and the shop with that buyer's money, will try to do. What does not
// work out, because something else happened meanwhile, is left.
type trade struct {
	number  int
	account string
	kind    string // sale, hold, redirect, abandoned, saved, subscription
	amount  int64
	cards   []string // one after the other, until one pays
	// then is what happens once it is paid, in order.
	then []step
}

// step is one thing that is done with a paid trade.
type step struct {
	do     string
	amount int64  // of captures, refunds and charges
	word   string // a dispute's outcome, a card
}

// kinds and how often each comes, of a hundred.
var kinds = []struct {
	kind  string
	share int
}{{"sale", 40}, {"hold", 20}, {"redirect", 10}, {"abandoned", 5}, {"saved", 10}, {"subscription", 15}}

// planTrade is the trade of a number under a seed: always the same.
func planTrade(seed uint64, number int) trade {
	r := rand.New(rand.NewPCG(seed, uint64(number)+1))
	t := trade{number: number, account: accounts[number%len(accounts)], amount: 500 + r.Int64N(20_000)}
	dice := r.IntN(100)
	for _, one := range kinds {
		if dice -= one.share; dice < 0 {
			t.kind = one.kind
			break
		}
	}
	for r.IntN(4) == 0 {
		t.cards = append(t.cards, []string{"declined", "insufficient_funds"}[r.IntN(2)])
	}
	t.cards = append(t.cards, []string{"success", "success", "success", "3ds"}[r.IntN(4)])
	switch t.kind {
	case "hold":
		t.then = planHeld(r, t.amount)
	case "sale", "redirect":
		t.then = planPaid(r, t.amount)
	case "saved":
		t.cards = []string{"success"}
		for range 1 + r.IntN(2) {
			t.then = append(t.then, step{do: "charge", amount: 100 + r.Int64N(5000)})
		}
		if r.IntN(2) == 0 {
			t.then = append(t.then, step{do: "detach"})
		}
	case "subscription":
		t.cards = []string{"success"}
		t.then = planSubscribed(r)
	}
	return t
}

func planHeld(r *rand.Rand, amount int64) []step {
	switch r.IntN(4) {
	case 0:
		return []step{{do: "cancel"}}
	case 1:
		part := 1 + r.Int64N(amount)
		return append([]step{{do: "capture", amount: part}}, planPaid(r, part)...)
	case 2:
		return nil // nobody captures it; it runs out
	}
	return append([]step{{do: "capture"}}, planPaid(r, amount)...)
}

func planPaid(r *rand.Rand, amount int64) (steps []step) {
	switch r.IntN(8) {
	case 0: // all of it
		return []step{{do: "refund"}}
	case 1, 2: // in parts, and once more than there is
		for range 2 + r.IntN(3) {
			steps = append(steps, step{do: "refund", amount: 1 + r.Int64N(amount)})
		}
		return steps
	case 3:
		return []step{{do: "refund elsewhere", amount: 1 + r.Int64N(amount)}, {do: "refund"}}
	case 4:
		return []step{{do: "dispute"}, {do: "evidence"}, {do: "decide", word: []string{"won", "lost"}[r.IntN(2)]}}
	case 5:
		return []step{{do: "dispute"}, {do: []string{"accept", "decide"}[r.IntN(2)], word: "lost"}}
	}
	return nil
}

func planSubscribed(r *rand.Rand) []step {
	switch r.IntN(6) {
	case 0:
		return []step{{do: "pause"}, {do: "resume"}}
	case 1:
		return []step{{do: "end later"}, {do: "keep"}}
	case 2:
		return []step{{do: "end"}}
	case 3:
		return []step{{do: "change", amount: 100 + r.Int64N(3000)}}
	case 4:
		return []step{{do: "card", word: "declined"}}
	}
	return nil
}

// incident is one thing that goes wrong.
type incident struct {
	after   time.Duration // since the one before
	kind    string
	account string // where it is one account's
	fault   string // a fault of the simulator
	match   string // the calls that it is of
	count   int
	lasts   time.Duration
}

func (i incident) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(i.kind, " ", i.account, " ", i.fault, " ", i.lasts)), " ")
}

// incidentKinds are all kinds, in the order in which a run begins with them, so that a short one has
// each as well; after that they come as the seed says.
var incidentKinds = []string{
	"webhook_duplicate", "lost answer", "kill", "webhook_reorder", "database", "webhook_drop", "too many", "webhook_corrupt", "disk full",
	"provider down", "webhook_delay", "clock jump", "no connection", "slow", "garbage",
}

// scale is how much of everything a run has.
type scale struct {
	trades   int           // at most
	length   time.Duration // of trade
	shoppers int           // trades at the same time
	pause    time.Duration // between two incidents, at the median
	database time.Duration // how long it is away
	disk     time.Duration // how long it is full
	provider time.Duration // how long an account is down
	settle   time.Duration // what everything may take to come to rest
	jump     time.Duration // the longest that the clock jumps
	points   []string      // where the server is killed
	all      bool          // whether each fault and crash point has to have come about
}

// planIncidents gives what goes wrong, one thing after the other, for ever: the function gives the
// next one at each call.
func planIncidents(seed uint64, s scale) func() incident {
	r := rand.New(rand.NewPCG(seed, 0))
	number := 0
	var at, up time.Duration // since the beginning: now, and when an account may be down again
	return func() incident {
		kind := incidentKinds[r.IntN(len(incidentKinds))]
		if number < len(incidentKinds) {
			kind = incidentKinds[number]
		}
		if kind == "provider down" && at < up {
			kind = "kill" // there would be no trade if accounts were down all the time
		}
		number++
		i := incident{kind: kind, after: s.pause/2 + time.Duration(r.Int64N(int64(s.pause))), account: accounts[r.IntN(len(accounts))]}
		at += i.after
		switch kind {
		case "webhook_duplicate", "webhook_reorder", "webhook_drop", "webhook_corrupt", "webhook_delay":
			i.fault, i.match, i.count, i.lasts = kind, "webhook", 1+r.IntN(10), time.Duration(r.Int64N(int64(5*time.Second)))
		case "lost answer":
			i.fault, i.count = []string{"timeout_before", "timeout_after_commit"}[r.IntN(2)], 1+r.IntN(2)
		case "no connection":
			i.fault, i.count = "reset", 1+r.IntN(5)
		case "slow":
			i.fault, i.count, i.lasts = "latency", 1+r.IntN(10), time.Duration(r.Int64N(int64(3*time.Second)))
		case "garbage":
			i.fault, i.count = kind, 1+r.IntN(5)
		case "too many":
			i.fault, i.count = "error_429", 5+r.IntN(40)
		case "provider down":
			i.fault, i.lasts = []string{"error_500", "reset"}[r.IntN(2)], s.provider
			up = at + 2*s.provider
		case "database":
			i.lasts = s.database
		case "disk full":
			i.lasts = s.disk
		case "clock jump":
			i.lasts = time.Hour + time.Duration(r.Int64N(int64(s.jump)))
		}
		return i
	}
}

// commonPoints are those that any trade passes, for runs that are too short to wait for the others.
var commonPoints = []string{
	"tx.commit", "tx.done", "journal.append.before", "journal.append.after", "drain.before", "drain.after", "provider.create.before",
	"provider.create.after", "provider.get.before", "provider.get.after", "provider.confirm.before", "provider.confirm.after",
	"provider.capture.before", "provider.capture.after", "provider.refund.before", "provider.refund.after",
}

// planCrashes gives where each life of the server ends: a crash point and the how manieth time it is
// passed, each point in its turn.
func planCrashes(seed uint64, crashPoints []string, came func(point string) bool) func() string {
	r := rand.New(rand.NewPCG(seed, 1<<63))
	var left []string
	return func() string {
		if len(left) == 0 {
			if left = slices.DeleteFunc(slices.Clone(crashPoints), came); len(left) == 0 {
				left = slices.Clone(crashPoints)
			}
			r.Shuffle(len(left), func(i, k int) { left[i], left[k] = left[k], left[i] })
		}
		point := left[0]
		left = left[1:]
		times := 1 + r.IntN(2)
		switch point, _, _ := strings.Cut(strings.TrimPrefix(point, "provider."), "."); point {
		case "tx": // they are everywhere
			times = 1 + r.IntN(60)
		case "journal", "drain", "get", "create", "confirm":
			times = 1 + r.IntN(10)
		}
		return fmt.Sprintf("%s:%d", point, times)
	}
}
