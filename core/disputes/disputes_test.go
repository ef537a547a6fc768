package disputes_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func eachHouse(t *testing.T, test func(t *testing.T, h *coretest.House)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) { test(t, coretest.New(t, open(t))) })
}

var byAPI = core.Cause{Kind: core.CauseAPI, Actor: "key_1"}

// opened is a payment that took its money, and its dispute, told of by a webhook.
func opened(t *testing.T, h *coretest.House, inquiry bool) (core.Payment, core.Dispute) {
	t.Helper()
	p := h.Paid()
	id := h.Provider.OpenDispute(t, p.ID, inquiry)
	h.WebhookOf("evt "+id, core.ObjectDispute, id)
	h.RunDue()
	dispute, err := h.Store.DisputeByRef(t.Context(), core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: id})
	require.NoError(t, err)
	return p, dispute
}

func stored(t *testing.T, h *coretest.House, id core.DisputeID) core.Dispute {
	t.Helper()
	dispute, err := h.Disputes.Get(t.Context(), id)
	require.NoError(t, err)
	return dispute
}

func look(t *testing.T, h *coretest.House, d core.Dispute) core.Dispute {
	t.Helper()
	observation, err := h.Observe.Sync(t.Context(), d.Ref(), byAPI)
	require.NoError(t, err)
	require.Equal(t, stored(t, h, d.ID), observation.Dispute)
	return observation.Dispute
}

func save(t *testing.T, h *coretest.House, id core.DisputeID) {
	t.Helper()
	_, err := h.Disputes.SaveEvidence(t.Context(), id, map[core.EvidenceField]string{core.EvidenceProductDescription: "A shirt."})
	require.NoError(t, err)
}

func TestADispute(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p, d := opened(t, h, true)
		require.Equal(t, core.DisputeInquiry, d.Status)
		require.True(t, h.Payment(p.ID).Disputed)
		require.Equal(t, []core.EventType{core.EventDisputeOpened}, h.Types(string(d.ID)))
		look(t, h, d)
		require.Equal(t, []core.EventType{core.EventDisputeOpened}, h.Types(string(d.ID)), "told once")

		h.Provider.CloseDispute(t, d.ProviderDisputeID, portstest.DisputeEscalates)
		d = look(t, h, d)
		require.Equal(t, core.DisputeNeedsResponse, d.Status)
		require.Equal(t, p.AmountCaptured, d.Withdrawn)
		h.Provider.CloseDispute(t, d.ProviderDisputeID, portstest.DisputeIsLost)
		d = look(t, h, d)
		require.Equal(t, h.Clock.Now(), d.ClosedAt)
		h.Clock.Advance(time.Hour)
		h.Provider.CloseDispute(t, d.ProviderDisputeID, portstest.DisputeIsWon)
		won := look(t, h, d)
		require.Equal(t, core.DisputeWon, won.Status)
		require.Equal(t, d.ClosedAt, won.ClosedAt)
		require.Equal(t, won.Withdrawn, won.Reinstated)
		require.False(t, h.Payment(p.ID).Disputed)
		require.Equal(t, []core.EventType{
			core.EventDisputeOpened, core.EventDisputeUpdated, core.EventDisputeClosed, core.EventDisputeUpdated,
		}, h.Types(string(d.ID)), "closed once")
		page, err := h.Disputes.List(t.Context(), ports.DisputeFilter{Payment: p.ID}, core.PageRequest{Limit: 5})
		require.NoError(t, err)
		require.Equal(t, []core.Dispute{won}, page.Items)
		_, err = h.Disputes.List(t.Context(), ports.DisputeFilter{Payment: "pay_missing"}, core.PageRequest{Limit: 5})
		require.ErrorIs(t, err, ports.ErrNotFound)
		require.Zero(t, h.Odd.Of(core.ObjectDispute))

		h.Provider.CloseDispute(t, d.ProviderDisputeID, portstest.DisputeIsLost)
		require.Equal(t, core.DisputeLost, look(t, h, d).Status, "the bank decides")
		require.Equal(t, core.Reason(core.ReviewTransition), stored(t, h, d.ID).Anomaly)
		require.Equal(t, 1, h.Odd.Of(core.ObjectDispute))
	})
}

