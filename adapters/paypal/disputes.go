package paypal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	pathDisputes     = "/v1/customer/disputes/"
	pathDisputesList = "/v1/customer/disputes"
)

// disputeReasons are PayPal's reasons in our words.
//
// Source: PayPal's API description of disputes v1, dispute_reason.
var disputeReasons = map[string]core.DisputeReason{
	"MERCHANDISE_OR_SERVICE_NOT_RECEIVED": core.DisputeNotReceived, "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED": core.DisputeUnacceptable,
	"UNAUTHORISED": core.DisputeFraudulent, "CREDIT_NOT_PROCESSED": core.DisputeNotRefunded, "DUPLICATE_TRANSACTION": core.DisputeDuplicate,
	"PAYMENT_BY_OTHER_MEANS": core.DisputeDuplicate, "INCORRECT_AMOUNT": core.DisputeWrongAmount,
	"CANCELED_RECURRING_BILLING": core.DisputeCanceledReason, "PROBLEM_WITH_REMITTANCE": core.DisputeGeneral, "OTHER": core.DisputeGeneral,
}

// The statuses, stages and outcomes of a dispute, and whom its money moves for what.
//
// Source: PayPal's API description of disputes v1.
const (
	disputeOpen             = "OPEN"
	disputeWaitingForBuyer  = "WAITING_FOR_BUYER_RESPONSE"
	disputeWaitingForSeller = "WAITING_FOR_SELLER_RESPONSE"
	disputeUnderReview      = "UNDER_REVIEW"
	disputeResolved         = "RESOLVED"
	disputeOther            = "OTHER"

	stageInquiry = "INQUIRY"

	outcomeBuyer    = "RESOLVED_BUYER_FAVOUR"
	outcomeSeller   = "RESOLVED_SELLER_FAVOUR"
	outcomePayout   = "RESOLVED_WITH_PAYOUT"
	outcomeCanceled = "CANCELED_BY_BUYER"
	outcomeDenied   = "DENIED"
	outcomeAccepted = "ACCEPTED"

	partySeller    = "SELLER"
	moneyDebit     = "DEBIT"
	moneyCredit    = "CREDIT"
	moneyDisputed  = "DISPUTE_SETTLEMENT"
	actionEvidence = "provide-evidence"
	actionAccept   = "accept-claim"
)

// GetDispute implements [ports.Disputer]. PayPal names the capture that is disputed; the order
// that it is of is looked up.
//
// Source: GET /v1/customer/disputes/{id}.
func (a *Adapter) GetDispute(ctx context.Context, ref core.ProviderRef) (core.DisputeSnapshot, error) {
	op := a.op("get dispute", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectDispute); err != nil {
		return core.DisputeSnapshot{}, err
	}
	shown, err := a.lookAtDispute(ctx, op, ref.ID)
	if err != nil {
		return core.DisputeSnapshot{}, err
	}
	return a.disputeSeen(ctx, op, shown)
}

// PaymentDisputes implements [ports.Disputer]. PayPal lists those of the last half year.
//
// Source: GET /v1/customer/disputes with disputed_transaction_id.
func (a *Adapter) PaymentDisputes(ctx context.Context, payment core.ProviderRef) ([]core.DisputeSnapshot, error) {
	op := a.op("list disputes of", payment.ID)
	if err := a.checkRef(op, payment, core.ObjectPayment); err != nil {
		return nil, err
	}
	order, _, err := a.paid(ctx, op, payment.ID)
	if err != nil {
		return nil, err
	}
	disputed := []string{payment.ID} // of a payment without an order
	if order != nil {
		payment.ID, disputed = order.ID, nil
		for _, one := range order.payments().Captures {
			disputed = append(disputed, one.ID)
		}
	}
	var all []core.DisputeSnapshot
	for _, capture := range disputed[:min(len(disputed), ports.DisputesMax)] {
		ids, err := a.disputesOf(ctx, op, capture)
		if err != nil {
			return nil, err
		}
		for _, id := range ids[:min(len(ids), ports.DisputesMax-len(all))] {
			shown, err := a.lookAtDispute(ctx, op, id)
			if err != nil {
				return nil, err
			}
			seen, err := a.translateDispute(op, shown, payment)
			if err != nil {
				return nil, err
			}
			all = append(all, seen)
		}
	}
	slices.SortStableFunc(all, func(one, other core.DisputeSnapshot) int { return other.OpenedAt.Compare(one.OpenedAt) })
	return all, nil
}

// disputesOf are the ids of a capture's disputes.
func (a *Adapter) disputesOf(ctx context.Context, op, capture string) ([]string, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathDisputesList, query: url.Values{
		"disputed_transaction_id": {capture}, "page_size": {strconv.Itoa(ports.DisputesMax)},
	}})
	if err != nil {
		return nil, err
	}
	var list DisputeList
	if err := decode(op, got, &list); err != nil {
		return nil, err
	}
	if list.Items == nil {
		return nil, unusable(op, got, errNoObject)
	}
	ids := make([]string, 0, len(list.Items))
	for _, one := range list.Items {
		if one.DisputeID == "" || outbound.SafeID(one.DisputeID) == "" {
			return nil, unusable(op, got, errNoObject)
		}
		ids = append(ids, one.DisputeID)
	}
	return ids, nil
}

