package paypal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	for mode, intent := range map[core.CaptureMode]string{core.CaptureAutomatic: "CAPTURE", core.CaptureManual: "AUTHORIZE"} {
		adapter, script := open(t, order("CREATED", "", "", approve))
		session, err := adapter.CreatePayment(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), mode))
		require.NoError(t, err)
		none := core.Zero("EUR")
		require.Equal(t, ports.PaymentSession{
			Snapshot: core.PaymentSnapshot{
				Ref: ref, Payment: ours, Status: core.PaymentRequiresAction, ForeignStatus: "CREATED", Amount: money(t, 10_00, "EUR"),
				Authorized: none, Captured: none, Refunded: none, Environment: core.EnvTest, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			},
			Action: ports.BuyerAction{Type: "paypal_approve"},
		}, session)
		require.Equal(t, []asked{{"POST /v2/checkout/orders", "op_1", map[string]any{
			"intent": intent, "purchase_units": []any{map[string]any{
				"custom_id": ours, "description": strings.Repeat("ö", 127), "amount": map[string]any{"currency_code": "EUR", "value": "10.00"},
			}},
		}}}, script.sent())
	}
}

func TestCreateHosted(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]string{"payer action": payerAction, "approve": approve} {
		adapter, script := open(t, order("PAYER_ACTION_REQUIRED", `{"paypal":{}}`, "", link))
		session, err := adapter.CreateHosted(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		require.NoError(t, err, name)
		require.Equal(t, ports.BuyerAction{Type: ports.ActionRedirect, URL: "https://www.sandbox.paypal.com/checkoutnow?token=O1"}, session.Action)
		require.Empty(t, session.Snapshot.Session, "the page is no object of its own")
		require.Equal(t, core.PaymentRequiresAction, session.Snapshot.Status)
		require.Nil(t, session.Snapshot.Method, "nobody has agreed yet")
		require.Equal(t, map[string]any{"paypal": map[string]any{"experience_context": map[string]any{
			"return_url": "https://shop.example/return", "cancel_url": "https://shop.example/return", "user_action": "PAY_NOW",
			"shipping_preference": "NO_SHIPPING", "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
		}}}, script.sent()[0].body["payment_source"])
	}
	for _, link := range []string{
		self, strings.Replace(payerAction, "https://", "javascript://", 1), strings.Replace(payerAction, "https://", "https://a@", 1),
		strings.Replace(payerAction, "https://www.sandbox.paypal.com", "", 1),
	} {
		adapter, _ := open(t, order("PAYER_ACTION_REQUIRED", `{"paypal":{}}`, "", link))
		_, err := adapter.CreateHosted(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, link)
		require.Equal(t, "O1", failure(t, err).ObjectID)
	}
	// One that the buyer agreed to, or paid, since the key was first sent.
	adapter, _ := open(t, order("APPROVED", wallet, "", self), order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))))
	for range 2 {
		session, err := adapter.CreateHosted(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		require.NoError(t, err)
		require.Zero(t, session.Action)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		want   ports.BuyerAction
	}{
		"on our page":      {order("CREATED", "", "", approve), ports.BuyerAction{Type: "paypal_approve"}},
		"on PayPal's page": {order("PAYER_ACTION_REQUIRED", `{"paypal":{}}`, "", payerAction), ports.BuyerAction{Type: ports.ActionRedirect, URL: "https://www.sandbox.paypal.com/checkoutnow?token=O1"}},
		"agreed to":        {order("APPROVED", wallet, "", approve), ports.BuyerAction{}},
		"paid":             {order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))), ports.BuyerAction{}},
		"voided":           {order("VOIDED", "", ""), ports.BuyerAction{}},
	} {
		adapter, script := open(t, c.answer)
		session, err := adapter.OpenPayment(t.Context(), ref)
		require.NoError(t, err, name)
		require.Equal(t, c.want, session.Action, name)
		require.False(t, session.Snapshot.Payable, name)
		require.Equal(t, []string{"GET /v2/checkout/orders/O1"}, script.lines())
	}
}

