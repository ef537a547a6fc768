package e2e_test

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

const (
	// yearSubscriptions are what the test runs through a year, and yearStep how far the clock is
	// moved at once: a month at most, so that webhooks can be posted in between, as they are.
	yearSubscriptions = 200
	yearStep          = 366 * 24 * time.Hour / 12
	// yearQuarter is after how many steps our records are held to the providers'.
	yearQuarter = 3
	// yearBuyers is how many buyers subscribe at the same time.
	yearBuyers = 4
	// yearSettleMax bounds the wait for what a month brought.
	yearSettleMax = 3 * time.Minute
	// yearTrouble is which subscriptions have a card that fails for a month: every seventh.
	yearTrouble = 7
)

// billed is a subscription, and what was paid for it, in words that both sides can be put into.
type billed struct {
	status string
	paid   map[string]int64 // amounts by the provider's id of what was paid
}

// TestAYearOfSubscriptions renews subscriptions at the three providers for a year, some of them
// with trouble on the way, and then holds our records to the providers', object by object.
func TestAYearOfSubscriptions(t *testing.T) {
	t.Parallel()
	house := apptest.StartPlain(t)
	runYear(t, newClient(house), yearSubscriptions, nil)
}

// runYear runs a number of subscriptions through a year. told is called once all are sold, with
// month 0, and each time our records equal the providers', with how long that took since the clock
// was moved last; nil for nobody.
func runYear(t testing.TB, c *client, count int, told func(month int, took time.Duration)) {
	t.Helper()
	names := []string{"stripe", "paypal", "square"}
	sellers := make([]seller, len(names))
	prices := make([]string, len(names))
	for n, name := range names {
		sellers[n] = seller{client: c, account: name}
		prices[n] = sellers[n].price(t, 900, 0)
	}
	sold := make([]answer, count)
	buyers := make(chan int)
	var group sync.WaitGroup
	for range yearBuyers {
		group.Go(func() {
			for n := range buyers {
				sold[n] = sellers[n%len(names)].subscribed(t, prices[n%len(names)], "active")
			}
		})
	}
	for n := range count {
		buyers <- n
	}
	close(buyers)
	group.Wait()
	require.False(t, t.Failed(), "not everybody could subscribe")
	if told != nil {
		told(0, 0)
	}

	for month := range 12 {
		for n, s := range sold {
			switch {
			case n%yearTrouble != 0:
			case month == 4:
				sellers[n%len(names)].steer(t, s, map[string]any{"card": "declined"})
			case month == 5:
				sellers[n%len(names)].steer(t, s, map[string]any{"card": "success"})
			}
		}
		start := time.Now()
		c.advance(t, yearStep)
		if (month+1)%yearQuarter != 0 {
			continue // looking at everything costs more than a month does
		}
		var differ []string
		same := func() bool {
			differ = nil
			for _, name := range names {
				differ = append(differ, differences(t, c, name)...)
			}
			return len(differ) == 0
		}
		end := start.Add(yearSettleMax)
		look := time.NewTicker(yearSettleMax / 60) // looking costs hundreds of calls
		for !same() {
			if <-look.C; time.Now().After(end) {
				require.Empty(t, differ[:min(len(differ), 10)], "after month %d our records differ from the providers' in %d places", month+1, len(differ))
			}
		}
		look.Stop()
		if told != nil {
			told(month+1, time.Since(start))
		}
	}
	for _, name := range names {
		theirs := heldBy(t, c, name)
		require.Len(t, theirs, (count+len(names)-1-slices.Index(names, name))/len(names))
		for id, one := range theirs {
			require.GreaterOrEqual(t, len(one.paid), 12, "%s %s was billed each month: %v", name, id, one)
		}
	}
}

// differences compares all subscriptions of an account, and all that was paid for them.
func differences(t testing.TB, c *client, account string) (differ []string) {
	t.Helper()
	theirs, ours := heldBy(t, c, account), heldHere(t, c, account)
	for id, one := range theirs {
		here, known := ours[id]
		switch {
		case !known:
			differ = append(differ, id+" is not known here")
		case !sameStatus(one.status, here.status):
			differ = append(differ, fmt.Sprintf("%s is %s there and %s here", id, one.status, here.status))
		}
		for paid, amount := range one.paid {
			if here.paid[paid] != amount {
				differ = append(differ, fmt.Sprintf("%s: %s paid %d there and %d here", id, paid, amount, here.paid[paid]))
			}
		}
		if len(one.paid) != len(here.paid) {
			differ = append(differ, fmt.Sprintf("%s: %d payments there and %d here", id, len(one.paid), len(here.paid)))
		}
	}
	if len(theirs) != len(ours) {
		differ = append(differ, fmt.Sprintf("%s: %d subscriptions there and %d here", account, len(theirs), len(ours)))
	}
	return differ
}

