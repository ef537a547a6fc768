package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
)

// written is a file of accounts, and what variables there are beside it.
func written(t *testing.T, text string, variables map[string]string) func(string) (string, bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paydesk.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return func(name string) (string, bool) {
		if name == "PAYDESK_CONFIG" {
			return path, true
		}
		value, ok := variables[name]
		return value, ok
	}
}

const twoAccounts = `
accounts:
  - name: stripe_eu
    provider: stripe
    environment: test
    secret_key: ${EU_KEY}
    publishable_key: pk_test_eu
    webhook_secrets: [whsec_eu, "${EU_OLD}"]
    rules:
      currencies: [EUR, CHF]
      countries: [DE, CH]
      amounts: {EUR: {min: 100, max: 500000}}
      priority: 1
      weight: 3
  - name: stripe_us
    provider: stripe
    secret_key: sk_test_us
    publishable_key: pk_test_us
    webhook_secrets: [whsec_us]
`

func TestAccountsOfTheFile(t *testing.T) {
	t.Parallel()
	config, err := app.ReadConfig(written(t, twoAccounts, map[string]string{
		"EU_KEY": "sk_test_eu", "EU_OLD": "whsec_old1, whsec_old2",
		"PAYDESK_STRIPE_SECRET_KEY": "sk_test_first", "PAYDESK_STRIPE_PUBLISHABLE_KEY": "pk_test_first", "PAYDESK_STRIPE_WEBHOOK_SECRETS": "whsec_first",
	}), nil)
	require.NoError(t, err)
	require.Equal(t, []app.Account{
		{Name: "stripe", Provider: core.ProviderStripe, Stripe: app.StripeConfig{SecretKey: "sk_test_first", PublishableKey: "pk_test_first", WebhookSecrets: []string{"whsec_first"}}},
		{
			Name: "stripe_eu", Provider: core.ProviderStripe,
			Stripe: app.StripeConfig{SecretKey: "sk_test_eu", PublishableKey: "pk_test_eu", WebhookSecrets: []string{"whsec_eu", "whsec_old1", "whsec_old2"}},
			Rules: core.AccountRules{
				Currencies: []core.Currency{"EUR", "CHF"}, Countries: []string{"DE", "CH"}, Priority: 1, Weight: 3,
				Amounts: map[core.Currency]core.AmountRange{"EUR": {Least: 100, Most: 500_000}},
			},
		},
		{
			Name: "stripe_us", Provider: core.ProviderStripe,
			Stripe: app.StripeConfig{SecretKey: "sk_test_us", PublishableKey: "pk_test_us", WebhookSecrets: []string{"whsec_us"}},
			Rules:  core.AccountRules{Amounts: map[core.Currency]core.AmountRange{}},
		},
	}, config.Accounts)
}

func TestAccountsThatAreRefused(t *testing.T) {
	t.Parallel()
	one := func(change ...string) string {
		text := "accounts:\n  - name: shop\n    provider: stripe\n    secret_key: sk_test_secret\n    publishable_key: pk_test_x\n    webhook_secrets: [whsec_x]\n"
		return strings.NewReplacer(change...).Replace(text)
	}
	for name, c := range map[string]struct{ text, where, says string }{
		"a live key":             {one("sk_test_", "sk_live_"), "PAYDESK_CONFIG accounts[0].secret_key", "PAYDESK_ENV=test"},
		"a live browser key":     {one("pk_test_", "pk_live_"), "PAYDESK_CONFIG accounts[0].publishable_key", "pk_test_"},
		"no webhook secret":      {one("[whsec_x]", "[]"), "PAYDESK_CONFIG accounts[0].webhook_secrets", "signing secret"},
		"another environment":    {one("provider:", "environment: live\n    provider:"), "PAYDESK_CONFIG accounts[0].environment", "never share"},
		"a name of no path":      {one("name: shop", "name: My/Shop"), "PAYDESK_CONFIG accounts[0].name", "webhook's path"},
		"an unknown provider":    {one("provider: stripe", "provider: nobody"), "PAYDESK_CONFIG accounts[0].provider", "must be"},
		"an unset variable":      {one("sk_test_secret", "${NOT_THERE}"), "PAYDESK_CONFIG accounts[0].secret_key", "NOT_THERE"},
		"a bad address":          {one("provider:", "api_base: ftp://x\n    provider:"), "PAYDESK_CONFIG accounts[0].api_base", "http"},
		"a bad address of files": {one("provider:", "files_base: ftp://x\n    provider:"), "PAYDESK_CONFIG accounts[0].files_base", "http"},
		"two of one name":        {one() + strings.TrimPrefix(one(), "accounts:\n"), "PAYDESK_CONFIG accounts[1].name", "another account"},
		"another's setting":      {one("provider:", "client_id: x\n    provider:"), "PAYDESK_CONFIG accounts[0].client_id", "not a setting of an account at stripe"},
		"another's list":         {one("provider:", "webhook_keys: [x]\n    provider:"), "PAYDESK_CONFIG accounts[0].webhook_keys", "not a setting of an account at stripe"},
		"an unknown key":         {one("provider:", "secret: sk_test_secret\n    provider:"), "PAYDESK_CONFIG", "unknown field"},
		"no YAML":                {one("[whsec_x]", "[whsec_x"), "PAYDESK_CONFIG", "YAML"},
		"an unknown currency":    {one() + "    rules: {currencies: [eur]}\n", "PAYDESK_CONFIG accounts[0].rules.currencies", "ISO 4217"},
		"an unknown country":     {one() + "    rules: {countries: [germany]}\n", "PAYDESK_CONFIG accounts[0].rules.countries", "alpha-2"},
		"a range upside down":    {one() + "    rules: {amounts: {EUR: {min: 5, max: 1}}}\n", "PAYDESK_CONFIG accounts[0].rules.amounts", "min not above max"},
		"a weight below zero":    {one() + "    rules: {weight: -1}\n", "PAYDESK_CONFIG accounts[0].rules.weight", "negative"},
		"an amount of cents.5":   {one() + "    rules: {amounts: {EUR: {min: 1.5}}}\n", "PAYDESK_CONFIG", "YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := app.ReadConfig(written(t, c.text, nil), nil)
			var refused *app.ConfigError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.where, refused.Variable)
			require.Contains(t, refused.Problem, c.says)
			require.NotContains(t, refused.Error(), "sk_test_secret", "no secret is shown")
			require.NotContains(t, refused.Error(), "\n", "one line")
		})
	}
	_, err := app.ReadConfig(func(name string) (string, bool) { return "/nowhere/paydesk.yaml", name == "PAYDESK_CONFIG" }, nil)
	require.ErrorContains(t, err, "PAYDESK_CONFIG: names a file that cannot be read")
}

