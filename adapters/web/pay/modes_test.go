package pay_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/web/pay"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const fee int64 = 900

var confirmModes = map[string]ports.ConfirmMode{
	"in the browser": ports.ConfirmInBrowser, "after approval": ports.ConfirmAfterApproval, "with a source": ports.ConfirmWithSource,
}

// eachMode runs a test at an account of each manner.
func eachMode(t *testing.T, test func(t *testing.T, h house, mode ports.ConfirmMode)) {
	t.Helper()
	for name, mode := range confirmModes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.Confirming(mode)
			test(t, h, mode)
		})
	}
}

// begin starts an attempt that must work, and gives its answer and its address.
func (h house) begin(t *testing.T, checkout core.Checkout) (answer map[string]any, at string) {
	t.Helper()
	status, answer := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusCreated, status, answer)
	require.Equal(t, "stripe", answer["account"])
	require.Equal(t, "stripe", answer["provider"])
	return answer, attempts(checkout.ID) + "/" + answer["attempt"].(string)
}

// agrees is the buyer in front of what the action is about, with a card.
func (h house) agrees(t *testing.T, answer map[string]any, at string, card portstest.Card) {
	t.Helper()
	action := answer["action"].(map[string]any)
	object := action["object"].(string)
	switch action["type"] {
	case ports.ActionTokenize:
		require.Empty(t, object)
		status, outcome := h.post(t, at+"/confirm", `{"source":"`+portstest.FakeSource(card)+`"}`)
		require.Equal(t, http.StatusOK, status, outcome)
	case ports.ActionStripeSetup, ports.ActionPayPalSave:
		if action["type"] == ports.ActionStripeSetup {
			require.NotEmpty(t, action["client_secret"])
		}
		require.True(t, h.Provider.Save(object, card) || h.Provider.Subscribe(h.subscription(t, answer).ProviderSubscriptionID, card), "nothing to agree to")
	case ports.ActionPayPalSubscribe:
		require.NotEmpty(t, action["url"])
		require.Equal(t, h.subscription(t, answer).ProviderSubscriptionID, object)
		require.True(t, h.Provider.Subscribe(object, card))
	case "stripe_confirm":
		require.NotEmpty(t, action["client_secret"])
		require.NotEmpty(t, object)
		require.True(t, h.Provider.Subscribe(h.subscription(t, answer).ProviderSubscriptionID, card))
	default:
		require.Fail(t, "an action that the page does not know", action)
	}
}

func (h house) subscription(t *testing.T, answer map[string]any) core.Subscription {
	t.Helper()
	return h.Subscription(core.SubscriptionID(answer["attempt"].(string)))
}

// data is what the page tells its script.
func data(t *testing.T, body string) map[string]any {
	t.Helper()
	found := regexp.MustCompile(`data-checkout="([^"]*)"`).FindStringSubmatch(body)
	require.Len(t, found, 2)
	var told map[string]any
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(found[1])), &told))
	return told
}

// told is a page's text, whose spaces may all break.
func told(body string) string {
	return regexp.MustCompile(`\s+|\x{a0}`).ReplaceAllString(html.UnescapeString(body), " ")
}

func TestASubscriptionFromStartToEnd(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h house, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
		started, at := h.begin(t, checkout)
		require.Equal(t, "incomplete", started["status"])
		require.Nil(t, started["payment"])
		require.Regexp(t, "^sub_", started["attempt"])
		_, again := h.begin(t, checkout)
		require.Equal(t, at, again, "the same attempt goes on")
		if mode != ports.ConfirmWithSource {
			status, outcome := h.post(t, at+"/sync", "{}")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "incomplete", outcome["status"])
			require.Equal(t, "open", outcome["checkout"])
			require.Nil(t, outcome["continue_url"])
		}
		h.agrees(t, started, at, portstest.CardSucceeds)
		status, outcome := h.post(t, at+"/sync", "{}")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, started["attempt"], outcome["attempt"])
		require.Nil(t, outcome["payment"])
		require.Equal(t, "active", outcome["status"])
		require.Equal(t, h.subscription(t, started).ProviderSubscriptionID, outcome["object"])
		require.Equal(t, "complete", outcome["checkout"])
		require.Equal(t, "https://shop.example/done", outcome["continue_url"])
		require.Nil(t, outcome["message"])

		status, answer := h.post(t, attempts(checkout.ID), atStripe)
		require.Equal(t, http.StatusConflict, status)
		require.Equal(t, "checkout_complete", answer["code"])
		require.Equal(t, "You are subscribed already.", answer["detail"])
		body := told(h.get(t, page(checkout)).Body.String())
		require.Contains(t, body, "You are subscribed</h2>")
		require.Contains(t, body, "It costs €9.00 every month until you cancel.")
		require.NotContains(t, body, "Payment complete")
		require.NotContains(t, h.log.String(), "_secret")
	})
}

