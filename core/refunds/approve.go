package refunds

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// noteMax is the longest note of who asks for a refund, in characters.
const noteMax = 1000

// Ask is a refund that a member of staff asks for.
type Ask struct {
	Create

	By     core.StaffID
	Limits core.RefundLimits
}

// Preview is what an [Ask] would come to.
type Preview struct {
	Amount   core.Money // the zero Money where the amount is not possible
	Left     core.Money // that could be given back after it
	Waits    bool       // for a second person
	Waiting  int        // other refunds of the payment that wait for one; their amounts are not reserved
	Disputed bool       // a dispute of the payment is not closed, or took the money
}

// Preview says what would come of it. With an error that a rule gives, too, it tells what it can.
func (s *Service) Preview(ctx context.Context, in Ask) (Preview, error) {
	var would Preview
	if err := checkAsk(&in); err != nil {
		return would, err
	}
	payment, err := s.store.Payment(ctx, in.Payment)
	if err != nil {
		return would, err
	}
	disputes, err := s.store.PaymentDisputes(ctx, in.Payment)
	if err != nil {
		return would, err
	}
	for _, d := range disputes {
		would.Disputed = would.Disputed || d.Status != core.DisputeWon
	}
	waiting, err := s.store.Approvals(ctx, ports.ApprovalFilter{
		Payment: in.Payment, Statuses: []core.ApprovalStatus{core.ApprovalPending}, Now: s.clock.Now(),
	}, core.PageRequest{Limit: core.PageItemsMax})
	if err != nil {
		return would, err
	}
	would.Waiting = len(waiting.Items)
	amount, err := available(ctx, s.store, payment, in.Create)
	if err != nil {
		return would, err
	}
	if _, err := s.refunder(payment.Account); err != nil {
		return would, err
	}
	refunds, err := s.store.PaymentRefunds(ctx, in.Payment)
	if err != nil {
		return would, err
	}
	left, err := payment.RefundLeft(refunds)
	if err != nil {
		return would, err
	}
	would.Amount, would.Waits = amount, in.Limits.Above(amount)
	would.Left, err = left.Sub(amount)
	return would, err
}

// Ask gives money back, as [Service.Create] does, or, above the limit, writes down that it waits for a
// second person. One of the two results is there. Errors are those of Create.
func (s *Service) Ask(ctx context.Context, in Ask) (core.Refund, core.Approval, error) {
	if err := checkAsk(&in); err != nil {
		return core.Refund{}, core.Approval{}, err
	}
	if in.RequestKey != "" {
		approval, err := s.store.ApprovalByRequestKey(ctx, in.RequestKey)
		if !errors.Is(err, ports.ErrNotFound) {
			return core.Refund{}, approval, err
		}
		_, err = s.store.RefundByRequestKey(ctx, in.RequestKey)
		if err == nil { // was made; what is left since is of no matter
			refund, err := s.Create(ctx, in.Create)
			return refund, core.Approval{}, err
		}
		if !errors.Is(err, ports.ErrNotFound) {
			return core.Refund{}, core.Approval{}, err
		}
	}
	approval, err := s.propose(ctx, in)
	if (errors.Is(err, core.ErrPaymentNotOpen) || errors.Is(err, core.ErrAmountNotAvailable)) && s.lookFirst(ctx, in.Payment) {
		approval, err = s.propose(ctx, in)
	}
	if err != nil || approval.ID != "" {
		return core.Refund{}, approval, err
	}
	refund, err := s.Create(ctx, in.Create)
	return refund, core.Approval{}, err
}

func checkAsk(in *Ask) error {
	if err := checkCreate(&in.Create); err != nil {
		return err
	}
	wrong := &check.Fields{}
	if utf8.RuneCountInString(in.Note) > noteMax {
		wrong.Refuse("note", "must have at most %d characters", noteMax)
	}
	return wrong.Err()
}

// propose writes an approval down where the amount is above the limit; the zero Approval where not.
func (s *Service) propose(ctx context.Context, in Ask) (approval core.Approval, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		approval = core.Approval{}
		payment, err := tx.LockPayment(ctx, in.Payment)
		if err != nil {
			return err
		}
		amount, err := available(ctx, tx, payment, in.Create)
		if err != nil {
			return err
		}
		if !in.Limits.Above(amount) {
			return nil
		}
		if _, err := s.refunder(payment.Account); err != nil {
			return err
		}
		now := s.clock.Now()
		if approval, err = tx.InsertApproval(ctx, core.Approval{
			ID: core.NewID[core.ApprovalID](s.ids.UUID()), Status: core.ApprovalPending, Payment: payment.ID, Amount: amount, Reason: in.Reason,
			Note: in.Note, AskedBy: in.By, RequestKey: in.RequestKey, Environment: payment.Environment, CreatedAt: now, ExpiresAt: now.Add(core.ApprovalKept),
		}); err != nil {
			return err
		}
		return s.record.Acted(ctx, tx, record.Change{Subject: string(approval.ID), After: approvalState(approval)})
	})
	if err != nil {
		return core.Approval{}, fmt.Errorf("ask for a refund of %s: %w", in.Payment, err)
	}
	return approval, nil
}

