package disputes

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// PreviewSubmit gives the dispute that [Service.Submit] would send evidence of. Errors are those of its
// checks.
func (s *Service) PreviewSubmit(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
	d, err := s.store.Dispute(ctx, id)
	if err != nil {
		return d, err
	}
	draft, err := s.store.Evidence(ctx, id)
	if err != nil {
		return d, err
	}
	if err := d.CheckSubmit(s.clock.Now()); err != nil {
		return d, err
	}
	_, can, err := s.disputer(d.Account)
	switch {
	case err != nil:
		return d, err
	case draft.Empty():
		return d, core.ErrEvidenceEmpty
	case !can.Evidence:
		return d, core.ErrNotSupported
	}
	return d, s.free(ctx, id)
}

// PreviewAccept gives the dispute that [Service.Accept] would give in to. Errors are those of its checks.
func (s *Service) PreviewAccept(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
	d, err := s.store.Dispute(ctx, id)
	if err != nil {
		return d, err
	}
	if err := d.CheckAccept(); err != nil {
		return d, err
	}
	_, can, err := s.disputer(d.Account)
	if err == nil && !can.Accept {
		err = core.ErrNotSupported
	}
	if err != nil {
		return d, err
	}
	return d, s.free(ctx, id)
}

// free reports that an earlier call on a dispute is not settled, or nil.
func (s *Service) free(ctx context.Context, id core.DisputeID) error {
	operations, err := s.store.SubjectOperations(ctx, string(id))
	if err != nil {
		return err
	}
	for _, op := range operations {
		if !op.Status.Settled() {
			return core.ErrOperationOpen
		}
	}
	return nil
}
