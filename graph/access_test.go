package graph_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
)

const buyerQuery = `query($id: ID!) { payment(id: $id) { metadata checkout { metadata buyer { email name } lineItems { name } } } }`

func TestViewer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	for role, staff := range h.staff {
		got := h.get(t, role, `{ viewer { id email role createdAt disabledAt } }`, nil)
		require.Equal(t, map[string]any{
			"id": string(staff.ID), "email": staff.Email, "role": string(role),
			"createdAt": "2026-03-03T12:00:00.000000Z", "disabledAt": nil,
		}, got.at(t, "viewer"))
	}
}

func TestNobodyWithoutAToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	keeper := accessOf(h)
	left, gone, err := keeper.AddStaff(t.Context(), access.NewStaff{Email: "gone@shop.example", Password: "long enough", Role: core.RoleAdmin, WithToken: true}, "test")
	require.NoError(t, err)
	require.NoError(t, keeper.DisableStaff(t.Context(), left.ID, "test"))
	for name, headers := range map[string][]string{
		"none":     nil,
		"empty":    {""},
		"basic":    {"Basic " + tokenOf(core.RoleAdmin)},
		"no token": {"Bearer "},
		"unknown":  {"Bearer something"},
		"disabled": {"Bearer " + gone.Token},
		"two":      {"Bearer " + tokenOf(core.RoleAdmin), "Bearer " + tokenOf(core.RoleAdmin)},
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/graphql?query={viewer{id}}", http.NoBody)
			r.Header["Authorization"] = headers
			got := h.do(t, r)
			require.Equal(t, http.StatusUnauthorized, got.Status, name)
			require.Equal(t, "UNAUTHENTICATED", got.code(t), name)
			require.Equal(t, `Bearer realm="paydesk"`, got.Header.Get("WWW-Authenticate"))
			require.NotContains(t, got.Body, "data")
		}
	}
}

func TestPersonalDataIsMaskedForAViewer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	variables := map[string]any{"id": h.newPayment(t, h.newCheckout(t), epoch).ID}
	shown := `{"data":{"payment":{"metadata":{"phone":"555-0100"},"checkout":{"metadata":{"phone":"555-0100"},
		"buyer":{"email":"jo@buyer.example","name":"Jo Buyer"},"lineItems":[{"name":"Tea"}]}}}}`
	hidden := `{"data":{"payment":{"metadata":{"phone":"***"},"checkout":{"metadata":{"phone":"***"},
		"buyer":{"email":"***","name":"***"},"lineItems":[{"name":"Tea"}]}}}}`
	require.JSONEq(t, hidden, h.get(t, core.RoleViewer, buyerQuery, variables).Body)
	for _, role := range []core.Role{core.RoleSupport, core.RoleFinance, core.RoleAdmin} {
		require.JSONEq(t, shown, h.get(t, role, buyerQuery, variables).Body, role)
	}
	unknown := h.newCheckout(t, func(c *core.Checkout) { c.Buyer = core.Buyer{} })
	variables["id"] = h.newPayment(t, unknown, epoch).ID
	require.Equal(t, map[string]any{"email": nil, "name": nil}, h.get(t, core.RoleViewer, buyerQuery, variables).at(t, "payment.checkout.buyer"))
}

func TestForbiddenIsAnErrorAndAnAuditRow(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	const query = `query($id: ID!) { node(id: $id) { id } again: node(id: $id) { id } viewer { id } }`
	for _, role := range []core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance} {
		got := h.ask(t, role, query, map[string]any{"id": h.staff[core.RoleAdmin].ID})
		require.Equal(t, http.StatusOK, got.Status)
		require.Len(t, got.Errors, 2)
		require.Equal(t, "FORBIDDEN", got.Errors[0].Extensions["code"])
		require.Nil(t, got.at(t, "node"))
		require.Equal(t, string(h.staff[role].ID), got.at(t, "viewer.id"))
	}
	denials := h.denials(t)
	require.Len(t, denials, 3, "one for each request")
	require.Equal(t, string(h.staff[core.RoleViewer].ID), denials[0].Actor)
	require.Equal(t, "node:staff", denials[0].Subject)

	got := h.get(t, core.RoleAdmin, `query($id: ID!) { node(id: $id) { ... on Staff { email role } } }`, map[string]any{"id": h.staff[core.RoleViewer].ID})
	require.Equal(t, map[string]any{"email": "viewer@shop.example", "role": "VIEWER"}, got.at(t, "node"))
	require.Nil(t, h.get(t, core.RoleAdmin, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": newID[core.StaffID]()}).at(t, "node"))
	require.Len(t, h.denials(t), 3)
}

func TestRequiresDirective(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	// Somebody whose role is none may not even ask who they are.
	h.store.role = "NONE"
	got := h.ask(t, core.RoleViewer, `{ viewer { id } }`, nil)
	require.Equal(t, "FORBIDDEN", got.code(t))
	require.Equal(t, "Query.viewer", h.denials(t)[0].Subject)
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	queries := map[string]string{
		"schema":   `{ __schema { queryType { name } } }`,
		"type":     `{ viewer { id } __type(name: "Payment") { fields { name } } }`,
		"fragment": `{ ...F } fragment F on Query { ... on Query { s: __schema { types { name } } } }`,
	}
	t.Run("test", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, core.EnvTest)
		for name, query := range queries {
			require.Empty(t, h.ask(t, core.RoleViewer, query, nil).Errors, name)
		}
	})
	t.Run("live", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, core.EnvLive)
		for name, query := range queries {
			for _, role := range []core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance} {
				got := h.ask(t, role, query, nil)
				require.Equal(t, "FORBIDDEN", got.code(t), name)
				require.NotContains(t, got.Body, "queryType")
			}
			require.Empty(t, h.ask(t, core.RoleAdmin, query, nil).Errors, name)
		}
		require.Len(t, h.denials(t), 3*len(queries))
		require.Equal(t, "introspection", h.denials(t)[0].Subject)
		require.Empty(t, h.ask(t, core.RoleViewer, `{ viewer { __typename } }`, nil).Errors)
	})
}

func TestSuggestionsOnlyInTest(t *testing.T) {
	t.Parallel()
	queries := []string{
		`{ viewer { emai } }`, `{ payments(frst: 1) { edges { cursor } } }`,
		`{ payments(filter: {status: [FAILD]}) { edges { cursor } } }`, `{ payments(filter: {referenc: "a"}) { edges { cursor } } }`,
	}
	inTest, inLive := newHouse(t, core.EnvTest), newHouse(t, core.EnvLive)
	for _, query := range queries {
		require.Contains(t, inTest.ask(t, core.RoleViewer, query, nil).Body, "Did you mean", query)
		got := inLive.ask(t, core.RoleAdmin, query, nil)
		require.NotEmpty(t, got.Errors)
		require.NotContains(t, got.Body, "Did you mean", query)
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", got.Errors[0].Extensions["code"], query)
	}
}
