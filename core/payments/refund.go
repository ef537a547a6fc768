package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// giveBack refunds all that a payment took a second time for a checkout. One that was
// given back already, or whose checkout needs it, is left alone.
func (s *Service) giveBack(ctx context.Context, payment core.Payment, checkout core.Checkout) error {
	if !checkout.Overpaid(payment) || !payment.Refundable().IsPositive() {
		return nil
	}
	provider, err := s.account(payment.Account)
	if err != nil {
		return fmt.Errorf("give %s back: %w", payment.ID, err)
	}
	if !provider.Capabilities().Refund {
		return fmt.Errorf("give %s back: the account cannot refund: %w", payment.ID, ports.ErrJobGivenUp)
	}
	operations, err := s.store.PaymentOperations(ctx, payment.ID)
	if err != nil {
		return fmt.Errorf("give %s back: %w", payment.ID, err)
	}
	for _, op := range operations {
		if op.Kind == core.OpRefundPayment && op.Status == core.OperationSucceeded {
			return nil // perhaps pending at the provider; its end is told by a look
		}
	}
	ask := func(p core.Payment) (core.Money, error) { return p.Refundable(), p.CheckRefund(p.Refundable()) }
	_, err = s.operate(ctx, core.OpRefundPayment, payment.ID, "", core.Cause{Kind: core.CauseTimer}, ask)
	if _, refused := errors.AsType[*core.RefusedError](err); refused {
		return fmt.Errorf("give %s back: refused: %w", payment.ID, ports.ErrJobGivenUp)
	}
	if errors.Is(err, core.ErrPaymentNotOpen) || errors.Is(err, core.ErrAmountNotAvailable) {
		return nil // it moved on meanwhile
	}
	return err
}

// sendRefund sends a refund that is written down, settles it and looks at what it did.
func (s *Service) sendRefund(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation, cause core.Cause) (core.Payment, error) {
	result := ports.CallResult{Payment: payment}
	refunder, ok := provider.(ports.Refunder)
	if ok {
		_, err := refunder.RefundPayment(ctx, op.Key(), ports.RefundPayment{Payment: payment.ID, Ref: payment.MoneyRef(), Amount: op.Amount})
		result.Err = calls.ProviderError(err)
	} else {
		result.Err = &core.ProviderError{Class: core.ClassInvalid, Op: "refund " + string(payment.ID), Err: errors.New("account cannot refund")}
	}
	observation, err := s.observer.Settle(ctx, op, result, cause)
	if err != nil {
		return payment, err
	}
	payment = observation.Payment
	if result.Err == nil || settledBySight(result.Err) {
		if observation, err = s.observer.Sync(ctx, payment.Ref(), cause); err == nil {
			payment = observation.Payment
		}
	}
	if result.Err != nil && result.Err.Class == core.ClassUnknown {
		return payment, nil // settled later
	}
	return payment, refusal(result.Err)
}
