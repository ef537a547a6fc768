package paypal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// askingCard has its bank ask the buyer.
const askingCard = "4868719460707704"

const (
	// tabTimeMax bounds what one test does in a browser.
	tabTimeMax = 90 * time.Second
	// fieldCharsMost is the longest text in a field: a card number with its spaces.
	fieldCharsMost = 19
)

// shopPage is a shop's page with PayPal's button and card fields. What it is told is put into
// the page, where tests wait for it.
const shopPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script src="SDK"></script></head>
<body><div id="button"></div><div id="second"></div><div id="name"></div><div id="number"></div><div id="expiry"></div><div id="cvv"></div>
<button id="submit">Pay</button><p id="told"></p><p id="state"></p>
<script src="/page.js"></script></body></html>`

const shopScript = `
const say = (text) => { document.getElementById('told').textContent = text; };
const told = {
  createOrder: async () => {
    const order = await (await fetch('/order')).text();
    if (!order) throw new Error('no order today');
    return order;
  },
  onApprove: (data) => say('approved ' + JSON.stringify(data)),
  onCancel: (data) => say('canceled ' + data.orderID),
  onError: (error) => say('error ' + error.name + ': ' + error.message),
};
const card = paypal.CardFields(told);
document.getElementById('submit').addEventListener('click', async () => {
  const { isFormValid, isFormEmpty, errors } = await card.getState();
  document.getElementById('state').textContent = JSON.stringify({ isFormValid, isFormEmpty, errors });
  card.submit().catch((error) => say('rejected ' + error.name + ': ' + error.message));
});
Promise.all([
  paypal.Buttons(told).render('#button'),
  ...Object.entries({ name: 'NameField', number: 'NumberField', expiry: 'ExpiryField', cvv: 'CVVField' }).map(([id, field]) => card[field]().render('#' + id)),
]).then(() => say('ready'), (error) => say('broken ' + error.message));
`

// savingScript is of a page that sells subscriptions, and saves means of payment.
const savingScript = `
const say = (text) => { document.getElementById('told').textContent = text; };
const made = async () => (await fetch('/order')).text();
const told = {
  onApprove: (data) => say('approved ' + JSON.stringify(data)),
  onCancel: (data) => say('canceled ' + JSON.stringify(data)),
  onError: (error) => say('error ' + error.name + ': ' + error.message),
};
const card = paypal.CardFields({ ...told, createVaultSetupToken: made });
document.getElementById('submit').addEventListener('click', () => {
  card.submit().catch((error) => say('rejected ' + error.name + ': ' + error.message));
});
Promise.all([
  paypal.Buttons({ ...told, createSubscription: made }).render('#button'),
  paypal.Buttons({ ...told, createVaultSetupToken: made }).render('#second'),
  ...Object.entries({ number: 'NumberField', expiry: 'ExpiryField', cvv: 'CVVField' }).map(([id, field]) => card[field]().render('#' + id)),
]).then(() => say('ready'), (error) => say('broken ' + error.message));
`

// shop is a shop's page in a browser.
type shop struct {
	ctx   context.Context
	store *store
	order string // that the page is given
}

// openShop shows the shop's page in a Chromium without a window. Where there is none, the
// test is skipped, and fails where CI=true.
func openShop(t *testing.T, query, script string) *shop {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on the path")
		}
		t.Skip("no Chromium on the path")
	}
	s := &shop{store: newStore(t)}
	mux := http.NewServeMux()
	page := strings.ReplaceAll(shopPage, "SDK", s.store.url+"/paypal/sdk/js?"+query)
	policy := "default-src 'none'; script-src 'self' " + s.store.url + "; frame-src " + s.store.url + "; connect-src 'self'"
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = io.WriteString(w, page)
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, script)
	})
	mux.HandleFunc("GET /order", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.order) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	ctx, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		// Frames stay in the page's own process, where the test can reach them.
		chromedp.Flag("disable-features", "SitePerProcess,IsolateOrigins,OriginKeyedProcessesByDefault,Translate"),
		chromedp.Flag("disable-site-isolation-trials", true),
	)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, tabTimeMax)
	t.Cleanup(cancel)
	s.ctx = ctx
	s.do(t, chromedp.Navigate(server.URL+"/"))
	return s
}

func (s *shop) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(s.ctx, steps...))
}

// hears waits until the page was told something that begins so, and gives it.
func (s *shop) hears(t *testing.T, beginning string) string {
	t.Helper()
	text := ""
	require.Eventually(t, func() bool {
		found, err := chromedp.Run(s.ctx, chromedp.Text(chromedp.CSS("#told")))
		text = strings.TrimSpace(found)
		return err == nil && strings.HasPrefix(text, beginning)
	}, waitMax, 20*time.Millisecond, "the page never heard %q", beginning)
	return text
}

// frame waits for a frame and gives what finds elements in it.
func (s *shop) frame(t *testing.T, selector string) chromedp.QueryOption {
	t.Helper()
	var found *chromedp.Node
	require.Eventually(t, func() bool {
		nodes, err := chromedp.Run(s.ctx, chromedp.Nodes(chromedp.CSS(selector)))
		if err != nil || len(nodes) != 1 {
			return false
		}
		found = nodes[0]
		return found.ContentDocument != nil && strings.HasPrefix(found.ContentDocument.DocumentURL, "http")
	}, waitMax, 20*time.Millisecond, "the frame %s never came", selector)
	return chromedp.FromNode(found)
}

func (s *shop) clicks(t *testing.T, button string, in ...chromedp.QueryOption) {
	t.Helper()
	s.do(t, chromedp.WaitEnabled(chromedp.CSS(button), in...), chromedp.Click(chromedp.CSS(button), in...))
}

// types puts a text in the place of what is in a field.
func (s *shop) types(t *testing.T, field, text string, in chromedp.QueryOption) {
	t.Helper()
	keys := kb.End + strings.Repeat(kb.Backspace, fieldCharsMost) + text
	s.do(t, chromedp.WaitVisible(chromedp.CSS(field), in), chromedp.Focus(chromedp.CSS(field), in), chromedp.SendKeys(chromedp.CSS(field), keys, in))
}

// typesCard fills all card fields of the page.
func (s *shop) typesCard(t *testing.T, number string) {
	t.Helper()
	s.types(t, "#card-number", number, s.frame(t, "#number iframe"))
	s.types(t, "#card-expiry", "1240", s.frame(t, "#expiry iframe"))
	s.types(t, "#card-cvc", "123", s.frame(t, "#cvv iframe"))
}

const goodScript = "client-id=" + clientID + "&currency=EUR&intent=capture&components=buttons,card-fields"

// TestPage pays in a real browser, by all that the script offers.
func TestPage(t *testing.T) {
	t.Parallel()
	s := openShop(t, goodScript, shopScript)
	s.hears(t, "ready")
	for _, story := range []struct {
		name string
		test func(*testing.T, *shop)
	}{
		{"no order", pageHasNoOrder},
		{"wallet", pageWallet},
		{"wallet is canceled", pageWalletCanceled},
		{"wallet asks its bank", pageWalletAsks},
		{"wrong card", pageWrongCard},
		{"card", pageCard},
		{"card asks its bank", pageCardAsks},
		{"card of a foreign order", pageMismatch},
	} {
		t.Run(story.name, func(t *testing.T) {
			s.order = s.store.create(t, "CAPTURE", "")
			_, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`document.getElementById('told').textContent = ''`))
			require.NoError(t, err)
			story.test(t, s)
		})
	}
}

func (s *shop) status(t *testing.T) string {
	t.Helper()
	return s.store.get(t, "/v2/checkout/orders/"+s.order).text("status")
}

func (s *shop) pressesPayPal(t *testing.T) {
	t.Helper()
	s.clicks(t, `#paypal-button:not([aria-disabled="true"])`, s.frame(t, "#button iframe"))
}

