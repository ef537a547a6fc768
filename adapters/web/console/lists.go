package console

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// rowsShown is how many rows a page of a list has.
const rowsShown = 25

// cursors are where in a list a page lies, as the admin API asks for it.
type cursors struct {
	first, last   *int
	after, before *string
}

// cursorsOf reads the place from the address.
func cursorsOf(query url.Values) cursors {
	rows := rowsShown
	if before := query.Get("before"); before != "" {
		return cursors{last: &rows, before: &before}
	}
	at := cursors{first: &rows}
	if after := query.Get("after"); after != "" {
		at.after = &after
	}
	return at
}

// around are the addresses of the pages before and after, with the filters as they are.
func (v *visit) around(page PageView) (previous, next string) {
	address := func(name string, cursor *string) string {
		query := v.URL.Query()
		for _, other := range []string{"after", "before", "done"} {
			query.Del(other)
		}
		query.Set(name, *cursor)
		return v.URL.Path + "?" + query.Encode()
	}
	if page.HasPreviousPage && page.StartCursor != nil {
		previous = address("before", page.StartCursor)
	}
	if page.HasNextPage && page.EndCursor != nil {
		next = address("after", page.EndCursor)
	}
	return previous, next
}

// given is a filter's value in the address; nil for none.
func (v *visit) given(name string) *string {
	if value := strings.TrimSpace(v.URL.Query().Get(name)); value != "" {
		return &value
	}
	return nil
}

// one is a filter of one word as a list of it; nil for none. The admin API refuses words that it does not know.
func one[T ~string](value *string) []T {
	if value == nil {
		return nil
	}
	return []T{T(*value)}
}

func (v *visit) field(name, label string) filter {
	return filter{name: name, label: label, kind: "text", value: v.URL.Query().Get(name)}
}

func (v *visit) day(name, label string) filter {
	return filter{name: name, label: label, kind: "date", value: v.URL.Query().Get(name)}
}

func choice[T ~string](v *visit, name, label string, all []T) filter {
	return filter{name: name, label: label, options: optionsOf(all), value: v.URL.Query().Get(name)}
}

// list finishes the view of a list.
func (v *visit) list(view listView, page PageView) shown {
	view.previous, view.next = v.around(page)
	view.filtered = slices.ContainsFunc(view.filters, func(f filter) bool { return f.value != "" })
	if view.filtered {
		view.table.empty = "Nothing fits these filters."
	}
	return shown{title: view.title, body: listPage(view)}
}

