package e2e_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

const (
	// lostHours is for how long no webhook comes.
	lostHours = 24
	// lostSettleMax bounds the wait for what is done by itself after that.
	lostSettleMax = 2 * time.Minute
)

// TestADayWithoutWebhooks drops all webhooks of a day at the three providers, over each database,
// while trade goes on: buyers pay and subscribe, staff refund here and in the providers' dashboards,
// banks dispute and decide, subscriptions renew and fail to. Then our records are held to the
// providers', object by object.
func TestADayWithoutWebhooks(t *testing.T) {
	t.Parallel()
	for name, env := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			house := apptest.StartPlain(t, env(t)...)
			c := newClient(house)
			shops := make([]*dayOfTrade, 0, len(accounts))
			for account := range accounts {
				shop := &dayOfTrade{seller: seller{client: c, account: account}}
				dropped := c.control(t, http.MethodPost, "faults", map[string]any{"account": account, "match": "webhook", "fault": "webhook_drop", "count": 1_000_000})
				require.Equal(t, http.StatusOK, dropped.Status, dropped.Raw)
				shop.opens(t)
				shops = append(shops, shop)
			}
			for hour := range lostHours {
				var group sync.WaitGroup
				for _, shop := range shops {
					group.Go(func() { shop.trades(t, hour) })
				}
				group.Wait()
				require.False(t, t.Failed(), "trade broke off in hour %d", hour)
				c.advance(t, time.Hour)
			}
			c.advance(t, time.Hour) // what happened last is old enough to be listed
			backfilled(t, house)
			equalBooks(t, c)
			for _, shop := range shops {
				shop.found(t)
			}
			for id, event := range inbound(t, house) {
				require.Equal(t, "backfill", event["source"], "%s came all the same", id)
				require.Contains(t, []any{"processed", "ignored"}, event["status"], "%v", event)
			}
			stdout, stderr, code := reconcile(t, house, "--since", "26h", "--json")
			require.Zero(t, code, "%s%s", stdout, stderr)
			require.Empty(t, stdout, "nothing differs")
			providersForget(t, c)
		})
	}
}

// dayOfTrade is what happens at one account.
type dayOfTrade struct {
	seller

	daily              string // a price
	subscription       answer
	troubled           answer // whose card is declined
	refunded, disputed []string
	disputes           []string // the provider's ids
}

func (d *dayOfTrade) opens(t *testing.T) {
	t.Helper()
	d.daily = d.ok(t, http.MethodPost, "/v1/prices", map[string]any{
		"name": "Tea of the day", "amount": 300, "currency": "EUR", "recurring": map[string]any{"interval": "day", "interval_count": 1},
	}).text("id")
	d.subscription, d.troubled = d.subscribed(t, d.daily, "active"), d.subscribed(t, d.daily, "active")
	d.steer(t, d.troubled, map[string]any{"card": "declined"})
}

// trades does one hour's business.
func (d *dayOfTrade) trades(t *testing.T, hour int) {
	t.Helper()
	d.sold(t, "success")
	switch hour % 6 {
	case 0: // a part goes back, from the provider's dashboard
		sold := d.sold(t, "success")
		made := d.control(t, http.MethodPost, "refunds", map[string]any{"account": d.account, "payment": sold, "amount": 700})
		require.Equal(t, http.StatusOK, made.Status, made.Raw)
		d.refunded = append(d.refunded, sold)
	case 1: // the buyer's bank takes it back
		sold := d.sold(t, "success")
		made := d.control(t, http.MethodPost, "disputes", map[string]any{"account": d.account, "payment": sold, "reason": "fraudulent"})
		require.Equal(t, http.StatusOK, made.Status, made.Raw)
		d.disputed, d.disputes = append(d.disputed, sold), append(d.disputes, made.text("id"))
	case 2: // and decides, now and then, on the one before
		if n := len(d.disputes); n%2 == 0 {
			decided := d.control(t, http.MethodPost, "disputes/"+d.disputes[n-1], map[string]any{"outcome": []string{"won", "lost"}[n/2%2]})
			require.Equal(t, http.StatusOK, decided.Status, decided.Raw)
		}
	case 3: // a part of what was held is taken, and of that a part goes back by our call
		held := d.payAt(t, d.checkout(t, newKey(), "manual"), d.account, "success").text("payment")
		d.payment(t, held, "authorized")
		d.ok(t, http.MethodPost, "/v1/payments/"+held+"/capture", map[string]any{"amount": 2000})
		d.payment(t, held, "succeeded")
		d.refund(t, held, map[string]any{"amount": 500, "reason": "requested_by_customer"})
	case 4: // one buyer cannot pay, another goes away
		d.payment(t, d.payAt(t, d.checkout(t, newKey(), "automatic"), d.account, "declined").text("payment"), "failed")
		d.checkout(t, newKey(), "automatic")
	case 5: // what goes back stays on its way for days
		d.refund(t, d.sold(t, "refund_pending"), map[string]any{"reason": "duplicate"})
	}
}

