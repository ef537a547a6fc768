package square

import (
	"slices"
	"time"
)

// The types of actions.
//
// Source: developer.squareup.com/reference/square/enums/SubscriptionActionType.
const (
	actionCancel = "CANCEL"
	actionPause  = "PAUSE"
	actionResume = "RESUME"
	actionSwap   = "SWAP_PLAN"
)

const (
	atOnce     = "IMMEDIATE"
	atCycleEnd = "END_OF_BILLING_CYCLE"
	// pauseCyclesMost is this simulator's own bound of a pause.
	pauseCyclesMost = 1000
)

var timingShape = shape{kind: text, words: []string{atOnce, atCycleEnd}}

var pauseBody = fields{
	"pause_effective_date": upTo(10), "pause_cycle_duration": {kind: whole}, "resume_effective_date": upTo(10), "resume_change_timing": timingShape,
	"pause_reason": {kind: text, most: 255},
}

var resumeBody = fields{"resume_effective_date": upTo(10), "resume_change_timing": timingShape}

var swapBody = fields{"new_plan_variation_id": needed(upTo(idCharsMax)), "phases": {kind: unsupported}}

// action is a SubscriptionAction, a change that is to happen to a subscription.
//
// Source: developer.squareup.com/reference/square/objects/SubscriptionAction.
type action struct {
	ID            string `json:"id"`
	Type          string `json:"type"`
	EffectiveDate string `json:"effective_date"`
	NewVariation  string `json:"new_plan_variation_id,omitempty"`

	at time.Time // when it happens
}

// plan has a change happen to a subscription at a time. The caller holds mu.
func (s *Server) plan(u *subscription, one action) {
	one.ID = newUUID()
	if one.EffectiveDate == "" {
		one.EffectiveDate = date(one.at.In(u.zone))
	}
	u.actions = append(u.actions, &one)
	slices.SortStableFunc(u.actions, func(a, b *action) int { return a.at.Compare(b.at) })
	s.later(one.at, func() { s.wake(u) })
}

// planned reports whether a change of a type is to happen.
func (u *subscription) planned(kind string) bool {
	return slices.ContainsFunc(u.actions, func(one *action) bool { return one.Type == kind })
}

// drop takes planned changes of a type back.
func (u *subscription) drop(kind string) {
	u.actions = slices.DeleteFunc(u.actions, func(one *action) bool { return one.Type == kind })
	if kind == actionCancel {
		u.CanceledDate = ""
	}
}

// boundary is the first day at which a period begins, of those to come, that is not before a day.
func (u *subscription) boundary(from time.Time) time.Time {
	every := cadences[u.phases[min(u.phase, len(u.phases)-1)].Cadence]
	for n := range periodsMost {
		if at := every.after(u.next, n); !at.Before(from) {
			return at
		}
	}
	return from
}

// changeable is a subscription in one of some statuses. The caller holds mu.
func (s *Server) changeable(id string, statuses ...string) (*subscription, *result) {
	u, ok := s.subscriptions.Get(id)
	switch {
	case !ok:
		return nil, new(notFound("subscription", id, ""))
	case !slices.Contains(statuses, u.Status):
		return nil, new(notAllowed(invalidRequest, "BAD_REQUEST", "That is not possible for a subscription whose status is "+u.Status+"."))
	}
	return u, nil
}

func busy(kind string) *result {
	return new(notAllowed(invalidRequest, "BAD_REQUEST", "The subscription has a pending "+kind+" action. Delete that first."))
}

// cancelSubscription has a subscription end with the period that was billed: there is no end at
// once. One that bills nothing ends today.
//
// Source: POST /v2/subscriptions/{id}/cancel.
func (s *Server) cancelSubscription(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, bad := s.changeable(in.id, subPending, subActive, subPaused, subDeactivated)
	if bad == nil {
		bad = s.cancelAtEnd(u)
	}
	if bad != nil {
		return *bad
	}
	return withPlans(u)
}

// cancelAtEnd plans the end of a subscription. The caller holds mu.
func (s *Server) cancelAtEnd(u *subscription) *result {
	if u.planned(actionCancel) {
		return busy(actionCancel)
	}
	today := dayOf(s.now(), u.zone)
	last, at := today, s.now()
	switch u.Status {
	case subPending:
		last, at = u.next, u.next
	case subActive:
		last, at = u.next.AddDate(0, 0, -1), u.next
	}
	u.CanceledDate = date(last)
	s.plan(u, action{Type: actionCancel, EffectiveDate: u.CanceledDate, at: at})
	s.tellSubscription(u)
	return nil
}

