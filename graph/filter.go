package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// filterCharactersMax is the longest text that a list is narrowed to.
const filterCharactersMax = 255

// filterReader reads the fields of a filter and keeps the first problem. A field that is there must narrow:
// an empty text or list is refused, since a caller who built one by mistake would get all.
type filterReader struct{ err error }

func (f *filterReader) refuse(format string, args ...any) {
	if f.err == nil {
		f.err = refuse(codeInput, format, args...)
	}
}

func (f *filterReader) text(name string, text *string) string {
	if text == nil || f.err != nil {
		return ""
	}
	var checked string
	checked, f.err = checkedText("filter."+name, *text, filterCharactersMax)
	return checked
}

func (f *filterReader) email(name string, text *string) string {
	email := f.text(name, text)
	if local, domain, found := strings.Cut(email, "@"); email != "" && (!found || local == "" || domain == "") {
		f.refuse("filter.%s must be a whole email address", name)
	}
	return email
}

func (f *filterReader) last4(name string, text *string) string {
	if text == nil {
		return ""
	}
	if !core.IsLast4(*text) {
		f.refuse("filter.%s must be four digits", name)
	}
	return *text
}

// times refuses ranges that nothing can lie in.
func (f *filterReader) times(afterName string, after *time.Time, beforeName string, before *time.Time) (time.Time, time.Time) {
	if after != nil && before != nil && !after.Before(*before) {
		f.refuse("filter.%s must be later than filter.%s", beforeName, afterName)
	}
	return timeOrZero(after), timeOrZero(before)
}

func (f *filterReader) provider(name string, text *string) core.ProviderName {
	provider := core.ProviderName(f.text(name, text))
	if provider != "" && !slices.Contains([]core.ProviderName{core.ProviderStripe, core.ProviderPayPal, core.ProviderSquare}, provider) {
		f.refuse("filter.%s must be stripe, paypal or square", name)
	}
	return provider
}

func (f *filterReader) currency(name string, text string) core.Currency {
	currency, err := core.ParseCurrency(text)
	if err != nil {
		f.refuse("filter.%s must be an ISO 4217 code", name)
	}
	return currency
}

func (f *filterReader) amounts(currency *string, in *model.AmountRange) (amounts ports.Amounts) {
	if currency != nil {
		amounts.Currency = f.currency("currency", *currency)
	}
	if in == nil {
		return amounts
	}
	of := f.currency("amount.currency", in.Currency)
	if currency != nil && of != amounts.Currency {
		f.refuse("filter.amount.currency must be that of filter.currency")
	}
	if in.MinMinor == nil && in.MaxMinor == nil {
		f.refuse("filter.amount must have minMinor or maxMinor")
	}
	for name, bound := range map[string]*int64{"minMinor": in.MinMinor, "maxMinor": in.MaxMinor} {
		if bound != nil && *bound < 0 {
			f.refuse("filter.amount.%s must not be negative", name)
		}
	}
	if in.MinMinor != nil && in.MaxMinor != nil && *in.MinMinor > *in.MaxMinor {
		f.refuse("filter.amount.maxMinor must not be less than filter.amount.minMinor")
	}
	return ports.Amounts{Currency: of, Least: in.MinMinor, Most: in.MaxMinor}
}

func readID[T core.ID](f *filterReader, name string, text *string) T {
	if text == nil || f.err != nil {
		return ""
	}
	var id T
	id, f.err = parseID[T]("filter."+name, *text)
	return id
}

