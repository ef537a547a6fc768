// Package repair settles what a lost answer, a lost message or a lost job left open. It finds it by
// state and age in the tables alone, looks at it through the observer, which has the same effects as
// any other look, and hands to staff what nobody can find out by themselves.
//
// It never decides how something ended: an operation that was given up on keeps its status.
package repair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

const (
	// missingAfter is the age at which an object that its provider does not know waits for staff.
	missingAfter = 24 * time.Hour
	// roundMax is how long one round may begin new looks. With the time that a look may take it lies
	// below what a job may.
	roundMax = 20 * time.Second
	// passesMax bounds how often a round comes back to what one of its turns left over.
	passesMax = 10
	// batchMax is how many looks one turn of an account takes at most.
	batchMax = 50
	// eventsBatchMax is how many inbound events one run takes up.
	eventsBatchMax = 100
	// eventsUnseen is how long an event waits before it is taken for one whose job was lost: longer
	// than the job's longest pause.
	eventsUnseen = time.Hour
	// eventsGivenUpAfter is when an event that cannot be taken up is given up; staff can replay it.
	eventsGivenUpAfter = 3 * 24 * time.Hour
)

// Options are what the service works with.
type Options struct {
	Store     ports.Store
	Providers ports.Providers
	Observer  ports.Observer
	Clock     ports.Clock
	Record    *record.Recorder
	Calls     *calls.Desk
	// Senders say who sends, and so settles, the operations of each kind.
	Senders calls.Senders
	// Process takes up an inbound event; it is the handler of [ports.JobSyncInbound].
	Process ports.JobHandler
}

// Service repairs. It is safe for concurrent use and keeps no state.
type Service struct {
	store     ports.Store
	providers ports.Providers
	observer  ports.Observer
	clock     ports.Clock
	record    *record.Recorder
	calls     *calls.Desk
	senders   calls.Senders
	process   ports.JobHandler
	looks     map[ports.LookKind]look
}

// look is a look at one of a kind, by its id. That it came to nothing is no error.
type look = func(ctx context.Context, id string) error

// New makes the service.
func New(o Options) *Service {
	s := &Service{
		store: o.Store, providers: o.Providers, observer: o.Observer, clock: o.Clock, record: o.Record,
		calls: o.Calls, senders: o.Senders, process: o.Process,
	}
	s.looks = map[ports.LookKind]look{
		ports.LookOperation: s.lookOperation, ports.LookPayment: s.lookPayment, ports.LookRefund: s.lookRefund,
		ports.LookDispute: s.lookDispute, ports.LookMethod: s.lookMethod, ports.LookSubscription: s.lookSubscription,
	}
	return s
}

// turn is an account's turn in a round.
type turn struct {
	kind    ports.LookKind
	account core.AccountName
}

// round looks at what is due of some kinds. Each account has a share of the round's time for each
// kind, so that one that does not answer keeps no other waiting; what time is left goes to those that
// did not come to their end.
func (s *Service) round(ctx context.Context, kinds ...ports.LookKind) error {
	ctx, cancel := context.WithTimeout(ctx, roundMax)
	defer cancel()
	var turns []turn
	for _, kind := range kinds {
		accounts, err := s.store.AccountsDue(ctx, kind, s.clock.Now())
		if err != nil {
			return fmt.Errorf("find what is due: %w", err)
		}
		for _, account := range accounts {
			turns = append(turns, turn{kind: kind, account: account})
		}
	}
	var failed error
	for pass := 0; pass < passesMax && len(turns) > 0 && ctx.Err() == nil; pass++ {
		share := roundMax / time.Duration(len(turns))
		var left []turn
		for _, one := range turns {
			more, err := s.take(ctx, one, share)
			failed = errors.Join(failed, err)
			if more {
				left = append(left, one)
			}
		}
		turns = left
	}
	return failed
}

// take takes an account's turn, and reports whether there is more to be looked at.
func (s *Service) take(ctx context.Context, one turn, share time.Duration) (more bool, err error) {
	turnCtx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	due, err := s.store.LooksDue(ctx, one.kind, one.account, s.clock.Now(), batchMax)
	if err != nil {
		return false, fmt.Errorf("find what is due of %s: %w", one.account, err)
	}
	for i, id := range due {
		if i > 0 && turnCtx.Err() != nil {
			return true, err
		}
		if lookErr := s.looks[one.kind](ctx, id); lookErr != nil {
			err = errors.Join(err, fmt.Errorf("look at %s: %w", id, lookErr))
		}
	}
	return len(due) == batchMax, err
}

// Objects looks at the payments, refunds, disputes, saved methods and subscriptions that have not come
// to their end and that nobody looked at for long. It is the handler of [ports.JobSweepObjects].
func (s *Service) Objects(ctx context.Context, _ ports.Job) error {
	return s.round(ctx, ports.LookPayment, ports.LookRefund, ports.LookSubscription, ports.LookDispute, ports.LookMethod)
}

// Operations asks for the outcome of the operations that are open and that no job settled. It is the
// handler of [ports.JobSweepOperations].
func (s *Service) Operations(ctx context.Context, _ ports.Job) error {
	return s.round(ctx, ports.LookOperation)
}

// Events takes up inbound events that wait for so long that their job must be lost. It is the handler
// of [ports.JobSweepEvents].
func (s *Service) Events(ctx context.Context, _ ports.Job) error {
	ctx, cancel := context.WithTimeout(ctx, roundMax)
	defer cancel()
	now := s.clock.Now()
	waiting, err := s.store.InboundWaiting(ctx, now.Add(-eventsUnseen), eventsBatchMax)
	if err != nil {
		return fmt.Errorf("find inbound events that wait: %w", err)
	}
	var failed error
	for _, id := range waiting {
		if ctx.Err() != nil {
			return failed
		}
		if err := away(s.event(ctx, id)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("take up %s: %w", id, err))
		}
	}
	return failed
}

func (s *Service) event(ctx context.Context, id core.InboundID) error {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	now := s.clock.Now()
	event, err := s.store.Inbound(ctx, id)
	if err != nil {
		return err
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.NoteInboundLook(ctx, id, now) })
	if err != nil {
		return err
	}
	return s.process(ctx, ports.Job{Kind: ports.JobSyncInbound, Inbound: id, LastTry: now.Sub(event.ReceivedAt) > eventsGivenUpAfter})
}

// away leaves out what a provider that does not answer makes of a look: the ages of what is unsettled
// tell of it, and the next look is planned.
func away(err error) error {
	if _, is := errors.AsType[*core.ProviderError](err); is {
		return nil
	}
	return err
}
