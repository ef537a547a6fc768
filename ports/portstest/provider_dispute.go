package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// requireDisputes skips a chapter about disputes where there are none, and gives what can be done.
func (d *providerDesk) requireDisputes(t *testing.T) (ports.Disputer, ports.DisputeAbilities, Disputable) {
	t.Helper()
	can := d.provider.Capabilities().Disputes
	if can == nil {
		t.Skip("not claimed: disputes")
	}
	disputer, ok := d.provider.(ports.Disputer)
	require.True(t, ok, "what is claimed is there")
	far, ok := d.far.(Disputable)
	if !ok {
		t.Skip("not there: a far end whose buyers dispute")
	}
	return disputer, *can, far
}

// dispute has a bank dispute a payment that took its money.
func (d *providerDesk) dispute(t *testing.T, inquiry bool) (taken core.PaymentSnapshot, ref core.ProviderRef) {
	t.Helper()
	_, _, far := d.requireDisputes(t)
	taken = d.paid(t, core.CaptureAutomatic, CardSucceeds)
	id := far.OpenDispute(t, taken.Payment, inquiry)
	return taken, core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectDispute, ID: id}
}

// seenDispute is a dispute as it stands.
func (d *providerDesk) seenDispute(t *testing.T, ref core.ProviderRef) core.DisputeSnapshot {
	t.Helper()
	disputer, _, _ := d.requireDisputes(t)
	seen, err := disputer.GetDispute(providerContext(t), ref)
	require.NoError(t, err)
	d.requireSoundDispute(t, ref, seen)
	return seen
}

// requireSoundDispute holds what is true of every snapshot of a dispute.
func (d *providerDesk) requireSoundDispute(t testing.TB, ref core.ProviderRef, seen core.DisputeSnapshot) {
	t.Helper()
	require.Equal(t, ref, seen.Ref)
	require.Equal(t, core.EnvTest, seen.Environment)
	require.True(t, seen.Status.Known(), seen.Status)
	require.NotEmpty(t, seen.ForeignStatus)
	require.NotEmpty(t, seen.Reason)
	require.True(t, seen.Amount.IsPositive())
	require.False(t, seen.OpenedAt.IsZero())
	require.False(t, seen.Status.Closed() && (seen.CanSubmit || seen.CanAccept), "what has ended takes nothing")
	for _, amount := range []core.Money{seen.Fee, seen.Withdrawn, seen.Reinstated} {
		require.GreaterOrEqual(t, amount.Minor(), int64(0))
	}
}

func providerDisputes(t *testing.T, d *providerDesk) {
	disputer, can, far := d.requireDisputes(t)
	for outcome, status := range map[string]core.DisputeStatus{DisputeIsWon: core.DisputeWon, DisputeIsLost: core.DisputeLost} {
		taken, ref := d.dispute(t, false)
		seen := d.seenDispute(t, ref)
		require.Equal(t, core.DisputeNeedsResponse, seen.Status)
		require.Equal(t, taken.Ref, seen.Payment, "as payments are known here")
		require.Equal(t, taken.Captured, seen.Amount)
		require.True(t, seen.DueAt.After(seen.OpenedAt))
		require.False(t, seen.CanSubmit && !can.Evidence || seen.CanAccept && !can.Accept, "no more than is claimed")
		require.Equal(t, d.far.Has(CardDisputed), d.seen(t, taken.Ref).Disputed, "a hint to look at the disputes, where payments show them")
		list, err := disputer.PaymentDisputes(providerContext(t), taken.Ref)
		require.NoError(t, err)
		require.Equal(t, []core.DisputeSnapshot{seen}, list)

		far.CloseDispute(t, ref.ID, outcome)
		require.Equal(t, status, d.seenDispute(t, ref).Status)
	}
	_, ref := d.dispute(t, true)
	require.Equal(t, core.DisputeInquiry, d.seenDispute(t, ref).Status)
	far.CloseDispute(t, ref.ID, DisputeEscalates)
	require.Equal(t, core.DisputeNeedsResponse, d.seenDispute(t, ref).Status)
	list, err := disputer.PaymentDisputes(providerContext(t), d.paid(t, core.CaptureAutomatic, CardSucceeds).Ref)
	require.NoError(t, err)
	require.Empty(t, list)
}

// answer is evidence of texts and a file.
func answer(ref core.ProviderRef) ports.SubmitEvidence {
	content := []byte("\x89PNG\r\n\x1a\n a receipt")
	return ports.SubmitEvidence{
		Ref: ref,
		Texts: map[core.EvidenceField]string{
			core.EvidenceProductDescription: "Two books & a pen", core.EvidenceTrackingNumber: "JJD000390007", core.EvidenceOtherText: "Delivered.\nSigned.",
		},
		Files: []ports.EvidenceContent{{Content: content, EvidenceFile: core.EvidenceFile{
			ID: "fil_00000000000000000000000000", Field: core.EvidenceReceipt, Name: "receipt.png", ContentType: "image/png", Size: int64(len(content)),
			CreatedAt: time.Unix(1_700_000_000, 0).UTC(),
		}}},
	}
}

