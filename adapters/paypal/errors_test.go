package paypal_test

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paydesk/paydesk/adapters/guard"
	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// TestIssues is the table of what PayPal's issues mean, whichever call they answer.
func TestIssues(t *testing.T) {
	t.Parallel()
	type meaning struct {
		class core.Class
		code  core.FailureCode // empty where nobody can say that anything failed
	}
	declined, ours := meaning{core.ClassDeclined, core.FailureCardDeclined}, meaning{core.ClassInvalid, core.FailureInvalidRequest}
	fraud, shops := meaning{core.ClassDeclined, core.FailureSuspectedFraud}, meaning{core.ClassDeclined, core.FailureInvalidRequest}
	later := meaning{core.ClassRetryable, core.FailureProviderUnavailable}
	for issue, want := range map[string]meaning{
		"INSTRUMENT_DECLINED": declined, "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": declined, "PAYER_CANNOT_PAY": declined,
		"CARD_BRAND_NOT_SUPPORTED": declined, "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": declined, "TRANSACTION_LIMIT_EXCEEDED": declined,
		"PAYER_ACTION_REQUIRED":  {core.ClassInvalid, core.FailureAuthenticationRequired},
		"ORDER_NOT_APPROVED":     ours,
		"ORDER_ALREADY_CAPTURED": ours, "AUTHORIZATION_ALREADY_CAPTURED": ours, "CAPTURE_FULLY_REFUNDED": ours, "PREVIOUSLY_VOIDED": ours,
		"PREVIOUS_REQUEST_IN_PROGRESS": later, "ORDER_COMPLETION_IN_PROGRESS": later,
		"TRANSACTION_REFUSED": fraud, "TRANSACTION_BLOCKED_BY_PAYEE": fraud, "PAYEE_BLOCKED_TRANSACTION": fraud, "COMPLIANCE_VIOLATION": fraud,
		"PAYER_ACCOUNT_LOCKED_OR_CLOSED": declined, "PAYER_ACCOUNT_RESTRICTED": declined,
		"PAYEE_ACCOUNT_RESTRICTED": shops, "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": shops, "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": shops,
		"REFERENCED_CARD_EXPIRED": {core.ClassDeclined, core.FailureExpiredCard}, "CARD_EXPIRED": {core.ClassDeclined, core.FailureExpiredCard},
		"REFUND_FAILED_INSUFFICIENT_FUNDS": {core.ClassDeclined, core.FailureProcessingError},
		"REFUND_AMOUNT_EXCEEDED":           ours, "REFUND_TIME_LIMIT_EXCEEDED": ours, "TRANSACTION_DISPUTED": ours, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": ours,
		"PENDING_CAPTURE": ours, "MAX_NUMBER_OF_REFUNDS_EXCEEDED": ours,
		"DUPLICATE_INVOICE_ID": ours, "CURRENCY_MISMATCH": ours, "DECIMAL_PRECISION": ours, "MAX_CAPTURE_AMOUNT_EXCEEDED": ours, "MAX_CAPTURE_COUNT_EXCEEDED": ours,
		"AUTHORIZATION_EXPIRED": ours, "NOT_INVENTED_YET": ours,
		"DUPLICATE_REQUEST_ID": {core.ClassUnknown, ""},
	} {
		adapter, _ := open(t, problem("422", "UNPROCESSABLE_ENTITY", issue))
		_, err := adapter.CreatePayment(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		refused := failure(t, err)
		require.Equal(t, want.class.String(), refused.Class.String(), issue)
		require.Equal(t, want.code, refused.Code, issue)
		require.Equal(t, issue, refused.Foreign)
		require.Equal(t, "f00d", refused.RequestID)
	}
}

// euAdapter is an account that is not called by its provider's name.
func euAdapter(t *testing.T, base string, transport http.RoundTripper) *paypal.Adapter {
	t.Helper()
	with := options()
	with.Account, with.APIBase = "paypal_eu", base
	with.HTTPClient = &http.Client{Transport: transport, Timeout: time.Minute}
	return newAdapter(t, with)
}

// everyCall makes each call of an account once, by what its errors say.
func everyCall(t *testing.T, adapter *paypal.Adapter) map[string]func() error {
	t.Helper()
	of := func(kind core.ObjectKind, id string) core.ProviderRef {
		return core.ProviderRef{Account: adapter.Account(), Kind: kind, ID: id}
	}
	payment, refund := of(core.ObjectPayment, "O1"), of(core.ObjectRefund, "R1")
	wanted := creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic)
	confirming := confirmation(t, core.CaptureAutomatic)
	confirming.Ref = payment
	window := ports.ListPayments{From: clock.Add(-time.Hour), Until: clock, Limit: 1}
	all := map[string]func() error{
		"create for " + ours:      func() error { _, err := adapter.CreatePayment(t.Context(), "op_1", wanted); return err },
		"create page for " + ours: func() error { _, err := adapter.CreateHosted(t.Context(), "op_1", wanted); return err },
		"open O1":                 func() error { _, err := adapter.OpenPayment(t.Context(), payment); return err },
		"get O1":                  func() error { _, err := adapter.GetPayment(t.Context(), payment); return err },
		"get R1":                  func() error { _, err := adapter.GetPayment(t.Context(), refund); return err },
		"confirm O1":              func() error { _, err := adapter.ConfirmPayment(t.Context(), "op_1", confirming); return err },
		"capture O1": func() error {
			_, err := adapter.CapturePayment(t.Context(), "op_1", payment, money(t, 1, "EUR"))
			return err
		},
		"cancel O1": func() error { _, err := adapter.CancelPayment(t.Context(), "op_1", payment); return err },
		"refund O1": func() error {
			_, err := adapter.RefundPayment(t.Context(), "op_1", ports.RefundPayment{Payment: ours, Ref: payment, Amount: money(t, 1, "EUR")})
			return err
		},
		"get refund R1":      func() error { _, err := adapter.GetRefund(t.Context(), refund); return err },
		"list refunds of O1": func() error { _, err := adapter.PaymentRefunds(t.Context(), payment); return err },
		"list payments":      func() error { _, err := adapter.ListPayments(t.Context(), window); return err },
	}
	maps.Copy(all, everyCallAfterTheSale(t, adapter, of))
	return all
}

