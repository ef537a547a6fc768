package spool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// Roles that the test's binary plays when it is started again as a child.
const (
	roleVariable  = "SPOOL_TEST_ROLE"
	roleAppend    = "append"
	roleFull      = "full"
	roleSmallDisk = "small disk"
	roleDrain     = "drain"
	childCallers  = 8
	fileBytesMost = 20_000
	// refusedAppends is how often is tried while the disk is full.
	refusedAppends = 50
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case roleAppend:
		appendForever(os.Args[len(os.Args)-2], os.Args[len(os.Args)-1])
	case roleFull:
		fillUp(os.Args[len(os.Args)-1])
	case roleDrain:
		drainAndTell(os.Args[len(os.Args)-2], os.Args[len(os.Args)-1])
	case roleSmallDisk:
		onASmallDisk(os.Args[len(os.Args)-1])
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^$", "--"}, args...)...)
	command.Env = append(os.Environ(), roleVariable+"="+role)
	return command
}

// appendForever appends numbered deliveries and prints the number of each once it is
// acknowledged.
func appendForever(dir, from string) {
	journal, err := spool.Open(spool.Options{Dir: dir, Sealer: seal.Plain(), SegmentBytes: 4096})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	start, _ := strconv.Atoi(from)
	var mu sync.Mutex
	next := start
	var group sync.WaitGroup
	for range childCallers {
		group.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if err := journal.Append(context.Background(), portstest.Delivery(n)); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(n)
				mu.Unlock()
			}
		})
	}
	group.Wait()
}

// Whatever was acknowledged before the process was killed comes out afterwards.
func TestKilledWhileAppending(t *testing.T) {
	t.Parallel()
	const lives = 15
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	acknowledged := make(map[string]bool)
	next := 0
	for range lives {
		command := child(t, roleAppend, dir, strconv.Itoa(next))
		out, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		lines := bufio.NewScanner(out)
		for range 1 + chance.IntN(200) {
			require.True(t, lines.Scan(), "the child ended by itself")
			n, err := strconv.Atoi(lines.Text())
			require.NoError(t, err, lines.Text())
			acknowledged[portstest.Delivery(n).ProviderEventID] = true
			next = max(next, n+1)
		}
		require.NoError(t, command.Process.Kill())
		for lines.Scan() { // what it had printed before it died
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				acknowledged[portstest.Delivery(n).ProviderEventID] = true
				next = max(next, n+1)
			}
		}
		_ = command.Wait()
		next += childCallers // some may be durable and not acknowledged
	}
	journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: 4096})
	came := make(map[string]bool)
	last := portstest.Delivery(next + 1000)
	require.NoError(t, journal.Append(t.Context(), last))
	for !came[last.ProviderEventID] {
		for _, id := range taken(t, journal, 1) {
			came[id] = true
		}
	}
	for id := range acknowledged {
		require.True(t, came[id], "%s was acknowledged and is lost", id)
	}
}

// fillUp appends in a process that may not write long files: first until the disk is
// full, then again once there is room.
func fillUp(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{}
	fail := func(what string, err error) {
		fmt.Println(what, err)
		os.Exit(1)
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fail("read limit", err)
	}
	room := limit.Cur
	limit.Cur = fileBytesMost
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fail("set limit", err)
	}
	journal, err := spool.Open(spool.Options{Dir: dir, Sealer: seal.Plain(), SegmentBytes: 1 << 20})
	if err != nil {
		fail("open", err)
	}
	n := 0
	for ; ; n++ {
		if err := journal.Append(context.Background(), portstest.Delivery(n)); err != nil {
			if !strings.Contains(err.Error(), ports.ErrJournalUnavailable.Error()) {
				fail("refused otherwise", err)
			}
			break
		}
	}
	limit.Cur = 0 // no file takes anything now
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fail("set limit", err)
	}
	for range refusedAppends {
		if err := journal.Append(context.Background(), portstest.Delivery(n)); err == nil {
			fail("not refused", errors.New("the disk is full"))
		}
	}
	if err := journal.Ready(context.Background()); err == nil {
		fail("ready", errors.New("the disk is full"))
	}
	limit.Cur = room
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fail("lift limit", err)
	}
	for range 10 {
		if err := journal.Append(context.Background(), portstest.Delivery(n)); err != nil {
			fail("did not recover", err)
		}
		n++
	}
	fmt.Println("appended", n)
	os.Exit(0)
}

func TestAFullDiskIsToldAndRecoveredFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := child(t, roleFull, dir).Output()
	require.NoError(t, err, string(out))
	require.Len(t, files(t, dir, "*.segment"), 2, "a full disk does not fill up with empty files")
	var count int
	_, err = fmt.Sscanf(string(out), "appended %d", &count)
	require.NoError(t, err, string(out))
	require.Equal(t, ids(0, count), taken(t, openIn(t, spool.Options{Dir: dir}), count), "what was acknowledged is there, and nothing else")
}
