package refunds_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func eachHouse(t *testing.T, test func(t *testing.T, h *coretest.House)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) { test(t, coretest.New(t, open(t))) })
}

var byAPI = core.Cause{Kind: core.CauseAPI, Actor: "key_1"}

func of(p core.Payment, minor int64) refunds.Create {
	return refunds.Create{Payment: p.ID, Amount: &minor, Cause: byAPI}
}

func create(t *testing.T, h *coretest.House, in refunds.Create) core.Refund {
	t.Helper()
	refund, err := h.Refunds.Create(t.Context(), in)
	require.NoError(t, err)
	return refund
}

func stored(t *testing.T, h *coretest.House, id core.RefundID) core.Refund {
	t.Helper()
	refund, err := h.Refunds.Get(t.Context(), id)
	require.NoError(t, err)
	return refund
}

func operation(t *testing.T, h *coretest.House, id core.RefundID) core.Operation {
	t.Helper()
	list, err := h.Store.SubjectOperations(t.Context(), string(id))
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

func TestARefund(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Paid()
		in := of(p, 400)
		in.Reason, in.Metadata, in.RequestKey = core.RefundRequested, map[string]string{"rma": "r-1"}, "key"
		refund := create(t, h, in)
		require.Equal(t, core.RefundSucceeded, refund.Status)
		require.Equal(t, core.OriginHere, refund.Origin)
		require.Equal(t, int64(400), refund.Amount.Minor())
		require.NotEmpty(t, refund.ProviderRefundID)
		require.Equal(t, refund, stored(t, h, refund.ID))
		require.Equal(t, int64(400), h.Payment(p.ID).AmountRefunded.Minor())
		require.Equal(t, []core.EventType{core.EventRefundSucceeded}, h.Types(string(refund.ID)))
		require.Equal(t, core.OperationSucceeded, operation(t, h, refund.ID).Status)

		require.Equal(t, refund, create(t, h, in), "once under one key")
		rest := create(t, h, refunds.Create{Payment: p.ID, Cause: byAPI})
		require.Equal(t, int64(600), rest.Amount.Minor(), "all that is left")
		require.Equal(t, core.RefundOther, rest.Reason)
		require.True(t, h.Payment(p.ID).Refundable().IsZero())
		_, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, Cause: byAPI})
		require.ErrorIs(t, err, core.ErrAmountNotAvailable)

		page, err := h.Refunds.List(t.Context(), ports.RefundFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []core.Refund{rest, refund}, page.Items)
		_, err = h.Refunds.List(t.Context(), ports.RefundFilter{Payment: "pay_missing"}, core.PageRequest{Limit: 10})
		require.ErrorIs(t, err, ports.ErrNotFound)
		var kinds []core.TimelineKind
		for _, entry := range h.Timeline(p.ID) {
			if entry.Subject == string(refund.ID) {
				kinds = append(kinds, entry.Kind)
			}
		}
		require.Equal(t, []core.TimelineKind{core.TimelineCreated, core.TimelineOperation, core.TimelineOperation, core.TimelineObservation}, kinds)
	})
}

