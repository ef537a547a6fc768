package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// member is a buyer in front of a page that asks for more than one payment, who gives what he
// pays with at one account.
type member struct {
	*buyer

	seller    seller
	customer  string // whose method is to be saved; empty in mode subscription
	elsewhere bool   // whether what there is to do is done on the provider's own page
}

// comes opens a checkout's page and chooses the account.
func (m *member) comes(t *testing.T, b *browser, mode string, in map[string]any) {
	t.Helper()
	in["reference"], in["currency"], in["mode"], in["success_url"] = newKey(), "EUR", mode, "https://shop.example/thanks"
	if m.elsewhere {
		in["flow"], in["providers"] = "redirect", []string{m.seller.account}
	}
	checkout := m.seller.ok(t, http.MethodPost, "/v1/checkouts", in)
	m.buyer = &buyer{tab: b.tab(t, 1280, 900), house: m.seller.client, id: checkout.text("id")}
	if m.elsewhere {
		m.load(t)
		return
	}
	m.do(t, chromedp.Navigate(m.house.house.PublicURL+"/pay/"+m.id))
	m.picks(t, m.seller.account)
}

// picks is [buyer.choose] where the way to pay may bring a button of its own in place of the page's.
func (m *member) picks(t *testing.T, account string) {
	t.Helper()
	m.do(t, chromedp.Click(chromedp.CSS(`input[name="account"][value="`+account+`"]`)),
		chromedp.WaitNotPresent(chromedp.CSS(`#fields[aria-busy]`)), chromedp.WaitReady(chromedp.CSS(`#pay[aria-disabled="false"]`)))
}

// wantsToSubscribe opens the page of a subscription to a monthly price.
func wantsToSubscribe(t *testing.T, b *browser, s seller, trialDays int) *member {
	t.Helper()
	m := &member{seller: s}
	m.subscribes(t, b, trialDays)
	return m
}

func (m *member) subscribes(t *testing.T, b *browser, trialDays int) {
	t.Helper()
	m.comes(t, b, "subscription", map[string]any{
		"customer":   map[string]any{"email": "ada@shop.example", "name": "Ada Buyer"},
		"line_items": []map[string]any{{"price": m.seller.price(t, 900, trialDays), "quantity": 1}},
	})
}

// wantsToSave opens the page on which a new customer saves a method.
func wantsToSave(t *testing.T, b *browser, s seller) *member {
	t.Helper()
	m := &member{seller: s}
	m.saves(t, b)
	return m
}

func (m *member) saves(t *testing.T, b *browser) {
	t.Helper()
	m.customer = m.seller.ok(t, http.MethodPost, "/v1/customers", map[string]any{"email": "ada@shop.example", "name": "Ada Buyer"}).text("id")
	m.comes(t, b, "setup", map[string]any{"customer": map[string]any{"id": m.customer}})
}

// gives goes through what there is to do at the account, up to a bank's question.
func (m *member) gives(t *testing.T, number string) {
	t.Helper()
	if m.seller.account == "paypal" {
		// PayPal brings its own, and ours is there for its card fields, which subscriptions have none of.
		require.Equal(t, m.customer != "", m.seesButton(t))
		m.agreesAtPayPal(t, number)
		return
	}
	m.types(t, number)
	m.presses(t)
}

// givesAnother gives a card that is declined, and another one after that is said. PayPal says
// it in its own window, which stays open.
func (m *member) givesAnother(t *testing.T) {
	t.Helper()
	m.gives(t, cardDeclined)
	if m.seller.account != "paypal" {
		m.isAskedToTryAgain(t, "declined")
		m.gives(t, cardGood)
		return
	}
	m.do(t, chromedp.WaitVisible(chromedp.CSS("#approval-error:not(:empty)"), m.frame(t, "#approve-frame")))
	m.fill(t, "#approve-frame", "#card-number", cardGood)
	m.clicks(t, "#approve-frame", "#agree")
}

// agreesAbove requires that what is agreed to is read before the button that agrees.
func (m *member) agreesAbove(t *testing.T) {
	t.Helper()
	button := map[bool]string{true: "#pay", false: "#fields"}[m.seesButton(t)]
	require.True(t, evaluate[bool](t, m.tab, `document.querySelector('`+button+`').previousElementSibling.id === 'agreed'`), "just above "+button)
}