func (s *shop) agrees(t *testing.T, number string) {
	t.Helper()
	in := s.frame(t, "#approve-frame")
	s.do(t, chromedp.WaitEnabled(chromedp.CSS("#agree"), in))
	s.types(t, "#card-number", number, in)
	s.types(t, "#card-expiry", "1240", in)
	s.types(t, "#card-cvc", "123", in)
	s.clicks(t, "#agree", in)
}

func pageHasNoOrder(t *testing.T, s *shop) {
	s.order = ""
	s.pressesPayPal(t)
	require.Equal(t, "error Error: no order today", s.hears(t, "error"))
}

func pageWallet(t *testing.T, s *shop) {
	s.pressesPayPal(t)
	s.agrees(t, success)
	require.Equal(t, `approved {"orderID":"`+s.order+`","payerID":"PAYERSZ234567","paymentSource":"paypal"}`, s.hears(t, "approved"))
	require.Equal(t, "APPROVED", s.status(t))
	s.do(t, chromedp.WaitNotPresent(chromedp.CSS("dialog")))
}

func pageWalletCanceled(t *testing.T, s *shop) {
	s.pressesPayPal(t)
	s.clicks(t, "#cancel-approval", s.frame(t, "#approve-frame"))
	require.Equal(t, "canceled "+s.order, s.hears(t, "canceled"))
	s.order = s.store.create(t, "CAPTURE", "")
	s.pressesPayPal(t)
	in := s.frame(t, "#approve-frame")
	s.do(t, chromedp.WaitEnabled(chromedp.CSS("#agree"), in), chromedp.SendKeys(chromedp.CSS("#card-number"), "\x1b", in))
	require.Equal(t, "canceled "+s.order, s.hears(t, "canceled "+s.order))
	require.Equal(t, "CREATED", s.status(t))
}