func approvalState(a core.Approval) core.AuditState {
	return core.AuditState{"status": a.Status, "payment": a.Payment, "amount": a.Amount.Minor(), "currency": a.Amount.Currency(), "reason": a.Reason, "refund": a.Refund}
}

// Approve has an approval's refund made, by a second person. All is checked again: the amount may be
// gone since. Errors are those of [Service.Create], [core.ErrApprovalOwn], [core.ErrApprovalDecided] and
// [core.ErrApprovalExpired]. Where the provider refuses, the approval stays approved, with the refund
// that failed.
func (s *Service) Approve(ctx context.Context, id core.ApprovalID, by core.StaffID, cause core.Cause) (core.Approval, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	var op core.Operation
	approval, err := s.decide(ctx, id, core.ApprovalApproved, by, func(ctx context.Context, tx ports.Tx, a *core.Approval) error {
		minor := a.Amount.Minor()
		refund, written, err := s.writeDown(ctx, tx, Create{
			Payment: a.Payment, Amount: &minor, Currency: string(a.Amount.Currency()), Reason: a.Reason, Note: a.Note, Cause: cause,
		})
		a.Refund, op = refund.ID, written
		return err
	})
	if err != nil {
		return approval, err
	}
	_, err = s.send(ctx, op, cause)
	if _, away := errors.AsType[*core.ProviderError](err); away {
		return approval, nil // it is written down, and sent again by itself
	}
	return approval, err
}

// Reject ends an approval without a refund. Who asked may take it back so.
func (s *Service) Reject(ctx context.Context, id core.ApprovalID, by core.StaffID) (core.Approval, error) {
	return s.decide(ctx, id, core.ApprovalRejected, by, func(context.Context, ports.Tx, *core.Approval) error { return nil })
}

// PreviewDecision is the approval as a decision would leave it, and what is still to be given back
// of its payment before. Errors are those of the decision.
func (s *Service) PreviewDecision(ctx context.Context, id core.ApprovalID, status core.ApprovalStatus, by core.StaffID) (core.Approval, core.Money, error) {
	approval, err := s.store.Approval(ctx, id)
	if err != nil {
		return approval, core.Money{}, err
	}
	decided, err := approval.Decided(status, by, s.clock.Now())
	if err != nil {
		return approval, core.Money{}, err
	}
	payment, err := s.store.Payment(ctx, approval.Payment)
	if err != nil {
		return approval, core.Money{}, err
	}
	refunds, err := s.store.PaymentRefunds(ctx, approval.Payment)
	if err != nil {
		return approval, core.Money{}, err
	}
	left, err := payment.RefundLeft(refunds)
	if err == nil && status == core.ApprovalApproved {
		minor := approval.Amount.Minor()
		_, err = available(ctx, s.store, payment, Create{Amount: &minor})
	}
	return decided, left, err
}

// decide stores a decision with what follows from it, under the locks of payment and approval.
func (s *Service) decide(ctx context.Context, id core.ApprovalID, status core.ApprovalStatus, by core.StaffID,
	follow func(ctx context.Context, tx ports.Tx, a *core.Approval) error,
) (approval core.Approval, err error) {
	before, err := s.store.Approval(ctx, id)
	if err != nil {
		return before, fmt.Errorf("decide %s: %w", id, err)
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockPayment(ctx, before.Payment); err != nil { // first, as everywhere
			return err
		}
		held, err := tx.LockApproval(ctx, id)
		if err != nil {
			return err
		}
		next, err := held.Decided(status, by, s.clock.Now())
		if err != nil {
			return err
		}
		if err := follow(ctx, tx, &next); err != nil {
			return err
		}
		if approval, err = tx.UpdateApproval(ctx, next); err != nil {
			return err
		}
		return s.record.Acted(ctx, tx, record.Change{Subject: string(id), Before: approvalState(held), After: approvalState(approval)})
	})
	if err != nil {
		return before, fmt.Errorf("decide %s: %w", id, err)
	}
	return approval, nil
}
