package portstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func providerCreates(t *testing.T, d *providerDesk) {
	d.requireObjects(t)
	in := d.request(t, core.CaptureAutomatic)
	session, err := d.provider.CreatePayment(providerContext(t), newKey(), in)
	require.NoError(t, err)
	d.requireNew(t, in, session)
	require.Equal(t, 1, d.far.Effects(t))

	opened, err := d.provider.OpenPayment(providerContext(t), session.Snapshot.Ref)
	require.NoError(t, err)
	require.Equal(t, session, opened)
	require.Equal(t, session.Snapshot, d.seen(t, session.Snapshot.Ref))
	require.Equal(t, 1, d.far.Effects(t), "looking changes nothing")
}

// requireNew holds what a payment is like that nobody has tried to pay.
func (d *providerDesk) requireNew(t *testing.T, in ports.CreatePayment, session ports.PaymentSession) {
	t.Helper()
	seen, none := session.Snapshot, core.Zero(in.Amount.Currency())
	d.requireSound(t, seen)
	require.Equal(t, in.Payment, seen.Payment)
	require.Equal(t, core.PaymentRequiresAction, seen.Status)
	require.Equal(t, in.Amount, seen.Amount)
	require.Equal(t, none, seen.Authorized)
	require.Equal(t, none, seen.Captured)
	require.Equal(t, none, seen.Refunded)
	require.Nil(t, seen.Method)
	require.False(t, seen.Disputed)
	d.requirePayable(t, seen)
	require.WithinDuration(t, time.Now(), seen.CreatedAt, time.Hour)
	require.NotEmpty(t, session.Action.Type)
	require.Equal(t, d.mode() == ports.ConfirmInBrowser, session.Action.ClientSecret != "")
	require.False(t, seen.Confirmable, "nobody has agreed yet")
}

// requirePayable holds that what is given up must be closed at the provider. Where only our
// server takes the money, a provider may have nothing to close.
func (d *providerDesk) requirePayable(t *testing.T, seen core.PaymentSnapshot) {
	t.Helper()
	require.True(t, seen.Payable || d.mode() == ports.ConfirmAfterApproval)
}

// providerDeclines are the cards that do not work, and why.
var providerDeclines = map[Card]core.FailureCode{
	CardDeclined:          core.FailureCardDeclined,
	CardInsufficientFunds: core.FailureInsufficientFunds,
	CardExpired:           core.FailureExpiredCard,
	CardIncorrectCVC:      core.FailureIncorrectCVC,
	CardProcessingError:   core.FailureProcessingError,
	CardStolen:            core.FailureSuspectedFraud,
}

func providerConfirms(t *testing.T, d *providerDesk) {
	for _, card := range []Card{CardSucceeds, CardDisputed} {
		if !d.far.Has(card) {
			continue
		}
		seen := d.paid(t, core.CaptureAutomatic, card)
		require.Equal(t, core.PaymentSucceeded, seen.Status, card)
		require.Equal(t, seen.Amount, seen.Captured, card)
		require.Equal(t, seen.Amount, seen.Authorized, card)
		require.False(t, seen.Payable, card)
		require.Equal(t, card == CardDisputed, seen.Disputed, card)
		d.requireMethod(t, seen)
		if d.mode() == ports.ConfirmWithSource {
			continue
		}
		session, err := d.provider.OpenPayment(providerContext(t), seen.Ref)
		require.NoError(t, err)
		require.Equal(t, ports.PaymentSession{Snapshot: seen}, session, "there is nothing left to do for the buyer")
	}
	for card, code := range providerDeclines {
		if !d.far.Has(card) {
			continue
		}
		if d.mode() != ports.ConfirmInBrowser {
			d.requireDeclined(t, card, code)
			continue
		}
		seen := d.paid(t, core.CaptureAutomatic, card)
		require.Equal(t, core.PaymentFailed, seen.Status, card)
		require.Equal(t, code, seen.Failure.Code, card)
		require.NotEmpty(t, seen.Failure.ProviderCode, card)
		require.True(t, seen.Captured.IsZero(), card)
		require.True(t, seen.Authorized.IsZero(), card)
	}
	if !d.provider.Capabilities().ManualCapture {
		return
	}
	seen := d.paid(t, core.CaptureManual, CardSucceeds)
	require.Equal(t, core.PaymentAuthorized, seen.Status)
	require.Equal(t, seen.Amount, seen.Authorized)
	require.True(t, seen.Captured.IsZero())
	require.False(t, seen.Payable)
	d.requireMethod(t, seen)
}

