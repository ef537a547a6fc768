package repair_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// What waits for staff is settled all the same by whatever shows it, and waits no more.
func TestWhatWaitsForStaffIsSettledByAWebhook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(c *ports.Capabilities) { c.ListPayments = false })
	lostAfter(h.Provider)
	createPayment(t, h)("k")
	op := newest(t, h, core.OpCreatePayment)
	h.LoseJobs()
	h.Provider.FailNext(portstest.NoAnswer()) // the search for it
	h.Clock.Advance(25 * time.Hour)
	h.Sweep()
	op = read(t, h, op.ID)
	require.Equal(t, core.GivenUpUnanswered, op.GivenUp)
	require.True(t, op.ForStaff())

	object, ok := h.Provider.Object(op.Payment)
	require.True(t, ok)
	h.Webhook("evt_late", object.Ref.ID)
	h.RunDue()
	op = read(t, h, op.ID)
	require.Equal(t, core.OperationSucceeded, op.Status)
	require.False(t, op.ForStaff())
	count, err := h.Store.CountOperations(t.Context(), ports.OperationFilter{ForStaff: true})
	require.NoError(t, err)
	require.Zero(t, count)
	require.Equal(t, core.PaymentRequiresAction, h.Payment(op.Payment).Status)
}

// It is asked for once a day, and so is settled without any message, too.
func TestWhatWaitsForStaffIsStillAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	lostBefore(h.Provider)
	_, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, RequestKey: "k", Cause: byAPI})
	require.NoError(t, err)
	op := newest(t, h, core.OpRefundPayment)
	h.LoseJobs()
	h.Clock.Advance(25 * time.Hour)
	h.Sweep()
	require.True(t, read(t, h, op.ID).ForStaff())
	refund, err := h.Store.Refund(t.Context(), core.RefundID(op.Subject))
	require.NoError(t, err)
	require.Equal(t, core.RefundPending, refund.Status, "and keeps its amount")

	// It was made after all, and the provider shows it late.
	h.Provider.NamelessRefunds()
	h.Provider.RefundElsewhere(t, p.ID, coretest.Price)
	asked := h.Provider.CallsOf("PaymentRefunds")
	h.Clock.Advance(23 * time.Hour)
	h.Sweep()
	require.Equal(t, asked, h.Provider.CallsOf("PaymentRefunds"), "not yet")
	h.Clock.Advance(time.Hour)
	h.Sweep()
	op = read(t, h, op.ID)
	require.Equal(t, core.OperationSucceeded, op.Status)
	refund, err = h.Store.Refund(t.Context(), refund.ID)
	require.NoError(t, err)
	require.Equal(t, core.RefundSucceeded, refund.Status)
}

// A provider that keeps keys for long, or for ever, and gives no usable answer under one: staff hear of
// it after a day, and the same key goes on.
func TestNoAnswerForADayIsForStaffThoughTheKeyIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(c *ports.Capabilities) { c.KeyKept = 365 * 24 * time.Hour })
	for range 40 {
		h.Provider.FailNext(portstest.NoAnswer())
	}
	capturePaid := capturePaymentFailing(t, h)
	op := newest(t, h, core.OpCapturePayment)
	for range 23 {
		h.Clock.Advance(time.Hour)
		h.Sweep()
		require.False(t, read(t, h, op.ID).ForStaff())
	}
	h.Clock.Advance(2 * time.Hour)
	h.Sweep()
	op = read(t, h, op.ID)
	require.Equal(t, core.GivenUpUnanswered, op.GivenUp)
	require.Greater(t, op.Attempts, 20)
	require.Equal(t, core.PaymentAuthorized, h.Payment(capturePaid).Status)

	h.Provider.ClearFaults()
	h.Clock.Advance(time.Hour)
	h.Sweep()
	require.Equal(t, core.OperationSucceeded, read(t, h, op.ID).Status, "an hour after the provider is back")
	require.Equal(t, core.PaymentSucceeded, h.Payment(capturePaid).Status)
	require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
}

// capturePaymentFailing asks for money that is held, while the provider answers nothing.
func capturePaymentFailing(t *testing.T, h *coretest.House) core.PaymentID {
	t.Helper()
	h.Provider.ClearFaults()
	ask := capturePayment(t, h)
	h.RunAll()
	h.LoseJobs()
	for range 40 {
		h.Provider.FailNext(portstest.NoAnswer())
	}
	ask("k")
	h.LoseJobs()
	return newest(t, h, core.OpCapturePayment).Payment
}

func TestAnAccountThatIsConfiguredNoMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	lostAfter(h.Provider)
	createPayment(t, h)("k")
	op := newest(t, h, core.OpCreatePayment)
	h.LoseJobs()
	delete(h.Accounts, coretest.Account)
	sweeps := func() {
		// It cannot be asked for, which is told; others have their turn all the same.
		require.Error(t, h.Repair.Operations(t.Context(), ports.Job{}))
	}
	h.Clock.Advance(time.Hour)
	sweeps()
	require.False(t, read(t, h, op.ID).ForStaff())
	require.NoError(t, h.Repair.Operations(t.Context(), ports.Job{}), "it rests")
	h.Clock.Advance(24 * time.Hour)
	sweeps()
	op = read(t, h, op.ID)
	require.Equal(t, core.GivenUpNoAccount, op.GivenUp)
	require.Equal(t, core.OperationUnknown, op.Status)
	require.NotEqual(t, core.PaymentFailed, h.Payment(op.Payment).Status)

	h.Confirming(ports.ConfirmInBrowser) // it is back
	h.Clock.Advance(24 * time.Hour)
	h.Sweep()
	require.Equal(t, core.OperationSucceeded, read(t, h, op.ID).Status)
}

// The job ends once staff were told; the sweep goes on.
func TestTheJobEndsWithTheEntryForStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	lostBefore(h.Provider)
	createPayment(t, h)("k")
	op := newest(t, h, core.OpCreatePayment)
	h.Clock.Advance(25 * time.Hour)
	h.RunDue()
	waitsForStaff(t, h, read(t, h, op.ID), core.GivenUpNotFound)
	require.Len(t, h.Store.GivenUp(), 1)
	require.Empty(t, h.Store.Jobs(ports.JobRepairOperation))
}

// Six hundred that cannot be settled keep no new one waiting, however often they come round.
func TestManyStuckOperationsKeepNoNewOneWaiting(t *testing.T) {
	t.Parallel()
	const stuck, rounds = 600, 2
	h := newHouse(t)
	for n := range stuck {
		customer, err := h.Customers.Create(t.Context(), customers.NewCustomer{Name: fmt.Sprint("Ada ", n)})
		require.NoError(t, err)
		lostBefore(h.Provider)
		_, err = h.Customers.Account(t.Context(), customer.ID, coretest.Account)
		require.ErrorIs(t, err, core.ErrPaymentInProgress)
	}
	h.Clock.Advance(2 * time.Hour)
	h.LoseJobs()
	lostAfter(h.Provider)
	createPayment(t, h)("k")
	fresh := newest(t, h, core.OpCreatePayment)
	customer := h.Customer()
	lostAfter(h.Other)
	_, err := h.Customers.Account(t.Context(), customer.ID, coretest.OtherAccount)
	require.ErrorIs(t, err, core.ErrPaymentInProgress)
	other := newest(t, h, core.OpCreateCustomer)
	h.LoseJobs()

	h.Clock.Advance(2 * time.Minute)
	for range rounds * (stuck + 1) {
		lostBefore(h.Provider)
	}
	h.Sweep()
	require.Equal(t, core.OperationSucceeded, read(t, h, other.ID).Status, "another account has a turn of its own")
	due := func() int {
		n := 0
		page, err := h.Store.LooksDue(t.Context(), ports.LookOperation, coretest.Account, h.Clock.Now(), 1000)
		require.NoError(t, err)
		n += len(page)
		return n
	}
	require.Positive(t, due(), "one round does not get through them")
	h.Sweep()
	require.Zero(t, due())
	require.Equal(t, 2, read(t, h, fresh.ID).Attempts, "it had its turn")

	h.Provider.ClearFaults()
	h.Clock.Advance(10 * time.Minute)
	h.Sweep() // those that are older rest for longer
	require.Equal(t, core.OperationSucceeded, read(t, h, fresh.ID).Status)
	require.Zero(t, due())
}

// Whoever asks for it hands it to staff: a call that is repeated, or an expiry that comes back to it so
// often that no sweep ever has its turn.
func TestWhoeverAsksHandsItToStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ask := refundPayment(t, h)
	lostBefore(h.Provider)
	ask("k")
	op := newest(t, h, core.OpRefundPayment)
	h.LoseJobs()
	h.Clock.Advance(25 * time.Hour)
	ask("k")
	waitsForStaff(t, h, read(t, h, op.ID), core.GivenUpNotFound)

	begin := createPayment(t, h)
	lostBefore(h.Provider)
	begin("k")
	op = newest(t, h, core.OpCreatePayment)
	h.LoseJobs()
	for range 48 {
		h.Clock.Advance(time.Hour)
		require.NoError(t, h.Payments.ExpireDue(t.Context(), ports.Job{}))
	}
	require.True(t, read(t, h, op.ID).ForStaff())
}
