// Package idempotency gives a storefront's repeated call the first answer again. It
// remembers answers; that the repeated work makes nothing twice is the promise of the
// objects' own request keys, which a call that is taken over after a crash leans on.
package idempotency

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// pruneBatchMax is how many old answers one transaction removes, and pruneBatchesMax
	// how many transactions one sweep makes.
	pruneBatchMax   = 500
	pruneBatchesMax = 20
	// workTimeMax is how long a call may take, whether or not its caller still waits, and
	// settleTimeMax how long keeping its answer may take after that.
	workTimeMax   = core.IdempotencyLockMax
	settleTimeMax = 5 * time.Second
)

// Why a call is not run. The texts are for logs.
var (
	// ErrReused means that the key was used with another request before.
	ErrReused = errors.New("idempotency key was used with another request")
	// ErrInProgress means that the first call with the key is still running.
	ErrInProgress = errors.New("call with this idempotency key is running")
)

// Call is a storefront's call under a key.
type Call struct {
	Caller      core.APIKeyID
	Key         string
	RequestHash string // of everything that makes the request what it is
}

// RequestKey is what objects that the call makes are found by again. The request is part
// of it: a key that is free again, because its call settled nothing or was long ago, and
// comes with another request must not lead to the objects of the first.
func (c Call) RequestKey() core.RequestKey {
	return core.NewRequestKey(c.Caller, c.Key+"\x00"+c.RequestHash)
}

// Answer is what a call was answered with.
type Answer struct {
	Status int
	Body   []byte
	// Forget says that the answer settles nothing, so that the key can be used again: the
	// request was malformed, or something inside went wrong.
	Forget bool
}

// Service remembers answers. It is safe for concurrent use.
type Service struct {
	store ports.Store
	clock ports.Clock
	lock  time.Duration
}

// New makes the service.
func New(store ports.Store, clock ports.Clock) *Service {
	return &Service{store: store, clock: clock, lock: core.IdempotencyLockMax}
}

// LockFor is the service with another time after which a call counts as dead.
func (s *Service) LockFor(lock time.Duration) *Service {
	return &Service{store: s.store, clock: s.clock, lock: lock}
}

// Do runs a call once for its caller and key. The second result says that the answer is
// an earlier one. Errors are [ErrReused], [ErrInProgress] and those of the store.
//
// work goes on when ctx ends, since what it began is remembered; its own context ends
// after [core.IdempotencyLockMax].
func (s *Service) Do(ctx context.Context, call Call, work func(context.Context) Answer) (Answer, bool, error) {
	record := core.IdempotencyRecord{
		Caller: call.Caller, Key: call.Key, RequestHash: call.RequestHash, LockedAt: s.clock.Now(), CreatedAt: s.clock.Now(),
	}
	standing, run, err := s.begin(ctx, record)
	if err != nil {
		return Answer{}, false, err
	}
	if !run {
		return Answer{Status: standing.Status, Body: standing.Body}, true, nil
	}
	settled := false
	defer func() {
		if !settled { // work panicked: the key must not stay locked
			_ = s.forget(ctx, call)
		}
	}()
	answer := limited(ctx, work)
	settled = true
	if answer.Forget {
		return answer, false, s.forget(ctx, call)
	}
	record.Status, record.Body = answer.Status, answer.Body
	return answer, false, s.finish(ctx, record)
}

// limited does the work for as long as it may take, also when nobody waits any more.
func limited(ctx context.Context, work func(context.Context) Answer) Answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeMax)
	defer cancel()
	return work(ctx)
}

// finish keeps the answer. Where another took the call over and has answered, that
// answer stands.
func (s *Service) finish(ctx context.Context, record core.IdempotencyRecord) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeMax)
	defer cancel()
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.FinishIdempotent(ctx, record) })
	if err != nil && !errors.Is(err, ports.ErrConflict) {
		return fmt.Errorf("remember answer: %w", err)
	}
	return nil
}

// begin takes the key, or gives the answer that stands.
func (s *Service) begin(ctx context.Context, record core.IdempotencyRecord) (standing core.IdempotencyRecord, run bool, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		var fresh bool
		standing, fresh, err = tx.BeginIdempotent(ctx, record)
		if err != nil || fresh {
			run = fresh
			return err
		}
		run = false
		switch standing.Judge(record.RequestHash, record.LockedAt, s.lock) {
		case core.IdempotencyMismatch:
			return ErrReused
		case core.IdempotencyBusy:
			return ErrInProgress
		case core.IdempotencyReplay:
			return nil
		case core.IdempotencyRun: // whoever ran it has died
			run = true
			return tx.RelockIdempotent(ctx, record, standing.LockedAt)
		}
		return nil
	})
	if errors.Is(err, ports.ErrConflict) {
		return standing, false, ErrInProgress // somebody else took it over
	}
	if err != nil && !errors.Is(err, ErrReused) && !errors.Is(err, ErrInProgress) {
		return standing, false, fmt.Errorf("take idempotency key: %w", err)
	}
	return standing, run, err
}

// forget frees the key.
func (s *Service) forget(ctx context.Context, call Call) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeMax)
	defer cancel()
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return tx.ForgetIdempotent(ctx, call.Caller, call.Key)
	})
	if err != nil {
		return fmt.Errorf("free idempotency key: %w", err)
	}
	return nil
}

// Prune removes answers that are remembered no longer, and gives how many.
func (s *Service) Prune(ctx context.Context) (int, error) {
	before := s.clock.Now().Add(-core.IdempotencyKeep)
	total := 0
	for range pruneBatchesMax {
		var removed int
		err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) (err error) {
			removed, err = tx.PruneIdempotent(ctx, before, pruneBatchMax)
			return err
		})
		total += removed
		if err != nil {
			return total, fmt.Errorf("prune answers: %w", err)
		}
		if removed < pruneBatchMax {
			break
		}
	}
	return total, nil
}
