package disputes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Submit sends all evidence that was saved to whoever decides, for good, once per key. A dispute
// whose provider gave no answer comes back as it was, and is settled later.
//
// Errors: [ports.ErrNotFound]; [core.ErrEvidenceEmpty]; [core.ErrDisputeClosed];
// [core.ErrEvidenceSubmitted]; [core.ErrEvidenceLate]; [core.ErrNotSupported];
// [core.ErrOperationOpen]; a *[core.RefusedError] where the provider said no; a retryable
// *[core.ProviderError] where it was not reached, and then the same call can be made again.
func (s *Service) Submit(ctx context.Context, id core.DisputeID, key core.RequestKey, cause core.Cause) (core.Dispute, error) {
	return s.operate(ctx, id, key, cause, func(can ports.DisputeAbilities) (ask, error) {
		draft, err := s.store.Evidence(ctx, id)
		if err != nil {
			return ask{}, err
		}
		return ask{kind: core.OpSubmitEvidence, able: can.Evidence, parts: fingerprint(draft), check: func(ctx context.Context, tx ports.Tx, d core.Dispute) error {
			if err := d.CheckSubmit(s.clock.Now()); err != nil {
				return err
			}
			if draft.Empty() {
				return core.ErrEvidenceEmpty
			}
			draft.UpdatedAt = s.clock.Now()
			_, err := tx.SaveEvidence(ctx, draft) // a conflict where it has changed since it was read
			return err
		}}, nil
	})
}

// Accept gives in: the buyer gets the money. Errors are those of [Service.Submit].
func (s *Service) Accept(ctx context.Context, id core.DisputeID, key core.RequestKey, cause core.Cause) (core.Dispute, error) {
	return s.operate(ctx, id, key, cause, func(can ports.DisputeAbilities) (ask, error) {
		return ask{kind: core.OpAcceptDispute, able: can.Accept, check: func(_ context.Context, _ ports.Tx, d core.Dispute) error {
			return d.CheckAccept()
		}}, nil
	})
}

// ask is what is to be asked of a dispute's provider.
type ask struct {
	kind  core.OperationKind
	able  bool // whether the account can
	parts []string
	// check reports why it cannot be asked of the dispute, which is locked; nil where it can.
	check func(ctx context.Context, tx ports.Tx, d core.Dispute) error
}

// operate is the one way of every verb of a dispute: find what the same call led to before, settle
// what is open, write the operation down under the dispute's lock, send it, settle it.
func (s *Service) operate(ctx context.Context, id core.DisputeID, key core.RequestKey, cause core.Cause, prepare func(ports.DisputeAbilities) (ask, error)) (core.Dispute, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if key != "" {
		op, err := s.store.OperationByRequestKey(ctx, key)
		if err == nil {
			return s.resume(ctx, id, op, cause)
		}
		if !errors.Is(err, ports.ErrNotFound) {
			return core.Dispute{}, err
		}
	}
	dispute, err := s.store.Dispute(ctx, id)
	if err != nil {
		return dispute, err
	}
	_, can, err := s.disputer(dispute.Account)
	if err != nil {
		return dispute, err
	}
	if err := s.calls.SettleOpen(ctx, string(id), s); err != nil {
		return dispute, err
	}
	for range saveTriesMax {
		asked, err := prepare(can)
		if err != nil {
			return dispute, err
		}
		op, err := s.writeDown(ctx, dispute, key, asked)
		if errors.Is(err, ports.ErrConflict) {
			continue
		}
		if err != nil {
			return dispute, fmt.Errorf("%s of %s: %w", asked.kind, id, err)
		}
		return s.send(ctx, op, cause)
	}
	return dispute, core.ErrOperationOpen
}

// writeDown checks what is asked under the dispute's lock and writes it down. The payment is locked
// first, as everywhere: an operation on it is written, which takes hold of its row.
func (s *Service) writeDown(ctx context.Context, before core.Dispute, key core.RequestKey, asked ask) (op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockPayment(ctx, before.Payment); err != nil {
			return err
		}
		dispute, err := tx.LockDispute(ctx, before.ID)
		if err != nil {
			return err
		}
		operations, err := tx.SubjectOperations(ctx, string(dispute.ID))
		if err != nil {
			return err
		}
		for _, other := range operations {
			if !other.Status.Settled() {
				return core.ErrOperationOpen
			}
		}
		if err := asked.check(ctx, tx, dispute); err != nil {
			return err
		}
		if !asked.able {
			return core.ErrNotSupported
		}
		op, err = s.calls.WriteDown(ctx, tx, calls.Asked{
			Kind: asked.kind, Account: dispute.Account, Payment: dispute.Payment, Subject: string(dispute.ID), Status: string(dispute.Status),
			Amount: dispute.Amount, Key: key, Parts: append([]string{dispute.ProviderDisputeID}, asked.parts...),
		})
		return err
	})
	return op, err
}

