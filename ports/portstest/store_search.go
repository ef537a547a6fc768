package portstest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// known is a payment that carries all that staff may know it by, beside one that carries none of it.
func known(t *testing.T, store ports.Store) (core.Payment, core.Payment) {
	t.Helper()
	checkout := fullCheckout(t)
	checkout.Payment, checkout.Lease = "", ""
	checkout = write(t, store, ports.Tx.InsertCheckout, checkout)
	customer := fullCustomer()
	customer.Email = "Grace@Example.test"
	customer = write(t, store, ports.Tx.InsertCustomer, customer)
	of := storedSale(t, store)
	of.checkout = checkout.ID
	full := fullPayment(t, of)
	full.Customer, full.Status, full.Failure, full.Review = customer.ID, core.PaymentNeedsReview, nil, core.ReviewAmount
	full = write(t, store, ports.Tx.InsertPayment, full)
	other := newPayment(t, storedCheckout(t, store))
	other.Account, other.Provider = "square", core.ProviderSquare
	other.Amount, other.AmountAuthorized, other.AmountCaptured, other.AmountRefunded = usd(t, 1000), usd(t, 0), usd(t, 0), usd(t, 0)
	return full, write(t, store, ports.Tx.InsertPayment, other)
}

func paymentsStaffKnow(t *testing.T, store ports.Store) {
	full, other := known(t, store)
	yes, no := true, false
	least, most, more := int64(1000), int64(1000), int64(1001)
	for name, filter := range map[string]ports.PaymentFilter{
		"the buyer's email":     {Email: "ADA@example.test"},
		"the customer's email":  {Email: "grace@example.test"},
		"the last four digits":  {Last4: "4242"},
		"the provider":          {Provider: core.ProviderStripe},
		"the provider's id":     {ProviderID: full.ProviderPaymentID},
		"the id of its page":    {ProviderID: full.ProviderSessionID},
		"its disputes":          {Disputed: &yes},
		"that it needs review":  {NeedsReview: &yes},
		"the currency":          {Amounts: ports.Amounts{Currency: "EUR"}},
		"a range with its ends": {Amounts: ports.Amounts{Currency: "EUR", Least: &least, Most: &most}},
	} {
		page, err := store.Payments(t.Context(), filter, core.PageRequest{Limit: 5})
		require.NoError(t, err, name)
		require.Equal(t, []core.PaymentID{full.ID}, paymentIDs(page.Items), name)
		count, err := store.CountPayments(t.Context(), filter)
		require.NoError(t, err, name)
		require.EqualValues(t, 1, count, name)
	}
	for name, filter := range map[string]ports.PaymentFilter{
		"no disputes": {Disputed: &no}, "no review": {NeedsReview: &no}, "another provider": {Provider: core.ProviderSquare},
	} {
		page, err := store.Payments(t.Context(), filter, core.PageRequest{Limit: 5})
		require.NoError(t, err, name)
		require.Equal(t, []core.PaymentID{other.ID}, paymentIDs(page.Items), name)
	}
	for name, filter := range map[string]ports.PaymentFilter{
		"nobody's email":   {Email: "nobody@example.test"},
		"a part of one":    {Email: "ada@example"},
		"other digits":     {Last4: "4243"},
		"more than it was": {Amounts: ports.Amounts{Currency: "EUR", Least: &more}},
		"no id":            {ProviderID: "pi_none"},
	} {
		page, err := store.Payments(t.Context(), filter, core.PageRequest{Limit: 5})
		require.NoError(t, err, name)
		require.Empty(t, page.Items, name)
	}
}

func paymentOrders(t *testing.T, store ports.Store) {
	checkout := storedCheckout(t, store)
	var all []core.Payment
	for i := range 9 {
		p := newPayment(t, checkout)
		p.Amount, p.CreatedAt = eur(t, int64(100*(i*5%4)+100)), minutes(i)
		all = append(all, write(t, store, ports.Tx.InsertPayment, p))
	}
	filter := ports.PaymentFilter{Amounts: ports.Amounts{Currency: "EUR"}}
	walk := func(order core.Order) (met []core.Payment) {
		request := core.PageRequest{Limit: 2, Order: order}
		for range all {
			page, err := store.Payments(t.Context(), filter, request)
			require.NoError(t, err)
			met = append(met, page.Items...)
			if !page.HasNext {
				break
			}
			last := page.Items[len(page.Items)-1]
			request.After = &core.Cursor{At: last.CreatedAt, ID: string(last.ID)}
			if order == core.OrderLargest || order == core.OrderSmallest {
				request.After.Lead = last.Amount.Minor()
			}
		}
		return met
	}
	newest, largest := walk(core.OrderNewest), walk(core.OrderLargest)
	require.Len(t, newest, len(all))
	require.Len(t, largest, len(all))
	for i := 1; i < len(all); i++ {
		require.True(t, newest[i].CreatedAt.Before(newest[i-1].CreatedAt))
		a, b := largest[i-1], largest[i]
		require.True(t, a.Amount.Minor() > b.Amount.Minor() || a.Amount == b.Amount && a.CreatedAt.After(b.CreatedAt), "largest, and newest of equal ones")
	}
	slices.Reverse(newest)
	slices.Reverse(largest)
	require.Equal(t, paymentIDs(newest), paymentIDs(walk(core.OrderOldest)))
	require.Equal(t, paymentIDs(largest), paymentIDs(walk(core.OrderSmallest)))
	_, err := store.Payments(t.Context(), filter, core.PageRequest{Limit: 2, Order: core.OrderDue})
	require.Error(t, err, "payments have no deadline")
}

