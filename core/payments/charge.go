package payments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/check"
	"github.com/paydesk/paydesk/ports"
)

// Charge is a request to take money by a saved method without its buyer.
type Charge struct {
	RequestKey core.RequestKey
	Customer   string
	Method     string
	Amount     int64 // minor units
	Currency   string
	Reference  string
	Capture    core.CaptureMode // empty means automatic
	Metadata   map[string]string
	Cause      core.Cause
}

// Charged is a charge as it stands.
type Charged struct {
	Payment core.Payment
	// Checkout is where the buyer can pay the same, where their bank wants them to be there; the
	// zero Checkout otherwise.
	Checkout core.Checkout
}

// askedCharge is what a charge asks beside its payment.
type askedCharge struct {
	Customer string `json:"customer"` // the provider's id; empty where it has none
	Method   string `json:"method"`   // the provider's id
}

// Charge takes or holds money by a saved method, once per RequestKey. A payment whose call got no
// answer is processing, and is settled later.
//
// Errors: *[core.InvalidError]; [ports.ErrNotFound] where there is no such method of the customer;
// [core.ErrMethodNotUsable]; [core.ErrNotSupported] where its account cannot do it;
// *[core.RefusedError] where the provider said no: then the payment is there and failed, and where
// the bank wants the buyer to be there, a checkout is, too; a retryable *[core.ProviderError].
func (s *Service) Charge(ctx context.Context, in Charge) (Charged, error) {
	ctx, cancel := calls.Detached(ctx)
	defer cancel()
	op, err := s.store.OperationByRequestKey(ctx, in.RequestKey)
	if in.RequestKey == "" || errors.Is(err, ports.ErrNotFound) {
		var payment core.Payment
		if payment, op, err = s.prepareCharge(ctx, in); err != nil {
			return Charged{}, err
		}
		payment, err = s.send(ctx, payment, op, in.Cause)
		return s.charged(ctx, payment, err)
	}
	if err != nil {
		return Charged{}, err
	}
	payment, err := s.resume(ctx, op, in.Cause)
	return s.charged(ctx, payment, err)
}

// prepareCharge checks a charge and writes payment and operation down.
func (s *Service) prepareCharge(ctx context.Context, in Charge) (core.Payment, core.Operation, error) {
	method, amount, err := s.checkCharge(ctx, in)
	if err != nil {
		return core.Payment{}, core.Operation{}, err
	}
	counterpart, err := s.store.CustomerAccount(ctx, method.Customer, method.Account)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return core.Payment{}, core.Operation{}, err
	}
	var payment core.Payment
	var op core.Operation
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if method, err = tx.LockMethod(ctx, method.ID); err != nil {
			return err
		}
		if err := chargeable(ctx, tx, method); err != nil {
			return err
		}
		payment = core.NewCharge(core.NewID[core.PaymentID](s.ids.UUID()), method, amount, orDefault(in.Capture, core.CaptureAutomatic), s.clock.Now())
		payment.Reference, payment.Metadata = in.Reference, in.Metadata
		if payment, err = tx.InsertPayment(ctx, payment); err != nil {
			return err
		}
		if err := tx.AppendTimeline(ctx, s.record.Entry(ctx, payment, core.TimelineCreated, in.Cause)); err != nil {
			return err
		}
		op, err = s.calls.WriteDown(ctx, tx, calls.Asked{
			Kind: core.OpChargeMethod, Account: payment.Account, Payment: payment.ID, Subject: string(payment.ID), Status: string(payment.Status),
			Amount: amount, Key: in.RequestKey, More: askedCharge{Customer: counterpart.ProviderCustomerID, Method: method.ProviderMethodID},
			Parts: []string{in.Reference, string(payment.Capture)},
		})
		return err
	})
	return payment, op, err
}

// chargeable reports why a method, which is locked, cannot be charged, or nil: also one whose removal
// was asked for and is not settled.
func chargeable(ctx context.Context, tx ports.Tx, method core.SavedMethod) error {
	if err := method.Chargeable(); err != nil {
		return err
	}
	operations, err := tx.SubjectOperations(ctx, string(method.ID))
	if err != nil {
		return err
	}
	for _, op := range operations {
		if op.Kind == core.OpDetachMethod && !op.Status.Settled() {
			return core.ErrMethodNotUsable
		}
	}
	return nil
}

// covered reports why the buyer's consent does not cover a charge, or nil: what they allowed for a
// subscription is for that alone.
func (s *Service) covered(ctx context.Context, consent *core.Consent) error {
	if consent == nil || consent.Checkout == "" {
		return nil // whether there is one at all is the method's to say
	}
	checkout, err := s.store.Checkout(ctx, consent.Checkout)
	if err == nil && checkout.Subscription != "" {
		return core.ErrMethodNotUsable
	}
	return err
}