// A payment's snapshot hints at a dispute of which no event came.
func TestADisputeThatAPaymentHintsAt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardDisputed)
	p = h.Look(p)
	require.True(t, p.Disputed)
	list, err := h.Store.PaymentDisputes(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, list, 1)
	h.Provider.CloseDispute(t, list[0].ProviderDisputeID, portstest.DisputeIsWon)
	look(t, h, list[0])
	_, err = h.Observe.Sync(t.Context(), p.Ref(), byAPI)
	require.NoError(t, err)
	require.False(t, h.Payment(p.ID).Disputed, "the hint alone says nothing")
	require.Equal(t, 1, h.Provider.CallsOf("PaymentDisputes"))
}

func TestDisputesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	id := h.Provider.OpenDispute(t, p.ID, false)
	ref := core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: id}
	for reason, change := range map[core.Reason]func(*core.DisputeSnapshot){
		core.ReasonNotOurs:                  func(seen *core.DisputeSnapshot) { seen.Payment.ID = "pi_elsewhere" },
		core.Reason(core.ReviewEnvironment): func(seen *core.DisputeSnapshot) { seen.Environment = core.EnvLive },
	} {
		var whole core.DisputeSnapshot
		h.Provider.SetDispute(id, func(seen *core.DisputeSnapshot) { whole = *seen; change(seen) })
		observation, err := h.Observe.Sync(t.Context(), ref, byAPI)
		require.NoError(t, err)
		require.Equal(t, reason, observation.Reason)
		require.Empty(t, observation.Dispute.ID)
		h.Provider.SetDispute(id, func(seen *core.DisputeSnapshot) { *seen = whole })
	}
	require.Equal(t, 1, h.Odd.Of(core.ObjectDispute))
	ref.ID = "dp_gone"
	observation, err := h.Observe.Sync(t.Context(), ref, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.ReasonMissing, observation.Reason)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Disputes = nil })
	observation, err = h.Observe.Sync(t.Context(), ref, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.ReasonNotOurs, observation.Reason)
}

func TestEvidenceIsSubmittedOnce(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		_, d := opened(t, h, false)
		_, err := h.Disputes.Submit(t.Context(), d.ID, "", byAPI)
		require.ErrorIs(t, err, core.ErrEvidenceEmpty)
		save(t, h, d.ID)
		file, err := h.Disputes.AddFile(t.Context(), d.ID, png("receipt", "C:\\docs\\receipt.png"))
		require.NoError(t, err)
		require.Equal(t, "receipt.png", file.Name)
		for range 2 {
			d, err = h.Disputes.Submit(t.Context(), d.ID, "key", byAPI)
			require.NoError(t, err)
			require.Equal(t, core.DisputeUnderReview, d.Status)
			require.Equal(t, h.Clock.Now(), d.SubmittedAt)
		}
		sent := h.Provider.Submitted(d.ProviderDisputeID)
		require.Equal(t, map[core.EvidenceField]string{core.EvidenceProductDescription: "A shirt."}, sent.Texts)
		require.Len(t, sent.Files, 1)
		require.Equal(t, file, sent.Files[0].EvidenceFile)
		require.Equal(t, pngBytes, sent.Files[0].Content)
		require.Equal(t, 1, h.Provider.CallsOf("SubmitEvidence"))
		require.Equal(t, []core.EventType{core.EventDisputeOpened, core.EventDisputeUpdated}, h.Types(string(d.ID)))

		_, err = h.Disputes.Submit(t.Context(), d.ID, "another key", byAPI)
		require.ErrorIs(t, err, core.ErrEvidenceSubmitted)
		_, err = h.Disputes.SaveEvidence(t.Context(), d.ID, map[core.EvidenceField]string{core.EvidenceCustomerName: "Eve"})
		require.ErrorIs(t, err, core.ErrEvidenceSubmitted)
		require.ErrorIs(t, h.Disputes.RemoveFile(t.Context(), d.ID, file.ID), core.ErrEvidenceSubmitted)
	})
}

