package portstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// providerMonth is longer than a month's period.
const providerMonth = 32 * 24 * time.Hour

// billingDesk is a provider that bills subscriptions, with its far end.
type billingDesk struct {
	vaultDesk

	billing ports.Subscriber
	far     Billed
	can     ports.SubscriptionAbilities
}

// billed skips a chapter about subscriptions, and holds a provider to what it claims.
func (d *providerDesk) billed(t *testing.T) billingDesk {
	t.Helper()
	can := d.provider.Capabilities().Subscriptions
	if can == nil {
		t.Skip("not claimed: subscriptions")
	}
	billing, ok := d.provider.(ports.Subscriber)
	require.True(t, ok, "what is claimed is there")
	far, ok := d.far.(Billed)
	require.True(t, ok, "the far end of such a provider bills")
	require.Contains(t, can.Periods[core.IntervalMonth], 1)
	return billingDesk{d.vaulted(t), billing, far, *can}
}

// renewingDesk is a provider whose subscriptions go on.
type renewingDesk struct {
	billingDesk

	far Renewing
}

// renewing skips a chapter about what time and others do to subscriptions.
func (d *providerDesk) renewing(t *testing.T) renewingDesk {
	t.Helper()
	b := d.billed(t)
	far, ok := d.far.(Renewing)
	if !ok {
		t.Skip("not there: a far end whose time can be moved")
	}
	return renewingDesk{b, far}
}

// plan is a price of so much a month, with its counterpart.
func (d billingDesk) plan(t *testing.T, amount int64, trialDays int) (core.Price, string) {
	t.Helper()
	price := core.Price{
		ID: storeID[core.PriceID](), Name: "Tea club", Amount: minor(t, amount, "EUR"), Environment: core.EnvTest,
		Recurring: &core.Recurring{Interval: core.IntervalMonth, Count: 1, TrialDays: trialDays}, CreatedAt: time.Now().UTC(),
	}
	made, err := d.billing.CreatePrice(providerContext(t), newKey(), price)
	require.NoError(t, err)
	require.NotEmpty(t, made)
	return price, made
}

// request is what starts a subscription with a card.
func (d billingDesk) subscription(t *testing.T, trialDays int, card Card) ports.CreateSubscription {
	t.Helper()
	customer, counterpart := d.customer(t)
	price, foreign := d.plan(t, 10_00, trialDays)
	in := ports.CreateSubscription{
		Subscription: storeID[core.SubscriptionID](), Customer: customer, ProviderCustomer: counterpart, Email: "ada@example.test", Name: "Ada Lovelace",
		Price: price, ProviderPrice: foreign, Quantity: 1, ReturnURL: providerReturnURL, CancelURL: providerReturnURL,
		StartAt: time.Now().UTC().Truncate(time.Second),
	}
	if d.mode() == ports.ConfirmWithSource {
		in.Source = d.far.SetupSource(t, card)
	}
	return in
}

// subscribed is one that runs.
func (d billingDesk) subscribed(t *testing.T, trialDays int) core.SubscriptionSnapshot {
	t.Helper()
	session, err := d.billing.CreateSubscription(providerContext(t), newKey(), d.subscription(t, trialDays, CardSucceeds))
	require.NoError(t, err)
	if d.mode() != ports.ConfirmWithSource {
		d.requireWindow(t)
		d.far.AgreeSubscription(t, session, CardSucceeds)
	}
	return d.look(t, session.Snapshot.Ref)
}

// look is a subscription as it stands.
func (d billingDesk) look(t *testing.T, ref core.ProviderRef) core.SubscriptionSnapshot {
	t.Helper()
	seen, err := d.billing.GetSubscription(providerContext(t), ref)
	require.NoError(t, err)
	d.requireSoundSubscription(t, seen)
	return seen
}

