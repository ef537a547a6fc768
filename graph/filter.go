package graph

import (
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// paymentFilter reads what a list is narrowed by. A field that is there must narrow: an
// empty text or list is refused, since a caller who built one by mistake would get all.
func paymentFilter(in *model.PaymentFilter) (filter ports.PaymentFilter, err error) {
	if in == nil {
		return filter, nil
	}
	if filter.Reference, err = filterText("reference", in.Reference); err != nil {
		return filter, err
	}
	account, err := filterText("account", in.Account)
	if err != nil {
		return filter, err
	}
	filter.Account = core.AccountName(account)
	if filter.Customer, err = filterID[core.CustomerID]("customer", in.Customer); err != nil {
		return filter, err
	}
	if filter.Checkout, err = filterID[core.CheckoutID]("checkout", in.Checkout); err != nil {
		return filter, err
	}
	if in.Status != nil && len(in.Status) == 0 {
		return filter, refuse(codeInput, "filter.status must name a status")
	}
	filter.Statuses = slices.Compact(slices.Sorted(slices.Values(in.Status)))
	filter.CreatedAfter, filter.CreatedBefore = timeOrZero(in.CreatedAfter), timeOrZero(in.CreatedBefore)
	return filter, nil
}

func filterText(name string, text *string) (string, error) {
	if text == nil {
		return "", nil
	}
	if *text == "" {
		return "", refuse(codeInput, "filter.%s must not be empty", name)
	}
	return *text, nil
}

func filterID[T core.ID](name string, text *string) (T, error) {
	if text == nil {
		return "", nil
	}
	return parseID[T]("filter."+name, *text)
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
