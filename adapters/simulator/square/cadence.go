package square

import (
	"time"
	_ "time/tzdata" // subscriptions are billed by their own time zone, on machines without a list of them as well
)

// cadence is how long a billing period is: days, or months.
type cadence struct{ days, months int }

// cadences are the lengths of periods by their names.
//
// Source: developer.squareup.com/reference/square/enums/SubscriptionCadence.
var cadences = map[string]cadence{
	"DAILY": {days: 1}, "WEEKLY": {days: 7}, "EVERY_TWO_WEEKS": {days: 14}, "THIRTY_DAYS": {days: 30}, "SIXTY_DAYS": {days: 60}, "NINETY_DAYS": {days: 90},
	"MONTHLY": {months: 1}, "EVERY_TWO_MONTHS": {months: 2}, "QUARTERLY": {months: 3}, "EVERY_FOUR_MONTHS": {months: 4}, "EVERY_SIX_MONTHS": {months: 6},
	"ANNUAL": {months: 12}, "EVERY_TWO_YEARS": {months: 24},
}

// after is the day that many periods after a first one. A month without that day ends on its
// last one.
func (c cadence) after(first time.Time, periods int) time.Time {
	if c.months == 0 {
		return first.AddDate(0, 0, c.days*periods)
	}
	month := time.Date(first.Year(), first.Month()+time.Month(c.months*periods), 1, 0, 0, 0, 0, first.Location())
	last := month.AddDate(0, 1, -1).Day()
	return month.AddDate(0, 0, min(first.Day(), last)-1)
}

// dayOf is the start of a time's day in a zone.
func dayOf(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
}

// readDay reads a date in a zone. field is its name.
func readDay(field, said string, zone *time.Location) (time.Time, *result) {
	at, err := time.ParseInLocation(time.DateOnly, said, zone)
	if err != nil {
		return at, new(invalid("INVALID_VALUE", field, "The date must be in the format YYYY-MM-DD."))
	}
	return at, nil
}

func date(of time.Time) string { return of.Format(time.DateOnly) }
