package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
	"github.com/paydesk/paydesk/internal/load"
)

const (
	// adminSizes are how many payments are stored, one size after the other; $PAYDESK_BENCH_PAYMENTS gives others.
	adminSizes = "100000,1000000"
	// adminFor is about how long each query is sent over each number of connections.
	adminFor = 5 * time.Second
	// adminFirst is how many queries tell how many fit into that time.
	adminFirst = 100
	// adminPostsMax bounds what is kept of one run.
	adminPostsMax = 200_000
)

// adminSeed stores $1 payments of the 90 days before now, 20 refunds and 2 disputes for each hundred, and the
// customers who paid. Nothing of it is due for a job.
var adminSeed = []string{
	`INSERT INTO customers (id, version, environment, metadata, created_at, updated_at)
SELECT 'cus_' || lpad(i::text, 26, '0'), 1, 'test', '{}', now(), now() FROM generate_series(0, $1 / 20) AS i`,
	`INSERT INTO payments (id, version, reference, customer, account, provider, provider_payment_id, status, amount, amount_authorized, amount_captured,
amount_refunded, currency, capture, method, last4, disputed, environment, metadata, created_at, updated_at)
SELECT 'pay_' || lpad(i::text, 26, '0'), 1, 'order-' || i, 'cus_' || lpad((i * 7919 % ($1 / 20))::text, 26, '0'), provider, provider, 'obj_' || i, status,
amount, paid, paid, CASE WHEN i % 5 = 0 THEN paid / 2 ELSE 0 END, (ARRAY['USD', 'USD', 'USD', 'EUR', 'JPY'])[1 + i % 5], 'automatic',
jsonb_build_object('type', 'card', 'brand', 'visa', 'last4', last4, 'exp_month', 12, 'exp_year', 2031), last4, i % 50 = 0, 'test', '{"cart": "c-1"}', at, at
FROM (SELECT i, provider, status, amount, CASE WHEN status = 'succeeded' THEN amount ELSE 0 END AS paid, last4, at FROM (
SELECT i, (ARRAY['stripe', 'paypal', 'square'])[1 + i / 7 % 3] AS provider, 500 + i * 31 % 20000 AS amount, lpad((i * 17 % 10000)::text, 4, '0') AS last4,
CASE WHEN i % 5 = 0 OR i % 11 > 1 THEN 'succeeded' WHEN i % 3 = 0 THEN 'expired' WHEN i % 3 = 1 THEN 'canceled' ELSE 'failed' END AS status,
now() - interval '90 days' * (($1 - i)::float8 / $1) AS at FROM generate_series(1, $1::bigint) AS i) AS a) AS b`,
	`INSERT INTO refunds (id, version, payment, account, provider, provider_refund_id, status, amount, currency, reason, origin, environment, metadata, created_at, updated_at)
SELECT 'ref_' || substr(id, 5), 1, id, account, provider, 're_' || provider_payment_id, 'succeeded', amount_refunded, currency, 'requested_by_customer', 'here', 'test', '{}', created_at, created_at
FROM payments WHERE amount_refunded > 0 AND $1 > 0`,
	`INSERT INTO disputes (id, version, payment, account, provider, provider_dispute_id, status, reason, amount, currency, fee, withdrawn, reinstated, can_submit,
can_accept, reminded_days, environment, created_at, updated_at)
SELECT 'dsp_' || substr(id, 5), 1, id, account, provider, 'du_' || provider_payment_id, 'won', 'general', amount, currency, 0, 0, 0, false, false, 0, 'test', created_at, created_at
FROM payments WHERE disputed AND $1 > 0`,
}

// seedAdmin fills a database whose schema stands.
func seedAdmin(b *testing.B, url string, payments int) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	require.NoError(b, err)
	defer func() { require.NoError(b, conn.Close(b.Context())) }()
	start := time.Now()
	_, err = conn.Exec(b.Context(), "SET synchronous_commit = off")
	require.NoError(b, err)
	for _, statement := range adminSeed {
		_, err := conn.Exec(b.Context(), statement, payments)
		require.NoError(b, err, statement)
	}
	_, err = conn.Exec(b.Context(), "VACUUM ANALYZE")
	require.NoError(b, err)
	b.Logf("%d payments stored in %s", payments, time.Since(start).Round(time.Second))
}

// adminQuery is one of the queries that are measured.
type adminQuery struct{ name, query string }

