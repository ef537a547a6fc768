package paypal

import (
	"net/url"
	"strconv"
)

var reviseShape = object(map[string]shape{
	"plan_id": text(3, 50), "quantity": text(1, 32), "plan": overrideShape, "application_context": subscriptionContextShape,
})

// revision is a change of a subscription that its buyer has to agree to.
type revision struct {
	question
	of         *subscription
	token      string
	plan       *plan
	terms      terms
	overridden bool
	quantity   int64
	context    *experience
}

// revise asks the buyer for another plan, another quantity, or both.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1, subscriptions_revise.
func (s *Server) revise(in *request) result {
	var wire subscriptionRequest
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	b, bad := s.subscriptionIn(in.id, statusActive, subscriptionSuspended)
	if bad != nil {
		return *bad
	}
	change := &revision{of: b, plan: b.plan, terms: b.terms, overridden: b.overridden, quantity: b.quantity, context: b.context}
	if wire.PlanID != "" {
		p, ok := s.plans.Get(wire.PlanID)
		switch {
		case !ok:
			return missing("/plan_id")
		case p.status != statusActive:
			return unprocessable("PLAN_STATUS_INVALID", "/plan_id")
		case p.product != b.plan.product:
			return unprocessable("PLAN_PRODUCT_NOT_COMPATIBLE", "/plan_id")
		case p.terms.currency != b.terms.currency:
			return unprocessable("CURRENCY_MISMATCH", "/plan_id")
		}
		change.plan, change.terms, change.overridden = p, p.terms, false
	}
	if wire.PlanID != "" || wire.Plan != nil || wire.Quantity != "" {
		quantity := wire.Quantity
		if quantity == "" && change.terms.manyPermitted {
			quantity = strconv.FormatInt(b.quantity, 10)
		}
		if change.terms, change.quantity, bad = change.terms.with(wire.Plan, quantity); bad != nil {
			return *bad
		}
		change.overridden = change.overridden || wire.Plan != nil
	}
	if wire.Context != nil {
		change.context = &wire.Context.experience
	}
	if bad := change.context.check("/application_context/"); bad != nil {
		return *bad
	}
	change.token = "BA-" + s.newID()
	b.change = change
	s.approvals.Put(change.token, change)
	at := "/v1/billing/subscriptions/" + b.id
	return done(map[string]any{
		"plan_id": change.plan.id, "plan_overridden": change.overridden, "quantity": strconv.FormatInt(change.quantity, 10),
		"links": []link{s.get("approve", revisionPage+"?ba_token="+change.token), s.get("self", at), s.post("cancel", at+"/cancel")},
	})
}

// ---- the buyer's consent

func (r *revision) name() string { return r.of.id }

func (r *revision) offer() offer {
	return r.of.offered(r.terms, r.quantity, r.token, "Agree to the change", r.context)
}

func (r *revision) asks(*Server) {}

// accept implements [consent]: the change counts from the next payment on. What of the old plan
// was a trial is over.
func (r *revision) accept(s *Server, with *card, by string) *cardProblem {
	if by != sourcePayPal {
		return &cardProblem{"INVALID_SOURCE", "Subscriptions are paid from a PayPal account."}
	}
	b := r.of
	if r.plan != b.plan {
		b.bill.executed, b.bill.cycle = make([]int, len(r.terms.cycles)), -1
		for i, one := range r.terms.cycles {
			if one.tenure == tenureTrial {
				b.bill.executed[i] = one.total
			}
		}
	}
	b.plan, b.terms, b.overridden, b.quantity = r.plan, r.terms, r.overridden, r.quantity
	b.funding, b.change, b.updated = with, nil, s.now()
	s.tell("BILLING.SUBSCRIPTION.UPDATED", b.id, s.shownSubscription(b, true, false))
	return nil
}

func (r *revision) mismatch(form url.Values) (code, message string) { return r.of.mismatch(form) }