func providerAnswers(t *testing.T, d *providerDesk) {
	disputer, can, _ := d.requireDisputes(t)
	_, ref := d.dispute(t, false)
	before := d.far.Effects(t)
	if !can.Evidence {
		_, err := disputer.SubmitEvidence(providerContext(t), newKey(), answer(ref))
		requireRefused(t, err, core.ClassInvalid)
		require.Equal(t, before, d.far.Effects(t))
		return
	}
	key := newKey()
	for range 2 {
		seen, err := disputer.SubmitEvidence(providerContext(t), key, answer(ref))
		require.NoError(t, err, "the same again is no error")
		d.requireSoundDispute(t, ref, seen)
		require.Equal(t, core.DisputeUnderReview, seen.Status)
		require.False(t, seen.CanSubmit)
	}
	require.Equal(t, core.DisputeUnderReview, d.seenDispute(t, ref).Status)
	after := d.far.Effects(t)
	require.Greater(t, after, before)
	other := answer(ref)
	other.Texts = map[core.EvidenceField]string{core.EvidenceOtherText: "One more thing."}
	_, err := disputer.SubmitEvidence(providerContext(t), newKey(), other)
	requireRefused(t, err, core.ClassInvalid)
	require.Equal(t, core.DisputeUnderReview, d.seenDispute(t, ref).Status)
}

func providerAccepts(t *testing.T, d *providerDesk) {
	disputer, can, _ := d.requireDisputes(t)
	_, ref := d.dispute(t, false)
	seen := d.seenDispute(t, ref)
	in := ports.AcceptDispute{Ref: ref, Amount: seen.Amount}
	before := d.far.Effects(t)
	if !can.Accept {
		_, err := disputer.AcceptDispute(providerContext(t), newKey(), in)
		requireRefused(t, err, core.ClassInvalid)
		require.Equal(t, before, d.far.Effects(t))
		return
	}
	for range 2 {
		seen, err := disputer.AcceptDispute(providerContext(t), newKey(), in)
		require.NoError(t, err, "giving in twice is no error")
		d.requireSoundDispute(t, ref, seen)
		require.Contains(t, []core.DisputeStatus{core.DisputeAccepted, core.DisputeLost}, seen.Status)
	}
	require.Equal(t, before+1, d.far.Effects(t))
	if can.Evidence {
		_, err := disputer.SubmitEvidence(providerContext(t), newKey(), answer(ref))
		requireRefused(t, err, core.ClassInvalid)
	}
}

func providerDisputeLooks(t *testing.T, d *providerDesk) {
	disputer, _, _ := d.requireDisputes(t)
	taken, ref := d.dispute(t, false)
	d.holdLooks(t, map[string]lookAt{
		"get": {ref, func(ctx context.Context, ref core.ProviderRef) error {
			_, err := disputer.GetDispute(ctx, ref)
			return err
		}},
		"list": {taken.Ref, func(ctx context.Context, ref core.ProviderRef) error {
			_, err := disputer.PaymentDisputes(ctx, ref)
			return err
		}},
	})
}

// answerTriesMax is how often the same key is sent until a submission of several calls is whole.
const answerTriesMax = 3

// providerAnswerFaults has a submission go wrong in every way. It may be several calls: whichever
// of them went wrong, the same key again leads to what one that goes well leads to, and to no more.
func providerAnswerFaults(t *testing.T, d *providerDesk) {
	disputer, can, _ := d.requireDisputes(t)
	if !can.Evidence {
		t.Skip("not claimed: evidence")
	}
	submit := func(key core.OperationKey, ref core.ProviderRef) error {
		seen, err := disputer.SubmitEvidence(d.impatient(t), key, answer(ref))
		if err == nil {
			d.requireSoundDispute(t, ref, seen)
		}
		return err
	}
	_, ref := d.dispute(t, false)
	before := d.far.Effects(t)
	require.NoError(t, submit(newKey(), ref))
	effects := d.far.Effects(t) - before
	ways := []func(testing.TB, Fault){d.far.Fault}
	if far, ok := d.far.(MutationFaulter); ok {
		ways = append(ways, far.FaultMutation)
	}
	for n, cause := range ways {
		asked := n == 0 && len(ways) > 1
		for _, fault := range append([]Fault{FaultError429}, silences...) {
			_, ref := d.dispute(t, false)
			key, before := newKey(), d.far.Effects(t)
			cause(t, fault)
			err := submit(key, ref)
			switch {
			case err == nil: // it went out again by itself, or a look after it showed what it did
				require.Contains(t, []Fault{FaultReset, FaultHTML}, fault)
			case fault == FaultError429 || asked && isClass(err, core.ClassRetryable):
				requireRefused(t, err, core.ClassRetryable)
			default:
				requireRefused(t, err, core.ClassUnknown)
			}
			for range answerTriesMax {
				if err = submit(key, ref); err == nil {
					break
				}
			}
			require.NoError(t, err, fault)
			require.Equal(t, core.DisputeUnderReview, d.seenDispute(t, ref).Status, fault)
			require.Equal(t, before+effects, d.far.Effects(t), fault)
		}
	}
}
