package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	getSub    = "GET /v1/subscriptions/sub_1"
	postSub   = "POST /v1/subscriptions/sub_1"
	deleteSub = "DELETE /v1/subscriptions/sub_1"
	upcoming  = "GET /v1/invoices/upcoming"
)

// aChange is to another price in the midst of the period.
func aChange(t testing.TB, prorate bool) ports.ChangeSubscription {
	t.Helper()
	return ports.ChangeSubscription{Ref: sub1, Price: monthly(t), ProviderPrice: "price_2", Quantity: 5, Prorate: prorate, At: time.Unix(1701000000, 0)}
}

func TestChangeSubscription(t *testing.T) {
	t.Parallel()
	for prorate, want := range map[bool]map[string]string{
		false: {"proration_behavior": "none"},
		true:  {"proration_behavior": "always_invoice", "proration_date": "1701000000"},
	} {
		want["items[0][id]"], want["items[0][price]"], want["items[0][quantity]"], want["payment_behavior"] = "si_1", "price_2", "5", "error_if_incomplete"
		want["off_session"] = "true"
		adapter, heard := playing(t, script{getSub: billed(`,"status":"active"`), postSub: billed(`,"status":"active"`)})
		session, err := adapter.ChangeSubscription(t.Context(), "op_1", aChange(t, prorate))
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, session.Snapshot.Status)
		require.Zero(t, session.Action)
		require.Equal(t, want, heard.last())
		require.Equal(t, []string{getSub, postSub + " op_1"}, heard.list())
	}
	adapter, _ := playing(t, script{getSub: billed(`,"status":"active"`), postSub: `402 {"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}`})
	_, err := adapter.ChangeSubscription(t.Context(), "op_1", aChange(t, true))
	refused := providerError(t, err)
	require.Equal(t, core.ClassDeclined, refused.Class)
	require.Equal(t, core.FailureInsufficientFunds, refused.Code)
}

// TestChangeOfWhatHasNotOneItem: nobody can say which is meant, and a second one would be
// billed beside it.
func TestChangeOfWhatHasNotOneItem(t *testing.T) {
	t.Parallel()
	const another = `{"id":"si_1","price":{"id":"price_1"}}`
	for body, class := range map[string]core.Class{
		billed(`,"items":{"object":"list","data":[` + another + `,` + another + `]}`): core.ClassInvalid,
		billed(`,"items":{"object":"list","data":[]}`):                                core.ClassInvalid,
		billed(`,"items":{"object":"list","data":[null]}`):                            core.ClassInvalid,
		billed(`,"items":null`):                                                       core.ClassUnknown,
		billed(`,"id":"sub_2"`):                                                       core.ClassUnknown,
		`500 {"error":{}}`:                                                            core.ClassUnknown,
		`404 {"error":{"type":"invalid_request_error"}}`:                              core.ClassInvalid,
	} {
		adapter, heard := playing(t, script{getSub: body})
		_, err := adapter.ChangeSubscription(t.Context(), "op_1", aChange(t, true))
		require.Equal(t, class, providerError(t, err).Class, body)
		_, err = adapter.PreviewChange(t.Context(), aChange(t, true))
		require.Equal(t, class, providerError(t, err).Class, body)
		require.Equal(t, []string{getSub, getSub}, heard.list(), "nothing is asked for")
	}
}

