package square_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// of is a ref of the account's.
func of(kind core.ObjectKind, id string) core.ProviderRef {
	return core.ProviderRef{Account: "square", Kind: kind, ID: id}
}

// foreign is the code of an answer that is no success.
func foreign(t *testing.T, err error) string {
	t.Helper()
	return providerError(t, err).Foreign
}

const (
	missing    = `404 {"errors":[{"category":"INVALID_REQUEST_ERROR","code":"NOT_FOUND","detail":"secret text"}]}`
	badRequest = `400 {"errors":[{"category":"INVALID_REQUEST_ERROR","code":"BAD_REQUEST","detail":"secret text"}]}`
	limited    = `429 {"errors":[{"category":"RATE_LIMIT_ERROR","code":"RATE_LIMITED"}]}`
	down       = `500 {"errors":[{"category":"API_ERROR","code":"INTERNAL_SERVER_ERROR"}]}`
)

func TestRefundStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]core.RefundStatus{
		"PENDING": core.RefundPending, "COMPLETED": core.RefundSucceeded, "APPROVED": core.RefundSucceeded, "REJECTED": core.RefundFailed,
		"FAILED": core.RefundFailed, "SOMETHING_NEW": core.RefundPending,
	} {
		adapter, script := open(t, refunded(status))
		seen, err := adapter.GetRefund(t.Context(), of(core.ObjectRefund, "R1"))
		require.NoError(t, err, status)
		require.Equal(t, want, seen.Status, status)
		require.Equal(t, status, seen.ForeignStatus)
		require.Equal(t, ref, seen.Payment)
		require.Equal(t, []string{"GET /v2/refunds/R1"}, lines(script))
		if want != core.RefundFailed {
			require.Nil(t, seen.Failure)
			continue
		}
		require.Equal(t, core.NewFailure(core.FailureRefundFailed, status), seen.Failure)
	}
}

func TestOurRefunds(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]core.RefundID{
		ourRefund: ourRefund, "other " + ourRefund: ourRefund, "": "", "broken glass": "", ourRefund + " came back": "", "pay_01jd0000000000000000000000": "",
	} {
		adapter, _ := open(t, refunded("PENDING", "duplicate "+ourRefund, reason))
		seen, err := adapter.GetRefund(t.Context(), of(core.ObjectRefund, "R1"))
		require.NoError(t, err)
		require.Equal(t, want, seen.Refund, reason)
	}
}

func TestPaymentRefunds(t *testing.T) {
	t.Parallel()
	paid := func(ids string) string {
		return shown("COMPLETED", `"reference_id"`, `"refund_ids":[`+ids+`],"reference_id"`)
	}
	older := refunded("COMPLETED", "R1", "R0", "2026-01-02", "2026-01-01")
	adapter, script := open(t, paid(`"R0","R1"`), older, refunded("PENDING"))
	seen, err := adapter.PaymentRefunds(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, []string{"GET /v2/payments/P1", "GET /v2/refunds/R0", "GET /v2/refunds/R1"}, lines(script))
	require.Equal(t, []string{"R1", "R0"}, []string{seen[0].Ref.ID, seen[1].Ref.ID}, "newest first")

	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"no such payment":          {[]string{missing}, core.ClassInvalid},
		"one of another payment":   {[]string{paid(`"R1"`), refunded("PENDING", `"payment_id":"P1"`, `"payment_id":"P2"`)}, core.ClassUnknown},
		"one that is not there":    {[]string{paid(`"R1"`), missing}, core.ClassUnknown},
		"one too soon":             {[]string{paid(`"R1"`), limited}, core.ClassRetryable},
		"one of no shape":          {[]string{paid(`"../x"`)}, core.ClassUnknown},
		"more than there can be":   {[]string{paid(strings.Repeat(`"R1",`, ports.RefundsMax) + `"R1"`)}, core.ClassUnknown},
		"one that was nothing":     {[]string{paid(`"R1"`), refunded("PENDING", `"amount":400`, `"amount":0`)}, core.ClassUnknown},
		"one of no time":           {[]string{paid(`"R1"`), refunded("PENDING", `"created_at"`, `"x"`)}, core.ClassUnknown},
		"one of no status":         {[]string{paid(`"R1"`), refunded("")}, core.ClassUnknown},
		"one of no amount":         {[]string{paid(`"R1"`), refunded("PENDING", `"amount_money"`, `"x"`)}, core.ClassUnknown},
		"another than was asked":   {[]string{paid(`"R1"`), refunded("PENDING", `"id":"R1"`, `"id":"R2"`)}, core.ClassUnknown},
		"a payment of no readable": {[]string{`200 {"payment":{"id":"P1"`}, core.ClassUnknown},
	} {
		adapter, _ := open(t, c.answers...)
		_, err := adapter.PaymentRefunds(t.Context(), ref)
		require.Equal(t, c.class.String(), class(t, err).String(), name)
	}
}

// TestCaptureBefore: what is held runs out, and what is taken does not.
func TestCaptureBefore(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]time.Time{"APPROVED": time.Date(2026, 1, 9, 3, 4, 5, 0, time.UTC), "COMPLETED": {}, "CANCELED": {}} {
		adapter, _ := open(t, shown(status))
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, want, seen.CaptureBefore, status)
	}
}

// TestWhosePaymentItIs: one that carries nothing of ours may be a subscription's.
func TestWhosePaymentItIs(t *testing.T) {
	t.Parallel()
	billed := shown("COMPLETED", `"reference_id":"`+ours+`"`, `"order_id":"O1","customer_id":"CUS1"`)
	order := `200 {"order":{"id":"O1","state":"COMPLETED"}}`
	adapter, script := open(t, billed, order, `200 {"invoices":[{"id":"inv:0","order_id":"O0","subscription_id":"S0"},{"id":"inv:1","order_id":"O1","subscription_id":"S1"}]}`)
	seen, err := adapter.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, "S1", seen.Subscription)
	require.Equal(t, asked{line: "POST /v2/invoices/search", body: map[string]any{"limit": 200.0, "query": map[string]any{
		"filter": map[string]any{"location_ids": []any{"L1"}, "customer_ids": []any{"CUS1"}},
		"sort":   map[string]any{"field": "INVOICE_SORT_DATE", "order": "DESC"},
	}}}, script.calls[2])

	adapter, _ = open(t, billed, order, `200 {"invoices":[{"id":"inv:0","order_id":"O0","subscription_id":"S0"}]}`)
	seen, err = adapter.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	require.Empty(t, seen.Subscription, "it is the customer's, and no invoice's")
	adapter, _ = open(t, billed, order, down)
	_, err = adapter.GetPayment(t.Context(), ref)
	require.Equal(t, core.ClassUnknown, class(t, err))
	adapter, script = open(t, shown("COMPLETED", `"reference_id":"`+ours+`"`, `"order_id":"O1"`), order)
	_, err = adapter.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	require.Len(t, script.calls, 2, "nobody is billed who is no customer")
}
