package core_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func seenDispute(t require.TestingT, status core.DisputeStatus) core.DisputeSnapshot {
	waits := status == core.DisputeNeedsResponse
	s := core.DisputeSnapshot{
		Ref:    core.ProviderRef{Account: "stripe", Kind: core.ObjectDispute, ID: "dp_1"},
		Status: status, ForeignStatus: "their " + string(status), Reason: core.DisputeFraudulent, ForeignReason: "fraudulent",
		Amount: money(t, 1000, "EUR"), CanSubmit: waits, CanAccept: waits, Environment: core.EnvTest, OpenedAt: start,
	}
	if waits {
		s.DueAt = start.AddDate(0, 0, 10)
	}
	return s
}

func newDispute(t require.TestingT, status core.DisputeStatus) core.Dispute {
	return core.NewDisputeFromSnapshot(taken(t, 1000), seenDispute(t, status))
}

func TestADisputesLife(t *testing.T) {
	t.Parallel()
	d := newDispute(t, core.DisputeInquiry)
	require.Equal(t, money(t, 0, "EUR"), d.Withdrawn, "nothing was taken yet")
	chargeback := seenDispute(t, core.DisputeNeedsResponse)
	chargeback.Fee, chargeback.Withdrawn = money(t, 20, "USD"), money(t, 1000, "EUR")
	a := core.ApplyDisputeSnapshot(d, chargeback)
	require.Equal(t, core.ReasonMoved, a.Reason)
	require.Equal(t, money(t, 20, "USD"), a.Dispute.Fee)
	require.True(t, a.Dispute.CanSubmit)

	submitted := a.Dispute.Settles(core.Operation{Kind: core.OpSubmitEvidence}, start)
	submitted = core.ApplyDisputeSnapshot(submitted, seenDispute(t, core.DisputeUnderReview)).Dispute
	require.Equal(t, start, submitted.SubmittedAt)
	require.Equal(t, money(t, 20, "USD"), submitted.Fee, "what is not spoken of stays")
	again := core.ApplyDisputeSnapshot(submitted, chargeback)
	require.Equal(t, core.Advance, again.Verdict, "a bank may ask once more")
	require.True(t, again.Dispute.SubmittedAt.IsZero())

	lost := core.ApplyDisputeSnapshot(submitted, seenDispute(t, core.DisputeLost)).Dispute
	won := core.ApplyDisputeSnapshot(lost, seenDispute(t, core.DisputeWon))
	require.Equal(t, core.Advance, won.Verdict, "funds can be reinstated late")
	older := core.ApplyDisputeSnapshot(won.Dispute, chargeback)
	require.Equal(t, core.ReasonOlderState, older.Reason)
	require.False(t, older.Changed)
}

// Some providers show what was accepted as lost.
func TestAnAcceptedDisputeIsNotLost(t *testing.T) {
	t.Parallel()
	d := newDispute(t, core.DisputeNeedsResponse).Settles(core.Operation{Kind: core.OpAcceptDispute}, start)
	a := core.ApplyDisputeSnapshot(d, seenDispute(t, core.DisputeLost))
	require.Equal(t, core.DisputeAccepted, a.Dispute.Status)
	require.Equal(t, start, a.Dispute.AcceptedAt)
	require.Equal(t, start, a.Dispute.Settles(core.Operation{Kind: core.OpAcceptDispute}, start.Add(1)).AcceptedAt, "once")
}

func TestForbiddenMovesOfADisputeAreTakenAndNoted(t *testing.T) {
	t.Parallel()
	for _, held := range core.DisputeStatuses() {
		for _, status := range core.DisputeStatuses() {
			a := core.ApplyDisputeSnapshot(newDispute(t, held), seenDispute(t, status))
			if held.Judge(status) != core.Impossible {
				require.Empty(t, a.Dispute.Anomaly, "%s to %s", held, status)
				continue
			}
			require.True(t, a.Anomaly && a.Moved, "%s to %s", held, status)
			require.Equal(t, status, a.Dispute.Status)
			require.Equal(t, core.Reason(core.ReviewTransition), a.Dispute.Anomaly)
		}
	}
	for reason, change := range map[core.Reason]func(*core.DisputeSnapshot){
		core.Reason(core.ReviewEnvironment): func(s *core.DisputeSnapshot) { s.Environment = core.EnvLive },
		core.Reason(core.ReviewTransition):  func(s *core.DisputeSnapshot) { s.Status = "escalated" },
		core.ReasonOtherObject:              func(s *core.DisputeSnapshot) { s.Ref.ID = "dp_2" },
	} {
		held, snapshot := newDispute(t, core.DisputeNeedsResponse), seenDispute(t, core.DisputeLost)
		change(&snapshot)
		a := core.ApplyDisputeSnapshot(held, snapshot)
		require.Equal(t, core.DisputeNeedsResponse, a.Dispute.Status, reason)
		require.Equal(t, reason, a.Reason)
		require.False(t, core.ApplyDisputeSnapshot(a.Dispute, snapshot).Changed, "noted once")
	}
}

