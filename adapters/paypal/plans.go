package paypal

import (
	"context"
	"net/http"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Where products and plans are.
const (
	pathProducts = "/v1/catalogs/products"
	pathPlans    = "/v1/billing/plans"
)

const (
	planNameCharsMax = 127
	// failuresMax is how many payments in a row may fail before PayPal suspends a
	// subscription to a plan of ours.
	failuresMax = 3
	// quantityMax is far below what PayPal takes, and far above what anybody orders.
	quantityMax  = 1_000_000
	trialDaysMax = 365 // of one cycle
	cycleTrial   = "TRIAL"
	cycleRegular = "REGULAR"
	intervalDay  = "DAY"
	statusActive = "ACTIVE"
	productID    = "PAYDESK-SUBSCRIPTIONS"
	productName  = "Subscription"
	productKind  = "SERVICE"
)

// intervals are the units of a cycle with the most of them that one has.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1/, frequency.
var intervals = map[core.Interval]struct {
	unit string
	max  int
}{
	core.IntervalDay: {intervalDay, 365}, core.IntervalWeek: {"WEEK", 52}, core.IntervalMonth: {"MONTH", 12}, core.IntervalYear: {"YEAR", 1},
}

// subscriptionAbilities says what of subscriptions can be done at PayPal. A change is agreed to
// by the buyer, and its price counts from the next period on.
func subscriptionAbilities() *ports.SubscriptionAbilities {
	can := &ports.SubscriptionAbilities{
		Periods: map[core.Interval][]int{}, TrialDaysMax: trialDaysMax, QuantityMax: quantityMax, Quantity: true, BuyerAgrees: true,
		Pause: true, PauseNow: true, CancelNow: true,
	}
	for interval, known := range intervals {
		for count := 1; count <= known.max; count++ {
			can.Periods[interval] = append(can.Periods[interval], count)
		}
	}
	return can
}

// CreatePrice implements [ports.Subscriber]: a plan, whose id is the price's. A trial is a free
// cycle before the others. All plans are of one product, since PayPal changes no subscription
// from one product to another.
//
// Source: POST /v1/catalogs/products and /v1/billing/plans.
func (a *Adapter) CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error) {
	op := a.op("create price for", string(price.ID))
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	cycles, err := cyclesOf(price)
	if err != nil {
		return "", outbound.Invalid(op, err)
	}
	if err := a.product(ctx, op, key+"-a"); err != nil {
		return "", err
	}
	name := []rune(orElse(price.Name, string(price.ID)))
	made, err := a.planFrom(ctx, request{op: op, method: http.MethodPost, path: pathPlans, key: key + "-b", body: CreatePlanRequest{
		ProductID: productID, Name: string(name[:min(len(name), planNameCharsMax)]), Status: statusActive, BillingCycles: cycles, QuantitySupported: true,
		PaymentPreferences: PaymentPreferences{AutoBillOutstanding: true, PaymentFailureThreshold: failuresMax},
	}}, "")
	if err != nil {
		return "", err
	}
	if asked, err := made.amount(1); err != nil || asked != price.Amount {
		// What was asked for under the key before was something else.
		return "", unusable(op, answer{requestID: made.requestID}, errOther)
	}
	return made.ID, nil
}

// product has the product be there that all plans are of. PayPal refuses it where it is there
// already, in which words is not verified: a look tells.
func (a *Adapter) product(ctx context.Context, op string, key core.OperationKey) error {
	err := a.productFrom(ctx, request{
		op: op, method: http.MethodPost, path: pathProducts, key: key, body: CreateProductRequest{ID: productID, Name: productName, Type: productKind},
	})
	if !isInvalid(err) {
		return err
	}
	looked := a.productFrom(ctx, request{op: op, method: http.MethodGet, path: pathProducts + "/" + productID})
	if isInvalid(looked) {
		return err // for another reason
	}
	return looked
}

