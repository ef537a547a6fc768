package stripe

import (
	"context"
	"errors"
	"fmt"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const objectDispute = "dispute"

var errNotTheDispute = errors.New("answer is not the dispute that was asked about")

// GetDispute implements [ports.Disputer].
//
// Source: GET /v1/disputes/{id}.
func (a *Adapter) GetDispute(ctx context.Context, ref core.ProviderRef) (core.DisputeSnapshot, error) {
	op := a.op("get dispute", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	c := begin(ctx, op)
	dispute, err := a.api.Disputes.Get(ref.ID, &stripesdk.DisputeParams{Params: c.params("")})
	return a.dispute(c, ref.ID, dispute, err)
}

// PaymentDisputes implements [ports.Disputer].
//
// Source: GET /v1/disputes.
func (a *Adapter) PaymentDisputes(ctx context.Context, payment core.ProviderRef) ([]core.DisputeSnapshot, error) {
	op := a.op("list disputes of", payment.ID)
	if err := a.checkRef(op, payment, core.ObjectPayment); err != nil {
		return nil, err
	}
	c := begin(ctx, op)
	iterator := a.api.Disputes.List(&stripesdk.DisputeListParams{ListParams: c.one(ports.DisputesMax), PaymentIntent: new(payment.ID)})
	if err := iterator.Err(); err != nil {
		return nil, c.failed(err)
	}
	page := iterator.DisputeList()
	c.answered(page.LastResponse)
	if page.URL == "" {
		return nil, c.Unusable(errNotAList)
	}
	var seen []core.DisputeSnapshot
	for _, dispute := range page.Data {
		one, err := a.disputeSeen(c, "", dispute)
		if err != nil {
			return nil, err
		}
		if one.Payment != payment {
			return nil, c.Unusable(errNotTheDispute)
		}
		seen = append(seen, one)
	}
	return seen, nil
}

// AcceptDispute implements [ports.Disputer]. Stripe then calls the dispute lost; that nobody
// contested it is known here and now alone.
//
// Source: POST /v1/disputes/{id}/close.
func (a *Adapter) AcceptDispute(ctx context.Context, key core.OperationKey, in ports.AcceptDispute) (core.DisputeSnapshot, error) {
	op := a.op("accept", in.Ref.ID)
	if err := a.checkOrder(op, key, in.Ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	c := begin(ctx, op)
	dispute, err := a.api.Disputes.Close(in.Ref.ID, &stripesdk.DisputeParams{Params: c.params(key)})
	seen, err := a.dispute(c, in.Ref.ID, dispute, err)
	if !isRefusal(err) || isMissing(err) {
		return accepted(seen), err
	}
	look := begin(ctx, op)
	present, lookErr := a.api.Disputes.Get(in.Ref.ID, &stripesdk.DisputeParams{Params: look.params("")})
	known, lookErr := a.dispute(look, in.Ref.ID, present, lookErr)
	switch {
	case lookErr != nil:
		return core.DisputeSnapshot{}, lookErr
	case known.Status == core.DisputeLost && present.EvidenceDetails != nil && present.EvidenceDetails.SubmissionCount == 0:
		return accepted(known), nil // it was closed before, and nothing was said against it
	}
	return core.DisputeSnapshot{}, err
}

// accepted is a dispute that was lost by giving in.
func accepted(seen core.DisputeSnapshot) core.DisputeSnapshot {
	if seen.Status == core.DisputeLost {
		seen.Status = core.DisputeAccepted
	}
	return seen
}

// dispute gives what an answer shows of the dispute that it was asked about.
func (a *Adapter) dispute(c *call, wanted string, dispute *stripesdk.Dispute, err error) (core.DisputeSnapshot, error) {
	if err != nil {
		return core.DisputeSnapshot{}, c.failed(err)
	}
	c.answered(dispute.LastResponse)
	return a.disputeSeen(c, wanted, dispute)
}

// disputeSeen puts a dispute into our words.
func (a *Adapter) disputeSeen(c *call, wanted string, dispute *stripesdk.Dispute) (core.DisputeSnapshot, error) {
	if dispute == nil || dispute.Object != objectDispute || dispute.ID == "" || wanted != "" && dispute.ID != wanted {
		return core.DisputeSnapshot{}, c.Unusable(errNotTheDispute)
	}
	if dispute.Amount <= 0 {
		return core.DisputeSnapshot{}, c.Unusable(errNoAmount)
	}
	amount, err := fromForeign(dispute.Amount, dispute.Currency)
	if err != nil {
		return core.DisputeSnapshot{}, c.Unusable(err)
	}
	seen := core.DisputeSnapshot{
		Ref: a.ref(core.ObjectDispute, dispute.ID), Payment: a.ref(core.ObjectPayment, ""),
		Status: disputeStatus(dispute.Status), ForeignStatus: outbound.SafeCode(string(dispute.Status)),
		Reason: disputeReason(dispute.Reason), ForeignReason: outbound.SafeCode(string(dispute.Reason)), Amount: amount,
		CanAccept: dispute.Status == stripesdk.DisputeStatusNeedsResponse, Environment: environment(dispute.Livemode), OpenedAt: fromUnix(dispute.Created),
	}
	if dispute.PaymentIntent != nil {
		seen.Payment.ID = dispute.PaymentIntent.ID
	}
	// Without a deadline the bank hears nobody.
	awaited := dispute.Status == stripesdk.DisputeStatusNeedsResponse || dispute.Status == stripesdk.DisputeStatusWarningNeedsResponse
	if details := dispute.EvidenceDetails; awaited && details != nil && details.DueBy > 0 {
		seen.DueAt, seen.CanSubmit = fromUnix(details.DueBy), true
	}
	if err := tellFunds(&seen, dispute.BalanceTransactions); err != nil {
		return core.DisputeSnapshot{}, c.Unusable(err)
	}
	return seen, nil
}

// tellFunds tells what a dispute took from the shop's balance and gave back to it, in the
// balance's currency. Nothing is told while nothing moved.
func tellFunds(into *core.DisputeSnapshot, moves []*stripesdk.BalanceTransaction) error {
	var taken, returned, fees int64
	var currency stripesdk.Currency
	for _, move := range moves {
		if move == nil || currency != "" && move.Currency != currency {
			return errAmountForeign
		}
		currency = move.Currency
		taken, returned, fees = taken+max(-move.Amount, 0), returned+max(move.Amount, 0), fees+move.Fee
	}
	if currency == "" {
		return nil
	}
	for _, amount := range []struct {
		name  string
		into  *core.Money
		value int64
	}{{"fee", &into.Fee, fees}, {"amount withdrawn", &into.Withdrawn, taken}, {"amount reinstated", &into.Reinstated, returned}} {
		money, err := fromForeign(amount.value, currency)
		if err != nil {
			return fmt.Errorf("%s: %w", amount.name, err)
		}
		*amount.into = money
	}
	return nil
}

// disputeStatus is ours for Stripe's. One that is not known here is none at all.
//
// Source: docs.stripe.com/api/disputes/object, status.
func disputeStatus(status stripesdk.DisputeStatus) core.DisputeStatus {
	switch status {
	case stripesdk.DisputeStatusWarningNeedsResponse, stripesdk.DisputeStatusWarningUnderReview:
		return core.DisputeInquiry
	case stripesdk.DisputeStatusNeedsResponse:
		return core.DisputeNeedsResponse
	case stripesdk.DisputeStatusUnderReview:
		return core.DisputeUnderReview
	case stripesdk.DisputeStatusWon, stripesdk.DisputeStatusWarningClosed:
		return core.DisputeWon
	case stripesdk.DisputeStatusLost:
		return core.DisputeLost
	}
	return ""
}

// disputeReason is ours for Stripe's; general for what has no word of its own here, which is
// what banks say of debits.
//
// Source: docs.stripe.com/api/disputes/object, reason.
func disputeReason(reason stripesdk.DisputeReason) core.DisputeReason {
	switch reason { //nolint:exhaustive // the others are general
	case stripesdk.DisputeReasonFraudulent, stripesdk.DisputeReasonDebitNotAuthorized:
		return core.DisputeFraudulent
	case stripesdk.DisputeReasonProductNotReceived:
		return core.DisputeNotReceived
	case stripesdk.DisputeReasonProductUnacceptable:
		return core.DisputeUnacceptable
	case stripesdk.DisputeReasonDuplicate:
		return core.DisputeDuplicate
	case stripesdk.DisputeReasonSubscriptionCanceled:
		return core.DisputeCanceledReason
	case stripesdk.DisputeReasonCreditNotProcessed:
		return core.DisputeNotRefunded
	case stripesdk.DisputeReasonUnrecognized:
		return core.DisputeUnrecognized
	}
	return core.DisputeGeneral
}
