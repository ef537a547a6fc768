package core

// RefundApplication is what a snapshot did to a refund.
type RefundApplication struct {
	Refund  Refund // as it stands now
	Verdict Verdict
	Reason  Reason
	Changed bool // whether anything needs to be stored
	Moved   bool // whether the status changed
	Anomaly bool // whether the provider reports what the rules forbid
}

// ApplyRefundSnapshot judges a sight of the provider's refund against what is held and gives
// the refund as it then stands. Money facts follow the provider: what the rules forbid is taken
// all the same, and noted as an anomaly. What is of another environment or currency is not.
// Applying the same snapshot again changes nothing.
func ApplyRefundSnapshot(held Refund, seen RefundSnapshot) RefundApplication {
	if held.Account != seen.Ref.Account || held.ProviderRefundID != "" && held.ProviderRefundID != seen.Ref.ID {
		return RefundApplication{Refund: held, Verdict: Impossible, Reason: ReasonOtherObject}
	}
	next := held
	next.ProviderRefundID = seen.Ref.ID
	if review := refundReview(held, seen); review != "" {
		next.Anomaly = Reason(review)
		return refundResult(held, next, Impossible, Reason(review))
	}
	verdict := held.Status.Judge(seen.Status)
	if verdict == Stale && seen.Status != held.Status {
		return refundResult(held, next, Stale, ReasonOlderState)
	}
	reason := ReasonSeenBefore
	if verdict == Impossible {
		reason = Reason(ReviewTransition)
		next.Anomaly = reason
	}
	if seen.Amount != held.Amount {
		verdict, reason = Impossible, Reason(ReviewAmount)
		next.Anomaly, next.Amount = reason, seen.Amount
	}
	next.Status, next.ForeignStatus = seen.Status, seen.ForeignStatus
	next.Failure = refundFailure(held, seen)
	return refundResult(held, next, verdict, reason)
}

// NewRefundFromSnapshot is a refund that was made in the provider's own dashboard, the first time
// that it is seen. Who stores it adds ids and times.
func NewRefundFromSnapshot(p Payment, seen RefundSnapshot) Refund {
	r := Refund{
		Payment: p.ID, Account: p.Account, Provider: p.Provider, ProviderRefundID: seen.Ref.ID, Status: seen.Status,
		ForeignStatus: seen.ForeignStatus, Amount: seen.Amount, Reason: RefundOther, Origin: OriginProvider, Environment: p.Environment,
	}
	r.Failure = refundFailure(r, seen)
	return r
}

// Rejected is a refund after its provider refused op, which was to make it. One that was seen
// there all the same stays as it is.
func (r Refund) Rejected(op Operation) Refund {
	if r.Status != RefundPending || r.ProviderRefundID != "" {
		return r
	}
	r.Status, r.Failure = RefundFailed, op.Failure
	if r.Failure == nil {
		r.Failure = NewFailure(FailureRefundFailed, "")
	}
	return r
}

// refundReview tells what of the seen object can be no part of the held one's story.
func refundReview(held Refund, seen RefundSnapshot) ReviewReason {
	switch {
	case seen.Environment != held.Environment:
		return ReviewEnvironment
	case seen.Amount.Currency() != held.Amount.Currency():
		return ReviewCurrency
	case !seen.Status.Known() || !seen.Amount.IsPositive():
		return ReviewTransition
	}
	return ""
}

// refundFailure is why a refund that was seen failed; nil where it did not.
func refundFailure(held Refund, seen RefundSnapshot) *Failure {
	switch {
	case seen.Status != RefundFailed:
		return nil
	case seen.Failure != nil:
		failure := *seen.Failure
		return &failure
	case held.Failure != nil:
		return held.Failure
	}
	return NewFailure(FailureRefundFailed, "")
}

func refundResult(held, next Refund, verdict Verdict, reason Reason) RefundApplication {
	next.Anomaly = keptAnomaly(held.Anomaly, next.Anomaly, next.Status != held.Status)
	a := RefundApplication{
		Refund: next, Verdict: verdict, Reason: reason, Anomaly: verdict == Impossible,
		Moved: next.Status != held.Status, Changed: !sameRefund(held, next),
	}
	if verdict == Advance {
		a.Reason = ReasonMoved
	} else if a.Changed && verdict == Stale && reason == ReasonSeenBefore {
		a.Reason = ReasonDetails
	}
	return a
}

