package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
)

type reconcileCommand struct {
	Since   string `help:"Compare what was made or changed so long ago (24h) or since that time (RFC 3339); two days unless told otherwise."`
	Account string `help:"This account alone."`
	DryRun  bool   `help:"Repair nothing, and store nothing."`
	Last    bool   `help:"Compare nothing: print what remained of each account's last comparison."`
	JSON    bool   `help:"Print one JSON object a line." xor:"form"`
	CSV     bool   `help:"Print comma-separated values, one line for each field that differs." xor:"form"`
}

// Run compares our records with each provider's, repairs what it can and prints what differed. It
// fails where something remains, or where an account could not be compared.
func (c *reconcileCommand) Run(ctx context.Context, r *run) error {
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
	out := newDriftPrinter(r, c.JSON, c.CSV)
	var runs []core.DriftRun
	if c.Last {
		runs, err = lastDrift(ctx, tools, accounts, out)
	} else {
		runs, err = c.compare(ctx, tools, accounts, since, out)
	}
	if err != nil {
		return err
	}
	if err := out.end(); err != nil {
		return err
	}
	fine := true
	for _, run := range runs {
		fine = fine && run.Status == core.DriftDone && run.Remaining == 0
		_, _ = fmt.Fprintln(r.Stderr, driftLine(run))
	}
	if !fine {
		return errShown
	}
	return nil
}

func (c *reconcileCommand) compare(ctx context.Context, tools *app.Tools, accounts []core.AccountName, since time.Time, out *driftPrinter) (runs []core.DriftRun, err error) {
	for _, account := range accounts {
		run, failed, err := tools.Reconcile.Reconcile(ctx, account, since, c.DryRun, out.print)
		if err != nil {
			return nil, err
		}
		if failed != nil {
			tools.Logger.Warn("reconcile", slog.String("account", string(account)), slog.String("error", failed.Error()))
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// lastDrift prints what is stored.
func lastDrift(ctx context.Context, tools *app.Tools, accounts []core.AccountName, out *driftPrinter) (runs []core.DriftRun, err error) {
	wanted := make(map[core.AccountName]bool, len(accounts))
	for _, account := range accounts {
		wanted[account] = true
	}
	all, err := tools.Store.DriftRuns(ctx)
	if err != nil {
		return nil, err
	}
	for _, run := range all {
		if wanted[run.Account] {
			runs = append(runs, run)
		}
	}
	drifts, err := tools.Store.Drifts(ctx)
	if err != nil {
		return nil, err
	}
	for _, drift := range drifts {
		if wanted[drift.Account] {
			if err := out.print(drift); err != nil {
				return nil, err
			}
		}
	}
	return runs, nil
}

// driftLine sums a comparison up in a line for people.
func driftLine(run core.DriftRun) string {
	text := fmt.Sprintf("%s: %s, from %s to %s: %d compared, %d repaired, %d remain, %d of other programs, %d unreadable",
		run.Account, run.Status, stamp(run.From), stamp(run.Until), run.Compared, run.Repaired, run.Remaining, run.Others, run.Unreadable)
	if run.Note != "" {
		text += " (" + run.Note + ")"
	}
	return text
}

// driftPrinter prints what differs in one of three forms.
type driftPrinter struct {
	r    *run
	json bool
	csv  *csv.Writer
	rows [][]string
	more int // that are in no row
}

// driftRowsMax is how many rows a table for people has; the other forms have no end.
const driftRowsMax = 1_000

func newDriftPrinter(r *run, json, asCSV bool) *driftPrinter {
	p := &driftPrinter{r: r, json: json}
	if asCSV {
		p.csv = csv.NewWriter(r.Stdout)
		// Kept until it is flushed, and so is its error.
		_ = p.csv.Write([]string{"account", "kind", "class", "id", "provider_id", "field", "ours", "theirs", "repaired", "note", "found_at"})
	} else if !json {
		p.rows = [][]string{{"ACCOUNT", "KIND", "CLASS", "OURS", "PROVIDER'S", "DIFFERS", "REPAIRED", "NOTE"}}
	}
	return p
}

func (p *driftPrinter) print(d core.Drift) error {
	repaired := "no"
	if d.Repaired {
		repaired = "yes"
	}
	switch {
	case p.json:
		fields := d.Fields
		if fields == nil {
			fields = []core.Difference{}
		}
		return printJSON(p.r, map[string]any{
			"account": d.Account, "kind": d.Kind, "class": d.Class, "id": orNull(d.ID), "provider_id": d.ForeignID, "differences": fields,
			"repaired": d.Repaired, "note": orNull(d.Note), "found_at": stamp(d.FoundAt),
		})
	case p.csv != nil:
		fields := d.Fields
		if len(fields) == 0 {
			fields = []core.Difference{{}}
		}
		for _, f := range fields {
			if err := p.csv.Write([]string{
				string(d.Account), string(d.Kind), string(d.Class), d.ID, d.ForeignID, f.Field, f.Ours, f.Theirs, repaired, d.Note, stamp(d.FoundAt),
			}); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
	case len(p.rows) > driftRowsMax:
		p.more++
	default:
		texts := make([]string, 0, len(d.Fields))
		for _, f := range d.Fields {
			texts = append(texts, fmt.Sprintf("%s: %q here, %q there", f.Field, f.Ours, f.Theirs))
		}
		p.rows = append(p.rows, []string{
			string(d.Account), string(d.Kind), string(d.Class), d.ID, d.ForeignID, strings.Join(texts, "; "), repaired, d.Note,
		})
	}
	return nil
}

// end prints what is printed at once.
func (p *driftPrinter) end() error {
	switch {
	case p.json:
		return nil
	case p.csv != nil:
		if p.csv.Flush(); p.csv.Error() != nil {
			return fmt.Errorf("print: %w", p.csv.Error())
		}
		return nil
	}
	if len(p.rows) < 2 {
		return nil // a table of nothing is none
	}
	if err := table(p.r, p.rows); err != nil {
		return err
	}
	if p.more > 0 {
		p.r.printf("and %d more; --json and --csv show all\n", p.more)
	}
	return nil
}
