package app_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/paydesk/paydesk"

// border says what packages below one path may import of this module. The longest path
// that fits a package decides.
type border struct {
	path string
	may  []string // exact, or with all below where it ends in /...
	std  []string // what of the standard library it must not import; a prefix
}

// borders is the table in CONTRIBUTING.md. The linter holds the same while one types.
var borders = []border{
	{path: "core", std: []string{"context", "database/", "log", "net", "os"}},
	{path: "core/view", may: []string{"core"}, std: []string{"database/", "net", "os"}},
	{path: "core/record", may: []string{"core", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/access", may: []string{"core", "core/record", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/audit", may: []string{"core", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/coretest", may: []string{"core", "core/...", "ports", "ports/portstest"}},
	{path: "core/idempotency", may: []string{"core", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/notify", may: []string{"core", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/observe", may: []string{"core/...", "core", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/reconcile", may: []string{"core", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/health", may: []string{"core", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/check", may: []string{"core"}, std: []string{"database/", "net", "os"}},
	{path: "core/repair", may: []string{"core", "core/calls", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/calls", may: []string{"core", "core/record", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/customers", may: []string{"core", "core/calls", "core/check", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/disputes", may: []string{"core", "core/calls", "core/check", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/refunds", may: []string{"core", "core/calls", "core/check", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/subscriptions", may: []string{"core", "core/calls", "core/check", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "core/payments", may: []string{"core", "core/calls", "core/check", "core/record", "core/view", "ports"}, std: []string{"database/", "net/http", "os"}},
	{path: "ports", may: []string{"core"}, std: []string{"database/", "os"}},
	{path: "ports/portstest", may: []string{"core", "core/view", "ports"}},
	{path: "migrations", may: nil},
	{path: "adapters/bunrepo", may: []string{"core", "core/view", "ports", "migrations", "adapters/bunrepo/..."}},
	{path: "adapters/bunrepo/repotest", may: []string{"core", "ports", "adapters/bunrepo", "adapters/seal", "adapters/system"}},
	{path: "adapters/guard", may: []string{"core", "ports"}},
	{path: "adapters/journal", may: []string{"core", "ports", "adapters/journal/..."}},
	{path: "adapters/notifier", may: []string{"core", "ports"}},
	{path: "adapters/onetime", may: []string{"core", "ports"}},
	{path: "adapters/passwords", may: []string{"core", "ports"}},
	{path: "adapters/seal", may: []string{"core", "ports"}},
	{path: "adapters/outbound", may: []string{"core"}},
	{path: "adapters/paypal", may: []string{"core", "ports", "adapters/outbound"}},
	{path: "adapters/square", may: []string{"core", "ports", "adapters/outbound"}},
	{path: "adapters/stripe", may: []string{"core", "ports", "adapters/outbound"}},
	{path: "adapters/system", may: []string{"core", "ports"}},
	{path: "adapters/telemetry", may: []string{"core", "ports"}},
	{path: "adapters/simulator", may: []string{"adapters/simulator/..."}},
	{path: "adapters/httpedge", may: nil},
	{path: "adapters/httpapi", may: []string{"core", "core/...", "ports", "adapters/httpedge"}},
	{path: "adapters/web", may: []string{"core", "core/...", "ports", "adapters/httpedge", "adapters/web/..."}},
	{path: "adapters/webhook", may: []string{"core", "core/...", "ports"}},
	{path: "graph", may: []string{"core", "core/...", "ports", "graph/..."}},
	{path: "app", may: []string{"core", "core/...", "ports", "migrations", "adapters/...", "graph", "graph/..."}},
	{path: "app/apptest", may: nil},
	{path: "app/conformance", may: nil},
	{path: "app/cli", may: []string{"app", "core", "core/...", "ports", "migrations", "adapters/..."}},
	{path: "internal", may: []string{"app", "migrations", "core", "core/...", "ports", "graph", "internal/..."}},
	{path: "", may: []string{"app", "app/cli", "core", "core/...", "ports", "adapters/...", "graph"}},
}

// imports gives each package of the module with what it imports, tests apart.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	packages := make(map[string][]string)
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...") {
		fields := strings.Fields(line)
		packages[fields[0]] = fields[1:]
	}
	return packages
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	var problems bytes.Buffer
	command := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	command.Stderr = &problems
	out, err := command.Output()
	require.NoError(t, err, problems.String())
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestPackagesKeepTheirBorders(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	for name, imported := range imports(t) {
		path := strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
		rule, ok := borderOf(path)
		require.True(t, ok, "%s has no border: add it to the table", path)
		used[rule.path] = true
		for _, other := range imported {
			if own, ok := strings.CutPrefix(other, module+"/"); ok {
				require.True(t, allowed(rule, path, own), "%s must not import %s", path, own)
				continue
			}
			for _, denied := range rule.std {
				require.False(t, other == denied || strings.HasPrefix(other, strings.TrimSuffix(denied, "/")+"/"), "%s must not import %s", path, other)
			}
			if path == "core" {
				require.NotContains(t, strings.Split(other, "/")[0], ".", "core imports the standard library alone")
			}
		}
	}
	for _, rule := range borders {
		require.True(t, used[rule.path], "nothing lives below %q any more", rule.path)
	}
}

func borderOf(path string) (found border, ok bool) {
	for _, rule := range borders {
		fits := path == rule.path || rule.path != "" && strings.HasPrefix(path, rule.path+"/")
		if fits && (!ok || len(rule.path) > len(found.path)) {
			found, ok = rule, true
		}
	}
	return found, ok
}

func allowed(rule border, path, other string) bool {
	if rule.path != "" && strings.HasPrefix(other, path+"/") { // what is inside a package's own folder
		return true
	}
	for _, may := range rule.may {
		below, all := strings.CutSuffix(may, "/...")
		if other == may || all && strings.HasPrefix(other, below+"/") {
			return true
		}
	}
	return false
}

// A helper that pulls a test framework into everyone's binary is found here.
func TestTheProgramHoldsNoTestCode(t *testing.T) {
	t.Parallel()
	for _, dependency := range goList(t, "-deps", module) {
		for _, stranger := range []string{"testing", module + "/ports/portstest", module + "/app/apptest", module + "/core/coretest", module + "/adapters/bunrepo/repotest"} {
			require.NotEqual(t, stranger, dependency)
		}
		for _, stranger := range []string{"github.com/stretchr/testify", "github.com/chromedp/", "pgregory.net/rapid"} {
			require.False(t, strings.HasPrefix(dependency, stranger), dependency)
		}
	}
}
