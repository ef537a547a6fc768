package paypal

import (
	"net/url"
)

// consent is what a buyer agrees to at PayPal: an order, a subscription or a change of one, or
// that his means of payment is saved. Its methods are called while mu is held.
type consent interface {
	// name is the id that the shop knows it by.
	name() string
	// mind is where the bank's question is kept.
	mind() *question
	// offer is what the buyer is shown.
	offer() offer
	// asks notes that his bank asks the buyer.
	asks(s *Server)
	// accept notes that the buyer agreed, unless there is a reason that he cannot.
	accept(s *Server, with *card, by string) *cardProblem
	// mismatch is what of the script's parameters does not fit; an empty code for nothing.
	mismatch(form url.Values) (code, message string)
}

// question is a card that waits for its bank's answer.
type question struct {
	asking   *card // nil while nothing is asked
	askingBy string
	always   bool // every card asks for 3-D Secure
}

func (q *question) mind() *question { return q }

// offer is what a buyer is asked to agree to.
type offer struct {
	status     string
	amount     *money // nil where there is nothing to pay
	verb       string
	source     string // what he pays with unless he says otherwise
	context    *experience
	back       []string // what the shop is told when he comes back: name, value, name, value
	cancelBack []string
}

// agreement is what a buyer's try to agree came to.
type agreement struct {
	asks    bool // the bank asks the buyer first
	agreed  bool
	problem *cardProblem // why not; nil where there is no reason
}

// agree has the buyer agree with a card, inside of his wallet or as it is. The caller holds mu.
func (s *Server) agree(c consent, with *card, by string) agreement {
	q := c.mind()
	if with.behavior.asks || by == sourceCard && q.always {
		q.asking, q.askingBy = with, by
		c.asks(s)
		return agreement{asks: true}
	}
	return s.approve(c, with, by)
}

// approve notes that the buyer agreed. The caller holds mu.
func (s *Server) approve(c consent, with *card, by string) agreement {
	c.mind().asking = nil
	if problem := c.accept(s, with, by); problem != nil {
		return agreement{problem: problem}
	}
	return agreement{agreed: true}
}

// answerBank is the buyer in front of the bank's question. A wallet takes no card that failed
// it, and none is saved. An order that is paid by card fields is approved either way: it is the
// shop that is to look, and the bank refuses the card later. The caller holds mu.
func (s *Server) answerBank(c consent, outcome string) agreement {
	q := c.mind()
	with := q.asking
	_, isOrder := c.(*order)
	switch {
	case with == nil:
		return agreement{problem: &cardProblem{"NO_QUESTION", "The bank asks nothing."}}
	case outcome == "complete":
		with.shift, with.answer = "POSSIBLE", "Y"
	case isOrder && q.askingBy == sourceCard:
		with.shift, with.answer = "NO", "N"
	default:
		q.asking = nil
		return agreement{problem: &cardProblem{"AUTHENTICATION_FAILED", "Your bank could not confirm that it was you. Choose another card."}}
	}
	return s.approve(c, with, q.askingBy)
}

// consentBy gives what a buyer can agree to yet, by the id or the token that pages and frames
// know it by. The caller holds mu.
func (s *Server) consentBy(id string) (consent, bool) {
	if o, ok := s.findOrder(id); ok {
		return o, o.status != statusCompleted
	}
	if t, ok := s.findSetupToken(id); ok {
		return t, t.status != statusVaulted
	}
	if b, ok := s.subscriptions.Get(id); ok {
		return b, b.status == subscriptionPending
	}
	approval, ok := s.approvals.Get(id)
	switch c := approval.(type) {
	case *subscription:
		return c, c.status == subscriptionPending
	case *revision:
		return c, c.of.change == c
	}
	return nil, ok
}

// ---- an order

func (o *order) name() string { return o.id }

func (o *order) offer() offer {
	total := o.total()
	return offer{
		status: o.status, amount: &total, verb: "Agree and pay", source: sourcePayPal, context: o.context,
		back: []string{"token", o.id, "PayerID", payerID}, cancelBack: []string{"token", o.id},
	}
}

func (o *order) asks(s *Server) {
	o.updated = s.now()
	if o.askingBy == sourceCard {
		o.source, o.status, o.funding = sourceCard, statusActionRequired, nil
	}
}

func (o *order) accept(s *Server, with *card, by string) *cardProblem {
	o.source, o.funding, o.status, o.updated = by, with, statusApproved, s.now()
	if !o.told {
		o.told = true
		s.tell("CHECKOUT.ORDER.APPROVED", o.id, s.shownOrder(o, true))
	}
	return nil
}

// mismatch implements [consent]: the script is loaded for one currency and one intent.
func (o *order) mismatch(form url.Values) (code, message string) {
	intent := map[string]string{intentCapture: "capture", intentAuthorize: "authorize"}[o.intent]
	switch {
	case form.Has("currency") && form.Get("currency") != o.currency:
		return "CURRENCY_MISMATCH", "The script was loaded for another currency than the order's, " + o.currency + "."
	case form.Has("intent") && form.Get("intent") != intent:
		return "INTENT_MISMATCH", "The script was loaded for another intent than the order's, " + intent + "."
	}
	return "", ""
}

// total is what all of an order comes to.
func (o *order) total() money {
	sum := int64(0)
	for _, u := range o.units {
		sum += u.amount
	}
	return moneyOf(sum, o.currency)
}

var (
	_ consent = (*order)(nil)
	_ consent = (*setupToken)(nil)
	_ consent = (*subscription)(nil)
	_ consent = (*revision)(nil)
)
