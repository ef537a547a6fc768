package bunrepo

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type driftRunRow struct {
	bun.BaseModel `bun:"table:drift_runs"`

	Account    core.AccountName `bun:"account,pk"`
	Status     core.DriftStatus `bun:"status"`
	From       instant          `bun:"from_time"`
	Until      instant          `bun:"until_time"`
	Step       int              `bun:"step"`
	Page       string           `bun:"page,nullzero"`
	Compared   int64            `bun:"compared"`
	Others     int64            `bun:"others"`
	Unreadable int64            `bun:"unreadable"`
	Repaired   int64            `bun:"repaired"`
	Remaining  int64            `bun:"remaining"`
	Note       string           `bun:"note,nullzero"`
	StartedAt  instant          `bun:"started_at"`
	RanAt      instant          `bun:"ran_at"`
	EndedAt    instant          `bun:"ended_at"`
}

func driftRun(row driftRunRow) (core.DriftRun, error) {
	return core.DriftRun{
		Account: row.Account, Status: row.Status, From: row.From.Time, Until: row.Until.Time, Step: row.Step, Page: row.Page,
		Compared: row.Compared, Others: row.Others, Unreadable: row.Unreadable, Repaired: row.Repaired, Remaining: row.Remaining,
		Note: row.Note, StartedAt: row.StartedAt.Time, RanAt: row.RanAt.Time, EndedAt: row.EndedAt.Time,
	}, nil
}

// SaveDriftRun stores how far a comparison came.
func (t *tx) SaveDriftRun(ctx context.Context, r core.DriftRun) error {
	err := checkTexts(r)
	if err == nil {
		err = checkKnown("status", r.Status)
	}
	if err == nil {
		row := driftRunRow{
			Account: r.Account, Status: r.Status, From: at(r.From), Until: at(r.Until), Step: r.Step, Page: r.Page,
			Compared: r.Compared, Others: r.Others, Unreadable: r.Unreadable, Repaired: r.Repaired, Remaining: r.Remaining,
			Note: r.Note, StartedAt: at(r.StartedAt), RanAt: at(r.RanAt), EndedAt: at(r.EndedAt),
		}
		query := t.tx.NewInsert().Model(&row).On("CONFLICT (account) DO UPDATE").Returning("NULL")
		for _, column := range []string{
			"status", "from_time", "until_time", "step", "page", "compared", "others", "unreadable", "repaired", "remaining",
			"note", "started_at", "ran_at", "ended_at",
		} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		_, err = query.Exec(ctx)
	}
	return t.failed(ctx, err, "save the comparison of %s", r.Account)
}

// DriftRuns gives all accounts' comparisons.
func (s *Store) DriftRuns(ctx context.Context) ([]core.DriftRun, error) {
	var rows []driftRunRow
	if err := s.read.NewSelect().Model(&rows).Order("account").Limit(rowsMax).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list comparisons")
	}
	return mapped(rows, driftRun)
}

type driftRow struct {
	bun.BaseModel `bun:"table:drifts"`

	Account   core.AccountName `bun:"account,pk"`
	Kind      core.ObjectKind  `bun:"kind,pk"`
	ForeignID string           `bun:"foreign_id,pk"`
	Class     core.DriftClass  `bun:"class"`
	ID        string           `bun:"object_id,nullzero"`
	Fields    document         `bun:"fields"`
	Note      string           `bun:"note,nullzero"`
	FoundAt   instant          `bun:"found_at"`
}

func drift(row driftRow) (core.Drift, error) {
	fields, err := decode[[]core.Difference](row.Fields)
	return core.Drift{
		Account: row.Account, Kind: row.Kind, Class: row.Class, ID: row.ID, ForeignID: row.ForeignID, Fields: fields,
		Note: row.Note, FoundAt: row.FoundAt.Time,
	}, err
}

// SaveDrift stores what a comparison found.
func (t *tx) SaveDrift(ctx context.Context, d core.Drift) error {
	fields, err := encode(d.Fields, "[]")
	if err == nil {
		err = checkTexts(d)
	}
	if err == nil {
		err = checkKnown("class", d.Class)
	}
	if err == nil {
		row := driftRow{
			Account: d.Account, Kind: d.Kind, ForeignID: d.ForeignID, Class: d.Class, ID: d.ID, Fields: fields,
			Note: d.Note, FoundAt: at(d.FoundAt),
		}
		query := t.tx.NewInsert().Model(&row).On("CONFLICT (account, kind, foreign_id) DO UPDATE").Returning("NULL")
		for _, column := range []string{"class", "object_id", "fields", "note", "found_at"} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		_, err = query.Exec(ctx)
	}
	return t.failed(ctx, err, "save the drift of %s %s", d.Account, d.ForeignID)
}

// ClearDrifts forgets what an account's comparison found.
func (t *tx) ClearDrifts(ctx context.Context, account core.AccountName) error {
	_, err := t.tx.NewDelete().Model((*driftRow)(nil)).Where("account = ?", account).Exec(ctx)
	return t.failed(ctx, err, "clear the drift of %s", account)
}

// Drifts gives what the comparisons found.
func (s *Store) Drifts(ctx context.Context) ([]core.Drift, error) {
	var rows []driftRow
	if err := s.read.NewSelect().Model(&rows).Order("account", "kind", "foreign_id").Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list drift")
	}
	return mapped(rows, drift)
}

// HeldObjects gives objects that were made or changed in a time, by our ids.
func (s *Store) HeldObjects(ctx context.Context, in ports.HeldObjects, after string, limit int) ([]ports.OpenObject, error) {
	query, err := s.knownThere(in.Account, in.Kind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list held objects: %w", err)
	}
	if !in.MadeFrom.IsZero() {
		query = query.Where("created_at >= ?", at(in.MadeFrom))
	}
	if !in.MadeUntil.IsZero() {
		query = query.Where("created_at < ?", at(in.MadeUntil))
	}
	if !in.ChangedFrom.IsZero() {
		query = query.Where("updated_at >= ?", at(in.ChangedFrom))
	}
	objects, err := knownObjects(ctx, query, in.Account, in.Kind)
	return objects, s.failed(ctx, err, "list held objects of %s", in.Account)
}
