package paypal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var subscriptionRef = core.ProviderRef{Account: "paypal", Kind: core.ObjectSubscription, ID: "I-1"}

// Where a subscription is looked at.
const (
	atSubscription = "GET /v1/billing/subscriptions/I-1"
	atPlan         = "GET /v1/billing/plans/P-1"
	atTransactions = "GET /v1/billing/subscriptions/I-1/transactions?end_time=2026-01-02T04%3A00%3A01Z&start_time=2025-11-02T03%3A04%3A05Z"
)

// plan is one of 10 EUR a month as PayPal writes it, with what else is in it.
func plan(more string) string {
	return `200 {"id":"P-1","product_id":"PAYDESK-SUBSCRIPTIONS","billing_cycles":[
		{"tenure_type":"TRIAL","sequence":1,"total_cycles":1,"frequency":{"interval_unit":"DAY","interval_count":14}},
		{"tenure_type":"REGULAR","sequence":2,"total_cycles":0,"frequency":{"interval_unit":"MONTH","interval_count":1},"pricing_scheme":{"fixed_price":` + eur("10.0") + `}}],
		"payment_preferences":{"auto_bill_outstanding":true,"payment_failure_threshold":3}` + more + `}`
}

// subscription is one of two pieces, with what its billing info holds.
func subscription(status, info string) string {
	return `200 {"id":"I-1","status":"` + status + `","status_update_time":"2026-01-01T00:00:00Z","plan_id":"P-1","quantity":"2","custom_id":"` + ourSubscription + `",
		"create_time":"2025-11-02T03:04:05Z","start_time":"2025-11-02T03:05:00Z","subscriber":{"payer_id":"X","email_address":"secret"},"billing_info":{` + info + `},
		"links":[{"rel":"self","href":"https://api.sandbox.paypal.com/v1/billing/subscriptions/I-1"},
		{"rel":"approve","href":"https://www.sandbox.paypal.com/webapps/billing/subscriptions?ba_token=BA-1"}]}`
}

// What a subscription's billing info holds: how far it is, and what failed.
const (
	running = `"outstanding_balance":{"currency_code":"EUR","value":"0.0"},"failed_payments_count":0,"next_billing_time":"2026-01-16T10:00:00Z",
		"last_payment":{"amount":{},"time":"2025-12-16T10:00:00Z"},
		"cycle_executions":[{"tenure_type":"TRIAL","cycles_completed":1,"total_cycles":1},{"tenure_type":"REGULAR","cycles_completed":2,"total_cycles":0}]`
	onTrial = `"next_billing_time":"2025-11-16T10:00:00Z",
		"cycle_executions":[{"tenure_type":"TRIAL","cycles_completed":1,"total_cycles":1},{"tenure_type":"REGULAR","cycles_completed":0,"total_cycles":0}]`
)

// failing is a subscription of which so many payments failed in a row.
func failing(count string) string {
	return `"failed_payments_count":` + count + `,"next_billing_time":"2026-01-16T10:00:00Z","last_failed_payment":{"time":"2026-01-01T10:00:00Z","reason_code":"PAYMENT_DENIED",
		"next_payment_retry_time":"2026-01-06T10:00:00Z"}`
}

// took is a list of transactions.
func took(all ...string) string {
	return `200 {"transactions":[` + strings.Join(all, ",") + `],"links":[]}`
}

func tookOne(id, status, at string) string {
	return `{"id":"` + id + `","status":"` + status + `","time":"` + at + `","amount_with_breakdown":{"gross_amount":` + eur("20.00") + `}}`
}

