package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// surroundings are the refunds and disputes of a payment whose snapshot hints at some that are
// not known here, each with what was held of it before the fetch.
type surroundings struct {
	refunds  []refundSight
	disputes []disputeSight
}

type refundSight struct {
	before core.Refund // the zero Refund where none was held
	seen   core.RefundSnapshot
}

type disputeSight struct {
	before core.Dispute // the zero Dispute where none was held
	seen   core.DisputeSnapshot
}

// refunder gives what can be asked of an account's refunds; nil where it has none.
func (s *Service) refunder(account core.AccountName) ports.Refunder {
	provider, ok := s.providers[account]
	if !ok || !provider.Capabilities().Refund {
		return nil
	}
	refunder, _ := provider.(ports.Refunder)
	return refunder
}

// disputer gives what can be asked of an account's disputes; nil where it has none.
func (s *Service) disputer(account core.AccountName) ports.Disputer {
	provider, ok := s.providers[account]
	if !ok || provider.Capabilities().Disputes == nil {
		return nil
	}
	disputer, _ := provider.(ports.Disputer)
	return disputer
}

// withoutHints leaves out of a payment's snapshot what follows from its refunds and disputes,
// where those can be looked at themselves.
func (s *Service) withoutHints(held core.Payment, seen core.PaymentSnapshot) core.PaymentSnapshot {
	if s.refunder(held.Account) != nil {
		seen.Refunded = held.AmountRefunded
	}
	if s.disputer(held.Account) != nil {
		seen.Disputed = held.Disputed
	}
	return seen
}

// lookAround fetches the refunds and disputes that a payment's snapshot hints at.
func (s *Service) lookAround(ctx context.Context, held core.Payment, seen core.PaymentSnapshot) (surroundings, error) {
	refunds, err := s.hintedRefunds(ctx, held, seen)
	if err != nil {
		return surroundings{}, err
	}
	disputes, err := s.hintedDisputes(ctx, held, seen)
	return surroundings{refunds: refunds, disputes: disputes}, err
}

// hintedRefunds fetches a payment's refunds where the provider counts another sum than ours.
func (s *Service) hintedRefunds(ctx context.Context, held core.Payment, seen core.PaymentSnapshot) ([]refundSight, error) {
	refunder := s.refunder(held.Account)
	if refunder == nil || seen.Ref.ID == "" || seen.Refunded == held.AmountRefunded {
		return nil, nil
	}
	known, err := s.store.PaymentRefunds(ctx, held.ID)
	if err != nil {
		return nil, err
	}
	if sums, err := core.SumRefunds(known, held.Amount.Currency()); err == nil && sums.Seen == seen.Refunded {
		return nil, nil
	}
	list, err := refunder.PaymentRefunds(ctx, seen.Ref)
	if err != nil {
		return nil, err
	}
	sights := make([]refundSight, 0, len(list))
	for _, one := range list {
		sight := refundSight{seen: one}
		for _, refund := range known {
			if refund.ProviderRefundID == one.Ref.ID || refund.ProviderRefundID == "" && refund.ID == one.Refund {
				sight.before = refund
			}
		}
		sights = append(sights, sight)
	}
	return sights, nil
}

// hintedDisputes fetches a payment's disputes where it has some and none is known here.
func (s *Service) hintedDisputes(ctx context.Context, held core.Payment, seen core.PaymentSnapshot) ([]disputeSight, error) {
	disputer := s.disputer(held.Account)
	if disputer == nil || seen.Ref.ID == "" || !seen.Disputed || held.Disputed {
		return nil, nil
	}
	known, err := s.store.PaymentDisputes(ctx, held.ID)
	if err != nil || len(known) > 0 {
		return nil, err
	}
	list, err := disputer.PaymentDisputes(ctx, seen.Ref)
	if err != nil {
		return nil, err
	}
	sights := make([]disputeSight, 0, len(list))
	for _, one := range list {
		sights = append(sights, disputeSight{seen: one})
	}
	return sights, nil
}

// applyAround applies what was seen around a payment, which is locked.
func (s *Service) applyAround(ctx context.Context, tx *work, payment core.Payment, around surroundings, cause core.Cause) (core.Payment, error) {
	for _, sight := range around.refunds {
		_, _, err := s.applyRefund(ctx, tx, payment, sight, cause)
		if err != nil && !errors.Is(err, core.ErrOperationOpen) { // then its own answer tells
			return payment, err
		}
	}
	if len(around.refunds) > 0 {
		var err error
		if payment, err = s.recount(ctx, tx, payment); err != nil {
			return payment, err
		}
	}
	for _, sight := range around.disputes {
		if _, _, err := s.applyDispute(ctx, tx, payment, sight, cause); err != nil {
			return payment, err
		}
	}
	if len(around.disputes) > 0 {
		return s.redispute(ctx, tx, payment)
	}
	return payment, nil
}