func TestAnySequenceOfDisputeSnapshotsKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDispute(t, rapid.SampledFrom(core.DisputeStatuses()).Draw(t, "first"))
		for range rapid.IntRange(1, 25).Draw(t, "length") {
			if rapid.IntRange(0, 4).Draw(t, "verb") == 0 {
				kind := rapid.SampledFrom([]core.OperationKind{core.OpSubmitEvidence, core.OpAcceptDispute}).Draw(t, "kind")
				d = d.Settles(core.Operation{Kind: kind}, start)
			}
			snapshot := seenDispute(t, rapid.SampledFrom(core.DisputeStatuses()).Draw(t, "status"))
			if rapid.Bool().Draw(t, "told") {
				snapshot.Withdrawn = money(t, rapid.Int64Range(0, 1000).Draw(t, "withdrawn"), "EUR")
			}
			a := core.ApplyDisputeSnapshot(d, snapshot)
			require.Equal(t, a.Dispute.Status != d.Status, a.Moved)
			if a.Anomaly {
				require.True(t, a.Moved && a.Dispute.Anomaly != "", "taken, and noted")
			}
			require.Equal(t, d.AcceptedAt, a.Dispute.AcceptedAt)
			if !a.Changed {
				require.Equal(t, d, a.Dispute)
			}
			again := core.ApplyDisputeSnapshot(a.Dispute, snapshot)
			require.Equal(t, a.Dispute, again.Dispute, "applying twice equals once")
			require.False(t, again.Changed || again.Moved)
			d = a.Dispute
		}
	})
}

func TestWhenADisputeCanBeAnswered(t *testing.T) {
	t.Parallel()
	d := newDispute(t, core.DisputeNeedsResponse)
	before, after := d.DueAt.Add(-time.Second), d.DueAt
	require.NoError(t, d.CheckSubmit(before))
	require.NoError(t, d.CheckAccept())
	require.ErrorIs(t, d.CheckSubmit(after), core.ErrEvidenceLate)
	require.ErrorIs(t, d.CheckEdit(after), core.ErrEvidenceLate)
	submitted := d.Settles(core.Operation{Kind: core.OpSubmitEvidence}, start)
	require.ErrorIs(t, submitted.CheckSubmit(before), core.ErrEvidenceSubmitted)
	require.ErrorIs(t, newDispute(t, core.DisputeUnderReview).CheckEdit(start), core.ErrEvidenceSubmitted)
	require.ErrorIs(t, newDispute(t, core.DisputeLost).CheckSubmit(start), core.ErrDisputeClosed)
	require.ErrorIs(t, newDispute(t, core.DisputeWon).CheckAccept(), core.ErrDisputeClosed)
	inquiry := newDispute(t, core.DisputeInquiry)
	require.NoError(t, inquiry.CheckEdit(start))
	require.ErrorIs(t, inquiry.CheckSubmit(start), core.ErrNotSupported)
	require.ErrorIs(t, inquiry.CheckAccept(), core.ErrNotSupported)
}

func TestRemindersComeOnceEach(t *testing.T) {
	t.Parallel()
	d := newDispute(t, core.DisputeNeedsResponse)
	var told []int
	for hours := range 24 * 12 {
		if days := d.ReminderDue(start.Add(time.Duration(hours) * time.Hour)); days > 0 {
			told = append(told, days)
			d.RemindedDays = days
		}
	}
	require.Equal(t, core.DisputeReminderDays, told)
	late := newDispute(t, core.DisputeNeedsResponse)
	require.Equal(t, 3, late.ReminderDue(start.AddDate(0, 0, 8)), "one that was missed is left out")
	moved := seenDispute(t, core.DisputeNeedsResponse)
	moved.DueAt = moved.DueAt.AddDate(0, 0, 10)
	require.Zero(t, core.ApplyDisputeSnapshot(d, moved).Dispute.RemindedDays, "a later deadline is announced again")
	require.Zero(t, newDispute(t, core.DisputeUnderReview).ReminderDue(start.AddDate(0, 0, 9)))
}

func TestWhatIsSeenOfADisputeSettlesWhatWasAsked(t *testing.T) {
	t.Parallel()
	for kind, shown := range map[core.OperationKind][]core.DisputeStatus{
		core.OpSubmitEvidence: {core.DisputeUnderReview, core.DisputeWon},
		core.OpAcceptDispute:  {core.DisputeAccepted, core.DisputeLost},
		core.OpRefundPayment:  nil,
	} {
		for _, status := range core.DisputeStatuses() {
			got := core.Operation{Kind: kind}.ShownByDispute(seenDispute(t, status))
			require.Equal(t, slices.Contains(shown, status), got, "%s by %s", kind, status)
		}
	}
}