// fingerprint is a draft in parts, without saying it.
func fingerprint(draft core.Evidence) []string {
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(draft.Texts)) {
		parts = append(parts, string(field), core.HashRequest(draft.Texts[field]))
	}
	for _, file := range draft.Files {
		parts = append(parts, string(file.Field), file.SHA256)
	}
	return parts
}

// Send implements [calls.Sender].
func (s *Service) Send(ctx context.Context, op core.Operation, cause core.Cause) error {
	_, err := s.send(ctx, op, cause)
	return err
}

// send makes the call of an operation that is written down and settles it.
func (s *Service) send(ctx context.Context, op core.Operation, cause core.Cause) (core.Dispute, error) {
	dispute, err := s.store.Dispute(ctx, core.DisputeID(op.Subject))
	if err != nil {
		return dispute, err
	}
	disputer, _, err := s.disputer(op.Account)
	if err != nil {
		return dispute, err
	}
	var in ports.SubmitEvidence
	if op.Kind == core.OpSubmitEvidence {
		if in, err = s.submission(ctx, dispute); err != nil {
			return dispute, err
		}
	}
	var seen core.DisputeSnapshot
	key, err := s.calls.Key(op, disputer)
	switch {
	case err != nil:
	case op.Kind == core.OpSubmitEvidence:
		seen, err = disputer.SubmitEvidence(ctx, key, in)
	default:
		seen, err = disputer.AcceptDispute(ctx, key, ports.AcceptDispute{Ref: dispute.Ref(), Amount: op.Amount})
	}
	return s.settle(ctx, dispute, op, seen, err, cause)
}

// submission is the request that belongs to a draft, which does not change while it is open.
func (s *Service) submission(ctx context.Context, dispute core.Dispute) (ports.SubmitEvidence, error) {
	draft, err := s.store.Evidence(ctx, dispute.ID)
	if err != nil {
		return ports.SubmitEvidence{}, err
	}
	in := ports.SubmitEvidence{Ref: dispute.Ref(), Texts: draft.Texts}
	for _, file := range draft.Files {
		content, err := s.store.EvidenceContent(ctx, file.ID)
		if err != nil {
			return in, err
		}
		in.Files = append(in.Files, ports.EvidenceContent{EvidenceFile: file, Content: content})
	}
	return in, nil
}

// settle records how a call ended.
func (s *Service) settle(ctx context.Context, dispute core.Dispute, op core.Operation, seen core.DisputeSnapshot, err error, cause core.Cause) (core.Dispute, error) {
	refused := calls.ProviderError(err)
	snapshot := &seen
	if refused != nil {
		snapshot = nil
	}
	settled, err := s.observer.SettleDispute(ctx, op, snapshot, refused, cause)
	if err != nil {
		return dispute, err
	}
	if refused != nil && refused.Class == core.ClassInvalid {
		// The provider says that the dispute is not in the state that we thought: look.
		if observation, err := s.observer.Sync(ctx, dispute.Ref(), cause); err == nil && observation.Dispute.ID != "" {
			settled = observation.Dispute
		}
	}
	return settled, calls.Refusal(refused)
}

// resume gives a repeated call what its first led to.
func (s *Service) resume(ctx context.Context, id core.DisputeID, op core.Operation, cause core.Cause) (core.Dispute, error) {
	op, err := s.calls.Resume(ctx, op, s, cause)
	if err != nil {
		return core.Dispute{}, err
	}
	dispute, err := s.store.Dispute(ctx, id)
	if err != nil {
		return dispute, err
	}
	if err := calls.Replayed(op); !errors.Is(err, core.ErrOperationOpen) {
		return dispute, err
	}
	return dispute, nil // settled later
}

// LookUp implements [calls.Sender]: a look at the dispute shows whether the call took effect. Where it
// did not and could still be made, it is given up, so that it can be made again before the deadline.
func (s *Service) LookUp(ctx context.Context, op core.Operation) error {
	dispute, err := s.store.Dispute(ctx, core.DisputeID(op.Subject))
	if err != nil {
		return err
	}
	cause := core.Cause{Kind: core.CauseRepair}
	observation, err := s.observer.Sync(ctx, dispute.Ref(), cause)
	if err != nil {
		return err
	}
	dispute = observation.Dispute
	open := op.Kind == core.OpSubmitEvidence && dispute.CanSubmit || op.Kind == core.OpAcceptDispute && dispute.CanAccept
	if dispute.Status.Closed() || !open {
		return nil
	}
	refuted, err := s.calls.Refuted(ctx, op.ID)
	if err != nil || refuted == nil {
		return err
	}
	_, err = s.observer.SettleDispute(ctx, op, nil, refuted, cause)
	return err
}