var paymentColumns = []column{{name: "Reference"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Refunded", right: true}, {name: "Paid by"}, {name: "Account"}, {name: "Created"}}

func paymentRow(p PaymentRow) []cell {
	given, by := cell{text: "–"}, cell{text: "–"}
	if p.AmountRefunded.Minor > 0 {
		given = moneyOf(p.AmountRefunded)
	}
	if m := p.PaymentMethod; m != nil {
		by = text(methodText(m.Brand, m.Type, m.Last4))
	}
	state := statusOf(p.Status)
	if p.Disputed {
		state = cell{text: "DISPUTED", kind: status}
	}
	return []cell{text(p.Reference).to("/payments/" + p.Id), state, moneyOf(p.Amount), given, by, text(p.Account), timeOf(p.CreatedAt)}
}

func methodText(brand, kind, last4 *string) string {
	name := "Unknown"
	switch {
	case brand != nil:
		name = words(*brand)
	case kind != nil:
		name = words(*kind)
	}
	if last4 != nil {
		name += " ·· " + *last4
	}
	return name
}

func paymentTable(all []PaymentRow, empty string) table {
	t := table{columns: paymentColumns, empty: empty}
	for _, p := range all {
		t.rows = append(t.rows, paymentRow(p))
	}
	return t
}

// paymentFilter is what the address asks for.
func (v *visit) paymentFilter() (*PaymentFilter, error) {
	filter := &PaymentFilter{
		Reference: v.given("reference"), Status: one[PaymentStatus](v.given("status")), Account: v.given("account"),
		Provider: v.given("provider"), CustomerEmail: v.given("email"), Last4: v.given("last4"), ProviderPaymentId: v.given("provider_id"),
		Currency: v.given("currency"),
	}
	yes := true
	switch v.URL.Query().Get("needs") {
	case "REVIEW":
		filter.NeedsReview = &yes
	case "ANSWER":
		filter.Disputed = &yes
	}
	var err error
	if filter.CreatedAfter, filter.CreatedBefore, err = v.days(); err != nil {
		return nil, err
	}
	if least, most := v.given("min"), v.given("max"); least != nil || most != nil {
		if filter.Currency == nil {
			return nil, inputError("Amounts need a currency beside them.")
		}
		filter.Amount = &AmountRange{Currency: *filter.Currency}
		for text, into := range map[*string]**int64{least: &filter.Amount.MinMinor, most: &filter.Amount.MaxMinor} {
			if text == nil {
				continue
			}
			minor, err := minorOf(*text, core.Currency(*filter.Currency))
			if err != nil {
				return nil, inputError("Amounts must be numbers such as 12.50: " + err.Error() + ".")
			}
			*into = &minor
		}
	}
	return filter, nil
}

func (h *handler) payments(ctx context.Context, v *visit) (shown, error) {
	filters, err := v.paymentFilter()
	if err != nil {
		return shown{}, err
	}
	at, order := cursorsOf(v.URL.Query()), (*PaymentSort)(v.given("sort"))
	got, err := Payments(ctx, v.client, at.first, at.after, at.last, at.before, filters, order)
	if err != nil {
		return shown{}, err
	}
	view := listView{
		title: "Payments", foldable: true,
		filters: []filter{
			v.field("reference", "Reference"), choice(v, "status", "Status", AllPaymentStatus), v.field("email", "Buyer's email"),
			v.field("last4", "Last 4 digits"), v.field("currency", "Currency"), v.field("min", "From amount"), v.field("max", "To amount"),
			v.field("account", "Account"), choice(v, "provider", "Provider", []string{"stripe", "paypal", "square"}), v.field("provider_id", "Provider's id"),
			{name: "needs", label: "Only", value: v.URL.Query().Get("needs"), options: []option{{"REVIEW", "Needs review"}, {"ANSWER", "Disputed"}}},
			v.day("from", "From day"), v.day("to", "To day"), choice(v, "sort", "Order", AllPaymentSort),
		},
		table: paymentTable(got.Payments.Nodes, "No payments yet. They appear here as soon as a buyer begins to pay."),
	}
	if v.may(core.RoleFinance) {
		view.links = []link{{label: "Export", path: "/payments/export"}}
	}
	if at.after == nil && at.before == nil {
		view.live = v.URL.RequestURI()
	}
	return v.list(view, got.Payments.PageInfo), nil
}

func (h *handler) refunds(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	got, err := Refunds(ctx, v.client, at.first, at.after, at.last, at.before, &RefundFilter{Status: one[RefundStatus](v.given("status")), Account: v.given("account")})
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Refund"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Reason"}, {name: "Asked"}, {name: "Account"}, {name: "Created"}}, empty: "No refunds yet."}
	for _, f := range got.Refunds.Nodes {
		reason := text("–")
		if f.Reason != nil {
			reason = text(words(*f.Reason))
		}
		t.rows = append(t.rows, []cell{id(f.Id).to("/payments/" + f.PaymentId), statusOf(f.Status), moneyOf(f.Amount), reason, text(words(f.Origin)), text(f.Account), timeOf(f.CreatedAt)})
	}
	return v.list(listView{title: "Refunds", filters: []filter{choice(v, "status", "Status", AllRefundStatus), v.field("account", "Account")}, table: t}, got.Refunds.PageInfo), nil
}

func (h *handler) approvals(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	got, err := Approvals(ctx, v.client, at.first, at.after, at.last, at.before, &ApprovalFilter{Status: one[ApprovalStatus](v.given("status"))})
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Payment"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Reason"}, {name: "Note"}, {name: "Asked by"}, {name: "Until"}, {name: "Decide"}}, empty: "No refund waits for a second person."}
	for _, a := range got.Approvals.Nodes {
		decide := optionalID(a.DecidedBy)
		if a.Status == ApprovalStatusPending && v.may(core.RoleFinance) {
			decide = text("Decide").to("/approvals/" + a.Id + "/approve")
			if a.AskedBy == v.viewer.Id {
				decide = text("Take back").to("/approvals/" + a.Id + "/reject")
			}
		}
		t.rows = append(t.rows, []cell{id(a.PaymentId).to("/payments/" + a.PaymentId), statusOf(a.Status), moneyOf(a.Amount), text(words(a.Reason)), optionalText(a.Note), id(a.AskedBy), timeOf(a.ExpiresAt), decide})
	}
	return v.list(listView{
		title: "Approvals", intro: "Refunds above the limit wait here for a second person. Nobody approves what they asked for, and nothing is held meanwhile.",
		filters: []filter{choice(v, "status", "Status", AllApprovalStatus)}, table: t,
	}, got.Approvals.PageInfo), nil
}