func TestWhatCannotBeRefunded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	paid, held, asked := h.Paid(), h.Authorized(), h.Paid()
	h.Provider.OpenDispute(t, asked.ID, false)
	_, err := h.Observe.Sync(t.Context(), asked.Ref(), byAPI)
	require.NoError(t, err)
	before := h.Provider.Effects(t)
	dollars := of(paid, 1)
	dollars.Currency = "USD"
	for name, c := range map[string]struct {
		in   refunds.Create
		want error
	}{
		"more than was taken": {of(paid, coretest.Price+1), core.ErrAmountNotAvailable},
		"another currency":    {dollars, core.ErrCurrencyOther},
		"not captured":        {of(held, 1), core.ErrPaymentNotOpen},
		"disputed":            {of(asked, 1), core.ErrPaymentDisputed},
		"not there":           {refunds.Create{Payment: "pay_missing"}, ports.ErrNotFound},
	} {
		_, err := h.Refunds.Create(t.Context(), c.in)
		require.ErrorIs(t, err, c.want, name)
	}
	for field, change := range map[string]func(*refunds.Create){
		"amount":      func(in *refunds.Create) { *in.Amount = 0 },
		"reason":      func(in *refunds.Create) { in.Reason = "mood" },
		"currency":    func(in *refunds.Create) { in.Currency = "XXQ" },
		"metadata":    func(in *refunds.Create) { in.Metadata = map[string]string{"": "x"} },
		"metadata.rm": func(in *refunds.Create) { in.Metadata = map[string]string{"rm": "\x00"} },
	} {
		in := of(paid, 1)
		change(&in)
		_, err := h.Refunds.Create(t.Context(), in)
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Refund = false })
	_, err = h.Refunds.Create(t.Context(), of(paid, 1))
	require.ErrorIs(t, err, core.ErrNotSupported)
	require.Equal(t, before, h.Provider.Effects(t))
	page, err := h.Refunds.List(t.Context(), ports.RefundFilter{}, core.PageRequest{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, page.Items, "nothing was stored")
}

func TestARefundThatTakesItsTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SlowRefunds()
	p := h.Paid()
	refund := create(t, h, of(p, 400))
	require.Equal(t, core.RefundPending, refund.Status)
	require.Equal(t, []core.EventType{core.EventRefundPending}, h.Types(string(refund.ID)))
	require.True(t, h.Payment(p.ID).AmountRefunded.IsZero(), "not given back yet")
	_, err := h.Refunds.Create(t.Context(), of(p, 601))
	require.ErrorIs(t, err, core.ErrAmountNotAvailable, "but reserved")
	require.Equal(t, 1, h.Provider.CallsOf("GetRefund"), "looked at before it is said that too little is left")

	h.RunAll() // the first look finds nothing new
	require.Equal(t, 2, h.Provider.CallsOf("GetRefund"))
	h.Clock.Advance(5 * time.Hour)
	h.Sweep()
	require.Equal(t, 3, h.Provider.CallsOf("GetRefund"))
	h.Clock.Advance(4 * time.Hour)
	h.Sweep()
	require.Equal(t, 3, h.Provider.CallsOf("GetRefund"), "seen not long ago")
	h.Clock.Advance(2 * time.Hour)
	h.Provider.EndRefund(t, refund.ProviderRefundID, portstest.RefundSucceeds)
	h.Sweep()
	h.Sweep()
	require.Equal(t, 4, h.Provider.CallsOf("GetRefund"))
	require.Equal(t, core.RefundSucceeded, stored(t, h, refund.ID).Status)
	require.Equal(t, int64(400), h.Payment(p.ID).AmountRefunded.Minor())

	h.Provider.EndRefund(t, refund.ProviderRefundID, portstest.RefundFails)
	h.WebhookOf("evt_1", core.ObjectRefund, refund.ProviderRefundID)
	h.RunAll()
	refund = stored(t, h, refund.ID)
	require.Equal(t, core.RefundFailed, refund.Status)
	require.Equal(t, core.FailureRefundFailed, refund.Failure.Code)
	require.True(t, h.Payment(p.ID).AmountRefunded.IsZero(), "a bank sent it back")
	require.Equal(t, []core.EventType{core.EventRefundPending, core.EventRefundSucceeded, core.EventRefundFailed}, h.Types(string(refund.ID)))
	create(t, h, of(p, coretest.Price))
	require.Zero(t, h.Odd.Of(core.ObjectRefund))
}

func TestAProviderThatSaysNo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "charge_disputed", Op: "fake refund"})
	in := of(p, 400)
	in.RequestKey = "key"
	for range 2 {
		refund, err := h.Refunds.Create(t.Context(), in)
		var refused *core.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, core.RefundFailed, refund.Status)
		require.Equal(t, "charge_disputed", refund.Failure.ProviderCode)
		require.Equal(t, []core.EventType{core.EventRefundFailed}, h.Types(string(refund.ID)))
	}
	create(t, h, of(p, coretest.Price))
	require.Equal(t, 2, h.Provider.CallsOf("RefundPayment"))
}

