package stripe_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// judgement is one call of the adapter with the requests that it makes.
type judgement struct {
	calls []string
	do    func(*stripe.Adapter) error
}

// madeUp is an id that the judge makes up for what is created.
var madeUp = regexp.MustCompile(`/(pi|in)_\w{10,}/`)

// requireNoObjection makes calls, each with a judge of its own words. His fixed answers are not
// all of the object that was asked about, so that only whether he refused counts. instead puts
// other words into his answers; nil for none.
func requireNoObjection(t *testing.T, instead *strings.Replacer, judgements []judgement) {
	t.Helper()
	judged := &judgedTransport{instead: instead}
	adapter, err := stripe.New(stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_123", APIBase: startStripeMock(t),
		HTTPClient: &http.Client{Transport: judged, Timeout: time.Minute},
	})
	require.NoError(t, err)
	for _, each := range judgements {
		judged.calls = nil
		err := each.do(adapter)
		require.NotContains(t, fmt.Sprint(err), "HTTP", each.calls)
		for n, call := range judged.calls {
			judged.calls[n] = madeUp.ReplaceAllString(call, "/*/")
		}
		require.Equal(t, each.calls, judged.calls, "%v", err)
	}
}

// TestRequestsAfterTheSaleAgainstStripeMock is TestRequestsAgainstStripeMock for what comes
// later.
func TestRequestsAfterTheSaleAgainstStripeMock(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	payment, dispute := refOf(core.ObjectPayment, "pi_123"), refOf(core.ObjectDispute, "dp_123")
	method, setup := refOf(core.ObjectMethod, "pm_123"), refOf(core.ObjectSetup, "seti_123")
	requireNoObjection(t, nil, []judgement{
		{[]string{"POST /v1/refunds op_1"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.RefundPayment(ctx, "op_1", ports.RefundPayment{Refund: "ref_1", Payment: "pay_1", Ref: payment, Amount: money(t, 100, "USD"), Reason: core.RefundDuplicate})
			return err
		}},
		{[]string{"GET /v1/refunds/re_123"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.GetRefund(ctx, refOf(core.ObjectRefund, "re_123"))
			return err
		}},
		{[]string{"GET /v1/refunds"}, func(adapter *stripe.Adapter) error { _, err := adapter.PaymentRefunds(ctx, payment); return err }},
		{[]string{"GET /v1/disputes/dp_123"}, func(adapter *stripe.Adapter) error { _, err := adapter.GetDispute(ctx, dispute); return err }},
		{[]string{"GET /v1/disputes"}, func(adapter *stripe.Adapter) error { _, err := adapter.PaymentDisputes(ctx, payment); return err }},
		{[]string{"POST /v1/files op_2-f0", "POST /v1/disputes/dp_123 op_2"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.SubmitEvidence(ctx, "op_2", allEvidence(dispute, core.EvidenceReceipt))
			return err
		}},
		{[]string{"POST /v1/disputes/dp_123/close op_3"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.AcceptDispute(ctx, "op_3", ports.AcceptDispute{Ref: dispute})
			return err
		}},
		{[]string{"POST /v1/customers op_4"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CreateCustomer(ctx, "op_4", ports.CreateCustomer{Customer: "cus_1", Email: "jenny@example.com", Name: "Jenny Rosen"})
			return err
		}},
		{[]string{"POST /v1/setup_intents op_5"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CreateSetup(ctx, "op_5", ports.CreateSetup{Method: "pm_1", Customer: "cus_1", ProviderCustomer: "cus_123"})
			return err
		}},
		{[]string{"GET /v1/setup_intents/seti_123"}, func(adapter *stripe.Adapter) error { _, err := adapter.OpenSetup(ctx, setup); return err }},
		{[]string{"GET /v1/setup_intents/seti_123"}, func(adapter *stripe.Adapter) error { _, err := adapter.GetMethod(ctx, setup); return err }},
		{[]string{"GET /v1/payment_methods/pm_123"}, func(adapter *stripe.Adapter) error { _, err := adapter.GetMethod(ctx, method); return err }},
		{[]string{"POST /v1/payment_methods/pm_123/detach op_6"}, func(adapter *stripe.Adapter) error { return adapter.DetachMethod(ctx, "op_6", method) }},
		{[]string{"POST /v1/payment_intents op_7", "POST /v1/payment_intents/*/cancel op_7-x"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.ChargeMethod(ctx, "op_7", aCharge(t))
			return err
		}},
	})
}

