package apptest

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// startTimeMax is how long the program may take to be ready on a busy machine.
	startTimeMax = 90 * time.Second
	// stopTimeMax is how long it may take to end once asked to; its own promise is 30 s.
	stopTimeMax = 40 * time.Second
)

// Process is one run of the program.
type Process struct {
	command *exec.Cmd
	output  *transcript
	ended   chan struct{} // closed once the process is gone
}

// Run starts a command of the program and waits until it prints ready, or has ended.
// env comes on top of the test's own environment without its PAYDESK_ variables.
func Run(t testing.TB, folder string, env []string, ready string, args ...string) *Process {
	t.Helper()
	return run(t, Binary(t), folder, env, ready, args...)
}

// RunPlain is Run for the program as it is shipped.
func RunPlain(t testing.TB, folder string, env []string, ready string, args ...string) *Process {
	t.Helper()
	return run(t, PlainBinary(t), folder, env, ready, args...)
}

func run(t testing.TB, program, folder string, env []string, ready string, args ...string) *Process {
	t.Helper()
	p := &Process{command: exec.Command(program, args...), output: newTranscript(ready), ended: make(chan struct{})}
	p.command.Dir = folder
	p.command.Env = append(cleanEnvironment(), env...)
	p.command.Stdout, p.command.Stderr = p.output, p.output
	require.NoError(t, p.command.Start())
	go func() {
		_ = p.command.Wait() // how it ended stands in its state
		close(p.ended)
	}()
	t.Cleanup(func() {
		lived := p.alive() // what died before was meant to, or has been told
		p.Kill()
		if t.Failed() && lived {
			t.Logf("paydesk %s printed at its end:\n%s", strings.Join(args, " "), LastLines(p.Output()))
		}
	})
	select {
	case <-p.output.seen:
	case <-p.ended:
	case <-time.After(startTimeMax):
		require.FailNow(t, "the program did not get ready", "paydesk %v", args)
	}
	return p
}

// Ready reports whether it got ready; it may have died since.
func (p *Process) Ready() bool {
	select {
	case <-p.output.seen:
		return true
	default:
		return false
	}
}

func (p *Process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill ends it at once, as a loss of power would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may be gone already
	<-p.ended
}

// Stop asks it to end and gives its exit code.
func (p *Process) Stop(t testing.TB) int {
	t.Helper()
	_ = p.command.Process.Signal(syscall.SIGTERM)
	return p.Wait(t)
}

// Wait waits for its end and gives its exit code; -1 where a signal ended it.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(stopTimeMax):
		require.FailNow(t, "the program did not end")
	}
	return p.ExitCode()
}

// ExitCode is that of a process that has ended; -1 where a signal ended it, or it lives.
func (p *Process) ExitCode() int {
	if p.alive() {
		return -1
	}
	return p.command.ProcessState.ExitCode()
}

// Ended is closed once it is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Pid is its process id.
func (p *Process) Pid() int { return p.command.Process.Pid }

// Output is all that it printed on both streams so far.
func (p *Process) Output() string { return p.output.String() }

// Forget lets go of what it printed, for tests that start very many.
func (p *Process) Forget() { p.output.forget() }

// Command runs a command that ends by itself and gives what it printed and its exit code.
func Command(t testing.TB, folder string, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.Command(Binary(t), args...)
	command.Dir = folder
	command.Env = append(cleanEnvironment(), env...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// linesShown is how much of what a program printed goes into a failed test's log.
const linesShown = 40

// LastLines is the end of what a program printed.
func LastLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(len(lines)-linesShown, 0):], "\n")
}

// cleanEnvironment is the test's own without what would steer the program.
func cleanEnvironment() []string {
	var clean []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PAYDESK_") && !strings.HasPrefix(entry, "OTEL_") {
			clean = append(clean, entry)
		}
	}
	return clean
}

// transcriptBytesMax is how much is kept of what a process prints; the beginning goes first.
const transcriptBytesMax = 4 << 20

// transcript keeps what a process prints and tells when a text was seen in it.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready string
	seen  chan struct{}
	done  bool
}

var _ io.Writer = (*transcript)(nil)

func newTranscript(ready string) *transcript {
	return &transcript{ready: ready, seen: make(chan struct{})}
}

// Write implements [io.Writer].
func (o *transcript) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	if !o.done && o.ready != "" && bytes.Contains(o.text.Bytes(), []byte(o.ready)) {
		o.done = true
		close(o.seen)
	}
	if over := o.text.Len() - transcriptBytesMax; over > transcriptBytesMax {
		o.text.Next(over)
	}
	return len(b), nil
}

func (o *transcript) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = bytes.Buffer{}
}

// String is all that was printed.
func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
