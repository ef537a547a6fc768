package portstest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The outcomes of disputes, for [Disputable].
const (
	DisputeIsWon     = "won"
	DisputeIsLost    = "lost"
	DisputeEscalates = "escalated" // of an inquiry: it becomes a chargeback
)

const (
	// FakeHoldTime is how long the fake holds what it authorized.
	FakeHoldTime = 7 * 24 * time.Hour
	// FakeEvidenceTime is how long the fake waits for evidence.
	FakeEvidenceTime = 10 * 24 * time.Hour
	// fakeDisputeFee is in minor units of the payment's currency.
	fakeDisputeFee = 15_00
)

var _ Disputable = (*FakeProvider)(nil)

type fakeDispute struct {
	seen     core.DisputeSnapshot
	evidence ports.SubmitEvidence // what was submitted last
}

// fakeDisputeAbilities are all there are.
func fakeDisputeAbilities() *ports.DisputeAbilities {
	return &ports.DisputeAbilities{
		Evidence: true, Accept: true, TextCharsMax: core.EvidenceTextCharsMax,
		Fields: append(core.EvidenceTexts(), core.EvidenceFiles()...),
	}
}

// GetDispute implements [ports.Disputer].
func (f *FakeProvider) GetDispute(ctx context.Context, ref core.ProviderRef) (core.DisputeSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "GetDispute", Ref: ref}, func() (core.DisputeSnapshot, error) {
		if dispute := f.dispute(ref.ID); dispute != nil {
			return dispute.seen, nil
		}
		return core.DisputeSnapshot{}, f.missing(ref)
	})
}

// PaymentDisputes implements [ports.Disputer].
func (f *FakeProvider) PaymentDisputes(ctx context.Context, payment core.ProviderRef) ([]core.DisputeSnapshot, error) {
	return fakeRead(ctx, f, FakeCall{Method: "PaymentDisputes", Ref: payment}, func() ([]core.DisputeSnapshot, error) {
		if f.find(payment.ID) == nil {
			return nil, f.missing(payment)
		}
		var of []core.DisputeSnapshot
		for _, dispute := range slices.Backward(f.disputes) {
			if dispute.seen.Payment.ID == payment.ID && len(of) < ports.DisputesMax {
				of = append(of, dispute.seen)
			}
		}
		return of, nil
	})
}

// SubmitEvidence implements [ports.Disputer].
func (f *FakeProvider) SubmitEvidence(ctx context.Context, key core.OperationKey, in ports.SubmitEvidence) (core.DisputeSnapshot, error) {
	call := FakeCall{Method: "SubmitEvidence", Key: key, Ref: in.Ref}
	return fakeMutate(ctx, f, call, fmt.Sprintf("submit %+v", in), func() (core.DisputeSnapshot, bool, error) {
		dispute := f.dispute(in.Ref.ID)
		if dispute == nil {
			return core.DisputeSnapshot{}, false, f.missing(in.Ref)
		}
		if !dispute.seen.CanSubmit || !f.now().Before(dispute.seen.DueAt) || len(in.Texts)+len(in.Files) == 0 {
			return core.DisputeSnapshot{}, false, unexpectedState("fake submit", in.Ref.ID)
		}
		dispute.evidence = in
		dispute.stand(core.DisputeUnderReview)
		return dispute.seen, true, nil
	})
}

// AcceptDispute implements [ports.Disputer].
func (f *FakeProvider) AcceptDispute(ctx context.Context, key core.OperationKey, in ports.AcceptDispute) (core.DisputeSnapshot, error) {
	call := FakeCall{Method: "AcceptDispute", Key: key, Ref: in.Ref, Amount: in.Amount}
	return fakeMutate(ctx, f, call, fmt.Sprintf("accept %+v", in), func() (core.DisputeSnapshot, bool, error) {
		dispute := f.dispute(in.Ref.ID)
		switch {
		case dispute == nil:
			return core.DisputeSnapshot{}, false, f.missing(in.Ref)
		case dispute.seen.Status == core.DisputeAccepted:
			return dispute.seen, false, nil
		case !dispute.seen.CanAccept:
			return core.DisputeSnapshot{}, false, unexpectedState("fake accept", in.Ref.ID)
		}
		dispute.stand(core.DisputeAccepted)
		return dispute.seen, true, nil
	})
}

