package core

import (
	"encoding/json"
	"fmt"
	"time"
)

// SeenPrices are the prices of ours that a subscription's snapshot names by the provider's ids;
// empty where they are none of ours.
type SeenPrices struct{ Current, Pending PriceID }

// SubscriptionApplication is what a snapshot did to a subscription.
type SubscriptionApplication struct {
	Subscription Subscription // as it stands now; EndedAt may be for whoever knows the time
	Verdict      Verdict
	Reason       Reason
	Changed      bool      // whether anything needs to be stored
	Moved        bool      // whether the status changed
	Anomaly      bool      // whether the provider reports what the rules forbid
	Event        EventType // to tell storefronts; empty for none
}

// ApplySubscriptionSnapshot judges a sight of the provider's subscription against what is held and
// gives the subscription as it then stands. Who is billed is the provider's to say: a move that the
// rules forbid is taken, too, and noted. Applying the same snapshot again changes nothing. Its
// invoices are judged apart.
func ApplySubscriptionSnapshot(held Subscription, seen SubscriptionSnapshot, prices SeenPrices) SubscriptionApplication {
	switch {
	case held.Account != seen.Ref.Account || seen.Ref.ID == "" || held.Exists() && held.ProviderSubscriptionID != seen.Ref.ID:
		return SubscriptionApplication{Subscription: held, Verdict: Impossible, Reason: ReasonOtherObject}
	case seen.Environment != held.Environment:
		return noted(held, Reason(ReviewEnvironment))
	case !seen.Status.Known():
		return noted(held, Reason(ReviewTransition))
	}
	next := held
	next.ProviderSubscriptionID = seen.Ref.ID
	verdict := held.Status.Judge(seen.Status)
	if verdict == Stale && seen.Status != held.Status {
		return subscriptionResult(held, next, verdict, ReasonOlderState)
	}
	next = next.takeFacts(seen, prices)
	next.Status = seen.Status
	if verdict == Impossible {
		next.Anomaly = Reason(ReviewTransition)
	}
	if held.Amount.Currency() != next.Amount.Currency() {
		next.Anomaly = Reason(ReviewCurrency)
	}
	return subscriptionResult(held, next, verdict, ReasonSeenBefore)
}

// noted keeps a subscription as it is and notes what was seen of it beside it.
func noted(held Subscription, reason Reason) SubscriptionApplication {
	next := held
	next.Anomaly = reason
	return SubscriptionApplication{
		Subscription: next, Verdict: Impossible, Reason: reason, Changed: next.Anomaly != held.Anomaly, Anomaly: true,
	}
}

// takeFacts takes over what the provider knows. What it does not tell stays as it was.
func (s Subscription) takeFacts(seen SubscriptionSnapshot, prices SeenPrices) Subscription {
	s.ForeignStatus = seen.ForeignStatus
	if seen.Price != "" {
		s.Price = prices.Current
	}
	if seen.Quantity > 0 {
		s.Quantity = seen.Quantity
	}
	if seen.Amount != (Money{}) {
		s.Amount = seen.Amount
	}
	if !seen.CurrentPeriodEnd.IsZero() {
		s.CurrentPeriodStart, s.CurrentPeriodEnd = seen.CurrentPeriodStart, seen.CurrentPeriodEnd
	}
	if !seen.TrialEnd.IsZero() {
		s.TrialEnd = seen.TrialEnd
	}
	s.Pending = nil
	if seen.PendingPrice != "" || seen.PendingQuantity > 0 {
		s.Pending = &SubscriptionChange{Price: prices.Pending, Quantity: seen.PendingQuantity, At: seen.PendingAt}
	}
	if seen.Method != nil {
		method := *seen.Method
		if s.Method != nil && method.ID == "" {
			method.ID = s.Method.ID
			if method != *s.Method {
				method.ID = "" // another one, of which nobody said that it is saved here
			}
		}
		s.Method = &method
	}
	s.FailedAttempts, s.NextAttempt = seen.FailedAttempts, seen.NextAttempt
	s.Failure = nil
	if seen.Failure != nil {
		failure := *seen.Failure
		s.Failure = &failure
	}
	s.CancelAtPeriodEnd = seen.CancelAtPeriodEnd || s.CancelHere
	ended := seen.Status == SubscriptionCanceled
	s.CanceledAt = orKept(seen.CanceledAt, s.CanceledAt, s.CancelHere || ended)
	s.EndedAt = orKept(seen.EndedAt, s.EndedAt, ended)
	return s
}

// orKept is a time that was seen; where none was, the one that is held, if it may stay.
func orKept(seen, held time.Time, keep bool) time.Time {
	if seen.IsZero() && keep {
		return held
	}
	return seen
}

func subscriptionResult(held, next Subscription, verdict Verdict, unchanged Reason) SubscriptionApplication {
	next.Anomaly = keptAnomaly(held.Anomaly, next.Anomaly, next.Status != held.Status || !next.CurrentPeriodEnd.Equal(held.CurrentPeriodEnd))
	a := SubscriptionApplication{
		Subscription: next, Verdict: verdict, Moved: next.Status != held.Status, Changed: !sameSubscription(held, next),
		Anomaly: next.Anomaly != held.Anomaly && next.Anomaly != "" || verdict == Impossible,
	}
	a.Reason = reasonOf(verdict, a.Changed, unchanged)
	a.Event = SubscriptionEvent(held, next)
	return a
}

