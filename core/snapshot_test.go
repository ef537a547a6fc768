package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const (
	paymentID  core.PaymentID  = "pay_01h455vb4pex5vsknk084sn02q"
	checkoutID core.CheckoutID = "chk_01h455vb4pex5vsknk084sn02q"
)

func newCheckout(t require.TestingT, minor int64) core.Checkout {
	return core.Checkout{
		ID: checkoutID, Environment: core.EnvTest, Reference: "A-1", Mode: core.ModePayment,
		Capture: core.CaptureAutomatic, Status: core.CheckoutOpen, Amount: money(t, minor, "EUR"),
		ExpiresAt: start.Add(time.Hour), CreatedAt: start,
	}
}

func newPayment(t require.TestingT, minor int64) core.Payment {
	return core.NewPayment(paymentID, newCheckout(t, minor), "stripe", core.ProviderStripe, start)
}

func seen(t require.TestingT, status core.PaymentStatus, authorized, captured, refunded int64) core.PaymentSnapshot {
	return core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: "pi_1"}, Payment: paymentID,
		Status: status, ForeignStatus: string(status), Amount: money(t, 1000, "EUR"), Environment: core.EnvTest,
		Authorized: money(t, authorized, "EUR"), Captured: money(t, captured, "EUR"), Refunded: money(t, refunded, "EUR"),
	}
}

func TestASnapshotMovesThePayment(t *testing.T) {
	t.Parallel()
	a := core.ApplyPaymentSnapshot(newPayment(t, 1000), seen(t, core.PaymentAuthorized, 1000, 0, 0))
	require.True(t, a.Moved)
	require.True(t, a.Changed)
	require.Equal(t, core.Advance, a.Verdict)
	require.Equal(t, core.ReasonMoved, a.Reason)
	require.Equal(t, core.PaymentAuthorized, a.Payment.Status)
	require.Equal(t, "pi_1", a.Payment.ProviderPaymentID)
	require.Equal(t, money(t, 1000, "EUR"), a.Payment.Capturable())

	older := core.ApplyPaymentSnapshot(a.Payment, seen(t, core.PaymentProcessing, 0, 0, 0))
	require.Equal(t, core.Stale, older.Verdict)
	require.Equal(t, core.ReasonOlderState, older.Reason)
	require.False(t, older.Changed)

	part := core.ApplyPaymentSnapshot(a.Payment, seen(t, core.PaymentSucceeded, 1000, 400, 0))
	require.Equal(t, core.PaymentSucceeded, part.Payment.Status)
	require.Equal(t, int64(400), part.Payment.AmountCaptured.Minor())

	refunded := core.ApplyPaymentSnapshot(part.Payment, seen(t, core.PaymentSucceeded, 1000, 400, 100))
	require.False(t, refunded.Moved)
	require.True(t, refunded.Changed)
	require.Equal(t, core.ReasonDetails, refunded.Reason)
	require.Equal(t, int64(100), refunded.Payment.AmountRefunded.Minor())
}

func TestAFailureComesAndGoes(t *testing.T) {
	t.Parallel()
	declined := seen(t, core.PaymentFailed, 0, 0, 0)
	declined.Failure = core.NewFailure(core.FailureInsufficientFunds, "insufficient_funds")
	a := core.ApplyPaymentSnapshot(newPayment(t, 1000), declined)
	require.Equal(t, core.FailureInsufficientFunds, a.Payment.Failure.Code)
	require.True(t, a.Payment.Failure.Retryable)

	paid := core.ApplyPaymentSnapshot(a.Payment, seen(t, core.PaymentSucceeded, 1000, 1000, 0))
	require.Equal(t, core.PaymentSucceeded, paid.Payment.Status, "money the provider shows counts, whatever failed before")
	require.Nil(t, paid.Payment.Failure)
}

func TestWhatWasNotAskedForNeedsReview(t *testing.T) {
	t.Parallel()
	for reason, change := range map[core.ReviewReason]func(*core.PaymentSnapshot){
		core.ReviewAmount:      func(s *core.PaymentSnapshot) { s.Amount = money(t, 999, "EUR") },
		core.ReviewCurrency:    func(s *core.PaymentSnapshot) { s.Amount = money(t, 1000, "USD") },
		core.ReviewEnvironment: func(s *core.PaymentSnapshot) { s.Environment = core.EnvLive },
		core.ReviewAmounts:     func(s *core.PaymentSnapshot) { s.Captured = money(t, 1001, "EUR") },
	} {
		snapshot := seen(t, core.PaymentSucceeded, 1000, 1000, 0)
		change(&snapshot)
		a := core.ApplyPaymentSnapshot(newPayment(t, 1000), snapshot)
		require.Equal(t, core.PaymentNeedsReview, a.Payment.Status, reason)
		require.Equal(t, reason, a.Payment.Review)
		require.True(t, a.Anomaly)
		require.True(t, a.Moved)
		require.NoError(t, a.Payment.Check())

		again := core.ApplyPaymentSnapshot(a.Payment, snapshot)
		require.False(t, again.Changed, reason)

		settled := core.ApplyPaymentSnapshot(newPayment(t, 1000), seen(t, core.PaymentSucceeded, 1000, 1000, 0)).Payment
		b := core.ApplyPaymentSnapshot(settled, snapshot)
		require.Equal(t, core.PaymentSucceeded, b.Payment.Status, "a terminal status stays; the anomaly is kept beside it")
		require.True(t, b.Anomaly)
	}
}

