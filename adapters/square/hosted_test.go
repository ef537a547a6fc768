package square_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var pageRef = core.ProviderRef{Account: "square", Kind: core.ObjectSession, ID: "L1.O1"}

// The calls that a page takes.
const (
	getOrder, getPayment  = "GET /v2/orders/O1", "GET /v2/payments/P1"
	getLink, deleteLink   = "GET /v2/online-checkout/payment-links/L1", "DELETE /v2/online-checkout/payment-links/L1"
	cancelMade            = "POST /v2/payments/P1/cancel"
	linkShown             = `200 {"payment_link":{"id":"L1","version":1,"order_id":"O1","url":"https://square.link/u/x","created_at":"2026-01-02T03:04:06Z"}}`
	linkGone              = `404 {"errors":[{"category":"INVALID_REQUEST_ERROR","code":"NOT_FOUND"}]}`
	linkDeleted           = `200 {"id":"L1","cancelled_order_id":"O1"}`
	refusedAsUsual        = `400 {"errors":[{"category":"INVALID_REQUEST_ERROR","code":"BAD_REQUEST"}]}`
	noAnswerThatCanBeUsed = `500 x`
)

// orderShown is an order as Square writes it, perhaps with payments.
func orderShown(state string, payments ...string) string {
	tenders := ""
	if len(payments) > 0 {
		tenders = `"tenders":[{"type":"CARD","payment_id":"` + strings.Join(payments, `"},{"type":"CARD","payment_id":"`) + `"}],`
	}
	return `200 {"order":{"id":"O1","location_id":"L1","reference_id":"` + ours + `","state":"` + state + `",` + tenders +
		`"total_money":{"amount":1000,"currency":"EUR"},"created_at":"2026-01-02T03:04:05.5Z"}}`
}

// made is a payment of such an order: its reference is nobody's.
func made(status string, changes ...string) string {
	return shown(status, append([]string{`"reference_id":"` + ours + `"`, `"order_id":"O1"`}, changes...)...)
}

func hostedOrder(t *testing.T) ports.CreatePayment {
	t.Helper()
	return ports.CreatePayment{
		Payment: ours, Amount: money(t, 1000, "EUR"), Capture: core.CaptureAutomatic, Description: "order 1", ReturnURL: "https://shop.example/return",
	}
}

func waiting(t *testing.T, state string) ports.PaymentSession {
	t.Helper()
	none := core.Zero("EUR")
	return ports.PaymentSession{
		Snapshot: core.PaymentSnapshot{
			Ref: core.ProviderRef{Account: "square", Kind: core.ObjectPayment}, Session: "L1.O1", Payment: ours,
			Status: core.PaymentRequiresAction, ForeignStatus: state, Environment: core.EnvTest, Payable: true,
			Amount: money(t, 1000, "EUR"), Authorized: none, Captured: none, Refunded: none,
			CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 500_000_000, time.UTC),
		},
		Action: ports.BuyerAction{Type: ports.ActionRedirect, URL: "https://square.link/u/x"},
	}
}

func TestCreateHosted(t *testing.T) {
	t.Parallel()
	const post = "POST /v2/online-checkout/payment-links"
	order := strings.TrimSuffix(strings.TrimPrefix(orderShown("DRAFT"), `200 {"order":`), "}")
	related := func(orders string) string {
		return strings.TrimSuffix(linkShown, "}") + `,"related_resources":{"orders":[` + orders + `]}}`
	}
	for name, c := range map[string]struct{ answers, calls []string }{
		"with its order":              {[]string{related(order)}, []string{post}},
		"without it":                  {[]string{linkShown, orderShown("DRAFT")}, []string{post, getOrder}},
		"with half of it":             {[]string{related(`{"id":"O1","state":"DRAFT"}`), orderShown("DRAFT")}, []string{post, getOrder}},
		"with somebody else's":        {[]string{related(strings.Replace(order, "O1", "O2", 1)), orderShown("DRAFT")}, []string{post, getOrder}},
		"with it among somebody's":    {[]string{related(strings.Replace(order, "O1", "O2", 1) + "," + order)}, []string{post}},
		"and then it cannot be shown": {[]string{linkShown, `429 {"errors":[{"code":"RATE_LIMITED"}]}`}, []string{post, getOrder}},
	} {
		adapter, script := open(t, c.answers...)
		session, err := adapter.CreateHosted(t.Context(), "op_1", hostedOrder(t))
		require.Equal(t, c.calls, lines(script), name)
		if strings.HasPrefix(name, "and then") {
			require.Equal(t, core.ClassUnknown, class(t, err), "the page is there: nothing was refused")
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, waiting(t, "DRAFT"), session, name)
		require.Equal(t, map[string]any{
			"idempotency_key": "op_1",
			"order": map[string]any{"location_id": "L1", "reference_id": ours, "line_items": []any{map[string]any{
				"name": "order 1", "quantity": "1", "base_price_money": map[string]any{"amount": 1000.0, "currency": "EUR"},
			}}},
			"checkout_options": map[string]any{"redirect_url": "https://shop.example/return"}, "payment_note": "order 1",
		}, script.calls[0].body, name)
	}
}