func readWords[T ~string](f *filterReader, name string, words []T) []T {
	if words != nil && len(words) == 0 {
		f.refuse("filter.%s must name one", name)
	}
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

func paymentFilter(in *model.PaymentFilter) (filter ports.PaymentFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.PaymentFilter{
		Reference: f.text("reference", in.Reference), Statuses: readWords(&f, "status", in.Status),
		Account: core.AccountName(f.text("account", in.Account)), Provider: f.provider("provider", in.Provider),
		Customer: readID[core.CustomerID](&f, "customer", in.Customer), Email: f.email("customerEmail", in.CustomerEmail),
		Checkout: readID[core.CheckoutID](&f, "checkout", in.Checkout), Subscription: readID[core.SubscriptionID](&f, "subscription", in.Subscription),
		Amounts: f.amounts(in.Currency, in.Amount), Last4: f.last4("last4", in.Last4),
		ProviderID: f.text("providerPaymentId", in.ProviderPaymentID), Disputed: in.Disputed, NeedsReview: in.NeedsReview,
	}
	filter.CreatedAfter, filter.CreatedBefore = f.times("createdAfter", in.CreatedAfter, "createdBefore", in.CreatedBefore)
	return filter, f.err
}

// checkSort refuses to order amounts of several currencies.
func checkSort(order core.Order, currency core.Currency) error {
	if (order == core.OrderLargest || order == core.OrderSmallest) && currency == "" {
		return refuse(codeInput, "sort by amount needs filter.currency or filter.amount: amounts of several currencies cannot be compared")
	}
	return nil
}

func refundFilter(in *model.RefundFilter) (filter ports.RefundFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.RefundFilter{
		Payment: readID[core.PaymentID](&f, "payment", in.Payment), Account: core.AccountName(f.text("account", in.Account)),
		Statuses: readWords(&f, "status", in.Status), Amounts: f.amounts(in.Currency, in.Amount),
	}
	filter.CreatedAfter, filter.CreatedBefore = f.times("createdAfter", in.CreatedAfter, "createdBefore", in.CreatedBefore)
	return filter, f.err
}

func disputeFilter(in *model.DisputeFilter) (filter ports.DisputeFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.DisputeFilter{
		Payment: readID[core.PaymentID](&f, "payment", in.Payment), Account: core.AccountName(f.text("account", in.Account)),
		Statuses: readWords(&f, "status", in.Status), Reasons: readWords(&f, "reason", in.Reason), Owner: readID[core.StaffID](&f, "owner", in.Owner),
	}
	filter.DueAfter, filter.DueBefore = f.times("dueAfter", in.DueAfter, "dueBefore", in.DueBefore)
	return filter, f.err
}

func subscriptionFilter(in *model.BillingSubscriptionFilter) (filter ports.SubscriptionFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.SubscriptionFilter{
		Customer: readID[core.CustomerID](&f, "customer", in.Customer), Account: core.AccountName(f.text("account", in.Account)),
		Price: readID[core.PriceID](&f, "price", in.Price), Reference: f.text("reference", in.Reference), Statuses: readWords(&f, "status", in.Status),
	}
	filter.CreatedAfter, filter.CreatedBefore = f.times("createdAfter", in.CreatedAfter, "createdBefore", in.CreatedBefore)
	return filter, f.err
}

func operationFilter(in *model.OperationFilter) (filter ports.OperationFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.OperationFilter{
		Statuses: readWords(&f, "status", in.Status), Kinds: readWords(&f, "kind", in.Kind), Account: core.AccountName(f.text("account", in.Account)),
		Payment: readID[core.PaymentID](&f, "payment", in.Payment), Subject: f.text("subject", in.Subject),
		ForStaff: in.ForStaff != nil && *in.ForStaff,
	}
	return filter, f.err
}

func customerFilter(in *model.CustomerFilter) (filter ports.CustomerFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter.Email = f.email("email", in.Email)
	return filter, f.err
}

func checkoutFilter(in *model.CheckoutFilter) (filter ports.CheckoutFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.CheckoutFilter{
		Reference: f.text("reference", in.Reference), Customer: readID[core.CustomerID](&f, "customer", in.Customer),
		Email: f.email("email", in.Email), Statuses: readWords(&f, "status", in.Status),
	}
	filter.CreatedAfter, filter.CreatedBefore = f.times("createdAfter", in.CreatedAfter, "createdBefore", in.CreatedBefore)
	return filter, f.err
}

func inboundFilter(in *model.InboundEventFilter) (filter ports.InboundFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.InboundFilter{
		Account: core.AccountName(f.text("account", in.Account)), Type: f.text("type", in.Type), Statuses: readWords(&f, "status", in.Status),
	}
	filter.ReceivedAfter, filter.ReceivedBefore = f.times("receivedAfter", in.ReceivedAfter, "receivedBefore", in.ReceivedBefore)
	return filter, f.err
}

func auditFilter(in *model.AuditFilter) (filter ports.AuditFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.AuditFilter{Actor: f.text("actor", in.Actor), Action: f.text("action", in.Action), Subject: f.text("subject", in.Subject)}
	filter.After, filter.Before = f.times("after", in.After, "before", in.Before)
	return filter, f.err
}

func notificationFilter(in *model.NotificationFilter) (filter ports.NotificationFilter, err error) {
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter = ports.NotificationFilter{
		Endpoint: readID[core.EndpointID](&f, "endpoint", in.Endpoint), Event: readID[core.EventID](&f, "event", in.Event),
		Subject: f.text("subject", in.Subject), Statuses: readWords(&f, "status", in.Status),
	}
	return filter, f.err
}

func approvalFilter(in *model.ApprovalFilter, now time.Time) (filter ports.ApprovalFilter, err error) {
	filter.Now = now
	if in == nil {
		return filter, nil
	}
	var f filterReader
	filter.Payment, filter.Statuses = readID[core.PaymentID](&f, "payment", in.Payment), readWords(&f, "status", in.Status)
	return filter, f.err
}

func parseID[T core.ID](name, text string) (T, error) {
	id, err := core.ParseID[T](text)
	if err != nil {
		return "", refuse(codeInput, "%s %s", name, err)
	}
	return id, nil
}

func timeOrZero(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}