func TestCreatePrice(t *testing.T) {
	t.Parallel()
	product := `201 {"id":"PAYDESK-SUBSCRIPTIONS"}`
	regular := map[string]any{
		"frequency": map[string]any{"interval_unit": "MONTH", "interval_count": 1.0}, "tenure_type": "REGULAR", "sequence": 1.0, "total_cycles": 0.0,
		"pricing_scheme": map[string]any{"fixed_price": map[string]any{"currency_code": "EUR", "value": "10.00"}},
	}
	adapter, script := open(t, product, plan(""), product, plan(""))
	id, err := adapter.CreatePrice(t.Context(), "op_1", price(t, 10_00, 0))
	require.NoError(t, err)
	require.Equal(t, "P-1", id)
	require.Equal(t, []asked{
		{"POST /v1/catalogs/products", "op_1-a", map[string]any{"id": "PAYDESK-SUBSCRIPTIONS", "name": "Subscription", "type": "SERVICE"}},
		{"POST /v1/billing/plans", "op_1-b", map[string]any{
			"product_id": "PAYDESK-SUBSCRIPTIONS", "name": "Book of the month", "status": "ACTIVE", "billing_cycles": []any{regular}, "quantity_supported": true,
			"payment_preferences": map[string]any{"auto_bill_outstanding": true, "payment_failure_threshold": 3.0},
		}},
	}, script.sent())
	_, err = adapter.CreatePrice(t.Context(), "op_2", price(t, 10_00, 14))
	require.NoError(t, err)
	regular["sequence"] = 2.0
	require.Equal(t, []any{map[string]any{
		"frequency": map[string]any{"interval_unit": "DAY", "interval_count": 14.0}, "tenure_type": "TRIAL", "sequence": 1.0, "total_cycles": 1.0,
	}, regular}, script.sent()[3].body["billing_cycles"])

	for interval, unit := range map[core.Interval]string{core.IntervalDay: "DAY", core.IntervalWeek: "WEEK", core.IntervalMonth: "MONTH", core.IntervalYear: "YEAR"} {
		one := price(t, 10_00, 0)
		one.Name, one.Recurring.Interval = strings.Repeat("ö", 200), interval
		adapter, script := open(t, product, plan(""))
		_, err := adapter.CreatePrice(t.Context(), "op_1", one)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("ö", 127), script.sent()[1].body["name"])
		cycles, ok := script.sent()[1].body["billing_cycles"].([]any)
		require.True(t, ok)
		require.Subset(t, cycles[0], map[string]any{"frequency": map[string]any{"interval_unit": unit, "interval_count": 1.0}})
	}
}

func TestPricesThatAreNone(t *testing.T) {
	t.Parallel()
	product, known := `201 {"id":"PAYDESK-SUBSCRIPTIONS"}`, problem("422", "UNPROCESSABLE_ENTITY", "DUPLICATE_RESOURCE_IDENTIFIER")
	for name, c := range map[string]struct {
		answers []string
		class   string // of the error, where there is one
	}{
		"the product is there":      {[]string{known, product, plan("")}, ""},
		"a short answer":            {[]string{product, `201 {"id":"P-1"}`, plan("")}, ""},
		"no product for a reason":   {[]string{problem("422", "UNPROCESSABLE_ENTITY", "SOMETHING"), missing}, "invalid"},
		"no look at the product":    {[]string{known, "500 x"}, "unknown"},
		"another product":           {[]string{`201 {"id":"PROD-1"}`}, "unknown"},
		"a product that breaks off": {[]string{`201 {"id`}, "unknown"},
		"no answer":                 {[]string{product, "reset"}, "unknown"},
		"a plan without an id":      {[]string{product, strings.Replace(plan(""), "P-1", "", 1)}, "unknown"},
		"of another price":          {[]string{product, strings.Replace(plan(""), "10.0", "11.0", 1)}, "unknown"},
		"a plan that breaks off":    {[]string{product, plan("")[:60]}, "unknown"},
		"and then no look":          {[]string{product, `201 {"id":"P-1"}`, "429 "}, "unknown"},
		"and then nothing":          {[]string{product, `201 {"id":"P-1"}`, `200 {"id":"P-1"}`}, "unknown"},
		"refused":                   {[]string{product, problem("400", "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")}, "invalid"},
	} {
		adapter, script := open(t, c.answers...)
		id, err := adapter.CreatePrice(t.Context(), "op_1", price(t, 10_00, 0))
		require.Len(t, script.sent(), len(c.answers), name)
		if c.class == "" {
			require.NoError(t, err, name)
			require.Equal(t, "P-1", id)
			continue
		}
		require.Equal(t, c.class, failure(t, err).Class.String(), name)
	}
	adapter, script := open(t)
	once, odd, long, trial, huge := price(t, 10_00, 0), price(t, 10_00, 0), price(t, 10_00, 0), price(t, 10_00, 366), price(t, 10_00, 0)
	once.Recurring = nil
	odd.Recurring = &core.Recurring{Interval: "fortnight", Count: 1}
	long.Recurring = &core.Recurring{Interval: core.IntervalYear, Count: 2}
	huge.Amount = money(t, 1, "HUF")
	for n, one := range []core.Price{once, odd, long, trial, huge} {
		_, err := adapter.CreatePrice(t.Context(), "op_1", one)
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, n)
	}
	_, err := adapter.CreatePrice(t.Context(), "", price(t, 10_00, 0))
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
	require.Empty(t, script.sent())
}

