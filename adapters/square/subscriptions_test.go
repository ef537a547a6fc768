package square_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const ourSubscription = "sub_01jd0000000000000000000000"

var subscriptionRef = of(core.ObjectSubscription, "S1")

func utc(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// subscribing is what a subscription of ours is asked for by.
func subscribing(t *testing.T) ports.CreateSubscription {
	t.Helper()
	return ports.CreateSubscription{
		Subscription: ourSubscription, Customer: ourCustomer, ProviderCustomer: "CUS1", ProviderPrice: "VAR1", Quantity: 1, Source: "cnon:x",
		Price:   core.Price{ID: "prc_1", Name: "Tea", Amount: money(t, 900, "EUR"), Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1}},
		StartAt: time.Date(2026, 1, 31, 23, 30, 0, 0, time.FixedZone("", -3600)),
	}
}

// subscription is one as Square writes it; actions are what is to happen to it.
func subscription(status, actions string, changes ...string) string {
	text := `200 {"subscription":{"id":"S1","status":"` + status + `","plan_variation_id":"VAR1","customer_id":"CUS1","card_id":"ccof:C1","start_date":"2026-01-02",
		"charged_through_date":"2026-02-01","invoice_ids":["inv:1"],"timezone":"UTC","created_at":"2026-01-02T03:04:05.678Z","version":1,"actions":[` + actions + `]}}`
	return strings.NewReplacer(changes...).Replace(text)
}

// variation is a plan variation as Square writes it.
func variation(changes ...string) string {
	text := `200 {"object":{"type":"SUBSCRIPTION_PLAN_VARIATION","id":"VAR1","subscription_plan_variation_data":{"name":"Tea","subscription_plan_id":"PLAN1",
		"phases":[{"cadence":"MONTHLY","ordinal":0,"pricing":{"type":"STATIC","price_money":{"amount":900,"currency":"EUR"}}}]}}}`
	return strings.NewReplacer(changes...).Replace(text)
}

// bill is a subscription's invoice as Square writes it, beneath a name.
func bill(status string, changes ...string) string {
	text := `{"id":"inv:1","status":"` + status + `","order_id":"O1","subscription_id":"S1","timezone":"UTC","created_at":"2026-01-02T03:04:06.000Z",
		"payment_requests":[{"due_date":"2026-01-02","computed_amount_money":{"amount":900,"currency":"EUR"},"total_completed_amount_money":{"amount":` +
		map[bool]string{true: "900", false: "0"}[status == "PAID"] + `,"currency":"EUR"}}]}`
	return strings.NewReplacer(changes...).Replace(text)
}

const tendered = `200 {"orders":[{"id":"O1","state":"COMPLETED","tenders":[{"payment_id":"P0"},{"payment_id":"P1"}]}]}`

// looked is what a whole look at a subscription with a paid invoice is answered with after its
// own answer.
func looked() []string {
	return []string{variation(), onFile(ourMethod, ourSubscription), `200 {"invoices":[` + bill("PAID") + `]}`, tendered}
}

// tries are the payments that failed to pay an invoice, newest first, between others.
func tries(codes ...string) string {
	var all []string
	for n, code := range codes {
		one := strings.TrimSuffix(strings.TrimPrefix(shown("FAILED", `"P1"`, `"T`+string(rune('9'-n))+`"`, `"reference_id":"`+ours+`"`, `"order_id":"O1"`,
			`"status":"AUTHORIZED"`, `"status":"FAILED","errors":[{"code":"`+code+`"}]`), `200 {"payment":`), "}")
		all = append(all, one, strings.ReplaceAll(one, `"O1"`, `"O2"`), strings.ReplaceAll(one, `"status":"FAILED",`, `"status":"CANCELED",`))
	}
	return `200 {"payments":[` + strings.Join(all, ",") + `]}`
}

