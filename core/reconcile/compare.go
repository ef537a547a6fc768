package reconcile

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// sighting is a provider's object beside what is held of it.
type sighting struct {
	ref core.ProviderRef // how it is looked at
	// id is our object's, empty where nothing is held. ours says that it should be: it names an object
	// of ours, or belongs to one.
	id     string
	ours   bool
	differ []core.Difference
}

// found is an error that is none where the row is not there.
func found(err error) (bool, error) {
	if errors.Is(err, ports.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// sightPayment finds what is held of a payment that the provider shows.
func (s *Service) sightPayment(ctx context.Context, seen core.PaymentSnapshot) (sighting, error) {
	at := sighting{ref: seen.Ref, ours: seen.Payment != ""}
	held, err := s.store.PaymentByRef(ctx, seen.Ref)
	known, err := found(err)
	if err == nil && !known && seen.Payment != "" {
		held, err = s.store.Payment(ctx, seen.Payment)
		known, err = found(err)
		known = known && held.Account == seen.Ref.Account
	}
	if err == nil && !known && seen.Subscription != "" {
		subscription := core.ProviderRef{Account: seen.Ref.Account, Kind: core.ObjectSubscription, ID: seen.Subscription}
		_, err = s.store.SubscriptionByRef(ctx, subscription)
		at.ours, err = found(err)
	}
	if err != nil || !known {
		return at, err
	}
	givenBack, err := s.givenBack(ctx, held, seen.Refunded)
	at.id, at.ours, at.differ = string(held.ID), true, core.ComparePayment(held, givenBack, seen)
	another := held.ProviderPaymentID != "" && held.ProviderPaymentID != seen.Ref.ID && seen.Ref.Kind == core.ObjectPayment
	if another && !seen.Status.HoldsMoney() && !seen.Captured.IsPositive() {
		at.differ = nil // another try of the same payment that came to nothing
	}
	return at, err
}

// givenBack is what went back of a payment, as far as the provider, which counts so much, can know:
// what is on its way counts at some, and at some it does not.
func (s *Service) givenBack(ctx context.Context, held core.Payment, theirs core.Money) (core.Money, error) {
	if held.AmountRefunded == theirs {
		return theirs, nil
	}
	refunds, err := s.store.PaymentRefunds(ctx, held.ID)
	if err != nil {
		return held.AmountRefunded, err
	}
	if sums, err := core.SumRefunds(refunds, held.Amount.Currency()); err == nil && sums.Seen == theirs {
		return theirs, nil
	}
	return held.AmountRefunded, nil
}

// sightRefund finds what is held of a refund that the provider shows.
func (s *Service) sightRefund(ctx context.Context, seen core.RefundSnapshot) (sighting, error) {
	at := sighting{ref: seen.Ref, ours: seen.Refund != ""}
	held, err := s.store.RefundByRef(ctx, seen.Ref)
	known, err := found(err)
	if err == nil && !known && seen.Refund != "" {
		held, err = s.store.Refund(ctx, seen.Refund)
		known, err = found(err)
		known = known && held.Account == seen.Ref.Account
	}
	if err == nil && !known {
		at.ours, err = s.ofOurs(ctx, seen.Payment, at.ours)
	}
	if err != nil || !known {
		return at, err
	}
	at.id, at.ours, at.differ = string(held.ID), true, core.CompareRefund(held, seen)
	return at, nil
}

// sightDispute finds what is held of a dispute that the provider shows.
func (s *Service) sightDispute(ctx context.Context, seen core.DisputeSnapshot) (sighting, error) {
	at := sighting{ref: seen.Ref}
	held, err := s.store.DisputeByRef(ctx, seen.Ref)
	known, err := found(err)
	if err == nil && !known {
		at.ours, err = s.ofOurs(ctx, seen.Payment, false)
	}
	if err != nil || !known {
		return at, err
	}
	at.id, at.ours, at.differ = string(held.ID), true, core.CompareDispute(held, seen)
	return at, nil
}

// sightSubscription finds what is held of a subscription that the provider shows.
func (s *Service) sightSubscription(ctx context.Context, seen core.SubscriptionSnapshot) (sighting, error) {
	at := sighting{ref: seen.Ref, ours: seen.Subscription != ""}
	held, err := s.store.SubscriptionByRef(ctx, seen.Ref)
	known, err := found(err)
	if err == nil && !known && seen.Subscription != "" {
		held, err = s.store.Subscription(ctx, seen.Subscription)
		known, err = found(err)
		known = known && held.Account == seen.Ref.Account
	}
	if err != nil || !known {
		return at, err
	}
	at.id, at.ours, at.differ = string(held.ID), true, core.CompareSubscription(held, seen)
	return at, nil
}

// ofOurs tells whether an object belongs to one of our payments.
func (s *Service) ofOurs(ctx context.Context, payment core.ProviderRef, named bool) (bool, error) {
	_, err := s.store.PaymentByRef(ctx, payment)
	known, err := found(err)
	return known || named, err
}
