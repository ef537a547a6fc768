package square

import (
	"context"
	"net/http"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	customersPath = "/v2/customers"
	cardsPath     = "/v2/cards"
	// nameCharsMax is of each part of a customer's name.
	nameCharsMax = 300
	methodCard   = "card"
)

// What becomes of a card on file. Square only says whether it is enabled; of one that is gone it
// says nothing.
const (
	cardEnabled  = "ENABLED"
	cardDisabled = "DISABLED"
	cardGone     = "GONE"
)

// Customer is a customer as Square shows them, as far as it is used.
type Customer struct {
	ID string `json:"id"`
}

// CreateCustomerRequest is the body of POST /v2/customers.
type CreateCustomerRequest struct {
	IdempotencyKey string `json:"idempotency_key"`
	GivenName      string `json:"given_name,omitempty"`
	FamilyName     string `json:"family_name,omitempty"`
	EmailAddress   string `json:"email_address,omitempty"`
	ReferenceID    string `json:"reference_id"`
}

// CreateCardRequest is the body of POST /v2/cards.
type CreateCardRequest struct {
	IdempotencyKey string `json:"idempotency_key"`
	SourceID       string `json:"source_id"`
	Card           Card   `json:"card"`
}

func customerID(out answer) string {
	if out.Customer == nil {
		return ""
	}
	return out.Customer.ID
}

func cardID(out answer) string {
	if out.Card == nil {
		return ""
	}
	return out.Card.ID
}

// CreateCustomer implements [ports.Vault].
//
// Source: POST /v2/customers.
func (a *Adapter) CreateCustomer(ctx context.Context, key core.OperationKey, in ports.CreateCustomer) (string, error) {
	op := a.op("create customer for", string(in.Customer))
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	given, family := in.Name, ""
	if n := strings.LastIndexByte(in.Name, ' '); n > 0 {
		given, family = in.Name[:n], in.Name[n+1:]
	}
	made, err := a.api.object(ctx, op, http.MethodPost, customersPath, CreateCustomerRequest{
		IdempotencyKey: string(key), GivenName: shortened(given, nameCharsMax), FamilyName: shortened(family, nameCharsMax),
		EmailAddress: in.Email, ReferenceID: string(in.Customer),
	}, "", customerID)
	if err != nil {
		return "", err
	}
	return made.Customer.ID, nil
}

// CreateSetup implements [ports.Vault]: there is none, the buyer's one-time token does it all.
func (a *Adapter) CreateSetup(_ context.Context, _ core.OperationKey, in ports.CreateSetup) (ports.SetupSession, error) {
	return ports.SetupSession{}, outbound.Invalid(a.op("create setup for", string(in.Method)), errNoSetup)
}

// OpenSetup implements [ports.Vault].
func (a *Adapter) OpenSetup(_ context.Context, ref core.ProviderRef) (ports.SetupSession, error) {
	return ports.SetupSession{}, outbound.Invalid(a.op("open setup", safeID(ref.ID)), errNoSetup)
}

// ConfirmSetup implements [ports.Vault]. The token has to be one that the buyer was asked for so
// that the card is stored.
//
// Source: POST /v2/cards.
func (a *Adapter) ConfirmSetup(ctx context.Context, key core.OperationKey, in ports.ConfirmSetup) (core.MethodSnapshot, error) {
	op := a.op("save", string(in.Method))
	if err := checkKey(op, key); err != nil {
		return core.MethodSnapshot{}, err
	}
	saved, err := a.saveCard(ctx, op, string(key), in.Source, in.ProviderCustomer, string(in.Method))
	if err != nil {
		return core.MethodSnapshot{}, err
	}
	return a.method(*saved.Card), nil
}

// saveCard keeps the card of a one-time token for a customer, with a reference of ours.
func (a *Adapter) saveCard(ctx context.Context, op, key, source, customer, reference string) (answer, error) {
	switch {
	case source == "":
		return answer{}, outbound.Invalid(op, errNoSource)
	case safeID(customer) == "":
		return answer{}, outbound.Invalid(op, errNotOurRef)
	}
	made, err := a.api.object(ctx, op, http.MethodPost, cardsPath, CreateCardRequest{
		IdempotencyKey: key, SourceID: source, Card: Card{CustomerID: customer, ReferenceID: reference},
	}, "", cardID)
	if err == nil && made.Card.CustomerID != customer {
		return answer{}, made.call.Unusable(errOther)
	}
	return made, err
}

