package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
)

// Whatever is sent as a body is taken or refused, never stumbled over, and an accepted
// checkout costs what its rows say.
func FuzzCheckoutBody(f *testing.F) {
	f.Add(order)
	f.Add(fullOrder)
	for _, bad := range badBodies {
		if len(bad.with) < 1000 {
			f.Add(strings.Replace(order, bad.old, bad.with, 1))
		}
	}
	h := houseOver(f, repotest.SQLite(f))
	n := 0
	f.Fuzz(func(t *testing.T, body string) {
		n++
		answer := h.do(t.Context(), request{method: http.MethodPost, path: "/v1/checkouts", key: fmt.Sprint("key-", n), body: body})
		require.True(t, json.Valid(answer.Body.Bytes()))
		if answer.Code != http.StatusCreated {
			require.True(t, answer.Code >= 400 && answer.Code < 500, "%d %s", answer.Code, answer.Body)
			return
		}
		require.False(t, core.HasCardNumber(body))
		var made struct {
			Amount    int64
			LineItems []struct{ Amount, Quantity int64 } `json:"line_items"`
		}
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &made))
		for _, row := range made.LineItems {
			made.Amount -= row.Amount * row.Quantity
		}
		require.Zero(t, made.Amount)
	})
}

// Whatever stands in an address is found, refused or not there.
func FuzzAddress(f *testing.F) {
	for _, address := range []string{"/v1/payments?limit=2&status=failed,succeeded", "/v1/events?after=1&types=payment.failed", "/v1/checkouts/chk_01h455vb4pex5vsknk084sn02q", "/v1//x", "/docs"} {
		path, query, _ := strings.Cut(address, "?")
		f.Add(path, query)
	}
	h := houseOver(f, repotest.SQLite(f))
	f.Fuzz(func(t *testing.T, path, query string) {
		sent := request{method: http.MethodGet, path: "/"}
		answer := h.ask(t.Context(), sent, func(r *http.Request) { r.URL.Path, r.URL.RawQuery = path, query })
		require.Less(t, answer.Code, 500, answer.Body)
		require.False(t, answer.Code >= 300 && answer.Code < 400, "%d", answer.Code)
	})
}
