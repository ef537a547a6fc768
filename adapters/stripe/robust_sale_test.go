package stripe_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// verb is one call of the adapter about one object; name is how its errors begin.
type verb struct {
	name string
	kind core.ObjectKind // of the object that it takes; empty for none
	do   func(key core.OperationKey, ref core.ProviderRef) error
}

// looks are the calls that change nothing, and orders are those that take a key.
func looks(t *testing.T, adapter *stripe.Adapter) []verb {
	t.Helper()
	ctx := t.Context()
	return []verb{
		{"get refund x_1", core.ObjectRefund, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.GetRefund(ctx, ref)
			return err
		}},
		{"list refunds of x_1", core.ObjectPayment, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.PaymentRefunds(ctx, ref)
			return err
		}},
		{"get dispute x_1", core.ObjectDispute, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.GetDispute(ctx, ref)
			return err
		}},
		{"list disputes of x_1", core.ObjectPayment, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.PaymentDisputes(ctx, ref)
			return err
		}},
		{"open setup x_1", core.ObjectSetup, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.OpenSetup(ctx, ref)
			return err
		}},
		{"get setup x_1", core.ObjectSetup, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.GetMethod(ctx, ref)
			return err
		}},
		{"get method x_1", core.ObjectMethod, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.GetMethod(ctx, ref)
			return err
		}},
		{"open subscription x_1", core.ObjectSubscription, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.OpenSubscription(ctx, ref)
			return err
		}},
		{"get subscription x_1", core.ObjectSubscription, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.GetSubscription(ctx, ref)
			return err
		}},
		{"get invoice x_1", core.ObjectInvoice, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.GetInvoice(ctx, ref)
			return err
		}},
		{"preview change of x_1", core.ObjectSubscription, func(_ core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.PreviewChange(ctx, ports.ChangeSubscription{Ref: ref})
			return err
		}},
	}
}

func orders(t *testing.T, adapter *stripe.Adapter) []verb {
	t.Helper()
	ctx := t.Context()
	return []verb{
		{"refund x_1", core.ObjectPayment, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.RefundPayment(ctx, key, ports.RefundPayment{Ref: ref, Amount: money(t, 1, "USD")})
			return err
		}},
		{"submit evidence for x_1", core.ObjectDispute, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.SubmitEvidence(ctx, key, ports.SubmitEvidence{Ref: ref, Texts: map[core.EvidenceField]string{core.EvidenceOtherText: "x"}})
			return err
		}},
		{"accept x_1", core.ObjectDispute, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.AcceptDispute(ctx, key, ports.AcceptDispute{Ref: ref})
			return err
		}},
		{"create customer for cus_x", "", func(key core.OperationKey, _ core.ProviderRef) error {
			_, err := adapter.CreateCustomer(ctx, key, ports.CreateCustomer{Customer: "cus_x"})
			return err
		}},
		{"create setup for pm_x", "", func(key core.OperationKey, _ core.ProviderRef) error {
			_, err := adapter.CreateSetup(ctx, key, ports.CreateSetup{Method: "pm_x"})
			return err
		}},
		{"detach x_1", core.ObjectMethod, func(key core.OperationKey, ref core.ProviderRef) error { return adapter.DetachMethod(ctx, key, ref) }},
		{"charge for pay_1", "", func(key core.OperationKey, _ core.ProviderRef) error {
			_, err := adapter.ChargeMethod(ctx, key, aCharge(t))
			return err
		}},
		{"create price for prc_1", "", func(key core.OperationKey, _ core.ProviderRef) error {
			_, err := adapter.CreatePrice(ctx, key, monthly(t))
			return err
		}},
		{"create subscription for sub_1", "", func(key core.OperationKey, _ core.ProviderRef) error {
			_, err := adapter.CreateSubscription(ctx, key, aSubscription(monthly(t)))
			return err
		}},
		{"change subscription x_1", core.ObjectSubscription, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.ChangeSubscription(ctx, key, ports.ChangeSubscription{Ref: ref})
			return err
		}},
		{"pause subscription x_1", core.ObjectSubscription, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.PauseSubscription(ctx, key, ref)
			return err
		}},
		{"resume subscription x_1", core.ObjectSubscription, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.ResumeSubscription(ctx, key, ref)
			return err
		}},
		{"cancel subscription x_1", core.ObjectSubscription, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.CancelSubscription(ctx, key, ports.CancelSubscription{Ref: ref})
			return err
		}},
		{"keep subscription x_1", core.ObjectSubscription, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.KeepSubscription(ctx, key, ref)
			return err
		}},
		{"change method of x_1", core.ObjectSubscription, func(key core.OperationKey, ref core.ProviderRef) error {
			_, err := adapter.UpdateSubscriptionMethod(ctx, key, ref, "pm_2")
			return err
		}},
	}
}

