package conformance_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const day = 24 * time.Hour

// stripeSale is the simulated Stripe with all that its adapter can do after a sale.
type stripeSale struct {
	*stripe.Adapter
	simulatedEnd
	stripeBuyer
	keys int
}

// next is a key that was not used before.
func (s *stripeSale) next() core.OperationKey {
	s.keys++
	return core.OperationKey("op_" + strconv.Itoa(s.keys))
}

func newStripeSale(t *testing.T) *stripeSale {
	t.Helper()
	opened, end := openSimulated(t, core.ProviderStripe, "")
	adapter, ok := opened.(*stripe.Adapter)
	require.True(t, ok)
	pays, ok := end.buyer.(stripeBuyer)
	require.True(t, ok)
	return &stripeSale{Adapter: adapter, simulatedEnd: end, stripeBuyer: pays}
}

func cents(t testing.TB, minor int64) core.Money {
	t.Helper()
	amount, err := core.NewMoney(minor, "EUR")
	require.NoError(t, err)
	return amount
}

// paid is a payment of 49.90 by a test method.
func (s *stripeSale) paid(t *testing.T, method string, capture core.CaptureMode) core.ProviderRef {
	t.Helper()
	session, err := s.CreatePayment(t.Context(), s.next(), ports.CreatePayment{Payment: "pay_1", Checkout: "chk_1", Amount: cents(t, 4990), Capture: capture})
	require.NoError(t, err)
	s.pays(t, session.Snapshot.Ref.ID, method)
	return session.Snapshot.Ref
}

func refusedAs(t testing.TB, err error) *core.ProviderError {
	t.Helper()
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	return refused
}

func TestStripeRefunds(t *testing.T) {
	t.Parallel()
	s := newStripeSale(t)
	for method, c := range map[string]struct{ first, last core.RefundStatus }{
		"pm_card_visa":          {core.RefundSucceeded, core.RefundSucceeded},
		"pm_card_pendingRefund": {core.RefundPending, core.RefundSucceeded},
		"pm_card_refundFail":    {core.RefundSucceeded, core.RefundFailed},
	} {
		payment := s.paid(t, method, core.CaptureAutomatic)
		ours := core.NewID[core.RefundID]([16]byte{byte(s.keys)})
		refund, err := s.RefundPayment(t.Context(), s.next(), ports.RefundPayment{Refund: ours, Payment: "pay_1", Ref: payment, Amount: cents(t, 1000), Reason: core.RefundRequested})
		require.NoError(t, err)
		require.Equal(t, c.first, refund.Status, method)
		require.Equal(t, ours, refund.Refund)
		s.Elapse(t, 6*day)
		refund, err = s.GetRefund(t.Context(), refund.Ref)
		require.NoError(t, err)
		require.Equal(t, c.last, refund.Status, method)
		require.Equal(t, c.last == core.RefundFailed, refund.Failure != nil)
		all, err := s.PaymentRefunds(t.Context(), payment)
		require.NoError(t, err)
		require.Equal(t, []core.RefundSnapshot{refund}, all)
		seen, err := s.GetPayment(t.Context(), payment)
		require.NoError(t, err)
		require.Equal(t, refund.Status.Reserves(), seen.Refunded.IsPositive(), method)
		_, err = s.RefundPayment(t.Context(), s.next(), ports.RefundPayment{Payment: "pay_1", Ref: payment, Amount: cents(t, 9999)})
		require.Equal(t, core.ClassInvalid, refusedAs(t, err).Class)
	}
	held := s.paid(t, "pm_card_visa", core.CaptureManual)
	seen, err := s.GetPayment(t.Context(), held)
	require.NoError(t, err)
	require.NotZero(t, seen.CaptureBefore, "a card's bank says until when")
	_, err = s.CapturePayment(t.Context(), s.next(), held, cents(t, 1000))
	require.NoError(t, err)
	none, err := s.PaymentRefunds(t.Context(), held)
	require.NoError(t, err)
	require.Empty(t, none, "the rest was never taken")
}

