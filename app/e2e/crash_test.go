package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// crashPoints are the boundaries of the program's steps (app/crashpoints_on.go). Each is
// tried at its first, second, third … time, until a whole walk comes to its end without
// passing it so often.
var crashPoints = []string{
	"tx.begin", "tx.commit", "tx.done",
	"journal.append.before", "journal.append.after", "drain.before", "drain.after",
	"provider.create.before", "provider.create.after", "provider.get.before", "provider.get.after",
	"provider.capture.before", "provider.capture.after",
}

// crashTimesMax bounds how often one boundary is tried.
const crashTimesMax = 8

// crashing is a server that is killed and started again beside a simulator that lives on.
type crashing struct {
	*client
	server *apptest.Process
	env    []string
}

func (c *crashing) start(t *testing.T, point string) {
	t.Helper()
	c.server = apptest.Run(t, c.house.Folder, append([]string{"PAYDESK_TEST_CRASH_AT=" + point}, c.env...), `"msg":"ready"`, "serve")
}

// until repeats a call until it is answered as wanted, starting the server anew where
// it died.
func (c *crashing) until(t *testing.T, what string, try func() (answer, bool)) answer {
	t.Helper()
	deadline := time.Now().Add(2 * waitMax)
	for {
		a, done := try()
		if done {
			return a
		}
		require.True(t, time.Now().Before(deadline), "%s: %d %s %v\n%s", what, a.Status, a.Raw, a.Err, apptest.LastLines(c.server.Output()))
		select {
		case <-c.server.Ended():
			c.start(t, "") // as a supervisor would
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// walk takes one payment from checkout to capture, whatever dies on the way.
func (c *crashing) walk(t *testing.T, reference string) (checkout, payment string) {
	t.Helper()
	made := c.until(t, "create checkout", func() (answer, bool) {
		a := c.api(t, http.MethodPost, "/v1/checkouts", order(reference, "manual"), reference)
		return a, a.Status == http.StatusCreated
	})
	checkout = made.text("id")
	c.until(t, "pay", func() (answer, bool) {
		a := c.pay(t, checkout, "success")
		if a.Status != http.StatusOK { // the page may have died after the buyer paid
			a = c.api(t, http.MethodGet, "/v1/checkouts/"+checkout, nil, "")
		}
		return a, a.text("status") == "complete" || a.text("payment") != "" && a.text("object") != ""
	})
	complete := c.until(t, "complete", func() (answer, bool) {
		a := c.api(t, http.MethodGet, "/v1/checkouts/"+checkout, nil, "")
		return a, a.text("status") == "complete"
	})
	payment = complete.text("payment")
	c.until(t, "capture", func() (answer, bool) {
		a := c.api(t, http.MethodPost, "/v1/payments/"+payment+"/capture", map[string]any{}, reference+"-capture")
		return a, a.Status == http.StatusOK && a.text("status") == "succeeded"
	})
	settled := c.until(t, "succeeded", func() (answer, bool) {
		a := c.api(t, http.MethodGet, "/v1/payments/"+payment, nil, "")
		return a, a.text("status") == "succeeded"
	})
	require.EqualValues(t, 2500, settled.Body["amount_captured"])
	return checkout, payment
}

// holdsOnePayment checks both sides: one object with money at the provider, each event
// of ours told once.
func (c *crashing) holdsOnePayment(t *testing.T, reference, checkout, payment string) {
	t.Helper()
	list := c.api(t, http.MethodGet, "/v1/payments?reference="+reference, nil, "")
	paid := 0
	for _, item := range list.Body["data"].([]any) {
		if p := item.(map[string]any); p["status"] == "succeeded" || p["status"] == "authorized" {
			paid++
		}
	}
	require.Equal(t, 1, paid, list.Raw)
	require.Equal(t, 1, c.objectsWithMoney(t, reference), "the provider took money once")
	told := strings.Join(c.events(t, payment), " ")
	require.Equal(t, 1, strings.Count(told, "payment.succeeded"), told)
	require.LessOrEqual(t, strings.Count(told, "payment.authorized"), 1, told)
	require.Equal(t, []string{"checkout.completed"}, c.events(t, checkout))
}

// objectsWithMoney counts the provider's payments for an order that hold or took money.
func (c *crashing) objectsWithMoney(t *testing.T, reference string) int {
	t.Helper()
	a := c.control(t, http.MethodGet, "objects?account=stripe&type=payment_intent", nil)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	count := 0
	for _, item := range objectsOf(a) {
		metadata, _ := item["metadata"].(map[string]any)
		status := fmt.Sprint(item["status"])
		if (status == "succeeded" || status == "requires_capture") && strings.Contains(fmt.Sprint(metadata, item["description"]), reference) {
			count++
		}
	}
	return count
}

// objectsOf reads the simulator's list of objects.
func objectsOf(a answer) (objects []map[string]any) {
	list, _ := a.Body["data"].([]any)
	if list == nil {
		list, _ = a.Body["objects"].([]any)
	}
	for _, item := range list {
		if object, ok := item.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

func TestKilledBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T, *apptest.House) string{
		"sqlite, spool":    func(_ *testing.T, h *apptest.House) string { return "PAYDESK_JOURNAL=spool:" + h.Data + "/journal" },
		"sqlite, database": func(_ *testing.T, _ *apptest.House) string { return "PAYDESK_JOURNAL=database" },
		"postgres, spool":  func(t *testing.T, _ *apptest.House) string { return "PAYDESK_DATABASE_URL=" + needPostgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			house := apptest.NewHouse(t)
			env := append(house.Server(), database(t, house))
			house.Env = env
			apptest.Run(t, house.Folder, env, "Simulator at", "simulate")
			_, stderr, code := apptest.Command(t, house.Folder, env, "migrate", "up")
			require.Zero(t, code, stderr)
			c := &crashing{client: newClient(house), env: env}
			killed := 0
			for _, point := range crashPoints {
				for times := 1; times <= crashTimesMax; times++ {
					c.start(t, fmt.Sprintf("%s:%d", point, times))
					first := c.server
					reference := fmt.Sprintf("%s-%d", strings.ReplaceAll(point, ".", "-"), times)
					checkout, payment := c.walk(t, reference)
					died := c.server != first
					c.server.Kill() // also where its time had not come: it could come in what follows
					c.start(t, "")
					c.holdsOnePayment(t, reference, checkout, payment)
					c.server.Kill()
					if !died {
						break
					}
					killed++
				}
			}
			t.Logf("killed %d times", killed)
			require.Greater(t, killed, len(crashPoints), "the boundaries were hardly reached")
			c.nothingLost(t)
		})
	}
}

// nothingLost checks that every event that the provider still has was stored once, and
// looked at.
func (c *crashing) nothingLost(t *testing.T) {
	t.Helper()
	c.start(t, "")
	sent := c.control(t, http.MethodGet, "objects?account=stripe&type=event", nil)
	require.Equal(t, http.StatusOK, sent.Status, sent.Raw)
	require.Eventually(t, func() bool {
		stored := inbound(t, c.house)
		for _, event := range objectsOf(sent) {
			status := stored[fmt.Sprint(event["id"])]["status"]
			if status != "processed" && status != "ignored" {
				return false
			}
		}
		return true
	}, 2*waitMax, 100*time.Millisecond, "events were lost or never looked at")
	require.Zero(t, c.server.Stop(t), "it ends in order")
}