// seesButton reports whether the page's own button is there to be pressed.
func (m *member) seesButton(t *testing.T) bool {
	t.Helper()
	return evaluate[bool](t, m.tab, `document.getElementById('pay').checkVisibility()`)
}

// isAskedToTryAgain waits for a message and for the form to be there again.
func (m *member) isAskedToTryAgain(t *testing.T, message string) {
	t.Helper()
	require.Contains(t, m.text(t, "#error.shown"), message)
	m.do(t, chromedp.WaitReady(chromedp.CSS(`#pay[aria-disabled="false"]`)))
	require.Equal(t, "open", m.checkout(t).text("status"))
}

func (m *member) checkout(t *testing.T) answer {
	t.Helper()
	return m.house.api(t, http.MethodGet, "/v1/checkouts/"+m.id, nil, "")
}

// isTold waits for the end and checks what it says, at once and after loading the page again.
func (m *member) isTold(t *testing.T, title, text string) {
	t.Helper()
	require.Equal(t, title, m.text(t, "#done-view h2"))
	require.Contains(t, m.text(t, "#done-view"), text)
	require.Equal(t, "H2", evaluate[string](t, m.tab, `document.activeElement.tagName`), "the reader is taken to the news")
	require.Equal(t, "https://shop.example/thanks", evaluate[string](t, m.tab, `document.getElementById('continue').href`))
	require.Equal(t, "complete", m.checkout(t).text("status"))
	m.do(t, chromedp.Navigate(m.house.house.PublicURL+"/pay/"+m.id))
	require.Equal(t, title, m.text(t, "#panel-title"))
	require.Contains(t, m.text(t, "#done-view"), text)
	m.quiet(t)
	m.keptCards(t)
}

// isSubscribed checks how the subscription stands that came of the checkout.
func (m *member) isSubscribed(t *testing.T, status string) answer {
	t.Helper()
	s := m.seller.becomes(t, "/v1/subscriptions/"+m.checkout(t).text("subscription"), status)
	require.Equal(t, m.seller.account, s.text("account"), s.Raw)
	require.EqualValues(t, 900, s.Body["amount"], s.Raw)
	return s
}

// isSaved checks the one method that came of the checkout, and that its buyer agreed to a text.
func (m *member) isSaved(t *testing.T, consent string) {
	t.Helper()
	list := m.seller.ok(t, http.MethodGet, "/v1/customers/"+m.customer+"/payment_methods", nil)
	data, _ := list.Body["data"].([]any)
	var active []map[string]any
	for _, item := range data {
		if one, _ := item.(map[string]any); one["status"] == "active" {
			active = append(active, one)
		}
	}
	require.Len(t, active, 1, list.Raw)
	require.Equal(t, m.seller.account, active[0]["account"], list.Raw)
	agreed, _ := active[0]["consent"].(map[string]any)
	require.Equal(t, consent, agreed["text"], list.Raw)
	require.NotEmpty(t, agreed["at"], list.Raw)
}

