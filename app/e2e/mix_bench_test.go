package e2e_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
	"github.com/paydesk/paydesk/internal/load"
)

const (
	mixFor      = 10 * time.Second
	mixWebhooks = 200 // of each provider a second
	mixCreates  = 20  // checkouts a second
	mixReads    = 60  // of each kind a second
	mixRepeats  = 20  // of a hundred
)

// mixedProviders are three providers that know no object, and the one that signs for PayPal.
func mixedProviders(b *testing.B) (address string, paypal *load.PayPal) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, load.PayPalCertificatePath):
			_, _ = w.Write(paypal.Certificate)
		case strings.HasSuffix(r.URL.Path, "/v1/oauth2/token"):
			_, _ = w.Write([]byte(`{"access_token":"A21load","token_type":"Bearer","expires_in":3600}`))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"name":"RESOURCE_NOT_FOUND","error":{"type":"invalid_request_error","code":"resource_missing"},"errors":[{"category":"INVALID_REQUEST_ERROR","code":"NOT_FOUND"}]}`))
		}
	}))
	b.Cleanup(server.Close)
	paypal, err := load.NewPayPal("WH-LOAD", server.URL+"/paypal", time.Now())
	require.NoError(b, err)
	return server.URL, paypal
}

// BenchmarkMix has three providers post webhooks and a storefront call, all at once and at a fixed rate
// whatever the server does, and prints how long each kind of call took from the moment it was due.
func BenchmarkMix(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			address, paypal := mixedProviders(b)
			house := apptest.NewHouse(b)
			registered := house.PublicURL + "/webhooks/square"
			roots := filepath.Join(house.Folder, "roots.pem")
			require.NoError(b, os.WriteFile(roots, paypal.Certificate, 0o600))
			house.Env = append(house.Server(), storeEnv(b, s.postgres, s.journal)...)
			house.Env = append(house.Env, "PAYDESK_STRIPE_API_BASE="+address+"/stripe", "PAYDESK_LOG_LEVEL=info",
				"PAYDESK_PAYPAL_CLIENT_ID=load", "PAYDESK_PAYPAL_CLIENT_SECRET=load", "PAYDESK_PAYPAL_WEBHOOK_ID=WH-LOAD",
				"PAYDESK_PAYPAL_WEBHOOK_ROOTS="+roots, "PAYDESK_PAYPAL_API_BASE="+address+"/paypal",
				"PAYDESK_SQUARE_ACCESS_TOKEN=load", "PAYDESK_SQUARE_APPLICATION_ID=sandbox-sq0idb-load", "PAYDESK_SQUARE_LOCATION_ID=L1",
				"PAYDESK_SQUARE_WEBHOOK_KEYS=load", "PAYDESK_SQUARE_WEBHOOK_URL="+registered, "PAYDESK_SQUARE_API_BASE="+address+"/square")
			_, stderr, code := apptest.Command(b, house.Folder, house.Env, "migrate", "up")
			require.Zero(b, code, stderr)
			server := apptest.RunPlain(b, house.Folder, house.Env, `"msg":"ready"`, "serve", "--roles", "public,worker")
			require.True(b, server.Ready(), server.Output())
			for b.Loop() {
				calls := mixedCalls(b, house, []load.Provider{load.Stripe{Secret: "whsec_apptest"}, paypal, load.Square{Key: "load", Registered: registered}})
				report, err := load.Steps(b.Context(), host(house), calls, ingressConnections, load.Step{PerSecond: len(calls) / int(mixFor.Seconds()), For: mixFor})
				require.NoError(b, err, apptest.LastLines(server.Output()))
				var text strings.Builder
				require.NoError(b, report.Print(&text))
				b.Logf("\n%s", text.String())
				for status := range report.Statuses {
					require.Contains(b, []int{http.StatusOK, http.StatusCreated}, status)
				}
				b.ReportMetric(milliseconds(report.At(500)), "p50-ms")
				b.ReportMetric(milliseconds(report.At(990)), "p99-ms")
			}
		})
	}
}

// mixedCalls are what all send together.
func mixedCalls(b *testing.B, house *apptest.House, providers []load.Provider) []load.Post {
	b.Helper()
	seconds := int(mixFor.Seconds())
	prefix := strings.ToLower(rand.Text()[:6])
	var kinds [][]load.Post
	for _, provider := range providers {
		made, _, err := load.Webhooks{
			Provider: provider, Address: house.PublicURL + "/webhooks/" + provider.Name(), BodyBytes: ingressBodyBytes,
			Repeats: mixRepeats, Prefix: prefix, Wall: time.Now(),
		}.Make(mixWebhooks * seconds)
		require.NoError(b, err)
		kinds = append(kinds, made)
	}
	shop := load.Storefront{Address: house.PublicURL, APIKey: house.APIKey, Prefix: prefix, Repeats: mixRepeats}
	creates, err := shop.Create(mixCreates * seconds)
	require.NoError(b, err)
	checkout := newClient(house).checkout(b, prefix+"-read", "automatic")
	reads, err := shop.Read("read checkout", "/v1/checkouts/"+checkout, mixReads*seconds)
	require.NoError(b, err)
	events, err := shop.Read("list events", "/v1/events?limit=10", mixReads*seconds)
	require.NoError(b, err)
	return load.Mix(append(kinds, creates, reads, events)...)
}