func TestRequestsOfSubscriptionsAgainstStripeMock(t *testing.T) {
	t.Parallel()
	ctx, subscription := t.Context(), refOf(core.ObjectSubscription, "sub_123")
	change := ports.ChangeSubscription{Ref: subscription, Price: monthly(t), ProviderPrice: "price_456", Quantity: 2, At: time.Unix(1700000000, 0)}
	prorated := change
	prorated.Prorate = true
	trial := monthly(t)
	trial.Recurring.TrialDays = 14
	requireNoObjection(t, nil, []judgement{
		{[]string{"POST /v1/prices op_8"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CreatePrice(ctx, "op_8", monthly(t))
			return err
		}},
		{[]string{"POST /v1/subscriptions op_9"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CreateSubscription(ctx, "op_9", aSubscription(monthly(t)))
			return err
		}},
		{[]string{"POST /v1/subscriptions op_10"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CreateSubscription(ctx, "op_10", aSubscription(trial))
			return err
		}},
		{[]string{"GET /v1/subscriptions/sub_123"}, func(adapter *stripe.Adapter) error { _, err := adapter.OpenSubscription(ctx, subscription); return err }},
		{[]string{"GET /v1/subscriptions/sub_123", "GET /v1/invoices"}, func(adapter *stripe.Adapter) error { _, err := adapter.GetSubscription(ctx, subscription); return err }},
		{[]string{"GET /v1/invoices/in_123"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.GetInvoice(ctx, refOf(core.ObjectInvoice, "in_123"))
			return err
		}},
		{[]string{"GET /v1/subscriptions/sub_123", "GET /v1/invoices/upcoming"}, func(adapter *stripe.Adapter) error { _, err := adapter.PreviewChange(ctx, change); return err }},
		{[]string{"GET /v1/subscriptions/sub_123", "GET /v1/invoices/upcoming"}, func(adapter *stripe.Adapter) error { _, err := adapter.PreviewChange(ctx, prorated); return err }},
		{[]string{"GET /v1/subscriptions/sub_123", "POST /v1/subscriptions/sub_123 op_11"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.ChangeSubscription(ctx, "op_11", change)
			return err
		}},
		{[]string{"GET /v1/subscriptions/sub_123", "POST /v1/subscriptions/sub_123 op_12"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.ChangeSubscription(ctx, "op_12", prorated)
			return err
		}},
		{[]string{"POST /v1/subscriptions/sub_123 op_13"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.PauseSubscription(ctx, "op_13", subscription)
			return err
		}},
		{[]string{"POST /v1/subscriptions/sub_123 op_14"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.ResumeSubscription(ctx, "op_14", subscription)
			return err
		}},
		{[]string{"DELETE /v1/subscriptions/sub_123 op_15"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CancelSubscription(ctx, "op_15", ports.CancelSubscription{Ref: subscription})
			return err
		}},
		{[]string{"POST /v1/subscriptions/sub_123 op_16"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CancelSubscription(ctx, "op_16", ports.CancelSubscription{Ref: subscription, AtPeriodEnd: true})
			return err
		}},
		{[]string{"POST /v1/subscriptions/sub_123 op_17"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.KeepSubscription(ctx, "op_17", subscription)
			return err
		}},
		{[]string{"POST /v1/subscriptions/sub_123 op_18"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.UpdateSubscriptionMethod(ctx, "op_18", subscription, "pm_123")
			return err
		}},
	})
}

// TestSecondCallsAgainstStripeMock is about what is only asked for after certain answers.
func TestSecondCallsAgainstStripeMock(t *testing.T) {
	t.Parallel()
	ctx, subscription := t.Context(), refOf(core.ObjectSubscription, "sub_123")
	requireNoObjection(t, strings.NewReplacer(`"status":"active"`, `"status":"paused"`), []judgement{
		{[]string{"POST /v1/subscriptions/sub_123 op_19", "POST /v1/subscriptions/sub_123/resume op_19-r"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.ResumeSubscription(ctx, "op_19", subscription)
			return err
		}},
	})
	requireNoObjection(t, strings.NewReplacer(`"status":"active"`, `"status":"past_due"`, `"status":"draft"`, `"status":"open"`), []judgement{
		{[]string{"POST /v1/subscriptions/sub_123 op_21", "POST /v1/invoices/*/pay op_21-p", "GET /v1/subscriptions/sub_123"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.UpdateSubscriptionMethod(ctx, "op_21", subscription, "pm_123")
			return err
		}},
	})
	never := strings.NewReplacer(
		`"status":"active"`, `"status":"canceled"`, `"status":"draft"`, `"status":"open"`,
		`"billing_reason":"manual"`, `"billing_reason":"subscription_create"`, `"billing_reason":null`, `"billing_reason":"subscription_create"`,
	)
	requireNoObjection(t, never, []judgement{
		{[]string{"DELETE /v1/subscriptions/sub_123 op_20", "POST /v1/invoices/*/void op_20-v"}, func(adapter *stripe.Adapter) error {
			_, err := adapter.CancelSubscription(ctx, "op_20", ports.CancelSubscription{Ref: subscription})
			return err
		}},
	})
}

// monthly is a price of 20 dollars a month.
func monthly(t testing.TB) core.Price {
	t.Helper()
	return core.Price{ID: "prc_1", Name: "Tea & more", Amount: money(t, 2000, "USD"), Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1}}
}

func aSubscription(price core.Price) ports.CreateSubscription {
	return ports.CreateSubscription{
		Subscription: "sub_1", Customer: "cus_1", ProviderCustomer: "cus_123", Price: price, ProviderPrice: "price_123", Quantity: 3,
	}
}

func aCharge(t testing.TB) ports.ChargeMethod {
	t.Helper()
	return ports.ChargeMethod{
		CreatePayment:    ports.CreatePayment{Payment: "pay_1", Amount: money(t, 2000, "USD"), Capture: core.CaptureManual, Description: "Tea"},
		ProviderCustomer: "cus_123", ProviderMethod: "pm_123", MethodType: "card",
	}
}

// allEvidence is every text that there is, and a file in each of the given fields.
func allEvidence(dispute core.ProviderRef, files ...core.EvidenceField) ports.SubmitEvidence {
	in := ports.SubmitEvidence{Ref: dispute, Texts: make(map[core.EvidenceField]string)}
	for _, field := range core.EvidenceTexts() {
		in.Texts[field] = "about " + string(field)
	}
	for _, field := range files {
		in.Files = append(in.Files, ports.EvidenceContent{
			EvidenceFile: core.EvidenceFile{Field: field, Name: `a "quoted" name.png`, ContentType: "image/png"}, Content: []byte("\x89PNG\r\n\x1a\n" + field),
		})
	}
	return in
}
