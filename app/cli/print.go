package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"
)

// printJSON prints one JSON object on a line of its own.
func printJSON(r *run, value any) error {
	if err := json.NewEncoder(r.Stdout).Encode(value); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// table prints rows in columns under a head.
func table(r *run, rows [][]string) error {
	w := tabwriter.NewWriter(r.Stdout, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				_, _ = fmt.Fprint(w, "\t")
			}
			_, _ = fmt.Fprint(w, cell)
		}
		_, _ = fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// stamp is a time as the API shows it; empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}
