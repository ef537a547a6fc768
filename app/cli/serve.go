package cli

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/paydesk/paydesk/app"
)

type serveCommand struct {
	Roles string `default:"public,admin,worker" help:"Comma list of the parts to run: public, admin, worker."`
}

// Run serves until the process is asked to stop.
func (c *serveCommand) Run(ctx context.Context, r *run) error {
	roles, err := app.ParseRoles(c.Roles)
	if err != nil {
		return fmt.Errorf("%w: --roles %w", errUsage, err)
	}
	config, err := r.config(nil)
	if err != nil {
		return err
	}
	logger := app.NewLogger(r.Stderr, config.LogLevel, false)
	program, stop, err := r.App(ctx, config, logger, app.ServeClock())
	if err != nil {
		return err
	}
	defer stop()
	err = program.Run(ctx, roles, func(at app.Addresses) {
		logger.Info("ready", slog.String("public", at.Public), slog.String("admin", at.Admin), slog.String("ops", at.Ops),
			slog.String("environment", string(config.Environment)), slog.String("version", app.Version))
	})
	if err == nil {
		logger.Info("stopped")
	}
	return err
}
