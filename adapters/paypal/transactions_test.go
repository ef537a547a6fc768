package paypal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// sale is money that a subscription took, as PayPal's older API writes it.
func sale(state, total, agreement string) string {
	return `200 {"id":"T1","state":"` + state + `","amount":{"total":"` + total + `","currency":"EUR"},"create_time":"2026-01-02T03:04:05Z",
		"billing_agreement_id":"` + agreement + `","reason_code":"RISK","links":[{"rel":"self","href":"https://api.sandbox.paypal.com/v1/payments/sale/T1"}]}`
}

// soleCapture is one that no order belongs to.
func soleCapture(status, value string) string {
	return `200 ` + strings.Replace(capture("T1", status, value), `"status"`, `"create_time":"2026-01-02T03:04:05Z","status"`, 1)
}

var saleRef = core.ProviderRef{Account: "paypal", Kind: core.ObjectPayment, ID: "T1"}

func TestPaymentsOfSubscriptions(t *testing.T) {
	t.Parallel()
	lines := []string{"GET /v2/checkout/orders/T1", "GET /v1/payments/sale/T1", "GET /v2/payments/captures/T1"}
	for name, c := range map[string]struct {
		answers            []string
		status             core.PaymentStatus
		foreign            string
		captured, refunded int64
		subscription       string
	}{
		"taken":              {[]string{missing, sale("completed", "10.00", "I-1")}, core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 0, "I-1"},
		"given back":         {[]string{missing, sale("refunded", "10.00", "I-1")}, core.PaymentSucceeded, "CAPTURE.REFUNDED", 10_00, 10_00, "I-1"},
		"given back in part": {[]string{missing, sale("partially_refunded", "10.00", "I-1")}, core.PaymentSucceeded, "CAPTURE.PARTIALLY_REFUNDED", 10_00, 0, "I-1"},
		"on its way":         {[]string{missing, sale("pending", "10.00", "I-1")}, core.PaymentProcessing, "CAPTURE.PENDING", 0, 0, "I-1"},
		"refused":            {[]string{missing, sale("denied", "10.00", "I-1")}, core.PaymentFailed, "CAPTURE.DECLINED", 0, 0, "I-1"},
		"unheard":            {[]string{missing, sale("new", "10.00", "I-1")}, "", "CAPTURE.NEW", 0, 0, "I-1"},
		"of nobody's":        {[]string{missing, sale("completed", "10.00", ""), soleCapture("COMPLETED", "10.00")}, core.PaymentSucceeded, "CAPTURE.COMPLETED", 10_00, 0, ""},
		"by the newer API":   {[]string{missing, missing, soleCapture("FAILED", "10.00")}, core.PaymentFailed, "CAPTURE.FAILED", 0, 0, ""},
	} {
		adapter, script := open(t, c.answers...)
		seen, err := adapter.GetPayment(t.Context(), saleRef)
		require.NoError(t, err, name)
		require.Equal(t, lines[:len(c.answers)], script.lines(), name)
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, c.foreign, seen.ForeignStatus, name)
		require.Equal(t, saleRef, seen.Ref)
		require.Equal(t, c.subscription, seen.Subscription, name)
		require.Empty(t, seen.Payment, "PayPal keeps no id of ours with it")
		require.Equal(t, core.EnvTest, seen.Environment)
		require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), seen.CreatedAt)
		require.Equal(t, []int64{10_00, c.captured, c.captured, c.refunded},
			[]int64{seen.Amount.Minor(), seen.Authorized.Minor(), seen.Captured.Minor(), seen.Refunded.Minor()}, name)
		require.Equal(t, c.status == core.PaymentFailed, seen.Failure != nil, name)
	}
	// By its capture an order is found as well.
	adapter, script := open(t, missing, missing, captureOf("T1", "O1"), order("COMPLETED", wallet, captures(capture("T1", "COMPLETED", "10.00"))))
	seen, err := adapter.GetPayment(t.Context(), saleRef)
	require.NoError(t, err)
	require.Equal(t, ref, seen.Ref)
	require.Equal(t, append(lines, "GET /v2/checkout/orders/O1"), script.lines())
}

func TestPaymentsThatNobodyKnows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
		foreign string
	}{
		"by nothing":               {[]string{missing, missing, missing}, core.ClassInvalid, ports.ForeignMissing},
		"no answer about a sale":   {[]string{missing, "500 x"}, core.ClassUnknown, ""},
		"another sale":             {[]string{missing, strings.Replace(sale("completed", "1.00", "I-1"), `"id":"T1"`, `"id":"T2"`, 1)}, core.ClassUnknown, ""},
		"a sale of no amount":      {[]string{missing, strings.Replace(sale("completed", "1.00", "I-1"), `"amount"`, `"x"`, 1)}, core.ClassUnknown, ""},
		"a sale of no time":        {[]string{missing, strings.Replace(sale("completed", "1.00", "I-1"), `"2026`, `"x`, 1)}, core.ClassUnknown, ""},
		"a sale that breaks off":   {[]string{missing, `200 {"id":"T1`}, core.ClassUnknown, ""},
		"a capture that breaks":    {[]string{missing, missing, `200 {"id":"T1`}, core.ClassUnknown, ""},
		"another capture":          {[]string{missing, missing, captureOf("T2", "O1")}, core.ClassUnknown, ""},
		"a capture of a lost look": {[]string{missing, missing, "429 "}, core.ClassRetryable, ""},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.GetPayment(t.Context(), saleRef)
		require.Equal(t, c.class.String(), failure(t, err).Class.String(), name)
		require.Equal(t, c.foreign, failure(t, err).Foreign, name)
		require.Len(t, script.sent(), len(c.answers), name)
	}
}

