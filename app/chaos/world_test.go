package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// restartPause is how long a supervisor waits before it starts a server again that could not start.
const restartPause = time.Second

// world is the program beside the simulator, in processes of their own, with what stands around it.
type world struct {
	t        *testing.T
	client   *apptest.Client
	house    *apptest.House
	ingress  *ingress
	database database
	leadFile string
	lead     time.Duration
	told     []*endpoint

	mu     sync.Mutex
	server *apptest.Process // nil while none runs, or is ready
	begun  bool             // one is being started
	crash  func() string    // where the next life ends; nil for nowhere
	gate   chan struct{}    // closed while a server may be started
	kills  map[string]int   // by crash point, and "kill" for those at random times
	ended  map[int]int      // lives that ended by themselves, by exit code
	lives  int
}

// newWorld starts everything but the server.
func newWorld(t *testing.T, database func(*testing.T, *apptest.House) database, seed uint64) *world {
	t.Helper()
	house := apptest.NewHouse(t)
	require.NoError(t, os.MkdirAll(house.Data, 0o700))
	w := &world{
		t: t, house: house, client: apptest.NewClient(house), ingress: newIngress(t, house.PublicURL), database: database(t, house),
		leadFile: filepath.Join(house.Folder, "lead"), kills: make(map[string]int), ended: make(map[int]int),
	}
	house.Env = append(house.Everything(), "PAYDESK_PUBLIC_URL="+w.ingress.url, "PAYDESK_DATABASE_URL="+w.database.url(), "PAYDESK_TEST_CLOCK_LEAD="+w.leadFile)
	apptest.Run(t, house.Folder, house.Env, "Simulator at", "simulate")
	roots := w.client.Control(t.Context(), http.MethodGet, "webhook_roots", nil)
	require.True(t, roots.OK(), "%v", roots.Err)
	file := filepath.Join(house.Folder, "roots.pem")
	require.NoError(t, os.WriteFile(file, []byte(roots.Raw), 0o600))
	house.Env = append(house.Env, "PAYDESK_PAYPAL_WEBHOOK_ROOTS="+file)
	_, stderr, code := apptest.Command(t, house.Folder, house.Env, "migrate", "up")
	require.Zero(t, code, stderr)
	moods := rand.New(rand.NewPCG(seed, 1<<62))
	w.told = []*endpoint{
		newEndpoint(t, moods),
		newEndpoint(t, nil, "payment.succeeded", "payment.authorized", "payment.canceled", "refund.succeeded", "subscription.created", "subscription.canceled", "invoice.paid"),
	}
	w.gate = make(chan struct{})
	close(w.gate)
	return w
}

// open registers the storefront's endpoints.
func (w *world) open(ctx context.Context) {
	for n, e := range w.told {
		body := map[string]any{"url": e.url}
		if len(e.types) > 0 {
			body["types"] = e.types
		}
		a := w.client.API(ctx, http.MethodPost, "/v1/webhook_endpoints", body, fmt.Sprint("endpoint-", n))
		require.True(w.t, a.OK(), "%v %s", a.Err, a.Raw)
		require.NoError(w.t, e.know(a.Text("secret")), a.Raw)
	}
}

// supervise starts the server whenever there is none, until ctx is done.
func (w *world) supervise(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-w.opened():
		case <-ctx.Done():
			return
		}
		point := ""
		w.mu.Lock()
		if w.gateClosed() {
			w.mu.Unlock()
			continue
		}
		w.begun = true
		w.lives++
		if w.crash != nil {
			point = w.crash()
		}
		w.mu.Unlock()
		p := apptest.Run(w.t, w.house.Folder, append([]string{"PAYDESK_TEST_CRASH_AT=" + point}, w.house.Env...), `"msg":"ready"`, "serve")
		w.mu.Lock()
		w.server, w.begun = p, false
		w.mu.Unlock()
		select {
		case <-p.Ended():
		case <-ctx.Done():
			return
		}
		w.keepLog(p)
		w.mu.Lock()
		mine := w.server == nil // it was killed from here
		w.server = nil
		code := p.ExitCode()
		switch {
		case mine:
		case code < 0 && point != "":
			w.kills[pointName(point)]++
		default:
			w.ended[code]++
		}
		w.mu.Unlock()
		if !mine && code >= 0 {
			pause(ctx, restartPause)
		}
	}
}

// keepLog appends what a life printed to a file for each database, where PAYDESK_CHAOS_LOGS names a
// folder.
func (w *world) keepLog(p *apptest.Process) {
	defer p.Forget()
	folder := os.Getenv("PAYDESK_CHAOS_LOGS")
	if folder == "" {
		return
	}
	name, _, _ := strings.Cut(w.database.url(), ":")
	file, err := os.OpenFile(filepath.Join(folder, name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Error(err)
		return
	}
	_, err = file.WriteString(p.Output())
	if err := errors.Join(err, file.Close()); err != nil {
		w.t.Error(err)
	}
}

// opened is closed while servers may be started.
func (w *world) opened() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gate
}

// gateClosed reports whether no server may be started. The caller holds mu.
func (w *world) gateClosed() bool {
	select {
	case <-w.gate:
		return false
	default:
		return true
	}
}

// starting reports whether a server is on its way to being ready.
func (w *world) starting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.begun
}

// kill ends the server at once, if there is one.
func (w *world) kill() {
	w.mu.Lock()
	p := w.server
	w.server = nil
	if p != nil {
		w.kills["kill"]++
	}
	w.mu.Unlock()
	if p != nil {
		p.Kill()
	}
}

// pid is the server's process; 0 while there is none.
func (w *world) pid() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server == nil {
		return 0
	}
	return w.server.Pid()
}

// crashAt says where lives end from the next one on; nil for nowhere.
func (w *world) crashAt(next func() string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crash = next
}

// jump moves the clocks of both ahead while no server runs: one that ran would have decided by the
// old time to send a key again which the provider has forgotten by the new one.
func (w *world) jump(ctx context.Context, by time.Duration) error {
	w.mu.Lock()
	closed := make(chan struct{})
	w.gate = closed
	w.mu.Unlock()
	defer close(closed)
	for w.pid() != 0 || w.starting() {
		w.kill()
		if !pause(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
	w.lead += by
	next := w.leadFile + ".next"
	if err := os.WriteFile(next, []byte(w.lead.String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, w.leadFile); err != nil {
		return err
	}
	a := w.client.Control(ctx, http.MethodPost, "clock/advance", map[string]any{"by": by.String()})
	if !a.OK() {
		return fmt.Errorf("advance the clock: %w", a.Problem())
	}
	return nil
}

// pointName is a crash point without how often it is passed.
func pointName(point string) string {
	name, _, _ := strings.Cut(point, ":")
	return name
}

// pause waits; false where ctx ended first.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lifeReport says how lives ended.
func (w *world) lifeReport() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d lives; killed: %v; ended by themselves, by exit code: %v", w.lives, sorted(w.kills), w.ended)
}

func sorted(counts map[string]int) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprint(name, " ", counts[name]))
	}
	return list
}
