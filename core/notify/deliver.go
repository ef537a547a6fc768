package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of delivering.
const (
	// onTheirWayMax is how many notifications one process sends to one endpoint at a time.
	onTheirWayMax = 8
	// leaseMax is when a try counts as dead, so that the notification is sent again. It lies
	// above the longest try and what records it.
	leaseMax = 15 * time.Second
	// leaseMargin is how long before the end of its lease a try is given up.
	leaseMargin = time.Second
)

// message is the body of a notification.
type message struct {
	Type      core.EventType  `json:"type"`
	Timestamp string          `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// delivery is a try that was begun.
type delivery struct {
	notification core.Notification
	url          string
	secrets      []string
	// sent is how the try ended; not sent at all where ok is false.
	sent core.NotificationTry
	ok   bool
}

// turn records what became of tries to one endpoint and begins others, as many as there is room
// for beside those on their way. No more than one of each object is ever under way, and none
// before what was told of it earlier was delivered or given up.
func (s *Service) turn(ctx context.Context, id core.EndpointID, done []delivery, onTheirWay, most int) (begun []delivery, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		begun = nil
		held, err := tx.LockEndpoint(ctx, id)
		if err != nil {
			return err
		}
		endpoint := held
		for _, d := range done {
			if endpoint, err = s.settle(ctx, tx, endpoint, d); err != nil {
				return err
			}
		}
		if len(done) > 0 && standing(endpoint) != standing(held) {
			if err := tx.UpdateEndpoint(ctx, endpoint); err != nil {
				return err
			}
		}
		now := s.wall.Now()
		room := endpoint.Room(now, most) - onTheirWay
		if room <= 0 {
			return nil
		}
		claimed, err := tx.ClaimNotifications(ctx, id, now, now.Add(leaseMax), room)
		for _, n := range claimed {
			begun = append(begun, delivery{notification: n, url: endpoint.URL, secrets: endpoint.Secrets(now)})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("notify %s: %w", id, err)
	}
	return begun, nil
}

// standing is what tries change of an endpoint.
func standing(e core.Endpoint) [4]any {
	return [4]any{e.Failures, e.FailingSince, e.PausedUntil, e.DisabledAt}
}

// settle records what became of one try, and what it means for its endpoint.
func (s *Service) settle(ctx context.Context, tx ports.Tx, endpoint core.Endpoint, d delivery) (core.Endpoint, error) {
	if !d.ok {
		return endpoint, nil // its lease ends by itself
	}
	n, now := d.notification.Tried(d.sent), d.sent.At
	if n.Status == core.NotificationDelivered {
		after, back := endpoint.Answered()
		if err := tx.SettleNotification(ctx, n); err != nil {
			return endpoint, settled(err)
		}
		if back {
			return after, tx.HurryNotifications(ctx, endpoint.ID, false)
		}
		return after, nil
	}
	after := endpoint.Failed(d.sent)
	failing := now.Sub(after.FailingSince) >= core.NotificationAgeMax
	if n.Over(now) && !failing {
		n.Status, n.DueAt = core.NotificationFailed, time.Time{}
	}
	if err := tx.SettleNotification(ctx, n); err != nil {
		return endpoint, settled(err)
	}
	if !endpoint.Told() {
		return after, nil
	}
	reason := core.DisabledGone
	if !(ports.NotificationOutcome{Status: n.AnswerStatus}).Gone() {
		// Not only this one's age counts: where much waits, what was tried first has its turn late.
		if !failing {
			return after, nil
		}
		given, err := tx.NotificationTriedSince(ctx, endpoint.ID, now.Add(-core.NotificationAgeMax))
		if err != nil || !given {
			return after, err
		}
		reason = core.DisabledFailing
	}
	return after.Disabled(reason, s.clock.Now()), s.audit(ctx, tx, actorSystem, "endpoint.disable", string(endpoint.ID), string(reason))
}

// settled says what an error of recording a try is: none where the try counted as dead already
// and another was begun.
func settled(err error) error {
	if errors.Is(err, ports.ErrConflict) {
		return nil
	}
	return err
}

// actorSystem is whom the audit log names where no person acted.
const actorSystem = "system"

// send makes one try and gives the delivery with its end. Where ctx ends before the try did,
// nothing is known of it.
func (s *Service) send(ctx context.Context, d delivery) delivery {
	event, err := s.store.Event(ctx, d.notification.Event)
	if err != nil {
		return d
	}
	body, err := json.Marshal(message{
		Type: event.Type, Timestamp: event.OccurredAt.UTC().Format("2006-01-02T15:04:05.000000Z"), Data: event.Data,
	})
	if err != nil {
		return d
	}
	outcome, err := s.notifier.Notify(ctx, ports.Notification{
		ID: string(event.ID), URL: d.url, Secrets: d.secrets, Body: body, Trace: d.notification.Trace,
	})
	d.ok = true
	d.sent = core.NotificationTry{At: s.wall.Now(), AnswerStatus: outcome.Status, Answer: outcome.Body, RetryAfter: outcome.RetryAfter}
	if err != nil {
		d.sent.Error = err.Error()
	}
	return d
}
