package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// period is longer than any month.
const period = 31 * 24 * time.Hour

// plan is the body of a checkout at which a customer subscribes to a price.
func plan(customer, price string) string {
	return fmt.Sprintf(`{"mode":"subscription","reference":"tea","currency":"EUR","line_items":[{"price":%q,"quantity":1}],`+
		`"customer":{"id":%q},"success_url":"https://shop.example/done","metadata":{"plan":"tea"}}`, price, customer)
}

// subscribe is the buyer at such a checkout, with a card, at the first account.
func (h *house) subscribe(t *testing.T, checkout string, card portstest.Card) string {
	t.Helper()
	attempt, err := h.Subscriptions.Start(t.Context(), core.CheckoutID(checkout), coretest.Account)
	require.NoError(t, err)
	id := attempt.Subscription.ID
	if attempt.Action.Type == ports.ActionTokenize {
		_, _, err = h.Subscriptions.Confirm(t.Context(), core.CheckoutID(checkout), id, portstest.FakeSource(card))
	} else {
		require.True(t, h.Provider.Subscribe(attempt.Subscription.ProviderSubscriptionID, card))
		_, _, err = h.Subscriptions.Look(t.Context(), core.CheckoutID(checkout), id)
	}
	require.NoError(t, err)
	return string(id)
}

// subscribed is a running subscription to ten euros a month, and its path.
func (h *house) subscribed(t *testing.T) (core.Subscription, string) {
	t.Helper()
	s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	return s, "/v1/subscriptions/" + string(s.ID)
}

// passes is time that goes by, with all that it brings.
func (h *house) passes(t *testing.T, by time.Duration) {
	t.Helper()
	h.Clock.Advance(by)
	require.NoError(t, h.Subscriptions.Watch(t.Context(), ports.Job{Kind: ports.JobWatchSubscriptions}))
	h.Sweep()
	h.RunDue()
}

type subscriptionAnswer struct {
	ID, Status        string
	Checkout          *string
	Price             *string
	Quantity, Amount  int64
	CancelAtPeriodEnd bool       `json:"cancel_at_period_end"`
	CanceledAt        *time.Time `json:"canceled_at"`
	EndedAt           *time.Time `json:"ended_at"`
	PeriodEnd         *time.Time `json:"current_period_end"`
	Pending           *struct {
		Price    *string
		Quantity *int64
	} `json:"pending_change"`
	Failure   *struct{ Code string }
	Method    *struct{ Last4 string } `json:"payment_method"`
	ActionURL *string                 `json:"action_url"`
	Metadata  map[string]string
}

func (h *house) subscriptionShown(t *testing.T, path string) subscriptionAnswer {
	t.Helper()
	return read[subscriptionAnswer](t, h.get(t, path), http.StatusOK)
}

// verb does something to a subscription, twice under one key, and gives what became of it.
func (h *house) verb(t *testing.T, path, key, body string, status int) subscriptionAnswer {
	t.Helper()
	first := h.post(t, path, key, body)
	h.again(t, path, key, body, first)
	return read[subscriptionAnswer](t, first, status)
}

