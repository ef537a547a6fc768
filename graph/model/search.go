package model

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

// SearchResult is what a search can find.
type SearchResult interface{ IsSearchResult() }

// IsSearchResult marks a type of the schema's union SearchResult.
func (Payment) IsSearchResult() {}

// IsSearchResult marks a type of the schema's union SearchResult.
func (Checkout) IsSearchResult() {}

// IsSearchResult marks a type of the schema's union SearchResult.
func (Refund) IsSearchResult() {}

// IsSearchResult marks a type of the schema's union SearchResult.
func (Dispute) IsSearchResult() {}

// IsSearchResult marks a type of the schema's union SearchResult.
func (Subscription) IsSearchResult() {}

// IsSearchResult marks a type of the schema's union SearchResult.
func (Customer) IsSearchResult() {}

// IsSearchResult marks a type of the schema's union SearchResult.
func (InboundEvent) IsSearchResult() {}

// orderNewest is the name of the order that the core has no word for.
const orderNewest = "NEWEST"

// MarshalOrder writes the order of a list.
func MarshalOrder(order core.Order) graphql.Marshaler {
	if order == core.OrderNewest {
		return graphql.MarshalString(orderNewest)
	}
	return graphql.MarshalString(strings.ToUpper(string(order)))
}

// UnmarshalOrder reads the order of a list. That the list has it is checked before.
func UnmarshalOrder(value any) (core.Order, error) {
	word, err := readText[string](value)
	if word == orderNewest {
		return core.OrderNewest, err
	}
	return core.Order(strings.ToLower(word)), err
}
