package observe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// syncedNoteEvery is how often it is written down that a subscription was looked at and had not
	// changed.
	syncedNoteEvery = time.Minute
	// resyncDelay is when a subscription is looked at again of whose invoices not all could be.
	resyncDelay = 30 * time.Second
	// abandonedDelay is when one that was given up is looked at once more: some providers do not end
	// what nobody agreed to, and should its buyer do so all the same, no event may come.
	abandonedDelay = 24 * time.Hour
)

// sight is a subscription's snapshot with what of ours it names, put together before its
// transaction.
type sight struct {
	core.SubscriptionSnapshot

	prices   core.SeenPrices
	payments map[string]paymentSight // by the provider's id of the payment
}

// paymentSight is a payment that an invoice names: as it was before the fetch, the zero one where
// it was not known, and what was seen of it, nil where nobody looked.
type paymentSight struct {
	held core.Payment
	seen *core.PaymentSnapshot
}

// syncSubscription looks at a subscription with its newest invoices and the payments of those.
func (s *Service) syncSubscription(ctx context.Context, ref core.ProviderRef, cause core.Cause) (ports.Observation, error) {
	return s.syncBilling(ctx, ref, core.ProviderRef{}, nil, cause)
}

// syncBilling is syncSubscription, which looks at one more invoice, and takes one more payment in.
// Both are zero for none.
func (s *Service) syncBilling(ctx context.Context, ref, invoice core.ProviderRef, payment *core.PaymentSnapshot, cause core.Cause) (ports.Observation, error) {
	provider := s.subscriber(ref.Account)
	if provider == nil {
		return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the account bills no subscriptions")
	}
	held, err := s.store.SubscriptionByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
	}
	snapshot, err := provider.GetSubscription(ctx, ref)
	if err != nil {
		return s.missing(ctx, ports.Observation{Subscription: held}, err, cause)
	}
	if held.ID == "" {
		if held, err = s.subscriptionOwner(ctx, snapshot); err != nil {
			return ports.Observation{}, fmt.Errorf("sync %s: %w", ref, err)
		}
	}
	if held.ID == "" {
		return ports.Observation{Reason: core.ReasonNotOurs}, s.noteInbound(ctx, cause, "the object belongs to no subscription here")
	}
	if err := s.addInvoice(ctx, provider, &snapshot, invoice); err != nil {
		return ports.Observation{}, err
	}
	seen, err := s.sight(ctx, provider, snapshot, payment)
	if err != nil {
		return ports.Observation{}, err
	}
	return s.applySubscription(ctx, held, seen, cause)
}

// subscriber gives what can be asked of an account's billing; nil where it has none.
func (s *Service) subscriber(account core.AccountName) ports.Subscriber {
	provider, ok := s.providers[account]
	if !ok || provider.Capabilities().Subscriptions == nil {
		return nil
	}
	subscriber, _ := provider.(ports.Subscriber)
	return subscriber
}

// subscriptionOwner finds the subscription that the provider's object names as its own. The zero
// one means nobody's.
func (s *Service) subscriptionOwner(ctx context.Context, seen core.SubscriptionSnapshot) (core.Subscription, error) {
	if seen.Subscription == "" {
		return core.Subscription{}, nil
	}
	held, err := s.store.Subscription(ctx, seen.Subscription)
	if errors.Is(err, ports.ErrNotFound) {
		return core.Subscription{}, nil
	}
	if err != nil || held.Account != seen.Ref.Account || held.Exists() && held.ProviderSubscriptionID != seen.Ref.ID {
		return core.Subscription{}, err
	}
	return held, nil
}

// addInvoice adds an invoice to those that a look at its subscription gave.
func (s *Service) addInvoice(ctx context.Context, provider ports.Subscriber, snapshot *core.SubscriptionSnapshot, invoice core.ProviderRef) error {
	if invoice.ID == "" {
		return nil
	}
	for _, known := range snapshot.Invoices {
		if known.Ref.ID == invoice.ID {
			return nil
		}
	}
	seen, err := provider.GetInvoice(ctx, invoice)
	if err != nil {
		return err
	}
	snapshot.Invoices = append(snapshot.Invoices, seen) // older than the newest ones
	return nil
}

