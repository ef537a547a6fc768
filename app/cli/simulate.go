package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
)

// Limits of the simulator's listener.
const (
	simulatorHeaderTimeMax = 5 * time.Second
	simulatorStopTimeMax   = 2 * time.Second
)

type simulateCommand struct{}

// Run runs the simulator alone until the process is asked to stop. Credentials and the
// address that its webhooks go to are those of the server that it stands beside.
func (c *simulateCommand) Run(ctx context.Context, r *run) error {
	config, err := r.config(simulatorDefaults(valueOr(r.LookupEnv, "PAYDESK_SIMULATOR_ADDR", simulatorAddrDefault)))
	if err != nil {
		return err
	}
	if config.Environment != core.EnvTest {
		return &app.ConfigError{Variable: "PAYDESK_ENV", Problem: "must be test for the simulator"}
	}
	sim, err := newSimulator(config, string(config.PublicURL), app.NewLogger(r.Stderr, config.LogLevel, true), nil)
	if err != nil {
		return err
	}
	defer sim.Close()
	return serveSimulator(ctx, config, sim, func(address string) {
		r.printf("Simulator at http://%s, webhooks to %s\n", address, config.PublicURL)
	})
}

// serveSimulator serves until ctx is done, and calls ready once it listens.
func serveSimulator(ctx context.Context, config app.Config, sim *simulator.Simulator, ready func(address string)) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", config.SimulatorAddr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", config.SimulatorAddr, err)
	}
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: simulatorHeaderTimeMax}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), simulatorStopTimeMax)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // faults may hold requests on purpose
		}
	}()
	ready(listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the simulator: %w", err)
	}
	<-stopped
	return nil
}
