package square

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	disputesPath = "/v2/disputes"
	// disputePagesMax is far above the disputes of a shop that still may take cards.
	disputePagesMax = 50
)

// The states of a dispute.
//
// Source: developer.squareup.com/reference/square/enums/DisputeState.
const (
	disputeInquiryOpen       = "INQUIRY_EVIDENCE_REQUIRED"
	disputeInquiryProcessing = "INQUIRY_PROCESSING"
	disputeInquiryClosed     = "INQUIRY_CLOSED"
	disputeOpen              = "EVIDENCE_REQUIRED"
	disputeProcessing        = "PROCESSING"
	disputeWon               = "WON"
	disputeLost              = "LOST"
	disputeAccepted          = "ACCEPTED"
)

// Dispute is a dispute as Square shows it, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/Dispute.
type Dispute struct {
	ID              string          `json:"id"`
	State           string          `json:"state"`
	Reason          string          `json:"reason"`
	AmountMoney     *Money          `json:"amount_money"`
	DueAt           string          `json:"due_at"`
	DisputedPayment DisputedPayment `json:"disputed_payment"`
	CreatedAt       string          `json:"created_at"`
	UpdatedAt       string          `json:"updated_at"`
}

// DisputedPayment names what is disputed.
type DisputedPayment struct {
	PaymentID string `json:"payment_id"`
}

func disputeID(out answer) string {
	if out.Dispute == nil {
		return ""
	}
	return out.Dispute.ID
}

// disputeReasons are ours for Square's. All others are general.
//
// Source: developer.squareup.com/reference/square/enums/DisputeReason.
var disputeReasons = map[string]core.DisputeReason{
	"AMOUNT_DIFFERS": core.DisputeWrongAmount, "CANCELLED": core.DisputeCanceledReason, "DUPLICATE": core.DisputeDuplicate,
	"NO_KNOWLEDGE": core.DisputeUnrecognized, "NOT_AS_DESCRIBED": core.DisputeUnacceptable, "NOT_RECEIVED": core.DisputeNotReceived,
	"PAID_BY_OTHER_MEANS": core.DisputeDuplicate, "CUSTOMER_REQUESTS_CREDIT": core.DisputeNotRefunded, "EMV_LIABILITY_SHIFT": core.DisputeFraudulent,
}

