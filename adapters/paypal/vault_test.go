package paypal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	setupRef  = core.ProviderRef{Account: "paypal", Kind: core.ObjectSetup, ID: "S1"}
	methodRef = core.ProviderRef{Account: "paypal", Kind: core.ObjectMethod, ID: "M1"}
)

// token is a setup token, or what is saved where it has no status.
func token(id, status, source string) string {
	text := `200 {"id":"` + id + `","customer":{"id":"V1","merchant_customer_id":"` + ourCustomer + `"},`
	if status != "" {
		text += `"status":"` + status + `",`
	}
	return text + `"payment_source":` + source + `,"links":[{"rel":"self","href":"https://api.sandbox.paypal.com/v3/vault/setup-tokens/S1"},
		{"rel":"approve","href":"https://www.sandbox.paypal.com/agreements/approve?approval_session_id=S1"}]}`
}

func TestCreateCustomer(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	id, err := adapter.CreateCustomer(t.Context(), "op_1", ports.CreateCustomer{Customer: ourCustomer, Email: "ada@example.com"})
	require.NoError(t, err)
	require.Empty(t, id)
	require.Empty(t, script.sent(), "PayPal has no such object")
}

func TestCreateSetup(t *testing.T) {
	t.Parallel()
	back := map[string]any{"return_url": "https://shop.example/return", "cancel_url": "https://shop.example/return"}
	account := map[string]any{"paypal": map[string]any{"usage_type": "MERCHANT", "permit_multiple_payment_tokens": true, "experience_context": map[string]any{
		"return_url": "https://shop.example/return", "cancel_url": "https://shop.example/return", "shipping_preference": "NO_SHIPPING",
	}}}
	for name, c := range map[string]struct {
		kind, customer string
		wantCustomer   map[string]any
		source         map[string]any
	}{
		"what PayPal takes first": {"", "", map[string]any{"merchant_customer_id": ourCustomer}, account},
		"an account":              {"paypal", "V1", map[string]any{"id": "V1"}, account},
		"a card":                  {"card", "V1", map[string]any{"id": "V1"}, map[string]any{"card": map[string]any{"verification_method": "SCA_WHEN_REQUIRED", "experience_context": back}}},
	} {
		adapter, script := open(t, "201"+token("S1", "PAYER_ACTION_REQUIRED", `{"paypal":{}}`)[3:])
		session, err := adapter.CreateSetup(t.Context(), "op_1", ports.CreateSetup{
			Method: ourMethod, Customer: ourCustomer, ProviderCustomer: c.customer, ReturnURL: "https://shop.example/return", MethodType: c.kind,
		})
		require.NoError(t, err, name)
		require.Equal(t, ports.SetupSession{
			Snapshot: core.MethodSnapshot{
				Ref: core.ProviderRef{Account: "paypal", Kind: core.ObjectMethod}, Setup: "S1", Customer: "V1", Status: core.MethodPending,
				ForeignStatus: "PAYER_ACTION_REQUIRED", Details: core.PaymentMethod{Type: "paypal"}, Environment: core.EnvTest,
			},
			Action: ports.BuyerAction{Type: ports.ActionPayPalSave, URL: "https://www.sandbox.paypal.com/agreements/approve?approval_session_id=S1"},
		}, session, name)
		require.Equal(t, []asked{{"POST /v3/vault/setup-tokens", "op_1", map[string]any{"customer": c.wantCustomer, "payment_source": c.source}}}, script.sent(), name)
	}
	adapter, _ := open(t, token("S1", "NEW", `{"paypal":{}}`))
	_, err := adapter.CreateSetup(t.Context(), "op_1", ports.CreateSetup{Method: ourMethod})
	require.Equal(t, core.ClassUnknown, failure(t, err).Class)
}

