package portstest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// OpenProvider opens a provider of the test environment and its far end for one chapter.
// Each call's far end is its own: it sees no call but the chapter's.
type OpenProvider func(t *testing.T) (ports.Provider, FarEnd)

const (
	// providerCallMax ends a call that should have been answered.
	providerCallMax = 20 * time.Second
	// providerReturnURL is where buyers come back to.
	providerReturnURL = "https://shop.example/return"
	providerAmount    = 49_90
)

// RunProvider holds a provider adapter to the promises of [ports.Provider] and to what
// it declares of itself: abilities that it does not claim are expected to be missing.
func RunProvider(t *testing.T, open OpenProvider) {
	t.Helper()
	chapters := []providerChapter{
		{"says who it is", providerAbout},
		{"creates, opens and gets a payment", providerCreates},
		{"tells what became of the buyer's try", providerConfirms},
		{"asks the buyer's bank", providerAuthenticates},
		{"takes another try after a decline", providerTriesAgain},
		{"asks for what the buyer agreed to", providerAsks},
		{"asks for nothing that the buyer did not agree to", providerAsksTooEarly},
		{"captures the whole", providerCapturesWhole},
		{"captures a part and releases the rest", providerCapturesPart},
		{"captures no more than there is", providerCapturesTooMuch},
		{"cancels", providerCancels},
		{"cancels twice", providerCancelsTwice},
		{"does not cancel what took money", providerCancelsTooLate},
		{"lets go what nobody captures in time", providerRunsOut},
		{"takes a payment on its own page", providerHosts},
		{"closes its own page", providerClosesPage},
		{"goes wrong while making its page", providerHostFaults},
		{"gives money back", providerRefunds},
		{"gives no more back than was taken", providerRefundsTooMuch},
		{"tells of what others gave back", providerRefundsElsewhere},
		{"looks at what was given back", providerRefundLooks},
		{"tells of disputes", providerDisputes},
		{"answers a dispute", providerAnswers},
		{"gives in to a dispute", providerAccepts},
		{"looks at disputes", providerDisputeLooks},
		{"goes wrong while answering a dispute", providerAnswerFaults},
		{"lists a window page by page", providerLists},
		{"has one effect under one key", providerReplays},
		{"refuses a key for another request", providerReusesKey},
		{"has one effect under one key at the same time", providerRaces},
		{"sends no call without a key", providerNeedsKey},
		{"goes wrong while creating", providerCreateFaults},
		{"goes wrong while confirming", providerConfirmFaults},
		{"goes wrong while capturing", providerCaptureFaults},
		{"goes wrong while canceling", providerCancelFaults},
		{"goes wrong while refunding", providerRefundFaults},
		{"goes wrong while looking", providerLookFaults},
		{"answers what nobody can use", providerNonsense},
		{"does not know the object", providerMissing},
		{"stays with its own objects", providerForeignRefs},
		{"counts each currency", providerCurrencies},
		{"refuses amounts that nobody can take", providerAmounts},
		{"stops when nobody waits", providerGivenUp},
	}
	for _, chapter := range slices.Concat(chapters, billingChapters(), historyChapters()) {
		t.Run(chapter.name, func(t *testing.T) {
			t.Parallel()
			provider, far := open(t)
			chapter.run(t, &providerDesk{provider: provider, far: far})
		})
	}
}

// providerChapter is one of the promises.
type providerChapter struct {
	name string
	run  func(*testing.T, *providerDesk)
}

