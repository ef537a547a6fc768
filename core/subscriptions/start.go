package subscriptions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// Attempt is an attempt to start a subscription, with what the buyer's browser needs to go on.
type Attempt struct {
	Subscription core.Subscription
	Action       ports.BuyerAction // the zero action where the buyer has nothing to do
	Object       string            // the provider's object that the action is about; may be empty
}

// errTryAgain says that what stood in the way has come to its end meanwhile.
var errTryAgain = errors.New("start anew")

// askedSubscription is what a creation asks beside its subscription, so that the same request can go
// again.
type askedSubscription struct {
	Customer string    `json:"customer"` // the provider's id; empty where it has none
	Price    string    `json:"price"`    // the provider's id
	At       time.Time `json:"at"`
}

// Start begins an attempt to subscribe at an account, or goes on with the one that holds the
// checkout's lease at the same account. What it takes there, the customer's and the price's
// counterparts, is made first.
//
// Errors are those of payments.Service.Start.
func (s *Service) Start(ctx context.Context, id core.CheckoutID, account core.AccountName) (Attempt, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	for range startTriesMax {
		checkout, err := s.store.Checkout(ctx, id)
		if err != nil {
			return Attempt{}, fmt.Errorf("start subscription of %s: %w", id, err)
		}
		if checkout.Mode != core.ModeSubscription {
			return Attempt{}, fmt.Errorf("start subscription of %s: %w", id, core.ErrAccountNotOffered)
		}
		if _, err := s.checkouts.Offered(ctx, account, checkout); err != nil {
			return Attempt{}, err
		}
		provider, err := s.subscriber(account)
		if err != nil {
			return Attempt{}, err
		}
		var attempt Attempt
		if checkout.Lease == "" {
			attempt, err = s.begin(ctx, checkout, provider)
		} else {
			attempt, err = s.goOn(ctx, checkout, provider)
		}
		if !errors.Is(err, errTryAgain) {
			attempt.Action = attempt.Action.In(checkout.Flow)
			return attempt, err
		}
	}
	return Attempt{}, core.ErrPaymentInProgress
}

// begin writes down lease, subscription and operation in one transaction, then asks the provider.
// Where the buyer's card comes first there is nothing to ask yet.
func (s *Service) begin(ctx context.Context, before core.Checkout, provider ports.Subscriber) (Attempt, error) {
	waits := provider.Capabilities().Confirm == ports.ConfirmWithSource
	if err := before.MayTakeLease(s.clock.Now()); err != nil {
		return Attempt{}, err
	}
	var asked askedSubscription
	var err error
	if !waits {
		if asked, err = s.chain(ctx, before.Buyer.Customer, before.LineItems[0].Price, provider.Account()); err != nil {
			return Attempt{}, err
		}
	}
	var subscription core.Subscription
	var op core.Operation
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		now := s.clock.Now()
		checkout, err := tx.LockCheckout(ctx, before.ID)
		if err != nil {
			return err
		}
		if checkout.Lease != "" && checkout.Status == core.CheckoutOpen {
			return errTryAgain // somebody was faster; see what became of it
		}
		if err := checkout.MayTakeLease(now); err != nil {
			return err
		}
		item := checkout.LineItems[0]
		subscription, err = tx.InsertSubscription(ctx, core.Subscription{
			ID: core.NewID[core.SubscriptionID](s.ids.UUID()), Checkout: checkout.ID, Reference: checkout.Reference, Customer: checkout.Buyer.Customer,
			Account: provider.Account(), Provider: provider.Name(), Status: core.SubscriptionIncomplete, Price: item.Price, Quantity: item.Quantity,
			Amount: checkout.Amount, Environment: checkout.Environment, Metadata: checkout.Metadata, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return err
		}
		created := s.record.SubjectEntry(ctx, string(subscription.ID), "", string(subscription.Status), core.TimelineCreated, core.Cause{Kind: core.CauseBuyer})
		if err := tx.AppendTimeline(ctx, created); err != nil {
			return err
		}
		checkout = checkout.TakeLeaseForSubscription(subscription.ID)
		checkout.UpdatedAt = now
		if _, err = tx.UpdateCheckout(ctx, checkout); err != nil || waits {
			return err
		}
		op, err = s.writeCreation(ctx, tx, subscription, asked, "")
		return err
	})
	if err != nil {
		return Attempt{}, err
	}
	if waits {
		return Attempt{Subscription: subscription, Action: ports.BuyerAction{Type: ports.ActionTokenize}}, nil
	}
	return s.create(ctx, provider, subscription, op, core.Cause{Kind: core.CauseBuyer})
}

