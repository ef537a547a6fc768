// Package graph is the admin API: GraphQL for staff. It decides nothing about money; it
// shows what the store holds and calls the use cases.
//
// The schema stands in graph/schema, a file per noun; graph/generated is made from it,
// and the files *.resolvers.go are kept in step with it. An id of the schema is the
// object's own: ids are unique over all types.
package graph

import (
	"context"
	"log/slog"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/observe"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

// Resolver answers the schema's fields.
type Resolver struct {
	payments      *payments.Service
	refunds       *refunds.Service
	disputes      *disputes.Service
	subscriptions *subscriptions.Service
	limits        core.RefundLimits
	store         ports.Reader
	access        *access.Service
	notify        *notify.Service
	inbox         *observe.Inbox
	repair        *repair.Service
	sealer        ports.Sealer
	health        *health.Service
	replays       *idempotency.Service
	summaries     *together[summaryAsked, *core.Summary]
	logger        *slog.Logger
	changes       ports.Changes
	streams       slots
}

// checkout is a checkout as the schema shows it, with its status as of now.
func (r *Resolver) checkout(c *core.Checkout) *model.Checkout {
	if c == nil {
		return nil
	}
	shown := *c
	shown.Status = c.StatusAt(r.payments.Now())
	return &model.Checkout{Checkout: shown, URL: r.payments.CheckoutURL(c.ID)}
}

func paymentOf(p *core.Payment) *model.Payment {
	if p == nil {
		return nil
	}
	return &model.Payment{Payment: *p}
}

func customerOf(c *core.Customer) *model.Customer {
	if c == nil {
		return nil
	}
	return &model.Customer{Customer: *c}
}

func subscriptionOf(s *core.Subscription) *model.Subscription {
	if s == nil {
		return nil
	}
	return &model.Subscription{Subscription: *s}
}

func refundOf(f core.Refund) *model.Refund { return &model.Refund{Refund: f} }

func disputeOf(d core.Dispute) *model.Dispute { return &model.Dispute{Dispute: d} }

func operationOf(o *core.Operation) *model.Operation {
	if o == nil {
		return nil
	}
	return &model.Operation{Operation: *o}
}

// nodeOf gives the object with an id, by the kind that the id's prefix names; nil where
// there is none.
func (r *Resolver) nodeOf(ctx context.Context, id string) (model.Node, error) {
	prefix, _, _ := strings.Cut(id, "_")
	load := requestOf(ctx).loaders
	switch prefix {
	case "pay":
		return node(ctx, id, load.payments.get, func(p core.Payment) model.Node { return paymentOf(&p) })
	case "chk":
		return node(ctx, id, load.checkouts.get, func(c core.Checkout) model.Node { return r.checkout(&c) })
	case "op":
		return node(ctx, id, load.operations.get, func(o core.Operation) model.Node { return operationOf(&o) })
	case "ref":
		return node(ctx, id, load.refunds.get, func(f core.Refund) model.Node { return refundOf(f) })
	case "dsp":
		return node(ctx, id, load.disputes.get, func(d core.Dispute) model.Node { return disputeOf(d) })
	case "cus":
		return node(ctx, id, load.customers.get, func(c core.Customer) model.Node { return customerOf(&c) })
	case "sub":
		return node(ctx, id, load.subscriptions.get, func(s core.Subscription) model.Node { return subscriptionOf(&s) })
	case "evt":
		return node(ctx, id, load.inbound.get, func(e core.InboundEvent) model.Node { return &model.InboundEvent{InboundEvent: e} })
	case "ntf":
		return node(ctx, id, present(r.store.Notification), func(n core.Notification) model.Node { return &model.Notification{Notification: n} })
	case "usr":
		return node(ctx, id, present(r.staff), func(s core.Staff) model.Node { return &model.Staff{Staff: s} })
	default:
		return nil, refuse(codeInput, "id must be that of a payment, checkout, operation, refund, dispute, customer, subscription, event, notification or member of staff")
	}
}

// node keeps an absent object from becoming a typed nil in the interface.
func node[K core.ID, V any](ctx context.Context, text string, read func(context.Context, K) (*V, error), show func(V) model.Node) (model.Node, error) {
	id, err := parseID[K]("id", text)
	if err != nil {
		return nil, err
	}
	value, err := read(ctx, id)
	if err != nil || value == nil {
		return nil, err
	}
	return show(*value), nil
}

// present is a read that gives nil for what is not there.
func present[K core.ID, V any](read func(context.Context, K) (V, error)) func(context.Context, K) (*V, error) {
	return func(ctx context.Context, id K) (*V, error) {
		value, err := read(ctx, id)
		if isAbsent(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return &value, nil
	}
}

// staff gives oneself, and others to an ADMIN.
func (r *Resolver) staff(ctx context.Context, id core.StaffID) (core.Staff, error) {
	if self := requestOf(ctx).staff; self.ID == id {
		return self, nil
	}
	if err := r.require(ctx, core.RoleAdmin, "node:staff"); err != nil {
		return core.Staff{}, err
	}
	return r.access.StaffByID(ctx, id)
}
