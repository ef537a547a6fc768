package paypal

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// keyKept is how long PayPal remembers a key at least: that of saving a way to pay. Those of
// orders are kept for 6 hours, of subscriptions for 72, and those of captures, voids and
// refunds for longer.
//
// Source: developer.paypal.com/api/rest/reference/idempotency.
const keyKept = 3 * time.Hour

func capabilities() ports.Capabilities {
	currencies := make(map[core.Currency]bool, len(decimals))
	for currency := range decimals {
		currencies[currency] = true
	}
	return ports.Capabilities{
		Confirm: ports.ConfirmAfterApproval, ManualCapture: true, PartialCapture: true, Hosted: true, HostedManualCapture: true,
		Refund: true, ListPayments: true, PaymentsLag: reportLag, KeyKept: keyKept, Currencies: currencies,
		EventsKept: eventsKept, Lists: lists(), Webhooks: true,
		Disputes: disputeAbilities(), Vault: true, Subscriptions: subscriptionAbilities(),
	}
}

// Capabilities implements [ports.Provider].
func (a *Adapter) Capabilities() ports.Capabilities {
	can := a.can
	can.Currencies, can.Lists = maps.Clone(can.Currencies), maps.Clone(can.Lists)
	disputes, subscriptions := *can.Disputes, *can.Subscriptions
	disputes.Fields = slices.Clone(disputes.Fields)
	subscriptions.Periods = maps.Clone(subscriptions.Periods)
	for interval, counts := range subscriptions.Periods {
		subscriptions.Periods[interval] = slices.Clone(counts)
	}
	can.Disputes, can.Subscriptions = &disputes, &subscriptions
	return can
}

// scriptQuery asks PayPal's script for what the page uses. Currency and intent must be the
// order's; for subscriptions they are asked for with vault. For setup tokens there is neither:
// they take what the script is asked for by default, capture without vault.
const scriptQuery = "&currency={currency}&intent={intent}&vault={vault}&components=buttons,card-fields"

// browserConfig tells what the page needs: PayPal's own script, or the one that stands beside
// an API elsewhere. at is base, parsed.
//
// Source: developer.paypal.com/sdk/js/configuration and /sdk/js/best-practices, content
// security policy.
func browserConfig(clientID, base string, at *url.URL) ports.BrowserConfig {
	script, origins := scriptHost, []string{"https://*.paypal.com", "https://*.paypalobjects.com", "https://*.venmo.com"}
	if !isPayPals(at.Hostname()) {
		script, origins = base, []string{at.Scheme + "://" + at.Host}
	}
	config := ports.BrowserConfig{
		Provider: core.ProviderPayPal, PublishableKey: clientID, NeedsNonce: true, Decimals: scriptDecimals(),
		ScriptURL: script + "/sdk/js?client-id=" + url.QueryEscape(clientID) + scriptQuery,
	}
	for _, list := range sources(&config) {
		*list = slices.Clone(origins)
	}
	return config
}

// sources are the lists that PayPal's script needs its origins in.
func sources(config *ports.BrowserConfig) []*[]string {
	return []*[]string{&config.ScriptSources, &config.FrameSources, &config.ConnectSources, &config.StyleSources, &config.ImageSources}
}

// Browser implements [ports.BrowserProvider].
func (a *Adapter) Browser() ports.BrowserConfig {
	config := a.browser
	for _, list := range sources(&config) {
		*list = slices.Clone(*list)
	}
	config.Decimals = maps.Clone(config.Decimals)
	return config
}