// chain makes what a subscription takes at an account, each once.
func (s *Service) chain(ctx context.Context, customer core.CustomerID, price core.PriceID, account core.AccountName) (askedSubscription, error) {
	asked := askedSubscription{At: s.clock.Now()}
	var err error
	if asked.Customer, err = s.customers.Account(ctx, customer, account); err != nil {
		return asked, err
	}
	asked.Price, err = s.priceAt(ctx, price, account)
	return asked, err
}

func (s *Service) writeCreation(ctx context.Context, tx ports.Tx, subscription core.Subscription, asked askedSubscription, source string) (core.Operation, error) {
	return s.calls.WriteDown(ctx, tx, calls.Asked{
		Kind: core.OpCreateSubscription, Account: subscription.Account, Subject: string(subscription.ID), Status: string(subscription.Status),
		Amount: subscription.Amount, Source: source, More: asked, Parts: []string{string(subscription.Price), fmt.Sprint(subscription.Quantity)},
	})
}

// create sends a creation that is written down and settles it.
func (s *Service) create(ctx context.Context, provider ports.Subscriber, subscription core.Subscription, op core.Operation, cause core.Cause) (Attempt, error) {
	in, err := s.creation(ctx, subscription, op)
	if err != nil {
		return Attempt{}, err
	}
	var session ports.SubscriptionSession
	key, err := s.calls.Key(op, provider)
	if err == nil {
		session, err = provider.CreateSubscription(ctx, key, in)
	}
	refused := calls.ProviderError(err)
	var seen *core.SubscriptionSnapshot
	if refused == nil {
		seen = &session.Snapshot
	}
	if subscription, err = s.observer.SettleSubscription(ctx, op, seen, refused, cause); err != nil {
		return Attempt{}, err
	}
	attempt := attemptOf(subscription, session)
	if refused != nil && refused.Class == core.ClassUnknown {
		return attempt, refused
	}
	return attempt, calls.Refusal(refused)
}

func attemptOf(subscription core.Subscription, session ports.SubscriptionSession) Attempt {
	object := session.Object
	if object == "" {
		object = subscription.ProviderSubscriptionID
	}
	return Attempt{Subscription: subscription, Action: session.Action, Object: object}
}

// creation is the request that belongs to a creation that is written down, the same every time.
func (s *Service) creation(ctx context.Context, subscription core.Subscription, op core.Operation) (ports.CreateSubscription, error) {
	var asked askedSubscription
	if err := json.Unmarshal(op.Asked, &asked); err != nil {
		return ports.CreateSubscription{}, fmt.Errorf("read what %s asks: %w", op.ID, err)
	}
	checkout, err := s.store.Checkout(ctx, subscription.Checkout)
	if err != nil {
		return ports.CreateSubscription{}, err
	}
	item := checkout.LineItems[0]
	price, err := s.store.Price(ctx, item.Price)
	return ports.CreateSubscription{
		Subscription: subscription.ID, Customer: subscription.Customer, ProviderCustomer: asked.Customer, Email: checkout.Buyer.Email, Name: checkout.Buyer.Name,
		Price: price, ProviderPrice: asked.Price, Quantity: item.Quantity, Source: op.Source,
		ReturnURL: s.url.CheckoutReturn(checkout.ID), CancelURL: s.url.CheckoutPage(checkout.ID), StartAt: asked.At,
	}, err
}

