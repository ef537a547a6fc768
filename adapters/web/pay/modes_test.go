package pay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/web/pay"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// start begins an attempt, which must work, and gives it with its action.
func (h house) start(t *testing.T, checkout core.CheckoutID) (started, action map[string]any) {
	t.Helper()
	status, started := h.post(t, attempts(checkout), atStripe)
	require.Equal(t, http.StatusCreated, status, started)
	require.Nil(t, started["payment"], "nobody pays by it")
	action, ok := started["action"].(map[string]any)
	require.True(t, ok)
	return started, action
}

func TestAMethodIsSavedOnThePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *pay.Options) {
		first := o.Browsers[coretest.Account]
		first.ScriptURL = "https://script.provider.example/sdk?intent={intent}&vault={vault}"
		o.Browsers[coretest.Account] = first
	})
	checkout := h.OpenSetup(h.Customer().ID)
	w := h.get(t, page(checkout))
	require.Equal(t, http.StatusOK, w.Code)
	for _, text := range []string{
		"Save a payment method", "Nothing is charged now.", customers.ConsentText(checkout), `data-label="Save"`, `aria-describedby="agreement"`,
		"intent=capture&amp;vault=true", "&#34;mode&#34;:&#34;setup&#34;",
	} {
		require.Contains(t, w.Body.String(), text)
	}
	require.NotContains(t, w.Body.String(), "€0.00")
	require.NotContains(t, w.Body.String(), "What you are buying")

	started, action := h.start(t, checkout.ID)
	require.Equal(t, ports.ActionStripeSetup, action["type"])
	require.NotEmpty(t, action["client_secret"])
	at := attempts(checkout.ID) + "/" + started["attempt"].(string)
	status, outcome := h.post(t, at+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "pending", outcome["status"])
	require.True(t, h.Provider.Save(action["object"].(string), portstest.CardDeclined))
	status, outcome = h.post(t, at+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "failed", outcome["status"])
	require.Contains(t, outcome["message"], "declined")
	require.Contains(t, h.get(t, page(checkout)).Body.String(), "Your card was declined.")

	started, action = h.start(t, checkout.ID)
	require.True(t, h.Provider.Save(action["object"].(string), portstest.CardSucceeds))
	w = h.get(t, page(checkout)+"/return?setup_intent=seti_1&setup_intent_client_secret=seti_1_secret_2")
	require.Equal(t, http.StatusSeeOther, w.Code)
	status, outcome = h.post(t, attempts(checkout.ID)+"/"+started["attempt"].(string)+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "active", outcome["status"])
	require.Equal(t, "complete", outcome["checkout"])
	require.Equal(t, "https://shop.example/saved", outcome["continue_url"])
	require.Contains(t, h.get(t, page(checkout)).Body.String(), "Your payment method is saved.")
	require.NotContains(t, h.log.String(), "_secret")
}

func TestASubscriptionIsStartedOnThePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenPlan(h.Plan(1000, 0).ID, 2)
	body := h.get(t, page(checkout)).Body.String()
	for _, text := range []string{
		"Subscription tea", "€20.00 every month, until you cancel", "2 × €10.00", `data-label="Subscribe"`,
		"You pay €20.00 every month, beginning today, until you cancel.", "&#34;mode&#34;:&#34;subscription&#34;",
	} {
		require.Contains(t, body, text)
	}
	started, action := h.start(t, checkout.ID)
	require.Equal(t, "stripe_confirm", action["type"])
	require.True(t, strings.HasPrefix(action["object"].(string), "pi_"), "the first payment")
	id := core.SubscriptionID(started["attempt"].(string))
	require.True(t, h.Provider.Subscribe(h.Subscription(id).ProviderSubscriptionID, portstest.CardInsufficientFunds))
	at := attempts(checkout.ID) + "/" + string(id) + "/sync"
	status, outcome := h.post(t, at, "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "incomplete", outcome["status"])
	require.Contains(t, outcome["message"], "enough funds")
	again, _ := h.start(t, checkout.ID)
	require.Equal(t, string(id), again["attempt"])
	require.True(t, h.Provider.Subscribe(h.Subscription(id).ProviderSubscriptionID, portstest.CardSucceeds))
	status, outcome = h.post(t, at, "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "active", outcome["status"])
	require.Equal(t, "complete", outcome["checkout"])
	require.Contains(t, h.get(t, page(checkout)).Body.String(), "Your subscription tea runs: €20.00 every month.")
	status, answer := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "checkout_complete", answer["code"])
}

func TestATrialIsStartedOnThePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenPlan(h.Plan(1000, 14).ID, 1)
	body := h.get(t, page(checkout)).Body.String()
	for _, text := range []string{
		"14 days for free", "Then €10.00 every month, until you cancel", `data-label="Start trial"`, "After the trial",
		"You pay nothing for 14 days and then €10.00 every month until you cancel.", "&#34;trial&#34;:true",
	} {
		require.Contains(t, body, text)
	}
	started, action := h.start(t, checkout.ID)
	require.Equal(t, ports.ActionStripeSetup, action["type"])
	id := core.SubscriptionID(started["attempt"].(string))
	require.True(t, h.Provider.Subscribe(h.Subscription(id).ProviderSubscriptionID, portstest.CardSucceeds))
	status, outcome := h.post(t, attempts(checkout.ID)+"/"+string(id)+"/sync", "{}")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "trialing", outcome["status"])
	require.Contains(t, h.get(t, page(checkout)).Body.String(), "begins with 14 days for free, and then costs €10.00 every month.")
}