func (h *handler) disputes(ctx context.Context, v *visit) (shown, error) {
	at, order := cursorsOf(v.URL.Query()), (*DisputeSort)(v.given("sort"))
	filters := &DisputeFilter{Status: one[DisputeStatus](v.given("status")), Reason: one[DisputeReason](v.given("reason")), Account: v.given("account")}
	if v.URL.RawQuery == "" { // by deadline unless told otherwise
		due := DisputeSortDue
		order = &due
	}
	got, err := Disputes(ctx, v.client, at.first, at.after, at.last, at.before, filters, order)
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Dispute"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Reason"}, {name: "Answer by"}, {name: "Account"}, {name: "Opened"}}, empty: "No disputes with a deadline."}
	for _, d := range got.Disputes.Nodes {
		t.rows = append(t.rows, []cell{id(d.Id).to("/disputes/" + d.Id), statusOf(d.Status), moneyOf(d.Amount), text(words(d.Reason)), optionalTime(d.DueAt), text(d.Account), timeOf(d.OpenedAt)})
	}
	return v.list(listView{
		title: "Disputes", intro: "By deadline: what must be answered first stands first.",
		filters: []filter{choice(v, "status", "Status", AllDisputeStatus), choice(v, "reason", "Reason", AllDisputeReason), v.field("account", "Account"), choice(v, "sort", "Order", AllDisputeSort)}, table: t,
	}, got.Disputes.PageInfo), nil
}

func (h *handler) subscriptions(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	got, err := Subscriptions(ctx, v.client, at.first, at.after, at.last, at.before, &BillingSubscriptionFilter{Status: one[SubscriptionStatus](v.given("status")), Reference: v.given("reference"), Account: v.given("account")})
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Reference"}, {name: "Status"}, {name: "Each period", right: true}, {name: "Price"}, {name: "Period ends"}, {name: "Account"}, {name: "Created"}}, empty: "No subscriptions yet."}
	for _, s := range got.Subscriptions.Nodes {
		price, end := text("–"), optionalTime(s.CurrentPeriodEnd)
		if s.Price != nil {
			price = text(s.Price.Name)
		}
		if s.CancelAtPeriodEnd {
			end.text += " (then it ends)"
		}
		t.rows = append(t.rows, []cell{text(s.Reference).to("/subscriptions/" + s.Id), statusOf(s.Status), moneyOf(s.Amount), price, end, text(s.Account), timeOf(s.CreatedAt)})
	}
	return v.list(listView{title: "Subscriptions", filters: []filter{v.field("reference", "Reference"), choice(v, "status", "Status", AllSubscriptionStatus), v.field("account", "Account")}, table: t}, got.Subscriptions.PageInfo), nil
}

func (h *handler) customers(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	got, err := Customers(ctx, v.client, at.first, at.after, at.last, at.before, &CustomerFilter{Email: v.given("email")})
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Customer"}, {name: "Email"}, {name: "Name"}, {name: "Created"}}, empty: "No customers yet. The storefront makes them."}
	for _, c := range got.Customers.Nodes {
		t.rows = append(t.rows, []cell{id(c.Id).to("/customers/" + c.Id), optionalText(c.Email), optionalText(c.Name), timeOf(c.CreatedAt)})
	}
	return v.list(listView{title: "Customers", filters: []filter{v.field("email", "Email")}, table: t}, got.Customers.PageInfo), nil
}

func (h *handler) events(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	filters := &InboundEventFilter{Account: v.given("account"), Type: v.given("type"), Status: one[InboundEventStatus](v.given("status"))}
	got, err := InboundEvents(ctx, v.client, at.first, at.after, at.last, at.before, filters)
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Type"}, {name: "Status"}, {name: "About"}, {name: "Note"}, {name: "Came by"}, {name: "Account"}, {name: "Received"}}, empty: "Providers have told nothing yet."}
	for _, e := range got.InboundEvents.Nodes {
		t.rows = append(t.rows, []cell{text(e.Type).to("/events/" + e.Id), statusOf(e.Status), optionalID(e.ObjectId), optionalText(e.Note), text(words(e.Source)), text(e.Account), timeOf(e.ReceivedAt)})
	}
	return v.list(listView{
		title: "Events in", intro: "What providers told us. None is trusted: each only makes us look at the object that it names.",
		filters: []filter{choice(v, "status", "Status", AllInboundEventStatus), v.field("type", "Type"), v.field("account", "Account")}, table: t,
	}, got.InboundEvents.PageInfo), nil
}