// Whatever happens to the call, the same key leads to one refund.
func TestNoAnswerIsSettledLater(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*coretest.House){
		"not done":          func(h *coretest.House) { h.Provider.FailNext(portstest.NoAnswer()) },
		"done and not told": func(h *coretest.House) { h.Provider.FailNextAfterCommit(portstest.NoAnswer()) },
		"done without name": func(h *coretest.House) {
			h.Provider.NamelessRefunds()
			h.Provider.FailNextAfterCommit(portstest.NoAnswer())
		},
		"died before the answer was stored": func(h *coretest.House) { h.Store.CrashNext(1, false) },
		"died when it was":                  func(h *coretest.House) { h.Store.CrashNext(1, true) },
	} {
		for _, forgotten := range []bool{false, true} {
			t.Run(fmt.Sprint(name, forgotten), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				p := h.Paid()
				trouble(h)
				refund, err := h.Refunds.Create(t.Context(), of(p, 400))
				if !errors.Is(err, coretest.ErrCrashed) {
					require.NoError(t, err)
					require.Equal(t, core.RefundPending, refund.Status)
				}
				if forgotten && name != "not done" {
					h.Clock.Advance(25 * time.Hour) // the provider's keys are gone
				}
				h.RunAll()
				page, err := h.Refunds.List(t.Context(), ports.RefundFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
				require.NoError(t, err)
				require.Len(t, page.Items, 1)
				refund = page.Items[0]
				require.Equal(t, core.RefundSucceeded, refund.Status)
				require.Equal(t, core.OperationSucceeded, operation(t, h, refund.ID).Status)
				require.Equal(t, int64(400), h.Payment(p.ID).AmountRefunded.Minor())
				seen, _ := h.Provider.Object(p.ID)
				require.Equal(t, int64(400), seen.Refunded.Minor())
				require.Equal(t, []core.EventType{core.EventRefundSucceeded}, h.Types(string(refund.ID)), "told once")
				require.Empty(t, h.Store.GivenUp())
			})
		}
	}
}

// What was never done and whose key is forgotten stays for staff, and keeps its amount.
func TestWhatCannotBeSettledStaysUnknown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	h.Provider.FailNext(portstest.NoAnswer())
	refund := create(t, h, of(p, 400))
	h.Clock.Advance(25 * time.Hour)
	h.RunAll()
	require.Equal(t, core.OperationUnknown, operation(t, h, refund.ID).Status)
	require.Equal(t, core.RefundPending, stored(t, h, refund.ID).Status)
	_, err := h.Refunds.Create(t.Context(), of(p, 601))
	require.ErrorIs(t, err, core.ErrAmountNotAvailable)
	require.NotEmpty(t, h.Store.GivenUp())
}

// A storefront that comes back late with the same call must not have the money go back twice.
func TestARepeatedCallIsNotSentOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*coretest.House){
		"not done":          func(h *coretest.House) { h.Provider.FailNext(portstest.NoAnswer()) },
		"done and not told": func(h *coretest.House) { h.Provider.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			in := of(h.Paid(), 400)
			in.RequestKey = "key"
			trouble(h)
			first := create(t, h, in)
			h.Clock.Advance(25 * time.Hour)
			again := create(t, h, in)
			require.Equal(t, first.ID, again.ID)
			require.Equal(t, 1, h.Provider.CallsOf("RefundPayment"))
			want := core.RefundPending
			if name == "done and not told" {
				want = core.RefundSucceeded
			}
			require.Equal(t, want, again.Status)
		})
	}
}

// What was surely never done must not keep its amount for ever.
func TestARefundThatNeverWentOutFreesItsAmount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	h.Provider.Fault(t, portstest.FaultError429)
	_, err := h.Refunds.Create(t.Context(), of(p, 400))
	require.Error(t, err)
	h.Clock.Advance(25 * time.Hour) // nobody was there to try again
	h.RunAll()
	page, err := h.Refunds.List(t.Context(), ports.RefundFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, core.RefundFailed, page.Items[0].Status)
	require.Equal(t, 1, h.Provider.CallsOf("RefundPayment"))
	require.Equal(t, core.RefundSucceeded, create(t, h, of(p, coretest.Price)).Status)
	require.Empty(t, h.Store.GivenUp())
}

