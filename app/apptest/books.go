package apptest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Entry is one object in words that both sides can be put into.
type Entry struct {
	// Ours is our id of it, or the one that the provider was told; empty for none.
	Ours string
	// Statuses are the words for its status: here one, there all of ours that mean the same.
	Statuses []string
	// Amount is what was taken or given, Back what was given back of it, in minor units.
	Amount, Back int64
	// Of is the provider's id of what it belongs to; empty where that is not compared.
	Of string
}

// Books are what one side holds of an account, each kind by the provider's ids.
type Books map[string]map[string]Entry

// The kinds of [Books].
const (
	Payments      = "payment"
	Refunds       = "refund"
	Disputes      = "dispute"
	Subscriptions = "subscription"
	Invoices      = "invoice" // paid ones, and only what was paid for
)

// Unnamed begins the key of what has no id of the provider's here.
const Unnamed = "none of "

// add keeps an entry. Where the provider's id is taken already, the other's goes under one of its
// own, so that it shows as a difference.
func (b Books) add(kind, id string, entry Entry) {
	if b[kind] == nil {
		b[kind] = make(map[string]Entry)
	}
	if _, taken := b[kind][id]; taken {
		id += " (again)"
	}
	b[kind][id] = entry
}

// Differences compares what is there with what is here.
func Differences(there, here Books) (differ []string) {
	for _, kind := range []string{Payments, Refunds, Disputes, Subscriptions, Invoices} {
		for _, id := range slices.Sorted(maps.Keys(there[kind])) {
			theirs := there[kind][id]
			ours, known := here[kind][id]
			switch {
			case !known && theirs.Amount == 0 && kind == Payments: // an attempt that came to nothing
			case !known:
				differ = append(differ, fmt.Sprintf("%s %s (%s) is not known here: %v %d", kind, id, theirs.Ours, theirs.Statuses, theirs.Amount))
			case !slices.Contains(theirs.Statuses, ours.Statuses[0]):
				differ = append(differ, fmt.Sprintf("%s %s (%s) is %v there and %s here", kind, id, ours.Ours, theirs.Statuses, ours.Statuses[0]))
			case theirs.Amount != ours.Amount || theirs.Back != ours.Back:
				differ = append(differ, fmt.Sprintf("%s %s (%s): %d, %d given back there, %d, %d given back here", kind, id, ours.Ours, theirs.Amount, theirs.Back, ours.Amount, ours.Back))
			case theirs.Of != ours.Of:
				differ = append(differ, fmt.Sprintf("%s %s (%s) is of %s there and of %s here", kind, id, ours.Ours, theirs.Of, ours.Of))
			}
		}
		for _, id := range slices.Sorted(maps.Keys(here[kind])) {
			ours := here[kind][id]
			if _, known := there[kind][id]; !known && (kind != Payments || ours.Amount != 0) {
				differ = append(differ, fmt.Sprintf("%s %s (%s) is not known there: %v %d", kind, id, ours.Ours, ours.Statuses, ours.Amount))
			}
		}
	}
	return differ
}

// minor reads a decimal amount of a currency with two decimals.
func minor(text string) int64 {
	value, _ := strconv.ParseFloat(text, 64)
	return int64(math.Round(value * 100))
}

// BillingHere gives the subscriptions that we hold of an account, and what was paid for them.
func (c *Client) BillingHere(ctx context.Context, account string) (Books, error) {
	books := make(Books)
	all, err := c.All(ctx, "/v1/subscriptions")
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		foreign := one.Text("provider_subscription_id")
		if one.Text("account") != account || foreign == "" {
			continue
		}
		books.add(Subscriptions, foreign, Entry{Ours: one.Text("id"), Statuses: []string{one.Text("status")}})
		invoices, err := c.All(ctx, "/v1/subscriptions/"+one.Text("id")+"/invoices")
		if err != nil {
			return nil, err
		}
		for _, invoice := range invoices {
			if invoice.Text("status") == "paid" && invoice.Int("amount_paid") > 0 && invoice.Text("payment") != "" {
				books.add(Invoices, invoice.Text("provider_invoice_id"), Entry{
					Ours: invoice.Text("id"), Statuses: []string{"paid"}, Amount: invoice.Int("amount_paid"), Of: foreign,
				})
			}
		}
	}
	return books, nil
}

