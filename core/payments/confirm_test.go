package payments_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// confirming is a house whose first account leaves it to our server to ask for the money.
func confirming(t *testing.T, mode ports.ConfirmMode) *coretest.House {
	t.Helper()
	h := newHouse(t)
	h.Accounts[coretest.Account] = h.Provider.Confirming(mode)
	return h
}

// attempt starts one at the first account.
func attempt(t *testing.T, h *coretest.House, checkout core.CheckoutID) core.Payment {
	t.Helper()
	started, err := h.Payments.Start(t.Context(), checkout, coretest.Account)
	require.NoError(t, err)
	require.NotEmpty(t, started.Action.Type)
	require.Equal(t, core.PaymentRequiresAction, started.Payment.Status)
	return started.Payment
}

// agreed is what a buyer agrees to, in the manner of the mode: the token to ask with.
func agreed(h *coretest.House, mode ports.ConfirmMode, p core.Payment, card portstest.Card) (source string) {
	if mode == ports.ConfirmWithSource {
		return portstest.FakeSource(card)
	}
	h.Pay(p.ID, card)
	return ""
}

func eachMode(t *testing.T, test func(t *testing.T, h *coretest.House, mode ports.ConfirmMode)) {
	t.Helper()
	for name, mode := range map[string]ports.ConfirmMode{"after approval": ports.ConfirmAfterApproval, "with a source": ports.ConfirmWithSource} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, confirming(t, mode), mode)
		})
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		for _, capture := range []core.CaptureMode{core.CaptureAutomatic, core.CaptureManual} {
			p := attempt(t, h, h.Open(capture).ID)
			source := agreed(h, mode, p, portstest.CardSucceeds)
			calls := h.Provider.CallsOf("ConfirmPayment")
			for range 2 { // the second, for example, by a browser whose first answer was lost
				paid, checkout, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, source)
				require.NoError(t, err)
				require.True(t, paid.Status.HoldsMoney(), paid.Status)
				require.Equal(t, core.CheckoutComplete, checkout.Status)
				require.Equal(t, p.ID, checkout.Payment)
			}
			require.Equal(t, calls+1, h.Provider.CallsOf("ConfirmPayment"))
			op := h.Operation(p.ID, core.OpConfirmPayment)
			require.Equal(t, core.OperationSucceeded, op.Status)
			require.Empty(t, op.Source)
			require.Equal(t, p.Amount, op.Amount)
		}
	})
}

func TestNothingIsAskedBeforeThereIsASource(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmWithSource)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	require.Empty(t, h.Provider.Calls())
	require.Empty(t, h.Operations(p.ID))
	require.Equal(t, []core.EventType{core.EventPaymentRequiresAction}, h.Types(string(p.ID)))
	again := attempt(t, h, p.Checkout)
	require.Equal(t, p.ID, again.ID, "the open attempt goes on")
	require.Equal(t, p.ID, h.Look(p).ID)
	require.Empty(t, h.Provider.Calls())
}

func TestAnApprovalWhoseBrowserIsGone(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmAfterApproval)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	h.Webhook("evt_1", p.ProviderPaymentID)
	h.RunDue()
	require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status, "the browser comes first")
	h.Clock.Advance(10 * time.Second)
	h.RunDue()
	require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
	require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
	require.Equal(t, 1, h.Provider.CallsOf("ConfirmPayment"))
}

func TestALookAsksForWhatTheBuyerAgreedTo(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmAfterApproval)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	require.Equal(t, core.PaymentRequiresAction, h.Look(p).Status)
	require.Zero(t, h.Provider.CallsOf("ConfirmPayment"))
	h.Pay(p.ID, portstest.CardDeclined)
	require.Equal(t, core.PaymentFailed, h.Look(p).Status)
	p = attempt(t, h, p.Checkout)
	h.Pay(p.ID, portstest.CardSucceeds)
	require.Equal(t, core.PaymentSucceeded, h.Look(p).Status)
	require.Equal(t, 2, h.Provider.CallsOf("ConfirmPayment"))
}