func TestRefundOfASubscriptionsPayment(t *testing.T) {
	t.Parallel()
	in := ports.RefundPayment{Refund: ourRefund, Ref: saleRef, Amount: money(t, 4_00, "EUR")}
	adapter, script := open(t, missing, sale("completed", "10.00", "I-1"), `201 {"id":"R1","status":"PENDING","amount":`+eur("4.00")+`}`)
	made, err := adapter.RefundPayment(t.Context(), "op_1", in)
	require.NoError(t, err)
	require.Equal(t, saleRef, made.Payment)
	require.Equal(t, core.RefundPending, made.Status)
	require.Equal(t, "POST /v2/payments/captures/T1/refund", script.lines()[2])
	for name, answer := range map[string]string{"too little": sale("completed", "3.99", "I-1"), "nothing": sale("denied", "10.00", "I-1")} {
		adapter, _ := open(t, missing, answer)
		_, err := adapter.RefundPayment(t.Context(), "op_1", in)
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, name)
	}
	adapter, _ = open(t, missing, strings.Replace(sale("completed", "10.00", "I-1"), "10.00", "1e1", 1))
	_, err = adapter.RefundPayment(t.Context(), "op_1", in)
	require.Equal(t, core.ClassUnknown, failure(t, err).Class)
	adapter, _ = open(t, missing, sale("partially_refunded", "10.00", "I-1"))
	all, err := adapter.PaymentRefunds(t.Context(), saleRef)
	require.NoError(t, err)
	require.Empty(t, all, "PayPal has no list of them")
}

// givenBack is a refund as PayPal writes it.
func givenBack(id, status, more string) string {
	return `{"id":"` + id + `","status":"` + status + `","amount":` + eur("4.00") + `,"custom_id":"` + ourRefund + `",` + more +
		`"links":[{"rel":"self","href":"https://api.sandbox.paypal.com/v2/payments/refunds/R1"},{"rel":"up","href":"https://api.sandbox.paypal.com/v2/payments/captures/C1"}]}`
}

func TestGetRefund(t *testing.T) {
	t.Parallel()
	of := core.ProviderRef{Account: "paypal", Kind: core.ObjectRefund, ID: "R1"}
	for status, want := range map[string]core.RefundStatus{
		"PENDING": core.RefundPending, "COMPLETED": core.RefundSucceeded, "FAILED": core.RefundFailed, "CANCELLED": core.RefundCanceled,
	} {
		for owner, capture := range map[string]string{"O1": captureOf("C1", "O1"), "C1": missing} {
			adapter, script := open(t, "200 "+givenBack("R1", status, `"create_time":"2026-01-02T03:05:00Z","status_details":{"reason":"ECHECK"},`), capture)
			seen, err := adapter.GetRefund(t.Context(), of)
			require.NoError(t, err)
			var failed *core.Failure
			if want == core.RefundFailed {
				failed = core.NewFailure(core.FailureRefundFailed, "ECHECK")
			}
			require.Equal(t, core.RefundSnapshot{
				Ref: of, Refund: ourRefund, Payment: core.ProviderRef{Account: "paypal", Kind: core.ObjectPayment, ID: owner}, Status: want, ForeignStatus: status,
				Amount: money(t, 4_00, "EUR"), Failure: failed, Environment: core.EnvTest, CreatedAt: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC),
			}, seen)
			require.Equal(t, []string{"GET /v2/payments/refunds/R1", "GET /v2/payments/captures/C1"}, script.lines())
		}
	}
	adapter, _ := open(t, missing)
	_, err := adapter.GetRefund(t.Context(), of)
	require.Equal(t, ports.ForeignMissing, failure(t, err).Foreign)
	adapter, _ = open(t, "200 "+givenBack("R1", "COMPLETED", ""), "500 x")
	_, err = adapter.GetRefund(t.Context(), of)
	require.Equal(t, core.ClassUnknown, failure(t, err).Class)
}