func TestAnswersThatShowNotAll(t *testing.T) {
	t.Parallel()
	const short = `201 {"id":"O1","status":"CREATED","links":[` + self + `]}`
	whole := order("CREATED", "", "", approve)
	create := func(answers ...string) (ports.PaymentSession, *scripted, error) {
		adapter, script := open(t, answers...)
		session, err := adapter.CreatePayment(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		return session, script, err
	}
	session, script, err := create(short, whole)
	require.NoError(t, err)
	require.Equal(t, core.PaymentID(ours), session.Snapshot.Payment)
	require.Equal(t, []string{"POST /v2/checkout/orders", "GET /v2/checkout/orders/O1"}, script.lines())
	for _, look := range []string{problem("404", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"), problem("429", "RATE_LIMIT_REACHED"), "500 x", "200 {}", short} {
		_, _, err = create(short, look)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, "it was done, and nobody saw how it stands")
	}
	for name, answer := range map[string]string{
		"another payment's": strings.Replace(whole, ours, "pay_01jd0000000000000000000001", 1),
		"another amount":    strings.Replace(whole, "10.00", "10.01", 1),
	} {
		_, _, err = create(answer)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, name)
		require.Equal(t, "O1", failure(t, err).ObjectID)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode    core.CaptureMode
		answers []string
		status  core.PaymentStatus
		calls   []string
	}{
		"captured": {
			core.CaptureAutomatic,
			[]string{"201" + order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00")))[3:]},
			core.PaymentSucceeded,
			[]string{"POST /v2/checkout/orders/O1/capture"},
		},
		"held": {
			core.CaptureManual,
			[]string{"201" + order("COMPLETED", wallet, authorizations(authorization("CREATED")))[3:]},
			core.PaymentAuthorized,
			[]string{"POST /v2/checkout/orders/O1/authorize"},
		},
		"waiting": {
			core.CaptureAutomatic,
			[]string{order("COMPLETED", wallet, captures(capture("C1", "PENDING", "10.00", `"status_details":{"reason":"ECHECK"}`)))},
			core.PaymentProcessing,
			[]string{"POST /v2/checkout/orders/O1/capture"},
		},
		"a short answer": {
			core.CaptureAutomatic,
			[]string{`201 {"id":"O1","status":"COMPLETED"}`, order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00")))},
			core.PaymentSucceeded,
			[]string{"POST /v2/checkout/orders/O1/capture", "GET /v2/checkout/orders/O1"},
		},
		"an answer without amounts": {
			core.CaptureAutomatic,
			[]string{
				strings.Replace(order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.01"))), `"amount":`+eur("10.01"), `"x":1`, 1),
				order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))),
			},
			core.PaymentSucceeded,
			[]string{"POST /v2/checkout/orders/O1/capture", "GET /v2/checkout/orders/O1"},
		},
		"captured before": {
			core.CaptureAutomatic,
			[]string{problem("422", "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_CAPTURED"), order("COMPLETED", wallet, captures(capture("C1", "REFUNDED", "10.00"))+refunds("COMPLETED", "10.00"))},
			core.PaymentSucceeded,
			[]string{"POST /v2/checkout/orders/O1/capture", "GET /v2/checkout/orders/O1"},
		},
		"held before": {
			core.CaptureManual,
			[]string{problem("422", "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_AUTHORIZED"), order("COMPLETED", wallet, authorizations(authorization("CREATED")))},
			core.PaymentAuthorized,
			[]string{"POST /v2/checkout/orders/O1/authorize", "GET /v2/checkout/orders/O1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			seen, err := adapter.ConfirmPayment(t.Context(), "op_1", confirmation(t, c.mode))
			require.NoError(t, err)
			require.Equal(t, c.status, seen.Status)
			require.Equal(t, ref, seen.Ref)
			require.False(t, seen.Confirmable)
			require.Equal(t, c.calls, script.lines())
			require.Equal(t, "op_1", script.sent()[0].key)
			require.Equal(t, map[string]any{}, script.sent()[0].body)
		})
	}
}

