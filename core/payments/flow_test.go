package payments_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

// eachHouse runs a race on both databases.
func eachHouse(t *testing.T, test func(t *testing.T, h *coretest.House)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) { test(t, coretest.New(t, open(t))) })
}

func TestAPaymentFromCheckoutToNotification(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.Notify.Add(t.Context(), "https://shop.example/hooks", nil)
	require.NoError(t, err)
	checkout := h.Open(core.CaptureAutomatic)
	require.Equal(t, core.CheckoutOpen, checkout.Status)
	require.Equal(t, coretest.Price, checkout.Amount.Minor())

	p := h.Start(checkout.ID)
	require.Equal(t, core.PaymentRequiresAction, p.Status)
	require.Equal(t, p.ID, h.Checkout(checkout.ID).LeasedPayment())
	h.Pay(p.ID, portstest.CardSucceeds)
	require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status, "nobody has looked yet")
	h.Webhook("evt_1", p.ProviderPaymentID)
	h.RunDue()

	p = h.Payment(p.ID)
	require.Equal(t, core.PaymentSucceeded, p.Status)
	require.Equal(t, p.Amount, p.AmountCaptured)
	require.Equal(t, "4242", p.Method.Last4)
	checkout = h.Checkout(checkout.ID)
	require.Equal(t, core.CheckoutComplete, checkout.Status)
	require.Equal(t, p.ID, checkout.Payment)
	require.Equal(t, []core.EventType{core.EventPaymentRequiresAction, core.EventPaymentSucceeded}, h.Types(string(p.ID)))
	require.Equal(t, []core.EventType{core.EventCheckoutCompleted}, h.Types(string(checkout.ID)))
	require.Len(t, h.Notifier.Sent(), 3, "one for each event")

	timeline := h.Timeline(p.ID)
	require.Equal(t, core.TimelineCreated, timeline[0].Kind)
	last := timeline[len(timeline)-1]
	require.Equal(t, core.CauseWebhook, last.Cause.Kind)
	require.NotEmpty(t, last.Cause.Inbound)
	require.Equal(t, string(core.PaymentRequiresAction), last.From)
	require.Equal(t, string(core.PaymentSucceeded), last.To)
	require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCreatePayment).Status)
	h.RunAll()
	require.Empty(t, h.Store.GivenUp())
	require.Equal(t, 1, h.Provider.Effects(t))
}

func TestEventsShowTheStateThatWasCommitted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	h.Clock.Advance(time.Second)
	p = h.Look(p)
	events := h.Events(string(p.ID))
	require.JSONEq(t, string(view.JSON(view.OfPayment(p))), string(events[len(events)-1].Data))
	require.Equal(t, h.Clock.Now(), events[len(events)-1].OccurredAt)
	checkout := h.Checkout(p.Checkout)
	told := h.Events(string(checkout.ID))
	require.JSONEq(t, string(view.JSON(view.OfCheckout(checkout, coretest.URL.CheckoutPage(checkout.ID), h.Clock.Now()))), string(told[0].Data))
}

func TestRepeatedLateAndForgedMessagesChangeNothingTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Webhook("evt_created", p.ProviderPaymentID)
	h.Pay(p.ID, portstest.CardSucceeds)
	for range 3 {
		h.Webhook("evt_paid", p.ProviderPaymentID)
	}
	require.Len(t, h.Store.Jobs(ports.JobSyncInbound), 2, "each message is stored once")
	h.RunDue()
	settled, events := h.Payment(p.ID), h.Types(string(p.ID))
	require.Equal(t, core.PaymentSucceeded, settled.Status)

	h.Webhook("evt_late", p.ProviderPaymentID)
	h.Webhook("evt_paid", p.ProviderPaymentID)
	h.Webhook("evt_forged_unknown", "pi_nobody")
	h.Provider.Add(core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_other_shop"}, Status: core.PaymentSucceeded,
		Amount: settled.Amount, Authorized: settled.Amount, Captured: settled.Amount, Refunded: core.Zero("EUR"), Environment: core.EnvTest,
	})
	h.Webhook("evt_of_another_shop", "pi_other_shop")
	h.RunDue()
	require.Equal(t, settled, h.Payment(p.ID))
	require.Equal(t, events, h.Types(string(p.ID)))
	page, err := h.Store.InboundEvents(t.Context(), ports.InboundFilter{}, core.PageRequest{Limit: 10})
	require.NoError(t, err)
	statuses := map[string]core.InboundStatus{}
	for _, event := range page.Items {
		statuses[event.ProviderEventID] = event.Status
	}
	require.Equal(t, map[string]core.InboundStatus{
		"evt_created": core.InboundProcessed, "evt_paid": core.InboundProcessed, "evt_late": core.InboundProcessed,
		"evt_forged_unknown": core.InboundIgnored, "evt_of_another_shop": core.InboundIgnored,
	}, statuses)
	last := h.Timeline(p.ID)[len(h.Timeline(p.ID))-1]
	require.Equal(t, core.ReasonSeenBefore, last.Reason, "the history says why nothing changed")
}

