package stripe_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	mockBuildMax = 5 * time.Minute
	mockStartMax = 20 * time.Second
)

// TestRequestsAgainstStripeMock has Stripe's own description of its API judge every
// request that the adapter makes: the parameters' names and types, and the API version.
// The answers are fixed, so nothing is learnt from them but that they can be read.
func TestRequestsAgainstStripeMock(t *testing.T) {
	t.Parallel()
	judged := &judgedTransport{}
	judge := startStripeMock(t)
	requireJudges(t, judge)
	adapter, err := stripe.New(stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_123", APIBase: judge,
		HTTPClient: &http.Client{Transport: judged, Timeout: time.Minute},
	})
	require.NoError(t, err)
	ctx := t.Context()
	ref := core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: "pi_123"}
	amount, err := core.NewMoney(1999, "USD")
	require.NoError(t, err)

	for _, in := range []ports.CreatePayment{
		{Payment: "pay_01", Checkout: "chk_01", Reference: "order 1", Amount: amount, Capture: core.CaptureAutomatic, ReturnURL: "https://shop.example/back"},
		{Payment: "pay_02", Checkout: "chk_02", Reference: "ordre n° 2", Amount: amount, Capture: core.CaptureManual, Description: "Two books & a pen"},
	} {
		_, err = adapter.CreatePayment(ctx, core.OperationKey("op_"+in.Payment), in)
		require.NoError(t, err)
	}
	_, err = adapter.OpenPayment(ctx, ref)
	require.NoError(t, err)
	_, err = adapter.GetPayment(ctx, ref)
	require.NoError(t, err)
	_, err = adapter.CapturePayment(ctx, "op_capture", ref, amount)
	require.NoError(t, err)
	_, err = adapter.CancelPayment(ctx, "op_cancel", ref)
	require.NoError(t, err)
	// The answer is of no payment of ours, so that only the request is judged.
	_, err = adapter.RefundPayment(ctx, "op_refund", ports.RefundPayment{Payment: "pay_01", Ref: ref, Amount: amount})
	require.NotContains(t, fmt.Sprint(err), "invalid")
	for _, capture := range []core.CaptureMode{core.CaptureAutomatic, core.CaptureManual} {
		_, err = adapter.CreateHosted(ctx, core.OperationKey("op_page_"+capture), ports.CreatePayment{
			Payment: "pay_03", Checkout: "chk_03", Reference: "order 3", Amount: amount, Capture: capture, ReturnURL: "https://shop.example/back",
		})
		require.NotContains(t, fmt.Sprint(err), "invalid")
	}
	page := core.ProviderRef{Account: "stripe", Kind: core.ObjectSession, ID: "cs_123"}
	_, err = adapter.GetPayment(ctx, page)
	require.NotContains(t, fmt.Sprint(err), "invalid")
	_, err = adapter.CancelPayment(ctx, "op_close", page)
	require.NotContains(t, fmt.Sprint(err), "invalid")
	for _, cursor := range []string{"", "pi_122"} {
		_, err = adapter.ListPayments(ctx, ports.ListPayments{
			From: time.Unix(1700000000, 1), Until: time.Unix(1700003600, 1), Limit: core.PageItemsMax, Cursor: cursor,
		})
		require.NoError(t, err)
	}

	require.Equal(t, []string{
		"POST /v1/payment_intents op_pay_01", "POST /v1/payment_intents op_pay_02",
		"GET /v1/payment_intents/pi_123", "GET /v1/payment_intents/pi_123",
		"POST /v1/payment_intents/pi_123/capture op_capture", "POST /v1/payment_intents/pi_123/cancel op_cancel",
		"POST /v1/refunds op_refund",
		"POST /v1/checkout/sessions op_page_automatic", "POST /v1/checkout/sessions op_page_manual",
		"GET /v1/checkout/sessions/cs_123", "POST /v1/checkout/sessions/cs_123/expire op_close",
		"GET /v1/payment_intents", "GET /v1/payment_intents",
	}, judged.calls)
}

// requireJudges shows that the judge refuses what it should.
func requireJudges(t *testing.T, judge string) {
	t.Helper()
	for _, wrong := range []struct{ version, form string }{
		{"2023-10-16", "amount=100&currency=usd&no_such_parameter=1"},
		{"2023-10-16", "currency=usd"},
		{"2022-11-15", "amount=100&currency=usd"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, judge+"/v1/payment_intents", strings.NewReader(wrong.form))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer sk_test_123")
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Stripe-Version", wrong.version)
		response, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusBadRequest, response.StatusCode, wrong)
	}
}

// judgedTransport notes calls.
type judgedTransport struct {
	base    http.Transport
	mu      sync.Mutex
	calls   []string
	instead *strings.Replacer // what the answers say; nil for what the judge does
}

// RoundTrip implements [http.RoundTripper].
func (j *judgedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	j.mu.Lock()
	j.calls = append(j.calls, strings.TrimSpace(request.Method+" "+request.URL.Path+" "+request.Header.Get("Idempotency-Key")))
	j.mu.Unlock()
	response, err := j.base.RoundTrip(request)
	if err != nil || j.instead == nil {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body, response.ContentLength = io.NopCloser(strings.NewReader(j.instead.Replace(string(body)))), -1
	return response, err
}

// startStripeMock builds and starts the server that Stripe publishes, on a free port of
// this machine, and gives its address. Where it cannot be built the test is skipped, and
// fails in CI.
func startStripeMock(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mockBuildMax)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "tool", "-modfile=tools/go.mod", "-n", "stripe-mock")
	build.Dir = filepath.Join("..", "..")
	path, err := build.Output()
	if err != nil {
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, "build stripe-mock")
		}
		t.Skip("stripe-mock cannot be built here:", err)
	}
	server := exec.Command(strings.TrimSpace(string(path)), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0", "-strict-version-check")
	output, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			if _, found, ok := strings.Cut(lines.Text(), "HTTP at address: "); ok {
				address <- strings.TrimSpace(found)
				break
			}
		}
		_, _ = io.Copy(io.Discard, output)
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	select {
	case at := <-address:
		return "http://" + at
	case <-time.After(mockStartMax):
		require.FailNow(t, "stripe-mock did not say where it listens")
		return ""
	}
}