func TestStripeDisputes(t *testing.T) {
	t.Parallel()
	s := newStripeSale(t)
	opened := func(method string) core.DisputeSnapshot {
		all, err := s.PaymentDisputes(t.Context(), s.paid(t, method, core.CaptureAutomatic))
		require.NoError(t, err)
		require.Len(t, all, 1)
		return all[0]
	}
	dispute := opened("pm_card_createDispute")
	require.Equal(t, core.DisputeNeedsResponse, dispute.Status)
	require.Equal(t, core.DisputeFraudulent, dispute.Reason)
	require.True(t, dispute.CanSubmit && dispute.CanAccept && !dispute.DueAt.IsZero())
	require.Equal(t, []core.Money{cents(t, 4990), cents(t, 4990), cents(t, 1500), cents(t, 0)}, []core.Money{dispute.Amount, dispute.Withdrawn, dispute.Fee, dispute.Reinstated})
	in := ports.SubmitEvidence{
		Ref: dispute.Ref, Texts: map[core.EvidenceField]string{core.EvidenceOtherText: "winning_evidence", core.EvidenceCustomerEmail: "jenny@example.com"},
		Files: []ports.EvidenceContent{{
			EvidenceFile: core.EvidenceFile{Field: core.EvidenceReceipt, Name: "receipt.pdf", ContentType: "application/pdf"}, Content: []byte("%PDF-1.7\n"),
		}},
	}
	key := s.next()
	for range 2 { // sent again, it is the same
		won, err := s.SubmitEvidence(t.Context(), key, in)
		require.NoError(t, err)
		require.Equal(t, core.DisputeWon, won.Status)
		require.Equal(t, cents(t, 4990), won.Reinstated)
	}
	_, err := s.SubmitEvidence(t.Context(), s.next(), in)
	require.Equal(t, core.ClassInvalid, refusedAs(t, err).Class, "it is over")

	dispute = opened("pm_card_createDisputeProductNotReceived")
	for range 2 {
		accepted, err := s.AcceptDispute(t.Context(), s.next(), ports.AcceptDispute{Ref: dispute.Ref, Amount: dispute.Amount})
		require.NoError(t, err)
		require.Equal(t, core.DisputeAccepted, accepted.Status)
	}
	inquiry := opened("pm_card_createDisputeInquiry")
	require.Equal(t, core.DisputeInquiry, inquiry.Status)
	require.True(t, inquiry.CanSubmit && !inquiry.CanAccept)
	require.Zero(t, inquiry.Withdrawn)
	_, err = s.GetDispute(t.Context(), core.ProviderRef{Account: "stripe", Kind: core.ObjectDispute, ID: "dp_none"})
	require.Equal(t, ports.ForeignMissing, refusedAs(t, err).Foreign)
}

// saved is a customer's method that the buyer left.
func (s *stripeSale) saved(t *testing.T, customer, method string) core.MethodSnapshot {
	t.Helper()
	session, err := s.CreateSetup(t.Context(), s.next(), ports.CreateSetup{Method: "pm_x", Customer: "cus_x", ProviderCustomer: customer})
	require.NoError(t, err)
	require.Equal(t, core.MethodPending, session.Snapshot.Status)
	s.saves(t, session.Snapshot.Setup, method)
	seen, err := s.GetMethod(t.Context(), core.ProviderRef{Account: "stripe", Kind: core.ObjectSetup, ID: session.Snapshot.Setup})
	require.NoError(t, err)
	return seen
}