// SubscriptionEvent is the event that tells of a subscription's change; empty for none.
func SubscriptionEvent(held, next Subscription) EventType {
	moved := held.Status != next.Status
	switch {
	case next.Status == SubscriptionIncomplete:
		return "" // nothing runs yet
	case moved && next.Status == SubscriptionCanceled:
		return EventSubscriptionCanceled
	case moved && held.Status == SubscriptionIncomplete:
		return EventSubscriptionCreated
	case moved && next.Status == SubscriptionPastDue:
		return EventSubscriptionPastDue
	case moved && next.Status == SubscriptionPaused:
		return EventSubscriptionPaused
	case moved || !samePublished(held, next):
		return EventSubscriptionUpdated
	}
	return ""
}

// sameSubscription compares what a snapshot can change.
func sameSubscription(a, b Subscription) bool {
	return samePublished(a, b) && a.ForeignStatus == b.ForeignStatus && a.FailedAttempts == b.FailedAttempts &&
		a.CancelHere == b.CancelHere && a.Anomaly == b.Anomaly
}

// samePublished compares what of that storefronts see.
func samePublished(a, b Subscription) bool {
	pending := a.Pending == b.Pending || a.Pending != nil && b.Pending != nil &&
		a.Pending.Price == b.Pending.Price && a.Pending.Quantity == b.Pending.Quantity && a.Pending.At.Equal(b.Pending.At)
	times := a.CurrentPeriodStart.Equal(b.CurrentPeriodStart) && a.CurrentPeriodEnd.Equal(b.CurrentPeriodEnd) && a.TrialEnd.Equal(b.TrialEnd) &&
		a.NextAttempt.Equal(b.NextAttempt) && a.CanceledAt.Equal(b.CanceledAt) && a.EndedAt.Equal(b.EndedAt)
	return pending && times && samePointed(a.Method, b.Method) && samePointed(a.Failure, b.Failure) &&
		a.ProviderSubscriptionID == b.ProviderSubscriptionID && a.Status == b.Status && a.Price == b.Price && a.Quantity == b.Quantity &&
		a.Amount == b.Amount && a.CancelAtPeriodEnd == b.CancelAtPeriodEnd
}

// Runs reports whether the provider bills the subscription, or would if it were not paused.
func (s SubscriptionStatus) Runs() bool {
	switch s {
	case SubscriptionTrialing, SubscriptionActive, SubscriptionPastDue, SubscriptionPaused, SubscriptionUnpaid:
		return true
	case SubscriptionIncomplete, SubscriptionCanceled:
	}
	return false
}

// Rejected is the subscription after its provider refused op for good: its creation, and so it
// never ran.
func (s Subscription) Rejected(op Operation, now time.Time) Subscription {
	if s.Status != SubscriptionIncomplete || s.Exists() || op.Kind != OpCreateSubscription {
		return s
	}
	s.Status, s.Failure, s.EndedAt = SubscriptionCanceled, failureOrDefault(op.Failure), now
	return s
}

// Abandoned is a subscription that is given up before it ran. operations are its own: while one
// is not settled it stays as it is.
func (s Subscription) Abandoned(operations []Operation, now time.Time) Subscription {
	if s.Status != SubscriptionIncomplete {
		return s
	}
	for _, op := range operations {
		if !op.Status.Settled() {
			return s
		}
	}
	s.Status, s.Failure, s.EndedAt = SubscriptionCanceled, NewFailure(FailureCanceledByBuyer, ""), now
	return s
}

// Superseded reports whether another subscription than s completed the checkout of both, so that
// nobody needs s.
func (c Checkout) Superseded(s Subscription) bool {
	return c.Mode == ModeSubscription && c.Status == CheckoutComplete && c.Subscription != s.ID
}

// Doubled reports whether s runs beside another subscription that completed the same checkout.
func (c Checkout) Doubled(s Subscription) bool { return s.Status.Runs() && c.Superseded(s) }

// ShownBySubscription reports whether a sight of the subscription proves that the operation took
// effect, so that one of unknown outcome is settled by it. Whether a change did is for the caller
// to compare.
func (o Operation) ShownBySubscription(seen SubscriptionSnapshot) bool {
	paused := seen.Status == SubscriptionPaused
	ends := seen.Status == SubscriptionCanceled || seen.CancelAtPeriodEnd
	return o.Kind == OpCreateSubscription || // it is there
		o.Kind == OpPauseSubscription && paused || o.Kind == OpCancelSubscription && ends ||
		o.Kind == OpResumeSubscription && seen.Status.Runs() && !paused && !ends
}

// AskedChange is what an operation that changes a subscription asks for, as it is written down.
type AskedChange struct {
	Price    PriceID   `json:"price"`
	Quantity int64     `json:"quantity"`
	Prorate  bool      `json:"prorate"`
	At       time.Time `json:"at"`
}

// ReadAskedChange reads what an operation asks for.
func ReadAskedChange(op Operation) (AskedChange, error) {
	var asked AskedChange
	if err := json.Unmarshal(op.Asked, &asked); err != nil {
		return asked, fmt.Errorf("read what %s asks: %w", op.ID, err)
	}
	return asked, nil
}
