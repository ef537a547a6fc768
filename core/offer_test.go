package core_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func offered(t require.TestingT, minor int64, currency core.Currency, country string) core.Checkout {
	amount, err := core.NewMoney(minor, currency)
	require.NoError(t, err)
	return core.Checkout{ID: "chk_1", Amount: amount, Buyer: core.Buyer{Country: country}}
}

func TestRulesOfAccounts(t *testing.T) {
	t.Parallel()
	european := core.AccountRules{
		Currencies: []core.Currency{"EUR", "CHF"}, Countries: []string{"DE", "CH"},
		Amounts: map[core.Currency]core.AmountRange{"EUR": {Least: 100, Most: 50_000}, "USD": {Least: 1}},
	}
	for _, c := range []struct {
		name     string
		rules    core.AccountRules
		amount   int64
		currency core.Currency
		country  string
		want     bool
	}{
		{"no rules", core.AccountRules{}, 1, "JPY", "", true},
		{"all met", european, 100, "EUR", "DE", true},
		{"too little", european, 99, "EUR", "DE", false},
		{"the most", european, 50_000, "EUR", "DE", true},
		{"too much", european, 50_001, "EUR", "DE", false},
		{"a currency without limits", european, 9_000_000, "CHF", "CH", true},
		{"another currency", european, 1_000, "USD", "DE", false},
		{"another country", european, 1_000, "EUR", "FR", false},
		{"a country nobody told", european, 1_000, "EUR", "", false},
		{"no upper end", core.AccountRules{Amounts: european.Amounts}, 9_000_000, "USD", "", true},
	} {
		require.Equal(t, c.want, c.rules.Allow(offered(t, c.amount, c.currency, c.country)), c.name)
	}
}

func TestOffersAreOneOfEachProvider(t *testing.T) {
	t.Parallel()
	one := func(account core.AccountName, provider core.ProviderName, priority int) core.Candidate {
		return core.Candidate{Account: account, Provider: provider, Rules: core.AccountRules{Priority: priority}}
	}
	c := offered(t, 1_000, "EUR", "")
	require.Empty(t, core.Offers(c, nil))
	got := core.Offers(c, []core.Candidate{
		one("stripe_b", "stripe", 2), one("stripe_a", "stripe", 1), one("square", "square", 1), one("paypal", "paypal", 0),
	})
	require.Equal(t, []core.Candidate{one("paypal", "paypal", 0), one("square", "square", 1), one("stripe_a", "stripe", 1)}, got)
}

func TestWeightsShareCheckoutsOut(t *testing.T) {
	t.Parallel()
	candidates := []core.Candidate{
		{Account: "a", Provider: "stripe", Rules: core.AccountRules{Weight: 3}},
		{Account: "b", Provider: "stripe"}, // counts as one
	}
	counts := map[core.AccountName]int{}
	const checkouts = 4_000
	for n := range checkouts {
		c := offered(t, 1_000, "EUR", "")
		c.ID = core.CheckoutID(fmt.Sprint("chk_", n))
		chosen := core.Offers(c, candidates)
		require.Equal(t, chosen, core.Offers(c, candidates), "a page that is loaded again shows the same")
		counts[chosen[0].Account]++
	}
	require.InDelta(t, 0.75, float64(counts["a"])/checkouts, 0.03)
}

func TestOffersDoNotDependOnTheOrderOfCandidates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var candidates []core.Candidate
		for n := range rapid.IntRange(0, 8).Draw(t, "accounts") {
			candidates = append(candidates, core.Candidate{
				Account:  core.AccountName(fmt.Sprint("account_", n)),
				Provider: rapid.SampledFrom([]core.ProviderName{"stripe", "paypal", "square"}).Draw(t, "provider"),
				Rules:    core.AccountRules{Priority: rapid.IntRange(0, 2).Draw(t, "priority"), Weight: rapid.IntRange(0, 5).Draw(t, "weight")},
			})
		}
		c := offered(t, 1_000, "EUR", "")
		offers := core.Offers(c, candidates)
		require.Equal(t, offers, core.Offers(c, rapid.Permutation(candidates).Draw(t, "order")))
		providers := map[core.ProviderName]bool{}
		for _, offer := range offers {
			require.False(t, providers[offer.Provider], "each provider once")
			providers[offer.Provider] = true
			for _, other := range candidates {
				require.False(t, other.Provider == offer.Provider && other.Rules.Priority < offer.Rules.Priority)
			}
		}
		for _, one := range candidates {
			require.True(t, providers[one.Provider], "no provider is left out")
		}
	})
}
