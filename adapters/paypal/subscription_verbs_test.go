package paypal_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func changing(t testing.TB) ports.ChangeSubscription {
	t.Helper()
	return ports.ChangeSubscription{
		Ref: subscriptionRef, Price: price(t, 15_00, 0), ProviderPrice: "P-2", Quantity: 3, ReturnURL: "https://shop.example/return", CancelURL: "https://shop.example/back",
	}
}

func TestPreviewChange(t *testing.T) {
	t.Parallel()
	adapter, script := open(t, subscription("ACTIVE", running))
	preview, err := adapter.PreviewChange(t.Context(), changing(t))
	require.NoError(t, err)
	next := time.Date(2026, 1, 16, 10, 0, 0, 0, time.UTC)
	require.Equal(t, ports.ChangePreview{DueNow: core.Zero("EUR"), NextAmount: money(t, 45_00, "EUR"), NextAt: next, EffectiveAt: next, BuyerAgrees: true}, preview)
	require.Equal(t, []string{atSubscription}, script.lines())
	adapter, _ = open(t)
	in := changing(t)
	in.Quantity = 1 << 60
	_, err = adapter.PreviewChange(t.Context(), in)
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
}

func TestChangeSubscription(t *testing.T) {
	t.Parallel()
	const revise = "POST /v1/billing/subscriptions/I-1/revise"
	revised := func(links ...string) string {
		return `200 {"plan_id":"P-2","quantity":"3","links":[` + strings.Join(links, ",") + `]}`
	}
	page := `{"rel":"approve","href":"https://www.sandbox.paypal.com/webapps/billing/subscriptions/update?ba_token=BA-1"}`
	for name, c := range map[string]struct {
		answer string
		want   ports.BuyerAction
	}{
		"the buyer agrees": {revised(page), ports.BuyerAction{Type: ports.ActionRedirect, URL: "https://www.sandbox.paypal.com/webapps/billing/subscriptions/update?ba_token=BA-1"}},
		"nobody needs to":  {revised(), ports.BuyerAction{}},
	} {
		adapter, script := open(t, c.answer, subscription("ACTIVE", running), plan(""), took())
		session, err := adapter.ChangeSubscription(t.Context(), "op_1", changing(t))
		require.NoError(t, err, name)
		require.Equal(t, c.want, session.Action, name)
		require.Equal(t, "P-1", session.Snapshot.Price)
		require.Equal(t, asked{revise, "op_1", map[string]any{
			"plan_id": "P-2", "quantity": "3", "application_context": map[string]any{
				"return_url": "https://shop.example/return", "cancel_url": "https://shop.example/back", "shipping_preference": "NO_SHIPPING",
			},
		}}, script.sent()[0])
	}
	for name, c := range map[string]struct {
		answers []string
		class   core.Class
	}{
		"refused":      {[]string{problem("422", "UNPROCESSABLE_ENTITY", "SUBSCRIPTION_STATUS_INVALID")}, core.ClassInvalid},
		"another plan": {[]string{`200 {"plan_id":"P-9"}`}, core.ClassUnknown},
		"no JSON":      {[]string{`200 <html>`}, core.ClassUnknown},
		"no look":      {[]string{revised(page), "429 "}, core.ClassUnknown},
		"no plan":      {[]string{revised(page), subscription("ACTIVE", running), "429 "}, core.ClassUnknown},
	} {
		adapter, _ := open(t, c.answers...)
		_, err := adapter.ChangeSubscription(t.Context(), "op_1", changing(t))
		require.Equal(t, c.class.String(), failure(t, err).Class.String(), name)
	}
}

// verb is a call that moves a subscription to a status.
type verb func(*paypal.Adapter, context.Context) (core.SubscriptionSnapshot, error)