// stand brings a dispute into a status, with all that goes with it.
func (d *fakeDispute) stand(status core.DisputeStatus) {
	d.seen.Status, d.seen.ForeignStatus = status, string(status)
	d.seen.CanSubmit, d.seen.CanAccept = status == core.DisputeNeedsResponse || status == core.DisputeInquiry, status == core.DisputeNeedsResponse
	if !d.seen.CanSubmit {
		d.seen.DueAt = time.Time{}
	}
	switch status {
	case core.DisputeNeedsResponse:
		d.seen.Withdrawn = d.seen.Amount
	case core.DisputeWon:
		d.seen.Reinstated = d.seen.Withdrawn
	case core.DisputeInquiry, core.DisputeUnderReview, core.DisputeLost, core.DisputeAccepted:
	}
}

// dispute finds a dispute by the provider's id. The lock is held.
func (f *FakeProvider) dispute(id string) *fakeDispute {
	for _, dispute := range f.disputes {
		if dispute.seen.Ref.ID == id {
			return dispute
		}
	}
	return nil
}

// holdsBack reports whether a bank has the money of a payment, or may yet take it. The lock is
// held.
func (f *FakeProvider) holdsBack(object *fakeObject) bool {
	return slices.ContainsFunc(f.disputes, func(d *fakeDispute) bool {
		return d.seen.Payment.ID == object.seen.Ref.ID && d.seen.Status.BlocksRefund()
	})
}

// disputed has the bank of that card dispute a payment. The lock is held.
func (f *FakeProvider) disputed(object *fakeObject, card Card) {
	if card == CardDisputed && object.seen.Captured.IsPositive() {
		f.openDispute(object, core.DisputeNeedsResponse)
	}
}

// openDispute has a bank dispute what a payment took. The lock is held.
func (f *FakeProvider) openDispute(object *fakeObject, status core.DisputeStatus) string {
	f.created++
	id := "dp_fake" + strconv.Itoa(f.created)
	none := core.Zero(object.seen.Amount.Currency())
	fee, err := core.NewMoney(fakeDisputeFee, object.seen.Amount.Currency())
	if err != nil {
		fee = none
	}
	dispute := &fakeDispute{seen: core.DisputeSnapshot{
		Ref: core.ProviderRef{Account: f.account, Kind: core.ObjectDispute, ID: id}, Payment: object.seen.Ref,
		Reason: core.DisputeFraudulent, ForeignReason: "fraudulent", Amount: object.seen.Captured, Fee: fee, Withdrawn: none, Reinstated: none,
		DueAt: f.now().Add(FakeEvidenceTime), Environment: f.env, OpenedAt: f.now(),
	}}
	dispute.stand(status)
	f.disputes = append(f.disputes, dispute)
	object.seen.Disputed = true
	return id
}

// OpenDispute implements [Disputable].
func (f *FakeProvider) OpenDispute(t testing.TB, payment core.PaymentID, inquiry bool) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.of(payment)
	if object == nil || !object.seen.Captured.IsPositive() {
		t.Fatalf("nothing was taken by %s", payment)
		return ""
	}
	if inquiry {
		return f.openDispute(object, core.DisputeInquiry)
	}
	return f.openDispute(object, core.DisputeNeedsResponse)
}

// CloseDispute implements [Disputable].
func (f *FakeProvider) CloseDispute(t testing.TB, id, outcome string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	dispute := f.dispute(id)
	switch {
	case dispute == nil:
		t.Fatalf("there is no dispute %q", id)
	case outcome == DisputeEscalates:
		dispute.stand(core.DisputeNeedsResponse)
	default:
		dispute.stand(core.DisputeStatus(outcome))
	}
}

// SetDispute rewrites what the provider shows of a dispute from now on. It reports whether there is
// one.
func (f *FakeProvider) SetDispute(id string, change func(*core.DisputeSnapshot)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	dispute := f.dispute(id)
	if dispute != nil {
		change(&dispute.seen)
	}
	return dispute != nil
}

// Submitted gives the evidence that a dispute got last; the zero one where it got none.
func (f *FakeProvider) Submitted(id string) ports.SubmitEvidence {
	f.mu.Lock()
	defer f.mu.Unlock()
	if dispute := f.dispute(id); dispute != nil {
		return dispute.evidence
	}
	return ports.SubmitEvidence{}
}
