package paypal

import "time"

// pendingLife is how long money takes that takes its time. In real life it is days.
const pendingLife = time.Minute

// capturesMax is how often one authorization can be captured.
const capturesMax = 99

var captureShape = object(map[string]shape{
	"amount": amount, "invoice_id": text(0, customCharsMax), "final_capture": flag,
	"note_to_payer": text(0, 255), "soft_descriptor": text(0, descriptorCharsMax),
})

// take makes a capture of what the card says to it. The caller holds mu.
func (s *Server) take(c *capture) *capture {
	now := s.now()
	c.id, c.funding, c.status, c.created, c.updated = s.newID(), c.order.funding, statusCompleted, now, now
	switch {
	case c.funding.refusal() != "":
		c.status = statusDeclined
	case c.funding.behavior.pending && c.authorization == nil:
		c.status, c.reason = statusPending, "ECHECK"
		if context := c.order.context; context != nil && context.MethodPreference == "IMMEDIATE_PAYMENT_REQUIRED" {
			c.reason = "PENDING_REVIEW" // which does not care what the shop prefers
		}
	}
	c.unit.captures = append(c.unit.captures, c)
	s.captures.Put(c.id, c)
	if c.status == statusPending {
		s.schedule(now.Add(pendingLife), func() { s.arrive(c) })
	}
	return c
}

// arrive ends the wait for money that takes its time. The caller holds mu.
func (s *Server) arrive(c *capture) {
	c.status, c.reason, c.updated, c.order.updated = statusCompleted, "", s.now(), s.now()
	s.tellCapture(c)
	s.disputeByCard(c)
}

// tellCapture tells how a capture went. Both names of a refusal occur. The caller holds mu.
func (s *Server) tellCapture(c *capture) {
	if c.order.subscription != nil {
		s.tell("PAYMENT.SALE."+c.status, c.id, s.shownSale(c))
		return
	}
	kind := "PAYMENT.CAPTURE.COMPLETED"
	switch {
	case c.status == statusPending:
		kind = "PAYMENT.CAPTURE.PENDING"
	case c.status == statusDeclined && c.order.source == sourceCard:
		kind = "PAYMENT.CAPTURE.DECLINED"
	case c.status == statusDeclined:
		kind = "PAYMENT.CAPTURE.DENIED"
	}
	s.tell(kind, c.id, s.shownCapture(c, true, true))
}

func (s *Server) getAuthorization(in *request) result {
	if a, ok := s.authorizations.Get(in.id); ok {
		return done(s.shownAuthorization(a, true, true))
	}
	return notFound()
}

func (s *Server) getCapture(in *request) result {
	if c, ok := s.captures.Get(in.id); ok {
		return done(s.shownCapture(c, true, true))
	}
	return notFound()
}

// refusal is why an authorization cannot be captured; empty where it can.
func (a *authorization) refusal(now time.Time) string {
	switch {
	case a.expired || !now.Before(a.expires) && a.status != statusCaptured:
		return "AUTHORIZATION_EXPIRED"
	case a.status == statusVoided:
		return "AUTHORIZATION_VOIDED"
	case a.status == statusDenied:
		return "AUTHORIZATION_DENIED"
	case a.status == statusCaptured:
		return "AUTHORIZATION_ALREADY_CAPTURED"
	case a.status == statusPending:
		return "TRANSACTION_REFUSED"
	case len(a.unit.captures) >= capturesMax:
		return "MAX_CAPTURE_COUNT_EXCEEDED"
	}
	return ""
}

// captureAuthorization takes money that is held, or a part of it. Without an amount, that is
// all that was held, whatever was taken before. More than what is left is never given here,
// though PayPal may.
//
// Source: developer.paypal.com/docs/api/payments/v2, authorizations_capture.
func (s *Server) captureAuthorization(in *request) result {
	var wire struct {
		Amount       *money `json:"amount"`
		InvoiceID    string `json:"invoice_id"`
		FinalCapture bool   `json:"final_capture"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	a, ok := s.authorizations.Get(in.id)
	if !ok {
		return notFound()
	}
	if issue := a.refusal(s.now()); issue != "" {
		return unprocessable(issue, "")
	}
	units := a.amount
	if wire.Amount != nil {
		var bad *result
		if units, bad = wire.Amount.units("/amount", false); bad != nil {
			return *bad
		}
		if wire.Amount.Currency != a.order.currency {
			return unprocessable("AUTH_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
		}
	}
	invoice := wire.InvoiceID
	if invoice == "" {
		invoice = a.unit.invoiceID
	}
	switch {
	case units > a.amount-a.captured:
		return unprocessable("MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount/value")
	case s.invoiced(invoice, a.unit):
		return unprocessable("DUPLICATE_INVOICE_ID", "/invoice_id")
	}
	a.captured += units
	a.status, a.updated, a.order.updated = statusPartlyCaptured, s.now(), s.now()
	if wire.FinalCapture || a.captured == a.amount {
		a.status = statusCaptured
	}
	c := s.take(&capture{order: a.order, unit: a.unit, authorization: a, amount: units, final: wire.FinalCapture, invoiceID: invoice})
	s.tellCapture(c)
	s.disputeByCard(c)
	return created("capture " + c.id)
}

// voidAuthorization lets go of what is held and was not taken.
//
// Source: developer.paypal.com/docs/api/payments/v2, authorizations_void.
func (s *Server) voidAuthorization(in *request) result {
	a, ok := s.authorizations.Get(in.id)
	if !ok {
		return notFound()
	}
	switch a.status {
	case statusCaptured:
		return unprocessable("PREVIOUSLY_CAPTURED", "")
	case statusVoided:
		return unprocessable("PREVIOUSLY_VOIDED", "")
	case statusDenied:
		return unprocessable("CANNOT_BE_VOIDED", "")
	}
	s.void(a)
	out := done(nil)
	out.ref = "authorization " + a.id
	return out
}

// void ends an authorization. The caller holds mu.
func (s *Server) void(a *authorization) {
	a.status, a.reason, a.updated = statusVoided, "", s.now()
	s.tell("PAYMENT.AUTHORIZATION.VOIDED", a.id, s.shownAuthorization(a, true, true))
}
