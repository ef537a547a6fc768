package paypal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestStatuses(t *testing.T) {
	t.Parallel()
	old := strings.Replace(authorization("CREATED"), "2026-01-31", "2026-01-01", 1)
	for name, c := range map[string]struct {
		answer                         string
		status                         core.PaymentStatus
		foreign                        string
		authorized, captured, refunded int64
	}{
		"created":             {order("CREATED", "", "", approve), core.PaymentRequiresAction, "CREATED", 0, 0, 0},
		"saved":               {order("SAVED", "", ""), core.PaymentRequiresAction, "SAVED", 0, 0, 0},
		"payer action":        {order("PAYER_ACTION_REQUIRED", wallet, "", payerAction), core.PaymentRequiresAction, "PAYER_ACTION_REQUIRED", 0, 0, 0},
		"approved":            {order("APPROVED", wallet, ""), core.PaymentRequiresAction, "APPROVED", 0, 0, 0},
		"voided":              {order("VOIDED", "", ""), core.PaymentCanceled, "VOIDED", 0, 0, 0},
		"unheard":             {order("SOMETHING_NEW", "", ""), "", "SOMETHING_NEW", 0, 0, 0},
		"unreadable":          {order("some text", "", ""), "", "", 0, 0, 0},
		"completed, empty":    {order("COMPLETED", wallet, ""), "", "COMPLETED", 0, 0, 0},
		"captured":            {order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10"))), core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 10_00, 0},
		"partly refunded":     {order("COMPLETED", wallet, captures(capture("C1", "PARTIALLY_REFUNDED", "10.0"))+refunds("COMPLETED", "4.00")), core.PaymentSucceeded, "CAPTURE.PARTIALLY_REFUNDED", 10_00, 10_00, 4_00},
		"refunded":            {order("COMPLETED", wallet, captures(capture("C1", "REFUNDED", "10.00"))+refunds("COMPLETED", "10.00")), core.PaymentSucceeded, "CAPTURE.REFUNDED", 10_00, 10_00, 10_00},
		"refund on its way":   {order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))+refunds("PENDING", "4.00")), core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 10_00, 0},
		"pending":             {order("COMPLETED", wallet, captures(capture("C1", "PENDING", "10.00"))), core.PaymentProcessing, "CAPTURE.PENDING", 0, 0, 0},
		"declined":            {order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00", said("5120")))), core.PaymentFailed, "CAPTURE.DECLINED", 0, 0, 0},
		"failed":              {order("COMPLETED", visa, captures(capture("C1", "FAILED", "10.00"))), core.PaymentFailed, "CAPTURE.FAILED", 0, 0, 0},
		"declined, then not":  {order("COMPLETED", visa, captures(capture("C1", "DECLINED", "10.00"), capture("C2", "COMPLETED", "10.00"))), core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 10_00, 0},
		"capture unheard":     {order("COMPLETED", visa, captures(capture("C1", "SOMETHING_NEW", "10.00"))), "", "CAPTURE.SOMETHING_NEW", 0, 0, 0},
		"held":                {order("COMPLETED", visa, authorizations(authorization("CREATED"))), core.PaymentAuthorized, "AUTHORIZATION.CREATED", 10_00, 0, 0},
		"held for too long":   {order("COMPLETED", visa, authorizations(old)), core.PaymentExpired, "AUTHORIZATION.CREATED", 10_00, 0, 0},
		"run out":             {order("COMPLETED", visa, authorizations(authorization("EXPIRED"))), core.PaymentExpired, "AUTHORIZATION.EXPIRED", 10_00, 0, 0},
		"hold on its way":     {order("COMPLETED", visa, authorizations(authorization("PENDING"))), core.PaymentProcessing, "AUTHORIZATION.PENDING", 0, 0, 0},
		"hold denied":         {order("COMPLETED", visa, authorizations(authorization("DENIED"))), core.PaymentFailed, "AUTHORIZATION.DENIED", 0, 0, 0},
		"let go":              {order("COMPLETED", visa, authorizations(authorization("VOIDED"))), core.PaymentCanceled, "AUTHORIZATION.VOIDED", 10_00, 0, 0},
		"hold unheard":        {order("COMPLETED", visa, authorizations(authorization("SOMETHING_NEW"))), "", "AUTHORIZATION.SOMETHING_NEW", 10_00, 0, 0},
		"taken in part":       {order("COMPLETED", visa, authorizations(authorization("CAPTURED"))+","+captures(capture("C1", "COMPLETED", "4.00"))), core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 4_00, 0},
		"taken in two":        {order("COMPLETED", visa, authorizations(authorization("CAPTURED"))+","+captures(capture("C1", "COMPLETED", "4.00"), capture("C2", "COMPLETED", "6.00"))), core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 10_00, 0},
		"taken, not shown":    {order("COMPLETED", visa, authorizations(authorization("CAPTURED"))), "", "AUTHORIZATION.CAPTURED", 10_00, 0, 0},
		"not to be taken":     {order("COMPLETED", visa, authorizations(authorization("CAPTURED"))+","+captures(capture("C1", "DECLINED", "10.00"))), core.PaymentFailed, "CAPTURE.DECLINED", 10_00, 0, 0},
		"held, and declined":  {order("COMPLETED", visa, authorizations(authorization("CREATED"))+","+captures(capture("C1", "DECLINED", "10.00"))), core.PaymentAuthorized, "AUTHORIZATION.CREATED", 10_00, 0, 0},
		"denied, then held":   {order("COMPLETED", visa, authorizations(strings.Replace(authorization("DENIED"), "A1", "A0", 1), authorization("CREATED"))), core.PaymentAuthorized, "AUTHORIZATION.CREATED", 10_00, 0, 0},
		"two purchase units":  {strings.Replace(order("CREATED", "", ""), `"purchase_units":[`, `"purchase_units":[{"amount":`+eur("1.00")+`},`, 1), "", "CREATED", 0, 0, 0},
		"another's custom id": {strings.Replace(order("CREATED", "", ""), ours, "whatever", 1), core.PaymentRequiresAction, "CREATED", 0, 0, 0},
	} {
		adapter, _ := open(t, c.answer)
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err, name)
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, c.foreign, seen.ForeignStatus, name)
		require.Equal(t, []int64{c.authorized, c.captured, c.refunded}, []int64{seen.Authorized.Minor(), seen.Captured.Minor(), seen.Refunded.Minor()}, name)
		require.Equal(t, c.status == core.PaymentFailed, seen.Failure != nil, name)
		require.Equal(t, name == "approved", seen.Confirmable, name)
		require.False(t, seen.Payable, name)
		require.Equal(t, name == "two purchase units" || name == "another's custom id", seen.Payment == "", name)
	}
}

func TestAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	good := order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))+refunds("COMPLETED", "4.00"))
	for name, answer := range map[string]string{
		"another order":                 strings.Replace(good, `"id":"O1"`, `"id":"O2"`, 1),
		"no id":                         strings.Replace(good, `"id":"O1"`, `"id":""`, 1),
		"no purchase unit":              `200 {"id":"O1","status":"CREATED","create_time":"2026-01-02T03:04:05Z"}`,
		"no amount":                     strings.Replace(good, `"amount":{"currency_code":"EUR","value":"10.00","breakdown":{}}`, `"x":1`, 1),
		"an amount that is a number":    strings.Replace(good, `"10.00"`, `10.00`, 1),
		"an amount with an exponent":    strings.Replace(good, `"10.00"`, `"1e1"`, 1),
		"a capture without amount":      strings.Replace(good, `"status":"COMPLETED","amount":`+eur("10.00"), `"status":"COMPLETED"`, 1),
		"a capture in another currency": strings.Replace(good, `"status":"COMPLETED","amount":{"currency_code":"EUR"`, `"status":"COMPLETED","amount":{"currency_code":"USD"`, 1),
		"a refund that is no number":    strings.Replace(good, `"4.00"`, `"NaN"`, 1),
		"a currency that nobody knows":  strings.ReplaceAll(good, "EUR", "XXQ"),
		"no time":                       strings.Replace(good, "2026-01-02T03:04:05Z", "yesterday", 1),
		"a page of a proxy's":           "200 <html>secret text</html>",
		"half of it":                    good[:len(good)-10],
		"nothing":                       "200",
		"nothing at all":                "204",
		"null":                          "200 null",
		"a list":                        "200 []",
		"a status that is no text":      strings.Replace(good, `"COMPLETED"`, `7`, 1),
		"somewhere else":                "302 <html>",
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.GetPayment(t.Context(), ref)
		require.Equal(t, core.ClassUnknown.String(), failure(t, err).Class.String(), name)
		require.Nil(t, failure(t, err).Failure(), name)
		require.Equal(t, "paypal get O1", failure(t, err).Op)
	}
}