func TestStripeVault(t *testing.T) {
	t.Parallel()
	s := newStripeSale(t)
	customer, err := s.CreateCustomer(t.Context(), s.next(), ports.CreateCustomer{Customer: "cus_x", Email: "jenny@example.com", Name: "Jenny"})
	require.NoError(t, err)
	charge := func(method core.MethodSnapshot, key core.OperationKey) (core.PaymentSnapshot, error) {
		return s.ChargeMethod(t.Context(), key, ports.ChargeMethod{
			CreatePayment:    ports.CreatePayment{Payment: "pay_2", Amount: cents(t, 700), Capture: core.CaptureAutomatic},
			ProviderCustomer: customer, ProviderMethod: method.Ref.ID, MethodType: method.Details.Type,
		})
	}
	refused := s.saved(t, customer, "pm_card_visa_chargeDeclined")
	require.Equal(t, core.MethodFailed, refused.Status)
	require.Equal(t, core.FailureCardDeclined, refused.Failure.Code)

	good := s.saved(t, customer, "pm_card_visa")
	require.Equal(t, core.MethodActive, good.Status)
	require.Equal(t, customer, good.Customer)
	require.Equal(t, "4242", good.Details.Last4)
	taken, err := charge(good, s.next())
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, taken.Status)

	for method, code := range map[string]core.FailureCode{
		"pm_card_chargeCustomerFail": core.FailureCardDeclined, "pm_card_authenticationRequired": core.FailureAuthenticationRequired,
	} {
		saved := s.saved(t, customer, method)
		require.Equal(t, core.MethodActive, saved.Status, method)
		key := s.next()
		for range 2 { // sent again, it is the same
			_, err = charge(saved, key)
			declined := refusedAs(t, err)
			require.Equal(t, core.ClassDeclined, declined.Class, method)
			require.Equal(t, code, declined.Code, method)
			left, err := s.GetPayment(t.Context(), core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: declined.ObjectID})
			require.NoError(t, err)
			require.Equal(t, core.PaymentCanceled, left.Status)
			require.False(t, left.Payable)
		}
	}
	for range 2 {
		require.NoError(t, s.DetachMethod(t.Context(), s.next(), good.Ref))
	}
	gone, err := s.GetMethod(t.Context(), good.Ref)
	require.NoError(t, err)
	require.Equal(t, core.MethodRemoved, gone.Status)
	_, err = charge(good, s.next())
	require.Equal(t, core.ClassInvalid, refusedAs(t, err).Class)
}

// subscribed is a subscription to two pieces of ten euros a month, and its price.
func (s *stripeSale) subscribed(t *testing.T, trialDays int) (ports.SubscriptionSession, string) {
	t.Helper()
	customer, err := s.CreateCustomer(t.Context(), s.next(), ports.CreateCustomer{Customer: "cus_x", Email: "jenny@example.com"})
	require.NoError(t, err)
	price := core.Price{ID: "prc_x", Name: "Tea", Amount: cents(t, 1000), Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1, TrialDays: trialDays}}
	id, err := s.CreatePrice(t.Context(), s.next(), price)
	require.NoError(t, err)
	session, err := s.CreateSubscription(t.Context(), s.next(), ports.CreateSubscription{
		Subscription: core.NewID[core.SubscriptionID]([16]byte{7}), Customer: "cus_x", ProviderCustomer: customer, Price: price, ProviderPrice: id, Quantity: 2,
	})
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionIncomplete, session.Snapshot.Status)
	return session, customer
}

func (s *stripeSale) subscription(t *testing.T, ref core.ProviderRef) core.SubscriptionSnapshot {
	t.Helper()
	seen, err := s.GetSubscription(t.Context(), ref)
	require.NoError(t, err)
	return seen
}

func TestStripeSubscriptions(t *testing.T) {
	t.Parallel()
	s := newStripeSale(t)
	session, customer := s.subscribed(t, 0)
	require.Equal(t, "stripe_confirm", session.Action.Type)
	s.pays(t, session.Object, "pm_card_visa_chargeDeclined")
	opened, err := s.OpenSubscription(t.Context(), session.Snapshot.Ref)
	require.NoError(t, err)
	require.Equal(t, session.Object, opened.Object, "the same can be paid")
	require.Equal(t, core.FailureCardDeclined, opened.Snapshot.Failure.Code)
	s.pays(t, session.Object, "pm_card_visa")
	ref := session.Snapshot.Ref
	seen := s.subscription(t, ref)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Equal(t, core.NewID[core.SubscriptionID]([16]byte{7}), seen.Subscription)
	require.Equal(t, cents(t, 2000), seen.Amount)
	require.Equal(t, "4242", seen.Method.Last4)
	require.Nil(t, seen.Failure)
	require.Len(t, seen.Invoices, 1)
	require.Equal(t, []time.Time{seen.CurrentPeriodStart, seen.CurrentPeriodEnd}, []time.Time{seen.Invoices[0].PeriodStart, seen.Invoices[0].PeriodEnd})
	payment, err := s.GetPayment(t.Context(), seen.Invoices[0].Payment)
	require.NoError(t, err)
	require.Equal(t, ref.ID, payment.Subscription)

	s.Elapse(t, 32*day)
	seen = s.subscription(t, ref)
	require.Len(t, seen.Invoices, 2)
	require.Equal(t, core.InvoicePaid, seen.Invoices[0].Status)
	require.Equal(t, seen.CurrentPeriodEnd, seen.Invoices[0].PeriodEnd, "the newest comes first")
	renewal, err := s.GetInvoice(t.Context(), seen.Invoices[0].Ref)
	require.NoError(t, err)
	require.Equal(t, seen.Invoices[0], renewal)

	s.changes(t, seen)
	s.stopsAndGoes(t, ref)

	s.failsAndRecovers(t, ref, customer)
}

