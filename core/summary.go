package core

import (
	"cmp"
	"slices"
	"time"
)

const (
	// SummaryBucketsMax is how many buckets a summary can have: a year of days, and some.
	SummaryBucketsMax = 400
	// SummaryMinorMax is the largest sum of a summary, in minor units: what JavaScript reads exactly.
	SummaryMinorMax int64 = 1<<53 - 1

	daysOfWeek = 7
)

// SummaryInterval is how long a bucket of a summary is. Buckets begin with hours, days, Mondays and months of UTC.
type SummaryInterval string

// The intervals.
const (
	SummaryHour  SummaryInterval = "hour"
	SummaryDay   SummaryInterval = "day"
	SummaryWeek  SummaryInterval = "week"
	SummaryMonth SummaryInterval = "month"
)

// Start is the beginning of the bucket that a time falls into.
func (i SummaryInterval) Start(t time.Time) time.Time {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch i {
	case SummaryHour:
		return t.Truncate(time.Hour)
	case SummaryWeek:
		return day.AddDate(0, 0, -(int(day.Weekday())+daysOfWeek-1)%daysOfWeek)
	case SummaryMonth:
		return day.AddDate(0, 0, 1-day.Day())
	default:
		return day
	}
}

// next is the beginning of the bucket after the one that begins at start.
func (i SummaryInterval) next(start time.Time) time.Time {
	switch i {
	case SummaryHour:
		return start.Add(time.Hour)
	case SummaryWeek:
		return start.AddDate(0, 0, daysOfWeek)
	case SummaryMonth:
		return start.AddDate(0, 1, 0)
	default:
		return start.AddDate(0, 0, 1)
	}
}

// TallyKind is what a tally counts.
type TallyKind string

// The kinds of tallies.
const (
	TallyPayments TallyKind = "payments"
	TallyRefunds  TallyKind = "refunds"
	TallyDisputes TallyKind = "disputes"
)

// Tally counts what is alike: objects of one kind, account, currency and status that were made within
// the same bucket of time.
type Tally struct {
	Kind     TallyKind
	At       time.Time // the beginning of their bucket, UTC
	Account  AccountName
	Provider ProviderName
	Currency Currency
	Status   string
	Count    int64
	Minor    int64 // captured by payments, asked by refunds and disputes; minor units
}

// Figures are what became of that which was made within some time, in one currency.
type Figures struct { //nolint:recvcheck // adding must change them, and they are shown as values
	// Payments counts attempts to pay, whatever became of them. The next counts are parts of it.
	Payments                        int64
	Succeeded, Authorized, Failed   int64
	Canceled, Expired               int64
	InProgress, InReview            int64
	Refunds                         int64 // that succeeded
	RefundsPending, RefundsFailed   int64
	Disputes                        int64 // the next counts are parts of it
	DisputesOpen                    int64
	DisputesWon, DisputesLost       int64
	currency                        Currency
	volume, refunded, refundPending int64 // minor units, as below
	disputed, disputeLost           int64
}

// Volume is what the payments captured, refunds not taken off.
func (f Figures) Volume() Money { return Money{f.volume, f.currency} }

// Refunded is what succeeded refunds gave back, of payments of any time.
func (f Figures) Refunded() Money { return Money{f.refunded, f.currency} }

// RefundPending is what pending refunds will give back.
func (f Figures) RefundPending() Money { return Money{f.refundPending, f.currency} }

// Disputed is what all the disputes are about.
func (f Figures) Disputed() Money { return Money{f.disputed, f.currency} }

// DisputeLost is what the lost and accepted disputes were about.
func (f Figures) DisputeLost() Money { return Money{f.disputeLost, f.currency} }

// Rate is one number of things for each of another; it says nothing where Whole is zero.
type Rate struct{ Part, Whole int64 }

// SuccessRate is of succeeded and authorized payments among them and the failed ones. Payments that
// buyers left or that go on say nothing of it.
func (f Figures) SuccessRate() Rate {
	paid := f.Succeeded + f.Authorized
	return Rate{paid, paid + f.Failed}
}

// DisputeRate is of disputes for each succeeded payment of the same time.
func (f Figures) DisputeRate() Rate { return Rate{f.Disputes, f.Succeeded} }

// add counts a tally; [ErrAmountRange] where a sum grows too large.
func (f *Figures) add(t Tally) error {
	var sums []*int64
	switch t.Kind {
	case TallyPayments:
		f.Payments += t.Count
		sums = append(sums, &f.volume)
		f.payments(PaymentStatus(t.Status), t.Count)
	case TallyRefunds:
		sums = f.refunds(RefundStatus(t.Status), t.Count)
	case TallyDisputes:
		f.Disputes += t.Count
		sums = append(sums, &f.disputed)
		if f.disputes(DisputeStatus(t.Status), t.Count) {
			sums = append(sums, &f.disputeLost)
		}
	}
	for _, sum := range sums {
		if t.Minor > SummaryMinorMax-*sum {
			return ErrAmountRange
		}
		*sum += t.Minor
	}
	return nil
}

