package graph_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// failedEvent is a message about a payment that was given up.
func failedEvent(t *testing.T, d *desk, p core.Payment) core.InboundID {
	t.Helper()
	d.world.Webhook("evt_failed", p.ProviderPaymentID)
	jobs := d.world.Store.Jobs(ports.JobSyncInbound)
	id := jobs[len(jobs)-1].Inbound
	require.NoError(t, d.world.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		return tx.SetInboundStatus(ctx, id, core.InboundFailed, "given up: provider: invalid", d.world.Clock.Now())
	}))
	return id
}

// reviewed is a payment of which the provider took less than was asked for.
func reviewed(t *testing.T, d *desk) core.Payment {
	t.Helper()
	p := d.world.Start(d.world.Open(core.CaptureAutomatic).ID)
	d.world.Pay(p.ID, portstest.CardSucceeds)
	less, err := core.NewMoney(999, p.Amount.Currency())
	require.NoError(t, err)
	require.True(t, d.world.Provider.Set(p.ID, func(seen *core.PaymentSnapshot) {
		seen.Amount, seen.Authorized, seen.Captured = less, less, less
	}))
	p = d.world.Look(p)
	require.Equal(t, core.PaymentNeedsReview, p.Status)
	return p
}

func TestStaffResolveAReview(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := reviewed(t, d)
		input := map[string]any{"paymentId": p.ID, "resolution": "DECLINE"}
		dry := d.done(t, core.RoleFinance, "paymentReviewResolve", "preview { stateAfter providerCall }", map[string]any{"paymentId": p.ID, "resolution": "DECLINE", "dryRun": true})
		require.Equal(t, map[string]any{"stateAfter": "FAILED", "providerCall": nil}, dry.at(t, "paymentReviewResolve.preview"))
		require.Equal(t, "INVALID_PAYMENT_STATE", d.refused(t, core.RoleFinance, "paymentReviewResolve", input), "the provider has money of it")
		input["resolution"] = "ACCEPT"
		got := d.done(t, core.RoleFinance, "paymentReviewResolve", "payment { status review amountCaptured { minor } }", input)
		require.Equal(t, map[string]any{"status": "SUCCEEDED", "review": "AMOUNT_MISMATCH", "amountCaptured": map[string]any{"minor": 999.0}}, got.at(t, "paymentReviewResolve.payment"))
		require.Equal(t, "INVALID_PAYMENT_STATE", d.refused(t, core.RoleFinance, "paymentReviewResolve", input))
		input["dryRun"] = true
		require.Equal(t, "INVALID_PAYMENT_STATE", d.refused(t, core.RoleFinance, "paymentReviewResolve", input))
		row := d.audit(t)[len(d.audit(t))-1]
		require.JSONEq(t, `{"status":"needs_review","review":"amount_mismatch"}`, row.Before)
		require.JSONEq(t, `{"status":"succeeded","resolution":"accept"}`, row.After)
	})
}

func TestDisputesHaveAnOwner(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := disputed(t, d)
		id, _ := input["disputeId"].(core.DisputeID)
		for role, why := range map[core.Role]string{core.RoleViewer: "may not answer disputes", core.RoleSupport: "nor may SUPPORT"} {
			input["ownerId"] = d.staff[role].ID
			require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleFinance, "disputeAssign", input), why)
		}
		input["ownerId"] = newID[core.StaffID]()
		require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleFinance, "disputeAssign", input))
		input["ownerId"] = d.staff[core.RoleFinance].ID
		got := d.done(t, core.RoleFinance, "disputeAssign", "dispute { id ownerId ownerEmail }", input)
		require.Equal(t, map[string]any{"id": string(id), "ownerId": string(d.staff[core.RoleFinance].ID), "ownerEmail": "finance@shop.example"}, got.at(t, "disputeAssign.dispute"))
		mine := d.ask(t, core.RoleFinance, `query($owner: ID) { disputes(filter: {owner: $owner}) { nodes { id } } }`, map[string]any{"owner": d.staff[core.RoleFinance].ID})
		require.Len(t, mine.at(t, "disputes.nodes"), 1)
		others := d.ask(t, core.RoleFinance, `query($owner: ID) { disputes(filter: {owner: $owner}) { nodes { id } } }`, map[string]any{"owner": d.staff[core.RoleAdmin].ID})
		require.Empty(t, others.at(t, "disputes.nodes"))
		masked := d.ask(t, core.RoleViewer, `{ disputes { nodes { ownerEmail } } }`, nil)
		require.NotContains(t, masked.Body, "finance@shop.example")

		owned, err := d.world.Store.Dispute(t.Context(), id)
		require.NoError(t, err)
		d.world.Told("evt_dispute", core.ObjectDispute, owned.ProviderDisputeID)
		owned, err = d.world.Store.Dispute(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, d.staff[core.RoleFinance].ID, owned.Owner, "a look takes it from nobody")
		delete(input, "ownerId")
		got = d.done(t, core.RoleAdmin, "disputeAssign", "dispute { ownerId ownerEmail }", input)
		require.Equal(t, map[string]any{"ownerId": nil, "ownerEmail": nil}, got.at(t, "disputeAssign.dispute"))
	})
}

