package guard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paydesk/paydesk/adapters/guard"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestConfirmer(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(t *testing.T) (ports.Provider, portstest.FarEnd) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest).Confirming(ports.ConfirmAfterApproval)
		return wrap(t, fake, guard.Options{}), fake
	})
}

func TestProvider(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(t *testing.T) (ports.Provider, portstest.FarEnd) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		return wrap(t, fake, guard.Options{}), fake
	})
}

func wrap(t testing.TB, inner ports.Provider, options guard.Options) ports.Provider {
	t.Helper()
	guarded, err := guard.Wrap(inner, options)
	require.NoError(t, err)
	return guard.Once(guarded)
}

// scripted is a provider whose looks are written by the test.
type scripted struct {
	ports.Provider
	get func(context.Context) (core.PaymentSnapshot, error)
}

func (s scripted) GetPayment(ctx context.Context, _ core.ProviderRef) (core.PaymentSnapshot, error) {
	return s.get(ctx)
}

var ref = core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: "pi_1"}

// look makes one guarded call of what the test wrote.
func look(t testing.TB, options guard.Options, get func(context.Context) (core.PaymentSnapshot, error)) (core.PaymentSnapshot, error) {
	t.Helper()
	inner := scripted{Provider: portstest.NewFakeProvider("stripe", core.EnvTest), get: get}
	return wrap(t, inner, options).GetPayment(t.Context(), ref)
}

// Capabilities implements [ports.Provider]: it looks at payments and does nothing else.
func (s scripted) Capabilities() ports.Capabilities { return ports.Capabilities{} }

// What an adapter says it can do has to be what it can do.
func TestClaimsAreChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ports.Capabilities){
		"confirm": func(can *ports.Capabilities) { can.Confirm = ports.ConfirmWithSource },
		"host":    func(can *ports.Capabilities) { can.Hosted = false },
		"refund":  func(can *ports.Capabilities) { can.Refund = false },
	} {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		fake.SetCapabilities(change)
		_, err := guard.Wrap(fake, guard.Options{})
		require.ErrorContains(t, err, "can "+name)
	}
	for _, change := range []func(*ports.Capabilities){
		func(can *ports.Capabilities) { can.ManualCapture = false },
		func(can *ports.Capabilities) { *can = ports.Capabilities{HostedManualCapture: true} },
	} {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		fake.SetCapabilities(change)
		_, err := guard.Wrap(fake, guard.Options{})
		require.Error(t, err, "holding money at a page takes a page, and holding money")
	}
	fake := portstest.NewFakeProvider("stripe", core.EnvTest).Confirming(ports.ConfirmWithSource)
	_, err := guard.Wrap(fake, guard.Options{})
	require.NoError(t, err)
	plain, err := guard.Wrap(scripted{Provider: fake}, guard.Options{})
	require.NoError(t, err)
	whole, ok := plain.(interface {
		ports.Confirmer
		ports.Hoster
		ports.Refunder
	})
	require.True(t, ok)
	_, err = whole.ConfirmPayment(t.Context(), "op_1", ports.ConfirmPayment{})
	require.Equal(t, core.ClassInvalid, refusal(t, err).Class)
	_, err = whole.CreateHosted(t.Context(), "op_1", ports.CreatePayment{})
	require.Equal(t, core.ClassInvalid, refusal(t, err).Class)
	_, err = whole.RefundPayment(t.Context(), "op_1", ports.RefundPayment{})
	require.Equal(t, core.ClassInvalid, refusal(t, err).Class)
	require.Empty(t, fake.Calls())
}

func failing(err error) func(context.Context) (core.PaymentSnapshot, error) {
	return func(context.Context) (core.PaymentSnapshot, error) { return core.PaymentSnapshot{}, err }
}

func refusal(t testing.TB, err error) *core.ProviderError {
	t.Helper()
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	return refused
}

