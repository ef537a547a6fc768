package disputes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

var pngBytes = []byte("\x89PNG\r\n\x1a\n and so on")

func png(field core.EvidenceField, name string) disputes.AddFile {
	return disputes.AddFile{Field: field, Name: name, ContentType: "image/png", Content: pngBytes}
}

func TestADraft(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		_, d := opened(t, h, false)
		draft, err := h.Disputes.Evidence(t.Context(), d.ID)
		require.NoError(t, err)
		require.True(t, draft.Empty())
		texts := func(list map[core.EvidenceField]string) core.Evidence {
			draft, err := h.Disputes.SaveEvidence(t.Context(), d.ID, list)
			require.NoError(t, err)
			return draft
		}
		texts(map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada", core.EvidenceCustomerEmail: "ada@example.test"})
		draft = texts(map[core.EvidenceField]string{core.EvidenceCustomerEmail: " ", core.EvidenceAccessLog: "10:00\tlogin\n"})
		require.Equal(t, map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada", core.EvidenceAccessLog: "10:00\tlogin\n"}, draft.Texts, "merged, and emptied")

		first, err := h.Disputes.AddFile(t.Context(), d.ID, png(core.EvidenceReceipt, "a.png"))
		require.NoError(t, err)
		second, err := h.Disputes.AddFile(t.Context(), d.ID, disputes.AddFile{
			Field: core.EvidenceReceipt, Name: "../b.pdf", ContentType: "application/pdf; x=y", Content: []byte("%PDF-1.7"),
		})
		require.NoError(t, err)
		require.Equal(t, "b.pdf", second.Name)
		require.Equal(t, "application/pdf", second.ContentType)
		draft, err = h.Disputes.Evidence(t.Context(), d.ID)
		require.NoError(t, err)
		require.Equal(t, []core.EvidenceFile{second}, draft.Files, "one for each field")
		require.ErrorIs(t, h.Disputes.RemoveFile(t.Context(), d.ID, first.ID), ports.ErrNotFound)
		require.NoError(t, h.Disputes.RemoveFile(t.Context(), d.ID, second.ID))
		draft, err = h.Disputes.Evidence(t.Context(), d.ID)
		require.NoError(t, err)
		require.Empty(t, draft.Files)
		_, err = h.Disputes.Evidence(t.Context(), "dsp_missing")
		require.ErrorIs(t, err, ports.ErrNotFound)
	})
}

func TestChangesOfADraftAtTheSameTime(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		_, d := opened(t, h, false)
		fields := core.EvidenceTexts()[:3]
		errs := make([]error, len(fields))
		var all sync.WaitGroup
		for n, field := range fields {
			all.Go(func() {
				_, errs[n] = h.Disputes.SaveEvidence(t.Context(), d.ID, map[core.EvidenceField]string{field: fmt.Sprint("text ", n)})
			})
		}
		all.Wait()
		draft, err := h.Disputes.Evidence(t.Context(), d.ID)
		require.NoError(t, err)
		for n, field := range fields {
			require.NoError(t, errs[n])
			require.Equal(t, fmt.Sprint("text ", n), draft.Texts[field], "none is lost")
		}
		// What is submitted is what was read when it was: a change in between starts it over.
		h.Store.BeforeNextTx(func(ctx context.Context) {
			_, err := h.Disputes.SaveEvidence(ctx, d.ID, map[core.EvidenceField]string{fields[0]: "changed"})
			require.NoError(t, err)
		})
		_, err = h.Disputes.Submit(t.Context(), d.ID, "", byAPI)
		require.NoError(t, err)
		require.Equal(t, "changed", h.Provider.Submitted(d.ProviderDisputeID).Texts[fields[0]])
	})
}

func TestBadEvidenceIsRefusedByField(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) {
		can.Disputes = &ports.DisputeAbilities{Evidence: true, TextCharsMax: 100, TextsCharsMax: 150}
	})
	_, d := opened(t, h, false)
	refused := func(name, field string, err error) {
		t.Helper()
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, field, invalid.Fields[0].Field, name)
	}
	for name, c := range map[string]struct {
		field core.EvidenceField
		text  string
		want  string
	}{
		"unknown":  {"mood", "good", "texts.mood"},
		"a file's": {core.EvidenceReceipt, "text", "texts.receipt"},
		"too long": {core.EvidenceOtherText, strings.Repeat("é", 101), "texts.uncategorized_text"},
		"control":  {core.EvidenceOtherText, "a\x00b", "texts.uncategorized_text"},
		"no UTF-8": {core.EvidenceOtherText, "a\xff", "texts.uncategorized_text"},
	} {
		_, err := h.Disputes.SaveEvidence(t.Context(), d.ID, map[core.EvidenceField]string{c.field: c.text})
		refused(name, c.want, err)
	}
	long := map[core.EvidenceField]string{core.EvidenceOtherText: strings.Repeat("a", 100), core.EvidenceAccessLog: strings.Repeat("b", 51)}
	_, err := h.Disputes.SaveEvidence(t.Context(), d.ID, long)
	refused("all together", "texts", err)
	for name, c := range map[string]struct {
		change func(*disputes.AddFile)
		want   string
	}{
		"unknown field": {func(in *disputes.AddFile) { in.Field = "mood" }, "field"},
		"a text's":      {func(in *disputes.AddFile) { in.Field = core.EvidenceOtherText }, "field"},
		"empty":         {func(in *disputes.AddFile) { in.Content = nil }, "file"},
		"too large": {func(in *disputes.AddFile) {
			in.Content = slices.Concat(pngBytes, make([]byte, core.EvidenceFileBytesMax))
		}, "file"},
		"wrong type":      {func(in *disputes.AddFile) { in.ContentType, in.Content = "text/html", []byte("<html>") }, "file"},
		"no type":         {func(in *disputes.AddFile) { in.ContentType = "" }, "file"},
		"lies":            {func(in *disputes.AddFile) { in.ContentType = "application/pdf" }, "file"},
		"lies about html": {func(in *disputes.AddFile) { in.Content = []byte("<html>") }, "file"},
		"a card's number": {func(in *disputes.AddFile) { in.Name = "4242 4242 4242 4242.png" }, "file"},
	} {
		in := png(core.EvidenceReceipt, "a.png")
		c.change(&in)
		_, err := h.Disputes.AddFile(t.Context(), d.ID, in)
		refused(name, c.want, err)
	}
	draft, err := h.Disputes.Evidence(t.Context(), d.ID)
	require.NoError(t, err)
	require.True(t, draft.Empty())
	for _, name := range []string{"", "/", "a\x00", "\xff"} {
		in := png(core.EvidenceReceipt, name)
		file, err := h.Disputes.AddFile(t.Context(), d.ID, in)
		require.NoError(t, err)
		require.NotEmpty(t, file.Name)
	}
}