// requireDeclined asks for money that does not come. Some providers refuse, others show a
// payment that failed.
func (d *providerDesk) requireDeclined(t *testing.T, card Card, code core.FailureCode) {
	t.Helper()
	seen, err := d.ask(t, newKey(), d.agreed(t, d.request(t, core.CaptureAutomatic), card))
	if err != nil {
		refused := requireRefused(t, err, core.ClassDeclined)
		require.Equal(t, code, refused.Failure().Code, card)
		require.NotEmpty(t, refused.Foreign, card)
		return
	}
	d.requireSound(t, seen)
	require.Equal(t, core.PaymentFailed, seen.Status, card)
	require.Equal(t, code, seen.Failure.Code, card)
	require.True(t, seen.Captured.IsZero(), card)
}

// providerAsks is what a provider does at which our server asks for the money.
func providerAsks(t *testing.T, d *providerDesk) {
	if d.mode() == ports.ConfirmInBrowser {
		t.Skip("not claimed: asking for the money")
	}
	for _, capture := range []core.CaptureMode{core.CaptureAutomatic, core.CaptureManual} {
		if capture == core.CaptureManual && !d.provider.Capabilities().ManualCapture {
			continue
		}
		in := d.agreed(t, d.request(t, capture), CardSucceeds)
		if in.Ref.ID != "" {
			open := d.seen(t, in.Ref)
			require.Equal(t, core.PaymentRequiresAction, open.Status)
			require.True(t, open.Confirmable)
			require.True(t, open.Captured.IsZero())
		}
		before := d.far.Effects(t)
		seen, err := d.ask(t, newKey(), in)
		require.NoError(t, err)
		d.requireSound(t, seen)
		require.Equal(t, in.Payment, seen.Payment)
		require.Equal(t, in.Amount, seen.Amount)
		require.Equal(t, in.Amount, seen.Authorized)
		require.False(t, seen.Payable)
		require.False(t, seen.Confirmable)
		if capture == core.CaptureManual {
			require.Equal(t, core.PaymentAuthorized, seen.Status)
			require.True(t, seen.Captured.IsZero())
		} else {
			require.Equal(t, core.PaymentSucceeded, seen.Status)
			require.Equal(t, in.Amount, seen.Captured)
		}
		require.Equal(t, seen, d.seen(t, seen.Ref))
		require.Equal(t, before+1, d.far.Effects(t))
	}
}

func providerAsksTooEarly(t *testing.T, d *providerDesk) {
	if d.mode() == ports.ConfirmInBrowser {
		t.Skip("not claimed: asking for the money")
	}
	in := ports.ConfirmPayment{CreatePayment: d.request(t, core.CaptureAutomatic), Ref: core.ProviderRef{Account: d.provider.Account(), Kind: core.ObjectPayment}}
	if d.mode() == ports.ConfirmAfterApproval {
		session, err := d.provider.CreatePayment(providerContext(t), newKey(), in.CreatePayment)
		require.NoError(t, err)
		in.Ref = session.Snapshot.Ref
	}
	before := d.far.Effects(t)
	_, err := d.ask(t, newKey(), in)
	requireRefused(t, err, core.ClassInvalid)
	require.Equal(t, before, d.far.Effects(t))
}

// requireMethod holds what may be known of a card and is known of one that paid.
func (d *providerDesk) requireMethod(t *testing.T, seen core.PaymentSnapshot) {
	t.Helper()
	require.NotNil(t, seen.Method)
	require.NotEmpty(t, seen.Method.Type)
	if seen.Method.Type != "card" {
		return
	}
	require.NotEmpty(t, seen.Method.Brand)
	require.Len(t, seen.Method.Last4, 4)
	require.NotZero(t, seen.Method.ExpMonth)
	require.GreaterOrEqual(t, seen.Method.ExpYear, time.Now().Year())
}