func TestSetupStatuses(t *testing.T) {
	t.Parallel()
	for status, c := range map[string]struct {
		want        core.MethodStatus
		confirmable bool
		acts        bool
	}{
		"CREATED": {core.MethodPending, false, true}, "PAYER_ACTION_REQUIRED": {core.MethodPending, false, true}, "APPROVED": {core.MethodPending, true, false},
		"VAULTED": {core.MethodPending, false, false}, "TOKENIZED": {core.MethodPending, false, false},
	} {
		adapter, script := open(t, token("S1", status, visa), token("S1", status, visa))
		seen, err := adapter.GetMethod(t.Context(), setupRef)
		require.NoError(t, err)
		require.Equal(t, []any{c.want, c.confirmable, status}, []any{seen.Status, seen.Confirmable, seen.ForeignStatus})
		require.Equal(t, core.PaymentMethod{Type: "card", Brand: "visa", Last4: "1881", ExpMonth: 11, ExpYear: 2030}, seen.Details)
		session, err := adapter.OpenSetup(t.Context(), setupRef)
		require.NoError(t, err)
		require.Equal(t, seen, session.Snapshot)
		require.Equal(t, c.acts, session.Action.Type == ports.ActionPayPalSave, status)
		require.Equal(t, []string{"GET /v3/vault/setup-tokens/S1", "GET /v3/vault/setup-tokens/S1"}, script.lines())
	}
	adapter, _ := open(t, token("S1", "NEW", `{}`), missing, missing, "500 x")
	seen, err := adapter.GetMethod(t.Context(), setupRef)
	require.NoError(t, err)
	require.Empty(t, seen.Status)
	require.Empty(t, seen.Details)
	_, err = adapter.GetMethod(t.Context(), setupRef)
	require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
	_, err = adapter.OpenSetup(t.Context(), setupRef)
	require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
	_, err = adapter.GetMethod(t.Context(), methodRef)
	require.Equal(t, core.ClassUnknown, failure(t, err).Class)
}

func TestConfirmSetup(t *testing.T) {
	t.Parallel()
	in := ports.ConfirmSetup{CreateSetup: ports.CreateSetup{Method: ourMethod, Customer: ourCustomer}, Ref: setupRef}
	adapter, script := open(t, "201"+token("M1", "", wallet)[3:], token("M1", "", wallet))
	seen, err := adapter.ConfirmSetup(t.Context(), "op_1", in)
	require.NoError(t, err)
	want := core.MethodSnapshot{
		Ref: methodRef, Setup: "S1", Customer: "V1", Status: core.MethodActive, ForeignStatus: "VAULTED", Details: core.PaymentMethod{Type: "paypal"}, Environment: core.EnvTest,
	}
	require.Equal(t, want, seen)
	require.Equal(t, []asked{{"POST /v3/vault/payment-tokens", "op_1", map[string]any{
		"payment_source": map[string]any{"token": map[string]any{"id": "S1", "type": "SETUP_TOKEN"}},
	}}}, script.sent())
	seen, err = adapter.GetMethod(t.Context(), methodRef)
	require.NoError(t, err)
	want.Setup = ""
	require.Equal(t, want, seen)
	for answer, class := range map[string]core.Class{
		problem("422", "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED"):  core.ClassDeclined,
		problem("422", "UNPROCESSABLE_ENTITY", "SETUP_TOKEN_NOT_USED"): core.ClassInvalid,
		token("M1", "", `{}`): core.ClassUnknown,
		strings.Replace(token("M1", "", wallet), "V1", "", 1): core.ClassUnknown,
		token("../x", "", wallet):                             core.ClassUnknown,
		"reset":                                               core.ClassUnknown,
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.ConfirmSetup(t.Context(), "op_1", in)
		require.Equal(t, class.String(), failure(t, err).Class.String(), answer)
	}
}

func TestDetachMethod(t *testing.T) {
	t.Parallel()
	const remove, look = "DELETE /v3/vault/payment-tokens/M1", "GET /v3/vault/payment-tokens/M1"
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		class   string // of the error, where there is one
	}{
		"taken away":          {[]string{"204", missing}, []string{remove, look}, ""},
		"gone before":         {[]string{missing}, []string{remove}, ""},
		"there yet":           {[]string{"204", token("M1", "", wallet)}, []string{remove, look}, "unknown"},
		"and then no look":    {[]string{"204", "429 "}, []string{remove, look}, "unknown"},
		"no answer":           {[]string{"reset"}, []string{remove}, "unknown"},
		"refused for a while": {[]string{"429 "}, []string{remove}, "retryable"},
	} {
		adapter, script := open(t, c.answers...)
		err := adapter.DetachMethod(t.Context(), "op_1", methodRef)
		require.Equal(t, c.calls, script.lines(), name)
		if c.class == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, c.class, failure(t, err).Class.String(), name)
	}
	adapter, _ := open(t, missing)
	seen, err := adapter.GetMethod(t.Context(), methodRef)
	require.NoError(t, err)
	require.Equal(t, core.MethodSnapshot{Ref: methodRef, Status: core.MethodRemoved, ForeignStatus: "DELETED", Environment: core.EnvTest}, seen)
}

