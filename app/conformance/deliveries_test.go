package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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
	deliveriesMax    = 1000 // far more than come
)

// told are the kinds of objects that webhooks of a provider lead to.
var told = map[core.ProviderName][]core.ObjectKind{
	core.ProviderStripe: {
		core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectSetup, core.ObjectMethod, core.ObjectSubscription, core.ObjectInvoice,
	},
	core.ProviderPayPal: {core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectMethod, core.ObjectSubscription},
	core.ProviderSquare: {
		core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectMethod, core.ObjectSubscription, core.ObjectInvoice,
	},
}

// TestDeliveries has adapters check webhooks that somebody else wrote, signed and posted, and
// tell by them which objects are to be looked at.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	for provider, kinds := range told {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			refs := make(chan core.ProviderRef, deliveriesMax)
			var verifier atomic.Pointer[ports.WebhookVerifier]
			paydesk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, deliveryBytesMax))
				if err != nil || r.URL.Path != "/webhooks/"+string(provider) {
					t.Errorf("posted to %s: %v", r.URL.Path, err)
					return
				}
				delivery, err := (*verifier.Load()).VerifyWebhook(r.Context(), r.Header, body, time.Now())
				if err != nil || delivery.ProviderEventID == "" {
					t.Errorf("%q cannot be used: %v", delivery.ProviderEventID, err)
				}
				refs <- delivery.Ref
			}))
			t.Cleanup(paydesk.Close)
			adapter, end := openSimulated(t, provider, paydesk.URL)
			checks := ports.WebhookVerifier(adapter)
			verifier.Store(&checks)

			missing := map[core.ProviderRef]bool{}
			for _, ref := range sell(t, adapter, end) {
				if slices.Contains(kinds, ref.Kind) {
					missing[ref] = true
				}
			}
			require.Len(t, missing, len(kinds), "one of each kind was made")
			timeout := time.After(deliveryWait)
			for len(missing) > 0 {
				select {
				case ref := <-refs:
					delete(missing, ref)
				case <-timeout:
					require.FailNow(t, "no webhook leads there", "%v", missing)
				}
			}
		})
	}
}

// sell takes a payment and does what can follow, and gives all objects that there are by that.
func sell(t *testing.T, adapter app.Adapter, end simulatedEnd) []core.ProviderRef {
	t.Helper()
	refunder, ok := adapter.(ports.Refunder)
	require.True(t, ok)
	paid := pay(t, adapter, end.farEnd)
	refund, err := refunder.RefundPayment(t.Context(), "op_refund", ports.RefundPayment{
		Refund: "ref_01jd0000000000000000000000", Payment: paid.Payment, Ref: paid.Ref, Amount: cents(t, 1_00),
	})
	require.NoError(t, err)
	dispute := end.OpenDispute(t, paid.Payment, false)

	biller, ok := adapter.(ports.Subscriber)
	require.True(t, ok)
	const customer = core.CustomerID("cus_01jd0000000000000000000000")
	counterpart, err := biller.CreateCustomer(t.Context(), "op_customer", ports.CreateCustomer{Customer: customer, Email: "ada@example.test"})
	require.NoError(t, err)
	method := save(t, biller, end, ports.CreateSetup{
		Method: "pm_01jd0000000000000000000000", Customer: customer, ProviderCustomer: counterpart, ReturnURL: "https://shop.example/return",
	})
	require.NoError(t, biller.DetachMethod(t.Context(), "op_detach", method.Ref))
	subscription := subscribe(t, biller, end, ports.CreateSubscription{
		Subscription: "sub_01jd0000000000000000000000", Customer: customer, ProviderCustomer: counterpart, Email: "ada@example.test",
		ReturnURL: "https://shop.example/return", CancelURL: "https://shop.example/back", StartAt: time.Now(), Quantity: 1,
	})
	require.NotEmpty(t, subscription.Invoices)
	of := func(kind core.ObjectKind, id string) core.ProviderRef {
		return core.ProviderRef{Account: adapter.Account(), Kind: kind, ID: id}
	}
	return []core.ProviderRef{
		paid.Ref, refund.Ref, of(core.ObjectDispute, dispute), of(core.ObjectSetup, method.Setup), method.Ref, subscription.Ref, subscription.Invoices[0].Ref,
	}
}

// save has a method saved, in the manner of the provider.
func save(t *testing.T, vault ports.Vault, end simulatedEnd, in ports.CreateSetup) core.MethodSnapshot {
	t.Helper()
	confirm := ports.ConfirmSetup{CreateSetup: in, Ref: core.ProviderRef{Account: vault.Account(), Kind: core.ObjectSetup}}
	if vault.Capabilities().Confirm == ports.ConfirmWithSource {
		confirm.Source = end.SetupSource(t, portstest.CardSucceeds)
	} else {
		session, err := vault.CreateSetup(t.Context(), "op_setup", in)
		require.NoError(t, err)
		end.AgreeSetup(t, session, portstest.CardSucceeds)
		confirm.Ref.ID = session.Snapshot.Setup
	}
	if vault.Capabilities().Confirm == ports.ConfirmInBrowser {
		seen, err := vault.GetMethod(t.Context(), confirm.Ref)
		require.NoError(t, err)
		return seen
	}
	seen, err := vault.ConfirmSetup(t.Context(), "op_save", confirm)
	require.NoError(t, err)
	return seen
}

// subscribe has a subscription run, to a price of ten a month.
func subscribe(t *testing.T, biller ports.Subscriber, end simulatedEnd, in ports.CreateSubscription) core.SubscriptionSnapshot {
	t.Helper()
	var err error
	in.Price = core.Price{
		ID: "prc_01jd0000000000000000000000", Name: "Tea club", Amount: cents(t, 10_00), Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1},
	}
	in.ProviderPrice, err = biller.CreatePrice(t.Context(), "op_price", in.Price)
	require.NoError(t, err)
	if biller.Capabilities().Confirm == ports.ConfirmWithSource {
		in.Source = end.SetupSource(t, portstest.CardSucceeds)
	}
	session, err := biller.CreateSubscription(t.Context(), "op_subscribe", in)
	require.NoError(t, err)
	if in.Source == "" {
		end.AgreeSubscription(t, session, portstest.CardSucceeds)
	}
	seen, err := biller.GetSubscription(t.Context(), session.Snapshot.Ref)
	require.NoError(t, err)
	return seen
}

// pay takes a payment, in the manner of the provider.
func pay(t *testing.T, adapter app.Adapter, end farEnd) core.PaymentSnapshot {
	t.Helper()
	amount := cents(t, 49_90)
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
