package graph_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var allRoles = []core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance, core.RoleAdmin}

// roleOf is the role that a field asks for itself; empty for none.
func roleOf(directives ast.DirectiveList) core.Role {
	if rule := directives.ForName("requires"); rule != nil {
		return core.Role(rule.Arguments.ForName("role").Value.Raw)
	}
	return ""
}

// objects are the types that have fields to see, by name.
func objects() (all []*ast.Definition) {
	for _, kind := range schema().Types {
		if kind.Kind == ast.Object && !kind.BuiltIn && !strings.HasPrefix(kind.Name, "__") {
			all = append(all, kind)
		}
	}
	slices.SortFunc(all, func(a, b *ast.Definition) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Who may see each field, and what is hidden from whom, stands in one file: a new field fails here until
// somebody has said it, and a changed rule is seen in review.
func TestEveryFieldHasItsRoleWrittenDown(t *testing.T) {
	t.Parallel()
	var rules bytes.Buffer
	write := func(owner string, field string, directives ast.DirectiveList) {
		rule := cmp.Or(string(roleOf(directives)), "as its owner")
		if directives.ForName("personal") != nil {
			rule += ", masked for VIEWER"
		}
		fmt.Fprintf(&rules, "%s.%s: %s\n", owner, field, rule)
	}
	for _, kind := range objects() {
		for _, field := range kind.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				write(kind.Name, field.Name, field.Directives)
			}
		}
	}
	for _, kind := range slices.SortedFunc(maps.Values(schema().Types), func(a, b *ast.Definition) int { return cmp.Compare(a.Name, b.Name) }) {
		for _, field := range kind.Fields {
			if kind.Kind == ast.InputObject && len(field.Directives) > 0 {
				write(kind.Name, field.Name, field.Directives)
			}
		}
	}
	golden := filepath.Join("testdata", "roles.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, rules.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), rules.String(), "say who may see it, then run go test ./graph -update")
}

// way is how a query comes to a type, and the role that it takes.
type way struct {
	steps []string
	role  core.Role
}

func (w way) to(field *ast.FieldDefinition, step string) way {
	next := way{steps: append(slices.Clone(w.steps), step), role: w.role}
	if role := roleOf(field.Directives); w.role == "" || role.Includes(w.role) {
		next.role = role
	}
	return next
}

func (w way) query(last string) string {
	return "{ " + strings.Join(append(slices.Clone(w.steps), last), " { ") + strings.Repeat(" }", len(w.steps)+1)
}

// walk finds a short way to every type, by fields whose arguments can be given.
type walk struct {
	ids  map[string]string // by the field that takes it
	ways map[string]way
}

// call is a field with the arguments that it must have.
func (w walk) call(t *testing.T, owner string, field *ast.FieldDefinition) string {
	t.Helper()
	var arguments []string
	for _, argument := range field.Arguments {
		if argument.Type.NonNull && argument.DefaultValue == nil {
			arguments = append(arguments, argument.Name+": "+w.literal(t, owner+"."+field.Name+"."+argument.Name, argument.Type, 0))
		} else if argument.Name == "first" {
			arguments = append(arguments, "first: 20")
		}
	}
	if len(arguments) == 0 {
		return field.Name
	}
	return field.Name + "(" + strings.Join(arguments, ", ") + ")"
}

// literal is a value of a type: a try without effect, where the type knows one.
func (w walk) literal(t *testing.T, field string, kind *ast.Type, depth int) string {
	t.Helper()
	const depthMax = 5
	require.Less(t, depth, depthMax, field)
	if kind.Elem != nil {
		return "[" + w.literal(t, field, kind.Elem, depth+1) + "]"
	}
	definition := schema().Types[kind.Name()]
	switch definition.Kind {
	case ast.Enum:
		return definition.EnumValues[0].Name
	case ast.InputObject:
		var fields []string
		for _, one := range definition.Fields {
			if one.Name == "dryRun" {
				fields = append(fields, "dryRun: true")
			} else if one.Type.NonNull && one.DefaultValue == nil {
				fields = append(fields, one.Name+": "+w.literal(t, field, one.Type, depth+1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	default: // a scalar
	}
	switch kind.Name() {
	case "Int", "Int64", "Float":
		return "1"
	case "Boolean":
		return "true"
	case "DateTime":
		if strings.HasSuffix(field, ".to") {
			return `"2026-03-02T00:00:00Z"`
		}
		return `"2026-03-01T00:00:00Z"`
	case "ID":
		return `"` + cmp.Or(w.ids[field], w.ids[""]) + `"`
	case "Currency":
		return `"USD"`
	case "String":
		return `"order-1"`
	}
	t.Fatalf("%s takes a %s: say here what the walk is to send", field, kind)
	return ""
}

// find goes through the schema, breadth first; by what finds one thing, or nothing, only where nothing
// else leads to a type.
func (w walk) find(t *testing.T) {
	t.Helper()
	w.ways["Query"] = way{}
	poor := []string{"Query.node", "Query.nodes", "Query.search", "InboundEvent.outcomes"}
	w.findBy(t, func(field string) bool { return !slices.Contains(poor, field) })
	w.findBy(t, func(string) bool { return true })
}

func (w walk) findBy(t *testing.T, may func(field string) bool) {
	t.Helper()
	for waiting := []string{"Query"}; len(waiting) > 0; waiting = waiting[1:] {
		kind := schema().Types[waiting[0]]
		for _, field := range kind.Fields {
			below := schema().Types[field.Type.Name()]
			if strings.HasPrefix(field.Name, "__") || !below.IsCompositeType() || !may(kind.Name+"."+field.Name) {
				continue
			}
			next := w.ways[kind.Name].to(field, w.call(t, kind.Name, field))
			for _, possible := range schema().GetPossibleTypes(below) {
				to := next
				if below.IsAbstractType() {
					to.steps = append(slices.Clone(next.steps), "... on "+possible.Name)
				}
				if _, known := w.ways[possible.Name]; !known {
					w.ways[possible.Name] = to
					waiting = append(waiting, possible.Name)
				}
			}
		}
	}
}

// peopled is a house in which there is something personal to be hidden.
func peopled(t *testing.T) (*house, walk) {
	t.Helper()
	h := newHouse(t, core.EnvTest)
	customer := h.newCustomer(t, "ada@shop.example")
	payment := h.newPayment(t, h.newCheckout(t, func(c *core.Checkout) { c.Buyer.Customer = customer.ID }), epoch)
	h.newOperation(t, payment, epoch)
	told(t, h)
	dispute := core.Dispute{
		ID: newID[core.DisputeID](), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider, ProviderDisputeID: "dp_1",
		Status: core.DisputeNeedsResponse, ForeignStatus: "needs_response", Reason: core.DisputeFraudulent, Amount: usd(t, 100), CanSubmit: true, Owner: h.staff[core.RoleFinance].ID,
		Withdrawn: usd(t, 100), Reinstated: usd(t, 0), Environment: core.EnvTest, OpenedAt: epoch, CreatedAt: epoch, UpdatedAt: epoch,
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.InsertDispute(ctx, dispute); err != nil {
			return err
		}
		if _, err := tx.SaveEvidence(ctx, core.Evidence{Dispute: dispute.ID, Texts: map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada Buyer"}, UpdatedAt: epoch}); err != nil {
			return err
		}
		file := core.EvidenceFile{
			ID: newID[core.FileID](), Dispute: dispute.ID, Field: core.EvidenceReceipt, Name: "ada-buyer.png", ContentType: "image/png", Size: 1,
			SHA256: strings.Repeat("a", 64), CreatedAt: epoch,
		}
		return tx.PutEvidenceFile(ctx, file, []byte("x"))
	})
	noted := h.get(t, core.RoleSupport, `mutation($id: ID!) { noteAdd(input: {paymentId: $id, text: "Ada Buyer called"}) { userErrors { code } } }`, map[string]any{"id": payment.ID})
	require.Empty(t, noted.at(t, "noteAdd.userErrors"))
	found := walk{ids: map[string]string{"": string(payment.ID), "Query.customer.id": string(customer.ID)}, ways: map[string]way{}}
	found.find(t)
	return h, found
}

// Every field is asked for by every role: who may not is told so, and who may is not.
func TestEveryFieldIsWalkedByEveryRole(t *testing.T) {
	t.Parallel()
	h, found := peopled(t)
	var unseen []string
	for _, kind := range objects() {
		if kind == schema().Mutation || kind == schema().Subscription {
			continue
		}
		at, reached := found.ways[kind.Name]
		for _, field := range kind.Fields {
			if strings.HasPrefix(field.Name, "__") || !reached {
				continue
			}
			last := found.call(t, kind.Name, field)
			if schema().Types[field.Type.Name()].IsCompositeType() {
				last += " { __typename }"
			}
			query, needed := at.query("walked: "+last), at.to(field, "").role
			seen := 0
			for _, role := range allRoles {
				got := h.ask(t, role, query, nil)
				require.Equal(t, http.StatusOK, got.Status, "%s as %s: %s", query, role, got.Body)
				require.Equal(t, !role.Includes(needed), hasCode(got, "FORBIDDEN"), "%s.%s as %s: %s", kind.Name, field.Name, role, got.Body)
				require.True(t, len(got.Errors) == 0 || !role.Includes(needed), "%s: %s", query, got.Body)
				if field.Directives.ForName("personal") == nil {
					continue
				}
				for _, value := range walked(got.Data) {
					seen++
					require.Equal(t, role == core.RoleViewer, strings.Contains(fmt.Sprint(value), "***"), "%s.%s as %s: %v", kind.Name, field.Name, role, value)
				}
			}
			if field.Directives.ForName("personal") != nil && seen < len(allRoles) {
				unseen = append(unseen, kind.Name+"."+field.Name)
			}
		}
	}
	require.Empty(t, unseen, "personal, but nothing was there to be hidden: put it into the house")
}

// walked are the values of the field that was asked for, wherever they lie.
func walked(data any) (values []any) {
	switch data := data.(type) {
	case []any:
		for _, one := range data {
			values = append(values, walked(one)...)
		}
	case map[string]any:
		for name, one := range data {
			if name == "walked" && one != nil {
				values = append(values, one)
			} else {
				values = append(values, walked(one)...)
			}
		}
	}
	return values
}

func hasCode(got answer, code string) bool {
	for _, one := range got.Errors {
		if one.Extensions["code"] == code {
			return true
		}
	}
	return false
}

// Only these types are on no way from Query: they come back from mutations and subscriptions.
func TestTheWalkComesToEveryType(t *testing.T) {
	t.Parallel()
	_, found := peopled(t)
	for _, kind := range objects() {
		_, reached := found.ways[kind.Name]
		require.True(t, reached || kind == schema().Mutation || kind == schema().Subscription || strings.HasSuffix(kind.Name, "Payload") || strings.HasSuffix(kind.Name, "Preview") || offTheWay[kind.Name],
			"%s is on no way from Query", kind.Name)
	}
}

// offTheWay are parts of payloads.
var offTheWay = map[string]bool{"UserError": true, "Export": true}

// Every mutation is tried by every role. Where it is refused, the refusal is all that is left of it.
func TestEveryMutationIsTriedByEveryRole(t *testing.T) {
	t.Parallel()
	h, found := peopled(t)
	for _, field := range schema().Mutation.Fields {
		needed := roleOf(field.Directives)
		query := "mutation { " + found.call(t, "Mutation", field) + " { __typename } }"
		for _, role := range allRoles {
			before := h.lines(t)
			got := h.ask(t, role, query, nil)
			require.Equal(t, !role.Includes(needed), hasCode(got, "FORBIDDEN"), "%s as %s: %s", field.Name, role, got.Body)
			if role.Includes(needed) {
				continue
			}
			require.Nil(t, got.Data[field.Name], field.Name)
			after := h.lines(t)
			require.Len(t, after, len(before)+1, "%s as %s", field.Name, role)
			last := after[len(after)-1]
			require.Equal(t, [3]string{"forbidden", "Mutation." + field.Name, string(h.staff[role].ID)}, [3]string{last.Action, last.Subject, last.Actor})
		}
	}
}

// lines are those of the audit log.
func (h *house) lines(t *testing.T) []core.AuditEntry {
	t.Helper()
	const entriesMax = 100
	var all []core.AuditEntry
	for {
		after := int64(0)
		if len(all) > 0 {
			after = all[len(all)-1].Sequence
		}
		page, err := h.store.AuditLog(t.Context(), after, entriesMax)
		require.NoError(t, err)
		if all = append(all, page...); len(page) < entriesMax {
			return all
		}
	}
}

// Who may not see an email does not learn it by asking whose it is.
func TestAViewerConfirmsNoEmail(t *testing.T) {
	t.Parallel()
	h, _ := peopled(t)
	const email = "ada@shop.example"
	for _, query := range []string{
		`{ payments(filter: {customerEmail: "` + email + `"}) { totalCount } }`,
		`{ customers(filter: {email: "` + email + `"}) { nodes { id } } }`,
		`{ checkouts(filter: {email: "` + email + `"}) { nodes { id } } }`,
		`query($filter: CustomerFilter) { customers(filter: $filter) { nodes { id } } }`,
	} {
		variables := map[string]any{"filter": map[string]any{"email": email}}
		require.Equal(t, "FORBIDDEN", h.ask(t, core.RoleViewer, query, variables).code(t), query)
		require.Empty(t, h.ask(t, core.RoleSupport, query, variables).Errors, query)
	}
	require.Empty(t, h.ask(t, core.RoleViewer, `{ customers(filter: {email: null}) { nodes { id } } }`, nil).Errors, "nothing was asked")
	const search = `{ search(text: "` + email + `") { __typename } }`
	require.Empty(t, h.get(t, core.RoleViewer, search, nil).at(t, "search"))
	require.NotEmpty(t, h.get(t, core.RoleSupport, search, nil).at(t, "search"))
	require.NotEmpty(t, h.get(t, core.RoleViewer, `{ search(text: "order-1") { __typename } }`, nil).at(t, "search"))
}