func providerAuthenticates(t *testing.T, d *providerDesk) {
	if d.mode() != ports.ConfirmInBrowser {
		t.Skip("not here: the bank asks before our server does")
	}
	if !d.far.Has(Card3DS) {
		t.Skip("not there: a buyer who answers a bank")
	}
	for _, passes := range []bool{true, false} {
		session := d.created(t, core.CaptureAutomatic)
		d.far.Confirm(t, session, Card3DS)
		seen := d.seen(t, session.Snapshot.Ref)
		require.Equal(t, core.PaymentRequiresAction, seen.Status)
		require.True(t, seen.Payable)
		require.True(t, seen.Captured.IsZero())
		d.far.Authenticate(t, session, passes)
		seen = d.seen(t, session.Snapshot.Ref)
		if passes {
			require.Equal(t, core.PaymentSucceeded, seen.Status)
			require.Equal(t, seen.Amount, seen.Captured)
			continue
		}
		require.Equal(t, core.PaymentFailed, seen.Status)
		require.Equal(t, core.FailureAuthenticationRequired, seen.Failure.Code)
	}
}

func providerTriesAgain(t *testing.T, d *providerDesk) {
	if d.mode() != ports.ConfirmInBrowser {
		t.Skip("not here: another try takes another object")
	}
	session := d.created(t, core.CaptureAutomatic)
	d.far.Confirm(t, session, CardDeclined)
	seen := d.seen(t, session.Snapshot.Ref)
	if !seen.Payable {
		return // another try takes another object here
	}
	opened, err := d.provider.OpenPayment(providerContext(t), seen.Ref)
	require.NoError(t, err)
	require.Equal(t, session.Action, opened.Action)
	d.far.Confirm(t, opened, CardSucceeds)
	seen = d.seen(t, seen.Ref)
	require.Equal(t, core.PaymentSucceeded, seen.Status)
	require.Equal(t, seen.Amount, seen.Captured)
}

func (d *providerDesk) requireManual(t *testing.T) {
	t.Helper()
	if !d.provider.Capabilities().ManualCapture {
		t.Skip("not claimed: manual capture")
	}
}

func providerCapturesWhole(t *testing.T, d *providerDesk) {
	d.requireManual(t)
	held := d.paid(t, core.CaptureManual, CardSucceeds)
	before := d.far.Effects(t)
	seen, err := d.provider.CapturePayment(providerContext(t), newKey(), held.Ref, held.Authorized)
	require.NoError(t, err)
	d.requireSound(t, seen)
	require.Equal(t, core.PaymentSucceeded, seen.Status)
	require.Equal(t, held.Amount, seen.Captured)
	require.Equal(t, held.Payment, seen.Payment)
	require.Equal(t, before+1, d.far.Effects(t))
	require.Equal(t, seen, d.seen(t, held.Ref))
}

func providerCapturesPart(t *testing.T, d *providerDesk) {
	d.requireManual(t)
	held := d.paid(t, core.CaptureManual, CardSucceeds)
	part := minor(t, held.Authorized.Minor()-1_00, held.Authorized.Currency())
	before := d.far.Effects(t)
	seen, err := d.provider.CapturePayment(providerContext(t), newKey(), held.Ref, part)
	if !d.provider.Capabilities().PartialCapture {
		requireRefused(t, err, core.ClassInvalid)
		require.Equal(t, before, d.far.Effects(t))
		return
	}
	require.NoError(t, err)
	d.requireSound(t, seen)
	require.Equal(t, core.PaymentSucceeded, seen.Status)
	require.Equal(t, part, seen.Captured)
	require.Equal(t, held.Amount, seen.Authorized, "what was held at its highest")
	require.True(t, seen.Refunded.IsZero(), "what is released was never taken")
	require.Equal(t, before+1, d.far.Effects(t))
	require.Equal(t, seen, d.seen(t, held.Ref))
}

func providerCapturesTooMuch(t *testing.T, d *providerDesk) {
	d.requireManual(t)
	if d.mode() != ports.ConfirmWithSource {
		fresh := d.created(t, core.CaptureManual).Snapshot
		_, err := d.provider.CapturePayment(providerContext(t), newKey(), fresh.Ref, fresh.Amount)
		requireRefused(t, err, core.ClassInvalid)
	}
	held := d.paid(t, core.CaptureManual, CardSucceeds)
	before := d.far.Effects(t)
	for _, amount := range []int64{held.Authorized.Minor() + 1, 0, -1} {
		_, err := d.provider.CapturePayment(providerContext(t), newKey(), held.Ref, minor(t, amount, held.Amount.Currency()))
		requireRefused(t, err, core.ClassInvalid)
	}
	require.Equal(t, before, d.far.Effects(t))
	require.Equal(t, held, d.seen(t, held.Ref))

	taken, err := d.provider.CapturePayment(providerContext(t), newKey(), held.Ref, held.Authorized)
	require.NoError(t, err)
	again, err := d.provider.CapturePayment(providerContext(t), newKey(), held.Ref, held.Authorized)
	if err == nil { // where captures have no key, a second one cannot be told from a repetition
		require.Equal(t, taken, again)
	} else {
		requireRefused(t, err, core.ClassInvalid)
	}
	require.Equal(t, before+1, d.far.Effects(t))
}

