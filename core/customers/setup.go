package customers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// consentText is what a buyer agrees to who leaves a method here.
const consentText = "I allow the shop to save this payment method and to charge it for my later orders there, also when I am not present. I can ask the shop to remove it at any time."

// subscriptionConsentText is the same where it is saved for a subscription.
const subscriptionConsentText = "I allow the shop to save this payment method and to charge it for my subscription from now on."

// ConsentText is the sentence that a buyer sees and agrees to on a checkout that saves a method.
func ConsentText(c core.Checkout) string {
	text := consentText
	if c.Subscription != "" {
		text = subscriptionConsentText
	}
	return text + " Reference: " + c.Reference
}

// Attempt is an attempt to save a method, with what the buyer's browser needs to go on.
type Attempt struct {
	Method core.SavedMethod
	Action ports.BuyerAction // the zero action where the buyer has nothing to do
	Object string            // the provider's object that the action is about; may be empty
}

// errTryAgain says that what stood in the way has come to its end meanwhile.
var errTryAgain = errors.New("start anew")

// MethodTypeCard asks for a card to be saved, where a provider has to know it beforehand.
const MethodTypeCard = "card"

// StartSetup is [Service.StartSetupOf] for the type of method that the account's provider takes
// first.
func (s *Service) StartSetup(ctx context.Context, id core.CheckoutID, account core.AccountName) (Attempt, error) {
	return s.StartSetupOf(ctx, id, account, "")
}

// StartSetupOf begins an attempt to save a method of a type at an account, or goes on with the one
// that holds the checkout's lease for the same type and account. The buyer's consent is recorded
// with it. methodType is empty for what the provider takes first, or [MethodTypeCard].
//
// Errors are those of payments.Service.Start.
func (s *Service) StartSetupOf(ctx context.Context, id core.CheckoutID, account core.AccountName, methodType string) (Attempt, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	for range startTriesMax {
		checkout, err := s.store.Checkout(ctx, id)
		if err != nil {
			return Attempt{}, fmt.Errorf("start setup of %s: %w", id, err)
		}
		if checkout.Mode != core.ModeSetup {
			return Attempt{}, fmt.Errorf("start setup of %s: %w", id, core.ErrAccountNotOffered)
		}
		if _, err := s.checkouts.Offered(ctx, account, checkout); err != nil {
			return Attempt{}, err
		}
		vault, err := s.vault(account)
		if err != nil {
			return Attempt{}, err
		}
		var attempt Attempt
		if checkout.Lease == "" {
			attempt, err = s.begin(ctx, checkout, vault, methodType)
		} else {
			attempt, err = s.goOn(ctx, checkout, vault, methodType)
		}
		if !errors.Is(err, errTryAgain) {
			attempt.Action = attempt.Action.In(checkout.Flow)
			return attempt, err
		}
	}
	return Attempt{}, core.ErrPaymentInProgress
}

// begin makes the customer's counterpart, writes down lease, method and operation in one
// transaction, then asks the provider.
func (s *Service) begin(ctx context.Context, before core.Checkout, vault ports.Vault, methodType string) (Attempt, error) {
	waits := vault.Capabilities().Confirm == ports.ConfirmWithSource
	if err := before.MayTakeLease(s.clock.Now()); err != nil {
		return Attempt{}, err
	}
	asked := askedSetup{Type: methodType}
	var err error
	if !waits {
		if asked.Customer, err = s.Account(ctx, before.Buyer.Customer, vault.Account()); err != nil {
			return Attempt{}, err
		}
	}
	var method core.SavedMethod
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
		id := core.NewID[core.MethodID](s.ids.UUID())
		method, err = tx.InsertMethod(ctx, core.SavedMethod{
			ID: id, Customer: checkout.Buyer.Customer, Checkout: checkout.ID, Account: vault.Account(), Provider: vault.Name(),
			Status: core.MethodPending, Details: core.PaymentMethod{ID: id},
			Consent:     &core.Consent{At: now, Text: ConsentText(checkout), Checkout: checkout.ID},
			Environment: checkout.Environment, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return err
		}
		created := s.record.SubjectEntry(ctx, string(id), "", string(method.Status), core.TimelineCreated, core.Cause{Kind: core.CauseBuyer})
		if err := tx.AppendTimeline(ctx, created); err != nil {
			return err
		}
		checkout = checkout.TakeLeaseForMethod(id)
		checkout.UpdatedAt = now
		if _, err = tx.UpdateCheckout(ctx, checkout); err != nil || waits {
			return err
		}
		op, err = s.writeDown(ctx, tx, method, core.OpCreateSetup, asked, "")
		return err
	})
	if err != nil {
		return Attempt{}, err
	}
	if waits {
		return Attempt{Method: method, Action: ports.BuyerAction{Type: ports.ActionTokenize}}, nil
	}
	return s.create(ctx, vault, method, op, core.Cause{Kind: core.CauseBuyer})
}