func TestDeclines(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		code    core.FailureCode
		foreign string
	}{
		problem("422", "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED"):                               {core.FailureCardDeclined, "INSTRUMENT_DECLINED"},
		problem("422", "UNPROCESSABLE_ENTITY", "PAYER_CANNOT_PAY"):                                  {core.FailureCardDeclined, "PAYER_CANNOT_PAY"},
		problem("422", "UNPROCESSABLE_ENTITY", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"):              {core.FailureCardDeclined, "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"},
		problem("422", "UNPROCESSABLE_ENTITY", "TRANSACTION_REFUSED"):                               {core.FailureSuspectedFraud, "TRANSACTION_REFUSED"},
		problem("422", "UNPROCESSABLE_ENTITY", "COMPLIANCE_VIOLATION"):                              {core.FailureSuspectedFraud, "COMPLIANCE_VIOLATION"},
		problem("422", "UNPROCESSABLE_ENTITY", "REFERENCED_CARD_EXPIRED"):                           {core.FailureExpiredCard, "REFERENCED_CARD_EXPIRED"},
		problem("422", "UNPROCESSABLE_ENTITY", "SOMETHING_ELSE", "PAYER_ACCOUNT_RESTRICTED"):        {core.FailureCardDeclined, "PAYER_ACCOUNT_RESTRICTED"},
		problem("422", "UNPROCESSABLE_ENTITY", "PAYEE_ACCOUNT_RESTRICTED"):                          {core.FailureInvalidRequest, "PAYEE_ACCOUNT_RESTRICTED"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("5120")))):        {core.FailureInsufficientFunds, "5120"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("5400")))):        {core.FailureExpiredCard, "5400"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("0500")))):        {core.FailureCardDeclined, "0500"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("5100")))):        {core.FailureCardDeclined, "5100"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("9500")))):        {core.FailureSuspectedFraud, "9500"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("9520")))):        {core.FailureSuspectedFraud, "9520"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("00N7")))):        {core.FailureIncorrectCVC, "00N7"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("ZZ99")))):        {core.FailureCardDeclined, "ZZ99"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("secret text")))): {core.FailureCardDeclined, "DECLINED"},
		order("COMPLETED", visa, captures(capture("C1", "FAILED", "10.00"))):                        {core.FailureProcessingError, "FAILED"},
		order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", `"status_details":{"reason":"DECLINED_BY_RISK_FRAUD_FILTERS"}`))): {
			core.FailureCardDeclined, "DECLINED_BY_RISK_FRAUD_FILTERS",
		},
		order("COMPLETED", visa, authorizations(authorization("DENIED", said("5120")))): {core.FailureInsufficientFunds, "5120"},
		order("COMPLETED", visa, authorizations(authorization("DENIED"))):               {core.FailureCardDeclined, "DENIED"},
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirmation(t, core.CaptureAutomatic))
		refused := failure(t, err)
		require.Equal(t, core.ClassDeclined, refused.Class, answer)
		require.Equal(t, want.code, refused.Failure().Code, answer)
		require.Equal(t, want.foreign, refused.Foreign, answer)
		require.Equal(t, "O1", refused.ObjectID, answer)
	}
}

func TestConfirmOutOfPlace(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		class core.Class
		code  core.FailureCode
	}{
		problem("422", "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED"):           {core.ClassInvalid, core.FailureInvalidRequest},
		problem("422", "UNPROCESSABLE_ENTITY", "PAYER_ACTION_REQUIRED"):        {core.ClassInvalid, core.FailureAuthenticationRequired},
		problem("422", "UNPROCESSABLE_ENTITY", "ACTION_DOES_NOT_MATCH_INTENT"): {core.ClassInvalid, core.FailureInvalidRequest},
		order("APPROVED", wallet, ""):                                          {core.ClassUnknown, ""},
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirmation(t, core.CaptureAutomatic))
		require.Equal(t, want.class, failure(t, err).Class, answer)
		if want.code != "" {
			require.Equal(t, want.code, failure(t, err).Failure().Code)
		}
	}
	adapter, _ := open(t, order("COMPLETED", wallet, captures(capture("C1", "SOMETHING_NEW", "10.00"))))
	seen, err := adapter.ConfirmPayment(t.Context(), "op_1", confirmation(t, core.CaptureAutomatic))
	require.NoError(t, err)
	require.Empty(t, seen.Status, "staff look at what nobody knows")
	require.Equal(t, "CAPTURE.SOMETHING_NEW", seen.ForeignStatus)
}