// A card whose bank does not believe the buyer leads back to the choice of another one.
func pageWalletAsks(t *testing.T, s *shop) {
	s.pressesPayPal(t)
	s.agrees(t, askingCard)
	s.clicks(t, "#fail-authentication", s.frame(t, "#challenge-frame"))
	s.do(t, chromedp.WaitNotPresent(chromedp.CSS("#challenge-frame")))
	in := s.frame(t, "#approve-frame")
	s.do(t, chromedp.WaitVisible(chromedp.CSS("#approval-error:not(:empty)"), in))
	s.clicks(t, "#agree", in)
	s.clicks(t, "#complete-authentication", s.frame(t, "#challenge-frame"))
	require.Contains(t, s.hears(t, "approved"), s.order)
	require.Equal(t, "APPROVED", s.status(t))
}

func pageWrongCard(t *testing.T, s *shop) {
	s.clicks(t, "#submit")
	require.Equal(t, "rejected INVALID_NUMBER: INVALID_NUMBER, INVALID_EXPIRY, INVALID_CVV", s.hears(t, "rejected"))
	state, err := chromedp.Run(s.ctx, chromedp.Text(chromedp.CSS("#state")))
	require.NoError(t, err)
	require.JSONEq(t, `{"isFormValid":false,"isFormEmpty":true,"errors":["INVALID_NUMBER","INVALID_EXPIRY","INVALID_CVV"]}`, state)
	require.Eventually(t, func() bool {
		focused, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`document.activeElement.parentElement?.id ?? ''`))
		return err == nil && focused == "number"
	}, waitMax, 20*time.Millisecond, "the field that is wrong first never got the focus")
	require.Equal(t, "CREATED", s.status(t))
}