func TestMoves(t *testing.T) {
	t.Parallel()
	refused := problem("422", "UNPROCESSABLE_ENTITY", "SUBSCRIPTION_STATUS_INVALID")
	for name, c := range map[string]struct {
		do     verb
		path   string
		reason string
		done   string
		status core.SubscriptionStatus
		before string
	}{
		"pause": {func(a *paypal.Adapter, ctx context.Context) (core.SubscriptionSnapshot, error) {
			return a.PauseSubscription(ctx, "op_1", subscriptionRef)
		}, "/suspend", "The shop paused the subscription.", "SUSPENDED", core.SubscriptionPaused, "ACTIVE"},
		"resume": {func(a *paypal.Adapter, ctx context.Context) (core.SubscriptionSnapshot, error) {
			return a.ResumeSubscription(ctx, "op_1", subscriptionRef)
		}, "/activate", "The shop resumed the subscription.", "ACTIVE", core.SubscriptionActive, "SUSPENDED"},
		"cancel": {func(a *paypal.Adapter, ctx context.Context) (core.SubscriptionSnapshot, error) {
			return a.CancelSubscription(ctx, "op_1", ports.CancelSubscription{Ref: subscriptionRef})
		}, "/cancel", "The shop canceled the subscription.", "CANCELLED", core.SubscriptionCanceled, "ACTIVE"},
	} {
		done, before := subscription(c.done, running), subscription(c.before, running)
		for what, one := range map[string]struct {
			answers []string
			class   string // of the error, where there is one
		}{
			"done":                 {[]string{"204", done, plan(""), took()}, ""},
			"done before":          {[]string{refused, done, plan(""), took()}, ""},
			"not to be done":       {[]string{refused, before}, "invalid"},
			"not to be seen yet":   {[]string{"204", before}, "unknown"},
			"and then no look":     {[]string{"204", "429 "}, "unknown"},
			"refused, and no look": {[]string{refused, "500 x"}, "unknown"},
			"refused, and gone":    {[]string{refused, missing}, "invalid"},
			"and then no plan":     {[]string{"204", done, "429 "}, "unknown"},
			"missing":              {[]string{missing}, "invalid"},
			"no answer":            {[]string{"reset"}, "unknown"},
			"refused for a while":  {[]string{"429 "}, "retryable"},
		} {
			adapter, script := open(t, one.answers...)
			seen, err := c.do(adapter, t.Context())
			require.Equal(t, asked{"POST /v1/billing/subscriptions/I-1" + c.path, "op_1", map[string]any{"reason": c.reason}}, script.sent()[0])
			require.Len(t, script.sent(), len(one.answers), "%s: %s", name, what)
			if one.class == "" {
				require.NoError(t, err, "%s: %s", name, what)
				require.Equal(t, c.status, seen.Status)
				continue
			}
			require.Equal(t, one.class, failure(t, err).Class.String(), "%s: %s", name, what)
		}
	}
	adapter, script := open(t)
	_, err := adapter.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: subscriptionRef, AtPeriodEnd: true})
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
	_, err = adapter.KeepSubscription(t.Context(), "op_1", subscriptionRef)
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
	_, err = adapter.UpdateSubscriptionMethod(t.Context(), "op_1", subscriptionRef, "M1")
	require.Equal(t, core.ClassInvalid, failure(t, err).Class)
	require.Empty(t, script.sent())
}

