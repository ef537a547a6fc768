package conformance_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

var (
	_ portstest.Refundable = simulatedEnd{}
	_ portstest.Disputable = simulatedEnd{}
)

// steer makes a control call and gives the id of what it is about.
func (s simulatedEnd) steer(t testing.TB, path string, body map[string]any) string {
	t.Helper()
	status, text := postJSON(t, s.control+path, body, nil)
	require.Equal(t, http.StatusOK, status, "%s", text)
	var told struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal(text, &told))
	return told.ID
}

// RefundElsewhere implements [portstest.Refundable].
func (s simulatedEnd) RefundElsewhere(t testing.TB, payment core.PaymentID, amount int64) string {
	t.Helper()
	return s.steer(t, "/refunds", map[string]any{"account": s.account, "payment": payment, "amount": amount})
}

// EndRefund implements [portstest.Refundable].
func (s simulatedEnd) EndRefund(t testing.TB, id, outcome string) {
	t.Helper()
	s.steer(t, "/refunds/"+id, map[string]any{"outcome": outcome})
}

// OpenDispute implements [portstest.Disputable].
func (s simulatedEnd) OpenDispute(t testing.TB, payment core.PaymentID, inquiry bool) string {
	t.Helper()
	return s.steer(t, "/disputes", map[string]any{"account": s.account, "payment": payment, "inquiry": inquiry})
}

// CloseDispute implements [portstest.Disputable].
func (s simulatedEnd) CloseDispute(t testing.TB, id, outcome string) {
	t.Helper()
	s.steer(t, "/disputes/"+id, map[string]any{"outcome": outcome})
}
