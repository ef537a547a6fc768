package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// talliesMax bounds what one summary reads: 400 days of 50 accounts, currencies and statuses that met.
const talliesMax = 20_000

// errManyTallies says that a period is too long for what happened in it.
var errManyTallies = errors.New("too many tallies")

// tallied are the tables that are counted, with the column that is added up. An index on created_at holds
// all columns that are read of the two large ones, so that their rows are not.
var tallied = []struct {
	kind   core.TallyKind
	amount string
}{{core.TallyPayments, "amount_captured"}, {core.TallyRefunds, "amount"}, {core.TallyDisputes, "amount"}}

// tally counts one table, each bucket for itself: to work out the bucket of each row would take longer than all the rest.
func (d dialect) tally(kind core.TallyKind, amount, narrow string) string {
	columns := fmt.Sprintf("account, provider, currency, status, count(*) AS count, CAST(sum(%s) AS bigint) AS minor", amount)
	within := fmt.Sprintf("created_at >= bucket.edge AND created_at < bucket.next%s", narrow)
	if d == dialectPostgres {
		return fmt.Sprintf("SELECT '%s' AS kind, bucket.edge, part.* FROM bucket CROSS JOIN LATERAL (SELECT %s FROM %s WHERE %s GROUP BY account, provider, currency, status) AS part",
			kind, columns, kind, within)
	}
	return fmt.Sprintf("SELECT '%s' AS kind, bucket.edge, %s FROM bucket CROSS JOIN %s WHERE %s GROUP BY bucket.edge, account, provider, currency, status", kind, columns, kind, within)
}

// bucketRow is a row of the list of buckets.
func (d dialect) bucketRow() string {
	if d == dialectPostgres {
		return "(CAST(? AS timestamptz), CAST(? AS timestamptz))"
	}
	return "(?, ?)"
}

// Tallies counts by one statement, so that all is of one moment.
func (s *Store) Tallies(ctx context.Context, filter ports.TallyFilter) ([]core.Tally, error) {
	if err := checkTexts(filter); err != nil {
		return nil, fmt.Errorf("tally: %w", err)
	}
	if buckets := len(filter.Edges) - 1; buckets < 1 || buckets > core.SummaryBucketsMax {
		return nil, fmt.Errorf("tally of %d buckets is not within 1 and %d", buckets, core.SummaryBucketsMax)
	}
	var buckets, parts []string
	var values []any
	for i, edge := range filter.Edges[1:] {
		buckets = append(buckets, s.dialect.bucketRow())
		values = append(values, at(filter.Edges[i]), at(edge))
	}
	narrow := ""
	if filter.Currency != "" {
		narrow = " AND currency = ?"
	}
	for _, table := range tallied {
		parts = append(parts, s.dialect.tally(table.kind, table.amount, narrow))
		if filter.Currency != "" {
			values = append(values, string(filter.Currency))
		}
	}
	var rows []struct {
		Kind     core.TallyKind
		Edge     instant
		Account  core.AccountName
		Provider core.ProviderName
		Currency core.Currency
		Status   string
		Count    int64
		Minor    int64
	}
	query := fmt.Sprintf("WITH bucket (edge, next) AS (VALUES %s) %s LIMIT %d", strings.Join(buckets, ", "), strings.Join(parts, " UNION ALL "), talliesMax+1)
	if err := s.read.NewRaw(query, values...).Scan(ctx, &rows); err != nil {
		return nil, s.failed(ctx, err, "tally")
	}
	if len(rows) > talliesMax {
		return nil, fmt.Errorf("tally from %s: %w: more than %d", filter.Edges[0], errManyTallies, talliesMax)
	}
	tallies := make([]core.Tally, len(rows))
	for i, row := range rows {
		tallies[i] = core.Tally{
			Kind: row.Kind, At: row.Edge.Time, Account: row.Account, Provider: row.Provider,
			Currency: row.Currency, Status: row.Status, Count: row.Count, Minor: row.Minor,
		}
	}
	return tallies, nil
}