// BooksHere gives all that we hold of an account.
func (c *Client) BooksHere(ctx context.Context, account string) (Books, error) {
	books, err := c.BillingHere(ctx, account)
	if err != nil {
		return nil, err
	}
	payments, err := c.All(ctx, "/v1/payments")
	if err != nil {
		return nil, err
	}
	for _, one := range payments {
		if one.Text("account") != account {
			continue
		}
		id := one.Text("provider_payment_id")
		if id == "" {
			id = Unnamed + one.Text("id")
		}
		books.add(Payments, id, Entry{
			Ours: one.Text("id"), Statuses: []string{one.Text("status")}, Amount: one.Int("amount_captured"), Back: one.Int("amount_refunded"),
		})
		if one.Int("amount_captured") == 0 {
			continue
		}
		refunds, err := c.All(ctx, "/v1/payments/"+one.Text("id")+"/refunds")
		if err != nil {
			return nil, err
		}
		for _, refund := range refunds {
			foreign := refund.Text("provider_refund_id")
			if foreign == "" && slices.Contains([]string{"failed", "canceled"}, refund.Text("status")) {
				continue // it never came to be there
			}
			if foreign == "" {
				foreign = Unnamed + refund.Text("id")
			}
			books.add(Refunds, foreign, Entry{Ours: refund.Text("id"), Statuses: []string{refund.Text("status")}, Amount: refund.Int("amount")})
		}
	}
	disputes, err := c.All(ctx, "/v1/disputes")
	if err != nil {
		return nil, err
	}
	for _, one := range disputes {
		if one.Text("account") == account {
			books.add(Disputes, one.Text("provider_dispute_id"), Entry{
				Ours: one.Text("id"), Statuses: []string{one.Text("status")}, Amount: one.Int("amount"),
			})
		}
	}
	return books, nil
}

// BillingThere gives the subscriptions that the simulator holds of an account, and what was paid for
// them.
func (c *Client) BillingThere(ctx context.Context, account string) (Books, error) {
	books := make(Books)
	all, err := c.Objects(ctx, account, "subscription")
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		books.add(Subscriptions, one.Text("id"), Entry{
			Ours: one.Text("custom_id") + one.Text("metadata", "paydesk_subscription"), Statuses: subscriptionWords(one.Text("status")),
		})
	}
	paid, err := c.Objects(ctx, account, map[string]string{"stripe": "invoice", "paypal": "sale", "square": "invoice"}[account])
	if err != nil {
		return nil, err
	}
	for _, one := range paid {
		entry := Entry{Statuses: []string{"paid"}}
		status := ""
		switch account {
		case "stripe":
			entry.Of, entry.Amount, status = one.Text("subscription"), one.Int("amount_paid"), one.Text("status")
		case "paypal":
			entry.Of, entry.Amount, status = one.Text("billing_agreement_id"), minor(one.Text("amount", "total")), one.Text("state")
		case "square":
			entry.Of, status = one.Text("subscription_id"), one.Text("status")
			for _, request := range one.List("payment_requests") {
				entry.Amount += request.Int("computed_amount_money", "amount")
			}
		}
		if entry.Amount > 0 && slices.Contains([]string{"paid", "completed", "partially_refunded", "refunded", "PAID", "PARTIALLY_REFUNDED", "REFUNDED"}, status) {
			books.add(Invoices, one.Text("id"), entry)
		}
	}
	return books, nil
}

// subscriptionWords are ours for a provider's; the providers' own words overlap with ours.
func subscriptionWords(theirs string) []string {
	words := map[string][]string{
		"ACTIVE": {"active", "past_due", "trialing"}, "SUSPENDED": {"unpaid", "paused"}, "DEACTIVATED": {"unpaid"},
		"PAUSED": {"paused"}, "CANCELED": {"canceled"}, "CANCELLED": {"canceled"}, "EXPIRED": {"canceled"}, "APPROVAL_PENDING": {"incomplete", "canceled"},
		"PENDING": {"trialing", "incomplete", "active"}, "incomplete_expired": {"canceled"},
	}[theirs]
	return append(words, strings.ToLower(theirs))
}
