package ports

import "github.com/paydesk/paydesk/core"

// BrowserConfig is what the hosted page needs to let a buyer pay at one account. Nothing
// in it is secret, and it never changes while the program runs.
type BrowserConfig struct {
	Provider core.ProviderName
	// PublishableKey names the account towards the provider's script; made to be seen.
	PublishableKey string
	// ScriptURL is where the provider's script comes from, never a copy of ours.
	ScriptURL string
	// ScriptSources, FrameSources and ConnectSources go into the page's
	// Content-Security-Policy as they stand: origins, with or without a wildcard.
	ScriptSources  []string
	FrameSources   []string
	ConnectSources []string
	// NeedsInlineStyles says that the provider's script only works on a page whose policy
	// allows inline styles.
	NeedsInlineStyles bool
	// Decimals is in how many decimals the provider's script counts a currency, for those
	// in which it does not count as ISO 4217 does; nil where there are none.
	Decimals map[core.Currency]int
}

// BrowserProvider is a [Provider] whose payments are confirmed by the buyer's browser on
// our page.
type BrowserProvider interface {
	Provider
	// Browser gives a copy that the caller may change.
	Browser() BrowserConfig
}
