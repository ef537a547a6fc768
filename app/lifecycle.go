package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paydesk/paydesk/core/health"
)

// Limits of the listeners and of stopping.
const (
	readHeaderTimeMax = 5 * time.Second
	readTimeMax       = 15 * time.Second
	writeTimeMax      = 45 * time.Second // above the longest provider call and its recording
	idleTimeMax       = 2 * time.Minute
	headerBytesMax    = 32 << 10
	// drainTimeMax is how long requests that are under way may take once the program is
	// asked to stop; jobs get the rest of the 30 s.
	drainTimeMax = 8 * time.Second
	// workTriesMax is how often is tried to begin the work on jobs, with a pause between, until
	// whoever watches over the process shall see it end.
	workTriesMax = 60
	workPause    = 2 * time.Second
)

// Addresses are where the program listens; empty for roles that it does not have.
type Addresses struct {
	Public, Admin, Ops string
}

// Run opens the listeners, calls ready, and serves until ctx is done. Then it takes no
// new work, finishes what is under way and returns nil.
func (a *App) Run(ctx context.Context, roles Roles, ready func(Addresses)) error {
	if err := a.Bootstrap(ctx); err != nil {
		return err
	}
	var config net.ListenConfig
	var addresses Addresses
	var servers []*server
	open := func(address string, handler http.Handler, at *string) error {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		*at = listener.Addr().String()
		servers = append(servers, newServer(listener, handler, a.Logger))
		return nil
	}
	err := open(a.Config.OpsAddr, a.opsHandler(), &addresses.Ops)
	if err == nil && roles.Public {
		err = open(a.Config.PublicAddr, a.Public, &addresses.Public)
	}
	if err == nil && roles.Admin {
		err = open(a.Config.AdminAddr, a.Admin, &addresses.Admin)
	}
	if err != nil {
		for _, s := range servers {
			_ = s.listener.Close()
		}
		return err
	}
	return a.serve(ctx, roles, servers, func() { ready(addresses) })
}

// serve runs everything until ctx is done or one part fails.
func (a *App) serve(ctx context.Context, roles Roles, servers []*server, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range servers {
		group.Go(s.serve)
		group.Go(func() error { return s.stop(ctx) })
	}
	if roles.Public {
		group.Go(func() error { return drained(ctx, a.Journal.Drain(ctx, a.Inbox.Accept)) })
		group.Go(func() error { return flushEvery(ctx, a.Tally) })
	}
	if roles.Worker {
		group.Go(func() error { return drained(ctx, a.work(ctx)) })
		group.Go(func() error { return drained(ctx, a.Notify.Run(ctx, a.Rush.giveWay)) })
	}
	ready()
	debug.FreeOSMemory() // hashing a password at the start takes as much as all the rest
	return group.Wait()
}

// work works on jobs. A database that is locked or away at the moment of the start must not end
// the process, which still takes webhooks.
func (a *App) work(ctx context.Context) error {
	for try := 1; ; try++ {
		err := a.Jobs.Work(ctx, a.Rush.handlers(a.jobHandlers()), jobSchedules())
		if err == nil || ctx.Err() != nil || try == workTriesMax {
			return err
		}
		a.Logger.Error("jobs cannot be worked on yet", slog.String("error", err.Error()))
		select {
		case <-time.After(workPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// flushEvery stores the counts every few seconds until ctx is done, and once more then. A database that
// is away is no error: readiness tells of it, and the counts wait.
func flushEvery(ctx context.Context, tally *health.Tally) error {
	ticker := time.NewTicker(health.FlushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = tally.Flush(ctx)
		case <-ctx.Done():
			_ = tally.Flush(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// drained turns the end that was asked for into no error.
func drained(ctx context.Context, err error) error {
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

// server is one listener and what serves it.
type server struct {
	listener net.Listener
	http     *http.Server
}

func newServer(listener net.Listener, handler http.Handler, logger *slog.Logger) *server {
	s := &server{listener: listener, http: &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeMax, ReadTimeout: readTimeMax,
		WriteTimeout: writeTimeMax, IdleTimeout: idleTimeMax, MaxHeaderBytes: headerBytesMax,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}
	if streaming, ok := handler.(interface{ EndStreams() }); ok { // which would hold the program for long
		s.http.RegisterOnShutdown(streaming.EndStreams)
	}
	return s
}

func (s *server) serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	}
	return nil
}

// stop waits for ctx, then lets requests finish and closes what does not.
func (s *server) stop(ctx context.Context) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeMax)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