func (h *handler) desk(ctx context.Context, v *visit) (shown, error) {
	at, yes := cursorsOf(v.URL.Query()), true
	filters := &OperationFilter{ForStaff: &yes, Account: v.given("account")}
	if v.URL.Query().Get("all") != "" {
		filters.ForStaff = nil
	}
	got, err := Desk(ctx, v.client, at.first, at.after, at.last, at.before, filters)
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Call"}, {name: "Status"}, {name: "Amount", right: true}, {name: "About"}, {name: "Why it waits"}, {name: "Tries", right: true}, {name: "Next look"}, {name: "Account"}, {name: "Sent"}, {name: "Said so far"}, {name: "It was"}, {name: "Or"}}, empty: "No call waits for staff: the outcome of each is known, or is being found out."}
	for _, o := range got.Operations.Nodes {
		about, amount, why := id(o.Subject), text("–"), text("–")
		if o.Payment != nil {
			about = about.to("/payments/" + o.Payment.Id)
		}
		if o.Amount != nil {
			amount = moneyOf(*o.Amount)
		}
		if o.GivenUp != nil {
			why = text(words(*o.GivenUp))
		}
		said, done, not := text("–"), text("–"), text("–")
		if o.Claim != nil {
			said = cell{text: words(o.Claim.Outcome), title: o.Claim.ClaimedBy}
		}
		if o.ForStaff && v.may(core.RoleFinance) {
			done, not = text("Done").to("/desk/"+o.Id+"/done"), text("Not done").to("/desk/"+o.Id+"/not-done")
		}
		t.rows = append(t.rows, []cell{text(words(o.Kind)), statusOf(o.Status), amount, about, why, text(strconv.Itoa(o.Attempts)), optionalTime(o.NextLookAt), text(o.Account), timeOf(o.CreatedAt), said, done, not})
	}
	return v.list(listView{
		title: "Desk", intro: "Calls to providers whose outcome nobody could find out. Look in the provider's dashboard; whatever shows it later settles them, too.",
		filters: []filter{v.field("account", "Account"), {name: "all", label: "Show", value: v.URL.Query().Get("all"), options: []option{{"yes", "All calls"}}}}, table: t,
	}, got.Operations.PageInfo), nil
}

func (h *handler) notifications(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	got, err := Notifications(ctx, v.client, at.first, at.after, at.last, at.before, &NotificationFilter{Status: one[NotificationStatus](v.given("status")), Subject: v.given("subject")})
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "Type"}, {name: "Status"}, {name: "About"}, {name: "Tries", right: true}, {name: "Answer"}, {name: "Next try"}, {name: "Created"}, {name: "Again"}}, empty: "The storefront was told nothing yet."}
	for _, n := range got.Notifications.Nodes {
		answer, again := optionalText(n.Error), text("–")
		if n.AnswerStatus != nil {
			answer = text(strconv.Itoa(*n.AnswerStatus))
		}
		if v.may(core.RoleSupport) {
			again = text("Redeliver").to("/notifications/" + n.Id + "/redeliver")
		}
		t.rows = append(t.rows, []cell{text(n.Type), statusOf(n.Status), id(n.Subject), text(strconv.Itoa(n.Attempts)), answer, optionalTime(n.DueAt), timeOf(n.CreatedAt), again})
	}
	return v.list(listView{title: "Notifications", intro: "What the storefront was told, and how it answered.", filters: []filter{choice(v, "status", "Status", AllNotificationStatus), v.field("subject", "About (id)")}, table: t}, got.Notifications.PageInfo), nil
}

func (h *handler) audit(ctx context.Context, v *visit) (shown, error) {
	at := cursorsOf(v.URL.Query())
	got, err := AuditLog(ctx, v.client, at.first, at.after, at.last, at.before, &AuditFilter{Actor: v.given("actor"), Action: v.given("action"), Subject: v.given("subject")})
	if err != nil {
		return shown{}, err
	}
	t := table{columns: []column{{name: "No.", right: true}, {name: "Action"}, {name: "Actor"}, {name: "Subject"}, {name: "Before"}, {name: "After"}, {name: "From"}, {name: "At"}}, empty: "Nobody did anything yet."}
	for _, e := range got.AuditLog.Nodes {
		t.rows = append(t.rows, []cell{text(strconv.FormatInt(e.Sequence, 10)), text(e.Action), id(e.Actor), optionalID(e.Subject), optionalID(e.Before), optionalID(e.After), optionalText(e.From), timeOf(e.At)})
	}
	return v.list(listView{
		title: "Audit log", intro: "Each line carries the hash of the one before: `paydesk audit verify` finds what was changed, removed or put elsewhere.",
		filters: []filter{v.field("actor", "Actor"), v.field("action", "Action"), v.field("subject", "Subject")}, table: t,
	}, got.AuditLog.PageInfo), nil
}
