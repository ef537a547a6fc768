package square

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

const (
	invoicesPath = "/v2/invoices"
	// invoicesSearchedMax is how many of a customer's newest invoices are searched for the one
	// that a payment pays; more are not given at once.
	invoicesSearchedMax = 200
)

// Invoice is an invoice as Square shows it, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/Invoice.
type Invoice struct {
	ID              string           `json:"id"`
	Status          string           `json:"status"`
	OrderID         string           `json:"order_id"`
	SubscriptionID  string           `json:"subscription_id"`
	PaymentRequests []PaymentRequest `json:"payment_requests"`
	Timezone        string           `json:"timezone"`
	CreatedAt       string           `json:"created_at"`
}

// PaymentRequest is what an invoice asks for by a day.
type PaymentRequest struct {
	DueDate   string `json:"due_date"`
	Computed  *Money `json:"computed_amount_money"`
	Completed *Money `json:"total_completed_amount_money"`
}

// SearchInvoicesRequest is the body of POST /v2/invoices/search.
type SearchInvoicesRequest struct {
	Limit int           `json:"limit"`
	Query InvoicesQuery `json:"query"`
}

// InvoicesQuery says which invoices are searched for.
type InvoicesQuery struct {
	Filter InvoicesFilter `json:"filter"`
	Sort   InvoicesSort   `json:"sort"`
}

// InvoicesFilter is of one location and one customer.
type InvoicesFilter struct {
	LocationIDs []string `json:"location_ids"`
	CustomerIDs []string `json:"customer_ids"`
}

// BatchRetrieveOrdersRequest is the body of POST /v2/orders/batch-retrieve.
type BatchRetrieveOrdersRequest struct {
	LocationID string   `json:"location_id"`
	OrderIDs   []string `json:"order_ids"`
}

// InvoicesSort is the order of a search.
type InvoicesSort struct {
	Field string `json:"field"`
	Order string `json:"order"`
}

// billed is an invoice with what tells how it is paid.
type billed struct {
	Invoice

	by      *outbound.Call // that showed it
	payment string         // that paid it, or the newest that failed to; empty for none
	failed  *Payment       // the newest that failed to; nil where none did, or where it is paid
	tries   int            // that failed
}

func invoiceID(out answer) string {
	if out.Invoice == nil {
		return ""
	}
	return out.Invoice.ID
}

// invoice fetches an invoice.
//
// Source: GET /v2/invoices/{id}.
func (a *Adapter) invoice(ctx context.Context, op, id string) (billed, error) {
	shown, err := a.api.object(ctx, op, http.MethodGet, invoicesPath+"/"+id, nil, id, invoiceID)
	if err != nil {
		return billed{}, err
	}
	return billed{Invoice: *shown.Invoice, by: shown.call}, nil
}

// GetInvoice implements [ports.Subscriber]. When its period ends is told by its subscription.
//
// Source: GET /v2/invoices/{id}.
func (a *Adapter) GetInvoice(ctx context.Context, ref core.ProviderRef) (core.InvoiceSnapshot, error) {
	op := a.op("get invoice", safeID(ref.ID))
	if err := a.checkRef(op, ref, core.ObjectInvoice); err != nil {
		return core.InvoiceSnapshot{}, err
	}
	shown, err := a.invoice(ctx, op, ref.ID)
	if err != nil {
		return core.InvoiceSnapshot{}, err
	}
	found := []billed{shown}
	if err := a.findPayments(ctx, op, found); err != nil {
		return core.InvoiceSnapshot{}, within(err)
	}
	var ends time.Time
	if of := safeID(shown.SubscriptionID); of != "" {
		if ends, err = a.periodEnd(ctx, op, of, ref.ID); err != nil {
			return core.InvoiceSnapshot{}, within(err)
		}
	}
	return a.invoiceSeen(found[0], ends)
}

// periodEnd is when the period of one of a subscription's invoices ends: the newest's with what
// is charged, any other's when the next one asks; zero where the subscription does not tell.
func (a *Adapter) periodEnd(ctx context.Context, op, subscription, invoice string) (time.Time, error) {
	shown, err := a.api.subscription(ctx, op, subscription)
	if err != nil {
		return time.Time{}, err
	}
	ids := shown.Subscription.InvoiceIDs
	n := slices.Index(ids, invoice)
	if n <= 0 || safeID(ids[n-1]) == "" {
		return shown.Subscription.chargedUntil(), nil
	}
	next, err := a.invoice(ctx, op, ids[n-1])
	return next.due(), err
}

