package paypal_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// payment is a payment's id; those with greater numbers are newer.
func payment(n int) string { return fmt.Sprintf("pay_01jd00000000000000000000%02d", n) }

// row is a transaction of the report.
func row(id, code, custom string) string {
	return `{"transaction_info":{"transaction_id":"` + id + `","transaction_event_code":"` + code + `","custom_field":"` + custom + `","transaction_amount":{"value":"-1"}}}`
}

func report(pages int, rows ...string) string {
	return fmt.Sprintf(`200 {"transaction_details":[%s],"total_pages":%d}`, strings.Join(rows, ","), pages)
}

func captureOf(id, order string) string {
	return `200 {"id":"` + id + `","supplementary_data":{"related_ids":{"order_id":"` + order + `"}}}`
}

func orderFor(id, custom, created string) string {
	text := order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00")))
	return strings.NewReplacer(`"id":"O1"`, `"id":"`+id+`"`, ours, custom, "2026-01-02T03:04:05Z", created).Replace(text)
}

// window is an hour of the day of the tests, whose clock shows 4 o'clock.
func window(cursor string, limit int) ports.ListPayments {
	from := time.Date(2026, 1, 2, 3, 0, 0, 1, time.UTC)
	return ports.ListPayments{From: from, Until: from.Add(30 * time.Minute), Cursor: cursor, Limit: limit}
}

const reported = "GET /v1/reporting/transactions?end_date=2026-01-02T04%3A00%3A01Z&fields=transaction_info&page=1&page_size=500&start_date=2026-01-02T03%3A00%3A00Z"

