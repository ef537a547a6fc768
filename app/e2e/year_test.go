package e2e_test

import (
	"slices"
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
	billedEachMonth(t, c, names, count)
}

// billedEachMonth holds what the providers have of a year of count subscriptions to what was sold.
func billedEachMonth(t testing.TB, c *client, names []string, count int) {
	t.Helper()
	for _, name := range names {
		there := billingThere(t, c, name)
		require.Len(t, there[apptest.Subscriptions], (count+len(names)-1-slices.Index(names, name))/len(names))
		paid := make(map[string]int)
		for _, invoice := range there[apptest.Invoices] {
			paid[invoice.Of]++
		}
		for id := range there[apptest.Subscriptions] {
			require.GreaterOrEqual(t, paid[id], 12, "%s %s was billed each month", name, id)
		}
	}
}

// differences compares all subscriptions of an account, and all that was paid for them.
func differences(t testing.TB, c *client, account string) []string {
	t.Helper()
	here, err := c.BillingHere(t.Context(), account)
	require.NoError(t, err)
	return apptest.Differences(billingThere(t, c, account), here)
}

func billingThere(t testing.TB, c *client, account string) apptest.Books {
	t.Helper()
	there, err := c.BillingThere(t.Context(), account)
	require.NoError(t, err)
	return there
}
