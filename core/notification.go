package core

import (
	"hash/fnv"
	"strconv"
	"time"
)

// NotificationStatus is where a notification stands.
type NotificationStatus string

// The statuses. The last two are what a pending one is called because of its endpoint, and are
// never stored.
const (
	NotificationPending   NotificationStatus = "pending"
	NotificationDelivered NotificationStatus = "delivered"
	// NotificationFailed is one that was given up though its endpoint takes others.
	NotificationFailed NotificationStatus = "failed"
	// NotificationHeld waits for its endpoint to be enabled.
	NotificationHeld NotificationStatus = "held"
	// NotificationDropped was on its way when its endpoint was removed.
	NotificationDropped NotificationStatus = "dropped"
)

// Known reports whether the status is one of ours.
func (s NotificationStatus) Known() bool {
	switch s {
	case NotificationPending, NotificationDelivered, NotificationFailed, NotificationHeld, NotificationDropped:
		return true
	}
	return false
}

// Limits of notifications.
const (
	// NotificationAgeMax is how long one is tried, from its first try on.
	NotificationAgeMax = 3 * 24 * time.Hour
	// NotificationAnswerBytesMax is how much of an endpoint's answer is kept.
	NotificationAnswerBytesMax = 2 << 10
	// NotificationWaitMax is the longest that an endpoint is left alone because it asks for that.
	NotificationWaitMax = time.Hour

	// The pause after the first failed try, which doubles with each next up to the longest.
	notificationPauseFirst, notificationPauseLongest = 5 * time.Second, time.Hour
	// pauseSpread says that a pause may be a fifth longer or shorter, so that what failed
	// together does not come back together.
	pauseSpread = 5
)

// Notification is one event on its way to one endpoint.
//
// Times of tries are the wall clock's: they must not jump with the business clock.
type Notification struct {
	ID       NotificationID
	Endpoint EndpointID
	Event    EventID
	Sequence int64 // the event's; given by the store at commit
	Type     EventType
	Subject  string // the object's id; what is told of one object comes in order
	Status   NotificationStatus
	Attempts int // begun tries
	// DueAt is when it may be tried next, zero for at once. While a try is under way (Leased) it
	// is when that try counts as dead.
	DueAt        time.Time
	Leased       bool
	FirstTriedAt time.Time // of the present round of tries; zero before the first
	LastTriedAt  time.Time
	// AnswerStatus is the HTTP status of the last answer, 0 for none; Answer the beginning of its
	// body, sealed at rest; Error why the last try came to nothing.
	AnswerStatus int
	Answer       []byte
	Error        string
	Trace        string // W3C traceparent of what caused it
	CreatedAt    time.Time
	DeliveredAt  time.Time // by the wall clock; zero before
}

// Standing is the status as its endpoint makes it.
func (n Notification) Standing(e Endpoint) NotificationStatus {
	switch {
	case n.Status != NotificationPending:
		return n.Status
	case !e.DeletedAt.IsZero():
		return NotificationDropped
	case !e.DisabledAt.IsZero():
		return NotificationHeld
	}
	return NotificationPending
}

// NotificationTry is how one try ended.
type NotificationTry struct {
	At           time.Time // by the wall clock
	AnswerStatus int       // 0 for no answer
	Answer       []byte
	Error        string // empty where the endpoint took it
	// RetryAfter is for how long the endpoint asks to be left alone; 0 where it does not.
	RetryAfter time.Duration
}

// wait is how long the endpoint is left alone at its own wish.
func (t NotificationTry) wait() time.Duration { return min(max(t.RetryAfter, 0), NotificationWaitMax) }

// Tried is the notification after a try. One whose time is over stays pending where its
// endpoint takes nothing else either; the caller gives the endpoint up then.
func (n Notification) Tried(try NotificationTry) Notification {
	n.Leased, n.LastTriedAt = false, try.At
	n.AnswerStatus, n.Error = try.AnswerStatus, try.Error
	n.Answer = try.Answer[:min(len(try.Answer), NotificationAnswerBytesMax)]
	if n.FirstTriedAt.IsZero() {
		n.FirstTriedAt = try.At
	}
	if try.Error == "" {
		n.Status, n.DueAt, n.DeliveredAt = NotificationDelivered, time.Time{}, try.At
		return n
	}
	pause := spread(growing(notificationPauseFirst, notificationPauseLongest, n.Attempts-1), string(n.ID), n.Attempts)
	n.DueAt = try.At.Add(max(pause, try.wait()))
	return n
}

// Over reports whether its time for tries is over.
func (n Notification) Over(now time.Time) bool {
	return !n.FirstTriedAt.IsZero() && now.Sub(n.FirstTriedAt) >= NotificationAgeMax
}

// Again is the notification at the beginning of a new round of tries.
func (n Notification) Again() Notification {
	n.Status, n.Attempts, n.Leased = NotificationPending, 0, false
	n.DueAt, n.FirstTriedAt, n.DeliveredAt = time.Time{}, time.Time{}, time.Time{}
	return n
}

// growing is a pause that doubles from the first to the longest.
func growing(first, longest time.Duration, doublings int) time.Duration {
	const doublingsMax = 30 // keeps the shift from overflowing
	return min(first<<min(max(doublings, 0), doublingsMax), longest)
}

// spread makes a pause a bit longer or shorter. What it hangs on is the same when the same
// things happen again.
func spread(pause time.Duration, name string, count int) time.Duration {
	hash := fnv.New64a()
	hash.Write([]byte(name + "/" + strconv.Itoa(count)))
	const steps = 1 << 15
	// FNV's upper bits are the better mixed ones.
	part := int64(hash.Sum64()>>48) - steps
	return pause + time.Duration(int64(pause)/pauseSpread*part/steps)
}