// invoicesOf are a subscription's newest invoices, newest first. A search gives what has come to
// its end; what may change is fetched, since searches lag.
//
// Source: POST /v2/invoices/search, GET /v2/invoices/{id}.
func (a *Adapter) invoicesOf(ctx context.Context, op string, s answer) ([]core.InvoiceSnapshot, error) {
	ids := s.Subscription.InvoiceIDs
	ids = ids[:min(len(ids), core.InvoicesShownMax)]
	if len(ids) == 0 {
		return nil, nil
	}
	known, by, err := a.searchInvoices(ctx, op, s.Subscription.CustomerID)
	if err != nil {
		return nil, err
	}
	found := make([]billed, len(ids))
	for n, id := range ids {
		at := slices.IndexFunc(known, func(one Invoice) bool {
			status := invoiceStatus(one.Status)
			return one.ID == id && (status == core.InvoicePaid || status == core.InvoiceVoid)
		})
		switch {
		case safeID(id) == "":
			return nil, s.call.Unusable(errNotReadable)
		case at >= 0:
			found[n] = billed{Invoice: known[at], by: by}
		default:
			if found[n], err = a.invoice(ctx, op, id); err != nil {
				return nil, err
			}
		}
	}
	if err := a.findPayments(ctx, op, found); err != nil {
		return nil, err
	}
	seen := make([]core.InvoiceSnapshot, len(found))
	ends := s.Subscription.chargedUntil()
	for n, one := range found {
		if one.SubscriptionID != s.Subscription.ID {
			return nil, one.by.Unusable(errNoObject)
		}
		if seen[n], err = a.invoiceSeen(one, ends); err != nil {
			return nil, err
		}
		ends = one.due()
	}
	return seen, nil
}

// searchInvoices gives a customer's newest invoices.
//
// Source: POST /v2/invoices/search.
func (a *Adapter) searchInvoices(ctx context.Context, op, customer string) ([]Invoice, *outbound.Call, error) {
	if safeID(customer) == "" {
		return nil, nil, nil
	}
	out, err := a.api.do(ctx, op, http.MethodPost, invoicesPath+"/search", nil, SearchInvoicesRequest{
		Limit: invoicesSearchedMax, Query: InvoicesQuery{
			Filter: InvoicesFilter{LocationIDs: []string{a.location}, CustomerIDs: []string{customer}},
			Sort:   InvoicesSort{Field: "INVOICE_SORT_DATE", Order: "DESC"},
		},
	})
	return out.Invoices, out.call, err
}

// billedBy is the subscription whose billing asked for a payment: that of the invoice of its
// order, among the newest of its customer's; empty for none.
func (a *Adapter) billedBy(ctx context.Context, op string, p Payment) (string, error) {
	known, _, err := a.searchInvoices(ctx, op, p.CustomerID)
	for _, one := range known {
		if one.OrderID == p.OrderID {
			return safeID(one.SubscriptionID), err
		}
	}
	return "", err
}

// findPayments finds the payments for invoices: one that is paid names its payment by its order,
// one that is not has the declined ones in the list of payments.
//
// Source: POST /v2/orders/batch-retrieve.
func (a *Adapter) findPayments(ctx context.Context, op string, of []billed) error {
	wanted := BatchRetrieveOrdersRequest{LocationID: a.location}
	for n := range of {
		one := &of[n]
		switch invoiceStatus(one.Status) {
		case core.InvoicePaid:
			if safeID(one.OrderID) != "" {
				wanted.OrderIDs = append(wanted.OrderIDs, one.OrderID)
			}
		case core.InvoiceOpen, core.InvoiceUncollectible:
			if err := a.findTries(ctx, op, one); err != nil {
				return err
			}
		case core.InvoiceDraft, core.InvoiceVoid:
		}
	}
	if len(wanted.OrderIDs) == 0 {
		return nil
	}
	paid, err := a.api.do(ctx, op, http.MethodPost, "/v2/orders/batch-retrieve", nil, wanted)
	if err != nil {
		return err
	}
	for _, order := range paid.Orders {
		for n := range of {
			if tenders := order.Tenders; of[n].OrderID == order.ID && len(tenders) > 0 {
				of[n].payment = safeID(tenders[len(tenders)-1].PaymentID)
			}
		}
	}
	return nil
}