// requireSoundSubscription holds what is true of every sight of a subscription.
func (d billingDesk) requireSoundSubscription(t *testing.T, seen core.SubscriptionSnapshot) {
	t.Helper()
	require.Equal(t, d.provider.Account(), seen.Ref.Account)
	require.Equal(t, core.ObjectSubscription, seen.Ref.Kind)
	require.NotEmpty(t, seen.Ref.ID)
	require.Equal(t, core.EnvTest, seen.Environment)
	require.True(t, seen.Status.Known(), seen.Status)
	require.NotEmpty(t, seen.ForeignStatus)
	require.NotEmpty(t, seen.Price)
	require.Positive(t, seen.Quantity)
	require.LessOrEqual(t, len(seen.Invoices), core.InvoicesShownMax)
	for n, invoice := range seen.Invoices {
		require.Equal(t, core.ObjectInvoice, invoice.Ref.Kind)
		require.Equal(t, d.provider.Account(), invoice.Ref.Account)
		require.NotEmpty(t, invoice.Ref.ID)
		require.Equal(t, seen.Ref, invoice.Subscription)
		require.True(t, invoice.Status.Known(), invoice.Status)
		require.Equal(t, core.EnvTest, invoice.Environment)
		require.False(t, invoice.IssuedAt.IsZero())
		if n > 0 {
			require.False(t, invoice.IssuedAt.After(seen.Invoices[n-1].IssuedAt), "newest first")
		}
	}
}

// paid are the invoices that took money.
func paidInvoices(seen core.SubscriptionSnapshot) (paid []core.InvoiceSnapshot) {
	for _, invoice := range seen.Invoices {
		if invoice.Status == core.InvoicePaid && invoice.AmountPaid.IsPositive() {
			paid = append(paid, invoice)
		}
	}
	return paid
}

func providerSubscribes(t *testing.T, d *providerDesk) {
	b := d.billed(t)
	in, key := b.subscription(t, 0, CardSucceeds), newKey()
	session, err := b.billing.CreateSubscription(providerContext(t), key, in)
	require.NoError(t, err)
	again, err := b.billing.CreateSubscription(providerContext(t), key, in)
	require.NoError(t, err)
	require.Equal(t, session.Snapshot.Ref, again.Snapshot.Ref)
	if d.mode() == ports.ConfirmWithSource {
		require.Empty(t, session.Action.Type, "the card was given already")
	} else {
		require.Equal(t, core.SubscriptionIncomplete, session.Snapshot.Status)
		require.NotEmpty(t, session.Action.Type)
		open, err := b.billing.OpenSubscription(providerContext(t), session.Snapshot.Ref)
		require.NoError(t, err)
		require.Equal(t, session.Action, open.Action)
		require.Equal(t, session.Object, open.Object)
		d.requireWindow(t)
		b.far.AgreeSubscription(t, open, CardSucceeds)
	}
	seen := b.look(t, session.Snapshot.Ref)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Equal(t, in.ProviderPrice, seen.Price)
	require.Equal(t, in.Price.Amount, seen.Amount)
	if seen.Subscription != "" {
		require.Equal(t, in.Subscription, seen.Subscription, "our own id finds it again")
	}
	paid := paidInvoices(seen)
	if _, renews := b.far.(Renewing); !renews && len(paid) == 0 {
		t.Skip("not there: a far end that bills while somebody waits")
	}
	require.True(t, seen.CurrentPeriodEnd.After(seen.CurrentPeriodStart))
	require.Len(t, paid, 1)
	require.Equal(t, in.Price.Amount, paid[0].AmountPaid)
	one, err := b.billing.GetInvoice(providerContext(t), paid[0].Ref)
	require.NoError(t, err)
	require.Equal(t, paid[0], one)
	require.NotEmpty(t, paid[0].Payment.ID)
	payment := d.seen(t, paid[0].Payment)
	require.Equal(t, core.PaymentSucceeded, payment.Status)
	require.Equal(t, in.Price.Amount, payment.Captured)
	require.Equal(t, seen.Ref.ID, payment.Subscription, "a payment says whose it is")
}

func providerSubscribesInVain(t *testing.T, d *providerDesk) {
	b := d.billed(t)
	if !d.far.Has(CardDeclined) {
		t.Skip("not there: a buyer whose card is declined")
	}
	session, err := b.billing.CreateSubscription(providerContext(t), newKey(), b.subscription(t, 0, CardDeclined))
	if d.mode() == ports.ConfirmWithSource {
		requireRefused(t, err, core.ClassDeclined)
		return
	}
	require.NoError(t, err)
	d.requireWindow(t)
	b.far.AgreeSubscription(t, session, CardDeclined)
	require.Equal(t, core.SubscriptionIncomplete, b.look(t, session.Snapshot.Ref).Status)
	b.far.AgreeSubscription(t, session, CardSucceeds)
	require.Equal(t, core.SubscriptionActive, b.look(t, session.Snapshot.Ref).Status)
}

