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

var refundShape = object(map[string]shape{
	"amount": amount, "custom_id": text(1, customCharsMax), "invoice_id": text(0, customCharsMax), "note_to_payer": text(0, 255),
})

// take makes a capture of what the card says to it. The caller holds mu.
func (s *Server) take(c *capture) *capture {
	now := s.Clock.Now()
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
	return c
}

// tellCapture tells how a capture went. Both names of a refusal occur. The caller holds mu.
func (s *Server) tellCapture(c *capture) {
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

func (s *Server) getRefund(in *request) result {
	if r, ok := s.refunds.Get(in.id); ok {
		return done(s.shownRefund(r, true))
	}
	return notFound()
}

// refusal is why an authorization cannot be captured; empty where it can.
func (a *authorization) refusal(now time.Time) string {
	switch {
	case a.expired || now.Sub(a.created) >= authorizationLife && a.status != statusCaptured:
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
	if issue := a.refusal(s.Clock.Now()); issue != "" {
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
	a.status, a.updated, a.order.updated = statusPartlyCaptured, s.Clock.Now(), s.Clock.Now()
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
	a.status, a.reason, a.updated = statusVoided, "", s.Clock.Now()
	s.tell("PAYMENT.AUTHORIZATION.VOIDED", a.id, s.shownAuthorization(a, true, true))
}

// refusal is why a part of a capture cannot be given back, or all that is left of it; empty
// where it can.
func (c *capture) refusal(units int64, now time.Time) string {
	left := c.amount - c.refunded
	switch {
	case c.status == statusPending:
		return "PENDING_CAPTURE"
	case c.status == statusDeclined:
		return "REFUND_NOT_ALLOWED"
	case left == 0:
		return "CAPTURE_FULLY_REFUNDED"
	case now.Sub(c.created) > refundLife:
		return "REFUND_TIME_LIMIT_EXCEEDED"
	case c.dispute != nil && c.dispute.stage == stageChargeback && c.dispute.outcome != outcomeWon:
		return "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"
	case c.dispute != nil && c.dispute.outcome == "" && units < left:
		return "TRANSACTION_DISPUTED"
	case units > left:
		return "REFUND_AMOUNT_EXCEEDED"
	}
	return ""
}

// refundCapture gives money back.
//
// Source: developer.paypal.com/docs/api/payments/v2, captures_refund.
func (s *Server) refundCapture(in *request) result {
	var wire struct {
		Amount    *money `json:"amount"`
		InvoiceID string `json:"invoice_id"`
		CustomID  string `json:"custom_id"`
		Note      string `json:"note_to_payer"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	c, ok := s.captures.Get(in.id)
	if !ok {
		return notFound()
	}
	units := c.amount - c.refunded
	if wire.Amount != nil {
		var bad *result
		if units, bad = wire.Amount.units("/amount", false); bad != nil {
			return *bad
		}
		if wire.Amount.Currency != c.order.currency {
			return unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
		}
	}
	now := s.Clock.Now()
	if issue := c.refusal(units, now); issue != "" {
		return unprocessable(issue, "")
	}
	for _, other := range s.refunds.All() {
		if wire.InvoiceID != "" && other.invoiceID == wire.InvoiceID {
			return unprocessable("DUPLICATE_INVOICE_ID", "/invoice_id")
		}
	}
	c.refunded += units
	c.status, c.updated, c.order.updated = statusPartlyRefunded, now, now
	if c.refunded == c.amount {
		c.status = statusRefunded
	}
	r := &refund{
		id: s.newID(), status: statusCompleted, capture: c, amount: units, invoiceID: wire.InvoiceID, customID: wire.CustomID, note: wire.Note,
		created: now, updated: now,
	}
	kind := "PAYMENT.CAPTURE.REFUNDED"
	if c.funding.behavior.pending {
		r.status, r.reason, kind = statusPending, "ECHECK", "PAYMENT.REFUND.PENDING"
	}
	c.unit.refunds = append(c.unit.refunds, r)
	s.refunds.Put(r.id, r)
	s.tell(kind, r.id, s.shownRefund(r, true))
	return created("refund " + r.id)
}

// Elapse implements [engine.Dialect]: money that takes its time arrives, and what is held too
// long is let go.
func (s *Server) Elapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	for _, a := range s.authorizations.All() {
		switch {
		case now.Sub(a.created) >= authorizationLife && (a.status == statusCreated || a.status == statusPartlyCaptured || a.status == statusPending):
			a.expired = true
			s.void(a)
		case a.status == statusPending && now.Sub(a.created) >= pendingLife:
			a.status, a.reason, a.updated = statusCreated, "", now
		}
	}
	for _, c := range s.captures.All() {
		if c.status == statusPending && now.Sub(c.created) >= pendingLife {
			c.status, c.reason, c.updated, c.order.updated = statusCompleted, "", now, now
			s.tellCapture(c)
			s.disputeByCard(c)
		}
	}
	for _, r := range s.refunds.All() {
		if r.status == statusPending && now.Sub(r.created) >= pendingLife {
			r.status, r.reason, r.updated = statusCompleted, "", now
			s.tell("PAYMENT.CAPTURE.REFUNDED", r.id, s.shownRefund(r, true))
		}
	}
}