func TestCreateSubscription(t *testing.T) {
	t.Parallel()
	pending := "201" + subscription("APPROVAL_PENDING", "")[3:]
	adapter, script := open(t, pending, plan(""))
	session, err := adapter.CreateSubscription(t.Context(), "op_1", subscribing("P-1"))
	require.NoError(t, err)
	require.Equal(t, ports.SubscriptionSession{
		Snapshot: core.SubscriptionSnapshot{
			Ref: subscriptionRef, Subscription: ourSubscription, Status: core.SubscriptionIncomplete, ForeignStatus: "APPROVAL_PENDING", Price: "P-1", Quantity: 2,
			Amount: money(t, 20_00, "EUR"), Environment: core.EnvTest, CreatedAt: time.Date(2025, 11, 2, 3, 4, 5, 0, time.UTC),
		},
		Action: ports.BuyerAction{Type: ports.ActionPayPalSubscribe, URL: "https://www.sandbox.paypal.com/webapps/billing/subscriptions?ba_token=BA-1"},
	}, session)
	require.Equal(t, asked{"POST /v1/billing/subscriptions", "op_1", map[string]any{
		"plan_id": "P-1", "quantity": "2", "custom_id": ourSubscription,
		"subscriber": map[string]any{"email_address": "ada@example.com", "name": map[string]any{"given_name": "Ada van", "surname": "Buyer"}},
		"application_context": map[string]any{
			"return_url": "https://shop.example/return", "cancel_url": "https://shop.example/back", "user_action": "SUBSCRIBE_NOW", "shipping_preference": "NO_SHIPPING",
		},
	}}, script.sent()[0])
	for name, want := range map[string]any{"": nil, "Ada": map[string]any{"name": map[string]any{"given_name": "Ada"}}} {
		adapter, script := open(t, `201 {"id":"I-1","status":"APPROVAL_PENDING"}`, pending, plan(""))
		in := subscribing("P-1")
		in.Email, in.Name = "", name
		_, err := adapter.CreateSubscription(t.Context(), "op_1", in)
		require.NoError(t, err)
		require.Equal(t, want, script.sent()[0].body["subscriber"])
		require.Equal(t, atSubscription, script.lines()[1], "a short answer is followed by a look")
	}
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
		object  string
	}{
		"another's":         {[]string{strings.Replace(pending, ourSubscription, "sub_01jd0000000000000000000001", 1), plan("")}, core.ClassUnknown, "I-1"},
		"no look after":     {[]string{`201 {"id":"I-1"}`, "429 "}, core.ClassUnknown, "I-1"},
		"no plan after":     {[]string{pending, missing}, core.ClassUnknown, "I-1"},
		"no id":             {[]string{"201 {}"}, core.ClassUnknown, ""},
		"no answer":         {[]string{"reset"}, core.ClassUnknown, ""},
		"a plan of nobody":  {[]string{missing}, core.ClassInvalid, ""},
		"no quantities":     {[]string{strings.Replace(pending, `"2"`, `"some"`, 1), plan("")}, core.ClassUnknown, "I-1"},
		"a plan with paths": {[]string{strings.Replace(pending, `"P-1"`, `"../x"`, 1)}, core.ClassUnknown, "I-1"},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.CreateSubscription(t.Context(), "op_1", subscribing("P-1"))
		require.Equal(t, c.class.String(), failure(t, err).Class.String(), name)
		require.Equal(t, c.object, failure(t, err).ObjectID, name)
		require.Len(t, script.sent(), len(c.answers), name)
	}
}

func TestSubscriptionStatuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, info string
		want         core.SubscriptionStatus
	}{
		"active":                 {"ACTIVE", running, core.SubscriptionActive},
		"without a trial":        {"ACTIVE", `"cycle_executions":[{"tenure_type":"REGULAR","cycles_completed":1}]`, core.SubscriptionActive},
		"on trial":               {"ACTIVE", onTrial, core.SubscriptionTrialing},
		"failed once":            {"ACTIVE", failing("1"), core.SubscriptionPastDue},
		"owing":                  {"ACTIVE", `"outstanding_balance":` + eur("0.01"), core.SubscriptionPastDue},
		"suspended":              {"SUSPENDED", running, core.SubscriptionPaused},
		"suspended in arrears":   {"SUSPENDED", failing("2"), core.SubscriptionPaused},
		"suspended for arrears":  {"SUSPENDED", failing("3"), core.SubscriptionUnpaid},
		"cancelled":              {"CANCELLED", running, core.SubscriptionCanceled},
		"cancelled with arrears": {"CANCELLED", failing("3"), core.SubscriptionCanceled},
		"expired":                {"EXPIRED", running, core.SubscriptionCanceled},
		"unheard":                {"NEW", running, ""},
	} {
		adapter, script := open(t, subscription(c.status, c.info), plan(""), took())
		seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err, name)
		require.Equal(t, c.want, seen.Status, name)
		require.Equal(t, c.status, seen.ForeignStatus)
		require.Equal(t, []string{atSubscription, atPlan, atTransactions}, script.lines(), name)
		ended := c.want == core.SubscriptionCanceled
		require.Equal(t, []bool{ended, c.status == "CANCELLED"}, []bool{!seen.EndedAt.IsZero(), !seen.CanceledAt.IsZero()}, name)
		require.Empty(t, seen.MethodURL, "this is not PayPal itself")
	}
	for _, status := range []string{"APPROVAL_PENDING", "APPROVED"} {
		adapter, script := open(t, subscription(status, ""), plan(""))
		session, err := adapter.OpenSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionIncomplete, session.Snapshot.Status)
		require.Equal(t, status == "APPROVAL_PENDING", session.Action.Type == ports.ActionPayPalSubscribe)
		require.Equal(t, []string{atSubscription, atPlan}, script.lines())
	}
	// A plan without a threshold suspends nothing by itself, and one of tiers has no price.
	bare := strings.NewReplacer(`"payment_failure_threshold":3`, `"x":1`, `"fixed_price"`, `"tiers"`).Replace(plan(""))
	adapter, _ := open(t, strings.Replace(subscription("SUSPENDED", failing("9")), `"2"`, `""`, 1), bare, "200 {\"links\":[]}")
	seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionPaused, seen.Status)
	require.Zero(t, seen.Amount)
	require.Equal(t, int64(1), seen.Quantity)
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2025, month, day, hour, 0, 0, 0, time.UTC)
	}
	adapter, _ := open(t, subscription("ACTIVE", running), plan(""), took(
		tookOne("T2", "COMPLETED", "2025-11-16T10:00:00Z"), tookOne("T3", "PARTIALLY_REFUNDED", "2025-12-16T10:00:00Z"), tookOne("T1", "DECLINED", "2025-11-15T10:00:00Z"),
	))
	seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	invoice := func(id string, paid bool, day time.Time) core.InvoiceSnapshot {
		made := core.InvoiceSnapshot{
			Ref: core.ProviderRef{Account: "paypal", Kind: core.ObjectInvoice, ID: id}, Subscription: subscriptionRef, Status: core.InvoiceVoid, ForeignStatus: "DECLINED",
			Payment: core.ProviderRef{Account: "paypal", Kind: core.ObjectPayment}, AmountDue: money(t, 20_00, "EUR"), AmountPaid: core.Zero("EUR"), Attempts: 1,
			Environment: core.EnvTest, IssuedAt: day,
		}
		if paid {
			made.Status, made.ForeignStatus, made.AmountPaid, made.Payment.ID = core.InvoicePaid, "COMPLETED", made.AmountDue, id
		}
		return made
	}
	newest := invoice("T3", true, at(12, 16, 10))
	newest.ForeignStatus = "PARTIALLY_REFUNDED"
	require.Equal(t, core.SubscriptionSnapshot{
		Ref: subscriptionRef, Subscription: ourSubscription, Status: core.SubscriptionActive, ForeignStatus: "ACTIVE", Price: "P-1", Quantity: 2,
		Amount: money(t, 20_00, "EUR"), CurrentPeriodStart: at(12, 16, 10), CurrentPeriodEnd: time.Date(2026, 1, 16, 10, 0, 0, 0, time.UTC),
		Method: &core.PaymentMethod{Type: "paypal"}, Environment: core.EnvTest, CreatedAt: time.Date(2025, 11, 2, 3, 4, 5, 0, time.UTC),
		Invoices: []core.InvoiceSnapshot{newest, invoice("T2", true, at(11, 16, 10)), invoice("T1", false, at(11, 15, 10))},
	}, seen)

	adapter, _ = open(t, strings.Replace(subscription("ACTIVE", onTrial), `"subscriber":{`, `"subscriber":{"payment_source":`+visa+`,`, 1), plan(""), took())
	seen, err = adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Equal(t, at(11, 16, 10), seen.TrialEnd)
	require.Equal(t, time.Date(2025, 11, 2, 3, 5, 0, 0, time.UTC), seen.CurrentPeriodStart)
	require.Equal(t, "1881", seen.Method.Last4)
	adapter, _ = open(t, strings.Replace(subscription("ACTIVE", onTrial), `"total_cycles":1`, `"total_cycles":2`, 1), plan(""), took())
	seen, err = adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Zero(t, seen.TrialEnd, "the next billing may be the trial's own")

	many := make([]string, core.InvoicesShownMax+3)
	for n := range many {
		many[n] = tookOne("T1", "COMPLETED", "2025-12-16T10:00:00Z")
	}
	adapter, _ = open(t, subscription("ACTIVE", running), plan(""), took(many...))
	seen, err = adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Len(t, seen.Invoices, core.InvoicesShownMax)
}