// sight finds what of ours a snapshot names, and looks at the payments of its invoices.
func (s *Service) sight(ctx context.Context, provider ports.Provider, snapshot core.SubscriptionSnapshot, extra *core.PaymentSnapshot) (sight, error) {
	seen := sight{SubscriptionSnapshot: snapshot, payments: map[string]paymentSight{}}
	var err error
	if seen.prices.Current, err = s.priceOf(ctx, snapshot.Ref.Account, snapshot.Price); err != nil {
		return seen, err
	}
	if seen.prices.Pending, err = s.priceOf(ctx, snapshot.Ref.Account, snapshot.PendingPrice); err != nil {
		return seen, err
	}
	for _, invoice := range snapshot.Invoices {
		if invoice.Payment.ID == "" {
			continue
		}
		if err := s.sightPayment(ctx, provider, seen, invoice.Payment, invoice.Status == core.InvoicePaid); err != nil {
			return seen, err
		}
	}
	if extra != nil {
		held, err := s.store.PaymentByRef(ctx, extra.Ref)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return seen, err
		}
		if known, ok := seen.payments[extra.Ref.ID]; !ok || known.seen == nil {
			seen.payments[extra.Ref.ID] = paymentSight{held: held, seen: extra}
		}
	}
	return seen, nil
}

// sightPayment looks at a payment that an invoice names, unless what is held of it can have no news.
func (s *Service) sightPayment(ctx context.Context, provider ports.Provider, seen sight, ref core.ProviderRef, paid bool) error {
	held, err := s.store.PaymentByRef(ctx, ref)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return err
	}
	found := paymentSight{held: held}
	settled := held.Status.Terminal() || held.Status == core.PaymentFailed && !paid
	if held.ID == "" || !settled {
		snapshot, err := provider.GetPayment(ctx, ref)
		if err != nil && !isMissing(err) {
			return err
		}
		if err == nil {
			found.seen = &snapshot
		}
	}
	seen.payments[ref.ID] = found
	return nil
}

// priceOf is our price by the provider's id of it; empty where it is none of ours.
func (s *Service) priceOf(ctx context.Context, account core.AccountName, foreign string) (core.PriceID, error) {
	if foreign == "" {
		return "", nil
	}
	known, err := s.store.PriceAccountByRef(ctx, account, foreign)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return "", err
	}
	return known.Price, nil
}

// applySubscription judges a sight against the subscription as it was before the fetch, and commits
// what follows. It is [ports.ErrConflict] where something of it has changed since.
func (s *Service) applySubscription(ctx context.Context, before core.Subscription, seen sight, cause core.Cause) (ports.Observation, error) {
	var observation ports.Observation
	err := s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockSubscription(ctx, tx, before)
		if err != nil {
			return err
		}
		if held.Version != before.Version {
			return ports.ErrConflict
		}
		if observation, err = s.applySubscriptionLocked(ctx, tx, checkout, held, seen, cause); err != nil || cause.Inbound == "" {
			return err
		}
		return tx.SetInboundStatus(ctx, cause.Inbound, core.InboundProcessed, string(observation.Reason), s.clock.Now())
	})
	if err != nil {
		return ports.Observation{}, fmt.Errorf("apply what was seen of %s: %w", seen.Ref, err)
	}
	return observation, nil
}

// lockSubscription locks a subscription's checkout and then the subscription. Its payments and
// invoices are locked after it, in every transaction.
func lockSubscription(ctx context.Context, tx ports.Tx, subscription core.Subscription) (checkout core.Checkout, held core.Subscription, err error) {
	if subscription.Checkout != "" {
		if checkout, err = tx.LockCheckout(ctx, subscription.Checkout); err != nil {
			return checkout, subscription, err
		}
	}
	held, err = tx.LockSubscription(ctx, subscription.ID)
	return checkout, held, err
}

