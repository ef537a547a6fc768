package cli

import (
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/migrations"
)

type versionCommand struct {
	JSON bool `help:"Print JSON."`
}

// Run prints what this program is.
func (c *versionCommand) Run(r *run) error {
	if c.JSON {
		return printJSON(r, map[string]any{
			"version": app.Version, "commit": app.Commit(), "go": app.GoVersion(), "schema": migrations.Version,
		})
	}
	r.printf("paydesk %s\ncommit %s\n%s\nschema %d\n", app.Version, app.Commit(), app.GoVersion(), migrations.Version)
	return nil
}
