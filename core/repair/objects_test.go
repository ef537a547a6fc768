package repair_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// story is something that nobody told us of.
type story struct {
	within time.Duration // how long it may take until it is found
	begin  func(t *testing.T, h *coretest.House) (check func())
}

var storiesOfMoney = map[string]story{
	"a payment whose buyer never came back": {5 * time.Minute, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		return func() {
			require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
			require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
			require.Equal(t, []core.EventType{core.EventPaymentRequiresAction, core.EventPaymentSucceeded}, h.Types(string(p.ID)))
		}
	}},
	"a payment that the provider works on": {2 * time.Minute, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		working := func(s *core.PaymentSnapshot) {
			s.Status, s.ForeignStatus, s.Payable = core.PaymentProcessing, "processing", false
		}
		require.True(t, h.Provider.Set(p.ID, working))
		require.Equal(t, core.PaymentProcessing, h.Look(p).Status)
		h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) {
			s.Status, s.Authorized, s.Captured = core.PaymentSucceeded, s.Amount, s.Amount
		})
		return func() { require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status) }
	}},
	"money that a buyer agreed to and nobody asked for": {6 * time.Minute, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		h.Confirming(ports.ConfirmAfterApproval)
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		return func() {
			h.RunAll() // the job that asks
			require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
		}
	}},
	"an authorization that was let go elsewhere": {time.Hour, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		p := h.Authorized()
		h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) { s.Status, s.ForeignStatus = core.PaymentCanceled, "canceled" })
		return func() { require.Equal(t, core.PaymentCanceled, h.Payment(p.ID).Status) }
	}},
	"a refund that took its time": {2 * time.Minute, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		h.Provider.SlowRefunds()
		p := h.Paid()
		refund, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, Cause: byAPI})
		require.NoError(t, err)
		h.Provider.EndRefund(t, refund.ProviderRefundID, portstest.RefundSucceeds)
		return func() {
			require.Equal(t, coretest.Price, h.Payment(p.ID).AmountRefunded.Minor())
			require.Equal(t, []core.EventType{core.EventRefundPending, core.EventRefundSucceeded}, h.Types(string(refund.ID)))
		}
	}},
}

var storiesOfStanding = map[string]story{
	"a dispute that was decided": {12 * time.Hour, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		d := disputed(t, h)
		h.Provider.CloseDispute(t, d.ProviderDisputeID, portstest.DisputeIsLost)
		return func() {
			d, err := h.Store.Dispute(t.Context(), d.ID)
			require.NoError(t, err)
			require.Equal(t, core.DisputeLost, d.Status)
		}
	}},
	"a method that was saved": {10 * time.Minute, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		checkout := h.OpenSetup(h.Customer().ID)
		attempt, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
		return func() { require.Equal(t, core.CheckoutComplete, h.Checkout(checkout.ID).Status) }
	}},
	"a subscription that its buyer agreed to": {10 * time.Minute, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		checkout := h.OpenPlan(h.Plan(1000, 0).ID, 1)
		attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.True(t, h.Provider.Subscribe(attempt.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
		return func() { require.Equal(t, core.SubscriptionActive, h.Subscription(attempt.Subscription.ID).Status) }
	}},
	"a subscription that was ended elsewhere": {24 * time.Hour, func(t *testing.T, h *coretest.House) func() {
		t.Helper()
		s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
		require.True(t, h.Provider.SetSubscription(s.ProviderSubscriptionID, func(seen *core.SubscriptionSnapshot) {
			seen.Status, seen.ForeignStatus = core.SubscriptionCanceled, "canceled"
		}))
		return func() { require.Equal(t, core.SubscriptionCanceled, h.Subscription(s.ID).Status) }
	}},
}

// No message came, and no job remembers: the sweep finds it by its state and age alone, and it has the
// effects of any other look.
func TestTheSweepFindsWhatNobodyToldOf(t *testing.T) {
	t.Parallel()
	stories := maps.Clone(storiesOfMoney)
	maps.Copy(stories, storiesOfStanding)
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			check := story.begin(t, h)
			h.LoseJobs()
			h.Clock.Advance(story.within)
			h.Sweep()
			check()
			looks := len(h.Provider.Calls())
			h.Sweep()
			require.Len(t, h.Provider.Calls(), looks, "it had its turn")
		})
	}
}

// The pauses grow, and one that cannot be looked at rests as one that has not moved.
func TestLooksBecomeRarer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) { s.Status, s.Payable = core.PaymentProcessing, false })
	h.Look(p)
	before := h.Provider.CallsOf("GetPayment")
	for minute := range 48 * 60 {
		h.Clock.Advance(time.Minute)
		if minute%2 == 0 {
			h.Provider.ClearFaults()
			h.Provider.FailNext(portstest.NoAnswer())
		}
		h.Sweep()
	}
	require.InDelta(t, 15, h.Provider.CallsOf("GetPayment")-before, 3)
	require.Equal(t, core.PaymentProcessing, h.Payment(p.ID).Status)
}

