package stripe_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

// tabTimeMax bounds what one test does in a browser.
const tabTimeMax = 90 * time.Second

// shopScript is the page's own: a Payment Element that is made before its intent, whose
// answers stay where the test finds them.
const shopScript = `
window.openForm = (options) => {
  window.stripe = Stripe('` + publishableKey + `');
  window.elements = stripe.elements(options);
  const element = elements.create('payment');
  return new Promise((resolve) => {
    element.on('ready', () => resolve('ready'));
    element.mount('#card');
  });
};
window.problem = (make) => {
  try {
    make();
    return 'none';
  } catch (error) {
    return error.name;
  }
};
window.confirmBy = async (method, clientSecret) => {
  window.result = null;
  const { error } = await elements.submit();
  window.result = error ? { error } : await stripe[method]({
    elements, clientSecret, redirect: 'if_required', confirmParams: { return_url: location.href },
  }).catch((problem) => ({ error: { type: problem.name } }));
};
`

// shop is a page of another origin than the simulator's, with the policy that Stripe asks for.
func shop(t *testing.T, provider string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+provider+"; frame-src "+provider+"; img-src data:")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,">
			<script src="%s/stripe/v3/"></script><script src="/shop.js"></script></head><body><div id="card"></div></body></html>`, provider)
	})
	mux.HandleFunc("GET /shop.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write([]byte(shopScript))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// tab is a page in a Chromium without a window.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	troubles []string // what the browser complained of
}

// newTab starts a Chromium until the test ends. Where there is none, the test is skipped, and
// fails where CI=true.
func newTab(t *testing.T) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		require.NotEqual(t, "true", os.Getenv("CI"), "no Chromium on the path")
		t.Skip("no Chromium on the path")
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		// Frames stay in the page's own process, where the test can reach them.
		chromedp.Flag("disable-features", "SitePerProcess,IsolateOrigins,OriginKeyedProcessesByDefault,Translate"),
		chromedp.Flag("disable-site-isolation-trials", true),
	)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	ctx, cancel := context.WithTimeout(ctx, tabTimeMax)
	t.Cleanup(cancel)
	p := &tab{ctx: ctx}
	require.NoError(t, chromedp.Do(ctx), "start the browser")
	require.NoError(t, chromedp.Listen(ctx, p.note))
	_, err := chromedp.Call(ctx, log.Enable, struct{}{})
	require.NoError(t, err)
	return p
}

// note keeps what the browser complains of. It runs inside the loop that reads from it.
func (p *tab) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *log.EventEntryAdded:
		// Answers like 401 are logged by the browser as errors and are none here.
		if event.Entry.Level == log.EntryLevelError && event.Entry.Source != log.EntrySourceNetwork {
			p.troubles = append(p.troubles, event.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, event.ExceptionDetails.Text)
	}
}

func (p *tab) quiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(t, p.troubles)
}

func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(p.ctx, steps...))
}

// evaluate gives what a script in the page comes to.
func evaluate[T any](t *testing.T, p *tab, script string) T {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return value
}

// frame waits for a frame and gives what finds elements in it. A frame begins empty: what was
// found in it then would never change.
func (p *tab) frame(t *testing.T, selector string) chromedp.QueryOption {
	t.Helper()
	var found *chromedp.Node
	require.Eventually(t, func() bool {
		nodes, err := chromedp.Run(p.ctx, chromedp.Nodes(chromedp.CSS(selector)))
		if err != nil || len(nodes) != 1 {
			return false
		}
		found = nodes[0]
		return found.ContentDocument != nil && strings.HasPrefix(found.ContentDocument.DocumentURL, "http")
	}, waitMax, 20*time.Millisecond, "the frame %s never came", selector)
	return chromedp.FromNode(found)
}

// form opens the card's form anew.
func (p *tab) form(t *testing.T, page, options string) {
	t.Helper()
	p.do(t, chromedp.Navigate(page))
	require.Equal(t, "ready", evaluate[string](t, p, `openForm(`+options+`)`))
}

// confirms types a card in, has the page confirm an intent, passes the bank's question by a
// button, empty for no question, and gives what the page is told.
func (p *tab) confirms(t *testing.T, method string, intent answer, number, button string) answer {
	t.Helper()
	fields := p.frame(t, "#card iframe")
	for _, field := range [][2]string{{"#card-number", number}, {"#card-expiry", "1240"}, {"#card-cvc", "123"}} {
		selector := chromedp.CSS(field[0])
		p.do(t, chromedp.Focus(selector, fields), chromedp.SetValue(selector, "", fields), chromedp.SendKeys(selector, field[1], fields))
	}
	require.Nil(t, evaluate[any](t, p, `void confirmBy('`+method+`', '`+intent.text("client_secret")+`') ?? null`))
	if button != "" {
		p.do(t, chromedp.WaitVisible(chromedp.CSS("#challenge-frame")))
		frame := p.frame(t, "#challenge-frame")
		p.do(t, chromedp.WaitEnabled(chromedp.CSS(button), frame), chromedp.Click(chromedp.CSS(button), frame))
	}
	var told map[string]any
	require.Eventually(t, func() bool {
		told = evaluate[map[string]any](t, p, `window.result ?? {}`)
		return len(told) > 0
	}, waitMax, 20*time.Millisecond, "neither an intent nor an error")
	return answer{Body: told}
}

func TestACardIsSavedOnAPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, p := shop(t, h.url), newTab(t)
	setup := h.do(t, "/setup_intents", "customer", h.customer(t), "automatic_payment_methods[enabled]", "true")
	p.form(t, page, `{ mode: 'setup', currency: 'eur' }`)

	declined := p.confirms(t, "confirmSetup", setup, "4000000000000002", "")
	require.Equal(t, "card_declined", declined.text("error.code"), declined.Body)
	failed := p.confirms(t, "confirmSetup", setup, stripe.NamedCards["3ds"], "#fail-authentication")
	require.Equal(t, "setup_intent_authentication_failure", failed.text("error.code"), failed.Body)
	require.Equal(t, setup.text("id"), failed.text("error.setup_intent.id"))
	require.Equal(t, "IntegrationError", p.confirms(t, "confirmPayment", setup, "4242424242424242", "").text("error.type"))
	saved := p.confirms(t, "confirmSetup", setup, stripe.NamedCards["3ds"], "#complete-authentication")
	require.Equal(t, "succeeded", saved.text("setupIntent.status"), saved.Body)
	require.Equal(t, "succeeded", h.get(t, "/setup_intents/"+setup.text("id")).text("status"))
	require.NotContains(t, evaluate[string](t, p, `document.documentElement.outerHTML`), stripe.NamedCards["3ds"])
	p.quiet(t)
}

func TestASubscriptionIsPaidOnAPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, p := shop(t, h.url), newTab(t)
	sub := h.do(t, "/subscriptions", "customer", h.customer(t), "items[0][price]", h.price(t, "1000"), "payment_behavior", "default_incomplete", "expand[]", "latest_invoice.payment_intent")
	pi := h.get(t, "/payment_intents/"+sub.text("latest_invoice.payment_intent.id"))
	p.form(t, page, `{ mode: 'subscription', amount: 900, currency: 'eur' }`)
	require.Equal(t, "amount", p.confirms(t, "confirmPayment", pi, "4242424242424242", "").text("error.param"), "the page showed another amount")
	p.form(t, page, `{ mode: 'subscription', amount: 1000, currency: 'eur' }`)
	paid := p.confirms(t, "confirmPayment", pi, stripe.NamedCards["3ds"], "#complete-authentication")
	require.Equal(t, "succeeded", paid.text("paymentIntent.status"), paid.Body)
	require.Equal(t, "active", h.subscription(t, sub.text("id")).text("status"))

	keeps := h.do(t, "/payment_intents", "amount", "2500", "currency", "eur", "customer", h.customer(t), "setup_future_usage", "off_session")
	p.form(t, page, `{ mode: 'payment', amount: 2500, currency: 'eur' }`)
	require.Equal(t, "setup_future_usage", p.confirms(t, "confirmPayment", keeps, "4242424242424242", "").text("error.param"), "the buyer was not told")
	p.form(t, page, `{ mode: 'payment', amount: 2500, currency: 'eur', setupFutureUsage: 'off_session' }`)
	require.Equal(t, "succeeded", p.confirms(t, "confirmPayment", keeps, "4242424242424242", "").text("paymentIntent.status"))
	for _, options := range []string{`{ mode: 'setup', amount: 5, currency: 'eur' }`, `{ mode: 'subscription', currency: 'eur' }`, `{ mode: 'payment', amount: 0, currency: 'eur' }`} {
		require.Equal(t, "IntegrationError", evaluate[string](t, p, `problem(() => stripe.elements(`+options+`))`), options)
	}
	p.quiet(t)
}
