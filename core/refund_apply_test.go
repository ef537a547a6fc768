package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func taken(t require.TestingT, minor int64) core.Payment {
	return core.ApplyPaymentSnapshot(newPayment(t, 1000), seen(t, core.PaymentSucceeded, 1000, minor, 0)).Payment
}

func newRefund(t require.TestingT, minor int64) core.Refund {
	return core.Refund{
		ID: "ref_1", Payment: paymentID, Account: "stripe", Provider: core.ProviderStripe, Status: core.RefundPending,
		Amount: money(t, minor, "EUR"), Reason: core.RefundOther, Origin: core.OriginHere, Environment: core.EnvTest, CreatedAt: start,
	}
}

func seenRefund(t require.TestingT, status core.RefundStatus, minor int64) core.RefundSnapshot {
	return core.RefundSnapshot{
		Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectRefund, ID: "re_1"}, Refund: "ref_1",
		Status: status, ForeignStatus: "their " + string(status), Amount: money(t, minor, "EUR"), Environment: core.EnvTest,
	}
}

func TestARefundsLife(t *testing.T) {
	t.Parallel()
	named := core.ApplyRefundSnapshot(newRefund(t, 400), seenRefund(t, core.RefundPending, 400))
	require.True(t, named.Changed)
	require.False(t, named.Moved)
	require.Equal(t, core.ReasonDetails, named.Reason)
	require.Equal(t, "re_1", named.Refund.ProviderRefundID)

	done := core.ApplyRefundSnapshot(named.Refund, seenRefund(t, core.RefundSucceeded, 400))
	require.Equal(t, core.Advance, done.Verdict)
	require.Equal(t, core.ReasonMoved, done.Reason)
	require.True(t, done.Moved)

	older := core.ApplyRefundSnapshot(done.Refund, seenRefund(t, core.RefundPending, 400))
	require.Equal(t, core.ReasonOlderState, older.Reason)
	require.False(t, older.Changed)

	sent := seenRefund(t, core.RefundFailed, 400)
	sent.Failure = core.NewFailure(core.FailureRefundFailed, "lost_or_stolen_card")
	back := core.ApplyRefundSnapshot(done.Refund, sent)
	require.Equal(t, core.Advance, back.Verdict, "a bank can send it back later")
	require.Equal(t, "lost_or_stolen_card", back.Refund.Failure.ProviderCode)
	require.Empty(t, back.Refund.Anomaly)
	unexplained := core.ApplyRefundSnapshot(back.Refund, seenRefund(t, core.RefundFailed, 400))
	require.False(t, unexplained.Changed, "what is known of the failure stays")
}

func TestForbiddenMovesOfARefundAreTakenAndNoted(t *testing.T) {
	t.Parallel()
	for _, held := range core.RefundStatuses() {
		for _, status := range core.RefundStatuses() {
			refund := newRefund(t, 400)
			refund.Status = held
			a := core.ApplyRefundSnapshot(refund, seenRefund(t, status, 400))
			if held.Judge(status) != core.Impossible {
				require.Empty(t, a.Refund.Anomaly, "%s to %s", held, status)
				continue
			}
			require.True(t, a.Anomaly && a.Moved, "%s to %s", held, status)
			require.Equal(t, status, a.Refund.Status, "money facts follow the provider")
			require.Equal(t, core.Reason(core.ReviewTransition), a.Refund.Anomaly)
		}
	}
	more := core.ApplyRefundSnapshot(newRefund(t, 400), seenRefund(t, core.RefundSucceeded, 500))
	require.Equal(t, core.Reason(core.ReviewAmount), more.Refund.Anomaly)
	require.Equal(t, money(t, 500, "EUR"), more.Refund.Amount)
	require.True(t, more.Moved)
}

