package square_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	ourMethod   = "pm_01jd0000000000000000000000"
	ourCustomer = "cus_01jd0000000000000000000000"
)

var methodRef = of(core.ObjectMethod, "ccof:C1")

// onFile is a card that a customer left, as Square writes it.
func onFile(changes ...string) string {
	text := `200 {"card":{"id":"ccof:C1","card_brand":"MASTERCARD","last_4":"1029","exp_month":11,"exp_year":2030,"customer_id":"CUS1",
		"reference_id":"` + ourMethod + `","enabled":true,"version":1}}`
	return strings.NewReplacer(changes...).Replace(text)
}

func TestCreateCustomer(t *testing.T) {
	t.Parallel()
	for name, names := range map[string][]string{
		"": {"", ""}, "Ada": {"Ada", ""}, "Ada King Lovelace": {"Ada King", "Lovelace"}, " Ada": {" Ada", ""}, strings.Repeat("é", 400): {strings.Repeat("é", 300), ""},
	} {
		adapter, script := open(t, `200 {"customer":{"id":"CUS1"}}`)
		made, err := adapter.CreateCustomer(t.Context(), "op_1", ports.CreateCustomer{Customer: ourCustomer, Email: "ada@shop.example", Name: name})
		require.NoError(t, err)
		require.Equal(t, "CUS1", made)
		want := map[string]any{"idempotency_key": "op_1", "email_address": "ada@shop.example", "reference_id": ourCustomer}
		for n, field := range []string{"given_name", "family_name"} {
			if names[n] != "" {
				want[field] = names[n]
			}
		}
		require.Equal(t, []asked{{line: "POST /v2/customers", body: want}}, script.calls)
	}
	for answer, want := range map[string]core.Class{
		`200 {"customer":{}}`: core.ClassUnknown, `200 {}`: core.ClassUnknown, badRequest: core.ClassInvalid, limited: core.ClassRetryable,
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.CreateCustomer(t.Context(), "op_1", ports.CreateCustomer{Customer: ourCustomer, Email: "ada@shop.example"})
		require.Equal(t, want, class(t, err), answer)
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, onFile())
	in := ports.ConfirmSetup{CreateSetup: ports.CreateSetup{Method: ourMethod, Customer: ourCustomer, ProviderCustomer: "CUS1"}, Source: "cnon:x"}
	seen, err := adapter.ConfirmSetup(t.Context(), "op_1", in)
	require.NoError(t, err)
	require.Equal(t, core.MethodSnapshot{
		Ref: methodRef, Method: ourMethod, Customer: "CUS1", Status: core.MethodActive, ForeignStatus: "ENABLED",
		Details: core.PaymentMethod{Type: "card", Brand: "mastercard", Last4: "1029", ExpMonth: 11, ExpYear: 2030}, Environment: core.EnvTest,
	}, seen)
	require.Equal(t, []asked{{line: "POST /v2/cards", body: map[string]any{
		"idempotency_key": "op_1", "source_id": "cnon:x", "card": map[string]any{"customer_id": "CUS1", "reference_id": ourMethod},
	}}}, script.calls)

	declined := `400 {"errors":[{"category":"PAYMENT_METHOD_ERROR","code":"CARD_DECLINED_VERIFICATION_REQUIRED"}]}`
	for answer, want := range map[string]core.Class{
		declined: core.ClassDeclined, onFile(`"CUS1"`, `"CUS2"`): core.ClassUnknown, `200 {}`: core.ClassUnknown, missing: core.ClassInvalid,
	} {
		adapter, _ := open(t, answer)
		_, err := adapter.ConfirmSetup(t.Context(), "op_1", in)
		require.Equal(t, want, class(t, err), answer)
		if want == core.ClassDeclined {
			require.Equal(t, core.FailureAuthenticationRequired, providerError(t, err).Code, "the buyer was not asked to have it stored")
		}
	}
}

