package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// doctorCallTimeMax bounds each call to a provider.
const doctorCallTimeMax = 10 * time.Second

type doctorCommand struct {
	Live bool `help:"Hold a test configuration to the rules of live as well."`
	JSON bool `help:"Print one JSON object a line."`
}

// finding is one check and what came of it.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what is, or the mend
}

// Run checks everything it can reach and fails where one check does.
func (c *doctorCommand) Run(ctx context.Context, r *run) error {
	config, err := r.config(nil)
	if err != nil {
		return err
	}
	findings := []finding{{"configuration", true, "PAYDESK_ENV=" + string(config.Environment)}}
	if c.Live {
		findings = append(findings, goLive(config)...)
	}
	schema := checkSchema(ctx, config)
	findings = append(findings, checkJournal(config), schema)
	findings = append(findings, r.checkProviders(ctx, config)...)
	if schema.OK {
		findings = append(findings, r.checkArrivals(ctx, config)...)
	}
	failed := false
	for _, f := range findings {
		failed = failed || !f.OK
		if c.JSON {
			if err := printJSON(r, f); err != nil {
				return err
			}
			continue
		}
		mark := "ok  "
		if !f.OK {
			mark = "FAIL"
		}
		r.printf("%s  %-14s %s\n", mark, f.Check, f.Detail)
	}
	if failed {
		return errShown
	}
	return nil
}

// goLive holds the configuration to what live asks for.
func goLive(config app.Config) []finding {
	rule := func(check string, ok bool, mend string) finding {
		if ok {
			mend = "as live needs it"
		}
		return finding{check, ok, mend}
	}
	return []finding{
		rule("environment", config.Environment == "live", "set PAYDESK_ENV=live"),
		rule("public URL", config.PublicURL.Secure(), "set PAYDESK_PUBLIC_URL to an https address"),
		rule("encryption", len(config.EncryptionKeys) > 0, "set PAYDESK_ENCRYPTION_KEYS; `paydesk keys encryption` makes a key"),
		rule("return origins", len(config.ReturnOrigins) > 0, "set PAYDESK_ALLOWED_RETURN_ORIGINS to your shop's origins"),
	}
}

func checkJournal(config app.Config) finding {
	dir, isSpool := strings.CutPrefix(config.Journal, "spool:")
	if !isSpool {
		return finding{"journal", true, "in the database"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return finding{"journal", false, "PAYDESK_JOURNAL: the folder cannot be made: " + err.Error()}
	}
	probe, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return finding{"journal", false, "PAYDESK_JOURNAL: the folder cannot be written to: " + err.Error()}
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return finding{"journal", false, "PAYDESK_JOURNAL: the folder cannot be written to: " + err.Error()}
	}
	return finding{"journal", true, "can be written"}
}

func checkSchema(ctx context.Context, config app.Config) finding {
	status, err := bunrepo.MigrationStatus(ctx, config.DatabaseURL)
	switch {
	case err != nil:
		return finding{"database", false, "PAYDESK_DATABASE_URL: " + err.Error()}
	case status.Version != status.Known:
		return finding{"database", false, fmt.Sprintf("schema %d, this program needs %d: run `paydesk migrate up`", status.Version, status.Known)}
	}
	return finding{"database", true, fmt.Sprintf("schema %d", status.Version)}
}

// checkProviders asks each account for something harmless.
func (r *run) checkProviders(ctx context.Context, config app.Config) []finding {
	providers, err := app.Providers(config)
	if err != nil {
		return []finding{{"providers", false, err.Error()}}
	}
	if len(providers) == 0 {
		return []finding{{"providers", false, "none is configured; set the variables of at least one, see docs/providers.md"}}
	}
	var findings []finding
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		findings = append(findings, checkProvider(ctx, providers[name])...)
		findings = append(findings, checkWebhook(ctx, providers[name], config.WebhookURL(config.Account(name)))...)
	}
	return findings
}

// noSuchPayment is an id that no provider has a payment of.
const noSuchPayment = "paydesk0doctor"

// checkProvider asks one account for a payment that there is not, which only good credentials
// are told, and for the payments of the last hour, which some accounts must be allowed to list.
func checkProvider(ctx context.Context, provider ports.Provider) []finding {
	account := "account " + string(provider.Account())
	asked, cancel := context.WithTimeout(ctx, doctorCallTimeMax)
	defer cancel()
	_, err := provider.GetPayment(asked, core.ProviderRef{Account: provider.Account(), Kind: core.ObjectPayment, ID: noSuchPayment})
	if refused, ok := errors.AsType[*core.ProviderError](err); !ok || refused.Foreign != ports.ForeignMissing {
		return []finding{{account, false, "check its credentials and the network: " + fmt.Sprint(err)}}
	}
	findings := []finding{{account, true, "answers with these credentials"}}
	if !provider.Capabilities().ListPayments {
		return findings
	}
	listed, cancelList := context.WithTimeout(ctx, doctorCallTimeMax)
	defer cancelList()
	now := system.NewClock().Now()
	if _, err := provider.ListPayments(listed, ports.ListPayments{From: now.Add(-time.Hour), Until: now, Limit: 1}); err != nil {
		findings = append(findings, finding{account, false, "payments cannot be listed, which is how lost answers are found: allow it at the provider: " + err.Error()})
	}
	return findings
}