func TestCreateHostedWithoutWords(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, linkShown, orderShown("DRAFT"), linkShown, orderShown("DRAFT"))
	in := hostedOrder(t)
	in.Description = ""
	_, err := adapter.CreateHosted(t.Context(), "op_1", in)
	require.NoError(t, err)
	in.Description = strings.Repeat("é", 600)
	_, err = adapter.CreateHosted(t.Context(), "op_2", in)
	require.NoError(t, err)
	name := func(call asked) any {
		return call.body["order"].(map[string]any)["line_items"].([]any)[0].(map[string]any)["name"]
	}
	require.Equal(t, "Order", name(script.calls[0]))
	require.NotContains(t, script.calls[0].body, "payment_note")
	require.Equal(t, strings.Repeat("é", 512), name(script.calls[2]), "the most that Square takes")
	require.Equal(t, strings.Repeat("é", 500), script.calls[2].body["payment_note"])
}

func TestWhatIsNotSentForAPage(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	require.True(t, adapter.Capabilities().Hosted)
	require.False(t, adapter.Capabilities().HostedManualCapture)
	create := func(key core.OperationKey, change func(*ports.CreatePayment)) error {
		in := hostedOrder(t)
		change(&in)
		_, err := adapter.CreateHosted(t.Context(), key, in)
		return err
	}
	for name, err := range map[string]error{
		"no key":     create("", func(*ports.CreatePayment) {}),
		"a long key": create(core.OperationKey(strings.Repeat("k", 46)), func(*ports.CreatePayment) {}),
		"holding":    create("op_1", func(in *ports.CreatePayment) { in.Capture = core.CaptureManual }),
		"a currency": create("op_1", func(in *ports.CreatePayment) { in.Amount = money(t, 1, "CHF") }),
		"nothing":    create("op_1", func(in *ports.CreatePayment) { in.Amount = core.Zero("EUR") }),
		"cancel without a key": func() error {
			_, err := adapter.CancelPayment(t.Context(), "", pageRef)
			return err
		}(),
	} {
		require.Equal(t, core.ClassInvalid, class(t, err), name)
	}
	for _, bad := range []core.ProviderRef{
		{Account: "x", Kind: core.ObjectSession, ID: "L1.O1"},
		{Account: "square", Kind: core.ObjectSession, ID: "L1"},
		{Account: "square", Kind: core.ObjectSession, ID: "L1."},
		{Account: "square", Kind: core.ObjectSession, ID: ".O1"},
		{Account: "square", Kind: core.ObjectSession, ID: "L1.O1.P1"},
		{Account: "square", Kind: core.ObjectSession, ID: "../x.O1"},
		{Account: "square", Kind: core.ObjectSession},
		{Account: "square", Kind: core.ObjectPayment, ID: "L1.O1"},
	} {
		_, err := adapter.GetPayment(t.Context(), bad)
		require.Equal(t, core.ClassInvalid, class(t, err), bad)
		_, err = adapter.OpenPayment(t.Context(), bad)
		require.Equal(t, core.ClassInvalid, class(t, err), bad)
		_, err = adapter.CancelPayment(t.Context(), "op_1", bad)
		require.Equal(t, core.ClassInvalid, class(t, err), bad)
	}
	_, err := adapter.CapturePayment(t.Context(), "op_1", pageRef, money(t, 1, "EUR"))
	require.Equal(t, core.ClassInvalid, class(t, err))
	require.Empty(t, script.calls)
}