func everyCallAfterTheSale(t *testing.T, adapter *paypal.Adapter, of func(core.ObjectKind, string) core.ProviderRef) map[string]func() error {
	t.Helper()
	dispute, method, setup := of(core.ObjectDispute, "D1"), of(core.ObjectMethod, "M1"), of(core.ObjectSetup, "S1")
	subscription := of(core.ObjectSubscription, "I-1")
	change := ports.ChangeSubscription{Ref: subscription, Price: price(t, 10_00, 0), ProviderPrice: "P-1", Quantity: 2}
	return map[string]func() error{
		"get dispute D1":         func() error { _, err := adapter.GetDispute(t.Context(), dispute); return err },
		"list disputes of O1":    func() error { _, err := adapter.PaymentDisputes(t.Context(), of(core.ObjectPayment, "O1")); return err },
		"submit evidence for D1": func() error { _, err := adapter.SubmitEvidence(t.Context(), "op_1", evidence(dispute)); return err },
		"accept D1": func() error {
			_, err := adapter.AcceptDispute(t.Context(), "op_1", ports.AcceptDispute{Ref: dispute, Amount: money(t, 1, "EUR")})
			return err
		},
		"create setup for " + ourMethod: func() error {
			_, err := adapter.CreateSetup(t.Context(), "op_1", ports.CreateSetup{Method: ourMethod, Customer: ourCustomer})
			return err
		},
		"open setup S1": func() error { _, err := adapter.OpenSetup(t.Context(), setup); return err },
		"confirm setup S1": func() error {
			_, err := adapter.ConfirmSetup(t.Context(), "op_1", ports.ConfirmSetup{Ref: setup})
			return err
		},
		"get method S1":        func() error { _, err := adapter.GetMethod(t.Context(), setup); return err },
		"get method M1":        func() error { _, err := adapter.GetMethod(t.Context(), method); return err },
		"detach M1":            func() error { return adapter.DetachMethod(t.Context(), "op_1", method) },
		"charge for " + ours:   func() error { _, err := adapter.ChargeMethod(t.Context(), "op_1", charge(t, "M1", "card")); return err },
		"get subscription I-1": func() error { _, err := adapter.GetSubscription(t.Context(), subscription); return err },
		"create price for prc_01jd0000000000000000000000": func() error {
			_, err := adapter.CreatePrice(t.Context(), "op_1", price(t, 10_00, 0))
			return err
		},
		"create for " + ourSubscription: func() error {
			_, err := adapter.CreateSubscription(t.Context(), "op_1", subscribing("P-1"))
			return err
		},
		"open subscription I-1": func() error { _, err := adapter.OpenSubscription(t.Context(), subscription); return err },
		"get invoice T1":        func() error { _, err := adapter.GetInvoice(t.Context(), of(core.ObjectInvoice, "T1")); return err },
		"preview change of I-1": func() error { _, err := adapter.PreviewChange(t.Context(), change); return err },
		"change I-1":            func() error { _, err := adapter.ChangeSubscription(t.Context(), "op_1", change); return err },
		"pause I-1":             func() error { _, err := adapter.PauseSubscription(t.Context(), "op_1", subscription); return err },
		"resume I-1":            func() error { _, err := adapter.ResumeSubscription(t.Context(), "op_1", subscription); return err },
		"cancel subscription I-1": func() error {
			_, err := adapter.CancelSubscription(t.Context(), "op_1", ports.CancelSubscription{Ref: subscription})
			return err
		},
	}
}

