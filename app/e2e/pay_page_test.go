package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

type empty = cdp.Empty

// The test cards.
const (
	cardGood     = "4242424242424242"
	cardDeclined = "4000000000000002"
	cardNoFunds  = "4000000000009995"
	card3DS      = "4000000000003220"
)

// buyer is somebody with a browser in front of the checkout page.
type buyer struct {
	*tab
	house *client
	id    string // of the checkout
}

// visit opens a new checkout's page and waits for the card fields.
func visit(t *testing.T, b *browser, house *client, capture string) *buyer {
	t.Helper()
	v := &buyer{tab: b.tab(t, 1280, 900), house: house, id: house.checkout(t, t.Name(), capture, "stripe")}
	v.load(t)
	return v
}

func (b *buyer) load(t *testing.T) {
	t.Helper()
	b.do(t, chromedp.Navigate(b.house.house.PublicURL+"/pay/"+b.id), chromedp.WaitVisible(chromedp.CSS(`#pay[aria-disabled="false"]`)))
}

// types fills the card's fields anew.
func (b *buyer) types(t *testing.T, number string) {
	t.Helper()
	frame := b.frame(t, "#fields iframe")
	for _, field := range [][2]string{{"#card-number", number}, {"#card-expiry", "1234"}, {"#card-cvc", "123"}} {
		selector := chromedp.CSS(field[0])
		b.do(t, chromedp.Focus(selector, frame), chromedp.SetValue(selector, "", frame), chromedp.SendKeys(selector, field[1], frame))
	}
}

func (b *buyer) presses(t *testing.T) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS("#pay")))
}

// answersBank waits for the bank's question and presses one of its buttons.
func (b *buyer) answersBank(t *testing.T, button string) {
	t.Helper()
	b.do(t, chromedp.WaitVisible(chromedp.CSS("#challenge-frame")))
	frame := b.frame(t, "#challenge-frame")
	b.do(t, chromedp.WaitEnabled(chromedp.CSS(button), frame), chromedp.Click(chromedp.CSS(button), frame))
}

// isDone waits for the confirmation and checks what the storefront is told.
func (b *buyer) isDone(t *testing.T, status string) {
	t.Helper()
	require.Equal(t, "Payment complete", b.text(t, "#done-view h2"))
	require.Equal(t, "Continue to shop.example", b.text(t, "#continue"))
	link := evaluate[string](t, b.tab, `document.getElementById('continue').href`)
	require.Equal(t, "https://shop.example/thanks", link)
	checkout := b.house.api(t, http.MethodGet, "/v1/checkouts/"+b.id, nil, "")
	require.Equal(t, "complete", checkout.text("status"))
	b.house.payment(t, checkout.text("payment"), status)
	b.quiet(t)
}

// isRefused waits for a message and checks that the buyer can try again.
func (b *buyer) isRefused(t *testing.T, message string) {
	t.Helper()
	require.Contains(t, b.text(t, "#error.shown"), message)
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`#pay[aria-disabled="false"]`)))
}

// TestPayPage pays in a real browser, against the simulator's stand-in for Stripe.js.
func TestPayPage(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	house := newClient(apptest.Start(t))
	for _, story := range []struct {
		name string
		test func(*testing.T, *browser, *client)
	}{
		{"success", pageSucceeds},
		{"held", pageHolds},
		{"declined, then paid", pageDeclines},
		{"lacking funds", pageLacksFunds},
		{"3-D Secure", pageAsksBank},
		{"3-D Secure fails", pageFailsAtBank},
		{"the provider stumbles", pageOutlivesTrouble},
		{"fields are checked", pageChecksFields},
		{"pressed twice", pagePressedTwice},
		{"no card reaches us", pageKeepsCards},
		{"not frameable", pageInFrame},
		{"for everybody", pageAccessible},
		{"on a narrow screen", pageNarrow},
		{"completed or expired", pageEnded},
		{"on the provider's own page", pageRedirects},
	} {
		t.Run(story.name, func(t *testing.T) { story.test(t, b, house) })
	}
}

func pageSucceeds(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, cardGood)
	v.presses(t)
	v.isDone(t, "succeeded")
	require.Equal(t, "H2", evaluate[string](t, v.tab, `document.activeElement.tagName`), "the reader is taken to the news")
}

func pageHolds(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "manual")
	v.types(t, cardGood)
	v.presses(t)
	v.isDone(t, "authorized")
	require.Contains(t, v.text(t, "#done-view"), "is held")
}

func pageDeclines(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, cardDeclined)
	v.presses(t)
	v.isRefused(t, "Your card was declined.")
	v.types(t, cardGood) // in the same fields
	v.presses(t)
	v.isDone(t, "succeeded")
}

func pageLacksFunds(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, cardNoFunds)
	v.presses(t)
	v.isRefused(t, "does not have enough funds")
	require.Equal(t, "open", house.api(t, http.MethodGet, "/v1/checkouts/"+v.id, nil, "").text("status"))
	v.load(t)
	require.Contains(t, v.text(t, "#error.shown"), "does not have enough funds", "still told after loading the page again")
}

