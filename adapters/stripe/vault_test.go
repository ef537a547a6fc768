package stripe_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	seti1 = refOf(core.ObjectSetup, "seti_1")
	pm1   = refOf(core.ObjectMethod, "pm_1")
	visa  = core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2030}
)

const (
	cardFields = `"type":"card","card":{"brand":"visa","last4":"4242","exp_month":12,"exp_year":2030}`
	attached   = `{"id":"pm_1","object":"payment_method","livemode":false,"customer":"cus_1",` + cardFields + `}`
	detached   = `{"id":"pm_1","object":"payment_method","livemode":false,"customer":null,` + cardFields + `}`
)

// setup is a setup intent as Stripe shows it, with more of its fields.
func setup(more string) string {
	return `{"id":"seti_1","object":"setup_intent","livemode":false,"customer":"cus_1","client_secret":"seti_1_secret_x"` + more + `}`
}

func TestSetupStatuses(t *testing.T) {
	t.Parallel()
	ours := core.NewID[core.MethodID]([16]byte{1})
	meta := `,"metadata":{"paydesk_method":"` + string(ours) + `"}`
	const failed = `,"last_setup_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","payment_method":{"id":"pm_9",` + cardFields + `}}`
	pending := core.MethodSnapshot{
		Ref: refOf(core.ObjectMethod, ""), Setup: "seti_1", Method: ours, Customer: "cus_1", Status: core.MethodPending, Environment: core.EnvTest,
	}
	for _, c := range []struct {
		more, foreign string
		change        func(*core.MethodSnapshot)
		action        bool
	}{
		{`,"status":"requires_payment_method"`, "requires_payment_method", func(*core.MethodSnapshot) {}, true},
		{`,"status":"requires_confirmation"`, "requires_confirmation", func(*core.MethodSnapshot) {}, true},
		{`,"status":"requires_action"` + failed, "requires_action", func(*core.MethodSnapshot) {}, true},
		{`,"status":"processing"`, "processing", func(*core.MethodSnapshot) {}, false},
		{`,"status":"requires_payment_method"` + failed, "requires_payment_method", func(m *core.MethodSnapshot) {
			m.Status, m.Details, m.Failure = core.MethodFailed, visa, core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds")
		}, true},
		{`,"status":"canceled"`, "canceled", func(m *core.MethodSnapshot) { m.Status = core.MethodFailed }, false},
		{`,"status":"succeeded","payment_method":` + attached, "succeeded", func(m *core.MethodSnapshot) {
			m.Ref, m.Status, m.Details = pm1, core.MethodActive, visa
		}, false},
		{`,"status":"succeeded","payment_method":` + detached, "succeeded", func(m *core.MethodSnapshot) {
			m.Ref, m.Status, m.Details, m.Customer = pm1, core.MethodRemoved, visa, ""
		}, false},
		{`,"status":"not_invented_yet"`, "not_invented_yet", func(m *core.MethodSnapshot) { m.Status = "" }, false},
	} {
		want := pending
		want.ForeignStatus = c.foreign
		c.change(&want)
		adapter := answering(t, http.StatusOK, setup(c.more+meta))
		session, err := adapter.OpenSetup(t.Context(), seti1)
		require.NoError(t, err, c.more)
		require.Equal(t, want, session.Snapshot, c.more)
		action := ports.BuyerAction{}
		if c.action {
			action = ports.BuyerAction{Type: ports.ActionStripeSetup, ClientSecret: "seti_1_secret_x"}
		}
		require.Equal(t, action, session.Action, c.more)
		seen, err := adapter.GetMethod(t.Context(), seti1)
		require.NoError(t, err)
		require.Equal(t, want, seen, c.more)
	}
	for _, more := range []string{``, `,"payment_method":null`, `,"payment_method":"pm_1"`, `,"payment_method":{"object":"payment_method"}`} {
		_, err := answering(t, http.StatusOK, setup(`,"status":"succeeded"`+more)).GetMethod(t.Context(), seti1)
		require.Equal(t, core.ClassUnknown, providerError(t, err).Class, "what is saved has to be told: %s", more)
	}
}