// askedSetup is what an operation that saves a method asks beside the method, so that the same request
// can go again, whatever becomes known of the customer meanwhile.
type askedSetup struct {
	Customer string `json:"customer"` // the provider's id; empty where it has none
	Type     string `json:"type"`     // of method; empty where the buyer chooses at the provider
}

// writeDown writes an operation on a method down. more is what else it asks; nil for nothing.
func (s *Service) writeDown(ctx context.Context, tx ports.Tx, method core.SavedMethod, kind core.OperationKind, more any, source string) (core.Operation, error) {
	return s.calls.WriteDown(ctx, tx, calls.Asked{
		Kind: kind, Account: method.Account, Subject: string(method.ID), Status: string(method.Status), Source: source, More: more,
		Parts: []string{method.ProviderMethodID, method.ProviderSetupID},
	})
}

// create sends a setup's creation that is written down and settles it.
func (s *Service) create(ctx context.Context, vault ports.Vault, method core.SavedMethod, op core.Operation, cause core.Cause) (Attempt, error) {
	in, err := s.creation(method, op)
	if err != nil {
		return Attempt{}, err
	}
	var session ports.SetupSession
	key, err := s.calls.Key(op, vault)
	if err == nil {
		session, err = vault.CreateSetup(ctx, key, in)
	}
	refused := calls.ProviderError(err)
	var seen *core.MethodSnapshot
	if refused == nil {
		seen = &session.Snapshot
	}
	if method, err = s.observer.SettleMethod(ctx, op, seen, refused, cause); err != nil {
		return Attempt{}, err
	}
	attempt := Attempt{Method: method, Action: session.Action, Object: method.ProviderSetupID}
	if refused != nil && refused.Class == core.ClassUnknown {
		return attempt, refused
	}
	return attempt, calls.Refusal(refused)
}

// creation is the request that belongs to an operation that saves a method. It depends on what was
// written down with it, so that a repeated operation repeats its request to the letter.
func (s *Service) creation(method core.SavedMethod, op core.Operation) (ports.CreateSetup, error) {
	var asked askedSetup
	if err := json.Unmarshal(op.Asked, &asked); err != nil {
		return ports.CreateSetup{}, fmt.Errorf("read what %s asks: %w", op.ID, err)
	}
	return ports.CreateSetup{
		Method: method.ID, Customer: method.Customer, ProviderCustomer: asked.Customer,
		ReturnURL: s.url.CheckoutReturn(method.Checkout), MethodType: asked.Type,
	}, nil
}

// askedType is the type of method that the creation of a method's setup asks for; empty where it
// names none, and where there is no creation.
func (s *Service) askedType(ctx context.Context, id core.MethodID) (string, error) {
	operations, err := s.store.SubjectOperations(ctx, string(id))
	if err != nil {
		return "", err
	}
	for _, op := range operations {
		if op.Kind == core.OpCreateSetup && len(op.Asked) > 0 {
			var asked askedSetup
			if err := json.Unmarshal(op.Asked, &asked); err != nil {
				return "", fmt.Errorf("read what %s asks: %w", op.ID, err)
			}
			return asked.Type, nil
		}
	}
	return "", nil
}