func TestWhatIsKnownIsSuggested(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout, err := h.Payments.OpenCheckout(t.Context(), payments.OpenCheckout{
		Reference: "order-7", Currency: "EUR", SuccessURL: "https://shop.example/done", Email: "ada@example.test", Name: "Ada",
		Items: []payments.OpenItem{{Name: "a shirt", Amount: 500, Quantity: 2}},
		Metadata: map[string]string{
			"shipping_carrier": "DHL", "shipping_tracking_number": "JJD1", "shipping_date": "2026-03-01", "shipping_address": "1 Main St", "customer_ip": "192.0.2.7",
		},
	})
	require.NoError(t, err)
	p := h.Start(checkout.ID)
	h.Pay(p.ID, portstest.CardSucceeds)
	p = h.Look(p)
	amount := int64(100)
	_, err = h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, Amount: &amount, Cause: byAPI})
	require.NoError(t, err)
	id := h.Provider.OpenDispute(t, p.ID, false)
	observation, err := h.Observe.Sync(t.Context(), core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: id}, byAPI)
	require.NoError(t, err)
	d := observation.Dispute
	_, err = h.Disputes.SaveEvidence(t.Context(), d.ID, map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada L."})
	require.NoError(t, err)

	draft, err := h.Disputes.Draft(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, map[core.EvidenceField]string{core.EvidenceCustomerName: "Ada L."}, draft.Saved.Texts)
	require.Equal(t, map[core.EvidenceField]string{
		core.EvidenceCustomerEmail: "ada@example.test", core.EvidenceProductDescription: "2 × a shirt (EUR 5.00 each)",
		core.EvidenceShippingCarrier: "DHL", core.EvidenceTrackingNumber: "JJD1", core.EvidenceShippingDate: "2026-03-01",
		core.EvidenceShippingAddress: "1 Main St", core.EvidenceCustomerIP: "192.0.2.7",
		core.EvidenceOtherText: "Payment of EUR 10.00 on 2026-03-04, order \"order-7\".\nTransaction: " + p.ProviderPaymentID + ".\n" +
			"Paid with visa ending in 4242.\nRefund of EUR 1.00 on 2026-03-04: succeeded.",
	}, draft.Suggested)

	_, err = h.Disputes.Submit(t.Context(), d.ID, "", byAPI)
	require.NoError(t, err)
	require.Equal(t, draft.Saved.Texts, h.Provider.Submitted(id).Texts, "what nobody saved is not sent")
	draft, err = h.Disputes.Draft(t.Context(), d.ID)
	require.NoError(t, err)
	require.Empty(t, draft.Suggested, "nothing more can be said")
	_, err = h.Disputes.Draft(t.Context(), "dsp_missing")
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func TestWhatIsKnownOfASubscriptionIsSuggested(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Disputes.TextCharsMax = 200 })
	subscription := h.Subscribed(h.Plan(700, 0).ID, 2, portstest.CardSucceeds)
	invoices, err := h.Store.Invoices(t.Context(), subscription.ID, core.PageRequest{Limit: 5})
	require.NoError(t, err)
	p := h.Payment(invoices.Items[0].Payment)
	require.Equal(t, subscription.ID, p.Subscription)
	d := core.NewDisputeFromSnapshot(p, core.DisputeSnapshot{
		Ref: core.ProviderRef{ID: "dp_1"}, Status: core.DisputeNeedsResponse, Reason: core.DisputeCanceledReason, Amount: p.Amount,
	})
	d.ID, d.OpenedAt, d.CreatedAt, d.UpdatedAt = "dsp_01h455vb4pex5vsknk084sn02q", h.Clock.Now(), h.Clock.Now(), h.Clock.Now()
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.InsertDispute(ctx, d)
		return err
	}))
	draft, err := h.Disputes.Draft(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, "Ada", draft.Suggested[core.EvidenceCustomerName])
	require.Contains(t, draft.Suggested[core.EvidenceProductDescription], "Tea club")
	text := draft.Suggested[core.EvidenceOtherText]
	require.Contains(t, text, "Subscription since 2026-03-04, now active.")
	require.Len(t, []rune(text), 200, "no longer than the provider takes")
}