// applySubscriptionLocked does the work of applySubscription on rows that are locked.
func (s *Service) applySubscriptionLocked(ctx context.Context, tx *work, checkout core.Checkout, held core.Subscription, seen sight, cause core.Cause) (ports.Observation, error) {
	application := core.ApplySubscriptionSnapshot(held, seen.SubscriptionSnapshot, seen.prices)
	next := application.Subscription
	now := s.clock.Now()
	doubled := application.Moved && checkout.Doubled(next)
	if doubled {
		next.Anomaly = core.ReasonOverpaid
		application.Anomaly, application.Verdict, application.Reason = true, core.Impossible, core.ReasonOverpaid
	}
	if application.Changed || application.Reason != core.ReasonOtherObject && now.Sub(held.SyncedAt) >= syncedNoteEvery {
		next.SyncedAt = now
		if application.Changed {
			next.UpdatedAt = now
		}
		if next.Status == core.SubscriptionCanceled && next.EndedAt.IsZero() {
			next.EndedAt = now
		}
		var err error
		if next, err = tx.UpdateSubscription(ctx, next); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Changed || cause.Kind == core.CauseRepair && application.Reason != core.ReasonOtherObject {
		shown := func(op core.Operation) bool {
			return op.ShownBySubscription(seen.SubscriptionSnapshot) || changeShown(op, next)
		}
		if err := s.settleSubject(ctx, tx, string(next.ID), string(next.Status), seen.Ref.ID, shown); err != nil {
			return ports.Observation{}, err
		}
	}
	if application.Anomaly && application.Reason != core.ReasonOtherObject {
		tx.odds(core.ObjectSubscription)
	}
	if application.Changed || application.Anomaly || cause.Kind == core.CauseWebhook || cause.Kind == core.CauseStaff {
		entry := s.record.SubjectEntry(ctx, string(next.ID), "", string(next.Status), core.TimelineObservation, cause)
		entry.From, entry.Verdict, entry.Reason, entry.Status = string(held.Status), application.Verdict.String(), application.Reason, seen.ForeignStatus
		if err := tx.AppendTimeline(ctx, entry); err != nil {
			return ports.Observation{}, err
		}
	}
	observation := ports.Observation{Subscription: next, Reason: application.Reason}
	if application.Reason == core.ReasonOtherObject || seen.Environment != held.Environment {
		return observation, nil
	}
	if application.Event != "" {
		if err := s.record.Subscription(ctx, tx, application.Event, next); err != nil {
			return observation, err
		}
	}
	if application.Moved {
		if err := s.subscriptionMoved(ctx, tx, checkout, next); err != nil {
			return observation, err
		}
	}
	return observation, s.applyInvoices(ctx, tx, next, seen, cause)
}

// changeShown reports whether a subscription proves that a change which was asked for was made.
func changeShown(op core.Operation, s core.Subscription) bool {
	if op.Kind != core.OpChangeSubscription {
		return false
	}
	asked, err := core.ReadAskedChange(op)
	if err != nil {
		return false
	}
	now := s.Price == asked.Price && s.Quantity == asked.Quantity
	return now || s.Pending != nil && s.Pending.Price == asked.Price && (s.Pending.Quantity == 0 || s.Pending.Quantity == asked.Quantity)
}

// subscriptionMoved lets a subscription's checkout follow. One that runs beside another of the same
// checkout is looked at by who ends it.
func (s *Service) subscriptionMoved(ctx context.Context, tx ports.Tx, checkout core.Checkout, subscription core.Subscription) error {
	if checkout.ID == "" {
		return nil
	}
	if checkout.Doubled(subscription) {
		return tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncSubscription, Subject: string(subscription.ID)})
	}
	next, event := checkout.AfterSubscription(subscription)
	if next.Status == checkout.Status && next.Lease == checkout.Lease && next.Subscription == checkout.Subscription {
		return nil
	}
	next.UpdatedAt = s.clock.Now()
	next, err := tx.UpdateCheckout(ctx, next)
	if err != nil || event == "" {
		return err
	}
	if next.Lease != string(subscription.ID) {
		// Another attempt is open beside the one that came to something: nobody may agree to it, too.
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncSubscription, Subject: next.Lease}); err != nil {
			return err
		}
	}
	return s.record.Checkout(ctx, tx, event, next)
}

// SettleSubscription implements [ports.Observer]. What an older call's answer shows is not applied
// but looked at afresh.
func (s *Service) SettleSubscription(ctx context.Context, op core.Operation, snapshot *core.SubscriptionSnapshot, refused *core.ProviderError, cause core.Cause) (core.Subscription, error) {
	before, err := s.store.Subscription(ctx, core.SubscriptionID(op.Subject))
	if err != nil {
		return before, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	var seen *sight
	incomplete := false
	if snapshot != nil {
		if seen, incomplete, err = s.answered(ctx, *snapshot); err != nil {
			return before, fmt.Errorf("settle %s: %w", op.ID, err)
		}
	}
	var subscription core.Subscription
	lookAgain := false
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockSubscription(ctx, tx, before)
		if err != nil {
			return err
		}
		subscription = held
		objectID := ""
		if seen != nil {
			objectID = seen.Ref.ID
		}
		settled, err := s.settleOn(ctx, tx, op.ID, refused, objectID, string(held.Status))
		if err != nil {
			return err
		}
		if settled.Status == core.OperationFailed {
			subscription, err = s.moveSubscription(ctx, tx, checkout, held, held.Rejected(settled, s.clock.Now()), settled.ID, cause)
			return err
		}
		if seen == nil {
			return nil
		}
		if lookAgain = held.Version != before.Version || settled.Attempts > 1; lookAgain && held.Exists() {
			// The look follows at once; should it fail, this one makes up for it.
			return tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncSubscription, Subject: string(held.ID), Delay: resyncDelay})
		}
		if incomplete {
			if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncSubscription, Subject: string(held.ID), Delay: resyncDelay}); err != nil {
				return err
			}
		}
		observation, err := s.applySubscriptionLocked(ctx, tx, checkout, held, *seen, cause)
		subscription = observation.Subscription
		lookAgain = lookAgain || errors.Is(err, ports.ErrConflict)
		return err
	})
	if err != nil && !errors.Is(err, ports.ErrConflict) {
		return before, fmt.Errorf("settle %s: %w", op.ID, err)
	}
	if err != nil { // one of its payments was looked at meanwhile; the answer proves what it proves
		return s.settleBare(ctx, op, seen, cause)
	}
	if !lookAgain {
		return subscription, nil
	}
	observation, err := s.Sync(ctx, subscription.Ref(), cause)
	if err != nil || observation.Subscription.ID == "" {
		return subscription, err
	}
	return observation.Subscription, nil
}

