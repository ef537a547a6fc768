package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/paydesk/paydesk/core"
)

// asked is what a query selects below some place; the same field may be selected there several times.
type asked struct {
	operation *graphql.OperationContext
	sets      []ast.SelectionSet
}

// askedOf is what is selected of the items of the list that is being resolved.
func askedOf(ctx context.Context) asked {
	field := graphql.GetFieldContext(ctx)
	if field == nil {
		return asked{}
	}
	whole := asked{graphql.GetOperationContext(ctx), []ast.SelectionSet{field.Field.Selections}}
	items, _ := whole.of("nodes")
	if inEdges, ok := whole.of("edges"); ok {
		nodes, _ := inEdges.of("node")
		items.sets = append(items.sets, nodes.sets...)
	}
	return items
}

// of is what is selected of a field, and whether it is selected at all.
func (a asked) of(name string) (asked, bool) {
	below := asked{operation: a.operation}
	found := false
	for _, set := range a.sets {
		for _, field := range graphql.CollectFields(a.operation, set, nil) {
			if field.Name == name {
				found = true
				below.sets = append(below.sets, field.Selections)
			}
		}
	}
	return below, found
}

// ahead reads what a field of some owners leads to, all at once, and then what is selected below that. It
// goes no deeper than the query does.
func ahead[O any, K ~string, V any](ctx context.Context, a asked, name string, from *source[K, V], owners []O, key func(O) K, then func(context.Context, asked, []V) error) error {
	below, ok := a.of(name)
	if !ok || len(owners) == 0 {
		return nil
	}
	keys := make([]K, len(owners))
	for i, owner := range owners {
		keys[i] = key(owner)
	}
	values, err := from.fill(ctx, keys)
	if err != nil || then == nil {
		return err
	}
	return then(ctx, below, values)
}

// listed is then for what comes in lists.
func listed[V any](then func(context.Context, asked, []V) error) func(context.Context, asked, [][]V) error {
	return func(ctx context.Context, a asked, lists [][]V) error {
		var all []V
		for _, list := range lists {
			all = append(all, list...)
		}
		return then(ctx, a, all)
	}
}

// steps runs one after the other until one fails.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (l *loaders) aheadOfPayments(ctx context.Context, a asked, payments []core.Payment) error {
	for _, payment := range payments {
		l.payments.know(payment.ID, payment)
	}
	id := func(p core.Payment) core.PaymentID { return p.ID }
	return steps(
		func() error {
			return ahead(ctx, a, "checkout", l.checkouts, payments, func(p core.Payment) core.CheckoutID { return p.Checkout }, l.aheadOfCheckouts)
		},
		func() error {
			return ahead(ctx, a, "customer", l.customers, payments, func(p core.Payment) core.CustomerID { return p.Customer }, l.aheadOfCustomers)
		},
		func() error {
			return ahead(ctx, a, "subscription", l.subscriptions, payments, func(p core.Payment) core.SubscriptionID { return p.Subscription }, l.aheadOfSubscriptions)
		},
		func() error { return ahead(ctx, a, "refunds", l.refundsOf, payments, id, listed(l.aheadOfRefunds)) },
		func() error { return ahead(ctx, a, "disputes", l.disputesOf, payments, id, listed(l.aheadOfDisputes)) },
		func() error {
			return ahead(ctx, a, "operations", l.operationsOf, payments, id, listed(l.aheadOfOperations))
		},
	)
}

func (l *loaders) aheadOfCheckouts(ctx context.Context, a asked, checkouts []core.Checkout) error {
	for _, checkout := range checkouts {
		l.checkouts.know(checkout.ID, checkout)
	}
	return ahead(ctx, a, "payment", l.payments, checkouts, func(c core.Checkout) core.PaymentID { return c.Payment }, l.aheadOfPayments)
}

func (l *loaders) aheadOfOperations(ctx context.Context, a asked, operations []core.Operation) error {
	for _, operation := range operations {
		l.operations.know(operation.ID, operation)
	}
	return ahead(ctx, a, "payment", l.payments, operations, func(o core.Operation) core.PaymentID { return o.Payment }, l.aheadOfPayments)
}

func (l *loaders) aheadOfRefunds(ctx context.Context, a asked, refunds []core.Refund) error {
	for _, refund := range refunds {
		l.refunds.know(refund.ID, refund)
	}
	return ahead(ctx, a, "payment", l.payments, refunds, func(r core.Refund) core.PaymentID { return r.Payment }, l.aheadOfPayments)
}

func (l *loaders) aheadOfDisputes(ctx context.Context, a asked, disputes []core.Dispute) error {
	for _, dispute := range disputes {
		l.disputes.know(dispute.ID, dispute)
	}
	return steps(
		func() error {
			return ahead(ctx, a, "payment", l.payments, disputes, func(d core.Dispute) core.PaymentID { return d.Payment }, l.aheadOfPayments)
		},
		func() error {
			return ahead(ctx, a, "evidence", l.evidence, disputes, func(d core.Dispute) core.DisputeID { return d.ID }, nil)
		},
	)
}

func (l *loaders) aheadOfCustomers(ctx context.Context, a asked, customers []core.Customer) error {
	for _, customer := range customers {
		l.customers.know(customer.ID, customer)
	}
	id := func(c core.Customer) core.CustomerID { return c.ID }
	return steps(
		func() error {
			return ahead(ctx, a, "payments", l.paymentsOfCustomer, customers, id, listed(l.aheadOfPayments))
		},
		func() error {
			return ahead(ctx, a, "subscriptions", l.subscriptionsOf, customers, id, listed(l.aheadOfSubscriptions))
		},
	)
}

func (l *loaders) aheadOfSubscriptions(ctx context.Context, a asked, subscriptions []core.Subscription) error {
	for _, subscription := range subscriptions {
		l.subscriptions.know(subscription.ID, subscription)
	}
	id := func(s core.Subscription) core.SubscriptionID { return s.ID }
	return steps(
		func() error {
			return ahead(ctx, a, "customer", l.customers, subscriptions, func(s core.Subscription) core.CustomerID { return s.Customer }, l.aheadOfCustomers)
		},
		func() error {
			return ahead(ctx, a, "price", l.prices, subscriptions, func(s core.Subscription) core.PriceID { return s.Price }, nil)
		},
		func() error { return ahead(ctx, a, "invoices", l.invoicesOf, subscriptions, id, nil) },
		func() error {
			return ahead(ctx, a, "payments", l.paymentsOfSubscription, subscriptions, id, listed(l.aheadOfPayments))
		},
	)
}

// aheadOfInbound knows none of the events: in lists they come without their bodies.
func (l *loaders) aheadOfInbound(ctx context.Context, a asked, events []core.InboundEvent) error {
	id := func(e core.InboundEvent) core.InboundID { return e.ID }
	return steps(
		func() error { return ahead(ctx, a, "payload", l.inbound, events, id, nil) },
		func() error { return ahead(ctx, a, "outcomes", l.outcomesOf, events, id, listed(l.aheadOfTimeline)) },
	)
}

func (l *loaders) aheadOfTimeline(ctx context.Context, a asked, entries []core.TimelineEntry) error {
	return ahead(ctx, a, "operation", l.operations, entries, func(e core.TimelineEntry) core.OperationID { return e.Operation }, l.aheadOfOperations)
}
