package paypal

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	reportPageMost    = 500
	reportPageDefault = 100
	reportWindowMost  = 31 * 24 * time.Hour
)

var reportQuery = []string{
	"start_date", "end_date", "fields", "transaction_id", "transaction_status", "transaction_currency", "transaction_type", "page", "page_size",
	"balance_affecting_records_only",
}

// reportFields are what a report can tell. All but the transaction itself is left out here.
var reportFields = []string{"all", "transaction_info", "payer_info", "shipping_info", "auction_info", "cart_info", "incentive_info", "store_info"}

// time reads a point in time from the query; zero where none is given. Seconds are needed.
func (in *request) time(name string) (time.Time, *result) {
	text := in.query.Get(name)
	if !in.query.Has(name) {
		return time.Time{}, nil
	}
	for _, format := range []string{time.RFC3339Nano, reportTimeFormat, "2006-01-02T15:04:05.999999999-0700"} {
		if at, err := time.Parse(format, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, new(invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: name, Location: "query"}))
}

// number reads a number from 1 on from the query; the given one where it is missing.
func (in *request) number(name string, most, otherwise int) (int, *result) {
	if !in.query.Has(name) {
		return otherwise, nil
	}
	value, err := strconv.Atoi(in.query.Get(name))
	if err != nil || value < 1 || value > most {
		return 0, new(invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: name, Location: "query"}))
	}
	return value, nil
}

// page cuts a page out of objects, and links to it and to the next one. A token is the id of
// the object before it. The caller holds mu.
func page[T any](s *Server, in *request, path string, objects []T, size int, id func(T) string) ([]T, []link, *result) {
	if after := in.query.Get("next_page_token"); after != "" {
		at := slices.IndexFunc(objects, func(object T) bool { return id(object) == after })
		if at < 0 {
			return nil, nil, new(invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "next_page_token", Location: "query"}))
		}
		objects = objects[at+1:]
	}
	links := []link{{s.api(path) + asked(in.query), "self", http.MethodGet}}
	if len(objects) > size {
		objects = objects[:size]
		query := maps.Clone(in.query)
		query.Set("next_page_token", id(objects[size-1]))
		links = append(links, link{s.api(path) + asked(query), "next", http.MethodGet})
	}
	return objects, links, nil
}

// turned is a query for another page.
func turned(query url.Values, page int) url.Values {
	other := maps.Clone(query)
	other.Set("page", strconv.Itoa(page))
	return other
}

func asked(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// transaction is a line of the report.
type transaction struct {
	ID            string `json:"transaction_id"`
	Account       string `json:"paypal_account_id"`
	Reference     string `json:"paypal_reference_id,omitempty"`
	ReferenceType string `json:"paypal_reference_id_type,omitempty"`
	EventCode     string `json:"transaction_event_code"`
	Initiated     string `json:"transaction_initiation_date"`
	Updated       string `json:"transaction_updated_date"`
	Amount        money  `json:"transaction_amount"`
	Fee           *money `json:"fee_amount,omitempty"`
	Status        string `json:"transaction_status"`
	Invoice       string `json:"invoice_id,omitempty"`
	Custom        string `json:"custom_field,omitempty"`

	at time.Time
}

// report lists what happened, oldest first, as late as the lag says.
//
// Source: developer.paypal.com/docs/api/transaction-search/v1.
func (s *Server) report(in *request) result {
	for _, name := range []string{"start_date", "end_date"} {
		if !in.query.Has(name) {
			return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: name, Location: "query"})
		}
	}
	from, bad := in.time("start_date")
	if bad != nil {
		return *bad
	}
	until, bad := in.time("end_date")
	if bad != nil {
		return *bad
	}
	if until.Before(from) || until.Sub(from) > reportWindowMost {
		return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "end_date", Location: "query"})
	}
	for field := range strings.SplitSeq(cmp.Or(in.query.Get("fields"), "transaction_info"), ",") {
		if !slices.Contains(reportFields, field) {
			return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "fields", Location: "query"})
		}
	}
	if status := in.query.Get("transaction_status"); in.query.Has("transaction_status") && !slices.Contains([]string{"D", "P", "S", "V"}, status) {
		return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "transaction_status", Location: "query"})
	}
	size, bad := in.number("page_size", reportPageMost, reportPageDefault)
	if bad != nil {
		return *bad
	}
	number, bad := in.number("page", 1<<31-1, 1)
	if bad != nil {
		return *bad
	}
	lines := s.transactions(in.query, from, until)
	pages := (len(lines) + size - 1) / size
	first := min((number-1)*size, len(lines))
	kept := []map[string]any{}
	for _, line := range lines[first:min(first+size, len(lines))] {
		kept = append(kept, map[string]any{"transaction_info": line})
	}
	links := []link{{s.api("/v1/reporting/transactions") + asked(in.query), "self", http.MethodGet}}
	if number < pages {
		links = append(links, link{s.api("/v1/reporting/transactions") + asked(turned(in.query, number+1)), "next", http.MethodGet})
	}
	return done(map[string]any{
		"transaction_details": kept, "account_number": merchantID, "start_date": from.Format(reportTimeFormat), "end_date": until.Format(reportTimeFormat),
		"last_refreshed_datetime": s.now().Add(-s.ReportingLag).Format(reportTimeFormat), "page": number, "total_items": len(lines),
		"total_pages": pages, "links": links,
	})
}

