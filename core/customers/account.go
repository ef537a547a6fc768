package customers

import (
	"context"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Account gives the provider's id of a customer at an account, and has the counterpart made where
// there is none yet; empty where the provider knows no customers. An outcome that is not known yet
// is [core.ErrPaymentInProgress].
func (s *Service) Account(ctx context.Context, id core.CustomerID, account core.AccountName) (string, error) {
	known, err := s.store.CustomerAccount(ctx, id, account)
	if err == nil || !errors.Is(err, ports.ErrNotFound) {
		return known.ProviderCustomerID, err
	}
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	err = s.calls.SettleOpen(ctx, string(id), s)
	if errors.Is(err, core.ErrOperationOpen) {
		return "", core.ErrPaymentInProgress
	}
	if err != nil {
		return "", err
	}
	op, err := s.prepareAccount(ctx, id, account)
	if err != nil {
		return "", err
	}
	if !op.Status.Settled() {
		if err := s.Send(ctx, op, core.Cause{Kind: core.CauseOperation}); err != nil {
			return "", err
		}
		if op, err = s.store.Operation(ctx, op.ID); err != nil {
			return "", err
		}
	}
	if !op.Status.Settled() {
		return "", core.ErrPaymentInProgress
	}
	return op.ObjectID, calls.Replayed(op)
}

// prepareAccount writes the counterpart's creation down, or gives the one that succeeded.
func (s *Service) prepareAccount(ctx context.Context, id core.CustomerID, account core.AccountName) (op core.Operation, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		op = core.Operation{}
		if _, err := tx.LockCustomer(ctx, id); err != nil {
			return err
		}
		operations, err := tx.SubjectOperations(ctx, string(id))
		if err != nil {
			return err
		}
		for _, other := range operations {
			if !other.Status.Settled() {
				return core.ErrPaymentInProgress
			}
			if other.Account == account && other.Status == core.OperationSucceeded {
				op = other
			}
		}
		if op.ID != "" {
			return nil
		}
		op, err = s.calls.WriteDown(ctx, tx, calls.Asked{Kind: core.OpCreateCustomer, Account: account, Subject: string(id)})
		return err
	})
	return op, err
}

// sendCustomer makes the call of a counterpart's creation and settles it.
func (s *Service) sendCustomer(ctx context.Context, op core.Operation) error {
	vault, err := s.vault(op.Account)
	if err != nil {
		return err
	}
	customer, err := s.store.Customer(ctx, core.CustomerID(op.Subject))
	if err != nil {
		return fmt.Errorf("send %s: %w", op.ID, err)
	}
	made := ""
	key, err := s.calls.Key(op, vault)
	if err == nil {
		made, err = vault.CreateCustomer(ctx, key, ports.CreateCustomer{Customer: customer.ID, Email: customer.Email, Name: customer.Name})
	}
	refused := calls.ProviderError(err)
	if err := s.settleCustomer(ctx, op, refused, made); err != nil {
		return fmt.Errorf("settle %s: %w", op.ID, err)
	}
	return calls.Refusal(refused)
}

func (s *Service) settleCustomer(ctx context.Context, op core.Operation, refused *core.ProviderError, made string) error {
	customer := core.CustomerID(op.Subject)
	known, err := s.isKnownAt(ctx, customer, op.Account)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockCustomer(ctx, customer); err != nil {
			return err
		}
		before, err := tx.LockOperation(ctx, op.ID)
		if err != nil || before.Stands(refused) {
			return err
		}
		if _, err := s.calls.Settled(ctx, tx, op.ID, refused, made, ""); err != nil {
			return err
		}
		if wanted := refused == nil && made != "" && !known; !wanted {
			return nil
		}
		return tx.InsertCustomerAccount(ctx, core.CustomerAccount{Customer: customer, Account: op.Account, ProviderCustomerID: made, CreatedAt: s.clock.Now()})
	})
}

// isKnownAt reports whether a customer has a counterpart at an account.
func (s *Service) isKnownAt(ctx context.Context, customer core.CustomerID, account core.AccountName) (bool, error) {
	_, err := s.store.CustomerAccount(ctx, customer, account)
	if errors.Is(err, ports.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
