package notify_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
)

// network answers each address by a function of its own.
type network struct {
	mu   sync.Mutex
	hook map[string]func(ctx context.Context, n ports.Notification) error
}

func (w *network) Check(context.Context, string) error { return nil }

func (w *network) Notify(ctx context.Context, n ports.Notification) (ports.NotificationOutcome, error) {
	w.mu.Lock()
	answer := w.hook[n.URL]
	w.mu.Unlock()
	if err := answer(ctx, n); err != nil {
		return ports.NotificationOutcome{}, err
	}
	return ports.NotificationOutcome{Status: 204}, nil
}

const awaitMax = 20 * time.Second

func await[T any](t testing.TB, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(awaitMax):
		require.FailNow(t, "waited in vain")
	}
	return value
}

// running is a house whose notifications are sent by [notify.Service.Run].
type running struct {
	*coretest.House
	network *network
	stop    func() // and waits for the end
}

func run(t *testing.T, store ports.Store) *running {
	t.Helper()
	h := coretest.New(t, store)
	r := &running{House: h, network: &network{hook: map[string]func(context.Context, ports.Notification) error{}}}
	service := notify.New(h.Store, r.network, h.Clock, system.NewClock(), h.IDs, coretest.NoTraces{}, core.EnvTest)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx, func(context.Context) {}) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, await(t, ended))
	})
	t.Cleanup(r.stop)
	return r
}

// receive has an address answered by fn.
func (r *running) receive(t *testing.T, address string, fn func(ctx context.Context, n ports.Notification) error) {
	t.Helper()
	r.network.mu.Lock()
	r.network.hook[address] = fn
	r.network.mu.Unlock()
	_, err := r.Notify.Add(t.Context(), address, nil)
	require.NoError(t, err)
}

// tell commits an event about an object.
func (r *running) tell(t testing.TB, subject string) {
	t.Helper()
	p := core.Payment{ID: core.PaymentID(subject), Status: core.PaymentProcessing, Amount: core.Zero("EUR")}
	require.NoError(t, r.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return r.Record.Payment(ctx, tx, p) }))
}

func TestSlowAndDeadEndpointsHoldUpNobody(t *testing.T) {
	t.Parallel()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		r := run(t, open(t))
		release := make(chan struct{})
		var once sync.Once
		t.Cleanup(func() { once.Do(func() { close(release) }) })
		hanging := make(chan struct{}, 100)
		r.receive(t, "https://slow.example", func(context.Context, ports.Notification) error {
			hanging <- struct{}{}
			<-release
			return nil
		})
		r.receive(t, "https://dead.example", func(context.Context, ports.Notification) error { return errors.New("endpoint could not be reached") })
		got := make(chan string, 100)
		r.receive(t, "https://good.example", func(_ context.Context, n ports.Notification) error { got <- n.ID; return nil })
		const count, onTheirWayMax = 20, 8
		for i := range count {
			r.tell(t, fmt.Sprint("pay_", i))
		}
		for range count {
			await(t, got)
		}
		for range onTheirWayMax {
			await(t, hanging)
		}
		r.tell(t, "pay_last")
		await(t, got)
		require.Empty(t, hanging, "no more at the same time")
		once.Do(func() { close(release) })
		for range count + 1 - onTheirWayMax {
			await(t, hanging)
		}
	})
}

func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	store := repotest.SQLite(t)
	r := run(t, store)
	sending, answer := make(chan struct{}, 10), make(chan struct{})
	r.receive(t, shop, func(context.Context, ports.Notification) error {
		sending <- struct{}{}
		<-answer
		return nil
	})
	r.tell(t, "pay_1")
	await(t, sending)
	stopped := make(chan struct{})
	go func() { r.stop(); close(stopped) }()
	r.tell(t, "pay_2")
	close(answer)
	await(t, stopped)
	all := told(t, r.House)
	require.Equal(t, core.NotificationDelivered, all[0].Status, "it is recorded")
}

// What another process commits is found, though it gives no signal.
func TestOtherProcessesNotificationsAreFound(t *testing.T) {
	t.Parallel()
	url := repotest.SQLiteURL(t)
	r := run(t, repotest.Open(t, url))
	got := make(chan string, 10)
	r.receive(t, shop, func(_ context.Context, n ports.Notification) error { got <- n.ID; return nil })
	other := coretest.New(t, repotest.Open(t, url))
	other.Start(other.Open(core.CaptureAutomatic).ID)
	await(t, got)
}
