package square_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestInvoices(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]core.InvoiceStatus{
		"DRAFT": core.InvoiceDraft, "SCHEDULED": core.InvoiceDraft, "UNPAID": core.InvoiceOpen, "PAYMENT_PENDING": core.InvoiceOpen,
		"PARTIALLY_PAID": core.InvoiceOpen, "PAID": core.InvoicePaid, "PARTIALLY_REFUNDED": core.InvoicePaid, "REFUNDED": core.InvoicePaid,
		"CANCELED": core.InvoiceVoid, "FAILED": core.InvoiceUncollectible, "SOMETHING_NEW": "",
	} {
		answers := []string{`200 {"invoice":` + bill(status) + `}`}
		switch want {
		case core.InvoicePaid:
			answers = append(answers, tendered)
		case core.InvoiceOpen, core.InvoiceUncollectible:
			answers = append(answers, tries("CARD_EXPIRED"))
		case core.InvoiceDraft, core.InvoiceVoid:
		}
		adapter, script := open(t, append(answers, subscription("ACTIVE", ""))...)
		seen, err := adapter.GetInvoice(t.Context(), of(core.ObjectInvoice, "inv:1"))
		require.NoError(t, err, status)
		require.Empty(t, script.answers, status)
		require.Equal(t, want, seen.Status, status)
		require.Equal(t, status, seen.ForeignStatus)
		require.Equal(t, utc(2026, 2, 2), seen.PeriodEnd)
		require.Equal(t, len(answers) > 1, seen.Attempts == 1, status)
		require.Equal(t, strings.HasPrefix(answers[len(answers)-1], `200 {"payments"`), seen.Failure != nil, status)
	}
}

// TestOlderInvoices end when the next one asks.
func TestOlderInvoices(t *testing.T) {
	t.Parallel()
	ids := []string{`["inv:1"]`, `["inv:2","inv:1"]`}
	older, newer := bill("PAID"), bill("CANCELED", "inv:1", "inv:2", `"due_date":"2026-01-02"`, `"due_date":"2026-01-20"`, "O1", "O2")
	adapter, script := open(t, subscription("ACTIVE", "", ids...), variation(), onFile(), `200 {"invoices":[`+older+`,`+newer+`]}`, tendered,
		`200 {"invoice":`+older+`}`, tendered, subscription("ACTIVE", "", ids...), `200 {"invoice":`+newer+`}`)
	seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
	require.NoError(t, err)
	require.Len(t, seen.Invoices, 2)
	require.Equal(t, utc(2026, 2, 2), seen.Invoices[0].PeriodEnd)
	require.Equal(t, utc(2026, 1, 20), seen.Invoices[1].PeriodEnd)
	require.Equal(t, utc(2026, 1, 20), seen.CurrentPeriodStart)
	one, err := adapter.GetInvoice(t.Context(), seen.Invoices[1].Ref)
	require.NoError(t, err)
	require.Equal(t, seen.Invoices[1], one)
	require.Equal(t, "GET /v2/invoices/inv:2", lines(script)[8])

	// One that was made by hand belongs to no subscription, and may ask in parts.
	byHand := bill("PARTIALLY_PAID", `"S1"`, `""`, `"payment_requests":[`, `"payment_requests":[{"due_date":"2026-01-01","computed_amount_money":{"amount":100,"currency":"EUR"}},`)
	adapter, _ = open(t, `200 {"invoice":`+byHand+`}`, `200 {}`)
	one, err = adapter.GetInvoice(t.Context(), of(core.ObjectInvoice, "inv:1"))
	require.NoError(t, err)
	require.Empty(t, one.Subscription.ID)
	require.Equal(t, money(t, 1000, "EUR"), one.AmountDue)
	require.Zero(t, one.PeriodEnd)
}

func TestInvoicesThatGoWrong(t *testing.T) {
	t.Parallel()
	whole := `200 {"invoice":` + bill("PAID") + `}`
	twice := func(second string) string {
		return `200 {"invoice":` + bill("CANCELED", `"payment_requests":[`, `"payment_requests":[`+second+`,`) + `}`
	}
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"none":                       {[]string{missing}, core.ClassInvalid},
		"another":                    {[]string{strings.Replace(whole, "inv:1", "inv:2", 1)}, core.ClassUnknown},
		"nothing":                    {[]string{`200 {}`}, core.ClassUnknown},
		"no time":                    {[]string{strings.Replace(whole, `"created_at"`, `"x"`, 1), tendered, subscription("ACTIVE", "")}, core.ClassUnknown},
		"orders that are refused":    {[]string{whole, badRequest}, core.ClassUnknown},
		"a subscription that is not": {[]string{whole, tendered, missing}, core.ClassUnknown},
		"a subscription too soon":    {[]string{whole, tendered, limited}, core.ClassRetryable},
		"a newer one that is not":    {[]string{whole, tendered, subscription("ACTIVE", "", `["inv:1"]`, `["inv:2","inv:1"]`), missing}, core.ClassUnknown},
		"of two currencies":          {[]string{twice(`{"computed_amount_money":{"amount":1,"currency":"USD"}}`), subscription("ACTIVE", "")}, core.ClassUnknown},
		"of half an amount":          {[]string{twice(`{"computed_amount_money":{"amount":1,"currency":"EUR"},"total_completed_amount_money":{}}`), subscription("ACTIVE", "")}, core.ClassUnknown},
	} {
		adapter, script := open(t, c.answers...)
		_, err := adapter.GetInvoice(t.Context(), of(core.ObjectInvoice, "inv:1"))
		require.Equal(t, c.class.String(), class(t, err).String(), name)
		require.Empty(t, script.answers, name)
	}
	adapter, _ := open(t, `200 {"invoice":`+bill("PAID", `"order_id"`, `"x"`)+`}`, subscription("ACTIVE", ""))
	seen, err := adapter.GetInvoice(t.Context(), of(core.ObjectInvoice, "inv:1"))
	require.NoError(t, err)
	require.Empty(t, seen.Payment.ID, "nobody says what paid it")
}
