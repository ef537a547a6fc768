package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// shownMost is how many differences are printed of each kind.
const shownMost = 20

// books are all accounts' on both sides.
type books struct {
	there, here map[string]apptest.Books
	desk        int // refunds that staff have to judge
}

// read reads both sides.
func (w *world) read(ctx context.Context) (books, error) {
	b := books{there: make(map[string]apptest.Books), here: make(map[string]apptest.Books)}
	for _, account := range accounts {
		var err error
		if b.there[account], err = w.client.BooksThere(ctx, account); err != nil {
			return b, err
		}
		if b.here[account], err = w.client.BooksHere(ctx, account); err != nil {
			return b, err
		}
	}
	waiting, err := w.atTheDesk(ctx)
	for _, account := range accounts {
		maps.DeleteFunc(b.here[account][apptest.Refunds], func(id string, one apptest.Entry) bool {
			judged := strings.HasPrefix(id, apptest.Unnamed) && one.Statuses[0] == "pending" && waiting[one.Ours]
			if judged {
				b.desk++
			}
			return judged
		})
	}
	return b, err
}

// atTheDesk gives the refunds that wait for staff: no answer ever came, their key is forgotten, and the
// provider shows nothing of them. That none of them is there is for people to say.
func (w *world) atTheDesk(ctx context.Context) (map[string]bool, error) {
	const query = `query($after: Cursor) {
		operations(first: 100, after: $after, filter: {kind: [REFUND_PAYMENT], forStaff: true}) { nodes { subject givenUp } pageInfo { hasNextPage endCursor } }
	}`
	waiting := make(map[string]bool)
	var after any
	for range deskPagesMax {
		a := w.client.GraphQL(ctx, query, map[string]any{"after": after})
		if !a.OK() || a.Body.At("errors") != nil {
			return nil, fmt.Errorf("read the desk: %d %s %w", a.Status, a.Raw, a.Problem())
		}
		for _, one := range a.Body.List("data", "operations", "nodes") {
			waiting[one.Text("subject")] = one.Text("givenUp") == "NOT_FOUND"
		}
		if a.Body.At("data", "operations", "pageInfo", "hasNextPage") != true {
			return waiting, nil
		}
		after = a.Body.Text("data", "operations", "pageInfo", "endCursor")
	}
	return nil, fmt.Errorf("more than %d pages wait for staff", deskPagesMax)
}

// deskPagesMax bounds the pages of what waits for staff.
const deskPagesMax = 50

// differences compares both sides, account by account.
func (b books) differences() (differ []string) {
	for _, account := range accounts {
		for _, one := range apptest.Differences(b.there[account], b.here[account]) {
			differ = append(differ, account+" "+one)
		}
	}
	return differ
}

// settlingDays is how many days go by, at most, while it is waited for both sides to be the same: what
// waits for staff is asked for once a day.
const settlingDays = 3

// settled waits until both sides are the same and every endpoint was told everything, and gives what
// is missing yet where that takes too long.
func (w *world) settled(ctx context.Context, within time.Duration) (b books, missing []string) {
	start := time.Now()
	end := start.Add(within)
	for days := 0; ; {
		if days < settlingDays && time.Since(start) >= time.Duration(days)*within/settlingDays {
			days++
			w.t.Logf("settling for %s: day %d begins, differences before it: %d %v", time.Since(start).Round(time.Second), days, len(missing), shown(missing))
			if err := w.jump(ctx, 25*time.Hour); err != nil {
				return b, []string{err.Error()}
			}
		}
		var err error
		if b, err = w.read(ctx); err != nil {
			missing = []string{err.Error()}
		} else {
			missing = append(b.differences(), w.untold(ctx, b)...)
		}
		if len(missing) == 0 || time.Now().After(end) || !pause(ctx, within/60) {
			return b, missing
		}
	}
}

