//go:build wireinject

package main

import (
	"context"
	"log/slog"

	"github.com/google/wire"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/ports"
)

// newApp assembles the whole program.
func newApp(ctx context.Context, config app.Config, logger *slog.Logger, clock ports.Clock) (*app.App, func(), error) {
	panic(wire.Build(app.ServeSet))
}

// newTools assembles what one-off commands need.
func newTools(ctx context.Context, config app.Config, logger *slog.Logger, clock ports.Clock) (*app.Tools, func(), error) {
	panic(wire.Build(app.ToolSet))
}