func providerTries(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	if b.can.TrialDaysMax == 0 {
		t.Skip("not claimed: trials")
	}
	seen := b.subscribed(t, 14)
	require.Equal(t, core.SubscriptionTrialing, seen.Status)
	require.False(t, seen.TrialEnd.IsZero())
	require.Empty(t, paidInvoices(seen))
	b.far.Advance(t, 16*24*time.Hour)
	seen = b.look(t, seen.Ref)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Len(t, paidInvoices(seen), 1)
}

func providerRenews(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	first := b.subscribed(t, 0)
	seen := first
	for n := range 2 {
		b.far.Advance(t, providerMonth)
		seen = b.look(t, first.Ref)
		require.Equal(t, core.SubscriptionActive, seen.Status)
		require.Len(t, paidInvoices(seen), n+2)
	}
	require.True(t, seen.CurrentPeriodEnd.After(first.CurrentPeriodEnd))
	payments := map[string]bool{}
	for _, invoice := range paidInvoices(seen) {
		payments[invoice.Payment.ID] = true
	}
	require.Len(t, payments, 3, "each is paid by a payment of its own")
}

func providerFailsToBeRenewed(t *testing.T, d *providerDesk) {
	b := d.renewing(t)
	first := b.subscribed(t, 0)
	b.far.Steer(t, first.Ref.ID, Steering{Card: CardInsufficientFunds})
	b.far.Advance(t, first.CurrentPeriodEnd.Sub(first.CurrentPeriodStart)+24*time.Hour)
	seen := b.look(t, first.Ref)
	require.True(t, seen.Status.Runs(), "it is tried again: %s", seen.Status)
	require.Len(t, paidInvoices(seen), 1)
	require.Positive(t, seen.FailedAttempts)
	b.far.Steer(t, first.Ref.ID, Steering{Card: CardSucceeds})
	b.far.Advance(t, 10*24*time.Hour)
	seen = b.look(t, first.Ref)
	require.Equal(t, core.SubscriptionActive, seen.Status)
	require.Len(t, paidInvoices(seen), 2)
	require.Zero(t, seen.FailedAttempts)
}

func providerSubscriptionFaults(t *testing.T, d *providerDesk) {
	b := d.billed(t)
	providerSaleFaults(t, d, func(t *testing.T) saleVerb {
		t.Helper()
		price, _ := b.plan(t, 10_00, 0)
		price.ID = storeID[core.PriceID]()
		return saleVerb{"create price", func(t *testing.T, key core.OperationKey) (any, error) {
			t.Helper()
			return b.billing.CreatePrice(d.impatient(t), key, price)
		}}
	})
	providerSaleFaults(t, d, func(t *testing.T) saleVerb {
		t.Helper()
		in := b.subscription(t, 0, CardSucceeds)
		return saleVerb{"subscribe", func(t *testing.T, key core.OperationKey) (any, error) {
			t.Helper()
			session, err := b.billing.CreateSubscription(d.impatient(t), key, in)
			return session.Snapshot.Ref, err
		}}
	})
}

func providerSubscriptionLooks(t *testing.T, d *providerDesk) {
	b := d.billed(t)
	first := b.subscribed(t, 0)
	gone := first.Ref
	gone.ID += "0gone"
	_, err := b.billing.GetSubscription(providerContext(t), gone)
	require.Equal(t, ports.ForeignMissing, requireRefused(t, err, core.ClassInvalid).Foreign)
	sent := len(d.far.Keys(t))
	for _, change := range []func(*core.ProviderRef){
		func(ref *core.ProviderRef) { ref.Account = "another" },
		func(ref *core.ProviderRef) { ref.Kind = core.ObjectPayment },
		func(ref *core.ProviderRef) { ref.ID = "" },
	} {
		ref := first.Ref
		change(&ref)
		_, err := b.billing.GetSubscription(providerContext(t), ref)
		requireRefused(t, err, core.ClassInvalid)
		_, err = b.billing.CancelSubscription(providerContext(t), newKey(), ports.CancelSubscription{Ref: ref})
		requireRefused(t, err, core.ClassInvalid)
	}
	require.Len(t, d.far.Keys(t), sent, "none of them was sent")
	for _, fault := range []Fault{FaultError500, FaultHTML, FaultTruncated} {
		d.far.Fault(t, fault)
		_, err := b.billing.GetSubscription(d.impatient(t), first.Ref)
		requireRefused(t, err, core.ClassUnknown)
	}
	require.Equal(t, first, b.look(t, first.Ref))
}