func TestWhatCannotBeSubmitted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, h *coretest.House, d core.Dispute)
		submit error
		save   error
	}{
		"late": {func(_ *testing.T, h *coretest.House, _ core.Dispute) {
			h.Clock.Advance(portstest.FakeEvidenceTime)
		}, core.ErrEvidenceLate, core.ErrEvidenceLate},
		"closed": {func(t *testing.T, h *coretest.House, d core.Dispute) {
			h.Provider.CloseDispute(t, d.ProviderDisputeID, portstest.DisputeIsLost)
			look(t, h, d)
		}, core.ErrDisputeClosed, core.ErrDisputeClosed},
		"not at this provider": {func(_ *testing.T, h *coretest.House, _ core.Dispute) {
			h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Disputes = &ports.DisputeAbilities{} })
		}, core.ErrNotSupported, core.ErrNotSupported},
		"not now": {func(t *testing.T, h *coretest.House, d core.Dispute) {
			h.Provider.SetDispute(d.ProviderDisputeID, func(seen *core.DisputeSnapshot) { seen.CanSubmit = false })
			look(t, h, d)
		}, core.ErrNotSupported, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			_, d := opened(t, h, false)
			save(t, h, d.ID)
			c.change(t, h, d)
			_, err := h.Disputes.Submit(t.Context(), d.ID, "", byAPI)
			require.ErrorIs(t, err, c.submit)
			_, err = h.Disputes.SaveEvidence(t.Context(), d.ID, map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada"})
			require.ErrorIs(t, err, c.save)
			require.Zero(t, h.Provider.CallsOf("SubmitEvidence"))
		})
	}
	h := newHouse(t)
	_, err := h.Disputes.Submit(t.Context(), "dsp_missing", "", byAPI)
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = h.Disputes.SaveEvidence(t.Context(), "dsp_missing", nil)
	require.ErrorIs(t, err, ports.ErrNotFound)
}

// Whatever happens to the call, evidence goes out once, as it was when it was submitted.
func TestSubmissionsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*coretest.House){
		"not done":          func(h *coretest.House) { h.Provider.FailNext(portstest.NoAnswer()) },
		"done and not told": func(h *coretest.House) { h.Provider.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		for _, forgotten := range []bool{false, true} {
			t.Run(fmt.Sprint(name, forgotten), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				_, d := opened(t, h, false)
				save(t, h, d.ID)
				trouble(h)
				pending, err := h.Disputes.Submit(t.Context(), d.ID, "key", byAPI)
				require.NoError(t, err)
				require.Equal(t, d, pending, "settled later")
				_, err = h.Disputes.SaveEvidence(t.Context(), d.ID, map[core.EvidenceField]string{core.EvidenceCustomerName: "Eve"})
				require.ErrorIs(t, err, core.ErrOperationOpen)
				if forgotten {
					if name == "not done" {
						return
					}
					h.Clock.Advance(25 * time.Hour)
				}
				h.RunAll()
				d = stored(t, h, d.ID)
				require.Equal(t, core.DisputeUnderReview, d.Status)
				require.False(t, d.SubmittedAt.IsZero())
				operations, err := h.Store.SubjectOperations(t.Context(), string(d.ID))
				require.NoError(t, err)
				require.Len(t, operations, 1)
				require.Equal(t, core.OperationSucceeded, operations[0].Status)
				require.Equal(t, 1, h.Provider.EffectsOf(operations[0].Key()))
				require.Empty(t, h.Store.GivenUp())
				_, err = h.Disputes.Submit(t.Context(), d.ID, "key", byAPI)
				require.NoError(t, err)
				_, err = h.Disputes.Submit(t.Context(), d.ID, "", byAPI)
				require.ErrorIs(t, err, core.ErrEvidenceSubmitted)
			})
		}
	}
}

