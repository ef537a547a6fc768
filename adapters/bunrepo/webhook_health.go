package bunrepo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type webhookCountRow struct {
	bun.BaseModel `bun:"table:webhook_counts"`

	Account core.AccountName    `bun:"account,pk"`
	Hour    instant             `bun:"hour,pk"`
	Result  core.DeliveryResult `bun:"result,pk"`
	Count   int64               `bun:"count"`
}

type webhookCheckRow struct {
	bun.BaseModel `bun:"table:webhook_checks"`

	Account     core.AccountName  `bun:"account,pk"`
	State       core.WebhookState `bun:"state"`
	Missing     document          `bun:"missing"`
	APIVersions document          `bun:"api_versions"`
	Note        string            `bun:"note,nullzero"`
	FirstAt     instant           `bun:"first_at"`
	TriedAt     instant           `bun:"tried_at"`
	CheckedAt   instant           `bun:"checked_at"`
}

// LastInbound gives the newest event of each type that a webhook brought. Each is one step into an
// index, however many events there are.
func (s *Store) LastInbound(ctx context.Context, account core.AccountName, types []string) ([]core.LastEvent, error) {
	var last []core.LastEvent
	for _, kind := range types {
		var rows []inboundRow
		err := s.read.NewSelect().Model(&rows).Column("type", "api_version", "received_at").
			Where("account = ?", account).Where("type = ?", kind).
			Where("source = 'webhook'").Order("received_at DESC").Limit(1).Scan(ctx)
		if err != nil {
			return nil, s.failed(ctx, err, "read last event of %s", account)
		}
		for _, row := range rows {
			last = append(last, core.LastEvent{Type: row.Type, APIVersion: row.APIVersion, ReceivedAt: row.ReceivedAt.Time})
		}
	}
	slices.SortFunc(last, func(a, b core.LastEvent) int {
		return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), strings.Compare(a.Type, b.Type))
	})
	return last, nil
}

// MissedInbound counts events that no webhook had brought.
func (s *Store) MissedInbound(ctx context.Context, account core.AccountName, from time.Time) (int64, time.Time, error) {
	var missed struct {
		Count int64   `bun:"count"`
		Last  instant `bun:"last"`
	}
	err := s.read.NewSelect().Model((*inboundRow)(nil)).ColumnExpr("count(*) AS count, max(received_at) AS last").
		Where("account = ?", account).Where("source = 'backfill'").Where("received_at >= ?", at(from)).Scan(ctx, &missed)
	return missed.Count, missed.Last.Time, s.failed(ctx, err, "count missed events of %s", account)
}

// DeliveryCounts sums what became of posts up.
func (s *Store) DeliveryCounts(ctx context.Context, from time.Time) ([]core.DeliveryCount, error) {
	var rows []webhookCountRow
	err := s.read.NewSelect().Model(&rows).Column("account", "result").ColumnExpr("CAST(sum(count) AS bigint) AS count").
		Where("hour >= ?", at(from)).Group("account", "result").Order("account", "result").Scan(ctx)
	if err != nil {
		return nil, s.failed(ctx, err, "count deliveries")
	}
	counts := make([]core.DeliveryCount, 0, len(rows))
	for _, row := range rows {
		counts = append(counts, core.DeliveryCount{Account: row.Account, Result: row.Result, Count: row.Count})
	}
	return counts, nil
}

