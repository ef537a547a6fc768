package graph

import (
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/generated"
	"github.com/paydesk/paydesk/graph/model"
)

// What one query may cost. Every limit is checked before anything is read.
const (
	// tokensMax bounds what is parsed.
	tokensMax = 2_000
	// depthMax is how many fields may stand inside each other; introspection has a rule
	// of its own in the library.
	depthMax = 12
	// aliasesMax bounds how often the same field is asked for under other names, over
	// all fragments as often as they are used.
	aliasesMax = 30
	// fieldsMax bounds the fields with all fragments written out.
	fieldsMax = 1_000
	// complexityMax bounds the cost: each field of each item that can come back is 1.
	complexityMax = 10_000
	// readCost is the cost of a field that asks the store by itself, so that at most
	// complexityMax / readCost such reads are made for one query.
	readCost = 200
	// operationsGuess is how many operations a payment is taken to have.
	operationsGuess = 10
	// refundsGuess is how many refunds, disputes or subscriptions of one owner there are taken to be.
	refundsGuess = 3
	// payloadCost is of one event's payload, which may be large.
	payloadCost = 100
	// summaryCost is of a summary, which reads all rows of its period.
	summaryCost = 2_000
	// currenciesGuess and accountsGuess are how many a storefront is taken to use, and bucketsGuess how many parts
	// a summary is taken to have.
	currenciesGuess, accountsGuess, bucketsGuess = 3, 3, 30
	// endpointsGuess is how many endpoints a storefront can have.
	endpointsGuess = 32
	// measureMax is where counting stops: more is too much whatever the limit.
	measureMax = 1 << 20
)

// limits refuses queries that are too large, and introspection to those who may not.
type limits struct {
	resolver *Resolver
	live     bool
}

// ExtensionName implements graphql.HandlerExtension.
func (limits) ExtensionName() string { return "PaydeskLimits" }

// Validate implements graphql.HandlerExtension.
func (l limits) Validate(graphql.ExecutableSchema) error {
	if l.resolver == nil {
		return errors.New("limits need a resolver")
	}
	return nil
}

// MutateOperationContext implements graphql.OperationContextMutator.
func (l limits) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	size := measuring{}.selections(operation.Operation.SelectionSet)
	var err error
	switch {
	case size.depth > depthMax:
		err = refuse(codeDepth, "the query is deeper than %d fields", depthMax)
	case size.aliases > aliasesMax:
		err = refuse(codeAliases, "the query has more than %d aliases", aliasesMax)
	case size.fields > fieldsMax:
		err = refuse(codeFields, "the query has more than %d fields", fieldsMax)
	case size.introspects && l.live:
		err = l.resolver.require(ctx, core.RoleAdmin, "introspection")
	}
	if err != nil {
		return gqlerror.Wrap(err)
	}
	operation.DisableIntrospection = false
	return nil
}

// size is what a selection amounts to with its fragments written out.
type size struct {
	depth, aliases, fields int
	introspects            bool
}

// measuring remembers each fragment's size: without that, fragments within fragments
// would take exponential time.
type measuring map[*ast.FragmentDefinition]size

// selections measures a validated selection, in which no fragment contains itself.
func (m measuring) selections(set ast.SelectionSet) (total size) {
	for _, selection := range set {
		var part size
		switch selection := selection.(type) {
		case *ast.Field:
			part = m.field(selection)
		case *ast.InlineFragment:
			part = m.selections(selection.SelectionSet)
		case *ast.FragmentSpread:
			known, ok := m[selection.Definition]
			if !ok {
				known = m.selections(selection.Definition.SelectionSet)
				m[selection.Definition] = known
			}
			part = known
		}
		total.depth = max(total.depth, part.depth)
		total.aliases = min(total.aliases+part.aliases, measureMax)
		total.fields = min(total.fields+part.fields, measureMax)
		total.introspects = total.introspects || part.introspects
	}
	return total
}

func (m measuring) field(field *ast.Field) size {
	part := m.selections(field.SelectionSet)
	part.depth++
	part.fields = min(part.fields+1, measureMax)
	if field.Alias != "" && field.Alias != field.Name {
		part.aliases = min(part.aliases+1, measureMax)
	}
	if field.Name == "__schema" || field.Name == "__type" {
		part.depth, part.introspects = 1, true
	}
	return part
}

