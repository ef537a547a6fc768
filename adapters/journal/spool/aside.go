package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Why a part of the journal is set aside; the suffix of its file.
const (
	asideTorn       = "torn"       // an append that never ended, so nobody was told it did
	asideDamaged    = "damaged"    // bytes that are no record
	asideUnsealable = "unsealable" // a whole record, whose key is not there
	asideRefused    = "refused"    // a whole record that the store can never take
)

const (
	// returnedMax is how many records that were set aside go back into the journal at one
	// start, returnedTogether how many of them wait for the disk at the same time.
	returnedMax      = 100_000
	returnedTogether = 64
	// passedByMax is how many deliveries in a row may be passed by as refused for ever. More
	// say that something is wrong with the store.
	passedByMax = 256
)

// errPanicked is what becomes of a panic of whoever takes a batch over.
var errPanicked = errors.New("taking over panicked")

// forEver reports whether trying the same again is of no use.
func forEver(err error) bool {
	return errors.Is(err, ports.ErrText) || errors.Is(err, ports.ErrRefused) || errors.Is(err, errPanicked)
}

// handOver has a batch taken over. A panic is that batch's trouble and not the process's: after
// a restart the same batch would be the first again.
func (s *Spool) handOver(ctx context.Context, accept ports.AcceptDeliveries, batch []core.Delivery) (err error) {
	ctx, cancel := context.WithTimeout(ctx, acceptTimeMax)
	defer cancel()
	defer func() {
		if value := recover(); value != nil { // which may hold anything: only its type is told
			s.logger.Error("taking over from the journal panicked", slog.String("type", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
			err = errPanicked
		}
	}()
	return accept(ctx, batch)
}

// passBy sets aside a delivery that was handed over alone and refused for ever, so that it does
// not hold up those behind it, and gives the position from which to go on. Whether the fault is
// the delivery's shows in what is behind: where one of those is taken, what was refused before it
// has its last try and is set aside; where none is, all wait. A text that no database stores
// needs no such witness.
func (s *Spool) passBy(ctx context.Context, accept ports.AcceptDeliveries, bad handover, refusal error) (position, error) {
	refused := []handover{bad}
	for !errors.Is(refusal, ports.ErrText) {
		at := refused[len(refused)-1].to
		end, ok := s.behind(&at)
		if !ok || len(refused) == passedByMax {
			return bad.first, refusal
		}
		next, err := s.read(at, end, 1)
		if err != nil {
			return bad.first, err
		}
		if len(next.batch) == 0 { // nothing but what was set aside in reading
			refused[len(refused)-1].to = next.to
			continue
		}
		err = s.handOver(ctx, accept, next.batch)
		if err == nil {
			return next.to, s.lastTries(ctx, accept, refused)
		}
		if !forEver(err) {
			return bad.first, err
		}
		refused = append(refused, next)
	}
	return bad.to, s.setRefusedAside(bad)
}

// lastTries hands over once more what was refused, for the store may be a better one by now, and
// sets aside what it refuses again.
func (s *Spool) lastTries(ctx context.Context, accept ports.AcceptDeliveries, refused []handover) error {
	for _, one := range refused {
		err := s.handOver(ctx, accept, one.batch)
		if forEver(err) {
			err = s.setRefusedAside(one)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Spool) setRefusedAside(one handover) error {
	sealed, err := s.seal(one.batch[0])
	if err != nil {
		return err
	}
	return s.setAside(one.first, appendRecord(nil, sealed), asideRefused)
}

// setAside keeps a part of the journal in a file of its own, and says so.
func (s *Spool) setAside(at position, data []byte, why string) error {
	s.aside.Add(1)
	name := fmt.Sprintf("%016d-%d.%s", at.segment, at.offset, why)
	err := writeSynced(filepath.Join(s.options.Dir, name), data)
	s.logger.Error("a part of the journal was set aside", slog.String("file", name), slog.Int("bytes", len(data)), slog.Bool("kept", err == nil))
	return err
}

// setAsideBefore are the files of records that an earlier Drain or start set aside and that may
// be taken now: a key that was missing is there again, or another version of the program can
// store what an earlier one could not.
func (s *Spool) setAsideBefore() (paths []string) {
	entries, err := os.ReadDir(s.options.Dir)
	if err != nil {
		s.logger.Warn("what was set aside was not looked at", slog.String("error", err.Error()))
		return nil
	}
	for _, entry := range entries {
		if suffix := filepath.Ext(entry.Name()); suffix != "."+asideUnsealable && suffix != "."+asideRefused {
			continue
		}
		if len(paths) == returnedMax {
			break // the rest has its turn at another start
		}
		paths = append(paths, filepath.Join(s.options.Dir, entry.Name()))
	}
	return paths
}

// returnAside puts records back that were set aside. What it cannot do waits for the next start.
func (s *Spool) returnAside(ctx context.Context, paths []string) {
	var group errgroup.Group
	group.SetLimit(returnedTogether)
	for _, path := range paths {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return s.returnOne(ctx, path) })
	}
	if err := group.Wait(); err != nil {
		s.logger.Warn("what was set aside did not all return", slog.String("error", err.Error()))
	}
}

// returnOne puts one record back where it can be opened. Its file goes once it is durable anew.
func (s *Spool) returnOne(ctx context.Context, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(data) < recordHeaderBytes || recordLength(data) != len(data) {
		return nil
	}
	sealed, ok := wholeRecord(data)
	if !ok {
		return nil
	}
	if _, err := s.options.Sealer.Open(sealedAt, sealed); err != nil {
		return nil //nolint:nilerr // its key is still missing
	}
	if err := s.group.Submit(context.WithoutCancel(ctx), sealed); err != nil {
		return err
	}
	return os.Remove(path)
}
