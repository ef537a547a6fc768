package paypal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// The statuses of a subscription.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1/#subscriptions_get.
const (
	subscriptionPending   = "APPROVAL_PENDING"
	subscriptionApproved  = "APPROVED"
	subscriptionActive    = "ACTIVE"
	subscriptionSuspended = "SUSPENDED"
	subscriptionCancelled = "CANCELLED"
	subscriptionExpired   = "EXPIRED"
)

// lookBackDays is how much further back payments are looked for than as many periods take as
// invoices are shown: payments may be late.
const lookBackDays = 31

// Where buyers choose what their subscriptions are paid with. That these pages are there is
// known from PayPal's help alone.
const (
	methodPageLive    = "https://www.paypal.com/myaccount/autopay/"
	methodPageSandbox = "https://www.sandbox.paypal.com/myaccount/autopay/"
)

// unusable is a subscription that says nothing we can act on.
func (s *SubscriptionObject) unusable(op string, cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassUnknown, Op: op, RequestID: s.requestID, ObjectID: outbound.SafeID(s.ID), Err: cause}
}

// begun reports whether the buyer agreed to a subscription and it runs, or did.
func (s *SubscriptionObject) begun() bool {
	return s.Status != subscriptionPending && s.Status != subscriptionApproved
}

// ended reports whether it asks for nothing any more, for good.
func (s *SubscriptionObject) ended() bool {
	return s.Status == subscriptionCancelled || s.Status == subscriptionExpired
}

// inArrears reports whether a payment of it failed, and was not made good yet.
func (s *SubscriptionObject) inArrears() bool {
	owed, err := fromForeign(s.BillingInfo.OutstandingBalance)
	return s.BillingInfo.FailedPaymentsCount > 0 || err == nil && owed.IsPositive()
}

// onTrial reports whether it has a trial, and nothing was asked for after it.
func (s *SubscriptionObject) onTrial() bool {
	trial := false
	for _, one := range s.BillingInfo.CycleExecutions {
		if one.TenureType == cycleRegular && one.CyclesCompleted > 0 {
			return false
		}
		trial = trial || one.TenureType == cycleTrial
	}
	return trial
}

// status is ours for a subscription's. One that is suspended was so by the shop, or after as
// many failed payments as its plan allows. A status that is not known here is none at all.
func (s *SubscriptionObject) status(p *Plan) core.SubscriptionStatus {
	switch s.Status {
	case subscriptionPending, subscriptionApproved:
		return core.SubscriptionIncomplete
	case subscriptionActive:
		switch {
		case s.inArrears():
			return core.SubscriptionPastDue
		case s.onTrial():
			return core.SubscriptionTrialing
		}
		return core.SubscriptionActive
	case subscriptionSuspended:
		if threshold := p.PaymentPreferences.PaymentFailureThreshold; threshold > 0 && s.BillingInfo.FailedPaymentsCount >= threshold {
			return core.SubscriptionUnpaid
		}
		return core.SubscriptionPaused
	case subscriptionCancelled, subscriptionExpired:
		return core.SubscriptionCanceled
	}
	return ""
}

// subscriptionSeen is what an answer shows of a subscription, with its plan, which tells the
// price, and with what it took.
func (a *Adapter) subscriptionSeen(ctx context.Context, op string, s *SubscriptionObject) (core.SubscriptionSnapshot, error) {
	if s.PlanID == "" || outbound.SafeID(s.PlanID) == "" {
		return core.SubscriptionSnapshot{}, s.unusable(op, errNoObject)
	}
	plan, err := a.plan(ctx, op, s.PlanID)
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	seen, err := a.translateSubscription(op, s, plan)
	if err != nil || !s.begun() {
		return seen, err
	}
	took, err := a.took(ctx, op, s, plan)
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	for n, one := range took {
		invoice, err := a.invoice(op, s, one, n == 0)
		if err != nil {
			return core.SubscriptionSnapshot{}, err
		}
		seen.Invoices = append(seen.Invoices, invoice)
	}
	return seen, nil
}