// withoutSuggestions is the library's rules, telling nobody which names nearly exist.
func withoutSuggestions() *rules.Rules {
	all := rules.NewDefaultRules()
	all.RemoveRule(rules.KnownArgumentNamesRule.Name)
	all.RemoveRule(rules.KnownTypeNamesRule.Name)
	all.RemoveRule(rules.ValuesOfCorrectTypeRule.Name)
	all.AddRule(rules.KnownArgumentNamesRuleWithoutSuggestions.Name, rules.KnownArgumentNamesRuleWithoutSuggestions.RuleFunc)
	all.AddRule(rules.KnownTypeNamesRuleWithoutSuggestions.Name, rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc)
	all.AddRule(rules.ValuesOfCorrectTypeRuleWithoutSuggestions.Name, rules.ValuesOfCorrectTypeRuleWithoutSuggestions.RuleFunc)
	return all
}

// costs says what the fields cost that do not cost 1.
func costs() (c generated.ComplexityRoot) {
	listCosts(&c)
	mutationCosts(&c)
	c.Query.WebhookEndpoints = func(child int) int { return 2*readCost + endpointsGuess*child }
	c.Query.Payment = func(child int, _ string) int { return readCost + child }
	c.Query.Customer = func(child int, _ string) int { return readCost + child }
	c.Query.Search = func(child int, _ string) int { return 2*readCost + searchKinds*searchHitsMax*child }
	c.Subscription.PaymentChanged = func(child int, _ *string) int { return readCost + child }
	c.Subscription.SummaryChanged = func(child int, _, _ time.Time, _ *string, _ core.SummaryInterval) int { return summaryCost + child }
	c.Query.Summary = func(child int, _, _ time.Time, _ *string, _ core.SummaryInterval) int { return summaryCost + child }
	c.Summary.Currencies = func(child int) int { return 1 + currenciesGuess*child }
	c.CurrencySummary.Accounts = func(child int) int { return 1 + accountsGuess*child }
	c.CurrencySummary.Buckets = func(child int) int { return 1 + bucketsGuess*child }
	c.AccountSummary.Buckets = func(child int) int { return 1 + bucketsGuess*child }
	c.Query.Node = func(child int, _ string) int { return readCost + child }
	c.Query.Nodes = func(child int, ids []string) int { return readCost + min(len(ids), nodesMax)*child }
	c.Payment.Operations = func(child int) int { return 1 + operationsGuess*child }
	c.Payment.Refunds = func(child int) int { return 1 + refundsGuess*child }
	c.Payment.Disputes = func(child int) int { return 1 + refundsGuess*child }
	c.Payment.Timeline = func(child int, first *int, _ *string) int { return readCost + itemsOf(first)*child }
	c.Checkout.LineItems = func(child int) int { return 1 + operationsGuess*child }
	c.Customer.Payments = func(child int) int { return 1 + ofEachMax*child }
	c.Customer.Subscriptions = func(child int) int { return 1 + refundsGuess*child }
	c.BillingSubscription.Payments = func(child int) int { return 1 + ofEachMax*child }
	c.BillingSubscription.Invoices = func(child int) int { return 1 + ofEachMax*child }
	c.Dispute.Evidence = func(child int) int { return 1 + operationsGuess*child }
	c.Dispute.Checklist = func(child int) int { return 1 + operationsGuess*child }
	c.InboundEvent.Payload = func(int) int { return payloadCost }
	c.InboundEvent.Outcomes = func(child int) int { return 1 + refundsGuess*child }
	return c
}