func (s *Service) checkCharge(ctx context.Context, in Charge) (core.SavedMethod, core.Money, error) {
	fields := &check.Fields{}
	customer := check.ID[core.CustomerID](fields, "customer", in.Customer)
	id := check.ID[core.MethodID](fields, "payment_method", in.Method)
	fields.Text("reference", in.Reference, 1, check.ReferenceMax)
	if in.Capture != "" && in.Capture != core.CaptureAutomatic && in.Capture != core.CaptureManual {
		fields.Refuse("capture", "must be automatic or manual")
	}
	fields.Metadata("metadata", in.Metadata)
	var amount core.Money
	if currency := fields.Currency("currency", in.Currency); currency != "" {
		amount = fields.Amount("amount", in.Amount, currency)
	}
	if !fields.Good() {
		return core.SavedMethod{}, amount, fields.Err()
	}
	method, err := s.store.Method(ctx, id)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return method, amount, err
	}
	if err != nil || method.Customer != customer {
		fields.Refuse("payment_method", "names no method of this customer")
		return method, amount, fields.Err()
	}
	if err := method.Chargeable(); err != nil {
		return method, amount, err
	}
	if err := s.covered(ctx, method.Consent); err != nil {
		return method, amount, err
	}
	provider, err := s.account(method.Account)
	if err != nil {
		return method, amount, err
	}
	can := provider.Capabilities()
	if !can.Vault || in.Capture == core.CaptureManual && !can.ManualCapture {
		return method, amount, core.ErrNotSupported
	}
	if !can.Currencies[amount.Currency()] {
		fields.Refuse("currency", "is not served by the account that the method is saved with")
	}
	return method, amount, fields.Err()
}

// charge makes the provider's call.
func (s *Service) charge(ctx context.Context, provider ports.Provider, payment core.Payment, op core.Operation) (core.PaymentSnapshot, error) {
	vault, ok := provider.(ports.Vault)
	if !ok {
		return core.PaymentSnapshot{}, &core.ProviderError{Class: core.ClassInvalid, Op: "charge " + string(payment.ID), Err: errors.New("account saves no methods")}
	}
	var asked askedCharge
	if err := json.Unmarshal(op.Asked, &asked); err != nil {
		return core.PaymentSnapshot{}, fmt.Errorf("read what %s asks: %w", op.ID, err)
	}
	in := ports.ChargeMethod{CreatePayment: s.creation(payment), Customer: payment.Customer, ProviderCustomer: asked.Customer, ProviderMethod: asked.Method}
	in.ReturnURL = "" // nobody is there to come back
	if payment.Method != nil {
		in.MethodType = payment.Method.Type
	}
	key, err := s.calls.Key(op, vault)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	return vault.ChargeMethod(ctx, key, in)
}

// charged adds to a charge's end where the buyer can pay, if they have to be there.
func (s *Service) charged(ctx context.Context, payment core.Payment, err error) (Charged, error) {
	charged := Charged{Payment: payment}
	refused, ok := errors.AsType[*core.RefusedError](err)
	if !ok || refused.Failure.Code != core.FailureAuthenticationRequired {
		return charged, err
	}
	checkout, openErr := s.openInstead(ctx, payment)
	if openErr != nil {
		// The refusal is for good, and is told once its buyer has a place to go to.
		return charged, openErr
	}
	charged.Checkout = checkout
	return charged, err
}

// openInstead opens a checkout of what a charge asked for, once for each charge. The buyer comes
// back to where they came back to from the one at which the method was saved.
func (s *Service) openInstead(ctx context.Context, payment core.Payment) (core.Checkout, error) {
	key := core.NewRequestKey("", "instead of "+string(payment.ID))
	known, err := s.store.CheckoutByRequestKey(ctx, key)
	if err == nil || !errors.Is(err, ports.ErrNotFound) {
		return known, err
	}
	customer, err := s.store.Customer(ctx, payment.Customer)
	if err != nil {
		return core.Checkout{}, fmt.Errorf("open a checkout instead of %s: %w", payment.ID, err)
	}
	now := s.clock.Now()
	checkout := core.Checkout{
		ID: core.NewID[core.CheckoutID](s.ids.UUID()), Environment: payment.Environment, Reference: payment.Reference,
		Mode: core.ModePayment, Capture: payment.Capture, Flow: core.FlowPage, Status: core.CheckoutOpen, Amount: payment.Amount,
		LineItems: []core.LineItem{{Name: payment.Reference, Amount: payment.Amount, Quantity: 1}},
		Buyer:     core.Buyer{Customer: customer.ID, Email: customer.Email, Name: customer.Name}, SuccessURL: string(s.settings.URL), Metadata: payment.Metadata,
		RequestKey: key, ExpiresAt: now.Add(core.CheckoutLifeDefault), CreatedAt: now, UpdatedAt: now,
	}
	if payment.Method != nil {
		saved, err := s.savedAt(ctx, payment.Method.ID)
		if err != nil {
			return core.Checkout{}, fmt.Errorf("open a checkout instead of %s: %w", payment.ID, err)
		}
		checkout.SuccessURL, checkout.CancelURL = cmp.Or(saved.SuccessURL, checkout.SuccessURL), saved.CancelURL
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		stored, err := tx.InsertCheckout(ctx, checkout)
		if err == nil {
			checkout = stored
		}
		return err
	})
	if errors.Is(err, ports.ErrDuplicate) {
		return s.store.CheckoutByRequestKey(ctx, key)
	}
	return checkout, err
}

// savedAt is the checkout at which a method was saved; the zero one where that is not known.
func (s *Service) savedAt(ctx context.Context, id core.MethodID) (core.Checkout, error) {
	method, err := s.store.Method(ctx, id)
	if err != nil || method.Checkout == "" {
		return core.Checkout{}, err
	}
	return s.store.Checkout(ctx, method.Checkout)
}
