package refunds_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestARefundInTheProvidersDashboard(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(h *coretest.House, p core.Payment, id string){
		"told of the refund":  func(h *coretest.House, _ core.Payment, id string) { h.WebhookOf("evt_1", core.ObjectRefund, id) },
		"told of the payment": func(h *coretest.House, p core.Payment, _ string) { h.Webhook("evt_1", p.ProviderPaymentID) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := h.Paid()
			ours := create(t, h, of(p, 100))
			id := h.Provider.RefundElsewhere(t, p.ID, 300)
			look(h, p, id)
			h.RunAll()
			look(h, p, id)
			h.RunAll()
			page, err := h.Refunds.List(t.Context(), ports.RefundFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
			require.NoError(t, err)
			require.Len(t, page.Items, 2)
			theirs := page.Items[0]
			if theirs.ID == ours.ID {
				theirs = page.Items[1]
			}
			require.Equal(t, core.OriginProvider, theirs.Origin)
			require.Equal(t, id, theirs.ProviderRefundID)
			require.Equal(t, int64(400), h.Payment(p.ID).AmountRefunded.Minor())
			require.Equal(t, []core.EventType{core.EventRefundSucceeded}, h.Types(string(theirs.ID)))
			_, err = h.Refunds.Create(t.Context(), of(p, 601))
			require.ErrorIs(t, err, core.ErrAmountNotAvailable)
			require.Empty(t, h.Store.GivenUp())
		})
	}
}

// While our own refund of the same amount is under way at a provider that keeps no id of ours, a
// sight may be of either: it waits.
func TestASightThatMayBeOurs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.NamelessRefunds()
	p := h.Paid()
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	refund := create(t, h, of(p, 400))
	_, err := h.Observe.Sync(t.Context(), p.Ref(), byAPI)
	require.NoError(t, err, "a look at the payment goes on without it")
	list, err := h.Provider.PaymentRefunds(t.Context(), p.Ref())
	require.NoError(t, err)
	_, err = h.Observe.Sync(t.Context(), list[0].Ref, byAPI)
	require.ErrorIs(t, err, core.ErrOperationOpen)
	h.RunAll()
	require.Equal(t, list[0].Ref.ID, stored(t, h, refund.ID).ProviderRefundID)
	page, err := h.Refunds.List(t.Context(), ports.RefundFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
}

// An event may tell of our refund before the answer to its creation is stored: it is found by our
// id in it, and settles its operation.
func TestASightIsFasterThanTheAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	told := false
	h.Provider.OnCall(func(ctx context.Context, call portstest.FakeCall) {
		if call.Method != "GetRefund" || told {
			return
		}
		told = true
		// While the first looks, a second one is through already.
		_, err := h.Observe.Sync(ctx, call.Ref, byAPI)
		require.NoError(t, err)
	})
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	refund := create(t, h, of(p, 400))
	list, err := h.Provider.PaymentRefunds(t.Context(), p.Ref())
	require.NoError(t, err)
	observation, err := h.Observe.Sync(t.Context(), list[0].Ref, byAPI)
	require.NoError(t, err)
	require.True(t, told)
	require.Equal(t, refund.ID, observation.Refund.ID)
	require.Equal(t, core.RefundSucceeded, observation.Refund.Status)
	require.Equal(t, core.OperationSucceeded, operation(t, h, refund.ID).Status)
	require.Equal(t, []core.EventType{core.EventRefundSucceeded}, h.Types(string(refund.ID)))
	page, err := h.Refunds.List(t.Context(), ports.RefundFilter{}, core.PageRequest{Limit: 5})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
}

// More than was taken is an anomaly of the payment, of which as much as was taken counts.
func TestAProviderThatGivesBackMoreThanItTook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	refund := create(t, h, of(p, 400))
	h.Provider.SetRefund(refund.ProviderRefundID, func(seen *core.RefundSnapshot) {
		more, err := core.NewMoney(coretest.Price+1, "EUR")
		require.NoError(t, err)
		seen.Amount = more
	})
	for range 2 {
		observation, err := h.Observe.Sync(t.Context(), refund.Ref(), byAPI)
		require.NoError(t, err)
		require.Equal(t, core.Reason(core.ReviewAmount), observation.Refund.Anomaly)
		require.Equal(t, core.Reason(core.ReviewAmounts), observation.Payment.Anomaly)
		require.Equal(t, p.AmountCaptured, observation.Payment.AmountRefunded)
	}
	require.Equal(t, 1, h.Odd.Of(core.ObjectPayment))
	require.Equal(t, 1, h.Odd.Of(core.ObjectRefund))
	foreign := h.Provider.RefundElsewhere(t, p.ID, 100)
	h.Provider.SetRefund(foreign, func(seen *core.RefundSnapshot) { seen.Amount = core.Zero("USD") })
	observation, err := h.Observe.Sync(t.Context(), core.ProviderRef{Account: coretest.Account, Kind: core.ObjectRefund, ID: foreign}, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.Reason(core.ReviewCurrency), observation.Reason)
}

func TestGivingBackWhatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, held := h.Paid(), h.Authorized()
	require.NoError(t, h.Refunds.GiveBack(t.Context(), held.ID, byAPI), "nothing was taken")
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "charge_too_old", Op: "fake refund"})
	require.ErrorIs(t, h.Refunds.GiveBack(t.Context(), p.ID, byAPI), ports.ErrJobGivenUp)
	h.Provider.Fault(t, portstest.FaultError429)
	require.NoError(t, h.Refunds.GiveBack(t.Context(), p.ID, byAPI), "sent again by itself")
	require.NoError(t, h.Refunds.GiveBack(t.Context(), p.ID, byAPI), "on its way already")
	h.RunAll()
	require.Equal(t, p.AmountCaptured, h.Payment(p.ID).AmountRefunded)
	require.ErrorIs(t, h.Refunds.GiveBack(t.Context(), "pay_missing", byAPI), ports.ErrNotFound)
}

func TestWhatProvidersShowThatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	refund := create(t, h, of(p, 400))
	sync := func() core.Reason {
		observation, err := h.Observe.Sync(t.Context(), refund.Ref(), byAPI)
		require.NoError(t, err)
		return observation.Reason
	}
	h.Provider.SetRefund(refund.ProviderRefundID, func(seen *core.RefundSnapshot) { seen.Status = core.RefundCanceled })
	require.Equal(t, core.Reason(core.ReviewTransition), sync())
	require.Equal(t, core.RefundCanceled, stored(t, h, refund.ID).Status)
	require.True(t, h.Payment(p.ID).AmountRefunded.IsZero())
	require.Equal(t, 1, h.Odd.Of(core.ObjectRefund))
	sync()
	require.Equal(t, 1, h.Odd.Of(core.ObjectRefund), "counted once")
	last := h.Timeline(p.ID)
	require.Equal(t, core.Impossible.String(), last[len(last)-1].Verdict)

	h.Provider.SetRefund(refund.ProviderRefundID, func(seen *core.RefundSnapshot) { seen.Environment = core.EnvLive })
	require.Equal(t, core.Reason(core.ReviewEnvironment), sync())

	foreign := h.Provider.RefundElsewhere(t, p.ID, 100)
	h.Provider.SetRefund(foreign, func(seen *core.RefundSnapshot) { seen.Environment = core.EnvLive })
	ref := core.ProviderRef{Account: coretest.Account, Kind: core.ObjectRefund, ID: foreign}
	observation, err := h.Observe.Sync(t.Context(), ref, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.Reason(core.ReviewEnvironment), observation.Reason)
	require.Empty(t, observation.Refund.ID)

	h.Provider.SetRefund(foreign, func(seen *core.RefundSnapshot) { seen.Payment.ID = "pi_elsewhere" })
	observation, err = h.Observe.Sync(t.Context(), ref, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.ReasonNotOurs, observation.Reason)
	ref.ID = "re_gone"
	observation, err = h.Observe.Sync(t.Context(), ref, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.ReasonMissing, observation.Reason)
}

// A sight that reaches the store late does not undo what was seen since.
func TestAnOlderSightOfARefundCannotOverwriteANewerOne(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		h.Provider.SlowRefunds()
		p := h.Paid()
		refund := create(t, h, of(p, 400))
		h.Store.BeforeNextTx(func(ctx context.Context) {
			h.Provider.EndRefund(t, refund.ProviderRefundID, portstest.RefundSucceeds)
			_, err := h.Observe.Sync(ctx, refund.Ref(), byAPI)
			require.NoError(t, err)
		})
		observation, err := h.Observe.Sync(t.Context(), refund.Ref(), byAPI)
		require.NoError(t, err)
		require.Equal(t, core.RefundSucceeded, observation.Refund.Status)
		require.Equal(t, 3, h.Provider.CallsOf("GetRefund"), "the first looked again")
	})
}

// Webhooks come in any order: a refund may be told of while the payment that it is of still waits for
// its buyer here.
func TestARefundThatIsToldOfBeforeItsPayment(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		seen, there := h.Provider.Object(p.ID)
		require.True(t, there)
		h.WebhookOf("evt_1", core.ObjectRefund, h.Provider.RefundElsewhere(t, p.ID, 300))
		h.RunDue()
		h.Webhook("evt_2", seen.Ref.ID)
		h.RunAll()
		p = h.Payment(p.ID)
		require.Equal(t, core.PaymentSucceeded, p.Status)
		require.EqualValues(t, 300, p.AmountRefunded.Minor())
		require.Empty(t, p.Anomaly)
		require.Zero(t, h.Odd.Of(core.ObjectPayment))
		require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
		require.Empty(t, h.Store.GivenUp())
	})
}