// found checks that what only the provider could tell of is known.
func (d *dayOfTrade) found(t *testing.T) {
	t.Helper()
	for _, sold := range d.refunded {
		require.EqualValues(t, 700, d.ok(t, http.MethodGet, "/v1/payments/"+sold, nil).Body["amount_refunded"])
		require.Contains(t, d.client.events(t, sold), "payment.succeeded")
	}
	for _, sold := range d.disputed {
		list := d.ok(t, http.MethodGet, "/v1/disputes?payment="+sold, nil)
		data, _ := list.Body["data"].([]any)
		require.Len(t, data, 1, list.Raw)
		one, _ := data[0].(map[string]any)
		require.Contains(t, d.client.events(t, fmt.Sprint(one["id"])), "dispute.opened")
	}
	require.GreaterOrEqual(t, len(d.invoices(t, d.subscription, 2)), 2, "it was renewed")
	require.Contains(t, d.client.events(t, d.troubled.text("id")), "subscription.past_due")
}

// backfilled runs the command beside the house and checks that it got through every list.
func backfilled(t testing.TB, house *apptest.House) {
	t.Helper()
	stdout, stderr, code := apptest.Command(t, house.Folder, append(simulated(house), house.Env...), "events", "backfill", "--since", "26h", "--json")
	require.Zero(t, code, "%s%s", stdout, stderr)
	streams := make(map[string][]string)
	for line := range strings.Lines(stdout) {
		var run map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &run), line)
		require.Equal(t, "done", run["status"], line)
		account := apptest.Object(run).Text("account")
		streams[account] = append(streams[account], apptest.Object(run).Text("stream"))
	}
	require.Len(t, streams, len(accounts), stdout)
	for account, names := range streams {
		require.True(t, slices.Contains(names, "events") && slices.Contains(names, "payments") && slices.Contains(names, "disputes"), "%s: %v", account, names)
	}
}

// reconcile runs the command beside the house.
func reconcile(t testing.TB, house *apptest.House, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return apptest.Command(t, house.Folder, append(simulated(house), house.Env...), append([]string{"reconcile"}, args...)...)
}