// modeStories are what buyers do at every provider.
var modeStories = []struct {
	name string
	test func(*testing.T, *browser, seller)
}{
	{"subscribe", func(t *testing.T, b *browser, s seller) {
		m := wantsToSubscribe(t, b, s, 0)
		require.Contains(t, m.text(t, "h1"), "€9.00\nevery month")
		require.Equal(t, "Due today EUR €9.00", strings.Join(strings.Fields(m.text(t, ".due")), " "))
		require.Contains(t, m.text(t, "#agreed"), "charge you €9.00 today and again every month until you cancel.")
		m.agreesAbove(t)
		require.Equal(t, "Subscribe", evaluate[string](t, m.tab, `document.getElementById('pay-label').textContent`))
		m.gives(t, cardGood)
		m.isTold(t, "You are subscribed", "It costs €9.00 every month until you cancel.")
		s.invoices(t, m.isSubscribed(t, "active"), 1)
	}},
	{"free trial", func(t *testing.T, b *browser, s seller) {
		m := wantsToSubscribe(t, b, s, 14)
		require.Contains(t, m.text(t, "h1"), "14\u00a0days free\nthen €9.00 every month")
		require.Equal(t, "Due today EUR €0.00", strings.Join(strings.Fields(m.text(t, ".due")), " "))
		require.Equal(t, "Due after 14 days €9.00", strings.Join(strings.Fields(m.text(t, ".later")), " "))
		require.Equal(t, "Start free trial", evaluate[string](t, m.tab, `document.getElementById('pay-label').textContent`))
		m.gives(t, cardGood)
		m.isTold(t, "You are subscribed", "Your free trial for order")
		require.NotEmpty(t, m.isSubscribed(t, "trialing").text("trial_end"))
	}},
	{"save", func(t *testing.T, b *browser, s seller) {
		m := wantsToSave(t, b, s)
		require.Contains(t, m.text(t, "h1"), "Save a payment method")
		require.Equal(t, "Save", evaluate[string](t, m.tab, `document.getElementById('pay-label').textContent`))
		consent := m.text(t, "#agreed")
		require.Contains(t, consent, "I allow the shop to save this payment method")
		m.agreesAbove(t)
		m.gives(t, cardGood)
		m.isTold(t, "Saved", "Your payment method is saved, and nothing was charged.")
		m.isSaved(t, consent)
	}},
	{"subscribe, declined, then another card", func(t *testing.T, b *browser, s seller) {
		m := wantsToSubscribe(t, b, s, 0)
		m.givesAnother(t)
		m.isTold(t, "You are subscribed", "It costs €9.00 every month")
		m.isSubscribed(t, "active")
	}},
	{"subscribe with 3-D Secure", func(t *testing.T, b *browser, s seller) {
		m := wantsToSubscribe(t, b, s, 0)
		m.gives(t, card3DS)
		m.answersBank(t, "#complete-authentication")
		m.isTold(t, "You are subscribed", "It costs €9.00 every month")
		m.isSubscribed(t, "active")
	}},
	{"save with 3-D Secure", func(t *testing.T, b *browser, s seller) {
		m := wantsToSave(t, b, s)
		consent := m.text(t, "#agreed")
		m.gives(t, card3DS)
		m.answersBank(t, "#complete-authentication")
		m.isTold(t, "Saved", "Your payment method is saved")
		m.isSaved(t, consent)
	}},
	{"save, declined, then another card", func(t *testing.T, b *browser, s seller) {
		m := wantsToSave(t, b, s)
		consent := m.text(t, "#agreed")
		m.givesAnother(t)
		m.isTold(t, "Saved", "Your payment method is saved")
		m.isSaved(t, consent)
	}},
}

// TestPayPageOfEveryMode subscribes and saves methods at each provider in a real browser,
// against its stand-in.
func TestPayPageOfEveryMode(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	house := newClient(apptest.Start(t))
	for account := range accounts {
		for _, story := range modeStories {
			t.Run(account+"/"+story.name, func(t *testing.T) { story.test(t, b, seller{client: house, account: account}) })
		}
	}
	t.Run("stripe/the bank refuses to save", func(t *testing.T) { bankRefusesToSave(t, b, seller{client: house, account: "stripe"}) })
	t.Run("paypal/closed", func(t *testing.T) { closesPayPal(t, b, seller{client: house, account: "paypal"}) })
	t.Run("paypal/on its own page", func(t *testing.T) { agreesOnPayPalsPage(t, b, seller{client: house, account: "paypal"}) })
	t.Run("for everybody", func(t *testing.T) { everyModeAccessible(t, b, house) })
}

func bankRefusesToSave(t *testing.T, b *browser, s seller) {
	m := wantsToSave(t, b, s)
	consent := m.text(t, "#agreed")
	m.gives(t, card3DS)
	m.do(t, chromedp.WaitEnabled(chromedp.CSS("#complete-authentication"), m.frame(t, "#challenge-frame")))
	m.shoot(t, "setup-bank")
	m.answersBank(t, "#fail-authentication")
	m.isAskedToTryAgain(t, "Try again")
	m.presses(t) // the same card once more
	m.answersBank(t, "#complete-authentication")
	m.isTold(t, "Saved", "Your payment method is saved")
	m.isSaved(t, consent)
}