func TestChargeMethod(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		mode   core.CaptureMode
		answer string
		status core.PaymentStatus
		intent string
		source map[string]any
	}{
		"paypal": {
			core.CaptureAutomatic, order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))), core.PaymentSucceeded, "CAPTURE",
			map[string]any{"paypal": map[string]any{"vault_id": "M1"}},
		},
		"card": {
			core.CaptureManual, order("COMPLETED", visa, authorizations(authorization("CREATED"))), core.PaymentAuthorized, "AUTHORIZE",
			map[string]any{"card": map[string]any{"vault_id": "M1", "stored_credential": map[string]any{
				"payment_initiator": "MERCHANT", "payment_type": "UNSCHEDULED", "usage": "SUBSEQUENT",
			}}},
		},
	} {
		adapter, script := open(t, "201"+c.answer[3:])
		in := charge(t, "M1", kind)
		in.Capture = c.mode
		seen, err := adapter.ChargeMethod(t.Context(), "op_1", in)
		require.NoError(t, err)
		require.Equal(t, c.status, seen.Status)
		require.Equal(t, core.PaymentID(ours), seen.Payment)
		require.Len(t, script.sent(), 1)
		call := script.sent()[0]
		require.Equal(t, "POST /v2/checkout/orders", call.line)
		require.Equal(t, "op_1", call.key)
		require.Equal(t, c.intent, call.body["intent"])
		require.Equal(t, c.source, call.body["payment_source"])
	}
}

func TestChargesThatAreNone(t *testing.T) {
	t.Parallel()
	noRight := problem("403", "NOT_AUTHORIZED", "PERMISSION_DENIED")
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
		code    core.FailureCode
		object  string
	}{
		"declined":              {[]string{order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("5120"))))}, core.ClassDeclined, core.FailureInsufficientFunds, "O1"},
		"the buyer is wanted":   {[]string{order("PAYER_ACTION_REQUIRED", visa, "", payerAction)}, core.ClassDeclined, core.FailureAuthenticationRequired, "O1"},
		"wanted, by an error":   {[]string{problem("422", "UNPROCESSABLE_ENTITY", "PAYER_ACTION_REQUIRED")}, core.ClassDeclined, core.FailureAuthenticationRequired, ""},
		"declined, by an error": {[]string{problem("422", "UNPROCESSABLE_ENTITY", "PAYER_CANNOT_PAY")}, core.ClassDeclined, core.FailureCardDeclined, ""},
		"not asked for":         {[]string{order("APPROVED", wallet, "")}, core.ClassUnknown, "", "O1"},
		"taken away":            {[]string{noRight, missing}, core.ClassInvalid, core.FailureInvalidRequest, ""},
		"no right to it":        {[]string{noRight, token("M1", "", visa)}, core.ClassRetryable, core.FailureProviderUnavailable, ""},
		"and nobody knows why":  {[]string{noRight, "500 x"}, core.ClassRetryable, core.FailureProviderUnavailable, ""},
		"another payment's":     {[]string{strings.Replace(order("COMPLETED", visa, captures(capture("C1", "COMPLETED", "10.00"))), ours, "pay_01jd0000000000000000000001", 1)}, core.ClassUnknown, "", "O1"},
		"no answer":             {[]string{"502 <html>"}, core.ClassUnknown, "", ""},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.ChargeMethod(t.Context(), "op_1", charge(t, "M1", "card"))
		refused := failure(t, err)
		require.Equal(t, c.class.String(), refused.Class.String(), name)
		require.Equal(t, c.code, refused.Code, name)
		require.Equal(t, c.object, refused.ObjectID, name)
		require.Len(t, script.sent(), len(c.answers), name)
	}
}
