package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// choose picks a way to pay and waits for its fields.
func (b *buyer) choose(t *testing.T, account string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS(`input[name="account"][value="`+account+`"]`)))
	b.fieldsAreThere(t)
}

func (b *buyer) fieldsAreThere(t *testing.T) {
	t.Helper()
	b.do(t, chromedp.WaitVisible(chromedp.CSS(`#pay[aria-disabled="false"]`)), chromedp.WaitNotPresent(chromedp.CSS(`#fields[aria-busy]`)))
}

// enters types into an empty field of a frame.
func (b *buyer) enters(t *testing.T, frame, field, value string) {
	t.Helper()
	in, selector := b.frame(t, frame), chromedp.CSS(field)
	b.do(t, chromedp.WaitEnabled(selector, in), chromedp.Focus(selector, in), chromedp.SendKeys(selector, value, in))
}

// fill types into a field of a frame anew.
func (b *buyer) fill(t *testing.T, frame, field, value string) {
	t.Helper()
	in, selector := b.frame(t, frame), chromedp.CSS(field)
	b.do(t, chromedp.WaitEnabled(selector, in), chromedp.Focus(selector, in), chromedp.SetValue(selector, "", in), chromedp.SendKeys(selector, value, in))
}

func (b *buyer) clicks(t *testing.T, frame, button string) {
	t.Helper()
	in := b.frame(t, frame)
	b.do(t, chromedp.WaitEnabled(chromedp.CSS(button), in), chromedp.Click(chromedp.CSS(button), in))
}

// typesAtPayPal fills PayPal's card fields, a frame each.
func (b *buyer) typesAtPayPal(t *testing.T, number string) {
	t.Helper()
	b.fill(t, ".paypal-number iframe", "#card-number", number)
	b.fill(t, ".paypal-expiry iframe", "#card-expiry", "1234")
	b.fill(t, ".paypal-cvv iframe", "#card-cvc", "123")
}

// agreesAtPayPal presses PayPal's button and agrees with a card of the wallet.
func (b *buyer) agreesAtPayPal(t *testing.T, number string) {
	t.Helper()
	b.clicks(t, ".paypal-button iframe", "#paypal-button")
	b.do(t, chromedp.WaitEnabled(chromedp.CSS("#agree"), b.frame(t, "#approve-frame")))
	for _, field := range [][2]string{{"#card-number", number}, {"#card-expiry", "1234"}, {"#card-cvc", "123"}} {
		b.enters(t, "#approve-frame", field[0], field[1])
	}
	b.clicks(t, "#approve-frame", "#agree")
}

// providerStories are what buyers do at each provider.
var providerStories = []struct {
	name string
	test func(*testing.T, *buyer)
}{
	{"PayPal's button", func(t *testing.T, v *buyer) {
		v.choose(t, "paypal")
		v.agreesAtPayPal(t, cardGood)
		v.isPaidAt(t, "paypal")
	}},
	{"PayPal's button, declined, then paid", func(t *testing.T, v *buyer) {
		v.choose(t, "paypal")
		v.agreesAtPayPal(t, cardDeclined)
		v.isRefused(t, "declined")
		v.agreesAtPayPal(t, card3DS)
		v.answersBank(t, "#complete-authentication")
		v.isPaidAt(t, "paypal")
	}},
	{"PayPal's button, canceled", func(t *testing.T, v *buyer) {
		v.choose(t, "paypal")
		v.clicks(t, ".paypal-button iframe", "#paypal-button")
		v.clicks(t, "#approve-frame", "#cancel-approval")
		v.isRefused(t, "closed PayPal before you agreed")
		v.agreesAtPayPal(t, cardGood)
		v.isPaidAt(t, "paypal")
	}},
	{"PayPal's card fields", func(t *testing.T, v *buyer) {
		v.choose(t, "paypal")
		v.presses(t)
		v.isRefused(t, "Check the card number")
		v.typesAtPayPal(t, cardNoFunds)
		v.presses(t)
		v.isRefused(t, "does not have enough funds")
		v.typesAtPayPal(t, cardGood)
		v.presses(t)
		v.isPaidAt(t, "paypal")
	}},
	{"PayPal's card fields and 3-D Secure", func(t *testing.T, v *buyer) {
		v.choose(t, "paypal")
		v.typesAtPayPal(t, card3DS)
		v.presses(t)
		v.answersBank(t, "#fail-authentication")
		v.isRefused(t, "Your bank asks you to confirm")
		v.presses(t)
		v.answersBank(t, "#complete-authentication")
		v.isPaidAt(t, "paypal")
	}},
	{"Square's card", func(t *testing.T, v *buyer) {
		v.choose(t, "square")
		v.types(t, cardDeclined)
		v.presses(t)
		v.isRefused(t, "declined")
		v.types(t, cardGood)
		v.presses(t)
		v.isPaidAt(t, "square")
	}},
	{"Square's card and 3-D Secure", func(t *testing.T, v *buyer) {
		v.choose(t, "square")
		v.types(t, card3DS)
		v.presses(t)
		v.answersBank(t, "#fail-authentication")
		v.isRefused(t, "could not verify")
		v.presses(t)
		v.answersBank(t, "#complete-authentication")
		v.isPaidAt(t, "square")
	}},
	{"from one to the next", func(t *testing.T, v *buyer) {
		v.choose(t, "square")
		v.types(t, cardDeclined)
		v.presses(t)
		v.isRefused(t, "declined")
		v.choose(t, "paypal")
		v.agreesAtPayPal(t, cardDeclined)
		v.isRefused(t, "declined")
		v.choose(t, "stripe")
		v.types(t, cardGood)
		v.presses(t)
		v.isPaidAt(t, "stripe")
	}},
}