// final are the statuses that an object stays in, by kind.
var final = map[string][]string{
	apptest.Payments:      {"succeeded", "failed", "canceled", "expired"},
	apptest.Refunds:       {"succeeded", "failed", "canceled"},
	apptest.Disputes:      {"won", "lost", "accepted"},
	apptest.Subscriptions: {"canceled"},
	apptest.Invoices:      {"paid"},
}

// untold says which final states no event tells of, and which events endpoints were not told, or not
// in their order.
func (w *world) untold(ctx context.Context, b books) (missing []string) {
	events, err := w.client.All(ctx, "/v1/events")
	if err != nil {
		return []string{err.Error()}
	}
	last := make(map[string]string) // statuses by object
	for _, event := range events {
		if status := event.Text("data", "status"); status != "" {
			last[event.Text("data", "id")] = status
		}
	}
	for _, account := range accounts {
		for kind, statuses := range final {
			for _, one := range b.here[account][kind] {
				if slices.Contains(statuses, one.Statuses[0]) && last[one.Ours] != one.Statuses[0] {
					missing = append(missing, fmt.Sprintf("%s is %s, and the last event says %q", one.Ours, one.Statuses[0], last[one.Ours]))
				}
			}
		}
	}
	for n, e := range w.told {
		missing = append(missing, e.disordered(n, events)...)
		told, _ := e.told()
		known := make(map[string]bool, len(told))
		for _, one := range told {
			known[one.id] = true
		}
		for _, event := range events {
			if e.wants(event.Text("type")) && !known[event.Text("id")] {
				missing = append(missing, fmt.Sprintf("endpoint %d was not told %s of %s (%s)", n, event.Text("type"), event.Text("data", "id"), event.Text("id")))
			}
		}
	}
	return missing
}