// GetDispute implements [ports.Disputer].
//
// Source: GET /v2/disputes/{id}.
func (a *Adapter) GetDispute(ctx context.Context, ref core.ProviderRef) (core.DisputeSnapshot, error) {
	op := a.op("get dispute", safeID(ref.ID))
	if err := a.checkRef(op, ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	return a.dispute(ctx, op, ref.ID)
}

func (a *Adapter) dispute(ctx context.Context, op, id string) (core.DisputeSnapshot, error) {
	out, err := a.api.object(ctx, op, http.MethodGet, disputesPath+"/"+id, nil, id, disputeID)
	return a.disputeSeen(out, err)
}

// PaymentDisputes implements [ports.Disputer]. Square's list can be asked neither for those of
// one payment nor for a time: it is gone through.
//
// Source: GET /v2/disputes.
func (a *Adapter) PaymentDisputes(ctx context.Context, payment core.ProviderRef) ([]core.DisputeSnapshot, error) {
	op := a.op("list disputes of", safeID(payment.ID))
	if err := a.checkRef(op, payment, core.ObjectPayment); err != nil {
		return nil, err
	}
	var seen []core.DisputeSnapshot
	query := url.Values{"location_id": {a.location}}
	for page := range disputePagesMax {
		out, err := a.api.do(ctx, op, http.MethodGet, disputesPath, query, nil)
		if err != nil {
			return nil, err
		}
		for _, one := range out.Disputes {
			if one.DisputedPayment.PaymentID != payment.ID {
				continue
			}
			found, err := a.translateDispute(one)
			if err != nil {
				return nil, out.call.Unusable(err)
			}
			seen = append(seen, found)
		}
		if out.Cursor == "" {
			break
		}
		if page == disputePagesMax-1 {
			return nil, out.call.Unusable(errTooMany)
		}
		query.Set("cursor", out.Cursor)
	}
	slices.SortStableFunc(seen, func(one, other core.DisputeSnapshot) int { return other.OpenedAt.Compare(one.OpenedAt) })
	return seen[:min(len(seen), ports.DisputesMax)], nil
}

// AcceptDispute implements [ports.Disputer]. The call takes no key: of one that Square refuses
// the dispute itself tells whether it is done.
//
// Source: POST /v2/disputes/{id}/accept.
func (a *Adapter) AcceptDispute(ctx context.Context, key core.OperationKey, in ports.AcceptDispute) (core.DisputeSnapshot, error) {
	op := a.op("accept", safeID(in.Ref.ID))
	if err := a.checkOrder(op, key, in.Ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	return a.moveDispute(ctx, op, in.Ref.ID, "accept", core.DisputeAccepted)
}

// moveDispute makes a call that moves a dispute on, at most once.
func (a *Adapter) moveDispute(ctx context.Context, op, id, verb string, done core.DisputeStatus) (core.DisputeSnapshot, error) {
	out, err := a.api.object(ctx, op, http.MethodPost, disputesPath+"/"+id+"/"+verb, nil, id, disputeID)
	if !isInvalid(err) || isMissing(err) {
		return a.disputeSeen(out, err)
	}
	present, lookErr := a.dispute(ctx, op, id)
	switch {
	case lookErr != nil && !isInvalid(lookErr):
		return core.DisputeSnapshot{}, afterwards(lookErr)
	case lookErr == nil && (present.Status == done || present.ForeignStatus == disputeInquiryProcessing && done == core.DisputeUnderReview):
		return present, nil
	}
	return core.DisputeSnapshot{}, err
}

func (a *Adapter) disputeSeen(out answer, err error) (core.DisputeSnapshot, error) {
	if err != nil {
		return core.DisputeSnapshot{}, err
	}
	seen, err := a.translateDispute(*out.Dispute)
	if err != nil {
		return core.DisputeSnapshot{}, out.call.Unusable(err)
	}
	return seen, nil
}

// translateDispute puts a dispute into our words. Square tells neither its fee nor what it took
// and gave back.
func (a *Adapter) translateDispute(d Dispute) (core.DisputeSnapshot, error) {
	if safeID(d.ID) == "" || safeID(d.DisputedPayment.PaymentID) == "" || outbound.SafeCode(d.State) == "" {
		return core.DisputeSnapshot{}, errNoObject
	}
	amount, err := fromForeign(d.AmountMoney)
	if err != nil {
		return core.DisputeSnapshot{}, err
	}
	if !amount.IsPositive() {
		return core.DisputeSnapshot{}, errNotReadable
	}
	seen := core.DisputeSnapshot{
		Ref: a.ref(core.ObjectDispute, d.ID), Payment: a.ref(core.ObjectPayment, d.DisputedPayment.PaymentID),
		Status: disputeStatus(d.State), ForeignStatus: outbound.SafeCode(d.State),
		Reason: core.DisputeGeneral, ForeignReason: outbound.SafeCode(d.Reason), Amount: amount, Environment: a.env,
		// An inquiry has taken nothing yet that could be left to the buyer.
		CanSubmit: d.State == disputeOpen || d.State == disputeInquiryOpen, CanAccept: d.State == disputeOpen,
	}
	if reason, known := disputeReasons[d.Reason]; known {
		seen.Reason = reason
	}
	if seen.OpenedAt, err = fromTime(d.CreatedAt); err != nil {
		return core.DisputeSnapshot{}, err
	}
	if seen.CanSubmit {
		if seen.DueAt, err = fromTime(d.DueAt); err != nil {
			return core.DisputeSnapshot{}, err
		}
	}
	return seen, nil
}

// disputeStatus is ours for a dispute's state. One that is not known here is none at all.
func disputeStatus(state string) core.DisputeStatus {
	switch state {
	case disputeInquiryOpen, disputeInquiryProcessing:
		return core.DisputeInquiry
	case disputeOpen:
		return core.DisputeNeedsResponse
	case disputeProcessing:
		return core.DisputeUnderReview
	case disputeWon, disputeInquiryClosed:
		return core.DisputeWon
	case disputeLost:
		return core.DisputeLost
	case disputeAccepted:
		return core.DisputeAccepted
	}
	return ""
}