// failsAndRecovers has renewals fail, at first until there is another method, then for good.
func (s *stripeSale) failsAndRecovers(t *testing.T, ref core.ProviderRef, customer string) {
	t.Helper()
	swap := func(method string) {
		_, err := s.UpdateSubscriptionMethod(t.Context(), s.next(), ref, s.saved(t, customer, method).Ref.ID)
		require.NoError(t, err)
	}
	swap("pm_card_chargeCustomerFail")
	s.Elapse(t, 31*day)
	seen := s.subscription(t, ref)
	require.Equal(t, core.SubscriptionPastDue, seen.Status)
	require.Positive(t, seen.FailedAttempts)
	require.Equal(t, core.FailureCardDeclined, seen.Failure.Code)
	require.NotZero(t, seen.NextAttempt)
	require.Equal(t, seen.Failure, seen.Invoices[0].Failure)
	require.Equal(t, core.InvoiceOpen, seen.Invoices[0].Status)

	swap("pm_card_visa")
	seen = s.subscription(t, ref)
	require.Equal(t, core.SubscriptionActive, seen.Status, "what was open is paid, too")
	require.Equal(t, core.InvoicePaid, seen.Invoices[0].Status)
	require.Zero(t, seen.FailedAttempts)
	require.Nil(t, seen.Failure)

	swap("pm_card_chargeCustomerFail")
	s.Elapse(t, 400*day)
	ended := s.subscription(t, ref)
	require.Equal(t, core.SubscriptionCanceled, ended.Status, "after the last try")
	require.NotZero(t, ended.EndedAt)
	require.Len(t, ended.Invoices, len(seen.Invoices)+1)
}

// changes changes a running subscription: what was foreseen is what is asked for.
func (s *stripeSale) changes(t *testing.T, seen core.SubscriptionSnapshot) {
	t.Helper()
	dear := core.Price{ID: "prc_y", Name: "More tea", Amount: cents(t, 3000), Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1}}
	id, err := s.CreatePrice(t.Context(), s.next(), dear)
	require.NoError(t, err)
	middle := seen.CurrentPeriodStart.Add(seen.CurrentPeriodEnd.Sub(seen.CurrentPeriodStart) / 2)
	change := ports.ChangeSubscription{Ref: seen.Ref, Price: dear, ProviderPrice: id, Quantity: 1, Prorate: true, At: middle}
	preview, err := s.PreviewChange(t.Context(), change)
	require.NoError(t, err)
	require.Equal(t, ports.ChangePreview{
		DueNow: cents(t, 500), NextAmount: cents(t, 3000), NextAt: seen.CurrentPeriodEnd, EffectiveAt: middle,
	}, preview, "half of thirty less half of twenty")
	key := s.next()
	for range 2 { // sent again, it is the same
		changed, err := s.ChangeSubscription(t.Context(), key, change)
		require.NoError(t, err)
		require.Zero(t, changed.Action)
		require.Equal(t, []any{id, int64(1), cents(t, 3000)}, []any{changed.Snapshot.Price, changed.Snapshot.Quantity, changed.Snapshot.Amount})
	}
	now := s.subscription(t, seen.Ref)
	require.Len(t, now.Invoices, len(seen.Invoices)+1)
	require.Equal(t, cents(t, 500), now.Invoices[0].AmountPaid)
	require.Equal(t, []time.Time{middle, seen.CurrentPeriodEnd}, []time.Time{now.Invoices[0].PeriodStart, now.Invoices[0].PeriodEnd})

	// Without proration nothing is asked for before the next period.
	change.Quantity, change.Prorate = 2, false
	preview, err = s.PreviewChange(t.Context(), change)
	require.NoError(t, err)
	require.Equal(t, ports.ChangePreview{
		DueNow: cents(t, 0), NextAmount: cents(t, 6000), NextAt: seen.CurrentPeriodEnd, EffectiveAt: middle,
	}, preview)
	changed, err := s.ChangeSubscription(t.Context(), s.next(), change)
	require.NoError(t, err)
	require.Equal(t, cents(t, 6000), changed.Snapshot.Amount)
	require.Len(t, s.subscription(t, seen.Ref).Invoices, len(now.Invoices))

	// Another interval begins a new period at once.
	yearly := core.Price{ID: "prc_z", Name: "A year of tea", Amount: cents(t, 20000), Recurring: &core.Recurring{Interval: core.IntervalYear, Count: 1}}
	change.ProviderPrice, err = s.CreatePrice(t.Context(), s.next(), yearly)
	require.NoError(t, err)
	change.Price, change.Quantity = yearly, 1
	preview, err = s.PreviewChange(t.Context(), change)
	require.NoError(t, err)
	require.Equal(t, []core.Money{cents(t, 20000), cents(t, 20000)}, []core.Money{preview.DueNow, preview.NextAmount})
	require.Greater(t, preview.NextAt.Sub(middle), 300*day)
}

