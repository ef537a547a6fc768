package paypal

import (
	"context"
	"errors"
	"net/http"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Where saved ways to pay are, and the agreements to save one.
const (
	pathSetups  = "/v3/vault/setup-tokens"
	pathMethods = "/v3/vault/payment-tokens"
)

// The statuses of a setup token.
//
// Source: developer.paypal.com/docs/api/payment-tokens/v3/#setup-tokens_get.
const (
	setupCreated     = "CREATED"
	setupPayerAction = "PAYER_ACTION_REQUIRED"
	setupApproved    = "APPROVED"
	setupVaulted     = "VAULTED" // what is saved by it is no secret of this token any more
	setupTokenized   = "TOKENIZED"
	// methodDeleted is our own word for what PayPal knows no more of.
	methodDeleted = "DELETED"
)

const (
	methodCard   = "card"
	methodPayPal = "paypal"
	noShipping   = "NO_SHIPPING"
)

// CreateCustomer implements [ports.Vault]. PayPal has no customers but by what they save: it
// makes their id when they do.
func (a *Adapter) CreateCustomer(context.Context, core.OperationKey, ports.CreateCustomer) (string, error) {
	return "", nil
}

// CreateSetup implements [ports.Vault]: a setup token, which the buyer agrees to in PayPal's
// window, or by giving a card to its fields. PayPal keeps no id of ours with it but the
// customer's. One buyer may save the same account for several customers, so that taking it
// away from one leaves the others theirs.
//
// Source: POST /v3/vault/setup-tokens.
func (a *Adapter) CreateSetup(ctx context.Context, key core.OperationKey, in ports.CreateSetup) (ports.SetupSession, error) {
	op := a.op("create setup for", string(in.Method))
	if err := checkKey(op, key); err != nil {
		return ports.SetupSession{}, err
	}
	wanted := CreateSetupTokenRequest{Customer: VaultCustomer{ID: in.ProviderCustomer}}
	if in.ProviderCustomer == "" {
		wanted.Customer.MerchantCustomerID = string(in.Customer)
	}
	back := VaultContext{ReturnURL: in.ReturnURL, CancelURL: in.ReturnURL}
	if in.MethodType == methodCard {
		wanted.PaymentSource.Card = &SetupCardRequest{VerificationMethod: "SCA_WHEN_REQUIRED", ExperienceContext: back}
	} else {
		back.ShippingPreference = noShipping
		wanted.PaymentSource.PayPal = &SetupPayPalRequest{UsageType: "MERCHANT", PermitMultiplePaymentTokens: true, ExperienceContext: back}
	}
	made, err := a.vaultToken(ctx, request{op: op, method: http.MethodPost, path: pathSetups, key: key, body: wanted}, "")
	if err != nil {
		return ports.SetupSession{}, err
	}
	return a.setupSession(op, made)
}

// OpenSetup implements [ports.Vault].
//
// Source: GET /v3/vault/setup-tokens/{id}.
func (a *Adapter) OpenSetup(ctx context.Context, ref core.ProviderRef) (ports.SetupSession, error) {
	op := a.op("open setup", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectSetup); err != nil {
		return ports.SetupSession{}, err
	}
	shown, err := a.vaultToken(ctx, request{op: op, method: http.MethodGet, path: pathSetups + "/" + ref.ID}, ref.ID)
	if err != nil {
		return ports.SetupSession{}, err
	}
	return a.setupSession(op, shown)
}

// ConfirmSetup implements [ports.Vault]. It shows the customer's id, which comes with the
// first that is saved.
//
// Source: POST /v3/vault/payment-tokens.
func (a *Adapter) ConfirmSetup(ctx context.Context, key core.OperationKey, in ports.ConfirmSetup) (core.MethodSnapshot, error) {
	op := a.op("confirm setup", in.Ref.ID)
	if err := a.check(op, key, in.Ref, core.ObjectSetup); err != nil {
		return core.MethodSnapshot{}, err
	}
	wanted := CreatePaymentTokenRequest{}
	wanted.PaymentSource.Token = SetupTokenSource{ID: in.Ref.ID, Type: "SETUP_TOKEN"}
	made, err := a.vaultToken(ctx, request{op: op, method: http.MethodPost, path: pathMethods, key: key, body: wanted}, "")
	if err != nil {
		return core.MethodSnapshot{}, err
	}
	seen, err := a.saved(op, made)
	seen.Setup = in.Ref.ID
	return seen, err
}

// GetMethod implements [ports.Vault].
//
// Source: GET /v3/vault/payment-tokens/{id} and /v3/vault/setup-tokens/{id}.
func (a *Adapter) GetMethod(ctx context.Context, ref core.ProviderRef) (core.MethodSnapshot, error) {
	op := a.op("get method", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectMethod, core.ObjectSetup); err != nil {
		return core.MethodSnapshot{}, err
	}
	if ref.Kind == core.ObjectSetup {
		shown, err := a.vaultToken(ctx, request{op: op, method: http.MethodGet, path: pathSetups + "/" + ref.ID}, ref.ID)
		if err != nil {
			return core.MethodSnapshot{}, err
		}
		return a.setup(shown), nil
	}
	return a.method(ctx, op, ref.ID)
}

// method looks at what is saved. One that PayPal knows nothing of was taken away.
func (a *Adapter) method(ctx context.Context, op, id string) (core.MethodSnapshot, error) {
	shown, err := a.vaultToken(ctx, request{op: op, method: http.MethodGet, path: pathMethods + "/" + id}, id)
	if isMissing(err) {
		return core.MethodSnapshot{
			Ref:    core.ProviderRef{Account: a.account, Kind: core.ObjectMethod, ID: id},
			Status: core.MethodRemoved, ForeignStatus: methodDeleted, Environment: a.env,
		}, nil
	}
	if err != nil {
		return core.MethodSnapshot{}, err
	}
	return a.saved(op, shown)
}

// DetachMethod implements [ports.Vault]. PayPal answers with nothing, so that a look follows.
//
// Source: DELETE /v3/vault/payment-tokens/{id}.
func (a *Adapter) DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error {
	op := a.op("detach", ref.ID)
	if err := a.check(op, key, ref, core.ObjectMethod); err != nil {
		return err
	}
	got, err := a.api.do(ctx, request{op: op, method: http.MethodDelete, path: pathMethods + "/" + ref.ID, key: key})
	if err != nil {
		if isMissing(err) {
			return nil
		}
		return err
	}
	seen, err := a.method(ctx, op, ref.ID)
	if err != nil {
		return afterwards(err, ref.ID)
	}
	if seen.Status != core.MethodRemoved {
		return unusable(op, got, errNotWhole)
	}
	return nil
}

// vaultToken makes a call whose answer is a token; id is empty where the answer makes it known.
func (a *Adapter) vaultToken(ctx context.Context, r request, id string) (*VaultToken, error) {
	got, err := a.api.do(ctx, r)
	if err != nil {
		return nil, err
	}
	shown := &VaultToken{}
	if err := decode(r.op, got, shown); err != nil {
		return nil, err
	}
	shown.requestID = got.requestID
	if shown.ID == "" || outbound.SafeID(shown.ID) == "" || id != "" && shown.ID != id {
		return nil, unusable(r.op, got, errNoObject)
	}
	return shown, nil
}

// setupSession is an agreement with the buyer's next step, which PayPal's script takes on our
// page.
func (a *Adapter) setupSession(op string, t *VaultToken) (ports.SetupSession, error) {
	session := ports.SetupSession{Snapshot: a.setup(t)}
	switch t.Status {
	case setupCreated, setupPayerAction:
		session.Action = ports.BuyerAction{Type: ports.ActionPayPalSave, URL: a.page(t.Links, relApprove)}
	case setupApproved, setupVaulted, setupTokenized:
	default:
		return ports.SetupSession{}, unusable(op, answer{requestID: t.requestID}, errNotReadable)
	}
	return session, nil
}

// setup is what a setup token shows. Of one that was made use of PayPal does not tell what is
// saved by it: that came with the answer. A status that is not known here is none at all.
func (a *Adapter) setup(t *VaultToken) core.MethodSnapshot {
	seen := core.MethodSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectMethod}, Setup: t.ID, Customer: outbound.SafeID(t.Customer.ID),
		ForeignStatus: outbound.SafeCode(t.Status), Details: t.details(), Environment: a.environment(t.Links),
	}
	switch t.Status {
	case setupCreated, setupPayerAction, setupApproved, setupVaulted, setupTokenized:
		seen.Status, seen.Confirmable = core.MethodPending, t.Status == setupApproved
	}
	return seen
}

