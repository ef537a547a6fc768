package paypal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of a list. Each payment of a page takes two look-ups or somewhat more, and the whole call
// has to end within seconds.
const (
	listPaymentsMax = 8
	reportItemsMax  = 500 // of a page of transactions; PayPal gives no more
	reportPagesMax  = 4   // of transactions, for one page of payments
	// reportSpan is how much time one report is asked for; PayPal allows 31 days.
	reportSpan = 30 * 24 * time.Hour
	// reportLag is how late a report may show a transaction.
	reportLag = 3 * time.Hour
	// agreeTime is how long after an order's creation its first transaction may come: the
	// buyer has three hours to agree.
	agreeTime = 4 * time.Hour
	// leadsMax is how many transactions of a payment are followed until one leads to its order:
	// its fees and conversions of currency are no captures.
	leadsMax = 3
	// halvingsMax is how often a span is halved that holds more transactions than can be
	// read; the last of them is shorter than a second.
	halvingsMax = 22
)

const reportTime = "2006-01-02T15:04:05Z"

// The beginnings of event codes of transactions that give back, which are never a payment's
// first, and of those that hold.
//
// Source: developer.paypal.com/docs/transaction-search/transaction-event-codes.
const (
	codeReversals      = "T11"
	codeChargebacks    = "T12"
	codeAuthorizations = "T13"
)

// span is where a list stands: the time that is being read, in whole seconds, and the last of
// its payments that was given.
type span struct {
	from, until time.Time
	last        core.PaymentID // empty at its beginning
}

// ListPayments implements [ports.Provider]. PayPal has no list of orders: what it lists are
// transactions, up to three hours late, so that a payment is only found once money was held or
// taken for it, and some time after that. A page is shorter than asked for, and may be empty
// before the last, since PayPal is asked about each payment. Times are widened to whole
// seconds. An account with more than some two thousand transactions in four hours has no list:
// its error is of the class unknown.
//
// Our ids sort by age, which gives the order.
//
// Source: GET /v1/reporting/transactions.
func (a *Adapter) ListPayments(ctx context.Context, in ports.ListPayments) (ports.PaymentList, error) {
	op := a.op("list", "payments")
	first := in.From.UTC().Truncate(time.Second)
	at, err := parseCursor(in, first)
	if err != nil {
		return ports.PaymentList{}, outbound.Invalid(op, err)
	}
	if !at.from.Before(at.until) || at.from.After(a.now()) {
		return ports.PaymentList{}, nil
	}
	found, err := a.transactions(ctx, op, &at)
	if err != nil {
		return ports.PaymentList{}, err
	}
	list := ports.PaymentList{}
	ids := found.after(at.last)
	page := ids[:min(len(ids), max(in.Limit, 1), listPaymentsMax)]
	for _, id := range page {
		seen, err := a.found(ctx, op, found[id])
		if err != nil {
			return ports.PaymentList{}, err
		}
		if seen.Payment == id && !seen.CreatedAt.Before(at.from) && seen.CreatedAt.Before(at.until) && seen.CreatedAt.Before(in.Until) {
			list.Payments = append(list.Payments, seen)
		}
	}
	slices.SortStableFunc(list.Payments, func(one, other core.PaymentSnapshot) int { return other.CreatedAt.Compare(one.CreatedAt) })
	switch {
	case len(page) < len(ids):
		at.last = page[len(page)-1]
		list.NextCursor = at.cursor()
	case at.from.After(first):
		list.NextCursor = span{from: begin(first, at.from), until: at.from}.cursor()
	}
	return list, nil
}

// begin is where the report that ends at until begins.
func begin(first, until time.Time) time.Time {
	if begun := until.Add(-reportSpan); begun.After(first) {
		return begun
	}
	return first
}

// cursor is the span as text.
func (s span) cursor() string {
	return fmt.Sprintf("%d.%d.%s", s.from.Unix(), s.until.Unix(), s.last)
}

