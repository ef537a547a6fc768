package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

const (
	// lostAtOnce is how many answers of each account are lost at once: fewer than what has an account
	// held for one that does not answer at all.
	lostAtOnce = 4
	// lostRounds is how often that happens over each database.
	lostRounds = 3
	// settledMax is longer than any settling by a job takes.
	settledMax = 2 * time.Minute
)

// captures are the calls that take money that is held.
var captures = map[string]string{"stripe": "/capture", "paypal": "/capture", "square": "/complete"}

// BenchmarkLostAnswer captures at each provider, which does so and never answers, and measures the time
// until the operation is settled: from the moment at which the call is given up (10 s after it was sent),
// with the webhook that tells of it, and without any. Money that was taken twice fails it.
func BenchmarkLostAnswer(b *testing.B) {
	for name, env := range map[string]func() []string{
		"sqlite":   func() []string { return nil },
		"postgres": func() []string { return []string{"PAYDESK_DATABASE_URL=" + needPostgres(b)} },
	} {
		for told, faults := range map[string][]string{"webhook": {"timeout_after_commit"}, "no webhook": {"timeout_after_commit", "webhook_drop"}} {
			b.Run(name+"/"+told, func(b *testing.B) {
				c := newClient(apptest.StartPlain(b, env()...))
				for b.Loop() {
					var sinceSent, sinceLost []time.Duration
					for round := range lostRounds {
						sent, lost := loseAnswers(b, c, fmt.Sprint(b.N, "-", round), faults)
						sinceSent, sinceLost = append(sinceSent, sent...), append(sinceLost, lost...)
					}
					slices.Sort(sinceSent)
					slices.Sort(sinceLost)
					b.ReportMetric(sinceSent[len(sinceSent)/2].Seconds(), "sent-p50-s")
					b.ReportMetric(sinceSent[len(sinceSent)-1].Seconds(), "sent-max-s")
					b.ReportMetric(sinceLost[len(sinceLost)/2].Seconds(), "lost-p50-s")
					b.ReportMetric(sinceLost[len(sinceLost)-1].Seconds(), "lost-max-s")
				}
			})
		}
	}
}

// loseAnswers captures several payments at every account at once, and gives how long each took to be
// settled.
func loseAnswers(b *testing.B, c *client, name string, faults []string) (sinceSent, sinceLost []time.Duration) {
	b.Helper()
	var held []string
	for account := range captures {
		for n := range lostAtOnce {
			p := c.payAt(b, c.checkout(b, fmt.Sprint(name, "-", account, "-", n), "manual"), account, "success").text("payment")
			c.payment(b, p, "authorized")
			held = append(held, p)
		}
	}
	for account, match := range captures {
		for _, fault := range faults {
			body := map[string]any{"account": account, "match": match, "fault": fault, "count": lostAtOnce}
			if fault == "webhook_drop" {
				body["match"], body["count"] = "webhook", 100*lostAtOnce
			}
			a := c.control(b, http.MethodPost, "faults", body)
			require.Equal(b, http.StatusOK, a.Status, a.Raw)
		}
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, payment := range held {
		all.Go(func() {
			sent := time.Now()
			a := c.api(b, http.MethodPost, "/v1/payments/"+payment+"/capture", map[string]any{}, "capture-"+payment)
			lost := time.Now()
			if a.Status != http.StatusAccepted && a.Status != http.StatusOK {
				b.Errorf("the capture is answered by %d %s", a.Status, a.Raw)
			}
			for !captured(b, c, payment) {
				if time.Since(sent) > settledMax {
					b.Errorf("%s is not settled", payment)
					return
				}
				time.Sleep(50 * time.Millisecond) // a benchmark measures the world; there is no signal to wait for
			}
			mu.Lock()
			defer mu.Unlock()
			sinceSent, sinceLost = append(sinceSent, time.Since(sent)), append(sinceLost, time.Since(lost))
		})
	}
	all.Wait()
	require.Len(b, sinceSent, len(held))
	for _, payment := range held {
		require.EqualValues(b, 2500, c.payment(b, payment, "succeeded").Body["amount_captured"])
	}
	c.control(b, http.MethodDelete, "faults", nil)
	return sinceSent, sinceLost
}

// captured reports whether the capture of a payment is settled.
func captured(b *testing.B, c *client, payment string) bool {
	b.Helper()
	a := c.graphql(b, `query($id: ID!) { operations(filter: {payment: $id, kind: [CAPTURE_PAYMENT]}) { nodes { status } } }`, map[string]any{"id": payment})
	require.Equal(b, http.StatusOK, a.Status, a.Raw)
	nodes := a.Body["data"].(map[string]any)["operations"].(map[string]any)["nodes"].([]any)
	return len(nodes) == 1 && nodes[0].(map[string]any)["status"] == "SUCCEEDED"
}