func pageCard(t *testing.T, s *shop) {
	s.types(t, "#card-name", "Ann Other", s.frame(t, "#name iframe"))
	s.typesCard(t, success)
	s.clicks(t, "#submit")
	require.Equal(t, `approved {"orderID":"`+s.order+`"}`, s.hears(t, "approved {"))
	shown := s.store.get(t, "/v2/checkout/orders/"+s.order)
	require.Equal(t, "APPROVED", shown.text("status"))
	require.Equal(t, "1881", shown.text("payment_source.card.last_digits"))
	require.Equal(t, "2040-12", shown.text("payment_source.card.expiry"))
	require.Equal(t, "Ann Other", shown.text("payment_source.card.name"))
	state, err := chromedp.Run(s.ctx, chromedp.Text(chromedp.CSS("#state")))
	require.NoError(t, err)
	require.JSONEq(t, `{"isFormValid":true,"isFormEmpty":false,"errors":[]}`, state)
}

func pageCardAsks(t *testing.T, s *shop) {
	s.typesCard(t, askingCard)
	s.clicks(t, "#submit")
	s.clicks(t, "#complete-authentication", s.frame(t, "#challenge-frame"))
	require.Equal(t, `approved {"orderID":"`+s.order+`","liabilityShift":"POSSIBLE"}`, s.hears(t, `approved {"orderID":"`+s.order))
	s.do(t, chromedp.WaitNotPresent(chromedp.CSS("dialog")))
	s.order = s.store.create(t, "CAPTURE", "")
	s.clicks(t, "#submit")
	s.do(t, chromedp.WaitEnabled(chromedp.CSS("#complete-authentication"), s.frame(t, "#challenge-frame")))
	s.do(t, chromedp.SendKeys(chromedp.CSS("#complete-authentication"), "\x1b", s.frame(t, "#challenge-frame")))
	s.hears(t, "canceled "+s.order)
	require.Equal(t, "PAYER_ACTION_REQUIRED", s.status(t))
}

func pageMismatch(t *testing.T, s *shop) {
	s.order = s.store.create(t, "AUTHORIZE", "")
	s.typesCard(t, success)
	s.clicks(t, "#submit")
	require.Contains(t, s.hears(t, "rejected INTENT_MISMATCH"), "authorize")
	require.Equal(t, "CREATED", s.status(t))
	s.pressesPayPal(t)
	require.Contains(t, s.hears(t, "error INTENT_MISMATCH"), "authorize")
}

// TestSavingPage subscribes and saves in a real browser, by all that the script offers.
func TestSavingPage(t *testing.T) {
	t.Parallel()
	s := openShop(t, "client-id="+clientID+"&currency=EUR&vault=true&intent=subscription&components=buttons,card-fields", savingScript)
	s.hears(t, "ready")
	s.order = s.store.subscribing(t, s.store.monthly(t), "").text("id")
	s.pressesPayPal(t)
	s.agrees(t, success)
	require.Equal(t, `approved {"subscriptionID":"`+s.order+`","payerID":"PAYERSZ234567","paymentSource":"paypal"}`, s.hears(t, "approved {\"sub"))
	require.Equal(t, "ACTIVE", s.store.get(t, "/v1/billing/subscriptions/"+s.order).text("status"))

	s.order = s.store.setup(t, walletSetup)
	s.clicks(t, "#paypal-button", s.frame(t, "#second iframe"))
	s.agrees(t, success)
	require.Equal(t, `approved {"vaultSetupToken":"`+s.order+`","payerID":"PAYERSZ234567","paymentSource":"paypal"}`, s.hears(t, "approved {\"vault"))
	require.Equal(t, "APPROVED", s.store.get(t, "/v3/vault/setup-tokens/"+s.order).text("status"))

	s.order = s.store.setup(t, `{"card":{}}`)
	s.typesCard(t, askingCard)
	s.clicks(t, "#submit")
	s.clicks(t, "#complete-authentication", s.frame(t, "#challenge-frame"))
	require.Equal(t, `approved {"vaultSetupToken":"`+s.order+`"}`, s.hears(t, `approved {"vaultSetupToken":"`+s.order))
	require.Equal(t, "7704", s.store.get(t, "/v3/vault/setup-tokens/"+s.order).text("payment_source.card.last_digits"))
}
