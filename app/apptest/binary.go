package apptest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is one way of building the program, used at most once in a test process.
type binary struct {
	once sync.Once
	path string
	log  []byte
	err  error
}

var checked, plain binary

// Binary builds the program, once for each test process, with the crash points that
// tests may kill it at and with the race detector where the test itself has it.
func Binary(t testing.TB) string {
	t.Helper()
	args := []string{"-tags", "crashpoints"}
	if raceEnabled {
		args = append(args, "-race")
	}
	return checked.build(t, args...)
}

// PlainBinary builds the program as it is shipped.
func PlainBinary(t testing.TB) string {
	t.Helper()
	return plain.build(t)
}

func (b *binary) build(t testing.TB, args ...string) string {
	t.Helper()
	b.once.Do(func() {
		var folder string
		folder, b.err = os.MkdirTemp("", "paydesk-apptest") //nolint:usetesting // it outlives the test that asks first
		if b.err != nil {
			return
		}
		b.path = filepath.Join(folder, "paydesk")
		args = append(append([]string{"build"}, args...), "-o", b.path, "github.com/paydesk/paydesk")
		b.log, b.err = exec.Command("go", args...).CombinedOutput()
	})
	require.NoError(t, b.err, "build the program: %s", b.log)
	return b.path
}
