package graph

import (
	"context"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// summaryAsked is what makes two summaries the same.
type summaryAsked struct {
	from, to int64 // microseconds since 1970
	currency core.Currency
	interval core.SummaryInterval
}

// summary adds up what happened within a period.
func (r *Resolver) summary(ctx context.Context, from, to time.Time, currency *string, interval core.SummaryInterval) (*core.Summary, error) {
	period, ok := core.NewSummaryPeriod(from, to, interval)
	switch {
	case !from.Before(to):
		return nil, refuse(codeInput, "to must be later than from")
	case !ok:
		return nil, refuse(codeInput, "the period has more than %d buckets; ask for less, or for a longer interval", core.SummaryBucketsMax)
	}
	filter := ports.TallyFilter{Edges: period.Edges()}
	if currency != nil {
		parsed, err := core.ParseCurrency(*currency)
		if err != nil {
			return nil, refuse(codeInput, "currency must be an ISO 4217 code")
		}
		filter.Currency = parsed
	}
	asked := summaryAsked{from.UnixMicro(), to.UnixMicro(), filter.Currency, interval}
	return r.summaries.do(ctx, asked, func(ctx context.Context) (*core.Summary, error) {
		tallies, err := r.store.Tallies(ctx, filter)
		if err != nil {
			return nil, err
		}
		summary, err := period.Summarize(tallies)
		if err != nil {
			return nil, err
		}
		return &summary, nil
	})
}