// listCosts are of the lists: of each the page, and perhaps the count or what its items need.
func listCosts(c *generated.ComplexityRoot) {
	c.Query.Payments = func(child int, first *int, _ *string, last *int, _ *string, _ *model.PaymentFilter, _ *core.Order) int {
		return listCost(child, first, last)
	}
	c.Query.Refunds = func(child int, first *int, _ *string, last *int, _ *string, _ *model.RefundFilter, _ *core.Order) int {
		return listCost(child, first, last)
	}
	c.Query.Disputes = func(child int, first *int, _ *string, last *int, _ *string, _ *model.DisputeFilter, _ *core.Order) int {
		return listCost(child, first, last)
	}
	c.Query.Subscriptions = func(child int, first *int, _ *string, last *int, _ *string, _ *model.BillingSubscriptionFilter) int {
		return listCost(child, first, last)
	}
	c.Query.Operations = func(child int, first *int, _ *string, last *int, _ *string, _ *model.OperationFilter) int {
		return listCost(child, first, last)
	}
	c.Query.Notifications = func(child int, first *int, _ *string, last *int, _ *string, _ *model.NotificationFilter) int {
		return listCost(child, first, last)
	}
	c.Query.Approvals = func(child int, first *int, _ *string, last *int, _ *string, _ *model.ApprovalFilter) int {
		return listCost(child, first, last)
	}
	c.Query.Customers = func(child int, first *int, _ *string, last *int, _ *string, _ *model.CustomerFilter) int {
		return listCost(child, first, last)
	}
	c.Query.Checkouts = func(child int, first *int, _ *string, last *int, _ *string, _ *model.CheckoutFilter) int {
		return listCost(child, first, last)
	}
	c.Query.InboundEvents = func(child int, first *int, _ *string, last *int, _ *string, _ *model.InboundEventFilter) int {
		return listCost(child, first, last)
	}
	c.Query.AuditLog = func(child int, first *int, _ *string, last *int, _ *string, _ *model.AuditFilter) int {
		return listCost(child, first, last)
	}
}

func listCost(child int, first, last *int) int {
	if last != nil {
		first = last
	}
	return 2*readCost + itemsOf(first)*child
}

func mutationCosts(c *generated.ComplexityRoot) {
	c.Mutation.NotificationRedeliver = func(child int, _ model.NotificationRedeliverInput) int { return readCost + child }
	c.Mutation.RefundCreate = func(child int, _ model.RefundCreateInput) int { return readCost + child }
	c.Mutation.ApprovalApprove = func(child int, _ model.ApprovalApproveInput) int { return readCost + child }
	c.Mutation.ApprovalReject = func(child int, _ model.ApprovalRejectInput) int { return readCost + child }
	c.Mutation.DisputeEvidenceSubmit = func(child int, _ model.DisputeEvidenceSubmitInput) int { return readCost + child }
	c.Mutation.DisputeAccept = func(child int, _ model.DisputeAcceptInput) int { return readCost + child }
	c.Mutation.SubscriptionPause = func(child int, _ model.SubscriptionPauseInput) int { return readCost + child }
	c.Mutation.SubscriptionResume = func(child int, _ model.SubscriptionResumeInput) int { return readCost + child }
	c.Mutation.SubscriptionCancel = func(child int, _ model.SubscriptionCancelInput) int { return readCost + child }
	c.Mutation.PaymentCapture = func(child int, _ model.PaymentCaptureInput) int { return readCost + child }
	c.Mutation.PaymentCancel = func(child int, _ model.PaymentCancelInput) int { return readCost + child }
	c.Mutation.PaymentReviewResolve = func(child int, _ model.PaymentReviewResolveInput) int { return readCost + child }
	c.Mutation.NoteAdd = func(child int, _ model.NoteAddInput) int { return readCost + child }
	c.Mutation.EventReplay = func(child int, _ model.EventReplayInput) int { return readCost + child }
	c.Mutation.DisputeAssign = func(child int, _ model.DisputeAssignInput) int { return readCost + child }
	c.Mutation.DisputeEvidenceSave = func(child int, _ model.DisputeEvidenceSaveInput) int { return readCost + child }
	c.Mutation.SubscriptionChange = func(child int, _ model.SubscriptionChangeInput) int { return readCost + child }
	c.Mutation.ExportCreate = func(child int, _ model.ExportCreateInput) int { return readCost + child }
	c.Mutation.OperationConfirmDone = func(child int, _ model.OperationConfirmDoneInput) int { return readCost + child }
	c.Mutation.OperationConfirmNotDone = func(child int, _ model.OperationConfirmNotDoneInput) int { return readCost + child }
	c.Mutation.PaymentSync = func(child int, _ model.PaymentSyncInput) int { return readCost + child }
}

// itemsOf is how many items a list can give. One that is out of range is refused later.
func itemsOf(asked *int) int {
	if asked == nil {
		return pageItemsDefault
	}
	return min(max(*asked, 1), core.PageItemsMax)
}
