package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// TestDemoShopTrades starts what `make run` starts: there is soon something to see.
func TestDemoShopTrades(t *testing.T) {
	t.Parallel()
	h := apptest.NewHouse(t)
	h.Process = apptest.RunPlain(t, h.Folder, h.Env, "is ready", "dev", "--data", h.Data, "--demo")
	require.True(t, h.Ready(), "the house did not start: %s", h.Output())
	c := newClient(h)
	require.Eventually(t, func() bool {
		list := c.api(t, http.MethodGet, "/v1/payments?limit=100", nil, "").Body.List("data")
		succeeded := 0
		for _, one := range list {
			if one.Text("status") == "succeeded" {
				succeeded++
			}
		}
		return len(list) >= 8 && succeeded >= 3
	}, waitMax, 100*time.Millisecond, "the demo shop sold nothing")
	require.Zero(t, h.Stop(t))
}