func adminQueries(payments int, deep string) []adminQuery {
	const node = `{ nodes { id status reference account amount { minor currency formatted } amountCaptured { minor } amountRefunded { minor } createdAt } pageInfo { hasNextPage endCursor } }`
	from, to := time.Now().UTC().AddDate(0, 0, -90).Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339)
	return []adminQuery{
		{"first 50", `{ payments(first: 50) ` + node + ` }`},
		{"50 by status with refunds and customer", `{ payments(first: 50, filter: {status: [SUCCEEDED]}) { nodes { id status amount { minor currency } createdAt refunds { id status amount { minor } createdAt } customer { id createdAt } } pageInfo { hasNextPage endCursor } } }`},
		{"a page deep in the list", `{ payments(first: 50, after: "` + deep + `") ` + node + ` }`},
		{"search", `{ search(text: "order-` + strconv.Itoa(payments/3) + `") { ... on Payment { id reference status amount { formatted } } } }`},
		{"summary", `{ summary(from: "` + from + `", to: "` + to + `") { currencies { currency totals { payments volume { minor } successRate refunded { minor } disputes }
			buckets { from figures { payments volume { minor } successRate refunds disputes } } accounts { account totals { payments volume { minor } successRate } } } } }`},
	}
}

// askAdmin sends a query that must be answered whole.
func askAdmin(b *testing.B, house *apptest.House, query string, into any) {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	require.NoError(b, err)
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, house.AdminURL+"/graphql", bytes.NewReader(body))
	require.NoError(b, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+house.StaffToken)
	response, err := http.DefaultClient.Do(request)
	require.NoError(b, err)
	defer func() { require.NoError(b, response.Body.Close()) }()
	var answer struct {
		Data   json.RawMessage
		Errors []any
	}
	require.NoError(b, json.NewDecoder(response.Body).Decode(&answer))
	require.Empty(b, answer.Errors, query)
	require.NoError(b, json.Unmarshal(answer.Data, into))
}

// deepCursor is a place in the middle of the list of payments.
func deepCursor(b *testing.B, house *apptest.House) string {
	b.Helper()
	var page struct {
		Payments struct{ PageInfo struct{ EndCursor string } }
	}
	askAdmin(b, house, `{ payments(first: 1, filter: {createdBefore: "`+time.Now().UTC().AddDate(0, 0, -45).Format(time.RFC3339)+`"}) { pageInfo { endCursor } } }`, &page)
	return page.Payments.PageInfo.EndCursor
}

// adminPosts are as many of one query as are asked for.
func adminPosts(b *testing.B, house *apptest.House, query string, count int) []load.Post {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	require.NoError(b, err)
	host := strings.TrimPrefix(house.AdminURL, "http://")
	wire := fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", host, house.StaffToken, len(body), body)
	posts := make([]load.Post, min(count, adminPostsMax))
	for i := range posts {
		posts[i] = load.Post{Wire: wire}
	}
	return posts
}

// BenchmarkAdmin fills PostgreSQL and asks the admin API of the real program what staff ask most, over 16 and 200
// connections, for as long as fits into some seconds.
func BenchmarkAdmin(b *testing.B) {
	for size := range strings.SplitSeq(cmp.Or(os.Getenv("PAYDESK_BENCH_PAYMENTS"), adminSizes), ",") {
		payments, err := strconv.Atoi(size)
		require.NoError(b, err)
		b.Run(size, func(b *testing.B) {
			url := needPostgres(b)
			house := apptest.StartPlain(b, "PAYDESK_DATABASE_URL="+url)
			seedAdmin(b, url, payments)
			for _, q := range adminQueries(payments, deepCursor(b, house)) {
				askAdmin(b, house, q.query, new(any))
				for _, connections := range []int{16, 200} {
					b.Run(fmt.Sprintf("%s/%d", q.name, connections), func(b *testing.B) {
						for b.Loop() {
							measureAdmin(b, house, q.query, connections)
						}
					})
				}
			}
		})
	}
}

func measureAdmin(b *testing.B, house *apptest.House, query string, connections int) {
	b.Helper()
	host := strings.TrimPrefix(house.AdminURL, "http://")
	first, err := load.Flat(b.Context(), host, adminPosts(b, house, query, adminFirst), min(connections, adminFirst))
	require.NoError(b, err)
	count := max(int(first.PerSecond()*adminFor.Seconds()), 2*connections)
	report, err := load.Flat(b.Context(), host, adminPosts(b, house, query, count), connections)
	require.NoError(b, err)
	require.Len(b, report.Statuses, 1)
	require.Contains(b, report.Statuses, http.StatusOK)
	b.ReportMetric(report.PerSecond(), "queries/s")
	b.ReportMetric(milliseconds(report.At(500)), "p50-ms")
	b.ReportMetric(milliseconds(report.At(990)), "p99-ms")
	b.ReportMetric(0, "ns/op")
}