func searches(t *testing.T, store ports.Store) {
	payment, other := known(t, store)
	refund := fullRefund(t, payment.ID)
	refund = write(t, store, ports.Tx.InsertRefund, refund)
	dispute := write(t, store, ports.Tx.InsertDispute, fullDispute(t, payment.ID))
	inbound := fullInbound()
	accept(t, store, inbound)
	find := func(text string) (ids []string) {
		found, err := store.Search(t.Context(), ports.Find{Text: text, Limit: 5})
		require.NoError(t, err, text)
		for _, one := range found {
			require.NotEmpty(t, one.Kind)
			ids = append(ids, one.ID)
		}
		return ids
	}
	for text, want := range map[string]string{
		payment.Reference: string(payment.ID), payment.ProviderPaymentID: string(payment.ID), payment.ProviderSessionID: string(payment.ID),
		"4242": string(payment.ID), "ada@EXAMPLE.test": string(payment.ID), "grace@example.test": string(payment.ID),
		refund.ProviderRefundID: string(refund.ID), dispute.ProviderDisputeID: string(dispute.ID), inbound.ProviderEventID: string(inbound.ID),
	} {
		require.Contains(t, find(text), want, text)
		require.NotContains(t, find(text), string(other.ID), text)
	}
	shop := newPayment(t, storedCheckout(t, store))
	shop.Reference = "17@shop.example"
	shop = write(t, store, ports.Tx.InsertPayment, shop)
	require.Equal(t, []string{string(shop.ID)}, find(shop.Reference), "a reference may look like an email")
	for text, want := range map[string]int{"ada@EXAMPLE.test": 0, "grace@example.test": 0, shop.Reference: 1} {
		found, err := store.Search(t.Context(), ports.Find{Text: text, WithoutEmails: true, Limit: 5})
		require.NoError(t, err)
		require.Len(t, found, want, "%s is looked for, but not as an email", text)
	}
	require.Empty(t, find("nothing of that name"))
	require.Empty(t, find("%"), "it is no pattern")
	require.Empty(t, find("' OR 1=1 --"))
	for _, find := range []ports.Find{{Limit: 5}, {Text: "a"}, {Text: "a", Limit: core.PageItemsMax + 1}, {Text: "a\x00", Limit: 5}} {
		_, err := store.Search(t.Context(), find)
		require.Error(t, err)
	}
}

// ofEach reads what belongs to many owners: a bounded part of what each has, and nothing of others'.
func ofEach(t *testing.T, store ports.Store) {
	const owners, each, limit = 3, 4, 2
	of := storedSale(t, store)
	var payments []core.PaymentID
	want := make(map[core.PaymentID][]core.RefundID)
	for range owners {
		p := newPayment(t, of.checkout)
		p.Customer, p.Subscription = of.customer, of.subscription
		p.Amount = eur(t, 10_000)
		payments = append(payments, write(t, store, ports.Tx.InsertPayment, p).ID)
	}
	stranger := newPayment(t, of.checkout)
	stranger = write(t, store, ports.Tx.InsertPayment, stranger)
	for i := range each {
		for _, payment := range append(slices.Clone(payments[1:]), stranger.ID) { // the first has none
			r := newRefund(t, payment, 100)
			r.CreatedAt = minutes(i)
			r = write(t, store, ports.Tx.InsertRefund, r)
			want[payment] = append([]core.RefundID{r.ID}, want[payment]...)
		}
	}
	refunds, err := store.RefundsOfPayments(t.Context(), payments, limit)
	require.NoError(t, err)
	met := make(map[core.PaymentID][]core.RefundID)
	for _, one := range refunds {
		met[one.Payment] = append(met[one.Payment], one.ID)
	}
	require.Equal(t, map[core.PaymentID][]core.RefundID{payments[1]: want[payments[1]][:limit], payments[2]: want[payments[2]][:limit]}, met)

	mine, err := store.PaymentsOfCustomers(t.Context(), []core.CustomerID{of.customer}, limit)
	require.NoError(t, err)
	require.Len(t, mine, limit)
	mine, err = store.PaymentsOfSubscriptions(t.Context(), []core.SubscriptionID{of.subscription}, core.PageItemsMax)
	require.NoError(t, err)
	require.ElementsMatch(t, payments, paymentIDs(mine))
	mine, err = store.PaymentsOfCustomers(t.Context(), nil, limit)
	require.NoError(t, err)
	require.Empty(t, mine)
	_, err = store.PaymentsOfCustomers(t.Context(), make([]core.CustomerID, core.PageItemsMax+1), limit)
	require.Error(t, err, "more owners than any page has")
}