// TestPayPageOfEveryProvider pays at each provider in a real browser, against its stand-in.
func TestPayPageOfEveryProvider(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	house := newClient(apptest.Start(t))
	for _, story := range providerStories {
		t.Run(story.name, func(t *testing.T) {
			v := &buyer{tab: b.tab(t, 1280, 900), house: house, id: house.checkout(t, strings.NewReplacer("'", "", " ", "-", ",", "").Replace(t.Name()), "automatic")}
			v.load(t)
			story.test(t, v)
			v.keptCards(t)
		})
	}
	t.Run("for everybody", func(t *testing.T) { everyProviderAccessible(t, b, house) })
	t.Run("on the provider's own page", func(t *testing.T) { everyProviderRedirects(t, b, house) })
}

// isPaidAt waits for the end and checks where the money was taken.
func (b *buyer) isPaidAt(t *testing.T, account string) {
	t.Helper()
	b.isDone(t, "succeeded")
	checkout := b.house.api(t, http.MethodGet, "/v1/checkouts/"+b.id, nil, "")
	require.Equal(t, account, b.house.payment(t, checkout.text("payment"), "succeeded").text("account"))
}

// keptCards requires that no card's number ever went to us.
func (b *buyer) keptCards(t *testing.T) {
	t.Helper()
	for _, request := range b.sent() {
		if !strings.HasPrefix(request.url, b.house.house.PublicURL) {
			continue
		}
		for _, number := range []string{cardGood, cardDeclined, cardNoFunds, card3DS} {
			require.NotContains(t, strings.NewReplacer(" ", "", "%20", "", "+", "").Replace(request.url+request.body), number, request.url)
		}
	}
}

func everyProviderAccessible(t *testing.T, b *browser, house *client) {
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 320} {
			v := &buyer{tab: b.tab(t, width, 900), house: house, id: house.checkout(t, strings.ReplaceAll(t.Name(), " ", "-")+scheme+http.StatusText(int(width)), "automatic")}
			v.scheme(t, scheme)
			v.load(t)
			for _, account := range []string{"paypal", "square", "stripe"} {
				v.choose(t, account)
				v.accessible(t, account+", "+scheme)
				require.True(t, evaluate[bool](t, v.tab, `document.documentElement.scrollWidth <= innerWidth`), "nothing is cut off")
				v.shoot(t, account+"-"+scheme+map[bool]string{true: "-narrow"}[width == 320])
			}
			v.quiet(t)
		}
	}
}

func everyProviderRedirects(t *testing.T, b *browser, house *client) {
	for _, account := range []string{"paypal", "square"} {
		v := &buyer{tab: b.tab(t, 1280, 900), house: house, id: house.hostedCheckout(t, strings.ReplaceAll(t.Name(), " ", "-")+account, account)}
		v.load(t)
		v.presses(t)
		v.do(t, chromedp.WaitVisible(chromedp.CSS("#card-number")))
		v.shoot(t, account+"-own-page")
		pay := func(number string) {
			v.do(t, chromedp.SetValue(chromedp.CSS("#card-number"), number), chromedp.SetValue(chromedp.CSS("#card-cvc"), "123"), chromedp.Click(chromedp.CSS("button#pay")))
		}
		if account == "square" { // PayPal asks no bank before our server asks for the money
			pay(cardDeclined)
			v.do(t, chromedp.WaitVisible(chromedp.CSS("#error")))
		}
		pay(card3DS)
		v.do(t, chromedp.Click(chromedp.CSS("#complete-authentication")))
		require.Equal(t, "Payment complete", v.text(t, "#done-view h2"))
		checkout := house.api(t, http.MethodGet, "/v1/checkouts/"+v.id, nil, "")
		require.Equal(t, account, house.payment(t, checkout.text("payment"), "succeeded").text("account"))
	}
}