func TestWhatIsNoPartOfARefundIsNotApplied(t *testing.T) {
	t.Parallel()
	for reason, change := range map[core.Reason]func(*core.RefundSnapshot){
		core.Reason(core.ReviewEnvironment): func(s *core.RefundSnapshot) { s.Environment = core.EnvLive },
		core.Reason(core.ReviewCurrency):    func(s *core.RefundSnapshot) { s.Amount = money(t, 400, "USD") },
		core.Reason(core.ReviewTransition):  func(s *core.RefundSnapshot) { s.Status = "reversed" },
		core.ReasonOtherObject:              func(s *core.RefundSnapshot) { s.Ref.ID = "re_2" },
	} {
		held := core.ApplyRefundSnapshot(newRefund(t, 400), seenRefund(t, core.RefundPending, 400)).Refund
		snapshot := seenRefund(t, core.RefundSucceeded, 400)
		change(&snapshot)
		a := core.ApplyRefundSnapshot(held, snapshot)
		require.Equal(t, core.RefundPending, a.Refund.Status, reason)
		require.Equal(t, reason, a.Reason)
		require.Equal(t, core.Impossible, a.Verdict)
		require.False(t, core.ApplyRefundSnapshot(a.Refund, snapshot).Changed, "noted once")
	}
}

func TestARefusedRefundFails(t *testing.T) {
	t.Parallel()
	op := core.Operation{Failure: core.NewFailure(core.FailureInvalidRequest, "charge_disputed")}
	refused := newRefund(t, 400).Rejected(op)
	require.Equal(t, core.RefundFailed, refused.Status)
	require.Equal(t, "charge_disputed", refused.Failure.ProviderCode)
	require.Equal(t, core.FailureRefundFailed, newRefund(t, 400).Rejected(core.Operation{}).Failure.Code)
	there := core.ApplyRefundSnapshot(newRefund(t, 400), seenRefund(t, core.RefundPending, 400)).Refund
	require.Equal(t, there, there.Rejected(op), "it was seen there all the same")
}

func TestWhatIsLeftToRefund(t *testing.T) {
	t.Parallel()
	payment := taken(t, 1000)
	refund := func(status core.RefundStatus, minor int64) core.Refund {
		r := newRefund(t, minor)
		r.Status = status
		return r
	}
	refunds := []core.Refund{
		refund(core.RefundPending, 100), refund(core.RefundSucceeded, 200), refund(core.RefundFailed, 400), refund(core.RefundCanceled, 400),
	}
	left, err := payment.RefundLeft(refunds)
	require.NoError(t, err)
	require.Equal(t, money(t, 700, "EUR"), left, "a refund that failed frees its amount")
	require.NoError(t, payment.CheckRefund(left, refunds, nil))
	for name, c := range map[string]struct {
		amount  core.Money
		change  func(*core.Payment)
		dispute core.DisputeStatus
		want    error
	}{
		"more than is left":    {money(t, 701, "EUR"), nil, "", core.ErrAmountNotAvailable},
		"nothing":              {money(t, 0, "EUR"), nil, "", core.ErrAmountNotAvailable},
		"less than nothing":    {money(t, -1, "EUR"), nil, "", core.ErrAmountNotAvailable},
		"another currency":     {money(t, 1, "USD"), nil, "", core.ErrCurrencyOther},
		"not captured":         {left, func(p *core.Payment) { p.Status = core.PaymentAuthorized }, "", core.ErrPaymentNotOpen},
		"disputed":             {left, nil, core.DisputeNeedsResponse, core.ErrPaymentDisputed},
		"lost":                 {left, nil, core.DisputeLost, core.ErrPaymentDisputed},
		"asked about":          {left, nil, core.DisputeInquiry, nil},
		"won":                  {left, nil, core.DisputeWon, nil},
		"counted at the other": {left, func(p *core.Payment) { p.AmountRefunded = money(t, 301, "EUR") }, "", core.ErrAmountNotAvailable},
	} {
		p := payment
		if c.change != nil {
			c.change(&p)
		}
		var disputes []core.Dispute
		if c.dispute != "" {
			disputes = []core.Dispute{{Status: c.dispute}}
		}
		require.Equal(t, c.want, p.CheckRefund(c.amount, refunds, disputes), name)
	}
	left, err = payment.RefundLeft(append(refunds, refund(core.RefundPending, 700)))
	require.NoError(t, err)
	require.True(t, left.IsZero())
	_, err = payment.RefundLeft([]core.Refund{{Status: core.RefundPending, Amount: money(t, 1, "USD")}})
	require.ErrorIs(t, err, core.ErrCurrencyMismatch)
}

