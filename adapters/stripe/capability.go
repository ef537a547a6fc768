package stripe

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// keyKept is how long Stripe remembers an idempotency key at least.
//
// Source: docs.stripe.com/api/idempotent_requests.
const keyKept = 24 * time.Hour

func capabilities() ports.Capabilities {
	currencies := make(map[core.Currency]bool, len(foreignUnits))
	for currency := range foreignUnits {
		currencies[currency] = true
	}
	return ports.Capabilities{
		ManualCapture: true, PartialCapture: true, Refund: true, Hosted: true, HostedManualCapture: true, ListPayments: true,
		KeyKept: keyKept, Currencies: currencies,
	}
}

// scriptDecimals lists the currencies that Stripe counts otherwise than ISO 4217.
func scriptDecimals() map[core.Currency]int {
	differing := make(map[core.Currency]int)
	for currency, unit := range foreignUnits {
		if unit.decimals != currency.Exponent() {
			differing[currency] = unit.decimals
		}
	}
	return differing
}

// Capabilities implements [ports.Provider].
func (a *Adapter) Capabilities() ports.Capabilities {
	can := a.can
	can.Currencies = maps.Clone(can.Currencies)
	return can
}

// Where Stripe itself is.
const (
	stripeAPIHost   = "api.stripe.com"
	stripeScriptURL = "https://js.stripe.com/v3/"
)

// browserConfig tells what the page needs: Stripe's own script, or the one that stands
// beside an API elsewhere.
//
// Source: docs.stripe.com/security/guide, content security policy.
func browserConfig(publishableKey string, base *url.URL) ports.BrowserConfig {
	if base == nil {
		return ports.BrowserConfig{
			Provider: core.ProviderStripe, PublishableKey: publishableKey, ScriptURL: stripeScriptURL,
			ScriptSources:  []string{"https://js.stripe.com", "https://*.js.stripe.com"},
			FrameSources:   []string{"https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"},
			ConnectSources: []string{"https://" + stripeAPIHost}, Decimals: scriptDecimals(),
		}
	}
	origin := base.Scheme + "://" + base.Host
	return ports.BrowserConfig{
		Provider: core.ProviderStripe, PublishableKey: publishableKey, ScriptURL: base.String() + "/v3/",
		ScriptSources: []string{origin}, FrameSources: []string{origin}, ConnectSources: []string{origin},
		Decimals: scriptDecimals(),
	}
}

// Browser implements [ports.BrowserProvider].
func (a *Adapter) Browser() ports.BrowserConfig {
	config := a.browser
	config.ScriptSources = slices.Clone(config.ScriptSources)
	config.FrameSources = slices.Clone(config.FrameSources)
	config.ConnectSources = slices.Clone(config.ConnectSources)
	config.Decimals = maps.Clone(config.Decimals)
	return config
}