// parseCursor reads where a list stands. It stays within the window that is asked for.
func parseCursor(in ports.ListPayments, first time.Time) (span, error) {
	end := in.Until.UTC()
	if whole := end.Truncate(time.Second); whole.Before(end) {
		end = whole.Add(time.Second)
	}
	if in.Cursor == "" {
		return span{from: begin(first, end), until: end}, nil
	}
	parts := strings.Split(in.Cursor, ".")
	if len(parts) != 3 {
		return span{}, errCursor
	}
	from, fromErr := strconv.ParseInt(parts[0], 10, 64)
	until, untilErr := strconv.ParseInt(parts[1], 10, 64)
	at := span{from: time.Unix(from, 0).UTC(), until: time.Unix(until, 0).UTC()}
	if parts[2] != "" {
		var err error
		if at.last, err = core.ParseID[core.PaymentID](parts[2]); err != nil {
			return span{}, errCursor
		}
	}
	if fromErr != nil || untilErr != nil || at.from.Before(first) || at.until.After(end) || !at.from.Before(at.until) || at.until.Sub(at.from) > reportSpan {
		return span{}, errCursor
	}
	return at, nil
}

// transaction is one that leads to a payment.
type transaction struct {
	id   string
	held bool // an authorization, and no capture
}

// transactions are those that were found, a few for each payment.
type transactions map[core.PaymentID][]transaction

// after gives the payments from the newest to the oldest, after one that was given before.
func (t transactions) after(last core.PaymentID) []core.PaymentID {
	ids := make([]core.PaymentID, 0, len(t))
	for id := range t {
		if last == "" || id < last {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(one, other core.PaymentID) int { return cmp.Compare(other, one) })
	return ids
}

// transactions reads what there is in a span. One that holds more than can be read is cut, and
// its later part read: at then is that.
func (a *Adapter) transactions(ctx context.Context, op string, at *span) (transactions, error) {
	for range halvingsMax {
		found := transactions{}
		pages, err := a.report(ctx, op, *at, 1, found)
		for page := 2; err == nil && page <= pages && pages <= reportPagesMax; page++ {
			_, err = a.report(ctx, op, *at, page, found)
		}
		if err != nil {
			return nil, err
		}
		if pages <= reportPagesMax {
			return found, nil
		}
		half := (at.until.Sub(at.from) / 2).Truncate(time.Second)
		if half == 0 {
			break
		}
		at.from = at.until.Add(-half)
	}
	return nil, &core.ProviderError{Class: core.ClassUnknown, Op: op, Err: errNotWhole}
}

// report reads one page of transactions, and tells how many there are.
func (a *Adapter) report(ctx context.Context, op string, at span, page int, into transactions) (int, error) {
	end := at.until.Add(agreeTime)
	if now := a.now().UTC().Truncate(time.Second).Add(time.Second); end.After(now) {
		end = now
	}
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: "/v1/reporting/transactions", query: url.Values{
		"start_date": {at.from.Format(reportTime)}, "end_date": {end.Format(reportTime)}, "fields": {"transaction_info"},
		"page_size": {strconv.Itoa(reportItemsMax)}, "page": {strconv.Itoa(page)},
	}})
	if err != nil {
		return 0, err
	}
	var shown Report
	if err := decode(op, got, &shown); err != nil {
		return 0, err
	}
	if shown.TransactionDetails == nil && shown.TotalPages == nil {
		return 0, unusable(op, got, errNoObject)
	}
	for _, one := range shown.TransactionDetails[:min(len(shown.TransactionDetails), reportItemsMax)] {
		info := one.TransactionInfo
		id, err := core.ParseID[core.PaymentID](info.CustomField)
		code := info.TransactionEventCode
		if err != nil || strings.HasPrefix(code, codeReversals) || strings.HasPrefix(code, codeChargebacks) {
			continue
		}
		if info.TransactionID != "" && outbound.SafeID(info.TransactionID) != "" && len(into[id]) < leadsMax {
			into[id] = append(into[id], transaction{id: info.TransactionID, held: strings.HasPrefix(code, codeAuthorizations)})
		}
	}
	if shown.TotalPages == nil {
		return 0, nil
	}
	return *shown.TotalPages, nil
}

// found is the payment that one of its transactions leads to; the zero snapshot where PayPal
// knows none of them as what it seems to be.
func (a *Adapter) found(ctx context.Context, op string, leads []transaction) (core.PaymentSnapshot, error) {
	for _, by := range leads {
		path := pathCaptures
		if by.held {
			path = pathAuthorizations
		}
		order, err := a.orderOfPart(ctx, op, path, by.id)
		if err == nil {
			var shown *Order
			if shown, err = a.look(ctx, op, order); err == nil {
				return a.seen(op, shown)
			}
		}
		if refused, ok := errors.AsType[*core.ProviderError](err); !ok || refused.Foreign != ports.ForeignMissing {
			return core.PaymentSnapshot{}, err
		}
	}
	return core.PaymentSnapshot{}, nil
}