func TestGetMethod(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  string
		status  core.MethodStatus
		foreign string
		method  core.MethodID
	}{
		"there":               {onFile(), core.MethodActive, "ENABLED", ourMethod},
		"disabled":            {onFile(`"enabled":true`, `"enabled":false`), core.MethodRemoved, "DISABLED", ourMethod},
		"nobody's":            {onFile(`"customer_id":"CUS1"`, `"x":1`), core.MethodRemoved, "ENABLED", ourMethod},
		"gone":                {missing, core.MethodRemoved, "GONE", ""},
		"of other hands":      {onFile(ourMethod, "walk-in"), core.MethodActive, "ENABLED", ""},
		"with a subscription": {onFile(ourMethod, ourSubscription), core.MethodActive, "ENABLED", ""},
	} {
		adapter, script := open(t, c.answer)
		seen, err := adapter.GetMethod(t.Context(), methodRef)
		require.NoError(t, err, name)
		require.Equal(t, methodRef, seen.Ref)
		require.Equal(t, c.status, seen.Status, name)
		require.Equal(t, c.foreign, seen.ForeignStatus, name)
		require.Equal(t, c.method, seen.Method, name)
		require.Equal(t, []string{"GET /v2/cards/ccof:C1"}, lines(script))
	}
	for _, answer := range []string{onFile("ccof:C1", "ccof:C2"), `200 {"card":{}}`, down, `200 <html>`} {
		adapter, _ := open(t, answer)
		_, err := adapter.GetMethod(t.Context(), methodRef)
		require.Equal(t, core.ClassUnknown, class(t, err), answer)
	}
}

func TestDetach(t *testing.T) {
	t.Parallel()
	gone := onFile(`"enabled":true`, `"enabled":false`)
	post, get := "POST /v2/cards/ccof:C1/disable", "GET /v2/cards/ccof:C1"
	for name, c := range map[string]struct {
		answers []string
		calls   []string
		class   core.Class
		fails   bool
	}{
		"at first":                  {[]string{gone}, []string{post}, 0, false},
		"one that is not there":     {[]string{missing}, []string{post}, 0, false},
		"again":                     {[]string{badRequest, gone}, []string{post, get}, 0, false},
		"one that stays":            {[]string{badRequest, onFile()}, []string{post, get}, core.ClassInvalid, true},
		"one that nobody may see":   {[]string{badRequest, badRequest}, []string{post, get}, core.ClassInvalid, true},
		"one that cannot be looked": {[]string{badRequest, down}, []string{post, get}, core.ClassUnknown, true},
		"without an answer":         {[]string{down}, []string{post}, core.ClassUnknown, true},
		"with an answer of no use":  {[]string{onFile()}, []string{post}, core.ClassUnknown, true},
		"too soon":                  {[]string{limited}, []string{post}, core.ClassRetryable, true},
	} {
		adapter, script := open(t, c.answers...)
		err := adapter.DetachMethod(t.Context(), "op_1", methodRef)
		require.Equal(t, c.calls, lines(script), name)
		if c.fails {
			require.Equal(t, c.class.String(), class(t, err).String(), name)
			continue
		}
		require.NoError(t, err, name)
	}
}

func TestCharge(t *testing.T) {
	t.Parallel()
	in := ports.ChargeMethod{
		CreatePayment: ports.CreatePayment{Payment: ours, Amount: money(t, 1000, "EUR"), Capture: core.CaptureManual},
		Customer:      ourCustomer, ProviderCustomer: "CUS1", ProviderMethod: "ccof:C1", MethodType: "card",
	}
	declined := func(code string) string {
		return `400 {"errors":[{"category":"PAYMENT_METHOD_ERROR","code":"` + code + `","detail":"secret text"}],"payment":{"id":"P9","status":"FAILED"}}`
	}
	adapter, script := open(t, shown("APPROVED"), declined("CARD_DECLINED_VERIFICATION_REQUIRED"), declined("INSUFFICIENT_FUNDS"), missing)
	seen, err := adapter.ChargeMethod(t.Context(), "op_1", in)
	require.NoError(t, err)
	require.Equal(t, core.PaymentAuthorized, seen.Status)
	require.Equal(t, []asked{{line: "POST /v2/payments", body: map[string]any{
		"source_id": "ccof:C1", "idempotency_key": "op_1", "amount_money": map[string]any{"amount": 1000.0, "currency": "EUR"}, "autocomplete": false,
		"location_id": "L1", "reference_id": ours, "customer_id": "CUS1", "customer_details": map[string]any{"customer_initiated": false},
	}}}, script.calls)
	for _, code := range []core.FailureCode{core.FailureAuthenticationRequired, core.FailureInsufficientFunds} {
		_, err := adapter.ChargeMethod(t.Context(), "op_1", in)
		require.Equal(t, core.ClassDeclined, class(t, err))
		require.Equal(t, code, providerError(t, err).Failure().Code)
		require.Equal(t, "P9", providerError(t, err).ObjectID)
	}
	_, err = adapter.ChargeMethod(t.Context(), "op_1", in)
	require.Equal(t, core.ClassInvalid, class(t, err), "there is no such card any more")
}

