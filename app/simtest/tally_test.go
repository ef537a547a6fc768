package simtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// tally counts what came to pass, so that worlds in which nothing happens are seen.
type tally map[string]int

// counted are what must come to pass in many worlds, in the order in which it is told.
var counted = []string{
	"checkouts completed", "payments authorized", "payments captured", "payments taken twice", "refunds", "refunds elsewhere", "refunds failed",
	"disputes", "disputes answered", "methods saved", "charges", "letters", "letters lost", "calls asked at last", "calls gone wrong", "transactions gone wrong", "deaths", "deaths within tasks",
	"operations settled later", "events", "notifications", "notifications refused", "found by backfill", "jobs given up",
}

// add counts what another tally has, too.
func (t tally) add(other tally) {
	for what, count := range other {
		t[what] += count
	}
}

func (t tally) String() string {
	parts := make([]string, len(counted))
	for n, what := range counted {
		parts[n] = fmt.Sprintf("%d %s", t[what], what)
	}
	return strings.Join(parts, ", ")
}

// missing gives what never came to pass.
func (t tally) missing() []string {
	return slices.DeleteFunc(slices.Clone(counted), func(what string) bool { return t[what] > 0 })
}

// tallyUp counts what became of everything in the end.
func (w *world) tallyUp(r rows) {
	count := func(what string, is bool) {
		if is {
			w.tally[what]++
		}
	}
	for _, p := range r.payments {
		count("payments authorized", p.AmountAuthorized.IsPositive())
		count("payments captured", p.AmountCaptured.IsPositive())
		count("payments taken twice", p.Anomaly == core.ReasonOverpaid)
	}
	for _, refund := range r.all {
		count("refunds", true)
		count("refunds elsewhere", refund.Origin != core.OriginHere)
		count("refunds failed", refund.Status == core.RefundFailed)
	}
	for _, m := range r.methods {
		count("methods saved", m.Status == core.MethodActive || m.Status == core.MethodRemoved)
	}
	for _, op := range r.operations {
		count("disputes answered", (op.Kind == core.OpSubmitEvidence || op.Kind == core.OpAcceptDispute) && op.Status == core.OperationSucceeded)
		count("charges", op.Kind == core.OpChargeMethod && op.Status == core.OperationSucceeded)
		count("operations settled later", op.Attempts > 1 && op.Status.Settled())
	}
	for _, event := range r.told {
		count("checkouts completed", event.Type == core.EventCheckoutCompleted)
	}
	w.tally["disputes"] += len(r.disputes)
	w.tally["events"] += len(r.told)
	w.tally["jobs given up"] += len(w.givenUp)
	for _, e := range w.hooks {
		w.tally["notifications"] += len(e.receipts)
	}
	for _, l := range w.wire {
		count("letters", true)
		count("letters lost", l.lost)
	}
	cursors, err := w.base.BackfillCursors(w.t.Context())
	w.must(err)
	for _, cursor := range cursors {
		w.tally["found by backfill"] += int(cursor.Found)
	}
}