func TestBrowserStaysReachable(t *testing.T) {
	t.Parallel()
	fake := portstest.NewFakeProvider("stripe", core.EnvTest)
	browser, ok := wrap(t, fake, guard.Options{}).(ports.BrowserProvider)
	require.True(t, ok)
	require.Equal(t, fake.Browser(), browser.Browser())

	_, ok = wrap(t, scripted{Provider: fake}, guard.Options{}).(ports.BrowserProvider)
	require.False(t, ok, "an ability that the provider does not have")
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := look(t, guard.Options{}, func(ctx context.Context) (core.PaymentSnapshot, error) {
			<-ctx.Done()
			return core.PaymentSnapshot{}, &core.ProviderError{Class: core.ClassUnknown, Op: "stripe get pi_1", Err: ctx.Err()}
		})
		require.Equal(t, guard.CallTimeMax, time.Since(began))
		require.Equal(t, core.ClassUnknown, refusal(t, err).Class)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("")
	seen, err := look(t, guard.Options{Tracer: tracer}, func(context.Context) (core.PaymentSnapshot, error) {
		panic("sk_live_topsecret")
	})
	require.Zero(t, seen)
	require.Equal(t, core.ClassUnknown, refusal(t, err).Class, "the request may have gone out")
	require.NotContains(t, err.Error(), "topsecret")
	require.Len(t, spans.Ended(), 1)
	events := spans.Ended()[0].Events()
	require.Len(t, events, 1)
	told := fmt.Sprint(events[0].Attributes)
	require.Contains(t, told, "guard_test.go", "where it happened is told")
	require.NotContains(t, told, "topsecret", "what was thrown is not")
}

func TestErrorOfNoClass(t *testing.T) {
	t.Parallel()
	for _, given := range []error{errors.New("sk_live_topsecret"), context.Canceled} {
		_, err := look(t, guard.Options{}, failing(given))
		refused := refusal(t, err)
		require.Equal(t, core.ClassUnknown, refused.Class)
		require.NotContains(t, err.Error(), "topsecret")
	}
	_, err := look(t, guard.Options{}, failing(fmt.Errorf("around: %w", &core.ProviderError{Class: core.ClassDeclined, Op: "stripe get pi_1"})))
	require.Equal(t, "stripe get pi_1: declined", err.Error())
}

func TestRedaction(t *testing.T) {
	t.Parallel()
	given := core.ProviderError{
		Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "parameter_unknown", Op: "stripe get pi_1",
		RequestID: "req_1", ObjectID: "pi_1", RetryAfter: time.Second, Err: errors.New("HTTP 400 on metadata[x]"),
	}
	_, err := look(t, guard.Options{}, failing(&given))
	require.Equal(t, given, *refusal(t, err), "what is clean stays as it is")

	for _, secret := range []string{
		"4242424242424242", "4242 4242 4242 4242", "sk_live_topsecret", "rk_test_topsecret", "whsec_topsecret", "pi_1_secret_topsecret",
		"Authorization: Bearer topsecret", "Basic dG9wc2VjcmV0", "jenny@example.com",
	} {
		dirty := given
		dirty.Op, dirty.Foreign, dirty.ObjectID, dirty.RequestID = "get "+secret, secret, secret, secret
		dirty.Err = fmt.Errorf("read %q: %w", secret, context.DeadlineExceeded)
		_, err := look(t, guard.Options{}, failing(&dirty))
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			for _, word := range []string{secret, "topsecret", "dG9wc2VjcmV0"} {
				require.NotContains(t, cause.Error(), word)
			}
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, core.ClassInvalid, refusal(t, err).Class)
		require.Equal(t, given.RetryAfter, refusal(t, err).RetryAfter)
	}
	long := given
	long.Err = errors.New(strings.Repeat("ä\n", 10_000))
	_, err = look(t, guard.Options{}, failing(&long))
	require.Less(t, len(err.Error()), 1000)
	require.NotContains(t, err.Error(), "\n")
	require.True(t, strings.HasSuffix(err.Error(), "…"))
}

