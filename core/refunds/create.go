package refunds

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/ports"
)

// Create is a request to give money back.
type Create struct {
	Payment    core.PaymentID
	Amount     *int64            // minor units; nil means all that is left
	Currency   string            // of the amount; empty means the payment's
	Reason     core.RefundReason // empty means core.RefundOther
	Metadata   map[string]string
	Note       string // of staff, for the payment's history; empty for none
	RequestKey core.RequestKey
	Cause      core.Cause
}

// Create gives money of a payment back, once per RequestKey. A refund whose provider gave no
// answer comes back pending, and is settled later.
//
// Errors: a *[core.InvalidError]; [ports.ErrNotFound]; [core.ErrPaymentNotOpen] where nothing was
// taken; [core.ErrPaymentDisputed]; [core.ErrCurrencyOther]; [core.ErrAmountNotAvailable];
// [core.ErrNotSupported]; a *[core.RefusedError] where the provider said no, with the refund that
// failed; a retryable *[core.ProviderError] where it was not reached, and then the same call can
// be made again.
func (s *Service) Create(ctx context.Context, in Create) (core.Refund, error) {
	if err := checkCreate(&in); err != nil {
		return core.Refund{}, err
	}
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if in.RequestKey != "" {
		refund, err := s.store.RefundByRequestKey(ctx, in.RequestKey)
		if err == nil {
			return s.resume(ctx, refund, in.Cause)
		}
		if !errors.Is(err, ports.ErrNotFound) {
			return core.Refund{}, err
		}
	}
	op, err := s.prepare(ctx, in)
	if (errors.Is(err, core.ErrPaymentNotOpen) || errors.Is(err, core.ErrAmountNotAvailable)) && s.lookFirst(ctx, in.Payment) {
		op, err = s.prepare(ctx, in)
	}
	if errors.Is(err, ports.ErrDuplicate) && in.RequestKey != "" {
		var refund core.Refund
		if refund, err = s.store.RefundByRequestKey(ctx, in.RequestKey); err == nil {
			return s.resume(ctx, refund, in.Cause)
		}
	}
	if err != nil {
		return core.Refund{}, fmt.Errorf("refund %s: %w", in.Payment, err)
	}
	return s.send(ctx, op, in.Cause)
}

// lookFirst looks at a payment that seems to have nothing to give back, and at its refunds that may
// have come to nothing, and reports whether any of it was behind.
func (s *Service) lookFirst(ctx context.Context, id core.PaymentID) bool {
	before, err := s.store.Payment(ctx, id)
	if err != nil {
		return false
	}
	cause := core.Cause{Kind: core.CauseRepair}
	waits := before.Status == core.PaymentRequiresAction || before.Status == core.PaymentProcessing || before.Status == core.PaymentAuthorized
	if waits && before.Exists() {
		observation, err := s.observer.Sync(ctx, before.Ref(), cause)
		return err == nil && observation.Payment.Status != before.Status
	}
	refunds, err := s.store.PaymentRefunds(ctx, id)
	if err != nil {
		return false
	}
	moved := false
	for _, refund := range refunds {
		if refund.Status != core.RefundPending {
			continue
		}
		// That one cannot be looked at now leaves its amount reserved, as before.
		_ = s.Look(ctx, ports.Job{Kind: ports.JobSyncRefund, Subject: string(refund.ID)})
		if after, err := s.store.Refund(ctx, refund.ID); err == nil && !after.Status.Reserves() {
			moved = true
		}
	}
	return moved
}

// checkCreate says all that is wrong with a request by itself, and fills in what it leaves open.
func checkCreate(in *Create) error {
	wrong := &check.Fields{}
	wrong.Metadata("metadata", in.Metadata)
	if in.Reason == "" {
		in.Reason = core.RefundOther
	}
	if !in.Reason.Known() {
		wrong.Refuse("reason", "must be requested_by_customer, duplicate, fraudulent or other")
	}
	if in.Amount != nil && (*in.Amount < 1 || *in.Amount > core.MinorMax) {
		wrong.Refuse("amount", "must be a whole number of minor units from 1 to %d", core.MinorMax)
	}
	if in.Currency != "" {
		wrong.Currency("currency", in.Currency)
	}
	return wrong.Err()
}

