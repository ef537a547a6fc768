package portstest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// FakeConfirmer is a [FakeProvider] at which our server asks for the money, in the manner
// of PayPal or Square. It is its own [FarEnd].
type FakeConfirmer struct{ *FakeProvider }

var (
	_ ports.Confirmer       = FakeConfirmer{}
	_ ports.BrowserProvider = FakeConfirmer{}
	_ SourceFarEnd          = FakeConfirmer{}
)

// Confirming makes the fake one at which payments come about in that mode.
func (f *FakeProvider) Confirming(mode ports.ConfirmMode) FakeConfirmer {
	f.SetCapabilities(func(can *ports.Capabilities) { can.Confirm, can.Subscriptions = mode, fakeBilling(mode) })
	return FakeConfirmer{f}
}

// FakeSource is the one-time token of a card.
func FakeSource(card Card) string { return "token:" + string(card) }

// Source implements [SourceFarEnd].
func (f FakeConfirmer) Source(_ testing.TB, card Card, _ core.Money) string { return FakeSource(card) }

// ConfirmPayment implements [ports.Confirmer].
func (f FakeConfirmer) ConfirmPayment(ctx context.Context, key core.OperationKey, in ports.ConfirmPayment) (core.PaymentSnapshot, error) {
	call := FakeCall{Method: "ConfirmPayment", Key: key, Ref: in.Ref, Payment: in.Payment, Amount: in.Amount}
	session, err := f.mutate(ctx, call, fmt.Sprintf("confirm %+v", in), func() (ports.PaymentSession, bool, error) {
		object := f.find(in.Ref.ID)
		if in.Source != "" {
			object = f.fromSource(in)
		}
		switch {
		case object == nil:
			return ports.PaymentSession{}, false, f.missing(in.Ref)
		case object.seen.Status.HoldsMoney():
			return object.session(), false, nil
		case object.card == "" || object.seen.Status == core.PaymentCanceled:
			return ports.PaymentSession{}, false, unexpectedState("fake confirm", in.Ref.ID)
		}
		card := object.card
		object.card, object.seen.Confirmable = "", false
		if code, declined := fakeDeclines[card]; declined {
			if in.Source != "" {
				object.fail(code)
				object.seen.Payable = false
			}
			return ports.PaymentSession{}, false, &core.ProviderError{
				Class: core.ClassDeclined, Code: code, Foreign: string(code), Op: "fake confirm", ObjectID: object.seen.Ref.ID,
			}
		}
		object.confirm(card, f.now())
		f.disputed(object, card)
		return object.session(), true, nil
	})
	return session.Snapshot, err
}

// fromSource makes an object of a token. The lock is held.
func (f FakeConfirmer) fromSource(in ports.ConfirmPayment) *fakeObject {
	object := f.make(in.CreatePayment)
	card, known := strings.CutPrefix(in.Source, FakeSource(""))
	if known {
		object.card = Card(card)
	}
	return object
}

// agree is the buyer, who pays, or at a fake of another manner agrees to pay. The lock is
// held.
func (f *FakeProvider) agree(object *fakeObject, card Card) {
	if !object.approves {
		object.confirm(card, f.now())
		f.disputed(object, card)
		return
	}
	object.card, object.seen.ForeignStatus, object.seen.Confirmable = card, "approved", true
}