func TestATrialFromStartToEnd(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h house, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenPlan(h.Plan(fee, 14).ID, 1)
		started, at := h.begin(t, checkout)
		if mode == ports.ConfirmInBrowser {
			require.Equal(t, ports.ActionStripeSetup, started["action"].(map[string]any)["type"])
			require.Regexp(t, "^seti_", started["action"].(map[string]any)["object"])
		}
		h.agrees(t, started, at, portstest.CardSucceeds)
		status, outcome := h.post(t, at+"/sync", "{}")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "trialing", outcome["status"])
		require.Equal(t, "complete", outcome["checkout"])
		require.Contains(t, told(h.get(t, page(checkout)).Body.String()), "After 14 days the subscription costs €9.00 every month until you cancel.")
	})
}

func TestAMethodIsSavedFromStartToEnd(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h house, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenSetup(h.Customer().ID)
		consent := customers.ConsentText(checkout)
		require.Contains(t, told(h.get(t, page(checkout)).Body.String()), consent, "the buyer sees what is recorded")
		declined, at := h.begin(t, checkout)
		require.Regexp(t, "^pm_", declined["attempt"])
		require.Equal(t, "pending", declined["status"])
		require.Nil(t, declined["payment"])
		h.agrees(t, declined, at, portstest.CardDeclined)
		status, outcome := h.post(t, at+"/sync", "{}")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "failed", outcome["status"])
		require.Contains(t, outcome["message"], "declined")
		require.Equal(t, "open", outcome["checkout"])
		require.Contains(t, h.get(t, page(checkout)).Body.String(), `data-earlier="Your card was declined.`)

		started, at := h.begin(t, checkout)
		require.NotEqual(t, declined["attempt"], started["attempt"])
		h.agrees(t, started, at, portstest.CardSucceeds)
		status, outcome = h.post(t, at+"/sync", "{}")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "active", outcome["status"])
		require.NotEmpty(t, outcome["object"])
		require.Equal(t, "complete", outcome["checkout"])
		require.Equal(t, "https://shop.example/saved", outcome["continue_url"])
		method, err := h.Store.Method(t.Context(), core.MethodID(started["attempt"].(string)))
		require.NoError(t, err)
		require.Equal(t, consent, method.Consent.Text)

		status, answer := h.post(t, attempts(checkout.ID), atStripe)
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, answer["detail"], "saved already")
		require.Contains(t, h.get(t, page(checkout)).Body.String(), "Saved</h2>")
		if mode != ports.ConfirmWithSource {
			status, answer = h.post(t, at+"/confirm", `{"source":"token:success"}`)
			require.Equal(t, http.StatusConflict, status)
			require.Equal(t, "payment_not_open", answer["code"])
		}
	})
}

func TestASubscriptionWhoseCardIsDeclined(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
	first, at := h.begin(t, checkout)
	h.agrees(t, first, at, portstest.CardInsufficientFunds)
	status, outcome := h.post(t, at+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "canceled", outcome["status"])
	require.Contains(t, outcome["message"], "enough funds")
	require.Equal(t, "open", outcome["checkout"])
	second, at := h.begin(t, checkout)
	require.NotEqual(t, first["attempt"], second["attempt"])

	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	status, outcome = h.post(t, at+"/confirm", `{"source":"`+portstest.FakeSource(portstest.CardSucceeds)+`"}`)
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, second["attempt"], outcome["attempt"])
	require.Equal(t, "processing", outcome["status"])
	require.Nil(t, outcome["payment"])
}