func TestCreatePrice(t *testing.T) {
	t.Parallel()
	for interval, cadences := range map[core.Interval]map[int]string{
		core.IntervalDay:   {1: "DAILY", 30: "THIRTY_DAYS", 60: "SIXTY_DAYS", 90: "NINETY_DAYS"},
		core.IntervalWeek:  {1: "WEEKLY", 2: "EVERY_TWO_WEEKS"},
		core.IntervalMonth: {1: "MONTHLY", 2: "EVERY_TWO_MONTHS", 3: "QUARTERLY", 4: "EVERY_FOUR_MONTHS", 6: "EVERY_SIX_MONTHS"},
		core.IntervalYear:  {1: "ANNUAL", 2: "EVERY_TWO_YEARS"},
	} {
		can := newAdapter(t, nil).Capabilities().Subscriptions
		require.Len(t, can.Periods[interval], len(cadences))
		for count, cadence := range cadences {
			require.Contains(t, can.Periods[interval], count)
			adapter, script := open(t, `200 {"catalog_object":{"type":"SUBSCRIPTION_PLAN","id":"PLAN1"}}`, variation(`"object"`, `"catalog_object"`))
			price := core.Price{ID: "prc_1", Name: "Tea", Amount: money(t, 900, "EUR"), Recurring: &core.Recurring{Interval: interval, Count: count, TrialDays: 14}}
			made, err := adapter.CreatePrice(t.Context(), "op_1", price)
			require.NoError(t, err, cadence)
			require.Equal(t, "VAR1", made)
			require.Equal(t, []asked{
				{line: "POST /v2/catalog/object", body: map[string]any{"idempotency_key": "op_1-a", "object": map[string]any{
					"type": "SUBSCRIPTION_PLAN", "id": "#new", "subscription_plan_data": map[string]any{"name": "Tea"},
				}}},
				{line: "POST /v2/catalog/object", body: map[string]any{"idempotency_key": "op_1-b", "object": map[string]any{
					"type": "SUBSCRIPTION_PLAN_VARIATION", "id": "#new", "subscription_plan_variation_data": map[string]any{
						"name": "Tea", "subscription_plan_id": "PLAN1", "phases": []any{map[string]any{"cadence": cadence, "ordinal": 0.0, "pricing": map[string]any{
							"type": "STATIC", "price_money": map[string]any{"amount": 900.0, "currency": "EUR"},
						}}},
					},
				}}},
			}, script.calls)
		}
	}
}

func TestPricesThatGoWrong(t *testing.T) {
	t.Parallel()
	plan := `200 {"catalog_object":{"type":"SUBSCRIPTION_PLAN","id":"PLAN1"}}`
	made := func(changes ...string) string { return variation(append(changes, `"object"`, `"catalog_object"`)...) }
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"no plan":                {[]string{badRequest}, core.ClassInvalid},
		"a plan of no use":       {[]string{`200 {}`}, core.ClassUnknown},
		"another object":         {[]string{made()}, core.ClassUnknown},
		"no variation":           {[]string{plan, limited}, core.ClassRetryable},
		"a variation of no use":  {[]string{plan, plan}, core.ClassUnknown},
		"of another price":       {[]string{plan, made("900", "901")}, core.ClassUnknown},
		"of no price":            {[]string{plan, made(`"price_money"`, `"x"`)}, core.ClassUnknown},
		"of no phases":           {[]string{plan, made(`"phases"`, `"x"`)}, core.ClassUnknown},
		"of a price that varies": {[]string{plan, made("STATIC", "RELATIVE")}, core.ClassUnknown},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.CreatePrice(t.Context(), "op_1", subscribing(t).Price)
		require.Equal(t, c.class.String(), class(t, err).String(), name)
		require.Empty(t, script.answers)
	}
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	for trial, start := range map[int]any{0: nil, 14: "2026-02-15"} {
		in := subscribing(t)
		in.Price.Recurring.TrialDays = trial
		adapter, script := open(t, append([]string{onFile(ourMethod, ourSubscription), subscription("ACTIVE", ""), subscription("ACTIVE", "")}, looked()...)...)
		session, err := adapter.CreateSubscription(t.Context(), "op_1", in)
		require.NoError(t, err)
		require.Zero(t, session.Action, "the buyer has nothing left to do")
		require.Equal(t, core.SubscriptionActive, session.Snapshot.Status)
		require.Equal(t, core.SubscriptionID(ourSubscription), session.Snapshot.Subscription)
		body := map[string]any{
			"idempotency_key": "op_1-b", "location_id": "L1", "customer_id": "CUS1", "plan_variation_id": "VAR1", "card_id": "ccof:C1", "timezone": "UTC",
		}
		if start != nil {
			body["start_date"] = start
		}
		require.Equal(t, []asked{
			{line: "POST /v2/cards", body: map[string]any{
				"idempotency_key": "op_1-a", "source_id": "cnon:x", "card": map[string]any{"customer_id": "CUS1", "reference_id": ourSubscription},
			}},
			{line: "POST /v2/subscriptions", body: body},
		}, script.calls[:2])
	}
}