// sameRefund compares what a snapshot can change.
func sameRefund(a, b Refund) bool {
	failure := a.Failure == b.Failure || a.Failure != nil && b.Failure != nil && *a.Failure == *b.Failure
	return failure && a.ProviderRefundID == b.ProviderRefundID && a.Status == b.Status &&
		a.ForeignStatus == b.ForeignStatus && a.Amount == b.Amount && a.Anomaly == b.Anomaly
}

// RefundSums are what a payment's refunds add up to, in its currency.
type RefundSums struct {
	Succeeded Money // given back for certain
	Reserved  Money // given back, or on its way
	Seen      Money // of the reserved ones, those that are known to exist at the provider
}

// SumRefunds adds up refunds of one currency. An error means that one is of another, or that the
// sum leaves the range.
func SumRefunds(refunds []Refund, currency Currency) (RefundSums, error) {
	sums := RefundSums{Succeeded: Zero(currency), Reserved: Zero(currency), Seen: Zero(currency)}
	for _, r := range refunds {
		for _, of := range []struct {
			sum   *Money
			takes bool
		}{
			{&sums.Succeeded, r.Status == RefundSucceeded},
			{&sums.Reserved, r.Status.Reserves()},
			{&sums.Seen, r.Status.Reserves() && r.ProviderRefundID != ""},
		} {
			if !of.takes {
				continue
			}
			sum, err := of.sum.Add(r.Amount)
			if err != nil {
				return RefundSums{}, err
			}
			*of.sum = sum
		}
	}
	return sums, nil
}

// RefundLeft is what can still be given back beside these refunds, which are all of the
// payment's. What a provider counts that has told of no refund yet is not given back twice.
func (p Payment) RefundLeft(refunds []Refund) (Money, error) {
	sums, err := SumRefunds(refunds, p.Amount.Currency())
	if err != nil {
		return Money{}, err
	}
	left, err := p.AmountCaptured.Sub(larger(sums.Reserved, p.AmountRefunded))
	if err != nil || !left.IsPositive() {
		return Zero(p.Amount.Currency()), err
	}
	return left, nil
}

// CheckRefund reports why an amount cannot be given back now, or nil. refunds and disputes are all
// of the payment's.
func (p Payment) CheckRefund(amount Money, refunds []Refund, disputes []Dispute) error {
	if p.Status != PaymentSucceeded || p.ProviderPaymentID == "" {
		return ErrPaymentNotOpen
	}
	for _, d := range disputes {
		if d.Status.BlocksRefund() {
			return ErrPaymentDisputed
		}
	}
	if amount.Currency() != p.Amount.Currency() {
		return ErrCurrencyOther
	}
	left, err := p.RefundLeft(refunds)
	if err != nil {
		return err
	}
	if order, err := amount.Compare(left); err != nil || order > 0 || !amount.IsPositive() {
		return ErrAmountNotAvailable
	}
	return nil
}

// WithRefunds is the payment with what these refunds, which are all of its own, gave back. Where
// the provider shows more than was taken, that is an anomaly, and as much as was taken counts. The
// second result tells whether that is news.
func (p Payment) WithRefunds(refunds []Refund) (Payment, bool) {
	sums, err := SumRefunds(refunds, p.Amount.Currency())
	odd := err != nil
	if err == nil {
		p.AmountRefunded = sums.Succeeded
		if order, err := sums.Succeeded.Compare(p.AmountCaptured); err != nil || order > 0 {
			p.AmountRefunded, odd = p.AmountCaptured, true
		}
	}
	news := odd && p.Anomaly != Reason(ReviewAmounts)
	if odd {
		p.Anomaly = Reason(ReviewAmounts)
	}
	return p, news
}

// WithDisputes is the payment with whether these disputes, which are all of its own, stand in the
// way of its money.
func (p Payment) WithDisputes(disputes []Dispute) Payment {
	p.Disputed = false
	for _, d := range disputes {
		p.Disputed = p.Disputed || d.Status != DisputeWon
	}
	return p
}
