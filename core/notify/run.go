package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of running.
const (
	// lookEvery is how often it is looked for notifications that other processes committed.
	lookEvery = 250 * time.Millisecond
	// lookPause lies between two looks that follow each other at once.
	lookPause = 5 * time.Millisecond
	// recordMax is how long recording the ends of tries may take at a time, recordTriesMax how
	// often it is tried and recordPause what lies between. Then the leases are over, and the
	// notifications are sent again.
	recordMax      = 5 * time.Second
	recordTriesMax = 15
	recordPause    = time.Second
	// roundsMax is how many rounds of tries [Service.DeliverDue] makes at most.
	roundsMax = 10_000
)

// Run brings notifications to endpoints until ctx is done; then it begins no more tries, waits
// for those under way, and returns nil. giveWay is called before work and may wait.
//
// Each endpoint has a lane of its own, so that one that is slow or dead takes nothing from
// others. All state is in the database: what a dead process was sending is sent again when its
// lease is over, by whoever runs then.
func (s *Service) Run(ctx context.Context, giveWay func(context.Context)) error {
	lanes := &lanes{service: s, giveWay: giveWay, wakes: make(map[core.EndpointID]chan struct{}), ended: make(chan core.EndpointID)}
	for ctx.Err() == nil {
		giveWay(ctx)
		waiting, cancel := context.WithTimeout(ctx, lanes.look(ctx))
		pause(ctx, lookPause)
		select {
		case id := <-lanes.ended:
			delete(lanes.wakes, id) // and look: it may have been woken at its very end
		case <-s.store.NotificationsCommitted():
		case <-waiting.Done():
		}
		cancel()
	}
	lanes.running.Wait()
	return nil
}

// pause waits, until ctx is done at most.
func pause(ctx context.Context, d time.Duration) {
	waiting, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-waiting.Done()
}

// lanes are the endpoints that something is being sent to.
type lanes struct {
	service *Service
	giveWay func(context.Context)
	wakes   map[core.EndpointID]chan struct{}
	ended   chan core.EndpointID
	running sync.WaitGroup
}

// look begins, or wakes, the lane of each endpoint that something is due for, and says how long
// to wait for the next look.
func (l *lanes) look(ctx context.Context) time.Duration {
	due, err := l.service.store.NotificationsDue(ctx)
	if err != nil {
		return recordPause
	}
	now, next := l.service.wall.Now(), lookEvery
	for _, one := range due {
		if one.At.After(now) {
			next = min(next, one.At.Sub(now))
			break // the soonest come first
		}
		if wake, ok := l.wakes[one.Endpoint]; ok {
			select {
			case wake <- struct{}{}:
			default:
			}
			continue
		}
		wake := make(chan struct{}, 1)
		l.wakes[one.Endpoint] = wake
		l.running.Go(func() {
			l.service.lane(ctx, one.Endpoint, wake, l.giveWay)
			select {
			case l.ended <- one.Endpoint:
			case <-ctx.Done():
			}
		})
	}
	return max(next, lookPause)
}

// lane sends to one endpoint until nothing is due and nothing on its way.
func (s *Service) lane(ctx context.Context, id core.EndpointID, wake <-chan struct{}, giveWay func(context.Context)) {
	ended := make(chan delivery, onTheirWayMax)
	onTheirWay := 0
	var done []delivery
	for {
		giveWay(ctx)
		// The lease begins within the transaction, the try's time before it.
		trying, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseMax-leaseMargin)
		begun := s.keepTurning(ctx, id, done, onTheirWay)
		done = nil
		var sending sync.WaitGroup
		for _, d := range begun {
			onTheirWay++
			sending.Go(func() { ended <- s.send(trying, d) })
		}
		go func() { sending.Wait(); cancel() }()
		if onTheirWay == 0 {
			return
		}
		select {
		case d := <-ended:
			done, onTheirWay = append(done, d), onTheirWay-1
		case <-wake:
		}
		for more := true; more; {
			select {
			case d := <-ended:
				done, onTheirWay = append(done, d), onTheirWay-1
			default:
				more = false
			}
		}
	}
}

// keepTurning takes a turn, and takes it again where the database does not answer. Once ctx is
// done it begins nothing.
func (s *Service) keepTurning(ctx context.Context, id core.EndpointID, done []delivery, onTheirWay int) []delivery {
	for range recordTriesMax {
		most := onTheirWayMax
		if ctx.Err() != nil {
			most = 0
		}
		if len(done) == 0 && onTheirWay >= most {
			return nil
		}
		recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordMax)
		begun, err := s.turn(recording, id, done, onTheirWay, most)
		cancel()
		if err == nil || len(done) == 0 || errors.Is(err, ports.ErrNotFound) {
			return begun
		}
		if ctx.Err() != nil {
			return nil
		}
		pause(ctx, recordPause)
	}
	return nil
}

// DeliverDue delivers what is due, one after the other, until nothing is. It is [Service.Run] at
// the pace of its caller, for one who moves the clock by hand.
func (s *Service) DeliverDue(ctx context.Context) error {
	for range roundsMax {
		due, err := s.store.NotificationsDue(ctx)
		if err != nil {
			return err
		}
		sent := false
		for _, one := range due {
			if one.At.After(s.wall.Now()) {
				break
			}
			begun, err := s.turn(ctx, one.Endpoint, nil, 0, onTheirWayMax)
			if err != nil {
				return err
			}
			for i, d := range begun {
				sent = true
				begun[i] = s.send(ctx, d)
			}
			if _, err := s.turn(ctx, one.Endpoint, begun, 0, 0); err != nil {
				return err
			}
		}
		if !sent {
			return nil
		}
	}
	return fmt.Errorf("deliver notifications: not done after %d rounds", roundsMax)
}

// NextDue says when the next notification can be sent, by the wall clock; false where none waits.
func (s *Service) NextDue(ctx context.Context) (time.Time, bool, error) {
	due, err := s.store.NotificationsDue(ctx)
	if err != nil || len(due) == 0 {
		return time.Time{}, false, err
	}
	return due[0].At, true, nil
}