// providersForget has the providers know nothing any more, which nothing can repair.
func providersForget(t testing.TB, c *client) {
	t.Helper()
	status := make(map[string]any)
	payments, err := c.All(t.Context(), "/v1/payments")
	require.NoError(t, err)
	for _, payment := range payments {
		status[payment.Text("id")] = payment["status"]
		if payment["checkout"] == nil {
			delete(status, payment.Text("id")) // a renewal may be too young to be compared
		}
	}
	require.Equal(t, http.StatusOK, c.control(t, http.MethodPost, "reset", map[string]any{}).Status)
	stdout, stderr, code := reconcile(t, c.house, "--since", "26h", "--json")
	require.Equal(t, 1, code, stderr)
	count := make(map[string]int)
	for line := range strings.Lines(stdout) {
		var drift apptest.Object
		require.NoError(t, json.Unmarshal([]byte(line), &drift), line)
		require.Equal(t, "missing_there", drift["class"], line)
		require.Equal(t, false, drift["repaired"], line)
		require.NotEmpty(t, drift["id"], line)
		count[drift.Text("kind")]++
		if at, sold := status[drift.Text("id")]; sold {
			require.Equal(t, "succeeded", at, "providers forget what came to nothing")
			delete(status, drift.Text("id"))
		}
	}
	for id, at := range status {
		require.NotEqual(t, "succeeded", at, "%s is not told of", id)
	}
	for _, kind := range []string{"refund", "dispute", "subscription"} {
		require.Positive(t, count[kind], "%v", count)
	}
	kept, stderr, code := reconcile(t, c.house, "--last", "--json")
	require.Equal(t, 1, code, stderr)
	require.Len(t, strings.Split(kept, "\n"), len(strings.Split(stdout, "\n")), "what remained is kept")
	table, stderr, code := reconcile(t, c.house, "--last", "--csv", "--account", "paypal")
	require.Equal(t, 1, code, stderr)
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"account", "kind", "class", "id", "provider_id", "field", "ours", "theirs", "repaired", "note", "found_at"}, rows[0])
	require.Greater(t, len(rows), 24)
	require.Equal(t, "paypal", rows[1][0])
	_, stderr, code = reconcile(t, c.house, "--account", "nobody")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "--account")
}

// simulated are the variables by which a command beside a trial house over PostgreSQL knows its
// accounts; over SQLite it knows them by its data folder.
func simulated(house *apptest.House) []string {
	return []string{
		"PAYDESK_STRIPE_SECRET_KEY=sk_test_paydesk_simulator", "PAYDESK_STRIPE_PUBLISHABLE_KEY=pk_test_paydesk_simulator",
		"PAYDESK_STRIPE_WEBHOOK_SECRETS=whsec_paydesk_simulator", "PAYDESK_STRIPE_API_BASE=" + house.SimulatorURL + "/stripe",
		"PAYDESK_PAYPAL_CLIENT_ID=paydesk-simulator-client", "PAYDESK_PAYPAL_CLIENT_SECRET=paydesk-simulator-secret",
		"PAYDESK_PAYPAL_WEBHOOK_ID=WH-PAYDESK-SIMULATOR", "PAYDESK_PAYPAL_API_BASE=" + house.SimulatorURL + "/paypal",
		"PAYDESK_SQUARE_ACCESS_TOKEN=paydesk-simulator-token", "PAYDESK_SQUARE_APPLICATION_ID=sandbox-sq0idb-paydesk-simulator",
		"PAYDESK_SQUARE_LOCATION_ID=LPAYDESKSIMULATOR", "PAYDESK_SQUARE_WEBHOOK_KEYS=paydesk-simulator-key",
		"PAYDESK_SQUARE_API_BASE=" + house.SimulatorURL + "/square",
	}
}

// equalBooks waits until our records are the providers'.
func equalBooks(t testing.TB, c *client) {
	t.Helper()
	calls := apptest.NewClient(c.house)
	var differ []string
	same := func() bool {
		differ = nil
		for account := range accounts {
			there, err := calls.BooksThere(t.Context(), account)
			require.NoError(t, err)
			here, err := calls.BooksHere(t.Context(), account)
			require.NoError(t, err)
			for _, kind := range []string{apptest.Payments, apptest.Refunds, apptest.Disputes, apptest.Subscriptions, apptest.Invoices} {
				require.NotEmpty(t, there[kind], "%s has no %s", account, kind)
			}
			for _, line := range apptest.Differences(there, here) {
				differ = append(differ, account+": "+line)
			}
		}
		return len(differ) == 0
	}
	look := time.NewTicker(lostSettleMax / 60)
	defer look.Stop()
	for end := time.Now().Add(lostSettleMax); !same() && time.Now().Before(end); {
		<-look.C
	}
	require.Empty(t, differ[:min(len(differ), 20)], "our records differ from the providers' in %d places", len(differ))
}