// Once the repair has used up its tries, the sweep goes on: a refund must not wait for ever.
func TestASweepSettlesWhatNobodyRepairs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	h.Provider.SetCapabilities(func(c *ports.Capabilities) { c.KeyKept = 30 * 24 * time.Hour })
	for range 20 {
		h.Provider.Fault(t, portstest.FaultError429)
	}
	_, err := h.Refunds.Create(t.Context(), of(p, 400))
	require.Error(t, err)
	h.RunAll()
	require.NotEmpty(t, h.Store.GivenUp())
	h.Provider.ClearFaults()
	h.Clock.Advance(7 * time.Hour)
	h.Sweep()
	page, err := h.Refunds.List(t.Context(), ports.RefundFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, core.RefundSucceeded, page.Items[0].Status)
}

// A refund that cannot be looked at lets others have their turn.
func TestARefundThatCannotBeSeenRests(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SlowRefunds()
	create(t, h, of(h.Paid(), 400))
	h.Clock.Advance(24 * time.Hour)
	h.Provider.FailNext(portstest.NoAnswer())
	h.Sweep()
	calls := h.Provider.CallsOf("GetRefund")
	require.NotZero(t, calls)
	h.Sweep()
	require.Equal(t, calls, h.Provider.CallsOf("GetRefund"))
}

// A call that did not go out can be made again under its key.
func TestARefundThatWasNotSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	h.Provider.Fault(t, portstest.FaultError429)
	in := of(p, 400)
	in.RequestKey = "key"
	_, err := h.Refunds.Create(t.Context(), in)
	var away *core.ProviderError
	require.ErrorAs(t, err, &away)
	require.Equal(t, core.RefundSucceeded, create(t, h, in).Status)
	require.Equal(t, int64(400), h.Payment(p.ID).AmountRefunded.Minor())
}

// racersCount refunds of parts of one payment are asked for at the same time.
const racersCount = 100

func TestAHundredAtOnceNeverExceedWhatWasTaken(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Paid()
		errs := make([]error, racersCount)
		var racers sync.WaitGroup
		for n := range racersCount {
			racers.Go(func() {
				in := of(p, 10+int64(n%7)*10)
				in.RequestKey = core.RequestKey(fmt.Sprint("key ", n/2)) // every second one is a repeat
				if n%5 == 0 {
					h.Provider.Fault(t, portstest.FaultTimeoutAfterCommit)
				}
				_, errs[n] = h.Refunds.Create(t.Context(), in)
			})
		}
		racers.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, core.ErrAmountNotAvailable) {
				require.ErrorIs(t, err, core.ErrOperationOpen)
			}
		}
		h.RunAll()
		require.Empty(t, h.Store.GivenUp())
		all, err := h.Store.PaymentRefunds(t.Context(), p.ID)
		require.NoError(t, err)
		sums, err := core.SumRefunds(all, "EUR")
		require.NoError(t, err)
		seen, _ := h.Provider.Object(p.ID)
		require.Equal(t, seen.Refunded, sums.Succeeded, "here and there alike")
		require.Equal(t, seen.Refunded, h.Payment(p.ID).AmountRefunded)
		require.LessOrEqual(t, sums.Reserved.Minor(), coretest.Price)
		require.Greater(t, sums.Reserved.Minor(), coretest.Price-80, "as much as fits")
		for _, refund := range all {
			require.Equal(t, core.RefundSucceeded, refund.Status, refund.Failure)
			require.Equal(t, 1, h.Provider.EffectsOf(operation(t, h, refund.ID).Key()))
			require.Equal(t, []core.EventType{core.EventRefundSucceeded}, h.Types(string(refund.ID)))
		}
	})
}
