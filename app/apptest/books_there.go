package apptest

import (
	"context"
	"slices"
	"strings"
)

// BooksThere gives all that the simulator holds of an account.
func (c *Client) BooksThere(ctx context.Context, account string) (Books, error) {
	books, err := c.BillingThere(ctx, account)
	if err != nil {
		return nil, err
	}
	objects := func(kind string) (list []Object) {
		if err == nil {
			list, err = c.Objects(ctx, account, kind)
		}
		return list
	}
	switch account {
	case "stripe":
		books.stripe(objects("payment_intent"), objects("refund"), objects("dispute"))
	case "paypal":
		books.paypal(objects("order"), objects("sale"), objects("refund"), objects("dispute"))
	case "square":
		books.square(objects("payment"), objects("refund"), objects("dispute"))
	}
	return books, err
}

// What an attempt that took no money can be here.
var (
	openHere   = []string{"requires_action", "processing", "failed", "canceled", "expired"}
	closedHere = []string{"failed", "canceled", "expired"}
)

func (b Books) stripe(intents, refunds, disputes []Object) {
	back := make(map[string]int64)
	for _, one := range refunds {
		status := one.Text("status")
		if status == "succeeded" {
			back[one.Text("payment_intent")] += one.Int("amount")
		}
		b.add(Refunds, one.Text("id"), Entry{Ours: one.Text("metadata", "paydesk_refund"), Statuses: refundWords(status), Amount: one.Int("amount")})
	}
	for _, one := range intents {
		words := map[string][]string{"succeeded": {"succeeded"}, "requires_capture": {"authorized"}, "canceled": closedHere}[one.Text("status")]
		if words == nil {
			words = openHere
		}
		id := one.Text("id")
		b.add(Payments, id, Entry{Ours: one.Text("metadata", "paydesk_payment"), Statuses: words, Amount: one.Int("amount_received"), Back: back[id]})
	}
	for _, one := range disputes {
		words := map[string][]string{
			"warning_needs_response": {"inquiry"}, "warning_under_review": {"inquiry", "under_review"}, "warning_closed": {"won"},
			"lost": {"lost", "accepted"},
		}[one.Text("status")]
		b.add(Disputes, one.Text("id"), Entry{Statuses: append(words, one.Text("status")), Amount: one.Int("amount")})
	}
}

func (b Books) paypal(orders, sales, refunds, disputes []Object) {
	back := make(map[string]int64) // by what links lead up to
	for _, one := range refunds {
		amount := minor(one.Text("amount", "value"))
		for _, link := range one.List("links") {
			if parts := strings.Split(link.Text("href"), "/"); link.Text("rel") == "up" && one.Text("status") == "COMPLETED" {
				back[parts[len(parts)-1]] += amount
			}
		}
		b.add(Refunds, one.Text("id"), Entry{Ours: one.Text("custom_id"), Statuses: refundWords(one.Text("status")), Amount: amount})
	}
	for _, one := range orders {
		entry := Entry{Statuses: openHere}
		if one.Text("status") == "VOIDED" {
			entry.Statuses = closedHere
		}
		for _, unit := range one.List("purchase_units") {
			entry.Ours = unit.Text("custom_id")
			for _, held := range unit.List("payments", "authorizations") {
				entry.Statuses = map[string][]string{"CREATED": {"authorized"}, "PENDING": {"processing"}}[held.Text("status")]
				if entry.Statuses == nil {
					entry.Statuses = closedHere
				}
			}
			for _, taken := range unit.List("payments", "captures") {
				if slices.Contains([]string{"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}, taken.Text("status")) {
					entry.Statuses = []string{"succeeded"}
					entry.Amount += minor(taken.Text("amount", "value"))
					entry.Back += back[taken.Text("id")]
				}
			}
		}
		b.add(Payments, one.Text("id"), entry)
	}
	for _, one := range sales {
		entry := Entry{Statuses: closedHere}
		if slices.Contains([]string{"completed", "partially_refunded", "refunded"}, one.Text("state")) {
			entry = Entry{Statuses: []string{"succeeded"}, Amount: minor(one.Text("amount", "total")), Back: back[one.Text("id")]}
		}
		b.add(Payments, one.Text("id"), entry)
	}
	for _, one := range disputes {
		words := map[string][]string{
			"WAITING_FOR_SELLER_RESPONSE": {"needs_response", "inquiry"}, "OPEN": {"needs_response", "inquiry"}, "UNDER_REVIEW": {"under_review", "inquiry"},
			"WAITING_FOR_BUYER_RESPONSE": {"under_review", "inquiry"},
		}[one.Text("status")]
		if one.Text("status") == "RESOLVED" {
			words = []string{"lost", "accepted"}
			if strings.Contains(one.Text("dispute_outcome", "outcome_code"), "SELLER") {
				words = []string{"won"}
			}
		}
		b.add(Disputes, one.Text("dispute_id"), Entry{Statuses: words, Amount: minor(one.Text("dispute_amount", "value"))})
	}
}

func (b Books) square(payments, refunds, disputes []Object) {
	back := make(map[string]int64)
	for _, one := range refunds {
		amount := one.Int("amount_money", "amount")
		if one.Text("status") == "COMPLETED" {
			back[one.Text("payment_id")] += amount
		}
		words := strings.Fields(one.Text("reason"))
		entry := Entry{Statuses: refundWords(one.Text("status")), Amount: amount}
		if len(words) > 0 && strings.HasPrefix(words[len(words)-1], "ref_") {
			entry.Ours = words[len(words)-1]
		}
		b.add(Refunds, one.Text("id"), entry)
	}
	for _, one := range payments {
		id := one.Text("id")
		entry := Entry{Ours: one.Text("reference_id")}
		switch one.Text("status") {
		case "COMPLETED":
			entry.Statuses, entry.Amount, entry.Back = []string{"succeeded"}, one.Int("total_money", "amount"), back[id]
		case "APPROVED":
			entry.Statuses = []string{"authorized"}
		case "CANCELED", "FAILED":
			entry.Statuses = closedHere
		default:
			entry.Statuses = openHere
		}
		b.add(Payments, id, entry)
	}
	for _, one := range disputes {
		words := map[string][]string{
			"INQUIRY_EVIDENCE_REQUIRED": {"inquiry"}, "INQUIRY_PROCESSING": {"inquiry", "under_review"}, "INQUIRY_CLOSED": {"won"},
			"EVIDENCE_REQUIRED": {"needs_response"}, "PROCESSING": {"under_review"}, "WON": {"won"}, "LOST": {"lost", "accepted"}, "ACCEPTED": {"accepted"},
		}[one.Text("state")]
		b.add(Disputes, one.Text("id"), Entry{Statuses: words, Amount: one.Int("amount_money", "amount")})
	}
}

// refundWords are ours for a provider's.
func refundWords(theirs string) []string {
	words := map[string][]string{"COMPLETED": {"succeeded"}, "CANCELLED": {"canceled", "failed"}, "REJECTED": {"failed"}, "requires_action": {"pending"}}[theirs]
	return append(words, strings.ToLower(theirs))
}