func TestPreviewChange(t *testing.T) {
	t.Parallel()
	line := func(amount, start, end string, proration bool) string {
		more := ``
		if proration {
			more = `,"proration":true`
		}
		return `{"object":"line_item","amount":` + amount + `,"currency":"usd","period":{"start":` + start + `,"end":` + end + `}` + more + `}`
	}
	coming := func(lines ...string) string {
		all := listOf(lines...)
		return `{"object":"invoice","currency":"usd","amount_due":1,"lines":` + all + `}`
	}
	at := time.Unix(1701000000, 0)
	credit, charge := line("-3000", "1701000000", "1702592000", true), line("5000", "1701000000", "1702592000", true)
	older := line("777", "1700500000", "1702592000", true)
	next := line("10000", "1702592000", "1705184000", false)
	year := line("90000", "1701000003", "1732622403", false) // a new period begins, some seconds later by Stripe's clock
	for name, c := range map[string]struct {
		answer    string
		now, next int64
		nextAt    int64
	}{
		"nothing before the next period": {coming(next), 0, 10000, 1702592000},
		"the rest of the period":         {coming(credit, charge, next), 2000, 10000, 1702592000},
		"a credit":                       {coming(credit, next), -3000, 10000, 1702592000},
		"older changes do not count":     {coming(older, credit, charge, next), 2000, 10000, 1702592000},
		"another period begins":          {coming(credit, year), 87000, 90000, 1732622403},
		"it ends with the period":        {coming(credit, charge), 2000, 0, 0},
		"nothing to come":                {`404 {"error":{"type":"invalid_request_error","code":"invoice_upcoming_none"}}`, 0, 0, 0},
	} {
		adapter, heard := playing(t, script{getSub: billed(`,"status":"active"`), upcoming: c.answer})
		preview, err := adapter.PreviewChange(t.Context(), aChange(t, true))
		require.NoError(t, err, name)
		want := ports.ChangePreview{DueNow: money(t, c.now, "USD"), NextAmount: money(t, c.next, "USD"), EffectiveAt: at}
		if c.nextAt != 0 {
			want.NextAt = time.Unix(c.nextAt, 0).UTC()
		}
		require.Equal(t, want, preview, name)
		require.Equal(t, []string{getSub, upcoming}, heard.list(), name)
	}
	for prorate, want := range map[bool]map[string]string{
		false: {"subscription_proration_behavior": "none"},
		true:  {"subscription_proration_behavior": "create_prorations", "subscription_proration_date": "1701000000"},
	} {
		adapter, heard := playing(t, script{getSub: billed(`,"status":"active"`), upcoming: coming(next)})
		_, err := adapter.PreviewChange(t.Context(), aChange(t, prorate))
		require.NoError(t, err)
		want["subscription"], want["subscription_items[0][id]"], want["subscription_items[0][price]"], want["subscription_items[0][quantity]"] = "sub_1", "si_1", "price_2", "5"
		require.Equal(t, want, heard.last())
	}
	for answer, class := range map[string]core.Class{
		refusal: core.ClassInvalid, `500 {"error":{}}`: core.ClassUnknown, `{}`: core.ClassUnknown, `{"object":"invoice","currency":"usd"}`: core.ClassUnknown,
		coming(`null`): core.ClassUnknown, coming(`{"amount":1,"currency":"usd"}`): core.ClassUnknown, coming(`{"amount":1,"currency":"eur","period":{}}`): core.ClassUnknown,
		`{"object":"invoice","currency":"usd","lines":{"object":"list","has_more":true,"data":[]}}`: core.ClassUnknown,
		`{"object":"invoice","currency":"ugx","lines":{"object":"list","data":[]}}`:                 core.ClassUnknown,
	} {
		adapter, _ := playing(t, script{getSub: billed(`,"status":"active"`), upcoming: answer})
		_, err := adapter.PreviewChange(t.Context(), aChange(t, true))
		require.Equal(t, class, providerError(t, err).Class, answer)
	}
}

// TestSubscriptionUpdates: each is one call that says one thing.
func TestSubscriptionUpdates(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{postSub: billed(`,"status":"active","cancel_at_period_end":true`)})
	for name, c := range map[string]struct {
		form map[string]string
		do   func() (core.SubscriptionSnapshot, error)
	}{
		"pause": {map[string]string{"pause_collection[behavior]": "void"}, func() (core.SubscriptionSnapshot, error) {
			return adapter.PauseSubscription(t.Context(), "op_1", sub1)
		}},
		"resume": {map[string]string{"pause_collection": ""}, func() (core.SubscriptionSnapshot, error) {
			return adapter.ResumeSubscription(t.Context(), "op_1", sub1)
		}},
		"keep": {map[string]string{"cancel_at_period_end": "false"}, func() (core.SubscriptionSnapshot, error) {
			return adapter.KeepSubscription(t.Context(), "op_1", sub1)
		}},
		"cancel later": {map[string]string{"cancel_at_period_end": "true"}, func() (core.SubscriptionSnapshot, error) {
			return adapter.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: sub1, AtPeriodEnd: true})
		}},
		"another method": {map[string]string{"default_payment_method": "pm_2"}, func() (core.SubscriptionSnapshot, error) {
			return adapter.UpdateSubscriptionMethod(t.Context(), "op_1", sub1, "pm_2")
		}},
	} {
		before := len(heard.list())
		seen, err := c.do()
		require.NoError(t, err, name)
		require.Equal(t, core.SubscriptionActive, seen.Status)
		require.True(t, seen.CancelAtPeriodEnd)
		require.Equal(t, []string{postSub + " op_1"}, heard.list()[before:], name)
		require.Equal(t, c.form, heard.last(), name)
	}
}