// TestSpan: a span says which call went where and what became of it, and nothing of who
// paid.
func TestSpan(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("")
	fake := portstest.NewFakeProvider("stripe", core.EnvTest)
	provider := wrap(t, fake, guard.Options{Tracer: tracer})
	amount, err := core.NewMoney(100, "EUR")
	require.NoError(t, err)
	session, err := provider.CreatePayment(t.Context(), "op_1", ports.CreatePayment{Payment: "pay_1", Amount: amount, Reference: "jenny", Description: "jenny"})
	require.NoError(t, err)
	fake.Fault(t, portstest.FaultError429)
	_, err = provider.CancelPayment(t.Context(), "op_2", session.Snapshot.Ref)
	require.Error(t, err)

	ended := spans.Ended()
	require.Len(t, ended, 2)
	require.Equal(t, "provider stripe create_payment", ended[0].Name())
	require.Equal(t, codes.Unset, ended[0].Status().Code)
	require.ElementsMatch(t, []attribute.KeyValue{
		attribute.String("paydesk.account", "stripe"), attribute.String("paydesk.provider", "stripe"), attribute.String("paydesk.provider.object", "pay_1"),
	}, ended[0].Attributes())
	require.Equal(t, "provider stripe cancel_payment", ended[1].Name())
	require.Equal(t, sdktrace.Status{Code: codes.Error, Description: "retryable"}, ended[1].Status())
	require.ElementsMatch(t, []attribute.KeyValue{
		attribute.String("paydesk.account", "stripe"), attribute.String("paydesk.provider", "stripe"), attribute.String("paydesk.provider.object", session.Snapshot.Ref.ID),
		attribute.String("paydesk.provider.class", "retryable"), attribute.String("paydesk.provider.code", "rate_limit"), attribute.String("paydesk.provider.request_id", "req_fake"),
	}, ended[1].Attributes())
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("")
	_, err := look(t, guard.Options{Meter: meter}, failing(nil))
	require.NoError(t, err)
	_, err = look(t, guard.Options{Meter: meter}, failing(portstest.NoAnswer()))
	require.Error(t, err)

	var collected metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &collected))
	require.Len(t, collected.ScopeMetrics, 1)
	require.Len(t, collected.ScopeMetrics[0].Metrics, 2, "nothing was sent again")
	metric := collected.ScopeMetrics[0].Metrics[0]
	require.Equal(t, "paydesk.provider.call.duration", metric.Name)
	histogram, ok := metric.Data.(metricdata.Histogram[float64])
	require.True(t, ok)
	outcomes := map[string]uint64{}
	for _, point := range histogram.DataPoints {
		outcome, _ := point.Attributes.Value("outcome")
		call, _ := point.Attributes.Value("call")
		require.Equal(t, "get_payment", call.AsString())
		require.Equal(t, 3, point.Attributes.Len())
		outcomes[outcome.AsString()] += point.Count
	}
	require.Equal(t, map[string]uint64{"ok": 1, "unknown": 1}, outcomes)
}

// Each account tells of its own breaker, however many share the meter.
func TestEveryAccountTellsOfItsBreaker(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("")
	for _, account := range []core.AccountName{"stripe_eu", "stripe_us", "paypal"} {
		inner := named{scripted{Provider: portstest.NewFakeProvider("stripe", core.EnvTest), get: failing(portstest.NoAnswer())}, account}
		provider, err := guard.Wrap(inner, guard.Options{Meter: meter, Tries: 1})
		require.NoError(t, err)
		for range 5 {
			if account == "stripe_us" {
				_, err = provider.GetPayment(t.Context(), core.ProviderRef{})
				require.Error(t, err)
			}
		}
	}
	var collected metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &collected))
	open := map[string]int64{}
	for _, metric := range collected.ScopeMetrics[0].Metrics {
		gauge, ok := metric.Data.(metricdata.Gauge[int64])
		if !ok || metric.Name != "paydesk.provider.breaker.open" {
			continue
		}
		for _, point := range gauge.DataPoints {
			account, _ := point.Attributes.Value("paydesk.account")
			open[account.AsString()] = point.Value
		}
	}
	require.Equal(t, map[string]int64{"stripe_eu": 0, "stripe_us": 1, "paypal": 0}, open)
}

// named is a provider under another account's name.
type named struct {
	scripted
	account core.AccountName
}

func (n named) Account() core.AccountName { return n.account }
