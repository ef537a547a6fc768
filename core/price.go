package core

import (
	"slices"
	"time"
)

// Interval is a unit of time that subscriptions count in.
type Interval string

// The intervals.
const (
	IntervalDay   Interval = "day"
	IntervalWeek  Interval = "week"
	IntervalMonth Interval = "month"
	IntervalYear  Interval = "year"
)

// Known reports whether i is one of the intervals.
func (i Interval) Known() bool {
	return slices.Contains([]Interval{IntervalDay, IntervalWeek, IntervalMonth, IntervalYear}, i)
}

// Limits of prices.
const (
	IntervalCountMax = 365
	TrialDaysMax     = 730
)

// Recurring says how often a price is asked for.
type Recurring struct {
	Interval  Interval
	Count     int // of intervals in one period; 1 to IntervalCountMax
	TrialDays int // without payment, at the begin; 0 for none
}

// Price is what something costs, once or again and again. It never changes: another amount is
// another price.
type Price struct {
	ID          PriceID
	Name        string
	Amount      Money      // above zero; of one piece
	Recurring   *Recurring // nil for a price that is paid once
	RequestKey  RequestKey
	Environment Environment
	CreatedAt   time.Time
}

// PriceAccount is a price's counterpart at one account, made when it is first needed.
type PriceAccount struct {
	Price           PriceID
	Account         AccountName
	ProviderPriceID string
	CreatedAt       time.Time
}