func TestADeclineLeavesRoomForAnotherAttempt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	first := h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardInsufficientFunds)
	first = h.Look(first)
	require.Equal(t, core.PaymentFailed, first.Status)
	require.Equal(t, core.FailureInsufficientFunds, first.Failure.Code)
	require.Empty(t, h.Checkout(checkout.ID).LeasedPayment())

	second := h.Start(checkout.ID)
	require.NotEqual(t, first.ID, second.ID)
	h.RunDue() // closes what was given up
	seen, _ := h.Provider.Object(first.ID)
	require.Equal(t, core.PaymentCanceled, seen.Status, "nobody can pay the first any more")
	require.Equal(t, core.PaymentFailed, h.Payment(first.ID).Status)
	require.Equal(t, core.OperationSucceeded, h.Operation(first.ID, core.OpCancelPayment).Status)
	h.Pay(second.ID, portstest.CardSucceeds)
	require.Equal(t, core.PaymentSucceeded, h.Look(second).Status)
	require.Equal(t, second.ID, h.Checkout(checkout.ID).Payment)

	_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrCheckoutComplete)
}

func TestMoneySeenOnAFailedAttemptCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(first.ID, portstest.CardDeclined)
	first = h.Look(first)
	h.Pay(first.ID, portstest.CardSucceeds) // in the gap before it is closed
	h.RunDue()
	first = h.Payment(first.ID)
	require.Equal(t, core.PaymentSucceeded, first.Status, "the refusal to close it showed the money")
	require.Nil(t, first.Failure)
	require.Equal(t, core.CheckoutComplete, h.Checkout(first.Checkout).Status)
}

func TestStartGoesOnWithTheAttemptThatIsOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	first := h.Start(checkout.ID)
	require.Equal(t, first.ID, h.Start(checkout.ID).ID)

	h.Pay(first.ID, portstest.Card3DS)
	require.Equal(t, first.ID, h.Start(checkout.ID).ID, "the bank's question is open")

	// Another way to pay: the open attempt is closed first.
	attempt, err := h.Payments.Start(t.Context(), checkout.ID, coretest.OtherAccount)
	require.NoError(t, err)
	require.NotEqual(t, first.ID, attempt.Payment.ID)
	require.Equal(t, core.PaymentCanceled, h.Payment(first.ID).Status)
	require.Equal(t, attempt.Payment.ID, h.Checkout(checkout.ID).LeasedPayment())

	_, err = h.Payments.Start(t.Context(), checkout.ID, "nobody")
	require.ErrorIs(t, err, core.ErrAccountNotOffered)
	_, err = h.Payments.Start(t.Context(), "chk_missing", coretest.Account)
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func TestAProviderThatRefusesToCreate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "amount_too_small", Op: "fake create"})
	attempt, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	var refused *core.RefusedError
	require.ErrorAs(t, err, &refused)
	p := h.Payment(attempt.Payment.ID)
	require.Equal(t, core.PaymentFailed, p.Status)
	require.Equal(t, core.FailureInvalidRequest, p.Failure.Code)
	require.Equal(t, []core.EventType{core.EventPaymentFailed}, h.Types(string(p.ID)))
	require.Empty(t, h.Checkout(checkout.ID).LeasedPayment())
	h.RunAll()
	require.Empty(t, h.Store.GivenUp())
	require.NotEqual(t, p.ID, h.Start(checkout.ID).ID)
}

func TestAccountsServeWhatTheyCan(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	names := func(c core.Checkout) []core.AccountName {
		var all []core.AccountName
		offered, err := h.Payments.Accounts(t.Context(), c, "", func(core.AccountName) bool { return true })
		require.NoError(t, err)
		for _, provider := range offered {
			all = append(all, provider.Account())
		}
		return all
	}
	held := h.Open(core.CaptureManual)
	require.ElementsMatch(t, []core.AccountName{coretest.Account, coretest.OtherAccount}, names(held))
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.ManualCapture = false })
	require.Equal(t, []core.AccountName{coretest.OtherAccount}, names(held))
	_, err := h.Payments.Start(t.Context(), held.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrAccountNotOffered)
	h.Other.SetCapabilities(func(can *ports.Capabilities) { delete(can.Currencies, "EUR") })
	require.Empty(t, names(held))
	require.Equal(t, []core.AccountName{coretest.Account}, names(h.Open(core.CaptureAutomatic)))

	elsewhere := held
	elsewhere.Providers = []core.ProviderName{core.ProviderSquare}
	require.Empty(t, names(elsewhere))
	in := payments.OpenCheckout{
		Reference: "r", Currency: "EUR", Capture: core.CaptureManual, SuccessURL: "https://shop.example",
		Items: []payments.OpenItem{{Name: "n", Amount: 1, Quantity: 1}},
	}
	_, err = h.Payments.OpenCheckout(t.Context(), in)
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid, "nobody could ever take it")

	read, err := h.Payments.Checkout(t.Context(), held.ID)
	require.NoError(t, err)
	require.Equal(t, held, read)
	require.Equal(t, "https://pay.example.test/pay/"+string(held.ID), h.Payments.CheckoutURL(held.ID))
}

