package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// screenshots is where pictures of the console's pages go.
const screenshots = "../../build/screenshots"

// clerk is somebody of the staff with a browser.
type clerk struct {
	*tab

	address string
}

// signIn signs somebody in at the console.
func signIn(t *testing.T, b *browser, house *client, email, password string) *clerk {
	t.Helper()
	m := &clerk{tab: b.tab(t, 1280, 900), address: house.house.AdminURL}
	m.open(t, "/payments?status=FAILED")
	m.fill(t, "#email", email)
	m.fill(t, "#password", password)
	m.press(t, "Sign in")
	require.Equal(t, "Payments", m.text(t, "h1"), "it goes on where it was asked for")
	return m
}

func admin(t *testing.T, b *browser, house *client) *clerk {
	t.Helper()
	return signIn(t, b, house, "admin@shop.test", "a long pass phrase")
}

func (m *clerk) open(t *testing.T, path string) {
	t.Helper()
	m.do(t, chromedp.Navigate(m.address+path), chromedp.WaitVisible(chromedp.CSS("h1")))
}

func (m *clerk) fill(t *testing.T, selector, value string) {
	t.Helper()
	m.do(t, chromedp.WaitVisible(chromedp.CSS(selector)))
	evaluate[bool](t, m.tab, `(() => { const at = document.querySelector(`+quoted(selector)+`); at.value = `+quoted(value)+`;
		at.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
}

// press presses the button, or follows the link, that says something, and waits for the page after it.
func (m *clerk) press(t *testing.T, label string) {
	t.Helper()
	evaluate[bool](t, m.tab, `(() => { window.before = true; const all = [...document.querySelectorAll("main button, main a")];
		const one = all.find((e) => e.textContent.trim() === `+quoted(label)+`); if (!one) throw new Error("no button"); one.click(); return true })()`)
	require.Eventually(t, func() bool {
		done, err := chromedp.Run(m.ctx, chromedp.Evaluate[bool](`!window.before && document.readyState === "complete"`))
		return err == nil && done
	}, waitMax, 20*time.Millisecond, "pressing %q led nowhere", label)
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

// sees waits until the page shows a text.
func (m *clerk) sees(t *testing.T, text string) {
	t.Helper()
	var shown string
	defer func() {
		if t.Failed() {
			t.Logf("it showed: %s", shown)
		}
	}()
	require.Eventually(t, func() bool {
		var err error
		shown, err = chromedp.Run(m.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.querySelector("main").innerText`))
		return err == nil && strings.Contains(shown, text)
	}, waitMax, 20*time.Millisecond, "never shown: %s", text)
}

// checked looks at a page in both color schemes and on a small screen: no rule of accessibility is
// broken, nothing is wider than the screen, and the browser complains of nothing. It leaves pictures.
func (m *clerk) checked(t *testing.T, name, path string) {
	t.Helper()
	for _, look := range []struct {
		name          string
		scheme        string
		width, height int64
	}{{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"small", "light", 360, 740}} {
		m.do(t, chromedp.EmulateViewport(look.width, look.height))
		m.scheme(t, look.scheme)
		m.open(t, path)
		m.accessible(t, name+", "+look.name)
		require.LessOrEqual(t, evaluate[int64](t, m.tab, "document.documentElement.scrollWidth"), look.width, "%s, %s: wider than the screen", name, look.name)
		picture, err := chromedp.Run(m.ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(screenshots, 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(screenshots, name+"-"+look.name+".png"), picture, 0o600))
	}
	m.do(t, chromedp.EmulateViewport(1280, 900))
	m.scheme(t, "light")
	m.quiet(t)
}

