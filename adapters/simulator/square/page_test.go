package square_test

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
)

// tabTimeMax bounds what one test does in a browser.
const tabTimeMax = 90 * time.Second

// shopScript is the page's own: a card form as Square's guide has it, whose answers stay where
// the test finds them.
const shopScript = `
const messages = [];
window.addEventListener('message', (event) => messages.push(JSON.stringify(event.data)));
window.heard = () => messages.join('\n');
window.openForm = async (application, location, options) => {
  window.card = await Square.payments(application, location).card(options);
  await card.attach('#card');
  return 'attached';
};
window.details = (currencyCode) => ({
  amount: '25.00', currencyCode, intent: 'CHARGE', customerInitiated: true, sellerKeyedIn: false, billingContact: { givenName: 'Ada', countryCode: 'IE' },
});
window.storing = { intent: 'STORE', customerInitiated: true, sellerKeyedIn: false, billingContact: { givenName: 'Ada', countryCode: 'IE' } };
window.store = () => {
  window.result = null;
  card.tokenize(storing).then((result) => { window.result = result; }, (error) => { window.result = { status: error.name }; });
};
window.problem = (promise) => Promise.resolve(promise).then(() => 'none', (error) => error.name);
window.pay = (currencyCode) => {
  window.result = null;
  card.tokenize(details(currencyCode)).then((result) => { window.result = result; }, (error) => { window.result = { status: error.name }; });
};
`

