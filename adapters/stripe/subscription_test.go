package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	sub1 = refOf(core.ObjectSubscription, "sub_1")
	in1  = refOf(core.ObjectInvoice, "in_1")
)

const (
	oneItem     = `,"items":{"object":"list","data":[{"id":"si_1","object":"subscription_item","quantity":3,"price":{"id":"price_1","object":"price","currency":"usd","unit_amount":2000,"unit_amount_decimal":"2000","billing_scheme":"per_unit"}}]}`
	periodStart = 1700000000
	periodEnd   = 1702592000
)

// billed is a subscription to three pieces of 20 dollars as Stripe shows it, with more of its
// fields. Those that are given again count.
func billed(more string) string {
	return `{"id":"sub_1","object":"subscription","created":1700000000,"livemode":false,"current_period_start":1700000000,"current_period_end":1702592000` + oneItem + more + `}`
}

// invoice is an invoice of it.
func invoice(more string) string {
	return `{"id":"in_1","object":"invoice","created":1700000000,"livemode":false,"currency":"usd","amount_due":6000,"amount_paid":0,"subscription":"sub_1","period_start":1,"period_end":2` + more + `}`
}

// paying is the payment of an invoice.
func paying(status, more string) string {
	return `,"payment_intent":{"id":"pi_1","object":"payment_intent","status":"` + status + `","client_secret":"pi_1_secret_x"` + more + `}`
}

const cardError = `,"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}`

