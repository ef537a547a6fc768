package stripe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// TestDeliveries has webhooks verified that somebody else wrote, signed and posted.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	type post struct {
		delivery core.Delivery
		err      error
	}
	posts := make(chan post, 100)
	verifier, err := stripe.New(stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: secretKey, WebhookSecrets: []string{webhookSecret},
	})
	require.NoError(t, err)
	paydesk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			var delivery core.Delivery
			delivery, err = verifier.VerifyWebhook(r.Context(), r.Header, body, time.Now())
			posts <- post{delivery, err}
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(paydesk.Close)
	far := openSimulatorWith(t, simulator.Options{PaydeskURL: paydesk.URL})

	session, err := far.adapter.CreatePayment(t.Context(), "op_1", ports.CreatePayment{
		Payment: "pay_1", Checkout: "chk_1", Amount: money(t, 4990, "EUR"), Capture: core.CaptureAutomatic,
	})
	require.NoError(t, err)
	far.Confirm(t, session, portstest.CardDisputed)

	waiting := map[string]bool{
		"payment_intent.created": true, "payment_intent.succeeded": true, "charge.succeeded": true, "charge.dispute.created": true,
	}
	timeout := time.After(providerWait)
	for len(waiting) > 0 {
		select {
		case got := <-posts:
			require.NoError(t, got.err)
			require.Equal(t, session.Snapshot.Ref, got.delivery.Ref, got.delivery.Type)
			require.Equal(t, "2023-10-16", got.delivery.APIVersion)
			delete(waiting, got.delivery.Type)
		case <-timeout:
			require.FailNow(t, "webhooks are missing", "%v", waiting)
		}
	}
}

// providerWait is how long a test waits for what the simulator does by itself.
const providerWait = 20 * time.Second