func TestTheLifeOfASubscription(t *testing.T) {
	t.Parallel()
	for name, mode := range confirmModes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.Confirming(mode)
			customer := h.made(t, "/v1/customers", "k-1", `{"email":"ada@example.test"}`)
			price := h.made(t, "/v1/prices", "k-2", `{"name":"Tea club","amount":1000,"currency":"EUR","recurring":{"interval":"month"}}`)
			checkout := h.made(t, "/v1/checkouts", "k-3", plan(customer, price))
			id := h.subscribe(t, checkout, portstest.CardSucceeds)
			path := "/v1/subscriptions/" + id
			closed := read[map[string]any](t, h.get(t, "/v1/checkouts/"+checkout), http.StatusOK)
			require.Equal(t, "complete", closed["status"])
			require.Equal(t, id, closed["subscription"])
			begun := h.subscriptionShown(t, path)
			require.Equal(t, "active", begun.Status)
			require.EqualValues(t, 1000, begun.Amount)
			require.Equal(t, price, *begun.Price)
			require.Equal(t, checkout, *begun.Checkout)
			require.Equal(t, "4242", begun.Method.Last4)
			require.Equal(t, map[string]string{"plan": "tea"}, begun.Metadata)
			require.Nil(t, begun.EndedAt)

			h.passes(t, period)
			invoices := h.listed(t, path+"/invoices", 1)
			require.Len(t, invoices, 2)
			newest := read[struct {
				Data []struct {
					Payment, Status string
					Paid            int64 `json:"amount_paid"`
				}
			}](t, h.get(t, path+"/invoices?limit=1"), http.StatusOK).Data[0]
			require.Equal(t, "paid", newest.Status)
			require.EqualValues(t, 1000, newest.Paid)
			paid := read[struct{ Subscription, Status string }](t, h.get(t, "/v1/payments/"+newest.Payment), http.StatusOK)
			require.Equal(t, id, paid.Subscription)
			require.Equal(t, "succeeded", paid.Status)
			require.Len(t, h.listed(t, "/v1/payments?customer="+customer, 1), 2)

			ends := h.verb(t, path+"/cancel", "k-4", `{"at_period_end":true}`, http.StatusOK)
			require.True(t, ends.CancelAtPeriodEnd)
			require.NotNil(t, ends.CanceledAt)
			require.Equal(t, "active", ends.Status)
			require.True(t, h.verb(t, path+"/cancel", "k-5", `{"at_period_end":true}`, http.StatusOK).CancelAtPeriodEnd, "twice is as once")
			kept := h.verb(t, path+"/resume", "k-6", `{}`, http.StatusOK)
			require.False(t, kept.CancelAtPeriodEnd)
			require.Nil(t, kept.CanceledAt)
			h.verb(t, path+"/cancel", "k-7", `{"at_period_end":true}`, http.StatusOK)
			h.passes(t, ends.PeriodEnd.Sub(h.Clock.Now())-time.Minute)
			h.passes(t, time.Hour)
			ended := h.subscriptionShown(t, path)
			require.Equal(t, "canceled", ended.Status)
			require.NotNil(t, ended.EndedAt)
			require.Len(t, h.listed(t, path+"/invoices", 20), 2)
			for n, verb := range []string{"/cancel", "/pause", "/resume", "/method_link"} {
				refused(t, h.post(t, path+verb, fmt.Sprint("late-", n), ""), http.StatusConflict, "subscription_ended")
			}
			refused(t, h.post(t, path+"/change", "late", `{"quantity":2}`), http.StatusConflict, "subscription_ended")
			refused(t, h.post(t, path+"/change/preview", "", `{"quantity":2}`), http.StatusConflict, "subscription_ended")
			h.RunAll()
			require.Empty(t, h.Store.GivenUp())
			require.Empty(t, h.log.lines(`"level":"ERROR"`))
			require.Empty(t, h.log.lines("ada@example.test"))
		})
	}
}

func TestAPauseAndAnEndAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, path := h.subscribed(t)
	require.Equal(t, "paused", h.verb(t, path+"/pause", "k-1", "", http.StatusOK).Status)
	require.Equal(t, "paused", read[subscriptionAnswer](t, h.post(t, path+"/pause", "", "{}"), http.StatusOK).Status, "also without a key")
	h.passes(t, 2*period)
	require.Len(t, h.listed(t, path+"/invoices", 20), 1, "nothing is asked for")
	require.Equal(t, "active", h.verb(t, path+"/resume", "k-2", "", http.StatusOK).Status)
	require.Len(t, h.listed(t, path+"/invoices", 20), 2)
	refused(t, h.post(t, path+"/resume", "", ""), http.StatusConflict, "invalid_subscription_state")
	require.Equal(t, "canceled", h.verb(t, path+"/cancel", "k-3", `{"at_period_end":false}`, http.StatusOK).Status)
	refused(t, h.post(t, path+"/cancel", "", ""), http.StatusConflict, "subscription_ended")
	require.Equal(t, 1, h.Provider.CallsOf("CancelSubscription"))
}