// goOn deals with the attempt that holds the lease.
func (s *Service) goOn(ctx context.Context, checkout core.Checkout, vault ports.Vault, methodType string) (Attempt, error) {
	if checkout.Status == core.CheckoutComplete {
		return Attempt{}, core.ErrCheckoutComplete
	}
	method, err := s.store.Method(ctx, core.MethodID(checkout.Lease))
	if err != nil {
		return Attempt{}, err
	}
	asked, err := s.askedType(ctx, method.ID)
	if err != nil {
		return Attempt{}, err
	}
	waits := vault.Capabilities().Confirm == ports.ConfirmWithSource // then no type was ever asked for
	if method.Account != vault.Account() || asked != methodType && !waits {
		// The buyer chose another way: the open one is given up first.
		if err := s.closeLease(ctx, checkout.Lease, core.Cause{Kind: core.CauseBuyer}); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	}
	open, err := s.openOperation(ctx, method.ID)
	if err != nil {
		return Attempt{}, err
	}
	switch {
	case open.Kind == core.OpCreateSetup:
		return s.createAgain(ctx, vault, method, open)
	case open.ID != "":
		if err := s.settleOpen(ctx, method.ID); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	case method.Ref().ID == "" && waits && method.Status == core.MethodPending:
		return Attempt{Method: method, Action: ports.BuyerAction{Type: ports.ActionTokenize}}, nil
	case method.Ref().ID == "":
		return Attempt{}, errTryAgain // settled since the method was read
	}
	return s.openAgain(ctx, vault, method)
}

// openAgain looks at what the buyer agrees to, and gives what their browser needs to go on with it.
func (s *Service) openAgain(ctx context.Context, vault ports.Vault, method core.SavedMethod) (Attempt, error) {
	observation, err := s.observer.Sync(ctx, method.Ref(), core.Cause{Kind: core.CauseBuyer})
	if err != nil {
		return Attempt{}, err
	}
	method = observation.Method
	switch {
	case observation.Reason == core.ReasonMissing: // some providers keep it for hours alone
		if _, err := s.observer.AbandonMethod(ctx, method.ID, core.Cause{Kind: core.CauseBuyer}); err != nil {
			return Attempt{}, err
		}
		return Attempt{}, errTryAgain
	case method.Status == core.MethodActive:
		return Attempt{}, core.ErrCheckoutComplete
	case method.Status != core.MethodPending:
		return Attempt{}, errTryAgain
	case vault.Capabilities().Confirm == ports.ConfirmWithSource:
		return Attempt{}, core.ErrPaymentInProgress
	}
	session, err := vault.OpenSetup(ctx, method.Ref())
	if err != nil {
		return Attempt{}, err
	}
	return Attempt{Method: method, Action: session.Action, Object: method.ProviderSetupID}, nil
}

// createAgain goes on with an attempt whose creation was never answered: the same operation, the
// same key.
func (s *Service) createAgain(ctx context.Context, vault ports.Vault, method core.SavedMethod, op core.Operation) (Attempt, error) {
	if s.calls.Forgotten(op, vault) {
		return Attempt{}, s.anew(s.LookUp(ctx, op))
	}
	op, err := s.calls.Again(ctx, op.ID)
	if err != nil {
		return Attempt{}, err
	}
	if op.Status.Settled() {
		return Attempt{}, errTryAgain
	}
	return s.create(ctx, vault, method, op, core.Cause{Kind: core.CauseBuyer})
}

func (s *Service) anew(err error) error {
	if err != nil {
		return err
	}
	return errTryAgain
}

// openOperation is the operation on a method that is not settled; the zero one where there is none.
func (s *Service) openOperation(ctx context.Context, id core.MethodID) (core.Operation, error) {
	operations, err := s.store.SubjectOperations(ctx, string(id))
	for _, op := range operations {
		if !op.Status.Settled() {
			return op, err
		}
	}
	return core.Operation{}, err
}

// settleOpen settles what is open on a method, or is [core.ErrPaymentInProgress].
func (s *Service) settleOpen(ctx context.Context, id core.MethodID) error {
	err := s.calls.SettleOpen(ctx, string(id), s)
	if errors.Is(err, core.ErrOperationOpen) {
		return core.ErrPaymentInProgress
	}
	return err
}

// closeLease gives up the attempt that holds a checkout's lease.
func (s *Service) closeLease(ctx context.Context, lease string, cause core.Cause) error {
	id := core.MethodID(lease)
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	if err := s.settleOpen(ctx, id); err != nil {
		return err
	}
	method, err := s.store.Method(ctx, id)
	if err != nil {
		return err
	}
	if method.Ref().ID != "" {
		// The buyer may have agreed already.
		observation, err := s.observer.Sync(ctx, method.Ref(), cause)
		if err != nil {
			return err
		}
		method = observation.Method
	}
	if method.Status == core.MethodActive {
		return core.ErrCheckoutComplete
	}
	_, err = s.observer.AbandonMethod(ctx, id, cause)
	return err
}