// billingChapters are about what is charged later, and again and again.
func billingChapters() []providerChapter {
	return []providerChapter{
		{"knows customers", providerCustomers},
		{"saves a method", providerSaves},
		{"saves no card that is declined", providerSavesNoDeclined},
		{"charges a saved method", providerCharges},
		{"charges a saved method in vain", providerChargesInVain},
		{"goes wrong while saving", providerSaveFaults},
		{"goes wrong while charging a saved method", providerChargeFaults},
		{"looks at methods", providerMethodLooks},
		{"starts a subscription", providerSubscribes},
		{"starts a subscription in vain", providerSubscribesInVain},
		{"starts a subscription on trial", providerTries},
		{"renews a subscription", providerRenews},
		{"fails to renew a subscription", providerFailsToBeRenewed},
		{"pauses a subscription", providerPauses},
		{"ends a subscription", providerEnds},
		{"changes a subscription", providerChanges},
		{"changes a quantity", providerChangesQuantity},
		{"pays a subscription with another method", providerSwapsMethod},
		{"follows what staff do in the provider's dashboard", providerSteered},
		{"goes wrong while starting a subscription", providerSubscriptionFaults},
		{"goes wrong while changing a subscription", providerSubscriptionVerbFaults},
		{"looks at subscriptions", providerSubscriptionLooks},
	}
}

// providerDesk is a provider with its far end, and the usual requests.
type providerDesk struct {
	provider ports.Provider
	far      FarEnd
}

// newKey is a key that nobody used before.
func newKey() core.OperationKey { return core.OperationKey("op_" + rand.Text()) }

// providerContext is of a call that gets an answer.
func providerContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), providerCallMax)
	t.Cleanup(cancel)
	return ctx
}

// impatient is of a call that may get none: its time is over as soon as the far end says so.
func (d *providerDesk) impatient(t *testing.T) context.Context {
	t.Helper()
	return newPatience(providerContext(t))
}

func minor(t testing.TB, amount int64, currency core.Currency) core.Money {
	t.Helper()
	money, err := core.NewMoney(amount, currency)
	require.NoError(t, err)
	return money
}

// request is one that every provider can take.
func (d *providerDesk) request(t testing.TB, capture core.CaptureMode) ports.CreatePayment {
	t.Helper()
	return ports.CreatePayment{
		Payment: storeID[core.PaymentID](), Checkout: storeID[core.CheckoutID](), Reference: "order-" + rand.Text(),
		Amount: minor(t, providerAmount, "EUR"), Capture: capture, Description: "Two books & a pen", ReturnURL: providerReturnURL,
	}
}

// requireObjects skips a chapter about payments that nobody has paid yet, where the
// provider knows of none.
func (d *providerDesk) requireObjects(t *testing.T) {
	t.Helper()
	if d.mode() == ports.ConfirmWithSource {
		t.Skip("not there: payments before they are paid")
	}
}

func (d *providerDesk) mode() ports.ConfirmMode { return d.provider.Capabilities().Confirm }

// created is a new payment.
func (d *providerDesk) created(t *testing.T, capture core.CaptureMode) ports.PaymentSession {
	t.Helper()
	session, err := d.provider.CreatePayment(providerContext(t), newKey(), d.request(t, capture))
	require.NoError(t, err)
	return session
}

// paid is a payment that the buyer paid with a card.
func (d *providerDesk) paid(t *testing.T, capture core.CaptureMode, card Card) core.PaymentSnapshot {
	t.Helper()
	if d.mode() == ports.ConfirmInBrowser {
		session := d.created(t, capture)
		d.far.Confirm(t, session, card)
		return d.seen(t, session.Snapshot.Ref)
	}
	seen, err := d.ask(t, newKey(), d.agreed(t, d.request(t, capture), card))
	require.NoError(t, err)
	return d.seen(t, seen.Ref)
}

// agreed is a payment that the buyer agreed to, ready for our server to ask for its money.
func (d *providerDesk) agreed(t *testing.T, in ports.CreatePayment, card Card) ports.ConfirmPayment {
	t.Helper()
	confirm := ports.ConfirmPayment{CreatePayment: in, Ref: core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectPayment}}
	if d.mode() == ports.ConfirmWithSource {
		far, ok := d.far.(SourceFarEnd)
		require.True(t, ok, "the far end of such a provider makes tokens")
		confirm.Source = far.Source(t, card, in.Amount)
		return confirm
	}
	session, err := d.provider.CreatePayment(providerContext(t), newKey(), in)
	require.NoError(t, err)
	d.far.Confirm(t, session, card)
	confirm.Ref = session.Snapshot.Ref
	return confirm
}

