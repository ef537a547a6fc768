package core

// MethodApplication is what a snapshot did to a saved method.
type MethodApplication struct {
	Method  SavedMethod // as it stands now; RemovedAt is for whoever knows the time
	Verdict Verdict
	Reason  Reason
	Changed bool // whether anything needs to be stored
	Moved   bool // whether the status changed
	Anomaly bool // whether the provider reports what the rules forbid
}

// ApplyMethodSnapshot judges a sight of the provider's object against what is held and gives the
// method as it then stands. Applying the same snapshot again changes nothing.
func ApplyMethodSnapshot(held SavedMethod, seen MethodSnapshot) MethodApplication {
	switch {
	case held.isAnother(seen):
		return MethodApplication{Method: held, Verdict: Impossible, Reason: ReasonOtherObject}
	case seen.Environment != held.Environment:
		return MethodApplication{Method: held, Verdict: Impossible, Reason: Reason(ReviewEnvironment), Anomaly: true}
	case !seen.Status.Known():
		return MethodApplication{Method: held, Verdict: Impossible, Reason: Reason(ReviewTransition), Anomaly: true}
	}
	next := held
	if seen.Ref.ID != "" {
		next.ProviderMethodID = seen.Ref.ID
	}
	if seen.Setup != "" {
		next.ProviderSetupID = seen.Setup
	}
	verdict := held.Status.Judge(seen.Status)
	if verdict == Stale && seen.Status != held.Status {
		return methodResult(held, next, verdict, ReasonOlderState)
	}
	next.ForeignStatus = seen.ForeignStatus
	if seen.Details != (PaymentMethod{}) {
		next.Details = seen.Details
	}
	next.Details.ID = held.ID
	next.Status, next.Failure = seen.Status, nil
	if next.Status == MethodFailed {
		next.Failure = failureOrDefault(seen.Failure)
	}
	return methodResult(held, next, verdict, ReasonSeenBefore)
}

func methodResult(held, next SavedMethod, verdict Verdict, unchanged Reason) MethodApplication {
	a := MethodApplication{
		Method: next, Verdict: verdict, Reason: unchanged, Moved: next.Status != held.Status, Changed: !sameMethod(held, next),
		Anomaly: verdict == Impossible,
	}
	a.Reason = reasonOf(verdict, a.Changed, unchanged)
	return a
}

// reasonOf is why a snapshot did what it did, where unchanged is the reason for doing nothing.
func reasonOf(verdict Verdict, changed bool, unchanged Reason) Reason {
	switch {
	case verdict == Impossible:
		return Reason(ReviewTransition)
	case verdict == Advance:
		return ReasonMoved
	case changed && unchanged == ReasonSeenBefore:
		return ReasonDetails
	}
	return unchanged
}

// sameMethod compares what a snapshot can change.
func sameMethod(a, b SavedMethod) bool {
	return a.ProviderMethodID == b.ProviderMethodID && a.ProviderSetupID == b.ProviderSetupID && a.Status == b.Status &&
		a.ForeignStatus == b.ForeignStatus && a.Details == b.Details && samePointed(a.Failure, b.Failure)
}

// samePointed compares what two pointers point to; nil is equal to nil alone.
func samePointed[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// isAnother reports whether what was seen is not this method's.
func (m SavedMethod) isAnother(seen MethodSnapshot) bool {
	if m.Account != seen.Ref.Account {
		return true
	}
	if m.ProviderSetupID != "" && seen.Setup != "" && m.ProviderSetupID != seen.Setup {
		return true
	}
	return m.ProviderMethodID != "" && seen.Ref.ID != "" && m.ProviderMethodID != seen.Ref.ID
}

// SupersededMethod reports whether another method than m completed the checkout of both, so that
// nobody needs m.
func (c Checkout) SupersededMethod(m SavedMethod) bool {
	return c.Mode == ModeSetup && c.Status == CheckoutComplete && c.Method != m.ID
}

// Chargeable reports why the method cannot be charged without its buyer, or nil.
func (m SavedMethod) Chargeable() error {
	if m.Status != MethodActive || m.Consent == nil || m.ProviderMethodID == "" {
		return ErrMethodNotUsable
	}
	return nil
}

// Rejected is the method after its provider refused op for good, as err says: failed where it
// was not to be had. One that has moved on stays as it is, and so does one whose confirmation
// was out of place, not declined: there a look at what the buyer agrees to tells.
func (m SavedMethod) Rejected(op Operation, err *ProviderError) SavedMethod {
	declined := err != nil && err.Class == ClassDeclined
	creates := op.Kind == OpCreateSetup || op.Kind == OpConfirmSetup && (declined || m.Ref().ID == "")
	if m.Status != MethodPending || !creates {
		return m
	}
	m.Status, m.Failure = MethodFailed, failureOrDefault(op.Failure)
	return m
}

// Abandoned is a method that is given up by its buyer or its checkout before it was saved.
// operations are the method's: while our server's own part is not settled it stays as it is.
func (m SavedMethod) Abandoned(operations []Operation) SavedMethod {
	if m.Status != MethodPending {
		return m
	}
	for _, op := range operations {
		if !op.Status.Settled() || op.Kind == OpConfirmSetup && op.Status == OperationSucceeded {
			return m
		}
	}
	m.Status, m.Failure = MethodFailed, NewFailure(FailureCanceledByBuyer, "")
	return m
}

// ShownByMethod reports whether a sight of the method proves that the operation took effect, so
// that one of unknown outcome is settled by it.
func (o Operation) ShownByMethod(seen MethodSnapshot) bool {
	gone := seen.Status == MethodRemoved
	return o.Kind == OpCreateSetup && (seen.Setup != "" || seen.Ref.ID != "") ||
		o.Kind == OpConfirmSetup && (gone || seen.Status == MethodActive) || o.Kind == OpDetachMethod && gone
}