func TestCapture(t *testing.T) {
	t.Parallel()
	get, post := "GET /v2/checkout/orders/O1", "POST /v2/payments/authorizations/A1/capture"
	held := order("COMPLETED", visa, authorizations(authorization("CREATED")))
	after := func(status, value string) string {
		return order("COMPLETED", visa, authorizations(authorization("CAPTURED"))+","+captures(capture("C1", status, value)))
	}
	taken := `201 {"id":"C1","status":"COMPLETED"}`
	for name, c := range map[string]struct {
		amount  int64
		answers []string
		calls   []string
		class   core.Class // of the error, where there is one
		fails   bool
	}{
		"the whole":                    {10_00, []string{held, taken, after("COMPLETED", "10.00")}, []string{get, post, get}, 0, false},
		"a part":                       {4_00, []string{held, taken, after("COMPLETED", "4.00")}, []string{get, post, get}, 0, false},
		"again after a lost answer":    {4_00, []string{after("COMPLETED", "4.00"), taken, after("COMPLETED", "4.00")}, []string{get, post, get}, 0, false},
		"more than there is":           {10_01, []string{held}, []string{get}, core.ClassInvalid, true},
		"nothing held":                 {10_00, []string{order("CREATED", "", "")}, []string{get}, core.ClassInvalid, true},
		"taken before, by another key": {10_00, []string{after("COMPLETED", "4.00"), problem("422", "UNPROCESSABLE_ENTITY", "AUTHORIZATION_ALREADY_CAPTURED")}, []string{get, post}, core.ClassInvalid, true},
		"run out":                      {10_00, []string{held, problem("422", "UNPROCESSABLE_ENTITY", "AUTHORIZATION_EXPIRED")}, []string{get, post}, core.ClassInvalid, true},
		"declined":                     {10_00, []string{held, `201 {"id":"C1","status":"DECLINED"}`, after("DECLINED", "10.00")}, []string{get, post, get}, core.ClassDeclined, true},
		"no answer":                    {10_00, []string{held, "reset"}, []string{get, post}, core.ClassUnknown, true},
		"an answer that breaks off":    {10_00, []string{held, `201 {"id":"C1`}, []string{get, post}, core.ClassUnknown, true},
		"not to be seen yet":           {10_00, []string{held, taken, held}, []string{get, post, get}, core.ClassUnknown, true},
		"and then no look":             {10_00, []string{held, taken, "500 x"}, []string{get, post, get}, core.ClassUnknown, true},
		"no first look":                {10_00, []string{"500 x"}, []string{get}, core.ClassUnknown, true},
		"another running":              {10_00, []string{held, problem("409", "PREVIOUS_REQUEST_IN_PROGRESS")}, []string{get, post}, core.ClassRetryable, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			seen, err := adapter.CapturePayment(t.Context(), "op_1", ref, money(t, c.amount, "EUR"))
			require.Equal(t, c.calls, script.lines())
			if c.fails {
				require.Equal(t, c.class.String(), failure(t, err).Class.String())
				return
			}
			require.NoError(t, err)
			require.Equal(t, core.PaymentSucceeded, seen.Status)
			require.Equal(t, c.amount, seen.Captured.Minor())
			require.Equal(t, int64(10_00), seen.Authorized.Minor(), "what was held at its highest")
			require.Equal(t, "op_1", script.sent()[1].key)
			require.Equal(t, map[string]any{
				"amount": map[string]any{"currency_code": "EUR", "value": money(t, c.amount, "EUR").Decimal()}, "final_capture": true,
			}, script.sent()[1].body)
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	get, void := "GET /v2/checkout/orders/O1", "POST /v2/payments/authorizations/A1/void"
	with := func(status string) string { return order("COMPLETED", visa, authorizations(authorization(status))) }
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		status  core.PaymentStatus // empty for an error
		class   core.Class
	}{
		"held":                {[]string{with("CREATED"), "204", with("VOIDED")}, []string{get, void, get}, core.PaymentCanceled, 0},
		"held, told of":       {[]string{with("CREATED"), `200 {"id":"A1","status":"VOIDED"}`, with("VOIDED")}, []string{get, void, get}, core.PaymentCanceled, 0},
		"voided":              {[]string{with("VOIDED")}, []string{get}, core.PaymentCanceled, 0},
		"voided meanwhile":    {[]string{with("CREATED"), problem("422", "UNPROCESSABLE_ENTITY", "PREVIOUSLY_VOIDED"), with("VOIDED")}, []string{get, void, get}, core.PaymentCanceled, 0},
		"run out":             {[]string{with("EXPIRED")}, []string{get}, core.PaymentExpired, 0},
		"never agreed to":     {[]string{order("CREATED", "", "", approve)}, []string{get}, core.PaymentCanceled, 0},
		"never asked for":     {[]string{order("APPROVED", wallet, "")}, []string{get}, core.PaymentCanceled, 0},
		"declined":            {[]string{order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00")))}, []string{get}, core.PaymentCanceled, 0},
		"order voided":        {[]string{order("VOIDED", "", "")}, []string{get}, core.PaymentCanceled, 0},
		"taken":               {[]string{order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00")))}, []string{get}, "", core.ClassInvalid},
		"on its way":          {[]string{order("COMPLETED", wallet, captures(capture("C1", "PENDING", "10.00")))}, []string{get}, "", core.ClassInvalid},
		"taken meanwhile":     {[]string{with("CREATED"), problem("422", "UNPROCESSABLE_ENTITY", "PREVIOUSLY_CAPTURED")}, []string{get, void}, "", core.ClassInvalid},
		"unheard of":          {[]string{with("SOMETHING_NEW")}, []string{get}, "", core.ClassUnknown},
		"missing":             {[]string{problem("404", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")}, []string{get}, "", core.ClassInvalid},
		"no answer":           {[]string{with("CREATED"), "502 <html>"}, []string{get, void}, "", core.ClassUnknown},
		"and then no look":    {[]string{with("CREATED"), "204", "429 "}, []string{get, void, get}, "", core.ClassUnknown},
		"refused for a while": {[]string{with("CREATED"), "429 "}, []string{get, void}, "", core.ClassRetryable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			seen, err := adapter.CancelPayment(t.Context(), "op_1", ref)
			require.Equal(t, c.calls, script.lines())
			for _, call := range script.sent() {
				require.Equal(t, call.line == void, call.key == "op_1")
				require.Nil(t, call.body)
			}
			if c.status == "" {
				require.Equal(t, c.class.String(), failure(t, err).Class.String())
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.status, seen.Status)
			require.False(t, seen.Confirmable || seen.Payable)
			require.Nil(t, seen.Failure)
		})
	}
}

func TestWhatIsNotSent(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	good := money(t, 10_00, "EUR")
	keys := []core.OperationKey{"", core.OperationKey(strings.Repeat("k", 46))}
	refs := []core.ProviderRef{
		{Account: "other", Kind: core.ObjectPayment, ID: "O1"},
		{Account: "paypal", Kind: "other", ID: "O1"},
		{Account: "paypal", Kind: core.ObjectSession, ID: "O1"},
		{Account: "paypal", Kind: core.ObjectPayment},
		{Account: "paypal", Kind: core.ObjectPayment, ID: "../x"},
		{Account: "paypal", Kind: core.ObjectPayment, ID: "O1?x"},
	}
	amounts := []core.Money{core.Zero("EUR"), money(t, -1, "EUR"), money(t, 1, "HUF"), money(t, 100_01, "TWD"), money(t, 1, "KWD"), {}}
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	try := func(key core.OperationKey, ref core.ProviderRef, amount core.Money, alsoCreate bool) {
		if alsoCreate {
			_, err := adapter.CreatePayment(t.Context(), key, creation(t, amount, core.CaptureAutomatic))
			add(err)
			_, err = adapter.CreateHosted(t.Context(), key, creation(t, amount, core.CaptureAutomatic))
			add(err)
		}
		_, err := adapter.CapturePayment(t.Context(), key, ref, amount)
		add(err)
		_, err = adapter.RefundPayment(t.Context(), key, ports.RefundPayment{Ref: ref, Amount: amount})
		add(err)
		if amount == good {
			in := confirmation(t, core.CaptureAutomatic)
			in.Ref = ref
			_, err = adapter.ConfirmPayment(t.Context(), key, in)
			add(err)
			_, err = adapter.CancelPayment(t.Context(), key, ref)
			add(err)
		}
	}
	for _, key := range keys {
		try(key, ref, good, true)
	}
	for _, amount := range amounts {
		try("op_1", ref, amount, true)
	}
	for _, other := range refs {
		try("op_1", other, good, false)
		_, err := adapter.GetPayment(t.Context(), other)
		add(err)
		_, err = adapter.OpenPayment(t.Context(), other)
		add(err)
	}
	for n, err := range errs {
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, n)
	}
	require.Empty(t, script.sent())
	require.Zero(t, script.granted())
}

func TestRefund(t *testing.T) {
	t.Parallel()
	get, post := "GET /v2/checkout/orders/O1", "POST /v2/payments/captures/C1/refund"
	taken := order("COMPLETED", wallet, captures(capture("C0", "DECLINED", "10.00"), capture("C1", "COMPLETED", "10.00")))
	made := func(status string) string {
		return `201 {"id":"R1","status":"` + status + `","amount":` + eur("4.0") + `,"custom_id":"` + ourRefund + `","create_time":"2026-01-02T03:05:00Z","links":[{"rel":"up","href":"https://api.sandbox.paypal.com/v2/payments/captures/C1"}]}`
	}
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		status  core.RefundStatus // empty for an error
		class   core.Class
	}{
		"done":                      {[]string{taken, made("COMPLETED")}, []string{get, post}, core.RefundSucceeded, 0},
		"waiting":                   {[]string{taken, made("PENDING")}, []string{get, post}, core.RefundPending, 0},
		"failed":                    {[]string{taken, made("FAILED")}, []string{get, post}, core.RefundFailed, 0},
		"canceled":                  {[]string{taken, made("CANCELLED")}, []string{get, post}, core.RefundCanceled, 0},
		"again after a lost answer": {[]string{order("COMPLETED", wallet, captures(capture("C1", "REFUNDED", "10.00"))+refunds("COMPLETED", "10.00")), "200" + made("COMPLETED")[3:]}, []string{get, post}, core.RefundSucceeded, 0},
		"a short answer":            {[]string{taken, `201 {"id":"R1","status":"COMPLETED"}`, made("COMPLETED")}, []string{get, post, "GET /v2/payments/refunds/R1"}, core.RefundSucceeded, 0},
		"and then no look":          {[]string{taken, `201 {"id":"R1"}`, "429 "}, []string{get, post, "GET /v2/payments/refunds/R1"}, "", core.ClassUnknown},
		"and then another":          {[]string{taken, `201 {"id":"R2"}`, made("COMPLETED")}, []string{get, post, "GET /v2/payments/refunds/R2"}, "", core.ClassUnknown},
		"unheard of":                {[]string{taken, made("SOMETHING_NEW")}, []string{get, post}, "", core.ClassUnknown},
		"of another capture":        {[]string{taken, strings.Replace(made("COMPLETED"), "captures/C1", "captures/C9", 1)}, []string{get, post}, "", core.ClassUnknown},
		"of no amount":              {[]string{taken, strings.Replace(made("COMPLETED"), `"4.0"`, `"4e0"`, 1)}, []string{get, post}, "", core.ClassUnknown},
		"without an id":             {[]string{taken, strings.Replace(made("COMPLETED"), "R1", "", 1)}, []string{get, post}, "", core.ClassUnknown},
		"too much":                  {[]string{taken, problem("422", "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED")}, []string{get, post}, "", core.ClassInvalid},
		"given back":                {[]string{taken, problem("422", "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED")}, []string{get, post}, "", core.ClassInvalid},
		"no funds of the merchant":  {[]string{taken, problem("422", "UNPROCESSABLE_ENTITY", "REFUND_FAILED_INSUFFICIENT_FUNDS")}, []string{get, post}, "", core.ClassDeclined},
		"nothing taken":             {[]string{order("COMPLETED", wallet, authorizations(authorization("CREATED")))}, []string{get}, "", core.ClassInvalid},
		"less taken":                {[]string{order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "3.99")))}, []string{get}, "", core.ClassInvalid},
		"no answer":                 {[]string{taken, "503 <html>"}, []string{get, post}, "", core.ClassUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			refund, err := adapter.RefundPayment(t.Context(), "op_2", ports.RefundPayment{Refund: ourRefund, Payment: ours, Ref: ref, Amount: money(t, 4_00, "EUR")})
			require.Equal(t, c.calls, script.lines())
			if c.status == "" {
				require.Equal(t, c.class.String(), failure(t, err).Class.String())
				return
			}
			require.NoError(t, err)
			require.Equal(t, core.ProviderRef{Account: "paypal", Kind: core.ObjectRefund, ID: "R1"}, refund.Ref)
			require.Equal(t, ref, refund.Payment)
			require.Equal(t, c.status, refund.Status)
			require.NotEmpty(t, refund.ForeignStatus)
			require.Equal(t, money(t, 4_00, "EUR"), refund.Amount)
			require.Equal(t, core.RefundID(ourRefund), refund.Refund)
			require.Equal(t, core.EnvTest, refund.Environment)
			require.Equal(t, time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC), refund.CreatedAt)
			require.Equal(t, c.status == core.RefundFailed, refund.Failure != nil)
			require.Equal(t, "op_2", script.sent()[1].key)
			require.Equal(t, map[string]any{
				"amount": map[string]any{"currency_code": "EUR", "value": "4.00"}, "custom_id": ourRefund,
			}, script.sent()[1].body)
		})
	}
}