// goOn deals with the attempt that holds the lease.
func (s *Service) goOn(ctx context.Context, checkout core.Checkout, provider ports.Subscriber) (Attempt, error) {
	if checkout.Status == core.CheckoutComplete {
		return Attempt{}, core.ErrCheckoutComplete
	}
	subscription, err := s.store.Subscription(ctx, core.SubscriptionID(checkout.Lease))
	if err != nil {
		return Attempt{}, err
	}
	if subscription.Account != provider.Account() {
		// The buyer chose another way: the open one is given up first.
		if err := s.closeLease(ctx, checkout.Lease, core.Cause{Kind: core.CauseBuyer}); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	}
	waits := provider.Capabilities().Confirm == ports.ConfirmWithSource
	if subscription.Exists() {
		return s.openAgain(ctx, provider, subscription, waits)
	}
	operations, err := s.store.SubjectOperations(ctx, string(subscription.ID))
	if err != nil {
		return Attempt{}, err
	}
	for _, op := range operations {
		if op.Status.Settled() {
			continue
		}
		if waits || s.calls.Forgotten(op, provider) {
			if err := s.settleOpen(ctx, subscription.ID); err != nil {
				return Attempt{}, err
			}
			return Attempt{}, errTryAgain
		}
		if op, err = s.calls.Again(ctx, op.ID); err != nil {
			return Attempt{}, err
		}
		if op.Status.Settled() {
			return Attempt{}, errTryAgain // by somebody else, perhaps as refused
		}
		return s.create(ctx, provider, subscription, op, core.Cause{Kind: core.CauseBuyer})
	}
	if waits && len(operations) == 0 {
		return Attempt{Subscription: subscription, Action: ports.BuyerAction{Type: ports.ActionTokenize}}, nil
	}
	return Attempt{}, errTryAgain // settled since the subscription was read
}

// openAgain looks at a subscription, and gives what the buyer's browser needs to go on with it.
func (s *Service) openAgain(ctx context.Context, provider ports.Subscriber, subscription core.Subscription, waits bool) (Attempt, error) {
	observation, err := s.observer.Sync(ctx, subscription.Ref(), core.Cause{Kind: core.CauseBuyer})
	if err != nil {
		return Attempt{}, err
	}
	subscription = observation.Subscription
	switch {
	case observation.Reason == core.ReasonMissing:
		if _, err := s.observer.AbandonSubscription(ctx, subscription.ID, core.Cause{Kind: core.CauseBuyer}); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	case subscription.Status.Runs():
		return Attempt{}, core.ErrCheckoutComplete
	case subscription.Status == core.SubscriptionCanceled:
		return Attempt{}, errTryAgain
	case waits:
		return Attempt{}, core.ErrPaymentInProgress // the card was given already
	}
	session, err := provider.OpenSubscription(ctx, subscription.Ref())
	if err != nil {
		return Attempt{}, err
	}
	return attemptOf(subscription, session), nil
}

// settleOpen settles what is open on a subscription, or is [core.ErrPaymentInProgress].
func (s *Service) settleOpen(ctx context.Context, id core.SubscriptionID) error {
	err := s.calls.SettleOpen(ctx, string(id), s)
	if errors.Is(err, core.ErrOperationOpen) {
		return core.ErrPaymentInProgress
	}
	return err
}

// closeLease gives up the attempt that holds a checkout's lease: it is ended at its provider, where
// there is something to end.
func (s *Service) closeLease(ctx context.Context, lease string, cause core.Cause) error {
	id := core.SubscriptionID(lease)
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if err := s.settleOpen(ctx, id); err != nil {
		return err
	}
	subscription, err := s.store.Subscription(ctx, id)
	if err != nil {
		return err
	}
	if subscription.Exists() && subscription.Status == core.SubscriptionIncomplete {
		observation, err := s.observer.Sync(ctx, subscription.Ref(), cause)
		if err != nil {
			return err
		}
		if observation.Reason != core.ReasonMissing {
			subscription = observation.Subscription
		}
	}
	if subscription.Status.Runs() {
		return core.ErrCheckoutComplete
	}
	if subscription.Exists() && subscription.Status == core.SubscriptionIncomplete {
		_, err := s.cancelNow(ctx, Verb{Subscription: id, Cause: cause}, nil)
		if _, refused := errors.AsType[*core.RefusedError](err); err != nil && !refused {
			return err
		}
		if subscription, err = s.store.Subscription(ctx, id); err != nil {
			return err
		}
	}
	if subscription.Status.Runs() {
		return core.ErrCheckoutComplete
	}
	// Some providers end nothing that nobody agreed to. Should the buyer do so all the same, it is
	// ended once it runs beside another.
	_, err = s.observer.AbandonSubscription(ctx, id, cause)
	return err
}
