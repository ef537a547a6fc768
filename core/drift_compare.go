package core

import (
	"strconv"
	"time"
)

// differences gathers those that are.
type differences []Difference

func (d *differences) note(field string, differs bool, ours, theirs string) {
	if differs {
		*d = append(*d, Difference{Field: field, Ours: ours, Theirs: theirs})
	}
}

// ComparePayment tells in what a payment is not as its provider shows it. givenBack is what went
// back of it, as far as the provider can know. Where ours is an attempt that came to nothing, it is
// no difference that its object is still open there: no money is in it, and nobody sends buyers to
// it.
func ComparePayment(held Payment, givenBack Money, seen PaymentSnapshot) []Difference {
	var d differences
	paidAtAPage := seen.Ref.Kind == ObjectSession // and not paid yet: there is no payment there
	d.note("provider_payment_id", !paidAtAPage && held.ProviderPaymentID != seen.Ref.ID, held.ProviderPaymentID, seen.Ref.ID)
	d.note("environment", held.Environment != seen.Environment, string(held.Environment), string(seen.Environment))
	d.note("amount", held.Amount != seen.Amount, amountText(held.Amount), amountText(seen.Amount))
	d.note("status", paymentStatusDiffers(held, seen), string(held.Status), string(seen.Status))
	// What is held for a payment is kept here at its highest, also once it was released.
	more, err := seen.Authorized.Compare(held.AmountAuthorized)
	d.note("amount_authorized", err != nil || more > 0, amountText(held.AmountAuthorized), amountText(seen.Authorized))
	d.note("amount_captured", held.AmountCaptured != seen.Captured, amountText(held.AmountCaptured), amountText(seen.Captured))
	d.note("amount_refunded", givenBack != seen.Refunded, amountText(givenBack), amountText(seen.Refunded))
	return d
}

func paymentStatusDiffers(held Payment, seen PaymentSnapshot) bool {
	if held.Status == seen.Status {
		return false
	}
	cameToNothing := held.Status == PaymentFailed || held.Status == PaymentCanceled || held.Status == PaymentExpired
	noMoney := !seen.Status.HoldsMoney() && !seen.Captured.IsPositive() && seen.Status.Known()
	return !(cameToNothing && noMoney)
}

// CompareRefund tells in what a refund is not as its provider shows it.
func CompareRefund(held Refund, seen RefundSnapshot) []Difference {
	var d differences
	d.note("provider_refund_id", held.ProviderRefundID != seen.Ref.ID, held.ProviderRefundID, seen.Ref.ID)
	d.note("environment", held.Environment != seen.Environment, string(held.Environment), string(seen.Environment))
	d.note("amount", held.Amount != seen.Amount, amountText(held.Amount), amountText(seen.Amount))
	d.note("status", held.Status != seen.Status, string(held.Status), string(seen.Status))
	return d
}

// CompareDispute tells in what a dispute is not as its provider shows it. Lost and accepted are one
// word at some providers.
func CompareDispute(held Dispute, seen DisputeSnapshot) []Difference {
	var d differences
	given := held.Status == DisputeAccepted && seen.Status == DisputeLost
	d.note("environment", held.Environment != seen.Environment, string(held.Environment), string(seen.Environment))
	d.note("status", held.Status != seen.Status && !given, string(held.Status), string(seen.Status))
	d.note("amount", held.Amount != seen.Amount, amountText(held.Amount), amountText(seen.Amount))
	for _, of := range []struct {
		field        string
		ours, theirs Money
	}{{"fee", held.Fee, seen.Fee}, {"withdrawn", held.Withdrawn, seen.Withdrawn}, {"reinstated", held.Reinstated, seen.Reinstated}} {
		known := of.theirs.Currency() != "" // otherwise it does not say
		d.note(of.field, known && of.ours != of.theirs, amountText(of.ours), amountText(of.theirs))
	}
	d.note("due_at", !held.Status.Closed() && !held.DueAt.Equal(seen.DueAt), timeText(held.DueAt), timeText(seen.DueAt))
	return d
}

// CompareSubscription tells in what a subscription is not as its provider shows it. What the
// provider does not tell is no difference.
func CompareSubscription(held Subscription, seen SubscriptionSnapshot) []Difference {
	var d differences
	d.note("provider_subscription_id", held.ProviderSubscriptionID != seen.Ref.ID, held.ProviderSubscriptionID, seen.Ref.ID)
	d.note("environment", held.Environment != seen.Environment, string(held.Environment), string(seen.Environment))
	d.note("status", held.Status != seen.Status, string(held.Status), string(seen.Status))
	d.note("quantity", seen.Quantity > 0 && held.Quantity != seen.Quantity, strconv.FormatInt(held.Quantity, 10), strconv.FormatInt(seen.Quantity, 10))
	d.note("amount", seen.Amount != Money{} && held.Amount != seen.Amount, amountText(held.Amount), amountText(seen.Amount))
	d.note("cancel_at_period_end", !held.CancelHere && held.CancelAtPeriodEnd != seen.CancelAtPeriodEnd,
		strconv.FormatBool(held.CancelAtPeriodEnd), strconv.FormatBool(seen.CancelAtPeriodEnd))
	d.note("current_period_end", !seen.CurrentPeriodEnd.IsZero() && !held.CurrentPeriodEnd.Equal(seen.CurrentPeriodEnd),
		timeText(held.CurrentPeriodEnd), timeText(seen.CurrentPeriodEnd))
	return d
}

// amountText is an amount for staff and for tables: minor units and the currency.
func amountText(m Money) string {
	if m.Currency() == "" {
		return ""
	}
	return strconv.FormatInt(m.Minor(), 10) + " " + string(m.Currency())
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
