package core

// ReviewResolution is what staff make of a payment that needs review.
type ReviewResolution string

// The resolutions.
const (
	// ReviewAccept takes what the provider shows as right, though it is not what was asked for.
	ReviewAccept ReviewResolution = "accept"
	// ReviewDecline gives the payment up. Nobody may hold the buyer's money by then.
	ReviewDecline ReviewResolution = "decline"
)

// Known reports whether r is one of the resolutions.
func (r ReviewResolution) Known() bool { return r == ReviewAccept || r == ReviewDecline }

// Resolved is a payment after staff decided on it, with what its provider shows now; nil where the
// provider has no such object. Its reason for review stays, so that the same sight does not hand it to
// staff again.
//
// It is [ErrPaymentNotOpen] where the payment needs no review, where what is to be accepted can be no part
// of it (another currency or environment, more than was asked for, or nothing at all), and where what is
// to be declined holds money; [ErrPaymentInProgress] where that may still come.
func (p Payment) Resolved(how ReviewResolution, seen *PaymentSnapshot) (Payment, error) {
	if p.Status != PaymentNeedsReview || !how.Known() {
		return p, ErrPaymentNotOpen
	}
	if how == ReviewDecline {
		return p.declined(seen)
	}
	if seen == nil || p.isAnother(*seen) || seen.Environment != p.Environment || seen.Amount.Currency() != p.Amount.Currency() {
		return p, ErrPaymentNotOpen
	}
	next := takeFacts(p.named(*seen), *seen)
	if next.Check() != nil || !seen.Status.Known() || seen.Status == PaymentNeedsReview {
		return p, ErrPaymentNotOpen
	}
	next.Status, next.Failure, next.Anomaly = seen.Status, nil, ""
	if seen.Status == PaymentFailed {
		next.Failure = failureOrDefault(seen.Failure)
	}
	return next.untilCapture(*seen), nil
}

func (p Payment) declined(seen *PaymentSnapshot) (Payment, error) {
	if p.Refundable().IsPositive() {
		return p, ErrPaymentNotOpen
	}
	if seen != nil {
		switch {
		case seen.Status.HoldsMoney() || seen.Captured.Minor() > seen.Refunded.Minor():
			return p, ErrPaymentNotOpen
		case seen.Status == PaymentProcessing:
			return p, ErrPaymentInProgress
		}
	}
	p.Status, p.Failure, p.Anomaly = PaymentFailed, NewFailure(FailureProcessingError, ""), ""
	return p, nil
}