// shop is a page of another origin than the simulator's, with the policy that Square asks for.
func shop(t *testing.T, provider string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+provider+"; frame-src "+provider+"; img-src data:")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,">
			<script src="%s/square/v1/square.js"></script><script src="/shop.js"></script></head><body><button id="pay">Pay</button><div id="card"></div></body></html>`, provider)
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
func (p *tab) form(t *testing.T, page string) {
	t.Helper()
	p.do(t, chromedp.Navigate(page))
	require.Equal(t, "attached", evaluate[string](t, p, `openForm('`+applicationID+`', '`+locationID+`')`))
}

// typeIn types a card in.
func (p *tab) typeIn(t *testing.T, number string) {
	t.Helper()
	frame := p.frame(t, "#card iframe")
	for _, field := range [][2]string{{"#card-number", number}, {"#card-expiry", "1231"}, {"#card-cvc", "123"}} {
		selector := chromedp.CSS(field[0])
		p.do(t, chromedp.Focus(selector, frame), chromedp.SetValue(selector, "", frame), chromedp.SendKeys(selector, field[1], frame))
	}
}

// tokenizes has the page make a token in a currency, whose result is there later.
func (p *tab) tokenizes(t *testing.T, currency string) {
	t.Helper()
	require.Nil(t, evaluate[any](t, p, `pay('`+currency+`') ?? null`))
}

// tokenized has the page make a token in a currency, and gives what it is told.
func (p *tab) tokenized(t *testing.T, currency string) answer {
	t.Helper()
	p.tokenizes(t, currency)
	return p.result(t)
}

func (p *tab) result(t *testing.T) answer {
	t.Helper()
	var told map[string]any
	require.Eventually(t, func() bool {
		told = evaluate[map[string]any](t, p, `window.result ?? {}`)
		return len(told) > 0
	}, waitMax, 20*time.Millisecond, "no token and no error")
	return answer{Body: told}
}

func TestCardForm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, p := shop(t, h.url), newTab(t)
	p.form(t, page)

	empty := p.tokenized(t, "USD")
	require.Equal(t, "Invalid", empty.text("status"))
	for n, field := range []string{"cardNumber", "expirationDate", "cvv", "postalCode"} {
		require.Equal(t, field, empty.text(fmt.Sprintf("errors.%d.field", n)))
		require.Equal(t, "VALIDATION_ERROR", empty.text(fmt.Sprintf("errors.%d.type", n)))
	}
	p.typeIn(t, "4111111111111112")
	wrong := p.tokenized(t, "EUR")
	require.Equal(t, "Invalid", wrong.text("status"))
	require.Equal(t, "cardNumber", wrong.text("errors.0.field"))
	require.Len(t, wrong.at("errors"), 1, "euros need no postal code")

	p.typeIn(t, "4111111111111111")
	good := p.tokenized(t, "EUR")
	require.Equal(t, "OK", good.text("status"), good.Body)
	require.Equal(t, "Card", good.text("details.method"))
	require.Equal(t, "1111", good.text("details.card.last4"))
	other := h.call(t, http.MethodPost, "/v2/payments", newPayment("1", object{"source_id": good.text("token"), "amount_money": euros(2501)}))
	require.Equal(t, "PAYMENT_AMOUNT_MISMATCH", other.code(), "the buyer agreed to another amount")
	require.Equal(t, "COMPLETED", h.pay(t, "2", object{"source_id": good.text("token")}).text("payment.status"))
	for _, secret := range []string{"4111111111111111", "4111 1111 1111 1111"} {
		require.NotContains(t, evaluate[string](t, p, `heard() + document.documentElement.outerHTML`), secret, "the page never sees the card")
	}

	require.Equal(t, "InvalidVerificationDetailsError", evaluate[string](t, p, `problem(card.tokenize({...details('EUR'), amount: 25}))`))
	require.Equal(t, "PaymentMethodAlreadyAttachedError", evaluate[string](t, p, `problem(card.attach('#card'))`))
	require.True(t, evaluate[bool](t, p, `card.destroy()`))
	require.Zero(t, evaluate[int](t, p, `document.querySelectorAll('iframe').length`))
	require.Equal(t, "PaymentMethodAlreadyDestroyedError", evaluate[string](t, p, `problem(card.attach('#card'))`))
	p.quiet(t)
}

func TestCardFormIsOfAnAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, p := shop(t, h.url), newTab(t)
	p.do(t, chromedp.Navigate(page))
	require.Equal(t, "PaymentsError", evaluate[string](t, p, `problem(openForm('`+applicationID+`', 'L_OTHER'))`))
	require.Zero(t, evaluate[int](t, p, `document.querySelectorAll('iframe').length`))
	require.Equal(t, "InvalidApplicationIdError", evaluate[string](t, p, `problem(openForm('', '`+locationID+`'))`))
	require.Equal(t, "InvalidLocationIdError", evaluate[string](t, p, `problem(openForm('`+applicationID+`', undefined))`))
	p.quiet(t)
}

func TestTheBankAsksInTheForm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, p := shop(t, h.url), newTab(t)
	answers := map[string]answer{}
	for _, button := range []string{"#complete-authentication", "#fail-authentication"} {
		p.form(t, page)
		p.typeIn(t, "4310000000201019")
		p.do(t, chromedp.Focus(chromedp.CSS("#pay")))
		p.tokenizes(t, "EUR")
		p.do(t, chromedp.WaitVisible(chromedp.CSS("#challenge-frame")))
		frame := p.frame(t, "#challenge-frame")
		require.Equal(t, "Confirm the payment with your bank", evaluate[string](t, p, `document.querySelector('dialog[open]').getAttribute('aria-label')`))
		p.do(t, chromedp.WaitEnabled(chromedp.CSS(button), frame), chromedp.Click(chromedp.CSS(button), frame))
		answers[button] = p.result(t)
		require.Zero(t, evaluate[int](t, p, `document.querySelectorAll('dialog, #challenge-frame').length`))
		require.Equal(t, "pay", evaluate[string](t, p, `document.activeElement.id`), "the buyer is back where they were")
	}
	done := answers["#complete-authentication"]
	require.Equal(t, "OK", done.text("status"), done.Body)
	require.Equal(t, "COMPLETED", h.pay(t, "1", object{"source_id": done.text("token")}).text("payment.status"))
	failed := answers["#fail-authentication"]
	require.Equal(t, "Error", failed.text("status"), failed.Body)
	require.Equal(t, "VERIFICATION_ERROR", failed.text("errors.0.type"))
	require.Equal(t, "<nil>", failed.text("token"))
	p.quiet(t)
}

func TestTheFormStoresCards(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, p := shop(t, h.url), newTab(t)
	ada := h.customer(t, "1")
	p.form(t, page)
	p.typeIn(t, "4111111111111111")
	require.Nil(t, evaluate[any](t, p, `store() ?? null`))
	good := p.result(t)
	require.Equal(t, "OK", good.text("status"), good.Body)
	require.Equal(t, "CARD_DECLINED_VERIFICATION_REQUIRED", h.call(t, http.MethodPost, "/v2/payments", newPayment("1", object{"source_id": good.text("token")})).code(), "nobody agreed to a payment")

	p.form(t, page)
	p.typeIn(t, "4000002760003184")
	require.Nil(t, evaluate[any](t, p, `store() ?? null`))
	frame := p.frame(t, "#challenge-frame")
	button := chromedp.CSS("#complete-authentication")
	p.do(t, chromedp.WaitEnabled(button, frame), chromedp.Click(button, frame))
	asked := p.result(t)
	require.Equal(t, "OK", asked.text("status"), asked.Body)
	stored := h.store(t, "c", ada, asked.text("token"), nil)
	require.Equal(t, "3184", stored.text("card.last_4"), stored.Text)
	require.Equal(t, "CARD_DECLINED_VERIFICATION_REQUIRED", h.charge(t, "2", ada, stored.text("card.id"), false).code())
	require.Equal(t, "InvalidVerificationDetailsError", evaluate[string](t, p, `problem(card.tokenize({...storing, intent: 'CHARGE_AND_STORE'}))`), "that has an amount")
	p.quiet(t)
}
