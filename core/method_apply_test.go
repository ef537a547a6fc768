package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

const methodID core.MethodID = "pm_01h455vb4pex5vsknk084sn02q"

func pendingMethod() core.SavedMethod {
	return core.SavedMethod{
		ID: methodID, Account: "stripe", Provider: core.ProviderStripe, Status: core.MethodPending, Environment: core.EnvTest,
		Details: core.PaymentMethod{ID: methodID}, Consent: &core.Consent{At: start, Text: "yes", Checkout: checkoutID},
	}
}

func seenMethod(status core.MethodStatus) core.MethodSnapshot {
	s := core.MethodSnapshot{
		Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectMethod}, Setup: "seti_1", Method: methodID,
		Status: status, ForeignStatus: string(status), Environment: core.EnvTest,
	}
	if status == core.MethodActive || status == core.MethodRemoved {
		s.Ref.ID, s.Details = "pm_1", core.PaymentMethod{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 1, ExpYear: 2030}
	}
	return s
}

func TestASnapshotMovesTheMethod(t *testing.T) {
	t.Parallel()
	waits := core.ApplyMethodSnapshot(pendingMethod(), seenMethod(core.MethodPending))
	require.Equal(t, core.ReasonDetails, waits.Reason)
	require.Equal(t, core.ProviderRef{Account: "stripe", Kind: core.ObjectSetup, ID: "seti_1"}, waits.Method.Ref())
	require.ErrorIs(t, waits.Method.Chargeable(), core.ErrMethodNotUsable)

	saved := core.ApplyMethodSnapshot(waits.Method, seenMethod(core.MethodActive))
	require.True(t, saved.Moved)
	require.Equal(t, core.ReasonMoved, saved.Reason)
	require.Equal(t, core.ProviderRef{Account: "stripe", Kind: core.ObjectMethod, ID: "pm_1"}, saved.Method.Ref())
	require.Equal(t, core.PaymentMethod{ID: methodID, Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 1, ExpYear: 2030}, saved.Method.Details)
	require.NoError(t, saved.Method.Chargeable())
	silent := saved.Method
	silent.Consent = nil
	require.ErrorIs(t, silent.Chargeable(), core.ErrMethodNotUsable)

	late := core.ApplyMethodSnapshot(saved.Method, seenMethod(core.MethodPending))
	require.Equal(t, core.ReasonOlderState, late.Reason)
	require.False(t, late.Changed)

	gone := core.ApplyMethodSnapshot(saved.Method, seenMethod(core.MethodRemoved))
	require.Equal(t, core.MethodRemoved, gone.Method.Status)
	require.ErrorIs(t, gone.Method.Chargeable(), core.ErrMethodNotUsable)
	require.False(t, core.ApplyMethodSnapshot(gone.Method, seenMethod(core.MethodActive)).Moved, "what was removed stays so")
}

func TestAMethodThatFailed(t *testing.T) {
	t.Parallel()
	failed := core.ApplyMethodSnapshot(pendingMethod(), seenMethod(core.MethodFailed))
	require.Equal(t, core.FailureProcessingError, failed.Method.Failure.Code, "a failure always tells why")
	after := core.ApplyMethodSnapshot(failed.Method, seenMethod(core.MethodActive))
	require.Equal(t, core.MethodActive, after.Method.Status, "the provider has it after all")
	require.Nil(t, after.Method.Failure)
}

func TestWhatIsNotTheMethodsChangesNothing(t *testing.T) {
	t.Parallel()
	held := core.ApplyMethodSnapshot(pendingMethod(), seenMethod(core.MethodActive)).Method
	for name, change := range map[string]func(*core.MethodSnapshot){
		"account": func(s *core.MethodSnapshot) { s.Ref.Account = "other" }, "method": func(s *core.MethodSnapshot) { s.Ref.ID = "pm_2" },
		"setup": func(s *core.MethodSnapshot) { s.Setup = "seti_2" }, "environment": func(s *core.MethodSnapshot) { s.Environment = core.EnvLive },
		"no status of ours": func(s *core.MethodSnapshot) { s.Status = "" },
	} {
		other := seenMethod(core.MethodRemoved)
		change(&other)
		a := core.ApplyMethodSnapshot(held, other)
		require.Equal(t, held, a.Method, name)
		require.Equal(t, core.Impossible, a.Verdict, name)
		require.False(t, a.Changed || a.Moved, name)
	}
}

func TestMethodsThatComeToNothing(t *testing.T) {
	t.Parallel()
	declined := &core.ProviderError{Class: core.ClassDeclined}
	refused := core.Operation{Kind: core.OpConfirmSetup, Failure: core.NewFailure(core.FailureCardDeclined, "declined")}
	require.Equal(t, core.FailureCardDeclined, pendingMethod().Rejected(refused, declined).Failure.Code)
	require.Equal(t, core.MethodFailed, pendingMethod().Rejected(refused, &core.ProviderError{Class: core.ClassInvalid}).Status, "nothing is there to look at")
	agreed := pendingMethod()
	agreed.ProviderSetupID = "seti_1"
	require.Equal(t, core.MethodPending, agreed.Rejected(refused, &core.ProviderError{Class: core.ClassInvalid}).Status, "a look tells")
	require.Equal(t, core.MethodPending, pendingMethod().Rejected(core.Operation{Kind: core.OpDetachMethod}, declined).Status)

	require.Equal(t, core.FailureCanceledByBuyer, pendingMethod().Abandoned(nil).Failure.Code)
	require.Equal(t, core.MethodPending, pendingMethod().Abandoned([]core.Operation{{Kind: core.OpCreateSetup, Status: core.OperationUnknown}}).Status)
	require.Equal(t, core.MethodPending, pendingMethod().Abandoned([]core.Operation{{Kind: core.OpConfirmSetup, Status: core.OperationSucceeded}}).Status)
}

// Whatever a provider shows, in whatever order and however often: what was removed stays so, a
// method that is active names what is charged, and twice is the same as once.
func TestAnySequenceOfMethodSnapshots(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := pendingMethod()
		for range rapid.IntRange(1, 20).Draw(t, "length") {
			s := seenMethod(rapid.SampledFrom(core.MethodStatuses()).Draw(t, "status"))
			if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
				s.Environment = core.EnvLive
			}
			if rapid.Bool().Draw(t, "explained") {
				s.Failure = core.NewFailure(core.FailureCardDeclined, "generic_decline")
			}
			a := core.ApplyMethodSnapshot(m, s)
			if m.Status == core.MethodRemoved {
				require.Equal(t, core.MethodRemoved, a.Method.Status)
			}
			if a.Method.Status == core.MethodActive {
				require.NotEmpty(t, a.Method.ProviderMethodID)
			}
			require.Equal(t, a.Method.Status == core.MethodFailed, a.Method.Failure != nil)
			require.Equal(t, methodID, a.Method.Details.ID)
			require.Equal(t, a.Method.Status != m.Status, a.Moved)
			if !a.Changed {
				require.Equal(t, m, a.Method)
			}
			again := core.ApplyMethodSnapshot(a.Method, s)
			require.Equal(t, a.Method, again.Method)
			require.False(t, again.Changed || again.Moved)
			m = a.Method
		}
	})
}