func (f *Figures) payments(status PaymentStatus, count int64) {
	switch status {
	case PaymentSucceeded:
		f.Succeeded += count
	case PaymentAuthorized:
		f.Authorized += count
	case PaymentFailed:
		f.Failed += count
	case PaymentCanceled:
		f.Canceled += count
	case PaymentExpired:
		f.Expired += count
	case PaymentNeedsReview:
		f.InReview += count
	case PaymentProcessing, PaymentRequiresAction:
		f.InProgress += count
	}
}

// refunds gives the sums that the refunds belong to.
func (f *Figures) refunds(status RefundStatus, count int64) []*int64 {
	switch status {
	case RefundSucceeded:
		f.Refunds += count
		return []*int64{&f.refunded}
	case RefundPending:
		f.RefundsPending += count
		return []*int64{&f.refundPending}
	case RefundFailed, RefundCanceled:
		f.RefundsFailed += count
	}
	return nil
}

// disputes reports whether the disputes are lost.
func (f *Figures) disputes(status DisputeStatus, count int64) bool {
	switch status {
	case DisputeWon:
		f.DisputesWon += count
	case DisputeLost, DisputeAccepted:
		f.DisputesLost += count
		return true
	case DisputeInquiry, DisputeNeedsResponse, DisputeUnderReview:
		f.DisputesOpen += count
	}
	return false
}

// SummaryBucket is a part of a summary's period.
type SummaryBucket struct {
	From, To time.Time // To is exclusive; both lie within the period
	Figures  Figures
}

// AccountSummary is what one account did in one currency.
type AccountSummary struct {
	Account  AccountName
	Provider ProviderName
	Totals   Figures
	Buckets  []SummaryBucket // all of the period
}

// CurrencySummary is what happened in one currency.
type CurrencySummary struct {
	Currency Currency
	Totals   Figures
	Buckets  []SummaryBucket // all of the period
	Accounts []AccountSummary
}

// Summary is what happened within a period, each currency for itself.
type Summary struct {
	From, To   time.Time // To is exclusive
	Interval   SummaryInterval
	Currencies []CurrencySummary // by code
}

// SummaryPeriod is a period cut into buckets.
type SummaryPeriod struct {
	from, to time.Time
	interval SummaryInterval
	starts   []time.Time // of the buckets, the first at or before from
}

// NewSummaryPeriod cuts a period; false where it is empty, backwards or has more than [SummaryBucketsMax] buckets.
func NewSummaryPeriod(from, to time.Time, interval SummaryInterval) (SummaryPeriod, bool) {
	period := SummaryPeriod{from: from.UTC(), to: to.UTC(), interval: interval}
	for start := interval.Start(from); start.Before(to); start = interval.next(start) {
		if len(period.starts) == SummaryBucketsMax {
			return SummaryPeriod{}, false
		}
		period.starts = append(period.starts, start)
	}
	return period, from.Before(to)
}

// Edges are the beginnings of the buckets, the first cut to the period, and its end.
func (p SummaryPeriod) Edges() []time.Time {
	edges := append(slices.Clone(p.starts), p.to)
	edges[0] = p.from
	return edges
}

// buckets are all of the period, with no figures yet.
func (p SummaryPeriod) buckets(currency Currency) []SummaryBucket {
	edges := p.Edges()
	all := make([]SummaryBucket, len(p.starts))
	for i := range all {
		all[i] = SummaryBucket{From: edges[i], To: edges[i+1], Figures: Figures{currency: currency}}
	}
	return all
}

// place is the number of the bucket that a tally belongs to.
func (p SummaryPeriod) place(at time.Time) int {
	i, found := slices.BinarySearchFunc(p.starts, at, time.Time.Compare)
	if !found {
		i--
	}
	return min(max(i, 0), len(p.starts)-1)
}

// Summarize adds up tallies of the period; [ErrAmountRange] where a sum is above [SummaryMinorMax].
func (p SummaryPeriod) Summarize(tallies []Tally) (Summary, error) {
	tallies = slices.SortedFunc(slices.Values(tallies), func(a, b Tally) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Provider, b.Provider))
	})
	summary := Summary{From: p.from, To: p.to, Interval: p.interval}
	for _, tally := range tallies {
		currency := last(&summary.Currencies, func(c CurrencySummary) bool { return c.Currency == tally.Currency }, func() CurrencySummary {
			return CurrencySummary{Currency: tally.Currency, Totals: Figures{currency: tally.Currency}, Buckets: p.buckets(tally.Currency)}
		})
		account := last(&currency.Accounts, func(a AccountSummary) bool { return a.Account == tally.Account && a.Provider == tally.Provider }, func() AccountSummary {
			return AccountSummary{Account: tally.Account, Provider: tally.Provider, Totals: Figures{currency: tally.Currency}, Buckets: p.buckets(tally.Currency)}
		})
		place := p.place(tally.At)
		for _, figures := range []*Figures{&currency.Totals, &currency.Buckets[place].Figures, &account.Totals, &account.Buckets[place].Figures} {
			if err := figures.add(tally); err != nil {
				return Summary{}, err
			}
		}
	}
	return summary, nil
}

// last gives the last item of a list, and adds a new one where that is not the wanted one.
func last[T any](list *[]T, wanted func(T) bool, create func() T) *T {
	if n := len(*list); n == 0 || !wanted((*list)[n-1]) {
		*list = append(*list, create())
	}
	return &(*list)[len(*list)-1]
}