func TestList(t *testing.T) {
	t.Parallel()
	rows := []string{
		row("C1", "T0006", payment(1)), row("C9", "T0006", "another shop's"), row("A2", "T1300", payment(2)), row("R3", "T1107", payment(3)),
		row("B3", "T1201", payment(3)), row("C3", "T0006", payment(3)), row("", "T0006", payment(4)), row("../x", "T0006", payment(4)),
		row("C5", "T0006", payment(5)), row("C6", "T0006", payment(6)),
	}
	adapter, script := open(t, report(1, rows...),
		captureOf("C6", "O6"), problem("404", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"), // gone
		captureOf("C5", "O5"), orderFor("O5", payment(5), "2026-01-02T02:59:59Z"), // before
		captureOf("C3", "O3"), orderFor("O3", payment(3), "2026-01-02T03:05:00Z"),
		report(1, rows...),
		captureOf("A2", "O2"), orderFor("O2", payment(2), "2026-01-02T03:04:00Z"),
		captureOf("C1", "O1"), orderFor("O1", payment(9), "2026-01-02T03:03:00Z"), // another payment's
	)
	list, err := adapter.ListPayments(t.Context(), window("", 3))
	require.NoError(t, err)
	require.Len(t, list.Payments, 1)
	require.Equal(t, "O3", list.Payments[0].Ref.ID)
	require.Equal(t, core.PaymentID(payment(3)), list.Payments[0].Payment)
	require.NotEmpty(t, list.NextCursor)
	list, err = adapter.ListPayments(t.Context(), window(list.NextCursor, 3))
	require.NoError(t, err)
	require.Len(t, list.Payments, 1)
	require.Equal(t, "O2", list.Payments[0].Ref.ID)
	require.Empty(t, list.NextCursor)
	require.Equal(t, []string{
		reported, "GET /v2/payments/captures/C6", "GET /v2/checkout/orders/O6", "GET /v2/payments/captures/C5", "GET /v2/checkout/orders/O5",
		"GET /v2/payments/captures/C3", "GET /v2/checkout/orders/O3",
		reported, "GET /v2/payments/authorizations/A2", "GET /v2/checkout/orders/O2", "GET /v2/payments/captures/C1", "GET /v2/checkout/orders/O1",
	}, script.lines())
}

func TestListIsNewestFirstAndShort(t *testing.T) {
	t.Parallel()
	const all = 20
	var rows []string
	for n := range all {
		rows = append(rows, row(fmt.Sprintf("C%d", n), "", payment(n)))
	}
	seen, cursor := all, ""
	for pages := 1; ; pages++ {
		answers := []string{report(0, rows...)}
		for n := seen - 1; n >= max(seen-paypal.ListPaymentsMax, 0); n-- {
			answers = append(answers, captureOf(fmt.Sprintf("C%d", n), fmt.Sprintf("O%d", n)), orderFor(fmt.Sprintf("O%d", n), payment(n), fmt.Sprintf("2026-01-02T03:04:%02dZ", n)))
		}
		adapter, _ := open(t, answers...)
		list, err := adapter.ListPayments(t.Context(), window(cursor, core.PageItemsMax))
		require.NoError(t, err)
		require.LessOrEqual(t, len(list.Payments), paypal.ListPaymentsMax)
		for _, one := range list.Payments {
			seen--
			require.Equal(t, core.PaymentID(payment(seen)), one.Payment)
		}
		if cursor = list.NextCursor; cursor == "" {
			require.Equal(t, 3, pages)
			break
		}
	}
	require.Zero(t, seen)
}

// TestListFollowsWhatLeads: a payment has more transactions than its capture.
func TestListFollowsWhatLeads(t *testing.T) {
	t.Parallel()
	gone := problem("404", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
	fees := []string{row("X1", "T0200", ours), row("X2", "T1302", ours), row("C1", "T0006", ours), row("X4", "T0200", ours)}
	adapter, script := open(t, report(1, fees...), gone, gone, captureOf("C1", "O1"), orderFor("O1", ours, "2026-01-02T03:04:05Z"))
	list, err := adapter.ListPayments(t.Context(), window("", 5))
	require.NoError(t, err)
	require.Len(t, list.Payments, 1)
	require.Equal(t, []string{
		reported, "GET /v2/payments/captures/X1", "GET /v2/payments/authorizations/X2", "GET /v2/payments/captures/C1", "GET /v2/checkout/orders/O1",
	}, script.lines())

	adapter, script = open(t, report(1, append(fees[:2:2], fees[3], fees[2])...), gone, gone, gone)
	list, err = adapter.ListPayments(t.Context(), window("", 5))
	require.NoError(t, err)
	require.Empty(t, list.Payments)
	require.Len(t, script.lines(), 4, "there is a limit to it")
}

// times are the beginning and end of a report that was asked for.
func times(t *testing.T, line string) (from, until time.Time) {
	t.Helper()
	at, err := url.Parse(strings.TrimPrefix(line, "GET "))
	require.NoError(t, err)
	from, err = time.Parse(time.RFC3339, at.Query().Get("start_date"))
	require.NoError(t, err)
	until, err = time.Parse(time.RFC3339, at.Query().Get("end_date"))
	require.NoError(t, err)
	return from, until
}

func TestListOfALongTime(t *testing.T) {
	t.Parallel()
	in := ports.ListPayments{From: clock.Add(-100 * 24 * time.Hour), Until: clock.Add(time.Hour), Limit: 10}
	adapter, script := open(t, report(1), report(1), report(1), report(1))
	for {
		list, err := adapter.ListPayments(t.Context(), in)
		require.NoError(t, err)
		require.Empty(t, list.Payments)
		if in.Cursor = list.NextCursor; in.Cursor == "" {
			break
		}
	}
	lines := script.lines()
	require.Len(t, lines, 4)
	before := in.Until
	for n, line := range lines {
		from, until := times(t, line)
		require.LessOrEqual(t, until.Sub(from), 31*24*time.Hour)
		require.False(t, until.After(clock.Add(time.Second)), "nothing is asked about the time to come")
		require.False(t, until.Before(before) && n > 0, "no gaps")
		before = from
	}
	require.True(t, before.Equal(in.From))
}

func TestListOfMoreThanCanBeRead(t *testing.T) {
	t.Parallel()
	in := window("", 10)
	adapter, script := open(t, report(paypal.ReportPagesMax+1), report(2), report(2), report(1))
	list, err := adapter.ListPayments(t.Context(), in)
	require.NoError(t, err)
	require.NotEmpty(t, list.NextCursor, "the part before comes next")
	in.Cursor = list.NextCursor
	list, err = adapter.ListPayments(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, list.NextCursor)
	lines := script.lines()
	require.Len(t, lines, 4)
	whole, _ := times(t, lines[0])
	half, _ := times(t, lines[1])
	require.InDelta(t, 900, half.Sub(whole).Seconds(), 1)
	require.Contains(t, lines[2], "page=2")
	last, until := times(t, lines[3])
	require.Equal(t, whole, last)
	require.False(t, until.Before(half))

	var answers []string
	for range 13 {
		answers = append(answers, report(paypal.ReportPagesMax+1))
	}
	adapter, script = open(t, answers...)
	_, err = adapter.ListPayments(t.Context(), window("", 10))
	require.Equal(t, core.ClassUnknown, failure(t, err).Class, "a second holds more than can be read")
	require.Less(t, len(script.lines()), 13)
}

func TestListsThatAreNotAsked(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	for name, in := range map[string]ports.ListPayments{
		"to come": {From: clock.Add(time.Second), Until: clock.Add(time.Hour), Limit: 1},
		"no time": {From: clock, Until: clock, Limit: 1},
		"turned":  {From: clock, Until: clock.Add(-time.Hour), Limit: 1},
	} {
		list, err := adapter.ListPayments(t.Context(), in)
		require.NoError(t, err, name)
		require.Empty(t, list, name)
	}
	from := window("", 1).From.Unix()
	for _, cursor := range []string{
		"x", "..", "1.2.3", fmt.Sprintf("%d.%d", from, from+1), fmt.Sprintf("%d.%d.chk_1", from, from+1), fmt.Sprintf("%d.%d.", from-1, from+1),
		fmt.Sprintf("%d.%d.", from, from+3600), fmt.Sprintf("%d.%d.", from+1, from), fmt.Sprintf("%d.%d.%s.x", from, from+1, ours),
	} {
		_, err := adapter.ListPayments(t.Context(), window(cursor, 1))
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, cursor)
	}
	require.Empty(t, script.sent())
}

func TestListsThatGoWrong(t *testing.T) {
	t.Parallel()
	good, found := report(1, row("C1", "T0006", ours)), captureOf("C1", "O1")
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"no report":         {[]string{"500 x"}, core.ClassUnknown},
		"no permission":     {[]string{problem("403", "NOT_AUTHORIZED", "PERMISSION_DENIED")}, core.ClassRetryable},
		"too often":         {[]string{"429 "}, core.ClassRetryable},
		"no page":           {[]string{report(2), "502 <html>"}, core.ClassUnknown},
		"not readable":      {[]string{"200 []"}, core.ClassUnknown},
		"no report at all":  {[]string{"200 {}"}, core.ClassUnknown},
		"no capture":        {[]string{good, "500 x"}, core.ClassUnknown},
		"another capture":   {[]string{good, captureOf("C2", "O1")}, core.ClassUnknown},
		"no order":          {[]string{good, found, "502 x"}, core.ClassUnknown},
		"an order unusable": {[]string{good, found, strings.Replace(orderFor("O1", ours, "2026-01-02T03:04:05Z"), "10.00", "x", 1)}, core.ClassUnknown},
	} {
		adapter, _ := open(t, c.answers...)
		_, err := adapter.ListPayments(t.Context(), window("", 5))
		require.Equal(t, c.class.String(), failure(t, err).Class.String(), name)
	}
}