// stopsAndGoes pauses, resumes and ends a running subscription, and takes the end back.
func (s *stripeSale) stopsAndGoes(t *testing.T, ref core.ProviderRef) {
	t.Helper()
	for range 2 { // done twice, it is done
		paused, err := s.PauseSubscription(t.Context(), s.next(), ref)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionPaused, paused.Status)
	}
	for range 2 {
		resumed, err := s.ResumeSubscription(t.Context(), s.next(), ref)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, resumed.Status)
	}
	for range 2 {
		ending, err := s.CancelSubscription(t.Context(), s.next(), ports.CancelSubscription{Ref: ref, AtPeriodEnd: true})
		require.NoError(t, err)
		require.True(t, ending.CancelAtPeriodEnd && !ending.CanceledAt.IsZero())
	}
	for range 2 {
		kept, err := s.KeepSubscription(t.Context(), s.next(), ref)
		require.NoError(t, err)
		require.False(t, kept.CancelAtPeriodEnd || !kept.CanceledAt.IsZero())
	}
}

func TestStripeTrials(t *testing.T) {
	t.Parallel()
	s := newStripeSale(t)
	session, _ := s.subscribed(t, 14)
	require.Equal(t, ports.ActionStripeSetup, session.Action.Type)
	s.saves(t, session.Object, "pm_card_visa")
	seen := s.subscription(t, session.Snapshot.Ref)
	require.Equal(t, core.SubscriptionTrialing, seen.Status)
	require.Equal(t, seen.TrialEnd, seen.CurrentPeriodEnd)
	require.Equal(t, "4242", seen.Method.Last4)
	s.Elapse(t, 15*day)
	require.Equal(t, core.SubscriptionActive, s.subscription(t, session.Snapshot.Ref).Status)

	session, _ = s.subscribed(t, 14)
	s.Elapse(t, 15*day)
	require.Equal(t, core.SubscriptionCanceled, s.subscription(t, session.Snapshot.Ref).Status, "nobody left a method")
}

// TestStripeEnds: what is ended is ended, and what never began can no longer be paid.
func TestStripeEnds(t *testing.T) {
	t.Parallel()
	s := newStripeSale(t)
	session, _ := s.subscribed(t, 0)
	for range 2 {
		ended, err := s.CancelSubscription(t.Context(), s.next(), ports.CancelSubscription{Ref: session.Snapshot.Ref})
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionCanceled, ended.Status)
	}
	seen := s.subscription(t, session.Snapshot.Ref)
	require.Equal(t, core.InvoiceVoid, seen.Invoices[0].Status)
	payment, err := s.GetPayment(t.Context(), core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: session.Object})
	require.NoError(t, err)
	require.False(t, payment.Payable)
	require.Equal(t, core.PaymentCanceled, payment.Status)

	session, _ = s.subscribed(t, 0)
	s.Elapse(t, 2*day)
	require.Equal(t, core.SubscriptionCanceled, s.subscription(t, session.Snapshot.Ref).Status, "nobody paid in time")
	_, err = s.CancelSubscription(t.Context(), s.next(), ports.CancelSubscription{Ref: session.Snapshot.Ref})
	require.NoError(t, err)
	_, err = s.CancelSubscription(t.Context(), s.next(), ports.CancelSubscription{Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectSubscription, ID: "sub_none"}})
	require.Equal(t, ports.ForeignMissing, refusedAs(t, err).Foreign)
}
