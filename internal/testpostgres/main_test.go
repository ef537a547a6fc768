//go:build unix

package main

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// runMax bounds each run of the program; initdb alone takes a second or two.
const runMax = 3 * time.Minute

// needBinaries skips a test on a machine without PostgreSQL, and fails it where everything has to be there.
func needBinaries(t *testing.T) {
	t.Helper()
	_, err := findBinaries(t.Context())
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
}

func TestClusterAnswersAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		fast        bool
		fsync, sync string
	}{
		{"durable", false, "on", "on"},
		{"fast", true, "off", "off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			needBinaries(t)
			ctx, cancel := context.WithTimeout(t.Context(), runMax)
			defer cancel()
			started, err := startCluster(ctx, test.fast)
			require.NoError(t, err)
			t.Cleanup(func() { _ = started.stop() })

			conn, err := pgx.Connect(ctx, started.url)
			require.NoError(t, err)
			var fsync, sync, sockets string
			var connections, version int
			err = conn.QueryRow(ctx, `select current_setting('fsync'), current_setting('synchronous_commit'),
				current_setting('unix_socket_directories'), current_setting('max_connections')::int,
				current_setting('server_version_num')::int`).Scan(&fsync, &sync, &sockets, &connections, &version)
			require.NoError(t, err)
			require.Equal(t, test.fsync, fsync)
			require.Equal(t, test.sync, sync)
			require.Empty(t, sockets)
			require.Equal(t, connectionsMax, connections)
			require.GreaterOrEqual(t, version, majorMin*10_000)

			// A session still open does not keep the server.
			require.NoError(t, started.stop())
			require.NoDirExists(t, started.folder)
			require.Error(t, ping(ctx, started.url))
			require.NoError(t, started.stop(), "stopping twice is harmless")
		})
	}
}

func TestClusterKeepsStrangersOut(t *testing.T) {
	t.Parallel()
	needBinaries(t)
	started, err := startCluster(t.Context(), true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, started.stop()) })

	require.Error(t, ping(t.Context(), strings.Replace(started.url, started.password, "guess", 1)))
}

func TestRunPassesAddressAndCodeOn(t *testing.T) {
	t.Parallel()
	needBinaries(t)
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-fast", "--", "sh", "-c", `echo "$PAYDESK_TEST_POSTGRES_URL"; exit 7`},
		surroundings{env: append(os.Environ(), urlVariable+"="), stdout: &stdout, stderr: &stderr})

	require.Equal(t, 7, code, stderr.String())
	require.Regexp(t, `^postgres://paydesk:\w+@127\.0\.0\.1:\d+/postgres\?sslmode=disable\n$`, stdout.String())
	require.Error(t, ping(t.Context(), strings.TrimSpace(stdout.String())), "the server is gone")
}

func TestRunUsesAServerThatIsThere(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"sh", "-c", `echo "$PAYDESK_TEST_POSTGRES_URL"`},
		surroundings{env: []string{urlVariable + "=postgres://elsewhere/"}, stdout: &stdout, stderr: &stderr})

	require.Zero(t, code, stderr.String())
	require.Equal(t, "postgres://elsewhere/\n", stdout.String())
}

func TestRunPassesSignalsOn(t *testing.T) {
	t.Parallel()
	ready := filepath.Join(t.TempDir(), "ready")
	signals := make(chan os.Signal, 1)
	require.NoError(t, syscall.Mkfifo(ready, 0o600))
	go func() {
		if pipe, err := os.Open(ready); err == nil { // waits until the shell opens its end
			_ = pipe.Close()
		}
		signals <- syscall.SIGTERM
	}()
	var stderr bytes.Buffer
	// The inner shell stands for the test binary that a test command starts: it has to hear the signal as well.
	// The outer one is ready for it before the inner one says that it is, and a signal may end its first wait.
	script := `trap : TERM
		sh -c 'trap "exit 9" TERM; : > "$1"; while :; do sleep 0.05; done' _ "$1" & inner=$!
		wait $inner; code=$?
		if [ $code -gt 128 ]; then wait $inner; code=$?; fi
		exit $code`
	code := run(t.Context(), []string{"sh", "-c", script, "_", ready},
		surroundings{env: append(os.Environ(), urlVariable+"=postgres://elsewhere/"), stderr: &stderr, signals: signals})

	require.Equal(t, 9, code, stderr.String())
}

func TestRunReportsACommandEndedBySignal(t *testing.T) {
	t.Parallel()
	code := run(t.Context(), []string{"sh", "-c", "kill -KILL $$"}, surroundings{env: []string{urlVariable + "=postgres://elsewhere/"}})
	require.Equal(t, codeSignalBase+int(syscall.SIGKILL), code)
}

func TestRunGivesUpAStartOnASignal(t *testing.T) {
	t.Parallel()
	needBinaries(t)
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGINT
	var stderr bytes.Buffer
	ran := filepath.Join(t.TempDir(), "ran")
	code := run(t.Context(), []string{"-fast", "--", "touch", ran}, surroundings{stderr: &stderr, signals: signals})

	require.Equal(t, codeFailed, code)
	require.Equal(t, "testpostgres: stopped by signal: interrupt\n", stderr.String())
	require.NoFileExists(t, ran)
}

func TestRunSaysWhatIsWrongInOneLine(t *testing.T) {
	t.Parallel()
	given := []string{urlVariable + "=postgres://elsewhere/"}
	for _, test := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no command", nil, codeUsage, "name the command"},
		{"no such command", []string{"./no-such-command"}, codeFailed, "no-such-command"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			code := run(t.Context(), test.args, surroundings{env: given, stderr: &stderr})
			require.Equal(t, test.code, code)
			require.Contains(t, stderr.String(), test.says)
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
		})
	}
}

func TestServeNoticesATakenPort(t *testing.T) {
	t.Parallel()
	needBinaries(t)
	first, err := startCluster(t.Context(), true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, first.stop()) })
	taken, err := url.Parse(first.url)
	require.NoError(t, err)

	second, err := startCluster(t.Context(), true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, second.stop()) })
	require.NoError(t, second.stopServer())
	require.ErrorIs(t, second.serve(t.Context(), taken.Port()), errPortTaken, "not mistaken for the server that has the port")
	require.NoError(t, second.serveSomewhere(t.Context()))
}
