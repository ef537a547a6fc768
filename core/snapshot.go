package core

import "time"

// PaymentSnapshot is the present state of a provider's payment object, in our words,
// as our own server fetched it. It is the only thing that moves a payment.
type PaymentSnapshot struct {
	Ref           ProviderRef // of the payment; its ID is empty while a session has made none
	Session       string      // the page it is paid at, where that is an object of its own; else empty
	Payment       PaymentID   // our id as the provider keeps it with the object; empty where it keeps none
	Status        PaymentStatus
	ForeignStatus string // the provider's own word
	Amount        Money  // asked of the buyer
	Authorized    Money  // held or taken at its highest
	Captured      Money
	// Refunded is what went back, as the provider counts it: a hint to look at the refunds.
	Refunded Money
	// CaptureBefore is when an authorization runs out; zero where nothing is authorized, or where
	// the provider does not say.
	CaptureBefore time.Time
	// Subscription is the provider's id of the subscription whose billing asked for it; empty for
	// none.
	Subscription string
	Environment  Environment
	Method       *PaymentMethod // nil where not known yet
	Failure      *Failure       // why the last try did not work; nil where there was none
	Disputed     bool           // a hint to look at the disputes
	// Payable says that a buyer could still pay this very object, so that one we have
	// given up must be closed at the provider.
	Payable bool
	// Confirmable says that the buyer has agreed and it is for our server to ask for the
	// money.
	Confirmable bool
	CreatedAt   time.Time // at the provider
}

// ReviewReason says what made a payment need review.
type ReviewReason string

// The reasons for review.
const (
	ReviewAmount      ReviewReason = "amount_mismatch"
	ReviewCurrency    ReviewReason = "currency_mismatch"
	ReviewEnvironment ReviewReason = "environment_mismatch"
	ReviewTransition  ReviewReason = "impossible_transition"
	ReviewAmounts     ReviewReason = "inconsistent_amounts"
)

// Reason says, for the timeline, why a snapshot did what it did.
type Reason string

// The reasons. Those for review are told with their own words.
const (
	ReasonMoved         Reason = "moved"          // the status changed
	ReasonDetails       Reason = "details"        // the status stayed, something else is new
	ReasonSeenBefore    Reason = "seen_before"    // nothing new
	ReasonOlderState    Reason = "older_state"    // a state that ours has left behind
	ReasonOverpaid      Reason = "overpaid"       // another payment had completed the checkout
	ReasonOtherObject   Reason = "other_object"   // the object is not this payment's
	ReasonNotOurs       Reason = "not_ours"       // no payment of ours belongs to the object
	ReasonMissing       Reason = "missing"        // the provider has no such object
	ReasonForStaff      Reason = "for_staff"      // nobody could find out by themselves; it waits for staff
	ReasonStuck         Reason = "stuck"          // it has not moved for longer than it can take
	ReasonSettlesLater  Reason = "settles_later"  // no answer; a repair settles it
	ReasonProviderError Reason = "provider_error" // the provider said no
	ReasonByStaff       Reason = "by_staff"       // staff decided so
)

// Application is what a snapshot did to a payment.
type Application struct {
	Payment Payment // as it stands now
	Verdict Verdict
	Reason  Reason
	Changed bool // whether anything needs to be stored
	Moved   bool // whether the status changed, so that storefronts must be told
	Anomaly bool // whether the provider reports what the rules forbid
}

// ApplyPaymentSnapshot judges a sight of the provider's object against what is held and
// gives the payment as it then stands. It keeps the invariants whatever is seen:
// refunded ≤ captured ≤ authorized ≤ asked, amounts taken never shrink, terminal
// statuses stay, and applying the same snapshot again changes nothing.
func ApplyPaymentSnapshot(held Payment, seen PaymentSnapshot) Application {
	if held.isAnother(seen) {
		return Application{Payment: held, Verdict: Impossible, Reason: ReasonOtherObject}
	}
	next := held.named(seen)
	if review := reviewReason(held, seen); review != "" && !held.decided(review) {
		return parked(held, next, review, seen)
	}
	verdict := held.Status.Judge(seen.Status)
	if verdict == Impossible {
		if facts := takeFacts(next, seen); !held.Status.Terminal() {
			if facts.Check() != nil {
				return parked(held, next, ReviewAmounts, seen)
			}
			next = facts // staff decide on what the provider shows
		}
		return parked(held, next, ReviewTransition, seen)
	}
	if verdict == Stale && seen.Status != held.Status && held.Status != PaymentNeedsReview {
		return result(held, next, Stale, ReasonOlderState)
	}
	next = takeFacts(next, seen)
	if next.Check() != nil {
		return parked(held, held.named(seen), ReviewAmounts, seen)
	}
	if verdict == Advance {
		next.Status = seen.Status
		next.Failure = nil
		if seen.Status == PaymentFailed {
			next.Failure = failureOrDefault(seen.Failure)
		}
	}
	return result(held, next.untilCapture(seen), verdict, ReasonSeenBefore)
}