func TestNotesOfStaff(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		for _, bad := range []string{" ", "\x00"} {
			input := map[string]any{"paymentId": p.ID, "text": bad}
			require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleSupport, "noteAdd", input), "%q", bad)
		}
		card := d.mutate(t, core.RoleSupport, "noteAdd", "", map[string]any{"paymentId": p.ID, "text": "her card is 4242 4242 4242 4242"})
		require.Equal(t, "BAD_USER_INPUT", card.code(t))
		require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleSupport, "noteAdd", map[string]any{"paymentId": newID[core.PaymentID](), "text": "x"}))
		input := map[string]any{"paymentId": p.ID, "text": " Ada called.\r\nShe wants tea. ", "idempotencyKey": "once"}
		first := d.done(t, core.RoleSupport, "noteAdd", "note { id kind text cause { kind actor } }", input)
		again := d.done(t, core.RoleSupport, "noteAdd", "note { id kind text cause { kind actor } }", input)
		require.Equal(t, first.at(t, "noteAdd.note"), again.at(t, "noteAdd.note"))
		require.Equal(t, "NOTE", first.at(t, "noteAdd.note.kind"))
		require.Equal(t, "Ada called.\nShe wants tea.", first.at(t, "noteAdd.note.text"))
		require.Equal(t, string(d.staff[core.RoleSupport].ID), first.at(t, "noteAdd.note.cause.actor"))

		query := `query($id: ID!) { payment(id: $id) { timeline { nodes { kind text } } } }`
		seen := d.ask(t, core.RoleSupport, query, map[string]any{"id": p.ID})
		require.Contains(t, seen.Body, "She wants tea.")
		masked := d.ask(t, core.RoleViewer, query, map[string]any{"id": p.ID})
		require.Empty(t, masked.Errors, masked.Body)
		require.NotContains(t, masked.Body, "tea", "notes tell of people")
		require.NotContains(t, d.audit(t)[len(d.audit(t))-1].After, "tea")
	})
}

// The process dies between the note and the answer of its call: the same call adds no second one.
func TestANoteIsAddedOncePerKey(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		before := len(d.world.Timeline(p.ID))
		note := payments.AddNote{Payment: p.ID, Text: "once", RequestKey: "key", Cause: core.Cause{Kind: core.CauseStaff, Actor: "usr_1"}}
		first, err := d.world.Payments.AddNote(t.Context(), note)
		require.NoError(t, err)
		again, err := d.world.Payments.AddNote(t.Context(), note)
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		require.Len(t, d.world.Timeline(p.ID), before+1)
	})
}

func TestStaffReplayAMessage(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Start(d.world.Open(core.CaptureAutomatic).ID)
		id := failedEvent(t, d, p)
		d.world.RunAll()
		d.world.Pay(p.ID, portstest.CardSucceeds)
		require.NotEqual(t, core.PaymentSucceeded, d.world.Payment(p.ID).Status)
		input := map[string]any{"eventId": id}
		got := d.done(t, core.RoleSupport, "eventReplay", "event { status processedAt }", input)
		require.Equal(t, map[string]any{"status": "RECEIVED", "processedAt": nil}, got.at(t, "eventReplay.event"))
		d.done(t, core.RoleSupport, "eventReplay", "event { status }", input)
		d.world.RunAll()
		require.Equal(t, core.PaymentSucceeded, d.world.Payment(p.ID).Status)
		types := d.world.Types(string(p.ID))
		d.done(t, core.RoleSupport, "eventReplay", "event { status }", input)
		d.world.RunAll()
		require.Equal(t, types, d.world.Types(string(p.ID)), "what is replayed again has no second effect")
		event, err := d.world.Store.Inbound(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, core.InboundProcessed, event.Status)
		require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleSupport, "eventReplay", map[string]any{"eventId": newID[core.InboundID]()}))

		ping := d.world.Delivery("evt_ping", "")
		ping.Ref, ping.Type = core.ProviderRef{}, "ping"
		require.NoError(t, d.world.Inbox.Accept(t.Context(), []core.Delivery{ping}))
		page, err := d.world.Store.InboundEvents(t.Context(), ports.InboundFilter{Type: "ping"}, core.PageRequest{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleSupport, "eventReplay", map[string]any{"eventId": page.Items[0].ID}), "nothing kept here is named by it")
	})
}