// settleBare settles an operation by an answer whose invoices could not be taken, and looks afresh.
func (s *Service) settleBare(ctx context.Context, op core.Operation, seen *sight, cause core.Cause) (core.Subscription, error) {
	bare := seen.SubscriptionSnapshot
	bare.Invoices = nil
	subscription, err := s.SettleSubscription(ctx, op, &bare, nil, cause)
	if err != nil {
		return subscription, err
	}
	observation, err := s.Sync(ctx, subscription.Ref(), cause)
	if err != nil || observation.Subscription.ID == "" {
		return subscription, err
	}
	return observation.Subscription, nil
}

// answered is the sight that an answer gave. Where a payment of its invoices cannot be looked at
// now, the invoices are left for later: the answer must be recorded in any case.
func (s *Service) answered(ctx context.Context, snapshot core.SubscriptionSnapshot) (seen *sight, incomplete bool, err error) {
	provider, ok := s.providers[snapshot.Ref.Account]
	if !ok {
		return nil, false, core.ErrAccountNotOffered
	}
	full, err := s.sight(ctx, provider, snapshot, nil)
	if _, lost := errors.AsType[*core.ProviderError](err); lost {
		snapshot.Invoices = nil
		full, err = s.sight(ctx, provider, snapshot, nil)
		incomplete = true
	}
	return &full, incomplete, err
}

// AbandonSubscription implements [ports.Observer].
func (s *Service) AbandonSubscription(ctx context.Context, id core.SubscriptionID, cause core.Cause) (subscription core.Subscription, err error) {
	before, err := s.store.Subscription(ctx, id)
	if err != nil {
		return before, fmt.Errorf("abandon %s: %w", id, err)
	}
	err = s.inTx(ctx, func(ctx context.Context, tx *work) error {
		checkout, held, err := lockSubscription(ctx, tx, before)
		if err != nil {
			return err
		}
		if subscription = held; held.Status != core.SubscriptionIncomplete {
			return nil
		}
		operations, err := tx.SubjectOperations(ctx, string(id))
		if err != nil {
			return err
		}
		next := held.Abandoned(operations, s.clock.Now())
		if next.Status == held.Status {
			return core.ErrPaymentInProgress
		}
		if subscription, err = s.moveSubscription(ctx, tx, checkout, held, next, "", cause); err != nil || !next.Exists() {
			return err
		}
		return tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncSubscription, Subject: string(id), Delay: abandonedDelay})
	})
	if err != nil {
		return subscription, fmt.Errorf("abandon %s: %w", id, err)
	}
	return subscription, nil
}

// moveSubscription stores a subscription whose status follows from our own record and no sight.
func (s *Service) moveSubscription(ctx context.Context, tx ports.Tx, checkout core.Checkout, held, next core.Subscription, op core.OperationID, cause core.Cause) (core.Subscription, error) {
	if next.Status == held.Status {
		return held, nil
	}
	next.UpdatedAt = s.clock.Now()
	next, err := tx.UpdateSubscription(ctx, next)
	if err != nil {
		return next, err
	}
	entry := s.record.SubjectEntry(ctx, string(next.ID), "", string(next.Status), core.TimelineObservation, cause)
	entry.From, entry.Operation, entry.Verdict = string(held.Status), op, core.Advance.String()
	if op != "" {
		entry.Reason = core.ReasonProviderError
	}
	if err := tx.AppendTimeline(ctx, entry); err != nil {
		return next, err
	}
	if event := core.SubscriptionEvent(held, next); event != "" {
		if err := s.record.Subscription(ctx, tx, event, next); err != nil {
			return next, err
		}
	}
	return next, s.subscriptionMoved(ctx, tx, checkout, next)
}
