package paypal

import (
	"slices"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// family is the types of events that begin alike, and what they are about.
type family struct {
	prefix string
	// needed are the ends of the types that move something here. Others of the family are read
	// the same way: PayPal adds types, and some accounts get older ones.
	needed []string
	about  func(kind string, about resource) (core.ObjectKind, string)
}

// families are all types of events that concern something kept here. No prefix begins another.
//
// Source: developer.paypal.com/api/rest/webhooks/event-names.
var families = []family{
	{"CHECKOUT.ORDER.", []string{"APPROVED", "COMPLETED"}, ownID(core.ObjectPayment)},
	{"CHECKOUT.PAYMENT-APPROVAL.", []string{"REVERSED"}, func(_ string, about resource) (core.ObjectKind, string) { return core.ObjectPayment, about.order }},
	{"CUSTOMER.DISPUTE.", []string{"CREATED", "UPDATED", "RESOLVED"}, func(_ string, about resource) (core.ObjectKind, string) { return core.ObjectDispute, about.dispute }},
	{"VAULT.PAYMENT-TOKEN.", []string{"CREATED", "DELETED"}, ownID(core.ObjectMethod)},
	{"BILLING.SUBSCRIPTION.", []string{"CREATED", "ACTIVATED", "UPDATED", "SUSPENDED", "CANCELLED", "EXPIRED", "PAYMENT.FAILED"}, ownID(core.ObjectSubscription)},
	{"PAYMENT.SALE.", []string{"COMPLETED", "REFUNDED", "REVERSED"}, concernsSale},
	{"PAYMENT.AUTHORIZATION.", []string{"CREATED", "VOIDED"}, concernsMoney},
	{"PAYMENT.CAPTURE.", []string{"COMPLETED", "PENDING", "DENIED", "DECLINED", "REFUNDED", "REVERSED"}, concernsMoney},
	{"PAYMENT.REFUND.", []string{"PENDING", "FAILED"}, concernsMoney},
}

// NeededEvents implements [ports.WebhookRegistrar].
func (a *Adapter) NeededEvents() []string {
	var names []string
	for _, of := range families {
		for _, end := range of.needed {
			names = append(names, of.prefix+end)
		}
	}
	slices.Sort(names)
	return names
}

// concerns is the object that an event is about. The id is empty for what concerns nothing kept
// here.
func concerns(kind string, about resource) (core.ObjectKind, string) {
	for _, of := range families {
		if strings.HasPrefix(kind, of.prefix) {
			return of.about(kind, about)
		}
	}
	return "", ""
}

// ownID is for events whose resource is the object itself.
func ownID(kind core.ObjectKind) func(string, resource) (core.ObjectKind, string) {
	return func(_ string, about resource) (core.ObjectKind, string) { return kind, about.id }
}

// concernsSale is for what a subscription's billing took: the subscription shows it with all
// that follows from it. Of what is given back the resource is the refund.
func concernsSale(kind string, about resource) (core.ObjectKind, string) {
	switch {
	case kind == "PAYMENT.SALE.REFUNDED":
		return core.ObjectRefund, about.id
	case kind == "PAYMENT.SALE.REVERSED" && about.agreement == "":
		return core.ObjectPayment, about.id
	}
	return core.ObjectSubscription, about.agreement
}

// concernsMoney is for an order's money: mostly the order; the refund, where it is about one.
func concernsMoney(kind string, about resource) (core.ObjectKind, string) {
	refund := kind == "PAYMENT.CAPTURE.REFUNDED" || strings.HasPrefix(kind, "PAYMENT.REFUND.") ||
		kind == "PAYMENT.CAPTURE.REVERSED" && linked(about.links, pathCaptures) != ""
	if refund {
		return core.ObjectRefund, about.id
	}
	if about.relatedOrder != "" {
		return core.ObjectPayment, about.relatedOrder
	}
	return core.ObjectPayment, linked(about.links, pathOrders)
}