// A call that did not go out, or got no answer, can be made again under its key.
func TestTheSameCallAgainGoesOn(t *testing.T) {
	t.Parallel()
	for _, fault := range []portstest.Fault{portstest.FaultError429, portstest.FaultTimeoutAfterCommit} {
		h := newHouse(t)
		_, d := opened(t, h, false)
		h.Provider.Fault(t, fault)
		_, err := h.Disputes.Accept(t.Context(), d.ID, "key", byAPI)
		var away *core.ProviderError
		require.True(t, err == nil || errors.As(err, &away), "%v", err)
		d, err = h.Disputes.Accept(t.Context(), d.ID, "key", byAPI)
		require.NoError(t, err)
		require.Equal(t, core.DisputeAccepted, d.Status)
		require.False(t, d.AcceptedAt.IsZero())
		h.RunAll()
		require.Equal(t, d.Version, stored(t, h, d.ID).Version, "nothing is left to do")
	}
}

func TestARepeatedCallIsNotSentOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, d := opened(t, h, false)
	save(t, h, d.ID)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, err := h.Disputes.Submit(t.Context(), d.ID, "key", byAPI)
	require.NoError(t, err)
	h.Clock.Advance(25 * time.Hour)
	d, err = h.Disputes.Submit(t.Context(), d.ID, "key", byAPI)
	require.NoError(t, err)
	require.Equal(t, core.DisputeUnderReview, d.Status, "a look shows it")
	require.Equal(t, 1, h.Provider.CallsOf("SubmitEvidence"))
}

// An answer that did not arrive must not keep the next one back until the deadline is over.
func TestAnAnswerThatALookRefutesCanBeGivenAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, d := opened(t, h, false)
	save(t, h, d.ID)
	h.Provider.FailNext(portstest.NoAnswer())
	_, err := h.Disputes.Submit(t.Context(), d.ID, "key", byAPI)
	require.NoError(t, err)
	h.Clock.Advance(25 * time.Hour)
	h.RunDue()
	require.True(t, stored(t, h, d.ID).SubmittedAt.IsZero())
	save(t, h, d.ID)
	d, err = h.Disputes.Submit(t.Context(), d.ID, "another", byAPI)
	require.NoError(t, err)
	require.Equal(t, core.DisputeUnderReview, d.Status)
}

func TestGivingIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, d := opened(t, h, false)
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "not_now", Op: "fake accept"})
	_, err := h.Disputes.Accept(t.Context(), d.ID, "first", byAPI)
	var refused *core.RefusedError
	require.ErrorAs(t, err, &refused)
	for range 2 {
		d, err = h.Disputes.Accept(t.Context(), d.ID, "key", byAPI)
		require.NoError(t, err)
		require.Equal(t, core.DisputeAccepted, d.Status)
		require.False(t, d.AcceptedAt.IsZero() || d.ClosedAt.IsZero())
	}
	require.True(t, h.Payment(p.ID).Disputed)
	require.Equal(t, []core.EventType{core.EventDisputeOpened, core.EventDisputeClosed}, h.Types(string(d.ID)))
	_, err = h.Disputes.Accept(t.Context(), d.ID, "", byAPI)
	require.ErrorIs(t, err, core.ErrDisputeClosed)
	_, err = h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, Cause: byAPI})
	require.ErrorIs(t, err, core.ErrPaymentDisputed)
	_, other := opened(t, h, true)
	_, err = h.Disputes.Accept(t.Context(), other.ID, "", byAPI)
	require.ErrorIs(t, err, core.ErrNotSupported)
}

func TestDeadlinesAreToldOfOnceEach(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, d := opened(t, h, false)
	_, answered := opened(t, h, false)
	save(t, h, answered.ID)
	_, err := h.Disputes.Submit(t.Context(), answered.ID, "", byAPI)
	require.NoError(t, err)
	reminders := func(id core.DisputeID) (told int) {
		for _, kind := range h.Types(string(id)) {
			if kind == core.EventDisputeReminder {
				told++
			}
		}
		return told
	}
	var days []int
	for left := 10 * 24; left > -24; left -= 6 {
		require.NoError(t, h.Disputes.Remind(t.Context(), ports.Job{Kind: ports.JobWatchDisputes}))
		if reminders(d.ID) > len(days) {
			days = append(days, left/24)
		}
		h.Clock.Advance(6 * time.Hour)
	}
	require.Equal(t, core.DisputeReminderDays, days)
	require.Zero(t, reminders(answered.ID))
}