func (a *Adapter) translateSubscription(op string, s *SubscriptionObject, plan *Plan) (core.SubscriptionSnapshot, error) {
	quantity, err := strconv.ParseInt(orElse(s.Quantity, "1"), 10, 64)
	created := parseTime(s.CreateTime)
	if err != nil || quantity < 1 || created.IsZero() {
		return core.SubscriptionSnapshot{}, s.unusable(op, errNotReadable)
	}
	seen := core.SubscriptionSnapshot{
		Ref:    core.ProviderRef{Account: a.account, Kind: core.ObjectSubscription, ID: s.ID},
		Status: s.status(plan), ForeignStatus: outbound.SafeCode(s.Status), Price: s.PlanID, Quantity: quantity,
		Environment: a.environment(s.Links), CreatedAt: created,
	}
	if seen.Amount, err = plan.amount(quantity); err != nil {
		return core.SubscriptionSnapshot{}, s.unusable(op, err)
	}
	if id, err := core.ParseID[core.SubscriptionID](s.CustomID); err == nil {
		seen.Subscription = id
	}
	if s.begun() {
		a.billed(s, &seen)
	}
	return seen, nil
}

// billed adds what is known of a subscription once the buyer agreed to it. PayPal tells of no
// periods: the paid one lasts from the last payment to the next.
func (a *Adapter) billed(s *SubscriptionObject, seen *core.SubscriptionSnapshot) {
	info := s.BillingInfo
	seen.CurrentPeriodStart, seen.CurrentPeriodEnd = parseTime(info.LastPayment.Time), parseTime(info.NextBillingTime)
	if seen.CurrentPeriodStart.IsZero() {
		seen.CurrentPeriodStart = parseTime(s.StartTime)
	}
	if seen.Status == core.SubscriptionTrialing && !slices.ContainsFunc(info.CycleExecutions, func(one CycleExecution) bool {
		return one.TenureType == cycleTrial && one.TotalCycles > 1
	}) {
		seen.TrialEnd = seen.CurrentPeriodEnd // else the next billing may be of the trial itself
	}
	if seen.Method = sourceMethod(s.Subscriber.PaymentSource); seen.Method == nil {
		seen.Method = &core.PaymentMethod{Type: methodPayPal}
	}
	if seen.FailedAttempts = info.FailedPaymentsCount; seen.FailedAttempts > 0 {
		seen.Failure = info.LastFailedPayment.failure()
		seen.NextAttempt = parseTime(info.LastFailedPayment.NextPaymentRetryTime)
	}
	switch {
	case s.ended():
		seen.EndedAt, seen.NextAttempt = parseTime(s.StatusUpdateTime), time.Time{}
		if s.Status == subscriptionCancelled {
			seen.CanceledAt = seen.EndedAt
		}
	case !a.elsewhere && a.env == core.EnvLive:
		seen.MethodURL = methodPageLive
	case !a.elsewhere:
		seen.MethodURL = methodPageSandbox
	}
}

// failure is why a subscription's payment failed.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1/, failed_payment_details.
func (f FailedPayment) failure() *core.Failure {
	code := outbound.SafeCode(f.ReasonCode)
	known, ok := declines[code]
	switch {
	case ok:
	case code == "INTERNAL_SERVER_ERROR", code == "CURRENCY_MISMATCH":
		known = core.FailureProcessingError
	default:
		known = core.FailureCardDeclined
	}
	return core.NewFailure(known, code)
}

// took are the newest of what a subscription took, or was to, newest first.
//
// Source: GET /v1/billing/subscriptions/{id}/transactions.
func (a *Adapter) took(ctx context.Context, op string, s *SubscriptionObject, plan *Plan) ([]SubscriptionTransaction, error) {
	until := a.now().UTC()
	for _, text := range []string{s.UpdateTime, s.StatusUpdateTime, s.BillingInfo.LastPayment.Time, s.BillingInfo.LastFailedPayment.Time} {
		if at := parseTime(text); at.After(until) {
			until = at // our clock is behind
		}
	}
	until = until.Truncate(time.Second).Add(time.Second)
	from := until.AddDate(0, 0, -plan.period()*(core.InvoicesShownMax+1)-lookBackDays)
	if created := parseTime(s.CreateTime); from.Before(created) {
		from = created
	}
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathSubscriptions + "/" + s.ID + "/transactions", query: url.Values{
		"start_time": {from.Format(reportTime)}, "end_time": {until.Format(reportTime)},
	}})
	if err != nil {
		return nil, err
	}
	var list TransactionList
	if err := decode(op, got, &list); err != nil {
		return nil, err
	}
	if list.Transactions == nil && list.Links == nil {
		return nil, unusable(op, got, errNoObject)
	}
	slices.SortStableFunc(list.Transactions, func(one, other SubscriptionTransaction) int {
		return parseTime(other.Time).Compare(parseTime(one.Time))
	})
	return list.Transactions[:min(len(list.Transactions), core.InvoicesShownMax)], nil
}