// TestPages is the table of what a page shows.
func TestPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		status  core.PaymentStatus
		payment string
		payable bool
	}{
		"nobody has paid yet": {[]string{orderShown("OPEN"), linkShown}, []string{getOrder, getLink}, core.PaymentRequiresAction, "", true},
		"a draft":             {[]string{orderShown("DRAFT"), linkShown}, []string{getOrder, getLink}, core.PaymentRequiresAction, "", true},
		"paid":                {[]string{orderShown("COMPLETED", "P1"), made("COMPLETED")}, []string{getOrder, getPayment}, core.PaymentSucceeded, "P1", false},
		"paid, to be shipped": {[]string{orderShown("OPEN", "P1"), made("COMPLETED")}, []string{getOrder, getPayment}, core.PaymentSucceeded, "P1", false},
		"held":                {[]string{orderShown("OPEN", "P1"), made("APPROVED")}, []string{getOrder, getPayment}, core.PaymentAuthorized, "P1", false},
		"under way":           {[]string{orderShown("OPEN", "P1"), made("PENDING"), linkShown}, []string{getOrder, getPayment}, core.PaymentProcessing, "", false},
		"declined":            {[]string{orderShown("OPEN", "P1"), made("FAILED"), linkShown}, []string{getOrder, getPayment, getLink}, core.PaymentRequiresAction, "", true},
		"declined, then paid": {
			[]string{orderShown("COMPLETED", "P0", "P1"), made("FAILED", `"id":"P1"`, `"id":"P0"`), made("COMPLETED")},
			[]string{getOrder, "GET /v2/payments/P0", getPayment},
			core.PaymentSucceeded, "P1", false,
		},
		"let go, open still":  {[]string{orderShown("OPEN", "P1"), made("CANCELED"), linkShown}, []string{getOrder, getPayment, getLink}, core.PaymentRequiresAction, "", true},
		"let go, closed":      {[]string{orderShown("CANCELED", "P1"), made("CANCELED")}, []string{getOrder, getPayment}, core.PaymentCanceled, "P1", false},
		"let go, no link":     {[]string{orderShown("OPEN", "P1"), made("CANCELED"), linkGone}, []string{getOrder, getPayment, getLink}, core.PaymentCanceled, "P1", false},
		"closed":              {[]string{orderShown("CANCELED")}, []string{getOrder}, core.PaymentCanceled, "", false},
		"no link":             {[]string{orderShown("OPEN"), linkGone}, []string{getOrder, getLink}, core.PaymentCanceled, "", false},
		"declined, closed":    {[]string{orderShown("CANCELED", "P1"), made("FAILED")}, []string{getOrder, getPayment}, core.PaymentCanceled, "", false},
		"paid while closing":  {[]string{orderShown("CANCELED", "P1"), made("COMPLETED")}, []string{getOrder, getPayment}, core.PaymentSucceeded, "P1", false},
		"an unheard state":    {[]string{orderShown("SOMETHING_NEW"), linkShown}, []string{getOrder, getLink}, "", "", false},
		"an unheard payment":  {[]string{orderShown("OPEN", "P1"), made("SOMETHING_NEW")}, []string{getOrder, getPayment}, "", "P1", false},
		"a part as a voucher": {[]string{orderShown("COMPLETED", "P1", "P2"), made("COMPLETED", `{"amount":1000`, `{"amount":400`)}, []string{getOrder, getPayment}, core.PaymentSucceeded, "P1", false},
	} {
		adapter, script := open(t, c.answers...)
		session, err := adapter.OpenPayment(t.Context(), pageRef)
		require.NoError(t, err, name)
		seen := session.Snapshot
		require.Equal(t, c.calls, lines(script), name)
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, c.payment, seen.Ref.ID, name)
		require.Equal(t, core.ObjectPayment, seen.Ref.Kind, name)
		require.Equal(t, c.payable, seen.Payable, name)
		require.Equal(t, c.payable, session.Action.URL != "", name)
		require.Equal(t, "L1.O1", seen.Session, name)
		require.Equal(t, core.PaymentID(ours), seen.Payment, name)
		require.NotEmpty(t, seen.ForeignStatus, name)
		require.Nil(t, seen.Failure, name)
		if name == "a part as a voucher" {
			require.Equal(t, int64(400), seen.Amount.Minor(), "not what was asked for: staff will look at it")
		}
		if name == "nobody has paid yet" {
			require.Equal(t, waiting(t, "OPEN"), session)
		}
		adapter, _ = open(t, c.answers...)
		again, err := adapter.GetPayment(t.Context(), pageRef)
		require.NoError(t, err, name)
		require.Equal(t, seen, again, name)
	}
}

func TestPagesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	replaced := func(text string, changes ...string) string { return strings.NewReplacer(changes...).Replace(text) }
	for name, answers := range map[string][]string{
		"another order":            {replaced(orderShown("OPEN"), `"id":"O1"`, `"id":"O2"`)},
		"no order":                 {"200 {}"},
		"no total":                 {replaced(orderShown("OPEN"), "total_money", "x"), linkShown},
		"a total of a part":        {replaced(orderShown("OPEN"), `{"amount":1000`, `{"amount":10.5`)},
		"no state":                 {replaced(orderShown("OPEN"), `"state":"OPEN"`, `"x":1`), linkShown},
		"no time":                  {replaced(orderShown("OPEN"), "2026-01-02T03:04:05.5Z", "yesterday"), linkShown},
		"another link":             {orderShown("OPEN"), replaced(linkShown, `"id":"L1"`, `"id":"L2"`)},
		"a link of another order":  {orderShown("OPEN"), replaced(linkShown, `"order_id":"O1"`, `"order_id":"O2"`)},
		"a link to nowhere":        {orderShown("OPEN"), replaced(linkShown, "https://square.link/u/x", "")},
		"a link that cannot be":    {orderShown("OPEN"), noAnswerThatCanBeUsed},
		"paid by nothing":          {orderShown("COMPLETED"), linkShown},
		"paid in cash":             {replaced(orderShown("COMPLETED", "P1"), `"payment_id":"P1"`, `"x":1`)},
		"another payment":          {orderShown("COMPLETED", "P1"), made("COMPLETED", `"id":"P1"`, `"id":"P2"`)},
		"a payment of no amount":   {orderShown("COMPLETED", "P1"), made("COMPLETED", `"amount_money"`, `"x"`)},
		"a payment not to be seen": {orderShown("COMPLETED", "P1"), noAnswerThatCanBeUsed},
		"no end of payments":       {orderShown("OPEN", strings.Split(strings.Repeat("P1 ", 11), " ")[:11]...)},
	} {
		for _, look := range []func(*square.Adapter) error{
			func(a *square.Adapter) error { _, err := a.GetPayment(t.Context(), pageRef); return err },
			func(a *square.Adapter) error { _, err := a.CancelPayment(t.Context(), "op_1", pageRef); return err },
		} {
			adapter, _ := open(t, answers...)
			require.Equal(t, core.ClassUnknown, class(t, look(adapter)), name)
		}
	}
	adapter, _ := open(t, linkGone)
	_, err := adapter.GetPayment(t.Context(), pageRef)
	require.ErrorContains(t, err, ports.ForeignMissing, "no such order")
}

