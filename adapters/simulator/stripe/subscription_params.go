package stripe

import (
	"net/http"
	"strconv"
	"time"
)

// readSubscription reads what a subscription is made of. The caller holds mu.
func (s *Server) readSubscription(in *request) (*subscription, *result) {
	now := s.now()
	sub := &subscription{
		Object: "subscription", CollectionMethod: "charge_automatically", Created: now.Unix(), StartDate: now.Unix(), CurrentPeriodStart: now.Unix(),
		PaymentSettings: paymentSettings{SaveDefaultPaymentMethod: "off"}, Status: subIncomplete,
	}
	sub.TrialSettings.EndBehavior.MissingPaymentMethod = "create_invoice"
	if in.params["customer"] == "" {
		return nil, new(missingParam("customer"))
	}
	var out *result
	if sub.owner, out = s.customerBy(in.params["customer"], "customer"); out != nil {
		return nil, out
	}
	if _, out = in.choice("collection_method", "charge_automatically"); out != nil {
		return nil, out
	}
	if sub.items, out = s.readItems(in, "items", sub); out != nil {
		return nil, out
	}
	if len(sub.items) == 0 {
		return nil, new(missingParam("items"))
	}
	sub.Currency = sub.items[0].Price.Currency
	if said := in.params["currency"]; said != "" && said != sub.Currency {
		return nil, new(invalid("", "currency", "The currency does not match that of the prices."))
	}
	if out = s.readTrial(in, sub); out != nil {
		return nil, out
	}
	sub.anchor, sub.cycle = now.Truncate(time.Second), 1
	sub.CurrentPeriodEnd = sub.rhythm().next(sub.anchor, 1).Unix()
	if sub.TrialEnd != nil {
		sub.Status, sub.TrialStart, sub.CurrentPeriodEnd = subTrialing, new(now.Unix()), *sub.TrialEnd
		sub.anchor, sub.cycle = time.Unix(*sub.TrialEnd, 0).UTC(), 0
	}
	sub.BillingCycleAnchor = sub.anchor.Unix()
	return sub, s.readSettings(in, sub)
}

// readTrial reads how long nothing is charged.
func (s *Server) readTrial(in *request, sub *subscription) *result {
	now := s.now()
	days, byDays, out := in.integer("trial_period_days", 0, trialDaysMax)
	if out != nil {
		return out
	}
	end := in.params["trial_end"]
	switch {
	case byDays && end != "":
		return new(invalid("", "trial_end", "You may only specify one of these parameters: trial_end, trial_period_days."))
	case byDays && days > 0:
		sub.TrialEnd = new(now.AddDate(0, 0, int(days)).Unix())
	case end != "" && end != "now":
		at, err := strconv.ParseInt(end, 10, 64)
		if err != nil || at <= now.Unix() || at > now.AddDate(0, 0, trialDaysMax).Unix() {
			return new(invalid("", "trial_end", "Invalid timestamp: trial_end must be 'now', or in the future and within two years."))
		}
		sub.TrialEnd = &at
	}
	return nil
}

// readSettings reads what creating and updating have in common, over what there is. The
// caller holds mu.
func (s *Server) readSettings(in *request, sub *subscription) *result {
	var out *result
	if sub.Metadata, out = in.metadata(sub.Metadata); out != nil {
		return out
	}
	if out = in.texts(textField{"description", descriptionCharsMax, &sub.Description}); out != nil {
		return out
	}
	if in.params["payment_settings[save_default_payment_method]"] != "" {
		if sub.PaymentSettings.SaveDefaultPaymentMethod, out = in.choice("payment_settings[save_default_payment_method]", "off", "on_subscription"); out != nil {
			return out
		}
	}
	for name, value := range in.params {
		if fits("payment_settings[payment_method_types][*]", name) && value != "card" {
			return new(invalid("", name, "The payment method type is invalid: only card is activated."))
		}
	}
	const missing = "trial_settings[end_behavior][missing_payment_method]"
	if in.params[missing] != "" {
		if sub.TrialSettings.EndBehavior.MissingPaymentMethod, out = in.choice(missing, "create_invoice", "cancel", "pause"); out != nil {
			return out
		}
	}
	if id, said := in.params["default_payment_method"]; said {
		if sub.method = sub.owner.method(id); sub.method == nil && id != "" {
			return new(failed(http.StatusBadRequest, apiError{
				Type: typeInvalidRequest, Code: "resource_missing", Param: "default_payment_method",
				Message: "The customer does not have a payment method with the ID " + clip(id) + ". The payment method must be attached to the customer.",
			}))
		}
	}
	return s.readCancellation(in, sub)
}

// readCancellation reads when a subscription is to end. The caller holds mu.
func (s *Server) readCancellation(in *request, sub *subscription) *result {
	now := s.now().Unix()
	_, byPeriod := in.params["cancel_at_period_end"]
	text, byTime := in.params["cancel_at"]
	atEnd, out := in.boolean("cancel_at_period_end", sub.CancelAtPeriodEnd)
	switch {
	case out != nil:
		return out
	case byPeriod && byTime && text != "" && atEnd:
		return new(invalid("", "cancel_at", "You may only specify one of these parameters: cancel_at, cancel_at_period_end."))
	case byTime && text != "":
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || at <= now {
			return new(invalid("", "cancel_at", "Invalid timestamp: cancel_at must be in the future."))
		}
		sub.CancelAt, sub.CanceledAt, sub.CancelAtPeriodEnd = &at, &now, false
	case byPeriod && atEnd && !sub.CancelAtPeriodEnd:
		sub.CancelAt, sub.CanceledAt, sub.CancelAtPeriodEnd = new(sub.CurrentPeriodEnd), &now, true
		sub.CancellationDetails.Reason = new("cancellation_requested")
	case byPeriod && !atEnd, byTime:
		sub.CancelAt, sub.CanceledAt, sub.CancelAtPeriodEnd, sub.CancellationDetails.Reason = nil, nil, false, nil
	}
	return in.texts(
		textField{"cancellation_details[comment]", metadataValueCharsMax, &sub.CancellationDetails.Comment},
		textField{"cancellation_details[feedback]", nameCharsMax, &sub.CancellationDetails.Feedback},
	)
}
