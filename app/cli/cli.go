// Package cli is the command line: a file per command, each a struct that holds its flags
// and runs. Exit codes are decided in one place: 0 done, 1 the thing asked failed, 2 the
// usage or the configuration was wrong.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Process is what a command has of the process it runs in.
type Process struct {
	Stdout, Stderr io.Writer
	Environ        []string
	LookupEnv      func(string) (string, bool)
}

// Injectors assemble the program; wire generates them.
type Injectors struct {
	App   func(context.Context, app.Config, *slog.Logger, ports.Clock) (*app.App, func(), error)
	Tools func(context.Context, app.Config, *slog.Logger, ports.Clock) (*app.Tools, func(), error)
}

// commands is the whole command line.
type commands struct {
	Dev       devCommand       `cmd:"" help:"Run the whole product on this machine, with simulated providers."`
	Serve     serveCommand     `cmd:"" help:"Run in production; configuration from the environment."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database's schema up or down, or tell where it stands."`
	Doctor    doctorCommand    `cmd:"" help:"Check configuration, database, journal and providers."`
	Simulate  simulateCommand  `cmd:"" help:"Run the provider simulator alone."`
	Trigger   triggerCommand   `cmd:"" help:"Make the running simulator do something."`
	Events    eventsCommand    `cmd:"" help:"Look at what providers told us, and have it looked at again."`
	Reconcile reconcileCommand `cmd:"" help:"Compare our records with each provider's, and repair."`
	Keys      keysCommand      `cmd:"" help:"Create, list and revoke API keys; make encryption keys."`
	Staff     staffCommand     `cmd:"" help:"Add, list and disable members of staff."`
	Audit     auditCommand     `cmd:"" help:"Check the audit log."`
	Version   versionCommand   `cmd:"" help:"Tell version, commit, Go version and schema version."`
}

// run is what every command gets.
type run struct {
	Process
	Injectors
}

// errUsage marks an error of usage or configuration.
var errUsage = errors.New("usage")

// errShown marks a failure that the command has already told in full.
var errShown = errors.New("shown")

// Main runs the command that args name and gives the process's exit code.
func Main(args []string, process Process, injectors Injectors) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return Run(ctx, args, process, injectors)
}

// Run is [Main] with a context of the caller's.
func Run(ctx context.Context, args []string, process Process, injectors Injectors) int {
	var parsed commands
	exit := -1 // until kong asks to leave, after --help
	parser, err := kong.New(&parsed,
		kong.Name("paydesk"), kong.Description("A self-hosted payment service in front of Stripe, PayPal and Square."),
		kong.Writers(process.Stdout, process.Stderr), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError(),
		kong.Vars{"scenarios": "One of " + scenarioNames() + "."}, kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&run{Process: process, Injectors: injectors}))
	if err != nil {
		panic("cli: " + err.Error())
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		return report(process.Stderr, fmt.Errorf("%w: %w", errUsage, err))
	}
	return report(process.Stderr, command.Run())
}

// report tells an error in one line and gives the exit code that belongs to it.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errShown) {
		return exitFailed
	}
	text := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "usage: ")
	_, _ = fmt.Fprintln(w, "paydesk: "+text)
	var config *app.ConfigError
	var invalid *core.InvalidError
	if errors.Is(err, errUsage) || errors.As(err, &config) || errors.As(err, &invalid) {
		return exitUsage
	}
	return exitFailed
}

// config reads the environment. Names that no variable has are told, since most of them
// are typing errors.
func (r *run) config(defaults map[string]string) (app.Config, error) {
	config, err := app.ReadConfig(r.LookupEnv, defaults)
	if err != nil {
		return config, err
	}
	if unknown := app.UnknownVariables(r.Environ); len(unknown) > 0 {
		_, _ = fmt.Fprintf(r.Stderr, "paydesk: not known to this version and ignored: %s\n", strings.Join(unknown, ", "))
	}
	return config, nil
}

// tools assembles what one-off commands need. Call the function it gives when done.
func (r *run) tools(ctx context.Context) (*app.Tools, func(), error) {
	return r.toolsBy(ctx, system.NewClock())
}

// toolsBy is tools with a clock to go by.
func (r *run) toolsBy(ctx context.Context, clock ports.Clock) (*app.Tools, func(), error) {
	config, err := r.config(nil)
	if err != nil {
		return nil, nil, err
	}
	if key := trialKey(config.DatabaseURL); key != "" && config.Environment == core.EnvTest {
		// Beside a trial house, its simulated accounts are those that are meant.
		defaults := simulatorDefaults(valueOr(r.LookupEnv, "PAYDESK_SIMULATOR_ADDR", simulatorAddrDefault))
		defaults["PAYDESK_ENCRYPTION_KEYS"] = key
		if config, err = app.ReadConfig(r.LookupEnv, defaults); err != nil {
			return nil, nil, err
		}
	}
	return r.Tools(ctx, config, app.NewLogger(r.Stderr, "warn", true), clock)
}

// trialTools is tools for a command that compares times with a provider's. A trial house's clock
// may run ahead of the machine's, as its simulator's does: the command then goes by the latest
// time that the house wrote down. Elsewhere both are the same.
func (r *run) trialTools(ctx context.Context) (*app.Tools, func(), error) {
	clock := system.NewShiftable()
	tools, stop, err := r.toolsBy(ctx, clock)
	if err != nil || tools.Config.Environment != core.EnvTest {
		return tools, stop, err
	}
	cursors, err := tools.Store.BackfillCursors(ctx)
	if err != nil {
		stop()
		return nil, nil, err
	}
	for _, cursor := range cursors {
		if ahead := cursor.RanAt.Sub(clock.Now()); ahead > 0 {
			clock.Advance(ahead)
		}
	}
	return tools, stop, nil
}

func (r *run) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Stdout, format, args...)
}