func TestCreateSetup(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{"POST /v1/setup_intents": setup(`,"status":"requires_payment_method"`)})
	session, err := adapter.CreateSetup(t.Context(), "op_1", ports.CreateSetup{Method: "pm_x", Customer: "cus_x", ProviderCustomer: "cus_1", ReturnURL: "https://shop.example/"})
	require.NoError(t, err)
	require.Equal(t, ports.ActionStripeSetup, session.Action.Type)
	require.Equal(t, []string{"POST /v1/setup_intents op_1"}, heard.list())
	require.Equal(t, map[string]string{
		"customer": "cus_1", "usage": "off_session", "automatic_payment_methods[enabled]": "true", "metadata[paydesk_method]": "pm_x", "metadata[paydesk_customer]": "cus_x",
	}, heard.last())

	_, err = adapter.ConfirmSetup(t.Context(), "op_1", ports.ConfirmSetup{Ref: seti1})
	require.Equal(t, core.ClassInvalid, providerError(t, err).Class, "the browser does")
	require.Len(t, heard.list(), 1)
	_, err = answering(t, http.StatusNotFound, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`).GetMethod(t.Context(), seti1)
	require.Equal(t, ports.ForeignMissing, providerError(t, err).Foreign)
}

func TestCreateCustomer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   ports.CreateCustomer
		form map[string]string
	}{
		{ports.CreateCustomer{Customer: "cus_x", Email: "jenny@example.com", Name: "Jenny"}, map[string]string{"email": "jenny@example.com", "name": "Jenny", "metadata[paydesk_customer]": "cus_x"}},
		{ports.CreateCustomer{Customer: "cus_x", Email: "jenny@example.com"}, map[string]string{"email": "jenny@example.com", "metadata[paydesk_customer]": "cus_x"}},
		{ports.CreateCustomer{Customer: "cus_x", Name: "Jenny"}, map[string]string{"name": "Jenny", "metadata[paydesk_customer]": "cus_x"}},
	} {
		adapter, heard := playing(t, script{"POST /v1/customers": `{"id":"cus_1","object":"customer"}`})
		id, err := adapter.CreateCustomer(t.Context(), "op_1", c.in)
		require.NoError(t, err)
		require.Equal(t, "cus_1", id)
		require.Equal(t, c.form, heard.last())
		require.Equal(t, []string{"POST /v1/customers op_1"}, heard.list())
	}
}

func TestGetMethod(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]core.MethodSnapshot{
		attached: {Ref: pm1, Customer: "cus_1", Status: core.MethodActive, ForeignStatus: "attached", Details: visa, Environment: core.EnvTest},
		detached: {Ref: pm1, Status: core.MethodRemoved, ForeignStatus: "detached", Details: visa, Environment: core.EnvTest},
	} {
		seen, err := answering(t, http.StatusOK, body).GetMethod(t.Context(), pm1)
		require.NoError(t, err)
		require.Equal(t, want, seen)
	}
	seen, err := answering(t, http.StatusNotFound, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`).GetMethod(t.Context(), pm1)
	require.NoError(t, err, "what is gone is removed")
	require.Equal(t, core.MethodSnapshot{Ref: pm1, Status: core.MethodRemoved, Environment: core.EnvTest}, seen)
	_, err = answering(t, http.StatusBadRequest, `{"error":{"type":"invalid_request_error"}}`).GetMethod(t.Context(), pm1)
	require.Equal(t, core.ClassInvalid, providerError(t, err).Class)
}

func TestDetachMethod(t *testing.T) {
	t.Parallel()
	const detach, look = "POST /v1/payment_methods/pm_1/detach", "GET /v1/payment_methods/pm_1"
	for name, c := range map[string]struct {
		answers script
		class   core.Class
		fails   bool
		looks   bool
	}{
		"detached":                    {script{detach: detached}, 0, false, false},
		"detached before":             {script{detach: refusal, look: detached}, 0, false, true},
		"gone":                        {script{}, 0, false, true},
		"refused":                     {script{detach: refusal, look: attached}, core.ClassInvalid, true, true},
		"refused, and no second look": {script{detach: refusal, look: `500 {"error":{}}`}, core.ClassUnknown, true, true},
		"no answer":                   {script{detach: `500 {"error":{}}`}, core.ClassUnknown, true, false},
		"another":                     {script{detach: `{"id":"pm_2","object":"payment_method"}`}, core.ClassUnknown, true, false},
	} {
		adapter, heard := playing(t, c.answers)
		err := adapter.DetachMethod(t.Context(), "op_1", pm1)
		require.Equal(t, c.fails, err != nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, c.class, providerError(t, err).Class, name)
		}
		want := []string{detach + " op_1"}
		if c.looks {
			want = append(want, look)
		}
		require.Equal(t, want, heard.list(), name)
	}
}