func TestPaymentRefunds(t *testing.T) {
	t.Parallel()
	paid := func(all ...string) string {
		return order("COMPLETED", wallet, captures(capture("C1", "PARTIALLY_REFUNDED", "10.00"))+`,"refunds":[`+strings.Join(all, ",")+`]`)
	}
	adapter, script := open(t, paid(
		givenBack("R1", "COMPLETED", `"create_time":"2026-01-02T03:05:00Z",`), givenBack("R3", "FAILED", `"create_time":"2026-01-02T03:07:00Z",`),
		givenBack("R2", "PENDING", `"create_time":"2026-01-02T03:06:00Z",`),
	))
	all, err := adapter.PaymentRefunds(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, []string{"R3", "R2", "R1"}, []string{all[0].Ref.ID, all[1].Ref.ID, all[2].Ref.ID}, "newest first")
	require.Equal(t, ref, all[0].Payment)
	require.Equal(t, []string{"GET /v2/checkout/orders/O1"}, script.lines())
	for _, odd := range []string{givenBack("", "COMPLETED", ""), givenBack("R1", "NEW", ""), strings.Replace(givenBack("R1", "COMPLETED", ""), "4.00", "4e0", 1)} {
		adapter, _ := open(t, paid(odd))
		_, err := adapter.PaymentRefunds(t.Context(), ref)
		require.Equal(t, core.ClassUnknown, failure(t, err).Class, odd)
	}
	many := make([]string, ports.RefundsMax+1)
	for n := range many {
		many[n] = givenBack("R1", "COMPLETED", "")
	}
	adapter, _ = open(t, paid(many...))
	all, err = adapter.PaymentRefunds(t.Context(), ref)
	require.NoError(t, err)
	require.Len(t, all, ports.RefundsMax)
}

// TestCaptureOfAnOldHold: past the days for which PayPal honors it, a hold is renewed first.
func TestCaptureOfAnOldHold(t *testing.T) {
	t.Parallel()
	get, renew := "GET /v2/checkout/orders/O1", "POST /v2/payments/authorizations/A1/reauthorize"
	hold := func(id, status, created string) string {
		return strings.NewReplacer(`"A1"`, `"`+id+`"`, `"status"`, `"create_time":"`+created+`","status"`).Replace(authorization(status))
	}
	take := func(id string) string { return "POST /v2/payments/authorizations/" + id + "/capture" }
	old, fresh := "2025-12-30T03:59:59Z", "2025-12-30T04:00:01Z"
	held := func(all ...string) string { return order("COMPLETED", wallet, authorizations(all...)) }
	taken := `201 {"id":"C1","status":"COMPLETED"}`
	after := order("COMPLETED", wallet, authorizations(hold("A1", "VOIDED", old), hold("A2", "CAPTURED", "2026-01-02T04:00:00Z"))+","+captures(capture("C1", "COMPLETED", "4.00")))
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		class   string // of the error, where there is one
	}{
		"young":                {[]string{held(hold("A1", "CREATED", fresh)), taken, after}, []string{get, take("A1"), get}, ""},
		"old":                  {[]string{held(hold("A1", "CREATED", old)), `201 {"id":"A2","status":"CREATED"}`, taken, after}, []string{get, renew, take("A2"), get}, ""},
		"not to be renewed":    {[]string{held(hold("A1", "CREATED", old)), problem("422", "UNPROCESSABLE_ENTITY", "REAUTHORIZATION_NOT_ALLOWED"), taken, after}, []string{get, renew, take("A1"), get}, ""},
		"refused by the bank":  {[]string{held(hold("A1", "CREATED", old)), problem("422", "UNPROCESSABLE_ENTITY", "PAYER_CANNOT_PAY"), taken, after}, []string{get, renew, take("A1"), get}, ""},
		"renewed before":       {[]string{held(hold("A1", "VOIDED", old), hold("A2", "CREATED", "2026-01-02T04:00:00Z")), taken, after}, []string{get, take("A2"), get}, ""},
		"taken before":         {[]string{after, taken, after}, []string{get, take("A2"), get}, ""},
		"no answer":            {[]string{held(hold("A1", "CREATED", old)), "500 x"}, []string{get, renew}, "unknown"},
		"an unreadable answer": {[]string{held(hold("A1", "CREATED", old)), "201 <html>"}, []string{get, renew}, "unknown"},
		"no id":                {[]string{held(hold("A1", "CREATED", old)), "201 {}"}, []string{get, renew}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			seen, err := adapter.CapturePayment(t.Context(), "op_1", ref, money(t, 4_00, "EUR"))
			require.Equal(t, c.calls, script.lines())
			for _, call := range script.sent() {
				switch call.line {
				case get:
				case renew:
					require.Equal(t, "op_1-a", call.key)
					require.Equal(t, map[string]any{"amount": map[string]any{"currency_code": "EUR", "value": "10.00"}}, call.body)
				default:
					require.Equal(t, "op_1", call.key)
				}
			}
			if c.class != "" {
				require.Equal(t, c.class, failure(t, err).Class.String())
				return
			}
			require.NoError(t, err)
			require.Equal(t, core.PaymentSucceeded, seen.Status)
		})
	}
	adapter, _ := open(t, held(hold("A2", "CREATED", fresh), hold("A1", "CREATED", old)))
	seen, err := adapter.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 1, 31, 3, 4, 5, 0, time.UTC), seen.CaptureBefore)
}