func TestTheBrowserIsFasterThanTheWebhook(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmAfterApproval)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardDeclined)
	h.Webhook("evt_1", p.ProviderPaymentID)
	h.RunDue()
	_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, "")
	var refused *core.RefusedError
	require.ErrorAs(t, err, &refused)
	h.RunAll()
	require.Equal(t, 1, h.Provider.CallsOf("ConfirmPayment"), "a decline is not asked for again")
	require.Empty(t, h.Store.GivenUp())
}

func TestADeclinedConfirmation(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		checkout := h.Open(core.CaptureAutomatic)
		first := attempt(t, h, checkout.ID)
		source := agreed(h, mode, first, portstest.CardInsufficientFunds)
		failed, _, err := h.Payments.Confirm(t.Context(), checkout.ID, first.ID, source)
		var refused *core.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, core.FailureInsufficientFunds, refused.Failure.Code)
		require.Equal(t, core.PaymentFailed, failed.Status)
		require.Equal(t, core.FailureInsufficientFunds, failed.Failure.Code)
		require.NotEmpty(t, failed.ProviderPaymentID)

		second := attempt(t, h, checkout.ID)
		require.NotEqual(t, first.ID, second.ID)
		source = agreed(h, mode, second, portstest.CardSucceeds)
		paid, _, err := h.Payments.Confirm(t.Context(), checkout.ID, second.ID, source)
		require.NoError(t, err)
		require.Equal(t, core.PaymentSucceeded, paid.Status)
		h.RunAll()
		require.False(t, h.Payment(first.ID).Status.HoldsMoney())
		require.Equal(t, second.ID, h.Checkout(checkout.ID).Payment)
		require.Empty(t, h.Store.GivenUp())
	})
}

func TestConfirmationsOutOfPlace(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmAfterApproval)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	other := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, "a token")
	require.ErrorIs(t, err, core.ErrPaymentNotOpen)
	_, _, err = h.Payments.Confirm(t.Context(), other.Checkout, p.ID, "")
	require.ErrorIs(t, err, ports.ErrNotFound)
	require.Zero(t, h.Provider.CallsOf("ConfirmPayment"))

	var refused *core.RefusedError
	for range 10 {
		_, _, err = h.Payments.Confirm(t.Context(), p.Checkout, p.ID, "")
		require.ErrorAs(t, err, &refused, "not agreed to")
		require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status)
	}
	_, _, err = h.Payments.Confirm(t.Context(), p.Checkout, p.ID, "")
	require.ErrorIs(t, err, core.ErrTooManyAttempts)

	_, err = h.Payments.Cancel(t.Context(), other.ID, "", core.Cause{Kind: core.CauseAPI})
	require.NoError(t, err)
	_, _, err = h.Payments.Confirm(t.Context(), other.Checkout, other.ID, "")
	require.ErrorIs(t, err, core.ErrPaymentNotOpen)
	require.Equal(t, 10, h.Provider.CallsOf("ConfirmPayment"))

	stripe := h.Open(core.CaptureAutomatic)
	started, err := h.Payments.Start(t.Context(), stripe.ID, coretest.OtherAccount)
	require.NoError(t, err)
	_, _, err = h.Payments.Confirm(t.Context(), stripe.ID, started.Payment.ID, "")
	require.ErrorIs(t, err, core.ErrPaymentNotOpen, "that one is confirmed in the browser")
}

func TestAnUnansweredConfirmationIsSettledWithOneEffect(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*coretest.House){
		"done":     func(h *coretest.House) { h.Provider.FailNextAfterCommit(portstest.NoAnswer()) },
		"not done": func(h *coretest.House) { h.Provider.FailNext(portstest.NoAnswer()) },
	} {
		for then, settle := range map[string]func(*testing.T, *coretest.House, core.Payment, string){
			"by repair": func(_ *testing.T, h *coretest.House, _ core.Payment, _ string) {
				h.Clock.Advance(time.Minute)
				h.RunDue()
			},
			"by the browser": func(t *testing.T, h *coretest.House, p core.Payment, _ string) {
				t.Helper()
				_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, sourceLike(h, p, "token:another"))
				require.NoError(t, err)
			},
			"by a look": func(t *testing.T, h *coretest.House, p core.Payment, _ string) {
				t.Helper()
				h.Look(p)
			},
		} {
			t.Run(name+", "+then, func(t *testing.T) {
				t.Parallel()
				eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
					p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
					source := agreed(h, mode, p, portstest.CardSucceeds)
					before := h.Provider.Effects(t)
					lose(h)
					_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, source)
					require.ErrorIs(t, err, core.ErrPaymentInProgress)
					op := h.Operation(p.ID, core.OpConfirmPayment)
					require.Equal(t, core.OperationUnknown, op.Status)
					require.Equal(t, source, op.Source, "kept to be sent again")
					settle(t, h, p, source)
					require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
					require.Equal(t, before+1, h.Provider.Effects(t))
					require.Empty(t, h.Operation(p.ID, core.OpConfirmPayment).Source)
				})
			})
		}
	}
}