// pauseSubscription has billing stop with the next period, or a later one, and perhaps go on
// after some.
//
// Source: POST /v2/subscriptions/{id}/pause.
func (s *Server) pauseSubscription(in *request) result {
	var given struct {
		From   string `json:"pause_effective_date"`
		Cycles *int   `json:"pause_cycle_duration"`
		Until  string `json:"resume_effective_date"`
		Timing string `json:"resume_change_timing"`
	}
	in.into(&given)
	switch {
	case given.Cycles != nil && (given.Until != "" || given.Timing != ""):
		return invalid("CONFLICTING_PARAMETERS", "pause_cycle_duration", "Only one of pause_cycle_duration and resume_effective_date can be set.")
	case given.Cycles != nil && (*given.Cycles < 1 || *given.Cycles > pauseCyclesMost):
		return invalid("INVALID_VALUE", "pause_cycle_duration", "The number of cycles cannot be paused.")
	case given.Timing != "" && given.Until == "":
		return invalid("MISSING_REQUIRED_PARAMETER", "resume_effective_date", "resume_change_timing goes with resume_effective_date.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, bad := s.changeable(in.id, subActive)
	if bad != nil {
		return *bad
	}
	from := u.next
	if given.From != "" {
		said, bad := readDay("pause_effective_date", given.From, u.zone)
		if bad != nil {
			return *bad
		}
		from = u.boundary(said)
	}
	var until time.Time
	switch {
	case given.Cycles != nil:
		until = cadences[u.phases[min(u.phase, len(u.phases)-1)].Cadence].after(from, *given.Cycles)
	case given.Until != "":
		if until, bad = readDay("resume_effective_date", given.Until, u.zone); bad != nil {
			return *bad
		}
		if until.Before(u.boundary(from.AddDate(0, 0, 1))) {
			return invalid("INVALID_VALUE", "resume_effective_date", "The date must be at least one billing cycle after the pause.")
		}
		if given.Timing == atCycleEnd {
			until = u.boundary(until)
		}
	}
	if bad := s.pauseAt(u, from, until); bad != nil {
		return *bad
	}
	return withPlans(u)
}

// pauseAt plans a pause from a day on, and its end; a zero one for none. The caller holds mu.
func (s *Server) pauseAt(u *subscription, from, until time.Time) *result {
	for _, kind := range []string{actionPause, actionCancel} {
		if u.planned(kind) {
			return busy(kind)
		}
	}
	s.plan(u, action{Type: actionPause, at: from})
	if !until.IsZero() {
		s.plan(u, action{Type: actionResume, at: until})
	}
	s.tellSubscription(u)
	return nil
}

// resumeSubscription has billing go on, at once where no day is named.
//
// Source: POST /v2/subscriptions/{id}/resume.
func (s *Server) resumeSubscription(in *request) result {
	var given struct {
		From   string `json:"resume_effective_date"`
		Timing string `json:"resume_change_timing"`
	}
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, bad := s.changeable(in.id, subPaused, subDeactivated)
	if bad != nil {
		return *bad
	}
	today := dayOf(s.now(), u.zone)
	from := today
	if given.From != "" {
		if from, bad = readDay("resume_effective_date", given.From, u.zone); bad != nil {
			return *bad
		}
		if from.Before(today) {
			return invalid("INVALID_VALUE", "resume_effective_date", "The date must not be in the past.")
		}
	}
	if given.Timing == atCycleEnd {
		from = u.boundary(from)
	}
	if bad := s.resumeAt(u, from); bad != nil {
		return *bad
	}
	return withPlans(u)
}

// resumeAt plans that billing goes on, in place of what was planned of that. The caller holds mu.
func (s *Server) resumeAt(u *subscription, from time.Time) *result {
	if u.planned(actionCancel) {
		return busy(actionCancel)
	}
	u.drop(actionResume)
	s.plan(u, action{Type: actionResume, at: from})
	s.tellSubscription(u)
	return nil
}

// swapPlan has a subscription follow another plan variation with the next period.
//
// Source: POST /v2/subscriptions/{id}/swap-plan.
func (s *Server) swapPlan(in *request) result {
	var given struct {
		NewVariation string `json:"new_plan_variation_id"`
	}
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, bad := s.changeable(in.id, subActive)
	if bad != nil {
		return *bad
	}
	to, bad := s.variationOf(given.NewVariation, "new_plan_variation_id")
	switch {
	case bad != nil:
		return *bad
	case to.ID == u.PlanVariationID:
		return notAllowed(invalidRequest, "BAD_REQUEST", "The subscription follows that plan variation already.")
	case u.PriceOverrideMoney != nil && u.PriceOverrideMoney.Currency != to.Variation.Phases[0].Pricing.PriceMoney.Currency:
		return invalid("CURRENCY_MISMATCH", "new_plan_variation_id", "The plan variation is of another currency.")
	}
	for _, kind := range []string{actionSwap, actionCancel} {
		if u.planned(kind) {
			return *busy(kind)
		}
	}
	s.plan(u, action{Type: actionSwap, NewVariation: to.ID, at: u.next})
	s.tellSubscription(u)
	return withPlans(u)
}

// deleteAction takes a planned change back.
//
// Source: DELETE /v2/subscriptions/{id}/actions/{action_id}.
func (s *Server) deleteAction(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.subscriptions.Get(in.id)
	if !ok {
		return notFound("subscription", in.id, "")
	}
	at := slices.IndexFunc(u.actions, func(one *action) bool { return one.ID == in.part })
	if at < 0 {
		return notFound("subscription action", in.part, "")
	}
	if u.actions[at].Type == actionCancel {
		u.CanceledDate = ""
	}
	u.actions = slices.Delete(u.actions, at, at+1)
	s.tellSubscription(u)
	return done("subscription", shown(u))
}