// disordered says what an endpoint took of an object after a later event of the same one, repeats too.
func (e *endpoint) disordered(n int, events []apptest.Object) (found []string) {
	place := make(map[string]int, len(events)) // of each event
	for at, event := range events {
		place[event.Text("id")] = at
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	latest := make(map[string]notified)
	for _, one := range e.taken {
		if _, known := place[one.id]; !known {
			continue // it came after the list was read
		}
		if before, more := latest[one.object]; more && place[before.id] > place[one.id] {
			found = append(found, fmt.Sprintf("endpoint %d was told %s of %s after %s (%s, %s)", n, one.kind, one.object, before.kind, one.id, before.id))
			continue
		}
		latest[one.object] = one
	}
	return found
}

// effects watches what the simulator is asked, so that nothing is done twice.
type effects struct {
	last   int64
	lost   int64          // calls that were forgotten before they were read
	byKey  map[string]int // effects by account, path and idempotency key
	calls  int
	faults map[string]int // calls by the fault that they met
	shapes map[string]int // calls by account, method and the words of their paths
}

// follow reads what was asked since the last time. It has to be called often enough.
func (x *effects) follow(ctx context.Context, c *apptest.Client) error {
	a := c.Control(ctx, http.MethodGet, fmt.Sprintf("requests?after=%d", x.last), nil)
	if !a.OK() {
		return fmt.Errorf("read what was asked: %w", a.Problem())
	}
	for _, one := range a.Body.List("data") {
		x.lost += one.Int("number") - x.last - 1
		x.last = one.Int("number")
		x.calls++
		x.shapes[shape(one)]++
		fault := one.Text("fault")
		if fault != "" {
			x.faults[fault]++
		}
		key, replayed := one.Text("idempotency_key"), one.At("replayed") == true
		did := one.Int("status") >= 200 && one.Int("status") < 300 || fault == "timeout_after_commit"
		// To delete what is gone does nothing, nor does asking a buyer again to agree to the same change.
		nothing := one.Text("method") == http.MethodDelete || strings.HasSuffix(one.Text("path"), "/revise")
		if key != "" && did && !replayed && !nothing {
			x.byKey[one.Text("account")+" "+one.Text("method")+" "+one.Text("path")+" "+key]++
		}
	}
	return nil
}

// shape is a call without the ids in its path.
func shape(call apptest.Object) string {
	words := strings.Split(call.Text("path"), "/")
	for n, word := range words {
		if strings.ContainsAny(word, "0123456789") && len(word) > 3 {
			words[n] = "…"
		}
	}
	return call.Text("method") + " " + strings.Join(words, "/")
}

// twice gives the keys under which something was done more than once.
func (x *effects) twice() (keys []string) {
	for key, count := range x.byKey {
		if count > 1 {
			keys = append(keys, fmt.Sprint(key, " ", count))
		}
	}
	slices.Sort(keys)
	return keys
}

// doubled gives what the simulator holds more than once of one of ours: payments that took money
// and refunds that give it back.
func (b books) doubled() (found []string) {
	for _, account := range accounts {
		for _, kind := range []string{apptest.Payments, apptest.Refunds} {
			seen := make(map[string]string)
			for _, id := range slices.Sorted(maps.Keys(b.there[account][kind])) {
				entry := b.there[account][kind][id]
				if entry.Ours == "" || entry.Amount == 0 && entry.Statuses[0] != "authorized" || slices.Contains(entry.Statuses, "failed") {
					continue
				}
				if first, twice := seen[entry.Ours]; twice {
					found = append(found, fmt.Sprintf("%s %s: %s and %s are both %s", account, kind, first, id, entry.Ours))
				}
				seen[entry.Ours] = id
			}
		}
	}
	return found
}

// overdrawn gives the payments of which more was taken or given than could be.
func (w *world) overdrawn(ctx context.Context) (found []string, err error) {
	payments, err := w.client.All(ctx, "/v1/payments")
	if err != nil {
		return nil, err
	}
	kept := make(map[string][]string) // payments that kept money, by checkout
	for _, one := range payments {
		amount, captured, refunded := one.Int("amount"), one.Int("amount_captured"), one.Int("amount_refunded")
		if refunded > captured || captured > amount {
			found = append(found, fmt.Sprintf("%s: %d refunded, %d captured, %d asked", one.Text("id"), refunded, captured, amount))
		}
		if checkout := one.Text("checkout"); checkout != "" && (captured > refunded || one.Text("status") == "authorized") {
			kept[checkout] = append(kept[checkout], one.Text("id"))
		}
	}
	for checkout, payments := range kept {
		if len(payments) > 1 {
			found = append(found, fmt.Sprintf("%s is paid by %v", checkout, payments))
		}
	}
	return found, nil
}

// unstored gives the deliveries that were answered and are not in the store.
func (w *world) unstored(t *testing.T) (missing []string, stored int) {
	t.Helper()
	stdout, stderr, code := apptest.Command(t, w.house.Folder, w.house.Env, "events", "list", "--json", "--limit", "1000000")
	require.Zero(t, code, stderr)
	have := make(map[string]bool)
	for decoder := json.NewDecoder(strings.NewReader(stdout)); decoder.More(); {
		var event struct {
			Account string `json:"account"`
			ID      string `json:"provider_event_id"`
		}
		require.NoError(t, decoder.Decode(&event))
		have[event.Account+" "+event.ID] = true
	}
	taken, _ := w.ingress.taken()
	for _, delivery := range taken {
		if !have[delivery] {
			missing = append(missing, delivery)
		}
	}
	return missing, len(have)
}

// unkept gives what an answer promised and is not there.
func (s *shop) unkept(ctx context.Context) (missing []string) {
	for _, path := range slices.Sorted(maps.Keys(s.promised)) {
		at := path
		if strings.HasSuffix(path, "/refunds") {
			at = "/v1/refunds"
		}
		if at == "/v1/webhook_endpoints" {
			continue
		}
		for _, id := range s.promised[path] {
			if a := s.client.API(ctx, http.MethodGet, at+"/"+id, nil, ""); !a.OK() {
				missing = append(missing, fmt.Sprintf("%s/%s: %d", at, id, a.Status))
			}
		}
	}
	return missing
}