func (a *Adapter) lookAtDispute(ctx context.Context, op, id string) (*DisputeObject, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathDisputes + id})
	if err != nil {
		return nil, err
	}
	shown := &DisputeObject{requestID: got.requestID}
	if err := decode(op, got, shown); err != nil {
		return nil, err
	}
	if shown.DisputeID != id {
		return nil, shown.unusable(op, errNoObject)
	}
	return shown, nil
}

// unusable is a dispute that says nothing we can act on.
func (d *DisputeObject) unusable(op string, cause error) *core.ProviderError {
	return unusable(op, answer{requestID: d.requestID}, cause)
}

// disputeSeen is what an answer shows of a dispute, with the payment that it is about.
func (a *Adapter) disputeSeen(ctx context.Context, op string, d *DisputeObject) (core.DisputeSnapshot, error) {
	if len(d.DisputedTransactions) == 0 {
		return core.DisputeSnapshot{}, d.unusable(op, errNoObject)
	}
	capture := d.DisputedTransactions[0].SellerTransactionID
	if capture == "" || outbound.SafeID(capture) == "" {
		return core.DisputeSnapshot{}, d.unusable(op, errNoObject)
	}
	payment, err := a.owner(ctx, op, capture)
	if err != nil {
		return core.DisputeSnapshot{}, err
	}
	return a.translateDispute(op, d, core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: payment})
}

func (a *Adapter) translateDispute(op string, d *DisputeObject, payment core.ProviderRef) (core.DisputeSnapshot, error) {
	amount, err := fromForeign(d.Amount)
	if err != nil {
		return core.DisputeSnapshot{}, d.unusable(op, err)
	}
	seen := core.DisputeSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectDispute, ID: d.DisputeID}, Payment: payment, Amount: amount,
		Reason: disputeReasons[d.Reason], ForeignReason: outbound.SafeCode(d.Reason), Environment: a.environment(d.Links), OpenedAt: parseTime(d.CreateTime),
	}
	if seen.Reason == "" {
		seen.Reason = core.DisputeGeneral
	}
	if seen.Withdrawn, seen.Reinstated, seen.Fee, err = d.moved(); err != nil {
		return core.DisputeSnapshot{}, d.unusable(op, err)
	}
	seen.Status, seen.ForeignStatus = d.status(seen.Withdrawn, seen.Reinstated)
	waiting := d.Status == disputeWaitingForSeller
	if waiting {
		seen.DueAt = parseTime(d.SellerResponseDueDate)
	}
	seen.CanSubmit, seen.CanAccept = waiting && d.allows(actionEvidence), d.allows(actionAccept)
	return seen, nil
}

// status is ours for a dispute's, with PayPal's own word for what decides. Where PayPal does
// not say who won, the money does. A status that is not known here is none at all.
func (d *DisputeObject) status(withdrawn, reinstated core.Money) (core.DisputeStatus, string) {
	switch d.Status {
	case disputeOpen, disputeWaitingForBuyer, disputeWaitingForSeller:
		word := outbound.SafeCode(d.Stage + "." + d.Status)
		switch {
		case d.Stage == stageInquiry:
			return core.DisputeInquiry, word
		case d.Status == disputeWaitingForSeller:
			return core.DisputeNeedsResponse, word
		}
		return core.DisputeUnderReview, word
	case disputeUnderReview:
		return core.DisputeUnderReview, outbound.SafeCode(d.Stage + "." + d.Status)
	case disputeResolved, disputeOther:
		word := outbound.SafeCode(orElse(d.Outcome.Code, d.Status))
		switch d.Outcome.Code {
		case outcomeSeller, outcomeCanceled, outcomeDenied, outcomePayout:
			return core.DisputeWon, word
		case outcomeBuyer:
			return core.DisputeLost, word
		case outcomeAccepted:
			return core.DisputeAccepted, word
		}
		order, err := withdrawn.Compare(reinstated)
		if withdrawn.IsPositive() && (reinstated.IsZero() || err == nil && order > 0) {
			return core.DisputeLost, word
		}
		return core.DisputeWon, word
	}
	return "", outbound.SafeCode(d.Status)
}

// moved is what a dispute took from the shop, what it gave back, and what PayPal asks for it.
// Each is the zero Money where PayPal does not say, or says it in several currencies.
func (d *DisputeObject) moved() (withdrawn, reinstated, fee core.Money, err error) {
	for _, one := range d.MoneyMovements {
		if one.AffectedParty != partySeller || one.Type != moneyDebit && one.Type != moneyCredit {
			continue
		}
		amount, err := fromForeign(one.Amount)
		if err != nil {
			return core.Money{}, core.Money{}, core.Money{}, err
		}
		into := &fee
		switch {
		case one.Reason != moneyDisputed && one.Type == moneyCredit:
			continue // a fee that was given back is none of what the dispute itself moves
		case one.Reason == moneyDisputed && one.Type == moneyCredit:
			into = &reinstated
		case one.Reason == moneyDisputed:
			into = &withdrawn
		}
		*into = added(*into, amount)
	}
	return withdrawn, reinstated, fee, nil
}

// added is a sum with one amount more; the zero Money where they are of two currencies.
func added(sum, amount core.Money) core.Money {
	if sum == (core.Money{}) {
		return amount
	}
	total, err := sum.Add(amount)
	if err != nil {
		return core.Money{}
	}
	return total
}

// allows reports whether PayPal offers an action now. Where its link leads is not followed.
func (d *DisputeObject) allows(action string) bool {
	return slices.ContainsFunc(d.Links, func(link Link) bool {
		at, err := url.Parse(link.Href)
		return err == nil && strings.HasSuffix(at.Path, "/"+action)
	})
}