func TestAnotherPaymentsObjectChangesNothing(t *testing.T) {
	t.Parallel()
	held := core.ApplyPaymentSnapshot(newPayment(t, 1000), seen(t, core.PaymentRequiresAction, 0, 0, 0)).Payment
	other := seen(t, core.PaymentSucceeded, 1000, 1000, 0)
	other.Ref.ID = "pi_2"
	a := core.ApplyPaymentSnapshot(held, other)
	require.Equal(t, core.ReasonOtherObject, a.Reason)
	require.Equal(t, held, a.Payment)
	require.False(t, a.Changed)
}

// Found by chance: what parks a payment the first time must leave nothing to take the
// second time.
func TestParkingTakesTheFactsAtOnce(t *testing.T) {
	t.Parallel()
	held := core.ApplyPaymentSnapshot(newPayment(t, 1000), seen(t, core.PaymentAuthorized, 1000, 0, 0)).Payment
	odd := seen(t, core.PaymentFailed, 1000, 0, 0)
	odd.Method = &core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242"}
	once := core.ApplyPaymentSnapshot(held, odd)
	require.Equal(t, core.PaymentNeedsReview, once.Payment.Status)
	require.Equal(t, "4242", once.Payment.Method.Last4)
	twice := core.ApplyPaymentSnapshot(once.Payment, odd)
	require.Equal(t, once.Payment, twice.Payment)
	require.False(t, twice.Changed)
}

// Whatever a provider shows, in whatever order and however often: amounts keep their
// order and never shrink, terminal statuses stay, and twice is the same as once.
func TestAnySequenceOfSnapshotsKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := newPayment(t, 1000)
		for range rapid.IntRange(1, 25).Draw(t, "length") {
			snapshot := drawSnapshot(t)
			a := core.ApplyPaymentSnapshot(p, snapshot)
			next := a.Payment

			require.NoError(t, next.Check())
			require.Equal(t, p.Amount, next.Amount)
			require.GreaterOrEqual(t, next.AmountAuthorized.Minor(), p.AmountAuthorized.Minor())
			require.GreaterOrEqual(t, next.AmountCaptured.Minor(), p.AmountCaptured.Minor())
			require.GreaterOrEqual(t, next.AmountRefunded.Minor(), p.AmountRefunded.Minor())
			require.LessOrEqual(t, next.AmountCaptured.Minor(), next.AmountAuthorized.Minor())
			require.LessOrEqual(t, next.AmountRefunded.Minor(), next.AmountCaptured.Minor())
			if p.Status.Terminal() {
				require.Equal(t, p.Status, next.Status)
			}
			if p.Status == core.PaymentNeedsReview {
				require.Equal(t, core.PaymentNeedsReview, next.Status)
			}
			require.Equal(t, next.Status != p.Status, a.Moved)
			if !a.Changed {
				require.Equal(t, p, next)
			}
			if next.Status != core.PaymentFailed {
				require.Nil(t, next.Failure)
			} else {
				require.NotNil(t, next.Failure)
			}

			again := core.ApplyPaymentSnapshot(next, snapshot)
			require.Equal(t, next, again.Payment, "applying twice equals once")
			require.False(t, again.Changed)
			require.False(t, again.Moved)
			p = next
		}
	})
}

func drawSnapshot(t *rapid.T) core.PaymentSnapshot {
	statuses := core.PaymentStatuses()
	amount := rapid.Int64Range(0, 1200)
	s := seen(t, rapid.SampledFrom(statuses[:len(statuses)-1]).Draw(t, "status"),
		amount.Draw(t, "authorized"), amount.Draw(t, "captured"), amount.Draw(t, "refunded"))
	s.Disputed = rapid.Bool().Draw(t, "disputed")
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		s.Amount = money(t, rapid.Int64Range(1, 2000).Draw(t, "amount"), rapid.SampledFrom([]core.Currency{"EUR", "USD"}).Draw(t, "currency"))
	}
	if rapid.IntRange(0, 19).Draw(t, "foreign") == 0 {
		s.Environment = core.EnvLive
	}
	if s.Status == core.PaymentFailed && rapid.Bool().Draw(t, "explained") {
		s.Failure = core.NewFailure(core.FailureCardDeclined, "generic_decline")
	}
	if rapid.Bool().Draw(t, "method") {
		s.Method = &core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 1, ExpYear: 2030}
	}
	return s
}

// What a provider shows of a payment that behaves, in any order and with repeats, ends
// in the state of the newest sight.
func TestALateOldSightNeverUndoesANewerOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		life := []core.PaymentSnapshot{
			seen(t, core.PaymentRequiresAction, 0, 0, 0), seen(t, core.PaymentAuthorized, 1000, 0, 0),
			seen(t, core.PaymentSucceeded, 1000, 700, 0), seen(t, core.PaymentSucceeded, 1000, 700, 700),
		}
		order := rapid.SliceOfN(rapid.IntRange(0, len(life)-1), 1, 12).Draw(t, "order")
		p := newPayment(t, 1000)
		for _, i := range append(order, len(life)-1) {
			p = core.ApplyPaymentSnapshot(p, life[i]).Payment
		}
		for _, i := range order {
			p = core.ApplyPaymentSnapshot(p, life[i]).Payment
		}
		require.Equal(t, core.PaymentSucceeded, p.Status)
		require.Equal(t, int64(700), p.AmountCaptured.Minor())
		require.Equal(t, int64(700), p.AmountRefunded.Minor())
		require.Empty(t, p.Anomaly)
	})
}
