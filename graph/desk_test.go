package graph_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/onetime"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/graph"
	"github.com/paydesk/paydesk/ports"
)

// approvalAbove is the refund that needs no second person.
const approvalAbove = 500

// desk is the admin API over all services, with a provider in memory and a clock moved by hand.
type desk struct {
	*house

	world  *coretest.House
	keeper *access.Service
}

func newDesk(t *testing.T, store *bunrepo.Store) *desk {
	t.Helper()
	world := coretest.New(t, store)
	d := &desk{house: &house{store: &countingStore{Store: store}, logs: &coretest.Buffer{}, staff: map[core.Role]core.Staff{}}, world: world}
	keeper := access.New(world.Store, world.Clock, world.IDs, plainPasswords{}, onetime.Codes{}, noTraces{}, core.EnvTest)
	for _, role := range []core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance, core.RoleAdmin} {
		staff, _, err := keeper.AddStaff(t.Context(), access.NewStaff{
			Email: strings.ToLower(string(role)) + "@shop.example", Password: "long enough", Role: role, Token: tokenOf(role),
		}, "test")
		require.NoError(t, err)
		d.staff[role] = staff
	}
	handler, err := graph.NewHandler(graph.Options{
		Payments: world.Payments, Refunds: world.Refunds, Disputes: world.Disputes, Subscriptions: world.Subscriptions, ApprovalAbove: core.RefundLimits{Each: map[core.Currency]int64{"EUR": approvalAbove}}, Store: world.Store, Access: keeper, Notify: world.Notify, Inbox: world.Inbox, Repair: world.Repair, Sealer: seal.Plain(), Environment: core.EnvTest,
		Health: health.New(world.Store, ports.Providers{}, nil, world.Clock, world.Clock), Idempotency: idempotency.New(world.Store, world.Clock),
		Logger: slog.New(slog.NewTextHandler(d.logs, nil)), Session: func(r *http.Request) string { return r.Header.Get("Session") },
	})
	require.NoError(t, err)
	d.handler, d.keeper = handler, keeper
	return d
}

// eachDesk runs a test on both databases.
func eachDesk(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newDesk(t, repotest.SQLite(t)))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newDesk(t, repotest.Postgres(t)))
	})
}

// mutate sends one mutation that takes an input and gives what its payload's fields are.
func (d *desk) mutate(t *testing.T, role core.Role, name, fields string, input map[string]any) answer {
	t.Helper()
	kind := strings.ToUpper(name[:1]) + name[1:] + "Input"
	return d.ask(t, role, "mutation($input: "+kind+"!) { "+name+"(input: $input) { "+fields+" userErrors { field message code } } }", map[string]any{"input": input})
}

// done is mutate for one that must do what it is asked.
func (d *desk) done(t *testing.T, role core.Role, name, fields string, input map[string]any) answer {
	t.Helper()
	got := d.mutate(t, role, name, fields, input)
	require.Empty(t, got.Errors, got.Body)
	require.Empty(t, got.at(t, name+".userErrors"), got.Body)
	return got
}

// refused is the code of the only user error of a mutation that does nothing.
func (d *desk) refused(t *testing.T, role core.Role, name string, input map[string]any) string {
	t.Helper()
	before := len(d.audit(t))
	got := d.mutate(t, role, name, "", input)
	require.Empty(t, got.Errors, got.Body)
	require.Len(t, got.at(t, name+".userErrors"), 1, got.Body)
	require.Len(t, d.audit(t), before, "what did nothing leaves no line")
	code, _ := got.at(t, name+".userErrors.0.code").(string)
	return code
}

func (d *desk) audit(t *testing.T) []core.AuditEntry {
	t.Helper()
	const entriesMax = 100
	all, err := d.world.Store.AuditLog(t.Context(), 0, entriesMax)
	require.NoError(t, err)
	return all
}