func TestAPaymentFollowsItsRefundsAndDisputes(t *testing.T) {
	t.Parallel()
	done := newRefund(t, 600)
	done.Status = core.RefundSucceeded
	p, odd := taken(t, 1000).WithRefunds([]core.Refund{done, newRefund(t, 400)})
	require.False(t, odd)
	require.Equal(t, money(t, 600, "EUR"), p.AmountRefunded)
	p, odd = p.WithRefunds([]core.Refund{done, done})
	require.True(t, odd, "more than was taken")
	require.Equal(t, core.Reason(core.ReviewAmounts), p.Anomaly)
	require.NoError(t, p.Check())
	_, odd = p.WithRefunds([]core.Refund{done, done})
	require.False(t, odd, "no news")
	p, _ = p.WithRefunds(nil)
	require.True(t, p.AmountRefunded.IsZero(), "a refund that failed late gives its amount back")

	require.True(t, p.WithDisputes([]core.Dispute{{Status: core.DisputeWon}, {Status: core.DisputeInquiry}}).Disputed)
	require.False(t, p.WithDisputes([]core.Dispute{{Status: core.DisputeWon}}).Disputed)
}

// Whatever a provider shows of any number of refunds, in whatever order and however often: what a
// payment gave back stays within what it took, and twice is the same as once.
func TestAnySequenceOfRefundSnapshotsKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		payment := taken(t, rapid.Int64Range(1, 1000).Draw(t, "captured"))
		refunds := make([]core.Refund, rapid.IntRange(1, 4).Draw(t, "refunds"))
		for n := range refunds {
			refunds[n] = newRefund(t, rapid.Int64Range(1, 400).Draw(t, "amount"))
		}
		for range rapid.IntRange(1, 25).Draw(t, "length") {
			n := rapid.IntRange(0, len(refunds)-1).Draw(t, "which")
			held := refunds[n]
			snapshot := seenRefund(t, rapid.SampledFrom(core.RefundStatuses()).Draw(t, "status"), held.Amount.Minor())
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
				snapshot.Amount = money(t, rapid.Int64Range(0, 2000).Draw(t, "other"), rapid.SampledFrom([]core.Currency{"EUR", "USD"}).Draw(t, "currency"))
			}
			if rapid.IntRange(0, 19).Draw(t, "foreign") == 0 {
				snapshot.Environment = core.EnvLive
			}
			a := core.ApplyRefundSnapshot(held, snapshot)
			next := a.Refund
			require.Equal(t, next.Status != held.Status, a.Moved)
			require.Equal(t, next.Status == core.RefundFailed, next.Failure != nil || held.Status == core.RefundFailed && !a.Moved)
			require.Equal(t, held.Amount.Currency(), next.Amount.Currency())
			require.True(t, next.Amount.IsPositive())
			if a.Anomaly {
				require.NotEmpty(t, next.Anomaly)
			}
			if !a.Changed {
				require.Equal(t, held, next)
			}
			again := core.ApplyRefundSnapshot(next, snapshot)
			require.Equal(t, next, again.Refund, "applying twice equals once")
			require.False(t, again.Changed || again.Moved)
			refunds[n] = next

			payment, _ = payment.WithRefunds(refunds)
			require.NoError(t, payment.Check(), "refunded ≤ captured")
			left, err := payment.RefundLeft(refunds)
			require.NoError(t, err)
			require.False(t, left.Minor() < 0 || left.Minor() > payment.AmountCaptured.Minor())
			same, news := payment.WithRefunds(refunds)
			require.Equal(t, payment, same)
			require.False(t, news)
		}
	})
}