// What the first charge is, and what comes after it, is said before the buyer agrees.
func TestWhatIsSaidOfASubscription(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		every    core.Recurring
		quantity int64
		says     []string
	}{
		"monthly": {core.Recurring{Interval: core.IntervalMonth}, 1, []string{
			`<span class="total">€9.00</span> <span class="after">every month</span>`, `Due today <span class="currency">EUR</span></span> <strong>€9.00</strong>`,
			"By subscribing you allow the shop to charge you €9.00 today and again every month until you cancel.", `data-label="Subscribe"`,
		}},
		"every two weeks, several": {core.Recurring{Interval: core.IntervalWeek, Count: 2}, 3, []string{
			`<span class="total">€27.00</span> <span class="after">every 2 weeks</span>`, "3 × €9.00", "<strong>€27.00</strong>", "€27.00 today and again every 2 weeks",
		}},
		"on trial": {core.Recurring{Interval: core.IntervalYear, TrialDays: 14}, 1, []string{
			`<span class="total">14 days free</span> <span class="after">then €9.00 every year</span>`, "<strong>€0.00</strong>", "<span>Due after 14 days</span> <span>€9.00</span>",
			"charge you €9.00 after 14 days and again every year until you cancel.", `data-label="Start free trial"`,
		}},
		"on trial for a day": {core.Recurring{Interval: core.IntervalDay, Count: 3, TrialDays: 1}, 1, []string{"1 day free", "€9.00 after 1 day and again every 3 days"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			price, err := h.Subscriptions.CreatePrice(t.Context(), subscriptions.NewPrice{Name: "Tea club", Amount: fee, Currency: "EUR", Recurring: &c.every})
			require.NoError(t, err)
			w := h.get(t, page(h.OpenPlan(price.ID, c.quantity)))
			require.Equal(t, http.StatusOK, w.Code)
			body := told(w.Body.String())
			for _, text := range append(c.says, "Order tea", "What you are subscribing to", "Tea club", `aria-describedby="agreed"`) {
				require.Contains(t, body, text)
			}
			require.NotContains(t, body, "Pay €")
			script := data(t, w.Body.String())
			require.Equal(t, "subscription", script["mode"])
			require.Equal(t, c.every.TrialDays > 0, script["trial"])
			require.EqualValues(t, fee*c.quantity, script["accounts"].([]any)[0].(map[string]any)["amount"])
			require.Zero(t, h.Provider.CallsOf("CreateSubscription"), "showing the page asks nobody for anything")
		})
	}
}

func TestWhatIsSaidOfASetup(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenSetup(h.Customer().ID)
	w := h.get(t, page(checkout))
	body := told(w.Body.String())
	for _, text := range []string{"Reference wallet", "Save a payment method</span>", `data-label="Save"`, `aria-describedby="agreed"`} {
		require.Contains(t, body, text)
	}
	for _, text := range []string{"€", "class=\"due\"", "class=\"items\"", "Order", "Pay "} {
		require.NotContains(t, body, text, "nothing is paid")
	}
	script := data(t, w.Body.String())
	require.Equal(t, "setup", script["mode"])
	require.Equal(t, false, script["trial"])
	require.Equal(t, "eur", script["currency"])
	h.Clock.Advance(core.CheckoutLifeDefault + time.Hour)
	require.Contains(t, h.get(t, page(checkout)).Body.String(), "nothing was saved")

	none := newHouse(t, func(o *pay.Options) { o.Browsers = nil })
	require.Contains(t, none.get(t, page(none.OpenSetup(none.Customer().ID))).Body.String(), "No payment method can be saved here now")
	require.Contains(t, none.get(t, page(none.OpenPlan(none.Plan(fee, 0).ID, 1))).Body.String(), "You cannot subscribe here now")
}

// Where the card was given already, the page follows what becomes of it.
func TestAnAttemptThatIsUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
	started, at := h.begin(t, checkout)
	body := h.get(t, page(checkout)).Body.String()
	require.Contains(t, body, "pay-form", "the card is still to come")
	require.Nil(t, data(t, body)["attempt"])
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, _ = h.post(t, at+"/confirm", `{"source":"`+portstest.FakeSource(portstest.CardSucceeds)+`"}`)
	s := h.subscription(t, started)
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		s.ProviderSubscriptionID = "sub_unseen" // it is known at the provider, which does not say yet how it stands
		_, err := tx.UpdateSubscription(ctx, s)
		return err
	}))
	body = h.get(t, page(checkout)).Body.String()
	require.Contains(t, body, "Your subscription is being set up")
	require.NotContains(t, body, "pay-form")
	require.Equal(t, started["attempt"], data(t, body)["attempt"])
	require.Equal(t, "processing", data(t, body)["state"])
}

func TestABuyerWhoComesBackFromAgreeing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	plan, wallet := h.OpenPlan(h.Plan(fee, 0).ID, 1), h.OpenSetup(h.Customer().ID)
	for _, checkout := range []core.Checkout{plan, wallet} {
		require.Equal(t, http.StatusSeeOther, h.get(t, page(checkout)+"/return").Code, "nothing was started")
		started, at := h.begin(t, checkout)
		h.agrees(t, started, at, portstest.CardSucceeds)
		w := h.get(t, page(checkout)+"/return?subscription_id=x&ba_token=y")
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, page(checkout), w.Header().Get("Location"))
		require.Equal(t, core.CheckoutComplete, h.Checkout(checkout.ID).Status)
	}
}

