package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
)

// inSession asks with the token of a session, as a browser does.
func (d *desk) inSession(t *testing.T, token, query string, headers map[string]string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://desk.example/graphql", strings.NewReader(`{"query":"`+query+`"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Session", token)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return d.do(t, r)
}

func (d *desk) signedIn(t *testing.T, role core.Role) string {
	t.Helper()
	_, token, err := d.keeper.SignIn(t.Context(), access.SignIn{Email: d.staff[role].Email, Password: "long enough", From: "192.0.2.1", Agent: "Browser"})
	require.NoError(t, err)
	return token
}

func TestSessionsAreGoodForTheAdminAPI(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		const who = "{ viewer { role sessions { from agent } } }"
		token := d.signedIn(t, core.RoleSupport)
		got := d.inSession(t, token, who, nil)
		require.Equal(t, "SUPPORT", got.at(t, "viewer.role"))
		require.Equal(t, []any{map[string]any{"from": "192.0.2.1", "agent": "Browser"}}, got.at(t, "viewer.sessions"))
		got = d.inSession(t, token, who, map[string]string{"Authorization": "Bearer nobody's"})
		require.Equal(t, http.StatusUnauthorized, got.Status, "what is said is not overlooked for what the browser adds")
		for _, stale := range []string{"nobody's", "x"} {
			require.Equal(t, "UNAUTHENTICATED", d.inSession(t, stale, who, nil).code(t))
		}
		for name, headers := range map[string]map[string]string{
			"another site":           {"Sec-Fetch-Site": "cross-site"},
			"another host's":         {"Origin": "https://evil.example"},
			"a host beside ours":     {"Sec-Fetch-Site": "same-site"},
			"no place that has one":  {"Origin": "null"},
			"our name, another port": {"Origin": "http://desk.example:8080"},
		} {
			got := d.inSession(t, token, "mutation { sessionsRevoke(input: {}) { userErrors { code } } }", headers)
			require.Equal(t, http.StatusForbidden, got.Status, name)
			require.Equal(t, "CROSS_SITE_REFUSED", got.code(t), name)
		}
		require.Empty(t, d.inSession(t, token, who, map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://desk.example"}).Errors)

		// A change of role counts from the next request on.
		d.done(t, core.RoleAdmin, "staffSetRole", "staff { role }", map[string]any{"staffId": d.staff[core.RoleSupport].ID, "role": "VIEWER"})
		require.Equal(t, "VIEWER", d.inSession(t, token, who, nil).at(t, "viewer.role"))
		d.done(t, core.RoleAdmin, "sessionsRevoke", "staff { id }", map[string]any{"staffId": d.staff[core.RoleSupport].ID})
		require.Equal(t, "UNAUTHENTICATED", d.inSession(t, token, who, nil).code(t))
	})
}

