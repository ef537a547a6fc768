package cli

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
)

type eventsBackfill struct {
	Since   string `help:"Begin so long ago (24h), or at that time (RFC 3339), where that is earlier than what was taken."`
	Account string `help:"At this account alone."`
	JSON    bool   `help:"Print one JSON object a line."`
}

// Run walks through the providers' lists, beside a running server, too, and fails where one could
// not be walked through.
func (c *eventsBackfill) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.trialTools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	since, err := sinceTime(c.Since, tools.Clock.Now())
	if err != nil {
		return err
	}
	accounts, err := chosen(tools, c.Account)
	if err != nil {
		return err
	}
	rows := [][]string{{"ACCOUNT", "STREAM", "STATUS", "FROM", "UNTIL", "LISTED", "NEW", "OTHERS", "NOTE"}}
	failed := false
	for _, account := range accounts {
		runs, err := tools.Reconcile.Backfill(ctx, account, since)
		for _, run := range runs {
			failed = failed || run.Status == core.BackfillFailed
			if run.Err != nil {
				tools.Logger.Warn("backfill", slog.String("account", string(account)), slog.String("stream", string(run.Stream)), slog.String("error", run.Err.Error()))
			}
			if c.JSON {
				if err := printJSON(r, backfillLine(run)); err != nil {
					return err
				}
			}
			rows = append(rows, []string{
				string(run.Account), string(run.Stream), string(run.Status), stamp(run.From), stamp(run.Until),
				strconv.Itoa(run.Listed), strconv.Itoa(run.New), strconv.Itoa(run.Others), run.Note,
			})
		}
		if err != nil {
			return err
		}
	}
	if !c.JSON {
		if err := table(r, rows); err != nil {
			return err
		}
	}
	if failed {
		return errShown
	}
	return nil
}

func backfillLine(run core.BackfillRun) map[string]any {
	return map[string]any{
		"account": run.Account, "stream": run.Stream, "status": run.Status, "from": orNull(stamp(run.From)), "until": orNull(stamp(run.Until)),
		"taken_until": stamp(run.TakenUntil), "listed": run.Listed, "new": run.New, "others": run.Others, "unreadable": run.Unreadable,
		"note": orNull(run.Note), "succeeded_at": orNull(stamp(run.SucceededAt)),
	}
}

// chosen are the accounts that a flag names; all where it is empty.
func chosen(tools *app.Tools, account string) ([]core.AccountName, error) {
	all := tools.Reconcile.Accounts()
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no account is configured", errUsage)
	}
	if account == "" {
		return all, nil
	}
	if !slices.Contains(all, core.AccountName(account)) {
		return nil, fmt.Errorf("%w: --account %s is not configured", errUsage, account)
	}
	return []core.AccountName{core.AccountName(account)}, nil
}

// sinceTime reads a duration before now, or a time; the zero time where the text is empty.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if span, err := time.ParseDuration(text); err == nil && span > 0 {
		return now.Add(-span), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.Before(now) {
		return at.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%w: --since must be a duration such as 24h, or an RFC 3339 time in the past", errUsage)
}
