package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// talliesMax bounds what one summary reads: 400 days of 50 accounts, currencies and statuses that met.
const talliesMax = 20_000

// errManyTallies says that a period is too long for what happened in it.
var errManyTallies = errors.New("too many tallies")

// tallied is a table that is counted, with the column that is added up. An index on created_at holds
// these columns of the two large tables, so that their rows are not read.
var tallied = []struct {
	kind   core.TallyKind
	amount string
}{{core.TallyPayments, "amount_captured"}, {core.TallyRefunds, "amount"}, {core.TallyDisputes, "amount"}}

// period is an expression for the hour or day that a row was made in. Both are cheap, for they are worked out for each row.
func (d dialect) period(hourly bool) string {
	switch {
	case d == dialectPostgres && hourly:
		return "date_bin('1 hour', created_at, '2000-01-01T00:00:00Z')"
	case d == dialectPostgres:
		return "date_bin('1 day', created_at, '2000-01-01T00:00:00Z')"
	case hourly:
		return "substr(created_at, 1, 13) || ':00:00.000000Z'"
	default:
		return "substr(created_at, 1, 10) || 'T00:00:00.000000Z'"
	}
}

// Tallies counts by one statement, so that all is of one moment.
func (s *Store) Tallies(ctx context.Context, filter ports.TallyFilter) ([]core.Tally, error) {
	if err := checkTexts(filter); err != nil {
		return nil, fmt.Errorf("tally: %w", err)
	}
	var parts []string
	var values []any
	for _, table := range tallied {
		currency := ""
		values = append(values, at(filter.From), at(filter.To))
		if filter.Currency != "" {
			currency = " AND currency = ?"
			values = append(values, string(filter.Currency))
		}
		parts = append(parts, fmt.Sprintf("SELECT '%s' AS kind, %s AS at, account, provider, currency, status, count(*) AS count, CAST(sum(%s) AS bigint) AS minor"+
			" FROM %s WHERE created_at >= ? AND created_at < ?%s GROUP BY 2, account, provider, currency, status",
			table.kind, s.dialect.period(filter.Hourly), table.amount, table.kind, currency))
	}
	var rows []struct {
		Kind     core.TallyKind
		At       instant
		Account  core.AccountName
		Provider core.ProviderName
		Currency core.Currency
		Status   string
		Count    int64
		Minor    int64
	}
	query := bun.SafeQuery("? LIMIT ?", bun.SafeQuery(strings.Join(parts, " UNION ALL "), values...), talliesMax+1)
	if err := s.read.NewRaw("?", query).Scan(ctx, &rows); err != nil {
		return nil, s.failed(ctx, err, "tally")
	}
	if len(rows) > talliesMax {
		return nil, fmt.Errorf("tally from %s to %s: %w: more than %d", filter.From, filter.To, errManyTallies, talliesMax)
	}
	tallies := make([]core.Tally, len(rows))
	for i, row := range rows {
		tallies[i] = core.Tally{
			Kind: row.Kind, At: row.At.Time, Account: row.Account, Provider: row.Provider,
			Currency: row.Currency, Status: row.Status, Count: row.Count, Minor: row.Minor,
		}
	}
	return tallies, nil
}
