package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/ports"
)

// checkWebhook compares what an account's provider has registered with what is needed here.
func checkWebhook(ctx context.Context, provider ports.Provider, address string) []finding {
	if !provider.Capabilities().Webhooks {
		return nil
	}
	name := "webhook " + string(provider.Account())
	ctx, cancel := context.WithTimeout(ctx, doctorCallTimeMax)
	defer cancel()
	seen, err := health.Look(ctx, provider, address, system.NewClock().Now())
	if err != nil {
		return []finding{{name, false, "the registered webhooks cannot be read: allow it at the provider: " + err.Error()}}
	}
	missing := strings.Join(seen.Missing, ", ")
	switch {
	case seen.State == core.WebhookAbsent:
		return []finding{{name, false, "none is registered for " + address + ": register it at the provider for the types " + missing}}
	case seen.State == core.WebhookDisabled:
		return []finding{{name, false, "the one for " + address + " is disabled: enable it at the provider"}}
	case missing != "":
		return []finding{{name, false, fmt.Sprintf("the one for %s does not get %s: add these types to it at the provider", address, missing)}}
	}
	detail := "registered for " + address + " with all types that are needed"
	if len(seen.APIVersions) > 0 {
		detail += ", API version " + strings.Join(seen.APIVersions, ", ")
	}
	return []finding{{name, true, detail}}
}

// checkArrivals tells, from the database alone, what came by accounts' webhooks. It wants the schema.
func (r *run) checkArrivals(ctx context.Context, config app.Config) []finding {
	if key := trialKey(config.DatabaseURL); key != "" && len(config.EncryptionKeys) == 0 && config.Environment == core.EnvTest {
		config.EncryptionKeys = []string{key}
	}
	tools, stop, err := r.Tools(ctx, config, app.NewLogger(r.Stderr, "warn", true), system.NewClock())
	if err != nil {
		return []finding{{"arrivals", false, "the database cannot be opened: " + err.Error()}}
	}
	defer stop()
	all, err := tools.Health.Accounts(ctx)
	if err != nil {
		return []finding{{"arrivals", false, "the database cannot be read: " + err.Error()}}
	}
	findings := make([]finding, 0, len(all))
	for _, one := range all {
		findings = append(findings, arrivals(one, system.NewClock().Now()))
	}
	return findings
}

// arrivals judges what came in the last day. What was missed alone is no fault that somebody could
// mend: the backfill brought it.
func arrivals(one ports.AccountHealth, now time.Time) finding {
	name := "arrivals " + string(one.Account)
	received, rejected := one.Counts[core.DeliveryReceived], one.Counts[core.DeliveryInvalidSignature]
	if rejected > 0 && received == 0 {
		return finding{name, false, fmt.Sprintf("all of the last day's %d posts had a wrong signature: compare the account's webhook secret, or PayPal's webhook id, with the provider's", rejected)}
	}
	if one.Missed > 0 && one.Posts() == 0 {
		return finding{name, false, fmt.Sprintf("nothing was posted to %s in the last day, and the provider lists %d events: check that it can be reached from the internet", one.Address, one.Missed)}
	}
	last := "no webhook came yet"
	if len(one.Last) > 0 {
		last = fmt.Sprintf("the last event, %s, came %s ago", one.Last[0].Type, now.Sub(one.Last[0].ReceivedAt).Round(time.Second))
		if version := one.Last[0].APIVersion; version != "" {
			last += " in API version " + version
		}
	}
	return finding{name, true, fmt.Sprintf("%s; in the last day %d taken, %d with a wrong signature, %d that no webhook brought", last, received, rejected, one.Missed)}
}