func TestRefundMadeElsewhere(t *testing.T) {
	t.Parallel()
	up := func(href string) string { return `"links":[` + self + `,{"rel":"up","href":"` + href + `"}]}` }
	refund := `200 {"id":"R1","status":"COMPLETED",` + up("https://evil.example/v2/payments/captures/C1")
	paid := order("COMPLETED", wallet, captures(capture("C1", "PARTIALLY_REFUNDED", "10.00"))+refunds("COMPLETED", "4.00"))
	of := core.ProviderRef{Account: "paypal", Kind: core.ObjectRefund, ID: "R1"}
	lines := []string{"GET /v2/payments/refunds/R1", "GET /v2/payments/captures/C1", "GET /v2/checkout/orders/O1"}
	for name, capture := range map[string]string{
		"by its id":   `200 {"id":"C1","supplementary_data":{"related_ids":{"order_id":"O1"}}}`,
		"by its link": `200 {"id":"C1",` + up("https://api.sandbox.paypal.com/v2/checkout/orders/O1"),
	} {
		adapter, script := open(t, refund, capture, paid)
		seen, err := adapter.GetPayment(t.Context(), of)
		require.NoError(t, err, name)
		require.Equal(t, ref, seen.Ref)
		require.Equal(t, money(t, 4_00, "EUR"), seen.Refunded)
		require.Equal(t, core.PaymentSucceeded, seen.Status)
		require.Equal(t, lines, script.lines(), "nobody goes where a link leads")
	}
	for name, answers := range map[string][]string{
		"no capture":      {`200 {"id":"R1",` + up("https://api.sandbox.paypal.com/v2/payments/authorizations/C1")},
		"a path":          {`200 {"id":"R1",` + up("https://api.sandbox.paypal.com/v2/payments/captures/C1/x")},
		"another refund":  {strings.Replace(refund, "R1", "R2", 1)},
		"another capture": {refund, `200 {"id":"C2","supplementary_data":{"related_ids":{"order_id":"O1"}}}`},
	} {
		adapter, script := open(t, answers...)
		_, err := adapter.GetPayment(t.Context(), of)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, name)
		require.Len(t, script.lines(), len(answers))
	}
	adapter, _ := open(t, missing)
	_, err := adapter.GetPayment(t.Context(), of)
	require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
}