// TestAnswersOfABrokenFarEnd: whatever PayPal answers that cannot be used, whichever call it
// answers, nobody can say then what happened; and the error tells which account's call it was,
// PayPal's id of it, and nothing that came over the network.
func TestAnswersOfABrokenFarEnd(t *testing.T) {
	t.Parallel()
	whole := order("COMPLETED", wallet, authorizations(authorization("CAPTURED"))+","+captures(capture("C1", "COMPLETED", "10.00"))+refunds("COMPLETED", "1.00"))[4:]
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"HTML":               {200, `<html>topsecret</html>`},
		"nothing":            {200, ``},
		"a list":             {200, `["topsecret"]`},
		"half of it":         {200, whole[:len(whole)/2]},
		"a page of a proxy":  {502, `<html>topsecret</html>`},
		"another page":       {404, `<html>topsecret</html>`},
		"an error of theirs": {500, `{"name":"INTERNAL_SERVER_ERROR","message":"topsecret","debug_id":"topsecret <b>"}`},
		"no amounts":         {200, strings.ReplaceAll(whole, `"amount"`, `"x"`)},
		"another object":     {200, strings.ReplaceAll(strings.ReplaceAll(whole, `"id":"`, `"id":"topsecret `), "custom_id", "x")},
	} {
		adapter := euAdapter(t, "http://double", roundTrip(func(r *http.Request) (*http.Response, error) {
			made := response(r, answer.status, []byte(answer.body))
			if strings.HasSuffix(r.URL.Path, "/token") {
				made = response(r, 200, []byte(`{"access_token":"token1","expires_in":32400}`))
			}
			made.Header.Set("Paypal-Debug-Id", "f00d")
			return made, nil
		}))
		for op, do := range everyCall(t, adapter) {
			err := do()
			require.Error(t, err, "%s: %s", op, name)
			refused := failure(t, err)
			require.Equal(t, core.ClassUnknown.String(), refused.Class.String(), "%s: %s", op, name)
			require.Equal(t, "paypal_eu "+op, refused.Op, name)
			require.Equal(t, "f00d", refused.RequestID, "%s: %s", op, name)
			for cause := error(refused); cause != nil; cause = errors.Unwrap(cause) {
				require.NotContains(t, cause.Error(), "topsecret", "%s: %s", op, name)
			}
		}
	}
}

