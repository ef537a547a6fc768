package console

import (
	"context"
	"fmt"
	"time"
)

const (
	// chartDays is how many days the overview looks back.
	chartDays = 30
	// barsHigh is how high the highest bar of a chart is, in units of its picture.
	barsHigh = 100
)

// chart is bars with a table that says the same.
type chart struct {
	title string
	bars  []bar
	table table
}

type bar struct {
	label  string // what it stands for, with its value
	height int    // of barsHigh
}

// chartOf makes a chart of a figure of each day; values and words are in the order of days.
func chartOf(title, figure string, days []time.Time, values []int64, said []string) *chart {
	most := int64(1)
	for _, value := range values {
		most = max(most, value)
	}
	c := &chart{title: title, table: table{columns: []column{{name: "Day"}, {name: figure, right: true}}}}
	for n, day := range days {
		label := day.UTC().Format("2 Jan")
		c.bars = append(c.bars, bar{label: label + ": " + said[n], height: int(values[n] * barsHigh / most)})
		c.table.rows = append(c.table.rows, []cell{text(label), text(said[n])})
	}
	return c
}

// summaries are the last days, a section with figures and charts for each currency.
func summaries(ctx context.Context, v *visit, now time.Time) ([]section, error) {
	today := now.UTC().Truncate(24 * time.Hour)
	got, err := Summary(ctx, v.client, today.AddDate(0, 0, 1-chartDays), today.AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	var all []section
	for _, c := range got.Summary.Currencies {
		s := section{title: fmt.Sprintf("Last %d days, %s", chartDays, c.Currency), details: []detail{
			{"Volume", moneyOf(c.Totals.Volume)},
			{"Payments that succeeded", text(fmt.Sprintf("%d of %d", c.Totals.Succeeded, c.Totals.Payments))},
			{"Success rate", text(share(c.Totals.SuccessRate))},
			{"Given back", moneyOf(c.Totals.Refunded)},
			{"Refunds", text(fmt.Sprint(c.Totals.Refunds))},
			{"Disputes", text(fmt.Sprintf("%d, %d open", c.Totals.Disputes, c.Totals.DisputesOpen))},
		}}
		var days []time.Time
		var volumes, rates, refunds, disputes []int64
		var volumeWords, rateWords, refundWords, disputeWords []string
		for _, b := range c.Buckets {
			f := b.Figures
			rate := int64(0)
			if f.SuccessRate != nil {
				rate = int64(*f.SuccessRate * 1000)
			}
			days = append(days, b.From)
			volumes, volumeWords = append(volumes, f.Volume.Minor), append(volumeWords, f.Volume.Formatted)
			rates, rateWords = append(rates, rate), append(rateWords, share(f.SuccessRate))
			refunds, refundWords = append(refunds, f.Refunded.Minor), append(refundWords, f.Refunded.Formatted)
			disputes, disputeWords = append(disputes, f.Disputes), append(disputeWords, fmt.Sprint(f.Disputes))
		}
		s.charts = []*chart{
			chartOf("Volume", "Volume", days, volumes, volumeWords), chartOf("Success rate", "Success rate", days, rates, rateWords),
			chartOf("Given back", "Given back", days, refunds, refundWords), chartOf("Disputes", "Disputes", days, disputes, disputeWords),
		}
		all = append(all, s)
	}
	return all, nil
}

// share is a part of one as people write it.
func share(of *float64) string {
	if of == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", *of*100)
}