func TestEnvironments(t *testing.T) {
	t.Parallel()
	for href, want := range map[string]core.Environment{
		"https://api.sandbox.paypal.com/v2/checkout/orders/O1":   core.EnvTest,
		"https://api-m.sandbox.paypal.com/v2/checkout/orders/O1": core.EnvTest,
		"https://API.SANDBOX.PAYPAL.COM/v2/checkout/orders/O1":   core.EnvTest,
		"https://api.paypal.com/v2/checkout/orders/O1":           core.EnvLive,
		"https://www.paypal.com/checkoutnow?token=O1":            core.EnvLive,
		"https://sandbox.paypal.com.evil.example/v2/":            core.EnvTest, // says nothing
		"https://shop.example/return":                            core.EnvTest,
		"::":                                                     core.EnvTest,
		"/v2/checkout/orders/O1":                                 core.EnvTest,
	} {
		adapter, _ := open(t, strings.Replace(order("CREATED", "", "", approve), "https://api.sandbox.paypal.com/v2/checkout/orders/O1", href, 1))
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, want, seen.Environment, href)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]*core.PaymentMethod{
		wallet:         {Type: "paypal"},
		`{"venmo":{}}`: {Type: "venmo"},
		visa:           {Type: "card", Brand: "visa", Last4: "1881", ExpMonth: 11, ExpYear: 2030},
		`{"card":{"brand":"CHINA_UNION_PAY","last_digits":"18811","expiry":"11/30"}}`: {Type: "card", Brand: "unionpay"},
		`{"card":{"brand":"not one","last_digits":"abcd","expiry":"2030-13"}}`:        {Type: "card"},
		`{"card":7}`: {Type: "card"},
		`{"a b":{}}`: nil,
		`{}`:         nil,
		`null`:       nil,
	} {
		adapter, _ := open(t, order("APPROVED", source, ""))
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err, source)
		require.Equal(t, want, seen.Method, source)
	}
}

func TestAuthenticationFailed(t *testing.T) {
	t.Parallel()
	for result, fails := range map[string]bool{
		`{"liability_shift":"NO","three_d_secure":{"authentication_status":"N","enrollment_status":"Y"}}`:       true,
		`{"liability_shift":"NO","three_d_secure":{"authentication_status":"R","enrollment_status":"Y"}}`:       true,
		`{"liability_shift":"NO","three_d_secure":{"authentication_status":"U","enrollment_status":"Y"}}`:       true,
		`{"liability_shift":"POSSIBLE","three_d_secure":{"authentication_status":"Y","enrollment_status":"Y"}}`: false,
		`{"liability_shift":"POSSIBLE","three_d_secure":{"authentication_status":"A","enrollment_status":"Y"}}`: false,
		`{"liability_shift":"NO","three_d_secure":{"enrollment_status":"N"}}`:                                   false,
		`{"liability_shift":"UNKNOWN"}`: false,
	} {
		card := strings.Replace(visa, `"name"`, `"authentication_result":`+result+`,"name"`, 1)
		adapter, _ := open(t, order("APPROVED", card, ""), order("COMPLETED", card, captures(capture("C1", "COMPLETED", "10.00"))))
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, !fails, seen.Confirmable, result)
		if fails {
			require.Equal(t, core.PaymentFailed, seen.Status)
			require.Equal(t, core.FailureAuthenticationRequired, seen.Failure.Code)
			require.NotEmpty(t, seen.Failure.ProviderCode)
		}
		seen, err = adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, core.PaymentSucceeded, seen.Status, "what was taken was taken")
	}
}