// GetMethod implements [ports.Vault]. One that Square knows nothing of was taken away.
//
// Source: GET /v2/cards/{id}.
func (a *Adapter) GetMethod(ctx context.Context, ref core.ProviderRef) (core.MethodSnapshot, error) {
	op := a.op("get method", safeID(ref.ID))
	if err := a.checkRef(op, ref, core.ObjectMethod); err != nil {
		return core.MethodSnapshot{}, err
	}
	shown, err := a.card(ctx, op, ref.ID)
	if isMissing(err) {
		return core.MethodSnapshot{Ref: ref, Status: core.MethodRemoved, ForeignStatus: cardGone, Environment: a.env}, nil
	}
	if err != nil {
		return core.MethodSnapshot{}, err
	}
	return a.method(*shown.Card), nil
}

func (a *Adapter) card(ctx context.Context, op, id string) (answer, error) {
	return a.api.object(ctx, op, http.MethodGet, cardsPath+"/"+id, nil, id, cardID)
}

// method puts a card on file into our words. It can be charged as long as it is a customer's and
// enabled.
func (a *Adapter) method(card Card) core.MethodSnapshot {
	seen := core.MethodSnapshot{
		Ref: a.ref(core.ObjectMethod, card.ID), Customer: safeID(card.CustomerID), Status: core.MethodRemoved, ForeignStatus: cardDisabled,
		Details: core.PaymentMethod{Type: methodCard}, Environment: a.env,
	}
	if id, err := core.ParseID[core.MethodID](card.ReferenceID); err == nil {
		seen.Method = id
	}
	if card.Enabled {
		seen.ForeignStatus = cardEnabled
	}
	if card.Enabled && seen.Customer != "" {
		seen.Status = core.MethodActive
	}
	card.tell(&seen.Details)
	return seen
}

// DetachMethod implements [ports.Vault]. The call takes no key: of one that Square refuses, the
// card itself tells whether it is done.
//
// Source: POST /v2/cards/{id}/disable.
func (a *Adapter) DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error {
	op := a.op("detach", safeID(ref.ID))
	if err := a.checkOrder(op, key, ref, core.ObjectMethod); err != nil {
		return err
	}
	refused := a.disable(ctx, op, ref.ID)
	if !isInvalid(refused) || isMissing(refused) {
		return ignoreMissing(refused)
	}
	present, err := a.GetMethod(ctx, ref)
	switch {
	case err == nil && present.Status == core.MethodRemoved:
		return nil
	case err == nil || isInvalid(err):
		return refused
	}
	return afterwards(err)
}

// disable ends the use of a card.
func (a *Adapter) disable(ctx context.Context, op, id string) error {
	out, err := a.api.object(ctx, op, http.MethodPost, cardsPath+"/"+id+"/disable", nil, id, cardID)
	if err == nil && out.Card.Enabled {
		return out.call.Unusable(errNotReadable)
	}
	return err
}

// ignoreMissing is an error unless it says that there is nothing any more.
func ignoreMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}

// ChargeMethod implements [ports.Vault]. What a decline leaves behind is failed, and nobody can
// pay it later.
//
// Source: POST /v2/payments with a card's id and customer_details.
func (a *Adapter) ChargeMethod(ctx context.Context, key core.OperationKey, in ports.ChargeMethod) (core.PaymentSnapshot, error) {
	op := a.op("charge for", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return core.PaymentSnapshot{}, err
	}
	if safeID(in.ProviderMethod) == "" || safeID(in.ProviderCustomer) == "" {
		return core.PaymentSnapshot{}, outbound.Invalid(op, errNotOurRef)
	}
	wanted, err := a.newPayment(op, key, in.CreatePayment, in.ProviderMethod)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	wanted.CustomerID, wanted.CustomerDetails = in.ProviderCustomer, &CustomerDetails{CustomerInitiated: false}
	made, err := a.api.payment(ctx, op, http.MethodPost, paymentsPath, "", wanted)
	return a.seen(made, err)
}
