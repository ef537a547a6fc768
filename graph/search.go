package graph

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
	"github.com/paydesk/paydesk/ports"
)

const (
	// searchCharactersMax is the longest text that is searched for: no id, reference or email is longer.
	searchCharactersMax = 255
	// searchHitsMax is how much of each kind is found.
	searchHitsMax = 10
	// searchKinds is how many kinds there are.
	searchKinds = 7
)

// search finds what a text names.
func (r *Resolver) search(ctx context.Context, text string) ([]model.SearchResult, error) {
	text, err := checkedText("text", text, searchCharactersMax)
	if err != nil {
		return nil, err
	}
	found := []ports.Found{{Kind: ownKind(text), ID: text}}
	if found[0].Kind == "" {
		find := ports.Find{Text: text, WithoutEmails: !requestOf(ctx).staff.Role.Includes(personalRole), Limit: searchHitsMax}
		if found, err = r.store.Search(ctx, find); err != nil {
			return nil, err
		}
	}
	return r.hits(ctx, found)
}

// checkedText is a text that somebody typed, without the spaces around it. Nobody's card number is
// looked for, since what is asked may be kept somewhere on its way.
func checkedText(name, text string, charactersMax int) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", refuse(codeInput, "%s must not be empty", name)
	case utf8.RuneCountInString(text) > charactersMax:
		return "", refuse(codeInput, "%s must have at most %d characters", name, charactersMax)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", refuse(codeInput, "%s must be readable text", name)
	case core.HasCardNumber(text):
		return "", refuse(codeInput, "%s must not be a card number: give its last four digits", name)
	}
	return text, nil
}

// ownKind tells what a text is the id of, where it is one of ours; empty for any other text.
func ownKind(text string) ports.FoundKind {
	switch {
	case isID[core.PaymentID](text):
		return ports.FoundPayment
	case isID[core.CheckoutID](text):
		return ports.FoundCheckout
	case isID[core.RefundID](text):
		return ports.FoundRefund
	case isID[core.DisputeID](text):
		return ports.FoundDispute
	case isID[core.SubscriptionID](text):
		return ports.FoundSubscription
	case isID[core.CustomerID](text):
		return ports.FoundCustomer
	case isID[core.InboundID](text):
		return ports.FoundInbound
	}
	return ""
}

func isID[T core.ID](text string) bool {
	_, err := core.ParseID[T](text)
	return err == nil
}

// hits reads what was found, each kind at once, and gives it in the order in which it was found.
func (r *Resolver) hits(ctx context.Context, found []ports.Found) ([]model.SearchResult, error) {
	load := requestOf(ctx).loaders
	below := asked{graphql.GetOperationContext(ctx), []ast.SelectionSet{graphql.GetFieldContext(ctx).Field.Selections}}
	results := make(map[string]model.SearchResult, len(found))
	err := steps(
		func() error {
			return hit(ctx, found, ports.FoundPayment, load.payments, below, load.aheadOfPayments, func(p core.Payment) { results[string(p.ID)] = paymentOf(&p) })
		},
		func() error {
			return hit(ctx, found, ports.FoundCheckout, load.checkouts, below, load.aheadOfCheckouts, func(c core.Checkout) { results[string(c.ID)] = r.checkout(&c) })
		},
		func() error {
			return hit(ctx, found, ports.FoundRefund, load.refunds, below, load.aheadOfRefunds, func(f core.Refund) { results[string(f.ID)] = refundOf(f) })
		},
		func() error {
			return hit(ctx, found, ports.FoundDispute, load.disputes, below, load.aheadOfDisputes, func(d core.Dispute) { results[string(d.ID)] = disputeOf(d) })
		},
		func() error {
			return hit(ctx, found, ports.FoundSubscription, load.subscriptions, below, load.aheadOfSubscriptions, func(s core.Subscription) { results[string(s.ID)] = subscriptionOf(&s) })
		},
		func() error {
			return hit(ctx, found, ports.FoundCustomer, load.customers, below, load.aheadOfCustomers, func(c core.Customer) { results[string(c.ID)] = customerOf(&c) })
		},
		func() error {
			return hit(ctx, found, ports.FoundInbound, load.inbound, below, load.aheadOfInbound, func(e core.InboundEvent) { results[string(e.ID)] = &model.InboundEvent{InboundEvent: e} })
		},
	)
	if err != nil {
		return nil, err
	}
	shown := make([]model.SearchResult, 0, len(found))
	for _, one := range found {
		if result, ok := results[one.ID]; ok {
			shown = append(shown, result)
		}
	}
	return shown, nil
}

// hit reads what was found of one kind.
func hit[K core.ID, V any](ctx context.Context, found []ports.Found, kind ports.FoundKind, from *source[K, V], below asked, then func(context.Context, asked, []V) error, show func(V)) error {
	var ids []K
	for _, one := range found {
		if one.Kind == kind {
			ids = append(ids, K(one.ID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	values, err := from.fill(ctx, ids)
	if err != nil {
		return err
	}
	for _, value := range values {
		show(value)
	}
	return then(ctx, below, values)
}