// TestConsole does what staff do, in a browser, and looks at every page.
func TestConsole(t *testing.T) {
	t.Parallel()
	house := newClient(apptest.StartPlain(t, "PAYDESK_REFUND_APPROVAL_ABOVE=EUR=1000"))
	h := seller{client: house, account: "stripe"}
	payment := h.sold(t, "success")
	reference := h.ok(t, http.MethodGet, "/v1/payments/"+payment, nil).text("reference")
	b := startBrowser(t)

	stranger := &clerk{tab: b.tab(t, 1280, 900), address: house.house.AdminURL}
	stranger.checked(t, "sign-in", "/sign-in")
	stranger.fill(t, "#email", "admin@shop.test")
	stranger.fill(t, "#password", "a wrong pass phrase")
	stranger.press(t, "Sign in")
	stranger.sees(t, "Email, password or code is not right.")

	m := admin(t, b, house)
	m.findsByEmail(t, reference)
	m.refundsAPart(t, payment)
	m.refundsWithASecondPerson(t, b, house, payment)
	m.seesANewPayment(t, house)

	dispute := h.disputed(t, h.sold(t, "success"), false)
	m.answersADispute(t, dispute.text("id"))
	m.cancelsASubscription(t, h.subscribed(t, h.price(t, 1900, 0), "active").text("id"))
	m.replaysAMessage(t)
	m.exports(t)
	m.explores(t)
	m.managesStaff(t, b, house)
	for name, path := range map[string]string{
		"overview": "/", "payments": "/payments", "payment": "/payments/" + payment, "refund": "/payments/" + payment + "/refund", "refunds": "/refunds",
		"approvals": "/approvals", "disputes": "/disputes", "dispute": "/disputes/" + dispute.text("id"), "subscriptions": "/subscriptions",
		"customers": "/customers", "events": "/events", "desk": "/desk", "notifications": "/notifications", "audit": "/audit",
		"search": "/search?text=buyer@shop.example", "staff": "/staff", "account": "/account", "explorer": "/explorer", "nothing": "/payments/pay_nothing",
	} {
		m.checked(t, name, path)
	}
	for _, one := range m.sent() {
		require.True(t, strings.HasPrefix(one.url, m.address) || strings.HasPrefix(one.url, "data:"), "asked of another house: %s", one.url)
	}
	m.do(t, chromedp.Navigate(m.address+"/account"))
	evaluate[bool](t, m.tab, `(() => { document.querySelector(".who button").click(); return true })()`)
	require.Equal(t, "Sign in to Paydesk", m.text(t, ".sign-in h1"))
}

func (m *clerk) findsByEmail(t *testing.T, reference string) {
	t.Helper()
	m.open(t, "/")
	m.do(t, chromedp.KeyEvent("/"))
	require.Equal(t, "search", evaluate[string](t, m.tab, "document.activeElement.id"), "the key / leads to the search")
	m.fill(t, "#search", "") // the tool types the character though the page took the key
	m.do(t, chromedp.KeyEvent("buyer@shop.example"), chromedp.KeyEvent(kb.Enter))
	m.sees(t, "/search?text=")
	m.sees(t, reference)
	m.press(t, reference)
	require.Contains(t, m.text(t, "h1"), reference)
	m.sees(t, "buyer@shop.example")
}

func (m *clerk) refundsAPart(t *testing.T, payment string) {
	t.Helper()
	m.open(t, "/payments/"+payment)
	m.press(t, "Refund")
	m.fill(t, "#amountMinor", "5.255")
	m.press(t, "Refund")
	m.sees(t, "EUR has 2 digits after the point")
	m.fill(t, "#amountMinor", "5.25")
	m.press(t, "Refund")
	m.sees(t, "The refund is under way")
	m.sees(t, "EUR 5.25")
	m.sees(t, "Requested by customer")
}

func (m *clerk) refundsWithASecondPerson(t *testing.T, b *browser, house *client, payment string) {
	t.Helper()
	m.open(t, "/payments/"+payment+"/refund")
	m.sees(t, "waits for a second person")
	m.press(t, "Refund")
	m.open(t, "/approvals")
	m.sees(t, "Take back")
	stdout, stderr, code := apptest.Command(t, house.house.Folder, house.house.Env, "staff", "add", "second@shop.test", "--role", "FINANCE", "--password", "another pass phrase")
	require.Zero(t, code, "%s%s", stdout, stderr)
	second := signIn(t, b, house, "second@shop.test", "another pass phrase")
	second.open(t, "/approvals")
	second.press(t, "Decide")
	second.sees(t, "You are the second person")
	second.press(t, "Approve and refund")
	second.sees(t, "Approved: the refund is under way.")
	second.open(t, "/payments/"+payment)
	second.sees(t, "EUR 19.75")
	require.Eventually(t, func() bool {
		return house.api(t, http.MethodGet, "/v1/payments/"+payment, nil, "").Body.Int("amount_refunded") == 2500
	}, waitMax, 20*time.Millisecond)
}

