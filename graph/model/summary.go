package model

import (
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

// MarshalSummaryInterval writes an interval.
func MarshalSummaryInterval(word core.SummaryInterval) graphql.Marshaler { return enum(word) }

// UnmarshalSummaryInterval reads an interval.
func UnmarshalSummaryInterval(value any) (core.SummaryInterval, error) {
	return readEnum[core.SummaryInterval](value)
}

// MarshalRate writes a rate, and null for one that says nothing.
func MarshalRate(rate core.Rate) graphql.Marshaler {
	if rate.Whole == 0 {
		return graphql.Null
	}
	return graphql.MarshalFloat(float64(rate.Part) / float64(rate.Whole))
}

// UnmarshalRate refuses: no input of the schema is a rate.
func UnmarshalRate(any) (core.Rate, error) { return core.Rate{}, errors.New("a rate is no input") }
