package stripe_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_topsecret", PublishableKey: "pk_test_topsecret",
		WebhookSecrets: []string{"whsec_topsecret"}, APIBase: "http://127.0.0.1:8090/stripe",
	}
	_, err := stripe.New(good)
	require.NoError(t, err)
	live := good
	live.Environment, live.SecretKey, live.PublishableKey, live.APIBase = core.EnvLive, "rk_live_topsecret", "pk_live_topsecret", "https://stripe.internal.example"
	_, err = stripe.New(live)
	require.NoError(t, err)

	for _, c := range []struct {
		names  string
		change func(*stripe.Options)
	}{
		{"no name", func(o *stripe.Options) { o.Account = "" }},
		{"environment", func(o *stripe.Options) { o.Environment = "prod" }},
		{"SECRET_KEY", func(o *stripe.Options) { o.SecretKey = "" }},
		{"SECRET_KEY", func(o *stripe.Options) { o.SecretKey = "sk_live_topsecret" }},
		{"SECRET_KEY", func(o *stripe.Options) { o.SecretKey = "sk_test_" }},
		{"SECRET_KEY", func(o *stripe.Options) { o.SecretKey = "pk_test_topsecret" }},
		{"SECRET_KEY", func(o *stripe.Options) { o.SecretKey = "sk_test_topsecret\n" }},
		{"PUBLISHABLE_KEY", func(o *stripe.Options) { o.PublishableKey = "sk_test_topsecret" }},
		{"WEBHOOK_SECRETS", func(o *stripe.Options) { o.WebhookSecrets = []string{"whsec_topsecret", ""} }},
		{"API_BASE", func(o *stripe.Options) { o.APIBase = "127.0.0.1:8090" }},
		{"API_BASE", func(o *stripe.Options) { o.APIBase = "ftp://127.0.0.1" }},
		{"API_BASE", func(o *stripe.Options) { o.APIBase = "http://user:topsecret@127.0.0.1" }},
		{"API_BASE", func(o *stripe.Options) { o.APIBase = "http://127.0.0.1/?topsecret" }},
	} {
		options := good
		c.change(&options)
		_, err := stripe.New(options)
		require.ErrorContains(t, err, c.names)
		require.NotContains(t, err.Error(), "topsecret")
	}
	for _, base := range []string{"http://stripe.internal.example", "https://127.0.0.1:8090", "https://localhost", "https://[::1]"} {
		options := live
		options.APIBase = base
		_, err := stripe.New(options)
		require.ErrorContains(t, err, "API_BASE", base)
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	decimals := map[core.Currency]int{"ISK": 2, "MGA": 0}
	require.Equal(t, ports.BrowserConfig{
		Provider: core.ProviderStripe, PublishableKey: "pk_test_1", ScriptURL: "https://js.stripe.com/v3/",
		ScriptSources:  []string{"https://js.stripe.com", "https://*.js.stripe.com"},
		FrameSources:   []string{"https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"},
		ConnectSources: []string{"https://api.stripe.com"},
		Decimals:       decimals,
	}, adapterAt(t, "").Browser())
	require.Equal(t, adapterAt(t, "").Browser(), adapterAt(t, "https://api.stripe.com/").Browser())

	for _, base := range []string{"http://127.0.0.1:8090/stripe", "http://127.0.0.1:8090/stripe/", "http://127.0.0.1:8090/stripe/v1", "http://127.0.0.1:8090/stripe/v1/"} {
		require.Equal(t, ports.BrowserConfig{
			Provider: core.ProviderStripe, PublishableKey: "pk_test_1", ScriptURL: "http://127.0.0.1:8090/stripe/v3/",
			ScriptSources:  []string{"http://127.0.0.1:8090"},
			FrameSources:   []string{"http://127.0.0.1:8090"},
			ConnectSources: []string{"http://127.0.0.1:8090"},
			Decimals:       decimals,
		}, adapterAt(t, base).Browser())
	}

	adapter := adapterAt(t, "")
	changed := adapter.Browser()
	changed.ScriptSources[0], changed.Decimals["ISK"] = "https://evil.example", 7
	require.Equal(t, adapterAt(t, "").Browser(), adapter.Browser(), "the caller has a copy")
	can := adapter.Capabilities()
	can.Currencies["UGX"] = true
	require.False(t, adapter.Capabilities().Currencies["UGX"], "here, too")
}