func pageAsksBank(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, card3DS)
	v.presses(t)
	v.answersBank(t, "#complete-authentication")
	v.isDone(t, "succeeded")
}

func pageFailsAtBank(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, card3DS)
	v.presses(t)
	v.answersBank(t, "#fail-authentication")
	v.isRefused(t, "Try again")
	v.presses(t) // the same card once more
	v.answersBank(t, "#complete-authentication")
	v.isDone(t, "succeeded")
}

// pageOutlivesTrouble pays although the provider fails at each step once.
func pageOutlivesTrouble(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	fail := func(match string) {
		a := house.control(t, http.MethodPost, "faults", map[string]any{"account": "stripe", "match": match, "fault": "error_500", "count": 1})
		require.Less(t, a.Status, http.StatusBadRequest, a.Raw)
	}
	v.types(t, cardGood)
	fail("POST /stripe/v1/payment_intents") // the creation, of which the page asks again by itself
	fail("/confirm")
	v.presses(t)
	v.isRefused(t, "An error occurred")
	v.presses(t)
	v.isDone(t, "succeeded")
	payments := house.api(t, http.MethodGet, "/v1/payments?reference="+url.QueryEscape(t.Name()), nil, "")
	require.Len(t, payments.Body["data"], 1, "the same payment all along")
}

func pageChecksFields(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.presses(t)
	v.isRefused(t, "Your card number is incomplete.")
	v.types(t, "4242424242424241")
	v.presses(t)
	v.isRefused(t, "Your card number is invalid.")
	require.Empty(t, house.api(t, http.MethodGet, "/v1/checkouts/"+v.id, nil, "").text("payment"), "no attempt was made")
	v.quiet(t)
}

func pagePressedTwice(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, cardGood)
	evaluate[bool](t, v.tab, `(() => { for (let i = 0; i < 5; i++) document.getElementById('pay').click(); return true; })()`)
	v.isDone(t, "succeeded")
	attempts := 0
	for _, request := range v.sent() {
		if strings.HasSuffix(request.url, "/attempts") {
			attempts++
		}
	}
	require.Equal(t, 1, attempts)
}

func pageKeepsCards(t *testing.T, b *browser, house *client) {
	v := visit(t, b, house, "automatic")
	v.types(t, cardDeclined)
	v.presses(t)
	v.isRefused(t, "declined")
	v.types(t, card3DS)
	v.presses(t)
	v.answersBank(t, "#complete-authentication")
	v.isDone(t, "succeeded")
	digits := regexp.MustCompile(`\D`)
	toUs, toProvider := 0, 0
	for _, request := range v.sent() {
		bare := digits.ReplaceAllString(request.url+request.body, "")
		holdsCard := strings.Contains(bare, cardDeclined) || strings.Contains(bare, card3DS)
		if strings.HasPrefix(request.url, house.house.PublicURL) {
			toUs++
			require.False(t, holdsCard, "%s %s", request.method, request.url)
		} else if holdsCard {
			toProvider++
			require.Contains(t, request.url, "/stripe/v1/payment_intents/")
		}
	}
	require.Equal(t, 2, toProvider, "the frame sent the cards, so the record sees bodies")
	require.Greater(t, toUs, 5)
	require.NotContains(t, evaluate[string](t, v.tab, `document.documentElement.outerHTML`), "3220")
	require.NotContains(t, house.house.Output(), card3DS)
}

