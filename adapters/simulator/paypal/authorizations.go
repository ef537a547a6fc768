package paypal

// How much more than at first a reauthorization can hold.
//
// Source: developer.paypal.com/docs/api/payments/v2, authorizations_reauthorize.
const (
	reauthorizedPercentMost = 115
	reauthorizedMoreMost    = 75 // in whole units of the currency; PayPal's is in US dollars
)

var reauthorizeShape = object(map[string]shape{"amount": amount})

// hold makes an authorization of what the order's card says to it, and has it end in time.
// The caller holds mu.
func (s *Server) hold(a *authorization) *authorization {
	now := s.now()
	a.id, a.status, a.funding, a.created, a.updated = s.newID(), statusCreated, a.order.funding, now, now
	switch {
	case a.funding.refusal() != "":
		a.status = statusDenied
	case a.funding.behavior.pending:
		a.status, a.reason = statusPending, "PENDING_REVIEW"
		s.schedule(now.Add(pendingLife), func() { s.reviewed(a) })
	}
	a.unit.authorizations = append(a.unit.authorizations, a)
	s.authorizations.Put(a.id, a)
	s.schedule(a.expires, func() { s.lapse(a) })
	return a
}

// reviewed ends the wait for an authorization that takes its time. The caller holds mu.
func (s *Server) reviewed(a *authorization) {
	if a.status == statusPending {
		a.status, a.reason, a.updated = statusCreated, "", s.now()
	}
}

// lapse lets go of what was held too long. The caller holds mu.
func (s *Server) lapse(a *authorization) {
	if a.status == statusCreated || a.status == statusPartlyCaptured || a.status == statusPending {
		a.expired = true
		s.void(a)
	}
}

// reauthorize holds money anew once it is not certain to be there any more: under a new id,
// for as long as the first authorization would have lasted. The first one is void then. What
// PayPal says to a second time, and to too much, is not certain.
//
// Source: developer.paypal.com/docs/api/payments/v2, authorizations_reauthorize.
func (s *Server) reauthorize(in *request) result {
	var wire struct {
		Amount *money `json:"amount"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	a, ok := s.authorizations.Get(in.id)
	if !ok {
		return notFound()
	}
	now := s.now()
	issue := a.refusal(now)
	switch {
	case issue != "":
		return unprocessable(issue, "")
	case a.again || a.status == statusPartlyCaptured:
		return unprocessable("REAUTHORIZATION_NOT_ALLOWED", "")
	case now.Sub(a.created) < honorLife:
		return unprocessable("REAUTHORIZATION_TOO_SOON", "")
	}
	units := a.amount
	if wire.Amount != nil {
		var bad *result
		if units, bad = wire.Amount.units("/amount", false); bad != nil {
			return *bad
		}
		more := int64(reauthorizedMoreMost)
		if !wholeOnly(a.order.currency) {
			more *= 100
		}
		switch {
		case wire.Amount.Currency != a.order.currency:
			return unprocessable("AUTH_CURRENCY_MISMATCH", "/amount/currency_code")
		case units > a.amount*reauthorizedPercentMost/100 || units > a.amount+more:
			return unprocessable("AUTHORIZATION_AMOUNT_LIMIT_EXCEEDED", "/amount/value")
		}
	}
	a.status, a.updated, a.order.updated = statusVoided, now, now
	made := s.hold(&authorization{order: a.order, unit: a.unit, amount: units, expires: a.expires, again: true})
	s.tell("PAYMENT.AUTHORIZATION.CREATED", made.id, s.shownAuthorization(made, true, true))
	return created("authorization " + made.id)
}
