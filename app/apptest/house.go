package apptest

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The credentials of every house.
const (
	APIKey     = "pd_test_apptest_storefront_key"
	StaffToken = "apptest-staff-token-0123456789"
)

// House is a running trial house (`paydesk dev`).
type House struct {
	*Process
	PublicURL    string
	AdminURL     string
	OpsURL       string
	SimulatorURL string
	APIKey       string
	StaffToken   string
	// Folder is its working directory, Data the data folder in it.
	Folder, Data string
	// Env is what it was started with; commands beside it take the same.
	Env []string
}

// Start runs a trial house on free ports until the test ends. env adds variables, or
// sets others than the usual ones.
func Start(t testing.TB, env ...string) *House {
	t.Helper()
	return start(t, Binary(t), env)
}

// StartPlain is Start for the program as it is shipped, without race detector and crash points: for
// tests that have it do much.
func StartPlain(t testing.TB, env ...string) *House {
	t.Helper()
	return start(t, PlainBinary(t), env)
}

func start(t testing.TB, program string, env []string) *House {
	t.Helper()
	h := NewHouse(t, env...)
	h.Process = run(t, program, h.Folder, h.Env, "is ready", "dev", "--data", h.Data)
	require.True(t, h.Ready(), "the house did not start: %s", h.Output())
	return h
}

// NewHouse chooses ports and folders without starting anything.
func NewHouse(t testing.TB, env ...string) *House {
	t.Helper()
	ports := freePorts(t, 4)
	h := &House{
		PublicURL: "http://" + ports[0], AdminURL: "http://" + ports[1], OpsURL: "http://" + ports[2], SimulatorURL: "http://" + ports[3],
		APIKey: APIKey, StaffToken: StaffToken, Folder: t.TempDir(),
	}
	h.Data = h.Folder + "/data"
	h.Env = append([]string{
		"PAYDESK_PUBLIC_ADDR=" + ports[0], "PAYDESK_ADMIN_ADDR=" + ports[1], "PAYDESK_OPS_ADDR=" + ports[2], "PAYDESK_SIMULATOR_ADDR=" + ports[3],
		"PAYDESK_DATABASE_URL=sqlite:" + h.Data + "/paydesk.db", "PAYDESK_JOURNAL=spool:" + h.Data + "/journal",
		"PAYDESK_BOOTSTRAP_API_KEY=" + APIKey, "PAYDESK_BOOTSTRAP_STAFF=admin@shop.test:a long pass phrase:ADMIN:" + StaffToken,
	}, env...)
	return h
}

// Server is the credentials and addresses that `paydesk serve` and `paydesk simulate`
// need to stand beside each other.
func (h *House) Server() []string {
	host := strings.TrimPrefix(h.SimulatorURL, "http://")
	return append([]string{
		"PAYDESK_STRIPE_SECRET_KEY=sk_test_apptest", "PAYDESK_STRIPE_PUBLISHABLE_KEY=pk_test_apptest",
		"PAYDESK_STRIPE_WEBHOOK_SECRETS=whsec_apptest", "PAYDESK_STRIPE_API_BASE=http://" + host + "/stripe",
	}, h.Env...)
}

// Everything is [House.Server] with all three accounts.
func (h *House) Everything() []string {
	host := strings.TrimPrefix(h.SimulatorURL, "http://")
	return append([]string{
		"PAYDESK_PAYPAL_CLIENT_ID=apptest-client", "PAYDESK_PAYPAL_CLIENT_SECRET=apptest-secret", "PAYDESK_PAYPAL_WEBHOOK_ID=WH-APPTEST",
		"PAYDESK_PAYPAL_API_BASE=http://" + host + "/paypal",
		"PAYDESK_SQUARE_ACCESS_TOKEN=apptest-token", "PAYDESK_SQUARE_APPLICATION_ID=sandbox-sq0idb-apptest", "PAYDESK_SQUARE_LOCATION_ID=LAPPTEST",
		"PAYDESK_SQUARE_WEBHOOK_KEYS=apptest-key", "PAYDESK_SQUARE_API_BASE=http://" + host + "/square",
	}, h.Server()...)
}

// freePorts finds loopback addresses that nobody listens on.
func freePorts(t testing.TB, count int) []string {
	t.Helper()
	var addresses []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { require.NoError(t, listener.Close()) }()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}
