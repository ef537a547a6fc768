//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// superuser is the role that tests connect as; they make databases and schemas of their own.
	superuser = "paydesk"
	// serverAccount runs the server when we are root, whom PostgreSQL refuses. Its packages create it.
	serverAccount = "postgres"
	loopback      = "127.0.0.1"

	// connectionsMax leaves room for a pool in each of the test binaries that go test runs side by side.
	connectionsMax = 200
	// portTriesMax is how many ports are tried: a free one may be taken before the server has it.
	portTriesMax = 5
	// createMax and startMax are generous: the machine may be compiling on all its cores meanwhile.
	createMax = 2 * time.Minute
	startMax  = 1 * time.Minute
	// answerMax is how long one attempt to connect may take, pollEvery the rest between two.
	answerMax = 5 * time.Second
	pollEvery = 25 * time.Millisecond
	// stopMax is how long the server may take to end by itself.
	stopMax = 20 * time.Second
)

// errPortTaken says that another process was quicker to take the port.
var errPortTaken = errors.New("the port was taken by another process")

// cluster is a running PostgreSQL server and the folder that holds all it has.
type cluster struct {
	url string

	binaries string
	folder   string
	fast     bool
	password string
	// account is whom the server runs as; nil for ourselves.
	account *syscall.Credential

	server *exec.Cmd
	// ended is closed when the server process has ended.
	ended chan struct{}
}