func TestSubscribeInVain(t *testing.T) {
	t.Parallel()
	card, sub := onFile(ourMethod, ourSubscription), subscription("ACTIVE", "")
	declined := `400 {"errors":[{"category":"PAYMENT_METHOD_ERROR","code":"GENERIC_DECLINE"}]}`
	disabled := onFile(`"enabled":true`, `"enabled":false`)
	for name, c := range map[string]struct {
		answers []string
		last    string // call
		class   core.Class
	}{
		"the card is declined":          {[]string{declined}, "POST /v2/cards", core.ClassDeclined},
		"the card is another's":         {[]string{onFile("CUS1", "CUS2")}, "POST /v2/cards", core.ClassUnknown},
		"it is refused":                 {[]string{card, badRequest, disabled}, "POST /v2/cards/ccof:C1/disable", core.ClassInvalid},
		"it is declined":                {[]string{card, declined, disabled}, "POST /v2/cards/ccof:C1/disable", core.ClassDeclined},
		"it is refused, the card stays": {[]string{card, missing, down}, "POST /v2/cards/ccof:C1/disable", core.ClassInvalid},
		"there is no answer":            {[]string{card, down}, "POST /v2/subscriptions", core.ClassUnknown},
		"it is too soon":                {[]string{card, limited}, "POST /v2/subscriptions", core.ClassRetryable},
		"it is another's":               {[]string{card, strings.Replace(sub, "CUS1", "CUS2", 1)}, "POST /v2/subscriptions", core.ClassUnknown},
		"it is of another plan":         {[]string{card, strings.Replace(sub, "VAR1", "VAR2", 1)}, "POST /v2/subscriptions", core.ClassUnknown},
		"it cannot be looked at":        {[]string{card, sub, limited}, "GET /v2/subscriptions/S1?include=actions", core.ClassUnknown},
		"it is not there":               {[]string{card, sub, missing}, "GET /v2/subscriptions/S1?include=actions", core.ClassUnknown},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.CreateSubscription(t.Context(), "op_1", subscribing(t))
		require.Equal(t, c.class.String(), class(t, err).String(), name)
		require.Equal(t, c.last, script.calls[len(script.calls)-1].line, name)
		require.Empty(t, script.answers, name)
	}
}