// prepare writes refund and operation down in a transaction of their own.
func (s *Service) prepare(ctx context.Context, in Create) (op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		_, op, err = s.writeDown(ctx, tx, in)
		return err
	})
	return op, err
}

// writeDown checks the request under the payment's lock, where no other refund can come in between,
// and writes refund and operation down.
func (s *Service) writeDown(ctx context.Context, tx ports.Tx, in Create) (refund core.Refund, op core.Operation, err error) {
	payment, err := tx.LockPayment(ctx, in.Payment)
	if err != nil {
		return refund, op, err
	}
	amount, err := available(ctx, tx, payment, in)
	if err != nil {
		return refund, op, err
	}
	if _, err := s.refunder(payment.Account); err != nil {
		return refund, op, err
	}
	now := s.clock.Now()
	refund, err = tx.InsertRefund(ctx, core.Refund{
		ID: core.NewID[core.RefundID](s.ids.UUID()), Payment: payment.ID, Account: payment.Account, Provider: payment.Provider,
		Status: core.RefundPending, Amount: amount, Reason: in.Reason, Origin: core.OriginHere, RequestKey: in.RequestKey,
		Environment: payment.Environment, Metadata: in.Metadata, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return refund, op, err
	}
	created := s.record.SubjectEntry(ctx, string(refund.ID), payment.ID, string(refund.Status), core.TimelineCreated, in.Cause)
	created.Note = in.Note
	if err := tx.AppendTimeline(ctx, created); err != nil {
		return refund, op, err
	}
	op, err = s.calls.WriteDown(ctx, tx, calls.Asked{
		Kind: core.OpRefundPayment, Account: payment.Account, Payment: payment.ID, Subject: string(refund.ID),
		Status: string(refund.Status), Amount: amount, Key: in.RequestKey,
		Parts: []string{payment.ProviderPaymentID, string(refund.Reason)},
	})
	return refund, op, err
}

// lister gives what a payment's money went into.
type lister interface {
	PaymentRefunds(ctx context.Context, payment core.PaymentID) ([]core.Refund, error)
	PaymentDisputes(ctx context.Context, payment core.PaymentID) ([]core.Dispute, error)
}

// available gives the amount that is asked for, if the payment has it.
func available(ctx context.Context, tx lister, payment core.Payment, in Create) (core.Money, error) {
	refunds, err := tx.PaymentRefunds(ctx, payment.ID)
	if err != nil {
		return core.Money{}, err
	}
	disputes, err := tx.PaymentDisputes(ctx, payment.ID)
	if err != nil {
		return core.Money{}, err
	}
	if in.Currency != "" && core.Currency(in.Currency) != payment.Amount.Currency() {
		return core.Money{}, core.ErrCurrencyOther
	}
	var amount core.Money
	if in.Amount != nil {
		amount, err = core.NewMoney(*in.Amount, payment.Amount.Currency())
	} else {
		amount, err = payment.RefundLeft(refunds)
	}
	if err != nil {
		return core.Money{}, err
	}
	return amount, payment.CheckRefund(amount, refunds, disputes)
}

// GiveBack gives back all that is left of a payment that nobody needs. One of which nothing is
// left is no error; one that cannot be given back is [ports.ErrJobGivenUp], for staff.
func (s *Service) GiveBack(ctx context.Context, id core.PaymentID, cause core.Cause) error {
	_, err := s.Create(ctx, Create{Payment: id, Reason: core.RefundDuplicate, Cause: cause})
	_, refused := errors.AsType[*core.RefusedError](err)
	switch {
	case err == nil, errors.Is(err, core.ErrPaymentNotOpen), errors.Is(err, core.ErrAmountNotAvailable):
		return nil // or it moved on meanwhile
	case refused, errors.Is(err, core.ErrNotSupported), errors.Is(err, core.ErrPaymentDisputed):
		return fmt.Errorf("give %s back: %w: %w", id, ports.ErrJobGivenUp, err)
	}
	if _, away := errors.AsType[*core.ProviderError](err); away {
		return nil // it is written down, and sent again by itself
	}
	return fmt.Errorf("give %s back: %w", id, err)
}
