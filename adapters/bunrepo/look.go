package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// accountsMax is the most accounts that one round looks after.
const accountsMax = 100

// lookTables say where each kind lies. The look_at of each follows from the row's own state; it is
// stored so that what is due is found by an index.
var lookTables = map[ports.LookKind]string{
	ports.LookOperation: "operations", ports.LookPayment: "payments", ports.LookRefund: "refunds",
	ports.LookDispute: "disputes", ports.LookMethod: "payment_methods", ports.LookSubscription: "subscriptions",
}

func lookTable(kind ports.LookKind) (bun.Ident, error) {
	table, ok := lookTables[kind]
	if !ok {
		return "", fmt.Errorf("kind %q is not looked at", kind)
	}
	return bun.Ident(table), nil
}

// AccountsDue gives the accounts with something of a kind that is due to be looked at. It goes from
// account to account through the index, and reads one row of each.
func (s *Store) AccountsDue(ctx context.Context, kind ports.LookKind, when time.Time) ([]core.AccountName, error) {
	table, err := lookTable(kind)
	if err != nil {
		return nil, err
	}
	var accounts []core.AccountName
	last := core.AccountName("")
	for range accountsMax {
		var first struct {
			Account core.AccountName `bun:"account"`
			LookAt  instant          `bun:"look_at"`
		}
		err := s.read.NewSelect().TableExpr("?", table).Column("account", "look_at").Where("look_at IS NOT NULL").
			Where("account > ?", last).Order("account", "look_at").Limit(1).Scan(ctx, &first)
		if errors.Is(err, sql.ErrNoRows) {
			return accounts, nil
		}
		if err != nil {
			return nil, s.failed(ctx, err, "list accounts with what is due in %s", table)
		}
		if last = first.Account; !first.LookAt.After(at(when).Time) {
			accounts = append(accounts, last)
		}
	}
	return accounts, nil
}

// LooksDue gives what of a kind and an account is due to be looked at, the longest due first.
func (s *Store) LooksDue(ctx context.Context, kind ports.LookKind, account core.AccountName, when time.Time, limit int) ([]string, error) {
	table, err := lookTable(kind)
	if err == nil {
		err = checkLimit(limit)
	}
	if err != nil {
		return nil, err
	}
	var ids []string
	err = s.read.NewSelect().TableExpr("?", table).Column("id").Where("look_at IS NOT NULL").
		Where("account = ?", account).Where("look_at <= ?", at(when)).Order("look_at", "id").Limit(int64(limit)).Scan(ctx, &ids)
	return ids, s.failed(ctx, err, "list what is due in %s", table)
}

// InboundWaiting gives events that wait and that nobody took up since a given time, the longest
// waiting first.
func (s *Store) InboundWaiting(ctx context.Context, unseenSince time.Time, limit int) ([]core.InboundID, error) {
	query := s.read.NewSelect().Model((*inboundRow)(nil)).Where("status = 'received'").
		Where("coalesce(looked_at, received_at) < ?", at(unseenSince)).OrderExpr("coalesce(looked_at, received_at), id")
	ids, err := sweep[core.InboundID](ctx, query, limit)
	return ids, s.failed(ctx, err, "list waiting inbound events")
}

// NoteInboundLook notes that somebody took a waiting event up.
func (t *tx) NoteInboundLook(ctx context.Context, id core.InboundID, when time.Time) error {
	_, err := t.tx.NewUpdate().Model((*inboundRow)(nil)).Set("looked_at = ?", at(when)).Where("id = ?", id).Where("status = 'received'").Exec(ctx)
	return t.failed(ctx, err, "note the look at %s", id)
}

// unsettledOf says what of each kind counts as unsettled, and what of it is for staff. The conditions
// are those of indexes, so that what has come to its end is not read.
var unsettledOf = []struct {
	kind                          ports.LookKind
	table, what, where, staff, at string
}{
	{ports.LookOperation, "operations", "kind", "place > 0", "given_up_at IS NOT NULL", "created_at"},
	{ports.LookPayment, "payments", "'payment'", "look_at IS NOT NULL AND status <> 'authorized'", "anomaly IN ('stuck', 'missing', 'overpaid')", "created_at"},
	{ports.LookRefund, "refunds", "'refund'", "status = 'pending'", "anomaly IN ('stuck', 'missing')", "created_at"},
	{ports.LookDispute, "disputes", "'dispute'", "anomaly IN ('stuck', 'missing')", "true", "created_at"},
	{ports.LookSubscription, "subscriptions", "'subscription'", "anomaly IN ('stuck', 'missing')", "true", "created_at"},
	{ports.LookEvent, "inbound_events", "'event'", "status = 'received'", "false", "received_at"},
}

// Unsettled counts what is not settled.
func (s *Store) Unsettled(ctx context.Context) ([]ports.Unsettled, error) {
	var all []ports.Unsettled
	for _, of := range unsettledOf {
		var rows []struct {
			Account  core.AccountName `bun:"account"`
			What     string           `bun:"what"`
			Status   string           `bun:"status"`
			ForStaff bool             `bun:"for_staff"`
			Amount   int64            `bun:"amount"`
			Oldest   instant          `bun:"oldest"`
		}
		err := s.read.NewSelect().TableExpr("?", bun.Ident(of.table)).
			ColumnExpr("account, status, "+of.what+" AS what, coalesce("+of.staff+", false) AS for_staff, count(*) AS amount, min("+of.at+") AS oldest").
			Where(of.where).GroupExpr("1, 2, 3, 4").Scan(ctx, &rows)
		if err != nil {
			return nil, s.failed(ctx, err, "count unsettled rows of kind %s", of.kind)
		}
		for _, row := range rows {
			all = append(all, ports.Unsettled{
				Kind: of.kind, Account: row.Account, What: row.What, Status: row.Status,
				ForStaff: row.ForStaff, Count: row.Amount, Oldest: row.Oldest.Time,
			})
		}
	}
	return all, nil
}