func TestGetSubscription(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, append([]string{subscription("ACTIVE", "")}, looked()...)...)
	seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionSnapshot{
		Ref: subscriptionRef, Subscription: ourSubscription, Status: core.SubscriptionActive, ForeignStatus: "ACTIVE", Price: "VAR1", Quantity: 1,
		Amount: money(t, 900, "EUR"), CurrentPeriodStart: utc(2026, 1, 2), CurrentPeriodEnd: utc(2026, 2, 2),
		Method:      &core.PaymentMethod{Type: "card", Brand: "mastercard", Last4: "1029", ExpMonth: 11, ExpYear: 2030},
		Environment: core.EnvTest, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
		Invoices: []core.InvoiceSnapshot{{
			Ref: of(core.ObjectInvoice, "inv:1"), Subscription: subscriptionRef, Payment: ref, Status: core.InvoicePaid, ForeignStatus: "PAID",
			AmountDue: money(t, 900, "EUR"), AmountPaid: money(t, 900, "EUR"), PeriodStart: utc(2026, 1, 2), PeriodEnd: utc(2026, 2, 2), Attempts: 1,
			Environment: core.EnvTest, IssuedAt: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		}},
	}, seen)
	require.Equal(t, []string{
		"GET /v2/subscriptions/S1?include=actions", "GET /v2/catalog/object/VAR1", "GET /v2/cards/ccof:C1", "POST /v2/invoices/search", "POST /v2/orders/batch-retrieve",
	}, lines(script))
	require.Equal(t, map[string]any{"location_id": "L1", "order_ids": []any{"O1"}}, script.calls[4].body)
}

// standing is how a subscription stands.
type standing struct {
	status, actions string
	changes         []string
	bill            string // how the invoice stands; empty for none
	tries           []string
	want            core.SubscriptionStatus
	also            func(*core.SubscriptionSnapshot)
}

// standings are those that there can be, by what is behind them.
func standings(t *testing.T) map[string]standing {
	t.Helper()
	later := []string{`"start_date":"2026-01-02"`, `"start_date":"2026-01-16"`}
	none := []string{`"invoice_ids":["inv:1"],`, "", `"charged_through_date":"2026-02-01",`, ""}
	return map[string]standing{
		"paid": {status: "ACTIVE", bill: "PAID", want: core.SubscriptionActive},
		"in a zone": {status: "ACTIVE", bill: "PAID", changes: []string{`"UTC"`, `"Europe/Dublin"`, "2026-02-01", "2026-06-30"}, want: core.SubscriptionActive, also: func(s *core.SubscriptionSnapshot) {
			s.CurrentPeriodEnd = time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC)
		}},
		"of a zone that nobody knows": {status: "ACTIVE", bill: "PAID", changes: []string{`"UTC"`, `"Europe/Atlantis"`}, want: core.SubscriptionActive},
		"being charged":               {status: "ACTIVE", bill: "UNPAID", tries: []string{}, want: core.SubscriptionActive},
		"owing": {status: "ACTIVE", bill: "UNPAID", tries: []string{"INSUFFICIENT_FUNDS", "CARD_EXPIRED"}, want: core.SubscriptionPastDue, also: func(s *core.SubscriptionSnapshot) {
			s.FailedAttempts, s.Failure = 2, core.NewFailure(core.FailureInsufficientFunds, "INSUFFICIENT_FUNDS")
		}},
		"given up": {status: "DEACTIVATED", bill: "UNPAID", tries: []string{"CARD_EXPIRED"}, want: core.SubscriptionUnpaid, also: func(s *core.SubscriptionSnapshot) {
			s.FailedAttempts, s.Failure = 1, core.NewFailure(core.FailureExpiredCard, "CARD_EXPIRED")
		}},
		"paused": {status: "PAUSED", bill: "PAID", want: core.SubscriptionPaused},
		"ending": {status: "ACTIVE", bill: "PAID", changes: []string{`"version"`, `"canceled_date":"2026-02-01","version"`}, want: core.SubscriptionActive, also: func(s *core.SubscriptionSnapshot) {
			s.CancelAtPeriodEnd = true
		}},
		"ended":     {status: "CANCELED", bill: "PAID", changes: []string{`"version"`, `"canceled_date":"2026-02-01","version"`}, want: core.SubscriptionCanceled},
		"completed": {status: "COMPLETED", bill: "PAID", want: core.SubscriptionCanceled},
		"unheard":   {status: "SOMETHING_NEW", bill: "PAID", want: ""},
		"changing": {
			status: "ACTIVE", actions: `{"id":"A1","type":"SWAP_PLAN","effective_date":"2026-02-02","new_plan_variation_id":"VAR2"}`, bill: "PAID", want: core.SubscriptionActive,
			also: func(s *core.SubscriptionSnapshot) {
				s.PendingPrice, s.PendingQuantity, s.PendingAt = "VAR2", 1, utc(2026, 2, 2)
			},
		},
		"on trial": {status: "PENDING", changes: append(later, none...), want: core.SubscriptionTrialing, also: func(s *core.SubscriptionSnapshot) {
			s.TrialEnd, s.CurrentPeriodStart, s.CurrentPeriodEnd = utc(2026, 1, 16), s.CreatedAt, utc(2026, 1, 16)
		}},
		"after its trial": {status: "ACTIVE", bill: "PAID", changes: later, want: core.SubscriptionActive, also: func(s *core.SubscriptionSnapshot) { s.TrialEnd = utc(2026, 1, 16) }},
		"not begun": {status: "PENDING", changes: none, want: core.SubscriptionIncomplete, also: func(s *core.SubscriptionSnapshot) {
			s.CurrentPeriodStart, s.CurrentPeriodEnd = time.Time{}, time.Time{}
		}},
		"begun, not billed": {status: "ACTIVE", changes: none, want: core.SubscriptionActive, also: func(s *core.SubscriptionSnapshot) {
			s.CurrentPeriodStart, s.CurrentPeriodEnd = time.Time{}, time.Time{}
		}},
		"free of charge": {status: "ACTIVE", changes: []string{`"invoice_ids":["inv:1"],`, ""}, want: core.SubscriptionActive},
		"of its own price": {status: "ACTIVE", bill: "PAID", changes: []string{`"version"`, `"price_override_money":{"amount":700,"currency":"EUR"},"version"`}, want: core.SubscriptionActive, also: func(s *core.SubscriptionSnapshot) {
			s.Amount = money(t, 700, "EUR")
		}},
	}
}

