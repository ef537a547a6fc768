package notifier_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/notifier"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/ports"
)

// startMax is how long a receiver may take to listen; Go's is compiled first.
const startMax = 2 * time.Minute

// receivers are the examples of docs/notifications.md by their language: the heading's first block
// of each, and how it is run.
var receivers = map[string]struct{ file, program, argument string }{
	"go":     {"main.go", "go", "run"},
	"js":     {"main.cjs", "node", "--"},
	"python": {"main.py", "python3", "-u"},
}

// example gives the first block of a language in the chapter on receivers.
func example(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "notifications.md"))
	require.NoError(t, err)
	_, chapter, ok := strings.Cut(string(text), "\n## Receivers\n")
	require.True(t, ok)
	_, block, ok := strings.Cut(chapter, "\n```"+language+"\n")
	require.True(t, ok)
	block, _, ok = strings.Cut(block, "\n```\n")
	require.True(t, ok)
	return block
}

// output is what a process says, also while it says it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// receive runs an example and gives its address and what it prints.
func receive(t *testing.T, language string) (address string, printed *output) {
	t.Helper()
	how := receivers[language]
	program, err := exec.LookPath(how.program)
	if err != nil {
		require.NotEqual(t, "true", os.Getenv("CI"), "no %s on the path", how.program)
		t.Skipf("no %s on the path", how.program)
	}
	file := filepath.Join(t.TempDir(), how.file)
	require.NoError(t, os.WriteFile(file, []byte(example(t, language)), 0o600))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	host := listener.Addr().String()
	_, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	if language == "go" { // its process is to be ours, not go run's child
		built := filepath.Join(filepath.Dir(file), "receiver")
		said, err := exec.CommandContext(t.Context(), program, "build", "-o", built, file).CombinedOutput()
		require.NoError(t, err, "%s", said)
		program, how.argument, file = built, "", ""
	}
	printed = &output{}
	command := exec.CommandContext(t.Context(), program, strings.Fields(how.argument+" "+file)...)
	command.Env = append(os.Environ(), "PORT="+port, "WEBHOOK_SECRET="+secret)
	command.Stdout, command.Stderr = printed, printed
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	require.Eventually(t, func() bool {
		connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
		if err != nil {
			return false
		}
		return connection.Close() == nil
	}, startMax, 20*time.Millisecond, "%s", printed)
	return "http://" + host + "/hooks", printed
}

// past is a clock that is slow.
type past struct{ by time.Duration }

func (p past) Now() time.Time { return system.NewClock().Now().Add(-p.by) }

// What the documentation shows to storefronts works, and takes nothing that is forged, old or known.
func TestReceiversOfTheDocumentation(t *testing.T) {
	t.Parallel()
	for language := range receivers {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			address, printed := receive(t, language)
			notification := func(n int) ports.Notification {
				return ports.Notification{
					ID: fmt.Sprint("msg_", n), URL: address, Secrets: []string{secret},
					Body: fmt.Appendf(nil, `{"type":"payment.succeeded","timestamp":"2026-03-04T05:06:07.123456Z","data":{"id":"pay_%d","note":"é \u00e9"}}`, n),
				}
			}
			sender := open(t, true)
			for range 2 { // at least once
				outcome, err := sender.Notify(t.Context(), notification(1))
				require.NoError(t, err, "%s", printed)
				require.Equal(t, 204, outcome.Status)
			}
			const other = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy"
			rotated := notification(2)
			rotated.Secrets = []string{other, secret}
			_, err := sender.Notify(t.Context(), rotated)
			require.NoError(t, err, "the secret before signs beside the new one")

			forged := notification(3)
			forged.Secrets = []string{other}
			outcome, err := sender.Notify(t.Context(), forged)
			require.Error(t, err)
			require.Equal(t, 401, outcome.Status)
			late, err := notifier.New(notifier.Options{AllowPrivate: true, Wall: past{by: time.Hour}})
			require.NoError(t, err)
			outcome, err = late.Notify(t.Context(), notification(4))
			require.Error(t, err)
			require.Equal(t, 401, outcome.Status, "one that was overheard an hour ago")
			_, err = sender.Notify(t.Context(), notification(5))
			require.NoError(t, err)
			const want = "payment.succeeded pay_1\npayment.succeeded pay_2\npayment.succeeded pay_5\n"
			require.Eventually(t, func() bool { return printed.String() == want }, startMax, 10*time.Millisecond, "each once, %s", printed)
		})
	}
}