// TestClosingAPage is the table of what closing meets.
func TestClosingAPage(t *testing.T) {
	t.Parallel()
	nobody, look := []string{orderShown("OPEN"), linkShown}, []string{getOrder, getLink}
	with := func(lists ...[]string) []string {
		var all []string
		for _, list := range lists {
			all = append(all, list...)
		}
		return all
	}
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		payment string
		class   core.Class // of the error, where there is one
		fails   bool
	}{
		"open":                    {with(nobody, []string{linkDeleted, orderShown("CANCELED")}), with(look, []string{deleteLink, getOrder}), "", 0, false},
		"its order open still":    {with(nobody, []string{linkDeleted, orderShown("OPEN"), linkGone}), with(look, []string{deleteLink}, look), "", 0, false},
		"closed":                  {[]string{orderShown("CANCELED")}, []string{getOrder}, "", 0, false},
		"closed by another":       {with(nobody, []string{linkGone, orderShown("CANCELED")}), with(look, []string{deleteLink, getOrder}), "", 0, false},
		"paid":                    {[]string{orderShown("COMPLETED", "P1"), made("COMPLETED"), refusedAsUsual, made("COMPLETED"), orderShown("COMPLETED")}, []string{getOrder, getPayment, cancelMade, getPayment, getOrder}, "", core.ClassInvalid, true},
		"under way":               {[]string{orderShown("OPEN", "P1"), made("PENDING")}, []string{getOrder, getPayment}, "", core.ClassInvalid, true},
		"held":                    {[]string{orderShown("OPEN", "P1"), made("APPROVED"), made("CANCELED"), linkDeleted}, []string{getOrder, getPayment, cancelMade, deleteLink}, "P1", 0, false},
		"held, and kept as it is": {[]string{orderShown("OPEN", "P1"), made("APPROVED"), made("CANCELED"), refusedAsUsual}, []string{getOrder, getPayment, cancelMade, deleteLink}, "P1", 0, false},
		"held, no answer to the closing": {
			[]string{orderShown("OPEN", "P1"), made("APPROVED"), made("CANCELED"), noAnswerThatCanBeUsed},
			[]string{getOrder, getPayment, cancelMade, deleteLink},
			"", core.ClassUnknown, true,
		},
		"let go before": {
			[]string{orderShown("OPEN", "P1"), made("CANCELED"), linkShown, linkDeleted, orderShown("CANCELED", "P1"), made("CANCELED")},
			[]string{getOrder, getPayment, getLink, deleteLink, getOrder, getPayment},
			"P1", 0, false,
		},
		"paid while it was closed": {
			with(nobody, []string{linkDeleted, orderShown("COMPLETED", "P1"), made("COMPLETED"), refusedAsUsual, made("COMPLETED"), orderShown("COMPLETED")}),
			with(look, []string{deleteLink, getOrder, getPayment, cancelMade, getPayment, getOrder}), "", core.ClassInvalid, true,
		},
		"held while it was closed": {
			with(nobody, []string{refusedAsUsual, orderShown("OPEN", "P1"), made("APPROVED"), made("CANCELED"), linkGone}),
			with(look, []string{deleteLink, getOrder, getPayment, cancelMade, deleteLink}), "P1", 0, false,
		},
		"refused":              {with(nobody, []string{refusedAsUsual}, nobody), with(look, []string{deleteLink}, look), "", core.ClassInvalid, true},
		"no answer":            {with(nobody, []string{noAnswerThatCanBeUsed}), with(look, []string{deleteLink}), "", core.ClassUnknown, true},
		"held back":            {with(nobody, []string{`429 {"errors":[{"code":"RATE_LIMITED"}]}`}), with(look, []string{deleteLink}), "", core.ClassRetryable, true},
		"said, and open still": {with(nobody, []string{linkDeleted}, nobody), with(look, []string{deleteLink}, look), "", core.ClassUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adapter, script := open(t, c.answers...)
			seen, err := adapter.CancelPayment(t.Context(), "op_1", pageRef)
			require.Equal(t, c.calls, lines(script))
			if c.fails {
				require.Equal(t, c.class.String(), class(t, err).String())
				require.Zero(t, seen)
				return
			}
			require.NoError(t, err)
			require.Equal(t, core.PaymentCanceled, seen.Status)
			require.Equal(t, c.payment, seen.Ref.ID)
			require.Equal(t, "L1.O1", seen.Session)
			require.Equal(t, core.PaymentID(ours), seen.Payment)
			require.False(t, seen.Payable)
		})
	}
}

// TestPaymentsMadeAtAPage: only their orders tell whose they are.
func TestPaymentsMadeAtAPage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []string
		payment core.PaymentID
		class   core.Class // of the error, where there is one
		fails   bool
	}{
		"our order":             {[]string{made("COMPLETED"), orderShown("COMPLETED", "P1")}, ours, 0, false},
		"another's order":       {[]string{made("COMPLETED"), strings.Replace(orderShown("COMPLETED", "P1"), ours, "table 7", 1)}, "", 0, false},
		"an order that is gone": {[]string{made("COMPLETED"), linkGone}, "", 0, false},
		"no order":              {[]string{shown("COMPLETED", ours, "table 7")}, "", 0, false},
		"an odd order":          {[]string{shown("COMPLETED", `"reference_id":"`+ours+`"`, `"order_id":"../x"`)}, "", 0, false},
		"our own reference":     {[]string{shown("COMPLETED", `"version_token"`, `"order_id":"O2","version_token"`)}, ours, 0, false},
		"no answer":             {[]string{made("COMPLETED"), noAnswerThatCanBeUsed}, "", core.ClassUnknown, true},
		"held back":             {[]string{made("COMPLETED"), `429 {"errors":[{"code":"RATE_LIMITED"}]}`}, "", core.ClassRetryable, true},
	} {
		adapter, script := open(t, c.answers...)
		seen, err := adapter.GetPayment(t.Context(), ref)
		require.Len(t, script.calls, len(c.answers), name)
		if c.fails {
			require.Equal(t, c.class, class(t, err), name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.payment, seen.Payment, name)
		require.Equal(t, core.PaymentSucceeded, seen.Status, name)
	}
}
