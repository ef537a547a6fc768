package apptest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var build struct {
	once sync.Once
	path string
	log  []byte
	err  error
}

// Binary builds the program, once for each test process, with the crash points that
// tests may kill it at and with the race detector where the test itself has it.
func Binary(t testing.TB) string {
	t.Helper()
	build.once.Do(func() {
		var folder string
		folder, build.err = os.MkdirTemp("", "paydesk-apptest") //nolint:usetesting // it outlives the test that asks first
		if build.err != nil {
			return
		}
		build.path = filepath.Join(folder, "paydesk")
		args := []string{"build", "-tags", "crashpoints", "-o", build.path}
		if raceEnabled {
			args = append(args, "-race")
		}
		command := exec.Command("go", append(args, "github.com/paydesk/paydesk")...)
		build.log, build.err = command.CombinedOutput()
	})
	require.NoError(t, build.err, "build the program: %s", build.log)
	return build.path
}