// TestSubscriptionStatuses: how one stands is told by its status and by its newest invoice.
func TestSubscriptionStatuses(t *testing.T) {
	t.Parallel()
	for name, c := range standings(t) {
		answers := []string{subscription(c.status, c.actions, c.changes...), variation(), onFile()}
		if c.bill != "" {
			answers = append(answers, `200 {"invoices":[`+bill(c.bill)+`]}`)
		}
		switch {
		case c.bill == "PAID":
			answers = append(answers, tendered)
		case c.bill != "":
			answers = append(answers, `200 {"invoice":`+bill(c.bill)+`}`, tries(c.tries...))
		}
		adapter, script := open(t, answers...)
		seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err, name)
		require.Empty(t, script.answers, name)
		want := core.SubscriptionSnapshot{
			Ref: subscriptionRef, Status: c.want, ForeignStatus: c.status, Price: "VAR1", Quantity: 1, Amount: money(t, 900, "EUR"),
			CurrentPeriodStart: utc(2026, 1, 2), CurrentPeriodEnd: utc(2026, 2, 2), Method: seen.Method, Environment: core.EnvTest, CreatedAt: seen.CreatedAt,
			Invoices: seen.Invoices,
		}
		if c.also != nil {
			c.also(&want)
		}
		require.Equal(t, want, seen, name)
		if len(c.tries) > 0 {
			require.Equal(t, seen.Failure, seen.Invoices[0].Failure)
			require.Equal(t, of(core.ObjectPayment, "T9"), seen.Invoices[0].Payment, "the newest try")
			require.Equal(t, "GET /v2/payments?begin_time=2026-01-02T03%3A04%3A06.000Z&limit=100&location_id=L1&sort_order=DESC&total=900", lines(script)[5])
		}
	}
}