// What has not moved for longer than it can take, and what its provider does not know, is marked for
// staff and fails nothing; once it moves the mark is gone.
func TestWhatDoesNotMoveIsMarkedForStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) { s.Status, s.Payable = core.PaymentProcessing, false })
	h.Look(p)
	h.Provider.SlowRefunds()
	paid := h.Paid()
	refund, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: paid.ID, Cause: byAPI})
	require.NoError(t, err)
	h.LoseJobs()
	marks := func() (core.Reason, core.Reason) {
		refund, err := h.Store.Refund(t.Context(), refund.ID)
		require.NoError(t, err)
		require.Equal(t, core.RefundPending, refund.Status)
		require.Equal(t, core.PaymentProcessing, h.Payment(p.ID).Status)
		return h.Payment(p.ID).Anomaly, refund.Anomaly
	}
	for range 14 {
		h.Clock.Advance(24 * time.Hour)
		h.Sweep()
	}
	of, ofRefund := marks()
	require.Empty(t, of)
	require.Empty(t, ofRefund)
	for range 3 {
		h.Clock.Advance(24 * time.Hour)
		h.Sweep()
	}
	of, ofRefund = marks()
	require.Equal(t, core.ReasonStuck, of)
	require.Equal(t, core.ReasonStuck, ofRefund)
	told := 0
	for _, entry := range h.Timeline(p.ID) {
		if entry.Reason == core.ReasonStuck {
			require.Equal(t, "waits for staff", entry.Note)
			told++
		}
	}
	require.Equal(t, 1, told)

	h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) {
		s.Status, s.Authorized, s.Captured = core.PaymentSucceeded, s.Amount, s.Amount
	})
	h.Provider.EndRefund(t, refund.ProviderRefundID, portstest.RefundSucceeds)
	h.Clock.Advance(24 * time.Hour)
	h.Sweep()
	require.Empty(t, h.Payment(p.ID).Anomaly)
	done, err := h.Store.Refund(t.Context(), refund.ID)
	require.NoError(t, err)
	require.Equal(t, core.RefundSucceeded, done.Status)
	require.Empty(t, done.Anomaly)
}

func TestWhatItsProviderDoesNotKnowIsMarkedForStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	object, ok := h.Provider.Object(p.ID)
	require.True(t, ok)
	h.Provider.Forget(p.ID)
	h.Clock.Advance(23 * time.Hour)
	h.Sweep()
	require.Empty(t, h.Payment(p.ID).Anomaly)
	h.Clock.Advance(24 * time.Hour)
	h.Sweep()
	require.Equal(t, core.ReasonMissing, h.Payment(p.ID).Anomaly)
	require.Equal(t, core.PaymentAuthorized, h.Payment(p.ID).Status)
	h.Provider.Add(object)
	h.Clock.Advance(24 * time.Hour)
	h.Sweep()
	require.Empty(t, h.Payment(p.ID).Anomaly, "it was seen")
}

// The same check comes just before the next operation: nobody told us that the money is there.
func TestALookComesBeforeWhatSeemsNotAllowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureManual).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	captured, err := h.Payments.Capture(t.Context(), payments.Capture{Payment: p.ID, RequestKey: "k", Cause: byAPI})
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, captured.Status)

	p = h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	refund, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, RequestKey: "r", Cause: byAPI})
	require.NoError(t, err)
	require.Equal(t, core.RefundSucceeded, refund.Status)

	// A refund that failed meanwhile gives its amount back.
	h.Provider.SlowRefunds()
	p = h.Paid()
	slow, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, RequestKey: "s", Cause: byAPI})
	require.NoError(t, err)
	require.Equal(t, core.RefundPending, slow.Status)
	_, err = h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, RequestKey: "t", Cause: byAPI})
	require.ErrorIs(t, err, core.ErrAmountNotAvailable)
	h.Provider.EndRefund(t, slow.ProviderRefundID, portstest.RefundFails)
	again, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, RequestKey: "u", Cause: byAPI})
	require.NoError(t, err)
	require.Equal(t, core.RefundPending, again.Status)
}

// An inbound event whose job is lost is taken up again. It is given up once it was refused for days, and
// waits for as long as its provider gives no answer.
func TestInboundEventsWhoseJobIsLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) { s.Status, s.ForeignStatus = core.PaymentCanceled, "canceled" })
	h.Webhook("evt_1", p.ProviderPaymentID)
	h.LoseJobs()
	status := func() core.InboundStatus {
		page, err := h.Store.InboundEvents(t.Context(), ports.InboundFilter{}, core.PageRequest{Limit: 1})
		require.NoError(t, err)
		return page.Items[0].Status
	}
	sweep := func() { require.NoError(t, h.Repair.Events(t.Context(), ports.Job{})) }
	h.Clock.Advance(time.Hour)
	sweep()
	require.Equal(t, core.InboundReceived, status(), "its job may still do it")
	h.Clock.Advance(time.Minute)
	h.Provider.FailNext(portstest.NoAnswer())
	sweep()
	require.Equal(t, core.InboundReceived, status())
	looks := len(h.Provider.Calls())
	sweep()
	require.Len(t, h.Provider.Calls(), looks, "it rests")
	h.Clock.Advance(2 * time.Hour)
	sweep()
	require.Equal(t, core.InboundProcessed, status())
	require.Equal(t, core.PaymentCanceled, h.Payment(p.ID).Status)

	h.Webhook("evt_2", p.ProviderPaymentID)
	h.LoseJobs()
	for range 40 {
		h.Clock.Advance(24 * time.Hour)
		h.Provider.FailNext(portstest.NoAnswer())
		sweep()
	}
	require.Equal(t, core.InboundReceived, status(), "nobody has said anything of it")
	h.Clock.Advance(2 * time.Hour)
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "not_allowed", Op: "fake get"})
	sweep()
	require.Equal(t, core.InboundFailed, status(), "staff can replay it")
}