// sameStatus puts a provider's word beside ours.
func sameStatus(theirs, ours string) bool {
	return slices.Contains(map[string][]string{
		"ACTIVE": {"active", "past_due"}, "SUSPENDED": {"unpaid"}, "DEACTIVATED": {"unpaid"}, "CANCELED": {"canceled"}, "CANCELLED": {"canceled"},
	}[theirs], ours) || theirs == ours
}

// heldBy gives what the provider holds, by its ids.
func heldBy(t testing.TB, c *client, account string) map[string]billed {
	t.Helper()
	held := make(map[string]billed)
	for _, one := range objects(t, c, account, "subscription") {
		held[text(one["id"])] = billed{status: text(one["status"]), paid: map[string]int64{}}
	}
	kind := map[string]string{"stripe": "invoice", "paypal": "sale", "square": "invoice"}[account]
	for _, one := range objects(t, c, account, kind) {
		var of, amount string
		switch account {
		case "stripe":
			of, amount = text(one["subscription"]), fmt.Sprint(one["amount_paid"])
			if one["status"] != "paid" || amount == "0" {
				continue
			}
		case "paypal":
			sum, _ := one["amount"].(map[string]any)
			of, amount = text(one["billing_agreement_id"]), strings.ReplaceAll(text(sum["total"]), ".", "")
			if one["state"] != "completed" {
				continue
			}
		case "square":
			requests, _ := one["payment_requests"].([]any)
			first, _ := requests[0].(map[string]any)
			sum, _ := first["computed_amount_money"].(map[string]any)
			of, amount = text(one["subscription_id"]), fmt.Sprint(sum["amount"])
			if one["status"] != "PAID" {
				continue
			}
		}
		minor, err := strconv.ParseFloat(amount, 64)
		require.NoError(t, err, "%v", one)
		held[of].paid[text(one["id"])] = int64(math.Round(minor))
	}
	return held
}

// heldHere gives what we hold of an account, by the provider's ids: subscriptions and invoices that
// a payment of the same amount paid.
func heldHere(t testing.TB, c *client, account string) map[string]billed {
	t.Helper()
	held, ids := make(map[string]billed), make(map[string]string)
	for _, one := range c.all(t, "/v1/subscriptions") {
		if one["account"] == account && one["provider_subscription_id"] != nil {
			held[text(one["provider_subscription_id"])] = billed{status: text(one["status"]), paid: map[string]int64{}}
			ids[text(one["provider_subscription_id"])] = text(one["id"])
		}
	}
	for foreign, id := range ids {
		for _, invoice := range c.all(t, "/v1/subscriptions/"+id+"/invoices") {
			paid, _ := invoice["amount_paid"].(float64)
			if invoice["status"] == "paid" && paid > 0 && invoice["payment"] != nil {
				held[foreign].paid[text(invoice["provider_invoice_id"])] = int64(paid)
			}
		}
	}
	return held
}

func text(value any) string {
	read, _ := value.(string)
	return read
}

// all gives all pages of a list.
func (c *client) all(t testing.TB, path string) (items []map[string]any) {
	t.Helper()
	query := url.Values{"limit": {"100"}}
	for {
		page := c.api(t, http.MethodGet, path+"?"+query.Encode(), nil, "")
		require.Equal(t, http.StatusOK, page.Status, page.Raw)
		data, _ := page.Body["data"].([]any)
		for _, item := range data {
			one, _ := item.(map[string]any)
			items = append(items, one)
		}
		next := page.text("next_cursor")
		if next == "" {
			return items
		}
		query.Set("cursor", next)
	}
}

// objects gives what the simulator holds.
func objects(t testing.TB, c *client, account, kind string) (held []map[string]any) {
	t.Helper()
	a := c.control(t, http.MethodGet, "objects?account="+account+"&type="+kind, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	data, _ := a.Body["data"].([]any)
	for _, item := range data {
		one, _ := item.(map[string]any)
		held = append(held, one)
	}
	return held
}