// holdLongest is longer than any provider holds money.
const holdLongest = 31 * 24 * time.Hour

func providerRunsOut(t *testing.T, d *providerDesk) {
	d.requireManual(t)
	far, ok := d.far.(Timely)
	if !ok {
		t.Skip("not there: a far end whose time can be moved")
	}
	held := d.paid(t, core.CaptureManual, CardSucceeds)
	far.Elapse(t, holdLongest)
	seen := d.seen(t, held.Ref)
	// Some providers do not tell what ran out from what was given up.
	require.Contains(t, []core.PaymentStatus{core.PaymentExpired, core.PaymentCanceled}, seen.Status)
	require.Equal(t, held.Authorized, seen.Authorized, "what was held at its highest")
	require.True(t, seen.Captured.IsZero())
	require.True(t, seen.Refunded.IsZero(), "what is released was never taken")
	require.False(t, seen.Payable)
	_, err := d.provider.CapturePayment(providerContext(t), newKey(), held.Ref, held.Authorized)
	requireRefused(t, err, core.ClassInvalid)
	require.Equal(t, seen, d.seen(t, held.Ref))
}

func providerCancels(t *testing.T, d *providerDesk) {
	var open []core.PaymentSnapshot
	switch d.mode() {
	case ports.ConfirmInBrowser:
		open = append(open, d.created(t, core.CaptureAutomatic).Snapshot, d.paid(t, core.CaptureAutomatic, CardDeclined))
	case ports.ConfirmAfterApproval:
		// Nothing can be taken without our server, so that giving it up needs no effect.
		seen, err := d.provider.CancelPayment(providerContext(t), newKey(), d.created(t, core.CaptureAutomatic).Snapshot.Ref)
		require.NoError(t, err)
		require.Equal(t, core.PaymentCanceled, seen.Status)
		require.False(t, seen.Payable || seen.Confirmable)
	case ports.ConfirmWithSource:
	}
	if d.provider.Capabilities().ManualCapture {
		open = append(open, d.paid(t, core.CaptureManual, CardSucceeds))
	}
	for _, held := range open {
		before := d.far.Effects(t)
		seen, err := d.provider.CancelPayment(providerContext(t), newKey(), held.Ref)
		require.NoError(t, err)
		d.requireSound(t, seen)
		require.Equal(t, core.PaymentCanceled, seen.Status)
		require.False(t, seen.Payable)
		require.True(t, seen.Captured.IsZero())
		require.True(t, seen.Refunded.IsZero(), "what is released was never taken")
		require.Equal(t, held.Authorized, seen.Authorized, "what was held at its highest")
		require.Equal(t, before+1, d.far.Effects(t))
		require.Equal(t, seen, d.seen(t, held.Ref))
		if d.mode() == ports.ConfirmWithSource {
			continue
		}
		session, err := d.provider.OpenPayment(providerContext(t), held.Ref)
		require.NoError(t, err)
		require.Zero(t, session.Action, "nobody can pay it any more")
	}
}

func providerCancelsTwice(t *testing.T, d *providerDesk) {
	var held core.PaymentSnapshot
	if d.mode() == ports.ConfirmInBrowser {
		held = d.created(t, core.CaptureAutomatic).Snapshot
	} else {
		d.requireManual(t)
		held = d.paid(t, core.CaptureManual, CardSucceeds)
	}
	first, err := d.provider.CancelPayment(providerContext(t), newKey(), held.Ref)
	require.NoError(t, err)
	before := d.far.Effects(t)
	second, err := d.provider.CancelPayment(providerContext(t), newKey(), held.Ref)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Equal(t, before, d.far.Effects(t))
}

func providerCancelsTooLate(t *testing.T, d *providerDesk) {
	taken := d.paid(t, core.CaptureAutomatic, CardSucceeds)
	before := d.far.Effects(t)
	_, err := d.provider.CancelPayment(providerContext(t), newKey(), taken.Ref)
	requireRefused(t, err, core.ClassInvalid)
	require.Equal(t, before, d.far.Effects(t))
	require.Equal(t, taken, d.seen(t, taken.Ref))
}
