package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	deliveryWait     = 20 * time.Second
	deliveryBytesMax = 1 << 20
)

// TestDeliveries has adapters check webhooks that somebody else wrote, signed and posted.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	for provider := range buyers {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			type post struct {
				delivery core.Delivery
				err      error
			}
			posts := make(chan post, 100)
			var verifier atomic.Pointer[ports.WebhookVerifier]
			paydesk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, deliveryBytesMax))
				if err != nil || r.URL.Path != "/webhooks/"+string(provider) {
					t.Errorf("posted to %s: %v", r.URL.Path, err)
					return
				}
				delivery, err := (*verifier.Load()).VerifyWebhook(r.Context(), r.Header, body, time.Now())
				posts <- post{delivery, err}
			}))
			t.Cleanup(paydesk.Close)
			config := simulated(t, paydesk.URL)
			adapter, end := open(t, config, config.Account(core.AccountName(provider)))
			checks := ports.WebhookVerifier(adapter)
			verifier.Store(&checks)

			paid := pay(t, adapter, end)
			timeout := time.After(deliveryWait)
			for {
				select {
				case got := <-posts:
					require.NoError(t, got.err)
					require.NotEmpty(t, got.delivery.ProviderEventID)
					if got.delivery.Ref == paid.Ref {
						return
					}
				case <-timeout:
					require.FailNow(t, "no webhook leads to the payment")
				}
			}
		})
	}
}

// pay takes a payment, in the manner of the provider.
func pay(t *testing.T, adapter app.Adapter, end farEnd) core.PaymentSnapshot {
	t.Helper()
	amount, err := core.NewMoney(49_90, "EUR")
	require.NoError(t, err)
	in := ports.CreatePayment{
		Payment: "pay_01jd0000000000000000000000", Checkout: "chk_01jd0000000000000000000000", Reference: "order-1", Amount: amount,
		Capture: core.CaptureAutomatic, ReturnURL: "https://shop.example/return",
	}
	confirm := ports.ConfirmPayment{CreatePayment: in}
	if adapter.Capabilities().Confirm == ports.ConfirmWithSource {
		confirm.Source = end.Source(t, portstest.CardSucceeds, amount)
	} else {
		session, err := adapter.CreatePayment(t.Context(), "op_create", in)
		require.NoError(t, err)
		end.Confirm(t, session, portstest.CardSucceeds)
		if adapter.Capabilities().Confirm == ports.ConfirmInBrowser {
			return session.Snapshot
		}
		confirm.Ref = session.Snapshot.Ref
	}
	confirmer, ok := adapter.(ports.Confirmer)
	require.True(t, ok)
	seen, err := confirmer.ConfirmPayment(t.Context(), "op_confirm", confirm)
	require.NoError(t, err)
	return seen
}
