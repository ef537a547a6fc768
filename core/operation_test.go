package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func TestNoAnswerIsNeverAFailure(t *testing.T) {
	t.Parallel()
	op := core.Operation{ID: "op_01h455vb4pex5vsknk084sn02q", Status: core.OperationPending}
	for range 50 {
		op = op.Sending(start).Outcome(&core.ProviderError{Class: core.ClassUnknown}, "", start)
		require.Equal(t, core.OperationUnknown, op.Status)
		require.Nil(t, op.Failure)
		op = op.Sending(start).Outcome(&core.ProviderError{Class: core.ClassRetryable}, "", start)
		require.Equal(t, core.OperationUnknown, op.Status, "a refusal says nothing of the attempt before")
	}
	require.Equal(t, 100, op.Attempts)
	op = op.Outcome(nil, "pi_1", start)
	require.Equal(t, core.OperationSucceeded, op.Status)
	require.Equal(t, "pi_1", op.ObjectID)
}

func TestARefusalBeforeAnyEffectLeavesTheOperationPending(t *testing.T) {
	t.Parallel()
	op := core.Operation{Status: core.OperationPending}.Sending(start)
	op = op.Outcome(&core.ProviderError{Class: core.ClassRetryable}, "", start)
	require.Equal(t, core.OperationPending, op.Status)
	op = op.Outcome(&core.ProviderError{Class: core.ClassDeclined, Foreign: "do_not_honor"}, "", start)
	require.Equal(t, core.OperationFailed, op.Status)
	require.Equal(t, core.FailureCardDeclined, op.Failure.Code)
	require.Equal(t, "do_not_honor", op.Failure.ProviderCode)
}

func TestSettledOperationsStay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		op := core.Operation{Status: core.OperationPending}
		for range rapid.IntRange(1, 20).Draw(t, "answers") {
			before := op
			class := core.Class(rapid.IntRange(0, 4).Draw(t, "class"))
			if class > core.ClassInvalid {
				op = op.Outcome(nil, "pi_1", start)
			} else {
				op = op.Outcome(&core.ProviderError{Class: class}, "", start)
			}
			if before.Status == core.OperationSucceeded || before.Status == core.OperationFailed && op.Status != core.OperationSucceeded {
				require.Equal(t, before, op)
			}
			require.True(t, !before.Status.Settled() || op.Status.Settled(), "settled for good")
			if before.Status == core.OperationUnknown {
				require.NotEqual(t, core.OperationPending, op.Status)
			}
		}
	})
}

func TestAnEffectOutweighsARefusal(t *testing.T) {
	t.Parallel()
	declined := &core.ProviderError{Class: core.ClassDeclined, Foreign: "do_not_honor"}
	op := core.Operation{Status: core.OperationPending}.Sending(start).Sending(start).Outcome(declined, "", start)
	require.Equal(t, core.OperationFailed, op.Status)
	later := start.Add(time.Second)
	op = op.Outcome(nil, "pi_1", later)
	require.Equal(t, core.OperationSucceeded, op.Status, "of two sendings under one key one was refused, and the other took effect")
	require.Equal(t, "pi_1", op.ObjectID)
	require.Nil(t, op.Failure)
	require.Equal(t, later, op.SettledAt)
	require.Equal(t, op, op.Outcome(declined, "", later), "an effect stays")
}

func TestWhatWaitsForStaffSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	later := start.Add(time.Hour)
	op := core.Operation{Status: core.OperationUnknown}.GiveUp(core.GivenUpUnanswered, start)
	require.True(t, op.ForStaff())
	require.Equal(t, op, op.GiveUp(core.GivenUpInternal, later))
	op = op.GiveUp(core.GivenUpNotFound, later)
	require.Equal(t, core.GivenUpNotFound, op.GivenUp, "the provider has answered since")
	require.Equal(t, start, op.GivenUpAt, "it waits as long")
	require.Equal(t, op, op.GiveUp(core.GivenUpUnanswered, later))
	settled := op.Outcome(nil, "pi_1", later)
	require.Equal(t, settled, settled.GiveUp(core.GivenUpNotFound, later))
}

func TestKeysFitEveryProvider(t *testing.T) {
	t.Parallel()
	id := core.NewID[core.OperationID]([16]byte{0xff, 1})
	key := core.Operation{ID: id}.Key()
	require.LessOrEqual(t, len(key), 45)
	require.NotContains(t, string(key), " ")
	a, b := core.NewRequestKey("key_a", "x"), core.NewRequestKey("key_b", "x")
	require.NotEqual(t, a, b, "two callers may use the same key")
	require.Equal(t, a, core.NewRequestKey("key_a", "x"))
}

func TestRequestHashTellsPartsApart(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, core.HashRequest("ab", "c"), core.HashRequest("a", "bc"))
	require.NotEqual(t, core.HashRequest("a"), core.HashRequest("a", ""))
	require.Len(t, core.HashRequest(), 64)
}

func TestWhatIsSeenSettlesWhatWasAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind core.OperationKind
		seen core.PaymentSnapshot
		want bool
	}{
		{core.OpCreatePayment, seen(t, core.PaymentRequiresAction, 0, 0, 0), true},
		{core.OpCapturePayment, seen(t, core.PaymentAuthorized, 1000, 0, 0), false},
		{core.OpCapturePayment, seen(t, core.PaymentSucceeded, 1000, 10, 0), true},
		{core.OpCancelPayment, seen(t, core.PaymentAuthorized, 1000, 0, 0), false},
		{core.OpCancelPayment, seen(t, core.PaymentCanceled, 1000, 0, 0), true},
		{"teleport_payment", seen(t, core.PaymentSucceeded, 1000, 1000, 0), false},
	} {
		require.Equal(t, c.want, core.Operation{Kind: c.kind}.ShownBy(c.seen), c.kind)
	}
}

func TestMessagesForBuyersTellFraudstersNothing(t *testing.T) {
	t.Parallel()
	fraud := core.NewFailure(core.FailureSuspectedFraud, "stolen_card")
	require.Equal(t, core.NewFailure(core.FailureCardDeclined, "").Message, fraud.Message)
	require.Equal(t, "stolen_card", fraud.ProviderCode)
	for _, word := range []string{"fraud", "stolen", "lost"} {
		require.NotContains(t, strings.ToLower(fraud.Message), word)
	}
	require.Equal(t, core.FailureProcessingError, core.NewFailure("made_up", "").Code)
}