// TestWhatIsNeverAskedAfterTheSale holds calls to what they refuse by themselves.
func TestWhatIsNeverAskedAfterTheSale(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	good := money(t, 1000, "EUR")
	monthly := &core.Recurring{Interval: core.IntervalMonth, Count: 1}
	subscribe := func(change func(*ports.CreateSubscription)) error {
		in := subscribing(t)
		change(&in)
		_, err := adapter.CreateSubscription(t.Context(), "op_1", in)
		return err
	}
	change := func(of ports.ChangeSubscription) error {
		_, err := adapter.ChangeSubscription(t.Context(), "op_1", of)
		_, other := adapter.PreviewChange(t.Context(), of)
		require.Equal(t, class(t, err), class(t, other))
		return err
	}
	price := func(amount core.Money, recurring *core.Recurring) error {
		_, err := adapter.CreatePrice(t.Context(), "op_1", core.Price{Amount: amount, Recurring: recurring})
		return err
	}
	charge := func(customer, method string, amount core.Money) error {
		_, err := adapter.ChargeMethod(t.Context(), "op_1", ports.ChargeMethod{
			CreatePayment: ports.CreatePayment{Amount: amount}, ProviderCustomer: customer, ProviderMethod: method,
		})
		return err
	}
	save := func(customer, source string) error {
		_, err := adapter.ConfirmSetup(t.Context(), "op_1", ports.ConfirmSetup{CreateSetup: ports.CreateSetup{ProviderCustomer: customer}, Source: source})
		return err
	}
	for name, err := range map[string]error{
		"a setup":            func() error { _, err := adapter.CreateSetup(t.Context(), "op_1", ports.CreateSetup{}); return err }(),
		"an open setup":      func() error { _, err := adapter.OpenSetup(t.Context(), of(core.ObjectSetup, "x")); return err }(),
		"a setup's look":     func() error { _, err := adapter.GetMethod(t.Context(), of(core.ObjectSetup, "x")); return err }(),
		"no token":           save("CUS1", ""),
		"no customer":        save("", "cnon:x"),
		"nobody's card":      charge("", "ccof:C1", good),
		"no card":            charge("CUS1", "", good),
		"no money":           charge("CUS1", "ccof:C1", core.Zero("EUR")),
		"a price of once":    price(good, nil),
		"a price of nothing": price(core.Zero("EUR"), monthly),
		"a period of none":   price(good, &core.Recurring{Interval: core.IntervalMonth, Count: 5}),
		"two pieces":         subscribe(func(in *ports.CreateSubscription) { in.Quantity = 2 }),
		"no plan":            subscribe(func(in *ports.CreateSubscription) { in.ProviderPrice = "" }),
		"no token to pay":    subscribe(func(in *ports.CreateSubscription) { in.Source = "" }),
		"nobody to pay":      subscribe(func(in *ports.CreateSubscription) { in.ProviderCustomer = "../x" }),
		"a change of two":    change(ports.ChangeSubscription{Ref: subscriptionRef, ProviderPrice: "VAR2", Quantity: 2}),
		"a change at once":   change(ports.ChangeSubscription{Ref: subscriptionRef, ProviderPrice: "VAR2", Quantity: 1, Prorate: true}),
		"a change to none":   change(ports.ChangeSubscription{Ref: subscriptionRef, Quantity: 1}),
	} {
		require.Equal(t, core.ClassInvalid, class(t, err), name)
	}
	require.Empty(t, script.calls)
}

// refCall is a call about an object.
type refCall struct {
	kind core.ObjectKind
	do   func(context.Context, *square.Adapter, core.OperationKey, core.ProviderRef) error
}

