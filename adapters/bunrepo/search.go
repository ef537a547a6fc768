package bunrepo

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// markKindEmail is what all marks of emails are made for, whichever table they stand in.
const markKindEmail = "email"

// emailMarks are all marks by which an email may have been stored, the one that is stored now first.
func (s *Store) emailMarks(email string) []string {
	all := s.sealer.Marks(markKindEmail, []byte(core.FoldEmail(email)))
	marks := make([]string, len(all))
	for i, one := range all {
		marks[i] = fmt.Sprintf("%x", one)
	}
	return marks
}

// emailMark is what is stored beside a sealed email; empty for none.
func (s *Store) emailMark(email string) string {
	if marks := s.emailMarks(email); len(marks) > 0 {
		return marks[0]
	}
	return ""
}

// whereIn selects the rows whose column has one of the values; none where there are none.
func whereIn(query *bun.SelectQuery, column string, values []string) *bun.SelectQuery {
	if len(values) == 0 {
		return query.Where("1 = 0")
	}
	return query.Where("? IN ?", bun.Ident(column), bun.Tuple(values))
}

// paymentsOfEmail selects payments whose customer has an email, or whose buyer left it. Both halves go
// from the few who have it to what they paid, which one condition with OR would not.
func paymentsOfEmail(query *bun.SelectQuery, marks []string) *bun.SelectQuery {
	if len(marks) == 0 {
		return query.Where("1 = 0")
	}
	return query.Where(`id IN (SELECT p.id FROM payments AS p JOIN checkouts AS c ON c.id = p.checkout WHERE c.buyer_mark IN ?
UNION SELECT p.id FROM payments AS p JOIN customers AS u ON u.id = p.customer WHERE u.email_mark IN ?)`, bun.Tuple(marks), bun.Tuple(marks))
}

// ofAnyAccount is the condition on a provider's id where the account is not known. The unique index
// begins with the account, so it goes from each account that the table has to the next.
func ofAnyAccount(table, column string) string {
	const steps = `account IN (WITH RECURSIVE step(account) AS (SELECT min(account) FROM %[1]s
UNION ALL SELECT (SELECT min(account) FROM %[1]s WHERE account > step.account) FROM step WHERE step.account IS NOT NULL)
SELECT account FROM step WHERE account IS NOT NULL) AND %[2]s = ?`
	return fmt.Sprintf(steps, table, column)
}

// paymentsOfProvider selects the payments that a provider knows by an id, as the payment's or as that of
// the page that it is paid at.
func paymentsOfProvider(query *bun.SelectQuery, id string) *bun.SelectQuery {
	return query.Where("id IN (SELECT id FROM payments WHERE "+ofAnyAccount("payments", "provider_payment_id")+
		" UNION SELECT id FROM payments WHERE "+ofAnyAccount("payments", "provider_session_id")+")", id, id)
}

// foundIn is one place that a search looks into.
type foundIn struct {
	kind   ports.FoundKind
	table  string
	column string // of time
	where  string
	value  any
}

// places are where a text may stand.
func (s *Store) places(find ports.Find) []foundIn {
	text := find.Text
	all := []foundIn{
		{ports.FoundPayment, "payments", "created_at", "reference = ?", text},
		{ports.FoundCheckout, "checkouts", "created_at", "reference = ?", text},
		{ports.FoundSubscription, "subscriptions", "created_at", "reference = ?", text},
		{ports.FoundPayment, "payments", "created_at", ofAnyAccount("payments", "provider_payment_id"), text},
		{ports.FoundPayment, "payments", "created_at", ofAnyAccount("payments", "provider_session_id"), text},
		{ports.FoundRefund, "refunds", "created_at", ofAnyAccount("refunds", "provider_refund_id"), text},
		{ports.FoundDispute, "disputes", "created_at", ofAnyAccount("disputes", "provider_dispute_id"), text},
		{ports.FoundSubscription, "subscriptions", "created_at", ofAnyAccount("subscriptions", "provider_subscription_id"), text},
		{ports.FoundInbound, "inbound_events", "received_at", ofAnyAccount("inbound_events", "provider_event_id"), text},
	}
	if strings.Contains(text, "@") && !find.WithoutEmails { // an email as likely as a reference
		marks := bun.Tuple(s.emailMarks(text))
		all = append(all,
			foundIn{ports.FoundCustomer, "customers", "created_at", "email_mark IN ?", marks},
			foundIn{ports.FoundCheckout, "checkouts", "created_at", "buyer_mark IN ?", marks},
			foundIn{ports.FoundPayment, "payments", "created_at", "checkout IN (SELECT id FROM checkouts WHERE buyer_mark IN ?)", marks},
			foundIn{ports.FoundPayment, "payments", "created_at", "customer IN (SELECT id FROM customers WHERE email_mark IN ?)", marks})
	}
	if core.IsLast4(text) {
		all = append(all, foundIn{ports.FoundPayment, "payments", "created_at", "last4 = ?", text})
	}
	return all
}

// Search gives what carries a text, by one statement.
func (s *Store) Search(ctx context.Context, find ports.Find) ([]ports.Found, error) {
	if err := checkTexts(find); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if find.Text == "" || find.Limit < 1 || find.Limit > core.PageItemsMax {
		return nil, fmt.Errorf("search of %d needs a text, and a limit within 1 and %d", find.Limit, core.PageItemsMax)
	}
	var parts []string
	var values []any
	for _, place := range s.places(find) {
		parts = append(parts, fmt.Sprintf("SELECT kind, id FROM (SELECT '%s' AS kind, id FROM %s WHERE %s ORDER BY %s DESC, id DESC LIMIT %d) AS part",
			place.kind, place.table, place.where, place.column, find.Limit))
		values = append(values, place.value)
	}
	var rows []struct {
		Kind ports.FoundKind
		ID   string
	}
	if err := s.read.NewRaw(strings.Join(parts, " UNION ALL "), values...).Scan(ctx, &rows); err != nil {
		return nil, s.failed(ctx, err, "search")
	}
	found := make([]ports.Found, 0, len(rows))
	seen, counts := make(map[string]bool, len(rows)), make(map[ports.FoundKind]int)
	for _, row := range rows {
		if !seen[row.ID] && counts[row.Kind] < find.Limit {
			seen[row.ID] = true
			counts[row.Kind]++
			found = append(found, ports.Found{Kind: row.Kind, ID: row.ID})
		}
	}
	return found, nil
}