func pageInFrame(t *testing.T, b *browser, house *client) {
	id := house.checkout(t, t.Name(), "automatic", "stripe")
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><iframe src="`+house.house.PublicURL+"/pay/"+id+`"></iframe>`)
	}))
	t.Cleanup(evil.Close)
	v := b.tab(t, 1280, 900)
	v.do(t, chromedp.Navigate(evil.URL))
	tree, err := chromedp.Call(v.ctx, page.GetFrameTree, empty{})
	require.NoError(t, err)
	require.Len(t, tree.FrameTree.ChildFrames, 1)
	require.True(t, strings.HasPrefix(tree.FrameTree.ChildFrames[0].Frame.URL, "chrome-error:"), tree.FrameTree.ChildFrames[0].Frame.URL)
}

func pageAccessible(t *testing.T, b *browser, house *client) {
	for _, scheme := range []string{"light", "dark"} {
		v := &buyer{tab: b.tab(t, 1280, 900), house: house, id: house.checkout(t, t.Name()+scheme, "automatic", "stripe")}
		v.scheme(t, scheme)
		v.load(t)
		v.accessible(t, "open, "+scheme)
		v.shoot(t, "open-"+scheme)
		v.types(t, cardDeclined)
		v.presses(t)
		v.isRefused(t, "declined")
		v.accessible(t, "declined, "+scheme)
		v.shoot(t, "declined-"+scheme)
		v.types(t, card3DS)
		v.presses(t)
		v.do(t, chromedp.WaitVisible(chromedp.CSS("#challenge-frame")))
		v.do(t, chromedp.WaitEnabled(chromedp.CSS("#complete-authentication"), v.frame(t, "#challenge-frame")))
		v.accessible(t, "bank, "+scheme)
		v.shoot(t, "bank-"+scheme)
		v.answersBank(t, "#complete-authentication")
		v.isDone(t, "succeeded")
		v.accessible(t, "complete, "+scheme)
		v.shoot(t, "complete-"+scheme)

		frame := b.tab(t, 480, 400)
		frame.scheme(t, scheme)
		frame.do(t, chromedp.Navigate(evaluate[string](t, visit(t, b, house, "manual").tab, `document.querySelector('#fields iframe').src`)))
		if scheme == "dark" { // as the page around it would have it
			evaluate[bool](t, frame, `(() => { document.documentElement.dataset.theme = 'night'; document.body.style.background = '#1a2027'; return true; })()`)
		}
		frame.accessible(t, "the card's fields, "+scheme, frameTags...)
	}
}

func pageNarrow(t *testing.T, b *browser, house *client) {
	for _, width := range []int64{320, 360} {
		v := &buyer{tab: b.tab(t, width, 740), house: house, id: house.checkout(t, fmt.Sprint(t.Name(), width), "automatic", "stripe")}
		v.load(t)
		fits := func() bool {
			return evaluate[bool](t, v.tab, `document.documentElement.scrollWidth <= innerWidth`)
		}
		require.True(t, fits(), "nothing is cut off at %d", width)
		v.shoot(t, "narrow-open")
		v.types(t, cardDeclined)
		v.presses(t)
		v.isRefused(t, "declined")
		require.True(t, fits())
		v.shoot(t, "narrow-declined")
		v.types(t, cardGood)
		v.presses(t)
		require.Equal(t, "Payment complete", v.text(t, "#done-view h2"))
		require.True(t, fits())
		v.shoot(t, "narrow-complete")
	}
}

func pageEnded(t *testing.T, b *browser, house *client) {
	paid := house.checkout(t, t.Name(), "automatic", "stripe")
	require.Equal(t, http.StatusOK, house.pay(t, paid, "success").Status)
	v := b.tab(t, 1280, 900)
	v.do(t, chromedp.Navigate(house.house.PublicURL+"/pay/"+paid))
	require.Equal(t, "Payment complete", v.text(t, "#panel-title"))
	v.accessible(t, "loaded complete")

	expired := house.checkout(t, t.Name()+"-expired", "automatic", "stripe")
	a := house.api(t, http.MethodPost, "/v1/checkouts/"+expired+"/expire", map[string]any{}, t.Name()+"-end")
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	v.do(t, chromedp.Navigate(house.house.PublicURL+"/pay/"+expired))
	require.Equal(t, "This checkout has expired", v.text(t, "#panel-title"))
	v.accessible(t, "expired")

	v.do(t, chromedp.Navigate(house.house.PublicURL+"/pay/chk_nothing"))
	require.Equal(t, "We cannot find this page", v.text(t, "h1"))
	v.accessible(t, "missing")
	v.quiet(t)
}

// shoot keeps a picture of the page where PAYDESK_TEST_PICTURES names a folder.
func (p *tab) shoot(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("PAYDESK_TEST_PICTURES")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600))
}

// pageRedirects pays on the provider's own page: our page has no field, and shows the end
// once the buyer comes back.
func pageRedirects(t *testing.T, b *browser, house *client) {
	v := &buyer{tab: b.tab(t, 1280, 900), house: house, id: house.hostedCheckout(t, t.Name(), "stripe")}
	v.load(t)
	require.Equal(t, "Continue to payment", v.text(t, "#pay-label"))
	require.Zero(t, evaluate[int](t, v.tab, `document.querySelectorAll('iframe, script[src^="http"]').length`))
	v.accessible(t, "redirect")
	v.presses(t)
	v.do(t, chromedp.WaitVisible(chromedp.CSS("#card-number")))
	pay := func(number string) {
		v.do(t, chromedp.SetValue(chromedp.CSS("#card-number"), number), chromedp.SetValue(chromedp.CSS("#card-cvc"), "123"), chromedp.Click(chromedp.CSS("button#pay")))
	}
	pay(cardDeclined)
	require.Contains(t, v.text(t, "#error"), "declined")
	pay(card3DS)
	v.do(t, chromedp.Click(chromedp.CSS("#complete-authentication")))
	require.Equal(t, "Payment complete", v.text(t, "#done-view h2"))
	checkout := house.api(t, http.MethodGet, "/v1/checkouts/"+v.id, nil, "")
	require.Equal(t, "complete", checkout.text("status"))
	house.payment(t, checkout.text("payment"), "succeeded")
}