// refLooks change nothing, and refOrders do.
var (
	refLooks = map[string]refCall{
		"refund": {core.ObjectRefund, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.GetRefund(ctx, ref)
			return err
		}},
		"refunds": {core.ObjectPayment, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.PaymentRefunds(ctx, ref)
			return err
		}},
		"dispute": {core.ObjectDispute, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.GetDispute(ctx, ref)
			return err
		}},
		"disputes": {core.ObjectPayment, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.PaymentDisputes(ctx, ref)
			return err
		}},
		"method": {core.ObjectMethod, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.GetMethod(ctx, ref)
			return err
		}},
		"subscription": {core.ObjectSubscription, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.OpenSubscription(ctx, ref)
			return err
		}},
		"invoice": {core.ObjectInvoice, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.GetInvoice(ctx, ref)
			return err
		}},
		"preview": {core.ObjectSubscription, func(ctx context.Context, a *square.Adapter, _ core.OperationKey, ref core.ProviderRef) error {
			_, err := a.PreviewChange(ctx, ports.ChangeSubscription{Ref: ref, ProviderPrice: "VAR2", Quantity: 1})
			return err
		}},
	}
	refOrders = map[string]refCall{
		"refund": {core.ObjectPayment, func(ctx context.Context, a *square.Adapter, key core.OperationKey, ref core.ProviderRef) error {
			_, err := a.RefundPayment(ctx, key, ports.RefundPayment{Ref: ref})
			return err
		}},
		"submit": {core.ObjectDispute, func(ctx context.Context, a *square.Adapter, key core.OperationKey, ref core.ProviderRef) error {
			_, err := a.SubmitEvidence(ctx, key, ports.SubmitEvidence{Ref: ref, Texts: map[core.EvidenceField]string{core.EvidenceOtherText: "x"}})
			return err
		}},
		"accept": {core.ObjectDispute, func(ctx context.Context, a *square.Adapter, key core.OperationKey, ref core.ProviderRef) error {
			_, err := a.AcceptDispute(ctx, key, ports.AcceptDispute{Ref: ref})
			return err
		}},
		"detach": {core.ObjectMethod, func(ctx context.Context, a *square.Adapter, key core.OperationKey, ref core.ProviderRef) error {
			return a.DetachMethod(ctx, key, ref)
		}},
		"change": {core.ObjectSubscription, func(ctx context.Context, a *square.Adapter, key core.OperationKey, ref core.ProviderRef) error {
			_, err := a.ChangeSubscription(ctx, key, ports.ChangeSubscription{Ref: ref, ProviderPrice: "VAR2", Quantity: 1})
			return err
		}},
		"pause": {core.ObjectSubscription, func(ctx context.Context, a *square.Adapter, key core.OperationKey, ref core.ProviderRef) error {
			_, err := a.PauseSubscription(ctx, key, ref)
			return err
		}},
	}
)

// TestRefsAfterTheSale: nothing is asked about what is not this account's, or is another kind of
// thing.
func TestRefsAfterTheSale(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	for _, calls := range []map[string]refCall{refLooks, refOrders} {
		for name, call := range calls {
			for _, ref := range []core.ProviderRef{{Account: "x", Kind: call.kind, ID: "X1"}, {Account: "square", Kind: "x", ID: "X1"}, of(call.kind, ""), of(call.kind, "../x")} {
				require.Equal(t, core.ClassInvalid, class(t, call.do(t.Context(), adapter, "op_1", ref)), name)
			}
		}
	}
	require.Empty(t, script.calls)
}

// TestKeysAfterTheSale: nothing is changed without a key, or with one that Square would not take.
func TestKeysAfterTheSale(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	ctx := t.Context()
	for _, key := range []core.OperationKey{"", core.OperationKey(strings.Repeat("k", 46))} {
		for name, call := range refOrders {
			require.Equal(t, core.ClassInvalid, class(t, call.do(ctx, adapter, key, of(call.kind, "X1"))), name)
		}
		_, err := adapter.CreateCustomer(ctx, key, ports.CreateCustomer{})
		require.Equal(t, core.ClassInvalid, class(t, err))
		_, err = adapter.ConfirmSetup(ctx, key, ports.ConfirmSetup{Source: "cnon:x"})
		require.Equal(t, core.ClassInvalid, class(t, err))
		_, err = adapter.ChargeMethod(ctx, key, ports.ChargeMethod{ProviderMethod: "ccof:C1"})
		require.Equal(t, core.ClassInvalid, class(t, err))
		_, err = adapter.CreatePrice(ctx, key, core.Price{})
		require.Equal(t, core.ClassInvalid, class(t, err))
		_, err = adapter.CreateSubscription(ctx, key, subscribing(t))
		require.Equal(t, core.ClassInvalid, class(t, err))
	}
	require.Empty(t, script.calls)
}