// sourceLike is a token where the mode wants one.
func sourceLike(h *coretest.House, p core.Payment, token string) string {
	if h.Accounts[p.Account].Capabilities().Confirm == ports.ConfirmWithSource {
		return token
	}
	return ""
}

func TestALostConfirmationIsFoundByReference(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmWithSource)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, portstest.FakeSource(portstest.CardSucceeds))
	require.ErrorIs(t, err, core.ErrPaymentInProgress)
	h.Clock.Advance(48 * time.Hour) // the key is forgotten
	h.RunDue()
	require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
	require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpConfirmPayment).Status)
	require.Equal(t, 1, h.Provider.CallsOf("ConfirmPayment"))
}

// A token that was used already would be declined, though its first use took the money.
func TestARepeatedConfirmationIsNotSentOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	h := confirming(t, ports.ConfirmWithSource)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, portstest.FakeSource(portstest.CardSucceeds))
	require.ErrorIs(t, err, core.ErrPaymentInProgress)
	h.Clock.Advance(25 * time.Hour)
	p, _, err = h.Payments.Confirm(t.Context(), p.Checkout, p.ID, portstest.FakeSource(portstest.CardSucceeds))
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, p.Status)
	require.Equal(t, 1, h.Provider.CallsOf("ConfirmPayment"))
}

func TestAnAttemptThatWasNeverSentIsGivenUpWithoutACall(t *testing.T) {
	t.Parallel()
	for name, giveUp := range map[string]func(*testing.T, *coretest.House, core.Payment) error{
		"another account": func(t *testing.T, h *coretest.House, p core.Payment) error {
			t.Helper()
			_, err := h.Payments.Start(t.Context(), p.Checkout, coretest.OtherAccount)
			return err
		},
		"expired": func(t *testing.T, h *coretest.House, p core.Payment) error {
			t.Helper()
			_, err := h.Payments.ExpireCheckout(t.Context(), p.Checkout, core.Cause{Kind: core.CauseAPI})
			return err
		},
		"canceled": func(t *testing.T, h *coretest.House, p core.Payment) error {
			t.Helper()
			_, err := h.Payments.Cancel(t.Context(), p.ID, "", core.Cause{Kind: core.CauseAPI})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := confirming(t, ports.ConfirmWithSource)
			p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
			require.NoError(t, giveUp(t, h, p))
			require.Equal(t, core.PaymentCanceled, h.Payment(p.ID).Status)
			require.NotEqual(t, p.ID, h.Checkout(p.Checkout).LeasedPayment())
			require.Empty(t, h.Provider.Calls())
			_, _, err := h.Payments.Confirm(t.Context(), p.Checkout, p.ID, portstest.FakeSource(portstest.CardSucceeds))
			require.ErrorIs(t, err, core.ErrPaymentNotOpen, "a token that comes too late")
			require.Empty(t, h.Provider.Calls())
		})
	}
}

func TestConfirmedTwiceAtOnceIsPaidOnce(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
		source := agreed(h, mode, p, portstest.CardSucceeds)
		before := h.Provider.Effects(t)
		var all sync.WaitGroup
		failed := make([]error, 12)
		for n := range failed {
			all.Go(func() { _, _, failed[n] = h.Payments.Confirm(t.Context(), p.Checkout, p.ID, source) })
		}
		all.Wait()
		for _, err := range failed {
			if err != nil && !errors.Is(err, core.ErrPaymentInProgress) && !errors.Is(err, core.ErrPaymentNotOpen) {
				require.NoError(t, err)
			}
		}
		h.RunAll()
		require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
		require.Equal(t, before+1, h.Provider.Effects(t))
		confirms := 0
		for _, op := range h.Operations(p.ID) {
			if op.Kind == core.OpConfirmPayment {
				confirms++
			}
		}
		require.Equal(t, 1, confirms)
	})
}