// TestHowFarBackPaymentsAreLookedFor: as many periods as invoices are shown, whatever our clock
// says.
func TestHowFarBackPaymentsAreLookedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ subscription, plan, query string }{
		"days":              {strings.Replace(subscription("ACTIVE", running), "2025-11-02T03:04:05Z", "2020-01-01T00:00:00Z", 1), strings.Replace(plan(""), "MONTH", "DAY", 1), "end_time=2026-01-02T04%3A00%3A01Z&start_time=2025-11-19T04%3A00%3A01Z"},
		"a clock that lags": {subscription("ACTIVE", strings.Replace(running, "2025-12-16", "2026-01-03", 1)), plan(""), "end_time=2026-01-03T10%3A00%3A01Z&start_time=2025-11-02T03%3A04%3A05Z"},
		"a unit of its own": {strings.Replace(subscription("ACTIVE", running), "2025-11-02T03:04:05Z", "2020-01-01T00:00:00Z", 1), strings.Replace(plan(""), "MONTH", "ERA", 1), "end_time=2026-01-02T04%3A00%3A01Z&start_time=2025-11-19T04%3A00%3A01Z"},
	} {
		adapter, script := open(t, c.subscription, c.plan, took())
		_, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err, name)
		require.Equal(t, "GET /v1/billing/subscriptions/I-1/transactions?"+c.query, script.lines()[2], name)
	}
}

