package bunrepo

import (
	"context"
	"sync"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/paydesk/paydesk/ports"
)

const (
	// wakesMax is how many wake-ups wait for SQLite's worker. Where more come, it is awake.
	wakesMax = 64
	// wakeTopic is where workers listen for new jobs.
	//
	// Source: River v0.51.1, internal/notifier, NotificationTopicInsert.
	wakeTopic = "river_insert"
)

// wakes carries, inside one process, the names of queues that jobs were enqueued in. The
// zero value is ready for use.
//
// On SQLite a transaction may wake the worker before it commits: there is one connection
// that writes, so that the worker's look at the queue waits for the commit and comes
// right after it.
type wakes struct {
	once   sync.Once
	queues chan string
}

func (w *wakes) channel() chan string {
	w.once.Do(func() { w.queues = make(chan string, wakesMax) })
	return w.queues
}

// wakeFor wakes the workers of each queue that has something to do now. It never waits.
func (w *wakes) wakeFor(jobs []ports.Job) {
	woken := make(map[string]bool, 1)
	for _, job := range jobs {
		queue := planOf(job.Kind).queue
		if job.Delay > 0 || woken[queue] {
			continue
		}
		woken[queue] = true
		select {
		case w.channel() <- queue:
		default:
		}
	}
}

// sqliteDriver is River's driver with our wake-ups in place of its own, which are rows of
// a table: one more write in each transaction, and polled for.
type sqliteDriver struct {
	*riversqlite.Driver
	wakes *wakes
}

// SupportsListenNotify is false, so that inserting writes no notification.
func (sqliteDriver) SupportsListenNotify() bool { return false }

// GetListener gives what the worker waits at.
func (d sqliteDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return wakeListener{d.wakes}
}

// wakeListener gives wake-ups in River's form. Nothing is connected, so most of it has
// nothing to do.
type wakeListener struct{ wakes *wakes }

// Close ends nothing.
func (wakeListener) Close(context.Context) error { return nil }

// Connect connects nothing.
func (wakeListener) Connect(context.Context) error { return nil }

// Listen has nothing to ask for.
func (wakeListener) Listen(context.Context, string) error { return nil }

// Ping always finds itself.
func (wakeListener) Ping(context.Context) error { return nil }

// Schema is none.
func (wakeListener) Schema() string { return "" }

// SetAfterConnectExec has no connection to prepare.
func (wakeListener) SetAfterConnectExec(string) {}

// Unlisten has nothing to give back.
func (wakeListener) Unlisten(context.Context, string) error { return nil }

// WaitForNotification waits for a wake-up.
func (l wakeListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case queue := <-l.wakes.channel():
		return &riverdriver.Notification{Topic: wakeTopic, Payload: `{"queue":"` + queue + `"}`}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