// A live shop sends its buyers to known places by https alone.
func TestURLsOfALiveShop(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	live := payments.New(h.Store, ports.Providers{coretest.Account: h.Provider}, h.Observe, h.Clock, h.IDs, h.Record, payments.Settings{
		Environment: core.EnvLive, URL: coretest.URL, ReturnOrigins: []string{"https://shop.example"},
	})
	for _, address := range []string{"", "http://shop.example", "https://shop.example.evil.example", "https://shop.example:8443", "https://u@shop.example", "https://shop.example/\n"} {
		_, err := live.OpenCheckout(t.Context(), payments.OpenCheckout{
			Reference: "r", Currency: "EUR", SuccessURL: address, Items: []payments.OpenItem{{Name: "n", Amount: 1, Quantity: 1}},
		})
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, "%q", address)
		require.Equal(t, "success_url", invalid.Fields[0].Field)
	}
}

const starters = 100

func TestOneAttemptHoldsTheLeaseHoweverManyStart(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		checkout := h.Open(core.CaptureAutomatic)
		var all sync.WaitGroup
		attempts := make([]payments.Attempt, starters)
		failed := make([]error, starters)
		for n := range starters {
			all.Go(func() { attempts[n], failed[n] = h.Payments.Start(t.Context(), checkout.ID, coretest.Account) })
		}
		all.Wait()
		lease := h.Checkout(checkout.ID).LeasedPayment()
		for n := range starters {
			if errors.Is(failed[n], core.ErrPaymentInProgress) {
				continue
			}
			require.NoError(t, failed[n])
			require.Equal(t, lease, attempts[n].Payment.ID)
			require.NotEmpty(t, attempts[n].Action.ClientSecret)
		}
		page, err := h.Payments.Payments(t.Context(), ports.PaymentFilter{Checkout: checkout.ID}, core.PageRequest{Limit: 10})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, core.PaymentRequiresAction, page.Items[0].Status)
		require.Equal(t, 1, h.Provider.Effects(t))
		require.Equal(t, []core.EventType{core.EventPaymentRequiresAction}, h.Types(string(lease)))
	})
}

func TestWhoeverIsSlowerGoesOnWithTheFastersAttempt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	var faster payments.Attempt
	h.Store.BeforeNextTx(func(ctx context.Context) {
		var err error
		faster, err = h.Payments.Start(ctx, checkout.ID, coretest.Account)
		require.NoError(t, err)
	})
	slower, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	require.Equal(t, faster, slower)
}

// Between two looks of one caller, another call settles the operation as refused. It
// must not be sent again then: it could have an effect that nobody here expects.
func TestARefusedCreationIsNotSentAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	h.Provider.FailNext(portstest.NoAnswer())
	_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	require.Error(t, err)
	lease := h.Checkout(checkout.ID).LeasedPayment()
	op := h.Operation(lease, core.OpCreatePayment)
	require.Equal(t, core.OperationUnknown, op.Status)

	payment := h.Payment(lease)
	h.Store.BeforeNextTx(func(ctx context.Context) {
		refusal := &core.ProviderError{Class: core.ClassInvalid, Op: "fake create"}
		_, err := h.Observe.Settle(ctx, op, ports.CallResult{Payment: payment, Err: refusal}, core.Cause{Kind: core.CauseRepair})
		require.NoError(t, err)
	})
	attempt, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	require.NotEqual(t, lease, attempt.Payment.ID, "a new attempt")
	require.Zero(t, h.Provider.EffectsOf(op.Key()))
	_, there := h.Provider.Object(lease)
	require.False(t, there)
}