func TestArrears(t *testing.T) {
	t.Parallel()
	declined := tookOne("T1", "DECLINED", "2026-01-01T10:00:00Z")
	retry := time.Date(2026, 1, 6, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		status, info string
		invoice      core.InvoiceStatus
		attempts     int
		next         time.Time
	}{
		"past due":  {"ACTIVE", failing("2"), core.InvoiceOpen, 2, retry},
		"unpaid":    {"SUSPENDED", strings.Replace(failing("3"), "next_payment_retry_time", "x", 1), core.InvoiceOpen, 3, time.Time{}},
		"ended":     {"CANCELLED", failing("3"), core.InvoiceUncollectible, 3, time.Time{}},
		"given up":  {"ACTIVE", running, core.InvoiceUncollectible, 1, time.Time{}},
		"on the go": {"ACTIVE", `"outstanding_balance":` + eur("20.0"), core.InvoiceOpen, 1, time.Time{}},
	} {
		adapter, _ := open(t, subscription(c.status, c.info), plan(""), took(declined, tookOne("T0", "PENDING", "2025-12-01T10:00:00Z")))
		seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err, name)
		newest := seen.Invoices[0]
		require.Equal(t, []any{c.invoice, c.attempts, c.next}, []any{newest.Status, newest.Attempts, newest.NextAttempt}, name)
		require.NotNil(t, newest.Failure, name)
		require.Empty(t, newest.Payment.ID, "PayPal shows no payment that was not made")
		require.Equal(t, []any{core.InvoiceOpen, 0, "T0"}, []any{seen.Invoices[1].Status, seen.Invoices[1].Attempts, seen.Invoices[1].Payment.ID})
		if name == "ended" {
			require.Zero(t, seen.NextAttempt)
		}
	}
	for reason, want := range map[string]core.FailureCode{
		"PAYMENT_DENIED": core.FailureCardDeclined, "PAYER_CANNOT_PAY": core.FailureCardDeclined, "SENDING_LIMIT_EXCEEDED": core.FailureCardDeclined,
		"INTERNAL_SERVER_ERROR": core.FailureProcessingError, "CURRENCY_MISMATCH": core.FailureProcessingError,
		"PAYEE_ACCOUNT_RESTRICTED": core.FailureInvalidRequest, "secret text": core.FailureCardDeclined,
	} {
		adapter, _ := open(t, subscription("ACTIVE", strings.Replace(failing("1"), "PAYMENT_DENIED", reason, 1)), plan(""), took())
		seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err)
		require.Equal(t, want, seen.Failure.Code, reason)
		require.NotContains(t, seen.Failure.ProviderCode, "secret")
		require.Equal(t, []any{1, retry}, []any{seen.FailedAttempts, seen.NextAttempt})
	}
}

func TestGetInvoice(t *testing.T) {
	t.Parallel()
	of := core.ProviderRef{Account: "paypal", Kind: core.ObjectInvoice, ID: "T1"}
	whole := []string{sale("completed", "20.00", "I-1"), subscription("ACTIVE", running), plan(""), took(tookOne("T1", "COMPLETED", "2025-12-16T10:00:00Z"))}
	adapter, script := open(t, whole...)
	seen, err := adapter.GetInvoice(t.Context(), of)
	require.NoError(t, err)
	require.Equal(t, []any{of, core.InvoicePaid, time.Date(2025, 12, 16, 10, 0, 0, 0, time.UTC)}, []any{seen.Ref, seen.Status, seen.IssuedAt})
	require.Equal(t, []string{"GET /v1/payments/sale/T1", atSubscription, atPlan, atTransactions}, script.lines())
	for state, want := range map[string]core.InvoiceStatus{"completed": core.InvoicePaid, "denied": core.InvoiceVoid, "pending": core.InvoiceOpen} {
		adapter, _ := open(t, sale(state, "20.00", "I-1"), whole[1], whole[2], took())
		seen, err := adapter.GetInvoice(t.Context(), of)
		require.NoError(t, err)
		require.Equal(t, want, seen.Status, "older than those that are shown")
		require.Equal(t, money(t, 20_00, "EUR"), seen.AmountDue)
	}
	for name, answers := range map[string][]string{
		"of no subscription":     {sale("completed", "20.00", "")},
		"no subscription to see": {whole[0], "500 x"},
		"no plan to see":         {whole[0], whole[1], "500 x"},
		"no transactions to see": {whole[0], whole[1], whole[2], "500 x"},
		"no list":                {whole[0], whole[1], whole[2], "200 {}"},
		"half a list":            {whole[0], whole[1], whole[2], `200 {"tr`},
		"no amount":              {whole[0], whole[1], whole[2], strings.Replace(whole[3], "gross_amount", "x", 1)},
		"no time":                {whole[0], whole[1], whole[2], strings.Replace(whole[3], "2025", "x", 1)},
		"no id":                  {whole[0], whole[1], whole[2], strings.Replace(whole[3], "T1", "", 1)},
		"a plan of no price":     {whole[0], whole[1], strings.Replace(whole[2], "10.0", "1e1", 1)},
		"another plan":           {whole[0], whole[1], strings.Replace(whole[2], "P-1", "P-2", 1)},
		"no time of its own":     {whole[0], strings.Replace(whole[1], "2025-11-02T03:04:05Z", "then", 1), whole[2]},
	} {
		adapter, script := open(t, answers...)
		_, err := adapter.GetInvoice(t.Context(), of)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, name)
		require.Len(t, script.sent(), len(answers), name)
	}
	adapter, _ = open(t, missing)
	_, err = adapter.GetInvoice(t.Context(), of)
	require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
}
