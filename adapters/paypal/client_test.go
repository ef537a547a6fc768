package paypal_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func TestErrorClasses(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		class   core.Class
		foreign string
	}{
		problem("400", "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER"):        {core.ClassInvalid, "MISSING_REQUIRED_PARAMETER"},
		problem("400", "INVALID_REQUEST"):                                      {core.ClassInvalid, "INVALID_REQUEST"},
		problem("400", "INVALID_REQUEST", "secret text"):                       {core.ClassInvalid, ""},
		problem("403", "NOT_AUTHORIZED", "PERMISSION_DENIED"):                  {core.ClassRetryable, "PERMISSION_DENIED"},
		problem("403", "NOT_AUTHORIZED", "PAYEE_ACCOUNT_RESTRICTED"):           {core.ClassDeclined, "PAYEE_ACCOUNT_RESTRICTED"},
		problem("404", "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"):            {core.ClassInvalid, ports.ForeignMissing},
		problem("408", "REQUEST_TIMEOUT"):                                      {core.ClassUnknown, "REQUEST_TIMEOUT"},
		problem("409", "RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS"):    {core.ClassRetryable, "PREVIOUS_REQUEST_IN_PROGRESS"},
		problem("409", "RESOURCE_CONFLICT"):                                    {core.ClassUnknown, "RESOURCE_CONFLICT"},
		problem("415", "UNSUPPORTED_MEDIA_TYPE"):                               {core.ClassUnknown, "UNSUPPORTED_MEDIA_TYPE"},
		problem("422", "UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID"):         {core.ClassInvalid, "DUPLICATE_INVOICE_ID"},
		problem("422", "UNPROCESSABLE_ENTITY", "ORDER_COMPLETION_IN_PROGRESS"): {core.ClassRetryable, "ORDER_COMPLETION_IN_PROGRESS"},
		problem("422", "UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID"):         {core.ClassUnknown, "DUPLICATE_REQUEST_ID"},
		problem("429", "RATE_LIMIT_REACHED"):                                   {core.ClassRetryable, "RATE_LIMIT_REACHED"},
		problem("500", "INTERNAL_SERVER_ERROR"):                                {core.ClassUnknown, "INTERNAL_SERVER_ERROR"},
		problem("500", "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED"):          {core.ClassUnknown, "INSTRUMENT_DECLINED"},
		problem("503", "SERVICE_UNAVAILABLE"):                                  {core.ClassUnknown, "SERVICE_UNAVAILABLE"},
		problem("503", "SERVICE_UNAVAILABLE", "PREVIOUS_REQUEST_IN_PROGRESS"):  {core.ClassUnknown, "PREVIOUS_REQUEST_IN_PROGRESS"},
		"429 <html>secret text</html>":                                         {core.ClassRetryable, ""},
		"429 ":                                                                 {core.ClassRetryable, ""},
		"400 <html>secret text</html>":                                         {core.ClassUnknown, ""},
		"404 <html>secret text</html>":                                         {core.ClassUnknown, ""},
		"404 ":                                                                 {core.ClassUnknown, ""},
		"404 {}":                                                               {core.ClassUnknown, ""},
		"422 []":                                                               {core.ClassUnknown, ""},
		"502 <html>secret text</html>":                                         {core.ClassUnknown, ""},
		"307 ":                                                                 {core.ClassUnknown, ""},
		"reset":                                                                {core.ClassUnknown, ""},
	} {
		adapter, script := open(t, answer)
		_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirmation(t, core.CaptureAutomatic))
		refused := failure(t, err)
		require.Equal(t, want.class.String(), refused.Class.String(), answer)
		require.Equal(t, want.foreign, refused.Foreign, answer)
		require.Equal(t, "paypal confirm O1", refused.Op)
		require.Equal(t, answer != "reset", refused.RequestID == "f00d", answer)
		if strings.HasPrefix(answer, "429") {
			require.Equal(t, 2*time.Second, refused.RetryAfter, answer)
		}
		require.Len(t, script.sent(), 1, "an adapter sends each call once")
	}
}

