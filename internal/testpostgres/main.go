//go:build unix

// Command testpostgres runs another command beside a throw-away PostgreSQL.
//
//	go run ./internal/testpostgres [-fast] -- COMMAND [ARGUMENT...]
//
// It starts a new cluster from the server binaries of this machine, tells the command its address by
// PAYDESK_TEST_POSTGRES_URL, and afterwards stops the cluster and removes every trace of it, whatever became of the
// command; the command's exit code is its own. If the variable is set already, that server is used and none is
// started. The command runs in a process group of its own and does not own the terminal.
//
//	-fast   give up durability for speed: right for tests, wrong for measurements
//	-find   print the folder of the server binaries that would be used, and end
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	urlVariable = "PAYDESK_TEST_POSTGRES_URL"

	// commandGraceMax is how long the command may take to end after a signal was passed on to it.
	commandGraceMax = 30 * time.Second

	codeOK     = 0
	codeFailed = 1
	codeUsage  = 2
	// codeSignalBase plus the signal's number is what shells report for a command that a signal ended.
	codeSignalBase = 128
)

// surroundings is what the program takes from its process, so that tests can give it something else.
type surroundings struct {
	env     []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	signals <-chan os.Signal
}

func main() {
	// Buffered for the few signals an impatient person sends while a cluster is starting.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(context.Background(), os.Args[1:], surroundings{
		env: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, signals: signals,
	})
	os.Exit(code)
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, around surroundings) int {
	flags := flag.NewFlagSet("testpostgres", flag.ContinueOnError)
	flags.SetOutput(around.stderr)
	fast := flags.Bool("fast", false, "give up durability for speed")
	find := flags.Bool("find", false, "print the folder of the server binaries and end")
	if err := flags.Parse(args); err != nil {
		return codeUsage
	}
	if *find {
		return printBinaries(ctx, around)
	}
	command := flags.Args()
	if len(command) == 0 {
		fmt.Fprintln(around.stderr, "testpostgres: name the command to run: testpostgres [-fast] -- COMMAND [ARGUMENT...]")
		return codeUsage
	}
	if hasServer(around.env) {
		return runCommand(ctx, command, around)
	}

	cluster, err := startUnlessSignaled(ctx, around.signals, *fast)
	if err != nil {
		return fail(around.stderr, err)
	}
	around.env = append(slices.Clone(around.env), urlVariable+"="+cluster.url)
	code := runCommand(ctx, command, around)
	if err := cluster.stop(); err != nil {
		// A cluster that would not go is worth a line, but it does not make good tests bad.
		fmt.Fprintln(around.stderr, "testpostgres:", err)
	}
	return code
}

func printBinaries(ctx context.Context, around surroundings) int {
	folder, err := findBinaries(ctx)
	if err != nil {
		return fail(around.stderr, err)
	}
	fmt.Fprintln(around.stdout, folder)
	return codeOK
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "testpostgres:", err)
	return codeFailed
}

// hasServer says whether env names a server. Of several entries for one name the last counts, as for exec.
func hasServer(env []string) bool {
	for _, entry := range slices.Backward(env) {
		if value, found := strings.CutPrefix(entry, urlVariable+"="); found {
			return value != ""
		}
	}
	return false
}

// startUnlessSignaled starts a cluster; a signal meanwhile gives the start up and leaves nothing behind.
func startUnlessSignaled(ctx context.Context, signals <-chan os.Signal, fast bool) (*cluster, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case sig := <-signals:
			cancel(fmt.Errorf("stopped by signal: %s", sig))
		case <-ctx.Done():
		}
	}()

	started, err := startCluster(ctx, fast)
	cause := context.Cause(ctx)
	cancel(nil)
	<-watched // or the watcher would swallow a signal meant for the command
	switch {
	case err != nil && cause != nil:
		return nil, cause
	case err != nil:
		return nil, err
	case cause != nil:
		return nil, errors.Join(cause, started.stop())
	}
	return started, nil
}

// runCommand runs the command to its end, passes signals on to its whole process group, and returns its exit code.
func runCommand(ctx context.Context, command []string, around surroundings) int {
	child := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...)
	child.Env = around.env
	child.Stdin, child.Stdout, child.Stderr = around.stdin, around.stdout, around.stderr
	// A group of its own: a signal reaches the test binaries that the command started, too, and reaches them once.
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		return fail(around.stderr, fmt.Errorf("start %s: %w", command[0], err))
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()

	group := -child.Process.Pid
	var patience <-chan time.Time
	for {
		select {
		case err := <-ended:
			return codeOf(err, around.stderr)
		case sig := <-around.signals:
			passOn(group, sig)
			if patience == nil {
				patience = time.After(commandGraceMax)
			}
		case <-patience:
			passOn(group, syscall.SIGKILL)
		}
	}
}

// passOn sends a signal to a process group. That it has just ended is no news: its end is being waited for.
func passOn(group int, sig os.Signal) {
	if number, ok := sig.(syscall.Signal); ok {
		_ = syscall.Kill(group, number)
	}
}

// codeOf says by which code a command's end is passed on.
func codeOf(err error, stderr io.Writer) int {
	if err == nil {
		return codeOK
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fail(stderr, err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return codeSignalBase + int(status.Signal())
	}
	return exit.ExitCode()
}
