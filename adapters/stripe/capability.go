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

// eventsKept is a day less than Stripe lists events for, so that none is missed at the edge.
//
// Source: docs.stripe.com/api/events.
const eventsKept = 29 * 24 * time.Hour

// listAbilities says what is listed beside payments. What changed, Stripe lists as events alone.
func listAbilities() map[core.ObjectKind]ports.ListAbilities {
	created := ports.ListAbilities{Created: true}
	return map[core.ObjectKind]ports.ListAbilities{core.ObjectRefund: created, core.ObjectDispute: created, core.ObjectSubscription: created}
}

func capabilities() ports.Capabilities {
	currencies := make(map[core.Currency]bool, len(foreignUnits))
	for currency := range foreignUnits {
		currencies[currency] = true
	}
	return ports.Capabilities{
		ManualCapture: true, PartialCapture: true, Refund: true, Hosted: true, HostedManualCapture: true, ListPayments: true,
		EventsKept: eventsKept, Lists: listAbilities(), Webhooks: true,
		Disputes: disputeAbilities(), Vault: true, Subscriptions: subscriptionAbilities(),
		KeyKept: keyKept, Currencies: currencies,
	}
}

// Limits of evidence: of one text, and of all together.
//
// Source: docs.stripe.com/api/disputes/update.
const (
	evidenceTextCharsMax  = 20_000
	evidenceTextsCharsMax = 150_000
)

func disputeAbilities() *ports.DisputeAbilities {
	return &ports.DisputeAbilities{
		Evidence: true, Accept: true, TextCharsMax: evidenceTextCharsMax, TextsCharsMax: evidenceTextsCharsMax,
		Fields: slices.Concat(core.EvidenceTexts(), core.EvidenceFiles()),
	}
}

// Limits of subscriptions. A period has three years at most. How many pieces a subscription can
// have is not published.
//
// Source: docs.stripe.com/api/prices/create, docs.stripe.com/api/subscriptions/create.
const (
	daysMax         = core.IntervalCountMax // Stripe takes more
	weeksMax        = 156
	monthsMax       = 36
	yearsMax        = 3
	trialDaysMax    = 730
	subscriptionMax = 999_999 // pieces
)

func subscriptionAbilities() *ports.SubscriptionAbilities {
	return &ports.SubscriptionAbilities{
		Periods: map[core.Interval][]int{
			core.IntervalDay: upTo(daysMax), core.IntervalWeek: upTo(weeksMax), core.IntervalMonth: upTo(monthsMax), core.IntervalYear: upTo(yearsMax),
		},
		TrialDaysMax: trialDaysMax, QuantityMax: subscriptionMax, Prorate: true, ChangeNow: true, Quantity: true,
		Pause: true, PauseNow: true, CancelNow: true, CancelLater: true, KeepCanceled: true, SwapMethod: true,
	}
}

// upTo lists the numbers from one.
func upTo(most int) []int {
	all := make([]int, most)
	for n := range all {
		all[n] = n + 1
	}
	return all
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
	can.Currencies, can.Disputes, can.Subscriptions = maps.Clone(can.Currencies), disputeAbilities(), subscriptionAbilities()
	can.Lists = listAbilities()
	return can
}

// Where Stripe itself is.
const (
	stripeAPIHost   = "api.stripe.com"
	stripeFilesHost = "files.stripe.com"
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
