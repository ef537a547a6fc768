package record_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

func TestAnEventIsToldToThoseWhoWantIt(t *testing.T) {
	t.Parallel()
	h := coretest.New(t, repotest.SQLite(t))
	for _, types := range [][]core.EventType{nil, {core.EventPaymentFailed}, {core.EventCheckoutExpired}} {
		_, err := h.Notify.Add(t.Context(), "https://shop.example", types)
		require.NoError(t, err)
	}
	checkout := h.Open(core.CaptureAutomatic)
	p := core.NewPayment("pay_1", checkout, coretest.Account, core.ProviderStripe, h.Clock.Now())
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		if err := h.Record.Payment(ctx, tx, p); err != nil {
			return err
		}
		return h.Record.Checkout(ctx, tx, core.EventCheckoutExpired, checkout)
	}))
	told, err := h.Store.Notifications(t.Context(), ports.NotificationFilter{}, core.PageRequest{Limit: 10})
	require.NoError(t, err)
	require.Len(t, told.Items, 3, "one for the payment, two for the checkout")
	event := h.Events("pay_1")[0]
	require.Equal(t, core.EventType("payment.processing"), event.Type)
	require.JSONEq(t, string(view.JSON(view.OfPayment(p))), string(event.Data))
	require.Equal(t, []core.EventType{core.EventCheckoutExpired}, h.Types(string(checkout.ID)))
}

func TestEntriesSayWhereAPaymentStands(t *testing.T) {
	t.Parallel()
	h := coretest.New(t, repotest.SQLite(t))
	p := core.Payment{ID: "pay_1", Status: core.PaymentAuthorized}
	cause := core.Cause{Kind: core.CauseStaff, Actor: "usr_1"}
	entry := h.Record.Operation(t.Context(), core.Operation{ID: "op_1", Payment: p.ID, Subject: string(p.ID), Kind: core.OpCapturePayment, Status: core.OperationUnknown}, string(p.Status), cause)
	require.NotEmpty(t, entry.ID)
	entry.ID = ""
	require.Equal(t, core.TimelineEntry{
		Payment: "pay_1", Subject: "pay_1", Kind: core.TimelineOperation, Cause: cause, Operation: "op_1", Status: "unknown", Note: "capture_payment",
		From: string(core.PaymentAuthorized), To: string(core.PaymentAuthorized), At: h.Clock.Now(),
	}, entry)
}