func TestAChangeOfASubscription(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s, path := h.subscribed(t)
	dear := h.made(t, "/v1/prices", "k-1", `{"name":"Tea club, large","amount":2500,"currency":"EUR","recurring":{"interval":"month"}}`)
	h.passes(t, s.CurrentPeriodEnd.Sub(s.CurrentPeriodStart)/2)
	for _, want := range []struct {
		body   string
		dueNow int64
	}{{`{"price":"` + dear + `","quantity":2,"proration":"create"}`, 2000}, {`{"price":"` + dear + `","quantity":2,"proration":"none"}`, 0}, {`{"price":"` + dear + `","quantity":2}`, 0}} {
		preview := read[struct {
			DueNow      int64      `json:"due_now"`
			NextAmount  int64      `json:"next_amount"`
			NextAt      *time.Time `json:"next_at"`
			BuyerAgrees bool       `json:"buyer_agrees"`
			Currency    string
		}](t, h.post(t, path+"/change/preview", "", want.body), http.StatusOK)
		require.Equal(t, want.dueNow, preview.DueNow, want.body)
		require.EqualValues(t, 5000, preview.NextAmount)
		require.Equal(t, "EUR", preview.Currency)
		require.True(t, s.CurrentPeriodEnd.Equal(*preview.NextAt))
		require.False(t, preview.BuyerAgrees)
	}
	require.EqualValues(t, 1000, h.subscriptionShown(t, path).Amount, "a preview changes nothing")

	changed := h.verb(t, path+"/change", "k-2", `{"price":"`+dear+`","quantity":2,"proration":"create"}`, http.StatusOK)
	require.Equal(t, dear, *changed.Price)
	require.EqualValues(t, 2, changed.Quantity)
	require.EqualValues(t, 5000, changed.Amount)
	require.Nil(t, changed.ActionURL)
	require.Len(t, h.listed(t, path+"/invoices", 20), 2, "the rest of the period is billed")
	require.Equal(t, 1, h.Provider.CallsOf("ChangeSubscription"))
	for n, body := range []string{`{}`, `{"quantity":2}`, `{"price":"` + dear + `"}`, `{"price":"` + dear + `","quantity":2}`} {
		refused(t, h.post(t, path+"/change", fmt.Sprint("same-", n), body), http.StatusUnprocessableEntity, "nothing_to_change")
	}
	foreign := h.made(t, "/v1/prices", "k-3", `{"name":"Tea club","amount":1000,"currency":"USD","recurring":{"interval":"month"}}`)
	for _, call := range []string{"/change", "/change/preview"} {
		refused(t, h.post(t, path+call, "k-4"+strings.ReplaceAll(call, "/", "-"), `{"price":"`+foreign+`"}`), http.StatusUnprocessableEntity, "currency_mismatch")
	}
}

// Where the buyer has to agree, nothing changes before they have.
func TestAChangeThatTheBuyerAgreesTo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	s, path := h.subscribed(t)
	asked := h.verb(t, path+"/change", "k", `{"quantity":3}`, http.StatusAccepted)
	require.NotEmpty(t, *asked.ActionURL)
	require.EqualValues(t, 1, asked.Quantity)
	require.EqualValues(t, 1, h.subscriptionShown(t, path).Quantity)
	require.True(t, h.Provider.Subscribe(s.ProviderSubscriptionID, portstest.CardSucceeds))
	h.Told("evt_1", core.ObjectSubscription, s.ProviderSubscriptionID)
	require.EqualValues(t, 3, h.subscriptionShown(t, path).Quantity)
}

func TestAChangeAtThePeriodsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	_, path := h.subscribed(t)
	dear := h.made(t, "/v1/prices", "k-1", `{"name":"Tea club, large","amount":2500,"currency":"EUR","recurring":{"interval":"month"}}`)
	planned := h.verb(t, path+"/change", "k-2", `{"price":"`+dear+`"}`, http.StatusOK)
	require.EqualValues(t, 1000, planned.Amount)
	require.Equal(t, dear, *planned.Pending.Price)
	h.passes(t, period)
	changed := h.subscriptionShown(t, path)
	require.EqualValues(t, 2500, changed.Amount)
	require.Nil(t, changed.Pending)
}

func TestALinkToChangeTheMethod(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s, path := h.subscribed(t)
	type link struct {
		URL      string
		Checkout *string
	}
	first := h.post(t, path+"/method_link", "k-1", "")
	h.again(t, path+"/method_link", "k-1", "", first)
	ours := read[link](t, first, http.StatusOK)
	require.Equal(t, read[struct{ URL string }](t, h.get(t, "/v1/checkouts/"+*ours.Checkout), http.StatusOK).URL, ours.URL)
	other := read[link](t, h.post(t, path+"/method_link", "k-2", "{}"), http.StatusOK)
	require.NotEqual(t, ours, other)
	refused(t, h.post(t, path+"/method_link", "", ""), http.StatusBadRequest, "idempotency_key_required")

	// It mends one whose payment failed.
	h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Card: portstest.CardDeclined})
	h.passes(t, period)
	late := h.subscriptionShown(t, path)
	require.Equal(t, "past_due", late.Status)
	require.Equal(t, "card_declined", late.Failure.Code)
	last := read[link](t, h.post(t, path+"/method_link", "k-3", ""), http.StatusOK)
	h.leave(t, *last.Checkout, portstest.CardSucceeds)
	h.RunAll()
	mended := h.subscriptionShown(t, path)
	require.Equal(t, "active", mended.Status)
	require.Nil(t, mended.Failure)

	h = newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	_, path = h.subscribed(t)
	theirs := read[link](t, h.post(t, path+"/method_link", "k", ""), http.StatusOK)
	require.Contains(t, theirs.URL, "https://provider.example/")
	require.Nil(t, theirs.Checkout)
}

func TestSubscriptionsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	price := h.Plan(1000, 0).ID
	customer := h.made(t, "/v1/customers", "k", `{"name":"Ada"}`)
	var want []string
	for n := range 3 {
		h.Clock.Advance(time.Duration(n%2) * time.Second)
		checkout := h.made(t, "/v1/checkouts", fmt.Sprint("k-", n), strings.Replace(plan(customer, string(price)), `"tea"`, fmt.Sprintf(`"tea-%d"`, n), 1))
		want = append(want, h.subscribe(t, checkout, portstest.CardSucceeds))
	}
	stranger := string(h.Subscribed(price, 1, portstest.CardSucceeds).ID)
	require.Equal(t, http.StatusOK, h.post(t, "/v1/subscriptions/"+want[0]+"/pause", "", "").Code)
	slices.Reverse(want)
	all := append([]string{stranger}, want...)
	for limit := 1; limit <= len(all)+1; limit++ {
		require.Equal(t, all, h.listed(t, "/v1/subscriptions", limit), limit)
		require.Equal(t, want, h.listed(t, "/v1/subscriptions?customer="+customer, limit), limit)
	}
	require.Equal(t, all[:3], h.listed(t, "/v1/subscriptions?status=active", 2))
	require.Equal(t, want[2:], h.listed(t, "/v1/subscriptions?status=paused,canceled&customer="+customer, 2))
	require.Empty(t, h.listed(t, "/v1/subscriptions?status=unpaid", 2))

	h.passes(t, 4*period)
	path := "/v1/subscriptions/" + stranger + "/invoices"
	invoices := h.listed(t, path, 100)
	require.Len(t, invoices, 5)
	for limit := 1; limit <= 5; limit++ {
		require.Equal(t, invoices, h.listed(t, path, limit))
	}
	cursor := read[listOnly](t, h.get(t, path+"?limit=1"), http.StatusOK).Next
	refused(t, h.get(t, "/v1/subscriptions?cursor="+cursor), http.StatusUnprocessableEntity, "invalid_request")
}

func TestWhatASubscriptionsProviderCannotDo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	_, path := h.subscribed(t)
	for n, call := range []struct{ path, body string }{
		{"/cancel", `{"at_period_end":false}`},
		{"/change", `{"quantity":2}`},
		{"/change/preview", `{"quantity":2}`},
		{"/method_link", ``},
	} {
		refused(t, h.post(t, path+call.path, fmt.Sprint("k-", n), call.body), http.StatusConflict, "unsupported")
	}
	yearly := h.made(t, "/v1/prices", "k", `{"name":"Tea club","amount":9000,"currency":"EUR","recurring":{"interval":"year"}}`)
	refused(t, h.post(t, path+"/change", "prorate", `{"price":"`+yearly+`","proration":"create"}`), http.StatusConflict, "unsupported")
	dozen := h.made(t, "/v1/prices", "k-dozen", `{"name":"Tea club","amount":9000,"currency":"EUR","recurring":{"interval":"week","interval_count":53}}`)
	refused(t, h.post(t, path+"/change", "odd", `{"price":"`+dozen+`"}`), http.StatusConflict, "unsupported")
	delete(h.Accounts, coretest.Account)
	refused(t, h.post(t, path+"/pause", "gone", ""), http.StatusConflict, "account_not_configured")
	require.Equal(t, "active", h.subscriptionShown(t, path).Status)
}

func TestWhatASubscriptionsProviderSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, path := h.subscribed(t)
	// No answer: it is as it was, nothing else is begun meanwhile, and it settles by itself.
	h.Provider.FailNext(portstest.NoAnswer())
	require.Equal(t, "active", h.verb(t, path+"/pause", "lost", "", http.StatusAccepted).Status)
	h.Provider.FailNext(portstest.NoAnswer())
	answer := h.post(t, path+"/cancel", "other", "")
	require.Equal(t, "1", answer.Header().Get("Retry-After"))
	refused(t, answer, http.StatusConflict, "operation_open")
	h.RunAll()
	require.Equal(t, "paused", h.subscriptionShown(t, path).Status)

	// Not reached: the same key goes again.
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Op: "resume", RetryAfter: 3 * time.Second})
	answer = h.post(t, path+"/resume", "away", "")
	require.Equal(t, "3", answer.Header().Get("Retry-After"))
	refused(t, answer, http.StatusServiceUnavailable, "provider_unavailable")
	require.Equal(t, "active", h.verb(t, path+"/resume", "away", "", http.StatusOK).Status)

	// A no, for good.
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "frozen", Op: "pause"})
	first := h.post(t, path+"/pause", "no", "")
	h.again(t, path+"/pause", "no", "", first)
	p := refused(t, first, http.StatusPaymentRequired, "payment_refused")
	require.Equal(t, "frozen", *p.Failure.ProviderCode)
	// The key of the call that had to wait was not used up.
	require.Equal(t, "canceled", h.verb(t, path+"/cancel", "other", "", http.StatusOK).Status)
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
}