func TestTokensForLater(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmWithSource)
	for name, checkout := range map[string]core.Checkout{"setup": h.OpenSetup(h.Customer().ID), "subscription": h.OpenPlan(h.Plan(1000, 0).ID, 1)} {
		started, action := h.start(t, checkout.ID)
		require.Equal(t, ports.ActionTokenize, action["type"], name)
		at := attempts(checkout.ID) + "/" + started["attempt"].(string)
		status, outcome := h.post(t, at+"/confirm", `{"source":"`+portstest.FakeSource(portstest.CardDeclined)+`"}`)
		require.Equal(t, http.StatusOK, status, name)
		require.Contains(t, outcome["message"], "declined")
		require.Equal(t, "open", outcome["checkout"])
		started, _ = h.start(t, checkout.ID)
		at = attempts(checkout.ID) + "/" + started["attempt"].(string)
		h.Provider.Fault(t, portstest.FaultTimeoutAfterCommit)
		source := `{"source":"` + portstest.FakeSource(portstest.CardSucceeds) + `"}`
		status, outcome = h.post(t, at+"/confirm", source)
		require.Equal(t, http.StatusAccepted, status, name)
		require.Equal(t, "processing", outcome["status"])
		status, outcome = h.post(t, at+"/sync", "{}")
		require.Equal(t, http.StatusOK, status, name)
		require.Equal(t, "complete", outcome["checkout"])
		require.NotEmpty(t, outcome["object"])
	}
	require.NotContains(t, h.log.String(), "token:")
}

func TestAgreementsAtTheProvider(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmAfterApproval)
	setup := h.OpenSetup(h.Customer().ID)
	started, action := h.start(t, setup.ID)
	require.Equal(t, ports.ActionPayPalSave, action["type"])
	require.True(t, h.Provider.Save(action["object"].(string), portstest.CardSucceeds))
	_, outcome := h.post(t, attempts(setup.ID)+"/"+started["attempt"].(string)+"/sync", "{}")
	require.Equal(t, "active", outcome["status"], "our server has it saved")

	plan := h.Plan(1000, 0)
	checkout := h.OpenPlan(plan.ID, 1)
	_, action = h.start(t, checkout.ID)
	require.Equal(t, ports.ActionPayPalSubscribe, action["type"])
	require.True(t, h.Provider.Subscribe(action["object"].(string), portstest.CardSucceeds))
	require.Equal(t, http.StatusSeeOther, h.get(t, page(checkout)+"/return?subscription_id=I-1").Code)
	require.Equal(t, core.CheckoutComplete, h.Checkout(checkout.ID).Status)

	redirect, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "tea", Currency: "EUR", Mode: core.ModeSubscription, Flow: core.FlowRedirect, SuccessURL: "https://shop.example/done",
		Email: "ada@example.test", Items: []payments.OpenItem{{Price: string(plan.ID), Quantity: 1}},
	})
	require.NoError(t, err)
	require.Contains(t, h.get(t, page(redirect)).Body.String(), `data-label="Continue"`)
	_, action = h.start(t, redirect.ID)
	require.Equal(t, ports.ActionRedirect, action["type"])
	require.NotEmpty(t, action["url"])
}

func TestAnswersForLaterThatNeverCame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	checkout := h.OpenPlan(first.Price, 1)
	_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
	require.NoError(t, err)
	h.Provider.Fault(t, portstest.FaultTimeoutAfterCommit)
	status, lost := h.post(t, attempts(checkout.ID), atStripe)
	require.Equal(t, http.StatusAccepted, status)
	require.Nil(t, lost["action"])
	require.Equal(t, "processing", lost["status"])
	again, _ := h.start(t, checkout.ID)
	require.Equal(t, lost["attempt"], again["attempt"])
}

func TestAttemptsOfAnotherMode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout, other := h.OpenSetup(h.Customer().ID), h.OpenPlan(h.Plan(1000, 0).ID, 1)
	started, _ := h.start(t, checkout.ID)
	for _, id := range []string{started["attempt"].(string), "pm_none", "sub_00000000000000000000000000", "pay_00000000000000000000000000", "chk_00000000000000000000000000"} {
		status, answer := h.post(t, attempts(other.ID)+"/"+id+"/sync", "{}")
		require.Equal(t, http.StatusNotFound, status, id)
		require.Equal(t, "not_found", answer["code"])
	}
	h.Clock.Advance(25 * time.Hour)
	require.Contains(t, h.get(t, page(other)).Body.String(), "The time to subscribe here is over")
}