func TestStaffAndKeys(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := map[string]any{"email": "Grace@Shop.example", "role": "SUPPORT", "withToken": true, "idempotencyKey": "one"}
		got := d.done(t, core.RoleAdmin, "staffAdd", "staff { id email role hasToken asksForCode disabledAt } password token", input)
		token, _ := got.at(t, "staffAdd.token").(string)
		password, _ := got.at(t, "staffAdd.password").(string)
		require.NotEmpty(t, token)
		added, ok := got.at(t, "staffAdd.staff").(map[string]any)
		require.True(t, ok)
		id := added["id"]
		require.Equal(t, map[string]any{"id": id, "email": "grace@shop.example", "role": "SUPPORT", "hasToken": true, "asksForCode": false, "disabledAt": nil}, added)
		again := d.done(t, core.RoleAdmin, "staffAdd", "staff { id } password token", input)
		require.Equal(t, map[string]any{"staff": map[string]any{"id": id}, "password": nil, "token": nil, "userErrors": []any{}}, again.at(t, "staffAdd"), "secrets are shown once")
		_, _, err := d.keeper.SignIn(t.Context(), access.SignIn{Email: "grace@shop.example", Password: password, From: "192.0.2.1"})
		require.NoError(t, err)

		refused := func(name string, input map[string]any) any {
			t.Helper()
			got := d.mutate(t, core.RoleAdmin, name, "", input)
			require.Empty(t, got.Errors, got.Body)
			return got.at(t, name+".userErrors.0.code")
		}
		self := d.staff[core.RoleAdmin].ID
		require.Equal(t, "ALREADY_EXISTS", refused("staffAdd", map[string]any{"email": "grace@shop.example", "role": "ADMIN"}))
		require.Equal(t, "ALREADY_EXISTS", refused("staffAdd", map[string]any{"email": "grace@shop.example", "role": "ADMIN", "dryRun": true}))
		require.Equal(t, "INVALID_REQUEST", refused("staffAdd", map[string]any{"email": "nobody", "role": "ADMIN"}))
		require.Equal(t, "OWN_ACCOUNT", refused("staffSetRole", map[string]any{"staffId": self, "role": "VIEWER"}))
		require.Equal(t, "OWN_ACCOUNT", refused("staffDisable", map[string]any{"staffId": self}))
		require.Equal(t, "NOT_FOUND", refused("staffDisable", map[string]any{"staffId": newID[core.StaffID]()}))
		require.Equal(t, "INVALID_REQUEST", refused("apiKeyCreate", map[string]any{"name": " "}))
		require.Equal(t, "PASSWORD_WRONG", refused("passwordChange", map[string]any{"password": "x", "newPassword": "longer still"}))
		require.Equal(t, "CODE_WRONG", refused("codesConfirm", map[string]any{"code": "123456"}))
		for range 5 {
			refused("codesBegin", map[string]any{"password": "x"})
		}
		require.Equal(t, "LOCKED", refused("codesBegin", map[string]any{"password": "long enough"}))

		d.done(t, core.RoleAdmin, "staffDisable", "staff { disabledAt }", map[string]any{"staffId": id})
		all := d.get(t, core.RoleAdmin, `{ staff { email disabledAt sessions { id } } apiKeys { id } }`, nil)
		first, ok := all.at(t, "staff.0").(map[string]any)
		require.True(t, ok)
		require.NotNil(t, first["disabledAt"])
		require.Empty(t, first["sessions"], "who is disabled has none")

		made := d.done(t, core.RoleAdmin, "apiKeyCreate", "secret apiKey { id name hint revokedAt }", map[string]any{"name": "shop"})
		secret, _ := made.at(t, "apiKeyCreate.secret").(string)
		_, err = d.keeper.APIKey(t.Context(), secret)
		require.NoError(t, err)
		d.done(t, core.RoleAdmin, "apiKeyRevoke", "apiKey { revokedAt }", map[string]any{"apiKeyId": made.at(t, "apiKeyCreate.apiKey.id")})
		_, err = d.keeper.APIKey(t.Context(), secret)
		require.ErrorIs(t, err, core.ErrUnauthenticated)
		for _, hidden := range []string{token, password, secret} {
			require.NotContains(t, d.logs.String(), hidden)
			for _, row := range d.audit(t) {
				require.NotContains(t, row.Before+row.After+row.Detail+row.Subject, hidden)
			}
		}
	})
}

// Others' sessions, and codes, are for an ADMIN to end.
func TestNobodyActsOnOthersAccounts(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		other := map[string]any{"staffId": d.staff[core.RoleViewer].ID}
		for _, role := range []core.Role{core.RoleSupport, core.RoleFinance} {
			for _, name := range []string{"sessionsRevoke", "codesRemove", "staffDisable"} {
				require.Equal(t, "FORBIDDEN", d.mutate(t, role, name, "", other).code(t))
			}
			got := d.ask(t, role, "{ staff { id } }", nil)
			require.Equal(t, "FORBIDDEN", got.code(t))
		}
		d.done(t, core.RoleAdmin, "codesRemove", "staff { asksForCode }", other)
	})
}
