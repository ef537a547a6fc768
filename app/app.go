package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/paydesk/paydesk/adapters/telemetry"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/observe"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/reconcile"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
)

// App is the assembled program, ready to run.
type App struct {
	Config        Config
	Logger        *slog.Logger
	Clock         ports.Clock
	Store         ports.Store
	Jobs          ports.Jobs
	Journal       ports.Journal
	Rush          *Rush
	Telemetry     *telemetry.Telemetry
	Inbox         *observe.Inbox
	Repair        *repair.Service
	Unsettled     *telemetry.Unsettled
	Payments      *payments.Service
	Refunds       *refunds.Service
	Disputes      *disputes.Service
	Customers     *customers.Service
	Subscriptions *subscriptions.Service
	Reconcile     *reconcile.Service
	Backfill      *telemetry.Backfill // its metrics
	Health        *health.Service
	Webhooks      *telemetry.Webhooks // its metrics
	Tally         *health.Tally
	Notify        *notify.Service
	Access        *access.Service
	Idempotency   *idempotency.Service
	Public        PublicHandler
	Admin         AdminHandler
}

// Handlers of the listeners. They are types of their own so that the wiring can tell
// them apart.
type (
	// PublicHandler serves the public listener.
	PublicHandler http.Handler
	// AdminHandler serves the admin listener.
	AdminHandler http.Handler
)

// Tools is the part of the program that one-off commands use beside a running server.
type Tools struct {
	Config    Config
	Logger    *slog.Logger
	Clock     ports.Clock
	Store     ports.Store
	Inbox     *observe.Inbox
	Reconcile *reconcile.Service
	Health    *health.Service
	Access    *access.Service
}

// Bootstrap makes sure that the key and the member of staff of the configuration exist.
func (a *App) Bootstrap(ctx context.Context) error {
	const actor = "bootstrap"
	if key := a.Config.BootstrapKey; key != "" {
		if err := a.Access.EnsureAPIKey(ctx, key, actor); err != nil {
			return fmt.Errorf("bootstrap the API key: %w", err)
		}
	}
	if staff := a.Config.BootstrapStaff; staff.Email != "" {
		err := a.Access.EnsureStaff(ctx, access.NewStaff{
			Email: staff.Email, Password: staff.Password, Role: staff.Role, Token: staff.Token,
		}, actor)
		if err != nil {
			return &ConfigError{Variable: "PAYDESK_BOOTSTRAP_STAFF", Problem: err.Error()}
		}
	}
	return nil
}