func (m *clerk) seesANewPayment(t *testing.T, house *client) {
	t.Helper()
	m.open(t, "/payments")
	checkout := house.checkout(t, "order-that-appears", "automatic", "stripe")
	require.Equal(t, http.StatusOK, house.pay(t, checkout, "success").Status)
	m.sees(t, "order-that-appears") // the page was not read anew
}

func (m *clerk) managesStaff(t *testing.T, b *browser, house *client) {
	t.Helper()
	m.open(t, "/staff/add")
	m.fill(t, "#email", "viewer@shop.test")
	m.fill(t, "#role", "VIEWER")
	m.press(t, "Add")
	password := m.text(t, "dd code")
	viewer := signIn(t, b, house, "viewer@shop.test", password)
	viewer.open(t, "/customers")
	viewer.open(t, "/payments")
	viewer.press(t, "order-that-appears")
	viewer.sees(t, "***")
	buttons := evaluate[int64](t, viewer.tab, `document.querySelectorAll("main .button").length`)
	require.Zero(t, buttons, "a VIEWER does nothing")
	viewer.open(t, "/staff")
	viewer.sees(t, "Your role may not see this")
	m.open(t, "/staff")
	m.press(t, "Role")
	m.fill(t, "#role", "SUPPORT")
	m.press(t, "Change")
	m.sees(t, "Changed: it counts from their next request on.")
	viewer.open(t, "/payments")
	viewer.press(t, "order-that-appears")
	viewer.sees(t, "buyer@shop.example")
}

func (m *clerk) answersADispute(t *testing.T, dispute string) {
	t.Helper()
	m.open(t, "/disputes")
	m.press(t, dispute)
	m.press(t, "Whose task")
	m.press(t, "Make it so")
	m.sees(t, "admin@shop.test")
	m.press(t, "Save evidence")
	m.fill(t, "#text", "Green tea, sent on the day it was ordered.")
	m.press(t, "Save")
	m.sees(t, "Green tea, sent on the day it was ordered.")
	m.press(t, "Add a file")
	file := filepath.Join(t.TempDir(), "receipt.png")
	require.NoError(t, os.WriteFile(file, pixel(t), 0o600))
	m.do(t, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	m.press(t, "Add the file")
	m.sees(t, "receipt.png")
	m.press(t, "Submit evidence")
	m.press(t, "Submit, for good")
	m.sees(t, "Submitted: the bank decides.")
	m.sees(t, "Under review")
}

func (m *clerk) cancelsASubscription(t *testing.T, subscription string) {
	t.Helper()
	m.open(t, "/subscriptions/"+subscription)
	m.press(t, "Cancel")
	m.fill(t, "#when", "now")
	m.press(t, "Cancel the subscription")
	m.sees(t, "Canceled")
}

func (m *clerk) replaysAMessage(t *testing.T) {
	t.Helper()
	m.open(t, "/events?type=charge.dispute.created")
	m.press(t, "charge.dispute.created")
	m.sees(t, "Payload, personal data masked")
	m.press(t, "Replay")
	m.press(t, "Replay")
	m.sees(t, "It goes through the inbox again.")
}

func (m *clerk) exports(t *testing.T) {
	t.Helper()
	m.open(t, "/payments")
	m.press(t, "Export")
	got := evaluate[string](t, m.tab, `fetch("/payments/export", {method: "POST", body: new URLSearchParams(new FormData(document.querySelector("form.action")))}).then((r) => r.text())`)
	require.Contains(t, got, "order-that-appears")
}

func (m *clerk) explores(t *testing.T) {
	t.Helper()
	m.open(t, "/explorer")
	m.do(t, chromedp.Click(chromedp.CSS("#run")))
	m.sees(t, `"email": "admin@shop.test"`)
	m.sees(t, "PaymentFilter")
}