func TestAConnectionThatCannotBeMade(t *testing.T) {
	t.Parallel()
	with := options()
	with.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	gone := httptest.NewServer(http.NotFoundHandler())
	script := &scripted{t: t}
	var closeOnce sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { script.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	with.APIBase = gone.URL
	// The token comes from one that is there, the call goes to one that is gone.
	inner := with.HTTPClient.Transport
	with.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		closeOnce.Do(gone.Close)
		if strings.HasSuffix(r.URL.Path, "/token") {
			r = r.Clone(r.Context())
			r.URL.Host = strings.TrimPrefix(server.URL, "http://")
		}
		return inner.RoundTrip(r)
	})
	_, err := newAdapter(t, with).CapturePayment(t.Context(), "op_1", ref, money(t, 1, "EUR"))
	require.Equal(t, core.ClassRetryable, failure(t, err).Class, "that the token's call went out says nothing of the operation's")
	require.Equal(t, 1, script.granted())
}

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNoToken(t *testing.T) {
	t.Parallel()
	for answer, names := range map[string]string{
		`401 {"error":"invalid_client","error_description":"secret text"}`: "client id and client secret",
		`400 {"error":"invalid_request"}`:                                  "client id and client secret",
		"500 x":                                                            "HTTP 500", "502 <html>secret text": "HTTP 502",
		"429 ": "HTTP 429", "200 <html>secret text": "HTTP 200", "200 {}": "HTTP 200", `200 {"access_token":"a\nb"}`: "HTTP 200", "302 ": "HTTP 302",
		"reset": "no access token",
	} {
		adapter, script := open(t)
		script.tokenIs = answer
		_, err := adapter.CreatePayment(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		refused := failure(t, err)
		require.Equal(t, core.ClassRetryable, refused.Class, answer)
		require.ErrorContains(t, refused, names, answer)
		require.Equal(t, answer != "reset", refused.RequestID == "f00d", answer)
		require.Equal(t, answer == "429 ", refused.RetryAfter == 2*time.Second, answer)
		require.Empty(t, script.sent(), "the operation never went out")

		script.mu.Lock()
		script.tokenIs, script.answers = "", []string{order("CREATED", "", "", approve)}
		script.mu.Unlock()
		_, err = adapter.CreatePayment(t.Context(), "op_1", creation(t, money(t, 10_00, "EUR"), core.CaptureAutomatic))
		require.NoError(t, err, "a refusal is not kept")
	}
}

// TestTokenThatNeverComes: who gives up is told that nothing went out, in one line, and whoever
// comes later does not wait for the call that hangs.
func TestTokenThatNeverComes(t *testing.T) {
	t.Parallel()
	asked, ended := make(chan struct{}, 2), make(chan struct{})
	hangs := atomic.Bool{}
	hangs.Store(true)
	script := &scripted{t: t, answers: []string{order("CREATED", "", "")}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hangs.Load() {
			script.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client is gone
		asked <- struct{}{}
		<-r.Context().Done()
		close(ended)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	with := options()
	with.APIBase = server.URL
	adapter := newAdapter(t, with)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := adapter.GetPayment(ctx, ref)
	require.Equal(t, core.ClassRetryable, failure(t, err).Class, "nothing went out")
	require.ErrorIs(t, err, context.Canceled)
	require.NotContains(t, err.Error(), "\n")
	<-ended
	hangs.Store(false)
	_, err = adapter.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	require.Empty(t, asked)
}

// TestTokenThatOthersWaitFor: who gives up does not end it for them.
func TestTokenThatOthersWaitFor(t *testing.T) {
	t.Parallel()
	asked, goes := make(chan struct{}, 2), make(chan struct{})
	script := &scripted{t: t, answers: []string{order("CREATED", "", "")}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			asked <- struct{}{}
			<-goes
		}
		script.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	with := options()
	with.APIBase = server.URL
	adapter := newAdapter(t, with)
	hasty, cancel := context.WithCancel(t.Context())
	waits := &waited{Context: t.Context(), begun: make(chan struct{})}
	var all sync.WaitGroup
	var hastyErr, patientErr error
	all.Go(func() { _, hastyErr = adapter.GetPayment(hasty, ref) })
	<-asked
	all.Go(func() { _, patientErr = adapter.GetPayment(waits, ref) })
	<-waits.begun
	cancel()
	close(goes)
	all.Wait()
	if hastyErr != nil { // the token may have come first
		require.ErrorIs(t, hastyErr, context.Canceled)
	}
	require.NoError(t, patientErr)
	require.Equal(t, 1, script.granted())
}

// waited tells when somebody begins to wait for a context's end.
type waited struct {
	context.Context
	begun chan struct{}
	once  sync.Once
}

// Done implements [context.Context].
func (w *waited) Done() <-chan struct{} {
	w.once.Do(func() { close(w.begun) })
	return w.Context.Done()
}

func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	refusal := `401 {"error":"invalid_token","error_description":"secret text"}`
	paid := order("COMPLETED", wallet, captures(capture("C1", "COMPLETED", "10.00")))
	adapter, script := open(t, paid, paid, refusal, paid, refusal, problem("401", "AUTHENTICATION_FAILURE"), paid)
	for range 2 {
		_, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err)
	}
	require.Equal(t, 1, script.granted(), "one is kept")
	_, err := adapter.ConfirmPayment(t.Context(), "op_1", confirmation(t, core.CaptureAutomatic))
	require.NoError(t, err, "sent once more, with a fresh token")
	require.Equal(t, 2, script.granted())
	require.Equal(t, script.sent()[2], script.sent()[3], "the same request under the same key")
	require.Equal(t, "op_1", script.sent()[3].key)

	_, err = adapter.ConfirmPayment(t.Context(), "op_2", confirmation(t, core.CaptureAutomatic))
	require.Equal(t, core.ClassRetryable, failure(t, err).Class, "and once only")
	require.Equal(t, 3, script.granted())
	require.Len(t, script.sent(), 6)
	_, err = adapter.GetPayment(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, 3, script.granted())
}

func TestTokenRunsOut(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	with := options()
	with.Now = func() time.Time { return clock.Add(time.Duration(now.Load())) }
	script := &scripted{t: t}
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	with.APIBase = server.URL
	adapter := newAdapter(t, with)
	for _, c := range []struct {
		answer string // of the token's address
		after  time.Duration
		tokens int
	}{
		{"", 0, 1},
		{"", 9*time.Hour - time.Minute - time.Second, 1},
		{"", 9*time.Hour - time.Minute, 2},
		{`200 {"access_token":"token3","expires_in":40}`, 19 * time.Hour, 3},
		{"", 19*time.Hour + 19*time.Second, 3},
		{"", 19*time.Hour + 20*time.Second, 4},
		{`200 {"access_token":"token5","expires_in":-5}`, 40 * time.Hour, 5},
		{`200 {"access_token":"token6"}`, 40 * time.Hour, 6},
		{"", 40 * time.Hour, 7},
	} {
		now.Store(int64(c.after))
		script.mu.Lock()
		script.tokenIs, script.answers = c.answer, []string{order("CREATED", "", "")}
		script.mu.Unlock()
		_, err := adapter.GetPayment(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, c.tokens, script.granted(), c.after)
	}
}

// TestManyCallsWithOneToken: however many callers find that the token is not taken any more,
// one call gets another, and every call goes well.
func TestManyCallsWithOneToken(t *testing.T) {
	t.Parallel()
	const callers, rounds = 16, 8
	var mu sync.Mutex
	good, granted, fetching := "", 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/v1/oauth2/token" {
			if fetching++; fetching > 1 {
				t.Error("two calls for a token at once")
			}
			mu.Unlock()
			mu.Lock()
			fetching--
			granted++
			good = fmt.Sprintf("token%d", granted)
			_, _ = fmt.Fprintf(w, `{"access_token":%q,"expires_in":32400}`, good)
			return
		}
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_token"}`)
			return
		}
		_, _ = io.WriteString(w, order("CREATED", "", "")[4:])
	}))
	t.Cleanup(server.Close)
	with := options()
	with.APIBase = server.URL
	adapter := newAdapter(t, with)
	for round := range rounds {
		mu.Lock()
		good = "" // revoked
		mu.Unlock()
		errs := make([]error, callers)
		var all sync.WaitGroup
		for n := range callers {
			all.Go(func() { _, errs[n] = adapter.GetPayment(t.Context(), ref) })
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		mu.Lock()
		require.Equal(t, round+1, granted)
		mu.Unlock()
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	live := func(o *paypal.Options) { o.Environment = core.EnvLive }
	for name, c := range map[string]struct {
		names  string
		change func(*paypal.Options)
	}{
		"no account":             {"account", func(o *paypal.Options) { o.Account = "" }},
		"no environment":         {"environment", func(o *paypal.Options) { o.Environment = "prod" }},
		"no client id":           {"client id: ", func(o *paypal.Options) { o.ClientID = "" }},
		"a client id of two":     {"client id: ", func(o *paypal.Options) { o.ClientID = "top secret" }},
		"no secret":              {"client secret: ", func(o *paypal.Options) { o.ClientSecret = "" }},
		"a secret with a break":  {"client secret: ", func(o *paypal.Options) { o.ClientSecret = "topsecret\n" }},
		"a webhook id of two":    {"webhook id: ", func(o *paypal.Options) { o.WebhookID = "a b" }},
		"a webhook id in parts":  {"webhook id: ", func(o *paypal.Options) { o.WebhookID = "a|b" }},
		"another verification":   {"webhook verification: ", func(o *paypal.Options) { o.WebhookVerification = "none" }},
		"roots that are none":    {"webhook roots: ", func(o *paypal.Options) { o.WebhookRoots = []byte("topsecret") }},
		"links that are none":    {"webhook intermediates: ", func(o *paypal.Options) { o.WebhookIntermediates = []byte("topsecret") }},
		"roots in live":          {"webhook roots: ", func(o *paypal.Options) { live(o); o.WebhookRoots = authority().rootPEM }},
		"real money's host":      {"API base: ", func(o *paypal.Options) { o.APIBase = "https://api-m.paypal.com/" }},
		"its older name":         {"API base: ", func(o *paypal.Options) { o.APIBase = "https://api.paypal.com" }},
		"in other letters":       {"API base: ", func(o *paypal.Options) { o.APIBase = "https://API-M.PayPal.com." }},
		"over no TLS":            {"API base: ", func(o *paypal.Options) { o.APIBase = "http://api-m.sandbox.paypal.com" }},
		"play money's in live":   {"API base: ", func(o *paypal.Options) { live(o); o.APIBase = "https://api-m.sandbox.paypal.com" }},
		"another host in live":   {"API base: ", func(o *paypal.Options) { live(o); o.APIBase = "https://paypal.example" }},
		"a host like it in live": {"API base: ", func(o *paypal.Options) { live(o); o.APIBase = "https://api-m.paypal.com.evil.example" }},
		"this machine in live":   {"API base: ", func(o *paypal.Options) { live(o); o.APIBase = "http://127.0.0.1:8090/paypal" }},
		"an address of no kind":  {"API base: ", func(o *paypal.Options) { o.APIBase = "ftp://127.0.0.1" }},
		"no host":                {"API base: ", func(o *paypal.Options) { o.APIBase = "127.0.0.1:8090" }},
		"a user":                 {"API base: ", func(o *paypal.Options) { o.APIBase = "http://user:topsecret@127.0.0.1" }},
		"a query":                {"API base: ", func(o *paypal.Options) { o.APIBase = "http://127.0.0.1/?topsecret" }},
		"a fragment":             {"API base: ", func(o *paypal.Options) { o.APIBase = "http://127.0.0.1/#topsecret" }},
	} {
		with := options()
		c.change(&with)
		_, err := paypal.New(with)
		require.ErrorContains(t, err, c.names, name)
		require.NotContains(t, err.Error(), "topsecret", name)
		require.NotContains(t, err.Error(), "top secret", name)
	}
	for _, base := range []string{"", "https://api-m.paypal.com", "https://api.paypal.com/"} {
		with := options()
		live(&with)
		with.APIBase = base
		newAdapter(t, with)
	}
	for _, base := range []string{"", "https://api-m.sandbox.paypal.com/", "https://api.sandbox.paypal.com", "http://127.0.0.1:8090/paypal/", "https://sandbox.example"} {
		with := options()
		with.APIBase, with.WebhookRoots, with.WebhookIntermediates = base, authority().rootPEM, authority().rootPEM
		newAdapter(t, with)
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	adapter := newAdapter(t, options())
	require.Equal(t, core.AccountName("paypal"), adapter.Account())
	require.Equal(t, core.ProviderPayPal, adapter.Name())
	can := adapter.Capabilities()
	require.Len(t, can.Currencies, 24)
	for currency := range can.Currencies {
		require.True(t, currency.Known(), currency)
	}
	can.Currencies["RUB"] = true
	require.False(t, adapter.Capabilities().Currencies["RUB"], "the caller has a copy")
	can.Lists[core.ObjectRefund] = ports.ListAbilities{Created: true}
	can.Disputes.Fields[0], can.Subscriptions.Periods[core.IntervalYear][0] = "x", 7
	can = adapter.Capabilities()
	require.Equal(t, ports.DisputeAbilities{Evidence: true, Accept: true, TextCharsMax: 1960, Fields: []core.EvidenceField{
		core.EvidenceProductDescription, core.EvidenceShippingCarrier, core.EvidenceTrackingNumber, core.EvidenceRefundPolicyText, core.EvidenceOtherText,
		core.EvidenceReceipt, core.EvidenceSignature, core.EvidenceShippingFile, core.EvidenceRefundPolicyFile, core.EvidenceOtherFile,
	}}, *can.Disputes)
	periods := can.Subscriptions.Periods
	require.Equal(t, []int{365, 52, 12}, []int{len(periods[core.IntervalDay]), len(periods[core.IntervalWeek]), len(periods[core.IntervalMonth])})
	require.Equal(t, []int{1}, periods[core.IntervalYear])
	can.Subscriptions.Periods = nil
	require.Equal(t, ports.SubscriptionAbilities{
		TrialDaysMax: 365, QuantityMax: 1_000_000, Quantity: true, BuyerAgrees: true, Pause: true, PauseNow: true, CancelNow: true,
	}, *can.Subscriptions)
	can.Currencies, can.Disputes, can.Subscriptions = nil, nil, nil
	require.Equal(t, ports.Capabilities{
		Confirm: ports.ConfirmAfterApproval, ManualCapture: true, PartialCapture: true, Hosted: true, HostedManualCapture: true, Refund: true,
		ListPayments: true, Vault: true, PaymentsLag: 3 * time.Hour, KeyKept: 3 * time.Hour, EventsKept: 30 * 24 * time.Hour, Webhooks: true,
		Lists: map[core.ObjectKind]ports.ListAbilities{core.ObjectDispute: {Created: true, Changed: true}},
	}, can)
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	const query = "/sdk/js?client-id=a%2Bb%26c&currency={currency}&intent={intent}&vault={vault}&components=buttons,card-fields"
	with := options()
	with.ClientID = "a+b&c"
	origins := []string{"https://*.paypal.com", "https://*.paypalobjects.com", "https://*.venmo.com"}
	want := ports.BrowserConfig{
		Provider: core.ProviderPayPal, PublishableKey: "a+b&c", ScriptURL: "https://www.paypal.com" + query, NeedsNonce: true,
		ScriptSources: origins, FrameSources: origins, ConnectSources: origins, StyleSources: origins, ImageSources: origins,
		Decimals: map[core.Currency]int{"HUF": 0, "TWD": 0},
	}
	adapter := newAdapter(t, with)
	require.Equal(t, want, adapter.Browser())
	changed := adapter.Browser()
	changed.ScriptSources[0], changed.Decimals["HUF"] = "https://evil.example", 7
	require.Equal(t, want, adapter.Browser(), "the caller has a copy")
	with.Environment = core.EnvLive
	require.Equal(t, want, newAdapter(t, with).Browser(), "the client id tells which it is")

	with.Environment, with.APIBase = core.EnvTest, "http://127.0.0.1:8090/paypal/"
	double := newAdapter(t, with).Browser()
	require.Equal(t, "http://127.0.0.1:8090/paypal"+query, double.ScriptURL)
	for _, list := range [][]string{double.ScriptSources, double.FrameSources, double.ConnectSources, double.StyleSources, double.ImageSources} {
		require.Equal(t, []string{"http://127.0.0.1:8090"}, list)
	}
}