func TestAccountsOfAllProviders(t *testing.T) {
	t.Parallel()
	text := `
accounts:
  - name: paypal_de
    provider: paypal
    client_id: client
    client_secret: ${SECRET}
    webhook_id: WH-1
    webhook_verification: api
    api_base: https://api-m.sandbox.paypal.com/
  - name: square_ie
    provider: square
    access_token: ${TOKEN}
    application_id: sandbox-sq0idb-x
    location_id: L1
    webhook_keys: ["${KEYS}", last]
    webhook_url: https://pay.shop.example/webhooks/square_ie
`
	config, err := app.ReadConfig(written(t, text, map[string]string{"SECRET": "hidden", "TOKEN": "token", "KEYS": "new, old"}), nil)
	require.NoError(t, err)
	none := core.AccountRules{Amounts: map[core.Currency]core.AmountRange{}}
	require.Equal(t, []app.Account{
		{Name: "paypal_de", Provider: core.ProviderPayPal, Rules: none, PayPal: app.PayPalConfig{
			ClientID: "client", ClientSecret: "hidden", WebhookID: "WH-1", WebhookVerification: "api", APIBase: "https://api-m.sandbox.paypal.com",
		}},
		{Name: "square_ie", Provider: core.ProviderSquare, Rules: none, Square: app.SquareConfig{
			AccessToken: "token", ApplicationID: "sandbox-sq0idb-x", LocationID: "L1", WebhookKeys: []string{"new", "old", "last"},
			WebhookURL: "https://pay.shop.example/webhooks/square_ie",
		}},
	}, config.Accounts)
	for _, change := range []struct{ from, to, where string }{
		{"    client_secret: ${SECRET}\n", "", "accounts[0].client_secret"},
		{"webhook_verification: api", "webhook_verification: hope", "accounts[0].webhook_verification"},
		{"api-m.sandbox.paypal.com/", "api-m.paypal.com", "accounts[0].api_base"},
		{"webhook_id: WH-1", "webhook_id: WH-1\n    webhook_roots: /nowhere", "accounts[0].webhook_roots"},
		{"sandbox-sq0idb-x", "sq0idp-x", "accounts[1].application_id"},
		{"location_id: L1", "location_id: ''", "accounts[1].location_id"},
		{`["${KEYS}", last]`, "[]", "accounts[1].webhook_keys"},
	} {
		_, err := app.ReadConfig(written(t, strings.Replace(text, change.from, change.to, 1), map[string]string{"SECRET": "hidden", "TOKEN": "token", "KEYS": "k"}), nil)
		var refused *app.ConfigError
		require.ErrorAs(t, err, &refused, change.to)
		require.Equal(t, "PAYDESK_CONFIG "+change.where, refused.Variable)
		require.NotContains(t, refused.Error(), "hidden")
	}
}