// TestWhatASubscriptionRefersTo may be gone, or not be to be had.
func TestWhatASubscriptionRefersTo(t *testing.T) {
	t.Parallel()
	paid := `200 {"invoices":[` + bill("PAID") + `]}`
	adapter, _ := open(t, subscription("ACTIVE", ""), missing, missing, paid, `200 {}`)
	seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Zero(t, seen.Amount)
	require.Nil(t, seen.Method)
	require.Empty(t, seen.Subscription)
	require.Empty(t, seen.Invoices[0].Payment.ID)
	adapter, _ = open(t, subscription("ACTIVE", "", `"card_id":"ccof:C1",`, ""), variation("STATIC", "RELATIVE"), paid, tendered)
	seen, err = adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Nil(t, seen.Method, "it is billed by mail")
	require.Zero(t, seen.Amount, "its price follows from something else")

	sub := subscription("ACTIVE", "")
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"none":                        {[]string{missing}, core.ClassInvalid},
		"another":                     {[]string{strings.Replace(sub, `"S1"`, `"S2"`, 1)}, core.ClassUnknown},
		"nothing":                     {[]string{`200 {}`}, core.ClassUnknown},
		"no plan":                     {[]string{strings.Replace(sub, `"plan_variation_id"`, `"x"`, 1)}, core.ClassUnknown},
		"no time":                     {[]string{strings.Replace(sub, `"created_at"`, `"x"`, 1), variation(), onFile(), paid, tendered}, core.ClassUnknown},
		"no status":                   {[]string{subscription("", ""), variation(), onFile(), paid, tendered}, core.ClassUnknown},
		"a price that is none":        {[]string{strings.Replace(sub, `"version"`, `"price_override_money":{"amount":1},"version"`, 1), variation(), onFile(), paid, tendered}, core.ClassUnknown},
		"a plan that is refused":      {[]string{sub, badRequest}, core.ClassUnknown},
		"a plan that is another":      {[]string{sub, variation("VAR1", "VAR2")}, core.ClassUnknown},
		"a plan of no price":          {[]string{sub, variation(`"price_money"`, `"x"`)}, core.ClassUnknown},
		"a card without answer":       {[]string{sub, variation(), down}, core.ClassUnknown},
		"a card too soon":             {[]string{sub, variation(), limited}, core.ClassRetryable},
		"a search that is refused":    {[]string{sub, variation(), onFile(), badRequest}, core.ClassUnknown},
		"an invoice that is gone":     {[]string{sub, variation(), onFile(), `200 {}`, missing}, core.ClassUnknown},
		"an invoice of another":       {[]string{sub, variation(), onFile(), strings.Replace(paid, `"S1"`, `"S2"`, 1), tendered}, core.ClassUnknown},
		"an invoice of no shape":      {[]string{strings.Replace(sub, `"inv:1"`, `"../x"`, 1), variation(), onFile(), `200 {}`}, core.ClassUnknown},
		"an invoice of no amount":     {[]string{sub, variation(), onFile(), strings.Replace(paid, `"computed_amount_money"`, `"x"`, 1), tendered}, core.ClassUnknown},
		"orders without answer":       {[]string{sub, variation(), onFile(), paid, down}, core.ClassUnknown},
		"tries without answer":        {[]string{sub, variation(), onFile(), `200 {}`, `200 {"invoice":` + bill("UNPAID") + `}`, down}, core.ClassUnknown},
		"an invoice that asks for no": {[]string{sub, variation(), onFile(), `200 {}`, `200 {"invoice":` + bill("UNPAID", `"payment_requests"`, `"x"`) + `}`}, core.ClassUnknown},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.Equal(t, c.class.String(), class(t, err).String(), name)
		require.Equal(t, name == "none", foreign(t, err) == ports.ForeignMissing && c.class == core.ClassInvalid, name)
		require.Empty(t, script.answers, name)
	}
}