// TestChargeMethod: what a decline leaves behind is closed, and until it is known that it was,
// nothing is known of the charge.
func TestChargeMethod(t *testing.T) {
	t.Parallel()
	const charging, closing, look = "POST /v1/payment_intents", "POST /v1/payment_intents/pi_1/cancel", "GET /v1/payment_intents/pi_1"
	decline := func(code string) string {
		return `402 {"error":{"type":"card_error","code":"card_declined","decline_code":"` + code + `","payment_intent":{"id":"pi_1","object":"payment_intent"}}}`
	}
	canceled := intent(`,"status":"canceled"`)
	for name, c := range map[string]struct {
		answers script
		class   core.Class
		code    core.FailureCode
		calls   []string
	}{
		"declined": {
			script{charging: decline("insufficient_funds"), closing: canceled},
			core.ClassDeclined, core.FailureInsufficientFunds,
			[]string{charging + " op_1", closing + " op_1-x"},
		},
		"the buyer has to be there": {
			script{charging: decline("authentication_required"), closing: canceled},
			core.ClassDeclined, core.FailureAuthenticationRequired,
			[]string{charging + " op_1", closing + " op_1-x"},
		},
		"closed before": {
			script{charging: decline("insufficient_funds"), closing: `400 {"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`, look: canceled},
			core.ClassDeclined, core.FailureInsufficientFunds,
			[]string{charging + " op_1", closing + " op_1-x", look},
		},
		"answered with a step for the buyer": {
			script{charging: intent(`,"status":"requires_action"`), closing: canceled},
			core.ClassDeclined, core.FailureAuthenticationRequired,
			[]string{charging + " op_1", closing + " op_1-x"},
		},
		"not closed": {
			script{charging: decline("insufficient_funds"), closing: `500 {"error":{"type":"api_error"}}`},
			core.ClassUnknown, "",
			[]string{charging + " op_1", closing + " op_1-x"},
		},
		"not closed, being asked too much": {
			script{charging: decline("insufficient_funds"), closing: `429 {"error":{"type":"invalid_request_error"}}`},
			core.ClassUnknown, "",
			[]string{charging + " op_1", closing + " op_1-x"},
		},
		"nothing was left behind": {
			script{charging: `402 {"error":{"type":"card_error","code":"expired_card"}}`}, core.ClassDeclined, core.FailureExpiredCard, []string{charging + " op_1"},
		},
		"refused": {script{charging: refusal}, core.ClassInvalid, core.FailureInvalidRequest, []string{charging + " op_1"}},
	} {
		adapter, heard := playing(t, c.answers)
		seen, err := adapter.ChargeMethod(t.Context(), "op_1", aCharge(t))
		refused := providerError(t, err)
		require.Zero(t, seen, name)
		require.Equal(t, c.class, refused.Class, name)
		require.Equal(t, c.code, refused.Code, name)
		require.Equal(t, "stripe charge for pay_1", refused.Op)
		require.Equal(t, len(c.calls) > 1, refused.ObjectID == "pi_1", name)
		require.Equal(t, c.calls, heard.list(), name)
	}
}

func TestWhatAChargeAsks(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{"POST /v1/payment_intents": intent(`,"status":"requires_capture","amount_capturable":2000`)})
	seen, err := adapter.ChargeMethod(t.Context(), "op_1", aCharge(t))
	require.NoError(t, err)
	require.Equal(t, core.PaymentAuthorized, seen.Status)
	require.Equal(t, map[string]string{
		"amount": "2000", "currency": "usd", "capture_method": "manual", "description": "Tea", "confirm": "true", "off_session": "true",
		"error_on_requires_action": "true", "customer": "cus_123", "payment_method": "pm_123", "payment_method_types[0]": "card",
		"metadata[paydesk_payment]": "pay_1", "metadata[paydesk_checkout]": "", "metadata[reference]": "",
	}, heard.last())
	free := aCharge(t)
	free.Amount = money(t, 0, "USD")
	_, err = adapter.ChargeMethod(t.Context(), "op_1", free)
	require.Equal(t, core.ClassInvalid, providerError(t, err).Class)
}