// findTries finds the payments that failed to pay an invoice. They came after it, and are of its
// whole amount.
//
// Source: GET /v2/payments.
func (a *Adapter) findTries(ctx context.Context, op string, of *billed) error {
	due, _, err := of.amounts()
	if err != nil || safeID(of.OrderID) == "" {
		return nil //nolint:nilerr // what is wrong with the invoice is told with all of it
	}
	list, err := a.api.do(ctx, op, http.MethodGet, paymentsPath, url.Values{
		"begin_time": {of.CreatedAt}, "location_id": {a.location}, "sort_order": {"DESC"}, "limit": {strconv.Itoa(pageMost)},
		"total": {strconv.FormatInt(due.Minor(), 10)},
	}, nil)
	if err != nil {
		return err
	}
	for n := range list.Payments {
		one := &list.Payments[n]
		if one.OrderID != of.OrderID || one.Status != statusFailed || safeID(one.ID) == "" {
			continue
		}
		if of.tries++; of.failed == nil {
			of.failed, of.payment = one, one.ID
		}
	}
	return nil
}

// invoiceSeen is what was found of an invoice, in our words. ends is when its period does; zero
// where nobody says.
func (a *Adapter) invoiceSeen(found billed, ends time.Time) (core.InvoiceSnapshot, error) {
	of := &found.Invoice
	due, paid, err := of.amounts()
	if err != nil {
		return core.InvoiceSnapshot{}, found.by.Unusable(err)
	}
	seen := core.InvoiceSnapshot{
		Ref: a.ref(core.ObjectInvoice, of.ID), Subscription: a.ref(core.ObjectSubscription, safeID(of.SubscriptionID)),
		Payment: a.ref(core.ObjectPayment, found.payment), Status: invoiceStatus(of.Status), ForeignStatus: outbound.SafeCode(of.Status),
		AmountDue: due, AmountPaid: paid, PeriodStart: of.due(), Attempts: found.tries, Environment: a.env,
	}
	if seen.IssuedAt, err = fromTime(of.CreatedAt); err != nil || seen.ForeignStatus == "" {
		return core.InvoiceSnapshot{}, found.by.Unusable(errNotReadable)
	}
	if ends.After(seen.PeriodStart) {
		seen.PeriodEnd = ends
	}
	if seen.Status == core.InvoicePaid {
		seen.Attempts = 1 // at least; those that failed before are not looked for
	}
	if found.failed != nil {
		seen.Failure = failure(*found.failed)
	}
	return seen, nil
}

// amounts are what an invoice asks for in all, and what of it was paid.
func (i *Invoice) amounts() (due, paid core.Money, err error) {
	for n, one := range i.PaymentRequests {
		asked, err := fromForeign(one.Computed)
		if err != nil {
			return due, paid, err
		}
		got := core.Zero(asked.Currency())
		if one.Completed != nil {
			if got, err = fromForeign(one.Completed); err != nil {
				return due, paid, err
			}
		}
		if n == 0 {
			due, paid = asked, got
			continue
		}
		if due, err = due.Add(asked); err != nil {
			return due, paid, err
		}
		if paid, err = paid.Add(got); err != nil {
			return due, paid, err
		}
	}
	if len(i.PaymentRequests) == 0 {
		return due, paid, errNotReadable
	}
	return due, paid, nil
}

// due is the day by which an invoice asks for its money, which for a card on file is the first of
// its period; zero where it has none.
func (i *Invoice) due() time.Time {
	if len(i.PaymentRequests) == 0 {
		return time.Time{}
	}
	return day(i.PaymentRequests[0].DueDate, i.Timezone, 0)
}

// invoiceStatus is ours for an invoice's. One that is not known here is none at all.
//
// Source: developer.squareup.com/reference/square/enums/InvoiceStatus.
func invoiceStatus(status string) core.InvoiceStatus {
	switch status {
	case "DRAFT", "SCHEDULED":
		return core.InvoiceDraft
	case "UNPAID", "PAYMENT_PENDING", "PARTIALLY_PAID":
		return core.InvoiceOpen
	case "PAID", "PARTIALLY_REFUNDED", "REFUNDED":
		return core.InvoicePaid
	case "CANCELED":
		return core.InvoiceVoid
	case "FAILED":
		return core.InvoiceUncollectible
	}
	return ""
}