// TestErrorsNameTheAccount: also where PayPal says what is wrong, and where there is no token.
func TestErrorsNameTheAccount(t *testing.T) {
	t.Parallel()
	far := func(token, call string) *paypal.Adapter {
		return euAdapter(t, "http://double", roundTrip(func(r *http.Request) (*http.Response, error) {
			text := call
			if strings.HasSuffix(r.URL.Path, "/token") {
				text = token
			}
			status := http.StatusOK
			if text[:3] != "200" {
				status = http.StatusUnprocessableEntity
			}
			made := response(r, status, []byte(text[4:]))
			made.Header.Set("Paypal-Debug-Id", "f00d")
			return made, nil
		}))
	}
	const token = `200 {"access_token":"token1","expires_in":32400}`
	for op, do := range everyCall(t, far(token, problem("422", "UNPROCESSABLE_ENTITY", "NOT_INVENTED_YET"))) {
		require.EqualError(t, do(), "paypal_eu "+op+": invalid (NOT_INVENTED_YET) [f00d]: HTTP 422 on /purchase_units")
	}
	for op, do := range everyCall(t, far(`422 {"error":"topsecret"}`, token)) {
		require.EqualError(t, do(), "paypal_eu "+op+": retryable [f00d]: no access token could be had: HTTP 422")
	}
	for op, do := range everyCall(t, far(token, "422 topsecret")) {
		require.EqualError(t, do(), "paypal_eu "+op+": unknown [f00d]: answer is not readable: HTTP 422")
	}
}

// TestFarEndsThatAreNotThere: nothing was sent, so that it may be sent again; also where a token
// was had before.
func TestFarEndsThatAreNotThere(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	strict := httptest.NewUnstartedServer(http.NotFoundHandler())
	strict.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	strict.StartTLS()
	t.Cleanup(strict.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	nameless := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no resolver here: topsecret")
	}}}
	for name, c := range map[string]struct {
		base      string
		transport *http.Transport
	}{
		"a name that nobody knows":      {"https://paypal.invalid", &http.Transport{DialContext: nameless.DialContext}},
		"a port that nobody listens at": {gone.URL, &http.Transport{}},
		"a certificate of no authority": {untrusted.URL, &http.Transport{}},
		"no TLS at all":                 {"https://" + plain.Listener.Addr().String(), &http.Transport{}},
		"another TLS":                   {strict.URL, &http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12}}},
	} {
		payment := core.ProviderRef{Account: "paypal_eu", Kind: core.ObjectPayment, ID: "O1"}
		_, err := euAdapter(t, c.base, c.transport).CancelPayment(t.Context(), "op_1", payment)
		require.EqualError(t, err, "paypal_eu cancel O1: retryable: no access token could be had", name)

		_, err = euAdapter(t, c.base, roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				return response(r, 200, []byte(`{"access_token":"token1","expires_in":32400}`)), nil
			}
			return c.transport.RoundTrip(r)
		})).CancelPayment(t.Context(), "op_1", payment)
		require.Equal(t, core.ClassRetryable, failure(t, err).Class, name)
		require.EqualError(t, err, "paypal_eu cancel O1: retryable: no connection could be made", name)
	}
}

// TestBehindTheGuard: the guard takes the adapter's claims, and a call's span has PayPal's id of
// it, also where all went well.
func TestBehindTheGuard(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	adapter, _ := open(t, order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00"))), problem("422", "UNPROCESSABLE_ENTITY", "NOT_INVENTED_YET"))
	guarded, err := guard.Wrap(adapter, guard.Options{Tracer: tracer, Meter: metricnoop.Meter{}})
	require.NoError(t, err)
	for _, kind := range []bool{
		func() bool { _, ok := guarded.(ports.BrowserProvider); return ok }(), func() bool { _, ok := guarded.(ports.Confirmer); return ok }(),
		func() bool { _, ok := guarded.(ports.Hoster); return ok }(), func() bool { _, ok := guarded.(ports.Refunder); return ok }(),
	} {
		require.True(t, kind)
	}
	_, err = guarded.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	_, err = guarded.GetPayment(t.Context(), ref)
	require.Equal(t, "NOT_INVENTED_YET", failure(t, err).Foreign)
	ended := spans.Ended()
	require.Len(t, ended, 2)
	for _, span := range ended {
		require.Contains(t, span.Attributes(), attribute.String("paydesk.provider.request_id", "f00d"))
	}
}