// TestAnotherMethodPaysWhatIsOwed: at once, and what comes of it the subscription tells.
func TestAnotherMethodPaysWhatIsOwed(t *testing.T) {
	t.Parallel()
	const pay = "POST /v1/invoices/in_1/pay"
	owing := func(status, invoiceStatus string) string {
		return billed(`,"status":"` + status + `","latest_invoice":` + invoice(`,"status":"`+invoiceStatus+`","attempt_count":1`+paying("requires_payment_method", cardError)))
	}
	all := []string{postSub + " op_1", pay + " op_1-p", getSub}
	for name, c := range map[string]struct {
		answers script
		status  core.SubscriptionStatus
		class   core.Class
		calls   []string
	}{
		"paid":             {script{postSub: owing("past_due", "open"), pay: invoice(`,"status":"paid"`), getSub: billed(`,"status":"active"`)}, core.SubscriptionActive, 0, all},
		"was unpaid":       {script{postSub: owing("unpaid", "open"), pay: invoice(`,"status":"paid"`), getSub: billed(`,"status":"active"`)}, core.SubscriptionActive, 0, all},
		"declined":         {script{postSub: owing("past_due", "open"), pay: `402 {"error":{"type":"card_error","code":"card_declined"}}`, getSub: owing("past_due", "open")}, core.SubscriptionPastDue, 0, all},
		"paid before":      {script{postSub: owing("past_due", "open"), pay: refusal, getSub: billed(`,"status":"active"`)}, core.SubscriptionActive, 0, all},
		"no answer":        {script{postSub: owing("past_due", "open"), pay: `500 {"error":{}}`}, "", core.ClassUnknown, all[:2]},
		"asked too much":   {script{postSub: owing("past_due", "open"), pay: `429 {"error":{}}`}, "", core.ClassRetryable, all[:2]},
		"no look":          {script{postSub: owing("past_due", "open"), pay: invoice(``), getSub: `500 {"error":{}}`}, "", core.ClassUnknown, all},
		"nothing is owed":  {script{postSub: owing("active", "paid")}, core.SubscriptionActive, 0, all[:1]},
		"nothing is asked": {script{postSub: owing("unpaid", "draft")}, core.SubscriptionUnpaid, 0, all[:1]},
		"the first":        {script{postSub: owing("incomplete", "open")}, core.SubscriptionIncomplete, 0, all[:1]},
	} {
		adapter, heard := playing(t, c.answers)
		seen, err := adapter.UpdateSubscriptionMethod(t.Context(), "op_1", sub1, "pm_2")
		require.Equal(t, c.calls, heard.list(), name)
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, c.status == "", err != nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, c.class, providerError(t, err).Class, name)
		}
	}
}

// TestResumeOfWhatStripePaused: of a trial that ended without a method.
func TestResumeOfWhatStripePaused(t *testing.T) {
	t.Parallel()
	const resume = "POST /v1/subscriptions/sub_1/resume"
	adapter, heard := playing(t, script{postSub: billed(`,"status":"paused"`), resume: billed(`,"status":"active"`)})
	seen, err := adapter.ResumeSubscription(t.Context(), "op_1", sub1)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Equal(t, []string{postSub + " op_1", resume + " op_1-r"}, heard.list())
}