func inboundFilters(t *testing.T, store ports.Store) {
	all := []core.InboundEvent{fullInbound(), fullInbound(), fullInbound()}
	all[1].Account, all[1].Ref.Account, all[1].Status = "square", "square", core.InboundProcessed
	all[2].Type, all[2].ReceivedAt = "charge.refunded", minutes(30)
	accept(t, store, all...)
	for name, c := range map[string]struct {
		filter ports.InboundFilter
		want   []core.InboundID
	}{
		"account":  {ports.InboundFilter{Account: "square"}, []core.InboundID{all[1].ID}},
		"type":     {ports.InboundFilter{Type: "charge.refunded"}, []core.InboundID{all[2].ID}},
		"failed":   {ports.InboundFilter{Statuses: []core.InboundStatus{core.InboundFailed}}, []core.InboundID{all[0].ID, all[2].ID}},
		"statuses": {ports.InboundFilter{Statuses: []core.InboundStatus{core.InboundProcessed, core.InboundIgnored}}, []core.InboundID{all[1].ID}},
		"after":    {ports.InboundFilter{ReceivedAfter: minutes(3)}, []core.InboundID{all[2].ID}},
		"before":   {ports.InboundFilter{ReceivedBefore: minutes(30)}, []core.InboundID{all[0].ID, all[1].ID}},
	} {
		page, err := store.InboundEvents(t.Context(), c.filter, core.PageRequest{Limit: 5})
		require.NoError(t, err, name)
		var ids []core.InboundID
		for _, event := range page.Items {
			require.Empty(t, event.Body, name)
			ids = append(ids, event.ID)
		}
		require.ElementsMatch(t, c.want, ids, name)
	}
	whole, err := store.InboundByID(t.Context(), []core.InboundID{all[0].ID, storeID[core.InboundID]()})
	require.NoError(t, err)
	require.Len(t, whole, 1)
	require.Equal(t, all[0].Body, whole[0].Body)
}

func auditFilters(t *testing.T, store ports.Store) {
	var all []core.AuditEntry
	for i := range 7 {
		entry := fullAudit()
		entry.At = minutes(i)
		if i == 3 {
			entry.Action = "refund.create"
		}
		all = append(all, entry)
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.AppendAudit(ctx, entry) })
	}
	read := func(filter ports.AuditFilter, request core.PageRequest) (ids []core.AuditID, page core.Page[core.AuditEntry]) {
		page, err := store.AuditEntries(t.Context(), filter, request)
		require.NoError(t, err)
		for _, entry := range page.Items {
			ids = append(ids, entry.ID)
		}
		return ids, page
	}
	ids, page := read(ports.AuditFilter{}, core.PageRequest{Limit: 3})
	require.Equal(t, []core.AuditID{all[6].ID, all[5].ID, all[4].ID}, ids, "newest first")
	require.True(t, page.HasNext)
	last := page.Items[2]
	ids, _ = read(ports.AuditFilter{}, core.PageRequest{Limit: 3, After: &core.Cursor{Lead: last.Sequence, At: last.At, ID: string(last.ID)}})
	require.Equal(t, []core.AuditID{all[3].ID, all[2].ID, all[1].ID}, ids)
	for name, c := range map[string]struct {
		filter ports.AuditFilter
		want   []core.AuditID
	}{
		"actor":   {ports.AuditFilter{Actor: all[2].Actor}, []core.AuditID{all[2].ID}},
		"action":  {ports.AuditFilter{Action: "refund.create"}, []core.AuditID{all[3].ID}},
		"subject": {ports.AuditFilter{Subject: all[5].Subject}, []core.AuditID{all[5].ID}},
		"times":   {ports.AuditFilter{After: minutes(4), Before: minutes(6)}, []core.AuditID{all[5].ID}},
	} {
		ids, _ := read(c.filter, core.PageRequest{Limit: 5})
		require.Equal(t, c.want, ids, name)
	}
}
