package core

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// AmountRange is what an account is offered for, in minor units of one currency, both
// ends included. A Most of zero is no upper end.
type AmountRange struct{ Least, Most int64 }

// AccountRules say when an account is offered to buyers. The zero value is offered for
// whatever the provider can serve.
type AccountRules struct {
	Currencies []Currency // empty for all
	// Countries of the buyer, ISO 3166-1 alpha-2; empty for all. A buyer whose country the
	// storefront did not tell is of none.
	Countries []string
	Amounts   map[Currency]AmountRange // a currency without a range has no limits
	// Priority decides among the accounts of one provider, and about the order of the
	// providers: the lowest comes first.
	Priority int
	// Weight shares checkouts out among accounts of one provider and priority, in
	// proportion; zero counts as one.
	Weight int
}

// Allow reports whether the rules let a checkout be paid at the account.
func (r AccountRules) Allow(c Checkout) bool {
	if len(r.Currencies) > 0 && !slices.Contains(r.Currencies, c.Amount.Currency()) {
		return false
	}
	if len(r.Countries) > 0 && !slices.Contains(r.Countries, c.Buyer.Country) {
		return false
	}
	limits, limited := r.Amounts[c.Amount.Currency()]
	if !limited || c.Mode == ModeSetup { // nothing is paid there
		return true
	}
	return c.Amount.Minor() >= limits.Least && (limits.Most == 0 || c.Amount.Minor() <= limits.Most)
}

// Candidate is an account that can serve a checkout and whose rules allow it.
type Candidate struct {
	Account  AccountName
	Provider ProviderName
	Rules    AccountRules
}

// Offers chooses what a buyer is offered: each provider once, by its account of the lowest
// priority, and among several of that by weight. The choice is the checkout's own: the
// same candidates give the same offers every time. The result is ordered by priority, then
// by the provider's name.
func Offers(c Checkout, candidates []Candidate) []Candidate {
	best := map[ProviderName][]Candidate{}
	for _, one := range candidates {
		held := best[one.Provider]
		switch {
		case len(held) == 0 || one.Rules.Priority < held[0].Rules.Priority:
			best[one.Provider] = []Candidate{one}
		case one.Rules.Priority == held[0].Rules.Priority:
			best[one.Provider] = append(held, one)
		}
	}
	offers := make([]Candidate, 0, len(best))
	for provider, equals := range best {
		offers = append(offers, byWeight(string(c.ID)+string(provider), equals))
	}
	slices.SortFunc(offers, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Rules.Priority, b.Rules.Priority), cmp.Compare(a.Provider, b.Provider))
	})
	return offers
}

// byWeight draws one of several, the same one for the same ticket.
func byWeight(ticket string, equals []Candidate) Candidate {
	slices.SortFunc(equals, func(a, b Candidate) int { return cmp.Compare(a.Account, b.Account) })
	sum := uint64(0)
	for _, one := range equals {
		sum += one.Rules.weight()
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(ticket)) // never fails
	drawn := hash.Sum64() % sum
	for _, one := range equals {
		if drawn < one.Rules.weight() {
			return one
		}
		drawn -= one.Rules.weight()
	}
	return equals[0]
}

func (r AccountRules) weight() uint64 { return uint64(max(r.Weight, 1)) }