// TestWhatIsNotSentAfterTheSale: what cannot be this account's, or goes without a key.
func TestWhatIsNotSentAfterTheSale(t *testing.T) {
	t.Parallel()
	adapter, script := open(t)
	good := core.OperationKey("op_1")
	for key, of := range map[core.OperationKey]core.ProviderRef{
		"": {Account: "paypal", ID: "X1"}, good: {Account: "other", ID: "X1"}, good + "2": {Account: "paypal"}, good + "3": {Account: "paypal", ID: "../x"},
		core.OperationKey(strings.Repeat("k", 46)): {Account: "paypal", ID: "X1"},
	} {
		as := func(kind core.ObjectKind) core.ProviderRef { of.Kind = kind; return of }
		change := changing(t)
		change.Ref = as(core.ObjectSubscription)
		calls := map[string]func() error{
			"submit": func() error {
				_, err := adapter.SubmitEvidence(t.Context(), key, evidence(as(core.ObjectDispute)))
				return err
			},
			"accept": func() error {
				_, err := adapter.AcceptDispute(t.Context(), key, ports.AcceptDispute{Ref: as(core.ObjectDispute), Amount: money(t, 1, "EUR")})
				return err
			},
			"confirm": func() error {
				_, err := adapter.ConfirmSetup(t.Context(), key, ports.ConfirmSetup{Ref: as(core.ObjectSetup)})
				return err
			},
			"detach": func() error { return adapter.DetachMethod(t.Context(), key, as(core.ObjectMethod)) },
			"change": func() error { _, err := adapter.ChangeSubscription(t.Context(), key, change); return err },
			"pause": func() error {
				_, err := adapter.PauseSubscription(t.Context(), key, as(core.ObjectSubscription))
				return err
			},
		}
		if of.Account != "paypal" || of.ID != "X1" {
			reads := map[string]func() error{
				"get refund":   func() error { _, err := adapter.GetRefund(t.Context(), as(core.ObjectRefund)); return err },
				"refunds":      func() error { _, err := adapter.PaymentRefunds(t.Context(), as(core.ObjectPayment)); return err },
				"get dispute":  func() error { _, err := adapter.GetDispute(t.Context(), as(core.ObjectDispute)); return err },
				"disputes":     func() error { _, err := adapter.PaymentDisputes(t.Context(), as(core.ObjectPayment)); return err },
				"open setup":   func() error { _, err := adapter.OpenSetup(t.Context(), as(core.ObjectSetup)); return err },
				"get method":   func() error { _, err := adapter.GetMethod(t.Context(), as(core.ObjectMethod)); return err },
				"open":         func() error { _, err := adapter.OpenSubscription(t.Context(), as(core.ObjectSubscription)); return err },
				"subscription": func() error { _, err := adapter.GetSubscription(t.Context(), as(core.ObjectSubscription)); return err },
				"invoice":      func() error { _, err := adapter.GetInvoice(t.Context(), as(core.ObjectInvoice)); return err },
				"preview":      func() error { _, err := adapter.PreviewChange(t.Context(), change); return err },
			}
			for name, do := range reads {
				require.Equal(t, core.ClassInvalid, failure(t, do()).Class, name)
			}
		}
		for name, do := range calls {
			require.Equal(t, core.ClassInvalid, failure(t, do()).Class, name)
		}
	}
	for name, err := range map[string]error{
		"a setup without a key":  second(adapter.CreateSetup(t.Context(), "", ports.CreateSetup{})),
		"a charge without a key": second(adapter.ChargeMethod(t.Context(), "", charge(t, "M1", "card"))),
		"a charge of nothing":    second(adapter.ChargeMethod(t.Context(), good, charge(t, "", "card"))),
		"a charge of a path":     second(adapter.ChargeMethod(t.Context(), good, charge(t, "../x", "card"))),
		"a charge of no kind":    second(adapter.ChargeMethod(t.Context(), good, charge(t, "M1", "check"))),
		"a start without a key":  second(adapter.CreateSubscription(t.Context(), "", subscribing("P-1"))),
		"a start of no plan":     second(adapter.CreateSubscription(t.Context(), good, subscribing(""))),
		"a change to no plan":    second(adapter.ChangeSubscription(t.Context(), good, ports.ChangeSubscription{Ref: subscriptionRef, Quantity: 1})),
		"a change to none":       second(adapter.ChangeSubscription(t.Context(), good, ports.ChangeSubscription{Ref: subscriptionRef, ProviderPrice: "P-1"})),
		"a claim of nothing":     second(adapter.AcceptDispute(t.Context(), good, ports.AcceptDispute{Ref: disputeRef, Amount: core.Zero("EUR")})),
	} {
		require.Equal(t, core.ClassInvalid, failure(t, err).Class, name)
	}
	require.Empty(t, script.sent())
	require.Zero(t, script.granted())
}

func second[T any](_ T, err error) error { return err }

// TestMethodPage: only PayPal itself has a page at which the buyer chooses another method.
func TestMethodPage(t *testing.T) {
	t.Parallel()
	for env, want := range map[core.Environment]string{
		core.EnvLive: "https://www.paypal.com/myaccount/autopay/", core.EnvTest: "https://www.sandbox.paypal.com/myaccount/autopay/",
	} {
		answers := []string{subscription("ACTIVE", running), plan(""), took(), subscription("CANCELLED", running), plan(""), took()}
		with := options()
		with.Environment = env
		with.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				return response(r, 200, []byte(`{"access_token":"token1","expires_in":32400}`)), nil
			}
			next := answers[0]
			answers = answers[1:]
			return response(r, 200, []byte(next[4:])), nil
		})}
		adapter := newAdapter(t, with)
		seen, err := adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err)
		require.Equal(t, want, seen.MethodURL)
		seen, err = adapter.GetSubscription(t.Context(), subscriptionRef)
		require.NoError(t, err)
		require.Empty(t, seen.MethodURL, "what has ended is paid with nothing")
	}
}