// TestCancelSubscription: what has ended is ended, and what never began can no longer be paid.
func TestCancelSubscription(t *testing.T) {
	t.Parallel()
	const void = "POST /v1/invoices/in_1/void"
	ended := billed(`,"status":"canceled"`)
	left := func(reason, status string) string {
		return billed(`,"status":"canceled","latest_invoice":` + invoice(`,"status":"`+status+`","attempt_count":1,"billing_reason":"`+reason+`"`+paying("requires_payment_method", cardError)))
	}
	voided := invoice(`,"status":"void"`)
	for name, c := range map[string]struct {
		answers script
		class   core.Class
		fails   bool
		calls   []string
	}{
		"ended":                       {script{deleteSub: ended}, 0, false, []string{deleteSub + " op_1"}},
		"never began":                 {script{deleteSub: left("subscription_create", "open"), void: voided}, 0, false, []string{deleteSub + " op_1", void + " op_1-v"}},
		"the first was paid":          {script{deleteSub: left("subscription_create", "paid")}, 0, false, []string{deleteSub + " op_1"}},
		"a later one is owed":         {script{deleteSub: left("subscription_cycle", "open")}, 0, false, []string{deleteSub + " op_1"}},
		"ended before":                {script{getSub: ended}, 0, false, []string{deleteSub + " op_1", getSub}},
		"ended before, left one open": {script{getSub: left("subscription_create", "open"), void: voided}, 0, false, []string{deleteSub + " op_1", getSub, void + " op_1-v"}},
		"expired":                     {script{deleteSub: refusal, getSub: billed(`,"status":"incomplete_expired"`)}, 0, false, []string{deleteSub + " op_1", getSub}},
		"refused":                     {script{deleteSub: refusal, getSub: billed(`,"status":"active"`)}, core.ClassInvalid, true, []string{deleteSub + " op_1", getSub}},
		"not there":                   {script{}, core.ClassInvalid, true, []string{deleteSub + " op_1", getSub}},
		"no second look":              {script{deleteSub: refusal, getSub: `500 {"error":{}}`}, core.ClassUnknown, true, []string{deleteSub + " op_1", getSub}},
		"no answer":                   {script{deleteSub: `500 {"error":{}}`}, core.ClassUnknown, true, []string{deleteSub + " op_1"}},
		"not voided":                  {script{deleteSub: left("subscription_create", "open"), void: `500 {"error":{}}`}, core.ClassUnknown, true, []string{deleteSub + " op_1", void + " op_1-v"}},
		"paid at the last moment":     {script{deleteSub: left("subscription_create", "open"), void: refusal}, 0, false, []string{deleteSub + " op_1", void + " op_1-v"}},
		"another was voided":          {script{deleteSub: left("subscription_create", "open"), void: invoice(`,"id":"in_2"`)}, core.ClassUnknown, true, []string{deleteSub + " op_1", void + " op_1-v"}},
		"something was voided":        {script{deleteSub: left("subscription_create", "open"), void: `{}`}, core.ClassUnknown, true, []string{deleteSub + " op_1", void + " op_1-v"}},
	} {
		adapter, heard := playing(t, c.answers)
		seen, err := adapter.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: sub1})
		require.Equal(t, c.calls, heard.list(), name)
		require.Equal(t, c.fails, err != nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, c.class, providerError(t, err).Class, name)
			continue
		}
		require.Equal(t, core.SubscriptionCanceled, seen.Status, name)
		if len(seen.Invoices) > 0 && c.answers[void] == voided {
			require.Equal(t, core.InvoiceVoid, seen.Invoices[0].Status, name)
			require.Nil(t, seen.Failure)
		}
	}
	adapter, _ := playing(t, script{postSub: refusal, getSub: ended})
	seen, err := adapter.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: sub1, AtPeriodEnd: true})
	require.NoError(t, err, "it ended sooner")
	require.Equal(t, core.SubscriptionCanceled, seen.Status)
}

// TestPaymentsOfSubscriptions: they say whose they are, and until when what is held is held.
func TestPaymentsOfSubscriptions(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]string{
		`,"invoice":{"id":"in_1","object":"invoice","subscription":"sub_1"}`: "sub_1",
		`,"invoice":{"id":"in_1","object":"invoice","subscription":null}`:    "",
		`,"invoice":"in_1"`: "",
		`,"invoice":null`:   "",
		``:                  "",
	} {
		seen, err := answering(t, http.StatusOK, intent(`,"status":"processing"`+more)).GetPayment(t.Context(), pi1)
		require.NoError(t, err)
		require.Equal(t, want, seen.Subscription, more)
	}
	held := charge(`,"status":"succeeded","payment_method_details":{"type":"card","card":{"brand":"visa","capture_before":1700604800}}`)
	for body, want := range map[string]time.Time{
		intent(`,"status":"requires_capture","amount_capturable":2000` + held):                                                                       time.Unix(1700604800, 0).UTC(),
		intent(`,"status":"requires_capture","amount_capturable":2000` + charge(`,"status":"succeeded","payment_method_details":{"type":"klarna"}`)): {},
		intent(`,"status":"requires_capture","amount_capturable":2000` + charge(`,"status":"succeeded"`)):                                            {},
		intent(`,"status":"succeeded","amount_received":2000` + held):                                                                                {},
	} {
		seen, err := answering(t, http.StatusOK, body).GetPayment(t.Context(), pi1)
		require.NoError(t, err)
		require.Equal(t, want, seen.CaptureBefore, body)
	}
}