// saved is what a payment token shows.
func (a *Adapter) saved(op string, t *VaultToken) (core.MethodSnapshot, error) {
	details, customer := t.details(), outbound.SafeID(t.Customer.ID)
	if details.Type == "" || customer == "" {
		return core.MethodSnapshot{}, unusable(op, answer{requestID: t.requestID}, errNoObject)
	}
	return core.MethodSnapshot{
		Ref:      core.ProviderRef{Account: a.account, Kind: core.ObjectMethod, ID: t.ID},
		Customer: customer, Status: core.MethodActive, ForeignStatus: setupVaulted, Details: details, Environment: a.environment(t.Links),
	}, nil
}

// details are what may be known of a way to pay.
func (t *VaultToken) details() core.PaymentMethod {
	if source := sourceMethod(t.PaymentSource); source != nil {
		return *source
	}
	return core.PaymentMethod{}
}

// ChargeMethod implements [ports.Vault]. PayPal takes or holds the money with the order's
// creation. An order that it leaves behind without is paid by nobody: only our server could
// ask for its money.
//
// Source: POST /v2/checkout/orders with a vault id.
func (a *Adapter) ChargeMethod(ctx context.Context, key core.OperationKey, in ports.ChargeMethod) (core.PaymentSnapshot, error) {
	op := a.op("charge for", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return core.PaymentSnapshot{}, err
	}
	if in.ProviderMethod == "" || outbound.SafeID(in.ProviderMethod) == "" {
		return core.PaymentSnapshot{}, outbound.Invalid(op, errNotOurRef)
	}
	source := &PaymentSourceRequest{}
	switch in.MethodType {
	case methodCard:
		source.Card = &SavedSourceRequest{
			VaultID:          in.ProviderMethod,
			StoredCredential: &StoredCredentialRequest{PaymentInitiator: "MERCHANT", PaymentType: "UNSCHEDULED", Usage: "SUBSEQUENT"},
		}
	case methodPayPal:
		source.PayPal = &PayPalSourceRequest{VaultID: in.ProviderMethod}
	default:
		return core.PaymentSnapshot{}, outbound.Invalid(op, errMethodType)
	}
	made, session, err := a.create(ctx, op, key, in.CreatePayment, source)
	if err != nil {
		return core.PaymentSnapshot{}, a.notCharged(ctx, in.ProviderMethod, err)
	}
	seen := session.Snapshot
	switch {
	case seen.Status == core.PaymentFailed:
		return core.PaymentSnapshot{}, made.declined(op, seen.Failure)
	case made.Status == orderPayerAction:
		return core.PaymentSnapshot{}, made.declined(op, core.NewFailure(core.FailureAuthenticationRequired, orderPayerAction))
	case seen.Status == core.PaymentRequiresAction:
		return core.PaymentSnapshot{}, made.unusable(op, errNotWhole)
	}
	return seen, nil
}

// notCharged is why there is no charge. The buyer who would have to be there is none, which
// declines it; and PayPal tells of a method that was taken away only that we have no right
// to it.
func (a *Adapter) notCharged(ctx context.Context, method string, err error) error {
	refused, ok := errors.AsType[*core.ProviderError](err)
	switch {
	case !ok:
	case refused.Code == core.FailureAuthenticationRequired:
		refused.Class = core.ClassDeclined
	case refused.Foreign == issueNoPermission:
		if seen, err := a.method(ctx, refused.Op, method); err == nil && seen.Status == core.MethodRemoved {
			refused.Class, refused.Code, refused.Foreign = core.ClassInvalid, core.FailureInvalidRequest, ports.ForeignMissing
		}
	}
	return err
}