// ask is our server asking for the money.
func (d *providerDesk) ask(t *testing.T, key core.OperationKey, in ports.ConfirmPayment) (core.PaymentSnapshot, error) {
	t.Helper()
	confirmer, ok := d.provider.(ports.Confirmer)
	require.True(t, ok, "the mode claims it")
	return confirmer.ConfirmPayment(d.impatient(t), key, in)
}

// ref is of some payment of this provider's.
func (d *providerDesk) ref(t *testing.T) core.ProviderRef {
	t.Helper()
	if d.mode() == ports.ConfirmWithSource {
		return d.paid(t, core.CaptureAutomatic, CardSucceeds).Ref
	}
	return d.created(t, core.CaptureAutomatic).Snapshot.Ref
}

// seen is a payment as it stands.
func (d *providerDesk) seen(t *testing.T, ref core.ProviderRef) core.PaymentSnapshot {
	t.Helper()
	seen, err := d.provider.GetPayment(providerContext(t), ref)
	require.NoError(t, err)
	d.requireSound(t, seen)
	return seen
}

// requireSound holds what is true of every snapshot.
func (d *providerDesk) requireSound(t testing.TB, seen core.PaymentSnapshot) {
	t.Helper()
	require.Equal(t, d.provider.Account(), seen.Ref.Account)
	require.Equal(t, core.ObjectPayment, seen.Ref.Kind)
	require.False(t, seen.Ref.ID == "" && seen.Session == "")
	require.Equal(t, core.EnvTest, seen.Environment)
	require.NotEmpty(t, seen.Status)
	require.NotEmpty(t, seen.ForeignStatus)
	require.False(t, seen.CreatedAt.IsZero())
	require.Equal(t, time.UTC, seen.CreatedAt.Location())
	require.NoError(t, core.Payment{
		Amount: seen.Amount, AmountAuthorized: seen.Authorized, AmountCaptured: seen.Captured, AmountRefunded: seen.Refunded,
	}.Check(), "refunded ≤ captured ≤ authorized ≤ amount")
	require.Equal(t, seen.Status == core.PaymentFailed, seen.Failure != nil, "a failure tells why, and nothing else does")
	if seen.Method != nil && seen.Method.Last4 != "" {
		require.Regexp(t, `^\d{4}$`, seen.Method.Last4)
	}
}

// requireRefused holds an error to what every error of a provider promises, and gives it.
func requireRefused(t testing.TB, err error, class core.Class) *core.ProviderError {
	t.Helper()
	require.Error(t, err)
	var refused *core.ProviderError
	require.ErrorAs(t, err, &refused)
	require.Same(t, refused, err, "the error is the provider's own, nothing around it")
	require.Equal(t, class.String(), refused.Class.String(), "%v", err)
	require.NotEmpty(t, refused.Op)
	for _, r := range refused.Error() {
		require.False(t, unicode.IsControl(r), "an error is one line: %q", refused.Error())
	}
	if class == core.ClassUnknown {
		require.Nil(t, refused.Failure(), "nobody can say that anything failed")
	}
	return refused
}

func isClass(err error, class core.Class) bool {
	var refused *core.ProviderError
	return errors.As(err, &refused) && refused.Class == class
}

func providerAbout(t *testing.T, d *providerDesk) {
	require.NotEmpty(t, d.provider.Account())
	require.NotEmpty(t, d.provider.Name())
	can := d.provider.Capabilities()
	require.Positive(t, can.KeyKept)
	require.NotEmpty(t, can.Currencies)
	for currency := range can.Currencies {
		require.True(t, currency.Known(), currency)
	}
	require.Equal(t, can, d.provider.Capabilities())
	_, confirms := d.provider.(ports.Confirmer)
	require.True(t, confirms || can.Confirm == ports.ConfirmInBrowser, "what is claimed is there")
	require.False(t, can.HostedManualCapture && !(can.Hosted && can.ManualCapture), "it takes both")
	require.Zero(t, d.far.Effects(t))
}