// An attempt is found by its own checkout alone, whatever its kind.
func TestAttemptsOfOtherCheckouts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plan, wallet, order := h.OpenPlan(h.Plan(fee, 0).ID, 1), h.OpenSetup(h.Customer().ID), h.Open(core.CaptureAutomatic)
	made := map[core.CheckoutID]string{}
	for _, checkout := range []core.Checkout{plan, wallet, order} {
		answer, _ := h.begin(t, checkout)
		made[checkout.ID] = answer["attempt"].(string)
	}
	for checkout := range made {
		for owner, id := range made {
			status, answer := h.post(t, attempts(checkout)+"/"+id+"/sync", "{}")
			if owner == checkout {
				require.Equal(t, http.StatusOK, status, answer)
				continue
			}
			require.Equal(t, http.StatusNotFound, status, answer)
			status, _ = h.post(t, attempts(checkout)+"/"+id+"/confirm", `{"source":"x"}`)
			require.Equal(t, http.StatusNotFound, status)
		}
		for _, id := range []string{"sub_none", "pm_none", "chk_none", "sub_00000000000000000000000000", "pm_00000000000000000000000000"} {
			status, answer := h.post(t, attempts(checkout)+"/"+id+"/sync", "{}")
			require.Equal(t, http.StatusNotFound, status, answer)
		}
	}
}

// A provider whose setups are for one type of method is told of a card beforehand; another type is
// another attempt.
func TestACardIsSavedWhereAnAccountCouldBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	checkout := h.OpenSetup(h.Customer().ID)
	const card = `{"account":"stripe","method":"card"}`
	wallet, _ := h.begin(t, checkout)
	start := func() map[string]any {
		status, answer := h.post(t, attempts(checkout.ID), card)
		require.Equal(t, http.StatusCreated, status, answer)
		return answer
	}
	first := start()
	require.NotEqual(t, wallet["attempt"], first["attempt"])
	require.Equal(t, first["attempt"], start()["attempt"], "the same goes on")
	h.agrees(t, first, "", portstest.CardSucceeds)
	status, outcome := h.post(t, attempts(checkout.ID)+"/"+first["attempt"].(string)+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "active", outcome["status"])
	status, answer := h.post(t, attempts(checkout.ID), `{"account":"stripe","method":"cash"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "invalid_request", answer["code"])
	status, _ = h.post(t, attempts(h.Open(core.CaptureAutomatic).ID), card)
	require.Equal(t, http.StatusCreated, status, "where money is taken it says nothing")
}

// The providers' scripts are told what they are for.
func TestScriptsByMode(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *pay.Options) {
		first := o.Browsers[coretest.Account]
		first.ScriptURL = "https://script.provider.example/sdk?intent={intent}&vault={vault}"
		o.Browsers[coretest.Account] = first
	})
	for want, checkout := range map[string]core.Checkout{
		"intent=capture&vault=false":     h.Open(core.CaptureAutomatic),
		"intent=authorize&vault=false":   h.Open(core.CaptureManual),
		"intent=subscription&vault=true": h.OpenPlan(h.Plan(fee, 14).ID, 1),
	} {
		require.Contains(t, html.UnescapeString(h.get(t, page(checkout)).Body.String()), "/sdk?"+want+`"`)
	}
	require.Contains(t, html.UnescapeString(h.get(t, page(h.OpenSetup(h.Customer().ID))).Body.String()), `/sdk?intent=capture&vault=false"`)
}

func TestTheProvidersOwnPageForWhatLasts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	h.Accounts[coretest.OtherAccount] = h.Other
	checkout, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "tea", Currency: "EUR", Mode: core.ModeSubscription, Flow: core.FlowRedirect, SuccessURL: "https://shop.example/done", Name: "Ada",
		Items: []payments.OpenItem{{Price: string(h.Plan(fee, 0).ID), Quantity: 1}},
	})
	require.NoError(t, err)
	w := h.get(t, page(checkout))
	require.Contains(t, told(w.Body.String()), "You subscribe on Stripe's own page and come back here.")
	require.NotContains(t, w.Body.String(), "script.provider.example")
	started, _ := h.begin(t, checkout)
	action := started["action"].(map[string]any)
	require.Equal(t, ports.ActionRedirect, action["type"])
	require.NotEmpty(t, action["url"])
}