// productFrom makes a call whose answer is the product.
func (a *Adapter) productFrom(ctx context.Context, r request) error {
	got, err := a.api.do(ctx, r)
	if err != nil {
		return err
	}
	var shown struct {
		ID string `json:"id"`
	}
	if err := decode(r.op, got, &shown); err != nil {
		return err
	}
	if shown.ID != productID {
		return unusable(r.op, got, errNoObject)
	}
	return nil
}

// cyclesOf are a price's as PayPal takes them.
func cyclesOf(price core.Price) ([]BillingCycle, error) {
	amount, err := toForeign(price.Amount)
	if err != nil {
		return nil, err
	}
	if price.Recurring == nil {
		return nil, errPeriod
	}
	period, known := intervals[price.Recurring.Interval]
	if count := price.Recurring.Count; !known || count < 1 || count > period.max || price.Recurring.TrialDays > trialDaysMax {
		return nil, errPeriod
	}
	var cycles []BillingCycle
	if days := price.Recurring.TrialDays; days > 0 {
		cycles = append(cycles, BillingCycle{
			Frequency: Frequency{IntervalUnit: intervalDay, IntervalCount: days}, TenureType: cycleTrial, Sequence: 1, TotalCycles: 1,
		})
	}
	return append(cycles, BillingCycle{
		Frequency:  Frequency{IntervalUnit: period.unit, IntervalCount: price.Recurring.Count},
		TenureType: cycleRegular, Sequence: len(cycles) + 1, PricingScheme: &PricingScheme{FixedPrice: &amount},
	}), nil
}

// plan looks at one.
//
// Source: GET /v1/billing/plans/{id}.
func (a *Adapter) plan(ctx context.Context, op, id string) (*Plan, error) {
	return a.planFrom(ctx, request{op: op, method: http.MethodGet, path: pathPlans + "/" + id}, id)
}

// planFrom makes a call whose answer is a plan; id is empty where the answer makes it known. An
// answer that does not show the whole is followed by a look.
func (a *Adapter) planFrom(ctx context.Context, r request, id string) (*Plan, error) {
	got, err := a.api.do(ctx, r)
	if err != nil {
		return nil, err
	}
	shown := &Plan{}
	if err := decode(r.op, got, shown); err != nil {
		return nil, err
	}
	shown.requestID = got.requestID
	switch {
	case shown.ID == "" || outbound.SafeID(shown.ID) == "" || id != "" && shown.ID != id:
		return nil, unusable(r.op, got, errNoObject)
	case shown.regular() != nil:
		return shown, nil
	case r.method == http.MethodGet:
		return nil, unusable(r.op, got, errNoObject)
	}
	whole, err := a.plan(ctx, r.op, shown.ID)
	return whole, afterwards(err, shown.ID)
}

// regular is the cycle that goes on; nil where there is none.
func (p *Plan) regular() *BillingCycle {
	for n := range p.BillingCycles {
		if p.BillingCycles[n].TenureType == cycleRegular {
			return &p.BillingCycles[n]
		}
	}
	return nil
}

// amount is what a plan asks for so many pieces in a period; the zero Money where its price is
// none of a piece.
func (p *Plan) amount(quantity int64) (core.Money, error) {
	scheme := p.regular().PricingScheme
	if scheme == nil || scheme.FixedPrice == nil {
		return core.Money{}, nil
	}
	one, err := fromForeign(scheme.FixedPrice)
	if err != nil {
		return core.Money{}, err
	}
	return one.Mul(quantity)
}

// period is roughly how many days the regular cycle has, for how far back to look.
func (p *Plan) period() int {
	days := map[string]int{intervalDay: 1, "WEEK": 7, "MONTH": 31, "YEAR": 366}[strings.ToUpper(p.regular().Frequency.IntervalUnit)]
	return max(days, 1) * max(p.regular().Frequency.IntervalCount, 1)
}
