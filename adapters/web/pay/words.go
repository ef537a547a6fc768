package pay

import (
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
)

// words are what a checkout's page says, by what the checkout is for.
type words struct {
	Titles map[string]string // of the document, by the page's state
	// Heading is what it is about, in large letters, and After what follows in small ones; empty
	// for nothing.
	Heading, After string
	Named          string // what the reference is the name of
	Listed         string // over the rows; empty where there are none to show
	DueLabel, Due  string // the sum that is asked for today; empty where nothing is ever
	// LaterLabel and Later are the sum that is asked for after a trial; empty where there is none.
	LaterLabel, Later string
	Panel             string // over the form
	Choice            string // over the ways to pay
	Button            string
	// Agreed is the sentence that the buyer agrees to by the button; empty for none.
	Agreed                        string
	Notes                         []string // under the button
	Elsewhere                     string   // what is done on the provider's own page
	Again                         string   // what there is no need for while the buyer waits
	WaitTitle                     string
	DoneTitle, DoneText           string
	ExpiredText                   string
	UnavailableTitle, Unavailable string
}

const (
	titleOpen    = "Checkout"
	titleExpired = "Checkout expired"
)

// wordsOf gives the words for a checkout. price is the one that is subscribed to; the zero one
// in other modes.
func wordsOf(c core.Checkout, price core.Price) words {
	switch c.Mode {
	case core.ModeSubscription:
		if price.Recurring != nil {
			return subscriptionWords(c, *price.Recurring)
		}
	case core.ModeSetup:
		return setupWords(c)
	case core.ModePayment:
	}
	return paymentWords(c)
}

func paymentWords(c core.Checkout) words {
	total := formatMoney(c.Amount)
	w := words{
		Titles: map[string]string{
			stateOpen: titleOpen, stateProcessing: "Payment in progress", stateReview: "Payment is being checked",
			stateComplete: "Payment complete", stateExpired: titleExpired, stateUnavailable: "Payment not available",
		},
		Heading: total, Named: "Order", Listed: "What you are buying", DueLabel: "Total", Due: total,
		Panel: "Payment", Choice: "How would you like to pay?", Button: "Pay " + total, Elsewhere: "You pay", Again: "pay",
		WaitTitle: "Your payment is being processed", DoneTitle: "Payment complete",
		DoneText:         fmt.Sprintf("Thank you. We received %s for order %s.", total, c.Reference),
		ExpiredText:      "The time to pay for this order is over, and nothing was charged.",
		UnavailableTitle: "This order cannot be paid here now", Unavailable: "No way to pay is set up for it.",
	}
	if c.Capture == core.CaptureManual {
		w.Notes = []string{"The amount is held on your card now and charged later by the shop."}
		w.DoneText = fmt.Sprintf("Thank you. %s is held for order %s and will be charged by the shop.", total, c.Reference)
	}
	if c.Flow == core.FlowRedirect {
		w.Button = "Continue to payment"
	}
	return w
}

func subscriptionWords(c core.Checkout, every core.Recurring) words {
	total, period := formatMoney(c.Amount), periodOf(every)
	w := words{
		Titles: map[string]string{
			stateOpen: titleOpen, stateProcessing: "Subscription in progress", stateComplete: "You are subscribed",
			stateExpired: titleExpired, stateUnavailable: "Subscription not available",
		},
		Heading: total, After: period, Named: "Order", Listed: "What you are subscribing to", DueLabel: "Due today", Due: total,
		Panel: "Subscription", Choice: "How would you like to pay?", Button: "Subscribe", Elsewhere: "You subscribe", Again: "subscribe",
		Agreed:    fmt.Sprintf("By subscribing you allow the shop to charge you %s today and again %s until you cancel.", total, period),
		WaitTitle: "Your subscription is being set up", DoneTitle: "You are subscribed",
		DoneText:         fmt.Sprintf("Thank you. Your subscription for order %s has begun. It costs %s %s until you cancel.", c.Reference, total, period),
		ExpiredText:      "The time to subscribe here is over, and nothing was charged.",
		UnavailableTitle: "You cannot subscribe here now", Unavailable: "No way to pay is set up for this subscription.",
	}
	if days := daysOf(every.TrialDays); days != "" {
		w.Heading, w.After = days+" free", "then "+total+" "+period
		w.Due, w.Button = formatMoney(core.Zero(c.Amount.Currency())), "Start free trial"
		w.LaterLabel, w.Later = "Due after "+days, total
		w.Agreed = fmt.Sprintf("By starting the free trial you allow the shop to charge you %s after %s and again %s until you cancel.", total, days, period)
		w.DoneText = fmt.Sprintf("Thank you. Your free trial for order %s has begun. After %s the subscription costs %s %s until you cancel.", c.Reference, days, total, period)
	}
	return w
}

func setupWords(c core.Checkout) words {
	return words{
		Titles: map[string]string{
			stateOpen: "Save a payment method", stateProcessing: "Saving in progress", stateComplete: "Saved",
			stateExpired: titleExpired, stateUnavailable: "Saving not available",
		},
		Heading: "Save a payment method", Named: "Reference",
		Panel: "Payment method", Choice: "What would you like to save?", Button: "Save", Agreed: customers.ConsentText(c), Elsewhere: "You agree", Again: "save it",
		WaitTitle: "Your payment method is being saved", DoneTitle: "Saved", DoneText: "Thank you. Your payment method is saved, and nothing was charged.",
		ExpiredText:      "The time to save a payment method here is over, and nothing was saved.",
		UnavailableTitle: "No payment method can be saved here now", Unavailable: "No way to pay is set up for it.",
	}
}

// periodOf says how often something is asked for: "every month", "every 2 weeks".
func periodOf(r core.Recurring) string {
	if r.Count == 1 {
		return "every " + string(r.Interval)
	}
	return fmt.Sprintf("every %d%s%ss", r.Count, noBreak, r.Interval)
}

// daysOf says how long a trial is: "14 days". It is empty for none.
func daysOf(days int) string {
	switch {
	case days <= 0:
		return ""
	case days == 1:
		return "1" + noBreak + "day"
	}
	return fmt.Sprintf("%d%sdays", days, noBreak)
}