func TestOpenCheckoutOncePerRequest(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		in := payments.OpenCheckout{
			RequestKey: core.NewRequestKey("key_1", "abc"), Reference: "order", Currency: "EUR", SuccessURL: "https://shop.example/done",
			Items: []payments.OpenItem{{Name: "a shirt", Amount: 1000, Quantity: 2}},
		}
		var all sync.WaitGroup
		made := make([]core.Checkout, 16)
		failed := make([]error, len(made))
		for n := range made {
			all.Go(func() { made[n], failed[n] = h.Payments.OpenCheckout(t.Context(), in) })
		}
		all.Wait()
		for n := range made {
			require.NoError(t, failed[n])
			require.Equal(t, made[0], made[n])
		}
	})
}

func TestWhatIsWrongWithARequestIsNamedByField(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "a\x00b", Currency: "EUR", Mode: "gift", Capture: "later", Flow: "fax", SuccessURL: "javascript:alert(1)", CancelURL: "//x",
		Providers: []core.ProviderName{"nobody", core.ProviderStripe, core.ProviderStripe}, CustomerID: "cus_1", Email: "no address",
		Items:    []payments.OpenItem{{Name: "", Amount: -1, Quantity: 0}, {Price: "price_1"}},
		Metadata: map[string]string{"": "x"}, ExpiresIn: time.Second,
	})
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid)
	fields := map[string]bool{}
	for _, field := range invalid.Fields {
		fields[field.Field] = true
	}
	for _, want := range []string{
		"expires_in", "reference", "mode", "capture", "flow", "providers[0]", "providers[2]", "line_items[0].name", "line_items[0].quantity",
		"line_items[0].amount", "line_items[1].price", "customer.id", "customer.email", "success_url", "cancel_url", "metadata",
	} {
		require.True(t, fields[want], "%s in %v", want, invalid.Fields)
	}
	_, err = h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "r", Currency: "eur", SuccessURL: "https://shop.example", Items: []payments.OpenItem{{Name: "n", Amount: 1, Quantity: 1}},
	})
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "currency", invalid.Fields[0].Field)
	_, err = h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "r", Currency: "EUR", SuccessURL: "https://shop.example", Items: []payments.OpenItem{{Name: "n", Amount: core.MinorMax, Quantity: 2}},
	})
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "line_items", invalid.Fields[0].Field)
}

func TestLookIsForTheCheckoutsOwnPayments(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	_, _, err := h.Payments.Look(t.Context(), h.Open(core.CaptureAutomatic).ID, p.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, _, err = h.Payments.Look(t.Context(), p.Checkout, "pay_missing")
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func TestEventsAreJSON(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	for _, event := range h.Events(string(p.ID)) {
		require.True(t, json.Valid(event.Data))
	}
}

func TestAnAccountThatIsDownIsNotOffered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	down := map[core.AccountName]bool{}
	second := portstest.NewFakeProvider("stripe_two", core.EnvTest)
	h.Accounts["stripe_two"] = second
	service := payments.New(h.Store, h.Accounts, h.Observe, h.Clock, h.IDs, h.Record, payments.Settings{
		Environment: core.EnvTest, URL: coretest.URL,
		Down:  func(account core.AccountName) bool { return down[account] },
		Rules: map[core.AccountName]core.AccountRules{"stripe_two": {Priority: 1}, coretest.OtherAccount: {Countries: []string{"US"}}},
	})
	offered := func(leased core.AccountName, shown ...core.AccountName) []core.AccountName {
		names := []core.AccountName{}
		checkout := h.Open(core.CaptureAutomatic)
		able, err := service.Accounts(t.Context(), checkout, leased, func(one core.AccountName) bool { return len(shown) == 0 || slices.Contains(shown, one) })
		require.NoError(t, err)
		for _, provider := range able {
			names = append(names, provider.Account())
		}
		return names
	}
	require.Equal(t, []core.AccountName{coretest.Account}, offered(""), "the rules leave one out, and one of each provider is enough")
	require.Equal(t, []core.AccountName{"stripe_two"}, offered("", "stripe_two"), "the other one cannot be shown")
	down[coretest.Account] = true
	require.Equal(t, []core.AccountName{"stripe_two"}, offered(""))
	require.Equal(t, []core.AccountName{coretest.Account}, offered(coretest.Account), "an open attempt can be gone on with")
	down["stripe_two"] = true
	require.Empty(t, offered(""))
	_, err := service.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "order", Currency: "EUR", SuccessURL: "https://shop.example/done", Items: []payments.OpenItem{{Name: "a shirt", Amount: 1, Quantity: 1}},
	})
	require.NoError(t, err, "an account that is down now may be back when the buyer pays")
	_, err = service.Start(t.Context(), h.Open(core.CaptureAutomatic).ID, coretest.OtherAccount)
	require.ErrorIs(t, err, core.ErrAccountNotOffered, "the rules hold for whoever asks")
}