// transactions are the lines between two points in time. The caller holds mu.
func (s *Server) transactions(query url.Values, from, until time.Time) []transaction {
	var lines []transaction
	for _, a := range s.authorizations.All() {
		status := map[string]string{statusDenied: "D", statusVoided: "V", statusCaptured: "S"}[a.status]
		lines = append(lines, line(a.id, "", "", "T1300", a.created, a.updated, moneyOf(a.amount, a.order.currency), cmp.Or(status, "P"), a.unit.invoiceID, a.unit.customID))
	}
	for _, c := range s.captures.All() {
		code, reference, kind := "T0006", c.order.id, "ODR"
		if c.authorization != nil {
			code, reference, kind = "T0005", c.authorization.id, "TXN"
		}
		if b := c.order.subscription; b != nil {
			code, reference, kind = "T0002", b.id, "SUB"
		}
		status := map[string]string{statusPending: "P", statusDeclined: "D"}[c.status]
		one := line(c.id, reference, kind, code, c.created, c.updated, moneyOf(c.amount, c.order.currency), cmp.Or(status, "S"), c.invoiceID, c.unit.customID)
		if c.took() {
			one.Fee = new(moneyOf(-fee(c.amount), c.order.currency))
		}
		lines = append(lines, one)
	}
	for _, r := range s.refunds.All() {
		status := map[string]string{statusPending: "P", statusFailed: "D"}[r.status]
		lines = append(lines, line(r.id, r.capture.id, "TXN", "T1107", r.created, r.updated, moneyOf(-r.amount, r.capture.order.currency), cmp.Or(status, "S"), r.invoiceID, r.customID))
	}
	shown := s.now().Add(-s.ReportingLag)
	lines = slices.DeleteFunc(lines, func(one transaction) bool {
		id, status, currency, code := query.Get("transaction_id"), query.Get("transaction_status"), query.Get("transaction_currency"), query.Get("transaction_type")
		return one.at.Before(from) || one.at.After(until) || one.at.After(shown) || id != "" && id != one.ID && id != one.Reference ||
			status != "" && status != one.Status || currency != "" && currency != one.Amount.Currency || code != "" && code != one.EventCode
	})
	slices.SortStableFunc(lines, func(a, b transaction) int { return a.at.Compare(b.at) })
	return lines
}

func line(id, reference, kind, code string, at, updated time.Time, amount money, status, invoice, custom string) transaction {
	return transaction{
		ID: id, Account: payerID, Reference: reference, ReferenceType: kind, EventCode: code, Initiated: at.UTC().Format(reportTimeFormat),
		Updated: updated.UTC().Format(reportTimeFormat), Amount: amount, Status: status, Invoice: invoice, Custom: custom, at: at,
	}
}