// TestSubscriptionStatuses is the table of Stripe's statuses in our words, and of what the
// buyer does next.
func TestSubscriptionStatuses(t *testing.T) {
	t.Parallel()
	const paused = `,"pause_collection":{"behavior":"void","resumes_at":null}`
	offer := func(status string) string {
		return `,"pending_setup_intent":{"id":"seti_1","object":"setup_intent","status":"` + status + `","client_secret":"seti_1_secret_x"}`
	}
	first := func(status string) string {
		return `,"latest_invoice":` + invoice(`,"status":"open"`+paying(status, ""))
	}
	pay := ports.BuyerAction{Type: "stripe_confirm", ClientSecret: "pi_1_secret_x"}
	save := ports.BuyerAction{Type: ports.ActionStripeSetup, ClientSecret: "seti_1_secret_x"}
	for _, c := range []struct {
		more   string
		status core.SubscriptionStatus
		action ports.BuyerAction
		object string
	}{
		{`,"status":"incomplete"` + first("requires_payment_method"), core.SubscriptionIncomplete, pay, "pi_1"},
		{`,"status":"incomplete"` + first("requires_action"), core.SubscriptionIncomplete, pay, "pi_1"},
		{`,"status":"incomplete"` + first("processing"), core.SubscriptionIncomplete, ports.BuyerAction{}, ""},
		{`,"status":"incomplete"`, core.SubscriptionIncomplete, ports.BuyerAction{}, ""},
		{`,"status":"incomplete"` + paused + first("requires_payment_method"), core.SubscriptionIncomplete, pay, "pi_1"},
		{`,"status":"incomplete_expired"`, core.SubscriptionCanceled, ports.BuyerAction{}, ""},
		{`,"status":"trialing"` + offer("requires_payment_method"), core.SubscriptionIncomplete, save, "seti_1"},
		{`,"status":"trialing"` + offer("processing"), core.SubscriptionIncomplete, ports.BuyerAction{}, ""},
		{`,"status":"trialing"` + offer("succeeded"), core.SubscriptionTrialing, ports.BuyerAction{}, ""},
		{`,"status":"trialing","pending_setup_intent":null`, core.SubscriptionTrialing, ports.BuyerAction{}, ""},
		{`,"status":"trialing"` + paused, core.SubscriptionPaused, ports.BuyerAction{}, ""},
		{`,"status":"active"`, core.SubscriptionActive, ports.BuyerAction{}, ""},
		{`,"status":"active"` + offer("requires_action"), core.SubscriptionActive, ports.BuyerAction{}, ""}, // another method is on its way
		{`,"status":"active"` + paused, core.SubscriptionPaused, ports.BuyerAction{}, ""},
		{`,"status":"past_due"` + first("requires_payment_method"), core.SubscriptionPastDue, ports.BuyerAction{}, ""},
		{`,"status":"past_due"` + paused, core.SubscriptionPaused, ports.BuyerAction{}, ""},
		{`,"status":"unpaid"`, core.SubscriptionUnpaid, ports.BuyerAction{}, ""},
		{`,"status":"paused"`, core.SubscriptionPaused, ports.BuyerAction{}, ""},
		{`,"status":"canceled"` + paused, core.SubscriptionCanceled, ports.BuyerAction{}, ""},
		{`,"status":"not_invented_yet"` + paused, "", ports.BuyerAction{}, ""},
	} {
		session, err := answering(t, http.StatusOK, billed(c.more)).OpenSubscription(t.Context(), sub1)
		require.NoError(t, err, c.more)
		require.Equal(t, c.status, session.Snapshot.Status, c.more)
		require.Equal(t, c.action, session.Action, c.more)
		require.Equal(t, c.object, session.Object, c.more)
		require.Equal(t, c.status == core.SubscriptionIncomplete, session.Snapshot.CurrentPeriodEnd.IsZero(), "nothing is paid: %s", c.more)
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	ours := core.NewID[core.SubscriptionID]([16]byte{1})
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	latest := invoice(`,"status":"open","attempt_count":2,"next_payment_attempt":1700086400` + paying("requires_payment_method", cardError))
	adapter, heard := playing(t, script{
		"GET /v1/subscriptions/sub_1": billed(`,"status":"past_due","livemode":true,"metadata":{"paydesk_subscription":"` + string(ours) + `"},"cancel_at_period_end":true,` +
			`"canceled_at":1700000002,"ended_at":1700000003,"trial_end":1700000001,"default_payment_method":` + attached + `,"latest_invoice":` + latest),
		"GET /v1/invoices": listOf(latest, invoice(`,"id":"in_0","status":"paid","amount_paid":6000`)),
	})
	seen, err := adapter.GetSubscription(t.Context(), sub1)
	require.NoError(t, err)
	require.Equal(t, []string{"GET /v1/subscriptions/sub_1", "GET /v1/invoices"}, heard.list())
	require.Equal(t, map[string]string{"subscription": "sub_1", "limit": "12"}, heard.last())
	require.Len(t, seen.Invoices, 2)
	require.Equal(t, in1, seen.Invoices[0].Ref)
	seen.Invoices = nil
	require.Equal(t, core.SubscriptionSnapshot{
		Ref: sub1, Subscription: ours, Status: core.SubscriptionPastDue, ForeignStatus: "past_due", Price: "price_1", Quantity: 3, Amount: money(t, 6000, "USD"),
		CurrentPeriodStart: at(periodStart), CurrentPeriodEnd: at(periodEnd), TrialEnd: at(1700000001), CancelAtPeriodEnd: true,
		Method: &visa, FailedAttempts: 2, NextAttempt: at(1700086400), Failure: core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds"),
		Environment: core.EnvLive, CanceledAt: at(1700000002), EndedAt: at(1700000003), CreatedAt: at(1700000000),
	}, seen)
}

// TestSubscriptionItems: what was made at Stripe, in ways that nobody has here, is told as well
// as it can be.
func TestSubscriptionItems(t *testing.T) {
	t.Parallel()
	items := func(all string) string { return `,"status":"active","items":{"object":"list","data":[` + all + `]}` }
	const plain = `{"id":"si_1","quantity":2,"price":{"id":"price_1","currency":"usd","unit_amount":500,"unit_amount_decimal":"500"}}`
	for _, c := range []struct {
		items, price string
		quantity     int64
		amount       core.Money
	}{
		{plain, "price_1", 2, money(t, 1000, "USD")},
		{plain + `,{"id":"si_2","quantity":1,"price":{"id":"price_2","currency":"usd","unit_amount":250,"unit_amount_decimal":"250"}}`, "", 1, money(t, 1250, "USD")},
		{`{"id":"si_1","quantity":1,"price":{"id":"price_1","currency":"usd","unit_amount":0,"unit_amount_decimal":"0"}}`, "price_1", 1, money(t, 0, "USD")},
		{`{"id":"si_1","quantity":1,"price":{"id":"price_1","currency":"usd","unit_amount":null,"unit_amount_decimal":"0.5"}}`, "price_1", 1, core.Money{}},
		{`{"id":"si_1","price":{"id":"price_1","currency":"usd","unit_amount":null,"billing_scheme":"tiered"}}`, "price_1", 1, core.Money{}},
	} {
		session, err := answering(t, http.StatusOK, billed(items(c.items))).OpenSubscription(t.Context(), sub1)
		require.NoError(t, err, c.items)
		require.Equal(t, c.price, session.Snapshot.Price, c.items)
		require.Equal(t, c.quantity, session.Snapshot.Quantity, c.items)
		require.Equal(t, c.amount, session.Snapshot.Amount, c.items)
	}
	for _, odd := range []string{
		items(``), `,"status":"active","items":null`, items(`null`), items(`{"id":"si_1"}`), items(`{"id":"si_1","price":{"currency":"ugx"}}`),
		items(`{"id":"si_1","quantity":999999999,"price":{"currency":"usd","unit_amount":999999999}}`),
		items(plain + `,{"id":"si_2","quantity":1,"price":{"currency":"eur","unit_amount":1}}`),
		`,"status":"active","latest_invoice":{"id":"in_1","object":"invoice","currency":"ugx"}`, `,"status":"active","latest_invoice":{"id":"in_1","object":"charge"}`,
	} {
		_, err := answering(t, http.StatusOK, billed(odd)).OpenSubscription(t.Context(), sub1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
	}
}

// TestSubscriptionFailures: why a subscription does not go on is told by the newest invoice, as
// long as it is asked for, and by what a trial's buyer tried.
func TestSubscriptionFailures(t *testing.T) {
	t.Parallel()
	broke := core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds")
	for _, c := range []struct {
		more     string
		attempts int
		failure  *core.Failure
	}{
		{`,"status":"incomplete","latest_invoice":` + invoice(`,"status":"open","attempt_count":0`+paying("requires_payment_method", "")), 0, nil},
		{`,"status":"incomplete","latest_invoice":` + invoice(`,"status":"open","attempt_count":0`+paying("requires_payment_method", cardError)), 1, broke},
		{`,"status":"active","latest_invoice":` + invoice(`,"status":"open","attempt_count":1`+paying("processing", "")), 0, nil},
		{`,"status":"active","latest_invoice":` + invoice(`,"status":"paid","attempt_count":3`+paying("succeeded", cardError)), 0, nil},
		{`,"status":"active","latest_invoice":"in_1"`, 0, nil},
		{
			`,"status":"trialing","pending_setup_intent":{"id":"seti_1","object":"setup_intent","status":"requires_payment_method",` +
				`"last_setup_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}`, 0, broke,
		},
	} {
		session, err := answering(t, http.StatusOK, billed(c.more)).OpenSubscription(t.Context(), sub1)
		require.NoError(t, err, c.more)
		require.Equal(t, c.attempts, session.Snapshot.FailedAttempts, c.more)
		require.Equal(t, c.failure, session.Snapshot.Failure, c.more)
	}
}

func TestInvoices(t *testing.T) {
	t.Parallel()
	line := func(more string, start, end string) string {
		return `{"id":"il","object":"line_item","period":{"start":` + start + `,"end":` + end + `}` + more + `}`
	}
	lines := func(all string) string { return `,"lines":{"object":"list","data":[` + all + `]}` }
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	want := core.InvoiceSnapshot{
		Ref: in1, Subscription: sub1, Payment: pi1, Status: core.InvoiceOpen, ForeignStatus: "open", AmountDue: money(t, 6000, "USD"), AmountPaid: money(t, 0, "USD"),
		PeriodStart: at(100), PeriodEnd: at(200), Attempts: 2, NextAttempt: at(1700086400),
		Failure: core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds"), Environment: core.EnvTest, IssuedAt: at(1700000000),
	}
	open := `,"status":"open","attempt_count":2,"next_payment_attempt":1700086400` + paying("requires_payment_method", cardError)
	seen, err := answering(t, http.StatusOK, invoice(open+lines(line("", "100", "200")))).GetInvoice(t.Context(), in1)
	require.NoError(t, err)
	require.Equal(t, want, seen)

	for _, c := range []struct {
		lines      string
		start, end int64
	}{
		{``, 1, 2},
		{lines(``), 1, 2},
		{lines(`null,{"id":"il"}`), 1, 2},
		{lines(line(`,"proration":true`, "50", "150") + "," + line("", "100", "200")), 100, 200},
		{lines(line(`,"proration":true`, "50", "150") + "," + line(`,"proration":true`, "60", "140")), 50, 150},
		{lines(line("", "100", "200") + "," + line("", "90", "210")), 90, 210},
	} {
		seen, err := answering(t, http.StatusOK, invoice(open+c.lines)).GetInvoice(t.Context(), in1)
		require.NoError(t, err)
		require.Equal(t, []time.Time{at(c.start), at(c.end)}, []time.Time{seen.PeriodStart, seen.PeriodEnd}, c.lines)
	}
	for status, known := range map[string]bool{"draft": true, "open": true, "paid": true, "uncollectible": true, "void": true, "not_invented_yet": false, "": false} {
		seen, err := answering(t, http.StatusOK, invoice(`,"status":"`+status+`","payment_intent":null,"subscription":null`)).GetInvoice(t.Context(), in1)
		require.NoError(t, err)
		require.Equal(t, known, seen.Status != "", status)
		require.Empty(t, seen.Payment.ID+seen.Subscription.ID)
		require.Nil(t, seen.Failure)
	}
	for _, odd := range []string{`null`, `{"id":"in_2","object":"invoice","currency":"usd"}`, invoice(`,"currency":"ugx"`), invoice(`,"currency":"isk","amount_paid":150`), invoice(`,"object":"charge"`)} {
		_, err := answering(t, http.StatusOK, odd).GetInvoice(t.Context(), in1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
		_, err = answering(t, http.StatusOK, listOf(odd)).GetSubscription(t.Context(), sub1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
	}
	for _, odd := range []string{listOf(`null`), listOf(invoice(`,"subscription":"sub_2"`)), `{}`, `500 {"error":{}}`} {
		adapter, _ := playing(t, script{"GET /v1/subscriptions/sub_1": billed(`,"status":"active"`), "GET /v1/invoices": odd})
		_, err := adapter.GetSubscription(t.Context(), sub1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, odd)
	}
}

func TestCreateSubscription(t *testing.T) {
	t.Parallel()
	trial := monthly(t)
	trial.Recurring.TrialDays = 14
	plain := map[string]string{
		"customer": "cus_123", "items[0][price]": "price_123", "items[0][quantity]": "3", "payment_behavior": "default_incomplete",
		"payment_settings[save_default_payment_method]": "on_subscription", "metadata[paydesk_subscription]": "sub_1", "metadata[paydesk_customer]": "cus_1",
		"metadata[paydesk_price]": "prc_1",
	}
	for _, price := range []core.Price{monthly(t), trial} {
		adapter, heard := playing(t, script{"POST /v1/subscriptions": billed(`,"status":"incomplete"`)})
		_, err := adapter.CreateSubscription(t.Context(), "op_1", aSubscription(price))
		require.NoError(t, err)
		require.Equal(t, []string{"POST /v1/subscriptions op_1"}, heard.list())
		form := heard.last()
		if price.Recurring.TrialDays > 0 {
			require.Equal(t, "14", form["trial_period_days"])
			require.Equal(t, "cancel", form["trial_settings[end_behavior][missing_payment_method]"])
			delete(form, "trial_period_days")
			delete(form, "trial_settings[end_behavior][missing_payment_method]")
		}
		require.Equal(t, plain, form)
	}
}

func TestCreatePrice(t *testing.T) {
	t.Parallel()
	once := monthly(t)
	once.Recurring = nil
	adapter, heard := playing(t, script{"POST /v1/prices": `{"id":"price_1","object":"price"}`})
	id, err := adapter.CreatePrice(t.Context(), "op_1", monthly(t))
	require.NoError(t, err)
	require.Equal(t, "price_1", id)
	want := map[string]string{
		"currency": "usd", "unit_amount": "2000", "product_data[name]": "Tea & more", "recurring[interval]": "month", "recurring[interval_count]": "1",
		"metadata[paydesk_price]": "prc_1",
	}
	require.Equal(t, want, heard.last())
	_, err = adapter.CreatePrice(t.Context(), "op_1", once)
	require.NoError(t, err)
	delete(want, "recurring[interval]")
	delete(want, "recurring[interval_count]")
	require.Equal(t, want, heard.last())
	for _, amount := range []core.Money{money(t, 0, "USD"), money(t, 100, "UGX")} {
		odd := monthly(t)
		odd.Amount = amount
		_, err = adapter.CreatePrice(t.Context(), "op_1", odd)
		require.Equal(t, core.ClassInvalid, providerError(t, err).Class)
	}
	require.Len(t, heard.list(), 2)
}