func closesPayPal(t *testing.T, b *browser, s seller) {
	for message, m := range map[string]*member{
		"You have not subscribed: you closed PayPal": wantsToSubscribe(t, b, s, 0), "Nothing was saved: you closed PayPal": wantsToSave(t, b, s),
	} {
		m.clicks(t, ".paypal-button iframe", "#paypal-button")
		m.do(t, chromedp.WaitEnabled(chromedp.CSS("#agree"), m.frame(t, "#approve-frame")))
		m.shoot(t, "agreeing-"+m.seller.account+map[bool]string{true: "-setup"}[m.customer != ""])
		m.clicks(t, "#approve-frame", "#cancel-approval")
		m.isAskedToTryAgain(t, message)
		m.shoot(t, "closed-"+m.seller.account+map[bool]string{true: "-setup"}[m.customer != ""])
		m.gives(t, cardGood)
		m.do(t, chromedp.WaitVisible(chromedp.CSS("#done-view")))
		m.quiet(t)
		m.keptCards(t)
	}
}

// agreesOnPayPalsPage leaves our page, which has no field, and comes back to its end.
func agreesOnPayPalsPage(t *testing.T, b *browser, s seller) {
	goes := func(m *member, says string) {
		require.Contains(t, m.text(t, "#pay-form"), says)
		require.Zero(t, evaluate[int](t, m.tab, `document.querySelectorAll('iframe, script[src^="http"]').length`))
		mode := m.checkout(t).text("mode")
		m.forEverybody(t, "before-own-page-"+mode)
		m.presses(t)
		m.do(t, chromedp.WaitVisible(chromedp.CSS("#card-number")))
		m.shoot(t, "own-page-"+mode)
		m.do(t, chromedp.SetValue(chromedp.CSS("#card-number"), cardGood), chromedp.SetValue(chromedp.CSS("#card-cvc"), "123"), chromedp.Click(chromedp.CSS("button#pay")))
	}
	subscriber, saver := &member{seller: s, elsewhere: true}, &member{seller: s, elsewhere: true}
	subscriber.subscribes(t, b, 0)
	goes(subscriber, "You subscribe on PayPal's own page and come back here.")
	require.Equal(t, "You are subscribed", subscriber.text(t, "#panel-title"))
	subscriber.isSubscribed(t, "active")
	saver.saves(t, b)
	consent := saver.text(t, "#agreed")
	goes(saver, "You agree on PayPal's own page and come back here.")
	require.Equal(t, "Saved", saver.text(t, "#panel-title"))
	saver.isSaved(t, consent)
}

func everyModeAccessible(t *testing.T, b *browser, house *client) {
	s := seller{client: house, account: "stripe"}
	for mode, m := range map[string]*member{"subscription": wantsToSubscribe(t, b, s, 0), "trial": wantsToSubscribe(t, b, s, 14), "setup": wantsToSave(t, b, s)} {
		if mode == "trial" { // says other things in the same places
			m.forEverybody(t, mode)
			continue
		}
		for account := range accounts {
			m.picks(t, account)
			m.forEverybody(t, mode+"-"+account)
		}
		m.picks(t, s.account)
		m.gives(t, cardDeclined)
		m.isAskedToTryAgain(t, "declined")
		m.forEverybody(t, mode+"-declined")
		m.gives(t, cardGood)
		m.do(t, chromedp.Click(chromedp.CSS("#stay"))) // or the browser leaves for the shop
		m.forEverybody(t, mode+"-complete")
		m.quiet(t)
		m.keptCards(t)
	}
}

// forEverybody looks at the page as it is in both schemes, on a wide and on a narrow screen.
func (m *member) forEverybody(t *testing.T, name string) {
	t.Helper()
	for _, width := range []int64{320, 1280} { // it ends as it began, wide and light
		m.do(t, chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"dark", "light"} {
			m.scheme(t, scheme)
			shown := fmt.Sprintf("%s-%s-%d", name, scheme, width)
			m.accessible(t, shown)
			require.True(t, evaluate[bool](t, m.tab, `document.documentElement.scrollWidth <= innerWidth`), "%s: nothing is cut off", shown)
			m.shoot(t, shown)
		}
	}
}