// A provider that forgets what nobody agreed to keeps neither the buyer from paying nor the
// checkout from ending: without our server nobody could take that money.
func TestWhatTheProviderForgot(t *testing.T) {
	t.Parallel()
	canceled := func(t *testing.T, h *coretest.House, p core.Payment) {
		t.Helper()
		require.Equal(t, core.PaymentCanceled, h.Payment(p.ID).Status)
		require.Equal(t, []core.EventType{core.EventPaymentRequiresAction, core.EventPaymentCanceled}, h.Types(string(p.ID)))
	}
	for name, test := range map[string]func(*testing.T, *coretest.House, core.Payment){
		"another try at the same account": func(t *testing.T, h *coretest.House, p core.Payment) {
			again := attempt(t, h, p.Checkout)
			require.NotEqual(t, p.ID, again.ID)
			canceled(t, h, p)
		},
		"the checkout expires": func(t *testing.T, h *coretest.House, p core.Payment) {
			checkout, err := h.Payments.ExpireCheckout(t.Context(), p.Checkout, core.Cause{Kind: core.CauseTimer})
			require.NoError(t, err)
			require.Equal(t, core.CheckoutExpired, checkout.Status)
			canceled(t, h, p)
		},
		"the shop cancels it": func(t *testing.T, h *coretest.House, p core.Payment) {
			given, err := h.Payments.Cancel(t.Context(), p.ID, "", core.Cause{Kind: core.CauseStaff})
			require.NoError(t, err)
			require.Equal(t, core.PaymentCanceled, given.Status)
			canceled(t, h, p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := confirming(t, ports.ConfirmAfterApproval)
			p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
			h.Provider.Forget(p.ID)
			test(t, h, p)
		})
	}

	// Where buyers pay without our server, an object that is gone may be one at an account
	// that is configured no more.
	h := newHouse(t)
	p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
	h.Provider.Forget(p.ID)
	_, err := h.Payments.ExpireCheckout(t.Context(), p.Checkout, core.Cause{Kind: core.CauseTimer})
	require.Error(t, err)
	require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status)
}

// What a buyer only agreed to cannot be canceled at some providers, so that no look ever shows that it
// was. Our own record has to keep it from being asked for, also where the first answer was lost.
func TestACanceledAgreementIsNeverAskedFor(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, h *coretest.House){
		"an answer at once": func(*testing.T, *coretest.House) {},
		"a lost answer":     func(_ *testing.T, h *coretest.House) { h.Provider.FailNextAfterCommit(portstest.NoAnswer()) },
		"a refused call":    func(t *testing.T, h *coretest.House) { t.Helper(); h.Provider.Fault(t, portstest.FaultError429) },
		"a look that fails": func(_ *testing.T, h *coretest.House) {
			h.Provider.FailNextAfterCommit(portstest.NoAnswer())
			h.Provider.OnCall(func(_ context.Context, call portstest.FakeCall) {
				if call.Method == "CancelPayment" && h.Provider.CallsOf("CancelPayment") == 2 {
					h.Provider.FailNext(portstest.NoAnswer())
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := confirming(t, ports.ConfirmAfterApproval)
			h.Provider.KeepAgreements()
			p := attempt(t, h, h.Open(core.CaptureAutomatic).ID)
			h.Pay(p.ID, portstest.CardSucceeds)
			h.Webhook("evt_1", p.ProviderPaymentID)
			h.RunDue() // a job will ask for the money by itself
			lose(t, h)
			_, _ = h.Payments.Cancel(t.Context(), p.ID, "cancel", byAPI)
			h.Clock.Advance(time.Minute)
			_, _ = h.Payments.Cancel(t.Context(), p.ID, "cancel", byAPI)
			h.RunAll()
			require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCancelPayment).Status)
			require.Equal(t, core.PaymentCanceled, h.Payment(p.ID).Status)
			require.Zero(t, h.Provider.CallsOf("ConfirmPayment"), "the storefront was told that it is canceled")
			require.Empty(t, h.Store.GivenUp())
			require.Empty(t, h.Checkout(p.Checkout).Lease)
		})
	}
}