// untilCapture takes over when what is authorized runs out; nothing else does.
func (p Payment) untilCapture(seen PaymentSnapshot) Payment {
	if p.Status != PaymentAuthorized {
		p.CaptureBefore = time.Time{}
	} else if !seen.CaptureBefore.IsZero() {
		p.CaptureBefore = seen.CaptureBefore
	}
	return p
}

// reviewReason tells what of the seen object is not what was asked for.
func reviewReason(held Payment, seen PaymentSnapshot) ReviewReason {
	switch {
	case seen.Environment != held.Environment:
		return ReviewEnvironment
	case seen.Amount.Currency() != held.Amount.Currency():
		return ReviewCurrency
	case seen.Amount != held.Amount:
		return ReviewAmount
	}
	return ""
}

// takeFacts takes over what the provider knows. Money that moved is never forgotten:
// the amounts only grow.
func takeFacts(next Payment, seen PaymentSnapshot) Payment {
	next.AmountAuthorized = larger(next.AmountAuthorized, seen.Authorized)
	next.AmountCaptured = larger(next.AmountCaptured, seen.Captured)
	next.AmountRefunded = larger(next.AmountRefunded, seen.Refunded)
	next.ForeignStatus = seen.ForeignStatus
	next.Disputed = next.Disputed || seen.Disputed
	if seen.Method != nil {
		method := *seen.Method
		if next.Method != nil && next.OffSession {
			method.ID = next.Method.ID // of the saved method that was charged
		}
		if next.Method == nil || method != *next.Method {
			next.Method = &method
		}
	}
	return next
}

// larger is the greater of two amounts. Amounts of different currencies cannot reach
// it from a well-formed snapshot; then the seen one is passed on, and Check refuses it.
func larger(held, seen Money) Money {
	order, err := held.Compare(seen)
	if err == nil && order >= 0 {
		return held
	}
	return seen
}

// decided reports whether staff know of a difference in the amount, which may be lower than what was asked
// for, and decided on it.
func (p Payment) decided(review ReviewReason) bool {
	return review == ReviewAmount && p.Review == review && p.Status != PaymentNeedsReview
}

// parked hands a payment to staff, unless they decided on the same before. A terminal status stays as it is; what was seen is
// then kept as an anomaly beside it.
func parked(held, next Payment, review ReviewReason, seen PaymentSnapshot) Application {
	next.Anomaly = Reason(review)
	known := held.Status == PaymentFailed && held.Review == review && review != ReviewTransition
	if !held.Status.Terminal() && held.Status != PaymentNeedsReview && !known {
		next.Status = PaymentNeedsReview
		next.Review = review
		next.ForeignStatus = seen.ForeignStatus
		next.Failure = nil
	}
	next = next.untilCapture(seen)
	application := result(held, next, Impossible, Reason(review))
	application.Anomaly = true
	return application
}

func result(held, next Payment, verdict Verdict, unchanged Reason) Application {
	next.Anomaly = keptAnomaly(held.Anomaly, next.Anomaly, next.Status != held.Status)
	a := Application{
		Payment: next, Verdict: verdict, Reason: unchanged,
		Moved: next.Status != held.Status, Changed: !samePayment(held, next),
	}
	if verdict == Advance {
		a.Reason = ReasonMoved
	} else if a.Changed && verdict == Stale && unchanged == ReasonSeenBefore {
		a.Reason = ReasonDetails
	}
	return a
}

// samePayment compares what a snapshot can change.
func samePayment(a, b Payment) bool {
	method := a.Method == b.Method || a.Method != nil && b.Method != nil && *a.Method == *b.Method
	failure := a.Failure == b.Failure || a.Failure != nil && b.Failure != nil && *a.Failure == *b.Failure
	return method && failure && a.ProviderPaymentID == b.ProviderPaymentID && a.ProviderSessionID == b.ProviderSessionID && a.Status == b.Status &&
		a.ForeignStatus == b.ForeignStatus && a.AmountAuthorized == b.AmountAuthorized &&
		a.AmountCaptured == b.AmountCaptured && a.AmountRefunded == b.AmountRefunded &&
		a.Disputed == b.Disputed && a.Review == b.Review && a.Anomaly == b.Anomaly && a.CaptureBefore.Equal(b.CaptureBefore)
}

// isAnother reports whether what was seen is not this payment's. What is paid at a page is
// known by that page alone.
func (p Payment) isAnother(seen PaymentSnapshot) bool {
	if p.Account != seen.Ref.Account {
		return true
	}
	if p.ProviderSessionID != "" && p.ProviderSessionID != seen.Session {
		return true
	}
	return p.ProviderPaymentID != "" && p.ProviderPaymentID != seen.Ref.ID
}

// named takes over the provider's ids.
func (p Payment) named(seen PaymentSnapshot) Payment {
	p.ProviderPaymentID, p.ProviderSessionID = seen.Ref.ID, seen.Session
	return p
}

func failureOrDefault(f *Failure) *Failure {
	if f == nil {
		return NewFailure(FailureProcessingError, "")
	}
	return f
}