// startCluster creates a cluster and returns when it answers. With fast it survives no crash of the machine.
// After an error nothing is left of it.
func startCluster(ctx context.Context, fast bool) (*cluster, error) {
	binaries, err := findBinaries(ctx)
	if err != nil {
		return nil, err
	}
	account, err := serverCredential()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "paydesk-postgres-")
	if err != nil {
		return nil, fmt.Errorf("make the cluster's folder: %w", err)
	}
	c := &cluster{binaries: binaries, folder: folder, fast: fast, password: rand.Text(), account: account}
	if err := c.create(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	if err := c.serveSomewhere(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// serverCredential says whom the server has to run as: nil, that is ourselves, unless we are root.
func serverCredential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup(serverAccount)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no account %q: %w", serverAccount, err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read the user id of %s: %w", serverAccount, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read the group id of %s: %w", serverAccount, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }
func (c *cluster) log() string  { return filepath.Join(c.folder, "server.log") }

// create lays out an empty cluster. Only who knows the password gets in: anyone on the machine can reach loopback,
// and a superuser may run programs.
func (c *cluster) create(ctx context.Context) error {
	passwordFile := filepath.Join(c.folder, "password")
	if err := os.WriteFile(passwordFile, []byte(c.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the cluster's password: %w", err)
	}
	if c.account != nil {
		for _, path := range []string{c.folder, passwordFile} {
			if err := os.Chown(path, int(c.account.Uid), int(c.account.Gid)); err != nil {
				return fmt.Errorf("give the cluster's folder to %s: %w", serverAccount, err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, createMax)
	defer cancel()
	initdb := c.program(ctx, "initdb", "--pgdata="+c.data(), "--username="+superuser, "--pwfile="+passwordFile,
		// In clear over loopback: a hash per connection would cost more than most tests do.
		"--auth=password",
		// The same order of text on every machine, whatever locales it has.
		"--encoding=UTF8", "--locale=C",
		// The server will make durable what it writes; an empty cluster needs no waiting for the disk.
		"--no-sync", "--no-instructions")
	if said, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("create a cluster by initdb: %w: %s", err, lastLine(string(said)))
	}
	return nil
}

// serveSomewhere serves on a port that was free a moment ago, or on the next such if somebody was quicker.
func (c *cluster) serveSomewhere(ctx context.Context) error {
	for range portTriesMax {
		port, err := freePort(ctx)
		if err != nil {
			return err
		}
		if err = c.serve(ctx, port); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return fmt.Errorf("start postgres, %d times: %w", portTriesMax, errPortTaken)
}

// serve starts the server on port and waits until it answers.
func (c *cluster) serve(ctx context.Context, port string) error {
	log, err := os.Create(c.log())
	if err != nil {
		return fmt.Errorf("create the server's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own handle by then

	// The server outlives this context: it is stopped by signals, in order, not killed.
	c.server = c.program(context.WithoutCancel(ctx), "postgres", c.settings(port)...)
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		c.server = nil
		return fmt.Errorf("start postgres: %w", err)
	}
	ended, server := make(chan struct{}), c.server
	c.ended = ended
	go func() {
		_ = server.Wait() // how it ended stands in its log
		close(ended)
	}()
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, c.password),
		Host: net.JoinHostPort(loopback, port), Path: "/postgres", RawQuery: "sslmode=disable",
	}
	c.url = address.String()
	return c.awaitAnswer(ctx)
}

// settings are the server's arguments.
func (c *cluster) settings(port string) []string {
	args := []string{"-D", c.data()}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", loopback)
	set("port", port)
	// No socket file: its path has to be short, which the folder for temporary files need not be.
	set("unix_socket_directories", "")
	set("max_connections", strconv.Itoa(connectionsMax))
	if c.fast {
		set("fsync", "off")
		set("full_page_writes", "off")
		set("synchronous_commit", "off")
	}
	return args
}

// awaitAnswer returns when the server accepts our password, which also tells it from any other server on that port.
func (c *cluster) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startMax)
	defer cancel()
	for {
		err := ping(ctx, c.url)
		if err == nil {
			return nil
		}
		select {
		case <-c.ended:
			said := c.lastLogLine("could not bind", "FATAL")
			if strings.Contains(said, "could not bind") {
				return fmt.Errorf("start postgres: %w", errPortTaken)
			}
			return fmt.Errorf("postgres ended at once: %s", said)
		case <-ctx.Done():
			return fmt.Errorf("postgres did not answer within %s: %w", startMax, err)
		case <-time.After(pollEvery):
		}
	}
}

func ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.Ping(ctx)
}

// stop ends the server and removes the folder. It works on a cluster that never got going, and twice.
func (c *cluster) stop() error {
	var problems []error
	if c.server != nil {
		problems = append(problems, c.stopServer())
	}
	if err := os.RemoveAll(c.folder); err != nil {
		problems = append(problems, fmt.Errorf("remove the cluster's folder: %w", err))
	}
	return errors.Join(problems...)
}

func (c *cluster) stopServer() error {
	// SIGINT is PostgreSQL's fast shutdown: it cuts sessions off and writes out what it holds. SIGQUIT, the
	// immediate one, does not write, and what a fast cluster holds is wanted by nobody.
	sig := syscall.SIGINT
	if c.fast {
		sig = syscall.SIGQUIT
	}
	_ = c.server.Process.Signal(sig) // fails only if the server has ended
	select {
	case <-c.ended:
		return nil
	case <-time.After(stopMax):
	}
	_ = c.server.Process.Kill()
	<-c.ended
	return fmt.Errorf("postgres did not stop within %s and was killed", stopMax)
}

// program prepares one of the server's programs: as the server's account, in its folder, in English, and deaf to the
// PG* variables and the terminal's signals that are meant for others.
func (c *cluster) program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.binaries, name), args...)
	cmd.Dir = c.folder
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "PG") || strings.HasPrefix(entry, "LC_")
	}), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.account}
	// Given up, it takes the programs it started along: none may write into a folder that is being removed.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// lastLogLine returns the last line of the server's log that holds one of words, by order of words; failing that the
// last line.
func (c *cluster) lastLogLine(words ...string) string {
	text, err := os.ReadFile(c.log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Reverse(lines)
	for _, word := range words {
		for _, line := range lines {
			if strings.Contains(line, word) {
				return line
			}
		}
	}
	return lastLine(string(text))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// freePort asks the system for a port that nobody has at the moment.
func freePort(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return port, nil
}