// TestAnswersAfterTheSaleThatCannotBeUsed is TestAnswersThatCannotBeUsed for what comes later.
func TestAnswersAfterTheSaleThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"HTML":                       `<html>sk_test_topsecret</html>`,
		"nothing":                    ``,
		"an empty object":            `{}`,
		"null":                       `null`,
		"truncated":                  `{"id":"x_1","object":"refund","amount":2000,"curr`,
		"another refund":             `{"id":"x_2","object":"refund","amount":2000,"currency":"usd","status":"succeeded","payment_intent":"x_2"}`,
		"a refund without amount":    `{"id":"x_1","object":"refund","currency":"usd","status":"succeeded","payment_intent":"x_1"}`,
		"a refund without currency":  `{"id":"x_1","object":"refund","amount":2000,"status":"succeeded","payment_intent":"x_1"}`,
		"another dispute":            `{"id":"x_2","object":"dispute","amount":2000,"currency":"usd","status":"lost"}`,
		"a dispute without amount":   `{"id":"x_1","object":"dispute","currency":"usd","status":"lost"}`,
		"a dispute without currency": `{"id":"x_1","object":"dispute","amount":2000,"status":"lost"}`,
		"another setup":              `{"id":"x_2","object":"setup_intent","status":"succeeded"}`,
		"a setup without id":         `{"object":"setup_intent","status":"requires_action"}`,
		"another method":             `{"id":"x_2","object":"payment_method"}`,
		"another subscription":       `{"id":"x_2","object":"subscription","status":"trialing"}`,
		"a subscription of nothing":  `{"id":"x_1","object":"subscription","status":"active"}`,
		"another invoice":            `{"id":"x_2","object":"invoice","amount_due":1,"currency":"usd"}`,
		"an invoice of no currency":  `{"id":"x_1","object":"invoice","amount_due":1}`,
		"a payment":                  `{"id":"x_1","object":"payment_intent","amount":2000}`,
		"a customer without id":      `{"object":"customer"}`,
		"a price of an odd id":       `{"id":"../x","object":"price"}`,
	} {
		adapter := answering(t, 200, body)
		for _, each := range append(looks(t, adapter), orders(t, adapter)...) {
			refused := providerError(t, each.do("op_1", refOf(each.kind, "x_1")))
			require.Equal(t, core.ClassUnknown, refused.Class, "%s: %s", each.name, name)
			require.Equal(t, "stripe "+each.name, refused.Op, name)
			require.Equal(t, "req_1", refused.RequestID, "%s: %s", each.name, name)
			require.NotContains(t, refused.Error(), "topsecret")
		}
	}
}

// TestCallsAfterTheSaleThatAreNotMade: of objects of somebody else, of another kind or of no
// id, and without a key under which they could be sent again.
func TestCallsAfterTheSaleThatAreNotMade(t *testing.T) {
	t.Parallel()
	adapter, heard := playing(t, script{})
	all := append(looks(t, adapter), orders(t, adapter)...)
	for _, each := range all {
		if each.kind == "" {
			continue
		}
		for _, ref := range []core.ProviderRef{
			{}, {Account: "stripe", Kind: each.kind}, {Account: "stripe_eu", Kind: each.kind, ID: "x_1"}, {Account: "stripe", Kind: core.ObjectSession, ID: "x_1"},
		} {
			require.Equal(t, core.ClassInvalid, providerError(t, each.do("op_1", ref)).Class, each.name)
		}
	}
	for _, each := range orders(t, adapter) {
		for _, key := range []core.OperationKey{"", core.OperationKey(strings.Repeat("x", 46))} {
			require.Equal(t, core.ClassInvalid, providerError(t, each.do(key, refOf(each.kind, "x_1"))).Class, each.name)
		}
	}
	for _, amount := range []core.Money{{}, money(t, 0, "USD"), money(t, 100, "UGX")} {
		_, err := adapter.RefundPayment(t.Context(), "op_1", ports.RefundPayment{Ref: pi1, Amount: amount})
		require.Equal(t, core.ClassInvalid, providerError(t, err).Class)
	}
	require.Empty(t, heard.list())
}

// TestErrorsAfterTheSale: what Stripe says no to, and what nobody answers, is told apart in
// every call.
func TestErrorsAfterTheSale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		class  core.Class
	}{{429, core.ClassRetryable}, {401, core.ClassRetryable}, {400, core.ClassInvalid}, {500, core.ClassUnknown}} {
		adapter := answering(t, c.status, `{"error":{"type":"invalid_request_error","message":"topsecret"}}`)
		for _, each := range append(looks(t, adapter), orders(t, adapter)...) {
			refused := providerError(t, each.do("op_1", refOf(each.kind, "x_1")))
			require.Equal(t, c.class, refused.Class, "%s: %d", each.name, c.status)
			require.Equal(t, "stripe "+each.name, refused.Op)
			require.NotContains(t, refused.Error(), "topsecret")
		}
	}
}

// TestAbilities: the caller has a copy of what is said, and nothing said is more than is there.
func TestAbilities(t *testing.T) {
	t.Parallel()
	adapter := adapterAt(t, "")
	can := adapter.Capabilities()
	require.True(t, can.Vault)
	require.Len(t, can.Disputes.Fields, len(core.EvidenceTexts())+len(core.EvidenceFiles()))
	require.LessOrEqual(t, can.Disputes.TextCharsMax, core.EvidenceTextCharsMax)
	periods := can.Subscriptions.Periods
	require.Equal(t, []int{1, 2, 3}, periods[core.IntervalYear])
	require.Len(t, periods[core.IntervalMonth], 36)
	require.Len(t, periods[core.IntervalWeek], 156)
	require.Len(t, periods[core.IntervalDay], core.IntervalCountMax)
	periods[core.IntervalYear][0], can.Disputes.Fields[0], can.Subscriptions.QuantityMax = 9, "horoscope", 1
	require.Equal(t, adapterAt(t, "").Capabilities(), adapter.Capabilities())
}