// AddDeliveryCounts adds to what was counted. Always in the same order, so that two who do it at the
// same time do not wait for each other.
func (t *tx) AddDeliveryCounts(ctx context.Context, counts []core.DeliveryCount) error {
	if len(counts) == 0 {
		return nil
	}
	rows := make([]webhookCountRow, 0, len(counts))
	for _, c := range counts {
		if err := checkKnown("result", c.Result); err != nil {
			return t.failed(ctx, err, "count deliveries")
		}
		rows = append(rows, webhookCountRow{Account: c.Account, Hour: at(c.Hour), Result: c.Result, Count: c.Count})
	}
	slices.SortFunc(rows, func(a, b webhookCountRow) int {
		return cmp.Or(a.Hour.Compare(b.Hour.Time), strings.Compare(string(a.Account), string(b.Account)), strings.Compare(string(a.Result), string(b.Result)))
	})
	_, err := t.tx.NewInsert().Model(&rows).On("CONFLICT (hour, account, result) DO UPDATE").
		Set("count = webhook_count_row.count + EXCLUDED.count").Returning("NULL").Exec(ctx)
	return t.failed(ctx, err, "count deliveries")
}

// PruneDeliveryCounts removes counts of hours before a time.
func (t *tx) PruneDeliveryCounts(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := checkLimit(limit); err != nil {
		return 0, t.failed(ctx, err, "prune counts of deliveries")
	}
	old := t.tx.NewSelect().Model((*webhookCountRow)(nil)).Column("hour", "account", "result").
		Where("hour < ?", at(before)).Order("hour").Limit(int64(limit))
	result, err := t.tx.NewDelete().Model((*webhookCountRow)(nil)).Where("(hour, account, result) IN (?)", old).Exec(ctx)
	if err != nil {
		return 0, t.failed(ctx, err, "prune counts of deliveries")
	}
	removed, err := result.RowsAffected()
	return int(removed), t.failed(ctx, err, "prune counts of deliveries")
}

// WebhookChecks gives what was last seen of all accounts' webhooks.
func (s *Store) WebhookChecks(ctx context.Context) ([]core.WebhookCheck, error) {
	var rows []webhookCheckRow
	if err := s.read.NewSelect().Model(&rows).Order("account").Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list webhook checks")
	}
	checks := make([]core.WebhookCheck, 0, len(rows))
	for _, row := range rows {
		missing, err := decode[[]string](row.Missing)
		if err != nil {
			return nil, s.failed(ctx, err, "read webhook check of %s", row.Account)
		}
		versions, err := decode[[]string](row.APIVersions)
		if err != nil {
			return nil, s.failed(ctx, err, "read webhook check of %s", row.Account)
		}
		checks = append(checks, core.WebhookCheck{
			Account: row.Account, State: row.State, Missing: missing, APIVersions: versions, Note: row.Note,
			FirstAt: row.FirstAt.Time, TriedAt: row.TriedAt.Time, CheckedAt: row.CheckedAt.Time,
		})
	}
	return checks, nil
}

// SaveWebhookCheck stores what was seen of an account's webhook.
func (t *tx) SaveWebhookCheck(ctx context.Context, c core.WebhookCheck) error {
	row, err := webhookCheckOf(c)
	if err == nil {
		_, err = t.tx.NewInsert().Model(&row).On("CONFLICT (account) DO UPDATE").
			Set("state = EXCLUDED.state").Set("missing = EXCLUDED.missing").Set("api_versions = EXCLUDED.api_versions").
			Set("note = EXCLUDED.note").Set("tried_at = EXCLUDED.tried_at").Set("checked_at = EXCLUDED.checked_at").Returning("NULL").Exec(ctx)
	}
	return t.failed(ctx, err, "save webhook check of %s", c.Account)
}

func webhookCheckOf(c core.WebhookCheck) (row webhookCheckRow, err error) {
	if err := checkTexts(c); err != nil {
		return row, err
	}
	if err := checkKnown("state", c.State); err != nil {
		return row, err
	}
	row = webhookCheckRow{
		Account: c.Account, State: c.State, Note: c.Note, FirstAt: at(c.FirstAt), TriedAt: at(c.TriedAt), CheckedAt: at(c.CheckedAt),
	}
	if row.Missing, err = encode(c.Missing, "[]"); err != nil {
		return row, err
	}
	row.APIVersions, err = encode(c.APIVersions, "[]")
	return row, err
}
