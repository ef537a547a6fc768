package cli

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/adapters/bunrepo"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Bring the schema to this program's version."`
	Down   migrateDown   `cmd:"" help:"Take the schema back; data in what is dropped is lost."`
	Status migrateStatus `cmd:"" help:"Tell the schema's version."`
}

type migrateUp struct{}

// Run migrates up.
func (c *migrateUp) Run(ctx context.Context, r *run) error {
	config, err := r.config(nil)
	if err != nil {
		return err
	}
	version, err := bunrepo.MigrateUp(ctx, config.DatabaseURL, config.Environment)
	if err != nil {
		return err
	}
	r.printf("schema %d\n", version)
	return nil
}

type migrateDown struct {
	To  int  `default:"-1" help:"The version to go back to; one less than the present one unless given."`
	Yes bool `required:"" help:"Say that losing the data is meant."`
}

// Run migrates down.
func (c *migrateDown) Run(ctx context.Context, r *run) error {
	config, err := r.config(nil)
	if err != nil {
		return err
	}
	if c.To < -1 {
		return fmt.Errorf("%w: --to must be 0 or more", errUsage)
	}
	version, err := bunrepo.MigrateDown(ctx, config.DatabaseURL, c.To)
	if err != nil {
		return err
	}
	r.printf("schema %d\n", version)
	return nil
}

type migrateStatus struct {
	JSON bool `help:"Print JSON."`
}

// Run tells where the schema stands.
func (c *migrateStatus) Run(ctx context.Context, r *run) error {
	config, err := r.config(nil)
	if err != nil {
		return err
	}
	status, err := bunrepo.MigrationStatus(ctx, config.DatabaseURL)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(r, map[string]any{"schema": status.Version, "known": status.Known, "environment": orNull(string(status.Environment))})
	}
	r.printf("schema %d of %d\n", status.Version, status.Known)
	return nil
}
