package console

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
)

// pages are all pages that are looked at, by path.
func (h *handler) pages() map[string]pageFunc {
	return map[string]pageFunc{
		"/{$}": h.overview, "/payments": h.payments, "/payments/{id}": h.payment, "/refunds": h.refunds, "/approvals": h.approvals,
		"/disputes": h.disputes, "/disputes/{id}": h.dispute, "/subscriptions": h.subscriptions, "/subscriptions/{id}": h.subscription,
		"/customers": h.customers, "/customers/{id}": h.customer, "/events": h.events, "/events/{id}": h.event,
		"/desk": h.desk, "/notifications": h.notifications, "/audit": h.audit, "/search": h.search, "/staff": h.staff, "/account": h.account, "/explorer": h.explorer,
	}
}

// more tells of a count that is only known to be at least as large.
func more(count int, next bool) string {
	if next {
		return fmt.Sprintf("%d or more", count)
	}
	return fmt.Sprint(count)
}

func (h *handler) overview(ctx context.Context, v *visit) (shown, error) {
	got, err := Overview(ctx, v.client)
	if err != nil {
		return shown{}, err
	}
	waits := section{title: "What waits for staff", details: []detail{
		{"Payments to review", text(fmt.Sprint(got.Review.TotalCount)).to("/payments?needs=REVIEW")},
		{"Refunds to approve", text(more(len(got.Approvals.Nodes), got.Approvals.PageInfo.HasNextPage)).to("/approvals?status=PENDING")},
		{"Calls of unknown outcome", text(more(len(got.Desk.Nodes), got.Desk.PageInfo.HasNextPage)).to("/desk")},
		{"Events that failed", text(more(len(got.Failed.Nodes), got.Failed.PageInfo.HasNextPage)).to("/events?status=FAILED")},
	}}
	due := table{columns: []column{{name: "Dispute"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Reason"}, {name: "Answer by"}}, empty: "No dispute waits for an answer."}
	for _, d := range got.Disputes.Nodes {
		due.rows = append(due.rows, []cell{id(d.Id).to("/disputes/" + d.Id), statusOf(d.Status), moneyOf(d.Amount), text(words(d.Reason)), optionalTime(d.DueAt)})
	}
	health := table{columns: []column{{name: "Account"}, {name: "Calls"}, {name: "Webhook"}, {name: "Last event"}, {name: "Taken today", right: true}, {name: "Wrong signatures", right: true}, {name: "Missed", right: true}}, empty: "No account is configured."}
	for _, one := range got.ProviderHealth {
		calls := cell{text: "REACHABLE", kind: status}
		if !one.Reachable {
			calls.text = "UNREACHABLE"
		}
		w := one.Webhook
		health.rows = append(health.rows, []cell{text(one.Account), calls, statusOf(w.State), optionalTime(w.LastEventAt), text(fmt.Sprint(w.Received)), text(fmt.Sprint(w.RejectedSignatures)), text(fmt.Sprint(w.Missed))})
	}
	trade, err := summaries(ctx, v, h.now())
	if err != nil {
		return shown{}, err
	}
	newest := paymentTable(got.Payments.Nodes, "No payments yet. They appear here as soon as a buyer begins to pay.")
	return shown{title: "Overview", body: objectPage(objectView{title: "Overview", sections: slices.Concat([]section{waits}, trade, []section{
		{title: "Disputes by deadline", table: &due}, {title: "Newest payments", table: &newest}, {title: "Providers", table: &health},
	})})}, nil
}

func (h *handler) payment(ctx context.Context, v *visit) (shown, error) {
	got, err := PaymentPage(ctx, v.client, v.PathValue("id"))
	if err != nil {
		return shown{}, err
	}
	p := got.Payment
	if p == nil {
		return shown{}, errNotFound
	}
	view := objectView{title: p.Reference, subtitle: p.Id, status: string(p.Status)}
	if p.Review != nil {
		view.notices = append(view.notices, "Staff must decide: "+words(*p.Review)+".")
	}
	if p.Disputed {
		view.notices = append(view.notices, "The buyer disputes it: the bank has the money, or may yet take it. A refund now may give it back twice.")
	}
	if p.Anomaly != nil {
		view.notices = append(view.notices, "Something is not as it should be: "+words(*p.Anomaly)+".")
	}
	view.links = v.paymentLinks(p)
	money := section{title: "Money", details: []detail{
		{"Asked", moneyOf(p.Amount)},
		{"Authorized", moneyOf(p.AmountAuthorized)},
		{"Captured", moneyOf(p.AmountCaptured)},
		{"Given back", moneyOf(p.AmountRefunded)},
		{"Could be captured", moneyOf(p.AmountCapturable)},
		{"Capture", text(words(p.Capture))},
	}}
	if p.CaptureBefore != nil {
		money.details = append(money.details, detail{"Capture before", timeOf(*p.CaptureBefore)})
	}
	if p.Failure != nil {
		money.details = append(money.details, detail{"Why it failed", text(words(p.Failure.Code) + ": " + p.Failure.Message)}, detail{"Provider's code", optionalText(p.Failure.ProviderCode)})
	}
	view.sections = append(view.sections, money, paymentFacts(p), refundsOf(p), disputesOf(p), callsOf(p), timelineOf(p))
	view.sections = slices.DeleteFunc(view.sections, func(s section) bool { return s.title == "" })
	return shown{title: p.Reference, body: objectPage(view)}, nil
}

func (v *visit) paymentLinks(p *PaymentPagePayment) (links []link) {
	path := "/payments/" + p.Id
	if v.may(core.RoleSupport) {
		links = append(links, link{label: "Add a note", path: path + "/note"}, link{label: "Look at the provider", path: path + "/sync"})
		if p.AmountCaptured.Minor > p.AmountRefunded.Minor {
			links = append(links, link{label: "Refund", path: path + "/refund"})
		}
	}
	if v.may(core.RoleFinance) && p.Review != nil {
		links = append(links, link{label: "Resolve the review", path: path + "/resolve"})
	}
	if v.may(core.RoleFinance) && p.AmountCapturable.Minor > 0 {
		links = append(links, link{label: "Capture", path: path + "/capture"}, link{label: "Cancel", path: path + "/cancel", danger: true})
	}
	return links
}

func paymentFacts(p *PaymentPagePayment) section {
	s := section{title: "Details", details: []detail{
		{"Account", text(p.Account)},
		{"Provider's id", optionalID(p.ProviderPaymentId)},
		{"Provider's status", optionalText(p.ForeignStatus)},
		{"Environment", text(words(p.Environment))},
		{"Created", timeOf(p.CreatedAt)},
		{"Changed", timeOf(p.UpdatedAt)},
		{"Last seen at the provider", optionalTime(p.SyncedAt)},
	}}
	if m := p.PaymentMethod; m != nil {
		s.details = append(s.details, detail{"Paid by", text(methodText(m.Brand, m.Type, m.Last4))})
	}
	if p.Checkout != nil {
		s.details = append(s.details, detail{"Buyer's email", optionalText(p.Checkout.Buyer.Email)}, detail{"Buyer's name", optionalText(p.Checkout.Buyer.Name)})
		var bought []string
		for _, item := range p.Checkout.LineItems {
			bought = append(bought, fmt.Sprintf("%d × %s", item.Quantity, item.Name))
		}
		s.details = append(s.details, detail{"Bought", text(strings.Join(bought, ", "))})
	}
	if p.CustomerId != nil {
		s.details = append(s.details, detail{"Customer", id(*p.CustomerId).to("/customers/" + *p.CustomerId)})
	}
	if p.SubscriptionId != nil {
		s.details = append(s.details, detail{"Subscription", id(*p.SubscriptionId).to("/subscriptions/" + *p.SubscriptionId)})
	}
	for _, key := range slices.Sorted(maps.Keys(p.Metadata)) {
		s.details = append(s.details, detail{"Metadata: " + key, text(p.Metadata[key])})
	}
	return s
}

func refundsOf(p *PaymentPagePayment) (s section) {
	if len(p.Refunds) == 0 {
		return s
	}
	t := table{columns: []column{{name: "Refund"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Reason"}, {name: "Asked"}, {name: "Created"}}}
	for _, f := range p.Refunds {
		reason := text("–")
		if f.Reason != nil {
			reason = text(words(*f.Reason))
		}
		t.rows = append(t.rows, []cell{id(f.Id), statusOf(f.Status), moneyOf(f.Amount), reason, text(words(f.Origin)), timeOf(f.CreatedAt)})
	}
	return section{title: "Refunds", table: &t}
}

func disputesOf(p *PaymentPagePayment) (s section) {
	if len(p.Disputes) == 0 {
		return s
	}
	t := table{columns: []column{{name: "Dispute"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Reason"}, {name: "Answer by"}}}
	for _, d := range p.Disputes {
		t.rows = append(t.rows, []cell{id(d.Id).to("/disputes/" + d.Id), statusOf(d.Status), moneyOf(d.Amount), text(words(d.Reason)), optionalTime(d.DueAt)})
	}
	return section{title: "Disputes", table: &t}
}

func callsOf(p *PaymentPagePayment) section {
	t := table{columns: []column{{name: "Call"}, {name: "Outcome"}, {name: "Amount", right: true}, {name: "Tries", right: true}, {name: "Provider's object"}, {name: "Provider's request"}, {name: "Sent"}}, empty: "The provider was not called yet."}
	for _, o := range p.Operations {
		amount, outcome := text("–"), statusOf(o.Status)
		if o.Amount != nil {
			amount = moneyOf(*o.Amount)
		}
		if o.Failure != nil {
			outcome.title = o.Failure.Message
		}
		t.rows = append(t.rows, []cell{text(words(o.Kind)), outcome, amount, text(fmt.Sprint(o.Attempts)), optionalID(o.ProviderObjectId), optionalID(o.ProviderRequestId), timeOf(o.CreatedAt)})
	}
	return section{title: "Calls to the provider", table: &t}
}

// causes are what set something in motion, for people.
var causes = map[CauseKind]string{
	CauseKindWebhook: "A message of the provider", CauseKindBuyer: "The buyer's browser", CauseKindApi: "A call of the storefront", CauseKindStaff: "Staff",
	CauseKindRepair: "Repair", CauseKindOperation: "The answer to our own call", CauseKindTimer: "The clock", CauseKindBackfill: "The provider's list of events", CauseKindReconcile: "The nightly comparison",
}

// verdicts say what was made of what was seen.
var verdicts = map[Verdict]string{
	VerdictAdvance: "It changed the state.", VerdictStale: "Ignored: it was no news, an old or repeated view of what is known.", VerdictImpossible: "Not followed: the rules forbid this move. Staff decide.",
}

func timelineOf(p *PaymentPagePayment) section {
	s := section{title: "What happened, and why"}
	for _, e := range p.Timeline.Nodes {
		line := step{at: timeExactly(e.At), title: causes[e.Cause.Kind]}
		switch {
		case e.Kind == TimelineKindCreated:
			line.title += " began it"
		case e.Operation != nil:
			line.title = words(e.Operation.Kind)
			if e.Status != nil {
				line.marks = append(line.marks, cell{text: strings.ToUpper(*e.Status), kind: status})
			}
		case e.Verdict != nil:
			line.title += " had us look"
			line.lines = append(line.lines, verdicts[*e.Verdict])
		}
		if from, to := deref(e.From), deref(e.To); from != to && to != "" {
			if from != "" {
				line.marks = append(line.marks, cell{text: strings.ToUpper(from), kind: status}, text("→"))
			}
			line.marks = append(line.marks, cell{text: strings.ToUpper(to), kind: status})
		}
		for _, more := range []*string{e.Reason, e.Note} {
			if more != nil && (e.Operation == nil || more != e.Note) {
				line.lines = append(line.lines, words(*more))
			}
		}
		if e.Subject != p.Id {
			line.linked = append(line.linked, id(e.Subject))
		}
		if e.Cause.InboundEventId != nil {
			line.linked = append(line.linked, text("the message").to("/events/"+*e.Cause.InboundEventId))
		}
		if e.Cause.Actor != nil {
			line.linked = append(line.linked, id(*e.Cause.Actor))
		}
		line.trace = deref(e.TraceId)
		s.steps = append(s.steps, line)
	}
	return s
}

func timeExactly(at time.Time) cell {
	return cell{text: at.UTC().Format("2 Jan, 15:04:05.000"), title: at.UTC().Format(timeExact)}
}

func deref[T ~string](value *T) string {
	if value == nil {
		return ""
	}
	return string(*value)
}

func (h *handler) dispute(ctx context.Context, v *visit) (shown, error) {
	got, err := DisputePage(ctx, v.client, v.PathValue("id"))
	if err != nil {
		return shown{}, err
	}
	d, ok := deepest(got.Node).(*DisputePageNodeDispute)
	if !ok {
		return shown{}, errNotFound
	}
	view := objectView{title: "Dispute of " + d.Payment.Reference, subtitle: d.Id, status: string(d.Status)}
	if v.may(core.RoleFinance) && d.ClosedAt == nil {
		view.links = append(view.links, link{label: "Whose task", path: "/disputes/" + d.Id + "/assign"})
	}
	if v.may(core.RoleFinance) && d.CanSubmit {
		view.links = append(view.links, link{label: "Save evidence", path: "/disputes/" + d.Id + "/evidence"}, link{label: "Add a file", path: "/disputes/" + d.Id + "/file"})
		view.links = append(view.links, link{label: "Submit evidence", path: "/disputes/" + d.Id + "/submit"})
	}
	if v.may(core.RoleFinance) && d.CanAccept {
		view.links = append(view.links, link{label: "Accept", path: "/disputes/" + d.Id + "/accept", danger: true})
	}
	facts := section{title: "Details", details: []detail{
		{"Answer by", optionalTime(d.DueAt)},
		{"Whose task", optionalText(d.OwnerEmail)},
		{"Amount", moneyOf(d.Amount)},
		{"Reason", text(words(d.Reason))},
		{"Provider's reason", optionalText(d.ForeignReason)},
		{"Payment", text(d.Payment.Reference).to("/payments/" + d.PaymentId)},
		{"Account", text(d.Account)},
		{"Provider's id", id(d.ProviderDisputeId)},
		{"Opened", timeOf(d.OpenedAt)},
		{"Submitted", optionalTime(d.SubmittedAt)},
		{"Accepted", optionalTime(d.AcceptedAt)},
		{"Closed", optionalTime(d.ClosedAt)},
	}}
	if d.Fee != nil {
		facts.details = append(facts.details, detail{"Fee", moneyOf(*d.Fee)})
	}
	evidence := table{columns: []column{{name: "What"}, {name: "Evidence"}}, empty: "No evidence is saved yet."}
	for _, one := range d.Evidence.Texts {
		evidence.rows = append(evidence.rows, []cell{text(words(one.Field)), text(one.Text)})
	}
	for _, one := range d.Evidence.Files {
		evidence.rows = append(evidence.rows, []cell{text(words(one.Field)), text(fmt.Sprintf("%s (%s, %d bytes)", one.Name, one.ContentType, one.Size))})
	}
	wanted := table{columns: []column{{name: "What answers it best"}, {name: "As"}, {name: "In the draft"}}, empty: "Nothing is known for this reason."}
	for _, one := range d.Checklist {
		as := "Text"
		if one.IsFile {
			as = "File"
		}
		wanted.rows = append(wanted.rows, []cell{text(words(one.Field)), text(as), text(yesNo(one.Saved))})
	}
	view.sections = []section{facts, {title: "Checklist", table: &wanted}, {title: "Evidence", table: &evidence}}
	return shown{title: view.title, body: objectPage(view)}, nil
}

func (h *handler) subscription(ctx context.Context, v *visit) (shown, error) {
	got, err := SubscriptionPage(ctx, v.client, v.PathValue("id"))
	if err != nil {
		return shown{}, err
	}
	s, ok := deepest(got.Node).(*SubscriptionPageNodeBillingSubscription)
	if !ok {
		return shown{}, errNotFound
	}
	view := objectView{title: s.Reference, subtitle: s.Id, status: string(s.Status)}
	if v.may(core.RoleFinance) && s.EndedAt == nil {
		path := "/subscriptions/" + s.Id
		if s.Status == SubscriptionStatusPaused || s.CancelAtPeriodEnd {
			view.links = append(view.links, link{label: "Resume", path: path + "/resume"})
		} else {
			view.links = append(view.links, link{label: "Pause", path: path + "/pause"})
		}
		view.links = append(view.links, link{label: "Cancel", path: path + "/cancel", danger: true})
	}
	facts := section{title: "Details", details: []detail{
		{"Each period", moneyOf(s.Amount)},
		{"Quantity", text(fmt.Sprint(s.Quantity))},
		{"Period began", optionalTime(s.CurrentPeriodStart)},
		{"Period ends", optionalTime(s.CurrentPeriodEnd)},
		{"Trial ends", optionalTime(s.TrialEnd)},
		{"Next try", optionalTime(s.NextAttempt)},
		{"Account", text(s.Account)},
		{"Provider's id", optionalID(s.ProviderSubscriptionId)},
		{"Created", timeOf(s.CreatedAt)},
		{"Canceled", optionalTime(s.CanceledAt)},
		{"Ended", optionalTime(s.EndedAt)},
	}}
	if s.CustomerId != nil {
		facts.details = append(facts.details, detail{"Customer", id(*s.CustomerId).to("/customers/" + *s.CustomerId)})
	}
	if s.CancelAtPeriodEnd {
		view.notices = append(view.notices, "It ends with its period.")
	}
	payments := paymentTable(s.Payments, "Nothing was paid yet.")
	view.sections = []section{facts, {title: "Payments", table: &payments}}
	return shown{title: s.Reference, body: objectPage(view)}, nil
}

func (h *handler) customer(ctx context.Context, v *visit) (shown, error) {
	got, err := CustomerPage(ctx, v.client, v.PathValue("id"))
	if err != nil {
		return shown{}, err
	}
	c := got.Customer
	if c == nil {
		return shown{}, errNotFound
	}
	facts := section{title: "Details", details: []detail{{"Email", optionalText(c.Email)}, {"Name", optionalText(c.Name)}, {"Created", timeOf(c.CreatedAt)}}}
	for _, key := range slices.Sorted(maps.Keys(c.Metadata)) {
		facts.details = append(facts.details, detail{"Metadata: " + key, text(c.Metadata[key])})
	}
	subscriptions := table{columns: []column{{name: "Subscription"}, {name: "Status"}, {name: "Each period", right: true}, {name: "Created"}}, empty: "None."}
	for _, s := range c.Subscriptions {
		subscriptions.rows = append(subscriptions.rows, []cell{text(s.Reference).to("/subscriptions/" + s.Id), statusOf(s.Status), moneyOf(s.Amount), timeOf(s.CreatedAt)})
	}
	payments := paymentTable(c.Payments, "None.")
	return shown{title: "Customer", body: objectPage(objectView{title: "Customer", subtitle: c.Id, sections: []section{
		facts, {title: "Payments", table: &payments}, {title: "Subscriptions", table: &subscriptions},
	}})}, nil
}

func (h *handler) event(ctx context.Context, v *visit) (shown, error) {
	got, err := InboundEventPage(ctx, v.client, v.PathValue("id"))
	if err != nil {
		return shown{}, err
	}
	e, ok := deepest(got.Node).(*InboundEventPageNodeInboundEvent)
	if !ok {
		return shown{}, errNotFound
	}
	kind := "–"
	if e.ObjectKind != nil {
		kind = words(*e.ObjectKind)
	}
	view := objectView{title: e.Type, subtitle: e.Id, status: string(e.Status), sections: []section{{title: "Details", details: []detail{
		{"Account", text(e.Account)},
		{"Provider's id", id(e.ProviderEventId)},
		{"About", text(kind)},
		{"Object", optionalID(e.ObjectId)},
		{"API version", optionalText(e.ApiVersion)},
		{"Came by", text(words(e.Source))},
		{"Received", timeOf(e.ReceivedAt)},
		{"Processed", optionalTime(e.ProcessedAt)},
		{"Note", optionalText(e.Note)},
	}}}}
	if v.may(core.RoleSupport) {
		view.links = []link{{label: "Replay", path: "/events/" + e.Id + "/replay"}}
	}
	outcomes := table{columns: []column{{name: "At"}, {name: "Of"}, {name: "Verdict"}, {name: "From"}, {name: "To"}, {name: "Reason"}}, empty: "It changed nothing."}
	for _, o := range e.Outcomes {
		outcomes.rows = append(outcomes.rows, []cell{timeOf(o.At), id(o.Subject), optionalText(o.Verdict), optionalText(o.From), optionalText(o.To), optionalText(o.Reason)})
	}
	view.sections = append(view.sections, section{title: "What it caused", table: &outcomes})
	if e.Payload != nil {
		view.sections = append(view.sections, section{title: "Payload, personal data masked", source: *e.Payload})
	}
	return shown{title: e.Type, body: objectPage(view)}, nil
}

// hit is one thing that a search found.
func hit(found SearchSearchSearchResult) []cell {
	switch f := found.(type) {
	case *SearchSearchPayment:
		return []cell{text("Payment"), text(f.Reference).to("/payments/" + f.Id), statusOf(f.Status), moneyOf(f.Amount), timeOf(f.CreatedAt)}
	case *SearchSearchCheckout:
		name := text(f.Reference)
		if f.Payment != nil {
			name = name.to("/payments/" + f.Payment.Id)
		}
		return []cell{text("Checkout"), name, statusOf(f.CheckoutStatus), moneyOf(f.Amount), timeOf(f.CreatedAt)}
	case *SearchSearchRefund:
		return []cell{text("Refund"), id(f.Id).to("/payments/" + f.PaymentId), statusOf(f.RefundStatus), moneyOf(f.Amount), timeOf(f.CreatedAt)}
	case *SearchSearchDispute:
		return []cell{text("Dispute"), id(f.Id).to("/disputes/" + f.Id), statusOf(f.DisputeStatus), moneyOf(f.Amount), timeOf(f.CreatedAt)}
	case *SearchSearchBillingSubscription:
		return []cell{text("Subscription"), text(f.Reference).to("/subscriptions/" + f.Id), statusOf(f.SubscriptionStatus), moneyOf(f.Amount), timeOf(f.CreatedAt)}
	case *SearchSearchCustomer:
		return []cell{text("Customer"), optionalText(f.Email).to("/customers/" + f.Id), text("–"), text("–"), timeOf(f.CreatedAt)}
	case *SearchSearchInboundEvent:
		return []cell{text("Event in"), text(f.EventType).to("/events/" + f.Id), statusOf(f.EventStatus), text("–"), timeOf(f.ReceivedAt)}
	}
	return nil
}

func (h *handler) search(ctx context.Context, v *visit) (shown, error) {
	wanted := strings.TrimSpace(v.URL.Query().Get("text"))
	view := listView{
		title: "Search", intro: "By an id of ours or of a provider, a reference, an email, or the last four digits of a card.",
		table: table{columns: []column{{name: "Kind"}, {name: "Name"}, {name: "Status"}, {name: "Amount", right: true}, {name: "Created"}}, empty: "Nothing carries that, whole as it stands."},
	}
	if wanted == "" {
		view.table.empty = "Write what you have into the field above; / leads there."
		return shown{title: view.title, body: listPage(view)}, nil
	}
	got, err := Search(ctx, v.client, wanted)
	if err != nil {
		return shown{}, err
	}
	for _, found := range got.Search {
		if row := hit(found); row != nil {
			view.table.rows = append(view.table.rows, row)
		}
	}
	return shown{title: view.title, body: listPage(view)}, nil
}

// deepest is what a node is; nil for none.
func deepest[N any](node *N) any {
	if node == nil {
		return nil
	}
	return any(*node)
}

func (h *handler) explorer(context.Context, *visit) (shown, error) {
	return shown{title: "Explorer", body: explorerPage(h.assets)}, nil
}
